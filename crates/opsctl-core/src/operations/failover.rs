//! Failover: another instance of a database writes.

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    Bound, Calls, Counts, Left, OperationError, Planned, Planner, Stopping, Verb,
    bound::FailOver,
    recorded,
    resolve::did_you_mean,
    values::{duration, in_words},
};
use crate::{
    cloud::{
        Cloud, CloudError,
        metrics::{Series, Statistic},
    },
    databases::{self, Capacity},
    domain::{Database, DatabaseEvent, Dialect, Member, RunId, SourceKind, Text, Topology, Try},
    journal::History,
    operations::plan::{Plan, labels},
};

/// A failover in the last so many minutes is worth a warning.
const RECENT_MINUTES: u32 = 60;
/// Tiers from which on a serverless reader scales by itself, and so may be small (Aurora User Guide, "Aurora Serverless v2").
const TIER_OF_ITS_OWN: u8 = 2;
/// A reader that is further behind deserves a word, in milliseconds.
const LAG_NOTED: f64 = 1_000.0;

/// How far a reader of Aurora is behind, milliseconds.
const LAG: Series = Series {
    namespace: "AWS/RDS",
    dimensions: &["DBInstanceIdentifier"],
    metric: "AuroraReplicaLag",
    statistic: Statistic::Maximum,
    period_seconds: 60,
    window_seconds: 600,
};

/// Let another instance of a database write, and measure how long it took
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct Failover {
    /// Database: a cluster, or a Multi-AZ instance
    #[arg(value_name = "DATABASE", required_unless_present = "resume", default_value = "", hide_default_value = true)]
    pub database: String,
    /// Let this reader write; none: the one of the lowest promotion tier, then of the largest class
    #[arg(long, value_name = "READER")]
    pub to: Option<String>,
}

impl Verb for Failover {
    fn subject(&self) -> &str {
        &self.database
    }

    fn subject_arguments(&self) -> &'static [&'static str] {
        &["database"]
    }

    fn counts(&self) -> Counts {
        Counts::One
    }

    fn stopping(&self) -> Stopping {
        Stopping::StopsWatching
    }

    fn resume_help(&self) -> &'static str {
        "Look again at a failover whose run ended early; asks for nothing"
    }

    fn left(&self, history: &History) -> Left {
        if history.failover_asked.is_none() {
            let because = "it never asked for its failover: nothing of it is left".to_owned();
            return Left::Nothing { because, hint: "look at the database, then start a new one" };
        }
        let summary = format!("look whether {} has failed over; nothing is asked for", self.database);
        Left::Look { summary, calls: Calls::None }
    }

    fn plan<'a>(&'a self, cloud: &'a Cloud, planner: &'a Planner) -> BoxFuture<'a, Result<Planned, OperationError>> {
        Box::pin(plan(self, cloud, planner))
    }
}

/// Observes and plans. A run that has asked for its failover already only looks: its plan is what was approved.
async fn plan(failover: &Failover, cloud: &Cloud, planner: &Planner) -> Result<Planned, OperationError> {
    if let Some((run, history)) = planner.taken_up()?
        && let Some((asked_at, asked)) = &history.failover_asked
    {
        let asked = recorded((run, "failover"), asked, "look at the database")?;
        let plan = recorded((run, "plan"), &history.plan, "start a new run")?;
        return Ok(Planned { plan, bound: Bound::FailOver(Box::new(FailOver { asked_at: Some(*asked_at), ..asked })) });
    }
    let database = resolve(failover, cloud).await?;
    let mut plan = planner.draft();
    plan.resource = Text::line(&database.name);
    let bound = bind(failover, cloud, &database)?;
    observe(&mut plan, &database, &bound);
    let look = Scene::look(cloud, &database, &bound).await;
    facts(&mut plan, &database, &bound, &look);
    check(&mut plan, cloud, &bound);
    judge(&mut plan, &database, &bound, &look);
    for run in unsettled(planner, &database)? {
        let look = cloud.environment().command(&format!("failover --resume {run}"));
        plan.block((
            format!("run {run} asked for a failover of it and was never ended"),
            Try::Resume.says(format!("`{look}` looks what became of it")),
        ));
    }
    Ok(Planned { plan, bound: Bound::FailOver(Box::new(bound)) })
}

