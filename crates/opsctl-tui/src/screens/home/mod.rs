//! Home: what needs somebody, worst first, in every environment.

pub mod acknowledge;
pub mod draw;
pub mod filtering;
pub mod places;
pub mod screen;
pub mod summary;
pub mod what;
