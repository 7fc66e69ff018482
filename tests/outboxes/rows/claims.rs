//! Releases: claims of a relay that died, beside one that lives.

use opsctl::{
    domain::{Dialect, RowState},
    operations::{Operation, Release, Restore},
    outboxes::preset,
    run::End,
};

use super::desk::{Desk, NAME};

/// A desk whose outbox is OpenOutbox's: 40 claims of a relay that died an hour ago, 5 of one that lives.
async fn desk(dialect: Dialect) -> Option<Desk> {
    let mut desk = Desk::of(dialect).await?;
    let is_postgres = dialect == Dialect::Postgres;
    let (id, json, time) = match is_postgres {
        true => ("uuid", "jsonb", "timestamptz"),
        false => ("char(36)", "json", "timestamp(6) NULL"),
    };
    let ago = |seconds: &str| match is_postgres {
        true => format!("now() - {seconds} * interval '1 second'"),
        false => format!("NOW(6) - INTERVAL {seconds} SECOND"),
    };
    let numbers = if is_postgres { "generate_series(1, 45) AS n" } else { "(SELECT seq AS n FROM seq_1_to_45) AS s" };
    let uuid = if is_postgres { "gen_random_uuid()" } else { "UUID()" };
    let script = format!(
        "CREATE TABLE openoutbox_events (event_id {id} PRIMARY KEY, event_type varchar(80) NOT NULL, partition_key varchar(80),
            payload {json} NOT NULL, status varchar(20) NOT NULL CHECK (status IN ('PENDING', 'DELIVERING', 'DELIVERED', 'DEAD')),
            attempts int NOT NULL DEFAULT 0, last_error text, available_at {time}, locked_by varchar(80), locked_at {time},
            delivered_at {time}, created_at {time},
            CHECK ((status = 'DELIVERING') = (locked_at IS NOT NULL)), CHECK ((status = 'DELIVERED') = (delivered_at IS NOT NULL)));
         INSERT INTO openoutbox_events (event_id, event_type, partition_key, payload, status, attempts, available_at, locked_by, locked_at, created_at)
         SELECT {uuid}, 'e', 'k', '{{}}', 'DELIVERING', 1, {}, CASE WHEN n <= 40 THEN 'dead' ELSE 'alive' END,
            CASE WHEN n <= 40 THEN {} ELSE {} END, {} FROM {numbers}",
        ago("7200"), ago("3600"), ago("5"), ago("7200")
    );
    desk.schema.script(&script).await;
    let outbox = &mut desk.stage.environment.databases.outboxes[0];
    outbox.preset = Some("openoutbox".to_owned());
    outbox.mapping = preset("openoutbox").expect("a preset").mapping_for(&desk.schema.table("openoutbox_events"));
    assert!(outbox.mapping.parkable().contains(&RowState::Stuck));
    Some(desk)
}

pub(super) async fn desks() -> Vec<Desk> {
    let mut all = Vec::new();
    for dialect in [Dialect::Postgres, Dialect::Mysql] {
        all.extend(desk(dialect).await);
    }
    all
}

pub(super) fn release() -> Release {
    Release { outbox: NAME.to_owned(), ..Release::default() }
}

