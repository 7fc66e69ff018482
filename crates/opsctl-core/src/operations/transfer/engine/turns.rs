//! Whose turn it is in each message group: one lane at a time, in the order in which the messages were received.
//!
//! SQS hands out a group to one receive at a time, but what a lane puts back or has deleted is free for the next receive before the
//! lane hears of it. What that receive brings must not be dealt with before the lane has ended.

use std::collections::{BTreeSet, HashMap, VecDeque};

use crate::{domain::Message, operations::transfer::step::LaneId};

/// Lanes by group, the one whose turn it is first.
#[derive(Debug, Default)]
pub(super) struct Turns {
    lanes: HashMap<String, VecDeque<LaneId>>,
    groups: HashMap<LaneId, Vec<String>>,
    ended: u64,
}

impl Turns {
    /// A lane has received messages: it comes behind those that have some of the same groups.
    pub(super) fn join(&mut self, lane: LaneId, messages: &[Message]) {
        let groups: BTreeSet<&String> = messages.iter().filter_map(|message| message.system.group.as_ref()).collect();
        let groups: Vec<String> = groups.into_iter().cloned().collect();
        for group in &groups {
            self.lanes.entry(group.clone()).or_default().push_back(lane);
        }
        self.groups.insert(lane, groups);
    }

    /// Whether it is the lane's turn in all of its groups. Lanes join all of theirs at once, so some lane's turn it always is.
    pub(super) fn is_first(&self, lane: LaneId) -> bool {
        let groups = self.groups.get(&lane).into_iter().flatten();
        groups.into_iter().all(|group| self.first(group) == Some(lane))
    }

    pub(super) fn first(&self, group: &str) -> Option<LaneId> {
        self.lanes.get(group)?.front().copied()
    }

    pub(super) fn end(&mut self, lane: LaneId) {
        for group in self.groups.remove(&lane).unwrap_or_default() {
            if let Some(lanes) = self.lanes.get_mut(&group) {
                lanes.retain(|other| *other != lane);
                if lanes.is_empty() {
                    self.lanes.remove(&group);
                }
            }
            self.ended += 1;
        }
    }

    /// Grows whenever somebody's turn may have come.
    pub(super) fn ended(&self) -> u64 {
        self.ended
    }
}
