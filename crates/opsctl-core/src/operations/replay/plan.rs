//! What a replay would change.

use sha2::{Digest, Sha256};

use super::{Replay, Target, ToReplay, WAIT, engine::RowSettings, relaying};
use crate::{
    cloud::{Cloud, endpoint::Session},
    domain::{
        Bounds, Connection, Dialect, Outbox, Rearm, RowCount, RowState, Server, SqlError, Statement, Text, Value,
        message::hex,
        words::{counted, counted_is, thousands},
    },
    messages::{FilterRow, RowFilter},
    operations::{
        Bound, OperationError, Planned, Planner,
        plan::{Plan, labels},
        resolve::did_you_mean,
        values::{BounceMax, Ramp},
    },
    outboxes::{
        Sql, look,
        sql::{self, BoundedCount, ListedRow, Selection},
    },
};

/// Rows that are looked at where rows are chosen by what stands in them, and of whose groups the order is looked at.
const SAMPLE: u32 = 100;
/// Rows a second where no rate is set: a plan's guess.
const RATE: u64 = 5_000;
/// AWS drops a deduplication id that it has seen within so many seconds.
const FIFO_SECONDS: u32 = 300;
/// Ids of a sample that are looked at in one statement.
const GROUPS_MAX: usize = 100;

pub(super) async fn plan(replay: &Replay, cloud: &Cloud, planner: &Planner) -> Result<Planned, OperationError> {
    let (outbox, connection) = resolve(replay, cloud)?;
    let filter = replay.filter.as_deref().map(RowFilter::open).transpose().map_err(|error| {
        OperationError::usage(&format!("the filter can't be used: {error}"), "see `opsctl outbox replay --help`")
    })?;
    let opened = look::open(cloud, outbox, connection).await;
    let (mut session, sql) = opened.map_err(|trouble| unreachable(cloud, outbox, &trouble.words()))?;
    let looked = looked(replay, cloud, outbox, filter.as_ref(), &mut session, &sql).await;
    let server = session.server().clone();
    session.close().await;
    let looked = looked?;
    let mut plan = planner.draft();
    describe(&mut plan, replay, outbox, &looked, (&server, &sql));
    warn(&mut plan, replay, outbox, &looked, &sql);
    relaying::tell(&mut plan, cloud, outbox).await;
    let done = planner.taken_up()?.map_or(0, |(_, history)| history.rows_announced());
    let mapping = mapping_digest(&sql);
    let settings = RowSettings {
        limit: replay.limit,
        rows_max: looked.count.exactly().map(|rows| with_slack(rows + done)),
        rate: replay.rate,
        ramp: replay.ramp.clone().unwrap_or_else(Ramp::none),
        max_failed: replay.max_failed.unwrap_or(BounceMax::Percent(5)),
        filtered: filter.is_some(),
    };
    let target = Target { outbox: outbox.clone(), connection: connection.clone(), server, mapping };
    let bound = ToReplay {
        target,
        selection: looked.selection,
        filter,
        settings,
        wait: replay.wait.unwrap_or(WAIT),
        rows_estimate: plan.messages_estimate,
    };
    Ok(Planned { plan, bound: Bound::Replay(Box::new(bound)) })
}

/// Digest of a mapping as it fits a table: what a plan rests on.
pub fn mapping_digest(sql: &Sql) -> String {
    let text = serde_json::to_vec(&sql.mapping).unwrap_or_else(|error| unreachable!("plain data: {error}"));
    hex(&Sha256::digest(text))[..16].to_owned()
}

/// More rows than a plan has counted may fail meanwhile; by far more are something else than was agreed to.
fn with_slack(rows: u64) -> u64 {
    rows + (rows / 10).max(100)
}

impl ToReplay {
    /// So many rows are re-armed at most, as the plan that was agreed to has it.
    pub(in crate::operations) fn expect(&mut self, rows: u64) {
        self.rows_estimate = rows;
        if let Some(rows_max) = &mut self.settings.rows_max {
            *rows_max = (*rows_max).min(with_slack(rows.max(1)));
        }
    }
}

