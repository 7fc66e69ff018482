//! Sessions that the AWS CLI got and keeps in files: of roles that need an MFA code, and of `aws login`.
//!
//! A code is asked for by the AWS CLI alone; what it gets is good for every program of the same person. The files' names and contents are
//! those of `JSONFileCache` and of the login cache of botocore, 1.43.

use std::{path::PathBuf, sync::Arc, time::SystemTime};

use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, error::CredentialsError, future},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Assume, Blamed, Clock, Shell, Trouble, blame, helper::Helper};

/// A session that ends sooner is as good as over.
const LEAST: SignedDuration = SignedDuration::from_secs(60);
/// Largest file that is read, in bytes.
const BYTES_MAX: u64 = 65_536;

/// What a file holds, for as long as it is valid; else the trouble.
#[derive(Debug)]
pub(super) struct Kept {
    /// None: there is no home folder.
    pub(super) path: Option<PathBuf>,
    pub(super) clock: Clock,
    pub(super) trouble: Trouble,
}

/// The file in which the AWS CLI keeps the session of a role: its name is the SHA-1 of what `AssumeRole` was given, as Python's
/// `json.dumps(.., sort_keys=True)` writes it.
pub(super) fn of_role(shell: &Shell, role: &Assume, serial: &str) -> Option<PathBuf> {
    let text = |value: &str| Value::from(value).to_string();
    let mut given = Vec::new();
    given.extend(role.seconds.map(|seconds| format!("\"DurationSeconds\": {seconds}")));
    given.extend(role.external_id.as_ref().map(|id| format!("\"ExternalId\": {}", ascii(&text(id)))));
    given.push(format!("\"RoleArn\": {}", ascii(&text(&role.role))));
    given.extend(role.session_name.as_ref().map(|name| format!("\"RoleSessionName\": {}", ascii(&text(name)))));
    given.push(format!("\"SerialNumber\": {}", ascii(&text(serial))));
    let name = hex(&sha1::Sha1::digest(format!("{{{}}}", given.join(", "))));
    Some(shell.home()?.join(".aws/cli/cache").join(format!("{name}.json")))
}

/// The file of an `aws login` session.
pub(super) fn of_login(shell: &Shell, session: &str) -> Option<PathBuf> {
    let folder = match shell.get("AWS_LOGIN_CACHE_DIRECTORY") {
        Some(named) => shell.expanded(named),
        None => shell.home()?.join(".aws/login/cache"),
    };
    Some(folder.join(format!("{}.json", hex(&Sha256::digest(session.trim())))))
}

/// As Python's `json.dumps` writes what is not ASCII.
fn ascii(json: &str) -> String {
    let escaped = |mark: char| match mark.is_ascii() {
        true => mark.to_string(),
        false => mark.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
    };
    json.chars().map(escaped).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Kept {
    fn read(&self) -> Option<Credentials> {
        let path = self.path.as_ref()?;
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).ok()?;
        std::io::Read::read_to_end(&mut std::io::Read::take(file, BYTES_MAX), &mut bytes).ok()?;
        let kept: Value = serde_json::from_slice(&bytes).ok()?;
        let word = |of: &Value, name: &str| of.get(name)?.as_str().map(str::to_owned);
        let (found, names) = match (kept.get("Credentials"), kept.get("accessToken")) {
            (Some(found), _) => (found, ["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"]),
            (None, Some(found)) => (found, ["accessKeyId", "secretAccessKey", "sessionToken", "expiresAt"]),
            (None, None) => return None,
        };
        let [access_key, secret_key, token, ends] = names.map(|name| word(found, name));
        // botocore writes `+0000`, `+00:00` or `Z`, and `UTC` in older versions.
        let ends = ends?.replace("UTC", "Z");
        let ends: Timestamp = ends.parse().or_else(|_| Timestamp::strptime("%Y-%m-%dT%H:%M:%S%z", &ends)).ok()?;
        let is_valid = ends.duration_since(self.clock.now()) > LEAST;
        is_valid.then(|| {
            Credentials::new(
                access_key.unwrap_or_default(),
                secret_key.unwrap_or_default(),
                token,
                Some(SystemTime::from(ends)),
                "opsctl",
            )
        })
    }

    fn credentials(&self) -> Result<Credentials, CredentialsError> {
        self.read().ok_or_else(|| {
            let words = match &self.trouble {
                Trouble::Mfa { profile, serial } => {
                    format!("profile {profile:?} needs a code of the MFA device {serial}, and the AWS CLI has no session of it that is valid")
                }
                trouble => trouble.in_short(),
            };
            blame(Blamed { trouble: self.trouble.clone(), words })
        })
    }
}