/// Runs that asked for a failover of this database and have no end: killed, or still at it. RDS may show nothing of it yet.
fn unsettled(planner: &Planner, database: &Database) -> Result<Vec<RunId>, OperationError> {
    let mut found = Vec::new();
    for summary in planner.state.list()? {
        let is_of_it = summary.plan_text("/observed/database: arn") == Some(database.arn.as_str());
        let is_open = summary.end().is_none() && planner.resuming.as_ref() != Some(&summary.run);
        if is_of_it && is_open && History::read(&planner.state.open(&summary.run)?)?.failover_asked.is_some() {
            found.push(summary.run);
        }
    }
    Ok(found)
}

/// What is known besides what the database says of itself.
struct Scene {
    now: Timestamp,
    capacity: Capacity,
    lag_milliseconds: Option<f64>,
    events: Result<Vec<DatabaseEvent>, CloudError>,
    pending: Result<Vec<Text>, CloudError>,
}

impl Scene {
    async fn look(cloud: &Cloud, database: &Database, bound: &FailOver) -> Self {
        let events = cloud.rds.events(Some((database.topology.kind(), &database.name)), RECENT_MINUTES);
        let (capacity, events, pending, lag_milliseconds) = tokio::join!(
            databases::capacity(cloud, database),
            events,
            cloud.rds.pending(),
            lag(cloud, database, bound.target.as_deref())
        );
        let arn_ends = |arn: &str| {
            let name = arn.rsplit(':').next().unwrap_or_default();
            arn == database.arn || database.members.iter().any(|member| member.name == name)
        };
        let pending = pending.map(|all| {
            let ours = all.into_iter().filter(|(arn, _)| arn_ends(arn)).flat_map(|(_, pending)| pending);
            ours.map(|pending| Text::line(&format!("{} ({})", pending.action, pending.description))).collect()
        });
        Self { now: cloud.clock().now(), capacity, lag_milliseconds, events, pending }
    }
}

async fn lag(cloud: &Cloud, database: &Database, target: Option<&str>) -> Option<f64> {
    let target = target.filter(|_| database.topology == Topology::Aurora)?;
    let samples = cloud.metrics.named(&LAG, &[target]).await.ok()?;
    samples.newest(target).map(|sample| sample.value)
}

async fn resolve(failover: &Failover, cloud: &Cloud) -> Result<Database, OperationError> {
    let given = failover.database.trim();
    if given.is_empty() {
        return Err(OperationError::usage(
            "no database was named",
            Try::NameIt.says("give the name of a cluster or an instance"),
        ));
    }
    check_place(cloud, given)?;
    let name = given.rsplit(':').next().unwrap_or(given).to_ascii_lowercase();
    if let Some(database) = cloud.rds.database(&name).await? {
        return Ok(database);
    }
    if let Some(cluster) = cloud.rds.cluster_of(&name).await? {
        let what = format!("{name} is an instance of the cluster {cluster}, which fails over as a whole");
        return Err(OperationError::usage(
            &what,
            Try::UseOther.says(format!("fail over {cluster}; `--to {name}` lets that one write")),
        ));
    }
    if let Ok(Some(global)) = cloud.rds.global(&name).await {
        let what = format!("{name} is a global cluster: opsctl fails over within a region only");
        let members: Vec<&str> = global.members.iter().filter_map(|member| member.arn.rsplit(':').next()).collect();
        let hint = format!(
            "fail over its cluster ({}); to let another region write: aws rds switchover-global-cluster",
            members.join(", ")
        );
        return Err(OperationError::usage(&what, Try::UseOther.says(&hint)));
    }
    let environment = cloud.environment();
    let names = cloud.rds.databases().await.map(|all| all.list).unwrap_or_default();
    let names: Vec<String> = names.into_iter().map(|database| database.name).collect();
    let hint = did_you_mean(&name, &names).unwrap_or_else(|| format!("see `{}`", environment.command("databases")));
    let what = format!("there is no database {given} in {} ({})", environment.name, environment.region);
    Err(OperationError::usage(&what, Try::NameAnother.says(&hint)))
}

