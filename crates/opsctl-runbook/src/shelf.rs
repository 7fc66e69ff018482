//! [`Shelf`]: the runbooks that there are: those that opsctl brings, and the user's.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use crate::{
    Checked, Kind, Origin, Runbook, check,
    document::BYTES_MAX,
    domain::{
        Environment, Text,
        invocation::{option, quoted},
    },
    files::{Problem, Problems, problem::nearest},
    observe::{Subject, Verdict},
};

/// Files of a folder that are looked at.
const FILES_MAX: usize = 500;

/// The folder beside `opsctl.toml` that holds a user's runbooks.
pub const FOLDER: &str = "runbooks";

macro_rules! built_in {
    ($($name:literal,)*) => {
        /// What opsctl brings: name and text.
        pub const BUILT_IN: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../runbooks/", $name, ".md")))),*];

        /// Their tests: name, and the text of the file beside the runbook.
        pub const BUILT_IN_TESTS: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../runbooks/", $name, ".test.toml")))),*];
    };
}

// Each is in the program with its tests.
built_in! {
    "aurora-failover",
    "connections-exhausted",
    "consumer-killed",
    "dlq-drain",
    "error-queue",
    "fifo-unblock",
    "function-dlq",
    "hold-back",
    "messages-expire",
    "migrate-before-rollout",
    "migration-failed",
    "nightly-sleep",
    "outbox-relay-asleep",
    "outbox-replay",
    "poison-message",
    "queue-backlog",
    "replication-lag",
    "service-not-steady",
    "subscription-dlq",
    "wake-all",
    "wrong-deploy",
}

/// Where runbooks are looked for.
#[derive(Debug, Clone, Default)]
pub struct Shelf {
    /// The user's folder; its runbooks win over those that opsctl brings.
    pub folder: Option<PathBuf>,
}

/// A runbook of the shelf, good or not.
#[derive(Debug)]
pub struct Shelved {
    pub name: String,
    pub origin: Origin,
    pub checked: Checked,
}

#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    #[error("there is no runbook `{name}`")]
    Missing { name: Text, near: Option<String> },
    #[error("cannot read {}: {source}", .path.display())]
    Read { path: PathBuf, source: std::io::Error },
}

impl Shelf {
    /// All runbooks by name.
    ///
    /// # Errors
    /// The user's folder is there and can't be read.
    pub fn all(&self) -> Result<Vec<Shelved>, ShelfError> {
        let mut all: Vec<Shelved> = Vec::new();
        for path in self.files()? {
            all.push(read(&path)?);
        }
        for (name, text) in BUILT_IN {
            if all.iter().all(|own| own.name != *name) {
                all.push(built_in(name, text));
            }
        }
        all.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(all)
    }

    /// The runbook of this name, or in this file.
    ///
    /// # Errors
    /// There is none, or it can't be read.
    pub fn find(&self, name: &str) -> Result<Shelved, ShelfError> {
        let path = Path::new(name);
        if path.extension().is_some_and(|extension| extension == "md") || name.contains('/') {
            return read(path);
        }
        for path in self.files()? {
            if path.file_stem().is_some_and(|stem| stem == name) {
                return read(&path);
            }
        }
        if let Some((name, text)) = BUILT_IN.iter().find(|(built_in, _)| *built_in == name) {
            return Ok(built_in(name, text));
        }
        let names = self.names()?;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let near = nearest(name, &names).map(str::to_owned);
        Err(ShelfError::Missing { name: Text::line(name), near })
    }

    /// Names of all runbooks, without reading them.
    ///
    /// # Errors
    /// As [`Shelf::all`].
    pub fn names(&self) -> Result<Vec<String>, ShelfError> {
        let files = self.files()?;
        let own = files.iter().filter_map(|path| path.file_stem()).map(|stem| stem.to_string_lossy().into_owned());
        let mut names: Vec<String> = own.chain(BUILT_IN.iter().map(|(name, _)| (*name).to_owned())).collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn files(&self) -> Result<Vec<PathBuf>, ShelfError> {
        let Some(folder) = &self.folder else { return Ok(Vec::new()) };
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(ShelfError::Read { path: folder.clone(), source }),
        };
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let is_runbook = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "md") && path.is_file();
        let mut paths: Vec<PathBuf> = paths.filter(is_runbook).take(FILES_MAX).collect();
        paths.sort();
        Ok(paths)
    }
}

