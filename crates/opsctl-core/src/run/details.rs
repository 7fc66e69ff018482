//! [`Details`]: what a run has done, in the figures of its kind; and [`Doing`], what it does just now.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::{Awaited, Ended, FailedOver, Migrated, RowTally, Switched, Toggled};
use crate::{
    domain::Text,
    journal::Did,
    operations::{Counts, transfer::Tally},
};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Details {
    /// It did not begin.
    #[default]
    Nothing,
    Messages(Box<Tally>),
    /// Woken, put to sleep, scaled.
    Services {
        services: Vec<Ended>,
    },
    Consumers(Turned),
    Failover(Box<FailedOver>),
    Migration(Box<Migrated>),
    Rows(Box<RowTally>),
    /// A rule, a function's reserved concurrency, event source mappings.
    Settings {
        settings: Vec<Toggled>,
    },
}

/// What became of consumers that were paused or resumed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Turned {
    pub mappings: Vec<Switched>,
    pub services: Vec<Ended>,
}

impl Turned {
    /// How many are as they were to be.
    pub fn done(&self) -> u64 {
        let mappings = self.mappings.iter().filter(|one| one.is_done).count();
        (mappings + self.services.iter().filter(|one| one.is_done).count()) as u64
    }

    pub fn count(&self) -> u64 {
        (self.mappings.len() + self.services.len()) as u64
    }
}

impl Details {
    /// What became of messages; all zero where it is not about messages.
    pub fn tally(&self) -> &Tally {
        static NONE: LazyLock<Tally> = LazyLock::new(Tally::default);
        if let Self::Messages(tally) = self { tally } else { &NONE }
    }

    pub fn failover(&self) -> Option<&FailedOver> {
        if let Self::Failover(failover) = self { Some(failover) } else { None }
    }

    pub fn rows(&self) -> Option<&RowTally> {
        if let Self::Rows(rows) = self { Some(rows) } else { None }
    }

    pub fn migration(&self) -> Option<&Migrated> {
        if let Self::Migration(migration) = self { Some(migration) } else { None }
    }

    pub fn settings(&self) -> &[Toggled] {
        if let Self::Settings { settings } = self { settings } else { &[] }
    }

    /// What the journal's last record says of it, for lists of runs.
    pub fn did(&self) -> Did {
        match self {
            Self::Nothing => Did::Nothing,
            Self::Messages(tally) => Did::Messages {
                done: tally.moved + tally.removed,
                sent_not_deleted: tally.sent_not_deleted,
                uncertain: tally.uncertain.len() as u64,
            },
            Self::Services { services } => Did::Services {
                done: services.iter().filter(|service| service.is_done).count() as u64,
                all: services.len() as u64,
            },
            Self::Consumers(turned) => Did::Consumers { done: turned.done(), all: turned.count() },
            Self::Failover(failover) => Did::Failover {
                writer: failover.writer_after.as_deref().map(Text::line),
                seconds: failover.seconds_to_writer,
            },
            Self::Migration(migration) => {
                Did::Migration { exit_code: migration.exit_code, reason: migration.container_reason().cloned() }
            }
            Self::Rows(rows) => Did::Rows { done: rows.done + rows.put_back, in_doubt: rows.in_doubt },
            Self::Settings { settings } => Did::Settings {
                done: settings.iter().filter(|one| one.is_done).count() as u64,
                all: settings.len() as u64,
            },
        }
    }
}

/// What a run does just now, by its kind.
#[derive(Debug, Clone)]
pub enum Doing {
    /// For a move task only what it moved.
    Messages(Box<Tally>),
    Services {
        done: u64,
        awaited: Vec<Awaited>,
    },
    Consumers {
        done: u64,
        awaited: Vec<Awaited>,
    },
    Rows(Box<RowTally>),
    One,
}

impl Doing {
    pub fn done(&self) -> u64 {
        match self {
            Self::Messages(tally) => tally.moved + tally.removed,
            Self::Services { done, .. } | Self::Consumers { done, .. } => *done,
            Self::Rows(rows) => rows.done + rows.put_back,
            Self::One => 0,
        }
    }

    pub fn counts(&self) -> Counts {
        match self {
            Self::Messages(_) => Counts::Messages,
            Self::Services { .. } => Counts::Services,
            Self::Consumers { .. } => Counts::Consumers,
            Self::Rows(_) => Counts::Rows,
            Self::One => Counts::One,
        }
    }

    pub fn tally(&self) -> Option<&Tally> {
        if let Self::Messages(tally) = self { Some(tally) } else { None }
    }

    /// Services that are waited for, in the order of their stages.
    pub fn awaited(&self) -> &[Awaited] {
        match self {
            Self::Services { awaited, .. } | Self::Consumers { awaited, .. } => awaited,
            Self::Messages(_) | Self::Rows(_) | Self::One => &[],
        }
    }
}
