//! Bounded looks at rows, where a person asked for them: which values a status has, and which members a payload has.
//!
//! Values of a status are kept, and of a payload the names of its members alone.

use super::{
    catalog::{DatabaseTables, Sampled, Sort, Table},
    facts::Facts,
    roles::Role,
};
use crate::{
    domain::{Dialect, Rows, Statement, TableName, Value},
    outboxes::sql::{quoted, quoted_table},
};

/// So many of the newest rows are looked at for values.
pub const ROWS_MAX: u32 = 10_000;
/// More values than these are not those of a status.
const VALUES_MAX: usize = 24;
/// A longer value is not a status.
const VALUE_MAX: usize = 64;
/// So many payloads are looked at, each up to so many bytes.
const PAYLOADS: u32 = 20;
const PAYLOAD_MAX: u32 = 16_384;
const DEPTH_MAX: usize = 4;
const PATHS_MAX: usize = 200;

/// A look at rows of one table.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    pub table: TableName,
    pub what: What,
    pub statement: Statement,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    Values(String),
    Paths(String),
}

/// What to look at in tables that could be outboxes.
pub fn looks(catalog: &DatabaseTables, tables: &[TableName]) -> Vec<Look> {
    let mut looks = Vec::new();
    for table in catalog.tables.iter().filter(|table| tables.contains(&table.name)) {
        let facts = Facts::of(table);
        let could_vary = [Role::Status, Role::SentFlag, Role::DoneFlag, Role::PendingFlag, Role::Direction];
        for part in facts.parts.iter().filter(|part| could_vary.contains(&part.role)) {
            let name = part.column.name.clone();
            looks.push(Look {
                table: table.name.clone(),
                statement: values(catalog.dialect, table, &name),
                what: What::Values(name),
            });
        }
        if let Some(part) =
            facts.first(Role::Payload).filter(|part| matches!(part.column.sort, Sort::Json | Sort::Long))
        {
            let name = part.column.name.clone();
            looks.push(Look {
                table: table.name.clone(),
                statement: payloads(catalog.dialect, table, &name),
                what: What::Paths(name),
            });
        }
    }
    looks
}

/// Puts the answer to a look into the catalog.
pub fn learn(catalog: &mut DatabaseTables, look: &Look, rows: &Rows) {
    let Some(table) = catalog.tables.iter_mut().find(|table| table.name == look.table) else { return };
    match &look.what {
        What::Values(column) => {
            let values: Vec<(Option<String>, u64)> = rows.rows.iter().filter_map(|row| counted(row)).collect();
            let is_status = values.len() <= VALUES_MAX
                && values.iter().flat_map(|(value, _)| value).all(|value| value.len() <= VALUE_MAX);
            let values = if is_status { values } else { Vec::new() };
            table.sampled.retain(|sampled| sampled.column != *column);
            table.sampled.push(Sampled { column: column.clone(), values });
        }
        What::Paths(_) => table.paths = paths(rows),
    }
}

fn counted(row: &[Value]) -> Option<(Option<String>, u64)> {
    let count = match row.get(1)? {
        Value::Integer(count) => u64::try_from(*count).ok()?,
        Value::Null | Value::Real(_) | Value::Text(_) | Value::Bytes(_) => return None,
    };
    let value = match row.first()? {
        Value::Null => None,
        Value::Integer(number) => Some(number.to_string()),
        Value::Real(number) => Some(number.to_string()),
        Value::Text(text) => Some(text.clone()),
        Value::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
    };
    Some((value, count))
}

fn values(dialect: Dialect, table: &Table, column: &str) -> Statement {
    let name = quoted(dialect, column);
    let cast = match dialect {
        Dialect::Postgres => format!("left({name}::text, 200)"),
        Dialect::Mysql => format!("LEFT(CAST({name} AS CHAR), 200)"),
        Dialect::Sqlite => format!("substr(CAST({name} AS TEXT), 1, 200)"),
    };
    let newest = newest(dialect, table, &format!("{cast} AS v"), ROWS_MAX);
    let text = format!("SELECT v, count(*) FROM ({newest}) s GROUP BY v ORDER BY 2 DESC LIMIT {}", VALUES_MAX + 1);
    text.as_str().into()
}

fn payloads(dialect: Dialect, table: &Table, column: &str) -> Statement {
    let name = quoted(dialect, column);
    let cast = match dialect {
        Dialect::Postgres => format!("left({name}::text, {PAYLOAD_MAX})"),
        Dialect::Mysql => format!("LEFT(CAST({name} AS CHAR), {PAYLOAD_MAX})"),
        Dialect::Sqlite => format!("substr(CAST({name} AS TEXT), 1, {PAYLOAD_MAX})"),
    };
    newest(dialect, table, &cast, PAYLOADS).as_str().into()
}

/// Rows from the end of the primary key, whose index bounds the work. Without one any rows do.
fn newest(dialect: Dialect, table: &Table, selected: &str, most: u32) -> String {
    let key: Vec<String> = table.primary_key.iter().map(|name| format!("{} DESC", quoted(dialect, name))).collect();
    let order = if key.is_empty() { String::new() } else { format!(" ORDER BY {}", key.join(", ")) };
    let from = quoted_table(dialect, &table.name);
    format!("SELECT {selected} FROM {from}{order} LIMIT {most}")
}

/// Places of members that are texts or numbers in most of the documents.
fn paths(rows: &Rows) -> Vec<Vec<String>> {
    let mut seen: Vec<(Vec<String>, usize)> = Vec::new();
    let mut documents = 0;
    for row in &rows.rows {
        let Some(Value::Text(text)) = row.first() else { continue };
        let Ok(document) = serde_json::from_str::<serde_json::Value>(text) else { continue };
        documents += 1;
        let mut found = Vec::new();
        members(&document, &mut Vec::new(), &mut found);
        for path in found {
            if let Some((_, count)) = seen.iter_mut().find(|(known, _)| *known == path) {
                *count += 1;
            } else if seen.len() < PATHS_MAX {
                seen.push((path, 1));
            }
        }
    }
    seen.into_iter().filter(|(_, count)| count * 2 > documents).map(|(path, _)| path).collect()
}

fn members(document: &serde_json::Value, at: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    let serde_json::Value::Object(members_of) = document else { return };
    for (name, value) in members_of {
        if name.is_empty() || name.len() > VALUE_MAX || found.len() >= PATHS_MAX {
            continue;
        }
        at.push(name.clone());
        match value {
            serde_json::Value::Object(_) if at.len() < DEPTH_MAX => members(value, at, found),
            serde_json::Value::String(_) | serde_json::Value::Number(_) => found.push(at.clone()),
            serde_json::Value::Null
            | serde_json::Value::Bool(_)
            | serde_json::Value::Array(_)
            | serde_json::Value::Object(_) => {}
        }
        at.pop();
    }
}
