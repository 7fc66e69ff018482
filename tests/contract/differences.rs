//! Where a peer is known to be unlike AWS. Each check named here must fail there, and with this failure.

use super::ground::Peer;

/// Something that a peer does unlike AWS.
pub(super) struct Difference {
    peer: &'static str,
    /// What it does, after the peer's name.
    pub(super) because: &'static str,
    /// What the failure of each check says; all of it.
    failure: &'static [&'static str],
    checks: &'static [&'static str],
}

const NO_ECS: &[&str] = &["a cluster: ", "The API for service ecs is either not included"];
const NO_DEFINITIONS: &[&str] = &["a task definition: ", "The API for service ecs is either not included"];
const NO_RDS: &[&str] = &["The API for service rds is either not included"];
const NO_RDS_SAID: &[&str] = &["NoService { service: \"RDS\" }"];
const NO_LOAD_BALANCING: &[&str] = &["a target group: ", "The API for service elbv2 is either not included"];
const NO_LOGS: &[&str] = &["a group: ", "Service 'logs' is not enabled"];
const NO_MUTES: &[&str] = &["a mute: ", "cloudwatch:PutAlarmMuteRule"];
const NO_SEARCH: &[&str] = &["an answer: ", "cloudwatch:GetMetricData", "'MetricStat'"];
const NO_SOURCES: &[&str] = &["sqs:ListDeadLetterSourceQueues", "InvalidAction"];
const NO_TASKS: &[&str] = &["sqs:StartMessageMoveTask", "InvalidAction"];
const NOT_REFUSED: &[&str] = &["Ok([Done("];
const PRODUCERS_ID: &[&str] = &["left: Some(\"by-producer\")"];

