//! The lists: each topic's columns, and what is said of one of its things.

pub mod alarms;
pub mod consumers;
pub mod databases;
pub mod outboxes;
pub mod queue_sheet;
pub mod queues;
pub mod scaling;
pub mod services;

use super::listed::Listed;
use crate::{observe::Subject, state::Topic};

/// Every list, in the order of their tabs.
pub static LISTS: [&dyn Listed; 6] =
    [&queues::LIST, &services::LIST, &databases::LIST, &alarms::LIST, &consumers::LIST, &outboxes::LIST];

impl Topic {
    pub fn list(self) -> &'static dyn Listed {
        let list = LISTS.into_iter().find(|list| list.head().scope == self.0);
        list.unwrap_or_else(|| unreachable!("a topic is made of a list's scope"))
    }
}

/// What a verdict is about, where it is about a thing of a list: which list, and what the thing is known by there.
pub(crate) fn subject(subject: &Subject) -> Option<(Topic, String)> {
    let list = LISTS.iter().find(|list| (list.head().is_about)(subject))?;
    Some((Topic(list.head().scope), subject.name()?))
}
