//! What is given on a command line, in files and in the shell.

use opsctl::{
    domain::{Protection, Try},
    operations::{Failover, Operation, Redrive, Restart, Scale, Wake, values::Seconds},
};

use super::{assert_planned, assert_way, commands, night, refused, run, tried};
use crate::{
    cli::ground::{DEV, Ground},
    operations::{orders, services},
    support::stage::{Stage, arn},
};

const PROD: &str = "333333333333";

fn redrive(queue: &str) -> Operation {
    Operation::Redrive(Redrive { queue: queue.to_owned(), ..Redrive::default() })
}

fn services_stage() -> Stage {
    services::stage(Protection::Confirm, &[("api", 0)], &[&["api"]])
}

pub(super) fn name_it() {
    night(async {
        let mut stage = Stage::new(Protection::Confirm, &orders(3));
        assert_way(&refused(&mut stage, &redrive("")).await, Try::NameIt, "--queue");
        assert_planned(&mut stage, &redrive("orders-dlq")).await;
        let nothing = Operation::Failover(Failover::default());
        assert_way(&refused(&mut stage, &nothing).await, Try::NameIt, "name of a cluster");
        let mut stage = services_stage();
        assert_way(&refused(&mut stage, &Operation::Wake(Wake::default())).await, Try::NameIt, "--group");
        assert_planned(&mut stage, &Operation::Wake(Wake { group: Some("all".to_owned()), ..Wake::default() })).await;
        assert_way(&refused(&mut stage, &Operation::Restart(Restart::default())).await, Try::NameIt, "name one");
        let count = |to| Operation::Scale(Scale { service: "api".to_owned(), to, ..Scale::default() });
        assert_way(&refused(&mut stage, &count(None)).await, Try::NameIt, "--to N");
        assert_planned(&mut stage, &count(Some(2))).await;
    });
}

pub(super) fn name_another() {
    night(async {
        let mut stage = Stage::new(Protection::Confirm, &orders(3));
        assert_way(&refused(&mut stage, &redrive("order-dlq")).await, Try::NameAnother, "did you mean orders-dlq");
        assert_planned(&mut stage, &redrive("orders-dlq")).await;
    });
    // Where nothing is like it, what lists them all is named, and lists them.
    let ground = Ground::fleet();
    for line in [
        "redrive -e dev --queue no-such-queue-at-all",
        "restart qqqq -e dev",
        "failover qqqq -e dev",
        "rule disable nothing -e dev",
        "alarms mute qqqq --for 1h -e dev",
        "outbox replay --outbox qqqq -e dev",
        "consumers disable qqqq -e dev",
        "tasks --service qqqq -e dev",
        "runbook run qqqq -e dev",
    ] {
        let ended = ground.opsctl(&line.split(' ').collect::<Vec<_>>());
        assert_eq!(ended.code, Some(2), "{line}: {ended:?}");
        let text = tried(&ended, "");
        for command in commands(&text) {
            let listed = run(&ground, &command, &[]);
            assert_eq!(listed.code, Some(0), "{line}: {command}: {listed:?}");
        }
    }
}

pub(super) fn name_one() {
    let ground = Ground::fleet();
    let line = ["redrive", "--queue", "cts-dlq", "--dry-run"];
    let text = tried(&ground.opsctl(&line).expect(2), "add --env with one of: ");
    let names = text.rsplit(": ").next().expect("names").split(", ");
    let planned = names.filter(|name| ground.opsctl(&[&line[..], &["--env", name]].concat()).code == Some(0)).count();
    assert!(planned > 0, "{text}");
}

pub(super) fn write_it_so() {
    night(async {
        let mut stage = Stage::new(Protection::Confirm, &orders(3));
        assert_way(
            &refused(&mut stage, &redrive("arn:aws:sqs:orders-dlq")).await,
            Try::WriteItSo,
            "looks like arn:aws:sqs:",
        );
        assert_planned(&mut stage, &redrive(&arn("orders-dlq"))).await;
    });
}

