//! Where a check stands: a peer, clients for it, queues of its own.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_sqs::types::QueueAttributeName as Name;
use aws_types::{SdkConfig, region::Region};
use opsctl::{
    clock::Clock,
    cloud::{Cloud, CloudError, Connect, sqs::Entry, sqs::Receive, sqs::Sqs},
    domain::{
        AttributeValue, CredentialSource, Environment, EnvironmentName, Message, MessageId, Outgoing, Payload,
        Protection, QueueArn, QueueRules, QueueUrl, ReceiptHandle, WatchRules,
    },
    sandbox::{Options, Sandbox, world::World},
};

/// Access key and account: all peers take a key of twelve digits for its account.
pub(super) const ACCOUNT: &str = "111111111111";
pub(super) const REGION: &str = "eu-west-1";

/// Who answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Peer {
    /// Ours, in process, on a clock of its own; an empty world for each check.
    Sandbox,
    /// At this endpoint.
    Ministack(String),
    /// At this endpoint.
    Localstack(String),
}

/// A check's place. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Ground {
    /// The code under test.
    pub(super) cloud: Cloud,
    /// For what `cloud/` does not do: making queues and parameters.
    pub(super) raw: SdkConfig,
    pub(super) peer: Peer,
    /// Ours: its world can be set up from inside.
    pub(super) sandbox: Option<Sandbox>,
    prefix: String,
}

impl Ground {
    pub(super) async fn new(peer: &Peer, check: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let (connect, endpoint, sandbox) = match peer {
            Peer::Sandbox => {
                let clock = Clock::virtual_from("2026-11-21T03:00:00Z".parse().expect("a time"), 1.0);
                let options = Options::default();
                let sandbox = Sandbox::new(World::new(options.seed, clock.now()), clock, options);
                (
                    Connect::through(clock, sandbox.http_client())
                        .dialing(opsctl::cloud::Dial::Through(sandbox.answerer())),
                    None,
                    Some(sandbox),
                )
            }
            Peer::Ministack(url) | Peer::Localstack(url) => {
                (Connect::network(Clock::system()), Some(url.clone()), None)
            }
        };
        let credentials = Credentials::new(ACCOUNT, "secret", None, None, "contract");
        let mut raw = SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::v2026_01_12())
            .region(Region::from_static(REGION))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .time_source(connect.clock)
            .sleep_impl(connect.clock);
        let http = connect.http.clone().unwrap_or_else(opsctl::cloud::network_client);
        raw.set_http_client(Some(http)).set_endpoint_url(endpoint.clone());
        let cloud = connect.cloud(Arc::new(environment(endpoint))).await.expect("fixed keys");
        // Queue names take 80 characters of a few sorts; a run must not meet an earlier one's queues.
        let check = check.chars().map(|character| if character.is_ascii_alphanumeric() { character } else { '-' });
        let check: String = check.take(30).collect();
        let prefix = format!("{check}-{:x}-{}", fastrand::u32(..), NEXT.fetch_add(1, Relaxed));
        Self { cloud, raw: raw.build(), peer: peer.clone(), sandbox, prefix }
    }

    pub(super) fn sqs(&self) -> &Sqs {
        &self.cloud.sqs
    }

    pub(super) fn clock(&self) -> Clock {
        self.cloud.clock()
    }

    /// What this check's queue names start with.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(super) fn raw_sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.raw)
    }

    pub(super) async fn wait(&self, seconds: u64) {
        self.clock().sleep(Duration::from_secs(seconds)).await;
    }

    /// A queue of this check; a `name` that ends in `.fifo` makes a FIFO queue.
    pub(super) async fn queue(&self, name: &str, attributes: &[(Name, &str)]) -> QueueUrl {
        let mut request = self.raw_sqs().create_queue().queue_name(format!("{}-{name}", self.prefix));
        if name.ends_with(".fifo") {
            request = request.attributes(Name::FifoQueue, "true");
        }
        for (name, value) in attributes {
            request = request.attributes(name.clone(), *value);
        }
        let url = request.send().await.expect("the queue is made").queue_url;
        QueueUrl(url.expect("a URL"))
    }

    pub(super) async fn arn(&self, url: &QueueUrl) -> QueueArn {
        self.sqs().describe(url).await.expect("described").arn
    }

    /// A source named `name` whose messages go to `dead_letter` after `receives_max` receives.
    pub(super) async fn source_of(&self, dead_letter: &QueueUrl, name: &str, receives_max: u32) -> QueueUrl {
        let arn = self.arn(dead_letter).await;
        let policy = format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":{receives_max}}}"#);
        self.queue(name, &[(Name::RedrivePolicy, &policy)]).await
    }

    /// Sends, ten to a batch; every message must be taken.
    pub(super) async fn send(&self, url: &QueueUrl, messages: &[Outgoing]) -> Vec<MessageId> {
        let mut ids = Vec::new();
        for batch in messages.chunks(10) {
            for entry in self.sqs().send(url, batch).await.expect("an answer") {
                match entry {
                    Entry::Done(id) => ids.push(id),
                    Entry::Failed { code, message, .. } => panic!("not taken: {code}: {message}"),
                }
            }
        }
        ids
    }

    /// One receive without waiting.
    pub(super) async fn receive(&self, url: &QueueUrl, visibility_seconds: u32) -> Vec<Message> {
        let how = Receive { messages_max: 10, wait_seconds: 0, visibility_seconds };
        self.sqs().receive(url, how).await.expect("an answer")
    }

    /// Receives until `count` messages have come, or none for two seconds.
    pub(super) async fn receive_all(&self, url: &QueueUrl, count: usize, visibility_seconds: u32) -> Vec<Message> {
        let how = Receive { messages_max: 10, wait_seconds: 2, visibility_seconds };
        let mut all = Vec::new();
        while all.len() < count {
            let some = self.sqs().receive(url, how).await.expect("an answer");
            if some.is_empty() {
                break;
            }
            all.extend(some);
        }
        all
    }

    /// The one message that is there.
    pub(super) async fn receive_one(&self, url: &QueueUrl, visibility_seconds: u32) -> Message {
        let mut all = self.receive_all(url, 1, visibility_seconds).await;
        assert_eq!(all.len(), 1, "one message");
        all.remove(0)
    }

    pub(super) async fn delete(&self, url: &QueueUrl, receipts: &[&ReceiptHandle]) -> Vec<Entry<()>> {
        let receipts: Vec<ReceiptHandle> = receipts.iter().map(|&receipt| receipt.clone()).collect();
        self.sqs().delete(url, &receipts).await.expect("an answer")
    }

    /// Waits, for at most two minutes of the peer's time, until `done`.
    pub(super) async fn eventually(&self, what: &str, mut done: impl AsyncFnMut() -> bool) {
        for _ in 0..60 {
            if done().await {
                return;
            }
            self.wait(2).await;
        }
        panic!("never: {what}");
    }
}

