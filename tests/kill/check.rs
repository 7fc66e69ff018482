//! What must hold when a round has come to its end, told by what is where.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    found::Fault,
    queues::{Body, Seen},
    round::{Carried, LANES, Round, keeps_order},
    scenario::Verb,
};

/// What was found in each place, in its order.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) source: Vec<Seen>,
    pub(super) destination: Vec<Seen>,
    pub(super) parked: Vec<Body>,
    pub(super) consumed: Vec<Body>,
}

impl Places {
    /// After an operation that is not undone: every message is in one place.
    pub(super) fn check(&self, round: &mut Round, carried: &Carried, named: &BTreeSet<usize>) {
        self.check_moved(round, carried, named);
        let numbers = self.everywhere().chain(self.source.iter().map(|seen| seen.body.number));
        once_each(round, &count(numbers), named, "");
        let strangers: Vec<usize> = new_ones(round, &self.source).map(|body| body.number).collect();
        round.found.blame_each(Fault::Wrong, &strangers, "came to the source from elsewhere");
        if keeps_order(round.scenario) {
            let left: Vec<Body> = self.source.iter().map(|seen| seen.body).collect();
            in_order(round, &left, named, "what is left in the source");
        }
    }

    /// The destination has what was asked for, once, in order; what came back is parked.
    pub(super) fn check_moved(&self, round: &mut Round, carried: &Carried, named: &BTreeSet<usize>) {
        let moved = count(self.everywhere());
        let twice: Vec<usize> = moved.iter().filter(|(_, count)| **count > 1).map(|(number, _)| *number).collect();
        let unnamed: Vec<usize> = twice.iter().copied().filter(|number| !named.contains(number)).collect();
        round.found.blame_each(Fault::Doubled, &unnamed, "are at the destination twice, and nobody said so");
        let said = round.resent(carried);
        let unsaid: Vec<usize> = twice
            .into_iter()
            .filter(|number| named.contains(number) && !carried.resent.is_empty())
            .filter(|number| !said.contains(number))
            .collect();
        round.found.blame_each(Fault::Wrong, &unsaid, "were sent again as asked, and the report does not name them");
        let others: Vec<usize> =
            moved.keys().copied().filter(|number| !round.is_selected(round.bodies[*number])).collect();
        round.found.blame_each(Fault::Wrong, &others, "were moved and not selected");
        let wanted = round.wanted();
        if moved.len() > wanted || carried.is_settled && moved.len() < wanted {
            let what = format!("{} messages were moved, asked for were {wanted}", moved.len());
            round.found.blame(Fault::Wrong, moved.len().abs_diff(wanted), &what);
        }
        let count_max = 10 * LANES * round.found.kills.max(round.found.resume_kills + 1);
        if named.len() > count_max {
            let what = format!("{} messages are uncertain, of at most {count_max} in hand", named.len());
            round.found.blame(Fault::Wrong, named.len(), &what);
        }
        round.found.uncertain += named.len();
        if round.scenario.verb.parks() {
            self.check_parked(round, carried, named);
        }
        if keeps_order(round.scenario) {
            let arrived: Vec<Body> =
                self.consumed.iter().copied().chain(self.destination.iter().map(|seen| seen.body)).collect();
            in_order(round, &arrived, named, "at the destination");
            if !round.scenario.verb.parks() {
                first_ones(round, &moved, named);
            }
        }
    }

    fn check_parked(&self, round: &mut Round, carried: &Carried, named: &BTreeSet<usize>) {
        let parked: BTreeSet<usize> = self.parked.iter().map(|body| body.number).collect();
        let good: Vec<usize> = parked.iter().copied().filter(|number| !round.bodies[*number].is_bad()).collect();
        round.found.blame_each(Fault::Wrong, &good, "were parked and had not come back");
        let bad = round.bodies.iter().filter(|body| body.is_bad() && round.is_selected(**body));
        let missing = bad.map(|body| body.number).filter(|number| !parked.contains(number) && !named.contains(number));
        let missing: Vec<usize> = missing.collect();
        if carried.code == Some(0) {
            let place = if round.scenario.verb == Verb::ParkInFile { "file" } else { "queue" };
            let what = format!("came back and are not in the parking {place}, although the run says it is done");
            round.found.blame_each(Fault::Wrong, &missing, &what);
        }
    }

