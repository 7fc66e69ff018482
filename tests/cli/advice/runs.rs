//! How runs end, and what is kept of them.

use std::sync::Arc;

use opsctl::{
    domain::{Protection, RunId, Try},
    journal::{History, Journal, StateFolder},
    operations::{
        Look, Operation, Planner, Redrive,
        values::{EngineChoice, Seconds},
    },
    run::{self, End},
    sandbox::world::{
        Denial,
        ecs::{Outcome, Program},
    },
};
use tokio_util::sync::CancellationToken;

use super::{assert_fails, assert_way, commands, night, run as run_line, tried};
use crate::{
    cli::{
        ground::{DEV, Ground},
        runbooks,
    },
    operations::{failover, guard, migrate, orders, services},
    support::{
        follow::{Followed, read},
        stage::{ACCOUNT, Stage, caller},
    },
};

fn redrive(change: impl FnOnce(&mut Redrive)) -> Operation {
    let mut redrive = Redrive { queue: "orders-dlq".to_owned(), ..Redrive::default() };
    change(&mut redrive);
    Operation::Redrive(redrive)
}

pub(super) fn make_room() {
    night(async {
        let stage = Stage::new(Protection::Confirm, &orders(3));
        let file = stage.state.path().join("a-file");
        std::fs::write(&file, "").expect("written");
        let plan = async |folder| {
            let cloud = stage.cloud().await;
            Planner::new(StateFolder::new(folder), 1, Look::Sample).plan(&redrive(|_| ()), &cloud).await
        };
        let error = plan(file).await.map(|planned| planned.plan).expect_err("no folder");
        assert_way(
            &error.advice(&stage.environment).expect("advice"),
            Try::MakeRoom,
            "permissions of the state folder",
        );
        plan(stage.state.path().join("a-folder")).await.expect("a plan");
    });
}

pub(super) fn wait_for_other() {
    night(async {
        let mut stage = Stage::new(Protection::Confirm, &orders(3));
        let run = stage.run(&redrive(|redrive| redrive.limit = Some(1))).await.run;
        let take_up = || Journal::reopen(stage.folder().open(&run).expect("there"), stage.sandbox.clock());
        let (journal, _) = take_up().expect("free");
        let error = take_up().map(|_| ()).expect_err("somebody is at it");
        assert_way(&error.hint(), Try::WaitForOther, "wait until it has ended");
        journal.close(Vec::new()).await.expect("closed");
        take_up().expect("free again");
    });
}

pub(super) fn list_runs() {
    night(async {
        let mut stage = Stage::new(Protection::Confirm, &orders(3));
        let known = stage.run(&redrive(|redrive| redrive.limit = Some(1))).await.run;
        let none: RunId = "20260101T000000-000000".parse().expect("a run");
        let error = run::plan_of(&stage.folder(), &none).expect_err("no run");
        assert_way(&error.advice(&stage.environment).expect("advice"), Try::ListRuns, "opsctl runs` lists them");
        let listed = stage.folder().list().expect("runs");
        assert_eq!(listed.iter().map(|run| &run.run).collect::<Vec<_>>(), [&known]);
        run::plan_of(&stage.folder(), &known).expect("a plan");
    });
    Ground::new().opsctl(&["runs"]).expect(0);
}

pub(super) fn verify_journal() {
    let ground = Ground::quick();
    ground.pair(DEV, "orders");
    ground.dead_letter("orders", "body");
    let line = ["redrive", "-e", "dev", "--queue", "orders-dlq", "--yes", "--output", "json"];
    let run = ground.opsctl(&line).expect(0).json()["run"].as_str().expect("a run").to_owned();
    let folder =
        StateFolder::new(ground.runs().parent().expect("a folder")).open(&run.parse().expect("a run")).expect("there");
    let text = std::fs::read_to_string(folder.journal()).expect("a journal");
    std::fs::write(folder.journal(), text.replacen("orders-dlq", "orders-dlx", 1)).expect("changed");
    let error = History::read(&folder).map(|_| ()).expect_err("it was changed");
    assert_way(&error.hint(), Try::VerifyJournal, "verify the journal");
    let verified = ground.opsctl(&["journal", "verify", &run]).expect(1);
    assert!(verified.out.contains("BROKEN"), "it says where: {verified:?}");
}

pub(super) fn resume() {
    night(async {
        let mut stage = Stage::new(Protection::Confirm, &orders(30));
        let plan = stage.plan(&redrive(|redrive| redrive.rate = Some(5))).await.expect("a plan").plan;
        let approved = stage.approve(plan).expect("approval");
        let mut context = stage.context().await;
        let cancel = stage.cancel.clone();
        context.progress = Arc::new(move |progress| {
            if progress.doing.tally().is_some_and(|tally| tally.moved >= 5) {
                cancel.cancel();
            }
        });
        let report = run::execute(approved, &context).await;
        assert_eq!(report.end, End::Interrupted, "{report:#?}");
        assert_fails(&report, Try::Resume);
        stage.cancel = CancellationToken::new();
        let reports = stage.follow_to_the_end(report, "orders").await;
        assert_eq!((reports.last().map(|last| last.end), stage.count("orders")), (Some(End::Done), 30), "{reports:#?}");
    });
}

