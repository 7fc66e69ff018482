//! A snapshot as the source: under the same faults and crashes nothing is lost or doubled, and order holds.

use super::{super::Shelved, *};
use crate::{
    domain::{QueueUrl, RunId},
    journal::{Saved, SavedLines},
    operations::transfer::Shelf,
};

/// A snapshot of so many messages, in groups where there is an order to keep.
struct Snapshot {
    folder: tempfile::TempDir,
    messages: Vec<Message>,
}

impl Snapshot {
    fn new(world: &World) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let messages: Vec<Message> = world.lying.iter().map(world::message).collect();
        let mut lines = Vec::new();
        let from = QueueUrl::from("https://sqs.af-south-1.amazonaws.com/111111111111/orders");
        messages.iter().for_each(|message| drop(Saved::append(&from, 1, message, &mut lines)));
        std::fs::write(folder.path().join("snapshot.jsonl"), lines).expect("written");
        Self { folder, messages }
    }

    /// Those that were not put back.
    fn shelf(&self, history: &History, destination: QueueKind) -> Shelf {
        let path = self.folder.path().join("snapshot.jsonl");
        let located = SavedLines::open(&path).expect("a file").located().expect("lines");
        let lines = located.iter().zip(&self.messages).filter(|(_, message)| !history.sent.contains(&message.id));
        let lines = lines.map(|(line, message)| Shelved::new(message, line)).collect();
        Shelf::open(&path, lines, destination).expect("a shelf")
    }
}

fn opened() -> (Timestamp, Record) {
    let run: RunId = "20261121T030000-000001".parse().expect("a run");
    let opened = Record::Opened {
        run,
        version: String::new(),
        plan: Box::new(serde_json::json!({ "operation": { "operation": "restore" } })),
        by: Text::from("tester"),
        how: crate::journal::Consented::Yes,
        reason: None,
        cutoff: start(),
        parent: None,
    };
    (start(), opened)
}

/// Puts back what is left, until it is done or, after so many steps, gone.
fn put_back(world: &mut World, snapshot: &Snapshot, policy: Uncertain, crash_after: usize) -> Option<Tally> {
    let history = History::of(world.records.clone());
    let shelf = snapshot.shelf(&history, world.destination);
    let mut settings = settings(world, "all");
    (settings.source, settings.visibility_seconds) = (world.destination, 1_000_000_000);
    (settings.cutoff, settings.settle_seconds, settings.resume.policy) = (Timestamp::MAX, 0, policy);
    let mut engine = Engine::new(settings, world.now);
    let mut open: Vec<Step> = Vec::new();
    for taken in 0..STEPS_MAX {
        if taken == crash_after {
            return None;
        }
        let wake = loop {
            match engine.next(world.now) {
                Next::Step(step) => open.push(step),
                Next::Wait(wake) => break wake,
                Next::Done => {
                    let mut tally = engine.tally().clone();
                    shelf.name_what_waits(&mut tally);
                    return Some(tally);
                }
            }
        };
        if open.is_empty() {
            let wake = wake.expect("an engine that neither does nor waits would hang");
            assert!(wake.duration_since(world.now).as_secs() < 3_600, "it waits for what never comes");
            world.now = world.now.max(wake);
            continue;
        }
        let step = open.swap_remove(world.random.usize(0..open.len()));
        let answer = match step {
            Step::Receive { lane, messages_max, .. } => Answer::Received(lane, shelf.receive(messages_max as usize)),
            Step::Delete { lane, receipts } => Answer::Deleted(lane, Ok(shelf.settle(&receipts))),
            Step::Hide { lane, receipts, seconds } => Answer::Hidden(lane, Ok(shelf.hide(&receipts, seconds))),
            Step::Count { .. } => {
                Answer::Counted(Ok(Counted { source: shelf.counts(), destinations: None, age: None }))
            }
            Step::Write { lane, mut records, saved, batch } => {
                // As the driver has it.
                records.retain(|record| !matches!(record, Record::Deleted { .. }));
                world.do_step(Step::Write { lane, records, saved, batch })
            }
            step => world.do_step(step),
        };
        engine.on(world.now, answer);
    }
    panic!("it does not end: {:?}", engine.tally());
}

