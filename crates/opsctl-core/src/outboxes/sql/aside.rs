//! The table beside an outbox, to which rows are moved that are set aside: what makes it, what moves a row there and back, and what the
//! login needs for that.

use super::{RowsStep, Sql, Writer, now, quoted, quoted_table};
use crate::{
    domain::{Dialect, Rows, Statement, TableName, Times, Value},
    outboxes::{Catalog, Manner, condition::RowCondition},
};

/// Columns of that table that the outbox does not have.
pub(super) const RUN: &str = "opsctl_run";
const REASON: &str = "opsctl_reason";
const PARKED_AT: &str = "opsctl_parked_at";

/// Whether the login may delete and insert rows of the outbox and make a table beside it, and how many foreign keys point at it.
const POSTGRES: &str = "SELECT has_table_privilege(c.oid, 'DELETE')::int, has_table_privilege(c.oid, 'INSERT')::int, \
    has_schema_privilege(c.relnamespace, 'CREATE')::int, \
    (SELECT count(*) FROM pg_constraint f WHERE f.confrelid = c.oid AND f.contype = 'f' AND f.conrelid <> c.oid) \
    FROM pg_class c WHERE c.oid = to_regclass($1::text)";

/// What a login may do to move rows out of an outbox and back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leave {
    pub may_delete: bool,
    pub may_insert: bool,
    /// Whether it may make a table beside the outbox.
    pub may_create: bool,
    /// Whether other tables point at the outbox's rows: their rows would be deleted too, or keep these from being deleted.
    pub is_pointed_at: bool,
}

impl Sql {
    /// Asks what the login may do with rows of a table. None: there are no grants (SQLite).
    pub fn leave(&self, table: &TableName) -> Option<Statement> {
        match self.dialect {
            Dialect::Postgres => Some(Statement {
                text: POSTGRES.to_owned(),
                values: vec![Value::Text(quoted_table(self.dialect, table))],
            }),
            Dialect::Mysql => Some(mysql_leave(table)),
            Dialect::Sqlite => None,
        }
    }

    /// Of the row that [`Sql::leave`] gives. None: it gave none.
    pub fn may_leave(rows: &Rows) -> Option<Leave> {
        let row = rows.rows.first()?;
        let truth = |place: usize| matches!(row.get(place), Some(Value::Integer(number)) if *number != 0);
        Some(Leave { may_delete: truth(0), may_insert: truth(1), may_create: truth(2), is_pointed_at: truth(3) })
    }

    /// Makes the table beside the outbox: the outbox's columns without their rules, and three more. None where rows do not move there.
    pub fn create_aside(&self) -> Option<Statement> {
        let to = self.change.aside()?;
        let mut writer = self.writer();
        writer.push("CREATE TABLE IF NOT EXISTS ").table(to).push(" (");
        match self.dialect {
            Dialect::Postgres => {
                writer.push("LIKE ").table(&self.mapping.table).push(", ");
                writer.push(&format!(
                    "{RUN} text NOT NULL, {REASON} text NOT NULL, {PARKED_AT} timestamptz NOT NULL, PRIMARY KEY ("
                ));
                writer.names(self.mapping.id.iter()).push("))");
            }
            Dialect::Mysql | Dialect::Sqlite => {
                // A table made of a SELECT, or LIKE another, would wait for whoever writes to the outbox.
                for column in &self.catalog.columns {
                    writer.name(&column.name).push(" ").push(&column.sql_type);
                    if let Some(collation) = &column.collation {
                        writer.push(" COLLATE ").push(collation);
                    }
                    // Else a time that may not be NULL would be set by MySQL itself.
                    let is_id = self.mapping.id.contains(&column.name);
                    writer.push(if is_id { " NOT NULL, " } else { " NULL, " });
                }
                let time = if self.dialect == Dialect::Mysql { "datetime(6)" } else { "TEXT" };
                writer.push(&format!(
                    "{RUN} varchar(64) NOT NULL, {REASON} text NOT NULL, {PARKED_AT} {time} NOT NULL, PRIMARY KEY ("
                ));
                writer.names(self.mapping.id.iter()).push("))");
            }
        }
        Some(writer.finish())
    }

    /// Columns that a table beside the outbox would have to have, and that this one has not.
    pub fn aside_lacks(&self, found: &Catalog) -> Vec<String> {
        let own = self.catalog.columns.iter().map(|column| column.name.as_str());
        let missing = own.chain([RUN, REASON, PARKED_AT]).filter(|name| found.column(name).is_none());
        missing.map(str::to_owned).collect()
    }

    pub(super) fn set_aside(
        &self,
        to: &TableName,
        (run, reason): (&str, &str),
        ids: &[Vec<Value>],
        expected: &RowCondition,
    ) -> Vec<RowsStep> {
        let mut add = self.writer();
        add.push("INSERT INTO ").table(to).push(" (").names(self.all_columns());
        add.push(&format!(", {RUN}, {REASON}, {PARKED_AT}) SELECT "));
        add.columns(self.all_columns()).push(", ").bind_text(run).push(", ").bind_text(reason);
        add.push(&format!(", {} FROM ", now(self.dialect, Times::Tz, 0)));
        add.from().push(" WHERE ").ids(ids).push(" AND ").condition(expected);
        // MySQL may read all rows to delete several, and then waits for those that others have locked.
        let at_once = if self.dialect == Dialect::Mysql { 1 } else { ids.len().max(1) };
        let take = |ids: &[Vec<Value>]| {
            let mut take = self.writer();
            take.delete(&self.mapping.table).push(" WHERE ").ids(ids).push(" AND ").condition(expected);
            RowsStep { statement: take.finish(), rows: ids.len() as u64 }
        };
        let add = RowsStep { statement: add.finish(), rows: ids.len() as u64 };
        std::iter::once(add).chain(ids.chunks(at_once).map(take)).collect()
    }

