//! Verdicts on services, databases, alarms and consumers, with words from outside that a terminal must not take for orders.

use std::sync::Arc;

use super::{
    tests::{ago, dlq, now, prod, queue, snapshot},
    *,
};
use crate::{
    cloud::{CloudError, ErrorKind},
    databases,
    domain::{
        Protection,
        alarm::{Alarm, AlarmState, Watches},
        consumer::{KafkaLag, Mapping, MappingId, MappingState},
        database::{Database, Pending, Topology, tests::database, tests::member},
        gauge::DatabaseGauges,
        service::{
            Container, Deployment, DeploymentId, Rollout, Scaling, Service, ServiceEvent, Standing, Task, TaskArn,
            TaskDefinition,
        },
        service_rules::ServiceGroup,
    },
    observe::{
        Seen,
        estate::{Lack, Part, SeenDatabase, SeenService},
    },
};

/// What is said of something.
type Said = (Severity, Kind, &'static str);

fn part<T>(rows: Vec<T>) -> Part<T> {
    Part { at: Some(now()), rows: rows.into_iter().map(Arc::new).collect(), ..Part::default() }
}

fn service(name: &str, desired: u32, running: u32) -> SeenService {
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
    };
    SeenService { service, seen_at: None, scaling: None, since: None, cpu: None, memory: None, stopped: Vec::new() }
}

