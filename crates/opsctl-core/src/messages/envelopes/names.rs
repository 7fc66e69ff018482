//! Where an error, its code and a type stand by their names alone. Exact names count before parts of names: `lastError.message`
//! before `errorHandling`; what a business calls a reason is none.

use serde_json::Value;

use super::{
    lists::{CODES, HEADERS, OTHERWISE, plain, ranks},
    way::{decoded, text_of},
};

/// How deep a body is searched.
const DEPTH_MAX: usize = 6;
/// So many values of a body are looked at.
const VALUES_MAX: usize = 600;
/// Of each list so many items are looked at.
const ITEMS_MAX: usize = 3;
/// Bytes of texts that are looked into for what is encoded in them.
const BYTES_MAX: usize = 4 * 1_048_576;
/// Longest code, in bytes.
pub(super) const CODE_BYTES_MAX: usize = 80;

/// Whether a part of a name says that an error stands there.
pub(super) fn tells(name: &str) -> bool {
    let words = words_of(name);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    has(&["error", "errors", "exception", "exceptions", "failure", "failures", "fault", "stacktrace", "traceback"])
        && !has(&OTHERWISE)
}

/// `lastErrorText`, `last_error-text`, `LAST ERROR.text`: last, error, text.
fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for letter in name.chars() {
        let begins = letter.is_uppercase() && was_lower;
        if begins || !letter.is_alphanumeric() {
            words.push(String::new());
        }
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_lowercase());
        }
        was_lower = letter.is_lowercase() || letter.is_numeric();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// What a field called an error says when there is none.
pub(super) fn says_something(text: &str) -> bool {
    let nothing =
        ["", "null", "none", "nil", "undefined", "false", "true", "0", "ok", "success", "n/a", "-", "[]", "{}"];
    !nothing.contains(&text.trim().to_ascii_lowercase().as_str())
}

/// How Python begins a trace, whose last line says what it is.
const PYTHON_TRACE: &str = "Traceback (most recent call last)";

/// The line of an error's text that says what it is: of Python's traces the last, else the first.
pub(super) fn telling_line(text: &str) -> &str {
    let mut lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    if !first.trim_start().starts_with(PYTHON_TRACE) {
        return text;
    }
    lines.rfind(|line| !line.starts_with([' ', '\t'])).unwrap_or(text)
}

pub(super) fn looks_like_error(line: &str) -> bool {
    let end = line.floor_char_boundary(400);
    ["Exception", "Error", "error:", "Traceback", "panic", "Timeout", "timed out", "failed", "refused"]
        .iter()
        .any(|word| line[..end].contains(word))
}

/// An error's text and code, as far as names tell.
#[derive(Debug, Default)]
pub(super) struct Named {
    pub(super) text: Option<String>,
    /// With the names that lead to it.
    pub(super) code: Option<(String, String)>,
}

impl Named {
    /// By exact names.
    pub(super) fn exactly(value: &Value) -> Self {
        let mut search = Search { left: VALUES_MAX, bytes_left: BYTES_MAX, ..Search::default() };
        search.object(value, &mut Vec::new());
        let text = search.texts.into_iter().min_by_key(|(rank, _)| *rank).map(|(_, text)| text);
        let code = search.codes.into_iter().min_by_key(|(rank, ..)| *rank).map(|(_, name, code)| (name, code));
        Self { text, code }
    }

    /// By parts of names, where the text reads like an error.
    pub(super) fn by_parts(value: &Value) -> Option<String> {
        let mut left = VALUES_MAX;
        by_parts(value, 0, &mut left)
    }
}

#[derive(Default)]
struct Search {
    left: usize,
    bytes_left: usize,
    texts: Vec<((u8, usize, usize), String)>,
    codes: Vec<((usize, usize), String, String)>,
}

