//! Who may do what: every protection with every answer.

use opsctl::{
    domain::{Protection, Text},
    gate::{self, Answer, Consent, Refusal},
    operations::plan::Plan,
};

use super::{orders, redrive};
use crate::support::stage::Stage;

#[derive(Debug, PartialEq)]
enum Said {
    Approved,
    ReadOnly,
    NotConfirmed,
    Mistyped,
    OtherPlan,
    NoReason,
}

fn said(stage: &Stage, plan: &Plan, answer: Answer, reason: Option<&str>) -> Said {
    let consent = Consent { by: Text::from("tester"), answer, reason: reason.map(Text::from) };
    match gate::approve(plan.clone(), &stage.environment, consent, stage.sandbox.clock().now()) {
        Ok(approved) => {
            assert_eq!(approved.plan(), plan);
            Said::Approved
        }
        Err(refusal) => {
            assert!(!refusal.to_string().is_empty() && !refusal.hint().as_str().is_empty());
            match refusal {
                Refusal::ReadOnly { .. } => Said::ReadOnly,
                Refusal::NotConfirmed { .. } => Said::NotConfirmed,
                Refusal::Mistyped { .. } => Said::Mistyped,
                Refusal::OtherPlan { .. } => Said::OtherPlan,
                Refusal::NoReason { .. } => Said::NoReason,
                other @ (Refusal::Blocked { .. }
                | Refusal::Unsound { .. }
                | Refusal::NoAccount { .. }
                | Refusal::Used { .. }
                | Refusal::Expired { .. }) => {
                    panic!("not in this table: {other}")
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_protection_with_every_answer() {
    for protection in [Protection::ReadOnly, Protection::Confirm, Protection::TypeName] {
        let mut stage = Stage::new(protection, &orders(3));
        let plan = stage.plan(&redrive(|_| ())).await.expect("a plan").plan;
        let answers = [
            Answer::None,
            Answer::Yes,
            Answer::Typed("dev orders-dlq".to_owned()),
            Answer::Typed("dev orders".to_owned()),
            Answer::Fingerprint(plan.fingerprint.0.clone()),
            Answer::Fingerprint("0000".to_owned()),
        ];
        let with_reason = answers.clone().map(|answer| said(&stage, &plan, answer, Some("because")));
        let without = answers.map(|answer| said(&stage, &plan, answer, Some("  ")));
        use Said::{Approved, Mistyped, NoReason, NotConfirmed, OtherPlan, ReadOnly};
        match protection {
            Protection::ReadOnly => {
                assert!(with_reason.iter().chain(&without).all(|said| *said == ReadOnly));
            }
            Protection::Confirm => {
                assert_eq!(with_reason, [NotConfirmed, Approved, Approved, Mistyped, Approved, OtherPlan]);
                assert_eq!(without, [NotConfirmed, Approved, Approved, Mistyped, Approved, OtherPlan]);
            }
            Protection::TypeName => {
                assert_eq!(with_reason, [NotConfirmed, NotConfirmed, Approved, Mistyped, Approved, OtherPlan]);
                assert_eq!(without, [NotConfirmed, NotConfirmed, NoReason, Mistyped, NoReason, OtherPlan]);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_was_edited_by_hand_is_refused() {
    let mut stage = Stage::new(Protection::Confirm, &orders(3));
    let mut plan = stage.plan(&redrive(|redrive| redrive.limit = Some(1))).await.expect("a plan").plan;
    plan.operation = redrive(|redrive| redrive.limit = Some(1_000));
    assert!(matches!(stage.approve(plan), Err(Refusal::Unsound { .. })));
}

#[tokio::test(start_paused = true)]
async fn without_an_account_nothing_is_approved() {
    let mut stage = Stage::new(Protection::Confirm, &orders(3));
    let plan = stage.plan(&redrive(|_| ())).await.expect("a plan").plan;
    stage.environment.account = None;
    assert!(matches!(stage.approve(plan), Err(Refusal::NoAccount { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_read_only_environment_is_not_even_sampled() {
    let mut stage = Stage::new(Protection::ReadOnly, &orders(3));
    let plan = stage.plan(&redrive(|_| ())).await.expect("a plan").plan;
    assert!(plan.groups.is_empty());
    let received = stage.sandbox.with(|world, _| {
        world
            .messages(crate::support::stage::ACCOUNT, crate::support::stage::REGION, "orders-dlq")
            .any(|message| message.receive_count > 3)
    });
    assert!(!received, "looking is a write");
}
