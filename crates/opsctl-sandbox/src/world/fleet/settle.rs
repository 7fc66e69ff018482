//! Puts a fleet into a world.

use std::sync::Arc;

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{
    Amount, Fleet, FleetError, MessageTemplate,
    file::{ConsumerEntry, MessagesEntry, QueueEntry, lists, wrong},
};
use crate::world::{
    ApiError, Attribute, Caller, PutMessage, Value, World,
    actors::{Behaviour, Consumer, Predicate, Worker},
    lambda::Mapping,
    template::{Fill, Place, Template},
};

/// For how long alarms have watched when the sandbox starts: as long as metrics go back.
const PAST: SignedDuration = SignedDuration::from_hours(1);

impl Fleet {
    /// Makes the fleet's queues, messages, parameters and actors; `seed` decides every text.
    ///
    /// # Errors
    /// The world refuses something: a queue that is there already, a setting out of range.
    pub fn settle(&self, world: &mut World, now: Timestamp, seed: u64, amount: Amount) -> Result<(), FleetError> {
        let mut random = Rng::with_seed(seed);
        world.settings.clone_from(&self.file.settings);
        for place in self.places() {
            let mut settling = Settling { fleet: self, world, now, place: &place, random: &mut random, amount };
            settling.parameters()?;
            settling.queues()?;
            self.settle_services(world, now, &place);
            for database in &self.file.databases {
                database.settle(world, now, &place);
            }
            for global in &self.file.globals {
                global.settle(world, now, &place);
            }
            self.settle_outboxes(world, now, &place, (seed, amount))?;
        }
        self.places().for_each(|place| self.settle_metrics(world, &place));
        world.begin_metrics(now);
        let since = now.saturating_sub(PAST).unwrap_or(now);
        self.places().try_for_each(|place| self.settle_alarms(world, now, since, &place))?;
        let wrong = |problem| FleetError::Wrong { item: "timeline".to_owned(), problem };
        world.schedule_all(now, &self.file.timeline).map_err(wrong)
    }
}

struct Settling<'a> {
    fleet: &'a Fleet,
    world: &'a mut World,
    now: Timestamp,
    place: &'a Place,
    random: &'a mut Rng,
    amount: Amount,
}

impl Settling<'_> {
    fn parameters(&mut self) -> Result<(), FleetError> {
        let (now, place) = (self.now, self.place);
        for entry in &self.fleet.file.parameters {
            let mut render = |text: &str| {
                let template = Template::parse(text, &[]).map_err(wrong("parameter", &entry.name))?;
                Ok::<_, FleetError>(template.render(self.random, &Fill { count: 0, at: now, place, variables: &[] }))
            };
            let (name, value) = (render(&entry.name)?, render(&entry.value)?);
            self.world.ssm.put(now, &place.account, &place.region, &name, &value);
        }
        Ok(())
    }

    fn queues(&mut self) -> Result<(), FleetError> {
        let queues = || self.fleet.file.queues.iter().filter(|queue| queue.is_in(&self.place.environment));
        // Dead-letter queues first: a redrive policy must name one that exists.
        let (sources, dead_letters): (Vec<_>, Vec<_>) = queues().partition(|queue| queue.dead_letter.is_some());
        for queue in dead_letters.into_iter().chain(sources) {
            self.queue(queue).map_err(|error| refused(queue, error))?;
            for entry in queue.messages.iter().filter(|entry| lists(&entry.environments, &self.place.environment)) {
                self.messages(queue, entry).map_err(|error| refused(queue, error))?;
            }
            self.actors(queue);
        }
        Ok(())
    }

    fn queue(&mut self, queue: &QueueEntry) -> Result<(), ApiError> {
        let visibility = queue.visibility_seconds.to_string();
        let retention = (queue.retention_hours * 3_600).to_string();
        let mut attributes = vec![("VisibilityTimeout", &*visibility), ("MessageRetentionPeriod", &*retention)];
        if queue.name.ends_with(".fifo") {
            attributes.push(("FifoQueue", "true"));
        }
        let policy = queue.dead_letter.as_ref().map(|name| {
            json!({ "deadLetterTargetArn": self.arn(name), "maxReceiveCount": queue.receives_max }).to_string()
        });
        attributes.extend(policy.as_deref().map(|policy| ("RedrivePolicy", policy)));
        let caller = self.place.caller();
        self.world.create(self.now, &caller, &queue.name, &attributes)?;
        for (key, value) in
            [("Project", queue.system.as_str()), ("Environment", &self.place.environment), ("Owner", "on-call")]
        {
            self.world.tag(&caller, &queue.name, key, value)?;
        }
        Ok(())
    }

    fn messages(&mut self, queue: &QueueEntry, entry: &MessagesEntry) -> Result<(), ApiError> {
        let template = &self.fleet.templates[&entry.template];
        let sources: Vec<String> = entry.sources.iter().map(|name| self.arn(name)).collect();
        let caller = self.place.caller();
        let count = match self.amount {
            Amount::Full => entry.count,
            Amount::AtMost(maximum) => entry.count.min(maximum),
        };
        for index in 0..count {
            let sent_at = sent_at(self.now, entry, index, count);
            let message = PutMessage {
                sent_at: Some(sent_at),
                receive_count: entry.receives,
                dead_letter_source: self.random.choice(&sources).cloned(),
                ..template.write(self.random, index + 1, sent_at, self.place)
            };
            self.world.put(self.now, &caller, &queue.name, forget_ids(message, queue))?;
        }
        Ok(())
    }

    fn actors(&mut self, queue: &QueueEntry) {
        let Self { fleet, now, place, .. } = *self;
        if let Some(entry) = queue.producer.as_ref().filter(|entry| lists(&entry.environments, &place.environment)) {
            let template = Arc::new(fleet.templates[&entry.template].clone());
            self.world.actors.add_producer(now, place.clone(), &queue.name, template, entry.rate_per_second);
        }
        if let Some(entry) = &queue.consumer {
            let contains = |text: &String| Predicate::BodyContains(text.clone());
            let behaviour = match (&entry.failing_on, &entry.crashing_on) {
                _ if !lists(&entry.environments, &place.environment) => Behaviour::Healthy,
                (Some(text), _) => Behaviour::Failing(contains(text)),
                (None, Some(text)) => Behaviour::Crashing(contains(text)),
                (None, None) => Behaviour::Healthy,
            };
            let (worker, rate_per_second) = (self.worker(queue, entry), entry.rate_per_second);
            let database = entry.database.get(&place.environment).cloned();
            let consumer = Consumer { behaviour, rate_per_second, worker, database, hands: entry.hands };
            self.world.actors.add(now, place.clone(), &queue.name, consumer);
        }
    }

    /// What a queue's consumer is in AWS; a mapping is made.
    fn worker(&mut self, queue: &QueueEntry, entry: &ConsumerEntry) -> Worker {
        let Place { environment, account, region } = self.place;
        if let Some(function) = &entry.function {
            let mapping = Mapping::new(function, &self.arn(&queue.name), self.now);
            return Worker::Mapping(self.world.lambda.put(account, region, mapping));
        }
        let service = entry.service.as_ref().map(|service| service.replace("{environment}", environment));
        match service.as_ref().and_then(|service| service.split_once('/')) {
            Some((cluster, name)) => Worker::Service { cluster: cluster.to_owned(), name: name.to_owned() },
            None => Worker::Unseen,
        }
    }

    fn arn(&self, queue: &str) -> String {
        let Place { account, region, .. } = self.place;
        format!("arn:aws:sqs:{region}:{account}:{queue}")
    }
}

