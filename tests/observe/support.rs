//! Worlds to watch, and a watch whose snapshots can be waited for.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use opsctl::{
    clock::Clock,
    cloud::Connect,
    domain::{AccountId, CredentialSource, Environment, EnvironmentName, Protection, QueueName},
    journal::StateFolder,
    observe::{Focus, Policy, Seen, Site, Snapshot, Watch},
    sandbox::{
        Options, Sandbox,
        world::{Caller, Denial, Fault, FaultKind, PutMessage, World},
    },
};
use tokio::sync::Notify;

use crate::support::stage;

/// An account with queues, and the way to it.
pub(super) struct Place {
    pub(super) sandbox: Sandbox,
    pub(super) environment: Environment,
    pub(super) opened: Opened,
    pub(super) cache: Option<PathBuf>,
    pub(super) runs: Option<StateFolder>,
}

/// How often clients were made.
#[derive(Clone, Default)]
pub(super) struct Opened(Arc<AtomicUsize>);

impl Opened {
    pub(super) fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

pub(super) fn clock() -> Clock {
    Clock::virtual_from("2026-11-21T03:00:00Z".parse().expect("a time"), 1.0)
}

impl Place {
    /// An empty account that answers after `latency`.
    pub(super) fn new(name: &str, clock: Clock, latency: Duration) -> Self {
        let options = Options { latency, ..Options::default() };
        let sandbox = Sandbox::new(World::new(7, clock.now()), clock, options);
        let environment =
            Environment { name: EnvironmentName(name.to_owned()), ..stage::environment(Protection::Confirm) };
        Self { sandbox, environment, opened: Opened::default(), cache: None, runs: None }
    }

    /// With these queues; `a>b` is a queue `a` whose dead letters go to `b`, which is made first.
    pub(super) fn queues<'a>(self, names: impl IntoIterator<Item = &'a str>) -> Self {
        for name in names {
            self.create(name);
        }
        self
    }

    pub(super) fn cached_in(self, folder: &Path) -> Self {
        Self { cache: Some(folder.to_owned()), ..self }
    }

    pub(super) fn recorded_in(self, folder: &Path) -> Self {
        Self { runs: Some(StateFolder::new(folder)), ..self }
    }

    pub(super) fn opened(&self) -> Opened {
        self.opened.clone()
    }

    pub(super) fn tag(&self, queue: &str, key: &str, value: &str) {
        self.sandbox.with(|world, _| world.tag(&stage::caller(), queue, key, value)).expect("tagged");
    }

    pub(super) fn create(&self, name: &str) {
        let (name, dead_letter) = name.split_once('>').map_or((name, None), |(name, dead)| (name, Some(dead)));
        self.sandbox.with(|world, now| {
            let mut attributes = Vec::new();
            let policy;
            if let Some(dead) = dead_letter {
                world.create(now, &stage::caller(), dead, &[]).expect("a DLQ");
                policy = format!(r#"{{"deadLetterTargetArn":"{}","maxReceiveCount":3}}"#, stage::arn(dead));
                attributes.push(("RedrivePolicy", policy.as_str()));
            }
            world.create(now, &stage::caller(), name, &attributes).expect("a queue");
        });
    }

    pub(super) fn delete(&self, name: &str) {
        let url = format!("{}/{}/{name}", stage::caller().origin, stage::ACCOUNT);
        let request = serde_json::json!({ "QueueUrl": url });
        let deleted = self.sandbox.with(|world, now| world.ask(now, &stage::caller(), ("sqs", "DeleteQueue"), request));
        deleted.expect("deleted");
    }

    pub(super) fn put(&self, queue: &str, messages: usize) {
        self.sandbox.with(|world, now| {
            for _ in 0..messages {
                world.put(now, &stage::caller(), queue, PutMessage::new("{}")).expect("a message");
            }
        });
    }

    /// From now on, until [`Place::heal`].
    pub(super) fn fault(&self, call: &str, queue: Option<&str>, kind: FaultKind) {
        let (call, queue) = (call.to_owned(), queue.map(str::to_owned));
        self.sandbox.with(|world, _| world.faults.add(Fault { call, queue, nth: 1, times: u64::MAX, kind }));
    }

    pub(super) fn deny(&self, queue: &str, action: &str) {
        let denial = Denial { account: "*".to_owned(), queue: queue.to_owned(), action: action.to_owned() };
        self.sandbox.with(|world, _| world.denials.push(denial));
    }

    pub(super) fn heal(&self) {
        self.sandbox.with(|world, _| {
            world.faults.clear();
            world.denials.clear();
        });
    }

    pub(super) fn site(&self) -> Site {
        let connect = Connect::through(self.sandbox.clock(), self.sandbox.http_client())
            .dialing(opsctl::cloud::Dial::Through(self.sandbox.answerer()));
        let environment = Arc::new(self.environment.clone());
        let opened = Arc::clone(&environment);
        let count = self.opened.clone();
        let site = Site::new(environment, move || {
            count.0.fetch_add(1, Ordering::SeqCst);
            let (connect, environment) = (connect.clone(), Arc::clone(&opened));
            async move { connect.cloud(environment).await }
        });
        Site { cache: self.cache.clone(), runs: self.runs.clone(), ..site }
    }
}

/// The snapshots that a watch told.
#[derive(Default)]
pub(super) struct Told {
    all: Mutex<Vec<Arc<Snapshot>>>,
    more: Notify,
}

impl Told {
    pub(super) fn len(&self) -> usize {
        self.all.lock().expect("not poisoned").len()
    }
}

/// A watch and what it tells.
pub(super) struct Watched {
    pub(super) watch: Watch,
    pub(super) told: Arc<Told>,
    pub(super) clock: Clock,
}

impl Watched {
    pub(super) fn start(clock: Clock, places: &[&Place]) -> Self {
        Self::with(clock, places, &Policy::default())
    }

