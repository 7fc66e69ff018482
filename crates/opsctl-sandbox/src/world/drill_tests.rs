//! Small things that a person in a drill changes from another terminal: secrets, rules, scaling policies, load balancers.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    ApiError, Caller, World,
    autoscaling::{Suspended, Target},
};

fn now() -> Timestamp {
    "2026-11-21T03:00:00Z".parse().expect("a time")
}

fn caller() -> Caller {
    Caller { account: "111111111111".into(), region: "af-south-1".into(), origin: String::new() }
}

fn call(world: &mut World, service: &str, action: &str, request: Value) -> Result<Value, ApiError> {
    world.ask_json(now(), &caller(), (service, action), request)
}

fn ok(world: &mut World, service: &str, action: &str, request: Value) -> Value {
    call(world, service, action, request).unwrap_or_else(|error| panic!("{action}: {error:?}"))
}

fn code(world: &mut World, service: &str, action: &str, request: Value) -> &'static str {
    call(world, service, action, request).expect_err(action).code
}

#[test]
fn a_secret_is_made_rotated_deleted_and_restored() {
    let world = &mut World::new(7, now());
    let made = ok(world, "secretsmanager", "CreateSecret", json!({ "Name": "app/db", "SecretString": "one" }));
    assert!(made["ARN"].as_str().is_some_and(|arn| arn.contains(":secret:app/db-")), "{made}");
    assert_eq!(code(world, "secretsmanager", "CreateSecret", json!({ "Name": "app/db" })), "ResourceExistsException");
    let on = json!({ "SecretId": "app/db" });
    ok(world, "secretsmanager", "PutSecretValue", json!({ "SecretId": made["ARN"], "SecretString": "two" }));
    let read = ok(world, "secretsmanager", "GetSecretValue", on.clone());
    assert_eq!((&read["SecretString"], &read["ARN"]), (&json!("two"), &made["ARN"]));
    let before =
        ok(world, "secretsmanager", "GetSecretValue", json!({ "SecretId": "app/db", "VersionStage": "AWSPREVIOUS" }));
    assert_eq!(before["SecretString"], "one");
    ok(world, "secretsmanager", "DeleteSecret", on.clone());
    assert_eq!(code(world, "secretsmanager", "GetSecretValue", on.clone()), "InvalidRequestException");
    assert!(ok(world, "secretsmanager", "DescribeSecret", on.clone())["DeletedDate"].is_number());
    ok(world, "secretsmanager", "RestoreSecret", on.clone());
    assert_eq!(ok(world, "secretsmanager", "GetSecretValue", on.clone())["SecretString"], "two");
    let force = json!({ "SecretId": "app/db", "ForceDeleteWithoutRecovery": true });
    ok(world, "secretsmanager", "DeleteSecret", force);
    assert_eq!(code(world, "secretsmanager", "DescribeSecret", on), "ResourceNotFoundException");
}

#[test]
fn events_go_to_the_queues_of_the_rules_that_they_fit() {
    let world = &mut World::new(7, now());
    world.create(now(), &caller(), "orders", &[]).expect("a queue");
    let pattern = json!({ "source": ["shop"], "detail": { "amount": [{ "numeric": [">", 10] }] } }).to_string();
    ok(world, "events", "PutRule", json!({ "Name": "big", "EventPattern": pattern }));
    let target = json!({ "Id": "q", "Arn": "arn:aws:sqs:af-south-1:111111111111:orders" });
    ok(world, "events", "PutTargets", json!({ "Rule": "big", "Targets": [target] }));
    let put = |world: &mut World, amount: i64| {
        let detail = json!({ "amount": amount }).to_string();
        ok(
            world,
            "events",
            "PutEvents",
            json!({ "Entries": [{ "Source": "shop", "DetailType": "Order", "Detail": detail }] }),
        )
    };
    put(world, 5);
    assert_eq!(put(world, 50)["FailedEntryCount"], 0);
    ok(world, "events", "DisableRule", json!({ "Name": "big" }));
    put(world, 60);
    let bodies: Vec<Value> = world
        .messages("111111111111", "af-south-1", "orders")
        .map(|message| serde_json::from_str(message.body).expect("an event"))
        .collect();
    assert_eq!(bodies.len(), 1);
    assert_eq!((&bodies[0]["detail-type"], &bodies[0]["detail"]["amount"]), (&json!("Order"), &json!(50)));
    let bad = json!({ "Entries": [{ "Source": "shop", "DetailType": "Order", "Detail": "no JSON" }] });
    assert_eq!(ok(world, "events", "PutEvents", bad)["Entries"][0]["ErrorCode"], "MalformedDetail");
    assert_eq!(code(world, "events", "DeleteRule", json!({ "Name": "big" })), "ValidationException");
    ok(world, "events", "RemoveTargets", json!({ "Rule": "big", "Ids": ["q"] }));
    ok(world, "events", "DeleteRule", json!({ "Name": "big" }));
    assert_eq!(code(world, "events", "DescribeRule", json!({ "Name": "big" })), "ResourceNotFoundException");
    for request in [json!({ "Name": "x" }), json!({ "Name": "x", "ScheduleExpression": "every minute" })] {
        assert_eq!(code(world, "events", "PutRule", request), "ValidationException");
    }
}

