//! The pure world: services' semantics, actors, faults. No I/O, no clock of its own: every call carries the time.

pub mod actors;
pub mod autoscaling;
mod call;
mod cloudwatch;
mod coupling;
mod data_api;
#[cfg(test)]
mod drill_tests;
pub mod ecs;
mod error;
pub mod eventbridge;
mod fault;
pub mod fleet;
mod inspect;
pub mod lambda;
mod ledger;
pub mod load_balancers;
pub mod logs;
mod md5;
mod outboxes;
mod page;
mod pulse;
pub mod rds;
mod region;
pub mod secrets;
pub mod service;
pub mod sns;
mod sql;
mod sqs;
pub mod ssm;
pub mod strain;
pub mod sts;
pub mod template;
#[cfg(test)]
mod testing;
mod timeline;
#[cfg(test)]
mod timeline_tests;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use call::{Answer, Calls, Effect, End, Fate, Input, Made, Request, Witnessed};
pub use cloudwatch::{CloudWatch, KafkaGroup, Level};
pub use error::{ApiError, Place};
pub use fault::{Denial, Fault, FaultKind, Faults};
pub use inspect::{MessageView, PutMessage, QueueView, Taken};
pub use ledger::{Account, Accountable, Identity, Ledger, Went};
pub use md5::Md5Digest;
pub use sqs::{
    Counts, MESSAGE_BYTES_MAX, Totals, VISIBILITY_SECONDS_MAX, WINDOW_MILLISECONDS,
    message::{Attribute, Id, SequenceNumber, State, Value},
};
pub use timeline::{At, Change, Scheduled};

use region::Region;
use sqs::{Task, queue::Queue};

/// Everything that exists in the sandbox: accounts, regions, queues, messages.
#[derive(Debug)]
pub struct World {
    /// Time, milliseconds since 1970; never goes back.
    now: i64,
    rng: fastrand::Rng,
    /// Tells this world's receipt handles from another's.
    tag: u64,
    last_place: u64,
    pub ssm: ssm::Parameters,
    pub sts: sts::Sessions,
    pub sns: sns::Topics,
    pub actors: actors::Actors,
    cloudwatch: CloudWatch,
    pub ecs: ecs::Ecs,
    pub logs: logs::Logs,
    pub autoscaling: autoscaling::Autoscaling,
    pub rds: rds::Rds,
    pub lambda: lambda::Lambda,
    pub events: eventbridge::Events,
    pub secrets: secrets::Secrets,
    data: data_api::Transactions,
    pub load_balancers: load_balancers::LoadBalancers,
    waking: coupling::Waking,
    strain: strain::Strain,
    /// What can be set on the world as a whole.
    pub settings: WorldSettings,
    pub faults: Faults,
    pub denials: Vec<Denial>,
    calls: Calls,
    /// None: nobody keeps account of messages.
    ledger: Option<Box<Ledger>>,
    timeline: timeline::Timeline,
    /// When scaling policies are looked at next; none: there are none.
    pulse_at: Option<i64>,
    sessions: rds::Sessions,
    sql: sql::Databases,
    senders: sqs::Senders,
    /// Queues by number; none where deleted.
    queues: Vec<Option<Box<Queue>>>,
    /// By account, then region.
    regions: HashMap<Arc<str>, HashMap<Arc<str>, Region>>,
    /// Move tasks, in the order in which they were started.
    tasks: BTreeMap<u64, Task>,
    /// When which queue or task has something to do.
    due: BTreeSet<(i64, Due)>,
}

/// Who has something to do by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Queue(u32),
    Task(u64),
}

/// What can be set on a world as a whole; `[settings]` of a fleet file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorldSettings {
    /// How late `GetQueueAttributes` tells counts, seconds. AWS's settle after a minute or more.
    pub counts_lag_seconds: i64,
    /// How long after its end CloudWatch shows a minute's metrics, seconds. AWS says no figure; a minute is our assumption.
    pub metrics_lag_seconds: i64,
    pub in_flight_max: usize,
    /// Messages at the front of a FIFO queue among which it looks for groups that are free; of queues that are made later.
    pub fifo_looks_at: usize,
    /// Whether a deleted queue's name can't be used again for 60 seconds, as with AWS.
    pub names_rest_after_delete: bool,
}

