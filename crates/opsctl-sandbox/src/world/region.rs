//! [`Region`]: the queues of one account in one region, by name.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

#[derive(Debug, Default)]
pub(super) struct Region {
    /// Numbers of queues, by name.
    pub(super) queues: BTreeMap<Arc<str>, u32>,
    /// Of each dead-letter queue's name, the queues whose redrive policy names it.
    pub(super) sources: BTreeMap<Arc<str>, BTreeSet<Arc<str>>>,
    /// When queues were deleted, in the last minute.
    pub(super) deleted_at: HashMap<Arc<str>, i64>,
}

impl Region {
    /// Notes which dead-letter queue a queue's redrive policy names now.
    pub(super) fn link(&mut self, source: &Arc<str>, dead_letter: Option<&str>) {
        self.sources.retain(|_, sources| {
            sources.remove(source);
            !sources.is_empty()
        });
        if let Some(name) = dead_letter {
            self.sources.entry(name.into()).or_default().insert(Arc::clone(source));
        }
    }
}
