//! Rows in some of the states, read by the indexes that a look needs, and a bounded number of them: those that are over with by what
//! says so, and those among the rows that wait by the order of the relay.

use super::{COUNT_MAX, Writer};
use crate::{domain::RowState, outboxes::condition::RowCondition};

/// Rows in these states that are looked at among those that wait.
const PICKED_MAX: u64 = 10_000;

/// Where rows of a state are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Among {
    All,
    /// Only those that are over with: none of the state is known to be among those that wait.
    Ended,
}

impl Writer<'_> {
    /// A query of these columns of so many rows in these states, and of each row's state as `opsctl_state`.
    pub(super) fn rows_in(
        &mut self,
        states: &[RowState],
        among: Among,
        rows_max: u64,
        columns: &dyn Fn(&mut Self),
    ) -> &mut Self {
        let sql = self.sql;
        let ended = RowCondition::any(states.iter().map(|state| sql.ended(*state)));
        let waits = among == Among::All && states.iter().any(|state| sql.waiting_states().contains(state));
        if ended != RowCondition::Never || !waits {
            self.push("SELECT e.* FROM (SELECT ");
            columns(self);
            self.push(", ").state(&sql.rules).push(" AS opsctl_state FROM ").from().push(" WHERE ");
            self.condition(&ended).limit(rows_max).push(") AS e");
        }
        if ended != RowCondition::Never && waits {
            self.push(" UNION ALL ");
        }
        if waits {
            self.push("SELECT ");
            columns(self);
            self.push(", p.opsctl_state FROM (")
                .picked(states, rows_max.min(PICKED_MAX))
                .push(") AS p JOIN ")
                .from()
                .push(" ON ");
            for (place, column) in sql.mapping.id.iter().enumerate() {
                self.push(if place > 0 { " AND " } else { "" }).column(column).push(&format!(" = p.i{place}"));
            }
        }
        self
    }

    /// The ids of rows in these states among the first that wait, as `i0`, and their states.
    fn picked(&mut self, states: &[RowState], rows_max: u64) -> &mut Self {
        let ids = (0..self.sql.mapping.id.len()).map(|place| format!("w.i{place}"));
        self.push(&format!("SELECT {}, w.opsctl_state FROM (", ids.collect::<Vec<_>>().join(", ")));
        let sql = self.sql;
        let raw = |writer: &mut Self| {
            writer.list(sql.mapping.id.iter().enumerate(), |writer, (place, column)| {
                writer.column(column).push(&format!(" AS i{place}"));
            });
        };
        self.head(COUNT_MAX + 1, &raw).push(") AS w WHERE w.opsctl_state IN (").places(states).push(")");
        self.limit(rows_max)
    }

    /// A query of these columns of the first rows that wait, in the relay's order, and of each row's state as `opsctl_state`. Nothing
    /// but an index decides which rows these are: the states are looked at around it.
    pub(super) fn head(&mut self, rows_max: u64, columns: &dyn Fn(&mut Self)) -> &mut Self {
        let sql = self.sql;
        self.push("SELECT ");
        columns(self);
        self.push(", ");
        let waiting = match sql.waiting() {
            Some((waiting, _)) => waiting,
            None => RowCondition::any(
                RowState::ALL.into_iter().filter(|state| state.is_pending()).map(|state| sql.rules.exactly(state)),
            ),
        };
        self.state_within(&sql.rules, &waiting).push(" AS opsctl_state FROM ").from().push(" WHERE ");
        self.condition(&waiting).push(" ORDER BY ").sorted_by().limit(rows_max)
    }

    pub(super) fn places(&mut self, states: &[RowState]) -> &mut Self {
        self.list(states.iter(), |writer, state| {
            writer.push(&super::pages::place_of(*state).to_string());
        })
    }
}