fn stopped(code: &str, reason: &str, exit_code: Option<i32>) -> Task {
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

fn gauge(minutes: i64, value: f64) -> Option<Gauge> {
    Some(Gauge { value, at: ago(minutes), recent: vec![(ago(minutes), value)] })
}

fn said_in(environment: &Environment, snapshot: &Snapshot) -> Vec<(Severity, Kind, String)> {
    let all = verdicts(environment, &Thresholds::default(), snapshot, now());
    all.into_iter().map(|verdict| (verdict.severity, verdict.kind, verdict.reason.to_string())).collect()
}

fn of_services(environment: &Environment, services: Vec<SeenService>) -> Vec<(Severity, Kind, String)> {
    let mut snapshot = snapshot(Vec::new());
    snapshot.estate.services = part(services);
    said_in(environment, &snapshot)
}

fn expected(list: &[(Severity, Kind, &str)]) -> Vec<(Severity, Kind, String)> {
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

fn seen(database: Database) -> SeenDatabase {
    let seen = databases::Seen { database, capacity: databases::Capacity::None, last_event: None, proxies: vec![] };
    SeenDatabase { seen, gauges: Default::default() }
}

fn pair() -> Database {
    database(vec![member("orders-1", true, "db.r6g.large", 0), member("orders-2", false, "db.r6g.large", 1)])
}

fn of_databases(environment: &Environment, databases: Vec<SeenDatabase>) -> Vec<(Severity, Kind, String)> {
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
    let reason = "orders-1: 1.2 GB of storage are free, less than 2 GB (120 s ago)";
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

fn alarm(name: &str, state: AlarmState, dimensions: &[(&str, &str)]) -> Alarm {
    Alarm {
        name: name.to_owned(),
        state,
        since: Some(ago(12)),
        reason: Text::from("Threshold Crossed"),
        watches: Watches::Metric {
            namespace: Some(Text::from("AWS/X")),
            metric: Text::from("Errors"),
            dimensions: dimensions.iter().map(|(name, value)| (Text::from(*name), Text::from(*value))).collect(),
            statistic: Some(Text::from("Sum")),
            period_seconds: Some(60),
            comparison: Text::from("GreaterThanThreshold"),
            threshold: Some(1.0),
        },
        actions_enabled: true,
        description: None,
    }
}

#[test]
fn alarms_fire_alone_beside_what_they_are_about_or_within_their_rule() {
    let mut snapshot = snapshot(vec![dlq("orders-dlq", 3)]);
    snapshot.estate.services = part(vec![SeenService { cpu: gauge(3, 93.0), ..service("api", 2, 2) }]);
    let firing = |name, dimensions: &[(&str, &str)]| alarm(name, AlarmState::Alarm, dimensions);
    let rule = Text::from("ALARM(\"child\") OR ALARM(\"quiet\")");
    snapshot.estate.alarms = part(vec![
        firing("api-cpu", &[("ClusterName", "main"), ("ServiceName", "api")]),
        firing("child", &[]),
        firing("children", &[("A", "b\u{1b}")]),
        Alarm { actions_enabled: false, ..firing("muted", &[]) },
        firing("orders-dlq-not-empty", &[("QueueName", "orders-dlq")]),
        alarm("quiet", AlarmState::Ok, &[]),
        Alarm { watches: Watches::Rule { rule }, ..firing("whole", &[]) },
    ]);
    let said = said_in(&prod(), &snapshot);
    let wanted = expected(&[
        (Warning, Kind::DeadLetters, "~3 messages lie there; alarm orders-dlq-not-empty fires"),
        (Warning, Kind::ServiceLoad, "CPU 93 % (over 80 %; 3 min ago); alarm api-cpu fires"),
        (Warning, Kind::Alarm, "in alarm since 12 min: AWS/X Errors A=b␛, sum > 1 in 1m"),
        (Warning, Kind::Alarm, "in alarm since 12 min: child"),
        (Notice, Kind::Alarm, "in alarm since 12 min, muted: it tells nobody: AWS/X Errors, sum > 1 in 1m"),
    ]);
    assert_eq!(said, wanted);
}

#[test]
fn a_composite_alarm_that_tells_nobody_tells_of_no_other() {
    let mut snapshot = snapshot(vec![dlq("orders-dlq", 3)]);
    let firing = |name| alarm(name, AlarmState::Alarm, &[]);
    let composite = |name, rule: &str, actions_enabled| Alarm {
        watches: Watches::Rule { rule: Text::from(rule) },
        actions_enabled,
        ..firing(name)
    };
    snapshot.estate.alarms = part(vec![
        firing("child"),
        composite("muted", "ALARM(child) OR ALARM(quiet)", false),
        firing("not"),
        Alarm { actions_enabled: false, ..firing("quiet") },
        alarm("queue", AlarmState::Alarm, &[("QueueName", "orders-dlq")]),
        composite("whole", "ALARM(queue) AND NOT (ALARM(not) OR OK(child))", true),
    ]);
    let said: Vec<(Severity, Subject)> = verdicts(&prod(), &Thresholds::default(), &snapshot, now())
        .into_iter()
        .map(|verdict| (verdict.severity, verdict.subject))
        .collect();
    let of = |name: &str| Subject::Alarm(name.to_owned());
    let wanted = [
        (Warning, Subject::Queue("orders-dlq".into())),
        (Warning, of("child")),
        (Warning, of("not")),
        (Warning, of("whole")),
        (Notice, of("muted")),
    ];
    assert_eq!(said, wanted);
    let reason = said_in(&prod(), &snapshot)[0].2.clone();
    assert!(reason.contains("alarm queue fires"), "{reason}: though a composite alarm names it");
}

#[test]
fn alarms_without_data_are_one_notice_while_that_is_new() {
    let mut snapshot = snapshot(Vec::new());
    let blind =
        |name: &str, minutes| Alarm { since: Some(ago(minutes)), ..alarm(name, AlarmState::InsufficientData, &[]) };
    snapshot.estate.alarms = part(vec![blind("long", 600)]);
    assert_eq!(said_in(&prod(), &snapshot), [], "as a rule");
    snapshot.estate.alarms = part(vec![blind("a", 20), blind("long", 600)]);
    let reason = "it can't tell since 20 min: no data, or too few: AWS/X Errors";
    assert_eq!(said_in(&prod(), &snapshot), expected(&[(Notice, Kind::AlarmBlind, reason)]));
    let sleeper = Alarm {
        since: Some(ago(5)),
        ..alarm("z", AlarmState::InsufficientData, &[("ClusterName", "main"), ("ServiceName", "api")])
    };
    snapshot.estate.services = part(vec![service("api", 0, 0)]);
    snapshot.estate.alarms =
        part(["a", "b", "c", "d"].map(|name| blind(name, 20)).into_iter().chain([sleeper]).collect());
    let reason = "4 alarms can't tell since 20 min at most: no data, or too few: a, b, c and 1 more";
    let dev = Environment { protection: Protection::Confirm, ..prod() };
    assert_eq!(said_in(&dev, &snapshot), expected(&[(Notice, Kind::AlarmBlind, reason)]));
}

fn mapping(state: MappingState, queue: &str) -> Mapping {
    Mapping {
        id: MappingId("1".to_owned()),
        function: Text::from("orders-consumer"),
        source_arn: format!("arn:aws:sqs:af-south-1:111111111111:{queue}"),
        queue: Some(queue.into()),
        state,
        reason: Some(Text::from("USER_INITIATED\u{1b}")),
        last_result: None,
        batch_size: None,
        concurrency_max: None,
        changed_at: Some(ago(12)),
    }
}

#[test]
fn a_paused_consumer_is_told_once_with_what_waits() {
    let waiting = |visible| {
        let mut snapshot = snapshot(vec![Seen { waiting_since: Some(ago(12)), ..queue("orders", visible) }]);
        snapshot.estate.mappings = part(vec![mapping(MappingState::Disabled, "orders")]);
        snapshot
    };
    let reason = "it is paused since 12 min (USER_INITIATED␛) while ~3 messages wait in orders";
    assert_eq!(said_in(&prod(), &waiting(3)), expected(&[(Warning, Kind::ConsumerPaused, reason)]));
    let said = said_in(&prod(), &waiting(4_812));
    assert_eq!((said.len(), said[0].0, said[0].1), (1, Critical, Kind::ConsumerPaused));
    assert!(said[0].2.ends_with("~4,812 messages wait in orders, over the threshold of 1,000"), "{}", said[0].2);
    assert_eq!(said_in(&prod(), &waiting(0)), []);
    let mut other = waiting(3);
    let second = Mapping { id: MappingId("2".to_owned()), ..mapping(MappingState::Enabled, "orders") };
    other.estate.mappings = part(vec![mapping(MappingState::Disabled, "orders"), second]);
    assert_eq!(said_in(&prod(), &other)[0].1, Kind::ConsumerAbsent, "another one takes them, or should");
}

#[test]
fn a_function_with_two_paused_mappings_loses_no_queue() {
    let waiting = |name, visible| Seen { waiting_since: Some(ago(12)), ..queue(name, visible) };
    let mut snapshot = snapshot(vec![waiting("bills", 3), waiting("orders", 4_812)]);
    let paused = |id: &str, queue| Mapping { id: MappingId(id.to_owned()), ..mapping(MappingState::Disabled, queue) };
    snapshot.estate.mappings = part(vec![paused("1", "bills"), paused("2", "orders")]);
    let errors = alarm("errors", AlarmState::Alarm, &[("FunctionName", "orders-consumer")]);
    snapshot.estate.alarms = part(vec![errors]);
    let said = verdicts(&prod(), &Thresholds::default(), &snapshot, now());
    let subjects: Vec<_> = said.iter().map(|verdict| (verdict.severity, verdict.subject.clone())).collect();
    let of = |name: &str| Subject::Consumer(name.to_owned());
    assert_eq!(subjects, [(Critical, of("orders-consumer (orders)")), (Warning, of("orders-consumer (bills)"))]);
    assert!(said.iter().any(|verdict| verdict.reason.as_str().contains("alarm errors fires")), "{said:?}");
}

#[test]
fn a_consumers_problem_and_a_lag() {
    let mut snapshot = snapshot(Vec::new());
    let last_result = Some(Text::from("PROBLEM: Function call failed\u{1b}"));
    snapshot.estate.mappings = part(vec![Mapping { last_result, ..mapping(MappingState::Enabled, "x") }]);
    let recent = vec![(ago(30), 2_000.0), (ago(2), 12_345.0)];
    let lag = |value, minutes| KafkaLag {
        cluster: Text::from("wallet"),
        group: Text::from("ledger"),
        topic: Text::from("transfers"),
        offsets: Gauge { value, at: ago(minutes), recent: recent.clone() },
    };
    snapshot.estate.lags = part(vec![lag(12_345.0, 2), lag(10_000.0, 2), lag(1e12, 60)]);
    let wanted = expected(&[
        (Warning, Kind::ConsumerProblem, "its last call: PROBLEM: Function call failed␛"),
        (Warning, Kind::KafkaLag, "12,345 offsets behind, over the threshold of 10,000, +10,345 in 28 min (120 s ago)"),
    ]);
    assert_eq!(said_in(&prod(), &snapshot), wanted);
}

#[test]
fn what_may_not_be_seen_is_one_notice() {
    let mut snapshot = snapshot(Vec::new());
    let denied = |action: &str| Some(CloudError::new(ErrorKind::Denied, action, "no"));
    snapshot.estate.services.error = denied("ecs:ListClusters");
    snapshot.estate.alarms.error = denied("cloudwatch:DescribeAlarms");
    snapshot.estate.databases = part(vec![seen(pair())]);
    snapshot.estate.databases.at = Some(ago(12));
    snapshot.estate.databases.error = Some(CloudError::new(ErrorKind::Unknown, "rds:DescribeDBClusters", "late\u{1b}"));
    let wanted = expected(&[
        (
            Notice,
            Kind::Unreachable,
            "databases can't be seen: rds:DescribeDBClusters failed: late␛; what is shown is 12 min old",
        ),
        (
            Notice,
            Kind::Denied,
            "services, alarms may not be looked at: allow ecs:ListClusters, cloudwatch:DescribeAlarms for the credentials \
             of prod",
        ),
    ]);
    assert_eq!(said_in(&prod(), &snapshot), wanted);
}

#[test]
fn what_is_seen_in_part_is_told_at_once_and_late_figures_when_they_are_old() {
    let mut snapshot = snapshot(Vec::new());
    let lack = |what: &str, minutes, kind, hides_rows| Lack {
        what: Text::line(what),
        words: Text::line(&format!("{what} not known")),
        since: ago(minutes),
        error: Some(CloudError::new(kind, "ecs:ListServices", "no\u{1b}")),
        hides_rows,
    };
    snapshot.estate.services = part(vec![SeenService { seen_at: Some(ago(600)), ..service("api", 2, 2) }]);
    snapshot.estate.services.lacks = vec![
        lack("services of cluster main", 0, ErrorKind::Unknown, true),
        lack("autoscaling", 0, ErrorKind::Denied, false),
        lack("CPU and memory", 15, ErrorKind::Throttled, false),
    ];
    snapshot.estate.databases.lacks = vec![lack("what databases use", 14, ErrorKind::Throttled, false)];
    let wanted = expected(&[
        (
            Notice,
            Kind::Unreachable,
            "services of cluster main can't be seen: ecs:ListServices failed: no␛; what is shown is 10 h old",
        ),
        (Notice, Kind::Denied, "autoscaling may not be looked at: allow ecs:ListServices for the credentials of prod"),
        (Notice, Kind::Throttled, "CPU and memory not known; so since 15 min"),
    ]);
    assert_eq!(said_in(&prod(), &snapshot), wanted);
}

#[test]
fn a_part_that_fails_for_a_reason_of_its_own_is_told_beside_the_listing() {
    let error = |kind| Some(CloudError::new(kind, "x:Y", "no"));
    let said = |listing, part| {
        let mut snapshot = snapshot(Vec::new());
        snapshot.listing.error = error(listing);
        snapshot.estate.databases.error = error(part);
        let all = verdicts(&prod(), &Thresholds::default(), &snapshot, now());
        all.iter().filter(|verdict| verdict.reason.as_str().contains("databases")).count()
    };
    use ErrorKind::{ClockSkew, CredentialsExpired, CredentialsMissing, Denied, Throttled, Unknown, Unreachable};
    for same in [(CredentialsExpired, CredentialsMissing), (ClockSkew, ClockSkew), (Unreachable, Unreachable)] {
        assert_eq!(said(same.0, same.1), 0, "{same:?}");
    }
    for other in
        [(Denied, Unreachable), (Throttled, Unknown), (Denied, Denied), (Unknown, Unknown), (Denied, ClockSkew)]
    {
        assert_eq!(said(other.0, other.1), 1, "{other:?}");
    }
}
