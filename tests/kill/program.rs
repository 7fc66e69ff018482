//! The program as a process: given a command, killed at a point, or waited for.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use super::{ACCOUNT, At, REGION};

const RUN_SECONDS_MAX: u64 = 120;
/// Said where the served sandbox did not answer in half a second, as happens on a busy machine: the command went to a world of its own,
/// and is given again.
const NOT_JOINED: &str = "sandbox: a fresh one for this command";
const JOINS_MAX: usize = 10;

/// When a process is killed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Point {
    /// As soon as the journals have grown by so many bytes, and so many microseconds later: not always right behind a write.
    Bytes(u64, u64),
    /// So long after its start.
    After(Duration),
    /// Not at all; but it may write no file that is longer than so many blocks of 1,024 bytes, as on a full disk.
    Full(u64),
}

/// How a process ended.
#[derive(Debug, Clone)]
pub(super) struct Ended {
    /// None: killed.
    pub(super) code: Option<i32>,
    /// Real time.
    pub(super) seconds: f64,
    /// What it wrote to stdout; null where that is no JSON.
    pub(super) document: serde_json::Value,
    /// What it wrote, all.
    pub(super) said: String,
}

/// A person's folder: configuration, journals, and what the program said.
pub(super) struct Desk {
    at: At,
    home: tempfile::TempDir,
    /// Whose credentials the program has.
    pub(super) account: String,
    /// Commands, so far.
    given: AtomicUsize,
}

impl Desk {
    pub(super) fn new(at: &At) -> Self {
        let home = tempfile::tempdir().expect("a folder for state and configuration");
        let configuration = format!(
            "[environments.dev]\naccount = \"{ACCOUNT}\"\nregion = \"{REGION}\"\nendpoint = \"{}\"\n\
             protection = \"confirm\"\n",
            at.endpoint
        );
        fs::write(home.path().join("opsctl.toml"), configuration).expect("the configuration");
        fs::write(home.path().join("edit.jq"), ".body.edited = true").expect("an edit");
        Self { at: at.clone(), home, account: ACCOUNT.to_owned(), given: AtomicUsize::new(0) }
    }

    pub(super) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Keeps the folder, for somebody who looks for a fault -> where it is
    pub(super) fn keep(self) -> PathBuf {
        self.home.keep()
    }

    /// Ids of the runs that there are.
    pub(super) fn runs(&self) -> BTreeSet<String> {
        let folders = fs::read_dir(self.runs_folder()).into_iter().flatten().flatten();
        // Without a first line nothing had been begun.
        let is_begun = |path: &Path| fs::read(path.join("journal.jsonl")).is_ok_and(|bytes| bytes.contains(&b'\n'));
        let journalled = folders.filter(|folder| is_begun(&folder.path()));
        journalled.map(|folder| folder.file_name().to_string_lossy().into_owned()).collect()
    }

    pub(super) fn snapshot(&self, run: &str) -> PathBuf {
        self.runs_folder().join(run).join("snapshot.jsonl")
    }

    /// Length of all journals.
    pub(super) fn journal_bytes(&self) -> u64 {
        let folders = fs::read_dir(self.runs_folder()).into_iter().flatten().flatten();
        folders.filter_map(|folder| fs::metadata(folder.path().join("journal.jsonl")).ok()).map(|data| data.len()).sum()
    }

    fn runs_folder(&self) -> PathBuf {
        self.home().join(&self.at.runs)
    }

    /// Gives the command and waits for its end, or kills it at that point.
    ///
    /// # Panics
    /// It did not end in two minutes.
    pub(super) async fn run(&self, arguments: &[String], point: Option<Point>) -> Ended {
        for _ in 0..JOINS_MAX {
            let ended = self.run_once(arguments, point).await;
            if !ended.said.contains(NOT_JOINED) {
                return ended;
            }
        }
        panic!("the sandbox does not answer in time, so that {arguments:?} goes elsewhere")
    }

    async fn run_once(&self, arguments: &[String], point: Option<Point>) -> Ended {
        let (started, bytes) = (Instant::now(), self.journal_bytes());
        let [out, err] = self.outputs();
        let blocks = if let Some(Point::Full(blocks)) = point { Some(blocks) } else { None };
        let mut child = self.start(arguments, &out, &err, blocks);
        while child.try_wait().expect("opsctl is our child").is_none() {
            assert!(started.elapsed().as_secs() < RUN_SECONDS_MAX, "{arguments:?} did not end");
            match point {
                Some(Point::Bytes(more, micros)) if self.journal_bytes() >= bytes + more => {
                    std::thread::sleep(Duration::from_micros(micros));
                    child.kill().expect("SIGKILL");
                }
                Some(Point::After(time)) if started.elapsed() >= time => child.kill().expect("SIGKILL"),
                _ => tokio::time::sleep(Duration::from_millis(if point.is_some() { 1 } else { 10 })).await,
            }
        }
        let seconds = started.elapsed().as_secs_f64();
        let code = child.wait().expect("opsctl is our child").code();
        let [out, err] = [out, err].map(|path| fs::read_to_string(path).unwrap_or_default());
        Ended { code, seconds, document: serde_json::from_str(&out).unwrap_or_default(), said: format!("{err}{out}") }
    }

    fn outputs(&self) -> [PathBuf; 2] {
        let number = self.given.fetch_add(1, Ordering::Relaxed);
        ["out", "err"].map(|stream| self.home().join(format!("{number}.{stream}")))
    }

    fn start(&self, arguments: &[String], out: &Path, err: &Path, blocks: Option<u64>) -> Child {
        let home = self.home();
        let file = |path: &Path| Stdio::from(fs::File::create(path).expect("a file"));
        let program = env!("CARGO_BIN_EXE_opsctl");
        let mut command = Command::new(if blocks.is_some() { "bash" } else { program });
        if let Some(blocks) = blocks {
            // A write over the limit fails as on a full disk, and does not end the process.
            let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
            command.args(["-c", &script, program]);
        }
        command
            .args(arguments)
            .args(["--env", "dev", "--output", "json"])
            .current_dir(home)
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("HOME", home)
            .env("XDG_STATE_HOME", home.join("state"))
            .env("AWS_ACCESS_KEY_ID", &self.account)
            .env("AWS_SECRET_ACCESS_KEY", "secret");
        if let Some(runtime_folder) = &self.at.joins {
            command.arg("--sandbox").env("XDG_RUNTIME_DIR", runtime_folder);
        }
        command.stdin(Stdio::null()).stdout(file(out)).stderr(file(err)).spawn().expect("opsctl starts")
    }
}