impl Search {
    fn object(&mut self, value: &Value, way: &mut Vec<String>) {
        if way.len() >= DEPTH_MAX {
            return;
        }
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let Some(left) = self.left.checked_sub(1) else { return };
                    self.left = left;
                    way.push(name.clone());
                    self.field(name, value, way);
                    way.pop();
                }
            }
            Value::Array(items) => items.iter().take(ITEMS_MAX).for_each(|item| self.object(item, way)),
            Value::String(text) => {
                // A kilobyte that is packed can be megabytes: each counts as if it were large.
                let Some(left) = self.bytes_left.checked_sub(text.len().max(16_384)) else { return };
                if let Some(inner) = decoded(text).filter(|inner| inner.is_object() || inner.is_array()) {
                    self.bytes_left = left;
                    self.object(&inner, way);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn field(&mut self, name: &str, value: &Value, way: &mut Vec<String>) {
        let depth = way.len();
        let ranks = ranks(name);
        if let Some((tier, rank)) = ranks.error {
            if let Some(text) = inner_text(value, 0) {
                self.texts.push(((tier, depth, rank), text));
            }
            if let Some((inner, code)) = inner_code(value) {
                self.codes.push(((depth, CODES.len()), format!("{name}.{inner}"), code));
            }
        }
        if let Some(rank) = ranks.code
            && let Some(code) = code_text(value)
        {
            self.codes.push(((depth, rank), name.to_owned(), code));
        }
        self.object(value, way);
    }
}

/// The text of what is called an error: itself, or what its own message says.
fn inner_text(value: &Value, depth: usize) -> Option<String> {
    if depth > 3 {
        return None;
    }
    match value {
        Value::String(text) => match decoded(text) {
            Some(inner @ (Value::Object(_) | Value::Array(_))) => inner_text(&inner, depth + 1),
            Some(_) | None => says_something(text).then(|| text.clone()),
        },
        Value::Array(items) => {
            // Lines of a stack trace are a list of texts: the first says what it is.
            items.iter().take(ITEMS_MAX).find_map(|item| inner_text(item, depth + 1))
        }
        Value::Object(fields) => {
            let mut found: Vec<(usize, &Value)> =
                fields.iter().filter_map(|(name, value)| Some((ranks(name).inner_message?, value))).collect();
            found.sort_by_key(|(rank, _)| *rank);
            found.into_iter().find_map(|(_, value)| inner_text(value, depth + 1))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// The code that stands beside the message in an error.
fn inner_code(value: &Value) -> Option<(String, String)> {
    let value = match value {
        Value::Array(items) => items.first()?,
        other => other,
    };
    let Value::Object(fields) = value else { return None };
    let mut found: Vec<(usize, &String, String)> =
        fields.iter().filter_map(|(name, value)| Some((ranks(name).inner_code?, name, code_text(value)?))).collect();
    found.sort_by_key(|(rank, ..)| *rank);
    found.into_iter().next().map(|(_, name, code)| (name.clone(), code))
}

/// A code is one short word.
pub(super) fn code_text(value: &Value) -> Option<String> {
    let text = text_of(value)?;
    let is_code = text.len() <= CODE_BYTES_MAX && !text.contains(char::is_whitespace) && says_something(&text);
    is_code.then_some(text)
}

fn by_parts(value: &Value, depth: usize, left: &mut usize) -> Option<String> {
    if depth >= DEPTH_MAX {
        return None;
    }
    match value {
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            *left = left.checked_sub(1)?;
            let own = || inner_text(value, 0).filter(|text| text.trim().contains(' ') || looks_like_error(text));
            let own = if tells(name) { own() } else { None };
            own.or_else(|| by_parts(value, depth + 1, left))
        }),
        Value::Array(items) => items.iter().take(ITEMS_MAX).find_map(|item| by_parts(item, depth + 1, left)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// The type that a content names itself, at its top or in its header.
pub(super) fn kind_in(value: &Value) -> Option<String> {
    // Events that come in lists are of one type.
    let value = value.as_array().and_then(|items| items.first()).unwrap_or(value);
    let Value::Object(fields) = value else { return None };
    let best = |fields: &serde_json::Map<String, Value>| -> Option<(usize, String)> {
        let found = fields.iter().filter_map(|(name, value)| Some((ranks(name).kind?, kind_text(value.as_str()?)?)));
        found.min_by_key(|(rank, _)| *rank)
    };
    let own = best(fields);
    let headers = fields.iter().filter(|(name, _)| HEADERS.contains(&plain(name).as_str()));
    let beside = headers.filter_map(|(_, value)| best(value.as_object()?)).min_by_key(|(rank, _)| *rank);
    // `eventType` of a header says more than `action` beside it.
    own.into_iter().chain(beside).min_by_key(|(rank, _)| *rank).map(|(_, kind)| kind)
}

/// A text that can be the name of a type: a few words, no sentence, no id.
pub(super) fn kind_text(text: &str) -> Option<String> {
    let text = tidy_kind(text);
    let words = text.split_whitespace().count();
    let letters = text.chars().filter(|letter| letter.is_alphabetic()).count();
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let signs = |letter: char| matches!(letter, '@' | '?' | '!' | ';' | '{' | '}' | '"' | '\n') || letter.is_control();
    let is_type = (1..=4).contains(&words)
        && text.chars().count() <= 120
        && letters >= 2
        && letters > digits * 2
        && !text.contains(signs)
        && !text.contains("://");
    is_type.then_some(text)
}

/// The name alone: without .NET's assembly, MassTransit's scheme, a topic's account.
pub(super) fn tidy_kind(text: &str) -> String {
    let text = text.trim();
    let text = text.strip_prefix("urn:message:").unwrap_or(text);
    let text = text.split(';').next().unwrap_or(text);
    let text = match text.split_once(", ") {
        // `Acme.Orders.Placed, Acme.Contracts, Version=1.0.0.0`
        Some((name, _)) if !name.contains(' ') && name.contains('.') => name,
        Some(_) | None => text,
    };
    let text = if text.starts_with("arn:") { text.rsplit([':', '/']).next().unwrap_or(text) } else { text };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn exact_names_count_before_parts_of_names() {
        for (body, text) in [
            (json!({"errorHandling": "retry three times", "lastError": {"message": "card declined"}}), "card declined"),
            (json!({"reason": "customer changed her mind", "error": {"message": "no such order"}}), "no such order"),
            (json!({"stackTrace": ["at a", "at b"], "data": {"failure": {"errorMessage": "disk full"}}}), "disk full"),
            (json!({"error": "Bad Request", "errorMessage": "amount is missing"}), "amount is missing"),
            (json!({"errors": [{"code": "X1", "detail": "too long"}]}), "too long"),
            (json!({"meta": {"last_error": "connection reset"}}), "connection reset"),
            (json!({"exception": {"class": "E", "message": ""}}), "E"),
            (json!({"Error": "{\"errorMessage\": \"boom\"}"}), "boom"),
            (json!({"stamps": "[{\"exceptionMessage\": \"no mail\"}]"}), "no mail"),
            (json!({"failedReason": "job stalled"}), "job stalled"),
        ] {
            assert_eq!(Named::exactly(&body).text.as_deref(), Some(text), "{body}");
        }
        for body in [
            json!({"errorHandling": "dead letter", "reason": "refund", "errorQueue": "orders-error"}),
            json!({"error": null, "errors": [], "exception": false, "lastError": ""}),
            json!({"errorCount": 3, "hasError": "no"}),
        ] {
            assert_eq!(Named::exactly(&body).text, None, "{body}");
            assert_eq!(Named::by_parts(&body), None, "{body}");
        }
        let parts = json!({"onError": "skip it", "declineErrorText": "insufficient funds"});
        assert_eq!(Named::by_parts(&parts).as_deref(), Some("insufficient funds"));
    }

    #[test]
    fn codes_are_found_beside_their_text() {
        for (body, code) in [
            (json!({"errorCode": "E42"}), Some(("errorCode", "E42"))),
            (json!({"error": {"code": 503, "message": "no"}}), Some(("error.code", "503"))),
            (json!({"errors": [{"code": "X1"}]}), Some(("errors.code", "X1"))),
            (json!({"code": "DE", "errorCode": "not a code"}), None),
        ] {
            let found = Named::exactly(&body).code;
            assert_eq!(found.as_ref().map(|(name, code)| (name.as_str(), code.as_str())), code, "{body}");
        }
    }

    #[test]
    fn types_are_told_from_ids_and_sentences() {
        for (text, kind) in [
            ("order.created", Some("order.created")),
            ("Order Placed", Some("Order Placed")),
            ("Acme.Orders.Placed, Acme.Contracts, Version=1.0.0.0", Some("Acme.Orders.Placed")),
            ("urn:message:Acme:OrderPlaced", Some("Acme:OrderPlaced")),
            ("arn:aws:sns:eu-central-1:111122223333:OrderPlaced", Some("OrderPlaced")),
            ("6f1d3f1e-0000-4000-8000-000000000001", None),
            ("2026-11-21", None),
            ("please call the customer back today", None),
            ("https://example.com/x", None),
            ("a@b.c", None),
        ] {
            assert_eq!(kind_text(text).as_deref(), kind, "{text}");
        }
        assert_eq!(kind_in(&json!({"action": "update", "meta": {"eventType": "paid"}})).as_deref(), Some("paid"));
        assert_eq!(kind_in(&json!({"amount": 3, "status": "x"})), None);
    }
}
