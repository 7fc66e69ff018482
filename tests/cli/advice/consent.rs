//! What a plan and the gate ask for.

use opsctl::{
    domain::{Protection, Text, Try},
    gate::{self, Answer, Approved, Consent, Refusal},
    operations::{Operation, Redrive, plan::Plan},
    run::{self, End},
};

use super::{assert_fails, assert_planned, assert_way, blocked, commands, night, run as run_line, tried};
use crate::{
    cli::ground::{DEV, Ground},
    operations::orders,
    support::stage::{QueueSetup, Stage, arn},
};

fn redrive(change: impl FnOnce(&mut Redrive)) -> Operation {
    let mut redrive = Redrive { queue: "orders-dlq".to_owned(), ..Redrive::default() };
    change(&mut redrive);
    Operation::Redrive(redrive)
}

/// A plan, in an environment of this protection.
async fn planned(protection: Protection) -> (Stage, Plan) {
    let mut stage = Stage::new(protection, &orders(3));
    let plan = stage.plan(&redrive(|_| ())).await.expect("a plan").plan;
    (stage, plan)
}

fn approve(stage: &Stage, plan: &Plan, answer: Answer, reason: Option<&str>) -> Result<Approved, Refusal> {
    let consent = Consent { by: Text::from("tester"), answer, reason: reason.map(Text::line) };
    gate::approve(plan.clone(), &stage.environment, consent, stage.sandbox.clock().now())
}

pub(super) fn change_protection() {
    night(async {
        let (mut stage, plan) = planned(Protection::ReadOnly).await;
        let refusal = approve(&stage, &plan, Answer::Yes, None).expect_err("read-only");
        assert_way(&refusal.hint(), Try::ChangeProtection, "change `protection` of [environments.dev]");
        stage.environment.protection = Protection::Confirm;
        assert!(approve(&stage, &plan, Answer::Yes, None).is_ok());
    });
}

pub(super) fn mend_blockers() {
    night(async {
        let alone = QueueSetup { name: "alone-dlq".to_owned(), messages: 2, ..QueueSetup::default() };
        let mut stage = Stage::new(Protection::Confirm, &[orders(0), vec![alone]].concat());
        let file = stage.state.path().join("parked.jsonl");
        let parked = |change: fn(&mut Redrive)| {
            redrive(|redrive| {
                (redrive.queue, redrive.park) = ("alone-dlq".to_owned(), Some(format!("file:{}", file.display())));
                change(redrive);
            })
        };
        // One is named where it is refused; of several the plan has them.
        let two = parked(|redrive| redrive.no_snapshot = true);
        assert_way(&blocked(&mut stage, &two).await, Try::MendBlockers, "--dry-run");
        let plan = stage.plan(&two).await.expect("a plan").plan;
        let ways: Vec<_> = plan.blockers.iter().filter_map(|remark| Some(remark.advice()?.way())).collect();
        assert_eq!(ways, [Try::GiveOther, Try::LeaveOut], "{plan:#?}");
        assert_way(&blocked(&mut stage, &parked(|_| ())).await, Try::GiveOther, "give --to");
        let report = stage.run(&parked(|redrive| redrive.to = Some("orders".to_owned()))).await;
        assert_eq!((report.end, stage.count("orders")), (End::Done, 2), "{report:#?}");
    });
}

