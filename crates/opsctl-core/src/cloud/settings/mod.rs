//! Every setting that the AWS CLI reads of its environment and its files, and what opsctl does about it.
//!
//! The list is that of AWS CLI 2 and botocore 1.43 (`BOTOCORE_DEFAUT_SESSION_VARIABLES`, "Configuration and credential file settings",
//! "Environment variables"). A test tries each.

mod table;
#[cfg(test)]
mod tests;

use super::{Shell, profiles::Profiles};
use crate::domain::{CredentialSource, Environment, Text};
pub use table::SETTINGS;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AwsSetting {
    /// Its name; one that ends in `*` stands for all that begin so.
    pub name: &'static str,
    pub place: Place,
    pub then: Then,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display)]
pub enum Place {
    #[strum(serialize = "environment variable")]
    Variable,
    #[strum(serialize = "profile")]
    Profile,
    #[strum(serialize = "sso-session")]
    SsoSession,
}

/// What opsctl does about a setting, and what is to be known about that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    Heeded(&'static str),
    /// Who counts on it meets another world: `doctor` warns of it.
    Missed(&'static str),
    /// `doctor` names it.
    Ignored(&'static str),
    /// Of the AWS CLI's own output and input, or of services that opsctl does not call.
    NotOurs(&'static str),
}

impl AwsSetting {
    fn is(&self, name: &str) -> bool {
        match self.name.strip_suffix('*') {
            Some(stem) => name.starts_with(stem),
            None => name == self.name,
        }
    }
}

/// A setting that is there and not heeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unheeded {
    /// `AWS_USE_FIPS_ENDPOINT`, `use_fips_endpoint of profile dev`.
    pub what: Text,
    pub because: &'static str,
    /// Whether somebody should know of it.
    pub is_missed: bool,
}

/// What the shell and the profiles that lead to the environment's credentials say, and opsctl does not heed.
pub fn unheeded(environment: &Environment, shell: &Shell, profiles: &Profiles) -> Vec<Unheeded> {
    let mut all = Vec::new();
    for name in shell.names() {
        let is_same = || shell.get(name) == Some(environment.region.as_str());
        if !(matches!(name, "AWS_REGION" | "AWS_DEFAULT_REGION") && is_same()) {
            all.extend(of(Place::Variable, name, Text::line(name)));
        }
    }
    for name in names(environment, shell, profiles) {
        let Some(profile) = profiles.get(name) else { continue };
        for key in profile.keys() {
            let is_same = match key {
                "region" => profile.get(key) == Some(environment.region.as_str()),
                "endpoint_url" | "services" => {
                    environment.endpoint.is_some() && environment.endpoint.as_deref() == profiles.endpoint(profile)
                }
                _ => false,
            };
            let is_endpoint =
                key != "services" || profile.get(key).is_some_and(|services| profiles.has_endpoint(services));
            if !is_same && is_endpoint {
                all.extend(of(Place::Profile, key, Text::line(&format!("{key} of profile {name}"))));
            }
        }
    }
    all
}

fn of(place: Place, name: &str, what: Text) -> Option<Unheeded> {
    let setting = SETTINGS.iter().find(|setting| setting.place == place && setting.is(name))?;
    match setting.then {
        Then::Heeded(_) | Then::NotOurs(_) => None,
        Then::Missed(because) => Some(Unheeded { what, because, is_missed: true }),
        Then::Ignored(because) => Some(Unheeded { what, because, is_missed: false }),
    }
}

/// Profiles that lead to the environment's credentials, the named one first.
pub(crate) fn names<'a>(environment: &'a Environment, shell: &'a Shell, profiles: &'a Profiles) -> Vec<&'a str> {
    let first = match &environment.credentials {
        CredentialSource::Keys { .. } => None,
        CredentialSource::Profile(name) => Some(name.as_str()),
        CredentialSource::Default if shell.keys().is_some() => None,
        CredentialSource::Default => Some(shell.profile().map_or("default", |(name, _)| name)),
    };
    let mut names: Vec<&str> = Vec::new();
    let mut next = first;
    while let Some(name) = next.filter(|name| !names.contains(name)) {
        names.push(name);
        next = profiles.get(name).and_then(|profile| profile.get("source_profile"));
    }
    names
}

/// The table as Markdown, for `docs/aws-files.md`.
pub fn table() -> String {
    let mut text = "| Setting | Where | opsctl |\n| --- | --- | --- |\n".to_owned();
    for AwsSetting { name, place, then } in SETTINGS {
        let (does, words) = match then {
            Then::Heeded(words) => ("used", words),
            Then::Missed(words) | Then::Ignored(words) => ("**ignored**", words),
            Then::NotOurs(words) => ("not for opsctl", words),
        };
        text.push_str(&format!("| `{name}` | {place} | {does}: {words} |\n"));
    }
    text
}
