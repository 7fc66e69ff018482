//! Each file in `tests/scenarios/` is a world, faults, runs and their expected ends. Whatever happens in it: no message is lost, and
//! none is doubled unless the report names it.

use std::{collections::BTreeMap, path::Path, time::Duration};

use opsctl::{
    domain::Protection,
    operations::Operation,
    run::{End, Report},
    sandbox::world::{At, Fault},
};
use serde::Deserialize;

use crate::support::stage::{QueueSetup, Stage};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    /// What it shows, in a sentence.
    about: String,
    #[serde(default = "confirm")]
    protection: Protection,
    queues: Vec<QueueSetup>,
    /// What happens meanwhile, since the start.
    #[serde(default, rename = "at")]
    timeline: Vec<At>,
    run: Vec<Step>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// None: resume the run before.
    operation: Option<Operation>,
    #[serde(default)]
    faults: Vec<Fault>,
    /// Seconds that pass before it.
    #[serde(default)]
    wait_seconds: u64,
    expect: Expect,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    end: End,
    /// Messages in each queue afterwards.
    #[serde(default)]
    queues: BTreeMap<String, usize>,
    #[serde(default)]
    uncertain: usize,
    /// Text that stands in the report.
    #[serde(default)]
    says: Vec<String>,
}

fn confirm() -> Protection {
    Protection::Confirm
}

#[test]
fn every_scenario_ends_as_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut files: Vec<_> = std::fs::read_dir(folder).expect("scenarios").flatten().map(|entry| entry.path()).collect();
    files.sort();
    assert!(files.len() >= 10, "scenarios are missing");
    for file in files {
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        let scenario = read(&file);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        runtime.expect("a runtime").block_on(play(&name, scenario));
    }
}

/// Without its timeline a scenario ends otherwise: what it says of its first run comes of that.
#[tokio::test(start_paused = true)]
async fn a_timeline_takes_effect() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/denied_meanwhile.toml");
    let Scenario { timeline, protection, queues, run, .. } = read(&file);
    assert_eq!(timeline.len(), 2);
    let first = run.into_iter().next().expect("a run");
    let mut stage = Stage::new(protection, &queues);
    first.faults.into_iter().for_each(|fault| stage.fault(fault));
    let report = stage.run(&first.operation.expect("an operation")).await;
    assert_eq!((report.end, first.expect.end), (End::Done, End::Partly), "{report:#?}");
}

fn read(file: &Path) -> Scenario {
    let text = std::fs::read_to_string(file).expect("a scenario");
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

async fn play(name: &str, scenario: Scenario) {
    let mut stage = Stage::new(scenario.protection, &scenario.queues);
    stage.sandbox.with(|world, now| world.schedule_all(now, &scenario.timeline)).expect("things that are there");
    let before = stage.copies();
    let about = format!("{name} ({})", scenario.about);
    for (number, step) in scenario.run.into_iter().enumerate() {
        step.faults.into_iter().for_each(|fault| stage.fault(fault));
        stage.sandbox.clock().sleep(Duration::from_secs(step.wait_seconds)).await;
        let purges = matches!(step.operation, Some(Operation::Purge(_) | Operation::Restore(_)));
        let report = match &step.operation {
            Some(operation) => stage.run(operation).await,
            None => stage.resume().await,
        };
        check(&format!("{about}, run {}", number + 1), &stage, &step.expect, &report);
        if purges {
            continue;
        }
        let copies = stage.copies();
        for body in before.keys() {
            let times = copies.get(body).copied().unwrap_or_default();
            assert!(times >= 1, "{about}: lost {body}\n{report:#?}");
        }
        let doubled = copies.values().filter(|times| **times > 1).count();
        let named = report.details.tally().uncertain.len() + report.details.tally().sent_not_deleted as usize;
        assert!(doubled <= named, "{about}: {doubled} doubled, {named} named\n{report:#?}");
    }
}

fn check(about: &str, stage: &Stage, expect: &Expect, report: &Report) {
    assert_eq!(report.end, expect.end, "{about}\n{report:#?}");
    assert_eq!(report.details.tally().uncertain.len(), expect.uncertain, "{about}\n{report:#?}");
    for (queue, messages) in &expect.queues {
        assert_eq!(stage.count(queue), *messages, "{about}: {queue}\n{report:#?}");
    }
    let text = serde_json::to_string(report).expect("plain data");
    for words in &expect.says {
        assert!(text.contains(words.as_str()), "{about}: nowhere says {words:?}\n{report:#?}");
    }
    let folder = stage.folder().open(&report.run).expect("a journal");
    let heads = opsctl::journal::Heads::read(stage.state.path()).expect("the index");
    let verdict = opsctl::journal::verify(&folder, &heads).expect("a whole chain");
    assert_eq!(verdict.anchored, opsctl::journal::Anchor::Whole, "{about}");
    assert!(verdict.damage.is_empty(), "{about}: {verdict:#?}");
}
