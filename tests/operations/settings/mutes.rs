//! Alarms that are muted for a time.

use std::time::Duration;

use jiff::Timestamp;
use opsctl::{
    domain::{Protection, Setting, Toggle},
    operations::{MuteAlarms, Operation, UnmuteAlarms, values::Seconds},
    run::End,
};
use serde_json::{Value, json};

use super::{because, calls, fact, fault, kept, killed_at, say, while_somebody};
use crate::support::stage::{Stage, caller};

const PUT: (&str, &str) = ("cloudwatch", "PutAlarmMuteRule");
const DELETE: (&str, &str) = ("cloudwatch", "DeleteAlarmMuteRule");

fn ask(stage: &Stage, action: &str, input: Value) {
    stage.sandbox.with(|world, now| {
        world.ask(now, &caller(), ("cloudwatch", action), input).unwrap_or_else(|error| panic!("{action}: {error:?}"));
    });
}

/// `api-cpu` and `api-errors`, and `api`, which watches both.
fn stage() -> Stage {
    let stage = Stage::new(Protection::TypeName, &[]);
    for name in ["api-cpu", "api-errors"] {
        let alarm = json!({
            "AlarmName": name, "Namespace": "Mine", "MetricName": name, "Statistic": "Maximum", "Period": 60,
            "EvaluationPeriods": 1, "Threshold": 10.0, "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "ignore", "AlarmActions": ["arn:aws:sns:af-south-1:111111111111:pager"],
        });
        ask(&stage, "PutMetricAlarm", alarm);
        state(&stage, name, "OK");
    }
    let rule = "ALARM(\"api-cpu\") OR ALARM(\"api-errors\")";
    ask(&stage, "PutCompositeAlarm", json!({ "AlarmName": "api", "AlarmRule": rule }));
    stage
}

fn state(stage: &Stage, name: &str, state: &str) {
    ask(stage, "SetAlarmState", json!({ "AlarmName": name, "StateValue": state, "StateReason": "a test" }));
}

fn mute(alarm: &str, minutes: u32) -> Operation {
    Operation::MuteAlarms(MuteAlarms { alarm: vec![alarm.into()], duration: Some(Seconds(minutes * 60)) })
}

fn unmute(alarm: &str) -> Operation {
    Operation::UnmuteAlarms(UnmuteAlarms { alarm: vec![alarm.into()] })
}

/// Another's mute rule, from now on.
fn muted_by_another(stage: &Stage, alarm: &str) {
    let at = stage.sandbox.clock().now().strftime("at(%Y-%m-%dT%H:%M)").to_string();
    let schedule = json!({ "Expression": at, "Duration": "PT5H" });
    let targets = json!({ "AlarmNames": [alarm] });
    ask(stage, PUT.1, json!({ "Name": "night", "Rule": { "Schedule": schedule }, "MuteTargets": targets }));
}

async fn rules(stage: &Stage, alarm: &str) -> Vec<String> {
    stage.cloud().await.alarms.active_mutes(alarm).await.expect("rules")
}

/// How often the alarm told its pager.
async fn told(stage: &Stage, alarm: &str) -> usize {
    let history = stage.cloud().await.alarms.history(alarm).await.expect("a history");
    history.changes.iter().filter(|change| change.kind.as_str() == "Action").count()
}

async fn wait(stage: &Stage, minutes: u64) {
    stage.sandbox.clock().sleep(Duration::from_secs(minutes * 60)).await;
}

