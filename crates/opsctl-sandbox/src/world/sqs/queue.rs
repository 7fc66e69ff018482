//! [`Queue`]: one queue: its settings, its messages, and what was done with them.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use super::{
    dedup::{Accepted, Deduplication},
    handle::Handle,
    message::{Message, SequenceNumber, State},
    settings::Settings,
    store::{Counts, Key, Store},
};
use crate::world::{
    Caller, QueueView,
    call::Call,
    cloudwatch::{Gauge, Notes},
    error::{ApiError, Place},
    ledger::{Identity, Move, Went, content_of},
};

/// Longest time that a message can be in flight (SQS quota: 12 hours), seconds.
pub const VISIBILITY_SECONDS_MAX: i64 = 43_200;

#[derive(Debug)]
pub(in crate::world) struct Queue {
    pub(super) number: u32,
    pub(in crate::world) account: Arc<str>,
    pub(super) region: Arc<str>,
    pub(in crate::world) name: Arc<str>,
    pub(in crate::world) arn: Arc<str>,
    /// Whether another region of the account had a queue of this name when it was made.
    pub(super) has_namesake: bool,
    pub(in crate::world) settings: Settings,
    pub(in crate::world) tags: BTreeMap<String, String>,
    pub(super) created_at: i64,
    pub(super) modified_at: i64,
    pub(super) purged_at: Option<i64>,
    pub(in crate::world) store: Store,
    pub(super) deduplication: Deduplication,
    pub(in crate::world) totals: Totals,
    /// Counts told last; the stale-counts fault repeats them.
    pub(super) told: Counts,
    /// Counts of the recent past, oldest first, where counts lag.
    history: VecDeque<(i64, Counts)>,
    pub(in crate::world) notes: Notes,
    /// What came and went since the ledger was told last; none: there is no ledger.
    pub(in crate::world) moves: Option<Vec<Move>>,
    /// What tells its messages apart for the ledger.
    pub(in crate::world) identity: Identity,
    /// The time for which the world has it in its list of what is due.
    pub(in crate::world) listed_due: Option<i64>,
}

/// What became of a queue's messages, since it was created. `sent + moved_in` is always what is there plus all the rest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    pub sent: u64,
    /// Accepted and dropped as duplicates; not in `sent`.
    pub dropped: u64,
    /// Handed out, each time counted.
    pub received: u64,
    pub deleted: u64,
    pub purged: u64,
    pub expired: u64,
    /// Moved in by SQS: dead letters, move tasks.
    pub moved_in: u64,
    pub moved_out: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::world) struct Delivery {
    pub(super) key: Key,
    pub(super) receipt: u32,
    pub(super) receive_count: u32,
}

#[derive(Debug, Clone, Copy)]
pub(in crate::world) struct How {
    pub(super) messages_max: usize,
    pub(super) visibility_seconds: i64,
    /// Messages received this often already go to the dead-letter queue instead.
    pub(super) receives_max: Option<u32>,
}

#[derive(Debug, Default)]
pub(in crate::world) struct Received {
    pub(super) deliveries: Vec<Delivery>,
    pub(super) dead_letters: Vec<Message>,
}

impl Queue {
    pub(super) fn counts(&self) -> Counts {
        self.store.counts()
    }

    pub(super) fn len(&self) -> usize {
        let Counts { visible, in_flight, delayed } = self.counts();
        visible + in_flight + delayed
    }

    /// Enqueues a message that was sent, unless it is a duplicate; answers what was accepted, now or then.
    /// On standard queues `explicit_delay` overrides the queue's own delay, seconds.
    pub(super) fn send(&mut self, now: i64, mut message: Message, place: u64, explicit_delay: Option<i64>) -> Accepted {
        message.sequence = SequenceNumber(place);
        let accepted = Accepted { id: message.id, sequence: message.sequence };
        if self.settings.is_fifo {
            let group = if self.settings.deduplication_per_group { message.group() } else { None };
            let id = message.deduplication_id().unwrap_or_default();
            if let Some(first) = self.deduplication.find(now, group, id) {
                self.totals.dropped += 1;
                return first;
            }
            self.deduplication.remember(now, group, id, accepted);
        }
        // FIFO queues have one delay for all: a message's own 0 is taken, and changes nothing.
        let delay_seconds = explicit_delay.filter(|_| !self.settings.is_fifo).unwrap_or(self.settings.delay_seconds);
        let delayed_until = (delay_seconds > 0).then_some(now + delay_seconds * 1_000);
        self.totals.sent += 1;
        self.came(&message);
        self.store.insert(message, delayed_until);
        accepted
    }

    /// Takes in a message that SQS itself moves here.
    pub(super) fn take_in(&mut self, mut message: Message, place: u64) {
        message.leave_queue();
        message.sequence = SequenceNumber(place);
        self.totals.moved_in += 1;
        self.store.insert(message, None);
    }

