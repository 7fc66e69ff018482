//! Whether each configured outbox can be looked at, replayed, parked and released: its mapping fits the table, the login may read and write
//! the columns and move rows, no row is hidden from it, and the server has the index and the version that this needs.
//!
//! One whose database has paused, or may have, is not connected to: that would wake it.

use futures_util::stream::{self, StreamExt as _};

use super::{
    connections,
    findings::{Check, Findings, Verdict},
};
use crate::{
    cloud::{Cloud, endpoint::Session},
    domain::{Backlog, Bounds, Outbox, Rearm, Release, RowMapping, SqlError, Statement, Text, Trouble, Try},
    outboxes::{
        Deed, Manner, RowChange, Sql, look,
        sql::{Lacking, Leave, catalog, catalog_of, grant_to_leave, quoted_table},
    },
};

/// Outboxes that are looked at at once.
const AT_ONCE: usize = 4;

/// Something about an outbox that is not as it has to be.
struct Line {
    verdict: Verdict,
    what: String,
    because: String,
    hint: String,
}

/// What was seen of an outbox that could be looked at.
struct Seen {
    sql: Sql,
    lacking: Lacking,
    backlog: Backlog,
    bounds: String,
    login: Text,
    skips_locked: bool,
    moves: Moves,
}

/// What the login may do where rows move.
#[derive(Default)]
struct Moves {
    /// Out of the outbox and back; none: rows do not leave it, or there are no grants.
    aside: Option<Leave>,
    /// Whether the table beside the outbox is there.
    is_aside_there: bool,
    /// The grant without which a replay that moves rows fails.
    replay_lacks: Option<String>,
}

/// Adds a finding for each outbox that is well, and one for each thing that is wrong with another.
pub(super) async fn check(findings: &mut Findings, cloud: &Cloud) {
    let environment = std::sync::Arc::clone(&findings.environment);
    let looks: Vec<_> = environment.databases.outboxes.iter().map(|outbox| look(cloud, outbox)).collect();
    let all: Vec<Result<String, Vec<Line>>> = stream::iter(looks).buffered(AT_ONCE).collect().await;
    for (outbox, found) in environment.databases.outboxes.iter().zip(all) {
        let name = Text::line(&outbox.name);
        match found {
            Ok(well) => findings.ok(Check::Outbox, &format!("{name}: {well}")),
            Err(lines) => {
                for Line { verdict, what, because, hint } in lines {
                    findings.add(
                        Check::Outbox,
                        verdict,
                        &format!("{name}: {what}"),
                        &because,
                        Try::MendDatabase.says(&hint),
                    );
                }
            }
        }
    }
}

async fn look(cloud: &Cloud, outbox: &Outbox) -> Result<String, Vec<Line>> {
    let one = |verdict, what: &str, because: String, hint: &str| {
        vec![Line { verdict, what: what.to_owned(), because, hint: hint.to_owned() }]
    };
    let Some(connection) = cloud.environment().databases.connection(&outbox.connection) else {
        let because = format!("there is no connection {}", Text::line(&outbox.connection));
        return Err(one(Verdict::Problem, "not looked at", because, "name one of [environments.X.connections]"));
    };
    let mut session = match connections::open(cloud, connection).await {
        Ok(session) => session,
        Err(line) => {
            let because = format!("{} ({})", line.what, line.because);
            return Err(one(Verdict::Skipped, "not looked at", because, "see what is said of the connection"));
        }
    };
    let seen = seen(&mut session, cloud, outbox).await;
    session.close().await;
    let seen = seen.map_err(|trouble| {
        let hint = "check the mapping in opsctl.toml, and what the login may read";
        one(Verdict::Problem, "can't be looked at", trouble.words(), hint)
    })?;
    let wrong = wrong(outbox, &seen);
    if wrong.is_empty() { Ok(well(outbox, &seen)) } else { Err(wrong) }
}

async fn seen(session: &mut Session, cloud: &Cloud, outbox: &Outbox) -> Result<Seen, Trouble> {
    let sql = look::fitted(session, outbox).await.map_err(|unread| unread.trouble(outbox))?;
    let refused = |error: SqlError| look::Unread::Sql(error).trouble(outbox);
    let lacking = match sql.grants() {
        Some(grants) => sql.lacking(&session.read(&[grants], Bounds::LOOK).await.map_err(refused)?[0]),
        None => Lacking::default(),
    };
    if !lacking.read.is_empty() {
        let login = &session.server().user;
        let grant = sql.grant_wanted("SELECT", &lacking.read);
        let words = format!("{login} may not read {}: {grant} TO its login", lacking.read.join(", "));
        return Err(Trouble::Refused(Text::line(&words)));
    }
    let bounds = connections::bounds(session).await.map_err(refused)?;
    let backlog = look::backlog(session, &sql, cloud.clock().now()).await.map_err(refused)?;
    let moves = moves(session, &sql).await.map_err(refused)?;
    let server = session.server();
    let (login, skips_locked) = (server.user.clone(), server.skips_locked());
    Ok(Seen { sql, lacking, backlog, bounds, login, skips_locked, moves })
}

