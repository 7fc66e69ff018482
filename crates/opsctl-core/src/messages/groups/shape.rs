//! What bodies look like, where neither an error nor a type tells: their keys, with optional fields and keys that are ids folded.

use std::{collections::BTreeSet, fmt};

use serde_json::{Map, Value};

/// Keys of a body that are looked at.
const KEYS_MAX: usize = 64;
/// Keys that are shown.
const SHOWN_MAX: usize = 24;
/// Stands for keys that are data: ids, names of things.
pub(super) const ANY: &str = "*";
/// Bodies that have so much of their keys in common are alike: the rest are optional fields.
const ALIKE: f64 = 0.75;

/// What a body looks like.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Shape {
    /// An error or a type tells more than any shape.
    Told,
    /// A JSON object: its keys, folded.
    Object(BTreeSet<String>),
    /// Another JSON value: jq's name of its type.
    Other(&'static str),
}

/// The keys of one body: those at the top, and for reading those of objects right in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Keys {
    pub(super) shape: Shape,
    inner: BTreeSet<String>,
}

impl Keys {
    pub(super) fn of(content: Option<&Value>) -> Self {
        let other = |kind| Self { shape: Shape::Other(kind), inner: BTreeSet::new() };
        match content {
            None | Some(Value::String(_)) => other("string"),
            Some(Value::Null) => other("null"),
            Some(Value::Bool(_)) => other("boolean"),
            Some(Value::Number(_)) => other("number"),
            Some(Value::Array(_)) => other("array"),
            Some(Value::Object(fields)) => {
                let mut inner = BTreeSet::new();
                for (key, value) in folded(fields) {
                    let within = value.as_object().filter(|within| !within.is_empty()).map(folded).unwrap_or_default();
                    match within.is_empty() {
                        true => drop(inner.insert(key)),
                        false => inner.extend(within.into_iter().map(|(name, _)| format!("{key}.{name}"))),
                    }
                }
                let keys = folded(fields).into_iter().map(|(key, _)| key).collect();
                Self { shape: Shape::Object(keys), inner }
            }
        }
    }

    /// As a reader sees bodies of one group: what all have, and a sign that some have more.
    pub(super) fn shown(all: &[&Self]) -> String {
        let Some(first) = all.first() else { return String::new() };
        let sort = |keys: &Self| std::mem::discriminant(&keys.shape);
        if all.iter().any(|keys| sort(keys) != sort(first)) {
            return "several".to_owned();
        }
        match &first.shape {
            Shape::Other("string") => "text".to_owned(),
            Shape::Other(kind) => (*kind).to_owned(),
            Shape::Told => String::new(),
            Shape::Object(_) => {
                let common = all.iter().fold(first.inner.clone(), |common, keys| &common & &keys.inner);
                let has_more = common.len() > SHOWN_MAX || all.iter().any(|keys| keys.inner.len() > common.len());
                let names: Vec<&str> = common.iter().take(SHOWN_MAX).map(String::as_str).collect();
                format!(
                    "{{{}{}}}",
                    names.join(" "),
                    if has_more { if names.is_empty() { "…" } else { " …" } } else { "" }
                )
            }
        }
    }
}

/// An object's keys with those folded that are data.
fn folded(fields: &Map<String, Value>) -> Vec<(String, &Value)> {
    let mut seen = BTreeSet::new();
    let is_map = is_map(fields);
    let key = |name: &String| if is_map || is_id(name) { ANY.to_owned() } else { name.clone() };
    let keys = fields.iter().take(KEYS_MAX).map(|(name, value)| (key(name), value));
    keys.filter(|(key, _)| seen.insert(key.clone())).collect()
}

/// A map from things to what is known of each: all its values are objects of one shape.
fn is_map(fields: &Map<String, Value>) -> bool {
    let keys = |value: &Value| -> Option<Vec<String>> {
        let mut keys: Vec<String> = value.as_object()?.keys().cloned().collect();
        keys.sort_unstable();
        (!keys.is_empty()).then_some(keys)
    };
    let mut values = fields.values().take(KEYS_MAX);
    let Some(first) = values.next().and_then(keys) else { return false };
    fields.len() >= 2 && values.all(|value| keys(value).as_ref() == Some(&first))
}

/// Whether a key is an id rather than a name: a number, a UUID, a hash, a date, an address.
fn is_id(name: &str) -> bool {
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    let letters = name.chars().filter(|letter| letter.is_alphabetic()).count();
    let is_hash = name.len() >= 12 && digits >= 2 && name.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    digits >= 4 || (digits > 0 && letters == 0) || is_hash || name.contains('@') || name.starts_with("arn:")
}

/// Finds for each shape the shapes that are alike: gives for each the place of the first of its kind. Those that most bodies have
/// come first.
pub(super) fn alike(shapes: &[&Shape]) -> Vec<usize> {
    let mut first_of: Vec<usize> = Vec::with_capacity(shapes.len());
    for (at, shape) in shapes.iter().enumerate() {
        let found = (0..at).find(|earlier| is_alike(shapes[*earlier], shape));
        first_of.push(found.map_or(at, |earlier| first_of[earlier]));
    }
    first_of
}

fn is_alike(one: &Shape, other: &Shape) -> bool {
    match (one, other) {
        (Shape::Object(one), Shape::Object(other)) => {
            let smaller = one.len().min(other.len());
            let common = one.intersection(other).count();
            one == other || (common > 0 && common as f64 >= ALIKE * smaller as f64)
        }
        (Shape::Told | Shape::Other(_), Shape::Told | Shape::Other(_) | Shape::Object(_))
        | (Shape::Object(_), Shape::Told | Shape::Other(_)) => one == other,
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Told => Ok(()),
            Self::Other("string") => formatter.write_str("text"),
            Self::Other(kind) => formatter.write_str(kind),
            Self::Object(keys) => {
                let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
                write!(formatter, "{{{}}}", keys.join(" "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_that_are_data_are_folded() {
        for (body, shown) in [
            (json!({"id": 1, "b": {"c": 1}}), "{b.c id}"),
            (json!({"prices": {"10432": 1, "10433": 2}}), "{prices.*}"),
            (json!({"users": {"alice": {"age": 1}, "bob": {"age": 2}}}), "{users.*}"),
            (json!({"6f1d3f1e-0000-4000-8000-000000000001": {"a": 1}}), "{*.a}"),
            (json!({"line1": "x", "address2": "y", "sha256": "z"}), "{address2 line1 sha256}"),
            (json!([1]), "array"),
            (json!("x"), "text"),
        ] {
            assert_eq!(Keys::shown(&[&Keys::of(Some(&body))]), shown, "{body}");
        }
    }

    #[test]
    fn optional_fields_make_no_other_shape() {
        let keys = |body: Value| Keys::of(Some(&body));
        let all = [
            keys(json!({"orderId": 1, "customerId": 2, "note": "x"})),
            keys(json!({"orderId": 1, "customerId": 2, "gift": true, "coupon": "y"})),
            keys(json!({"sku": 1, "warehouse": 2})),
            keys(json!({"orderId": 1, "customerId": 2})),
        ];
        let shapes: Vec<&Shape> = all.iter().map(|keys| &keys.shape).collect();
        // The first two have two of three keys in common: only with the last, which has no others, is it plain what is optional.
        assert_eq!(alike(&[shapes[3], shapes[0], shapes[1], shapes[2]]), [0, 0, 0, 3]);
        assert_eq!(Keys::shown(&[&all[0], &all[1]]), "{customerId orderId …}");
    }
}
