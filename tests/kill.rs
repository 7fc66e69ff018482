//! `kill -9` of the real binary in the middle of a redrive, at random points, then `--resume` until it is done.
//!
//! Every message's body is then at the destination or still in the DLQ, at the destination at most once, and in both
//! only if the program named that message as uncertain. The seed is printed; `OPSCTL_TEST_SEED` repeats it.
//!
//! The points are lengths of the journal, not times: so most of them lie inside of the run on any machine.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_sqs::{
    Client,
    types::{DeleteMessageBatchRequestEntry, QueueAttributeName as Name, SendMessageBatchRequestEntry},
};
use aws_types::{SdkConfig, region::Region};
use futures_util::{StreamExt, stream};

use crate::served::Served;

const ACCOUNT: &str = "111111111111";
/// Of the sandbox's environments.
const REGION: &str = "af-south-1";
const MESSAGES: usize = 600;
const LANES: usize = 8;
const RESUMES_MAX: usize = 12;
const RUN_SECONDS_MAX: u64 = 120;
/// How many times as fast as real time the sandbox's clock runs, and that of the programs that join it: hiding ends sooner.
const SPEED: u32 = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 5)]
async fn killed_on_the_sandbox_nothing_is_lost() {
    let served = Served::start_at(SPEED);
    let runs = format!("state/opsctl/sandbox/{}/runs", served.pid());
    let joins = Some(served.runtime_folder().to_owned());
    let at = At { endpoint: served.url.clone(), joins, runs, speed: SPEED };
    kill_and_resume(&at, 24, 4, Resumes::KilledToo).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 5)]
async fn killed_on_ministack_nothing_is_lost() {
    let Some(endpoint) = crate::served::peer("OPSCTL_TEST_MINISTACK") else { return };
    let at = At {
        endpoint: endpoint.to_string_lossy().into_owned(),
        joins: None,
        runs: "state/opsctl/runs".to_owned(),
        speed: 1,
    };
    // All at once: most of their time they wait for what the killed run had hidden, half a minute at a time.
    kill_and_resume(&at, 8, 8, Resumes::LeftAlone).await;
}

/// Where the queues are.
#[derive(Debug, Clone)]
struct At {
    endpoint: String,
    /// `XDG_RUNTIME_DIR` of the sandbox that is joined; none: an endpoint in a configuration.
    joins: Option<PathBuf>,
    /// Where journals lie, in a round's own folder.
    runs: String,
    speed: u32,
}

/// Whether half of the resumes are killed, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Resumes {
    KilledToo,
    /// A resume hides uncertain messages for minutes. AWS and the sandbox let a later one show them by an older receipt
    /// handle; ministack knows the newest handle only, and the test would wait for minutes.
    LeftAlone,
}

/// What the rounds did, so that a test that kills nothing fails.
#[derive(Debug, Default)]
struct Killed {
    runs: usize,
    resumes: usize,
    uncertain: usize,
    in_both: usize,
}

