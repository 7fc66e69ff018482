//! Which rows are meant, as a condition.

use super::{Sql, Writer};
use crate::{
    domain::{Dialect, Field, Lease, RowState, Statement, Value},
    outboxes::{Manner, condition::RowCondition},
};

/// Which rows are meant. All of it must hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    /// Only those count from which the change is made ([`crate::outboxes::RowChange::from`]).
    pub states: Vec<RowState>,
    /// Rows by their ids; none: whichever they are. Not more than a few thousand.
    pub ids: Option<Vec<Vec<Value>>>,
    /// Of these types, and of these groups; empty: of all.
    pub kinds: Vec<String>,
    pub groups: Vec<String>,
    /// Created at or after, and before: as the column's times are written.
    pub from: Option<Value>,
    pub until: Option<Value>,
    /// Claimed by one of these; empty: by whomever.
    pub holders: Vec<String>,
    /// The claim was made, or has run out, at least so many seconds ago.
    pub claim_seconds: Option<u32>,
}

impl Selection {
    /// All rows in these states.
    pub fn of(states: &[RowState]) -> Self {
        Self {
            states: states.to_vec(),
            ids: None,
            kinds: Vec::new(),
            groups: Vec::new(),
            from: None,
            until: None,
            holders: Vec::new(),
            claim_seconds: None,
        }
    }
}

impl Sql {
    /// How many rows a selection has, counted up to [`super::COUNT_MAX`] and one, and how many groups they are of.
    pub fn selected(&self, selection: &Selection) -> Statement {
        let mut writer = self.writer();
        writer.push("SELECT count(*)");
        if self.mapping.group.is_some() {
            writer.push(", count(DISTINCT s.grp)");
        }
        writer.push(" FROM (SELECT 1 AS one");
        if let Some(group) = &self.mapping.group {
            writer.push(", ").bounded(group).push(" AS grp");
        }
        writer.push(" FROM ").from().push(" WHERE ").selection(selection).limit(super::COUNT_MAX + 1).push(") AS s");
        writer.finish()
    }

    pub(super) fn condition(&self, selection: &Selection) -> RowCondition {
        let states = selection.states.iter().filter(|state| self.change.from.contains(state));
        RowCondition::any(states.map(|state| self.rules.exactly(*state)))
    }
}

impl Writer<'_> {
    pub(super) fn selection(&mut self, selection: &Selection) -> &mut Self {
        let mapping = &self.sql.mapping;
        let states = self.sql.condition(selection);
        self.condition(&states);
        if let Some(ids) = &selection.ids {
            self.push(" AND ").ids(ids);
        }
        if let Manner::Move(moved) = &self.sql.change.how {
            for column in &moved.only_null {
                self.push(" AND ").column(column).push(" IS NULL");
            }
        }
        let holder = mapping.holder.clone().map(Field::Column);
        let choices =
            [(&mapping.kind, &selection.kinds), (&mapping.group, &selection.groups), (&holder, &selection.holders)];
        for (field, values) in choices {
            if values.is_empty() {
                continue;
            }
            let Some(field) = field else {
                // Asked for something that these rows do not have.
                self.push(" AND 1 = 0");
                continue;
            };
            self.push(" AND ").bounded(field).push(" IN (");
            self.list(values.iter(), |writer, value| {
                let cast = writer.as_text();
                writer.bind(Value::Text(value.clone())).push(cast);
            });
            self.push(")");
        }
        for (value, sign) in [(&selection.from, " >= "), (&selection.until, " < ")] {
            let Some(value) = value else { continue };
            match &mapping.created {
                Some(created) => self.push(" AND ").column(created).push(sign).bind_as(created, value),
                None => self.push(" AND 1 = 0"),
            };
        }
        if let Some(seconds) = selection.claim_seconds {
            match &mapping.lease {
                Some(Lease::Since { column, .. } | Lease::Until(column)) => {
                    self.push(" AND ").column(column).push(" <= ").now(-i64::from(seconds))
                }
                Some(Lease::Owner(_)) | None => self.push(" AND 1 = 0"),
            };
        }
        self
    }

    pub(super) fn as_text(&self) -> &'static str {
        if self.sql.dialect == Dialect::Postgres { "::text" } else { "" }
    }
}
