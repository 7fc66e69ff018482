//! The only test binary.

mod sandbox;
