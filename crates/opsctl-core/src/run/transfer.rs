//! A run of the transfer engine.

use std::{
    collections::HashSet,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use super::{Context, Doing, Progress, Report, park_file, receipts};
use crate::{
    domain::{
        MessageId, QueueName, QueueUrl, Text,
        words::{counted, counted_is, some_of},
    },
    journal::{History, Journal},
    operations::{
        bound::ClientSide,
        transfer::{
            AgeWatch, DESTINATIONS_WATCHED_MAX, Ends, Engine, Judge, Park, Resume, Settings, Source, Tally, drive,
        },
    },
};

/// Ids named of those that were not met; the rest are counted.
const MISSING_NAMED_MAX: usize = 20;

pub(super) async fn run(
    bound: ClientSide,
    context: &Context,
    journal: &Journal,
    mut history: History,
    report: Report,
) -> Report {
    let clock = context.cloud.clock();
    let resumed = history.is_resumed;
    let out_of_reach = out_of_reach(&bound.source, &mut history);
    let held = match &bound.source {
        Source::Queue(url) if resumed => receipts::settle(&bound, url, context, journal, &mut history).await,
        Source::Queue(_) | Source::Snapshot(_) => receipts::Held::default(),
    };
    let ClientSide { source, destinations, mut settings, mut judge, mark, snapshot, park_file, uncertain, .. } = bound;
    if let Source::Queue(_) = &source {
        settings.cutoff = history.cutoff.unwrap_or_else(|| clock.now());
        if resumed {
            // What the killed try had received or left shows again when its time is over.
            settings.settle_seconds = settings.settle_seconds.max(settings.hold_seconds() + 10);
            let done = Resume::done(&history, destinations.is_empty());
            settings.limit = settings.limit.map(|limit| limit.saturating_sub(done));
        }
    }
    judge.used = Mutex::new(std::mem::take(&mut history.claimed));
    let listed = Listed::of(&judge, &settings, &history);
    settings.resume = Resume { shown_at: held.shown_at, places: held.places, ..Resume::of(history, uncertain) };
    judge.run = report.run.to_string();
    judge.mark = mark.then(|| report.run.to_string());
    settings.account = crate::domain::AccountId(report.account.clone());
    let ages = match &source {
        Source::Queue(url) if settings.watch_seconds > 0 => {
            let queues = watched(url, &destinations, judge.park);
            Some(AgeWatch::begin(&context.cloud, queues, settings.cutoff))
        }
        Source::Queue(_) | Source::Snapshot(_) => None,
    };
    let is_of_queue = matches!(source, Source::Queue(_));
    let engine = Engine::new(settings, clock.now());
    let ends = Ends {
        ages,
        cloud: context.cloud.clone(),
        source,
        destinations,
        journal: journal.clone(),
        judge: Arc::new(judge),
        snapshot,
    };
    let progress = progress(context, &report, bound.messages_estimate);
    let mut tally = drive(engine, ends, &context.cancel, progress).await;
    tally.uncertain.extend(out_of_reach);
    (tally.moved, tally.removed) = (tally.moved + held.moved, tally.removed + held.removed);
    let left = if resumed || tally.removed > 0 { Some(History::read(journal.folder())) } else { None };
    let mut report = report.with_tally(tally, clock.now(), context.environment());
    if is_of_queue {
        report.say_missing(listed.as_ref());
    }
    if snapshot && journal.folder().snapshot().is_file() {
        report.snapshot = Some(Text::line(&journal.folder().snapshot().display().to_string()));
    }
    let resume = report.resume_line(context.environment());
    match left {
        Some(Ok(left)) => report.with_what_the_journal_leaves_open(&left, park_file.as_deref(), journal, &resume),
        Some(Err(error)) => {
            report.note(format!("what is left could not be read: {error}"));
            report
        }
        None => report,
    }
}

/// Messages in doubt that are not (any more) where this run takes its messages from: the engine would wait for them.
fn out_of_reach(source: &Source, history: &mut History) -> Vec<MessageId> {
    let Source::Snapshot(shelf) = source else { return Vec::new() };
    let there: HashSet<&MessageId> = shelf.ids().collect();
    let (reached, missing): (Vec<_>, Vec<_>) = history.uncertain.drain().partition(|id| there.contains(id));
    history.uncertain.extend(reached);
    missing
}

impl Report {
    /// What the run has found counts, not what its plan foresaw.
    fn say_missing(&mut self, listed: Option<&Listed>) {
        self.unmet = listed.map(|listed| listed.missing(self.details.tally())).unwrap_or_default();
        if let (Some(listed), false) = (listed, self.unmet.is_empty()) {
            self.note(format!(
                "{} not found in the queue, of the {} given: gone by now, or in flight elsewhere: {}",
                counted_is(self.unmet.len() as u64, "message", "was", "were"),
                counted(listed.ids.len() as u64, "id"),
                some_of(self.unmet.iter().map(Text::as_str), MISSING_NAMED_MAX)
            ));
        }
    }

    /// What an earlier try had not done, this one has: or it is a part that is left.
    fn with_what_the_journal_leaves_open(
        mut self,
        left: &History,
        park_file: Option<&Path>,
        journal: &Journal,
        resume: &Text,
    ) -> Self {
        if let (Some(file), false) = (park_file, left.removed.is_empty()) {
            match park_file::write(file, journal.folder(), &left.removed) {
                Ok(messages) => {
                    self.note(format!("{} that came back: in {}", counted(messages, "message"), file.display()));
                }
                Err(because) => {
                    self.note(format!("{} could not be written ({because}): they are in the snapshot", file.display()));
                    self.left_a_part(resume.as_str());
                }
            }
        }
        if !left.perhaps_gone.is_empty() {
            let count = counted(left.perhaps_gone.len() as u64, "message");
            self.note(format!(
                "{count} may or may not have been deleted: --resume finds out, once nothing is in flight"
            ));
            self.left_a_part(resume.as_str());
        }
        self
    }
}

/// A list of ids, all of which are looked for.
struct Listed {
    ids: HashSet<MessageId>,
    /// Met by this try.
    met: Arc<Mutex<HashSet<MessageId>>>,
    /// Dealt with by earlier tries, or begun.
    before: HashSet<MessageId>,
}

impl Listed {
    /// None: no list was given, or a limit ends the run before all of it is found.
    fn of(judge: &Judge, settings: &Settings, history: &History) -> Option<Self> {
        let ids = judge.ids.clone().filter(|_| settings.limit.is_none())?;
        let sets =
            [&history.gone, &history.removed, &history.perhaps_gone, &history.sent_not_deleted, &history.uncertain];
        let before = sets.into_iter().flatten().chain(&history.sent).filter(|id| ids.contains(id)).cloned().collect();
        Some(Self { ids, met: Arc::clone(&judge.met), before })
    }

    /// Those that were not met by a run that looked at all there is.
    fn missing(&self, tally: &Tally) -> Vec<Text> {
        if tally.stop.is_some() {
            return Vec::new();
        }
        let met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        let is_missing = |id: &&MessageId| !met.contains(*id) && !self.before.contains(*id);
        let mut missing: Vec<&str> = self.ids.iter().filter(is_missing).map(MessageId::as_str).collect();
        missing.sort_unstable();
        missing.into_iter().map(Text::line).collect()
    }
}

/// Destinations whose oldest messages are watched: not the parking place, which nobody works off, and not another account's
/// queues, whose metrics lie there.
fn watched(source: &QueueUrl, destinations: &[QueueUrl], park: Park) -> Vec<(usize, QueueName)> {
    let account = |url: &QueueUrl| url.as_str().rsplit('/').nth(1).map(str::to_owned);
    let indexed = destinations.iter().enumerate();
    let own = indexed.filter(|(to, url)| park != Park::Queue(*to) && account(url) == account(source));
    own.map(|(to, url)| (to, url.name())).take(DESTINATIONS_WATCHED_MAX).collect()
}

fn progress(context: &Context, report: &Report, messages_estimate: u64) -> impl FnMut(&Tally) + use<> {
    let (clock, tell) = (context.cloud.clock(), Arc::clone(&context.progress));
    let doing = Doing::Messages(Box::default());
    let blank = Progress::of(report, report.started_at, messages_estimate, doing);
    // A hundred answers a second need not be a hundred pictures.
    let mut told_at = None;
    move |tally| {
        let at = clock.now();
        if told_at.is_some_and(|told: jiff::Timestamp| at.duration_since(told).as_millis() < 50) {
            return;
        }
        told_at = Some(at);
        tell(&Progress { at, doing: Doing::Messages(Box::new(tally.clone())), ..blank.clone() });
    }
}
