//! Services, databases, alarms and consumers as a console is shown them.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use opsctl::{
    databases::{Capacity, Seen},
    domain::{
        Alarm, AlarmState, Backlog, Blocked, CapacityLimits, Container, Database, DatabaseEvent, Deployment,
        DeploymentId, ErrorGroups, Gauge, KafkaLag, Mapping, MappingId, MappingState, Member, Pending, QueueName,
        Replacing, Rollout, RowCount, RowState, Scaling, ScheduledAction, SeenFunction, SeenOutbox, Service,
        ServiceEvent, ServiceId, SourceKind, Task, TaskArn, TaskDefinition, Text, Topology, Trouble, Upkeep, Watches,
    },
    observe::{DatabaseGauges, Estate, Look, Part, SeenDatabase, SeenService, Unknown},
};

use super::console::now;

/// A time so many minutes before the console's clock.
pub(crate) fn minutes_ago(minutes: i64) -> Timestamp {
    now() - SignedDuration::from_mins(minutes)
}

/// A metric: a value each five minutes, the last three minutes ago.
pub(crate) fn gauge(values: &[f64]) -> Option<Gauge> {
    let last = values.len() as i64 - 1;
    let recent: Vec<(Timestamp, f64)> =
        (0..).zip(values).map(|(at, value)| (minutes_ago(3 + 5 * (last - at)), *value)).collect();
    let (at, value) = *recent.last()?;
    Some(Gauge { value, at, recent })
}

/// What was seen of one sort, 20 seconds ago.
pub(crate) fn part<T>(rows: Vec<T>) -> Part<T> {
    let at = Some(now() - SignedDuration::from_secs(20));
    Part { at, rows: rows.into_iter().map(Arc::new).collect(), ..Part::default() }
}

/// A steady service of as many tasks, with autoscaling from 1 to 4.
pub(crate) fn service(cluster: &str, name: &str, tasks: u32) -> SeenService {
    let deployment = Deployment {
        id: DeploymentId(format!("ecs-svc/{name}")),
        is_primary: true,
        task_definition: TaskDefinition(format!("{name}:12")),
        desired: tasks,
        running: tasks,
        pending: 0,
        failed: 0,
        rollout: Some(Rollout::Completed),
        rollout_reason: Some(Text::from("ECS deployment completed.")),
        created_at: Some(minutes_ago(60 * 26)),
    };
    let event = ServiceEvent {
        id: "1".to_owned(),
        at: minutes_ago(95),
        message: Text::line(&format!("(service {name}) has reached a steady state.")),
    };
    SeenService {
        service: Service {
            id: ServiceId::new(cluster, name),
            status: Text::from("ACTIVE"),
            desired: tasks,
            running: tasks,
            pending: 0,
            task_definition: TaskDefinition(format!("{name}:12")),
            deployments: vec![deployment],
            events: vec![event],
            target_groups: Vec::new(),
            replacing: Replacing::default(),
            placement: Default::default(),
        },
        seen_at: None,
        scaling: Some(Scaling { min: 1, max: 4, ..Scaling::default() }),
        since: None,
        cpu: gauge(&[20.0, 22.0, 31.0, 28.0]),
        memory: gauge(&[48.0, 48.0, 49.0, 51.0]),
        stopped: Vec::new(),
    }
}

/// The same, changed.
pub(crate) fn changed<T>(mut thing: T, change: impl FnOnce(&mut T)) -> T {
    change(&mut thing);
    thing
}

/// One whose newest deployment was rolled back, with a stopped task that says why.
pub(crate) fn failing(cluster: &str, name: &str) -> SeenService {
    changed(service(cluster, name, 4), |seen| {
        let reason = "ECS deployment circuit breaker: tasks failed to start.";
        seen.service.running = 2;
        seen.service.pending = 1;
        seen.cpu = gauge(&[40.0, 55.0, 78.0, 93.0]);
        let mut failed = seen.service.deployments[0].clone();
        failed.id = DeploymentId("ecs-svc/9".to_owned());
        failed.is_primary = false;
        failed.task_definition = TaskDefinition(format!("{name}:13"));
        (failed.rollout, failed.rollout_reason) = (Some(Rollout::Failed), Some(Text::from(reason)));
        (failed.failed, failed.running, failed.created_at) = (11, 0, Some(minutes_ago(14)));
        seen.service.deployments.insert(0, failed);
        let message = format!("(service {name}) deployment ecs-svc/9 deployment failed: tasks failed to start.");
        let event = ServiceEvent { id: "2".to_owned(), at: minutes_ago(6), message: Text::line(&message) };
        seen.service.events.insert(0, event);
        seen.stopped = vec![stopped()];
    })
}

