//! Changes of an outbox's rows: replay, park, release. What differs is which rows are meant, what is done to them ([`Deed`]), and what a
//! plan has to say; selection, batches, before-images, resume and restore are the same.

mod choice;
pub mod engine;
#[cfg(test)]
mod engine_tests;
mod freed;
mod look;
mod park;
mod plan;
pub mod put_back;
mod relaying;
mod release;
mod replay;
mod side;
mod unmet;
mod words;

use crate::{
    domain::{Connection, Outbox, Refusal, RowState, Server},
    messages::RowFilter,
    operations::values::{BounceMax, Ramp, Seconds},
    outboxes::{Deed, sql::Selection},
};

pub use choice::Choice;
pub use look::filter_row;
pub use park::{Park, ParkState};
pub use plan::mapping_digest;
pub use release::Release;
pub use replay::{Replay, ReplayState};
pub use words::Words;

/// How long rows of a step are watched.
const WAIT: Seconds = Seconds(60);

/// What a run that changes rows needs.
#[derive(Debug)]
pub struct ToChange {
    pub target: Target,
    pub selection: Selection,
    pub filter: Option<RowFilter>,
    pub settings: engine::RowSettings,
    pub wait: Seconds,
    pub rows_estimate: u64,
    /// Why rows are set aside.
    pub reason: Option<String>,
}

/// What is written to, and nothing else.
#[derive(Debug, Clone)]
pub struct Target {
    pub outbox: Outbox,
    pub connection: Connection,
    /// The server that the plan saw.
    pub server: Server,
    /// Digest of the mapping as it fits the table.
    pub mapping: String,
    pub deed: Deed,
}

/// What is asked for, whichever operation asks.
struct Asked<'a> {
    /// The operation's name on the command line.
    name: &'static str,
    choice: Choice<'a>,
    /// States from which rows are meant; empty: as the deed has it.
    states: Vec<RowState>,
    way: Way,
    rate: Option<u32>,
    ramp: Option<Ramp>,
    max_failed: Option<BounceMax>,
    wait: Option<Seconds>,
}

/// What is to be done, before it is known how the mapping says that it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Replay,
    Park {
        /// Beside the outbox, also where the table has terms of its own.
        aside: bool,
    },
    Release {
        /// Also claims that have not run out.
        gone: bool,
    },
}

/// What is done, and to rows in which states; or why not.
type Settled = Result<(Deed, Vec<RowState>), Refusal>;

impl Way {
    /// How these rows are changed.
    fn settle(self, outbox: &Outbox, states: &[RowState]) -> Settled {
        match self {
            Self::Replay => replay::settle(&outbox.mapping, states),
            Self::Park { aside } => park::settle(&outbox.mapping, states, aside),
            Self::Release { gone } => release::settle(&outbox.mapping, gone),
        }
    }
}

fn refusal(because: impl Into<String>, instead: impl Into<String>) -> Refusal {
    Refusal { because: because.into(), instead: instead.into() }
}

/// An operation on rows: its own arguments stand behind those that say which rows are meant.
macro_rules! over_rows {
    ($(#[$about:meta])* $operation:ident { $($(#[$field:meta])* $name:ident: $type:ty,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize, clap::Args)]
        #[serde(default, deny_unknown_fields)]
        pub struct $operation {
            /// Outbox: its name in the configuration
            #[arg(
                long,
                value_name = "OUTBOX",
                required_unless_present = "resume",
                default_value = "",
                hide_default_value = true
            )]
            pub outbox: String,
            $($(#[$field])* pub $name: $type,)*
            /// Only the row with this id; may be given several times; the columns of an id are separated by commas
            #[arg(long, value_name = "ID")]
            pub id: Vec<String>,
            /// Only rows whose ids stand in this file: one a line, a list, JSON or a CSV column
            #[arg(long, value_name = "FILE")]
            pub ids: Option<std::path::PathBuf>,
            /// Only rows of this event type; may be given several times
            #[arg(long = "type", value_name = "TYPE")]
            pub kind: Vec<String>,
            /// Only rows of this group; may be given several times
            #[arg(long, value_name = "GROUP")]
            pub group: Vec<String>,
            /// Only rows for which this jq expression is true, `.error | test("timeout")` for instance, or the one in a file, as `file:PATH`
            #[arg(long = "where", value_name = "FILTER")]
            pub filter: Option<String>,
            /// Only rows created at or after this time, `2026-05-01T09:30:00Z`
            #[arg(long, value_name = "TIME")]
            pub from: Option<jiff::Timestamp>,
            /// Only rows created before this time
            #[arg(long, value_name = "TIME")]
            pub until: Option<jiff::Timestamp>,
            /// Only rows that are older than this
            #[arg(long, value_name = "TIME", conflicts_with = "until", value_parser = Seconds::between::<0, { u32::MAX }>)]
            pub older_than: Option<Seconds>,
            /// Only rows that are younger than this
            #[arg(long, value_name = "TIME", conflicts_with = "from", value_parser = Seconds::between::<0, { u32::MAX }>)]
            pub newer_than: Option<Seconds>,
            /// At most this many rows
            #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
            pub limit: Option<u64>,
            /// At most this many rows a second
            #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
            pub rate: Option<u32>,
        }

        impl $operation {
            fn choice(&self) -> $crate::operations::rows::Choice<'_> {
                $crate::operations::rows::Choice {
                    outbox: &self.outbox,
                    id: &self.id,
                    ids: self.ids.as_deref(),
                    kind: &self.kind,
                    group: &self.group,
                    filter: self.filter.as_deref(),
                    from: self.from,
                    until: self.until,
                    older_than: self.older_than,
                    newer_than: self.newer_than,
                    limit: self.limit,
                    holder: &[],
                    claim: None,
                }
            }
        }

        impl $crate::operations::Verb for $operation {
            fn subject(&self) -> &str {
                &self.outbox
            }

            fn subject_arguments(&self) -> &'static [&'static str] {
                &["outbox"]
            }

            fn counts(&self) -> $crate::operations::Counts {
                $crate::operations::Counts::Rows
            }

            fn ids(&self) -> Option<&std::path::Path> {
                self.ids.as_deref()
            }

            fn take_ids_from(&mut self, file: std::path::PathBuf) {
                self.ids = Some(file);
            }

            fn filter(&self) -> Option<&str> {
                self.filter.as_deref()
            }

            fn check_filter(&self) -> Result<(), $crate::messages::FilterError> {
                self.filter().map_or(Ok(()), |given| $crate::messages::RowFilter::open(given).map(drop))
            }

            fn limit(&self) -> Option<u64> {
                self.limit
            }

            fn left(&self, history: &$crate::journal::History) -> $crate::operations::Left {
                $crate::operations::Left::Messages { done: history.rows_done() }
            }

            fn plan<'a>(
                &'a self,
                cloud: &'a $crate::cloud::Cloud,
                planner: &'a $crate::operations::Planner,
            ) -> futures_util::future::BoxFuture<
                'a,
                Result<$crate::operations::Planned, $crate::operations::OperationError>,
            > {
                Box::pin(async move { $crate::operations::rows::plan::plan(&self.asked(), cloud, planner).await })
            }
        }
    };
}
use over_rows;
