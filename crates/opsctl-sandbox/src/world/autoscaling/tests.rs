//! Policies that act: a count that is set by hand drifts back, within the bounds, unless scaling is suspended.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::world::{
    ApiError, Caller, World,
    ecs::{Breaker, Program, ServiceFixture},
};

const TARGET: &str = "service/main/api";

fn start() -> Timestamp {
    "2026-11-21T03:00:00Z".parse().expect("a time")
}

fn after(minutes: i64) -> Timestamp {
    start() + SignedDuration::from_mins(minutes)
}

fn caller() -> Caller {
    Caller { account: "111111111111".into(), region: "af-south-1".into(), origin: String::new() }
}

fn call(world: &mut World, minutes: i64, service: &str, action: &str, mut request: Value) -> Result<Value, ApiError> {
    if service == "application-autoscaling" {
        request["ServiceNamespace"] = json!("ecs");
        request["ScalableDimension"] = json!("ecs:service:DesiredCount");
    }
    world.ask_json(after(minutes), &caller(), (service, action), request)
}

fn ok(world: &mut World, minutes: i64, service: &str, action: &str, request: Value) -> Value {
    call(world, minutes, service, action, request).unwrap_or_else(|error| panic!("{action}: {error:?}"))
}

/// Three tasks at half of their CPU, between 2 and 10.
fn world() -> World {
    let mut world = World::new(7, start());
    let fixture = ServiceFixture {
        cluster: "main".into(),
        name: "api".into(),
        family: "api".into(),
        image: "api:1".into(),
        revision: 1,
        program: Program::default(),
        desired: 3,
        breaker: Breaker::Off,
        tags: BTreeMap::new(),
    };
    world.ecs.settle(start(), &caller(), &fixture);
    world.put_usual("111111111111", "af-south-1", "main/api", "CPUUtilization", 50.0);
    world.begin_metrics(start());
    ok(
        &mut world,
        0,
        "application-autoscaling",
        "RegisterScalableTarget",
        json!({
            "ResourceId": TARGET, "MinCapacity": 2, "MaxCapacity": 10,
        }),
    );
    world
}

fn track(world: &mut World, more: Value) {
    let mut tracking = json!({ "TargetValue": 60.0,
        "PredefinedMetricSpecification": { "PredefinedMetricType": "ECSServiceAverageCPUUtilization" } });
    tracking.as_object_mut().expect("a map").extend(more.as_object().expect("a map").clone());
    ok(
        world,
        0,
        "application-autoscaling",
        "PutScalingPolicy",
        json!({
            "PolicyName": "cpu", "ResourceId": TARGET, "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": tracking,
        }),
    );
}

fn set(world: &mut World, minutes: i64, count: u32) {
    ok(world, minutes, "ecs", "UpdateService", json!({ "cluster": "main", "service": "api", "desiredCount": count }));
}

fn desired(world: &mut World, minutes: i64) -> u32 {
    world.advance(after(minutes));
    world.ecs.view(&caller(), "main", "api").expect("there").desired
}

fn activities(world: &mut World, minutes: i64) -> Vec<Value> {
    let request = json!({ "ResourceId": TARGET });
    let told = ok(world, minutes, "application-autoscaling", "DescribeScalingActivities", request);
    told["ScalingActivities"].as_array().expect("a list").clone()
}

