//! From a mapping to the conditions that make a row's state. The first that holds counts; a row that none holds for is unaccounted.

use super::condition::{Comparison, Condition, Member, Side};
use crate::domain::{
    Attempts, AttemptsMax, Dead, In, Lease, Literal, Primitive, RowMapping, RowState, Satellite, Scope,
};

/// The states of an outbox's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Which rows of the table are the outbox's.
    pub scope: Condition,
    /// In the order in which they are asked. A state may stand there more than once.
    pub list: Vec<(RowState, Condition)>,
    /// Whether no row says what became of it: the relay reads the database's log. Then there are no rules.
    pub outside: bool,
}

impl Rules {
    pub fn of(mapping: &RowMapping) -> Self {
        let scope = Condition::all(mapping.scope.iter().map(scoped));
        let outside = matches!(mapping.primitive, Primitive::Cdc { .. });
        let mut list = ends(mapping);
        list.extend(pending(mapping));
        list.retain(|(_, condition)| *condition != Condition::Never);
        Self { scope, list, outside }
    }

    /// True for the rows of the outbox that are in that state, and for no others. [`Condition::Never`] where the mapping has no such
    /// state.
    pub fn exactly(&self, state: RowState) -> Condition {
        let mut earlier: Vec<Condition> = Vec::new();
        let mut choices: Vec<Condition> = Vec::new();
        for (of, condition) in &self.list {
            if *of == state {
                choices.push(Condition::all(std::iter::once(condition.clone()).chain(earlier.iter().cloned())));
            }
            earlier.push(condition.clone().opposite());
        }
        if state == RowState::Unaccounted && !self.outside {
            choices.push(Condition::all(earlier));
        }
        Condition::all([Condition::any(choices), self.scope.clone()])
    }

    /// The states that rows of this outbox can be in, as they are shown.
    pub fn states(&self) -> Vec<RowState> {
        RowState::ALL.into_iter().filter(|state| self.exactly(*state) != Condition::Never).collect()
    }
}

fn scoped(scope: &Scope) -> Condition {
    match &scope.is {
        In::Values(values) => Condition::In(scope.column.clone(), values.clone()),
        In::Except(values) => Condition::NotIn(scope.column.clone(), values.clone()),
        In::Null => Condition::IsNull(scope.column.clone()),
        In::NotNull => Condition::NotNull(scope.column.clone()),
    }
}

/// What is over with: published, given up, set aside. Decided before anything that looks at the clock.
fn ends(mapping: &RowMapping) -> Vec<(RowState, Condition)> {
    let mut list = Vec::new();
    match &mapping.primitive {
        Primitive::NullTime { column } => list.push((RowState::Published, Condition::NotNull(column.clone()))),
        Primitive::Flag { column, published } => {
            list.push((RowState::Published, Condition::is(column, published)));
        }
        Primitive::Status { done, .. } => {
            list.extend(done.iter().map(|column| (RowState::Published, Condition::NotNull(column.clone()))));
            for state in [RowState::Published, RowState::Failed, RowState::Held, RowState::Expired, RowState::Stuck] {
                list.push((state, with_status(mapping, state)));
            }
        }
        Primitive::Satellite { key, members, finished } => {
            list.extend(finished.iter().map(|column| (RowState::Published, Condition::NotNull(column.clone()))));
            list.extend(members.iter().flat_map(|member| satellite(key, member)));
        }
        Primitive::Offset(offset) => {
            list.push((RowState::Published, Condition::Acked(offset.clone())));
            list.extend(offset.transaction.iter().map(|(own, _)| (RowState::Held, Condition::Unsettled(own.clone()))));
        }
        Primitive::Present | Primitive::Cdc { .. } => {}
    }
    let dead = mapping.dead.as_ref().map(|dead| match dead {
        Dead::NotNull(column) => Condition::NotNull(column.clone()),
        Dead::Is(column, value) => Condition::is(column, value),
    });
    list.extend(dead.map(|dead| (RowState::Failed, dead)));
    if !mapping.held.is_empty() {
        list.push((RowState::Held, Condition::all(mapping.held.iter().map(scoped))));
    }
    list
}

fn satellite(key: &str, member: &Satellite) -> Vec<(RowState, Condition)> {
    let exists = |later: Option<&String>| {
        let (table, column) = (member.table.clone(), member.column.clone());
        Condition::Exists(Member { table, column, key: key.to_owned(), later: later.cloned() })
    };
    match &member.due {
        Some(due) => vec![(member.state, exists(Some(due))), (RowState::Ready, exists(None))],
        None => vec![(member.state, exists(None))],
    }
}

