//! What lets a Lambda function run: its EventBridge rule is enabled or disabled, its reserved concurrency stopped or restored.

mod plan;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::{Counts, OperationError, Planned, Planner, Verb};
use crate::{
    cloud::Cloud,
    domain::{Setting, Toggle},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    On,
    Off,
}

/// One setting, from what was seen to what is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToToggle {
    pub toggle: Toggle,
    /// Before the run.
    pub from: Setting,
    pub to: Setting,
}

macro_rules! verb {
    ($(#[$about:meta])* $operation:ident, $turn:expr, $toggle:ident, $(#[$help:meta])* $argument:ident $value:literal) => {
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

            fn plan<'a>(
                &'a self,
                cloud: &'a Cloud,
                planner: &'a Planner,
            ) -> BoxFuture<'a, Result<Planned, OperationError>> {
                Box::pin(plan::plan(Toggle::$toggle(self.$argument.trim().to_owned()), $turn, cloud, planner))
            }
        }
    };
}

verb!(
    /// Enable an EventBridge rule, so that it starts its targets again
    EnableRule,
    Turn::On,
    Rule,
    /// Rule of the default event bus, by name
    rule "RULE"
);
verb!(
    /// Disable an EventBridge rule, and remember it
    DisableRule,
    Turn::Off,
    Rule,
    /// Rule of the default event bus, by name
    rule "RULE"
);
verb!(
    /// Let a Lambda function run whose reserved concurrency is 0: put back what was reserved before, or reserve nothing
    RestoreConcurrency,
    Turn::On,
    Concurrency,
    /// Function, by name
    function "FUNCTION"
);
verb!(
    /// Throttle every call of a Lambda function by a reserved concurrency of 0, and remember what was reserved before
    StopConcurrency,
    Turn::Off,
    Concurrency,
    /// Function, by name
    function "FUNCTION"
);
