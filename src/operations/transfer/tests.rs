//! The engine against every fault, on a small queue of its own.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{Answer, Counted, Engine, Judgement, Kept, Next, Resume, Settings, Step, Stop, Tally, step::Origin};
use crate::{
    cloud::{CloudError, ErrorKind, sqs::Entry},
    domain::{Counts, Message, MessageId, Outgoing, QueueKind, ReceiptHandle, Text, message::SystemAttributes},
    journal::{History, Record},
    operations::values::{BounceMax, Ramp, Uncertain},
};

const STEPS_MAX: usize = 200_000;

#[derive(Debug, Clone)]
struct Lying {
    id: MessageId,
    body: String,
    group: Option<String>,
    sequence: u128,
    sent_at: Timestamp,
    visible_at: Timestamp,
    receipt: u64,
}

/// A dead-letter queue, its destination and a journal: what outlives a crash.
#[derive(Debug)]
struct World {
    source: QueueKind,
    destination: QueueKind,
    now: Timestamp,
    lying: Vec<Lying>,
    arrived: Vec<(String, Option<String>)>,
    /// When each deduplication id was last taken: SQS forgets it after five minutes.
    deduplicated: HashMap<String, Timestamp>,
    removed: BTreeSet<String>,
    records: Vec<(Timestamp, Record)>,
    saved: BTreeSet<String>,
    receipts: u64,
    random: fastrand::Rng,
    /// Of 100 calls, how many go wrong.
    faults: u8,
    journal_fails_at: Option<usize>,
}

fn start() -> Timestamp {
    Timestamp::from_second(1_795_000_000).expect("a time")
}

fn error(kind: ErrorKind) -> CloudError {
    CloudError { kind, action: "sqs:Test".to_owned(), code: None, message: Text::from("made to fail") }
}

