//! The drills that there are: those that opsctl brings, and the user's.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use crate::{
    check::{BYTES_MAX, Checked, check},
    domain::Text,
    files::problem::nearest,
};

/// The folder beside `opsctl.toml` that holds a user's drills.
pub const FOLDER: &str = "drills";
const FILES_MAX: usize = 500;

macro_rules! built_in {
    ($($name:literal,)*) => {
        /// What opsctl brings: name, text, and the text of the file of its players.
        pub const BUILT_IN: &[(&str, &str, &str)] = &[$((
            $name,
            include_str!(concat!("../../../drills/", $name, ".toml")),
            include_str!(concat!("../../../drills/", $name, ".players.toml")),
        )),*];
    };
}

// Each is in the program with its players.
built_in! {
    "does-not-end",
    "drain-floods",
    "failover-comes-back",
    "fifo-blocked",
    "locked-out",
    "message-kills-consumer",
    "messages-expire",
    "migration-waits",
    "monday-morning",
    "relay-asleep",
    "stale-pools",
    "wrong-environment",
}

/// A drill of the shelf, good or not.
#[derive(Debug)]
pub struct Shelved {
    pub name: String,
    /// None: it is built in.
    pub file: Option<PathBuf>,
    pub checked: Checked,
}

#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    #[error("there is no drill `{name}`")]
    Missing { name: Text, near: Option<String> },
    #[error("cannot read {}: {source}", .path.display())]
    Read { path: PathBuf, source: io::Error },
}

/// All drills by name; the user's win over those that opsctl brings.
///
/// # Errors
/// The user's folder is there and can't be read.
pub fn all(folder: Option<&Path>) -> Result<Vec<Shelved>, ShelfError> {
    let mut all = Vec::new();
    for path in files(folder)? {
        all.push(read(&path)?);
    }
    let own: Vec<String> = all.iter().map(|shelved: &Shelved| shelved.name.clone()).collect();
    all.extend(BUILT_IN.iter().filter(|(name, ..)| !own.iter().any(|own| own == name)).map(built_in));
    all.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(all)
}

/// The drill of this name, or in this file.
///
/// # Errors
/// There is none, or it can't be read.
pub fn find(name: &str, folder: Option<&Path>) -> Result<Shelved, ShelfError> {
    let path = Path::new(name);
    if path.extension().is_some_and(|extension| extension == "toml") || name.contains('/') {
        return read(path);
    }
    if let Some(path) = files(folder)?.iter().find(|path| stem(path) == name) {
        return read(path);
    }
    if let Some(found) = BUILT_IN.iter().find(|(built_in, ..)| *built_in == name) {
        return Ok(built_in(found));
    }
    let names = names(folder)?;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Err(ShelfError::Missing { name: Text::line(name), near: nearest(name, &names).map(str::to_owned) })
}

/// Names of all drills, without reading them.
///
/// # Errors
/// The user's folder is there and can't be read.
pub fn names(folder: Option<&Path>) -> Result<Vec<String>, ShelfError> {
    let own = files(folder)?.iter().map(|path| stem(path)).collect::<Vec<_>>();
    let mut names: Vec<String> = own.into_iter().chain(BUILT_IN.iter().map(|(name, ..)| (*name).to_owned())).collect();
    names.sort();
    names.dedup();
    Ok(names)
}

/// The text of the file of a drill's players; none: there is no such file.
///
/// # Errors
/// It is there and can't be read.
pub fn players(shelved: &Shelved) -> Result<Option<(String, String)>, ShelfError> {
    let Some(file) = &shelved.file else {
        let found = BUILT_IN.iter().find(|(name, ..)| *name == shelved.name);
        return Ok(found.map(|(name, _, players)| (format!("{name}.players.toml"), (*players).to_owned())));
    };
    let path = file.with_extension("players.toml");
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some((path.display().to_string(), text))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ShelfError::Read { path, source }),
    }
}

fn files(folder: Option<&Path>) -> Result<Vec<PathBuf>, ShelfError> {
    let Some(folder) = folder else { return Ok(Vec::new()) };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(ShelfError::Read { path: folder.to_owned(), source }),
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let is_drill = |path: &PathBuf| {
        let is_toml = path.extension().is_some_and(|extension| extension == "toml");
        is_toml && !stem(path).ends_with(".players") && path.is_file()
    };
    let mut paths: Vec<PathBuf> = paths.filter(is_drill).take(FILES_MAX).collect();
    paths.sort();
    Ok(paths)
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

fn built_in((name, text, _): &(&str, &str, &str)) -> Shelved {
    let checked = check(name, Path::new(&format!("{name}.toml")), None, text);
    Shelved { name: (*name).to_owned(), file: None, checked }
}

fn read(path: &Path) -> Result<Shelved, ShelfError> {
    let cannot = |source| ShelfError::Read { path: path.to_owned(), source };
    let mut text = String::new();
    let file = fs::File::open(path).map_err(cannot)?;
    file.take(BYTES_MAX as u64 + 1).read_to_string(&mut text).map_err(cannot)?;
    if text.len() > BYTES_MAX {
        return Err(cannot(io::Error::other(format!("it is too large: at most {BYTES_MAX} bytes are read"))));
    }
    let name = stem(path);
    Ok(Shelved { checked: check(&name, path, Some(path), &text), name, file: Some(path.to_owned()) })
}
