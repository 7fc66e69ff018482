//! No arm takes every other variant of an enum of ours: who adds one has to say what becomes of it.

use std::collections::BTreeSet;

use super::{report, sources};

/// Enums of which most places know a few variants, and why a new one means nothing there.
const OPEN: [(&str, &str); 3] = [
    ("Command", "a view answers the commands that it knows"),
    ("Term", "jaq's, of which a check looks at a few"),
    ("Record", "a journal is read for the records that are looked for"),
];

/// The enums that the program itself declares.
fn declared(code: &str) -> impl Iterator<Item = String> {
    let words = code.lines().filter_map(|line| line.trim_start().split_once("enum "));
    let words = words.filter(|(before, _)| before.is_empty() || before.starts_with("pub"));
    words.map(|(_, after)| after.chars().take_while(|letter| letter.is_alphanumeric()).collect())
}

/// The enum that an arm's pattern begins with, as rustfmt writes it: `Name::Variant`.
fn of_arm(line: &str) -> Option<&str> {
    let (name, rest) = line.trim_start().split_once("::")?;
    let is_name = name.starts_with(char::is_uppercase) && name.chars().all(char::is_alphanumeric);
    (is_name && rest.starts_with(char::is_uppercase)).then_some(name)
}

fn depth(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// For each arm that takes all others: its line, and the enum that the arms before it name.
fn wildcards(code: &str) -> Vec<(usize, String)> {
    let lines: Vec<&str> = code.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.trim_start().starts_with("_ => ")) {
        let before = lines[..at].iter().rev().filter(|before| !before.trim().is_empty());
        let arms = before.take_while(|before| depth(before) >= depth(line));
        let arms: Vec<&str> = arms.filter(|before| depth(before) == depth(line)).copied().collect();
        // With a condition for whatever it is, it is a list of decisions.
        let decides =
            |arm: &str| arm.starts_with(|letter: char| letter.is_lowercase() || letter == '_') && arm.contains(" if ");
        if !arms.iter().any(|arm| decides(arm.trim_start())) {
            found.extend(arms.into_iter().find_map(of_arm).map(|name| (at + 1, name.to_owned())));
        }
    }
    found
}

#[test]
fn no_arm_takes_every_other_variant_of_our_enums() {
    let sources = sources();
    let ours: BTreeSet<String> = sources.iter().flat_map(|source| declared(&source.code)).collect();
    let mut problems = Vec::new();
    let mut open = BTreeSet::new();
    for source in &sources {
        let is_ours = |name: &str| name == "Self" || ours.contains(name);
        for (line, name) in wildcards(&source.code).into_iter().filter(|(_, name)| is_ours(name)) {
            match OPEN.iter().find(|(open, _)| *open == name) {
                Some((name, _)) => drop(open.insert(*name)),
                None => {
                    problems.push(format!("{}:{line}: `_` takes what `{name}` may get: name the variants", source.path))
                }
            }
        }
    }
    let needless = OPEN.iter().filter(|(name, _)| !open.contains(name));
    problems
        .extend(needless.map(|(name, _)| format!("no arm takes all others of `{name}` any more: take it out of OPEN")));
    report(problems);
}

#[test]
fn wildcards_are_found() {
    let code = "enum A { B }\nmatch a {\n    A::B => 1,\n    A::C | A::D => {\n        2\n    }\n    _ => 3,\n}\nmatch (a, b) {\n    (A::B, _) => 1,\n    _ => 2,\n}";
    assert_eq!(wildcards(code), [(7, "A".to_owned())]);
    assert_eq!(declared(code).collect::<Vec<_>>(), ["A"]);
}
