//! What a migration is asked for.

use clap::Args;

use super::Consent;
use crate::{domain::RunId, operations};

/// Options of `migrate`.
#[derive(Debug, Clone, Args)]
// The operation's own group has this name.
#[group(skip)]
pub struct Migrate {
    /// The operation.
    #[command(flatten)]
    pub operation: operations::Migrate,
    /// Wait for its end and end with its exit code: what is done unless --detach is given
    #[arg(long, conflicts_with = "detach")]
    pub wait: bool,
    /// Look again at a migration whose run ended early, follow it on; starts nothing that was started
    #[arg(long, value_name = "RUN", conflicts_with_all = ["migration", "command", "revision", "timeout", "detach"])]
    pub resume: Option<RunId>,
    /// How it is agreed to.
    #[command(flatten)]
    pub consent: Consent,
}
