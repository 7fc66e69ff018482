//! What stands before a connection: the doctor's look, what has paused, and whether it is the database that a plan saw.

use std::sync::Arc;

use opsctl::{
    cloud::{Connect, Dial, endpoint::NotPlanned},
    doctor::{self, Check, Finding, Surroundings, Verdict},
    domain::{Connection, Environment, Password, Place, Protection, Server as Answered, Text},
    sandbox::world::rds::{Capacity, Cluster, Instance},
};

use super::{SET, Server, servers};
use crate::support::stage::Stage;

const ACCOUNT: &str = "111111111111";
const OTHER: &str = "222222222222";
const REGION: &str = "af-south-1";

/// The findings about connections.
async fn look(stage: &Stage, dial: Dial, connections: Vec<Connection>) -> Vec<Finding> {
    let mut environment: Environment = stage.environment.clone();
    environment.databases.connections = connections;
    let connect = Connect::through(stage.sandbox.clock(), stage.sandbox.http_client()).dialing(dial);
    let findings = doctor::examine(&Arc::new(environment), &connect, &Surroundings::default()).await;
    findings.into_iter().filter(|finding| finding.check == Check::Connection).collect()
}

fn of_sandbox(place: Place) -> Connection {
    Connection {
        name: "orders".to_owned(),
        place,
        user: Some("relay".to_owned()),
        password: Password::None,
        database: None,
        tls: None,
        ca_file: None,
        dialect: None,
    }
}

/// A stage with a cluster `orders` in the account, and one in another.
fn stage() -> Stage {
    let stage = Stage::new(Protection::Confirm, &[]);
    stage.sandbox.with(|world, now| {
        for account in [ACCOUNT, OTHER] {
            let instance = Instance::new("one", "db.r6g.large", "aurora-postgresql", "16.6", "af-south-1a", now);
            let cluster = Cluster::new("orders", "aurora-postgresql", "16.6", &["one"], now);
            world.put_cluster(account, REGION, cluster, vec![instance]);
        }
    });
    stage
}

#[tokio::test]
async fn the_doctor_says_how_each_connection_is() {
    let _writable = SET.read().await;
    let stage = Stage::new(Protection::Confirm, &[]);
    let named = |server: &Server, name: &str| Connection { name: name.to_owned(), ..server.connection() };
    for server in servers() {
        let broken = Connection { ca_file: None, ..named(&server, "broken") };
        let findings = look(&stage, Dial::Network, vec![named(&server, "works"), broken]).await;
        let [works, broken] = findings.as_slice() else { panic!("{findings:?}") };
        assert_eq!((works.verdict, broken.verdict), (Verdict::Ok, Verdict::Problem), "{findings:?}");
        let bounds = match server.connection().dialect {
            Some(opsctl::domain::Dialect::Mysql) => {
                ["MariaDB 10.", "max_statement_time (s) 5", "innodb_lock_wait_timeout (s) 1"]
            }
            _ => ["PostgreSQL ", "statement_timeout 5s", "lock_timeout 1s"],
        };
        for part in bounds.iter().chain(&["works: ", "TLS verify-full", "; writes; ", "opsctl"]) {
            assert!(works.what.as_str().contains(part), "{part}: {}", works.what);
        }
        let hint = broken.try_.as_ref().expect("a hint");
        assert!(hint.as_str().contains("ca_file"), "{broken:?}");
    }
    if let Some(standby) = Server::standby() {
        let findings = look(&stage, Dial::Network, vec![named(&standby, "reader")]).await;
        assert_eq!(findings[0].verdict, Verdict::Warning);
        assert!(findings[0].what.as_str().ends_with("; only reads"), "{findings:?}");
    }
}

#[tokio::test]
async fn the_doctor_wakes_nothing_that_has_paused() {
    let stage = stage();
    let dial = || Dial::Through(stage.sandbox.answerer());
    let orders = || vec![of_sandbox(Place::Database("orders".to_owned()))];
    let findings = look(&stage, dial(), orders()).await;
    assert_eq!(findings[0].verdict, Verdict::Ok, "{findings:?}");
    let capacity = Capacity { minimum: 0.0, maximum: 4.0, current: 0.0, pause_after_seconds: Some(300) };
    let units = |set: Option<Capacity>| {
        stage.sandbox.with(|world, now| {
            let cluster = world.cluster(now, ACCOUNT, REGION, "orders").expect("there");
            if set.is_some() {
                cluster.capacity = set;
            }
            cluster.capacity.as_ref().map(|capacity| capacity.current)
        })
    };
    units(Some(capacity));
    let findings = look(&stage, dial(), orders()).await;
    assert_eq!(findings[0].verdict, Verdict::Skipped, "{findings:?}");
    assert!(findings[0].because.as_ref().expect("why").as_str().contains("would wake it"), "{findings:?}");
    assert_eq!(units(None), Some(0.0), "it has not woken");
}

#[tokio::test]
async fn a_change_is_let_through_to_the_database_that_was_planned_and_to_no_other() {
    let stage = stage();
    let cloud = stage.cloud().await;
    let verified = async |place: Place, planned: Option<&Answered>| {
        let session = cloud.endpoints.session(&of_sandbox(place)).await.expect("a session");
        let planned = planned.unwrap_or(session.server());
        let answer = cloud.endpoints.verify(&session, planned, &stage.environment).await;
        (answer, session.server().clone())
    };
    let (answer, orders) = verified(Place::Database("orders".to_owned()), None).await;
    assert_eq!(answer, Ok(()));
    let reader = format!("orders.cluster-ro-c{ACCOUNT}.{REGION}.rds.amazonaws.com");
    let instance = format!("one.c{ACCOUNT}.{REGION}.rds.amazonaws.com");
    for host in [reader, instance] {
        let place = Place::Host { host, port: Some(5432) };
        assert_eq!(verified(place, None).await.0, Ok(()));
    }
    let host = format!("orders.cluster-c{OTHER}.{REGION}.rds.amazonaws.com");
    let elsewhere = Place::Host { host, port: Some(5432) };
    let (answer, _) = verified(elsewhere.clone(), None).await;
    assert!(matches!(&answer, Err(NotPlanned::OtherAccount { .. })), "{answer:?}");
    let (answer, _) = verified(elsewhere, Some(&orders)).await;
    assert!(matches!(&answer, Err(NotPlanned::OtherServer { .. })), "{answer:?}");
    let restored = Answered { identity: Text::from("7312"), ..orders };
    let (answer, _) = verified(Place::Database("orders".to_owned()), Some(&restored)).await;
    let error = answer.expect_err("another server").to_string();
    assert!(error.contains("the plan was made for SQLite 7312"), "{error}");
}
