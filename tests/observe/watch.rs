//! The watch: what fails, and what goes on meanwhile.

use std::time::Duration;

use opsctl::{
    cloud::ErrorKind,
    observe::{Source, queues::KnownBy},
    sandbox::world::FaultKind,
};

use super::support::{Place, Watched, clock, is_complete, names, other_account, rows, seen};

const TENTH: Duration = Duration::from_millis(10);

#[tokio::test(start_paused = true)]
async fn a_first_look_is_whole_and_pairs_the_queues() {
    let clock = clock();
    let place = Place::new("dev", clock, TENTH).queues(["orders>orders-dlq", "bills", "lone_dlq"]);
    place.put("orders-dlq", 3);
    let watched = Watched::start(clock, &[&place]);
    let (first, _) = watched.until("dev", "a first snapshot", |_| true).await;
    assert_eq!((first.queues.len(), first.listing.at), (0, None));
    let (snapshot, passed) = watched.until("dev", "complete", is_complete).await;
    assert!(passed < Duration::from_millis(300), "{passed:?}");
    assert_eq!(names(&snapshot), ["bills", "lone_dlq", "orders", "orders-dlq"]);
    assert_eq!(snapshot.source, Source::Live);
    let dlq = seen(&snapshot, "orders-dlq");
    assert_eq!(dlq.messages(), Some(3));
    let pairing = dlq.dead_letters.as_ref().expect("a DLQ");
    assert_eq!((pairing.known_by, pairing.sources[0].as_str()), (KnownBy::RedrivePolicy, "orders"));
    assert_eq!(seen(&snapshot, "lone_dlq").dead_letters.as_ref().map(|found| found.known_by), Some(KnownBy::Name));
    assert!(snapshot.spend.calls_per_minute >= 5 && snapshot.spend.dollars_per_hour > 0.0);
}
