//! [`resolve`]: from a profile's name to what its credentials come from, and the roles that are assumed with them.
//!
//! In the order of the AWS CLI: a role of a source; web identity; IAM Identity Center; keys in the credentials file; `aws login`;
//! `credential_process`; keys in the configuration file.

use super::{AwsProfile, FileKind, Profiles};
use crate::cloud::trouble::{Blamed, Trouble};

/// Profiles that lead to one another, at most.
const DEPTH_MAX: usize = 16;

/// Where the first credentials come from. `Debug` is never shown: it has secrets.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::cloud) enum Base {
    Keys {
        access_key: String,
        secret_key: String,
        token: Option<String>,
    },
    Process {
        command: String,
    },
    Sso(SsoSource),
    Login {
        session: String,
    },
    Web {
        role: String,
        file: String,
        session_name: Option<String>,
    },
    /// `credential_source`.
    Environment,
    Container,
    Instance,
}

#[derive(Clone, PartialEq, Eq)]
pub(in crate::cloud) struct SsoSource {
    /// Under which the token is kept: the session's name, or in the older form the start URL.
    pub(in crate::cloud) token: String,
    pub(in crate::cloud) start_url: String,
    pub(in crate::cloud) region: String,
    pub(in crate::cloud) account: String,
    pub(in crate::cloud) role: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cloud) struct Assume {
    pub(in crate::cloud) profile: String,
    pub(in crate::cloud) role: String,
    pub(in crate::cloud) external_id: Option<String>,
    pub(in crate::cloud) session_name: Option<String>,
    pub(in crate::cloud) seconds: Option<u32>,
    pub(in crate::cloud) mfa: Option<String>,
}

#[derive(Clone, PartialEq, Eq)]
pub(in crate::cloud) struct Chain {
    pub(in crate::cloud) base: Base,
    /// The profile that the base stands in.
    pub(in crate::cloud) profile: String,
    /// One after the other, the first with the base's credentials.
    pub(in crate::cloud) roles: Vec<Assume>,
}

/// What a profile leads to.
///
/// # Errors
/// It is not there, has no credentials, or says what cannot be.
pub(in crate::cloud) fn resolve(profiles: &Profiles, name: &str) -> Result<Chain, Blamed> {
    let mut roles: Vec<Assume> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    let mut name = name;
    let base = loop {
        let profile = profiles.get(name).ok_or_else(|| missing(profiles, name, seen.last().copied()))?;
        let is_again = seen.contains(&name);
        if is_again || seen.len() > DEPTH_MAX {
            return Err(wrong(name, "its `source_profile` leads back to itself"));
        }
        seen.push(name);
        // Keys beside a role are what it is assumed with, where the profile is somebody's source.
        if let Some(base) = keys(name, profile, None).filter(|_| seen.len() > 1) {
            break base?;
        }
        let Some(role) = profile.get("role_arn").filter(|_| profile.get("web_identity_token_file").is_none()) else {
            break base(profiles, name, profile)?;
        };
        roles.push(assume(name, role, profile));
        match (profile.get("source_profile"), profile.get("credential_source")) {
            (Some(_), Some(_)) => return Err(wrong(name, "it has both `source_profile` and `credential_source`")),
            (None, None) => {
                return Err(wrong(name, "it has a `role_arn`, and neither `source_profile` nor `credential_source`"));
            }
            (None, Some(source)) => break named(name, source)?,
            (Some(source), None) if source == name => {
                break keys(name, profile, None)
                    .ok_or_else(|| wrong(name, "it is its own `source_profile`, and has no keys"))??;
            }
            (Some(source), None) => name = source,
        }
    };
    roles.reverse();
    Ok(Chain { base, profile: name.to_owned(), roles })
}

fn assume(name: &str, role: &str, profile: &AwsProfile) -> Assume {
    let owned = |key: &str| profile.get(key).map(str::to_owned);
    Assume {
        profile: name.to_owned(),
        role: role.to_owned(),
        external_id: owned("external_id"),
        session_name: owned("role_session_name"),
        seconds: profile.get("duration_seconds").and_then(|seconds| seconds.parse().ok()),
        mfa: owned("mfa_serial"),
    }
}

