//! Limits, filters, crashes and late answers: order holds, and a finite number of resumes ends.

use super::*;

/// Tries without a fault until nothing changes any more.
const RESUMES_MAX: usize = 4;

/// How a run is asked for.
#[derive(Debug, Clone, Copy)]
struct Asked {
    limit: Option<u64>,
    leaves_each: Option<u64>,
    removes: bool,
    lanes: usize,
    policy: Uncertain,
}

impl Asked {
    fn settings(self, world: &World) -> Settings {
        let history = History::of(world.records.clone());
        let done = Resume::done(&history, self.removes);
        let is_resumed = history.batch > 0;
        let resume = Resume { places: world.places.clone(), ..Resume::of(history, self.policy) };
        Settings {
            resume,
            limit: self.limit.map(|limit| if is_resumed { limit.saturating_sub(done) } else { limit }),
            selective: self.leaves_each.is_some(),
            lanes: self.lanes,
            destinations: if self.removes { Vec::new() } else { settings(world, "all").destinations },
            ..settings(world, "all")
        }
    }
}

fn asked() -> impl Strategy<Value = Asked> {
    (prop::option::of(1_u64..70), prop::option::of(2_u64..12), any::<bool>(), 1_usize..9).prop_map(
        |(limit, leaves_each, removes, lanes)| Asked { limit, leaves_each, removes, lanes, policy: Uncertain::Leave },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever breaks off, and whenever it is taken up: order holds within each group (checked after every step), tries end, and
    /// what they leave is named or was never asked for.
    #[test]
    fn resumes_converge_and_order_holds(
        seed: u64, (source, destination) in kinds(), asked in asked(), messages in 0_usize..60, faults in 0_u8..20,
        crashes in prop::collection::vec((1_usize..250, 0_i64..400), 0..4),
    ) {
        let mut world = World::new(source, destination, messages, seed, faults);
        (world.removes, world.leaves_each) = (asked.removes, asked.leaves_each);
        for (crash_after, seconds) in crashes {
            let settings = asked.settings(&world);
            run_with(&mut world, settings, messages, crash_after);
            world.now += SignedDuration::from_secs(seconds);
        }
        world.faults = 0;
        let mut before = None;
        for _ in 0..RESUMES_MAX {
            let settings = asked.settings(&world);
            let tally = run_with(&mut world, settings, messages, usize::MAX).expect("no crash");
            prop_assert_eq!(&tally.stop, &None);
            let after = (tally.uncertain.clone(), tally.sent_not_deleted, world.lying.len());
            if before.as_ref() == Some(&after) {
                break;
            }
            before = Some(after);
        }
        let (uncertain, sent_not_deleted, _) = before.expect("a try");
        // Behind one in doubt, which is named and held, what was sent can't be looked for: it is when somebody has decided.
        let is_open = sent_not_deleted > 0 && uncertain.is_empty();
        prop_assert!(!is_open, "{sent_not_deleted} that were sent are not known to be deleted, and nothing stands in the way");
        let history = History::of(world.records.clone());
        prop_assert!(history.perhaps_gone.is_empty(), "what was to be deleted is known to be: {:?}", history.perhaps_gone);
        let done = (messages - world.lying.len()) as u64;
        let doubts = uncertain.len() as u64;
        if let Some(limit) = asked.limit {
            prop_assert!(done + doubts <= limit, "{done} done and {doubts} in doubt of at most {limit}");
        }
        // A person decides: all that is in doubt is sent again, named, and nothing else in its place.
        world.is_doubled = true;
        let (mut named, mut open) = (HashSet::new(), true);
        for _ in 0..RESUMES_MAX {
            let again = Asked { policy: Uncertain::Resend, ..asked }.settings(&world);
            let tally = run_with(&mut world, again, messages, usize::MAX).expect("no crash");
            open = !tally.uncertain.is_empty() || tally.sent_not_deleted > 0;
            named.extend(tally.resent);
            if !open {
                break;
            }
        }
        prop_assert!(!open, "what was sent is deleted, and what was in doubt is decided, in the end");
        prop_assert!(uncertain.iter().all(|id| named.contains(id) || world.lying.iter().any(|one| one.id == *id)));
        let done = (messages - world.lying.len()) as u64;
        let doubts = 0_u64;
        if let Some(limit) = asked.limit {
            prop_assert!(done <= limit, "{done} of at most {limit}");
        }
        // All that may go has gone: in a standard queue what is neither unfit nor left by choice.
        let goes = |number: &usize| number % 13 != 12 && asked.leaves_each.is_none_or(|each| *number as u64 % each != each - 1);
        if source == QueueKind::Standard && (destination == QueueKind::Standard || asked.removes) {
            let wanted = ((0..messages).filter(goes).count() as u64).min(asked.limit.unwrap_or(u64::MAX));
            // Of a deletion by an older receipt handle SQS says the same, and deletes nothing: that nobody can see.
            let history = History::of(world.records.clone());
            let stale = world.lying.iter().filter(|one| history.gone.contains(&one.id)).count() as u64;
            prop_assert!(done + doubts + stale >= wanted, "{done} and {doubts} in doubt of {wanted}");
        }
    }

    /// A source that hands out a group to several receives at once, as no SQS does: what is noticed is acted on.
    #[test]
    fn a_source_that_locks_no_groups_is_taken_one_batch_at_a_time(seed: u64, messages in 30_usize..60) {
        let mut world = World::new(QueueKind::Fifo, QueueKind::Fifo, messages, seed, 0);
        world.locks_no_groups = true;
        let settings = settings(&world, "all");
        let mut engine = Engine::new(settings, world.now);
        // Answers come at once, in the order of the questions: then the first two receives show it.
        let tally = loop {
            match engine.next(world.now) {
                Next::Step(step) => {
                    let answer = world.do_step(step);
                    world.check(messages);
                    engine.on(world.now, answer);
                }
                Next::Wait(wake) => world.now = world.now.max(wake.expect("a time")),
                Next::Done => break engine.tally().clone(),
            }
        };
        prop_assert_eq!(tally.stop, None);
    }
}

/// Of one group, answers late: what is put back is received again before it is known to be put back.
#[test]
fn a_surplus_that_is_put_back_late_is_not_overtaken() {
    for seed in 0..200 {
        let mut world = World::new(QueueKind::Fifo, QueueKind::Fifo, 12, seed, 0);
        world.lying.iter_mut().for_each(|one| one.group = Some("one".to_owned()));
        let asked = Asked { limit: Some(7), leaves_each: None, removes: false, lanes: 8, policy: Uncertain::Leave };
        let settings = Settings { selective: true, ..asked.settings(&world) };
        let tally = run_with(&mut world, settings, 12, usize::MAX).expect("no crash");
        assert_eq!((tally.sent, tally.sent_not_deleted), (7, 0), "seed {seed}");
        let bodies: Vec<String> = world.arrived.iter().map(|(body, _)| body.clone()).collect();
        let first: Vec<String> = (0..7).map(|number| format!("body {number}")).collect();
        assert_eq!(bodies, first, "seed {seed}");
    }
}

/// A killed try had deleted what it sent and not written it down; SQS has told that nothing of it is hidden.
#[test]
fn what_is_known_to_be_gone_is_not_waited_for() {
    for source in [QueueKind::Standard, QueueKind::Fifo] {
        for removes in [false, true] {
            let mut world = World::new(source, source, 0, 1, 0);
            let asked = Asked { limit: None, leaves_each: None, removes, lanes: 4, policy: Uncertain::Leave };
            // Killed while something was sent, or to be deleted, and nothing more was known of it.
            let is_open = |history: &History, id: &MessageId| {
                history.sent_not_deleted.contains(id) || history.perhaps_gone.contains(id)
            };
            let open = (5..).find_map(|crash_after| {
                let mut again = World::new(source, source, 24, 1, 0);
                again.removes = removes;
                let settings = asked.settings(&again);
                run_with(&mut again, settings, 24, crash_after);
                let history = History::of(again.records.clone());
                let found = again.lying.iter().any(|one| is_open(&history, &one.id));
                world = again;
                found.then_some(history)
            });
            let open = open.expect("a moment");
            // Deleted, and the journal does not say so.
            world.lying.retain(|one| !is_open(&open, &one.id));
            world.lying.iter_mut().for_each(|one| one.visible_at = world.now);
            let begun_at = world.now;
            let mut settings = asked.settings(&world);
            settings.resume.shown_at = Some(begun_at);
            let tally = run_quietly(&mut world, settings);
            let waited = world.now.duration_since(begun_at).as_secs();
            assert!(waited <= 10, "{source} {removes}: {waited} s");
            assert_eq!((tally.stop, tally.sent_not_deleted), (None, 0), "{source} {removes}");
            let history = History::of(world.records.clone());
            assert!(history.perhaps_gone.is_empty() && history.sent_not_deleted.is_empty(), "{source} {removes}");
        }
    }
}

/// Runs without any check of the world, of which something was taken.
fn run_quietly(world: &mut World, settings: Settings) -> Tally {
    let mut engine = Engine::new(settings, world.now);
    loop {
        match engine.next(world.now) {
            Next::Step(step) => {
                let answer = world.do_step(step);
                engine.on(world.now, answer);
            }
            Next::Wait(wake) => world.now = world.now.max(wake.expect("a time")),
            Next::Done => return engine.tally().clone(),
        }
    }
}

/// A message that is left stops what stands behind it in its group, and nothing that stands before it.
#[test]
fn what_stands_before_one_that_is_left_is_sent() {
    for destination in [QueueKind::Fifo, QueueKind::Standard] {
        let mut world = World::new(QueueKind::Fifo, destination, 10, 1, 0);
        world.lying.iter_mut().for_each(|one| one.group = Some("one".to_owned()));
        world.leaves_each = Some(6);
        let settings = Settings { selective: true, ..settings(&world, "all") };
        let tally = run_with(&mut world, settings, 10, usize::MAX).expect("no crash");
        assert_eq!((tally.sent, world.arrived.len()), (5, 5), "{destination}: {tally:?}");
    }
}

/// The clock of this machine was set back an hour between the kill and the resume, ten minutes later.
#[test]
fn a_clock_that_was_set_back_makes_no_deduplication_id_young_again() {
    let seconds = SignedDuration::from_secs;
    let id = MessageId("00000000-0000-4000-8000-000000000000".to_owned());
    let records = |cutoff| {
        let message = crate::journal::IntentMessage {
            id: id.clone(),
            hash: "0".repeat(32),
            saved: None,
            deduplication_id: Some("an id".to_owned()),
            parked: false,
        };
        let opened = Record::Opened {
            run: "20261121T030000-000001".parse().expect("a run"),
            version: String::new(),
            plan: Box::new(serde_json::json!({})),
            by: Text::from("tester"),
            how: crate::journal::Consented::Yes,
            reason: None,
            cutoff,
            parent: None,
        };
        let intent = Record::Intent { batch: 1, to: Some("destination".to_owned()), messages: vec![message] };
        [(start(), opened), (start() + seconds(10), intent)]
    };
    let (now, aws_now) = (start() + seconds(600 - 3_600), start() + seconds(600));
    let mut told = History::of(records(start()));
    told.take_up(now, aws_now);
    let resume = Resume::of(told, Uncertain::Leave);
    assert_eq!(now.duration_since(resume.tried[&id].0), seconds(590), "by AWS's clock ten minutes have passed");
    // Where AWS's clock is not known, time that runs backwards says that nothing is.
    let mut untold = History::of(records(start()));
    untold.take_up(now, now);
    let resume = Resume::of(untold, Uncertain::Leave);
    assert!(resume.tried.is_empty() && resume.uncertain.contains(&id), "nothing is sent again by itself");
    // The first try's clock was wrong, and is right now.
    let mut mended = History::of(records(start() + seconds(3_600)));
    let now = start() + seconds(3_600 + 600);
    mended.take_up(now, now);
    assert_eq!(now.duration_since(Resume::of(mended, Uncertain::Leave).tried[&id].0), seconds(590));
}
