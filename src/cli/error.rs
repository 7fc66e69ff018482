//! [`CliError`]: what went wrong, because of what, and what to try; the kind decides the exit code.

use std::{fmt, io};

use super::exit::Exit;
use crate::{
    cloud::{CloudError, ErrorKind, Unverified},
    config::{ConfigError, Paint, problem::nearest},
    domain::{Advice, Environment, Text, Try},
    gate::Refusal,
    journal::JournalError,
    leave::NoLeave,
    messages::FilterError,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CliError {
    pub exit: Exit,
    /// What and because; several lines at most for files and filters.
    pub what: Text,
    pub advice: Option<Advice>,
    /// Whether the credentials are another account's: then a listing fails although it shows the other environments.
    pub is_wrong_account: bool,
}

impl CliError {
    pub fn new(exit: Exit, what: &str, advice: impl Into<Option<Advice>>) -> Self {
        Self { exit, what: Text::block(what), advice: advice.into(), is_wrong_account: false }
    }

    pub fn usage(what: &str, advice: impl Into<Option<Advice>>) -> Self {
        Self::new(Exit::Usage, what, advice)
    }

    pub fn failed(what: &str, advice: impl Into<Option<Advice>>) -> Self {
        Self::new(Exit::Failed, what, advice)
    }

    /// Something of this kind that is not there; `lists` is the command that lists those that are.
    pub fn unknown<'a>((kind, wanted): (&str, &str), known: impl IntoIterator<Item = &'a str>, lists: &str) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        let hint = match nearest(wanted, &known) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("`{lists}` lists them"),
        };
        Self::usage(&format!("there is no {kind} {}", Text::line(wanted)), Try::NameAnother.says(&hint))
    }

    pub fn cloud(error: &CloudError, environment: &Environment) -> Self {
        let exit = if error.kind == ErrorKind::CredentialsMissing { Exit::Usage } else { Exit::Failed };
        Self::new(exit, &format!("{}: {error}", environment.name), error.hint(environment))
    }

    /// It is not known that the credentials are `environment`'s; `exit` where they are another account's.
    pub fn unverified(error: &Unverified, environment: &Environment, exit: Exit) -> Self {
        match error {
            Unverified::Cloud(error) => Self::cloud(error, environment),
            Unverified::WrongAccount(wrong) => {
                Self { is_wrong_account: true, ..Self::new(exit, &wrong.to_string(), wrong.hint()) }
            }
        }
    }

    /// Nothing more to say and nobody to say it to: whoever read the output has gone.
    pub fn is_quiet(&self) -> bool {
        self.what.is_empty()
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.what.as_str())?;
        match &self.advice {
            Some(advice) => write!(formatter, "\ntry: {advice}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for CliError {}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        let what = match &error {
            ConfigError::Place(place) => place.to_string(),
            ConfigError::Rejected(report) => report.render(Paint::Plain),
        };
        Self::usage(&what, error.hint())
    }
}

macro_rules! from_refusal {
    ($($refusal:ident)*) => {$(
        impl From<$refusal> for CliError {
            fn from(refusal: $refusal) -> Self {
                Self::new(Exit::Refused, &format!("refused: {refusal}"), refusal.hint())
            }
        }
    )*};
}

from_refusal!(Refusal NoLeave);

impl From<&JournalError> for CliError {
    fn from(error: &JournalError) -> Self {
        Self::new(Exit::Refused, &error.to_string(), error.hint())
    }
}

impl From<JournalError> for CliError {
    fn from(error: JournalError) -> Self {
        Self::from(&error)
    }
}

impl From<FilterError> for CliError {
    fn from(error: FilterError) -> Self {
        match &error {
            FilterError::Syntax(text) => Self { what: text.clone(), ..Self::usage("", None) },
            FilterError::Failed(_) | FilterError::TooSlow | FilterError::Stopped | FilterError::Unjudged(_) => {
                Self::failed(&error.to_string(), None)
            }
        }
    }
}

/// Only output fails with bare I/O errors here.
impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // `opsctl queues | head`: the reader has what it wanted.
            io::ErrorKind::BrokenPipe => Self::new(Exit::Done, "", None),
            _ => Self::failed(
                &format!("cannot write the output: {error}"),
                Try::MakeRoom.says("check where it goes: is the disk full?"),
            ),
        }
    }
}
