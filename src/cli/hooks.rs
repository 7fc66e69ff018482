//! What happens around a command: panics, diagnostics.

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// A panic is reported with where it was and what to send us.
///
/// # Errors
/// Hooks are installed already.
pub fn install(verbose: u8) -> color_eyre::Result<()> {
    color_eyre::config::HookBuilder::default()
        .panic_section(
            "This is a mistake in opsctl. What was journalled stands; `opsctl runs` shows where a run got to.",
        )
        .display_env_section(false)
        .install()?;
    let level = match verbose {
        0 => "off",
        1 => "opsctl=info",
        _ => "opsctl=debug",
    };
    let filter = EnvFilter::try_from_env("OPSCTL_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    // Diagnostics go where prompts and progress go; standard output is data's.
    let layer = fmt::layer().with_writer(std::io::stderr).with_target(false);
    tracing_subscriber::registry().with(filter).with(tracing_error::ErrorLayer::default()).with(layer).try_init()?;
    Ok(())
}
