//! From a mapping to the conditions that make a row's state. The first that holds counts; a row that none holds for is unaccounted.

use super::condition::{Comparison, Member, RowCondition, Side};
use crate::domain::{
    Attempts, AttemptsMax, Dead, In, Lease, Literal, Primitive, RowMapping, RowState, Satellite, Scope,
};

/// The states of an outbox's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Which rows of the table are the outbox's.
    pub scope: RowCondition,
    /// In the order in which they are asked. A state may stand there more than once.
    pub list: Vec<(RowState, RowCondition)>,
    /// Whether no row says what became of it: the relay reads the database's log. Then there are no rules.
    pub outside: bool,
}

impl Rules {
    pub fn of(mapping: &RowMapping) -> Self {
        let scope = RowCondition::all(mapping.scope.iter().map(scoped));
        let outside = matches!(mapping.primitive, Primitive::Cdc { .. });
        let mut list = ends(mapping);
        list.extend(pending(mapping));
        list.retain(|(_, condition)| *condition != RowCondition::Never);
        Self { scope, list, outside }
    }

    /// True for the rows of the outbox that are in that state, and for no others. [`RowCondition::Never`] where the mapping has no such
    /// state.
    pub fn exactly(&self, state: RowState) -> RowCondition {
        let mut earlier: Vec<RowCondition> = Vec::new();
        let mut choices: Vec<RowCondition> = Vec::new();
        for (of, condition) in &self.list {
            if *of == state {
                choices.push(RowCondition::all(std::iter::once(condition.clone()).chain(earlier.iter().cloned())));
            }
            earlier.push(condition.clone().opposite());
        }
        if state == RowState::Unaccounted && !self.outside {
            choices.push(RowCondition::all(earlier));
        }
        RowCondition::all([RowCondition::any(choices), self.scope.clone()])
    }

    /// The states that rows of this outbox can be in, as they are shown.
    pub fn states(&self) -> Vec<RowState> {
        RowState::ALL.into_iter().filter(|state| self.exactly(*state) != RowCondition::Never).collect()
    }
}

fn scoped(scope: &Scope) -> RowCondition {
    match &scope.is {
        In::Values(values) => RowCondition::In(scope.column.clone(), values.clone()),
        In::Except(values) => RowCondition::NotIn(scope.column.clone(), values.clone()),
        In::Null => RowCondition::IsNull(scope.column.clone()),
        In::NotNull => RowCondition::NotNull(scope.column.clone()),
    }
}

/// What is over with: published, given up, set aside. Decided before anything that looks at the clock.
fn ends(mapping: &RowMapping) -> Vec<(RowState, RowCondition)> {
    let mut list = Vec::new();
    match &mapping.primitive {
        Primitive::NullTime { column } => list.push((RowState::Published, RowCondition::NotNull(column.clone()))),
        Primitive::Flag { column, published } => {
            list.push((RowState::Published, RowCondition::is(column, published)));
        }
        Primitive::Status { done, .. } => {
            list.extend(done.iter().map(|column| (RowState::Published, RowCondition::NotNull(column.clone()))));
            for state in [RowState::Published, RowState::Failed, RowState::Held, RowState::Expired, RowState::Stuck] {
                list.push((state, with_status(mapping, state)));
            }
        }
        Primitive::Satellite { key, members, finished } => {
            list.extend(finished.iter().map(|column| (RowState::Published, RowCondition::NotNull(column.clone()))));
            list.extend(members.iter().flat_map(|member| satellite(key, member)));
        }
        Primitive::Offset(offset) => {
            list.push((RowState::Published, RowCondition::Acked(offset.clone())));
            list.extend(
                offset.transaction.iter().map(|(own, _)| (RowState::Held, RowCondition::Unsettled(own.clone()))),
            );
        }
        Primitive::Present | Primitive::Cdc { .. } => {}
    }
    let dead = mapping.dead.as_ref().map(|dead| match dead {
        Dead::NotNull(column) => RowCondition::NotNull(column.clone()),
        Dead::Is(column, value) => RowCondition::is(column, value),
    });
    list.extend(dead.map(|dead| (RowState::Failed, dead)));
    if !mapping.held.is_empty() {
        list.push((RowState::Held, RowCondition::all(mapping.held.iter().map(scoped))));
    }
    list
}

