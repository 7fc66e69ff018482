//! Where a peer is known to be unlike AWS. Each check named here must fail there.

use super::ground::Peer;

/// Peer, check, why.
const DIFFERENCES: &[(&str, &str, &str)] = &[
    ("ministack", "a FIFO queue tells what it is", "does not tell DeduplicationScope"),
    ("ministack", "a DLQ knows its sources", "ListDeadLetterSourceQueues is not there"),
    ("ministack", "a queue that is no DLQ has no sources", "ListDeadLetterSourceQueues is not there"),
    ("ministack", "ten attributes arrive, eleven are refused", "does not limit the number of attributes"),
    ("ministack", "a trace header arrives", "drops AWSTraceHeader of a batch"),
    (
        "ministack",
        "a message too large for its queue is refused",
        "does not count names, labels and values of attributes",
    ),
    ("ministack", "more than twelve hours are refused", "does not check the visibility timeout"),
    ("ministack", "a FIFO message is not deleted after its time", "an expired receipt handle deletes"),
    ("ministack", "deleting twice does no harm", "forgets the receipt handles of what was deleted"),
    ("ministack", "an id with a space is refused", "does not check group and deduplication ids"),
    ("ministack", "after its receives a message is in the DLQ, as it was", "drops AWSTraceHeader of a batch"),
    ("ministack", "on a FIFO DLQ the deduplication id is the message id", "keeps the producer's deduplication id"),
    ("ministack", "a move task takes messages to their own sources", "has no move tasks"),
    ("ministack", "a move task takes messages where it is told", "has no move tasks"),
    ("ministack", "moved messages are new", "has no move tasks"),
    ("ministack", "a running task tells handle, rate and target", "has no move tasks"),
    ("ministack", "a finished task has no handle", "has no move tasks"),
    ("ministack", "a DLQ has one task at a time", "has no move tasks"),
    ("ministack", "a cancelled task stops and loses nothing", "has no move tasks"),
    ("ministack", "a queue that is no DLQ has no task", "has no move tasks"),
    ("ministack", "a task needs queues that exist", "has no move tasks"),
    ("ministack", "a queue without tasks lists none", "has no move tasks"),
    ("ministack", "a search finds a metric of every resource", "answers SEARCH with nothing"),
    ("ministack", "gauges of every resource come by one call", "answers SEARCH with nothing"),
    ("ministack", "501 queries are refused", "does not limit the number of queries"),
    ("ministack", "a queue's count is published", "publishes no metrics of its queues"),
    ("ministack", "services come in pages", "lists all services on one page"),
    ("ministack", "eleven services are refused", "does not limit the number of services"),
    ("ministack", "a service that is not there is not found", "lists no services of a cluster that is not there"),
    (
        "ministack",
        "a service put to sleep tells why its tasks stopped",
        "says UserInitiated where nobody stopped the task",
    ),
    ("ministack", "autoscaling tells bounds and what is suspended", "has no Application Auto Scaling"),
    ("ministack", "the same token is the same task", "ignores the client token"),
    ("ministack", "a token with other parameters names its task", "ignores the client token"),
    ("localstack", "a task definition is pinned by its newest revision", "has no ECS"),
    ("localstack", "the same token is the same task", "has no ECS"),
    ("localstack", "a token with other parameters names its task", "has no ECS"),
    ("localstack", "a task is found by who started it", "has no ECS"),
    ("localstack", "a stopped task tells who stopped it", "has no ECS"),
    ("localstack", "a service's network can be copied", "has no ECS"),
    ("localstack", "a stream is followed until its end, and on", "is started without CloudWatch Logs"),
    ("localstack", "a missing group and a missing stream are told apart", "is started without CloudWatch Logs"),
    ("localstack", "a search finds lines and a listing groups", "is started without CloudWatch Logs"),
    (
        "ministack",
        "a service's tasks become healthy targets and go",
        "registers no task that has no container of its own",
    ),
    ("localstack", "a new target group has no targets", "has no Elastic Load Balancing"),
    ("localstack", "a target group that is not there is not found", "has no Elastic Load Balancing"),
    ("localstack", "a service's tasks become healthy targets and go", "has no Elastic Load Balancing"),
    ("localstack", "services are described, and what is missing is told", "has no ECS"),
    ("localstack", "services come in pages", "has no ECS"),
    ("localstack", "eleven services are refused", "has no ECS"),
    ("localstack", "a desired count makes no deployment and starts tasks", "has no ECS"),
    ("localstack", "a service put to sleep tells why its tasks stopped", "has no ECS"),
    ("localstack", "a service that is not there is not found", "has no ECS"),
    ("localstack", "autoscaling tells bounds and what is suspended", "has no Application Auto Scaling"),
    ("localstack", "a search finds a metric of every resource", "knows no expressions: InternalError"),
    ("localstack", "gauges of every resource come by one call", "knows no expressions: InternalError"),
    ("localstack", "composite alarms come along and follow the others", "does not evaluate composite alarms"),
    ("localstack", "230 alarms come page by page", "answers all on one page"),
    ("localstack", "an alarm's history begins with its creation", "keeps changes of state only"),
    ("ministack", "an alarm's history is told, the newest first", "notes a change of state when an alarm is made"),
    ("ministack", "an alarm's history begins with its creation", "notes a change of state when an alarm is made"),
    ("localstack", "501 queries are refused", "does not limit the number of queries"),
    ("localstack", "ten attributes arrive, eleven are refused", "does not limit the number of attributes"),
    ("localstack", "a wrong receipt handle is the sender's fault", "tells SenderFault false of every entry"),
    ("localstack", "more than twelve hours are refused", "does not check the visibility timeout"),
    (
        "localstack",
        "a scope of groups deduplicates within each",
        "looks at the last message of an id only, whatever its group",
    ),
    ("localstack", "on a FIFO DLQ the deduplication id is the message id", "keeps the producer's deduplication id"),
    ("localstack", "moved messages are new", "keeps the receive count"),
    ("ministack", "a failover takes time, and a second one meanwhile is refused", "fails over at once"),
    ("ministack", "a failover is told by events", "has no events"),
    ("ministack", "a forced failover needs a standby", "does not check it"),
    ("ministack", "a forced failover swaps the zones", "does not tell the standby's zone"),
    ("ministack", "seventy instances come page by page", "answers all on one page"),
    ("localstack", "a cluster tells writer and readers", "has no RDS"),
    ("localstack", "an instance alone is a database", "has no RDS"),
    ("localstack", "a database that is not there is none", "has no RDS"),
    ("localstack", "a failover lets the target write", "has no RDS"),
    ("localstack", "a failover is told by events", "has no RDS"),
    ("localstack", "a failover takes time, and a second one meanwhile is refused", "has no RDS"),
    ("localstack", "a failover to the writer is refused", "has no RDS"),
    ("localstack", "a failover to a stranger is refused", "has no RDS"),
    ("localstack", "a forced failover needs a standby", "has no RDS"),
    ("localstack", "a forced failover swaps the zones", "has no RDS"),
    ("localstack", "seventy instances come page by page", "has no RDS"),
    ("localstack", "there are no global clusters", "has no RDS"),
];

fn name(peer: &Peer) -> &'static str {
    match peer {
        Peer::Sandbox => "sandbox",
        Peer::Ministack(_) => "ministack",
        Peer::Localstack(_) => "localstack",
    }
}

/// Why `check` fails on `peer`, where that is known.
pub(super) fn why(peer: &Peer, check: &str) -> Option<&'static str> {
    DIFFERENCES.iter().find(|(who, what, _)| *who == name(peer) && *what == check).map(|(_, _, why)| *why)
}

/// Panics over a difference that names no check.
pub(super) fn all_name_one_of(checks: &[&str]) {
    for &(peer, check, _) in DIFFERENCES {
        assert!(checks.contains(&check), "{peer}: no check {check:?}");
        assert_ne!(peer, "sandbox", "the sandbox is ours: mend it");
    }
}
