//! A look at an outbox: what waits, what has failed, what holds what. Reads only, a bounded number of rows, and asks the server first
//! what a count would cost.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{
    Deed, RowChange, beside,
    sql::{self, Among, COUNT_MAX, Count, CountedRows, Explained, KeptUp, Sql},
};
use crate::{
    cloud::{
        Cloud,
        endpoint::{Session, Transaction},
    },
    domain::{
        Backlog, Blocked, Bounds, Connection, Dialect, ErrorGroups, Outbox, PUBLISHED_WITHIN, Relay, RowCount,
        RowState, Rows, SeenLock, Server, Slot, SqlError, SqlKind, Statement, TableName, Text, Trouble, Unanswered,
        Upkeep, Value,
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
    let mut kept_up = Upkeep::default();
    let slot = upkeep(session, sql, &mut kept_up).await?;
    let server = session.server().clone();
    let mut transaction = session.reading(Bounds::LOOK).await?;
    let mut look = Look { transaction: &mut transaction, sql, is_small: false, beside: None };
    let looked = look.backlog(&server, now).await;
    let beside = look.beside.take();
    transaction.rollback().await;
    let looked = looked?;
    let parked = match beside {
        Some(beside) => parked(session, sql, &beside).await?,
        None => None,
    };
    Ok(Backlog { slot, upkeep: kept_up, parked, ..looked })
}

/// Rows that were set aside. A login need not see them.
async fn parked(session: &mut Session, sql: &Sql, beside: &TableName) -> Result<Option<RowCount>, SqlError> {
    match session.read(&[sql::count_all(sql.dialect, beside)], Bounds::LOOK).await {
        Ok(answers) => Ok(sql::BoundedCount::of(&answers[0]).map(RowCount::from)),
        Err(error) if is_over(&error) => Err(error),
        Err(error) if error.kind == SqlKind::NoTable => Ok(None),
        Err(_) => Ok(Some(RowCount::Unknown)),
    }
}

/// The lock by which the relay's instances agree on who works; none: they have none.
pub async fn lock(session: &mut Session, sql: &Sql, relay: &Relay, now: Timestamp) -> Option<SeenLock> {
    let Relay::Lock(lock) = relay else { return None };
    Some(match session.read(&[sql.lock(lock)], Bounds::LOOK).await {
        Ok(answers) => Sql::lock_of(&answers[0], now),
        Err(error) => SeenLock::Unknown(Text::line(&error.to_string())),
    })
}

/// What the server says of itself: at once, and where that fails each alone, since a login that may see one of them need not see another.
async fn upkeep(session: &mut Session, sql: &Sql, upkeep: &mut Upkeep) -> Result<Option<Slot>, SqlError> {
    let asked = sql.upkeep(session.server());
    let statements: Vec<Statement> = asked.iter().map(|(_, statement)| statement.clone()).collect();
    let mut own = None;
    match session.read(&statements, Bounds::LOOK).await {
        Ok(answers) => {
            for ((asked, _), rows) in asked.iter().zip(&answers) {
                own = sql.kept_up(*asked, rows, upkeep).or(own);
            }
            return Ok(own);
        }
        Err(error) if is_over(&error) => return Err(error),
        Err(_) => {}
    }
    for (asked, statement) in asked {
        match session.read(&[statement], Bounds::LOOK).await {
            Ok(answers) => own = sql.kept_up(asked, &answers[0], upkeep).or(own),
            Err(error) if is_over(&error) => return Err(error),
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

/// Whether the session is of no more use.
fn is_over(error: &SqlError) -> bool {
    matches!(error.kind, SqlKind::Lost | SqlKind::TooLarge)
}

/// One look: all of it in one transaction, on one state of the data.
struct Look<'a, 'session> {
    transaction: &'a mut Transaction<'session>,
    sql: &'a Sql,
    /// A small table is asked everything; of a large one only what an index serves.
    is_small: bool,
    /// The table that rows are set aside in, where it may be there.
    beside: Option<TableName>,
}

impl Look<'_, '_> {
    async fn backlog(&mut self, server: &Server, now: Timestamp) -> Result<Backlog, SqlError> {
        let sql = self.sql;
        let may_hide = self.size_up(server).await?;
        let counts = self.counts().await?;
        let states = counts.states(sql);
        let details = self.details(&counts, &states).await?;
        let [kinds, errors, blocked_groups] = details;
        let found = blocked_groups.map(|rows| sql.blocked(&rows)).unwrap_or_default();
        Ok(Backlog {
            at: now,
            server: Text::line(&server.words()),
            counts: states,
            oldest_ready: counts.oldest_ready().map(|age| now - SignedDuration::from_secs(age.max(0))),
            published: counts.lately(),
            failed_kinds: kinds.map(|rows| rows.rows.iter().filter_map(kind).collect()).unwrap_or_default(),
            failed_errors: errors.map(|rows| grouped(&rows)),
            blocked: found.into_iter().map(blocked).collect(),
            group_blocks: sql.mapping.group_blocks,
            may_hide,
            index_wanted: if counts.lacks_index() { sql.index_wanted() } else { None },
            slot: None,
            upkeep: Upkeep::default(),
            parked: None,
            recent: Vec::new(),
        })
    }

    /// How large the table is, which decides how the rest is asked. Whether row level security may hide rows.
    async fn size_up(&mut self, server: &Server) -> Result<bool, SqlError> {
        let sql = self.sql;
        let extent = self.transaction.run(&sql::extent(sql.dialect, &sql.mapping.table)).await?;
        self.is_small =
            sql.dialect == Dialect::Sqlite || sql::extent_of(&extent).is_none_or(|extent| extent.is_small());
        if !RowChange::of(Deed::Aside, &sql.mapping).from.is_empty() {
            let beside = beside(&sql.mapping.table);
            let extent = self.transaction.run(&sql::extent(sql.dialect, &beside)).await?;
            let has_rows = sql::extent_of(&extent).is_some_and(|extent| extent.bytes > 0);
            self.beside = (has_rows || sql.dialect == Dialect::Sqlite).then_some(beside);
        }
        let mut may_hide = false;
        if let Some(hides) = hides(sql) {
            let rows = self.transaction.run(&hides).await?;
            may_hide = matches!(rows.rows.first().and_then(|row| row.first()), Some(Value::Integer(1)));
        }
        if let Some(planner) = sql.planner(server).filter(|_| !self.is_small) {
            self.transaction.run(&planner).await?;
        }
        Ok(may_hide)
    }

    async fn run_all(&mut self, statements: &[Statement]) -> Result<Vec<Rows>, SqlError> {
        let mut answers = Vec::with_capacity(statements.len());
        for statement in statements {
            answers.push(self.transaction.run(statement).await?);
        }
        Ok(answers)
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
            let answers = self.run_all(&sql.explain_counts(&asked)).await?;
            counts.explained = sql.explained_counts(&answers, &asked);
            let guesses = counts.explained.split_off(counts.all.len());
            counts.estimates = waiting.into_iter().zip(guesses.into_iter().map(about)).collect();
        }
        let allowed: Vec<CountedRows> =
            counts.all.iter().enumerate().filter(|(place, _)| counts.is_asked(*place)).map(|(_, part)| *part).collect();
        if allowed.is_empty() {
            return Ok(counts);
        }
        let rows = self.transaction.run(&sql.counts(&allowed)).await?;
        counts.found = Some((allowed, sql.counts_of(&rows)));
        Ok(counts)
    }

    /// Types and errors of failed rows, and the groups that are held.
    async fn details(
        &mut self,
        counts: &Counts,
        states: &BTreeMap<RowState, RowCount>,
    ) -> Result<[Option<Rows>; 3], SqlError> {
        let sql = self.sql;
        let any = |state| states.get(&state).and_then(|rows| rows.figure()).is_some_and(|rows| rows > 0);
        let failed = any(RowState::Failed);
        let among = counts.among(RowState::Failed);
        self.ask([
            sql.kinds(RowState::Failed, among).filter(|_| failed),
            sql.errors(RowState::Failed, among).filter(|_| failed),
            sql.blocked_groups().filter(|_| failed || any(RowState::Stuck)),
        ])
        .await
    }

    /// The rows of each statement that may be asked.
    async fn ask<const N: usize>(&mut self, statements: [Option<Statement>; N]) -> Result<[Option<Rows>; N], SqlError> {
        let sql = self.sql;
        let mut answers = [const { None }; N];
        for (answer, statement) in answers.iter_mut().zip(statements) {
            let Some(statement) = statement else { continue };
            if !self.is_small {
                let plan = self.transaction.run(&sql.explain(&statement)).await?;
                if sql.explained(&plan).is_none_or(|plan| plan.too_much) {
                    continue;
                }
            }
            *answer = Some(self.transaction.run(&statement).await?);
        }
        Ok(answers)
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

    /// Where rows of a state are to be looked for: not among those that wait, where the count met none.
    fn among(&self, state: RowState) -> Among {
        let waiting = self.rows(CountedRows::Waiting);
        let met = waiting.is_none_or(|found| found.iter().any(|count| count.state == state && count.rows > 0));
        if met { Among::All } else { Among::Ended }
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
