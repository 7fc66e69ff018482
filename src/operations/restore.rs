//! Restore: messages of a run's snapshot go back to the queue that the run took them from.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Bound, OperationError, Planned, Planner, bound::PutBack, resolve};
use crate::{
    cloud::Cloud,
    domain::{QueueKind, RunId, Text},
    journal::{History, SavedLines, StateFolder},
    messages::filter::Filter,
    plan::{Call, Fact},
};

/// Put the messages of a run's snapshot back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct Restore {
    /// Run whose snapshot is put back
    #[arg(value_name = "RUN")]
    pub run: RunId,
    /// Send to this queue instead of the one that the messages were taken from
    #[arg(long, value_name = "QUEUE")]
    pub to: Option<String>,
    /// Restore only messages for which this jq expression is true
    #[arg(long = "where", value_name = "FILTER")]
    pub filter: Option<String>,
}

/// Observes and plans.
pub(super) async fn plan(restore: &Restore, cloud: &Cloud, planner: &Planner) -> Result<Planned, OperationError> {
    let filter = restore.filter.as_deref().map(Filter::compile).transpose().map_err(|error| {
        OperationError::usage(&format!("the filter can't be used: {error}"), "see `opsctl restore --help`")
    })?;
    let found = gone(&planner.state, restore, filter.as_ref(), cloud)?;
    let total: u64 = found.values().sum();
    let mut plan = planner.draft();
    let to = match &restore.to {
        Some(to) => Some(resolve::queue(cloud, to).await?),
        None => None,
    };
    let mut names = BTreeSet::new();
    for url in found.keys() {
        let queue = match &to {
            Some(queue) => queue.clone(),
            None => resolve::queue(cloud, url).await?,
        };
        plan.observed.insert(format!("to {}: arn", queue.name), queue.arn.to_string());
        if queue.kind == QueueKind::Fifo {
            plan.warnings
                .push(Text::line(&format!("{} is FIFO: messages come behind those that lie there", queue.name)));
        }
        names.insert(queue.name.0);
    }
    let names = names.into_iter().collect::<Vec<_>>().join(", ");
    plan.resource = Text::line(if names.is_empty() { restore.run.as_str() } else { &names });
    plan.empty = total == 0;
    plan.summary = Text::line(&format!("put {total} messages of run {} back into {names}", restore.run));
    for (label, value) in [("run", restore.run.to_string()), ("to", names), ("messages", total.to_string())] {
        plan.facts.push(Fact { label: label.to_owned(), value: Text::line(&value) });
    }
    plan.changes.push(Text::from(
        "messages get new ids and send times; where the run sent them elsewhere, they are there as well",
    ));
    let resource = plan.resource.clone();
    plan.calls.push(Call { action: "sqs:SendMessage".to_owned(), resource, times_estimate: total.div_ceil(10) });
    plan.dollars_estimate = total.div_ceil(10) as f64 * 0.5 / 1e6;
    plan.seconds_estimate = Some(total.div_ceil(500));
    plan.observed.insert("run".to_owned(), restore.run.to_string());
    plan.observed.insert("messages".to_owned(), total.to_string());
    let to = to.map(|queue| queue.url);
    let bound = Bound::Restore(PutBack { run: restore.run.clone(), to, filter, messages: total });
    Ok(Planned { plan, bound })
}

/// Saved messages that the run took out of their queue, by queue URL: those only read and left are still there.
fn gone(
    state: &StateFolder,
    restore: &Restore,
    filter: Option<&Filter>,
    cloud: &Cloud,
) -> Result<BTreeMap<String, u64>, OperationError> {
    let folder = state.open(&restore.run)?;
    if !folder.snapshot().is_file() {
        return Err(OperationError::usage(
            &format!("run {} kept no snapshot", restore.run),
            "only client-side runs without --no-snapshot keep one",
        ));
    }
    let deleted = History::read(&folder)?.gone;
    let now = cloud.clock().now();
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for saved in SavedLines::open(&folder.snapshot())? {
        let saved = saved?;
        let selected = filter.is_none_or(|filter| filter.matches(&saved.message, now) == Ok(true));
        if selected && deleted.contains(&saved.message.id) && seen.insert(saved.message.id.clone()) {
            *found.entry(saved.from.0).or_default() += 1;
        }
    }
    Ok(found)
}
