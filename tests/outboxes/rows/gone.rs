//! Claims that have not run out: freed only where the relay that holds them is proven gone, and as long as it is.

use std::collections::BTreeMap;

use opsctl::{
    domain::{Dialect, Literal, Relay, RelayLock},
    operations::{Operation, Release, plan::Plan},
    run::{self, End},
    sandbox::world::ecs::{Breaker, Program, ServiceFixture},
};

use super::{
    claims::{count, desks, release},
    desk::Desk,
};
use crate::support::stage::caller;

const CLAIMED: &str = "status = 'DELIVERING'";

fn gone() -> Operation {
    Operation::Release(Release { relay_gone: true, ..release() })
}

/// The relay's instances agree by a table as ShedLock has it.
async fn lock(desk: &mut Desk, seconds: i64) {
    let time = if desk.schema.dialect() == Dialect::Postgres { "timestamptz" } else { "timestamp(6) NULL" };
    let create =
        format!("CREATE TABLE shedlock (name varchar(64) PRIMARY KEY, lock_until {time}, locked_by varchar(255))");
    desk.schema.script(&create).await;
    desk.schema.script("INSERT INTO shedlock (name, locked_by) VALUES ('relay', 'pod-7'), ('other', 'pod-9')").await;
    hold(desk, "relay", seconds).await;
    hold(desk, "other", 3_600).await;
    desk.stage.environment.databases.outboxes[0].relay = Relay::Lock(RelayLock {
        table: desk.schema.table("shedlock"),
        row: Some(("name".to_owned(), Literal::Text("relay".to_owned()))),
        until: "lock_until".to_owned(),
        owner: Some("locked_by".to_owned()),
    });
}

/// The lock holds for so many seconds from now.
async fn hold(desk: &mut Desk, name: &str, seconds: i64) {
    let until = match desk.schema.dialect() {
        Dialect::Postgres => format!("now() + {seconds} * interval '1 second'"),
        Dialect::Mysql | Dialect::Sqlite => format!("NOW(6) + INTERVAL {seconds} SECOND"),
    };
    desk.schema.script(&format!("UPDATE shedlock SET lock_until = {until} WHERE name = '{name}'")).await;
}

/// A service of ECS that is the relay.
fn service(desk: &mut Desk, name: &str, tasks: u32) {
    let fixture = ServiceFixture {
        cluster: "main".into(),
        name: name.into(),
        family: "relay".into(),
        image: "relay:1".into(),
        revision: 1,
        program: Program::default(),
        desired: tasks,
        breaker: Breaker::Off,
        tags: BTreeMap::new(),
    };
    desk.stage.sandbox.with(|world, now| world.ecs.settle(now, &caller(), &fixture));
    desk.stage.environment.databases.outboxes[0].relay = Relay::Service(format!("main/{name}"));
}

fn relay_is(plan: &Plan) -> String {
    let fact = plan.facts.iter().find(|fact| fact.label == "relay").expect("a relay");
    fact.value.to_string()
}

