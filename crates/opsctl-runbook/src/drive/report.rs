//! [`RunbookReport`]: how a run of a runbook stands, or ended.

use jiff::Timestamp;
use serde::Serialize;

use super::Drive;
use crate::{
    Runbook, StepState,
    course::{Course, Kept, Ran},
    domain::{Environment, RunId, Text},
    held::held,
    journal::{Did, End, HeldBack, Record},
    operations::values::Seconds,
};

const SCHEMA: &str = "opsctl/runbook-report/1";

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunbookReport {
    pub schema: &'static str,
    pub run: RunId,
    pub runbook: String,
    pub title: Text,
    pub environment: String,
    /// None: it is open.
    pub end: Option<End>,
    /// What it waits for, where it is open.
    pub waits_for: Option<Text>,
    pub begun_by: Text,
    pub begun_at: Timestamp,
    /// From its begin to now, or to its end.
    pub seconds: f64,
    /// The recovery time of the runbook, in seconds.
    pub recovery_seconds: Option<u32>,
    pub steps: Vec<StepReport>,
    /// The earlier run that it goes on from.
    pub continues: Option<RunId>,
    /// What its steps have set, paused or moved aside, and what is still so.
    pub held: Vec<HeldBack>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepReport {
    pub id: String,
    pub name: Text,
    pub state: StepState,
    pub because: Option<Text>,
    pub seconds: Option<f64>,
    pub runs: Vec<Ran>,
    pub evidence: Vec<Kept>,
}

pub(super) fn report(drive: &Drive<'_>, environment: &Environment, waits_for: Option<Text>) -> RunbookReport {
    let Drive { runbook, run, begun_by, begun_at, continues, course, .. } = drive;
    let end = waits_for.is_none().then(|| course.end());
    RunbookReport {
        schema: SCHEMA,
        run: run.clone(),
        runbook: runbook.name.clone(),
        title: runbook.title.clone(),
        environment: environment.name.to_string(),
        end,
        waits_for,
        begun_by: begun_by.clone(),
        begun_at: *begun_at,
        seconds: drive.now().duration_since(*begun_at).as_secs_f64(),
        recovery_seconds: runbook.recovery_time.map(|time| time.0),
        steps: steps(runbook, course),
        continues: continues.clone(),
        // What can't be read is not known to be held.
        held: held(&drive.outside.context.state, run, drive.now()).unwrap_or_default(),
    }
}

/// How each step stands.
pub fn steps(runbook: &Runbook, course: &Course) -> Vec<StepReport> {
    let steps = runbook.steps.iter().zip(course.steps());
    let report = steps.map(|(step, progress)| StepReport {
        id: step.id.clone(),
        name: step.name.clone(),
        state: progress.state,
        because: progress.because.clone().filter(|because| !because.as_str().is_empty()),
        seconds: progress.seconds(),
        runs: progress.runs.clone(),
        evidence: progress.evidence.clone(),
    });
    report.collect()
}

/// How the time that a run took compares with the recovery time of its runbook. None: the run is open.
pub fn recovery(end: Option<End>, seconds: f64, allowed: Seconds) -> &'static str {
    match (end, seconds <= f64::from(allowed.0)) {
        (Some(End::Done | End::Nothing), true) => "met",
        (None, true) => "not over yet",
        // A run that did not recover meets nothing, however short it was.
        (Some(End::Failed | End::Refused | End::Partly | End::Stale | End::Interrupted), true) => "not recovered",
        (_, false) => "not met",
    }
}

impl RunbookReport {
    pub(super) fn for_journal(&self, end: End) -> Record {
        let done = self.steps.iter().filter(|step| step.state.is_good()).count() as u64;
        let report = serde_json::to_value(self).unwrap_or_else(|error| unreachable!("plain data: {error}"));
        Record::Ended {
            end,
            did: Did::Steps { done, all: self.steps.len() as u64 },
            is_left: false,
            has_snapshot: false,
            report: Box::new(report),
        }
    }
}
