//! A run that changes rows of an outbox.
//!
//! A batch is one transaction: rows are changed, what they were and what they are now is written to the snapshot and announced in the
//! journal, and only then is it committed. Nothing of it shows before COMMIT, so that what is on disk is always ahead of what is done. A
//! COMMIT without an answer, or a run that was killed, is looked at: PostgreSQL says how a transaction ended; elsewhere its rows tell.

mod back;
mod batch;
mod database;
mod settle;
mod tally;
mod watch;

use std::{collections::HashSet, hash::BuildHasher, time::Duration};

use jiff::{SignedDuration, Timestamp};

pub(super) use back::run as put_back;
pub use tally::RowTally;

use super::{Context, Details, Doing, End, Failure, Report, report, verify};
use crate::{
    domain::{Environment, SqlError, Text, Try, Value, invocation::quoted, words::counted},
    journal::{History, Journal, JournalError, Record, RowsOutcome, SavedBatch, SavedBatches, SavedRow},
    operations::{
        rows::{
            ToChange, Words,
            engine::{Answer, RowEngine, RowId, RowStop, Settled, Step},
        },
        transfer,
    },
    outboxes::{Deed, gone_now, look},
};
use database::Database;
use watch::Watched;

/// Writing goes on so long before it is asked again whose credentials these are.
const VERIFY_EVERY: SignedDuration = SignedDuration::from_secs(60);
/// The same of proof that a relay is gone.
const PROVE_EVERY: SignedDuration = SignedDuration::from_secs(2);
/// A connection is closed where nothing is done for longer.
const IDLE: Duration = Duration::from_secs(2);
const TRIES_MAX: u32 = 6;

/// Why it can't go on.
enum Halt {
    Journal(Text),
    /// STS says something else than before, or nothing.
    Account(transfer::Stop),
    /// The server, or what its table looks like, is not the plan's.
    Stale(String),
    Sql(SqlError),
}

impl Halt {
    fn unwritten(error: JournalError) -> Self {
        Self::Journal(Text::line(&error.to_string()))
    }
}

struct Run<'a> {
    bound: &'a ToChange,
    context: &'a Context,
    journal: &'a Journal,
    report: &'a Report,
    database: Database<'a>,
    /// Hashes of the ids of rows that the run has changed, or may have.
    taken: HashSet<u64>,
    /// Of rows that were chosen and not changed.
    passed_over: HashSet<u64>,
    hasher: std::hash::RandomState,
    /// Number of the last batch.
    batch: u64,
    /// The batch whose end is not known.
    open: Option<SavedBatch>,
    open_transaction: Option<i64>,
    /// Outcomes that are to be written with what is written next.
    outcomes: Vec<Record>,
    watched: Vec<Watched>,
    tally: RowTally,
    verified_at: Timestamp,
    /// When the relay was last proven gone.
    gone_at: Option<Timestamp>,
    failure: Option<SqlError>,
}

pub(super) async fn run(
    bound: ToChange,
    context: &Context,
    journal: &Journal,
    history: &History,
    report: Report,
) -> Report {
    let mut run = Run {
        bound: &bound,
        context,
        journal,
        report: &report,
        database: Database::new(&bound.target, context, &report.run, bound.reason.as_deref()),
        taken: HashSet::new(),
        passed_over: HashSet::new(),
        hasher: std::hash::RandomState::new(),
        batch: history.batch,
        open: None,
        open_transaction: None,
        outcomes: Vec::new(),
        watched: Vec::new(),
        tally: RowTally::new(&bound.target),
        verified_at: context.now(),
        gone_at: None,
        failure: None,
    };
    let ended = run.go(history).await;
    run.database.close().await;
    let written = run.flush().await;
    let ended = ended.and_then(|stop| written.map(|()| stop));
    let Run { tally, passed_over, failure, .. } = run;
    let tally = RowTally { left: passed_over.len() as u64, ..tally };
    finish(report, journal, context, tally, (ended, failure))
}

