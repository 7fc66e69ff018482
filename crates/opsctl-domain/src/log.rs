//! Lines of a log.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Text;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When it was written, as the program's log driver said it.
    pub at: Timestamp,
    pub text: Text,
}
