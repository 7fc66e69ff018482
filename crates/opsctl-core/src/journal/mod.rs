//! The journal: append-only, hash-chained record of what a run intended, did and how it ended; write-ahead.
//!
//! A run has a folder of its own, `<state>/runs/<run id>/`, with `journal.jsonl`, `snapshot.jsonl` and a lock. Every line of the
//! journal carries in `prev` the SHA-256 of the line before it, so `sha256sum` and `jq` are enough to check it. Bodies stand in
//! the snapshot only, never in the journal; the journal has the hash of each of its lines. Beside the runs, `heads.jsonl` has where
//! each journal ended.

mod bounds;
mod check;
mod error;
mod folder;
mod forbidden;
mod heads;
mod history;
mod paused;
mod reader;
mod record;
mod rows;
mod sizes;
mod snapshot;
mod store;
mod turned_off;
mod words;
mod writer;

pub use bounds::{BoundsBefore, Moved};
pub use check::{Anchor, Damage, Snapshot, Verdict, check_snapshot, prove, verify};
pub use error::JournalError;
pub use folder::{Held, RunFolder, RunSummary, StateFolder};
pub use forbidden::{Forbidden, Forbids};
pub use heads::Heads;
pub use history::{Deployed, History, RowsBatch};
pub use paused::{Pause, Paused};
pub use reader::{Line, Lines};
pub use record::{Consented, Did, End, Entry, HeldBack, IntentMessage, Record, RowsOutcome, SentMessage};
pub use rows::{SavedBatch, SavedBatches, SavedRow};
pub use sizes::{Size, Sizes};
pub(crate) use snapshot::hash_of;
pub use snapshot::{Located, Saved, SavedLines};
pub use store::Remembered;
pub use turned_off::{TurnedOff, TurnedOffBy};
pub use writer::Journal;