/// A database of another account or region is another environment's, whatever its name.
fn check_place(cloud: &Cloud, given: &str) -> Result<(), OperationError> {
    let Some(rest) = given.strip_prefix("arn:") else { return Ok(()) };
    let environment = cloud.environment();
    let parts: Vec<&str> = rest.split(':').collect();
    let [_, "rds", region, account, "cluster" | "db", _] = parts.as_slice() else {
        let hint = "a database's ARN looks like arn:aws:rds:eu-west-1:123456789012:cluster:name";
        return Err(OperationError::usage(&format!("{given} is no database's ARN"), Try::WriteItSo.says(hint)));
    };
    let is_elsewhere = environment.account.as_ref().is_some_and(|pinned| pinned.0 != *account);
    if is_elsewhere || *region != environment.region {
        let pinned = environment.account.as_ref().map_or("any account", |account| account.0.as_str());
        let what = format!("{given} is not in {} ({pinned}, {})", environment.name, environment.region);
        return Err(OperationError::usage(
            &what,
            Try::ChooseEnvironment.says("choose the environment that it is in with --env"),
        ));
    }
    Ok(())
}

/// RDS takes no target for these (RDS API reference, FailoverDBCluster): it chooses.
fn chooses_by_itself(database: &Database) -> bool {
    database.topology == Topology::MultiAzCluster && Dialect::of(database.engine.as_str()) == Some(Dialect::Mysql)
}

/// Who shall write: as asked for, else the first to be promoted of those that are available, else the first.
fn bind(failover: &Failover, cloud: &Cloud, database: &Database) -> Result<FailOver, OperationError> {
    let readers = || database.readers();
    let target = match (&failover.to, database.topology.kind()) {
        (Some(_), SourceKind::Instance) => {
            let what =
                format!("{} is a {}: its standby has no name to choose", database.name, database.topology.words());
            return Err(OperationError::usage(&what, Try::LeaveOut.says("leave --to out")));
        }
        (Some(_), SourceKind::Cluster) if chooses_by_itself(database) => {
            let what =
                format!("{} is a Multi-AZ DB cluster of MySQL: RDS lets nobody choose who writes", database.name);
            return Err(OperationError::usage(&what, Try::LeaveOut.says("leave --to out")));
        }
        (Some(to), SourceKind::Cluster) => {
            let to = to.trim().to_ascii_lowercase();
            if !database.members.iter().any(|member| member.name == to) {
                let names: Vec<String> = readers().map(|member| member.name.clone()).collect();
                let hint = format!("it can be one of: {}", names.join(", "));
                return Err(OperationError::usage(
                    &format!("{to} is no instance of {}", database.name),
                    Try::NameAnother.says(&hint),
                ));
            }
            Some(to)
        }
        (None, SourceKind::Instance) => None,
        (None, SourceKind::Cluster) if chooses_by_itself(database) => None,
        (None, SourceKind::Cluster) => {
            readers().find(|reader| reader.is_available()).or(readers().next()).map(|reader| reader.name.clone())
        }
    };
    let zone = |member: Option<&Member>| member.and_then(|member| member.zone.as_ref()).map(ToString::to_string);
    Ok(FailOver {
        database: database.name.clone(),
        topology: database.topology,
        writer: database.primary().map(|writer| writer.name.clone()),
        target,
        zone: zone(database.primary()),
        standby_zone: database.standby_zone.as_ref().map(ToString::to_string),
        endpoint: database.endpoint.clone(),
        dialect: Dialect::of(database.engine.as_str()),
        rto_seconds: cloud.environment().databases.rto_seconds(&database.name),
        asked_at: None,
    })
}

