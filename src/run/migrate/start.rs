//! Starts the task, or finds it.

use std::time::Duration;

use super::{End, GoesOn, Halt, History, Record, Run, TOKEN_SECONDS};
use crate::{
    cloud::{
        CloudError, ErrorKind,
        ecs::{By, Launched, Missing, Wanted},
    },
    domain::{
        Text,
        service::{EcsClusterName, TaskArn},
    },
    journal::JournalError,
    operations::migrate::{group_of, others},
};

/// Longest pause between calls.
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// Calls without a clear answer.
const UNCLEAR_MAX: u32 = 20;
/// Calls that were surely not applied: throttled, or no connection.
const NOT_APPLIED_MAX: u32 = 60;
/// Status of a task that was surely not started; the journal's readers know the word.
const REFUSED: &str = "refused";

impl Run<'_> {
    /// When this is done, the task is known.
    pub(super) async fn start(&mut self, history: &History) -> Result<(), Halt> {
        if let Some(task) = &history.migration_task {
            self.is_task(TaskArn(task.clone()));
            return Ok(());
        }
        self.hold()?;
        if let Some((asked_at, _)) = &history.migration_asked {
            if self.find().await? {
                return Ok(());
            }
            // A token that ECS may have forgotten would start a second task.
            if self.now().duration_since(*asked_at).as_secs() > TOKEN_SECONDS {
                return Err(self.too_late());
            }
        }
        self.refuse_others().await?;
        if history.migration_asked.is_none() {
            self.intend().await?;
        }
        self.ask().await
    }

    fn hold(&mut self) -> Result<(), Halt> {
        let environment = self.context.cloud.environment();
        let name = format!("migrate-{}-{}-{}", self.report.account, environment.region, environment.name);
        let name = name.replace(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-', "_");
        match self.context.state.hold(&name) {
            Ok(Some(held)) => {
                self.held = Some(held);
                Ok(())
            }
            Ok(None) => {
                let what = format!("nothing was started: another opsctl on this machine migrates {}", environment.name);
                Err(Halt::new(End::Refused, GoesOn::No, &what, "wait for it; `opsctl runs` shows it"))
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

    /// Right before the start: the plan may be older than somebody else's migration.
    async fn refuse_others(&self) -> Result<(), Halt> {
        let mut tries = 0;
        let found = loop {
            match others(&self.bound, &self.context.cloud).await {
                Ok(found) => break found,
                Err(error) if error.is_passing() && tries < 10 && !self.is_cancelled() => tries += 1,
                Err(error) => return Err(self.not_started(&error.to_string(), &error)),
            }
            self.pause(Duration::from_secs(1 << tries.min(3))).await;
        };
        let Some(other) = found.first() else { return Ok(()) };
        let what = format!("nothing was started: another migration runs: {}", other.words(self.now()));
        Err(Halt::new(End::Refused, GoesOn::No, &what, "wait until it has ended, then plan anew"))
    }

    /// Looks for the task of an earlier try, by the run's own task group.
    async fn find(&mut self) -> Result<bool, Halt> {
        let cluster = EcsClusterName(self.bound.launch.cluster.clone());
        for wanted in [Wanted::Running, Wanted::Stopped] {
            let by = By::StartedBy(&self.bound.launch.started_by);
            let tasks = self.context.cloud.ecs().tasks_by(&cluster, by, wanted).await;
            let tasks = tasks.map_err(|error| self.unclear(&error.to_string()))?;
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
            Halt::new(End::Partly, GoesOn::Yes, &what, "make room on the disk, then --resume")
        })
    }

    /// Asks until there is a clear answer. The same token again is the same task.
    async fn ask(&mut self) -> Result<(), Halt> {
        let (mut unclear, mut not_applied, mut pause) = (0, 0, Duration::from_secs(1));
        loop {
            let error = match self.context.cloud.ecs().run_task(&self.bound.launch).await {
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
                ErrorKind::Unknown if unclear < UNCLEAR_MAX => unclear += 1,
                ErrorKind::Throttled | ErrorKind::Unreachable if not_applied < NOT_APPLIED_MAX => not_applied += 1,
                _ if unclear > 0 || error.may_have_been_applied() => return Err(self.unclear(&error.to_string())),
                _ => return Err(self.never_started(&error).await),
            }
            if self.is_cancelled() {
                return Err(match unclear {
                    0 => self.never_started(&error).await,
                    _ => self.unclear("stopped, as asked, before there was a clear answer"),
                });
            }
            self.news(&format!("{error}; asking again with the same token, which can't start a second task"));
            self.pause(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// ECS took the call and placed nothing.
    async fn refused(&self, failures: &[Missing]) -> Halt {
        let reasons: Vec<String> = failures.iter().map(|failure| failure.reason.to_string()).collect();
        let _ = self.write(Record::Migration { task: None, status: REFUSED.to_owned() }).await;
        let reasons = reasons.join("; ");
        let hint = match reasons.to_ascii_lowercase() {
            text if text.contains("capacity") => "try again in some minutes, or with subnets in more zones",
            text if text.starts_with("resource") => {
                "the cluster lacks what the task asks for: look at its capacity providers"
            }
            text if text.contains("missing") => "look whether cluster and task definition are still there",
            _ => "look what the ECS developer guide says of this reason",
        };
        Halt::new(End::Failed, GoesOn::No, &format!("no task was started: ECS says {reasons}"), hint)
    }

    async fn never_started(&self, error: &CloudError) -> Halt {
        let _ = self.write(Record::Migration { task: None, status: REFUSED.to_owned() }).await;
        if self.is_cancelled() {
            let what = format!("stopped, as asked; no task was started: {error}");
            return Halt::new(End::Interrupted, GoesOn::No, &what, "start it anew");
        }
        self.not_started(&error.to_string(), error)
    }

    fn not_started(&self, what: &str, error: &CloudError) -> Halt {
        let hint = error.hint(self.context.cloud.environment());
        Halt::new(End::Failed, GoesOn::No, &format!("no task was started: {what}"), &hint)
    }

    fn unclear(&self, because: &str) -> Halt {
        let what = format!("it is not known whether the task was started: {because}");
        Halt::new(
            End::Partly,
            GoesOn::Perhaps,
            &what,
            "--resume finds out: it asks with the same token, which can't start two",
        )
    }

    fn too_late(&self) -> Halt {
        let what = "it is not known whether the task was ever started: no task of it is to be seen, and ECS may have forgotten its token";
        let hint = "look in the database and in the log group what was done, then start a new run";
        Halt::new(End::Failed, GoesOn::No, what, hint)
    }

    fn unwritable(&self, error: &JournalError) -> Halt {
        Halt::new(End::Refused, GoesOn::No, &format!("nothing was started: {error}"), error.hint())
    }
}