async fn planned(desk: &mut Desk) -> Plan {
    desk.plan(&gone()).await.expect("a plan").plan
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_is_held_keeps_claims_and_one_that_ran_out_frees_them() {
    for mut desk in desks().await {
        let dialect = desk.schema.dialect();
        lock(&mut desk, 60).await;
        let plan = planned(&mut desk).await;
        assert!(plan.blockers.iter().any(|why| why.as_str().contains("held by pod-7")), "{dialect:?}: {plan:#?}");
        assert!(relay_is(&plan).contains("is held by pod-7"), "{dialect:?}: {plan:#?}");
        // Let go between two rounds: no sign that the relay is asleep, yet nobody works.
        hold(&mut desk, "relay", -5).await;
        let plan = planned(&mut desk).await;
        assert!(
            plan.blockers.is_empty() && plan.warnings.iter().all(|word| !word.as_str().contains("asleep")),
            "{plan:#?}"
        );
        hold(&mut desk, "relay", -3_600).await;
        let plan = planned(&mut desk).await;
        assert!(plan.warnings.iter().any(|word| word.as_str().contains("asleep")), "{dialect:?}: {plan:#?}");
        let report = desk.run(&gone()).await;
        let rows = report.details.rows().expect("rows").clone();
        assert_eq!((report.end, rows.done, rows.left), (End::Done, 45, 0), "{dialect:?}: {report:#?}");
        assert_eq!(count(&mut desk, CLAIMED).await, 0, "{dialect:?}");
        desk.schema.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_wakes_between_plan_and_run_keeps_every_claim() {
    for mut desk in desks().await {
        let dialect = desk.schema.dialect();
        lock(&mut desk, -3_600).await;
        let plan = planned(&mut desk).await;
        let approved = desk.stage.approve(plan).expect("approval");
        hold(&mut desk, "relay", 60).await;
        let context = desk.context().await;
        let report = run::execute(approved, &context).await;
        assert_eq!(report.end, End::Refused, "{dialect:?}: {report:#?}");
        assert_eq!(count(&mut desk, CLAIMED).await, 45, "{dialect:?}: nothing is freed");
        // And while the run is at work.
        hold(&mut desk, "relay", -3_600).await;
        let slowly = Operation::Release(Release { relay_gone: true, rate: Some(5), ..release() });
        let plan = desk.plan(&slowly).await.expect("a plan").plan;
        let approved = desk.stage.approve(plan).expect("approval");
        let context = desk.context().await;
        let run = tokio::spawn(async move { run::execute(approved, &context).await });
        while count(&mut desk, CLAIMED).await == 45 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        hold(&mut desk, "relay", 60).await;
        let report = run.await.expect("no panic");
        assert_eq!(report.end, End::Partly, "{dialect:?}: {report:#?}");
        let why = report.failure.expect("why").what.to_string();
        assert!(why.contains("held by pod-7"), "{dialect:?}: {why}");
        assert!(count(&mut desk, CLAIMED).await > 0, "{dialect:?}: the rest keeps its claims");
        desk.schema.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_is_gone_once_its_last_task_has_stopped() {
    let Some(mut desk) = desks().await.into_iter().next() else { return };
    service(&mut desk, "relay", 1);
    let plan = planned(&mut desk).await;
    assert!(plan.blockers.iter().any(|why| why.as_str().contains("runs 1 task")), "{plan:#?}");
    // Told to stop: it works on until its stop timeout.
    desk.stage.sandbox.with(|world, now| world.ecs.set_desired(now, &caller(), "main", "relay", 0));
    let plan = planned(&mut desk).await;
    assert!(!plan.blockers.is_empty(), "{plan:#?}");
    service(&mut desk, "other", 0);
    let report = desk.run(&gone()).await;
    assert_eq!((report.end, report.details.rows().expect("rows").done), (End::Done, 45), "{report:#?}");
    desk.schema.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nothing_tells_whether_the_relay_runs_no_claim_is_freed_early() {
    let Some(mut desk) = desks().await.into_iter().next() else { return };
    let function = Relay::Function { function: "relay".to_owned(), rule: None };
    for relay in [Relay::Unknown, Relay::Nobody, function, Relay::Service("main/none".to_owned())] {
        desk.stage.environment.databases.outboxes[0].relay = relay.clone();
        let plan = planned(&mut desk).await;
        assert!(!plan.blockers.is_empty(), "{relay:?}: {plan:#?}");
    }
    // A lock table that is not there is no lock that has run out.
    lock(&mut desk, -3_600).await;
    desk.schema.script("DROP TABLE shedlock").await;
    let plan = planned(&mut desk).await;
    assert!(plan.blockers.iter().any(|why| why.as_str().contains("can't be read")), "{plan:#?}");
    desk.schema.end().await;
}
