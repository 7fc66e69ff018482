//! What is seen of the environments. Reads only.

pub mod ages;
pub mod queues;
pub mod snapshot;
pub mod verdict;

pub use snapshot::{Listing, Oldest, Seen, Snapshot, Source, Spend, Trend};
pub use verdict::{Kind, Severity, Subject, Verdict};
