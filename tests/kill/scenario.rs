//! What is killed: an operation, on a kind of queue, with its options, and what is done afterwards.

use Kind::{Fifo, Standard};
use Then::{Nothing, Restore, RestoreEarly, RestoreKilled};
use Verb::{Move, ParkInFile, ParkInQueue, Purge, Redrive};

/// The operation that is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Redrive,
    /// A redrive to a consumer that fails on some messages, which come back and go into a queue.
    ParkInQueue,
    /// As [`Verb::ParkInQueue`]; they go into a file.
    ParkInFile,
    Purge,
    /// A redrive by SQS's own move task.
    Move,
}

impl Verb {
    pub(super) fn command(self) -> &'static str {
        match self {
            Redrive | ParkInQueue | ParkInFile | Move => "redrive",
            Purge => "purge",
        }
    }

    pub(super) fn parks(self) -> bool {
        matches!(self, ParkInQueue | ParkInFile)
    }

    /// Whether the source is the dead-letter queue of the destination, as far as SQS knows.
    pub(super) fn is_paired(self) -> bool {
        self.parks() || self == Move
    }
}

/// Kind of every queue of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Standard,
    Fifo,
}

/// What follows when the operation has come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    Nothing,
    /// `restore`, left alone.
    Restore,
    /// `restore`, killed and resumed.
    RestoreKilled,
    /// `restore` of the killed run, before that is resumed; and once more afterwards.
    RestoreEarly,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) verb: Verb,
    pub(super) kind: Kind,
    /// `--limit`, in percent of the messages that the filter selects.
    pub(super) limit_percent: Option<usize>,
    /// `--where`, which selects three of four.
    pub(super) filtered: bool,
    /// Whether the operation itself is killed.
    pub(super) killed: bool,
    pub(super) then: Then,
    /// Whether the source answers ChangeMessageVisibility late.
    pub(super) slow: bool,
    pub(super) options: &'static [&'static str],
}

const REDRIVE: Scenario = Scenario {
    name: "",
    verb: Redrive,
    kind: Standard,
    limit_percent: None,
    filtered: false,
    killed: true,
    then: Nothing,
    slow: false,
    options: &[],
};
const REDRIVE_FIFO: Scenario = Scenario { kind: Fifo, ..REDRIVE };
/// Lanes overtake each other where what one puts back reaches another before the answer.
const SLOW_FIFO: Scenario = Scenario { limit_percent: Some(58), slow: true, killed: false, ..REDRIVE_FIFO };
const PURGE: Scenario = Scenario { verb: Purge, then: Restore, ..REDRIVE };
const PURGE_FIFO: Scenario = Scenario { kind: Fifo, ..PURGE };
const RESTORE: Scenario = Scenario { verb: Purge, killed: false, then: RestoreKilled, ..REDRIVE };
const PARK: Scenario = Scenario { verb: ParkInQueue, then: Restore, ..REDRIVE };

/// Every scenario; each is killed about as often as any other.
pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario { name: "redrive standard", ..REDRIVE },
    Scenario { name: "redrive standard limit", limit_percent: Some(40), ..REDRIVE },
    Scenario { name: "redrive standard where", filtered: true, ..REDRIVE },
    Scenario { name: "redrive standard limit where", limit_percent: Some(50), filtered: true, ..REDRIVE },
    Scenario { name: "redrive standard edit", options: &["--edit", "edit.jq"], ..REDRIVE },
    Scenario { name: "redrive standard mark", options: &["--mark"], ..REDRIVE },
    Scenario { name: "redrive standard move task", verb: Move, options: &["--rate", "20"], ..REDRIVE },
    Scenario { name: "redrive fifo", ..REDRIVE_FIFO },
    Scenario { name: "redrive fifo edit", options: &["--edit", "edit.jq"], ..REDRIVE_FIFO },
    Scenario { name: "redrive fifo limit", limit_percent: Some(40), ..REDRIVE_FIFO },
    Scenario { name: "redrive fifo where", filtered: true, ..REDRIVE_FIFO },
    Scenario { name: "redrive fifo limit where", limit_percent: Some(50), filtered: true, ..REDRIVE_FIFO },
    Scenario { name: "redrive fifo limit slow", limit_percent: Some(40), slow: true, ..REDRIVE_FIFO },
    Scenario { name: "unkilled fifo limit where slow", options: &["--where", "true"], ..SLOW_FIFO },
    Scenario { name: "purge standard", ..PURGE },
    Scenario { name: "purge standard limit", limit_percent: Some(40), ..PURGE },
    Scenario { name: "purge standard where", filtered: true, ..PURGE },
    Scenario { name: "purge standard, restored early", then: RestoreEarly, ..PURGE },
    Scenario { name: "purge fifo", ..PURGE_FIFO },
    Scenario { name: "purge fifo limit", limit_percent: Some(40), ..PURGE_FIFO },
    Scenario { name: "purge fifo where", filtered: true, ..PURGE_FIFO },
    Scenario { name: "restore of a purge standard", ..RESTORE },
    Scenario { name: "restore of a purge fifo", kind: Fifo, ..RESTORE },
    Scenario { name: "restore of a redrive standard", verb: Redrive, ..RESTORE },
    Scenario { name: "restore of a redrive fifo", verb: Redrive, kind: Fifo, ..RESTORE },
    Scenario { name: "purge and restore killed", killed: true, ..RESTORE },
    Scenario { name: "park in a queue standard", ..PARK },
    Scenario { name: "park in a queue fifo", kind: Fifo, ..PARK },
    Scenario { name: "park in a file standard", verb: ParkInFile, ..PARK },
    Scenario { name: "park in a file fifo", verb: ParkInFile, kind: Fifo, ..PARK },
];

impl Scenario {
    pub(super) fn suffix(&self) -> &'static str {
        match self.kind {
            Standard => "",
            Fifo => ".fifo",
        }
    }

    /// How many of the selected messages are to be dealt with.
    pub(super) fn wanted(&self, selected: usize) -> usize {
        self.limit_percent.map_or(selected, |percent| (selected * percent / 100).max(1))
    }

    /// Whether somebody is killed in it at all.
    pub(super) fn kills(&self) -> bool {
        self.killed || self.then == RestoreKilled
    }
}
