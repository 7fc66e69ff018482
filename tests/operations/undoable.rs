//! A redrive can be undone unless somebody said that it need not be, and then the plan says so.

use opsctl::{
    domain::Protection,
    operations::{Operation, Redrive, Restore, plan::Plan, values::EngineChoice},
    run::{self, End},
};

use super::{orders, redrive};
use crate::support::stage::{Stage, caller};

/// Its name, whether it leaves no way back by itself, and what it changes.
type Choice = (&'static str, bool, fn(&mut Redrive));

fn is_managed(plan: &Plan) -> bool {
    plan.calls.iter().any(|call| call.action == "sqs:StartMessageMoveTask")
}

#[tokio::test(start_paused = true)]
async fn the_redrive_of_a_whole_queue_is_undone_by_a_restore() {
    let mut stage = Stage::new(Protection::Confirm, &orders(30));
    let before = stage.bodies("orders-dlq");
    let report = stage.run(&redrive(|_| ())).await;
    assert_eq!((report.end, stage.count("orders-dlq")), (End::Done, 0), "{report:#?}");
    let restore = Operation::Restore(Restore::of(report.run));
    assert_eq!(stage.run(&restore).await.end, End::Done);
    let mut after = stage.bodies("orders-dlq");
    after.sort();
    let mut before = before;
    before.sort();
    assert_eq!(before, after);
}

#[tokio::test(start_paused = true)]
async fn whatever_is_chosen_there_is_a_snapshot_or_the_plan_says_that_there_is_none() {
    let ramp = || Some("1,all".parse().expect("a ramp"));
    let choices: [Choice; 4] = [
        ("nothing", false, |_| ()),
        ("client", false, |redrive| redrive.engine = EngineChoice::Client),
        ("managed", true, |redrive| redrive.engine = EngineChoice::Managed),
        ("no snapshot", true, |redrive| redrive.no_snapshot = true),
    ];
    for messages_max in [None, Some(10)] {
        for protection in [Protection::Confirm, Protection::TypeName] {
            for (name, is_warned, choose) in choices {
                for is_ramped in [false, true] {
                    let mut stage = Stage::new(protection, &orders(30));
                    stage.environment.queues.undo_messages_max = messages_max;
                    let operation = redrive(|redrive| {
                        choose(redrive);
                        redrive.ramp = if is_ramped { ramp() } else { redrive.ramp.take() };
                    });
                    let plan = stage.plan(&operation).await.expect("a plan").plan;
                    let about = format!("{name}, ramp {is_ramped}, {messages_max:?}, {protection}: {plan:#?}");
                    let no_snapshot = is_managed(&plan) || name == "no snapshot";
                    assert_eq!(plan.no_way_back.is_some(), no_snapshot, "{about}");
                    assert!(!is_warned || plan.no_way_back.is_some(), "{about}");
                    if !plan.blockers.is_empty() {
                        continue;
                    }
                    let approved = stage.approve(plan.clone()).expect("approval");
                    let context = stage.context().await;
                    let report = run::execute(approved, &context).await;
                    assert_eq!(report.snapshot.is_some(), plan.no_way_back.is_none(), "{about}\n{report:#?}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn more_than_configured_is_left_to_sqs_and_a_count_that_changes_later_makes_no_plan_stale() {
    let mut stage = Stage::new(Protection::Confirm, &orders(30));
    stage.environment.queues.undo_messages_max = Some(30);
    let plan = stage.plan(&redrive(|_| ())).await.expect("a plan").plan;
    assert!(!is_managed(&plan) && plan.no_way_back.is_none(), "{plan:#?}");
    let put = |stage: &Stage| {
        let message = opsctl::sandbox::world::PutMessage {
            dead_letter_source: Some(crate::support::stage::arn("orders")),
            ..opsctl::sandbox::world::PutMessage::new("one more")
        };
        stage.sandbox.with(|world, now| world.put(now, &caller(), "orders-dlq", message)).expect("a message");
    };
    put(&stage);
    let more = stage.plan(&redrive(|_| ())).await.expect("a plan").plan;
    assert!(is_managed(&more), "{more:#?}");
    let no_way_back = more.no_way_back.expect("said");
    assert!(no_way_back.as_str().contains("--engine client keeps one"), "{no_way_back}");
    let approved = stage.approve(plan).expect("approval");
    let context = stage.context().await;
    let report = run::execute(approved, &context).await;
    assert!(report.snapshot.is_some(), "as it was agreed to: {report:#?}");
    assert_eq!(report.end, End::Done, "{report:#?}");
}
