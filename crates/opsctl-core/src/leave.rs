//! Leave to look at messages: a receive raises their receive counts, so a look is a change, and some messages may die of it.

use crate::domain::{Advice, Environment, Protection, Queue, Try};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoLeave {
    #[error("{environment} is read-only: nothing may change there")]
    ReadOnly { environment: String },
    /// Looking costs a receive, and this queue's messages have few.
    #[error("looking at {queue} may cost messages: after {receives_max} receives they move to its dead-letter queue")]
    LookKills {
        queue: String,
        /// After so many receives a message dies.
        receives_max: u32,
    },
}

impl NoLeave {
    pub fn hint(&self) -> Advice {
        match self {
            Self::ReadOnly { environment } => Try::ChangeProtection
                .says(format!("change `protection` of [environments.{environment}] in opsctl.toml, if that is wanted")),
            Self::LookKills { .. } => {
                Try::LookAtDeadLetters.says("look at its dead-letter queue instead, or insist with --force")
            }
        }
    }
}

/// Leave to receive messages for a look: it raises receive counts, so a read-only environment refuses it.
#[derive(Debug, Clone, Copy)]
pub struct Sampling(());

/// Leave to look at messages in this environment.
///
/// # Errors
/// [`NoLeave::ReadOnly`].
pub fn allow_sampling(environment: &Environment) -> Result<Sampling, NoLeave> {
    match environment.protection {
        Protection::ReadOnly => Err(NoLeave::ReadOnly { environment: environment.name.to_string() }),
        Protection::Confirm | Protection::TypeName => Ok(Sampling(())),
    }
}

/// A queue whose messages die after so few receives is not looked at unasked.
pub const RECEIVES_FEW: u32 = 5;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    No,
    /// Yes: they know that messages may die of it.
    Yes,
}

/// Leave to look at messages of this queue. A DLQ may have a redrive policy too, so it is the policy that counts.
///
/// # Errors
/// [`NoLeave::ReadOnly`], [`NoLeave::LookKills`].
pub fn allow_look(environment: &Environment, queue: &Queue, force: Force) -> Result<Sampling, NoLeave> {
    let leave = allow_sampling(environment)?;
    let few = queue.redrive.as_ref().map(|policy| policy.receives_max).filter(|receives| *receives <= RECEIVES_FEW);
    match (few, force) {
        (Some(receives_max), Force::No) => Err(NoLeave::LookKills { queue: queue.name.to_string(), receives_max }),
        (Some(_), Force::Yes) | (None, _) => Ok(leave),
    }
}
