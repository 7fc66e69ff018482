//! A run of a failover: asked for once, watched until another instance writes and all is available again.
//!
//! Then its endpoint is asked until it answers ([`proof`]); nothing else ever connects to a database.
//!
//! RDS has no token by which a repeated call would be known: after a lost answer, and on a resume, it is only looked.

mod proof;
mod telling;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use proof::Answered;
use proof::Proof;

use super::{Context, End, Failure, Report};
use crate::{
    cloud::{CloudError, ErrorKind},
    domain::{Advice, Database, DatabaseEvent, Member, SourceKind, Text, Try, invocation::quoted},
    journal::{History, Journal, Record},
    operations::{bound::FailOver, values::in_words},
};

/// Looks are so far apart: another writer is noticed within this time after the API shows it.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Longest watch. Without a reader Aurora takes up to ten minutes; with one, far less.
const WATCH_SECONDS_MAX: i64 = 20 * 60;
/// After a lost answer, how long to look for a sign that it has begun.
const SIGN_SECONDS_MAX: i64 = 90;
/// So long events may come later than what they tell of.
const EVENTS_SECONDS_MAX: i64 = 60;
/// So long the others may take to be available again once there is a new writer: one that is sick stays so, and a reader that is being
/// added takes its time.
const OTHERS_SECONDS_MAX: i64 = 180;
/// So long an endpoint may take to answer once all is available.
const ANSWER_SECONDS_MAX: i64 = 60;
const FAILURES_MAX: u32 = 60;
/// A throttled call was not applied: it is made again, so often.
const THROTTLED_MAX: u32 = 5;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FailedOver {
    pub writer_before: Option<String>,
    /// Who writes, as seen last.
    pub writer_after: Option<String>,
    /// From the asking until another instance was seen to write and to be available; none: not seen.
    pub seconds_to_writer: Option<f64>,
    /// Until everything was seen to be available again; none: not seen.
    pub seconds_to_available: Option<f64>,
    /// Whether its endpoint answered, and when; none: there was no new writer to ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered: Option<Answered>,
    pub rto_seconds: Option<u64>,
    /// Whether the new writer was there, and answered where that could be known, in time; none: no objective, or no new writer.
    pub within_rto: Option<bool>,
    pub events: Vec<DatabaseEvent>,
}

pub(super) async fn run(
    bound: FailOver,
    context: &Context,
    journal: &Journal,
    history: &History,
    report: Report,
) -> Report {
    let now = context.now();
    let (asked_at, is_resumed) = (bound.asked_at.unwrap_or(now), bound.asked_at.is_some());
    // Events carry AWS's time: this machine's may differ, by three seconds without a word.
    let events_from = history.cutoff.unwrap_or(asked_at);
    let events_from = events_from.saturating_sub(SignedDuration::from_secs(5)).unwrap_or(events_from);
    let mut watch = Watch {
        bound: &bound,
        context,
        journal,
        asked_at,
        events_from,
        has_begun: false,
        is_resumed,
        is_late: false,
        looks: 0,
        proof: None,
        not_well: Vec::new(),
        unwritten: None,
        done: FailedOver {
            writer_before: bound.writer.clone(),
            rto_seconds: bound.rto_seconds,
            ..FailedOver::default()
        },
    };
    if is_resumed {
        return watch.follow(Asked::Perhaps, report).await;
    }
    match watch.ask().await {
        Ok(asked) => watch.follow(asked, report).await,
        Err((end, failure)) => {
            let mut report = watch.report(end, report);
            report.failure = Some(failure);
            // Nothing was asked for that a resume could look at.
            report.next = report.again_line(context.environment());
            report
        }
    }
}

impl FailedOver {
    /// Until it could be worked with again, as far as it is known: the new writer was there, and answered.
    pub fn seconds_to_service(&self) -> Option<f64> {
        let answered = self.answered.as_ref().and_then(|answered| answered.seconds);
        Some(self.seconds_to_writer?.max(answered.unwrap_or_default()))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Surely,
    /// The answer was lost, or an earlier try asked.
    Perhaps,
}

struct Watch<'a> {
    bound: &'a FailOver,
    context: &'a Context,
    journal: &'a Journal,
    asked_at: Timestamp,
    events_from: Timestamp,
    has_begun: bool,
    is_resumed: bool,
    /// Whether another one wrote already when it was first looked: then this run's clock says nothing.
    is_late: bool,
    looks: u64,
    /// Since there is a new writer.
    proof: Option<Proof>,
    /// Instances that were not available when it was last looked, with RDS's word for them.
    not_well: Vec<String>,
    /// Why something could not be written down after the call: it was asked for all the same.
    unwritten: Option<Failure>,
    done: FailedOver,
}

