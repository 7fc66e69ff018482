//! `opsctl queues`.

use std::time::{Duration, Instant};

use opsctl::sandbox::world::{Denial, Fault, FaultKind};
use serde_json::json;

use super::ground::{DEV, Ground, caller};

#[test]
fn full_dead_letter_queues_come_first_and_relations_are_told() {
    let ground = Ground::new();
    ground.pair(DEV, "orders");
    ground.pair(DEV, "payments");
    ground.queue("mail", &[]);
    ground.queue("lambda-dlq", &[]);
    ground.queue("moves.fifo", &[("FifoQueue", "true")]);
    ground.dead_letter("payments", "x");
    insta::assert_snapshot!(ground.opsctl(&["queues", "-e", "dev"]).shown(), @r#"
        exit 0
        -- out
        ENV  NAME          TYPE      ~VISIBLE  ~IN FLIGHT  ~DELAYED  OLDEST  DEAD LETTERS
        dev  payments-dlq  standard        ~1          ~0        ~0       -  of payments
        dev  lambda-dlq    standard        ~0          ~0        ~0       -  of no queue (by its name)
        dev  orders-dlq    standard        ~0          ~0        ~0       -  of orders
        dev  mail          standard        ~0          ~0        ~0       -
        dev  moves.fifo    fifo            ~0          ~0        ~0       -
        dev  orders        standard        ~0          ~0        ~0       -  go to orders-dlq after 3 receives
        dev  payments      standard        ~0          ~0        ~0       -  go to payments-dlq after 3 receives
        -- err
        sandbox: joined the one at <url> (seed 7)
        "#);
    insta::assert_snapshot!(ground.opsctl(&["queues", "-e", "dev", "--dlq", "*s-dlq"]).shown(), @r#"
        exit 0
        -- out
        ENV  NAME          TYPE      ~VISIBLE  ~IN FLIGHT  ~DELAYED  OLDEST  DEAD LETTERS
        dev  payments-dlq  standard        ~1          ~0        ~0       -  of payments
        dev  orders-dlq    standard        ~0          ~0        ~0       -  of orders
        -- err
        sandbox: joined the one at <url> (seed 7)
        "#);
    insta::assert_snapshot!(ground.opsctl(&["queues", "-e", "staging"]).shown(), @r#"
        exit 0
        -- out
        -- err
        sandbox: joined the one at <url> (seed 7)
        no queue fits
        "#);
}

#[test]
fn queues_in_json_name_their_schema() {
    let ground = Ground::new();
    ground.pair(DEV, "orders");
    let answer = ground.opsctl(&["queues", "--output", "json"]).expect(0).json();
    assert_eq!(answer["schema"], "opsctl/queues/1");
    assert_eq!(answer["queues"][0]["name"], "orders-dlq");
    assert_eq!(answer["queues"][0]["dead_letters"]["sources"][0], "orders");
    assert_eq!(answer["queues"][1]["receives_max"], 3);
    let lines = ground.opsctl(&["queues", "--output", "jsonl"]).expect(0).out;
    assert_eq!(lines.lines().count(), 2);
    for line in lines.lines() {
        let row: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(row["schema"], "opsctl/queue/1");
    }
}

#[test]
fn the_age_of_the_oldest_message_is_shown_and_its_lack_explained() {
    let ground = Ground::new();
    ground.pair(DEV, "orders");
    ground.dead_letter("orders", "x");
    ground.queue("mail", &[]);
    let unknown = ground.opsctl(&["queues", "orders-dlq", "--output", "json"]).expect(0).json();
    let row = &unknown["queues"][0];
    assert_eq!(
        (&row["oldest_seconds"], &row["oldest_unknown"]),
        (&json!(null), &json!("CloudWatch has no sample of it"))
    );
    ground.sandbox.with(|world, now| world.begin_metrics(now));
    let known = ground.opsctl(&["queues", "orders-dlq", "--output", "json"]).expect(0).json();
    let row = &known["queues"][0];
    assert_eq!((&row["oldest_seconds"], &row["oldest_at"]), (&json!(3_540), &json!("2026-11-21T02:58:00Z")));
    let shown = ground.opsctl(&["queues", "*-dlq"]).expect(0).out;
    assert!(shown.contains("OLDEST") && shown.contains("59 min"), "{shown}");
    let denial = Denial { account: "*".to_owned(), queue: "*".to_owned(), action: "cloudwatch:*".to_owned() };
    ground.sandbox.with(|world, _| world.denials.push(denial));
    let denied = ground.opsctl(&["queues", "orders-dlq", "-v"]).expect(0);
    assert!(denied.out.contains("orders-dlq") && denied.err.contains("cloudwatch:GetMetricData"), "{denied:?}");
}

#[test]
fn a_cloudwatch_that_hangs_hides_and_delays_no_queue() {
    let ground = Ground::new();
    ground.pair(DEV, "orders");
    ground.dead_letter("orders", "x");
    let call = "cloudwatch:*".to_owned();
    let fault = Fault { call, queue: None, nth: 1, times: 99, kind: FaultKind::Hang };
    ground.sandbox.with(|world, _| world.faults.add(fault));
    let started_at = Instant::now();
    let answer = ground.opsctl(&["queues", "-e", "dev", "--output", "json"]).expect(0).json();
    assert!(started_at.elapsed() < Duration::from_secs(4), "{:?}", started_at.elapsed());
    assert_eq!(answer["queues"][0]["oldest_unknown"], "CloudWatch did not answer in time");
}

#[test]
fn a_misspelt_environment_is_suggested() {
    insta::assert_snapshot!(Ground::new().opsctl(&["queues", "--env", "stagign"]).shown(), @r#"
        exit 2
        -- out
        -- err
        error: there is no environment stagign
        try: did you mean staging?
        "#);
}

#[test]
fn of_1500_queues_each_has_its_row_and_each_denied_one_its_reason() {
    let ground = Ground::new();
    ground.sandbox.with(|world, now| {
        for number in 0..1_500 {
            let sort = if number % 2 == 0 { "open" } else { "shut" };
            world.create(now, &caller(DEV), &format!("{sort}-{number:04}"), &[]).expect("created");
        }
        let (account, action) = (DEV.to_owned(), "GetQueueAttributes".to_owned());
        world.denials.push(Denial { account, queue: "shut-*".to_owned(), action });
    });
    let answer = ground.opsctl(&["queues", "-e", "dev", "--output", "json"]).expect(0).json();
    let rows = answer["queues"].as_array().expect("rows");
    assert_eq!(rows.len(), 1_500);
    for row in rows {
        let is_shut = row["name"].as_str().expect("a name").starts_with("shut");
        let reason = row["error"]["what"].as_str().unwrap_or_default();
        assert_eq!(is_shut, reason.contains("sqs:GetQueueAttributes") && reason.contains("AccessDenied"), "{row}");
    }
}

#[test]
fn queues_are_asked_about_side_by_side() {
    let ground = Ground::with_latency(Duration::from_millis(10));
    ground.sandbox.with(|world, now| {
        for number in 0..500 {
            world.create(now, &caller(DEV), &format!("queue-{number:03}"), &[]).expect("created");
        }
    });
    let started_at = Instant::now();
    ground.opsctl(&["queues", "-e", "dev"]).expect(0);
    let took = started_at.elapsed();
    // One after the other: 5 s and more. The bench measures an optimised build.
    assert!(took < Duration::from_secs(4), "{took:?}");
}

#[test]
fn a_dead_environment_does_not_hide_the_others() {
    let ground = Ground::new();
    ground.pair(DEV, "orders");
    let url =
        ground.opsctl(&["queues", "-e", "dev", "--output", "json"]).expect(0).json()["queues"][0]["url"].to_string();
    assert!(url.contains("orders"), "{url}");
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let state = std::fs::read_to_string(ground.home.path().join("run/opsctl/sandbox.json")).expect("a state file");
    let state: serde_json::Value = serde_json::from_str(&state).expect("JSON");
    let file = ground.file(
        "opsctl.toml",
        &format!(
            "[defaults]\nregion = \"af-south-1\"\nprotection = \"confirm\"\n\
             [environments.alive]\naccount = \"{DEV}\"\nendpoint = {}\n\
             [environments.dead]\naccount = \"222222222222\"\nendpoint = \"http://{free}\"\n",
            state["url"]
        ),
    );
    let run = |words: &[&str]| {
        let mut command = ground.command(words);
        command.env("AWS_ACCESS_KEY_ID", DEV).env("AWS_SECRET_ACCESS_KEY", "x").env("OPSCTL_CONFIG", &file);
        ground.ended(command.output().expect("started"))
    };
    let both = run(&["queues"]).expect(1);
    assert!(both.out.contains("orders-dlq"), "{both:?}");
    assert!(both.err.contains("warning: dead: sqs:ListQueues failed"), "{both:?}");
    let dead = run(&["queues", "-e", "dead"]).expect(1);
    assert!(dead.out.is_empty() && dead.err.contains("try: check that something listens"), "{dead:?}");
}
