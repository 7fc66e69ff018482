use jiff::SignedDuration;

use super::*;
use crate::world::ApiError;

const ACCOUNT: &str = "111111111111";
const REGION: &str = "af-south-1";

fn start() -> Timestamp {
    "2026-11-21T03:00:00Z".parse().expect("a time")
}

fn after(seconds: i64) -> Timestamp {
    start() + SignedDuration::from_secs(seconds)
}

fn caller() -> Caller {
    Caller { account: ACCOUNT.to_owned(), region: REGION.to_owned(), origin: String::new() }
}

fn world() -> World {
    let mut world = World::new(7, start());
    let instance = |name: &str, zone: &str, tier: u8| Instance {
        tier: Some(tier),
        ..Instance::new(name, "db.r6g.large", "aurora-postgresql", "16.4", zone, start())
    };
    let members = vec![instance("one", "a", 1), instance("two", "b", 1), instance("three", "c", 0)];
    let cluster = Cluster::new("orders", "aurora-postgresql", "16.4", &["one", "two", "three"], start());
    world.put_cluster(ACCOUNT, REGION, cluster, members);
    let single = Instance::new("single", "db.t4g.medium", "postgres", "16.4", "a", start());
    world.put_instance(ACCOUNT, REGION, Instance { secondary_zone: Some("b".to_owned()), ..single });
    world
}

fn call(world: &mut World, at: i64, action: &str, fields: &[(&str, &str)]) -> Result<String, ApiError> {
    let form = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    world.ask_form(after(at), &caller(), ("rds", action), form)
}

fn writer(world: &mut World, at: i64) -> String {
    world.cluster(after(at), ACCOUNT, REGION, "orders").expect("there").members[0].clone()
}

const ORDERS: (&str, &str) = ("DBClusterIdentifier", "orders");
const SINGLE: [(&str, &str); 2] = [("DBInstanceIdentifier", "single"), ("ForceFailover", "true")];

#[test]
fn a_failover_takes_time_and_flips_half_way() {
    let mut world = world();
    let answer = call(&mut world, 0, "FailoverDBCluster", &[ORDERS]).expect("begun");
    assert!(answer.contains("<Status>failing-over</Status>"), "{answer}");
    assert_eq!(writer(&mut world, 11), "one");
    assert!(world.instance(after(5), ACCOUNT, REGION, "one").expect("there").is_blinking(after(5).as_millisecond()));
    assert_eq!(writer(&mut world, 12), "three", "of the lowest tier");
    let error = call(&mut world, 15, "FailoverDBCluster", &[ORDERS]).expect_err("busy");
    assert_eq!(error.code, "InvalidDBClusterStateFault");
    let answer = call(&mut world, 28, "DescribeDBClusters", &[ORDERS]).expect("described");
    assert!(answer.contains("<Status>available</Status>"), "{answer}");
    let events = call(&mut world, 28, "DescribeEvents", &[]).expect("events");
    let words = ["Started cross AZ failover to DB instance: three", "Completed failover to DB instance: three"];
    assert!(words.iter().all(|words| events.contains(words)), "{events}");
    assert!(!world.instance(after(28), ACCOUNT, REGION, "one").expect("there").is_blinking(after(28).as_millisecond()));
}

#[test]
fn a_target_must_be_another_member_that_is_available() {
    let mut world = world();
    let mut refused = |target| {
        let fields = [ORDERS, ("TargetDBInstanceIdentifier", target)];
        call(&mut world, 0, "FailoverDBCluster", &fields).expect_err("refused").code
    };
    assert_eq!(refused("single"), "DBInstanceNotFound");
    assert_eq!(refused("one"), "InvalidDBInstanceState");
    world.instance(start(), ACCOUNT, REGION, "two").expect("there").status = "creating".to_owned();
    let fields = [ORDERS, ("TargetDBInstanceIdentifier", "two")];
    let error = call(&mut world, 0, "FailoverDBCluster", &fields).expect_err("refused");
    assert_eq!(error.code, "InvalidDBInstanceState");
}

