//! The gate: the only function that turns a [`Plan`] into [`Approved`]. Read-only, protection and consent are decided here, once.

use jiff::Timestamp;

use crate::{
    domain::{Environment, Protection, Queue, Text},
    plan::{Fingerprint, Plan},
};

/// Consent to exactly one plan. Only [`approve`] makes one.
#[derive(Debug, Clone)]
pub struct Approved {
    plan: Plan,
    consent: Consent,
    approved_at: Timestamp,
}

impl Approved {
    /// The plan consented to.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Who consented, how, why.
    pub fn consent(&self) -> &Consent {
        &self.consent
    }

    /// When.
    pub fn approved_at(&self) -> Timestamp {
        self.approved_at
    }
}

/// What a person (or the script that they wrote) said to a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Consent {
    /// Who, as far as the system tells.
    pub by: Text,
    /// The answer.
    pub answer: Answer,
    /// Why; required under `type-name`.
    pub reason: Option<Text>,
}

/// The answer itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Answer {
    /// None given.
    #[default]
    None,
    /// Yes: a key, `y` at the prompt, or `--yes`.
    Yes,
    /// Text typed at the prompt.
    Typed(String),
    /// A fingerprint given by `--approve`, as shown by an earlier plan.
    Fingerprint(String),
}

/// Why a plan was not approved. `Display` says what and because; [`Refusal::hint`] what to try.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The environment is read-only.
    #[error("{environment} is read-only: nothing may change there")]
    ReadOnly {
        /// Environment.
        environment: String,
    },
    /// The plan itself says that it can't be carried out.
    #[error("this can't be done: {}", .reasons.iter().map(Text::as_str).collect::<Vec<_>>().join("; "))]
    Blocked {
        /// Reasons.
        reasons: Vec<Text>,
    },
    /// The plan's text and its fingerprint do not belong together, or it was made for somewhere else.
    #[error("this plan is not sound: {because}")]
    Unsound {
        /// Reason.
        because: String,
    },
    /// Nobody said yes.
    #[error("nobody confirmed this plan for {environment} ({protection})")]
    NotConfirmed {
        /// Environment.
        environment: String,
        /// How strictly it asks.
        protection: Protection,
        /// What would be typed.
        phrase: String,
    },
    /// Something else was typed.
    #[error("what was typed is not `{phrase}`")]
    Mistyped {
        /// What would be typed.
        phrase: String,
    },
    /// Another plan was approved.
    #[error("the approved fingerprint is {given}, this plan's is {actual}: the world or the operation differs")]
    OtherPlan {
        /// What was given.
        given: Text,
        /// What the plan has.
        actual: Fingerprint,
    },
    /// No reason given.
    #[error("{environment} asks for a reason")]
    NoReason {
        /// Environment.
        environment: String,
    },
    /// Looking costs a receive, and this queue's messages have few.
    #[error("looking at {queue} may cost messages: after {receives_max} receives they move to its dead-letter queue")]
    LookKills {
        /// Queue.
        queue: String,
        /// After so many receives a message dies.
        receives_max: u32,
    },
    /// The environment has no account to check against.
    #[error("{environment} names no account: a write can't be checked against it")]
    NoAccount {
        /// Environment.
        environment: String,
    },
}

impl Refusal {
    /// What to try.
    pub fn hint(&self) -> String {
        match self {
            Self::ReadOnly { environment } => {
                format!("change `protection` of [environments.{environment}] in opsctl.toml, if that is wanted")
            }
            Self::Blocked { .. } => "see the plan's blockers: --dry-run shows them all".to_owned(),
            Self::Unsound { .. } => "make a new plan with --plan-out".to_owned(),
            Self::NotConfirmed { protection: Protection::TypeName, phrase, .. } => format!(
                "type `{phrase}` at the prompt, or give --approve <fingerprint> of a plan that was read, and --reason"
            ),
            Self::NotConfirmed { .. } => "give --yes, or run it in a terminal and answer".to_owned(),
            Self::Mistyped { .. } => "run it again and type the name as shown".to_owned(),
            Self::OtherPlan { .. } => "look at the new plan with --dry-run and approve its fingerprint".to_owned(),
            Self::NoReason { .. } => "say why with --reason \"...\"".to_owned(),
            Self::LookKills { .. } => "look at its dead-letter queue instead, or insist with --force".to_owned(),
            Self::NoAccount { environment } => format!("pin `account` in [environments.{environment}]"),
        }
    }
}

/// What is typed under `type-name`: environment and resource.
pub fn phrase(plan: &Plan) -> String {
    format!("{} {}", plan.environment, plan.resource)
}

