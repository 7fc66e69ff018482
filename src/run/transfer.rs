//! A run of the transfer engine.

use std::{
    fs::OpenOptions,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::{Arc, Mutex},
};

use super::{Context, Progress, Report};
use crate::{
    domain::{
        QueueKind, QueueName, QueueUrl, ReceiptHandle, Text,
        words::{counted, counted_is},
    },
    journal::{History, Journal, SavedLines},
    operations::{
        bound::ClientSide,
        transfer::{AgeWatch, DESTINATIONS_WATCHED_MAX, Ends, Engine, Judge, Park, Resume, Settings, Tally, drive},
        values::Uncertain,
    },
};

/// Receipts that an earlier try left behind and that are let go at once; two lanes' worth more than there can be.
const RELEASED_MAX: usize = 2_000;

pub(super) async fn run(
    bound: ClientSide,
    context: &Context,
    journal: &Journal,
    history: History,
    report: Report,
) -> Report {
    let clock = context.cloud.clock();
    let resumed = history.is_resumed;
    if resumed {
        release_what_an_earlier_try_held(&bound, context, journal, &history).await;
    }
    let ClientSide { source, destinations, mut settings, mut judge, mark, snapshot, park_file, .. } = bound;
    settings.cutoff = history.cutoff.unwrap_or_else(|| clock.now());
    if resumed {
        // What the killed try had received or left shows again when its time is over.
        settings.settle_seconds = settings.settle_seconds.max(settings.hold_seconds() + 10);
        let done = if destinations.is_empty() {
            history.removed.len() + history.perhaps_gone.len()
        } else {
            // What came back and was parked is no further message moved. What may have been sent and stays, counts as sent.
            let perhaps_sent = if bound.uncertain == Uncertain::Leave { history.uncertain.len() } else { 0 };
            history.moved() + perhaps_sent
        };
        settings.limit = settings.limit.map(|limit| limit.saturating_sub(done as u64));
    }
    settings.resume = Resume {
        moved: history.moved() as u64,
        sent: history.sent,
        sent_not_deleted: history.sent_not_deleted,
        uncertain: history.uncertain,
        tried: history.tried,
        policy: bound.uncertain,
        new_ids: history.new_ids,
        batch: history.batch,
    };
    let listed = Listed::of(&judge, &settings);
    judge.run = report.run.to_string();
    judge.used = Mutex::new(history.claimed);
    judge.mark = mark.then(|| report.run.to_string());
    settings.account = crate::domain::AccountId(report.account.clone());
    let ages = (settings.watch_seconds > 0).then(|| {
        let queues = watched(&source, &destinations, judge.park);
        AgeWatch::begin(&context.cloud, queues, settings.cutoff)
    });
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
    let tally = drive(engine, ends, &context.cancel, progress).await;
    let mut report = report.with_tally(tally, clock.now(), context.cloud.environment());
    report.notes.extend(listed.and_then(|listed| listed.missing(&report.tally)));
    if snapshot && journal.folder().snapshot().is_file() {
        report.snapshot = Some(Text::line(&journal.folder().snapshot().display().to_string()));
    }
    if let Some(file) = &park_file
        && report.tally.removed > 0
    {
        let text = match write_parked(file, journal) {
            Ok(messages) => format!("{} that came back: in {}", counted(messages, "message"), file.display()),
            Err(because) => format!("{} could not be written ({because}): they are in the snapshot", file.display()),
        };
        report.notes.push(Text::line(&text));
    }
    report
}

/// A list of ids, all of which are looked for.
struct Listed {
    ids: u64,
    /// Dealt with by earlier tries.
    done: u64,
}

impl Listed {
    /// None: no list was given, or not all of it need be found.
    fn of(judge: &Judge, settings: &Settings) -> Option<Self> {
        let ids = judge.ids.as_ref().filter(|_| judge.filter.is_none() && settings.limit.is_none())?;
        Some(Self { ids: ids.len() as u64, done: settings.resume.moved })
    }

    /// What to say of those that were not met.
    fn missing(&self, tally: &Tally) -> Option<Text> {
        let met = tally.moved + tally.removed + tally.kept_unexpected + tally.uncertain.len() as u64;
        let missing = self.ids.saturating_sub(self.done + met + tally.sent_not_deleted);
        (missing > 0 && tally.stop.is_none()).then(|| {
            Text::line(&format!(
                "{} not found in the queue, of the {} given: gone by now, or in flight elsewhere",
                counted_is(missing, "message", "was", "were"),
                counted(self.ids, "id")
            ))
        })
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
async fn release_what_an_earlier_try_held(bound: &ClientSide, context: &Context, journal: &Journal, history: &History) {
    if bound.settings.source == QueueKind::Fifo {
        // Letting go of a later message of a group before an earlier one could hand them out in the wrong order.
        return;
    }
    let Ok(lines) = SavedLines::open(&journal.folder().snapshot()) else { return };
    let open = |saved: &crate::journal::Saved| {
        history.sent_not_deleted.contains(&saved.message.id) || history.uncertain.contains(&saved.message.id)
    };
    let receipts: Vec<ReceiptHandle> =
        lines.flatten().filter(open).map(|saved| saved.message.receipt).take(RELEASED_MAX).collect();
    for chunk in receipts.chunks(10) {
        let _ = context.cloud.sqs().change_visibility(&bound.source, chunk, 0).await;
    }
}

/// Writes the messages that were deleted without being sent, and no others, into a new file.
fn write_parked(file: &Path, journal: &Journal) -> Result<u64, String> {
    let say = |error: &dyn std::fmt::Display| error.to_string();
    let removed = History::read(journal.folder()).map_err(|error| say(&error))?.removed;
    let options = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    let mut parked = std::io::BufWriter::new(options.map_err(|error| say(&error))?);
    let mut messages = 0;
    for saved in SavedLines::open(&journal.folder().snapshot()).map_err(|error| say(&error))? {
        let saved = saved.map_err(|error| say(&error))?;
        if removed.contains(&saved.message.id) {
            serde_json::to_writer(&mut parked, &saved).map_err(|error| say(&error))?;
            parked.write_all(b"\n").map_err(|error| say(&error))?;
            messages += 1;
        }
    }
    parked.flush().map_err(|error| say(&error))?;
    Ok(messages)
}
