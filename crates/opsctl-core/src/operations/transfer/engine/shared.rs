//! What all lanes share: what was sent, what is in doubt, what is left.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;

use super::super::{
    flow::Flow,
    lane::{Item, ItemState},
    memory::{Key, Recent},
    pace::Pace,
    settings::Settings,
    step::{Age, Origin},
    tally::{Ageing, Kept, NAMED_MAX, Stop, Tally},
};
use crate::{
    domain::{ContentHash, Message, MessageId, QueueKind, QueueUrl, ReceiptHandle},
    operations::values::Uncertain,
};

/// Messages on which an edit fails, where it has worked on none: it will work on no other.
const EDIT_FAILURES_MAX: u64 = 20;
/// Keys remembered of what was sent, at least: about 4 MB.
pub(super) const SENT_MIN: usize = 57_344;
/// Messages left and held at once; SQS itself allows about 120,000 in flight (SQS quotas).
const LEFT_MAX: usize = 100_000;

/// Where a message stands: its sequence number in a FIFO queue, the time of sending in a standard one.
pub(super) type Place = (Option<u128>, Option<Timestamp>);

fn place(message: &Message) -> Place {
    (message.system.sequence, message.system.sent_at)
}

/// A message that is left, and hidden until the end.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) receipt: ReceiptHandle,
    pub(super) group: Option<String>,
}

#[derive(Debug)]
pub(in super::super) struct Shared {
    pub(in super::super) settings: Settings,
    pub(in super::super) tally: Tally,
    /// Groups of which a message was left, and where it stands: what stands behind it is left, too.
    pub(super) stopped_groups: HashMap<String, Place>,
    /// Stand in a file and the journal: may be deleted without being sent.
    pub(in super::super) removable: HashSet<Key>,
    pub(super) pace: Pace,
    pub(super) sent: Recent,
    pub(super) sent_not_deleted: HashSet<Key>,
    pub(super) uncertain: HashSet<Key>,
    pub(super) new_ids: Recent,
    pub(super) contents: Recent,
    /// What lanes work on; with a newer receipt handle where SQS delivered the message again meanwhile.
    pub(super) in_hand: HashMap<Key, Option<ReceiptHandle>>,
    pub(super) left: HashMap<Key, Left>,
    /// FIFO: the first sequence number that is left, by group. What stands behind it can't be received.
    pub(super) held_from: HashMap<String, u128>,
    /// FIFO, in a run that is taken up: the last sequence number that was received, by group. What stands before it was received, too.
    pub(super) seen_to: HashMap<String, u128>,
    /// What an earlier try left open and this one has received, whatever became of it.
    pub(super) met_open: HashSet<Key>,
    pub(super) batch: u64,
    /// In doubt since an earlier try, but sent under a deduplication id: SQS itself drops a second one for a while.
    pub(in super::super) tried: HashMap<Key, (Timestamp, String)>,
    pub(super) sent_before: u64,
    /// Messages that came back and were met.
    pub(super) met: u64,
    /// By how much the queue grew while it was watched.
    pub(super) grown: u64,
    pub(super) flow: Flow,
    pub(super) bytes_in_hand: u64,
    /// Messages on which the edit failed; none any more once it has worked on one.
    pub(super) edit_failures: Option<u64>,
    /// Batches about to be sent whose outcome is not written yet.
    pub(in super::super) open_intents: usize,
    /// Whether the source was seen to hand out a group's messages to two receives at once: SQS never does, an emulator may.
    pub(super) is_one_at_a_time: bool,
    /// Whether it is not long ago that the account was verified.
    pub(in super::super) is_verified: bool,
    /// The credentials are of another account: nothing more may be written.
    pub(in super::super) is_forbidden: bool,
}

impl Shared {
    pub(in super::super) fn may_call(&self) -> bool {
        self.flow.may_call()
    }

    /// Whether another batch may be announced: were the program killed, all of these could be in doubt.
    pub(in super::super) fn may_open_intent(&self) -> bool {
        self.open_intents < self.flow.open_max().min(self.settings.lanes.max(1))
    }