/// What is not over with, by claim, attempts and times. `Never` stands for what the mapping does not know.
fn pending(mapping: &RowMapping) -> Vec<(RowState, Condition)> {
    let Some(waiting) = waiting(mapping) else { return Vec::new() };
    let claimed = match &mapping.primitive {
        Primitive::Status { .. } => with_status(mapping, RowState::InProgress),
        Primitive::NullTime { .. }
        | Primitive::Flag { .. }
        | Primitive::Present
        | Primitive::Satellite { .. }
        | Primitive::Offset(_)
        | Primitive::Cdc { .. } => Condition::Never,
    };
    let (held, over) = lease(mapping.lease.as_ref());
    let (running, stuck) = if claimed == Condition::Never {
        (Condition::all([waiting.any.clone(), held]), Condition::all([waiting.any.clone(), over]))
    } else if mapping.lease.is_none() {
        (claimed, Condition::Never)
    } else {
        (Condition::all([claimed.clone(), held]), claimed)
    };
    let later = |column: &String| Condition::Compare(column.clone(), Comparison::More, Side::Now(0));
    let passed = |column: &String| Condition::Compare(column.clone(), Comparison::AtMost, Side::Now(0));
    let tried = mapping.attempts.as_ref().map_or(Condition::Never, used_up);
    let expired = mapping.expiry.as_ref().map_or(Condition::Never, passed);
    let scheduled = match &mapping.due {
        Some(due) => Condition::any([
            Condition::all([waiting.any.clone(), later(due)]),
            Condition::all([waiting.scheduled, Condition::IsNull(due.clone())]),
        ]),
        None => waiting.scheduled,
    };
    vec![
        (RowState::InProgress, running),
        (RowState::Failed, Condition::all([waiting.any.clone(), tried])),
        (RowState::Stuck, stuck),
        (RowState::Expired, Condition::all([waiting.any.clone(), expired])),
        (RowState::Scheduled, scheduled),
        (RowState::Ready, waiting.any),
    ]
}

/// Rows that wait for the relay, and those among them that a status calls scheduled.
struct Waiting {
    any: Condition,
    scheduled: Condition,
}

fn waiting(mapping: &RowMapping) -> Option<Waiting> {
    let plain = |any: Condition| Some(Waiting { any, scheduled: Condition::Never });
    match &mapping.primitive {
        Primitive::NullTime { column } => plain(Condition::IsNull(column.clone())),
        // Not true, not false: somebody wrote something else there. NULL is what a row begins with where nothing is said.
        Primitive::Flag { column, published } => plain(not_published(column, published)),
        Primitive::Status { .. } => {
            let scheduled = with_status(mapping, RowState::Scheduled);
            Some(Waiting { any: Condition::any([with_status(mapping, RowState::Ready), scheduled.clone()]), scheduled })
        }
        Primitive::Present => plain(Condition::Always),
        Primitive::Offset(offset) => plain(Condition::NotAcked(offset.clone())),
        Primitive::Satellite { .. } | Primitive::Cdc { .. } => None,
    }
}

/// A flag's other value is known where it is one of two: 0 and 1, or their texts.
fn not_published(column: &str, published: &Literal) -> Condition {
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
        Some(other) => Condition::any([Condition::is(column, &other), Condition::IsNull(column.to_owned())]),
        None => Condition::is(column, published).opposite(),
    }
}

/// Rows whose status stands for that state.
fn with_status(mapping: &RowMapping, state: RowState) -> Condition {
    let Primitive::Status { column, states, null, .. } = &mapping.primitive else { return Condition::Never };
    let values: Vec<Literal> = states.iter().filter(|(_, of)| *of == state).map(|(value, _)| value.clone()).collect();
    let listed = if values.is_empty() { Condition::Never } else { Condition::In(column.clone(), values) };
    let none = if *null == Some(state) { Condition::IsNull(column.clone()) } else { Condition::Never };
    Condition::any([listed, none])
}

/// A claim that holds, and one that has run out.
fn lease(lease: Option<&Lease>) -> (Condition, Condition) {
    let (column, since) = match lease {
        None => return (Condition::Never, Condition::Never),
        Some(Lease::Owner(column)) => return (Condition::NotNull(column.clone()), Condition::Never),
        Some(Lease::Until(column)) => (column, 0),
        Some(Lease::Since { column, ttl_seconds }) => (column, -i64::from(*ttl_seconds)),
    };
    let compared = |comparison| Condition::Compare(column.clone(), comparison, Side::Now(since));
    (compared(Comparison::More), compared(Comparison::AtMost))
}

/// Rows that were tried as often as they may be. NULL was never tried, and a limit that is NULL limits nothing.
fn used_up(attempts: &Attempts) -> Condition {
    let side = match &attempts.max {
        None => return Condition::Never,
        Some(AttemptsMax::Number(max)) => Side::Number(i64::from(*max)),
        Some(AttemptsMax::Column(column)) => Side::Column(column.clone()),
    };
    Condition::Compare(attempts.column.clone(), Comparison::AtLeast, side)
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
        let pending = Condition::is("state", &Literal::Text("PENDING".to_owned()));
        let Condition::All(parts) = &ready else { panic!("{ready:?}") };
        assert_eq!(parts.first(), Some(&pending), "{ready:?}");
        assert_eq!(rules("debezium").states(), []);
        assert_eq!(rules("cap-published").exactly(RowState::InProgress), Condition::Never);
    }
}