impl ProvideCredentials for Kept {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(self.credentials())
    }
}

/// A session that a program renews.
#[derive(Debug)]
pub(super) struct Renewed {
    pub(super) kept: Kept,
    pub(super) renewal: Arc<Helper>,
}

impl ProvideCredentials for Renewed {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async move {
            match self.kept.credentials() {
                Ok(credentials) => Ok(credentials),
                // Where the AWS CLI can't renew it either, logging in again is what helps.
                Err(over) => self.renewal.provide_credentials().await.map_err(|_| over),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(external_id: Option<&str>, session_name: Option<&str>, seconds: Option<u32>) -> Assume {
        Assume {
            profile: "dev".into(),
            role: "arn:aws:iam::111111111111:role/Ops".into(),
            external_id: external_id.map(str::to_owned),
            session_name: session_name.map(str::to_owned),
            seconds,
            mfa: Some("arn:aws:iam::111111111111:mfa/ann".into()),
        }
    }

    /// Names that botocore 1.43.62 gave to its files.
    #[test]
    fn files_have_the_names_that_the_aws_cli_gives_them() {
        let shell = Shell::default().at_home(Some("ann".into()));
        let serial = "arn:aws:iam::111111111111:mfa/ann";
        for (role, name) in [
            (role(None, None, None), "f3825fef90dd5c305c46cd7e64e3ef765d43607c"),
            (role(Some("x\"\u{e9}"), Some("ann"), Some(3600)), "cc9f8f1be811788a26e2e25bd050a56e2e31c70a"),
        ] {
            let path = of_role(&shell, &role, serial).expect("a home folder");
            assert_eq!(path, PathBuf::from(format!("ann/.aws/cli/cache/{name}.json")));
        }
        let login = of_login(&shell, "arn:aws:iam::111111111111:user/ann").expect("a home folder");
        assert_eq!(
            login,
            PathBuf::from("ann/.aws/login/cache/0281ad524b3765540535faecc0afbde86ea8e926dc12fcf329f2e98722662da0.json")
        );
    }

    #[test]
    fn a_session_counts_as_long_as_it_is_valid() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("kept.json");
        let clock = Clock::virtual_from("2026-11-21T03:00:00Z".parse().expect("a time"), 1.0);
        let trouble = Trouble::Login { profile: "dev".into() };
        let kept = Kept { path: Some(path.clone()), clock, trouble };
        let role = |ends: &str| {
            format!(
                r#"{{"Credentials":{{"AccessKeyId":"A","SecretAccessKey":"s","SessionToken":"t","Expiration":"{ends}"}}}}"#
            )
        };
        let login = |ends: &str| {
            format!(
                r#"{{"accessToken":{{"accessKeyId":"A","secretAccessKey":"s","sessionToken":"t","expiresAt":"{ends}"}}}}"#
            )
        };
        for (text, is_valid) in [
            (role("2026-11-21T04:00:00Z"), true),
            (role("2026-11-21T04:00:00+00:00"), true),
            (role("2026-11-21T04:00:00+0000"), true),
            (role("2026-11-21T04:00:00UTC"), true),
            (role("2026-11-21T03:00:30Z"), false),
            (role("2026-11-21T02:00:00Z"), false),
            (role("later"), false),
            (login("2026-11-21T03:15:00Z"), true),
            (login("2026-11-21T02:15:00Z"), false),
            ("{}".to_owned(), false),
            ("no json".to_owned(), false),
        ] {
            std::fs::write(&path, &text).expect("written");
            assert_eq!(kept.credentials().is_ok(), is_valid, "{text}");
        }
        std::fs::remove_file(&path).expect("removed");
        assert!(kept.credentials().is_err());
    }
}
