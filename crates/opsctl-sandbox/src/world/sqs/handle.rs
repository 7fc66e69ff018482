//! [`Handle`]: receipt handles, which say all that is needed to find their message.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::store::Key;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::world) struct Handle {
    pub(super) queue: u32,
    pub(super) key: Key,
    pub(super) receipt: u32,
}

/// First bytes of every handle: like AWS's, the text begins with `AQEB`.
const MARK: [u8; 3] = [1, 1, 1];
const BYTES: usize = 27;

impl Handle {
    /// As text; `tag` tells worlds apart.
    pub(super) fn write(self, tag: u64) -> String {
        let mut bytes = [0; BYTES];
        bytes[..3].copy_from_slice(&MARK);
        bytes[3..11].copy_from_slice(&tag.to_be_bytes());
        for (place, number) in
            bytes[11..].chunks_exact_mut(4).zip([self.queue, self.key.slot, self.key.generation, self.receipt])
        {
            place.copy_from_slice(&number.to_be_bytes());
        }
        STANDARD.encode(bytes)
    }

    /// From text; none where this world never gave it out.
    pub(super) fn read(text: &str, tag: u64) -> Option<Self> {
        let mut bytes = [0; BYTES];
        if text.len() != BYTES / 3 * 4 || STANDARD.decode_slice(text, &mut bytes) != Ok(BYTES) {
            return None;
        }
        if bytes[..3] != MARK || bytes[3..11] != tag.to_be_bytes() {
            return None;
        }
        let mut numbers =
            bytes[11..].chunks_exact(4).map(|four| four.iter().fold(0, |sum, &byte| sum << 8 | u32::from(byte)));
        let mut next = || numbers.next();
        Some(Self { queue: next()?, key: Key { slot: next()?, generation: next()? }, receipt: next()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_are_read_back_and_only_in_their_world() {
        let handle = Handle { queue: 3, key: Key { slot: 70_000, generation: 2 }, receipt: 9 };
        let text = handle.write(42);
        assert!(text.starts_with("AQEB"), "{text}");
        assert_eq!(Handle::read(&text, 42), Some(handle));
        assert_eq!(Handle::read(&text, 43), None);
        assert_eq!(Handle::read("unknown-stuff", 42), None);
        assert_eq!(Handle::read(&text[1..], 42), None);
        assert_eq!(Handle::read("é", 42), None);
    }
}
