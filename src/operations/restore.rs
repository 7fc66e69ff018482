//! Restore: messages of a run's snapshot go back to the queue that the run took them from.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Bound, OperationError, Planned, Planner, bound::PutBack, resolve};
use crate::{
    cloud::Cloud,
    domain::{QueueKind, RunId, Text, words::counted},
    journal::{History, SavedLines, StateFolder},
    messages::filter::Filter,
    plan::{Call, Fact},
};

/// Put the messages of a run's snapshot back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct Restore {
    /// Run whose snapshot is put back
    #[arg(
        value_name = "RUN",
        required_unless_present = "resume",
        default_value = "00000000T000000-000000",
        hide_default_value = true
    )]
    pub run: RunId,
    /// Send to this queue instead of the one that the messages were taken from
    #[arg(long, value_name = "QUEUE")]
    pub to: Option<String>,
    /// Restore only messages for which this jq expression is true
    #[arg(long = "where", value_name = "FILTER")]
    pub filter: Option<String>,
    /// Restore also messages of which it is not known whether the run deleted them
    #[arg(long)]
    #[serde(default)]
    pub perhaps: bool,
    /// Restore although an earlier restore has put messages of this run back
    #[arg(long)]
    #[serde(default)]
    pub again: bool,
}

/// Observes and plans.
pub(super) async fn plan(restore: &Restore, cloud: &Cloud, planner: &Planner) -> Result<Planned, OperationError> {
    let filter = restore.filter.as_deref().map(Filter::compile).transpose().map_err(|error| {
        OperationError::usage(&format!("the filter can't be used: {error}"), "see `opsctl restore --help`")
    })?;
    let (found, perhaps) = gone(&planner.state, restore, filter.as_ref(), cloud)?;
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
    plan.summary = Text::line(&format!("put {} of run {} back into {names}", counted(total, "message"), restore.run));
    for (label, value) in [("run", restore.run.to_string()), ("to", names), ("messages", total.to_string())] {
        plan.facts.push(Fact { label: label.to_owned(), value: Text::line(&value) });
    }
    plan.changes.push(Text::from(
        "messages get new ids and send times; where the run sent them elsewhere, they are there as well",
    ));
    let resource = plan.resource.clone();
    plan.calls.push(Call { action: "sqs:SendMessage".to_owned(), resource, times_estimate: total.div_ceil(10) });
    plan.dollars_estimate = total.div_ceil(10) as f64 * 0.5 / 1e6;
    plan.messages_estimate = total;
    plan.seconds_estimate = Some(total.div_ceil(500));
    plan.observed.insert("run".to_owned(), restore.run.to_string());
    plan.observed.insert("messages".to_owned(), total.to_string());
    if perhaps > 0 {
        let what = if restore.perhaps {
            "will be put back as well, and may then be there twice"
        } else {
            "will be left out; --perhaps puts such back as well"
        };
        plan.warnings.push(Text::line(&format!(
            "{} that the run may or may not have deleted {what}",
            counted(perhaps, "message")
        )));
    }
    for run in earlier(planner, restore)? {
        let text = format!(
            "run {run} has put messages of this run back already: they would be there twice; go on with it by `{}`, or --again",
            cloud.environment().command(&format!("restore --resume {run}"))
        );
        match restore.again {
            true => plan.warnings.push(Text::line(&text)),
            false => plan.blockers.push(Text::line(&text)),
        }
    }
    let to = to.map(|queue| queue.url);
    let bound =
        Bound::Restore(PutBack { run: restore.run.clone(), to, filter, perhaps: restore.perhaps, messages: total });
    Ok(Planned { plan, bound })
}

/// Saved messages that the run took out of their queue, by queue URL: those only read and left are still there.
fn gone(
    state: &StateFolder,
    restore: &Restore,
    filter: Option<&Filter>,
    cloud: &Cloud,
) -> Result<(BTreeMap<String, u64>, u64), OperationError> {
    let folder = state.open(&restore.run)?;
    if !folder.snapshot().is_file() {
        return Err(OperationError::usage(
            &format!("run {} kept no snapshot", restore.run),
            "only client-side runs without --no-snapshot keep one",
        ));
    }
    let history = History::read(&folder)?;
    let mut perhaps = 0;
    let now = cloud.clock().now();
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for saved in SavedLines::open(&folder.snapshot())? {
        let saved = saved?;
        let selected = filter.is_none_or(|filter| filter.matches(&saved.message, now) == Ok(true));
        let (gone, doubtful) =
            (history.gone.contains(&saved.message.id), history.perhaps_gone.contains(&saved.message.id));
        if !selected || !(gone || doubtful) || !seen.insert(saved.message.id.clone()) {
            continue;
        }
        perhaps += u64::from(doubtful && !gone);
        if gone || restore.perhaps {
            *found.entry(saved.from.0).or_default() += 1;
        }
    }
    Ok((found, perhaps))
}

/// Earlier runs that put messages of the same run back.
fn earlier(planner: &Planner, restore: &Restore) -> Result<Vec<RunId>, OperationError> {
    let mut found = Vec::new();
    for summary in planner.state.list()? {
        let same = summary.plan_text("/operation/operation") == Some("restore")
            && summary.plan_text("/operation/run") == Some(restore.run.as_str())
            && planner.resuming.as_ref() != Some(&summary.run);
        if !same {
            continue;
        }
        let folder = planner.state.open(&summary.run)?;
        let history = History::read(&folder)?;
        if folder.is_busy() || !history.sent.is_empty() || !history.uncertain.is_empty() {
            found.push(summary.run);
        }
    }
    Ok(found)
}
