//! What a redrive finds: the DLQ, its sources, where messages go.

use std::collections::HashMap;

use super::Redrive;
use crate::{
    cloud::{Cloud, CloudError, ErrorKind, sqs::MoveTask},
    domain::{Queue, QueueArn},
    operations::{OperationError, resolve},
};

/// Sources of a shared DLQ that are looked at.
const SOURCES_MAX: usize = 200;

/// What a redrive finds.
#[derive(Debug)]
pub(super) struct Scene {
    /// Where messages are taken from.
    pub(super) from: Queue,
    /// Queues that use it as their DLQ.
    pub(super) sources: Vec<Queue>,
    /// How the sources were found.
    pub(super) pairing: Pairing,
    /// Where messages go.
    pub(super) to: To,
    /// Queue for messages that come back.
    pub(super) park: Option<Queue>,
    /// The DLQ's move tasks, or why they can't be seen.
    pub(super) tasks: Result<Vec<MoveTask>, CloudError>,
}

/// How sources and DLQ were brought together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pairing {
    /// By a redrive policy.
    Policy,
    /// By the configured name patterns.
    Name,
    /// By the configured tag.
    Tag,
    /// Not at all: no queue has it as its DLQ.
    None,
}

/// Where messages go.
#[derive(Debug)]
pub(super) enum To {
    /// All to this queue.
    One(Box<Queue>),
    /// Each to its own source.
    Each,
    /// Nobody knows: `--to` is needed.
    Unknown,
}

impl Scene {
    /// Looks. Makes reading calls only.
    pub(super) async fn observe(cloud: &Cloud, redrive: &Redrive) -> Result<Self, OperationError> {
        let named = resolve::queue(cloud, &redrive.queue).await?;
        let from = dead_letter_queue(cloud, named).await?;
        let (sources, pairing) = sources(cloud, &from).await?;
        let to = match &redrive.to {
            Some(to) => To::One(Box::new(resolve::queue(cloud, to).await?)),
            None if sources.is_empty() => To::Unknown,
            // Paired by name or tag: SQS knows nothing of a source. By policy: each message says itself where it died.
            None if pairing != Pairing::Policy => To::One(Box::new(sources[0].clone())),
            None => To::Each,
        };
        let park = match redrive.park.as_deref() {
            Some(park) if !park.starts_with("file:") => Some(resolve::queue(cloud, park).await?),
            _ => None,
        };
        let tasks = cloud.sqs().move_tasks(&from.arn).await;
        Ok(Self { from, sources, pairing, to, park, tasks })
    }

    /// Destinations by index, and each source's.
    pub(super) fn destinations(&self) -> (Vec<Queue>, HashMap<QueueArn, usize>) {
        match &self.to {
            To::One(queue) => (vec![Queue::clone(queue)], HashMap::new()),
            To::Each => {
                let routes = self.sources.iter().enumerate().map(|(at, source)| (source.arn.clone(), at));
                (self.sources.clone(), routes.collect())
            }
            To::Unknown => (Vec::new(), HashMap::new()),
        }
    }
}

/// A queue that has dead letters itself stands for its DLQ, unless it is one.
///
/// # Errors
/// AWS can't be asked; its policy names a queue that does not exist.
pub async fn dead_letter_queue(cloud: &Cloud, named: Queue) -> Result<Queue, OperationError> {
    let is_dead_letter_queue = !sources_by_policy(cloud, &named).await?.is_empty();
    if is_dead_letter_queue {
        return Ok(named);
    }
    if let Some(policy) = &named.redrive {
        return resolve::queue(cloud, policy.dead_letter.as_str()).await;
    }
    let rules = &cloud.environment().queues;
    if rules.source_by_name(named.name.as_str()).is_some() {
        return Ok(named);
    }
    match rules.dead_letter_by_name(named.name.as_str()) {
        // A pattern fits every name; only a queue that exists is meant.
        Some(name) => match cloud.sqs().url(&name).await {
            Ok(url) => Ok(cloud.sqs().describe(&url).await?),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(named),
            Err(error) => Err(error.into()),
        },
        None => Ok(named),
    }
}

async fn sources_by_policy(cloud: &Cloud, queue: &Queue) -> Result<Vec<Queue>, OperationError> {
    let mut found = Vec::new();
    let urls = cloud.sqs().sources_of(&queue.url).await;
    let urls = match urls {
        Ok(urls) => urls,
        // Some SQS-compatible services do not know the call; denied, it must be said.
        Err(error) if error.kind == ErrorKind::Invalid => return sources_by_listing(cloud, queue).await,
        Err(error) => return Err(error.into()),
    };
    if urls.len() > SOURCES_MAX {
        let what = format!("{} is the DLQ of {} queues; at most {SOURCES_MAX} are dealt with", queue.name, urls.len());
        return Err(OperationError::usage(&what, "name one destination with --to"));
    }
    for url in urls {
        found.push(cloud.sqs().describe(&url).await?);
    }
    Ok(found)
}

/// Without `ListDeadLetterSourceQueues`: every queue's own policy says it as well.
async fn sources_by_listing(cloud: &Cloud, queue: &Queue) -> Result<Vec<Queue>, OperationError> {
    let mut found = Vec::new();
    for url in cloud.sqs().list(None).await? {
        let other = cloud.sqs().describe(&url).await?;
        if other.redrive.as_ref().is_some_and(|policy| policy.dead_letter == queue.arn) {
            found.push(other);
        }
    }
    Ok(found)
}

async fn sources(cloud: &Cloud, from: &Queue) -> Result<(Vec<Queue>, Pairing), OperationError> {
    let by_policy = sources_by_policy(cloud, from).await?;
    if !by_policy.is_empty() {
        return Ok((by_policy, Pairing::Policy));
    }
    let rules = &cloud.environment().queues;
    if let Some(name) = rules.source_by_name(from.name.as_str())
        && let Some(source) = described(cloud, &name).await?
    {
        return Ok((vec![source], Pairing::Name));
    }
    if let Some(tag) = &rules.pair_tag
        && let Some(name) = cloud.sqs().tags(&from.url).await?.get(tag)
        && let Some(source) = described(cloud, name).await?
    {
        return Ok((vec![source], Pairing::Tag));
    }
    Ok((Vec::new(), Pairing::None))
}

async fn described(cloud: &Cloud, name: &str) -> Result<Option<Queue>, OperationError> {
    match cloud.sqs().url(name).await {
        Ok(url) => Ok(Some(cloud.sqs().describe(&url).await?)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}
