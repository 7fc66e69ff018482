use jiff::{SignedDuration, Timestamp};

use super::{Cluster, Connected, Global, Instance, Proxy};
use crate::world::{ApiError, Caller, World};

const ACCOUNT: &str = "111111111111";
const HOME: &str = "sa-east-1";
const AWAY: &str = "us-east-1";
const DR: &str = "arn:aws:rds:us-east-1:111111111111:cluster:wallet-dr";

fn at(seconds: i64) -> Timestamp {
    "2026-11-21T03:00:00Z".parse::<Timestamp>().expect("a time") + SignedDuration::from_secs(seconds)
}

fn world() -> World {
    let mut world = World::new(7, at(0));
    for (region, name, members) in [(HOME, "wallet", ["w1", "w2"]), (AWAY, "wallet-dr", ["d1", "d2"])] {
        let instances = members
            .map(|name| Instance::new(name, "db.r6g.large", "aurora-mysql", "8.0", &format!("{region}a"), at(0)));
        let cluster = Cluster::new(name, "aurora-mysql", "8.0", &members, at(0));
        world.put_cluster(ACCOUNT, region, cluster, instances.to_vec());
    }
    world.put_global(
        ACCOUNT,
        Global::new("wallet-global", "aurora-mysql", "8.0", &[(HOME, "wallet"), (AWAY, "wallet-dr")]),
    );
    world
}

fn call(
    world: &mut World,
    seconds: i64,
    region: &str,
    action: &str,
    fields: &[(&str, &str)],
) -> Result<String, ApiError> {
    let caller = Caller { account: ACCOUNT.to_owned(), region: region.to_owned(), origin: String::new() };
    let form = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    world.ask_form(at(seconds), &caller, ("rds", action), form)
}

const TO_DR: [(&str, &str); 2] = [("GlobalClusterIdentifier", "wallet-global"), ("TargetDbClusterIdentifier", DR)];

fn writer(world: &mut World, seconds: i64) -> String {
    world.global(at(seconds), ACCOUNT, "wallet-global").expect("there").members[0].1.clone()
}

#[test]
fn a_switchover_takes_time_loses_nothing_and_swaps_the_roles() {
    let mut world = world();
    let described = call(&mut world, 0, AWAY, "DescribeDBClusters", &[]).expect("described");
    assert!(!described.contains("<IsClusterWriter>true"), "a secondary has no writer: {described}");
    let answer = call(&mut world, 0, HOME, "SwitchoverGlobalCluster", &TO_DR).expect("begun");
    assert!(answer.contains("<Status>switching-over</Status>") && answer.contains("<FailoverState>"), "{answer}");
    assert_eq!(
        call(&mut world, 1, HOME, "SwitchoverGlobalCluster", &TO_DR).expect_err("busy").code,
        "InvalidGlobalClusterStateFault"
    );
    assert_eq!((writer(&mut world, 54), writer(&mut world, 55)), ("wallet".to_owned(), "wallet-dr".to_owned()));
    let described = call(&mut world, 60, AWAY, "DescribeDBClusters", &[]).expect("described");
    assert!(described.contains("<IsClusterWriter>true"), "{described}");
    let answer = call(&mut world, 90, AWAY, "DescribeGlobalClusters", &[]).expect("described");
    assert!(answer.contains("<Status>available</Status>") && !answer.contains("<FailoverState>"), "{answer}");
    let events = call(&mut world, 90, AWAY, "DescribeEvents", &[]).expect("events");
    assert!(events.contains("Global switchover to DB cluster wallet-dr in Region us-east-1 finished."), "{events}");
    assert_eq!(world.global(at(90), ACCOUNT, "wallet-global").expect("there").lost_milliseconds, 0.0);
    let host = |region: &str, name: &str| format!("{name}.cluster-c{ACCOUNT}.{region}.rds.amazonaws.com");
    assert_eq!(world.connect(at(90), &host(AWAY, "wallet-dr")), Connected::Writer);
    assert_eq!(world.connect(at(90), &host(HOME, "wallet")), Connected::Unknown);
}

