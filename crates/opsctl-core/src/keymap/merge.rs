//! A person's keys over those of a shipped keymap: theirs win.

use super::{
    Keymap,
    check::{Entry, check},
    command::{Command, Scope},
    key::shown,
    typed::{Base, File},
};
use crate::files::{Problem, problem::one_of, shape};

/// Commands without which nobody finds the way out.
const NEEDED: [Command; 2] = [Command::Back, Command::Quit];

pub(super) fn text(base: Base) -> &'static str {
    match base {
        Base::Default => include_str!("../../../../keymaps/default.toml"),
        Base::Vim => include_str!("../../../../keymaps/vim.toml"),
        Base::Emacs => include_str!("../../../../keymaps/emacs.toml"),
    }
}

pub(super) fn shipped(base: Base) -> Vec<Entry> {
    let (file, problems) = shape::read::<File>(text(base));
    let (entries, more) = check(&file.unwrap_or_default());
    debug_assert!(problems.is_empty() && more.is_empty(), "shipped keymaps are good: {problems:?} {more:?}");
    entries
}

/// Checks `[keymap]` and binds it over the shipped keymap that it names; without one, that is the default. Where a problem is an
/// error the keymap lacks what is wrong.
pub fn bind(file: Option<&File>) -> (Keymap, Vec<Problem>) {
    let Some(file) = file else { return (Keymap::shipped(Base::default()), Vec::new()) };
    let base = file.base();
    let (own, mut problems) = check(file);
    let shipped = shipped(base);
    problems.extend(own.iter().filter_map(|entry| displaced(entry, &own, &shipped)));
    problems.extend(own.iter().filter_map(|entry| useless(entry, &shipped, base)));

    let kept = shipped.iter().filter(|entry| !own.iter().any(|mine| mine.clashes(entry))).cloned();
    // What means nothing gives way to what means something, so it comes last.
    let (meant, silenced): (Vec<Entry>, Vec<Entry>) = own.iter().cloned().partition(|entry| entry.command.is_some());
    let keymap = Keymap::of_entries(base, meant.into_iter().chain(kept).chain(silenced).collect(), &shipped);
    problems.extend(lost(&keymap, &own, &shipped));
    (keymap, problems)
}

/// Shipped keys that can no longer be typed since one's own are their beginning, or begin with them.
fn displaced(entry: &Entry, own: &[Entry], shipped: &[Entry]) -> Option<Problem> {
    entry.command?;
    let is_meant = |other: &Entry| own.iter().any(|mine| mine.scope == other.scope && mine.keys == other.keys);
    let others = shipped.iter().filter(|other| entry.clashes(other) && other.keys != entry.keys && !is_meant(other));
    let others: Vec<String> = others.map(|other| shown(&other.keys)).collect();
    let names: Vec<&str> = others.iter().map(String::as_str).collect();
    let first = names.first()?;
    let places = one_of(&names).replace(" or ", " and ");
    let problem = Problem::warning(entry.span.clone(), format!("`{}` takes the place of {places}", shown(&entry.keys)));
    let each = if names.len() == 1 { "" } else { " of each" };
    Some(problem.help(format!("if that is meant, say so{each}: \"{first}\" = \"none\"")))
}

/// A "none" for keys that mean nothing anyway.
fn useless(entry: &Entry, shipped: &[Entry], base: Base) -> Option<Problem> {
    let has_meaning =
        |other: &Entry| entry.scope.chain().any(|scope| scope == other.scope) && other.keys.starts_with(&entry.keys);
    if entry.command.is_some() || shipped.iter().any(has_meaning) {
        return None;
    }
    let message = format!("`{}` means nothing here in the keymap `{}`", shown(&entry.keys), base.into_str());
    Some(Problem::warning(entry.span.clone(), message).help("remove it"))
}

/// Views that can no longer be left. Told once for each command, at the line that did it.
fn lost(keymap: &Keymap, own: &[Entry], shipped: &[Entry]) -> Vec<Problem> {
    let lost = |command: Command| Scope::all().iter().find(|scope| keymap.key_for(**scope, command).is_none()).copied();
    let problem = |command: Command| {
        let scope = lost(command)?;
        let took = |mine: &&Entry| {
            let of_command =
                |theirs: &Entry| theirs.command == Some(command) && theirs.keys.starts_with(&mine.keys[..1]);
            scope.chain().any(|near| near == mine.scope)
                && mine.command != Some(command)
                && shipped.iter().any(of_command)
        };
        let span = own.iter().rev().find(took).map(|entry| entry.span.clone()).unwrap_or_default();
        let message = format!("no key is left for `{}` in `{}`", command.name(), scope.name());
        Some(
            Problem::error(span, message)
                .help(format!("leave it one, or add one: \"ctrl-q\" = \"{}\"", command.name())),
        )
    };
    NEEDED.into_iter().filter_map(problem).collect()
}
