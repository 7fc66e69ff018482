//! Which rows are meant: what somebody typed, as values of the table's columns.

use std::{collections::BTreeSet, fs::File, io::Read, path::Path};

use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::{RowState, Times, Value},
    operations::{OperationError, values::Seconds},
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
            return Err(OperationError::usage(what, "leave out the times, or configure `created`"));
        }
        if !self.holder.is_empty() && sql.mapping.holder.is_none() {
            let what = "the outbox's mapping names no column of who has claimed a row";
            return Err(OperationError::usage(what, "leave out --holder, or configure `holder`"));
        }
        let time = |time: Timestamp| as_written(time, sql.mapping.times);
        let states: BTreeSet<RowState> = states.iter().copied().collect();
        Ok(Selection {
            states: states.into_iter().collect(),
            ids: self.given_ids(sql.mapping.id.len())?,
            kinds: self.kind.to_vec(),
            groups: self.group.to_vec(),
            from: from.map(time),
            until: until.map(time),
            holders: self.holder.to_vec(),
            claim_seconds: self.claim.map(|seconds| seconds.0),
        })
    }

    fn given_ids(&self, columns: usize) -> Result<Option<Vec<Vec<Value>>>, OperationError> {
        let mut texts: Vec<String> = self.id.to_vec();
        if let Some(path) = self.ids {
            texts.extend(in_file(path)?);
        } else if texts.is_empty() {
            return Ok(None);
        }
        let texts: BTreeSet<&str> = texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect();
        if texts.len() > IDS_MAX {
            let what = format!("{} ids were given, and {IDS_MAX} can be given at once", texts.len());
            return Err(OperationError::usage(&what, "give them in several runs"));
        }
        let id = |text: &&str| -> Result<Vec<Value>, OperationError> {
            let parts: Vec<Value> = match columns {
                1 => vec![Value::Text((*text).to_owned())],
                _ => text.split(',').map(|part| Value::Text(part.trim().to_owned())).collect(),
            };
            if parts.len() == columns {
                return Ok(parts);
            }
            let what = format!("an id of this table has {columns} columns, and `{text}` has {}", parts.len());
            Err(OperationError::usage(&what, "separate them by commas"))
        };
        texts.iter().map(id).collect::<Result<_, _>>().map(Some)
    }
}

fn in_file(path: &Path) -> Result<Vec<String>, OperationError> {
    let cannot = |because: &dyn std::fmt::Display| {
        OperationError::usage(
            &format!("cannot read the ids in {}: {because}", path.display()),
            "give a file with one id a line",
        )
    };
    let mut text = String::new();
    let file = File::open(path).map_err(|error| cannot(&error))?;
    file.take(IDS_BYTES_MAX + 1).read_to_string(&mut text).map_err(|error| cannot(&error))?;
    if text.len() as u64 > IDS_BYTES_MAX {
        return Err(cannot(&"it has more than 4 MiB"));
    }
    Ok(text.lines().map(str::to_owned).collect())
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
        let given = |ids: &[&str], columns| replay(ids).asked().choice.given_ids(columns);
        let text = |text: &str| Value::Text(text.to_owned());
        assert_eq!(given(&["7", "7", " 8 "], 1).expect("ids"), Some(vec![vec![text("7")], vec![text("8")]]));
        assert_eq!(given(&["a, 7"], 2).expect("ids"), Some(vec![vec![text("a"), text("7")]]));
        assert!(given(&["a"], 2).is_err());
        assert_eq!(given(&[], 1).expect("none"), None);
    }
}
