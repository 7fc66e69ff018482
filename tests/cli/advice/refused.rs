//! What AWS refuses, and what stands between this machine and AWS.

use opsctl::{
    domain::{Protection, QueueArn, QueueUrl, Try},
    operations::{Operation, Redrive},
    run::End,
    sandbox::world::{Denial, Fault},
};

use super::{
    Ended, assert_fails, assert_planned, assert_way, night,
    proxy::{Refusing, before},
    refused, tried,
};
use crate::{
    cli::ground::{DEV, Ground},
    operations::orders,
    support::stage::{Stage, arn},
};

fn redrive() -> Operation {
    Operation::Redrive(Redrive { queue: "orders-dlq".to_owned(), ..Redrive::default() })
}

/// Every call that fits goes wrong in one way until it is mended; then there is a plan.
fn passes(call: &str, kind: &str, way: Try, says: &str) {
    night(async {
        let mut stage = Stage::new(Protection::Confirm, &orders(3));
        let fault = serde_json::json!({ "call": call, "kind": kind, "times": 100_000 });
        stage.fault(serde_json::from_value::<Fault>(fault).expect("a fault"));
        assert_way(&refused(&mut stage, &redrive()).await, way, says);
        stage.sandbox.with(|world, _| world.faults.clear());
        assert_planned(&mut stage, &redrive()).await;
    });
}

pub(super) fn allow() {
    night(async {
        let mut stage = Stage::new(Protection::Confirm, &orders(3));
        let plan = stage.plan(&redrive()).await.expect("a plan").plan;
        let approved = stage.approve(plan).expect("approval");
        let denial = Denial { account: "*".into(), queue: "*".into(), action: "ReceiveMessage".into() };
        stage.sandbox.with(|world, _| world.denials.push(denial));
        let context = stage.context().await;
        let report = opsctl::run::execute(approved, &context).await;
        assert_fails(&report, Try::Allow);
        let hint = report.failure.as_ref().expect("a failure").hint.clone();
        assert!(hint.as_str().contains("ReceiveMessage on arn:aws:sqs:af-south-1:111111111111:orders-dlq"), "{hint}");
        stage.sandbox.with(|world, _| world.denials.clear());
        let reports = stage.follow_to_the_end(report, "orders").await;
        assert_eq!((reports.last().map(|last| last.end), stage.count("orders")), (Some(End::Done), 3), "{reports:#?}");
    });
}

/// A world with dead letters, reached through a configuration; `before` it is where the calls go first.
fn configured(ground: &Ground, endpoint: &str, reach: &str) -> String {
    let text = format!(
        "[environments.dev]\naccount = {DEV:?}\nregion = \"af-south-1\"\nprotection = \"confirm\"\nendpoint = {endpoint:?}\n{reach}\n"
    );
    ground.file("opsctl.toml", &text).to_str().expect("UTF-8").to_owned()
}

fn full() -> Ground {
    let ground = Ground::quick();
    ground.pair(DEV, "orders");
    (0..3).for_each(|_| ground.dead_letter("orders", "body"));
    ground
}

fn with_keys(ground: &Ground, words: &[&str]) -> Ended {
    let mut command = ground.command(words);
    command.env("AWS_ACCESS_KEY_ID", DEV).env("AWS_SECRET_ACCESS_KEY", "sandbox");
    ground.ended(command.output().expect("started"))
}

