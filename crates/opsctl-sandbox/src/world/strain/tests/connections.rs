use serde_json::json;

use super::{Scene, service};

const POOL: &str = "pool = { connections = 5, connections_max = 20, warm_seconds = 20 }";
const SERVICES: [&str; 6] = ["auth", "bff", "catalogue", "offers", "orders-api", "search"];

fn asleep() -> Scene {
    let services: Vec<String> = SERVICES.iter().map(|name| service(name, 0, POOL)).collect();
    Scene::new("limits = { connections = 100 }", &services.concat())
}

fn replaced(scene: &mut Scene) -> usize {
    SERVICES.map(|name| scene.events(name)).iter().flatten().filter(|event| event.contains("is unhealthy in")).count()
}

/// Services whose targets are all healthy.
fn healthy(scene: &mut Scene) -> usize {
    let healthy = SERVICES.map(|name| {
        let arn = scene.world.balance(&super::caller(), "none", name, &format!("{name}-prod"), 8080);
        let form = [("TargetGroupArn".to_owned(), arn)].into();
        let told =
            scene.world.ask_form(scene.now(), &super::caller(), ("elasticloadbalancing", "DescribeTargetHealth"), form);
        told.expect("told").contains("<State>healthy</State>")
    });
    healthy.into_iter().filter(|is_healthy| *is_healthy).count()
}

#[test]
fn services_that_wake_at_once_ask_for_too_many_connections_and_never_get_warm() {
    let mut scene = asleep();
    SERVICES.iter().for_each(|name| scene.scale(name, 1));
    scene.pass(900);
    let early = replaced(&mut scene);
    assert!(early >= 6, "{early}");
    assert!((90.0..=100.0).contains(&scene.metric("DatabaseConnections")), "{}", scene.metric("DatabaseConnections"));
    scene.pass(1_800);
    assert!(replaced(&mut scene) > early, "it does not end by itself");
    let lines = scene.lines("/aws/ecs/auth");
    assert!(lines.iter().any(|line| line == "FATAL: sorry, too many clients already"), "{lines:?}");
    // Half of them sleep again, and wake when the others are warm.
    SERVICES[3..].iter().for_each(|name| scene.scale(name, 0));
    scene.pass(240);
    SERVICES[3..].iter().for_each(|name| scene.scale(name, 1));
    scene.pass(240);
    assert_eq!(healthy(&mut scene), 6);
    let then = replaced(&mut scene);
    scene.pass(1_200);
    assert_eq!((replaced(&mut scene), healthy(&mut scene)), (then, 6), "and it stays so");
    assert_eq!(scene.metric("DatabaseConnections"), 30.0);
}

#[test]
fn services_that_wake_in_stages_are_all_healthy() {
    let mut scene = asleep();
    for stage in SERVICES.chunks(3) {
        stage.iter().for_each(|name| scene.scale(name, 1));
        scene.pass(90);
    }
    assert_eq!((replaced(&mut scene), healthy(&mut scene)), (0, 6));
    scene.pass(1_200);
    assert_eq!((replaced(&mut scene), healthy(&mut scene)), (0, 6));
}

#[test]
fn a_deployment_is_complete_once_its_tasks_are_warm() {
    let mut scene = Scene::new("", &service("auth", 2, POOL));
    scene.ok("ecs", "UpdateService", json!({ "cluster": "main", "service": "auth", "forceNewDeployment": true }));
    let mut running = 0;
    for _ in 0..90 {
        scene.pass(1);
        let told = scene.ok("ecs", "DescribeServices", json!({ "cluster": "main", "services": ["auth"] }));
        let primary = &told["services"][0]["deployments"][0];
        let is_complete = primary["rolloutState"] == "COMPLETED";
        running += i32::from(primary["runningCount"] == 2);
        assert!(!is_complete || running >= 20, "complete after {running} s");
        if is_complete {
            return;
        }
    }
    panic!("it never completes");
}

#[test]
fn without_a_limit_all_may_wake_at_once() {
    let services: Vec<String> = SERVICES.iter().map(|name| service(name, 0, POOL)).collect();
    let mut scene = Scene::new("", &services.concat());
    SERVICES.iter().for_each(|name| scene.scale(name, 1));
    scene.pass(120);
    assert_eq!((replaced(&mut scene), healthy(&mut scene)), (0, 6));
}
