//! SQS's own redrive.

use opsctl::{
    cloud::{
        ErrorKind,
        sqs::{MoveStatus, MoveTask},
    },
    domain::{QueueArn, QueueUrl},
};

use super::{
    Check,
    ground::{Ground, bodies, plain},
};

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("a move task takes messages to their own sources", own_sources),
        Check::new("a move task takes messages where it is told", destination),
        Check::new("moved messages are new", renewed),
        Check::new("a running task tells handle, rate and target", running),
        Check::new("a finished task has no handle", finished),
        Check::new("a DLQ has one task at a time", one_at_a_time),
        Check::new("a cancelled task stops and loses nothing", cancels),
        Check::new("a queue that is no DLQ has no task", no_dead_letter_queue),
        Check::new("a task needs queues that exist", unknown),
        Check::new("a queue without tasks lists none", none),
    ]
}

/// A DLQ and `sources`, each with `count` dead messages.
async fn dead(ground: &Ground, sources: &[&str], count: usize) -> (QueueUrl, Vec<QueueUrl>) {
    let dead_letter = ground.queue("orders-dlq", &[]).await;
    let mut urls = Vec::new();
    for name in sources {
        let source = ground.source_of(&dead_letter, name, 1).await;
        let messages: Vec<_> = (0..count).map(|index| plain(&format!("{name} {index}"))).collect();
        ground.send(&source, &messages).await;
        let received = ground.receive_all(&source, count, 600).await;
        assert_eq!(received.len(), count);
        for some in received.chunks(10) {
            let receipts: Vec<_> = some.iter().map(|message| message.receipt.clone()).collect();
            ground.sqs().change_visibility(&source, &receipts, 0).await.expect("put back");
        }
        assert_eq!(ground.receive_all(&source, 1, 600).await, [], "moved");
        urls.push(source);
    }
    let total = u64::try_from(count * sources.len()).expect("a few");
    ground
        .eventually("the DLQ counts them", async || {
            ground.sqs().describe(&dead_letter).await.expect("described").counts.visible == total
        })
        .await;
    (dead_letter, urls)
}

/// The newest task, once it is neither running nor being cancelled.
async fn ended(ground: &Ground, dead_letter: &QueueArn) -> MoveTask {
    let mut last = None;
    ground
        .eventually("the task ends", async || {
            last = ground.sqs().move_tasks(dead_letter).await.expect("listed").into_iter().next();
            last.as_ref().is_some_and(|task| !matches!(task.status, MoveStatus::Running | MoveStatus::Cancelling))
        })
        .await;
    last.expect("it was there")
}

async fn own_sources(ground: Ground) {
    let (dead_letter, sources) = dead(&ground, &["orders", "payments"], 3).await;
    let arn = ground.arn(&dead_letter).await;
    ground.sqs().start_move_task(&arn, None, None).await.expect("started");
    let task = ended(&ground, &arn).await;
    assert_eq!((task.status, task.moved, &task.destination), (MoveStatus::Completed, 6, &None));
    for (source, name) in sources.iter().zip(["orders", "payments"]) {
        let received = ground.receive_all(source, 3, 600).await;
        assert_eq!(received.len(), 3);
        assert!(bodies(&received).iter().all(|body| body.starts_with(name)), "{:?}", bodies(&received));
    }
    assert_eq!(ground.receive_all(&dead_letter, 1, 600).await, []);
}

async fn destination(ground: Ground) {
    let (dead_letter, sources) = dead(&ground, &["orders"], 3).await;
    let other = ground.queue("parked", &[]).await;
    let (from, to) = (ground.arn(&dead_letter).await, ground.arn(&other).await);
    ground.sqs().start_move_task(&from, Some(&to), None).await.expect("started");
    let task = ended(&ground, &from).await;
    assert_eq!((task.status, task.destination), (MoveStatus::Completed, Some(to)));
    assert_eq!(ground.receive_all(&other, 3, 600).await.len(), 3);
    assert_eq!(ground.receive_all(&sources[0], 1, 600).await, []);
}

