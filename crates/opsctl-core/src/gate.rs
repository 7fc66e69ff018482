//! The gate: the only function that turns a [`Plan`] into [`Approved`]. Read-only, protection and consent are decided here, once.

use jiff::Timestamp;

use crate::{
    domain::{Advice, Environment, Protection, RunId, Text, Try},
    operations::plan::{Fingerprint, Plan, Remark},
};

/// A plan in a file is good for so long: the world and the reasons for it change.
pub const PLAN_FILE_SECONDS_MAX: i64 = 24 * 3_600;
/// By so much the clock of the machine that made a plan may be ahead.
const CLOCKS_DIFFER_SECONDS_MAX: i64 = 600;

/// Consent to exactly one plan. Only [`approve`] makes one.
#[derive(Debug, Clone)]
pub struct Approved {
    plan: Plan,
    consent: Consent,
    approved_at: Timestamp,
    is_again: bool,
}

impl Approved {
    /// Consent to carry the plan out although an earlier run has used it: `--again`.
    #[must_use]
    pub fn again(self) -> Self {
        Self { is_again: true, ..self }
    }

    /// Whether somebody said that an earlier run may have used this plan.
    pub fn is_again(&self) -> bool {
        self.is_again
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    pub fn consent(&self) -> &Consent {
        &self.consent
    }

    pub fn approved_at(&self) -> Timestamp {
        self.approved_at
    }
}

/// What a person (or the script that they wrote) said to a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Consent {
    /// Who, as far as the system tells.
    pub by: Text,
    pub answer: Answer,
    /// Why; required under `type-name`.
    pub reason: Option<Text>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Answer {
    #[default]
    None,
    /// Yes: a key, `y` at the prompt, or `--yes`.
    Yes,
    Typed(String),
    /// A fingerprint given by `--approve`, as shown by an earlier plan.
    Fingerprint(String),
}

/// Why a plan was not approved. `Display` says what and because; [`Refusal::hint`] what to try.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{environment} is read-only: nothing may change there")]
    ReadOnly { environment: String },
    /// The plan itself says that it can't be carried out.
    #[error("this can't be done: {}", in_words(.reasons))]
    Blocked { reasons: Vec<Remark> },
    /// The plan's text and its fingerprint do not belong together, or it was made for somewhere else.
    #[error("this plan is not sound: {because}")]
    Unsound { because: String },
    #[error("nobody confirmed this plan for {environment} ({protection})")]
    NotConfirmed { environment: String, protection: Protection, phrase: String },
    #[error("what was typed is not `{phrase}`")]
    Mistyped { phrase: String },
    #[error("the approved fingerprint is {given}, this plan's is {actual}: the world or the operation differs")]
    OtherPlan { given: Text, actual: Fingerprint },
    #[error("{environment} asks for a reason")]
    NoReason { environment: String },
    #[error("this {what} was used already, by run {run}", what = .consent.name())]
    Used {
        consent: Once,
        run: RunId,
        /// The command that goes on with it.
        resume: String,
    },
    #[error("this plan was made at {made_at}, {} h ago, and a plan in a file is good for {} h", .age_seconds / 3_600, PLAN_FILE_SECONDS_MAX / 3_600)]
    Expired { made_at: Timestamp, age_seconds: u64 },
    #[error("{environment} names no account: a write can't be checked against it")]
    NoAccount { environment: String },
}

/// What is used once: one look at a plan is consent to one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Once {
    Plan,
    /// A fingerprint that was given by `--approve`.
    Fingerprint,
}

impl Once {
    fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Fingerprint => "approval",
        }
    }
}

/// What helps against one reason is the hint; of several it stands with each.
fn in_words(reasons: &[Remark]) -> String {
    match reasons {
        [only] => only.what().to_owned(),
        several => several.iter().map(Remark::as_str).collect::<Vec<_>>().join("; "),
    }
}

