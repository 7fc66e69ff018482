//! Purge: every message of a queue is deleted, each after it stands in a snapshot.

use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Bound, Counts, Left, Look, OperationError, Planned, Planner, Verb,
    bound::ClientSide,
    resolve,
    selection::Selection,
    transfer::{Judge, LANES_MAX, Park, Resume, Route, Settings, Source},
    values::{BounceMax, Ramp, Uncertain},
};
use crate::{
    cloud::Cloud,
    domain::{AccountId, Queue, Text, words::counted_is},
    journal::History,
    messages::filter::Filter,
    operations::plan::{Call, Fact},
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
    /// Delete at most this many messages
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
}

/// Observes and plans.
impl Verb for Purge {
    fn subject(&self) -> &str {
        &self.queue
    }

    fn counts(&self) -> Counts {
        Counts::Messages
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
    let filter = purge.filter.as_deref().map(Filter::open).transpose().map_err(|error| {
        OperationError::usage(&format!("the filter can't be used: {error}"), "see `opsctl purge --help`")
    })?;
    let mut plan = planner.draft();
    let total = queue.counts.total();
    plan.resource = Text::line(queue.name.as_str());
    plan.empty = total == 0;
    let mut fact =
        |label: &str, value: String| plan.facts.push(Fact { label: label.to_owned(), value: Text::line(&value) });
    fact("from", format!("{} ({})", queue.name, queue.kind));
    let counts = queue.counts;
    fact(
        "messages",
        format!("~{} visible, ~{} in flight, ~{} delayed", counts.visible, counts.in_flight, counts.delayed),
    );
    fact("engine", "client-side: each message stands in the snapshot before it is deleted".to_owned());
    if let Some(filter) = &purge.filter {
        fact("only where", filter.clone());
    }
    plan.changes
        .push(Text::from("messages are deleted; a restore can put them back from the snapshot, as new messages"));
    if counts.in_flight > 0 {
        plan.warnings.push(Text::line(&format!(
            "~{} in flight: somebody reads this queue",
            counted_is(counts.in_flight, "message", "is", "are")
        )));
    }
    if queue.redrive.is_some() && purge.filter.is_some() {
        plan.warnings.push(Text::from("this queue has a DLQ: messages that the filter leaves have one receive more"));
    }
    let selection = Selection { filter: filter.as_ref(), ids: None, limit: purge.limit };
    // Of a whole queue nobody needs to see a few messages.
    let look = if selection.is_selective() { planner.look } else { Look::Never };
    let sampled = selection.look(cloud, &queue, look).await;
    selection.tell(&sampled, total, &mut plan);
    let how_many = plan.how_many.as_ref().map_or("", Text::as_str);
    plan.summary = Text::line(&format!("delete {how_many} of {} for good", queue.name));
    let messages = plan.messages_estimate;
    let received = if selection.is_selective() { total.max(messages) } else { messages };
    let (receives, batches) = (received.div_ceil(10), messages.div_ceil(10));
    for (action, times_estimate) in [("sqs:ReceiveMessage", receives + 2), ("sqs:DeleteMessage", batches)] {
        let resource = Text::line(queue.name.as_str());
        plan.calls.push(Call { action: action.to_owned(), resource, times_estimate });
    }
    plan.dollars_estimate = (receives + batches) as f64 * 0.5 / 1e6;
    plan.seconds_estimate = Some(received.div_ceil(2_000));
    plan.observed.insert("from: arn".to_owned(), queue.arn.to_string());
    plan.observed.insert("from: type".to_owned(), queue.kind.to_string());
    for unsettled in planner.unsettled_runs(cloud, &queue)? {
        let run = &unsettled.run;
        plan.warnings.push(Text::line(&format!(
            "run {run} on this queue has not ended; after this it can't be resumed in full"
        )));
    }
    let bound = Bound::ClientSide(Box::new(client_side(&queue, purge, filter, cloud)));
    Ok(Planned { plan, bound })
}

fn client_side(queue: &Queue, purge: &Purge, filter: Option<Filter>, cloud: &Cloud) -> ClientSide {
    let settings = Settings {
        // The run adds it.
        account: AccountId(String::new()),
        source: queue.kind,
        destinations: Vec::new(),
        lanes: LANES_MAX,
        batch_max: 10,
        visibility_seconds: 60,
        cutoff: Timestamp::MAX,
        limit: purge.limit,
        rate: None,
        selective: filter.is_some(),
        park: false,
        ramp: Ramp::none(),
        bounce_max: BounceMax::Percent(100),
        watch_seconds: 0,
        settle_seconds: 10,
        resume: Resume::default(),
    };
    let judge = Judge {
        destinations: Vec::new(),
        route: Route::Nowhere,
        park: Park::Leave,
        filter,
        ids: None,
        editor: None,
        mark: None,
        run: String::new(),
        clock: cloud.clock(),
        used: Mutex::default(),
    };
    ClientSide {
        source: Source::Queue(queue.url.clone()),
        destinations: Arc::from([]),
        settings,
        judge,
        mark: false,
        snapshot: true,
        park_file: None,
        messages_estimate: purge.limit.unwrap_or(u64::MAX).min(queue.counts.total()),
        uncertain: Uncertain::Leave,
    }
}
