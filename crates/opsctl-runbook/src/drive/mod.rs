//! Carries out a runbook: asks, plans, runs, checks, and writes down each event before the next.

mod act;
mod child;
mod keep;
mod look;
mod open;
pub mod person;
mod report;

use std::{collections::BTreeSet, sync::Arc};

use futures_util::future::BoxFuture;
use jiff::Timestamp;

pub use open::{Beginner, By, OpenError, Opened, Standing, begin, reopen, standing};
pub use person::{At, Person, Reply, ToAgree, Told, Why};
pub use report::{RunbookReport, StepReport, recovery, steps};

use crate::{
    Course, Kind, Next, Runbook, StepEvent, Values,
    cloud::Cloud,
    domain::{EnvironmentName, RunId, Text},
    journal::{Forbidden, Forbids, Journal, JournalError, Record},
    run, things,
};

/// Other environments than the run's own.
pub trait Worlds: Send + Sync {
    /// # Errors
    /// There is none of that name, or it can't be reached.
    fn cloud<'a>(&'a self, environment: &'a EnvironmentName) -> BoxFuture<'a, Result<Cloud, Text>>;
}

/// What a run of a runbook needs from outside.
pub struct Outside<'a> {
    /// Clients of the run's environment, the state folder, a random number, and the wish to leave. Its `progress` is not used.
    pub context: run::Context,
    pub person: &'a dyn Person,
    pub worlds: &'a dyn Worlds,
}

/// How carrying out a runbook ended.
#[derive(Debug)]
pub enum Outcome {
    /// All of it is done that is done of it.
    Ended(RunbookReport),
    /// It is open, and goes on when somebody resumes it.
    Left(RunbookReport),
}

/// What comes of a step's part: an event, or that nobody is there.
enum Came {
    Event(StepEvent),
    /// Of an undo: about that step.
    Nobody(Text),
    /// Nothing: it is asked once more.
    Again,
    /// Somebody wants to leave.
    Leaving,
}

/// A run that is being carried out.
struct Drive<'a> {
    runbook: &'a Runbook,
    run: RunId,
    parameters: Values,
    begun_by: Text,
    begun_at: Timestamp,
    continues: Option<RunId>,
    course: Course,
    journal: Journal,
    outside: &'a Outside<'a>,
    /// Runs of steps that the journal has as ended.
    known: BTreeSet<RunId>,
    children: u64,
}

/// Carries out a run that is open.
///
/// # Errors
/// The journal can't be written: what was done is in it, and nothing is done after.
pub async fn drive(opened: Opened, outside: &Outside<'_>) -> Result<Outcome, JournalError> {
    let Opened { run, runbook, parameters, begun_by, begun_at, continues, course, journal, known } = opened;
    let runbook = Arc::unwrap_or_clone(runbook);
    let drive = Drive {
        runbook: &runbook,
        run,
        parameters,
        begun_by,
        begun_at,
        continues,
        course,
        journal,
        outside,
        known,
        children: 0,
    };
    Box::pin(drive.all()).await
}