impl Shelved {
    pub fn runbook(&self) -> Option<&Runbook> {
        self.checked.runbook.as_ref()
    }
}

/// A runbook that helps with a verdict, with what the verdict is about filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub runbook: String,
    pub title: Text,
    /// The parameter that takes what the verdict is about, and its value.
    pub about: Option<(String, String)>,
}

impl Offer {
    /// The command line that carries it out in an environment.
    pub fn command(&self, environment: &Environment) -> String {
        let set = self.about.as_ref().map(|(name, value)| format!(" {}", option("set", &format!("{name}={value}"))));
        environment.command(&format!("runbook run {}{}", quoted(&self.runbook), set.unwrap_or_default()))
    }
}

/// The runbook that helps with a verdict: one that says so, and that takes what the verdict is about. One of the user's wins.
pub fn offer(all: &[Shelved], verdict: &Verdict) -> Option<Offer> {
    let (kind, name) = subject(&verdict.subject)?;
    let fits =
        |shelved: &&Shelved| shelved.runbook().is_some_and(|runbook| runbook.applies_when.contains(&verdict.kind));
    let offer = |shelved: &Shelved| {
        let runbook = shelved.runbook()?;
        let taking = runbook.parameters.iter().find(|parameter| parameter.kind == kind)?;
        let about = Some((taking.name.clone(), name.clone()));
        Some(Offer { runbook: runbook.name.clone(), title: runbook.title.clone(), about })
    };
    let own = all.iter().filter(|shelved| shelved.origin != Origin::BuiltIn);
    let built_in = all.iter().filter(|shelved| shelved.origin == Origin::BuiltIn);
    own.chain(built_in).filter(fits).find_map(offer)
}

/// What a verdict is about, as a parameter takes it.
fn subject(subject: &Subject) -> Option<(Kind, String)> {
    let kind = match subject {
        Subject::Queue(_) => Kind::Queue,
        Subject::Service(_) => Kind::Service,
        Subject::Database(_) => Kind::Database,
        Subject::Alarm(_) => Kind::Alarm,
        Subject::Outbox(_) => Kind::Outbox,
        Subject::Consumer(_) => Kind::Function,
        Subject::Environment | Subject::Queues | Subject::Parts(_) => return None,
    };
    Some((kind, subject.name()?))
}

fn built_in(name: &str, text: &str) -> Shelved {
    let path = PathBuf::from(format!("{name}.md"));
    let checked = check(name, &path, Origin::BuiltIn, text);
    Shelved { name: name.to_owned(), origin: Origin::BuiltIn, checked }
}

/// Reads a file; what is larger than a runbook can be is not read whole.
fn read(path: &Path) -> Result<Shelved, ShelfError> {
    let cannot = |source| ShelfError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(cannot)?;
    file.take(BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(cannot)?;
    let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let origin = Origin::File(path.to_owned());
    let checked = match String::from_utf8(bytes) {
        Ok(text) => check(&name, path, origin.clone(), &text),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let problem = Problem::error(at..at, "the file is not UTF-8 here").help("save it as UTF-8");
            Checked { runbook: None, problems: Problems::new(path, text, vec![problem]) }
        }
    };
    Ok(Shelved { name, origin, checked })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_runbook_of_the_repository_is_forgotten() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../runbooks");
        let files = fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("a file").path());
        let mut names: Vec<String> = files
            .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
            .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
            .collect();
        names.sort();
        let known: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, known);
    }

    #[test]
    fn what_opsctl_brings_has_no_mistake_and_no_warning() {
        let shelf = Shelf::default();
        for shelved in shelf.all().expect("no folder") {
            let Shelved { name, checked, .. } = &shelved;
            assert!(checked.problems.list.is_empty(), "{}", checked.problems.render(crate::files::Paint::Plain));
            let runbook = shelved.runbook().expect("a runbook without mistakes");
            let rehearsed = runbook.last_rehearsed.expect("a date");
            let found = crate::lint::lint(runbook, rehearsed, |_| false);
            assert!(found.is_empty(), "{name}: {found:#?}");
            assert_eq!(runbook.owner.as_ref().map(Text::as_str), Some("opsctl"), "{name}");
        }
    }
}
