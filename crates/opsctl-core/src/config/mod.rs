//! `opsctl.toml`: the environments, how each is reached, how strictly a change is confirmed.
//!
//! Three stages, as for every file that a person writes: as typed ([`typed`]) -> checked, all problems at once
//! ([`crate::files`], [`check`]) -> bound to the domain's types ([`bound`]).

mod bound;
mod check;
mod connections;
mod databases;
mod envelopes;
mod example;
mod groups;
mod migrations;
mod outboxes;
mod texts;
mod typed;
mod watch;

pub mod init;
pub mod places;
pub mod profiles;

pub use crate::files::{Paint, Problem, Problems, Severity, problem};
pub use bound::{Config, Configured, ResolveError};
pub use check::{ENDPOINT_WORDS, PROTECTION_DEFAULT};
pub use example::example;
pub use places::{PlaceError, Places, Source, Why};

use std::sync::Arc;

use crate::{
    cloud::{login, profiles::Profiles},
    domain::{Advice, Text, Try},
    files::shape,
    keymap::{self, Keymap},
};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// A file with mistakes in it: [`Report::render`] shows them.
    #[error("{source} has {problems}", source = .0.source, problems = .0.problems)]
    Rejected(Box<Report>),
}

impl ConfigError {
    pub fn hint(&self) -> Advice {
        match self {
            Self::Place(error) => error.hint(),
            Self::Rejected(report) => {
                let check = report.source.invocation().command("config check");
                Try::Configure.says(format!("correct the file; `{check}` looks at it again"))
            }
        }
    }
}

/// What was found in a file: for `opsctl config check`, and inside [`ConfigError::Rejected`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub source: Source,
    /// The environments' names, as far as the file could be read.
    pub environments: Vec<String>,
    /// What is wrong with it: none, or only warnings, if it is taken.
    pub problems: Problems,
}

impl Report {
    pub fn is_good(&self) -> bool {
        self.problems.errors() == 0
    }

    /// Everything for people, without a last line feed: each problem, then one line that sums up.
    pub fn render(&self, paint: Paint) -> String {
        let mut text = self.problems.render(paint);
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        let verdict = if self.is_good() { "is good" } else { "is refused" };
        let count = self.environments.len();
        let environments = if count == 1 { "1 environment".to_owned() } else { format!("{count} environments") };
        text.push_str(&format!("{} {verdict}: {environments}, {}", self.source, self.problems));
        text
    }
}

/// Finds, reads, checks and binds the configuration.
///
/// # Errors
/// No file, or a file with mistakes: all of them.
pub fn load(places: &Places) -> Result<Config, ConfigError> {
    let (source, text) = places.read()?;
    let (report, mut environments, keymap) = read(source, text);
    if report.is_good() {
        let profiles = Profiles::read(&places.shell);
        for configured in &mut environments {
            let reach = Arc::make_mut(&mut configured.reach);
            reach.login = login(reach, &places.shell, &profiles);
        }
        return Ok(Config { source: report.source, environments, keymap, warnings: report.problems });
    }
    Err(ConfigError::Rejected(Box::new(report)))
}

/// Finds, reads and checks the configuration, without using it.
///
/// # Errors
/// No file to read. Mistakes in the file are no error here but in the report.
pub fn check(places: &Places) -> Result<Report, PlaceError> {
    let (source, text) = places.read()?;
    Ok(examine(source, text).0)
}

/// JSON Schema of the configuration file, for editors.
pub fn schema() -> String {
    let schema = shape::schema_of::<typed::File>(shape::Subschemas::Named);
    serde_json::to_string_pretty(&schema).expect("a schema is JSON already") + "\n"
}

/// Checks and binds `text` as if it stood in the file at `source`.
pub fn examine(source: Source, text: String) -> (Report, Vec<Configured>) {
    let (report, environments, _) = read(source, text);
    (report, environments)
}

fn read(source: Source, text: String) -> (Report, Vec<Configured>, Keymap) {
    let (file, mut problems) = shape::read::<typed::File>(&text);
    let invocation = source.invocation();
    let origin = Arc::new(bound::Origin { path: source.path.clone(), text: text.clone(), invocation });
    let (environments, more) = file.as_ref().map(|file| check::check(file, &origin)).unwrap_or_default();
    problems.extend(more);
    let (keymap, more) = keymap::bind(file.as_ref().and_then(|file| file.keymap.as_ref()));
    problems.extend(more);
    if problems.is_empty() && environments.is_empty() {
        let problem = Problem::error(0..0, "the file has no environment");
        problems.push(problem.help("add one: [environments.dev] with `account` and `region` below"));
    }
    let names = environments.iter().map(|environment| Text::line(&environment.name().0).to_string()).collect();
    let problems = Problems::new(&source.path, text, problems);
    (Report { source, environments: names, problems }, environments, keymap)
}
