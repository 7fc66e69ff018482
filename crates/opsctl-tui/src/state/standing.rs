//! [`Standing`]: how an environment stands: reached, waited for, dead.

use super::look::Role;
use crate::domain::Text;

/// How an environment stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub role: Role,
    pub words: String,
    /// Whether something is being asked for that is not there yet.
    pub busy: bool,
    /// Whether nobody can be asked before somebody has done something.
    pub needs: Needs,
}

/// What an environment needs from somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Needs {
    Nothing,
    /// Credentials: this is what to do.
    Credentials(Text),
    /// It is not reached: this is what to try.
    Reaching(Text),
}
