//! A look at an outbox: what waits, what has failed, what holds what. Reads only, a bounded number of rows, and asks the server first
//! what a count would cost.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::sql::{self, BoundedCount, Explained, Sql};
use crate::{
    cloud::{Cloud, endpoint::Session},
    domain::{
        Backlog, Blocked, Bounds, Connection, Dialect, Outbox, PUBLISHED_WITHIN, RowCount, RowState, Rows, SqlError,
        SqlKind, Statement, Text, Trouble, Value,
    },
};

/// Characters of an id, a group or a type that are shown.
const SHOWN_MAX: usize = 200;

/// An outbox's table could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unread {
    Sql(SqlError),
    /// There is no such table, or it may not be seen.
    NoTable,
    /// The mapping names what the table does not have: one sentence each.
    Misfit(Vec<String>),
}

/// A session with an outbox's database, and statements that fit the table as it is there.
///
/// # Errors
/// The database is not reached, or the mapping does not fit. Wakes a database that has paused.
pub async fn open(cloud: &Cloud, outbox: &Outbox, connection: &Connection) -> Result<(Session, Sql), Trouble> {
    let session = cloud.endpoints.session(connection).await;
    let mut session = session.map_err(|error| Trouble::Unreachable(error.words))?;
    match fitted(&mut session, outbox).await {
        Ok(sql) => Ok((session, sql)),
        Err(unseen) => {
            session.close().await;
            Err(unseen.trouble(outbox))
        }
    }
}

/// Statements that fit the table as the server's catalog has it.
///
/// # Errors
/// There is no such table, or the mapping does not fit it.
pub async fn fitted(session: &mut Session, outbox: &Outbox) -> Result<Sql, Unread> {
    let dialect = session.dialect();
    let asked = [sql::catalog(dialect, &outbox.mapping.table)];
    let rows = session.read(&asked, Bounds::LOOK).await.map_err(Unread::Sql)?;
    let catalog = sql::catalog_of(dialect, &rows[0]).ok_or(Unread::NoTable)?;
    let mapping = catalog.fit(&outbox.mapping);
    let mapping = mapping.map_err(|misfits| Unread::Misfit(misfits.iter().map(ToString::to_string).collect()))?;
    Ok(Sql::new(dialect, mapping, catalog))
}

/// What is in the table now.
///
/// # Errors
/// Of the first statement that fails.
pub async fn backlog(session: &mut Session, sql: &Sql, now: Timestamp) -> Result<Backlog, SqlError> {
    let questions = Questions::of(sql);
    let allowed = allowed(session, sql, &questions).await?;
    let asked: Vec<Statement> = questions
        .all
        .iter()
        .zip(&allowed.each)
        .filter(|(_, is_allowed)| **is_allowed)
        .map(|((_, statement), _)| statement.clone())
        .collect();
    let mut answers = session.read(&asked, Bounds::LOOK).await?.into_iter();
    let mut backlog = Backlog {
        at: now,
        server: Text::line(&session.server().words()),
        counts: BTreeMap::new(),
        oldest_ready: None,
        published: None,
        failed_kinds: Vec::new(),
        blocked: Vec::new(),
        group_blocks: sql.mapping.group_blocks,
        may_hide: allowed.may_hide,
        index_wanted: None,
        recent: Vec::new(),
    };
    for (((question, _), is_allowed), explained) in questions.all.iter().zip(&allowed.each).zip(&allowed.explained) {
        let answer = if *is_allowed { answers.next() } else { None };
        take(&mut backlog, sql, question, answer.as_ref(), explained.as_ref(), now);
    }
    // Of rows that wait alone: that index serves no others.
    let waits = |question: &Question| match question {
        Question::Count(state) => state.is_pending(),
        Question::OldestReady => true,
        Question::Published | Question::FailedKinds | Question::Blocked => false,
    };
    if questions.all.iter().zip(&allowed.each).any(|((question, _), is_allowed)| waits(question) && !is_allowed) {
        backlog.index_wanted = sql.index_wanted();
    }
    Ok(backlog)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    Count(RowState),
    OldestReady,
    Published,
    FailedKinds,
    Blocked,
}

struct Questions {
    all: Vec<(Question, Statement)>,
}

impl Questions {
    fn of(sql: &Sql) -> Self {
        let counts = sql.rules.states().into_iter().map(|state| (Question::Count(state), sql.count(state)));
        let mut all: Vec<(Question, Statement)> = counts.collect();
        all.push((Question::OldestReady, sql.oldest(RowState::Ready)));
        let seconds = u32::try_from(PUBLISHED_WITHIN.as_secs()).unwrap_or(u32::MAX);
        all.extend(sql.published_within(seconds).map(|statement| (Question::Published, statement)));
        all.extend(sql.kinds(RowState::Failed).map(|statement| (Question::FailedKinds, statement)));
        all.extend(sql.blocked_groups().map(|statement| (Question::Blocked, statement)));
        Self { all }
    }
}

