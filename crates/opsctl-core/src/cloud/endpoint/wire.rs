//! The ways to a database that a session may have, and how rows are gathered from each.

use super::{answered::Answered, data_api::DataApi, mysql::Mysql, postgres::Postgres, session::Access};
use crate::domain::{Bounds, Rows, SqlError, SqlKind, Statement, Value};

pub(super) enum Wire {
    Postgres(Box<Postgres>),
    Mysql(Box<Mysql>),
    Answered(Answered),
    DataApi(Box<DataApi>),
    /// It broke, or was given up: the server rolls back what was open.
    Gone,
}

impl Wire {
    pub(super) async fn begin(&mut self, access: Access, bounds: &Bounds, mariadb: bool) -> Result<(), SqlError> {
        match self {
            Self::Postgres(wire) => wire.begin(access, bounds).await,
            Self::Mysql(wire) => wire.begin(access, bounds, mariadb).await,
            Self::Answered(wire) => wire.begin(access).await,
            Self::DataApi(wire) => wire.begin(access, bounds).await,
            Self::Gone => Err(gone()),
        }
    }

    pub(super) async fn run(&mut self, statement: &Statement, bounds: &Bounds) -> Result<Rows, SqlError> {
        match self {
            Self::Postgres(wire) => wire.run(statement, bounds).await,
            Self::Mysql(wire) => wire.run(statement, bounds).await,
            Self::Answered(wire) => Gathered::of(wire.run(statement).await?, bounds),
            Self::DataApi(wire) => wire.run(statement, bounds).await,
            Self::Gone => Err(gone()),
        }
    }

    /// Errors as [`super::failure::of_commit`] judges them.
    pub(super) async fn commit(&mut self) -> Result<(), SqlError> {
        match self {
            Self::Postgres(wire) => wire.commit().await,
            Self::Mysql(wire) => wire.commit().await,
            Self::Answered(wire) => wire.commit().await,
            Self::DataApi(wire) => wire.commit().await,
            Self::Gone => Err(gone()),
        }
    }

    pub(super) async fn rollback(&mut self) -> Result<(), SqlError> {
        match self {
            Self::Postgres(wire) => wire.rollback().await,
            Self::Mysql(wire) => wire.rollback().await,
            Self::Answered(wire) => wire.rollback().await,
            Self::DataApi(wire) => wire.rollback().await,
            Self::Gone => Err(gone()),
        }
    }

    pub(super) async fn close(self) {
        match self {
            Self::Postgres(wire) => wire.close().await,
            Self::Mysql(wire) => wire.close().await,
            Self::Answered(wire) => wire.close().await,
            Self::DataApi(_) | Self::Gone => {}
        }
    }
}

fn gone() -> SqlError {
    SqlError::new(SqlKind::Lost, "the connection is gone")
}

/// Rows as they come, within bounds.
#[derive(Debug)]
pub(super) struct Gathered {
    rows: Rows,
    rows_left: usize,
    bytes_left: usize,
}

impl Gathered {
    pub(super) fn new(bounds: &Bounds) -> Self {
        Self { rows: Rows::default(), rows_left: bounds.rows_max, bytes_left: bounds.bytes_max }
    }

    fn of(rows: Rows, bounds: &Bounds) -> Result<Rows, SqlError> {
        let mut gathered = Self::new(bounds);
        gathered.rows = Rows { columns: rows.columns, rows: Vec::new(), changed: rows.changed };
        for row in rows.rows {
            gathered.push(row)?;
        }
        Ok(gathered.rows)
    }

    pub(super) fn has_columns(&self) -> bool {
        !self.rows.columns.is_empty()
    }

    pub(super) fn name_columns(&mut self, columns: Vec<String>) {
        self.rows.columns = columns;
    }

    pub(super) fn push(&mut self, row: Vec<Value>) -> Result<(), SqlError> {
        let bytes: usize = row.iter().map(size).sum();
        let (Some(rows_left), Some(bytes_left)) = (self.rows_left.checked_sub(1), self.bytes_left.checked_sub(bytes))
        else {
            return Err(SqlError::new(SqlKind::TooLarge, "more rows or bytes came than were asked for"));
        };
        (self.rows_left, self.bytes_left) = (rows_left, bytes_left);
        self.rows.rows.push(row);
        Ok(())
    }

    pub(super) fn changed(&mut self, rows: u64) {
        self.rows.changed += rows;
    }

    pub(super) fn done(self) -> Rows {
        self.rows
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::Null => 1,
        Value::Integer(_) | Value::Real(_) => 8,
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_refused_by_rows_and_by_bytes() {
        let bounds = Bounds { rows_max: 2, bytes_max: 10, ..Bounds::LOOK };
        let mut gathered = Gathered::new(&bounds);
        assert_eq!(gathered.push(vec![Value::Text("12345".into())]), Ok(()));
        let large = gathered.push(vec![Value::Bytes(vec![0; 6])]).expect_err("11 bytes");
        assert_eq!(large.kind, SqlKind::TooLarge);
        assert_eq!(gathered.push(vec![Value::Null]), Ok(()));
        assert_eq!(gathered.push(vec![Value::Null]).expect_err("a third row").kind, SqlKind::TooLarge);
    }
}