const DIFFERENCES: &[Difference] = &[
    ministack(
        "has no ListDeadLetterSourceQueues",
        NO_SOURCES,
        &["a DLQ knows its sources", "a queue that is no DLQ has no sources"],
    ),
    ministack("does not know alarm mute rules", NO_MUTES, &["an alarm is muted by a rule of its own, and unmuted"]),
    ministack(
        "has no move tasks",
        NO_TASKS,
        &[
            "a move task takes messages to their own sources",
            "a move task takes messages where it is told",
            "moved messages are new",
            "a running task tells handle, rate and target",
            "a finished task has no handle",
            "a DLQ has one task at a time",
            "a cancelled task stops and loses nothing",
            "a queue that is no DLQ has no task",
            "a task needs queues that exist",
        ],
    ),
    ministack(
        "has no move tasks",
        &["sqs:ListMessageMoveTasks", "InvalidAction"],
        &["a queue without tasks lists none"],
    ),
    ministack(
        "does not tell DeduplicationScope",
        &["left: None\n right: Some(\"queue\")"],
        &["a FIFO queue tells what it is"],
    ),
    ministack("does not limit the number of attributes", NOT_REFUSED, &["ten attributes arrive, eleven are refused"]),
    ministack(
        "does not count names, labels and values of attributes",
        NOT_REFUSED,
        &["a message too large for its queue is refused"],
    ),
    ministack("does not check the visibility timeout", NOT_REFUSED, &["more than twelve hours are refused"]),
    ministack("does not check group and deduplication ids", NOT_REFUSED, &["an id with a space is refused"]),
    ministack("drops AWSTraceHeader of a batch", &["left: None\n right: Some(\"Root=1-"], &["a trace header arrives"]),
    ministack(
        "drops AWSTraceHeader of a batch",
        &["left: ContentHash(", "right: ContentHash("],
        &["after its receives a message is in the DLQ, as it was"],
    ),
    ministack("deletes by an expired receipt handle", &["deleted"], &["a FIFO message is not deleted after its time"]),
    ministack(
        "forgets the receipt handles of what was deleted",
        &["left: [Failed { code: \"ReceiptHandleIsInvalid\""],
        &["deleting twice does no harm"],
    ),
    ministack(
        "keeps the producer's deduplication id",
        PRODUCERS_ID,
        &["on a FIFO DLQ the deduplication id is the message id"],
    ),
    ministack(
        "answers SEARCH with nothing",
        &["left: None\n right: Some(42.5)"],
        &["a search finds a metric of every resource"],
    ),
    ministack(
        "answers SEARCH with nothing",
        &["left: None\n right: Some(9.0)"],
        &["gauges of every resource come by one call"],
    ),
    ministack("does not limit the number of queries", &["refused: GetMetricDataOutput"], &["501 queries are refused"]),
    ministack("publishes no metrics of its queues", &["no sample came"], &["a queue's count is published"]),
    ministack(
        "notes a change of state when an alarm is made",
        &["from INSUFFICIENT_DATA to INSUFFICIENT_DATA"],
        &["an alarm's history is told, the newest first"],
    ),
    ministack(
        "notes a change of state when an alarm is made",
        &["left: [\"StateUpdate\"]"],
        &["an alarm's history begins with its creation"],
    ),
    ministack(
        "lists all services on one page",
        &["left: (23, false)\n right: (10, true)"],
        &["services come in pages"],
    ),
    ministack(
        "does not limit the number of services",
        &["refused: DescribeServicesOutput"],
        &["eleven services are refused"],
    ),
    ministack(
        "lists no services of a cluster that is not there",
        &["left: None\n right: Some(NotFound)"],
        &["a service that is not there is not found"],
    ),
    ministack(
        "says UserInitiated where nobody stopped the task",
        &["left: \"UserInitiated\""],
        &["a service put to sleep tells why its tasks stopped"],
    ),
    ministack(
        "has no Application Auto Scaling",
        &["registered: ", "Unsupported service: application-autoscaling"],
        &["autoscaling tells bounds and what is suspended"],
    ),
    ministack("ignores the client token", &["left: TaskArn(", "right: TaskArn("], &["the same token is the same task"]),
    ministack("ignores the client token", &["left: Started(Task"], &["a token with other parameters names its task"]),
    ministack(
        "registers no task that has no container of its own",
        &["no two healthy targets after"],
        &["a service's tasks become healthy targets and go"],
    ),
    ministack(
        "fails over at once",
        &["left: \"available\"\n right: \"failing-over\""],
        &["a failover takes time, and a second one meanwhile is refused"],
    ),
    ministack(
        "has one queue of a name for all regions' URLs",
        &["each has a URL of its own"],
        &["two regions' queues of one name are two"],
    ),
    ministack(
        "knows no star",
        &["attributes of 1", "left: None\n right: Some(2)"],
        &["a star asks for every attribute"],
    ),
    ministack(
        "locks a group while anything of it is in flight",
        &["left: []\n right: [\"1\"]"],
        &["what is in flight holds up only what stands behind it"],
    ),
    ministack(
        "goes by age, whichever group was served",
        &["left: [\"a1\", \"a2\", \"b1\", \"b2\", \"c1\"]"],
        &["groups that nobody was served from come first"],
    ),
    ministack(
        "remembers deduplication ids of what was purged",
        &["left: []\n right: [\"after\"]"],
        &["a purge forgets deduplication ids"],
    ),
    ministack("has no events", &["no end among []"], &["a failover is told by events"]),
    ministack("fails over without a standby", &["refused: ()"], &["a forced failover needs a standby"]),
    ministack("does not tell the standby's zone", &["a standby somewhere"], &["a forced failover swaps the zones"]),
    ministack("answers all instances on one page", &["on one page of 20"], &["seventy instances come page by page"]),
    localstack("has no ECS", NO_DEFINITIONS, &["the active revision before is found"]),
    ministack(
        "takes no bounds as the service tells them",
        &["without an error code"],
        &["bounds are moved and tell so"],
    ),
    ministack("keeps no completed deployments", &["one ran before"], &["completed deployments tell what ran before"]),
    ministack("deploys what does not exist", &["deployed: Ok("], &["a revision that does not exist is refused"]),
    localstack(
        "has no ECS",
        NO_ECS,
        &[
            "a task definition is pinned by its newest revision",
            "the same token is the same task",
            "a token with other parameters names its task",
            "a task is found by who started it",
            "a stopped task tells who stopped it",
            "a service's network can be copied",
            "services are described, and what is missing is told",
            "services come in pages",
            "eleven services are refused",
            "a desired count makes no deployment and starts tasks",
            "a service put to sleep tells why its tasks stopped",
            "a service that is not there is not found",
            "autoscaling tells bounds and what is suspended",
            "a forced deployment is a new one of the same revision",
            "a revision is deployed once however often it is set",
            "a revision that does not exist is refused",
            "completed deployments tell what ran before",
            "bounds are moved and tell so",
        ],
    ),
    localstack(
        "has no RDS",
        NO_RDS,
        &[
            "a cluster tells writer and readers",
            "an instance alone is a database",
            "a failover lets the target write",
            "a failover is told by events",
            "a failover takes time, and a second one meanwhile is refused",
            "a failover to the writer is refused",
            "a failover to a stranger is refused",
            "a forced failover needs a standby",
            "a forced failover swaps the zones",
            "seventy instances come page by page",
        ],
    ),
    localstack(
        "has no RDS, as the adapter says it",
        NO_RDS_SAID,
        &["a database that is not there is none", "there are no global clusters"],
    ),
    localstack(
        "has no Elastic Load Balancing",
        NO_LOAD_BALANCING,
        &[
            "a new target group has no targets",
            "a target group that is not there is not found",
            "a service's tasks become healthy targets and go",
        ],
    ),
    localstack(
        "is started without CloudWatch Logs",
        NO_LOGS,
        &[
            "a stream is followed until its end, and on",
            "a missing group and a missing stream are told apart",
            "a search finds lines and a listing groups",
        ],
    ),
    localstack(
        "knows no expressions",
        NO_SEARCH,
        &["a search finds a metric of every resource", "gauges of every resource come by one call"],
    ),
    localstack("does not limit the number of queries", &["refused: GetMetricDataOutput"], &["501 queries are refused"]),
    localstack(
        "does not evaluate composite alarms",
        &["it did not follow"],
        &["composite alarms come along and follow the others"],
    ),
    localstack("does not know alarm mute rules", NO_MUTES, &["an alarm is muted by a rule of its own, and unmuted"]),
    localstack("answers all alarms on one page", &["false)\n right: (100, true)"], &["230 alarms come page by page"]),
    localstack(
        "keeps changes of state only",
        &["left: []\n right: [\"ConfigurationUpdate\"]"],
        &["an alarm's history begins with its creation"],
    ),
    localstack("does not limit the number of attributes", NOT_REFUSED, &["ten attributes arrive, eleven are refused"]),
    localstack(
        "tells SenderFault false of every entry",
        &["ReceiptHandleIsInvalid", "sender_fault: false"],
        &["a wrong receipt handle is the sender's fault"],
    ),
    localstack("does not check the visibility timeout", NOT_REFUSED, &["more than twelve hours are refused"]),
    localstack(
        "looks at the last message of an id only, whatever its group",
        &["left: [\"a\", \"a again\", \"b\"]"],
        &["a scope of groups deduplicates within each"],
    ),
    localstack(
        "keeps the producer's deduplication id",
        PRODUCERS_ID,
        &["on a FIFO DLQ the deduplication id is the message id"],
    ),
    localstack(
        "hands out what stands behind a message in flight",
        &["left: [\"1\", \"3\"]\n right: [\"1\"]"],
        &["what is in flight holds up only what stands behind it"],
    ),
    localstack(
        "keeps the receive count",
        &["left: (\"orders 0\", 4)\n right: (\"orders 0\", 1)"],
        &["moved messages are new"],
    ),
];

