//! Scaling policies: put, told and deleted. A policy of target tracking brings its two alarms along; what they do is in `act`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{DIMENSION, Describe, World, key, page, target_arn};
use crate::world::{
    Caller,
    call::{Answered, Call, given},
    error::error,
    hash,
};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Policy {
    pub(super) resource: String,
    pub(super) name: String,
    kind: String,
    pub(super) tracking: Option<Tracking>,
    pub(super) steps: Option<Steps>,
    /// Of target tracking: the one that scales out, and the one that scales in.
    pub(super) alarms: Vec<String>,
    created_at: i64,
    /// When it set the count last, and whether it scaled out.
    pub(super) acted: Option<(i64, bool)>,
}

/// As asked for, and what counts of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tracking {
    asked: Value,
    pub(super) target: f64,
    pub(super) out_cooldown: i64,
    pub(super) in_cooldown: i64,
    pub(super) only_out: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Steps {
    asked: Value,
    pub(super) kind: Adjustment,
    pub(super) steps: Vec<Step>,
    pub(super) cooldown: i64,
    pub(super) least: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum Adjustment {
    #[serde(rename = "ChangeInCapacity")]
    By,
    #[serde(rename = "PercentChangeInCapacity")]
    ByPercent,
    #[serde(rename = "ExactCapacity")]
    To,
}

/// What is done where a metric lies so far beyond its alarm's threshold.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Step {
    pub(super) metric_interval_lower_bound: Option<f64>,
    pub(super) metric_interval_upper_bound: Option<f64>,
    pub(super) scaling_adjustment: i32,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AskedTracking {
    target_value: f64,
    scale_out_cooldown: Option<i64>,
    scale_in_cooldown: Option<i64>,
    #[serde(default)]
    disable_scale_in: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AskedSteps {
    adjustment_type: Adjustment,
    #[serde(default)]
    step_adjustments: Vec<Step>,
    cooldown: Option<i64>,
    min_adjustment_magnitude: Option<u32>,
}

/// Between two changes of a service's count, where a policy says nothing else, seconds (API reference).
const COOLDOWN_SECONDS: i64 = 300;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutPolicy {
    policy_name: String,
    service_namespace: String,
    resource_id: String,
    policy_type: Option<String>,
    target_tracking_scaling_policy_configuration: Option<Value>,
    step_scaling_policy_configuration: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OnPolicy {
    policy_name: Option<String>,
    resource_id: String,
}

impl World {
    pub(super) fn put_policy(&mut self, call: Call, request: PutPolicy) -> Answered<Value> {
        let caller = call.caller;
        let there =
            self.autoscaling.by_place.get(&key(caller)).is_some_and(|place| place.contains_key(&request.resource_id));
        if request.service_namespace != "ecs" || !there {
            let message = format!(
                "No scalable target registered for service namespace: {}, resource ID: {}, scalable dimension: {DIMENSION}",
                request.service_namespace, request.resource_id
            );
            return Err(error("ObjectNotFoundException", message));
        }
        let kind = request.policy_type.unwrap_or_else(|| "StepScaling".to_owned());
        let asked = |given: Option<Value>, of: &str, name: &str| match given.filter(|_| kind == of) {
            None if kind == of => Err(error("ValidationException", format!("{name} is required."))),
            asked => Ok(asked),
        };
        let tracking = asked(
            request.target_tracking_scaling_policy_configuration,
            "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration",
        )?;
        let tracking = tracking.map(Tracking::read).transpose()?;
        let steps = asked(request.step_scaling_policy_configuration, "StepScaling", "StepScalingPolicyConfiguration")?;
        let steps = steps.map(Steps::read).transpose()?;
        let alarms = tracking
            .as_ref()
            .map(|tracking| self.put_alarms(call, &request.resource_id, &request.policy_name, tracking));
        let policy = Policy {
            resource: request.resource_id,
            name: request.policy_name,
            kind,
            tracking,
            steps,
            alarms: alarms.unwrap_or_default(),
            created_at: call.now,
            acted: None,
        };
        let told = json!({ "PolicyARN": policy.arn(caller), "Alarms": policy.told_alarms(caller) });
        let policies = self.autoscaling.policies.entry(key(caller)).or_default();
        policies.retain(|known| (&known.resource, &known.name) != (&policy.resource, &policy.name));
        let resource = policy.resource.clone();
        policies.push(policy);
        self.share_demand(call, &resource);
        self.begin_pulse();
        Ok(told)
    }

    /// The alarms by which a policy of target tracking scales: their names.
    fn put_alarms(&mut self, call: Call, resource: &str, policy: &str, tracking: &Tracking) -> Vec<String> {
        let target = tracking.target;
        let metric = tracking.metric(resource);
        let ends = [("High", "GreaterThanThreshold", 3, target), ("Low", "LessThanThreshold", 15, target * 0.9)];
        let mut names = Vec::new();
        for (end, comparison, periods, threshold) in ends {
            let name = format!("TargetTracking-{resource}-Alarm{end}-{:016x}", hash(format!("{policy}{end}").bytes()));
            let alarm = json!({
                "AlarmName": name, "Namespace": metric["Namespace"], "MetricName": metric["MetricName"],
                "Statistic": metric["Statistic"], "Dimensions": metric["Dimensions"], "Period": 60,
                "EvaluationPeriods": periods, "Threshold": threshold, "ComparisonOperator": comparison,
                "AlarmActions": [arn(call.caller, resource, policy)],
                "AlarmDescription": format!("DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy}."),
            });
            if self.ask(call.time(), call.caller, ("cloudwatch", "PutMetricAlarm"), alarm).is_ok() {
                names.push(name);
            }
        }
        names
    }

    pub(super) fn describe_policies(&self, call: Call, request: Describe) -> Answered<Value> {
        let known = self.autoscaling.policies.get(&key(call.caller)).filter(|_| request.service_namespace == "ecs");
        let wanted = |one: &&Policy| request.resource_id.as_ref().is_none_or(|id| *id == one.resource);
        let shown = known.into_iter().flatten().filter(wanted).map(|one| {
            let shown = given(json!({
                "PolicyARN": one.arn(call.caller), "PolicyName": one.name, "ServiceNamespace": "ecs",
                "ResourceId": one.resource, "ScalableDimension": DIMENSION, "PolicyType": one.kind,
                "TargetTrackingScalingPolicyConfiguration": one.tracking.as_ref().map(|one| &one.asked),
                "StepScalingPolicyConfiguration": one.steps.as_ref().map(|one| &one.asked),
                "Alarms": one.told_alarms(call.caller), "CreationTime": one.created_at / 1_000,
            }));
            (format!("{}/{}", one.resource, one.name), shown)
        });
        let mut shown: Vec<(String, Value)> = shown.collect();
        shown.sort_by(|(left, _), (right, _)| left.cmp(right));
        page("ScalingPolicies", shown.into_iter(), &request)
    }

    pub(super) fn delete_policy(&mut self, call: Call, request: OnPolicy) -> Answered<Value> {
        let policies = self.autoscaling.policies.entry(key(call.caller)).or_default();
        let is_it =
            |one: &Policy| one.resource == request.resource_id && Some(&one.name) == request.policy_name.as_ref();
        let Some(index) = policies.iter().position(is_it) else {
            return Err(error("ObjectNotFoundException", "No scaling policy found."));
        };
        let gone = policies.remove(index);
        if !gone.alarms.is_empty() {
            // They go with their policy; who deleted one before has done no harm.
            let _gone = self.ask(
                call.time(),
                call.caller,
                ("cloudwatch", "DeleteAlarms"),
                json!({ "AlarmNames": gone.alarms }),
            );
        }
        Ok(json!({}))
    }

    /// A target goes with its policies; its service stays as it is.
    pub(super) fn deregister_target(&mut self, call: Call, request: OnPolicy) -> Answered<Value> {
        let place = self.autoscaling.by_place.entry(key(call.caller)).or_default();
        if place.remove(&request.resource_id).is_none() {
            return Err(error("ObjectNotFoundException", "No scalable target registered."));
        }
        let policies = self.autoscaling.policies.entry(key(call.caller)).or_default();
        let names: Vec<String> =
            policies.iter().filter(|one| one.resource == request.resource_id).map(|one| one.name.clone()).collect();
        for name in names {
            let request = OnPolicy { policy_name: Some(name), resource_id: request.resource_id.clone() };
            self.delete_policy(call, request)?;
        }
        Ok(json!({}))
    }
}

impl Tracking {
    fn read(asked: Value) -> Answered<Self> {
        let AskedTracking { target_value, scale_out_cooldown, scale_in_cooldown, disable_scale_in } = parsed(&asked)?;
        if target_value <= 0.0 {
            return Err(error("ValidationException", "TargetValue must be greater than 0."));
        }
        let milliseconds = |seconds: Option<i64>| seconds.unwrap_or(COOLDOWN_SECONDS).max(0) * 1_000;
        Ok(Self {
            asked,
            target: target_value,
            out_cooldown: milliseconds(scale_out_cooldown),
            in_cooldown: milliseconds(scale_in_cooldown),
            only_out: disable_scale_in,
        })
    }

    /// The metric of its alarms: namespace, name, statistic and dimensions.
    fn metric(&self, resource: &str) -> Value {
        let own = &self.asked["CustomizedMetricSpecification"];
        if own.is_object() {
            return own.clone();
        }
        let [_, cluster, service] = resource.split('/').collect::<Vec<_>>().try_into().unwrap_or(["", "", ""]);
        let predefined = &self.asked["PredefinedMetricSpecification"];
        let (namespace, name, dimensions) = match predefined["PredefinedMetricType"].as_str() {
            Some("ALBRequestCountPerTarget") => {
                let group = predefined["ResourceLabel"].as_str().unwrap_or_default();
                let group = group.find("targetgroup/").map_or("", |start| &group[start..]);
                ("AWS/ApplicationELB", "RequestCountPerTarget", vec![("TargetGroup", group)])
            }
            Some("ECSServiceAverageMemoryUtilization") => {
                ("AWS/ECS", "MemoryUtilization", vec![("ClusterName", cluster), ("ServiceName", service)])
            }
            Some(_) | None => ("AWS/ECS", "CPUUtilization", vec![("ClusterName", cluster), ("ServiceName", service)]),
        };
        let dimensions: Vec<Value> =
            dimensions.into_iter().map(|(name, value)| json!({ "Name": name, "Value": value })).collect();
        json!({ "Namespace": namespace, "MetricName": name, "Statistic": "Average", "Dimensions": dimensions })
    }
}

impl Steps {
    fn read(asked: Value) -> Answered<Self> {
        let AskedSteps { adjustment_type, step_adjustments, cooldown, min_adjustment_magnitude } = parsed(&asked)?;
        if step_adjustments.is_empty() {
            return Err(error("ValidationException", "At least one StepAdjustment must be specified."));
        }
        Ok(Self {
            asked,
            kind: adjustment_type,
            steps: step_adjustments,
            cooldown: cooldown.unwrap_or(COOLDOWN_SECONDS).max(0) * 1_000,
            least: min_adjustment_magnitude.unwrap_or_default(),
        })
    }
}

fn parsed<T: for<'de> Deserialize<'de>>(asked: &Value) -> Answered<T> {
    T::deserialize(asked).map_err(|why| error("ValidationException", why.to_string()))
}

impl Policy {
    pub(super) fn arn(&self, caller: &Caller) -> String {
        arn(caller, &self.resource, &self.name)
    }

    fn told_alarms(&self, caller: &Caller) -> Vec<Value> {
        let arn = |name: &String| format!("arn:aws:cloudwatch:{}:{}:alarm:{name}", caller.region, caller.account);
        self.alarms.iter().map(|name| json!({ "AlarmName": name, "AlarmARN": arn(name) })).collect()
    }
}

fn arn(caller: &Caller, resource: &str, policy: &str) -> String {
    let id = target_arn(caller, resource).rsplit('/').next().unwrap_or_default().to_owned();
    format!(
        "arn:aws:autoscaling:{}:{}:scalingPolicy:{id}:resource/ecs/{resource}:policyName/{policy}",
        caller.region, caller.account
    )
}
