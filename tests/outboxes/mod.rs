//! Outboxes on real servers: every preset's states, replay and restore; any name; any row.

mod case;
mod detect;
mod mysql;
mod postgres;
mod properties;
mod replay;
mod server;
mod speed;
mod tables;