    /// After a restore the source has every message again, once, in order behind what was left.
    pub(super) fn check_restored(&self, round: &mut Round, restored: &Carried, named: &BTreeSet<usize>) {
        if restored.code != Some(0) {
            round.found.blame(Fault::Wrong, 1, &format!("the restore ended with {:?}", restored.code));
        }
        once_each(round, &count(self.source.iter().map(|seen| seen.body.number)), named, " after the restore");
        let back: Vec<Body> = new_ones(round, &self.source).collect();
        if round.scenario.verb == Verb::Purge {
            let (deleted, wanted) = (count(back.iter().map(|body| body.number)).len(), round.wanted());
            if deleted != wanted {
                let what = format!("{deleted} messages were put back, deleted should be {wanted}");
                round.found.blame(Fault::Wrong, deleted.abs_diff(wanted), &what);
            }
            let others: Vec<usize> =
                back.iter().filter(|body| !round.is_selected(**body)).map(|body| body.number).collect();
            round.found.blame_each(Fault::Wrong, &others, "were deleted and not selected");
            round.found.uncertain += named.len();
        }
        if keeps_order(round.scenario) {
            in_order(round, &back, named, "of what was put back");
        }
    }

    /// Numbers of the messages that left the source: at the destination, worked off there, or parked.
    fn everywhere(&self) -> impl Iterator<Item = usize> {
        let bodies = self.consumed.iter().chain(&self.parked).copied();
        bodies.chain(self.destination.iter().map(|seen| seen.body)).map(|body| body.number)
    }
}

fn count(numbers: impl Iterator<Item = usize>) -> BTreeMap<usize, usize> {
    let mut counts = BTreeMap::new();
    numbers.for_each(|number| *counts.entry(number).or_default() += 1);
    counts
}

/// Those of a queue that were not in the source from the first.
fn new_ones(round: &Round, seen: &[Seen]) -> impl Iterator<Item = Body> + use<> {
    let first: BTreeSet<&String> = round.ids.iter().collect();
    let new: Vec<Body> = seen.iter().filter(|seen| !first.contains(&seen.id)).map(|seen| seen.body).collect();
    new.into_iter()
}

fn once_each(round: &mut Round, counts: &BTreeMap<usize, usize>, named: &BTreeSet<usize>, when: &str) {
    let all = 0..round.bodies.len();
    let lost: Vec<usize> = all.clone().filter(|number| !counts.contains_key(number)).collect();
    round.found.blame_each(Fault::Lost, &lost, &format!("are lost{when}"));
    let twice = all.filter(|number| counts.get(number).is_some_and(|count| *count > 1) && !named.contains(number));
    let twice: Vec<usize> = twice.collect();
    round.found.blame_each(Fault::Doubled, &twice, &format!("are there twice{when}, and nobody said so"));
}

/// In each group the messages are in the order in which they were sent first; those named stay out of it.
fn in_order(round: &mut Round, bodies: &[Body], named: &BTreeSet<usize>, what: &str) {
    let (mut last, mut seen): (BTreeMap<usize, usize>, BTreeSet<usize>) = Default::default();
    let mut overtaken = Vec::new();
    for body in bodies.iter().filter(|body| !named.contains(&body.number)) {
        if !seen.insert(body.number) {
            continue;
        }
        let last = last.entry(body.group()).or_insert(body.number);
        if *last > body.number {
            overtaken.push(body.number);
        }
        *last = (*last).max(body.number);
    }
    round.found.blame_each(Fault::Disordered, &overtaken, &format!("are behind a later one of their group, {what}"));
}

/// In each group those that were moved come before those that a limit left.
fn first_ones(round: &mut Round, moved: &BTreeMap<usize, usize>, named: &BTreeSet<usize>) {
    let selected = round.bodies.iter().filter(|body| round.is_selected(**body) && !named.contains(&body.number));
    let (mut left, mut wrong): (BTreeSet<usize>, Vec<usize>) = Default::default();
    for body in selected {
        if !moved.contains_key(&body.number) {
            left.insert(body.group());
        } else if left.contains(&body.group()) {
            wrong.push(body.number);
        }
    }
    round.found.blame_each(Fault::Disordered, &wrong, "were moved although an earlier one of their group was left");
}
