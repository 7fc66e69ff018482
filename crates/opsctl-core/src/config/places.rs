//! Where the configuration file may be, and which of the places it was found in.

use std::{
    fmt,
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
};

use etcetera::BaseStrategy;

use crate::{
    cloud::Shell,
    domain::{Advice, Invocation, Text, Try},
};

pub const FILE_NAME: &str = "opsctl.toml";
/// Largest file that is read, in bytes.
pub const BYTES_MAX: u64 = 1_048_576;

/// Where to look, in this order. Data, so that nothing below the edge reads the process environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// `--config`.
    pub flag: Option<PathBuf>,
    /// `OPSCTL_CONFIG`; empty counts as not set.
    pub variable: Option<PathBuf>,
    pub working_folder: Option<PathBuf>,
    pub user_folder: Option<PathBuf>,
    /// Leads to AWS's own files.
    pub shell: Shell,
}

impl Places {
    /// The places of this process. For the edge of the program only.
    pub fn of_process(flag: Option<PathBuf>) -> Self {
        Self {
            flag,
            variable: std::env::var_os("OPSCTL_CONFIG").map(PathBuf::from),
            working_folder: std::env::current_dir().ok(),
            user_folder: etcetera::base_strategy::Xdg::new().ok().map(|xdg| xdg.config_dir().join("opsctl")),
            shell: Shell::of_process(),
        }
    }

    /// Finds and reads the file. A named file that is missing is an error; nothing else is looked at in its stead.
    ///
    /// # Errors
    /// [`PlaceError`]: nothing found, or found and not readable.
    pub fn read(&self) -> Result<(Source, String), PlaceError> {
        let mut looked = Vec::new();
        for (path, why) in self.candidates() {
            let source = Source { path, why };
            match read_bounded(&source.path) {
                Ok(text) => return Ok((source, text)),
                Err(problem) if problem.kind() == ErrorKind::NotFound && !why.is_named() => looked.push(source.path),
                Err(problem) => return Err(PlaceError::Unreadable { file: source, because: problem.to_string() }),
            }
        }
        Err(PlaceError::NotFound { looked })
    }

    /// Where `opsctl init` writes: the named file, else the user's folder, else the working folder.
    pub fn target(&self) -> Option<Source> {
        let candidates = self.candidates();
        let rank = |why: Why| match why {
            Why::Flag => 0,
            Why::Variable => 1,
            Why::UserFolder => 2,
            Why::WorkingFolder => 3,
        };
        candidates.into_iter().min_by_key(|(_, why)| rank(*why)).map(|(path, why)| Source { path, why })
    }

    /// The folder of this name beside the first file that counts and has one beside it.
    pub fn beside(&self, folder: &str) -> Option<PathBuf> {
        let beside = |(path, _): (PathBuf, Why)| path.parent().map(|parent| parent.join(folder));
        self.candidates().into_iter().filter_map(beside).find(|path| path.is_dir())
    }

    /// How a command line comes to the same file again, whether or not it can be read.
    pub fn invocation(&self) -> Invocation {
        let first = self.candidates().into_iter().next();
        first.map_or(Invocation::Found, |(path, why)| Source { path, why }.invocation())
    }

    fn candidates(&self) -> Vec<(PathBuf, Why)> {
        let named = |path: &Option<PathBuf>| path.clone().filter(|path| !path.as_os_str().is_empty());
        let inside = |folder: &Option<PathBuf>| folder.as_ref().map(|folder| folder.join(FILE_NAME));
        [
            (named(&self.flag), Why::Flag),
            (named(&self.variable), Why::Variable),
            (inside(&self.working_folder), Why::WorkingFolder),
            (inside(&self.user_folder), Why::UserFolder),
        ]
        .into_iter()
        .filter_map(|(path, why)| Some((path?, why)))
        .collect()
    }
}

fn read_bounded(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > BYTES_MAX {
        let because = format!("it is larger than {BYTES_MAX} bytes");
        return Err(std::io::Error::new(ErrorKind::FileTooLarge, because));
    }
    Ok(text)
}

/// The file that was read, and why this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub path: PathBuf,
    pub why: Why,
}

