//! Configuration files: each bad one gives exactly the message that lies beside it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use opsctl::{
    clock::Clock,
    cloud::{Cloud, Connect},
    config::{self, Configured, Paint, ResolveError, Source, Why, init, profiles::Profile},
    domain::{CredentialSource, Environment},
    sandbox::{
        Options, Sandbox,
        world::{Caller, World},
    },
};

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

const ACCOUNT: &str = "111122223333";
const REGION: &str = "af-south-1";

/// A sandbox with SSM parameters and queues in it.
fn sandbox(parameters: &[(&str, &str)], queues: &[&str], latency: Duration) -> Sandbox {
    let clock = Clock::virtual_from("2026-11-21T03:00:00Z".parse().expect("a time"), 1.0);
    let options = Options { latency, ..Options::default() };
    let sandbox = Sandbox::new(World::new(options.seed, clock.now()), clock, options);
    sandbox.with(|world, now| {
        for (name, value) in parameters {
            world.ssm.put(now, ACCOUNT, REGION, name, value);
        }
        let caller = Caller { account: ACCOUNT.into(), region: REGION.into(), origin: "http://sandbox".into() };
        for queue in queues {
            let fifo: &[(&str, &str)] = if queue.ends_with(".fifo") { &[("FifoQueue", "true")] } else { &[] };
            world.create(now, &caller, queue, fifo).expect("the queue is made");
        }
    });
    sandbox
}

fn connect(sandbox: &Sandbox) -> Connect {
    Connect::through(sandbox.clock(), sandbox.http_client())
}

/// A sandbox takes any keys; the access key names the account.
fn with_keys(environment: Environment) -> Environment {
    let credentials = CredentialSource::Keys { access_key: ACCOUNT.into(), secret_key: "secret".into() };
    Environment { credentials, ..environment }
}

async fn reach(configured: &Configured, sandbox: &Sandbox) -> Cloud {
    let environment = with_keys((*configured.reach()).clone());
    connect(sandbox).cloud(Arc::new(environment)).await.expect("fixed keys")
}

/// `count` references and as many parameters that hold a queue's name each.
fn many_parameters(count: usize) -> (Configured, Vec<(String, String)>) {
    let names: Vec<String> = (0..count).map(|number| format!("\"ssm:/storo/${{env}}/{number}\"")).collect();
    let text = format!(
        "[environments.dev]\naccount = \"{ACCOUNT}\"\nregion = \"{REGION}\"\n\
         [environments.dev.queues]\ninclude = [{}]\n",
        names.join(", ")
    );
    let (report, bound) = config::examine(Source { path: "opsctl.toml".into(), why: Why::Flag }, text);
    assert!(report.is_good(), "{}", report.render(Paint::Plain));
    let values = (0..count).map(|number| (format!("/storo/dev/{number}"), format!("queue-{number}"))).collect();
    (bound.into_iter().next().expect("one environment"), values)
}

#[tokio::test]
async fn values_are_read_from_parameters_of_the_environments_account() {
    let (configured, values) = many_parameters(23);
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let all = sandbox(&values, &[], Duration::ZERO);
    let environment = configured.resolve(&reach(&configured, &all).await).await.expect("all there");
    assert_eq!(environment.queues.include.len(), 23);
    assert_eq!(environment.queues.include[22], "queue-22");

    let some = sandbox(&values[..21], &[], Duration::ZERO);
    let error = configured.resolve(&reach(&configured, &some).await).await.expect_err("two are missing");
    assert_eq!(error.to_string(), "2 errors in the SSM parameters that opsctl.toml names");
    let ResolveError::Parameters(problems) = error else { panic!("SSM answered") };
    let missing = problems.render(Paint::Plain);
    assert!(missing.contains("`/storo/dev/21` does not exist") && missing.contains("--> opsctl.toml:5:"), "{missing}");
}

#[tokio::test]
async fn a_starter_file_comes_from_what_the_profiles_reach() {
    let queues = ["orders", "orders-dlq", "events.fifo"];
    let sandbox = sandbox(&[], &queues, Duration::ZERO);
    let profiles = [Profile { name: "storo-dev".into(), region: Some(REGION.into()), endpoint: None }];
    let asked = init::candidates(&profiles).into_iter().map(with_keys).collect();
    let text = init::render(&init::discover(asked, &connect(&sandbox), init::DEADLINE).await);
    let expected = "[environments.storo-dev]\naccount = \"111122223333\"\nregion = \"af-south-1\"\nprotection = \"confirm\"\n\
                    colour = \"green\"\n# 3 queues found.\n\n[environments.storo-dev.queues]\n# DLQs that their names tell.\n\
                    pairs = [\n  { source = \"*\", dead_letter = \"*-dlq\" },\n]\n";
    assert!(text.ends_with(expected), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_profile_that_does_not_answer_holds_nobody_up() {
    let sandbox = sandbox(&[], &[], Duration::from_secs(60));
    let profiles = ["a", "b"].map(|name| Profile { name: name.into(), region: Some(REGION.into()), endpoint: None });
    let asked = init::candidates(&profiles).into_iter().map(with_keys).collect();
    let started = tokio::time::Instant::now();
    let found = init::discover(asked, &connect(&sandbox), Duration::from_secs(2)).await;
    let because: Vec<&str> = found.iter().map(|one| one.found.as_ref().expect_err("too slow").as_str()).collect();
    assert_eq!(because, ["no answer within 2 s", "no answer within 2 s"]);
    assert_eq!(started.elapsed().as_secs(), 2, "all are asked at once");
}

#[test]
fn an_error_at_a_line_end_of_two_characters_is_shown() {
    for text in ["'\r\n", "x = '\r\n", "[environments.dev\r\n", "account = \"1\r\n2\"\r\n"] {
        let (_, shown) = message(text.to_owned());
        assert!(shown.contains("error"), "{text:?}: {shown}");
    }
}

proptest::proptest! {
    /// Whatever is typed or broken, there is a message, without a panic and without a control character.
    #[test]
    fn any_text_gives_a_message(
        cuts in proptest::collection::vec((0..4_000_usize, 0..12_usize, "[\\PC\u{0}-\u{1f}\u{202e}\\[\\]\"={}\n]{0,6}"), 0..6),
    ) {
        let mut text = config::example();
        for (at, length, new) in cuts {
            let start = text.floor_char_boundary(at.min(text.len()));
            let end = text.ceil_char_boundary((start + length).min(text.len()));
            text.replace_range(start..end, &new);
        }
        let (_, shown) = message(text);
        let hostile = |letter: char| letter.is_control() && letter != '\n' || letter == '\u{202e}';
        proptest::prop_assert!(!shown.contains(hostile), "{:?}", shown);
    }
}
