//! A relay: takes ready rows with SKIP LOCKED, publishes into the table `sent`, and gives up on poison.

use opsctl::domain::Dialect;
use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection, PgConnection, Row};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::desk::Desk;

pub(super) struct Relay {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Relay {
    /// Works until it is stopped.
    pub(super) fn start(desk: &Desk) -> Self {
        let (dialect, schema) = (desk.schema.dialect(), desk.schema.name.clone());
        let stop = CancellationToken::new();
        let told = stop.clone();
        let task = tokio::spawn(async move {
            match dialect {
                Dialect::Postgres => {
                    let mut connection = PgConnection::connect(&Desk::url(dialect)).await.expect("connected");
                    run(&mut connection, &format!("SET search_path TO {schema}")).await;
                    while !told.is_cancelled() {
                        if postgres(&mut connection).await == 0 {
                            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                        }
                    }
                }
                Dialect::Mysql | Dialect::Sqlite => {
                    let mut connection = MySqlConnection::connect(&Desk::url(dialect)).await.expect("connected");
                    connection.execute(AssertSqlSafe(format!("USE {schema}"))).await.expect("entered");
                    while !told.is_cancelled() {
                        if mysql(&mut connection).await == 0 {
                            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                        }
                    }
                }
            }
        });
        Self { stop, task }
    }

    pub(super) async fn stop(self) {
        self.stop.cancel();
        self.task.await.expect("the relay works");
    }
}

async fn run(connection: &mut PgConnection, sql: &str) {
    connection.execute(AssertSqlSafe(sql.to_owned())).await.expect("run");
}

async fn postgres(connection: &mut PgConnection) -> usize {
    let mut transaction = connection.begin().await.expect("begun");
    let rows = sqlx::query(
        "SELECT id::text, number, (payload->>'poison')::boolean FROM outbox_transfers \
         WHERE state = 'PENDING' AND next_attempt <= now() ORDER BY createdat LIMIT 50 FOR UPDATE SKIP LOCKED",
    )
    .fetch_all(&mut *transaction)
    .await
    .expect("rows");
    for row in &rows {
        let (id, number, poison): (String, i32, bool) = (row.get(0), row.get(1), row.get(2));
        let update = if poison {
            "UPDATE outbox_transfers SET state = 'FAILED', attempts = 10, lasterror = 'poison' WHERE id = $1::uuid"
        } else {
            sqlx::query("INSERT INTO sent (number) VALUES ($1)")
                .bind(number)
                .execute(&mut *transaction)
                .await
                .expect("sent");
            "UPDATE outbox_transfers SET state = 'SENT', attempts = attempts + 1 WHERE id = $1::uuid"
        };
        sqlx::query(update).bind(id).execute(&mut *transaction).await.expect("updated");
    }
    transaction.commit().await.expect("committed");
    rows.len()
}

async fn mysql(connection: &mut MySqlConnection) -> usize {
    connection.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED").await.expect("set");
    let mut transaction = connection.begin().await.expect("begun");
    let rows = sqlx::query(
        "SELECT id, number, CAST(JSON_VALUE(payload, '$.poison') AS SIGNED) FROM outbox_transfers \
         WHERE state = 'PENDING' AND next_attempt <= NOW(6) ORDER BY createdat LIMIT 50 FOR UPDATE SKIP LOCKED",
    )
    .fetch_all(&mut *transaction)
    .await
    .expect("rows");
    for row in &rows {
        let (id, number, poison): (String, i32, i64) = (row.get(0), row.get(1), row.get(2));
        let update = if poison == 1 {
            "UPDATE outbox_transfers SET state = 'FAILED', attempts = 10, lasterror = 'poison' WHERE id = ?"
        } else {
            sqlx::query("INSERT INTO sent (number) VALUES (?)")
                .bind(number)
                .execute(&mut *transaction)
                .await
                .expect("sent");
            "UPDATE outbox_transfers SET state = 'SENT', attempts = attempts + 1 WHERE id = ?"
        };
        sqlx::query(update).bind(id).execute(&mut *transaction).await.expect("updated");
    }
    transaction.commit().await.expect("committed");
    rows.len()
}
