//! Services that ECS changes only in part: DAEMON services, other deployment controllers, strategies that deploy beside what runs,
//! capacity providers.

use opsctl::{
    domain::{Protection, ServiceGroup, ServiceId, ServiceRules},
    operations::{Operation, Restart, Rollback, Scale, Sleep, Wake, plan::Plan},
    run::End,
    sandbox::world::ecs::Program,
};
use serde_json::{Value, json};

use super::services::running;
use crate::support::stage::{Stage, caller};

/// What is special about each service of the cluster `main`, by its name; `api` is as most are.
fn services() -> Vec<(&'static str, Value)> {
    vec![
        ("api", json!({})),
        ("agent", json!({ "schedulingStrategy": "DAEMON", "launchType": "EC2" })),
        ("shop", json!({ "deploymentController": { "type": "CODE_DEPLOY" } })),
        ("legacy", json!({ "deploymentController": { "type": "EXTERNAL" } })),
        (
            "spot",
            json!({ "capacityProviderStrategy": [
            { "capacityProvider": "FARGATE", "base": 1, "weight": 1 }, { "capacityProvider": "FARGATE_SPOT", "weight": 3 },
        ] }),
        ),
        ("gpu", json!({ "capacityProviderStrategy": [{ "capacityProvider": "gpu-instances", "weight": 1 }] })),
        ("green", json!({ "deploymentConfiguration": { "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 5 } })),
    ]
}

/// Those services, each with so many tasks where it takes a count, all in the group `all`.
async fn stage(desired: u32) -> Stage {
    let mut stage = Stage::new(Protection::TypeName, &[]);
    let ask = |stage: &Stage, call: &'static str, request: Value| {
        stage.sandbox.with(|world, now| {
            world.advance(now);
            world
                .ask(now, &caller(), ("ecs", call), request)
                .map_err(|error| format!("{call}: {error:?}"))
                .expect("done")
        })
    };
    ask(&stage, "CreateCluster", json!({ "clusterName": "main" }));
    for (name, more) in services() {
        stage.sandbox.with(|world, _| world.ecs.define(&caller(), name, &format!("{name}:1"), 1, Program::default()));
        let mut request = json!({
            "cluster": "main", "serviceName": name, "taskDefinition": name, "desiredCount": desired,
            "networkConfiguration": { "awsvpcConfiguration": { "subnets": ["subnet-1"] } },
        });
        for (key, value) in more.as_object().expect("members") {
            request[key] = value.clone();
        }
        if more["schedulingStrategy"] == "DAEMON" {
            request.as_object_mut().expect("members").remove("desiredCount");
        }
        ask(&stage, "CreateService", request);
    }
    let stages = vec![services().into_iter().map(|(name, _)| name.to_owned()).collect()];
    let group = ServiceGroup { name: "all".into(), stages, always_on: Vec::new(), size: 1, sleep_allowed: true };
    stage.environment.services = ServiceRules { groups: vec![group], ..ServiceRules::default() };
    stage.sandbox.clock().sleep(std::time::Duration::from_secs(90)).await;
    stage
}

fn told(plan: &Plan) -> String {
    format!("{:?} {:?} {:?}", plan.facts, plan.warnings, plan.blockers)
}

fn group(asleep: bool) -> Operation {
    let group = Some("all".to_owned());
    match asleep {
        true => Operation::Wake(Wake { group, ..Wake::default() }),
        false => Operation::Sleep(Sleep { group, ..Sleep::default() }),
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_sleeps_and_wakes_but_for_what_takes_no_count() {
    let mut stage = stage(1).await;
    let plan = stage.plan(&group(false)).await.expect("a plan").plan;
    assert!(
        plan.blockers.is_empty() && told(&plan).contains("main/agent is left out: a DAEMON service"),
        "{}",
        told(&plan)
    );
    let report = stage.run(&group(false)).await;
    assert_eq!(report.end, End::Done, "{report:#?}");
    for (name, _) in services() {
        let expected = if name == "agent" { (2, 2) } else { (0, 0) };
        assert_eq!(running(&stage, name), expected, "{name}");
    }
    let plan = stage.plan(&group(true)).await.expect("a plan").plan;
    for said in [
        "main/agent is left out: a DAEMON service",
        "main/shop: CODE_DEPLOY, which keeps the desired count",
        "main/spot: capacity providers FARGATE (base 1, weight 1), FARGATE_SPOT (weight 3)",
        "main/spot: new tasks may wait for Spot capacity",
        "main/gpu: new tasks may wait for instances",
    ] {
        assert!(told(&plan).contains(said), "{said}: {}", told(&plan));
    }
    let report = stage.run(&group(true)).await;
    assert_eq!(report.end, End::Done, "{report:#?}");
    for (name, _) in services() {
        let expected = if name == "agent" { (2, 2) } else { (1, 1) };
        assert_eq!(running(&stage, name), expected, "{name}");
    }
}

/// Each verb on each service by name: refused in the plan, or carried out to its end.
#[tokio::test(start_paused = true)]
async fn what_ecs_would_refuse_is_refused_in_the_plan_and_all_else_is_carried_out() {
    let scale =
        |service: &str| Operation::Scale(Scale { service: service.to_owned(), to: Some(2), ..Scale::default() });
    let restart =
        |service: &str| Operation::Restart(Restart { service: vec![service.to_owned()], ..Restart::default() });
    let rollback = |service: &str| {
        Operation::Rollback(Rollback { service: service.to_owned(), to: Some("1".into()), ..Rollback::default() })
    };
    let put_to_sleep =
        |service: &str| Operation::Sleep(Sleep { service: vec![service.to_owned()], ..Sleep::default() });
    for (verb, refused) in [
        (&scale as &dyn Fn(&str) -> Operation, &["agent"][..]),
        (&put_to_sleep, &["agent"]),
        (&restart, &["shop", "legacy"]),
        (&rollback, &["shop", "legacy"]),
    ] {
        let mut stage = stage(1).await;
        for (name, _) in services() {
            stage
                .sandbox
                .with(|world, _| world.ecs.define(&caller(), name, &format!("{name}:2"), 2, Program::default()));
            let operation = verb(name);
            let plan = stage.plan(&operation).await.expect("a plan").plan;
            assert_eq!(!plan.blockers.is_empty(), refused.contains(&name), "{name} {operation:?}: {}", told(&plan));
            if plan.blockers.is_empty() && !plan.empty {
                let report = stage.run(&operation).await;
                assert_eq!(report.end, End::Done, "{name}: {report:#?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn of_several_that_are_named_the_refused_ones_are_left_out() {
    let mut stage = stage(1).await;
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let restart = Operation::Restart(Restart { service: names(&["shop", "api"]), ..Restart::default() });
    let plan = stage.plan(&restart).await.expect("a plan").plan;
    assert!(told(&plan).contains("main/shop is left out: CODE_DEPLOY deploys it"), "{}", told(&plan));
    assert_eq!(stage.run(&restart).await.end, End::Done);
    let sleep = Operation::Sleep(Sleep { service: names(&["agent", "api"]), ..Sleep::default() });
    assert_eq!(stage.run(&sleep).await.end, End::Done);
    assert_eq!((running(&stage, "agent"), running(&stage, "api")), ((2, 2), (0, 0)));
}

#[tokio::test(start_paused = true)]
async fn a_deployment_beside_what_runs_is_told_with_its_bake_time() {
    let mut stage = stage(2).await;
    let restart = Operation::Restart(Restart { service: vec!["green".into()], ..Restart::default() });
    let plan = stage.plan(&restart).await.expect("a plan").plan;
    for said in ["main/green: blue/green", "2 new tasks start beside the old ones", "for 5 min more (bake time)"] {
        assert!(told(&plan).contains(said), "{said}: {}", told(&plan));
    }
    assert!(!told(&plan).contains("minimum healthy"), "{}", told(&plan));
    assert_eq!(stage.run(&restart).await.end, End::Done);
    // While one is under way, another is refused with what ends it.
    let begin = json!({ "cluster": "main", "service": "green", "forceNewDeployment": true });
    stage.sandbox.with(|world, now| {
        world.advance(now);
        world.ask(now, &caller(), ("ecs", "UpdateService"), begin).expect("begun");
    });
    stage.sandbox.clock().sleep(std::time::Duration::from_secs(2)).await;
    let rollback = Rollback { service: "green".into(), to: Some("1".into()), ..Rollback::default() };
    stage.sandbox.with(|world, _| world.ecs.define(&caller(), "green", "green:2", 2, Program::default()));
    for operation in [restart, Operation::Rollback(rollback)] {
        let plan = stage.plan(&operation).await.expect("a plan").plan;
        let words = format!("{:?}", plan.blockers);
        assert!(plan.empty || words.contains("stop-service-deployment"), "{operation:?}: {words}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_service_runs_on_is_read_as_ecs_tells_it() {
    let stage = stage(1).await;
    let cloud = stage.cloud().await;
    let all = cloud.ecs.all().await.expect("services").found;
    let of = |name: &str| all.iter().find(|service| service.id == ServiceId::new("main", name)).expect("there");
    for (name, words, controller) in [
        ("api", Some("FARGATE"), None),
        ("agent", Some("EC2"), None),
        ("shop", Some("FARGATE"), Some("CODE_DEPLOY")),
        ("legacy", Some("FARGATE"), Some("EXTERNAL")),
        ("gpu", Some("capacity provider gpu-instances (weight 1)"), None),
    ] {
        let service = of(name);
        assert_eq!(service.placement.words().as_deref(), words, "{name}");
        assert_eq!(service.replacing.controller.as_ref().map(|text| text.as_str()), controller, "{name}");
        assert_eq!(service.deployments.is_empty(), controller.is_some(), "task sets take their place: {name}");
    }
}
