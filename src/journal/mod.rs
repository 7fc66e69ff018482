//! The journal: append-only, hash-chained record of what a run intended, did and how it ended; write-ahead.
//!
//! A run has a folder of its own, `<state>/runs/<run id>/`, with `journal.jsonl`, `snapshot.jsonl` and a lock. Every line of the
//! journal carries in `prev` the SHA-256 of the line before it, so `sha256sum` and `jq` are enough to check it. Bodies stand in
//! the snapshot only, never in the journal.

mod error;
mod folder;
mod history;
mod paused;
mod reader;
mod record;
mod sizes;
mod snapshot;
mod words;
mod writer;

pub use error::JournalError;
pub use folder::{Held, RunFolder, RunSummary, StateFolder};
pub use history::History;
pub use paused::{Pause, Paused};
pub use reader::{Line, Lines, Verdict, verify};
pub use record::{Entry, IntentMessage, Record, SentMessage};
pub use sizes::{Size, Sizes};
pub use snapshot::{Saved, SavedLines};
pub use writer::Journal;
