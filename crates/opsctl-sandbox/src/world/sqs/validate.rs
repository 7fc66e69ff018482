//! What SQS refuses in a message: characters, attributes, group and deduplication ids.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;

use super::message::{Attribute, Value};
use crate::world::error::ApiError;

const ATTRIBUTES_MAX: usize = 10;

#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct WireAttributes(Option<BTreeMap<String, WireAttribute>>);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireAttribute {
    data_type: Option<String>,
    string_value: Option<String>,
    binary_value: Option<String>,
}

impl WireAttributes {
    /// Bytes that count towards the size limit.
    pub(super) fn size_bytes(&self) -> usize {
        let size = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let sizes = self.0.iter().flatten().map(|(name, value)| {
            let binary = value.binary_value.as_ref().map_or(0, |text| base64::decoded_len_estimate(text.len()));
            name.len() + size(&value.data_type) + size(&value.string_value) + binary
        });
        sizes.sum()
    }

    pub(super) fn into_attributes(self) -> Result<Box<[Attribute]>, ApiError> {
        let attributes = self.0.unwrap_or_default();
        let count = attributes.len();
        if count > ATTRIBUTES_MAX {
            let message =
                format!("Number of message attributes [{count}] exceeds the allowed maximum [{ATTRIBUTES_MAX}].");
            return Err(ApiError::invalid_parameter(message));
        }
        attributes.into_iter().map(|(name, value)| value.into_attribute(name)).collect()
    }

    /// The trace header, the one system attribute that can be sent.
    pub(super) fn into_trace_header(self) -> Result<Option<Attribute>, ApiError> {
        let mut header = None;
        for (name, value) in self.0.into_iter().flatten() {
            if name != "AWSTraceHeader" {
                return Err(ApiError::invalid_parameter(format!("Message system attribute name '{name}' is invalid.")));
            }
            let attribute = value.into_attribute(name)?;
            if &*attribute.label != "String" {
                let message = "The message system attribute 'AWSTraceHeader' has an invalid message system attribute type, \
                               the set of supported type prefixes is String.";
                return Err(ApiError::invalid_parameter(message));
            }
            header = Some(attribute);
        }
        Ok(header)
    }
}

impl WireAttribute {
    fn into_attribute(self, name: String) -> Result<Attribute, ApiError> {
        check_name(&name)?;
        let label = self.data_type.unwrap_or_default();
        if label.is_empty() {
            let message = format!("The message attribute '{name}' must contain a non-empty message attribute type.");
            return Err(ApiError::invalid_parameter(message));
        }
        let prefix = label.split('.').next().unwrap_or_default();
        let value = match prefix {
            "String" | "Number" => {
                self.string_value.filter(|text| !text.is_empty()).map(|text| Value::Text(text.into()))
            }
            "Binary" => match self.binary_value.filter(|text| !text.is_empty()) {
                Some(text) => Some(Value::Binary(decode(&name, &text)?)),
                None => None,
            },
            _ => {
                let message = format!(
                    "The message attribute '{name}' has an invalid message attribute type, the set of supported type \
                     prefixes is Binary, Number, and String."
                );
                return Err(ApiError::invalid_parameter(message));
            }
        };
        let Some(value) = value else {
            let message =
                format!("Message (user) attribute '{name}' must contain a non-empty value of type '{prefix}'.");
            return Err(ApiError::invalid_parameter(message));
        };
        check_value(&name, prefix, &label, &value)?;
        Ok(Attribute { name: name.into(), label: label.into(), value })
    }
}

fn decode(name: &str, text: &str) -> Result<Box<[u8]>, ApiError> {
    let bytes = STANDARD.decode(text);
    bytes.map(Vec::into_boxed_slice).map_err(|_| {
        ApiError::invalid_parameter(format!("The message attribute '{name}' has a binary value that is no base64."))
    })
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if name.is_empty() || !name.bytes().all(is_plain) {
        return Err(ApiError::invalid_parameter(format!(
            "The message attribute name '{name}' is invalid. Attribute name can contain A-Z, a-z, 0-9, underscore (_), \
             hyphen (-), and period (.) characters."
        )));
    }
    if name.len() > 256 {
        return Err(ApiError::invalid_parameter("Length of message attribute name must be less than 256 bytes."));
    }
    if name.starts_with('.') || name.ends_with('.') || name.contains("..") {
        let message = "Message attribute name cannot start or end with period, or have successive periods.";
        return Err(ApiError::invalid_parameter(message));
    }
    let lower = name.to_ascii_lowercase();
    if lower.starts_with("aws.") || lower.starts_with("amazon.") {
        let message = "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'.";
        return Err(ApiError::invalid_parameter(message));
    }
    Ok(())
}

