//! What a change of rows would do.

use sha2::{Digest, Sha256};

use super::{
    Asked, Target, ToChange, WAIT, Way, Words,
    engine::RowSettings,
    look::{self, Looked},
    relaying,
};
use crate::{
    cloud::Cloud,
    domain::{
        Connection, Outbox, RowCount, RowState, Server, Text, Try,
        message::hex,
        words::{counted, counted_is, span, thousands},
    },
    messages::RowFilter,
    operations::{
        Bound, OperationError, Planned, Planner,
        plan::{Plan, labels},
        resolve::did_you_mean,
        values::{BounceMax, Ramp},
    },
    outboxes::{Deed, Manner, Sql, look as outbox_look},
};

/// Rows a second where no rate is set: a plan's guess.
const RATE: u64 = 5_000;

pub(super) async fn plan(asked: &Asked<'_>, cloud: &Cloud, planner: &Planner) -> Result<Planned, OperationError> {
    let (outbox, connection, (deed, states)) = resolve(asked, cloud)?;
    let filter = asked.choice.filter.map(RowFilter::open).transpose().map_err(|error| {
        let help = format!("see `opsctl {} --help`", asked.name);
        OperationError::usage(&format!("the filter can't be used: {error}"), Try::SeeHelp.says(&help))
    })?;
    let opened = outbox_look::open_resumed(cloud, outbox, connection).await;
    let (mut session, sql) = opened.map_err(|trouble| unreachable(cloud, outbox, &trouble.words()))?;
    let sql = sql.doing(deed);
    let looked = look::looked(asked, cloud, outbox, (&states, filter.as_ref()), &mut session, &sql).await;
    let lock = outbox_look::lock(&mut session, &sql, &outbox.relay, cloud.clock().now()).await;
    let server = session.server().clone();
    session.close().await;
    let looked = looked?;
    let mut plan = planner.draft();
    describe(&mut plan, asked, outbox, &looked, (&server, &sql));
    let taken_up = planner.taken_up()?.map(|(_, history)| history);
    if let Some(side) = &looked.side {
        side.tell(&mut plan, &sql, taken_up.as_ref());
    }
    warn(&mut plan, asked, outbox, &looked, &sql);
    relaying::tell(&mut plan, cloud, outbox, deed, lock).await;
    let done = taken_up.map_or(0, |history| history.rows_announced());
    let mapping = mapping_digest(&sql);
    let settings = RowSettings {
        limit: asked.choice.limit,
        rows_max: looked.count.exactly().map(|rows| with_slack(rows + done)),
        rate: asked.rate,
        ramp: asked.ramp.clone().unwrap_or_else(Ramp::none),
        max_failed: asked.max_failed.unwrap_or(BounceMax::Percent(5)),
        filtered: filter.is_some(),
    };
    let target = Target { outbox: outbox.clone(), connection: connection.clone(), server, mapping, deed };
    let bound = ToChange {
        target,
        selection: looked.selection,
        filter,
        settings,
        wait: asked.wait.unwrap_or(WAIT),
        rows_estimate: plan.messages_estimate,
        reason: None,
    };
    Ok(Planned { plan, bound: Bound::Rows(Box::new(bound)) })
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

impl ToChange {
    /// So many rows are changed at most, as the plan that was agreed to has it.
    pub(in crate::operations) fn expect(&mut self, rows: u64) {
        self.rows_estimate = rows;
        if let Some(rows_max) = &mut self.settings.rows_max {
            *rows_max = (*rows_max).min(with_slack(rows.max(1)));
        }
    }
}

/// What is done, and to rows in which states.
type Wanted = (Deed, Vec<RowState>);

pub(super) fn resolve<'a>(
    asked: &Asked<'_>,
    cloud: &'a Cloud,
) -> Result<(&'a Outbox, &'a Connection, Wanted), OperationError> {
    let rules = &cloud.environment().databases;
    let name = asked.choice.outbox;
    let Some(outbox) = rules.outbox(name) else {
        let names: Vec<String> = rules.outboxes.iter().map(|outbox| outbox.name.clone()).collect();
        let what = format!("{} has no outbox {name}", cloud.environment().name);
        let list = || format!("see `{}`", cloud.environment().command("outbox list"));
        return Err(OperationError::usage(
            &what,
            Try::NameAnother.says(did_you_mean(name, &names).unwrap_or_else(list)),
        ));
    };
    let wanted = asked.way.settle(outbox, &asked.states).map_err(|refused| {
        let passive = match asked.way {
            Way::Replay => Words::from(Deed::Replay),
            Way::Park { .. } => Words::from(Deed::Park),
            Way::Release { .. } => Words::from(Deed::Release),
        };
        let what = format!("rows of {} can't be {}: {}", outbox.name, passive.passive, refused.because);
        OperationError::usage(&what, Try::UseOther.says(&refused.instead))
    })?;
    let waiting = [RowState::Ready, RowState::Scheduled];
    if let Way::Park { .. } = asked.way
        && !asked.choice.is_narrow()
        && let Some(state) = wanted.1.iter().find(|state| waiting.contains(state))
    {
        let what = format!("to park all {state} rows of {} would stop it", outbox.name);
        return Err(OperationError::usage(
            &what,
            Try::GiveOther.says("say which: --id, --ids, --group, --type, --where or --limit"),
        ));
    }
    let Some(connection) = rules.connection(&outbox.connection) else {
        let what = format!("there is no connection {}", outbox.connection);
        return Err(OperationError::usage(&what, Try::Configure.says("see the outbox in opsctl.toml")));
    };
    Ok((outbox, connection, wanted))
}

