//! A stage: a sandbox of one environment, clients on it, a state folder; plans, approvals and runs as the program makes them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use opsctl::{
    clock::Clock,
    cloud::{Cloud, Connect},
    domain::{
        AccountId, CredentialSource, Environment, EnvironmentName, MessageKeys, Outbox, Protection, QueueRules, Text,
        WatchRules,
    },
    gate::{self, Answer, Approved, Consent, Refusal},
    journal::StateFolder,
    operations::{Look, Operation, OperationError, Planned, Planner, plan::Plan},
    outboxes::preset,
    run::{self, Context, Report},
    sandbox::{
        Options, Sandbox,
        world::{
            Caller, Fault, PutMessage, World,
            fleet::{self, Amount, Fleet, FleetOutbox},
        },
    },
};
use serde::Deserialize;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

pub(crate) const ACCOUNT: &str = "111111111111";
pub(crate) const REGION: &str = "af-south-1";

/// A queue to set up.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct QueueSetup {
    pub(crate) name: String,
    pub(crate) attributes: BTreeMap<String, String>,
    /// DLQ of this queue, with its maxReceiveCount.
    pub(crate) dead_letter: Option<(String, u32)>,
    /// Messages that lie in it.
    pub(crate) messages: usize,
    /// Name of the queue that SQS moved them from.
    pub(crate) died_in: Option<String>,
    /// FIFO: groups that they fall into.
    pub(crate) groups: usize,
    /// Bytes of each body, about.
    pub(crate) body_bytes: usize,
}

pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    pub(crate) environment: Environment,
    pub(crate) state: TempDir,
    pub(crate) cancel: CancellationToken,
    random: u64,
}

pub(crate) fn caller() -> Caller {
    Caller {
        account: ACCOUNT.to_owned(),
        region: REGION.to_owned(),
        origin: "https://sqs.af-south-1.amazonaws.com".to_owned(),
    }
}

pub(crate) fn environment(protection: Protection) -> Environment {
    Environment {
        name: EnvironmentName("dev".to_owned()),
        account: Some(AccountId(ACCOUNT.to_owned())),
        region: REGION.to_owned(),
        credentials: CredentialSource::Keys { access_key: ACCOUNT.to_owned(), secret_key: "sandbox".to_owned() },
        role_chain: Vec::new(),
        protection,
        colour: None,
        endpoint: None,
        queues: QueueRules {
            keys: vec![MessageKeys {
                queue: "*.fifo".to_owned(),
                group_id: "/transferId".to_owned(),
                deduplication_id: Some("/eventId".to_owned()),
            }],
            ..QueueRules::default()
        },
        watch: WatchRules::default(),
        services: opsctl::domain::service_rules::ServiceRules::default(),
        databases: opsctl::domain::environment::DatabaseRules::default(),
        invocation: opsctl::domain::Invocation::default(),
        login: Default::default(),
    }
}

impl Stage {
    /// Queues, oldest message an hour old, all at three in the morning on a virtual clock.
    pub(crate) fn new(protection: Protection, queues: &[QueueSetup]) -> Self {
        Self::with(protection, queues, Options::default())
    }

    pub(crate) fn with(protection: Protection, queues: &[QueueSetup], options: Options) -> Self {
        let clock = Clock::virtual_from("2026-11-21T03:00:00Z".parse().expect("a time"), 1.0);
        let sandbox = Sandbox::new(World::new(7, clock.now()), clock, options);
        // DLQs first: a redrive policy names one that exists.
        for queue in queues
            .iter()
            .filter(|queue| queue.dead_letter.is_none())
            .chain(queues.iter().filter(|queue| queue.dead_letter.is_some()))
        {
            sandbox.with(|world, now| create(world, now, queue));
        }
        for queue in queues {
            sandbox.with(|world, now| fill(world, now, queue));
        }
        sandbox.with(|world, now| world.begin_metrics(now));
        let state = tempfile::tempdir().expect("a folder");
        Self { sandbox, environment: environment(protection), state, cancel: CancellationToken::new(), random: 1 }
    }

    /// `prod` of the sandbox's fleet, with five messages at most in each queue. Nobody publishes two of its outboxes: a rule is disabled,
    /// a function throttled.
    pub(crate) fn prod() -> Self {
        let mut stage = Self::new(Protection::TypeName, &[]);
        let settle = |world: &mut _, now| Fleet::built_in().expect("a fleet").settle(world, now, 7, Amount::AtMost(5));
        stage.sandbox.with(settle).expect("settled");
        let prod = fleet::environments().into_iter().find(|environment| environment.name.as_str() == "prod");
        stage.environment = prod.expect("prod");
        let rules = &mut stage.environment.databases;
        for FleetOutbox { name, connection, preset: of, relay, fifo, group_blocks } in fleet::outboxes("prod") {
            let preset = preset(of).expect("a preset");
            let mut outbox = Outbox { fifo, ..preset.outbox(&name, &connection.name, relay) };
            outbox.mapping.group_blocks |= group_blocks;
            rules.outboxes.push(outbox);
            rules.connections.push(connection);
        }
        stage
    }

    pub(crate) fn fault(&self, fault: Fault) {
        self.sandbox.with(|world, _| world.faults.add(fault));
    }

    pub(crate) async fn cloud(&self) -> Cloud {
        let connect = Connect::through(self.sandbox.clock(), self.sandbox.http_client())
            .dialing(opsctl::cloud::Dial::Through(self.sandbox.answerer()));
        connect.cloud(Arc::new(self.environment.clone())).await.expect("clients")
    }

