//! opsctl: one terminal for what is wrong in every AWS account, and every way out of it.
//!
//! `ARCHITECTURE.md` is the map. Every change to the world goes one way:
//! [`operations::Operation`] -> [`operations::plan::Plan`] -> [`gate::Approved`] -> [`run`] -> outcome, journalled.

pub mod cli;

pub use opsctl_core::{
    cloud, config, databases, doctor, files, gate, journal, keymap, leave, messages, observe, operations, outboxes, run,
};
pub use opsctl_domain::{self as domain, clock};
pub use opsctl_drill as drill;
pub use opsctl_runbook as runbook;
pub use opsctl_sandbox as sandbox;
pub use opsctl_tui as tui;