fn check_value(name: &str, prefix: &str, label: &str, value: &Value) -> Result<(), ApiError> {
    if label.len() > 256 {
        return Err(ApiError::invalid_parameter("Length of message attribute type must be less than 256 bytes."));
    }
    let Value::Text(text) = value else { return Ok(()) };
    if !characters_are_allowed(text) {
        let message = format!("Message (user) attribute '{name}' contains characters that are not allowed.");
        return Err(ApiError::invalid_parameter(message));
    }
    if prefix == "Number" && !text.trim().parse::<f64>().is_ok_and(f64::is_finite) {
        let message = format!("Can't cast the value of message (user) attribute '{name}' to a number.");
        return Err(ApiError::invalid_parameter(message));
    }
    Ok(())
}

/// Whether SQS takes every character: tab, line feed, carriage return, and all from U+0020 but the two non-characters U+FFFE
/// and U+FFFF (surrogates do not occur in Rust's text).
pub(super) fn characters_are_allowed(text: &str) -> bool {
    let is_control = |byte: u8| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r');
    let bytes = text.as_bytes();
    if bytes.iter().fold(false, |found, &byte| found | is_control(byte)) {
        return false;
    }
    !bytes.contains(&0xef) || !text.contains(['\u{fffe}', '\u{ffff}'])
}

/// Whether it is letters, digits, hyphens and underscores, at least one.
pub(super) fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

pub(super) fn check_body(body: &str) -> Result<(), ApiError> {
    if body.is_empty() {
        return Err(ApiError::missing_parameter("MessageBody"));
    }
    if !characters_are_allowed(body) {
        let message = "Invalid binary character was found in the message body, the set of allowed characters is \
                       #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF";
        return Err(ApiError::plain(400, "InvalidMessageContents", message));
    }
    Ok(())
}

/// Checks a group or deduplication id: 1 to 128 letters, digits and punctuation marks, no spaces.
pub(super) fn check_token(parameter: &str, token: &str) -> Result<(), ApiError> {
    if (1..=128).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    let reason = format!("{parameter} can only include alphanumeric and punctuation characters. 1 to 128 in length.");
    Err(ApiError::invalid_value(token, parameter, &reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(json: &str) -> Result<Box<[Attribute]>, ApiError> {
        serde_json::from_str::<WireAttributes>(json).expect("attributes").into_attributes()
    }

    fn refusal(json: &str) -> String {
        attribute(json).expect_err(json).message
    }

    #[test]
    fn characters_are_those_that_aws_takes() {
        assert!(characters_are_allowed("\t\n\r \u{7f}\u{85}\u{d7ff}\u{e000}\u{fffd}\u{10000}\u{10ffff}"));
        for bad in ["\0", "\u{1b}[31m", "\u{b}", "a\u{fffe}", "\u{ffff}"] {
            assert!(!characters_are_allowed(bad), "{bad:?}");
        }
    }

    #[test]
    fn attributes_are_checked_like_aws_does() {
        let good = attribute(
            r#"{"a.b-c_1": {"DataType": "Number.int", "StringValue": "-1.5e3"},
                                 "b": {"DataType": "Binary.png", "BinaryValue": "AQI="}}"#,
        );
        let good = good.expect("good attributes");
        assert_eq!(good[1].value, Value::Binary([1, 2].into()));
        assert_eq!(&*good[0].label, "Number.int");
        assert!(refusal(r#"{"ö": {"DataType": "String", "StringValue": "x"}}"#).contains("name 'ö' is invalid"));
        assert!(refusal(r#"{"AWS.x": {"DataType": "String", "StringValue": "x"}}"#).contains("beginning with 'AWS.'"));
        assert!(refusal(r#"{"a": {"DataType": "Strung", "StringValue": "x"}}"#).contains("Binary, Number, and String"));
        assert!(refusal(r#"{"a": {"DataType": "Number", "StringValue": "ten"}}"#).contains("to a number"));
        assert!(refusal(r#"{"a": {"StringValue": "x"}}"#).contains("non-empty message attribute type"));
        let empty = refusal(r#"{"a": {"DataType": "String", "StringValue": ""}}"#);
        assert_eq!(empty, "Message (user) attribute 'a' must contain a non-empty value of type 'String'.");
        let eleven: Vec<String> =
            (0..11).map(|n| format!(r#""a{n}": {{"DataType": "String", "StringValue": "x"}}"#)).collect();
        let message = refusal(&format!("{{{}}}", eleven.join(",")));
        assert_eq!(message, "Number of message attributes [11] exceeds the allowed maximum [10].");
    }

    #[test]
    fn tokens_have_no_spaces() {
        assert!(check_token("MessageGroupId", "a-1!~").is_ok());
        for bad in ["", "a b", "é", &"x".repeat(129)] {
            assert!(check_token("MessageGroupId", bad).is_err(), "{bad:?}");
        }
    }
}
