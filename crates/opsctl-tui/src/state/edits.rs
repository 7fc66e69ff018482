//! [`Edits`]: edited bodies, kept until they are sent.

use std::collections::BTreeMap;

use crate::domain::{EnvironmentName, MessageId, QueueName};

/// Bodies that were edited, and not yet sent: the new texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edits(pub(crate) BTreeMap<(EnvironmentName, QueueName), BTreeMap<MessageId, String>>);

impl Edits {
    /// The new text of a message.
    pub fn of(&self, environment: &EnvironmentName, queue: &QueueName, id: &MessageId) -> Option<&str> {
        let queue = self.0.get(&(environment.clone(), queue.clone()))?;
        queue.get(id).map(String::as_str)
    }

    /// Messages edited of a queue.
    pub fn count(&self, environment: &EnvironmentName, queue: &QueueName) -> usize {
        self.0.get(&(environment.clone(), queue.clone())).map_or(0, BTreeMap::len)
    }

    /// The messages edited of a queue.
    pub(crate) fn ids(&self, environment: &EnvironmentName, queue: &QueueName) -> impl Iterator<Item = &MessageId> {
        self.0.get(&(environment.clone(), queue.clone())).into_iter().flat_map(BTreeMap::keys)
    }

    pub(crate) fn keep(&mut self, environment: &EnvironmentName, queue: &QueueName, id: &MessageId, text: String) {
        self.0.entry((environment.clone(), queue.clone())).or_default().insert(id.clone(), text);
    }

    pub(crate) fn discard(&mut self, environment: &EnvironmentName, queue: &QueueName, id: &MessageId) {
        let place = (environment.clone(), queue.clone());
        if let Some(queue) = self.0.get_mut(&place) {
            queue.remove(id);
            if queue.is_empty() {
                self.0.remove(&place);
            }
        }
    }
}
