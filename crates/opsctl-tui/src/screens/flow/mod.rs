//! An operation on its way from a key to consent.

pub mod draw;
pub mod keys;
pub mod options;
pub mod options_draw;
pub mod planning;