/// Which questions may be asked, and what the server expects of them.
struct Allowed {
    each: Vec<bool>,
    explained: Vec<Option<Explained>>,
    may_hide: bool,
}

/// A small table is asked everything; of a large one only what an index serves.
async fn allowed(session: &mut Session, sql: &Sql, questions: &Questions) -> Result<Allowed, SqlError> {
    let table = &sql.mapping.table;
    let mut first = vec![sql::extent(sql.dialect, table)];
    first.extend(hides(sql));
    let answers = session.read(&first, Bounds::LOOK).await?;
    let is_small = sql::extent_of(&answers[0]).is_none_or(|extent| extent.is_small());
    let may_hide = answers
        .get(1)
        .is_some_and(|rows| matches!(rows.rows.first().and_then(|row| row.first()), Some(Value::Integer(1))));
    let count = questions.all.len();
    if is_small || sql.dialect == Dialect::Sqlite {
        return Ok(Allowed { each: vec![true; count], explained: vec![None; count], may_hide });
    }
    let asked: Vec<Statement> = questions.all.iter().map(|(_, statement)| sql.explain(statement)).collect();
    let plans = session.read(&asked, Bounds::LOOK).await?;
    let explained: Vec<Option<Explained>> = plans.iter().map(|rows| sql.explained(rows)).collect();
    let each = explained.iter().map(|plan| plan.is_some_and(|plan| !plan.too_much)).collect();
    Ok(Allowed { each, explained, may_hide })
}

/// Whether row level security applies to whoever asks (PostgreSQL's `row_security_active`).
fn hides(sql: &Sql) -> Option<Statement> {
    let table = sql::quoted_table(sql.dialect, &sql.mapping.table);
    (sql.dialect == Dialect::Postgres).then(|| Statement {
        text: "SELECT row_security_active(to_regclass($1::text)::oid)::int".to_owned(),
        values: vec![Value::Text(table)],
    })
}

fn take(
    backlog: &mut Backlog,
    sql: &Sql,
    question: &Question,
    answer: Option<&Rows>,
    explained: Option<&Explained>,
    now: Timestamp,
) {
    let estimate = explained.and_then(|explained| explained.rows).map_or(RowCount::Unknown, RowCount::About);
    let count = |rows: &Rows| match BoundedCount::of(rows) {
        Some(BoundedCount::Exactly(rows)) => RowCount::Exactly(rows),
        Some(BoundedCount::MoreThan(rows)) => RowCount::MoreThan(rows),
        None => RowCount::Unknown,
    };
    match (question, answer) {
        (Question::Count(state), answer) => drop(backlog.counts.insert(*state, answer.map_or(estimate, count))),
        (Question::OldestReady, Some(rows)) => {
            let age = sql.listed(rows).first().and_then(|row| row.age_seconds);
            backlog.oldest_ready = age.map(|age| now - SignedDuration::from_secs(age.max(0)));
        }
        (Question::Published, answer) => backlog.published = Some(answer.map_or(RowCount::Unknown, count)),
        (Question::FailedKinds, Some(rows)) => backlog.failed_kinds = rows.rows.iter().filter_map(kind).collect(),
        (Question::Blocked, Some(rows)) => backlog.blocked = sql.blocked(rows).into_iter().map(blocked).collect(),
        (Question::OldestReady | Question::FailedKinds | Question::Blocked, None) => {}
    }
}

fn kind(row: &Vec<Value>) -> Option<(Text, u64)> {
    let [kind, Value::Integer(count)] = row.as_slice() else { return None };
    Some((text(kind), u64::try_from(*count).ok()?))
}

fn blocked(found: sql::BlockedGroups) -> Blocked {
    let head: Vec<String> = found.head.iter().map(|value| text(value).to_string()).collect();
    Blocked {
        group: shortened(&found.group),
        head: shortened(&head.join(", ")),
        head_state: found.head_state,
        held: found.held,
    }
}

/// A value of a row, safe to show.
pub fn text(value: &Value) -> Text {
    match value {
        Value::Null => Text::line("NULL"),
        Value::Integer(number) => Text::line(&number.to_string()),
        Value::Real(number) => Text::line(&number.to_string()),
        Value::Text(text) => shortened(text),
        Value::Bytes(bytes) => {
            shortened(&bytes.iter().take(SHOWN_MAX).map(|byte| format!("{byte:02x}")).collect::<String>())
        }
    }
}

fn shortened(text: &str) -> Text {
    Text::line(&text.chars().take(SHOWN_MAX).collect::<String>())
}

impl Unread {
    pub fn trouble(&self, outbox: &Outbox) -> Trouble {
        let table = Text::line(&outbox.mapping.table.to_string());
        Trouble::Refused(Text::line(&match self {
            Self::Sql(error) if error.kind == SqlKind::Denied => format!("{table} may not be read: {error}"),
            Self::Sql(error) => error.to_string(),
            Self::NoTable => format!("there is no table {table}, or it may not be seen"),
            Self::Misfit(all) => format!("the mapping does not fit {table}: {}", all.join("; ")),
        }))
    }
}
