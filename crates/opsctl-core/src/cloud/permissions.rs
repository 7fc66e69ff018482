//! [`ALL`]: every call of AWS's that opsctl makes, as IAM names it: what `docs/permissions.md` is made of.

/// A call that needs to be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    /// As IAM names it: `sqs:SendMessage` allows `SendMessageBatch`, too.
    pub action: &'static str,
    pub need: Purpose,
    /// What it is for, in words.
    pub what: &'static str,
}

/// When a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Looking: nothing changes, and no message is received.
    Look,
    /// Something particular that an environment may not have: databases' SQL, parameters, roles.
    Configured,
    /// Looking at messages: each look counts as a receive.
    Receive,
    Change,
}

const fn look(action: &'static str, what: &'static str) -> Permission {
    Permission { action, need: Purpose::Look, what }
}

const fn change(action: &'static str, what: &'static str) -> Permission {
    Permission { action, need: Purpose::Change, what }
}

const fn configured(action: &'static str, what: &'static str) -> Permission {
    Permission { action, need: Purpose::Configured, what }
}

const fn receive(action: &'static str, what: &'static str) -> Permission {
    Permission { action, need: Purpose::Receive, what }
}

/// Every call, by what it is for. `sts:GetCallerIdentity` needs no permission, and stands here for completeness.
pub const ALL: &[Permission] = &[
    look("application-autoscaling:DescribeScalableTargets", "bounds of autoscaling"),
    look("application-autoscaling:DescribeScalingActivities", "what autoscaling is at"),
    look("application-autoscaling:DescribeScheduledActions", "when it scales by schedule"),
    look("cloudwatch:DescribeAlarmHistory", "history of an alarm"),
    look("cloudwatch:DescribeAlarms", "alarms"),
    look("cloudwatch:GetAlarmMuteRule", "until when an alarm is muted"),
    look("cloudwatch:GetMetricData", "ages of messages, CPU, memory, replica lag"),
    look("cloudwatch:ListAlarmMuteRules", "which alarms are muted"),
    look("ecs:DescribeServiceRevisions", "which revision ran before"),
    look("ecs:DescribeServices", "services"),
    look("ecs:DescribeTaskDefinition", "logs of a service, migrations"),
    look("ecs:DescribeTasks", "tasks, and why they stopped"),
    look("ecs:ListClusters", "services"),
    look("ecs:ListServiceDeployments", "which revision ran before"),
    look("ecs:ListServices", "services"),
    look("ecs:ListTaskDefinitions", "revisions to roll back to"),
    look("ecs:ListTasks", "tasks, and why they stopped"),
    look("elasticloadbalancing:DescribeTargetHealth", "whether load balancers find tasks healthy"),
    look("events:DescribeRule", "rules that start outboxes' relays"),
    look("events:ListRules", "names of rules, for runbooks' parameters"),
    look("lambda:GetEventSourceMapping", "a consumer that is paused or resumed"),
    look("lambda:GetFunctionConcurrency", "whether a function is stopped"),
    look("lambda:ListEventSourceMappings", "consumers of queues"),
    look("lambda:ListFunctions", "names of functions, for runbooks' parameters"),
    look("logs:DescribeLogGroups", "logs of tasks and functions"),
    look("logs:DescribeLogStreams", "logs of tasks and functions"),
    look("logs:FilterLogEvents", "logs as evidence of a runbook"),
    look("logs:GetLogEvents", "logs of migrations"),
    look("rds:DescribeDBClusters", "databases"),
    look("rds:DescribeDBInstances", "databases"),
    look("rds:DescribeDBProxies", "proxies of a database"),
    look("rds:DescribeDBProxyTargets", "proxies of a database"),
    look("rds:DescribeEvents", "what happened to databases"),
    look("rds:DescribeGlobalClusters", "global databases"),
    look("rds:DescribePendingMaintenanceActions", "maintenance that is pending"),
    look("sqs:GetQueueAttributes", "queues"),
    look("sqs:GetQueueUrl", "queues by name"),
    look("sqs:ListDeadLetterSourceQueues", "sources of a DLQ"),
    look("sqs:ListMessageMoveTasks", "redrives of SQS's own, also those of others"),
    look("sqs:ListQueueTags", "DLQs that are paired by tag"),
    look("sqs:ListQueues", "queues"),
    look("sts:GetCallerIdentity", "whose credentials these are"),
    configured(
        "kms:Decrypt",
        "queues and secrets that a KMS key of yours encrypts; sending needs `kms:GenerateDataKey`, too",
    ),
    configured("rds-data:BeginTransaction", "outboxes by the RDS Data API"),
    configured("rds-data:CommitTransaction", "outboxes by the RDS Data API"),
    configured("rds-data:ExecuteStatement", "outboxes by the RDS Data API"),
    configured("rds-data:RollbackTransaction", "outboxes by the RDS Data API"),
    configured("secretsmanager:GetSecretValue", "passwords of databases in Secrets Manager"),
    configured("ssm:GetParameters", "values of the configuration in SSM parameters"),
    configured("sts:AssumeRole", "roles of the configuration"),
    receive("sqs:ChangeMessageVisibility", "putting messages back after a look"),
    receive("sqs:ReceiveMessage", "looking at messages"),
    change("application-autoscaling:RegisterScalableTarget", "`scale --move-bounds`"),
    change("cloudwatch:DeleteAlarmMuteRule", "`alarms unmute`"),
    change("cloudwatch:PutAlarmMuteRule", "`alarms mute`"),
    change("ecs:RunTask", "`migrate`; needs `iam:PassRole` for the task's roles"),
    change("ecs:StopTask", "stopping a migration"),
    change("ecs:UpdateService", "`wake`, `sleep`, `scale`, `restart`, `rollback`, workers that are paused"),
    change("events:DisableRule", "`rule disable`"),
    change("events:EnableRule", "`rule enable`"),
    change("lambda:DeleteFunctionConcurrency", "`concurrency restore`"),
    change("lambda:PutFunctionConcurrency", "`concurrency stop`, `concurrency restore`"),
    change("lambda:UpdateEventSourceMapping", "`consumers pause`, `resume`, `enable`, `disable`"),
    change("rds:FailoverDBCluster", "`failover`"),
    change("rds:FailoverGlobalCluster", "`failover` of a global cluster"),
    change("rds:RebootDBInstance", "`failover` of a Multi-AZ instance"),
    change("rds:SwitchoverGlobalCluster", "`failover` of a global cluster"),
    change("sqs:CancelMessageMoveTask", "stopping a redrive of SQS's own"),
    change("sqs:DeleteMessage", "`redrive`, `purge`"),
    change("sqs:SendMessage", "`redrive`, `restore`"),
    change("sqs:SetQueueAttributes", "`retention`"),
    change("sqs:StartMessageMoveTask", "`redrive` by SQS itself"),
];
