//! Settings that are set, remembered and put back.

mod mappings;
mod mutes;
mod retention;
pub(crate) mod starters;

use std::time::Duration;

use opsctl::{
    domain::{AccountId, Setting, Toggle},
    journal::{TurnedOff, TurnedOffBy},
    operations::{Operation, plan::Plan},
    run::Report,
    sandbox::world::Fault,
};

use crate::support::stage::{ACCOUNT, REGION, Stage};

fn remembered(stage: &Stage, toggle: &Toggle) -> Option<TurnedOffBy> {
    TurnedOff::read(&stage.folder(), &AccountId(ACCOUNT.into()), REGION).expect("readable").of(toggle).cloned()
}

/// What would be put back.
fn kept(stage: &Stage, toggle: &Toggle) -> Option<Setting> {
    remembered(stage, toggle).map(|before| before.from)
}

fn fault(stage: &Stage, call: &str, kind: &str, times: u64) {
    let fault = serde_json::json!({ "call": call, "kind": kind, "times": times });
    stage.fault(serde_json::from_value::<Fault>(fault).expect("a fault"));
}

/// How often the sandbox was asked for a call.
fn calls(stage: &Stage, service: &str, action: &str) -> u64 {
    stage.sandbox.with(|world, _| world.calls_made().count(service, action))
}

fn because(report: &Report) -> &str {
    report.failure.as_ref().map_or("", |failure| failure.what.as_str())
}

fn fact<'a>(plan: &'a Plan, label: &str) -> &'a str {
    plan.facts.iter().find(|fact| fact.label == label).map_or("", |fact| fact.value.as_str())
}

/// Whether one of these says it.
fn say(texts: &[impl ToString], words: &str) -> bool {
    texts.iter().any(|text| text.to_string().contains(words))
}

/// Waits until what the killed run left in this process has let go of its journal, as it does when a process ends.
async fn let_go(stage: &Stage) {
    let run = stage.folder().list().expect("runs").first().expect("a run").run.clone();
    for _ in 0..1_000 {
        if !stage.folder().open(&run).expect("a folder").is_busy() {
            return;
        }
        std::thread::sleep(Duration::from_millis(2));
        tokio::task::yield_now().await;
    }
    panic!("its journal is held");
}

/// Begins a run, and does away with it once the call was made: as if the process were killed.
async fn killed_at(stage: &mut Stage, operation: &Operation, (service, action): (&str, &str)) {
    let before = calls(stage, service, action);
    let context = stage.context().await;
    let planned = stage.plan(operation).await.expect("a plan");
    let approved = stage.approve(planned.plan).expect("approval");
    let called = async {
        while calls(stage, service, action) == before {
            stage.sandbox.clock().sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        report = opsctl::run::execute(approved, &context) => panic!("it was to be killed: {report:#?}"),
        () = called => {}
    }
    drop(context);
    let_go(stage).await;
}

/// Carries out an operation, during which somebody else does something, once the call was made.
async fn while_somebody(
    stage: &mut Stage,
    operation: &Operation,
    (service, action): (&str, &str),
    meanwhile: impl FnOnce(&Stage),
) -> Report {
    let before = calls(stage, service, action);
    let context = stage.context().await;
    let planned = stage.plan(operation).await.expect("a plan");
    let approved = stage.approve(planned.plan).expect("approval");
    let stage = &*stage;
    let other = async {
        while calls(stage, service, action) == before {
            stage.sandbox.clock().sleep(Duration::from_millis(20)).await;
        }
        meanwhile(stage);
    };
    tokio::join!(opsctl::run::execute(approved, &context), other).0
}
