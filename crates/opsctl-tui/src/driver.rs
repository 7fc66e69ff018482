//! Carries out runbooks: who sits at the console is asked through events, and answers through effects.

use std::{
    io,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::{
    cloud::Cloud,
    clouds::{Clouds, in_own_account},
    domain::{EnvironmentName, Invocation, Text, Try},
    files::output::{self, OutputError},
    gate::Consent,
    inbox::Inbox,
    journal::{JournalError, StateFolder},
    outside::Outside,
    run::{Context, Failure},
    runbook::{
        Ask, Decision, Kind, Runbook, Values,
        drive::{
            self, At, Beginner, OpenError, Opened, Outcome, Person, Reply, RunbookReport, ToAgree, Told, Worlds, begin,
            reopen,
        },
        export::{later, timeline},
        shelf::{Shelf, ShelfError, Shelved},
        things,
    },
    state::{
        Ticket,
        runbook::{Asked, Begin, Moved, Question, Said, Stood},
    },
};

/// Between two looks at what is lost if nothing is done.
const DEADLINE_EVERY: std::time::Duration = std::time::Duration::from_secs(60);

/// Where the answer to a run's question is put down.
#[derive(Debug, Default)]
pub(super) struct Desk {
    numbers: AtomicU64,
    waits: Mutex<Option<(u64, oneshot::Sender<Said>)>>,
}

impl Desk {
    fn ask(&self) -> (u64, oneshot::Receiver<Said>) {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        *self.waits.lock().unwrap_or_else(PoisonError::into_inner) = Some((number, sender));
        (number, receiver)
    }

    /// Hands an answer over. One to an earlier question finds nobody.
    pub(super) fn answer(&self, number: u64, said: Said) {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, sender)) = waits.take_if(|(awaited, _)| *awaited == number) {
            // Nobody waits any more where the run is being left.
            let _ = sender.send(said);
        }
    }
}

/// Who sits at the console.
struct Sitting {
    ticket: Ticket,
    name: Text,
    inbox: Arc<Inbox>,
    desk: Arc<Desk>,
    cancel: CancellationToken,
}

impl Sitting {
    /// Asks, and waits for as long as it takes; none: the run is to be left.
    async fn ask(&self, at: At<'_>, question: Question) -> Option<Said> {
        let (number, answer) = self.desk.ask();
        let (index, moved) = (at.index, moved(at));
        self.inbox.heard(self.ticket, |heard| {
            heard.moved = Some(moved);
            heard.asked = Some(Box::new(Asked { number, index, question }));
        });
        tokio::select! {
            said = answer => said.ok(),
            () = self.cancel.cancelled() => None,
        }
    }
}

fn moved(at: At<'_>) -> Moved {
    let steps = drive::steps(at.runbook, at.course);
    Moved { steps, index: at.index, is_stopping: at.course.is_stopping }
}

impl Person for Sitting {
    fn name(&self) -> Text {
        self.name.clone()
    }

    fn agree<'a>(&'a self, asked: ToAgree<'a>) -> BoxFuture<'a, Reply<Consent>> {
        Box::pin(async move {
            let ToAgree { at, plan, why, part, .. } = asked;
            match self.ask(at, Question::Agree { plan: Box::new(plan.clone()), why, part }).await {
                Some(Said::Agreed(reply)) => reply,
                Some(Said::Answered(_) | Said::Done(_) | Said::Decided(_)) | None => Reply::Nobody,
            }
        })
    }

    fn answer<'a>(&'a self, at: At<'a>, ask: &'a Ask) -> BoxFuture<'a, Reply<Value>> {
        Box::pin(async move {
            match self.ask(at, Question::Answer(ask.clone())).await {
                Some(Said::Answered(reply)) => reply,
                Some(Said::Agreed(_) | Said::Done(_) | Said::Decided(_)) | None => Reply::Nobody,
            }
        })
    }

    fn done_by_hand<'a>(&'a self, at: At<'a>) -> BoxFuture<'a, Reply<Option<Text>>> {
        Box::pin(async move {
            match self.ask(at, Question::Hand).await {
                Some(Said::Done(reply)) => reply,
                Some(Said::Agreed(_) | Said::Answered(_) | Said::Decided(_)) | None => Reply::Nobody,
            }
        })
    }

    fn decide<'a>(&'a self, at: At<'a>) -> BoxFuture<'a, Reply<Decision>> {
        Box::pin(async move {
            let progress = at.progress();
            let question = Question::Decide {
                because: progress.because.clone().unwrap_or_default(),
                left: progress.left().map(|ran| ran.run.clone()),
                check_failed: progress.check_failed(),
            };
            match self.ask(at, question).await {
                Some(Said::Decided(reply)) => reply,
                Some(Said::Agreed(_) | Said::Answered(_) | Said::Done(_)) | None => Reply::Nobody,
            }
        })
    }

    fn told(&self, told: Told<'_>) {
        match told {
            Told::Moved(at) => {
                let moved = moved(at);
                self.inbox.heard(self.ticket, |heard| {
                    heard.moved = Some(moved);
                    (heard.doing, heard.running) = (None, None);
                });
            }
            Told::Doing(_, doing) => self.inbox.heard(self.ticket, |heard| heard.doing = Some(doing.clone())),
            Told::Running(_, progress) => self.inbox.heard(self.ticket, |heard| {
                let mut progress = Box::new(progress.clone());
                if let Some(earlier) = heard.running.take() {
                    progress.news.splice(..0, earlier.news);
                }
                heard.running = Some(progress);
            }),
        }
    }
}

