//! What a statement would cost, how large a table is, and the index that is missing. Nothing here reads the table's rows.

use serde::Deserialize;

use super::{Sql, Writer, quoted, quoted_table};
use crate::{
    domain::{Dialect, Literal, Primitive, RowState, Rows, Server, Statement, TableName, Value},
    outboxes::condition::RowCondition,
};

/// A table of up to so many bytes is read whole without asking: some 10 ms.
const SMALL_BYTES: u64 = 16 * 1_048_576;
/// PostgreSQL's cost of a scan of a whole table, or of a whole index, that is still run: 3,000,000 rows cost some 100,000 and take 200 ms.
/// It is the cost of the scan to its end: a LIMIT above ends it early only where the rows happen to stand near the beginning.
const SCAN_COST_MAX: f64 = 10_000.0;
/// What PostgreSQL up to 17 adds to the cost of a scan or a sort that [`Sql::planner`] turns off, and that it can't do without.
const TURNED_OFF: f64 = 1.0e10;
/// From this version on PostgreSQL compiles statements that look costly.
const COMPILES: [u32; 3] = [11, 0, 0];
/// The same for MySQL and MariaDB, in rows that it expects to read.
const SCAN_ROWS_MAX: u64 = 200_000;
/// Rows that are read and sorted for the first of them.
const SORT_ROWS_MAX: u64 = 200_000;

/// How large a table is, partitions summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    pub bytes: u64,
    /// The server's estimate; none: never analysed.
    pub rows: Option<u64>,
}

impl Extent {
    /// Small tables are counted exactly whatever their indexes: a small table that is quiet is never analysed again.
    pub fn is_small(&self) -> bool {
        self.bytes <= SMALL_BYTES
    }
}

/// What the server says that a statement would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explained {
    /// It would read much of a large table to find its rows: it must not be run on a refresh.
    pub too_much: bool,
    /// Rows that the server expects to meet the condition, where it says so.
    pub rows: Option<u64>,
}

/// The size of a table: one row, bytes and rows. NULL rows: not known.
pub fn extent(dialect: Dialect, table: &TableName) -> Statement {
    let (text, values) = match dialect {
        Dialect::Postgres => (
            "WITH RECURSIVE p AS (SELECT to_regclass($1::text)::oid AS oid UNION ALL \
             SELECT i.inhrelid FROM pg_inherits i JOIN p ON i.inhparent = p.oid) \
             SELECT coalesce(sum(pg_relation_size(c.oid)), 0)::bigint, \
             (CASE WHEN bool_or(c.reltuples < 0) THEN NULL ELSE sum(c.reltuples) END)::bigint \
             FROM p JOIN pg_class c ON c.oid = p.oid WHERE c.relkind IN ('r', 'm')",
            vec![Value::Text(quoted_table(dialect, table))],
        ),
        Dialect::Mysql => (
            "SELECT data_length, table_rows FROM information_schema.tables \
             WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ?",
            vec![table.schema.clone().map_or(Value::Null, Value::Text), Value::Text(table.name.clone())],
        ),
        // The sandbox's tables are small.
        Dialect::Sqlite => ("SELECT 0, NULL", Vec::new()),
    };
    Statement { text: text.to_owned(), values }
}

/// Of the row that [`extent`] gives.
pub fn extent_of(rows: &Rows) -> Option<Extent> {
    let [bytes, rows] = rows.rows.first()?.as_slice() else { return None };
    let number = |value: &Value| match value {
        Value::Integer(number) => u64::try_from(*number).ok(),
        Value::Text(text) => text.parse().ok(),
        Value::Null | Value::Real(_) | Value::Bytes(_) => None,
    };
    Some(Extent { bytes: number(bytes)?, rows: number(rows) })
}

impl Sql {
    /// What the server would do for a statement. SQLite is not asked: nothing there is large.
    pub fn explain(&self, statement: &Statement) -> Statement {
        let word = match self.dialect {
            Dialect::Postgres => "EXPLAIN (FORMAT JSON) ",
            Dialect::Mysql => "EXPLAIN ",
            Dialect::Sqlite => "EXPLAIN QUERY PLAN ",
        };
        Statement { text: format!("{word}{}", statement.text), values: statement.values.clone() }
    }

    /// Of the rows that [`Sql::explain`] gives.
    pub fn explained(&self, rows: &Rows) -> Option<Explained> {
        match self.dialect {
            Dialect::Postgres => of_postgres(rows),
            Dialect::Mysql => of_mysql(rows),
            Dialect::Sqlite => Some(Explained { too_much: false, rows: None }),
        }
    }

