//! Statements, values and errors as the Data API has them (API reference, "Field", "SqlParameter").

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value as Json, json};

use super::super::failure::{by_number, by_state};
use crate::{
    cloud::{CloudError, ErrorKind},
    domain::{SqlError, SqlKind, Value},
};

/// The placeholders (`$1`, `?`, `?1`) as names: `:p1`. What stands in quotes is left alone.
pub(super) fn named(text: &str) -> String {
    let mut named = String::with_capacity(text.len() + 16);
    let (mut quote, mut count) = (None, 0_usize);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(end), _) => {
                quote = quote.filter(|_| letter != end);
                named.push(letter);
            }
            (None, '\'' | '"' | '`') => {
                quote = Some(letter);
                named.push(letter);
            }
            (None, '$' | '?') => {
                let mut digits = String::new();
                while let Some(digit) = letters.next_if(char::is_ascii_digit) {
                    digits.push(digit);
                }
                match (letter, digits.is_empty()) {
                    ('$', true) => named.push('$'),
                    (_, true) => {
                        count += 1;
                        named.push_str(&format!(":p{count}"));
                    }
                    (_, false) => named.push_str(&format!(":p{digits}")),
                }
            }
            (None, _) => named.push(letter),
        }
    }
    named
}

pub(super) fn parameters(values: &[Value]) -> Json {
    let field = |value: &Value| match value {
        Value::Null => json!({ "isNull": true }),
        Value::Integer(number) => json!({ "longValue": number }),
        Value::Real(number) => json!({ "doubleValue": number }),
        Value::Text(text) => json!({ "stringValue": text }),
        Value::Bytes(bytes) => json!({ "blobValue": BASE64_STANDARD.encode(bytes) }),
    };
    let named = values.iter().enumerate();
    named.map(|(index, value)| json!({ "name": format!("p{}", index + 1), "value": field(value) })).collect()
}

/// # Errors
/// A field of no kind that there is.
pub(super) fn value(field: &Json) -> Result<Value, SqlError> {
    let unreadable = || SqlError::new(SqlKind::Type, "a field that can't be read: cast its column to text");
    let (kind, value) = field.as_object().and_then(|members| members.iter().next()).ok_or_else(unreadable)?;
    let read = match (kind.as_str(), value) {
        ("isNull", _) => Some(Value::Null),
        ("booleanValue", Json::Bool(flag)) => Some(Value::Integer(i64::from(*flag))),
        ("longValue", Json::Number(number)) => number.as_i64().map(Value::Integer),
        ("doubleValue", Json::Number(number)) => number.as_f64().map(Value::Real),
        ("stringValue", Json::String(text)) => Some(Value::Text(text.clone())),
        ("blobValue", Json::String(text)) => BASE64_STANDARD.decode(text).ok().map(Value::Bytes),
        ("arrayValue", array) => Some(Value::Text(array.to_string())),
        _ => None,
    };
    read.ok_or_else(unreadable)
}

/// What an error is, its code, and the database's words without detail.
pub(super) fn told(error: &CloudError) -> (SqlKind, String, String) {
    let message = error.message.as_str();
    let said = |mark: &str| {
        let (_, rest) = message.split_once(mark)?;
        Some(rest.trim_start().chars().take_while(char::is_ascii_alphanumeric).collect::<String>())
    };
    // In front of position and SQLSTATE, and of PostgreSQL's detail and hint, which may hold a row.
    let words = ["Detail:", "Hint:", "; Position:", "; SQLState:"]
        .iter()
        .fold(message, |words, mark| words.split_once(mark).map_or(words, |(before, _)| before.trim_end()));
    // MySQL's number says more than its SQLSTATE.
    if let Some(number) = said("error code:") {
        return (number.parse().map_or(SqlKind::Other, by_number), number, words.to_owned());
    }
    if let Some(state) = said("SQLState:") {
        return (by_state(&state), state, words.to_owned());
    }
    let code = error.code.clone().unwrap_or_default();
    let kind = match (code.as_str(), error.kind) {
        ("StatementTimeoutException", _) => SqlKind::StatementTimeout,
        ("UnsupportedResultException", _) => SqlKind::Type,
        (_, ErrorKind::Denied) => SqlKind::Denied,
        // The request as it stands: the SQL, or what the configuration names.
        (_, ErrorKind::Invalid) => SqlKind::Other,
        (
            _,
            ErrorKind::Throttled
            | ErrorKind::NotFound
            | ErrorKind::CredentialsExpired
            | ErrorKind::CredentialsMissing
            | ErrorKind::Unreachable
            | ErrorKind::Unknown
            | ErrorKind::ClockSkew,
        ) => SqlKind::Lost,
    };
    (kind, code, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_get_names_and_quotes_stay() {
        for (text, expected) in [
            ("SELECT a FROM t WHERE b = $1 AND c = $2::uuid", "SELECT a FROM t WHERE b = :p1 AND c = :p2::uuid"),
            ("UPDATE `a?` SET b = ? WHERE c = ?", "UPDATE `a?` SET b = :p1 WHERE c = :p2"),
            (
                "SELECT '$1 it''s ?', \"$1\" WHERE a = ?1 OR b = ?1",
                "SELECT '$1 it''s ?', \"$1\" WHERE a = :p1 OR b = :p1",
            ),
            ("SELECT $10, $", "SELECT :p10, $"),
        ] {
            assert_eq!(named(text), expected);
        }
    }

    #[test]
    fn fields_are_values_and_values_fields() {
        let values =
            [Value::Null, Value::Integer(-1), Value::Real(0.5), Value::Text("x".into()), Value::Bytes(vec![0, 255])];
        let given = parameters(&values);
        for (index, (field, value)) in given.as_array().expect("a list").iter().zip(&values).enumerate() {
            assert_eq!(field["name"], format!("p{}", index + 1));
            assert_eq!(self::value(&field["value"]).as_ref(), Ok(value));
        }
        assert_eq!(value(&json!({ "booleanValue": true })), Ok(Value::Integer(1)));
        assert_eq!(
            value(&json!({ "arrayValue": { "longValues": [1] } })),
            Ok(Value::Text("{\"longValues\":[1]}".into()))
        );
        assert!(value(&json!({})).is_err() && value(&json!({ "longValue": "1" })).is_err());
    }

    #[test]
    fn errors_are_told_apart_and_say_nothing_of_a_row() {
        let error = |code: &str, message: &str| {
            CloudError::coded(ErrorKind::Invalid, "rds-data:ExecuteStatement", code, message)
        };
        let postgres = error(
            "DatabaseErrorException",
            "ERROR: new row violates check constraint \"a\"\n  Detail: Failing row contains (1, hunter2).; SQLState: 23514",
        );
        let (kind, code, words) = told(&postgres);
        assert_eq!((kind, code.as_str()), (SqlKind::Constraint, "23514"));
        assert_eq!(words, "ERROR: new row violates check constraint \"a\"");
        let mysql = told(&error(
            "BadRequestException",
            "Database error code: 1146. Message: Table 'a.b' doesn't exist; SQLState: 42S02",
        ));
        assert_eq!((mysql.0, mysql.1.as_str()), (SqlKind::NoTable, "1146"));
        assert_eq!(told(&error("StatementTimeoutException", "Request timed out")).0, SqlKind::StatementTimeout);
    }
}
