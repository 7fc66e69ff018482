//! Carries out what was approved: journal the intent, verify the account, observe again, compare, do, journal the outcome.
//!
//! Nothing else in the program changes anything in AWS.

mod around;
mod consumers;
mod details;
mod failover;
mod helps;
mod left;
mod managed;
mod migrate;
mod once;
mod park_file;
mod receipts;
mod report;
mod restored;
mod rows;
mod scale;
mod toggle;
mod transfer;
mod verify;
pub mod words;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

pub use crate::journal::End;
pub use consumers::{Switched, brings_back};
pub use details::{Details, Doing, Turned};
pub use failover::{Answered, FailedOver};
pub use migrate::{Migrated, exit_code_of};
pub use once::used;
pub use report::{Ended, Failure, Report, SCHEMA};
pub use rows::RowTally;
pub use toggle::Toggled;

use crate::{
    cloud::Cloud,
    domain::{Environment, LogLine, RunId, ServiceId, Text, Try},
    gate::{Answer, Approved, Consent},
    journal::{Consented, History, Journal, JournalError, Record, StateFolder},
    operations::{
        Bound, Look, Moves, OperationError, Planned, Planner,
        plan::{Plan, Remark},
        recorded,
    },
};

/// Clocks that differ by less agree.
const CLOCKS_AGREE: Duration = Duration::from_secs(3);

#[derive(Clone)]
pub struct Context {
    pub cloud: Cloud,
    pub state: StateFolder,
    /// A random number: the run's id and the plan that is made again come from it.
    pub random: u64,
    /// The run that starts this one as a part of it.
    pub parent: Option<RunId>,
    /// Asks the run to stop; it finishes what is in hand.
    pub cancel: CancellationToken,
    /// Told what has been done so far; must not block.
    pub progress: Arc<dyn Fn(&Progress) + Send + Sync>,
}

impl Context {
    fn environment(&self) -> &Environment {
        self.cloud.environment()
    }

    fn now(&self) -> Timestamp {
        self.cloud.clock().now()
    }

    async fn pause(&self, pause: Duration) {
        let clock = self.cloud.clock();
        tokio::select! { () = clock.sleep(pause) => {}, () = self.cancel.cancelled() => {} }
    }

    /// Tells how far the run is, and in words what it is at.
    fn tell(&self, report: &Report, estimate: u64, doing: Doing, (task, news): (&str, Vec<Text>)) {
        let progress = Progress::of(report, self.now(), estimate, doing);
        (self.progress)(&Progress { task: Some(Text::line(task)), news, ..progress });
    }
}

#[derive(Debug, Clone)]
pub struct Progress {
    pub run: RunId,
    /// So many in all of what is counted; of messages about.
    pub estimate: u64,
    pub started_at: Timestamp,
    pub at: Timestamp,
    pub doing: Doing,
    /// What a move task says of itself, or which services are waited for.
    pub task: Option<Text>,
    /// What has happened since the last time, each told once.
    pub news: Vec<Text>,
    /// Lines of a log that is followed, since the last time, each told once.
    pub log: Vec<LogLine>,
}

impl Progress {
    /// Of a run of which nothing is known yet.
    pub(super) fn of(report: &Report, at: Timestamp, estimate: u64, doing: Doing) -> Self {
        let (run, started_at) = (report.run.clone(), report.started_at);
        Self { run, estimate, started_at, at, doing, task: None, news: Vec::new(), log: Vec::new() }
    }
}

/// A service that is woken or put to sleep, as it was seen last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awaited {
    pub service: ServiceId,
    /// Its stage, from 1.
    pub stage: usize,
    /// Tasks that run; none: not looked at yet.
    pub running: Option<u32>,
    pub from: u32,
    pub to: u32,
    pub how: How,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Its stage is not begun.
    Later,
    Waiting,
    Done,
    Failed,
}

