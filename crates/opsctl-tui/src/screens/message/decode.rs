//! What is encoded in a text: JSON, several lines, base64 of either.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use crate::messages::json::is_json;

/// Shorter texts are words, also where they could be base64.
const BASE64_BYTES_MIN: usize = 16;

/// What a text turns out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decoded {
    /// How it was encoded, in words.
    pub(crate) how: &'static str,
    pub(crate) text: String,
    pub(crate) is_json: bool,
}

/// What is encoded in the text of a string, if anything is.
pub(crate) fn decode(text: &str) -> Option<Decoded> {
    let trimmed = text.trim();
    if trimmed.starts_with(['{', '[']) && is_json(trimmed) {
        return Some(Decoded { how: "JSON in a string", text: trimmed.to_owned(), is_json: true });
    }
    if trimmed.contains('\n') {
        return Some(Decoded { how: "several lines", text: text.to_owned(), is_json: false });
    }
    from_base64(trimmed)
}

/// Only what is surely text: random words decode to bytes that are none.
pub(crate) fn from_base64(text: &str) -> Option<Decoded> {
    let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=');
    if text.len() < BASE64_BYTES_MIN || !text.bytes().all(is_sign) {
        return None;
    }
    let engines = [&STANDARD, &URL_SAFE, &STANDARD_NO_PAD, &URL_SAFE_NO_PAD];
    let bytes = engines.iter().find_map(|engine| engine.decode(text).ok())?;
    let decoded = String::from_utf8(bytes).ok()?;
    let is_readable = |character: char| !character.is_control() || matches!(character, '\n' | '\r' | '\t');
    if !decoded.chars().all(is_readable) || decoded.is_empty() {
        return None;
    }
    let is_json = decoded.trim().starts_with(['{', '[']) && is_json(decoded.trim());
    Some(Decoded { how: if is_json { "JSON in base64" } else { "text in base64" }, text: decoded, is_json })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_found_and_other_text_left_alone() {
        let how = |text: &str| decode(text).map(|decoded| decoded.how);
        assert_eq!(how(r#"{"a":1}"#), Some("JSON in a string"));
        assert_eq!(how("a\nb"), Some("several lines"));
        assert_eq!(how(&STANDARD.encode("it is some text")), Some("text in base64"));
        assert_eq!(how(&URL_SAFE_NO_PAD.encode(r#"{"a": "???>>>"}"#)), Some("JSON in base64"));
        for plain in [
            "",
            "12",
            "PaymentDeclined",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "6f1d3f1e-0000-4000-8000-000000000001",
            "{x",
        ] {
            assert_eq!(how(plain), None, "{plain}");
        }
        assert_eq!(from_base64(&STANDARD.encode("\u{1b}[2J and more of it")), None);
    }
}
