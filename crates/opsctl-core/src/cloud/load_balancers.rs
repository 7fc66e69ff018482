//! Elastic Load Balancing v2: how the targets of a target group stand. Reads only.

use std::fmt;

use aws_config::SdkConfig;
use aws_sdk_elasticloadbalancingv2::{
    Client,
    config::retry::RetryPartition,
    types::{TargetHealthDescription, TargetHealthStateEnum},
};

use super::{CloudError, classify};
use crate::domain::{
    Text,
    target::{TargetGroupArn, TargetHealth, TargetState},
};

/// Targets of a group that are looked at; a load balancer has 1 000 (quota), unless AWS raised it.
const TARGETS_MAX: usize = 5_000;
/// Characters of a reason or a description that are kept.
const WORDS_MAX: usize = 200;

/// Elastic Load Balancing of one environment. Cheap to clone.
#[derive(Clone)]
pub struct LoadBalancers {
    client: Client,
}

impl LoadBalancers {
    pub(super) fn new(shared: &SdkConfig, partition: RetryPartition) -> Self {
        let builder = aws_sdk_elasticloadbalancingv2::config::Builder::from(shared).retry_partition(partition);
        Self { client: Client::from_conf(builder.build()) }
    }

    /// Every target of a target group, in AWS's order. One call: its answer has no pages.
    ///
    /// # Errors
    /// [`super::ErrorKind::NotFound`] where the target group is not there.
    pub async fn health(&self, target_group: &TargetGroupArn) -> Result<Vec<TargetHealth>, CloudError> {
        const ACTION: &str = "elasticloadbalancing:DescribeTargetHealth";
        let answer = self.client.describe_target_health().target_group_arn(&target_group.0).send().await;
        let answer = answer.map_err(|error| classify::from_sdk(ACTION, error))?;
        let targets = answer.target_health_descriptions.unwrap_or_default();
        Ok(targets.into_iter().take(TARGETS_MAX).map(target).collect())
    }
}

fn target(described: TargetHealthDescription) -> TargetHealth {
    let id = described.target.as_ref().and_then(|target| target.id.clone()).unwrap_or_default();
    let port = described.target.as_ref().and_then(|target| target.port);
    let health = described.target_health;
    let state = match health.as_ref().and_then(|health| health.state.as_ref()) {
        Some(TargetHealthStateEnum::Initial) => TargetState::Initial,
        Some(TargetHealthStateEnum::Healthy) => TargetState::Healthy,
        Some(TargetHealthStateEnum::Unhealthy) => TargetState::Unhealthy,
        Some(TargetHealthStateEnum::Draining) => TargetState::Draining,
        Some(TargetHealthStateEnum::Unused) => TargetState::Unused,
        Some(TargetHealthStateEnum::Unavailable) => TargetState::Unavailable,
        _ => TargetState::Other,
    };
    let reason = health.as_ref().and_then(|health| health.reason.as_ref()).map(|reason| line(reason.as_str()));
    let description = health.as_ref().and_then(|health| health.description.as_deref()).map(line);
    let target = port.map_or_else(|| line(&id), |port| line(&format!("{id}:{port}")));
    TargetHealth { target, state, reason, description: description.filter(|text| !text.is_empty()) }
}

fn line(text: &str) -> Text {
    Text::line(Text::capped(text, WORDS_MAX).as_str())
}

impl fmt::Debug for LoadBalancers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LoadBalancers").finish_non_exhaustive()
    }
}
