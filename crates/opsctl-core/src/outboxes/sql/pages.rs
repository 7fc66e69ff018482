//! Rows of a state, page by page, and rows by their ids. A page begins behind a position, never at an offset.

use serde::{Deserialize, Serialize};

use super::{Sql, Writer};
use crate::{
    domain::{Body, Dialect, Field, RowState, Rows, Statement, Value},
    outboxes::{catalog::ColumnSort, condition::RowCondition, rules::Rules},
};

/// Characters, or bytes, of a body that are read.
pub const BODY_MAX: u32 = 1_048_576;

/// Where a row stands in the order: the values of [`crate::domain::RowMapping::sorted_by`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Position(pub Vec<Value>);

/// A row as it is listed: what the mapping knows of it, without its body.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedRow {
    pub id: Vec<Value>,
    pub position: Position,
    pub state: RowState,
    /// Seconds since it was created.
    pub age_seconds: Option<i64>,
    pub attempts: Option<i64>,
    pub kind: Option<String>,
    pub group: Option<String>,
    pub event_id: Option<String>,
    pub error: Option<String>,
    /// As the server writes them.
    pub created: Option<String>,
    pub due: Option<String>,
    pub published_at: Option<String>,
    /// Only of [`Sql::row`].
    pub body: Option<Value>,
}

/// A column of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Id,
    Sorted,
    State,
    Age,
    Attempts,
    Kind,
    Group,
    EventId,
    Error,
    Created,
    Due,
    PublishedAt,
    Body,
}

impl Sql {
    /// A page of the rows in a state, in the relay's order, behind a position.
    pub fn page(&self, state: RowState, after: Option<&Position>, rows_max: u32) -> Statement {
        let mut writer = self.writer();
        writer.parts(Some(state), false).push(" FROM ").from().push(" WHERE ");
        writer.condition(&self.rules.exactly(state));
        if let Some(after) = after {
            writer.push(" AND ").behind("t", &self.mapping.sorted_by(), after);
        }
        writer.push(" ORDER BY ").sorted_by().limit(u64::from(rows_max));
        writer.finish()
    }

    /// One row with its body, whatever its state.
    pub fn row(&self, id: &[Value]) -> Statement {
        let mut writer = self.writer();
        writer.parts(None, true).push(" FROM ").from().push(" WHERE ").ids(&[id.to_vec()]).limit(1);
        writer.finish()
    }

    /// Rows by their ids, in whatever state: to look how a change ended whose answer was lost.
    pub fn rows_by_id(&self, ids: &[Vec<Value>]) -> Statement {
        let mut writer = self.writer();
        writer.parts(None, false).push(" FROM ").from().push(" WHERE ").ids(ids).limit(ids.len() as u64);
        writer.finish()
    }

    /// What [`Sql::page`], [`Sql::row`] and [`Sql::rows_by_id`] give. A row that is not of their shape is left out.
    pub fn listed(&self, rows: &Rows) -> Vec<ListedRow> {
        let with_body = rows.columns.last().is_some_and(|name| name == "body");
        let parts = self.layout(with_body);
        rows.rows.iter().filter_map(|row| of_row(&parts, row)).collect()
    }

    fn layout(&self, with_body: bool) -> Vec<Part> {
        let mapping = &self.mapping;
        let mut parts = vec![Part::Id; mapping.id.len()];
        parts.extend(vec![Part::Sorted; mapping.sorted_by().len()]);
        parts.push(Part::State);
        let optional = [
            (mapping.created.is_some(), Part::Age),
            (mapping.attempts.is_some(), Part::Attempts),
            (mapping.kind.is_some(), Part::Kind),
            (mapping.group.is_some(), Part::Group),
            (mapping.event_id.is_some(), Part::EventId),
            (mapping.error.is_some(), Part::Error),
            (mapping.created.is_some(), Part::Created),
            (mapping.due.is_some(), Part::Due),
            (mapping.published_at.is_some(), Part::PublishedAt),
            (with_body && mapping.body.is_some(), Part::Body),
        ];
        parts.extend(optional.into_iter().filter(|(there, _)| *there).map(|(_, part)| part));
        parts
    }
}

