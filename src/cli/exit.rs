//! [`Exit`]: how the program ends, for scripts to act on.

use std::process::ExitCode;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// All done, or nothing to do.
    Done,
    Failed,
    /// The command line or the configuration is wrong.
    Usage,
    Refused,
    /// Some of it was done, or it is not known to be: the report says how to go on.
    Partly,
    /// The world changed since the plan was made; nothing was done.
    Stale,
    /// It was looked at, and something needs attention.
    Attention,
    /// A run of a runbook is open and waits for a person.
    Waiting,
    Interrupted,
    /// A migration's container ended with this code, which is not 0: see [`Exit::code`].
    Container(u8),
}

impl Exit {
    /// Every exit of opsctl's own, in the order of the codes.
    pub const ALL: [Self; 9] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::Refused,
        Self::Partly,
        Self::Stale,
        Self::Attention,
        Self::Waiting,
        Self::Interrupted,
    ];

    /// The exit status.
    ///
    /// A container's exit code passes as it is, but for those that would say something else of opsctl itself: 1 to 7 become 201 to
    /// 207, 130 becomes 230. So 1 to 7 and 130 always are opsctl's own word, and 137 (killed) or 143 (told to stop) stay what they are.
    /// A container that ends with 201 to 207 or 230 itself is told apart in the JSON report (`migration.exit_code`).
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::Partly => 4,
            Self::Stale => 5,
            Self::Attention => 6,
            Self::Waiting => 7,
            Self::Interrupted => 130,
            Self::Container(code @ (0..=7 | 130)) => 100 + code + if code == 130 { 0 } else { 100 },
            Self::Container(code) => code,
        }
    }

    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done, or nothing to do",
            Self::Failed => "failed",
            Self::Usage => "wrong command line or configuration",
            Self::Refused => "refused: protection, consent, another account, or a plan that cannot be carried out",
            Self::Partly => "partly done, or not known to be done: the report says how to go on",
            Self::Stale => "the plan went stale: the world changed, nothing was done",
            Self::Attention => "`status` found something that needs attention",
            Self::Waiting => "a runbook waits for a person: the report says for whom, and how to resume it",
            Self::Interrupted => "interrupted",
            Self::Container(_) => {
                "the exit code of the migration's container, its 1 to 7 as 201 to 207, its 130 as 230"
            }
        }
    }

    /// The table of exit codes, one a line.
    pub fn table() -> String {
        let line = |exit: Self| format!("  {:>3}  {}", exit.code(), exit.meaning());
        let container = format!("  other  {}", Self::Container(u8::MAX).meaning());
        format!("{}\n{container}", Self::ALL.map(line).join("\n"))
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
            (6, Exit::Attention),
            (7, Exit::Waiting),
            (130, Exit::Interrupted),
        ];
        assert_eq!(codes, pinned);
        assert_eq!(Exit::table().lines().count(), pinned.len() + 1);
    }

    #[test]
    fn a_container_never_speaks_for_opsctl() {
        for (container, code) in
            [(1, 201), (5, 205), (7, 207), (8, 8), (126, 126), (130, 230), (137, 137), (143, 143), (255, 255)]
        {
            assert_eq!(Exit::Container(container).code(), code, "{container}");
        }
        for container in 1..=u8::MAX {
            let code = Exit::Container(container).code();
            assert!(Exit::ALL.iter().all(|exit| exit.code() != code), "{container}");
        }
    }
}
