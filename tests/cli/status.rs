//! `opsctl status`.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    net::TcpListener,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use opsctl::{
    domain::Text,
    journal::StateFolder,
    observe::acknowledged::{Acknowledged, Acknowledgement, Book, Concern},
    sandbox::world::{Denial, Fault, FaultKind},
};
use serde_json::Value;

use super::{
    alarms,
    ground::{DEV, Ended, Ground},
    services::service,
};
use crate::support::terminal::Terminal;

const PROD: &str = "333333333333";

fn letters(ground: &Ground, account: &str, count: usize) {
    (0..count).for_each(|number| ground.dead_letter_of(account, "orders", &format!("message {number}")));
}

/// A notice in `dev`, a warning in `prod`, nothing in `staging`; each is an environment of a configuration, with a profile of its own.
fn ground() -> Ground {
    let ground = Ground::new();
    let (mut config, mut keys) =
        ("[defaults]\nregion = \"af-south-1\"\nprofile = \"${env}\"\n".to_owned(), String::new());
    for (name, account) in [("dev", DEV), ("staging", "222222222222"), ("prod", PROD)] {
        let place = format!("endpoint = {:?}\nprotection = \"confirm\"", ground.url());
        config.push_str(&format!("[environments.{name}]\naccount = \"{account}\"\n{place}\n"));
        keys.push_str(&format!("[{name}]\naws_access_key_id = {account}\naws_secret_access_key = x\n"));
    }
    ground.file("opsctl.toml", &config);
    std::fs::create_dir(ground.home.path().join(".aws")).expect("made");
    ground.file(".aws/credentials", &keys);
    for (account, count) in [(DEV, 3), (PROD, 120)] {
        ground.pair(account, "orders");
        letters(&ground, account, count);
    }
    ground
}

fn deny(ground: &Ground, action: &str) {
    let denial = Denial { account: "*".to_owned(), queue: "*".to_owned(), action: action.to_owned() };
    ground.sandbox.with(|world, _| world.denials.push(denial));
}

fn hang(ground: &Ground, call: &str) {
    let fault = Fault { call: call.to_owned(), queue: None, nth: 1, times: 999, kind: FaultKind::Hang };
    ground.sandbox.with(|world, _| world.faults.add(fault));
}

