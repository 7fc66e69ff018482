//! Failover: another instance of a database writes.

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    Bound, Calls, Counts, Left, OperationError, Planned, Planner, Stopping, Verb,
    bound::FailOver,
    resolve::suggestions,
    values::{duration, in_words},
};
use crate::{
    cloud::{
        Cloud, CloudError,
        metrics::{Series, Statistic},
    },
    databases::{self, Capacity},
    domain::{
        RunId, Text,
        database::{Database, DatabaseEvent, Member, SourceKind, Topology},
        endpoint::Dialect,
    },
    journal::History,
    operations::plan::{Call, Fact, Plan},
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
    if let Some(planned) = asked_already(planner)? {
        return Ok(planned);
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
        let text = format!("run {run} asked for a failover of it and was never ended: look with --resume {run} first");
        plan.blockers.push(Text::line(&text));
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
        let events = cloud.rds().events(Some((database.topology.kind(), &database.name)), RECENT_MINUTES);
        let (capacity, events, pending, lag_milliseconds) = tokio::join!(
            databases::capacity(cloud, database),
            events,
            cloud.rds().pending(),
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
    let samples = cloud.metrics().named(&LAG, &[target]).await.ok()?;
    samples.newest(target).map(|sample| sample.value)
}

/// A run that is taken up, whose journal says that the failover was asked for: never asked for again.
fn asked_already(planner: &Planner) -> Result<Option<Planned>, OperationError> {
    let Some(run) = &planner.resuming else { return Ok(None) };
    let history = History::read(&planner.state.open(run)?)?;
    let Some((asked_at, asked)) = history.failover_asked else { return Ok(None) };
    let bound: FailOver = serde_json::from_value(asked).map_err(|error| {
        OperationError::usage(&format!("run {run} has no failover that can be read: {error}"), "look at the database")
    })?;
    let plan: Plan = serde_json::from_value(history.plan).map_err(|error| {
        OperationError::usage(&format!("run {run} has no plan that can be read: {error}"), "start a new run")
    })?;
    Ok(Some(Planned { plan, bound: Bound::FailOver(Box::new(FailOver { asked_at: Some(asked_at), ..bound })) }))
}

async fn resolve(failover: &Failover, cloud: &Cloud) -> Result<Database, OperationError> {
    let given = failover.database.trim();
    if given.is_empty() {
        return Err(OperationError::usage("no database was named", "give the name of a cluster or an instance"));
    }
    check_place(cloud, given)?;
    let name = given.rsplit(':').next().unwrap_or(given).to_ascii_lowercase();
    if let Some(database) = cloud.rds().database(&name).await? {
        return Ok(database);
    }
    if let Some(cluster) = cloud.rds().cluster_of(&name).await? {
        let what = format!("{name} is an instance of the cluster {cluster}, which fails over as a whole");
        return Err(OperationError::usage(&what, &format!("fail over {cluster}; `--to {name}` lets that one write")));
    }
    if let Ok(Some(global)) = cloud.rds().global(&name).await {
        let what = format!("{name} is a global cluster: opsctl fails over within a region only");
        let members: Vec<&str> = global.members.iter().filter_map(|member| member.arn.rsplit(':').next()).collect();
        let hint = format!(
            "fail over its cluster ({}); to let another region write: aws rds switchover-global-cluster",
            members.join(", ")
        );
        return Err(OperationError::usage(&what, &hint));
    }
    let environment = cloud.environment();
    let names = cloud.rds().databases().await.map(|all| all.list).unwrap_or_default();
    let names: Vec<String> = names.into_iter().map(|database| database.name).collect();
    let alike = suggestions(&name, &names);
    let hint = match alike.is_empty() {
        true => format!("see `{}`", environment.command("databases")),
        false => format!("did you mean {}?", alike.join(", ")),
    };
    Err(OperationError::usage(
        &format!("there is no database {given} in {} ({})", environment.name, environment.region),
        &hint,
    ))
}

/// A database of another account or region is another environment's, whatever its name.
fn check_place(cloud: &Cloud, given: &str) -> Result<(), OperationError> {
    let Some(rest) = given.strip_prefix("arn:") else { return Ok(()) };
    let environment = cloud.environment();
    let parts: Vec<&str> = rest.split(':').collect();
    let [_, "rds", region, account, "cluster" | "db", _] = parts.as_slice() else {
        let hint = "a database's ARN looks like arn:aws:rds:eu-west-1:123456789012:cluster:name";
        return Err(OperationError::usage(&format!("{given} is no database's ARN"), hint));
    };
    let is_elsewhere = environment.account.as_ref().is_some_and(|pinned| pinned.0 != *account);
    if is_elsewhere || *region != environment.region {
        let pinned = environment.account.as_ref().map_or("any account", |account| account.0.as_str());
        let what = format!("{given} is not in {} ({pinned}, {})", environment.name, environment.region);
        return Err(OperationError::usage(&what, "choose the environment that it is in with --env"));
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
            return Err(OperationError::usage(&what, "leave --to out"));
        }
        (Some(_), SourceKind::Cluster) if chooses_by_itself(database) => {
            let what =
                format!("{} is a Multi-AZ DB cluster of MySQL: RDS lets nobody choose who writes", database.name);
            return Err(OperationError::usage(&what, "leave --to out"));
        }
        (Some(to), SourceKind::Cluster) => {
            let to = to.trim().to_ascii_lowercase();
            if !database.members.iter().any(|member| member.name == to) {
                let names: Vec<String> = readers().map(|member| member.name.clone()).collect();
                let hint = format!("it can be one of: {}", names.join(", "));
                return Err(OperationError::usage(&format!("{to} is no instance of {}", database.name), &hint));
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
        writer: database.writer().map(|writer| writer.name.clone()),
        target,
        zone: zone(database.writer()),
        standby_zone: database.standby_zone.as_ref().map(ToString::to_string),
        endpoint: database.endpoint.clone(),
        dialect: Dialect::of(database.engine.as_str()),
        rto_seconds: cloud.environment().databases.rto_seconds(&database.name),
        asked_at: None,
    })
}

/// What the plan rests on: with another writer it is another plan.
fn observe(plan: &mut Plan, database: &Database, bound: &FailOver) {
    let none = || "none".to_owned();
    let mut note = |name: &str, value: String| plan.observed.insert(name.to_owned(), value);
    note("database: arn", database.arn.clone());
    note("topology", database.topology.words().to_owned());
    note("writer", bound.writer.clone().unwrap_or_else(none));
    note("target", bound.target.clone().unwrap_or_else(none));
    if database.topology.kind() == SourceKind::Instance {
        note("zone", bound.zone.clone().unwrap_or_else(none));
        note("standby's zone", bound.standby_zone.clone().unwrap_or_else(none));
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
    plan.observed.insert("check".to_owned(), words.clone());
    plan.facts.push(Fact { label: "afterwards".to_owned(), value: Text::line(&words) });
}

fn facts(plan: &mut Plan, database: &Database, bound: &FailOver, look: &Scene) {
    let (action, seconds) = call(database.topology);
    plan.summary = Text::line(&match (&bound.target, &bound.standby_zone) {
        (Some(target), _) => format!("let {target} write in place of {}", bound.writer.as_deref().unwrap_or("nobody")),
        (None, Some(zone)) => format!("let the standby in {zone} take over {}", database.name),
        (None, None) => format!("let another instance of {} write", database.name),
    });
    let mut fact =
        |label: &str, value: String| plan.facts.push(Fact { label: label.to_owned(), value: Text::line(&value) });
    fact("database", format!("{} ({} {})", database.name, database.engine, database.version));
    fact("arn", database.arn.clone());
    fact("topology", database.words());
    fact("status", database.status.to_string());
    if let Some(writer) = database.writer() {
        fact("from", in_short(writer));
    }
    let target = database.members.iter().find(|member| Some(&member.name) == bound.target.as_ref());
    if let Some(target) = target {
        fact("to", in_short(target));
        fact("why this one", why(target, database, plan_names_it(bound, database)));
        let lag = look.lag_milliseconds.map(|lag| format!("{lag:.0} ms"));
        fact("behind by", lag.unwrap_or_else(|| "not known".to_owned()));
    } else if let Some(zone) = &bound.standby_zone {
        fact("to", format!("its standby in {zone}"));
    }
    let rto = bound.rto_seconds.map(|seconds| format!("{} (configured)", in_words(seconds)));
    fact("RTO", rto.unwrap_or_else(|| "none configured".to_owned()));
    plan.changes
        .push(Text::from("connections to the writer and the target break for some seconds; clients must reconnect"));
    if database.topology.kind() == SourceKind::Cluster {
        plan.changes.push(Text::from("the writer of now restarts and goes on as a reader"));
    }
    plan.calls.push(Call { action: action.to_owned(), resource: Text::line(&database.name), times_estimate: 1 });
    plan.seconds_estimate = Some(seconds);
}

/// Whether the target is the one that AWS would choose, too.
fn plan_names_it(bound: &FailOver, database: &Database) -> bool {
    database.readers().next().map(|first| &first.name) == bound.target.as_ref()
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

fn why(target: &Member, database: &Database, is_first: bool) -> String {
    let tier = target.tier.map_or("an unknown tier".to_owned(), |tier| format!("tier {tier}"));
    let among = database.readers().count();
    match (among, is_first) {
        (1, _) => format!("the only reader ({tier})"),
        (_, true) => format!("{tier}: the first to be promoted of {among} readers"),
        (_, false) => {
            let first = database.readers().next().map_or("?", |first| first.name.as_str());
            format!("{tier}; by tier and class it would be {first}")
        }
    }
}

/// What speaks against it, and what should be known first.
fn judge(plan: &mut Plan, database: &Database, bound: &FailOver, look: &Scene) {
    let mut blockers = Vec::new();
    let is_cluster = database.topology.kind() == SourceKind::Cluster;
    if database.topology == Topology::Single {
        blockers.push("a single instance: nothing could take over".to_owned());
    }
    if is_cluster && database.readers().next().is_none() {
        blockers.push("there is no reader: nothing could take over".to_owned());
    }
    match &database.global {
        _ if !is_cluster || bound.writer.is_some() => {}
        Some(global) => {
            blockers.push(format!("another region's cluster of {global} writes: here nobody can take over"))
        }
        None => blockers.push("nobody writes as RDS tells it: look again in a moment".to_owned()),
    }
    if bound.target.is_some() && bound.target == bound.writer {
        blockers.push(format!("{} writes already", bound.target.as_deref().unwrap_or_default()));
    }
    if database.status.as_str() != "available" {
        blockers.push(format!("{} is {}, not available", database.name, database.status));
    }
    let target = database.members.iter().find(|member| Some(&member.name) == bound.target.as_ref());
    if let Some(target) = target.filter(|target| !target.is_available()) {
        let status = target.status.as_ref().map_or("of unknown status", Text::as_str);
        blockers.push(format!("{} is {status}, not available", target.name));
    }
    plan.blockers.extend(blockers.iter().map(|blocker| Text::line(blocker)));
    let mut warnings = of_the_target(database, target);
    warnings.extend(of_the_scene(look));
    if let Some(global) = &database.global {
        warnings.push(format!("it is a part of the global cluster {global}: this fails over within the region only"));
    }
    if let Some(rto) = bound.rto_seconds.filter(|rto| *rto < call(database.topology).1) {
        let usual = call(database.topology).1;
        warnings.push(format!(
            "the RTO of {} is less than it usually takes (about {})",
            in_words(rto),
            in_words(usual)
        ));
    }
    plan.warnings.extend(warnings.iter().map(|warning| Text::line(warning)));
}

fn of_the_target(database: &Database, target: Option<&Member>) -> Vec<String> {
    let (Some(target), Some(writer)) = (target, database.writer()) else { return Vec::new() };
    let mut warnings = Vec::new();
    if target.class_size() < writer.class_size() {
        let class = |member: &Member| member.class.as_ref().map_or("?", Text::as_str).to_owned();
        warnings.push(format!("{} is {}, smaller than the writer's {}", target.name, class(target), class(writer)));
    }
    let is_serverless = target.class.as_ref().is_some_and(|class| class.as_str() == "db.serverless");
    if is_serverless && target.tier.is_none_or(|tier| tier >= TIER_OF_ITS_OWN) {
        warnings.push(format!("{} is serverless and scales apart from the writer: it may be small", target.name));
    }
    warnings
}

fn of_the_scene(look: &Scene) -> Vec<String> {
    let mut warnings = Vec::new();
    match &look.events {
        Ok(events) => {
            let last = events.iter().rev().find(|event| event.is_of("failover"));
            warnings.extend(last.map(|event| {
                let ago = look.now.duration_since(event.at).max(SignedDuration::ZERO).as_secs_f64();
                format!("{} ago: {}; RDS may abandon another failover soon after one", duration(ago), event.message)
            }));
        }
        Err(error) => warnings.push(format!("whether it failed over lately is not known: {error}")),
    }
    match &look.pending {
        Ok(pending) => warnings.extend(pending.iter().map(|pending| format!("maintenance is pending: {pending}"))),
        Err(error) => warnings.push(format!("whether maintenance is pending is not known: {error}")),
    }
    match look.capacity {
        Capacity::Paused { .. } => {
            warnings.push("it has paused: a failover wakes it, which takes 15 to 30 s or more".to_owned());
        }
        Capacity::Unknown => warnings.push("whether it has paused is not known: CloudWatch has no sample".to_owned()),
        Capacity::None | Capacity::Units { .. } => {}
    }
    if let Some(lag) = look.lag_milliseconds.filter(|lag| *lag > LAG_NOTED) {
        warnings.push(format!("the target is {lag:.0} ms behind"));
    }
    warnings
}
