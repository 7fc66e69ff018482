//! How a run goes and how it ended, as people read it: the command line and the console say the same.

use super::{Details, End, Progress, RowTally};
use crate::{
    domain::words::thousands,
    journal::Did,
    operations::{rows::Words, transfer::Tally},
};

impl End {
    pub fn words(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Nothing => "nothing to do",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Partly => "partly done",
            Self::Stale => "nothing was done, the plan went stale",
            Self::Interrupted => "interrupted",
        }
    }
}

/// What was done and what is left, those figures that are not zero: `42 moved`.
pub fn counts(tally: &Tally) -> Vec<(u64, &'static str)> {
    let counts = [
        (tally.moved, "moved"),
        (tally.removed, "deleted"),
        (tally.bounced, "came back"),
        (tally.parked, "parked"),
        (tally.settled, "gone from the source since the earlier try"),
        (tally.sent_not_deleted, "sent, but still in the source"),
        (tally.uncertain.len() as u64, "may or may not have been sent"),
        (tally.resent.len() as u64, "sent a second time"),
        (tally.elsewhere, "in flight elsewhere"),
    ];
    counts.into_iter().filter(|(count, _)| *count > 0).collect()
}

/// What became of rows, those figures that are not zero.
pub fn rows(rows: &RowTally) -> Vec<(u64, &'static str)> {
    let words = Words::from(rows.deed);
    let counts = [
        (rows.done, words.done),
        (rows.put_back, "put back"),
        (rows.changed, "left: changed since that run"),
        (rows.in_doubt, words.perhaps),
        (rows.left, "left: locked or changed by somebody else"),
        (rows.unreadable, "left: the filter failed on them"),
        (rows.published, "published since, of those watched last"),
        (rows.failed_again, "failed again, of those watched last"),
    ];
    counts.into_iter().filter(|(count, _)| *count > 0).collect()
}

impl Details {
    /// What was done, in a few words of its verb: `42 moved`, `3 deleted`, `12 rows parked`.
    pub fn words(&self) -> String {
        let joined = |counts: Vec<(u64, &str)>| {
            let each: Vec<String> =
                counts.iter().map(|(count, words)| format!("{} {words}", thousands(*count))).collect();
            if each.is_empty() { Did::Nothing.words() } else { each.join(", ") }
        };
        match self {
            Self::Messages(tally) => joined(counts(tally)),
            Self::Rows(tally) => format!("rows: {}", joined(rows(tally))),
            Self::Nothing
            | Self::Services { .. }
            | Self::Consumers(_)
            | Self::Failover(_)
            | Self::Migration(_)
            | Self::Settings { .. } => self.did().words(),
        }
    }
}

impl Progress {
    pub fn done(&self) -> u64 {
        self.doing.done()
    }

    pub fn rate_mean(&self) -> f64 {
        let seconds = self.at.duration_since(self.started_at).as_secs_f64();
        self.done() as f64 / seconds.max(0.001)
    }

    /// What it waits for: then an average that sinks says nothing.
    pub fn waits(&self) -> Vec<String> {
        let mut waits = Vec::new();
        let Some(tally) = self.doing.tally() else { return waits };
        if tally.watching {
            waits.push("watching whether messages come back".to_owned());
        }
        if tally.waiting_for > 0 {
            let until = tally.waiting_until.map(|until| until.duration_since(self.at).as_secs().max(1));
            let until = until.map_or_else(String::new, |seconds| format!(", {seconds} s at most"));
            waits.push(format!("waiting for ~{} in flight to become visible again{until}", tally.waiting_for));
        }
        waits
    }
}
