//! [`Groups`]: a FIFO queue's message groups, and which of them can be received from.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::store::Key;

#[derive(Debug)]
pub(super) struct Groups {
    by_name: HashMap<Box<str>, u32>,
    groups: Vec<Group>,
    free: Vec<u32>,
    /// Groups whose head can be received now, in the order in which they are handed out.
    available: BTreeMap<Turn, u32>,
    /// How often a group was served.
    servings: u64,
    /// Messages at the front of the queue among which SQS looks for groups that are free; those behind wait until they come forward,
    /// though their groups may be free (SQS developer guide, "Avoid having a large backlog of messages with the same message group ID").
    looks_at: usize,
    /// How many of them there are, and the place of the last.
    within: usize,
    horizon: u64,
    /// Places and groups of those behind, in their order; of messages that are gone, too.
    beyond: VecDeque<(u64, u32)>,
}

/// When a group was served last (0: never), and its head's place. Groups that nobody was served from come first, the one with
/// the oldest head before the others; then the group that has waited longest (SQS developer guide, "FIFO queue delivery logic").
type Turn = (u64, u64);

#[derive(Debug, Default)]
struct Group {
    name: Box<str>,
    /// All its messages, in flight and delayed ones too, by their place.
    messages: BTreeMap<u64, Key>,
    served: u64,
    /// Key under which it stands in `available`.
    listed: Option<Turn>,
}

impl Groups {
    pub(super) fn new(looks_at: usize) -> Self {
        Self {
            by_name: HashMap::new(),
            groups: Vec::new(),
            free: Vec::new(),
            available: BTreeMap::new(),
            servings: 0,
            looks_at: looks_at.max(1),
            within: 0,
            horizon: 0,
            beyond: VecDeque::new(),
        }
    }

    /// Whether SQS looks as far as this place.
    pub(super) fn sees(&self, place: u64) -> bool {
        place <= self.horizon
    }

    /// The group of that name, made where there is none.
    pub(super) fn index_of(&mut self, name: &str) -> u32 {
        if let Some(&index) = self.by_name.get(name) {
            return index;
        }
        let group = Group { name: name.into(), ..Group::default() };
        let index = match self.free.pop() {
            Some(index) => {
                self.groups[index as usize] = group;
                index
            }
            None => {
                self.groups.push(group);
                u32::try_from(self.groups.len() - 1).expect("fewer groups than messages, and those have 32-bit keys")
            }
        };
        self.by_name.insert(name.into(), index);
        index
    }

    /// Adds a message at the end of the queue.
    pub(super) fn add(&mut self, index: u32, place: u64, key: Key) {
        self.groups[index as usize].messages.insert(place, key);
        if self.within < self.looks_at {
            (self.within, self.horizon) = (self.within + 1, place);
        } else {
            self.beyond.push_back((place, index));
        }
    }

    /// Takes a message out of its group; an empty group is forgotten. Answers the group whose head SQS comes to see by that.
    pub(super) fn remove(&mut self, index: u32, place: u64) -> Option<u32> {
        let group = &mut self.groups[index as usize];
        group.messages.remove(&place);
        if group.messages.is_empty() {
            if let Some(listed) = group.listed.take() {
                self.available.remove(&listed);
            }
            let name = std::mem::take(&mut group.name);
            self.by_name.remove(&name);
            self.free.push(index);
        }
        if !self.sees(place) {
            return None;
        }
        self.within -= 1;
        self.look_further()
    }

    /// Lets the next message that is there come forward.
    fn look_further(&mut self) -> Option<u32> {
        while let Some((place, index)) = self.beyond.pop_front() {
            let messages = &self.groups[index as usize].messages;
            if messages.contains_key(&place) {
                let is_head = messages.first_key_value().is_some_and(|(first, _)| *first == place);
                (self.within, self.horizon) = (self.within + 1, place);
                return is_head.then_some(index);
            }
        }
        None
    }

    /// A message of the group is handed out.
    pub(super) fn serve(&mut self, index: u32) {
        self.servings += 1;
        self.groups[index as usize].served = self.servings;
    }

    /// The head of a group: its first message. In flight or delayed, it holds up all that stand behind it; those in flight hold up
    /// none that stands before them.
    pub(super) fn head(&self, index: u32) -> Option<(u64, Key)> {
        let group = &self.groups[index as usize];
        group.messages.first_key_value().map(|(&place, &key)| (place, key))
    }

    pub(super) fn after(&self, index: u32, place: u64) -> Option<(u64, Key)> {
        self.groups[index as usize].messages.range(place + 1..).next().map(|(&place, &key)| (place, key))
    }

    /// Lists the group under `place` as one to receive from; none: not at all.
    pub(super) fn list(&mut self, index: u32, place: Option<u64>) {
        let group = &mut self.groups[index as usize];
        let turn = place.map(|place| (group.served, place));
        if group.listed == turn {
            return;
        }
        if let Some(old) = group.listed.take() {
            self.available.remove(&old);
        }
        if let Some(turn) = turn {
            self.available.insert(turn, index);
            group.listed = Some(turn);
        }
    }

    /// The head of the group whose turn it is, of those that can be received.
    pub(super) fn first_available(&self) -> Option<Key> {
        let (&(_, place), &index) = self.available.first_key_value()?;
        self.groups[index as usize].messages.get(&place).copied()
    }
}
