//! [`Deduplication`]: the five minutes in which a FIFO queue accepts a message again, and drops it.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use super::message::{Id, SequenceNumber};

/// How long a deduplication id is remembered (SQS developer guide, "Exactly-once processing").
pub const WINDOW_MILLISECONDS: i64 = 5 * 60 * 1_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Accepted {
    pub(super) id: Id,
    pub(super) sequence: SequenceNumber,
}

/// Deduplication ids of the last five minutes. A message's deletion does not shorten its window.
#[derive(Debug, Default)]
pub(super) struct Deduplication {
    accepted: HashMap<Arc<str>, Accepted>,
    oldest_first: VecDeque<(i64, Arc<str>)>,
}

impl Deduplication {
    /// What was accepted under this id within the window.
    pub(super) fn find(&mut self, now: i64, group: Option<&str>, id: &str) -> Option<Accepted> {
        while let Some((at, key)) = self.oldest_first.front() {
            if now - at < WINDOW_MILLISECONDS {
                break;
            }
            self.accepted.remove(key);
            self.oldest_first.pop_front();
        }
        match group {
            None => self.accepted.get(id).copied(),
            Some(group) => self.accepted.get(Self::scoped(group, id).as_str()).copied(),
        }
    }

    pub(super) fn remember(&mut self, now: i64, group: Option<&str>, id: &str, accepted: Accepted) {
        let key: Arc<str> = match group {
            None => id.into(),
            Some(group) => Self::scoped(group, id).into(),
        };
        if self.accepted.insert(Arc::clone(&key), accepted).is_none() {
            self.oldest_first.push_back((now, key));
        }
    }

    /// Ids have no spaces, so a space keeps group and id apart.
    fn scoped(group: &str, id: &str) -> String {
        format!("{group} {id}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_remembered_for_five_minutes_in_its_scope() {
        let mut window = Deduplication::default();
        let first = Accepted { id: Id(1), sequence: SequenceNumber(1) };
        window.remember(0, None, "a", first);
        assert_eq!(window.find(WINDOW_MILLISECONDS - 1, None, "a"), Some(first));
        assert_eq!(window.find(1, None, "b"), None);
        assert_eq!(window.find(WINDOW_MILLISECONDS, None, "a"), None);
        window.remember(0, Some("g"), "a", first);
        assert_eq!(window.find(1, Some("g"), "a"), Some(first));
        assert_eq!(window.find(1, Some("h"), "a"), None);
    }
}