fn of_row(parts: &[Part], row: &[Value]) -> Option<ListedRow> {
    if row.len() != parts.len() {
        return None;
    }
    let all = |wanted: &Part| {
        let found = parts.iter().zip(row).filter(|(part, _)| *part == wanted);
        found.map(|(_, value)| value.clone()).collect::<Vec<_>>()
    };
    let one = |wanted: &Part| all(wanted).into_iter().next().filter(|value| *value != Value::Null);
    let text = |wanted: &Part| one(wanted).map(|value| super::plain(&value));
    let number = |wanted: &Part| one(wanted).and_then(|value| super::plain(&value).parse::<f64>().ok());
    #[expect(clippy::cast_possible_truncation, reason = "saturates")]
    let whole = |wanted: &Part| number(wanted).map(|number| number as i64);
    let place = usize::try_from(whole(&Part::State)?).ok()?;
    Some(ListedRow {
        id: all(&Part::Id),
        position: Position(all(&Part::Sorted)),
        state: *RowState::ALL.get(place)?,
        age_seconds: whole(&Part::Age),
        attempts: whole(&Part::Attempts),
        kind: text(&Part::Kind),
        group: text(&Part::Group),
        event_id: text(&Part::EventId),
        error: text(&Part::Error),
        created: text(&Part::Created),
        due: text(&Part::Due),
        published_at: text(&Part::PublishedAt),
        body: one(&Part::Body),
    })
}

