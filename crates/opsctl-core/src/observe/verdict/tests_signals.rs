//! Verdicts on alarms, on consumers, and on what could not be seen.

use super::{
    tests::{ago, dlq, now, prod, queue, snapshot},
    tests_estate::{expected, gauge, pair, part, said_in, seen, service},
    *,
};
use crate::{
    cloud::{
        CloudError, ErrorKind,
        sqs::{MoveStatus, MoveTask},
    },
    domain::{Alarm, AlarmState, KafkaLag, Mapping, MappingId, MappingState, Protection, QueueArn, Watches},
    observe::{Lack, Leaving, Look, Seen, SeenService},
};

use Severity::{Critical, Notice, Warning};

fn alarm(name: &str, state: AlarmState, dimensions: &[(&str, &str)]) -> Alarm {
    Alarm {
        name: name.to_owned(),
        mutes: Vec::new(),
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
        scales_only: false,
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
fn a_queue_that_nobody_takes_from_says_who_should() {
    let mut snapshot = snapshot(vec![Seen { waiting_since: Some(ago(12)), ..queue("orders", 3) }]);
    let said = |snapshot: &Snapshot, environment: &Environment| said_in(environment, snapshot)[0].2.to_string();
    let absent = "~3 messages wait; none was taken for 12 min";
    assert_eq!(said(&snapshot, &prod()), absent, "as long as the mappings are not known");
    snapshot.estate.mappings = part(Vec::new());
    let nobody = format!("{absent}; no event source mapping takes from it, and opsctl.toml names no consumer of it");
    assert_eq!(said(&snapshot, &prod()), nobody);
    let mut configured = prod();
    configured.services.consumers = vec![("ord*".to_owned(), "main/worker".to_owned())];
    assert_eq!(said(&snapshot, &configured), format!("{absent}; service main/worker should"));
    snapshot.estate.mappings =
        part(vec![mapping(MappingState::Enabled, "orders"), mapping(MappingState::Enabled, "bills")]);
    assert_eq!(said(&snapshot, &prod()), format!("{absent}; orders-consumer (enabled) should"));
}

#[test]
fn a_dead_letter_queue_that_keeps_messages_shorter_than_their_source_says_so() {
    let kept = |name: &str, messages: u64, days: u64| {
        let mut seen = if name.contains("dlq") { dlq(name, messages) } else { queue(name, messages) };
        if let Some(queue) = &mut seen.queue {
            queue.retention_seconds = days * 86_400;
        }
        seen
    };
    let said = |dlq_days, messages| {
        said_in(&prod(), &snapshot(vec![kept("orders", 0, 14), kept("orders-dlq", messages, dlq_days)]))
    };
    let words = "~2 messages; kept 4 d here, counted from their first send, and 14 d in orders: `opsctl retention --queue \
                 orders-dlq --to 14d --env prod` keeps them as long";
    assert_eq!(said(4, 2), expected(&[(Notice, Kind::KeptTooShort, words)]));
    assert_eq!(said(14, 2)[0].1, Kind::DeadLetters, "as long: it may be meant so");
    assert_eq!(said(4, 0), [], "nothing is in it");
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
        look: Look::Services,
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

#[test]
fn messages_that_leave_a_dead_letter_queue_are_told_unless_opsctl_or_a_consumer_takes_them() {
    let falling = |from: u64, to: u64| {
        let mut seen = dlq("orders-dlq", to);
        seen.trend.samples = vec![(ago(4), from), (now(), to)];
        seen
    };
    let looked = |ours_until| Some(Leaving { at: ago(1), ours_until, task: None });
    let task = MoveTask {
        handle: Some("theirs".to_owned()),
        status: MoveStatus::Running,
        source: QueueArn("arn:aws:sqs:af-south-1:111111111111:orders-dlq".to_owned()),
        destination: None,
        rate: None,
        moved: 1_200,
        to_move: Some(5_000),
        failure: None,
        started_at: Some(ago(3)),
    };
    let moving = Some(Leaving { at: ago(1), ours_until: Some(ago(1)), task: Some(task) });
    let said = |seen: Seen| said_in(&prod(), &snapshot(vec![seen]));
    let left = "-120 in 4 min, and no run of opsctl on this machine took them; now ~300 messages";
    let moved = "a move task that opsctl did not start here is moving messages to their sources: 1,200 of ~5,000 moved; \
                 now ~300 messages";
    let elsewhere = |words| expected(&[(Warning, Kind::RedrivenElsewhere, words)]);
    assert_eq!(said(Seen { leaving: looked(None), ..falling(420, 300) }), elsewhere(left));
    assert_eq!(said(Seen { leaving: looked(Some(ago(9))), ..falling(420, 300) }), elsewhere(left), "ended before");
    assert_eq!(said(Seen { leaving: moving.clone(), ..falling(420, 300) }), elsewhere(moved));
    assert_eq!(said(Seen { leaving: moving.clone(), ..dlq("orders-dlq", 300) }), elsewhere(moved), "it just began");
    let kinds = |seen: Seen| said(seen).into_iter().map(|(_, kind, _)| kind).collect::<Vec<_>>();
    for (why, leaving) in [
        ("a run of opsctl works on it", looked(Some(ago(1)))),
        ("counts lag behind a run that has ended", looked(Some(ago(5)))),
        ("nobody has looked", None),
        ("that is long ago", moving.map(|moving| Leaving { at: ago(20), ..moving })),
    ] {
        assert_eq!(kinds(Seen { leaving, ..falling(420, 300) }), [Kind::DeadLetters], "{why}");
    }
    assert_eq!(kinds(Seen { leaving: looked(None), ..falling(300, 301) }), [Kind::Growing], "it grows");
    assert_eq!(kinds(Seen { leaving: looked(None), ..falling(3, 0) }), [], "nothing is left");
    let mut read = snapshot(vec![Seen { leaving: looked(None), ..falling(420, 300) }]);
    read.estate.mappings = part(vec![mapping(MappingState::Enabled, "orders-dlq")]);
    let said: Vec<Kind> = said_in(&prod(), &read).into_iter().map(|(_, kind, _)| kind).collect();
    assert_eq!(said, [Kind::DeadLetters], "a function reads it");
}