impl World {
    fn new(source: QueueKind, destination: QueueKind, messages: usize, seed: u64, faults: u8) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let lying = (0..messages)
            .map(|number| Lying {
                id: MessageId(format!("{:08x}-0000-4000-8000-000000000000", number)),
                body: format!("body {number}"),
                group: (source == QueueKind::Fifo).then(|| format!("group {}", random.usize(0..4))),
                sequence: number as u128,
                sent_at: start() - SignedDuration::from_secs(1_000 - number as i64),
                visible_at: start(),
                receipt: 0,
            })
            .collect();
        Self {
            source,
            destination,
            now: start(),
            lying,
            arrived: Vec::new(),
            deduplicated: HashMap::new(),
            removed: BTreeSet::new(),
            records: Vec::new(),
            saved: BTreeSet::new(),
            receipts: 0,
            random,
            faults,
            journal_fails_at: None,
        }
    }

    fn goes_wrong(&mut self) -> bool {
        self.random.u8(0..100) < self.faults
    }

    fn passing(&mut self) -> ErrorKind {
        [ErrorKind::Throttled, ErrorKind::Unreachable, ErrorKind::Unknown][self.random.usize(0..3)]
    }

    fn do_step(&mut self, step: Step) -> Answer {
        self.now = self.now.checked_add(SignedDuration::from_millis(self.random.i64(0..40))).expect("a time");
        match step {
            Step::Receive { lane, messages_max, visibility_seconds, .. } => {
                let received = self.receive(messages_max as usize, visibility_seconds);
                let lost = self.goes_wrong();
                Answer::Received(lane, if lost { Err(error(self.passing())) } else { Ok(received) })
            }
            Step::Judge { lane, messages } => {
                let judged = messages.iter().map(|(message, origin)| self.judge(message, *origin)).collect();
                Answer::Judged(lane, judged)
            }
            Step::Write { lane, records, saved, .. } => {
                if self.journal_fails_at.is_some_and(|at| self.records.len() >= at) {
                    return Answer::Written(lane, Err("disk full".to_owned()));
                }
                self.saved.extend(saved.iter().map(|message| message.body.clone()));
                let now = self.now;
                self.records.extend(records.into_iter().map(|record| (now, record)));
                Answer::Written(lane, Ok(()))
            }
            Step::Send { lane, messages, .. } => Answer::Sent(lane, self.send(messages)),
            Step::Delete { lane, receipts } => Answer::Deleted(lane, self.delete(&receipts)),
            Step::Hide { lane, receipts, seconds } => Answer::Hidden(lane, self.hide(&receipts, seconds)),
            Step::Count { .. } => {
                let counted = Counted { source: self.counts(), destinations: None };
                Answer::Counted(if self.goes_wrong() { Err(error(self.passing())) } else { Ok(counted) })
            }
        }
    }

    fn receive(&mut self, messages_max: usize, visibility_seconds: u32) -> Vec<Message> {
        let now = self.now;
        let blocked: HashSet<_> =
            self.lying.iter().filter(|one| one.visible_at > now).filter_map(|one| one.group.clone()).collect();
        let hidden_until = now + SignedDuration::from_secs(i64::from(visibility_seconds));
        let mut received = Vec::new();
        for one in &mut self.lying {
            let free = one.group.as_ref().is_none_or(|group| !blocked.contains(group));
            if received.len() < messages_max && one.visible_at <= now && free {
                self.receipts += 1;
                one.receipt = self.receipts;
                one.visible_at = hidden_until;
                received.push(message(one));
            }
        }
        if self.source == QueueKind::Standard && self.random.u8(0..100) < self.faults {
            // Delivered again although it is hidden: at least once, not exactly once.
            if let Some(one) = self.lying.iter_mut().find(|one| one.visible_at > now) {
                self.receipts += 1;
                one.receipt = self.receipts;
                received.push(message(one));
            }
        }
        received
    }

    fn judge(&mut self, message: &Message, _origin: Origin) -> Judgement {
        let number = message.body.rsplit(' ').next().and_then(|number| number.parse::<u64>().ok());
        if number.is_some_and(|number| number % 13 == 12) {
            return Judgement::Keep(Kept::Unfit(Text::from("unfit")));
        }
        let outgoing = Outgoing {
            body: message.body.clone(),
            attributes: BTreeMap::new(),
            group: message.system.group.clone().or_else(|| self.needs_group()),
            deduplication_id: (self.destination == QueueKind::Fifo).then(|| message.id.0.clone()),
            trace_header: None,
        };
        Judgement::Send { to: 0, outgoing: Box::new(outgoing) }
    }

    fn needs_group(&self) -> Option<String> {
        (self.destination == QueueKind::Fifo).then(|| "one".to_owned())
    }

    fn send(&mut self, messages: Vec<Outgoing>) -> Result<Vec<Entry<MessageId>>, CloudError> {
        if self.goes_wrong() {
            let kind = self.passing();
            if kind == ErrorKind::Unknown && self.random.bool() {
                messages.into_iter().for_each(|message| self.arrive(message));
            }
            return Err(error(kind));
        }
        let entries = messages.into_iter().map(|message| {
            if self.goes_wrong() {
                let sender_fault = self.random.bool();
                let code = if sender_fault { "InvalidMessageContents" } else { "RequestThrottled" };
                return Entry::Failed { code: code.to_owned(), message: Text::from("no"), sender_fault };
            }
            self.arrive(message);
            self.receipts += 1;
            Entry::Done(MessageId(format!("{:08x}-1111-4111-8111-111111111111", self.receipts)))
        });
        Ok(entries.collect())
    }

    fn arrive(&mut self, message: Outgoing) {
        let now = self.now;
        let new = message.deduplication_id.as_ref().is_none_or(|id| {
            let taken = self.deduplicated.get(id).is_some_and(|at| now.duration_since(*at).as_secs() < 300);
            if !taken {
                self.deduplicated.insert(id.clone(), now);
            }
            !taken
        });
        if new {
            self.arrived.push((message.body, message.group));
        }
    }

    fn delete(&mut self, receipts: &[ReceiptHandle]) -> Result<Vec<Entry<()>>, CloudError> {
        let fails = self.goes_wrong();
        let applied = !fails || self.random.bool();
        let mut entries = Vec::new();
        for receipt in receipts {
            if !fails && self.goes_wrong() {
                let sender_fault = self.random.bool();
                let code = "ReceiptHandleIsInvalid".to_owned();
                entries.push(Entry::Failed { code, message: Text::from("no"), sender_fault });
                continue;
            }
            if applied && let Some(at) = self.lying.iter().position(|one| handle(one.receipt) == *receipt) {
                let gone = self.lying.remove(at);
                if !self.arrived.iter().any(|(body, _)| *body == gone.body) {
                    self.removed.insert(gone.body);
                }
            }
            entries.push(Entry::Done(()));
        }
        if fails { Err(error(self.passing())) } else { Ok(entries) }
    }

    fn hide(&mut self, receipts: &[ReceiptHandle], seconds: u32) -> Result<Vec<Entry<()>>, CloudError> {
        if self.goes_wrong() {
            return Err(error(self.passing()));
        }
        let until = self.now + SignedDuration::from_secs(i64::from(seconds));
        let entries =
            receipts.iter().map(|receipt| match self.lying.iter_mut().find(|one| handle(one.receipt) == *receipt) {
                Some(one) => {
                    one.visible_at = until;
                    Entry::Done(())
                }
                None => Entry::Failed {
                    code: "InvalidParameterValue".into(),
                    message: Text::from("gone"),
                    sender_fault: true,
                },
            });
        Ok(entries.collect())
    }

    fn counts(&self) -> Counts {
        let in_flight = self.lying.iter().filter(|one| one.visible_at > self.now).count() as u64;
        Counts { visible: self.lying.len() as u64 - in_flight, in_flight, delayed: 0 }
    }

    /// Nothing is lost, nothing is doubled, order holds: after every step.
    fn check(&self, messages: usize) {
        let lying: BTreeSet<_> = self.lying.iter().map(|one| one.body.clone()).collect();
        let mut seen: HashMap<&str, usize> = HashMap::new();
        self.arrived.iter().for_each(|(body, _)| *seen.entry(body).or_default() += 1);
        for number in 0..messages {
            let body = format!("body {number}");
            let times = seen.get(body.as_str()).copied().unwrap_or_default();
            assert!(times <= 1, "{body} was doubled");
            assert!(times == 1 || lying.contains(&body), "{body} is lost");
        }
        assert!(self.removed.is_empty(), "deleted without being sent: {:?}", self.removed);
        assert!(seen.keys().all(|body| self.saved.contains(*body)), "sent before it stood in the snapshot");
        if self.source == QueueKind::Fifo && self.destination == QueueKind::Fifo {
            self.check_order();
        }
    }

    fn check_order(&self) {
        let mut last: HashMap<&str, u64> = HashMap::new();
        for (body, group) in &self.arrived {
            let number: u64 = body.rsplit(' ').next().and_then(|number| number.parse().ok()).expect("a number");
            let before = last.insert(group.as_deref().unwrap_or_default(), number);
            assert!(before.is_none_or(|before| before < number), "{body} overtook another of {group:?}");
        }
    }
}

