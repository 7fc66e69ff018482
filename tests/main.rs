//! The only test binary.

mod config;
mod contract;
mod docs;
mod sandbox;
mod tidy;
