//! [`Helper`]: a `credential_process`, which may ask a person and so take its time.
//!
//! A call waits for it a few seconds only. The program goes on meanwhile, once for all who need it, and the next call takes what it has
//! said.

use std::{
    collections::BTreeMap,
    process::Stdio,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, error::CredentialsError, future},
};
use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use tokio::{io::AsyncReadExt, process::Command, time::Instant};

use super::{Blamed, Clock, Trouble, blame};

/// How long a call waits for it: less than the deadline of finding credentials, so that the error says what it was.
const CALL_TIME: Duration = Duration::from_millis(3_500);
/// How long a call waits at least.
const LEAST_TIME: Duration = Duration::from_millis(100);
/// A program that failed is not run again at once: every client of an environment asks.
const FAILURE_HELD: SignedDuration = SignedDuration::from_secs(5);
/// How long a person may take.
pub(super) const PERSON_TIME: SignedDuration = SignedDuration::from_mins(5);
/// Credentials are renewed before they end.
const RENEWED_BEFORE: SignedDuration = SignedDuration::from_mins(1);
/// Credentials that name no end are asked for again after so long.
const HELD: SignedDuration = SignedDuration::from_mins(15);
/// What a program says, at most.
const BYTES_MAX: u64 = 65_536;

type Said = Result<Credentials, String>;
type Run = Shared<BoxFuture<'static, Said>>;

/// Every helper of the process, by its command: two environments that use one ask it once.
#[derive(Debug, Clone, Default)]
pub(in crate::cloud) struct Helpers(Arc<Mutex<BTreeMap<String, Arc<Helper>>>>);

impl Helpers {
    pub(super) fn of(&self, command: &str, profile: &str, clock: Clock) -> Arc<Helper> {
        let mut helpers = locked(&self.0);
        let helper = helpers.entry(command.to_owned()).or_insert_with(|| {
            Arc::new(Helper {
                command: command.to_owned(),
                profile: profile.to_owned(),
                clock,
                state: Mutex::default(),
            })
        });
        Arc::clone(helper)
    }
}

pub(super) struct Helper {
    command: String,
    profile: String,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What it said last, for as long as that is good.
    held: Option<(Said, Timestamp)>,
    under_way: Option<(Run, Instant)>,
}

impl Helper {
    /// The program's name, without its arguments: those may be secrets.
    pub(super) fn program(&self) -> &str {
        program(&self.command)
    }

    async fn credentials(&self) -> Result<Credentials, CredentialsError> {
        let run = {
            let mut state = locked(&self.state);
            let now = self.clock.now();
            if let Some((said, until)) = &state.held
                && now < *until
            {
                return said.clone().map_err(|what| self.failed(&what));
            }
            state.held = None;
            state.under_way.get_or_insert_with(|| (begun(&self.command), Instant::now())).clone()
        };
        let (run, since) = run;
        // Calls come one after the other: what one has waited for, the next need not wait for as long.
        let patience = CALL_TIME.saturating_sub(since.elapsed()).max(LEAST_TIME);
        let Ok(said) = tokio::time::timeout(patience, run).await else {
            let program = self.program();
            let words = format!(
                "the credential_process of profile {:?}, {program}, has not answered after {:.1} s: it may be waiting for a person",
                self.profile,
                CALL_TIME.as_secs_f64()
            );
            let (profile, program) = (self.profile.clone(), program.to_owned());
            return Err(blame(Blamed { trouble: Trouble::HelperWaits { profile, program }, words }));
        };
        let now = self.clock.now();
        let until = match said.as_ref().map(|credentials| credentials.expiry().map(Timestamp::try_from)) {
            Ok(Some(Ok(ends))) => ends - RENEWED_BEFORE,
            Ok(Some(Err(_)) | None) => now + HELD,
            Err(_) => now + FAILURE_HELD,
        };
        let mut state = locked(&self.state);
        state.under_way = None;
        state.held = Some((said.clone(), until));
        said.map_err(|what| self.failed(&what))
    }

    fn failed(&self, what: &str) -> CredentialsError {
        let program = self.program();
        let words = format!("the credential_process of profile {:?}, {program}, {what}", self.profile);
        let (profile, program) = (self.profile.clone(), program.to_owned());
        blame(Blamed { trouble: Trouble::HelperFails { profile, program }, words })
    }
}

impl std::fmt::Debug for Helper {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Helper").field("program", &self.program()).finish_non_exhaustive()
    }
}

impl ProvideCredentials for Helper {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The first word of a command line, without the folder it is in.
pub(super) fn program(command: &str) -> &str {
    let command = command.trim_start();
    let word = match command.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
        Some((quoted, _)) => quoted,
        None => command.split_whitespace().next().unwrap_or_default(),
    };
    word.rsplit(['/', '\\']).next().unwrap_or(word)
}

/// As a word of a shell's command line.
pub(super) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// The program runs on, whoever stops waiting.
fn begun(command: &str) -> Run {
    let running = tokio::spawn(run(command.to_owned()));
    async move { running.await.unwrap_or_else(|_| Err("was ended".to_owned())) }.boxed().shared()
}

