//! Every queue of an environment: settings, counts, and which queue's dead letters lie where.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures_util::{StreamExt, stream};
use serde::Serialize;

use crate::{
    cloud::{Cloud, CloudError},
    domain::{Queue, QueueArn, QueueName, QueueUrl},
};

/// Queues that are asked about at once: at 10 ms a call, 500 queues in 160 ms; far below SQS's own limits.
const CONCURRENCY: usize = 32;

/// A queue, as far as it could be seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Name.
    pub name: QueueName,
    /// URL.
    pub url: QueueUrl,
    /// Settings and counts, or why they could not be read.
    pub described: Result<Queue, CloudError>,
    /// What makes it a dead-letter queue, if anything does.
    pub dead_letters: Option<DeadLetters>,
}

/// What makes a queue a dead-letter queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeadLetters {
    /// Queues whose dead letters lie in it, by name; empty where only its own name says that it holds some (those of
    /// subscriptions and Lambdas are named by no queue).
    pub sources: Vec<QueueName>,
    /// How that is known.
    pub known_by: KnownBy,
}

/// How a queue and its dead-letter queue are known to belong together, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KnownBy {
    /// The source's redrive policy names it.
    RedrivePolicy,
    /// A tag on it names the source.
    Tag,
    /// A name pattern of the configuration.
    Pattern,
    /// Its own name only.
    Name,
}

/// Which queues to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Those that the configuration admits.
    Configured,
    /// All.
    All,
}

impl Listed {
    /// Where its own dead letters go.
    pub fn feeds(&self) -> Option<&QueueArn> {
        let policy = self.described.as_ref().ok()?.redrive.as_ref()?;
        Some(&policy.dead_letter)
    }

    /// About how many messages lie in it; 0 where that is not known.
    pub fn messages(&self) -> u64 {
        self.described.as_ref().map_or(0, |queue| queue.counts.total())
    }
}

/// Every queue in scope, by name. A queue that may not be looked at is listed with the reason.
///
/// # Errors
/// Only if the queues cannot be listed at all.
pub async fn list(cloud: &Cloud, scope: Scope) -> Result<Vec<Listed>, CloudError> {
    let rules = &cloud.environment().queues;
    let mut urls: Vec<QueueUrl> = cloud.sqs().list(None).await?;
    urls.retain(|url| scope == Scope::All || rules.admits(url.name().as_str()));
    let mut found: Vec<Listed> = stream::iter(urls)
        .map(|url| async move {
            let described = cloud.sqs().describe(&url).await;
            Listed { name: url.name(), url, described, dead_letters: None }
        })
        .buffer_unordered(CONCURRENCY)
        .collect()
        .await;
    found.sort_by(|left, right| left.name.cmp(&right.name));
    let tagged = tagged_sources(cloud, &found).await;
    pair(cloud, &mut found, &tagged);
    Ok(found)
}

/// Source names that tags on dead-letter queues give; asks only where the configuration names such a tag.
async fn tagged_sources(cloud: &Cloud, found: &[Listed]) -> HashMap<QueueName, QueueName> {
    let Some(tag) = &cloud.environment().queues.pair_tag else { return HashMap::new() };
    let asked: Vec<(QueueName, QueueUrl)> = found.iter().map(|queue| (queue.name.clone(), queue.url.clone())).collect();
    stream::iter(asked)
        .map(|(name, url)| async move {
            // Where tags may not be read, the other ways of pairing are left.
            let tags = cloud.sqs().tags(&url).await.unwrap_or_default();
            tags.get(tag).map(|source| (name, QueueName(source.clone())))
        })
        .buffer_unordered(CONCURRENCY)
        .filter_map(|pair| async { pair })
        .collect()
        .await
}

fn pair(cloud: &Cloud, found: &mut [Listed], tagged: &HashMap<QueueName, QueueName>) {
    let rules = &cloud.environment().queues;
    let mut by_policy: BTreeMap<QueueArn, Vec<QueueName>> = BTreeMap::new();
    for queue in found.iter() {
        if let Some(arn) = queue.feeds() {
            by_policy.entry(arn.clone()).or_default().push(queue.name.clone());
        }
    }
    let names: BTreeSet<QueueName> = found.iter().map(|queue| queue.name.clone()).collect();
    for queue in found.iter_mut() {
        let policy = match &queue.described {
            Ok(described) => by_policy.get(&described.arn).cloned(),
            // Its ARN is not known: another queue's policy in the same account tells it by name.
            Err(_) => by_policy.iter().find(|(arn, _)| arn.name() == queue.name).map(|(_, sources)| sources.clone()),
        };
        let pattern = || rules.source_by_name(queue.name.as_str()).map(QueueName).filter(|name| names.contains(name));
        queue.dead_letters = policy
            .map(|sources| DeadLetters { sources, known_by: KnownBy::RedrivePolicy })
            .or_else(|| {
                let sources = vec![tagged.get(&queue.name)?.clone()];
                Some(DeadLetters { sources, known_by: KnownBy::Tag })
            })
            .or_else(|| Some(DeadLetters { sources: vec![pattern()?], known_by: KnownBy::Pattern }))
            .or_else(|| {
                let by_name = is_dead_letter_name(queue.name.as_str());
                by_name.then_some(DeadLetters { sources: Vec::new(), known_by: KnownBy::Name })
            });
    }
}

/// Whether a name says that dead letters lie in the queue: `orders-dlq`, `orders_dead_letters.fifo`, `dlq-orders`.
fn is_dead_letter_name(name: &str) -> bool {
    let plain = name.trim_end_matches(".fifo").to_ascii_lowercase().replace(['_', '.'], "-");
    let joined = plain.replace('-', "");
    plain.split('-').any(|part| part == "dlq" || part == "dlqs")
        || plain.ends_with("dlq")
        || joined.contains("deadletter")
}

/// The order in which a person wants to see them: dead-letter queues with messages, most first; then what could not be
/// looked at; then other dead-letter queues; then the rest, by name.
pub fn worst_first(left: &Listed, right: &Listed) -> std::cmp::Ordering {
    let rank = |queue: &Listed| match (&queue.dead_letters, &queue.described, queue.messages()) {
        (Some(_), _, 1..) => 0,
        (_, Err(_), _) => 1,
        (Some(_), Ok(_), _) => 2,
        (None, Ok(_), _) => 3,
    };
    let by_messages = match rank(left) {
        0 => right.messages().cmp(&left.messages()),
        _ => std::cmp::Ordering::Equal,
    };
    rank(left).cmp(&rank(right)).then(by_messages).then_with(|| left.name.cmp(&right.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_say_dead_letters() {
        for name in ["orders-dlq", "orders_dlq", "dlq-orders.fifo", "OrdersDLQ", "orders-dead-letters", "deadletter"] {
            assert!(is_dead_letter_name(name), "{name}");
        }
        for name in ["orders", "idlqueue", "deadline", "letters-dead"] {
            assert!(!is_dead_letter_name(name), "{name}");
        }
    }
}
