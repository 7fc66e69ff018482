//! A run of a migration: its task is started once, followed with its log, and judged by its container's exit code.
//!
//! The client token stands in the journal before the call, so that the call may be made again after a lost answer or a crash: ECS
//! answers the same task. A token is remembered for at least an hour ([`TOKEN_SECONDS`]); after that it is only looked.

mod ended;
mod follow;
mod start;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Context, Details, Doing, End, Failure, Progress, Report};
use crate::{
    cloud::logs::Follower,
    domain::{Advice, Container, LogLine, Task, TaskArn, Text},
    journal::{Held, History, Journal, JournalError, Record},
    operations::{
        migrate::ToMigrate,
        values::{duration, in_words},
    },
};

/// So long after the first call a token may be used again: ECS remembers it for as long as the task lives and an hour more, at most
/// 24 hours (API reference, "Ensuring idempotency"); a bit is left for clocks that differ.
const TOKEN_SECONDS: i64 = 50 * 60;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Migrated {
    pub migration: String,
    pub cluster: String,
    /// `family:revision`.
    pub task_definition: String,
    /// Container whose exit code counts.
    pub container: String,
    /// The task; none: none is known.
    pub task: Option<TaskArn>,
    /// `PROVISIONING` to `STOPPED`, as seen last; none: it was never seen.
    pub status: Option<Text>,
    pub created_at: Option<Timestamp>,
    /// When it began to run; none: not seen to.
    pub started_at: Option<Timestamp>,
    pub stopped_at: Option<Timestamp>,
    /// `EssentialContainerExited`, `TaskFailedToStart`, `UserInitiated`, ...
    pub stop_code: Option<Text>,
    pub stopped_reason: Option<Text>,
    /// Exit code of the container; none: it never ran, still runs, or AWS does not know.
    pub exit_code: Option<i32>,
    pub containers: Vec<Container>,
    pub log_group: Option<Text>,
    pub log_stream: Option<Text>,
    /// Lines of it that were read in this try.
    pub log_lines: u64,
}

impl Migrated {
    /// What ECS says of the container whose exit code counts, beside the code: `OutOfMemoryError: ...`.
    pub fn container_reason(&self) -> Option<&Text> {
        let own = self.containers.iter().find(|container| container.name.as_str() == self.container);
        own.and_then(|own| own.reason.as_ref()).filter(|reason| !reason.is_empty())
    }
}

/// The exit code that a migration's container ended with, where the run failed for it: 1 to 255.
pub fn exit_code_of(report: &Report) -> Option<u8> {
    let Details::Migration(migration) = &report.details else { return None };
    let code = migration.exit_code.filter(|_| report.end == End::Failed)?;
    u8::try_from(code).ok().filter(|code| *code > 0)
}

pub(super) async fn run(
    bound: ToMigrate,
    context: &Context,
    journal: &Journal,
    history: &History,
    report: Report,
) -> Report {
    let mut run = Run::new(bound, context, journal, report);
    let halt = match Box::pin(run.start(history)).await {
        Ok(()) if run.bound.detach => Halt::detached(),
        Ok(()) => Box::pin(run.follow()).await,
        Err(halt) => halt,
    };
    run.ended(halt).await
}

struct Halt {
    end: End,
    failure: Option<Failure>,
    /// Whether the task may be alive: there is something to look at again.
    goes_on: GoesOn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GoesOn {
    Yes,
    Perhaps,
    No,
}

impl Halt {
    fn new(end: End, goes_on: GoesOn, what: &str, advice: Advice) -> Self {
        Self { end, goes_on, failure: Some(Failure::new(what, advice)) }
    }

    fn detached() -> Self {
        Self { end: End::Done, goes_on: GoesOn::Yes, failure: None }
    }
}

struct Run<'a> {
    bound: ToMigrate,
    context: &'a Context,
    journal: &'a Journal,
    report: Report,
    began_at: Timestamp,
    done: Migrated,
    follower: Option<Follower>,
    /// Lines of the log's end that were shown without what is before them; none: it was read from its start on, as far as it was read.
    tail_lines: Option<u64>,
    /// No other process of this machine migrates this environment meanwhile.
    held: Option<Held>,
}

impl<'a> Run<'a> {
    fn new(bound: ToMigrate, context: &'a Context, journal: &'a Journal, report: Report) -> Self {
        let definition = bound.launch.definition.rsplit('/').next().unwrap_or_default();
        let done = Migrated {
            migration: bound.migration.clone(),
            cluster: bound.launch.cluster.clone(),
            task_definition: definition.to_owned(),
            container: bound.launch.container.clone(),
            log_group: bound.log.as_ref().map(|log| Text::line(&log.group)),
            ..Migrated::default()
        };
        let began_at = context.now();
        Self { bound, context, journal, report, began_at, done, follower: None, tail_lines: None, held: None }
    }

    fn is_task(&mut self, arn: TaskArn) {
        let region = &self.context.environment().region;
        let log = self.bound.log.as_ref().filter(|log| log.region.as_ref().is_none_or(|other| other == region));
        let stream = log.and_then(|log| log.stream(&self.bound.launch.container, arn.id()));
        if let (Some(log), Some(stream)) = (log, stream) {
            self.done.log_stream = Some(Text::line(&stream));
            self.follower = Some(Follower::new(&log.group, &stream));
        }
        self.done.task = Some(arn);
    }

    /// What the task is like now; answers what is new.
    fn take(&mut self, task: &Task) -> Option<Text> {
        let before = self.done.status.replace(task.status.clone());
        let container = task.containers.iter().find(|container| container.name.as_str() == self.done.container);
        self.done.created_at = task.created_at.or(self.done.created_at);
        self.done.started_at = task.started_at.or(self.done.started_at);
        self.done.stopped_at = task.stopped_at;
        self.done.stop_code.clone_from(&task.stop_code);
        self.done.stopped_reason.clone_from(&task.stopped_reason);
        self.done.exit_code = container.and_then(|container| container.exit_code);
        self.done.containers.clone_from(&task.containers);
        let is_new = before.as_ref() != Some(&task.status);
        is_new.then(|| Text::line(&format!("task {} is {}{}", task.arn.id(), task.status, meaning(task))))
    }

    fn tell(&self, news: Vec<Text>, log: Vec<LogLine>) {
        let status = self.done.status.as_ref().map_or("not seen yet", Text::as_str);
        let seconds = in_words(self.now().duration_since(self.began_at).as_secs().max(0).unsigned_abs());
        let words = format!("{}: {status}, {seconds}", self.done.migration);
        let task = Some(Text::line(&words));
        let progress = Progress::of(&self.report, self.now(), 0, Doing::One);
        (self.context.progress)(&Progress { task, news, log, ..progress });
    }

    fn news(&self, text: &str) {
        self.tell(vec![Text::line(text)], Vec::new());
    }

    fn now(&self) -> Timestamp {
        self.context.now()
    }

    fn is_cancelled(&self) -> bool {
        self.context.cancel.is_cancelled()
    }

    async fn write(&self, record: Record) -> Result<(), JournalError> {
        self.journal.write(vec![record], Vec::new()).await
    }
}

fn meaning(task: &Task) -> String {
    match task.status.as_str() {
        "PROVISIONING" => ": its network is made".to_owned(),
        "PENDING" | "ACTIVATING" => ": its image is pulled".to_owned(),
        "STOPPED" => {
            let took = task.started_at.zip(task.stopped_at);
            let took = took.map(|(from, to)| duration(to.duration_since(from).as_secs_f64()));
            took.map(|took| format!(" after {took}")).unwrap_or_default()
        }
        _ => String::new(),
    }
}
