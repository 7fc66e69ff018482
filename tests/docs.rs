//! Documents tell the truth: the README's commands run, its tables are the program's, the reference is fresh.

mod permissions;

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use opsctl::{cli::exit::Exit, domain::RowState};
use tempfile::TempDir;

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

/// A machine on which nothing of opsctl or AWS was ever set up: a home folder, and `opsctl` first on the `PATH`.
struct Clean {
    home: TempDir,
    programs: TempDir,
}

impl Clean {
    fn new() -> Self {
        let clean = Self { home: folder(), programs: folder() };
        let program = clean.programs.path().join("opsctl");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_opsctl"), program).expect("linked");
        clean
    }

    /// The program with arguments, without a terminal.
    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.home.path())
            .env_clear()
            .env("PATH", format!("{}:{path}", self.programs.path().display()))
            .env("HOME", self.home.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end, or fails.
    fn run(&self, command: Command) -> Output {
        self.run_within(command, COMMAND_LIMIT)
    }

    fn run_within(&self, mut command: Command, limit: Duration) -> Output {
        let streams = folder();
        let file = |name: &str| fs::File::create(streams.path().join(name)).expect("a file");
        let started = Instant::now();
        let mut child = command.stdout(file("out")).stderr(file("err")).spawn().expect("it starts");
        let status = loop {
            if let Some(status) = child.try_wait().expect("a child") {
                break status;
            }
            if started.elapsed() > limit {
                child.kill().expect("our own child");
                panic!("{command:?} takes longer than {limit:?}");
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        let read = |name: &str| fs::read(streams.path().join(name)).expect("written");
        Output { status, stdout: read("out"), stderr: read("err") }
    }

    /// Runs a line of shell.
    fn shell(&self, line: &str) -> Output {
        self.run(self.command("sh", &["-c", line]))
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn shown(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn every_command_of_the_readme_and_the_guide_to_runbooks_runs_as_it_stands() {
    let documents = [document("README.md"), document("docs/runbooks.md")];
    let blocks = documents.iter().flat_map(|document| blocks(document, "sh"));
    let lines: Vec<&str> = blocks.flat_map(str::lines).collect();
    assert!(lines.len() >= 12, "the README shows a redrive and more, not {lines:?}");
    let clean = Clean::new();
    for line in lines {
        assert!(line.starts_with("opsctl "), "what does this test do with {line}?");
        let output = clean.shell(line);
        // In the sandbox something always needs attention, and the README says so.
        let code = if line.starts_with("opsctl status ") { Exit::Attention.code() } else { 0 };
        assert_eq!(output.status.code(), Some(code.into()), "{line}\n{}", shown(&output));
    }
}

/// Commands in the README's sentences: right, if not run. `<run>` stands for a run.
#[test]
fn every_command_that_the_readme_mentions_exists() {
    let readme = document("README.md");
    let prose: String = readme.split("```").step_by(2).collect();
    let commands = prose.split('`').skip(1).step_by(2).filter(|code| code.starts_with("opsctl "));
    let mut count = 0;
    for line in commands {
        let line = line.replace("<run>", "20261121T031500-4f7a9c");
        let parsed = opsctl::cli::args::command().try_get_matches_from(line.split(' '));
        assert!(parsed.is_ok() || !line.contains(' '), "{line}: {}", parsed.expect_err("refused"));
        count += 1;
    }
    assert!(count >= 6, "{count}");
}

#[test]
fn the_readmes_local_environment_works_on_a_served_sandbox() {
    let readme = document("README.md");
    let toml = blocks(&readme, "toml");
    for block in &toml {
        let clean = Clean::new();
        fs::write(clean.home.path().join("opsctl.toml"), block).expect("written");
        let checked = clean.shell("opsctl config check");
        assert!(checked.status.success(), "{block}\n{}", shown(&checked));
    }
    let clean = Clean::new();
    let mut serve = clean.command("opsctl", &["sandbox", "serve", "--port", "0"]);
    let mut served = serve.stdout(Stdio::piped()).spawn().expect("it starts");
    let lines = BufReader::new(served.stdout.take().expect("a pipe")).lines();
    let url =
        lines.map_while(Result::ok).find_map(|line| line.strip_prefix("export AWS_ENDPOINT_URL=").map(str::to_owned));
    let url = url.expect("it says where it listens");
    let local = toml.iter().find(|block| block.contains("[environments.local]")).expect("a local environment");
    let local = local.replace("http://127.0.0.1:4100", &url);
    fs::write(clean.home.path().join("opsctl.toml"), local).expect("written");
    let run = |line: &str| {
        assert!(readme.contains(&format!("`{line}`")), "the README says `{line}`");
        let words: Vec<&str> = line.split(' ').skip(1).collect();
        let mut command = clean.command("opsctl", &words);
        command.env("AWS_ACCESS_KEY_ID", "111111111111").env("AWS_SECRET_ACCESS_KEY", "any");
        clean.run(command)
    };
    let (doctor, queues) = (run("opsctl doctor --env local"), run("opsctl queues --env local"));
    served.kill().expect("our own child");
    served.wait().expect("ended");
    assert!(doctor.status.success(), "{}", shown(&doctor));
    assert!(queues.status.success() && shown(&queues).contains("orders-dlq"), "{}", shown(&queues));
}

#[test]
fn the_readmes_runbook_runs_without_anybody() {
    let readme = document("README.md");
    let block = blocks(&readme, "console").into_iter().find(|block| block.contains("runbook run")).expect("a runbook");
    let [serve, run] = block.lines().collect::<Vec<_>>()[..] else { panic!("a sandbox and a run, not {block}") };
    let clean = Clean::new();
    let words: Vec<&str> = serve.split('#').next().unwrap_or_default().split_whitespace().skip(1).collect();
    let mut command = clean.command("opsctl", &[&words[..], &["--port", "0"]].concat());
    let mut served = command.stdout(Stdio::piped()).spawn().expect("it starts");
    let mut lines = BufReader::new(served.stdout.take().expect("a pipe")).lines();
    let is_up = lines.by_ref().map_while(Result::ok).any(|line| line.starts_with("export AWS_ENDPOINT_URL="));
    // What takes a quarter of an hour there.
    let output = clean.run_within(clean.command("sh", &["-c", run]), 5 * COMMAND_LIMIT);
    served.kill().expect("our own child");
    served.wait().expect("ended");
    assert!(is_up && output.status.success(), "{}", shown(&output));
    assert!(
        shown(&output).contains("done") && shown(&output).contains("timeline: opsctl runbook export"),
        "{}",
        shown(&output)
    );
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
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guides = fs::read_dir(root.join("docs")).expect("a folder").map(|file| file.expect("a file").path());
    let guides = guides.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let roots = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(|name| root.join(name));
    for path in guides.chain(roots) {
        let (text, folder) = (fs::read_to_string(&path).expect("readable"), path.parent().expect("a folder"));
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or_default();
            let outside = link.starts_with("http");
            assert!(outside || folder.join(file).exists(), "{} links to {link}", path.display());
        }
    }
}

#[test]
fn the_reference_is_fresh() {
    let output = Clean::new().shell("opsctl docs");
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
        (Scope::Queues, Key::Operate(opsctl::operations::OperationKind::Redrive)),
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
    block_is_fresh("README.md", "keys", &readme_keys());
}

/// What stands between two marks of a document, written anew where that was asked for.
fn block_is_fresh(document: &str, mark: &str, generated: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    let text = fs::read_to_string(&path).expect("a document");
    let start = format!("<!-- {mark}: written by `UPDATE=1 cargo test --test main docs` -->\n");
    let (before, rest) = text.split_once(&start).expect("a beginning");
    let end = format!("<!-- end of {mark} -->");
    let (stored, after) = rest.split_once(&end).expect("an end");
    let generated = format!("\n{generated}\n");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, format!("{before}{start}{generated}{end}{after}")).expect("written");
        return;
    }
    assert!(stored == generated, "{document}: {mark} are stale: UPDATE=1 cargo test --test main docs");
}

#[test]
fn the_guide_to_aws_files_names_every_setting() {
    block_is_fresh("docs/aws-files.md", "settings", &opsctl::cloud::settings::table());
}

#[test]
fn the_guide_to_outboxes_names_every_state_and_every_preset() {
    let rows = RowState::ALL.iter().map(|state| format!("| {state} | {} |\n", state.about()));
    let states = rows.collect::<String>();
    let presets = opsctl::outboxes::presets::presets().iter();
    let presets = presets.map(|preset| format!("| `{}` | {} | {} |\n", preset.name, preset.title, preset.about));
    let presets = presets.collect::<String>();
    block_is_fresh("docs/outboxes.md", "states", &format!("| State | What it means |\n| --- | --- |\n{states}"));
    let head = "| Preset | System | What can be done |\n| --- | --- | --- |\n";
    block_is_fresh("docs/outboxes.md", "presets", &format!("{head}{presets}"));
}

/// The guide's procedure, as a team has it and with three blocks more, is carried out as it stands.
#[test]
fn the_guides_procedure_runs_by_hand_and_with_three_blocks() {
    let guide = document("docs/runbooks.md");
    let texts: Vec<&str> = guide.split("````markdown\n").skip(1).filter_map(|rest| rest.split("````").next()).collect();
    let [plain, blocks] = texts.as_slice() else { panic!("two procedures, not {texts:?}") };
    let without = |text: &str| {
        let mut kept = String::new();
        let mut parts = text.split("```toml");
        kept.push_str(parts.next().unwrap_or_default());
        parts.for_each(|part| {
            kept.push_str(part.split_once("```\n").map_or("", |(_, rest)| rest.trim_start_matches('\n')))
        });
        kept
    };
    assert_eq!(blocks.matches("```toml").count(), 3);
    assert_eq!(without(blocks).trim(), plain.trim(), "only blocks were added");
    let clean = Clean::new();
    let done = "--done look_at_the_reader --done end_the_long_query=17 --done over_when_the_lag_is_below_5_seconds_for_10_minutes";
    fs::write(clean.home.path().join("lag.md"), plain).expect("written");
    let by_hand = clean.shell(&format!("opsctl runbook run ./lag.md --env dev --sandbox {done}"));
    assert!(by_hand.status.success(), "{}", shown(&by_hand));
    assert!(shown(&by_hand).matches(" by hand").count() >= 3, "{}", shown(&by_hand));
    fs::write(clean.home.path().join("lag.md"), blocks).expect("written");
    fs::write(clean.home.path().join("lag.test.toml"), LAG_TEST).expect("written");
    let tested = clean.shell("opsctl runbook check ./lag.md && opsctl runbook test ./lag.md");
    assert!(tested.status.success(), "{}", shown(&tested));
}

/// The reader lags for a quarter of an hour.
const LAG_TEST: &str = r#"[[test]]
name = "the lag is measured until it has been low for ten minutes"
environment = "prod"
set = { database = "nexusstream-prod" }
done = ["end_the_long_query"]
minutes = 5
at = [
    { after = "0s", do = { replica-lag = { database = "nexusstream-prod", seconds = 90 } } },
    { after = "15m", do = { replica-lag = { database = "nexusstream-prod", seconds = 0 } } },
]
expect = { look_at_the_reader = "verified", end_the_long_query = "by-hand", over_when_the_lag_is_below_5_seconds_for_10_minutes = "verified" }
end = "done"
"#;

#[test]
fn the_guide_to_the_sandbox_names_every_call() {
    use opsctl::sandbox::world::service::SERVICES;
    let row = |service: &&opsctl::sandbox::world::service::ServiceDef| {
        let mut actions: Vec<&str> = service.actions().collect();
        actions.sort_unstable();
        format!("| `{}` | {} |\n", service.prefix, actions.join(", "))
    };
    let rows: String = SERVICES.iter().map(row).collect();
    block_is_fresh("docs/sandbox.md", "calls", &format!("| Service | Calls |\n| --- | --- |\n{rows}"));
}

#[test]
fn the_guide_to_runbooks_names_every_key_and_every_field() {
    use opsctl::runbook::{things, typed};
    block_is_fresh("docs/runbooks.md", "runbook keys", &keys_of::<typed::Header>());
    block_is_fresh("docs/runbooks.md", "parameter keys", &keys_of::<typed::ParameterBlock>());
    block_is_fresh("docs/runbooks.md", "kinds", &words_of::<opsctl::runbook::Kind>("Kind"));
    block_is_fresh("docs/runbooks.md", "step keys", &keys_of::<typed::StepBlock>());
    block_is_fresh("docs/runbooks.md", "repeat keys", &keys_of::<typed::RepeatBlock>());
    block_is_fresh("docs/runbooks.md", "failure words", &words_of::<typed::OnFailure>("`on_failure`"));
    block_is_fresh("docs/runbooks.md", "evidence", &words_of::<opsctl::runbook::EvidenceKind>("Evidence"));
    block_is_fresh("docs/runbooks.md", "operations", &operations());
    block_is_fresh("docs/runbooks.md", "built in", &built_in());
    let row = |field: things::Field| {
        let kind = field.kind.into_str();
        format!("| {kind} | `{}` | {} | {} |\n", field.path, field.type_words, field.comment)
    };
    let fields: String = things::fields().into_iter().map(row).collect();
    block_is_fresh(
        "docs/runbooks.md",
        "fields",
        &format!("| Of | Field | Is | What |\n| --- | --- | --- | --- |\n{fields}"),
    );
}

#[test]
fn the_guide_to_drills_names_every_key_and_every_drill() {
    use opsctl::drill::{shelf, typed};
    let of = |name: &str, keys: String| block_is_fresh("docs/drills.md", name, &keys);
    of("drill keys", keys_of::<typed::DrillFile>());
    of("world keys", keys_of::<typed::WorldBlock>());
    of("cause keys", keys_of::<typed::CauseBlock>());
    of("inject keys", keys_of::<typed::InjectBlock>());
    of("goals keys", keys_of::<typed::GoalsBlock>());
    let row = |shelved: shelf::Shelved| {
        let scenario = shelved.checked.scenario.expect("a drill without mistakes");
        let runbook = scenario.runbook.map(|name| format!("`{name}`")).unwrap_or_default();
        format!("| `{}` | {} | {} | {runbook} |\n", scenario.name, scenario.title, scenario.system.unwrap_or_default())
    };
    let rows: String = shelf::all(None).expect("no folder").into_iter().map(row).collect();
    of("drills", format!("| Drill | | System | Runbook |\n| --- | --- | --- | --- |\n{rows}"));
}

/// The words of an enum, as its comments say them.
fn words_of<T: schemars::JsonSchema>(head: &str) -> String {
    use opsctl::files::shape::{Subschemas, schema_of};
    let schema = schema_of::<T>(Subschemas::Inline);
    let row = |word: &serde_json::Value| {
        let about = word["description"].as_str().expect("each word has a comment").split_whitespace();
        format!("| `{}` | {} |\n", word["const"].as_str().expect("a word"), about.collect::<Vec<_>>().join(" "))
    };
    let words: String = schema["oneOf"].as_array().expect("words").iter().map(row).collect();
    format!("| {head} | Is |\n| --- | --- |\n{words}")
}

/// What a step can do, with the inputs of each operation.
fn operations() -> String {
    let row = |kind: &opsctl::operations::OperationKind| {
        let command = kind.arguments();
        let name = |argument: &clap::Arg| argument.get_long().unwrap_or(argument.get_id().as_str()).replace('-', "_");
        let names = command.get_arguments().map(name).filter(|name| name != "help");
        let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
        format!("| `{}` | {} |\n", kind.name(), names.join(", "))
    };
    let rows: String = opsctl::operations::OperationKind::ALL.iter().map(row).collect();
    format!("| `do` | `with` |\n| --- | --- |\n{rows}")
}

/// The runbooks that opsctl brings.
fn built_in() -> String {
    let all = opsctl::runbook::shelf::Shelf::default().all().expect("no folder");
    let row = |shelved: &opsctl::runbook::shelf::Shelved| {
        let title = shelved.runbook().map(|runbook| runbook.title.to_string()).unwrap_or_default();
        format!("| [`{0}`](../runbooks/{0}.md) | {title} |\n", shelved.name)
    };
    format!("| Runbook | For |\n| --- | --- |\n{}", all.iter().map(row).collect::<String>())
}

/// The keys of a block, as its type's comments say them.
fn keys_of<T: schemars::JsonSchema>() -> String {
    use opsctl::files::shape::{Subschemas, schema_of};
    let schema = schema_of::<T>(Subschemas::Inline);
    let properties = schema["properties"].as_object().expect("keys");
    let row = |(key, of): (&String, &serde_json::Value)| {
        let about = of["description"].as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
        format!("| `{key}` | {about} |\n")
    };
    format!("| Key | What it says |\n| --- | --- |\n{}", properties.iter().map(row).collect::<String>())
}
