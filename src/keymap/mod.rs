//! Keys: files that bind them to [`Command`]s, and what a key means in a view.

pub mod command;

pub use command::{Command, Scope};
