//! SQLite's schema: the sandbox's databases.

use super::{
    super::catalog::{CheckConstraint, Column, ForeignKey, Index, Sort, TABLES_MAX},
    ROWS_MAX,
    rows::{Builder, Cells, each},
};
use crate::domain::{Rows, Statement, TableName};

const OWN: &str = "s.type = 'table' AND s.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";

pub(super) fn questions() -> Vec<Statement> {
    let texts = [
        format!("SELECT s.name, s.sql FROM sqlite_schema s WHERE {OWN} ORDER BY s.name LIMIT {TABLES_MAX}"),
        format!(
            "SELECT s.name, c.name, c.type, c.\"notnull\" = 0 AND c.pk = 0, c.dflt_value, c.hidden IN (2, 3), c.pk \
             FROM sqlite_schema s JOIN pragma_table_xinfo(s.name) c WHERE {OWN} ORDER BY s.name, c.cid LIMIT {ROWS_MAX}"
        ),
        format!(
            "SELECT s.name, i.name, i.\"unique\", c.name, x.sql FROM sqlite_schema s JOIN pragma_index_list(s.name) i \
             JOIN pragma_index_info(i.name) c LEFT JOIN sqlite_schema x ON x.type = 'index' AND x.name = i.name \
             WHERE {OWN} ORDER BY s.name, i.name, c.seqno LIMIT {ROWS_MAX}"
        ),
        format!(
            "SELECT s.name, f.id, f.\"table\", f.\"from\", f.\"to\" FROM sqlite_schema s \
             JOIN pragma_foreign_key_list(s.name) f WHERE {OWN} ORDER BY s.name, f.id, f.seq LIMIT {ROWS_MAX}"
        ),
    ];
    texts.iter().map(|text| text.as_str().into()).collect()
}

pub(super) fn read(builder: &mut Builder, answers: &[Rows]) {
    for row in each(answers.first()) {
        let name = TableName { schema: None, name: row.text(0) };
        let table = builder.add(row.text(0), name);
        table.checks = checks(&row.text(1));
    }
    for row in each(answers.get(1)) {
        let Some(table) = builder.table(&row.text(0)) else { continue };
        if row.number(6).is_some_and(|place| place > 0) {
            table.primary_key.push(row.text(1));
        }
        let column = column(&row);
        table.columns.push(column);
    }
    for row in each(answers.get(2)) {
        index(builder, &row);
    }
    for row in each(answers.get(3)) {
        let Some(table) = builder.table(&row.text(0)) else { continue };
        let to = TableName { schema: None, name: row.text(2) };
        table.foreign_keys.push(ForeignKey { columns: vec![row.text(3)], to, to_columns: vec![row.text(4)] });
    }
}

fn column(row: &Cells<'_>) -> Column {
    let (name, sql_type) = (row.text(1), row.text(2));
    let sort = sort(&sql_type);
    Column {
        identity: row.number(6) == Some(1) && sort == Sort::Integer,
        name,
        sort,
        nullable: row.truth(3),
        default: row.maybe(4),
        generated: row.truth(5),
        labels: Vec::new(),
        comment: None,
        may_update: Some(true),
        sql_type,
    }
}

/// SQLite takes any type's name: what the name says is what the program meant.
fn sort(sql_type: &str) -> Sort {
    let sql_type = sql_type.to_ascii_uppercase();
    let has = |parts: &[&str]| parts.iter().any(|part| sql_type.contains(part));
    let length = || sql_type.split(['(', ')']).nth(1).and_then(|length| length.parse::<u32>().ok());
    if has(&["BOOL"]) {
        Sort::Boolean
    } else if has(&["TINYINT", "SMALLINT"]) {
        Sort::Small
    } else if has(&["INT"]) {
        Sort::Integer
    } else if has(&["JSON"]) {
        Sort::Json
    } else if has(&["TIMESTAMP", "DATETIME"]) {
        if has(&["WITH TIME ZONE", "TIMESTAMPTZ"]) { Sort::TimeZoned } else { Sort::TimePlain }
    } else if has(&["CHAR", "CLOB", "TEXT"]) {
        match length() {
            Some(most) if most <= 1_000 => Sort::Short(most),
            Some(_) | None => Sort::Long,
        }
    } else if has(&["BLOB"]) {
        Sort::Bytes
    } else if has(&["UUID"]) {
        Sort::Uuid
    } else if has(&["REAL", "FLOA", "DOUB", "NUMERIC", "DECIMAL"]) {
        Sort::Decimal
    } else {
        Sort::Other
    }
}

fn index(builder: &mut Builder, row: &Cells<'_>) {
    let Some(table) = builder.table(&row.text(0)) else { return };
    let (name, column) = (row.text(1), row.maybe(3).unwrap_or_default());
    if let Some(index) = table.indexes.iter_mut().find(|index| index.name == name) {
        return index.columns.push(column);
    }
    let sql = row.text(4);
    let predicate = split_word(&sql, "WHERE").map(|(_, predicate)| predicate.trim().to_owned());
    table.indexes.push(Index { name, columns: vec![column], is_unique: row.truth(2), predicate });
}

/// What stands in the parentheses behind each CHECK of a CREATE TABLE.
fn checks(sql: &str) -> Vec<CheckConstraint> {
    let mut checks = Vec::new();
    let mut rest = sql;
    while let Some((_, behind)) = split_word(rest, "CHECK") {
        let behind = behind.trim_start();
        if !behind.starts_with('(') {
            rest = behind;
            continue;
        }
        let (mut depth, mut is_quoted, mut end) = (0_i32, false, behind.len());
        for (place, letter) in behind.char_indices() {
            match letter {
                '\'' => is_quoted = !is_quoted,
                '(' if !is_quoted => depth += 1,
                ')' if !is_quoted => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                end = place + 1;
                break;
            }
        }
        checks.push(CheckConstraint { text: behind[..end].to_owned() });
        rest = &behind[end..];
    }
    checks
}

/// At a word by itself, whatever its case.
fn split_word<'a>(text: &'a str, word: &str) -> Option<(&'a str, &'a str)> {
    let upper = text.to_ascii_uppercase();
    let is_inside = |letter: char| letter.is_alphanumeric() || letter == '_';
    let found = upper.match_indices(word).find(|(place, _)| {
        let before = upper[..*place].chars().next_back();
        let after = upper[place + word.len()..].chars().next();
        !before.is_some_and(is_inside) && !after.is_some_and(is_inside)
    });
    found.map(|(place, _)| (&text[..place], &text[place + word.len()..]))
}
