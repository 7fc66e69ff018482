//! What databases are asked for.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;

use super::Consent;
use crate::{cli::complete, domain::RunId, operations};

/// Options of `databases`.
#[derive(Debug, Clone, Default, Args)]
pub struct Databases {
    /// List only databases whose names match this pattern; `*` stands for anything
    #[arg(value_name = "PATTERN", add = ArgValueCompleter::new(complete::databases))]
    pub pattern: Option<String>,
    /// Leave out CPU, connections, free storage and lag: CloudWatch bills each metric that is asked for
    #[arg(long)]
    pub no_metrics: bool,
    /// Show each by itself: instances, proxies, pending maintenance with its dates, and events
    #[arg(long)]
    pub events: bool,
    /// Show events of so many days, 14 at most
    #[arg(long, value_name = "DAYS", requires = "events", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=14))]
    pub days: u32,
}

/// Options of `failover`.
#[derive(Debug, Clone, Args)]
// The operation's own group has this name.
#[group(skip)]
pub struct Failover {
    /// The operation.
    #[command(flatten)]
    pub operation: operations::Failover,
    /// Look again at a failover whose run ended early; asks for nothing
    #[arg(long, value_name = "RUN", conflicts_with_all = ["database", "to"])]
    pub resume: Option<RunId>,
    /// How it is agreed to.
    #[command(flatten)]
    pub consent: Consent,
}
