//! Names of the profiles in the AWS configuration files, for `opsctl init`. Nothing else is read of them: no key,
//! no secret. How a profile's credentials come about is the SDK's business.

use std::{
    collections::BTreeMap,
    io::Read,
    path::{Path, PathBuf},
};

const PROFILES_MAX: usize = 200;
/// Largest file that is read, in bytes.
const BYTES_MAX: u64 = 1_048_576;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    pub name: String,
    pub region: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfileFiles {
    /// `~/.aws/config`, or what `AWS_CONFIG_FILE` names.
    pub config: Option<PathBuf>,
    /// `~/.aws/credentials`, or what `AWS_SHARED_CREDENTIALS_FILE` names.
    pub credentials: Option<PathBuf>,
    /// Region for profiles without one: `AWS_REGION`, else `AWS_DEFAULT_REGION`.
    pub region: Option<String>,
}

impl ProfileFiles {
    /// The files of this process's user. For the edge of the program only.
    pub fn of_process() -> Self {
        let home = etcetera::home_dir().ok().map(|home| home.join(".aws"));
        let file = |variable: &str, name: &str| {
            let named = std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from);
            named.or_else(|| Some(home.as_ref()?.join(name)))
        };
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            config: file("AWS_CONFIG_FILE", "config"),
            credentials: file("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
            region: variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")),
        }
    }

    /// The profiles in both files, by name. Files that are missing or unreadable have none.
    pub fn read(&self) -> Vec<Profile> {
        let text = |path: &Option<PathBuf>| path.as_deref().map(read_bounded).unwrap_or_default();
        let mut profiles = names(&text(&self.config), &text(&self.credentials));
        for profile in &mut profiles {
            profile.region = profile.region.take().or_else(|| self.region.clone());
        }
        profiles
    }
}

fn read_bounded(path: &Path) -> String {
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(BYTES_MAX).read_to_end(&mut bytes));
    if read.is_err() {
        return String::new();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Profiles of a configuration file (`[profile name]`, `[default]`) and a credentials file (`[name]`).
/// Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials files".
fn names(config: &str, credentials: &str) -> Vec<Profile> {
    let mut found: BTreeMap<String, Option<String>> = BTreeMap::new();
    let heading_of_config = |heading: &str| match heading.split_once(char::is_whitespace) {
        Some(("profile", name)) => Some(name.trim().trim_matches('"').to_owned()),
        Some(_) => None,
        None => (heading == "default").then(|| heading.to_owned()),
    };
    let heading_of_credentials = |heading: &str| Some(heading.trim_matches('"').to_owned());
    collect(config, heading_of_config, &mut found);
    collect(credentials, heading_of_credentials, &mut found);
    found.into_iter().take(PROFILES_MAX).map(|(name, region)| Profile { name, region }).collect()
}

fn collect(text: &str, name_of: impl Fn(&str) -> Option<String>, found: &mut BTreeMap<String, Option<String>>) {
    let mut current: Option<String> = None;
    for line in text.lines() {
        if let Some(heading) = line.trim().strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            current = name_of(heading.trim()).filter(|name| !name.is_empty());
            if let Some(name) = &current {
                found.entry(name.clone()).or_default();
            }
        } else if let (Some(name), Some((key, value))) = (&current, line.split_once('='))
            && key == key.trim_start()
            && key.trim() == "region"
        {
            found.entry(name.clone()).or_default().get_or_insert(value.trim().to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_regions_are_found_and_nothing_else() {
        let config = "[default]\nregion = eu-west-1\n[profile storo-dev]\nregion=af-south-1\nsso_session = s\n\
                      [profile \"two words\"]\n[sso-session s]\nsso_region = x\nregion = no\n[services local]\n\
                      [profile nested]\ns3 =\n  region = no\n";
        let credentials =
            "[storo-dev]\naws_access_key_id = AKIA\naws_secret_access_key = s3cret\n[old]\nregion = us-east-1\n";
        let found = names(config, credentials);
        let found: Vec<(&str, Option<&str>)> =
            found.iter().map(|profile| (profile.name.as_str(), profile.region.as_deref())).collect();
        assert_eq!(
            found,
            [
                ("default", Some("eu-west-1")),
                ("nested", None),
                ("old", Some("us-east-1")),
                ("storo-dev", Some("af-south-1")),
                ("two words", None),
            ]
        );
    }

    #[test]
    fn missing_files_have_no_profiles() {
        assert_eq!(ProfileFiles { config: Some("/nowhere".into()), ..ProfileFiles::default() }.read(), []);
    }
}
