//! Files of the console take from each other in one direction.

use std::collections::{BTreeMap, BTreeSet};

use super::{report, sources};

/// Files that may take from each other in a circle, each with its reason. The list may only become shorter.
const CIRCLES: [(&str, &str); 0] = [];

/// Folders from the bottom up; what lies in none of them stands above them.
const LAYERS: [&str; 3] = ["state", "widgets", "screens"];

type Module = Vec<String>;

/// A file's place in its crate: `screens/list/mod.rs` is `screens::list`.
fn module(path: &str) -> Module {
    let path = path.trim_end_matches(".rs");
    let path = path.strip_suffix("/mod").unwrap_or(path);
    path.split('/').filter(|part| *part != "mod").map(str::to_owned).collect()
}

/// Each path that a tree of `use` names: `a::{b, c::d}` names `a::b` and `a::c::d`.
fn leaves(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((start, rest)) = tree.split_once('{') else {
        return vec![tree.split(" as ").next().unwrap_or_default().trim().to_owned()];
    };
    let rest = rest.strip_suffix('}').unwrap_or(rest);
    let (mut depth, mut from, mut parts) = (0, 0, Vec::new());
    for (at, letter) in rest.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&rest[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&rest[from..]);
    let parts = parts.into_iter().filter(|part| !part.trim().is_empty());
    parts.flat_map(leaves).map(|leaf| format!("{start}{leaf}")).collect()
}

/// Paths of the same crate that code names, from the crate's root.
fn named(code: &str, here: &Module) -> Vec<Module> {
    let (mut paths, mut rest) = (Vec::new(), String::new());
    for (at, part) in format!("\n{code}").split("use ").enumerate() {
        let (tree, after) = if at == 0 { ("", part) } else { part.split_once(';').unwrap_or(("", part)) };
        paths.extend(leaves(tree));
        rest.push_str(after);
    }
    let is_path = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == ':';
    paths.extend(rest.split(|letter| !is_path(letter)).filter(|path| path.contains("::")).map(str::to_owned));
    let absolute = |path: &String| {
        let mut parts: Vec<&str> =
            path.split("::").filter(|part| *part != "self" || !path.starts_with("self")).collect();
        let supers = parts.iter().take_while(|part| **part == "super").count();
        let root: Vec<String> = match parts.first() {
            Some(&"crate") => Vec::new(),
            Some(&"super") => here[..here.len().saturating_sub(supers)].to_vec(),
            _ if path.starts_with("self::") => here.clone(),
            _ => return None,
        };
        parts.retain(|part| !["crate", "super", "self"].contains(part));
        Some(root.into_iter().chain(parts.into_iter().map(str::to_owned)).collect::<Module>())
    };
    paths.iter().filter_map(absolute).collect()
}

/// Which files each file of the console takes from.
fn arrows() -> BTreeMap<Module, BTreeSet<Module>> {
    let sources = sources();
    let own = sources.iter().filter_map(|source| Some((module(source.path.strip_prefix("src/tui/")?), source)));
    let own: BTreeMap<Module, _> = own.filter(|(module, _)| !module.is_empty()).collect();
    let file =
        |path: &Module| (1..=path.len()).rev().map(|end| path[..end].to_vec()).find(|path| own.contains_key(path));
    let taken = own.iter().map(|(module, source)| {
        let used = named(&source.code, module).iter().filter_map(file).filter(|used| used != module).collect();
        (module.clone(), used)
    });
    taken.collect()
}

/// What is left once files that take from nothing, or that nothing takes from, are set aside, again and again.
fn circles(mut arrows: BTreeMap<Module, BTreeSet<Module>>) -> BTreeMap<Module, BTreeSet<Module>> {
    loop {
        let left: BTreeSet<Module> = arrows.keys().cloned().collect();
        arrows.values_mut().for_each(|used| used.retain(|used| left.contains(used)));
        let taken: BTreeSet<Module> = arrows.values().flatten().cloned().collect();
        let before = arrows.len();
        arrows.retain(|module, used| !used.is_empty() && taken.contains(module));
        if arrows.len() == before {
            return arrows;
        }
    }
}

#[test]
fn no_file_of_the_console_stands_in_a_circle_or_takes_from_a_layer_above() {
    let arrows = arrows();
    assert!(arrows.len() > 50 && arrows.values().map(BTreeSet::len).sum::<usize>() > 200, "the console is seen");
    let layer = |module: &Module| LAYERS.iter().position(|layer| module.first().is_some_and(|first| first == layer));
    let height = |module: &Module| layer(module).unwrap_or(LAYERS.len());
    let mut problems = Vec::new();
    for (module, used) in &arrows {
        for above in used.iter().filter(|used| height(used) > height(module)) {
            problems.push(format!("`{}` takes from `{}`, a layer above", module.join("::"), above.join("::")));
        }
    }
    for (module, used) in circles(arrows) {
        let (name, used) = (module.join("::"), used.iter().map(|used| used.join("::")).collect::<Vec<_>>().join(", "));
        if !CIRCLES.iter().any(|(known, _)| *known == name) {
            problems
                .push(format!("`{name}` takes from {used}, and one of them from it: move what both need below them"));
        }
    }
    report(problems);
}

#[test]
fn circles_are_found() {
    let code = "use crate::{a::{self, B}, c::D as E};\nuse super::x::Y;\nfn f() { crate::d::g() }";
    let here = module("screens/list.rs");
    let named: BTreeSet<String> = named(code, &here).iter().map(|path| path.join("::")).collect();
    assert_eq!(named.into_iter().collect::<Vec<_>>(), ["a", "a::B", "c::D", "d::g", "screens::x::Y"]);
    let arrow = |from: &str, to: &str| (module(from), BTreeSet::from([module(to)]));
    let left = circles([arrow("a.rs", "b.rs"), arrow("b.rs", "a.rs"), arrow("c.rs", "d/mod.rs")].into());
    assert_eq!(left.into_keys().collect::<Vec<_>>(), [["a"], ["b"]]);
}
