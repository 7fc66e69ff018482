//! Setting how many tasks of one service run.

use opsctl::{
    domain::Protection,
    operations::{Operation, Scale, Wake, values::Seconds},
    run::{self, End},
};

use super::services::{because, fault, run_while, running, set, stage};

fn scale(service: &str, to: u32) -> Operation {
    Operation::Scale(Scale { service: service.to_owned(), to: Some(to), timeout: Seconds(60), ..Scale::default() })
}

#[tokio::test(start_paused = true)]
async fn a_service_goes_up_and_down_to_what_was_asked_for() {
    let mut stage = stage(Protection::TypeName, &[("api", 2), ("worker", 1)], &[&["api"]]);
    for to in [5, 1, 3] {
        let plan = stage.plan(&scale("main/api", to)).await.expect("a plan").plan;
        assert!(plan.blockers.is_empty() && plan.summary.as_str().starts_with("scale main/api to "), "{plan:#?}");
        let report = stage.run(&scale("api", to)).await;
        assert_eq!((report.end, running(&stage, "api")), (End::Done, (to, to as usize)), "{report:#?}");
    }
    assert!(stage.plan(&scale("api", 3)).await.expect("a plan").plan.empty, "it runs so already");
    assert_eq!(running(&stage, "worker"), (1, 1));
    let unknown = stage.plan(&scale("apy", 3)).await.expect_err("no service");
    assert!(unknown.hint(&stage.environment).as_str().contains("did you mean api"), "{unknown}");
}

#[tokio::test(start_paused = true)]
async fn to_zero_is_to_sleep() {
    let mut stage = stage(Protection::Confirm, &[("kong", 1), ("api", 4)], &[&["api"]]);
    let plan = stage.plan(&scale("kong", 0)).await.expect("a plan").plan;
    assert!(plan.blockers.iter().any(|blocker| blocker.as_str().contains("always on")), "{plan:#?}");
    assert_eq!(stage.run(&scale("api", 0)).await.end, End::Done);
    assert_eq!(running(&stage, "api"), (0, 0));
    let wake = Operation::Wake(Wake { service: vec!["api".to_owned()], ..Wake::default() });
    assert_eq!(stage.run(&wake).await.end, End::Done);
    assert_eq!(running(&stage, "api"), (4, 4), "as large as it was");
}

#[tokio::test(start_paused = true)]
async fn what_is_asleep_wakes_to_what_was_asked_for_and_its_old_size_is_forgotten() {
    let mut stage = stage(Protection::Confirm, &[("api", 4)], &[&["api"]]);
    for to in [0, 2, 0] {
        assert_eq!(stage.run(&scale("api", to)).await.end, End::Done);
    }
    let wake = Operation::Wake(Wake { service: vec!["api".to_owned()], ..Wake::default() });
    assert_eq!(stage.run(&wake).await.end, End::Done);
    assert_eq!(running(&stage, "api"), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn lost_and_throttled_answers_are_got_over_and_others_are_left_alone() {
    for (kind, times) in [("throttled", 6), ("lost-after", 1), ("lost-before", 2)] {
        let mut stage = stage(Protection::Confirm, &[("api", 3)], &[&["api"]]);
        stage.fault(fault(kind, times));
        let report = stage.run(&scale("api", 1)).await;
        assert_eq!((report.end, running(&stage, "api")), (End::Done, (1, 1)), "{kind}: {report:#?}");
    }
    let mut stage = stage(Protection::Confirm, &[("api", 3)], &[&["api"]]);
    let report = run_while(&mut stage, &scale("api", 6), 5, |sandbox| set(sandbox, "api", 2)).await;
    assert_eq!((report.end, running(&stage, "api").0), (End::Partly, 2), "{report:#?}");
    assert!(because(&report).contains("somebody set its desired count to 2"), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_cut_short_is_gone_on_with() {
    let mut stage = stage(Protection::Confirm, &[("api", 1)], &[&["api"]]);
    let clock = stage.sandbox.clock();
    let full = clock.now() + jiff::SignedDuration::from_secs(75);
    stage.sandbox.with(|world, _| world.ecs.fill_until(&crate::support::stage::caller(), "main", full));
    let report = stage.run(&scale("api", 3)).await;
    assert_eq!(report.end, End::Partly, "{report:#?}");
    assert!(report.next.as_ref().is_some_and(|next| next.as_str().contains("scale --resume")), "{report:#?}");
    let report = stage.resume().await;
    assert_eq!((report.end, running(&stage, "api")), (End::Done, (3, 3)), "{report:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_a_part_of_another_says_so() {
    let mut stage = stage(Protection::Confirm, &[("api", 1)], &[&["api"]]);
    assert_eq!(stage.run(&scale("api", 2)).await.end, End::Done);
    let parent = stage.folder().list().expect("runs")[0].run.clone();
    let plan = stage.plan(&scale("api", 3)).await.expect("a plan").plan;
    let approved = stage.approve(plan).expect("approval");
    let context = run::Context { parent: Some(parent.clone()), ..stage.context().await };
    assert_eq!(run::execute(approved, &context).await.end, End::Done);
    let runs = stage.folder().list().expect("runs");
    assert_eq!(runs.iter().filter(|run| run.parent() == Some(&parent)).count(), 1);
    assert_eq!(runs.iter().filter(|run| run.parent().is_none()).count(), 1);
}
