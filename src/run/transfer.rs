//! A run of the transfer engine.

use std::sync::Arc;

use super::{Context, Progress, Report};
use crate::{
    domain::{QueueKind, ReceiptHandle, Text},
    journal::{History, Journal, SavedLines},
    operations::{
        bound::ClientSide,
        transfer::{Ends, Engine, Resume, Tally, drive},
    },
};

/// Receipts that an earlier try left behind and that are let go at once; two lanes' worth more than there can be.
const RELEASED_MAX: usize = 2_000;

pub(super) async fn run(
    bound: ClientSide,
    plan: &str,
    context: &Context,
    journal: &Journal,
    history: History,
    report: Report,
) -> Report {
    let clock = context.cloud.clock();
    let resumed = history.batch > 0;
    if resumed {
        release_what_an_earlier_try_held(&bound, context, journal, &history).await;
    }
    let ClientSide { source, destinations, mut settings, mut judge, mark, snapshot, park_file, .. } = bound;
    let purge = destinations.is_empty();
    if !purge {
        settings.cutoff = history.cutoff.unwrap_or_else(|| clock.now());
    }
    if resumed {
        // What the killed try had received shows again when its visibility timeout is over.
        settings.settle_seconds = settings.settle_seconds.max(settings.visibility_seconds + 10);
    }
    settings.resume = Resume {
        sent: history.sent,
        sent_not_deleted: history.sent_not_deleted,
        uncertain: history.uncertain,
        tried: history.tried,
        policy: bound.uncertain,
        new_ids: history.new_ids,
        batch: history.batch,
    };
    judge.plan = plan.to_owned();
    judge.mark = mark.then(|| report.run.to_string());
    let park_as_file = park_file.is_some();
    let engine = Engine::new(settings, clock.now());
    let ends = Ends {
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
    if park_as_file && report.tally.removed > 0 {
        note_parked(&mut report, park_file.as_deref(), journal);
    }
    report
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
        tell(&Progress { run, messages_estimate, started_at, at, tally, task: None });
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

fn note_parked(report: &mut Report, file: Option<&std::path::Path>, journal: &Journal) {
    let Some(file) = file else { return };
    let copied = std::fs::copy(journal.folder().snapshot(), file);
    let text = match copied {
        Ok(_) => format!("messages that came back are in {}", file.display()),
        Err(error) => format!("{} could not be written ({error}): the messages are in the snapshot", file.display()),
    };
    report.notes.push(Text::line(&text));
}
