//! What opsctl knows and does, without a terminal: from AWS in our types to operations, plans, consent and runs.

pub mod cloud;
pub mod config;
pub mod databases;
pub mod doctor;
pub mod files;
pub mod gate;
pub mod journal;
pub mod keymap;
pub mod leave;
pub mod messages;
pub mod observe;
pub mod operations;
pub mod outboxes;

pub mod run;

pub use opsctl_domain::{self as domain, clock};
