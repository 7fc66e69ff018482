//! Other people's clients and suites against `opsctl sandbox serve`: boto3 with botocore's models, the AWS CLI, and
//! moto's own SQS tests. `scripts/test` installs them and says where they are:
//!
//! - `OPSCTL_TEST_PYTHON`: the Python that has boto3, pytest and moto;
//! - `OPSCTL_TEST_MOTO`: the folder that holds moto's `tests/`.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

const SUITE_WAIT_MAX: Duration = Duration::from_secs(300);

/// A served sandbox of its own, ended when it is dropped.
struct Served {
    child: Child,
    url: String,
    /// Holds the state file, so that the sandbox of the person who runs the tests is not meant by anybody.
    _home: tempfile::TempDir,
}

impl Served {
    /// Starts an empty one on a free port, that callers may reset.
    fn start() -> Self {
        let home = tempfile::tempdir().expect("a folder for the state file");
        let mut child = Command::new(env!("CARGO_BIN_EXE_opsctl"))
            .args(["sandbox", "serve", "--port", "0", "--empty", "--allow-reset"])
            .env("HOME", home.path())
            .env("XDG_STATE_HOME", home.path())
            .env("XDG_RUNTIME_DIR", home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("opsctl starts");
        let stdout = child.stdout.take().expect("stdout was piped");
        let url = BufReader::new(stdout)
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("export AWS_ENDPOINT_URL=").map(str::to_owned))
            .expect("`sandbox serve` says its URL before it ends");
        Self { child, url, _home: home }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn boto3_finds_the_sandbox_like_its_models() {
    let Some(python) = place("OPSCTL_TEST_PYTHON") else { return };
    let served = Served::start();
    let mut pytest = pytest(&python);
    pytest.arg(peers().join("boto3_sandbox.py")).env("OPSCTL_TEST_ENDPOINT", &served.url);
    assert_passes("boto3", pytest);
}

#[test]
fn moto_s_own_sqs_tests_pass_but_for_the_listed_ones() {
    let (Some(python), Some(suite)) = (place("OPSCTL_TEST_PYTHON"), place("OPSCTL_TEST_MOTO")) else { return };
    let served = Served::start();
    let mut pytest = pytest(&python);
    pytest
        .current_dir(suite)
        .args(["-p", "moto_differences", "-W", "ignore", "tests/test_sqs"])
        // These start moto's own server in their process, and ask nobody else.
        .args(["--ignore", "tests/test_sqs/test_server.py"])
        .env("PYTHONPATH", peers())
        .env("TEST_SERVER_MODE", "true")
        .env("TEST_SERVER_MODE_ENDPOINT", &served.url)
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_DEFAULT_REGION", "us-east-1");
    assert_passes("moto", pytest);
}

/// What the variable names; none, said in words, where the peers need not be there.
fn place(variable: &str) -> Option<PathBuf> {
    let place = env::var_os(variable).map(PathBuf::from);
    if place.is_none() {
        let required = env::var("OPSCTL_TEST_REQUIRE_PEERS").is_ok_and(|value| value == "1");
        assert!(!required, "{variable} is not set, and OPSCTL_TEST_REQUIRE_PEERS=1");
        eprintln!("skipped: {variable} is not set; `make test` sets it");
    }
    place
}

fn peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers")
}

/// pytest, with nothing of the caller's AWS settings and without leaving files in the work tree.
fn pytest(python: &Path) -> Command {
    let mut command = Command::new(python);
    let aws = env::vars_os().map(|(name, _)| name).filter(|name| name.to_string_lossy().starts_with("AWS_"));
    aws.for_each(|name| drop(command.env_remove(name)));
    command.args(["-m", "pytest", "-p", "no:cacheprovider", "--color=no", "--tb=short", "-q", "--durations=5"]);
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("AWS_EC2_METADATA_DISABLED", "true").env("NO_PROXY", "127.0.0.1");
    command
}

/// Runs a suite to its end, at most [`SUITE_WAIT_MAX`]; shows its output when it fails.
fn assert_passes(name: &str, mut suite: Command) {
    let folder = tempfile::tempdir().expect("a folder for the output");
    let path = folder.path().join("output");
    let output = fs::File::create(&path).expect("a file for the output");
    let errors = output.try_clone().expect("the file's second handle");
    let mut child = suite.stdin(Stdio::null()).stdout(output).stderr(errors).spawn().expect("the suite starts");
    let status = wait(&mut child);
    let said = fs::read_to_string(&path).unwrap_or_default();
    match status {
        None => panic!("{name} did not end within {SUITE_WAIT_MAX:?}:\n{said}"),
        Some(status) => assert!(status.success(), "{name}: {status}\n{said}"),
    }
    println!("{name}: {}", said.lines().last().unwrap_or_default());
}

fn wait(child: &mut Child) -> Option<ExitStatus> {
    let started = Instant::now();
    while started.elapsed() < SUITE_WAIT_MAX {
        if let Some(status) = child.try_wait().expect("the suite is our child") {
            return Some(status);
        }
        thread::sleep(Duration::from_millis(100));
    }
    drop(child.kill());
    drop(child.wait());
    None
}
