//! The console: the real binary in a real terminal, on a sandbox that another process serves.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};

use crate::{
    Bound, Measure,
    server::{ACCOUNT, Ground, memory_megabytes, runtime},
    terminal::Terminal,
};

const SIZE: (u16, u16) = (120, 40);
/// Starts measured; the median counts.
const STARTS: usize = 9;
/// Keys measured.
const KEYS: usize = 300;
/// How long the console is watched while nothing happens.
const IDLE: Duration = Duration::from_secs(20);
/// How long a console is left alone before it is measured.
const SETTLE: Duration = Duration::from_secs(20);
/// So long every call takes while keys are measured.
const HANG_MS: u32 = 3_000;

/// A home folder with a configuration of one environment at `endpoint`.
struct Home(tempfile::TempDir);

impl Home {
    fn new(endpoint: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = format!(
            "[environments.dev]\nendpoint = \"{endpoint}\"\nregion = \"af-south-1\"\naccount = \"{ACCOUNT}\"\n\
             protection = \"confirm\"\n"
        );
        std::fs::write(folder.path().join("opsctl.toml"), config).expect("written");
        Self(folder)
    }

    fn command(&self) -> Command {
        let home = self.0.path();
        let mut command = Command::new(env!("CARGO_BIN_EXE_opsctl"));
        command
            .env_clear()
            .env("HOME", home)
            .env("USER", "bench")
            .env("XDG_STATE_HOME", home.join("state"))
            .env("XDG_CACHE_HOME", home.join("cache"))
            .env("XDG_CONFIG_HOME", home.join("config"))
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("AWS_ACCESS_KEY_ID", ACCOUNT)
            .env("AWS_SECRET_ACCESS_KEY", "sandbox")
            .current_dir(home);
        command
    }

    fn start(&self) -> Terminal {
        Terminal::start(&self.command(), SIZE)
    }
}

fn leave(mut terminal: Terminal) {
    terminal.send("\u{3}");
    terminal.end();
}

/// From the start of the process to the first frame, without and with what an earlier session saw.
pub(crate) fn first_frame() -> Vec<Measure> {
    let ground = queues(0, 500);
    let home = Home::new(&url(&ground));
    let without = median((0..STARTS).map(|_| {
        let _ = std::fs::remove_dir_all(home.0.path().join("cache"));
        started(&home, "opsctl")
    }));
    // One session that sees it all leaves its last state behind.
    let terminal = home.start();
    terminal.send("2").wait("500 queues");
    leave(terminal);
    let with = median((0..STARTS).map(|_| started(&home, "orders-dlq")));
    vec![
        Measure {
            name: "first-frame",
            what: "from start to the first frame, nothing cached".to_owned(),
            value: without * 1_000.0,
            unit: "ms",
            bound: Bound::AtMost(100.0),
        },
        Measure {
            name: "first-frame-cached",
            what: "from start to a frame with what an earlier session saw of 500 queues".to_owned(),
            value: with * 1_000.0,
            unit: "ms",
            bound: Bound::AtMost(50.0),
        },
    ]
}

fn started(home: &Home, text: &str) -> f64 {
    let begun = Instant::now();
    let terminal = home.start();
    terminal.wait(text);
    let seconds = begun.elapsed().as_secs_f64();
    leave(terminal);
    seconds
}

/// From a key to the screen while every call hangs.
pub(crate) fn keys() -> Vec<Measure> {
    let ground = queues(HANG_MS, 40);
    let terminal = Home::new(&url(&ground)).start_owned();
    terminal.1.wait("opsctl");
    let mut seconds: Vec<f64> = (0..KEYS)
        .map(|number| {
            // What the key itself shows; what a view asks for comes later, with the answers.
            let (key, text) = if number % 2 == 0 { ("2", "s sort") } else { ("6", "X cancel") };
            let begun = Instant::now();
            terminal.1.send(key).wait(text);
            let seconds = begun.elapsed().as_secs_f64();
            // No faster than anybody types: what is measured is one key, not a queue of them.
            std::thread::sleep(Duration::from_millis(40));
            seconds
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    let at = |part: f64| seconds[((KEYS as f64 * part) as usize).min(KEYS - 1)] * 1_000.0;
    let what = |share: &str| format!("{share} of {KEYS} keys on the screen, every call hangs for {HANG_MS} ms");
    vec![
        Measure { name: "key-median", what: what("half"), value: at(0.5), unit: "ms", bound: Bound::None },
        Measure { name: "key-p99", what: what("99 %"), value: at(0.99), unit: "ms", bound: Bound::AtMost(16.0) },
    ]
}

impl Home {
    /// The folder lives as long as what runs in it.
    fn start_owned(self) -> (Self, Terminal) {
        let terminal = self.start();
        (self, terminal)
    }
}

/// Memory with many queues on the screen, and what the console costs while nothing happens.
pub(crate) fn memory() -> Vec<Measure> {
    let mut measures = Vec::new();
    for (name, count, shown, bound) in
        [("console-2000", 2_000, "2,000", 40.0), ("console-20000", 20_000, "20,000", 80.0)]
    {
        let ground = queues(0, count);
        let (_home, terminal) = Home::new(&url(&ground)).start_owned();
        terminal.send("2").wait(&format!("{shown} queues"));
        // Long enough for every queue to be described, and once more.
        std::thread::sleep(SETTLE);
        let megabytes = memory_megabytes(terminal.pid(), "VmRSS:").expect("it runs");
        let what = format!("resident with {shown} queues");
        measures.push(Measure { name, what, value: megabytes, unit: "MB", bound: Bound::AtMost(bound) });
        leave(terminal);
    }
    measures
}

/// CPU while nothing happens but the watching of the built-in fleet's queues.
pub(crate) fn idle() -> Vec<Measure> {
    let ground = queues(0, 90);
    let (_home, terminal) = Home::new(&url(&ground)).start_owned();
    terminal.send("2").wait("90 queues");
    std::thread::sleep(SETTLE);
    let before = cpu_seconds(terminal.pid());
    std::thread::sleep(IDLE);
    let share = (cpu_seconds(terminal.pid()) - before) / IDLE.as_secs_f64() * 100.0;
    leave(terminal);
    let what = "of a core while 90 queues are watched and nobody does anything".to_owned();
    vec![Measure { name: "console-idle", what, value: share, unit: "%", bound: Bound::AtMost(1.0) }]
}

/// A served world with so many queues; one is a DLQ with a message in it.
fn queues(latency_ms: u32, count: usize) -> Ground {
    let ground = Ground::served(latency_ms);
    runtime().block_on(async {
        let dead_letters = ground.create("orders-dlq", &[]).await;
        let name = |number: usize| format!("queue-{number:05}");
        let client = &ground.client;
        stream::iter(1..count)
            .for_each_concurrent(64, |number| async move {
                client.create_queue().queue_name(name(number)).send().await.expect("created");
            })
            .await;
        client.send_message().queue_url(dead_letters).message_body("{}").send().await.expect("sent");
    });
    ground
}

fn url(ground: &Ground) -> String {
    ground.server.as_ref().expect("served").url.clone()
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// User and system time; the kernel counts in hundredths of a second.
fn cpu_seconds(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields[at].parse::<f64>().expect("a number");
    (ticks(11) + ticks(12)) / 100.0
}
