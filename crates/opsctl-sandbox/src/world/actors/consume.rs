//! How a consumer works on what it receives.

use std::collections::{BTreeSet, VecDeque};

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};

use super::{
    Behaviour, Calls, MESSAGES_PER_STEP_MAX,
    worker::{Came, Consumer, Worker},
};
use crate::world::{Taken, ecs, logs::Line};

/// Exit code of a program that panics (Go's; others have theirs).
const PANICS: i32 = 2;

#[derive(Debug)]
pub(super) struct Consuming {
    pub(super) consumer: Consumer,
    random: Rng,
    working: VecDeque<Working>,
    /// What is left of a message that is done.
    carried: f64,
    /// Messages that were received: which task a message falls to follows.
    received: usize,
}

#[derive(Debug)]
struct Working {
    /// When it is done; none: when its turn comes.
    done_at: Option<Timestamp>,
    /// None: its work fails.
    receipt: Option<String>,
}

/// The tasks of a consumer, as far as they are told apart.
struct Tasks {
    ids: Vec<String>,
    /// Whether each does its work; empty: all do.
    work: Vec<bool>,
    dead: BTreeSet<usize>,
}

impl Consuming {
    pub(super) fn new(consumer: Consumer, random: Rng) -> Self {
        Self { consumer, random, working: VecDeque::new(), carried: 0.0, received: 0 }
    }
}