pub(super) fn mend_consumer() {
    night(async {
        let mut stage = Stage::new(Protection::TypeName, &orders(40));
        let consumer = guard::start_failing_consumer(&stage);
        let report = stage.run(&redrive(|redrive| redrive.wait_bounce = Some(Seconds(30)))).await;
        consumer.abort();
        assert_fails(&report, Try::MendConsumer);
        let hint = report.failure.as_ref().map(|failure| failure.hint.to_string()).unwrap_or_default();
        assert!(hint.contains("`opsctl groups --queue orders-dlq --env dev`"), "{hint}");
        // It is mended: what arrives is taken and deleted.
        let sandbox = stage.sandbox.clone();
        let consumer = tokio::spawn(async move {
            loop {
                sandbox.clock().sleep(std::time::Duration::from_secs(1)).await;
                sandbox.with(|world, now| {
                    let url = format!("{}/{ACCOUNT}/orders", caller().origin);
                    for taken in world.take(now, &caller(), "orders", 10, Some(30)).expect("a queue") {
                        let input = serde_json::json!({ "QueueUrl": url, "ReceiptHandle": taken.receipt_handle });
                        world.ask(now, &caller(), ("sqs", "DeleteMessage"), input).expect("deleted");
                    }
                });
            }
        });
        let reports = stage.follow_to_the_end(report, "orders").await;
        consumer.abort();
        assert_eq!(
            (reports.last().map(|last| last.end), stage.count("orders-dlq")),
            (Some(End::Done), 0),
            "{reports:#?}"
        );
    });
}

pub(super) fn mend_edit() {
    night(async {
        let mut stage = Stage::new(Protection::Confirm, &orders(30));
        let file = stage.state.path().join("edit.jq");
        std::fs::write(&file, "error(\"no\")").expect("written");
        let edit = file.display().to_string();
        let report = stage.run(&redrive(|redrive| redrive.edit = Some(edit))).await;
        assert_fails(&report, Try::MendEdit);
        std::fs::write(&file, ".body.n = 0").expect("mended");
        let reports = stage.follow_to_the_end(report, "orders").await;
        assert_eq!((reports.last().map(|last| last.end), stage.count("orders")), (Some(End::Done), 30), "{reports:#?}");
    });
}

pub(super) fn mend_filter() {
    night(async {
        // More than can be held while the rest is looked for.
        let mut stage = Stage::new(Protection::Confirm, &orders(100_300));
        let filtered = |filter: &str| {
            let filter = Some(filter.to_owned());
            redrive(|redrive| redrive.filter = filter)
        };
        let report = stage.run(&filtered(".body.n < 200")).await;
        assert_fails(&report, Try::MendFilter);
        let next = report.next.expect("what leads on").as_str().replace("--to QUEUE", "--to orders");
        let Followed::Operation(turned) = read(&next) else { panic!("{next}") };
        let plan = stage.plan(&turned).await.expect("a plan").plan;
        assert!(plan.blockers.is_empty() && plan.messages_estimate > 50_000, "{plan:#?}");
    });
}

pub(super) fn client_engine() {
    night(async {
        let mut stage = Stage::new(Protection::Confirm, &orders(5));
        let denial = Denial { account: "*".into(), queue: "*".into(), action: "StartMessageMoveTask".into() };
        stage.sandbox.with(|world, _| world.denials.push(denial));
        let report = stage.run(&redrive(|redrive| redrive.engine = EngineChoice::Managed)).await;
        assert_fails(&report, Try::ClientEngine);
        let reports = stage.follow_to_the_end(report, "orders").await;
        assert_eq!((reports.last().map(|last| last.end), stage.count("orders")), (Some(End::Done), 5), "{reports:#?}");
    });
}

pub(super) fn run_again() {
    night(async {
        let mut stage = failover::stage();
        stage.cancel.cancel();
        let report = stage.run(&failover::orders()).await;
        assert_fails(&report, Try::RunAgain);
        stage.cancel = CancellationToken::new();
        let reports = stage.follow_to_the_end(report, "").await;
        assert_eq!(reports.last().map(|last| last.end), Some(End::Done), "{reports:#?}");
    });
}

pub(super) fn look_at_result() {
    night(async {
        let mut stage = migrate::stage_of(migrate::exits(5, 0), |_| ());
        let mut detached = migrate::migrate();
        if let Operation::Migrate(migrate) = &mut detached {
            migrate.detach = true;
        }
        assert_eq!(stage.run(&detached).await.end, End::Done);
        // ECS has forgotten the task by then; its log group has not.
        tokio::time::sleep(std::time::Duration::from_secs(3 * 3_600)).await;
        let report = stage.resume().await;
        assert_fails(&report, Try::LookAtResult);
        let events = stage.sandbox.with(|world, now| {
            let asked = serde_json::json!({ "logGroupName": migrate::GROUP });
            world.ask(now, &caller(), ("logs", "FilterLogEvents"), asked)
        });
        assert!(format!("{events:?}").len() > 100, "{events:?}");
    });
}

