//! [`Signature`]: what a failure looks like. Messages with equal signatures form a group.

use std::{collections::BTreeSet, fmt};

use serde_json::Value;

use crate::{
    domain::{AttributeValue, Message, Payload, template},
    messages::json,
};

const KEYS_MAX: usize = 24;
/// How deep a body is searched for an error text.
const SEARCH_DEPTH_MAX: usize = 4;
const SEARCH_VALUES_MAX: usize = 200;
/// Bodies larger than this are not parsed for grouping, in bytes.
const BODY_BYTES_MAX: usize = 262_144;
/// Longest error code, in bytes.
const CODE_BYTES_MAX: usize = 80;

/// Attributes that carry an error code, in order of preference: Lambda's, EventBridge's, then common names.
const CODE_ATTRIBUTES: [&str; 7] =
    ["ErrorCode", "ERROR_CODE", "errorCode", "error_code", "exceptionType", "exception_type", "errorType"];
const TEXT_ATTRIBUTES: [&str; 8] = [
    "ErrorMessage",
    "ERROR_MESSAGE",
    "errorMessage",
    "error_message",
    "exception",
    "exceptionMessage",
    "error",
    "stackTrace",
];

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Signature {
    pub(super) source: Option<String>,
    pub(super) error: Option<(String, String)>,
    pub(super) exception: Option<Exception>,
    pub(super) shape: Shape,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Exception {
    pub(super) place: Place,
    pub(super) template: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Place {
    Attribute(String),
    /// Keys that lead to it.
    Body(Vec<String>),
    /// The body is plain text.
    Text,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Shape {
    /// A JSON object: its keys, and those of objects right in it.
    Object(BTreeSet<Vec<String>>),
    /// Another JSON value: jq's name of its type.
    Other(&'static str),
}

impl Signature {
    pub(super) fn of(message: &Message) -> Self {
        let parsed = (message.body.len() <= BODY_BYTES_MAX && json::is_json(&message.body))
            .then(|| serde_json::from_str(&message.body).ok())
            .flatten();
        Self {
            source: message.system.dead_letter_source.as_ref().map(|arn| arn.name().0),
            error: error_code(message),
            exception: exception(message, parsed.as_ref()),
            shape: shape(parsed.as_ref()),
        }
    }
}

fn error_code(message: &Message) -> Option<(String, String)> {
    CODE_ATTRIBUTES.iter().find_map(|name| {
        let value = text_of(message.attributes.get(*name)?)?;
        (value.len() <= CODE_BYTES_MAX).then(|| ((*name).to_owned(), value.to_owned()))
    })
}

fn text_of(value: &AttributeValue) -> Option<&str> {
    match &value.payload {
        Payload::Text(text) => Some(text),
        Payload::Binary(_) => None,
    }
}

fn exception(message: &Message, body: Option<&Value>) -> Option<Exception> {
    let listed = TEXT_ATTRIBUTES.iter().find_map(|name| Some((*name, text_of(message.attributes.get(*name)?)?)));
    let telling = || {
        let named =
            message.attributes.iter().filter(|(name, _)| !CODE_ATTRIBUTES.contains(&name.as_str()) && tells(name));
        named.filter_map(|(name, value)| Some((name.as_str(), text_of(value)?))).next()
    };
    if let Some((name, text)) = listed.or_else(telling) {
        return found(Place::Attribute(name.to_owned()), text);
    }
    match body {
        Some(body @ Value::Object(_)) => {
            let mut left = SEARCH_VALUES_MAX;
            let (path, text) = search(body, &mut Vec::new(), &mut left)?;
            found(Place::Body(path), &text)
        }
        Some(_) => None,
        None => {
            let first = message.body.lines().map(str::trim).find(|line| !line.is_empty())?;
            looks_like_error(first).then(|| found(Place::Text, first)).flatten()
        }
    }
}

fn found(place: Place, text: &str) -> Option<Exception> {
    let template = template::template(text);
    (!template.is_empty()).then_some(Exception { place, template })
}

fn tells(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["exception", "error", "stacktrace", "failure", "reason"].iter().any(|part| name.contains(part))
}

fn looks_like_error(line: &str) -> bool {
    let end = line.floor_char_boundary(400);
    ["Exception", "Error", "error:", "Traceback", "panic", "Timeout", "timed out", "failed", "refused"]
        .iter()
        .any(|word| line[..end].contains(word))
}

/// First text under a telling key, in the body's own order; inside such a key `message` or any text.
fn search(value: &Value, path: &mut Vec<String>, left: &mut usize) -> Option<(Vec<String>, String)> {
    let Value::Object(fields) = value else { return None };
    for (key, value) in fields {
        *left = left.checked_sub(1)?;
        path.push(key.clone());
        if tells(key) {
            if let Value::String(text) = value {
                return Some((path.clone(), text.clone()));
            }
            let inner = ["message", "errorMessage", "msg", "detail", "type", "name"];
            if let Some((name, text)) = inner.iter().find_map(|name| Some((name, value.get(name)?.as_str()?))) {
                path.push((*name).to_owned());
                return Some((path.clone(), text.to_owned()));
            }
        }
        if path.len() < SEARCH_DEPTH_MAX
            && let Some(found) = search(value, path, left)
        {
            return Some(found);
        }
        path.pop();
    }
    None
}

fn shape(body: Option<&Value>) -> Shape {
    match body {
        None | Some(Value::String(_)) => Shape::Other("string"),
        Some(Value::Null) => Shape::Other("null"),
        Some(Value::Bool(_)) => Shape::Other("boolean"),
        Some(Value::Number(_)) => Shape::Other("number"),
        Some(Value::Array(_)) => Shape::Other("array"),
        Some(Value::Object(fields)) => {
            let mut keys = BTreeSet::new();
            for (key, value) in fields {
                keys.insert(vec![key.clone()]);
                if let Value::Object(inner) = value {
                    keys.extend(inner.keys().map(|inner| vec![key.clone(), inner.clone()]));
                }
            }
            Shape::Object(keys.into_iter().take(KEYS_MAX).collect())
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other("string") => formatter.write_str("text"),
            Self::Other(kind) => formatter.write_str(kind),
            Self::Object(keys) => {
                // A key whose own keys are listed need not be listed itself.
                let listed = |path: &Vec<String>| {
                    path.len() > 1 || !keys.iter().any(|other| other.len() > 1 && other[0] == path[0])
                };
                let names: Vec<String> = keys.iter().filter(|path| listed(path)).map(|path| path.join(".")).collect();
                write!(formatter, "{{{}}}", names.join(" "))
            }
        }
    }
}
