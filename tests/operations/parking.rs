//! Parks and releases on the sandbox's fleet: what they free goes out.

use std::time::Duration;

use opsctl::{
    domain::RowState,
    operations::{Operation, Park, Release, Restore},
    run::End,
};

use super::settings::starters::count;
use crate::support::stage::Stage;

#[tokio::test(start_paused = true)]
async fn rows_behind_poison_go_out_once_it_is_parked_and_poison_comes_back_behind_them() {
    let mut stage = Stage::prod();
    let (failed, ready) =
        (count(&stage, "recon", RowState::Failed).await, count(&stage, "recon", RowState::Ready).await);
    assert!(failed > 0 && ready > 0, "{failed} failed, {ready} ready");
    let park = Operation::Park(Park { outbox: "recon".to_owned(), ..Park::default() });
    let plan = stage.plan(&park).await.expect("a plan").plan;
    assert!(plan.changes.iter().any(|change| change.as_str().contains("CREATE TABLE")), "{plan:#?}");
    let report = stage.run(&park).await;
    let rows = report.details.rows().expect("rows").clone();
    assert_eq!((report.end, rows.done), (End::Done, failed), "{report:#?}");
    assert_eq!(count(&stage, "recon", RowState::Failed).await, 0);
    let published = count(&stage, "recon", RowState::Published).await;
    stage.sandbox.clock().sleep(Duration::from_secs(300)).await;
    let later = count(&stage, "recon", RowState::Published).await;
    assert!(later >= published + ready, "{published} were published, then {later}, and {ready} waited");
    let restore = Operation::Restore(Restore::of(report.run.clone()));
    let report = stage.run(&restore).await;
    let rows = report.details.rows().expect("rows").clone();
    assert_eq!((report.end, rows.put_back), (End::Done, failed), "{report:#?}");
    assert!(count(&stage, "recon", RowState::Failed).await >= failed);
}

#[tokio::test(start_paused = true)]
async fn claims_of_a_dead_relay_are_freed_and_published() {
    let mut stage = Stage::prod();
    let stuck = count(&stage, "compliance", RowState::Stuck).await;
    assert!(stuck > 0);
    let release = Operation::Release(Release { outbox: "compliance".to_owned(), ..Release::default() });
    let report = stage.run(&release).await;
    let rows = report.details.rows().expect("rows").clone();
    assert_eq!((report.end, rows.done), (End::Done, stuck), "{report:#?}");
    assert_eq!(count(&stage, "compliance", RowState::Stuck).await, 0);
    let published = count(&stage, "compliance", RowState::Published).await;
    stage.sandbox.clock().sleep(Duration::from_secs(180)).await;
    let later = count(&stage, "compliance", RowState::Published).await;
    assert!(later >= published + stuck, "{published} were published, then {later}, and {stuck} were freed");
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_done_says_why_and_what_helps() {
    let mut stage = Stage::prod();
    for (operation, because, instead) in [
        (
            Operation::Release(Release { outbox: "cts".to_owned(), ..Release::default() }),
            "can't be released: its relay claims no rows",
            "whether the relay runs",
        ),
        (
            Operation::Park(Park { outbox: "compliance".to_owned(), ..Park::default() }),
            "can't be parked: the draft sets events aside as DEAD",
            "rows that can be parked are ready, scheduled, stuck, expired ones",
        ),
        (
            Operation::Park(Park {
                outbox: "cts".to_owned(),
                aside: true,
                state: vec![opsctl::operations::rows::ParkState::Ready],
                ..Park::default()
            }),
            "would stop it",
            "--where",
        ),
    ] {
        let error = stage.plan(&operation).await.expect_err("it can't be done");
        assert!(error.to_string().contains(because), "{error}");
        let hint = error.hint(&stage.environment);
        assert!(hint.as_str().contains(instead), "{hint}");
    }
}
