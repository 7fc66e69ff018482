//! All that the console knows, as plain data: the model, the views, what lies over them. Nothing here draws, and nothing decides.

pub mod acknowledged;
pub mod cursor;
pub mod effect;
pub mod event;
pub mod field;
pub mod flow;
pub mod home;
pub mod letters;
pub mod list;
pub mod look;
pub mod message;
pub mod model;
pub mod palette;
pub mod run;
pub mod ticket;
pub mod view;
