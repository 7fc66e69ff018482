//! A world on loopback that the binary joins with `--sandbox`, and a home folder of its own.

use std::{
    path::PathBuf,
    process::{Command, Output, Stdio},
    time::Duration,
};

use jiff::Timestamp;
use opsctl::{
    clock::Clock,
    sandbox::{
        Options, Sandbox,
        fleet::{Amount, Fleet},
        join::{State, StateFile},
        world::{Caller, World},
    },
};
use tempfile::TempDir;
use tokio::{net::TcpListener, runtime::Runtime};

pub(super) const DEV: &str = "111111111111";
pub(super) const REGION: &str = "af-south-1";

/// A home folder, and maybe a served world.
pub(super) struct Ground {
    pub(super) sandbox: Sandbox,
    pub(super) home: TempDir,
    url: String,
    // Serves until dropped.
    _runtime: Runtime,
    _state_file: StateFile,
}

/// How the binary ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) out: String,
    pub(super) err: String,
    pub(super) code: Option<i32>,
}

pub(super) fn caller(account: &str) -> Caller {
    Caller { account: account.to_owned(), region: REGION.to_owned(), origin: "http://sandbox".to_owned() }
}

impl Ground {
    /// An empty world at three in the morning.
    pub(super) fn new() -> Self {
        Self::with_latency(Duration::ZERO)
    }

    pub(super) fn with_latency(latency: Duration) -> Self {
        Self::with_options(Options { latency, ..Options::default() })
    }

    /// Long polls, which every look ends with, take a thirtieth of their time.
    pub(super) fn quick() -> Self {
        Self::with_options(Options { speed: 30.0, ..Options::default() })
    }

    /// The built-in fleet's three accounts.
    pub(super) fn fleet() -> Self {
        // Deadlines run as fast as long polls: at a higher speed a busy machine misses them.
        let ground = Self::with_options(Options { speed: 5.0, ..Options::default() });
        ground.sandbox.with(|world, now| {
            let fleet = Fleet::built_in().expect("a fleet");
            fleet.settle(world, now, 7, Amount::AtMost(5)).expect("settled");
        });
        ground
    }

    /// Where the world is served.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    fn with_options(options: Options) -> Self {
        let start: Timestamp = "2026-11-21T03:00:00Z".parse().expect("a time");
        let clock = Clock::virtual_from(start, options.speed);
        let speed = options.speed;
        let sandbox = Sandbox::new(World::new(7, start), clock, options);
        let runtime = Runtime::new().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let served = sandbox.clone();
        runtime.spawn(async move { served.serve(listener, std::future::pending()).await });
        let home = tempfile::tempdir().expect("a folder");
        let state = State { url: url.clone(), pid: std::process::id(), seed: 7, speed };
        let state_file = StateFile::write(&home.path().join("run/opsctl/sandbox.json"), state).expect("written");
        Self { sandbox, home, url, _runtime: runtime, _state_file: state_file }
    }

    /// A queue of `dev`, with attributes as SQS takes them. Answers its ARN.
    pub(super) fn queue(&self, name: &str, attributes: &[(&str, &str)]) -> String {
        self.sandbox.with(|world, now| world.create(now, &caller(DEV), name, attributes)).expect("created")
    }

    /// A queue of `account` with its DLQ, which is named `<name>-dlq`.
    pub(super) fn pair(&self, account: &str, name: &str) {
        self.sandbox.with(|world, now| {
            let caller = caller(account);
            let dlq = world.create(now, &caller, &format!("{name}-dlq"), &[]).expect("created");
            let policy = format!(r#"{{"deadLetterTargetArn":"{dlq}","maxReceiveCount":"3"}}"#);
            world.create(now, &caller, name, &[("RedrivePolicy", &policy)]).expect("created");
        });
    }

    /// A dead letter of `<source>` in `dev`, sent an hour before the world began.
    pub(super) fn dead_letter(&self, source: &str, body: &str) {
        self.dead_letter_of(DEV, source, body);
    }

    pub(super) fn dead_letter_of(&self, account: &str, source: &str, body: &str) {
        self.sandbox.with(|world, now| {
            let message = opsctl::sandbox::world::PutMessage {
                body: body.to_owned(),
                sent_at: "2026-11-21T02:00:00Z".parse().ok(),
                receive_count: 3,
                dead_letter_source: Some(format!("arn:aws:sqs:{REGION}:{account}:{source}")),
                ..Default::default()
            };
            world.put(now, &caller(account), &format!("{source}-dlq"), message).expect("put");
        });
    }

    /// Messages that lie in a queue of `dev`.
    pub(super) fn count(&self, queue: &str) -> usize {
        self.sandbox.with(|world, _| world.messages(DEV, REGION, queue).count())
    }

    /// The binary, with nothing of this process's environment, and without a terminal.
    pub(super) fn command(&self, words: &[&str]) -> Command {
        let home = self.home.path();
        let mut command = Command::new(env!("CARGO_BIN_EXE_opsctl"));
        command
            .args(words)
            .env_clear()
            .env("HOME", home)
            .env("USER", "tester")
            .env("XDG_RUNTIME_DIR", home.join("run"))
            .env("XDG_STATE_HOME", home.join("state"))
            .env("XDG_CACHE_HOME", home.join("cache"))
            .env("XDG_CONFIG_HOME", home.join("config"))
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .current_dir(home)
            .stdin(Stdio::null());
        command
    }

    /// Runs `opsctl <words>` as it stands.
    pub(super) fn plain(&self, words: &[&str]) -> Ended {
        self.ended(self.command(words).output().expect("started"))
    }

    /// Runs `opsctl --sandbox <words>` on the served world.
    pub(super) fn opsctl(&self, words: &[&str]) -> Ended {
        self.plain(&[&["--sandbox"], words].concat())
    }

    /// Where journals of runs in the served world lie.
    pub(super) fn runs(&self) -> PathBuf {
        self.home.path().join(format!("state/opsctl/sandbox/{}/runs", std::process::id()))
    }

    pub(super) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home.path().join(name);
        std::fs::write(&path, text).expect("written");
        path
    }

    pub(super) fn ended(&self, output: Output) -> Ended {
        let text = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).expect("UTF-8");
            text.replace(&self.url, "<url>").replace(&self.home.path().display().to_string(), "<home>")
        };
        Ended { out: text(output.stdout), err: text(output.stderr), code: output.status.code() }
    }
}

impl Ended {
    /// All of it, for a snapshot. Ids and times stand as `<id>`, `<run>`, `<time>`.
    pub(super) fn shown(&self) -> String {
        let code = self.code.map_or("killed".to_owned(), |code| code.to_string());
        stable(&format!("exit {code}\n-- out\n{}-- err\n{}", self.out, self.err))
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(super) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        self
    }
}

/// The text without what differs from run to run.
fn stable(text: &str) -> String {
    let mut stable = String::new();
    for line in text.lines() {
        let words: Vec<String> = line.split(' ').map(stable_word).collect();
        stable.push_str(words.join(" ").trim_end());
        stable.push('\n');
    }
    stable
}

fn stable_word(word: &str) -> String {
    let core = word.trim_matches(['(', ')', ',', ':', '"', '\'', ';']);
    let is_uuid = core.len() == 36 && core.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    let is_run = core.parse::<opsctl::domain::RunId>().is_ok();
    match (is_uuid, is_run) {
        (true, _) => word.replace(core, "<id>"),
        (_, true) => word.replace(core, "<run>"),
        _ => word.to_owned(),
    }
}