/// What the plan rests on: with another writer it is another plan.
fn observe(plan: &mut Plan, database: &Database, bound: &FailOver) {
    plan.observe("database: arn", &database.arn);
    plan.observe("topology", database.topology.words());
    plan.observe("writer", bound.writer.as_deref().unwrap_or("none"));
    plan.observe("target", bound.target.as_deref().unwrap_or("none"));
    if database.topology.kind() == SourceKind::Instance {
        plan.observe("zone", bound.zone.as_deref().unwrap_or("none"));
        plan.observe("standby's zone", bound.standby_zone.as_deref().unwrap_or("none"));
    }
}

/// How it is proven that it answers again: a part of what is agreed to, for a connection wakes what has paused.
fn check(plan: &mut Plan, cloud: &Cloud, bound: &FailOver) {
    let check = cloud.environment().databases.check(&bound.database);
    let words = match (&bound.endpoint, check, bound.dialect) {
        (None, ..) => "nothing: RDS names no endpoint".to_owned(),
        (Some(endpoint), Some(check), Some(_)) => format!("connects to {endpoint} and {}", check.words()),
        (Some(endpoint), None, _) => format!("connects to {endpoint} and hangs up: no check by SQL is configured"),
        (Some(endpoint), Some(_), None) => format!("connects to {endpoint} and hangs up: its engine can't be asked"),
    };
    plan.fact("afterwards", &words);
    plan.observe("check", words);
}

fn facts(plan: &mut Plan, database: &Database, bound: &FailOver, look: &Scene) {
    let (action, seconds) = call(database.topology);
    plan.summary = Text::line(&match (&bound.target, &bound.standby_zone) {
        (Some(target), _) => format!("let {target} write in place of {}", bound.writer.as_deref().unwrap_or("nobody")),
        (None, Some(zone)) => format!("let the standby in {zone} take over {}", database.name),
        (None, None) => format!("let another instance of {} write", database.name),
    });
    plan.fact("database", format!("{} ({} {})", database.name, database.engine, database.version));
    plan.fact("arn", &database.arn);
    plan.fact("topology", database.words());
    plan.fact("status", database.status.as_str());
    if let Some(writer) = database.writer() {
        plan.fact(labels::FROM, in_short(writer));
    }
    let target = database.members.iter().find(|member| Some(&member.name) == bound.target.as_ref());
    if let Some(target) = target {
        plan.fact(labels::TO, in_short(target));
        plan.fact("why this one", why(target, database));
        let lag = look.lag_milliseconds.map(|lag| format!("{lag:.0} ms"));
        plan.fact("behind by", lag.as_deref().unwrap_or("not known"));
    } else if let Some(zone) = &bound.standby_zone {
        plan.fact(labels::TO, format!("its standby in {zone}"));
    }
    let rto = bound.rto_seconds.map(|seconds| format!("{} (configured)", in_words(seconds)));
    plan.fact("RTO", rto.as_deref().unwrap_or("none configured"));
    plan.change("connections to the writer and the target break for some seconds; clients must reconnect");
    if database.topology.kind() == SourceKind::Cluster {
        plan.change("the writer of now restarts and goes on as a reader");
    }
    plan.call(action, None, 1);
    plan.seconds_estimate = Some(seconds);
}

/// The call, and about how long it takes (Aurora and RDS User Guides).
fn call(topology: Topology) -> (&'static str, u64) {
    match topology {
        Topology::Aurora => ("rds:FailoverDBCluster", 30),
        Topology::MultiAzCluster => ("rds:FailoverDBCluster", 35),
        Topology::MultiAzInstance | Topology::Single => ("rds:RebootDBInstance", 90),
    }
}

fn in_short(member: &Member) -> String {
    let text = |text: &Option<Text>| text.as_ref().map_or("?", Text::as_str).to_owned();
    format!("{} ({}, {}, {})", member.name, text(&member.class), text(&member.zone), text(&member.status))
}

fn why(target: &Member, database: &Database) -> String {
    let tier = target.tier.map_or("an unknown tier".to_owned(), |tier| format!("tier {tier}"));
    // The one that AWS would choose.
    let first = database.readers().next().map_or("?", |first| first.name.as_str());
    match database.readers().count() {
        1 => format!("the only reader ({tier})"),
        among if first == target.name => format!("{tier}: the first to be promoted of {among} readers"),
        _ => format!("{tier}; by tier and class it would be {first}"),
    }
}

