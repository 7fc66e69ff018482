//! Which rows are meant: what somebody typed, as values of the table's columns.

use std::{collections::BTreeSet, path::Path};

use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::{RowState, Times, Try, Value},
    operations::{OperationError, ids, values::Seconds},
    outboxes::{Sql, sql::Selection},
};

const IDS_MAX: usize = 5_000;
const IDS_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Which rows somebody means, as it was typed.
#[derive(Debug, Clone, Copy)]
pub struct Choice<'a> {
    pub outbox: &'a str,
    pub id: &'a [String],
    pub ids: Option<&'a Path>,
    pub kind: &'a [String],
    pub group: &'a [String],
    pub filter: Option<&'a str>,
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub older_than: Option<Seconds>,
    pub newer_than: Option<Seconds>,
    pub limit: Option<u64>,
    pub holder: &'a [String],
    /// How old the claim is at least.
    pub claim: Option<Seconds>,
}

impl Choice<'_> {
    /// Whether it says more than a state: all rows that wait are hardly ever meant.
    pub(super) fn is_narrow(&self) -> bool {
        let lists = [self.id, self.kind, self.group];
        lists.iter().any(|list| !list.is_empty())
            || self.ids.is_some()
            || self.filter.is_some()
            || self.limit.is_some()
            || self.from.is_some()
            || self.until.is_some()
            || self.older_than.is_some()
            || self.newer_than.is_some()
    }

    /// The rows that are meant, of this table.
    ///
    /// # Errors
    /// A file of ids that can't be read, too many ids, ids of another shape than the table's, or a time where rows have none.
    pub(super) fn selection(
        &self,
        states: &[RowState],
        sql: &Sql,
        now: Timestamp,
    ) -> Result<Selection, OperationError> {
        let ago = |seconds: u32| now.checked_sub(SignedDuration::from_secs(seconds.into())).unwrap_or(now);
        let from = self.from.or(self.newer_than.map(|seconds| ago(seconds.0)));
        let until = self.until.or(self.older_than.map(|seconds| ago(seconds.0)));
        if (from.is_some() || until.is_some()) && sql.mapping.created.is_none() {
            let what = "the outbox's mapping names no column of the time when a row was created";
            return Err(OperationError::usage(what, Try::LeaveOut.says("leave out the times, or configure `created`")));
        }
        if !self.holder.is_empty() && sql.mapping.holder.is_none() {
            let what = "the outbox's mapping names no column of who has claimed a row";
            return Err(OperationError::usage(what, Try::LeaveOut.says("leave out --holder, or configure `holder`")));
        }
        let time = |time: Timestamp| as_written(time, sql.mapping.times);
        let states: BTreeSet<RowState> = states.iter().copied().collect();
        Ok(Selection {
            states: states.into_iter().collect(),
            ids: self.given_ids(&sql.mapping.id)?,
            kinds: self.kind.to_vec(),
            groups: self.group.to_vec(),
            from: from.map(time),
            until: until.map(time),
            holders: self.holder.to_vec(),
            claim_seconds: self.claim.map(|seconds| seconds.0),
        })
    }

    fn given_ids(&self, columns: &[String]) -> Result<Option<Vec<Vec<Value>>>, OperationError> {
        let mut all: BTreeSet<Vec<String>> = BTreeSet::new();
        if let Some(path) = self.ids {
            all.extend(ids::rows(path, columns, IDS_BYTES_MAX)?);
        } else if self.id.is_empty() {
            return Ok(None);
        }
        for text in self.id.iter().map(|text| text.trim()).filter(|text| !text.is_empty()) {
            let parts: Vec<String> = match columns.len() {
                1 => vec![text.to_owned()],
                _ => text.split(',').map(|part| part.trim().to_owned()).collect(),
            };
            if parts.len() != columns.len() {
                let what =
                    format!("an id of this table has {} columns, and `{text}` has {}", columns.len(), parts.len());
                return Err(OperationError::usage(&what, Try::WriteItSo.says("separate them by commas")));
            }
            all.insert(parts);
        }
        if all.is_empty() {
            let what = "every id that was given is empty";
            return Err(OperationError::usage(what, Try::NameIt.says("give the ids of rows")));
        }
        if all.len() > IDS_MAX {
            let what = format!("{} ids were given, and {IDS_MAX} can be given at once", all.len());
            return Err(OperationError::usage(&what, Try::GiveOther.says("give them in several runs")));
        }
        Ok(Some(all.into_iter().map(|id| id.into_iter().map(Value::Text).collect()).collect()))
    }
}

/// A time as the table's columns write times; sessions are in UTC.
fn as_written(time: Timestamp, times: Times) -> Value {
    match times {
        Times::EpochS => Value::Integer(time.as_second()),
        Times::EpochMs => Value::Integer(time.as_millisecond()),
        Times::Text => Value::Text(time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()),
        Times::Tz | Times::Utc | Times::Local => Value::Text(time.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::Replay;

    #[test]
    fn times_are_written_as_the_columns_have_them() {
        let time: Timestamp = "2026-05-01T09:30:00.25Z".parse().expect("a time");
        for (times, expected) in [
            (Times::EpochS, Value::Integer(1_777_627_800)),
            (Times::EpochMs, Value::Integer(1_777_627_800_250)),
            (Times::Text, Value::Text("2026-05-01T09:30:00.250Z".to_owned())),
            (Times::Utc, Value::Text("2026-05-01 09:30:00.250000".to_owned())),
        ] {
            assert_eq!(as_written(time, times), expected, "{times:?}");
        }
    }

    #[test]
    fn ids_have_as_many_parts_as_the_table_has_columns() {
        let replay = |ids: &[&str]| Replay { id: ids.iter().map(|id| (*id).to_owned()).collect(), ..Replay::default() };
        let names =
            |columns: usize| ["tenant", "id"][2 - columns..].iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let given = |ids: &[&str], columns: usize| replay(ids).asked().choice.given_ids(&names(columns));
        let text = |text: &str| Value::Text(text.to_owned());
        assert_eq!(given(&["7", "7", " 8 "], 1).expect("ids"), Some(vec![vec![text("7")], vec![text("8")]]));
        assert_eq!(given(&["a, 7"], 2).expect("ids"), Some(vec![vec![text("a"), text("7")]]));
        assert!(given(&["a"], 2).is_err());
        assert_eq!(given(&[], 1).expect("none"), None);
    }
}
