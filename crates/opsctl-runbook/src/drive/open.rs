//! Opens runs: new ones, and those that go on.

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    Course, Origin, Runbook, StepEvent, Values, check,
    clock::Clock,
    domain::{EnvironmentName, RunId, Text},
    journal::{End, HeldBack, Journal, JournalError, Lines, Record, RunFolder, RunSummary, StateFolder},
};

/// The runbook's text as it was when the run began, beside the journal.
const TEXT_FILE: &str = "runbook.md";

/// A run that can be carried out.
#[derive(Debug)]
pub struct Opened {
    pub run: RunId,
    pub runbook: Arc<Runbook>,
    pub parameters: Values,
    pub begun_by: Text,
    pub begun_at: Timestamp,
    /// The earlier run that it goes on from.
    pub continues: Option<RunId>,
    pub course: Course,
    pub(super) journal: Journal,
    /// Runs of steps that it has as ended.
    pub(super) known: BTreeSet<RunId>,
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("cannot write {}: {source}", .path.display())]
    Write { path: PathBuf, source: std::io::Error },
    #[error("run {run} is not a run of a runbook")]
    Other { run: RunId },
    #[error("run {run} has ended: {end}")]
    Ended { run: RunId, end: &'static str },
    /// It goes on only by what it began with.
    #[error("the copy of the runbook in {} is not the text that run {run} started with", .folder.display())]
    Changed { run: RunId, folder: PathBuf },
    #[error("run {run} was written by another version of opsctl, which this version cannot read: {because}")]
    Unreadable { run: RunId, because: Text },
    /// Somebody else carries it out.
    #[error("run {run} belongs to {driver}")]
    Driven { run: RunId, driver: Text },
}

/// What is known of a run before anybody takes it up.
#[derive(Debug)]
pub struct Standing {
    pub run: RunId,
    pub runbook: Arc<Runbook>,
    pub environment: EnvironmentName,
    pub parameters: Values,
    pub begun_by: Text,
    pub begun_at: Timestamp,
    /// Who carried it out last.
    pub driver: Text,
    /// Why it was begun.
    pub reason: Option<Text>,
    /// The earlier run that it goes on from.
    pub continues: Option<RunId>,
    /// What it holds back, when it was left or ended last.
    pub held: Vec<HeldBack>,
    pub course: Course,
    pub known: BTreeSet<RunId>,
    /// Events with their times and steps, for the timeline.
    pub events: Vec<(Timestamp, String, StepEvent)>,
    /// Who took it over, from whom, who resumed it and who left it.
    pub people: Vec<(Timestamp, Text)>,
    pub end: Option<End>,
}

/// Who begins a run, and why.
#[derive(Debug, Clone)]
pub struct Beginner {
    pub by: Text,
    pub reason: Option<Text>,
    /// The earlier run that it goes on from; none: the last one of the same about the same, where that did not recover.
    pub continues: Option<RunId>,
}

impl Beginner {
    pub fn new(by: Text, reason: Option<Text>) -> Self {
        Self { by, reason, continues: None }
    }
}

/// Begins a run: its folder, the runbook's text in it, and the journal's first line.
///
/// # Errors
/// They can't be written: nothing is begun.
pub async fn begin(
    runbook: &Arc<Runbook>,
    parameters: Values,
    environment: &EnvironmentName,
    beginner: Beginner,
    (state, clock, random): (&StateFolder, Clock, u64),
) -> Result<Opened, OpenError> {
    let Beginner { by, reason, continues } = beginner;
    let given = Box::new(Value::Object(parameters.0.clone()));
    let continues = match continues {
        Some(earlier) if state.open(&earlier)?.summary()?.runbook().is_none() => {
            return Err(OpenError::Other { run: earlier });
        }
        Some(earlier) => Some(earlier),
        None => not_recovered(state, runbook, environment, &given)?,
    };
    let begun_at = clock.now();
    let run = RunId::new(begun_at, random as u32);
    let folder = state.create(&run)?;
    write_text(&folder.path().join(TEXT_FILE), &runbook.text)?;
    let journal = Journal::create(folder, clock)?;
    let record = Record::RunbookOpened {
        run: run.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        runbook: Text::line(&runbook.name),
        title: runbook.title.clone(),
        digest: runbook.digest.clone(),
        environment: environment.clone(),
        parameters: given,
        by: by.clone(),
        reason,
        continues: continues.clone(),
    };
    journal.write(vec![record], Vec::new()).await?;
    let (course, runbook) = (Course::new(runbook), Arc::clone(runbook));
    let known = BTreeSet::new();
    Ok(Opened { run, runbook, parameters, begun_by: by, begun_at, continues, course, journal, known })
}