pub(super) fn choose_environment() {
    let ground = Ground::quick();
    ground.pair(PROD, "orders");
    ground.pair(DEV, "orders");
    let arn = format!("arn:aws:sqs:af-south-1:{PROD}:orders-dlq");
    let plan = |environment| ground.opsctl(&["redrive", "--queue", &arn, "--dry-run", "--env", environment]);
    tried(&plan("dev").expect(2), "choose the environment that it is in with --env");
    plan("prod").expect(0);
}

pub(super) fn leave_out() {
    night(async {
        let mut stage = services_stage();
        let scale =
            |to, restore| Operation::Scale(Scale { service: "api".to_owned(), to, restore, ..Scale::default() });
        assert_way(&refused(&mut stage, &scale(Some(2), true)).await, Try::LeaveOut, "give one of them");
        assert_planned(&mut stage, &scale(Some(2), false)).await;
    });
}

pub(super) fn give_other() {
    night(async {
        let mut stage = Stage::new(Protection::Confirm, &orders(3));
        let hidden = |seconds| {
            let visibility = Some(Seconds(seconds));
            Operation::Redrive(Redrive { queue: "orders-dlq".to_owned(), visibility, ..Redrive::default() })
        };
        assert_way(&refused(&mut stage, &hidden(10)).await, Try::GiveOther, "give 30s or more");
        assert_planned(&mut stage, &hidden(30)).await;
    });
}

pub(super) fn see_help() {
    night(async {
        let mut stage = Stage::new(Protection::Confirm, &orders(3));
        let filtered = |filter: &str| {
            let filter = Some(filter.to_owned());
            Operation::Redrive(Redrive { queue: "orders-dlq".to_owned(), filter, ..Redrive::default() })
        };
        assert_way(&refused(&mut stage, &filtered(".body.n ==")).await, Try::SeeHelp, "`opsctl redrive --help`");
        assert_planned(&mut stage, &filtered(".body.n == 1")).await;
    });
    let help = Ground::new().plain(&["redrive", "--help"]).expect(0);
    assert!(help.out.contains(".body.partnerId"), "it has a filter: {}", help.out);
}

pub(super) fn use_other() {
    let ground = Ground::quick();
    ground.pair(DEV, "orders");
    (0..3).for_each(|_| ground.dead_letter("orders", "body"));
    let line = ["redrive", "-e", "dev", "--queue", "orders-dlq", "--limit", "1", "--yes", "--output", "json"];
    let run_of = ground.opsctl(&line).expect(0).json()["run"].as_str().expect("a run").to_owned();
    let text = tried(&ground.opsctl(&["purge", "--resume", &run_of, "--yes"]).expect(2), "go on with it by");
    run(&ground, &commands(&text)[0], &["--yes"]).expect(0);
}

pub(super) fn configure() {
    night(async {
        let mut stage = Stage::new(Protection::Confirm, &orders(3));
        let account = stage.environment.account.take();
        let plan = stage.plan(&redrive("orders-dlq")).await.expect("a plan").plan;
        let refusal = stage.approve(plan.clone()).expect_err("no account");
        assert_way(&refusal.hint(), Try::Configure, "pin `account`");
        stage.environment.account = account;
        assert!(stage.approve(plan).is_ok());
    });
    let ground = Ground::new();
    let text = tried(&ground.plain(&["queues"]).expect(2), "`opsctl init`");
    assert!(text.contains("--sandbox"), "{text}");
    ground.opsctl(&["queues"]).expect(0);
    let path = ground.file("opsctl.toml", "[environments.dev]\nregoin = \"af-south-1\"\n");
    let named = ["queues", "--config", path.to_str().expect("UTF-8")];
    let text = tried(&ground.plain(&named).expect(2), "correct the file");
    run(&ground, &commands(&text)[0], &[]).expect(2);
    let good = format!(
        "[environments.dev]\naccount = {DEV:?}\nregion = \"af-south-1\"\nprotection = \"confirm\"\nendpoint = {:?}\n",
        ground.url()
    );
    std::fs::write(&path, good).expect("written");
    run(&ground, &commands(&text)[0], &[]).expect(0);
}

