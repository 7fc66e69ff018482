//! opsctl: one terminal for what is wrong in every AWS account, and every way out of it.
//!
//! `ARCHITECTURE.md` is the map. Every change to the world goes one way:
//! [`operations::Operation`] -> [`plan::Plan`] -> [`gate::Approved`] -> [`run`] -> outcome, journalled.

pub mod cli;
pub mod clock;
pub mod cloud;
pub mod config;
pub mod databases;
pub mod doctor;
pub mod domain;
pub mod files;
pub mod gate;
pub mod journal;
pub mod keymap;
pub mod messages;
pub mod observe;
pub mod operations;
pub mod plan;
pub mod run;
pub mod sandbox;
pub mod tui;
