//! `opsctl outbox list` and `show`, on the sandbox's tables.

use opsctl::sandbox::world::{Fault, FaultKind};
use serde_json::Value;

use super::ground::Ground;

fn listed(ground: &Ground, environment: &str) -> (Vec<Value>, i32) {
    let line = ["outbox", "list", "-e", environment, "--output", "json"];
    let ended = ground.opsctl(&line);
    let code = ended.code.expect("no signal");
    let data = ended.json();
    assert_eq!(data["schema"], "opsctl/outboxes/1");
    (data["outboxes"].as_array().expect("outboxes").clone(), code)
}

fn of<'a>(outboxes: &'a [Value], name: &str) -> &'a Value {
    outboxes.iter().find(|outbox| outbox["name"] == name).unwrap_or_else(|| panic!("{name} in {outboxes:?}"))
}

/// Rows in a state, where they were counted one by one.
fn rows(outbox: &Value, state: &str) -> Option<u64> {
    outbox["backlog"]["counts"][state]["exactly"].as_u64()
}

#[test]
fn the_list_says_what_waits_what_failed_and_who_sleeps() {
    let ground = Ground::fleet();
    let (prod, code) = listed(&ground, "prod");
    assert_eq!(code, 0);
    let cts = of(&prod, "cts");
    assert!(rows(cts, "ready").expect("counted") >= 5, "{cts}");
    assert_eq!((rows(cts, "failed"), &cts["relay"]), (Some(5), &Value::from("asleep")), "{cts}");
    assert!(cts["relay_words"].as_str().expect("words").contains("cts-outbox-worker-every-minute is disabled"));
    let directory = of(&prod, "directory");
    assert!(directory["relay_words"].as_str().expect("words").contains("reserved concurrency is 0"), "{directory}");
    assert_eq!(rows(of(&prod, "compliance"), "stuck"), Some(5));
    let recon = of(&prod, "recon");
    assert_eq!(rows(recon, "failed"), Some(5), "{recon}");
    let staging = listed(&ground, "staging").0;
    assert_eq!(of(&staging, "offers")["relay"], "awake");
}

#[test]
fn a_database_that_has_paused_is_not_woken() {
    let ground = Ground::fleet();
    let (dev, code) = listed(&ground, "dev");
    // That is known of it, so the list is whole.
    assert_eq!(code, 0);
    let cts = of(&dev, "cts");
    assert_eq!((&cts["trouble"], &cts["backlog"]), (&Value::from("paused"), &Value::Null));
    assert_eq!(rows(of(&dev, "offers"), "ready"), Some(5));
    for _ in 0..2 {
        let shown = ground.opsctl(&["status", "-e", "dev"]);
        assert!(shown.out.contains("outbox offers"), "{shown:?}");
    }
    assert_eq!(of(&listed(&ground, "dev").0, "cts")["trouble"], "paused", "a status wakes nothing either");
}

#[test]
fn whoever_asks_for_a_paused_database_waits_until_it_resumes() {
    let ground = Ground::fleet();
    let shown = ground.opsctl(&["outbox", "show", "recon", "-e", "dev"]).expect(0);
    assert!(shown.err.contains("the database may be resuming after a pause; waiting up to 60 s"), "{shown:?}");
    assert!(shown.out.contains("STATE"), "{shown:?}");
}

#[test]
fn a_paused_database_is_waited_for_over_the_data_api_too() {
    let ground = Ground::fleet();
    let shown = ground.opsctl(&["outbox", "show", "directory", "-e", "dev"]).expect(0);
    assert!(shown.err.contains("waiting up to 60 s"), "{shown:?}");
    assert!(shown.out.contains("STATE"), "{shown:?}");
}

#[test]
fn rows_are_listed_by_state_and_one_is_shown_with_its_payload() {
    let ground = Ground::fleet();
    let line = ["outbox", "show", "cts", "-e", "prod", "--output", "json"];
    let failed = ground.opsctl(&[&line[..], &["--rows", "failed"]].concat()).expect(0).json();
    let failed = failed["rows"].as_array().expect("rows");
    assert_eq!(failed.len(), 5);
    let ages: Vec<i64> = failed.iter().filter_map(|row| row["age_seconds"].as_i64()).collect();
    assert!(ages.windows(2).all(|two| two[0] >= two[1]), "the oldest first: {ages:?}");
    let id = failed[0]["id"][0].as_str().expect("an id");
    let row = ground.opsctl(&[&line[..], &["--row", id]].concat()).expect(0).json();
    assert_eq!((&row["state"], &row["group"]), (&Value::from("failed"), &failed[0]["group"]));
    assert!(row["body"].as_str().expect("a body").contains("\"envelope\""), "{row}");
    let none = ground.opsctl(&[&line[..], &["--row", "no-such-row"]].concat()).expect(1);
    assert!(none.shown().contains("no row has the id no-such-row"), "{}", none.shown());
    let unknown = ground.opsctl(&["outbox", "show", "ct", "-e", "prod"]).expect(2);
    assert!(unknown.shown().contains("cts"), "{}", unknown.shown());
}

