//! Databases: what is told of them, and failovers.

use aws_sdk_rds::Client;
use opsctl::{
    cloud::{CloudError, ErrorKind},
    domain::{Database, SourceKind, Topology},
    sandbox::world::rds::{Cluster, Instance},
};

use super::{
    Check,
    ground::{ACCOUNT, Ground, REGION},
};

const CLASS: &str = "db.r6g.large";
const ENGINE: &str = "aurora-postgresql";

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("a cluster tells writer and readers", members),
        Check::new("an instance alone is a database", alone),
        Check::new("a database that is not there is none", missing),
        Check::new("a failover lets the target write", fails_over),
        Check::new("a failover is told by events", events),
        Check::new("a failover takes time, and a second one meanwhile is refused", second),
        Check::new("a failover to the writer is refused", to_the_writer),
        Check::new("a failover to a stranger is refused", to_a_stranger),
        Check::new("a forced failover needs a standby", no_standby),
        Check::new("a forced failover swaps the zones", swaps),
        Check::new("seventy instances come page by page", pages),
        Check::new("there are no global clusters", globals),
    ]
}

fn client(ground: &Ground) -> Client {
    Client::new(&ground.raw)
}

/// Identifiers take 63 characters.
fn name(ground: &Ground, name: &str) -> String {
    let unique: Vec<&str> = ground.prefix().rsplit('-').take(2).collect();
    format!("{name}-{}-{}", unique[1], unique[0])
}

/// A cluster of a writer and a reader. Answers its name and theirs.
async fn cluster(ground: &Ground) -> (String, [String; 2]) {
    let (cluster, members) = (name(ground, "orders"), [name(ground, "one"), name(ground, "two")]);
    if let Some(sandbox) = &ground.sandbox {
        let instance = |name: &String, zone: &str, now| Instance::new(name, CLASS, ENGINE, "16.6", zone, now);
        sandbox.with(|world, now| {
            let names = [members[0].as_str(), members[1].as_str()];
            let instances = vec![instance(&members[0], "eu-west-1a", now), instance(&members[1], "eu-west-1b", now)];
            world.put_cluster(ACCOUNT, REGION, Cluster::new(&cluster, ENGINE, "16.6", &names, now), instances);
        });
        return (cluster, members);
    }
    let rds = client(ground);
    let made = rds.create_db_cluster().db_cluster_identifier(&cluster).engine(ENGINE);
    made.master_username("someone").master_user_password("not-a-secret").send().await.expect("a cluster");
    for member in &members {
        let made = rds.create_db_instance().db_instance_identifier(member).db_cluster_identifier(&cluster);
        made.engine(ENGINE).db_instance_class(CLASS).send().await.expect("an instance");
    }
    (cluster, members)
}

async fn instance(ground: &Ground, short: &str, is_multi_az: bool) -> String {
    let name = name(ground, short);
    if let Some(sandbox) = &ground.sandbox {
        sandbox.with(|world, now| {
            let mut instance = Instance::new(&name, "db.t4g.medium", "postgres", "16.6", "eu-west-1a", now);
            instance.secondary_zone = is_multi_az.then(|| "eu-west-1b".to_owned());
            world.put_instance(ACCOUNT, REGION, instance);
        });
        return name;
    }
    let made = client(ground).create_db_instance().db_instance_identifier(&name).engine("postgres");
    let made = made.db_instance_class("db.t4g.medium").allocated_storage(20).multi_az(is_multi_az);
    made.master_username("someone").master_user_password("not-a-secret").send().await.expect("an instance");
    name
}

async fn described(ground: &Ground, name: &str) -> Database {
    ground.cloud.rds.database(name).await.expect("an answer").expect("there")
}

async fn members(ground: Ground) {
    let (cluster, [one, two]) = cluster(&ground).await;
    let database = described(&ground, &cluster).await;
    assert_eq!(database.topology, Topology::Aurora);
    assert_eq!(database.writer().map(|writer| &writer.name), Some(&one));
    assert_eq!(database.readers().map(|reader| &reader.name).collect::<Vec<_>>(), [&two]);
    let all = ground.cloud.rds.databases().await.expect("an answer");
    assert!(all.list.iter().any(|other| other.name == cluster && other.members.len() == 2), "{all:?}");
    assert!(all.list.iter().all(|other| other.name != one), "of a cluster, no database by itself");
}