/// Carries out an approved plan. Every failure is in the report.
pub async fn execute(approved: Approved, context: &Context) -> Report {
    let started_at = context.now();
    let cutoff = aws_time(context, started_at).await;
    let run = RunId::new(started_at, context.random as u32);
    let mut report = Report::new(&run, approved.plan(), started_at, context.environment());
    let claimed = match once::claim(&approved, None, context).await {
        Ok(claimed) => claimed,
        Err(not_opened) => return report.not_opened(not_opened),
    };
    let opened = context.state.create(&run).and_then(|folder| Journal::create(folder, context.cloud.clock()));
    let journal = match opened {
        Ok(journal) => journal,
        Err(error) => return report.refused_by_journal(&error),
    };
    report.journal_at(journal.folder());
    let records = vec![opened_record(&run, &approved, cutoff, context.parent.clone())];
    if let Err(error) = journal.write(records, Vec::new()).await {
        return report.refused_by_journal(&error);
    }
    drop(claimed);
    let history = History { cutoff: Some(cutoff), ..History::default() };
    Box::pin(carry_out(approved, context, journal, history, report)).await
}

/// What AWS's clock shows: messages carry its times, and this machine's may be wrong. The SDK notes the difference with any answer.
async fn aws_time(context: &Context, now: Timestamp) -> Timestamp {
    let identity = &context.cloud.identity;
    if identity.clock_skew().is_none() {
        // A failure shows again, in full, when the account is verified.
        let _ = identity.caller().await;
    }
    // The `Date` of an answer has whole seconds, and took its time.
    let skew = identity.clock_skew().filter(|skew| skew.unsigned_abs() > CLOCKS_AGREE);
    now.checked_add(skew.unwrap_or_default()).unwrap_or(now)
}

/// Takes up a run that broke off or left something: its plan is approved anew.
///
/// # Errors
/// The run's journal can't be read, or another process works on it.
pub async fn resume(run: &RunId, approved: Approved, context: &Context) -> Result<Report, JournalError> {
    let folder = context.state.open(run)?;
    let claimed = match once::claim(&approved, Some(run.as_str()), context).await {
        Ok(claimed) => claimed,
        Err(not_opened) => {
            return Ok(Report::new(run, approved.plan(), context.now(), context.environment()).not_opened(not_opened));
        }
    };
    let (journal, mut history) = Journal::reopen(folder, context.cloud.clock())?;
    history.is_resumed = true;
    let mut report = Report::new(run, approved.plan(), context.now(), context.environment());
    report.command = report.resume_line(context.environment());
    report.journal_at(journal.folder());
    // Should it not begin, what the earlier try left is still so.
    report.left_before(&history);
    let now = context.now();
    let aws_now = aws_time(context, now).await;
    history.take_up(now, aws_now);
    let consent = approved.consent();
    let record = Record::Resumed { by: consent.by.clone(), reason: consent.reason.clone(), aws_time: Some(aws_now) };
    if let Err(error) = journal.write(vec![record], Vec::new()).await {
        return Ok(consumers::say_still_paused(report.refused_by_journal(&error), context));
    }
    drop(claimed);
    Ok(Box::pin(carry_out(approved, context, journal, history, report)).await)
}

/// The plan of an earlier run, as its journal has it; its counts say what is left.
///
/// # Errors
/// The journal can't be read, or has no plan that this version understands.
pub fn plan_of(state: &StateFolder, run: &RunId) -> Result<Plan, OperationError> {
    let history = History::read(&state.open(run)?)?;
    if let Some(runbook) = &history.runbook {
        let what = format!("run {run} is a run of the runbook {runbook}");
        return Err(OperationError::usage(
            &what,
            Try::UseOther.says("resume it as a runbook, or resume one of the runs of its steps"),
        ));
    }
    if history.plan.is_null() {
        // Killed between making the journal and writing its first line: nothing is done before that.
        let what = format!("run {run} was stopped before it did anything");
        return Err(OperationError::usage(&what, Try::RunAgain.says("give its command again: it starts a new run")));
    }
    let mut plan = recorded((run, "plan"), &history.plan, "start a new run")?;
    left::say_what_is_left(&mut plan, run, &history)?;
    Ok(plan)
}

fn opened_record(run: &RunId, approved: &Approved, cutoff: Timestamp, parent: Option<RunId>) -> Record {
    let Consent { by, answer, reason } = approved.consent().clone();
    let how = match answer {
        Answer::None => Consented::None,
        Answer::Yes => Consented::Yes,
        Answer::Typed(_) => Consented::Typed,
        Answer::Fingerprint(_) => Consented::Fingerprint,
    };
    let plan =
        serde_json::to_value(approved.plan().for_record()).unwrap_or_else(|error| unreachable!("plain data: {error}"));
    Record::Opened {
        run: run.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        plan: Box::new(plan),
        by,
        how,
        reason,
        cutoff,
        parent,
    }
}

