//! After a failover: whether the database's endpoint answers, and who answers there.

use jiff::Timestamp;
use opsctl::{
    domain::{Because, DatabaseRules, Password, Protection, Reached, SqlCheck, Tls},
    operations::{Failover, Operation},
    run::{End, Report},
    sandbox::world::{
        Fault,
        rds::{Capacity, Cluster, Instance},
    },
};

use crate::support::stage::{ACCOUNT, REGION, Stage};

const ENGINE: &str = "aurora-postgresql";

fn stage(check: Option<SqlCheck>) -> Stage {
    let mut stage = Stage::new(Protection::Confirm, &[]);
    stage.sandbox.with(|world, now| {
        let instance = |name: &str, engine: &str, zone: &str, now: Timestamp| {
            Instance::new(name, "db.r6g.large", engine, "16.6", &format!("{REGION}{zone}"), now)
        };
        let instances = vec![instance("one", ENGINE, "a", now), instance("two", ENGINE, "b", now)];
        world.put_cluster(ACCOUNT, REGION, Cluster::new("orders", ENGINE, "16.6", &["one", "two"], now), instances);
        let mut pair = instance("pair", "sqlserver-ee", "a", now);
        pair.secondary_zone = Some("b".to_owned());
        world.put_instance(ACCOUNT, REGION, pair);
    });
    stage.environment.databases = DatabaseRules {
        objectives: vec![("*".to_owned(), 60)],
        checks: check.into_iter().collect(),
        ..DatabaseRules::default()
    };
    stage
}

fn check() -> SqlCheck {
    SqlCheck {
        pattern: "*".to_owned(),
        user: Some("reader".to_owned()),
        password: Password::Variable("NEVER_SHOWN".to_owned()),
        database: None,
        tls: Tls::VerifyFull,
        ca_file: None,
        sql: Some("select 1".to_owned()),
    }
}

fn operation(database: &str) -> Operation {
    Operation::Failover(Failover { database: database.to_owned(), to: None })
}

fn fault(stage: &Stage, text: &str) {
    stage.fault(serde_json::from_str::<Fault>(text).expect("a fault"));
}

fn answered(report: &Report) -> &opsctl::run::Answered {
    report.details.failover().and_then(|done| done.answered.as_ref()).unwrap_or_else(|| panic!("{report:#?}"))
}

fn connections(stage: &Stage) -> u64 {
    stage.sandbox.with(|world, now| {
        ["one", "two"].map(|name| world.instance(now, ACCOUNT, REGION, name).expect("there").connections).iter().sum()
    })
}

fn notes(report: &Report) -> String {
    report.notes.iter().map(|note| note.as_str()).collect::<Vec<_>>().join("\n")
}

#[tokio::test(start_paused = true)]
async fn the_endpoint_answers_and_the_seconds_count_against_the_objective() {
    let mut stage = stage(None);
    let report = stage.run(&operation("orders")).await;
    assert_eq!(report.end, End::Done, "{report:#?}");
    let answered = answered(&report);
    // The writer is there after 12 s and takes no connection until 16 s: then whoever stands behind the name answers.
    let seconds = answered.seconds.expect("measured");
    assert!((16.0..=17.0).contains(&seconds), "{seconds}");
    assert_eq!((answered.reached, answered.by_sql), (Some(Reached::Answers), false));
    assert!(answered.tries > 3, "{answered:?}");
    assert_eq!(report.details.failover().and_then(|done| done.seconds_to_service()), Some(seconds));
    assert!(notes(&report).contains("takes connections after 16"), "{}", notes(&report));
    assert!(notes(&report).contains("RTO of 60 s: met"), "{}", notes(&report));
}

#[tokio::test(start_paused = true)]
async fn asked_by_sql_only_a_server_that_writes_is_a_proof() {
    let mut stage = stage(Some(check()));
    let plan = stage.plan(&operation("orders")).await.expect("a plan").plan;
    let afterwards = plan.facts.iter().find(|fact| fact.label == "afterwards").expect("said").value.as_str();
    assert!(
        afterwards.contains(".cluster-c111111111111.af-south-1.rds.amazonaws.com:5432 and asks as reader"),
        "{afterwards}"
    );
    assert_eq!(connections(&stage), 0, "a plan connects to nothing");
    let report = stage.run(&operation("orders")).await;
    let answered = answered(&report);
    assert_eq!((report.end, answered.reached, answered.by_sql), (End::Done, Some(Reached::Writes), true));
    // The name leads to the former writer until 17 s.
    let seconds = answered.seconds.expect("measured");
    assert!((17.0..=18.0).contains(&seconds), "{seconds}");
    let journal = std::fs::read_to_string(report.journal.expect("a journal").as_str()).expect("readable");
    assert!(!journal.contains("NEVER_SHOWN"), "where the password is stands in no journal");
}

