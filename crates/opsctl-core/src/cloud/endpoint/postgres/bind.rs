//! Values of a statement, each in the binary form of the type that the server inferred for its placeholder.

use jiff::{Timestamp, civil};
use sqlx::{
    Arguments as _, Encode, Postgres, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgArguments, PgTypeInfo},
};

use super::{
    decimal,
    read::{EPOCH, Form, from_hex},
};
use crate::domain::{SqlError, SqlKind, Value};

/// # Errors
/// Another number of values than of placeholders; a value that is none of its placeholder's type. The words do not hold the value.
pub(super) fn arguments(types: &[PgTypeInfo], values: &[Value]) -> Result<PgArguments, SqlError> {
    if types.len() != values.len() {
        let words = format!("the statement has {} placeholders, and {} values are given", types.len(), values.len());
        return Err(SqlError::new(SqlKind::Other, &words));
    }
    let mut arguments = PgArguments::default();
    for (index, (kind, value)) in types.iter().zip(values).enumerate() {
        let number = index + 1;
        let failed = |words: &str| SqlError::new(SqlKind::Type, &format!("${number} is of type {kind}: {words}"));
        let bytes = match (value, Form::of(kind)) {
            (Value::Null, _) => None,
            (_, None) => return Err(failed(&format!("no value can be bound as that; write ${number}::text::{kind}"))),
            (value, Some(form)) => Some(binary(value, form).ok_or_else(|| failed("the value is none of that type"))?),
        };
        arguments.add(Bound { kind: kind.clone(), bytes }).map_err(|error| failed(&error.to_string()))?;
    }
    Ok(arguments)
}

/// A value in its binary form; none is NULL.
struct Bound {
    kind: PgTypeInfo,
    bytes: Option<Vec<u8>>,
}

impl Type<Postgres> for Bound {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(sqlx::postgres::types::Oid(0))
    }
}

impl Encode<'_, Postgres> for Bound {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let Some(bytes) = &self.bytes else { return Ok(IsNull::Yes) };
        buffer.extend_from_slice(bytes);
        Ok(IsNull::No)
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(self.kind.clone())
    }
}

fn binary(value: &Value, form: Form) -> Option<Vec<u8>> {
    if let (Value::Bytes(bytes), Form::Bytes | Form::Text) = (value, form) {
        return Some(bytes.clone());
    }
    let text = text(value)?;
    let text = text.as_str();
    Some(match form {
        Form::Boolean => vec![u8::from(boolean(text)?)],
        Form::Bytes => match text.strip_prefix("\\x") {
            Some(hex) => from_hex(hex)?,
            None => text.as_bytes().to_vec(),
        },
        Form::Text => text.as_bytes().to_vec(),
        Form::Jsonb => [&[1], text.as_bytes()].concat(),
        Form::Int2 => text.parse::<i16>().ok()?.to_be_bytes().to_vec(),
        Form::Int4 => text.parse::<i32>().ok()?.to_be_bytes().to_vec(),
        Form::Int8 => text.parse::<i64>().ok()?.to_be_bytes().to_vec(),
        Form::Oid => text.parse::<u32>().ok()?.to_be_bytes().to_vec(),
        Form::Real4 => text.parse::<f32>().ok()?.to_be_bytes().to_vec(),
        Form::Real8 => text.parse::<f64>().ok()?.to_be_bytes().to_vec(),
        Form::Numeric => decimal::write(text)?,
        Form::Uuid => {
            let digits: String = text.chars().filter(|digit| !matches!(digit, '-' | '{' | '}')).collect();
            from_hex(&digits).filter(|bytes| bytes.len() == 16)?
        }
        Form::Date => date(text)?.to_be_bytes().to_vec(),
        Form::Time => microseconds(text.parse::<civil::Time>().ok()?.to_datetime(EPOCH.date()))?.to_be_bytes().to_vec(),
        Form::Timestamp | Form::TimestampTz => timestamp(text)?.to_be_bytes().to_vec(),
        Form::Void => return None,
    })
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Integer(number) => Some(number.to_string()),
        Value::Real(number) => Some(number.to_string()),
        Value::Text(text) => Some(text.clone()),
        Value::Bytes(bytes) => String::from_utf8(bytes.clone()).ok(),
    }
}

/// As PostgreSQL reads it, in full or in one letter.
fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "t" | "true" | "y" | "yes" | "on" => Some(true),
        "0" | "f" | "false" | "n" | "no" | "off" => Some(false),
        _ => None,
    }
}

fn date(text: &str) -> Option<i32> {
    match text {
        "infinity" => return Some(i32::MAX),
        "-infinity" => return Some(i32::MIN),
        _ => {}
    }
    let date: civil::Date = text.parse().ok()?;
    i32::try_from(date.duration_since(EPOCH.date()).as_hours() / 24).ok()
}

/// Microseconds since 2000. Without a zone it is UTC, as the session's is.
fn timestamp(text: &str) -> Option<i64> {
    match text {
        "infinity" => return Some(i64::MAX),
        "-infinity" => return Some(i64::MIN),
        _ => {}
    }
    let at = match text.parse::<Timestamp>() {
        Ok(at) => at.to_zoned(jiff::tz::TimeZone::UTC).datetime(),
        Err(_) => text.parse().ok()?,
    };
    microseconds(at)
}

fn microseconds(at: civil::DateTime) -> Option<i64> {
    i64::try_from(at.duration_since(EPOCH).as_micros()).ok()
}
