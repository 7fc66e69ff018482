//! What a run remembers of messages, in a bounded amount of memory.

use std::collections::HashSet;

use sha2::{Digest, Sha256};

use crate::domain::{ContentHash, MessageId};

/// A message's id in 16 bytes: the UUID itself, or a hash of an id of another form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key(u128);

impl Key {
    pub(super) fn of(id: &MessageId) -> Self {
        Self::of_uuid(&id.0).unwrap_or_else(|| Self::of_text(&id.0))
    }

    pub(super) fn of_text(text: &str) -> Self {
        let digest = Sha256::digest(text);
        let bytes = digest.first_chunk::<16>().copied().unwrap_or_default();
        Self(u128::from_be_bytes(bytes))
    }

    pub(super) fn of_content(hash: &ContentHash) -> Self {
        // Hexadecimal as it is: half of it tells contents apart.
        let half = hash.0.get(..32).and_then(|digits| u128::from_str_radix(digits, 16).ok());
        half.map_or_else(|| Self::of_text(&hash.0), Self)
    }

    fn of_uuid(text: &str) -> Option<Self> {
        let mut value = 0_u128;
        let mut digits = 0;
        for byte in text.bytes() {
            if byte == b'-' {
                continue;
            }
            value = value << 4 | u128::from((byte as char).to_digit(16)?);
            digits += 1;
        }
        (digits == 32 && text.len() == 36).then_some(Self(value))
    }
}

/// The newest keys: two generations, of which the older is forgotten when the younger is full.
#[derive(Debug)]
pub(super) struct Recent {
    young: HashSet<Key>,
    old: HashSet<Key>,
    keys_min: usize,
}

impl Recent {
    /// Remembers the newest `keys_min` keys at least, and twice as many at most.
    pub(super) fn new(keys_min: usize) -> Self {
        Self { young: HashSet::new(), old: HashSet::new(), keys_min }
    }

    pub(super) fn insert(&mut self, key: Key) {
        if self.contains(key) {
            return;
        }
        if self.young.len() >= self.keys_min {
            // The older one's memory is used again.
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        self.young.insert(key);
    }

    pub(super) fn contains(&self, key: Key) -> bool {
        self.young.contains(&key) || self.old.contains(&key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut recent = Recent::new(2);
        let keys = ["a", "b", "c", "d", "e"].map(Key::of_text);
        keys.into_iter().for_each(|key| recent.insert(key));
        assert_eq!(keys.map(|key| recent.contains(key)), [false, false, true, true, true]);
    }

    #[test]
    fn ids_that_are_no_uuid_stay_apart() {
        let key = |text: &str| Key::of(&MessageId(text.to_owned()));
        assert_ne!(key("zzzzzzzz-0000-0000-0000-000000000001"), key("zzzzzzzz-0000-0000-0000-000000000002"));
        assert_ne!(key("00000000-0000-0000-0000-000000000001"), key("00000000-0000-0000-0000-000000000002"));
    }
}