    /// Whether something that was begun is still to be ended: a deletion, or a send that may have been made.
    pub(super) fn has_some_left_to_settle(&self) -> bool {
        let resends = self.settings.resume.policy == Uncertain::Resend && !self.uncertain.is_empty();
        !self.sent_not_deleted.is_empty() || !self.removable.is_empty() || !self.tried.is_empty() || resends
    }

    pub(in super::super) fn is_stopping(&self) -> bool {
        self.tally.stop.is_some()
    }

    pub(in super::super) fn is_journal_broken(&self) -> bool {
        matches!(self.tally.stop, Some(Stop::Journal(_)))
    }

    pub(in super::super) fn stop_because(&mut self, stop: Stop) {
        // A journal that can't be written outranks every other reason, since nothing more may be done unrecorded, and then another
        // account's credentials.
        let is_first = self.tally.stop.is_none() || matches!(stop, Stop::Journal(_));
        if is_first || matches!(stop, Stop::WrongAccount { .. }) && !self.is_journal_broken() {
            self.tally.stop = Some(stop);
        }
    }

    pub(in super::super) fn edited(&mut self, failures: u64, successes: u64) {
        let Some(before) = self.edit_failures else { return };
        self.edit_failures = (successes == 0).then_some(before + failures);
        if let Some(failures) = self.edit_failures.filter(|failures| *failures >= EDIT_FAILURES_MAX) {
            self.stop_because(Stop::EditFails { failures });
        }
    }

    /// A message of the group is left: nothing that stands behind it may pass it.
    pub(in super::super) fn stop_group(&mut self, group: String, message: &Message) {
        let place = place(message);
        let first = self.stopped_groups.entry(group).or_insert(place);
        *first = place.min(*first);
    }

    /// A FIFO queue hands out a group from its first message on, without a gap.
    pub(super) fn see(&mut self, messages: &[Message]) {
        if self.settings.resume.places.is_empty() || self.is_one_at_a_time {
            return;
        }
        for message in messages {
            let system = &message.system;
            if self.settings.resume.places.contains_key(&message.id) {
                self.met_open.insert(Key::of(&message.id));
            }
            if let (Some(group), Some(sequence)) = (&system.group, system.sequence) {
                let last = self.seen_to.entry(group.clone()).or_insert(sequence);
                *last = sequence.max(*last);
            }
        }
    }

    /// Whether a message may still stand behind one of its group that is held.
    pub(super) fn may_be_behind(&self, id: &MessageId, (group, sequence): &(String, u128)) -> bool {
        if self.met_open.contains(&Key::of(id)) {
            return true;
        }
        let is_held_before = self.held_from.get(group).is_some_and(|held| held < sequence);
        is_held_before && self.seen_to.get(group).is_none_or(|seen| seen < sequence)
    }

    /// Whether a message that stands before this one in the group is left.
    pub(in super::super) fn is_stopped(&self, group: &str, message: &Message) -> bool {
        self.stopped_groups.get(group).is_some_and(|first| *first <= place(message))
    }

    pub(in super::super) fn newest_receipt(&self, item: &Item) -> ReceiptHandle {
        self.in_hand.get(&item.key).cloned().flatten().unwrap_or_else(|| item.message.receipt.clone())
    }

    pub(in super::super) fn sent(&mut self, item: &Item, new_id: &MessageId) {
        self.sent.insert(item.key);
        self.sent_not_deleted.insert(item.key);
        if self.uncertain.remove(&item.key) {
            self.tally.uncertain.retain(|id| *id != item.message.id);
            // Somebody asked for it: the message may be there twice now, and is named.
            if self.settings.resume.policy == Uncertain::Resend && self.tally.resent.len() < NAMED_MAX {
                self.tally.resent.push(item.message.id.clone());
            }
        }
        self.tried.remove(&item.key);
        match item.origin {
            Origin::DeadLetter => {
                self.new_ids.insert(Key::of(new_id));
                if let Some((_, outgoing)) = &item.to {
                    let content = match &item.content {
                        Some(content) if outgoing.is_copy_of(&item.message) => Key::of_content(content),
                        _ => Key::of_content(&outgoing.content_hash()),
                    };
                    self.contents.insert(content);
                }
                self.tally.sent += 1;
            }
            Origin::Bounced => self.tally.parked += 1,
        }
    }

