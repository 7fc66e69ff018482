//! The engine that takes messages out of a queue without losing or doubling one: under redrive, parking and purge, and under restore,
//! where a snapshot is the queue.
//!
//! [`Engine`] does no I/O: [`Engine::next`] says what to do, [`Engine::on`] takes what came of it. Property tests drive it with
//! every fault; [`drive`] drives it against the cloud and the journal.

mod ages;
mod drive;
mod engine;
mod flow;
mod judge;
mod lane;
mod memory;
mod need;
mod pace;
mod settings;
mod source;
mod step;
mod tally;
#[cfg(test)]
mod tests;

pub use ages::{AGES_SECONDS, AgeWatch};
pub use drive::{DESTINATIONS_WATCHED_MAX, Ends, drive};
pub use engine::{Engine, VERIFIED_SECONDS};
pub use judge::{Destination, Judge, Park, Route};
pub(crate) use lane::{attempts_max, pause_after};
pub use need::Need;
pub use settings::{LANES_MAX, Resume, Settings};
pub use source::{Shelf, Shelved, Source};
pub use step::{Age, Answer, Counted, Judgement, LaneId, Next, Step};
pub use tally::{Ageing, Kept, Stop, Tally};
