//! Ways into a message: to a place that somebody named, through lists, and through texts in which JSON is encoded.

use std::borrow::Cow;

use serde_json::Value;

use crate::messages::decode::{self, Decoded};

/// A step on the way from a message's body to what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// What is encoded in the text.
    Decode,
    Field(String),
    Item(usize),
}

/// What is encoded in a text, opened as often as it is encoded: the text in the end, and how each was encoded.
pub(super) fn opened(text: &str) -> Option<(String, Vec<decode::Encoded>)> {
    let mut how = Vec::new();
    let mut current = Cow::Borrowed(text);
    while how.len() < decode::DEPTH_MAX
        && let Some(Decoded { how: this, text, is_json }) = decode::decode(&current).filter(is_one)
    {
        how.push(this);
        current = Cow::Owned(text);
        if is_json && current.trim_start().starts_with(['{', '[']) {
            break;
        }
    }
    (!how.is_empty()).then(|| (current.into_owned(), how))
}

fn is_one(inner: &Decoded) -> bool {
    inner.how != decode::Encoded::Lines
}

/// The JSON that is encoded in a text.
pub(super) fn decoded(text: &str) -> Option<Value> {
    serde_json::from_str(&opened(text)?.0).ok()
}

/// What stands at the names, and the steps that lead there. A text on the way is decoded.
pub(super) fn find<'a>(value: &'a Value, names: &[String]) -> Option<(Cow<'a, Value>, Vec<Step>)> {
    let Some((name, rest)) = names.split_first() else {
        return (!value.is_null()).then_some((Cow::Borrowed(value), Vec::new()));
    };
    let (inner, step) = match value {
        Value::Object(fields) => {
            let (name, inner) = fields.get_key_value(name)?;
            (inner, Step::Field(name.clone()))
        }
        Value::Array(items) => {
            let at: usize = name.parse().ok()?;
            (items.get(at)?, Step::Item(at))
        }
        Value::String(text) => {
            let inner = decoded(text).filter(|inner| inner.is_object() || inner.is_array())?;
            let (found, way) = find(&inner, names)?;
            let way = std::iter::once(Step::Decode).chain(way).collect();
            return Some((Cow::Owned(found.into_owned()), way));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => return None,
    };
    let (found, way) = find(inner, rest)?;
    Some((found, std::iter::once(step).chain(way).collect()))
}

/// A value that is a text or a number, as text.
pub(super) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(items) => text_of(items.first().filter(|item| item.is_string())?),
        Value::Null | Value::Bool(_) | Value::Object(_) => None,
    }
}
