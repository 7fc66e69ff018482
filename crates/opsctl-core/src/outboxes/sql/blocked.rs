//! Groups in which a failed or stuck row stands before others.

use super::{Among, COUNT_MAX, Sql, Writer};
use crate::domain::{RowState, Rows, Statement, Value};

/// Rows that wait, the oldest of them, among which the held ones are looked for; and failed or stuck rows that may hold them.
pub const BLOCKED_SCAN_MAX: u64 = 5_000;
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
        let (aged, heads) = (self.aged_by(), [RowState::Failed, RowState::Stuck]);
        let columns = |writer: &mut Writer<'_>| {
            writer.columns_of("t", &aged).push(", ").bounded(group).push(" AS opsctl_group");
        };
        let mut writer = self.writer();
        // One pass over both in order, group by group: a join would compare each with each where the server expects few rows.
        writer.push("SELECT q.opsctl_group, q.opsctl_state, q.opsctl_all - q.opsctl_before");
        for column in &self.mapping.id {
            writer.push(", ").read_of("q", column);
        }
        writer.push(" FROM (SELECT u.*, count(CASE WHEN u.opsctl_head = 1 THEN 1 END) OVER w AS opsctl_place, ");
        writer.push("count(CASE WHEN u.opsctl_head = 0 THEN 1 END) OVER w AS opsctl_before, ");
        writer.push("count(CASE WHEN u.opsctl_head = 0 THEN 1 END) OVER (PARTITION BY u.opsctl_group) AS opsctl_all");
        writer.push(" FROM (SELECT a.*, 1 AS opsctl_head FROM (SELECT f.* FROM (");
        // Where the relay's order is that of age, one that waits behind the first rows holds none of them: no need to look further.
        let by_age = self.mapping.sorted_by().first() == aged.first();
        writer.rows_in(&heads, if by_age { Among::Ended } else { Among::All }, COUNT_MAX, &columns);
        writer.push(") AS f ORDER BY ").columns_of("f", &aged).limit(HEADS_MAX);
        writer.push(") AS a UNION ALL SELECT y.*, CASE WHEN y.opsctl_state IN (").places(&heads);
        writer
            .push(") THEN 1 ELSE 0 END FROM (")
            .head(BLOCKED_SCAN_MAX, &columns)
            .push(") AS y WHERE y.opsctl_state IN (");
        writer.places(&[&heads[..], &[RowState::Ready, RowState::Scheduled]].concat());
        writer.push(")) AS u WHERE u.opsctl_group IS NOT NULL WINDOW w AS (PARTITION BY u.opsctl_group ORDER BY ");
        writer.columns_of("u", &aged).push(" ROWS UNBOUNDED PRECEDING)) AS q WHERE q.opsctl_head = 1 ");
        writer.push("AND q.opsctl_place = 1 AND q.opsctl_all > q.opsctl_before ");
        writer.push("ORDER BY q.opsctl_all - q.opsctl_before DESC, q.opsctl_group").limit(GROUPS_MAX);
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
}
