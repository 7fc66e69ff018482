//! A run that pauses or resumes consumers, by itself or around another run.
//!
//! What is paused stands in `paused/` of the state folder before anything is paused, and until it takes messages again: whoever comes
//! later, a resume of the run or `consumers resume`, brings back exactly that.

mod mappings;
mod told;

use std::sync::Arc;

use super::{Context, Details, End, Failure, Report, Turned, around::Meanwhile, scale};
use crate::{
    domain::{AccountId, ConsumerId, Environment, QueueName, Text, invocation::option, words::counted_is},
    journal::{Journal, Pause, Paused},
    operations::{
        OperationKind,
        consumers::{Consumers, Turn},
        scale::{Direction, Set, ToScale},
    },
};
pub use mappings::Switched;
use told::Told;

struct Ended {
    turned: Turned,
    notes: Vec<Text>,
    /// Why it is not done, if it is not.
    why: Option<(End, Failure)>,
}

pub(super) async fn run(consumers: Consumers, context: &Context, journal: &Journal, report: Report) -> Report {
    let mut report = report;
    let Ended { turned, notes, why } = turn(&consumers, context, journal, &report).await;
    report.notes.extend(notes);
    let environment = context.environment();
    let done = turned.done();
    report.end = End::Done;
    if let Some((end, failure)) = why {
        (report.end, report.failure) = (end, Some(failure));
        report.next = Some(report.resume_line(environment));
        if consumers.turn == Turn::Resume {
            report.still_paused = still_paused(&consumers, &turned);
        }
    } else if consumers.turn == Turn::Pause && done > 0 {
        let resumes = consumers.queues().into_iter().next().map(|queue| brings_back(&queue, environment));
        resumes.into_iter().for_each(|command| report.note(format!("paused until `{command}`")));
    }
    report.details = Details::Consumers(turned);
    report
}

/// Consumers are paused while messages are moved.
impl Meanwhile for Consumers {
    type Changed = Turned;
    type Back = Self;

    const NOT_MADE: &'static str = "the consumers are not paused";

    async fn make(&self, context: &Context, journal: &Journal, report: &Report) -> (Turned, Option<(End, Failure)>) {
        let Ended { turned, why, .. } = turn(self, context, journal, report).await;
        (turned, why)
    }

    fn back(&self, context: &Context, report: &Report, paused: &Turned) -> Option<Self> {
        Some(to_bring_back(self, context, report, paused)).filter(|back| back.count() > 0)
    }

    async fn take_back(back: &Self, context: &Context, journal: &Journal, report: &mut Report) -> Result<(), Failure> {
        let Ended { turned, notes, why } = turn(back, context, journal, report).await;
        report.meanwhile = Some(turned);
        report.notes.extend(notes);
        if let Some((_, failure)) = why {
            return Err(failure);
        }
        report.note(format!("{} resumed", counted_is(back.count() as u64, "consumer", "was", "were")));
        Ok(())
    }

    /// The worst that can be left behind: said first.
    fn not_back(back: &Self, context: &Context, report: &mut Report, failure: &Failure) {
        report.still_paused = still_paused(back, report.meanwhile.as_ref().unwrap_or(&Turned::default()));
        say(report, failure.what.as_str(), &back.queues(), context.environment());
    }
}

/// Those that this try has touched, or an earlier one of the run: what is not remembered by it is others' business.
fn to_bring_back(consumers: &Consumers, context: &Context, report: &Report, paused: &Turned) -> Consumers {
    let mut back = consumers.back();
    let touched: Vec<ConsumerId> = each(paused).filter(|one| one.is_touched).map(|one| one.id).collect();
    let account = AccountId(report.account.clone());
    // Where nobody can say who they are, it is all of them: they took messages when the plan was made.
    if let Ok(known) = Paused::read(&context.state, &account, &context.environment().region) {
        let is_ours = |id: &ConsumerId| known.of(id).is_some_and(|pause| pause.run == report.run);
        back.retain(|id| touched.contains(id) || is_ours(id));
    }
    back
}

struct Each {
    id: ConsumerId,
    is_done: bool,
    /// Whether its change was made, or may have been: an answer may have been lost.
    is_touched: bool,
}

fn each(turned: &Turned) -> impl Iterator<Item = Each> {
    let mappings = turned.mappings.iter().map(|one| {
        let id = ConsumerId::Mapping(one.id.clone());
        Each { id, is_done: one.is_done, is_touched: one.is_set }
    });
    let services = turned.services.iter().map(|one| {
        let id = ConsumerId::Service(one.service.clone());
        Each { id, is_done: one.is_done, is_touched: one.is_set || one.may_be_set }
    });
    mappings.chain(services)
}

/// Who was to be resumed, and was not seen to be.
fn still_paused(back: &Consumers, turned: &Turned) -> Vec<Text> {
    let done: Vec<ConsumerId> = each(turned).filter(|one| one.is_done).map(|one| one.id).collect();
    let open = back.ids().into_iter().filter(|id| !done.contains(id));
    open.map(|id| Text::line(&id.to_string())).collect()
}

/// The command line that resumes a queue's consumers.
pub fn brings_back(queue: &QueueName, environment: &Environment) -> String {
    environment.command(&format!("consumers resume {}", option("queue", queue.as_str())))
}

