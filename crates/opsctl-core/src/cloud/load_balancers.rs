//! Elastic Load Balancing v2: how the targets of a target group stand. Reads only.

use aws_config::SdkConfig;
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_runtime_api::box_error::BoxError;

use super::{
    CloudError,
    thin::{Element, Protocol, Request, Service, Thin},
};
use crate::domain::{TargetGroupArn, TargetHealth, TargetState, Text};

/// Targets of a group that are looked at; a load balancer has 1 000 (quota), unless AWS raised it.
const TARGETS_MAX: usize = 5_000;
/// Characters of a reason or a description that are kept.
const WORDS_MAX: usize = 200;

const ELB: Service = Service {
    name: "elasticloadbalancingv2",
    host: "elasticloadbalancing",
    signing_name: "elasticloadbalancing",
    protocol: Protocol::Query { version: "2015-12-01" },
};

/// Elastic Load Balancing of one environment. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LoadBalancers {
    client: Thin,
}

impl LoadBalancers {
    pub(super) fn new(shared: &SdkConfig, partition: RetryPartition) -> Self {
        Self { client: Thin::new(&ELB, shared, partition) }
    }

    /// Every target of a target group, in AWS's order. One call: its answer has no pages.
    ///
    /// # Errors
    /// [`super::ErrorKind::NotFound`] where the target group is not there.
    pub async fn health(&self, target_group: &TargetGroupArn) -> Result<Vec<TargetHealth>, CloudError> {
        const ACTION: &str = "elasticloadbalancing:DescribeTargetHealth";
        let request = Request::Query(vec![("TargetGroupArn".into(), target_group.0.clone())]);
        self.client.call(ACTION, request, targets).await
    }
}

fn targets(body: &[u8]) -> Result<Vec<TargetHealth>, BoxError> {
    Element::result(body)?.list("TargetHealthDescriptions").iter().take(TARGETS_MAX).map(target).collect()
}

fn target(described: &Element) -> Result<TargetHealth, BoxError> {
    let target = described.child("Target");
    let id = target.and_then(|target| target.word("Id")).unwrap_or_default();
    let port: Option<i32> = target.and_then(|target| target.word("Port")).map(str::parse).transpose()?;
    let health = described.child("TargetHealth");
    let word = |name: &str| health.and_then(|health| health.word(name));
    let state = match word("State") {
        Some("initial") => TargetState::Initial,
        Some("healthy") => TargetState::Healthy,
        Some("unhealthy") => TargetState::Unhealthy,
        Some("draining") => TargetState::Draining,
        Some("unused") => TargetState::Unused,
        Some("unavailable") => TargetState::Unavailable,
        Some(_) | None => TargetState::Other,
    };
    let reason = word("Reason").map(line);
    let description = word("Description").map(line).filter(|text| !text.is_empty());
    let target = port.map_or_else(|| line(id), |port| line(&format!("{id}:{port}")));
    Ok(TargetHealth { target, state, reason, description })
}

fn line(text: &str) -> Text {
    Text::line(Text::capped(text, WORDS_MAX).as_str())
}