#[test]
fn a_policy_of_target_tracking_brings_its_alarms_along() {
    let world = &mut World::new(7, now());
    let service = "application-autoscaling";
    let tracking = json!({ "TargetValue": 60.0, "PredefinedMetricSpecification": { "PredefinedMetricType": "ECSServiceAverageCPUUtilization" } });
    let put = json!({ "PolicyName": "cpu", "ServiceNamespace": "ecs", "ResourceId": "service/main/api",
        "ScalableDimension": "ecs:service:DesiredCount", "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": tracking });
    assert_eq!(code(world, service, "PutScalingPolicy", put.clone()), "ObjectNotFoundException");
    let target = Target { min: 1, max: 4, suspended: Suspended::default(), created_at: now(), actions: Vec::new() };
    world.autoscaling.put(&caller(), "service/main/api", target);
    let told = ok(world, service, "PutScalingPolicy", put);
    assert_eq!(told["Alarms"].as_array().map(Vec::len), Some(2));
    let alarms = |world: &mut World| {
        let told =
            ok(world, "cloudwatch", "DescribeAlarms", json!({ "AlarmNamePrefix": "TargetTracking-service/main/api" }));
        told["MetricAlarms"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(alarms(world), 2);
    let described = ok(world, service, "DescribeScalingPolicies", json!({ "ServiceNamespace": "ecs" }));
    let policy = &described["ScalingPolicies"][0];
    assert_eq!(
        (&policy["PolicyName"], &policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"]),
        (&json!("cpu"), &json!(60.0))
    );
    let on = json!({ "ServiceNamespace": "ecs", "ResourceId": "service/main/api", "ScalableDimension": "ecs:service:DesiredCount" });
    ok(world, service, "DeregisterScalableTarget", on);
    assert_eq!(alarms(world), 0);
}

#[test]
fn target_groups_stand_behind_a_load_balancer() {
    let world = &mut World::new(7, now());
    let ask = |world: &mut World, action: &str, fields: &[(&str, &str)]| {
        let form = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        world.ask_form(now() + SignedDuration::from_secs(1), &caller(), ("elasticloadbalancing", action), form)
    };
    assert!(!ask(world, "DescribeLoadBalancers", &[]).expect("none").contains("<member>"));
    ask(world, "CreateTargetGroup", &[("Name", "api"), ("Port", "80")]).expect("made");
    let told = ask(world, "DescribeLoadBalancers", &[]).expect("told");
    let (_, rest) = told.split_once("<LoadBalancerArn>").expect("an ARN");
    let arn = rest.split('<').next().unwrap_or_default();
    assert!(told.contains("<Code>active</Code>") && told.contains(".elb.amazonaws.com"), "{told}");
    let listeners = ask(world, "DescribeListeners", &[("LoadBalancerArn", arn)]).expect("listeners");
    assert!(listeners.contains("targetgroup/api/"), "{listeners}");
    assert!(ask(world, "DescribeTargetGroups", &[]).expect("groups").contains(arn));
    let error = ask(world, "DescribeLoadBalancers", &[("Names.member.1", "other")]).expect_err("none");
    assert_eq!(error.code, "LoadBalancerNotFound");
}
