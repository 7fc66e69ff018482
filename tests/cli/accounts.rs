//! Credentials of another account than the environment's: no command shows or changes anything of it.

use super::ground::{DEV, Ended, Ground};

/// The account of the credentials, the fleet's `staging`.
const OTHER: &str = "222222222222";

/// What a command does with an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It shows what is there.
    Reads,
    /// It changes something, or plans to.
    Changes,
    /// It asks no environment.
    Asks(Nobody),
}

/// Why it asks no environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nobody {
    Local,
    /// It holds other commands only.
    Holds,
}

const LOCAL: Kind = Kind::Asks(Nobody::Local);
const HOLDS: Kind = Kind::Asks(Nobody::Holds);

/// Each command of the program; `RUN` stands for a run, `PLAN` for a plan file.
const COMMANDS: &[(&str, Kind)] = &[
    ("demo", LOCAL),
    ("status", Kind::Reads),
    ("queues", Kind::Reads),
    ("services", Kind::Reads),
    ("tasks", Kind::Reads),
    ("peek", Kind::Reads),
    ("groups", Kind::Reads),
    ("databases", Kind::Reads),
    ("alarms", Kind::Reads),
    ("alarms list", Kind::Reads),
    ("alarms mute", Kind::Changes),
    ("alarms unmute", Kind::Changes),
    ("redrive", Kind::Changes),
    ("purge", Kind::Changes),
    ("restore", Kind::Changes),
    ("wake", Kind::Changes),
    ("sleep", Kind::Changes),
    ("scale", Kind::Changes),
    ("retention", Kind::Changes),
    ("restart", Kind::Changes),
    ("rollback", Kind::Changes),
    ("failover", Kind::Changes),
    ("migrate", Kind::Changes),
    ("consumers", Kind::Reads),
    ("consumers list", Kind::Reads),
    ("consumers pause", Kind::Changes),
    ("consumers resume", Kind::Changes),
    ("consumers enable", Kind::Changes),
    ("consumers disable", Kind::Changes),
    ("outbox", HOLDS),
    ("outbox list", Kind::Reads),
    ("outbox show", Kind::Reads),
    ("outbox detect", Kind::Reads),
    ("outbox replay", Kind::Changes),
    ("outbox park", Kind::Changes),
    ("outbox release", Kind::Changes),
    ("rule", HOLDS),
    ("rule enable", Kind::Changes),
    ("rule disable", Kind::Changes),
    ("concurrency", HOLDS),
    ("concurrency restore", Kind::Changes),
    ("concurrency stop", Kind::Changes),
    ("drill", HOLDS),
    ("drill list", LOCAL),
    ("drill show", LOCAL),
    ("drill check", LOCAL),
    ("drill new", LOCAL),
    ("drill run", LOCAL),
    ("drill control", LOCAL),
    ("drill control delay", LOCAL),
    ("drill control harder", LOCAL),
    ("drill control hint", LOCAL),
    ("drill control next", LOCAL),
    ("drill control note", LOCAL),
    ("drill control over", LOCAL),
    ("drill control skip", LOCAL),
    ("drill control status", LOCAL),
    ("drill control stop", LOCAL),
    ("drill report", LOCAL),
    ("drill test", LOCAL),
    ("drill schema", LOCAL),
    ("runbook", HOLDS),
    ("runbook list", LOCAL),
    ("runbook show", LOCAL),
    ("runbook check", LOCAL),
    ("runbook new", LOCAL),
    ("runbook run", Kind::Changes),
    ("runbook resume", LOCAL),
    ("runbook take-over", LOCAL),
    ("runbook export", LOCAL),
    ("runbook test", LOCAL),
    ("runbook schema", LOCAL),
    ("apply", Kind::Changes),
    ("runs", LOCAL),
    ("journal", HOLDS),
    ("journal show", LOCAL),
    ("journal verify", LOCAL),
    ("journal export", LOCAL),
    ("config", HOLDS),
    ("config check", LOCAL),
    ("config schema", LOCAL),
    ("config example", LOCAL),
    ("init", LOCAL),
    ("doctor", Kind::Reads),
    ("sandbox", HOLDS),
    ("sandbox serve", LOCAL),
    ("filter", LOCAL),
    ("completions", LOCAL),
    ("keys", LOCAL),
    ("man", LOCAL),
    ("docs", LOCAL),
];

