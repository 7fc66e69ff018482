//! What screens are made of: text made to fit, tables, pages, frames, lines being typed. They know the state, and no screen.

pub mod ages;
pub mod areas;
pub mod filter;
pub mod fit;
pub mod json;
pub mod page;
pub mod put;
pub mod sign;
pub mod spark;
pub mod table;
pub mod theme;
pub mod words;
