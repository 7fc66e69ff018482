//! Verdicts on services, databases, alarms and consumers, with words from outside that a terminal must not take for orders.

use std::sync::Arc;

use super::{
    tests::{ago, now, prod, snapshot},
    *,
};
use crate::{
    databases::{
        self,
        tests::{database, member},
    },
    domain::{
        Container, Database, DatabaseGauges, Deployment, DeploymentId, Pending, Protection, Replacing, Rollout,
        Scaling, Service, ServiceEvent, ServiceGroup, Standing, Task, TaskArn, TaskDefinition, Topology,
    },
    observe::{Part, SeenDatabase, SeenService},
};

/// What is said of something.
pub(super) type Said = (Severity, Kind, &'static str);

pub(super) fn part<T>(rows: Vec<T>) -> Part<T> {
    Part { at: Some(now()), rows: rows.into_iter().map(Arc::new).collect(), ..Part::default() }
}

pub(super) fn service(name: &str, desired: u32, running: u32) -> SeenService {
    let deployment = Deployment {
        id: DeploymentId("ecs-svc/2".to_owned()),
        is_primary: true,
        task_definition: TaskDefinition("api:4".to_owned()),
        desired,
        running,
        pending: 0,
        failed: 0,
        rollout: Some(Rollout::Completed),
        rollout_reason: None,
        created_at: Some(ago(600)),
    };
    let service = Service {
        id: ServiceId::new("main", name),
        status: Text::from("ACTIVE"),
        desired,
        running,
        pending: 0,
        task_definition: TaskDefinition("api:4".to_owned()),
        deployments: vec![deployment],
        events: Vec::new(),
        target_groups: Vec::new(),
        replacing: Replacing::default(),
        placement: Default::default(),
    };
    SeenService { service, seen_at: None, scaling: None, since: None, cpu: None, memory: None, stopped: Vec::new() }
}

pub(super) fn stopped(code: &str, reason: &str, exit_code: Option<i32>) -> Task {
    let container = Container { name: Text::from("app"), status: Text::from("STOPPED"), exit_code, reason: None };
    Task {
        arn: TaskArn("arn:aws:ecs:af-south-1:111111111111:task/main/1".to_owned()),
        status: Text::from("STOPPED"),
        desired_status: Text::from("STOPPED"),
        task_definition: TaskDefinition("api:4".to_owned()),
        started_by: None,
        group: None,
        health: None,
        zone: None,
        created_at: None,
        started_at: None,
        stopped_at: Some(ago(1)),
        stop_code: Some(Text::from(code)),
        stopped_reason: Some(Text::line(reason)),
        containers: vec![container],
    }
}

pub(super) fn gauge(minutes: i64, value: f64) -> Option<Gauge> {
    Some(Gauge { value, at: ago(minutes), recent: vec![(ago(minutes), value)] })
}

pub(super) fn said_in(environment: &Environment, snapshot: &Snapshot) -> Vec<(Severity, Kind, String)> {
    let all = verdicts(environment, &Thresholds::default(), snapshot, now());
    all.into_iter().map(|verdict| (verdict.severity, verdict.kind, verdict.reason.to_string())).collect()
}

pub(super) fn of_services(environment: &Environment, services: Vec<SeenService>) -> Vec<(Severity, Kind, String)> {
    let mut snapshot = snapshot(Vec::new());
    snapshot.estate.services = part(services);
    said_in(environment, &snapshot)
}

pub(super) fn expected(list: &[(Severity, Kind, &str)]) -> Vec<(Severity, Kind, String)> {
    list.iter().map(|(severity, kind, reason)| (*severity, *kind, (*reason).to_owned())).collect()
}

use Severity::{Critical, Notice, Warning};

#[test]
fn a_service_below_what_it_shall_says_since_when_and_why() {
    let below = |minutes, seen: SeenService| SeenService { since: Some((Standing::Below, ago(minutes))), ..seen };
    let with = |task: Task, seen: SeenService| SeenService { stopped: vec![task], ..seen };
    let pull = "CannotPullContainerError: pull image manifest has been retried 5 time(s)\u{1b}[2J\u{202e}";
    let young = {
        let mut seen = service("api", 5, 3);
        seen.service.deployments[0].rollout = Some(Rollout::InProgress);
        seen.service.deployments[0].created_at = Some(ago(1));
        seen
    };
    let event = |minutes, seen: SeenService| {
        let message = Text::from("(service api) was unable to place a task.");
        let mut seen = seen;
        seen.service.events = vec![ServiceEvent { id: "1".to_owned(), at: ago(minutes), message }];
        seen
    };
    let table: Vec<(SeenService, Option<Said>)> = vec![
        (service("api", 2, 2), None),
        (
            service("api", 0, 0),
            Some((Warning, Kind::Asleep, "it is at zero, though no group says that it may sleep in prod")),
        ),
        (below(1, service("api", 5, 3)), None),
        (young, None),
        (service("api", 5, 3), Some((Warning, Kind::ServiceBelow, "3 of 5 tasks run"))),
        (
            with(stopped("TaskFailedToStart", pull, None), below(12, service("api", 5, 3))),
            Some((
                Warning,
                Kind::ServiceBelow,
                "3 of 5 tasks run since 12 min: CannotPullContainerError: pull image manifest has been retried 5 \
                 time(s)␛[2J\u{fffd}",
            )),
        ),
        (
            with(
                stopped("EssentialContainerExited", "Essential container in task exited", Some(1)),
                below(5, service("api", 5, 0)),
            ),
            Some((
                Critical,
                Kind::ServiceDown,
                "none of 5 tasks runs since 5 min: Essential container in task exited (app: exit code 1)",
            )),
        ),
        // Failed health checks have the scheduler's code.
        (
            with(
                stopped("ServiceSchedulerInitiated", "Task failed container health checks", None),
                below(5, service("api", 2, 1)),
            ),
            Some((Warning, Kind::ServiceBelow, "1 of 2 tasks run since 5 min: Task failed container health checks")),
        ),
        // Whom somebody stopped, that is no reason.
        (
            with(stopped("UserInitiated", "by hand", None), below(5, service("api", 1, 0))),
            Some((Critical, Kind::ServiceDown, "its only task does not run since 5 min")),
        ),
        (
            event(3, below(12, service("api", 5, 3))),
            Some((Warning, Kind::ServiceBelow, "3 of 5 tasks run since 12 min: was unable to place a task.")),
        ),
        (
            event(300, below(12, service("api", 5, 3))),
            Some((Warning, Kind::ServiceBelow, "3 of 5 tasks run since 12 min")),
        ),
    ];
    for (seen, wanted) in table {
        assert_eq!(of_services(&prod(), vec![seen.clone()]), expected(&Vec::from_iter(wanted)), "{seen:#?}");
    }
}

#[test]
fn a_broken_deployment_says_what_was_rolled_back() {
    let mut seen = service("api", 2, 2);
    let mut failed = seen.service.deployments[0].clone();
    seen.service.deployments[0].task_definition = TaskDefinition("api:3".to_owned());
    failed.id = DeploymentId("ecs-svc/3".to_owned());
    failed.is_primary = false;
    failed.rollout = Some(Rollout::Failed);
    failed.rollout_reason = Some(Text::from("ECS deployment circuit breaker: tasks failed to start."));
    seen.service.deployments.push(failed);
    let reason = "the deployment of api:4 failed and was rolled back to api:3; all 2 tasks run: ECS deployment circuit \
                  breaker: tasks failed to start.";
    assert_eq!(of_services(&prod(), vec![seen]), expected(&[(Warning, Kind::ServiceFailing, reason)]));
    let mut fails = service("api", 2, 0);
    fails.service.deployments[0].failed = 7;
    fails.since = Some((Standing::Failing, ago(4)));
    let reason = "7 tasks of api:4 failed to start; none of 2 tasks runs since 4 min";
    assert_eq!(of_services(&prod(), vec![fails]), expected(&[(Critical, Kind::ServiceDown, reason)]));
}

#[test]
fn a_sleeper_is_told_only_where_others_of_its_group_are_awake() {
    let group = ServiceGroup {
        name: "shop".to_owned(),
        stages: vec![vec!["auth".to_owned(), "offers".to_owned()]],
        always_on: vec!["kong".to_owned()],
        ..ServiceGroup::default()
    };
    let mut dev = prod();
    dev.protection = Protection::Confirm;
    dev.services.groups = vec![group.clone()];
    let asleep = |name| service(name, 0, 0);
    assert_eq!(of_services(&dev, vec![asleep("auth"), service("kong", 1, 1), asleep("offers")]), []);
    let reason = "it sleeps while others of group shop are awake (auth)";
    let said = of_services(&dev, vec![service("auth", 1, 1), service("kong", 1, 1), asleep("offers")]);
    assert_eq!(said, expected(&[(Notice, Kind::Asleep, reason)]));
    let reason = "it is at zero, and group shop says that it never sleeps";
    assert_eq!(of_services(&dev, vec![asleep("kong")]), expected(&[(Critical, Kind::ServiceDown, reason)]));
    let scaled = || {
        let scaling = Some(Scaling { min: 2, max: 4, ..Scaling::default() });
        SeenService { scaling, ..asleep("auth") }
    };
    assert_eq!(of_services(&dev, vec![scaled()]), [], "a group's member sleeps with its minimum");
    let mut guarded = prod();
    guarded.services.groups = vec![group.clone()];
    let reason = "it is at zero, though autoscaling's minimum is 2 tasks";
    assert_eq!(of_services(&guarded, vec![scaled()]), expected(&[(Warning, Kind::Asleep, reason)]));
    guarded.services.groups = vec![ServiceGroup { sleep_allowed: true, ..group }];
    assert_eq!(of_services(&guarded, vec![scaled()]), []);
    let mut alone = prod();
    alone.protection = Protection::Confirm;
    assert_eq!(of_services(&alone, vec![scaled()]), expected(&[(Warning, Kind::Asleep, reason)]));
    assert_eq!(of_services(&alone, vec![asleep("auth")]), []);
}

#[test]
fn a_service_whose_cluster_does_not_answer_has_its_own_age() {
    let late = SeenService { seen_at: Some(ago(12)), ..service("api", 5, 3) };
    let said = of_services(&prod(), vec![late, service("bff", 5, 3)]);
    let wanted = expected(&[
        (Warning, Kind::ServiceBelow, "3 of 5 tasks run; seen 12 min ago"),
        (Warning, Kind::ServiceBelow, "3 of 5 tasks run"),
    ]);
    assert_eq!(said, wanted);
}

#[test]
fn a_services_minimum_and_load() {
    let mut few = service("api", 2, 2);
    few.scaling = Some(Scaling { min: 3, max: 6, out_suspended: true, ..Scaling::default() });
    let reason = "it shall have 2 of autoscaling's 3 tasks at least: the count rises at the next scaling only; scaling out \
                  is suspended";
    assert_eq!(of_services(&prod(), vec![few]), expected(&[(Warning, Kind::BelowMinimum, reason)]));
    let busy = SeenService { cpu: gauge(3, 93.4), memory: gauge(4, 80.0), ..service("api", 2, 2) };
    let reason = "CPU 93 % (over 80 %; 3 min ago)";
    assert_eq!(of_services(&prod(), vec![busy]), expected(&[(Warning, Kind::ServiceLoad, reason)]));
    let old = SeenService { cpu: gauge(60, 99.0), ..service("api", 2, 2) };
    assert_eq!(of_services(&prod(), vec![old]), [], "an hour ago is not now");
}

pub(super) fn seen(database: Database) -> SeenDatabase {
    let seen = databases::Seen { database, capacity: databases::Capacity::None, last_event: None, proxies: vec![] };
    SeenDatabase { seen, gauges: Default::default() }
}

pub(super) fn pair() -> Database {
    database(vec![member("orders-1", true, "db.r6g.large", 0), member("orders-2", false, "db.r6g.large", 1)])
}

pub(super) fn of_databases(environment: &Environment, databases: Vec<SeenDatabase>) -> Vec<(Severity, Kind, String)> {
    let mut snapshot = snapshot(Vec::new());
    snapshot.estate.databases = part(databases);
    said_in(environment, &snapshot)
}

#[test]
fn a_database_says_its_worst() {
    let mut nobody = pair();
    nobody.members[0].is_writer = false;
    let status = |status: &str| Database { status: Text::from(status), ..pair() };
    let mut reader = pair();
    reader.members[1].status = Some(Text::from("rebooting\u{1b}"));
    let (mut secondary, mut lost, mut unclear) = (pair(), pair(), pair());
    for (database, elsewhere) in [(&mut secondary, Some(true)), (&mut lost, Some(false)), (&mut unclear, None)] {
        database.members[0].is_writer = false;
        (database.global, database.written_elsewhere) = (Some(Text::from("wallet")), elsewhere);
    }
    let mut full = pair();
    full.members[0].status = Some(Text::from("storage-full"));
    let table: Vec<(Database, Vec<Said>)> = vec![
        (pair(), vec![]),
        (nobody, vec![(Critical, Kind::NoWriter, "nobody writes: none of its 2 instances is the writer")]),
        (secondary, vec![]),
        (lost, vec![(Critical, Kind::NoWriter, "nobody writes: none of its 2 instances is the writer")]),
        (
            unclear,
            vec![(
                Warning,
                Kind::NoWriter,
                "nobody writes: none of its 2 instances is the writer, and whether another cluster of global cluster wallet \
                 is, is not known",
            )],
        ),
        (status("failing-over"), vec![(Critical, Kind::FailingOver, "it is failing-over")]),
        (status("backing-up"), vec![]),
        (status("stopped"), vec![(Warning, Kind::DatabaseDown, "it is stopped")]),
        (status("what-is-new"), vec![(Warning, Kind::DatabaseDown, "it is what-is-new")]),
        (full, vec![(Critical, Kind::DatabaseDown, "its writer orders-1 is storage-full")]),
        (reader, vec![(Warning, Kind::DatabaseDown, "reader orders-2 is rebooting␛")]),
    ];
    for (database, wanted) in table {
        assert_eq!(of_databases(&prod(), vec![seen(database.clone())]), expected(&wanted), "{database:#?}");
    }
    let dev = Environment { protection: Protection::Confirm, ..prod() };
    let wanted = expected(&[(Notice, Kind::DatabaseDown, "it is stopped")]);
    assert_eq!(of_databases(&dev, vec![seen(status("stopped"))]), wanted, "which saves money");
}

#[test]
fn a_reader_is_missed_where_a_failover_is_promised() {
    let lonely = || seen(database(vec![member("orders-1", true, "db.r6g.large", 0)]));
    let reason = "it has no reader: a failover takes up to 10 min";
    assert_eq!(of_databases(&prod(), vec![lonely()]), expected(&[(Notice, Kind::NoReader, reason)]));
    let mut promised = prod();
    promised.databases.objectives = vec![("orders*".to_owned(), 300)];
    let reason = "it has no reader: a failover takes up to 10 min, and 300 s are promised";
    assert_eq!(of_databases(&promised, vec![lonely()]), expected(&[(Warning, Kind::NoReader, reason)]));
    let mut dev = prod();
    dev.protection = crate::domain::Protection::Confirm;
    assert_eq!(of_databases(&dev, vec![lonely()]), [], "a developer's own");
    let mut single = pair();
    single.topology = Topology::Single;
    single.members.truncate(1);
    assert_eq!(of_databases(&prod(), vec![seen(single)]), [], "as it was built");
}

#[test]
fn metrics_of_databases_say_numbers_and_their_age() {
    let with = |gauges: DatabaseGauges| {
        let mut row = seen(pair());
        row.gauges.insert("orders-1".to_owned(), gauges);
        of_databases(&prod(), vec![row])
    };
    let none = DatabaseGauges::default();
    assert_eq!(with(none.clone()), []);
    let storage = DatabaseGauges { free_storage: gauge(2, 1.24e9), cpu: gauge(2, 99.0), ..none.clone() };
    let reason = "orders-1: 1.2 GiB of storage are free, less than 2 GiB (120 s ago)";
    assert_eq!(with(storage), expected(&[(Critical, Kind::FreeStorage, reason)]));
    let lag = DatabaseGauges { lag: gauge(3, 15_000.0), ..none.clone() };
    let reason = "orders-1: 15.0 s behind the writer, over 10 s (3 min ago)";
    assert_eq!(with(lag), expected(&[(Warning, Kind::ReplicaLag, reason)]));
    let stopped = DatabaseGauges { lag: gauge(3, -1_000.0), ..none.clone() };
    let reason = "orders-1: replication does not run (3 min ago)";
    assert_eq!(with(stopped), expected(&[(Warning, Kind::ReplicaLag, reason)]));
    let load = DatabaseGauges {
        cpu: gauge(3, 91.0),
        connections: gauge(3, 120.0),
        write_latency: gauge(3, 1.5),
        read_latency: gauge(30, 9.0),
        ..none
    };
    let reason = "orders-1: CPU 91 % (over 80 %; 3 min ago), 120 connections (over 80; 3 min ago), a write takes 1.5 s \
                  (over 1 s; 3 min ago)";
    assert_eq!(with(load), expected(&[(Warning, Kind::DatabaseLoad, reason)]));
}

#[test]
fn maintenance_is_told_when_it_is_soon() {
    let with = |hours: i64| {
        let due_at = Some(now() + SignedDuration::from_hours(hours));
        let pending = Pending {
            action: Text::from("system-update"),
            description: Text::from("New \u{202e}OS"),
            due_at,
            ..Pending::default()
        };
        of_databases(&prod(), vec![seen(Database { pending: vec![pending], ..pair() })])
    };
    let reason = "AWS means to change it in 30 h: system-update: New \u{fffd}OS";
    assert_eq!(with(30), expected(&[(Notice, Kind::Maintenance, reason)]));
    assert_eq!(with(24 * 30), []);
}

#[test]
fn a_crash_loop_that_comes_and_goes_is_found_while_all_tasks_run() {
    let crashed = |minutes| Task {
        stopped_at: Some(ago(minutes)),
        ..stopped("EssentialContainerExited", "Essential container in task exited", Some(137))
    };
    let looping = |minutes: &[i64]| {
        let mut seen = service("api", 2, 2);
        seen.stopped = minutes.iter().map(|minutes| crashed(*minutes)).collect();
        seen
    };
    let reason = "its tasks keep ending and being started again: 3 ended by themselves within 42 min, though 2 of 2 run now: \
                  Essential container in task exited (app: exit code 137)";
    assert_eq!(
        of_services(&prod(), vec![looping(&[5, 20, 42])]),
        expected(&[(Warning, Kind::ServiceCrashing, reason)])
    );
    assert_eq!(of_services(&prod(), vec![looping(&[5, 20])]), [], "two are none");
    assert_eq!(of_services(&prod(), vec![looping(&[5, 20, 70])]), [], "an hour ago");
    let mut deployed = looping(&[5, 20, 42]);
    deployed.service.deployments[0].created_at = Some(ago(10));
    assert_eq!(of_services(&prod(), vec![deployed]), [], "before the deployment");
}
