//! A run of the transfer engine.

use std::{
    collections::HashSet,
    path::Path,
    sync::{Arc, Mutex},
};

use super::{Context, Progress, Report, park_file};
use crate::{
    domain::{
        MessageId, QueueKind, QueueName, QueueUrl, ReceiptHandle, Text,
        words::{counted, counted_is},
    },
    journal::{History, Journal, SavedLines},
    operations::{
        bound::ClientSide,
        transfer::{AgeWatch, DESTINATIONS_WATCHED_MAX, Ends, Engine, Park, Resume, Settings, Source, Tally, drive},
        values::Uncertain,
    },
};

/// Receipts that an earlier try left behind and that are let go at once; two lanes' worth more than there can be.
const RELEASED_MAX: usize = 2_000;

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
    if let (true, Source::Queue(url)) = (resumed, &bound.source) {
        release_what_an_earlier_try_held(url, bound.settings.source, context, journal, &history).await;
    }
    let doubts: Vec<MessageId> = history.uncertain.iter().cloned().collect();
    let deleting = history.perhaps_gone.clone();
    let ClientSide { source, destinations, mut settings, mut judge, mark, snapshot, park_file, uncertain, .. } = bound;
    if let Source::Queue(_) = &source {
        settings.cutoff = history.cutoff.unwrap_or_else(|| clock.now());
        if resumed {
            // What the killed try had received or left shows again when its time is over.
            settings.settle_seconds = settings.settle_seconds.max(settings.hold_seconds() + 10);
            limit_what_is_left(&mut settings, &history, uncertain);
        }
    }
    settings.resume = Resume {
        moved: history.moved() as u64,
        sent: history.sent,
        sent_not_deleted: history.sent_not_deleted,
        uncertain: history.uncertain,
        tried: history.tried,
        policy: uncertain,
        perhaps_gone: history.perhaps_gone,
        is_unwatched: history.is_unwatched,
        new_ids: history.new_ids,
        batch: history.batch,
    };
    judge.run = report.run.to_string();
    judge.used = Mutex::new(history.claimed);
    judge.mark = mark.then(|| report.run.to_string());
    settings.account = crate::domain::AccountId(report.account.clone());
    let ages = match &source {
        Source::Queue(url) if settings.watch_seconds > 0 => {
            let queues = watched(url, &destinations, judge.park);
            Some(AgeWatch::begin(&context.cloud, queues, settings.cutoff))
        }
        Source::Queue(_) | Source::Snapshot(_) => None,
    };
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
    let left = if resumed || tally.removed > 0 { Some(History::read(journal.folder())) } else { None };
    if let (Some(Ok(left)), Uncertain::Resend) = (&left, uncertain) {
        let sent: HashSet<&MessageId> = left.sent.iter().collect();
        tally.resent = doubts.into_iter().filter(|id| sent.contains(id)).collect();
        tally.resent.sort_unstable();
    }
    let mut report = report.with_tally(tally, clock.now(), context.cloud.environment());
    if snapshot && journal.folder().snapshot().is_file() {
        report.snapshot = Some(Text::line(&journal.folder().snapshot().display().to_string()));
    }
    match left {
        Some(Ok(left)) => {
            let settled = deleting.iter().filter(|id| left.removed.contains(id)).count() as u64;
            if settled > 0 {
                let count = counted_is(settled, "message", "is", "are");
                report.notes.push(Text::line(&format!("{count} known to be deleted now, of which it was open before")));
            }
            report.with_what_the_journal_leaves_open(&left, park_file.as_deref(), journal)
        }
        Some(Err(error)) => {
            report.notes.push(Text::line(&format!("what is left could not be read: {error}")));
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

fn limit_what_is_left(settings: &mut Settings, history: &History, uncertain: Uncertain) {
    let done = if settings.destinations.is_empty() {
        history.removed.len() + history.perhaps_gone.len()
    } else {
        // What came back and was parked is no further message moved. What may have been sent and stays, counts as sent.
        let perhaps_sent = if uncertain == Uncertain::Leave { history.uncertain.len() } else { 0 };
        history.moved() + perhaps_sent
    };
    settings.limit = settings.limit.map(|limit| limit.saturating_sub(done as u64));
}

impl Report {
    /// What an earlier try had not done, this one has: or it is a part that is left.
    fn with_what_the_journal_leaves_open(
        mut self,
        left: &History,
        park_file: Option<&Path>,
        journal: &Journal,
    ) -> Self {
        let resume = format!("opsctl {} --resume {} --env {}", self.operation, self.run, self.environment);
        if let (Some(file), false) = (park_file, left.removed.is_empty()) {
            match park_file::write(file, journal.folder(), &left.removed) {
                Ok(messages) => {
                    let text = format!("{} that came back: in {}", counted(messages, "message"), file.display());
                    self.notes.push(Text::line(&text));
                }
                Err(because) => {
                    let text = format!("{} could not be written ({because}): they are in the snapshot", file.display());
                    self.notes.push(Text::line(&text));
                    self.left_a_part(&resume);
                }
            }
        }
        if !left.perhaps_gone.is_empty() {
            let count = counted(left.perhaps_gone.len() as u64, "message");
            let text =
                format!("{count} may or may not have been deleted: --resume finds out, once nothing is in flight");
            self.notes.push(Text::line(&text));
            self.left_a_part(&resume);
        }
        self
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
    let (run, started_at) = (report.run.clone(), report.started_at);
    // A hundred answers a second need not be a hundred pictures.
    let mut told_at = None;
    move |tally| {
        let at = clock.now();
        if told_at.is_some_and(|told: jiff::Timestamp| at.duration_since(told).as_millis() < 50) {
            return;
        }
        told_at = Some(at);
        let (run, tally) = (run.clone(), tally.clone());
        tell(&Progress {
            run,
            messages_estimate,
            started_at,
            at,
            tally,
            task: None,
            what: "message",
            news: Vec::new(),
            log: Vec::new(),
            services: Vec::new(),
        });
    }
}

/// Messages that a killed try had sent, or was about to send, are hidden until their visibility timeout ends; the snapshot knows
/// their receipt handles. A courtesy that saves minutes: where it fails, the run waits.
async fn release_what_an_earlier_try_held(
    source: &QueueUrl,
    kind: QueueKind,
    context: &Context,
    journal: &Journal,
    history: &History,
) {
    if kind == QueueKind::Fifo {
        // Letting go of a later message of a group before an earlier one could hand them out in the wrong order.
        return;
    }
    let Ok(lines) = SavedLines::open(&journal.folder().snapshot()) else { return };
    let open = |saved: &crate::journal::Saved| {
        let id = &saved.message.id;
        history.sent_not_deleted.contains(id) || history.uncertain.contains(id) || history.perhaps_gone.contains(id)
    };
    let receipts: Vec<ReceiptHandle> =
        lines.flatten().filter(open).map(|saved| saved.message.receipt).take(RELEASED_MAX).collect();
    for chunk in receipts.chunks(10) {
        let _ = context.cloud.sqs().change_visibility(source, chunk, 0).await;
    }
}
