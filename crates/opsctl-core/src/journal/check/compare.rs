//! The lines of a snapshot, one by one, against what the journal announced.

use std::collections::{HashMap, HashSet};

use super::{Announced, Damage, Located, Snapshot};
use crate::{
    domain::MessageId,
    journal::{IntentMessage, snapshot::half},
};

/// A message that was announced, and so has a line.
#[derive(Debug)]
pub(super) struct Expected {
    id: MessageId,
    batch: u64,
    /// Number of its record, from 1: its messages stand in the snapshot in the record's order.
    intent: usize,
    /// None: what the journal has is no hash.
    content: Option<u128>,
    line: Option<Option<u128>>,
}

impl Expected {
    pub(super) fn of(message: IntentMessage, batch: u64, intent: usize) -> Self {
        let (content, line) = (half(&message.hash), message.saved.as_deref().map(half));
        Self { id: message.id, batch, intent, content, line }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It is the line of that announcement.
    Is(usize),
    /// It was to be, and has another content.
    Changed,
    /// Nothing announced it, or something that has its line already.
    Unknown,
}

/// Compares from the end: a try that broke off may have written lines that it could not announce, and the next try used their batch
/// numbers again. So the later line of two is the announced one.
pub(super) fn compare(announced: Announced, lines: Vec<Located>) -> Snapshot {
    let standings = standings(&announced, &lines);
    let known: HashSet<(u64, &MessageId)> = match standings.contains(&Standing::Unknown) {
        true => announced.expected.iter().map(|one| (one.batch, &one.id)).collect(),
        false => HashSet::new(),
    };
    let mut damage = Damage::default();
    let by_number = |index: usize| index as u64 + 1;
    // What stands between two announced lines is left over from a crash, if one happened there.
    let mut upper = announced.expected.len();
    let mut unknown: Vec<usize> = Vec::new();
    let settle = |unknown: &mut Vec<usize>, low: usize, high: usize, damage: &mut Damage| {
        let crashed = announced.broke_off.iter().any(|at| (low..=high).contains(at))
            || high == announced.expected.len() && announced.is_open;
        for index in unknown.drain(..).filter(|_| !crashed) {
            let id = lines[index].saved.as_ref().ok().map(|saved| (saved.batch, &saved.message.id));
            let twice = id.is_some_and(|id| known.contains(&id));
            if twice { damage.doubled.push(by_number(index)) } else { damage.foreign.push(by_number(index)) }
        }
    };
    for (index, standing) in standings.iter().enumerate().rev() {
        match *standing {
            Standing::Is(at) => {
                settle(&mut unknown, at + 1, upper.max(at + 1), &mut damage);
                upper = at;
            }
            Standing::Changed => damage.changed.push(by_number(index)),
            Standing::Unknown => unknown.push(index),
        }
    }
    settle(&mut unknown, 0, upper, &mut damage);
    let found: HashSet<usize> = standings.iter().filter_map(|standing| place(*standing)).collect();
    let missing = (0..announced.expected.len()).filter(|at| !found.contains(at));
    damage.missing = missing.map(|at| announced.expected[at].id.clone()).collect();
    damage.missing.dedup();
    damage.moved = moved(&announced, &standings);
    for lines in [&mut damage.changed, &mut damage.doubled, &mut damage.foreign] {
        lines.sort_unstable();
    }
    let intact = lines.into_iter().zip(&standings).filter(|(_, standing)| place(**standing).is_some());
    Snapshot { intact: intact.map(|(line, _)| line).collect(), damage }
}

fn place(standing: Standing) -> Option<usize> {
    match standing {
        Standing::Is(at) => Some(at),
        Standing::Changed | Standing::Unknown => None,
    }
}

fn standings(announced: &Announced, lines: &[Located]) -> Vec<Standing> {
    // Places of those announced, of which a batch has each message once; of the batch numbers that a crash made stand twice, too.
    let mut open: HashMap<(u64, &MessageId), Vec<usize>> = HashMap::new();
    for (at, one) in announced.expected.iter().enumerate() {
        open.entry((one.batch, &one.id)).or_default().push(at);
    }
    let from = announced.from.as_ref().map(|from| from.name());
    let mut standings: Vec<Standing> = lines
        .iter()
        .rev()
        .map(|line| {
            let Ok(saved) = &line.saved else { return Standing::Changed };
            let Some(places) = open.get_mut(&(saved.batch, &saved.message.id)) else { return Standing::Unknown };
            let Some(at) = places.last().copied() else { return Standing::Unknown };
            let one = &announced.expected[at];
            let fits = line.content == one.content
                && one.line.is_none_or(|hash| hash == Some(line.hash))
                && from.as_ref().is_none_or(|from| saved.from.name() == *from);
            if !fits {
                return Standing::Changed;
            }
            places.pop();
            Standing::Is(at)
        })
        .collect();
    standings.reverse();
    standings
}

/// Lines that stand before one that was written earlier. Within a batch, what goes to several destinations is announced destination
/// by destination, and written as it was received.
fn moved(announced: &Announced, standings: &[Standing]) -> Vec<u64> {
    let mut moved = Vec::new();
    // For each that was announced, the first one of its batch.
    let mut first_of_batch: Vec<usize> = Vec::with_capacity(announced.expected.len());
    for (at, one) in announced.expected.iter().enumerate() {
        let first = first_of_batch.last().copied().filter(|first| announced.expected[*first].batch == one.batch);
        first_of_batch.push(first.unwrap_or(at));
    }
    let (mut batch, mut last_of_intent): (usize, HashMap<usize, usize>) = (0, HashMap::new());
    for (index, standing) in standings.iter().enumerate() {
        let Some(at) = place(*standing) else { continue };
        let last = last_of_intent.entry(announced.expected[at].intent).or_insert(at);
        if first_of_batch[at] < batch || at < *last {
            moved.push(index as u64 + 1);
        }
        batch = batch.max(first_of_batch[at]);
        *last = at.max(*last);
    }
    moved
}
