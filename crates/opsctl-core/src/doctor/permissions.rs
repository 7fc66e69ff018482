//! Which of the needed calls answer: read-only ones, on a queue that is there.

use std::sync::Arc;

use super::findings::{Check, Findings, Verdict};
use crate::{
    cloud::{Cloud, CloudError, ErrorKind, Trouble, ecs::Wanted, metrics::QUEUE_AGE},
    domain::{Environment, Queue, QueueArn, QueueUrl, ServiceId, ServiceName, dead_letter_names},
};

/// What is missing when a call is not allowed.
const LIST_QUEUES: &str = "no queue is found by itself";
const ATTRIBUTES: &str = "no queue can be shown or redriven";
const URL: &str = "queues are not found by name";
const TAGS: &str = "DLQs are not paired with their sources by tag";
const SOURCES: &str = "it is not known which queues share a DLQ";
const MOVE_TASKS: &str = "SQS's own redrives are not seen, and none can be followed";

const SERVICES: &str = "no service can be shown or woken";
const SCALING: &str = "bounds of autoscaling are not shown, and waking a service knows no minimum";

const DATABASES: &str = "databases are not shown, and none can fail over";
const PENDING: &str = "pending maintenance is not shown, nor warned of before a failover";
const EVENTS: &str = "it is not known what happened to databases, nor whether a failover was given up";
const GLOBALS: &str = "global databases are not shown";

const METRICS: &str = "it is not known how old the oldest message of a queue is, and no redrive watches it";

const ALARMS: &str = "it is not known which alarms went off";

const MUTES: &str = "it is not known which alarms are muted, and until when";

const MAPPINGS: &str = "it is not known which functions take messages, and none can be paused";
const FUNCTIONS: &str = "runbooks do not offer functions by name";
const RULES: &str = "runbooks do not offer rules by name";

const TARGETS: &str = "a wake goes by what ECS says, and does not see whether load balancers find tasks healthy";

const BEFORE: &str = "a rollback does not know which revision ran before, and can only guess";

/// Services described to find a target group.
const DESCRIBED_MAX: usize = 10;

/// Adds a finding for each call that services need.
pub(super) async fn check_services(findings: &mut Findings, cloud: &Cloud) {
    let (services, scaling) = tokio::join!(services(cloud), cloud.autoscaling.services());
    for (action, error) in services {
        let missing = match action {
            "elasticloadbalancing:DescribeTargetHealth" => TARGETS,
            "ecs:ListServiceDeployments, DescribeServiceRevisions" => BEFORE,
            _ => SERVICES,
        };
        tell(findings, action, error.as_ref(), missing, Verdict::Warning);
    }
    let action = "application-autoscaling:DescribeScalableTargets, DescribeScheduledActions";
    tell(findings, action, scaling.err().as_ref(), SCALING, Verdict::Warning);
}

/// Adds a finding for each call that looking at databases needs. None of them wakes one that has paused.
pub(super) async fn check_databases(findings: &mut Findings, cloud: &Cloud) {
    let rds = &cloud.rds;
    let (databases, events, globals) = tokio::join!(rds.databases(), rds.events(None, 1), rds.globals());
    let (listed, pending) = match databases {
        Ok(databases) => (None, databases.pending_unknown),
        Err(error) => (Some(error), None),
    };
    let is_listed = listed.is_none();
    let listing = listed.as_ref().map_or("rds:DescribeDBClusters, DescribeDBInstances", |error| error.action.as_str());
    tell(findings, listing, listed.as_ref(), DATABASES, Verdict::Warning);
    if is_listed {
        tell(findings, "rds:DescribePendingMaintenanceActions", pending.as_ref(), PENDING, Verdict::Warning);
    }
    tell(findings, "rds:DescribeEvents", events.err().as_ref(), EVENTS, Verdict::Warning);
    tell(findings, "rds:DescribeGlobalClusters", globals.err().as_ref(), GLOBALS, Verdict::Warning);
}

/// Adds a finding for each call that alarms need.
pub(super) async fn check_alarms(findings: &mut Findings, cloud: &Cloud) {
    let (alarms, mutes) = tokio::join!(cloud.alarms.all(), cloud.alarms.all_active_mutes());
    tell(findings, "cloudwatch:DescribeAlarms", alarms.err().as_ref(), ALARMS, Verdict::Warning);
    tell(findings, "cloudwatch:ListAlarmMuteRules", mutes.err().as_ref(), MUTES, Verdict::Warning);
}

/// Adds a finding for each call that consumers need, and what starts them.
pub(super) async fn check_consumers(findings: &mut Findings, cloud: &Cloud) {
    let (mappings, functions, rules) =
        tokio::join!(cloud.lambda.mappings(), cloud.lambda.functions(), cloud.events.rules());
    tell(findings, "lambda:ListEventSourceMappings", mappings.err().as_ref(), MAPPINGS, Verdict::Warning);
    tell(findings, "lambda:ListFunctions", functions.err().as_ref(), FUNCTIONS, Verdict::Warning);
    tell(findings, "events:ListRules", rules.err().as_ref(), RULES, Verdict::Warning);
}

