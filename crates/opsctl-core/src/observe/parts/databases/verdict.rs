//! Verdicts on databases. That one has paused is a fact, and no verdict.

use jiff::{SignedDuration, Timestamp};

use super::SeenDatabase;
use crate::{
    domain::{
        Database, DatabaseGauges, Environment, Gauge, Member, Protection, SourceKind, Thresholds, Topology,
        database::is_usable,
        words::{bytes, span, thousands},
    },
    observe::verdict::{Finding, Kind, Scene, Severity, Subject, Verdict, is_fresh},
};

const MAINTENANCE_SOON: SignedDuration = SignedDuration::from_hours(7 * 24);

pub(in crate::observe::parts) fn judge(scene: &Scene<'_>, all: &mut Vec<Verdict>) {
    let Scene { environment, thresholds, snapshot, now } = *scene;
    let part = &snapshot.estate.databases;
    let one = |seen: &SeenDatabase| {
        let each = [
            standing(environment, &seen.seen.database),
            metrics(thresholds, seen, now),
            no_reader(environment, &seen.seen.database),
            maintenance(&seen.seen.database, now),
        ];
        let worst = each.into_iter().flatten().min_by_key(Finding::order);
        Some(scene.said_of(Subject::Database(seen.seen.database.name.clone()), worst?, part.at))
    };
    all.extend(part.rows.iter().filter_map(|seen| one(seen)));
}

/// What a status means for those who need the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    /// Does not come back by itself.
    Broken,
    FailingOver,
    /// On its way, or a status that this version does not know.
    Away,
    Stopped,
    Usable,
}

/// As the tables "Viewing DB cluster status" and "Viewing DB instance status" of the Aurora and RDS user guides have them.
fn state(status: &str) -> State {
    match status {
        _ if is_usable(status) => State::Usable,
        "failing-over" => State::FailingOver,
        "stopped" | "stopping" | "stopped-in-region" => State::Stopped,
        "failed"
        | "storage-full"
        | "restore-error"
        | "insufficient-capacity"
        | "cloning-failed"
        | "migration-failed" => State::Broken,
        _ if status.starts_with("incompatible-") || status.starts_with("inaccessible-") => State::Broken,
        _ => State::Away,
    }
}

fn standing(environment: &Environment, database: &Database) -> Option<Finding> {
    let is_cluster = database.topology.kind() == SourceKind::Cluster;
    // Nobody writes to a read replica.
    let is_replica = database.source.is_some();
    if database.lacks_writer() && !database.members.is_empty() {
        let reason = format!("nobody writes: none of its {} instances is the writer", database.members.len());
        return Some(match &database.global {
            // In the second region of a global database that is as it shall be.
            Some(global) if database.may_be_secondary() => {
                let reason =
                    format!("{reason}, and whether another cluster of global cluster {global} is, is not known");
                Finding(Kind::NoWriter, Severity::Warning, reason)
            }
            Some(_) | None => Finding(Kind::NoWriter, Severity::Critical, reason),
        });
    }
    let own = state(database.status.as_str());
    if own != State::Usable {
        return Some(not_available(environment, own, format!("it is {}", database.status), !is_replica));
    }
    let of = |member: &Member| member.status.as_ref().map_or(State::Usable, |status| state(status.as_str()));
    let worst = database.members.iter().min_by_key(|member| (of(member), !member.is_writer))?;
    let Some(status) = worst.status.as_ref().filter(|_| of(worst) != State::Usable) else {
        return replication(database);
    };
    // An instance by itself has its database's name.
    let who = match (worst.is_writer, worst.name == database.name) {
        (_, true) => "it".to_owned(),
        (true, false) if !is_replica => format!("its writer {}", worst.name),
        (true | false, false) if is_replica => format!("its instance {}", worst.name),
        (true | false, false) => format!("reader {}", worst.name),
    };
    let concerns_writes = !is_replica && (worst.is_writer || !is_cluster);
    Some(not_available(environment, of(worst), format!("{who} is {status}"), concerns_writes))
}

/// A replica whose replication RDS calls broken.
fn replication(database: &Database) -> Option<Finding> {
    let source = database.source.as_ref()?;
    source.trouble.as_ref()?;
    let reason = format!("read replica of {source}: what it shows is old");
    Some(Finding(Kind::ReplicaLag, Severity::Warning, reason))
}

fn not_available(environment: &Environment, state: State, reason: String, concerns_writes: bool) -> Finding {
    let (kind, severity) = match state {
        State::FailingOver => (Kind::FailingOver, Severity::Critical),
        State::Broken if concerns_writes => (Kind::DatabaseDown, Severity::Critical),
        State::Broken | State::Away => (Kind::DatabaseDown, Severity::Warning),
        // Where changes are guarded, nobody stops a database by the way.
        State::Stopped if environment.protection == Protection::TypeName => (Kind::DatabaseDown, Severity::Warning),
        State::Stopped | State::Usable => (Kind::DatabaseDown, Severity::Notice),
    };
    Finding(kind, severity, reason)
}