impl Run<'_> {
    async fn go(&mut self, history: &History) -> Result<RowStop, Halt> {
        self.take_up(history).await?;
        if let Some(stop) = self.make_aside().await? {
            return Ok(stop);
        }
        let mut engine = match history.is_resumed {
            true => RowEngine::resumed(self.bound.settings.clone(), self.tally.done + self.tally.in_doubt),
            false => RowEngine::new(self.bound.settings.clone()),
        };
        loop {
            self.tally.step = engine.step();
            let step = engine.next(self.context.now());
            let settles = matches!(step, Step::Settle);
            if let Step::End(stop) = step {
                return Ok(stop);
            }
            if !settles && self.context.cancel.is_cancelled() {
                return Ok(RowStop::Cancelled);
            }
            let answer = self.answer(step).await?;
            self.tell("");
            if let Some(answer) = answer {
                engine.on(answer, self.context.now());
            }
        }
    }

    async fn answer(&mut self, step: Step) -> Result<Option<Answer>, Halt> {
        Ok(Some(match step {
            Step::Read { after, rows_max } => self.read(after.as_ref(), rows_max).await?,
            Step::Change { ids } => {
                self.verify().await?;
                if let Some(undone) = self.prove_gone().await? {
                    return Ok(Some(undone));
                }
                self.change(&ids).await?
            }
            Step::Settle => Answer::Settled(self.settle_open().await?),
            Step::Watch { step } => self.watch(step).await?,
            Step::Wait(pause) => {
                self.flush().await?;
                if pause.unsigned_abs() > IDLE {
                    self.database.close().await;
                }
                self.context.pause(Duration::try_from(pause).unwrap_or_default()).await;
                return Ok(None);
            }
            Step::End(_) => return Ok(None),
        }))
    }

    /// The table that parked rows go to; where it can't be made, why the run ends.
    async fn make_aside(&mut self) -> Result<Option<RowStop>, Halt> {
        if self.bound.target.deed != Deed::Aside {
            return Ok(None);
        }
        self.verify().await?;
        for _ in 0..TRIES_MAX {
            match self.database.make_aside().await {
                Ok(()) => return Ok(None),
                Err(shut) => drop(self.shut(shut)?),
            }
            self.context.pause(IDLE).await;
            if self.context.cancel.is_cancelled() {
                return Ok(Some(RowStop::Cancelled));
            }
        }
        Ok(Some(RowStop::Failing))
    }

    /// What earlier tries have done: what is not known of it is looked at now.
    async fn take_up(&mut self, history: &History) -> Result<(), Halt> {
        let Some(saved) = SavedBatches::open(&self.journal.folder().snapshot()).map_err(Halt::unwritten)? else {
            return Ok(());
        };
        let mut known = 0;
        for saved in saved {
            let saved = saved.map_err(Halt::unwritten)?;
            self.batch = self.batch.max(saved.batch);
            // Without an announcement it was not committed.
            let Some(announced) = history.rows.get(&saved.batch) else { continue };
            if announced.saved != saved.hash {
                let words = format!("batch {} of the snapshot is not what the journal has", saved.batch);
                return Err(Halt::Journal(Text::line(&words)));
            }
            known += 1;
            let settled = match announced.outcome {
                Some(RowsOutcome::Committed) => Settled::Committed,
                Some(RowsOutcome::Undone) => continue,
                Some(RowsOutcome::InDoubt) => Settled::InDoubt,
                None => {
                    (self.open, self.open_transaction) = (Some(saved), announced.transaction);
                    self.settle_open().await?;
                    continue;
                }
            };
            self.take(&saved.rows, settled);
        }
        if known < history.rows.len() {
            return Err(Halt::Journal(Text::from("the snapshot lacks batches that the journal has")));
        }
        self.flush().await
    }

    /// Counts rows that are changed, or may be: the run does not touch them again.
    fn take(&mut self, rows: &[SavedRow], settled: Settled) {
        if settled == Settled::Undone {
            return;
        }
        for row in rows {
            let hash = self.hash(&row.id);
            self.taken.insert(hash);
            self.passed_over.remove(&hash);
        }
        let count = rows.len() as u64;
        match settled {
            Settled::Committed => self.tally.done += count,
            Settled::InDoubt => {
                self.tally.in_doubt += count;
                let room = tally::NAMED_MAX.saturating_sub(self.tally.named_in_doubt.len());
                let named = rows.iter().take(room).map(|row| tally::id_words(&row.id));
                self.tally.named_in_doubt.extend(named);
            }
            Settled::Undone => {}
        }
    }

    fn hash(&self, id: &[Value]) -> u64 {
        // Two ids with one hash, among a million, are one chance in 30 million: one row would be left.
        let text = serde_json::to_vec(id).unwrap_or_else(|error| unreachable!("plain data: {error}"));
        self.hasher.hash_one(text)
    }

    fn is_taken(&self, id: &RowId) -> bool {
        self.taken.contains(&self.hash(id))
    }

    async fn verify(&mut self) -> Result<(), Halt> {
        let now = self.context.now();
        if now.duration_since(self.verified_at) < VERIFY_EVERY {
            return Ok(());
        }
        self.verified_at = now;
        verify::account(self.context, self.journal, &self.report.account).await.map_err(Halt::Account)
    }

    /// Claims that have not run out are freed only as long as nobody can be at work with one: a relay that wakes ends the run.
    async fn prove_gone(&mut self) -> Result<Option<Answer>, Halt> {
        let (target, now) = (&self.bound.target, self.context.now());
        let is_fresh = self.gone_at.is_some_and(|at| now.duration_since(at) < PROVE_EVERY);
        if target.deed != Deed::ReleaseGone || is_fresh {
            return Ok(None);
        }
        let (session, sql) = match self.database.session().await {
            Ok(opened) => opened,
            Err(shut) => return self.shut(shut).map(Some),
        };
        let lock = look::lock(session, sql, &target.outbox.relay, now).await;
        match gone_now(&self.context.cloud, &target.outbox, lock).await {
            Ok(_) => self.gone_at = Some(now),
            Err(words) => return Err(Halt::Stale(format!("the relay may be at work: {words}"))),
        }
        Ok(None)
    }

    async fn flush(&mut self) -> Result<(), Halt> {
        let outcomes = std::mem::take(&mut self.outcomes);
        if outcomes.is_empty() {
            return Ok(());
        }
        self.journal.write(outcomes, Vec::new()).await.map_err(Halt::unwritten)
    }

    fn tell(&self, task: &str) {
        let doing = Doing::Rows(Box::new(self.tally.clone()));
        self.context.tell(self.report, self.bound.rows_estimate, doing, (task, Vec::new()));
    }
}

