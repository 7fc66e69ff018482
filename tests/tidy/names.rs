//! One name, one thing.

use std::collections::BTreeMap;

use super::{module_of, report, sources};

/// Names that several public types of a crate share. The list may only become shorter.
const SHARED: [&str; 29] = [
    "core Answer",
    "core Ask",
    "core Entry",
    "core Found",
    "core History",
    "core Known",
    "core Located",
    "core Look",
    "core Next",
    "core Once",
    "core Origin",
    "core Part",
    "core Report",
    "core Sample",
    "core Scope",
    "core Search",
    "core Seen",
    "core Severity",
    "core Snapshot",
    "core Source",
    "core Step",
    "core Verdict",
    "core Wanted",
    "sandbox Place",
    "sandbox State",
    "sandbox Times",
    "tui Line",
    "tui Order",
    "tui Standing",
];

/// The crate that a module is compiled into: `core` holds all that has none of its own.
fn crate_of(path: &str) -> &str {
    match module_of(path) {
        own @ ("cli" | "tui" | "drill" | "runbook" | "sandbox" | "domain") => own,
        "clock" => "domain",
        _ => "core",
    }
}

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
fn a_public_type_name_means_one_thing_in_a_crate() {
    let sources = sources();
    let mut places: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for source in &sources {
        for name in types(&source.code) {
            places.entry(format!("{} {name}", crate_of(&source.path))).or_default().push(&source.path);
        }
    }
    let mut problems = Vec::new();
    for (name, paths) in places.iter().filter(|(_, paths)| paths.len() > 1) {
        if !SHARED.contains(&name.as_str()) {
            problems.push(format!("`{name}` is the name of {} types: {}", paths.len(), paths.join(", ")));
        }
    }
    let needless = SHARED.iter().filter(|name| places.get(**name).is_none_or(|paths| paths.len() < 2));
    problems.extend(needless.map(|name| format!("`{name}` means one thing by now: take it out of SHARED")));
    report(problems);
}
