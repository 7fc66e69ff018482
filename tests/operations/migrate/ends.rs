//! Following, and how it ends.

use super::*;

#[tokio::test(start_paused = true)]
async fn it_is_followed_with_every_line_once_until_its_exit_code() {
    let mut stage = stage();
    let (report, news, log) = run_and_listen(&mut stage, &migrate()).await;
    assert_eq!(report.end, End::Done, "{report:#?}");
    assert_eq!(log, (0..10).map(|number| format!("step {number}")).collect::<Vec<_>>());
    let news = news.join("\n");
    for status in ["PROVISIONING", "PENDING", "RUNNING", "STOPPED"] {
        assert!(news.contains(status), "{news}");
    }
    let done = done(&report);
    assert_eq!((done.exit_code, done.log_lines), (Some(0), 10));
    assert_eq!(done.stop_code.as_ref().map(Text::as_str), Some("EssentialContainerExited"));
    let ids = tasks(&stage);
    assert_eq!(done.task.as_ref().map(|task| task.id()), ids.first().map(String::as_str));
    assert_eq!(report.command.as_str(), "opsctl migrate wallet --env dev");
    assert!(report.next.is_none() && words(&report.notes).contains("a missing one proves nothing"), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn the_exit_code_of_the_container_is_the_result() {
    let mut stage = stage_of(exits(5, 3), |_| ());
    let report = stage.run(&migrate()).await;
    assert_eq!((report.end, done(&report).exit_code), (End::Failed, Some(3)), "{report:#?}");
    assert!(what(&report).contains("ended with exit code 3"), "{}", what(&report));
    assert_eq!(opsctl::cli::show::exit(&report).code(), 203);
}

#[tokio::test(start_paused = true)]
async fn a_crash_while_waiting_is_taken_up_with_the_log_from_its_start() {
    let mut stage = stage();
    crash_after(&mut stage, 20.0).await;
    let run = stage.folder().list().expect("runs").first().expect("a run").run.clone();
    let plan = run::plan_of(&stage.folder(), &run).expect("a plan");
    assert!(plan.summary.as_str().contains("nothing is started") && plan.calls.is_empty(), "{plan:#?}");
    let approved = stage.approve(plan).expect("approval");
    let (context, told) = listening(&mut stage).await;
    let report = run::resume(&run, approved, &context).await.expect("a journal");
    assert_eq!((report.end, tasks(&stage).len()), (End::Done, 1), "{report:#?}");
    assert_eq!(told.lock().expect("nobody panicked").1.len(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_shown_no_longer_is_not_called_done() {
    let mut stage = stage();
    crash_after(&mut stage, 20.0).await;
    pass(&stage, 7_200).await;
    let report = stage.resume().await;
    assert_eq!(report.end, End::Partly, "{report:#?}");
    assert!(what(&report).contains("how it ended is not known"), "{}", what(&report));
}

#[tokio::test(start_paused = true)]
async fn a_task_that_never_starts_is_reported_with_stop_code_and_reason() {
    for (outcome, reason, words) in [
        (Outcome::CannotPull, "CannotPullContainerError", "the image is there"),
        (Outcome::CannotInitialize, "ResourceInitializationError", "secrets"),
    ] {
        let mut stage = stage_of(Program { outcome, ..Program::default() }, |_| ());
        let report = stage.run(&migrate()).await;
        assert_eq!(report.end, End::Failed, "{report:#?}");
        assert!(what(&report).contains("TaskFailedToStart") && what(&report).contains(reason), "{}", what(&report));
        assert!(hint(&report).contains(words), "{}", hint(&report));
        assert_eq!((done(&report).exit_code, done(&report).started_at), (None, None));
        assert_eq!(opsctl::cli::show::exit(&report).code(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_log_group_is_warned_of_and_told() {
    let mut stage = stage();
    in_world(&stage, |world, _| world.logs.delete_group(ACCOUNT, REGION, GROUP));
    let plan = stage.plan(&migrate()).await.expect("a plan").plan;
    assert!(words(&plan.warnings).contains("is not there: the task will not start"), "{:?}", plan.warnings);
    let report = stage.run(&migrate()).await;
    assert_eq!(report.end, End::Failed, "{report:#?}");
    assert!(
        what(&report).contains("log group does not exist") && hint(&report).contains("make the log group"),
        "{report:#?}"
    );
}

#[tokio::test(start_paused = true)]
async fn credentials_that_expire_while_waiting_are_waited_for() {
    let mut stage = stage();
    fault(&stage, r#"{"call":"DescribeTasks","nth":4,"times":60,"kind":"expired-credentials"}"#);
    fault(&stage, r#"{"call":"GetLogEvents","nth":2,"times":2,"kind":"expired-credentials"}"#);
    let (report, news, log) = run_and_listen(&mut stage, &migrate()).await;
    assert_eq!((report.end, log.len()), (End::Done, 10), "{report:#?}");
    let told = news.iter().filter(|news| news.contains("can't be watched now")).count();
    assert_eq!(told, 1, "{news:#?}");
    assert!(news.iter().any(|news| news.contains("seen again")), "{news:#?}");
}

#[tokio::test(start_paused = true)]
async fn whoever_stops_waiting_is_told_what_goes_on() {
    let mut stage = stage();
    let plan = stage.plan(&migrate()).await.expect("a plan").plan;
    let approved = stage.approve(plan).expect("approval");
    let context = stage.context().await;
    let (cancel, clock) = (stage.cancel.clone(), stage.sandbox.clock());
    let (report, ()) = tokio::join!(run::execute(approved, &context), async {
        clock.sleep(Duration::from_secs(20)).await;
        cancel.cancel();
    });
    assert_eq!(report.end, End::Interrupted, "{report:#?}");
    assert!(what(&report).contains("the task goes on in AWS"), "{}", what(&report));
    assert!(words(&report.notes).contains("opsctl migrate --resume"), "{:?}", report.notes);
    stage.cancel = Default::default();
    let report = stage.resume().await;
    assert_eq!((report.end, tasks(&stage).len()), (End::Done, 1), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_time_that_is_over_stops_the_waiting_and_not_the_task() {
    let mut stage = stage();
    let report = stage.run(&migrate_with(|migrate| migrate.timeout = "15s".parse().ok())).await;
    assert_eq!(report.end, End::Partly, "{report:#?}");
    assert!(what(&report).contains("not over after 15 s: the task goes on"), "{}", what(&report));
    let mut stage = stage_of(exits(36_000, 0), |_| ());
    let report = stage.run(&migrate()).await;
    assert_eq!(report.end, End::Done, "ten hours are waited for: {report:#?}");
    assert!(report.seconds > 36_000.0);
}

#[tokio::test(start_paused = true)]
async fn detached_it_comes_back_at_once_and_can_be_looked_at() {
    let mut stage = stage();
    let report = stage.run(&migrate_with(|migrate| migrate.detach = true)).await;
    assert_eq!((report.end, done(&report).exit_code), (End::Done, None), "{report:#?}");
    assert!(report.seconds < 2.0 && report.next.is_some(), "{report:#?}");
    let report = stage.resume().await;
    assert_eq!((report.end, done(&report).exit_code, tasks(&stage).len()), (End::Done, Some(0), 1), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_somebody_stops_is_not_done_whatever_its_exit_code() {
    let mut stage = stage_of(exits(600, 0), |_| ());
    let plan = stage.plan(&migrate()).await.expect("a plan").plan;
    let approved = stage.approve(plan).expect("approval");
    let context = stage.context().await;
    let stop = async {
        pass(&stage, 30).await;
        let id = tasks(&stage).remove(0);
        let arn = format!("arn:aws:ecs:{REGION}:{ACCOUNT}:task/{CLUSTER}/{id}");
        let task = opsctl::domain::service::TaskArn(arn);
        let reason = "\u{1b}[2Jtoo \u{202e}long";
        stage.cloud().await.ecs.stop_task(CLUSTER, &task, reason).await.expect("stopped");
    };
    let (report, ()) = tokio::join!(run::execute(approved, &context), stop);
    assert_eq!((report.end, done(&report).exit_code), (End::Failed, Some(143)), "{report:#?}");
    assert!(what(&report).contains("UserInitiated"), "{}", what(&report));
    let shown = format!("{report:?}");
    assert!(!shown.contains(['\u{1b}', '\u{202e}']) && what(&report).contains("too"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn hostile_lines_and_secrets_are_shown_safely() {
    let lines = ["\u{1b}]52;c;aGk=\u{7}\u{202e}evil\u{9b}31m", "password=hunter2 connecting", "two\nlines"];
    let script: Vec<(f64, String)> = lines.iter().map(|line| (1.0, (*line).to_owned())).collect();
    let mut stage = stage_of(exits(5, 0), |job| job.script = script);
    let (report, _, log) = run_and_listen(&mut stage, &migrate()).await;
    assert_eq!((report.end, log.len()), (End::Done, 3), "{report:#?}");
    let log = log.join("|");
    assert!(!log.contains(['\u{1b}', '\u{7}', '\u{202e}', '\u{9b}', '\n']) && log.contains("evil"), "{log:?}");
    assert!(!log.contains("hunter2") && log.contains("two lines"), "{log}");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_ecs_does_not_show_for_a_while_is_not_given_up() {
    // Not yet; and not in between.
    for ages in [0..50, 10..30] {
        let mut stage = stage();
        in_world(&stage, |world, _| world.ecs.hide_tasks(&caller(), CLUSTER, Some(ages.clone())));
        let report = stage.run(&migrate()).await;
        assert_eq!((report.end, done(&report).exit_code), (End::Done, Some(0)), "{ages:?}: {report:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_ecs_never_shows_is_not_known_and_has_not_failed() {
    let mut stage = stage();
    in_world(&stage, |world, _| world.ecs.hide_tasks(&caller(), CLUSTER, Some(0..100_000)));
    let report = stage.run(&migrate()).await;
    assert_eq!((report.end, opsctl::cli::show::exit(&report).code()), (End::Partly, 4), "{report:#?}");
    assert!(report.seconds >= 60.0 && report.next.is_some(), "{report:#?}");
    in_world(&stage, |world, _| world.ecs.hide_tasks(&caller(), CLUSTER, None));
    let report = stage.resume().await;
    assert_eq!((report.end, tasks(&stage).len()), (End::Done, 1), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_log_that_is_too_long_is_shown_and_the_gap_told() {
    const LINES: usize = 9_999;
    let script: Vec<_> = (0..LINES).map(|number| (number as f64 / 20_000.0, format!("step {number}"))).collect();
    let mut gaps = 0;
    // Whoever can read for the last few looks only comes to the end, or not.
    for failures in 14..=17 {
        let mut stage = stage_of(exits(1, 0), |job| job.script.clone_from(&script));
        fault(&stage, &format!(r#"{{"call":"GetLogEvents","times":{failures},"kind":"expired-credentials"}}"#));
        let (report, news, log) = run_and_listen(&mut stage, &migrate()).await;
        let last = format!("step {}", LINES - 1);
        assert_eq!((report.end, log.last()), (End::Done, Some(&last)), "{failures}: {:?}", report.notes);
        assert_eq!(log.iter().filter(|line| **line == last).count(), 1, "{failures}");
        let is_told = news.iter().any(|news| news.contains("its last lines"));
        let is_noted = words(&report.notes).contains("of its log and the last 100 were shown");
        assert_eq!((is_told, is_noted), (log.len() < LINES, log.len() < LINES), "{failures}: {:?}", report.notes);
        gaps += usize::from(is_told);
    }
    assert!(gaps > 0);
}

#[tokio::test(start_paused = true)]
async fn a_log_whose_end_cannot_be_read_is_not_called_whole() {
    let mut stage = stage();
    fault(&stage, r#"{"call":"GetLogEvents","nth":3,"times":1000,"kind":{"server-error":500}}"#);
    let report = stage.run(&migrate()).await;
    assert_eq!(report.end, End::Done, "{report:#?}");
    assert!(words(&report.notes).contains("its end was not reached"), "{:?}", report.notes);
}
