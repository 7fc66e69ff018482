//! What services and tasks are asked for.

use clap::Args;

/// Options of `services`.
#[derive(Debug, Clone, Default, Args)]
pub struct Services {
    /// List only services whose names (or cluster/name) match this pattern; `*` stands for anything
    #[arg(value_name = "PATTERN")]
    pub pattern: Option<String>,
    /// Leave out CPU and memory: CloudWatch bills each metric that is asked for
    #[arg(long)]
    pub no_metrics: bool,
}

/// Options of `tasks`.
#[derive(Debug, Clone, Default, Args)]
pub struct Tasks {
    /// Service: name, or cluster/name
    #[arg(long, value_name = "SERVICE")]
    pub service: String,
}
