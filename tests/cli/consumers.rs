//! `opsctl consumers`.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use opsctl::sandbox::world::{
    actors::{Behaviour, Consumer, Worker},
    lambda::{Mapping, State},
    template::Place,
};

use super::{
    ground::{DEV, Ground, REGION},
    services::service,
};

/// A mapping of a queue of `dev`, with a consumer that works by it.
pub(super) fn mapping(ground: &Ground, function: &str, queue: &str, state: State) -> String {
    ground.sandbox.with(|world, now| {
        let mut mapping = Mapping::new(function, &format!("arn:aws:sqs:{REGION}:{DEV}:{queue}"), now);
        mapping.state = state;
        let id = world.lambda.put(DEV, REGION, mapping);
        let worker = Worker::Mapping(id.clone());
        let consumer = Consumer { behaviour: Behaviour::Healthy, rate_per_second: 50.0, worker, ..Consumer::default() };
        let place = Place { environment: "dev".into(), account: DEV.into(), region: REGION.into() };
        world.actors.add(now, place, queue, consumer);
        id
    })
}

#[test]
fn who_takes_messages_is_listed_with_who_paused_it() {
    let ground = Ground::quick();
    ground.pair(DEV, "valid_orders");
    ground.pair(DEV, "cts-commands");
    mapping(&ground, "orders-processor", "valid_orders", State::Enabled);
    let audit = mapping(&ground, "audit", "valid_orders", State::Disabled);
    ground.sandbox.with(|world, now| {
        let found = world.lambda.mapping(now, DEV, REGION, &audit).expect("there");
        found.last_result = Some("PROBLEM: \u{1b}[2J\u{202e}Function call failed".to_owned());
        found.reason = "Lambda can't decrypt \u{7}the environment".to_owned();
    });
    let paused = ground.opsctl(&["consumers", "pause", "-e", "dev", "--queue", "valid_orders", "--yes"]).expect(0);
    assert!(paused.out.contains("orders-processor: paused, after"), "{paused:?}");
    assert!(paused.out.contains("opsctl consumers resume --queue valid_orders"), "{paused:?}");
    let listed = ground.opsctl(&["consumers", "-e", "dev"]).expect(0);
    assert!(listed.out.contains("PROBLEM: ␛[2J"), "{listed:?}");
    assert!(!listed.out.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{listed:?}");
    let line = listed.out.lines().find(|line| line.contains("orders-processor")).expect("listed");
    assert!(line.contains("paused") && line.contains("paused by 2"), "{line}");
    let seen = ground.opsctl(&["consumers", "list", "valid*", "-e", "dev", "--output", "json"]).expect(0);
    let rows = seen.json()["consumers"].as_array().cloned().expect("rows");
    assert_eq!(rows.iter().filter(|row| row["paused_by"].is_string()).count(), 1, "{rows:?}");
    assert!(rows.iter().all(|row| row["kind"] == "mapping" && row["takes"] == false), "{rows:?}");
    let resumed = ground.opsctl(&["consumers", "resume", "-e", "dev", "--yes", "--output", "json"]).expect(0);
    let mappings = resumed.json()["details"]["mappings"].as_array().cloned().expect("mappings");
    assert_eq!((mappings.len(), &mappings[0]["state"]), (1, &"enabled".into()), "{mappings:?}");
    let again = ground.opsctl(&["consumers", "resume", "-e", "dev", "--yes"]).expect(0);
    assert!(again.err.contains("There is nothing to do."), "{again:?}");
    let unknown = ground.opsctl(&["consumers", "pause", "-e", "dev", "--queue", "valid_order"]).expect(2);
    assert!(unknown.err.contains("did you mean valid_orders"), "{unknown:?}");
    let lines = ground.opsctl(&["consumers", "-e", "dev", "--output", "jsonl"]).expect(0);
    assert_eq!(lines.out.lines().filter(|line| line.contains("opsctl/consumer/1")).count(), 2, "{lines:?}");
}

#[test]
fn workers_of_the_configuration_are_consumers() {
    let ground = Ground::quick();
    ground.pair(DEV, "cts-commands");
    // The built-in environments name this service for that queue.
    super::services::service_of(&ground, "nucleus-dev", "transfers-worker", 2);
    service(&ground, "api", 2);
    let listed = ground.opsctl(&["consumers", "-e", "dev"]).expect(0);
    assert!(
        listed.out.contains("service nucleus-dev/transfers-worker") && listed.out.contains("2 of 2 run"),
        "{listed:?}"
    );
    assert!(!listed.out.contains("api"), "{listed:?}");
    let pause = ["consumers", "pause", "-e", "dev", "--queue", "cts-commands"];
    let plan = ground.opsctl(&[&pause[..], &["--dry-run"]].concat()).expect(0);
    assert!(plan.out.contains("takes messages of cts-callbacks as well"), "{plan:?}");
    assert!(plan.out.contains("autoscaling (2 to 4) may wake it"), "{plan:?}");
    ground.opsctl(&[&pause[..], &["--yes"]].concat()).expect(0);
    let listed = ground.opsctl(&["consumers", "-e", "dev"]).expect(0);
    assert!(listed.out.contains("at zero") && listed.out.contains("paused by"), "{listed:?}");
    let redrive =
        ["redrive", "-e", "dev", "--queue", "cts-commands-dlq", "--pause-consumers", "--ramp", "1,all", "--yes"];
    ground.dead_letter("cts-commands", "{}");
    let refused = ground.opsctl(&redrive).expect(3);
    assert!(refused.err.contains("--ramp all"), "{refused:?}");
}

#[test]
fn what_is_denied_is_told_and_the_rest_shown() {
    let ground = Ground::new();
    ground.pair(DEV, "cts-commands");
    super::services::service_of(&ground, "nucleus-dev", "transfers-worker", 1);
    let denial = serde_json::from_value(serde_json::json!({ "action": "lambda:*" })).expect("a denial");
    ground.sandbox.with(|world, _| world.denials.push(denial));
    let listed = ground.opsctl(&["consumers", "-e", "dev"]).expect(0);
    assert!(listed.err.contains("allow lambda:ListEventSourceMappings"), "{listed:?}");
    assert!(listed.out.contains("transfers-worker"), "{listed:?}");
    let unknown =
        |words: &[&str]| ground.opsctl(words).expect(0).json()["unknown"].as_array().cloned().expect("a list");
    let seen = unknown(&["consumers", "-e", "dev", "--output", "json"]);
    assert_eq!((seen.len(), &seen[0]["environment"]), (1, &"dev".into()), "{seen:?}");
    assert!(seen[0]["error"]["what"].as_str().is_some_and(|what| what.contains("ListEventSource")), "{seen:?}");
    let lines = ground.opsctl(&["consumers", "-e", "dev", "--output", "jsonl"]).expect(0);
    assert!(lines.out.contains("opsctl/consumers-unknown/1"), "{lines:?}");
    let refused = ground.opsctl(&["consumers", "pause", "-e", "dev", "--queue", "cts-commands", "--yes"]).expect(3);
    assert!(refused.err.contains("the event source mappings are not known"), "{refused:?}");
}

#[test]
fn the_first_signal_says_that_consumers_come_back_and_the_second_who_does_not() {
    for (first, is_twice) in [("-INT", false), ("-HUP", false), ("-TERM", true)] {
        let ground = Ground::quick();
        ground.pair(DEV, "orders");
        (0..300).for_each(|number| ground.dead_letter("orders", &format!(r#"{{"orderId":{number}}}"#)));
        let id = mapping(&ground, "orders-processor", "orders", State::Enabled);
        let words = [
            "--sandbox",
            "redrive",
            "-e",
            "dev",
            "--queue",
            "orders-dlq",
            "--engine",
            "client",
            "--rate",
            "5",
            "--ramp",
            "all",
            "--pause-consumers",
            "--yes",
        ];
        let mut command = ground.command(&words);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
        let state =
            || ground.sandbox.with(|world, now| world.lambda.mapping(now, DEV, REGION, &id).expect("there").state);
        let deadline = Instant::now() + Duration::from_secs(30);
        while ground.count("orders-dlq") == 300 {
            assert!(Instant::now() < deadline, "nothing was moved");
            std::thread::sleep(Duration::from_millis(20));
        }
        let signal = |name: &str| {
            let sent = Command::new("kill").args([name, &child.id().to_string()]).status().expect("kill");
            assert!(sent.success());
        };
        assert_eq!(state(), State::Disabled);
        if is_twice {
            // Lambda is slow to answer: the second comes before the way back is done.
            let slow = serde_json::json!({ "call": "*EventSourceMapping", "kind": { "slow": 8 }, "times": 9 });
            let slow = serde_json::from_value(slow).expect("a fault");
            ground.sandbox.with(|world, _| world.faults.add(slow));
        }
        signal(first);
        if is_twice {
            std::thread::sleep(Duration::from_millis(300));
            signal("-INT");
        }
        let ended = ground.ended(child.wait_with_output().expect("ended")).expect(130);
        let says = ended.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(says.contains("then consumers are resumed"), "{ended:?}");
        assert!(says.contains("opsctl consumers resume --queue orders --env dev"), "{ended:?}");
        assert_eq!(says.contains("CONSUMERS ARE STILL PAUSED"), is_twice, "{ended:?}");
        assert_eq!(state() == State::Enabled, !is_twice, "{ended:?}");
    }
}
