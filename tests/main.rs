//! The only test binary.

mod cli;
mod config;
mod contract;
mod docs;
mod kill;
mod observe;
mod operations;
mod outboxes;
mod peers;
mod pictures;
mod requests;
mod runbooks;
mod sandbox;
mod scenarios;
mod served;
mod sql;
mod support;
mod tidy;
mod tui;
