//! PostgreSQL's catalogs, from version 12 on.

use super::{
    super::catalog::{CheckConstraint, Column, ForeignKey, Grants, Index, RowSecurity, Sort, TABLES_MAX, Trigger},
    ROWS_MAX,
    rows::{Builder, Cells, each},
};
use crate::domain::{Rows, Statement, TableName, Value};

/// Tables that are looked at. A partition is no table of its own. Tables that belong to an extension are its own.
fn tables() -> String {
    format!(
        "WITH t AS MATERIALIZED (SELECT c.oid, c.relname, n.nspname, c.relkind, c.reltuples, c.relowner, c.relrowsecurity, \
         c.relforcerowsecurity, c.relnamespace FROM pg_catalog.pg_class c \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't' \
         AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%' \
         AND ($1::text IS NULL OR n.nspname = $1::text) \
         ORDER BY n.nspname, c.relname LIMIT {TABLES_MAX}) "
    )
}

const TABLES: &str = "SELECT t.oid::bigint, t.nspname::text, t.relname::text, \
    CASE WHEN t.relkind = 'p' THEN coalesce((SELECT sum(greatest(k.reltuples, 0)) FROM pg_catalog.pg_inherits i \
    JOIN pg_catalog.pg_class k ON k.oid = i.inhrelid WHERE i.inhparent = t.oid), -1) ELSE t.reltuples END::bigint, \
    CASE WHEN t.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(t.oid) END, \
    (SELECT count(*) FROM pg_catalog.pg_inherits i WHERE i.inhparent = t.oid)::bigint, \
    t.relrowsecurity::int, t.relforcerowsecurity::int, pg_catalog.row_security_active(t.oid)::int, \
    pg_catalog.obj_description(t.oid, 'pg_class'), \
    (u.allowed AND pg_catalog.has_table_privilege(t.oid, 'SELECT'))::int, \
    (u.allowed AND pg_catalog.has_table_privilege(t.oid, 'INSERT'))::int, \
    (u.allowed AND pg_catalog.has_table_privilege(t.oid, 'UPDATE'))::int, \
    (u.allowed AND pg_catalog.has_table_privilege(t.oid, 'DELETE'))::int \
    FROM t CROSS JOIN LATERAL (SELECT pg_catalog.has_schema_privilege(t.relnamespace, 'USAGE') AS allowed) u";

const COLUMNS: &str = "SELECT t.oid::bigint, a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod), \
    (CASE WHEN y.typtype = 'e' OR b.typtype = 'e' THEN 'E' ELSE coalesce(b.typcategory, y.typcategory) END)::text, \
    coalesce(b.typname, y.typname)::text, (NOT a.attnotnull)::int, pg_catalog.pg_get_expr(d.adbin, d.adrelid), \
    (a.attgenerated <> '')::int, (a.attidentity <> '')::int, \
    (SELECT string_agg(e.enumlabel, E'\\x1f' ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e \
    WHERE e.enumtypid = coalesce(b.oid, y.oid)), pg_catalog.col_description(t.oid, a.attnum), \
    pg_catalog.has_column_privilege(t.oid, a.attnum, 'UPDATE')::int, a.atttypmod::bigint, y.typtypmod::bigint \
    FROM t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped \
    JOIN pg_catalog.pg_type y ON y.oid = a.atttypid LEFT JOIN pg_catalog.pg_type b ON b.oid = nullif(y.typbasetype, 0) \
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = t.oid AND d.adnum = a.attnum ORDER BY t.oid, a.attnum";

/// A domain's constraints are those of the columns that have it: VALUE stands for the column there.
const CONSTRAINTS: &str = "SELECT t.oid::bigint, k.contype::text, pg_catalog.pg_get_constraintdef(k.oid), \
    (SELECT string_agg(a.attname, E'\\x1f' ORDER BY p.place) FROM unnest(k.conkey) WITH ORDINALITY p (number, place) \
    JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = p.number), f.nspname::text, r.relname::text, \
    (SELECT string_agg(a.attname, E'\\x1f' ORDER BY p.place) FROM unnest(k.confkey) WITH ORDINALITY p (number, place) \
    JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = p.number) \
    FROM t JOIN pg_catalog.pg_constraint k ON k.conrelid = t.oid AND k.contype IN ('p', 'c', 'f') \
    LEFT JOIN pg_catalog.pg_class r ON r.oid = nullif(k.confrelid, 0) \
    LEFT JOIN pg_catalog.pg_namespace f ON f.oid = r.relnamespace \
    UNION ALL SELECT t.oid::bigint, 'd', pg_catalog.pg_get_constraintdef(k.oid), a.attname::text, NULL, NULL, NULL \
    FROM t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped \
    JOIN pg_catalog.pg_constraint k ON k.contypid = a.atttypid AND k.contype = 'c'";

const INDEXES: &str = "SELECT t.oid::bigint, c.relname::text, i.indisunique::int, \
    (SELECT string_agg(coalesce(a.attname::text, pg_catalog.pg_get_indexdef(i.indexrelid, p.place::int, true)), E'\\x1f' ORDER BY p.place) \
    FROM unnest(i.indkey::int2[]) WITH ORDINALITY p (number, place) LEFT JOIN pg_catalog.pg_attribute a \
    ON a.attrelid = t.oid AND a.attnum = p.number AND p.number > 0 WHERE p.place <= i.indnkeyatts), \
    pg_catalog.pg_get_expr(i.indpred, i.indrelid) \
    FROM t JOIN pg_catalog.pg_index i ON i.indrelid = t.oid JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid \
    WHERE i.indisvalid ORDER BY t.oid, c.relname";

