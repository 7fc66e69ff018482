//! Keys: files that bind them to [`Command`]s, what a key means in a view, and which keys a command has.
//!
//! Three stages, as for every file that a person writes: as typed ([`File`]) -> checked, all problems at once -> bound
//! ([`Keymap`]). The shipped keymaps lie in `keymaps/` and are compiled in; `[keymap]` in `opsctl.toml` is merged over one of them.

mod check;
mod merge;
mod reference;
mod trie;
mod typed;

pub mod command;
pub mod key;
pub mod palette;
pub mod query;

use std::collections::BTreeMap;

use self::{
    check::Entry,
    trie::{Node, Place},
};
pub use self::{
    command::{Command, Scope},
    key::{Key, keys},
    merge::bind,
    reference::reference,
    typed::{Base, File},
};
use crate::files::{Problem, Severity};

/// What every key means in every view. Plain data; cheap to ask, so that each frame can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap {
    base: Base,
    tries: BTreeMap<Scope, Node>,
    bindings: BTreeMap<Scope, Vec<Binding>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    Command(Command),
    /// Nothing yet: each key that can follow, and what it leads to; never empty.
    Pending(Vec<(Key, Next)>),
    Nothing,
}

/// What a key leads to that can follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    Command(Command),
    /// This many further keys.
    More(usize),
}

/// A command's line in the help of a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Its keys in this view, best first; never empty. Keys one after the other are separated by spaces: `g g`.
    pub keys: Vec<String>,
    pub command: Command,
    /// The nearest scope that gives it a key.
    pub scope: Scope,
}

impl Keymap {
    pub fn shipped(base: Base) -> Self {
        Self::of_entries(base, merge::shipped(base), &[])
    }

    /// `[keymap]` over the shipped keymap that it names.
    ///
    /// # Errors
    /// Everything that is wrong with it, if anything is an error.
    pub fn merged(file: &File) -> Result<Self, Vec<Problem>> {
        let (keymap, problems) = bind(Some(file));
        let is_refused = problems.iter().any(|problem| problem.severity == Severity::Error);
        if is_refused { Err(problems) } else { Ok(keymap) }
    }

    pub fn base(&self) -> Base {
        self.base
    }

    /// What the keys that were pressed since the last command mean in a view. The nearest scope that says something wins, for each
    /// whole sequence; keys of wider scopes that begin the same remain.
    pub fn resolve(&self, scope: Scope, pending: &[Key]) -> Resolved {
        if pending.is_empty() {
            return Resolved::Nothing;
        }
        let mut following: Vec<Key> = Vec::new();
        for scope in scope.chain() {
            match self.tries.get(&scope).map_or(Place::Nowhere, |node| node.at(pending)) {
                Place::Nowhere => {}
                Place::Fork(branches) => {
                    let new: Vec<Key> =
                        branches.iter().map(|(key, _)| *key).filter(|key| !following.contains(key)).collect();
                    following.extend(new);
                }
                Place::End(Some(command)) if following.is_empty() => return Resolved::Command(command),
                // A nearer scope goes on from here, or took the meaning away.
                Place::End(_) | Place::Beyond => break,
            }
        }
        self.pending(scope, pending, &following)
    }

    fn pending(&self, scope: Scope, pending: &[Key], following: &[Key]) -> Resolved {
        let next = |key: &Key| {
            let next = match self.resolve(scope, &[pending, &[*key]].concat()) {
                Resolved::Command(command) => Next::Command(command),
                Resolved::Pending(further) => Next::More(further.len()),
                Resolved::Nothing => return None,
            };
            Some((*key, next))
        };
        let next: Vec<(Key, Next)> = following.iter().filter_map(next).collect();
        if next.is_empty() { Resolved::Nothing } else { Resolved::Pending(next) }
    }

    /// The keys of a command in a view, best first; a person's own come before the shipped ones. Empty: it has none there.
    pub fn keys_for(&self, scope: Scope, command: Command) -> &[String] {
        self.bindings(scope).iter().find(|binding| binding.command == command).map_or(&[], |binding| &binding.keys)
    }

    /// The best key of a command in a view: for the footer, or beside a reason.
    pub fn key_for(&self, scope: Scope, command: Command) -> Option<&str> {
        self.keys_for(scope, command).first().map(String::as_str)
    }

    /// All that can be typed in a view, each command once: the view's own first, then what wider scopes add, in the order of the
    /// file.
    pub fn bindings(&self, scope: Scope) -> &[Binding] {
        self.bindings.get(&scope).map_or(&[], Vec::as_slice)
    }

    /// `order` says in which order the help shows commands: the shipped file's, also where own keys come first.
    fn of_entries(base: Base, entries: Vec<Entry>, order: &[Entry]) -> Self {
        let mut tries = BTreeMap::new();
        for entry in &entries {
            tries.entry(entry.scope).or_insert_with(Node::empty).insert(&entry.keys, entry.command);
        }
        let mut keymap = Self { base, tries, bindings: BTreeMap::new() };
        for scope in Scope::all() {
            let bindings = keymap.list(*scope, &entries, order);
            keymap.bindings.insert(*scope, bindings);
        }
        keymap
    }

    fn list(&self, scope: Scope, entries: &[Entry], order: &[Entry]) -> Vec<Binding> {
        let mut bindings: Vec<Binding> = Vec::new();
        for near in scope.chain() {
            for entry in order.iter().chain(entries).filter(|entry| entry.scope == near) {
                let Some(command) = entry.command else { continue };
                if !bindings.iter().any(|binding| binding.command == command) {
                    bindings.push(Binding { keys: Vec::new(), command, scope: near });
                }
            }
            for entry in entries.iter().filter(|entry| entry.scope == near) {
                let keys = key::shown(&entry.keys);
                let binding = bindings.iter_mut().find(|binding| Some(binding.command) == entry.command);
                let Some(binding) = binding.filter(|binding| !binding.keys.contains(&keys)) else { continue };
                if self.resolve(scope, &entry.keys) == Resolved::Command(binding.command) {
                    binding.keys.push(keys);
                }
            }
        }
        bindings.retain(|binding| !binding.keys.is_empty());
        bindings
    }
}

impl Next {
    pub fn help(self) -> String {
        match self {
            Self::Command(command) => command.help(),
            Self::More(1) => "1 more key".to_owned(),
            Self::More(count) => format!("{count} more keys"),
        }
    }
}

#[cfg(test)]
mod tests;