const fn ministack(
    because: &'static str,
    failure: &'static [&'static str],
    checks: &'static [&'static str],
) -> Difference {
    Difference { peer: "ministack", because, failure, checks }
}

const fn localstack(
    because: &'static str,
    failure: &'static [&'static str],
    checks: &'static [&'static str],
) -> Difference {
    Difference { peer: "localstack", because, failure, checks }
}

fn name(peer: &Peer) -> &'static str {
    match peer {
        Peer::Sandbox => "sandbox",
        Peer::Ministack(_) => "ministack",
        Peer::Localstack(_) => "localstack",
    }
}

impl Difference {
    /// Whether it is this that lets a check fail so.
    pub(super) fn excuses(&self, failure: &str) -> bool {
        self.failure.iter().all(|words| failure.contains(words))
    }
}

/// What lets `check` fail on `peer`, where that is known.
pub(super) fn of(peer: &Peer, check: &str) -> Option<&'static Difference> {
    DIFFERENCES.iter().find(|known| known.peer == name(peer) && known.checks.contains(&check))
}

/// Panics over a difference that names no check, or one that another names already.
pub(super) fn all_name_one_of(checks: &[&str]) {
    let mut named = std::collections::BTreeSet::new();
    for Difference { peer, checks: failing, failure, .. } in DIFFERENCES {
        assert!(failure.iter().any(|words| !words.is_empty()), "{peer}: any failure at all of {failing:?} is excused");
        for check in *failing {
            assert!(checks.contains(check), "{peer}: no check {check:?}");
            assert!(named.insert((peer, check)), "{peer}: {check:?} is there twice");
        }
    }
}

#[test]
fn a_difference_excuses_its_own_failure_only() {
    let known = of(&Peer::Localstack(String::new()), "there are no global clusters").expect("known");
    assert!(known.excuses("left: Err(NoService { service: \"RDS\" })"));
    assert!(!known.excuses("left: Err(.. connection refused ..)"));
    assert!(of(&Peer::Sandbox, "there are no global clusters").is_none());
}
