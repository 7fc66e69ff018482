//! The engine on a simulated table, beside a relay, under every fault: rows are re-armed once by a run, none is lost, groups keep their
//! order, and every resume comes to an end.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::engine::{Answer, RowEngine, RowId, RowSettings, RowStop, Settled, Step};
use crate::{
    domain::Value,
    operations::values::{BounceMax, Ramp},
    outboxes::sql::Position,
};

const GROUPS: i64 = 3;
const STEPS_MAX: usize = 20_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Failed,
    Ready,
    Published,
}

/// What happens at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The transaction is rolled back, for certain.
    Undone,
    /// COMMIT has no answer, and it was committed, or not.
    LostAfter,
    LostBefore,
    /// The same, and nobody can find out which.
    InDoubt(bool),
    /// The run is killed: before COMMIT, or after it and before that is written down.
    KilledBefore,
    KilledAfter,
    /// Somebody holds the lock of every third row at this step.
    Locked,
    /// Somebody else replays a failed row.
    Meanwhile,
}

/// The table, and what the run has on disk.
struct World {
    rows: BTreeMap<i64, State>,
    /// Rows that fail whenever they are published.
    poison: BTreeSet<i64>,
    rearmed: Vec<i64>,
    /// Announced in the journal: the rows of each batch, and what came of it.
    journal: Vec<(Vec<i64>, Option<Settled>)>,
    in_doubt: BTreeSet<i64>,
    passed_over: BTreeSet<i64>,
    now: Timestamp,
}

impl World {
    fn taken(&self) -> BTreeSet<i64> {
        let taken = self.journal.iter().filter(|(_, settled)| *settled != Some(Settled::Undone));
        taken.flat_map(|(rows, _)| rows.iter().copied()).collect()
    }

    /// The relay takes some of what is ready.
    fn relay(&mut self, most: usize) {
        let ready: Vec<i64> =
            self.rows.iter().filter(|(_, state)| **state == State::Ready).map(|(id, _)| *id).take(most).collect();
        for id in ready {
            let to = if self.poison.contains(&id) { State::Failed } else { State::Published };
            self.rows.insert(id, to);
        }
    }

    fn read(&self, after: Option<&Position>, rows_max: u32) -> Answer {
        let after = after.map_or(i64::MIN, |position| number(&position.0));
        let read: Vec<i64> = self
            .rows
            .range(after.saturating_add(1)..)
            .filter(|(_, state)| **state == State::Failed)
            .map(|(id, _)| *id)
            .take(rows_max as usize)
            .collect();
        let taken = self.taken();
        let chosen = read.iter().filter(|id| !taken.contains(id)).map(|id| vec![Value::Integer(*id)]).collect();
        let last = read.last().map(|id| Position(vec![Value::Integer(*id)]));
        Answer::Read { chosen, last, rows: read.len() as u64 }
    }

    fn commit(&mut self, rows: &[i64]) {
        for id in rows {
            self.rows.insert(*id, State::Ready);
            self.rearmed.push(*id);
        }
    }

    /// None: killed.
    fn rearm(&mut self, ids: &[RowId], fault: Option<Fault>) -> Option<Answer> {
        let asked: Vec<i64> = ids.iter().map(|id| number(id)).collect();
        let is_locked = |id: &i64| fault == Some(Fault::Locked) && id % 3 == 0;
        let is_free = |id: &&i64| self.rows.get(id) == Some(&State::Failed) && !is_locked(id);
        let rows: Vec<i64> = asked.iter().filter(is_free).copied().collect();
        self.passed_over.extend(&asked);
        if fault == Some(Fault::Undone) {
            return Some(Answer::Undone { too_many: false });
        }
        if rows.is_empty() {
            return Some(Answer::Changed { rows: 0, seconds: 0.0 });
        }
        let count = rows.len() as u64;
        self.journal.push((rows.clone(), None));
        let last = self.journal.len() - 1;
        match fault {
            Some(Fault::LostAfter | Fault::KilledAfter | Fault::InDoubt(true)) => self.commit(&rows),
            Some(Fault::LostBefore | Fault::KilledBefore | Fault::InDoubt(false)) => {}
            None | Some(Fault::Undone | Fault::Locked | Fault::Meanwhile) => {
                self.commit(&rows);
                self.journal[last].1 = Some(Settled::Committed);
                return Some(Answer::Changed { rows: count, seconds: 0.02 });
            }
        }
        let is_killed = matches!(fault, Some(Fault::KilledAfter | Fault::KilledBefore));
        (!is_killed).then_some(Answer::Unknown { rows: count })
    }

