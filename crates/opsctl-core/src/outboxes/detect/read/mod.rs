//! Questions to the catalogs of a server, and a [`DatabaseTables`] of their answers. No row of a table is read.

mod mysql;
mod postgres;
mod rows;
mod sqlite;

use super::catalog::{DatabaseTables, TABLES_MAX};
use crate::domain::{Dialect, Rows, Statement};

use rows::Builder;

/// Most rows of one answer: columns of that many tables are more than any person reads.
pub const ROWS_MAX: u32 = 40_000;
/// Between the parts of a list.
const SEPARATOR: char = '\u{1f}';

/// Which server is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    pub dialect: Dialect,
    pub is_mariadb: bool,
    /// Major, minor, patch.
    pub version: [u32; 3],
}

/// The questions, all for one transaction. Their answers go to [`catalog`], in the same order. `schema` limits them to one schema, or
/// to one of MySQL's databases; without it all are asked for but the server's own.
pub fn questions(asked: Asked, schema: Option<&str>) -> Vec<Statement> {
    match asked.dialect {
        Dialect::Postgres => postgres::questions(schema),
        Dialect::Mysql => mysql::questions(asked, schema),
        Dialect::Sqlite => sqlite::questions(),
    }
}

pub fn catalog(asked: Asked, answers: &[Rows]) -> DatabaseTables {
    let mut builder = Builder::new();
    match asked.dialect {
        Dialect::Postgres => postgres::read(&mut builder, answers),
        Dialect::Mysql => mysql::read(&mut builder, answers),
        Dialect::Sqlite => sqlite::read(&mut builder, answers),
    }
    let is_cut = builder.tables.len() >= TABLES_MAX || answers.iter().any(|rows| rows.rows.len() >= ROWS_MAX as usize);
    let mut tables = builder.tables;
    tables.sort_by(|one, other| one.name.cmp(&other.name));
    DatabaseTables { dialect: asked.dialect, tables, is_cut }
}