pub(super) fn change_setting() {
    night(async {
        let queue = |name: &str, dead_letter: Option<(&str, u32)>| QueueSetup {
            name: name.to_owned(),
            dead_letter: dead_letter.map(|(name, receives_max)| (name.to_owned(), receives_max)),
            messages: usize::from(name == "bills-dlq"),
            ..QueueSetup::default()
        };
        let last = queue("last-dlq", None);
        let mut stage = Stage::new(
            Protection::Confirm,
            &[last, queue("bills-dlq", Some(("last-dlq", 4))), queue("bills", Some(("bills-dlq", 3)))],
        );
        let some = redrive(|redrive| {
            (redrive.queue, redrive.filter) = ("bills-dlq".to_owned(), Some(".body.n == 0".to_owned()));
        });
        assert_way(&blocked(&mut stage, &some).await, Try::ChangeSetting, "raise its maxReceiveCount");
        let policy = format!(r#"{{"deadLetterTargetArn":"{}","maxReceiveCount":100}}"#, arn("last-dlq"));
        stage.set("bills-dlq", "RedrivePolicy", &policy);
        assert_planned(&mut stage, &some).await;
    });
}

pub(super) fn plan_anew() {
    night(async {
        let (mut stage, plan) = planned(Protection::Confirm).await;
        stage.set("orders", "MaximumMessageSize", "2048");
        let approved = stage.approve(plan).expect("approval");
        let context = stage.context().await;
        let report = run::execute(approved, &context).await;
        assert_eq!(report.end, End::Stale, "{report:#?}");
        assert_fails(&report, Try::PlanAnew);
        let reports = stage.follow_to_the_end(report, "orders").await;
        assert_eq!(reports.last().map(|last| last.end), Some(End::Done), "{reports:#?}");
    });
}

pub(super) fn confirm() {
    let ground = Ground::quick();
    ground.pair(DEV, "orders");
    ground.dead_letter("orders", "body");
    let line = ["redrive", "-e", "dev", "--queue", "orders-dlq"];
    tried(&ground.opsctl(&line).expect(3), "give --yes");
    ground.opsctl(&[&line[..], &["--yes"]].concat()).expect(0);
}

pub(super) fn type_the_name() {
    night(async {
        let (stage, plan) = planned(Protection::TypeName).await;
        let typed = |text: &str| approve(&stage, &plan, Answer::Typed(text.to_owned()), Some("why"));
        let refusal = typed("dev orders").expect_err("mistyped");
        assert_way(&refusal.hint(), Try::TypeTheName, "as shown");
        assert!(refusal.to_string().contains("`dev orders-dlq`"), "{refusal}");
        assert!(typed("dev orders-dlq").is_ok());
    });
}

pub(super) fn approve_this() {
    night(async {
        let (stage, plan) = planned(Protection::Confirm).await;
        let given = |text: &str| approve(&stage, &plan, Answer::Fingerprint(text.to_owned()), Some("why"));
        let refusal = given("0123456789abcdef").expect_err("another plan");
        assert_way(&refusal.hint(), Try::ApproveThis, "--dry-run");
        assert!(given(&plan.fingerprint.0).is_ok());
    });
}

pub(super) fn give_reason() {
    night(async {
        let (stage, plan) = planned(Protection::TypeName).await;
        let phrase = gate::phrase(&plan);
        let because = |reason| approve(&stage, &plan, Answer::Typed(phrase.clone()), reason);
        assert_way(&because(None).expect_err("no reason").hint(), Try::GiveReason, "--reason");
        assert!(because(Some("the fix is out")).is_ok());
    });
}

pub(super) fn resume_or_repeat() {
    let ground = Ground::quick();
    ground.pair(DEV, "orders");
    (0..4).for_each(|_| ground.dead_letter("orders", "body"));
    let path = ground.home.path().join("plan.json").to_str().expect("UTF-8").to_owned();
    let line = ["redrive", "-e", "dev", "--queue", "orders-dlq", "--limit", "2", "--plan-out", &path];
    ground.opsctl(&line).expect(0);
    ground.opsctl(&["apply", &path, "--yes"]).expect(0);
    let text = tried(&ground.opsctl(&["apply", &path, "--yes"]).expect(3), "--again");
    run_line(&ground, &commands(&text)[0], &["--yes"]).expect(0);
    ground.opsctl(&["apply", &path, "--again", "--yes"]).expect(0);
    assert_eq!(ground.count("orders"), 4);
}

pub(super) fn look_at_dead_letters() {
    let ground = Ground::quick();
    ground.pair(DEV, "orders");
    ground.dead_letter("orders", "body");
    let line = ["peek", "-e", "dev", "--queue", "orders"];
    tried(&ground.opsctl(&line).expect(3), "look at its dead-letter queue instead");
    ground.opsctl(&["groups", "-e", "dev", "--queue", "orders"]).expect(0);
    ground.opsctl(&[&line[..], &["--force"]].concat()).expect(0);
}