    /// As the server says how the transaction of the last batch ended.
    fn settle(&mut self, knows: bool) -> Settled {
        let Some((rows, settled)) = self.journal.last_mut() else { return Settled::Undone };
        let found = match (knows, self.rearmed.ends_with(rows)) {
            (false, _) => Settled::InDoubt,
            (true, true) => Settled::Committed,
            (true, false) => Settled::Undone,
        };
        if found == Settled::InDoubt {
            self.in_doubt.extend(rows.iter().copied());
        }
        *settled = Some(found);
        found
    }
}

fn number(values: &[Value]) -> i64 {
    match values {
        [Value::Integer(number)] => *number,
        other => panic!("{other:?}"),
    }
}

fn settings(ramp: &str) -> RowSettings {
    RowSettings {
        limit: None,
        rows_max: None,
        rate: None,
        ramp: ramp.parse::<Ramp>().expect("a ramp"),
        max_failed: BounceMax::Percent(100),
        filtered: false,
    }
}

fn world(rows: i64, poison: BTreeSet<i64>) -> World {
    World {
        rows: (0..rows).map(|id| (id, State::Failed)).collect(),
        poison,
        rearmed: Vec::new(),
        journal: Vec::new(),
        in_doubt: BTreeSet::new(),
        passed_over: BTreeSet::new(),
        now: Timestamp::UNIX_EPOCH,
    }
}

/// One try of a run: none where it was killed.
fn go(world: &mut World, settings: &RowSettings, faults: &mut impl Iterator<Item = Option<Fault>>) -> Option<RowStop> {
    if world.journal.last().is_some_and(|(_, settled)| settled.is_none()) {
        world.settle(true);
    }
    let taken = world.taken().len() as u64;
    let mut engine = RowEngine::resumed(settings.clone(), taken);
    let mut knows = true;
    for number in 0..STEPS_MAX {
        world.relay(number % 7);
        let answer = match engine.next(world.now) {
            Step::Read { after, rows_max } => world.read(after.as_ref(), rows_max),
            Step::Change { ids } => {
                let fault = faults.next().flatten();
                if fault == Some(Fault::Meanwhile)
                    && let Some((_, state)) = world.rows.iter_mut().find(|(_, state)| **state == State::Failed)
                {
                    *state = State::Published;
                }
                knows = !matches!(fault, Some(Fault::InDoubt(_)));
                world.rearm(&ids, fault)?
            }
            Step::Settle => Answer::Settled(world.settle(knows)),
            Step::Watch { .. } => Answer::Watched { failed: 0, of: 1 },
            Step::Wait(pause) => {
                world.now = world.now.checked_add(pause).expect("a time");
                continue;
            }
            Step::End(stop) => return Some(stop),
        };
        engine.on(answer, world.now);
    }
    panic!("it does not come to an end");
}

fn fault() -> impl Strategy<Value = Option<Fault>> {
    prop_oneof![
        8 => Just(None),
        1 => Just(Some(Fault::Undone)),
        1 => Just(Some(Fault::LostAfter)),
        1 => Just(Some(Fault::LostBefore)),
        1 => any::<bool>().prop_map(|committed| Some(Fault::InDoubt(committed))),
        1 => Just(Some(Fault::KilledBefore)),
        1 => Just(Some(Fault::KilledAfter)),
        1 => Just(Some(Fault::Locked)),
        1 => Just(Some(Fault::Meanwhile)),
    ]
}

