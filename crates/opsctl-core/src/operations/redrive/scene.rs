//! What a redrive finds: the DLQ, its sources, where messages go.

use std::collections::HashMap;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::Redrive;
use crate::{
    cloud::{Cloud, CloudError, ErrorKind, sqs::MoveTask},
    domain::{Queue, QueueArn, QueueUrl, Try},
    operations::{OperationError, resolve},
};

/// Sources of a shared DLQ that are looked at.
const SOURCES_MAX: usize = 200;
/// Queues that are asked about at once: at 30 ms a call, 100 sources in 120 ms.
const DESCRIBED_AT_ONCE: usize = 32;

#[derive(Debug)]
pub(super) struct Scene {
    pub(super) from: Queue,
    /// Queues that use it as their DLQ.
    pub(super) sources: Vec<Queue>,
    pub(super) pairing: Pairing,
    pub(super) to: To,
    /// Queue for messages that come back.
    pub(super) park: Option<Queue>,
    /// The DLQ's move tasks, or why they can't be seen.
    pub(super) tasks: Result<Vec<MoveTask>, CloudError>,
}

/// How sources and DLQ were brought together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub(super) enum Pairing {
    Policy,
    Name,
    Tag,
    /// Not at all: no queue has it as its DLQ.
    None,
}

#[derive(Debug)]
pub(super) enum To {
    One(Box<Queue>),
    Each,
    /// Nobody knows: `--to` is needed.
    Unknown,
}

impl Scene {
    /// Looks. Makes reading calls only, and asks about each queue once.
    pub(super) async fn observe(cloud: &Cloud, redrive: &Redrive) -> Result<Self, OperationError> {
        let url = resolve::url(cloud, &redrive.queue).await?;
        let (named, naming) = tokio::join!(resolve::at(cloud, &url), cloud.sqs.sources_of(&url));
        let (from, by_policy) = meant(cloud, named?, naming).await?;
        let (found, tasks) = tokio::join!(sources(cloud, &from, by_policy), cloud.sqs.move_tasks(&from.arn));
        let (sources, pairing) = found?;
        let to = match &redrive.to {
            Some(to) => To::One(Box::new(resolve::queue(cloud, to).await?)),
            None if sources.is_empty() => To::Unknown,
            // Paired by name or tag: SQS knows nothing of a source. By policy: each message says itself where it died.
            None if pairing != Pairing::Policy => To::One(Box::new(sources[0].clone())),
            None => To::Each,
        };
        let park = match redrive.park.as_deref().filter(|_| redrive.park_file().is_none()) {
            Some(park) => Some(resolve::queue(cloud, park).await?),
            None => None,
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
    let is_one = match cloud.sqs.sources_of(&named.url).await {
        Ok(urls) => !urls.is_empty(),
        Err(error) => !sources_without(cloud, &named, error).await?.is_empty(),
    };
    if is_one { Ok(named) } else { without_sources(cloud, named).await }
}

/// The DLQ that is meant, and its sources by policy.
async fn meant(
    cloud: &Cloud,
    named: Queue,
    naming: Result<Vec<QueueUrl>, CloudError>,
) -> Result<(Queue, Vec<Queue>), OperationError> {
    let sources = sources_by_policy(cloud, &named, naming, None).await?;
    if !sources.is_empty() {
        return Ok((named, sources));
    }
    let meant = without_sources(cloud, named.clone()).await?;
    if meant.name == named.name {
        return Ok((meant, sources));
    }
    let naming = cloud.sqs.sources_of(&meant.url).await;
    let sources = sources_by_policy(cloud, &meant, naming, Some(&named)).await?;
    Ok((meant, sources))
}

/// Of a queue that no other one names as its DLQ.
async fn without_sources(cloud: &Cloud, named: Queue) -> Result<Queue, OperationError> {
    if let Some(policy) = &named.redrive {
        return resolve::dead_letter_of(cloud, &named, &policy.dead_letter).await;
    }
    if by_name(cloud, &named).await?.is_some() {
        return Ok(named);
    }
    for name in cloud.environment().queues.dead_letters_by_name(named.name.as_str()) {
        if let Some(found) = described(cloud, &name).await? {
            return Ok(found);
        }
    }
    Ok(named)
}

/// The source that a queue's name stands for. A pattern fits names of queues that do not exist: the first that exists is meant.
async fn by_name(cloud: &Cloud, queue: &Queue) -> Result<Option<Queue>, OperationError> {
    for name in cloud.environment().queues.sources_by_name(queue.name.as_str()) {
        if let Some(found) = described(cloud, &name).await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The queues whose policy names this one, by the answer of `ListDeadLetterSourceQueues`; `known` was described already.
async fn sources_by_policy(
    cloud: &Cloud,
    queue: &Queue,
    urls: Result<Vec<QueueUrl>, CloudError>,
    known: Option<&Queue>,
) -> Result<Vec<Queue>, OperationError> {
    let urls = match urls {
        Ok(urls) => urls,
        Err(error) => return sources_without(cloud, queue, error).await,
    };
    if urls.len() > SOURCES_MAX {
        let what = format!("{} is the DLQ of {} queues; at most {SOURCES_MAX} are dealt with", queue.name, urls.len());
        return Err(OperationError::usage(&what, Try::GiveOther.says("name one destination with --to")));
    }
    describe_all(cloud, urls, known).await
}

/// In the same order, several at once.
async fn describe_all(cloud: &Cloud, urls: Vec<QueueUrl>, known: Option<&Queue>) -> Result<Vec<Queue>, OperationError> {
    let describe = async |url: QueueUrl| match known.filter(|known| known.url == url) {
        Some(known) => Ok(known.clone()),
        None => cloud.sqs.describe(&url).await,
    };
    let described: Vec<_> = urls.into_iter().map(describe).collect();
    Ok(stream::iter(described).buffered(DESCRIBED_AT_ONCE).try_collect().await?)
}

/// Without `ListDeadLetterSourceQueues`, which some SQS-compatible services do not know: every queue's own policy says it as well.
/// Denied, it must be said.
async fn sources_without(cloud: &Cloud, queue: &Queue, error: CloudError) -> Result<Vec<Queue>, OperationError> {
    if error.kind != ErrorKind::Invalid {
        return Err(error.into());
    }
    let mut found = describe_all(cloud, cloud.sqs.list(None).await?, Some(queue)).await?;
    found.retain(|other| other.redrive.as_ref().is_some_and(|policy| policy.dead_letter == queue.arn));
    Ok(found)
}

/// Where nobody's policy names the DLQ, its source is paired by name or by tag.
async fn sources(cloud: &Cloud, from: &Queue, by_policy: Vec<Queue>) -> Result<(Vec<Queue>, Pairing), OperationError> {
    if !by_policy.is_empty() {
        return Ok((by_policy, Pairing::Policy));
    }
    let rules = &cloud.environment().queues;
    if let Some(source) = by_name(cloud, from).await? {
        return Ok((vec![source], Pairing::Name));
    }
    if let Some(tag) = &rules.pair_tag
        && let Some(name) = cloud.sqs.tags(&from.url).await?.get(tag)
        && let Some(source) = described(cloud, name).await?
    {
        return Ok((vec![source], Pairing::Tag));
    }
    Ok((Vec::new(), Pairing::None))
}

async fn described(cloud: &Cloud, name: &str) -> Result<Option<Queue>, OperationError> {
    match cloud.sqs.url(name).await {
        Ok(url) => Ok(Some(cloud.sqs.describe(&url).await?)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}
