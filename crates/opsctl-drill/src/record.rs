//! [`Tape`]: the record of a drill, a line an event, and the folder that holds those of all drills.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::Serialize;

use crate::{
    check::recall,
    domain::Text,
    event::{Beginning, Event, Stamped},
    score::score,
};

/// A longer record is not read.
const BYTES_MAX: u64 = 64 * 1024 * 1024;
const RECORDS_MAX: usize = 10_000;
const NAME: &str = "drill.jsonl";
/// The drill's file as it was when it was played.
const SCENARIO: &str = "drill.toml";

/// The record of one drill: `drills/20261121-030000-NAME/drill.jsonl` in the state folder.
#[derive(Debug)]
pub struct Tape {
    folder: PathBuf,
    file: File,
}

impl Tape {
    /// # Errors
    /// The folder or its files can't be written.
    pub fn create(drills: &Path, name: &str, at: Timestamp, scenario: &str) -> io::Result<Self> {
        let stem = format!("{}-{name}", at.strftime("%Y%m%d-%H%M%S"));
        DirBuilder::new().recursive(true).mode(0o700).create(drills)?;
        // Two in the same second are two.
        let folder = (0..100).map(|number| match number {
            0 => drills.join(&stem),
            number => drills.join(format!("{stem}-{number}")),
        });
        let folder = folder.into_iter().find(|folder| fs::create_dir(folder).is_ok());
        let folder = folder.ok_or_else(|| io::Error::other(format!("{} takes no folder", drills.display())))?;
        let mut options = OpenOptions::new();
        options.create_new(true).append(true).mode(0o600);
        options.open(folder.join(SCENARIO))?.write_all(scenario.as_bytes())?;
        let file = options.open(folder.join(NAME))?;
        Ok(Self { folder, file })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// # Errors
    /// The file can't be written.
    pub fn write(&mut self, events: &[Stamped]) -> io::Result<()> {
        let mut lines = Vec::new();
        for event in events {
            serde_json::to_writer(&mut lines, event)?;
            lines.push(b'\n');
        }
        self.file.write_all(&lines)
    }
}

/// A record that was read.
#[derive(Debug)]
pub struct Played {
    /// The folder's name.
    pub id: String,
    pub folder: PathBuf,
    pub events: Vec<Stamped>,
    /// The drill's file as it was.
    pub scenario: String,
}

impl Played {
    /// # Errors
    /// There is none, or it can't be read. A last line that broke off is left out.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let mut events = Vec::new();
        for line in BufReader::new(File::open(folder.join(NAME))?.take(BYTES_MAX)).lines() {
            match serde_json::from_str(&line?) {
                Ok(event) => events.push(event),
                Err(_) => break,
            }
        }
        if events.is_empty() {
            return Err(io::Error::other("the record is empty"));
        }
        let mut scenario = String::new();
        File::open(folder.join(SCENARIO))?.take(BYTES_MAX).read_to_string(&mut scenario)?;
        let id = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Self { id, folder: folder.to_owned(), events, scenario })
    }

    /// The drill's name, and who played it.
    pub fn of(&self) -> Option<(&str, &str)> {
        let Beginning { drill, by, .. } = self.events.first()?.event.beginning()?;
        Some((drill, by.as_str()))
    }

    pub fn has_ended(&self) -> bool {
        matches!(self.events.last(), Some(Stamped { event: Event::Ended { .. }, .. }))
    }
}

/// Records of a folder by name, the newest last.
///
/// # Errors
/// The folder is there and can't be read.
pub fn ids(drills: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(drills) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let names = entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()));
    let mut names: Vec<String> = names.filter(|name| drills.join(name).join(NAME).is_file()).collect();
    names.sort();
    let old = names.len().saturating_sub(RECORDS_MAX);
    Ok(names.split_off(old))
}

/// What a play came to.
#[derive(Debug, Clone, Serialize)]
pub struct PlayResult {
    pub record: String,
    pub drill: String,
    pub by: Text,
    pub at: Timestamp,
    pub seed: u64,
    pub score: f64,
    pub passed: bool,
    pub ended: &'static str,
    /// Runbooks that were carried out in it.
    pub runbooks: Vec<String>,
}

/// All plays of a folder that can be read, the newest last.
pub fn results(drills: &Path) -> Vec<PlayResult> {
    ids(drills).unwrap_or_default().iter().filter_map(|id| result(&Played::read(&drills.join(id)).ok()?)).collect()
}

/// When each runbook was last carried out in a drill that was passed.
pub fn rehearsed(drills: &Path) -> BTreeMap<String, Date> {
    let passed = results(drills).into_iter().filter(|result| result.passed);
    let dates = passed.flat_map(|result| {
        let date = result.at.to_zoned(TimeZone::UTC).date();
        result.runbooks.into_iter().map(move |runbook| (runbook, date))
    });
    let mut last = BTreeMap::new();
    for (runbook, date) in dates {
        let known = last.entry(runbook).or_insert(date);
        *known = (*known).max(date);
    }
    last
}

fn result(played: &Played) -> Option<PlayResult> {
    let first = played.events.first()?;
    let Beginning { drill, by, seed, .. } = first.event.beginning()?;
    let scenario = recall(drill, &played.scenario)?;
    let score = score(&scenario, &played.events);
    let ended = played.events.last()?.event.end().map_or("not ended", |(why, _)| why.words());
    let runbooks = played.events.iter().filter_map(|stamped| {
        let Event::RunBegun { runbook, .. } = &stamped.event else { return None };
        runbook.as_ref().map(ToString::to_string)
    });
    Some(PlayResult {
        record: played.id.clone(),
        drill: drill.to_owned(),
        by: by.clone(),
        at: first.at,
        seed,
        score: score.total,
        passed: score.passed,
        ended,
        runbooks: runbooks.collect(),
    })
}
