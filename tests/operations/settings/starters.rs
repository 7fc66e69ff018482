//! Enabling and disabling rules, stopping and restoring functions.

use std::time::Duration;

use opsctl::{
    domain::{Protection, RowState, Setting, Toggle},
    operations::{DisableRule, EnableRule, Operation, RestoreConcurrency, StopConcurrency},
    outboxes::look,
    run::End,
    sandbox::world::eventbridge::Rule,
};

use super::{because, fact, fault, killed_at, remembered, while_somebody};
use crate::support::stage::{ACCOUNT, REGION, Stage};

const RULE: &str = "relay-every-minute";
const FUNCTION: &str = "relay";

fn stage(enabled: bool, reserved: Option<u32>) -> Stage {
    let stage = Stage::new(Protection::TypeName, &[]);
    stage.sandbox.with(|world, now| {
        let rule = Rule { schedule: "rate(1 minute)".into(), is_enabled: enabled, ..Rule::default() };
        world.events.put(ACCOUNT, REGION, RULE, rule);
        world.lambda.reserve(ACCOUNT, REGION, FUNCTION, now.as_millisecond(), reserved);
    });
    stage
}

fn enable() -> Operation {
    Operation::EnableRule(EnableRule { rule: RULE.into() })
}

fn disable() -> Operation {
    Operation::DisableRule(DisableRule { rule: RULE.into() })
}

fn restore() -> Operation {
    Operation::RestoreConcurrency(RestoreConcurrency { function: FUNCTION.into() })
}

fn stop() -> Operation {
    Operation::StopConcurrency(StopConcurrency { function: FUNCTION.into() })
}

async fn rule(stage: &Stage) -> bool {
    stage.cloud().await.events.rule(RULE).await.expect("a rule").enabled
}

async fn reserved(stage: &Stage) -> Option<u32> {
    stage.cloud().await.lambda.concurrency(FUNCTION).await.expect("a function")
}

fn set(stage: &Stage, reserved: Option<u32>) {
    stage.sandbox.with(|world, now| world.lambda.reserve(ACCOUNT, REGION, FUNCTION, now.as_millisecond(), reserved));
}

fn before(stage: &Stage) -> Option<Setting> {
    remembered(stage, &Toggle::Concurrency(FUNCTION.into())).map(|before| before.from)
}

/// How often the sandbox was asked for a call.
fn calls(stage: &Stage, action: &str) -> u64 {
    let service = if action.ends_with("Rule") { "events" } else { "lambda" };
    super::calls(stage, service, action)
}

