use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::{
    cloud::{CloudError, ErrorKind},
    domain::{Counts, CredentialSource, Protection, Queue, QueueArn, QueueRules, QueueUrl, WatchRules},
    observe::{
        Listing, Oldest, Seen, Source, Spend, Trend,
        queues::{DeadLetters, KnownBy},
    },
};

pub(super) fn now() -> Timestamp {
    "2026-11-21T03:00:00Z".parse().expect("a time")
}

pub(super) fn ago(minutes: i64) -> Timestamp {
    now() - SignedDuration::from_mins(minutes)
}

pub(super) fn prod() -> Environment {
    Environment {
        name: EnvironmentName("prod".into()),
        account: None,
        region: "af-south-1".into(),
        credentials: CredentialSource::Profile("storo-prod".into()),
        role_chain: Vec::new(),
        protection: Protection::TypeName,
        colour: None,
        endpoint: None,
        queues: QueueRules::default(),
        watch: WatchRules::default(),
        services: crate::domain::service_rules::ServiceRules::default(),
        databases: crate::domain::environment::DatabaseRules::default(),
        invocation: crate::domain::Invocation::default(),
        login: Default::default(),
    }
}

/// A queue with so many messages, looked at just now; retention four days.
pub(super) fn queue(name: &str, visible: u64) -> Seen {
    let arn = QueueArn(format!("arn:aws:sqs:af-south-1:111111111111:{name}"));
    let described = Queue {
        url: QueueUrl::from(name),
        arn,
        name: name.into(),
        kind: QueueName::from(name).kind(),
        counts: Counts { visible, ..Counts::default() },
        visibility_timeout_seconds: 30,
        retention_seconds: 4 * 86_400,
        message_bytes_max: 1_048_576,
        delay_seconds: 0,
        redrive: None,
        content_based_deduplication: false,
        deduplication_scope: None,
        kms_key: None,
        created_at: None,
    };
    Seen {
        name: name.into(),
        url: QueueUrl::from(name),
        queue: Some(described),
        at: Some(now()),
        error: None,
        dead_letters: None,
        oldest: None,
        trend: Trend { samples: vec![(now(), visible)] },
        waiting_since: None,
        leaving: None,
    }
}

pub(super) fn dlq(name: &str, visible: u64) -> Seen {
    let dead_letters = Some(DeadLetters { sources: vec!["orders".into()], known_by: KnownBy::RedrivePolicy });
    Seen { dead_letters, ..queue(name, visible) }
}

fn failed(name: &str, kind: ErrorKind) -> Seen {
    let error = Some(CloudError::new(kind, "sqs:GetQueueAttributes", "no answer before the deadline"));
    Seen { queue: None, at: None, error, ..queue(name, 0) }
}

fn old(seen: Seen, minutes_of_sample: i64, hours: u64) -> Seen {
    Seen { oldest: Some(Oldest { seconds: hours * 3_600, at: ago(minutes_of_sample) }), ..seen }
}

pub(super) fn snapshot(queues: Vec<Seen>) -> Snapshot {
    Snapshot {
        environment: prod().name,
        number: 1,
        source: Source::Live,
        listing: Listing { at: Some(now()), ..Listing::default() },
        queues: queues.into_iter().map(Arc::new).collect(),
        estate: crate::observe::Estate::default(),
        metrics_error: None,
        spend: Spend::default(),
    }
}

fn said(snapshot: &Snapshot, thresholds: &Thresholds) -> Vec<(Severity, Kind, String)> {
    let verdicts = verdicts(&prod(), thresholds, snapshot, now());
    verdicts.into_iter().map(|verdict| (verdict.severity, verdict.kind, verdict.reason.to_string())).collect()
}

