//! One name, one thing.

use std::collections::BTreeMap;

use super::{report, sources};

/// Public types of one name in several modules. The list may only become shorter.
const SHARED: [&str; 0] = [];

/// Names of public types that a source declares.
fn types(code: &str) -> Vec<&str> {
    let declared = |line: &str| {
        let rest = ["pub struct ", "pub enum ", "pub trait "].iter().find_map(|start| line.strip_prefix(start))?;
        Some(rest.len()).filter(|length| *length > 0)?;
        rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .next()
            .map(str::len)
            .map(|length| (line.len() - rest.len(), length))
    };
    code.lines().filter_map(|line| declared(line).map(|(start, length)| &line[start..start + length])).collect()
}

#[test]
fn a_public_type_name_means_one_thing() {
    let sources = sources();
    let mut places: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for source in &sources {
        for name in types(&source.code) {
            places.entry(name).or_default().push(&source.path);
        }
    }
    let mut problems = Vec::new();
    for (name, paths) in places.iter().filter(|(_, paths)| paths.len() > 1) {
        if !SHARED.contains(name) {
            problems.push(format!("`{name}` is the name of {} types: {}", paths.len(), paths.join(", ")));
        }
    }
    let needless = SHARED.iter().filter(|name| places.get(*name).is_none_or(|paths| paths.len() < 2));
    problems.extend(needless.map(|name| format!("`{name}` means one thing by now: take it out of SHARED")));
    report(problems);
}
