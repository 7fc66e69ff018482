//! The real binary, killed at any point of a change of rows on a real server, and taken up again.

use std::time::Duration;

use opsctl::domain::Dialect;

use super::{
    super::home::{Ended, Home},
    desk::Desk,
    relay::Relay,
    whole::drained,
};
use crate::served::Served;

const ROWS: u32 = 2_000;
const KILLS_MAX: usize = 40;

impl Home {
    /// Gives a command and kills it, takes its run up and kills it again, and so on; how it ended in the end.
    fn killed(&self, command: &str, dialect: Dialect) -> Ended {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let mut arguments = words(&format!("{command} --outbox transfers --yes"));
        let (mut kills, mut seed) = (0, 0x9e37_79b9_u64);
        let ended = loop {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let kill = (500 + (seed >> 33) % 60_000, Duration::from_micros((seed >> 20) % 4_000));
            let given: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let ended = self.run(&given, (kills < KILLS_MAX).then_some(kill));
            if let Some(code) = ended.code {
                assert!(matches!(code, 0 | 4), "{dialect:?}: {}", ended.said);
                break ended;
            }
            kills += 1;
            if let Some(run) = self.runs().pop() {
                let run = run.file_name().expect("a run").to_string_lossy().into_owned();
                arguments = words(&format!("{command} --resume {run} --yes"));
            }
        };
        assert!(kills >= 3, "{dialect:?}: killed {kills} times");
        assert_eq!(self.runs().len(), 1, "one run, taken up again");
        ended
    }
}

impl Ended {
    fn figure(&self, name: &str) -> u64 {
        self.document["details"][name].as_u64().expect("a figure")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_that_is_killed_at_any_point_is_gone_on_with_and_sends_each_row_once() {
    for mut desk in Desk::all().await {
        let served = Served::start();
        let (home, dialect) = (
            Home::of(&desk.stage.environment.databases.connections[0], &desk.schema.name, &served),
            desk.schema.dialect(),
        );
        desk.fill("FAILED", ROWS, 7, 0).await;
        let relay = Relay::start(&desk);
        let ended = home.killed("outbox replay", dialect);
        let (done, in_doubt) = (ended.figure("done"), ended.figure("in_doubt"));
        assert_eq!(done + in_doubt, u64::from(ROWS), "{dialect:?}: {}", ended.said);
        if dialect == Dialect::Postgres {
            assert_eq!((ended.code, in_doubt), (Some(0), 0), "{}", ended.said);
        }
        drained(&mut desk).await;
        relay.stop().await;
        assert_eq!(desk.number("SELECT count(*) FROM sent").await, i64::from(ROWS), "{dialect:?}: each once");
        assert_eq!(desk.in_state("SENT").await, i64::from(ROWS), "{dialect:?}: none lost");
        desk.schema.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_park_that_is_killed_at_any_point_is_gone_on_with_and_loses_no_row() {
    for mut desk in Desk::all().await {
        let served = Served::start();
        let (home, dialect) = (
            Home::of(&desk.stage.environment.databases.connections[0], &desk.schema.name, &served),
            desk.schema.dialect(),
        );
        desk.fill("FAILED", ROWS, 7, 0).await;
        let ended = home.killed("outbox park", dialect);
        // Where a row is now says how its transaction ended: nothing is ever in doubt.
        let figures = (ended.code, ended.figure("done"), ended.figure("in_doubt"));
        assert_eq!(figures, (Some(0), u64::from(ROWS), 0), "{dialect:?}: {}", ended.said);
        let parked = "SELECT count(DISTINCT number) FROM outbox_transfers_opsctl_parked";
        assert_eq!(desk.number(parked).await, i64::from(ROWS), "{dialect:?}: none lost");
        assert_eq!(desk.number("SELECT count(*) FROM outbox_transfers").await, 0, "{dialect:?}: none twice");
        desk.schema.end().await;
    }
}
