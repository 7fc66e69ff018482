//! `opsctl init`: asks every profile who it is and which queues it sees, and writes a commented starter file.

use std::{collections::BTreeSet, fmt::Write as _, sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};

use super::{
    check::ENDPOINT_WORDS,
    places::{Source, shown},
    profiles::Profile,
    texts::Sort,
};
use crate::{
    cloud::Connect,
    domain::{
        AccountId, Advice, CredentialSource, Environment, EnvironmentName, Protection, QueueName, QueueRules, Text,
        Try, WatchRules, dead_letter_names,
    },
    files::output::{self, OutputError},
};

/// How long one profile may take, all its calls together.
pub const DEADLINE: Duration = Duration::from_secs(15);
const AT_ONCE: usize = 16;

/// An environment that could be, and how it answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovered {
    /// What was asked: its name, region, credentials and a guess at its protection.
    pub candidate: Environment,
    /// What it answered, or why not.
    pub found: Result<Found, Text>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub account: AccountId,
    /// Names of the queues, or why they could not be listed.
    pub queues: Result<Vec<QueueName>, Text>,
}

/// Environments that the profiles could be. Names are made of the profiles' names and are all different.
pub fn candidates(profiles: &[Profile]) -> Vec<Environment> {
    let mut taken = BTreeSet::new();
    let mut environments = Vec::new();
    for profile in profiles {
        let stem = plain_name(&profile.name);
        let mut name = stem.clone();
        let mut number = 1;
        while !taken.insert(name.to_lowercase()) {
            number += 1;
            name = format!("{stem}-{number}");
        }
        environments.push(Environment {
            protection: guess_protection(&name),
            colour: guess_colour(&name).map(str::to_owned),
            name: EnvironmentName(name),
            account: None,
            region: profile.region.clone().unwrap_or_default(),
            credentials: CredentialSource::Profile(profile.name.clone()),
            role_chain: Vec::new(),
            endpoint: profile.endpoint.clone(),
            queues: QueueRules::default(),
            watch: WatchRules::default(),
            services: crate::domain::service_rules::ServiceRules::default(),
            databases: crate::domain::environment::DatabaseRules::default(),
            invocation: crate::domain::Invocation::default(),
            login: Default::default(),
        });
    }
    environments
}

fn plain_name(profile: &str) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || letter == '_' { letter } else { '-' };
    let name: String = profile.chars().take(50).map(plain).collect();
    let name = name.trim_start_matches(['-', '_']);
    if name.is_empty() { "environment".to_owned() } else { name.to_owned() }
}

fn has_word(name: &str, words: &[&str]) -> bool {
    name.to_lowercase().split(['-', '_']).any(|part| words.contains(&part))
}

/// Only a name that surely is no production asks for less than `type-name`.
fn guess_protection(name: &str) -> Protection {
    let harmless = has_word(name, &["dev", "development", "test", "sandbox", "local"]);
    let production = has_word(name, &["prod", "production", "prd", "live"]);
    if harmless && !production { Protection::Confirm } else { Protection::TypeName }
}

fn guess_colour(name: &str) -> Option<&'static str> {
    let colours: [(&[&str], &str); 3] = [
        (&["prod", "production", "prd", "live"], "red"),
        (&["staging", "stage", "stg", "uat", "preprod"], "yellow"),
        (&["dev", "development", "test", "sandbox", "local"], "green"),
    ];
    colours.into_iter().find(|(words, _)| has_word(name, words)).map(|(_, colour)| colour)
}

/// Asks every candidate at once, each with a deadline. Reads only. Answers in the order given.
pub async fn discover(candidates: Vec<Environment>, connect: &Connect, deadline: Duration) -> Vec<Discovered> {
    let ask = |candidate: Environment| async move {
        let limit = connect.clock.real(deadline);
        let found = match tokio::time::timeout(limit, ask(candidate.clone(), connect)).await {
            Ok(found) => found,
            Err(_) => Err(Text::line(&format!("no answer within {} s", deadline.as_secs()))),
        };
        Discovered { candidate, found }
    };
    stream::iter(candidates).map(ask).buffered(AT_ONCE).collect().await
}

async fn ask(candidate: Environment, connect: &Connect) -> Result<Found, Text> {
    if let Err(complaint) = Sort::Region.check(&candidate.region) {
        let because =
            if candidate.region.is_empty() { "the profile has no region" } else { complaint.message.as_str() };
        return Err(Text::line(because));
    }
    if candidate.endpoint.as_ref().is_some_and(|endpoint| Sort::Endpoint.check(endpoint).is_err()) {
        return Err(Text::line("its `endpoint_url` is not a URL like http://127.0.0.1:4566"));
    }
    let words = |error: crate::cloud::CloudError| Text::line(&error.to_string());
    let cloud = connect.cloud(Arc::new(candidate)).await.map_err(words)?;
    let caller = cloud.identity.caller().await.map_err(words)?;
    let urls = cloud.sqs.list(None).await;
    let queues = urls.map(|urls| urls.iter().map(crate::domain::QueueUrl::name).collect()).map_err(words);
    Ok(Found { account: caller.account, queues })
}

