//! Groups in which a failed or stuck row stands before others.

use super::{Sql, Writer};
use crate::{
    domain::{RowState, Rows, Statement, Value},
    outboxes::condition::Condition,
};

/// Rows that wait, the oldest of them, among which the held ones are looked for; and failed or stuck rows that may hold them.
pub const BLOCKED_SCAN_MAX: u64 = 10_000;
const HEADS_MAX: u64 = 1_000;
const GROUPS_MAX: u64 = 100;

/// A group that is held, and the row at its head.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockedGroups {
    pub group: String,
    /// The oldest failed or stuck row of the group.
    pub head: Vec<Value>,
    pub head_state: RowState,
    /// Rows behind it, of the first [`BLOCKED_SCAN_MAX`] that wait.
    pub held: u64,
}

impl Sql {
    /// Groups with a failed or stuck row that is older than rows that wait, those with most of them first. None where the mapping
    /// knows no groups. Whether the relay really holds such a group is [`crate::domain::RowMapping::group_blocks`].
    pub fn blocked_groups(&self) -> Option<Statement> {
        let group = self.mapping.group.as_ref()?;
        let heads = Condition::any([self.rules.exactly(RowState::Failed), self.rules.exactly(RowState::Stuck)]);
        let waiting = Condition::any([self.rules.exactly(RowState::Ready), self.rules.exactly(RowState::Scheduled)]);
        let aged = self.aged_by();
        let mut writer = self.writer();
        writer.push("SELECT h.grp, h.state, count(*)");
        for column in &self.mapping.id {
            writer.push(", ").read_of("h", column);
        }
        writer.push(" FROM (SELECT a.*, row_number() OVER (PARTITION BY a.grp ORDER BY ");
        writer.columns_of("a", &aged).push(") AS place FROM (SELECT ").columns_of("t", &aged).push(", ");
        writer.bounded(group).push(" AS grp, ").state(&self.rules).push(" AS state FROM ").from();
        writer.push(" WHERE ").condition(&heads).push(" ORDER BY ").columns_of("t", &aged).limit(HEADS_MAX);
        writer.push(") AS a) AS h JOIN (SELECT ").columns_of("t", &aged).push(", ").bounded(group);
        writer.push(" AS grp FROM ").from().push(" WHERE ").condition(&waiting).push(" ORDER BY ");
        writer.sorted_by().limit(BLOCKED_SCAN_MAX).push(") AS y ON y.grp = h.grp AND ");
        writer.younger(&aged).push(" WHERE h.place = 1 GROUP BY h.grp, h.state");
        for column in &self.mapping.id {
            writer.push(", h.").name(column);
        }
        writer.push(" ORDER BY count(*) DESC, h.grp").limit(GROUPS_MAX);
        Some(writer.finish())
    }

    /// What [`Sql::blocked_groups`] gives.
    pub fn blocked(&self, rows: &Rows) -> Vec<BlockedGroups> {
        let one = |row: &Vec<Value>| {
            let [Value::Text(group), Value::Integer(state), Value::Integer(held), head @ ..] = row.as_slice() else {
                return None;
            };
            Some(BlockedGroups {
                group: group.clone(),
                head: head.to_vec(),
                head_state: *RowState::ALL.get(usize::try_from(*state).ok()?)?,
                held: u64::try_from(*held).ok()?,
            })
        };
        rows.rows.iter().filter_map(one).collect()
    }

    /// Columns that say which of two rows is older: not when it is due, which moves with each attempt.
    fn aged_by(&self) -> Vec<&str> {
        let mut columns: Vec<&str> = self.mapping.created.iter().map(String::as_str).collect();
        let more: Vec<&str> = if columns.is_empty() {
            self.mapping.sorted_by()
        } else {
            self.mapping.id.iter().map(String::as_str).collect()
        };
        columns.extend(more.into_iter().filter(|column| !columns.contains(column)).collect::<Vec<_>>());
        // The head's id is read of them.
        columns
    }
}

impl Writer<'_> {
    fn columns_of(&mut self, alias: &str, columns: &[&str]) -> &mut Self {
        self.list(columns.iter(), |writer, column| {
            writer.push(alias).push(".").name(column);
        })
    }

    /// `y` is younger than `h`, column by column.
    fn younger(&mut self, columns: &[&str]) -> &mut Self {
        self.push("(").columns_of("y", columns).push(") > (").columns_of("h", columns).push(")")
    }
}