/// An environment with fixed keys.
pub(super) fn environment(endpoint: Option<String>) -> Environment {
    Environment {
        name: EnvironmentName("contract".into()),
        account: None,
        region: REGION.into(),
        credentials: CredentialSource::Keys { access_key: ACCOUNT.into(), secret_key: "secret".into() },
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

/// A message that is nothing but its body.
pub(super) fn plain(body: &str) -> Outgoing {
    let attributes = BTreeMap::new();
    Outgoing { body: body.into(), attributes, group: None, deduplication_id: None, trace_header: None }
}

/// A FIFO message.
pub(super) fn grouped(body: &str, group: &str, deduplication_id: &str) -> Outgoing {
    Outgoing { group: Some(group.into()), deduplication_id: Some(deduplication_id.into()), ..plain(body) }
}

pub(super) fn text(data_type: &str, value: &str) -> AttributeValue {
    AttributeValue { data_type: data_type.into(), payload: Payload::Text(value.into()) }
}

pub(super) fn binary(data_type: &str, value: &[u8]) -> AttributeValue {
    AttributeValue { data_type: data_type.into(), payload: Payload::Binary(value.into()) }
}

pub(super) fn bodies(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| message.body.as_str()).collect()
}

/// Whether every entry was refused, by itself or with the whole batch.
/// AWS is not consistent about which; nothing is applied either way.
pub(super) fn is_refused<T>(answer: &Result<Vec<Entry<T>>, CloudError>) -> bool {
    match answer {
        Err(error) => error.kind == opsctl::cloud::ErrorKind::Invalid,
        Ok(entries) => entries.iter().all(|entry| match entry {
            Entry::Done(_) => false,
            Entry::Failed { .. } => !entry.may_have_been_applied(),
        }),
    }
}
