//! The real binary as a server: `opsctl sandbox serve`, and where the peers are that `scripts/test` starts.

use std::{
    env,
    ffi::OsString,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

/// A served sandbox of its own, ended when it is dropped.
pub(crate) struct Served {
    child: Child,
    /// Its endpoint.
    pub(crate) url: String,
    /// Holds the state file: a sandbox of the person who runs the tests stays out of it.
    home: tempfile::TempDir,
}

impl Served {
    /// Starts an empty one on a free port, that callers may reset.
    pub(crate) fn start() -> Self {
        Self::start_as(&["--empty"])
    }

    /// As [`Served::start`], with the fleet in it.
    pub(crate) fn with_fleet() -> Self {
        Self::start_as(&[])
    }

    /// As [`Served::with_fleet`], with a clock so many times as fast as real time.
    pub(crate) fn with_fleet_at(speed: u32) -> Self {
        Self::start_as(&["--speed", &speed.to_string()])
    }

    /// As [`Served::start`], with a clock so many times as fast as real time, and with the faults in that file.
    pub(crate) fn start_at_with(speed: u32, faults: &Path) -> Self {
        let faults = faults.to_str().expect("a path of a test");
        Self::start_as(&["--empty", "--speed", &speed.to_string(), "--fault", faults])
    }

    fn start_as(options: &[&str]) -> Self {
        let home = tempfile::tempdir().expect("a folder for the state file");
        let mut child = Command::new(env!("CARGO_BIN_EXE_opsctl"))
            .args(["sandbox", "serve", "--port", "0", "--allow-reset"])
            .args(options)
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
        Self { child, url, home }
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `XDG_RUNTIME_DIR` of programs that join it.
    pub(crate) fn runtime_folder(&self) -> &Path {
        self.home.path()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What the variable says of a peer; `None` is a skip.
#[expect(clippy::print_stderr, reason = "a skip is said to whoever runs the tests")]
pub(crate) fn peer(variable: &str) -> Option<OsString> {
    let place = env::var_os(variable).filter(|place| !place.is_empty());
    if place.is_none() {
        let required = env::var("OPSCTL_TEST_REQUIRE_PEERS").is_ok_and(|value| value == "1");
        assert!(!required, "{variable} is not set, and OPSCTL_TEST_REQUIRE_PEERS=1");
        eprintln!("skipped: {variable} is not set; `make test` sets it");
    }
    place
}
