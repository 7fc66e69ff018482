//! Application Auto Scaling of ECS services: bounds, suspended flags, scheduled actions. Reads only.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_smithy_runtime::client::retries::RetryPartition;
use serde::Deserialize;
use serde_json::json;

use super::{
    CloudError,
    pages::Pages,
    thin::{Protocol, Request, Service, Thin, from_json},
};
use crate::domain::{
    Text,
    service::{Scaling, ScheduledAction, ServiceId},
};

const PAGES_MAX: usize = 200;

const AUTOSCALING: Service = Service {
    name: "applicationautoscaling",
    host: "application-autoscaling",
    signing_name: "application-autoscaling",
    protocol: Protocol::Json { target: "AnyScaleFrontendService" },
};

/// Application Auto Scaling of one environment. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Autoscaling {
    client: Thin,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Targets {
    scalable_targets: Option<Vec<Target>>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Target {
    resource_id: Option<String>,
    min_capacity: Option<i32>,
    max_capacity: Option<i32>,
    suspended_state: Option<Suspended>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Suspended {
    dynamic_scaling_in_suspended: Option<bool>,
    dynamic_scaling_out_suspended: Option<bool>,
    scheduled_scaling_suspended: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Actions {
    scheduled_actions: Option<Vec<Action>>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Action {
    scheduled_action_name: Option<String>,
    resource_id: Option<String>,
    schedule: Option<String>,
    timezone: Option<String>,
    scalable_target_action: Option<Bounds>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Bounds {
    min_capacity: Option<i32>,
    max_capacity: Option<i32>,
}

impl Autoscaling {
    pub(super) fn new(shared: &SdkConfig, partition: RetryPartition) -> Self {
        Self { client: Thin::new(&AUTOSCALING, shared, partition) }
    }

    /// The scaling of every service that has any, with its scheduled actions.
    ///
    /// # Errors
    /// Of the first call that fails.
    pub async fn services(&self) -> Result<BTreeMap<ServiceId, Scaling>, CloudError> {
        let (targets, actions) = tokio::try_join!(self.targets(), self.actions())?;
        let mut all = targets;
        for (id, action) in actions {
            if let Some(scaling) = all.get_mut(&id) {
                scaling.actions.push(action);
            }
        }
        Ok(all)
    }

    async fn targets(&self) -> Result<BTreeMap<ServiceId, Scaling>, CloudError> {
        const ACTION: &str = "application-autoscaling:DescribeScalableTargets";
        let mut pages = Pages::new(ACTION, PAGES_MAX);
        while pages.more()? {
            let request = Request::Json(json!({
                "ServiceNamespace": "ecs",
                "ScalableDimension": "ecs:service:DesiredCount",
                "NextToken": pages.token(),
            }));
            let page: Targets = self.client.call(ACTION, request, from_json).await?;
            pages.add(page.scalable_targets.unwrap_or_default().into_iter().filter_map(scaling), page.next_token)?;
        }
        Ok(pages.found().into_iter().collect())
    }

    async fn actions(&self) -> Result<Vec<(ServiceId, ScheduledAction)>, CloudError> {
        const ACTION: &str = "application-autoscaling:DescribeScheduledActions";
        let mut pages = Pages::new(ACTION, PAGES_MAX);
        while pages.more()? {
            let request = Request::Json(json!({ "ServiceNamespace": "ecs", "NextToken": pages.token() }));
            let page: Actions = self.client.call(ACTION, request, from_json).await?;
            pages.add(page.scheduled_actions.unwrap_or_default().into_iter().filter_map(action), page.next_token)?;
        }
        Ok(pages.found())
    }
}

fn scaling(target: Target) -> Option<(ServiceId, Scaling)> {
    let id = service(&target.resource_id?)?;
    let suspended = target.suspended_state.unwrap_or_default();
    let flag = |flag: Option<bool>| flag.unwrap_or_default();
    let scaling = Scaling {
        min: count(target.min_capacity).unwrap_or_default(),
        max: count(target.max_capacity).unwrap_or_default(),
        in_suspended: flag(suspended.dynamic_scaling_in_suspended),
        out_suspended: flag(suspended.dynamic_scaling_out_suspended),
        scheduled_suspended: flag(suspended.scheduled_scaling_suspended),
        actions: Vec::new(),
    };
    Some((id, scaling))
}

fn action(action: Action) -> Option<(ServiceId, ScheduledAction)> {
    let id = service(&action.resource_id?)?;
    let sets = action.scalable_target_action.unwrap_or_default();
    let shown = ScheduledAction {
        name: Text::line(&action.scheduled_action_name.unwrap_or_default()),
        schedule: Text::line(&action.schedule.unwrap_or_default()),
        timezone: action.timezone.as_deref().map(Text::line),
        min: count(sets.min_capacity),
        max: count(sets.max_capacity),
    };
    Some((id, shown))
}

fn count(count: Option<i32>) -> Option<u32> {
    count.and_then(|count| u32::try_from(count).ok())
}

/// The service of `service/cluster/name`.
fn service(resource: &str) -> Option<ServiceId> {
    ServiceId::parse(resource.strip_prefix("service/")?)
}
