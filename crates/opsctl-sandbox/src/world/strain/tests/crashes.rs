use serde_json::json;

use super::{Scene, queue, service};
use crate::world::PutMessage;

fn scene() -> Scene {
    let consumer = "rate_per_second = 20.0\nservice = \"main/worker\"\ncrashing_on = \"poison\"";
    let producer =
        "visibility_seconds = 10\nreceives_max = 1000\nproducer = { template = \"order\", rate_per_second = 2.0 }";
    let services = service("worker", 2, "").replace("load_balancer_port = 8080\n", "");
    Scene::new("", &format!("{services}{}", queue("work", producer, consumer)))
}

fn poison(scene: &mut Scene) {
    scene
        .world
        .put(scene.now(), &super::caller(), "work", PutMessage::new("{\"poison\":true}".to_owned()))
        .expect("put");
}

/// Tasks that died in the last so many seconds.
fn died(scene: &mut Scene, seconds: i64) -> usize {
    let since = (scene.now().as_second() - seconds) as f64;
    let tasks = scene.tasks(("serviceName", "worker"), "STOPPED");
    let recent = tasks.iter().filter(|task| task["stoppingAt"].as_f64().is_some_and(|at| at >= since));
    recent.filter(|task| task["containers"][0]["exitCode"] == 2).count()
}

#[test]
fn a_poison_message_kills_one_task_after_the_other_with_growing_pauses() {
    let mut scene = scene();
    scene.pass(120);
    assert!(scene.counts("work").visible < 10);
    poison(&mut scene);
    scene.pass(600);
    let early = died(&mut scene, 600);
    assert!(early >= 6, "{early}");
    scene.pass(3_000);
    let late = died(&mut scene, 600);
    assert!(late < early, "{early} in the first ten minutes, {late} in the last");
    assert!(scene.events("worker").iter().any(|event| event.contains("unable to consistently start tasks")));
    assert!(scene.counts("work").visible > 1_000, "{:?}", scene.counts("work"));
    assert_eq!(scene.counts("work-dlq").visible, 0);
    let lines = scene.lines("/aws/ecs/worker");
    assert!(lines.iter().any(|line| line.starts_with("panic: ")), "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains("poison")), "no line names the message");
    let heads = scene.world.messages(super::ACCOUNT, super::REGION, "work");
    let most = heads.max_by_key(|message| message.receive_count).expect("messages");
    assert!(most.body.contains("poison") && most.receive_count > 5, "its receive count tells: {}", most.receive_count);
    // A restart is in vain; parking the one message is not.
    scene.ok("ecs", "UpdateService", json!({ "cluster": "main", "service": "worker", "forceNewDeployment": true }));
    scene.pass(300);
    assert!(died(&mut scene, 300) >= 1);
    let caller = super::caller();
    let mut parked = false;
    for _ in 0..600 {
        scene.pass(1);
        let taken = scene.world.take(scene.now(), &caller, "work", 10, Some(0)).expect("taken");
        if let Some(one) = taken.iter().find(|one| one.body.contains("poison")) {
            parked = scene.world.remove(scene.now(), &caller, "work", &one.receipt_handle).is_ok();
            break;
        }
    }
    assert!(parked);
    scene.pass(3_600);
    assert_eq!(died(&mut scene, 1_500), 0);
    assert!(scene.counts("work").visible < 10, "{:?}", scene.counts("work"));
}
