//! The task is started once, whatever is lost.

use super::*;

#[tokio::test(start_paused = true)]
async fn the_journal_holds_the_token_before_the_call_and_the_result_after_it() {
    let mut stage = stage();
    let report = stage.run(&migrate()).await;
    let text = std::fs::read_to_string(report.journal.as_ref().expect("a journal").as_str()).expect("readable");
    let records: Vec<Record> = text
        .lines()
        .map(|line| serde_json::from_str::<opsctl::journal::Entry>(line).expect("an entry").record)
        .collect();
    let intent = records.iter().position(|record| matches!(record, Record::MigrationIntent { .. })).expect("an intent");
    let started = records.iter().position(|record| matches!(record, Record::Migration { .. })).expect("a task");
    assert!(intent < started);
    let Record::MigrationIntent { what } = &records[intent] else { unreachable!() };
    let token = what.pointer("/launch/token").and_then(serde_json::Value::as_str).expect("a token");
    assert!(token.contains(report.run.as_str()) && token.len() <= 64, "{token}");
    let Some(Record::Ended { report: kept, .. }) = records.last() else { panic!("no end") };
    assert_eq!(kept.pointer("/details/exit_code"), Some(&0.into()));
    assert!(!text.contains("step 3"), "lines of the log are not kept");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_lost_starts_no_second_task() {
    for kind in [r#""lost-after""#, r#""lost-before""#, r#""hang""#, r#"{"server-error": 500}"#] {
        for times in [1, 3, 5] {
            let mut stage = stage();
            fault(&stage, &format!(r#"{{"call":"RunTask","times":{times},"kind":{kind}}}"#));
            let report = stage.run(&migrate()).await;
            assert_eq!((report.end, tasks(&stage).len()), (End::Done, 1), "{kind} {times}: {report:#?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_any_clear_answer_it_says_so_and_a_resume_finds_the_task() {
    let mut stage = stage();
    fault(&stage, r#"{"call":"RunTask","times":1000,"kind":"lost-after"}"#);
    let report = stage.run(&migrate()).await;
    assert_eq!(report.end, End::Partly, "{report:#?}");
    assert!(what(&report).contains("not known whether the task was started"), "{}", what(&report));
    let next = report.next.as_ref().map(Text::as_str).unwrap_or_default();
    assert!(next.starts_with("opsctl migrate --resume "), "{next}");
    let report = stage.resume().await;
    assert_eq!((report.end, tasks(&stage).len()), (End::Done, 1), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_crash_between_journal_and_answer_never_starts_two() {
    // Applied, the answer never came; and never applied.
    for (kind, before) in [(r#"{"slow": 600}"#, 1), (r#""hang""#, 0)] {
        let mut stage = stage();
        fault(&stage, &format!(r#"{{"call":"RunTask","times":1,"kind":{kind}}}"#));
        crash_after(&mut stage, 5.0).await;
        assert_eq!(tasks(&stage).len(), before, "{kind}");
        let report = stage.resume().await;
        assert_eq!((report.end, tasks(&stage).len()), (End::Done, 1), "{kind}: {report:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_ecs_may_have_forgotten_is_not_used_again() {
    let mut stage = stage();
    fault(&stage, r#"{"call":"RunTask","times":1,"kind":"hang"}"#);
    crash_after(&mut stage, 5.0).await;
    pass(&stage, 3_600).await;
    let report = stage.resume().await;
    assert_eq!((report.end, tasks(&stage).len()), (End::Partly, 0), "{report:#?}");
    assert!(what(&report).contains("not known whether the task was ever started"), "{}", what(&report));
    assert_eq!(report.next, None, "another resume would say the same: {report:#?}");
}

#[tokio::test(start_paused = true)]
async fn no_capacity_starts_nothing_and_says_what_to_try() {
    for (reason, words) in [
        ("Capacity is unavailable at this time. Please try again later", "in some minutes"),
        ("RESOURCE:MEMORY", "the cluster lacks"),
        ("MISSING", "still there"),
    ] {
        let mut stage = stage();
        in_world(&stage, |world, _| world.ecs.refuse_tasks(&caller(), CLUSTER, Some(reason)));
        let report = stage.run(&migrate()).await;
        assert_eq!((report.end, tasks(&stage).len()), (End::Failed, 0), "{report:#?}");
        assert!(what(&report).contains(reason) && hint(&report).contains(words), "{report:#?}");
        // Nothing of it is left that a resume could mistake for a task.
        in_world(&stage, |world, _| world.ecs.refuse_tasks(&caller(), CLUSTER, None));
        assert_eq!((stage.resume().await.end, tasks(&stage).len()), (End::Done, 1), "{reason}");
    }
}

#[tokio::test(start_paused = true)]
async fn throttled_calls_are_made_again_and_not_for_ever() {
    let mut stage = stage();
    for (call, times) in [("RunTask", 5), ("DescribeTasks", 5), ("GetLogEvents", 5), ("ListTasks", 2)] {
        fault(&stage, &format!(r#"{{"call":"{call}","times":{times},"kind":"throttled"}}"#));
    }
    let report = stage.run(&migrate()).await;
    assert_eq!((report.end, tasks(&stage).len()), (End::Done, 1), "{report:#?}");
    let mut stage = self::stage();
    fault(&stage, r#"{"call":"RunTask","times":100000,"kind":"throttled"}"#);
    let report = stage.run(&migrate()).await;
    assert_eq!((report.end, tasks(&stage).len()), (End::Failed, 0), "{report:#?}");
    assert!(what(&report).starts_with("no task was started"), "{}", what(&report));
}

#[tokio::test(start_paused = true)]
async fn credentials_that_expire_before_the_start_start_nothing() {
    let mut stage = stage();
    fault(&stage, r#"{"call":"RunTask","times":100,"kind":"expired-credentials"}"#);
    let report = stage.run(&migrate()).await;
    assert_eq!((report.end, tasks(&stage).len()), (End::Failed, 0), "{report:#?}");
    let next = report.next.as_ref().map(Text::as_str);
    assert_eq!(next, Some("opsctl migrate wallet --env dev"), "{report:#?}");
    assert!(what(&report).starts_with("no task was started"), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn denials_before_and_after_the_start_are_told_apart() {
    let mut stage = stage();
    fault(&stage, r#"{"call":"RunTask","times":100,"kind":"denied"}"#);
    let report = stage.run(&migrate()).await;
    assert_eq!(report.end, End::Failed, "{report:#?}");
    assert!(hint(&report).contains("allow ecs:RunTask"), "{}", hint(&report));
    let mut stage = self::stage();
    fault(&stage, r#"{"call":"DescribeTasks","times":1000,"kind":"denied"}"#);
    let report = stage.run(&migrate()).await;
    assert_eq!((report.end, tasks(&stage).len()), (End::Partly, 1), "{report:#?}");
    assert!(what(&report).contains("the task was started, and can't be watched"), "{}", what(&report));
    let mut stage = self::stage();
    fault(&stage, r#"{"call":"GetLogEvents","times":1000,"kind":"denied"}"#);
    let (report, news, log) = run_and_listen(&mut stage, &migrate()).await;
    assert_eq!((report.end, log.len()), (End::Done, 0), "{report:#?}");
    assert!(news.iter().any(|news| news.contains("its log can't be read")), "{news:#?}");
}

#[tokio::test(start_paused = true)]
async fn whoever_stops_it_between_two_calls_starts_nothing_more() {
    for (kind, end) in [("throttled", End::Interrupted), ("lost-before", End::Partly)] {
        let mut stage = stage();
        let plan = stage.plan(&migrate()).await.expect("a plan").plan;
        let approved = stage.approve(plan).expect("approval");
        fault(&stage, &format!(r#"{{"call":"RunTask","times":1,"kind":"{kind}"}}"#));
        let mut context = stage.context().await;
        let cancel = stage.cancel.clone();
        context.progress = Arc::new(move |progress| {
            if progress.news.iter().any(|news| news.as_str().contains("asking again")) {
                cancel.cancel();
            }
        });
        let report = run::execute(approved, &context).await;
        assert_eq!((report.end, tasks(&stage).len()), (end, 0), "{kind}: {report:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_stops_it_before_the_call_starts_nothing() {
    let mut stage = stage();
    let plan = stage.plan(&migrate()).await.expect("a plan").plan;
    let approved = stage.approve(plan).expect("approval");
    // The first four are of the plan that is made again.
    fault(&stage, r#"{"call":"ListTasks","nth":6,"times":1,"kind":{"slow":2}}"#);
    let context = stage.context().await;
    let (cancel, clock) = (stage.cancel.clone(), stage.sandbox.clock());
    let (report, ()) = tokio::join!(run::execute(approved, &context), async {
        clock.sleep(Duration::from_secs(1)).await;
        cancel.cancel();
    });
    assert_eq!((report.end, tasks(&stage).len()), (End::Interrupted, 0), "{report:#?}");
    let journal = std::fs::read_to_string(report.journal.as_ref().expect("a journal").as_str()).expect("readable");
    assert!(!journal.contains("migration-intent"), "{journal}");
    assert!(what(&report).contains("no task was started"), "{}", what(&report));
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_slept_between_two_calls_does_not_use_the_token_again() {
    for (kind, end) in [("hang", End::Partly), ("throttled", End::Failed)] {
        let mut stage = stage();
        let plan = stage.plan(&migrate()).await.expect("a plan").plan;
        let approved = stage.approve(plan).expect("approval");
        fault(&stage, &format!(r#"{{"call":"RunTask","times":1,"kind":"{kind}"}}"#));
        let context = stage.context().await;
        let clock = stage.sandbox.clock();
        let (report, ()) = tokio::join!(run::execute(approved, &context), async {
            clock.sleep(Duration::from_millis(500)).await;
            tokio::time::advance(Duration::from_secs(3_600)).await;
        });
        assert_eq!((report.end, tasks(&stage).len()), (end, 0), "{kind}: {report:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_that_become_another_account_s_while_asking_start_nothing() {
    let mut stage = stage();
    let plan = stage.plan(&migrate()).await.expect("a plan").plan;
    let approved = stage.approve(plan).expect("approval");
    fault(&stage, r#"{"call":"RunTask","times":9,"kind":"throttled"}"#);
    let context = stage.context().await;
    let clock = stage.sandbox.clock();
    let (report, ()) = tokio::join!(run::execute(approved, &context), async {
        clock.sleep(Duration::from_secs(5)).await;
        fault(&stage, r#"{"call":"GetCallerIdentity","times":100,"kind":"other-account"}"#);
    });
    assert_eq!((report.end, tasks(&stage).len()), (End::Refused, 0), "{report:#?}");
    assert!(what(&report).contains("of account 999999999999 now"), "{}", what(&report));
}
