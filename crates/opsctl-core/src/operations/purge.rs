//! Purge: every message of a queue is deleted, each after it stands in a snapshot.

use std::path::PathBuf;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::{
    Bound, Left, Look, OperationError, Planned, Planner, Unsettled, Verb,
    bound::ClientSide,
    ids,
    plan::labels,
    resolve,
    selection::{self, Selection},
    transfer::{Judge, Route, Settings, Source},
};
use crate::{
    cloud::Cloud,
    domain::{Text, words::counted_is},
    journal::History,
};

/// Delete every message of a queue, after a snapshot.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct Purge {
    /// Queue: name, URL or ARN
    #[arg(
        long,
        value_name = "QUEUE",
        required_unless_present = "resume",
        default_value = "",
        hide_default_value = true
    )]
    pub queue: String,
    /// Delete only messages for which this jq expression is true, or the one in a file, as `file:PATH`
    #[arg(long = "where", value_name = "FILTER")]
    pub filter: Option<String>,
    /// Delete only messages whose ids stand in this file: one a line, a list, JSON as the AWS CLI and jq print it, or a CSV column
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ids: Option<PathBuf>,
    /// Delete at most this many messages
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
}

impl Verb for Purge {
    fn subject(&self) -> &str {
        &self.queue
    }

    fn ids(&self) -> Option<&std::path::Path> {
        self.ids.as_deref()
    }

    fn take_ids_from(&mut self, file: PathBuf) {
        self.ids = Some(file);
    }

    fn filter(&self) -> Option<&str> {
        self.filter.as_deref()
    }

    fn limit(&self) -> Option<u64> {
        self.limit
    }

    fn left(&self, history: &History) -> Left {
        Left::Messages { done: history.removed.len() as u64 }
    }

    fn plan<'a>(&'a self, cloud: &'a Cloud, planner: &'a Planner) -> BoxFuture<'a, Result<Planned, OperationError>> {
        Box::pin(plan(self, cloud, planner))
    }
}

async fn plan(purge: &Purge, cloud: &Cloud, planner: &Planner) -> Result<Planned, OperationError> {
    let queue = resolve::queue(cloud, &purge.queue).await?;
    let filter = selection::filter(purge.filter.as_deref(), "purge", cloud)?;
    let ids = purge.ids.as_deref().map(ids::listed).transpose()?;
    let mut plan = planner.draft();
    let total = queue.counts.total();
    plan.resource = Text::line(queue.name.as_str());
    plan.empty = total == 0;
    plan.fact(labels::FROM, format!("{} ({})", queue.name, queue.kind));
    plan.fact(labels::MESSAGES, selection::count_words(queue.counts));
    plan.fact(labels::ENGINE, "client-side: each message stands in the snapshot before it is deleted");
    if let Some(filter) = &purge.filter {
        plan.fact(labels::ONLY_WHERE, filter);
    }
    plan.change("messages are deleted; a restore can put them back from the snapshot, as new messages");
    if queue.counts.in_flight > 0 {
        let in_flight = counted_is(queue.counts.in_flight, "message", "is", "are");
        plan.warn(format!("~{in_flight} in flight: somebody reads this queue"));
    }
    let selection = Selection { filter: filter.as_ref(), ids: ids.as_ref(), limit: purge.limit };
    if queue.redrive.is_some() && selection.is_selective() {
        plan.warn("this queue has a DLQ: messages that are left have one receive more");
    }
    ids::observe(ids.as_ref(), &mut plan);
    // Of a whole queue nobody needs to see a few messages.
    let look = if selection.is_selective() { planner.look } else { Look::Never };
    let sampled = selection.look(cloud, &queue, look).await;
    selection.tell(&sampled, total, &mut plan);
    let how_many = plan.how_many.as_ref().map_or("", Text::as_str);
    plan.summary = Text::line(&format!("delete {how_many} of {} for good", queue.name));
    let messages = plan.messages_estimate;
    let received = if selection.is_selective() { total.max(messages) } else { messages };
    let (receives, batches) = (received.div_ceil(10), messages.div_ceil(10));
    plan.call("sqs:ReceiveMessage", None, receives + 2);
    plan.call("sqs:DeleteMessage", None, batches);
    plan.dollars_estimate = (receives + batches) as f64 * 0.5 / 1e6;
    plan.seconds_estimate = Some(received.div_ceil(2_000));
    plan.observe("from: arn", &queue.arn);
    plan.observe("from: type", queue.kind);
    for Unsettled { run, .. } in planner.unsettled_runs(cloud, &queue)? {
        plan.warn(format!("run {run} on this queue has not ended; after this it can't be resumed in full"));
    }
    let selective = selection.is_selective();
    let messages_estimate = selection.bound(total).min(total);
    let settings = Settings { limit: purge.limit, selective, ..Settings::of_all(queue.kind) };
    let judge = Judge { ids, ..Judge::new(Route::Nowhere, Vec::new(), filter, cloud.clock()) };
    let transfer = ClientSide::new(Source::Queue(queue.url), settings, judge, messages_estimate);
    Ok(Planned { plan, bound: Bound::ClientSide(Box::new(transfer)) })
}
