//! What lets a Lambda function run, and can be switched: the EventBridge rule that starts it, and its reserved concurrency.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Text;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Toggle {
    /// A rule of the default event bus, by name.
    Rule(String),
    /// Reserved concurrency of a function, by its name.
    Concurrency(String),
}

/// How a [`Toggle`] stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Setting {
    Enabled(bool),
    /// None: the function takes of the account's unreserved concurrency. 0 throttles every call.
    Reserved(Option<u32>),
}

impl Toggle {
    pub fn name(&self) -> &str {
        let (Self::Rule(name) | Self::Concurrency(name)) = self;
        name
    }
}

impl fmt::Display for Toggle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(name) => write!(formatter, "rule {name}"),
            Self::Concurrency(name) => write!(formatter, "function {name}"),
        }
    }
}

impl Setting {
    /// Whether nothing is started.
    pub fn is_off(self) -> bool {
        matches!(self, Self::Enabled(false) | Self::Reserved(Some(0)))
    }

    pub fn words(self) -> Text {
        Text::line(&match self {
            Self::Enabled(true) => "enabled".to_owned(),
            Self::Enabled(false) => "disabled".to_owned(),
            Self::Reserved(None) => "no reserved concurrency".to_owned(),
            Self::Reserved(Some(reserved)) => format!("reserved concurrency {reserved}"),
        })
    }
}