pub fn render(discovered: &[Discovered]) -> String {
    let mut text = String::from(
        "# Configuration of opsctl, begun by `opsctl init`. Read it through: protections are guesses by name.\n\
         # `opsctl config check` looks for mistakes, `opsctl config schema` helps editors,\n\
         # docs/opsctl.example.toml shows every key.\n",
    );
    let reached: Vec<(&Environment, &Found)> =
        discovered.iter().filter_map(|one| Some((&one.candidate, one.found.as_ref().ok()?))).collect();
    for (environment, found) in &reached {
        push_environment(&mut text, environment, found);
    }
    for one in discovered {
        if let Err(because) = &one.found {
            push_unreached(&mut text, &one.candidate, because);
        }
    }
    if reached.is_empty() {
        text.push_str(
            "\n# No account answered. Fill in one by hand; `aws sts get-caller-identity` tells the account.\n\
             #[environments.dev]\n#account = \"111122223333\"\n#region = \"af-south-1\"\n#profile = \"default\"\n\
             #protection = \"confirm\"\n",
        );
    }
    text
}

fn push_environment(text: &mut String, environment: &Environment, found: &Found) {
    let name = &environment.name.0;
    // Writing to a String cannot fail.
    let _ = write!(text, "\n[environments.{name}]\naccount = {}\n", quoted(&found.account.0));
    push_reach(text, environment, "");
    let _ = writeln!(text, "protection = \"{}\"", environment.protection);
    if let Some(colour) = &environment.colour {
        let _ = writeln!(text, "colour = {}", quoted(colour));
    }
    match &found.queues {
        Err(because) => {
            let _ = writeln!(text, "# Its queues could not be listed: {}", Text::line(because.as_str()));
        }
        Ok(queues) => {
            let _ = writeln!(
                text,
                "# {} found.",
                if queues.len() == 1 { "1 queue".into() } else { format!("{} queues", queues.len()) }
            );
            let pairs = guess_pairs(queues);
            if !pairs.is_empty() {
                let _ = writeln!(text, "\n[environments.{name}.queues]\n# DLQs that their names tell.\npairs = [");
                for (source, dead_letter) in pairs {
                    let _ = writeln!(text, "  {{ source = \"{source}\", dead_letter = \"{dead_letter}\" }},");
                }
                text.push_str("]\n");
            }
        }
    }
}

fn push_unreached(text: &mut String, environment: &Environment, because: &Text) {
    let _ = write!(text, "\n# Did not answer: {}\n", Text::line(because.as_str()));
    let _ = writeln!(text, "#[environments.{}]\n#account = \"\"", environment.name);
    push_reach(text, environment, "#");
}

fn push_reach(text: &mut String, environment: &Environment, mark: &str) {
    let _ = writeln!(text, "{mark}region = {}", quoted(&environment.region));
    if let CredentialSource::Profile(profile) = &environment.credentials {
        let _ = writeln!(text, "{mark}profile = {}", quoted(profile));
    }
    if let Some(endpoint) = &environment.endpoint {
        let _ = writeln!(text, "# The profile's own endpoint, not AWS.");
        let _ = writeln!(text, "{mark}endpoint = {}", quoted(endpoint));
        if environment.protection == Protection::TypeName {
            let _ = writeln!(text, "{mark}endpoint_allowed = {}", quoted(ENDPOINT_WORDS));
        }
    }
}

/// A TOML string, on one line.
fn quoted(text: &str) -> String {
    toml::Value::String(Text::line(text).to_string()).to_string()
}

/// The ways of naming that DLQs and their queues follow here: each pair of queues is told by one of them.
fn guess_pairs(queues: &[QueueName]) -> Vec<(String, String)> {
    let names: BTreeSet<&str> = queues.iter().map(QueueName::as_str).collect();
    let mut told = BTreeSet::new();
    let mut tells_more = |pair: &(String, String)| {
        let rules = QueueRules { pairs: vec![pair.clone()], ..QueueRules::default() };
        let before = told.len();
        for name in &names {
            let source = rules.sources_by_name(name).find(|source| names.contains(source.as_str()));
            told.extend(source.map(|source| (*name, source)));
        }
        told.len() > before
    };
    dead_letter_names::patterns().filter(|pair| tells_more(pair)).collect()
}

#[derive(Debug, thiserror::Error)]
pub enum InitError {
    #[error("{0} exists already, and is left as it is")]
    Exists(Source),
    #[error("cannot write {0}: {1}")]
    Unwritable(Source, std::io::Error),
}

impl InitError {
    pub fn hint(&self) -> Advice {
        match self {
            Self::Exists(_) => Try::MendFile.says("name another with --config, or move it away first"),
            Self::Unwritable(..) => Try::MendFile.says("name a file that you may write with --config"),
        }
    }
}

/// Refuses a target that is there already: asked first, so that nobody waits for the profiles in vain.
///
/// # Errors
/// [`InitError::Exists`].
pub fn vacant(target: &Source) -> Result<(), InitError> {
    if target.path.symlink_metadata().is_ok() { Err(InitError::Exists(target.clone())) } else { Ok(()) }
}

