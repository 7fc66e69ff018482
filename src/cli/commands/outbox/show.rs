//! `opsctl outbox show`.

use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::{
    cli::{
        args::{Format, Global, ShowOutbox},
        error::CliError,
        exit::Exit,
        output::{Output, Table},
        world::World,
    },
    cloud::{Cloud, endpoint::Session},
    domain::{Backlog, Bounds, Outbox, RowCount, RowState, SqlError, Text, Trouble, Try, Value, words::in_words},
    messages::shorten,
    observe::parts::outboxes::relaying_now,
    outboxes::{
        Sql, beside,
        look::{self, text},
        sql::{ListedRow, Position},
    },
};

/// Rows that one statement reads.
const PAGE: u32 = 500;

/// A row as JSON shows it.
#[derive(Serialize)]
struct Row {
    id: Vec<Json>,
    state: RowState,
    age_seconds: Option<i64>,
    attempts: Option<i64>,
    kind: Option<String>,
    group: Option<String>,
    event_id: Option<String>,
    error: Option<Text>,
    created: Option<String>,
    due: Option<String>,
    published_at: Option<String>,
}

pub(super) async fn run(args: &ShowOutbox, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let world = World::open(global, out).await?;
    let cloud = world.to_look().await?;
    let rules = &cloud.environment().databases;
    let outbox = rules.outbox(&args.outbox).ok_or_else(|| {
        let known = rules.outboxes.iter().map(|outbox| outbox.name.as_str());
        CliError::unknown(("outbox", &args.outbox), known, &cloud.environment().command("outbox list"))
    })?;
    let connection = rules.connection(&outbox.connection).ok_or_else(|| {
        CliError::usage(
            &format!("there is no connection {}", outbox.connection),
            Try::Configure.says("add it to opsctl.toml"),
        )
    })?;
    let opened = look::open_resumed(cloud, outbox, connection).await;
    let (mut session, sql) = opened.map_err(|trouble| failed(cloud, outbox, &trouble))?;
    let shown = match (&args.row, args.rows) {
        (Some(id), _) => row(args, id, &mut session, &sql, out).await,
        (None, Some(state)) => rows(args, state, &mut session, &sql, out).await,
        (None, None) => summary(cloud, outbox, &mut session, &sql, out).await,
    };
    session.close().await;
    shown.map_err(|error| match error {
        Failed::Sql(error) => failed(cloud, outbox, &look::Unread::Sql(error).trouble(outbox)),
        Failed::Said(error) => error,
    })
}

enum Failed {
    Sql(SqlError),
    Said(CliError),
}

impl From<SqlError> for Failed {
    fn from(error: SqlError) -> Self {
        Self::Sql(error)
    }
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        Self::Said(error.into())
    }
}

fn failed(cloud: &Cloud, outbox: &Outbox, trouble: &Trouble) -> CliError {
    let what = format!("outbox {} can't be read: {}", outbox.name, trouble.words());
    CliError::failed(&what, Try::MendDatabase.says(format!("run `{}`", cloud.environment().command("doctor"))))
}

/// What a look tells.
async fn summary(
    cloud: &Cloud,
    outbox: &Outbox,
    session: &mut Session,
    sql: &Sql,
    out: &mut Output,
) -> Result<Exit, Failed> {
    let now = cloud.clock().now();
    let backlog = look::backlog(session, sql, now).await?;
    let lock = look::lock(session, sql, &outbox.relay, now).await;
    let relaying = relaying_now(cloud, outbox, lock).await;
    if out.format != Format::Human {
        let data = json!({
            "environment": cloud.environment().name, "name": outbox.name, "what": outbox.words(), "backlog": backlog,
            "relay": relaying.state(), "relay_words": relaying.words(), "wake": relaying.wakes(cloud.environment()),
        });
        out.document("opsctl/outbox-backlog/1", &data)?;
        return Ok(Exit::Done);
    }
    out.heading(&format!("{}: {}", Text::line(&outbox.name), outbox.words()))?;
    let user = &session.server().user;
    let user = if user.is_empty() { String::new() } else { format!(", logged in as {user}") };
    out.line(&format!("{}{user}", backlog.server))?;
    let mut table = Table::new(&["STATE", "#ROWS", "WHAT IT MEANS"]);
    for (state, count) in &backlog.counts {
        table.row([state.to_string(), count.words(), state.about().to_owned()]);
    }
    out.table(&table)?;
    details(cloud, outbox, &backlog, out)?;
    out.line(&format!("relay: {}", relaying.words()))?;
    if let Some(command) = relaying.wakes(cloud.environment()) {
        out.note(&format!("`{command}` wakes the relay"));
    }
    if let Some(index) = &backlog.index_wanted {
        out.warning("no index serves the counts: they are the server's estimates. This one would:");
        out.whole(Text::line(index).as_str())?;
    }
    Ok(Exit::Done)
}

