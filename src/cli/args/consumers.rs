//! What consumers are asked for.

use clap::{Args, Subcommand};
use clap_complete::engine::ArgValueCompleter;

use super::change::{Change, OfConsumers};
use crate::cli::complete;

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
    #[command(flatten)]
    Change(Change<OfConsumers>),
}

/// Options of `consumers list`.
#[derive(Debug, Clone, Default, Args)]
pub struct ListConsumers {
    /// List only consumers of queues whose names match this pattern; `*` stands for anything
    #[arg(value_name = "PATTERN", add = ArgValueCompleter::new(complete::queues))]
    pub pattern: Option<String>,
}