/// Said before all else; and what to do next is that.
fn say(report: &mut Report, why: &str, queues: &[QueueName], environment: &Environment) {
    let commands: Vec<String> = queues.iter().map(|queue| brings_back(queue, environment)).collect();
    let text = format!("CONSUMERS ARE STILL PAUSED: {why}; `{}` brings them back", commands.join("`, `"));
    report.notes.insert(0, Text::line(&text));
    let next = commands.first().map(|command| Text::line(command));
    if let Some(then) = std::mem::replace(&mut report.next, next) {
        report.note(format!("after that, `{then}` goes on with what is left"));
    }
}

/// Of a run that was taken up again and did not begin: what an earlier try of it paused is paused still.
pub(super) fn say_still_paused(mut report: Report, context: &Context) -> Report {
    let environment = context.environment();
    let known = Paused::read(&context.state, &AccountId(report.account.clone()), &environment.region);
    let known = match known {
        // Of a pause by itself it is what was wanted.
        _ if report.operation == OperationKind::PauseConsumers => return report,
        Ok(known) => known,
        Err(error) => {
            report.note(format!("whether consumers are still paused can't be known: {error}"));
            return report;
        }
    };
    let ours = || known.all().filter(|(_, pause)| pause.run == report.run);
    let ids: Vec<String> = ours().map(|(id, _)| id.to_string()).collect();
    if ids.is_empty() {
        return report;
    }
    let mut queues: Vec<QueueName> = ours().map(|(_, pause)| pause.queue.clone()).collect();
    queues.sort();
    queues.dedup();
    report.still_paused = ids.iter().map(|id| Text::line(id)).collect();
    let why = format!("an earlier try of this run paused {}", ids.join(", "));
    say(&mut report, &why, &queues, environment);
    report
}

/// Pauses or resumes, and waits until it is so.
async fn turn(consumers: &Consumers, context: &Context, journal: &Journal, report: &Report) -> Ended {
    let (mut turned, mut notes) = (Turned::default(), Vec::new());
    if let Err(failure) = note_before(consumers, context, report) {
        return Ended { turned, notes, why: Some((End::Failed, failure)) };
    }
    let told = Arc::new(Told::new(consumers, context, report));
    let switches = mappings::switch(consumers, context, journal, &told);
    let telling = Context { progress: Told::of_services(&told), ..context.clone() };
    let (mappings, services) = tokio::join!(switches, scaled(consumers, &telling, journal, report));
    let mut whys: Vec<(End, Failure)> = Vec::new();
    whys.extend(mappings::why(&mappings, context));
    turned.mappings = mappings;
    if let Some(services) = services {
        turned.services = services.services().to_vec();
        if let (true, Some(failure)) = (services.end != End::Done, services.failure) {
            notes.extend(services.notes);
            whys.push((services.end, failure));
        }
    }
    match (note_after(consumers, context, report, &turned), consumers.set) {
        (Ok(()), _) => {}
        // They are looked at before anybody resumes them once more.
        (Err(failure), Set::Back) => {
            let text = format!("it could not be written down that consumers are no longer paused: {}", failure.what);
            notes.push(Text::line(&text));
        }
        (Err(failure), Set::WhereOther | Set::Always) => whys.push((End::Partly, failure)),
    }
    let end = whys.iter().map(|(end, _)| *end).find(|end| *end == End::Interrupted);
    let end = end.unwrap_or_else(|| worst(&turned, &whys));
    let what: Vec<&str> = whys.iter().map(|(_, failure)| failure.what.as_str()).collect();
    let what = what.join("; ");
    // What helps the first of them comes first.
    let why = whys.into_iter().next().map(|(_, failure)| (end, failure.within(what)));
    Ended { turned, notes, why }
}

fn worst(turned: &Turned, whys: &[(End, Failure)]) -> End {
    let begun = turned.mappings.iter().any(|one| one.is_set) || turned.services.iter().any(|one| one.is_set);
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
    let scale = ToScale { direction, stages: vec![stage], set: consumers.set, timeout: consumers.timeout };
    Some(scale::run(scale, context, journal, report.clone()).await)
}

fn change(context: &Context, report: &Report, change: impl FnOnce(&mut Paused)) -> Result<(), Failure> {
    let account = AccountId(report.account.clone());
    let changed = Paused::change(&context.state, &account, &context.environment().region, change);
    changed.map_err(|error| Failure::new(error.to_string(), error.hint()))
}

/// Before anything is paused: who is forgotten would stay paused for good.
fn note_before(consumers: &Consumers, context: &Context, report: &Report) -> Result<(), Failure> {
    if consumers.turn == Turn::Resume {
        return Ok(());
    }
    let at = context.now();
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

/// Who takes messages again is forgotten; so is whom nobody has touched.
fn note_after(consumers: &Consumers, context: &Context, report: &Report, turned: &Turned) -> Result<(), Failure> {
    change(context, report, |paused| {
        consumers.forget.iter().for_each(|id| paused.forget(id));
        for Each { id, is_done, is_touched } in each(turned) {
            // What an earlier try of the run has paused is paused still.
            let is_of_this_try =
                paused.of(&id).is_some_and(|pause| pause.run == report.run && pause.at >= report.started_at);
            let is_over = match consumers.turn {
                Turn::Resume => is_done,
                Turn::Pause => !is_touched && is_of_this_try,
            };
            if is_over {
                paused.forget(&id);
            }
        }
    })
}

impl Consumers {
    fn queues(&self) -> Vec<QueueName> {
        let services = self.services.iter().map(|(queue, _)| queue.clone());
        let mut queues: Vec<QueueName> = self.mappings.iter().map(|one| one.queue.clone()).chain(services).collect();
        queues.sort();
        queues.dedup();
        queues
    }
}