/// Nothing takes over although that is promised: by an objective, or by how strictly the environment is guarded.
fn no_reader(environment: &Environment, database: &Database) -> Option<Finding> {
    let objective = environment.databases.rto_seconds(&database.name);
    let is_guarded = environment.protection == Protection::TypeName;
    let can_fail_over = match database.topology {
        Topology::Aurora | Topology::MultiAzCluster => {
            database.readers().any(|reader| reader.status.as_ref().is_none_or(|status| status.as_str() == "available"))
        }
        Topology::MultiAzInstance => true,
        Topology::Single => objective.is_none(),
    };
    // Whether a cluster has instances at all, or is of no region that writes, is another matter.
    let is_meant = !database.may_be_secondary()
        && database.source.is_none()
        && !database.members.is_empty()
        && (objective.is_some() || is_guarded);
    if can_fail_over || !is_meant {
        return None;
    }
    let what = if database.readers().next().is_some() { "no reader is available" } else { "it has no reader" };
    let takes = match database.topology {
        Topology::Single => "nothing takes over",
        Topology::Aurora | Topology::MultiAzCluster | Topology::MultiAzInstance => "a failover takes up to 10 min",
    };
    Some(match objective {
        Some(seconds) => {
            let reason = format!("{what}: {takes}, and {seconds} s are promised");
            Finding(Kind::NoReader, Severity::Warning, reason)
        }
        None => Finding(Kind::NoReader, Severity::Notice, format!("{what}: {takes}")),
    })
}

/// The worst of what its instances' metrics say.
fn metrics(thresholds: &Thresholds, seen: &SeenDatabase, now: Timestamp) -> Option<Finding> {
    let each = seen.gauges.iter().filter_map(|(name, gauges)| {
        let Finding(kind, severity, reason) = of_instance(thresholds, gauges, now)?;
        let whose = if *name == seen.seen.database.name { String::new() } else { format!("{name}: ") };
        Some(Finding(kind, severity, format!("{whose}{reason}")))
    });
    each.min_by_key(Finding::order)
}

fn of_instance(thresholds: &Thresholds, gauges: &DatabaseGauges, now: Timestamp) -> Option<Finding> {
    let fresh = |gauge: &Option<Gauge>| gauge.clone().filter(|gauge| is_fresh(gauge, now));
    let ago = |gauge: &Gauge| format!("{} ago", span(now.duration_since(gauge.at)));
    let storage_least = thresholds.free_storage_bytes();
    if let Some(free) = fresh(&gauges.free_storage).filter(|free| free.value < storage_least) {
        let (left, least) = (bytes(free.value), thresholds.free_storage_gigabytes);
        let reason = format!("{left} of storage are free, less than {least} GiB ({})", ago(&free));
        return Some(Finding(Kind::FreeStorage, Severity::Critical, reason));
    }
    if let Some(lag) = fresh(&gauges.lag).filter(|lag| lag.value < 0.0) {
        let reason = format!("replication does not run ({})", ago(&lag));
        return Some(Finding(Kind::ReplicaLag, Severity::Warning, reason));
    }
    let lag_most = thresholds.replica_lag.as_secs_f64();
    if let Some(lag) = fresh(&gauges.lag).filter(|lag| lag.value / 1_000.0 > lag_most) {
        let reason = format!("{:.1} s behind the writer, over {lag_most} s ({})", lag.value / 1_000.0, ago(&lag));
        return Some(Finding(Kind::ReplicaLag, Severity::Warning, reason));
    }
    let mut over = Vec::new();
    let cpu_most = thresholds.database_cpu_percent;
    if let Some(cpu) = fresh(&gauges.cpu).filter(|cpu| cpu.value > f64::from(cpu_most)) {
        over.push(format!("CPU {:.0} % (over {cpu_most} %; {})", cpu.value, ago(&cpu)));
    }
    let connections_most = thresholds.database_connections;
    if let Some(open) = fresh(&gauges.connections).filter(|open| open.value > connections_most as f64) {
        over.push(format!("{:.0} connections (over {}; {})", open.value, thousands(connections_most), ago(&open)));
    }
    let latency_most = thresholds.database_latency.as_secs_f64();
    for (what, gauge) in [("read", &gauges.read_latency), ("write", &gauges.write_latency)] {
        if let Some(latency) = fresh(gauge).filter(|latency| latency.value > latency_most) {
            over.push(format!("a {what} takes {:.1} s (over {latency_most} s; {})", latency.value, ago(&latency)));
        }
    }
    (!over.is_empty()).then(|| Finding(Kind::DatabaseLoad, Severity::Warning, over.join(", ")))
}

fn maintenance(database: &Database, now: Timestamp) -> Option<Finding> {
    let due = database.pending.iter().filter_map(|pending| Some((pending.due_at?, pending)));
    let (at, pending) = due.min_by_key(|(at, _)| *at).filter(|(at, _)| at.duration_since(now) < MAINTENANCE_SOON)?;
    let when = match at.duration_since(now) {
        left if left.is_positive() => format!("in {}", span(left)),
        _ => "now".to_owned(),
    };
    let reason = format!("AWS means to change it {when}: {}: {}", pending.action, pending.description);
    Some(Finding(Kind::Maintenance, Severity::Notice, reason))
}