/// Times are spread evenly from the oldest to the newest.
fn sent_at(now: Timestamp, entry: &MessagesEntry, index: u64, count: u64) -> Timestamp {
    let span = entry.oldest.saturating_sub(entry.newest);
    let share = index as f64 / count.saturating_sub(1).max(1) as f64;
    let age = entry.oldest - span.mul_f64(share).min(span);
    SignedDuration::try_from(age).map_or(now, |age| now.saturating_sub(age).unwrap_or(now))
}

fn refused(queue: &QueueEntry, error: ApiError) -> FleetError {
    let ApiError { code, message, .. } = error;
    FleetError::Refused { item: format!("queue {:?}", queue.name), code, message }
}

/// Standard queues keep no ids here; a FIFO dead letter has lost its producer's (SQS puts the message's own id there).
fn forget_ids(message: PutMessage, queue: &QueueEntry) -> PutMessage {
    let is_fifo = queue.name.ends_with(".fifo");
    let is_dead_letter = message.dead_letter_source.is_some();
    PutMessage {
        group: message.group.filter(|_| is_fifo),
        deduplication_id: message.deduplication_id.filter(|_| is_fifo && !is_dead_letter),
        ..message
    }
}

impl Place {
    pub(in crate::world) fn caller(&self) -> Caller {
        let Self { account, region, .. } = self.clone();
        Caller { account, region, origin: "https://sandbox".to_owned() }
    }
}

impl MessageTemplate {
    pub(in crate::world) fn write(&self, random: &mut Rng, count: u64, at: Timestamp, place: &Place) -> PutMessage {
        let mut variables: Vec<String> = Vec::with_capacity(self.variables.len());
        for variable in &self.variables {
            let value = variable.render(random, &Fill { count, at, place, variables: &variables });
            variables.push(value);
        }
        let fill = Fill { count, at, place, variables: &variables };
        let mut render = |template: &Template| template.render(random, &fill);
        let body = render(&self.body);
        let attribute = |(name, label, value): &(String, String, Template)| {
            let text = render(value);
            let is_binary = label.starts_with("Binary");
            let value = if is_binary { Value::Binary(text.into_bytes().into()) } else { Value::Text(text.into()) };
            Attribute { name: name.as_str().into(), label: label.as_str().into(), value }
        };
        let attributes = self.attributes.iter().map(attribute).collect();
        let group = self.group.as_ref().map(|group| group.render(random, &fill));
        let deduplication_id = self.deduplication.as_ref().map(|id| id.render(random, &fill));
        PutMessage { body, attributes, group, deduplication_id, ..PutMessage::default() }
    }
}
