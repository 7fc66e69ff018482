//! Application Auto Scaling of ECS services: targets, policies that act, activities; `RegisterScalableTarget` clamps the count at once.
//!
//! Not simulated: scheduled actions that act.

mod act;
mod policies;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Caller, World,
    call::{Answered, Call, given},
    error::error,
    page,
    service::{JSON_1_1, Protocol, ServiceDef, does},
};

const DIMENSION: &str = "ecs:service:DesiredCount";
/// Entries of a page (API reference).
const PAGE_MAX: usize = 50;
/// Activities kept of an account and region. AWS keeps six weeks; memory has its bound.
const ACTIVITIES_MAX: usize = 1_000;

#[derive(Debug, Default)]
pub struct Autoscaling {
    by_place: BTreeMap<(String, String), BTreeMap<String, Target>>,
    /// The newest last; bounded.
    activities: BTreeMap<(String, String), VecDeque<Noted>>,
    policies: BTreeMap<(String, String), Vec<policies::Policy>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    pub min: u32,
    pub max: u32,
    pub suspended: Suspended,
    pub created_at: Timestamp,
    pub actions: Vec<Action>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Suspended {
    pub dynamic_scaling_in_suspended: bool,
    pub dynamic_scaling_out_suspended: bool,
    pub scheduled_scaling_suspended: bool,
}

/// Something that autoscaling did, or does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// `service/cluster/name`.
    pub resource: String,
    pub description: String,
    pub cause: String,
    pub at: Timestamp,
    /// `InProgress`, `Successful`, ...
    pub status: &'static str,
}

/// An activity, and what became of it.
#[derive(Debug)]
struct Noted {
    activity: Activity,
    /// What is told beside the status; none: the description again.
    message: Option<String>,
    ended_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    pub name: String,
    /// `cron(..)`, `rate(..)` or `at(..)`.
    pub schedule: String,
    pub min: Option<u32>,
    pub max: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Describe {
    service_namespace: String,
    #[serde(default)]
    resource_ids: Vec<String>,
    resource_id: Option<String>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Register {
    service_namespace: String,
    resource_id: String,
    min_capacity: Option<u32>,
    max_capacity: Option<u32>,
    suspended_state: Option<Suspended>,
}

impl Autoscaling {
    /// Adds a target, `service/cluster/name`.
    pub fn put(&mut self, caller: &Caller, resource: &str, target: Target) {
        self.by_place.entry(key(caller)).or_default().insert(resource.to_owned(), target);
    }

    pub fn note(&mut self, caller: &Caller, activity: Activity) {
        let ended_at = (activity.status != "InProgress").then_some(activity.at);
        self.keep(caller, Noted { activity, message: None, ended_at });
    }

    fn keep(&mut self, caller: &Caller, noted: Noted) {
        let known = self.activities.entry(key(caller)).or_default();
        if known.len() >= ACTIVITIES_MAX {
            known.pop_front();
        }
        known.push_back(noted);
    }

    /// The targets that are asked for; other namespaces than ECS's have none here.
    fn targets<'a>(
        &'a self,
        caller: &Caller,
        request: &'a Describe,
    ) -> impl Iterator<Item = (&'a String, &'a Target)> + use<'a> {
        let here = self.by_place.get(&key(caller)).filter(|_| request.service_namespace == "ecs");
        here.into_iter().flatten().filter(|(resource, _)| {
            (request.resource_ids.is_empty() || request.resource_ids.contains(resource))
                && request.resource_id.as_ref().is_none_or(|id| id == *resource)
        })
    }
}

pub(super) static SERVICE: ServiceDef = ServiceDef {
    protocol: Protocol::Json { target: "AnyScaleFrontendService", content_type: JSON_1_1, shapes: None },
    ..ServiceDef::new(
        "application-autoscaling",
        &[
            ("DescribeScalableTargets", does!(describe_targets)),
            ("DescribeScheduledActions", does!(describe_actions)),
            ("DescribeScalingActivities", does!(describe_activities)),
            ("RegisterScalableTarget", does!(register_target)),
            ("DeregisterScalableTarget", does!(deregister_target)),
            ("PutScalingPolicy", does!(put_policy)),
            ("DescribeScalingPolicies", does!(describe_policies)),
            ("DeleteScalingPolicy", does!(delete_policy)),
        ],
    )
};

impl World {
    fn describe_targets(&self, call: Call, request: Describe) -> Answered<Value> {
        let caller = call.caller;
        let shown = self.autoscaling.targets(caller, &request).map(|(resource, target)| {
            (resource.clone(), json!({
                "ServiceNamespace": "ecs", "ResourceId": resource, "ScalableDimension": DIMENSION,
                "ScalableTargetARN": target_arn(caller, resource),
                "MinCapacity": target.min, "MaxCapacity": target.max,
                "RoleARN": format!("arn:aws:iam::{}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService", caller.account),
                "CreationTime": target.created_at.as_second(), "SuspendedState": target.suspended,
            }))
        });
        page("ScalableTargets", shown, &request)
    }

