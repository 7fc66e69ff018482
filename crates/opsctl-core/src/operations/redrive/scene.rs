//! What a redrive finds: the DLQ, its sources, where messages go.

use std::collections::HashMap;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::Redrive;
use crate::{
    cloud::{Cloud, CloudError, ErrorKind, sqs::MoveTask},
    domain::{Queue, QueueArn, QueueUrl},
    operations::{OperationError, resolve},
};

/// Sources of a shared DLQ that are looked at.
const SOURCES_MAX: usize = 200;
/// Queues that are asked about at once.
const DESCRIBED_AT_ONCE: usize = 8;

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
        let url = resolve::url(cloud, &redrive.queue).await?;
        let (named, naming) = tokio::join!(resolve::at(cloud, &url), cloud.sqs().sources_of(&url));
        let (from, known) = meant(cloud, named?, naming).await?;
        let (found, tasks) = tokio::join!(sources(cloud, &from, known), cloud.sqs().move_tasks(&from.arn));
        let (sources, pairing) = found?;
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
    let sources = cloud.sqs().sources_of(&named.url).await;
    Ok(meant(cloud, named, sources).await?.0)
}

/// The DLQ that is meant, and its sources by policy where they are known already.
async fn meant(
    cloud: &Cloud,
    named: Queue,
    sources: Result<Vec<QueueUrl>, CloudError>,
) -> Result<(Queue, Option<Vec<Queue>>), OperationError> {
    let sources = sources_by_policy(cloud, &named, sources).await?;
    if !sources.is_empty() {
        return Ok((named, Some(sources)));
    }
    let name = named.name.clone();
    let meant = without_sources(cloud, named).await?;
    let is_same = meant.name == name;
    Ok((meant, is_same.then_some(sources)))
}

/// Of a queue that no other one names as its DLQ.
async fn without_sources(cloud: &Cloud, named: Queue) -> Result<Queue, OperationError> {
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

async fn sources_by_policy(
    cloud: &Cloud,
    queue: &Queue,
    urls: Result<Vec<QueueUrl>, CloudError>,
) -> Result<Vec<Queue>, OperationError> {
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
    describe_all(cloud, urls).await
}

/// In the same order, several at once.
async fn describe_all(cloud: &Cloud, urls: Vec<QueueUrl>) -> Result<Vec<Queue>, OperationError> {
    let sqs = cloud.sqs();
    let described = urls.into_iter().map(|url| async move { sqs.describe(&url).await });
    Ok(stream::iter(described).buffered(DESCRIBED_AT_ONCE).try_collect().await?)
}

/// Without `ListDeadLetterSourceQueues`: every queue's own policy says it as well.
async fn sources_by_listing(cloud: &Cloud, queue: &Queue) -> Result<Vec<Queue>, OperationError> {
    let mut found = describe_all(cloud, cloud.sqs().list(None).await?).await?;
    found.retain(|other| other.redrive.as_ref().is_some_and(|policy| policy.dead_letter == queue.arn));
    Ok(found)
}

async fn sources(
    cloud: &Cloud,
    from: &Queue,
    known: Option<Vec<Queue>>,
) -> Result<(Vec<Queue>, Pairing), OperationError> {
    let by_policy = match known {
        Some(known) => known,
        None => sources_by_policy(cloud, from, cloud.sqs().sources_of(&from.url).await).await?,
    };
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
