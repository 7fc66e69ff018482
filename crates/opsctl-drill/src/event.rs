//! What happens in a drill, as its record keeps it. Score and report are made of these alone.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{domain::Text, sandbox::world::Effect};

/// An event and when it happened, on the sandbox's clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stamped {
    pub at: Timestamp,
    #[serde(flatten)]
    pub event: Event,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Event {
    /// The first one.
    Begun {
        drill: String,
        /// SHA-256 of its file.
        digest: String,
        /// opsctl's.
        version: String,
        seed: u64,
        cause: String,
        by: Text,
        /// How many times as fast as real time its clock runs.
        speed: f64,
        /// When the incident begins: what times are counted from.
        incident_at: Timestamp,
    },
    Injected {
        name: String,
    },
    Skipped {
        name: String,
        by: Text,
    },
    Delayed {
        name: String,
        by: Text,
        until: Timestamp,
    },
    /// A call that did more than read how things stand.
    Called {
        environment: String,
        /// `sqs:SendMessage`.
        call: String,
        about: Option<Text>,
        effect: Effect,
        /// How many of them in a row.
        count: u64,
        failed: bool,
    },
    /// A run of opsctl began.
    RunBegun {
        run: String,
        by: Text,
        what: Text,
        environment: String,
        /// The runbook that it is a run of.
        #[serde(default)]
        runbook: Option<Text>,
    },
    RunEnded {
        run: String,
        end: String,
    },
    /// Somebody looked in the right place, acted rightly for the first time.
    Found {
        call: String,
    },
    Acted {
        call: String,
    },
    Mitigated {},
    /// It has been true for as long as it has to be, since then.
    Recovered {
        since: Timestamp,
    },
    Relapsed {},
    /// How the drill's environment's messages stand; whenever that changed.
    Harm(Harm),
    /// What is changed, or received, in another environment than the drill's.
    WrongEnvironment {
        environment: String,
        call: String,
        effect: Effect,
    },
    Hinted {
        number: usize,
        by: Text,
    },
    /// Somebody noted something.
    Noted {
        text: Text,
        by: Text,
    },
    /// Somebody says that it is over.
    DeclaredOver {
        by: Text,
    },
    /// Figures of the conditions, by their ways.
    Figures {
        figures: BTreeMap<String, f64>,
    },
    /// The last one.
    Ended {
        why: Ended,
        leftovers: Vec<Text>,
        recovered: bool,
    },
}

/// What a drill's first event says.
#[derive(Debug, Clone, Copy)]
pub struct Beginning<'a> {
    pub drill: &'a str,
    pub digest: &'a str,
    pub version: &'a str,
    pub seed: u64,
    pub cause: &'a str,
    pub by: &'a Text,
    pub speed: f64,
}

impl Event {
    /// None: it is not the first one.
    pub fn beginning(&self) -> Option<Beginning<'_>> {
        if let Self::Begun { drill, digest, version, seed, cause, by, speed, .. } = self {
            return Some(Beginning { drill, digest, version, seed: *seed, cause, by, speed: *speed });
        }
        None
    }

    /// Why it ended, and whether the incident was over; none: it is not the last one.
    pub fn end(&self) -> Option<(Ended, bool)> {
        if let Self::Ended { why, recovered, .. } = self { Some((*why, *recovered)) } else { None }
    }

    pub fn harm(&self) -> Option<Harm> {
        if let Self::Harm(harm) = self { Some(*harm) } else { None }
    }

    /// Whose doing it is, where somebody's name is known.
    pub fn by(&self) -> Option<&Text> {
        match self {
            Self::Begun { by, .. }
            | Self::RunBegun { by, .. }
            | Self::Noted { by, .. }
            | Self::DeclaredOver { by }
            | Self::Hinted { by, .. } => Some(by),
            Self::Skipped { .. }
            | Self::Delayed { .. }
            | Self::Injected { .. }
            | Self::Called { .. }
            | Self::RunEnded { .. }
            | Self::Found { .. }
            | Self::Acted { .. }
            | Self::Mitigated {}
            | Self::Recovered { .. }
            | Self::Relapsed {}
            | Self::Harm(_)
            | Self::WrongEnvironment { .. }
            | Self::Figures { .. }
            | Self::Ended { .. } => None,
        }
    }
}

/// Messages that came to harm, of all that the drill's environment had.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Harm {
    /// Deleted or purged by somebody, and in no snapshot.
    pub lost: u64,
    /// Deleted, and kept in a snapshot of opsctl's.
    pub kept: u64,
    pub doubled: u64,
    pub expired: u64,
}

/// Why a drill ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum Ended {
    DeclaredOver,
    OutOfTime,
    Stopped,
    /// Something was changed in another environment.
    WrongEnvironment,
}

impl Ended {
    pub fn words(self) -> &'static str {
        match self {
            Self::DeclaredOver => "declared over",
            Self::OutOfTime => "out of time",
            Self::Stopped => "stopped",
            Self::WrongEnvironment => "stopped: something was changed in the wrong environment",
        }
    }
}
