//! `opsctl migrate`.

use std::{process::Stdio, thread, time::Duration};

use opsctl::sandbox::world::{
    Answer, Fault,
    ecs::{Breaker, JobFixture, LogConfig, Outcome, Program, ServiceFixture},
};

use super::ground::{DEV, Ended, Ground, REGION, caller};

const PROD: &str = "333333333333";
const FAMILY: &str = "wallet-service-migration";
const GROUP: &str = "/aws/ecs/WalletMigrations";

fn cluster(account: &str) -> &'static str {
    if account == PROD { "wallet-service-cluster-prod" } else { "wallet-service-cluster-dev" }
}

/// What the sandbox's configuration calls `wallet-service`, with a task that runs for so long and ends with this code.
fn settle(ground: &Ground, account: &str, after_seconds: u32, code: i32) {
    let service = ServiceFixture {
        cluster: cluster(account).into(),
        name: "wallet-service".into(),
        family: "wallet-service".into(),
        image: "wallet-service:1".into(),
        revision: 1,
        program: Program::default(),
        desired: 1,
        breaker: Breaker::Off,
        tags: Default::default(),
    };
    let job = JobFixture {
        family: FAMILY.into(),
        revision: 4,
        image: "wallet-service-migration:4".into(),
        program: Program { outcome: Outcome::Exits { after_seconds, code }, ..Program::default() },
        command: vec!["npm".into(), "run".into(), "migration:run".into()],
        log: Some(LogConfig { group: GROUP.into(), prefix: "ecs".into(), ..LogConfig::default() }),
        script: vec![
            (0.5, "connecting".into()),
            (1.0, "\u{1b}[2Jhostile\u{202e}\u{9b} line".into()),
            (2.0, "token=abcdefghijklmnop done".into()),
        ],
        ..JobFixture::default()
    };
    ground.sandbox.with(|world, now| {
        world.ecs.settle(now, &caller(account), &service);
        world.ecs.define_job(&caller(account), &job);
        world.logs.create_group(now.as_millisecond(), account, REGION, GROUP);
    });
}

fn tasks(ground: &Ground, account: &str) -> usize {
    ground.sandbox.with(|world, now| {
        world.advance(now);
        world.ecs.tasks_of_family(&caller(account), cluster(account), FAMILY).len()
    })
}

fn ground(after_seconds: u32, code: i32) -> Ground {
    let ground = Ground::quick();
    settle(&ground, DEV, after_seconds, code);
    ground
}

const RUN: [&str; 5] = ["migrate", "wallet-service", "-e", "dev", "--yes"];

fn is_safe(text: &str) -> bool {
    !text.contains(['\u{1b}', '\u{9b}', '\u{202e}'])
}

#[test]
fn its_log_goes_to_standard_error_and_its_report_to_standard_output() {
    let ground = ground(20, 0);
    let ended = ground.opsctl(&RUN).expect(0);
    for words in ["connecting", "hostile", "is RUNNING", "Plan ", "wallet-service-migration:4 (pinned)"] {
        assert!(ended.err.contains(words), "{words}: {}", ended.err);
    }
    assert!(ended.out.contains("migrate in dev: done") && !ended.out.contains("connecting"), "{}", ended.out);
    assert!(is_safe(&ended.err) && is_safe(&ended.out) && !ended.err.contains("abcdefghijklmnop"), "{ended:?}");
    let run = ended.out.split(['(', ',']).nth(1).expect("a run").to_owned();
    let shown = ground.opsctl(&["journal", "show", &run]).expect(0).out;
    assert!(shown.contains("about to start wallet-service-migration:4 in wallet-service-cluster-dev"), "{shown}");
    assert!(shown.contains("STOPPED, EssentialContainerExited, exit code 0"), "{shown}");
}

#[test]
fn the_container_s_exit_code_is_the_program_s_and_stands_in_json() {
    for (container, code) in [(3, 203), (137, 137), (130, 230)] {
        let ground = ground(3, container);
        let ended = ground.opsctl(&[&RUN[..], &["--output", "json"]].concat()).expect(code);
        let report = ended.json();
        assert_eq!((&report["end"], &report["details"]["exit_code"]), (&"failed".into(), &container.into()));
        assert_eq!(report["details"]["stop_code"], "EssentialContainerExited");
        assert!(is_safe(&ended.out) && ended.err.contains("connecting"), "{ended:?}");
    }
}

#[test]
fn lines_of_the_log_are_documents_where_each_line_is_one() {
    let ground = ground(10, 0);
    let ended = ground.opsctl(&[&RUN[..], &["--output", "jsonl"]].concat()).expect(0);
    let documents: Vec<serde_json::Value> =
        ended.out.lines().map(|line| serde_json::from_str(line).expect("a document")).collect();
    let lines: Vec<&str> = documents
        .iter()
        .filter_map(|document| document["log"].as_array())
        .flatten()
        .filter_map(|line| line["text"].as_str())
        .collect();
    assert_eq!((lines.len(), lines.first()), (3, Some(&"connecting")), "{}", ended.out);
    assert_eq!(documents.last().expect("a report")["schema"], "opsctl/report/2");
}

