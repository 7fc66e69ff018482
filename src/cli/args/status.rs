//! What `status` is asked for.

use clap::Args;

use crate::operations::values::Seconds;

/// How long an environment's answers are awaited where nothing is said.
const TIMEOUT: Seconds = Seconds(20);

/// Options of `status`.
#[derive(Debug, Clone, Args)]
pub struct Status {
    /// Go on looking, and show each change until Ctrl-C
    #[arg(long)]
    pub watch: bool,
    /// End with 6 where there are notices, too
    #[arg(long)]
    pub strict: bool,
    /// Show only what was acknowledged in the console
    #[arg(long)]
    pub acknowledged: bool,
    /// Wait at most this long for an environment; what has not answered by then is named
    #[arg(long, value_name = "TIME", default_value_t = TIMEOUT, value_parser = Seconds::between::<1, 600>)]
    pub timeout: Seconds,
}