fn named(name: &str, source: &str) -> Result<Base, Blamed> {
    match source.to_ascii_lowercase().as_str() {
        "environment" => Ok(Base::Environment),
        "ecscontainer" => Ok(Base::Container),
        "ec2instancemetadata" => Ok(Base::Instance),
        _ => Err(wrong(name, "its `credential_source` is none of Environment, EcsContainer, Ec2InstanceMetadata")),
    }
}

fn base(profiles: &Profiles, name: &str, profile: &AwsProfile) -> Result<Base, Blamed> {
    if let Some(file) = profile.get("web_identity_token_file") {
        let role = profile
            .get("role_arn")
            .ok_or_else(|| wrong(name, "it has a `web_identity_token_file` and no `role_arn`"))?;
        let session_name = profile.get("role_session_name").map(str::to_owned);
        return Ok(Base::Web { role: role.to_owned(), file: file.to_owned(), session_name });
    }
    if let Some(sso) = sso(profiles, name, profile) {
        return sso;
    }
    if let Some(keys) = keys(name, profile, Some(FileKind::Credentials)) {
        return keys;
    }
    if let Some(session) = profile.get("login_session") {
        return Ok(Base::Login { session: session.to_owned() });
    }
    if let Some(command) = profile.get("credential_process") {
        return Ok(Base::Process { command: command.to_owned() });
    }
    keys(name, profile, None).unwrap_or_else(|| {
        if let Some(source) = profile.get("credential_source") {
            return named(name, source);
        }
        Err(match profile.mistakes.first() {
            Some(mistake) => Blamed {
                words: format!("profile {name:?} has no credentials; {mistake}"),
                trouble: Trouble::Mistake { place: mistake.place() },
            },
            None => Blamed {
                words: format!("profile {name:?} has no credentials: no keys, no role, no SSO, no credential_process"),
                trouble: Trouble::NoCredentials { profile: name.to_owned() },
            },
        })
    })
}

fn keys(name: &str, profile: &AwsProfile, file: Option<FileKind>) -> Option<Result<Base, Blamed>> {
    let get = |key: &str| match file {
        Some(file) => profile.get_in(file, key),
        None => profile.get(key),
    };
    let token = get("aws_session_token").or_else(|| get("aws_security_token")).map(str::to_owned);
    Some(match (get("aws_access_key_id"), get("aws_secret_access_key")) {
        (None, None) => return None,
        (Some(access), Some(secret)) => {
            Ok(Base::Keys { access_key: access.to_owned(), secret_key: secret.to_owned(), token })
        }
        // Its other half may stand in the other file.
        (Some(_), None) | (None, Some(_)) if file.is_some() => return None,
        (Some(_), None) => Err(wrong(name, "it has an `aws_access_key_id` and no `aws_secret_access_key`")),
        (None, Some(_)) => Err(wrong(name, "it has an `aws_secret_access_key` and no `aws_access_key_id`")),
    })
}

fn sso(profiles: &Profiles, name: &str, profile: &AwsProfile) -> Option<Result<Base, Blamed>> {
    let settings = ["sso_session", "sso_account_id", "sso_role_name", "sso_start_url", "sso_region"];
    if settings.iter().all(|key| profile.get(key).is_none()) {
        return None;
    }
    let session = profile.get("sso_session");
    if let Some(session) = session.filter(|session| !profiles.has_session(session)) {
        return Some(Err(wrong(name, &format!("there is no [sso-session {session}], which it names"))));
    }
    let either = |key: &str| session.and_then(|session| profiles.session(session, key)).or_else(|| profile.get(key));
    let need = |value: Option<&str>, key: &str| {
        value.map(str::to_owned).ok_or_else(|| wrong(name, &format!("it uses SSO and has no `{key}`")))
    };
    Some((|| {
        let start_url = need(either("sso_start_url"), "sso_start_url")?;
        Ok(Base::Sso(SsoSource {
            token: session.map_or_else(|| start_url.clone(), str::to_owned),
            region: need(either("sso_region"), "sso_region")?,
            account: need(profile.get("sso_account_id"), "sso_account_id")?,
            role: need(profile.get("sso_role_name"), "sso_role_name")?,
            start_url,
        }))
    })())
}

