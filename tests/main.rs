//! The only test binary.

mod config;
mod sandbox;