    pub(super) fn with(clock: Clock, places: &[&Place], policy: &Policy) -> Self {
        let told = Arc::new(Told::default());
        let teller = Arc::clone(&told);
        let sites = places.iter().map(|place| place.site()).collect();
        let watch = Watch::start(sites, clock, policy, move |snapshot| {
            teller.all.lock().expect("not poisoned").push(snapshot);
            teller.more.notify_waiters();
        });
        Self { watch, told, clock }
    }

    /// The newest snapshot of an environment.
    pub(super) fn newest(&self, environment: &str) -> Option<Arc<Snapshot>> {
        let all = self.told.all.lock().expect("not poisoned");
        all.iter().rev().find(|snapshot| snapshot.environment.0 == environment).cloned()
    }

    pub(super) fn count(&self) -> usize {
        self.told.len()
    }

    /// Waits for a newest snapshot that is so, ten minutes of virtual time at most; answers it and how long that took.
    pub(super) async fn until(
        &self,
        environment: &str,
        what: &str,
        is_so: impl Fn(&Snapshot) -> bool,
    ) -> (Arc<Snapshot>, Duration) {
        let started = self.clock.now();
        let wait = async {
            loop {
                let more = self.told.more.notified();
                if let Some(snapshot) = self.newest(environment).filter(|snapshot| is_so(snapshot)) {
                    return snapshot;
                }
                more.await;
            }
        };
        match tokio::time::timeout(Duration::from_secs(600), wait).await {
            Ok(snapshot) => {
                let passed = self.clock.now().duration_since(started);
                (snapshot, Duration::try_from(passed).expect("forward"))
            }
            Err(_) => panic!("never: {what}; last {:#?}", self.newest(environment)),
        }
    }
}

pub(super) fn seen<'a>(snapshot: &'a Snapshot, name: &str) -> &'a Seen {
    snapshot.queues.iter().find(|seen| seen.name.as_str() == name).unwrap_or_else(|| panic!("no queue {name}"))
}

pub(super) fn is_complete(snapshot: &Snapshot) -> bool {
    snapshot.listing.at.is_some() && snapshot.listing.unseen == 0
}

pub(super) fn names(snapshot: &Snapshot) -> Vec<&str> {
    snapshot.queues.iter().map(|seen| seen.name.as_str()).collect()
}

/// What the focus is made of.
pub(super) fn rows(environment: &str, names: &[&str]) -> Focus {
    let queues = names.iter().map(|name| (EnvironmentName(environment.to_owned()), QueueName((*name).to_owned())));
    Focus { queues: queues.collect(), ..Focus::default() }
}

/// Another account for the same environment.
pub(super) fn other_account(place: &mut Place) {
    let other = "222222222222";
    place.environment.credentials =
        CredentialSource::Keys { access_key: other.to_owned(), secret_key: "sandbox".to_owned() };
    assert_ne!(place.environment.account, Some(AccountId(other.to_owned())));
    let caller = Caller { account: other.to_owned(), ..stage::caller() };
    place.sandbox.with(|world, now| world.create(now, &caller, "theirs", &[]).map(drop)).expect("a queue");
}
