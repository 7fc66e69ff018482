//! Programs and filters that edit messages.

use std::io::Write;

use opsctl::{
    domain::Protection,
    operations::{
        bound::Bound,
        transfer::{Settings, Stop},
    },
    run::{End, Report},
};

use super::{orders, redrive};
use crate::support::stage::Stage;

/// What a redrive with this edit is bound to.
async fn settings(edit: &str, visibility: Option<&str>) -> Settings {
    let mut stage = Stage::new(Protection::Confirm, &orders(3));
    let operation = redrive(|redrive| {
        redrive.edit = Some(edit.to_owned());
        redrive.visibility = visibility.map(|text| text.parse().expect("a time"));
    });
    match stage.plan(&operation).await.expect("a plan").bound {
        Bound::ClientSide(transfer) => transfer.settings,
        Bound::Managed(_)
        | Bound::Restore(_)
        | Bound::Rows(_)
        | Bound::RowsBack(_)
        | Bound::Scale(_)
        | Bound::FailOver(_)
        | Bound::Migrate(_)
        | Bound::Consumers(_)
        | Bound::Toggle(_)
        | Bound::Around(..) => {
            panic!("an edit needs the client-side engine")
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_program_gets_no_more_messages_at_once_than_it_can_edit_while_they_are_hidden() {
    for visibility in [None, Some("30s"), Some("2m"), Some("10m")] {
        let settings = settings("/bin/cat", visibility).await;
        assert!((1..=10).contains(&settings.batch_max));
        // Ten seconds for each message; hiding is renewed at its half.
        let longest = settings.batch_max * 10;
        assert!(longest <= settings.visibility_seconds / 2, "{longest} s of {} s", settings.visibility_seconds);
    }
    let mut filter = tempfile::Builder::new().suffix(".jq").tempfile().expect("a file");
    writeln!(filter, ".").expect("written");
    let settings = settings(&filter.path().display().to_string(), None).await;
    assert_eq!(settings.batch_max, 10, "jq is fast");
}

/// Moves 200 messages with this jq filter as their edit -> the report, and how many are left
async fn edited(filter: &str) -> (Report, usize) {
    let mut file = tempfile::Builder::new().suffix(".jq").tempfile().expect("a file");
    writeln!(file, "{filter}").expect("written");
    let mut stage = Stage::new(Protection::Confirm, &orders(200));
    let operation = redrive(|redrive| {
        redrive.edit = Some(file.path().display().to_string());
        redrive.lanes = Some(2);
    });
    let report = stage.run(&operation).await;
    assert_eq!(stage.copies().values().sum::<usize>(), 200, "{report:#?}");
    (report, stage.count("orders-dlq"))
}

#[tokio::test(start_paused = true)]
async fn an_edit_that_always_fails_is_not_tried_on_everything() {
    let (report, left) = edited(r#"error("no")"#).await;
    assert_eq!((report.end, left), (End::Failed, 200), "{report:#?}");
    assert!(matches!(report.details.tally().stop, Some(Stop::EditFails { failures: 20.. })), "{report:#?}");
    assert!(report.details.tally().kept_unexpected < 80, "{report:#?}");
    let failure = report.failure.expect("a failure");
    assert!(failure.what.as_str().contains("the edit failed on all of the first"), "{failure:?}");
}

#[tokio::test(start_paused = true)]
async fn an_edit_that_works_on_some_is_tried_on_all() {
    let (report, left) = edited(r#"if .body.n % 10 == 9 then . else error("no") end"#).await;
    assert_eq!((report.end, left, report.details.tally().stop.clone()), (End::Partly, 180, None));
    let (report, left) = edited(r#"if .body.n < 10 then error("no") else . end"#).await;
    assert_eq!((report.end, left, report.details.tally().stop.clone()), (End::Partly, 10, None));
}
