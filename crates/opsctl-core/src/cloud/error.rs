//! [`CloudError`]: what went wrong with a call, and whether the call may have been applied all the same.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::{CredentialSource, Environment, Text};

/// Longest message kept, in characters.
const MESSAGE_CHARACTERS_MAX: usize = 1_000;

/// A failed call. Shows what, because; [`CloudError::hint`] says what to try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub struct CloudError {
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
    Denied,
    /// Too many calls: not applied, slower and again.
    Throttled,
    NotFound,
    CredentialsExpired,
    CredentialsMissing,
    /// Nothing was sent, for no connection was made: not applied.
    Unreachable,
    /// Sent, but no clear answer (deadline, connection lost, 5xx): may have been applied.
    Unknown,
    /// The service refuses the request as it stands.
    Invalid,
    /// Signature refused because clocks differ.
    ClockSkew,
}

impl CloudError {
    pub fn new(kind: ErrorKind, action: &str, message: &str) -> Self {
        Self { kind, action: action.to_owned(), code: None, message: line(message) }
    }

    pub(super) fn coded(kind: ErrorKind, action: &str, code: &str, message: &str) -> Self {
        Self { code: Some(line(code).as_str().to_owned()), ..Self::new(kind, action, message) }
    }

    /// Whether the call may have been applied although it failed.
    pub fn may_have_been_applied(&self) -> bool {
        self.kind == ErrorKind::Unknown
    }

    /// Whether the same call may succeed a little later without anybody's doing.
    pub fn is_passing(&self) -> bool {
        matches!(self.kind, ErrorKind::Throttled | ErrorKind::Unreachable | ErrorKind::Unknown)
    }

    /// What to try, as one sentence without a full stop.
    pub fn hint(&self, environment: &Environment) -> String {
        let Self { action, .. } = self;
        match self.kind {
            ErrorKind::Denied => {
                let resource = self.resource().unwrap_or("the resource");
                format!("allow {action} on {resource} for the credentials of {}", environment.name)
            }
            ErrorKind::Throttled => "wait a little, or lower the rate; others in the account may use it up".to_owned(),
            ErrorKind::NotFound => {
                format!("check the name, and that it is in {} of {}", environment.region, environment.name)
            }
            ErrorKind::CredentialsExpired => renew(environment, self.command(environment)),
            ErrorKind::CredentialsMissing => provide(environment, self.command(environment)),
            ErrorKind::Unreachable => match &environment.endpoint {
                Some(endpoint) => format!("check that something listens at {}", Text::line(endpoint)),
                None => format!("check the network, the proxy, VPN, and the region's name ({})", environment.region),
            },
            ErrorKind::Unknown => "look at what is there before doing it again: it may have been done".to_owned(),
            ErrorKind::Invalid => "correct the request; trying it again as it is will not help".to_owned(),
            ErrorKind::ClockSkew => {
                let doctor = environment.command("doctor");
                format!("set this machine's clock; `{doctor}` shows by how much it is off")
            }
        }
    }

    /// The command that [`Self::hint`] names, if it names one.
    pub fn command(&self, environment: &Environment) -> Option<String> {
        let profile = match &environment.credentials {
            CredentialSource::Profile(name) => Some(Text::line(name)),
            CredentialSource::Default | CredentialSource::Keys { .. } => None,
        };
        match self.kind {
            ErrorKind::CredentialsExpired => profile.map(|name| format!("aws sso login --profile {name}")),
            ErrorKind::CredentialsMissing => profile.map(|name| format!("aws configure sso --profile {name}")),
            ErrorKind::ClockSkew => Some(environment.command("doctor")),
            ErrorKind::Denied
            | ErrorKind::Throttled
            | ErrorKind::NotFound
            | ErrorKind::Unreachable
            | ErrorKind::Unknown
            | ErrorKind::Invalid => None,
        }
    }

    /// The resource that AWS's denial names: "... is not authorized to perform: ... on resource: ARN because ...".
    fn resource(&self) -> Option<&str> {
        let (_, rest) = self.message.as_str().split_once("on resource: ")?;
        rest.split_whitespace().next().map(|word| word.trim_end_matches(['.', ',']))
    }
}

fn line(text: &str) -> Text {
    let capped = Text::capped(text, MESSAGE_CHARACTERS_MAX);
    Text::line(capped.as_str())
}

fn renew(environment: &Environment, command: Option<String>) -> String {
    match (command, &environment.credentials) {
        (Some(command), _) => format!("run `{command}` or renew that profile's keys"),
        (None, CredentialSource::Keys { .. }) => "check the fixed keys".to_owned(),
        (None, CredentialSource::Profile(_) | CredentialSource::Default) => {
            "log in again, or renew the keys that this shell has".to_owned()
        }
    }
}

fn provide(environment: &Environment, command: Option<String>) -> String {
    let name = &environment.name;
    match (command, &environment.credentials) {
        (Some(command), _) => format!("run `{command}`, or name another profile for {name}"),
        (None, CredentialSource::Keys { .. }) => "check the fixed keys".to_owned(),
        (None, CredentialSource::Profile(_) | CredentialSource::Default) => format!(
            "give [environments.{name}] a `profile` (and `aws sso login --profile NAME`), or set AWS_ACCESS_KEY_ID and \
             AWS_SECRET_ACCESS_KEY in this shell"
        ),
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