/// Lines of a command that asks an environment: several where it has several ways to.
fn lines(name: &str) -> &'static [&'static str] {
    match name {
        "status" => &["status", "status --strict --output json", "status --timeout 5s --output jsonl"],
        "queues" => &["queues", "queues --dlq", "queues --all --output json", "queues cts* --output jsonl"],
        "services" => &["services", "services --no-metrics --output json", "services cts --output jsonl"],
        "tasks" => &["tasks --service cts", "tasks --service cts --output json", "tasks --service no-such-service"],
        "peek" => &["peek --queue cts-dlq", "peek --queue cts-dlq -n 2 --full --output json", "peek --queue none"],
        "groups" => &["groups --queue cts-dlq", "groups --queue cts --output jsonl"],
        "databases" => &["databases", "databases --events", "databases --no-metrics --output json"],
        "alarms" => {
            &["alarms", "alarms --state alarm --output jsonl", "alarms --history cts-dlq-not-empty", "alarms nothing"]
        }
        "consumers" => &["consumers", "consumers --output json"],
        "alarms list" => &["alarms list", "alarms list --output jsonl"],
        "consumers list" => &["consumers list", "consumers list --output jsonl"],
        "outbox list" => &["outbox list", "outbox list --output json", "outbox list none --output jsonl"],
        "outbox detect" => &["outbox detect", "outbox detect --output json"],
        "outbox replay" => &["outbox replay --outbox cts --yes", "outbox replay --outbox cts --dry-run"],
        "outbox park" => &["outbox park --outbox cts --yes", "outbox park --outbox cts --dry-run"],
        "outbox release" => &["outbox release --outbox compliance --yes", "outbox release --outbox cts --dry-run"],
        "outbox show" => &["outbox show cts", "outbox show none --output json"],
        "doctor" => &["doctor", "doctor --output json", "doctor --output jsonl"],
        "redrive" => &[
            "redrive --queue cts-dlq --yes",
            "redrive --queue cts-dlq --dry-run",
            "redrive --queue cts-dlq --dry-run --output json",
            "redrive --queue cts-dlq --plan-out new.json",
            "redrive --queue no-such-queue --yes",
            "redrive --queue cts-dlq --pause-consumers --yes",
            "redrive --resume RUN --yes",
            "redrive --resume 20261121T031500-4f7a9c --yes",
        ],
        "purge" => &["purge --queue cts-dlq --yes", "purge --queue cts-dlq --dry-run", "purge --queue none --yes"],
        "restore" => &["restore RUN --yes", "restore RUN --dry-run", "restore 20261121T031500-4f7a9c --yes"],
        "wake" => &["wake --group tsdevstack --yes", "wake --service cts --dry-run", "wake --service none --yes"],
        "scale" => &[
            "scale cts --to 3 --yes",
            "scale cts --to 0 --dry-run",
            "scale none --to 1 --yes",
            "scale cts --to 9 --move-bounds --yes",
            "scale cts --restore --yes",
        ],
        "runbook run" => &[
            "runbook run dlq-drain --set queue=cts-dlq --yes",
            "runbook run dlq-drain --set queue=cts-dlq --dry-run",
            "runbook run dlq-drain --set queue=none --yes --output json",
        ],
        "restart" => &["restart cts --yes", "restart cts --dry-run", "restart none --yes"],
        "rollback" => &["rollback cts --yes", "rollback cts --to 1 --dry-run", "rollback none --yes"],
        "sleep" => &["sleep --group tsdevstack --yes", "sleep --service cts --dry-run"],
        "failover" => &["failover nexusstream-staging --yes", "failover nothing --dry-run"],
        "migrate" => &["migrate cts --yes", "migrate nothing --dry-run"],
        "alarms mute" => &["alarms mute cts-dlq-not-empty --for 30m --yes", "alarms mute none --for 1h --dry-run"],
        "alarms unmute" => &["alarms unmute cts-dlq-not-empty --yes", "alarms unmute none --dry-run"],
        "retention" => &["retention --queue cts-commands --to 14d --yes", "retention --queue none --restore --dry-run"],
        "consumers pause" => &["consumers pause --queue cts-commands --yes", "consumers pause --queue none --dry-run"],
        "consumers enable" => &["consumers enable cts-handler --yes", "consumers enable none --dry-run"],
        "consumers disable" => &["consumers disable cts-handler --yes", "consumers disable none --dry-run"],
        "consumers resume" => &["consumers resume --yes", "consumers resume --queue cts-commands --dry-run"],
        "rule enable" => &["rule enable cts-outbox-worker-every-minute --yes", "rule enable none --dry-run"],
        "rule disable" => &["rule disable cts-outbox-worker-every-minute --yes"],
        "concurrency restore" => &["concurrency restore cts-outbox-worker --yes"],
        "concurrency stop" => &["concurrency stop cts-outbox-worker --yes", "concurrency stop none --dry-run"],
        "apply" => &["apply PLAN --yes", "apply PLAN --dry-run", "apply no-such-file --yes"],
        _ => &[],
    }
}