pub(super) fn mend_service() {
    night(async {
        let mut stage = services::stage(Protection::Confirm, &[("api", 0)], &[&["api"]]);
        let wake = || {
            let wake = opsctl::operations::Wake { group: Some("all".to_owned()), ..Default::default() };
            Operation::Wake(wake)
        };
        let deploy = |sandbox: &opsctl::sandbox::Sandbox, revision, outcome| {
            sandbox.with(|world, now| {
                let program = Program { outcome, ..Program::default() };
                let definition = world.ecs.define(&caller(), "api", "api:x", revision, program);
                world.ecs.deploy(now, &caller(), "main", "api", &definition);
            });
        };
        let (sandbox, operation) = (stage.sandbox.clone(), wake());
        let deploys = async {
            sandbox.clock().sleep(std::time::Duration::from_secs(6)).await;
            deploy(&sandbox, 4, Outcome::CannotPull);
        };
        let (report, ()) = tokio::join!(stage.run(&operation), deploys);
        assert_fails(&report, Try::MendService);
        deploy(&stage.sandbox, 5, Program::default().outcome);
        let reports = stage.follow_to_the_end(report, "").await;
        assert!(matches!(reports.last().map(|last| last.end), Some(End::Done | End::Nothing)), "{reports:#?}");
    });
}

pub(super) fn mend_task() {
    night(async {
        let mut stage = migrate::stage_of(migrate::exits(5, 3), |_| ());
        let report = stage.run(&migrate::migrate()).await;
        assert_fails(&report, Try::MendTask);
        let mut mended = migrate::stage_of(migrate::exits(5, 0), |_| ());
        assert_eq!(mended.run(&migrate::migrate()).await.end, End::Done);
    });
}

pub(super) fn mend_database() {
    let ground = Ground::fleet();
    let denial = Denial { account: "*".into(), queue: "*".into(), action: "rds-db:*".into() };
    ground.sandbox.with(|world, _| world.denials.push(denial));
    let line = ["outbox", "show", "cts", "-e", "prod"];
    let text = tried(&ground.opsctl(&line).expect(1), "doctor");
    let said = run_line(&ground, &commands(&text)[0], &[]);
    assert!(said.out.contains("cts"), "{said:?}");
    ground.sandbox.with(|world, _| world.denials.clear());
    ground.opsctl(&line).expect(0);
}

/// A run of a runbook that waits for somebody.
fn open_run(ground: &Ground) -> String {
    let left = runbooks::as_person(ground, "anna", &runbooks::run(&[]));
    left.json()["run"].as_str().expect("a run").to_owned()
}

pub(super) fn take_over() {
    let ground = runbooks::ground(3);
    let id = open_run(&ground);
    let refused = runbooks::as_person(&ground, "ben", &["runbook", "resume", &id, "--yes"]);
    let command = commands(&tried(&refused, "takes it over"))[0].clone();
    let words = crate::support::follow::words(&command);
    // As `ben`, with what the steps ask for.
    let words: Vec<&str> = words.iter().skip(1).filter(|word| *word != "--sandbox").map(String::as_str).collect();
    let taken = runbooks::as_person(&ground, "ben", &[&words[..], &runbooks::ALL].concat());
    assert_eq!(taken.code, Some(0), "{taken:?}");
}

pub(super) fn begin_anew() {
    let ground = runbooks::ground(3);
    let id = open_run(&ground);
    let copy = std::fs::read_dir(ground.runs().join(&id)).expect("a folder").flatten();
    let copy =
        copy.map(|file| file.path()).find(|path| path.extension().is_some_and(|end| end == "md")).expect("its text");
    std::fs::write(copy, "# Another\n\n## Step\n\nDo it.\n").expect("changed");
    tried(&runbooks::as_person(&ground, "anna", &["runbook", "resume", &id, "--yes"]), "start a new run");
    let begun = runbooks::as_person(&ground, "anna", &runbooks::run(&runbooks::ALL));
    assert_eq!(begun.code, Some(0), "{begun:?}");
}

pub(super) fn see_record() {
    let ground = runbooks::ground(3);
    let ended = ground.opsctl(&runbooks::run(&runbooks::ALL)).expect(0).json();
    let id = ended["run"].as_str().expect("a run");
    let text = tried(&ground.opsctl(&["runbook", "resume", id, "--yes"]).expect(2), "has its timeline");
    assert!(run_line(&ground, &commands(&text)[0], &[]).expect(0).out.contains("# Drain a queue"));
}

pub(super) fn edit_again() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let edit = |program: &'static str| async move {
            let edit = opsctl::tui::state::effect::Edit { text: "{}".to_owned(), suffix: ".json" };
            opsctl::tui::editor::edit(edit, Some(program)).await
        };
        let failure = edit("false").await.expect_err("the editor gives up");
        assert_eq!(failure.advice, Some(Try::EditAgain), "{failure:?}");
        let failure = edit("no-such-editor-at-all").await.expect_err("no such program");
        assert_eq!(failure.advice, Some(Try::SetVariable), "{failure:?}");
        assert_eq!(edit("true").await, Ok(None), "left as it was");
    });
}