impl Source {
    /// How a command line comes to this file again, from whatever folder.
    pub fn invocation(&self) -> Invocation {
        if !self.why.is_named() {
            return Invocation::Found;
        }
        let path = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        Invocation::Named(path.display().to_string())
    }
}

/// Which of the places a file was found in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    Flag,
    Variable,
    WorkingFolder,
    UserFolder,
}

impl Why {
    /// Whether a person named this very file: then none other will do.
    pub fn is_named(self) -> bool {
        match self {
            Self::Flag | Self::Variable => true,
            Self::WorkingFolder | Self::UserFolder => false,
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Flag => "named by --config",
            Self::Variable => "named by OPSCTL_CONFIG",
            Self::WorkingFolder => "found in the working folder",
            Self::UserFolder => "found in your configuration folder",
        })
    }
}

/// `path (why)`, on one line.
impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", shown(&self.path), self.why)
    }
}

/// A path, safe to show.
pub(super) fn shown(path: &Path) -> Text {
    Text::line(&path.display().to_string())
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    #[error("no configuration found: looked for {}", list(looked))]
    NotFound { looked: Vec<PathBuf> },
    #[error("cannot read {file}: {because}")]
    Unreadable { file: Source, because: String },
}

impl PlaceError {
    pub fn hint(&self) -> Advice {
        match self {
            Self::NotFound { .. } => {
                Try::Configure.says("run `opsctl init` to write one, or add --sandbox to try opsctl without AWS")
            }
            Self::Unreadable { file, .. } => match file.why {
                Why::Flag => Try::MendFile.says("correct the path that follows --config"),
                Why::Variable => Try::SetVariable.says("correct or unset OPSCTL_CONFIG"),
                Why::WorkingFolder | Why::UserFolder => {
                    Try::MendFile.says("correct the file's permissions, or name another with --config")
                }
            },
        }
    }
}

fn list(looked: &[PathBuf]) -> String {
    match looked {
        [] => format!("{FILE_NAME} nowhere (neither a working folder nor a home folder is known)"),
        paths => paths.iter().map(|path| shown(path).to_string()).collect::<Vec<_>>().join(" and "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with_file() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(FILE_NAME), "[environments]\n").expect("written");
        folder
    }

    #[test]
    fn the_nearest_place_wins_and_says_so() {
        let (working, user) = (folder_with_file(), folder_with_file());
        let mut places = Places {
            flag: Some(user.path().join(FILE_NAME)),
            variable: Some(working.path().join(FILE_NAME)),
            working_folder: Some(working.path().to_owned()),
            user_folder: Some(user.path().to_owned()),
            ..Places::default()
        };
        assert_eq!(places.read().expect("read").0.why, Why::Flag);
        places.flag = None;
        assert_eq!(places.read().expect("read").0.why, Why::Variable);
        places.variable = Some(PathBuf::new());
        let (source, _) = places.read().expect("an empty variable counts as none");
        assert_eq!(source.why, Why::WorkingFolder);
        assert!(source.to_string().ends_with("opsctl.toml (found in the working folder)"), "{source}");
        places.working_folder = None;
        assert_eq!(places.read().expect("read").0.why, Why::UserFolder);
    }

    #[test]
    fn a_named_file_that_is_missing_is_no_reason_to_take_another() {
        let working = folder_with_file();
        let places = Places {
            flag: Some("/nowhere/opsctl.toml".into()),
            working_folder: Some(working.path().to_owned()),
            ..Places::default()
        };
        let error = places.read().expect_err("missing");
        assert!(error.to_string().starts_with("cannot read /nowhere/opsctl.toml (named by --config): No such file"));
    }

    #[test]
    fn nothing_found_says_where_was_looked() {
        let empty = tempfile::tempdir().expect("a folder");
        let places = Places { working_folder: Some(empty.path().to_owned()), ..Places::default() };
        let error = places.read().expect_err("nothing there");
        assert_eq!(error, PlaceError::NotFound { looked: vec![empty.path().join(FILE_NAME)] });
    }

    #[test]
    fn a_file_without_end_is_not_read_to_its_end() {
        let places = Places { flag: Some("/dev/zero".into()), ..Places::default() };
        assert!(places.read().expect_err("too large").to_string().contains("larger than 1048576 bytes"));
    }
}
