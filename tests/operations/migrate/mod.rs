//! Migrations: a task that is started once, whatever is lost; how it ends; who else migrates.

mod ends;
mod others;
mod plan;
mod start;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use opsctl::{
    domain::{EcsClusterName, Migration, NetworkSource, Protection, ServiceId, Text},
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
pub(crate) const GROUP: &str = "/aws/ecs/WalletMigrations";

pub(crate) fn exits(after_seconds: u32, code: i32) -> Program {
    Program { outcome: Outcome::Exits { after_seconds, code }, ..Program::default() }
}

/// A stage with the service `wallet` and the migration `wallet` beside it, which runs for 20 seconds and writes ten lines.
pub(crate) fn stage_of(program: Program, change: impl FnOnce(&mut JobFixture)) -> Stage {
    let mut stage = Stage::new(Protection::TypeName, &[]);
    let mut job = JobFixture {
        table: None,
        family: FAMILY.into(),
        revision: 9,
        image: "registry/wallet-migration:9".into(),
        program,
        command: vec!["npm".into(), "run".into(), "migrate".into()],
        environment: vec![("DB_HOST".into(), "wallet.example.com".into()), ("PASSWORD".into(), "hunter2.x".into())],
        secrets: vec![("DB_PASSWORD".into(), "arn:aws:secretsmanager:x".into())],
        log: Some(LogConfig { group: GROUP.into(), prefix: "ecs".into(), ..LogConfig::default() }),
        script: (0..10).map(|number| (f64::from(number) * 2.0, format!("step {number}"))).collect(),
        ..JobFixture::default()
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

pub(crate) fn migrate() -> Operation {
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
    report.details.migration().unwrap_or_else(|| panic!("what was done: {report:#?}"))
}

fn words(texts: &[impl ToString]) -> String {
    texts.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
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