async fn alone(ground: Ground) {
    let (single, pair) = (instance(&ground, "single", false).await, instance(&ground, "pair", true).await);
    assert_eq!(described(&ground, &single).await.topology, Topology::Single);
    assert_eq!(described(&ground, &pair).await.topology, Topology::MultiAzInstance);
}

async fn missing(ground: Ground) {
    assert_eq!(ground.cloud.rds.database(&name(&ground, "nothing")).await, Ok(None));
}

async fn fails_over(ground: Ground) {
    let (cluster, [one, two]) = cluster(&ground).await;
    ground.cloud.rds.fail_over_cluster(&cluster, Some(&two)).await.expect("begun");
    ground
        .eventually("the target writes", async || {
            described(&ground, &cluster).await.writer().is_some_and(|writer| writer.name == two)
        })
        .await;
    ground.eventually("all are available", async || described(&ground, &cluster).await.is_available()).await;
    let database = described(&ground, &cluster).await;
    assert_eq!(database.readers().map(|reader| &reader.name).collect::<Vec<_>>(), [&one]);
}

async fn events(ground: Ground) {
    let (cluster, [_, two]) = cluster(&ground).await;
    ground.cloud.rds.fail_over_cluster(&cluster, Some(&two)).await.expect("begun");
    ground.wait(60).await;
    let events = ground.cloud.rds.events(Some((SourceKind::Cluster, &cluster)), 60).await.expect("events");
    assert!(events.iter().any(|event| event.is_of("failover") && event.completes()), "no end among {events:?}");
}

async fn second(ground: Ground) {
    let (cluster, [one, two]) = cluster(&ground).await;
    ground.cloud.rds.fail_over_cluster(&cluster, Some(&two)).await.expect("begun");
    assert_eq!(described(&ground, &cluster).await.status.as_str(), "failing-over");
    is_refused(ground.cloud.rds.fail_over_cluster(&cluster, Some(&one)).await);
}

async fn to_the_writer(ground: Ground) {
    let (cluster, [one, _]) = cluster(&ground).await;
    is_refused(ground.cloud.rds.fail_over_cluster(&cluster, Some(&one)).await);
}

async fn to_a_stranger(ground: Ground) {
    let (cluster, _) = cluster(&ground).await;
    let single = instance(&ground, "single", false).await;
    is_refused(ground.cloud.rds.fail_over_cluster(&cluster, Some(&single)).await);
}

async fn no_standby(ground: Ground) {
    let single = instance(&ground, "single", false).await;
    is_refused(ground.cloud.rds.fail_over_instance(&single).await);
}

async fn swaps(ground: Ground) {
    let pair = instance(&ground, "pair", true).await;
    let before = described(&ground, &pair).await;
    let (zone, standby) = (before.members[0].zone.clone(), before.standby_zone);
    assert!(standby.is_some(), "a standby somewhere");
    ground.cloud.rds.fail_over_instance(&pair).await.expect("begun");
    ground
        .eventually("the zones are swapped", async || {
            let now = described(&ground, &pair).await;
            now.members[0].zone == standby && now.standby_zone == zone
        })
        .await;
}

async fn pages(ground: Ground) {
    let mut made = Vec::new();
    for number in 0..70 {
        made.push(instance(&ground, &format!("page-{number:02}"), false).await);
    }
    let rds = client(&ground);
    let mut pages = rds.describe_db_instances().max_records(20).into_paginator().send();
    let (mut names, mut count) = (Vec::new(), 0);
    while let Some(page) = pages.next().await {
        let found = page.expect("a page").db_instances.unwrap_or_default();
        assert!(found.len() <= 20, "{} on one page of 20", found.len());
        count += 1;
        names.extend(found.into_iter().filter_map(|instance| instance.db_instance_identifier));
    }
    assert!(count >= 4, "{count} pages");
    assert!(made.iter().all(|name| names.iter().filter(|found| *found == name).count() == 1), "each once");
}

async fn globals(ground: Ground) {
    assert_eq!(ground.cloud.rds.globals().await, Ok(Vec::new()));
}

fn is_refused(answer: Result<(), CloudError>) {
    let error = answer.expect_err("refused");
    assert!(matches!(error.kind, ErrorKind::Invalid | ErrorKind::NotFound), "{error:?}");
}