proptest! {
    #[test]
    fn each_row_is_re_armed_once_by_a_run_and_none_is_lost(
        rows in 1_i64..400,
        poison in proptest::collection::btree_set(0_i64..400, 0..40),
        faults in proptest::collection::vec(fault(), 0..60),
        ramp in prop_oneof![Just("all"), Just("1,10,all"), Just("5,50,100,all")],
    ) {
        let mut world = world(rows, poison);
        let mut faults = faults.into_iter();
        let settings = settings(ramp);
        let mut tries = 0;
        // Every fault happens once at most, so that this ends.
        let stop = loop {
            tries += 1;
            prop_assert!(tries < 100);
            match go(&mut world, &settings, &mut faults) {
                Some(RowStop::Failing) | None => {}
                Some(stop) => break stop,
            }
        };
        prop_assert_eq!(stop, RowStop::Done);
        let mut once = world.rearmed.clone();
        once.sort_unstable();
        once.dedup();
        prop_assert_eq!(once.len(), world.rearmed.len(), "none twice: {:?}", world.rearmed);
        // What the journal calls done is what was done: no more, no less.
        let done: BTreeSet<i64> = world.journal.iter()
            .filter(|(_, settled)| *settled == Some(Settled::Committed))
            .flat_map(|(rows, _)| rows.iter().copied())
            .collect();
        let known: BTreeSet<i64> = once.iter().copied().filter(|id| !world.in_doubt.contains(id)).collect();
        prop_assert_eq!(done, known);
        // What is left was re-armed and failed again, is in doubt, or was passed over while somebody had it.
        for (id, _) in world.rows.iter().filter(|(_, state)| **state == State::Failed) {
            let is_told = world.poison.contains(id) || world.in_doubt.contains(id) || world.passed_over.contains(id);
            prop_assert!(is_told, "row {} is lost", id);
        }
    }

    #[test]
    fn groups_keep_their_order_where_nobody_is_in_the_way(
        rows in 1_i64..400,
        faults in proptest::collection::vec(fault(), 0..40),
    ) {
        // A lock, or a doubt, puts a row behind younger ones: told, and no fault of the run's.
        let keeps = |fault: &Option<Fault>| !matches!(fault, Some(Fault::Locked | Fault::InDoubt(_)));
        let (mut world, mut faults) = (world(rows, BTreeSet::new()), faults.into_iter().filter(keeps));
        for _ in 0..100 {
            if matches!(go(&mut world, &settings("all"), &mut faults), Some(RowStop::Done)) {
                break;
            }
        }
        for group in 0..GROUPS {
            let of_group: Vec<i64> = world.rearmed.iter().copied().filter(|id| id % GROUPS == group).collect();
            prop_assert!(of_group.is_sorted(), "{:?}", of_group);
        }
    }

    #[test]
    fn no_more_rows_than_were_wanted(rows in 1_i64..300, limit in 1_u64..300, faults in proptest::collection::vec(fault(), 0..40)) {
        let (mut world, mut faults) = (world(rows, BTreeSet::new()), faults.into_iter());
        let settings = RowSettings { limit: Some(limit), ..settings("1,10,all") };
        for _ in 0..100 {
            if matches!(go(&mut world, &settings, &mut faults), Some(RowStop::Done)) {
                break;
            }
        }
        prop_assert!(world.rearmed.len() as u64 <= limit);
    }
}

#[test]
fn more_rows_than_planned_stop_it() {
    let mut world = world(1_000, BTreeSet::new());
    let settings = RowSettings { rows_max: Some(300), ..settings("all") };
    let stop = go(&mut world, &settings, &mut std::iter::empty());
    assert_eq!(stop, Some(RowStop::TooMany { rows_max: 300 }));
    assert!((300..1_000).contains(&world.rearmed.len()), "{}", world.rearmed.len());
}

#[test]
fn rows_that_fail_again_stop_a_ramp() {
    let mut engine = RowEngine::new(RowSettings { max_failed: BounceMax::Percent(5), ..settings("5,all") });
    let now = Timestamp::UNIX_EPOCH;
    let ids: Vec<RowId> = (0..20).map(|id| vec![Value::Integer(id)]).collect();
    assert!(matches!(engine.next(now), Step::Read { .. }));
    engine.on(Answer::Read { chosen: ids.clone(), last: Some(Position(ids[19].clone())), rows: 20 }, now);
    assert_eq!(engine.next(now), Step::Change { ids: ids[..5].to_vec() });
    engine.on(Answer::Changed { rows: 5, seconds: 0.01 }, now);
    assert_eq!(engine.next(now), Step::Watch { step: 1 });
    engine.on(Answer::Watched { failed: 1, of: 5 }, now);
    assert_eq!(engine.next(now), Step::End(RowStop::FailedAgain { failed: 1, of: 5 }));
}

#[test]
fn batches_grow_to_what_is_locked_for_50_ms_and_a_rate_is_kept() {
    let mut engine = RowEngine::new(RowSettings { rate: Some(100), ..settings("all") });
    let now = Timestamp::UNIX_EPOCH;
    let ids: Vec<RowId> = (0..5_000).map(|id| vec![Value::Integer(id)]).collect();
    engine.next(now);
    engine.on(Answer::Read { chosen: ids.clone(), last: Some(Position(ids[4_999].clone())), rows: 5_000 }, now);
    let Step::Change { ids: first } = engine.next(now) else { panic!("a batch") };
    engine.on(Answer::Changed { rows: first.len() as u64, seconds: 0.005 }, now);
    let Step::Wait(pause) = engine.next(now) else { panic!("a pause") };
    assert_eq!(pause, SignedDuration::from_millis(500), "{} rows at 100 a second", first.len());
    let later = now.checked_add(pause).expect("a time");
    let Step::Change { ids: second } = engine.next(later) else { panic!("a batch") };
    assert_eq!((first.len(), second.len()), (50, 100), "fast: twice as many");
    engine.on(Answer::Changed { rows: 100, seconds: 0.5 }, later);
    let latest = later.checked_add(SignedDuration::from_secs(1)).expect("a time");
    let Step::Change { ids: third } = engine.next(latest) else { panic!("a batch") };
    assert_eq!(third.len(), 25, "slow: a quarter");
}