impl Refusal {
    pub fn hint(&self) -> Advice {
        match self {
            Self::ReadOnly { environment } => Try::ChangeProtection
                .says(format!("change `protection` of [environments.{environment}] in opsctl.toml, if that is wanted")),
            Self::Blocked { reasons } => match reasons.as_slice() {
                [only] => only.advice().cloned().unwrap_or_else(|| {
                    Try::MendBlockers.says("it can be done once that has changed: --dry-run shows whether it has")
                }),
                _ => Try::MendBlockers.says("see the plan's blockers: --dry-run shows them all"),
            },
            Self::Unsound { .. } => Try::PlanAnew.says("make a new plan with --plan-out"),
            Self::NotConfirmed { protection: Protection::TypeName, phrase, .. } if phrase.is_empty() => Try::Confirm
                .says("answer at the prompt, or give --approve <fingerprint> of a plan that was read, and --reason"),
            Self::NotConfirmed { protection: Protection::TypeName, phrase, .. } => Try::Confirm.says(format!(
                "type `{phrase}` at the prompt, or give --approve <fingerprint> of a plan that was read, and --reason"
            )),
            Self::NotConfirmed { .. } => Try::Confirm.says("give --yes, or run it in a terminal and answer"),
            Self::Mistyped { .. } => Try::TypeTheName.says("run it again and type the name as shown"),
            Self::OtherPlan { .. } => {
                Try::ApproveThis.says("look at the new plan with --dry-run and approve its fingerprint")
            }
            Self::NoReason { .. } => Try::GiveReason.says("say why with --reason \"...\""),
            Self::Used { consent: Once::Plan, resume, .. } => Try::ResumeOrRepeat.says(format!(
                "`{resume}` does what that run left; --again carries the plan out once more, as a new run"
            )),
            Self::Used { consent: Once::Fingerprint, resume, .. } => Try::ResumeOrRepeat.says(format!(
                "`{resume}` does what that run left; to do it once more, answer at the prompt, or write a plan with --plan-out and \
                 apply that"
            )),
            Self::Expired { .. } => Try::PlanAnew.says("make a new plan with --plan-out and look at it"),
            Self::NoAccount { environment } => {
                Try::Configure.says(format!("pin `account` in [environments.{environment}]"))
            }
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
    Yes,
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

/// Refuses what can be known to be refused before there is a plan, so that nothing is received or asked for in vain. `named` is
/// what the operation calls its resource, where that is what would be typed; `answer` none: a person will be asked.
///
/// # Errors
/// The [`Refusal`] that [`approve`] would give whatever the plan says.
pub fn foresee(
    environment: &Environment,
    named: Option<&str>,
    answer: Option<&Answer>,
    reason: Option<&Text>,
) -> Result<(), Refusal> {
    let name = environment.name.to_string();
    let protection = environment.protection;
    if environment.account.is_none() && protection != Protection::ReadOnly {
        return Err(Refusal::NoAccount { environment: name });
    }
    let phrase = || named.map(|named| format!("{name} {}", Text::line(named))).unwrap_or_default();
    match (protection, answer) {
        (Protection::ReadOnly, _) => Err(Refusal::ReadOnly { environment: name }),
        (Protection::TypeName, Some(Answer::Yes)) => {
            let phrase = phrase();
            Err(Refusal::NotConfirmed { environment: name, protection, phrase })
        }
        (Protection::TypeName, Some(Answer::Fingerprint(_))) if !is_reason(reason) => {
            Err(Refusal::NoReason { environment: name })
        }
        // Who gave no answer wants to see the plan.
        (Protection::Confirm, _)
        | (Protection::TypeName, Some(Answer::None | Answer::Typed(_) | Answer::Fingerprint(_)) | None) => Ok(()),
    }
}

fn is_reason(reason: Option<&Text>) -> bool {
    reason.is_some_and(|reason| !reason.as_str().trim().is_empty())
}

/// Whether a plan that was read from a file is one that may be carried out now: whole as it was written, of this environment, and
/// not too old. Whether a run has used it already, the journals say.
///
/// # Errors
/// [`Refusal::Unsound`], [`Refusal::Expired`].
pub fn accept_file(plan: &Plan, environment: &Environment, now: Timestamp) -> Result<(), Refusal> {
    let unsound = |because: &str| Err(Refusal::Unsound { because: Text::line(because).to_string() });
    if !plan.is_sound() || plan.seal != plan.seal_of() {
        return unsound("its fingerprint does not fit its text");
    }
    if plan.environment != environment.name {
        return unsound(&format!("it was made for {}, not for {}", plan.environment, environment.name));
    }
    let age_seconds = now.duration_since(plan.made_at).as_secs();
    if age_seconds < -CLOCKS_DIFFER_SECONDS_MAX {
        return unsound(&format!("it was made at {}, which is in the future: a clock is wrong", plan.made_at));
    }
    if age_seconds > PLAN_FILE_SECONDS_MAX {
        return Err(Refusal::Expired { made_at: plan.made_at, age_seconds: age_seconds.unsigned_abs() });
    }
    Ok(())
}

/// Turns a plan into consent to exactly that plan.
///
/// `read-only` refuses always. `confirm` takes a yes, the typed name or the plan's fingerprint. `type-name` takes the typed name
/// or the fingerprint (never a mere yes), and a reason.
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
    if environment.protection == Protection::TypeName && !is_reason(consent.reason.as_ref()) {
        return Err(Refusal::NoReason { environment: name });
    }
    Ok(Approved { plan, consent, approved_at, is_again: false })
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
