//! Migrations: a task that is started once, whatever is lost; how it ends; who else migrates.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use opsctl::{
    domain::{
        Protection, Text,
        migration::{Migration, NetworkSource},
        service::{EcsClusterName, ServiceId},
    },
    journal::Record,
    operations::{Migrate, Operation},
    run::{self, Context, End, Migrated, Report},
    sandbox::world::{
        Fault, World,
        ecs::{Breaker, JobFixture, LogConfig, Outcome, Program, ServiceFixture},
        rds::{Capacity, Cluster, Instance},
    },
};

use crate::support::stage::{ACCOUNT, REGION, Stage, caller};

const CLUSTER: &str = "wallet-cluster-dev";
const FAMILY: &str = "wallet-migration";
const GROUP: &str = "/aws/ecs/WalletMigrations";

fn exits(after_seconds: u32, code: i32) -> Program {
    Program { outcome: Outcome::Exits { after_seconds, code }, ..Program::default() }
}

/// A stage with the service `wallet` and the migration `wallet` beside it, which runs for 20 seconds and writes ten lines.
fn stage_of(program: Program, change: impl FnOnce(&mut JobFixture)) -> Stage {
    let mut stage = Stage::new(Protection::TypeName, &[]);
    let mut job = JobFixture {
        family: FAMILY.into(),
        revision: 9,
        image: "registry/wallet-migration:9".into(),
        program,
        command: vec!["npm".into(), "run".into(), "migrate".into()],
        environment: vec![("DB_HOST".into(), "wallet.example.com".into()), ("PASSWORD".into(), "hunter2.x".into())],
        secrets: vec![("DB_PASSWORD".into(), "arn:aws:secretsmanager:x".into())],
        log: Some(LogConfig { group: GROUP.into(), prefix: "ecs".into(), ..LogConfig::default() }),
        script: (0..10).map(|number| (f64::from(number) * 2.0, format!("step {number}"))).collect(),
        database: None,
    };
    change(&mut job);
    stage.sandbox.with(|world, now| {
        let service = ServiceFixture {
            cluster: CLUSTER.into(),
            name: "wallet".into(),
            family: "wallet".into(),
            image: "wallet:1".into(),
            revision: 1,
            program: Program::default(),
            desired: 1,
            breaker: Breaker::Off,
            tags: Default::default(),
        };
        world.ecs.settle(now, &caller(), &service);
        world.ecs.define_job(&caller(), &job);
        world.logs.create_group(now.as_millisecond(), ACCOUNT, REGION, GROUP);
    });
    stage.environment.services.migrations = vec![migration()];
    stage
}

fn stage() -> Stage {
    stage_of(exits(20, 0), |_| ())
}

fn migration() -> Migration {
    Migration {
        name: "wallet".into(),
        cluster: EcsClusterName(CLUSTER.into()),
        task_definition: FAMILY.into(),
        network: NetworkSource::Service(ServiceId::new(CLUSTER, "wallet")),
        container: None,
        commands: [("status".to_owned(), vec!["npm".to_owned(), "run".to_owned(), "status".to_owned()])].into(),
        log_group: None,
        database: None,
        timeout_seconds: None,
    }
}

fn migrate() -> Operation {
    migrate_with(|_| ())
}

fn migrate_with(change: impl FnOnce(&mut Migrate)) -> Operation {
    let mut migrate = Migrate { migration: "wallet".to_owned(), ..Migrate::default() };
    change(&mut migrate);
    Operation::Migrate(migrate)
}

fn fault(stage: &Stage, text: &str) {
    stage.fault(serde_json::from_str::<Fault>(text).expect("a fault"));
}

fn in_world<T>(stage: &Stage, act: impl FnOnce(&mut World, Timestamp) -> T) -> T {
    stage.sandbox.with(|world, now| {
        world.advance(now);
        act(world, now)
    })
}

