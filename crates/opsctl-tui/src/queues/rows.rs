//! Rows of the list: what fits the filter, sorted and grouped. Each is a place in a snapshot, not a copy.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::{Grouping, QueuesView, SortBy, Under};
use crate::{
    domain::{EnvironmentName, QueueKind},
    keymap::query::{Fit, Query, Search},
    model::{Model, Site},
    observe::{Seen, Severity, Subject},
    spark,
};

/// Longest name that SQS allows.
const NAME_MAX: usize = 80;

/// A queue's place: the environment's in the model, and the queue's in its snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct At {
    /// Index into the model's sites.
    pub site: u16,
    /// Index into the snapshot's queues.
    pub queue: u32,
}

/// A row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// Heading of a group: its index.
    Heading(u32),
    /// A queue.
    Queue(At),
}

/// Queues under one heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What is common to them: the environment's or the system's name; empty for those that share nothing.
    pub name: String,
    /// How many queues.
    pub queues: usize,
    /// Messages in those of them that are dead-letter queues.
    pub dead_letters: u64,
    /// How many may not be looked at.
    pub denied: usize,
    /// Whether only the heading is shown.
    pub folded: bool,
}

/// What all rows are about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Queues in the environments shown.
    pub queues: usize,
    /// Of these, those that may not be looked at.
    pub denied: usize,
    /// Of these, those that did not answer.
    pub silent: usize,
    /// Of these, those that fit filter and choice.
    pub fitting: usize,
}

/// The queue at a place.
pub fn seen_at(model: &Model, at: At) -> Option<(&Site, &Seen)> {
    let site = model.sites.get(usize::from(at.site))?;
    let seen = site.snapshot.as_ref()?.queues.get(at.queue as usize)?;
    Some((site, seen))
}

/// The place of a queue by name.
pub fn place_of(model: &Model, environment: &EnvironmentName, queue: &crate::domain::QueueName) -> Option<At> {
    let site = model.sites.iter().position(|site| site.environment.name == *environment)?;
    let queues = &model.sites[site].snapshot.as_ref()?.queues;
    let queue = queues.binary_search_by(|seen| seen.name.cmp(queue)).ok()?;
    Some(At { site: site as u16, queue: queue as u32 })
}

/// Brings the rows up to date; the cursor stays on what it was on.
pub(super) fn settle(model: &Model, view: &mut QueuesView, height: usize) {
    view.needs = needs(model);
    let all = chosen(model, view);
    let fitting = filtered(model, &view.filter, all);
    view.totals.fitting = fitting.len();
    let sorted = sort(model, view, &fitting);
    group(model, view, &sorted);
    let found = match &view.under {
        None => None,
        Some(Under::Queue(environment, queue)) => {
            place_of(model, environment, queue).and_then(|at| view.rows.iter().position(|row| *row == Row::Queue(at)))
        }
        Some(Under::Group(name)) => view
            .groups
            .iter()
            .position(|group| group.name == *name)
            .and_then(|at| view.rows.iter().position(|row| *row == Row::Heading(at as u32))),
    };
    if let Some(found) = found {
        view.cursor.at = found;
    }
    view.cursor.settle(view.rows.len(), height);
}

/// What needs somebody, by queue.
fn needs(model: &Model) -> HashMap<At, (Severity, u32)> {
    let verdicts = model.shown_sites().flat_map(|site| &site.verdicts);
    verdicts
        .filter_map(|verdict| match &verdict.subject {
            Subject::Queue(queue) => {
                let at = place_of(model, &verdict.environment, queue)?;
                Some((at, (verdict.severity, verdict.rank.weight)))
            }
            Subject::Environment
            | Subject::Queues
            | Subject::Parts(_)
            | Subject::Service(_)
            | Subject::Database(_)
            | Subject::Alarm(_)
            | Subject::Consumer(_) => None,
        })
        .collect()
}

/// Queues of the environments shown; dead-letter queues only, where that was chosen.
fn chosen(model: &Model, view: &mut QueuesView) -> Vec<At> {
    let mut totals = Totals::default();
    let mut longest = 0;
    let mut all = Vec::new();
    for (site, known) in model.sites.iter().enumerate() {
        if model.only.as_ref().is_some_and(|only| *only != known.environment.name) {
            continue;
        }
        let Some(snapshot) = &known.snapshot else { continue };
        totals.queues += snapshot.queues.len();
        all.reserve(snapshot.queues.len());
        for (queue, seen) in snapshot.queues.iter().enumerate() {
            if let Some(error) = &seen.error {
                let is_denied = error.kind == crate::cloud::ErrorKind::Denied;
                totals.denied += usize::from(is_denied);
                totals.silent += usize::from(!is_denied);
            }
            if !view.dead_letters_only || seen.dead_letters.is_some() {
                // SQS's names are ASCII: a byte is a column.
                longest = longest.max(seen.name.as_str().len());
                all.push(At { site: site as u16, queue: queue as u32 });
            }
        }
    }
    view.totals = totals;
    view.longest = longest.min(NAME_MAX) as u16;
    all
}

