//! What the plan says and refuses.

use super::*;

#[tokio::test(start_paused = true)]
async fn the_plan_pins_the_revision_and_says_what_runs_where_with_which_role() {
    let mut stage = stage();
    let plan = stage.plan(&migrate()).await.expect("a plan").plan;
    let fact = |label: &str| {
        let found = plan.facts.iter().find(|fact| fact.label == label);
        found.unwrap_or_else(|| panic!("no {label}: {:#?}", plan.facts)).value.to_string()
    };
    assert_eq!(plan.summary.as_str(), "start wallet-migration:9 once in wallet-cluster-dev");
    assert_eq!(fact("task definition"), "wallet-migration:9 (pinned)");
    assert_eq!((fact("image"), fact("runs")), ("registry/wallet-migration:9".into(), "npm run migrate".into()));
    assert!(fact("network").ends_with("(copied from wallet-cluster-dev/wallet)"), "{}", fact("network"));
    assert!(fact("role").ends_with("role/wallet-migration-task") && fact("who else migrates").starts_with("nobody"));
    assert_eq!(fact("database"), "not configured; DB_HOST=wallet.example.com; secrets DB_PASSWORD");
    assert!(!serde_json::to_string(&plan).expect("JSON").contains("hunter2"), "values of variables are never shown");
    let warnings = words(&plan.warnings);
    assert!(
        warnings.contains("IAM does not enforce it") && warnings.contains("a missing line proves nothing"),
        "{warnings}"
    );
    assert_eq!(plan.calls[0].action, "ecs:RunTask");
    assert_eq!(plan.resource.as_str(), "wallet");
}

#[tokio::test(start_paused = true)]
async fn a_new_revision_makes_the_plan_stale() {
    let mut stage = stage();
    let plan = stage.plan(&migrate()).await.expect("a plan").plan;
    in_world(&stage, |world, _| world.ecs.define(&caller(), FAMILY, "registry/wallet-migration:10", 10, exits(1, 0)));
    let approved = stage.approve(plan).expect("approval");
    let context = stage.context().await;
    let report = run::execute(approved, &context).await;
    assert_eq!((report.end, tasks(&stage).len()), (End::Stale, 0), "{report:#?}");
    // The old one can be asked for by name.
    let plan = stage.plan(&migrate_with(|migrate| migrate.revision = Some(9))).await.expect("a plan").plan;
    assert_eq!(plan.summary.as_str(), "start wallet-migration:9 once in wallet-cluster-dev");
}

#[tokio::test(start_paused = true)]
async fn unknown_names_come_with_suggestions() {
    let mut stage = stage();
    let mut refused = async |operation: Operation| {
        let error = stage.plan(&operation).await.expect_err("refused");
        format!("{error} | {}", error.hint(&stage.environment))
    };
    let words = refused(migrate_with(|migrate| migrate.migration = "walet".into())).await;
    assert_eq!(words, "dev has no migration walet | did you mean wallet?");
    let words = refused(migrate_with(|migrate| migrate.command = Some("statu".into()))).await;
    assert!(words.ends_with("did you mean status?"), "{words}");
    let words = refused(migrate_with(|migrate| migrate.revision = Some(77))).await;
    assert!(words.contains("wallet-migration:77") && words.contains("a revision that is there"), "{words}");
    let mut stage = self::stage();
    let change = |stage: &mut Stage, change: &dyn Fn(&mut Migration)| {
        let mut changed = migration();
        change(&mut changed);
        stage.environment.services.migrations = vec![changed];
    };
    change(&mut stage, &|migration| migration.task_definition = "walet-migration".into());
    let error = stage.plan(&migrate()).await.expect_err("refused");
    assert!(error.hint(&stage.environment).as_str().contains("did you mean wallet-migration"), "{error}");
    change(&mut stage, &|migration| migration.network = NetworkSource::Service(ServiceId::new(CLUSTER, "walle")));
    let error = stage.plan(&migrate()).await.expect_err("refused");
    assert!(error.hint(&stage.environment).as_str().contains("did you mean wallet?"), "{error}");
    change(&mut stage, &|migration| migration.container = Some("sidecar".into()));
    let error = stage.plan(&migrate()).await.expect_err("refused");
    assert!(error.to_string().contains("has no container sidecar"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_allowed_command_takes_the_place_of_the_definition_s_own() {
    let mut stage = stage();
    let operation = migrate_with(|migrate| migrate.command = Some("status".into()));
    let plan = stage.plan(&operation).await.expect("a plan").plan;
    let runs = plan.facts.iter().find(|fact| fact.label == "runs").expect("a fact");
    assert!(runs.value.as_str().starts_with("npm run status (in place of"), "{}", runs.value);
    assert_eq!(stage.run(&operation).await.end, End::Done);
}

#[tokio::test(start_paused = true)]
async fn a_database_that_has_paused_is_warned_of() {
    let mut stage = stage_of(exits(5, 0), |job| job.database = Some("orders".into()));
    stage.environment.services.migrations[0].database = Some("orders".into());
    let plan = stage.plan(&migrate()).await.expect("a plan").plan;
    assert!(words(&plan.warnings).contains("how orders is, is not known"), "{:?}", plan.warnings);
    put_orders(&stage);
    pass(&stage, 300).await;
    let plan = stage.plan(&migrate()).await.expect("a plan").plan;
    assert!(words(&plan.warnings).contains("orders has paused"), "{:?}", plan.warnings);
    let report = stage.run(&migrate()).await;
    assert_eq!(report.end, End::Done, "it waits for the database that wakes: {report:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_database_that_fails_over_is_warned_of() {
    let mut stage = stage();
    stage.environment.services.migrations[0].database = Some("orders".into());
    put_orders(&stage);
    stage.cloud().await.rds.fail_over_cluster("orders", Some("two")).await.expect("begun");
    let plan = stage.plan(&migrate()).await.expect("a plan").plan;
    assert!(words(&plan.warnings).contains("may fail half way"), "{:?}", plan.warnings);
}

/// A cluster that pauses after five minutes.
fn put_orders(stage: &Stage) {
    in_world(stage, |world, now| {
        let engine = "aurora-postgresql";
        let instance = |name: &str| Instance::new(name, "db.serverless", engine, "16.6", "af-south-1a", now);
        let mut cluster = Cluster::new("orders", engine, "16.6", &["one", "two"], now);
        cluster.capacity = Some(Capacity { minimum: 0.0, maximum: 4.0, current: 0.0, pause_after_seconds: Some(300) });
        world.put_cluster(ACCOUNT, REGION, cluster, vec![instance("one"), instance("two")]);
    });
}

#[tokio::test(start_paused = true)]
async fn secrets_in_the_definition_s_command_reach_neither_plan_nor_journal() {
    let command = ["run", "--url=postgres://app:hunter2@db/x", "API_KEY=hunter2"];
    let mut stage = stage_of(exits(1, 0), |job| job.command = command.map(str::to_owned).to_vec());
    let plan = stage.plan(&migrate()).await.expect("a plan").plan;
    let text = serde_json::to_string(&plan).expect("JSON");
    assert!(!text.contains("hunter2") && text.contains("--url=postgres://app:***@db/x"), "{text}");
    let report = stage.run(&migrate()).await;
    let journal = std::fs::read_to_string(report.journal.as_ref().expect("a journal").as_str()).expect("readable");
    assert!(report.end == End::Done && !journal.contains("hunter2"), "{journal}");
}