    fn describe_actions(&self, call: Call, request: Describe) -> Answered<Value> {
        let caller = call.caller;
        let shown = self.autoscaling.targets(caller, &request).flat_map(|(resource, target)| {
            target.actions.iter().map(move |action| {
                let sets = given(json!({ "MinCapacity": action.min, "MaxCapacity": action.max }));
                (format!("{resource}/{}", action.name), json!({
                    "ScheduledActionName": action.name,
                    "ScheduledActionARN": format!("{}:scheduledActionName/{}", target_arn(caller, resource), action.name),
                    "ServiceNamespace": "ecs", "ResourceId": resource, "ScalableDimension": DIMENSION,
                    "Schedule": action.schedule, "Timezone": "Africa/Johannesburg",
                    "ScalableTargetAction": sets, "CreationTime": target.created_at.as_second(),
                }))
            })
        });
        page("ScheduledActions", shown, &request)
    }

    fn describe_activities(&self, call: Call, request: Describe) -> Answered<Value> {
        let known = self.autoscaling.activities.get(&key(call.caller)).filter(|_| request.service_namespace == "ecs");
        let wanted = |noted: &&Noted| request.resource_id.as_ref().is_none_or(|id| *id == noted.activity.resource);
        let known: Vec<&Noted> = known.into_iter().flatten().filter(wanted).collect();
        let shown = known.into_iter().rev().enumerate().map(|(index, noted)| {
            let Noted { activity: one, message, ended_at } = noted;
            let ends = ended_at.map(Timestamp::as_second);
            let shown = given(json!({
                "ActivityId": format!("00000000-0000-4000-8000-{index:012}"),
                "ServiceNamespace": "ecs", "ResourceId": one.resource, "ScalableDimension": DIMENSION,
                "Description": one.description, "Cause": one.cause, "StartTime": one.at.as_second(), "EndTime": ends,
                "StatusCode": one.status, "StatusMessage": message.as_ref().unwrap_or(&one.description),
            }));
            (format!("{index:06}"), shown)
        });
        page("ScalingActivities", shown, &request)
    }

    /// An existing target's count is clamped into its bounds even if only the suspended state is sent (API reference).
    fn register_target(&mut self, call: Call, request: Register) -> Answered<Value> {
        let (now, caller) = (call.time(), call.caller);
        let Register { service_namespace, resource_id, min_capacity, max_capacity, suspended_state } = request;
        let parts: Vec<&str> = resource_id.split('/').collect();
        let ("ecs", ["service", cluster, service]) = (service_namespace.as_str(), parts.as_slice()) else {
            return Err(error(
                "ValidationException",
                "Unsupported service namespace, resource type or scalable dimension",
            ));
        };
        let view = self.ecs.view(caller, cluster, service);
        let view =
            view.ok_or_else(|| error("ValidationException", "ECS service doesn't exist: ".to_owned() + &resource_id))?;
        let known = self.autoscaling.by_place.get(&key(caller)).and_then(|place| place.get(&resource_id)).cloned();
        let bounds = |given: Option<u32>, before: Option<u32>| {
            given.or(before).ok_or_else(|| error("ValidationException", "MinCapacity and MaxCapacity are required"))
        };
        let target = Target {
            min: bounds(min_capacity, known.as_ref().map(|known| known.min))?,
            max: bounds(max_capacity, known.as_ref().map(|known| known.max))?,
            suspended: suspended_state.or(known.as_ref().map(|known| known.suspended)).unwrap_or_default(),
            created_at: known.as_ref().map_or(now, |known| known.created_at),
            actions: known.map(|known| known.actions).unwrap_or_default(),
        };
        if target.min > target.max {
            return Err(error("ValidationException", "Maximum capacity cannot be less than minimum capacity"));
        }
        let count = view.desired.clamp(target.min, target.max);
        self.ecs.set_desired(now, caller, cluster, service, count);
        if count != view.desired {
            let bound = if count > view.desired { "minimum" } else { "maximum" };
            let description = format!("Setting desired count to {count}.");
            let cause = format!("{bound} capacity was set to {count}");
            let resource = resource_id.clone();
            self.autoscaling.note(caller, Activity { resource, description, cause, at: now, status: "Successful" });
        }
        self.autoscaling.put(caller, &resource_id, target);
        Ok(json!({ "ScalableTargetARN": target_arn(caller, &resource_id) }))
    }
}

fn page(list: &str, all: impl Iterator<Item = (String, Value)>, request: &Describe) -> Answered<Value> {
    let most = request.max_results.unwrap_or(PAGE_MAX);
    if !(1..=PAGE_MAX).contains(&most) {
        return Err(error("ValidationException", "MaxResults must be between 1 and 50"));
    }
    let page = page::page(all, most, request.next_token.as_deref(), |(name, _)| name);
    let (entries, next) = page.ok_or_else(|| error("InvalidNextTokenException", "Invalid pagination token"))?;
    let shown: Vec<Value> = entries.into_iter().map(|(_, shown)| shown).collect();
    Ok(given(json!({ list: shown, "NextToken": next })))
}

fn target_arn(caller: &Caller, resource: &str) -> String {
    let digest = resource.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    format!("arn:aws:application-autoscaling:{}:{}:scalable-target/{digest:016x}", caller.region, caller.account)
}

fn key(caller: &Caller) -> (String, String) {
    (caller.account.clone(), caller.region.clone())
}
