//! Whose credentials they are, in mid-run.

use super::*;

/// Runs slowly on credentials that may change -> the tally, and how often it was asked whose they are
fn run_slowly(world: &mut World, messages: usize, ramp: &str, rate: u32) -> (Tally, usize) {
    let mut settings = settings(world, ramp);
    settings.rate = Some(rate);
    let mut engine = Engine::new(settings, world.now);
    let (mut open, mut asked, mut forbidden): (Vec<Step>, usize, bool) = (Vec::new(), 0, false);
    for _ in 0..STEPS_MAX {
        let wake = loop {
            match engine.next(world.now) {
                Next::Step(step) => {
                    let writes = matches!(step, Step::Send { .. } | Step::Delete { .. } | Step::Hide { .. });
                    assert!(!(forbidden && writes), "written with another account's credentials: {step:?}");
                    asked += usize::from(matches!(step, Step::Verify));
                    open.push(step);
                }
                Next::Wait(wake) => break wake,
                Next::Done => return (engine.tally().clone(), asked),
            }
        };
        assert!(open.iter().filter(|step| matches!(step, Step::Verify)).count() <= 1, "one question at a time");
        if open.is_empty() {
            world.now = world.now.max(wake.expect("an engine that neither does nor waits would hang"));
            continue;
        }
        let step = open.swap_remove(world.random.usize(0..open.len()));
        let answer = world.do_step(step);
        world.check(messages);
        forbidden |= matches!(&answer, Answer::Verified(Ok(caller)) if caller.account.0 == "222222222222");
        engine.on(world.now, answer);
    }
    panic!("it does not end: {:?}", engine.tally());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// Once it is known that the credentials are of another account, nothing is sent, deleted or hidden, and nothing is forgotten.
    #[test]
    fn nothing_is_written_with_another_accounts_credentials(
        seed: u64, (source, destination) in kinds(), faults in 0_u8..10, after in 0_i64..100, ramped: bool,
    ) {
        let mut world = World::new(source, destination, 150, seed, faults);
        world.other_account_at = Some(start() + SignedDuration::from_secs(after));
        let (tally, _) = run_slowly(&mut world, 150, if ramped { "1,50,all" } else { "all" }, 1);
        let is_account = matches!(&tally.stop, Some(Stop::WrongAccount { actual }) if actual.0 == "222222222222");
        // Groups that stop may end a run before it is asked again.
        prop_assert!(is_account || faults > 0 || source == QueueKind::Fifo || destination == QueueKind::Fifo, "{:?}", tally.stop);
        prop_assume!(is_account);
        let is_other = |record: &Record| matches!(record, Record::Verified { account, .. } if account.0 == "222222222222");
        prop_assert!(world.records.iter().any(|(_, record)| is_other(record)), "it stands in the journal");
        // Its resume, with the right credentials again, knows all.
        world.other_account_at = None;
        world.faults = 0;
        world.now += SignedDuration::from_secs(200);
        let resumed = run(&mut world, "all", 150, usize::MAX).expect("no crash");
        prop_assert_eq!(&resumed.stop, &None);
        let named: HashSet<_> = resumed.uncertain.iter().collect();
        let arrived: HashSet<_> = world.arrived.iter().map(|(body, _)| body).collect();
        let in_both = world.lying.iter().filter(|one| arrived.contains(&one.body) && !named.contains(&one.id)).count();
        let said = if source == QueueKind::Fifo { resumed.sent_not_deleted as usize } else { 0 };
        prop_assert!(in_both <= said, "{in_both} lie in both and are not named");
    }
}

#[test]
fn it_is_asked_once_a_minute_of_writing() {
    let mut world = World::new(QueueKind::Standard, QueueKind::Standard, 600, 1, 0);
    let (tally, asked) = run_slowly(&mut world, 600, "all", 2);
    assert_eq!(tally.stop, None);
    let minutes = world.now.duration_since(start()).as_secs() / 60;
    assert!((4..=minutes as usize).contains(&asked), "{asked} times in {minutes} minutes");
}

#[test]
fn it_is_asked_before_each_further_step_of_a_ramp() {
    let mut world = World::new(QueueKind::Standard, QueueKind::Standard, 30, 1, 0);
    let (tally, asked) = run_slowly(&mut world, 30, "1,5,all", 1_000);
    assert_eq!((tally.stop, asked), (None, 2));
}
