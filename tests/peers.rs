//! Other people's clients and suites against `opsctl sandbox serve`: boto3 with botocore's models, an SDK from before SQS spoke
//! JSON, the AWS CLI, and moto's own SQS tests. `scripts/test` installs them and says where they are:
//!
//! - `OPSCTL_TEST_OLDER_PYTHON`: the Python that has the older SDK;
//! - `OPSCTL_TEST_PYTHON`: the Python that has boto3, pytest and moto;
//! - `OPSCTL_TEST_MOTO`: the folder that holds moto's `tests/`.

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::served::{Served, peer};

const SUITE_WAIT_MAX: Duration = Duration::from_secs(300);

#[test]
fn boto3_finds_the_sandbox_like_its_models() {
    let Some(python) = peer("OPSCTL_TEST_PYTHON") else { return };
    let served = Served::start();
    let mut pytest = pytest(&python);
    pytest
        .args(["boto3_sandbox.py", "boto3_drill.py"].map(|name| peers().join(name)))
        .env("OPSCTL_TEST_ENDPOINT", &served.url);
    assert_passes("boto3", pytest);
}

#[test]
fn an_older_sdk_moves_messages_by_forms() {
    let Some(python) = peer("OPSCTL_TEST_OLDER_PYTHON") else { return };
    let served = Served::start();
    let mut suite = without_aws(&python);
    suite.arg(peers().join("older_sdk.py")).env("OPSCTL_TEST_ENDPOINT", &served.url);
    assert_passes("the older SDK", suite);
}

#[test]
fn boto3_finds_the_fleet_like_its_models() {
    let Some(python) = peer("OPSCTL_TEST_PYTHON") else { return };
    let served = Served::with_fleet();
    let mut pytest = self::pytest(&python);
    pytest.arg(peers().join("boto3_fleet.py")).env("OPSCTL_TEST_ENDPOINT", &served.url);
    assert_passes("boto3 on the fleet", pytest);
}

#[test]
fn moto_s_own_sqs_tests_pass_but_for_the_listed_ones() {
    let (Some(python), Some(suite)) = (peer("OPSCTL_TEST_PYTHON"), peer("OPSCTL_TEST_MOTO")) else { return };
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

fn peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers")
}

/// Python, with nothing of the caller's AWS settings and without leaving files in the work tree.
fn without_aws(python: &OsStr) -> Command {
    let mut command = Command::new(python);
    let aws = env::vars_os().map(|(name, _)| name).filter(|name| name.to_string_lossy().starts_with("AWS_"));
    aws.for_each(|name| {
        command.env_remove(name);
    });
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("AWS_EC2_METADATA_DISABLED", "true").env("NO_PROXY", "127.0.0.1");
    command
}

fn pytest(python: &OsStr) -> Command {
    let mut command = without_aws(python);
    command.args(["-m", "pytest", "-p", "no:cacheprovider", "--color=no", "--tb=short", "-q", "--durations=5"]);
    command
}

/// Runs a suite to its end, at most [`SUITE_WAIT_MAX`]; shows its output when it fails.
#[expect(clippy::print_stdout, reason = "how many tests the suite ran belongs into the test's output")]
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
