//! The console: what needs somebody, in every environment, in one terminal.
//!
//! ```text
//! terminal, watches, runs ──Event──> update(&mut Model) ──Effect──> perform ──Event──> ...
//!                                        view(&Model) ──> frame
//! ```
//!
//! [`update`] and [`view`] are pure; everything that waits or spawns stands in [`perform`].
//!
//! Three layers: [`state`] is plain data, [`widgets`] draw pieces of it, [`screens`] are the views. Above them lies what asks all
//! screens alike: update, view, title, footer, help, palette.

#[cfg(test)]
#[path = "../../opsctl-core/src/messages/testing.rs"]
pub mod testing;

pub mod able;
mod clouds;
mod console;
mod driver;
pub mod editor;
mod footer;
mod help;
mod inbox;
mod input;
mod navigate;
mod outside;
mod pace;
mod palette;
pub mod perform;
mod quitting;
mod run_events;
mod runbook_events;
pub mod screens;
pub mod state;
mod terminal;
mod title;
pub mod update;
pub mod view;
pub mod widgets;

use std::sync::Arc;

pub(crate) use opsctl_core::{
    cloud, databases, files, gate, journal, keymap, leave, messages, observe, operations, run,
};
pub(crate) use opsctl_domain::{self as domain, clock};
pub(crate) use opsctl_runbook as runbook;

use self::console::Console;
pub use self::outside::{ConsoleError, Outside, Reach};

/// Shows the console until the person leaves it.
///
/// # Errors
/// The terminal can't be used; a panic in one of its tasks.
pub async fn run(outside: Outside) -> Result<(), ConsoleError> {
    let console = Console::begin(&outside)?;
    console.live(Arc::new(outside)).await
}