fn handle(receipt: u64) -> ReceiptHandle {
    ReceiptHandle(receipt.to_string())
}

fn message(one: &Lying) -> Message {
    let fifo = one.group.is_some();
    Message {
        id: one.id.clone(),
        receipt: handle(one.receipt),
        body: one.body.clone(),
        attributes: BTreeMap::new(),
        system: SystemAttributes {
            sent_at: Some(one.sent_at),
            receive_count: 4,
            group: one.group.clone(),
            sequence: fifo.then_some(one.sequence),
            ..SystemAttributes::default()
        },
    }
}

fn settings(world: &World, ramp: &str) -> Settings {
    let history = History::of(world.records.clone());
    Settings {
        source: world.source,
        destinations: vec![("destination".to_owned(), world.destination)],
        lanes: 4,
        batch_max: 10,
        visibility_seconds: 60,
        cutoff: start(),
        limit: None,
        rate: None,
        selective: false,
        park: false,
        ramp: ramp.parse::<Ramp>().expect("a ramp"),
        bounce_max: BounceMax::Percent(5),
        watch_seconds: 0,
        // Longer than a crashed try keeps hidden what it left.
        settle_seconds: 200,
        resume: Resume {
            sent: history.sent,
            sent_not_deleted: history.sent_not_deleted,
            uncertain: history.uncertain,
            tried: history.tried,
            policy: Uncertain::Leave,
            new_ids: history.new_ids,
            batch: history.batch,
        },
    }
}

