//! Completion of environments, queues, services, databases, outboxes and runs: from the configuration and from files that earlier commands
//! left, never from AWS.

use std::{
    ffi::OsStr,
    fs,
    io::{Read, Write},
    path::PathBuf,
    sync::Arc,
};

use clap_complete::CompletionCandidate;
use serde::{Deserialize, Serialize};

use super::{
    paths::{self, Realm},
    world::name_outboxes,
};
use crate::{
    config::{self, Configured, Places},
    domain::{Environment, Relay, RunId, Text},
    drill::shelf as drill,
    keymap::query::{Class, Query, Search},
    runbook::shelf::{self, Shelf},
    sandbox::fleet,
};

/// Largest file of names read, in bytes.
const BYTES_MAX: u64 = 8 * 1_048_576;
const RUNS_MAX: usize = 50;
/// Places whose names are kept at most, those listed last.
const PLACES_MAX: usize = 1_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Queue,
    /// Services: `cluster/name`.
    Service,
    Database,
}

/// Names of one kind in one place, as last seen there.
#[derive(Debug, Serialize, Deserialize)]
struct Listed {
    place: Place,
    kind: Kind,
    names: Vec<String>,
}

/// Where names were listed. An environment of the same name in another configuration, or one that has moved to another account, is
/// another place: its names are never offered for this one.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    environment: String,
    account: Option<String>,
    region: String,
    endpoint: Option<String>,
}

impl Place {
    fn of(environment: &Environment, realm: Realm) -> Self {
        Self {
            environment: environment.name.0.clone(),
            account: environment.account.as_ref().map(|account| account.0.clone()),
            region: environment.region.clone(),
            // A sandbox is served at another port each time.
            endpoint: if realm == Realm::Sandbox { None } else { environment.endpoint.clone() },
        }
    }
}

fn file(realm: Realm) -> Option<PathBuf> {
    paths::cache(realm).map(|folder| folder.join("listed.json"))
}

fn read(realm: Realm) -> Vec<Listed> {
    let text = file(realm).and_then(|path| fs::File::open(path).ok()).and_then(|opened| {
        let mut text = String::new();
        opened.take(BYTES_MAX).read_to_string(&mut text).ok()?;
        Some(text)
    });
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

/// Keeps the names of things just listed. Failing to is no failure: completion is a courtesy.
pub fn remember<'a>(realm: Realm, kind: Kind, listed: impl IntoIterator<Item = (&'a Environment, Vec<String>)>) {
    let Some(path) = file(realm) else { return };
    let mut known = read(realm);
    for (environment, names) in listed {
        let place = Place::of(environment, realm);
        known.retain(|one| one.kind != kind || one.place != place);
        known.push(Listed { place, kind, names });
    }
    let first = known.len().saturating_sub(PLACES_MAX);
    let known = &known[first..];
    let write = || -> std::io::Result<()> {
        let folder = path.parent().unwrap_or(&path);
        fs::create_dir_all(folder)?;
        let mut new = tempfile::NamedTempFile::new_in(folder)?;
        new.write_all(&serde_json::to_vec(known)?)?;
        new.persist(&path).map_err(|error| error.error)?;
        Ok(())
    };
    if let Err(error) = write() {
        tracing::debug!(%error, "names for completion were not kept");
    }
}

/// Environments: those of the configuration, or of the sandbox.
pub fn environments(typed: &OsStr) -> Vec<CompletionCandidate> {
    candidates(Line::of_process().places().into_iter().map(|place| place.environment).collect(), typed)
}

/// Queues, of the environments that the line names if it names any.
pub fn queues(typed: &OsStr) -> Vec<CompletionCandidate> {
    listed(Kind::Queue, typed)
}

/// Services, likewise: by `cluster/name` and by name.
pub fn services(typed: &OsStr) -> Vec<CompletionCandidate> {
    listed(Kind::Service, typed)
}

/// Databases and global clusters, likewise.
pub fn databases(typed: &OsStr) -> Vec<CompletionCandidate> {
    listed(Kind::Database, typed)
}

/// Outboxes of the configuration, of the environment that the line names if it names one.
pub fn outboxes(typed: &OsStr) -> Vec<CompletionCandidate> {
    configured(typed, |environment| environment.databases.outboxes.iter().map(|outbox| outbox.name.clone()).collect())
}

/// Connections, likewise.
pub fn connections(typed: &OsStr) -> Vec<CompletionCandidate> {
    configured(typed, |environment| environment.databases.connections.iter().map(|one| one.name.clone()).collect())
}

/// EventBridge rules that start relays, likewise: of others nothing is known without asking AWS.
pub fn rules(typed: &OsStr) -> Vec<CompletionCandidate> {
    configured(typed, |environment| relays(environment).filter_map(|(_, rule)| rule).collect())
}

/// Lambda functions that are relays, likewise.
pub fn functions(typed: &OsStr) -> Vec<CompletionCandidate> {
    configured(typed, |environment| relays(environment).map(|(function, _)| function).collect())
}

fn relays(environment: &Environment) -> impl Iterator<Item = (String, Option<String>)> {
    environment.databases.outboxes.iter().filter_map(|outbox| match &outbox.relay {
        Relay::Function { function, rule } => Some((function.clone(), rule.clone())),
        Relay::Unknown | Relay::Nobody | Relay::Service(_) | Relay::Lock(_) => None,
    })
}

fn configured(typed: &OsStr, names: fn(&Environment) -> Vec<String>) -> Vec<CompletionCandidate> {
    let line = Line::of_process();
    let mut environments = line.environments();
    environments.retain(|one| line.environments.is_empty() || line.environments.contains(&one.name.0));
    candidates(environments.iter().flat_map(|environment| names(environment)).collect(), typed)
}

