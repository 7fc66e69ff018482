//! `opsctl redrive`, `purge`, `restore`, `apply`, `runs`, `journal`.

use super::ground::{DEV, Ground};

const REDRIVE: [&str; 6] = ["redrive", "-e", "dev", "--queue", "orders-dlq", "--engine"];

fn ground(messages: usize) -> Ground {
    let ground = Ground::quick();
    ground.pair(DEV, "orders");
    (0..messages).for_each(|number| ground.dead_letter("orders", &format!(r#"{{"orderId":{number}}}"#)));
    ground
}

#[test]
fn a_dry_run_shows_the_plan_and_changes_nothing() {
    let ground = ground(3);
    let shown = ground.opsctl(&[&REDRIVE[..], &["client", "--dry-run"]].concat());
    let shown = shown.expect(0);
    for part in
        ["move ~3 messages from orders-dlq to orders", "client-side, as asked for", "~1 sqs:SendMessage on orders"]
    {
        assert!(shown.out.contains(part), "{part}: {shown:?}");
    }
    assert_eq!((ground.count("orders-dlq"), ground.count("orders")), (3, 0));
    assert!(!ground.home.path().join("state").exists(), "a dry run writes no journal");
}

#[test]
fn a_redrive_moves_reports_and_is_journalled() {
    let ground = ground(25);
    let report = ground.opsctl(&[&REDRIVE[..], &["client", "--yes", "--output", "json"]].concat()).expect(0).json();
    assert_eq!((report["schema"].as_str(), report["end"].as_str()), (Some("opsctl/report/2"), Some("done")));
    assert_eq!(report["details"]["moved"], 25);
    assert_eq!((ground.count("orders-dlq"), ground.count("orders")), (0, 25));
    let run = report["run"].as_str().expect("a run");
    insta::assert_snapshot!(ground.opsctl(&["runs"]).shown(), @r#"
        exit 0
        -- out
        RUN                     ENV  OPERATION  QUEUE       END
        <run>  dev  redrive    orders-dlq  done
        -- err
        "#);
    let verified = ground.opsctl(&["journal", "verify", run]).expect(0);
    assert!(verified.out.contains("good: "), "{verified:?}");
    let shown = ground.opsctl(&["journal", "show", run]).expect(0);
    assert!(shown.out.contains("opened by tester (yes)") && shown.out.contains("ended: done"), "{shown:?}");
    let exported = ground.opsctl(&["journal", "export", run]).expect(0);
    assert!(exported.out.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
}

#[test]
fn a_source_finds_its_dead_letter_queue_and_nothing_to_do_is_done() {
    let ground = ground(0);
    let ended = ground.opsctl(&["redrive", "-e", "dev", "--queue", "orders", "--yes"]).expect(0);
    assert!(ended.err.contains("orders-dlq"), "{ended:?}");
}

#[test]
fn a_purge_can_be_restored() {
    let ground = ground(12);
    let purge = ["purge", "-e", "dev", "--queue", "orders-dlq", "--yes", "--output", "json"];
    let report = ground.opsctl(&purge).expect(0).json();
    assert_eq!(ground.count("orders-dlq"), 0);
    let run = report["run"].as_str().expect("a run").to_owned();
    ground.opsctl(&["restore", &run, "-e", "dev", "--yes"]).expect(0);
    assert_eq!(ground.count("orders-dlq"), 12);
}

#[test]
fn a_plan_in_a_file_is_carried_out_by_somebody_else() {
    let ground = ground(5);
    let plan = ground.home.path().join("plan.json");
    let path = plan.to_str().expect("UTF-8");
    ground.opsctl(&[&REDRIVE[..], &["client", "--plan-out", path]].concat()).expect(0);
    assert_eq!(ground.count("orders-dlq"), 5);
    ground.opsctl(&["apply", path, "--yes"]).expect(0);
    assert_eq!((ground.count("orders-dlq"), ground.count("orders")), (0, 5));
}

#[test]
fn a_plan_that_was_written_by_hand_is_refused() {
    let ground = ground(1);
    let path = ground.home.path().join("plan.json");
    let name = path.to_str().expect("UTF-8").to_owned();
    ground.opsctl(&[&REDRIVE[..], &["client", "--plan-out", &name]].concat()).expect(0);
    let text = std::fs::read_to_string(&path).expect("a plan");
    std::fs::write(&path, text.replace("\"orders-dlq\"", "\"other-dlq\"")).expect("written");
    let refused = ground.opsctl(&["apply", &name, "--yes"]).expect(3);
    assert!(refused.err.contains("not sound"), "{refused:?}");
}

#[test]
fn a_misspelt_queue_is_suggested() {
    let shown = ground(1).opsctl(&["redrive", "-e", "dev", "--queue", "order-dlq", "--yes"]);
    insta::assert_snapshot!(shown.shown(), @r#"
        exit 2
        -- out
        -- err
        sandbox: joined the one at <url> (seed 7)
        error: there is no queue order-dlq in dev (af-south-1)
        try: did you mean orders-dlq, orders?
        "#);
}
