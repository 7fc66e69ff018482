//! How a run ended.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Details, NotBegun, Switched, Turned, helps, once::NotOpened};
use crate::{
    domain::{
        Advice, DeploymentId, Environment, RunId, ServiceId, TaskBounds, TaskDefinition, Text, Try,
        invocation::option,
        words::{counted, counted_is, some_of},
    },
    gate::Refusal,
    journal::{End, History, JournalError, Record, RunFolder},
    operations::{
        Operation, OperationKind, command_line,
        plan::Plan,
        transfer::{Ageing, Stop, Tally},
        values::in_words,
    },
};

pub const SCHEMA: &str = "opsctl/report/2";

/// Messages named one by one in a journal's last line: it shall stay readable at a glance.
const NAMED_IN_JOURNAL_MAX: usize = 100;

/// Ids named that were not met; all of them stand in the report's JSON.
const UNMET_NAMED_MAX: usize = 20;

/// What failed: what, because, try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub what: Text,
    /// Empty where nothing helps.
    pub hint: Text,
    /// Where the hint leads.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::domain::advice::known")]
    pub advice: Option<Try>,
}

impl Failure {
    pub fn new(what: impl AsRef<str>, advice: impl Into<Option<Advice>>) -> Self {
        Self { what: Text::line(what.as_ref()), ..Self::of_block(Text::default(), advice) }
    }

    /// Of several lines, which stay as they are.
    pub fn of_block(what: Text, advice: impl Into<Option<Advice>>) -> Self {
        let advice = advice.into();
        let hint = advice.as_ref().map(|advice| advice.text().clone()).unwrap_or_default();
        Self { what, hint, advice: advice.map(|advice| advice.way()) }
    }

    /// The same, as a part of something larger.
    pub fn within(self, what: impl AsRef<str>) -> Self {
        Self { what: Text::line(what.as_ref()), ..self }
    }
}

/// On one line: what, and what to try where something helps.
impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.hint.is_empty() {
            true => self.what.fmt(formatter),
            false => write!(formatter, "{}; {}", self.what, self.hint),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub schema: String,
    pub run: RunId,
    /// By its name on the command line.
    pub operation: OperationKind,
    pub environment: String,
    pub account: String,
    /// Where from, to, by which engine: the plan's facts.
    pub facts: Vec<crate::operations::plan::Fact>,
    pub end: End,
    pub details: Details,
    /// Consumers that were paused meanwhile, and resumed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meanwhile: Option<Turned>,
    /// When it began, or was resumed.
    pub started_at: Timestamp,
    pub seconds: f64,
    pub failure: Option<Failure>,
    /// What to know besides.
    pub notes: Vec<Text>,
    pub journal: Option<Text>,
    pub snapshot: Option<Text>,
    /// The command line that does the same.
    pub command: Text,
    pub next: Option<Text>,
    /// Consumers that were to take messages again by now, and do not: `mapping ..`, `service ../..`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub still_paused: Vec<Text>,
    /// Ids that were given and that nothing was done for, in the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmet: Vec<Text>,
    /// What was asked for, for command lines that ask for it in another way.
    #[serde(skip)]
    pub asked: Option<Box<Operation>>,
}

/// What became of a service that was to wake or sleep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    pub service: ServiceId,
    pub from: u32,
    pub to: u32,
    pub is_set: bool,
    /// Whether an update had no clear answer, so that the count may be set although it is not known to be.
    pub may_be_set: bool,
    pub is_done: bool,
    /// Tasks that ran when it was seen last.
    pub running: Option<u32>,
    /// From the update until it was seen as it shall be.
    pub seconds: Option<f64>,
    pub deployment: Option<DeploymentId>,
    /// Its revisions, where it was deployed; none: its count was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployed: Option<Redeployed>,
    /// Bounds of its autoscaling, where they were moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounds: Option<TaskBounds>,
    /// Why it is not done: what failed, or its last event.
    pub because: Option<Text>,
    /// Why tasks of it stopped by themselves.
    pub stopped: Option<Text>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redeployed {
    /// Revision before; the same: its tasks were replaced.
    pub from: TaskDefinition,
    pub to: TaskDefinition,
    /// Whether ECS's circuit breaker did it, and it was only watched.
    pub by_ecs: bool,
    /// The deployment that took the place of the one that was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<DeploymentId>,
}

