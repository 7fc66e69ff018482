//! What screens are made of: text made to fit, tables, pages, frames, lines being typed. They know the state, and no screen.

pub mod areas;
pub mod filter;
pub mod fit;
pub mod json;
pub mod page;
pub mod sign;
pub mod spark;
pub mod table;
pub mod text;
pub mod theme;
pub mod words;

pub use self::{
    areas::areas,
    fit::{Align, cut, cut_middle, pad, spread, width, wrap},
    sign::busy_sign,
    table::{Cell, Cut, Shape, Table},
};
pub(crate) use self::{
    areas::{SMALLEST, boxed, is_too_small, popup},
    text::{Pointed, button, last_row, pointed, put, put_lines, put_right, put_rule, put_wrapped, within},
    words::{expires_seconds, is_soon, oldest_seconds},
};
