//! A run of SQS's own move task: started once, followed, cancelled, found again after a lost answer.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Context, Doing, End, Failure, Report};
use crate::{
    cloud::{
        CloudError, ErrorKind,
        sqs::{MoveStatus, MoveTask},
    },
    domain::{Advice, Environment, Text, Try, words::counted_is},
    journal::{History, Journal, Record},
    operations::{
        bound::Managed,
        transfer::{Stop, Tally},
    },
};

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Looks for a task after a lost answer.
const LOOKS_MAX: u32 = 10;
/// Failed looks in a row while following.
const FAILURES_MAX: u32 = 20;
const START: &str = "sqs:StartMessageMoveTask";
/// A task that started later than this after the asking is somebody else's.
const START_SECONDS_MAX: i64 = 600;

pub(super) async fn run(
    task: Managed,
    context: &Context,
    journal: &Journal,
    history: &History,
    report: Report,
) -> Report {
    let run = Run { task: &task, context, journal };
    let found = match (history.task_started_at, &history.task_intended) {
        (Some(started_at), _) => run.find(|task| task.started_at == Some(started_at)).await,
        (None, Some((asked_at, known))) => match run.find(|task| run.is_new(task, *asked_at, known)).await {
            Ok(None) => run.start_at_last().await,
            found => found,
        },
        (None, None) => run.start().await,
    };
    match found {
        Ok(Some(first)) => run.follow(first, report).await,
        Ok(None) => run.not_found(report),
        Err(stop) => run.stopped(stop, report),
    }
}

struct Run<'a> {
    task: &'a Managed,
    context: &'a Context,
    journal: &'a Journal,
}