struct Wrong {
    ground: Ground,
    run: String,
}

fn config(ground: &Ground, environments: &str) -> String {
    let head = "[defaults]\nregion = \"af-south-1\"\nprotection = \"confirm\"\n";
    let endpoint = format!("endpoint = {:?}", ground.url());
    format!("{head}{}", environments.replace("HERE", &endpoint))
}

impl Wrong {
    /// Everything that the person did with the right credentials is there: a run, a plan, names for completion.
    fn new() -> Self {
        let ground = Ground::fleet();
        let text = format!("[environments.dev]\naccount = \"{DEV}\"\nHERE\n");
        ground.file("opsctl.toml", &config(&ground, &text));
        let mut wrong = Self { ground, run: String::new() };
        wrong.with(DEV, "queues").expect(0);
        wrong.with(DEV, "redrive --queue cts-dlq --plan-out plan.json --engine client").expect(0);
        let report = wrong.with(DEV, "redrive --queue cts-dlq --engine client --limit 1 --yes --output json").expect(0);
        wrong.run = report.json()["run"].as_str().expect("a run").to_owned();
        wrong
    }

    fn with(&self, account: &str, line: &str) -> Ended {
        let line = line.replace("RUN", &self.run).replace("PLAN", "plan.json");
        let mut command = self.ground.command(&line.split(' ').collect::<Vec<_>>());
        command.env("AWS_ACCESS_KEY_ID", account).env("AWS_SECRET_ACCESS_KEY", "x");
        self.ground.ended(command.output().expect("started"))
    }

    /// How often each dead letter of the other account was received.
    fn receives(&self) -> Vec<(String, u32)> {
        self.ground.sandbox.with(|world, _| {
            let letters = world.messages(OTHER, "af-south-1", "cts-dlq");
            letters.map(|letter| (letter.body.to_owned(), letter.receive_count)).collect()
        })
    }
}

/// Names that the fleet has in its `staging`, and none of them stands in what the person typed.
fn shows_something(ended: &Ended, line: &str) -> Option<&'static str> {
    let names =
        ["cts-dlq", "cts-commands", "payouts", "ledger-postings", "storo-", "nexusstream", "tsdevstack", "recon"];
    names.into_iter().find(|name| !line.contains(name) && (ended.out.contains(name) || ended.err.contains(name)))
}