pub(super) fn resolve<'a>(replay: &Replay, cloud: &'a Cloud) -> Result<(&'a Outbox, &'a Connection), OperationError> {
    let rules = &cloud.environment().databases;
    let Some(outbox) = rules.outbox(&replay.outbox) else {
        let names: Vec<String> = rules.outboxes.iter().map(|outbox| outbox.name.clone()).collect();
        let what = format!("{} has no outbox {}", cloud.environment().name, replay.outbox);
        let list = || format!("see `{}`", cloud.environment().command("outbox list"));
        return Err(OperationError::usage(&what, &did_you_mean(&replay.outbox, &names).unwrap_or_else(list)));
    };
    let refused = |because: &str, instead: &str| {
        Err(OperationError::usage(&format!("rows of {} can't be replayed: {because}", outbox.name), instead))
    };
    match &outbox.mapping.rearm {
        Rearm::Refused { because, instead } => return refused(because, instead),
        Rearm::Move(_) => {
            return refused(
                "a replay moves them between tables, which only the product itself does",
                "retry them there",
            );
        }
        Rearm::Set(_) => {}
    }
    let rearmable = outbox.mapping.rearmable();
    if let Some(state) = replay.states().into_iter().find(|state| !rearmable.contains(state)) {
        let states: Vec<&str> = rearmable.iter().map(|state| state.words()).collect();
        let what = format!("{state} rows can't be replayed: nothing that is set would make them ready");
        return Err(OperationError::usage(&what, &format!("states that can be replayed: {}", states.join(", "))));
    }
    let Some(connection) = rules.connection(&outbox.connection) else {
        let what = format!("there is no connection {}", outbox.connection);
        return Err(OperationError::usage(&what, "see the outbox in opsctl.toml"));
    };
    Ok((outbox, connection))
}

pub(super) fn unreachable(cloud: &Cloud, outbox: &Outbox, words: &str) -> OperationError {
    let what = Text::line(&format!("outbox {} can't be read: {words}", outbox.name));
    OperationError::Database { what, hint: Text::line(&format!("run `{}`", cloud.environment().command("doctor"))) }
}

