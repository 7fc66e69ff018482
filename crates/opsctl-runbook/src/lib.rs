//! Runbooks: a Markdown file that people read is also the procedure that runs.
//!
//! ```text
//! Markdown ──document──> blocks ──typed──> keys as written ──check──> Runbook ──run──> journal, report
//! ```

pub mod evidence;
mod kind;
pub mod things;

pub use evidence::{Evidence, EvidenceKind};
pub use kind::Kind;
#[expect(unused_imports, reason = "each is used once its part is there")]
pub(crate) use opsctl_core::{cloud, databases, files, gate, journal, leave, messages, observe, operations, run};
#[expect(unused_imports, reason = "each is used once its part is there")]
pub(crate) use opsctl_domain::{self as domain, clock};