/// Other environments than the run's own.
struct Others(Arc<Clouds>);

impl Worlds for Others {
    fn cloud<'a>(&'a self, environment: &'a EnvironmentName) -> BoxFuture<'a, Result<Cloud, Text>> {
        Box::pin(async move {
            let cloud = self.0.of(environment).await.map_err(|failure| failure.what)?;
            in_own_account(&cloud, self.0.outside()).await.map_err(|failure| failure.what)?;
            Ok(cloud)
        })
    }
}

/// What a run of a runbook in this console is given.
pub(super) struct Seat {
    pub(super) ticket: Ticket,
    pub(super) clouds: Arc<Clouds>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) desk: Arc<Desk>,
    pub(super) cancel: Arc<CancellationToken>,
}

/// Carries a run out until it ends, or is left open.
///
/// # Errors
/// It could not be begun, or its journal could not be written.
pub(super) async fn carry_out(seat: Seat, wanted: Begin) -> Result<RunbookReport, Failure> {
    let Seat { ticket, clouds, inbox, desk, cancel } = seat;
    let outside = clouds.outside();
    let environment = match &wanted {
        Begin::New { environment, .. } | Begin::Again { environment, .. } => environment.clone(),
    };
    let cloud = tokio::select! {
        cloud = clouds.of(&environment) => cloud?,
        () = cancel.cancelled() => return Err(Failure::new("stopped before it began: nothing was done", None)),
    };
    in_own_account(&cloud, outside).await?;
    let name = outside.setting.person.clone();
    let opened = open(wanted, &name, &cloud, outside).await.map_err(|error| cannot_open(&error))?;
    inbox.heard(ticket, |heard| {
        heard.run = Some(opened.run.clone());
        let steps = drive::steps(&opened.runbook, &opened.course);
        heard.moved = Some(Moved { steps, index: 0, is_stopping: opened.course.is_stopping });
    });
    let looks = deadlines(opened.runbook.clone(), opened.parameters.clone(), cloud.clone(), (ticket, inbox.clone()));
    let token = cancel.as_ref().clone();
    let context = Context {
        cloud,
        state: outside.state.clone(),
        random: fastrand::u64(..),
        parent: None,
        cancel: token.clone(),
        progress: Arc::new(|_| {}),
    };
    let person = Sitting { ticket, name, inbox, desk, cancel: token };
    let worlds = Others(Arc::clone(&clouds));
    let given = drive::Outside { context, person: &person, worlds: &worlds };
    let outcome = tokio::select! {
        outcome = drive::drive(opened, &given) => outcome,
        never = looks => match never {},
    };
    match outcome {
        Ok(Outcome::Ended(report) | Outcome::Left(report)) => Ok(report),
        Err(error) => Err(Failure::new(error.to_string(), error.hint())),
    }
}

async fn open(wanted: Begin, name: &Text, cloud: &Cloud, outside: &Outside) -> Result<Opened, OpenError> {
    match wanted {
        Begin::New { runbook, parameters, environment, reason } => {
            let at = (&outside.state, cloud.clock(), fastrand::u64(..));
            begin(&runbook, parameters, &environment, Beginner::new(name.clone(), reason), at).await
        }
        Begin::Again { run, by, .. } => reopen(&run, (by, name.clone()), None, (&outside.state, cloud.clock())).await,
    }
}

/// Tells what is lost if nothing is done, for as long as the run goes on.
async fn deadlines(
    runbook: Arc<Runbook>,
    parameters: Values,
    cloud: Cloud,
    (ticket, inbox): (Ticket, Arc<Inbox>),
) -> std::convert::Infallible {
    let wanted: Vec<things::Wanted> = runbook
        .parameters
        .iter()
        .filter(|parameter| parameter.kind == Kind::Queue)
        .filter_map(|parameter| {
            let name = parameters.get(&parameter.name)?.as_str()?;
            Some(things::Wanted::new(&parameter.name, parameter.kind, name).with_deadline())
        })
        .collect();
    if wanted.is_empty() {
        return std::future::pending().await;
    }
    loop {
        let seen = things::observe(&cloud, &wanted).await;
        let text = things::deadline(&seen).map(|deadline| deadline.text);
        // Empty: what was about to be lost is so no longer.
        inbox.heard(ticket, |heard| heard.deadline = Some(text.unwrap_or_default()));
        cloud.clock().sleep(DEADLINE_EVERY).await;
    }
}