enum Next {
    Again,
    Ended(End, Option<Failure>),
}

impl Next {
    fn ended(end: End, what: impl AsRef<str>, advice: Advice) -> Self {
        Self::Ended(end, Some(Failure::new(what, advice)))
    }
}

impl Watch<'_> {
    /// Asks for the failover. What was surely not applied for a throttle is asked again; anything unclear is looked at.
    async fn ask(&mut self) -> Result<Asked, (End, Failure)> {
        for attempt in 1.. {
            if self.is_cancelled() {
                let what = "stopped, as asked, before anything was asked for";
                return Err((End::Interrupted, Failure::new(what, Try::RunAgain.says("run it again when it is time"))));
            }
            let what = serde_json::to_value(self.bound).unwrap_or_else(|error| unreachable!("plain data: {error}"));
            let record = Record::FailoverIntent { what: Box::new(what) };
            self.write(record).await.map_err(|failure| (End::Failed, failure))?;
            self.asked_at = self.now();
            let rds = &self.context.cloud.rds;
            let answer = match self.bound.topology.kind() {
                SourceKind::Cluster => rds.fail_over_cluster(&self.bound.database, self.bound.target.as_deref()).await,
                SourceKind::Instance => rds.fail_over_instance(&self.bound.database).await,
            };
            match answer {
                Ok(()) => {
                    self.note("begun").await;
                    return Ok(Asked::Surely);
                }
                Err(error) if error.may_have_been_applied() => {
                    self.note("no clear answer").await;
                    return Ok(Asked::Perhaps);
                }
                Err(error) => {
                    let written = self.write(Record::Refused {}).await;
                    written.map_err(|failure| (End::Failed, failure))?;
                    if error.kind != ErrorKind::Throttled || attempt >= THROTTLED_MAX {
                        let hint = error.hint(self.context.environment());
                        return Err((End::Failed, Failure::new(format!("nothing was done: {error}"), hint)));
                    }
                    self.context.pause(Duration::from_secs(1 << attempt)).await;
                }
            }
        }
        unreachable!("the loop has no other end")
    }

    /// Writes down what came of the call. A full disk ends no watch: what was asked for goes on.
    async fn note(&mut self, status: &str) {
        self.unwritten = self.write(Record::Failover { status: status.to_owned() }).await.err();
    }

    /// Looks each second until it is over.
    async fn follow(&mut self, asked: Asked, report: Report) -> Report {
        self.has_begun = asked == Asked::Surely;
        let mut failures = 0;
        loop {
            let looked_at = self.now();
            let next = match self.look(asked).await {
                Ok(next) => {
                    failures = 0;
                    next
                }
                Err(error) => {
                    failures += 1;
                    if error.is_passing() && failures < FAILURES_MAX { Next::Again } else { self.lost_sight(&error) }
                }
            };
            if let Next::Ended(end, failure) = next {
                return self.ended(end, failure, report).await;
            }
            if self.is_cancelled() {
                let what = "stopped watching, as asked: the failover goes on in AWS, and can't be called back";
                let hint =
                    format!("look again with --resume, which asks for nothing, or with `{}`", self.looked_at_by());
                return self.ended(End::Interrupted, Some(Failure::new(what, Try::Resume.says(hint))), report).await;
            }
            self.tell(&report);
            let took = Duration::try_from(self.now().duration_since(looked_at)).unwrap_or_default();
            self.context.pause(LOOK_EVERY.saturating_sub(took)).await;
        }
    }

    async fn look(&mut self, asked: Asked) -> Result<Next, CloudError> {
        let rds = &self.context.cloud.rds;
        let Some(database) = rds.database(&self.bound.database).await? else {
            let what = format!("{} is no longer there", self.bound.database);
            return Ok(Next::ended(End::Partly, what, Try::LookAtResult.says("look at it in the AWS console")));
        };
        let seconds = self.seconds();
        self.looks += 1;
        self.done.writer_after = database.writer().map(|writer| writer.name.clone());
        let not_well = database.members.iter().filter(|member| !member.is_available());
        let word = |member: &Member| member.status.as_ref().map_or("unknown", Text::as_str).to_owned();
        self.not_well = not_well.map(|member| format!("{} is {}", member.name, word(member))).collect();
        self.has_begun |= database.status.as_str() != "available" || self.has_changed(&database);
        if self.needs_events(&database, seconds) {
            self.events().await?;
        }
        if let Some(event) = self.done.events.iter().find(|event| event.abandons()) {
            let hint = format!("wait some minutes, look with `{}`, then fail over anew", self.looked_at_by());
            return Ok(Next::ended(
                End::Failed,
                format!("RDS gave it up: {}", event.message),
                Try::RunAgain.says(hint),
            ));
        }
        if self.done.seconds_to_writer.is_none() && self.is_taken_over(&database) {
            self.is_late = self.is_resumed && self.looks == 1;
            self.done.seconds_to_writer = Some(seconds);
            self.proof = Proof::begin(&self.context.cloud, self.bound);
        }
        self.done.answered = self.proof.as_ref().map(|proof| proof.now(self.asked_at));
        if self.done.seconds_to_writer.is_some() && self.done.seconds_to_available.is_none() && database.is_available()
        {
            self.done.seconds_to_available = Some(seconds);
        }
        Ok(self.judge(asked, seconds))
    }

    fn judge(&self, asked: Asked, seconds: f64) -> Next {
        let is_told = self.done.events.iter().any(DatabaseEvent::completes);
        let later_than = |since: f64, most: i64| seconds - since >= most as f64;
        match self.done.seconds_to_available {
            Some(at) if !self.is_answered(later_than(at, ANSWER_SECONDS_MAX)) => return Next::Again,
            Some(at) if is_told || later_than(at, EVENTS_SECONDS_MAX) => return self.proven(),
            Some(_) => return Next::Again,
            None => {}
        }
        if self.done.seconds_to_writer.is_some_and(|at| later_than(at, OTHERS_SECONDS_MAX)) {
            return self.proven();
        }
        if asked == Asked::Perhaps && !self.has_begun && later_than(0.0, SIGN_SECONDS_MAX) {
            let what = "there was no clear answer to the call, and no sign of a failover: it was probably not begun";
            let look = self.looked_at_by();
            return Next::ended(
                End::Partly,
                what,
                match self.is_resumed {
                    true => Try::RunAgain.says(format!("see `{look}`, then fail over anew")),
                    false => Try::Resume.says(format!(
                        "look again with --resume, which asks for nothing; or see `{look}`, then fail over anew"
                    )),
                },
            );
        }
        if later_than(0.0, WATCH_SECONDS_MAX) {
            let what = format!("not over after {}", in_words(WATCH_SECONDS_MAX.unsigned_abs()));
            let hint = "look again with --resume, which asks for nothing; RDS's events say more";
            return Next::ended(End::Partly, what, Try::Resume.says(hint));
        }
        Next::Again
    }

    /// Whether the endpoint has answered, or need not be waited for any longer.
    fn is_answered(&self, is_late: bool) -> bool {
        let has_answered = self.done.answered.as_ref().is_some_and(|answered| answered.seconds.is_some());
        has_answered || is_late || self.proof.as_ref().is_none_or(Proof::is_hopeless)
    }

    /// It is over; whether all of it is proven.
    fn proven(&self) -> Next {
        let target = &self.bound.target;
        if let (Some(target), Some(writer)) = (target, &self.done.writer_after)
            && target != writer
        {
            let what = format!("{writer} writes, and not {target} as asked for: RDS chose it");
            let hint = format!("see `{}`; fail over anew if it must be {target}", self.looked_at_by());
            return Next::ended(End::Partly, what, Try::LookAtResult.says(hint));
        }
        let Some(answered) = self.done.answered.as_ref().filter(|answered| proof::is_owed(answered)) else {
            return Next::Ended(End::Done, None);
        };
        let what = format!("it has failed over, but {}", answered.words());
        let hint = match answered.by_sql {
            true => {
                "see whether clients can connect; check [[databases.checks]] of the configuration; then look again with --resume"
            }
            false => "see whether clients can connect; then look again with --resume, which asks for no failover",
        };
        Next::ended(End::Partly, what, Try::Resume.says(hint))
    }

    /// Whether another one writes, or the zones were swapped.
    fn has_changed(&self, database: &Database) -> bool {
        match database.topology.kind() {
            SourceKind::Cluster => self.done.writer_after.is_some() && self.done.writer_after != self.bound.writer,
            SourceKind::Instance => {
                let zone = database.primary().and_then(|writer| writer.zone.as_ref()).map(Text::as_str);
                zone.is_some() && zone == self.bound.standby_zone.as_deref() && zone != self.bound.zone.as_deref()
            }
        }
    }

    /// Whether the target writes and is available, or another one does and RDS says that this was it. An instance's zones may lag
    /// for minutes: there the event will do.
    fn is_taken_over(&self, database: &Database) -> bool {
        let is_available = database.writer().is_some_and(|writer| writer.is_available());
        let is_told = self.done.events.iter().any(DatabaseEvent::completes);
        let (has_changed, writer) = (self.has_changed(database), &self.done.writer_after);
        let has_taken_over = match (database.topology.kind(), &self.bound.target) {
            (SourceKind::Cluster, Some(target)) => writer.as_ref() == Some(target) || (has_changed && is_told),
            (SourceKind::Cluster, None) => has_changed,
            (SourceKind::Instance, _) => is_told || has_changed,
        };
        is_available && has_taken_over
    }

    /// Events cost a call: where they decide, or now and then.
    fn needs_events(&self, database: &Database, seconds: f64) -> bool {
        let now_and_then = (seconds as u64).is_multiple_of(5) || self.looks == 1;
        let is_without_sign = !self.has_begun && seconds >= SIGN_SECONDS_MAX as f64;
        let decide = self.done.seconds_to_available.is_some()
            || is_without_sign
            || self.has_changed(database)
            || (database.topology.kind() == SourceKind::Instance && database.is_available());
        decide || now_and_then
    }

    async fn events(&mut self) -> Result<(), CloudError> {
        let minutes = u32::try_from(self.now().duration_since(self.asked_at).as_mins().max(0)).unwrap_or(u32::MAX);
        let of = (self.bound.topology.kind(), self.bound.database.as_str());
        let events = self.context.cloud.rds.events(Some(of), minutes.saturating_add(60)).await;
        match events {
            Ok(events) => {
                let ours = |event: &DatabaseEvent| event.at >= self.events_from && event.is_of("failover");
                self.done.events = events.into_iter().filter(ours).collect();
                self.has_begun |= !self.done.events.is_empty();
                Ok(())
            }
            // Without leave to read events the writer still shows.
            Err(error) if error.kind == ErrorKind::Denied => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn lost_sight(&self, error: &CloudError) -> Next {
        let hint = error.hint(self.context.environment());
        let hint = hint.map(|hint| format!("{hint}; then look again with --resume, which asks for nothing"));
        Next::ended(End::Partly, format!("the failover was asked for, and can't be watched: {error}"), hint)
    }

    async fn ended(&mut self, end: End, failure: Option<Failure>, report: Report) -> Report {
        let _ = self.events().await;
        self.take_times_from_events();
        let status = match self.done.seconds_to_writer {
            Some(seconds) => {
                format!("{} writes after {seconds:.1} s", self.done.writer_after.as_deref().unwrap_or("?"))
            }
            None if end == End::Done => "another one writes; since when, is not known".to_owned(),
            None => "no new writer was seen".to_owned(),
        };
        let recorded = self.write(Record::Failover { status }).await;
        let unwritten = self.unwritten.take().or(recorded.err());
        let end = if unwritten.is_some() && end == End::Done { End::Partly } else { end };
        let mut report = self.report(end, report);
        report.failure = failure.or(unwritten);
        // A resume would see the same again.
        match report.failure.as_ref().and_then(|failure| failure.advice) {
            Some(Try::RunAgain) => report.next = report.again_line(self.context.environment()),
            Some(Try::LookAtResult) => report.next = Some(Text::line(&self.looked_at_by())),
            Some(_) | None => {}
        }
        report
    }

    /// Who comes late has RDS's word only: when it says that the failover was complete.
    fn take_times_from_events(&mut self) {
        if !self.is_late {
            return;
        }
        let completed = self.done.events.iter().find(|event| event.completes());
        let seconds = completed.map(|event| event.at.duration_since(self.asked_at).as_secs_f64().max(0.0));
        (self.done.seconds_to_writer, self.done.seconds_to_available) = (seconds, seconds);
        if let Some(answered) = &mut self.done.answered {
            // That it answers now says nothing of when it began to.
            answered.seconds = answered.seconds.and(seconds);
        }
    }

    fn now(&self) -> Timestamp {
        self.context.now()
    }

    fn seconds(&self) -> f64 {
        self.now().duration_since(self.asked_at).as_secs_f64()
    }

    /// The command line that shows the database.
    fn looked_at_by(&self) -> String {
        self.context.environment().command(&format!("databases {}", quoted(&self.bound.database)))
    }

    fn is_cancelled(&self) -> bool {
        self.context.cancel.is_cancelled()
    }

    async fn write(&self, record: Record) -> Result<(), Failure> {
        self.journal.write(vec![record], Vec::new()).await.map_err(|error| {
            let hint = format!("make room on the disk; `{}` shows who writes", self.looked_at_by());
            Failure::new(format!("the journal can't be written: {error}"), Try::MakeRoom.says(hint))
        })
    }
}