#[test]
fn a_failover_may_lose_what_had_not_arrived() {
    let mut world = world();
    let fields = [TO_DR[0], TO_DR[1], ("AllowDataLoss", "true")];
    let answer = call(&mut world, 0, AWAY, "FailoverGlobalCluster", &fields).expect("begun");
    assert!(answer.contains("failing-over") && answer.contains("<IsDataLossAllowed>true"), "{answer}");
    let global = world.global(at(80), ACCOUNT, "wallet-global").expect("there");
    assert_eq!((global.members[0].1.as_str(), global.lost_milliseconds), ("wallet-dr", 180.0));
    let answer = call(&mut world, 81, AWAY, "DescribeGlobalClusters", &[]).expect("described");
    assert!(answer.contains("pending-resync"), "{answer}");
    let answer = call(&mut world, 300, AWAY, "DescribeGlobalClusters", &[]).expect("described");
    assert!(!answer.contains("pending-resync"), "{answer}");
}

#[test]
fn a_target_is_the_arn_of_a_secondary() {
    let mut world = world();
    let primary = "arn:aws:rds:sa-east-1:111111111111:cluster:wallet";
    for (target, code) in [
        ("wallet-dr", "InvalidParameterValue"),
        (primary, "InvalidGlobalClusterStateFault"),
        ("arn:aws:rds:us-east-1:111111111111:cluster:other", "DBClusterNotFoundFault"),
    ] {
        let fields = [TO_DR[0], ("TargetDbClusterIdentifier", target)];
        let error = call(&mut world, 0, HOME, "SwitchoverGlobalCluster", &fields).expect_err("refused");
        assert_eq!(error.code, code, "{target}");
    }
    let error = call(&mut world, 0, HOME, "DescribeGlobalClusters", &[("GlobalClusterIdentifier", "none")]);
    assert_eq!(error.expect_err("missing").code, "GlobalClusterNotFoundFault");
    let elsewhere = call(&mut world, 0, "eu-west-1", "DescribeGlobalClusters", &[]).expect("described");
    assert!(!elsewhere.contains("wallet"), "only where a member is");
}

#[test]
fn a_proxy_follows_a_failover_after_some_seconds_and_tells_what_is_broken() {
    let mut world = world();
    world.put_proxy(ACCOUNT, HOME, Proxy::new("front", "wallet", at(0)));
    let targets = |world: &mut World, seconds: i64| {
        call(world, seconds, HOME, "DescribeDBProxyTargets", &[("DBProxyName", "front")]).expect("told")
    };
    let of = |answer: &str, name: &str, what: &str| {
        let rest = answer.split_once(&format!("<RdsResourceId>{name}<")).expect(name).1;
        rest.split("</member>").next().unwrap_or_default().contains(what)
    };
    let before = targets(&mut world, 0);
    assert!(before.contains("TRACKED_CLUSTER") && of(&before, "w1", "READ_WRITE") && of(&before, "w2", "READ_ONLY"));
    let fields = [("DBClusterIdentifier", "wallet"), ("TargetDBInstanceIdentifier", "w2")];
    call(&mut world, 0, HOME, "FailoverDBCluster", &fields).expect("begun");
    let meanwhile = targets(&mut world, 13);
    assert!(of(&meanwhile, "w1", "READ_WRITE") && of(&meanwhile, "w1", "UNREACHABLE"), "{meanwhile}");
    let after = targets(&mut world, 16);
    assert!(of(&after, "w2", "READ_WRITE") && of(&after, "w2", "AVAILABLE"), "{after}");
    assert_eq!(world.connect(at(20), &format!("front.proxy-c{ACCOUNT}.{HOME}.rds.amazonaws.com")), Connected::Writer);
    let broken = ["w1".to_owned(), "AUTH_FAILURE".to_owned(), "secret\u{1b}[31m".to_owned()];
    world.put_proxy(ACCOUNT, HOME, Proxy { broken: vec![broken], ..Proxy::new("front", "wallet", at(0)) });
    assert!(of(&targets(&mut world, 30), "w1", "AUTH_FAILURE"));
    let error = call(&mut world, 0, HOME, "DescribeDBProxyTargets", &[("DBProxyName", "none")]);
    assert_eq!(error.expect_err("missing").code, "DBProxyNotFoundFault");
}