fn stopped() -> Task {
    Task {
        arn: TaskArn("arn:aws:ecs:af-south-1:333333333333:task/nucleus/0a1b2c3d".to_owned()),
        status: Text::from("STOPPED"),
        desired_status: Text::from("STOPPED"),
        task_definition: TaskDefinition("ledger:13".to_owned()),
        started_by: None,
        group: None,
        health: None,
        zone: Some(Text::from("af-south-1b")),
        created_at: Some(minutes_ago(8)),
        started_at: None,
        stopped_at: Some(minutes_ago(7)),
        stop_code: Some(Text::from("EssentialContainerExited")),
        stopped_reason: Some(Text::from("Essential container in task exited")),
        containers: vec![Container {
            name: Text::from("app"),
            status: Text::from("STOPPED"),
            exit_code: Some(137),
            reason: Some(Text::from("OutOfMemoryError: Container killed due to memory usage")),
        }],
    }
}

/// One at zero.
pub(crate) fn asleep(cluster: &str, name: &str) -> SeenService {
    changed(service(cluster, name, 0), |seen| {
        (seen.cpu, seen.memory) = (None, None);
        seen.scaling = Some(Scaling {
            min: 0,
            max: 2,
            scheduled_suspended: true,
            actions: vec![ScheduledAction {
                name: Text::from("night"),
                schedule: Text::from("cron(0 20 * * ? *)"),
                timezone: Some(Text::from("Africa/Johannesburg")),
                min: Some(0),
                max: Some(0),
            }],
            ..Scaling::default()
        });
    })
}

fn member(name: &str, is_writer: bool, zone: &str, tier: u8) -> Member {
    Member {
        name: name.to_owned(),
        is_writer,
        class: Some(Text::from("db.r6g.large")),
        status: Some(Text::from("available")),
        zone: Some(Text::from(zone)),
        tier: Some(tier),
    }
}

/// An Aurora cluster: a writer and a reader, all well.
pub(crate) fn aurora(name: &str) -> SeenDatabase {
    let (one, two) = (format!("{name}-1"), format!("{name}-2"));
    let database = Database {
        name: name.to_owned(),
        arn: format!("arn:aws:rds:af-south-1:333333333333:cluster:{name}"),
        endpoint: None,
        topology: Topology::Aurora,
        engine: Text::from("aurora-postgresql"),
        version: Text::from("16.6"),
        status: Text::from("available"),
        members: vec![member(&one, true, "af-south-1a", 0), member(&two, false, "af-south-1b", 1)],
        standby_zone: None,
        limits: None,
        pending: Vec::new(),
        source: None,
        replicas: Vec::new(),
        global: None,
        written_elsewhere: None,
    };
    let gauges = DatabaseGauges {
        cpu: gauge(&[30.0, 34.0, 41.0]),
        connections: gauge(&[61.0, 60.0, 64.0]),
        ..DatabaseGauges::default()
    };
    let reader = DatabaseGauges { cpu: gauge(&[10.0]), lag: gauge(&[18.0, 22.0]), ..DatabaseGauges::default() };
    SeenDatabase {
        seen: Seen { database, capacity: Capacity::None, last_event: None, proxies: Vec::new() },
        gauges: BTreeMap::from([(one, gauges), (two, reader)]),
    }
}

/// A Multi-AZ instance.
pub(crate) fn multi_az(name: &str) -> SeenDatabase {
    changed(aurora(name), |seen| {
        let database = &mut seen.seen.database;
        database.topology = Topology::MultiAzInstance;
        database.members = vec![member(name, true, "af-south-1a", 0)];
        database.standby_zone = Some(Text::from("af-south-1c"));
        database.engine = Text::from("postgres");
        let gauges = DatabaseGauges {
            cpu: gauge(&[71.0, 84.0, 88.0]),
            connections: gauge(&[180.0, 190.0]),
            free_storage: gauge(&[1.9e9, 1.6e9]),
            read_latency: gauge(&[0.002]),
            write_latency: gauge(&[0.004]),
            lag: None,
        };
        seen.gauges = BTreeMap::from([(name.to_owned(), gauges)]);
    })
}

