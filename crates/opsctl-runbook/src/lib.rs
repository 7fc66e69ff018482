//! Runbooks: a Markdown file that people read is also the procedure that runs.
//!
//! ```text
//! Markdown ──document──> blocks ──typed──> keys as written ──check──> Runbook ──run──> journal, report
//! ```

mod kind;

pub use kind::Kind;
pub(crate) use opsctl_core::{cloud, files, gate, journal, messages, observe, operations, run};
pub(crate) use opsctl_domain::{self as domain, clock};
