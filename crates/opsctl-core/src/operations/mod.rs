//! Verbs: what opsctl can change, one file each.
//!
//! [`Operation`] is what a key, a command line and a runbook step all become; [`Planner::plan`] makes it a plan.

pub mod bound;
mod command_line;
pub mod consumers;
mod error;
pub mod failover;
pub mod migrate;
mod planner;
pub mod purge;
pub mod redrive;
pub mod resolve;
pub mod restore;
pub mod sample;
pub mod scale;
mod selection;
pub mod transfer;
pub mod values;

use serde::{Deserialize, Serialize};

pub use bound::Bound;
pub use command_line::{command_line, resume_line};
pub use consumers::{PauseConsumers, ResumeConsumers};
pub use error::OperationError;
pub use failover::Failover;
pub use migrate::Migrate;
pub use planner::{Look, Planned, Planner, Unsettled};
pub use purge::Purge;
pub use redrive::{Moves, Redrive};
pub use restore::Restore;
pub use scale::{Sleep, Wake};

/// A change that opsctl can make, with its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, clap::Subcommand)]
#[serde(tag = "operation", rename_all = "kebab-case")]
pub enum Operation {
    /// Move messages from a dead-letter queue to where they belong
    Redrive(Redrive),
    /// Delete every message of a queue, after a snapshot
    Purge(Purge),
    /// Put the messages of a run's snapshot back
    Restore(Restore),
    /// Raise services that are at zero, stage by stage, and wait until they are healthy
    Wake(Wake),
    /// Put services to zero, the last stage first, and remember how large they were
    Sleep(Sleep),
    /// Let another instance of a database write
    Failover(Failover),
    /// Start a migration's task once, follow its log, and wait for its end
    Migrate(Migrate),
    /// Pause all consumers of a queue, and remember them
    #[command(name = "consumers pause")]
    PauseConsumers(PauseConsumers),
    /// Resume the consumers that opsctl has paused, and no others
    #[command(name = "consumers resume")]
    ResumeConsumers(ResumeConsumers),
}

impl Operation {
    /// The command's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Redrive(_) => "redrive",
            Self::Purge(_) => "purge",
            Self::Restore(_) => "restore",
            Self::Wake(_) => "wake",
            Self::Sleep(_) => "sleep",
            Self::Failover(_) => "failover",
            Self::Migrate(_) => "migrate",
            Self::PauseConsumers(_) => "consumers pause",
            Self::ResumeConsumers(_) => "consumers resume",
        }
    }

    /// What it is about, as it was named: a queue, a run, a group or a service, a database, a migration; blank where nothing was.
    pub fn named(&self) -> &str {
        let resource = match self {
            Self::Redrive(redrive) => redrive.queue.as_str(),
            Self::Purge(purge) => purge.queue.as_str(),
            Self::Restore(restore) => restore.run.as_str(),
            Self::Wake(Wake { group, service, .. }) | Self::Sleep(Sleep { group, service, .. }) => {
                group.as_ref().or(service.first()).map_or("", String::as_str)
            }
            Self::Failover(failover) => failover.database.as_str(),
            Self::Migrate(migrate) => migrate.migration.as_str(),
            Self::PauseConsumers(pause) => pause.queue.as_str(),
            Self::ResumeConsumers(resume) => resume.queue.as_deref().unwrap_or_default(),
        };
        // A URL or an ARN ends with the queue's name.
        resource.rsplit(['/', ':']).next().unwrap_or(resource)
    }

    /// The jq filter that selects messages, if one was given.
    pub fn filter(&self) -> Option<&str> {
        match self {
            Self::Redrive(redrive) => redrive.filter.as_deref(),
            Self::Purge(purge) => purge.filter.as_deref(),
            Self::Restore(restore) => restore.filter.as_deref(),
            Self::Wake(_) | Self::Sleep(_) => None,
            Self::Failover(_) | Self::Migrate(_) | Self::PauseConsumers(_) | Self::ResumeConsumers(_) => None,
        }
    }

    /// So many messages at most, if a limit was given.
    pub fn limit(&self) -> Option<u64> {
        match self {
            Self::Redrive(redrive) => redrive.limit,
            Self::Purge(purge) => purge.limit,
            Self::Restore(_) | Self::Wake(_) | Self::Sleep(_) | Self::Failover(_) | Self::Migrate(_) => None,
            Self::PauseConsumers(_) | Self::ResumeConsumers(_) => None,
        }
    }
}
