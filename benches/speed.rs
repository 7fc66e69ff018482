//! Speed and memory, printed as a table. Names on the command line run only some: `cargo bench --bench speed -- sandbox-memory`.

mod sandbox;

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
}

impl Bound {
    fn holds(&self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= *bound,
            Self::AtMost(bound) => value <= *bound,
        }
    }
}

type Bench = fn() -> Vec<Measure>;

/// What each bench measures, by name.
const BENCHES: &[(&[&str], Bench)] = &[
    (&["sandbox-sent", "sandbox-received"], sandbox::throughput),
    (&["sandbox-memory"], sandbox::memory),
    (&["sandbox-fleet"], sandbox::fleet),
];

#[expect(clippy::print_stdout, reason = "the table is what a bench is for")]
fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|word| word == name);
    let mut all_hold = true;
    println!("{:<18} {:>12} {:<6} {:>14}  what", "name", "measured", "", "must be");
    for (_, run) in BENCHES.iter().filter(|(names, _)| names.iter().any(|name| is_wanted(name))) {
        for Measure { name, what, value, unit, bound } in run() {
            let holds = bound.holds(value);
            all_hold &= holds;
            let bound = match bound {
                Bound::AtLeast(bound) => format!(">= {bound}"),
                Bound::AtMost(bound) => format!("<= {bound}"),
            };
            println!("{name:<18} {value:>12.1} {unit:<6} {bound:>14}  {what}{}", if holds { "" } else { "  MISSED" });
        }
    }
    if all_hold { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