#[tokio::test(start_paused = true)]
async fn who_agreed_to_one_check_has_not_agreed_to_another() {
    let mut stage = stage(None);
    let plan = stage.plan(&operation("orders")).await.expect("a plan").plan;
    let approved = stage.approve(plan).expect("approval");
    stage.environment.databases.checks = vec![check()];
    let context = stage.context().await;
    let report = opsctl::run::execute(approved, &context).await;
    assert_eq!((report.end, connections(&stage)), (End::Stale, 0), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_goes_on_refusing_is_told_and_a_resume_looks_again() {
    let mut stage = stage(None);
    fault(&stage, r#"{"call":"rds-db:connect","kind":"refused","times":400}"#);
    let report = stage.run(&operation("orders")).await;
    assert_eq!(report.end, End::Partly, "{report:#?}");
    let what = report.failure.as_ref().expect("why").what.as_str();
    assert!(what.contains("it has failed over, but orders.cluster-") && what.contains("connection refused"), "{what}");
    let failovers = |stage: &Stage| {
        stage.sandbox.with(|world, now| world.cluster(now, ACCOUNT, REGION, "orders").expect("there").failovers)
    };
    stage.sandbox.with(|world, _| world.faults = opsctl::sandbox::world::Faults::default());
    let again = stage.resume().await;
    assert_eq!((again.end, failovers(&stage)), (End::Done, 1), "{again:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_machine_without_a_way_there_can_not_know_and_says_so() {
    let mut stage = stage(None);
    fault(&stage, r#"{"call":"rds-db:connect","kind":"hang","times":400}"#);
    let report = stage.run(&operation("orders")).await;
    assert_eq!(report.end, End::Done, "{report:#?}");
    assert!(notes(&report).contains("could not be reached from here (no answer within 3 s)"), "{}", notes(&report));
    assert!(notes(&report).contains("RTO of 60 s: met"), "by the writer alone");
}

#[tokio::test(start_paused = true)]
async fn a_check_that_was_configured_and_can_not_log_in_is_no_success() {
    let mut stage = stage(Some(check()));
    fault(&stage, r#"{"call":"rds-db:connect","kind":"denied","times":400}"#);
    let report = stage.run(&operation("orders")).await;
    assert_eq!(report.end, End::Partly, "{report:#?}");
    assert_eq!(answered(&report).failure.as_ref().expect("why").because, Because::Login);
    assert!(report.failure.expect("why").hint.as_str().contains("databases.checks"));
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_not_spoken_here_is_only_connected_to() {
    let mut stage = stage(Some(check()));
    let plan = stage.plan(&operation("pair")).await.expect("a plan").plan;
    assert!(plan.facts.iter().any(|fact| fact.value.as_str().contains("its engine can't be asked")), "{plan:#?}");
    let report = stage.run(&operation("pair")).await;
    assert_eq!((report.end, answered(&report).reached), (End::Done, Some(Reached::Answers)), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn nothing_but_the_end_of_a_failover_connects() {
    let mut stage = stage(Some(check()));
    stage.sandbox.with(|world, now| {
        let cluster = world.cluster(now, ACCOUNT, REGION, "orders").expect("there");
        cluster.capacity = Some(Capacity { minimum: 0.0, maximum: 4.0, current: 0.0, pause_after_seconds: Some(300) });
    });
    let cloud = stage.cloud().await;
    opsctl::databases::look(&cloud, opsctl::databases::EVENT_MINUTES).await.expect("a look");
    stage.plan(&operation("orders")).await.expect("a plan");
    let paused = |stage: &Stage| {
        stage.sandbox.with(|world, now| {
            world.cluster(now, ACCOUNT, REGION, "orders").expect("there").capacity.as_ref().expect("limits").current
        })
    };
    assert_eq!((connections(&stage), paused(&stage)), (0, 0.0));
    // A connection, whoever makes it, wakes the cluster and takes as long as that.
    let endpoint = cloud.rds.database("orders").await.expect("an answer").expect("there").endpoint.expect("one");
    let error = cloud.endpoints.connect(&endpoint).await.expect_err("it wakes for 15 s");
    assert_eq!((error.because, paused(&stage)), (Because::TimedOut, 0.5));
}
