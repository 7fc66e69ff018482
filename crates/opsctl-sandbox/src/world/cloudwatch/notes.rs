//! [`Notes`]: what a queue was like at the ends of the minutes in which something changed in it. What it was like at any other
//! minute follows: a queue that nothing happens to costs nothing.

use std::collections::VecDeque;

use crate::world::{Counts, Totals};

/// A minute, in milliseconds.
pub(super) const MINUTE: i64 = 60_000;
/// Notes kept of a queue: an hour of a busy one, 3 KB.
const NOTES_MAX: usize = 60;
/// How long a queue without messages goes on to have metrics (SQS developer guide: active up to six hours).
const ACTIVE_MILLISECONDS: i64 = 6 * 3_600_000;

#[derive(Debug, Clone, Copy)]
pub(in crate::world) struct Gauge {
    pub(in crate::world) counts: Counts,
    pub(in crate::world) totals: Totals,
    /// When the oldest message arrived, of those that the age is about.
    pub(in crate::world) oldest_at: Option<i64>,
}

#[derive(Debug, Clone, Copy)]
struct Note {
    at: i64,
    visible: u32,
    in_flight: u32,
    delayed: u32,
    /// [`i64::MAX`]: no message.
    oldest_at: i64,
    /// Since the note before.
    sent: u32,
    received: u32,
    deleted: u32,
}

#[derive(Debug, Default)]
pub(in crate::world) struct Notes {
    ring: VecDeque<Note>,
    totals: Totals,
    /// Whether the queue stands in the list of those to be noted.
    pub(super) is_listed: bool,
}

/// SQS's metrics, as far as they are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QueueMetric {
    Age,
    Visible,
    InFlight,
    Delayed,
    Sent,
    Received,
    Deleted,
}

impl QueueMetric {
    pub(super) const ALL: [(&'static str, Self); 7] = [
        ("ApproximateAgeOfOldestMessage", Self::Age),
        ("ApproximateNumberOfMessagesVisible", Self::Visible),
        ("ApproximateNumberOfMessagesNotVisible", Self::InFlight),
        ("ApproximateNumberOfMessagesDelayed", Self::Delayed),
        ("NumberOfMessagesSent", Self::Sent),
        ("NumberOfMessagesReceived", Self::Received),
        ("NumberOfMessagesDeleted", Self::Deleted),
    ];
}

impl Notes {
    pub(super) fn add(&mut self, at: i64, gauge: &Gauge) {
        let since = |now: u64, before: u64| u32::try_from(now.saturating_sub(before)).unwrap_or(u32::MAX);
        let (now, before) = (gauge.totals, self.totals);
        let mut note = Note::of(at, gauge);
        note.sent = since(now.sent, before.sent);
        note.received = since(now.received, before.received);
        note.deleted = since(now.deleted, before.deleted);
        self.totals = now;
        self.ring.push_back(note);
        if self.ring.len() > NOTES_MAX {
            self.ring.pop_front();
        }
    }

    /// As if the queue had been like this since `at`; nothing where something is noted already.
    pub(super) fn begin(&mut self, at: i64, gauge: &Gauge) {
        if self.ring.is_empty() {
            self.totals = gauge.totals;
            self.ring.push_back(Note::of(at, gauge));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    /// A metric's value for the minute that ended at `at`; none where the queue had no metrics then.
    pub(super) fn value(&self, metric: QueueMetric, at: i64) -> Option<f64> {
        let index = self.ring.partition_point(|note| note.at <= at).checked_sub(1)?;
        let note = self.ring[index];
        let is_idle = note.visible + note.in_flight + note.delayed == 0;
        if is_idle && at - note.at > ACTIVE_MILLISECONDS {
            return None;
        }
        let flow = |count: u32| if note.at == at { f64::from(count) } else { 0.0 };
        Some(match metric {
            QueueMetric::Age if note.oldest_at == i64::MAX => 0.0,
            QueueMetric::Age => ((at - note.oldest_at).max(0) / 1_000) as f64,
            QueueMetric::Visible => note.visible.into(),
            QueueMetric::InFlight => note.in_flight.into(),
            QueueMetric::Delayed => note.delayed.into(),
            QueueMetric::Sent => flow(note.sent),
            QueueMetric::Received => flow(note.received),
            QueueMetric::Deleted => flow(note.deleted),
        })
    }
}

impl Note {
    fn of(at: i64, gauge: &Gauge) -> Self {
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let Counts { visible, in_flight, delayed } = gauge.counts;
        Self {
            at,
            visible: count(visible),
            in_flight: count(in_flight),
            delayed: count(delayed),
            oldest_at: gauge.oldest_at.unwrap_or(i64::MAX),
            sent: 0,
            received: 0,
            deleted: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gauge(visible: usize, oldest_at: Option<i64>, sent: u64) -> Gauge {
        let counts = Counts { visible, in_flight: 0, delayed: 0 };
        Gauge { counts, totals: Totals { sent, ..Totals::default() }, oldest_at }
    }

    #[test]
    fn minutes_without_a_note_follow_from_the_one_before() {
        let mut notes = Notes::default();
        notes.add(10 * MINUTE, &gauge(2, Some(9 * MINUTE), 2));
        let at = |metric, minute: i64| notes.value(metric, minute * MINUTE);
        assert_eq!(at(QueueMetric::Age, 9), None);
        assert_eq!([at(QueueMetric::Age, 10), at(QueueMetric::Age, 13)], [Some(60.0), Some(240.0)]);
        assert_eq!([at(QueueMetric::Sent, 10), at(QueueMetric::Sent, 11)], [Some(2.0), Some(0.0)]);
        assert_eq!(at(QueueMetric::Visible, 600), Some(2.0), "a queue with messages is active");
    }

    #[test]
    fn an_idle_queue_ends_after_six_hours_and_a_busy_one_is_bounded() {
        let mut notes = Notes::default();
        notes.add(0, &gauge(0, None, 5));
        assert_eq!(notes.value(QueueMetric::Age, 360 * MINUTE), Some(0.0));
        assert_eq!(notes.value(QueueMetric::Age, 361 * MINUTE), None);
        (1..1_000).for_each(|minute| notes.add(minute * MINUTE, &gauge(0, None, 5)));
        assert_eq!(notes.ring.len(), NOTES_MAX);
        assert_eq!(notes.value(QueueMetric::Age, 0), None);
    }
}
