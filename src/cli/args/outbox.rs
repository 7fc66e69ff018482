//! What outboxes are asked for.

use clap::{
    Args, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser as _},
};

use clap_complete::engine::ArgValueCompleter;

use super::change::{Change, OfOutboxes};
use crate::{cli::complete, domain::RowState};

/// `outbox`.
#[derive(Debug, Clone, Subcommand)]
pub enum Outbox {
    /// List the outboxes of every environment: rows that wait, rows that failed, whether the relay runs
    List(ListOutboxes),
    /// Show one outbox, its rows, or one row with its payload
    Show(ShowOutbox),
    /// Find outboxes by what databases' catalogs say, and print how to configure them; wakes a paused database
    Detect(DetectOutboxes),
    #[command(flatten)]
    Change(Change<OfOutboxes>),
}

/// Options of `outbox list`.
#[derive(Debug, Clone, Default, Args)]
pub struct ListOutboxes {
    /// List only outboxes whose names match this pattern; `*` stands for anything
    #[arg(value_name = "PATTERN", add = ArgValueCompleter::new(complete::outboxes))]
    pub pattern: Option<String>,
}

/// Options of `outbox show`.
#[derive(Debug, Clone, Args)]
pub struct ShowOutbox {
    /// Outbox: its name in the configuration
    #[arg(value_name = "OUTBOX", add = ArgValueCompleter::new(complete::outboxes))]
    pub outbox: String,
    /// List rows in this state, oldest first
    #[arg(long, value_parser = PossibleValuesParser::new(RowState::NAMES).try_map(|name| name.parse::<RowState>()), value_name = "STATE")]
    pub rows: Option<RowState>,
    /// List this many rows at most
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20, requires = "rows", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub limit: u32,
    /// Show this row with its payload; an id of several columns is separated by commas
    #[arg(long, value_name = "ID", conflicts_with = "rows")]
    pub row: Option<String>,
    /// Show the payload whole, and what looks like a secret too
    #[arg(long, requires = "row")]
    pub full: bool,
}

/// Options of `outbox detect`.
#[derive(Debug, Clone, Default, Args)]
pub struct DetectOutboxes {
    /// Look only through connections that lead to this database; `*` stands for anything
    #[arg(long, value_name = "PATTERN")]
    pub database: Option<String>,
    /// Look only through this connection
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(complete::connections))]
    pub connection: Option<String>,
    /// Look only at tables of this schema, or of this database of MySQL
    #[arg(long, value_name = "NAME")]
    pub schema: Option<String>,
    /// Read rows, too: which values a status has in the newest 10,000 rows, and names of members in 20 payloads, never what they hold
    #[arg(long)]
    pub sample: bool,
}