    pub(in super::super) fn doubt(&mut self, key: Key, id: MessageId) {
        self.tried.remove(&key);
        self.uncertain.insert(key);
        if !self.tally.uncertain.contains(&id) && self.tally.uncertain.len() < NAMED_MAX {
            self.tally.uncertain.push(id);
        }
    }

    pub(in super::super) fn may_delete(&self, key: Key) -> bool {
        let known = self.sent.contains(key) || self.sent_not_deleted.contains(&key) || self.removable.contains(&key);
        known && !self.uncertain.contains(&key)
    }

    pub(in super::super) fn deleted(&mut self, key: Key) {
        if self.sent_not_deleted.remove(&key) {
            self.tally.moved += 1;
        } else if self.removable.remove(&key) {
            self.tally.removed += 1;
        }
    }

    pub(in super::super) fn leave(&mut self, key: Key, message: &Message) {
        self.left.insert(key, Left { receipt: message.receipt.clone(), group: message.system.group.clone() });
        if let (Some(group), Some(sequence)) = (&message.system.group, message.system.sequence) {
            let first = self.held_from.entry(group.clone()).or_insert(sequence);
            *first = sequence.min(*first);
        }
        if self.left.len() >= LEFT_MAX {
            self.stop_because(Stop::TooManyLeft);
        }
    }

    /// What becomes of a received message before anybody judges it.
    pub(super) fn sort(&mut self, message: Message) -> Option<Item> {
        let key = Key::of(&message.id);
        if let Some(newest) = self.in_hand.get_mut(&key) {
            // Delivered twice at once: the lane that has it goes on, with the newest handle.
            *newest = Some(message.receipt);
            return None;
        }
        self.in_hand.insert(key, None);
        // A message that an earlier try may have sent has its place in the limit already.
        let is_counted = self.uncertain.contains(&key);
        self.bytes_in_hand += message.size_bytes();
        let (state, origin) = self.first_state(key, &message);
        Some(Item {
            message: Arc::new(message),
            key,
            state,
            origin,
            to: None,
            content: None,
            attempts: 0,
            is_counted,
            maybe_sent_at: self.tried.get(&key).map(|(at, _)| *at),
        })
    }

    fn first_state(&mut self, key: Key, message: &Message) -> (ItemState, Origin) {
        let dead_letter = |state| (state, Origin::DeadLetter);
        let guarded = self.tried.contains_key(&key);
        if self.uncertain.contains(&key) && !guarded && self.settings.resume.policy == Uncertain::Leave {
            return dead_letter(self.keep_once(key, message, &Kept::Uncertain));
        }
        if self.sent_not_deleted.contains(&key) || self.sent.contains(key) || self.removable.contains(&key) {
            return dead_letter(ItemState::Sent);
        }
        if self.left.contains_key(&key) {
            return dead_letter(ItemState::Hold);
        }
        let arrived = message.system.sent_at.is_some_and(|sent_at| sent_at >= self.settings.cutoff);
        let came_back =
            self.new_ids.contains(key) || arrived && self.contents.contains(Key::of_content(&message.content_hash()));
        if came_back {
            self.met += 1;
            self.guard_against_bounces(0);
            if self.settings.park {
                return (ItemState::New, Origin::Bounced);
            }
            return (self.keep_once(key, message, &Kept::Bounced), Origin::Bounced);
        }
        if arrived {
            return dead_letter(self.keep_once(key, message, &Kept::Arrived));
        }
        let stopped = |group: &String| self.is_stopped(group, message);
        if self.settings.source == QueueKind::Fifo && message.system.group.as_ref().is_some_and(stopped) {
            return dead_letter(self.keep_once(key, message, &Kept::GroupStopped));
        }
        dead_letter(ItemState::New)
    }

    /// What grew the queue while it was watched is met later on: the same messages are not counted twice.
    pub(super) fn guard_against_bounces(&mut self, growing: u64) {
        let (bounced, sent) = (self.met.max(self.grown + growing), self.sent_before + self.tally.sent);
        self.tally.bounced = bounced;
        if bounced > 0 && self.settings.bounce_max.is_exceeded(bounced, sent) {
            self.stop_because(Stop::Bounced { bounced, sent });
        }
    }

