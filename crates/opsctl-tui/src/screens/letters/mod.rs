//! A queue's dead letters: failure groups first, then messages.

pub mod choose;
pub mod columns;
pub mod diff;
pub mod digest;
pub mod draw;
pub mod edits;
pub mod filter;
pub mod group_list;
pub mod looks;
pub mod message_list;
pub mod places;
pub mod rows;
pub mod screen;