/// A cluster that fails over just now.
pub(crate) fn failing_over(name: &str) -> SeenDatabase {
    changed(aurora(name), |seen| {
        seen.seen.database.status = Text::from("failing-over");
        seen.seen.last_event = Some(DatabaseEvent {
            at: minutes_ago(1),
            kind: SourceKind::Cluster,
            source: name.to_owned(),
            categories: vec![Text::from("failover")],
            message: Text::line(&format!("Started cross AZ failover to DB instance: {name}-2")),
        });
    })
}

/// A serverless one that has paused.
pub(crate) fn paused(name: &str) -> SeenDatabase {
    changed(aurora(name), |seen| {
        seen.seen.database.limits = Some(CapacityLimits { minimum: 0.0, maximum: 4.0 });
        seen.seen.capacity = Capacity::Paused { at: minutes_ago(2) };
        seen.gauges.clear();
        seen.seen.database.pending = vec![Pending {
            action: Text::from("system-update"),
            description: Text::from("New Operating System update is available"),
            due_at: None,
            ..Pending::default()
        }];
    })
}

/// A metric alarm.
pub(crate) fn alarm(name: &str, state: AlarmState, minutes: i64) -> Alarm {
    Alarm {
        name: name.to_owned(),
        mutes: Vec::new(),
        state,
        since: Some(minutes_ago(minutes)),
        reason: Text::from(
            "Threshold Crossed: 3 out of the last 3 datapoints [91.2 (21/11/26 03:05:00), 88.4 (21/11/26 03:00:00)] \
             were greater than the threshold (80.0).",
        ),
        watches: Watches::Metric {
            namespace: Some(Text::from("AWS/ECS")),
            metric: Text::from("CPUUtilization"),
            dimensions: vec![
                (Text::from("ClusterName"), Text::from("nucleus")),
                (Text::from("ServiceName"), Text::from("ledger")),
            ],
            statistic: Some(Text::from("Average")),
            period_seconds: Some(300),
            comparison: Text::from("GreaterThanThreshold"),
            threshold: Some(80.0),
        },
        actions_enabled: true,
        scales_only: false,
        description: Some(Text::from("Wake the on-call engineer of payments.")),
    }
}

/// A composite alarm that is muted.
pub(crate) fn composite(name: &str) -> Alarm {
    changed(alarm(name, AlarmState::Ok, 60 * 30), |alarm| {
        alarm.watches = Watches::Rule { rule: Text::from("ALARM(\"ledger-cpu\") OR ALARM(\"ledger-memory\")") };
        alarm.actions_enabled = false;
        alarm.reason = Text::from("arn:aws:cloudwatch:af-south-1:333333333333:alarm:ledger-cpu transitioned to OK");
    })
}

/// A Lambda event source mapping of a queue.
pub(crate) fn mapping(function: &str, queue: &str, state: MappingState) -> Mapping {
    Mapping {
        id: MappingId(format!("{function}-91eaeb7e-c976-1234-9451-8709db01f137")),
        function: Text::from(function),
        source_arn: format!("arn:aws:sqs:af-south-1:111111111111:{queue}"),
        queue: Some(QueueName(queue.to_owned())),
        state,
        reason: Some(Text::from("USER_INITIATED")),
        last_result: Some(Text::from("OK")),
        batch_size: Some(10),
        concurrency_max: None,
        changed_at: Some(minutes_ago(60 * 24 * 9)),
    }
}

/// A group that reads Kafka.
pub(crate) fn lag(group: &str, topic: &str, offsets: &[f64]) -> KafkaLag {
    let offsets = gauge(offsets).expect("at least one");
    KafkaLag { cluster: Text::from("wallet-events"), group: Text::from(group), topic: Text::from(topic), offsets }
}