impl Calls<'_> {
    pub(super) fn consume(&mut self, state: &mut Consuming, messages: usize) {
        let caller = self.place.caller();
        let takes = state.consumer.worker.takes(self.world, self.at, self.place);
        let mut done = self.finish(state, takes);
        let wanted = if takes { self.wanted(state, messages) } else { 0 };
        let taken = match wanted {
            0 => Vec::new(),
            wanted => self.world.take(self.at, &caller, self.queue, wanted, None).unwrap_or_default(),
        };
        let mut came = if taken.is_empty() { Came::Nothing } else { Came::Well };
        // Who has nothing to do does not connect.
        let needs = state.consumer.database.as_ref().filter(|_| !taken.is_empty());
        let is_cut_off = needs.is_some_and(|database| !self.world.database_serves(self.at, self.place, database));
        // Most seconds nothing comes, and nobody needs to know.
        let (mut tasks, may_run) = match taken.is_empty() {
            true => (Tasks::untold(), 0),
            false => (self.tasks(&state.consumer), self.may_run(&state.consumer.worker)),
        };
        let throttled = taken.len().saturating_sub(may_run);
        // Whoever reads a FIFO queue stops in a group where a message of it fails, for the sake of their order.
        let mut stuck = BTreeSet::new();
        for (index, Taken { body, receipt_handle: receipt, group, .. }) in taken.into_iter().enumerate() {
            let task = tasks.next(&mut state.received);
            let fails = match &state.consumer.behaviour {
                _ if is_cut_off || index >= may_run || !tasks.works(task) => true,
                _ if group.as_ref().is_some_and(|group| stuck.contains(group)) => true,
                Behaviour::Failing(predicate) => predicate.holds(&body, &mut state.random),
                Behaviour::Crashing(predicate) => {
                    let is_poison = predicate.holds(&body, &mut state.random);
                    if is_poison {
                        self.crash(&state.consumer.worker, &mut tasks, task);
                    }
                    is_poison
                }
                Behaviour::Healthy | Behaviour::Slow { .. } | Behaviour::Down => false,
            };
            let receipt = (!fails).then_some(receipt);
            if fails {
                came = Came::Failed;
                stuck.extend(group);
            }
            match (&state.consumer.behaviour, state.consumer.hands) {
                (Behaviour::Slow { seconds }, _) if receipt.is_some() => {
                    let work = SignedDuration::from_secs(i64::from(*seconds));
                    let done_at = self.at.saturating_add(work).unwrap_or(Timestamp::MAX);
                    state.working.push_back(Working { done_at: Some(done_at), receipt });
                }
                (Behaviour::Slow { .. } | Behaviour::Down, _) => {}
                // What fails takes its time, too.
                (Behaviour::Healthy | Behaviour::Failing(_) | Behaviour::Crashing(_), Some(_)) => {
                    state.working.push_back(Working { done_at: None, receipt });
                }
                (Behaviour::Healthy | Behaviour::Failing(_) | Behaviour::Crashing(_), None) => done.extend(receipt),
            }
        }
        for receipt in done {
            // Too late, or the queue is gone: whoever works too slowly finds its message handed out again.
            drop(self.world.finish(self.at, &caller, self.queue, &receipt));
        }
        if takes && wanted > 0 {
            state.consumer.worker.note(self.world, self.place, came);
        }
        if throttled > 0 {
            state.consumer.worker.note_throttles(self.world, self.place, self.at, throttled);
        }
    }

    /// What is done by now of what it has in hand.
    fn finish(&mut self, state: &mut Consuming, takes: bool) -> Vec<String> {
        let Consuming { consumer, working, carried, .. } = state;
        let Some(hands) = consumer.hands else {
            let mut done = Vec::new();
            while working.front().is_some_and(|work| work.done_at.is_some_and(|at| at <= self.at)) {
                done.extend(working.pop_front().and_then(|work| work.receipt));
            }
            return done;
        };
        if !takes && matches!(consumer.worker, Worker::Service { .. }) {
            // Its tasks are gone, and what they had shows again after its visibility timeout.
            working.clear();
        }
        let mut rate = hands.rate(consumer.rate_per_second, working.len());
        if let Some(database) = &consumer.database
            && let Some(limit) = self.world.strain.work(self.place, database, self.queue, working.len())
        {
            rate = rate.min(limit);
        }
        *carried = if working.is_empty() { 0.0 } else { *carried + rate };
        let count = (carried.floor() as usize).min(working.len());
        *carried = carried.fract();
        working.drain(..count).filter_map(|work| work.receipt).collect()
    }

    /// How many messages it asks for.
    fn wanted(&mut self, state: &Consuming, messages: usize) -> usize {
        let Consuming { consumer, working, .. } = state;
        if messages == 0 && consumer.hands.is_none() {
            return 0;
        }
        let at_once = self.at_once(&consumer.worker);
        match (&consumer.behaviour, consumer.hands) {
            (Behaviour::Down, _) => 0,
            (
                Behaviour::Healthy | Behaviour::Failing(_) | Behaviour::Crashing(_) | Behaviour::Slow { .. },
                Some(hands),
            ) => {
                let tasks = match &consumer.worker {
                    Worker::Service { cluster, name } => {
                        self.world.ecs.running(&self.place.account, &self.place.region, cluster, name)
                    }
                    Worker::Unseen | Worker::Mapping(_) | Worker::Schedule { .. } => 1,
                };
                let most = (hands.per_task as usize * tasks).min(at_once);
                most.saturating_sub(working.len()).min(MESSAGES_PER_STEP_MAX)
            }
            (Behaviour::Healthy | Behaviour::Failing(_) | Behaviour::Crashing(_), None) => messages.min(at_once),
            (Behaviour::Slow { .. }, None) => messages.min(MESSAGES_PER_STEP_MAX.saturating_sub(working.len())),
        }
    }

    /// Messages that a mapping has under way at once: it asks for no more than its `MaximumConcurrency` allows.
    fn at_once(&self, worker: &Worker) -> usize {
        match worker {
            Worker::Mapping(id) => self.world.lambda.messages_at_once(&self.place.account, &self.place.region, id),
            Worker::Unseen | Worker::Service { .. } | Worker::Schedule { .. } => usize::MAX,
        }
    }

    /// Messages that its function may be called for: those beyond are throttled after they were received, and show again later
    /// (Lambda developer guide, "Using Lambda with Amazon SQS").
    fn may_run(&self, worker: &Worker) -> usize {
        match worker {
            Worker::Mapping(id) => self.world.lambda.messages_let(&self.place.account, &self.place.region, id),
            Worker::Unseen | Worker::Service { .. } | Worker::Schedule { .. } => usize::MAX,
        }
    }

    fn tasks(&self, consumer: &Consumer) -> Tasks {
        let Worker::Service { cluster, name } = &consumer.worker else { return Tasks::untold() };
        let work = self.world.working_tasks(self.place, cluster, name);
        let crashes = matches!(consumer.behaviour, Behaviour::Crashing(_));
        let ids = match crashes {
            true => self.world.ecs.running_tasks(&self.service(cluster, name)),
            false => Vec::new(),
        };
        Tasks { ids: ids.into_iter().map(|(id, _)| id).collect(), work, dead: BTreeSet::new() }
    }

    fn service<'a>(&'a self, cluster: &'a str, name: &'a str) -> ecs::ServiceKey<'a> {
        ecs::ServiceKey { account: &self.place.account, region: &self.place.region, cluster, name }
    }

    /// A message kills the program that received it, which says nothing of the message.
    fn crash(&mut self, worker: &Worker, tasks: &mut Tasks, task: usize) {
        let Worker::Service { cluster, name } = worker else { return };
        let Some(id) = tasks.ids.get(task).cloned().filter(|_| tasks.dead.insert(task)) else { return };
        let now = self.at.as_millisecond();
        let service = ecs::ServiceKey { account: &self.place.account, region: &self.place.region, cluster, name };
        if let Some((group, stream)) = self.world.ecs.log_of(&service, &id) {
            let texts =
                ["panic: runtime error: invalid memory address or nil pointer dereference", "goroutine 1 [running]:"];
            let lines = texts.map(|text| Line { at: now, text: text.to_owned() });
            self.world.logs.write(&self.place.account, &self.place.region, &group, &stream, lines.into());
        }
        self.world.ecs.crash(now, &service, &id, PANICS);
    }
}

impl Tasks {
    fn untold() -> Self {
        Self { ids: Vec::new(), work: Vec::new(), dead: BTreeSet::new() }
    }

    /// The task that the next message falls to.
    fn next(&self, received: &mut usize) -> usize {
        *received = received.wrapping_add(1);
        *received % self.ids.len().max(self.work.len()).max(1)
    }

    fn works(&self, task: usize) -> bool {
        !self.dead.contains(&task) && self.work.get(task).copied().unwrap_or(true)
    }
}