pub(super) fn mend_file() {
    let ground = Ground::quick();
    ground.pair(DEV, "orders");
    ground.dead_letter("orders", "body");
    let path = ground.home.path().join("plan.json").to_str().expect("UTF-8").to_owned();
    tried(&ground.opsctl(&["apply", &path, "--yes"]).expect(2), "write one with --plan-out");
    let line = ["redrive", "-e", "dev", "--queue", "orders-dlq", "--plan-out", &path];
    ground.opsctl(&line).expect(0);
    // A file that is there stays, unless that is said.
    tried(&ground.opsctl(&line).expect(1), "replace this one with --force");
    ground.opsctl(&[&line[..], &["--force"]].concat()).expect(0);
    let none = ground.home.path().join("none/plan.json").to_str().expect("UTF-8").to_owned();
    let nowhere = ["redrive", "-e", "dev", "--queue", "orders-dlq", "--plan-out", &none];
    tried(&ground.opsctl(&nowhere).expect(1), "make the folder first");
    std::fs::create_dir(ground.home.path().join("none")).expect("a folder");
    ground.opsctl(&nowhere).expect(0);
    let peeked = ground.opsctl(&["peek", "-e", "dev", "--queue", "orders-dlq", "--output", "json"]).expect(0);
    let listed = |text: &str| {
        let ids = ground.file("ids.txt", text).to_str().expect("UTF-8").to_owned();
        ground.opsctl(&["redrive", "-e", "dev", "--queue", "orders-dlq", "--ids", &ids, "--dry-run"])
    };
    tried(&listed("orders-17\n").expect(2), "give one id a line");
    listed(&peeked.out).expect(0);
    ground.opsctl(&["apply", &path, "--yes"]).expect(0);
}

pub(super) fn set_variable() {
    let ground = Ground::quick();
    let text = format!(
        "[environments.dev]\naccount = {DEV:?}\nregion = \"af-south-1\"\nprotection = \"confirm\"\nendpoint = {:?}\n",
        ground.url()
    );
    ground.file("opsctl.toml", &text);
    let check = |variable: Option<&str>| {
        let mut command = ground.command(&["config", "check"]);
        if let Some(path) = variable {
            command.env("OPSCTL_CONFIG", path);
        }
        ground.ended(command.output().expect("started"))
    };
    tried(&check(Some("no-such-file.toml")).expect(2), "correct or unset OPSCTL_CONFIG");
    let bundle = |path: Option<&str>| {
        let mut command = ground.command(&["queues"]);
        command.env("AWS_ACCESS_KEY_ID", DEV).env("AWS_SECRET_ACCESS_KEY", "sandbox");
        if let Some(path) = path {
            command.env("AWS_CA_BUNDLE", path);
        }
        ground.ended(command.output().expect("started"))
    };
    tried(&bundle(Some("/no/such/bundle.pem")), "correct AWS_CA_BUNDLE");
    bundle(None).expect(0);
    check(None).expect(0);
    check(Some("opsctl.toml")).expect(0);
}

pub(super) fn use_terminal() {
    let ground = Ground::fleet();
    let text = tried(&ground.opsctl(&["demo", "--output", "json"]).expect(2), "use `opsctl queues --output json");
    assert_eq!(run(&ground, &commands(&text)[0], &[]).expect(0).json()["schema"], "opsctl/queues/1");
    let text = tried(&ground.opsctl(&[]).expect(2), "run it in a terminal");
    run(&ground, &commands(&text)[0], &[]).expect(0);
}
