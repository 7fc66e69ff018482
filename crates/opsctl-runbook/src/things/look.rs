//! [`Looking`]: a look at one thing, and what it lacks.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use super::Wanted;
use crate::{
    cloud::{Cloud, CloudError},
    domain::Text,
};

pub(super) struct Looking<'a> {
    pub(super) cloud: &'a Cloud,
    pub(super) now: Timestamp,
    pub(super) name: &'a str,
    fields: &'a [String],
    lacks: Mutex<Vec<Text>>,
}

impl<'a> Looking<'a> {
    pub(super) fn new(cloud: &'a Cloud, wanted: &'a Wanted) -> Self {
        let (name, fields) = (wanted.name.trim(), wanted.fields.as_slice());
        Self { cloud, now: cloud.clock().now(), name, fields, lacks: Mutex::default() }
    }

    /// Whether a field is asked for: itself, something in it, or all that it is a part of.
    pub(super) fn asks(&self, field: &str) -> bool {
        self.fields.iter().any(|asked| is_in(asked, field) || is_in(field, asked))
    }

    /// Whether any of these is.
    pub(super) fn asks_any(&self, fields: &[&str]) -> bool {
        fields.iter().any(|field| self.asks(field))
    }

    pub(super) fn lack(&self, what: &str) {
        self.lacks.lock().unwrap_or_else(PoisonError::into_inner).push(Text::line(what));
    }

    /// What came, or nothing with the reason noted: "consumers are not known: ...".
    pub(super) fn known<T>(&self, what: &str, answer: Result<T, CloudError>) -> Option<T> {
        answer.map_err(|error| self.lack(&format!("{what} not known: {error}"))).ok()
    }

    /// Seconds since a time; never below zero.
    pub(super) fn age(&self, at: Timestamp) -> i64 {
        self.now.duration_since(at).as_secs().max(0)
    }

    pub(super) fn into_lacks(self) -> Vec<Text> {
        self.lacks.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a way leads to a field, or to something in it; the empty way is that of the whole thing.
fn is_in(way: &str, field: &str) -> bool {
    field.is_empty() || way.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

pub(super) fn of(error: &CloudError) -> Text {
    Text::line(&error.to_string())
}

#[cfg(test)]
mod tests {
    use super::is_in;

    #[test]
    fn a_field_is_in_what_it_is_a_part_of() {
        assert!(is_in("sources[].messages", "sources") && is_in("sources", "sources") && is_in("sources", ""));
        assert!(!is_in("oldest_seconds", "oldest") && !is_in("sources", "sources[].messages"));
    }
}
