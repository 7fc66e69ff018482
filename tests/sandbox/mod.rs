//! The sandbox, met by the SDK's own clients: in process and over loopback.

mod alarms;
mod databases;
mod denials;
mod faults;
mod fleet;
mod identity;
mod metrics;
mod parameters;
mod polls;
mod queues;
mod serving;

use aws_credential_types::Credentials;
use aws_types::{SdkConfig, region::Region, sdk_config::SharedCredentialsProvider};
use jiff::Timestamp;
use opsctl::{
    clock::Clock,
    sandbox::{Options, Sandbox, world::World},
};
use tokio::{net::TcpListener, task::JoinHandle};

/// Account of the clients below.
const ACCOUNT: &str = "111111111111";

fn start() -> Timestamp {
    "2026-11-21T03:00:00Z".parse().expect("a time")
}

/// An empty world at three in the morning, on a virtual clock.
fn sandbox() -> Sandbox {
    sandbox_with(Options::default())
}

fn sandbox_with(options: Options) -> Sandbox {
    let clock = Clock::virtual_from(start(), options.speed);
    Sandbox::new(World::new(options.seed, clock.now()), clock, options)
}

fn configuration(sandbox: &Sandbox, access_key: &str) -> aws_types::sdk_config::Builder {
    let credentials = Credentials::new(access_key, "sandbox", None, None, "test");
    SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::v2026_01_12())
        .region(Region::from_static("af-south-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .time_source(sandbox.clock())
        .sleep_impl(aws_smithy_async::rt::sleep::SharedAsyncSleep::new(sandbox.clock()))
        .http_client(opsctl::cloud::network_client())
}

/// A client's configuration that reaches the sandbox without sockets.
fn in_process(sandbox: &Sandbox) -> SdkConfig {
    configuration(sandbox, ACCOUNT).http_client(sandbox.http_client()).build()
}

/// The sandbox on loopback, until dropped.
struct Served {
    task: JoinHandle<()>,
    url: String,
}

impl Served {
    async fn new(sandbox: &Sandbox) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let sandbox = sandbox.clone();
        let task = tokio::spawn(async move { sandbox.serve(listener, std::future::pending()).await });
        Self { task, url }
    }

    fn configuration(&self, sandbox: &Sandbox) -> SdkConfig {
        configuration(sandbox, ACCOUNT).endpoint_url(&self.url).build()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}
