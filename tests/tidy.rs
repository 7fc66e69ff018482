//! Rules that a machine can check: which module may use which, forgotten test files, long files, left-overs.
//!
//! Each message says what to do. Where a rule is wrong, change it here and in ARCHITECTURE.md, in the same change.

mod circles;
mod functions;
mod layers;
mod names;
mod prose;
mod wildcards;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Files longer than 500 lines, each with its reason.
const LONG: [(&str, &str); 0] = [];
const LINES_MAX: usize = 500;

/// What may be named only under some paths, and why.
const ONLY_IN: [(&[&str], &[&str], &str); 7] = [
    (
        &["aws_sdk_", "aws_config::", "aws_types::", "aws_credential_types::"],
        &["src/cloud/"],
        "ask `cloud` instead: only it names the SDK's types",
    ),
    (&["sqlx::"], &["src/cloud/endpoint/"], "ask `cloud` instead: a connection wakes a database that has paused"),
    (
        &["aws_smithy_"],
        &["src/cloud/", "src/clock.rs", "src/sandbox/mod.rs", "src/sandbox/wire/"],
        "only `cloud`, the clock and the sandbox's connector speak to the SDK's runtime",
    ),
    (
        &["crate::sandbox", "opsctl::sandbox"],
        &["src/sandbox/", "src/cli/"],
        "only where the program is put together is the sandbox chosen; logic cannot tell it from AWS",
    ),
    (
        &["Timestamp::now()", "Zoned::now()", "SystemTime::now()", "OffsetDateTime::now"],
        &["src/clock.rs"],
        "ask the `Clock` that was handed in: the sandbox and the tests have their own time",
    ),
    (
        &["env::var", "env::args", "env::current_dir", "env::temp_dir"],
        &[
            "src/main.rs",
            "src/cli/",
            "src/config/places.rs",
            "src/cloud/shell.rs",
            "src/cloud/connect.rs",
            "src/messages/program.rs", // finds programs in PATH
            "src/doctor/mod.rs",       // `Surroundings::of_process`, called at the edge
        ],
        "read the process environment at the edge and hand the values in",
    ),
    (
        &["println!", "eprintln!", "print!(", "eprint!(", "dbg!"],
        &["src/main.rs"],
        "write to the writer that was handed in: data to stdout, all else to stderr, both testable",
    ),
];

/// The sandbox's world is pure.
const NOT_IN_WORLD: [&str; 9] =
    ["tokio", "hyper", "aws_", "std::fs", "std::net", "std::env", "std::process", "Instant::now", "async fn"];

struct Source {
    /// From the package's root, with `/`.
    path: String,
    /// As it stands.
    text: String,
    /// Without comments, strings and tests.
    code: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.expect("readable").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" {
                folders.push(path);
            } else if path.extension().is_some_and(|end| extensions.contains(&end.to_string_lossy().as_ref())) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).expect("inside the package").to_string_lossy().replace('\\', "/")
}

fn sources() -> Vec<Source> {
    let all: Vec<(String, String)> = ["src", "crates"]
        .iter()
        .flat_map(|folder| files(folder, &["rs"]))
        .map(|path| (module_path(&relative(&path)), fs::read_to_string(&path).expect("readable")))
        .collect();
    let only_tests = test_only(&all);
    let is_test = |path: &str| only_tests.iter().any(|test| path == test || path.starts_with(&folder_of(test)));
    all.into_iter()
        .map(|(path, text)| {
            let code = if is_test(&path) { String::new() } else { code_of(&text) };
            Source { path, text, code }
        })
        .collect()
}

/// Where a module file's own submodules lie.
fn folder_of(path: &str) -> String {
    let stem = path.trim_end_matches(".rs");
    format!("{}/", stem.trim_end_matches("/mod").trim_end_matches("/lib"))
}

/// Files that `#[cfg(test)] mod name;` takes in.
fn test_only(all: &[(String, String)]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in all {
        for part in text.split("#[cfg(test)]").skip(1) {
            let declaration = part.trim_start().lines().next().unwrap_or_default();
            let name = declaration.trim_start_matches("pub(crate) ").trim_start_matches("pub(super) ");
            if let Some(name) = name.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';')) {
                found.push(format!("{}{name}.rs", folder_of(path)));
                found.push(format!("{}{name}/mod.rs", folder_of(path)));
            }
        }
    }
    found
}

