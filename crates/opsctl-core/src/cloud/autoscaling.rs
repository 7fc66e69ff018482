//! Application Auto Scaling of ECS services: bounds, suspended flags, scheduled actions. Reads only.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_smithy_runtime::client::retries::RetryPartition;
use serde_json::{Value, json};

use super::{
    CloudError,
    pages::Pages,
    thin::{Protocol, Request, Service, Thin, Told as _, from_json},
};
use crate::domain::{Scaling, ScheduledAction, ServiceId};

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

/// The service of `service/cluster/name`.
fn service(resource: &str) -> Option<ServiceId> {
    ServiceId::parse(resource.strip_prefix("service/")?)
}