fn satellite(key: &str, member: &Satellite) -> Vec<(RowState, RowCondition)> {
    let exists = |later: Option<&String>| {
        let (table, column) = (member.table.clone(), member.column.clone());
        RowCondition::Exists(Member { table, column, key: key.to_owned(), later: later.cloned() })
    };
    match &member.due {
        Some(due) => vec![(member.state, exists(Some(due))), (RowState::Ready, exists(None))],
        None => vec![(member.state, exists(None))],
    }
}

/// What is not over with, by claim, attempts and times. `Never` stands for what the mapping does not know.
fn pending(mapping: &RowMapping) -> Vec<(RowState, RowCondition)> {
    let Some(waiting) = waiting(mapping) else { return Vec::new() };
    let claimed = match &mapping.primitive {
        Primitive::Status { .. } => with_status(mapping, RowState::InProgress),
        Primitive::NullTime { .. }
        | Primitive::Flag { .. }
        | Primitive::Present
        | Primitive::Satellite { .. }
        | Primitive::Offset(_)
        | Primitive::Cdc { .. } => RowCondition::Never,
    };
    let (held, over) = lease(mapping.lease.as_ref());
    let (running, stuck) = if claimed == RowCondition::Never {
        (RowCondition::all([waiting.any.clone(), held]), RowCondition::all([waiting.any.clone(), over]))
    } else if mapping.lease.is_none() {
        (claimed, RowCondition::Never)
    } else {
        (RowCondition::all([claimed.clone(), held]), claimed)
    };
    let later = |column: &String| RowCondition::Compare(column.clone(), Comparison::More, Side::Now(0));
    let passed = |column: &String| RowCondition::Compare(column.clone(), Comparison::AtMost, Side::Now(0));
    let tried = mapping.attempts.as_ref().map_or(RowCondition::Never, used_up);
    let expired = mapping.expiry.as_ref().map_or(RowCondition::Never, passed);
    let scheduled = match &mapping.due {
        Some(due) => RowCondition::any([
            RowCondition::all([waiting.any.clone(), later(due)]),
            RowCondition::all([waiting.scheduled, RowCondition::IsNull(due.clone())]),
        ]),
        None => waiting.scheduled,
    };
    vec![
        (RowState::InProgress, running),
        (RowState::Failed, RowCondition::all([waiting.any.clone(), tried])),
        (RowState::Stuck, stuck),
        (RowState::Expired, RowCondition::all([waiting.any.clone(), expired])),
        (RowState::Scheduled, scheduled),
        (RowState::Ready, waiting.any),
    ]
}

/// Rows that wait for the relay, and those among them that a status calls scheduled.
struct Waiting {
    any: RowCondition,
    scheduled: RowCondition,
}

fn waiting(mapping: &RowMapping) -> Option<Waiting> {
    let plain = |any: RowCondition| Some(Waiting { any, scheduled: RowCondition::Never });
    match &mapping.primitive {
        Primitive::NullTime { column } => plain(RowCondition::IsNull(column.clone())),
        // Not true, not false: somebody wrote something else there. NULL is what a row begins with where nothing is said.
        Primitive::Flag { column, published } => plain(not_published(column, published)),
        Primitive::Status { .. } => {
            let scheduled = with_status(mapping, RowState::Scheduled);
            Some(Waiting {
                any: RowCondition::any([with_status(mapping, RowState::Ready), scheduled.clone()]),
                scheduled,
            })
        }
        Primitive::Present => plain(RowCondition::Always),
        Primitive::Offset(offset) => plain(RowCondition::NotAcked(offset.clone())),
        Primitive::Satellite { .. } | Primitive::Cdc { .. } => None,
    }
}

