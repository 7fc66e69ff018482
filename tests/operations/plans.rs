//! Plans: what they say, what blocks them, when they go stale.

use std::io::Write;

use opsctl::{
    domain::Protection,
    operations::{OperationError, plan::Plan, values::EngineChoice},
    run::{self, End},
};

use super::{orders, redrive};
use crate::support::stage::{QueueSetup, Stage, caller};

fn fact<'a>(plan: &'a Plan, label: &str) -> &'a str {
    plan.facts.iter().find(|fact| fact.label == label).map_or("", |fact| fact.value.as_str())
}

#[tokio::test(start_paused = true)]
async fn the_engine_is_chosen_for_a_reason() {
    let mut stage = Stage::new(Protection::Confirm, &orders(20));
    let plan = stage.plan(&redrive(|_| ())).await.expect("a plan").plan;
    assert_eq!(fact(&plan, "engine"), "client-side: it keeps a snapshot, so that this can be undone");
    assert_eq!(fact(&plan, "to"), "orders (standard)");
    stage.environment.queues.undo_messages_max = Some(19);
    let plan = stage.plan(&redrive(|_| ())).await.expect("a plan").plan;
    assert_eq!(fact(&plan, "engine"), "SQS move task: more than 19 messages are not put into a snapshot unasked");
    let plan = stage
        .plan(&redrive(|redrive| {
            redrive.filter = Some(".body.even".to_owned());
            redrive.limit = Some(5);
            redrive.rate = Some(900);
        }))
        .await
        .expect("a plan")
        .plan;
    assert_eq!(fact(&plan, "engine"), "client-side, because of a filter, a limit, a rate above 500 a second");
    assert_eq!(fact(&plan, "selected"), "5 of 10 sampled");
    let plan = stage
        .plan(&redrive(|redrive| {
            redrive.engine = EngineChoice::Managed;
            redrive.limit = Some(5);
        }))
        .await
        .expect("a plan")
        .plan;
    assert_eq!(plan.blockers.len(), 1, "{:?}", plan.blockers);
}

#[tokio::test(start_paused = true)]
async fn the_fingerprint_covers_settings_and_not_counts() {
    let mut stage = Stage::new(Protection::Confirm, &orders(20));
    let first = stage.plan(&redrive(|_| ())).await.expect("a plan").plan;
    stage
        .sandbox
        .with(|world, now| world.put(now, &caller(), "orders-dlq", opsctl::sandbox::world::PutMessage::new("more")))
        .expect("a message");
    let second = stage.plan(&redrive(|_| ())).await.expect("a plan").plan;
    assert_eq!(first.fingerprint, second.fingerprint);
    assert_ne!(first.id, second.id);
    let approved = stage.approve(second).expect("approval");
    let request = serde_json::json!({ "QueueUrl": "https://x/111111111111/orders", "Attributes": { "MaximumMessageSize": "4096" } });
    stage
        .sandbox
        .with(|world, now| world.ask(now, &caller(), ("sqs", "SetQueueAttributes"), request))
        .expect("an answer");
    let context = stage.context().await;
    let report = run::execute(approved, &context).await;
    assert_eq!(report.end, End::Stale);
    let what = report.failure.expect("a failure").what;
    assert!(what.as_str().contains("largest message: 1048576 then, 4096 now"), "{what}");
    assert_eq!(stage.count("orders-dlq"), 21);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_is_said_with_the_way_out() {
    let mut queues = orders(2);
    queues.push(QueueSetup { name: "plain".to_owned(), messages: 1, ..QueueSetup::default() });
    queues.push(QueueSetup { name: "keyless.fifo".to_owned(), ..QueueSetup::default() });
    let mut stage = Stage::new(Protection::Confirm, &queues);
    stage.environment.queues.keys.clear();
    for (given, to, says) in [
        ("plain", None, "give --to"),
        ("orders-dlq", Some("orders-dlq"), "source and destination are the same queue"),
        ("orders-dlq", Some("keyless.fifo"), "configure `keys`"),
    ] {
        let operation = redrive(|redrive| {
            redrive.queue = given.to_owned();
            redrive.to = to.map(str::to_owned);
        });
        let plan = stage.plan(&operation).await.expect("a plan").plan;
        assert!(plan.blockers.iter().any(|blocker| blocker.as_str().contains(says)), "{given}: {:?}", plan.blockers);
        assert!(stage.approve(plan).is_err());
    }
    let error =
        stage.plan(&redrive(|redrive| redrive.queue = "order-dlq".to_owned())).await.expect_err("no such queue");
    assert!(matches!(error, OperationError::Usage { .. }));
    assert_eq!(error.hint(&stage.environment).as_str(), "did you mean orders-dlq, orders?");
    let error =
        stage.plan(&redrive(|redrive| redrive.filter = Some(".body |".to_owned()))).await.expect_err("no filter");
    assert!(matches!(error, OperationError::Usage { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_look_raises_counts_and_says_so() {
    let mut stage = Stage::new(Protection::Confirm, &orders(4));
    let plan = stage.plan(&redrive(|_| ())).await.expect("a plan").plan;
    assert!(plan.warnings.iter().any(|warning| warning.as_str().contains("4 messages were received for this look")));
    assert_eq!(plan.groups.iter().map(|group| group.count).sum::<u64>(), 4);
    assert!(fact(&plan, "expires in").contains("oldest of 4 sampled"));
}

#[tokio::test(start_paused = true)]
async fn ids_select_and_an_edit_changes_the_body_alone() {
    let mut stage = Stage::new(Protection::Confirm, &orders(6));
    let ids: Vec<String> = stage.sandbox.with(|world, _| {
        let messages = world.messages(crate::support::stage::ACCOUNT, crate::support::stage::REGION, "orders-dlq");
        messages
            .filter(|message| message.body.contains("\"even\":true"))
            .map(|message| message.id.to_string())
            .collect()
    });
    let mut list = tempfile::NamedTempFile::new().expect("a file");
    writeln!(list, "# even ones\n{}", ids.join("\n")).expect("written");
    let mut edit = tempfile::Builder::new().suffix(".jq").tempfile().expect("a file");
    writeln!(edit, ".body.mended = true").expect("written");
    let report = stage
        .run(&redrive(|redrive| {
            redrive.ids = Some(list.path().to_owned());
            redrive.edit = Some(edit.path().display().to_string());
        }))
        .await;
    assert_eq!(report.end, End::Done, "{report:#?}");
    let bodies = stage.bodies("orders");
    assert_eq!(bodies.len(), 3);
    assert!(bodies.iter().all(|body| body.contains("\"mended\":true") && body.contains("\"even\":true")), "{bodies:?}");
}
