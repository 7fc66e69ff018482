//! `opsctl sandbox serve` in a process of its own, and clients on a sandbox wherever it runs.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use aws_credential_types::Credentials;
use aws_sdk_sqs::{
    Client,
    config::{BehaviorVersion, Region, timeout::TimeoutConfig},
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use opsctl::{
    clock::Clock,
    cloud::{Cloud, Connect},
    domain::{AccountId, CredentialSource, Environment, EnvironmentName, Protection, QueueRules, WatchRules},
    sandbox::{
        Options, Sandbox,
        world::{Denial, World},
    },
};
use tempfile::TempDir;

pub(crate) const ACCOUNT: &str = "111111111111";
pub(crate) const REGION: &str = "af-south-1";

/// A folder on the disk that the build lies on, not in memory.
pub(crate) fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder")
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// `opsctl sandbox serve` in a process of its own; killed when dropped.
pub(crate) struct Server {
    process: Child,
    pub(crate) url: String,
    _state: TempDir,
}

impl Server {
    /// An empty world, each call answered after `latency_ms`.
    pub(crate) fn start(latency_ms: u32) -> Self {
        let state = folder();
        let mut process = Command::new(env!("CARGO_BIN_EXE_opsctl"))
            .args(["sandbox", "serve", "--port", "0", "--empty", "--latency", &format!("{latency_ms}ms")])
            .env("XDG_RUNTIME_DIR", state.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("opsctl starts");
        let lines = BufReader::new(process.stdout.take().expect("piped")).lines();
        let url = lines
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("export AWS_ENDPOINT_URL=").map(str::to_owned))
            .expect("the sandbox tells its URL");
        Self { process, url, _state: state }
    }

    pub(crate) fn resident_megabytes(&self) -> f64 {
        memory_megabytes(self.process.id(), "VmRSS:").expect("the server runs")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It holds nothing worth keeping; that it is gone already is no trouble either.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// A figure of a process's memory as Linux tells it; none when the process has ended.
pub(crate) fn memory_megabytes(process: u32, name: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes / 1_024.0)
}

/// CPU time of this process so far, all threads, in seconds.
pub(crate) fn cpu_seconds() -> f64 {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux");
    // The name in parentheses may have blanks; user and system time are the 12th and 13th figure after it.
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: f64 = after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    ticks / TICKS_PER_SECOND
}

/// A sandbox, in this process or in another, and the ways to it.
pub(crate) struct Ground {
    /// For what `cloud` does not do: making queues.
    pub(crate) client: Client,
    pub(crate) environment: Environment,
    pub(crate) server: Option<Server>,
    connect: Connect,
    sandbox: Option<Sandbox>,
}

impl Ground {
    /// In a process of its own, behind a socket.
    pub(crate) fn served(latency_ms: u32) -> Self {
        let server = Server::start(latency_ms);
        let environment = environment(Some(server.url.clone()));
        let client = client(|config| config.endpoint_url(&server.url));
        Self { client, environment, connect: Connect::network(Clock::system()), server: Some(server), sandbox: None }
    }

    /// In this process, without a socket, answering at once. Needs a runtime.
    pub(crate) fn embedded(latency: Duration) -> Self {
        let clock = Clock::system();
        let options = Options { latency, ..Options::default() };
        let sandbox = Sandbox::new(World::new(7, clock.now()), clock, options);
        let http = || -> SharedHttpClient { sandbox.http_client() };
        let client = client(|config| config.http_client(http()));
        let connect = Connect::through(clock, http());
        Self { client, environment: environment(None), connect, server: None, sandbox: Some(sandbox) }
    }

    /// Denies a call on the queues with such names; in this process only.
    pub(crate) fn deny(&self, queue: &str, action: &str) {
        let denial = Denial { account: "*".to_owned(), queue: queue.to_owned(), action: action.to_owned() };
        self.sandbox.as_ref().expect("embedded").with(|world, _| world.denials.push(denial));
    }

    /// How clients are made.
    pub(crate) fn connect(&self) -> Connect {
        self.connect.clone()
    }

    pub(crate) async fn cloud(&self) -> Cloud {
        self.connect.cloud(Arc::new(self.environment.clone())).await.expect("clients")
    }

    /// A queue with these attributes; answers its URL.
    pub(crate) async fn create(&self, name: &str, attributes: &[(&str, String)]) -> String {
        let mut call = self.client.create_queue().queue_name(name);
        for (name, value) in attributes {
            call = call.attributes((*name).into(), value);
        }
        call.send().await.expect("created").queue_url.expect("a URL")
    }
}

pub(crate) fn environment(endpoint: Option<String>) -> Environment {
    Environment {
        name: EnvironmentName("dev".to_owned()),
        account: Some(AccountId(ACCOUNT.to_owned())),
        region: REGION.to_owned(),
        credentials: CredentialSource::Keys { access_key: ACCOUNT.to_owned(), secret_key: "sandbox".to_owned() },
        role_chain: Vec::new(),
        protection: Protection::Confirm,
        colour: None,
        endpoint,
        queues: QueueRules::default(),
        watch: WatchRules::default(),
        services: opsctl::domain::service_rules::ServiceRules::default(),
        databases: opsctl::domain::environment::DatabaseRules::default(),
        invocation: opsctl::domain::Invocation::default(),
        login: Default::default(),
    }
}

fn client(reach: impl FnOnce(aws_sdk_sqs::config::Builder) -> aws_sdk_sqs::config::Builder) -> Client {
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static(REGION))
        .timeout_config(TimeoutConfig::builder().operation_timeout(Duration::from_secs(30)).build())
        .credentials_provider(Credentials::new(ACCOUNT, "sandbox", None, None, "bench"))
        .http_client(opsctl::cloud::network_client());
    Client::from_conf(reach(config).build())
}
