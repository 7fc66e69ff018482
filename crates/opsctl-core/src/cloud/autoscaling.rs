//! Application Auto Scaling of ECS services: bounds, suspended flags, scheduled actions. Reads only.

use std::{collections::BTreeMap, fmt};

use aws_config::SdkConfig;
use aws_sdk_applicationautoscaling::{
    Client,
    config::retry::RetryPartition,
    types::{self, ScalableDimension, ScalableTarget, ServiceNamespace},
};

use super::{CloudError, classify, pages::Pages};
use crate::domain::{
    Text,
    service::{Scaling, ScheduledAction, ServiceId},
};

/// Pages followed.
const PAGES_MAX: usize = 200;

/// Application Auto Scaling of one environment. Cheap to clone.
#[derive(Clone)]
pub struct Autoscaling {
    client: Client,
}

impl Autoscaling {
    pub(super) fn new(shared: &SdkConfig, partition: RetryPartition) -> Self {
        let builder = aws_sdk_applicationautoscaling::config::Builder::from(shared).retry_partition(partition);
        Self { client: Client::from_conf(builder.build()) }
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
        let call = self.client.describe_scalable_targets().service_namespace(ServiceNamespace::Ecs);
        let first = call.scalable_dimension(ScalableDimension::EcsServiceDesiredCount);
        let mut pages = Pages::new(ACTION, PAGES_MAX);
        while pages.more()? {
            let page = first.clone().set_next_token(pages.token()).send().await;
            let page = page.map_err(|error| classify::from_sdk(ACTION, error))?;
            let target = |target: ScalableTarget| {
                let id = service(&target.resource_id)?;
                let flag = |flag: Option<bool>| flag.unwrap_or_default();
                let suspended = target.suspended_state.as_ref();
                let scaling = Scaling {
                    min: u32::try_from(target.min_capacity).unwrap_or_default(),
                    max: u32::try_from(target.max_capacity).unwrap_or_default(),
                    in_suspended: flag(suspended.and_then(|state| state.dynamic_scaling_in_suspended)),
                    out_suspended: flag(suspended.and_then(|state| state.dynamic_scaling_out_suspended)),
                    scheduled_suspended: flag(suspended.and_then(|state| state.scheduled_scaling_suspended)),
                    actions: Vec::new(),
                };
                Some((id, scaling))
            };
            pages.add(page.scalable_targets.unwrap_or_default().into_iter().filter_map(target), page.next_token)?;
        }
        Ok(pages.found().into_iter().collect())
    }

    async fn actions(&self) -> Result<Vec<(ServiceId, ScheduledAction)>, CloudError> {
        const ACTION: &str = "application-autoscaling:DescribeScheduledActions";
        let first = self.client.describe_scheduled_actions().service_namespace(ServiceNamespace::Ecs);
        let mut pages = Pages::new(ACTION, PAGES_MAX);
        while pages.more()? {
            let page = first.clone().set_next_token(pages.token()).send().await;
            let page = page.map_err(|error| classify::from_sdk(ACTION, error))?;
            let action = |action: types::ScheduledAction| {
                let id = service(&action.resource_id)?;
                let sets = action.scalable_target_action.as_ref();
                let count = |count: Option<i32>| count.and_then(|count| u32::try_from(count).ok());
                let shown = ScheduledAction {
                    name: Text::line(&action.scheduled_action_name),
                    schedule: Text::line(&action.schedule),
                    timezone: action.timezone.as_deref().map(Text::line),
                    min: count(sets.and_then(|sets| sets.min_capacity)),
                    max: count(sets.and_then(|sets| sets.max_capacity)),
                };
                Some((id, shown))
            };
            pages.add(page.scheduled_actions.unwrap_or_default().into_iter().filter_map(action), page.next_token)?;
        }
        Ok(pages.found())
    }
}

/// The service of `service/cluster/name`.
fn service(resource: &str) -> Option<ServiceId> {
    ServiceId::parse(resource.strip_prefix("service/")?)
}

impl fmt::Debug for Autoscaling {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Autoscaling").finish_non_exhaustive()
    }
}
