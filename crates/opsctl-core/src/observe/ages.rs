//! Ages of queues' oldest messages, beside a listing: asked at the same time, and never waited for long.

use std::{collections::BTreeMap, pin::pin, time::Duration};

use futures_util::future::{Either, select};

use super::{
    Oldest,
    queues::{self, Listed, Scope},
};
use crate::{
    cloud::{
        Cloud, CloudError,
        metrics::{QUEUE_AGE, Samples},
    },
    domain::{QueueName, Text},
};

/// How much longer than the listing CloudWatch may take.
const GRACE: Duration = Duration::from_secs(1);
/// Queues with messages that are asked for by name where a search leaves some out: two calls, a cent.
const NAMED_MAX: usize = 1_000;

/// Ages, as far as they could be had.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ages {
    by_name: BTreeMap<QueueName, Oldest>,
    /// Why some or all are missing; none: what is missing has no sample.
    pub missing: Option<Text>,
    /// Metrics that were asked for, as they are billed.
    pub asked: u64,
}

impl Ages {
    /// A queue's; none where it is not known, which does not mean that the queue is empty.
    pub fn of(&self, queue: &QueueName) -> Option<Oldest> {
        self.by_name.get(queue).copied()
    }

    fn of_samples(samples: Samples) -> Self {
        let Samples { by_name, asked, incomplete } = samples;
        // Ages are whole seconds, and never negative.
        let oldest = |sample: crate::cloud::metrics::Sample| Oldest { seconds: sample.value as u64, at: sample.at };
        let by_name = by_name.into_iter().map(|(name, recent)| (QueueName(name), oldest(recent.newest))).collect();
        Self { by_name, missing: incomplete, asked }
    }

    fn none(why: &str) -> Self {
        Self { missing: Some(Text::line(why)), ..Self::default() }
    }
}

/// Every queue in scope, as [`queues::list`] has it, and the ages of their oldest messages.
///
/// # Errors
/// Only if the queues cannot be listed at all.
pub async fn list_with_ages(cloud: &Cloud, scope: Scope) -> Result<(Vec<Listed>, Ages), CloudError> {
    let listing = pin!(queues::list(cloud, scope));
    let search = pin!(cloud.metrics().search(&QUEUE_AGE));
    let (listed, answer) = match select(listing, search).await {
        Either::Left((listed, search)) => (listed?, in_time(cloud, search).await),
        Either::Right((answer, listing)) => (listing.await?, Some(answer)),
    };
    let ages = match answer {
        None => Ages::none("CloudWatch did not answer in time"),
        Some(Err(error)) => Ages::none(&error.to_string()),
        Some(Ok(mut samples)) => {
            if samples.incomplete.is_some() {
                complete(cloud, &listed, &mut samples).await;
            }
            Ages::of_samples(samples)
        }
    };
    Ok((listed, ages))
}

/// Asks by name for queues with messages that the search left out. An empty queue has no age worth its price.
async fn complete(cloud: &Cloud, listed: &[Listed], samples: &mut Samples) {
    let is_missing = |queue: &&Listed| queue.messages() > 0 && samples.newest(queue.name.as_str()).is_none();
    let names: Vec<&str> = listed.iter().filter(is_missing).map(|queue| queue.name.as_str()).collect();
    let some = &names[..names.len().min(NAMED_MAX)];
    if some.is_empty() {
        samples.incomplete = None;
        return;
    }
    // Where it fails, the answer goes on to say that it is not whole.
    if let Some(Ok(named)) = in_time(cloud, cloud.metrics().named(&QUEUE_AGE, some)).await {
        if some.len() == names.len() {
            samples.incomplete = None;
        }
        samples.merge(named);
    }
}

async fn in_time<T>(cloud: &Cloud, future: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(cloud.clock().real(GRACE), future).await.ok()
}