/// Each call on the first thing that the one before finds, until one fails.
async fn services(cloud: &Cloud) -> Vec<(&'static str, Option<CloudError>)> {
    let ecs = &cloud.ecs;
    let mut asked = Vec::new();
    let clusters = ecs.clusters().await;
    asked.push(("ecs:ListClusters", clusters.as_ref().err().cloned()));
    let Some(cluster) = clusters.unwrap_or_default().into_iter().next() else { return asked };
    let names = ecs.service_names(&cluster).await;
    asked.push(("ecs:ListServices", names.as_ref().err().cloned()));
    let names: Vec<ServiceName> = names.unwrap_or_default().into_iter().take(DESCRIBED_MAX).collect();
    let Some(name) = names.first().cloned() else { return asked };
    let id = ServiceId { cluster: cluster.clone(), name };
    let (described, tasks) = tokio::join!(ecs.describe(&cluster, &names), ecs.tasks(&id, Wanted::Running));
    asked.push(("ecs:DescribeServices", described.as_ref().err().cloned()));
    asked.push(("ecs:ListTasks, DescribeTasks", tasks.err()));
    let found = described.map(|answer| answer.found).unwrap_or_default();
    if let Some(service) = found.iter().find(|service| service.id == id) {
        let before = ecs.completed(&id, &service.task_definition).await.err();
        asked.push(("ecs:ListServiceDeployments, DescribeServiceRevisions", before));
    }
    if let Some(group) = found.iter().flat_map(|service| &service.target_groups).next() {
        let health = cloud.load_balancers.health(&group.arn).await.err();
        // One that was deleted: not for lack of a permission.
        let refused = health.filter(|error| error.kind != ErrorKind::NotFound);
        asked.push(("elasticloadbalancing:DescribeTargetHealth", refused));
    }
    asked
}

pub(super) async fn check(findings: &mut Findings, cloud: &Cloud, listed: Result<Vec<QueueUrl>, CloudError>) {
    tell(findings, "sqs:ListQueues", listed.as_ref().err(), LIST_QUEUES, Verdict::Problem);
    let environment = Arc::clone(&findings.environment);
    let Some(url) = choose(listed.unwrap_or_default(), &environment) else {
        return findings.skip(Check::Permission, "there is no queue to ask about");
    };
    let described = cloud.sqs.describe(&url).await;
    tell(findings, "sqs:GetQueueAttributes", described.as_ref().err(), ATTRIBUTES, Verdict::Problem);
    let name = url.name();
    let names = [name.as_str()];
    let (by_name, tags, sources, metrics) = tokio::join!(
        cloud.sqs.url(name.as_str()),
        cloud.sqs.tags(&url),
        cloud.sqs.sources_of(&url),
        cloud.metrics.named(&QUEUE_AGE, &names)
    );
    tell(findings, "sqs:GetQueueUrl", by_name.err().as_ref(), URL, Verdict::Warning);
    tell(findings, "sqs:ListQueueTags", tags.err().as_ref(), TAGS, Verdict::Warning);
    tell(findings, "sqs:ListDeadLetterSourceQueues", sources.err().as_ref(), SOURCES, Verdict::Warning);
    tell(findings, "cloudwatch:GetMetricData", metrics.err().as_ref(), METRICS, Verdict::Warning);
    match described.as_ref().ok().map(dead_letter) {
        None => findings.skip(Check::Permission, "sqs:ListMessageMoveTasks needs a queue's ARN"),
        Some(arn) => {
            let tasks = cloud.sqs.move_tasks(&arn).await.err();
            // The answer to a queue that is no DLQ, or whose DLQ is gone: not for lack of a permission.
            let refused = tasks.filter(|error| !is_about_the_queue(error));
            tell(findings, "sqs:ListMessageMoveTasks", refused.as_ref(), MOVE_TASKS, Verdict::Warning);
        }
    }
}

/// A queue to ask about: a DLQ by its name, else any that is looked at.
fn choose(urls: Vec<QueueUrl>, environment: &Environment) -> Option<QueueUrl> {
    let rules = &environment.queues;
    let looked_at = |url: &&QueueUrl| rules.admits(url.name().as_str());
    let is_dead_letter = |url: &&QueueUrl| {
        let name = url.name();
        rules.sources_by_name(name.as_str()).next().is_some()
            || dead_letter_names::sources(name.as_str()).next().is_some()
    };
    let mut candidates = urls.iter().filter(looked_at);
    let any = candidates.clone().next();
    candidates.find(is_dead_letter).or(any).cloned()
}

/// The queue's DLQ, or itself.
fn dead_letter(queue: &Queue) -> QueueArn {
    queue.redrive.as_ref().map_or_else(|| queue.arn.clone(), |redrive| redrive.dead_letter.clone())
}

fn is_about_the_queue(error: &CloudError) -> bool {
    error.kind == ErrorKind::NotFound || error.code.as_deref() == Some("InvalidParameterValue")
}

fn tell(findings: &mut Findings, action: &str, error: Option<&CloudError>, missing: &str, denied: Verdict) {
    let environment = Arc::clone(&findings.environment);
    let Some(error) = error else { return findings.ok(Check::Permission, &format!("{action} answers")) };
    let hint = error.hint(&environment);
    if let Some(trouble @ (Trouble::NoService { .. } | Trouble::NoCall { .. })) = error.trouble.as_deref() {
        return findings.lacks(&format!("{}: {missing}", trouble.in_short()));
    }
    match error.kind {
        ErrorKind::Denied => {
            findings.add(
                Check::Permission,
                denied,
                &format!("{action} is denied: {missing}"),
                &error.to_string(),
                hint,
            );
        }
        ErrorKind::Throttled
        | ErrorKind::NotFound
        | ErrorKind::CredentialsExpired
        | ErrorKind::CredentialsMissing
        | ErrorKind::Unreachable
        | ErrorKind::Unknown
        | ErrorKind::Invalid
        | ErrorKind::ClockSkew => {
            let what = format!("{action} does not answer well");
            findings.add(Check::Permission, Verdict::Warning, &what, &error.to_string(), hint);
        }
    }
}
