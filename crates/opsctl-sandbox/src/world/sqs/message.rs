//! [`Message`]: a message in a queue, laid out so that a million of them fit.

use std::{fmt, sync::Arc};

use serde::{Serialize, Serializer};

use crate::world::md5::Md5Digest;

/// A message's id; shown as a UUID.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub u128);

impl Id {
    /// A version 4 UUID of random bits.
    pub(in crate::world) fn random(rng: &mut fastrand::Rng) -> Self {
        let bits = rng.u128(..);
        Self((bits & !(0xf << 76) & !(0b11 << 62)) | (0x4 << 76) | (0b10 << 62))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:032x}", self.0);
        let [a, b, c, d, e] = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]);
        formatter.pad(&format!("{a}-{b}-{c}-{d}-{e}"))
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A FIFO message's place in its queue; shown with twenty digits, like AWS's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SequenceNumber(pub u64);

impl fmt::Display for SequenceNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // AWS's numbers lie beyond 64 bits.
        const BASE: u128 = 18_880_000_000_000_000_000;
        write!(formatter, "{}", BASE + u128::from(self.0) * 256)
    }
}

impl Serialize for SequenceNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    pub name: Box<str>,
    /// Full type label, `Number.int` for instance.
    pub label: Box<str>,
    pub value: Value,
}

impl Attribute {
    pub fn size_bytes(&self) -> usize {
        self.name.len() + self.label.len() + self.value.len()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `String` and `Number`.
    Text(Box<str>),
    Binary(Box<[u8]>),
}

impl Value {
    pub(super) fn into_text(self) -> Option<Box<str>> {
        match self {
            Self::Text(text) => Some(text),
            Self::Binary(_) => None,
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::world) struct Extras {
    pub(in crate::world) attributes: Box<[Attribute]>,
    pub(in crate::world) group: Option<Box<str>>,
    pub(in crate::world) deduplication_id: Option<Box<str>>,
    pub(in crate::world) trace_header: Option<Box<str>>,
    /// ARN of the queue that SQS moved it from.
    pub(in crate::world) dead_letter_source: Option<Arc<str>>,
}

/// Where a message is in its life in a queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    #[default]
    Visible,
    /// Received, hidden until its timeout.
    InFlight,
    /// Sent, hidden until its delay is over.
    Delayed,
}

/// A message in a queue. Times are milliseconds since 1970.
#[derive(Debug, Default)]
pub(in crate::world) struct Message {
    pub(in crate::world) id: Id,
    pub(in crate::world) body: Box<str>,
    pub(super) extras: Option<Box<Extras>>,
    /// The body's digest, once somebody asked for it.
    md5: Option<Md5Digest>,
    /// Whose number it is, [`Senders`](super::Senders) knows.
    pub(super) sender: u32,
    /// `SentTimestamp`; retention counts from here.
    pub(in crate::world) sent_at: i64,
    /// When it came into its queue: later than sent for a dead letter.
    pub(super) arrived_at: i64,
    pub(in crate::world) first_received_at: Option<i64>,
    pub(super) received_at: i64,
    /// When its timeout or delay ends, unless visible.
    pub(super) hidden_until: i64,
    pub(in crate::world) sequence: SequenceNumber,
    /// `ApproximateReceiveCount`; spans queues.
    pub(in crate::world) receive_count: u32,
    /// Number of the newest receipt handle, in this queue.
    pub(super) receipt: u32,
    pub(super) group_index: u32,
    pub(in crate::world) state: State,
    /// Standard: whether the line of visible messages has an entry for it.
    pub(super) in_line: bool,
}

impl Message {
    pub(in crate::world) fn new(id: Id, body: Box<str>, extras: Extras, sender: u32, sent_at: i64) -> Self {
        let extras = (extras != Extras::default()).then(|| Box::new(extras));
        Self { id, body, extras, sender, sent_at, arrived_at: sent_at, ..Self::default() }
    }

    /// Forgets what belonged to the queue that it leaves.
    pub(super) fn leave_queue(&mut self) {
        self.receipt = 0;
        self.received_at = 0;
        self.hidden_until = 0;
        self.group_index = 0;
        self.state = State::Visible;
        self.in_line = false;
    }

    pub(super) fn md5(&mut self) -> Md5Digest {
        let body = &self.body;
        *self.md5.get_or_insert_with(|| Md5Digest::of(body))
    }

    pub(in crate::world) fn attributes(&self) -> &[Attribute] {
        self.extras.as_ref().map_or(&[], |extras| &extras.attributes)
    }

    pub(in crate::world) fn group(&self) -> Option<&str> {
        self.extras.as_ref()?.group.as_deref()
    }

    pub(in crate::world) fn deduplication_id(&self) -> Option<&str> {
        self.extras.as_ref()?.deduplication_id.as_deref()
    }

    pub(in crate::world) fn trace_header(&self) -> Option<&str> {
        self.extras.as_ref()?.trace_header.as_deref()
    }

    pub(in crate::world) fn dead_letter_source(&self) -> Option<&Arc<str>> {
        self.extras.as_ref()?.dead_letter_source.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_of_version_four() {
        let id = Id::random(&mut fastrand::Rng::with_seed(7)).to_string();
        let parts: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12], "{id}");
        assert_eq!(&id[14..15], "4", "{id}");
        assert!("89ab".contains(&id[19..20]), "{id}");
    }

    #[test]
    fn sequence_numbers_have_twenty_digits_and_ascend() {
        let (one, two) = (SequenceNumber(1).to_string(), SequenceNumber(1 << 40).to_string());
        assert_eq!((one.len(), two.len()), (20, 20));
        assert!(one < two);
    }

    #[test]
    fn a_message_stays_small() {
        assert!(size_of::<Message>() <= 160, "{} bytes", size_of::<Message>());
    }
}
