//! One statement: its values bound, its rows read, within bounds.

use rusqlite::{
    Connection, ToSql,
    types::{ToSqlOutput, Value as Stored, ValueRef},
};

use super::Failure;
use crate::domain::{Rows, SqlKind, Value};

/// Rows that a statement gives at most, and bytes in them.
const ROWS_MAX: usize = 200_000;
const BYTES_MAX: usize = 64 * 1_024 * 1_024;

/// What stands for the placeholders.
#[derive(Debug, Clone, Copy)]
pub(in crate::world) enum Parameters<'a> {
    /// For `?`, `?1` and `$1`.
    Placed(&'a [Value]),
    /// For `:name`.
    Named(&'a [(String, Value)]),
}

/// What came of a statement.
#[derive(Debug, Default)]
pub(in crate::world) struct Ran {
    pub(in crate::world) rows: Rows,
    /// Names of the columns, also where no row came, each with what its table says of its type.
    pub(in crate::world) columns: Vec<String>,
}

pub(super) fn run(connection: &Connection, text: &str, parameters: Parameters<'_>) -> Result<Ran, Failure> {
    let before = connection.total_changes();
    let mut statement = connection.prepare_cached(text)?;
    bind(&mut statement, parameters)?;
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut rows = Vec::new();
    let mut bytes = 0;
    let mut found = statement.raw_query();
    while let Some(row) = found.next()? {
        let values: Vec<Value> =
            (0..columns.len()).map(|index| row.get_ref(index).map(of_stored)).collect::<Result<_, _>>()?;
        bytes += values.iter().map(size).sum::<usize>();
        if rows.len() >= ROWS_MAX || bytes > BYTES_MAX {
            let words = "the result is larger than the sandbox gives out";
            return Err(Failure::Refused(SqlKind::TooLarge, words.to_owned()));
        }
        rows.push(values);
    }
    drop(found);
    let changed = if connection.total_changes() == before { 0 } else { connection.changes() };
    let shown = if rows.is_empty() { Vec::new() } else { columns.clone() };
    Ok(Ran { rows: Rows { columns: shown, rows, changed }, columns })
}

fn bind(statement: &mut rusqlite::CachedStatement<'_>, parameters: Parameters<'_>) -> Result<(), Failure> {
    let count = statement.parameter_count();
    if let Parameters::Placed(values) = parameters
        && values.len() != count
    {
        let words = format!("the statement has {count} parameters, and {} values are given", values.len());
        return Err(Failure::other(&words));
    }
    for index in 1..=count {
        let name = statement.parameter_name(index).map(str::to_owned);
        let value = match parameters {
            Parameters::Placed(values) => {
                let number = name.as_deref().and_then(|name| name.strip_prefix('$')?.parse().ok()).unwrap_or(index);
                values.get(number.wrapping_sub(1))
            }
            Parameters::Named(values) => {
                let wanted = name.as_deref().and_then(|name| name.strip_prefix(':'));
                values.iter().find(|(name, _)| Some(name.as_str()) == wanted).map(|(_, value)| value)
            }
        };
        let missing = || Failure::other(&format!("no value for {}", name.as_deref().unwrap_or("?")));
        statement.raw_bind_parameter(index, Bound(value.ok_or_else(missing)?))?;
    }
    Ok(())
}

struct Bound<'a>(&'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Value::Null => ToSqlOutput::Owned(Stored::Null),
            Value::Integer(number) => ToSqlOutput::Owned(Stored::Integer(*number)),
            Value::Real(number) => ToSqlOutput::Owned(Stored::Real(*number)),
            Value::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Value::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}

fn of_stored(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Integer(_) | Value::Real(_) => 8,
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
    }
}
