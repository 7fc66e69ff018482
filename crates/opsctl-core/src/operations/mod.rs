//! Verbs: what opsctl can change, one file each.
//!
//! [`Operation`] is what a key, a command line and a runbook step all become; [`Planner::plan`] makes it a plan. An operation is its
//! file with its [`Verb`], and its line in the list below: command line, form, help, journal and resume follow from that.

pub mod bound;
pub mod choices;
pub mod consumers;
mod error;
pub mod failover;
pub mod fitting;
mod ids;
pub mod migrate;
mod parse;
pub mod plan;
mod planner;
pub mod purge;
pub mod redrive;
pub mod remedy;
pub mod resolve;
pub mod restore;
pub mod rows;
pub mod sample;
pub mod scale;
mod selection;
pub mod toggles;
pub mod transfer;
pub mod values;
mod verb;
mod words;

use clap::FromArgMatches;
use serde::{Deserialize, Serialize};

pub use bound::Bound;
pub use consumers::{PauseConsumers, ResumeConsumers};
pub use error::OperationError;
pub use failover::Failover;
pub use migrate::Migrate;
pub use parse::parse;
pub(crate) use planner::recorded;
pub use planner::{Look, Planned, Planner, Unsettled};
pub use purge::Purge;
pub use redrive::{Moves, Redrive};
pub use restore::Restore;
pub use rows::{Park, Release, Replay};
pub use scale::{Restart, Rollback, Scale, Sleep, Wake};
pub use toggles::{
    DisableConsumers, DisableRule, EnableConsumers, EnableRule, MuteAlarms, RestoreConcurrency, Retention,
    StopConcurrency, UnmuteAlarms,
};
pub use verb::{Calls, Counts, Left, Pauses, Stopping, Verb};
pub use words::{Given, command_line, given, resume_line};

macro_rules! operations {
    ($($operation:ident $name:literal,)*) => {
        /// A change that opsctl can make, with everything that says how.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "operation", rename_all = "kebab-case")]
        pub enum Operation {
            $($operation($operation),)*
        }

        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum OperationKind {
            $(#[serde(rename = $name)] $operation,)*
        }

        impl OperationKind {
            pub const ALL: &[Self] = &[$(Self::$operation,)*];

            /// Name, as on the command line.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$operation => $name,)*
                }
            }

            /// The operation with nothing said of how.
            pub fn plain(self) -> Operation {
                match self {
                    $(Self::$operation => Operation::$operation($operation::default()),)*
                }
            }

            /// Its arguments on the command line, from which help, forms and documents are made.
            pub fn arguments(self) -> clap::Command {
                let command = clap::Command::new(self.name());
                match self {
                    $(Self::$operation => <$operation as clap::Args>::augment_args(command),)*
                }
            }

            /// The operation that these arguments say.
            pub fn operation(self, matches: &clap::ArgMatches) -> Result<Operation, clap::Error> {
                Ok(match self {
                    $(Self::$operation => Operation::$operation($operation::from_arg_matches(matches)?),)*
                })
            }
        }

        impl Operation {
            pub fn kind(&self) -> OperationKind {
                match self {
                    $(Self::$operation(_) => OperationKind::$operation,)*
                }
            }

            /// What differs between operations.
            pub fn verb(&self) -> &dyn Verb {
                match self {
                    $(Self::$operation(operation) => operation,)*
                }
            }

            fn verb_mut(&mut self) -> &mut dyn Verb {
                match self {
                    $(Self::$operation(operation) => operation,)*
                }
            }
        }
    };
}

// In the order in which help lists them.
operations! {
    Redrive "redrive",
    Purge "purge",
    Restore "restore",
    Retention "retention",
    Wake "wake",
    Sleep "sleep",
    Scale "scale",
    Restart "restart",
    Rollback "rollback",
    Failover "failover",
    Migrate "migrate",
    PauseConsumers "consumers pause",
    ResumeConsumers "consumers resume",
    EnableConsumers "consumers enable",
    DisableConsumers "consumers disable",
    Replay "outbox replay",
    Park "outbox park",
    Release "outbox release",
    EnableRule "rule enable",
    DisableRule "rule disable",
    RestoreConcurrency "concurrency restore",
    StopConcurrency "concurrency stop",
    MuteAlarms "alarms mute",
    UnmuteAlarms "alarms unmute",
}

/// Takes up a run: the one argument of an operation's command that is no part of the operation.
pub const RESUME: &str = "resume";

impl Operation {
    /// Name, as on the command line.
    pub fn name(&self) -> &'static str {
        self.kind().name()
    }

    /// What it is about, without what a URL or an ARN puts before the name.
    pub fn named(&self) -> &str {
        verb::last_part(self.verb().subject())
    }

    /// Names another file with the ids of what it is about.
    pub fn take_ids_from(&mut self, file: std::path::PathBuf) {
        self.verb_mut().take_ids_from(file);
    }

    /// Decides anew what becomes of messages in doubt.
    pub fn decide_uncertain(&mut self, uncertain: values::Uncertain) {
        self.verb_mut().decide_uncertain(uncertain);
    }
}
