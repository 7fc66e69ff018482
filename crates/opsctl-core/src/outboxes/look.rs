//! A look at an outbox: what waits, what has failed, what holds what. Reads only, a bounded number of rows, and asks the server first
//! what a count would cost.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::sql::{self, COUNT_MAX, Count, CountedRows, Explained, KeptUp, Sql};
use crate::{
    cloud::{Cloud, endpoint::Session},
    domain::{
        Backlog, Blocked, Bounds, Connection, Dialect, ErrorGroups, Outbox, PUBLISHED_WITHIN, RowCount, RowState, Rows,
        Slot, SqlError, SqlKind, Statement, Text, Trouble, Unanswered, Upkeep, Value,
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

/// A session with an outbox's database, and statements that fit the table as it is there. Wakes a database that has paused.
///
/// # Errors
/// The database is not reached, or the mapping does not fit.
pub async fn open(cloud: &Cloud, outbox: &Outbox, connection: &Connection) -> Result<(Session, Sql), Trouble> {
    fit_to(cloud.endpoints.session(connection).await, outbox).await
}

/// The same for somebody who means to wake the database, and waits for it.
///
/// # Errors
/// As of [`open`].
pub async fn open_resumed(cloud: &Cloud, outbox: &Outbox, connection: &Connection) -> Result<(Session, Sql), Trouble> {
    fit_to(cloud.endpoints.session_of_resumed(connection).await, outbox).await
}

async fn fit_to(session: Result<Session, Unanswered>, outbox: &Outbox) -> Result<(Session, Sql), Trouble> {
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
    let mut look = Look::new(session, sql).await?;
    let counts = look.counts().await?;
    let mut backlog = Backlog {
        at: now,
        server: Text::line(&look.session.server().words()),
        counts: counts.states(sql),
        oldest_ready: counts.oldest_ready().map(|age| now - SignedDuration::from_secs(age.max(0))),
        published: counts.lately(),
        failed_kinds: Vec::new(),
        failed_errors: None,
        blocked: Vec::new(),
        group_blocks: sql.mapping.group_blocks,
        may_hide: look.may_hide,
        index_wanted: if counts.lacks_index() { sql.index_wanted() } else { None },
        slot: None,
        upkeep: Upkeep::default(),
        recent: Vec::new(),
    };
    backlog.slot = look.upkeep(&mut backlog.upkeep).await?;
    let any = |state| backlog.count(state).and_then(RowCount::figure).is_some_and(|rows| rows > 0);
    let failed = any(RowState::Failed);
    let details = [
        sql.kinds(RowState::Failed).filter(|_| failed),
        sql.errors(RowState::Failed).filter(|_| failed),
        sql.blocked_groups().filter(|_| failed || any(RowState::Stuck)),
    ];
    let [kinds, errors, blocked_groups] = look.ask(details).await?;
    backlog.failed_kinds = kinds.map(|rows| rows.rows.iter().filter_map(kind).collect()).unwrap_or_default();
    backlog.failed_errors = errors.map(|rows| grouped(&rows));
    let found = blocked_groups.map(|rows| sql.blocked(&rows)).unwrap_or_default();
    backlog.blocked = found.into_iter().map(blocked).collect();
    Ok(backlog)
}

/// A session, and how much of the table may be read.
struct Look<'a> {
    session: &'a mut Session,
    sql: &'a Sql,
    /// A small table is asked everything; of a large one only what an index serves.
    is_small: bool,
    may_hide: bool,
}

impl<'a> Look<'a> {
    async fn new(session: &'a mut Session, sql: &'a Sql) -> Result<Self, SqlError> {
        let mut first = vec![sql::extent(sql.dialect, &sql.mapping.table)];
        first.extend(hides(sql));
        let answers = session.read(&first, Bounds::LOOK).await?;
        let is_small =
            sql.dialect == Dialect::Sqlite || sql::extent_of(&answers[0]).is_none_or(|extent| extent.is_small());
        let may_hide = answers
            .get(1)
            .is_some_and(|rows| matches!(rows.rows.first().and_then(|row| row.first()), Some(Value::Integer(1))));
        Ok(Self { session, sql, is_small, may_hide })
    }

    /// Runs statements as the server is to plan them.
    async fn read(&mut self, statements: Vec<Statement>) -> Result<Vec<Rows>, SqlError> {
        if statements.is_empty() {
            return Ok(Vec::new());
        }
        let planner = self.sql.planner(self.session.server()).filter(|_| !self.is_small);
        let skipped = planner.iter().count();
        let all: Vec<Statement> = planner.into_iter().chain(statements).collect();
        let answers = self.session.read(&all, Bounds::LOOK).await?;
        Ok(answers.into_iter().skip(skipped).collect())
    }

    /// Rows by state, by one statement.
    async fn counts(&mut self) -> Result<Counts, SqlError> {
        let sql = self.sql;
        let seconds = u32::try_from(PUBLISHED_WITHIN.as_secs()).unwrap_or(u32::MAX);
        let mut all = sql.counted();
        all.extend(sql.mapping.published_at.as_ref().map(|_| CountedRows::Lately(seconds)));
        let mut counts = Counts { all, explained: Vec::new(), estimates: BTreeMap::new(), found: None };
        if !self.is_small {
            let waiting = if counts.all.contains(&CountedRows::Waiting) { sql.waiting_states() } else { Vec::new() };
            let guessed: Vec<CountedRows> = waiting.iter().map(|state| CountedRows::WaitingOf(*state)).collect();
            let asked: Vec<CountedRows> = counts.all.iter().chain(&guessed).copied().collect();
            let answers = self.read(sql.explain_counts(&asked)).await?;
            counts.explained = sql.explained_counts(&answers, &asked);
            let guesses = counts.explained.split_off(counts.all.len());
            counts.estimates = waiting.into_iter().zip(guesses.into_iter().map(about)).collect();
        }
        let allowed: Vec<CountedRows> =
            counts.all.iter().enumerate().filter(|(place, _)| counts.is_asked(*place)).map(|(_, part)| *part).collect();
        if allowed.is_empty() {
            return Ok(counts);
        }
        let answers = self.read(vec![sql.counts(&allowed)]).await?;
        counts.found = answers.first().map(|rows| (allowed, sql.counts_of(rows)));
        Ok(counts)
    }

    /// What the server says of itself, each asked alone: a login that may see one of them need not see another.
    async fn upkeep(&mut self, upkeep: &mut Upkeep) -> Result<Option<Slot>, SqlError> {
        let mut own = None;
        for (asked, statement) in self.sql.upkeep(self.session.server()) {
            match self.session.read(&[statement], Bounds::LOOK).await {
                Ok(answers) => own = self.sql.kept_up(asked, &answers[0], upkeep).or(own),
                Err(error) if matches!(error.kind, SqlKind::Lost | SqlKind::TooLarge) => return Err(error),
                Err(error) => {
                    let what = match asked {
                        KeptUp::Dead => "dead rows",
                        KeptUp::Snapshot => "old snapshots",
                        KeptUp::Slots => "replication slots",
                        KeptUp::History => "InnoDB's history list",
                    };
                    upkeep.unknown.get_or_insert_with(|| Text::line(&format!("{what} can't be seen: {error}")));
                }
            }
        }
        Ok(own)
    }

    /// The rows of each statement that may be asked.
    async fn ask<const N: usize>(&mut self, statements: [Option<Statement>; N]) -> Result<[Option<Rows>; N], SqlError> {
        let sql = self.sql;
        let mut allowed = statements;
        if !self.is_small {
            let asked = allowed.iter().flatten().map(|statement| sql.explain(statement)).collect();
            let mut plans = self.read(asked).await?.into_iter();
            for statement in allowed.iter_mut().filter(|statement| statement.is_some()) {
                let plan = plans.next().and_then(|rows| sql.explained(&rows));
                if plan.is_none_or(|plan| plan.too_much) {
                    *statement = None;
                }
            }
        }
        let mut answers = self.read(allowed.iter().flatten().cloned().collect()).await?.into_iter();
        Ok(allowed.map(|statement| statement.and_then(|_| answers.next())))
    }
}

fn grouped(rows: &Rows) -> ErrorGroups {
    let text = |row: &Vec<Value>| match row.first() {
        Some(Value::Text(text)) => Some(text.clone()),
        Some(Value::Null | Value::Integer(_) | Value::Real(_) | Value::Bytes(_)) | None => None,
    };
    let texts: Vec<Option<String>> = rows.rows.iter().map(text).collect();
    ErrorGroups::of(texts.iter().map(Option::as_deref))
}

fn about(explained: Option<Explained>) -> RowCount {
    explained.and_then(|explained| explained.rows).map_or(RowCount::Unknown, RowCount::About)
}

/// What was counted, and what the server expects of the rest.
struct Counts {
    all: Vec<CountedRows>,
    /// One for each of `all`; empty: the table is small, and all were counted.
    explained: Vec<Option<Explained>>,
    /// By state, of rows that wait.
    estimates: BTreeMap<RowState, RowCount>,
    /// What was counted in the end, and what came of it.
    found: Option<(Vec<CountedRows>, Vec<Count>)>,
}

impl Counts {
    /// Of a large table published rows are never counted one by one: it would tell less than the estimate.
    fn is_asked(&self, place: usize) -> bool {
        let is_published = self.all.get(place) == Some(&CountedRows::Ended(RowState::Published));
        let explained = self.explained.get(place).copied().flatten();
        self.explained.is_empty() || (!is_published && explained.is_some_and(|explained| !explained.too_much))
    }

    /// None: it was not counted.
    fn rows(&self, counted: CountedRows) -> Option<Vec<Count>> {
        let (allowed, found) = self.found.as_ref()?;
        let place = allowed.iter().position(|other| *other == counted)?;
        Some(found.iter().filter(|count| count.place == place).copied().collect())
    }

    /// What a server makes of a row that no rule fits is a guess about rows that hardly ever are there.
    fn estimate(&self, counted: CountedRows) -> RowCount {
        if counted == CountedRows::Ended(RowState::Unaccounted) || counted == CountedRows::Of(RowState::Unaccounted) {
            return RowCount::Unknown;
        }
        let place = self.all.iter().position(|other| *other == counted);
        about(place.and_then(|place| self.explained.get(place).copied().flatten()))
    }

    /// Rows of one state alone.
    fn alone(&self, counted: CountedRows) -> RowCount {
        match self.rows(counted) {
            Some(found) => bounded(found.iter().map(|count| count.rows).sum()),
            None => self.estimate(counted),
        }
    }

    fn states(&self, sql: &Sql) -> BTreeMap<RowState, RowCount> {
        let waiting = self.all.contains(&CountedRows::Waiting).then(|| self.rows(CountedRows::Waiting));
        // Beyond the bound more of each state may stand.
        let is_cut = waiting.iter().flatten().flatten().map(|count| count.rows).sum::<u64>() > COUNT_MAX;
        let of = |state: RowState| {
            let one = |counted: CountedRows| {
                if self.all.contains(&counted) { self.alone(counted) } else { RowCount::Exactly(0) }
            };
            let over = one(CountedRows::Ended(state)).and(one(CountedRows::Of(state)));
            let waits = match &waiting {
                None => RowCount::Exactly(0),
                Some(None) => self.estimates.get(&state).copied().unwrap_or(RowCount::Exactly(0)),
                Some(Some(found)) => {
                    let rows = found.iter().filter(|count| count.state == state).map(|count| count.rows).sum();
                    let can_be = self.estimates.is_empty() || self.estimates.contains_key(&state);
                    if is_cut && can_be { RowCount::MoreThan(COUNT_MAX.min(rows)) } else { RowCount::Exactly(rows) }
                }
            };
            over.and(waits)
        };
        sql.rules.states().into_iter().map(|state| (state, of(state))).collect()
    }

    fn oldest_ready(&self) -> Option<i64> {
        let counted = if self.all.contains(&CountedRows::Waiting) {
            CountedRows::Waiting
        } else {
            CountedRows::Of(RowState::Ready)
        };
        self.rows(counted)?.into_iter().find(|count| count.state == RowState::Ready)?.oldest_seconds
    }

    fn lately(&self) -> Option<RowCount> {
        let counted = self.all.iter().copied().find(|counted| matches!(counted, CountedRows::Lately(_)))?;
        // An estimate of so few rows is worth nothing.
        Some(self.rows(counted).map_or(RowCount::Unknown, |found| bounded(found.iter().map(|count| count.rows).sum())))
    }

    /// Whether no index serves what waits.
    fn lacks_index(&self) -> bool {
        let waits = |counted: &CountedRows| match counted {
            CountedRows::Waiting => true,
            CountedRows::Of(state) | CountedRows::WaitingOf(state) => state.is_pending(),
            CountedRows::Ended(_) | CountedRows::Lately(_) => false,
        };
        self.all.iter().enumerate().any(|(place, counted)| waits(counted) && !self.is_asked(place))
    }
}

fn bounded(rows: u64) -> RowCount {
    if rows > COUNT_MAX { RowCount::MoreThan(COUNT_MAX) } else { RowCount::Exactly(rows) }
}

/// Whether row level security applies to whoever asks (PostgreSQL's `row_security_active`).
fn hides(sql: &Sql) -> Option<Statement> {
    let table = sql::quoted_table(sql.dialect, &sql.mapping.table);
    (sql.dialect == Dialect::Postgres).then(|| Statement {
        text: "SELECT row_security_active(to_regclass($1::text)::oid)::int".to_owned(),
        values: vec![Value::Text(table)],
    })
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
