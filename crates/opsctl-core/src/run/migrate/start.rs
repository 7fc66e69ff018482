//! Starts the task, or finds it.

use std::time::Duration;

use jiff::Timestamp;

use super::{End, GoesOn, Halt, History, Record, Run, TOKEN_SECONDS};
use crate::{
    cloud::{
        CloudError, ErrorKind,
        ecs::{By, Launched, Missing, Wanted},
    },
    domain::{EcsClusterName, TaskArn, Text, Try},
    journal::JournalError,
    operations::{
        migrate::{Other, group_of, others},
        transfer::Stop,
    },
    run::verify,
};

const PAUSE_MAX: Duration = Duration::from_secs(10);
/// Calls without a clear answer.
const UNCLEAR_MAX: u32 = 20;
/// Calls that were surely not applied: throttled, or no connection.
const NOT_APPLIED_MAX: u32 = 60;
/// After so long of asking it is looked once more whose credentials these are.
const VERIFY_EVERY_SECONDS: i64 = 60;

struct Asking {
    /// When the token was first used, or was about to be.
    since: Timestamp,
    /// When it was last known whose credentials these are.
    verified_at: Timestamp,
    /// Whether an earlier try of the run may have started the task.
    was_asked: bool,
    unclear: u32,
    not_applied: u32,
}

impl Asking {
    fn is_unclear(&self) -> bool {
        self.was_asked || self.unclear > 0
    }
}