/// The last run of the same runbook about the same, where it has ended without recovering: the next one goes on from there.
fn not_recovered(
    state: &StateFolder,
    runbook: &Runbook,
    environment: &EnvironmentName,
    given: &Value,
) -> Result<Option<RunId>, JournalError> {
    let runs = state.list()?;
    let is_same = |run: &&RunSummary| {
        let Record::RunbookOpened { runbook: name, environment: place, parameters, .. } = &run.opened.record else {
            return false;
        };
        name.as_str() == runbook.name && place == environment && **parameters == *given
    };
    let last = runs.iter().find(is_same).filter(|run| match run.end() {
        Some(End::Done | End::Nothing) | None => false,
        Some(End::Failed | End::Refused | End::Partly | End::Stale | End::Interrupted) => true,
    });
    Ok(last.map(|run| run.run.clone()))
}

fn write_text(path: &Path, text: &str) -> Result<(), OpenError> {
    let write = || -> std::io::Result<()> {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|source| OpenError::Write { path: path.to_owned(), source })
}

/// Whether somebody who is not the last to carry a run out may go on with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The same person alone.
    Resume,
    Anybody,
}

/// Takes up a run.
///
/// # Errors
/// Another process or another person carries it out; it has ended; its files can't be read or are not as they were.
pub async fn reopen(
    run: &RunId,
    (by, who): (By, Text),
    reason: Option<Text>,
    (state, clock): (&StateFolder, Clock),
) -> Result<Opened, OpenError> {
    let folder = state.open(run)?;
    // Whose it is stands in the journal, and is the same before it is locked and after: only who holds it writes there.
    let standing = standing(&folder)?;
    if let Some(end) = standing.end {
        return Err(OpenError::Ended { run: run.clone(), end: end.into_str() });
    }
    let is_other = standing.driver != who;
    if is_other && by == By::Resume {
        return Err(OpenError::Driven { run: run.clone(), driver: standing.driver });
    }
    let (journal, _) = Journal::reopen(folder.clone(), clock)?;
    // Read once more under the lock: another process may have written between.
    let standing = self::standing(&folder)?;
    let record = match is_other {
        true => Record::TakenOver { from: standing.driver.clone(), by: who },
        false => Record::Resumed { by: who, reason, aws_time: None },
    };
    journal.write(vec![record], Vec::new()).await?;
    let Standing { run, runbook, parameters, begun_by, begun_at, continues, course, known, .. } = standing;
    Ok(Opened { run, runbook, parameters, begun_by, begun_at, continues, course, journal, known })
}

/// Where a run stands, by its journal.
///
/// # Errors
/// It is no run of a runbook, or its files can't be read or are not as they were.
pub fn standing(folder: &RunFolder) -> Result<Standing, OpenError> {
    let run = folder.run().clone();
    let mut lines = Lines::open(&folder.journal())?;
    let first = lines.next().transpose()?.map(|line| (line.entry.at, line.entry.record));
    let Some((at, Record::RunbookOpened { runbook, digest, environment, parameters, by, reason, continues, .. })) =
        first
    else {
        return Err(OpenError::Other { run });
    };
    let runbook = Arc::new(text_of(folder, runbook.as_str(), &digest)?);
    let parameters = Values(parameters.as_object().cloned().unwrap_or_default());
    let mut standing = Standing {
        run,
        environment,
        parameters,
        begun_by: by.clone(),
        begun_at: at,
        driver: by,
        reason,
        continues,
        held: Vec::new(),
        course: Course::new(&runbook),
        known: BTreeSet::new(),
        events: Vec::new(),
        people: Vec::new(),
        end: None,
        runbook,
    };
    for line in lines {
        let entry = line?.entry;
        standing.take(entry.at, entry.record)?;
    }
    Ok(standing)
}

