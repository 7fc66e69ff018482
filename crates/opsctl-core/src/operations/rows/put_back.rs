//! Restore of a run that changed rows: they become what they were before, where they are still as the run left them.

use std::{collections::BTreeMap, path::PathBuf};

use super::{Asked, Target, Words, mapping_digest, plan};
use crate::{
    cloud::Cloud,
    domain::{RunId, Text, Try, words::counted},
    journal::{self, Heads, History, RowsOutcome, SavedBatches},
    operations::{
        Bound, Operation, OperationError, Planned, Planner, Restore,
        plan::{Plan, labels},
        recorded,
    },
    outboxes::{Deed, Manner, Sql, look},
};

/// Rows put back a second: each is a statement of its own.
const RATE: u64 = 500;

/// What the restore of a run that changed rows needs.
#[derive(Debug)]
pub struct RowsBack {
    pub run: RunId,
    pub target: Target,
    pub snapshot: PathBuf,
    /// Batches of the run that were committed, or may have been, and the hash of each in its snapshot.
    pub batches: BTreeMap<u64, String>,
    pub rows: u64,
}

/// The plan, where the run changed rows; else none.
pub(in crate::operations) async fn plan(
    restore: &Restore,
    cloud: &Cloud,
    planner: &Planner,
) -> Result<Option<Planned>, OperationError> {
    let folder = planner.state.open(&restore.run)?;
    let history = History::read(&folder)?;
    let Some(operation) = of_rows(&restore.run, &history)? else { return Ok(None) };
    let Some(asked) = asked(&operation) else { return Ok(None) };
    if restore.to.is_some() || restore.filter.is_some() || restore.ids.is_some() {
        let what = format!("run {} changed rows: they go back to what they were, all of them", restore.run);
        return Err(OperationError::usage(&what, Try::LeaveOut.says("leave out --to, --where and --ids")));
    }
    // A journal that lost its end would say that less was changed.
    journal::prove(&folder, &Heads::read(planner.state.path())?)?;
    let (outbox, connection, (deed, _)) = plan::resolve(&asked, cloud)?;
    let opened = look::open_resumed(cloud, outbox, connection).await;
    let (session, sql) = opened.map_err(|trouble| plan::unreachable(cloud, outbox, &trouble.words()))?;
    let sql = sql.doing(deed);
    let server = session.server().clone();
    session.close().await;
    let batches: BTreeMap<u64, String> = history
        .rows
        .iter()
        .filter(|(_, batch)| batch.outcome != Some(RowsOutcome::Undone))
        .map(|(number, batch)| (*number, batch.saved.clone()))
        .collect();
    let rows = history.rows_announced();
    let mut plan = planner.draft();
    plan.resource = Text::line(&outbox.name);
    plan.empty = rows == 0;
    plan.summary = Text::line(&format!(
        "put {} of outbox {} back to what they were before run {}",
        counted(rows, "row"),
        outbox.name,
        restore.run
    ));
    plan.fact(labels::RUN, restore.run.as_str());
    plan.fact("outbox", outbox.words());
    plan.fact("database", format!("{} on {} as {}", server.database, server.words(), server.user));
    plan.fact("rows", counted(rows, "row"));
    plan.change("rows that are still as the run left them become what they were before it; all others are left");
    match deed {
        Deed::Replay | Deed::Release | Deed::ReleaseGone => {
            plan.warn("what the relay has sent since then is sent: it is not taken back")
        }
        Deed::Park | Deed::Aside => {
            plan.warn("order is not kept: younger rows of the same groups may have been sent since then");
        }
    }
    plan.messages_estimate = rows;
    plan.seconds_estimate = Some(rows.div_ceil(RATE));
    calls(&mut plan, &sql, rows);
    plan.observe("run", &restore.run);
    plan::observe(&mut plan, &server, &sql);
    blockers(&mut plan, restore, &history, (folder.is_busy(), deed), cloud);
    damage(&mut plan, restore, &folder.snapshot(), &batches)?;
    let mapping = mapping_digest(&sql);
    let target = Target { outbox: outbox.clone(), connection: connection.clone(), server, mapping, deed };
    let bound = RowsBack { run: restore.run.clone(), target, snapshot: folder.snapshot(), batches, rows };
    Ok(Some(Planned { plan, bound: Bound::RowsBack(Box::new(bound)) }))
}

