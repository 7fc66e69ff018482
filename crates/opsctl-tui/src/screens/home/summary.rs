//! An environment in one line.

use jiff::Timestamp;

use crate::{
    cloud::ErrorKind,
    observe::Seen,
    screens::list::listed::{Listed, things},
    state::{
        home::Summary,
        list::{Topic, Totals},
        model::Site,
    },
    widgets::{spark, standing::standing},
};

/// An environment in short, as it is known now.
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
        estate: [Topic::Services, Topic::Databases, Topic::Alarms].map(|topic| tally(site, topic.list())),
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
