//! Commands that are shown: pasted into a shell, each acts in the same world again.

use std::process::Command as Process;

use opsctl::{
    cli::args::{self, AlarmsCommand, Cli, Command, ConsumersCommand, Wanted},
    domain::{EnvironmentName, Invocation},
    operations::{Operation, OperationKind, command_line},
};

use super::ground::{DEV, Ended, Ground};

/// Commands that act in no world: the same whatever the configuration.
const WORLDLESS: [&str; 8] = ["help", "filter", "init", "sandbox", "completions", "man", "docs", "demo"];

/// The words of a line as a POSIX shell hands them to the program.
fn words(line: &str) -> Vec<String> {
    let script = format!("set -- {}\nprintf '%s\\0' \"$@\"", line.trim_end_matches(" &"));
    let output = Process::new("sh").args(["-c", &script]).output().expect("a shell");
    assert!(output.status.success(), "{line}: {output:?}");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.split_terminator('\0').map(str::to_owned).collect()
}

fn parsed(line: &str) -> Cli {
    let matches = args::command().try_get_matches_from(words(line));
    let matches = matches.unwrap_or_else(|error| panic!("{line}\n{error}"));
    Cli::of(&matches).unwrap_or_else(|error| panic!("{line}\n{error}"))
}

/// Every command that a text shows: between backticks, after `next:`, `command` and the like, or as a JSON value.
fn shown(text: &str) -> Vec<String> {
    let quoted = text.split('`').skip(1).step_by(2).filter(|inner| inner.starts_with("opsctl "));
    let of_lines = text.lines().filter_map(|line| {
        let at = line.find("opsctl ")?;
        let before = line[..at].trim();
        let is_label =
            before.is_empty() || before.ends_with("next:") || before == "command" || before.ends_with("next");
        is_label.then(|| line[at..].trim())
    });
    let mut found: Vec<String> = quoted.chain(of_lines).map(str::to_owned).collect();
    if let Ok(json) = serde_json::from_str::<serde_json::Value>(text) {
        fn walk(value: &serde_json::Value, found: &mut Vec<String>) {
            match value {
                serde_json::Value::String(text) if text.starts_with("opsctl ") => found.push(text.clone()),
                serde_json::Value::String(text) => found.extend(shown(text)),
                serde_json::Value::Array(list) => list.iter().for_each(|one| walk(one, found)),
                serde_json::Value::Object(fields) => fields.values().for_each(|one| walk(one, found)),
                _ => {}
            }
        }
        found.clear();
        walk(&json, &mut found);
    }
    found
}

/// Checks each command shown and counts them.
fn check(ended: &Ended, of: &str, is_right: impl Fn(&Cli) -> bool) -> usize {
    let found: Vec<String> = shown(&ended.out).into_iter().chain(shown(&ended.err)).collect();
    for line in &found {
        let first = words(line).get(1).cloned().unwrap_or_default();
        if WORLDLESS.contains(&first.as_str()) || line.ends_with("--help") {
            continue;
        }
        assert!(is_right(&parsed(line)), "{of} shows a command for another world: {line}");
    }
    found.len()
}

#[test]
fn every_command_shown_in_the_sandbox_acts_in_the_sandbox() {
    let ground = Ground::fleet();
    let mut count = 0;
    let run =
        ground.opsctl(&["redrive", "-e", "dev", "--queue", "cts-dlq", "--limit", "1", "--yes", "--output", "json"]);
    let run = run.expect(0).json()["run"].as_str().expect("a run").to_owned();
    for line in [
        "demo",
        "redrive -e dev --queue cts-dlq --dry-run",
        "redrive -e dev --queue cts-dlq --limit 2 --engine client --yes",
        "redrive -e dev --queue cts-dlq --limit 1 --engine client --yes --output json",
        "redrive -e dev --queue cts-dlq --plan-out plan.json",
        "redrive -e dev --queue no-such-queue-at-all",
        "redrive -e dev --queue cts-dlq --rate 0",
        "redrive -e prod --queue cts-dlq --yes",
        "redrive --resume 20261121T031500-4f7a9c",
        "redrive --resume nonsense",
        "purge -e dev --queue payouts-dlq --limit 1 --yes",
        "purge --resume RUN",
        "restore RUN --dry-run",
        "restore 20261121T031500-4f7a9c",
        "wake -e dev --group tsdevstack --dry-run",
        "wake -e dev --service qqqq",
        "wake -e dev --group none",
        "restart cts -e dev --dry-run",
        "restart qqqq -e dev",
        "rollback cts -e dev --dry-run",
        "rollback cts -e dev --to 999",
        "scale cts -e dev --restore",
        "failover qqqq -e dev",
        "failover nexusstream-dev -e dev --dry-run",
        "migrate qqqq -e dev",
        "tasks --service qqqq",
        "tasks --service qqqq -e dev",
        "alarms qqqq",
        "consumers pause -e dev --queue cts-commands --yes",
        "consumers resume -e dev --dry-run",
        "outbox list -e prod",
        "rule enable cts-outbox-worker-every-minute -e dev --yes",
        "rule disable nothing -e dev",
        "concurrency restore cts-outbox-worker -e dev --dry-run",
        "concurrency stop cts-outbox-worker -e dev --yes",
        "databases --events",
        "status",
        "status -e prod -e dev --acknowledged",
        "doctor",
        "journal show 20261121T031500-4f7a9c",
        "runs",
    ] {
        let line = line.replace("RUN", &run);
        let ended = ground.opsctl(&line.split(' ').collect::<Vec<_>>());
        count += check(&ended, &line, |cli| cli.global.sandbox);
    }
    assert!(count >= 20, "{count} commands were shown");
}