#[test]
fn every_command_is_known_here() {
    fn walk(command: &clap::Command, before: &str, found: &mut Vec<String>) {
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            let name = format!("{before}{}", inner.get_name());
            found.push(name.clone());
            walk(inner, &format!("{name} "), found);
        }
    }
    let mut found = Vec::new();
    walk(&opsctl::cli::args::command(), "", &mut found);
    let mut known: Vec<String> = COMMANDS.iter().map(|(name, _)| (*name).to_owned()).collect();
    found.sort();
    known.sort();
    assert_eq!(found, known, "say in COMMANDS what a new command does with an environment");
    for (name, kind) in COMMANDS {
        let asks = !matches!(kind, Kind::Asks(_));
        assert_eq!(asks, !lines(name).is_empty(), "{name}: give its lines");
        assert!(lines(name).iter().all(|line| line.starts_with(name)), "{name}");
    }
}

#[test]
fn nothing_of_another_account_is_shown_or_changed() {
    let wrong = Wrong::new();
    let before = wrong.receives();
    assert!(!before.is_empty(), "there is something to show");
    for (name, kind) in COMMANDS.iter().filter(|(_, kind)| !matches!(kind, Kind::Asks(_))) {
        for line in lines(name) {
            let ended = wrong.with(OTHER, line);
            let code = if *kind == Kind::Changes { 3 } else { 1 };
            assert_eq!(ended.code, Some(code), "{line}: {ended:?}");
            let said = format!("{}{}", ended.out, ended.err);
            for word in [DEV, OTHER, "AWS_ACCESS_KEY_ID"] {
                assert!(said.contains(word), "{line} does not say {word}: {ended:?}");
            }
            assert_eq!(shows_something(&ended, line), None, "{line}: {ended:?}");
            if *kind == Kind::Changes {
                assert!(ended.out.is_empty(), "{line}: {ended:?}");
            }
        }
    }
    assert_eq!(wrong.receives(), before, "looking costs receives: nothing was received in the other account");
    assert!(!wrong.ground.home.path().join("new.json").exists(), "no plan is written of another account's things");
}

