//! What waking services and putting them to sleep are asked for.

use clap::Args;

use super::Consent;
use crate::{domain::RunId, operations};

/// Options of `wake`.
#[derive(Debug, Clone, Args)]
// The operation's own group has this name.
#[group(skip)]
pub struct Wake {
    /// The operation.
    #[command(flatten)]
    pub operation: operations::Wake,
    /// Go on with a run that ended early
    #[arg(long, value_name = "RUN", conflicts_with_all = ["group", "service", "timeout_seconds"])]
    pub resume: Option<RunId>,
    /// How it is agreed to.
    #[command(flatten)]
    pub consent: Consent,
}

/// Options of `sleep`.
#[derive(Debug, Clone, Args)]
// The operation's own group has this name.
#[group(skip)]
pub struct Sleep {
    /// The operation.
    #[command(flatten)]
    pub operation: operations::Sleep,
    /// Go on with a run that ended early
    #[arg(long, value_name = "RUN", conflicts_with_all = ["group", "service", "timeout_seconds"])]
    pub resume: Option<RunId>,
    /// How it is agreed to.
    #[command(flatten)]
    pub consent: Consent,
}
