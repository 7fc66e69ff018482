//! The console: what keys do, and what every screen looks like.

mod activity;
mod consent;
mod copied;
mod estate;
mod estate_keys;
mod flow;
mod frames;
mod home;
mod letters;
mod letters_again;
mod live;
mod message;
mod narrow;
mod outboxes;
mod overlays;
mod plans;
mod queues;
mod run;
mod runbook_live;
mod runbooks;
mod scaling;
pub(crate) mod scenes;
