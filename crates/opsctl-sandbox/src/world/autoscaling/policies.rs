//! Scaling policies: put, told and deleted. A policy of target tracking brings its two alarms along; none of them acts here.

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
    tracking: Option<Value>,
    steps: Option<Value>,
    alarms: Vec<String>,
    created_at: i64,
}

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
        let tracking = request.target_tracking_scaling_policy_configuration.filter(|_| kind == "TargetTrackingScaling");
        if kind == "TargetTrackingScaling" && tracking.is_none() {
            return Err(error("ValidationException", "TargetTrackingScalingPolicyConfiguration is required."));
        }
        let alarms = tracking
            .as_ref()
            .map(|tracking| self.put_alarms(call, &request.resource_id, &request.policy_name, tracking));
        let policy = Policy {
            resource: request.resource_id,
            name: request.policy_name,
            kind,
            tracking,
            steps: request.step_scaling_policy_configuration,
            alarms: alarms.unwrap_or_default(),
            created_at: call.now,
        };
        let told = json!({ "PolicyARN": policy.arn(caller), "Alarms": policy.told_alarms(caller) });
        let policies = self.autoscaling.policies.entry(key(caller)).or_default();
        policies.retain(|known| (&known.resource, &known.name) != (&policy.resource, &policy.name));
        policies.push(policy);
        Ok(told)
    }

    /// The alarms by which a policy of target tracking scales: their names.
    fn put_alarms(&mut self, call: Call, resource: &str, policy: &str, tracking: &Value) -> Vec<String> {
        let [_, cluster, service] = resource.split('/').collect::<Vec<_>>().try_into().unwrap_or(["", "", ""]);
        let target = tracking["TargetValue"].as_f64().unwrap_or_default();
        let metric = match tracking["PredefinedMetricSpecification"]["PredefinedMetricType"].as_str() {
            Some("ECSServiceAverageMemoryUtilization") => "MemoryUtilization",
            Some(_) | None => "CPUUtilization",
        };
        let ends = [("High", "GreaterThanThreshold", 3, target), ("Low", "LessThanThreshold", 15, target * 0.9)];
        let mut names = Vec::new();
        for (end, comparison, periods, threshold) in ends {
            let name = format!("TargetTracking-{resource}-Alarm{end}-{:016x}", hash(format!("{policy}{end}").bytes()));
            let alarm = json!({
                "AlarmName": name, "Namespace": "AWS/ECS", "MetricName": metric, "Statistic": "Average", "Period": 60,
                "EvaluationPeriods": periods, "Threshold": threshold, "ComparisonOperator": comparison,
                "Dimensions": [{ "Name": "ClusterName", "Value": cluster }, { "Name": "ServiceName", "Value": service }],
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
                "TargetTrackingScalingPolicyConfiguration": one.tracking, "StepScalingPolicyConfiguration": one.steps,
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

impl Policy {
    fn arn(&self, caller: &Caller) -> String {
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
