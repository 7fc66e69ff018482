//! Replays, parks and releases on real servers, beside a relay that works.

mod broken;
mod choosing;
mod claims;
mod desk;
mod gone;
mod killed;
mod parked;
mod relay;
mod whole;
