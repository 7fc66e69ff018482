//! [`Leaving`]: who takes messages out of a DLQ that becomes emptier. A run of opsctl on this machine is in a journal here, a move task is
//! told by SQS; anybody else shows only in the counts.

use jiff::{SignedDuration, Timestamp};

use crate::{
    cloud::{
        Cloud,
        sqs::{MoveStatus, MoveTask},
    },
    domain::{AccountId, QueueArn, QueueName, words::thousands},
    journal::{Lines, Record, RunFolder, StateFolder},
};

/// What was found of who takes messages out of a DLQ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaving {
    pub at: Timestamp,
    /// Until when a run of opsctl worked on the queue, as journals here have it; `at` while one does.
    pub ours_until: Option<Timestamp>,
    /// A move task that is active, and that no journal here knows.
    pub task: Option<MoveTask>,
}

/// Within this time a count has to fall.
pub(super) const FALLS_WITHIN: SignedDuration = SignedDuration::from_mins(5);
/// Counts lag behind what a run did by so much: a fall is a run's until then.
pub(super) const LAG: SignedDuration = SignedDuration::from_mins(2);

/// Runs whose first and last records are read, newest first.
const RUNS_MAX: usize = 200;
/// Runs on the queue in which a move task is looked for, newest first.
const TASK_RUNS_MAX: usize = 10;
/// Records that are read of each: a move task is announced among the first.
const RECORDS_MAX: usize = 64;
/// Operations that take messages out of the queue they are about.
const TAKES: [&str; 2] = ["redrive", "purge"];
/// A task that was announced starts within this time, clocks that differ included.
const STARTS_WITHIN: SignedDuration = SignedDuration::from_secs(90);

/// What a move task that no journal here knows does, in words.
pub fn in_words(task: &MoveTask) -> String {
    let to = task.destination.as_ref().map_or_else(|| "their sources".to_owned(), |to| to.name().to_string());
    let of = task.to_move.map(|all| format!(" of ~{}", thousands(all))).unwrap_or_default();
    let moved = thousands(task.moved);
    format!("a move task that opsctl did not start here is moving messages to {to}: {moved}{of} moved")
}

/// Looks: asks SQS for the DLQ's move tasks and the journals for runs on it. Where SQS does not tell, no move task is known.
pub(super) async fn look(cloud: &Cloud, runs: StateFolder, dlq: QueueArn) -> Leaving {
    let tasks = cloud.sqs.move_tasks(&dlq).await.unwrap_or_default();
    let is_active = |task: &MoveTask| matches!(task.status, MoveStatus::Running | MoveStatus::Cancelling);
    let task = tasks.into_iter().find(is_active);
    let environment = cloud.environment();
    let place = (environment.account.clone(), environment.region.clone());
    let at = cloud.clock().now();
    let read = move || {
        let runs = OurRuns::read(&runs, &place, &dlq.name());
        let ours_until = runs.until(at);
        let task = task.filter(|task| !runs.started(task));
        Leaving { at, ours_until, task }
    };
    let unknown = Leaving { at, ours_until: Some(at), task: None };
    tokio::task::spawn_blocking(read).await.unwrap_or(unknown)
}

/// Runs on a DLQ, newest first.
struct OurRuns {
    runs: Vec<OurRun>,
}

struct OurRun {
    folder: RunFolder,
    last_at: Timestamp,
    is_busy: bool,
}

impl OurRuns {
    fn read(state: &StateFolder, (account, region): &(Option<AccountId>, String), dlq: &QueueName) -> Self {
        let newest = state.run_ids().unwrap_or_default().into_iter().take(RUNS_MAX);
        let run = |run| {
            let folder = state.open(&run).ok()?;
            let summary = folder.summary().ok()?;
            let takes = summary.operation().is_some_and(|operation| TAKES.contains(&operation));
            let is_here = account.as_ref().is_none_or(|account| summary.plan_text("/account") == Some(&account.0))
                && summary.plan_text("/region") == Some(region);
            let is_meant = takes && is_here && summary.resource() == Some(dlq.as_str());
            is_meant.then_some(OurRun { folder, last_at: summary.last.at, is_busy: summary.busy })
        };
        Self { runs: newest.filter_map(run).collect() }
    }

    fn until(&self, now: Timestamp) -> Option<Timestamp> {
        self.runs.iter().map(|run| if run.is_busy { now } else { run.last_at }).max()
    }

    /// Whether one of the runs started a move task.
    fn started(&self, task: &MoveTask) -> bool {
        self.runs.iter().take(TASK_RUNS_MAX).any(|run| run.started(task))
    }
}

impl OurRun {
    fn started(&self, task: &MoveTask) -> bool {
        let Ok(lines) = Lines::open(&self.folder.journal()) else { return false };
        let mut entries = lines.map_while(Result::ok).take(RECORDS_MAX).map(|line| line.entry);
        entries.any(|entry| {
            if let Record::Task { handle, started_at, .. } = &entry.record {
                let is_named = handle.is_some() && *handle == task.handle;
                return is_named || started_at.is_some() && *started_at == task.started_at;
            }
            let Record::TaskIntent { known, .. } = &entry.record else { return false };
            let is_near = |started_at: Timestamp| started_at.duration_since(entry.at).abs() <= STARTS_WITHIN;
            task.started_at.is_some_and(|started_at| !known.contains(&started_at) && is_near(started_at))
        })
    }
}
