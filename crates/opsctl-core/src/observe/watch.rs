//! [`Watch`]: keeps the snapshots of several environments fresh, each by a task of its own.

use std::{collections::HashMap, fmt, future::Future, path::PathBuf, pin::Pin, sync::Arc};

use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use self::keeper::Keeper;
use super::{
    focus::{Focus, Shown},
    schedule::{Policy, Shares},
    snapshot::Snapshot,
};
use crate::{
    clock::Clock,
    cloud::{Cloud, CloudError},
    domain::{AccountId, Environment, EnvironmentName},
    journal::StateFolder,
};

mod keeper;
mod keeping;
pub(super) mod questions;

/// Makes an environment's clients. Asked again whenever its credentials turn out not to work, so that it must read them anew.
pub type Open = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<Cloud, CloudError>> + Send>> + Send + Sync>;

/// Told each new snapshot, by the environment's task: must not block.
pub type Tell = Arc<dyn Fn(Arc<Snapshot>) + Send + Sync>;

#[derive(Clone)]
pub struct Site {
    /// As far as it is known without asking AWS; what the clients say of it later counts.
    pub environment: Arc<Environment>,
    pub open: Open,
    /// Folder in which its last state is kept; none: it is not kept.
    pub cache: Option<PathBuf>,
    /// Where opsctl's own runs are recorded; none: nobody can tell that a run of somebody else's empties a DLQ.
    pub runs: Option<StateFolder>,
}

impl Site {
    pub fn new<F, Opening>(environment: Arc<Environment>, open: F) -> Self
    where
        F: Fn() -> Opening + Send + Sync + 'static,
        Opening: Future<Output = Result<Cloud, CloudError>> + Send + 'static,
    {
        Self { environment, open: Arc::new(move || Box::pin(open())), cache: None, runs: None }
    }

    /// The same with its last state kept in a folder, which is made when it is not there. AWS and sandbox want different ones.
    pub fn cached_in(self, folder: impl Into<PathBuf>) -> Self {
        Self { cache: Some(folder.into()), ..self }
    }

    /// The same, knowing which runs are opsctl's own.
    pub fn recorded_in(self, runs: StateFolder) -> Self {
        Self { runs: Some(runs), ..self }
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Site").field("environment", &self.environment.name).finish_non_exhaustive()
    }
}

/// Keeps snapshots fresh until it is dropped or stopped.
#[derive(Debug)]
pub struct Watch {
    sites: HashMap<EnvironmentName, Handle>,
    cancel: CancellationToken,
}

#[derive(Debug)]
struct Handle {
    focus: watch::Sender<Arc<Shown>>,
    refresh: Arc<Notify>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Ear {
    focus: watch::Receiver<Arc<Shown>>,
    refresh: Arc<Notify>,
    cancel: CancellationToken,
}

impl Watch {
    /// Starts a task for each environment. `tell` is given its first snapshot at once (nothing known, or what the cache has),
    /// then a new one when something changed, at most about ten a second for an environment.
    ///
    /// Needs a tokio runtime. Time is `clock`'s.
    pub fn start(
        sites: Vec<Site>,
        clock: Clock,
        policy: &Policy,
        tell: impl Fn(Arc<Snapshot>) + Send + Sync + 'static,
    ) -> Self {
        let tell: Tell = Arc::new(tell);
        let cancel = CancellationToken::new();
        // Environments in the same place share its throttles.
        let mut shares: HashMap<(Option<AccountId>, String), Arc<Shares>> = HashMap::new();
        let begin = |site: Site| {
            let name = site.environment.name.clone();
            let place = (site.environment.account.clone(), site.environment.region.clone());
            let shares = Arc::clone(shares.entry(place).or_default());
            let (focus, focused) = watch::channel(Arc::default());
            let refresh = Arc::new(Notify::new());
            let ear = Ear { focus: focused, refresh: Arc::clone(&refresh), cancel: cancel.clone() };
            let keeper = Keeper::new(site, clock, policy.clone(), shares, Arc::clone(&tell));
            (name, Handle { focus, refresh, task: tokio::spawn(keeper.run(ear)) })
        };
        Self { sites: sites.into_iter().map(begin).collect(), cancel }
    }

    /// What is on the screen now, in place of what was before: it is looked at the most often. Names of environments that are not
    /// watched count for nothing. Cheap: may be called with every frame.
    pub fn focus(&self, focus: &Focus) {
        for (name, handle) in &self.sites {
            handle.focus.send_if_modified(|now| match focus.of(name, now) {
                Some(shown) => {
                    *now = Arc::new(shown);
                    true
                }
                None => false,
            });
        }
    }

    /// Looks at everything now, as far as the budget admits; probes environments that are not reached.
    pub fn refresh(&self) {
        self.sites.values().for_each(|handle| handle.refresh.notify_one());
    }

    pub fn refresh_one(&self, environment: &EnvironmentName) {
        if let Some(handle) = self.sites.get(environment) {
            handle.refresh.notify_one();
        }
    }

    /// Stops, and waits until the last state is on disk.
    pub async fn stop(mut self) {
        self.cancel.cancel();
        for (_, handle) in self.sites.drain() {
            // A task that panicked has nothing left to write.
            drop(handle.task.await);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}