/// Ids of the migration's tasks in the world, stopped ones too.
fn tasks(stage: &Stage) -> Vec<String> {
    in_world(stage, |world, _| world.ecs.tasks_of_family(&caller(), CLUSTER, FAMILY))
}

async fn pass(stage: &Stage, seconds: u64) {
    stage.sandbox.clock().sleep(Duration::from_secs(seconds)).await;
}

fn what(report: &Report) -> &str {
    report.failure.as_ref().map_or("", |failure| failure.what.as_str())
}

fn hint(report: &Report) -> &str {
    report.failure.as_ref().map_or("", |failure| failure.hint.as_str())
}

fn done(report: &Report) -> &Migrated {
    report.migration.as_ref().unwrap_or_else(|| panic!("what was done: {report:#?}"))
}

fn words(texts: &[Text]) -> String {
    texts.iter().map(Text::as_str).collect::<Vec<_>>().join("\n")
}

/// What a run told: news, and lines of the log.
type Told = Arc<Mutex<(Vec<String>, Vec<String>)>>;

async fn listening(stage: &mut Stage) -> (Context, Told) {
    let told = Told::default();
    let mut context = stage.context().await;
    let into = Arc::clone(&told);
    context.progress = Arc::new(move |progress| {
        let mut told = into.lock().expect("nobody panicked");
        told.0.extend(progress.news.iter().map(ToString::to_string));
        told.1.extend(progress.log.iter().map(|line| line.text.to_string()));
    });
    (context, told)
}

/// Plans, approves, runs; answers what it told, too.
async fn run_and_listen(stage: &mut Stage, operation: &Operation) -> (Report, Vec<String>, Vec<String>) {
    let plan = stage.plan(operation).await.expect("a plan").plan;
    let approved = stage.approve(plan).expect("approval");
    let (context, told) = listening(stage).await;
    let report = run::execute(approved, &context).await;
    let (news, log) = told.lock().expect("nobody panicked").clone();
    (report, news, log)
}

