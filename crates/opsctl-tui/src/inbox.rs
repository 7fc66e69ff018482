//! [`Inbox`]: what comes faster than anybody looks. Of each thing only the latest waits, however long nobody comes.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Notify, mpsc::Sender};

use crate::{
    domain::EnvironmentName,
    observe::Snapshot,
    run::Progress,
    state::{Event, Ticket, runbook::Heard},
};

/// Lines of news and of logs that wait at most, of each run.
const TOLD_MAX: usize = 2_000;

#[derive(Default)]
pub(super) struct Inbox {
    latest: Mutex<Latest>,
    news: Notify,
}

#[derive(Default)]
struct Latest {
    seen: HashMap<EnvironmentName, Arc<Snapshot>>,
    progress: HashMap<Ticket, Box<Progress>>,
    heard: HashMap<Ticket, Box<Heard>>,
}

impl Inbox {
    /// An environment was seen; never blocks.
    pub(super) fn observed(&self, snapshot: Arc<Snapshot>) {
        self.lock().seen.insert(snapshot.environment.clone(), snapshot);
        self.news.notify_one();
    }

    /// A run got on; never blocks. What each progress tells once waits until it is taken.
    pub(super) fn progress(&self, ticket: Ticket, progress: &Progress) {
        let mut latest = Box::new(progress.clone());
        let mut inbox = self.lock();
        if let Some(earlier) = inbox.progress.remove(&ticket) {
            latest.news = joined(earlier.news, std::mem::take(&mut latest.news));
            latest.log = joined(earlier.log, std::mem::take(&mut latest.log));
        }
        inbox.progress.insert(ticket, latest);
        drop(inbox);
        self.news.notify_one();
    }

    /// A run of a runbook got on; never blocks.
    pub(super) fn heard(&self, ticket: Ticket, change: impl FnOnce(&mut Heard)) {
        change(self.lock().heard.entry(ticket).or_default());
        self.news.notify_one();
    }

    /// A run has ended: how far it was interests nobody any more.
    pub(super) fn forget(&self, ticket: Ticket) {
        let mut inbox = self.lock();
        inbox.progress.remove(&ticket);
        inbox.heard.remove(&ticket);
    }

    /// Hands over what waits, as fast as it is taken, until nobody takes it any more.
    pub(super) async fn forward(self: Arc<Self>, events: Sender<Event>) {
        loop {
            tokio::select! {
                () = self.news.notified() => {}
                () = events.closed() => return,
            }
            for event in self.take() {
                if events.send(event).await.is_err() {
                    return;
                }
            }
        }
    }

    fn take(&self) -> Vec<Event> {
        let Latest { seen, progress, heard } = std::mem::take(&mut *self.lock());
        let seen = seen.into_values().map(Event::Observed);
        let progress = progress.into_iter().map(|(ticket, progress)| Event::Progress(ticket, progress));
        let heard = heard.into_iter().map(|(ticket, heard)| Event::RunbookHeard(ticket, heard));
        seen.chain(progress).chain(heard).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Latest> {
        // Whoever panicked left whole values behind.
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One after the other, the newest [`TOLD_MAX`] of them.
fn joined<T>(mut earlier: Vec<T>, later: Vec<T>) -> Vec<T> {
    earlier.extend(later);
    let excess = earlier.len().saturating_sub(TOLD_MAX);
    earlier.drain(..excess);
    earlier
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::{Listing, Source, Spend};

    fn snapshot(number: u64) -> Arc<Snapshot> {
        Arc::new(Snapshot {
            environment: EnvironmentName("dev".to_owned()),
            number,
            source: Source::Live,
            listing: Listing::default(),
            queues: Arc::from([]),
            estate: crate::observe::Estate::default(),
            metrics_error: None,
            spend: Spend::default(),
        })
    }

    #[tokio::test]
    async fn of_many_only_the_latest_waits() {
        let inbox = Arc::new(Inbox::default());
        (1..=10_000).for_each(|number| inbox.observed(snapshot(number)));
        let (sender, mut events) = tokio::sync::mpsc::channel(1);
        let forwarding = tokio::spawn(Arc::clone(&inbox).forward(sender));
        let Some(Event::Observed(latest)) = events.recv().await else { panic!("a snapshot") };
        assert_eq!(latest.number, 10_000);
        assert!(inbox.take().is_empty());
        drop(events);
        forwarding.await.expect("it ends when nobody listens");
    }
}