async fn renewed(ground: Ground) {
    let (dead_letter, sources) = dead(&ground, &["orders"], 1).await;
    let old = ground.receive_one(&dead_letter, 600).await;
    ground.sqs().change_visibility(&dead_letter, std::slice::from_ref(&old.receipt), 0).await.expect("put back");
    let arn = ground.arn(&dead_letter).await;
    ground.sqs().start_move_task(&arn, None, None).await.expect("started");
    ended(&ground, &arn).await;
    let new = ground.receive_one(&sources[0], 600).await;
    assert_eq!((&new.body, new.system.receive_count), (&old.body, 1));
    assert_ne!(new.id, old.id);
    assert!(new.system.sent_at > old.system.sent_at);
}

async fn running(ground: Ground) {
    let (dead_letter, _) = dead(&ground, &["orders"], 12).await;
    let arn = ground.arn(&dead_letter).await;
    let handle = ground.sqs().start_move_task(&arn, None, Some(1)).await.expect("started");
    let task = ground.sqs().move_tasks(&arn).await.expect("listed").remove(0);
    assert_eq!((task.status, task.handle.as_ref()), (MoveStatus::Running, Some(&handle)));
    assert_eq!((task.source, task.rate, task.to_move), (arn, Some(1), Some(12)));
    let age = ground.clock().now().duration_since(task.started_at.expect("a time"));
    assert!(age.as_secs().abs() < 60, "started {age} ago");
    ground.sqs().cancel_move_task(&handle).await.expect("cancelled");
}

async fn finished(ground: Ground) {
    let (dead_letter, _) = dead(&ground, &["orders"], 2).await;
    let arn = ground.arn(&dead_letter).await;
    ground.sqs().start_move_task(&arn, None, None).await.expect("started");
    let task = ended(&ground, &arn).await;
    assert_eq!((task.handle, task.failure, task.to_move), (None, None, Some(2)));
}

async fn one_at_a_time(ground: Ground) {
    let (dead_letter, _) = dead(&ground, &["orders"], 12).await;
    let arn = ground.arn(&dead_letter).await;
    let handle = ground.sqs().start_move_task(&arn, None, Some(1)).await.expect("started");
    let error = ground.sqs().start_move_task(&arn, None, None).await.expect_err("a second one");
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Invalid, Some("InvalidParameterValue")), "{error}");
    ground.sqs().cancel_move_task(&handle).await.expect("cancelled");
}

async fn cancels(ground: Ground) {
    const COUNT: usize = 30;
    let (dead_letter, sources) = dead(&ground, &["orders"], COUNT).await;
    let arn = ground.arn(&dead_letter).await;
    let handle = ground.sqs().start_move_task(&arn, None, Some(1)).await.expect("started");
    ground.wait(3).await;
    let moved = ground.sqs().cancel_move_task(&handle).await.expect("cancelled");
    assert!(moved < COUNT as u64, "{moved} moved at one a second");
    assert_eq!(ended(&ground, &arn).await.status, MoveStatus::Cancelled);
    let there = ground.receive_all(&sources[0], COUNT, 600).await.len();
    let left = ground.receive_all(&dead_letter, COUNT, 600).await.len();
    assert!(there < COUNT, "it was stopped");
    assert_eq!(there + left, COUNT, "nothing is lost or doubled");
}

async fn no_dead_letter_queue(ground: Ground) {
    let arn = ground.arn(&ground.queue("orders", &[]).await).await;
    let error = ground.sqs().start_move_task(&arn, None, None).await.expect_err("no DLQ");
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Invalid, Some("InvalidParameterValue")), "{error}");
    assert!(!error.may_have_been_applied());
}

async fn unknown(ground: Ground) {
    let (dead_letter, _) = dead(&ground, &["orders"], 1).await;
    let arn = ground.arn(&dead_letter).await;
    let gone = QueueArn(format!("{arn}-gone"));
    for error in [
        ground.sqs().start_move_task(&gone, None, None).await.expect_err("no source"),
        ground.sqs().start_move_task(&arn, Some(&gone), None).await.expect_err("no destination"),
        ground.sqs().move_tasks(&gone).await.expect_err("no source"),
    ] {
        assert_eq!(
            (error.kind, error.code.as_deref()),
            (ErrorKind::NotFound, Some("ResourceNotFoundException")),
            "{error}"
        );
    }
}

async fn none(ground: Ground) {
    let (dead_letter, _) = dead(&ground, &["orders"], 1).await;
    let arn = ground.arn(&dead_letter).await;
    assert_eq!(ground.sqs().move_tasks(&arn).await, Ok(Vec::new()));
}