#[test]
fn a_count_set_by_hand_drifts_back() {
    // By hand, minutes until the first change, and until it is as before.
    for (count, first, last) in [(2, 2..7, 8), (1, 2..7, 14), (8, 14..19, 19), (10, 14..19, 19)] {
        let mut world = world();
        track(&mut world, json!({}));
        assert_eq!(desired(&mut world, 60), 3, "it is left while the metric is near its target");
        set(&mut world, 60, count);
        let changed = (60..90).find(|minute| desired(&mut world, *minute) != count).expect("changed") - 60;
        assert!(first.contains(&changed), "{count}: {changed}");
        assert_eq!(desired(&mut world, 60 + last), 3, "{count}");
        assert_eq!(desired(&mut world, 120), 3, "{count}: and it stays");
        let told = activities(&mut world, 120);
        let (newest, oldest) = (&told[0], told.last().expect("one"));
        assert_eq!(
            (&newest["Description"], &newest["StatusCode"]),
            (&json!("Setting desired count to 3."), &json!("Successful"))
        );
        assert_eq!(
            newest["StatusMessage"],
            "Successfully set desired count to 3. Change successfully fulfilled by ecs."
        );
        let end = if count < 3 { "High" } else { "Low" };
        let cause = oldest["Cause"].as_str().expect("a cause");
        assert!(cause.starts_with(&format!("monitor alarm TargetTracking-{TARGET}-Alarm{end}-")), "{cause}");
        assert!(cause.ends_with(" in state ALARM triggered policy cpu"), "{cause}");
        assert!(newest["EndTime"].as_i64() > newest["StartTime"].as_i64(), "{newest}");
    }
}

