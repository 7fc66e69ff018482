//! Producers and consumers of queues, services and relays of outboxes: the world's own programs. They live by its clock and take and delete as any
//! program does, so receive counts, timeouts and dead letters come about in the usual way.

mod consume;
mod worker;

use std::sync::Arc;

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::{
    PutMessage, World,
    fleet::MessageTemplate,
    outboxes::{self, Relay},
    template::Place,
};
use consume::Consuming;
pub use worker::{Consumer, Worker};

use crate::domain::environment::glob;

/// Most steps in one go; what would be more is skipped, as if the actors had paused.
const STEPS_MAX: usize = 20_000;
/// Most messages that an actor handles in one step.
const MESSAGES_PER_STEP_MAX: usize = 1_000;

#[derive(Debug, Default)]
pub struct Actors {
    actors: Vec<Actor>,
}

#[derive(Debug)]
struct Actor {
    place: Place,
    queue: String,
    next_at: Timestamp,
    period: SignedDuration,
    /// Messages that a step handles; what is left of a whole one is carried over.
    per_step: f64,
    carried: f64,
    role: Role,
}

#[derive(Debug)]
enum Role {
    Producer {
        template: Arc<MessageTemplate>,
        random: Rng,
        count: u64,
    },
    Consumer(Box<Consuming>),
    Caller {
        worker: Worker,
        database: String,
    },
    /// A database, whose tables tasks read and alter.
    Tables {
        database: String,
    },
    Writer {
        outbox: outboxes::Shared,
        random: Rng,
        count: u64,
    },
    Relay {
        relay: Relay,
        random: Rng,
    },
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Behaviour {
    /// Deletes what it receives at once, or once it has worked on it.
    #[default]
    Healthy,
    /// Fails on some messages: they show again after their visibility timeout, and end in the dead-letter queue.
    Failing(Predicate),
    /// Some messages kill the task that receives them, and with it all that it received besides; a program that is no task fails.
    Crashing(Predicate),
    /// Deletes each message so long after it received it.
    Slow {
        seconds: u32,
    },
    Down,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Predicate {
    /// Those whose body holds this text.
    BodyContains(String),
    /// Each receive with this probability, 0 to 1.
    Chance(f64),
}

impl Actors {
    /// Adds a producer that sends `rate_per_second` messages to a queue, the first one a period from now.
    pub fn add_producer(
        &mut self,
        now: Timestamp,
        place: Place,
        queue: &str,
        template: Arc<MessageTemplate>,
        rate_per_second: f64,
    ) {
        let random = self.random(queue);
        self.push(now, place, queue, rate_per_second, Role::Producer { template, random, count: 1 });
    }

    pub fn add(&mut self, now: Timestamp, place: Place, queue: &str, consumer: Consumer) {
        let random = self.random(queue);
        // One that has messages in hand looks at them every second.
        let least = if consumer.hands.is_some() { 1.0 } else { 0.0 };
        let rate_per_second = consumer.rate_per_second.max(least);
        self.push(now, place, queue, rate_per_second, Role::Consumer(Box::new(Consuming::new(consumer, random))));
    }

    /// Adds a service that works on a database for as long as any of its tasks runs: so it keeps that awake.
    pub fn add_caller(&mut self, now: Timestamp, place: Place, worker: Worker, database: &str) {
        self.push(now, place, "", 1.0, Role::Caller { worker, database: database.to_owned() });
    }

    /// Adds a database whose tables tasks read and alter.
    pub fn add_tables(&mut self, now: Timestamp, place: Place, database: &str) {
        self.push(now, place, "", 1.0, Role::Tables { database: database.to_owned() });
    }

    /// Adds an outbox's service, which writes `rate_per_second` events, and its relay.
    pub(super) fn add_outbox(
        &mut self,
        now: Timestamp,
        outbox: &outboxes::Shared,
        behaviour: Behaviour,
        rate_per_second: f64,
    ) {
        let (name, place) = (outbox.name(), &outbox.place);
        let random = || Rng::with_seed(outbox.seed);
        if rate_per_second > 0.0 {
            let role = Role::Writer { outbox: outbox.clone(), random: random(), count: 1 };
            self.push(now, place.clone(), &name, rate_per_second, role);
        }
        let role = Role::Relay { relay: Relay::new(outbox.clone(), behaviour), random: random() };
        self.push(now, place.clone(), &name, 1.0 / f64::from(outbox.period_seconds.max(1)), role);
    }

    /// Changes how the consumers of queues and the relays of outboxes work (globs); answers how many there are.
    pub fn set_behaviour(&mut self, account: &str, queue: &str, new: &Behaviour) -> usize {
        let mut changed = 0;
        for actor in self.actors.iter_mut().filter(|actor| actor.is_meant(account, queue)) {
            let behaviour = match &mut actor.role {
                Role::Consumer(consuming) => &mut consuming.consumer.behaviour,
                Role::Relay { relay, .. } => &mut relay.behaviour,
                Role::Producer { .. } | Role::Caller { .. } | Role::Tables { .. } | Role::Writer { .. } => continue,
            };
            behaviour.clone_from(new);
            changed += 1;
        }
        changed
    }

    /// Lets the producers of queues and the services of outboxes (globs) send at another rate, from a period after `now` on; 0: they send nothing.
    pub(super) fn set_rate(&mut self, now: Timestamp, account: &str, queue: &str, rate_per_second: f64) {
        let producers = self.actors.iter_mut().filter(|actor| actor.is_meant(account, queue));
        for actor in producers.filter(|actor| matches!(actor.role, Role::Producer { .. } | Role::Writer { .. })) {
            (actor.period, actor.per_step) = pace(rate_per_second);
            actor.next_at = now.saturating_add(actor.period).unwrap_or(Timestamp::MAX);
            if rate_per_second <= 0.0 {
                (actor.next_at, actor.carried) = (Timestamp::MAX, 0.0);
            }
        }
    }

    /// Whether there is a consumer of such queues, or else a producer.
    pub(super) fn works_on(&self, account: &str, queue: &str, consumes: bool) -> bool {
        self.actors.iter().filter(|actor| actor.is_meant(account, queue)).any(|actor| match actor.role {
            Role::Consumer(_) | Role::Relay { .. } => consumes,
            Role::Producer { .. } | Role::Writer { .. } => !consumes,
            Role::Caller { .. } | Role::Tables { .. } => false,
        })
    }

    pub fn next_at(&self) -> Option<Timestamp> {
        self.actors.iter().map(|actor| actor.next_at).min()
    }

    /// Queues with their consumers' behaviour: account, queue, behaviour.
    pub fn consumers(&self) -> impl Iterator<Item = (&str, &str, &Behaviour)> {
        self.actors.iter().filter_map(|actor| match &actor.role {
            Role::Consumer(consuming) => {
                Some((actor.place.account.as_str(), actor.queue.as_str(), &consuming.consumer.behaviour))
            }
            Role::Producer { .. }
            | Role::Caller { .. }
            | Role::Tables { .. }
            | Role::Writer { .. }
            | Role::Relay { .. } => None,
        })
    }

    fn push(&mut self, now: Timestamp, place: Place, queue: &str, rate_per_second: f64, role: Role) {
        let (period, per_step) = pace(rate_per_second);
        let next_at = now.saturating_add(period).unwrap_or(Timestamp::MAX);
        self.actors.push(Actor { place, queue: queue.to_owned(), next_at, period, per_step, carried: 0.0, role });
    }

    /// Choices of an actor's own: adding one leaves the others' as they were.
    fn random(&self, queue: &str) -> Rng {
        let seed =
            queue.bytes().fold(self.actors.len() as u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        Rng::with_seed(seed)
    }
}

/// Time between an actor's steps, and messages of a step.
fn pace(rate_per_second: f64) -> (SignedDuration, f64) {
    let rate = rate_per_second.clamp(0.000_1, MESSAGES_PER_STEP_MAX as f64);
    let period_seconds = (1.0 / rate).max(1.0);
    let period = SignedDuration::try_from_secs_f64(period_seconds).unwrap_or(SignedDuration::from_secs(1));
    (period, rate * period_seconds)
}

impl World {
    /// Lets the actors do what they do until `now`, each at its time.
    pub(super) fn run_actors(&mut self, now: Timestamp) {
        for _ in 0..STEPS_MAX {
            let Some(at) = self.actors.next_at().filter(|at| *at <= now) else { return };
            // Taken out, so that they can call the world that they live in.
            let mut actors = std::mem::take(&mut self.actors);
            for actor in actors.actors.iter_mut().filter(|actor| actor.next_at <= at) {
                actor.step(self, at);
            }
            self.actors = actors;
        }
        for actor in &mut self.actors.actors {
            actor.next_at = actor.next_at.max(now);
        }
    }
}

impl Actor {
    fn is_meant(&self, account: &str, queue: &str) -> bool {
        glob(account, &self.place.account) && glob(queue, &self.queue)
    }

    fn step(&mut self, world: &mut World, at: Timestamp) {
        self.next_at = at.saturating_add(self.period).unwrap_or(Timestamp::MAX);
        self.carried += self.per_step;
        let messages = (self.carried.floor() as usize).min(MESSAGES_PER_STEP_MAX);
        self.carried = self.carried.fract();
        let mut calls = Calls { world, at, place: &self.place, queue: &self.queue };
        match &mut self.role {
            Role::Producer { template, random, count } => calls.produce(template, random, count, messages),
            Role::Consumer(consuming) => calls.consume(consuming, messages),
            Role::Caller { worker, database } => {
                let works = worker.takes(calls.world, at, calls.place);
                let serves = works && calls.world.database_serves(at, calls.place, database);
                if let Worker::Service { cluster, name } = worker {
                    calls.world.hold_pool(at, calls.place, (cluster, name), serves);
                }
            }
            Role::Tables { database } => calls.world.tend_tables(at, calls.place, database),
            Role::Writer { outbox, random, count } => world.write_events(at, outbox, random, count, messages),
            Role::Relay { relay, random } => relay.run(world, at, random),
        }
    }
}

/// An actor's view of the world, at one moment.
struct Calls<'a> {
    world: &'a mut World,
    at: Timestamp,
    place: &'a Place,
    queue: &'a str,
}

impl Calls<'_> {
    fn produce(&mut self, template: &MessageTemplate, random: &mut Rng, count: &mut u64, messages: usize) {
        let caller = self.place.caller();
        let is_fifo = self.queue.ends_with(".fifo");
        for _ in 0..messages {
            let message = template.write(random, *count, self.at, self.place);
            let group = message.group.filter(|_| is_fifo);
            let deduplication_id = message.deduplication_id.filter(|_| is_fifo);
            let message = PutMessage { group, deduplication_id, ..message };
            *count += 1;
            // A queue that is gone takes nothing: the program goes on, as programs do.
            drop(self.world.put(self.at, &caller, self.queue, message));
        }
    }
}

impl Predicate {
    pub(super) fn holds(&self, body: &str, random: &mut Rng) -> bool {
        match self {
            Self::BodyContains(text) => body.contains(text),
            Self::Chance(chance) => random.f64() < *chance,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Counts;

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    fn place() -> Place {
        Place { environment: "dev".into(), account: "111111111111".into(), region: "af-south-1".into() }
    }

    fn after(seconds: i64) -> Timestamp {
        START + SignedDuration::from_secs(seconds)
    }

    /// A queue with a dead-letter queue after three receives, and a producer of two messages a second.
    fn world(consumer: Behaviour) -> World {
        let mut world = World::new(7, START);
        let caller = place().caller();
        world.create(START, &caller, "orders-dlq", &[]).expect("created");
        let policy = r#"{"deadLetterTargetArn":"arn:aws:sqs:af-south-1:111111111111:orders-dlq","maxReceiveCount":3}"#;
        let attributes = [("RedrivePolicy", policy), ("VisibilityTimeout", "10")];
        world.create(START, &caller, "orders", &attributes).expect("created");
        let body = super::super::template::Template::parse("{\"n\":${n}}", &[]).expect("a template");
        let template =
            MessageTemplate { variables: vec![], body, attributes: vec![], group: None, deduplication: None };
        world.actors.add_producer(START, place(), "orders", Arc::new(template), 2.0);
        let consumer = Consumer { behaviour: consumer, rate_per_second: 10.0, ..Consumer::default() };
        world.actors.add(START, place(), "orders", consumer);
        world
    }

    fn counts(world: &World, queue: &str) -> Counts {
        world.queue_view("111111111111", "af-south-1", queue).expect("there").counts
    }

    #[test]
    fn a_healthy_consumer_leaves_nothing() {
        let mut world = world(Behaviour::Healthy);
        world.advance(after(100));
        assert_eq!(world.queue_view("111111111111", "af-south-1", "orders").expect("there").totals.deleted, 200);
        assert_eq!((counts(&world, "orders").visible, counts(&world, "orders-dlq").visible), (0, 0));
    }

    #[test]
    fn what_a_consumer_fails_on_ends_in_the_dead_letter_queue() {
        let mut world = world(Behaviour::Failing(Predicate::BodyContains("7}".to_owned())));
        world.advance(after(400));
        // 7, 17, 27, .. of the first 700 or so; the youngest are still being tried.
        let dead = counts(&world, "orders-dlq").visible;
        assert!((65..=80).contains(&dead), "{dead}");
        assert_eq!(world.actors.set_behaviour("111111111111", "orders", &Behaviour::Healthy), 1);
        world.advance(after(500));
        assert_eq!(counts(&world, "orders"), Counts::default());
    }

    #[test]
    fn a_consumer_slower_than_the_visibility_timeout_gets_its_messages_again() {
        let mut world = world(Behaviour::Slow { seconds: 25 });
        world.advance(after(120));
        assert!(counts(&world, "orders-dlq").visible > 50, "{:?}", counts(&world, "orders-dlq"));
    }

    #[test]
    fn nobody_receives_while_a_consumer_is_down_and_catching_up_has_a_bound() {
        let mut world = world(Behaviour::Down);
        world.advance(after(86_400));
        let there = counts(&world, "orders").visible;
        assert!(there > 1_000 && there <= 2 * STEPS_MAX, "{there}");
        assert!(world.actors.next_at() >= Some(after(86_400)));
    }
}