/// What the environment asks of a person before this plan may run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// A yes.
    Yes,
    /// This text.
    Type(String),
}

/// What to ask, or why there is no use in asking.
pub fn ask(plan: &Plan, environment: &Environment) -> Result<Ask, Refusal> {
    refuse_in_any_case(plan, environment)?;
    Ok(match environment.protection {
        Protection::ReadOnly => return Err(Refusal::ReadOnly { environment: environment.name.to_string() }),
        Protection::Confirm => Ask::Yes,
        Protection::TypeName => Ask::Type(phrase(plan)),
    })
}

/// Turns a plan into consent to exactly that plan.
///
/// `read-only` refuses always. `confirm` takes a yes, the typed name or the plan's fingerprint. `type-name` takes the typed name
/// or the fingerprint (never a mere yes), and a reason.
///
/// # Errors
/// A [`Refusal`].
pub fn approve(
    plan: Plan,
    environment: &Environment,
    consent: Consent,
    approved_at: Timestamp,
) -> Result<Approved, Refusal> {
    let asked = ask(&plan, environment)?;
    let name = environment.name.to_string();
    match (&consent.answer, &asked) {
        (Answer::Yes, Ask::Yes) => {}
        (Answer::None, _) | (Answer::Yes, Ask::Type(_)) => {
            let (protection, phrase) = (environment.protection, phrase(&plan));
            return Err(Refusal::NotConfirmed { environment: name, protection, phrase });
        }
        (Answer::Typed(typed), _) if typed.trim() == phrase(&plan) => {}
        (Answer::Typed(_), _) => return Err(Refusal::Mistyped { phrase: phrase(&plan) }),
        (Answer::Fingerprint(given), _) if *given == plan.fingerprint.0 => {}
        (Answer::Fingerprint(given), _) => {
            return Err(Refusal::OtherPlan { given: Text::line(given), actual: plan.fingerprint });
        }
    }
    let reasoned = consent.reason.as_ref().is_some_and(|reason| !reason.as_str().trim().is_empty());
    if environment.protection == Protection::TypeName && !reasoned {
        return Err(Refusal::NoReason { environment: name });
    }
    Ok(Approved { plan, consent, approved_at })
}

fn refuse_in_any_case(plan: &Plan, environment: &Environment) -> Result<(), Refusal> {
    let name = environment.name.to_string();
    if environment.protection == Protection::ReadOnly {
        return Err(Refusal::ReadOnly { environment: name });
    }
    if plan.environment != environment.name {
        let because = format!("it was made for {}, not for {name}", plan.environment);
        return Err(Refusal::Unsound { because });
    }
    if !plan.is_sound() {
        return Err(Refusal::Unsound { because: "its fingerprint does not fit its text".to_owned() });
    }
    let Some(account) = &environment.account else { return Err(Refusal::NoAccount { environment: name }) };
    if *account != plan.account {
        let because = format!("it was made for account {}, and {name} is {account}", plan.account);
        return Err(Refusal::Unsound { because });
    }
    if !plan.blockers.is_empty() {
        return Err(Refusal::Blocked { reasons: plan.blockers.clone() });
    }
    Ok(())
}

/// Leave to receive messages for a look: it raises receive counts, so a read-only environment refuses it.
#[derive(Debug, Clone, Copy)]
pub struct Sampling(());

/// Leave to look at messages in this environment.
///
/// # Errors
/// [`Refusal::ReadOnly`].
pub fn allow_sampling(environment: &Environment) -> Result<Sampling, Refusal> {
    match environment.protection {
        Protection::ReadOnly => Err(Refusal::ReadOnly { environment: environment.name.to_string() }),
        Protection::Confirm | Protection::TypeName => Ok(Sampling(())),
    }
}

/// A queue whose messages die after so few receives is not looked at unasked.
pub const RECEIVES_FEW: u32 = 5;

/// Whether somebody insists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    /// No.
    No,
    /// Yes: they know that messages may die of it.
    Yes,
}

/// Leave to look at messages of this queue. A DLQ may have a redrive policy too, so it is the policy that counts.
///
/// # Errors
/// [`Refusal::ReadOnly`], [`Refusal::LookKills`].
pub fn allow_look(environment: &Environment, queue: &Queue, force: Force) -> Result<Sampling, Refusal> {
    let leave = allow_sampling(environment)?;
    let few = queue.redrive.as_ref().map(|policy| policy.receives_max).filter(|receives| *receives <= RECEIVES_FEW);
    match (few, force) {
        (Some(receives_max), Force::No) => Err(Refusal::LookKills { queue: queue.name.to_string(), receives_max }),
        (Some(_), Force::Yes) | (None, _) => Ok(leave),
    }
}
