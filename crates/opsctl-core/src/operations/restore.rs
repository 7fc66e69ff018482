//! Restore: messages of a run's snapshot go back to the queue that the run took them from.

mod gather;

use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Bound, Counts, Left, OperationError, Planned, Planner, Verb,
    bound::{ClientSide, PutBack},
    resolve,
    transfer::{Destination, Judge, LANES_MAX, Park, Resume, Route, Settings, Shelf, Source},
    values::{BounceMax, Ramp, Uncertain},
};
use crate::{
    cloud::Cloud,
    domain::{AccountId, Environment, EnvironmentName, Queue, QueueKind, QueueUrl, RunId, Text, words::counted},
    journal::{History, JournalError, StateFolder},
    messages::filter::Filter,
    operations::plan::{Call, Fact, Plan},
};
use gather::{Gathered, Others, gather};

/// Hiding never lapses in a snapshot; years are enough.
const VISIBILITY_SECONDS: u32 = 1_000_000_000;

/// The name of no run.
const NO_RUN: &str = "00000000T000000-000000";

/// Put the messages of a run's snapshot back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct Restore {
    /// Run whose snapshot is put back
    #[arg(
        value_name = "RUN",
        required_unless_present = "resume",
        default_value = NO_RUN,
        hide_default_value = true
    )]
    pub run: RunId,
    /// Send to this queue instead of the one that the messages were taken from
    #[arg(long, value_name = "QUEUE")]
    pub to: Option<String>,
    /// Restore only messages for which this jq expression is true, or the one in a file, as `file:PATH`
    #[arg(long = "where", value_name = "FILTER")]
    pub filter: Option<String>,
    /// Restore also messages of which it is not known whether the run deleted them
    #[arg(long)]
    #[serde(default)]
    pub perhaps: bool,
    /// Restore also messages that an earlier restore has put back: they are there twice then
    #[arg(long)]
    #[serde(default)]
    pub again: bool,
    /// Restore what is intact of a snapshot that was damaged
    #[arg(long)]
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub intact: bool,
    /// With --resume: what becomes of messages whose sending had no clear answer
    #[arg(long, value_enum, default_value_t)]
    #[serde(default, skip_serializing_if = "Uncertain::is_default")]
    pub uncertain: Uncertain,
}

impl Default for Restore {
    fn default() -> Self {
        Self::of(NO_RUN.parse().unwrap_or_else(|because| unreachable!("{because}")))
    }
}

impl Verb for Restore {
    fn subject(&self) -> &str {
        self.run.as_str()
    }

    fn subject_arguments(&self) -> &'static [&'static str] {
        &["run"]
    }

    /// Named by the queues that its snapshot came from.
    fn typed(&self) -> Option<&str> {
        None
    }

    fn counts(&self) -> Counts {
        Counts::Messages
    }

    fn filter(&self) -> Option<&str> {
        self.filter.as_deref()
    }

    fn uncertain(&self) -> Option<Uncertain> {
        Some(self.uncertain)
    }

    fn decide_uncertain(&mut self, uncertain: Uncertain) {
        self.uncertain = uncertain;
    }

    /// Where the snapshot was taken.
    fn environment(&self, state: &StateFolder) -> Result<Option<EnvironmentName>, JournalError> {
        let history = History::read(&state.open(&self.run)?)?;
        Ok(history.plan.get("environment").and_then(|name| name.as_str()).map(|name| EnvironmentName(name.to_owned())))
    }

    fn left(&self, history: &History) -> Left {
        Left::Messages { done: history.sent.len() as u64 }
    }

    fn plan<'a>(&'a self, cloud: &'a Cloud, planner: &'a Planner) -> BoxFuture<'a, Result<Planned, OperationError>> {
        Box::pin(plan(self, cloud, planner))
    }
}

impl Restore {
    /// All of a run's messages, back to where they were taken from.
    pub fn of(run: RunId) -> Self {
        let uncertain = Uncertain::default();
        Self { run, to: None, filter: None, perhaps: false, again: false, intact: false, uncertain }
    }
}

/// How many messages of a run other restores than this one have put back, or may have.
///
/// # Errors
/// A journal can't be read.
pub fn settled_by_others(state: &StateFolder, run: &RunId, own: &RunId) -> Result<usize, JournalError> {
    Ok(Others::read(state, run, Some(own))?.settled())
}