    /// How the server plans what follows in the same transaction, on a large table. Whether an index serves decides, not what
    /// the statistics make of it; and nobody starts processes for a look.
    pub fn planner(&self, server: &Server) -> Option<Statement> {
        if self.dialect != Dialect::Postgres {
            return None;
        }
        // What is turned off costs so much on paper that the server would compile the statement first, which takes a second.
        let jit = if server.version >= COMPILES { ", set_config('jit', 'off', true)" } else { "" };
        let off = "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true), \
                   set_config('max_parallel_workers_per_gather', '0', true)";
        Some(format!("{off}{jit}").as_str().into())
    }

    /// The statement that makes the index which a look at the backlog needs, for people to run. None where the rows of another table,
    /// or a log, tell what is pending.
    pub fn index_wanted(&self) -> Option<String> {
        let (waiting, leading) = self.waiting()?;
        let columns = self.mapping.sorted_by();
        let list =
            |columns: &[&str]| columns.iter().map(|column| quoted(self.dialect, column)).collect::<Vec<_>>().join(", ");
        let table = quoted_table(self.dialect, &self.mapping.table);
        let name = quoted(self.dialect, &format!("{}_backlog", self.mapping.table.name));
        Some(match self.dialect {
            Dialect::Postgres | Dialect::Sqlite => {
                let how = if self.dialect == Dialect::Postgres { "CONCURRENTLY " } else { "" };
                let mut writer = self.writer();
                writer.bare = true;
                writer.condition(&waiting);
                let condition = writer.spelled();
                let condition =
                    if waiting == RowCondition::Always { String::new() } else { format!(" WHERE {condition}") };
                format!("CREATE INDEX {how}{name} ON {table} ({}){condition}", list(&columns))
            }
            Dialect::Mysql => {
                let all: Vec<&str> = leading.into_iter().chain(columns).collect();
                format!("CREATE INDEX {name} ON {table} ({})", list(&all))
            }
        })
    }

    /// Rows that are not over with, as far as no clock is needed to say so, and the column that says it.
    pub(super) fn waiting(&self) -> Option<(RowCondition, Option<&str>)> {
        let condition = match &self.mapping.primitive {
            Primitive::NullTime { column } => RowCondition::IsNull(column.clone()),
            Primitive::Flag { column, published } => RowCondition::is(column, published).opposite(),
            Primitive::Status { column, states, null, .. } => {
                let pending = |state: &RowState| state.is_pending();
                let values: Vec<Literal> =
                    states.iter().filter(|(_, state)| pending(state)).map(|(value, _)| value.clone()).collect();
                let none = if null.as_ref().is_some_and(pending) {
                    RowCondition::IsNull(column.clone())
                } else {
                    RowCondition::Never
                };
                RowCondition::any([RowCondition::In(column.clone(), values), none])
            }
            Primitive::Present => RowCondition::Always,
            Primitive::Satellite { .. } | Primitive::Offset(_) | Primitive::Cdc { .. } => return None,
        };
        let leading = match &self.mapping.primitive {
            Primitive::NullTime { column } | Primitive::Flag { column, .. } | Primitive::Status { column, .. } => {
                Some(column.as_str())
            }
            Primitive::Present | Primitive::Satellite { .. } | Primitive::Offset(_) | Primitive::Cdc { .. } => None,
        };
        Some((RowCondition::all([condition, self.rules.scope.clone()]), leading))
    }
}

impl Writer<'_> {
    /// The text with its values in it: for people to read and run, never run from here.
    fn spelled(self) -> String {
        let mut text = self.text;
        // From the last: what was put in is never looked at again.
        let mut end = text.len();
        for (index, value) in self.values.iter().enumerate().rev() {
            let spelled = match value {
                Value::Integer(number) => number.to_string(),
                value => format!("'{}'", super::plain(value).replace('\'', "''")),
            };
            let place = if self.sql.dialect == Dialect::Postgres { format!("${}", index + 1) } else { "?".to_owned() };
            let Some(at) = text[..end].rfind(&place) else { continue };
            end = at;
            text.replace_range(at..at + place.len(), &spelled);
        }
        text
    }
}

