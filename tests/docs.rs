//! Documents tell the truth: the README's commands run, its tables are the program's, the reference is fresh.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use opsctl::cli::exit::Exit;

/// How long one command of the README may take.
const COMMAND_LIMIT: Duration = Duration::from_secs(60);

fn document(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect("readable")
}

/// The insides of a document's code blocks in a language.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let start = format!("```{language}\n");
    text.split(start.as_str()).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

/// Words of a shell line without its comment; single quotes keep a word together.
fn words(line: &str) -> Vec<String> {
    let line = line.split(" #").next().unwrap_or_default();
    let mut words = Vec::new();
    for (index, part) in line.split('\'').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// Runs the program as a person without AWS would, with folders of its own.
fn opsctl(arguments: &[String], home: &Path) -> Output {
    let started = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_opsctl"))
        .args(arguments)
        .current_dir(home)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        .stdin(Stdio::null())
        .stdout(Stdio::from(fs::File::create(home.join("stdout")).expect("a file")))
        .stderr(Stdio::from(fs::File::create(home.join("stderr")).expect("a file")))
        .spawn()
        .expect("the program starts");
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child") {
            break status;
        }
        if started.elapsed() > COMMAND_LIMIT {
            child.kill().expect("our own child");
            panic!("opsctl {} takes longer than {COMMAND_LIMIT:?}", arguments.join(" "));
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let read = |name: &str| fs::read(home.join(name)).expect("written");
    Output { status, stdout: read("stdout"), stderr: read("stderr") }
}

fn shown(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn every_command_of_the_readme_runs() {
    let readme = document("README.md");
    let lines = blocks(&readme, "sh").into_iter().flat_map(str::lines).filter(|line| line.starts_with("opsctl "));
    let home = tempfile::tempdir().expect("a folder");
    let mut count = 0;
    for line in lines {
        let mut arguments: Vec<String> = words(line).into_iter().skip(1).collect();
        arguments.push("--sandbox".to_owned());
        let output = opsctl(&arguments, home.path());
        assert!(output.status.success(), "{line}\n{}\n{}", output.status, shown(&output));
        count += 1;
    }
    assert!(count >= 5, "the README shows a redrive in five lines, not {count}");
}

#[test]
fn every_make_target_of_the_documents_exists() {
    let makefile = document("Makefile");
    for name in ["README.md", "CONTRIBUTING.md"] {
        let text = document(name);
        for target in text.split("make ").skip(1).map(|rest| rest.split(|at: char| !at.is_ascii_lowercase()).next()) {
            let target = target.unwrap_or_default();
            let is_named = text.contains(&format!("`make {target}`")) || text.contains(&format!("\nmake {target}"));
            assert!(!is_named || makefile.contains(&format!("\n{target}:")), "{name} names `make {target}`");
        }
    }
}

#[test]
fn the_readmes_exit_codes_are_the_programs() {
    let readme = document("README.md");
    for exit in Exit::ALL {
        let row = format!("| {} | {} |", exit.code(), exit.meaning());
        assert!(readme.contains(&row), "README.md lacks the row\n{row}");
    }
    let table = readme.split("| Code | Means |").nth(1).expect("a table");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|')).count();
    assert_eq!(rows, Exit::ALL.len(), "README.md has rows that are no exit codes");
}

#[test]
fn links_between_documents_lead_somewhere() {
    for name in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
        for link in document(name).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap_or_default();
            let outside = link.starts_with("http");
            assert!(outside || Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists(), "{name} links to {link}");
        }
    }
}

#[test]
fn the_reference_is_fresh() {
    let home = tempfile::tempdir().expect("a folder");
    let output = opsctl(&["docs".to_owned()], home.path());
    assert!(output.status.success(), "{}", shown(&output));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference.md");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &output.stdout).expect("written");
    }
    let stored = fs::read(&path).unwrap_or_default();
    assert!(
        stored == output.stdout,
        "docs/reference.md is stale: write it anew with UPDATE=1 cargo test --test main docs"
    );
}

#[test]
fn the_key_table_is_fresh() {
    let generated = opsctl::keymap::reference();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/keys.md");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &generated).expect("written");
    }
    let stored = fs::read_to_string(&path).unwrap_or_default();
    assert!(stored == generated, "docs/keys.md is stale: write it anew with UPDATE=1 cargo test --test main docs");
}

/// The README's short key table: what a first evening needs.
fn readme_keys() -> String {
    use opsctl::keymap::{Base, Command as Key, Keymap, Scope};
    let wanted = [
        (Scope::Home, Key::Open),
        (Scope::Home, Key::Back),
        (Scope::Home, Key::Home),
        (Scope::Home, Key::Queues),
        (Scope::Home, Key::Activity),
        (Scope::Queues, Key::Filter),
        (Scope::Queues, Key::Sort),
        (Scope::Queues, Key::Redrive),
        (Scope::DeadLetters, Key::Select),
        (Scope::DeadLetters, Key::Edit),
        (Scope::Run, Key::Cancel),
        (Scope::Home, Key::Palette),
        (Scope::Home, Key::Help),
        (Scope::Home, Key::Quit),
    ];
    let maps = Base::all().iter().map(|base| Keymap::shipped(*base)).collect::<Vec<_>>();
    let mut table = String::from("| Does | default | vim | emacs |\n| --- | --- | --- | --- |\n");
    for (scope, command) in wanted {
        let keys = maps.iter().map(|map| format!("`{}`", map.key_for(scope, command).expect("it has a key")));
        table.push_str(&format!("| {} | {} |\n", command.help(), keys.collect::<Vec<_>>().join(" | ")));
    }
    table
}

#[test]
fn the_readmes_key_table_is_fresh() {
    let (start, end) = ("<!-- keys: written by `UPDATE=1 cargo test --test main docs` -->\n", "<!-- end of keys -->");
    let readme = document("README.md");
    let (before, rest) = readme.split_once(start).expect("the mark before the table");
    let (stored, after) = rest.split_once(end).expect("the mark after it");
    let generated = format!("\n{}\n", readme_keys());
    if std::env::var_os("UPDATE").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
        fs::write(path, format!("{before}{start}{generated}{end}{after}")).expect("written");
        return;
    }
    assert!(stored == generated, "README.md's keys are stale: UPDATE=1 cargo test --test main docs");
}

#[test]
fn a_shell_line_falls_into_words() {
    assert_eq!(
        words("opsctl peek --where '.a == \"b c\"' -v  # why"),
        ["opsctl", "peek", "--where", ".a == \"b c\"", "-v"]
    );
}