/// By name, and by the environment beside it.
fn filtered(model: &Model, filter: &str, all: Vec<At>) -> Vec<(Fit, At)> {
    let query = Query::parse(filter);
    if query.is_empty() {
        return all.into_iter().map(|at| (Fit::ANY, at)).collect();
    }
    let mut search = Search::default();
    let fit = |at: At| {
        let (site, seen) = seen_at(model, at)?;
        Some((search.fit(&query, seen.name.as_str(), &[&site.environment.name.0])?, at))
    };
    all.into_iter().filter_map(fit).collect()
}

/// What fits the filter better comes first, in a chosen order only what was typed whole; then by the column, what is not known
/// last; equals by environment and name.
fn sort(model: &Model, view: &QueuesView, all: &[(Fit, At)]) -> Vec<At> {
    let reversed = view.reversed;
    let mut keyed: Vec<((Fit, bool), u64, At)> = all
        .iter()
        .map(|(fit, at)| {
            let fit = if view.sort == SortBy::Worst { *fit } else { fit.exact_or_not() };
            let key = seen_at(model, *at).and_then(|(_, seen)| key(view, *at, seen, model.now));
            let turned = |key: u64| if reversed { u64::MAX - key } else { key };
            ((fit, key.is_none()), key.map_or(0, turned), *at)
        })
        .collect();
    let by_name = view.sort == SortBy::Name;
    keyed.sort_unstable_by(|(first, key, at), (other_first, other_key, other)| {
        let order = first.cmp(other_first).then(key.cmp(other_key));
        order.then_with(|| {
            // Snapshots hold queues by name.
            let names = if at.site == other.site {
                at.queue.cmp(&other.queue)
            } else if by_name {
                let name = |at: At| seen_at(model, at).map(|(_, seen)| &seen.name);
                name(*at).cmp(&name(*other)).then(at.site.cmp(&other.site))
            } else {
                at.site.cmp(&other.site)
            };
            if by_name && reversed { names.reverse() } else { names }
        })
    });
    keyed.into_iter().map(|(_, _, at)| at).collect()
}

/// Less comes first; none: not known.
fn key(view: &QueuesView, at: At, seen: &Seen, now: Timestamp) -> Option<u64> {
    let most = |number: u64| u64::MAX - number;
    let counts = seen.queue.as_ref().map(|queue| queue.counts);
    match view.sort {
        SortBy::Worst => Some(worst(view, at, seen)),
        SortBy::Environment => Some(u64::from(at.site)),
        SortBy::Name => Some(0),
        SortBy::Kind => Some(u64::from(seen.kind() == QueueKind::Fifo)),
        SortBy::Visible => counts.map(|counts| most(counts.visible)),
        SortBy::InFlight => counts.map(|counts| most(counts.in_flight)),
        SortBy::Delayed => counts.map(|counts| most(counts.delayed)),
        SortBy::Oldest => oldest_seconds(seen, now).map(most),
        SortBy::Expires => expires_seconds(seen, now).map(|seconds| seconds.max(0).cast_unsigned()),
        SortBy::DeadLetters => match (&seen.dead_letters, seen.feeds()) {
            (Some(_), _) => Some(0),
            (None, Some(_)) => Some(1),
            (None, None) => None,
        },
        // From the middle of what a number holds: falling comes after rising.
        SortBy::Trend => {
            spark::rise(&seen.trend).map(|rise| (i64::MAX / 2).saturating_sub(rise).max(0).cast_unsigned())
        }
        SortBy::Seen => Some(seen.at.map_or(0, |at| at.as_second().max(0).cast_unsigned())),
    }
}

/// What Home has comes first, in its order; then what could not be looked at, dead-letter queues, and the rest.
fn worst(view: &QueuesView, at: At, seen: &Seen) -> u64 {
    const CLASS: u64 = 1 << 48;
    let most = |weight: u32| u64::from(999 - weight.min(999));
    let messages = seen.messages().unwrap_or(0).min(CLASS - 1);
    match view.needs.get(&at) {
        Some((severity, weight)) => (*severity as u64 * 1_000 + most(*weight)) * CLASS + (CLASS - 1 - messages),
        None if seen.error.is_some() => 4_000 * CLASS,
        None if seen.dead_letters.is_some() => 4_001 * CLASS,
        None => 4_002 * CLASS,
    }
}

