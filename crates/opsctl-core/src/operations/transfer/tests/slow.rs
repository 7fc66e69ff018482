//! Deciding takes long: a program edits each message.

use super::*;

/// How long the machine sleeps where the engine waits.
#[derive(Clone, Copy)]
struct Sleeps(i64);

/// One lane moves twelve messages, of which each takes so long.
fn run_slowly(judge_seconds: i64, sleeps: Sleeps, change: impl FnOnce(&mut Settings)) -> Tally {
    let mut world = World::new(QueueKind::Standard, QueueKind::Standard, 12, 1, 0);
    world.judge_seconds = judge_seconds;
    let mut settings = settings(&world, "all");
    settings.lanes = 1;
    settings.settle_seconds = 10;
    change(&mut settings);
    let batch_max = settings.batch_max;
    let mut engine = Engine::new(settings, world.now);
    loop {
        match engine.next(world.now) {
            Next::Step(step) => {
                assert!(!matches!(step, Step::Receive { messages_max, .. } if messages_max > batch_max), "{step:?}");
                let answer = world.do_step(step);
                world.check(12);
                engine.on(world.now, answer);
            }
            Next::Wait(wake) => {
                world.now = world.now.max(wake.expect("a time")) + SignedDuration::from_secs(sleeps.0);
            }
            Next::Done => return engine.tally().clone(),
        }
    }
}

#[test]
fn small_batches_are_edited_and_sent_before_hiding_lapses() {
    for selective in [false, true] {
        let tally = run_slowly(9, Sleeps(0), |settings| (settings.batch_max, settings.selective) = (3, selective));
        assert_eq!((tally.stop, tally.moved, tally.kept_unexpected), (None, 12, 0));
    }
}

#[test]
fn a_run_that_edits_for_long_is_not_taken_for_one_that_meets_nothing() {
    // Longer for one batch than the time after which a run that meets nothing of its own ends.
    let tally = run_slowly(25, Sleeps(0), |settings| (settings.batch_max, settings.visibility_seconds) = (3, 300));
    assert_eq!((tally.stop, tally.moved, tally.unreached), (None, 12, 0));
}

#[test]
fn a_machine_that_sleeps_between_two_batches_looks_before_it_ends() {
    let tally = run_slowly(0, Sleeps(3_600), |settings| (settings.batch_max, settings.rate) = (3, Some(1)));
    assert_eq!((tally.stop, tally.moved, tally.unreached), (None, 12, 0));
}

#[test]
fn all_doubts_of_an_earlier_try_are_named_from_the_start() {
    let world = World::new(QueueKind::Standard, QueueKind::Fifo, 3, 1, 0);
    let id = world.lying[0].id.clone();
    for policy in [Uncertain::Leave, Uncertain::Resend] {
        for tried in [None, Some((start(), "an id".to_owned()))] {
            let mut settings = settings(&world, "all");
            settings.resume.policy = policy;
            settings.resume.uncertain = HashSet::from([id.clone()]);
            settings.resume.tried = tried.map(|tried| (id.clone(), tried)).into_iter().collect();
            assert_eq!(Engine::new(settings, world.now).tally().uncertain, std::slice::from_ref(&id));
        }
    }
}
