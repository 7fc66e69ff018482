//! Settings that are set, remembered and put back: EventBridge rules, reserved concurrencies, event source mappings,
//! queues' retention, alarms that are muted.
//!
//! Each kind is a plan of its own here and a line in [`look`]; how one is set, waited for and remembered is the same for all, in
//! `run/toggle`.

pub(crate) mod look;
mod mappings;
mod memory;
pub(crate) mod mutes;
mod retention;
mod starters;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::{Counts, OperationError, OperationKind, Planned, Planner, Verb};
use crate::{
    cloud::Cloud,
    domain::{Setting, Toggle},
};

pub use mutes::{MuteAlarms, UnmuteAlarms};
pub use retention::Retention;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    On,
    Off,
}

/// One setting, from what was seen to what is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToToggle {
    pub toggle: Toggle,
    /// What a person knows it by.
    pub name: String,
    /// Before the run.
    pub from: Setting,
    pub to: Setting,
    pub memory: Memory,
}

/// What is done with what is remembered of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// This is put back later: on disk before the setting is changed.
    Keep(Setting),
    /// It is put back: forgotten once that is seen.
    Forget,
    /// Nothing is to be remembered: AWS puts it back by itself.
    AtAws,
}

macro_rules! verb {
    ($(#[$about:meta])* $operation:ident, $turn:expr, $back:expr, $starter:ident, $(#[$help:meta])* $argument:ident $value:literal) => {
        $(#[$about])*
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, clap::Args)]
        #[serde(default, deny_unknown_fields)]
        pub struct $operation {
            $(#[$help])*
            #[arg(value_name = $value, required_unless_present = "resume", default_value = "", hide_default_value = true)]
            pub $argument: String,
        }

        impl Verb for $operation {
            fn subject(&self) -> &str {
                &self.$argument
            }

            fn subject_arguments(&self) -> &'static [&'static str] {
                &[stringify!($argument)]
            }

            fn counts(&self) -> Counts {
                Counts::One
            }

            fn put_back_by(&self) -> Option<OperationKind> {
                $back
            }

            fn plan<'a>(
                &'a self,
                cloud: &'a Cloud,
                planner: &'a Planner,
            ) -> BoxFuture<'a, Result<Planned, OperationError>> {
                Box::pin(starters::plan(starters::Starter::$starter(self.$argument.trim().to_owned()), $turn, cloud, planner))
            }
        }
    };
}

verb!(
    /// Enable an EventBridge rule, so that it starts its targets again
    EnableRule,
    Turn::On,
    None,
    Rule,
    /// Rule of the default event bus, by name
    rule "RULE"
);
verb!(
    /// Disable an EventBridge rule, and remember it
    DisableRule,
    Turn::Off,
    Some(OperationKind::EnableRule),
    Rule,
    /// Rule of the default event bus, by name
    rule "RULE"
);
verb!(
    /// Let a Lambda function run whose reserved concurrency is 0: put back what was reserved before, or reserve nothing
    RestoreConcurrency,
    Turn::On,
    None,
    Function,
    /// Function, by name
    function "FUNCTION"
);
verb!(
    /// Throttle every call of a Lambda function by a reserved concurrency of 0, and remember what was reserved before
    StopConcurrency,
    Turn::Off,
    Some(OperationKind::RestoreConcurrency),
    Function,
    /// Function, by name
    function "FUNCTION"
);

macro_rules! mappings_verb {
    ($(#[$about:meta])* $operation:ident, $turn:expr, $back:expr) => {
        $(#[$about])*
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, clap::Args)]
        #[serde(default, deny_unknown_fields)]
        pub struct $operation {
            /// Event source mapping: its UUID, or the name of its function
            #[arg(value_name = "MAPPING", required_unless_present = "resume")]
            pub mapping: Vec<String>,
            /// Only mappings that take from this queue, where a function has several: name, URL or ARN
            #[arg(long, value_name = "QUEUE")]
            pub queue: Option<String>,
        }

        impl Verb for $operation {
            fn subject(&self) -> &str {
                self.mapping.first().map_or("", String::as_str)
            }

            fn subject_arguments(&self) -> &'static [&'static str] {
                &["mapping", "queue"]
            }

            /// A function's alias stands behind a colon; of an id nobody knows the function yet.
            fn typed(&self) -> Option<&str> {
                match self.mapping.as_slice() {
                    [one] if !mappings::is_id(one.trim()) => Some(one.trim()),
                    _ => None,
                }
            }

            fn counts(&self) -> Counts {
                Counts::Consumers
            }

            fn put_back_by(&self) -> Option<OperationKind> {
                $back
            }

            fn plan<'a>(
                &'a self,
                cloud: &'a Cloud,
                planner: &'a Planner,
            ) -> BoxFuture<'a, Result<Planned, OperationError>> {
                Box::pin(mappings::plan(&self.mapping, self.queue.as_deref(), $turn, cloud, planner))
            }
        }
    };
}

mappings_verb!(
    /// Enable event source mappings, also those that are disabled by design, and remember them
    EnableConsumers,
    Turn::On,
    Some(OperationKind::DisableConsumers)
);
mappings_verb!(
    /// Disable event source mappings one by one, and remember them
    DisableConsumers,
    Turn::Off,
    Some(OperationKind::EnableConsumers)
);