fn finish(
    mut report: Report,
    journal: &Journal,
    context: &Context,
    tally: RowTally,
    (ended, error): (Result<RowStop, Halt>, Option<SqlError>),
) -> Report {
    let environment = context.environment();
    report.seconds = context.now().duration_since(report.started_at).as_secs_f64();
    let snapshot = journal.folder().snapshot();
    if snapshot.is_file() {
        report.snapshot = Some(Text::line(&snapshot.display().to_string()));
    }
    let done = tally.done;
    let is_begun = tally.is_begun();
    let (end, failure) = match ended {
        Ok(stop) => of_stop(stop, &tally, error, environment),
        Err(Halt::Stale(because)) if !is_begun => return report.stale(&because, environment),
        Err(halt) => of_halt(halt, is_begun, environment),
    };
    (report.end, report.failure) = (end, failure);
    note(&mut report, &tally);
    if done > 0 {
        let restore = environment.command(&format!("restore {}", report.run));
        report.note(format!("`{restore}` puts back those rows that are still as the run left them"));
    }
    report.next = match end {
        // Rows in doubt stay so: the server says no more of them to a resume.
        End::Partly if report.failure.is_none() && tally.left + tally.unreadable == 0 => {
            let show = format!("outbox show {}", quoted(&tally.outbox));
            Some(Text::line(&environment.command(&show)))
        }
        // A resume is bound to the plan, and would end as the run did.
        End::Partly if report.failure.as_ref().is_some_and(|failure| failure.advice == Some(Try::PlanAnew)) => {
            report.again_line(environment)
        }
        End::Partly | End::Interrupted | End::Failed | End::Refused => Some(report.resume_line(environment)),
        End::Done | End::Nothing | End::Stale => None,
    };
    report.details = Details::Rows(Box::new(tally));
    report
}

