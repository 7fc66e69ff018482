//! Bodies in one safe line: shortened, and without what looks like a secret.

use crate::domain::Text;

const REDACTED: &str = "‹redacted›";
/// What is looked at of a body, in bytes.
const LOOKED_AT_BYTES_MAX: usize = 16_384;

/// Names after which a value is a secret, in lower case without `_` and `-`.
const SECRET_NAMES: [&str; 10] = [
    "password",
    "passwd",
    "secret",
    "token",
    "apikey",
    "authorization",
    "privatekey",
    "credential",
    "credentials",
    "cookie",
];

/// One safe line of at most `characters_max` characters, without what looks like a secret.
pub fn preview(body: &str, characters_max: usize) -> Text {
    let looked_at = &body[..body.floor_char_boundary(LOOKED_AT_BYTES_MAX)];
    let mut line = String::with_capacity(looked_at.len().min(1_024));
    // White space between a JSON body's parts only takes room.
    for word in redact(looked_at).split_ascii_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let line = Text::line(&line);
    let is_cut = line.as_str().chars().count() > characters_max || looked_at.len() < body.len();
    match is_cut {
        true => {
            let kept: String = line.as_str().chars().take(characters_max.saturating_sub(1)).collect();
            Text::line(&format!("{kept}…"))
        }
        false => line,
    }
}

/// The text without what looks like a secret: JSON web tokens, AWS access keys, bearer tokens, long random words, and
/// values of fields named like one. A courtesy for views, no guarantee.
pub fn redact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut is_secret = false;
    while !rest.is_empty() {
        if is_secret {
            is_secret = false;
            rest = skip_value(rest, &mut out);
            continue;
        }
        let end = rest.find(|character| !is_word(character)).unwrap_or(rest.len());
        if end == 0 {
            let length = rest.chars().next().map_or(1, char::len_utf8);
            out.push_str(&rest[..length]);
            rest = &rest[length..];
            continue;
        }
        let word = &rest[..end];
        rest = &rest[end..];
        if is_random(word) {
            out.push_str(REDACTED);
            continue;
        }
        out.push_str(word);
        let separator = separator_bytes(rest);
        let introduces = word.eq_ignore_ascii_case("bearer") && rest.starts_with(' ');
        if introduces {
            out.push(' ');
            rest = &rest[1..];
            is_secret = true;
        } else if separator > 0 && names_secret(word) {
            out.push_str(&rest[..separator]);
            rest = &rest[separator..];
            is_secret = true;
        }
    }
    out
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.' | '+' | '/')
}

fn names_secret(word: &str) -> bool {
    let plain: String =
        word.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect();
    SECRET_NAMES.iter().any(|name| plain.ends_with(name))
}

/// Bytes of `":`, `=` and the like, with an opening quote, that stand between a name and its value; 0: no value follows.
fn separator_bytes(rest: &str) -> usize {
    let is_quote = |byte: &u8| matches!(byte, b'"' | b'\'' | b'\\');
    let is_space = |byte: &u8| byte.is_ascii_whitespace();
    let bytes = rest.as_bytes();
    let skip =
        |from: usize, fits: &dyn Fn(&u8) -> bool| from + bytes[from..].iter().take_while(|byte| fits(byte)).count();
    let at = skip(skip(0, &is_quote), &is_space);
    match bytes.get(at) {
        Some(b':' | b'=') => skip(skip(at + 1, &is_space), &is_quote),
        _ => 0,
    }
}

/// Leaves out the value that `rest` starts with; what follows is returned. Objects and lists are looked into instead.
fn skip_value<'a>(rest: &'a str, out: &mut String) -> &'a str {
    if rest.starts_with(['{', '[']) {
        return rest;
    }
    let ends = |character: char| matches!(character, '"' | '\'' | '\\' | ',' | ';' | '&' | '}' | ']' | '\n');
    let end = rest.find(ends).unwrap_or(rest.len());
    let value = rest[..end].trim_end();
    if !value.is_empty() && !matches!(value, "null" | "true" | "false") {
        out.push_str(REDACTED);
    } else {
        out.push_str(value);
    }
    &rest[value.len()..]
}

/// JSON web tokens, AWS access keys, and long words of mixed letters and digits as keys are.
fn is_random(word: &str) -> bool {
    let is_web_token = word.starts_with("eyJ") && word.len() >= 24 && word.matches('.').count() == 2;
    let is_access_key = word.len() == 20
        && (word.starts_with("AKIA") || word.starts_with("ASIA"))
        && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let has = |sort: fn(&u8) -> bool| word.as_bytes().iter().any(sort);
    let is_key = word.len() >= 40
        && !word.contains('.')
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit)
        && word.matches(['/', '-']).count() <= 4;
    is_web_token || is_access_key || is_key
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn secrets_are_left_out() {
        for (text, expected) in [
            (r#"{"password": "hunter2", "user": "a"}"#, r#"{"password": "‹redacted›", "user": "a"}"#),
            (r#"{"db_password":"a b","n":1}"#, r#"{"db_password":"‹redacted›","n":1}"#),
            (r#"{\"apiKey\":\"xyz\",\"n\":1}"#, r#"{\"apiKey\":\"‹redacted›\",\"n\":1}"#),
            (r#"{"token": 12345, "count": 2}"#, r#"{"token": ‹redacted›, "count": 2}"#),
            (r#"{"secret": {"password": "x"}}"#, r#"{"secret": {"password": "‹redacted›"}}"#),
            ("password=hunter2&x=1", "password=‹redacted›&x=1"),
            ("Authorization: Bearer abc.def", "Authorization: ‹redacted›"),
            ("sent Bearer abc.def", "sent Bearer ‹redacted›"),
            ("key AKIAIOSFODNN7EXAMPLE used", "key ‹redacted› used"),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "‹redacted›"),
            ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "‹redacted›"),
            ("the token expired", "the token expired"),
            (r#"{"token": null, "tokens": 5}"#, r#"{"token": null, "tokens": 5}"#),
            (
                r#"{"orderId":"6f1d3f1e-0000-4000-8000-000000000001"}"#,
                r#"{"orderId":"6f1d3f1e-0000-4000-8000-000000000001"}"#,
            ),
        ] {
            assert_eq!(redact(text), expected);
        }
    }

    #[test]
    fn a_preview_is_one_safe_line() {
        assert_eq!(preview("{\n  \"a\": 1\n}\u{1b}[2J", 40).as_str(), "{ \"a\": 1 }␛[2J");
        assert_eq!(preview("abcdef", 4).as_str(), "abc…");
        assert_eq!(preview("abcd", 4).as_str(), "abcd");
    }

    proptest! {
        #[test]
        fn no_text_breaks_a_preview(text in "(?s).{0,200}", width in 0_usize..100) {
            let line = preview(&text, width);
            prop_assert!(line.as_str().chars().count() <= width.max(1));
            prop_assert!(!line.as_str().chars().any(char::is_control));
        }

        #[test]
        fn a_password_never_shows(secret in "[A-Za-z0-9!#%]{6,30}", before in "[ -~]{0,20}") {
            let body = serde_json::json!({ "a": before, "password": secret.clone() }).to_string();
            prop_assume!(!before.contains(&secret));
            prop_assert!(!redact(&body).contains(&secret), "{}", redact(&body));
        }
    }
}
