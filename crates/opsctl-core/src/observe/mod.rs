//! What is seen of the environments. Reads only.
//!
//! [`watch::Watch`] keeps a [`Snapshot`] of each environment fresh: [`schedule`] says what to ask and [`budget`] what that may
//! cost, the board keeps what came, and [`verdict`] says what of it needs somebody. What there is beside queues is in [`parts`].

pub mod acknowledged;
mod board;
pub mod budget;
pub mod cache;
pub mod estate;
pub mod focus;
pub mod leaving;
pub mod once;
pub mod pairing;
pub mod parts;
pub mod queues;
mod register;
pub mod schedule;
pub mod snapshot;
pub mod trend;
pub mod verdict;
pub mod watch;

pub use estate::{Known, Lack, Part, Unknown};
pub use focus::Focus;
pub use leaving::Leaving;
pub use once::{Once, Scope, Wanted, once};
pub use parts::{Estate, Look, PartName, databases::SeenDatabase, outboxes::Relaying, services::SeenService};
pub use schedule::Policy;
pub use snapshot::{Listing, Oldest, Seen, Snapshot, Source, Spend, Trend};
pub use verdict::{Kind, Severity, Subject, Verdict};
pub use watch::{Open, Site, Watch};

pub use crate::domain::{DatabaseGauges, words};
