//! The console: what keys do, and what every screen looks like.

mod home;
mod overlays;
mod queues;
pub(crate) mod scenes;