/// A node of PostgreSQL's plan.
#[derive(Deserialize)]
struct Plan {
    #[serde(rename = "Node Type")]
    node: Node,
    #[serde(rename = "Total Cost")]
    cost: f64,
    #[serde(rename = "Plan Rows")]
    rows: f64,
    #[serde(rename = "Index Cond")]
    index_condition: Option<String>,
    #[serde(rename = "Filter")]
    filter: Option<String>,
    #[serde(rename = "Plans", default)]
    below: Vec<Plan>,
}

#[derive(Deserialize, PartialEq, Eq)]
enum Node {
    #[serde(rename = "Seq Scan")]
    SeqScan,
    #[serde(rename = "Index Scan")]
    IndexScan,
    #[serde(rename = "Index Only Scan")]
    IndexOnlyScan,
    Limit,
    Sort,
    Append,
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Planned {
    #[serde(rename = "Plan")]
    plan: Plan,
}

fn of_postgres(rows: &Rows) -> Option<Explained> {
    planned(rows).map(|plan| plan.explained())
}

fn planned(rows: &Rows) -> Option<Plan> {
    let Value::Text(text) = rows.rows.first()?.first()? else { return None };
    let Planned { plan } = serde_json::from_str::<Vec<Planned>>(text).ok()?.pop()?;
    Some(plan)
}

/// PostgreSQL's plan of a UNION ALL, part by part.
pub(super) fn explained_parts(rows: &Rows) -> Vec<Explained> {
    match planned(rows) {
        Some(plan) if plan.node == Node::Append => plan.below.iter().map(Plan::explained).collect(),
        Some(plan) => vec![plan.explained()],
        None => Vec::new(),
    }
}

impl Plan {
    fn explained(&self) -> Explained {
        // The rows below the outermost LIMIT: what it would find without. One is what the server says for the fewest.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates; an estimate")]
        let rows = self.unlimited().map(|plan| plan.rows as u64).map(|rows| if rows <= 1 { 0 } else { rows });
        Explained { too_much: self.is_too_much(), rows }
    }

    /// Whether it reads much of a table, or of an index for what only the rows tell, or sorts many rows to give the first.
    fn is_too_much(&self) -> bool {
        let whole = match self.node {
            Node::SeqScan => true,
            Node::IndexScan | Node::IndexOnlyScan => self.index_condition.is_none() && self.filter.is_some(),
            Node::Limit | Node::Sort | Node::Append | Node::Other => false,
        };
        let sorts = self.node == Node::Sort && self.below.iter().any(|below| below.rows > SORT_ROWS_MAX as f64);
        (whole && self.cost % TURNED_OFF > SCAN_COST_MAX) || sorts || self.below.iter().any(Self::is_too_much)
    }

    fn unlimited(&self) -> Option<&Self> {
        if self.node == Node::Limit {
            return self.below.first();
        }
        self.below.iter().find_map(Self::unlimited)
    }
}

/// The rows of the classic `EXPLAIN`: one for each table that is read.
fn of_mysql(rows: &Rows) -> Option<Explained> {
    let place = |name: &str| rows.columns.iter().position(|column| column.eq_ignore_ascii_case(name));
    let (kind, count) = (place("type")?, place("rows")?);
    let number = |row: &Vec<Value>| match row.get(count) {
        Some(Value::Integer(number)) => u64::try_from(*number).ok(),
        Some(Value::Text(text)) => text.parse().ok(),
        Some(Value::Null | Value::Real(_) | Value::Bytes(_)) | None => None,
    };
    let derived = |row: &Vec<Value>| {
        let table = place("table").and_then(|place| row.get(place));
        matches!(table, Some(Value::Text(name)) if name.starts_with('<'))
    };
    let read: Vec<&Vec<Value>> = rows.rows.iter().filter(|row| !derived(row)).collect();
    let whole =
        |row: &&&Vec<Value>| matches!(row.get(kind), Some(Value::Text(kind)) if kind == "ALL" || kind == "index");
    let sorted = |row: &&&Vec<Value>| {
        let extra = place("Extra").and_then(|place| row.get(place));
        matches!(extra, Some(Value::Text(words)) if words.contains("filesort"))
    };
    let more = |row: &Vec<Value>, rows_max| number(row).is_none_or(|rows| rows > rows_max);
    let too_much =
        read.iter().any(|row| (whole(&row) && more(row, SCAN_ROWS_MAX)) || (sorted(&row) && more(row, SORT_ROWS_MAX)));
    Some(Explained { too_much, rows: read.iter().filter_map(|row| number(row)).max() })
}
