//! What makes a look at a table slow, or fills its disk, though no row of the outbox says it.

use serde::{Deserialize, Serialize};

use crate::{
    Text,
    words::{bytes, in_words, thousands},
};

/// Fewer dead rows than this are usual, and fewer than one beside so many live ones.
const DEAD_MIN: u64 = 10_000;
const LIVE_PER_DEAD: u64 = 5;
/// A snapshot that is younger is usual.
const SNAPSHOT_SECONDS_MIN: u64 = 600;
const SNAPSHOT_TRANSACTIONS_MIN: u64 = 1_000_000;
/// InnoDB's history of a server that purges in time is shorter.
const HISTORY_MIN: u64 = 100_000;

/// How a server keeps up with what was changed and deleted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Upkeep {
    pub dead: Option<DeadRows>,
    /// The oldest of other sessions.
    pub snapshot: Option<Snapshot>,
    /// Replication slots of the database, and of the server as a whole: those that nobody reads first.
    pub slots: Vec<Slot>,
    /// Transactions that InnoDB keeps old versions of rows for.
    pub history: Option<u64>,
    /// Why some of this is not known.
    pub unknown: Option<Text>,
}

/// Estimates of PostgreSQL's statistics, partitions summed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadRows {
    pub dead: u64,
    pub live: u64,
    /// Since the last VACUUM, by hand or by itself; none: never.
    pub vacuumed_seconds: Option<u64>,
}

/// No row that was changed or deleted since may be removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    pub transactions: u64,
    /// Age of the session's transaction; none: the login may not see it.
    pub seconds: Option<u64>,
    pub process: i64,
    pub application: Text,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    pub name: Text,
    pub state: SlotState,
    /// Of the log that its reader has not confirmed; none: not known on a server in recovery.
    pub bytes: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SlotState {
    Active,
    /// Nobody reads it, and the server keeps the log for it.
    Inactive,
    Missing,
}

impl Slot {
    /// `slot debezium: inactive, 1.2 GiB behind`.
    pub fn words(&self) -> String {
        let behind = self.bytes.map(|behind| format!(", {} behind", bytes(behind as f64))).unwrap_or_default();
        match self.state {
            SlotState::Active => format!("slot {}: active{behind}", self.name),
            SlotState::Inactive => format!("slot {}: inactive{behind}", self.name),
            SlotState::Missing => format!("there is no replication slot {}", self.name),
        }
    }

    /// Whether nobody reads the log by it.
    pub fn is_left(&self) -> bool {
        match self.state {
            SlotState::Active => false,
            SlotState::Inactive | SlotState::Missing => true,
        }
    }
}

impl Upkeep {
    /// What a person should know: one sentence each, without a full stop; none: all is usual.
    pub fn words(&self) -> Vec<String> {
        let dead = self.dead.as_ref().filter(|rows| rows.dead >= DEAD_MIN && rows.dead * LIVE_PER_DEAD >= rows.live);
        let dead = dead.map(|rows| {
            let vacuumed = rows.vacuumed_seconds.map_or_else(
                || "never vacuumed".to_owned(),
                |seconds| format!("last vacuumed {} ago", in_words(seconds)),
            );
            format!("~{} dead rows beside ~{} live ones, {vacuumed}", thousands(rows.dead), thousands(rows.live))
        });
        let snapshot = self.snapshot.as_ref().filter(|snapshot| snapshot.is_old()).map(Snapshot::words);
        let left = self.slots.iter().filter(|slot| slot.is_left()).map(|slot| {
            let words = slot.words();
            if slot.state == SlotState::Inactive { format!("{words}; the server keeps its log") } else { words }
        });
        let history = self.history.filter(|transactions| *transactions >= HISTORY_MIN);
        let history = history.map(|transactions| format!("InnoDB's history list is {} long", thousands(transactions)));
        dead.into_iter().chain(snapshot).chain(left).chain(history).collect()
    }
}

impl Snapshot {
    fn is_old(&self) -> bool {
        self.seconds.is_some_and(|seconds| seconds >= SNAPSHOT_SECONDS_MIN)
            || self.transactions >= SNAPSHOT_TRANSACTIONS_MIN
    }

    fn words(&self) -> String {
        let age = match self.seconds {
            Some(seconds) => in_words(seconds),
            None => format!("{} transactions", thousands(self.transactions)),
        };
        let whose = if self.application.is_empty() { String::new() } else { format!(", {}", self.application) };
        format!("the oldest snapshot is {age} old (process {}{whose}): dead rows since then stay", self.process)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_unusual_is_told() {
        let usual = Upkeep {
            dead: Some(DeadRows { dead: 20_000, live: 3_000_000, vacuumed_seconds: Some(60) }),
            snapshot: Some(Snapshot { transactions: 12, seconds: Some(1), process: 7, application: Text::default() }),
            slots: vec![Slot { name: Text::from("a"), state: SlotState::Active, bytes: Some(1) }],
            history: Some(12),
            unknown: None,
        };
        assert_eq!(usual.words(), Vec::<String>::new());
        let unusual = Upkeep {
            dead: Some(DeadRows { dead: 2_000_000, live: 3_000_000, vacuumed_seconds: None }),
            snapshot: Some(Snapshot {
                transactions: 2_000_000,
                seconds: None,
                process: 7,
                application: Text::from("psql"),
            }),
            slots: vec![Slot { name: Text::from("a"), state: SlotState::Inactive, bytes: Some(1_288_490_189) }],
            history: Some(1_000_000),
            unknown: None,
        };
        let expected = [
            "~2,000,000 dead rows beside ~3,000,000 live ones, never vacuumed",
            "the oldest snapshot is 2,000,000 transactions old (process 7, psql): dead rows since then stay",
            "slot a: inactive, 1.2 GiB behind; the server keeps its log",
            "InnoDB's history list is 1,000,000 long",
        ];
        assert_eq!(unusual.words(), expected);
    }
}