#[test]
fn a_task_that_never_starts_has_stop_code_and_reason_in_json() {
    let ground = Ground::quick();
    settle(&ground, DEV, 5, 0);
    ground.sandbox.with(|world, _| world.logs.delete_group(DEV, REGION, GROUP));
    let report = ground.opsctl(&[&RUN[..], &["--output", "json"]].concat()).expect(1).json();
    let migration = &report["details"];
    assert_eq!((&migration["stop_code"], &migration["exit_code"]), (&"TaskFailedToStart".into(), &().into()));
    assert!(migration["stopped_reason"].as_str().is_some_and(|text| text.contains("log group")), "{report}");
}

#[test]
fn detached_it_ends_with_0_and_is_looked_at_again() {
    let ground = ground(30, 9);
    let ended = ground.opsctl(&[&RUN[..], &["--detach", "--output", "json"]].concat()).expect(0).json();
    let run = ended["run"].as_str().expect("a run").to_owned();
    assert!(ended["next"].as_str().is_some_and(|next| next.contains("--resume")), "{ended}");
    let second = ground.opsctl(&RUN).expect(3);
    assert!(second.err.contains("another migration runs") && second.err.contains(&run), "{}", second.err);
    ground.opsctl(&["migrate", "--resume", &run, "-e", "dev", "--yes"]).expect(9);
    assert_eq!(tasks(&ground, DEV), 1);
}

#[test]
fn killed_between_journal_and_answer_it_starts_no_second_task() {
    // Applied and not answered; not even applied.
    for kind in [r#"{"slow": 36000}"#, r#""hang""#] {
        let ground = ground(10, 0);
        let fault = format!(r#"{{"call":"RunTask","kind":{kind}}}"#);
        ground.sandbox.with(|world, _| world.faults.add(serde_json::from_str::<Fault>(&fault).expect("a fault")));
        let mut child = ground.command(&[&["--sandbox"], &RUN[..]].concat());
        let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
        let journal = || {
            let run = std::fs::read_dir(ground.runs()).ok()?.flatten().next()?.path();
            let text = std::fs::read_to_string(run.join("journal.jsonl")).ok()?;
            text.contains("migration-intent").then(|| run.file_name()?.to_str().map(str::to_owned))?
        };
        let run = (0..600).find_map(|_| {
            thread::sleep(Duration::from_millis(20));
            journal()
        });
        let run = run.expect("the intent is written before the call");
        thread::sleep(Duration::from_millis(100));
        child.kill().expect("SIGKILL");
        child.wait().expect("killed");
        let report = ground.opsctl(&["migrate", "--resume", &run, "-e", "dev", "--yes", "--output", "json"]);
        let report = report.expect(0).json();
        assert_eq!((&report["end"], tasks(&ground, DEV)), (&"done".into(), 1), "{kind}: {report}");
    }
}

#[test]
fn ctrl_c_says_what_goes_on_and_stops_nothing() {
    let ground = ground(3_000, 0);
    let mut command = ground.command(&[&["--sandbox"], &RUN[..]].concat());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    let started = (0..600).any(|_| {
        thread::sleep(Duration::from_millis(20));
        tasks(&ground, DEV) == 1
    });
    assert!(started, "it starts");
    thread::sleep(Duration::from_millis(200));
    let interrupted = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(interrupted.expect("kill").success());
    let ended: Ended = ground.ended(child.wait_with_output().expect("ended")).expect(130);
    assert!(ended.out.contains("the task goes on in AWS") && ended.out.contains("--resume"), "{}", ended.out);
    let running = ground.sandbox.with(|world, now| {
        let body = serde_json::json!({ "cluster": cluster(DEV), "family": FAMILY });
        match world.ask(now, &caller(DEV), ("ecs", "ListTasks"), body).expect("listed") {
            Answer::Document(listed) => listed["taskArns"].as_array().map(Vec::len),
            other => panic!("{other:?}"),
        }
    });
    assert_eq!(running, Some(1));
}

#[test]
fn where_names_are_typed_a_yes_is_not_enough() {
    let ground = Ground::quick();
    settle(&ground, PROD, 3, 0);
    ground.opsctl(&["migrate", "wallet-service", "-e", "prod", "--yes"]).expect(3);
    let plan =
        ground.opsctl(&["migrate", "wallet-service", "-e", "prod", "--dry-run", "--output", "json"]).expect(0).json();
    let fingerprint = plan["fingerprint"].as_str().expect("a fingerprint").to_owned();
    let words = ["migrate", "wallet-service", "-e", "prod", "--approve", &fingerprint];
    assert!(ground.opsctl(&words).expect(3).err.contains("reason"));
    ground.opsctl(&[&words[..], &["--reason", "release 3.14"]].concat()).expect(0);
    assert_eq!(tasks(&ground, PROD), 1);
}

#[test]
fn mistakes_are_told_before_anything_is_asked() {
    let ground = ground(3, 0);
    let error = ground.opsctl(&["migrate", "walet-service", "-e", "dev", "--yes"]).expect(2).err;
    assert!(error.contains("did you mean wallet-service?"), "{error}");
    let error = ground.opsctl(&["migrate", "wallet-service", "--command", "revrt", "-e", "dev"]).expect(2).err;
    assert!(error.contains("did you mean revert?"), "{error}");
    ground.opsctl(&["migrate", "-e", "dev"]).expect(2);
    ground.opsctl(&["migrate", "wallet-service", "--wait", "--detach", "-e", "dev"]).expect(2);
    assert_eq!(tasks(&ground, DEV), 0);
}
