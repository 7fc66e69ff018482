//! What alarms are asked for.

use clap::{Args, Subcommand, ValueEnum};

use super::change::{Change, OfAlarms};
use crate::domain::AlarmState;

/// `alarms`.
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Alarms {
    /// What to do; nothing: list them.
    #[command(subcommand)]
    pub command: Option<AlarmsCommand>,
    /// Which ones.
    #[command(flatten)]
    pub list: ListAlarms,
}

/// What to do with alarms.
#[derive(Debug, Clone, Subcommand)]
pub enum AlarmsCommand {
    /// List CloudWatch alarms, or show what one went through
    List(ListAlarms),
    #[command(flatten)]
    Change(Change<OfAlarms>),
}

/// Options of `alarms list`.
#[derive(Debug, Clone, Default, Args)]
pub struct ListAlarms {
    /// List only alarms whose names match this pattern; `*` stands for anything
    #[arg(value_name = "PATTERN")]
    pub pattern: Option<String>,
    /// List only alarms in this state: alarm, no-data or ok; may be given more than once
    #[arg(long = "state", value_enum, value_name = "STATE", hide_possible_values = true)]
    pub states: Vec<State>,
    /// Show what this alarm went through, newest first
    #[arg(long, value_name = "NAME", conflicts_with_all = ["pattern", "states"])]
    pub history: Option<String>,
}

/// A state, as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum State {
    /// The threshold is crossed
    Alarm,
    /// CloudWatch can't tell
    NoData,
    /// Within the threshold
    Ok,
}

impl State {
    /// The state that it stands for.
    pub fn state(self) -> AlarmState {
        match self {
            Self::Alarm => AlarmState::Alarm,
            Self::NoData => AlarmState::InsufficientData,
            Self::Ok => AlarmState::Ok,
        }
    }
}
