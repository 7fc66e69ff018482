//! What the drivers' errors mean: while a connection comes about, and for a statement or a COMMIT.

use std::io;

use sqlx::{error::DatabaseError, mysql::MySqlDatabaseError};

use crate::domain::{Because, SqlError, SqlKind, Text, Unanswered};

/// What a failed connection or login means.
pub(super) fn of_login(error: &sqlx::Error) -> Unanswered {
    let because = match error {
        sqlx::Error::Tls(_) => Because::Tls,
        sqlx::Error::Io(error) if is_of_tls(error) => Because::Tls,
        sqlx::Error::Io(error) => of_socket(error).because,
        sqlx::Error::Protocol(_) => Because::Broken,
        // SQLSTATE of a refused login, and of a database that is not there; MySQL has one for a database without a grant, too.
        sqlx::Error::Database(told) => match told.code().as_deref() {
            Some("28000" | "28P01" | "3D000") => Because::Login,
            Some("42000") if number(&**told).is_some_and(|number| matches!(number, 1044 | 1049)) => Because::Login,
            _ => Because::Sql,
        },
        sqlx::Error::Configuration(_) => Because::Login,
        _ => Because::Sql,
    };
    Unanswered::new(because, &words(error))
}

pub(super) fn of_socket(error: &io::Error) -> Unanswered {
    let because = match error.kind() {
        io::ErrorKind::ConnectionRefused => Because::Refused,
        io::ErrorKind::TimedOut | io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            Because::TimedOut
        }
        _ => Because::Broken,
    };
    Unanswered::new(because, &error.to_string())
}

/// What a failed statement means: [`SqlKind::Lost`] where the connection is of no use any more.
pub(super) fn of_statement(error: &sqlx::Error) -> SqlError {
    let told = match error {
        sqlx::Error::Database(told) => &**told,
        sqlx::Error::Encode(_) | sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
            return SqlError::new(SqlKind::Type, &error.to_string());
        }
        _ => return SqlError::new(SqlKind::Lost, &error.to_string()),
    };
    let (kind, code) = match number(told) {
        Some(number) => (by_number(number), number.to_string()),
        None => {
            let state = told.code().unwrap_or_default();
            (by_state(&state), state.into_owned())
        }
    };
    SqlError { kind, code: Text::line(&code), words: Text::line(&words(error)) }
}

/// What a failed COMMIT means: what the server refuses it has rolled back; all else is [`SqlKind::Unknown`].
pub(super) fn of_commit(error: &sqlx::Error) -> SqlError {
    let failed = of_statement(error);
    let is_refusal = match failed.kind {
        SqlKind::Conflict | SqlKind::Constraint | SqlKind::ReadOnly => true,
        // PostgreSQL answers a COMMIT with an error only once the transaction is rolled back, unless the server itself gave way.
        SqlKind::Denied | SqlKind::Type | SqlKind::LockTimeout | SqlKind::StatementTimeout | SqlKind::Other => {
            matches!(error, sqlx::Error::Database(told) if number(&**told).is_none())
        }
        SqlKind::NoTable | SqlKind::NoColumn | SqlKind::TooLarge | SqlKind::Lost | SqlKind::Unknown => false,
    };
    if is_refusal { failed } else { SqlError { kind: SqlKind::Unknown, ..failed } }
}

/// By SQLSTATE (PostgreSQL, appendix "Error Codes").
pub(super) fn by_state(state: &str) -> SqlKind {
    match state {
        "42P01" | "3F000" | "42S02" => SqlKind::NoTable,
        "42703" | "42S22" => SqlKind::NoColumn,
        "42501" => SqlKind::Denied,
        "22P02" | "22P03" | "22003" | "22007" | "22008" | "42804" | "42846" | "42883" | "42P18" | "42P08" => {
            SqlKind::Type
        }
        "55P03" => SqlKind::LockTimeout,
        "57014" => SqlKind::StatementTimeout,
        "40001" | "40P01" => SqlKind::Conflict,
        "25006" => SqlKind::ReadOnly,
        // RAISE EXCEPTION of a trigger; WITH CHECK OPTION.
        "P0001" | "44000" => SqlKind::Constraint,
        // The server shuts down, crashed, or nobody knows what became of a statement.
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "40003" => SqlKind::Lost,
        other if other.starts_with("23") => SqlKind::Constraint,
        other if other.starts_with("08") || other.starts_with("58") => SqlKind::Lost,
        _ => SqlKind::Other,
    }
}

/// By the server's number (MySQL Error Reference; MariaDB, "Error Codes").
pub(super) fn by_number(number: u16) -> SqlKind {
    match number {
        1049 | 1051 | 1146 => SqlKind::NoTable,
        1054 => SqlKind::NoColumn,
        1044 | 1045 | 1142 | 1143 | 1227 | 1370 => SqlKind::Denied,
        1264 | 1265 | 1267 | 1292 | 1366 | 1406 => SqlKind::Type,
        1205 | 3572 => SqlKind::LockTimeout,
        // An interrupted statement; max_execution_time; max_statement_time.
        1317 | 1969 | 3024 => SqlKind::StatementTimeout,
        1020 | 1213 => SqlKind::Conflict,
        1290 | 1792 | 1836 => SqlKind::ReadOnly,
        // NOT NULL, unique, foreign keys, CHECK (MySQL, MariaDB), SIGNAL of a trigger.
        1048 | 1062 | 1169 | 1364 | 1451 | 1452 | 1586 | 1644 | 3819 | 4025 => SqlKind::Constraint,
        1053 | 1152 | 1158..=1161 | 1180 | 1927 | 2006 | 2013 | 4031 => SqlKind::Lost,
        _ => SqlKind::Other,
    }
}

fn number(told: &dyn DatabaseError) -> Option<u16> {
    told.try_downcast_ref::<MySqlDatabaseError>().map(MySqlDatabaseError::number)
}

/// The server's message without detail, hint and context, or the driver's words.
fn words(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(told) => told.message().to_owned(),
        _ => error.to_string(),
    }
}

/// rustls tells what it thinks of a certificate as an I/O error.
fn is_of_tls(error: &io::Error) -> bool {
    let words = error.to_string();
    words.contains("certificate") || words.contains("TLS") || words.contains("tls")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_caller_acts_on_is_told_by_code() {
        for (state, kind) in [
            ("42P01", SqlKind::NoTable),
            ("40P01", SqlKind::Conflict),
            ("23514", SqlKind::Constraint),
            ("57P01", SqlKind::Lost),
            ("08006", SqlKind::Lost),
            ("42601", SqlKind::Other),
        ] {
            assert_eq!(by_state(state), kind, "{state}");
        }
        for (number, kind) in [(1146, SqlKind::NoTable), (1205, SqlKind::LockTimeout), (1064, SqlKind::Other)] {
            assert_eq!(by_number(number), kind, "{number}");
        }
    }

    #[test]
    fn a_commit_that_broke_off_is_unknown_and_one_that_was_refused_is_not() {
        let broken = sqlx::Error::Io(io::ErrorKind::ConnectionReset.into());
        assert_eq!(of_statement(&broken).kind, SqlKind::Lost);
        assert_eq!(of_commit(&broken).kind, SqlKind::Unknown);
    }
}
