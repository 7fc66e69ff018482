//! The information schema of MySQL and MariaDB.

use super::{
    super::catalog::{CheckConstraint, Column, ForeignKey, Grants, Index, Sort, TABLES_MAX, Trigger},
    Asked, ROWS_MAX,
    rows::{Builder, Cells, each},
};
use crate::domain::{Rows, Statement, TableName, Value};

/// Which tables: those of one database, else of the one that the connection chose, else of all but the server's own.
const OWN: &str = "NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')";

fn within(alias: &str) -> String {
    format!(
        "{alias}.table_schema {OWN} AND (COALESCE(?, DATABASE()) IS NULL OR {alias}.table_schema = COALESCE(?, DATABASE()))"
    )
}

pub(super) fn questions(asked: Asked, schema: Option<&str>) -> Vec<Statement> {
    let schema = schema.map_or(Value::Null, |schema| Value::Text(schema.to_owned()));
    let tables = format!(
        "SELECT t.table_schema, t.table_name, t.table_rows, t.table_comment, t.create_options \
         FROM information_schema.tables t WHERE t.table_type = 'BASE TABLE' AND {} \
         ORDER BY t.table_schema, t.table_name LIMIT {TABLES_MAX}",
        within("t")
    );
    let columns = format!(
        "SELECT c.table_schema, c.table_name, c.column_name, c.column_type, c.data_type, c.is_nullable = 'YES', \
         c.column_default, COALESCE(c.generation_expression, '') <> '', c.extra, c.column_comment, \
         CAST(c.character_maximum_length AS SIGNED), CAST(c.numeric_scale AS SIGNED), c.privileges \
         FROM information_schema.columns c WHERE {} \
         ORDER BY c.table_schema, c.table_name, c.ordinal_position LIMIT {ROWS_MAX}",
        within("c")
    );
    let indexes = format!(
        "SELECT s.table_schema, s.table_name, s.index_name, s.non_unique = 0, s.column_name \
         FROM information_schema.statistics s WHERE {} \
         ORDER BY s.table_schema, s.table_name, s.index_name, s.seq_in_index LIMIT {ROWS_MAX}",
        within("s")
    );
    let keys = format!(
        "SELECT k.table_schema, k.table_name, k.constraint_name, k.column_name, k.referenced_table_schema, \
         k.referenced_table_name, k.referenced_column_name FROM information_schema.key_column_usage k \
         WHERE k.referenced_table_name IS NOT NULL AND {} \
         ORDER BY k.table_schema, k.table_name, k.constraint_name, k.ordinal_position LIMIT {ROWS_MAX}",
        within("k")
    );
    let triggers = format!(
        "SELECT g.event_object_schema, g.event_object_table, g.trigger_name, g.action_timing, g.event_manipulation \
         FROM information_schema.triggers g WHERE g.event_object_schema {OWN} \
         AND (COALESCE(?, DATABASE()) IS NULL OR g.event_object_schema = COALESCE(?, DATABASE())) \
         ORDER BY 1, 2, 3 LIMIT {ROWS_MAX}"
    );
    let partitions = format!(
        "SELECT p.table_schema, p.table_name, p.partition_method, p.partition_expression, COUNT(*) \
         FROM information_schema.partitions p WHERE p.partition_name IS NOT NULL AND {} \
         GROUP BY 1, 2, 3, 4 LIMIT {ROWS_MAX}",
        within("p")
    );
    let twice = vec![schema.clone(), schema];
    let texts = [tables, columns, indexes, keys, triggers, partitions];
    let made = texts.into_iter().chain(checks(asked));
    made.map(|text| Statement { text, values: twice.clone() }).collect()
}

/// MariaDB names the table; MySQL does so elsewhere, and has none before 8.0.16.
fn checks(asked: Asked) -> Option<String> {
    if asked.is_mariadb {
        return Some(format!(
            "SELECT x.table_schema, x.table_name, x.check_clause FROM (SELECT k.constraint_schema AS table_schema, \
             k.table_name, k.check_clause FROM information_schema.check_constraints k) x WHERE {} LIMIT {ROWS_MAX}",
            within("x")
        ));
    }
    (asked.version >= [8, 0, 16]).then(|| {
        format!(
            "SELECT x.table_schema, x.table_name, k.check_clause FROM information_schema.table_constraints x \
             JOIN information_schema.check_constraints k ON k.constraint_schema = x.constraint_schema \
             AND k.constraint_name = x.constraint_name WHERE x.constraint_type = 'CHECK' AND {} LIMIT {ROWS_MAX}",
            within("x")
        )
    })
}

