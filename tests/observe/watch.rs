//! The watch: what fails, and what goes on meanwhile.

use std::time::Duration;

use jiff::SignedDuration;
use opsctl::{
    cloud::ErrorKind,
    domain::Dollars,
    observe::{Kind, Snapshot, Source, Subject, queues::KnownBy, verdict::verdicts},
    sandbox::world::{Answer, FaultKind},
};
use serde_json::json;

use super::support::{Place, Watched, clock, is_complete, names, other_account, rows, seen};
use crate::support::stage;

const LATENCY: Duration = Duration::from_millis(10);

#[tokio::test(start_paused = true)]
async fn a_first_look_is_whole_and_pairs_the_queues() {
    let clock = clock();
    let place = Place::new("dev", clock, LATENCY).queues(["orders>orders-dlq", "bills", "lone_dlq"]);
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

#[tokio::test(start_paused = true)]
async fn five_hundred_queues_are_complete_in_less_than_four_tenths_of_a_second() {
    let clock = clock();
    let all: Vec<String> = (0..500).map(|number| format!("queue-{number:03}")).collect();
    let place = Place::new("dev", clock, LATENCY).queues(all.iter().map(String::as_str));
    let watched = Watched::start(clock, &[&place]);
    let (_, passed) =
        watched.until("dev", "complete", |snapshot| is_complete(snapshot) && snapshot.queues.len() == 500).await;
    assert!(passed < Duration::from_millis(400), "{passed:?}");
    assert!(watched.count() <= 6, "coalesced: {}", watched.count());
}

#[tokio::test(start_paused = true)]
async fn half_of_fifteen_hundred_queues_are_denied_and_the_other_half_is_seen() {
    let clock = clock();
    let odd_even = |number: usize| if number.is_multiple_of(2) { "even" } else { "odd" };
    let all: Vec<String> = (0..1_500).map(|number| format!("queue-{number:04}-{}", odd_even(number))).collect();
    let place = Place::new("dev", clock, LATENCY).queues(all.iter().map(String::as_str));
    place.deny("*-odd", "GetQueueAttributes");
    let watched = Watched::start(clock, &[&place]);
    let (snapshot, passed) = watched.until("dev", "complete", is_complete).await;
    assert!(passed < Duration::from_secs(2), "{passed:?}");
    let denied = snapshot.queues.iter().filter(|seen| seen.error.as_ref().is_some_and(|e| e.kind == ErrorKind::Denied));
    assert_eq!(denied.count(), 750);
    assert_eq!(snapshot.queues.iter().filter(|seen| seen.queue.is_some()).count(), 750);
    let said = verdicts(&place.environment, &place.environment.watch.thresholds, &snapshot, clock.now());
    assert_eq!(said.iter().map(|verdict| verdict.kind).collect::<Vec<_>>(), [Kind::Denied]);
    assert!(said[0].reason.as_str().starts_with("750 of 1,500 queues"), "{}", said[0].reason);
}

#[tokio::test(start_paused = true)]
async fn denied_queues_are_asked_again_seldom() {
    let clock = clock();
    let place = Place::new("dev", clock, LATENCY).queues(["a-odd", "b-even", "c-odd"]);
    place.deny("*-odd", "GetQueueAttributes");
    let watched = Watched::start(clock, &[&place]);
    watched.until("dev", "complete", is_complete).await;
    place.heal();
    let allowed = |snapshot: &Snapshot| snapshot.queues.iter().all(|seen| seen.error.is_none());
    let (_, healed) = watched.until("dev", "allowed", allowed).await;
    assert!(healed > Duration::from_secs(120), "{healed:?}");
}

#[tokio::test(start_paused = true)]
async fn what_changes_is_seen_soon_where_one_looks_and_later_elsewhere() {
    let clock = clock();
    let place = Place::new("dev", clock, LATENCY).queues(["seen", "unseen", "orders>orders-dlq"]);
    let watched = Watched::start(clock, &[&place]);
    watched.until("dev", "complete", is_complete).await;
    watched.watch.focus(&rows("dev", &["seen"]));
    tokio::time::sleep(Duration::from_secs(90)).await;
    for queue in ["seen", "unseen", "orders-dlq"] {
        place.put(queue, 1);
    }
    let shows = |queue: &'static str| move |snapshot: &Snapshot| seen(snapshot, queue).messages() == Some(1);
    let (_, first) = watched.until("dev", "the visible one", shows("seen")).await;
    let (_, second) = watched.until("dev", "the DLQ", shows("orders-dlq")).await;
    let (snapshot, third) = watched.until("dev", "the rest", shows("unseen")).await;
    assert!(first <= Duration::from_secs(6), "{first:?}");
    assert!(first + second <= Duration::from_secs(12), "{second:?}");
    assert!(first + second + third <= Duration::from_secs(62), "{third:?}");
    let dlq = seen(&snapshot, "orders-dlq");
    assert_eq!(dlq.trend.growth(SignedDuration::from_mins(5)).map(|(more, _)| more), Some(1));
    // A refresh does not wait.
    place.put("unseen", 1);
    watched.watch.refresh();
    let (_, now) = watched.until("dev", "refreshed", |snapshot| seen(snapshot, "unseen").messages() == Some(2)).await;
    assert!(now <= Duration::from_secs(1), "{now:?}");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_told_while_nothing_changes_but_that_figures_are_fresh() {
    let clock = clock();
    let place = Place::new("dev", clock, LATENCY).queues(["a", "b", "c"]);
    let watched = Watched::start(clock, &[&place]);
    watched.until("dev", "complete", is_complete).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let before = watched.count();
    tokio::time::sleep(Duration::from_secs(600)).await;
    let told = watched.count() - before;
    assert!((10..=80).contains(&told), "{told} snapshots in ten minutes");
    // Rows that did not change are shared.
    let newest = watched.newest("dev").expect("told");
    assert!(newest.queues.iter().all(|seen| seen.trend.samples.len() <= 2));
}

#[tokio::test(start_paused = true)]
async fn a_dead_environment_beside_a_live_one_blinds_only_itself() {
    let clock = clock();
    let live = Place::new("dev", clock, LATENCY).queues(["a"]);
    let dead = Place::new("prod", clock, LATENCY).queues(["b"]);
    dead.fault("*", None, FaultKind::Refused);
    let watched = Watched::start(clock, &[&live, &dead]);
    let (_, passed) = watched.until("dev", "complete", is_complete).await;
    assert!(passed < Duration::from_millis(300), "{passed:?}");
    let (snapshot, _) = watched.until("prod", "an error", |snapshot| snapshot.listing.error.is_some()).await;
    assert_eq!(snapshot.listing.error.as_ref().map(|error| error.kind), Some(ErrorKind::Unreachable));
    tokio::time::sleep(Duration::from_secs(300)).await;
    dead.heal();
    let (_, healed) = watched.until("prod", "healed", is_complete).await;
    assert!(healed <= Duration::from_secs(32), "{healed:?}");
    assert!(watched.newest("prod").expect("told").listing.error.is_none());
}

#[tokio::test(start_paused = true)]
async fn an_environment_that_hangs_and_one_queue_that_hangs() {
    let clock = clock();
    let all: Vec<String> = (0..200).map(|number| format!("queue-{number:03}")).collect();
    let place = Place::new("dev", clock, LATENCY).queues(all.iter().map(String::as_str));
    place.fault("GetQueueAttributes", Some("queue-0*"), FaultKind::Hang);
    let other = Place::new("prod", clock, LATENCY).queues(["a"]);
    other.fault("*", None, FaultKind::Hang);
    let watched = Watched::start(clock, &[&place, &other]);
    let answered = |snapshot: &Snapshot| snapshot.queues.iter().filter(|seen| seen.queue.is_some()).count();
    let (_, passed) = watched.until("dev", "the others", |snapshot| answered(snapshot) == 100).await;
    assert!(passed < Duration::from_secs(5), "{passed:?}");
    let (snapshot, _) = watched.until("dev", "said why", is_complete).await;
    assert_eq!(seen(&snapshot, "queue-007").error.as_ref().map(|error| error.kind), Some(ErrorKind::Unknown));
    watched.until("prod", "said why", |snapshot| snapshot.listing.error.is_some()).await;
    place.heal();
    other.heal();
    let (_, healed) = watched.until("dev", "healed", |snapshot| answered(snapshot) == 200).await;
    assert!(healed <= Duration::from_secs(75), "{healed:?}");
    watched.until("prod", "healed", is_complete).await;
}

#[tokio::test(start_paused = true)]
async fn credentials_expire_and_come_back() {
    let clock = clock();
    let place = Place::new("dev", clock, LATENCY).queues(["a", "b"]);
    place.put("a", 2);
    let opened = place.opened();
    let watched = Watched::start(clock, &[&place]);
    watched.until("dev", "complete", is_complete).await;
    assert_eq!(opened.get(), 1);
    place.fault("*", None, FaultKind::ExpiredCredentials);
    let (snapshot, _) = watched.until("dev", "expired", |snapshot| snapshot.listing.error.is_some()).await;
    assert_eq!(snapshot.listing.error.as_ref().map(|error| error.kind), Some(ErrorKind::CredentialsExpired));
    tokio::time::sleep(Duration::from_secs(200)).await;
    let snapshot = watched.newest("dev").expect("told");
    let a = seen(&snapshot, "a");
    assert_eq!((a.messages(), a.error.as_ref()), (Some(2), None), "the old figures stay");
    let age = clock.now().duration_since(a.at.expect("seen"));
    assert!(age > SignedDuration::from_secs(190), "with their age: {age}");
    let said = verdicts(&place.environment, &place.environment.watch.thresholds, &snapshot, clock.now());
    assert_eq!(said[0].kind, Kind::Credentials);
    assert!(opened.get() > 3, "clients are made anew: {}", opened.get());
    place.heal();
    place.put("a", 1);
    let healed = |snapshot: &Snapshot| snapshot.listing.error.is_none() && seen(snapshot, "a").messages() == Some(3);
    let (_, passed) = watched.until("dev", "healed", healed).await;
    assert!(passed <= Duration::from_secs(100), "{passed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_log_in_is_noticed_at_once_on_refresh() {
    let clock = clock();
    let place = Place::new("dev", clock, LATENCY).queues(["a"]);
    place.fault("*", None, FaultKind::ExpiredCredentials);
    let watched = Watched::start(clock, &[&place]);
    watched.until("dev", "expired", |snapshot| snapshot.listing.error.is_some()).await;
    tokio::time::sleep(Duration::from_secs(100)).await;
    place.heal();
    watched.watch.refresh();
    let (_, passed) = watched.until("dev", "complete", is_complete).await;
    assert!(passed <= Duration::from_secs(1), "{passed:?}");
}

#[tokio::test(start_paused = true)]
async fn throttling_slows_down_and_is_said() {
    let clock = clock();
    let all: Vec<String> = (0..100).map(|number| format!("queue-{number:03}")).collect();
    let place = Place::new("dev", clock, LATENCY).queues(all.iter().map(String::as_str));
    let watched = Watched::start(clock, &[&place]);
    watched.until("dev", "complete", is_complete).await;
    place.fault("*", None, FaultKind::Throttled);
    let (snapshot, _) = watched.until("dev", "throttled", |snapshot| snapshot.spend.throttled > 0).await;
    assert!(seen(&snapshot, "queue-000").error.is_none(), "it passes");
    tokio::time::sleep(Duration::from_secs(120)).await;
    let snapshot = watched.newest("dev").expect("told");
    assert!(snapshot.spend.calls_per_minute < 120, "{:?}", snapshot.spend);
    place.heal();
    let since = clock.now();
    let fresh = |snapshot: &Snapshot| snapshot.queues.iter().all(|seen| seen.at > Some(since));
    watched.until("dev", "fresh again", fresh).await;
}

#[tokio::test(start_paused = true)]
async fn the_bound_slows_looking_down_and_says_so() {
    let clock = clock();
    let all: Vec<String> = (0..300).map(|number| format!("queue-{number:03}")).collect();
    let mut place = Place::new("dev", clock, LATENCY).queues(all.iter().map(String::as_str));
    place.environment.watch.calls_per_minute_max = 60;
    place.environment.watch.dollars_per_hour_max = Dollars::from_dollars(1.0);
    let watched = Watched::start(clock, &[&place]);
    let (_, passed) = watched.until("dev", "complete", is_complete).await;
    assert!(passed < Duration::from_secs(1), "the first look is free: {passed:?}");
    watched.watch.focus(&rows("dev", &["queue-007"]));
    tokio::time::sleep(Duration::from_secs(300)).await;
    let snapshot = watched.newest("dev").expect("told");
    assert!(snapshot.spend.bounded && snapshot.spend.calls_per_minute <= 62, "{:?}", snapshot.spend);
    let age = |queue| clock.now().duration_since(seen(&snapshot, queue).at.expect("seen"));
    assert!(age("queue-007") < SignedDuration::from_secs(60), "{}", age("queue-007"));
    assert!(
        snapshot
            .queues
            .iter()
            .any(|seen| clock.now().duration_since(seen.at.expect("seen")) > SignedDuration::from_secs(120))
    );
}

#[tokio::test(start_paused = true)]
async fn queues_come_and_go() {
    let clock = clock();
    let place = Place::new("dev", clock, LATENCY).queues(["a", "b"]);
    let watched = Watched::start(clock, &[&place]);
    watched.until("dev", "complete", is_complete).await;
    watched.watch.focus(&rows("dev", &["a", "new"]));
    place.delete("b");
    place.create("new>new-dlq");
    let (snapshot, passed) =
        watched.until("dev", "there", |snapshot| snapshot.queues.len() == 3 && is_complete(snapshot)).await;
    assert_eq!(names(&snapshot), ["a", "new", "new-dlq"]);
    assert!(passed <= Duration::from_secs(62), "{passed:?}");
    watched.until("dev", "paired", |snapshot| seen(snapshot, "new-dlq").dead_letters.is_some()).await;
    place.put("new", 1);
    let (_, passed) = watched.until("dev", "in focus", |snapshot| seen(snapshot, "new").messages() == Some(1)).await;
    assert!(passed <= Duration::from_secs(6), "{passed:?}");
}

#[tokio::test(start_paused = true)]
async fn another_accounts_queues_are_not_shown() {
    let clock = clock();
    let mut place = Place::new("prod", clock, LATENCY);
    other_account(&mut place);
    let watched = Watched::start(clock, &[&place]);
    let (snapshot, _) = watched.until("prod", "an error", |snapshot| snapshot.listing.error.is_some()).await;
    assert!(snapshot.queues.is_empty());
    let error = snapshot.listing.error.as_ref().expect("there").to_string();
    assert!(
        error.contains("these are credentials of account 222222222222, but prod is account 111111111111"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn queues_that_cannot_be_listed_any_more_are_still_looked_at() {
    let clock = clock();
    let place = Place::new("dev", clock, LATENCY).queues(["a"]);
    let watched = Watched::start(clock, &[&place]);
    watched.until("dev", "complete", is_complete).await;
    place.deny("*", "ListQueues");
    watched.until("dev", "denied", |snapshot| snapshot.listing.error.is_some()).await;
    place.put("a", 1);
    watched.until("dev", "seen", |snapshot| seen(snapshot, "a").messages() == Some(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_tag_pairs_and_its_denial_does_not_matter() {
    let clock = clock();
    let mut place = Place::new("dev", clock, LATENCY).queues(["orders", "park", "shut"]);
    place.environment.queues.pair_tag = Some("dead-letter-of".to_owned());
    place.tag("park", "dead-letter-of", "orders");
    place.deny("shut", "ListQueueTags");
    let watched = Watched::start(clock, &[&place]);
    let (snapshot, _) =
        watched.until("dev", "paired", |snapshot| snapshot.queues.iter().any(|seen| seen.dead_letters.is_some())).await;
    assert_eq!(seen(&snapshot, "park").dead_letters.as_ref().map(|found| found.known_by), Some(KnownBy::Tag));
    assert!(seen(&snapshot, "shut").error.is_none());
}

#[tokio::test(start_paused = true)]
async fn ages_come_from_cloudwatch_and_its_denial_blinds_no_queue() {
    let clock = clock();
    let place = Place::new("dev", clock, LATENCY).queues(["orders>orders-dlq", "bills"]);
    place.put("orders-dlq", 2);
    let watched = Watched::start(clock, &[&place]);
    let (snapshot, _) = watched
        .until("dev", "an age", |snapshot| snapshot.queues.len() == 3 && seen(snapshot, "orders-dlq").oldest.is_some())
        .await;
    assert_eq!(seen(&snapshot, "bills").oldest, None, "an empty queue's age is not asked for");
    assert_eq!(snapshot.metrics_error, None);
    place.fault("GetMetricData", None, FaultKind::Denied);
    let (snapshot, _) = watched.until("dev", "denied", |snapshot| snapshot.metrics_error.is_some()).await;
    assert!(snapshot.queues.iter().all(|seen| seen.error.is_none()));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_watch_asks_nothing_more() {
    let clock = clock();
    let place = Place::new("dev", clock, LATENCY).queues(["a"]);
    let watched = Watched::start(clock, &[&place]);
    watched.until("dev", "complete", is_complete).await;
    let told = std::sync::Arc::clone(&watched.told);
    drop(watched.watch);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = told.len();
    place.put("a", 1);
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(told.len(), before);
}

#[tokio::test(start_paused = true)]
async fn the_last_state_is_there_when_the_next_session_begins() {
    let clock = clock();
    let folder = tempfile::tempdir().expect("a folder");
    let place = Place::new("dev", clock, LATENCY).queues(["orders>orders-dlq", "gone"]).cached_in(folder.path());
    place.put("orders-dlq", 3);
    let watched = Watched::start(clock, &[&place]);
    watched.until("dev", "complete", is_complete).await;
    watched.watch.stop().await;
    assert!(folder.path().join("dev.json").exists());
    let seen_at = clock.now();
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    place.delete("gone");
    place.fault("*", None, FaultKind::Refused);
    let watched = Watched::start(clock, &[&place]);
    let (snapshot, passed) = watched.until("dev", "something", |snapshot| !snapshot.queues.is_empty()).await;
    assert_eq!((snapshot.source, snapshot.number), (Source::Cache, 1));
    assert!(passed < Duration::from_millis(50), "{passed:?}");
    assert_eq!(names(&snapshot), ["gone", "orders", "orders-dlq"]);
    let dlq = seen(&snapshot, "orders-dlq");
    assert!(dlq.at.is_some_and(|at| at <= seen_at));
    assert_eq!(dlq.dead_letters.as_ref().map(|found| found.known_by), Some(KnownBy::RedrivePolicy));
    watched.until("dev", "an error", |snapshot| snapshot.listing.error.is_some()).await;
    assert_eq!(watched.newest("dev").map(|snapshot| snapshot.queues.len()), Some(3), "the old state stays");
    place.heal();
    let (snapshot, _) =
        watched.until("dev", "live", |snapshot| snapshot.source == Source::Live && is_complete(snapshot)).await;
    assert_eq!(names(&snapshot), ["orders", "orders-dlq"]);
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_session_saw_is_looked_at_where_listing_is_denied() {
    let clock = clock();
    let folder = tempfile::tempdir().expect("a folder");
    let place = Place::new("dev", clock, LATENCY).queues(["a", "b"]).cached_in(folder.path());
    let watched = Watched::start(clock, &[&place]);
    watched.until("dev", "complete", is_complete).await;
    watched.watch.stop().await;
    place.deny("*", "ListQueues");
    place.put("a", 1);
    let watched = Watched::start(clock, &[&place]);
    let (snapshot, _) = watched
        .until("dev", "seen", |snapshot| snapshot.queues.len() == 2 && seen(snapshot, "a").messages() == Some(1))
        .await;
    assert_eq!(snapshot.listing.error.as_ref().map(|error| error.kind), Some(ErrorKind::Denied));
}

/// Takes messages out of a queue as somebody with a script does.
fn take_out(place: &Place, queue: &str, batches: usize) {
    let url = format!("{}/{}/{queue}", stage::caller().origin, stage::ACCOUNT);
    place.sandbox.with(|world, now| {
        for _ in 0..batches {
            let request = json!({ "QueueUrl": url, "MaxNumberOfMessages": 10 });
            let got = world.ask(now, &stage::caller(), ("sqs", "ReceiveMessage"), request).expect("received");
            let Answer::Body(got) = got else { panic!("no body") };
            let got: serde_json::Value = serde_json::from_slice(&got).expect("JSON");
            let handles = got["Messages"].as_array().expect("messages").iter().enumerate();
            let entries: Vec<_> = handles
                .map(|(at, message)| json!({ "Id": at.to_string(), "ReceiptHandle": message["ReceiptHandle"] }))
                .collect();
            let request = json!({ "QueueUrl": url, "Entries": entries });
            world.ask(now, &stage::caller(), ("sqs", "DeleteMessageBatch"), request).expect("deleted");
        }
    });
}

#[tokio::test(start_paused = true)]
async fn who_empties_a_dead_letter_queue_is_told() {
    let (clock, state) = (clock(), tempfile::tempdir().expect("a folder"));
    let place = Place::new("dev", clock, LATENCY).queues(["orders>orders-dlq", "bills>bills-dlq", "quiet>quiet-dlq"]);
    let place = place.recorded_in(state.path());
    ["orders-dlq", "bills-dlq", "quiet-dlq"].into_iter().for_each(|queue| place.put(queue, 60));
    let watched = Watched::start(clock, &[&place]);
    watched.until("dev", "complete", is_complete).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    take_out(&place, "bills-dlq", 3);
    let (from, to) = (stage::arn("orders-dlq"), stage::arn("orders"));
    let request = json!({ "SourceArn": from, "DestinationArn": to, "MaxNumberOfMessagesPerSecond": 1 });
    place.sandbox.with(|world, now| {
        world.ask(now, &stage::caller(), ("sqs", "StartMessageMoveTask"), request).expect("a task");
    });
    let thresholds = &place.environment.watch.thresholds;
    let said = |snapshot: &Snapshot| verdicts(&place.environment, thresholds, snapshot, clock.now());
    let elsewhere =
        |snapshot: &Snapshot| said(snapshot).iter().filter(|verdict| verdict.kind == Kind::RedrivenElsewhere).count();
    let (snapshot, passed) = watched.until("dev", "both are told", |snapshot| elsewhere(snapshot) == 2).await;
    assert!(passed < Duration::from_secs(60), "{passed:?}");
    let reason = |name: &str| {
        let said = said(&snapshot);
        let of_it = said.iter().find(|verdict| verdict.subject == Subject::Queue(name.into()));
        of_it.map(|verdict| verdict.reason.to_string()).unwrap_or_default()
    };
    assert!(reason("orders-dlq").starts_with("a move task that opsctl did not start here"), "{}", reason("orders-dlq"));
    assert!(reason("bills-dlq").contains("no run of opsctl on this machine took them"), "{}", reason("bills-dlq"));
    assert!(reason("quiet-dlq").contains("lie there"), "{}", reason("quiet-dlq"));
    // Where nobody knows which runs are opsctl's own, nobody is accused.
    let unknowing = Watched::start(clock, &[&Place { runs: None, ..place }]);
    let (snapshot, _) = unknowing.until("dev", "complete", is_complete).await;
    assert!(snapshot.queues.iter().all(|seen| seen.leaving.is_none()));
}
