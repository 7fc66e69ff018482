//! What happens around a command: panics, diagnostics.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    fs::File,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    sync::Arc,
};

use rustix::process::{Resource, getrlimit, setrlimit};
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt,
    fmt::writer::BoxMakeWriter,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use super::{args::Cli, paths};

/// Files and connections that may be open at once.
const OPEN_FILES: u64 = 4_096;

/// A panic is reported with where it was and what stands.
pub fn install(cli: &Cli) -> io::Result<()> {
    allow_open_files();
    let runs = cli.global.invocation().command("runs");
    // The standard hook panics where standard error is gone: a panic in a panic ends the process there and then, and with it every
    // run that has something in hand.
    std::panic::set_hook(Box::new(move |panic| {
        let trace = Backtrace::capture();
        let stands =
            format!("This is a mistake in opsctl. What was journalled stands; `{runs}` shows where a run got to.");
        let _ = match trace.status() {
            BacktraceStatus::Captured => writeln!(io::stderr(), "{panic}\n\n{stands}\n\n{trace}"),
            _ => writeln!(io::stderr(), "{panic}\n\n{stands} With RUST_BACKTRACE=1 it shows how it got there."),
        };
    }));
    let level = match cli.global.verbose {
        0 => LevelFilter::OFF,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let filter = Targets::new().with_target("opsctl", level);
    let asked = std::env::var("OPSCTL_LOG").ok().and_then(|asked| asked.parse().ok());
    // Diagnostics go where prompts and progress go; standard output is data's. Under the console both are the screen.
    let writer = match cli.opens_console() {
        true => BoxMakeWriter::new(Arc::new(diagnostics()?)),
        false => BoxMakeWriter::new(io::stderr),
    };
    // What can't be written is told nobody: the layer would print that, and panic where standard error is gone.
    let layer = fmt::layer().with_writer(writer).with_target(false).log_internal_errors(false);
    tracing_subscriber::registry().with(asked.unwrap_or(filter)).with(layer).try_init().map_err(io::Error::other)
}

/// A run may make hundreds of calls at once, each on a connection of its own, and some systems allow a program 256 open files.
fn allow_open_files() {
    let mut limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(OPEN_FILES, |most| most.min(OPEN_FILES));
    if limit.current.is_some_and(|current| current < wanted) {
        limit.current = Some(wanted);
        // Where it is refused, what can't be opened is tried again.
        let _ = setrlimit(Resource::Nofile, limit);
    }
}

/// The file that the console's diagnostics go to: made when first needed, never read by opsctl.
fn diagnostics() -> io::Result<File> {
    let Some(folder) = paths::state() else { return File::options().write(true).open("/dev/null") };
    std::fs::create_dir_all(&folder)?;
    File::options().create(true).append(true).mode(0o600).open(folder.join("console.log"))
}