impl Ended {
    pub fn words(&self) -> String {
        let Self { service, to, is_set, may_be_set, is_done, running, seconds, because, stopped, .. } = self;
        let mut words = match (is_done, is_set) {
            _ if self.deployed.is_some() => self.deployed_words(),
            (true, _) => format!("{service}: {to} as desired, after {:.0} s", seconds.unwrap_or_default()),
            (false, false) if *may_be_set => format!("{service}: it may or may not be set to {to}"),
            (false, false) => format!("{service}: not set"),
            (false, true) => {
                let running = running.map_or("?".to_owned(), |running| running.to_string());
                format!("{service}: {running} of {to} run")
            }
        };
        if let Some(bounds) = &self.bounds {
            words.push_str(&format!(", autoscaling {bounds}"));
        }
        if let Some(because) = because {
            words.push_str(&format!(", {because}"));
        }
        if let Some(stopped) = stopped {
            words.push_str(&format!(" (tasks stopped: {stopped})"));
        }
        words
    }

    fn deployed_words(&self) -> String {
        let Self { service, to: count, is_set, may_be_set, is_done, running, seconds, deployed, .. } = self;
        let Some(Redeployed { from, to, by_ecs, replaced_by }) = deployed else { return String::new() };
        let (is_restart, to) = (from == to, &to.0);
        let run = match count {
            0 => "none of its tasks is wanted".to_owned(),
            count => counted((*count).into(), "task"),
        };
        let after = format!("after {:.0} s", seconds.unwrap_or_default());
        let mut words = match (is_done, is_set) {
            (true, _) if *by_ecs => format!("{service}: ECS itself rolled back to {to}, {run}, {after}"),
            (true, _) if is_restart => format!("{service}: restarted, {run}, {after}"),
            (true, _) => format!("{service}: runs {to} again, {run}, {after}"),
            (false, true) => {
                let running = running.map_or("?".to_owned(), |running| running.to_string());
                format!("{service}: {running} of {count} run by the deployment of {to}")
            }
            (false, false) if *may_be_set => format!("{service}: a deployment of {to} may or may not have begun"),
            (false, false) if is_restart => format!("{service}: not restarted"),
            (false, false) => format!("{service}: not rolled back"),
        };
        if let Some(by) = replaced_by {
            words.push_str(&format!(", by deployment {}, which took the place of the one that was made", by.0));
        }
        words
    }
}

impl Report {
    /// What became of services, its own or those of consumers that were paused meanwhile.
    pub fn services(&self) -> &[Ended] {
        match (&self.details, &self.meanwhile) {
            (Details::Services { services }, _) => services,
            (Details::Consumers(turned), _) | (_, Some(turned)) => &turned.services,
            (_, None) => &[],
        }
    }

    /// What became of event source mappings, in the same way.
    pub fn mappings(&self) -> &[Switched] {
        match (&self.details, &self.meanwhile) {
            (Details::Consumers(turned), _) | (_, Some(turned)) => &turned.mappings,
            (_, None) => &[],
        }
    }

