//! One message: what became of it, attributes, body.

pub mod document;
pub mod draw;
pub mod screen;
