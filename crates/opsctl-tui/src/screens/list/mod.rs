//! Queues, services, databases, alarms and consumers of every environment: one list, a table of columns for each.

pub mod act;
pub mod column;
pub mod draw;
pub mod gaps;
pub mod listed;
pub mod rows;
pub mod screen;
pub mod sheet;
pub mod sort;
pub mod thing;
pub mod topics;
