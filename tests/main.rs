//! The only test binary.

mod cli;
mod config;
mod contract;
mod docs;
mod operations;
mod peers;
mod sandbox;
mod scenarios;
mod support;
mod tidy;
