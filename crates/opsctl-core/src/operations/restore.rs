//! Restore: messages of a run's snapshot go back to the queue that the run took them from.

mod gather;

use std::{path::PathBuf, sync::Arc};

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::{
    Bound, Left, OperationError, Planned, Planner, Verb,
    bound::{ClientSide, PutBack},
    ids, resolve,
    rows::put_back,
    selection,
    transfer::{Destination, Judge, Route, Settings, Shelf, Source},
    values::Uncertain,
};
use crate::{
    cloud::Cloud,
    domain::{
        Environment, EnvironmentName, Queue, QueueKind, RunId, Text, Try,
        words::{counted, counted_is, some_of},
    },
    journal::{History, JournalError, StateFolder},
    messages::filter::Filter,
    operations::plan::{Plan, Remark, labels},
};
use gather::{Gathered, Others, gather};

/// Hiding never lapses in a snapshot; years are enough.
const VISIBILITY_SECONDS: u32 = 1_000_000_000;

/// Ids named that nothing was found of; the rest are counted.
const UNMET_NAMED_MAX: usize = 20;

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
    /// Restore only messages whose ids stand in this file: one a line, a list, JSON as the AWS CLI and jq print it, or a CSV column
    #[arg(long, value_name = "FILE")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids: Option<PathBuf>,
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

    fn ids(&self) -> Option<&std::path::Path> {
        self.ids.as_deref()
    }

    fn take_ids_from(&mut self, file: PathBuf) {
        self.ids = Some(file);
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
        Self { run, to: None, filter: None, ids: None, perhaps: false, again: false, intact: false, uncertain }
    }
}

/// How many messages of a run other restores than this one have put back, or may have.
pub fn settled_by_others(state: &StateFolder, run: &RunId, own: &RunId) -> Result<usize, JournalError> {
    Ok(Others::read(state, run, Some(own))?.settled())
}

async fn plan(restore: &Restore, cloud: &Cloud, planner: &Planner) -> Result<Planned, OperationError> {
    if let Some(planned) = put_back::plan(restore, cloud, planner).await? {
        return Ok(planned);
    }
    let filter = selection::filter(restore.filter.as_deref(), "restore", cloud)?;
    let ids = restore.ids.as_deref().map(ids::listed).transpose()?;
    let gathered = gather(restore, planner, (filter.as_ref(), ids.as_ref()), cloud)?;
    let total = gathered.lines.len() as u64;
    let mut plan = planner.draft();
    let to = match (&restore.to, &gathered.from) {
        (Some(to), _) => Some(resolve::queue(cloud, to).await?),
        (None, Some(from)) => Some(resolve::queue(cloud, from.as_str()).await?),
        (None, None) => None,
    };
    if let Some(queue) = &to {
        selection::delayed(queue).into_iter().for_each(|delayed| plan.warn(delayed));
        plan.observe(format!("to {}: arn", queue.name), &queue.arn);
        if queue.kind == QueueKind::Fifo {
            plan.warn(format!("{} is FIFO: messages come behind those that lie there", queue.name));
        }
    }
    let name = to.as_ref().map(|queue| queue.name.to_string()).unwrap_or_default();
    plan.resource = Text::line(if name.is_empty() { restore.run.as_str() } else { &name });
    plan.empty = total == 0 && gathered.left_out.is_nothing();
    plan.summary = Text::line(&format!("put {} of run {} back into {name}", counted(total, "message"), restore.run));
    plan.fact(labels::RUN, restore.run.as_str());
    plan.fact(labels::TO, name);
    plan.fact(labels::MESSAGES, total.to_string());
    plan.change("messages get new ids and send times; where the run sent them elsewhere, they are there as well");
    plan.call("sqs:SendMessage", None, total.div_ceil(10));
    plan.dollars_estimate = total.div_ceil(10) as f64 * 0.5 / 1e6;
    plan.messages_estimate = total;
    plan.seconds_estimate = Some(total.div_ceil(500));
    plan.observe("run", &restore.run);
    // What was agreed to stays agreed to when the rest of it is taken up.
    plan.observe("messages", gathered.agreed.unwrap_or(total));
    warn(&mut plan, restore, &gathered, cloud.environment());
    let bound = bind(restore, cloud, planner, filter, to, gathered)?;
    Ok(Planned { plan, bound: Bound::Restore(Box::new(bound)) })
}