impl Default for WorldSettings {
    fn default() -> Self {
        Self {
            counts_lag_seconds: 0,
            metrics_lag_seconds: 60,
            in_flight_max: 120_000,
            fifo_looks_at: 120_000,
            names_rest_after_delete: true,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub account: String,
    pub region: String,
    /// Scheme, host and port that queue URLs start with.
    pub origin: String,
}

/// Tells texts apart (FNV-1a).
fn hash(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn uuid(rng: &mut fastrand::Rng) -> String {
    let (high, low) = (rng.u64(..), rng.u64(..));
    let (a, b, c) = (high >> 32, (high >> 16) & 0xffff, high & 0xfff);
    format!("{a:08x}-{b:04x}-4{c:03x}-{:04x}-{:012x}", 0x8000 | (low >> 50), low & 0xffff_ffff_ffff)
}

impl World {
    /// An empty world. The seed decides every id and every choice.
    pub fn new(seed: u64, now: Timestamp) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        Self {
            now: now.as_millisecond(),
            tag: rng.u64(..),
            rng,
            last_place: 0,
            ssm: ssm::Parameters::default(),
            sts: sts::Sessions::default(),
            sns: sns::Topics::default(),
            actors: actors::Actors::default(),
            cloudwatch: CloudWatch::default(),
            ecs: ecs::Ecs::new(seed),
            logs: logs::Logs::default(),
            autoscaling: autoscaling::Autoscaling::default(),
            rds: rds::Rds::default(),
            lambda: lambda::Lambda::new(seed),
            events: eventbridge::Events::default(),
            secrets: secrets::Secrets::default(),
            data: data_api::Transactions::default(),
            load_balancers: load_balancers::LoadBalancers::default(),
            waking: coupling::Waking::default(),
            strain: strain::Strain::default(),
            settings: WorldSettings::default(),
            faults: Faults::default(),
            denials: Vec::new(),
            calls: Calls::default(),
            ledger: None,
            timeline: timeline::Timeline::default(),
            pulse_at: None,
            sessions: rds::Sessions::default(),
            sql: sql::Databases::new(seed),
            senders: sqs::Senders::default(),
            queues: Vec::new(),
            regions: HashMap::new(),
            tasks: BTreeMap::new(),
            due: BTreeSet::new(),
        }
    }

    /// When something happens next by itself; a waiting long poll looks again then.
    pub fn next_due(&self) -> Option<Timestamp> {
        let own = self.due.first().and_then(|(at, _)| Timestamp::from_millisecond(*at).ok());
        let planned = self.timeline.next_at().and_then(|at| Timestamp::from_millisecond(at).ok());
        own.into_iter().chain(self.actors.next_at()).chain(planned).chain(self.data.next_at()).min()
    }

    /// Lets pass what is due until `now`. Answers the time, which never goes back.
    pub fn advance(&mut self, now: Timestamp) -> i64 {
        self.beat_until(now.as_millisecond());
        if self.timeline.next_at().is_some_and(|at| at <= now.as_millisecond()) {
            self.follow_timeline(now.as_millisecond());
        }
        self.pass(now)
    }

    fn pass(&mut self, now: Timestamp) -> i64 {
        if let Some(at) = self.data.next_at().filter(|at| *at <= now) {
            // Those who wait for its lock have it from then on.
            self.run_actors(at);
            self.end_idle_transactions(at.as_millisecond());
        }
        self.run_actors(now);
        self.now = self.now.max(now.as_millisecond());
        self.observe(self.now);
        self.advance_ecs(self.now);
        self.lambda.advance(self.now);
        loop {
            let first = self.due.first().copied().filter(|(at, _)| *at <= self.now);
            // A minute ends before what happens at its end.
            if let Some(at) = self.cloudwatch.notes_before(self.now, first.map(|(at, _)| at)) {
                self.note_queues(at);
                continue;
            }
            let Some((at, due)) = first else { break };
            self.due.pop_first();
            match due {
                Due::Task(number) => self.advance_task(number, at),
                Due::Queue(number) => {
                    if let Some(queue) = self.queues[number as usize].as_deref_mut() {
                        queue.listed_due = None;
                        queue.advance(at);
                        self.settle_at(number, at);
                    }
                }
            }
        }
        self.now
    }

    /// Lets pass what is due in ECS until `now`.
    fn advance_ecs(&mut self, now: i64) {
        let Self { ecs, logs, rds, secrets, ssm, denials, .. } = self;
        ecs.advance(now, &mut ecs::Outside { logs, rds, secrets, ssm, denials });
    }

    /// The next place in the order of everything that is enqueued.
    fn next_place(&mut self) -> u64 {
        self.last_place += 1;
        self.last_place
    }

    /// Notes a queue's counts, and when it has something to do next. Called after every change of the queue.
    fn settle(&mut self, number: u32) {
        self.settle_at(number, self.now);
    }

    fn settle_at(&mut self, number: u32, now: i64) {
        let lag = self.settings.counts_lag_seconds * 1_000;
        let Some(queue) = self.queues[number as usize].as_deref_mut() else { return };
        queue.note_counts(now, lag);
        if let Some(ledger) = &mut self.ledger {
            ledger.enter(queue);
        }
        let next = queue.next_due();
        if next != queue.listed_due {
            self.list_due(number, next);
        }
        self.list_for_note(number, now);
    }

    fn list_due(&mut self, number: u32, next: Option<i64>) {
        let Some(queue) = self.queues[number as usize].as_deref_mut() else { return };
        if let Some(listed) = queue.listed_due {
            self.due.remove(&(listed, Due::Queue(number)));
        }
        queue.listed_due = next;
        if let Some(next) = next {
            self.due.insert((next, Due::Queue(number)));
        }
    }

    fn region(&self, account: &str, region: &str) -> Option<&Region> {
        self.regions.get(account)?.get(region)
    }

    fn region_mut(&mut self, account: &str, region: &str) -> &mut Region {
        self.regions.entry(account.into()).or_default().entry(region.into()).or_default()
    }

    fn find(&self, account: &str, region: &str, name: &str) -> Option<u32> {
        self.region(account, region)?.queues.get(name).copied()
    }

    fn find_arn(&self, arn: &str) -> Option<u32> {
        let mut parts = arn.strip_prefix("arn:aws:sqs:")?.split(':');
        let (region, account, name) = (parts.next()?, parts.next()?, parts.next()?);
        self.find(account, region, name)
    }

    fn queue(&self, number: u32) -> &Queue {
        self.queues[number as usize].as_deref().expect("numbers come from regions, which name queues that exist only")
    }

    fn queue_mut(&mut self, number: u32) -> &mut Queue {
        self.queues[number as usize]
            .as_deref_mut()
            .expect("numbers come from regions, which name queues that exist only")
    }
}
