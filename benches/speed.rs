//! Speed and memory, printed as a table. Names on the command line run only some: `cargo bench --bench speed -- redrive-10ms`.
//!
//! With `--check` a missed bound fails. The bounds hold on two quiet cores; the table begins with how quiet they are.

mod console;
mod estate;
mod frame;
mod memory;
mod outboxes;
mod queues;
mod redrive;
mod sandbox;
mod server;
#[path = "../tests/support/terminal.rs"]
#[expect(dead_code, reason = "tests ask it for more")]
mod terminal;
#[path = "../tests/support/transfers.rs"]
#[expect(dead_code, reason = "tests ask it for more")]
mod transfers;
mod watch;

use std::process::ExitCode;

/// One line of the table.
pub(crate) struct Measure {
    /// Name, as on the command line.
    pub(crate) name: &'static str,
    /// What was measured, in words.
    pub(crate) what: String,
    /// The figure.
    pub(crate) value: f64,
    /// Its unit.
    pub(crate) unit: &'static str,
    /// What it must reach.
    pub(crate) bound: Bound,
}

/// What a figure must reach.
pub(crate) enum Bound {
    /// At least this.
    AtLeast(f64),
    /// At most this.
    AtMost(f64),
    /// Nothing: said for comparison.
    None,
}

impl Bound {
    fn holds(&self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= *bound,
            Self::AtMost(bound) => value <= *bound,
            Self::None => true,
        }
    }
}

type Bench = fn() -> Vec<Measure>;

/// What each bench measures, by name.
const BENCHES: &[(&[&str], Bench)] = &[
    (&["sandbox-sent", "sandbox-received"], sandbox::throughput),
    (&["sandbox-memory"], sandbox::memory),
    (&["sandbox-fleet"], sandbox::fleet),
    (&["redrive-10ms", "redrive-10ms-bare", "redrive-10ms-share", "redrive-10ms-whole"], redrive::served),
    (&["redrive-50ms", "redrive-200ms"], redrive::far),
    (&["redrive-20"], redrive::few),
    (&["redrive-sources-plan"], redrive::of_many_sources),
    (&["redrive-0ms", "redrive-0ms-bare", "redrive-0ms-share"], redrive::embedded),
    (&["redrive-peak-few", "redrive-peak-many", "redrive-peak-grows"], memory::redrive),
    (&["queues-500-first", "queues-500"], queues::listed),
    (&["queues-1500", "queues-1500-denied"], queues::denied),
    (&["watch-500"], watch::complete),
    (&["watch-20000", "watch-20000-queue", "watch-20000-told"], watch::memory),
    (&["verdicts-20000"], watch::verdicts),
    (&["cache-2000", "cache-2000-size"], watch::cache),
    (&["estate", "estate-throttled", "estate-verdicts"], estate::complete),
    (&["outbox-no-index", "outbox-60000", "outbox-1000000"], outboxes::looks),
    (&["replay", "replay-lock"], outboxes::replay),
    (&["first-frame", "first-frame-cached"], console::first_frame),
    (&["key-median", "key-p99"], console::keys),
    (&["console-2000", "console-20000"], console::memory),
    (&["console-idle"], console::idle),
    (&["frame", "frame-filtered"], frame::frame),
    (&["queues-20000", "queues-grouped", "queues-typed", "palette-typed"], frame::settled),
];

#[expect(clippy::print_stdout, reason = "the table is what a bench is for")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_checked = arguments.iter().any(|word| word == "--check");
    let wanted: Vec<&String> = arguments.iter().filter(|word| !word.starts_with('-')).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|word| *word == name);
    let mut missed = 0;
    // The load of the last minute: on a busy machine the figures say little.
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load average {}", load.split(' ').next().unwrap_or("unknown"));
    println!("{:<18} {:>10} {:<6} {:>9}  {:<6}  what", "name", "measured", "", "must be", "");
    for (names, run) in BENCHES.iter().filter(|(names, _)| names.iter().any(|name| is_wanted(name))) {
        let measures = run();
        if measures.is_empty() {
            println!("{:<18} skipped: there is no PostgreSQL; `make bench` starts one", names.join(", "));
        }
        for Measure { name, what, value, unit, bound } in measures {
            let (must_be, verdict) = match (&bound, bound.holds(value)) {
                (Bound::None, _) => (String::new(), ""),
                (Bound::AtLeast(figure), holds) => (format!(">= {figure}"), verdict(holds)),
                (Bound::AtMost(figure), holds) => (format!("<= {figure}"), verdict(holds)),
            };
            missed += usize::from(verdict == MISSED);
            let digits = if value < 10.0 { 3 } else { 1 };
            println!("{name:<18} {value:>10.digits$} {unit:<6} {must_be:>9}  {verdict:<6}  {what}");
        }
    }
    if is_checked && missed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

const MISSED: &str = "MISSED";

fn verdict(holds: bool) -> &'static str {
    if holds { "ok" } else { MISSED }
}