fn listed(kind: Kind, typed: &OsStr) -> Vec<CompletionCandidate> {
    let line = Line::of_process();
    let mut places = line.places();
    places.retain(|place| line.environments.is_empty() || line.environments.contains(&place.environment));
    let listed = read(line.realm()).into_iter().filter(|one| one.kind == kind && places.contains(&one.place));
    candidates(listed.flat_map(|one| one.names).collect(), typed)
}

/// Runbooks by name.
pub fn runbooks(typed: &OsStr) -> Vec<CompletionCandidate> {
    let folder = Places::of_process(None).beside(shelf::FOLDER);
    candidates(Shelf { folder }.names().unwrap_or_default(), typed)
}

/// Drills by name.
pub fn drills(typed: &OsStr) -> Vec<CompletionCandidate> {
    let folder = Places::of_process(None).beside(drill::FOLDER);
    candidates(drill::names(folder.as_deref()).unwrap_or_default(), typed)
}

/// Runs, newest first; not those of a sandbox, which would have to be asked who it is.
pub fn runs(typed: &OsStr) -> Vec<CompletionCandidate> {
    let realm = Line::of_process().realm();
    let folder = (realm == Realm::Aws).then(paths::state).flatten().map(|folder| folder.join("runs"));
    let entries = folder.and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.retain(|name| name.parse::<RunId>().is_ok());
    names.sort_by(|left, right| right.cmp(left));
    names.truncate(RUNS_MAX);
    fitting(names, typed).into_iter().map(CompletionCandidate::new).collect()
}

fn candidates(mut names: Vec<String>, typed: &OsStr) -> Vec<CompletionCandidate> {
    names.sort();
    names.dedup();
    // A name that is not safe to show is not offered either: it would be typed into the shell.
    names.retain(|name| Text::line(name).as_str() == name && !name.contains(char::is_whitespace));
    fitting(names, typed).into_iter().map(CompletionCandidate::new).collect()
}

/// Names that fit what is typed, as in the console's lists. Where some begin with it, only those: a shell goes on from what was
/// typed, and what is named so is meant.
fn fitting(names: Vec<String>, typed: &OsStr) -> Vec<String> {
    let (query, mut search) = (Query::parse(&typed.to_string_lossy()), Search::default());
    let mut found: Vec<_> =
        names.into_iter().filter_map(|name| Some((search.fit(&query, &name, &[""])?, name))).collect();
    // Stable: equals stay in their order.
    found.sort_by_key(|(fit, _)| *fit);
    let begins = found.iter().any(|(fit, _)| fit.class <= Class::Prefix);
    found.into_iter().filter(|(fit, _)| !begins || fit.class <= Class::Prefix).map(|(_, name)| name).collect()
}

/// What the line under completion says already.
struct Line {
    /// Those that the line names.
    environments: Vec<String>,
    config: Option<PathBuf>,
    sandbox: bool,
}

impl Line {
    fn of_process() -> Self {
        Self::of(&std::env::args().collect::<Vec<String>>())
    }

    fn of(words: &[String]) -> Self {
        fn values<'a>(words: &'a [String], names: &'a [&str]) -> impl Iterator<Item = String> + 'a {
            words.iter().enumerate().filter_map(|(at, word)| match word.split_once('=') {
                Some((name, value)) if names.contains(&name) => Some(value.to_owned()),
                _ if names.contains(&word.as_str()) => words.get(at + 1).cloned(),
                _ => None,
            })
        }
        Self {
            environments: values(words, &["--env", "-e"]).filter(|name| !name.is_empty()).collect(),
            config: values(words, &["--config"]).next().map(PathBuf::from),
            sandbox: words.iter().any(|word| word == "--sandbox"),
        }
    }

    /// Where the line can lead to.
    fn places(&self) -> Vec<Place> {
        self.environments().iter().map(|environment| Place::of(environment, self.realm())).collect()
    }

    fn environments(&self) -> Vec<Arc<Environment>> {
        match self.realm() {
            Realm::Sandbox => {
                let mut environments = fleet::environments();
                environments.iter_mut().for_each(name_outboxes);
                environments.into_iter().map(Arc::new).collect()
            }
            Realm::Aws => {
                let config = config::load(&Places::of_process(self.config.clone())).ok();
                config.iter().flat_map(|config| &config.environments).map(Configured::reach).collect()
            }
        }
    }

    fn realm(&self) -> Realm {
        if self.sandbox { Realm::Sandbox } else { Realm::Aws }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_with_the_word_is_offered_or_else_what_has_it_in_it() {
        let names = || ["contracts-dlq", "cts-dlq", "cts-dlq-archive", "orders"].map(str::to_owned).to_vec();
        let offered = |typed: &str| fitting(names(), OsStr::new(typed));
        assert_eq!(offered(""), names());
        assert_eq!(offered("cts-dlq"), ["cts-dlq", "cts-dlq-archive"]);
        assert_eq!(offered("tracts"), ["contracts-dlq"]);
        assert_eq!(offered("ctdq"), Vec::<String>::new());
        assert_eq!(offered("/dlq$/"), ["contracts-dlq", "cts-dlq"]);
    }

    #[test]
    fn the_line_is_understood() {
        let line = Line::of(&["opsctl", "--", "opsctl", "-e", "dev", "--sandbox", "--config=x"].map(str::to_owned));
        assert_eq!(line.environments, ["dev"]);
        assert_eq!((line.sandbox, line.config), (true, Some(PathBuf::from("x"))));
    }
}
