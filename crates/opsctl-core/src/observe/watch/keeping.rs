//! Keeps the last state on disk: now and then, and at the end.

use std::{path::PathBuf, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::{
    domain::Environment,
    observe::{
        cache::{self, Cached},
        parts::Estate,
        snapshot::{Snapshot, Source},
    },
};

const WRITE_EVERY: Duration = Duration::from_secs(30);

/// The state to be written, and the write under way.
#[derive(Debug)]
pub(super) struct Keeping {
    folder: PathBuf,
    unwritten: Option<(Arc<Environment>, Arc<Snapshot>)>,
    written_at: Duration,
    writing: Option<JoinHandle<()>>,
}

impl Keeping {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, unwritten: None, written_at: Duration::ZERO, writing: None }
    }

    /// What an earlier session saw of queues, and beside them.
    pub(super) async fn load(
        &self,
        environment: &Arc<Environment>,
        now: Timestamp,
    ) -> (Option<Cached>, Option<Estate>) {
        let (folder, environment) = (self.folder.clone(), Arc::clone(environment));
        let load = move || (cache::load(&folder, &environment, now), cache::estate::load(&folder, &environment, now));
        spawn_blocking(load).await.unwrap_or_default()
    }

    pub(super) fn note(&mut self, environment: &Arc<Environment>, snapshot: &Arc<Snapshot>) {
        if is_listed(snapshot) || is_something(&snapshot.estate) {
            self.unwritten = Some((Arc::clone(environment), Arc::clone(snapshot)));
        }
    }

    /// Writes if there is something and it is time; else when it will be.
    pub(super) fn write(&mut self, now: Duration) -> Option<Duration> {
        self.unwritten.as_ref()?;
        let due = self.written_at + WRITE_EVERY;
        let is_writing = self.writing.as_ref().is_some_and(|writing| !writing.is_finished());
        if now < due {
            return Some(due);
        }
        if is_writing {
            return Some(now + WRITE_EVERY);
        }
        self.written_at = now;
        self.writing = self.begin();
        None
    }

    fn begin(&mut self) -> Option<JoinHandle<()>> {
        let (environment, snapshot) = self.unwritten.take()?;
        let folder = self.folder.clone();
        Some(spawn_blocking(move || {
            let queues = match snapshot.listing.at.filter(|_| is_listed(&snapshot)) {
                Some(listed_at) => cache::store(&folder, &environment, listed_at, &snapshot.queues),
                None => Ok(()),
            };
            let estate = match is_something(&snapshot.estate) {
                true => cache::estate::store(&folder, &environment, &snapshot.estate),
                false => Ok(()),
            };
            for error in [queues, estate].into_iter().filter_map(Result::err) {
                tracing::debug!(environment = %environment.name, %error, "the last state is not kept");
            }
        }))
    }

    pub(super) async fn end(mut self) {
        for writing in [self.writing.take(), self.begin()].into_iter().flatten() {
            // A write that panicked has left the last file as it was.
            drop(writing.await);
        }
    }
}

/// Whether AWS told the queues.
fn is_listed(snapshot: &Snapshot) -> bool {
    snapshot.source == Source::Live && snapshot.listing.at.is_some()
}

fn is_something(estate: &Estate) -> bool {
    estate.known().any(|(_, part)| part.at.is_some())
}
