//! [`Store`]: a queue's messages: who is visible, in flight, delayed; whose time is over. No operation looks at all of them.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
};

use super::{
    groups::Groups,
    message::{Message, State},
};

/// A message's place in the store. A slot's generation rises whenever its message leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::world) struct Key {
    pub(super) slot: u32,
    pub(super) generation: u32,
}

/// A time, and whose it is. Entries are never looked for: one that no longer holds is passed over when its time comes.
type Due = Reverse<(i64, Key)>;

#[derive(Debug, Default)]
struct Slot {
    generation: u32,
    message: Option<Message>,
}

/// The order in which visible messages are handed out.
#[derive(Debug)]
enum Line {
    /// Roughly oldest first: a message that becomes visible again goes to the end.
    Standard(VecDeque<Key>),
    Fifo(Groups),
}

#[derive(Debug)]
pub(in crate::world) struct Store {
    slots: Vec<Slot>,
    free: Vec<u32>,
    len: usize,
    in_flight: usize,
    delayed: usize,
    line: Line,
    /// Ends of timeouts and delays.
    hidden: BinaryHeap<Due>,
    ages: BinaryHeap<Due>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub visible: usize,
    pub in_flight: usize,
    pub delayed: usize,
}

impl Store {
    /// A FIFO queue's looks for free groups among its first `looks_at` messages.
    pub(super) fn new(is_fifo: bool, looks_at: usize) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            len: 0,
            in_flight: 0,
            delayed: 0,
            line: if is_fifo { Line::Fifo(Groups::new(looks_at)) } else { Line::Standard(VecDeque::new()) },
            hidden: BinaryHeap::new(),
            ages: BinaryHeap::new(),
        }
    }

    pub(super) fn counts(&self) -> Counts {
        Counts { visible: self.len - self.in_flight - self.delayed, in_flight: self.in_flight, delayed: self.delayed }
    }

    pub(super) fn get(&self, key: Key) -> Option<&Message> {
        let slot = self.slots.get(key.slot as usize)?;
        slot.message.as_ref().filter(|_| slot.generation == key.generation)
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut Message> {
        let slot = self.slots.get_mut(key.slot as usize)?;
        slot.message.as_mut().filter(|_| slot.generation == key.generation)
    }

    /// All messages, in no order.
    pub(in crate::world) fn iter(&self) -> impl Iterator<Item = &Message> {
        self.slots.iter().filter_map(|slot| slot.message.as_ref())
    }

    /// Keys of the messages in a state, in no order.
    pub(super) fn keys_in(&self, state: State) -> Vec<Key> {
        let keyed =
            self.slots.iter().zip(0..).filter(|(slot, _)| slot.message.as_ref().is_some_and(|m| m.state == state));
        keyed.map(|(slot, index)| Key { slot: index, generation: slot.generation }).collect()
    }

    /// Adds a message; hidden at first where `delayed_until` says so.
    pub(super) fn insert(&mut self, mut message: Message, delayed_until: Option<i64>) -> Key {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            u32::try_from(self.slots.len() - 1).expect("memory ends before four thousand million messages")
        });
        let key = Key { slot: index, generation: self.slots[index as usize].generation };
        if let Line::Fifo(groups) = &mut self.line {
            message.group_index = groups.index_of(message.group().unwrap_or_default());
            groups.add(message.group_index, message.sequence.0, key);
        }
        self.ages.push(Reverse((message.sent_at, key)));
        if let Some(until) = delayed_until {
            message.state = State::Delayed;
            message.hidden_until = until;
            self.hidden.push(Reverse((until, key)));
            self.delayed += 1;
        } else {
            message.state = State::Visible;
        }
        self.len += 1;
        self.slots[index as usize].message = Some(message);
        self.queue_up(key);
        key
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<Message> {
        self.get(key)?;
        let slot = &mut self.slots[key.slot as usize];
        let message = slot.message.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(key.slot);
        self.len -= 1;
        match message.state {
            State::Visible => {}
            State::InFlight => self.in_flight -= 1,
            State::Delayed => self.delayed -= 1,
        }
        let seen = match &mut self.line {
            Line::Standard(_) => None,
            Line::Fifo(groups) => groups.remove(message.group_index, message.sequence.0),
        };
        self.relist(message.group_index);
        if let Some(group) = seen {
            self.relist(group);
        }
        self.sweep();
        Some(message)
    }

    /// Takes out everything. Generations go on, so that old handles find nothing.
    pub(super) fn clear(&mut self) {
        for index in 0..self.slots.len() {
            let slot = u32::try_from(index).expect("slots have 32-bit numbers");
            self.remove(Key { slot, generation: self.slots[index].generation });
        }
        self.hidden = BinaryHeap::new();
        self.ages = BinaryHeap::new();
    }

    /// Hides a visible message, or hides one in flight for another time.
    pub(super) fn hide(&mut self, key: Key, until: i64) {
        let Some(message) = self.get_mut(key) else { return };
        let was = message.state;
        message.state = State::InFlight;
        message.hidden_until = until;
        let group = message.group_index;
        match was {
            State::InFlight => {}
            State::Visible => self.in_flight += 1,
            State::Delayed => {
                self.delayed -= 1;
                self.in_flight += 1;
            }
        }
        if was != State::InFlight
            && let Line::Fifo(groups) = &mut self.line
        {
            groups.serve(group);
        }
        self.hidden.push(Reverse((until, key)));
        self.relist(group);
    }

    pub(super) fn reveal(&mut self, key: Key) {
        let Some(message) = self.get_mut(key) else { return };
        let was = message.state;
        message.state = State::Visible;
        match was {
            State::Visible => return,
            State::InFlight => self.in_flight -= 1,
            State::Delayed => self.delayed -= 1,
        }
        self.queue_up(key);
        self.sweep();
    }

    /// The next message to hand out: the first of the line, or with `after` (FIFO) the next of the same group.
    /// The caller hides or removes what it gets.
    pub(super) fn next_visible(&mut self, after: Option<(u32, u64)>) -> Option<Key> {
        match &mut self.line {
            Line::Standard(line) => {
                while let Some(key) = line.pop_front() {
                    let slot = &mut self.slots[key.slot as usize];
                    let Some(message) = slot.message.as_mut().filter(|_| slot.generation == key.generation) else {
                        continue;
                    };
                    message.in_line = false;
                    if message.state == State::Visible {
                        return Some(key);
                    }
                }
                None
            }
            Line::Fifo(groups) => {
                let next = after.and_then(|(group, place)| groups.after(group, place));
                let next = next.filter(|(place, _)| groups.sees(*place)).map(|(_, key)| key);
                let next = next.filter(|&key| {
                    let slot = &self.slots[key.slot as usize];
                    slot.message.as_ref().is_some_and(|message| message.state == State::Visible)
                });
                next.or_else(|| groups.first_available())
            }
        }
    }

    /// Lets timeouts and delays that end by `now` end.
    pub(super) fn reveal_due(&mut self, now: i64) {
        while let Some(&Reverse((at, key))) = self.hidden.peek() {
            if at > now {
                break;
            }
            self.hidden.pop();
            if self.is_hidden_until(key, at) {
                self.reveal(key);
            }
        }
    }

    /// Takes out what was sent at or before `sent_before`.
    pub(super) fn expire(&mut self, sent_before: i64) -> Vec<Message> {
        let mut expired = Vec::new();
        while let Some(&Reverse((at, key))) = self.ages.peek() {
            if at > sent_before {
                break;
            }
            self.ages.pop();
            expired.extend(self.remove(key));
        }
        expired
    }

    pub(super) fn next_reveal(&mut self) -> Option<i64> {
        while let Some(&Reverse((at, key))) = self.hidden.peek() {
            if self.is_hidden_until(key, at) {
                return Some(at);
            }
            self.hidden.pop();
        }
        None
    }

    pub(super) fn oldest(&mut self) -> Option<i64> {
        while let Some(&Reverse((at, key))) = self.ages.peek() {
            if self.get(key).is_some() {
                return Some(at);
            }
            self.ages.pop();
        }
        None
    }

    fn is_hidden_until(&self, key: Key, at: i64) -> bool {
        self.get(key).is_some_and(|message| message.state != State::Visible && message.hidden_until == at)
    }

    /// Lines a message up with the visible ones, where it is visible.
    fn queue_up(&mut self, key: Key) {
        let Some(message) = self.slots[key.slot as usize].message.as_mut() else { return };
        let group = message.group_index;
        if let Line::Standard(line) = &mut self.line
            && message.state == State::Visible
            && !message.in_line
        {
            message.in_line = true;
            line.push_back(key);
        }
        self.relist(group);
    }

    /// Lists a FIFO group by its head, where that can be received.
    fn relist(&mut self, group: u32) {
        let Line::Fifo(groups) = &mut self.line else { return };
        let head = groups.head(group).filter(|(place, _)| groups.sees(*place)).filter(|(_, key)| {
            let slot = &self.slots[key.slot as usize];
            slot.message.as_ref().is_some_and(|message| message.state == State::Visible)
        });
        groups.list(group, head.map(|(place, _)| place));
    }

    /// Drops entries that no longer hold once they are the greater part.
    fn sweep(&mut self) {
        const SLACK: usize = 4_096;
        if self.hidden.len() > 2 * (self.in_flight + self.delayed) + SLACK {
            let hidden = std::mem::take(&mut self.hidden).into_vec();
            let holds = |due: &Due| self.is_hidden_until(due.0.1, due.0.0);
            self.hidden = hidden.into_iter().filter(holds).collect();
        }
        if self.ages.len() > 2 * self.len + SLACK {
            let ages = std::mem::take(&mut self.ages).into_vec();
            self.ages = ages.into_iter().filter(|due| self.get(due.0.1).is_some()).collect();
        }
        let Line::Standard(line) = &mut self.line else { return };
        if line.len() > 2 * (self.len - self.in_flight - self.delayed) + SLACK {
            let slots = &mut self.slots;
            line.retain(|key| {
                let slot = &mut slots[key.slot as usize];
                let Some(message) = slot.message.as_mut().filter(|_| slot.generation == key.generation) else {
                    return false;
                };
                message.in_line = message.state == State::Visible;
                message.in_line
            });
        }
    }
}