/// Runs an engine on the world until it is done or, after `crash_after` steps, gone. Answers come in any order.
fn run(world: &mut World, ramp: &str, messages: usize, crash_after: usize) -> Option<Tally> {
    let mut engine = Engine::new(settings(world, ramp), world.now);
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
                    assert!(open.is_empty(), "an engine that is done waits for nothing");
                    return Some(engine.tally().clone());
                }
            }
        };
        if open.is_empty() {
            let wake = wake.expect("an engine that neither does nor waits would hang");
            world.now = world.now.max(wake);
            continue;
        }
        let step = open.swap_remove(world.random.usize(0..open.len()));
        let answer = world.do_step(step);
        world.check(messages);
        engine.on(world.now, answer);
    }
    panic!("it does not end: {:?}", engine.tally());
}

fn kinds() -> impl Strategy<Value = (QueueKind, QueueKind)> {
    let kind = prop_oneof![Just(QueueKind::Standard), Just(QueueKind::Fifo)];
    (kind.clone(), kind)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any faults, any crashes: nothing lost, nothing doubled (checked after every step), and what is in doubt is named.
    #[test]
    fn nothing_is_lost_or_doubled(
        seed: u64, (source, destination) in kinds(), messages in 0_usize..60, faults in 0_u8..25,
        crashes in prop::collection::vec(1_usize..150, 0..4), ramped: bool,
    ) {
        let mut world = World::new(source, destination, messages, seed, faults);
        let ramp = if ramped { "1,5,all" } else { "all" };
        for crash_after in crashes {
            run(&mut world, ramp, messages, crash_after);
            // Taken up at once, or when SQS has forgotten deduplication ids.
            world.now += SignedDuration::from_secs(world.random.i64(1..600));
        }
        world.faults = 0;
        let tally = run(&mut world, ramp, messages, usize::MAX).expect("no crash");
        prop_assert_eq!(&tally.stop, &None);
        let named: HashSet<_> = tally.uncertain.iter().collect();
        let arrived: HashSet<_> = world.arrived.iter().map(|(body, _)| body).collect();
        let in_both = world.lying.iter().filter(|one| arrived.contains(&one.body) && !named.contains(&one.id)).count();
        // In a FIFO queue a sent message can lie hidden behind one in doubt of its group; then it is counted and said.
        let said = if source == QueueKind::Fifo { tally.sent_not_deleted as usize } else { 0 };
        prop_assert!(in_both <= said, "{in_both} lie in both and are not named: {:?}", tally);
        if source == QueueKind::Standard && destination == QueueKind::Standard {
            let left = world.lying.iter().filter(|one| !named.contains(&one.id)).count();
            let unfit = (0..messages).filter(|number| number % 13 == 12).count();
            prop_assert_eq!(left, unfit, "all that can be moved is moved: {:?}", tally);
        }
    }

    /// A journal that can't be written stops everything; nothing is sent that was not intended in writing.
    #[test]
    fn a_full_disk_loses_nothing(seed: u64, (source, destination) in kinds(), fails_at in 0_usize..12) {
        let mut world = World::new(source, destination, 80, seed, 0);
        world.journal_fails_at = Some(fails_at);
        let tally = run(&mut world, "all", 80, usize::MAX).expect("no crash");
        prop_assert!(matches!(tally.stop, Some(Stop::Journal(_) | Stop::Failed(_))), "{:?}", tally.stop);
        prop_assert_eq!(tally.sent_not_deleted, 0, "what was sent is deleted, written or not");
    }
}

