//! Outboxes: how a mapping becomes the state of rows, and the statements that count, list, change and restore them.
//!
//! mapping ([`crate::domain::RowMapping`]) -> [`rules`] -> [`sql`]. Nothing here connects to a database: statements go out, rows come in.

pub mod bind;
pub mod catalog;
pub mod change;
pub mod condition;
pub mod detect;
mod gone;
pub mod look;
pub mod presets;
pub mod rules;
pub mod sql;
pub mod typed;

pub use catalog::{Catalog, CatalogColumn, ColumnSort, Misfit};
pub use change::{Deed, Manner, RowChange, beside};
pub use condition::RowCondition;
pub use gone::gone_now;
pub use presets::{Preset, preset};
pub use rules::Rules;
pub use sql::Sql;
