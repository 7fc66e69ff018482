//! Drills: an incident on the sandbox, played with the real tool, and scored.
//!
//! ```text
//! drills/*.toml ──typed, check──> Scenario ──live──> Course: events ──record──> score, report
//! ```

pub mod check;
pub mod control;
pub mod course;
pub mod event;
pub mod live;
mod look;
pub mod record;
pub mod report;
pub mod scenario;
pub mod score;
pub mod shelf;
pub mod typed;

pub use check::{Checked, check, recall};
pub use control::{Answer, Order};
pub use course::Course;
pub use event::{Ended, Event, Stamped};
pub use live::{Live, Stage};
pub use record::Tape;
pub use scenario::{Cause, Goal, Hint, Inject, Leftover, Pattern, Scenario, Thing};
pub use score::{Loss, Part, Score, score};

pub(crate) use opsctl_core::{cloud, files, journal, messages};
pub(crate) use opsctl_domain::{self as domain, clock};
pub(crate) use opsctl_runbook as runbook;
pub(crate) use opsctl_sandbox as sandbox;
