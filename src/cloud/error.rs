//! [`CloudError`]: what went wrong with a call, and whether the call may have been applied all the same.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::Text;

/// A failed call. Shows what, because; `hint()` says what to try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub struct CloudError {
    /// What sort of failure.
    pub kind: ErrorKind,
    /// The IAM action, `sqs:SendMessage` for instance.
    pub action: String,
    /// AWS's error code, where an answer came.
    pub code: Option<String>,
    /// AWS's or the transport's words.
    pub message: Text,
}

/// What sort of failure, as far as a caller acts on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// Not allowed.
    Denied,
    /// Too many calls: not applied, slower and again.
    Throttled,
    /// No such queue, task or parameter.
    NotFound,
    /// Credentials expired or not valid (any more).
    CredentialsExpired,
    /// No credentials found.
    CredentialsMissing,
    /// No connection was made: not applied.
    Unreachable,
    /// Sent, but no clear answer (deadline, connection lost, 5xx): may have been applied.
    Unknown,
    /// The service refuses the request as it stands.
    Invalid,
    /// Signature refused because clocks differ.
    ClockSkew,
}

impl CloudError {
    /// Whether the call may have been applied although it failed.
    pub fn may_have_been_applied(&self) -> bool {
        self.kind == ErrorKind::Unknown
    }

    /// Whether the same call may succeed a little later without anybody's doing.
    pub fn is_passing(&self) -> bool {
        matches!(self.kind, ErrorKind::Throttled | ErrorKind::Unreachable | ErrorKind::Unknown)
    }
}

impl fmt::Display for CloudError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { action, code, message, .. } = self;
        match code {
            Some(code) => write!(formatter, "{action} failed: {code}: {message}"),
            None => write!(formatter, "{action} failed: {message}"),
        }
    }
}
