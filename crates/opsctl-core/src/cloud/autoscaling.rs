//! Application Auto Scaling of ECS services: bounds, suspended flags, scheduled actions, what it does just now; and bounds that are moved.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_types::timeout::TimeoutConfig;
use serde_json::{Value, json};

use super::{
    CloudError,
    pages::Pages,
    thin::{Protocol, Request, Service, Thin, Told as _, from_json},
};
use crate::domain::{Scaling, ScheduledAction, ServiceId, TaskBounds, Text};

const PAGES_MAX: usize = 200;

const AUTOSCALING: Service = Service {
    name: "applicationautoscaling",
    host: "application-autoscaling",
    signing_name: "application-autoscaling",
    protocol: Protocol::Json { version: "1.1", target: "AnyScaleFrontendService" },
};

/// Application Auto Scaling of one environment. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Autoscaling {
    client: Thin,
    /// Writes: one attempt.
    once: Thin,
}

impl Autoscaling {
    pub(super) fn new(shared: &SdkConfig, partition: RetryPartition, once: TimeoutConfig) -> Self {
        let client = Thin::new(&AUTOSCALING, shared, partition.clone());
        Self { client, once: Thin::once(&AUTOSCALING, shared, partition, once) }
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

    /// TaskBounds of one service; none: it has no autoscaling.
    pub async fn bounds(&self, service: &ServiceId) -> Result<Option<TaskBounds>, CloudError> {
        const ACTION: &str = "application-autoscaling:DescribeScalableTargets";
        let mut given = of(service);
        given["ResourceIds"] = json!([given["ResourceId"].take()]);
        let targets = self.all(ACTION, "ScalableTargets", given, scaling).await?;
        Ok(targets.into_iter().find(|(id, _)| id == service).map(|(_, scaling)| scaling.bounds()))
    }

    /// Moves the bounds of a service, in one attempt. Absolute; a count outside of them is moved into them at once (API reference).
    pub async fn set_bounds(&self, service: &ServiceId, bounds: TaskBounds) -> Result<(), CloudError> {
        let mut given = of(service);
        (given["MinCapacity"], given["MaxCapacity"]) = (bounds.min.into(), bounds.max.into());
        let action = "application-autoscaling:RegisterScalableTarget";
        self.once.write(action, Request::Json(given), from_json).await.map(drop)
    }

    /// What autoscaling does to a service just now: its words, and why.
    pub async fn under_way(&self, service: &ServiceId) -> Result<Vec<Text>, CloudError> {
        const ACTION: &str = "application-autoscaling:DescribeScalingActivities";
        let mut given = of(service);
        // Activities of the last six weeks can be asked for, the newest first: what is under way is among the first.
        given["MaxResults"] = 50.into();
        let answer = self.client.call(ACTION, Request::Json(given), from_json).await?;
        let activities = answer.list("ScalingActivities").iter();
        let open = activities.filter(|one| matches!(one.word("StatusCode"), Some("Pending" | "InProgress")));
        Ok(open.map(|one| Text::line(&format!("{} ({})", one.text("Description"), one.text("Cause")))).collect())
    }

    async fn targets(&self) -> Result<BTreeMap<ServiceId, Scaling>, CloudError> {
        const ACTION: &str = "application-autoscaling:DescribeScalableTargets";
        let given = json!({ "ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount" });
        Ok(self.all(ACTION, "ScalableTargets", given, scaling).await?.into_iter().collect())
    }

    async fn actions(&self) -> Result<Vec<(ServiceId, ScheduledAction)>, CloudError> {
        const ACTION: &str = "application-autoscaling:DescribeScheduledActions";
        self.all(ACTION, "ScheduledActions", json!({ "ServiceNamespace": "ecs" }), action).await
    }

    /// What `read` makes of the entries of the list of that name, all pages.
    async fn all<T>(
        &self,
        action: &'static str,
        list: &str,
        mut given: Value,
        read: fn(&Value) -> Option<T>,
    ) -> Result<Vec<T>, CloudError> {
        let mut pages = Pages::new(action, PAGES_MAX);
        while pages.more()? {
            given["NextToken"] = pages.token().into();
            let page = self.client.call(action, Request::Json(given.clone()), from_json).await?;
            pages.add(page.list(list).iter().filter_map(read), page.word("NextToken").map(str::to_owned))?;
        }
        Ok(pages.found())
    }
}

fn scaling(target: &Value) -> Option<(ServiceId, Scaling)> {
    let id = service(target.word("ResourceId")?)?;
    let suspended = |what: &str| target["SuspendedState"].is(what);
    let scaling = Scaling {
        min: target.number("MinCapacity").unwrap_or_default(),
        max: target.number("MaxCapacity").unwrap_or_default(),
        in_suspended: suspended("DynamicScalingInSuspended"),
        out_suspended: suspended("DynamicScalingOutSuspended"),
        scheduled_suspended: suspended("ScheduledScalingSuspended"),
        actions: Vec::new(),
    };
    Some((id, scaling))
}

fn action(action: &Value) -> Option<(ServiceId, ScheduledAction)> {
    let id = service(action.word("ResourceId")?)?;
    let sets = &action["ScalableTargetAction"];
    let shown = ScheduledAction {
        name: action.text("ScheduledActionName"),
        schedule: action.text("Schedule"),
        timezone: action.line("Timezone"),
        min: sets.number("MinCapacity"),
        max: sets.number("MaxCapacity"),
    };
    Some((id, shown))
}

/// What names a service's scalable target.
fn of(service: &ServiceId) -> Value {
    json!({
        "ServiceNamespace": "ecs", "ResourceId": format!("service/{service}"),
        "ScalableDimension": "ecs:service:DesiredCount",
    })
}

/// The service of `service/cluster/name`.
fn service(resource: &str) -> Option<ServiceId> {
    ServiceId::parse(resource.strip_prefix("service/")?)
}
