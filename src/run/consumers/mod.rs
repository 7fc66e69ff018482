//! A run that pauses or resumes consumers, by itself or around another run.
//!
//! What is paused stands in `paused/` of the state folder before anything is paused, and until it takes messages again: whoever comes
//! later, a resume of the run or `consumers resume`, brings back exactly that.

mod mappings;

use std::{future::Future, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{Context, End, Failure, Report, report, scale, verify};
use crate::{
    domain::{AccountId, QueueName, Text, consumer::ConsumerId, service::ServiceId, words::counted_is},
    journal::{Journal, Pause, Paused},
    operations::{
        consumers::{Consumers, Turn},
        scale::{Direction, Scale},
        transfer::Tally,
    },
};
pub use mappings::Switched;

/// So long after an update reads may show what was before it.
const READS_LAG: Duration = Duration::from_secs(3);

/// What became of it.
struct Turned {
    report: Report,
    /// Why it is not done, if it is not.
    why: Option<(End, Failure)>,
}

/// A run of its own.
pub(super) async fn run(consumers: Consumers, context: &Context, journal: &Journal, report: Report) -> Report {
    let Turned { mut report, why } = turn(&consumers, context, journal, report).await;
    let environment = &context.cloud.environment().name;
    let done = report.mappings.iter().filter(|one| one.is_done).count();
    let done = done + report.services.iter().filter(|one| one.is_done).count();
    report.tally = Tally { moved: done as u64, ..Tally::default() };
    report.end = End::Done;
    if let Some((end, failure)) = why {
        (report.end, report.failure) = (end, Some(failure));
        let next = format!("opsctl {} --resume {} --env {environment}", report.operation, report.run);
        report.next = Some(Text::line(&next));
    } else if consumers.turn == Turn::Pause && done > 0 {
        let queue = consumers.queues().into_iter().next().map(|queue| queue.to_string()).unwrap_or_default();
        report
            .notes
            .push(Text::line(&format!("paused until `opsctl consumers resume --queue {queue} --env {environment}`")));
    }
    report
}

/// Pauses, lets the inner run do its work, and resumes whatever came of it.
pub(super) async fn around<F>(
    consumers: Consumers,
    context: &Context,
    journal: &Journal,
    report: Report,
    inner: impl FnOnce(Report) -> F,
) -> Report
where
    F: Future<Output = Report>,
{
    let before = report.clone();
    let Turned { report: paused, why } = turn(&consumers, context, journal, report).await;
    let why = match why {
        None => verify(context, journal, &before).await.err().map(|failure| (End::Failed, failure)),
        some => some,
    };
    let mut report = match why {
        None => inner(before).await,
        Some((end, Failure { what, hint })) => {
            let environment = &context.cloud.environment().name;
            let end = if end == End::Interrupted { end } else { End::Failed };
            let what = Text::line(&format!("nothing was moved, for the consumers are not paused: {what}"));
            let next = format!("opsctl {} --resume {} --env {environment}", before.operation, before.run);
            Report { end, failure: Some(Failure { what, hint }), next: Some(Text::line(&next)), ..before }
        }
    };
    // Whoever asked the run to stop still wants the consumers back; who asks twice ends the program.
    let context = Context { cancel: CancellationToken::new(), ..context.clone() };
    let back = consumers.reversed();
    if let Err(failure) = verify(&context, journal, &report).await {
        not_resumed(&mut report, &back, &failure, &context);
        return report;
    }
    let Turned { report: resumed, why } = turn(&back, &context, journal, paused).await;
    report.mappings = resumed.mappings;
    report.services = resumed.services;
    match why {
        None if back.count() > 0 => {
            let text = format!("{} resumed", counted_is(back.count() as u64, "consumer", "was", "were"));
            report.notes.push(Text::line(&text));
        }
        None => {}
        Some((_, failure)) => not_resumed(&mut report, &back, &failure, &context),
    }
    report
}

/// Another account's consumers are not to be touched, should somebody have logged in elsewhere meanwhile.
async fn verify(context: &Context, journal: &Journal, report: &Report) -> Result<(), Failure> {
    let verified = verify::account(context, journal, &report.account).await;
    verified.map_err(|stop| report::failure(&stop, context.cloud.environment()))
}

/// The worst that can be left behind: said first, and how to mend it.
fn not_resumed(report: &mut Report, back: &Consumers, failure: &Failure, context: &Context) {
    let environment = &context.cloud.environment().name;
    let commands: Vec<String> = back
        .queues()
        .iter()
        .map(|queue| format!("opsctl consumers resume --queue {queue} --env {environment}"))
        .collect();
    let text = format!("CONSUMERS ARE STILL PAUSED: {}; `{}` brings them back", failure.what, commands.join("`, `"));
    report.notes.insert(0, Text::line(&text));
    if matches!(report.end, End::Done | End::Nothing) {
        report.end = End::Partly;
        report.failure = Some(failure.clone());
        report.next = commands.first().map(|command| Text::line(command));
    }
}

/// Pauses or resumes, and waits until it is so.
async fn turn(consumers: &Consumers, context: &Context, journal: &Journal, mut report: Report) -> Turned {
    if let Err(failure) = note_before(consumers, context, &report) {
        return Turned { report, why: Some((End::Failed, failure)) };
    }
    let tells = if consumers.services.is_empty() { mappings::Tells::Yes } else { mappings::Tells::No };
    let switches = mappings::switch(consumers, context, journal, &report, tells);
    let (mappings, services) = tokio::join!(switches, scaled(consumers, context, journal, &report));
    let mut whys: Vec<(End, Failure)> = Vec::new();
    whys.extend(mappings::why(&mappings, context));
    report.mappings = mappings;
    if let Some(services) = services {
        report.services = services.services;
        if let (true, Some(failure)) = (services.end != End::Done, services.failure) {
            report.notes.extend(services.notes);
            whys.push((services.end, failure));
        }
    }
    if let Err(failure) = note_after(consumers, context, &report).await {
        whys.push((End::Partly, failure));
    }
    let end = whys.iter().map(|(end, _)| *end).find(|end| *end == End::Interrupted);
    let end = end.unwrap_or_else(|| worst(&report, &whys));
    let hint = whys.first().map(|(_, failure)| failure.hint.clone());
    let what: Vec<&str> = whys.iter().map(|(_, failure)| failure.what.as_str()).collect();
    let why = hint.map(|hint| (end, Failure { what: Text::line(&what.join("; ")), hint }));
    Turned { report, why }
}

fn worst(report: &Report, whys: &[(End, Failure)]) -> End {
    let begun = report.mappings.iter().any(|one| one.is_set) || report.services.iter().any(|one| one.is_set);
    if begun { End::Partly } else { whys.first().map_or(End::Done, |(end, _)| *end) }
}

/// The services' share, as waking and putting to sleep do it.
async fn scaled(consumers: &Consumers, context: &Context, journal: &Journal, report: &Report) -> Option<Report> {
    if consumers.services.is_empty() {
        return None;
    }
    let direction = match consumers.turn {
        Turn::Pause => Direction::Sleep,
        Turn::Resume => Direction::Wake,
    };
    let stage = consumers.services.iter().map(|(_, change)| change.clone()).collect();
    let scale = Scale { direction, stages: vec![stage], timeout_seconds: consumers.timeout_seconds };
    Some(scale::run(scale, context, journal, report.clone()).await)
}

fn change(context: &Context, report: &Report, change: impl FnOnce(&mut Paused)) -> Result<(), Failure> {
    let account = AccountId(report.account.clone());
    let changed = Paused::change(&context.state, &account, &context.cloud.environment().region, change);
    changed.map_err(|error| unwritten(&error))
}

fn unwritten(error: &crate::journal::JournalError) -> Failure {
    Failure { what: Text::line(&error.to_string()), hint: Text::from(error.hint()) }
}

/// Before anything is paused: who is forgotten would stay paused for good.
fn note_before(consumers: &Consumers, context: &Context, report: &Report) -> Result<(), Failure> {
    if consumers.turn == Turn::Resume {
        return Ok(());
    }
    let at = context.cloud.clock().now();
    let entries = consumers
        .services
        .iter()
        .map(|(queue, change)| (ConsumerId::Service(change.service.clone()), queue, Some(change.from)));
    let mappings = consumers.mappings.iter().map(|one| (ConsumerId::Mapping(one.id.clone()), &one.queue, None));
    let pause = |queue: &QueueName, desired| Pause { queue: queue.clone(), desired, at, run: report.run.clone() };
    change(context, report, |paused| {
        for (id, queue, desired) in entries.chain(mappings) {
            paused.remember(&id, pause(queue, desired));
        }
    })
}

/// Who takes messages again is forgotten; so is who was surely not paused.
async fn note_after(consumers: &Consumers, context: &Context, report: &Report) -> Result<(), Failure> {
    let mut gone = consumers.forget.clone();
    let mappings = report.mappings.iter().filter(|one| match consumers.turn {
        Turn::Resume => one.is_done,
        Turn::Pause => !one.is_set,
    });
    gone.extend(mappings.map(|one| ConsumerId::Mapping(one.id.clone())));
    for one in &report.services {
        let is_over = match consumers.turn {
            Turn::Resume => one.is_done,
            Turn::Pause => !one.is_set && is_surely_awake(context, &one.service).await,
        };
        if is_over {
            gone.push(ConsumerId::Service(one.service.clone()));
        }
    }
    change(context, report, |paused| gone.iter().for_each(|id| paused.forget(id)))
}

/// Whether a service whose count was not seen to be set has another one than zero; an answer may have been lost.
async fn is_surely_awake(context: &Context, service: &ServiceId) -> bool {
    // Reads lag behind an update.
    context.cloud.clock().sleep(READS_LAG).await;
    context.cloud.ecs().service(service).await.is_ok_and(|shown| shown.desired > 0)
}

impl Consumers {
    /// The queues for which they are paused.
    fn queues(&self) -> Vec<QueueName> {
        let services = self.services.iter().map(|(queue, _)| queue.clone());
        let mut queues: Vec<QueueName> = self.mappings.iter().map(|one| one.queue.clone()).chain(services).collect();
        queues.sort();
        queues.dedup();
        queues
    }
}