    pub(super) fn new(run: &RunId, plan: &Plan, started_at: Timestamp, environment: &Environment) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            run: run.clone(),
            operation: plan.operation.kind(),
            environment: plan.environment.to_string(),
            account: plan.account.to_string(),
            facts: plan.facts.clone(),
            end: End::Nothing,
            details: Details::Nothing,
            meanwhile: None,
            started_at,
            seconds: 0.0,
            failure: None,
            notes: Vec::new(),
            journal: None,
            snapshot: None,
            command: Text::line(&command_line(&plan.operation, &plan.environment, &environment.invocation)),
            next: None,
            still_paused: Vec::new(),
            unmet: plan.unmet.clone(),
            asked: Some(Box::new(plan.operation.clone())),
        }
    }

    /// Should it not begin, what the earlier try left is still so.
    pub(super) fn left_before(&mut self, history: &History) {
        let (uncertain, sent_not_deleted) = (&history.uncertain, history.sent_not_deleted.len() as u64);
        if !uncertain.is_empty() || sent_not_deleted > 0 {
            let uncertain = uncertain.iter().cloned().collect();
            let tally = Tally { uncertain, sent_not_deleted, ..Tally::default() };
            self.details = Details::Messages(Box::new(tally));
        }
    }

    pub(super) fn journal_at(&mut self, folder: &RunFolder) {
        self.journal = Some(Text::line(&folder.journal().display().to_string()));
    }

    pub(super) fn note(&mut self, text: impl AsRef<str>) {
        self.notes.push(Text::line(text.as_ref()));
    }

    /// Nothing was done, and this is why.
    pub(super) fn nothing_done(
        mut self,
        end: End,
        because: impl fmt::Display,
        advice: impl Into<Option<Advice>>,
    ) -> Self {
        self.end = end;
        self.failure = Some(Failure::new(format!("nothing was done: {because}"), advice));
        self
    }

    pub(super) fn refused_by_journal(self, error: &JournalError) -> Self {
        self.nothing_done(End::Refused, error, error.hint())
    }

    /// Something is left to do, though nothing failed: `next` does it, unless the run itself is to be taken up.
    pub(super) fn left_a_part(&mut self, next: &str) {
        match self.end {
            End::Done | End::Nothing => (self.end, self.next) = (End::Partly, Some(Text::line(next))),
            End::Failed | End::Refused | End::Partly | End::Stale | End::Interrupted => {}
        }
    }

    /// Not all was done that was asked for by its id.
    pub(super) fn with_unmet(mut self) -> Self {
        let is_else_done = matches!(self.end, End::Done | End::Nothing);
        if is_else_done && !self.unmet.is_empty() {
            let ids = counted_is(self.unmet.len() as u64, "id", "was", "were");
            let names = some_of(self.unmet.iter().map(Text::as_str), UNMET_NAMED_MAX);
            let hint = Try::NameAnother
                .says("check that they are ids of what was asked for here, and look for them elsewhere");
            self.end = End::Partly;
            self.failure = Some(Failure::new(format!("{ids} given and not met: {names}"), hint));
        }
        self
    }

    /// Before there is a journal: another run has used the consent, or that can't be known.
    pub(super) fn not_opened(self, why: NotOpened) -> Self {
        match why {
            NotOpened::Journal(error) => self.refused_by_journal(&error),
            NotOpened::Used(refusal) => self.nothing_done(End::Refused, &refusal, refusal.hint()),
        }
    }

    pub(super) fn unrecorded(mut self, error: &JournalError) -> Self {
        if matches!(self.end, End::Done | End::Nothing) {
            self.end = End::Partly;
        }
        self.note(format!("the end could not be written to the journal: {error}"));
        self
    }

    pub(super) fn not_begun(self, why: NotBegun, environment: &Environment) -> Self {
        let joined = |texts: &[Text]| texts.iter().map(Text::as_str).collect::<Vec<_>>().join("; ");
        let mut report = match why {
            NotBegun::WrongAccount { actual } => {
                let because = format!("the credentials are of account {actual}, not {}", self.account);
                self.nothing_done(End::Refused, because, check_profile(environment))
            }
            NotBegun::Stale(differences) => {
                let none = differences.is_empty();
                let list = if none { "the plan itself differs".to_owned() } else { joined(&differences) };
                self.stale(&format!("the world has changed since the plan: {list}"), environment)
            }
            NotBegun::Blocked(reasons) => {
                let refusal = Refusal::Blocked { reasons };
                self.nothing_done(End::Refused, &refusal, refusal.hint())
            }
            NotBegun::Failed(error) => self.nothing_done(End::Failed, &error, error.advice(environment)),
        };
        report.note_what_is_left();
        report
    }

    pub fn for_journal(&self) -> Record {
        let mut report = self.clone();
        if let Details::Messages(tally) = &mut report.details {
            tally.uncertain.truncate(NAMED_IN_JOURNAL_MAX);
            tally.resent.truncate(NAMED_IN_JOURNAL_MAX);
            tally.kept_named.truncate(NAMED_IN_JOURNAL_MAX);
        }
        let value = serde_json::to_value(&report).unwrap_or_else(|error| unreachable!("plain data: {error}"));
        Record::Ended {
            end: self.end,
            did: self.details.did(),
            is_left: self.next.is_some(),
            has_snapshot: self.snapshot.is_some(),
            report: Box::new(value),
        }
    }

    /// What a transfer's tally means.
    pub(super) fn with_tally(mut self, tally: Tally, now: Timestamp, environment: &Environment) -> Self {
        self.seconds = now.duration_since(self.started_at).as_secs_f64();
        let moved = tally.moved + tally.removed + tally.sent + tally.settled > 0;
        let left = tally.kept_unexpected > 0
            || !tally.uncertain.is_empty()
            || tally.sent_not_deleted > 0
            || tally.elsewhere > 0
            || tally.unreached > 0;
        self.end = match &tally.stop {
            Some(Stop::Cancelled) => End::Interrupted,
            Some(Stop::Bounced { .. } | Stop::Ageing(_) | Stop::TooManyLeft) => End::Partly,
            Some(Stop::EditFails { .. }) if moved => End::Partly,
            Some(Stop::EditFails { .. }) => End::Failed,
            Some(Stop::WrongAccount { .. }) if moved || left => End::Partly,
            Some(Stop::WrongAccount { .. }) => End::Refused,
            Some(Stop::Failed(_) | Stop::Journal(_)) if moved || left => End::Partly,
            Some(Stop::Failed(_) | Stop::Journal(_)) => End::Failed,
            None if left => End::Partly,
            None if moved => End::Done,
            None => End::Nothing,
        };
        self.failure = tally.stop.as_ref().map(|stop| failure(stop, environment));
        if let (Some(Stop::Bounced { .. }), Some(failure), Some(asked)) = (&tally.stop, &self.failure, &self.asked) {
            let groups = environment.command(&format!("groups {}", option("queue", asked.verb().subject())));
            let hint =
                Try::MendConsumer.says(format!("mend what they fail on first: `{groups}` shows how they failed"));
            self.failure = Some(Failure::new(failure.what.as_str(), hint));
        }
        self.next = match self.end {
            End::Partly | End::Interrupted | End::Failed | End::Refused if helps::takes_more(&tally) => {
                Some(self.resumed_by(&tally, environment))
            }
            End::Partly | End::Interrupted | End::Failed | End::Refused => self.helped_by(&tally, environment),
            End::Done | End::Nothing | End::Stale => None,
        };
        self.note_what_helps(&tally, environment);
        self.details = Details::Messages(Box::new(tally));
        self.note_what_is_left();
        self
    }

    /// The command line that goes on with this run.
    pub(super) fn resume_line(&self, environment: &Environment) -> Text {
        Text::line(&environment.command(&format!("{} --resume {}", self.operation.name(), self.run)))
    }

    fn note_what_is_left(&mut self) {
        let Details::Messages(tally) = &self.details else { return };
        let are = |count: u64| format!("~{}", counted_is(count, "message", "is", "are"));
        let were = |count: usize| counted_is(count as u64, "message", "was", "were");
        let uncertain = counted(tally.uncertain.len() as u64, "message");
        let what_to_do = if self.operation == OperationKind::Restore {
            "look for them at the destination, then --resume with --uncertain resend where they are missing"
        } else {
            "they were left: look for them at the destination, then --resume with --uncertain resend, or delete them"
        };
        let ageing = tally.ageing.as_ref().filter(|_| tally.stop.is_none()).map(in_words_of);
        let untaken = "nobody seems to take the messages from their destination";
        let notes = [
            (tally.sent_not_deleted > 0).then(|| {
                let sent = were(tally.sent_not_deleted as usize);
                format!("{sent} sent and still in the source: --resume deletes what was sent")
            }),
            (!tally.uncertain.is_empty()).then(|| format!("{uncertain} may or may not have been sent; {what_to_do}")),
            (!tally.resent.is_empty()).then(|| {
                format!(
                    "{} sent a second time, as --uncertain resend says: each may be there twice; look for them at the destination",
                    were(tally.resent.len())
                )
            }),
            ageing
                .or(tally.untaken.then(|| untaken.to_owned()))
                .map(|because| format!("{because}: is its consumer running?")),
            tally.one_at_a_time.then(|| {
                "the source delivered messages of one message group to two receives at once: opsctl went on with one batch at a \
                 time to keep their order"
                    .to_owned()
            }),
            (tally.unreached > 0)
                .then(|| format!("{} counted and could not be received: run it again", are(tally.unreached))),
            (tally.elsewhere > 0).then(|| format!("{} in flight elsewhere: run it again later", are(tally.elsewhere))),
        ];
        self.notes.extend(notes.iter().flatten().map(|note| Text::line(note)));
    }
}

