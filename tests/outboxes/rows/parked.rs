//! Parks from plan to end, in the table's own terms and beside it.

use opsctl::{
    domain::{Dialect, Password, Value},
    operations::{Operation, Park, Restore, rows::ParkState},
    run::End,
};

use super::{
    desk::{Desk, park},
    relay::Relay,
    whole::drained,
};

const PARKED: &str = "SELECT count(*) FROM outbox_transfers_opsctl_parked";

/// A digest of all rows of a table, whole.
async fn digest(desk: &mut Desk, table: &str) -> Value {
    let columns = "id, number, eventtype, payload, state, attempts, lasterror, next_attempt, createdat";
    let sql = match desk.schema.dialect() {
        Dialect::Postgres => {
            format!("SELECT md5(string_agg(r::text, '|' ORDER BY number)) FROM (SELECT {columns} FROM {table}) r")
        }
        Dialect::Mysql | Dialect::Sqlite => format!(
            "SELECT MD5(GROUP_CONCAT(CONCAT_WS(',', id, number, eventtype, payload, state, attempts, lasterror, next_attempt, createdat) \
             ORDER BY number SEPARATOR '|')) FROM {table}"
        ),
    };
    desk.schema.run(&sql.as_str().into()).await.rows[0][0].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn poison_leaves_for_the_table_beside_whole_and_comes_back() {
    for mut desk in Desk::all().await {
        let dialect = desk.schema.dialect();
        desk.fill("FAILED", 300, 7, 0).await;
        if dialect == Dialect::Mysql {
            desk.schema.script("SET group_concat_max_len = 10000000").await;
        }
        let before = digest(&mut desk, "outbox_transfers").await;
        let operation = Operation::Park(park());
        let plan = desk.plan(&operation).await.expect("a plan").plan;
        let says = |plan: &opsctl::operations::plan::Plan, what: &str| {
            plan.changes.iter().any(|change| change.as_str().contains(what))
        };
        assert!(says(&plan, "CREATE TABLE"), "{plan:#?}");
        assert_eq!((plan.messages_estimate, plan.blockers.len()), (300, 0), "{plan:#?}");
        let report = desk.run(&operation).await;
        let rows = report.details.rows().expect("rows").clone();
        assert_eq!((report.end, rows.done, rows.left), (End::Done, 300, 0), "{dialect:?}: {report:#?}");
        assert_eq!((desk.number(PARKED).await, desk.in_state("FAILED").await), (300, 0), "{dialect:?}");
        assert_eq!(digest(&mut desk, "outbox_transfers_opsctl_parked").await, before, "{dialect:?}: whole");
        let reason = format!("{PARKED} WHERE opsctl_run = '{}' AND opsctl_reason LIKE '%: test'", report.run);
        assert_eq!(desk.number(&reason).await, 300, "{dialect:?}: with the run and the reason");
        // What stands in rows is in the database only.
        let journal = std::fs::read_to_string(report.journal.as_ref().expect("a journal").as_str()).expect("text");
        assert!(!journal.contains("timeout after 3 s"));
        let restore = Operation::Restore(Restore::of(report.run.clone()));
        let restored = desk.run(&restore).await;
        let rows = restored.details.rows().expect("rows").clone();
        assert_eq!((restored.end, rows.put_back, rows.changed), (End::Done, 300, 0), "{dialect:?}: {restored:#?}");
        assert_eq!(digest(&mut desk, "outbox_transfers").await, before, "{dialect:?}: as it was");
        assert_eq!(desk.number(PARKED).await, 0);
        // Once more changes nothing.
        let again = desk.run(&restore).await;
        assert_eq!((again.end, desk.in_state("FAILED").await), (End::Done, 300), "{again:#?}");
        // The table is there now, and is not made again.
        let plan = desk.plan(&operation).await.expect("a plan").plan;
        assert!(!says(&plan, "CREATE TABLE"), "{plan:#?}");
        let report = desk.run(&operation).await;
        assert_eq!((report.end, desk.number(PARKED).await), (End::Done, 300), "{report:#?}");
        desk.schema.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beside_a_relay_a_row_is_sent_or_parked_and_never_both() {
    for mut desk in Desk::all().await {
        let dialect = desk.schema.dialect();
        for aside in [true, false] {
            desk.schema.script("DELETE FROM outbox_transfers; DELETE FROM sent").await;
            desk.fill("PENDING", 3_000, 7, 0).await;
            desk.schema.script("UPDATE outbox_transfers SET attempts = 0").await;
            let relay = Relay::start(&desk);
            let operation =
                Operation::Park(Park { state: vec![ParkState::Ready], limit: Some(3_000), aside, ..park() });
            let report = desk.run(&operation).await;
            drained(&mut desk).await;
            relay.stop().await;
            assert!(matches!(report.end, End::Done | End::Partly), "{dialect:?}: {report:#?}");
            let parked = report.details.rows().expect("rows").done;
            let parked = i64::try_from(parked).expect("few");
            let sent = desk.number("SELECT count(*) FROM sent").await;
            assert!(parked > 0 && sent > 0, "{dialect:?}: {parked} parked, {sent} sent: both were at work");
            assert_eq!(parked + sent, 3_000, "{dialect:?}, aside {aside}: none lost, none twice");
            assert_eq!(desk.number("SELECT count(DISTINCT number) FROM sent").await, sent);
            if aside {
                let both = "SELECT count(*) FROM sent s JOIN outbox_transfers_opsctl_parked p ON p.number = s.number";
                assert_eq!((desk.number(PARKED).await, desk.number(both).await), (parked, 0), "{dialect:?}");
                continue;
            }
            assert_eq!(desk.in_state("FAILED").await, parked, "{dialect:?}");
            let reasons =
                "SELECT count(*) FROM outbox_transfers WHERE lasterror LIKE 'parked with opsctl, run %: test'";
            assert_eq!(desk.number(reasons).await, parked, "{dialect:?}");
            // The relay's attempts are kept, and a restore makes them ready again.
            let restored = desk.run(&Operation::Restore(Restore::of(report.run.clone()))).await;
            assert_eq!((restored.end, desk.in_state("PENDING").await), (End::Done, parked), "{restored:#?}");
        }
        desk.schema.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_somebody_has_locked_are_left_and_told_and_parked_later() {
    for mut desk in Desk::all().await {
        desk.fill("FAILED", 100, 3, 0).await;
        let mut holder = super::super::server::Schema::of(desk.schema.dialect()).await.expect("a server");
        let table = format!("{}.outbox_transfers", desk.schema.name);
        holder.script("SET TRANSACTION ISOLATION LEVEL READ COMMITTED").await;
        holder.script(&format!("BEGIN; SELECT id FROM {table} WHERE number <= 3 FOR UPDATE")).await;
        let report = desk.run(&Operation::Park(park())).await;
        let rows = report.details.rows().expect("rows").clone();
        assert_eq!((report.end, rows.done, rows.left), (End::Partly, 97, 3), "{report:#?}");
        holder.script("ROLLBACK").await;
        let report = desk.resume().await;
        let rows = report.details.rows().expect("rows").clone();
        assert_eq!((report.end, rows.done, rows.left), (End::Done, 100, 0), "{report:#?}");
        let reasons = format!("{PARKED} WHERE opsctl_run = '{}' AND opsctl_reason LIKE '%: test'", report.run);
        assert_eq!(desk.number(&reasons).await, 100, "one run, one reason");
        holder.end().await;
        desk.schema.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_says_what_waits_behind_poison_and_refuses_what_would_stop_the_outbox() {
    for mut desk in Desk::all().await {
        desk.fill("PENDING", 30, 3, 0).await;
        desk.schema.script("UPDATE outbox_transfers SET attempts = 0; UPDATE outbox_transfers SET state = 'FAILED' WHERE number = 1").await;
        let mapping = &mut desk.stage.environment.databases.outboxes[0].mapping;
        mapping.group_blocks = true;
        let plan = desk.plan(&Operation::Park(park())).await.expect("a plan").plan;
        let warned = |what: &str| plan.warnings.iter().any(|warning| warning.as_str().contains(what));
        assert!(warned("9 younger rows in 1 group wait behind these rows"), "{plan:#?}");
        let all = Operation::Park(Park { state: vec![ParkState::Ready], ..park() });
        let error = desk.plan(&all).await.expect_err("all that waits");
        assert!(error.to_string().contains("would stop it"), "{error}");
        // Where a failed row holds its group, the table's own terms would not help: also ready rows leave.
        let one = Operation::Park(Park { state: vec![ParkState::Ready], limit: Some(1), ..park() });
        let plan = desk.plan(&one).await.expect("a plan").plan;
        assert!(plan.changes.iter().any(|change| change.as_str().contains("_opsctl_parked")), "{plan:#?}");
        let mapping = opsctl::outboxes::preset("nservicebus").expect("a preset").mapping.clone();
        desk.stage.environment.databases.outboxes[0].mapping = mapping;
        let error = desk.plan(&Operation::Park(park())).await.expect_err("refused");
        assert!(error.to_string().contains("can't be parked: "), "{error}");
        assert!(!error.hint(&desk.stage.environment).is_empty());
        desk.schema.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_may_not_make_a_table_is_told_before_anything_moves() {
    for mut desk in Desk::all().await {
        desk.fill("FAILED", 5, 2, 0).await;
        let login = format!("few_park_{}_{}", std::process::id(), desk.schema.name);
        let (schema, is_postgres) = (desk.schema.name.clone(), desk.schema.dialect() == Dialect::Postgres);
        let password = std::env::var("OPSCTL_TEST_DATABASE_PASSWORD").expect("set for the peers");
        let make = match is_postgres {
            true => {
                format!("CREATE ROLE {login} LOGIN PASSWORD '{password}'; GRANT USAGE ON SCHEMA {schema} TO {login}")
            }
            false => format!("CREATE USER {login} IDENTIFIED BY '{password}'"),
        };
        let grant = format!("GRANT SELECT, UPDATE ON {schema}.outbox_transfers TO {login}");
        desk.schema.script(&format!("{make}; {grant}")).await;
        let connection = &mut desk.stage.environment.databases.connections[0];
        connection.user = Some(login.clone());
        assert!(matches!(connection.password, Password::Variable(_)));
        let plan = desk.plan(&Operation::Park(park())).await.expect("a plan").plan;
        let blocker = plan.blockers.first().unwrap_or_else(|| panic!("{plan:#?}")).to_string();
        assert!(blocker.contains("GRANT DELETE, INSERT ON") && blocker.contains("GRANT CREATE"), "{blocker}");
        assert_eq!(desk.in_state("FAILED").await, 5);
        let grants = match is_postgres {
            true => format!(
                "GRANT DELETE, INSERT ON {schema}.outbox_transfers TO {login}; GRANT CREATE ON SCHEMA {schema} TO {login}"
            ),
            false => format!("GRANT CREATE, INSERT, SELECT, DELETE ON {schema}.* TO {login}"),
        };
        desk.schema.script(&grants).await;
        let report = desk.run(&Operation::Park(park())).await;
        assert_eq!((report.end, desk.number(PARKED).await), (End::Done, 5), "{report:#?}");
        // Rows that others point to would take those with them.
        let key = if is_postgres { "uuid" } else { "char(36)" };
        let point = format!("CREATE TABLE note (row_id {key} REFERENCES outbox_transfers (id))");
        let point = if is_postgres {
            point
        } else {
            format!("CREATE TABLE note (row_id {key}, FOREIGN KEY (row_id) REFERENCES outbox_transfers (id))")
        };
        desk.schema.script(&point).await;
        let plan = desk.plan(&Operation::Park(park())).await.expect("a plan").plan;
        assert!(plan.blockers.iter().any(|blocker| blocker.as_str().contains("point at")), "{plan:#?}");
        desk.schema.script("DROP TABLE note").await;
        let drop = if is_postgres {
            format!("DROP OWNED BY {login} CASCADE; DROP ROLE {login}")
        } else {
            format!("DROP USER {login}")
        };
        desk.schema.script(&drop).await;
        desk.schema.end().await;
    }
}
