//! What drills are asked for.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};
use clap_complete::engine::ArgValueCompleter;

use crate::{cli::complete, domain::RunId};

/// `drill`.
#[derive(Debug, Clone, Subcommand)]
pub enum Drill {
    /// List drills, and the one whose runbook was not rehearsed for longest
    List(ListDrills),
    /// Show what players are told before a drill, or with --truth what is really wrong
    Show(ShowDrill),
    /// Find every mistake in a drill
    Check(CheckDrill),
    /// Write a drill to begin with, or one made from a run of yours
    New(NewDrill),
    /// Play a drill: it opens the console on a sandbox of its own, which other terminals join
    Run(RunDrill),
    /// Lead or play the drill that runs: where it stands, hints, injects, the end
    Control(ControlDrill),
    /// Show the report of a drill that was played
    Report(ReportDrill),
    /// Let scripted players play drills, as the files beside them say, `NAME.players.toml`; minutes pass at once
    Test(TestDrill),
    /// Print the JSON Schema of a drill's file, for editors
    Schema,
}

/// Options of `drill list`.
#[derive(Debug, Clone, Default, Args)]
pub struct ListDrills {}

/// Options of `drill show`.
#[derive(Debug, Clone, Args)]
pub struct ShowDrill {
    /// Drill: name or file
    #[arg(value_name = "DRILL", add = ArgValueCompleter::new(complete::drills))]
    pub drill: String,
    /// Show causes, injects and hints as well: for facilitators
    #[arg(long)]
    pub truth: bool,
}

/// Options of `drill check`.
#[derive(Debug, Clone, Args)]
pub struct CheckDrill {
    /// Drill: name or file; none: every drill
    #[arg(value_name = "DRILL", add = ArgValueCompleter::new(complete::drills))]
    pub drill: Vec<String>,
}

/// Options of `drill new`.
#[derive(Debug, Clone, Args)]
pub struct NewDrill {
    /// File to write, `slow-orders.toml` for instance
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Make it from this run: what it was about becomes the incident, with names of the sandbox
    #[arg(long, value_name = "RUN", add = ArgValueCompleter::new(complete::runs))]
    pub from: Option<RunId>,
    /// Replace the file where it exists
    #[arg(long)]
    pub force: bool,
}

/// Options of `drill run`.
#[derive(Debug, Clone, Args)]
pub struct RunDrill {
    /// Drill: name or file
    #[arg(value_name = "DRILL", add = ArgValueCompleter::new(complete::drills))]
    pub drill: String,
    /// Choose the incident: the same seed makes the same world and picks the same cause; none: any
    #[arg(long)]
    pub seed: Option<u64>,
    /// Let this be wrong, whatever the seed picks: for facilitators
    #[arg(long, value_name = "NAME")]
    pub cause: Option<String>,
    /// Let the drill's clock run this many times as fast as real time
    #[arg(long, default_value_t = 1.0, value_parser = crate::sandbox::serve::speed)]
    pub speed: f64,
    /// Listen on this port of 127.0.0.1; 0 picks a free one
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// Do not open the console here: players are in other terminals
    #[arg(long)]
    pub serve: bool,
}

/// Options of `drill control`.
#[derive(Debug, Clone, Args)]
pub struct ControlDrill {
    /// What to do; nothing: show how it stands, with what is really wrong
    #[command(subcommand)]
    pub order: Option<DrillOrder>,
}

/// What to do with the drill that runs.
#[derive(Debug, Clone, Subcommand)]
pub enum DrillOrder {
    /// Show how it stands, without what players have to find out
    Status,
    /// Show the next hint, which costs points
    Hint,
    /// Say that the incident is over
    Over,
    /// Note something in the record
    Note {
        /// What
        #[arg(value_name = "TEXT")]
        text: String,
    },
    /// Let the next inject happen now
    Next,
    /// Leave out an inject
    Skip {
        /// Name of the inject
        #[arg(value_name = "INJECT")]
        inject: String,
    },
    /// Let an inject happen later
    Delay {
        /// Name of the inject
        #[arg(value_name = "INJECT")]
        inject: String,
        /// By how much, `5m`
        #[arg(long, value_name = "TIME")]
        by: crate::operations::values::Seconds,
    },
    /// Let happen what is kept back for those to whom the drill is too easy
    Harder,
    /// End the drill
    Stop,
}

/// Options of `drill report`.
#[derive(Debug, Clone, Args)]
pub struct ReportDrill {
    /// Record of a drill that was played; none: the last one
    #[arg(value_name = "RECORD")]
    pub record: Option<String>,
    /// Write it in this form
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    pub form: ReportForm,
    /// Write it to this file instead of standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
    /// Replace the file of --out where it exists
    #[arg(long, requires = "out")]
    pub force: bool,
    /// Compare it with your earlier ones of the same drill
    #[arg(long, conflicts_with_all = ["form", "out"])]
    pub compare: bool,
    /// List what was played instead
    #[arg(long, conflicts_with_all = ["record", "form", "out", "compare"])]
    pub list: bool,
}

/// Form of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ReportForm {
    /// Markdown
    #[default]
    Markdown,
    /// One HTML file with the timeline drawn
    Html,
    /// For CI
    Junit,
}

/// Options of `drill test`.
#[derive(Debug, Clone, Args)]
pub struct TestDrill {
    /// Drill: name or file; none: every drill that has players
    #[arg(value_name = "DRILL", add = ArgValueCompleter::new(complete::drills))]
    pub drill: Vec<String>,
    /// Let this player play only
    #[arg(long, value_name = "NAME")]
    pub player: Option<String>,
    /// Show what the players' commands print
    #[arg(long)]
    pub show: bool,
}