async fn carry_out(
    approved: Approved,
    context: &Context,
    journal: Journal,
    history: History,
    report: Report,
) -> Report {
    let report = match Box::pin(observe_again(&approved, context, &journal)).await {
        Ok(mut planned) => {
            // A resume goes on for the reason that the run was begun for, unless it has one of its own.
            let reason = approved.consent().reason.as_ref().or(history.reason.as_ref());
            planned.bound.because(reason.map(ToString::to_string));
            Box::pin(act(planned, context, &journal, history, report)).await.with_unmet()
        }
        // An earlier try may have paused consumers, and nobody brings them back now.
        Err(not_begun) => consumers::say_still_paused(report.not_begun(not_begun, context.environment()), context),
    };
    match journal.close(vec![report.for_journal()]).await {
        Ok(()) => report,
        Err(error) => report.unrecorded(&error),
    }
}

enum NotBegun {
    WrongAccount { actual: String },
    Stale(Vec<Text>),
    Blocked(Vec<Remark>),
    Failed(OperationError),
}

/// Verifies the account and observes once more, right before acting.
async fn observe_again(approved: &Approved, context: &Context, journal: &Journal) -> Result<Planned, NotBegun> {
    let cloud = &context.cloud;
    let plan = approved.plan();
    let planner = Planner {
        resuming: Some(journal.folder().run().clone()),
        moves: Moves::by(plan),
        ..Planner::new(context.state.clone(), context.random.rotate_left(32), Look::Never)
    };
    let planning = planner.plan(&plan.operation, cloud);
    // Both are right before the first write, and neither waits for the other.
    let (caller, planned) = tokio::join!(cloud.identity.caller(), planning);
    let caller = caller.map_err(|error| NotBegun::Failed(error.into()))?;
    let arn = Text::line(&caller.arn);
    let verified = Record::Verified { account: caller.account.clone(), arn };
    journal.write(vec![verified], Vec::new()).await.map_err(|error| NotBegun::Failed(error.into()))?;
    let pinned = cloud.environment().account.as_ref();
    if caller.account != approved.plan().account || pinned.is_some_and(|pinned| *pinned != caller.account) {
        return Err(NotBegun::WrongAccount { actual: caller.account.to_string() });
    }
    let mut planned = planned.map_err(NotBegun::Failed)?;
    // It was looked when the plan was made; now nobody looks.
    planned.bound.expect_at_most(plan.messages_estimate);
    if planned.plan.fingerprint != approved.plan().fingerprint {
        return Err(NotBegun::Stale(approved.plan().differences(&planned.plan)));
    }
    if !planned.plan.blockers.is_empty() {
        return Err(NotBegun::Blocked(planned.plan.blockers));
    }
    Ok(planned)
}

async fn act(planned: Planned, context: &Context, journal: &Journal, history: History, report: Report) -> Report {
    match planned.bound {
        Bound::Around(consumers, inner) => {
            let inner = |report| drive(*inner, context, journal, history, report);
            around::run(consumers, context, journal, report, inner).await
        }
        bound => drive(bound, context, journal, history, report).await,
    }
}

async fn drive(bound: Bound, context: &Context, journal: &Journal, history: History, report: Report) -> Report {
    match bound {
        Bound::Managed(task) => Box::pin(managed::run(task, context, journal, &history, report)).await,
        Bound::ClientSide(transfer) => Box::pin(transfer::run(*transfer, context, journal, history, report)).await,
        Bound::FailOver(bound) => Box::pin(failover::run(*bound, context, journal, &history, report)).await,
        Bound::Migrate(bound) => Box::pin(migrate::run(*bound, context, journal, &history, report)).await,
        Bound::Restore(put_back) => Box::pin(restored::run(*put_back, context, journal, history, report)).await,
        Bound::Scale(scale) => Box::pin(scale::run(scale, context, journal, report)).await,
        Bound::Consumers(consumers) => Box::pin(consumers::run(consumers, context, journal, report)).await,
        Bound::Rows(bound) => Box::pin(rows::run(*bound, context, journal, &history, report)).await,
        Bound::RowsBack(back) => Box::pin(rows::put_back(*back, context, journal, report)).await,
        Bound::Toggle(toggle) => Box::pin(toggle::run(toggle, context, journal, report)).await,
        Bound::Around(..) => unreachable!("consumers are paused around one thing, which `act` has taken apart"),
    }
}
