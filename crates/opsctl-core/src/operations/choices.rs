//! Files that an operation is given: ids that were selected or piped in, texts that were edited. They lie in `choices/` of the state folder
//! as long as a run may need them, and no longer: an edit holds the bodies of messages.

use std::{
    collections::HashMap,
    fs::{self, DirBuilder, OpenOptions, Permissions},
    io::{self, Write},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::Operation;
use crate::journal::{End, RunSummary, StateFolder};

/// What no run names was for a plan that was given up; nobody plans for so long.
const GIVEN_UP: Duration = Duration::from_secs(24 * 3_600);
/// No message lives longer in a queue (14 days, Amazon SQS quotas), so nothing is left to go on with by then.
const AGE_MAX: Duration = Duration::from_secs(30 * 24 * 3_600);
/// Folders that are kept at most, the newest.
const FOLDERS_MAX: usize = 500;
const LOOKED_AT_MAX: usize = 10_000;

/// A file that an operation is to be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Name of the file: `ids.txt`, `edit.jq`.
    pub name: &'static str,
    pub text: String,
}

fn folder(state: &StateFolder) -> PathBuf {
    state.path().join("choices")
}

/// Writes files into a new folder beside the runs: a run that broke off needs them again.
pub fn save(state: &StateFolder, drafts: &[Draft]) -> io::Result<Vec<PathBuf>> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
    let all = folder(state);
    DirBuilder::new().recursive(true).mode(0o700).create(&all)?;
    // Made new for this user alone, and never one that is there.
    let private = Permissions::from_mode(0o700);
    let folder = tempfile::Builder::new().prefix("").rand_bytes(12).permissions(private).tempdir_in(&all)?.keep();
    drafts
        .iter()
        .map(|draft| {
            let path = folder.join(draft.name);
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            file.write_all(draft.text.as_bytes())?;
            file.sync_all()?;
            Ok(path)
        })
        .collect()
}

fn named(state: &StateFolder, operation: &Operation) -> Vec<PathBuf> {
    let all = folder(state);
    let verb = operation.verb();
    let filter = verb.filter().and_then(|filter| filter.strip_prefix("file:"));
    let edit = if let Operation::Redrive(redrive) = operation { redrive.edit.as_deref() } else { None };
    let files = verb.ids().into_iter().chain(edit.map(Path::new)).chain(filter.map(Path::new));
    let folders = files.filter_map(Path::parent).filter(|parent| parent.parent() == Some(all.as_path()));
    folders.map(Path::to_path_buf).collect()
}

/// Removes the files of an operation that is done: nothing is left to go on with.
pub fn done(state: &StateFolder, operation: &Operation) {
    for folder in named(state, operation) {
        // What can't be removed now is removed later: it is in nobody's way.
        let _ = fs::remove_dir_all(folder);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// A run that can be gone on with names it.
    Needed,
    /// A run names it that ended without having done it all.
    Perhaps,
    /// All runs that name it are done.
    Done,
}

/// Removes what no run needs any more. Takes its time where there are many runs: it reads the ends of their journals.
pub fn tidy(state: &StateFolder, now: SystemTime) -> io::Result<()> {
    let entries = match fs::read_dir(folder(state)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut folders: Vec<(Duration, PathBuf)> = entries
        .take(LOOKED_AT_MAX)
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let is_folder = entry.file_type().ok()?.is_dir();
            let age = now.duration_since(entry.metadata().ok()?.modified().ok()?).unwrap_or_default();
            is_folder.then(|| (age, entry.path()))
        })
        .collect();
    if folders.is_empty() {
        return Ok(());
    }
    // A folder of runs that can't be listed is no reason to think that none of them needs anything.
    let runs = state.list().map_err(|error| io::Error::other(error.to_string()))?;
    let uses = uses(state, &runs);
    folders.sort_unstable();
    for (place, (age, folder)) in folders.iter().enumerate() {
        let is_over = match uses.get(folder) {
            Some(Use::Needed) => *age > AGE_MAX,
            Some(Use::Perhaps) => *age > AGE_MAX || place >= FOLDERS_MAX,
            Some(Use::Done) => true,
            None => *age > GIVEN_UP || place >= FOLDERS_MAX,
        };
        if is_over {
            fs::remove_dir_all(folder)?;
        }
    }
    Ok(())
}

fn uses(state: &StateFolder, runs: &[RunSummary]) -> HashMap<PathBuf, Use> {
    let mut uses: HashMap<PathBuf, Use> = HashMap::new();
    for run in runs {
        let crate::journal::Record::Opened { plan, .. } = &run.opened.record else { continue };
        let operation = plan.get("operation").cloned().unwrap_or_default();
        let Ok(operation) = serde_json::from_value::<Operation>(operation) else { continue };
        let this = match run.end() {
            _ if run.busy || run.is_unfinished() => Use::Needed,
            Some(End::Done | End::Nothing) => Use::Done,
            Some(_) | None => Use::Perhaps,
        };
        for folder in named(state, &operation) {
            let known = uses.entry(folder).or_insert(this);
            if this == Use::Needed || (this == Use::Perhaps && *known == Use::Done) {
                *known = this;
            }
        }
    }
    uses
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::Redrive;

    fn draft() -> Vec<Draft> {
        vec![Draft { name: "ids.txt", text: "a\n".to_owned() }]
    }

    fn redrive(ids: &Path) -> Operation {
        Operation::Redrive(Redrive { queue: "orders-dlq".to_owned(), ids: Some(ids.to_owned()), ..Redrive::default() })
    }

    #[test]
    fn what_a_done_run_was_given_goes_and_what_lies_elsewhere_stays() {
        let home = tempfile::tempdir().expect("a folder");
        let state = StateFolder::new(home.path());
        let ids = save(&state, &draft()).expect("saved").remove(0);
        let own = home.path().join("mine").join("ids.txt");
        fs::create_dir_all(own.parent().expect("a parent")).expect("made");
        fs::write(&own, "b\n").expect("written");
        done(&state, &redrive(&own));
        assert!(own.exists() && ids.exists(), "a person's own files are theirs");
        done(&state, &redrive(&ids));
        assert!(!ids.exists() && !ids.parent().expect("a parent").exists());
    }

    #[test]
    fn a_choice_that_no_run_names_goes_after_a_day() {
        let home = tempfile::tempdir().expect("a folder");
        let state = StateFolder::new(home.path());
        tidy(&state, SystemTime::now()).expect("nothing is there yet");
        let ids = save(&state, &draft()).expect("saved").remove(0);
        tidy(&state, SystemTime::now()).expect("tidied");
        assert!(ids.exists(), "somebody may be reading its plan");
        tidy(&state, SystemTime::now() + GIVEN_UP + Duration::from_secs(60)).expect("tidied");
        assert!(!ids.exists());
    }
}