pub(super) fn read(builder: &mut Builder, answers: &[Rows]) {
    let key = |row: &Cells<'_>| format!("{}\u{0}{}", row.text(0), row.text(1));
    for row in each(answers.first()) {
        let name = TableName { schema: Some(row.text(0)), name: row.text(1) };
        let table = builder.add(key(&row), name);
        table.rows = row.number(2).and_then(|rows| u64::try_from(rows).ok());
        table.comment = row.maybe(3).filter(|comment| !comment.is_empty());
    }
    for row in each(answers.get(1)) {
        let Some(table) = builder.table(&key(&row)) else { continue };
        table.columns.push(column(&row));
        let (privileges, grants) = (row.text(12), &mut table.grants);
        let may = |what: &str| Some(privileges.split(',').any(|one| one.eq_ignore_ascii_case(what)));
        let any = |known: Option<bool>, now: Option<bool>| known.max(now);
        *grants = Grants {
            select: any(grants.select, may("select")),
            insert: any(grants.insert, may("insert")),
            update: any(grants.update, may("update")),
            delete: None,
        };
    }
    for row in each(answers.get(2)) {
        index(builder, &key(&row), &row);
    }
    for row in each(answers.get(3)) {
        foreign_key(builder, &key(&row), &row);
    }
    for row in each(answers.get(4)) {
        if let Some(table) = builder.table(&key(&row)) {
            let text = format!("{} {}", row.text(3), row.text(4));
            table.triggers.push(Trigger { name: row.text(2), text });
        }
    }
    for row in each(answers.get(5)) {
        if let Some(table) = builder.table(&key(&row)) {
            table.partitioned_by = Some(format!("{} ({})", row.text(2), row.text(3)));
            table.partitions = row.number(4).and_then(|count| u64::try_from(count).ok()).unwrap_or_default();
        }
    }
    for row in each(answers.get(6)) {
        check(builder, &key(&row), row.text(2));
    }
}

fn column(row: &Cells<'_>) -> Column {
    let (sql_type, extra, privileges) = (row.text(3), row.text(8), row.text(12));
    Column {
        name: row.text(2),
        sort: sort(&sql_type, &row.text(4), row.number(10), row.number(11)),
        nullable: row.truth(5),
        // MariaDB writes a missing default of a column that may be NULL as the word.
        default: row.maybe(6).filter(|default| !default.eq_ignore_ascii_case("null")),
        generated: row.truth(7),
        identity: extra.to_lowercase().contains("auto_increment"),
        labels: labels(&sql_type),
        comment: row.maybe(9).filter(|comment| !comment.is_empty()),
        may_update: Some(privileges.split(',').any(|one| one.eq_ignore_ascii_case("update"))),
        sql_type,
    }
}

fn sort(sql_type: &str, data_type: &str, length: Option<i64>, scale: Option<i64>) -> Sort {
    match data_type.to_ascii_lowercase().as_str() {
        "bit" if sql_type.eq_ignore_ascii_case("bit(1)") => Sort::Boolean,
        "tinyint" | "smallint" => Sort::Small,
        "mediumint" | "int" | "bigint" => Sort::Integer,
        "decimal" if scale == Some(0) => Sort::Integer,
        "decimal" | "float" | "double" => Sort::Decimal,
        "json" => Sort::Json,
        "enum" => Sort::Enum,
        "binary" | "varbinary" if length.is_some_and(|length| length <= 64) => Sort::Other,
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => Sort::Bytes,
        "uuid" => Sort::Uuid,
        "timestamp" => Sort::TimeZoned,
        "datetime" => Sort::TimePlain,
        "date" => Sort::Date,
        "char" | "varchar" | "tinytext" => match length.and_then(|length| u32::try_from(length).ok()) {
            Some(most) if most <= 1_000 => Sort::Short(most),
            Some(_) | None => Sort::Long,
        },
        "text" | "mediumtext" | "longtext" => Sort::Long,
        _ => Sort::Other,
    }
}

/// `enum('a','b''c')`.
fn labels(sql_type: &str) -> Vec<String> {
    let inner = sql_type.strip_prefix("enum('").and_then(|rest| rest.strip_suffix("')"));
    inner.into_iter().flat_map(|inner| inner.split("','")).map(|label| label.replace("''", "'")).collect()
}

fn index(builder: &mut Builder, key: &str, row: &Cells<'_>) {
    let Some(table) = builder.table(key) else { return };
    let (name, column) = (row.text(2), row.text(4));
    if name == "PRIMARY" {
        table.primary_key.push(column.clone());
    }
    match table.indexes.iter_mut().find(|index| index.name == name) {
        Some(index) => index.columns.push(column),
        None => {
            table.indexes.push(Index { name, columns: vec![column], is_unique: row.truth(3), predicate: None });
        }
    }
}

fn foreign_key(builder: &mut Builder, key: &str, row: &Cells<'_>) {
    let Some(table) = builder.table(key) else { return };
    let to = TableName { schema: row.maybe(4), name: row.text(5) };
    match table.foreign_keys.iter_mut().find(|known| known.to == to && !known.columns.contains(&row.text(3))) {
        Some(known) => {
            known.columns.push(row.text(3));
            known.to_columns.push(row.text(6));
        }
        None => {
            let (columns, to_columns) = (vec![row.text(3)], vec![row.text(6)]);
            table.foreign_keys.push(ForeignKey { columns, to, to_columns });
        }
    }
}

/// MariaDB's JSON is a text with a CHECK that it is valid.
fn check(builder: &mut Builder, key: &str, text: String) {
    use super::super::expression::{Atom, atoms};
    let Some(table) = builder.table(key) else { return };
    let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    let valid = atoms(&text, &names).into_iter().find_map(|atom| match atom {
        Atom::Valid(column) => Some(column),
        Atom::IsNull(_) | Atom::NotNull(_) | Atom::In(..) | Atom::True(_) | Atom::False(_) | Atom::Below(..) => None,
    });
    match valid.and_then(|name| builder.column(key, &name)) {
        Some(column) => column.sort = Sort::Json,
        None => {
            if let Some(table) = builder.table(key) {
                table.checks.push(CheckConstraint { text });
            }
        }
    }
}
