//! Connections as the world has them: no file, no extension, a bound on everything.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use rusqlite::{
    Connection, OpenFlags,
    config::DbConfig,
    hooks::{AuthAction, AuthContext, Authorization},
    limits::Limit,
};

use super::functions::Surroundings;

/// Steps of SQLite's machine that a statement may take: some seconds' worth. A count, not a time, so that the machine's speed decides
/// nothing.
const STEPS_MAX: u64 = 200_000_000;
const STEPS_A_LOOK: i32 = 100_000;
/// Bytes of a value, and of a statement.
const BYTES_MAX: i32 = 16 * 1_024 * 1_024;

/// Opens a connection, to a database made of `bytes` where there are some. The count of the steps that it takes is the statement's to
/// reset.
pub(super) fn open(
    name: &str,
    bytes: Option<&[u8]>,
    surroundings: &Surroundings,
    steps: Arc<AtomicU64>,
) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(name, flags)?;
    if let Some(bytes) = bytes {
        connection.deserialize_read_exact("main", bytes, bytes.len(), true)?;
    }
    // Nobody waits in SQLite: whoever waits does so by the world's clock.
    connection.busy_timeout(std::time::Duration::ZERO)?;
    // In double quotes stands a name; SQLite would take one that it does not know for a text.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    // A transaction's changes stay its own until it commits, however large it is.
    connection.execute_batch("PRAGMA temp_store = MEMORY; PRAGMA cache_spill = OFF; PRAGMA foreign_keys = ON")?;
    for limit in [Limit::SQLITE_LIMIT_LENGTH, Limit::SQLITE_LIMIT_SQL_LENGTH] {
        connection.set_limit(limit, BYTES_MAX)?;
    }
    surroundings.put_into(&connection)?;
    let too_many = move || {
        let look = u64::from(STEPS_A_LOOK.unsigned_abs());
        steps.fetch_add(look, Ordering::Relaxed) > STEPS_MAX
    };
    connection.progress_handler(STEPS_A_LOOK, Some(too_many))?;
    connection.authorizer(Some(is_allowed))?;
    Ok(connection)
}

/// What would open a file, or change how this connection works, is refused.
fn is_allowed(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Attach { .. } | AuthAction::Detach { .. } => Authorization::Deny,
        AuthAction::Pragma { pragma_value: Some(_), pragma_name } if !is_question(pragma_name) => Authorization::Deny,
        _ => Authorization::Allow,
    }
}

/// Pragmas whose value is what they are asked about.
fn is_question(pragma: &str) -> bool {
    let pragma = pragma.to_ascii_lowercase();
    pragma.starts_with("table_") || pragma.starts_with("index_") || pragma.starts_with("foreign_key_")
}