fn calls(plan: &mut Plan, sql: &Sql, rows: u64) {
    match &sql.change.how {
        Manner::Set { .. } => plan.call("UPDATE", Some(&sql.mapping.table.to_string()), rows),
        Manner::Move(moved) => {
            plan.call("DELETE", Some(&moved.to.to_string()), rows);
            plan.call("INSERT", Some(&moved.from.to_string()), rows);
        }
        Manner::Aside { to, .. } => {
            plan.call("INSERT", Some(&sql.mapping.table.to_string()), rows);
            plan.call("DELETE", Some(&to.to_string()), rows);
        }
    }
}

/// The operation of a run that changed rows; none of another one's.
fn of_rows(run: &RunId, history: &History) -> Result<Option<Operation>, OperationError> {
    let named = history.plan.pointer("/operation/operation").and_then(serde_json::Value::as_str);
    if !matches!(named, Some("replay" | "park" | "release")) {
        return Ok(None);
    }
    let plan: Plan = recorded((run, "plan"), &history.plan, "look at its journal")?;
    Ok(Some(plan.operation))
}

fn asked(operation: &Operation) -> Option<Asked<'_>> {
    if let Operation::Replay(replay) = operation {
        return Some(replay.asked());
    }
    if let Operation::Park(park) = operation {
        return Some(park.asked());
    }
    if let Operation::Release(release) = operation { Some(release.asked()) } else { None }
}

fn blockers(plan: &mut Plan, restore: &Restore, history: &History, (is_busy, deed): (bool, Deed), cloud: &Cloud) {
    if is_busy {
        plan.block((
            format!("run {} is still at work on these rows", restore.run),
            Try::WaitForOther.says("wait until it has ended"),
        ));
    } else if history.rows.values().any(|batch| batch.outcome.is_none()) {
        let resume = cloud.environment().command(&format!("{} --resume {}", Words::from(deed).command, restore.run));
        plan.block((
            format!("it is not known how the last batch of run {} ended", restore.run),
            Try::Resume.says(format!("`{resume}` finds out")),
        ));
    }
    for name in ["outbox: server", "outbox: table", "outbox: mapping"] {
        let then = history.plan.pointer(&format!("/observed/{name}")).and_then(serde_json::Value::as_str);
        let now = plan.observed.get(name).cloned();
        if then != now.as_deref() {
            plan.block(format!(
                "{name} is not the one that the run saw: {} then, {} now",
                then.unwrap_or("?"),
                now.unwrap_or_default()
            ));
        }
    }
}

/// A snapshot that is not what the journal has is not restored from.
fn damage(
    plan: &mut Plan,
    restore: &Restore,
    snapshot: &std::path::Path,
    batches: &BTreeMap<u64, String>,
) -> Result<(), OperationError> {
    let mut intact = 0;
    for saved in SavedBatches::open(snapshot)?.into_iter().flatten() {
        let saved = saved?;
        intact += usize::from(batches.get(&saved.batch) == Some(&saved.hash));
    }
    let missing = (batches.len() - intact.min(batches.len())) as u64;
    if missing > 0 && restore.intact {
        plan.warn(format!(
            "{} of the snapshot are not as the journal has them, and are left",
            counted(missing, "batch")
        ));
    } else if missing > 0 {
        plan.block((
            format!("{} of the snapshot are not as the journal has them", counted(missing, "batch")),
            Try::GiveOther.says("--intact puts back the others"),
        ));
    }
    Ok(())
}
