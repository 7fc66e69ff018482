//! The engine against every fault, on a small queue of its own.

mod ages;
mod converging;
mod identity;
mod shelf;
mod slow;
mod throughput;
mod world;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{
    Age, Ageing, Answer, Counted, Engine, Judgement, Kept, LANES_MAX, Need, Next, Resume, Settings, Step, Stop, Tally,
    step::Origin,
};
use crate::{
    cloud::{CloudError, ErrorKind, identity::Caller, sqs::Entry},
    domain::{AccountId, Counts, Message, MessageId, Outgoing, QueueKind, ReceiptHandle, SystemAttributes, Text},
    journal::{History, Record},
    operations::values::{BounceMax, Ramp, Uncertain},
};

use world::{Lying, World, start};

const STEPS_MAX: usize = 200_000;

fn settings(world: &World, ramp: &str) -> Settings {
    let history = History::of(world.records.clone());
    Settings {
        account: AccountId("111111111111".to_owned()),
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
        resume: Resume::of(history, Uncertain::Leave),
    }
}

/// Runs an engine on the world until it is done or, after `crash_after` steps, gone.
fn run(world: &mut World, ramp: &str, messages: usize, crash_after: usize) -> Option<Tally> {
    let settings = settings(world, ramp);
    run_with(world, settings, messages, crash_after)
}

/// The same with these settings. Calls are carried out in any order, and their answers come in any order, later.
fn run_with(world: &mut World, settings: Settings, messages: usize, crash_after: usize) -> Option<Tally> {
    let mut engine = Engine::new(settings, world.now);
    let (mut open, mut late): (Vec<Step>, Vec<Answer>) = (Vec::new(), Vec::new());
    for taken in 0..STEPS_MAX {
        if taken == crash_after {
            return None;
        }
        let wake = loop {
            match engine.next(world.now) {
                Next::Step(step) => open.push(step),
                Next::Wait(wake) => break wake,
                Next::Done => {
                    assert!(open.is_empty() && late.is_empty(), "an engine that is done waits for nothing");
                    return Some(engine.tally().clone());
                }
            }
        };
        if open.is_empty() && late.is_empty() {
            let wake = wake.expect("an engine that neither does nor waits would hang");
            world.now = world.now.max(wake);
            continue;
        }
        let at = world.random.usize(0..open.len() + late.len());
        if at < open.len() {
            let step = open.swap_remove(at);
            let answer = world.do_step(step);
            world.check(messages);
            late.push(answer);
        } else {
            let answer = late.swap_remove(at - open.len());
            engine.on(world.now, answer);
        }
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

/// Consumers fail while the last step is watched: what comes back then is parked, too.
#[test]
fn what_comes_back_while_the_last_step_is_watched_is_parked() {
    for limit in [None, Some(12)] {
        let mut world = World::new(QueueKind::Standard, QueueKind::Standard, 12, 1, 0);
        let mut settings = settings(&world, "all");
        (settings.watch_seconds, settings.park, settings.limit) = (90, true, limit);
        settings.bounce_max = BounceMax::Percent(100);
        let mut engine = Engine::new(settings, world.now);
        let mut returned = 0;
        let tally = loop {
            match engine.next(world.now) {
                Next::Step(step) => {
                    if engine.tally().watching && returned < 3 && matches!(step, Step::Count { .. }) {
                        world.lying.push(Lying {
                            id: MessageId(format!("9999999{returned}-1111-4111-8111-111111111111")),
                            body: format!("body {returned}"),
                            group: None,
                            sequence: 0,
                            sent_at: world.now,
                            visible_at: world.now,
                            receipt: 0,
                        });
                        returned += 1;
                    }
                    let answer = world.do_step(step);
                    engine.on(world.now, answer);
                }
                Next::Wait(wake) => world.now = world.now.max(wake.expect("a time")),
                Next::Done => break engine.tally().clone(),
            }
        };
        assert_eq!((tally.stop, tally.sent, tally.removed), (None, 12, 3), "{limit:?}");
        assert!(world.lying.is_empty(), "{limit:?}: {:?}", world.lying);
    }
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