    /// A destination's oldest message that is older than before the run, by more than a step is watched, is one that nobody works
    /// off: messages as they are would have been tried by then as often as they may be. More of them would not help, so the
    /// next step does not begin; after the last one there is nothing to hold back, and the report says it.
    pub(super) fn guard_against_ageing(&mut self, age: Option<Age>, last: bool) {
        // What a sample from before the run tells is not its doing; the metric lags, and often nothing newer is known.
        let age = age.filter(|age| age.at >= self.settings.cutoff);
        let watch_seconds = u64::from(self.settings.watch_seconds);
        self.tally.ageing = age.filter(|age| age.grown_seconds() > watch_seconds).and_then(|age| {
            let (url, _) = self.settings.destinations.get(age.to)?;
            let queue = QueueUrl::from(url.as_str()).name();
            Some(Ageing { queue, seconds: age.seconds, before_seconds: age.before_seconds })
        });
        if let Some(ageing) = self.tally.ageing.clone().filter(|_| !last) {
            self.stop_because(Stop::Ageing(ageing));
        }
    }

    fn keep_once(&mut self, key: Key, message: &Message, why: &Kept) -> ItemState {
        if self.settings.source == QueueKind::Fifo
            && let Some(group) = &message.system.group
        {
            self.stop_group(group.clone(), message);
        }
        if !self.left.contains_key(&key) {
            // Those in doubt are named once already, with the others that are.
            if *why == Kept::Uncertain {
                self.doubt(key, message.id.clone());
            } else {
                self.tally.keep(&message.id, why);
            }
        }
        ItemState::Hold
    }
}

impl Shared {
    /// At a run's begin, with what earlier tries of it left.
    pub(super) fn new(settings: Settings, now: Timestamp) -> Self {
        let mut shared = Self {
            tally: Tally::default(),
            stopped_groups: HashMap::new(),
            removable: settings.resume.perhaps_gone.iter().map(Key::of).collect(),
            pace: Pace::new(settings.rate, &settings.ramp, settings.limit, settings.batch_max, now),
            sent: Recent::new(SENT_MIN),
            sent_not_deleted: settings.resume.sent_not_deleted.iter().map(Key::of).collect(),
            uncertain: settings.resume.uncertain.iter().map(Key::of).collect(),
            new_ids: Recent::new(SENT_MIN),
            contents: Recent::new(SENT_MIN),
            in_hand: HashMap::new(),
            left: HashMap::new(),
            held_from: HashMap::new(),
            seen_to: HashMap::new(),
            met_open: HashSet::new(),
            batch: settings.resume.batch,
            tried: settings.resume.tried.iter().map(|(id, tried)| (Key::of(id), tried.clone())).collect(),
            sent_before: 0,
            met: 0,
            grown: 0,
            flow: Flow::new(settings.lanes, now),
            bytes_in_hand: 0,
            edit_failures: Some(0),
            open_intents: 0,
            is_one_at_a_time: false,
            is_verified: true,
            is_forbidden: false,
            settings,
        };
        shared.take_up();
        shared
    }

    /// What earlier tries have sent, and what they left open.
    fn take_up(&mut self) {
        let resume = std::mem::take(&mut self.settings.resume.sent);
        resume.iter().for_each(|id| self.sent.insert(Key::of(id)));
        let new_ids = std::mem::take(&mut self.settings.resume.new_ids);
        new_ids.iter().for_each(|id| self.new_ids.insert(Key::of(id)));
        let contents = std::mem::take(&mut self.settings.resume.contents);
        contents.into_iter().for_each(|hash| self.contents.insert(Key::of_content(&ContentHash(hash))));
        self.sent_before = self.settings.resume.moved;
        if self.settings.resume.policy == Uncertain::Resend {
            // Asked for in so many words: no window of SQS's matters.
            self.tried.clear();
        }
        // All are named until they are met and sent: a run that stops before that must not forget them.
        self.tally.uncertain = self.settings.resume.uncertain.iter().cloned().collect();
        self.tally.uncertain.sort_unstable();
        self.tally.uncertain.truncate(NAMED_MAX);
        self.tally.sent_not_deleted = self.sent_not_deleted.len() as u64;
        (self.tally.step, self.tally.steps) = self.pace.step();
    }
}
