//! What a replay sets.

use super::{
    catalog::{Column, Sort},
    draft::{Draft, ends_by_itself},
    facts::Facts,
    roles::Role,
    setting::{Setting, Toml, text, value},
    shape::{Shape, Shaped, literal_of},
};
use crate::domain::{Literal, RowState};

impl Draft {
    /// What a replay sets: the state of a row that nobody has tried yet.
    pub(super) fn rearm(&mut self, facts: &Facts<'_>, shaped: &Shaped) {
        let mut changes: Vec<Toml> = Vec::new();
        let null = |column: &str| Toml::Table(vec![("set", text(column)), ("null", Toml::Truth(true))]);
        let to = |column: &str, to: Toml| Toml::Table(vec![("set", text(column)), ("to", to)]);
        let nullable = |role: Role| facts.first(role).map(|part| part.column).filter(|column| column.nullable);
        match &shaped.shape {
            Shape::NullTime { column } => changes.push(null(column)),
            Shape::Flag { column, published } => match opposite(facts, column, published) {
                Some(other) => changes.push(to(column, other)),
                None => return,
            },
            Shape::Status { column, states, null: when_null, .. } => {
                let mut ready = states.iter().filter(|(_, state)| *state == RowState::Ready);
                match (ready.next(), when_null) {
                    (Some((literal, _)), _) => changes.push(to(column, value(literal))),
                    (None, Some(_)) => changes.push(null(column)),
                    (None, None) => return,
                }
            }
            // A row that waits is there already; one that failed is tried again below.
            Shape::Present if ends_by_itself(facts, shaped) || facts.has(Role::AttemptsMax) => {}
            Shape::Present | Shape::Preset => return,
        }
        if let Some(column) = facts.column_of(Role::Attempts) {
            changes.push(to(&column, Toml::Number(0)));
        }
        if let Some(part) = facts.first(Role::DeadFlag) {
            changes.push(to(&part.column.name, Toml::Truth(false)));
        }
        let set = |name: &str, changes: &[Toml]| changes.contains(&null(name));
        for role in [Role::FailedAt, Role::Error, Role::LeaseUntil, Role::LeaseSince, Role::LeaseOwner] {
            let is_plain = |column: &&Column| !matches!(column.sort, Sort::Boolean) && !column.generated;
            changes.extend(nullable(role).filter(is_plain).map(|column| null(&column.name)));
        }
        if let Some(column) = shaped.published_at.as_deref().filter(|column| !set(column, &changes))
            && facts.table.column(column).is_some_and(|column| column.nullable && !column.generated)
        {
            changes.push(null(column));
        }
        if let Some(column) = facts.column_of(Role::Due) {
            changes.push(Toml::Table(vec![("set", text(&column)), ("now", Toml::Truth(true))]));
        }
        if changes.is_empty() {
            return;
        }
        let line = Setting::new("rearm", Toml::List(changes));
        let is_open = !self.open.is_empty();
        self.push(Setting { is_open, ..line });
    }
}

/// The flag's value in rows that are not published.
fn opposite(facts: &Facts<'_>, column: &str, published: &Literal) -> Option<Toml> {
    let column = facts.table.column(column)?;
    match published {
        Literal::Integer(number) if column.sort == Sort::Boolean => Some(Toml::Truth(*number == 0)),
        Literal::Integer(number) => Some(Toml::Number(1 - number)),
        Literal::Text(_) => {
            let known = facts.known(column)?;
            let mut other = known.values.iter().map(|(value, _)| literal_of(column, value));
            other.find(|literal| literal != published).map(|literal| value(&literal))
        }
    }
}
