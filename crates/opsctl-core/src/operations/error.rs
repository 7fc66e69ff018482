//! Why an operation can't be planned or begun.

use crate::{
    cloud::CloudError,
    domain::{Advice, Environment, Text},
    journal::JournalError,
};

/// Why an operation can't be planned or begun: what and because in `Display`, what to try in [`OperationError::hint`].
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// What was asked for makes no sense, or names something that does not exist.
    #[error("{what}")]
    Usage { what: Text, advice: Option<Advice> },
    /// A database can't be asked.
    #[error("{what}")]
    Database { what: Text, advice: Option<Advice> },
    #[error("{0}")]
    Cloud(#[from] CloudError),
    #[error("{0}")]
    Journal(#[from] JournalError),
}

impl OperationError {
    pub fn usage(what: &str, advice: impl Into<Option<Advice>>) -> Self {
        Self::Usage { what: Text::line(what), advice: advice.into() }
    }

    pub fn advice(&self, environment: &Environment) -> Option<Advice> {
        match self {
            Self::Usage { advice, .. } | Self::Database { advice, .. } => advice.clone(),
            Self::Cloud(error) => Some(error.hint(environment)),
            Self::Journal(error) => Some(error.hint_in(&environment.invocation)),
        }
    }

    /// What to try, as one sentence without a full stop; empty where nothing helps.
    pub fn hint(&self, environment: &Environment) -> Text {
        self.advice(environment).map(|advice| advice.text().clone()).unwrap_or_default()
    }
}