impl Writer<'_> {
    /// `SELECT` and the columns of [`Sql::layout`]. The state is known, or asked of the server.
    pub(super) fn parts(&mut self, state: Option<RowState>, with_body: bool) -> &mut Self {
        let sql = self.sql;
        self.push("SELECT ");
        for part in sql.mapping.id.iter().map(String::as_str).chain(sql.mapping.sorted_by()) {
            self.read(part).push(", ");
        }
        match state {
            Some(state) => self.push(&place_of(state).to_string()),
            None => self.state(&sql.rules),
        };
        self.push(" AS state");
        for part in sql.layout(with_body) {
            self.part(&part);
        }
        self
    }

    fn part(&mut self, part: &Part) {
        let mapping = &self.sql.mapping;
        let plain = |column: &Option<String>| column.clone().map(Field::Column);
        let field = match part {
            Part::Id | Part::Sorted | Part::State => None,
            Part::Age => {
                if let Some(created) = &mapping.created {
                    self.push(", ").age(created).push(" AS age");
                }
                None
            }
            Part::Attempts => mapping.attempts.as_ref().map(|attempts| Field::Column(attempts.column.clone())),
            Part::Kind => mapping.kind.clone(),
            Part::Group => mapping.group.clone(),
            Part::EventId => mapping.event_id.clone(),
            Part::Error => mapping.error.clone(),
            Part::Created => plain(&mapping.created),
            Part::Due => plain(&mapping.due),
            Part::PublishedAt => plain(&mapping.published_at),
            Part::Body => {
                self.push(", ");
                if let Some(body) = &mapping.body {
                    self.body(body).push(" AS body");
                }
                None
            }
        };
        if let Some(field) = field {
            self.push(", ").bounded(&field);
        }
    }

    fn body(&mut self, body: &Body) -> &mut Self {
        let bytes =
            |column: &str| self.sql.catalog.column(column).is_some_and(|column| column.sort == ColumnSort::Bytes);
        let cut = match self.sql.dialect {
            Dialect::Postgres | Dialect::Mysql => format!(" FROM 1 FOR {BODY_MAX})"),
            Dialect::Sqlite => format!(", 1, {BODY_MAX})"),
        };
        let name = if self.sql.dialect == Dialect::Sqlite { "substr(" } else { "substring(" };
        match body {
            Body::Inline(field @ Field::Column(column)) if bytes(column) => self.push(name).field(field).push(&cut),
            Body::Inline(field) if self.sql.dialect == Dialect::Postgres => {
                self.push(name).push("(").field(field).push(")::text").push(&cut)
            }
            Body::Inline(field) => self.push(name).field(field).push(&cut),
            Body::Joined { table, key, from, column } => {
                let text = if self.sql.dialect == Dialect::Postgres { "::text" } else { "" };
                self.push("(SELECT ").push(name).push("b.").name(column).push(text).push(&cut);
                self.push(" FROM ").table(table).push(" AS b WHERE b.").name(key).push(" = ").column(from).push(")")
            }
        }
    }

    /// The place of a row's state in [`RowState::ALL`].
    pub(super) fn state(&mut self, rules: &Rules) -> &mut Self {
        self.push("CASE");
        for (state, condition) in &rules.list {
            self.push(" WHEN ").condition(condition).push(&format!(" THEN {}", place_of(*state)));
        }
        self.push(if rules.list.is_empty() { " WHEN 1 = 0 THEN 0" } else { "" });
        self.push(&format!(" ELSE {} END", place_of(RowState::Unaccounted)))
    }

    /// The place of a row's state in [`RowState::ALL`], of rows for which this condition holds.
    pub(super) fn state_within(&mut self, rules: &Rules, known: &RowCondition) -> &mut Self {
        let mut list: Vec<(RowState, RowCondition)> =
            rules.list.iter().map(|(state, condition)| (*state, condition.clone().within(known))).collect();
        list.retain(|(_, condition)| *condition != RowCondition::Never);
        let last = list.iter().position(|(_, condition)| *condition == RowCondition::Always);
        let otherwise = last.map_or(RowState::Unaccounted, |last| list[last].0);
        list.truncate(last.unwrap_or(list.len()));
        if list.is_empty() {
            return self.push(&place_of(otherwise).to_string());
        }
        self.push("CASE");
        for (state, condition) in &list {
            self.push(" WHEN ").condition(condition).push(&format!(" THEN {}", place_of(*state)));
        }
        self.push(&format!(" ELSE {} END", place_of(otherwise)))
    }

    /// Rows with these ids.
    pub(super) fn ids(&mut self, ids: &[Vec<Value>]) -> &mut Self {
        let columns = &self.sql.mapping.id;
        if ids.is_empty() {
            return self.push("1 = 0");
        }
        if let [column] = columns.as_slice() {
            self.column(column).push(" IN (");
            self.list(ids.iter().filter_map(|id| id.first()), |writer, value| {
                writer.bind_as(column, value);
            });
            return self.push(")");
        }
        self.push("(");
        for (index, id) in ids.iter().enumerate() {
            self.push(if index > 0 { " OR (" } else { "(" });
            for (place, (column, value)) in columns.iter().zip(id).enumerate() {
                self.push(if place > 0 { " AND " } else { "" }).column(column).push(" = ").bind_as(column, value);
            }
            self.push(")");
        }
        self.push(")")
    }

    /// Rows behind a position in the order of these columns. PostgreSQL sorts NULL last, the others sort it first.
    pub(super) fn behind(&mut self, alias: &str, columns: &[&str], after: &Position) -> &mut Self {
        let never_null = |column: &&str| self.sql.catalog.column(column).is_some_and(|column| !column.nullable);
        if self.sql.dialect != Dialect::Mysql && columns.iter().all(never_null) {
            self.push("(");
            self.list(columns.iter(), |writer, column| {
                writer.push(alias).push(".").name(column);
            });
            self.push(") > (");
            self.list(columns.iter().zip(&after.0), |writer, (column, value)| {
                writer.bind_as(column, value);
            });
            return self.push(")");
        }
        if let (Some(column), Some(value)) = (columns.first(), after.0.first())
            && never_null(column)
        {
            // What MySQL finds the first row by: it does not look at rows of values for that.
            self.push(alias).push(".").name(column).push(" >= ").bind_as(column, value).push(" AND ");
        }
        self.later(alias, columns, &after.0)
    }

    fn later(&mut self, alias: &str, columns: &[&str], values: &[Value]) -> &mut Self {
        let (Some((column, more)), Some((value, values))) = (columns.split_first(), values.split_first()) else {
            return self.push("1 = 0");
        };
        let (is_null, nulls_last) = (*value == Value::Null, self.sql.dialect == Dialect::Postgres);
        self.push("(");
        match (is_null, nulls_last) {
            (true, true) => self.push("1 = 0"),
            (true, false) => self.push(alias).push(".").name(column).push(" IS NOT NULL"),
            (false, _) => self.push(alias).push(".").name(column).push(" > ").bind_as(column, value),
        };
        if !is_null && nulls_last && self.sql.catalog.column(column).is_none_or(|column| column.nullable) {
            self.push(" OR ").push(alias).push(".").name(column).push(" IS NULL");
        }
        if !more.is_empty() {
            self.push(" OR (").push(alias).push(".").name(column);
            match is_null {
                true => self.push(" IS NULL"),
                false => self.push(" = ").bind_as(column, value),
            };
            self.push(" AND ").later(alias, more, values).push(")");
        }
        self.push(")")
    }
}

pub(super) fn place_of(state: RowState) -> usize {
    RowState::ALL.iter().position(|other| *other == state).unwrap_or_default()
}