#[test]
fn a_quiet_queue_is_moved_whole() {
    let mut world = World::new(QueueKind::Standard, QueueKind::Standard, 250, 1, 0);
    let tally = run(&mut world, "all", 250, usize::MAX).expect("no crash");
    let unfit = (0..250).filter(|number| number % 13 == 12).count() as u64;
    assert_eq!((tally.sent, tally.moved, tally.kept_unexpected), (250 - unfit, 250 - unfit, unfit));
    assert!(world.lying.iter().all(|one| one.visible_at <= world.now), "what is left is put back at once");
}

#[test]
fn a_group_stops_at_its_first_failure() {
    let mut world = World::new(QueueKind::Fifo, QueueKind::Fifo, 40, 3, 0);
    run(&mut world, "all", 40, usize::MAX).expect("no crash");
    let group = |number: u128| world.lying.iter().find(|one| one.sequence == number).and_then(|one| one.group.clone());
    let stopped = group(12).expect("message 12 is unfit and stays");
    let overtook = world.lying.iter().filter(|one| one.group.as_ref() == Some(&stopped)).count();
    assert!(
        overtook >= 1
            && !world.arrived.iter().any(|(body, group)| {
                let number: u64 = body.rsplit(' ').next().and_then(|number| number.parse().ok()).expect("a number");
                group.as_ref() == Some(&stopped) && number > 12
            })
    );
}

#[test]
fn too_many_that_come_back_stop_the_run() {
    let mut world = World::new(QueueKind::Standard, QueueKind::Standard, 30, 1, 0);
    let mut settings = settings(&world, "1,10,all");
    settings.watch_seconds = 30;
    let mut engine = Engine::new(settings, world.now);
    let mut returned = false;
    let tally = loop {
        match engine.next(world.now) {
            Next::Step(step) => {
                // The canary dies again while it is watched.
                if engine.tally().watching
                    && !returned
                    && matches!(step, Step::Count { .. })
                    && world.now > start() + SignedDuration::from_secs(2)
                {
                    returned = true;
                    let back = Lying {
                        id: MessageId("99999999-1111-4111-8111-111111111111".into()),
                        body: "body 0".into(),
                        group: None,
                        sequence: 0,
                        sent_at: world.now,
                        visible_at: world.now,
                        receipt: 0,
                    };
                    world.lying.push(back);
                }
                let answer = world.do_step(step);
                engine.on(world.now, answer);
            }
            Next::Wait(wake) => world.now = world.now.max(wake.expect("a time")),
            Next::Done => break engine.tally().clone(),
        }
    };
    assert_eq!(tally.stop, Some(Stop::Bounced { bounced: 1, sent: 1 }));
    assert_eq!(world.arrived.len(), 1, "only the canary was sent");
    assert!(world.records.iter().any(|(_, record)| matches!(record, Record::Step { bounced: 1, .. })));
}

#[test]
fn a_stop_lets_go_of_what_is_not_sent() {
    let mut world = World::new(QueueKind::Standard, QueueKind::Standard, 30, 1, 0);
    let mut engine = Engine::new(settings(&world, "all"), world.now);
    let mut steps = 0;
    loop {
        match engine.next(world.now) {
            Next::Step(step) => {
                steps += 1;
                if steps == 3 {
                    engine.cancel();
                }
                let answer = world.do_step(step);
                engine.on(world.now, answer);
            }
            Next::Wait(wake) => world.now = world.now.max(wake.expect("a time")),
            Next::Done => break,
        }
    }
    assert_eq!(engine.tally().stop, Some(Stop::Cancelled));
    assert_eq!(world.counts().in_flight, 0);
    assert_eq!(world.lying.len() + world.arrived.len(), 30);
}