const TRIGGERS: &str = "SELECT t.oid::bigint, g.tgname::text, pg_catalog.pg_get_triggerdef(g.oid) \
    FROM t JOIN pg_catalog.pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal AND g.tgenabled <> 'D' ORDER BY t.oid, g.tgname";

pub(super) fn questions(schema: Option<&str>) -> Vec<Statement> {
    let schema = schema.map_or(Value::Null, |schema| Value::Text(schema.to_owned()));
    [TABLES, COLUMNS, CONSTRAINTS, INDEXES, TRIGGERS]
        .iter()
        .map(|sql| Statement { text: format!("{}{sql} LIMIT {ROWS_MAX}", tables()), values: vec![schema.clone()] })
        .collect()
}

pub(super) fn read(builder: &mut Builder, answers: &[Rows]) {
    for row in each(answers.first()) {
        let name = TableName { schema: Some(row.text(1)), name: row.text(2) };
        let table = builder.add(row.text(0), name);
        table.rows = row.number(3).and_then(|rows| u64::try_from(rows).ok());
        table.partitioned_by = row.maybe(4);
        table.partitions = row.number(5).and_then(|count| u64::try_from(count).ok()).unwrap_or_default();
        table.row_security = RowSecurity { is_enabled: row.truth(6), is_forced: row.truth(7), is_active: row.truth(8) };
        table.comment = row.maybe(9);
        let may = |place| row.maybe_truth(place);
        table.grants = Grants { select: may(10), insert: may(11), update: may(12), delete: may(13) };
    }
    for row in each(answers.get(1)) {
        let column = column(&row);
        if let Some(table) = builder.table(&row.text(0)) {
            table.columns.push(column);
        }
    }
    for row in each(answers.get(2)) {
        constraint(builder, &row);
    }
    for row in each(answers.get(3)) {
        let index = Index { name: row.text(1), is_unique: row.truth(2), columns: row.list(3), predicate: row.maybe(4) };
        if let Some(table) = builder.table(&row.text(0)) {
            table.indexes.push(index);
        }
    }
    for row in each(answers.get(4)) {
        if let Some(table) = builder.table(&row.text(0)) {
            table.triggers.push(Trigger { name: row.text(1), text: row.text(2) });
        }
    }
}

fn column(row: &Cells<'_>) -> Column {
    let sql_type = row.text(2);
    // A length is kept with 4 bytes more; a domain keeps that of its own type.
    let length = [12, 13].into_iter().filter_map(|place| row.number(place)).find(|length| *length > 4);
    let sort = sort(&row.text(3), &row.text(4), length);
    let default = row.maybe(6);
    let counts = default.as_deref().is_some_and(|default| default.starts_with("nextval("));
    Column {
        name: row.text(1),
        sort,
        nullable: row.truth(5),
        generated: row.truth(7),
        identity: row.truth(8) || counts,
        labels: row.list(9),
        comment: row.maybe(10),
        may_update: row.maybe_truth(11),
        default,
        sql_type,
    }
}

/// By `pg_type.typcategory` and the type's name.
fn sort(category: &str, name: &str, length: Option<i64>) -> Sort {
    let characters = length.and_then(|length| u32::try_from(length - 4).ok());
    match (category, name) {
        ("E", _) => Sort::Enum,
        (_, "bool") => Sort::Boolean,
        (_, "int2") => Sort::Small,
        (_, "int4" | "int8") => Sort::Integer,
        // Scale and precision share a number; scale 0 is a whole number.
        (_, "numeric") if length.is_some_and(|length| (length - 4) & 0xffff == 0) => Sort::Integer,
        (_, "numeric" | "float4" | "float8" | "money") => Sort::Decimal,
        (_, "json" | "jsonb") => Sort::Json,
        (_, "bytea") => Sort::Bytes,
        (_, "uuid") => Sort::Uuid,
        (_, "timestamptz") => Sort::TimeZoned,
        (_, "timestamp") => Sort::TimePlain,
        (_, "date") => Sort::Date,
        ("S", _) => match characters {
            Some(most) if most <= 1_000 => Sort::Short(most),
            Some(_) | None => Sort::Long,
        },
        _ => Sort::Other,
    }
}

fn constraint(builder: &mut Builder, row: &Cells<'_>) {
    let Some(table) = builder.table(&row.text(0)) else { return };
    match row.text(1).as_str() {
        "p" => table.primary_key = row.list(3),
        "c" => table.checks.push(CheckConstraint { text: row.text(2) }),
        "d" => {
            let own = format!("\"{}\"", row.text(3).replace('"', "\"\""));
            table.checks.push(CheckConstraint { text: row.text(2).replace("VALUE", &own) });
        }
        "f" => table.foreign_keys.push(ForeignKey {
            columns: row.list(3),
            to: TableName { schema: row.maybe(4), name: row.text(5) },
            to_columns: row.list(6),
        }),
        _ => {}
    }
}