#[expect(clippy::print_stdout, reason = "the seed and what was killed belong into the test's output")]
async fn kill_and_resume(at: &At, rounds: usize, at_once: usize, resumes: Resumes) {
    let seed =
        env::var("OPSCTL_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    println!("seed {seed}");
    let whole = Round::new(at, "whole", seed).await;
    let journal_bytes = whole.journal_of_a_whole_run().await;
    let killed: Vec<Killed> = stream::iter(0..rounds)
        .map(|number| {
            let at = at.clone();
            // On a thread of its own: it waits for processes.
            tokio::spawn(async move {
                let round = Round::new(&at, &number.to_string(), seed.wrapping_add(number as u64)).await;
                round.kill_and_resume(journal_bytes, resumes).await
            })
        })
        .buffer_unordered(at_once)
        .map(|round| round.expect("the round ends well"))
        .collect()
        .await;
    let runs: usize = killed.iter().map(|killed| killed.runs).sum();
    let resumes: usize = killed.iter().map(|killed| killed.resumes).sum();
    let uncertain: usize = killed.iter().map(|killed| killed.uncertain).sum();
    let in_both: usize = killed.iter().map(|killed| killed.in_both).sum();
    println!("killed {runs} of {rounds} runs and {resumes} resumes; {uncertain} messages uncertain, {in_both} doubled");
    assert!(runs * 4 >= rounds * 3, "only {runs} of {rounds} runs were killed before their end");
}

/// One DLQ, one destination, one state folder.
struct Round {
    at: At,
    name: String,
    sqs: Client,
    random: std::sync::Mutex<fastrand::Rng>,
    home: tempfile::TempDir,
    dead_letters: String,
    destination: String,
    /// Body by message id.
    bodies: BTreeMap<String, String>,
}

impl Round {
    /// Makes the queues and fills the DLQ.
    async fn new(at: &At, name: &str, seed: u64) -> Self {
        let endpoint = &at.endpoint;
        let credentials = Credentials::new(ACCOUNT, "secret", None, None, "kill");
        let config = SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::v2026_01_12())
            .region(Region::from_static(REGION))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_url(endpoint)
            .build();
        let sqs = Client::new(&config);
        let prefix = format!("kill-{seed:x}-{name}");
        let dead_letters = make_queue(&sqs, &format!("{prefix}-dlq")).await;
        let destination = make_queue(&sqs, &prefix).await;
        let home = tempfile::tempdir().expect("a folder for state and configuration");
        let configuration = format!(
            "[environments.dev]\naccount = \"{ACCOUNT}\"\nregion = \"{REGION}\"\nendpoint = \"{endpoint}\"\n\
             protection = \"confirm\"\n"
        );
        fs::write(home.path().join("opsctl.toml"), configuration).expect("the configuration");
        let bodies = fill(&sqs, &dead_letters).await;
        let random = std::sync::Mutex::new(fastrand::Rng::with_seed(seed));
        Self { at: at.clone(), name: prefix, sqs, random, home, dead_letters, destination, bodies }
    }

    /// Moves everything without a kill -> how long the journal has become, in bytes
    async fn journal_of_a_whole_run(&self) -> u64 {
        let output = finish(self.redrive(&self.arguments()));
        assert!(output.status.success(), "a run that nobody kills: {}", said(&output));
        let at_destination = drain(&self.sqs, &self.destination).await;
        assert_eq!(at_destination.len(), MESSAGES, "a run that nobody kills moves everything");
        fs::metadata(self.journal().expect("a journal")).expect("a journal").len()
    }

    async fn kill_and_resume(&self, journal_bytes: u64, resumes: Resumes) -> Killed {
        let mut killed = Killed::default();
        let point = self.random(1..journal_bytes);
        killed.runs += usize::from(self.run_and_kill(&self.arguments(), point));
        let run = self.journal().and_then(|journal| Some(journal.parent()?.file_name()?.to_str()?.to_owned()));
        let Some(run) = run else {
            // Killed before there was a journal: then nothing had been done, and the command is given again.
            let output = finish(self.redrive(&self.arguments()));
            assert!(output.status.success(), "{}: {}", self.name, said(&output));
            self.check(&BTreeSet::new()).await;
            return killed;
        };
        let resume = ["redrive", "--resume", &run, "--yes"].map(str::to_owned);
        if resumes == Resumes::KilledToo && self.random(0..2) == 0 {
            let point = self.random(1..journal_bytes);
            let length = self.journal().map_or(0, |journal| fs::metadata(journal).map_or(0, |data| data.len()));
            killed.resumes += usize::from(self.run_and_kill(&resume, length + point / 2));
        }
        let uncertain = self.resume_until_done(&resume, killed.runs + killed.resumes).await;
        killed.uncertain = uncertain.len();
        killed.in_both = self.check(&uncertain).await;
        killed
    }

    /// Resumes until nothing is left to do -> the ids of the messages whose fate the program says is uncertain
    async fn resume_until_done(&self, resume: &[String], kills: usize) -> BTreeSet<String> {
        let mut last = String::new();
        for _ in 0..RESUMES_MAX {
            self.wait_for_hidden_ones().await;
            let output = finish(self.redrive(resume));
            last = said(&output);
            let code = output.status.code();
            assert!(matches!(code, Some(0 | 4)), "{}: {last}", self.name);
            // A run that had ended before the kill has nothing to report.
            let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
            let tally = &report["tally"];
            let uncertain = tally["uncertain"].as_array().into_iter().flatten().filter_map(|id| id.as_str());
            let uncertain: BTreeSet<String> = uncertain.map(str::to_owned).collect();
            let (count, count_max) = (uncertain.len(), 10 * LANES * kills);
            assert!(count <= count_max, "{}: {count} uncertain; at most one batch a lane, {count_max}", self.name);
            let did = tally["sent"].as_u64().unwrap_or(0) + tally["moved"].as_u64().unwrap_or(0);
            // Only doubt that a person must settle keeps a run from ending.
            if code == Some(0) || did == 0 && count > 0 {
                return uncertain;
            }
        }
        panic!("{}: not done after {RESUMES_MAX} resumes\n{last}", self.name)
    }

    /// What a killed run had received comes back when its visibility ends.
    async fn wait_for_hidden_ones(&self) {
        let deadline = Instant::now() + Duration::from_secs(40) / self.at.speed;
        while hidden(&self.sqs, &self.dead_letters).await > 0 && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Nothing lost, nothing silently doubled -> how many messages are in both queues
    async fn check(&self, uncertain: &BTreeSet<String>) -> usize {
        let at_destination = drain(&self.sqs, &self.destination).await;
        let left = drain(&self.sqs, &self.dead_letters).await;
        let mut in_both = 0;
        for (id, body) in &self.bodies {
            let copies = at_destination.iter().filter(|(_, there)| there == body).count();
            let is_left = left.iter().any(|(there, _)| there == id);
            assert!(copies > 0 || is_left, "{}: {id} is lost", self.name);
            assert!(copies <= 1, "{}: {id} is at the destination {copies} times", self.name);
            let doubled = copies == 1 && is_left;
            assert!(!doubled || uncertain.contains(id), "{}: {id} is doubled, and nobody said so", self.name);
            assert!(!is_left || uncertain.contains(id), "{}: {id} was left, and nobody said so", self.name);
            in_both += usize::from(doubled);
        }
        assert!(at_destination.len() <= MESSAGES && left.len() <= uncertain.len(), "{}: strangers", self.name);
        in_both
    }

    fn arguments(&self) -> Vec<String> {
        let lanes = LANES.to_string();
        let arguments = ["redrive", "--queue", &self.dead_letters, "--to", &self.destination, "--engine", "client"];
        let options = ["--lanes", &lanes, "--visibility", "30s", "--wait-bounce", "0s", "--yes"];
        arguments.iter().chain(&options).map(|&part| part.to_owned()).collect()
    }

    fn redrive(&self, arguments: &[String]) -> Child {
        let home = self.home.path();
        let mut command = Command::new(env!("CARGO_BIN_EXE_opsctl"));
        command
            .args(arguments)
            .args(["--env", "dev", "--output", "json"])
            .current_dir(home)
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("HOME", home)
            .env("XDG_STATE_HOME", home.join("state"))
            .env("AWS_ACCESS_KEY_ID", ACCOUNT)
            .env("AWS_SECRET_ACCESS_KEY", "secret");
        if let Some(runtime_folder) = &self.at.joins {
            command.arg("--sandbox").env("XDG_RUNTIME_DIR", runtime_folder);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("opsctl starts")
    }

    /// Kills the command as soon as its journal has `journal_bytes` -> whether it was still running
    fn run_and_kill(&self, arguments: &[String], journal_bytes: u64) -> bool {
        let mut child = self.redrive(arguments);
        let deadline = Instant::now() + Duration::from_secs(RUN_SECONDS_MAX);
        while child.try_wait().expect("opsctl is our child").is_none() {
            let length = self.journal().map_or(0, |journal| fs::metadata(journal).map_or(0, |data| data.len()));
            if length >= journal_bytes || Instant::now() > deadline {
                // Some more microseconds, so that the kill is not always right behind a write.
                std::thread::sleep(Duration::from_micros(self.random(0..4_000)));
                child.kill().expect("SIGKILL");
                return child.wait().expect("opsctl is our child").code().is_none();
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        false
    }

    /// The one run's journal, once it is there.
    fn journal(&self) -> Option<PathBuf> {
        let runs = fs::read_dir(self.home.path().join(&self.at.runs)).ok()?;
        runs.flatten().map(|run| run.path().join("journal.jsonl")).find(|journal| journal.exists())
    }

    fn random(&self, range: std::ops::Range<u64>) -> u64 {
        self.random.lock().expect("nobody panicked with it").u64(range)
    }
}

/// Waits for the command's end, with a deadline.
fn finish(mut child: Child) -> Output {
    let deadline = Instant::now() + Duration::from_secs(RUN_SECONDS_MAX);
    while child.try_wait().expect("opsctl is our child").is_none() {
        if Instant::now() > deadline {
            child.kill().expect("SIGKILL");
            panic!("opsctl did not end within {RUN_SECONDS_MAX} s");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().expect("opsctl is our child")
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}\n{}", output.status, text(&output.stderr), text(&output.stdout))
}

async fn make_queue(sqs: &Client, name: &str) -> String {
    sqs.create_queue().queue_name(name).send().await.expect("the queue is made").queue_url.expect("a URL")
}

/// Sends the messages, each with a body of its own -> body by message id
async fn fill(sqs: &Client, queue: &str) -> BTreeMap<String, String> {
    let bodies: Vec<String> = (0..MESSAGES).map(|number| format!(r#"{{"orderId":{number}}}"#)).collect();
    let mut ids = BTreeMap::new();
    for batch in bodies.chunks(10) {
        let entries = batch.iter().enumerate().map(|(place, body)| {
            let entry = SendMessageBatchRequestEntry::builder().id(place.to_string()).message_body(body);
            entry.build().expect("a whole entry")
        });
        let answer = sqs.send_message_batch().queue_url(queue).set_entries(Some(entries.collect())).send().await;
        for sent in answer.expect("an answer").successful {
            let place: usize = sent.id.parse().expect("the id that was given");
            ids.insert(sent.message_id, batch[place].clone());
        }
    }
    assert_eq!(ids.len(), MESSAGES, "all are sent");
    ids
}

/// Takes everything out, and waits for what is still hidden -> ids and bodies
async fn drain(sqs: &Client, queue: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    // What a run left is hidden for two minutes at a time.
    let deadline = Instant::now() + Duration::from_secs(130);
    while Instant::now() < deadline {
        let received = sqs.receive_message().queue_url(queue).max_number_of_messages(10).wait_time_seconds(0);
        let messages = received.send().await.expect("an answer").messages.unwrap_or_default();
        if messages.is_empty() && is_empty(sqs, queue).await {
            return all;
        }
        if messages.is_empty() {
            tokio::time::sleep(Duration::from_millis(200)).await;
            continue;
        }
        let entries = messages.iter().enumerate().map(|(place, message)| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(place.to_string());
            entry.receipt_handle(message.receipt_handle.as_deref().expect("a handle")).build().expect("a whole entry")
        });
        let deleted = sqs.delete_message_batch().queue_url(queue).set_entries(Some(entries.collect())).send().await;
        assert!(deleted.expect("an answer").failed.is_empty(), "what was just received can be deleted");
        let both = messages.into_iter().map(|message| (message.message_id, message.body));
        all.extend(both.map(|(id, body)| (id.expect("an id"), body.expect("a body"))));
    }
    let visible = count(sqs, queue, Name::ApproximateNumberOfMessages).await;
    let hidden = hidden(sqs, queue).await;
    panic!("{queue} is not empty after two minutes: {} received, {visible} visible, {hidden} hidden", all.len())
}

async fn is_empty(sqs: &Client, queue: &str) -> bool {
    count(sqs, queue, Name::ApproximateNumberOfMessages).await == 0 && hidden(sqs, queue).await == 0
}

/// How many messages somebody has received and not deleted.
async fn hidden(sqs: &Client, queue: &str) -> u64 {
    count(sqs, queue, Name::ApproximateNumberOfMessagesNotVisible).await
}

async fn count(sqs: &Client, queue: &str, name: Name) -> u64 {
    let answer = sqs.get_queue_attributes().queue_url(queue).attribute_names(name.clone()).send().await;
    let attributes = answer.expect("an answer").attributes.unwrap_or_default();
    attributes[&name].parse().expect("a number")
}
