//! [`Trouble`]: causes that a failed call's kind alone does not tell, each with what helps against it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ErrorKind;
use crate::domain::{Advice, Environment, Login, Text, Try, invocation::quoted};

/// A cause. Names are as files and people wrote them; what is shown of them passes [`Text`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "cause")]
pub enum Trouble {
    /// Who answers at the endpoint has no such service.
    NoService {
        /// `CloudWatch`.
        service: String,
    },
    /// It has the service, and not this call.
    NoCall { service: String, call: String },
    /// No file has the profile.
    NoProfile { profile: String },
    /// A profile cannot be used for what stands in its file; none: the file tells no line.
    Mistake { place: String },
    /// A profile has nothing that leads to credentials.
    NoCredentials { profile: String },
    /// No session of IAM Identity Center, or one that is over.
    SsoLogin { profile: String },
    /// No session of `aws login`, or one that is over.
    Login { profile: String },
    /// A role that is only assumed with a code.
    Mfa { profile: String, serial: String },
    /// A `credential_process` that has not answered yet.
    HelperWaits { profile: String, program: String },
    /// A `credential_process` that failed, or said what nobody understands.
    HelperFails { profile: String, program: String },
    /// A web identity token that cannot be read.
    TokenFile { file: String },
    /// Web identity that STS does not take.
    Token { file: String },
    /// Keys of a profile that AWS does not take.
    Keys { profile: String },
    /// Keys of this shell that AWS does not take.
    ShellKeys,
    /// Only one of the shell's two keys is set.
    HalfKeys,
    /// A container's or an instance's own role that cannot be had.
    Metadata { source: String },
    /// Nothing leads to credentials: no keys, no profile, no role of the machine.
    Nothing,
    /// The certificate authorities that are to be trusted cannot be read.
    Authorities { file: String },
}

/// A cause that comes up where the SDK asks for credentials: it carries it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blamed {
    pub(super) trouble: Trouble,
    pub(super) words: String,
}

impl fmt::Display for Blamed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.words)
    }
}

impl std::error::Error for Blamed {}

impl Trouble {
    /// What to do about credentials that AWS does not take any more; none: nothing is known of where they come from.
    pub(super) fn of_login(login: &Login) -> Option<Self> {
        Some(match login.clone() {
            Login::Unknown => return None,
            Login::Keys { profile } => Self::Keys { profile },
            Login::ShellKeys => Self::ShellKeys,
            Login::Helper { profile, program } => Self::HelperFails { profile, program },
            Login::Sso { profile } => Self::SsoLogin { profile },
            Login::AwsLogin { profile } => Self::Login { profile },
            Login::Token { file } => Self::Token { file },
            Login::Mfa { profile, serial } => Self::Mfa { profile, serial },
        })
    }