#[tokio::test(start_paused = true)]
async fn a_mute_holds_back_what_an_alarm_does_and_ends_by_itself() {
    let mut stage = stage();
    stage.sandbox.clock().sleep(Duration::from_secs(10)).await;
    let report = stage.run(&mute("api-cpu", 30)).await;
    let until: Timestamp = "2026-11-21T03:31:00Z".parse().expect("a time");
    let [muted] = report.details.settings() else { panic!("{report:#?}") };
    assert_eq!((report.end, muted.to), (End::Done, Setting::MutedUntil(Some(until))), "{report:#?}");
    assert!(say(&report.notes, "`opsctl alarms unmute api-cpu"), "{report:#?}");
    assert_eq!(rules(&stage, "api-cpu").await.len(), 1, "it is seen to be active");
    assert_eq!(kept(&stage, &Toggle::Alarm("api-cpu".into())), None, "AWS has it");
    state(&stage, "api-cpu", "ALARM");
    assert_eq!(told(&stage, "api-cpu").await, 0);
    wait(&stage, 31).await;
    assert_eq!((rules(&stage, "api-cpu").await.len(), told(&stage, "api-cpu").await), (0, 1), "nobody had to be there");
    assert!(stage.plan(&unmute("api-cpu")).await.expect("a plan").plan.empty);
}

