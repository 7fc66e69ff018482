//! [`Exit`]: how the program ends, for scripts to act on.

use std::process::ExitCode;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// All done, or nothing to do.
    Done,
    /// It failed.
    Failed,
    /// The command line or the configuration is wrong.
    Usage,
    /// The gate refused.
    Refused,
    /// Some of it was done; it is safe to run it again.
    Partly,
    /// The world changed since the plan was made; nothing was done.
    Stale,
    /// Interrupted.
    Interrupted,
}

impl Exit {
    /// Every exit, in the order of the codes.
    pub const ALL: [Self; 7] =
        [Self::Done, Self::Failed, Self::Usage, Self::Refused, Self::Partly, Self::Stale, Self::Interrupted];

    /// The exit status.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::Partly => 4,
            Self::Stale => 5,
            Self::Interrupted => 130,
        }
    }

    /// What it means, for help and documents.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done, or nothing to do",
            Self::Failed => "failed",
            Self::Usage => "wrong command line or configuration",
            Self::Refused => "refused: protection, consent or a plan that cannot be carried out",
            Self::Partly => "partly done; safe to run again",
            Self::Stale => "the plan went stale: the world changed, nothing was done",
            Self::Interrupted => "interrupted",
        }
    }

    /// The table of exit codes, one a line.
    pub fn table() -> String {
        let line = |exit: Self| format!("  {:>3}  {}", exit.code(), exit.meaning());
        Self::ALL.map(line).join("\n")
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_depend_on_these_codes() {
        let codes = Exit::ALL.map(|exit| (exit.code(), exit));
        let pinned = [
            (0, Exit::Done),
            (1, Exit::Failed),
            (2, Exit::Usage),
            (3, Exit::Refused),
            (4, Exit::Partly),
            (5, Exit::Stale),
            (130, Exit::Interrupted),
        ];
        assert_eq!(codes, pinned);
        assert_eq!(Exit::table().lines().count(), pinned.len());
    }
}