/// Observes and plans.
async fn plan(restore: &Restore, cloud: &Cloud, planner: &Planner) -> Result<Planned, OperationError> {
    let filter = restore.filter.as_deref().map(Filter::open).transpose().map_err(|error| {
        OperationError::usage(&format!("the filter can't be used: {error}"), "see `opsctl restore --help`")
    })?;
    let now = cloud.clock().now();
    let gathered =
        gather(restore, &planner.state, planner.resuming.as_ref(), filter.as_ref(), cloud.environment(), now)?;
    let total = gathered.lines.len() as u64;
    let mut plan = planner.draft();
    let to = match (&restore.to, &gathered.from) {
        (Some(to), _) => Some(resolve::queue(cloud, to).await?),
        (None, Some(from)) => Some(resolve::queue(cloud, from.as_str()).await?),
        (None, None) => None,
    };
    if let Some(queue) = &to {
        plan.observed.insert(format!("to {}: arn", queue.name), queue.arn.to_string());
        if queue.kind == QueueKind::Fifo {
            plan.warnings
                .push(Text::line(&format!("{} is FIFO: messages come behind those that lie there", queue.name)));
        }
    }
    let name = to.as_ref().map(|queue| queue.name.to_string()).unwrap_or_default();
    plan.resource = Text::line(if name.is_empty() { restore.run.as_str() } else { &name });
    plan.empty = total == 0 && gathered.left_out.is_nothing();
    plan.summary = Text::line(&format!("put {} of run {} back into {name}", counted(total, "message"), restore.run));
    for (label, value) in [("run", restore.run.to_string()), ("to", name), ("messages", total.to_string())] {
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
    // What was agreed to stays agreed to when the rest of it is taken up.
    plan.observed.insert("messages".to_owned(), gathered.agreed.unwrap_or(total).to_string());
    warn(&mut plan, restore, &gathered, cloud.environment());
    let bound = bind(restore, cloud, planner, filter, to, gathered)?;
    Ok(Planned { plan, bound: Bound::Restore(Box::new(bound)) })
}

/// What is left out and why, and what forbids it.
fn warn(plan: &mut Plan, restore: &Restore, gathered: &Gathered, environment: &Environment) {
    let Gathered { left_out, put_back, damage, busy, .. } = gathered;
    if left_out.perhaps > 0 {
        let perhaps = format!("{} that the run may or may not have deleted", counted(left_out.perhaps, "message"));
        let text = match restore.perhaps {
            true => format!("put back as well: {perhaps}; those that it had not are there twice then"),
            false => {
                format!("left out: {perhaps}; `{}` finds out, --perhaps puts them back in any case", left_out.settle)
            }
        };
        plan.warnings.push(Text::line(&text));
    }
    for (run, count) in put_back {
        let count = counted(*count, "message");
        let text = format!("left out: {count} that restore {run} has put back; --again puts them back twice");
        plan.warnings.push(Text::line(&text));
    }
    for (run, count) in &left_out.in_doubt {
        let count = counted(*count, "message");
        let text = format!(
            "left out: {count} that restore {run} may have put back; `{}` decides on them",
            environment.command(&format!("restore --resume {run}"))
        );
        plan.warnings.push(Text::line(&text));
    }
    for run in busy {
        plan.blockers
            .push(Text::line(&format!("run {run} is still at work on these messages: wait until it has ended")));
    }
    if !damage.is_none() {
        let words: Vec<String> = damage.words().iter().map(Text::to_string).collect();
        let text = format!("the snapshot of run {} is not as the journal has it: {}", restore.run, words.join("; "));
        match restore.intact {
            true => plan.warnings.push(Text::line(&format!("{text}; only what is intact is put back"))),
            false => plan.blockers.push(Text::line(&format!(
                "{text}; see `{}`; --intact puts back the {} that are intact",
                environment.invocation.command(&format!("journal verify {}", restore.run)),
                counted(gathered.lines.len() as u64, "message")
            ))),
        }
    }
}

fn bind(
    restore: &Restore,
    cloud: &Cloud,
    planner: &Planner,
    filter: Option<Filter>,
    to: Option<Queue>,
    gathered: Gathered,
) -> Result<PutBack, OperationError> {
    let kind = to.as_ref().map_or(QueueKind::Standard, |queue| queue.kind);
    let messages_estimate = gathered.lines.len() as u64;
    let path = planner.state.open(&restore.run)?.snapshot();
    let shelf = Shelf::open(&path, gathered.lines, kind)?;
    let settings = Settings {
        // The run adds it.
        account: AccountId(String::new()),
        // The snapshot keeps the order that its destination keeps.
        source: kind,
        destinations: to.iter().map(|queue| (queue.url.0.clone(), queue.kind)).collect(),
        lanes: LANES_MAX,
        batch_max: 10,
        visibility_seconds: VISIBILITY_SECONDS,
        cutoff: Timestamp::MAX,
        limit: None,
        rate: None,
        selective: false,
        park: false,
        ramp: Ramp::none(),
        bounce_max: BounceMax::Percent(100),
        watch_seconds: 0,
        settle_seconds: 0,
        resume: Resume::default(),
    };
    let urls: Arc<[QueueUrl]> = to.iter().map(|queue| queue.url.clone()).collect();
    let judge = Judge {
        // Group and deduplication id are the messages' own: two that differ in these only were two messages.
        destinations: to.into_iter().map(|queue| Destination { keys: None, queue }).collect(),
        route: Route::To(0),
        park: Park::Leave,
        // Which ones is decided; what it fails on is left, and what follows that in its group.
        filter: filter.filter(|_| gathered.filter_fails),
        ids: None,
        editor: None,
        mark: None,
        run: String::new(),
        clock: cloud.clock(),
        used: Mutex::default(),
    };
    let mut left_out = gathered.left_out;
    if restore.perhaps {
        left_out.perhaps = 0;
    }
    let transfer = ClientSide {
        source: Source::Snapshot(Arc::new(shelf)),
        destinations: urls,
        settings,
        judge,
        mark: false,
        snapshot: false,
        park_file: None,
        messages_estimate,
        uncertain: restore.uncertain,
    };
    let settled_by_others = gathered.settled_by_others;
    Ok(PutBack { run: restore.run.clone(), transfer, settled_by_others, left_out })
}
