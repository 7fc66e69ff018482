//! Outboxes on real servers: every preset's states, replay and restore; any name; any row.

mod case;
mod detect;
mod home;
mod large;
mod mysql;
mod parking;
mod postgres;
mod properties;
mod rows;
mod server;
mod speed;
mod tables;
mod upkeep;