/// What a look found.
struct Looked {
    selection: Selection,
    /// Rows in the states and of the types, groups, ids and times.
    count: Count,
    groups: Option<u64>,
    /// Rows of a sample, and those of them that the filter chooses.
    sample: Option<(u64, u64)>,
    /// Published rows of sampled groups, and their groups, that are younger than the oldest selected row; none: not looked for.
    younger: Option<(u64, u64)>,
    published_lately: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Count(RowCount);

impl Count {
    fn exactly(self) -> Option<u64> {
        match self.0 {
            RowCount::Exactly(rows) => Some(rows),
            RowCount::MoreThan(_) | RowCount::About(_) | RowCount::Unknown => None,
        }
    }
}

async fn looked(
    replay: &Replay,
    cloud: &Cloud,
    outbox: &Outbox,
    filter: Option<&RowFilter>,
    session: &mut Session,
    sql: &Sql,
) -> Result<Looked, OperationError> {
    let selection = replay.selection(sql, cloud.clock().now())?;
    let failed = |error: SqlError| unreachable(cloud, outbox, &error.to_string());
    let is_small = is_small(session, sql).await.map_err(failed)?;
    let (count, groups) = counted_rows(session, sql, &selection, is_small).await.map_err(failed)?;
    let candidates = sql.candidates(&selection, None, SAMPLE);
    let rows = session.read(&[candidates], Bounds::LOOK).await.map_err(failed)?;
    let sampled = sql.listed(&rows[0]);
    let sample = filter.map(|filter| {
        let chosen = filter.matches_all(sampled.iter().map(filter_row).collect());
        (sampled.len() as u64, chosen.iter().filter(|chosen| **chosen == Ok(true)).count() as u64)
    });
    let younger = younger(session, sql, &sampled, is_small).await.map_err(failed)?;
    let published = outbox.fifo && selection.states.contains(&RowState::Published);
    let lately = sql.published_within(FIFO_SECONDS).filter(|_| published);
    let published_lately = match lately {
        Some(statement) if may_be_asked(session, sql, &statement, is_small).await.map_err(failed)? => {
            let rows = session.read(&[statement], Bounds::LOOK).await.map_err(failed)?;
            numbers(&rows[0].rows).first().copied()
        }
        Some(_) | None => None,
    };
    Ok(Looked { selection, count: Count(count), groups, sample, younger, published_lately })
}

/// A row as a filter sees it.
pub fn filter_row(row: &ListedRow) -> FilterRow {
    let id: Vec<String> = row.id.iter().map(plain).collect();
    FilterRow {
        id: id.join(","),
        kind: row.kind.clone(),
        group: row.group.clone(),
        payload: row.body.as_ref().map(plain),
        error: row.error.clone(),
        attempts: row.attempts,
        age_seconds: row.age_seconds,
        state: row.state.words().to_owned(),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

async fn is_small(session: &mut Session, sql: &Sql) -> Result<bool, SqlError> {
    let rows = session.read(&[sql::extent(sql.dialect, &sql.mapping.table)], Bounds::LOOK).await?;
    Ok(sql.dialect == Dialect::Sqlite || sql::extent_of(&rows[0]).is_none_or(|extent| extent.is_small()))
}

/// Of a large table only what an index serves is asked.
async fn may_be_asked(session: &mut Session, sql: &Sql, asked: &Statement, is_small: bool) -> Result<bool, SqlError> {
    if is_small {
        return Ok(true);
    }
    let rows = session.read(&[sql.explain(asked)], Bounds::LOOK).await?;
    Ok(sql.explained(&rows[0]).is_some_and(|explained| !explained.too_much))
}

async fn counted_rows(
    session: &mut Session,
    sql: &Sql,
    selection: &Selection,
    is_small: bool,
) -> Result<(RowCount, Option<u64>), SqlError> {
    let statement = sql.selected(selection);
    if !may_be_asked(session, sql, &statement, is_small).await? {
        let rows = session.read(&[sql.explain(&statement)], Bounds::LOOK).await?;
        let about = sql.explained(&rows[0]).and_then(|explained| explained.rows);
        return Ok((about.map_or(RowCount::Unknown, RowCount::About), None));
    }
    let rows = session.read(&[statement], Bounds::LOOK).await?;
    let count = match BoundedCount::of(&rows[0]) {
        Some(BoundedCount::Exactly(rows)) => RowCount::Exactly(rows),
        Some(BoundedCount::MoreThan(rows)) => RowCount::MoreThan(rows),
        None => RowCount::Unknown,
    };
    Ok((count, numbers(&rows[0].rows).get(1).copied()))
}

fn numbers(rows: &[Vec<Value>]) -> Vec<u64> {
    let number = |value: &Value| match value {
        Value::Integer(number) => u64::try_from(*number).ok(),
        Value::Null | Value::Real(_) | Value::Text(_) | Value::Bytes(_) => None,
    };
    rows.first().map(|row| row.iter().filter_map(number).collect()).unwrap_or_default()
}

/// Rows of the sampled groups that were published, though they are younger than the oldest row that would be sent again.
async fn younger(
    session: &mut Session,
    sql: &Sql,
    sampled: &[ListedRow],
    is_small: bool,
) -> Result<Option<(u64, u64)>, SqlError> {
    let mut groups: Vec<String> = sampled.iter().filter_map(|row| row.group.clone()).collect();
    groups.sort();
    groups.dedup();
    groups.truncate(GROUPS_MAX);
    let Some(oldest) = sampled.first().and_then(|row| row.created.clone()) else { return Ok(None) };
    if groups.is_empty() || !sql.mapping.rearmable().contains(&RowState::Published) {
        return Ok(None);
    }
    let from = Some(Value::Text(oldest));
    let selection = Selection { groups, from, ..Selection::of(&[RowState::Published]) };
    let statement = sql.selected(&selection);
    if !may_be_asked(session, sql, &statement, is_small).await? {
        return Ok(None);
    }
    let rows = session.read(&[statement], Bounds::LOOK).await?;
    let numbers = numbers(&rows[0].rows);
    Ok(numbers.first().copied().zip(numbers.get(1).copied()))
}

fn describe(plan: &mut Plan, replay: &Replay, outbox: &Outbox, looked: &Looked, (server, sql): (&Server, &Sql)) {
    let name = Text::line(&outbox.name);
    let states: Vec<&str> = looked.selection.states.iter().map(|state| state.words()).collect();
    let states = states.join(" and ");
    let rows = looked.count.0.figure().unwrap_or(0);
    let (estimate, about) = match looked.sample {
        None => (rows, ""),
        Some((0, _)) => (0, ""),
        Some((seen, chosen)) if seen == rows => (chosen, ""),
        Some((seen, chosen)) => (rows * chosen / seen, "~"),
    };
    let limited = replay.limit.unwrap_or(u64::MAX).min(estimate);
    let words = match looked.sample {
        None => format!("{} {states} rows", looked.count.0.words()),
        Some((seen, chosen)) => format!(
            "{about}{} of {} {states} rows ({chosen} of {seen} sampled are chosen)",
            thousands(estimate),
            looked.count.0.words()
        ),
    };
    let words = if limited < estimate { format!("at most {} of {words}", thousands(limited)) } else { words };
    plan.resource = name.clone();
    plan.summary = Text::line(&format!("replay {words} of outbox {name}"));
    plan.how_many = Some(Text::line(&words));
    plan.empty = looked.count.exactly() == Some(0);
    plan.messages_estimate = limited;
    plan.fact("outbox", outbox.words());
    let user = if server.user.is_empty() { String::new() } else { format!(" as {}", server.user) };
    plan.fact("database", format!("{} on {}{user}", server.database, server.words()));
    plan.fact("rows", &words);
    if let Some(groups) = looked.groups {
        plan.fact("groups", counted(groups, "group"));
    }
    if let Some(filter) = &replay.filter {
        plan.fact(labels::ONLY_WHERE, filter);
    }
    let columns = sql.rearm_columns().join(", ");
    plan.change(format!("{columns} of each row are set, so that it is ready; the event's id stays the same"));
    plan.change("each row's values from before stand in the snapshot: a restore of the run puts them back where they are still as it left them");
    plan.call("UPDATE", Some(&sql.mapping.table.to_string()), limited.div_ceil(500));
    let rate = replay.rate.map_or(RATE, |rate| u64::from(rate).min(RATE));
    plan.seconds_estimate = Some(limited.div_ceil(rate));
    observe(plan, server, sql);
    if let Some(ids) = &looked.selection.ids {
        let text = serde_json::to_vec(ids).unwrap_or_else(|error| unreachable!("plain data: {error}"));
        plan.observe("ids", hex(&Sha256::digest(text)));
    }
    if server.reads_only {
        plan.block("the server that answers takes no writes: it is in recovery, or set to read only");
    }
}

/// Where the rows are: a plan holds for no other place.
pub(super) fn observe(plan: &mut Plan, server: &Server, sql: &Sql) {
    plan.observe("outbox: table", &sql.mapping.table);
    plan.observe("outbox: mapping", mapping_digest(sql));
    plan.observe("outbox: server", format!("{} {} {}", server.product, server.identity, server.database));
}

fn warn(plan: &mut Plan, replay: &Replay, outbox: &Outbox, looked: &Looked, sql: &Sql) {
    let published = looked.selection.states.contains(&RowState::Published);
    plan.warn("a replay goes to every consumer, never to one consumer alone; consumers that deduplicate drop events they have processed");
    if published {
        plan.warn("rows that were published once are sent a second time");
    }
    if outbox.fifo {
        plan.warn(
            "FIFO target: an event with a deduplication id from the last 5 minutes is accepted and not delivered",
        );
    }
    if let Some(rows) = looked.published_lately.filter(|rows| *rows > 0) {
        let rows = counted_is(rows, "row", "was", "were");
        plan.warn(format!(
            "{rows} published within the last 5 minutes: replayed now, they are marked as published and not delivered"
        ));
    }
    match looked.younger {
        Some((rows, groups)) if rows > 0 => plan.warn(format!(
            "order is not kept in {} of the sample: {} already published",
            counted(groups, "group"),
            counted_is(rows, "younger row", "was", "were")
        )),
        Some(_) => {}
        None if sql.mapping.group.is_some() => {
            plan.warn("order may not be kept: younger rows of the same groups may already be published");
        }
        None => {}
    }
    if looked.count.exactly().is_none() && replay.limit.is_none() {
        plan.warn(
            "the rows are too many to be counted one by one, so that no number of them stops the run: --limit does",
        );
    }
    if !sql.mapping.relay_locks {
        plan.warn("the relay does not lock rows: one that it reads while the row is re-armed may be sent twice");
    }
    sql.mapping.notes.iter().for_each(|note| plan.warn(note));
}
