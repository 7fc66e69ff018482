//! A run of the transfer engine.

use std::{
    fs::OpenOptions,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::{Arc, Mutex},
};

use super::{Context, Progress, Report, receipts};
use crate::{
    domain::{QueueName, QueueUrl, Text, words::counted},
    journal::{History, Journal, SavedLines},
    operations::{
        bound::ClientSide,
        transfer::{AgeWatch, DESTINATIONS_WATCHED_MAX, Ends, Engine, Park, Resume, Tally, drive},
    },
};

pub(super) async fn run(
    bound: ClientSide,
    context: &Context,
    journal: &Journal,
    mut history: History,
    report: Report,
) -> Report {
    let clock = context.cloud.clock();
    let resumed = history.is_resumed;
    let held = match resumed {
        true => receipts::settle(&bound, context, journal, &mut history).await,
        false => receipts::Held::default(),
    };
    let ClientSide { source, destinations, mut settings, mut judge, mark, snapshot, park_file, .. } = bound;
    settings.cutoff = history.cutoff.unwrap_or_else(|| clock.now());
    if resumed {
        // What the killed try had received or left shows again when its time is over.
        settings.settle_seconds = settings.settle_seconds.max(settings.hold_seconds() + 10);
        let done = Resume::done(&history, destinations.is_empty());
        settings.limit = settings.limit.map(|limit| limit.saturating_sub(done));
    }
    judge.used = Mutex::new(std::mem::take(&mut history.claimed));
    settings.resume = Resume { shown_at: held.shown_at, places: held.places, ..Resume::of(history, bound.uncertain) };
    judge.run = report.run.to_string();
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
