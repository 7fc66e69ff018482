//! Requests as they come.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{model::HealthCheck, targets::Balancer};

/// Of every `List*`, each of which has some of these.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct List {
    pub(super) cluster: Option<String>,
    pub(super) family: Option<String>,
    pub(super) family_prefix: Option<String>,
    pub(super) service_name: Option<String>,
    pub(super) started_by: Option<String>,
    pub(super) desired_status: Option<String>,
    /// `DESC`: the newest revision first.
    pub(super) sort: Option<String>,
    pub(super) max_results: Option<usize>,
    pub(super) next_token: Option<String>,
}

/// Of every `Describe*` of several things.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Describe {
    pub(super) cluster: Option<String>,
    pub(super) clusters: Vec<String>,
    pub(super) services: Vec<String>,
    pub(super) tasks: Vec<String>,
    pub(super) include: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DescribeTaskDefinition {
    pub(super) task_definition: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateCluster {
    pub(super) cluster_name: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RegisterTaskDefinition {
    pub(super) family: String,
    pub(super) container_definitions: Vec<ContainerDefinition>,
    pub(super) network_mode: Option<String>,
    #[serde(default)]
    pub(super) requires_compatibilities: Vec<String>,
    pub(super) task_role_arn: Option<String>,
    pub(super) execution_role_arn: Option<String>,
    pub(super) cpu: Option<String>,
    pub(super) memory: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogConfiguration {
    pub(super) log_driver: String,
    #[serde(default)]
    pub(super) options: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Variable {
    pub(super) name: String,
    #[serde(alias = "valueFrom")]
    pub(super) value: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ContainerDefinition {
    pub(super) name: Option<String>,
    pub(super) image: Option<String>,
    pub(super) health_check: Option<HealthCheck>,
    #[serde(default)]
    pub(super) entry_point: Vec<String>,
    #[serde(default)]
    pub(super) command: Vec<String>,
    #[serde(default)]
    pub(super) environment: Vec<Variable>,
    #[serde(default)]
    pub(super) secrets: Vec<Variable>,
    pub(super) log_configuration: Option<LogConfiguration>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateService {
    pub(super) cluster: Option<String>,
    pub(super) service_name: String,
    pub(super) task_definition: Option<String>,
    pub(super) desired_count: Option<u32>,
    #[serde(default)]
    pub(super) deployment_configuration: DeploymentConfiguration,
    pub(super) network_configuration: Option<Value>,
    #[serde(default)]
    pub(super) load_balancers: Vec<Balancer>,
    #[serde(flatten)]
    pub(super) placement: Placement,
    pub(super) health_check_grace_period_seconds: Option<u32>,
    #[serde(default)]
    pub(super) tags: Vec<Tag>,
}

/// On what a service's tasks run and who deploys them: kept and shown; of it only what `UpdateService` refuses is simulated.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Placement {
    pub(super) scheduling_strategy: Option<String>,
    pub(super) launch_type: Option<String>,
    pub(super) capacity_provider_strategy: Vec<Value>,
    pub(super) deployment_controller: Option<Controller>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Controller {
    #[serde(rename = "type")]
    pub(super) kind: String,
}

impl Placement {
    pub(super) fn is_daemon(&self) -> bool {
        self.scheduling_strategy.as_deref() == Some("DAEMON")
    }

    pub(super) fn controller(&self) -> &str {
        self.deployment_controller.as_ref().map_or("ECS", |controller| &controller.kind)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tag {
    pub(super) key: String,
    #[serde(default)]
    pub(super) value: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeploymentConfiguration {
    pub(super) deployment_circuit_breaker: Option<CircuitBreaker>,
    pub(super) maximum_percent: Option<u32>,
    pub(super) minimum_healthy_percent: Option<u32>,
    pub(super) strategy: Option<String>,
    pub(super) bake_time_in_minutes: Option<u32>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct CircuitBreaker {
    pub(super) enable: bool,
    pub(super) rollback: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UpdateService {
    pub(super) cluster: Option<String>,
    pub(super) service: String,
    pub(super) desired_count: Option<i64>,
    pub(super) task_definition: Option<String>,
    #[serde(default)]
    pub(super) force_new_deployment: bool,
    pub(super) deployment_configuration: Option<DeploymentConfiguration>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeleteService {
    pub(super) cluster: Option<String>,
    pub(super) service: String,
    #[serde(default)]
    pub(super) force: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunTask {
    pub(super) cluster: Option<String>,
    pub(super) task_definition: String,
    pub(super) count: Option<u32>,
    pub(super) client_token: Option<String>,
    pub(super) started_by: Option<String>,
    pub(super) group: Option<String>,
    pub(super) overrides: Option<Value>,
    pub(super) network_configuration: Option<NetworkConfiguration>,
    #[serde(default)]
    pub(super) tags: Vec<Value>,
    #[serde(flatten)]
    pub(super) rest: BTreeMap<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NetworkConfiguration {
    pub(super) awsvpc_configuration: Option<AwsVpcConfiguration>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AwsVpcConfiguration {
    #[serde(default)]
    pub(super) subnets: Vec<String>,
    #[serde(default)]
    pub(super) security_groups: Vec<String>,
    pub(super) assign_public_ip: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StopTask {
    pub(super) cluster: Option<String>,
    pub(super) task: String,
    pub(super) reason: Option<String>,
}
