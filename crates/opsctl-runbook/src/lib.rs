//! Runbooks: a Markdown file that people read is also the procedure that runs.
//!
//! ```text
//! Markdown ──document──> blocks ──typed──> keys as written ──check──> Runbook ──drive──> journal, report
//! ```

mod check;
pub mod course;
pub mod document;
pub mod drive;
pub mod evidence;
pub mod export;
pub mod held;
mod kind;
pub mod lint;
pub mod preview;
mod runbook;
pub mod shelf;
pub mod show;
mod template;
pub mod things;
pub mod typed;

pub use check::{Checked, check};
pub use course::{Course, Decision, Next, StepEvent, StepState};
pub use evidence::{Evidence, EvidenceKind};
pub use kind::Kind;
pub use runbook::{Action, Ask, Change, Check, Origin, Parameter, Repeat, Runbook, Step, Wait};
pub use template::{Template, Unfilled, Values};

pub(crate) use opsctl_core::{cloud, databases, files, gate, journal, leave, messages, observe, operations, run};
pub(crate) use opsctl_domain::{self as domain, clock};
