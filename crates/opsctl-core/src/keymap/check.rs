//! Checks what a keymap says and binds it: all problems at once, each where it was written.

use std::ops::Range;

use super::{
    command::{Command, Scope},
    key::{Key, sequence, shown},
    typed::{File, Meaning, NONE, Table},
};
use crate::files::{Problem, Spot, problem::nearest};

/// Most keys one after the other.
pub(super) const KEYS_MAX: usize = 4;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) scope: Scope,
    pub(super) keys: Vec<Key>,
    /// None: the keys mean nothing, also where a wider scope gives them a meaning.
    pub(super) command: Option<Command>,
    pub(super) span: Range<usize>,
}

impl Entry {
    /// Whether only one of the two can be typed: the same keys, or one is the beginning of the other.
    pub(super) fn clashes(&self, other: &Self) -> bool {
        self.scope == other.scope && (self.keys.starts_with(&other.keys) || other.keys.starts_with(&self.keys))
    }
}

/// The lines in the file's order, and everything that is wrong with them.
pub(super) fn check(file: &File) -> (Vec<Entry>, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut entries = Vec::new();
    for scope in Scope::all() {
        let Some(table) = file.table(*scope) else { continue };
        let of_scope = bind(*scope, table, &mut problems);
        problems.extend(clashes(&of_scope));
        entries.extend(of_scope);
    }
    entries.sort_by_key(|entry| entry.span.start);
    (entries, problems)
}

fn bind(scope: Scope, table: &Table, problems: &mut Vec<Problem>) -> Vec<Entry> {
    let mut lines: Vec<(&Spot<String>, &Spot<Meaning>)> = table.iter().collect();
    lines.sort_by_key(|(keys, _)| keys.span().start);
    let mut entries = Vec::with_capacity(lines.len());
    for (keys, meaning) in lines {
        let read = (read_keys(keys), read_meaning(meaning));
        match read {
            (Ok(read), Ok(command)) => entries.push(Entry { scope, keys: read, command, span: keys.span() }),
            (keys, meaning) => problems.extend([keys.err(), meaning.err()].into_iter().flatten()),
        }
    }
    entries
}

fn read_keys(spot: &Spot<String>) -> Result<Vec<Key>, Problem> {
    let keys = sequence(spot.value()).map_err(|error| Problem::error(spot.span(), error.message).help(error.help))?;
    if keys.len() > KEYS_MAX {
        let problem = Problem::error(spot.span(), format!("more than {KEYS_MAX} keys one after the other"));
        return Err(problem.help("write fewer"));
    }
    Ok(keys)
}

fn read_meaning(spot: &Spot<Meaning>) -> Result<Option<Command>, Problem> {
    let written = spot.value().0.as_str();
    if written == NONE {
        return Ok(None);
    }
    if let Some(command) = Command::named(written) {
        return Ok(Some(command));
    }
    let names: Vec<String> = Command::all().iter().map(|command| command.name()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).chain([NONE]).collect();
    let help = match nearest(written, &names) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("`opsctl keys` lists the commands; `{NONE}` takes a key's meaning away"),
    };
    Err(Problem::error(spot.span(), format!("there is no command `{written}`")).help(help))
}

/// Lines of one scope of which only one can be typed. What means nothing is in nobody's way.
fn clashes(entries: &[Entry]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let earlier = entries[..index].iter().find(|earlier| {
            let both_mean = earlier.command.is_some() && entry.command.is_some();
            entry.clashes(earlier) && (both_mean || entry.keys == earlier.keys)
        });
        let Some(earlier) = earlier else { continue };
        let (mine, theirs) = (shown(&entry.keys), shown(&earlier.keys));
        let message = if entry.keys == earlier.keys {
            format!("this is the key `{mine}`, which stands further up")
        } else if entry.keys.len() < earlier.keys.len() {
            format!("`{mine}` is the beginning of `{theirs}` further up: only one of them can be typed")
        } else {
            format!("`{mine}` begins with `{theirs}`, which stands further up: only one of them can be typed")
        };
        problems.push(Problem::error(entry.span.clone(), message).help("remove one of them, or give it other keys"));
    }
    problems
}
