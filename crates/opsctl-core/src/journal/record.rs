//! What stands in a journal.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{
    AccountId, DeploymentId, EnvironmentName, MessageId, RunId, Setting, TaskBounds, TaskDefinition, Text, Toggle,
};

/// One line: number, time, the line before's SHA-256, and the record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// From 0.
    pub seq: u64,
    pub at: Timestamp,
    /// SHA-256 of the line before without its line feed; 64 zeros on the first.
    pub prev: String,
    #[serde(flatten)]
    pub record: Record,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Record {
    /// First line: what was approved, by whom.
    Opened {
        run: RunId,
        version: String,
        plan: Box<serde_json::Value>,
        by: Text,
        how: Consented,
        reason: Option<Text>,
        /// Messages sent at or after this time are not the run's.
        cutoff: Timestamp,
        /// The run that this one is a part of.
        #[serde(skip_serializing_if = "Option::is_none")]
        parent: Option<RunId>,
    },
    /// First line of a run of a runbook: which, where, by whom. What its steps change are runs of their own.
    RunbookOpened {
        run: RunId,
        version: String,
        /// Its name.
        runbook: Text,
        title: Text,
        /// SHA-256 of its text, which lies beside the journal.
        digest: String,
        environment: EnvironmentName,
        parameters: Box<serde_json::Value>,
        by: Text,
        reason: Option<Text>,
        /// An earlier run of the runbook that did not recover what it was about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        continues: Option<RunId>,
    },
    /// What happened to a step of a runbook.
    RunbookStep {
        /// Its id.
        step: String,
        event: Box<serde_json::Value>,
    },
    /// A run of a runbook was left open: nobody is there, or somebody left.
    RunbookLeft {
        /// The step that it stands at.
        step: String,
        /// What it waits for: a person, a time.
        waits_for: Text,
        /// What it holds back meanwhile.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        held: Vec<HeldBack>,
    },
    /// Another person carries on with a run of a runbook.
    TakenOver {
        from: Text,
        by: Text,
    },
    Resumed {
        by: Text,
        reason: Option<Text>,
        /// What AWS's clock showed, where it was known.
        #[serde(skip_serializing_if = "Option::is_none")]
        aws_time: Option<Timestamp>,
    },
    Verified {
        account: AccountId,
        arn: Text,
    },
    /// About to send these; or, without a destination, to delete them for good.
    Intent {
        batch: u64,
        /// Queue URL; absent for a purge.
        #[serde(skip_serializing_if = "Option::is_none")]
        to: Option<String>,
        messages: Vec<IntentMessage>,
    },
    Sent {
        batch: u64,
        messages: Vec<SentMessage>,
    },
    /// Sending had no clear answer: these may or may not have been sent.
    Unknown {
        batch: u64,
        ids: Vec<MessageId>,
    },
    /// Certainly not sent; left in the queue.
    Kept {
        /// As in the intent, where there was one.
        batch: Option<u64>,
        ids: Vec<MessageId>,
        reason: Text,
    },
    /// Deleted from the queue they were taken from.
    Deleted {
        ids: Vec<MessageId>,
    },
    /// No longer in the queue they were taken from: a look through all of it did not find them.
    Gone {
        ids: Vec<MessageId>,
    },
    Step {
        /// From 1.
        step: u32,
        sent: u64,
        bounced: u64,
        verdict: Text,
    },
    /// A move task was asked for; written before the call.
    TaskIntent {
        /// ARN of the DLQ.
        source: String,
        /// ARN of the destination; absent: each to its own source.
        to: Option<String>,
        /// When each task started that there was already.
        known: Vec<Timestamp>,
    },
    /// A move task was found or told its state.
    Task {
        handle: Option<String>,
        status: String,
        moved: u64,
        started_at: Option<Timestamp>,
    },
    /// A service's desired count is about to be set.
    DesiredIntent {
        /// `cluster/name`.
        service: String,
        from: u32,
        to: u32,
    },
    /// A service's desired count is known to be set.
    Desired {
        /// `cluster/name`.
        service: String,
        to: u32,
        /// The deployment that was PRIMARY then.
        deployment: Option<String>,
    },
    /// A deployment of a service is about to be asked for.
    DeploymentIntent {
        /// `cluster/name`.
        service: String,
        /// Revision of before, and the one that is to run; the same: its tasks are only replaced.
        from: TaskDefinition,
        to: TaskDefinition,
        /// Deployments of before, the PRIMARY one first: another one is newer than the call.
        known: Vec<DeploymentId>,
    },
    /// A deployment that was asked for is known to be begun.
    Deployment {
        /// `cluster/name`.
        service: String,
        /// Absent: ECS does not show it yet.
        #[serde(skip_serializing_if = "Option::is_none")]
        deployment: Option<DeploymentId>,
    },
    /// The bounds of a service's autoscaling are about to be moved.
    BoundsIntent {
        /// `cluster/name`.
        service: String,
        from: TaskBounds,
        to: TaskBounds,
    },
    Bounds {
        /// `cluster/name`.
        service: String,
        /// As they are known to be.
        to: TaskBounds,
    },
    /// An event source mapping is about to be paused or resumed.
    MappingIntent {
        mapping: String,
        function: Text,
        enabled: bool,
    },
    /// What is known of an event source mapping that was to be paused or resumed.
    Mapping {
        mapping: String,
        status: Text,
    },
    /// A setting is about to be set: a rule, a function's reserved concurrency, an event source mapping.
    SettingIntent {
        toggle: Toggle,
        from: Setting,
        to: Setting,
    },
    /// What is known of a setting that was to be set.
    Setting {
        toggle: Toggle,
        status: Text,
    },
    /// A database's failover was asked for; written before the call.
    FailoverIntent {
        /// Database, topology, who writes before, who shall.
        what: Box<serde_json::Value>,
    },
    /// What became of the failover, as far as it is known.
    Failover {
        status: String,
    },
    /// A migration's task is about to be started; written before the call.
    MigrationIntent {
        /// What is started, with the client token that makes it one task however often it is asked for.
        what: Box<serde_json::Value>,
    },
    Migration {
        /// ARN; absent while it is not known.
        #[serde(skip_serializing_if = "Option::is_none")]
        task: Option<String>,
        status: String,
    },
    /// Rows of a database are changed, in a transaction that is committed only once this is on disk.
    RowsIntent {
        batch: u64,
        rows: u64,
        /// First 32 digits of the SHA-256 of their lines in the snapshot.
        saved: String,
        /// The transaction's id, where the server says later how it ended.
        #[serde(skip_serializing_if = "Option::is_none")]
        transaction: Option<i64>,
    },
    Rows {
        batch: u64,
        rows: u64,
        outcome: RowsOutcome,
    },
    /// What was asked for last, a move task, a failover or a migration's task, was refused for certain: nothing of it is begun.
    Refused {},
    Ended {
        end: End,
        /// What was done, in figures of its kind.
        did: Did,
        /// Whether something of it is left that `--resume` goes on with.
        is_left: bool,
        /// Whether it kept a snapshot.
        has_snapshot: bool,
        report: Box<serde_json::Value>,
    },
}