#[test]
fn a_command_shown_names_the_configuration_that_was_named() {
    let ground = Ground::fleet();
    let text = format!(
        "[defaults]\nregion = \"af-south-1\"\nprotection = \"confirm\"\n[environments.dev]\naccount = \"{DEV}\"\nendpoint = {:?}\n",
        ground.url()
    );
    std::fs::create_dir(ground.home.path().join("my folder")).expect("made");
    ground.file("my folder/it's mine.toml", &text);
    let path = ground.home.path().join("my folder/it's mine.toml");
    let lines =
        ["redrive --queue cts-dlq --dry-run", "redrive --queue cts-dlq --limit 1 --yes", "redrive --queue qqqq"];
    let run = |words: &[&str], variable: Option<&str>| {
        let mut command = ground.command(words);
        command.env("AWS_ACCESS_KEY_ID", DEV).env("AWS_SECRET_ACCESS_KEY", "x");
        command.envs(variable.map(|path| ("OPSCTL_CONFIG", path)));
        let output = command.output().expect("started");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Ended { out: text(output.stdout), err: text(output.stderr), code: output.status.code() }
    };
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        // Named from this folder, and pasted in another one.
        let flag = [&["--config", "my folder/it's mine.toml"], &words[..]].concat();
        for ended in [run(&flag, None), run(&words, Some("my folder/it's mine.toml"))] {
            let is_right =
                |cli: &Cli| cli.global.config.as_deref() == Some(&path) && cli.global.environments == ["dev"];
            let count = check(&ended, line, is_right);
            assert!(count > 0 || line.contains("--yes"), "{line}: {ended:?}");
        }
    }
    let bad = ground.file("bad.toml", "[environments.dev]\nacount = \"1\"\n");
    let ended = run(&["queues", "--config", bad.to_str().expect("UTF-8")], None).expect(2);
    assert_eq!(check(&ended, "a bad file", |cli| cli.global.config.as_deref() == Some(&bad)), 1, "{ended:?}");
}

fn operation(cli: Cli) -> Operation {
    let wanted = match cli.command.expect("a command") {
        Command::Change(change) => change.wanted,
        Command::Rule(change) => change.wanted,
        Command::Concurrency(change) => change.wanted,
        Command::Alarms(args) => match args.command {
            Some(AlarmsCommand::Change(change)) => change.wanted,
            Some(AlarmsCommand::List(_)) | None => panic!("a listing"),
        },
        Command::Consumers(args) => match args.command {
            Some(ConsumersCommand::Change(change)) => change.wanted,
            Some(ConsumersCommand::List(_)) | None => panic!("a listing"),
        },
        Command::Outbox(args::Outbox::Change(change)) => change.wanted,
        other => panic!("no operation: {other:?}"),
    };
    match wanted {
        Wanted::Operation(operation) => *operation,
        Wanted::Resume(..) | Wanted::Planned { .. } => panic!("no operation: {wanted:?}"),
    }
}