/// The text that the run began with, read anew.
fn text_of(folder: &RunFolder, name: &str, digest: &str) -> Result<Runbook, OpenError> {
    let changed = || OpenError::Changed { run: folder.run().clone(), folder: folder.path().to_owned() };
    let path = folder.path().join(TEXT_FILE);
    let text = fs::read_to_string(&path).map_err(|_| changed())?;
    let checked = check(name, &path, Origin::File(path.clone()), &text);
    let runbook = checked.runbook.ok_or_else(|| {
        let because = Text::line(&format!("its runbook has {}", checked.problems));
        OpenError::Unreadable { run: folder.run().clone(), because }
    })?;
    if runbook.digest == digest { Ok(runbook) } else { Err(changed()) }
}

impl Standing {
    fn take(&mut self, at: Timestamp, record: Record) -> Result<(), OpenError> {
        match record {
            Record::RunbookStep { step, event } => {
                let because = |error: &dyn std::fmt::Display| OpenError::Unreadable {
                    run: self.run.clone(),
                    because: Text::line(&error.to_string()),
                };
                let event: StepEvent = serde_json::from_value(*event).map_err(|error| because(&error))?;
                let index = self.runbook.steps.iter().position(|known| known.id == step);
                let index = index.ok_or_else(|| because(&format!("there is no step {step}")))?;
                if let StepEvent::Ran { run, .. } | StepEvent::Undone { run, .. } = &event {
                    self.known.insert(run.clone());
                }
                self.course.on(&self.runbook, index, &event, at);
                self.events.push((at, step, event));
            }
            Record::TakenOver { from, by } => {
                self.people.push((at, Text::line(&format!("{by} took over from {from}"))));
                self.driver = by;
            }
            Record::Resumed { by, .. } => {
                self.people.push((at, Text::line(&format!("{by} resumed"))));
                self.driver = by;
            }
            Record::RunbookLeft { waits_for, held, .. } => {
                self.held = held;
                self.people.push((at, Text::line(&format!("left open: waits for {waits_for}"))));
            }
            Record::Ended { end, report, .. } => {
                self.end = Some(end);
                // One of an earlier version does not say it.
                let held = report.get("held").cloned().unwrap_or_default();
                self.held = serde_json::from_value(held).unwrap_or_default();
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# T\n\n## A\n";

    fn runbook(text: &str) -> Arc<Runbook> {
        let checked = check("t", Path::new("t.md"), Origin::BuiltIn, text);
        Arc::new(checked.runbook.expect("a runbook"))
    }

    /// What comes of taking up a run of a runbook into whose journal these records were written.
    async fn taken_up(runbook: &Arc<Runbook>, records: Vec<Record>) -> Result<Opened, OpenError> {
        let folder = tempfile::tempdir().expect("a folder");
        let state = (&StateFolder::new(folder.path()), Clock::system());
        let who = || Text::from("ann");
        let place = EnvironmentName("dev".to_owned());
        let begun = begin(runbook, Values::default(), &place, Beginner::new(who(), None), (state.0, state.1, 7)).await;
        let Opened { run, journal, .. } = begun.expect("begun");
        journal.close(records).await.expect("written");
        reopen(&run, (By::Resume, who()), None, state).await
    }

    fn event(step: &str, event: &str) -> Record {
        Record::RunbookStep { step: step.to_owned(), event: Box::new(serde_json::from_str(event).expect("JSON")) }
    }

    /// A version of opsctl goes on only with what it understands whole; the run stays as it is for the version that began it.
    #[tokio::test]
    async fn a_run_that_another_version_wrote_is_not_guessed_at() {
        let good = runbook(TEXT);
        assert!(taken_up(&good, Vec::new()).await.is_ok());
        // Its text has keys that this version does not know: the digest is that of the text.
        let text = format!("{TEXT}\n```toml step\nwait = \"1m\"\nrollout = \"blue\"\n```\n");
        let digest = crate::domain::message::hex(&<sha2::Sha256 as sha2::Digest>::digest(text.as_bytes()));
        let foreign = Arc::new(Runbook { text, digest, ..Arc::unwrap_or_clone(Arc::clone(&good)) });
        let cases = [
            (&foreign, Vec::new(), "1 error"),
            (&good, vec![event("a", r#"{"what":"teleported"}"#)], "teleported"),
            (&good, vec![event("a", r#"{"what":"answered","value":1}"#)], "by"),
            (&good, vec![event("gone", r#"{"what":"begun"}"#)], "gone"),
        ];
        for (runbook, records, part) in cases {
            let error = taken_up(runbook, records).await.expect_err(part);
            assert!(matches!(error, OpenError::Unreadable { .. }), "{error:?}");
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}
