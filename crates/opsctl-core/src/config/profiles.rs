//! What the profiles in the AWS configuration files say of where they lead, for `opsctl init`.

use crate::cloud::{Shell, profiles::Profiles};

const PROFILES_MAX: usize = 200;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    pub name: String,
    /// Its own, else the shell's.
    pub region: Option<String>,
    /// Where its calls go; none: to AWS.
    pub endpoint: Option<String>,
}

/// The profiles of the files that this shell leads to, by name. Files that are missing or unreadable have none.
pub fn read(shell: &Shell) -> Vec<Profile> {
    let usual = shell.get("AWS_REGION").or_else(|| shell.get("AWS_DEFAULT_REGION"));
    let profiles = Profiles::read(shell);
    let each = profiles.iter().map(|(name, profile)| Profile {
        name: name.to_owned(),
        region: profile.get("region").or(usual).map(str::to_owned),
        endpoint: profiles.endpoint(profile).map(str::to_owned),
    });
    each.take(PROFILES_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(folder: &std::path::Path, variables: &[(&str, &str)]) -> Shell {
        let set = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Shell::of(set).at_home(Some(folder.to_owned()))
    }

    #[test]
    fn names_and_regions_are_found_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join(".aws")).expect("a folder");
        let config = "[default]\nregion = eu-west-1 # Ireland\n[profile storo-dev]\nregion=af-south-1\nsso_session = s\n\
                      [profile \"two words\"]\n[profile ann@example.com]\nregion = x\n  indented\n[sso-session s]\nsso_region = x\n\
                      region = no\n[services local]\n[profile nested]\ns3 =\n  region = no\n";
        let credentials =
            "[storo-dev]\naws_access_key_id = AKIA\naws_secret_access_key = s3cret\n[old]\nregion = us-east-1\n";
        std::fs::write(folder.path().join(".aws/config"), config).expect("written");
        std::fs::write(folder.path().join(".aws/credentials"), credentials).expect("written");
        let found = |variables: &[(&str, &str)]| {
            let found = read(&shell(folder.path(), variables));
            found.into_iter().map(|profile| (profile.name, profile.region.unwrap_or_default())).collect::<Vec<_>>()
        };
        let of = |usual: &str| {
            [
                ("ann@example.com", "x"),
                ("default", "eu-west-1"),
                ("nested", usual),
                ("old", "us-east-1"),
                ("storo-dev", "af-south-1"),
                ("two words", usual),
            ]
            .map(|(name, region)| (name.to_owned(), region.to_owned()))
        };
        assert_eq!(found(&[]), of(""));
        assert_eq!(found(&[("AWS_DEFAULT_REGION", "eu-north-1")]), of("eu-north-1"));
    }

    #[test]
    fn the_endpoint_is_the_one_that_sqs_is_asked_at() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join(".aws")).expect("a folder");
        let config = "[profile all]\nendpoint_url = http://all:1\n[profile own]\nservices = own\nendpoint_url = http://all:1\n\
                      [services own]\nsqs =\n  endpoint_url = http://sqs:2\n[services other]\ns3 =\n  endpoint_url = http://s3:3\n\
                      [profile other]\nservices = other\n[profile off]\nendpoint_url = http://all:1\n\
                      ignore_configured_endpoint_urls = true\n[profile none]\nregion = x\n";
        std::fs::write(folder.path().join(".aws/config"), config).expect("written");
        let found = read(&shell(folder.path(), &[])).into_iter().map(|profile| (profile.name, profile.endpoint));
        let found: Vec<(String, Option<String>)> = found.collect();
        let of = [
            ("all", Some("http://all:1")),
            ("none", None),
            ("off", None),
            ("other", None),
            ("own", Some("http://sqs:2")),
        ];
        assert_eq!(found, of.map(|(name, endpoint)| (name.to_owned(), endpoint.map(str::to_owned))));
    }

    #[test]
    fn missing_files_have_no_profiles() {
        assert_eq!(read(&shell(std::path::Path::new("/nowhere"), &[])), []);
        assert_eq!(read(&Shell::default()), []);
    }
}
