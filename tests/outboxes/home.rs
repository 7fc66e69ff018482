//! The real binary in a folder of a person, with an outbox on a real server.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use opsctl::domain::{Connection, Dialect, Place};
use serde_json::Value;

use crate::served::Served;

/// A person's folder with a configuration.
pub(super) struct Home {
    folder: tempfile::TempDir,
}

pub(super) struct Ended {
    pub(super) code: Option<i32>,
    pub(super) said: String,
    pub(super) document: Value,
}

impl Home {
    pub(super) fn of(connection: &Connection, schema: &str, served: &Served) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let Place::Host { host, port } = &connection.place else { panic!("a host") };
        let dialect = if connection.dialect == Some(Dialect::Postgres) { "postgres" } else { "mysql" };
        let authority = connection.ca_file.as_ref().expect("an authority").display();
        let database = connection.database.as_deref().expect("a database");
        let configuration = format!(
            "[environments.dev]\naccount = \"111111111111\"\nregion = \"af-south-1\"\nendpoint = \"{}\"\nprotection = \"confirm\"\n\
             [environments.dev.connections.main]\nhost = \"{host}\"\nport = {}\nuser = \"opsctl\"\n\
             password = \"env:OPSCTL_TEST_DATABASE_PASSWORD\"\nconnect_to = \"{database}\"\nca_file = \"{authority}\"\n\
             dialect = \"{dialect}\"\n\
             [environments.dev.outboxes.transfers]\nconnection = \"main\"\npreset = \"outbox-transfers\"\n\
             table = \"{schema}.outbox_transfers\"\n",
            served.url,
            port.expect("a port"),
        );
        fs::write(folder.path().join("opsctl.toml"), configuration).expect("the configuration");
        Self { folder }
    }

    pub(super) fn runs(&self) -> Vec<PathBuf> {
        let folders = fs::read_dir(self.folder.path().join("state/opsctl/runs")).into_iter().flatten().flatten();
        let mut runs: Vec<PathBuf> = folders.map(|folder| folder.path()).collect();
        runs.sort();
        runs
    }

    fn bytes(&self) -> u64 {
        let files = ["journal.jsonl", "snapshot.jsonl"];
        let runs = self.runs();
        let sizes =
            runs.iter().flat_map(|run| files.map(|file| fs::metadata(run.join(file)).map_or(0, |data| data.len())));
        sizes.sum()
    }

    /// Gives a command, and kills it as soon as journal and snapshot have grown by so many bytes, and a little later.
    pub(super) fn run(&self, arguments: &[&str], kill: Option<(u64, Duration)>) -> Ended {
        let (home, before, started) = (self.folder.path(), self.bytes(), Instant::now());
        let file = |name: &str| Stdio::from(fs::File::create(home.join(name)).expect("a file"));
        let mut child = Command::new(env!("CARGO_BIN_EXE_opsctl"))
            .args(arguments)
            .args(["--env", "dev", "--output", "json"])
            .current_dir(home)
            .env("HOME", home)
            .env("XDG_STATE_HOME", home.join("state"))
            .env("AWS_ACCESS_KEY_ID", "111111111111")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .stdin(Stdio::null())
            .stdout(file("out"))
            .stderr(file("err"))
            .spawn()
            .expect("opsctl starts");
        while child.try_wait().expect("our child").is_none() {
            assert!(started.elapsed() < Duration::from_secs(120), "{arguments:?} did not end");
            match kill {
                Some((bytes, later)) if self.bytes() >= before + bytes => {
                    std::thread::sleep(later);
                    child.kill().expect("SIGKILL");
                }
                _ => std::thread::sleep(Duration::from_micros(500)),
            }
        }
        let code = child.wait().expect("our child").code();
        let text = |name: &str| fs::read_to_string(home.join(name)).unwrap_or_default();
        let document = serde_json::from_str(&text("out")).unwrap_or_default();
        Ended { code, said: format!("{}{}", text("err"), text("out")), document }
    }
}