/// Begins a run and drops it after so many seconds, as a crash does.
async fn crash_after(stage: &mut Stage, seconds: f64) {
    let plan = stage.plan(&migrate()).await.expect("a plan").plan;
    let approved = stage.approve(plan).expect("approval");
    let context = stage.context().await;
    let clock = stage.sandbox.clock();
    let wait = clock.sleep(Duration::from_secs_f64(seconds));
    tokio::select! {
        report = run::execute(approved, &context) => panic!("it ended by itself: {report:#?}"),
        () = wait => {}
    }
    // The journal's thread lets go of its lock.
    tokio::time::sleep(Duration::from_millis(50)).await;
}

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
async fn it_is_followed_with_every_line_once_until_its_exit_code() {
    let mut stage = stage();
    let (report, news, log) = run_and_listen(&mut stage, &migrate()).await;
    assert_eq!(report.end, End::Done, "{report:#?}");
    assert_eq!(log, (0..10).map(|number| format!("step {number}")).collect::<Vec<_>>());
    let news = news.join("\n");
    for status in ["PROVISIONING", "PENDING", "RUNNING", "STOPPED"] {
        assert!(news.contains(status), "{news}");
    }
    let done = done(&report);
    assert_eq!((done.exit_code, done.log_lines), (Some(0), 10));
    assert_eq!(done.stop_code.as_ref().map(Text::as_str), Some("EssentialContainerExited"));
    let ids = tasks(&stage);
    assert_eq!(done.task.as_ref().map(|task| task.id()), ids.first().map(String::as_str));
    assert_eq!(report.command.as_str(), "opsctl migrate wallet --env dev");
    assert!(report.next.is_none() && words(&report.notes).contains("a missing one proves nothing"), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn the_journal_holds_the_token_before_the_call_and_the_result_after_it() {
    let mut stage = stage();
    let report = stage.run(&migrate()).await;
    let text = std::fs::read_to_string(report.journal.as_ref().expect("a journal").as_str()).expect("readable");
    let records: Vec<Record> = text
        .lines()
        .map(|line| serde_json::from_str::<opsctl::journal::Entry>(line).expect("an entry").record)
        .collect();
    let intent = records.iter().position(|record| matches!(record, Record::MigrationIntent { .. })).expect("an intent");
    let started = records.iter().position(|record| matches!(record, Record::Migration { .. })).expect("a task");
    assert!(intent < started);
    let Record::MigrationIntent { what } = &records[intent] else { unreachable!() };
    let token = what.pointer("/launch/token").and_then(serde_json::Value::as_str).expect("a token");
    assert!(token.contains(report.run.as_str()) && token.len() <= 64, "{token}");
    let Some(Record::Ended { report: kept, .. }) = records.last() else { panic!("no end") };
    assert_eq!(kept.pointer("/migration/exit_code"), Some(&0.into()));
    assert!(!text.contains("step 3"), "lines of the log are not kept");
}

#[tokio::test(start_paused = true)]
async fn the_exit_code_of_the_container_is_the_result() {
    let mut stage = stage_of(exits(5, 3), |_| ());
    let report = stage.run(&migrate()).await;
    assert_eq!((report.end, done(&report).exit_code), (End::Failed, Some(3)), "{report:#?}");
    assert!(what(&report).contains("ended with exit code 3"), "{}", what(&report));
    assert_eq!(opsctl::cli::show::exit(&report).code(), 203);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_lost_starts_no_second_task() {
    for kind in [r#""lost-after""#, r#""lost-before""#, r#""hang""#, r#"{"server-error": 500}"#] {
        for times in [1, 3, 5] {
            let mut stage = stage();
            fault(&stage, &format!(r#"{{"call":"RunTask","times":{times},"kind":{kind}}}"#));
            let report = stage.run(&migrate()).await;
            assert_eq!((report.end, tasks(&stage).len()), (End::Done, 1), "{kind} {times}: {report:#?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_any_clear_answer_it_says_so_and_a_resume_finds_the_task() {
    let mut stage = stage();
    fault(&stage, r#"{"call":"RunTask","times":1000,"kind":"lost-after"}"#);
    let report = stage.run(&migrate()).await;
    assert_eq!(report.end, End::Partly, "{report:#?}");
    assert!(what(&report).contains("not known whether the task was started"), "{}", what(&report));
    let next = report.next.as_ref().map(Text::as_str).unwrap_or_default();
    assert!(next.starts_with("opsctl migrate --resume "), "{next}");
    let report = stage.resume().await;
    assert_eq!((report.end, tasks(&stage).len()), (End::Done, 1), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_crash_between_journal_and_answer_never_starts_two() {
    // Applied, the answer never came; and never applied.
    for (kind, before) in [(r#"{"slow": 600}"#, 1), (r#""hang""#, 0)] {
        let mut stage = stage();
        fault(&stage, &format!(r#"{{"call":"RunTask","times":1,"kind":{kind}}}"#));
        crash_after(&mut stage, 5.0).await;
        assert_eq!(tasks(&stage).len(), before, "{kind}");
        let report = stage.resume().await;
        assert_eq!((report.end, tasks(&stage).len()), (End::Done, 1), "{kind}: {report:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_crash_while_waiting_is_taken_up_with_the_log_from_its_start() {
    let mut stage = stage();
    crash_after(&mut stage, 20.0).await;
    let run = stage.folder().list().expect("runs").first().expect("a run").run.clone();
    let plan = run::plan_of(&stage.folder(), &run).expect("a plan");
    assert!(plan.summary.as_str().contains("nothing is started") && plan.calls.is_empty(), "{plan:#?}");
    let approved = stage.approve(plan).expect("approval");
    let (context, told) = listening(&mut stage).await;
    let report = run::resume(&run, approved, &context).await.expect("a journal");
    assert_eq!((report.end, tasks(&stage).len()), (End::Done, 1), "{report:#?}");
    assert_eq!(told.lock().expect("nobody panicked").1.len(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_ecs_may_have_forgotten_is_not_used_again() {
    let mut stage = stage();
    fault(&stage, r#"{"call":"RunTask","times":1,"kind":"hang"}"#);
    crash_after(&mut stage, 5.0).await;
    pass(&stage, 3_600).await;
    let report = stage.resume().await;
    assert_eq!((report.end, tasks(&stage).len()), (End::Failed, 0), "{report:#?}");
    assert!(what(&report).contains("not known whether the task was ever started"), "{}", what(&report));
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_shown_no_longer_is_not_called_done() {
    let mut stage = stage();
    crash_after(&mut stage, 20.0).await;
    pass(&stage, 7_200).await;
    let report = stage.resume().await;
    assert_eq!(report.end, End::Failed, "{report:#?}");
    assert!(what(&report).contains("how it ended is not known"), "{}", what(&report));
}

#[tokio::test(start_paused = true)]
async fn no_capacity_starts_nothing_and_says_what_to_try() {
    for (reason, words) in [
        ("Capacity is unavailable at this time. Please try again later", "in some minutes"),
        ("RESOURCE:MEMORY", "the cluster lacks"),
        ("MISSING", "still there"),
    ] {
        let mut stage = stage();
        in_world(&stage, |world, _| world.ecs.refuse_tasks(&caller(), CLUSTER, Some(reason)));
        let report = stage.run(&migrate()).await;
        assert_eq!((report.end, tasks(&stage).len()), (End::Failed, 0), "{report:#?}");
        assert!(what(&report).contains(reason) && hint(&report).contains(words), "{report:#?}");
        // Nothing of it is left that a resume could mistake for a task.
        in_world(&stage, |world, _| world.ecs.refuse_tasks(&caller(), CLUSTER, None));
        assert_eq!((stage.resume().await.end, tasks(&stage).len()), (End::Done, 1), "{reason}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_never_starts_is_reported_with_stop_code_and_reason() {
    for (outcome, reason, words) in [
        (Outcome::CannotPull, "CannotPullContainerError", "the image is there"),
        (Outcome::CannotInitialize, "ResourceInitializationError", "secrets"),
    ] {
        let mut stage = stage_of(Program { outcome, ..Program::default() }, |_| ());
        let report = stage.run(&migrate()).await;
        assert_eq!(report.end, End::Failed, "{report:#?}");
        assert!(what(&report).contains("TaskFailedToStart") && what(&report).contains(reason), "{}", what(&report));
        assert!(hint(&report).contains(words), "{}", hint(&report));
        assert_eq!((done(&report).exit_code, done(&report).started_at), (None, None));
        assert_eq!(opsctl::cli::show::exit(&report).code(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_log_group_is_warned_of_and_told() {
    let mut stage = stage();
    in_world(&stage, |world, _| world.logs.delete_group(ACCOUNT, REGION, GROUP));
    let plan = stage.plan(&migrate()).await.expect("a plan").plan;
    assert!(words(&plan.warnings).contains("is not there: the task will not start"), "{:?}", plan.warnings);
    let report = stage.run(&migrate()).await;
    assert_eq!(report.end, End::Failed, "{report:#?}");
    assert!(
        what(&report).contains("log group does not exist") && hint(&report).contains("make the log group"),
        "{report:#?}"
    );
}

#[tokio::test(start_paused = true)]
async fn throttled_calls_are_made_again_and_not_for_ever() {
    let mut stage = stage();
    for (call, times) in [("RunTask", 5), ("DescribeTasks", 5), ("GetLogEvents", 5), ("ListTasks", 2)] {
        fault(&stage, &format!(r#"{{"call":"{call}","times":{times},"kind":"throttled"}}"#));
    }
    let report = stage.run(&migrate()).await;
    assert_eq!((report.end, tasks(&stage).len()), (End::Done, 1), "{report:#?}");
    let mut stage = self::stage();
    fault(&stage, r#"{"call":"RunTask","times":100000,"kind":"throttled"}"#);
    let report = stage.run(&migrate()).await;
    assert_eq!((report.end, tasks(&stage).len()), (End::Failed, 0), "{report:#?}");
    assert!(what(&report).starts_with("no task was started"), "{}", what(&report));
}

#[tokio::test(start_paused = true)]
async fn credentials_that_expire_while_waiting_are_waited_for() {
    let mut stage = stage();
    fault(&stage, r#"{"call":"DescribeTasks","nth":4,"times":60,"kind":"expired-credentials"}"#);
    fault(&stage, r#"{"call":"GetLogEvents","nth":2,"times":2,"kind":"expired-credentials"}"#);
    let (report, news, log) = run_and_listen(&mut stage, &migrate()).await;
    assert_eq!((report.end, log.len()), (End::Done, 10), "{report:#?}");
    let told = news.iter().filter(|news| news.contains("can't be watched now")).count();
    assert_eq!(told, 1, "{news:#?}");
    assert!(news.iter().any(|news| news.contains("seen again")), "{news:#?}");
}

#[tokio::test(start_paused = true)]
async fn credentials_that_expire_before_the_start_start_nothing() {
    let mut stage = stage();
    fault(&stage, r#"{"call":"RunTask","times":100,"kind":"expired-credentials"}"#);
    let report = stage.run(&migrate()).await;
    assert_eq!((report.end, tasks(&stage).len()), (End::Failed, 0), "{report:#?}");
    assert!(report.next.is_none() && what(&report).starts_with("no task was started"), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn denials_before_and_after_the_start_are_told_apart() {
    let mut stage = stage();
    fault(&stage, r#"{"call":"RunTask","times":100,"kind":"denied"}"#);
    let report = stage.run(&migrate()).await;
    assert_eq!(report.end, End::Failed, "{report:#?}");
    assert!(hint(&report).contains("allow ecs:RunTask"), "{}", hint(&report));
    let mut stage = self::stage();
    fault(&stage, r#"{"call":"DescribeTasks","times":1000,"kind":"denied"}"#);
    let report = stage.run(&migrate()).await;
    assert_eq!((report.end, tasks(&stage).len()), (End::Partly, 1), "{report:#?}");
    assert!(what(&report).contains("the task was started, and can't be watched"), "{}", what(&report));
    let mut stage = self::stage();
    fault(&stage, r#"{"call":"GetLogEvents","times":1000,"kind":"denied"}"#);
    let (report, news, log) = run_and_listen(&mut stage, &migrate()).await;
    assert_eq!((report.end, log.len()), (End::Done, 0), "{report:#?}");
    assert!(news.iter().any(|news| news.contains("its log can't be read")), "{news:#?}");
}

/// Starts a task as somebody else does.
fn start_by_hand(stage: &Stage, family: &str, started_by: Option<&str>) {
    in_world(stage, |world, now| {
        let mut request = serde_json::json!({
            "cluster": CLUSTER, "taskDefinition": family,
            "networkConfiguration": { "awsvpcConfiguration": { "subnets": ["subnet-1"] } },
        });
        if let Some(mark) = started_by {
            request["startedBy"] = mark.into();
        }
        world.ecs(now, &caller(), "RunTask", request.to_string().as_bytes()).expect("started");
    });
}

#[tokio::test(start_paused = true)]
async fn a_second_migration_is_refused_whoever_started_the_first() {
    for (family, mark) in [(FAMILY, None), ("other-migration", Some("opsctl-migrate/dev"))] {
        let mut stage = stage();
        in_world(&stage, |world, _| world.ecs.define(&caller(), "other-migration", "x:1", 1, exits(100, 0)));
        start_by_hand(&stage, family, mark);
        let plan = stage.plan(&migrate()).await.expect("a plan").plan;
        assert!(words(&plan.blockers).contains("another migration runs"), "{:?}", plan.blockers);
        assert!(stage.approve(plan).is_err());
        // Once it is over, the way is free.
        pass(&stage, 200).await;
        assert_eq!(stage.run(&migrate()).await.end, End::Done);
    }
    // Another environment's mark is not in the way.
    let mut stage = stage();
    in_world(&stage, |world, _| world.ecs.define(&caller(), "other-migration", "x:1", 1, exits(100, 0)));
    start_by_hand(&stage, "other-migration", Some("opsctl-migrate/staging"));
    assert_eq!(stage.run(&migrate()).await.end, End::Done);
}

#[tokio::test(start_paused = true)]
async fn one_that_began_after_the_plan_is_seen_right_before_the_start() {
    let mut stage = stage();
    let plan = stage.plan(&migrate()).await.expect("a plan").plan;
    let approved = stage.approve(plan).expect("approval");
    start_by_hand(&stage, FAMILY, None);
    let context = stage.context().await;
    let report = run::execute(approved, &context).await;
    assert_eq!((report.end, tasks(&stage).len()), (End::Refused, 1), "{report:#?}");
    assert!(what(&report).contains("another migration runs"), "{}", what(&report));
}

#[tokio::test(start_paused = true)]
async fn two_at_once_on_one_machine_are_one() {
    let mut stage = stage();
    let mut approved = Vec::new();
    for _ in 0..2 {
        let plan = stage.plan(&migrate()).await.expect("a plan").plan;
        approved.push(stage.approve(plan).expect("approval"));
    }
    let (one, two) = (stage.context().await, stage.context().await);
    let second = approved.pop().expect("two");
    let (first, second) = tokio::join!(run::execute(approved.pop().expect("two"), &one), run::execute(second, &two));
    let mut ends = [first.end, second.end];
    ends.sort_by_key(|end| end.name());
    assert_eq!((ends, tasks(&stage).len()), ([End::Done, End::Refused], 1), "{first:#?} {second:#?}");
}

#[tokio::test(start_paused = true)]
async fn whoever_stops_waiting_is_told_what_goes_on() {
    let mut stage = stage();
    let plan = stage.plan(&migrate()).await.expect("a plan").plan;
    let approved = stage.approve(plan).expect("approval");
    let context = stage.context().await;
    let (cancel, clock) = (stage.cancel.clone(), stage.sandbox.clock());
    let (report, ()) = tokio::join!(run::execute(approved, &context), async {
        clock.sleep(Duration::from_secs(20)).await;
        cancel.cancel();
    });
    assert_eq!(report.end, End::Interrupted, "{report:#?}");
    assert!(what(&report).contains("the task goes on in AWS"), "{}", what(&report));
    assert!(words(&report.notes).contains("opsctl migrate --resume"), "{:?}", report.notes);
    stage.cancel = Default::default();
    let report = stage.resume().await;
    assert_eq!((report.end, tasks(&stage).len()), (End::Done, 1), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_time_that_is_over_stops_the_waiting_and_not_the_task() {
    let mut stage = stage();
    let report = stage.run(&migrate_with(|migrate| migrate.timeout = "15s".parse().ok())).await;
    assert_eq!(report.end, End::Partly, "{report:#?}");
    assert!(what(&report).contains("not over after 15 s: the task goes on"), "{}", what(&report));
    let mut stage = stage_of(exits(36_000, 0), |_| ());
    let report = stage.run(&migrate()).await;
    assert_eq!(report.end, End::Done, "ten hours are waited for: {report:#?}");
    assert!(report.seconds > 36_000.0);
}

#[tokio::test(start_paused = true)]
async fn detached_it_comes_back_at_once_and_can_be_looked_at() {
    let mut stage = stage();
    let report = stage.run(&migrate_with(|migrate| migrate.detach = true)).await;
    assert_eq!((report.end, done(&report).exit_code), (End::Done, None), "{report:#?}");
    assert!(report.seconds < 2.0 && report.next.is_some(), "{report:#?}");
    let report = stage.resume().await;
    assert_eq!((report.end, done(&report).exit_code, tasks(&stage).len()), (End::Done, Some(0), 1), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_somebody_stops_is_not_done_whatever_its_exit_code() {
    let mut stage = stage_of(exits(600, 0), |_| ());
    let plan = stage.plan(&migrate()).await.expect("a plan").plan;
    let approved = stage.approve(plan).expect("approval");
    let context = stage.context().await;
    let stop = async {
        pass(&stage, 30).await;
        let id = tasks(&stage).remove(0);
        let arn = format!("arn:aws:ecs:{REGION}:{ACCOUNT}:task/{CLUSTER}/{id}");
        let task = opsctl::domain::service::TaskArn(arn);
        let reason = "\u{1b}[2Jtoo \u{202e}long";
        stage.cloud().await.ecs().stop_task(CLUSTER, &task, reason).await.expect("stopped");
    };
    let (report, ()) = tokio::join!(run::execute(approved, &context), stop);
    assert_eq!((report.end, done(&report).exit_code), (End::Failed, Some(143)), "{report:#?}");
    assert!(what(&report).contains("UserInitiated"), "{}", what(&report));
    let shown = format!("{report:?}");
    assert!(!shown.contains(['\u{1b}', '\u{202e}']) && what(&report).contains("too"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn hostile_lines_and_secrets_are_shown_safely() {
    let lines = ["\u{1b}]52;c;aGk=\u{7}\u{202e}evil\u{9b}31m", "password=hunter2 connecting", "two\nlines"];
    let script: Vec<(f64, String)> = lines.iter().map(|line| (1.0, (*line).to_owned())).collect();
    let mut stage = stage_of(exits(5, 0), |job| job.script = script);
    let (report, _, log) = run_and_listen(&mut stage, &migrate()).await;
    assert_eq!((report.end, log.len()), (End::Done, 3), "{report:#?}");
    let log = log.join("|");
    assert!(!log.contains(['\u{1b}', '\u{7}', '\u{202e}', '\u{9b}', '\n']) && log.contains("evil"), "{log:?}");
    assert!(!log.contains("hunter2") && log.contains("two lines"), "{log}");
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
async fn a_database_that_fails_over_or_has_paused_is_warned_of() {
    let mut stage = stage_of(exits(5, 0), |job| job.database = Some("orders".into()));
    stage.environment.services.migrations[0].database = Some("orders".into());
    let plan = stage.plan(&migrate()).await.expect("a plan").plan;
    assert!(words(&plan.warnings).contains("how orders is, is not known"), "{:?}", plan.warnings);
    in_world(&stage, |world, now| {
        let engine = "aurora-postgresql";
        let instance = |name: &str| Instance::new(name, "db.serverless", engine, "16.6", "af-south-1a", now);
        let mut cluster = Cluster::new("orders", engine, "16.6", &["one", "two"], now);
        cluster.capacity = Some(Capacity { minimum: 0.0, maximum: 4.0, current: 0.0, pause_after_seconds: Some(300) });
        world.put_cluster(ACCOUNT, REGION, cluster, vec![instance("one"), instance("two")]);
    });
    pass(&stage, 300).await;
    let plan = stage.plan(&migrate()).await.expect("a plan").plan;
    assert!(words(&plan.warnings).contains("orders has paused"), "{:?}", plan.warnings);
    let report = stage.run(&migrate()).await;
    assert_eq!(report.end, End::Done, "it waits for the database that wakes: {report:#?}");
    stage.cloud().await.rds().fail_over_cluster("orders", Some("two")).await.expect("begun");
    let plan = stage.plan(&migrate()).await.expect("a plan").plan;
    assert!(words(&plan.warnings).contains("may fail half way"), "{:?}", plan.warnings);
}
