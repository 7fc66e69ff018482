//! The map in ARCHITECTURE.md is the rule: its rows are layers from the top down, and its last column says which modules below a
//! module uses. What it says too much is found as well, and so are files that take from each other in a circle.

use std::collections::{BTreeMap, BTreeSet};

use super::{module_of, report, root, sources, used_modules};

/// A row of the map: the module, and what it may use.
struct Layer {
    module: String,
    may_use: BTreeSet<String>,
}

/// The map, from the top down.
fn map() -> Vec<Layer> {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap_or_default();
    layers(&text)
}

fn layers(text: &str) -> Vec<Layer> {
    let row = |line: &str| {
        let cells: Vec<&str> = line.strip_prefix("| `")?.trim_end_matches(" |").split(" | ").collect();
        let module = cells.first()?.trim_end_matches('`').trim_end_matches('/').trim_end_matches(".rs").to_owned();
        let may_use = cells.last()?.split(", ").filter(|name| *name != "-").map(str::to_owned).collect();
        (cells.len() == 3).then_some(Layer { module, may_use })
    };
    let rows = text.lines().skip_while(|line| !line.starts_with("| In `src/`"));
    rows.skip(2).take_while(|line| line.starts_with('|')).filter_map(row).collect()
}

/// What each module uses of the others.
fn uses() -> BTreeMap<String, BTreeSet<String>> {
    let sources = sources();
    let known: BTreeSet<String> = sources.iter().map(|source| module_of(&source.path).to_owned()).collect();
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in &sources {
        let module = module_of(&source.path).to_owned();
        let used = used_modules(source).into_iter().filter(|used| known.contains(used) && *used != module);
        uses.entry(module.clone()).or_default().extend(used);
    }
    // It only names the others.
    uses.remove("lib");
    uses
}

#[test]
fn modules_use_what_the_map_says_and_only_what_lies_below_them() {
    let (map, uses) = (map(), uses());
    let place = |module: &str| map.iter().position(|layer| layer.module == module);
    let mut problems = Vec::new();
    for (module, used) in &uses {
        let Some(at) = place(module) else {
            problems.push(format!(
                "ARCHITECTURE.md does not say what lives in `{module}`: add it to the map, in its layer"
            ));
            continue;
        };
        for used in used.iter().filter(|used| !map[at].may_use.contains(*used)) {
            problems.push(format!(
                "`{module}` uses `{used}`, and the map does not allow it: hand the thing in, or say so there"
            ));
        }
        for allowed in map[at].may_use.iter().filter(|allowed| !used.contains(*allowed)) {
            problems.push(format!("`{module}` no longer uses `{allowed}`: take it out of the map"));
        }
        for above in map[at].may_use.iter().filter(|used| place(used).is_some_and(|used| used <= at)) {
            problems.push(format!("`{above}` stands above `{module}` in the map, which uses it: no arrow goes up"));
        }
    }
    let gone = map.iter().filter(|layer| !uses.contains_key(&layer.module) && layer.module != "lib");
    problems.extend(gone.map(|layer| format!("the map names `{}`, and there is none", layer.module)));
    report(problems);
}

#[test]
fn the_map_is_read() {
    let text = "| In `src/` | What | May use |\n| --- | --- | --- |\n| `main.rs` | x | cli |\n| `cli/` | y | domain, clock |\n| `lib.rs` | - | - |\n";
    let layers = layers(text);
    let names: Vec<(&str, usize)> = layers.iter().map(|layer| (layer.module.as_str(), layer.may_use.len())).collect();
    assert_eq!(names, [("main", 1), ("cli", 2), ("lib", 0)]);
}