impl Run<'_> {
    /// Starts the task, once. After an answer that does not say whether it started, looks.
    async fn start(&self) -> Result<Option<MoveTask>, Stop> {
        let Managed { source, destination, rate, .. } = self.task;
        let sqs = &self.context.cloud.sqs;
        let before = sqs.move_tasks(source).await.map_err(Stop::Failed)?;
        let known: Vec<Timestamp> = before.iter().filter_map(|task| task.started_at).collect();
        let to = destination.as_ref().map(ToString::to_string);
        let asked_at = self.context.now();
        self.write(Record::TaskIntent { source: source.to_string(), to, known: known.clone() }).await?;
        match sqs.start_move_task(source, destination.as_ref(), *rate).await {
            Ok(handle) => {
                let (status, moved, started_at) = ("RUNNING".to_owned(), 0, None);
                self.write(Record::Task { handle: Some(handle.clone()), status, moved, started_at }).await?;
                // By its handle while it runs; one that has ended already has none.
                self.find(|task| task.handle.as_ref() == Some(&handle) || self.is_new(task, asked_at, &known)).await
            }
            Err(error) if error.may_have_been_applied() => self.find(|task| self.is_new(task, asked_at, &known)).await,
            Err(error) => {
                self.write(Record::Refused {}).await?;
                Err(Stop::Failed(error))
            }
        }
    }

    /// Starts the task that an earlier try announced and that never came to be. Whoever announced it is gone, so that nothing is sent
    /// any more; were it to start late all the same, SQS refuses a second task on the DLQ while one is active (Developer Guide).
    async fn start_at_last(&self) -> Result<Option<MoveTask>, Stop> {
        self.write(Record::Refused {}).await?;
        self.start().await
    }

    /// The first task that is ours, looking for some seconds: the list may lag.
    async fn find(&self, is_ours: impl Fn(&MoveTask) -> bool) -> Result<Option<MoveTask>, Stop> {
        let mut last: Option<CloudError> = None;
        for _ in 0..LOOKS_MAX {
            match self.context.cloud.sqs.move_tasks(&self.task.source).await {
                Ok(tasks) => {
                    if let Some(ours) = tasks.into_iter().find(&is_ours) {
                        return Ok(Some(ours));
                    }
                    last = None;
                }
                Err(error) if error.is_passing() => last = Some(error),
                Err(error) => return Err(Stop::Failed(error)),
            }
            self.context.cloud.clock().sleep(LOOK_EVERY).await;
        }
        last.map_or(Ok(None), |error| Err(Stop::Failed(error)))
    }

    /// Was not there before, goes to the same place, and started about when we asked. One task at a time runs on a DLQ.
    fn is_new(&self, task: &MoveTask, asked_at: Timestamp, known: &[Timestamp]) -> bool {
        let skew = self.context.cloud.identity.clock_skew().unwrap_or_default();
        let late = asked_at.checked_add(skew + SignedDuration::from_secs(START_SECONDS_MAX)).unwrap_or(Timestamp::MAX);
        let is_new = |started_at: &Timestamp| !known.contains(started_at) && *started_at <= late;
        task.destination == self.task.destination && task.started_at.as_ref().is_some_and(is_new)
    }

    async fn follow(&self, first: MoveTask, mut report: Report) -> Report {
        let (mut task, mut failures, mut cancelled) = (first, 0, false);
        if let Err(stop) = self.write(record(&task)).await {
            return self.stopped(stop, report);
        }
        loop {
            self.tell(&task, &report);
            match task.status {
                MoveStatus::Completed | MoveStatus::Cancelled | MoveStatus::Failed => {
                    return self.ended(&task, report).await;
                }
                MoveStatus::Running | MoveStatus::Cancelling | MoveStatus::Other => {}
            }
            if self.context.cancel.is_cancelled() && !cancelled {
                match self.cancel(&task).await {
                    Ok(()) => cancelled = true,
                    Err(error) if error.is_passing() => {}
                    Err(error) => {
                        cancelled = true;
                        report.note(format!("the task could not be cancelled: {error}"));
                    }
                }
            }
            if self.context.cancel.is_cancelled() {
                self.context.cloud.clock().sleep(LOOK_EVERY).await;
            } else {
                self.context.pause(LOOK_EVERY).await;
            }
            match self.context.cloud.sqs.move_tasks(&self.task.source).await {
                Ok(tasks) => {
                    failures = 0;
                    // The same task keeps its start; its handle is gone once it has ended.
                    if let Some(same) = tasks.into_iter().find(|other| other.started_at == task.started_at) {
                        task = same;
                    }
                }
                Err(error) => {
                    failures += 1;
                    if !error.is_passing() || failures > FAILURES_MAX {
                        return self.lost_sight(&task, error, report).await;
                    }
                }
            }
        }
    }

    /// Asks SQS to stop the task; it may still move messages until it says CANCELLED.
    async fn cancel(&self, task: &MoveTask) -> Result<(), CloudError> {
        let Some(handle) = &task.handle else { return Ok(()) };
        match self.context.cloud.sqs.cancel_move_task(handle).await {
            // It has ended meanwhile: following shows it.
            Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
            answer => answer.map(|_| ()),
        }
    }

    fn tell(&self, task: &MoveTask, report: &Report) {
        let words = match task.status {
            MoveStatus::Cancelling => "cancelling: SQS may still move messages",
            MoveStatus::Running => "SQS moves",
            MoveStatus::Completed | MoveStatus::Cancelled | MoveStatus::Failed | MoveStatus::Other => "",
        };
        let estimate = task.to_move.unwrap_or(self.task.messages_estimate);
        let doing = Doing::Messages(Box::new(tally(task)));
        self.context.tell(report, estimate, doing, (words, Vec::new()));
    }

    async fn ended(&self, task: &MoveTask, report: Report) -> Report {
        let recorded = self.write(record(task)).await;
        let mut tally = tally(task);
        let left = self.context.cloud.sqs.describe(&self.task.source_url).await.map(|queue| queue.counts);
        tally.stop = if task.status == MoveStatus::Cancelled { Some(Stop::Cancelled) } else { recorded.err() };
        let mut report = self.tallied(tally, report);
        if task.status == MoveStatus::Failed {
            report.end = if task.moved > 0 { End::Partly } else { End::Failed };
            let reason = task.failure.as_ref().map_or("SQS gives no reason", Text::as_str);
            // Another task would fail at the same message.
            let hint = "--engine client sends what has a destination, and names each of the others with what helps it";
            report.failure =
                Some(Failure::new(format!("the move task failed: {reason}"), Try::ClientEngine.says(hint)));
        }
        if let Ok(counts) = left {
            report.note(format!("~{} left in the DLQ", counted_is(counts.total(), "message", "is", "are")));
        }
        // A task's run has nothing to resume: another one moves what is left.
        let environment = self.context.environment();
        report.next = match (task.status, report.end) {
            (MoveStatus::Failed, _) => report.client_side_line(environment),
            (_, End::Partly | End::Interrupted) => report.again_line(environment),
            (_, End::Done | End::Nothing | End::Failed | End::Refused | End::Stale) => None,
        };
        report
    }

    async fn lost_sight(&self, task: &MoveTask, error: CloudError, report: Report) -> Report {
        let _ = self.write(record(task)).await;
        let mut tally = tally(task);
        tally.stop = Some(Stop::Failed(error));
        let mut report = self.tallied(tally, report);
        report.end = End::Partly;
        report.note("the move task goes on in AWS; --resume follows it again");
        report
    }

    fn not_found(&self, report: Report) -> Report {
        let mut report = self.tallied(Tally::default(), report);
        report.end = End::Failed;
        let what = "the answer to StartMessageMoveTask was lost, and no such task is to be seen";
        report.failure = Some(Failure::new(
            what,
            Try::Resume.says("--resume looks once more, and starts the task only where none is found"),
        ));
        report
    }

    fn stopped(&self, stop: Stop, report: Report) -> Report {
        let refused = match &stop {
            Stop::Failed(error) if error.action == START => refusal(error, self.context.environment()),
            Stop::Failed(_)
            | Stop::Cancelled
            | Stop::Journal(_)
            | Stop::Bounced { .. }
            | Stop::Ageing(_)
            | Stop::WrongAccount { .. }
            | Stop::EditFails { .. }
            | Stop::TooManyLeft => None,
        };
        let mut report = self.tallied(Tally { stop: Some(stop), ..Tally::default() }, report);
        if let (Some(hint), Some(failure)) = (refused, &mut report.failure) {
            // Nothing has begun that a resume could go on with, and SQS would refuse it again.
            *failure = Failure::new(failure.what.as_str(), hint);
            report.next = report.client_side_line(self.context.environment());
        }
        report
    }

    fn tallied(&self, tally: Tally, report: Report) -> Report {
        report.with_tally(tally, self.context.now(), self.context.environment())
    }

    async fn write(&self, record: Record) -> Result<(), Stop> {
        self.journal.write(vec![record], Vec::new()).await.map_err(Stop::unwritten)
    }
}

/// What helps where SQS refuses to start a task; none: that passes, or the credentials or the clock are to be mended first.
fn refusal(error: &CloudError, environment: &Environment) -> Option<Advice> {
    let instead = "--engine client moves them without a move task";
    match error.kind {
        ErrorKind::Denied => Some(Try::ClientEngine.says(format!("{}; {instead}", error.hint(environment)))),
        ErrorKind::Invalid | ErrorKind::NotFound => {
            Some(Try::ClientEngine.says(format!("{instead}, if the queues are still there")))
        }
        ErrorKind::Throttled
        | ErrorKind::CredentialsExpired
        | ErrorKind::CredentialsMissing
        | ErrorKind::Unreachable
        | ErrorKind::Unknown
        | ErrorKind::ClockSkew => None,
    }
}

fn tally(task: &MoveTask) -> Tally {
    Tally { sent: task.moved, moved: task.moved, step: 1, steps: 1, ..Tally::default() }
}

fn record(task: &MoveTask) -> Record {
    let (handle, started_at) = (task.handle.clone(), task.started_at);
    Record::Task { handle, status: task.status.into_str().to_owned(), moved: task.moved, started_at }
}