pub(super) fn unreachable(cloud: &Cloud, outbox: &Outbox, words: &str) -> OperationError {
    let what = Text::line(&format!("outbox {} can't be read: {words}", outbox.name));
    let advice = Try::MendDatabase.says(format!("run `{}`", cloud.environment().command("doctor")));
    OperationError::Database { what, advice: Some(advice) }
}

/// How many rows, about, and in words.
fn how_many(asked: &Asked<'_>, looked: &Looked) -> (u64, String) {
    let states: Vec<&str> = looked.selection.states.iter().map(|state| state.words()).collect();
    let states = states.join(" and ");
    let rows = looked.count.0.figure().unwrap_or(0);
    let (estimate, about) = match looked.sample {
        None => (rows, ""),
        Some((0, _)) => (0, ""),
        Some((seen, chosen)) if seen == rows => (chosen, ""),
        Some((seen, chosen)) => (rows * chosen / seen, "~"),
    };
    let limited = asked.choice.limit.unwrap_or(u64::MAX).min(estimate);
    let words = match looked.sample {
        None => match looked.count.0 {
            RowCount::Exactly(1) => format!("1 {states} row"),
            count => format!("{} {states} rows", count.words()),
        },
        Some((seen, chosen)) => format!(
            "{about}{} of {} {states} rows ({chosen} of {seen} sampled are chosen)",
            thousands(estimate),
            looked.count.0.words()
        ),
    };
    match limited < estimate {
        true => (limited, format!("at most {} of {words}", thousands(limited))),
        false => (limited, words),
    }
}

