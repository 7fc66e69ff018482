//! Home: what needs somebody, worst first, in every environment.

pub mod acknowledge;
pub mod draw;
pub mod screen;
pub mod what;