fn cannot_open(error: &OpenError) -> Failure {
    let hint = match error {
        OpenError::Journal(error) => error.hint(),
        OpenError::Write { .. } => Try::MakeRoom.says("free disk space, or fix the permissions of the state folder"),
        OpenError::Other { .. } | OpenError::Ended { .. } => Try::SeeRecord.says("look at it in Activity"),
        OpenError::Changed { .. } => Try::BeginAnew.says("start a new run"),
        OpenError::Unreadable { .. } => {
            Try::BeginAnew.says("use the version of opsctl that started it, or start a new run")
        }
        OpenError::Driven { .. } => Try::TakeOver.says("take it over if that person no longer runs it"),
    };
    Failure::new(error.to_string(), hint)
}

/// Where a run stands, by its journal.
pub(super) fn stood(state: &StateFolder, run: &crate::domain::RunId) -> Result<Box<Stood>, Failure> {
    let unread = |error: JournalError| Failure::new(error.to_string(), error.hint());
    let folder = state.open(run).map_err(unread)?;
    let standing = drive::standing(&folder).map_err(|error| cannot_open(&error))?;
    Ok(Box::new(Stood {
        run: standing.run.clone(),
        environment: standing.environment.clone(),
        begun_by: standing.begun_by.clone(),
        begun_at: standing.begun_at,
        driver: standing.driver.clone(),
        steps: drive::steps(&standing.runbook, &standing.course),
        timeline: timeline(&standing),
        continues: standing.continues,
        held: standing.held,
        end: standing.end,
        runbook: standing.runbook,
    }))
}

/// Writes a run's timeline into the working folder; gives the file's path. What is there is never written over.
pub(super) fn export(
    state: &StateFolder,
    run: &crate::domain::RunId,
    invocation: &Invocation,
) -> Result<String, Failure> {
    let unread = |error: JournalError| Failure::new(error.to_string(), error.hint());
    let folder = state.open(run).map_err(unread)?;
    let standing = drive::standing(&folder).map_err(|error| cannot_open(&error))?;
    let later = later(state, run).map_err(unread)?;
    let text = crate::runbook::export::export(&standing, &later, invocation);
    let name = format!("{}-{run}.md", standing.runbook.name);
    output::write(Path::new(&name), text.as_bytes(), false).map(|()| name).map_err(|error| not_exported(&error))
}

/// The console chooses the name: what helps is at that place, or elsewhere.
fn not_exported(error: &OutputError) -> Failure {
    let hint = match error {
        OutputError::Exists(_) | OutputError::Folder(_) => Try::MendFile.says("move or delete it first"),
        OutputError::Unwritten { because, .. } if is_full(because) => Try::MakeRoom.says("make room on the disk"),
        OutputError::Unwritten { .. } => Try::MendFile.says("start opsctl in a writable folder"),
    };
    Failure::new(error.to_string(), hint)
}

/// All runbooks of the shelf.
pub(super) fn books(shelf: &Shelf) -> Result<Arc<Vec<Shelved>>, Failure> {
    shelf.all().map(Arc::new).map_err(|error| {
        let hint = match &error {
            ShelfError::Read { .. } => Some(Try::MendFile.says("fix the permissions of the runbooks folder")),
            ShelfError::Missing { .. } => None,
        };
        Failure::new(error.to_string(), hint)
    })
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_helps_an_export_is_at_its_place_on_the_disk_or_elsewhere() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, other) = (folder.path().join("run.md"), folder.path().join("folder.md"));
        std::fs::write(&file, "mine").expect("written");
        std::fs::create_dir(&other).expect("made");
        let unwritten = |because| OutputError::Unwritten { path: file.clone(), because };
        for (error, helps) in [
            (output::write(&file, b"new", false).expect_err("it is there"), "move or delete it first"),
            (output::write(&other, b"new", false).expect_err("a folder"), "move or delete it first"),
            (unwritten(io::ErrorKind::StorageFull.into()), "make room on the disk"),
            (unwritten(io::ErrorKind::PermissionDenied.into()), "start opsctl in a writable folder"),
            (unwritten(io::ErrorKind::ReadOnlyFilesystem.into()), "start opsctl in a writable folder"),
        ] {
            let failure = not_exported(&error);
            assert!(failure.hint.as_str() == helps, "{failure}");
        }
        assert_eq!(std::fs::read(&file).expect("read"), b"mine");
    }
}
