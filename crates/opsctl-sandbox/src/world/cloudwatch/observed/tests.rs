//! Metrics of services, databases and groups that read Kafka, with explicit times.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::KafkaGroup;
use crate::world::{
    Caller, World,
    ecs::{Breaker, Program, ServiceFixture},
    rds::{Cluster, Instance},
};

struct Scene {
    world: World,
    now: Timestamp,
    caller: Caller,
}

fn scene() -> Scene {
    let now: Timestamp = "2026-11-21T03:00:00Z".parse().expect("a time");
    let caller = Caller { account: "1".repeat(12), region: "eu-west-1".into(), origin: "http://x".into() };
    let mut world = World::new(7, now);
    let service = |name: &str, desired| ServiceFixture {
        cluster: "main".into(),
        name: name.into(),
        family: name.into(),
        image: "x:1".into(),
        revision: 1,
        program: Program::default(),
        desired,
        breaker: Breaker::Off,
        tags: Default::default(),
    };
    world.ecs.settle(now, &caller, &service("api", 2));
    world.ecs.settle(now, &caller, &service("asleep", 0));
    let instance = |name: &str| Instance::new(name, "db.r6g.large", "aurora-postgresql", "16.6", "eu-west-1a", now);
    let cluster = Cluster::new("orders", "aurora-postgresql", "16.6", &["orders-1", "orders-2"], now);
    world.put_cluster(&caller.account, "eu-west-1", cluster, vec![instance("orders-1"), instance("orders-2")]);
    let single = Instance::new("single", "db.t4g.medium", "postgres", "16.8", "eu-west-1a", now);
    world.put_instance(&caller.account, "eu-west-1", single);
    let group = KafkaGroup {
        cluster: "events".into(),
        topic: "movements".into(),
        group: "api".into(),
        service: ("main".into(), "api".into()),
        written_per_second: 50.0,
        read_per_task: 20.0,
        lag: 9_000.0,
        values: Default::default(),
    };
    world.put_kafka_group(&caller.account, "eu-west-1", group);
    world.begin_metrics(now);
    Scene { world, now, caller }
}