fn in_words_of(ageing: &Ageing) -> String {
    let Ageing { queue, seconds, before_seconds } = ageing;
    let (now, before) = (in_words(*seconds), in_words(*before_seconds));
    format!(
        "the oldest message in {queue} is {now} old by CloudWatch, {before} at most before, and nobody seems to work it off"
    )
}

fn check_profile(environment: &Environment) -> Advice {
    let doctor = environment.command("doctor");
    Try::CheckProfile.says(format!("check the profile of [environments.{}] with `{doctor}`", environment.name))
}

pub(super) fn failure(stop: &Stop, environment: &Environment) -> Failure {
    let (what, hint) = match stop {
        Stop::Cancelled => ("stopped, as asked".to_owned(), Try::Resume.says("--resume goes on with it")),
        Stop::Failed(error) => (error.to_string(), error.hint(environment)),
        Stop::Journal(because) => (
            format!("stopped, since the journal can't be written: {because}"),
            Try::MakeRoom.says("make room on the disk, then --resume"),
        ),
        Stop::Bounced { bounced, sent } => (
            format!("stopped: {bounced} of {} came back", counted(*sent, "message")),
            Try::MendConsumer.says("mend what they fail on first: look at how they failed, group by group"),
        ),
        Stop::Ageing(ageing) => (
            format!("stopped: {}", in_words_of(ageing)),
            Try::MendConsumer
                .says("see that its consumer works them off, then --resume; --ramp all would not wait for it"),
        ),
        Stop::WrongAccount { actual } => (
            format!("stopped: the credentials are of account {actual} now"),
            check_profile(environment).map(|check| format!("{check}, then --resume")),
        ),
        Stop::EditFails { failures } => (
            format!("stopped: the edit failed on all of the first {failures} messages"),
            Try::MendEdit.says("mend it: try it on a message that a peek shows; or leave those out with --where"),
        ),
        Stop::TooManyLeft => (
            "stopped: more than 100,000 messages are left out by the filter".to_owned(),
            Try::MendFilter.says("turn the filter round, or move them elsewhere first with --to"),
        ),
    };
    Failure::new(what, hint)
}
