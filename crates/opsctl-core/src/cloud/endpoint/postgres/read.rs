//! Values in rows, from PostgreSQL's text and binary forms (`pg_type.dat`, and the types' `send` functions).

use jiff::{SignedDuration, civil};
use sqlx::{
    Column as _, Row as _, TypeInfo as _, ValueRef as _,
    postgres::{PgRow, PgTypeInfo, PgTypeKind, PgValueFormat, PgValueRef},
};

use super::decimal;
use crate::domain::{SqlError, SqlKind, Value};

/// A row's values.
///
/// # Errors
/// A value is not what its type says; the error names the column.
pub(super) fn values(row: &PgRow) -> Result<Vec<Value>, SqlError> {
    let read = |column: &sqlx::postgres::PgColumn| {
        let failed = |words: &str| {
            let words = format!("column {} ({}): {words}", column.name(), column.type_info());
            SqlError::new(SqlKind::Type, &words)
        };
        let raw = row.try_get_raw(column.ordinal()).map_err(|error| failed(&error.to_string()))?;
        if raw.is_null() {
            return Ok(Value::Null);
        }
        value(&raw, column.type_info()).ok_or_else(|| failed("a value that can't be read"))
    };
    row.columns().iter().map(read).collect()
}

fn value(raw: &PgValueRef<'_>, kind: &PgTypeInfo) -> Option<Value> {
    let bytes = raw.as_bytes().ok()?;
    match raw.format() {
        PgValueFormat::Text => text(std::str::from_utf8(bytes).ok()?, Form::of_builtin(kind)),
        PgValueFormat::Binary => binary(bytes, Form::of(kind)?),
    }
}

/// Whether the binary form is known.
pub(super) fn is_known(kind: &PgTypeInfo) -> bool {
    Form::of(kind).is_some()
}

/// How a type is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Boolean,
    Bytes,
    /// Its text is its binary form.
    Text,
    Jsonb,
    Int2,
    Int4,
    Int8,
    Oid,
    Real4,
    Real8,
    Numeric,
    Uuid,
    Date,
    Time,
    Timestamp,
    TimestampTz,
    Void,
}

impl Form {
    pub(super) fn of(kind: &PgTypeInfo) -> Option<Self> {
        if let Some(form) = Self::of_builtin(kind) {
            return Some(form);
        }
        // What has no name here was not looked up, and has no kind.
        if kind.name() == "?" {
            return None;
        }
        match kind.kind() {
            PgTypeKind::Enum(_) => Some(Self::Text),
            PgTypeKind::Domain(base) => Self::of(base),
            PgTypeKind::Simple if kind.name().eq_ignore_ascii_case("citext") => Some(Self::Text),
            PgTypeKind::Simple
            | PgTypeKind::Pseudo
            | PgTypeKind::Composite(_)
            | PgTypeKind::Array(_)
            | PgTypeKind::Range(_) => None,
        }
    }

    fn of_builtin(kind: &PgTypeInfo) -> Option<Self> {
        Some(match kind.oid()?.0 {
            16 => Self::Boolean,
            17 => Self::Bytes,
            // "char", name, text, json, xml, unknown, char, varchar
            18 | 19 | 25 | 114 | 142 | 705 | 1042 | 1043 => Self::Text,
            20 => Self::Int8,
            21 => Self::Int2,
            23 => Self::Int4,
            26 => Self::Oid,
            700 => Self::Real4,
            701 => Self::Real8,
            1082 => Self::Date,
            1083 => Self::Time,
            1114 => Self::Timestamp,
            1184 => Self::TimestampTz,
            1700 => Self::Numeric,
            2278 => Self::Void,
            2950 => Self::Uuid,
            3802 => Self::Jsonb,
            _ => return None,
        })
    }
}

fn text(text: &str, form: Option<Form>) -> Option<Value> {
    Some(match form {
        Some(Form::Boolean) => Value::Integer(i64::from(text == "t")),
        Some(Form::Int2 | Form::Int4 | Form::Int8 | Form::Oid) => Value::Integer(text.parse().ok()?),
        Some(Form::Real4 | Form::Real8) => Value::Real(text.parse().ok()?),
        Some(Form::Bytes) => Value::Bytes(from_hex(text.strip_prefix("\\x")?)?),
        _ => Value::Text(text.to_owned()),
    })
}

