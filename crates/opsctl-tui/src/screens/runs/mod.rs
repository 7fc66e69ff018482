//! Runs: the list of them, the view of one, what can be done with it.

pub mod activity;
pub mod run_page;
pub mod run_steps;
pub mod run_view;
pub mod verbs;