#[test]
fn what_is_suspended_or_only_scales_out_leaves_the_count() {
    let suspended = |directions: &[&str]| -> Value {
        directions
            .iter()
            .map(|name| (format!("DynamicScaling{name}Suspended"), json!(true)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    for (directions, policy, count, stays) in [
        (&["In", "Out"][..], json!({}), 1, true),
        (&["In", "Out"], json!({}), 9, true),
        (&["Out"], json!({}), 1, true),
        (&["Out"], json!({}), 9, false),
        (&["In"], json!({}), 9, true),
        (&["In"], json!({}), 1, false),
        (&[], json!({ "DisableScaleIn": true }), 9, true),
        (&[], json!({ "DisableScaleIn": true }), 1, false),
    ] {
        let mut world = world();
        track(&mut world, policy.clone());
        set(&mut world, 30, count);
        let request = json!({ "ResourceId": TARGET, "MinCapacity": 1, "SuspendedState": suspended(directions) });
        ok(&mut world, 30, "application-autoscaling", "RegisterScalableTarget", request);
        assert_eq!(desired(&mut world, 90) == count, stays, "{directions:?} {policy} {count}");
        assert_eq!(activities(&mut world, 90).is_empty(), stays, "{directions:?} {policy} {count}");
        let resumed = json!({ "ResourceId": TARGET, "SuspendedState": {} });
        ok(&mut world, 90, "application-autoscaling", "RegisterScalableTarget", resumed);
        let comes_back = policy == json!({});
        assert_eq!(desired(&mut world, 130) == 3, comes_back || !stays, "{directions:?} {policy} {count}: resumed");
    }
}

#[test]
fn more_work_scales_out_to_the_maximum_and_cooldowns_hold() {
    let mut world = world();
    track(&mut world, json!({ "ScaleOutCooldown": 600 }));
    world.put_demand(&caller(), ("main", "api"), 40.0, true);
    let mut counts = vec![3];
    let mut changed = vec![0];
    for minute in 1..90 {
        let count = desired(&mut world, minute);
        if counts.last() != Some(&count) {
            counts.push(count);
            changed.push(minute);
        }
    }
    assert_eq!((counts.first(), counts.last()), (Some(&3), Some(&10)), "{counts:?}");
    assert!(counts.windows(2).all(|pair| pair[0] < pair[1]), "{counts:?}");
    assert!(changed[1..].windows(2).all(|pair| pair[1] - pair[0] >= 10), "{changed:?}");
}

#[test]
fn a_step_policy_goes_by_its_alarm_every_minute() {
    let mut world = world();
    let steps = json!({ "AdjustmentType": "ChangeInCapacity", "Cooldown": 120, "StepAdjustments": [
        { "MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 100.0, "ScalingAdjustment": 1 },
        { "MetricIntervalLowerBound": 100.0, "ScalingAdjustment": 3 },
    ] });
    let put = ok(
        &mut world,
        0,
        "application-autoscaling",
        "PutScalingPolicy",
        json!({
            "PolicyName": "backlog", "ResourceId": TARGET, "PolicyType": "StepScaling", "StepScalingPolicyConfiguration": steps,
        }),
    );
    ok(
        &mut world,
        0,
        "cloudwatch",
        "PutMetricAlarm",
        json!({
            "AlarmName": "backlog", "Namespace": "Shop", "MetricName": "Backlog", "Statistic": "Maximum", "Period": 60,
            "EvaluationPeriods": 1, "Threshold": 50.0, "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching", "AlarmActions": [put["PolicyARN"]],
        }),
    );
    let backlog = |world: &mut World, minutes: i64, value: f64| {
        let datum = json!({ "MetricName": "Backlog", "Value": value });
        ok(world, minutes, "cloudwatch", "PutMetricData", json!({ "Namespace": "Shop", "MetricData": [datum] }));
    };
    let counts = [0, 1, 2, 3, 4, 5, 6].map(|minute| {
        backlog(&mut world, minute, 60.0);
        desired(&mut world, minute)
    });
    assert_eq!(counts, [3, 3, 4, 4, 5, 5, 6], "as soon as it is seen, then again after each cooldown");
    backlog(&mut world, 6, 200.0);
    assert_eq!(desired(&mut world, 8), 9, "by the larger step");
    for minute in 8..14 {
        backlog(&mut world, minute, 200.0);
    }
    assert_eq!(desired(&mut world, 16), 10, "up to the maximum");
    assert_eq!(desired(&mut world, 60), 10, "and no further without the alarm");
}

#[test]
fn percents_and_exact_counts_are_steps_too() {
    for (kind, adjustment, least, expected) in [
        ("PercentChangeInCapacity", 50, json!(null), 4),
        ("PercentChangeInCapacity", 10, json!(null), 4),
        ("PercentChangeInCapacity", 10, json!(4), 7),
        ("PercentChangeInCapacity", -50, json!(null), 2),
        ("ExactCapacity", 8, json!(null), 8),
        ("ChangeInCapacity", -5, json!(null), 2),
    ] {
        let mut world = world();
        let steps = json!({ "AdjustmentType": kind, "MinAdjustmentMagnitude": least,
            "StepAdjustments": [{ "MetricIntervalLowerBound": 0.0, "ScalingAdjustment": adjustment }] });
        let put = ok(
            &mut world,
            0,
            "application-autoscaling",
            "PutScalingPolicy",
            json!({
                "PolicyName": "p", "ResourceId": TARGET, "PolicyType": "StepScaling", "StepScalingPolicyConfiguration": steps,
            }),
        );
        ok(
            &mut world,
            0,
            "cloudwatch",
            "PutMetricAlarm",
            json!({
                "AlarmName": "a", "Namespace": "AWS/ECS", "MetricName": "CPUUtilization", "Statistic": "Average", "Period": 60,
                "Dimensions": [{ "Name": "ClusterName", "Value": "main" }, { "Name": "ServiceName", "Value": "api" }],
                "EvaluationPeriods": 1, "Threshold": 5.0, "ComparisonOperator": "GreaterThanThreshold", "AlarmActions": [put["PolicyARN"]],
            }),
        );
        assert_eq!(desired(&mut world, 3), expected, "{kind} {adjustment}");
    }
    let bad = json!({ "PolicyName": "p", "ResourceId": TARGET, "PolicyType": "StepScaling" });
    let refused = call(&mut world(), 0, "application-autoscaling", "PutScalingPolicy", bad).expect_err("refused");
    assert_eq!(refused.code, "ValidationException");
}

#[test]
fn leaping_and_stepping_scale_alike() {
    let seen = |steps: &[i64]| {
        let mut world = world();
        track(&mut world, json!({}));
        set(&mut world, 0, 1);
        for minutes in steps {
            world.advance(after(*minutes));
        }
        (activities(&mut world, 90), desired(&mut world, 90))
    };
    let every: Vec<i64> = (0..=90).collect();
    assert_eq!(seen(&[90]), seen(&every));
}