/// How old the oldest message is, by the last sample; none where that says nothing: no messages, or a sample of long ago.
pub fn oldest_seconds(seen: &Seen, now: Timestamp) -> Option<u64> {
    let oldest = seen.oldest?;
    let since = now.duration_since(oldest.at).max(SignedDuration::ZERO);
    let is_empty = seen.messages() == Some(0);
    (since <= SignedDuration::from_hours(1) && !is_empty)
        .then(|| oldest.seconds.saturating_add(since.as_secs().cast_unsigned()))
}

/// How long until a dead-letter queue's oldest message is deleted; less than nothing: it is happening. CloudWatch counts from
/// the message's arrival there, SQS from when it was first sent (standard queues), so it is this long at most.
pub fn expires_seconds(seen: &Seen, now: Timestamp) -> Option<i64> {
    seen.dead_letters.as_ref()?;
    let retention = i64::try_from(seen.queue.as_ref()?.retention_seconds).ok()?;
    let age = i64::try_from(oldest_seconds(seen, now)?).ok()?;
    Some(retention - age)
}

fn group(model: &Model, view: &mut QueuesView, all: &[At]) {
    view.rows.clear();
    view.groups.clear();
    if view.grouping == Grouping::None {
        view.rows.extend(all.iter().map(|at| Row::Queue(*at)));
        return;
    }
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut members: Vec<(&str, Vec<At>)> = Vec::new();
    for at in all {
        let Some((site, seen)) = seen_at(model, *at) else { continue };
        let name = match view.grouping {
            Grouping::System => system(seen.name.as_str(), &site.environment.name.0),
            Grouping::Environment | Grouping::None => site.environment.name.0.as_str(),
        };
        let place = *places.entry(name).or_insert_with(|| {
            members.push((name, Vec::new()));
            members.len() - 1
        });
        members[place].1.push(*at);
    }
    if view.grouping == Grouping::System {
        // A queue that shares its name's beginning with no other is no system.
        let (systems, alone): (Vec<_>, Vec<_>) = members.into_iter().partition(|(_, queues)| queues.len() > 1);
        members = systems;
        let alone: Vec<At> = alone.into_iter().flat_map(|(_, queues)| queues).collect();
        if !alone.is_empty() {
            members.push(("", alone));
        }
    }
    let made: Vec<Group> = members.iter().map(|(name, queues)| heading(model, view, name, queues)).collect();
    for (at, (_, queues)) in members.iter().enumerate() {
        view.rows.push(Row::Heading(at as u32));
        if !made[at].folded {
            view.rows.extend(queues.iter().map(|at| Row::Queue(*at)));
        }
    }
    view.groups = made;
}

fn heading(model: &Model, view: &QueuesView, name: &str, queues: &[At]) -> Group {
    let seen = || queues.iter().filter_map(|at| Some(seen_at(model, *at)?.1));
    let dead = seen().filter(|seen| seen.dead_letters.is_some());
    Group {
        name: name.to_owned(),
        queues: queues.len(),
        dead_letters: dead.filter_map(Seen::messages).sum(),
        denied: seen().filter(|seen| seen.queue.is_none() && seen.error.is_some()).count(),
        folded: view.folded.contains(name),
    }
}

/// The system that a queue belongs to: its name up to the first `-`, `_` or `.`. An environment's name or `dlq` in front of
/// it says nothing about that.
pub fn system<'a>(name: &'a str, environment: &str) -> &'a str {
    let mut rest = name;
    loop {
        let end = rest.find(['-', '_', '.']).unwrap_or(rest.len());
        let part = &rest[..end];
        let says_nothing =
            part.eq_ignore_ascii_case(environment) || part.eq_ignore_ascii_case("dlq") || part.is_empty();
        match rest.get(end + 1..).filter(|after| says_nothing && !after.is_empty()) {
            Some(after) => rest = after,
            None => return part,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_what_names_begin_with() {
        for (name, meant) in [
            ("orders-dlq", "orders"),
            ("orders", "orders"),
            ("orders.fifo", "orders"),
            ("orders_refunds_dlq", "orders"),
            ("prod-orders-dlq", "orders"),
            ("dlq-orders", "orders"),
            ("prod", "prod"),
            ("-", ""),
            ("", ""),
            ("ördner-x", "ördner"),
        ] {
            assert_eq!(system(name, "prod"), meant, "{name}");
        }
    }
}