/// What is left out and why, and what forbids it.
fn warn(plan: &mut Plan, restore: &Restore, gathered: &Gathered, environment: &Environment) {
    let Gathered { left_out, put_back, damage, busy, .. } = gathered;
    if left_out.perhaps > 0 {
        let perhaps = format!("{} that the run may or may not have deleted", counted(left_out.perhaps, "message"));
        let finds_out = format!("`{}` finds out, --perhaps puts them back in any case", left_out.settle);
        plan.warn(match restore.perhaps {
            true => format!("put back as well: {perhaps}; those that it had not are there twice then").into(),
            false => Remark::new(format!("left out: {perhaps}"), Try::Resume.says(finds_out)),
        });
    }
    if !gathered.unmet.is_empty() {
        let count = counted_is(gathered.unmet.len() as u64, "id", "is", "are");
        let names = some_of(gathered.unmet.iter().map(String::as_str), UNMET_NAMED_MAX);
        plan.warn(format!("{count} not among the messages that the run took out of its queue: {names}"));
        plan.unmet = gathered.unmet.iter().map(|id| Text::line(id)).collect();
    }
    for (run, count) in put_back {
        let count = counted(*count, "message");
        plan.warn((
            format!("left out: {count} that restore {run} has put back"),
            Try::GiveOther.says("--again puts them back twice"),
        ));
    }
    for (run, count) in &left_out.in_doubt {
        let (count, resume) = (counted(*count, "message"), environment.command(&format!("restore --resume {run}")));
        plan.warn((
            format!("left out: {count} that restore {run} may have put back"),
            Try::Resume.says(format!("`{resume}` decides on them")),
        ));
    }
    for run in busy {
        plan.block((
            format!("run {run} is still at work on these messages"),
            Try::WaitForOther.says("wait until it has ended"),
        ));
    }
    if !damage.is_none() {
        let words: Vec<String> = damage.words().iter().map(Text::to_string).collect();
        let text = format!("the snapshot of run {} is not as the journal has it: {}", restore.run, words.join("; "));
        match restore.intact {
            true => plan.warn(format!("{text}; only what is intact is put back")),
            false => {
                let verify = environment.invocation.command(&format!("journal verify {}", restore.run));
                let intact = counted(gathered.lines.len() as u64, "message");
                let look = format!("look with `{verify}`; --intact puts back the {intact} that are intact");
                plan.block((text, Try::VerifyJournal.says(look)));
            }
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
    // The snapshot keeps the order that its destination keeps.
    let settings = Settings { visibility_seconds: VISIBILITY_SECONDS, settle_seconds: 0, ..Settings::of_all(kind) };
    // Group and deduplication id are the messages' own: two that differ in these only were two messages.
    let destinations = to.into_iter().map(|queue| Destination { keys: None, queue }).collect();
    // Which ones is decided; what it fails on is left, and what follows that in its group.
    let filter = filter.filter(|_| gathered.filter_fails);
    let judge = Judge::new(Route::To(0), destinations, filter, cloud.clock());
    let mut left_out = gathered.left_out;
    if restore.perhaps {
        left_out.perhaps = 0;
    }
    let transfer = ClientSide::new(Source::Snapshot(Arc::new(shelf)), settings, judge, messages_estimate);
    let transfer = ClientSide { snapshot: false, uncertain: restore.uncertain, ..transfer };
    let settled_by_others = gathered.settled_by_others;
    Ok(PutBack { run: restore.run.clone(), transfer, settled_by_others, left_out })
}
