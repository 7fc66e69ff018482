//! The watch beside queues: how soon services, databases, alarms and mappings of several environments are there.

use std::{
    collections::HashMap,
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use opsctl::{
    clock::Clock,
    cloud::Connect,
    domain::{AccountId, CredentialSource, Environment, EnvironmentName},
    observe::{Policy, Site, Snapshot, Watch, verdict},
    sandbox::{
        Options, Sandbox,
        world::{
            Caller, World,
            ecs::{Breaker, Program, ServiceFixture},
            rds::{Cluster, Instance},
        },
    },
};
use serde_json::json;

use crate::{
    Bound, Measure,
    server::{REGION, environment, runtime},
};

const LATENCY: Duration = Duration::from_millis(10);
const ACCOUNTS: [&str; 3] = ["111111111111", "222222222222", "333333333333"];
/// Of each environment.
const SERVICES: usize = 300;
const CLUSTERS: usize = 50;
const ALARMS: usize = 1_000;
const RUNS: usize = 5;

/// From the start of a watch of three environments to all parts of all of them, and what is to be said about them.
pub(crate) fn complete() -> Vec<Measure> {
    let runtime = runtime();
    let _inside = runtime.enter();
    let (mut seconds, mut milliseconds) = (Vec::new(), Vec::new());
    let mut throttled = 0;
    for _ in 0..RUNS {
        // A new world each time: the throttles are full, as they are when somebody comes.
        let sandbox = sandbox();
        let begun = Instant::now();
        let (watch, told) = start(&sandbox);
        let last = until_complete(&told);
        seconds.push(begun.elapsed().as_secs_f64());
        drop(watch);
        throttled += sandbox.with(|world, _| world.ecs.throttled());
        let now = Clock::system().now();
        let begun = Instant::now();
        for snapshot in last.values() {
            let environment = in_account(ACCOUNTS[0]);
            verdict::verdicts(&environment, &environment.watch.thresholds, snapshot, now);
        }
        milliseconds.push(begun.elapsed().as_secs_f64() * 1_000.0);
    }
    let what = format!("3 environments, each {SERVICES} services, {CLUSTERS} database clusters, {ALARMS} alarms");
    vec![
        Measure {
            name: "estate",
            what: format!("{what}: from start to complete, 10 ms a call"),
            value: median(seconds),
            unit: "s",
            bound: Bound::AtMost(2.0),
        },
        Measure {
            name: "estate-throttled",
            what: format!("calls of ECS throttled in those {RUNS} runs, by buckets as ECS has them"),
            value: throttled as f64,
            unit: "",
            bound: Bound::AtMost(0.0),
        },
        Measure {
            name: "estate-verdicts",
            what: "verdicts on all of it".to_owned(),
            value: median(milliseconds),
            unit: "ms",
            bound: Bound::AtMost(10.0),
        },
    ]
}

fn in_account(account: &str) -> Environment {
    Environment {
        name: EnvironmentName(format!("in-{account}")),
        account: Some(AccountId(account.to_owned())),
        credentials: CredentialSource::Keys { access_key: account.to_owned(), secret_key: "sandbox".to_owned() },
        ..environment(None)
    }
}

fn sandbox() -> Sandbox {
    let clock = Clock::system();
    let options = Options { latency: LATENCY, ..Options::default() };
    let sandbox = Sandbox::new(World::new(7, clock.now()), clock, options);
    for account in ACCOUNTS {
        sandbox.with(|world, now| settle(world, now, account));
    }
    sandbox
}

fn settle(world: &mut World, now: jiff::Timestamp, account: &str) {
    let origin = format!("https://sqs.{REGION}.amazonaws.com");
    let caller = Caller { account: account.to_owned(), region: REGION.to_owned(), origin };
    for number in 0..SERVICES {
        let name = format!("service-{number:03}");
        let fixture = ServiceFixture {
            cluster: format!("main-{}", number % 3),
            family: name.clone(),
            image: name.clone(),
            name,
            revision: 1,
            program: Program::default(),
            desired: 2,
            breaker: Breaker::Off,
            tags: Default::default(),
        };
        world.ecs.settle(now, &caller, &fixture);
    }
    for number in 0..CLUSTERS {
        let name = format!("database-{number:02}");
        let members = [format!("{name}-1"), format!("{name}-2")];
        let names: Vec<&str> = members.iter().map(String::as_str).collect();
        let engine = "aurora-postgresql";
        let instance = |name: &String| Instance::new(name, "db.r6g.large", engine, "16.6", "af-south-1a", now);
        let cluster = Cluster::new(&name, engine, "16.6", &names, now);
        world.put_cluster(account, REGION, cluster, members.iter().map(instance).collect());
    }
    for number in 0..ALARMS {
        let alarm = json!({
            "AlarmName": format!("alarm-{number:04}"), "Namespace": "Shop", "MetricName": format!("errors-{number}"),
            "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1.0,
            "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching",
        });
        world.ask(now, &caller, ("cloudwatch", "PutMetricAlarm"), alarm).expect("an alarm");
    }
}

fn start(sandbox: &Sandbox) -> (Watch, mpsc::Receiver<Arc<Snapshot>>) {
    let (sender, told) = mpsc::channel();
    let connect = Connect::through(sandbox.clock(), sandbox.http_client());
    let site = |account: &str| {
        let (connect, environment) = (connect.clone(), Arc::new(in_account(account)));
        let opened = Arc::clone(&environment);
        Site::new(environment, move || {
            let (connect, environment) = (connect.clone(), Arc::clone(&opened));
            async move { connect.cloud(environment).await }
        })
    };
    let tell = move |snapshot| {
        // Whoever listened may have seen enough.
        drop(sender.send(snapshot));
    };
    (Watch::start(ACCOUNTS.map(site).into(), sandbox.clock(), &Policy::default(), tell), told)
}

/// The first whole snapshot of each environment.
fn until_complete(told: &mpsc::Receiver<Arc<Snapshot>>) -> HashMap<EnvironmentName, Arc<Snapshot>> {
    let mut whole = HashMap::new();
    while whole.len() < ACCOUNTS.len() {
        let snapshot = told.recv_timeout(Duration::from_secs(60)).expect("it goes on");
        let estate = &snapshot.estate;
        let parts = [estate.services.at, estate.databases.at, estate.alarms.at, estate.mappings.at];
        if parts.iter().all(Option::is_some) && estate.services.rows.iter().all(|row| row.service.desired == 2) {
            let counts = (estate.services.rows.len(), estate.databases.rows.len(), estate.alarms.rows.len());
            assert_eq!(counts, (SERVICES, CLUSTERS, ALARMS));
            assert!(estate.services.error.is_none() && estate.alarms.error.is_none());
            whole.entry(snapshot.environment.clone()).or_insert(snapshot);
        }
    }
    whole
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
