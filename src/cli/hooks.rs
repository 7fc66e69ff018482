//! What happens around a command: panics, diagnostics.

use std::{
    fs::File,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    sync::Arc,
};

use tracing_subscriber::{EnvFilter, fmt, fmt::writer::BoxMakeWriter, layer::SubscriberExt, util::SubscriberInitExt};

use super::{args::Cli, paths};

/// A panic is reported with where it was and what to send us.
///
/// # Errors
/// Hooks are installed already.
pub fn install(cli: &Cli) -> color_eyre::Result<()> {
    let (panics, errors) = color_eyre::config::HookBuilder::default()
        .panic_section(format!(
            "This is a mistake in opsctl. What was journalled stands; `{}` shows where a run got to.",
            cli.global.invocation().command("runs")
        ))
        .display_env_section(false)
        .try_into_hooks()?;
    errors.install()?;
    // color-eyre's own hook panics where standard error is gone: a panic in a panic ends the process there and then, and with
    // it every run that has something in hand.
    std::panic::set_hook(Box::new(move |panic| {
        let _ = writeln!(io::stderr(), "{}", panics.panic_report(panic));
    }));
    let level = match cli.global.verbose {
        0 => "off",
        1 => "opsctl=info",
        _ => "opsctl=debug",
    };
    let filter = EnvFilter::try_from_env("OPSCTL_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    // Diagnostics go where prompts and progress go; standard output is data's. Under the console both are the screen.
    let writer = match cli.opens_console() {
        true => BoxMakeWriter::new(Arc::new(diagnostics()?)),
        false => BoxMakeWriter::new(io::stderr),
    };
    // What can't be written is told nobody: the layer would print that, and panic where standard error is gone.
    let layer = fmt::layer().with_writer(writer).with_target(false).log_internal_errors(false);
    tracing_subscriber::registry().with(filter).with(tracing_error::ErrorLayer::default()).with(layer).try_init()?;
    Ok(())
}

/// The file that the console's diagnostics go to: made when first needed, never read by opsctl.
fn diagnostics() -> color_eyre::Result<File> {
    let Some(folder) = paths::state() else { return Ok(File::options().write(true).open("/dev/null")?) };
    std::fs::create_dir_all(&folder)?;
    Ok(File::options().create(true).append(true).mode(0o600).open(folder.join("console.log"))?)
}