/// What stands behind the counts.
fn details(cloud: &Cloud, outbox: &Outbox, backlog: &Backlog, out: &mut Output) -> std::io::Result<()> {
    if let Some(lag) = backlog.lag(cloud.clock().now()) {
        out.line(&format!("oldest ready row: {} old", crate::domain::words::span(lag)))?;
    }
    if backlog.may_hide {
        out.warning("row level security applies to this login: rows may be hidden, and a count of 0 proves nothing");
    }
    for (kind, count) in backlog.failed_kinds.iter().take(20) {
        out.line(&format!("failed, type {kind}: {count}"))?;
    }
    if let Some(errors) = &backlog.failed_errors {
        for (error, count) in &errors.groups {
            out.line(&format!("failed, error {error}: {count} of {} sampled", errors.sampled))?;
        }
    }
    for blocked in backlog.blocked.iter().take(20) {
        out.line(&format!(
            "group {}: {} younger rows behind {} row {}",
            blocked.group, blocked.held, blocked.head_state, blocked.head
        ))?;
    }
    if let Some(parked) = backlog.parked.filter(|rows| *rows != RowCount::Exactly(0)) {
        let table = Text::line(&beside(&outbox.mapping.table).to_string()).to_string();
        out.line(&format!("set aside in {table}: {} rows; a restore of the run brings them back", parked.words()))?;
    }
    if let Some(slot) = &backlog.slot {
        out.line(&slot.words())?;
    }
    for words in backlog.upkeep.words() {
        out.warning(&words);
    }
    if let Some(unknown) = &backlog.upkeep.unknown {
        out.line(unknown.as_str())?;
    }
    Ok(())
}

/// Rows in a state, page by page: memory holds one page.
async fn rows(
    args: &ShowOutbox,
    state: RowState,
    session: &mut Session,
    sql: &Sql,
    out: &mut Output,
) -> Result<Exit, Failed> {
    let mut listed: Vec<ListedRow> = Vec::new();
    let mut after: Option<Position> = None;
    let mut left = args.limit;
    while left > 0 {
        let page = sql.page(state, after.as_ref(), left.min(PAGE));
        let answers = session.read(&[page], Bounds::LOOK).await?;
        let found = sql.listed(&answers[0]);
        let count = u32::try_from(found.len()).unwrap_or(u32::MAX);
        after = found.last().map(|row| row.position.clone());
        listed.extend(found);
        if count < left.min(PAGE) {
            break;
        }
        left -= count;
    }
    let shown: Vec<Row> = listed.iter().map(shown).collect();
    let table = || {
        let mut table = Table::new(&["ID", "#AGE", "#ATTEMPTS", "TYPE", "GROUP", "ERROR"]);
        for row in &listed {
            let text = |text: &Option<String>| {
                text.as_deref().map_or_else(|| "-".to_owned(), |text| Text::line(text).to_string())
            };
            let age = row.age_seconds.and_then(|age| u64::try_from(age).ok()).map_or_else(|| "-".to_owned(), in_words);
            let error =
                row.error.as_deref().map_or_else(|| "-".to_owned(), |error| shorten::preview(error, 120).to_string());
            let attempts = row.attempts.map_or_else(|| "-".to_owned(), |attempts| attempts.to_string());
            table.row([id_words(&row.id), age, attempts, text(&row.kind), text(&row.group), error]);
        }
        table
    };
    let document = || ("opsctl/outbox-rows/1", json!({ "state": state, "rows": shown }));
    out.rows(("opsctl/outbox-row/1", Some("no row is in that state")), &shown, table, document)?;
    Ok(Exit::Done)
}