pub(super) async fn count(desk: &mut Desk, rest: &str) -> i64 {
    desk.number(&format!("SELECT count(*) FROM openoutbox_events WHERE {rest}")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claims_of_a_dead_relay_are_freed_and_those_of_a_living_one_are_not() {
    for mut desk in desks().await {
        let dialect = desk.schema.dialect();
        let plan = desk.plan(&Operation::Release(release())).await.expect("a plan").plan;
        let fact = plan.facts.iter().find(|fact| fact.label == "claimed by").expect("a holder");
        let said = fact.value.as_str();
        assert!(said.starts_with("dead: 40 rows, the oldest claim is 6"), "{dialect:?}: {plan:#?}");
        assert!(plan.warnings.iter().any(|warning| warning.as_str().contains("sent twice")), "{plan:#?}");
        let nobody = Release { holder: vec!["alive".to_owned()], ..release() };
        assert!(desk.plan(&Operation::Release(nobody)).await.expect("a plan").plan.empty, "{dialect:?}");
        let old = Release { claimed_for: Some("2h".parse().expect("a time")), ..release() };
        assert!(desk.plan(&Operation::Release(old)).await.expect("a plan").plan.empty, "{dialect:?}");
        let report = desk.run(&Operation::Release(Release { holder: vec!["dead".to_owned()], ..release() })).await;
        let rows = report.details.rows().expect("rows").clone();
        assert_eq!((report.end, rows.done, rows.left), (End::Done, 40, 0), "{dialect:?}: {report:#?}");
        let free = "status = 'PENDING' AND attempts = 2 AND locked_by IS NULL AND locked_at IS NULL";
        assert_eq!(count(&mut desk, free).await, 40, "{dialect:?}: each attempt counts");
        assert_eq!(count(&mut desk, "status = 'DELIVERING' AND locked_by = 'alive'").await, 5, "{dialect:?}");
        let report = desk.run(&Operation::Restore(Restore::of(report.run.clone()))).await;
        assert_eq!(report.end, End::Done, "{report:#?}");
        let claimed = "status = 'DELIVERING' AND attempts = 1 AND locked_by = 'dead'";
        assert_eq!(count(&mut desk, claimed).await, 40, "{dialect:?}: as it was");
        desk.schema.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_that_is_made_anew_meanwhile_is_left_alone() {
    for mut desk in desks().await {
        let dialect = desk.schema.dialect();
        let planned = desk.plan(&Operation::Release(release())).await.expect("a plan");
        let approved = desk.stage.approve(planned.plan).expect("approval");
        // Between plan and run a relay takes 10 of them over, and finishes 5.
        let some = if dialect == Dialect::Postgres {
            "event_id IN (SELECT event_id FROM openoutbox_events WHERE locked_by = 'dead' ORDER BY event_id LIMIT 10)"
        } else {
            "locked_by = 'dead' ORDER BY event_id LIMIT 10"
        };
        let now = if dialect == Dialect::Postgres { "now()" } else { "NOW(6)" };
        desk.schema
            .script(&format!("UPDATE openoutbox_events SET locked_by = 'new', locked_at = {now} WHERE {some}"))
            .await;
        let context = desk.context().await;
        let report = opsctl::run::execute(approved, &context).await;
        assert_eq!(report.details.rows().expect("rows").done, 30, "{dialect:?}: {report:#?}");
        assert_eq!(count(&mut desk, "status = 'DELIVERING' AND locked_by = 'new'").await, 10, "{dialect:?}");
        desk.schema.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_is_parked_through_a_claim_and_a_dead_event_stays() {
    for mut desk in desks().await {
        let dialect = desk.schema.dialect();
        desk.schema.script("UPDATE openoutbox_events SET status = 'PENDING', locked_by = NULL, locked_at = NULL").await;
        let park = opsctl::operations::Park {
            outbox: NAME.to_owned(),
            state: vec![opsctl::operations::rows::ParkState::Ready],
            limit: Some(7),
            ..opsctl::operations::Park::default()
        };
        // A trigger sees both steps: an event is never DEAD without having been claimed.
        let step = match dialect {
            Dialect::Postgres => {
                "CREATE FUNCTION arrow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    IF NEW.status = 'DEAD' AND OLD.status <> 'DELIVERING' THEN RAISE EXCEPTION 'no arrow'; END IF; RETURN NEW; END $$;
                 CREATE TRIGGER arrow BEFORE UPDATE ON openoutbox_events FOR EACH ROW EXECUTE FUNCTION arrow()"
            }
            Dialect::Mysql | Dialect::Sqlite => {
                "CREATE TRIGGER arrow BEFORE UPDATE ON openoutbox_events FOR EACH ROW
                    IF NEW.status = 'DEAD' AND OLD.status <> 'DELIVERING' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no arrow'; END IF"
            }
        };
        desk.schema.script(step).await;
        let report = desk.run(&Operation::Park(park.clone())).await;
        assert_eq!((report.end, report.details.rows().expect("rows").done), (End::Done, 7), "{dialect:?}: {report:#?}");
        let dead = "status = 'DEAD' AND last_error LIKE '%: test' AND locked_by IS NULL AND locked_at IS NULL";
        assert_eq!(count(&mut desk, dead).await, 7, "{dialect:?}");
        let failed = opsctl::operations::Park { state: Vec::new(), ..park };
        let error = desk.plan(&Operation::Park(failed)).await.expect_err("the draft says no");
        assert!(error.to_string().contains("an event never leaves the table"), "{error}");
        let report = desk.run(&Operation::Restore(Restore::of(report.run.clone()))).await;
        assert_eq!((report.end, count(&mut desk, "status = 'PENDING'").await), (End::Done, 45), "{report:#?}");
        desk.schema.end().await;
    }
}