/// Writes a file that does not exist yet, and the folders that lead to it.
///
/// # Errors
/// There is one already; the system refuses.
pub fn write(target: &Source, text: &str) -> Result<(), InitError> {
    if let Some(folder) = target.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| InitError::Unwritable(target.clone(), error))?;
    }
    output::write(&target.path, text.as_bytes(), false).map_err(|error| match error {
        OutputError::Exists(_) | OutputError::Folder(_) => InitError::Exists(target.clone()),
        OutputError::Unwritten { because, .. } => InitError::Unwritable(target.clone(), because),
    })
}

pub fn summary(target: &Source, discovered: &[Discovered]) -> String {
    let reached = discovered.iter().filter(|one| one.found.is_ok()).count();
    let all = discovered.len();
    format!(
        "wrote {}: {reached} of {all} profiles answered; next: {}",
        shown(&target.path),
        target.invocation().command("config check")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::Clock,
        config::{Paint, Why, examine},
    };

    fn profile(name: &str, region: Option<&str>) -> Profile {
        Profile { name: name.into(), region: region.map(str::to_owned), endpoint: None }
    }

    fn target(path: std::path::PathBuf) -> Source {
        Source { path, why: Why::UserFolder }
    }

    #[test]
    fn names_are_plain_and_different_and_only_harmless_names_ask_for_less() {
        let found = candidates(&[
            profile("storo dev", Some("af-south-1")),
            profile("storo-dev", None),
            profile("dev-prod", None),
            profile("\u{1b}[31m", None),
            profile("device", None),
        ]);
        let seen: Vec<(&str, Protection, Option<&str>)> =
            found.iter().map(|one| (one.name.0.as_str(), one.protection, one.colour.as_deref())).collect();
        assert_eq!(
            seen,
            [
                ("storo-dev", Protection::Confirm, Some("green")),
                ("storo-dev-2", Protection::Confirm, Some("green")),
                ("dev-prod", Protection::TypeName, Some("red")),
                ("31m", Protection::TypeName, None),
                ("device", Protection::TypeName, None),
            ]
        );
    }

    #[test]
    fn the_starter_file_is_good_whatever_was_answered() {
        let hostile = Text::line("no \"such\" thing\n[environments.x]\u{1b}[2J");
        let queues = ["orders", "orders-dlq", "events.fifo", "events-dlq.fifo", "lonely_dlq"].map(QueueName::from);
        let emulator =
            |name| Profile { endpoint: Some("http://127.0.0.1:4566".to_owned()), ..profile(name, Some("sa-east-1")) };
        let mut asked = candidates(&[profile("storo-dev", Some("af-south-1")), emulator("prod")]);
        asked.extend(candidates(&[profile("it's \"odd\" \\", Some("eu-west-1")), profile("gone", None)]));
        let account = AccountId("111122223333".into());
        let found = [
            Ok(Found { account: account.clone(), queues: Ok(queues.to_vec()) }),
            Ok(Found { account: account.clone(), queues: Err(hostile.clone()) }),
            Ok(Found { account, queues: Ok(Vec::new()) }),
            Err(hostile),
        ];
        let discovered: Vec<Discovered> =
            asked.into_iter().zip(found).map(|(candidate, found)| Discovered { candidate, found }).collect();
        let text = render(&discovered);
        let (report, bound) = examine(target("opsctl.toml".into()), text.clone());
        assert!(report.problems.list.is_empty(), "{}\n{text}", report.render(Paint::Plain));
        assert_eq!(report.environments, ["storo-dev", "prod", "it-s--odd---"]);
        let dev = bound[0].with_parameters(&Default::default()).expect("no parameters");
        assert!(dev.queues.sources_by_name("events-dlq.fifo").any(|name| name == "events.fifo"));
        assert!(dev.queues.sources_by_name("orders-dlq").any(|name| name == "orders"));
        assert_eq!(dev.queues.pairs.len(), 2, "`lonely_dlq` has no queue: {text}");
        assert_eq!(bound[1].reach().endpoint.as_deref(), Some("http://127.0.0.1:4566"), "{text}");
        assert_eq!(bound[2].reach().credentials, CredentialSource::Profile("it's \"odd\" \\".into()));
        assert!(
            text.contains("# Did not answer: no \"such\" thing [environments.x]␛[2J\n#[environments.gone]"),
            "{text}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_profile_without_region_is_not_asked() {
        let mut connect = Connect::network(Clock::system());
        connect.http = None;
        let found = discover(candidates(&[profile("a", None)]), &connect, DEADLINE).await;
        assert_eq!(found[0].found.as_ref().map_err(Text::as_str), Err("the profile has no region"));
        assert!(render(&found).contains("# No account answered."));
    }

    #[test]
    fn a_file_that_is_there_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let target = target(folder.path().join("new/opsctl.toml"));
        vacant(&target).expect("nothing there");
        write(&target, "first").expect("written, with its folder");
        let error = write(&target, "second").expect_err("it exists");
        assert!(matches!(error, InitError::Exists(_)), "{error}");
        assert!(vacant(&target).is_err());
        assert_eq!(std::fs::read_to_string(&target.path).expect("there"), "first");
    }
}