/// One row, whatever its state, with its payload.
async fn row(args: &ShowOutbox, id: &str, session: &mut Session, sql: &Sql, out: &mut Output) -> Result<Exit, Failed> {
    let id: Vec<Value> = match sql.mapping.id.len() {
        1 => vec![Value::Text(id.to_owned())],
        _ => id.split(',').map(|part| Value::Text(part.trim().to_owned())).collect(),
    };
    let answers = session.read(&[sql.row(&id)], Bounds::LOOK).await?;
    let Some(row) = sql.listed(&answers[0]).into_iter().next() else {
        let error = CliError::failed(
            &format!("no row has the id {}", id_words(&id)),
            Try::NameAnother.says("list rows with --rows STATE"),
        );
        return Err(Failed::Said(error));
    };
    let body = row.body.as_ref().map(|body| payload(body, args.full));
    if out.format != Format::Human {
        let mut data = serde_json::to_value(shown(&row)).unwrap_or_default();
        data["body"] = json!(body);
        out.document("opsctl/outbox-row/1", &data)?;
        return Ok(Exit::Done);
    }
    out.heading(&format!("row {}, {}", id_words(&row.id), row.state))?;
    let pairs = [
        ("type", row.kind),
        ("group", row.group),
        ("event id", row.event_id),
        ("created", row.created),
        ("due", row.due),
        ("published", row.published_at),
        ("attempts", row.attempts.map(|attempts| attempts.to_string())),
        ("error", row.error.map(|error| shorten::preview(&error, 500).to_string())),
    ];
    for (name, value) in pairs {
        if let Some(value) = value {
            out.line(&format!("{name:10}  {}", Text::line(&value)))?;
        }
    }
    if let Some(body) = body {
        out.line("")?;
        body.lines().try_for_each(|line| out.whole(line))?;
    }
    Ok(Exit::Done)
}

/// A payload in lines that are safe to show: JSON indented, secrets left out unless all is asked for.
fn payload(body: &Value, full: bool) -> String {
    let plain = match body {
        Value::Bytes(bytes) => String::from_utf8(bytes.clone()).unwrap_or_else(|_| text(body).to_string()),
        Value::Text(body) => body.clone(),
        Value::Null | Value::Integer(_) | Value::Real(_) => text(body).to_string(),
    };
    let pretty = serde_json::from_str::<Json>(&plain).ok().and_then(|json| serde_json::to_string_pretty(&json).ok());
    let plain = pretty.unwrap_or(plain);
    let plain = if full { plain } else { shorten::redact(&plain) };
    plain.lines().map(|line| Text::line(line).to_string()).collect::<Vec<_>>().join("\n")
}

fn id_words(id: &[Value]) -> String {
    id.iter().map(|value| text(value).to_string()).collect::<Vec<_>>().join(",")
}

fn shown(row: &ListedRow) -> Row {
    let value = |value: &Value| match value {
        Value::Integer(number) => json!(number),
        value => json!(text(value)),
    };
    Row {
        id: row.id.iter().map(value).collect(),
        state: row.state,
        age_seconds: row.age_seconds,
        attempts: row.attempts,
        kind: row.kind.clone(),
        group: row.group.clone(),
        event_id: row.event_id.clone(),
        error: row.error.as_deref().map(|error| shorten::preview(error, 500)),
        created: row.created.clone(),
        due: row.due.clone(),
        published_at: row.published_at.clone(),
    }
}
