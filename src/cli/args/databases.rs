//! What databases are asked for.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;

use crate::cli::complete;

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
