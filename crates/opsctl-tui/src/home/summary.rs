//! An environment in one line.

use jiff::Timestamp;

use crate::{
    cloud::ErrorKind,
    domain::EnvironmentName,
    estate::{Topic, Totals, tally},
    model::Site,
    observe::Seen,
    spark,
    standing::{Standing, standing},
};

/// An environment in short.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Which.
    pub environment: EnvironmentName,
    /// How it stands.
    pub standing: Standing,
    /// Queues; none: they were never listed.
    pub queues: Option<usize>,
    /// Dead-letter queues with messages.
    pub full: usize,
    /// Messages in them.
    pub dead_letters: u64,
    /// Queues that may not be looked at.
    pub denied: usize,
    /// Queues that did not answer.
    pub silent: usize,
    /// Messages in all dead-letter queues over the last half hour.
    pub levels: [Option<u64>; spark::COLUMNS],
    /// Services, databases and alarms: how many stand how; none: not known.
    pub estate: [Option<Totals>; 3],
    /// When the oldest of the figures was seen.
    pub oldest: Option<Timestamp>,
}

/// An environment in short, as it is known now.
pub(super) fn of(site: &Site, now: Timestamp) -> Summary {
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
        levels: [None; spark::COLUMNS],
        estate: [Topic::Services, Topic::Databases, Topic::Alarms].map(|topic| tally(site, topic)),
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
