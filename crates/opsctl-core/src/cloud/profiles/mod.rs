//! Profiles of AWS's own files, as the AWS CLI reads them, and what credentials they lead to.

mod chain;
mod lines;

use std::{collections::BTreeMap, fs, io::Read, path::Path};

pub(in crate::cloud) use chain::{Assume, Base, Chain, SsoSource, resolve};
pub use lines::{FileKind, Mistake};

use super::shell::Shell;
use lines::{Heading, Property, Section};

/// Largest file that is read, in bytes.
const BYTES_MAX: u64 = 1_048_576;

/// What both files have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profiles {
    profiles: BTreeMap<String, AwsProfile>,
    sessions: BTreeMap<String, BTreeMap<String, Property>>,
    services: BTreeMap<String, BTreeMap<String, Property>>,
    /// Mistakes that are of no profile: lines before any heading, headings that cannot be understood.
    pub mistakes: Vec<Mistake>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AwsProfile {
    properties: BTreeMap<String, Property>,
    pub mistakes: Vec<Mistake>,
}

impl AwsProfile {
    /// A setting's value; an empty one is none.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.properties.get(key).map(|property| property.value.as_str()).filter(|value| !value.is_empty())
    }

    /// The same, where it stands in this file.
    fn get_in(&self, file: FileKind, key: &str) -> Option<&str> {
        self.get(key).filter(|_| self.properties.get(key).is_some_and(|property| property.file == file))
    }

    /// Names of the settings that it has.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.properties.keys().map(String::as_str)
    }
}

impl Profiles {
    /// Of the files that this shell leads to. A file that is missing has none; one that cannot be read is a mistake.
    pub fn read(shell: &Shell) -> Self {
        let mut profiles = Self::default();
        let files = [(shell.config_file(), FileKind::Config), (shell.credentials_file(), FileKind::Credentials)];
        for (path, kind) in files {
            let Some(path) = path else { continue };
            match read_bounded(&path) {
                Ok(text) => profiles.add(&text, &path, kind),
                Err(Unread::Missing) => {}
                Err(Unread::Because(what)) => profiles.mistakes.push(Mistake { path, line: None, what }),
            }
        }
        profiles
    }

    /// Adds a file. What the credentials file says counts more, and so comes later.
    pub(in crate::cloud) fn add(&mut self, text: &str, path: &Path, kind: FileKind) {
        let (sections, before) = lines::read(text, path, kind);
        self.mistakes.extend(before);
        for Section { heading, properties, mistakes } in sections {
            match heading {
                Heading::Profile(name) => {
                    let profile = self.profiles.entry(name).or_default();
                    profile.properties.extend(properties);
                    profile.mistakes.extend(mistakes);
                }
                Heading::SsoSession(name) => {
                    self.sessions.entry(name).or_default().extend(properties);
                    self.mistakes.extend(mistakes);
                }
                Heading::Services(name) => {
                    self.services.entry(name).or_default().extend(properties);
                    self.mistakes.extend(mistakes);
                }
                Heading::Other => {}
            }
        }
    }

    pub fn get(&self, name: &str) -> Option<&AwsProfile> {
        self.profiles.get(name)
    }

    /// Names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.profiles.keys().map(String::as_str)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &AwsProfile)> {
        self.profiles.iter().map(|(name, profile)| (name.as_str(), profile))
    }

    /// What an `[sso-session NAME]` says.
    fn session(&self, name: &str, key: &str) -> Option<&str> {
        let value = self.sessions.get(name)?.get(key).map(|property| property.value.as_str());
        value.filter(|value| !value.is_empty())
    }

    fn has_session(&self, name: &str) -> bool {
        self.sessions.contains_key(name)
    }

    /// Where a profile's calls to SQS go by these files; none: to AWS. A service's own endpoint counts more (AWS SDKs reference guide,
    /// "Service-specific endpoints").
    pub fn endpoint<'a>(&'a self, profile: &'a AwsProfile) -> Option<&'a str> {
        let is_ignored =
            profile.get("ignore_configured_endpoint_urls").is_some_and(|word| word.eq_ignore_ascii_case("true"));
        let of_sqs = || {
            let services = self.services.get(profile.get("services")?)?;
            services.get("sqs")?.nested.get("endpoint_url").map(String::as_str)
        };
        of_sqs().or_else(|| profile.get("endpoint_url")).filter(|_| !is_ignored)
    }

    /// Whether a `[services NAME]` moves an endpoint.
    pub fn has_endpoint(&self, services: &str) -> bool {
        let settings = self.services.get(services).into_iter().flatten();
        settings.into_iter().any(|(_, property)| property.nested.contains_key("endpoint_url"))
    }
}

enum Unread {
    Missing,
    Because(&'static str),
}

fn read_bounded(path: &Path) -> Result<String, Unread> {
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Unread::Missing,
        std::io::ErrorKind::PermissionDenied => Unread::Because("it may not be read by this user"),
        _ => Unread::Because("it cannot be opened"),
    })?;
    file.take(BYTES_MAX).read_to_end(&mut bytes).map_err(|_| Unread::Because("it cannot be read"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
