//! Fields of SNS's forms: maps as `Attributes.entry.1.key`, lists as `Entries.member.1.Id`.

use std::collections::BTreeMap;

use super::{ApiError, invalid};

pub(super) type Form = BTreeMap<String, String>;

/// Entries of a map or list at most.
const ENTRIES_MAX: usize = 100;

pub(super) fn field<'a>(form: &'a Form, name: &str) -> Option<&'a str> {
    form.get(name).map(String::as_str)
}

pub(super) fn required<'a>(form: &'a Form, name: &str) -> Result<&'a str, ApiError> {
    field(form, name)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| invalid(format!("{name} Reason: no value for required parameter")))
}

/// A map of texts: `NAME.entry.N.key` and `.value`.
pub(super) fn map(form: &Form, name: &str) -> BTreeMap<String, String> {
    let entry = |number: usize| {
        let part = |part: &str| field(form, &format!("{name}.entry.{number}.{part}"));
        Some((part("key")?.to_owned(), part("value").unwrap_or_default().to_owned()))
    };
    (1..=ENTRIES_MAX).map_while(entry).collect()
}

/// Tags: `Tags.member.N.Key` and `.Value`.
pub(super) fn tags(form: &Form) -> BTreeMap<String, String> {
    let tag = |number: usize| {
        let part = |part: &str| field(form, &format!("Tags.member.{number}.{part}"));
        Some((part("Key")?.to_owned(), part("Value").unwrap_or_default().to_owned()))
    };
    (1..=ENTRIES_MAX).map_while(tag).collect()
}

/// A message's attributes, as SQS's documents have them: type, text, bytes in base64.
pub(super) fn attributes(form: &Form, prefix: &str) -> BTreeMap<String, serde_json::Value> {
    let entry = |number: usize| {
        let part = |part: &str| field(form, &format!("{prefix}MessageAttributes.entry.{number}.{part}"));
        let mut value = serde_json::json!({ "DataType": part("Value.DataType")? });
        for name in ["StringValue", "BinaryValue"] {
            if let Some(text) = part(&format!("Value.{name}")) {
                value[name] = text.into();
            }
        }
        Some((part("Name")?.to_owned(), value))
    };
    (1..=ENTRIES_MAX).map_while(entry).collect()
}