/// A flag's other value is known where it is one of two: 0 and 1, or their texts.
fn not_published(column: &str, published: &Literal) -> RowCondition {
    let other = match published {
        Literal::Integer(number @ (0 | 1)) => Some(Literal::Integer(1 - number)),
        Literal::Text(text) => {
            let pairs = [("0", "1"), ("false", "true"), ("N", "Y"), ("n", "y"), ("f", "t")];
            let other = pairs.iter().find_map(|(no, yes)| match text.as_str() {
                word if word == *no => Some(*yes),
                word if word == *yes => Some(*no),
                _ => None,
            });
            other.map(|other| Literal::Text(other.to_owned()))
        }
        Literal::Integer(_) => None,
    };
    match other {
        Some(other) => RowCondition::any([RowCondition::is(column, &other), RowCondition::IsNull(column.to_owned())]),
        None => RowCondition::is(column, published).opposite(),
    }
}

/// Rows whose status stands for that state.
fn with_status(mapping: &RowMapping, state: RowState) -> RowCondition {
    let Primitive::Status { column, states, null, .. } = &mapping.primitive else { return RowCondition::Never };
    let values: Vec<Literal> = states.iter().filter(|(_, of)| *of == state).map(|(value, _)| value.clone()).collect();
    let listed = if values.is_empty() { RowCondition::Never } else { RowCondition::In(column.clone(), values) };
    let none = if *null == Some(state) { RowCondition::IsNull(column.clone()) } else { RowCondition::Never };
    RowCondition::any([listed, none])
}

/// A claim that holds, and one that has run out.
fn lease(lease: Option<&Lease>) -> (RowCondition, RowCondition) {
    let (column, since) = match lease {
        None => return (RowCondition::Never, RowCondition::Never),
        Some(Lease::Owner(column)) => return (RowCondition::NotNull(column.clone()), RowCondition::Never),
        Some(Lease::Until(column)) => (column, 0),
        Some(Lease::Since { column, ttl_seconds }) => (column, -i64::from(*ttl_seconds)),
    };
    let compared = |comparison| RowCondition::Compare(column.clone(), comparison, Side::Now(since));
    (compared(Comparison::More), compared(Comparison::AtMost))
}

/// Rows that were tried as often as they may be. NULL was never tried, and a limit that is NULL limits nothing.
fn used_up(attempts: &Attempts) -> RowCondition {
    let side = match &attempts.max {
        None => return RowCondition::Never,
        Some(AttemptsMax::Number(max)) => Side::Number(i64::from(*max)),
        Some(AttemptsMax::Column(column)) => Side::Column(column.clone()),
    };
    RowCondition::Compare(attempts.column.clone(), Comparison::AtLeast, side)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outboxes::preset;

    fn rules(name: &str) -> Rules {
        Rules::of(&preset(name).expect("a preset").mapping)
    }

    #[test]
    fn a_row_that_is_tried_to_the_end_has_failed_even_where_its_claim_has_run_out() {
        let order: Vec<RowState> = rules("graphile-worker").list.iter().map(|(state, _)| *state).collect();
        let (failed, stuck) = (RowState::Failed, RowState::Stuck);
        assert_eq!(order, [RowState::InProgress, failed, stuck, RowState::Scheduled, RowState::Ready]);
    }

    #[test]
    fn what_waits_is_asked_for_in_the_words_of_an_index() {
        let ready = rules("outbox-transfers").exactly(RowState::Ready);
        let pending = RowCondition::is("state", &Literal::Text("PENDING".to_owned()));
        let RowCondition::All(parts) = &ready else { panic!("{ready:?}") };
        assert_eq!(parts.first(), Some(&pending), "{ready:?}");
        assert_eq!(rules("debezium").states(), []);
        assert_eq!(rules("cap-published").exactly(RowState::InProgress), RowCondition::Never);
    }
}
