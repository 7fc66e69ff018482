//! [`Groups`]: a FIFO queue's message groups, and which of them can be received from.

use std::collections::{BTreeMap, HashMap};

use super::store::Key;

#[derive(Debug, Default)]
pub(super) struct Groups {
    by_name: HashMap<Box<str>, u32>,
    groups: Vec<Group>,
    free: Vec<u32>,
    /// Groups whose head can be received now, in the order in which they are handed out.
    available: BTreeMap<Turn, u32>,
    /// How often a group was served.
    servings: u64,
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

    pub(super) fn add(&mut self, index: u32, place: u64, key: Key) {
        self.groups[index as usize].messages.insert(place, key);
    }

    /// Takes a message out of its group; an empty group is forgotten.
    pub(super) fn remove(&mut self, index: u32, place: u64) {
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
