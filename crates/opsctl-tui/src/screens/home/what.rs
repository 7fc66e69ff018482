//! What Home's rows are about, as it is called.

use jiff::Timestamp;

use crate::{
    cloud::ErrorKind,
    keymap::Scope,
    observe::{Seen, Subject, Verdict},
    screens::list::listed::{Listed, things},
    state::{Model, Needs, Site, Summary, Topic, Totals},
    widgets::{sign::standing, spark},
};

pub(crate) fn what(model: &Model, verdict: &Verdict) -> String {
    verdict.what(model.site(&verdict.environment).map_or("the environment", |site| &site.environment.region))
}

pub(super) fn queue_of<'a>(model: &'a Model, verdict: &Verdict) -> Option<(&'a Site, &'a Seen)> {
    let Subject::Queue(queue) = &verdict.subject else { return None };
    model.queue(&verdict.environment, queue)
}

/// What of the environments shown needs somebody, and is not acknowledged.
pub(crate) fn needy(model: &Model) -> usize {
    let all = model.shown_sites().flat_map(|site| &site.verdicts);
    all.filter(|verdict| !model.acknowledged.hides(verdict, model.now)).count()
}

/// What is to be run, where a command helps; else what is to be done, or the reason.
pub(super) fn to_run(model: &Model, verdict: &Verdict) -> String {
    let site = model.site(&verdict.environment);
    let command = site.and_then(|site| {
        let error = site.snapshot.as_ref()?.listing.error.as_ref()?;
        error.command(&site.environment)
    });
    let hint = || match standing(site?, model.now).needs {
        Needs::Credentials(hint) | Needs::Reaching(hint) => Some(hint.to_string()),
        Needs::Nothing => None,
    };
    command.or_else(hint).unwrap_or_else(|| verdict.reason.to_string())
}

pub(crate) fn of(site: &Site, now: Timestamp) -> Summary {
    let queues = site.snapshot.as_ref().map(|snapshot| &snapshot.queues);
    let mut summary = Summary {
        environment: site.environment.name.clone(),
        standing: standing(site, now),
        queues: site
            .snapshot
            .as_ref()
            .filter(|snapshot| snapshot.listing.at.is_some() || !snapshot.queues.is_empty())
            .map(|snapshot| snapshot.queues.len()),
        full: 0,
        dead_letters: 0,
        denied: 0,
        silent: 0,
        levels: vec![None; spark::COLUMNS],
        estate: [Topic(Scope::Services), Topic(Scope::Databases), Topic(Scope::Alarms)]
            .map(|topic| tally(site, topic.list())),
        oldest: None,
    };
    for seen in queues.into_iter().flat_map(|queues| queues.iter()) {
        if let Some(error) = &seen.error {
            let is_denied = error.kind == ErrorKind::Denied;
            summary.denied += usize::from(is_denied);
            summary.silent += usize::from(!is_denied);
        }
        summary.oldest = match (summary.oldest, seen.at) {
            (Some(oldest), Some(at)) => Some(oldest.min(at)),
            (oldest, at) => oldest.or(at),
        };
        if seen.dead_letters.is_some() {
            dead_letters(&mut summary, seen, now);
        }
    }
    summary
}

fn dead_letters(summary: &mut Summary, seen: &Seen, now: Timestamp) {
    let messages = seen.messages().unwrap_or(0);
    summary.full += usize::from(messages > 0);
    summary.dead_letters += messages;
    for (sum, level) in summary.levels.iter_mut().zip(spark::levels(&seen.trend, now)) {
        if let Some(level) = level {
            *sum = Some(sum.unwrap_or(0) + level);
        }
    }
}

/// Things of an environment in short: how many stand how. None: not known.
fn tally(site: &Site, list: &dyn Listed) -> Option<Totals> {
    let estate = &site.snapshot.as_ref()?.estate;
    (list.head().known)(estate).iter().any(|part| part.at.is_some()).then(|| {
        let mut totals = Totals::default();
        for thing in things(list, site) {
            totals.all += 1;
            for (sum, one) in totals.tallies.iter_mut().zip(thing.tallies()) {
                *sum += one;
            }
        }
        totals
    })
}