fn binary(bytes: &[u8], form: Form) -> Option<Value> {
    let integer = |number: i64| Some(Value::Integer(number));
    match form {
        Form::Boolean => integer(i64::from(*bytes.first()? != 0)),
        Form::Bytes => Some(Value::Bytes(bytes.to_vec())),
        Form::Text => String::from_utf8(bytes.to_vec()).ok().map(Value::Text),
        Form::Jsonb => String::from_utf8(bytes.strip_prefix(&[1])?.to_vec()).ok().map(Value::Text),
        Form::Int2 => integer(i16::from_be_bytes(bytes.try_into().ok()?).into()),
        Form::Int4 => integer(i32::from_be_bytes(bytes.try_into().ok()?).into()),
        Form::Int8 => integer(i64::from_be_bytes(bytes.try_into().ok()?)),
        Form::Oid => integer(u32::from_be_bytes(bytes.try_into().ok()?).into()),
        Form::Real4 => Some(Value::Real(f32::from_be_bytes(bytes.try_into().ok()?).into())),
        Form::Real8 => Some(Value::Real(f64::from_be_bytes(bytes.try_into().ok()?))),
        Form::Numeric => decimal::read(bytes).map(Value::Text),
        Form::Uuid => uuid(bytes).map(Value::Text),
        Form::Date => date(i32::from_be_bytes(bytes.try_into().ok()?)).map(Value::Text),
        Form::Time => time(i64::from_be_bytes(bytes.try_into().ok()?)).map(Value::Text),
        Form::Timestamp => timestamp(i64::from_be_bytes(bytes.try_into().ok()?), "").map(Value::Text),
        // The session's time zone is UTC.
        Form::TimestampTz => timestamp(i64::from_be_bytes(bytes.try_into().ok()?), "+00").map(Value::Text),
        Form::Void => Some(Value::Text(String::new())),
    }
}

/// Dates and times count from here.
pub(super) const EPOCH: civil::DateTime = civil::datetime(2000, 1, 1, 0, 0, 0, 0);

fn date(days: i32) -> Option<String> {
    match days {
        i32::MAX => Some("infinity".to_owned()),
        i32::MIN => Some("-infinity".to_owned()),
        days => {
            EPOCH.date().checked_add(SignedDuration::from_hours(i64::from(days) * 24)).ok().map(|date| date.to_string())
        }
    }
}

fn time(microseconds: i64) -> Option<String> {
    // 24:00:00 is a time of PostgreSQL's.
    let (seconds, rest) = (microseconds.div_euclid(1_000_000), microseconds.rem_euclid(1_000_000));
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    (0..=24).contains(&hours).then(|| format!("{hours:02}:{minutes:02}:{seconds:02}{}", fraction(rest)))
}

fn timestamp(microseconds: i64, zone: &str) -> Option<String> {
    match microseconds {
        i64::MAX => return Some("infinity".to_owned()),
        i64::MIN => return Some("-infinity".to_owned()),
        _ => {}
    }
    let at = EPOCH.checked_add(SignedDuration::from_micros(microseconds)).ok()?;
    let rest = fraction(i64::from(at.subsec_nanosecond() / 1_000));
    Some(format!("{} {}{rest}{zone}", at.date(), at.strftime("%H:%M:%S")))
}

/// `.5`, without zeros at its end; empty: none.
fn fraction(microseconds: i64) -> String {
    let text = format!(".{microseconds:06}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn uuid(bytes: &[u8]) -> Option<String> {
    let dashed = |(index, byte): (usize, &u8)| {
        let dash = if matches!(index, 4 | 6 | 8 | 10) { "-" } else { "" };
        format!("{dash}{byte:02x}")
    };
    (bytes.len() == 16).then(|| bytes.iter().enumerate().map(dashed).collect())
}

pub(super) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}
