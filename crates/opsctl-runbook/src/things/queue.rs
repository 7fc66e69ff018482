//! A queue as conditions see it: settings and counts of SQS, the age of its oldest message of CloudWatch.

use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::look::Looking;
use crate::{
    cloud::{
        Cloud, CloudError, ErrorKind,
        metrics::{QUEUE_AGE, Samples},
    },
    domain::{self, QueueKind, Text},
    operations::resolve,
};

/// Source queues that are looked at.
const SOURCES_MAX: usize = 50;
const AT_ONCE: usize = 8;

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Queue {
    /// Its name
    #[schemars(with = "String")]
    pub name: Text,
    /// Messages in it: visible, in flight and delayed together. SQS's counts are approximate and lag by a minute or more
    pub messages: u64,
    /// Messages that a consumer can take now
    pub visible: u64,
    /// Messages that were taken and not deleted yet
    pub in_flight: u64,
    /// Messages that become visible later
    pub delayed: u64,
    /// Age of its oldest message, by CloudWatch's newest sample; 0 while the counts are 0. A standard queue's age leaves out messages
    /// that were received three times or more, and a DLQ's counts from the arrival there
    pub oldest_seconds: Option<i64>,
    /// Seconds until its oldest message is deleted for its age. In a standard DLQ it may be sooner: messages keep the age that they came
    /// with
    pub expires_in_seconds: Option<i64>,
    /// How long SQS keeps a message
    pub retention_seconds: u64,
    /// Whether it is a FIFO queue
    pub is_fifo: bool,
    /// Whether other queues' dead letters go here, by their redrive policies or by the configuration
    pub is_dead_letter: Option<bool>,
    /// The queue that its own dead letters go to
    #[schemars(with = "Option<String>")]
    pub dead_letter: Option<Text>,
    /// After so many receives a message goes to the dead-letter queue
    pub receives_max: Option<u32>,
    /// The queues whose dead letters go here
    pub sources: Option<Vec<SourceQueue>>,
    /// Who takes its messages: Lambda's event source mappings, and the services that the configuration names
    pub consumers: Option<Vec<Consumer>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SourceQueue {
    /// Its name
    #[schemars(with = "String")]
    pub name: Text,
    /// Messages in it, all together
    pub messages: Option<u64>,
    /// Messages that a consumer can take now
    pub visible: Option<u64>,
    /// Messages that were taken and not deleted yet
    pub in_flight: Option<u64>,
    /// Messages that become visible later
    pub delayed: Option<u64>,
    /// Age of its oldest message
    pub oldest_seconds: Option<i64>,
    /// How long SQS keeps a message
    pub retention_seconds: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Consumer {
    /// The function or the service, `cluster/name`
    #[schemars(with = "String")]
    pub name: Text,
    /// Whether it takes messages, or is about to
    pub is_on: bool,
    /// How it stands: the mapping's state, or the count of tasks
    #[schemars(with = "String")]
    pub state: Text,
}

pub(super) async fn see(looking: &Looking<'_>) -> Result<Queue, Text> {
    let cloud = looking.cloud;
    let queue = resolve::queue(cloud, looking.name).await.map_err(|error| {
        let hint = error.hint(cloud.environment());
        Text::line(&if hint.is_empty() { error.to_string() } else { format!("{error}; {hint}") })
    })?;
    let (sources, ages, consumers) =
        tokio::join!(sources(looking, &queue), ages(looking, &queue), consumers(looking, &queue));
    let oldest_seconds = oldest(looking.now, &queue, &ages);
    let retention = i64::try_from(queue.retention_seconds).unwrap_or(i64::MAX);
    let by_name = is_dead_letter_by_name(cloud, &queue).await;
    let is_dead_letter = match &sources {
        Some(sources) => Some(by_name || !sources.is_empty()),
        None => by_name.then_some(true),
    };
    let sources = match sources {
        Some(sources) if looking.asks("sources") => Some(with_ages(looking, sources).await),
        sources => {
            sources.map(|sources| sources.iter().map(|source| source.shown(looking.now, &Samples::default())).collect())
        }
    };
    Ok(Queue {
        name: Text::line(queue.name.as_str()),
        messages: queue.counts.total(),
        visible: queue.counts.visible,
        in_flight: queue.counts.in_flight,
        delayed: queue.counts.delayed,
        oldest_seconds,
        expires_in_seconds: oldest_seconds.map(|age| retention.saturating_sub(age).max(0)),
        retention_seconds: queue.retention_seconds,
        is_fifo: queue.kind == QueueKind::Fifo,
        is_dead_letter,
        dead_letter: queue.redrive.as_ref().map(|policy| Text::line(&policy.dead_letter.name().0)),
        receives_max: queue.redrive.as_ref().map(|policy| policy.receives_max),
        sources,
        consumers,
    })
}

/// A source queue, which may not be readable.
struct Source {
    name: String,
    queue: Option<domain::Queue>,
}

impl Source {
    fn shown(&self, now: Timestamp, ages: &Samples) -> SourceQueue {
        let of = |count: fn(&domain::Counts) -> u64| self.queue.as_ref().map(|queue| count(&queue.counts));
        SourceQueue {
            name: Text::line(&self.name),
            messages: of(domain::Counts::total),
            visible: of(|counts| counts.visible),
            in_flight: of(|counts| counts.in_flight),
            delayed: of(|counts| counts.delayed),
            oldest_seconds: self.queue.as_ref().and_then(|queue| oldest(now, queue, ages)),
            retention_seconds: self.queue.as_ref().map(|queue| queue.retention_seconds),
        }
    }
}

/// The queues whose redrive policies name this one. None: they are not known, or not asked for.
/// Whether a queue exists whose DLQ it is by the configured patterns, or may exist.
async fn is_dead_letter_by_name(cloud: &Cloud, queue: &domain::Queue) -> bool {
    for source in cloud.environment().queues.sources_by_name(queue.name.as_str()) {
        match cloud.sqs.url(&source).await {
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Ok(_) | Err(_) => return true,
        }
    }
    false
}

async fn sources(looking: &Looking<'_>, queue: &domain::Queue) -> Option<Vec<Source>> {
    // Whether it is a DLQ decides how its deadline is said.
    if !looking.asks_any(&["sources", "is_dead_letter", "expires_in_seconds"]) {
        return None;
    }
    let sqs = &looking.cloud.sqs;
    let mut urls = looking.known("its source queues are", sqs.sources_of(&queue.url).await)?;
    urls.truncate(SOURCES_MAX);
    if !looking.asks("sources") {
        return Some(urls.iter().map(|url| Source { name: url.name().0, queue: None }).collect());
    }
    let looks: Vec<_> = urls.iter().map(|url| sqs.describe(url)).collect();
    let answers: Vec<_> = stream::iter(looks).buffered(AT_ONCE).collect().await;
    let sources = urls.into_iter().zip(answers).map(|(url, answer)| {
        let name = url.name().0;
        Source { queue: looking.known(&format!("{name} is"), answer), name }
    });
    Some(sources.collect())
}

async fn with_ages(looking: &Looking<'_>, sources: Vec<Source>) -> Vec<SourceQueue> {
    let names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    let ages = match looking.asks("sources[].oldest_seconds") && !names.is_empty() {
        true => looking.known("ages of messages are", looking.cloud.metrics.named(&QUEUE_AGE, &names).await),
        false => None,
    };
    let ages = ages.unwrap_or_default();
    sources.iter().map(|source| source.shown(looking.now, &ages)).collect()
}

async fn ages(looking: &Looking<'_>, queue: &domain::Queue) -> Samples {
    if queue.counts.total() == 0 || !looking.asks_any(&["oldest_seconds", "expires_in_seconds"]) {
        return Samples::default();
    }
    let answer = looking.cloud.metrics.named(&QUEUE_AGE, &[queue.name.as_str()]).await;
    let samples = looking.known("the age of its oldest message is", answer);
    if let Some(samples) = &samples
        && samples.newest(queue.name.as_str()).is_none()
    {
        looking.lack("CloudWatch has no sample of the age of its oldest message");
    }
    samples.unwrap_or_default()
}

/// As the newest sample tells it, grown by what has passed since.
fn oldest(now: Timestamp, queue: &domain::Queue, ages: &Samples) -> Option<i64> {
    if queue.counts.total() == 0 {
        return Some(0);
    }
    let sample = ages.newest(queue.name.as_str())?;
    #[expect(clippy::cast_possible_truncation, reason = "saturates; an age in seconds")]
    let age = sample.value as i64;
    Some(age.saturating_add(now.duration_since(sample.at).as_secs().max(0)))
}

async fn consumers(looking: &Looking<'_>, queue: &domain::Queue) -> Option<Vec<Consumer>> {
    if !looking.asks("consumers") {
        return None;
    }
    let cloud = looking.cloud;
    let rules = &cloud.environment().services;
    let services = async {
        match rules.has_consumers(queue.name.as_str()) {
            true => cloud.ecs.all().await.map(|found| found.found),
            false => Ok::<_, CloudError>(Vec::new()),
        }
    };
    let (mappings, services) = tokio::join!(cloud.lambda.mappings_of(queue.arn.as_str()), services);
    let (mappings, services) =
        (looking.known("its event source mappings are", mappings)?, looking.known("services are", services)?);
    let mappings = mappings.into_iter().map(|mapping| Consumer {
        name: mapping.function.clone(),
        is_on: mapping.state.is_on(),
        state: Text::from(mapping.state.words()),
    });
    let is_consumer = |service: &domain::Service| rules.consumes(&service.id, queue.name.as_str());
    let services = services.iter().filter(|service| is_consumer(service)).map(|service| Consumer {
        name: Text::line(&service.id.to_string()),
        is_on: service.desired > 0,
        state: Text::line(&format!("{} of {} tasks run", service.running, service.desired)),
    });
    Some(mappings.chain(services).collect())
}