    pub(crate) fn folder(&self) -> StateFolder {
        StateFolder::new(self.state.path())
    }

    pub(crate) async fn plan(&mut self, operation: &Operation) -> Result<Planned, OperationError> {
        self.random += 1;
        let planner = Planner::new(self.folder(), self.random, Look::Sample);
        planner.plan(operation, &self.cloud().await).await
    }

    /// Approves as a careful person does: types what is asked, gives a reason.
    pub(crate) fn approve(&self, plan: Plan) -> Result<Approved, Refusal> {
        let consent = Consent {
            by: Text::from("tester"),
            answer: Answer::Typed(gate::phrase(&plan)),
            reason: Some(Text::from("test")),
        };
        gate::approve(plan, &self.environment, consent, self.sandbox.clock().now())
    }

    pub(crate) async fn context(&mut self) -> Context {
        self.random += 1;
        Context {
            cloud: self.cloud().await,
            state: self.folder(),
            parent: None,
            random: self.random,
            cancel: self.cancel.clone(),
            progress: Arc::new(|_| {}),
        }
    }

    /// Plans, approves, runs.
    pub(crate) async fn run(&mut self, operation: &Operation) -> Report {
        let planned = self.plan(operation).await.expect("a plan");
        let approved = self.approve(planned.plan).expect("approval");
        let context = self.context().await;
        run::execute(approved, &context).await
    }

    /// Resumes the newest run.
    pub(crate) async fn resume(&mut self) -> Report {
        let run = self.folder().list().expect("runs").first().expect("a run").run.clone();
        let plan = run::plan_of(&self.folder(), &run).expect("a plan");
        let approved = self.approve(plan).expect("approval");
        let context = self.context().await;
        run::resume(&run, approved, &context).await.expect("a journal")
    }

    /// Sets an attribute of a queue, as somebody else does.
    pub(crate) fn set(&self, queue: &str, name: &str, value: &str) {
        let input = serde_json::json!({ "QueueUrl": format!("{}/{ACCOUNT}/{queue}", caller().origin), "Attributes": { name: value } });
        let set = |world: &mut World, now| world.ask(now, &caller(), ("sqs", "SetQueueAttributes"), input);
        self.sandbox.with(set).expect("set");
    }

    /// Deletes a queue, as somebody else does.
    pub(crate) fn delete(&self, queue: &str) {
        let input = serde_json::json!({ "QueueUrl": format!("{}/{ACCOUNT}/{queue}", caller().origin) });
        let delete = |world: &mut World, now| world.ask(now, &caller(), ("sqs", "DeleteQueue"), input);
        self.sandbox.with(delete).expect("deleted");
    }

    /// How many messages lie in a queue.
    pub(crate) fn count(&self, queue: &str) -> usize {
        self.sandbox.with(|world, _| world.messages(ACCOUNT, REGION, queue).count())
    }

    /// Bodies in a queue, in sequence.
    pub(crate) fn bodies(&self, queue: &str) -> Vec<String> {
        self.sandbox.with(|world, _| {
            let mut messages: Vec<_> = world
                .messages(ACCOUNT, REGION, queue)
                .map(|message| (message.sequence, message.body.to_owned()))
                .collect();
            messages.sort();
            messages.into_iter().map(|(_, body)| body).collect()
        })
    }

    /// How often each body lies in any queue.
    pub(crate) fn copies(&self) -> HashMap<String, usize> {
        let names: Vec<String> = self
            .sandbox
            .with(|world, _| world.queue_views(ACCOUNT, REGION).map(|queue| queue.name.to_owned()).collect());
        let mut copies = HashMap::new();
        for body in names.iter().flat_map(|name| self.bodies(name)) {
            *copies.entry(body).or_default() += 1;
        }
        copies
    }
}

fn create(world: &mut World, now: Timestamp, queue: &QueueSetup) {
    let mut attributes = queue.attributes.clone();
    if let Some((dead_letter, receives_max)) = &queue.dead_letter {
        let arn = arn(dead_letter);
        let policy = format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":{receives_max}}}"#);
        attributes.insert("RedrivePolicy".to_owned(), policy);
    }
    if queue.name.ends_with(".fifo") {
        attributes.insert("FifoQueue".to_owned(), "true".to_owned());
    }
    let attributes: Vec<_> = attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    world.create(now, &caller(), &queue.name, &attributes).expect("a queue");
}

fn fill(world: &mut World, now: Timestamp, queue: &QueueSetup) {
    for number in 0..queue.messages {
        let group = queue.name.ends_with(".fifo").then(|| format!("group-{}", number % queue.groups.max(1)));
        let message = PutMessage {
            group,
            sent_at: Some(now - SignedDuration::from_secs(3_600) + SignedDuration::from_millis(number as i64)),
            receive_count: 3,
            dead_letter_source: queue.died_in.as_deref().map(arn),
            ..PutMessage::new(body(&queue.name, number, queue.body_bytes))
        };
        world.put(now, &caller(), &queue.name, message).expect("a message");
    }
}

pub(crate) fn body(queue: &str, number: usize, bytes: usize) -> String {
    let filler = "x".repeat(bytes);
    format!(
        r#"{{"n":{number},"even":{},"of":"{queue}","transferId":"t-{}","eventId":"e-{number}","filler":"{filler}"}}"#,
        number.is_multiple_of(2),
        number % 3
    )
}

pub(crate) fn arn(queue: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}")
}