impl Scene {
    fn pass(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    /// Values of a search's series, the newest first, by label.
    fn search(&mut self, schema: &str, metric: &str) -> Vec<(String, Vec<f64>)> {
        let expression = format!("SEARCH('{{{schema}}} MetricName=\"{metric}\"', 'Average', 60)");
        let (start, end) = (self.now.as_second() - 600, self.now.as_second());
        let query = json!([{ "Id": "all", "Expression": expression }]);
        let request = json!({ "MetricDataQueries": query, "StartTime": start, "EndTime": end });
        let answer = self.world.ask_json(self.now, &self.caller, ("cloudwatch", "GetMetricData"), request);
        let answer = answer.expect("an answer");
        let values = |result: &Value| serde_json::from_value(result["Values"].clone()).expect("numbers");
        let results = answer["MetricDataResults"].as_array().expect("results");
        results.iter().map(|result| (result["Label"].as_str().expect("a label").to_owned(), values(result))).collect()
    }

    fn newest(&mut self, schema: &str, metric: &str, label: &str) -> Option<f64> {
        let found = self.search(schema, metric).into_iter().find(|(known, _)| known == label)?;
        found.1.first().copied()
    }
}

const SERVICES: &str = "AWS/ECS,ClusterName,ServiceName";
const COUNTS: &str = "ECS/ContainerInsights,ClusterName,ServiceName";
const INSTANCES: &str = "AWS/RDS,DBInstanceIdentifier";

#[test]
fn a_service_has_metrics_while_a_task_runs() {
    let mut scene = scene();
    let found = scene.search(SERVICES, "CPUUtilization");
    assert_eq!(found.iter().map(|(label, _)| label.as_str()).collect::<Vec<_>>(), ["main api"], "who sleeps has none");
    assert!(found[0].1.iter().all(|value| (0.5..=100.0).contains(value)), "{found:?}");
    assert_eq!(scene.newest(COUNTS, "RunningTaskCount", "main asleep"), Some(0.0), "a count is told");
    scene.world.ecs.set_desired(scene.now, &scene.caller.clone(), "main", "api", 0);
    scene.pass(900);
    assert_eq!(scene.search(SERVICES, "CPUUtilization"), [("main api".to_owned(), vec![])], "missing, not zero");
    assert_eq!(scene.newest(COUNTS, "RunningTaskCount", "main api"), Some(0.0));
}

#[test]
fn the_same_world_tells_the_same_however_often_it_is_looked_at() {
    let (mut often, mut seldom) = (scene(), scene());
    for _ in 0..30 {
        often.pass(60);
        often.search(SERVICES, "CPUUtilization");
    }
    seldom.pass(1_800);
    for (schema, metric) in [(SERVICES, "CPUUtilization"), (INSTANCES, "DatabaseConnections")] {
        assert_eq!(often.search(schema, metric), seldom.search(schema, metric), "{metric}");
    }
}

#[test]
fn instances_have_what_their_kind_has() {
    let mut scene = scene();
    let labels = |scene: &mut Scene, metric| {
        let found = scene.search(INSTANCES, metric).into_iter();
        found.filter(|(_, values)| !values.is_empty()).map(|(label, _)| label).collect::<Vec<_>>()
    };
    assert_eq!(labels(&mut scene, "FreeStorageSpace"), ["single"]);
    assert_eq!(labels(&mut scene, "AuroraReplicaLag"), ["orders-2"]);
    assert_eq!(labels(&mut scene, "CPUUtilization"), ["orders-1", "orders-2", "single"]);
}

#[test]
fn a_failover_leaves_a_gap_and_turns_the_reader() {
    let mut scene = scene();
    scene.pass(60);
    let form = [("DBClusterIdentifier", "orders"), ("TargetDBInstanceIdentifier", "orders-2")];
    let form = form.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    scene.world.ask_form(scene.now, &scene.caller, ("rds", "FailoverDBCluster"), form).expect("it begins");
    scene.pass(300);
    let connections = scene.search(INSTANCES, "DatabaseConnections");
    let count = |label: &str| connections.iter().find(|(known, _)| known == label).map(|(_, values)| values.len());
    assert_eq!((count("orders-1"), count("single")), (Some(8), Some(9)), "a minute without samples");
    assert!(scene.newest(INSTANCES, "AuroraReplicaLag", "orders-1").is_some(), "the old writer reads now");
}

#[test]
fn a_paused_cluster_is_idle_and_not_woken_by_looking() {
    let mut scene = scene();
    let (now, account) = (scene.now, scene.caller.account.clone());
    let cluster = scene.world.cluster(now, &account, "eu-west-1", "orders").expect("there");
    cluster.capacity =
        Some(crate::world::rds::Capacity { minimum: 0.0, maximum: 4.0, current: 0.0, pause_after_seconds: None });
    scene.pass(180);
    assert_eq!(scene.newest(INSTANCES, "DatabaseConnections", "orders-1"), Some(0.0));
    assert_eq!(scene.newest(INSTANCES, "CPUUtilization", "single").map(|cpu| cpu > 0.0), Some(true));
}

#[test]
fn a_group_falls_behind_while_too_few_tasks_read() {
    let mut scene = scene();
    let schema = "AWS/Kafka,\"Cluster Name\",\"Consumer Group\",Topic";
    let lag = |scene: &mut Scene| scene.newest(schema, "SumOffsetLag", "events api movements").expect("a lag");
    let first = lag(&mut scene);
    scene.pass(600);
    let later = lag(&mut scene);
    assert!((5_500.0..6_500.0).contains(&(later - first)), "ten a second: {first} {later}");
    scene.world.ecs.set_desired(scene.now, &scene.caller.clone(), "main", "api", 8);
    scene.pass(1_200);
    assert!(lag(&mut scene) < 500.0, "more tasks catch up");
    scene.world.ecs.set_desired(scene.now, &scene.caller.clone(), "main", "api", 0);
    scene.pass(600);
    assert!(lag(&mut scene) > 15_000.0, "nobody reads");
}

#[test]
fn a_leap_of_the_clock_has_a_bound() {
    let mut scene = scene();
    scene.pass(60 * 86_400);
    let started_at = std::time::Instant::now();
    assert!(scene.newest(SERVICES, "CPUUtilization", "main api").is_some());
    assert!(started_at.elapsed().as_secs() < 2, "{:?}", started_at.elapsed());
}