    /// Whether it is about what an endpoint has, and not about credentials.
    pub fn is_of_endpoint(&self) -> bool {
        matches!(self, Self::NoService { .. } | Self::NoCall { .. })
    }

    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoService { .. } | Self::NoCall { .. } => ErrorKind::Invalid,
            Self::SsoLogin { .. } | Self::Login { .. } | Self::Keys { .. } | Self::ShellKeys | Self::Token { .. } => {
                ErrorKind::CredentialsExpired
            }
            // Somebody answers it: then the same call works.
            Self::HelperWaits { .. } => ErrorKind::Unreachable,
            Self::NoProfile { .. }
            | Self::Mistake { .. }
            | Self::NoCredentials { .. }
            | Self::Mfa { .. }
            | Self::HelperFails { .. }
            | Self::TokenFile { .. }
            | Self::HalfKeys
            | Self::Metadata { .. }
            | Self::Nothing
            | Self::Authorities { .. } => ErrorKind::CredentialsMissing,
        }
    }

    /// In short, for a list: `the SSO session is over`.
    pub fn in_short(&self) -> String {
        match self {
            Self::NoService { service } => format!("this endpoint has no {service}"),
            Self::NoCall { service, call } => format!("this endpoint's {service} does not know {call}"),
            Self::NoProfile { profile } => format!("there is no profile {}", Text::line(profile)),
            Self::Mistake { place } => format!("a mistake in {}", Text::line(place)),
            Self::NoCredentials { profile } => format!("profile {} has no credentials", Text::line(profile)),
            Self::SsoLogin { .. } => "no SSO session, or it has expired".to_owned(),
            Self::Login { .. } => "no `aws login` session, or it has expired".to_owned(),
            Self::Mfa { .. } => "an MFA code is needed".to_owned(),
            Self::HelperWaits { program, .. } => format!("{} has not answered yet", Text::line(program)),
            Self::HelperFails { program, .. } => format!("{} failed", Text::line(program)),
            Self::TokenFile { file } => format!("the token file {} cannot be read", Text::line(file)),
            Self::Token { .. } => "STS rejects the web identity token".to_owned(),
            Self::Keys { .. } | Self::ShellKeys => "expired, or no longer valid".to_owned(),
            Self::HalfKeys => "only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set".to_owned(),
            Self::Metadata { source } => format!("no role from {source}"),
            Self::Nothing => "no credentials found".to_owned(),
            Self::Authorities { file } => format!("the certificate authorities in {} cannot be read", Text::line(file)),
        }
    }

    /// What to try, as one sentence without a full stop.
    pub fn hint(&self, environment: &Environment) -> Advice {
        let name = &environment.name;
        let command = self.command().unwrap_or_default();
        match self {
            Self::NoService { service } if service == "STS" => Try::MendConnection.says(
                "use an endpoint that has STS: opsctl shows and changes nothing until STS has said whose credentials these are",
            ),
            Self::NoService { service } => Try::MendConnection.says(format!(
                "use an endpoint that has {service} if you need it: what depends on it is not shown, everything else works"
            )),
            Self::NoCall { .. } => {
                Try::MendConnection.says("use an endpoint that supports the call if you need it: everything else works")
            }
            Self::NoProfile { .. } => Try::CheckProfile
                .says(format!("correct `profile` of [environments.{name}], or make the profile: `{command}`")),
            Self::Mistake { place } => Try::MendFile.says(format!("correct {}", Text::line(place))),
            Self::NoCredentials { .. } => Try::GiveCredentials.says(format!(
                "run `{command}` for IAM Identity Center, or give the profile keys or a role; or name another one for {name}"
            )),
            Self::SsoLogin { .. } | Self::Login { .. } => Try::LogIn.says(format!("run `{command}`")),
            Self::Mfa { serial, .. } => Try::LogIn.says(format!(
                "run `{command}`: it asks for the code of {}, and opsctl uses the session",
                Text::line(serial)
            )),
            Self::HelperWaits { .. } => Try::LogIn
                .says(format!("answer its prompt, perhaps in a browser; `{command}` shows the prompt alone")),
            Self::HelperFails { .. } => Try::CheckProfile
                .says(format!("run `{command}` to see what it says, and correct `credential_process`")),
            Self::TokenFile { .. } => Try::GiveCredentials
                .says("check the path and who may read it: whoever issues the token writes the file"),
            Self::Token { .. } => Try::LogIn
                .says("put a new token into the file, and check that the role trusts its issuer and audience"),
            Self::Keys { profile } => Try::LogIn.says(format!(
                "put valid keys for profile {} in ~/.aws/credentials: `{command}` asks for them",
                Text::line(profile)
            )),
            Self::ShellKeys => Try::LogIn.says(format!(
                "set valid keys in this shell, or unset AWS_ACCESS_KEY_ID and give [environments.{name}] a `profile`"
            )),
            Self::HalfKeys => Try::GiveCredentials.says("set both, or neither"),
            Self::Metadata { source } => Try::GiveCredentials.says(format!(
                "run opsctl where {} provides a role, or choose another profile for {name}",
                Text::line(source)
            )),
            Self::Nothing => Try::GiveCredentials.says(format!(
                "give [environments.{name}] a `profile` (and `aws sso login --profile NAME`), or set AWS_ACCESS_KEY_ID and \
                 AWS_SECRET_ACCESS_KEY in this shell"
            )),
            Self::Authorities { .. } => {
                Try::SetVariable.says("correct AWS_CA_BUNDLE, or `ca_bundle` of the profile: it names a PEM file")
            }
        }
    }

    /// The command line that helps, if one does.
    pub fn command(&self) -> Option<String> {
        let with = |command: &str, profile: &String| {
            Some(format!("{command} --profile {}", quoted(&Text::line(profile).to_string())))
        };
        match self {
            Self::NoProfile { profile } | Self::NoCredentials { profile } => with("aws configure sso", profile),
            Self::SsoLogin { profile } => with("aws sso login", profile),
            Self::Login { profile } => with("aws login", profile),
            Self::Keys { profile } => with("aws configure", profile),
            Self::Mfa { profile, .. } | Self::HelperWaits { profile, .. } | Self::HelperFails { profile, .. } => {
                with("aws sts get-caller-identity", profile)
            }
            Self::NoService { .. }
            | Self::NoCall { .. }
            | Self::Mistake { .. }
            | Self::TokenFile { .. }
            | Self::Token { .. }
            | Self::ShellKeys
            | Self::HalfKeys
            | Self::Metadata { .. }
            | Self::Nothing
            | Self::Authorities { .. } => None,
        }
    }
}