/// What speaks against it, and what should be known first.
fn judge(plan: &mut Plan, database: &Database, bound: &FailOver, look: &Scene) {
    let is_cluster = database.topology.kind() == SourceKind::Cluster;
    if let Some(source) = &database.source {
        plan.block(format!("a read replica of {source}: nobody writes here; what it copies is what fails over"));
    }
    if database.topology == Topology::Single {
        plan.block("a single instance: nothing could take over");
    }
    if is_cluster && database.readers().next().is_none() {
        plan.block("there is no reader: nothing could take over");
    }
    match &database.global {
        _ if !is_cluster || bound.writer.is_some() => {}
        Some(global) => plan.block(format!("another region's cluster of {global} writes: here nobody can take over")),
        None => plan.block(("nobody writes as RDS tells it", Try::Later.says("look again in a moment"))),
    }
    if let Some(target) = bound.target.as_ref().filter(|target| bound.writer.as_ref() == Some(target)) {
        plan.block(format!("{target} writes already"));
    }
    if database.status.as_str() != "available" {
        plan.block(format!("{} is {}, not available", database.name, database.status));
    }
    let target = database.members.iter().find(|member| Some(&member.name) == bound.target.as_ref());
    if let Some(target) = target.filter(|target| !target.is_available()) {
        let status = target.status.as_ref().map_or("of unknown status", Text::as_str);
        plan.block(format!("{} is {status}, not available", target.name));
    }
    warn_of_the_target(plan, database, target);
    warn_of_the_scene(plan, look);
    if let Some(global) = &database.global {
        plan.warn(format!("it is a part of the global cluster {global}: this fails over within the region only"));
    }
    let (_, usual) = call(database.topology);
    if let Some(rto) = bound.rto_seconds.filter(|rto| *rto < usual) {
        let (rto, usual) = (in_words(rto), in_words(usual));
        plan.warn(format!("the RTO of {rto} is less than it usually takes (about {usual})"));
    }
}

fn warn_of_the_target(plan: &mut Plan, database: &Database, target: Option<&Member>) {
    let (Some(target), Some(writer)) = (target, database.writer()) else { return };
    if target.class_size() < writer.class_size() {
        let class = |member: &Member| member.class.as_ref().map_or("?", Text::as_str).to_owned();
        plan.warn(format!("{} is {}, smaller than the writer's {}", target.name, class(target), class(writer)));
    }
    let is_serverless = target.class.as_ref().is_some_and(|class| class.as_str() == "db.serverless");
    if is_serverless && target.tier.is_none_or(|tier| tier >= TIER_OF_ITS_OWN) {
        plan.warn(format!("{} is serverless and scales apart from the writer: it may be small", target.name));
    }
}

fn warn_of_the_scene(plan: &mut Plan, look: &Scene) {
    match &look.events {
        Ok(events) => {
            if let Some(event) = events.iter().rev().find(|event| event.is_of("failover")) {
                let ago = duration(look.now.duration_since(event.at).max(SignedDuration::ZERO).as_secs_f64());
                plan.warn(format!("{ago} ago: {}; RDS may abandon another failover soon after one", event.message));
            }
        }
        Err(error) => plan.warn(format!("whether it failed over lately is not known: {error}")),
    }
    match &look.pending {
        Ok(pending) => pending.iter().for_each(|pending| plan.warn(format!("maintenance is pending: {pending}"))),
        Err(error) => plan.warn(format!("whether maintenance is pending is not known: {error}")),
    }
    match look.capacity {
        Capacity::Paused { .. } => plan.warn("it has paused: a failover wakes it, which takes 15 to 30 s or more"),
        Capacity::Unknown => plan.warn("whether it has paused is not known: CloudWatch has no sample"),
        Capacity::None | Capacity::Units { .. } => {}
    }
    if let Some(lag) = look.lag_milliseconds.filter(|lag| *lag > LAG_NOTED) {
        plan.warn(format!("the target is {lag:.0} ms behind"));
    }
}