#[tokio::test(start_paused = true)]
async fn what_is_stopped_comes_back_exactly_as_it_was() {
    for was in [None, Some(7)] {
        let mut stage = stage(true, was);
        let stopped = stage.run(&stop()).await;
        assert_eq!((stopped.end, reserved(&stage).await), (End::Done, Some(0)), "{stopped:#?}");
        assert_eq!(before(&stage), Some(Setting::Reserved(was)));
        assert!(stage.plan(&stop()).await.expect("a plan").plan.empty, "it is stopped");
        let plan = stage.plan(&restore()).await.expect("a plan").plan;
        let by = format!(", as before {} at 2026-11-21", stopped.run);
        assert!(fact(&plan, "after").contains(&by), "{plan:#?}");
        let report = stage.run(&restore()).await;
        assert_eq!((report.end, reserved(&stage).await, before(&stage)), (End::Done, was, None), "{report:#?}");
        assert!(stage.plan(&restore()).await.expect("a plan").plan.empty);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rule_is_disabled_remembered_and_enabled() {
    let mut stage = stage(true, None);
    let report = stage.run(&disable()).await;
    assert_eq!((report.end, rule(&stage).await), (End::Done, false), "{report:#?}");
    let toggle = Toggle::Rule(RULE.into());
    let before = remembered(&stage, &toggle).expect("remembered");
    assert_eq!((before.from, &before.run), (Setting::Enabled(true), &report.run));
    let plan = stage.plan(&enable()).await.expect("a plan").plan;
    assert!(fact(&plan, "after").starts_with("enabled, as before"), "{plan:#?}");
    let report = stage.run(&enable()).await;
    assert_eq!((report.end, rule(&stage).await, remembered(&stage, &toggle)), (End::Done, true, None), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_turned_off_is_turned_on_and_said_so() {
    let mut stage = stage(false, Some(0));
    let plan = stage.plan(&enable()).await.expect("a plan").plan;
    assert_eq!(fact(&plan, "after"), "enabled (opsctl did not disable it)");
    assert_eq!(stage.run(&enable()).await.end, End::Done);
    let plan = stage.plan(&restore()).await.expect("a plan").plan;
    assert!(fact(&plan, "after").starts_with("no reserved concurrency (opsctl did not set the 0"), "{plan:#?}");
    let report = stage.run(&restore()).await;
    assert_eq!((report.end, rule(&stage).await, reserved(&stage).await), (End::Done, true, None), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_looked_for_and_repeated_only_where_nothing_changed() {
    for (kind, wanted) in [("lost-after", 1), ("lost-before", 2), ("throttled", 2)] {
        let mut stage = stage(false, Some(0));
        fault(&stage, "EnableRule", kind, 1);
        fault(&stage, "DeleteFunctionConcurrency", kind, 1);
        let report = stage.run(&enable()).await;
        assert_eq!((report.end, rule(&stage).await), (End::Done, true), "{kind}: {report:#?}");
        let report = stage.run(&restore()).await;
        assert_eq!((report.end, reserved(&stage).await), (End::Done, None), "{kind}: {report:#?}");
        for action in ["EnableRule", "DeleteFunctionConcurrency"] {
            assert_eq!(calls(&stage, action), wanted, "{kind}: {action}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_denied_is_said_and_not_remembered() {
    let mut stage = stage(true, Some(7));
    fault(&stage, "PutFunctionConcurrency", "denied", 9);
    fault(&stage, "DisableRule", "denied", 9);
    let report = stage.run(&stop()).await;
    assert_eq!((report.end, reserved(&stage).await, before(&stage)), (End::Failed, Some(7), None), "{report:#?}");
    assert!(because(&report).contains("allow lambda:PutFunctionConcurrency"), "{report:#?}");
    let report = stage.run(&disable()).await;
    assert_eq!((report.end, rule(&stage).await), (End::Failed, true), "{report:#?}");
    assert!(because(&report).contains("allow events:DisableRule"), "{report:#?}");
    assert_eq!(remembered(&stage, &Toggle::Rule(RULE.into())), None);
    fault(&stage, "GetFunctionConcurrency", "denied", 9);
    let error = stage.plan(&stop()).await.expect_err("denied");
    assert!(error.hint(&stage.environment).as_str().contains("allow lambda:GetFunctionConcurrency"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn what_somebody_changes_meanwhile_makes_the_plan_stale() {
    let mut stage = stage(true, Some(0));
    let planned = stage.plan(&restore()).await.expect("a plan");
    let approved = stage.approve(planned.plan).expect("approval");
    set(&stage, Some(3));
    let context = stage.context().await;
    let report = opsctl::run::execute(approved, &context).await;
    assert_eq!((report.end, reserved(&stage).await), (End::Stale, Some(3)), "{report:#?}");
    assert!(because(&report).contains("function relay: reserved concurrency 0 to"), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn what_somebody_changes_after_a_lost_answer_is_left() {
    let mut stage = stage(true, Some(0));
    fault(&stage, "DeleteFunctionConcurrency", "lost-before", 1);
    let call = ("lambda", "DeleteFunctionConcurrency");
    let report = while_somebody(&mut stage, &restore(), call, |stage| set(stage, Some(3))).await;
    assert_eq!((report.end, reserved(&stage).await), (End::Partly, Some(3)), "{report:#?}");
    assert!(because(&report).contains("somebody set it meanwhile: reserved concurrency 3"), "{report:#?}");
    assert_eq!(calls(&stage, "DeleteFunctionConcurrency"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_killed_run_is_gone_on_with() {
    for (action, operation) in [("PutFunctionConcurrency", stop()), ("DeleteFunctionConcurrency", restore())] {
        for is_applied in [true, false] {
            let is_stop = action.starts_with("Put");
            let (was, then) = if is_stop { (Some(7), Some(0)) } else { (Some(0), None) };
            let mut stage = stage(true, was);
            fault(&stage, action, if is_applied { "lost-after" } else { "lost-before" }, 1);
            killed_at(&mut stage, &operation, ("lambda", action)).await;
            assert_eq!(reserved(&stage).await, if is_applied { then } else { was });
            let report = stage.resume().await;
            assert_eq!((report.end, reserved(&stage).await), (End::Done, then), "{action} {is_applied}: {report:#?}");
            assert_eq!(calls(&stage, action), if is_applied { 1 } else { 2 });
            assert_eq!(before(&stage), is_stop.then_some(Setting::Reserved(Some(7))), "{action} {is_applied}");
            let [toggled] = report.details.settings() else { panic!("{report:#?}") };
            assert_eq!((toggled.from, toggled.to), (Setting::Reserved(was), Setting::Reserved(then)));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_not_ours_or_no_name_is_refused() {
    let mut stage = stage(true, None);
    let named = |rule: &str| Operation::EnableRule(EnableRule { rule: rule.into() });
    let error = stage.plan(&named("nothing")).await.expect_err("none");
    assert!(error.to_string().contains("there is no rule nothing in dev"), "{error}");
    for bad in ["", "a b", "arn:aws:events:af-south-1:1:rule/x", "../x"] {
        let error = stage.plan(&named(bad)).await.expect_err("no name");
        assert!(error.to_string().contains("is not the name of a rule"), "{error}");
    }
    stage.sandbox.with(|world, _| {
        let managed_by = Some("states.amazonaws.com".to_owned());
        world.events.put(ACCOUNT, REGION, "managed", Rule { managed_by, ..Rule::default() });
    });
    let plan = stage.plan(&named("managed")).await.expect("a plan").plan;
    assert!(plan.blockers.iter().any(|text| text.as_str().contains("states.amazonaws.com manages")), "{plan:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_memory_that_can_not_be_written_stops_nothing() {
    let mut stage = stage(true, Some(7));
    std::fs::write(stage.folder().path().join("turned-off"), "no folder").expect("written");
    let error = stage.plan(&stop()).await;
    let report = match error {
        Err(_) => return assert_eq!(reserved(&stage).await, Some(7)),
        Ok(planned) => {
            let approved = stage.approve(planned.plan).expect("approval");
            let context = stage.context().await;
            opsctl::run::execute(approved, &context).await
        }
    };
    assert_eq!((report.end, reserved(&stage).await), (End::Failed, Some(7)), "{report:#?}");
    assert_eq!(calls(&stage, "PutFunctionConcurrency"), 0);
}

async fn ready(stage: &Stage, outbox: &str) -> u64 {
    count(stage, outbox, RowState::Ready).await
}

/// Rows of an outbox in a state.
pub(in crate::operations) async fn count(stage: &Stage, outbox: &str, state: RowState) -> u64 {
    let cloud = stage.cloud().await;
    let rules = &stage.environment.databases;
    let (outbox, connection) = (
        rules.outbox(outbox).expect("configured"),
        rules.connection(&rules.outbox(outbox).expect("configured").connection).expect("configured"),
    );
    let (mut session, sql) = look::open(&cloud, outbox, connection).await.expect("a session");
    let backlog = look::backlog(&mut session, &sql, stage.sandbox.clock().now()).await.expect("a look");
    session.close().await;
    backlog.count(state).and_then(opsctl::domain::RowCount::figure).expect("a count")
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_is_woken_works_its_backlog_off() {
    for (outbox, operation) in [
        ("cts", Operation::EnableRule(EnableRule { rule: "cts-outbox-worker-every-minute".into() })),
        ("directory", Operation::RestoreConcurrency(RestoreConcurrency { function: "directory-outbox-worker".into() })),
    ] {
        let mut stage = Stage::prod();
        let before = ready(&stage, outbox).await;
        stage.sandbox.clock().sleep(Duration::from_secs(900)).await;
        let later = ready(&stage, outbox).await;
        assert!(later >= before + 20, "{outbox}: {before} rows waited, and {later} wait");
        let plan = stage.plan(&operation).await.expect("a plan").plan;
        assert_eq!(fact(&plan, "outboxes"), outbox);
        let report = stage.run(&operation).await;
        assert_eq!(report.end, End::Done, "{report:#?}");
        stage.sandbox.clock().sleep(Duration::from_secs(1_200)).await;
        let left = ready(&stage, outbox).await;
        assert!(left * 4 < later, "{outbox}: {left} of {later} wait still");
    }
}

#[tokio::test(start_paused = true)]
async fn what_keeps_a_relay_from_running_besides_is_said() {
    let mut stage = Stage::prod();
    stage.sandbox.with(|world, now| {
        let account = stage.environment.account.as_ref().expect("pinned").0.clone();
        world.lambda.reserve(&account, REGION, "cts-outbox-worker", now.as_millisecond(), Some(0));
    });
    let enable = Operation::EnableRule(EnableRule { rule: "cts-outbox-worker-every-minute".into() });
    let plan = stage.plan(&enable).await.expect("a plan").plan;
    let told = "function cts-outbox-worker is throttled besides (its reserved concurrency is 0): \
                `opsctl concurrency restore cts-outbox-worker --env prod --sandbox` puts that back";
    assert!(plan.warnings.iter().any(|text| text.as_str() == told), "{plan:#?}");
    let restore = Operation::RestoreConcurrency(RestoreConcurrency { function: "cts-outbox-worker".into() });
    let plan = stage.plan(&restore).await.expect("a plan").plan;
    let told = "`opsctl rule enable cts-outbox-worker-every-minute --env prod --sandbox`";
    assert!(plan.warnings.iter().any(|text| text.as_str().contains(told)), "{plan:#?}");
    let stop = Operation::StopConcurrency(StopConcurrency { function: "directory-outbox-worker".into() });
    assert!(stage.plan(&stop).await.expect("a plan").plan.empty);
    let near = Operation::EnableRule(EnableRule { rule: "cts-outbox-worker-every-minut".into() });
    let error = stage.plan(&near).await.expect_err("none");
    assert!(error.hint(&stage.environment).as_str().contains("did you mean cts-outbox-worker-every-minute"), "{error}");
}