type Expected = Option<(Severity, Kind, &'static str)>;

#[test]
fn one_queue_one_verdict_in_words() {
    use Severity::{Critical, Notice, Warning};
    let trend = |samples: &[(i64, u64)]| Trend { samples: samples.iter().map(|(m, n)| (ago(*m), *n)).collect() };
    let growing = |seen: Seen| Seen { trend: trend(&[(20, 4_000), (5, 4_692), (0, 4_812)]), ..seen };
    let waiting = |minutes, seen: Seen| Seen { waiting_since: Some(ago(minutes)), ..seen };
    let looked = |minutes, seen: Seen| Seen { at: Some(ago(minutes)), ..seen };
    let table: Vec<(Seen, Expected)> = vec![
        (queue("orders", 0), None),
        (dlq("orders-dlq", 0), None),
        (dlq("orders-dlq", 1), Some((Notice, Kind::DeadLetters, "~1 message lies there"))),
        (
            old(dlq("orders-dlq", 4_812), 2, 30),
            Some((Warning, Kind::DeadLetters, "~4,812 messages lie there; the oldest is 30 h old")),
        ),
        (looked(90, dlq("orders-dlq", 2)), Some((Notice, Kind::DeadLetters, "~2 messages lie there; seen 90 min ago"))),
        (growing(dlq("orders-dlq", 4_812)), Some((Warning, Kind::Growing, "+120 in 5 min, now ~4,812 messages"))),
        // Half an hour old figures say nothing about what happens now.
        (
            looked(30, growing(dlq("orders-dlq", 4_812))),
            Some((Warning, Kind::DeadLetters, "~4,812 messages lie there; seen 30 min ago")),
        ),
        (
            old(dlq("orders-dlq", 4_812), 0, 91),
            Some((Critical, Kind::Expires, "~4,812 messages; the oldest is deleted within 5 h")),
        ),
        // FIFO: the metric's age is the one that counts.
        (
            old(dlq("orders-dlq.fifo", 4_812), 0, 91),
            Some((Critical, Kind::Expires, "~4,812 messages; the oldest is deleted in 5 h")),
        ),
        (
            growing(old(dlq("orders-dlq", 4_812), 0, 91)),
            Some((Critical, Kind::Expires, "~4,812 messages; the oldest is deleted within 5 h; +120 in 5 min")),
        ),
        (
            old(dlq("orders-dlq", 7), 0, 97),
            Some((Critical, Kind::Expires, "~7 messages; the oldest are being deleted now")),
        ),
        // A sample that is hours old may be of messages that are gone.
        (old(dlq("orders-dlq", 7), 61, 95), Some((Notice, Kind::DeadLetters, "~7 messages lie there"))),
        (queue("orders", 1_000), None),
        (queue("orders", 12_345), Some((Warning, Kind::Backlog, "~12,345 messages wait, over the threshold of 1,000"))),
        (queue("bulk-1", 12_345), None),
        (
            old(queue("orders", 3), 0, 91),
            Some((Critical, Kind::Expires, "~3 messages wait; the oldest is deleted in 5 h")),
        ),
        (waiting(4, queue("orders", 3)), None),
        (
            waiting(12, queue("orders", 3)),
            Some((Warning, Kind::ConsumerAbsent, "~3 messages wait; none was taken for 12 min")),
        ),
        (
            waiting(12, queue("orders", 4_000)),
            Some((
                Warning,
                Kind::ConsumerAbsent,
                "~4,000 messages wait; none was taken for 12 min; over the threshold of 1,000",
            )),
        ),
        // Young messages: somebody takes them, too fast to be seen.
        (Seen { oldest: Some(Oldest { seconds: 2, at: ago(1) }), ..waiting(12, queue("orders", 3)) }, None),
        (waiting(12, queue("parked-errors", 50_000)), None),
    ];
    let thresholds = Thresholds {
        backlogs: vec![("bulk-*".into(), 100_000)],
        parked: vec!["parked-*".into()],
        ..Thresholds::default()
    };
    for (seen, expected) in table {
        let expected: Vec<_> =
            expected.into_iter().map(|(severity, kind, reason)| (severity, kind, reason.to_owned())).collect();
        assert_eq!(said(&snapshot(vec![seen.clone()]), &thresholds), expected, "{seen:#?}");
    }
}

#[test]
fn short_lives_are_soon_at_their_half() {
    let hour = |age_minutes: u64| {
        let mut seen = dlq("orders-dlq", 5);
        seen.queue.as_mut().expect("described").retention_seconds = 3_600;
        seen.oldest = Some(Oldest { seconds: age_minutes * 60, at: now() });
        said(&snapshot(vec![seen]), &Thresholds::default())[0].1
    };
    assert_eq!((hour(20), hour(40)), (Kind::DeadLetters, Kind::Expires));
}

#[test]
fn denied_queues_are_one_verdict() {
    let mut queues: Vec<Seen> =
        (0..750).map(|number| failed(&format!("queue-{number:04}"), ErrorKind::Denied)).collect();
    queues.extend((750..1_500).map(|number| queue(&format!("queue-{number:04}"), 0)));
    let reason = "750 of 1,500 queues may not be looked at (sqs:GetQueueAttributes is denied): queue-0000, queue-0001, \
                  queue-0002 and 747 more";
    assert_eq!(said(&snapshot(queues), &Thresholds::default()), [(Severity::Notice, Kind::Denied, reason.to_owned())]);
    let one = snapshot(vec![failed("bills", ErrorKind::Denied), queue("orders", 0)]);
    let verdicts = verdicts(&prod(), &Thresholds::default(), &one, now());
    assert_eq!(verdicts[0].subject, Subject::Queue("bills".into()));
    let reason = "it may not be looked at: allow sqs:GetQueueAttributes on the resource for the credentials of prod";
    assert_eq!(verdicts[0].reason.as_str(), reason);
}

#[test]
fn an_environment_says_what_is_wrong_and_what_to_run() {
    let failing = |kind| {
        let mut snapshot = snapshot(vec![failed("orders", ErrorKind::Unknown)]);
        snapshot.listing.at = Some(ago(12));
        snapshot.listing.error = Some(CloudError::new(kind, "sqs:ListQueues", "dns error"));
        said(&snapshot, &Thresholds::default())
    };
    let old = "what is shown is 12 min old";
    let expected = [
        (
            ErrorKind::CredentialsExpired,
            Kind::Credentials,
            format!(
                "the credentials do not work (any more): renew what profile storo-prod comes from; `opsctl doctor --env prod` says what that is; {old}"
            ),
        ),
        (
            ErrorKind::Unreachable,
            Kind::Unreachable,
            format!("AWS is not reached: check the network, the proxy, VPN, and the region's name (af-south-1); {old}"),
        ),
        (
            ErrorKind::Denied,
            Kind::Denied,
            format!(
                "the queues can't be listed: allow sqs:ListQueues on the resource for the credentials of prod; {old}"
            ),
        ),
    ];
    for (error, kind, reason) in expected {
        assert_eq!(failing(error), [(Severity::Warning, kind, reason)]);
    }
    let mut throttled = snapshot(vec![failed("orders", ErrorKind::Unknown)]);
    throttled.spend.throttled = 12;
    let reasons: Vec<String> = said(&throttled, &Thresholds::default()).into_iter().map(|said| said.2).collect();
    assert_eq!(
        reasons,
        [
            "it does not answer: no answer before the deadline",
            "AWS throttled 12 calls in the last minute: figures come more slowly"
        ]
    );
}

#[test]
fn the_worst_comes_first_in_all_environments() {
    let verdict = |environment: &str, severity, kind, messages| Verdict {
        severity,
        environment: EnvironmentName(environment.into()),
        subject: Subject::Environment,
        kind,
        reason: Text::default(),
        messages,
        rank: Rank::default(),
    };
    let sorted = worst_first(vec![
        verdict("dev", Severity::Notice, Kind::DeadLetters, 9_000),
        verdict("dev", Severity::Warning, Kind::Growing, 5),
        verdict("prod", Severity::Warning, Kind::Growing, 4_812),
        verdict("prod", Severity::Critical, Kind::Expires, 1),
        verdict("dev", Severity::Warning, Kind::Unreachable, 0),
    ]);
    let order: Vec<_> = sorted.iter().map(|verdict| (verdict.kind, verdict.messages)).collect();
    let expected = [(Kind::Expires, 1), (Kind::Unreachable, 0), (Kind::Growing, 4_812), (Kind::Growing, 5)];
    assert_eq!(order[..4], expected);
}

#[test]
fn production_number_growth_and_nearness_of_loss_decide_and_are_said() {
    let dev = Environment { name: EnvironmentName("dev".into()), protection: Protection::Confirm, ..prod() };
    let old = |seen: Seen, days: u64| Seen { oldest: Some(Oldest { seconds: days * 86_400, at: ago(0) }), ..seen };
    let growing = |seen: Seen| {
        let samples = [(20, 1_000), (5, 1_000), (0, 1_250)];
        Seen { trend: Trend { samples: samples.iter().map(|(m, n)| (ago(*m), *n)).collect() }, ..seen }
    };
    let judged = |environment: &Environment, seen: Vec<Seen>| {
        verdicts(environment, &Thresholds::default(), &snapshot(seen), now())
    };
    let severity = |environment: &Environment, messages| judged(environment, vec![dlq("a-dlq", messages)])[0].severity;
    assert_eq!([1, 99, 100, 9_999, 10_000].map(|messages| severity(&prod(), messages) as u8), [2, 2, 1, 1, 0]);
    assert_eq!([1, 9_999, 10_000, 1_000_000].map(|messages| severity(&dev, messages) as u8), [2, 2, 1, 1]);
    let mut all = judged(&dev, vec![dlq("x-dlq", 100_000)]);
    all.extend(judged(
        &prod(),
        vec![dlq("a-dlq", 5_000), old(dlq("b-dlq", 5_000), 1), dlq("c-dlq", 100_000), growing(dlq("d-dlq", 1_250))],
    ));
    let order: Vec<String> = worst_first(all.clone()).iter().map(|verdict| format!("{:?}", verdict.subject)).collect();
    let place = |name: &str| order.iter().position(|subject| subject.contains(name)).expect("there");
    assert!(
        place("c-dlq") < place("d-dlq") && place("d-dlq") < place("a-dlq") && place("a-dlq") < place("x-dlq"),
        "{order:?}"
    );
    let why = |name: &str| {
        all.iter().find(|verdict| format!("{:?}", verdict.subject).contains(name)).expect("there").rank.why.to_string()
    };
    assert_eq!(why("c-dlq"), "prod, ~100,000 messages");
    assert_eq!(why("d-dlq"), "prod, ~1,250 messages, +50 a minute");
    assert!(why("b-dlq").starts_with("prod, ~5,000 messages, the oldest expires within "), "{}", why("b-dlq"));
    assert_eq!(why("x-dlq"), "~100,000 messages");
}
