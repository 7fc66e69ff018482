//! [`CloudError`]: what went wrong with a call, and whether the call may have been applied all the same.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{denial, trouble::Trouble};
use crate::domain::{Advice, CredentialSource, Environment, Text, Try};

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
    /// The cause, where it is known better than by its kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Box<Trouble>>,
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
        Self { kind, action: action.to_owned(), code: None, message: line(message), trouble: None }
    }

    pub(super) fn coded(kind: ErrorKind, action: &str, code: &str, message: &str) -> Self {
        Self { code: Some(line(code).as_str().to_owned()), ..Self::new(kind, action, message) }
    }

    /// Of a known cause.
    pub(super) fn of_trouble(trouble: Trouble, action: &str, message: &str) -> Self {
        let kind = trouble.kind();
        Self { trouble: Some(Box::new(trouble)), ..Self::new(kind, action, message) }
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
    pub fn hint(&self, environment: &Environment) -> Advice {
        let known = || self.cause(environment).map(|trouble| trouble.hint(environment));
        if let Some(advice) = denial::of_key(self, environment).or_else(known) {
            return advice;
        }
        match self.kind {
            ErrorKind::Denied => denial::hint(self, environment),
            ErrorKind::Throttled => {
                Try::Later.says("wait a little, or lower the rate; others in the account may use it up")
            }
            ErrorKind::NotFound => Try::CheckName
                .says(format!("check the name, and that it is in {} of {}", environment.region, environment.name)),
            ErrorKind::CredentialsExpired => Try::LogIn.says(renew(environment)),
            ErrorKind::CredentialsMissing => provide(environment),
            ErrorKind::Unreachable => Try::MendConnection.says(match &environment.endpoint {
                Some(endpoint) => format!("check that something listens at {}", Text::line(endpoint)),
                None => format!("check the network, the proxy, VPN, and the region's name ({})", environment.region),
            }),
            ErrorKind::Unknown if is_read(&self.action) => {
                Try::Later.says("try it again in a moment: it changes nothing")
            }
            ErrorKind::Unknown => {
                Try::LookFirst.says("look at what is there before doing it again: it may have been done")
            }
            ErrorKind::Invalid => {
                Try::CorrectRequest.says("correct the request; trying it again as it is will not help")
            }
            ErrorKind::ClockSkew => {
                let doctor = environment.command("doctor");
                Try::SetClock.says(format!("set this machine's clock; `{doctor}` shows by how much it is off"))
            }
        }
    }

    /// The command that [`Self::hint`] names, if it names one.
    pub fn command(&self, environment: &Environment) -> Option<String> {
        if let Some(trouble) = self.cause(environment) {
            return trouble.command();
        }
        match self.kind {
            ErrorKind::ClockSkew => Some(environment.command("doctor")),
            ErrorKind::CredentialsExpired
            | ErrorKind::CredentialsMissing
            | ErrorKind::Denied
            | ErrorKind::Throttled
            | ErrorKind::NotFound
            | ErrorKind::Unreachable
            | ErrorKind::Unknown
            | ErrorKind::Invalid => None,
        }
    }

    /// The cause: its own, or what the environment's credentials come from, where AWS does not take them any more.
    fn cause(&self, environment: &Environment) -> Option<Trouble> {
        if let Some(trouble) = &self.trouble {
            return Some((**trouble).clone());
        }
        (self.kind == ErrorKind::CredentialsExpired).then(|| Trouble::of_login(&environment.login)).flatten()
    }

    /// The resource that AWS's denial names: "... is not authorized to perform: ... on resource: ARN because ...".
    pub(super) fn resource(&self) -> Option<&str> {
        denial::after(self.message.as_str(), "on resource: ")
    }
}

fn line(text: &str) -> Text {
    let capped = Text::capped(text, MESSAGE_CHARACTERS_MAX);
    Text::line(capped.as_str())
}

/// Whether a call changes nothing, by the names that AWS gives such calls.
fn is_read(action: &str) -> bool {
    let operation = action.rsplit([':', ' ']).next().unwrap_or(action);
    ["Get", "List", "Describe", "Filter", "BatchGet", "StartQuery", "StopQuery"]
        .iter()
        .any(|verb| operation.starts_with(verb))
}

fn renew(environment: &Environment) -> String {
    match &environment.credentials {
        CredentialSource::Keys { .. } => "check the fixed keys".to_owned(),
        CredentialSource::Profile(name) => {
            let (name, doctor) = (Text::line(name), environment.command("doctor"));
            format!("renew what profile {name} comes from; `{doctor}` says what that is")
        }
        CredentialSource::Default => "log in again, or renew the keys that this shell has".to_owned(),
    }
}

fn provide(environment: &Environment) -> Advice {
    match &environment.credentials {
        CredentialSource::Keys { .. } => Try::GiveCredentials.says("check the fixed keys"),
        CredentialSource::Profile(name) => Try::GiveCredentials.says(format!(
            "check profile {} in the AWS configuration files, or name another profile for {}",
            Text::line(name),
            environment.name
        )),
        CredentialSource::Default => Trouble::Nothing.hint(environment),
    }
}

impl fmt::Display for CloudError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { action, code, message, trouble, .. } = self;
        match trouble.as_deref() {
            Some(lacks @ (Trouble::NoService { .. } | Trouble::NoCall { .. })) => {
                return write!(formatter, "{} ({action})", lacks.in_short());
            }
            // No call was made: none has failed.
            Some(_) => return write!(formatter, "{message}"),
            None => {}
        }
        match code {
            Some(code) => write!(formatter, "{action} failed: {code}: {message}"),
            None => write!(formatter, "{action} failed: {message}"),
        }
    }
}