#[test]
fn a_second_failover_of_an_instance_soon_after_is_abandoned() {
    let mut world = world();
    call(&mut world, 0, "RebootDBInstance", &SINGLE).expect("begun");
    assert_eq!(call(&mut world, 1, "RebootDBInstance", &SINGLE).expect_err("busy").code, "InvalidDBInstanceState");
    let zones = |world: &mut World, at| {
        let instance = world.instance(after(at), ACCOUNT, REGION, "single").expect("there");
        (instance.zone.clone(), instance.status.clone())
    };
    assert_eq!(zones(&mut world, 75), ("a".to_owned(), "available".to_owned()), "zones lag");
    assert_eq!(zones(&mut world, 100).0, "b");
    call(&mut world, 110, "RebootDBInstance", &SINGLE).expect("taken");
    assert_eq!(zones(&mut world, 400).0, "b");
    let source = [("SourceIdentifier", "single"), ("SourceType", "db-instance")];
    let events = call(&mut world, 400, "DescribeEvents", &source).expect("events");
    assert!(events.contains("Abandoning user requested failover"), "{events}");
    assert_eq!(world.instance(after(400), ACCOUNT, REGION, "single").expect("there").failovers, 1);
}

#[test]
fn events_are_of_the_last_hour_and_a_source_needs_its_type() {
    let mut world = world();
    call(&mut world, 0, "FailoverDBCluster", &[ORDERS]).expect("begun");
    let count = |world: &mut World, at, fields: &[(&str, &str)]| {
        call(world, at, "DescribeEvents", fields).expect("events").matches("<Event>").count()
    };
    assert_eq!(count(&mut world, 3_000, &[]), 4);
    assert_eq!(count(&mut world, 4_000, &[]), 0);
    assert_eq!(count(&mut world, 4_000, &[("Duration", "120"), ("EventCategories.EventCategory.1", "failover")]), 2);
    let error = call(&mut world, 0, "DescribeEvents", &[("SourceIdentifier", "orders")]).expect_err("refused");
    assert_eq!(error.code, "InvalidParameterCombination");
}

#[test]
fn pages_are_followed_by_markers() {
    let mut world = world();
    for number in 0..45 {
        let name = format!("extra-{number:02}");
        let instance = Instance::new(&name, "db.t4g.micro", "postgres", "16.4", "a", start());
        world.put_instance(ACCOUNT, REGION, instance);
    }
    let (mut marker, mut seen, mut pages) = (String::new(), 0, 0);
    loop {
        let fields = [("MaxRecords", "20"), ("Marker", marker.as_str())];
        let answer = call(&mut world, 0, "DescribeDBInstances", &fields).expect("a page");
        seen += answer.matches("<DBInstance>").count();
        pages += 1;
        let Some(rest) = answer.split_once("<Marker>") else { break };
        marker = rest.1.split('<').next().expect("a marker").to_owned();
    }
    assert_eq!((seen, pages), (49, 3));
    for (name, value) in [("MaxRecords", "5"), ("Marker", "nonsense")] {
        let error = call(&mut world, 0, "DescribeDBInstances", &[(name, value)]).expect_err("refused");
        assert_eq!(error.code, "InvalidParameterValue");
    }
}

#[test]
fn what_is_not_there_has_its_own_error() {
    let mut world = world();
    for (action, field, code) in [
        ("DescribeDBClusters", "DBClusterIdentifier", "DBClusterNotFoundFault"),
        ("DescribeDBInstances", "DBInstanceIdentifier", "DBInstanceNotFound"),
    ] {
        let error = call(&mut world, 0, action, &[(field, "nothing")]).expect_err("missing");
        assert_eq!((error.code, error.status), (code, 404));
    }
}

#[test]
fn endpoints_blink_and_a_cluster_s_name_follows_late() {
    let mut world = world();
    let host = "orders.cluster-c111111111111.af-south-1.rds.amazonaws.com";
    assert_eq!(world.connect(start(), host), Connected::Writer);
    assert_eq!(world.connect(start(), &host.replace("cluster-c", "cluster-ro-c")), Connected::Reader);
    assert_eq!(world.connect(start(), "orders.example.com"), Connected::Unknown);
    call(&mut world, 0, "FailoverDBCluster", &[ORDERS]).expect("begun");
    let seen = [1, 5, 14, 16, 17].map(|at| world.connect(after(at), host));
    let expected = [Connected::Writer, Connected::Refused, Connected::Refused, Connected::Reader, Connected::Writer];
    assert_eq!(seen, expected);
}

#[test]
fn a_connection_wakes_a_cluster_that_has_paused() {
    let mut world = world();
    let paused = Capacity { minimum: 0.0, maximum: 4.0, current: 0.0, pause_after_seconds: Some(300) };
    world.cluster(start(), ACCOUNT, REGION, "orders").expect("there").capacity = Some(paused);
    let host = "one.c111111111111.af-south-1.rds.amazonaws.com";
    assert_eq!(world.connect(start(), host), Connected::Wakes(after(15)));
    let capacity = world.cluster(start(), ACCOUNT, REGION, "orders").expect("there").capacity.clone();
    assert_eq!(capacity.expect("limits").current, 0.5);
}
