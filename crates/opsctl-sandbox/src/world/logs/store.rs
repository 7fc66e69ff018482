//! What a group holds.

use std::collections::{BTreeMap, VecDeque};

/// Events that a stream keeps; AWS keeps all.
const EVENTS_MAX: usize = 10_000;
const STREAMS_MAX: usize = 500;
/// Bytes of an event; AWS takes 1 MiB.
const EVENT_BYTES_MAX: usize = 262_144;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When, milliseconds since 1970.
    pub at: i64,
    pub text: String,
}

#[derive(Debug)]
pub(super) struct Group {
    pub(super) created_at: i64,
    pub(super) streams: BTreeMap<String, Stream>,
}

#[derive(Debug)]
pub(super) struct Stream {
    pub(super) created_at: i64,
    /// Whether somebody made it: then it shows without a line.
    pub(super) is_made: bool,
    /// In the order in which they came.
    pub(super) events: VecDeque<Event>,
    /// Number of the first one kept.
    pub(super) first: u64,
}

#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) at: i64,
    pub(super) ingested_at: i64,
    pub(super) text: String,
}

impl Group {
    pub(super) fn new(at: i64) -> Self {
        Self { created_at: at, streams: BTreeMap::new() }
    }

    /// A stream, made where it is not there.
    pub(super) fn stream(&mut self, name: &str, at: i64) -> &mut Stream {
        if !self.streams.contains_key(name) && self.streams.len() >= STREAMS_MAX {
            let oldest = self.streams.iter().min_by_key(|(_, stream)| stream.created_at).map(|(name, _)| name.clone());
            oldest.and_then(|name| self.streams.remove(&name));
        }
        self.streams.entry(name.to_owned()).or_insert_with(|| Stream::new(at, false))
    }

    pub(super) fn shown(&self, now: i64) -> impl Iterator<Item = (&String, &Stream)> {
        self.streams.iter().filter(move |(_, stream)| stream.shows(now))
    }
}

impl Stream {
    pub(super) fn new(at: i64, is_made: bool) -> Self {
        Self { created_at: at, is_made, events: VecDeque::new(), first: 0 }
    }

    pub(super) fn add(&mut self, at: i64, ingested_at: i64, mut text: String) {
        text.truncate(text.floor_char_boundary(EVENT_BYTES_MAX));
        self.events.push_back(Event { at, ingested_at, text });
        if self.events.len() > EVENTS_MAX {
            self.events.pop_front();
            self.first += 1;
        }
    }

    pub(super) fn cut(&mut self, at: i64) {
        self.events.retain(|event| event.at <= at);
    }

    /// Whether it shows: it was made, or its first line has arrived.
    pub(super) fn shows(&self, now: i64) -> bool {
        self.is_made || self.events.front().is_some_and(|event| event.ingested_at <= now)
    }

    pub(super) fn arrived(&self, now: i64) -> impl DoubleEndedIterator<Item = (u64, &Event)> {
        let count = self.events.iter().take_while(|event| event.ingested_at <= now).count();
        self.events.range(..count).enumerate().map(|(index, event)| (self.first + index as u64, event))
    }
}