fn of_stop(
    stop: RowStop,
    tally: &RowTally,
    error: Option<SqlError>,
    environment: &Environment,
) -> (End, Option<Failure>) {
    let is_begun = tally.is_begun();
    match stop {
        RowStop::Done if tally.in_doubt > 0 || tally.left > 0 => (End::Partly, None),
        RowStop::Done => (if is_begun { End::Done } else { End::Nothing }, None),
        RowStop::Cancelled => {
            (End::Interrupted, Some(Failure::new("stopped, as asked", Try::Resume.says("--resume goes on with it"))))
        }
        RowStop::TooMany { rows_max } => {
            let what = format!("stopped: more than {} are selected, and the plan had fewer", counted(rows_max, "row"));
            (End::Partly, Some(Failure::new(what, Try::PlanAnew.says("look why there are more, then make a new plan"))))
        }
        RowStop::FailedAgain { failed, of } => {
            let what = format!("stopped: {failed} of {} failed again", counted(of, "row"));
            let show = format!("outbox show {} --rows failed", quoted(&tally.outbox));
            let hint = format!("mend what they fail on first: `{}` has their errors", environment.command(&show));
            (End::Partly, Some(Failure::new(what, Try::MendConsumer.says(hint))))
        }
        RowStop::Failing => {
            let because = error.map_or_else(|| "no answer".to_owned(), |error| error.to_string());
            let what = format!("stopped: the database did not do it, several times over: {because}");
            let failure = Failure::new(what, Try::MendDatabase.says("see that the database answers, then --resume"));
            (if is_begun { End::Partly } else { End::Failed }, Some(failure))
        }
    }
}

fn of_halt(halt: Halt, is_begun: bool, environment: &Environment) -> (End, Option<Failure>) {
    let unfinished = if is_begun { End::Partly } else { End::Failed };
    match halt {
        Halt::Journal(because) => {
            let what = format!("stopped, since the journal can't be relied on: {because}");
            (unfinished, Some(Failure::new(what, Try::MakeRoom.says("make room on the disk, then --resume"))))
        }
        Halt::Account(stop) => {
            let end = if is_begun { End::Partly } else { End::Refused };
            (end, Some(report::failure(&stop, environment)))
        }
        Halt::Stale(because) => {
            (End::Partly, Some(Failure::new(format!("stopped: {because}"), Try::PlanAnew.says("make a new plan"))))
        }
        Halt::Sql(error) => (
            unfinished,
            Some(Failure::new(format!("stopped: {error}"), Try::MendDatabase.says("mend that, then --resume"))),
        ),
    }
}

fn note(report: &mut Report, tally: &RowTally) {
    if tally.in_doubt > 0 {
        let rows = counted(tally.in_doubt, "row");
        let perhaps = Words::from(tally.deed).perhaps;
        report.note(format!("{rows} {perhaps}: the server does not say, and they are left alone"));
    }
    if tally.left > 0 {
        let rows = counted(tally.left, "row");
        report.note(format!("{rows} left: somebody else has locked or changed them"));
    }
    if tally.unreadable > 0 {
        let rows = counted(tally.unreadable, "row");
        report.note(format!("{rows} left: the filter failed on them"));
    }
}