/// How often each body arrived.
fn times(world: &World) -> HashMap<&str, usize> {
    let mut times: HashMap<&str, usize> = HashMap::new();
    world.arrived.iter().for_each(|(body, _)| *times.entry(body).or_default() += 1);
    times
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_put_back_is_there_once_and_in_order(
        seed: u64, (source, destination) in kinds(), messages in 0_usize..60, faults in 0_u8..25,
        crashes in prop::collection::vec(1_usize..120, 0..4), resend: bool,
    ) {
        let mut world = World::new(source, destination, messages, seed, faults);
        let snapshot = Snapshot::new(&world);
        world.records.push(opened());
        for crash_after in crashes {
            put_back(&mut world, &snapshot, Uncertain::Leave, crash_after);
            prop_assert!(times(&world).values().all(|times| *times == 1), "doubled by a resume that was not told to");
            world.now += SignedDuration::from_secs(world.random.i64(1..600));
        }
        world.faults = 0;
        let doubts = History::of(world.records.clone()).uncertain;
        let policy = if resend { Uncertain::Resend } else { Uncertain::Leave };
        let tally = put_back(&mut world, &snapshot, policy, usize::MAX).expect("no crash");
        prop_assert_eq!(&tally.stop, &None);
        let times = times(&world);
        for message in &snapshot.messages {
            let count = times.get(message.body.as_str()).copied().unwrap_or_default();
            let kept = tally.kept_named.iter().any(|(id, _)| *id == message.id);
            let named = tally.uncertain.contains(&message.id);
            let times_kept = tally.kept_named.iter().filter(|(id, _)| *id == message.id).count();
            prop_assert!(times_kept <= 1, "{} is named {times_kept} times: {tally:?}", message.body);
            prop_assert!(count > 0 || kept || named, "{} is lost: {tally:?}", message.body);
            prop_assert!(count < 2 || resend && doubts.contains(&message.id), "{} is doubled", message.body);
        }
        if resend {
            prop_assert_eq!(tally.uncertain.len(), tally.uncertain.iter().filter(|id| doubts.contains(id)).count());
        }
        if source == QueueKind::Fifo && destination == QueueKind::Fifo && !resend {
            world.check_order();
        }
    }
}

#[test]
fn a_group_gives_nothing_while_something_of_it_is_in_hand() {
    let world = World::new(QueueKind::Fifo, QueueKind::Fifo, 40, 5, 0);
    let snapshot = Snapshot::new(&world);
    let shelf = snapshot.shelf(&History::default(), QueueKind::Fifo);
    let mut seen: HashMap<String, u128> = HashMap::new();
    let mut in_hand: Vec<Vec<Message>> = Vec::new();
    let mut random = fastrand::Rng::with_seed(1);
    let mut settled = 0;
    while settled < 40 {
        let received = shelf.receive(random.usize(1..11)).expect("messages");
        for message in &received {
            let group = message.system.group.clone().expect("a group");
            let blocked = in_hand.iter().flatten().any(|other| other.system.group.as_ref() == Some(&group));
            assert!(!blocked, "{group} is in hand");
            let sequence = message.system.sequence.expect("a sequence");
            assert!(seen.insert(group, sequence).is_none_or(|before| before < sequence), "out of order");
        }
        if !received.is_empty() {
            in_hand.push(received);
        }
        if in_hand.len() == 3 || random.bool() && !in_hand.is_empty() {
            let done = in_hand.swap_remove(random.usize(0..in_hand.len()));
            settled += done.len();
            let receipts: Vec<ReceiptHandle> = done.into_iter().map(|message| message.receipt).collect();
            assert!(shelf.settle(&receipts).iter().all(|entry| matches!(entry, Entry::Done(()))));
        }
    }
    assert_eq!(shelf.counts().total(), 0);
}