/// Without line comments and without the tests at the file's end.
fn code_of(text: &str) -> String {
    let starts = ["#[cfg(test)]\nmod tests {", "#[cfg(test)]\npub(crate) mod tests {"];
    let end = starts.iter().filter_map(|start| text.find(start)).min().unwrap_or(text.len());
    let lines = text[..end].lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(|line| line.split(" // ").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Crates that are one module of the program; `opsctl-core` holds several, each under its own name.
const CRATES: [(&str, &str); 6] = [
    ("crates/opsctl-domain/src/clock.rs", "src/clock.rs"),
    ("crates/opsctl-domain/src/", "src/domain/"),
    ("crates/opsctl-sandbox/src/", "src/sandbox/"),
    ("crates/opsctl-drill/src/", "src/drill/"),
    ("crates/opsctl-runbook/src/", "src/runbook/"),
    ("crates/opsctl-tui/src/", "src/tui/"),
];

/// Where a source would lie were it all one crate: its modules are named so, however they are compiled.
fn module_path(path: &str) -> String {
    let crates = CRATES
        .into_iter()
        .chain([("crates/opsctl-core/src/lib.rs", "src/lib.rs"), ("crates/opsctl-core/src/", "src/")]);
    for (folder, module) in crates {
        if let Some(rest) = path.strip_prefix(folder) {
            return format!("{module}{}", if rest == "lib.rs" { "mod.rs" } else { rest });
        }
    }
    path.to_owned()
}

fn module_of(path: &str) -> &str {
    path.trim_start_matches("src/").split('/').next().unwrap_or_default().trim_end_matches(".rs")
}

/// Top-level modules that a source names by `crate::name`, `crate::{name, ..}` or enough `super::`.
fn used_modules(source: &Source) -> BTreeSet<String> {
    let inside = source.path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    let to_root = "super::".repeat(inside.matches('/').count() + 1);
    let mut used = BTreeSet::new();
    let starts = ["crate::".to_owned(), to_root, "opsctl::".to_owned()];
    for start in starts {
        for (at, _) in source.code.match_indices(start.as_str()) {
            let longer =
                source.code[..at].ends_with(|before: char| before.is_alphanumeric() || before == ':' || before == '_');
            if !longer {
                used.extend(first_names(&source.code[at + start.len()..]));
            }
        }
    }
    used
}

/// `name` of `name::..`; each name of `{name::.., name, ..}`.
fn first_names(after: &str) -> Vec<String> {
    let word = |text: &str| -> String {
        text.trim_start().chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
    };
    let Some(group) = after.strip_prefix('{') else { return vec![word(after)] };
    let mut names: Vec<String> = vec![word(group)];
    let mut depth = 0;
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(word(&group[at + 1..])),
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn report(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn things_are_named_only_where_they_may_be() {
    let mut problems = Vec::new();
    for source in sources() {
        for (words, places, why) in ONLY_IN {
            if places.iter().any(|place| source.path.starts_with(place)) {
                continue;
            }
            for word in words.iter().filter(|word| source.code.contains(**word)) {
                problems.push(format!("{}: names `{word}`: {why}", source.path));
            }
        }
        if source.path.starts_with("src/sandbox/world/") {
            for word in NOT_IN_WORLD.iter().filter(|word| source.code.contains(**word)) {
                let path = &source.path;
                problems.push(format!("{path}: names `{word}`: the world is pure; what it needs is handed in"));
            }
        }
    }
    report(problems);
}

/// Commands that act in a world.
const WORLDLY: [&str; 20] = [
    "queues",
    "services",
    "tasks",
    "peek",
    "groups",
    "databases",
    "alarms",
    "redrive",
    "purge",
    "restore",
    "wake",
    "sleep",
    "failover",
    "migrate",
    "consumers",
    "apply",
    "runs",
    "journal",
    "doctor",
    "config check",
];

#[test]
fn a_command_that_is_shown_says_in_which_world_it_acts() {
    let mut problems = Vec::new();
    for source in sources().iter().filter(|source| source.path != "src/domain/invocation.rs") {
        for (at, start) in source.code.match_indices("opsctl ") {
            let rest = &source.code[at + start.len()..];
            let word = WORLDLY.iter().find(|word| rest.starts_with(**word));
            // An example in help, and the file that every environment of it is in.
            let is_excused = rest.contains(" --help`") && rest.find('`') == rest.find("--help`").map(|at| at + 6);
            let is_own = ["src/config/init.rs", "src/config/example.rs"].contains(&source.path.as_str());
            if let Some(word) = word.filter(|_| !is_excused && !is_own) {
                let how =
                    "make it with `Environment::command` or `Invocation::command`, so that it acts in the same world";
                problems.push(format!("{}: shows `opsctl {word}`: {how}", source.path));
            }
        }
    }
    report(problems);
}

#[test]
fn no_file_is_long_without_a_reason() {
    let mut problems = Vec::new();
    let rust = ["src", "crates", "tests", "benches"].into_iter().flat_map(|folder| files(folder, &["rs"]));
    for path in rust {
        let name = relative(&path);
        let lines = fs::read_to_string(&path).expect("readable").lines().count();
        let excused = LONG.iter().any(|(path, _)| *path == name);
        if lines > LINES_MAX && !excused {
            problems.push(format!("{name} has {lines} lines: split it by what it holds, or give a reason in LONG"));
        }
        if lines <= LINES_MAX && excused {
            problems.push(format!("{name} has only {lines} lines: take it out of LONG"));
        }
    }
    report(problems);
}

/// Written in two parts, so that this file does not hold what it looks for.
fn left_overs() -> Vec<(String, &'static str)> {
    let own = |start: &str, end: &str| format!("{start}{end}");
    vec![
        (own("todo", "!("), "finish it, or leave it out and say so in ARCHITECTURE.md"),
        (own("unimplement", "ed!("), "finish it, or leave it out and say so in ARCHITECTURE.md"),
        (own("FIX", "ME"), "fix it now, or describe it under known gaps in ARCHITECTURE.md"),
        (own("TO", "DO"), "do it now, or describe it under known gaps in ARCHITECTURE.md"),
        (own("XX", "X:"), "fix it now, or describe it under known gaps in ARCHITECTURE.md"),
        (own("/ho", "me/"), "no path of somebody's machine: use a temporary folder or a relative path"),
        (own("/ro", "ot/"), "no path of somebody's machine: use a temporary folder or a relative path"),
        (own("/wo", "rk/"), "no path of somebody's machine: use a temporary folder or a relative path"),
        (own("/Use", "rs/"), "no path of somebody's machine: use a temporary folder or a relative path"),
    ]
}

#[test]
fn no_left_overs() {
    let left_overs = left_overs();
    let extensions = ["rs", "toml", "md", "txt", "py", "sh", "json", "yml", "yaml", "snap"];
    let mut problems = Vec::new();
    for path in files("", &extensions).into_iter().chain([root().join("Makefile")]) {
        let text = fs::read_to_string(&path).unwrap_or_default();
        for (number, line) in text.lines().enumerate() {
            for (word, what) in left_overs.iter().filter(|(word, _)| line.contains(word.as_str())) {
                problems.push(format!("{}:{}: `{word}`: {what}", relative(&path), number + 1));
            }
        }
    }
    report(problems);
}

#[test]
fn no_test_file_is_forgotten() {
    let mut taken_in = BTreeSet::from(["tests/main.rs".to_owned()]);
    let mut open = vec!["tests/main.rs".to_owned()];
    while let Some(path) = open.pop() {
        let text = fs::read_to_string(root().join(&path)).unwrap_or_default();
        let folder = if path == "tests/main.rs" { "tests/".to_owned() } else { folder_of(&path) };
        for name in text.lines().filter_map(|line| {
            line.trim_start_matches("pub(crate) ").trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';')
        }) {
            for file in [format!("{folder}{name}.rs"), format!("{folder}{name}/mod.rs")] {
                if root().join(&file).is_file() && taken_in.insert(file.clone()) {
                    open.push(file);
                }
            }
        }
    }
    let forgotten =
        files("tests", &["rs"]).into_iter().map(|path| relative(&path)).filter(|path| !taken_in.contains(path));
    let message =
        |path: String| format!("{path} is never run: name it with `mod` in tests/main.rs or in its folder's mod.rs");
    report(forgotten.map(message).collect());
}

#[test]
fn unsafe_code_and_silenced_lints_stay_out() {
    let mut problems = Vec::new();
    for source in sources() {
        for word in ["allow(clippy::print", "allow(clippy::unwrap", "allow(missing_docs", "allow(dead_code"] {
            if source.text.contains(word) {
                problems.push(format!("{}: `{word}..)`: satisfy the lint instead of silencing it", source.path));
            }
        }
    }
    report(problems);
}

/// The checks above are only worth something if they see what they are for.
mod of_the_checks {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source { path: path.into(), text: text.into(), code: code_of(text) }
    }

    fn used(path: &str, text: &str) -> Vec<String> {
        used_modules(&source(path, text)).into_iter().collect()
    }

    #[test]
    fn uses_are_found_however_they_are_written() {
        let nested = "use crate::{\n    clock::Clock,\n    domain::{Queue, Text},\n    plan,\n};\n";
        assert_eq!(used("src/run.rs", nested), ["clock", "domain", "plan"]);
        assert_eq!(used("src/cloud/sqs/mod.rs", "super::super::run::go(); super::batch::x()"), ["run"]);
        assert_eq!(used("src/gate.rs", "// crate::cli\nlet x = 1; // crate::tui\n"), Vec::<String>::new());
        assert_eq!(used("src/gate.rs", "#[cfg(test)]\nmod tests {\n use crate::sandbox;"), Vec::<String>::new());
        assert_eq!(used("src/gate.rs", "fn f(x: &crate::cli::X)"), ["cli"]);
    }

    #[test]
    fn files_that_only_tests_take_in_are_told_apart() {
        let all = [("src/cloud/mod.rs".to_owned(), "#[cfg(test)]\nmod canned;\nmod connect;\n".to_owned())];
        assert_eq!(test_only(&all), ["src/cloud/canned.rs", "src/cloud/canned/mod.rs"]);
        assert_eq!(folder_of("src/lib.rs"), "src/");
    }
}
