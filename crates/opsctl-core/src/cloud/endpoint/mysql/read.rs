//! Values in rows, from MySQL's text and binary forms (MySQL Internals, "Binary Protocol Value").

use sqlx::{
    Column as _, Decode, MySql, Row as _, Type, TypeInfo as _,
    mysql::{MySqlColumn, MySqlRow, MySqlTypeInfo, MySqlValueRef},
};

use crate::domain::{SqlError, SqlKind, Value};

/// A row's values.
///
/// # Errors
/// A value is not what its type says; the error names the column.
pub(super) fn values(row: &MySqlRow) -> Result<Vec<Value>, SqlError> {
    let read = |column: &MySqlColumn| {
        let kind = column.type_info();
        let failed =
            |words: &str| SqlError::new(SqlKind::Type, &format!("column {} ({}): {words}", column.name(), kind.name()));
        let raw = row.try_get_raw(column.ordinal()).map_err(|error| failed(&error.to_string()))?;
        // NULL is the one value without bytes. (A date of all zeros counts as NULL for sqlx, but has some.)
        let Ok(bytes) = <&[u8] as Decode<MySql>>::decode(raw.clone()) else { return Ok(Value::Null) };
        value(raw, bytes, kind).ok_or_else(|| failed("a value that can't be read"))
    };
    row.columns().iter().map(read).collect()
}

fn value(raw: MySqlValueRef<'_>, bytes: &[u8], kind: &MySqlTypeInfo) -> Option<Value> {
    match kind.name() {
        "TINYINT UNSIGNED" | "SMALLINT UNSIGNED" | "MEDIUMINT UNSIGNED" | "INT UNSIGNED" | "BIGINT UNSIGNED"
        | "YEAR" => unsigned(raw),
        "BOOLEAN" | "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "BIGINT" => {
            // A tinyint(1) may be unsigned, too: its name does not say so.
            let signed = <i64 as Decode<MySql>>::decode(raw.clone()).ok().map(Value::Integer);
            signed.or_else(|| unsigned(raw))
        }
        "FLOAT" | "DOUBLE" => <f64 as Decode<MySql>>::decode(raw).ok().map(Value::Real),
        // Most significant first, as many as are needed.
        "BIT" => Some(of_unsigned(bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)))),
        "DATE" | "DATETIME" | "TIMESTAMP" => written(bytes).or_else(|| date_time(bytes)).map(Value::Text),
        "TIME" => written(bytes).or_else(|| time(bytes)).map(Value::Text),
        "DECIMAL" | "JSON" | "SET" | "ENUM" => as_text(bytes),
        _ if <str as Type<MySql>>::compatible(kind) => as_text(bytes),
        _ => Some(Value::Bytes(bytes.to_vec())),
    }
}

fn unsigned(raw: MySqlValueRef<'_>) -> Option<Value> {
    <u64 as Decode<MySql>>::decode(raw).ok().map(of_unsigned)
}

/// What no `i64` holds is its text.
fn of_unsigned(number: u64) -> Value {
    i64::try_from(number).map_or_else(|_| Value::Text(number.to_string()), Value::Integer)
}

fn as_text(bytes: &[u8]) -> Option<Value> {
    String::from_utf8(bytes.to_vec()).ok().map(Value::Text)
}

/// A date or time that came as text: the binary form begins with its length, which is no digit and no sign.
fn written(bytes: &[u8]) -> Option<String> {
    let is_text = bytes.first().is_some_and(|first| first.is_ascii_digit() || *first == b'-');
    is_text.then(|| String::from_utf8(bytes.to_vec()).ok()).flatten()
}

/// Length, then year, month, day, then the time, then its microseconds: what is zero from the end on is left out.
fn date_time(bytes: &[u8]) -> Option<String> {
    let (length, rest) = bytes.split_first()?;
    let rest = rest.get(..usize::from(*length))?;
    let part = |index: usize| rest.get(index).copied().unwrap_or(0);
    let date = format!("{:04}-{:02}-{:02}", u16::from_le_bytes([part(0), part(1)]), part(2), part(3));
    if rest.len() <= 4 {
        return Some(date);
    }
    let micro = u32::from_le_bytes([part(7), part(8), part(9), part(10)]);
    Some(format!("{date} {:02}:{:02}:{:02}{}", part(4), part(5), part(6), fraction(micro)))
}

/// Length, sign, days, then the time, then its microseconds.
fn time(bytes: &[u8]) -> Option<String> {
    let (length, rest) = bytes.split_first()?;
    let rest = rest.get(..usize::from(*length))?;
    let part = |index: usize| rest.get(index).copied().unwrap_or(0);
    let sign = if part(0) == 0 { "" } else { "-" };
    let hours = u64::from(u32::from_le_bytes([part(1), part(2), part(3), part(4)])) * 24 + u64::from(part(5));
    let micro = u32::from_le_bytes([part(8), part(9), part(10), part(11)]);
    Some(format!("{sign}{hours:02}:{:02}:{:02}{}", part(6), part(7), fraction(micro)))
}

/// In six digits where there is one: the binary form does not say how many the column has.
fn fraction(microseconds: u32) -> String {
    if microseconds == 0 { String::new() } else { format!(".{microseconds:06}") }
}