#[test]
fn the_command_line_of_an_operation_parses_to_that_operation() {
    let dev = EnvironmentName("dev".to_owned());
    let lines = [
        "redrive --queue -odd- --to other --limit 3 --where '-1 != .body.x and .text != \"it'\\''s `$HOME`\"' --ids 'my ids' \
         --rate 7 --ramp 1,10,all --max-bounce 10% --wait-bounce 90s --engine client --park 'file:a b.jsonl' --edit ./e.jq \
         --no-snapshot --mark --despite-unfinished --visibility 45s --lanes 3 --pause-consumers --uncertain resend",
        "redrive --queue arn:aws:sqs:af-south-1:111111111111:orders-dlq --max-bounce 3 --wait-bounce '1h 30m' --engine auto",
        "purge --queue orders-dlq --where '.body | test(\"a b\")' --ids 'my ids' --limit 9",
        "restore 20261121T031500-4f7a9c --to other --where '-.age < 0' --ids ids --perhaps --again --intact --uncertain resend",
        "wake --service a --service cluster/b --timeout 1m",
        "wake --group \"a group\"",
        "scale cluster/api --to 0",
        "scale api --to 12 --timeout 2h",
        "scale api --to 12 --move-bounds",
        "scale cluster/api --restore",
        "restart cluster/api worker --timeout 2h",
        "rollback cluster/api",
        "rollback api --to api:12 --timeout 90s",
        "sleep --group tsdevstack --timeout 1m",
        "sleep --service api",
        "failover orders --to orders-2",
        "migrate wallet-service --command up --revision 3 --timeout 90s --detach",
        "consumers pause --queue orders --timeout 1m",
        "consumers resume --queue orders --timeout 20m",
        "consumers resume",
        "retention --queue orders-dlq --to 14d",
        "retention --queue orders-dlq --restore --accept-loss",
        "alarms mute api-cpu 'api errors' --for 30m",
        "alarms unmute api-cpu",
        "consumers enable orders-handler --queue orders-dlq",
        "consumers disable 0b1c orders-handler:live --queue orders",
        "rule enable outbox-every-minute",
        "rule disable outbox-every-minute",
        "concurrency restore outbox-worker",
        "concurrency stop outbox-worker",
        "outbox replay --outbox transfers --state failed --state expired --id a,1 --id b --ids 'my ids' --type 'transfer settled' \
         --group g1 --group 'g 2' --where '.error | test(\"a b\")' --from 2026-05-01T09:30:00Z --until 2026-05-02T00:00:00Z --limit 9 \
         --rate 7 --ramp 1,10,all --max-failed 10% --wait 90s",
        "outbox replay --outbox 'my outbox' --state published --older-than 1h --newer-than '1h 30m'",
        "outbox park --outbox transfers --state failed --state ready --state stuck --aside --id a --ids ids --type t --group 'g 1' \
         --where '.attempts > 9' --from 2026-05-01T09:30:00Z --until 2026-05-02T00:00:00Z --limit 9 --rate 7",
        "outbox park --outbox transfers --state scheduled --state held --state expired --older-than 1h --newer-than 2h",
        "outbox release --outbox transfers --holder relay-1 --holder 'a relay' --claimed-for 1h --relay-gone --id a --ids ids --type t --group g \
         --where '.attempts > 9' --from 2026-05-01T09:30:00Z --until 2026-05-02T00:00:00Z --limit 9 --rate 7",
        "outbox release --outbox transfers --older-than 1h --newer-than 2h",
    ];
    let invocations = [Invocation::Found, Invocation::Sandbox, Invocation::Named("/a folder/it's.toml".to_owned())];
    for (line, invocation) in lines.iter().flat_map(|line| invocations.iter().map(move |one| (line, one))) {
        let line = line.replace("--queue -odd-", "--queue=-odd-").replace("--where '-", "--where='-");
        let asked = operation(parsed(&format!("opsctl {line}")));
        let shown = command_line(&asked, &dev, invocation);
        let again = parsed(&shown);
        assert_eq!(again.global.environments, ["dev"], "{shown}");
        assert_eq!(again.global.invocation(), *invocation, "{shown}");
        assert_eq!(operation(again), asked, "{shown}");
    }
    // Each argument of each operation is tried above: a new one must be given a place there.
    for kind in OperationKind::ALL {
        let name = format!("{} ", kind.name());
        let tried: Vec<&str> =
            lines.iter().filter_map(|line| format!("{line} ").contains(&name).then_some(*line)).collect();
        let tried: Vec<&str> = tried.into_iter().filter(|line| line.starts_with(name.trim_end())).collect();
        assert!(!tried.is_empty(), "{name}is not tried");
        let arguments = kind.arguments();
        for flag in arguments.get_arguments().filter(|argument| !argument.is_hide_set()).filter_map(clap::Arg::get_long)
        {
            assert!(tried.iter().any(|line| line.contains(&format!("--{flag}"))), "{name}--{flag} is not tried");
        }
    }
}