#[test]
fn the_error_names_both_accounts_and_where_the_credentials_come_from() {
    let wrong = Wrong::new();
    let shown = wrong.with(OTHER, "queues").expect(1);
    insta::assert_snapshot!(shown.err.trim(), @r"
    warning: dev: the credentials are of account 222222222222, and dev is pinned to 111111111111; they come from AWS_ACCESS_KEY_ID of this shell
    try: give [environments.dev] a `profile` of account 111111111111, or log this shell in to it; correct `account` there if 222222222222 is meant
    ");
    let refused = wrong.with(OTHER, "redrive --queue cts-dlq --yes").expect(3);
    assert!(refused.err.starts_with("error: dev: the credentials are of account 222222222222"), "{refused:?}");
    let aws = wrong.ground.home.path().join(".aws");
    std::fs::create_dir_all(&aws).expect("made");
    let keys = format!("[ops]\naws_access_key_id = {OTHER}\naws_secret_access_key = x\n");
    std::fs::write(aws.join("credentials"), keys).expect("written");
    let text = format!("[environments.dev]\naccount = \"{DEV}\"\nprofile = \"ops\"\nHERE\n");
    wrong.ground.file("opsctl.toml", &config(&wrong.ground, &text));
    let by_profile = wrong.ground.plain(&["alarms"]).expect(1);
    assert!(by_profile.err.contains("they come from profile ops"), "{by_profile:?}");
    assert!(by_profile.err.contains("try: name a profile of account 111111111111"), "{by_profile:?}");
}

#[test]
fn the_other_environments_of_a_listing_are_shown_and_the_wrong_one_is_named() {
    let ground = Ground::fleet();
    let text =
        format!("[environments.dev]\naccount = \"{DEV}\"\nHERE\n[environments.staging]\naccount = \"{OTHER}\"\nHERE\n");
    ground.file("opsctl.toml", &config(&ground, &text));
    let wrong = Wrong { ground, run: String::new() };
    for listing in
        ["queues", "services", "tasks --service cts", "databases", "alarms", "alarms --history cts-dlq-not-empty"]
            .into_iter()
            .chain(["consumers", "queues --dlq", "databases --events", "status"])
    {
        let shown = wrong.with(OTHER, listing).expect(1);
        assert!(shown.err.contains("warning: dev: the credentials are of account 222222222222"), "{shown:?}");
        let rows = shown.out.lines().filter(|line| line.contains("staging")).count();
        assert!(rows > 0 || listing.contains("history"), "{listing}: {shown:?}");
        assert!(!shown.out.lines().any(|line| line.starts_with("dev ")), "{listing}: {shown:?}");
        let json = wrong.with(OTHER, &format!("{listing} --output json")).expect(1).json();
        assert_eq!(json["unreachable"][0]["environment"], "dev", "{listing}: {json}");
        assert_eq!(json["unreachable"].as_array().map(Vec::len), Some(1), "{listing}: {json}");
        let lines = wrong.with(OTHER, &format!("{listing} --output jsonl")).expect(1).out;
        let last: serde_json::Value = serde_json::from_str(lines.lines().last().expect("a line")).expect("JSON");
        assert_eq!(
            (last["schema"].as_str(), last["environment"].as_str()),
            (Some("opsctl/unreachable/1"), Some("dev"))
        );
    }
    let doctor = wrong.with(OTHER, "doctor").expect(1);
    let skipped = |line: &&str| line.starts_with("dev ") && line.contains("skipped");
    assert_eq!(doctor.out.lines().filter(skipped).count(), 2, "region and permissions: {doctor:?}");
}

#[test]
fn a_parameter_of_the_right_account_is_not_missed_in_the_wrong_one() {
    let ground = Ground::fleet();
    let text = format!(
        "[environments.dev]\naccount = \"{DEV}\"\nHERE\n[environments.dev.queues]\ninclude = [\"ssm:/nothing/at/all\"]\n"
    );
    ground.file("opsctl.toml", &config(&ground, &text));
    let wrong = Wrong { ground, run: String::new() };
    for (line, code) in
        [("queues", 1), ("peek --queue cts-dlq", 1), ("redrive --queue cts-dlq --yes", 3), ("doctor", 1)]
    {
        let ended = wrong.with(OTHER, line).expect(code);
        let said = format!("{}{}", ended.out, ended.err);
        assert!(said.contains(OTHER) && !said.contains("/nothing/at/all"), "{line}: {ended:?}");
    }
    let missing = wrong.with(DEV, "queues").expect(1);
    assert!(missing.err.contains("/nothing/at/all"), "{missing:?}");
}

#[test]
fn names_of_another_account_are_not_completed() {
    let wrong = Wrong::new();
    let complete = |words: &[&str]| {
        let mut command = wrong.ground.command(&[&["--", "opsctl"], words].concat());
        let index = words.len().to_string();
        command.env("COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", index).env("_CLAP_COMPLETE_COMP_TYPE", "9");
        command.env("_CLAP_COMPLETE_SPACE", "true").env("_CLAP_IFS", "\n");
        wrong.ground.ended(command.output().expect("started")).expect(0).out
    };
    let line = ["redrive", "--env", "dev", "--queue", "cts-d"];
    assert_eq!(complete(&line), "cts-dlq", "it was listed with the right credentials");
    // The same name, but another account: another configuration, or the environment has moved.
    let text = format!("[environments.dev]\naccount = \"{OTHER}\"\nHERE\n");
    wrong.ground.file("opsctl.toml", &config(&wrong.ground, &text));
    assert_eq!(complete(&line), "");
    wrong.with(DEV, "queues").expect(1);
    assert_eq!(complete(&line), "", "a refused listing leaves no names");
    assert_eq!(complete(&["queues", "--env", ""]), "dev");
}
