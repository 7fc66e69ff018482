//! Replays on real servers, beside a relay that works.

mod broken;
mod choosing;
mod desk;
mod killed;
mod relay;
mod whole;