/// An outbox whose ready rows became more over the last hour, as many as `ready` now, the oldest `lag` minutes old.
pub(crate) fn outbox(name: &str, counts: [(RowState, RowCount); 4], lag: i64) -> SeenOutbox {
    let recent = (0..60).map(|minute| (minutes_ago(60 - minute), (minute * 20) as f64)).collect();
    SeenOutbox {
        name: name.to_owned(),
        what: Text::from("outbox_transfers (outbox-transfers)"),
        connection: "ledger".to_owned(),
        backlog: Some(Backlog {
            at: now() - SignedDuration::from_secs(20),
            server: Text::from("PostgreSQL 15.4"),
            counts: counts.into_iter().collect(),
            oldest_ready: (lag > 0).then(|| minutes_ago(lag)),
            published: Some(RowCount::Exactly(0)),
            failed_errors: Some(ErrorGroups {
                sampled: 12,
                groups: vec![(Text::from("timeout after … ms"), 11), (Text::from("no error text"), 1)],
                other: 0,
            }),
            slot: None,
            upkeep: Upkeep::default(),
            parked: None,
            failed_kinds: vec![(Text::from("TransferFailed"), 11), (Text::from("TransferSettled"), 1)],
            blocked: vec![Blocked {
                group: Text::from("tr-4711"),
                head: Text::from("9f0c"),
                head_state: RowState::Failed,
                held: 40,
            }],
            group_blocks: false,
            may_hide: false,
            index_wanted: None,
            recent,
        }),
        trouble: None,
        function: None,
        lock: None,
    }
}

/// Three outboxes: one that nobody empties, one that can't be read, one that is well.
fn outboxes() -> Vec<SeenOutbox> {
    let counts = |failed, ready| {
        [
            (RowState::Failed, RowCount::Exactly(failed)),
            (RowState::Ready, ready),
            (RowState::Published, RowCount::MoreThan(100_000)),
            (RowState::Unaccounted, RowCount::Exactly(0)),
        ]
    };
    let asleep = SeenFunction {
        name: "ledger-outbox-worker".to_owned(),
        concurrency: None,
        rule: Some(("ledger-outbox-every-minute".to_owned(), false)),
        unknown: None,
    };
    vec![
        changed(outbox("directory", counts(0, RowCount::Exactly(0)), 0), |seen| {
            let backlog = seen.backlog.as_mut().expect("seen");
            (backlog.failed_kinds, backlog.blocked, backlog.recent) = (Vec::new(), Vec::new(), Vec::new());
            backlog.published = Some(RowCount::Exactly(410));
        }),
        changed(outbox("ledger", counts(12, RowCount::Exactly(1_204)), 42), |seen| seen.function = Some(asleep)),
        SeenOutbox {
            backlog: None,
            trouble: Some(Trouble::Unreachable(Text::from("password authentication failed for user \"reader\""))),
            ..outbox("recon", counts(0, RowCount::Unknown), 0)
        },
    ]
}

/// Something that is not known.
pub(crate) fn unknown(text: &str) -> Unknown {
    Unknown { look: Look::Mappings, words: Text::from(text) }
}

/// What a night in production may look like.
pub(crate) fn night() -> Estate {
    Estate {
        services: part(vec![
            service("nucleus", "cts", 3),
            service("nucleus", "directory", 2),
            failing("nucleus", "ledger"),
            changed(service("nucleus", "recon-worker", 6), |seen| seen.service.running = 4),
            changed(service("nucleus", "zimswitch", 2), |seen| {
                (seen.scaling, seen.cpu, seen.memory) = (None, None, None);
            }),
        ]),
        databases: part(vec![aurora("directory"), failing_over("ledger"), multi_az("recon")]),
        alarms: part(vec![
            alarm("ledger-cpu", AlarmState::Alarm, 9),
            alarm("outbox-backlog", AlarmState::InsufficientData, 300),
            composite("payments"),
        ]),
        mappings: part(vec![
            mapping("payouts-handler:live", "payments", MappingState::Enabled),
            changed(mapping("replay", "payments-replay", MappingState::Disabled), |mapping| {
                mapping.last_result = Some(Text::from("PROBLEM: Function call failed"));
            }),
        ]),
        lags: part(vec![lag("wallet-ledger", "transfers", &[120.0, 900.0, 4_200.0])]),
        outboxes: part(outboxes()),
        ..Estate::default()
    }
}

/// A development environment that sleeps.
pub(crate) fn sleeping() -> Estate {
    Estate {
        services: part(vec![
            service("shop-dev", "kong", 1),
            asleep("shop-dev", "auth"),
            asleep("shop-dev", "offers"),
            asleep("shop-dev", "offers-worker"),
        ]),
        databases: part(vec![paused("shop")]),
        alarms: part(Vec::new()),
        mappings: part(Vec::new()),
        lags: part(Vec::new()),
        ..Estate::default()
    }
}
