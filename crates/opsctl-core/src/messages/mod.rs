//! What can be said about messages without asking AWS: which fit a filter, how they are edited, what they have in
//! common, where they come from, and how they are shown.
//!
//! Bodies are outside data: nothing here trusts them, and every cost is bounded.

pub mod condition;
pub mod decode;
pub mod edit;
pub mod envelopes;
pub mod filter;
pub mod groups;
pub mod json;
pub mod origin;
mod row_filter;
pub mod shorten;

mod jq;
mod jq_check;
mod jq_failures;
mod jq_marks;
mod jq_needs;
mod jq_words;
mod program;
#[cfg(test)]
pub mod testing;

pub use condition::{Condition, Figure, Judged};
pub use edit::{EditError, Editor};
pub use envelopes::Opened;
pub use filter::Filter;
pub use groups::{Group, Groups};
pub use jq::FilterError;
pub use origin::Origin;
pub use program::split_words;
pub use row_filter::{FilterRow, RowFilter};
