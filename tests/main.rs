//! The only test binary.

mod config;
mod contract;
mod sandbox;
mod tidy;
