//! The destination's oldest message ages while a run watches.

use super::*;

/// A ramp with a watch of 60 seconds; CloudWatch says `age` from the second step's watch on -> the tally
fn watched(world: &mut World, ramp: &str, messages: usize, age: Option<Age>) -> Tally {
    let mut settings = settings(world, ramp);
    settings.watch_seconds = 60;
    let mut engine = Engine::new(settings, world.now);
    for _ in 0..STEPS_MAX {
        match engine.next(world.now) {
            Next::Step(step) => {
                world.age = age.filter(|_| engine.tally().step > 1);
                let answer = world.do_step(step);
                world.check(messages);
                engine.on(world.now, answer);
            }
            Next::Wait(wake) => world.now = world.now.max(wake.expect("a time")),
            Next::Done => return engine.tally().clone(),
        }
    }
    panic!("it does not end: {:?}", engine.tally());
}

fn age(seconds: u64, before_seconds: u64, after_start: i64) -> Age {
    Age { to: 0, seconds, before_seconds, at: start() + SignedDuration::from_secs(after_start) }
}

fn quiet(messages: usize) -> World {
    World::new(QueueKind::Standard, QueueKind::Standard, messages, 1, 0)
}

#[test]
fn a_source_that_ages_stops_the_run_before_the_next_step() {
    let mut world = quiet(100);
    let tally = watched(&mut world, "1,10,all", 100, Some(age(170, 20, 60)));
    let ageing = Ageing { queue: "destination".into(), seconds: 170, before_seconds: 20 };
    assert_eq!(tally.stop, Some(Stop::Ageing(ageing.clone())));
    assert_eq!((tally.ageing, world.arrived.len()), (Some(ageing), 11));
    let verdict = |(_, record): &(Timestamp, Record)| matches!(record, Record::Step { verdict, .. } if verdict.as_str() == "the oldest message ages");
    assert!(world.records.iter().any(verdict), "it stands in the journal");
    assert_eq!(world.counts().in_flight, 0, "what is not sent is let go");
    // Its resume goes on where it was stopped.
    let tally = watched(&mut world, "1,10,all", 100, None);
    assert_eq!((tally.stop, tally.ageing), (None, None));
}

#[test]
fn what_is_old_but_no_older_than_before_or_only_a_little_stops_nothing() {
    for harmless in [age(900, 860, 60), age(900, 840, 60), age(10, 900, 60), age(900, 0, -60)] {
        let tally = watched(&mut quiet(50), "1,10,all", 50, Some(harmless));
        assert_eq!((tally.stop, tally.ageing), (None, None), "{harmless:?}");
    }
}

#[test]
fn after_the_last_step_there_is_nothing_to_hold_back() {
    let tally = watched(&mut quiet(50), "1,all", 50, Some(age(170, 20, 60)));
    assert_eq!(tally.stop, None);
    assert!(tally.ageing.is_some_and(|ageing| ageing.seconds == 170), "it is said");
    assert_eq!(tally.sent, 47);
}

#[test]
fn a_queue_that_nobody_knows_is_not_judged() {
    let tally = watched(&mut quiet(50), "1,10,all", 50, Some(Age { to: 9, ..age(900, 0, 60) }));
    assert_eq!((tally.stop, tally.ageing), (None, None));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever CloudWatch says, nothing is lost or doubled (checked after every step), a run takes no longer for it, and it
    /// stops for an age only where that rose, within the run, by more than the watch.
    #[test]
    fn an_age_only_ever_holds_back_a_next_step(
        seed: u64, (source, destination) in kinds(), faults in 0_u8..10, seconds in 0_u64..2_000, before in 0_u64..1_000,
        after in -300_i64..300,
    ) {
        let build = || World::new(source, destination, 40, seed, faults);
        let (mut with, mut without) = (build(), build());
        let told = age(seconds, before, after);
        let tally = watched(&mut with, "1,5,all", 40, Some(told));
        let silent = watched(&mut without, "1,5,all", 40, None);
        let is_bad = after >= 0 && told.grown_seconds() > 60;
        match &tally.stop {
            Some(Stop::Ageing(_)) => prop_assert!(is_bad && tally.step < tally.steps, "{tally:?}"),
            other => {
                prop_assert_eq!(other, &silent.stop);
                prop_assert_eq!(with.now, without.now, "it waits for no sample");
                prop_assert_eq!(&tally.sent, &silent.sent);
            }
        }
        prop_assert!(silent.ageing.is_none());
    }
}