#[test]
fn outboxes_and_what_runs_their_relays_are_completed_without_asking() {
    let ground = Ground::fleet();
    let calls = "*:*";
    ground.sandbox.with(|world, _| {
        world.faults.add(Fault { call: calls.to_owned(), queue: None, nth: 1, times: 99, kind: FaultKind::Hang });
    });
    for (words, expected) in [
        (&["outbox", "show", ""][..], "directory"),
        (&["outbox", "list", "dir"], "directory"),
        (&["outbox", "replay", "--outbox", ""], "compliance"),
        (&["outbox", "detect", "--connection", ""], "storo_cts"),
        (&["rule", "enable", "cts"], "cts-outbox-worker-every-minute"),
        (&["concurrency", "restore", "dir"], "directory-outbox-worker"),
    ] {
        let line = [&["--sandbox", "-e", "prod"], words].concat();
        let mut command = ground.command(&[&["--", "opsctl"], &line[..]].concat());
        command.env("COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", line.len().to_string());
        command.env("_CLAP_COMPLETE_COMP_TYPE", "9").env("_CLAP_COMPLETE_SPACE", "true").env("_CLAP_IFS", "\n");
        let ended = ground.ended(command.output().expect("started")).expect(0);
        assert!(ended.out.lines().any(|name| name == expected), "{words:?}: {ended:?}");
    }
}

#[test]
fn what_wakes_a_relay_that_sleeps_is_named() {
    let ground = Ground::fleet();
    for (outbox, command) in [
        ("cts", "rule enable cts-outbox-worker-every-minute"),
        ("directory", "concurrency restore directory-outbox-worker"),
    ] {
        let ended = ground.opsctl(&["outbox", "show", outbox, "-e", "prod"]).expect(0);
        assert!(ended.shown().contains(command), "{}", ended.shown());
    }
    let failed = ground.opsctl(&["outbox", "show", "recon", "-e", "prod"]).expect(0).shown();
    assert!(
        failed.contains("failed, error UnsupportedFormatError: … has no schema in version …: 5 of 5 sampled"),
        "{failed}"
    );
}

/// Every call on the wire of `sandbox serve`: the Data API's own errors, types and transactions, not another way into the world.
#[test]
fn an_outbox_is_listed_shown_and_replayed_over_the_data_api() {
    let ground = Ground::fleet();
    let (prod, code) = listed(&ground, "prod");
    assert_eq!(code, 0);
    assert_eq!(rows(of(&prod, "directory"), "failed"), Some(5), "{prod:?}");
    let line = ["outbox", "show", "directory", "-e", "prod", "--output", "json"];
    let shown = ground.opsctl(&line).expect(0).json();
    assert_eq!(shown["backlog"]["counts"]["failed"]["exactly"], 5, "{shown}");
    assert_eq!(shown["wake"], "opsctl concurrency restore directory-outbox-worker --env prod --sandbox", "{shown}");
    let failed = ground.opsctl(&[&line[..], &["--rows", "failed"]].concat()).expect(0).json();
    let id = failed["rows"][0]["id"][0].as_str().expect("an id").to_owned();
    let row = ground.opsctl(&[&line[..], &["--row", &id]].concat()).expect(0).json();
    assert!(row["error"].as_str().expect("an error").contains("ThrottlingException"), "{row}");
    assert!(row["body"].as_str().expect("a body").contains("envelope"), "{row}");
    let replay = ["outbox", "replay", "--outbox", "directory", "-e", "prod", "--wait", "0s"];
    // What `show` prints is a list of ids, and ids of no row are named.
    let listed = ground.file("rows.json", &failed.to_string());
    let planned = |ids: &std::path::Path| {
        let ids = ["--ids", ids.to_str().expect("UTF-8"), "--dry-run", "--output", "json"];
        ground.opsctl(&[&replay[..], &ids].concat()).expect(0).json()
    };
    let plan = planned(&listed);
    assert_eq!(plan["messages_estimate"], failed["rows"].as_array().expect("rows").len(), "{plan}");
    let plan = planned(&ground.file("ids.txt", &format!("id\n'{id}',\n6f1d3f1e-0000-4000-8000-0000000000ff\n")));
    assert_eq!(plan["messages_estimate"], 1, "{plan}");
    assert!(plan["warnings"].to_string().contains("6f1d3f1e-0000-4000-8000-0000000000ff"), "{plan}");
    let plan = ground.opsctl(&[&replay[..], &["--dry-run", "--output", "json"]].concat()).expect(0).json();
    let fingerprint = plan["fingerprint"].as_str().expect("a fingerprint").to_owned();
    let reason = ["--approve", &fingerprint, "--reason", "test", "--output", "json"];
    let report = ground.opsctl(&[&replay[..], &reason].concat()).expect(0).json();
    assert_eq!(report["details"]["done"], 5, "{report}");
    let after = ground.opsctl(&line).expect(0).json();
    assert_eq!(after["backlog"]["counts"]["failed"]["exactly"], 0, "{after}");
}