fn wrong(name: &str, what: &str) -> Blamed {
    Blamed {
        words: format!("profile {name:?} cannot be used: {what}"),
        trouble: Trouble::Mistake { place: format!("profile {name} in the AWS configuration files") },
    }
}

const PROFILES_SHOWN_MAX: usize = 10;

/// Says which profiles there are, and which lines may have hidden this one.
fn missing(profiles: &Profiles, name: &str, from: Option<&str>) -> Blamed {
    let mut known: Vec<&str> = profiles.names().collect();
    let rest = known.len().saturating_sub(PROFILES_SHOWN_MAX);
    known.truncate(PROFILES_SHOWN_MAX);
    let known = match (known.is_empty(), rest) {
        (true, _) => "there are none".to_owned(),
        (false, 0) => format!("there are {}", known.join(", ")),
        (false, rest) => format!("there are {} and {rest} more", known.join(", ")),
    };
    let from = from.map(|from| format!(", which profile {from:?} names as its source")).unwrap_or_default();
    let hidden = profiles.mistakes.first();
    let mistake = hidden.map(|mistake| format!("; {mistake}")).unwrap_or_default();
    let words = format!("no profile {name:?} in the AWS configuration files{from}; {known}{mistake}");
    let trouble = match hidden {
        Some(mistake) => Trouble::Mistake { place: mistake.place() },
        None => Trouble::NoProfile { profile: name.to_owned() },
    };
    Blamed { words, trouble }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn profiles(config: &str, credentials: &str) -> Profiles {
        let mut profiles = Profiles::default();
        profiles.add(config, Path::new("config"), FileKind::Config);
        profiles.add(credentials, Path::new("credentials"), FileKind::Credentials);
        profiles
    }

    fn words(chain: Result<Chain, Blamed>) -> String {
        let chain = match chain {
            Ok(chain) => chain,
            Err(blamed) => return format!("{:?}: {blamed}", blamed.trouble),
        };
        let base = match chain.base {
            Base::Keys { access_key, token, .. } => {
                format!("keys {access_key}{}", token.map(|_| " token").unwrap_or_default())
            }
            Base::Process { command } => format!("process {command}"),
            Base::Sso(SsoSource { token, region, account, role, .. }) => {
                format!("sso {token} {region} {account} {role}")
            }
            Base::Login { session } => format!("login {session}"),
            Base::Web { role, file, .. } => format!("web {role} {file}"),
            Base::Environment => "environment".to_owned(),
            Base::Container => "container".to_owned(),
            Base::Instance => "instance".to_owned(),
        };
        let roles = chain
            .roles
            .iter()
            .map(|role| format!(" > {}{}", role.role, role.mfa.as_ref().map(|_| " mfa").unwrap_or_default()));
        format!("{} {base}{}", chain.profile, roles.collect::<String>())
    }

    #[test]
    fn every_source_of_credentials_is_known() {
        let config = "[profile sso]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = Ops\n\
            [sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp\n\
            [profile old-sso]\nsso_start_url = https://old\nsso_region = us-east-1\nsso_account_id = 2\nsso_role_name = Read\n\
            [profile lost-sso]\nsso_session = gone\nsso_account_id = 1\nsso_role_name = Ops\n\
            [profile half-sso]\nsso_session = corp\nsso_account_id = 1\n\
            [profile signed-in]\nlogin_session = arn:aws:iam::1:user/ann\n\
            [profile helper]\ncredential_process = vault export\naws_access_key_id = C\naws_secret_access_key = c\n\
            [profile pod]\nrole_arn = arn:pod\nweb_identity_token_file = /token\n\
            [profile half-pod]\nweb_identity_token_file = /token\n\
            [profile role]\nrole_arn = arn:role\nsource_profile = sso\nmfa_serial = arn:mfa\n\
            [profile second]\nrole_arn = arn:second\nsource_profile = role\n\
            [profile self]\nrole_arn = arn:self\nsource_profile = self\naws_access_key_id = S\naws_secret_access_key = s\n\
            [profile loop]\nrole_arn = arn:loop\nsource_profile = loop2\n[profile loop2]\nrole_arn = arn:loop\nsource_profile = loop\n\
            [profile env]\nrole_arn = arn:env\ncredential_source = Environment\n\
            [profile ecs]\nrole_arn = arn:ecs\ncredential_source = EcsContainer\n\
            [profile ec2]\nrole_arn = arn:ec2\ncredential_source = ec2instancemetadata\n\
            [profile odd]\nrole_arn = arn:odd\ncredential_source = Magic\n\
            [profile both]\nrole_arn = arn:both\ncredential_source = Environment\nsource_profile = sso\n\
            [profile neither]\nrole_arn = arn:neither\n\
            [profile orphan]\nrole_arn = arn:orphan\nsource_profile = nobody\n\
            [profile empty]\nregion = eu-west-1\n[profile typo]\naws_acess_key_id\n\
            [profile over-keys]\nrole_arn = arn:over\nsource_profile = keyed\n[profile keyed]\nrole_arn = arn:x\nsource_profile = sso\n";
        let credentials = "[keyed]\naws_access_key_id = K\naws_secret_access_key = k\naws_session_token = t\n\
            [helper2]\naws_access_key_id = H\naws_secret_access_key = h\ncredential_process = never\n\
            [half]\naws_access_key_id = A\n[other half]\naws_secret_access_key = a\n";
        let profiles = profiles(config, credentials);
        let table = [
            ("sso", "sso sso corp eu-west-1 1 Ops"),
            ("old-sso", "old-sso sso https://old us-east-1 2 Read"),
            (
                "lost-sso",
                "Mistake { place: \"profile lost-sso in the AWS configuration files\" }: profile \"lost-sso\" cannot be used: there is no [sso-session gone], which it names",
            ),
            ("signed-in", "signed-in login arn:aws:iam::1:user/ann"),
            ("helper", "helper process vault export"),
            ("helper2", "helper2 keys H"),
            ("pod", "pod web arn:pod /token"),
            ("role", "sso sso corp eu-west-1 1 Ops > arn:role mfa"),
            ("second", "sso sso corp eu-west-1 1 Ops > arn:role mfa > arn:second"),
            ("self", "self keys S > arn:self"),
            ("over-keys", "keyed keys K token > arn:over"),
            ("env", "env environment > arn:env"),
            ("ecs", "ecs container > arn:ecs"),
            ("ec2", "ec2 instance > arn:ec2"),
        ];
        for (name, wanted) in table {
            assert_eq!(words(resolve(&profiles, name)), wanted, "{name}");
        }
        for (name, said) in [
            ("half-sso", "it uses SSO and has no `sso_role_name`"),
            ("half-pod", "no `role_arn`"),
            ("loop", "leads back to itself"),
            ("odd", "`credential_source` is none of"),
            ("both", "both `source_profile` and `credential_source`"),
            ("neither", "neither `source_profile` nor `credential_source`"),
            (
                "orphan",
                "no profile \"nobody\" in the AWS configuration files, which profile \"orphan\" names as its source",
            ),
            ("empty", "NoCredentials { profile: \"empty\" }: profile \"empty\" has no credentials"),
            ("typo", "line 50 of config: it has no `=`"),
            ("half", "no `aws_secret_access_key`"),
            ("other half", "no `aws_access_key_id`"),
            ("nobody", "NoProfile { profile: \"nobody\" }"),
        ] {
            let told = words(resolve(&profiles, name));
            let said = if name == "typo" { "of config: it has no `=`" } else { said };
            assert!(told.contains(said), "{name}: {told}");
        }
    }

    #[test]
    fn a_heading_that_is_not_closed_is_blamed_for_the_profile_that_is_missing() {
        let profiles = profiles("[profile dev\naws_access_key_id = A\n[profile other]\nregion = x\n", "");
        let told = words(resolve(&profiles, "dev"));
        assert!(told.contains("line 1 of config") && told.starts_with("Mistake"), "{told}");
    }
}
