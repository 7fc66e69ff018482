//! Configuration files: each bad one gives exactly the message that lies beside it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use opsctl::config::{self, Paint, Source, Why};

const FOLDER: &str = "tests/rejected/config";

fn bad_files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER);
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder exists")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    files
}

/// As `opsctl config check` shows it, for a file that is named `opsctl.toml`.
fn message(text: String) -> (bool, String) {
    let source = Source { path: "opsctl.toml".into(), why: Why::WorkingFolder };
    let (report, _) = config::examine(source, text);
    (report.is_good(), report.render(Paint::Plain) + "\n")
}

#[test]
fn every_bad_file_gives_its_message() {
    let rewrite = std::env::var_os("UPDATE").is_some();
    let mut wrong = Vec::new();
    for path in bad_files() {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let (good, message) = message(fs::read_to_string(&path).expect("readable"));
        assert!(!good, "{name}.toml was accepted");
        assert!(!message.contains('\u{1b}') && !message.contains('\u{202e}'), "{name}: hostile text got through");
        let expected_path = path.with_extension("txt");
        if rewrite {
            fs::write(&expected_path, &message).expect("written");
        }
        let expected = fs::read_to_string(&expected_path).unwrap_or_default();
        if message != expected {
            wrong.push(format!("--- {name}: expected\n{expected}\n--- got\n{message}"));
        }
    }
    assert!(wrong.is_empty(), "{}\nIf the new messages are better, accept them with UPDATE=1", wrong.join("\n"));
}

#[test]
fn there_are_many_bad_files_and_no_orphaned_message() {
    let files = bad_files();
    assert!(files.len() >= 25, "{}", files.len());
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER)).expect("the folder exists") {
        let path = entry.expect("readable").path();
        let bad = path.with_extension("toml");
        assert!(files.contains(&bad), "{} has no file that it is the message of", path.display());
    }
}

/// Documents that the program prints lie in `docs/` too, and are the same.
#[test]
fn generated_documents_are_fresh() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    for (name, generated) in [("opsctl.example.toml", config::example()), ("opsctl.schema.json", config::schema())] {
        let path = folder.join(name);
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&path, &generated).expect("written");
        }
        let stored = fs::read_to_string(&path).unwrap_or_default();
        assert!(stored == generated, "docs/{name} is stale: write it anew with UPDATE=1 cargo test --test main config");
    }
}

#[test]
fn the_readme_shows_a_good_configuration() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("readable");
    let block = readme.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block of TOML");
    let (good, message) = message(block.to_owned());
    assert!(good && message.ends_with("is good: 2 environments, no problem\n"), "{message}");
}