/// The redrive as it is refused in between, and once it is not any more.
fn between(refusing: Refusing, says: &[&str]) {
    let ground = full();
    let line = |config: &str| {
        let words = ["redrive", "--queue", "orders-dlq", "--env", "dev", "--yes", "--config", config];
        words.map(str::to_owned)
    };
    let (endpoint, refuses) = before(ground.url(), refusing);
    let config = configured(&ground, &endpoint, "");
    let line = line(&config);
    let ended = with_keys(&ground, &line.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let text = tried(&ended, "");
    assert!(says.iter().all(|words| text.contains(words)), "{text}");
    let next =
        ended.out.lines().find_map(|line| line.trim().strip_prefix("next: ")).expect("what to do next").to_owned();
    // Whoever can has changed it.
    refuses.store(false, std::sync::atomic::Ordering::SeqCst);
    let words = crate::support::follow::words(&next.replace("<home>", &ground.home.path().display().to_string()));
    let words: Vec<&str> = words.iter().skip(1).map(String::as_str).chain(["--yes"]).collect();
    let ended = with_keys(&ground, &words);
    assert_eq!((ended.code, ground.count("orders")), (Some(0), 3), "{ended:?}");
}

pub(super) fn change_policy() {
    let words = "User: arn:aws:sts::111111111111:assumed-role/on-call/ada is not authorized to perform: sqs:receivemessage on \
                 resource: arn:aws:sqs:af-south-1:111111111111:orders-dlq with an explicit deny in a resource-based policy";
    between(
        Refusing { call: "ReceiveMessage", code: "AccessDenied", words },
        &["in the policy of arn:aws:sqs:af-south-1:111111111111:orders-dlq itself"],
    );
}

pub(super) fn mend_key() {
    let words = "arn:aws:kms:af-south-1:111111111111:key/abc is disabled.";
    between(Refusing { call: "ReceiveMessage", code: "KmsDisabled", words }, &["enable", "KMS"]);
    let words = "User: arn:aws:sts::111111111111:assumed-role/on-call/ada is not authorized to perform: kms:Decrypt on resource: \
                 arn:aws:kms:af-south-1:111111111111:key/abc because no identity-based policy allows the kms:Decrypt action";
    between(
        Refusing { call: "ReceiveMessage", code: "KmsAccessDenied", words },
        &["allow kms:Decrypt on arn:aws:kms:af-south-1:111111111111:key/abc"],
    );
}

pub(super) fn later() {
    passes("GetQueueAttributes", "throttled", Try::Later, "wait a little");
    passes("GetQueueAttributes", "lost-before", Try::Later, "it changes nothing");
}

pub(super) fn log_in() {
    passes("*", "expired-credentials", Try::LogIn, "check the fixed keys");
}

pub(super) fn look_first() {
    night(async {
        let stage = Stage::new(Protection::Confirm, &orders(3));
        let cloud = stage.cloud().await;
        let dead_letters = QueueArn(arn("orders-dlq"));
        let start = || cloud.sqs.start_move_task(&dead_letters, None, None);
        let fault = serde_json::json!({ "call": "StartMessageMoveTask", "kind": "lost-before", "times": 1 });
        stage.fault(serde_json::from_value::<Fault>(fault).expect("a fault"));
        let error = start().await.expect_err("no answer");
        assert_way(&error.hint(&stage.environment), Try::LookFirst, "look at what is there");
        assert!(cloud.sqs.move_tasks(&dead_letters).await.expect("tasks").is_empty(), "it was not done");
        start().await.expect("a task");
    });
}

pub(super) fn set_clock() {
    passes("*", "clock-skew", Try::SetClock, "`opsctl doctor --env dev`");
}

pub(super) fn check_name() {
    night(async {
        let stage = Stage::new(Protection::Confirm, &orders(3));
        let cloud = stage.cloud().await;
        let url = |name: &str| QueueUrl(format!("https://sqs.af-south-1.amazonaws.com/{DEV}/{name}"));
        let error = cloud.sqs.describe(&url("ordres-dlq")).await.expect_err("no such queue");
        assert_way(&error.hint(&stage.environment), Try::CheckName, "check the name");
        cloud.sqs.describe(&url("orders-dlq")).await.expect("there");
    });
}

pub(super) fn correct_request() {
    night(async {
        let stage = Stage::new(Protection::Confirm, &orders(3));
        let cloud = stage.cloud().await;
        let start = async |name: &str| cloud.sqs.start_move_task(&QueueArn(arn(name)), None, None).await;
        let error = start("orders").await.expect_err("not a DLQ");
        assert_way(&error.hint(&stage.environment), Try::CorrectRequest, "correct the request");
        start("orders-dlq").await.expect("a task");
    });
}

pub(super) fn check_profile() {
    night(async {
        let mut stage = Stage::new(Protection::Confirm, &orders(3));
        let plan = stage.plan(&redrive()).await.expect("a plan").plan;
        let approved = stage.approve(plan).expect("approval");
        let fault = serde_json::json!({ "call": "GetCallerIdentity", "kind": "other-account", "times": 100_000 });
        stage.fault(serde_json::from_value::<Fault>(fault).expect("a fault"));
        let context = stage.context().await;
        let report = opsctl::run::execute(approved, &context).await;
        assert_eq!(report.end, End::Refused, "{report:#?}");
        assert_fails(&report, Try::CheckProfile);
        stage.sandbox.with(|world, _| world.faults.clear());
        assert_eq!(stage.run(&redrive()).await.end, End::Done);
    });
    let ground = full();
    let config = configured(&ground, ground.url(), "profile = \"on-call\"");
    let line = ["queues", "--config", &config];
    tried(&ground.plain(&line), "or make the profile");
    std::fs::create_dir_all(ground.home.path().join(".aws")).expect("a folder");
    let by = |program: &str| {
        ground.file(".aws/config", &format!("[profile on-call]\ncredential_process = {program}\n"));
        ground.plain(&line)
    };
    tried(&by("false"), "correct `credential_process`");
    let keys =
        ground.file("keys.json", &format!(r#"{{"Version":1,"AccessKeyId":"{DEV}","SecretAccessKey":"sandbox"}}"#));
    by(&format!("cat {}", keys.display())).expect(0);
}

pub(super) fn give_credentials() {
    let ground = full();
    let config = configured(&ground, ground.url(), "profile = \"on-call\"");
    let line = ["queues", "--config", &config];
    std::fs::create_dir_all(ground.home.path().join(".aws")).expect("a folder");
    ground.file(".aws/config", "[profile on-call]\nregion = af-south-1\n");
    tried(&ground.plain(&line), "give the profile keys or a role");
    ground
        .file(".aws/credentials", &format!("[on-call]\naws_access_key_id = {DEV}\naws_secret_access_key = sandbox\n"));
    ground.plain(&line).expect(0);
    let config = configured(&ground, ground.url(), "");
    let half = |more: &[(&str, &str)]| {
        let mut command = ground.command(&["queues", "--config", &config]);
        command.env("AWS_ACCESS_KEY_ID", DEV).envs(more.iter().copied());
        ground.ended(command.output().expect("started"))
    };
    tried(&half(&[]), "set both, or neither");
    half(&[("AWS_SECRET_ACCESS_KEY", "sandbox")]).expect(0);
}

pub(super) fn mend_connection() {
    let ground = full();
    let config = configured(&ground, "http://127.0.0.1:9", "");
    let line = ["queues", "--config", &config];
    tried(&with_keys(&ground, &line).expect(1), "check that something listens at http://127.0.0.1:9");
    configured(&ground, ground.url(), "");
    with_keys(&ground, &line).expect(0);
}
