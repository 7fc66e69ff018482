//! JSON in bodies: what counts as JSON, and when two texts say the same.

use serde::de::IgnoredAny;
use serde_json::Value;

/// Deepest nesting that is looked into; what is deeper is taken as text.
pub(super) const DEPTH_MAX: usize = 100;

/// Whether a text is JSON that can be looked into: strict JSON, not nested deeper than [`DEPTH_MAX`].
pub fn is_json(text: &str) -> bool {
    let starts = text.trim_start().as_bytes().first();
    let possible = matches!(starts, Some(b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n'));
    possible && is_shallow(text) && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Tells, character by character, what stands in a string, its quotes included.
#[derive(Default)]
struct Strings {
    is_inside: bool,
    is_escaped: bool,
}

impl Strings {
    fn have(&mut self, character: char) -> bool {
        let was_inside = self.is_inside;
        match character {
            _ if self.is_escaped => self.is_escaped = false,
            '\\' => self.is_escaped = was_inside,
            '"' => self.is_inside = !was_inside,
            _ => {}
        }
        was_inside || self.is_inside
    }
}

fn is_shallow(text: &str) -> bool {
    let (mut depth, mut strings) = (0_usize, Strings::default());
    text.chars().all(|character| {
        match character {
            _ if strings.have(character) => {}
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth <= DEPTH_MAX
    })
}

/// The JSON text without white space between its parts; numbers and strings as they were written.
pub fn compact(json: &str) -> String {
    let mut strings = Strings::default();
    let stays = |character: &char| strings.have(*character) || !matches!(character, ' ' | '\t' | '\n' | '\r');
    json.chars().filter(stays).collect()
}

/// A text as JSON and jq have it, in ASCII: what could confuse a terminal or a reader stands as an escape.
pub fn quoted(text: &str) -> String {
    let json = Value::from(text).to_string();
    let mut ascii = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            ' '..='~' => ascii.push(character),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    ascii.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    ascii
}

/// Whether two JSON texts say the same: equal values, and every number written alike (a parsed number may have lost
/// digits). Texts with the same values in another order of numbers count as different, which is the safe side.
pub fn same(left: &str, right: &str) -> bool {
    if compact(left) == compact(right) {
        return true;
    }
    match (serde_json::from_str::<Value>(left), serde_json::from_str::<Value>(right)) {
        (Ok(left_value), Ok(right_value)) => left_value == right_value && numbers(left).eq(numbers(right)),
        _ => false,
    }
}

fn numbers(json: &str) -> impl Iterator<Item = &str> {
    let mut strings = Strings::default();
    let ends =
        move |character: char| strings.have(character) || !matches!(character, '0'..='9' | '-' | '+' | '.' | 'e' | 'E');
    json.split(ends).filter(|piece| piece.bytes().any(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_strict_and_shallow_json_counts() {
        for (text, json) in [
            (r#"{"a":1}"#, true),
            (" [1] ", true),
            ("12", true),
            ("NaN", false),
            ("{'a':1}", false),
            ("{} {}", false),
            ("", false),
            ("hello", false),
            ("# comment\n1", false),
        ] {
            assert_eq!(is_json(text), json, "{text}");
        }
        assert!(is_json(&format!("{}{}", "[".repeat(DEPTH_MAX), "]".repeat(DEPTH_MAX))));
        assert!(!is_json(&"[".repeat(1_000_000)));
        assert!(is_json(&format!("\"{}\"", "[".repeat(1_000))));
    }

    #[test]
    fn sameness_ignores_spelling_but_not_digits() {
        assert!(same(r#"{"a": "\u00e9", "b": [1, 2]}"#, r#"{"a":"é","b":[1,2]}"#));
        assert!(same(r#"{"a\"1": 2}"#, r#"{"a\u00221":2}"#));
        assert!(!same("[12345678901234567890123]", "[12345678901234567890124]"));
        assert!(!same(r#"{"a":1}"#, r#"{"a":2}"#));
        assert!(!same(r#"{"a":"1"}"#, r#"{"a":1}"#));
    }
}