/// Something that a run of a runbook has set, paused or moved aside, and that nobody has put back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldBack {
    /// `2 consumers of orders, paused`.
    pub what: Text,
    /// Words of the command line that ends it, after `opsctl`; none: there is none.
    pub back: Option<Text>,
}

/// What became of a batch of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowsOutcome {
    Committed,
    /// Rolled back: the rows are as they were.
    Undone,
    /// Nobody knows, and nobody will: they are left alone.
    InDoubt,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Consented {
    None,
    Yes,
    Typed,
    Fingerprint,
}

impl fmt::Display for Consented {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(formatter)
    }
}

/// How a run ended, in one word; each has an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum End {
    Done,
    Nothing,
    /// Failed; nothing was moved.
    Failed,
    /// Refused; nothing was done.
    Refused,
    /// A part is done; what is left is safe to run again.
    Partly,
    /// The world had changed since the plan; nothing was done.
    Stale,
    Interrupted,
}

/// What a run has done, in figures of its kind: what lists of runs show and what the next plan asks of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Did {
    /// It did not begin.
    #[default]
    Nothing,
    Messages {
        done: u64,
        sent_not_deleted: u64,
        /// May or may not have been sent.
        uncertain: u64,
    },
    Services {
        done: u64,
        all: u64,
    },
    Consumers {
        done: u64,
        all: u64,
    },
    Failover {
        /// Who writes since then; none: nobody was seen to.
        writer: Option<Text>,
        seconds: Option<f64>,
    },
    Migration {
        exit_code: Option<i32>,
        /// What ECS says of its container beside the code: `OutOfMemoryError: ...`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Text>,
    },
    Rows {
        done: u64,
        /// Of which nobody knows whether they were changed.
        in_doubt: u64,
    },
    /// Settings were set: a rule, a function's reserved concurrency, event source mappings.
    Settings {
        done: u64,
        all: u64,
    },
    /// Steps of a runbook.
    Steps {
        done: u64,
        all: u64,
    },
}

impl Did {
    /// How many of what it counts are dealt with.
    pub fn done(&self) -> u64 {
        match self {
            Self::Messages { done, .. }
            | Self::Services { done, .. }
            | Self::Consumers { done, .. }
            | Self::Steps { done, .. }
            | Self::Rows { done, .. }
            | Self::Settings { done, .. } => *done,
            Self::Nothing | Self::Failover { .. } | Self::Migration { .. } => 0,
        }
    }

    /// How many messages may or may not have been sent.
    pub fn uncertain(&self) -> u64 {
        if let Self::Messages { uncertain, .. } = self { *uncertain } else { 0 }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntentMessage {
    /// Id in the queue it was taken from.
    pub id: MessageId,
    /// First 32 digits of the content's hash.
    pub hash: String,
    /// First 32 digits of the SHA-256 of its line in the snapshot, where there is one: it covers what the content's hash does not,
    /// as the queue it was taken from, the one it died in, and its times. Journals of earlier versions lack it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saved: Option<String>,
    /// Deduplication id it is sent with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deduplication_id: Option<String>,
    /// Whether it had come back, and goes where such messages are parked.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub parked: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentMessage {
    /// Id in the queue it was taken from.
    pub id: MessageId,
    pub new_id: MessageId,
}
