//! [`RunId`]: names one run and its journal.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Name of a run: UTC start time and a random tail, `20261121T031500-4f7a9c`. Sorts by time; safe as a folder's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

impl RunId {
    /// A new id; `random` supplies the tail.
    pub fn new(started_at: Timestamp, random: u32) -> Self {
        let time = started_at.strftime("%Y%m%dT%H%M%S");
        Self(format!("{time}-{:06x}", random & 0x00ff_ffff))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RunId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if plain && text.len() == 22 && text.as_bytes()[15] == b'-' {
            return Ok(Self(text.to_owned()));
        }
        Err("a run is named like 20261121T031500-4f7a9c; take one of the runs that are listed".to_owned())
    }
}

impl TryFrom<String> for RunId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}
