//! Copies are faithful: what arrives is what lay there.

use opsctl::{
    domain::Protection,
    operations::values::EngineChoice,
    run::End,
    sandbox::world::{Attribute, MessageView, PutMessage, Value},
};

use super::{orders, redrive};
use crate::support::stage::{ACCOUNT, REGION, Stage, arn, caller};

/// All of a message that can be copied.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Content {
    body: String,
    attributes: Vec<(String, String, Vec<u8>)>,
    group: Option<String>,
    trace_header: Option<String>,
}

fn content(message: MessageView<'_>) -> Content {
    let mut attributes: Vec<_> = message
        .attributes
        .iter()
        .map(|attribute| {
            let bytes = match &attribute.value {
                Value::Text(text) => text.as_bytes().to_vec(),
                Value::Binary(bytes) => bytes.to_vec(),
            };
            (attribute.name.to_string(), attribute.label.to_string(), bytes)
        })
        .collect();
    attributes.sort();
    Content {
        body: message.body.to_owned(),
        attributes,
        group: message.group.map(str::to_owned),
        trace_header: message.trace_header.map(str::to_owned),
    }
}

fn contents(stage: &Stage, queue: &str) -> Vec<Content> {
    stage.sandbox.with(|world, _| {
        let mut contents: Vec<_> = world.messages(ACCOUNT, REGION, queue).map(content).collect();
        contents.sort();
        contents
    })
}

fn text(name: &str, label: &str, value: &str) -> Attribute {
    Attribute { name: name.into(), label: label.into(), value: Value::Text(value.into()) }
}

fn odd_messages() -> Vec<PutMessage> {
    let binary = Attribute {
        name: "picture".into(),
        label: "Binary.png".into(),
        value: Value::Binary((0..=255).collect::<Vec<u8>>().into()),
    };
    let ten = (0..10).map(|number| text(&format!("a{number}"), "String", "x")).collect();
    let typed = vec![text("partnerId", "String", "P\u{202e}31m"), text("price", "Number.float", "1.50"), binary];
    vec![
        PutMessage { attributes: typed, ..PutMessage::new("plain text, no JSON") },
        PutMessage { attributes: ten, ..PutMessage::new("{\"ten\": true, \"spaces\" :  1}") },
        PutMessage { group: Some("fair".to_owned()), ..PutMessage::new("{\"group\":1.10}") },
        PutMessage {
            trace_header: Some("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1".to_owned()),
            ..PutMessage::new("\u{202e}hostile\u{9b}\t\n text")
        },
        PutMessage::new("x".repeat(1_048_576)),
        PutMessage::new("y".repeat(600_000)),
        PutMessage::new("z".repeat(600_000)),
    ]
}

fn stage() -> Stage {
    let stage = Stage::new(Protection::Confirm, &orders(0));
    for message in odd_messages() {
        let sent_at = "2026-11-21T02:00:00Z".parse().ok();
        let message = PutMessage { sent_at, dead_letter_source: Some(arn("orders")), receive_count: 3, ..message };
        stage.sandbox.with(|world, now| world.put(now, &caller(), "orders-dlq", message)).expect("a message");
    }
    stage
}

#[tokio::test(start_paused = true)]
async fn what_arrives_is_what_lay_there() {
    let mut stage = stage();
    let before = contents(&stage, "orders-dlq");
    let report = stage.run(&redrive(|redrive| redrive.engine = EngineChoice::Client)).await;
    assert_eq!(report.end, End::Done, "{:?} {:?}", report.failure, report.details.tally());
    assert_eq!(contents(&stage, "orders"), before);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_restores_all_of_it() {
    let mut stage = stage();
    let before = contents(&stage, "orders-dlq");
    let purge = opsctl::operations::Purge { queue: "orders-dlq".to_owned(), ..Default::default() };
    let purged = stage.run(&opsctl::operations::Operation::Purge(purge)).await;
    assert_eq!((purged.end, stage.count("orders-dlq")), (End::Done, 0), "{:?}", purged.failure);
    let restore = opsctl::operations::Restore::of(purged.run);
    let restored = stage.run(&opsctl::operations::Operation::Restore(restore)).await;
    assert_eq!(restored.end, End::Done, "{:?} {:?}", restored.failure, restored.details.tally());
    assert_eq!(contents(&stage, "orders-dlq"), before);
}

#[tokio::test(start_paused = true)]
async fn a_mark_is_added_where_there_is_room_and_nothing_is_pushed_out() {
    let mut stage = stage();
    let report = stage.run(&redrive(|redrive| redrive.mark = true)).await;
    assert_eq!(report.end, End::Partly, "{:?}", report.details.tally());
    let arrived = contents(&stage, "orders");
    let marked = |content: &Content| {
        content
            .attributes
            .iter()
            .any(|(name, _, value)| name == "opsctl.run" && value == report.run.as_str().as_bytes())
    };
    assert!(arrived.iter().all(marked));
    let left = contents(&stage, "orders-dlq");
    // Ten attributes, and a body that leaves no byte for one.
    assert_eq!((arrived.len(), left.len()), (5, 2), "{:?}", report.details.tally().kept);
    assert!(
        report.details.tally().kept.keys().any(|why| why.contains("ten attributes already")),
        "{:?}",
        report.details.tally().kept
    );
}

#[tokio::test(start_paused = true)]
async fn no_body_stands_in_the_journal() {
    let mut stage = stage();
    let report = stage.run(&redrive(|redrive| redrive.engine = EngineChoice::Client)).await;
    let journal = std::fs::read_to_string(report.journal.expect("a journal").as_str()).expect("text");
    assert!(!journal.contains("plain text, no JSON") && !journal.contains("hostile"));
    let snapshot = std::fs::read_to_string(report.snapshot.expect("a snapshot").as_str()).expect("text");
    assert!(snapshot.contains("plain text, no JSON"));
    assert_eq!(snapshot.lines().count(), 7);
}
