//! Questions to the server's catalogs, and what their answers mean. They read no row of the table.

use super::quoted_table;
use crate::{
    domain::{Dialect, Rows, Statement, TableName, Value},
    outboxes::catalog::{Catalog, CatalogColumn, ColumnSort},
};

/// Between the values of an enum.
const SEPARATOR: char = '\u{1f}';
const COLUMNS_MAX: u32 = 1_600;

const POSTGRES: &str = "SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), \
    (CASE WHEN y.typtype = 'e' OR b.typtype = 'e' THEN 'E' ELSE y.typcategory END)::text, \
    coalesce(b.typname, y.typname)::text, (NOT a.attnotnull)::int, (a.attgenerated <> '')::int, \
    (SELECT string_agg(e.enumlabel, E'\\x1f' ORDER BY e.enumsortorder) FROM pg_enum e \
    WHERE e.enumtypid = coalesce(b.oid, y.oid)) \
    FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid LEFT JOIN pg_type b ON b.oid = y.typbasetype \
    WHERE a.attrelid = to_regclass($1::text) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";

const MYSQL: &str = "SELECT column_name, column_type, data_type, data_type, is_nullable = 'YES', \
    COALESCE(generation_expression, '') <> '', collation_name FROM information_schema.columns \
    WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ? ORDER BY ordinal_position";

const SQLITE: &str = "SELECT name, type, type, type, \"notnull\" = 0 AND pk = 0, hidden IN (2, 3), NULL \
    FROM pragma_table_xinfo(?) ORDER BY cid";

/// The table's columns. No row: there is no such table, or it may not be seen.
pub fn catalog(dialect: Dialect, table: &TableName) -> Statement {
    let text = |text: &str| Value::Text(text.to_owned());
    let (sql, values) = match dialect {
        Dialect::Postgres => (POSTGRES, vec![Value::Text(quoted_table(dialect, table))]),
        Dialect::Mysql => {
            (MYSQL, vec![table.schema.as_deref().map_or(Value::Null, text), Value::Text(table.name.clone())])
        }
        Dialect::Sqlite => (SQLITE, vec![text(&table.name)]),
    };
    Statement { text: format!("{sql} LIMIT {COLUMNS_MAX}"), values }
}

/// Of the rows that [`catalog`] gives. None where there are none.
pub fn catalog_of(dialect: Dialect, rows: &Rows) -> Option<Catalog> {
    let columns: Vec<CatalogColumn> = rows.rows.iter().filter_map(|row| column(dialect, row)).collect();
    (!columns.is_empty()).then_some(Catalog { columns })
}

fn column(dialect: Dialect, row: &[Value]) -> Option<CatalogColumn> {
    let text = |place: usize| match row.get(place) {
        Some(Value::Text(text)) => Some(text.clone()),
        Some(Value::Bytes(bytes)) => String::from_utf8(bytes.clone()).ok(),
        Some(Value::Null | Value::Integer(_) | Value::Real(_)) | None => None,
    };
    let truth = |place: usize| matches!(row.get(place), Some(Value::Integer(number)) if *number != 0);
    let (name, sql_type) = (text(0)?, text(1)?);
    let sort = match dialect {
        Dialect::Postgres => of_postgres(&text(2)?, &text(3)?),
        Dialect::Mysql => of_mysql(&sql_type, &text(2)?),
        Dialect::Sqlite => of_sqlite(&sql_type),
    };
    let labels = match dialect {
        Dialect::Postgres => text(6).map(|all| all.split(SEPARATOR).map(str::to_owned).collect()).unwrap_or_default(),
        Dialect::Mysql => labels_of_mysql(&sql_type),
        Dialect::Sqlite => Vec::new(),
    };
    let collation = text(6).filter(|_| dialect == Dialect::Mysql);
    Some(CatalogColumn { name, sort, nullable: truth(4), generated: truth(5), labels, collation, sql_type })
}

/// By `pg_type.typcategory` and the name of the type, that of its base where it is a domain.
fn of_postgres(category: &str, name: &str) -> ColumnSort {
    match (category, name) {
        (_, "int2" | "int4" | "int8") => ColumnSort::Integer,
        (_, "bool") => ColumnSort::Boolean,
        (_, "json" | "jsonb") => ColumnSort::Json,
        (_, "bytea") => ColumnSort::Bytes,
        ("S", "text" | "varchar") => ColumnSort::Text,
        _ => ColumnSort::Other,
    }
}

fn of_mysql(sql_type: &str, data_type: &str) -> ColumnSort {
    match data_type.to_ascii_lowercase().as_str() {
        "bit" if sql_type.eq_ignore_ascii_case("bit(1)") => ColumnSort::Boolean,
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => ColumnSort::Integer,
        "json" => ColumnSort::Json,
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => ColumnSort::Bytes,
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => ColumnSort::Text,
        _ => ColumnSort::Other,
    }
}

/// By the rules of SQLite's affinities (sqlite.org/datatype3.html, 3.1).
fn of_sqlite(sql_type: &str) -> ColumnSort {
    let sql_type = sql_type.to_ascii_uppercase();
    let has = |parts: &[&str]| parts.iter().any(|part| sql_type.contains(part));
    if has(&["INT"]) {
        ColumnSort::Integer
    } else if has(&["CHAR", "CLOB", "TEXT"]) {
        ColumnSort::Text
    } else if has(&["BLOB"]) {
        ColumnSort::Bytes
    } else {
        ColumnSort::Other
    }
}

/// `enum('a','b''c')`.
fn labels_of_mysql(sql_type: &str) -> Vec<String> {
    let inner = sql_type.strip_prefix("enum(").and_then(|rest| rest.strip_suffix(')'));
    let Some(inner) = inner.and_then(|inner| inner.strip_prefix('\'')?.strip_suffix('\'')) else { return Vec::new() };
    inner.split("','").map(|label| label.replace("''", "'")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_an_enum_are_read() {
        assert_eq!(labels_of_mysql("enum('NEW','it''s')"), ["NEW", "it's"]);
        assert!(labels_of_mysql("varchar(8)").is_empty());
    }
}