fn lines(ended: &Ended) -> Vec<Value> {
    ended.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Environments of a configuration, each with its endpoint; the credentials are `dev`'s.
fn configured(ground: &Ground, environments: &[(&str, &str, &str)], words: &[&str]) -> Ended {
    let mut text = "[defaults]\nregion = \"af-south-1\"\nprotection = \"confirm\"\n".to_owned();
    for (name, account, endpoint) in environments {
        text.push_str(&format!("[environments.{name}]\naccount = \"{account}\"\nendpoint = {endpoint:?}\n"));
    }
    ground.file("opsctl.toml", &text);
    let mut command = ground.command(words);
    command.env("AWS_ACCESS_KEY_ID", DEV).env("AWS_SECRET_ACCESS_KEY", "x");
    ground.ended(command.output().expect("started"))
}

#[test]
fn the_worst_comes_first_with_the_command_that_helps() {
    let ground = ground();
    service(&ground, "api", 0);
    insta::assert_snapshot!(ground.plain(&["status"]).shown());
}

#[test]
fn scripts_read_it_from_the_exit_code() {
    let ground = ground();
    let nothing = ground.plain(&["status", "-e", "staging"]).expect(0);
    assert!(nothing.out.is_empty() && nothing.err.contains("nothing needs attention in staging"), "{nothing:?}");
    let notice = ground.plain(&["status", "-e", "dev"]).expect(0);
    assert!(notice.out.contains("notice"), "a notice is shown: {notice:?}");
    ground.plain(&["status", "-e", "dev", "--strict"]).expect(6);
    ground.plain(&["status", "-e", "prod"]).expect(6);
    ground.plain(&["status", "-e", "dev", "-e", "staging"]).expect(0);
    ground.plain(&["status", "--watch", "--output", "json"]).expect(2);
}

#[test]
fn in_json_each_verdict_has_its_command_and_what_mends_it_then() {
    let ground = ground();
    let answer = ground.plain(&["status", "--output", "json"]).expect(6).json();
    assert_eq!(answer["schema"], "opsctl/status/1");
    let first = &answer["verdicts"][0];
    assert_eq!((&first["environment"], &first["severity"]), (&"prod".into(), &"warning".into()));
    assert_eq!(first["command"], "opsctl groups --queue orders-dlq --env prod");
    assert_eq!(first["then"], "opsctl redrive --queue orders-dlq --env prod");
    assert_eq!((&first["subject"]["queue"], &first["messages"]), (&"orders-dlq".into(), &120.into()));
    let environments = answer["environments"].as_array().expect("environments");
    let needing: Vec<bool> = environments.iter().filter_map(|one| one["needs_attention"].as_bool()).collect();
    assert_eq!((needing, answer["unreachable"].clone()), (vec![false, false, true], Value::Array(Vec::new())));
    let ended = ground.plain(&["status", "--output", "jsonl"]).expect(6);
    let mut by_name: BTreeMap<String, Value> = BTreeMap::new();
    for line in lines(&ended) {
        assert_eq!(line["schema"], "opsctl/environment-status/1");
        by_name.insert(line["environment"].as_str().expect("a name").to_owned(), line);
    }
    assert_eq!(by_name["prod"]["verdicts"][0]["what"], "orders-dlq");
    assert_eq!((by_name.len(), by_name["staging"]["verdicts"].as_array().map(Vec::len)), (3, Some(0)));
}

#[test]
fn every_command_that_is_shown_works() {
    let ground = Ground::fleet();
    // On a busy machine not all of it answers in time, which is no matter here.
    let answer = ground.opsctl(&["status", "--output", "json"]).json();
    let mut tried: BTreeMap<String, String> = BTreeMap::new();
    for verdict in answer["verdicts"].as_array().expect("verdicts") {
        for which in ["command", "then"] {
            let Some(command) = verdict[which].as_str() else { continue };
            let verb = command.split(" --").next().unwrap_or_default().split(' ').nth(1).unwrap_or_default();
            tried.insert(format!("{} {which} {verb}", verdict["kind"]), command.to_owned());
        }
    }
    assert!(tried.len() >= 12, "{tried:?}");
    for (of, command) in &tried {
        let words: Vec<&str> = command.split(' ').skip(1).collect();
        let changes = ["redrive", "wake", "rule", "concurrency", "replay", "failover"];
        let is_change = words.iter().any(|word| changes.contains(word));
        let dry: &[&str] = if is_change { &["--dry-run"] } else { &[] };
        let ended = ground.plain(&[&words[..], dry].concat());
        assert_eq!(ended.code, Some(0), "{of}: {command}: {ended:?}");
        assert!(!ended.out.is_empty(), "{of}: {command} shows nothing: {ended:?}");
    }
}

#[test]
fn what_is_shown_in_a_read_only_environment_is_not_refused_there() {
    let ground = ground();
    let config = std::fs::read_to_string(ground.home.path().join("opsctl.toml")).expect("a configuration");
    ground.file("opsctl.toml", &config.replace("protection = \"confirm\"", "protection = \"read-only\""));
    service(&ground, "api", 0);
    let answer = ground.plain(&["status", "--output", "json"]).expect(6).json();
    let verdicts = answer["verdicts"].as_array().expect("verdicts");
    assert_eq!(verdicts.len(), 3, "{answer}");
    for verdict in verdicts {
        assert_eq!(verdict["then"], Value::Null, "{verdict}");
        let command = verdict["command"].as_str().expect("a command");
        let words: Vec<&str> = command.split(' ').skip(1).collect();
        assert!(!ground.plain(&words).expect(0).out.is_empty(), "{command}");
    }
}

#[test]
fn several_environments_are_named_before_and_after_the_command() {
    let ground = ground();
    let named = |words: &[&str]| {
        let answer = ground.plain(&[words, &["--output", "json"]].concat()).json();
        let environments = answer["environments"].as_array().expect("environments").iter();
        environments.map(|one| one["environment"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(named(&["status", "-e", "prod", "--env", "dev"]), ["dev", "prod"], "in the configuration's order");
    assert_eq!(named(&["-e", "prod", "status", "-e", "dev", "-e", "dev"]), ["dev", "prod"]);
    assert_eq!(named(&["--env=staging", "status"]), ["staging"]);
    let wrong = ground.plain(&["status", "-e", "dev", "-e", "prd"]).expect(2);
    assert!(wrong.err.contains("there is no environment prd") && wrong.err.contains("did you mean prod?"), "{wrong:?}");
}

#[test]
fn an_environment_that_fails_is_named_and_the_others_are_shown() {
    let ground = ground();
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let dead = format!("http://{free}");
    for (other, says) in [
        (("other", PROD, ground.url()), "the credentials are of account 111111111111, and other is pinned to"),
        (("other", DEV, dead.as_str()), "try: check that something listens at"),
    ] {
        let environments = [("dev", DEV, ground.url()), other];
        let shown = configured(&ground, &environments, &["status"]).expect(1);
        assert!(shown.out.contains("orders-dlq") && shown.err.contains(says), "{shown:?}");
        assert!(!shown.out.contains("other"), "{shown:?}");
        let json = configured(&ground, &environments, &["status", "--output", "json"]).expect(1).json();
        assert_eq!(json["unreachable"][0]["environment"], "other", "{json}");
        let last = lines(&configured(&ground, &environments, &["status", "--output", "jsonl"]).expect(1)).pop();
        assert_eq!(last.expect("a line")["schema"], "opsctl/unreachable/1");
    }
    let mut command = ground.command(&["status"]);
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    ground.file(
        "opsctl.toml",
        &format!("[environments.dev]\naccount = \"{DEV}\"\nregion = \"af-south-1\"\nprofile = \"none\"\n"),
    );
    let without = ground.ended(command.output().expect("started"));
    assert!(without.out.is_empty() && without.err.contains("profile none"), "{without:?}");
    assert_eq!(without.code, Some(1), "{without:?}");
}

#[test]
fn one_that_hangs_holds_up_no_other() {
    let ground = ground();
    // It takes connections and never answers.
    let deaf = TcpListener::bind("127.0.0.1:0").expect("a port");
    let deaf = format!("http://{}", deaf.local_addr().expect("an address"));
    let environments = [("deaf", DEV, deaf.as_str()), ("dev", DEV, ground.url())];
    let started_at = Instant::now();
    let shown = configured(&ground, &environments, &["status", "--timeout", "2s", "--output", "jsonl"]).expect(1);
    assert!(started_at.elapsed() < Duration::from_secs(8), "{:?}", started_at.elapsed());
    let lines = lines(&shown);
    assert_eq!((&lines[0]["environment"], &lines[1]["environment"]), (&"dev".into(), &"deaf".into()), "{lines:?}");
    assert!(shown.err.contains("deaf: no answer came within 2 s"), "{shown:?}");
}

fn ground_of_one_letter() -> Ground {
    let ground = Ground::new();
    ground.pair(DEV, "orders");
    letters(&ground, DEV, 1);
    ground
}

#[test]
fn a_part_that_hangs_is_named_and_the_rest_of_its_environment_is_shown() {
    let ground = ground();
    hang(&ground, "ecs:*");
    let shown = ground.opsctl(&["status", "-e", "dev", "--timeout", "2s"]).expect(1);
    assert!(shown.out.contains("orders-dlq"), "{shown:?}");
    assert!(shown.err.contains("dev: not looked at: services"), "{shown:?}");
    let without_metrics = ground_of_one_letter();
    hang(&without_metrics, "cloudwatch:GetMetricData");
    let shown = without_metrics.opsctl(&["status", "-e", "dev", "--timeout", "2s"]).expect(1);
    assert!(shown.out.contains("orders-dlq") && shown.err.contains("not looked at: ages of oldest"), "{shown:?}");
    let all_but_queues = Ground::new();
    hang(&all_but_queues, "sqs:ListQueues");
    alarms::alarm(&all_but_queues, "api-busy");
    alarms::set(&all_but_queues, "api-busy", "ALARM", "it is");
    let shown = all_but_queues.opsctl(&["status", "-e", "dev", "--timeout", "2s"]).expect(1);
    assert!(shown.out.contains("api-busy") && shown.err.contains("not looked at: queues"), "{shown:?}");
}

#[test]
fn what_is_denied_is_a_notice() {
    let ground = Ground::new();
    ground.queue("orders", &[]);
    deny(&ground, "ecs:*");
    let shown = ground.opsctl(&["status", "-e", "dev"]).expect(0);
    assert!(shown.out.contains("may not be looked at: allow ecs:"), "{shown:?}");
    assert!(shown.out.contains("opsctl doctor --env dev --sandbox"), "{shown:?}");
    ground.opsctl(&["status", "-e", "dev", "--strict"]).expect(6);
}

#[test]
fn what_was_acknowledged_is_left_out_and_counted() {
    let ground = ground();
    let state = StateFolder::new(ground.home.path().join("state/opsctl"));
    let now = Timestamp::now();
    let answer = ground.plain(&["status", "-e", "prod", "--output", "json"]).expect(6).json();
    let verdict = &answer["verdicts"][0];
    let concern = |what: &Value| -> Concern {
        let subject = serde_json::from_value(what["subject"].clone()).expect("a subject");
        Concern { environment: opsctl::domain::EnvironmentName("prod".to_owned()), subject, kind: None }
    };
    let acknowledged = Acknowledged {
        until: now + SignedDuration::from_hours(4),
        reason: Text::from("known"),
        severity: serde_json::from_value(verdict["severity"].clone()).expect("a severity"),
        messages: 120,
    };
    let line =
        Acknowledgement { at: now, by: Text::from("nina"), what: concern(verdict), acknowledged: Some(acknowledged) };
    Book::write(&state, &line).expect("written");
    let shown = ground.plain(&["status", "-e", "prod"]).expect(0);
    assert!(!shown.out.contains("orders-dlq"), "{shown:?}");
    assert!(shown.err.contains("1 acknowledged and left out; `opsctl status --acknowledged --env prod`"), "{shown:?}");
    let only = ground.plain(&["status", "-e", "prod", "--acknowledged"]).expect(0);
    assert!(
        only.out.contains("orders-dlq") && only.out.contains("; acknowledged by nina for 3 h more: known"),
        "{only:?}"
    );
    letters(&ground, PROD, 150);
    ground.plain(&["status", "-e", "prod"]).expect(6);
}

#[test]
fn a_look_costs_no_receive_and_what_an_earlier_one_saw_tells_growth() {
    let ground = ground();
    let dev = [("dev", DEV, ground.url())];
    let first = configured(&ground, &dev, &["status", "-v", "--output", "json"]).expect(0);
    assert_eq!(first.json()["verdicts"][0]["kind"], "dead-letters", "{first:?}");
    assert!(first.err.contains("asked of CloudWatch, which bills each"), "{first:?}");
    letters(&ground, DEV, 40);
    let second = configured(&ground, &dev, &["status", "--output", "json"]).json();
    let grown = &second["verdicts"][0];
    assert_eq!(grown["kind"], "growing", "{second}");
    assert!(grown["reason"].as_str().is_some_and(|reason| reason.starts_with("+40 in")), "{second}");
    let received = ground.sandbox.with(|world, _| world.calls_made().count("sqs", "ReceiveMessage"));
    assert_eq!(received, 0);
}

fn interrupt(pid: u32) {
    let signalled = Command::new("kill").args(["-INT", &pid.to_string()]).status().expect("kill");
    assert!(signalled.success());
}

#[test]
fn a_watch_has_a_line_for_each_change_and_ends_on_ctrl_c() {
    let ground = ground();
    let mut child = ground
        .command(&["status", "--watch", "-e", "dev", "--output", "jsonl"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let mut read = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut next = || -> Value { serde_json::from_str(&read.next().expect("a line").expect("read")).expect("JSON") };
    assert_eq!(next()["verdicts"][0]["messages"], 3);
    letters(&ground, DEV, 20);
    let mut line = next();
    while line["verdicts"][0]["messages"] != 23 {
        assert_eq!((&line["schema"], &line["environment"]), (&"opsctl/environment-status/1".into(), &"dev".into()));
        line = next();
    }
    assert_eq!(line["verdicts"][0]["kind"], "growing", "{line}");
    interrupt(child.id());
    ground.ended(child.wait_with_output().expect("ended")).expect(130);
}

#[test]
fn a_watch_draws_over_what_it_has_drawn_with_and_without_colours() {
    for colour in [false, true] {
        let ground = ground();
        let mut command = ground.command(&["status", "--watch", "-e", "dev", "-e", "prod"]);
        if !colour {
            command.env("NO_COLOR", "1");
        }
        let mut terminal = Terminal::start(&command, (80, 24));
        terminal.wait("~120 messages").wait("~3 messages");
        letters(&ground, DEV, 20);
        terminal.wait("~23 messages");
        let screen = terminal.screen();
        assert_eq!(screen.matches("status at ").count(), 1, "{screen}");
        assert!(!screen.contains("~3 messages"), "{screen}");
        assert!(screen.contains("opsctl groups --queue orders-dlq --env prod"), "{screen}");
        terminal.send("\u{3}");
        assert_eq!(terminal.end(), 130, "{}", terminal.screen());
    }
}