fn describe(plan: &mut Plan, asked: &Asked<'_>, outbox: &Outbox, looked: &Looked, (server, sql): (&Server, &Sql)) {
    let name = Text::line(&outbox.name);
    let (limited, words) = how_many(asked, looked);
    plan.resource = name.clone();
    plan.summary = Text::line(&format!("{} {words} of outbox {name}", Words::from(sql.change.deed).verb));
    plan.how_many = Some(Text::line(&words));
    plan.empty = looked.count.exactly() == Some(0);
    plan.messages_estimate = limited;
    for holder in &looked.holders {
        let who = holder.name.as_deref().unwrap_or("an unnamed holder");
        let age = holder
            .seconds
            .map(|seconds| format!(", the oldest claim is {} old", span(jiff::SignedDuration::from_secs(seconds))));
        plan.fact("claimed by", format!("{who}: {}{}", counted(holder.rows, "row"), age.unwrap_or_default()));
    }
    plan.fact("outbox", outbox.words());
    let user = if server.user.is_empty() { String::new() } else { format!(" as {}", server.user) };
    plan.fact("database", format!("{} on {}{user}", server.database, server.words()));
    plan.fact("rows", &words);
    if let Some(groups) = looked.groups {
        plan.fact("groups", counted(groups, "group"));
    }
    if let Some(filter) = asked.choice.filter {
        plan.fact(labels::ONLY_WHERE, filter);
    }
    changes(plan, sql, limited);
    let rate = asked.rate.map_or(RATE, |rate| u64::from(rate).min(RATE));
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

/// What is done to each row, and what brings it back.
fn changes(plan: &mut Plan, sql: &Sql, rows: u64) {
    let table = Text::line(&sql.mapping.table.to_string()).to_string();
    let columns = sql.set_columns().join(", ");
    let put_back = "each row's values from before stand in the snapshot: a restore of the run puts them back where they are still as it left them";
    match (&sql.change.how, sql.change.deed) {
        (Manner::Set { .. }, Deed::Replay) => {
            plan.change(format!("{columns} of each row are set, so that it is ready; the event's id stays the same"));
        }
        (Manner::Set { .. }, Deed::Release | Deed::ReleaseGone) => {
            plan.change(format!(
                "{columns} of each row are set, so that its claim is gone and the relay takes it again"
            ));
        }
        (Manner::Set { claim, .. }, Deed::Park | Deed::Aside) => {
            plan.change(format!("{columns} of each row are set, so that the relay passes over it"));
            if !claim.is_empty() {
                plan.change("each row is claimed first, in the same transaction: this outbox knows no shorter way");
            }
        }
        (Manner::Move(moved), _) => {
            let (from, to) = (Text::line(&moved.from.to_string()), Text::line(&moved.to.to_string()));
            plan.change(format!("each row's entry in {from} gives way to one in {to}, so that it is ready"));
        }
        (Manner::Aside { to, .. }, _) => {
            let to = Text::line(&to.to_string());
            plan.change(format!("each row moves from {table} to {to}, whole, with the run and the reason"));
        }
    }
    let name = plan_table(sql);
    match &sql.change.how {
        Manner::Set { claim, .. } => {
            plan.change(put_back);
            let times = if claim.is_empty() { 1 } else { 2 };
            plan.call("UPDATE", Some(&table), times * rows.div_ceil(500));
        }
        Manner::Move(_) | Manner::Aside { .. } => {
            plan.change("a restore of the run moves back the rows that are still where it left them");
            plan.call("INSERT", Some(&name.0), rows.div_ceil(500));
            plan.call("DELETE", Some(&name.1), rows.div_ceil(500));
        }
    }
}

/// Where rows come into, and where they leave.
fn plan_table(sql: &Sql) -> (String, String) {
    match &sql.change.how {
        Manner::Set { .. } => (sql.mapping.table.to_string(), sql.mapping.table.to_string()),
        Manner::Move(moved) => (moved.to.to_string(), moved.from.to_string()),
        Manner::Aside { to, .. } => (to.to_string(), sql.mapping.table.to_string()),
    }
}

/// Where the rows are: a plan holds for no other place.
pub(super) fn observe(plan: &mut Plan, server: &Server, sql: &Sql) {
    plan.observe("outbox: table", &sql.mapping.table);
    plan.observe("outbox: mapping", mapping_digest(sql));
    plan.observe("outbox: server", format!("{} {} {}", server.product, server.identity, server.database));
}

fn warn(plan: &mut Plan, asked: &Asked<'_>, outbox: &Outbox, looked: &Looked, sql: &Sql) {
    if let Some(unmet) = &looked.unmet {
        unmet.tell(plan);
    }
    match sql.change.deed {
        Deed::Replay => warn_of_replay(plan, outbox, looked, sql),
        Deed::Park | Deed::Aside => {
            if let Some(freed) = &looked.freed {
                freed.tell(plan);
            }
            if !sql.mapping.relay_locks {
                plan.warn("the relay does not lock rows: one that it has read already may be sent all the same");
            }
        }
        Deed::Release | Deed::ReleaseGone => {
            plan.warn("a holder that is still at work may publish its row as well: then the event is sent twice");
            if sql.mapping.group.is_some() {
                plan.warn("order may not be kept: younger rows of the same groups may already be published");
            }
        }
    }
    if looked.count.exactly().is_none() && asked.choice.limit.is_none() {
        plan.warn((
            "the rows are too many to be counted one by one, so that no number of them stops the run",
            Try::GiveOther.says("--limit does"),
        ));
    }
}

fn warn_of_replay(plan: &mut Plan, outbox: &Outbox, looked: &Looked, sql: &Sql) {
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
    if !sql.mapping.relay_locks {
        plan.warn("the relay does not lock rows: one that it reads while the row is re-armed may be sent twice");
    }
    sql.mapping.notes.iter().for_each(|note| plan.warn(note.as_str()));
}
