//! Worlds that push back, set up by a fleet file: each must have its bad state, stay in it, and leave it by the right act only.

mod connections;
mod crashes;
mod expiry;
mod failovers;
mod tables;
mod work;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::world::{
    ApiError, Caller, Counts, World,
    fleet::{Amount, Fleet},
};

const ACCOUNT: &str = "333333333333";
const REGION: &str = "af-south-1";

const HEAD: &str = r#"
region = "af-south-1"
pairs = []

[[environment]]
name = "prod"
account = "333333333333"
protection = "confirm"
colour = "red"

[[template]]
name = "order"
body = '{"order":${n}}'

[[database]]
name = "orders"
system = "shop"
engine = "aurora-postgresql"
version = "16.6"
class = "db.r6g.large"
zones = ["a", "b"]
"#;

/// The example of the guide as a fleet.
fn guide() -> Fleet {
    let guide = include_str!("../../../../../../docs/sandbox.md");
    let (_, rest) = guide.split_once("```toml\n").expect("an example");
    let (example, _) = rest.split_once("```").expect("its end");
    let (head, _) = HEAD.split_once("[[template]]").expect("a head");
    let (settings, rest) = example.split_once("\n\n").expect("settings first");
    let (before, environment) = head.split_once("[[environment]]").expect("an environment");
    for word in
        ["hands", "crashing_on", "fifo_looks_at", "pool", "reverts_while_written", "table", "tracking", "limits"]
    {
        assert!(example.contains(word), "{word}");
    }
    let fleet = Fleet::parse(&format!("{before}{settings}\n[[environment]]{environment}{rest}"));
    fleet.unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_guide_tells_how_each_is_set() {
    let mut world = World::new(7, start());
    guide().settle(&mut world, start(), 7, Amount::Full).expect("settled");
    assert_eq!(world.settings.fifo_looks_at, 20_000);
    world.advance(start() + SignedDuration::from_mins(30));
    let refused = world.sts.check_own(ACCOUNT, "ReceiveMessage").map_err(|error| error.code);
    assert_eq!(refused, Err("ExpiredTokenException"));
    assert!(world.ecs.view(&caller(), "main", "worker").expect("there").desired > 4, "autoscaling met the demand");
}

#[test]
fn leaping_and_stepping_end_in_the_same_strained_world() {
    let end = 40 * 60;
    let seen = |step: i64| {
        let mut world = World::new(7, start());
        guide().settle(&mut world, start(), 7, Amount::Full).expect("settled");
        let mut scene = Scene { world, seconds: 0 };
        for (minutes, change) in [
            (20, json!({ "fail-over": { "database": "orders" } })),
            (
                25,
                json!({ "call": { "action": "ecs:RunTask", "with": { "cluster": "main", "taskDefinition": "migrate",
                "networkConfiguration": { "awsvpcConfiguration": { "subnets": ["subnet-1"] } } } } }),
            ),
        ] {
            let change = serde_json::from_value(change).expect("a change");
            scene.world.schedule(start() + SignedDuration::from_mins(minutes), change);
        }
        while scene.seconds < end {
            scene.pass(step.min(end - scene.seconds));
        }
        let mut seen = scene.events("worker");
        seen.push(format!("{:?}", scene.world.queue_view(ACCOUNT, REGION, "work")));
        seen.extend(scene.tasks(("serviceName", "worker"), "STOPPED").iter().map(ToString::to_string));
        seen.extend(["/aws/ecs/worker", "/aws/ecs/migrate", "/aws/rds/cluster/orders/postgresql"].map(|group| {
            let lines = scene.lines(group);
            format!("{} {:?}", lines.len(), lines.last())
        }));
        for name in ["DatabaseConnections", "CPUUtilization"] {
            seen.push(format!("{name} {}", scene.metric(name)));
        }
        seen.push(scene.rds("DescribeEvents", &[("Duration", "60")]));
        seen
    };
    let leapt = seen(end);
    assert!(leapt.iter().any(|line| line.contains("is unhealthy in")), "{leapt:#?}");
    for step in [60, 17] {
        for (leapt, stepped) in leapt.iter().zip(seen(step)) {
            assert_eq!(*leapt, stepped, "in steps of {step} s");
        }
    }
}

struct Scene {
    world: World,
    seconds: i64,
}

impl Scene {
    /// The database `orders` with what is said of it, and more.
    fn new(of_database: &str, more: &str) -> Self {
        let mut world = World::new(7, start());
        let text = format!("{HEAD}{of_database}\n{more}");
        let fleet = Fleet::parse(&text).unwrap_or_else(|error| panic!("{error}"));
        fleet.settle(&mut world, start(), 7, Amount::Full).expect("settled");
        Self { world, seconds: 0 }
    }

    fn now(&self) -> Timestamp {
        start() + SignedDuration::from_secs(self.seconds)
    }

    fn pass(&mut self, seconds: i64) {
        self.seconds += seconds;
        self.world.advance(self.now());
    }

    fn call(&mut self, service: &str, action: &str, request: Value) -> Result<Value, ApiError> {
        self.world.ask_json(self.now(), &caller(), (service, action), request)
    }

    fn ok(&mut self, service: &str, action: &str, request: Value) -> Value {
        self.call(service, action, request).unwrap_or_else(|error| panic!("{action}: {error:?}"))
    }

    fn rds(&mut self, action: &str, fields: &[(&str, &str)]) -> String {
        let form: BTreeMap<String, String> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.world.ask_form(self.now(), &caller(), ("rds", action), form).expect(action)
    }

    fn scale(&mut self, service: &str, count: u32) {
        self.ok("ecs", "UpdateService", json!({ "cluster": "main", "service": service, "desiredCount": count }));
    }

    fn counts(&mut self, queue: &str) -> Counts {
        self.pass(0);
        self.world.queue_view(ACCOUNT, REGION, queue).expect("there").counts
    }

    fn deleted(&mut self, queue: &str) -> u64 {
        self.pass(0);
        self.world.queue_view(ACCOUNT, REGION, queue).expect("there").totals.deleted
    }

    fn events(&mut self, service: &str) -> Vec<String> {
        self.pass(0);
        self.world.ecs.view(&caller(), "main", service).expect("there").events
    }

    /// Tasks of a service or family by status, as they are described.
    fn tasks(&mut self, by: (&str, &str), status: &str) -> Vec<Value> {
        let (member, name) = by;
        let arns = self.ok("ecs", "ListTasks", json!({ "cluster": "main", member: name, "desiredStatus": status }));
        if arns["taskArns"].as_array().is_none_or(Vec::is_empty) {
            return Vec::new();
        }
        let request = json!({ "cluster": "main", "tasks": arns["taskArns"] });
        self.ok("ecs", "DescribeTasks", request)["tasks"].as_array().expect("a list").clone()
    }

    fn lines(&mut self, group: &str) -> Vec<String> {
        let told = self.call("logs", "FilterLogEvents", json!({ "logGroupName": group, "limit": 10_000 }));
        let told = told.map(|told| told["events"].as_array().cloned().unwrap_or_default()).unwrap_or_default();
        told.iter().filter_map(|event| event["message"].as_str().map(str::to_owned)).collect()
    }

    /// A metric of the instance that writes, in the last minute that can be seen.
    fn metric(&mut self, name: &str) -> f64 {
        let end = self.now().as_second();
        let dimensions = json!([{ "Name": "DBInstanceIdentifier", "Value": "orders-1" }]);
        let told = self.ok("cloudwatch", "GetMetricStatistics", json!({ "Namespace": "AWS/RDS", "MetricName": name,
            "Dimensions": dimensions, "StartTime": end - 180, "EndTime": end, "Period": 60, "Statistics": ["Average"] }));
        let points = told["Datapoints"].as_array().expect("a list");
        let newest = points.iter().max_by_key(|point| point["Timestamp"].as_f64().map(|at| at as i64));
        newest.and_then(|point| point["Average"].as_f64()).unwrap_or(-1.0)
    }
}

fn start() -> Timestamp {
    "2026-11-23T06:00:00Z".parse().expect("a time")
}

fn caller() -> Caller {
    Caller { account: ACCOUNT.into(), region: REGION.into(), origin: "https://sandbox".into() }
}

/// A service of the ECS cluster `main`, behind a load balancer, that needs the database.
fn service(name: &str, tasks: u32, more: &str) -> String {
    format!(
        "[[service]]\nname = \"{name}\"\nsystem = \"shop\"\ncluster = \"main\"\ntasks = {{ prod = {tasks} }}\n\
         database = {{ prod = \"orders\" }}\nload_balancer_port = 8080\n{more}\n"
    )
}

/// A queue with a dead-letter queue, and its consumer.
fn queue(name: &str, more: &str, consumer: &str) -> String {
    format!(
        "[[queue]]\nname = \"{name}-dlq\"\nsystem = \"shop\"\n[[queue]]\nname = \"{name}\"\nsystem = \"shop\"\n\
         dead_letter = \"{name}-dlq\"\n{more}\n[queue.consumer]\n{consumer}\n"
    )
}