async fn moves(session: &mut Session, sql: &Sql) -> Result<Moves, SqlError> {
    let mut moves = Moves::default();
    let aside = RowChange::of(Deed::Aside, &sql.mapping);
    if let (false, Some(table)) = (aside.from.is_empty(), aside.aside()) {
        let mut asked = vec![catalog(sql.dialect, table)];
        asked.extend(sql.leave(&sql.mapping.table));
        let answers = session.read(&asked, Bounds::LOOK).await?;
        moves.is_aside_there = catalog_of(sql.dialect, &answers[0]).is_some();
        moves.aside = answers.get(1).and_then(Sql::may_leave);
    }
    if let Manner::Move(moved) = &sql.change.how {
        let asked: Vec<Statement> = [&moved.to, &moved.from].into_iter().filter_map(|table| sql.leave(table)).collect();
        let answers = session.read(&asked, Bounds::LOOK).await?;
        let may: Vec<Option<Leave>> = answers.iter().map(Sql::may_leave).collect();
        let lacks = |place: usize, may_it: fn(&Leave) -> bool| {
            may.get(place).is_some_and(|may| !may.as_ref().is_some_and(may_it))
        };
        let mut grants = Vec::new();
        if lacks(0, |may| may.may_insert) {
            grants.push(format!("GRANT INSERT ON {}", quoted_table(sql.dialect, &moved.to)));
        }
        if lacks(1, |may| may.may_delete) {
            grants.push(format!("GRANT DELETE ON {}", quoted_table(sql.dialect, &moved.from)));
        }
        moves.replay_lacks = (!grants.is_empty()).then(|| grants.join("; "));
    }
    Ok(moves)
}

fn wrong(outbox: &Outbox, seen: &Seen) -> Vec<Line> {
    let table = Text::line(&outbox.mapping.table.to_string());
    let warning = |what: String, because: &str, hint: String| Line {
        verdict: Verdict::Warning,
        what,
        because: because.to_owned(),
        hint,
    };
    let mut lines = Vec::new();
    if seen.backlog.may_hide {
        lines.push(warning(
            format!("row level security of {table} applies to the login {}", seen.login),
            "rows that the login is not allowed to see are not counted: a count of 0 says nothing",
            "use a login with BYPASSRLS, or add a policy that shows it every row".to_owned(),
        ));
    }
    if !seen.lacking.write.is_empty() {
        lines.push(warning(
            format!("the login {} may not write {}", seen.login, seen.lacking.write.join(", ")),
            "a replay, a park or a release sets these columns",
            format!("{} TO the login", seen.sql.grant_wanted("UPDATE", &seen.lacking.write)),
        ));
    }
    if let Some(grant) = &seen.moves.replay_lacks {
        lines.push(warning(
            format!("the login {} may not move rows between the tables beside {table}", seen.login),
            "a replay takes a row out of one and adds one to another",
            format!("{grant} TO the login"),
        ));
    }
    if let Some(index) = &seen.backlog.index_wanted {
        lines.push(warning(
            format!("no index of {table} serves the counts of waiting rows"),
            "the table is large, so that opsctl shows the server's estimates instead",
            index.clone(),
        ));
    }
    let sets = matches!(seen.sql.mapping.rearm, Rearm::Set(_) | Rearm::Move(_));
    if sets && !seen.skips_locked && seen.sql.dialect != crate::domain::Dialect::Sqlite {
        lines.push(warning(
            format!("{} does not understand SKIP LOCKED", seen.backlog.server),
            "a replay would wait for rows that the relay has locked",
            "replay from PostgreSQL 9.5, MySQL 8.0.1 or MariaDB 10.6 on".to_owned(),
        ));
    }
    lines
}

/// What was checked, in one line.
fn well(outbox: &Outbox, seen: &Seen) -> String {
    let replay = match &seen.sql.mapping.rearm {
        Rearm::Set(_) => format!("a replay may set {}", seen.sql.set_columns().join(", ")),
        Rearm::Move(_) => "a replay moves rows".to_owned(),
        Rearm::Refused(_) => "never replayed".to_owned(),
    };
    let Seen { backlog, bounds, .. } = seen;
    let (park, release) = (park(seen), release(&seen.sql.mapping));
    format!("{} fits; {}; {bounds}; {replay}; {park}; {release}", Text::line(&outbox.words()), backlog.server)
}

fn park(seen: &Seen) -> String {
    let Seen { sql, moves, .. } = seen;
    let own = RowChange::of(Deed::Park, &sql.mapping);
    let own = (!own.from.is_empty()).then(|| format!("a park of waiting rows may set {}", own.columns().join(", ")));
    let aside = RowChange::of(Deed::Aside, &sql.mapping);
    let aside = aside.aside().filter(|_| !aside.from.is_empty()).map(|table| {
        let leave = moves.aside.map(|leave| Leave { may_create: leave.may_create || moves.is_aside_there, ..leave });
        let grant = leave.and_then(|leave| grant_to_leave(sql.dialect, &sql.mapping.table, leave));
        match (grant, leave.is_some_and(|leave| leave.is_pointed_at)) {
            (_, true) => "failed rows can't be parked, since other tables point at them".to_owned(),
            (Some(grant), false) => format!("failed rows can't be parked: {grant} TO the login"),
            (None, false) => format!("a park of failed rows moves them to {}", Text::line(&table.to_string())),
        }
    });
    match (own, aside) {
        (None, None) => "never parked".to_owned(),
        (own, aside) => own.into_iter().chain(aside).collect::<Vec<_>>().join("; "),
    }
}

fn release(mapping: &RowMapping) -> String {
    match &mapping.release {
        Release::Set(_) => {
            format!("a release may set {}", RowChange::of(Deed::Release, mapping).columns().join(", "))
        }
        Release::Refused(_) => "never released".to_owned(),
    }
}
