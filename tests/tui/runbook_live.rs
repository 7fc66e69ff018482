//! A runbook in the console on the sandbox, through the real effects: from Home's verdict to its end.

use std::fs;

use opsctl::{domain::Protection, journal::Record, runbook::shelf::Shelf};

use super::live::{Live, stage};

const DRAIN: &str = r#"# Drain a dead-letter queue after a fix

Messages that a consumer could not handle wait in a dead-letter queue.

```toml runbook
owner = "payments"
last_rehearsed = 2026-11-12
recovery_time = "30m"
applies_when = ["dead-letters"]
parameters.queue = { kind = "queue", help = "The dead-letter queue" }
```

## Find the cause

Read the errors of the messages.

## Is the fix out?

```toml step
ask = "version"
keep = "fix"
```

## Redrive

All of them go back.

```toml step
do = "redrive"
with = { queue = "{queue}", ramp = "all" }
check = "queue.messages == 0"
within = "2m"
```
"#;

fn shelf() -> (tempfile::TempDir, Shelf) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("drain.md"), DRAIN).expect("written");
    let shelf = Shelf { folder: Some(folder.path().to_owned()) };
    (folder, shelf)
}

/// Begins the runbook that Home offers, up to the plan of its redrive.
async fn begun(live: &mut Live) {
    live.until("runbook drain").await;
    live.press("B");
    live.until("Run drain").await;
    assert!(live.console.text().contains("orders-dlq"), "{}", live.console.text());
    live.press("enter");
    live.until("waits for you").await;
}

async fn answered(live: &mut Live) {
    live.press("enter");
    live.until("It is done").await;
    live.press("enter");
    live.until("an answer to").await;
    live.press("enter 1 . 4 enter");
    live.until("approval of").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runbook_from_homes_verdict_to_its_end() {
    let (_folder, shelf) = shelf();
    let stage = stage(Protection::Confirm);
    let mut live = Live::with(&stage, shelf);
    begun(&mut live).await;
    answered(&mut live).await;
    assert_eq!(stage.count("orders"), 0, "nothing is done before it was agreed to");
    live.press("enter");
    live.until("[ No ]").await;
    live.press("y");
    live.until("✓ done").await;
    live.until("30m: met").await;
    assert_eq!((stage.count("orders"), stage.count("orders-dlq")), (30, 0));
    live.press("J");
    live.until("nina answered: 1.4").await;
    let runs = stage.folder().list().expect("runs");
    let runbook = runs.iter().find(|run| run.runbook().is_some()).expect("a run of a runbook");
    let child = runs.iter().find(|run| run.parent() == Some(&runbook.run)).expect("the redrive is a part of it");
    assert!(runbook.end().is_some() && child.end().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_left_stays_open_and_is_gone_on_with_by_another_console() {
    let (_folder, shelf) = shelf();
    let stage = stage(Protection::TypeName);
    let mut live = Live::with(&stage, shelf.clone());
    begun(&mut live).await;
    answered(&mut live).await;
    live.press("X");
    live.until("left open").await;
    let runs = stage.folder().list().expect("runs");
    assert!(
        matches!(&runs[0].last.record, Record::RunbookLeft { waits_for, .. } if waits_for.as_str().contains("approval"))
    );
    drop(live);
    let mut again = Live::with(&stage, shelf);
    again.press("9");
    again.until("left open, waits for approval").await;
    again.press("enter");
    again.until("ran it last").await;
    again.press("R");
    again.until("Waits for approval").await;
    again.press("enter");
    again.until("type dev orders-dlq").await;
    again.press("d e v space o r d e r s - d l q enter d r i l l enter");
    again.until("✓ done").await;
    assert_eq!((stage.count("orders"), stage.count("orders-dlq")), (30, 0));
    let runs = stage.folder().list().expect("runs");
    assert_eq!(runs.len(), 2, "the run, and its one redrive");
}
