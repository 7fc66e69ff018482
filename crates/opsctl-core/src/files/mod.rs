//! How files that people write are read: [`shape`] compares them with types and reports all mistakes at once, [`problem`] shows
//! each mistake with the text underlined, [`spot`] keeps where a value stood. And how files that people name are written: [`output`].

pub mod output;
pub mod problem;
pub mod shape;
pub mod spot;

pub use problem::{Paint, Problem, Problems, Severity};
pub use spot::Spot;
