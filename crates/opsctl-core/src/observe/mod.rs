//! What is seen of the environments. Reads only.
//!
//! [`watch::Watch`] keeps a [`Snapshot`] of each environment fresh: [`schedule`] says what to ask and [`budget`] what that may
//! cost, the board keeps what came, and [`verdict`] says what of it needs somebody.

pub mod ages;
mod board;
pub mod budget;
pub mod cache;
pub mod estate;
pub mod focus;
pub mod pairing;
pub mod queues;
mod register;
pub mod schedule;
pub mod snapshot;
pub mod trend;
pub mod verdict;
pub mod watch;
pub mod words;

pub use estate::{DatabaseGauges, Estate, Lack, Part, SeenDatabase, SeenService};
pub use focus::{Focus, PartName};
pub use schedule::Policy;
pub use snapshot::{Listing, Oldest, Seen, Snapshot, Source, Spend, Trend};
pub use verdict::{Kind, Severity, Subject, Verdict};
pub use watch::{Open, Site, Watch};
