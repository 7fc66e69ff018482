//! [`Groups`]: a FIFO queue's message groups, and which of them can be received from.

use std::collections::{BTreeMap, HashMap};

use super::store::Key;

#[derive(Debug, Default)]
pub(super) struct Groups {
    by_name: HashMap<Box<str>, u32>,
    groups: Vec<Group>,
    free: Vec<u32>,
    /// Groups whose head can be received now, by their head's place: oldest first.
    available: BTreeMap<u64, u32>,
}

#[derive(Debug, Default)]
struct Group {
    name: Box<str>,
    /// All its messages, in flight and delayed ones too, by their place.
    messages: BTreeMap<u64, Key>,
    in_flight: usize,
    /// Key under which it stands in `available`.
    listed: Option<u64>,
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
    pub(super) fn remove(&mut self, index: u32, place: u64, was_in_flight: bool) {
        let group = &mut self.groups[index as usize];
        group.messages.remove(&place);
        if was_in_flight {
            group.in_flight -= 1;
        }
        if group.messages.is_empty() {
            if let Some(listed) = group.listed.take() {
                self.available.remove(&listed);
            }
            let name = std::mem::take(&mut group.name);
            self.by_name.remove(&name);
            self.free.push(index);
        }
    }

    /// One more, or one fewer, of its messages is in flight.
    pub(super) fn count_in_flight(&mut self, index: u32, is_in_flight: bool) {
        let in_flight = &mut self.groups[index as usize].in_flight;
        *in_flight = if is_in_flight { *in_flight + 1 } else { *in_flight - 1 };
    }

    /// The head of a group: its first message, unless messages of the group are in flight.
    pub(super) fn head(&self, index: u32) -> Option<(u64, Key)> {
        let group = &self.groups[index as usize];
        if group.in_flight > 0 {
            return None;
        }
        group.messages.first_key_value().map(|(&place, &key)| (place, key))
    }

    pub(super) fn after(&self, index: u32, place: u64) -> Option<(u64, Key)> {
        self.groups[index as usize].messages.range(place + 1..).next().map(|(&place, &key)| (place, key))
    }

    /// Lists the group under `place` as one to receive from; none: not at all.
    pub(super) fn list(&mut self, index: u32, place: Option<u64>) {
        let group = &mut self.groups[index as usize];
        if group.listed == place {
            return;
        }
        if let Some(old) = group.listed.take() {
            self.available.remove(&old);
        }
        if let Some(place) = place {
            self.available.insert(place, index);
            group.listed = Some(place);
        }
    }

    /// The group whose head is the oldest of those that can be received, with that head's key.
    pub(super) fn first_available(&self) -> Option<(u32, u64, Key)> {
        let (&place, &index) = self.available.first_key_value()?;
        let key = self.groups[index as usize].messages.get(&place)?;
        Some((index, place, *key))
    }
}