    /// Moves a row back from beside the outbox, without what the server computes. Each changes one row, or the row is left.
    pub(super) fn back_from_aside(&self, id: &[Value]) -> Vec<Statement> {
        let Manner::Aside { to, run, .. } = &self.change.how else { return Vec::new() };
        let ids = [id.to_vec()];
        let written = || self.catalog.columns.iter().filter(|column| !column.generated).map(|column| &column.name);
        let mut add = self.writer();
        add.push("INSERT INTO ").table(&self.mapping.table).push(" (").names(written()).push(")");
        // Else an identity column would get another value.
        add.push(if self.dialect == Dialect::Postgres { " OVERRIDING SYSTEM VALUE" } else { "" });
        add.push(" SELECT ").columns(written()).push(" FROM ").table(to).push(" AS t WHERE ").ids(&ids);
        add.push(" AND ").column(RUN).push(" = ").bind_text(run);
        let mut take = self.writer();
        take.delete(to).push(" WHERE ").ids(&ids).push(" AND ").column(RUN).push(" = ").bind_text(run);
        vec![add.finish(), take.finish()]
    }

    fn all_columns(&self) -> impl Iterator<Item = &String> {
        self.catalog.columns.iter().map(|column| &column.name)
    }
}

impl Writer<'_> {
    pub(super) fn names<'b>(&mut self, columns: impl Iterator<Item = &'b String>) -> &mut Self {
        self.list(columns, |writer, column| {
            writer.name(column);
        })
    }

    fn columns<'b>(&mut self, columns: impl Iterator<Item = &'b String>) -> &mut Self {
        self.list(columns, |writer, column| {
            writer.column(column);
        })
    }

    /// Up to the condition; rows of the table have the alias `t`.
    fn delete(&mut self, table: &TableName) -> &mut Self {
        // MariaDB takes an alias only in its form for several tables.
        let from = if self.sql.dialect == Dialect::Mysql { "DELETE t FROM " } else { "DELETE FROM " };
        self.push(from).table(table).push(" AS t")
    }
}

/// By grants to the login itself. Roles are not looked into: with one, whatever is asked for may be allowed.
fn mysql_leave(table: &TableName) -> Statement {
    const LOGIN: &str = "grantee = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''')";
    let schema = table.schema.clone().map_or(Value::Null, Value::Text);
    let name = Value::Text(table.name.clone());
    let mut values = Vec::new();
    let mut may = |privilege: &str, of_table: bool| {
        let of = format!("{LOGIN} AND privilege_type = '{privilege}'");
        let mut text = format!(
            "(COALESCE(CURRENT_ROLE(), 'NONE') <> 'NONE' OR EXISTS (SELECT 1 FROM information_schema.user_privileges \
             WHERE {of}) OR EXISTS (SELECT 1 FROM information_schema.schema_privileges WHERE {of} \
             AND COALESCE(?, DATABASE()) LIKE table_schema)"
        );
        values.push(schema.clone());
        if of_table {
            text.push_str(&format!(
                " OR EXISTS (SELECT 1 FROM information_schema.table_privileges WHERE {of} \
                 AND table_schema = COALESCE(?, DATABASE()) AND table_name = ?)"
            ));
            values.extend([schema.clone(), name.clone()]);
        }
        format!("{text})")
    };
    let asked = [may("DELETE", true), may("INSERT", true), may("CREATE", false)].join(", ");
    let text = format!(
        "SELECT {asked}, (SELECT count(*) FROM information_schema.referential_constraints \
         WHERE unique_constraint_schema = COALESCE(?, DATABASE()) AND referenced_table_name = ?)"
    );
    values.extend([schema, name]);
    Statement { text, values }
}

/// The statement that makes a table beside an outbox, for people to read and for whoever may run it.
pub fn shown(statement: &Statement) -> String {
    statement.text.replacen("IF NOT EXISTS ", "", 1)
}

/// What whoever grants has to run.
pub fn grant_to_leave(dialect: Dialect, table: &TableName, leave: Leave) -> Option<String> {
    let mut grants = Vec::new();
    let lacking: Vec<&str> = [("DELETE", leave.may_delete), ("INSERT", leave.may_insert)]
        .into_iter()
        .filter(|(_, may)| !may)
        .map(|(privilege, _)| privilege)
        .collect();
    if !lacking.is_empty() {
        grants.push(format!("GRANT {} ON {}", lacking.join(", "), quoted_table(dialect, table)));
    }
    if !leave.may_create {
        grants.push(match (dialect, &table.schema) {
            (Dialect::Postgres, Some(schema)) => format!("GRANT CREATE ON SCHEMA {}", quoted(dialect, schema)),
            (Dialect::Postgres, None) => "GRANT CREATE ON SCHEMA public".to_owned(),
            (Dialect::Mysql | Dialect::Sqlite, Some(schema)) => {
                format!("GRANT CREATE, INSERT, SELECT, DELETE ON {}.*", quoted(dialect, schema))
            }
            (Dialect::Mysql | Dialect::Sqlite, None) => {
                "GRANT CREATE, INSERT, SELECT, DELETE ON its database".to_owned()
            }
        });
    }
    (!grants.is_empty()).then(|| grants.join("; "))
}