    pub(in crate::world) fn put(&mut self, mut message: Message, place: u64) {
        message.sequence = SequenceNumber(place);
        self.totals.sent += 1;
        self.came(&message);
        self.store.insert(message, None);
    }

    pub(in crate::world) fn view(&self) -> QueueView<'_> {
        QueueView {
            name: &self.name,
            arn: &self.arn,
            counts: self.counts(),
            totals: self.totals,
            tags: &self.tags,
            is_fifo: self.settings.is_fifo,
        }
    }

    /// What CloudWatch is told of it. Looks at every message: asked at most once a minute.
    pub(in crate::world) fn gauge(&self) -> Gauge {
        // A message received three times goes to the back of a standard queue and no longer counts; receives in an earlier
        // queue do not matter (SQS developer guide, "Available CloudWatch metrics").
        let counts = |message: &&Message| self.settings.is_fifo || message.receipt < 3;
        let oldest_at = self.store.iter().filter(counts).map(|message| message.arrived_at).min();
        Gauge { counts: self.counts(), totals: self.totals, oldest_at }
    }

    pub(super) fn receive(&mut self, now: i64, how: How) -> Received {
        let mut received = Received::default();
        let mut after = None;
        while received.deliveries.len() < how.messages_max {
            let Some(key) = self.store.next_visible(after) else { break };
            let Some(message) = self.store.get_mut(key) else { break };
            after = Some((message.group_index, message.sequence.0));
            if how.receives_max.is_some_and(|maximum| message.receive_count >= maximum) {
                received.dead_letters.extend(self.store.remove(key));
                self.totals.moved_out += 1;
                continue;
            }
            received.deliveries.push(Self::mark_received(message, key, now));
            self.store.hide(key, now + how.visibility_seconds * 1_000);
            self.totals.received += 1;
        }
        if how.visibility_seconds <= 0 {
            // Only now: within one answer no message comes twice.
            for delivery in &received.deliveries {
                self.store.reveal(delivery.key);
            }
        }
        received
    }

    /// Hands out a message once more, at the end of the same answer.
    pub(super) fn deliver_again(&mut self, now: i64, key: Key) -> Option<Delivery> {
        let message = self.store.get_mut(key)?;
        self.totals.received += 1;
        Some(Self::mark_received(message, key, now))
    }

    fn mark_received(message: &mut Message, key: Key, now: i64) -> Delivery {
        message.receive_count = message.receive_count.saturating_add(1);
        message.receipt = message.receipt.wrapping_add(1);
        message.received_at = now;
        message.first_received_at.get_or_insert(now);
        Delivery { key, receipt: message.receipt, receive_count: message.receive_count }
    }

    /// Deletes. Standard: an old handle reports success and deletes nothing; after expiry the newest handle still deletes.
    /// FIFO: only in flight, only by the newest handle.
    pub(in crate::world) fn delete(
        &mut self,
        text: &str,
        handle: Option<Handle>,
        (place, went): (Place, Went),
    ) -> Result<(), ApiError> {
        let handle = self.own(text, handle, place)?;
        let Some(message) = self.store.get(handle.key) else { return Ok(()) };
        let is_newest = message.receipt == handle.receipt;
        if self.settings.is_fifo && !(is_newest && message.state == State::InFlight) {
            return Err(ApiError::expired_handle(text));
        }
        if is_newest && let Some(message) = self.store.remove(handle.key) {
            self.totals.deleted += 1;
            self.went(&message, went);
        }
        Ok(())
    }

    /// Sets when a message becomes visible again, seconds from now.
    pub(in crate::world) fn change_visibility(
        &mut self,
        now: i64,
        text: &str,
        handle: Option<Handle>,
        seconds: i64,
        place: Place,
    ) -> Result<(), ApiError> {
        if !(0..=VISIBILITY_SECONDS_MAX).contains(&seconds) {
            let reason = "VisibilityTimeout must be an integer between 0 and 43200";
            return Err(ApiError::invalid_value(seconds, "VisibilityTimeout", reason));
        }
        let handle = self.own(text, handle, place)?;
        let Some(message) = self.store.get_mut(handle.key) else { return Err(ApiError::visibility_unavailable(text)) };
        let is_newest = message.receipt == handle.receipt;
        match message.state {
            State::InFlight if self.settings.is_fifo && !is_newest => {
                return Err(ApiError::visibility_unavailable(text));
            }
            // Seen of AWS: on standard queues an old handle works too, as long as somebody has the message.
            State::InFlight => {}
            State::Visible if self.settings.is_fifo => return Err(ApiError::visibility_unavailable(text)),
            // Seen of AWS (localstack's tests against it, 2023): taken, and nothing happens; its reference says MessageNotInflight.
            State::Visible => return Ok(()),
            State::Delayed => return Err(ApiError::not_in_flight()),
        }
        if (now - message.received_at) / 1_000 + seconds > VISIBILITY_SECONDS_MAX {
            let reason = "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]";
            return Err(ApiError::invalid_value(seconds, "VisibilityTimeout", reason));
        }
        if seconds == 0 {
            self.store.reveal(handle.key);
        } else {
            self.store.hide(handle.key, now + seconds * 1_000);
        }
        Ok(())
    }

    fn own(&self, text: &str, handle: Option<Handle>, place: Place) -> Result<Handle, ApiError> {
        handle.filter(|handle| handle.queue == self.number).ok_or_else(|| ApiError::invalid_handle(text, place))
    }

    /// Deletes everything, in flight and delayed too, and forgets the deduplication ids.
    pub(super) fn purge(&mut self, now: i64) {
        self.totals.purged += self.len() as u64;
        self.all_went();
        self.store.clear();
        self.deduplication = Deduplication::default();
        self.purged_at = Some(now);
    }

    /// Takes out the message that stands first, for a move task.
    pub(super) fn take_out(&mut self) -> Option<Message> {
        let key = self.store.next_visible(None)?;
        let message = self.store.remove(key)?;
        self.totals.moved_out += 1;
        Some(message)
    }

    /// Lets everything in flight become visible at once.
    pub(super) fn expire_visibility(&mut self) {
        for key in self.store.keys_in(State::InFlight) {
            self.store.reveal(key);
        }
    }

    /// Lets pass what is due by `now`.
    pub(in crate::world) fn advance(&mut self, now: i64) {
        self.store.reveal_due(now);
        let expired = self.store.expire(now - self.settings.retention_seconds * 1_000);
        self.totals.expired += expired.len() as u64;
        expired.iter().for_each(|message| self.went(message, Went::Expired));
    }

    fn came(&mut self, message: &Message) {
        if let Some(moves) = &mut self.moves {
            moves.push(Move { content: content_of(&self.identity, &message.body), went: None });
        }
    }

    fn went(&mut self, message: &Message, went: Went) {
        if let Some(moves) = &mut self.moves {
            moves.push(Move { content: content_of(&self.identity, &message.body), went: Some(went) });
        }
    }

    /// All that is there goes, with the queue or without.
    pub(super) fn all_went(&mut self) {
        if let Some(moves) = &mut self.moves {
            let gone = self.store.iter().map(|message| content_of(&self.identity, &message.body));
            moves.extend(gone.map(|content| Move { content, went: Some(Went::Purged) }));
        }
    }

    /// When something happens next by itself.
    pub(in crate::world) fn next_due(&mut self) -> Option<i64> {
        let expiry = self.store.oldest().map(|sent_at| sent_at + self.settings.retention_seconds * 1_000);
        self.store.next_reveal().into_iter().chain(expiry).min()
    }

    /// Notes the counts, so that they can be told later where counts lag.
    pub(in crate::world) fn note_counts(&mut self, now: i64, lag: i64) {
        const STEPS: i64 = 32;
        if lag <= 0 {
            return;
        }
        let counts = self.counts();
        match self.history.back_mut() {
            Some((_, last)) if *last == counts => {}
            Some((at, last)) if now - *at < lag / STEPS => *last = counts,
            Some(_) | None => self.history.push_back((now, counts)),
        }
        while self.history.get(1).is_some_and(|&(at, _)| at <= now - lag) {
            self.history.pop_front();
        }
    }

    /// The counts as they are told `lag` milliseconds late.
    pub(super) fn lagging_counts(&self, now: i64, lag: i64) -> Counts {
        if lag <= 0 {
            return self.counts();
        }
        let noted = self.history.iter().rev().find(|(at, _)| *at <= now - lag);
        noted.map_or_else(Counts::default, |&(_, counts)| counts)
    }
}

impl Queue {
    pub(super) fn new(
        number: u32,
        call: Call,
        name: &str,
        (settings, looks_at): (Settings, usize),
        tags: BTreeMap<String, String>,
    ) -> Self {
        let Caller { account, region, .. } = call.caller;
        let arn = format!("arn:aws:sqs:{region}:{account}:{name}").into();
        Self {
            number,
            account: account.as_str().into(),
            region: region.as_str().into(),
            name: name.into(),
            arn,
            has_namesake: false,
            store: Store::new(settings.is_fifo, looks_at),
            settings,
            tags,
            created_at: call.now,
            modified_at: call.now,
            purged_at: None,
            deduplication: Deduplication::default(),
            totals: Totals::default(),
            told: Counts::default(),
            history: VecDeque::new(),
            notes: Notes::default(),
            moves: None,
            identity: Identity::default(),
            listed_due: None,
        }
    }
}
