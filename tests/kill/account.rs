//! Another account's credentials between a kill and the resume.

use super::{
    ACCOUNT, At,
    program::Desk,
    program::Point,
    queues::{Body, Queues},
    scenario::Kind,
};
use crate::served::Served;

const OTHER: &str = "222222222222";
const MESSAGES: usize = 80;

/// A resume with the keys of another account changes nothing and is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resume_with_keys_of_another_account_is_refused() {
    let served = Served::start();
    let at = At {
        endpoint: served.url.clone(),
        joins: None,
        runs: "state/opsctl/runs".to_owned(),
        speed: 1,
        resumes_are_killed: false,
        waits_are_bound: false,
    };
    for (number, command) in ["redrive", "purge", "restore"].into_iter().enumerate() {
        let queues = Queues::of(&at);
        let [source, destination] = [format!("other-{number}-dlq"), format!("other-{number}")];
        let [source, destination] =
            [queues.make(&source, Kind::Standard, None).await, queues.make(&destination, Kind::Standard, None).await];
        let bodies: Vec<Body> = (0..MESSAGES).map(|number| Body { number, groups: 1 }).collect();
        queues.fill(&source, Kind::Standard, &bodies).await;
        let mut desk = Desk::new(&at);
        let redrive =
            ["redrive", "--queue", &source, "--to", &destination, "--engine", "client", "--wait-bounce", "0s"];
        let purge = ["purge", "--queue", &source];
        let mut arguments = words(if command == "redrive" { &redrive } else { &purge });
        if command == "restore" {
            assert_eq!(desk.run(&arguments, None).await.code, Some(0), "purged");
            let run = desk.runs().into_iter().next().expect("a run");
            arguments = words(&["restore", &run]);
        }
        let before = desk.runs();
        let killed = desk.run(&arguments, Some(Point::Bytes(5_000, 0))).await;
        assert_eq!(killed.code, None, "{command}: killed: {}", killed.said);
        let runs = desk.runs();
        let run = runs.difference(&before).next().expect("a run");
        let resume = words(&[command, "--resume", run]);
        let there = [queues.total(&source).await, queues.total(&destination).await];
        desk.account = OTHER.to_owned();
        let refused = desk.run(&resume, None).await;
        assert_eq!(refused.code, Some(3), "{command}: {}", refused.said);
        assert!(refused.said.contains(OTHER), "{command}: whose keys they are: {}", refused.said);
        assert_eq!([queues.total(&source).await, queues.total(&destination).await], there, "{command}");
        desk.account = ACCOUNT.to_owned();
        if command == "restore" {
            // Nothing is hidden: it need not wait.
            let resumed = desk.run(&resume, None).await;
            let uncertain = resumed.document["details"]["uncertain"].as_array().map_or(0, Vec::len);
            assert!(matches!(resumed.code, Some(0 | 4)), "{}", resumed.said);
            let back = queues.drain(&source).await.len();
            assert!((MESSAGES - uncertain..=MESSAGES).contains(&back), "{back} are back: {}", resumed.said);
        }
    }
}

fn words(arguments: &[&str]) -> Vec<String> {
    arguments.iter().copied().chain(["--yes"]).map(str::to_owned).collect()
}