#[tokio::test(start_paused = true)]
async fn an_alarm_is_unmuted_from_any_machine_and_told_what_follows() {
    let mut stage = stage();
    stage.sandbox.clock().sleep(Duration::from_secs(10)).await;
    assert_eq!(stage.run(&mute("api-cpu", 60)).await.end, End::Done);
    state(&stage, "api-cpu", "ALARM");
    // Another machine knows nothing of the run.
    stage.state = tempfile::tempdir().expect("a folder");
    let plan = stage.plan(&unmute("api-cpu")).await.expect("a plan").plan;
    assert!(say(&plan.warnings, "api-cpu is in ALARM: its actions are taken at once"), "{plan:#?}");
    assert!(fact(&plan, "now").starts_with("muted until 2026-11-21 04:01 UTC"), "{plan:#?}");
    let report = stage.run(&unmute("api-cpu")).await;
    assert_eq!((report.end, rules(&stage, "api-cpu").await.len(), told(&stage, "api-cpu").await), (End::Done, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_longer_mute_takes_the_place_of_a_shorter_one() {
    let mut stage = stage();
    assert_eq!(stage.run(&mute("api-cpu", 10)).await.end, End::Done);
    let plan = stage.plan(&mute("api-cpu", 5)).await.expect("a plan").plan;
    assert!(plan.empty && say(&plan.warnings, "by opsctl already"), "{plan:#?}");
    let report = stage.run(&mute("api-cpu", 60)).await;
    assert_eq!((report.end, rules(&stage, "api-cpu").await.len()), (End::Done, 1), "{report:#?}");
    wait(&stage, 30).await;
    assert_eq!(rules(&stage, "api-cpu").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_others_have_muted_is_left() {
    let mut stage = stage();
    muted_by_another(&stage, "api-cpu");
    ask(&stage, "DisableAlarmActions", json!({ "AlarmNames": ["api-errors"] }));
    let both = Operation::MuteAlarms(MuteAlarms {
        alarm: vec!["api-cpu".into(), "api-errors".into()],
        duration: Some(Seconds(600)),
    });
    let plan = stage.plan(&both).await.expect("a plan").plan;
    assert!(plan.empty, "{plan:#?}");
    assert!(say(&plan.warnings, "mute rule night mutes it until 2026-11-21 08:00 UTC already"), "{plan:#?}");
    assert!(say(&plan.warnings, "somebody has disabled its actions already"), "{plan:#?}");
    let plan = stage.plan(&unmute("api-cpu")).await.expect("a plan").plan;
    assert!(plan.empty && say(&plan.warnings, "not by opsctl"), "{plan:#?}");
    assert_eq!(rules(&stage, "api-cpu").await, ["night"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_mute_does_not_stop_is_said() {
    let mut stage = stage();
    state(&stage, "api-cpu", "ALARM");
    let plan = stage.plan(&mute("api-cpu", 10)).await.expect("a plan").plan;
    assert!(say(&plan.warnings, "the actions that it took then are not taken back"), "{plan:#?}");
    assert!(say(&plan.warnings, "api, which watches api-cpu, still takes its actions"), "{plan:#?}");
    let plan = stage.plan(&mute("api", 10)).await.expect("a plan").plan;
    assert!(
        say(&plan.warnings, "only api's own actions are muted: api-cpu, api-errors, which it watches"),
        "{plan:#?}"
    );
    let error = stage.plan(&mute("api-cp", 10)).await.expect_err("none");
    assert!(error.hint(&stage.environment).as_str().contains("did you mean api-cpu"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_looked_for_and_repeated_only_where_nothing_changed() {
    for (kind, wanted) in [("lost-after", 1), ("lost-before", 2), ("throttled", 2)] {
        let mut stage = stage();
        fault(&stage, PUT.1, kind, 1);
        fault(&stage, DELETE.1, kind, 1);
        let report = stage.run(&mute("api-cpu", 10)).await;
        assert_eq!((report.end, rules(&stage, "api-cpu").await.len()), (End::Done, 1), "{kind}: {report:#?}");
        let report = stage.run(&unmute("api-cpu")).await;
        assert_eq!((report.end, rules(&stage, "api-cpu").await.len()), (End::Done, 0), "{kind}: {report:#?}");
        assert_eq!((calls(&stage, PUT.0, PUT.1), calls(&stage, DELETE.0, DELETE.1)), (wanted, wanted), "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_denied_or_not_known_there_is_said() {
    let mut stage = stage();
    fault(&stage, PUT.1, "denied", 9);
    let report = stage.run(&mute("api-cpu", 10)).await;
    assert_eq!((report.end, rules(&stage, "api-cpu").await.len()), (End::Failed, 0), "{report:#?}");
    assert!(because(&report).contains("allow cloudwatch:PutAlarmMuteRule"), "{report:#?}");
    fault(&stage, "ListAlarmMuteRules", "denied", 9);
    let error = stage.plan(&mute("api-cpu", 10)).await.expect_err("denied");
    assert!(error.hint(&stage.environment).as_str().contains("allow cloudwatch:ListAlarmMuteRules"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_killed_run_is_gone_on_with_and_ends_when_it_was_to() {
    for is_applied in [true, false] {
        let mut stage = stage();
        fault(&stage, PUT.1, if is_applied { "lost-after" } else { "lost-before" }, 1);
        killed_at(&mut stage, &mute("api-cpu", 30), PUT).await;
        wait(&stage, 10).await;
        let report = stage.resume().await;
        assert_eq!((report.end, rules(&stage, "api-cpu").await.len()), (End::Done, 1), "{is_applied}: {report:#?}");
        assert_eq!(calls(&stage, PUT.0, PUT.1), if is_applied { 1 } else { 2 });
        wait(&stage, 21).await;
        assert_eq!(rules(&stage, "api-cpu").await.len(), 0, "{is_applied}: as long as was agreed to, not longer");
    }
    // Whoever comes when it is over mutes nothing any more.
    let mut stage = stage();
    fault(&stage, PUT.1, "lost-before", 1);
    killed_at(&mut stage, &mute("api-cpu", 5), PUT).await;
    wait(&stage, 10).await;
    let report = stage.resume().await;
    assert_eq!((report.end, calls(&stage, PUT.0, PUT.1), rules(&stage, "api-cpu").await.len()), (End::Done, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_does_meanwhile_is_left() {
    let mut stage = stage();
    fault(&stage, PUT.1, "lost-before", 1);
    let own = opsctl::cloud::mutes::own_rule("api-cpu");
    let longer = |stage: &Stage| {
        let schedule = json!({ "Expression": "at(2026-11-21T03:00)", "Duration": "PT5H" });
        let targets = json!({ "AlarmNames": ["api-cpu"] });
        ask(stage, PUT.1, json!({ "Name": own, "Rule": { "Schedule": schedule }, "MuteTargets": targets }));
    };
    let report = while_somebody(&mut stage, &mute("api-cpu", 10), PUT, longer).await;
    assert_eq!((report.end, calls(&stage, PUT.0, PUT.1)), (End::Partly, 1), "{report:#?}");
    assert!(because(&report).contains("somebody set it meanwhile: muted until 2026-11-21 08:00 UTC"), "{report:#?}");
}
