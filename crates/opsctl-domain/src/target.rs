//! Target groups of load balancers, and how the tasks in them stand.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Text;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TargetGroupArn(pub String);

impl TargetGroupArn {
    /// The group's name: `arn:..:targetgroup/NAME/..`.
    pub fn name(&self) -> &str {
        self.0.split('/').nth(1).unwrap_or(&self.0)
    }
}

impl fmt::Display for TargetGroupArn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// A target group in which ECS registers a service's tasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetGroup {
    pub arn: TargetGroupArn,
    /// The other group of a service with blue/green deployments: its tasks are in one of the two.
    pub alternate: Option<TargetGroupArn>,
    pub container: Option<Text>,
    pub port: Option<u32>,
}

/// A target's state, as `DescribeTargetHealth` tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum TargetState {
    /// Being registered, or checked for the first time.
    Initial,
    Healthy,
    Unhealthy,
    Draining,
    /// No load balancer uses the group, or not in the target's zone.
    Unused,
    /// Health checks are off, or not supported.
    Unavailable,
    #[strum(serialize = "of unknown state")]
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetHealth {
    /// `10.0.1.2:8080`; an instance's id or an ARN where targets are no addresses.
    pub target: Text,
    pub state: TargetState,
    /// AWS's code: `Target.ResponseCodeMismatch`, ...
    pub reason: Option<Text>,
    pub description: Option<Text>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_s_name_is_read_from_its_arn() {
        let arn = "arn:aws:elasticloadbalancing:eu-west-1:111111111111:targetgroup/api-dev/0123456789abcdef";
        assert_eq!(TargetGroupArn(arn.to_owned()).name(), "api-dev");
        assert_eq!(TargetGroupArn("odd".to_owned()).to_string(), "odd");
    }
}
