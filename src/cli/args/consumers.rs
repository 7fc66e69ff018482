//! What consumers are asked for.

use clap::{Args, Subcommand};
use clap_complete::engine::ArgValueCompleter;

use super::Consent;
use crate::{cli::complete, domain::RunId, operations};

/// `consumers`.
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Consumers {
    /// What to do; nothing: list them.
    #[command(subcommand)]
    pub command: Option<ConsumersCommand>,
    /// Of which queues.
    #[command(flatten)]
    pub list: ListConsumers,
}

/// What to do with consumers.
#[derive(Debug, Clone, Subcommand)]
pub enum ConsumersCommand {
    /// List who takes messages of which queue: Lambda's mappings and the services that the configuration names
    List(ListConsumers),
    /// Pause all consumers of a queue, and remember them
    Pause(PauseConsumers),
    /// Resume the consumers that opsctl has paused, and no others
    Resume(ResumeConsumers),
}

/// Options of `consumers list`.
#[derive(Debug, Clone, Default, Args)]
pub struct ListConsumers {
    /// List only consumers of queues whose names match this pattern; `*` stands for anything
    #[arg(value_name = "PATTERN", add = ArgValueCompleter::new(complete::queues))]
    pub pattern: Option<String>,
}

/// Options of `consumers pause`.
#[derive(Debug, Clone, Args)]
// The operation's own group has this name.
#[group(skip)]
pub struct PauseConsumers {
    /// The operation.
    #[command(flatten)]
    pub operation: operations::PauseConsumers,
    /// Go on with a run that ended early
    #[arg(long, value_name = "RUN", conflicts_with_all = ["queue", "timeout_seconds"])]
    pub resume: Option<RunId>,
    /// How it is agreed to.
    #[command(flatten)]
    pub consent: Consent,
}

/// Options of `consumers resume`.
#[derive(Debug, Clone, Args)]
// The operation's own group has this name.
#[group(skip)]
pub struct ResumeConsumers {
    /// The operation.
    #[command(flatten)]
    pub operation: operations::ResumeConsumers,
    /// Go on with a run that ended early
    #[arg(long, value_name = "RUN", conflicts_with_all = ["queue", "timeout_seconds"])]
    pub resume: Option<RunId>,
    /// How it is agreed to.
    #[command(flatten)]
    pub consent: Consent,
}
