//! Why an operation can't be planned or begun.

use crate::{
    cloud::CloudError,
    domain::{Environment, Text},
    journal::JournalError,
};

/// Why an operation can't be planned or begun: what and because in `Display`, what to try in [`OperationError::hint`].
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// What was asked for makes no sense, or names something that does not exist.
    #[error("{what}")]
    Usage { what: Text, hint: Text },
    /// A database can't be asked.
    #[error("{what}")]
    Database { what: Text, hint: Text },
    #[error("{0}")]
    Cloud(#[from] CloudError),
    #[error("{0}")]
    Journal(#[from] JournalError),
}

impl OperationError {
    pub fn usage(what: &str, hint: &str) -> Self {
        Self::Usage { what: Text::line(what), hint: Text::line(hint) }
    }

    pub fn hint(&self, environment: &Environment) -> Text {
        match self {
            Self::Usage { hint, .. } | Self::Database { hint, .. } => hint.clone(),
            Self::Cloud(error) => Text::line(&error.hint(environment)),
            Self::Journal(error) => Text::line(error.hint()),
        }
    }
}