impl Drive<'_> {
    async fn all(mut self) -> Result<Outcome, JournalError> {
        self.forbid()?;
        loop {
            if self.outside.context.cancel.is_cancelled() {
                return self.leave(&Text::from("someone to resume it")).await;
            }
            let next = self.course.next(self.runbook);
            let (index, came) = match next {
                Next::Finished => return self.finish().await,
                Next::Guard(index) => (index, self.guard(index).await),
                Next::Collect(index) => (index, self.collect(index).await),
                Next::Measure(index) => (index, self.measure(index).await),
                Next::Act(index) => (index, Box::pin(self.act(index)).await),
                Next::Check(index) => (index, self.check(index).await),
                Next::Decide(index) => (index, self.decide(index).await),
                Next::Undo(index) => (index, Box::pin(self.undo(index)).await),
            };
            match came {
                Came::Event(event) => self.note(index, event).await?,
                Came::Again => {}
                Came::Nobody(waits_for) => return self.leave(&waits_for).await,
                Came::Leaving => return self.leave(&Text::from("someone to resume it")).await,
            }
        }
    }

    /// Writes an event down, and goes by it.
    async fn note(&mut self, index: usize, event: StepEvent) -> Result<(), JournalError> {
        let id = self.runbook.steps.get(index).map(|step| step.id.clone()).unwrap_or_default();
        let what = serde_json::to_value(&event).unwrap_or_else(|error| unreachable!("plain data: {error}"));
        self.journal.write(vec![Record::RunbookStep { step: id, event: Box::new(what) }], Vec::new()).await?;
        if let StepEvent::Ran { run, .. } | StepEvent::Undone { run, .. } = &event {
            self.known.insert(run.clone());
        }
        self.course.on(self.runbook, index, &event, self.now());
        self.outside.person.told(Told::Moved(self.at(index)));
        Ok(())
    }

    /// What the runbook forbids is refused from now on, until the run has ended.
    fn forbid(&self) -> Result<(), JournalError> {
        let forbids = Forbids {
            runbook: Text::line(&self.runbook.name),
            environment: self.outside.context.cloud.environment().name.clone(),
            operations: self.runbook.forbids.iter().map(|kind| kind.name().to_owned()).collect(),
            at: self.begun_at,
        };
        self.forbidden(|all| all.remember(&self.run, forbids))
    }

    fn forbidden(&self, change: impl FnOnce(&mut Forbidden)) -> Result<(), JournalError> {
        let environment = self.outside.context.cloud.environment();
        match environment.account.as_ref().filter(|_| !self.runbook.forbids.is_empty()) {
            Some(account) => Forbidden::change(&self.outside.context.state, account, &environment.region, change),
            None => Ok(()),
        }
    }

    async fn leave(self, waits_for: &Text) -> Result<Outcome, JournalError> {
        let step = match self.course.next(self.runbook) {
            Next::Guard(index)
            | Next::Collect(index)
            | Next::Measure(index)
            | Next::Act(index)
            | Next::Check(index)
            | Next::Decide(index)
            | Next::Undo(index) => self.runbook.steps[index].id.clone(),
            Next::Finished => String::new(),
        };
        let report = self.report(Some(waits_for.clone()));
        let left = Record::RunbookLeft { step, waits_for: waits_for.clone(), held: report.held.clone() };
        self.journal.close(vec![left]).await?;
        Ok(Outcome::Left(report))
    }

    async fn finish(self) -> Result<Outcome, JournalError> {
        self.forbidden(|all| all.forget(&self.run))?;
        let report = self.report(None);
        let ended = report.for_journal(self.course.end());
        self.journal.close(vec![ended]).await?;
        Ok(Outcome::Ended(report))
    }

    fn report(&self, waits_for: Option<Text>) -> RunbookReport {
        let environment = self.outside.context.cloud.environment();
        report::report(self, environment, waits_for)
    }

    fn at(&self, index: usize) -> At<'_> {
        At { runbook: self.runbook, course: &self.course, index }
    }

    fn now(&self) -> Timestamp {
        self.outside.context.cloud.clock().now()
    }

    fn values(&self) -> Values {
        self.course.values(self.runbook, &self.parameters)
    }

    /// Clients of the environment in which a step acts.
    async fn cloud_of(&self, environment: Option<&str>) -> Result<Cloud, Text> {
        let Some(parameter) = environment else { return Ok(self.outside.context.cloud.clone()) };
        let values = self.values();
        let name = values.get(parameter).and_then(|value| value.as_str()).unwrap_or_default();
        self.outside.worlds.cloud(&EnvironmentName(name.to_owned())).await
    }

    /// Parameters that name things, which conditions look at.
    fn things(&self) -> Vec<(String, Kind, String)> {
        let things = self.runbook.parameters.iter().filter(|parameter| things::is_thing(parameter.kind));
        let named = things.filter_map(|parameter| {
            let value = self.parameters.get(&parameter.name)?.as_str()?;
            Some((parameter.name.clone(), parameter.kind, value.to_owned()))
        });
        named.collect()
    }
}
