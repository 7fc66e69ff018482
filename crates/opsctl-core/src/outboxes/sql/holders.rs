//! Who has claimed rows, and since when.

use super::{COUNT_MAX, Sql, selection::Selection};
use crate::domain::{Lease, Rows, Statement, Value};

const HOLDERS_MAX: u64 = 20;

/// Somebody who has claimed rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// None: no column says who.
    pub name: Option<String>,
    pub rows: u64,
    /// Of the oldest claim: since it was made, or since it has run out.
    pub seconds: Option<i64>,
}

impl Sql {
    /// Who has claimed the selected rows, of the first [`COUNT_MAX`] rows. None where no column has a claim.
    pub fn holders(&self, selection: &Selection) -> Option<Statement> {
        let (Some(Lease::Since { column, .. } | Lease::Until(column)) | Some(Lease::Owner(column))) =
            &self.mapping.lease
        else {
            return None;
        };
        let mut writer = self.writer();
        writer.push("SELECT s.holder, count(*), max(s.age) FROM (SELECT ");
        match &self.mapping.holder {
            Some(holder) => writer.read(holder),
            None => writer.push("NULL"),
        };
        writer.push(" AS holder, ");
        match &self.mapping.lease {
            Some(Lease::Since { .. } | Lease::Until(_)) => writer.age(column),
            Some(Lease::Owner(_)) | None => writer.push("NULL"),
        };
        writer.push(" AS age FROM ").from().push(" WHERE ").selection(selection).limit(COUNT_MAX + 1);
        writer.push(") AS s GROUP BY s.holder ORDER BY count(*) DESC").limit(HOLDERS_MAX);
        Some(writer.finish())
    }

    /// What [`Sql::holders`] gives.
    pub fn holders_of(rows: &Rows) -> Vec<Holder> {
        let one = |row: &Vec<Value>| {
            let [name, Value::Integer(rows), age] = row.as_slice() else { return None };
            Some(Holder {
                name: (*name != Value::Null).then(|| super::plain(name)),
                rows: u64::try_from(*rows).ok()?,
                seconds: super::plain(age).parse::<f64>().ok().map(|age| age as i64),
            })
        };
        rows.rows.iter().filter_map(one).collect()
    }
}