async fn run(command: String) -> Said {
    let mut process = Command::new("sh");
    process
        .arg("-c")
        .arg(command)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = process.spawn().map_err(|error| format!("cannot be started: {error}"))?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let whole = async {
        let (out, err, status) = tokio::join!(read(out), read(err), child.wait());
        (out, err, status)
    };
    let time = Duration::try_from(PERSON_TIME).unwrap_or(Duration::MAX);
    let Ok((out, err, status)) = tokio::time::timeout(time, whole).await else {
        return Err(format!("did not answer within {} min", PERSON_TIME.as_mins()));
    };
    let status = status.map_err(|error| format!("cannot be waited for: {error}"))?;
    if !status.success() {
        let said = String::from_utf8_lossy(&err);
        let last =
            said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it says nothing on standard error");
        let code = status.code().map_or("a signal".to_owned(), |code| code.to_string());
        return Err(format!("ended with {code}: {}", last.trim()));
    }
    understood(&out)
}

async fn read(from: Option<impl tokio::io::AsyncRead + Unpin>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        // What was read until then is all there is.
        let _ = from.take(BYTES_MAX).read_to_end(&mut bytes).await;
    }
    bytes
}

/// What a `credential_process` prints (AWS SDKs and Tools Reference Guide, "Process credential provider").
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Printed {
    version: i64,
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    expiration: Option<String>,
}

fn understood(out: &[u8]) -> Said {
    // The text itself may be a secret: only what is wrong with it is told.
    let printed: Printed = serde_json::from_slice(out).map_err(|error| {
        format!("does not print what is expected of it: {} at line {}", category(&error), error.line())
    })?;
    if printed.version != 1 {
        return Err(format!("prints version {}, and 1 is the only one known", printed.version));
    }
    let expiry = match printed.expiration.as_deref().map(str::parse::<Timestamp>) {
        None => None,
        Some(Ok(at)) => Some(SystemTime::from(at)),
        Some(Err(_)) => return Err("prints an Expiration that is no time".to_owned()),
    };
    Ok(Credentials::new(printed.access_key_id, printed.secret_access_key, printed.session_token, expiry, "opsctl"))
}

fn category(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Eof => "it ends too early",
        serde_json::error::Category::Syntax => "it is not JSON",
        serde_json::error::Category::Data => "AccessKeyId, SecretAccessKey or Version is missing",
        serde_json::error::Category::Io => "it cannot be read",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::classify;

    #[test]
    fn a_program_is_named_without_its_folder_and_arguments() {
        for (command, name) in [
            ("/opt/bin/vault export --token s3cret", "vault"),
            ("\"/opt/my tools/vault\" x", "vault"),
            ("  aws-vault exec dev", "aws-vault"),
            ("", ""),
        ] {
            assert_eq!(program(command), name);
        }
        assert_eq!(quoted("o'neil dev"), "'o'\\''neil dev'");
    }

    async fn said(command: &str) -> Result<String, Blamed> {
        let helper = Helpers::default().of(command, "dev", Clock::system());
        let said = helper.credentials().await;
        said.map(|found| found.access_key_id().to_owned())
            .map_err(|error| classify::find::<Blamed>(&error).expect("it is blamed").clone())
    }

    #[tokio::test]
    async fn what_a_helper_says_wrong_is_told_of_the_helper() {
        let good =
            r#"echo '{"Version":1,"AccessKeyId":"A","SecretAccessKey":"s","Expiration":"2099-01-01T00:00:00Z"}'"#;
        assert_eq!(said(good).await.as_deref(), Ok("A"));
        for (command, words) in [
            ("echo no such vault >&2; exit 3", "echo, ended with 3: no such vault"),
            ("exit 1", "ended with 1: it says nothing"),
            ("/nowhere/vault", "vault, ended with 127"),
            ("echo s3cret", "it is not JSON"),
            (r#"echo '{"Version":1}'"#, "AccessKeyId, SecretAccessKey or Version is missing"),
            (r#"echo '{"Version":2,"AccessKeyId":"A","SecretAccessKey":"s"}'"#, "prints version 2"),
            (r#"echo '{"Version":1,"AccessKeyId":"A","SecretAccessKey":"s","Expiration":"soon"}'"#, "no time"),
        ] {
            let blamed = said(command).await.expect_err("it fails");
            assert!(blamed.words.contains(words) && !blamed.words.contains("s3cret"), "{command}: {blamed}");
            assert!(matches!(blamed.trouble, Trouble::HelperFails { .. }), "{command}");
        }
    }

    #[tokio::test]
    async fn a_helper_that_waits_is_run_once_and_taken_when_it_has_answered() {
        let folder = tempfile::tempdir().expect("a folder");
        let runs = folder.path().join("runs");
        let command = format!(
            r#"echo run >> {0}; sleep 4.5; echo '{{"Version":1,"AccessKeyId":"A","SecretAccessKey":"s"}}'"#,
            runs.display()
        );
        let helper = Helpers::default().of(&command, "dev", Clock::system());
        let (one, two) = tokio::join!(helper.credentials(), helper.credentials());
        for waits in [one, two] {
            let error = waits.expect_err("it waits for somebody");
            let blamed = classify::find::<Blamed>(&error).expect("the helper is blamed");
            assert_eq!(blamed.trouble, Trouble::HelperWaits { profile: "dev".into(), program: "echo".into() });
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(helper.credentials().await.expect("it answered").access_key_id(), "A");
        assert_eq!(helper.credentials().await.expect("it is held").access_key_id(), "A");
        assert_eq!(std::fs::read_to_string(runs).expect("it ran").lines().count(), 1);
    }
}