impl Run<'_> {
    /// When this is done, the task is known.
    pub(super) async fn start(&mut self, history: &History) -> Result<(), Halt> {
        if let Some(task) = &history.migration_task {
            self.is_task(TaskArn(task.clone()));
            return Ok(());
        }
        self.hold()?;
        let asked_at = history.migration_asked.as_ref().map(|(at, _)| *at);
        if let Some(asked_at) = asked_at {
            if self.find().await? {
                return Ok(());
            }
            if self.is_forgotten(asked_at) {
                return Err(self.too_late());
            }
        }
        if self.refuse_others(asked_at.is_some()).await? {
            return Ok(());
        }
        if self.is_cancelled() {
            return Err(self.not_asked(asked_at.is_some()));
        }
        let verified_at = self.now();
        if asked_at.is_none() {
            self.intend().await?;
        }
        let since = asked_at.unwrap_or(verified_at);
        let asking = Asking { since, verified_at, was_asked: asked_at.is_some(), unclear: 0, not_applied: 0 };
        Box::pin(self.ask(asking)).await?;
        Box::pin(self.look_beside()).await;
        Ok(())
    }

    /// A token that ECS may have forgotten would start a second task.
    fn is_forgotten(&self, asked_at: Timestamp) -> bool {
        self.now().duration_since(asked_at).as_secs() > TOKEN_SECONDS
    }

    fn hold(&mut self) -> Result<(), Halt> {
        let environment = self.context.environment();
        let name = format!("migrate-{}-{}-{}", self.report.account, environment.region, environment.name);
        let name = name.replace(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-', "_");
        match self.context.state.hold(&name) {
            Ok(Some(held)) => {
                self.held = Some(held);
                Ok(())
            }
            Ok(None) => {
                let what = format!("nothing was started: another opsctl on this machine migrates {}", environment.name);
                let hint = format!("wait for it; `{}` shows it", environment.command("runs"));
                Err(Halt::new(End::Refused, GoesOn::No, &what, Try::WaitForOther.says(&hint)))
            }
            Err(error) => Err(self.unwritable(&error)),
        }
    }

    /// Token and group are the run's own, and on disk before the call.
    async fn intend(&mut self) -> Result<(), Halt> {
        let run = &self.report.run;
        self.bound.launch.token = format!("opsctl-{run}-{:016x}", self.context.random);
        self.bound.launch.group = group_of(run);
        let what = serde_json::to_value(&self.bound).unwrap_or_else(|error| unreachable!("plain data: {error}"));
        let written = self.write(Record::MigrationIntent { what: Box::new(what) }).await;
        written.map_err(|error| self.unwritable(&error))
    }

    /// Right before the start: the plan may be older than somebody else's migration. Answers whether the run's own task is among them:
    /// an earlier look may have missed it.
    async fn refuse_others(&mut self, was_asked: bool) -> Result<bool, Halt> {
        let mut tries = 0;
        let found = loop {
            match others(&self.bound, &self.context.cloud).await {
                Ok(found) => break found,
                Err(_) if self.is_cancelled() => return Err(self.not_asked(was_asked)),
                Err(error) if error.is_passing() && tries < 10 => tries += 1,
                Err(error) if was_asked => return Err(self.unclear(&error.to_string())),
                Err(error) => return Err(self.not_started(&error.to_string(), &error)),
            }
            self.context.pause(Duration::from_secs(1 << tries.min(3))).await;
        };
        if let Some(own) = found.iter().find(|other| other.is_of(&self.bound.launch.group)) {
            return self.is_found(own.arn.clone(), "found again").await.map(|()| true);
        }
        let Some(other) = found.first() else { return Ok(false) };
        if was_asked {
            return Err(self.unclear(&format!("it is not asked again while another runs: {}", other.words(self.now()))));
        }
        let what = format!("nothing was started: another migration runs: {}", other.words(self.now()));
        Err(Halt::new(
            End::Refused,
            GoesOn::No,
            &what,
            Try::WaitForOther.says("wait until it has ended, then plan anew"),
        ))
    }

    /// Looks for the task of an earlier try, by the run's own task group.
    async fn find(&mut self) -> Result<bool, Halt> {
        let cluster = EcsClusterName(self.bound.launch.cluster.clone());
        for wanted in [Wanted::Running, Wanted::Stopped] {
            let by = By::StartedBy(&self.bound.launch.started_by);
            let tasks = self.context.cloud.ecs.tasks_by(&cluster, by, wanted).await;
            let tasks = tasks.map_err(|error| self.unclear(&error.to_string()))?.found;
            let is_ours =
                |group: &Option<Text>| group.as_ref().is_some_and(|group| group.as_str() == self.bound.launch.group);
            if let Some(task) = tasks.into_iter().find(|task| is_ours(&task.group)) {
                return self.is_found(task.arn, "found again").await.map(|()| true);
            }
        }
        Ok(false)
    }

    async fn is_found(&mut self, arn: TaskArn, status: &str) -> Result<(), Halt> {
        let written = self.write(Record::Migration { task: Some(arn.0.clone()), status: status.to_owned() }).await;
        self.is_task(arn);
        // The token is on disk already: the task is found again without this record.
        written.map_err(|error| {
            let what = format!("the task was started, and the journal can't be written: {error}");
            Halt::new(End::Partly, GoesOn::Yes, &what, Try::MakeRoom.says("make room on the disk, then --resume"))
        })
    }

    /// Asks until there is a clear answer. The same token again is the same task.
    async fn ask(&mut self, mut asking: Asking) -> Result<(), Halt> {
        let mut pause = Duration::from_secs(1);
        loop {
            let error = match self.context.cloud.ecs.run_task(&self.bound.launch).await {
                Ok(Launched::Started(task)) => {
                    self.is_found(task.arn.clone(), "started").await?;
                    let news = self.take(&task);
                    self.tell(news.into_iter().collect(), Vec::new());
                    return Ok(());
                }
                Ok(Launched::Conflict(tasks)) => {
                    let Some(task) = tasks.into_iter().next() else {
                        return Err(self.unclear("ECS knows the token, and names no task"));
                    };
                    return self.is_found(task, "found by its token").await;
                }
                Ok(Launched::Refused(failures)) => return Err(self.refused(&failures).await),
                Err(error) => error,
            };
            match error.kind {
                ErrorKind::Unknown if asking.unclear < UNCLEAR_MAX => asking.unclear += 1,
                ErrorKind::Throttled | ErrorKind::Unreachable if asking.not_applied < NOT_APPLIED_MAX => {
                    asking.not_applied += 1;
                }
                _ if asking.is_unclear() || error.may_have_been_applied() => {
                    return Err(self.unclear(&error.to_string()));
                }
                _ => return Err(self.never_started(&error).await),
            }
            self.news(&format!("{error}; asking again with the same token, which can't start a second task"));
            self.context.pause(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
            if self.is_found_before_asking_again(&mut asking, &error).await? {
                return Ok(());
            }
        }
    }

    /// Much may have changed in a pause, which lasts for hours where the machine sleeps: whether the run is still wanted, whether ECS
    /// remembers the token, whose credentials these are.
    async fn is_found_before_asking_again(&mut self, asking: &mut Asking, error: &CloudError) -> Result<bool, Halt> {
        if self.is_cancelled() {
            return Err(match asking.is_unclear() {
                true => self.not_asked(true),
                false => self.never_started(error).await,
            });
        }
        if self.is_forgotten(asking.since) {
            return match self.find().await? {
                true => Ok(true),
                false if asking.is_unclear() => Err(self.too_late()),
                false => Err(self.never_started(error).await),
            };
        }
        if self.now().duration_since(asking.verified_at).as_secs() < VERIFY_EVERY_SECONDS {
            return Ok(false);
        }
        match verify::account(self.context, self.journal, &self.report.account).await {
            Ok(()) => {
                asking.verified_at = self.now();
                Ok(false)
            }
            Err(stop) => Err(self.unverified(&stop, asking.is_unclear()).await),
        }
    }

    async fn unverified(&self, stop: &Stop, is_unclear: bool) -> Halt {
        let because = match stop {
            Stop::WrongAccount { actual } => {
                format!("the credentials are of account {actual} now, not {}", self.report.account)
            }
            Stop::Failed(error) => format!("whose credentials these are is not known any more: {error}"),
            Stop::Journal(error) => format!("the journal can't be written: {error}"),
            Stop::Cancelled | Stop::Bounced { .. } | Stop::Ageing(_) | Stop::EditFails { .. } | Stop::TooManyLeft => {
                "whose credentials these are could not be asked".to_owned()
            }
        };
        if is_unclear {
            return self.unclear(&because);
        }
        let _ = self.write(Record::Refused {}).await;
        let what = format!("no task was started: {because}");
        Halt::new(End::Refused, GoesOn::No, &what, Try::LogIn.says("log in again, then start it anew"))
    }

    /// Right after the start: a second machine may have looked before either had started.
    async fn look_beside(&mut self) {
        let is_another = |other: &&Other| Some(&other.arn) != self.done.task.as_ref();
        let text = match others(&self.bound, &self.context.cloud).await {
            Ok(found) => match found.iter().find(is_another) {
                Some(other) => format!("another migration runs at the same time: {}", other.words(self.now())),
                None => return,
            },
            Err(error) => format!("whether another migration began at the same time is not known: {error}"),
        };
        self.news(&text);
        self.report.note(text);
    }

    /// Stopped before the call, or between calls.
    fn not_asked(&self, is_unclear: bool) -> Halt {
        match is_unclear {
            true => self.unclear("stopped, as asked, before there was a clear answer"),
            false => Halt::new(
                End::Interrupted,
                GoesOn::No,
                "stopped, as asked; no task was started",
                Try::RunAgain.says("start it anew"),
            ),
        }
    }

    /// ECS took the call and placed nothing.
    async fn refused(&self, failures: &[Missing]) -> Halt {
        let reasons: Vec<String> = failures.iter().map(|failure| failure.reason.to_string()).collect();
        let _ = self.write(Record::Refused {}).await;
        let reasons = reasons.join("; ");
        let hint = match reasons.to_ascii_lowercase() {
            text if text.contains("capacity") => "try again in some minutes, or with subnets in more zones",
            text if text.starts_with("resource") => {
                "the cluster lacks what the task asks for: look at its capacity providers"
            }
            text if text.contains("missing") => "look whether cluster and task definition are still there",
            _ => "look what the ECS developer guide says of this reason",
        };
        Halt::new(
            End::Failed,
            GoesOn::No,
            &format!("no task was started: ECS says {reasons}"),
            Try::MendTask.says(hint),
        )
    }

    async fn never_started(&self, error: &CloudError) -> Halt {
        let _ = self.write(Record::Refused {}).await;
        if self.is_cancelled() {
            let what = format!("stopped, as asked; no task was started: {error}");
            return Halt::new(End::Interrupted, GoesOn::No, &what, Try::RunAgain.says("start it anew"));
        }
        self.not_started(&error.to_string(), error)
    }

    fn not_started(&self, what: &str, error: &CloudError) -> Halt {
        let hint = error.hint(self.context.environment());
        Halt::new(End::Failed, GoesOn::No, &format!("no task was started: {what}"), hint)
    }

    fn unclear(&self, because: &str) -> Halt {
        let what = format!("it is not known whether the task was started: {because}");
        let hint = "--resume finds out: it asks with the same token, which can't start two";
        Halt::new(End::Partly, GoesOn::Perhaps, &what, Try::Resume.says(hint))
    }

    fn too_late(&self) -> Halt {
        let what = "it is not known whether the task was ever started: no task of it is to be seen, and ECS may have forgotten its token";
        let hint = "look in the database and in the log group what was done, then start a new run";
        Halt::new(End::Partly, GoesOn::Perhaps, what, Try::LookAtResult.says(hint))
    }

    fn unwritable(&self, error: &JournalError) -> Halt {
        Halt::new(End::Refused, GoesOn::No, &format!("nothing was started: {error}"), error.hint())
    }
}
