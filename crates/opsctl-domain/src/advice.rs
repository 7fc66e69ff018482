//! [`Advice`]: what a person can do next, where something did not work.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize};

use crate::Text;

/// Where an advice leads. No text is shown after `try:` without one, and the tests in `tests/cli/advice` try each in the world that
/// gives it: a way more does not compile there without its case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, strum::VariantArray, strum::EnumString)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Try {
    /// Nothing was named: what to name.
    NameIt,
    /// What was named is not there: what is.
    NameAnother,
    /// Several are meant by the name: each by its own.
    NameOne,
    /// How the value is written.
    WriteItSo,
    /// It is another environment's.
    ChooseEnvironment,
    /// Leave an argument out that does not fit.
    LeaveOut,
    /// Another value, or one argument more.
    GiveOther,
    /// The help of the command has what can be given.
    SeeHelp,
    /// Another operation or command does it.
    UseOther,
    /// Something of opsctl.toml is to be written or corrected.
    Configure,
    /// A setting at AWS is in the way.
    ChangeSetting,
    /// A file that was given is to be corrected, or another one given.
    MendFile,
    /// A variable of the shell is to be set or unset.
    SetVariable,
    /// It needs a terminal, or another form of output.
    UseTerminal,
    /// The environment's protection does not allow it.
    ChangeProtection,
    /// The plan says what speaks against it.
    MendBlockers,
    /// The plan is of another time or world.
    PlanAnew,
    /// Nobody has agreed to it.
    Confirm,
    TypeTheName,
    ApproveThis,
    GiveReason,
    /// An earlier run has used the consent.
    ResumeOrRepeat,
    /// Looking at the queue would cost messages.
    LookAtDeadLetters,
    Allow,
    /// Another policy than the caller's denies it.
    ChangePolicy,
    MendKey,
    /// It passes by itself: the same a little later, or slower.
    Later,
    CheckName,
    LogIn,
    GiveCredentials,
    MendConnection,
    /// It may have been done: what is there says so.
    LookFirst,
    CorrectRequest,
    SetClock,
    CheckProfile,
    /// The disk is full, or a folder can't be written.
    MakeRoom,
    /// Somebody else is at it.
    WaitForOther,
    /// The list of runs has those that there are.
    ListRuns,
    VerifyJournal,
    Resume,
    /// What was sent fails again.
    MendConsumer,
    MendEdit,
    /// A filter fails on messages, or leaves out more than can be held.
    MendFilter,
    /// Without a move task.
    ClientEngine,
    /// Nothing was done or is left: the same as a new run.
    RunAgain,
    /// What AWS made of it is to be looked at before anything else.
    LookAtResult,
    MendService,
    MendTask,
    MendDatabase,
    TakeOver,
    /// A runbook's run that can't go on.
    BeginAnew,
    SeeRecord,
    EditAgain,
}

impl Try {
    pub const ALL: &[Self] = <Self as strum::VariantArray>::VARIANTS;

    pub fn says(self, text: impl AsRef<str>) -> Advice {
        Advice { way: self, text: Text::line(text.as_ref()) }
    }
}

/// What to try, as one sentence without a full stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    way: Try,
    text: Text,
}

impl Advice {
    pub fn way(&self) -> Try {
        self.way
    }

    pub fn text(&self) -> &Text {
        &self.text
    }

    pub fn as_str(&self) -> &str {
        self.text.as_str()
    }

    /// The same way, in other words around it.
    pub fn map(self, words: impl FnOnce(&str) -> String) -> Self {
        Self { way: self.way, text: Text::line(&words(self.text.as_str())) }
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(formatter)
    }
}

/// A way as another version may have written it: none where it is not known here.
pub fn known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Try>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.and_then(|text| Try::from_str(&text).ok()))
}
