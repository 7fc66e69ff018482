//! Follows the task until it has stopped, and its log.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{End, GoesOn, Halt, Run};
use crate::{
    cloud::{CloudError, ErrorKind, logs::Lacks},
    domain::{LogLine, Task, Text, Try},
    messages::shorten::redact,
    operations::values::in_words,
};

/// Looks are so far apart at first.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// And so far after [`PATIENT_SECONDS`]: reads of tasks are shared, 20 a second.
const LOOK_EVERY_LATER: Duration = Duration::from_secs(5);
const PATIENT_SECONDS: i64 = 600;
const LOOK_EVERY_EXPIRED: Duration = Duration::from_secs(10);
/// So long ECS may not show a task that it has taken (reads are eventually consistent), from when this try knows of it on.
const UNSEEN_SECONDS_MAX: i64 = 60;
/// And in so many looks in a row: one by itself proves nothing, however late.
const UNSEEN_LOOKS_MIN: u32 = 5;
/// After the end, lines may still come: so many looks, unless two in a row bring none.
const LAST_LOOKS_MAX: u32 = 8;

/// What stands in the way of looking, so that each is told once.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Trouble {
    None,
    Task(ErrorKind),
}

impl Run<'_> {
    pub(super) async fn follow(&mut self) -> Halt {
        let deadline = self.bound.timeout_seconds.map(|seconds| {
            let seconds = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
            self.began_at.checked_add(seconds).unwrap_or(Timestamp::MAX)
        });
        let (known_at, mut unseen) = (self.now(), 0);
        let mut trouble = Trouble::None;
        loop {
            let looked = self.look().await;
            let mut every = if self.seconds() < PATIENT_SECONDS { LOOK_EVERY } else { LOOK_EVERY_LATER };
            match looked {
                Ok(Some(task)) => {
                    if trouble != Trouble::None {
                        self.news("the task is seen again");
                    }
                    (trouble, unseen) = (Trouble::None, 0);
                    let news = self.take(&task);
                    let log = self.log().await;
                    self.tell(news.into_iter().collect(), log);
                    if task.status.as_str() == "STOPPED" {
                        return self.stopped().await;
                    }
                }
                Ok(None) => {
                    unseen += 1;
                    let is_long = self.now().duration_since(known_at).as_secs() >= UNSEEN_SECONDS_MAX;
                    if is_long && unseen >= UNSEEN_LOOKS_MIN {
                        return self.gone();
                    }
                    if unseen == UNSEEN_LOOKS_MIN {
                        self.news("ECS does not show the task, which may pass; looking again");
                    }
                }
                Err(error) => {
                    if let Some(halt) = self.cannot_look(&error, &mut trouble) {
                        return halt;
                    }
                    every = LOOK_EVERY_EXPIRED;
                }
            }
            if self.is_cancelled() {
                return self.cancelled();
            }
            if deadline.is_some_and(|deadline| self.now() >= deadline) {
                return self.timed_out();
            }
            self.context.pause(every).await;
        }
    }

    async fn look(&self) -> Result<Option<Task>, CloudError> {
        match &self.done.task {
            Some(arn) => self.context.cloud.ecs.task(&self.bound.launch.cluster, arn).await,
            None => Ok(None),
        }
    }

    /// Expired credentials and passing failures are waited out: the task does not mind.
    fn cannot_look(&self, error: &CloudError, trouble: &mut Trouble) -> Option<Halt> {
        let hint = error.hint(self.context.environment());
        let is_waited_out = error.is_passing()
            || matches!(
                error.kind,
                ErrorKind::CredentialsExpired | ErrorKind::CredentialsMissing | ErrorKind::ClockSkew
            );
        if !is_waited_out {
            let what = format!("the task was started, and can't be watched: {error}");
            return Some(Halt::new(End::Partly, GoesOn::Yes, &what, hint.map(|hint| format!("{hint}; then --resume"))));
        }
        if *trouble != Trouble::Task(error.kind) {
            self.news(&format!("the task goes on, and can't be watched now: {error}; {hint}; looking again all along"));
        }
        *trouble = Trouble::Task(error.kind);
        None
    }

    /// New lines of the log, without what looks like a secret.
    async fn log(&mut self) -> Vec<LogLine> {
        let Some(follower) = &mut self.follower else { return Vec::new() };
        let read = follower.look(&self.context.cloud.logs).await;
        self.done.log_lines = follower.lines;
        match read {
            Ok(lines) => safe(lines),
            Err(error) => {
                let is_final = !error.is_passing() && error.kind != ErrorKind::CredentialsExpired;
                if is_final {
                    self.news(&format!("its log can't be read, the task is followed without it: {error}"));
                    self.follower = None;
                }
                Vec::new()
            }
        }
    }

    /// What was written last comes some seconds late.
    async fn stopped(&mut self) -> Halt {
        let mut idle = 0;
        for _ in 0..LAST_LOOKS_MAX {
            let may_come = self.follower.is_some() && self.done.started_at.is_some();
            if !may_come || idle == 2 || self.is_cancelled() {
                break;
            }
            self.context.pause(LOOK_EVERY).await;
            let lines = self.log().await;
            // A page may be empty before the end.
            let is_at_end = self.follower.as_ref().is_some_and(|follower| follower.is_at_end);
            idle = if lines.is_empty() && is_at_end { idle + 1 } else { 0 };
            if !lines.is_empty() {
                self.tell(Vec::new(), lines);
            }
        }
        self.tail().await;
        self.judge()
    }

    /// What was written last says why it ended: where reading did not come so far, it is shown without what is before it.
    async fn tail(&mut self) {
        let Some(follower) = self.follower.as_mut().filter(|follower| !follower.is_at_end) else { return };
        if self.done.started_at.is_none() {
            return;
        }
        let read = follower.tail(&self.context.cloud.logs).await;
        self.done.log_lines = follower.lines;
        match read {
            Ok(tail) => {
                if tail.has_gap {
                    self.tail_lines = Some(tail.lines.len() as u64);
                    self.news("its log is too long to be read whole: what comes now are its last lines");
                }
                self.tell(Vec::new(), safe(tail.lines));
            }
            Err(error) => self.news(&format!("the end of its log can't be read: {error}")),
        }
    }

    pub(super) fn log_lacks(&self) -> Option<Lacks> {
        self.follower.as_ref().and_then(|follower| follower.lacks)
    }

    fn seconds(&self) -> i64 {
        self.now().duration_since(self.began_at).as_secs()
    }

    fn gone(&self) -> Halt {
        let what = "ECS does not show the task: it shows stopped ones for about an hour, so how it ended is not known";
        let hint = "its log group keeps what it wrote; look in the database what was done";
        Halt::new(End::Partly, GoesOn::Perhaps, what, Try::LookAtResult.says(hint))
    }

    fn cancelled(&self) -> Halt {
        let what = "stopped watching, as asked: the task goes on in AWS, and opsctl does not stop it";
        Halt::new(
            End::Interrupted,
            GoesOn::Yes,
            what,
            Try::Resume.says("look again with --resume, which starts nothing"),
        )
    }

    fn timed_out(&self) -> Halt {
        let seconds = in_words(self.bound.timeout_seconds.unwrap_or_default());
        let what = format!("not over after {seconds}: the task goes on in AWS");
        Halt::new(End::Partly, GoesOn::Yes, &what, Try::Resume.says("look again with --resume, which starts nothing"))
    }
}

/// Without what looks like a secret.
fn safe(lines: Vec<LogLine>) -> Vec<LogLine> {
    lines.into_iter().map(|line| LogLine { text: Text::line(&redact(line.text.as_str())), ..line }).collect()
}
