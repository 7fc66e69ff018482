//! Global clusters: clusters of several regions, one of which writes; switchovers and failovers between them.
//!
//! AWS tells no figures for how long these take, only "minutes" and that a switchover waits for the lag; [`super::Times`] has our
//! assumptions.

use std::collections::BTreeMap;

use super::{
    Place, Rds,
    change::{event, no_cluster},
    events::{Category, SourceType},
    request::Request,
    xml::Xml,
};
use crate::world::{ApiError, World, call::Answered};

/// After a failover, how long the cluster that wrote takes to hold what the others hold, in milliseconds. Our assumption.
const RESYNC_MILLISECONDS: i64 = 120_000;

#[derive(Debug, Clone)]
pub struct Global {
    /// Identifier, in lower case.
    pub name: String,
    /// `aurora-mysql`, `aurora-postgresql`.
    pub engine: String,
    pub version: String,
    /// Region and name of each cluster; of the one that writes first of all.
    pub members: Vec<(String, String)>,
    /// How far the others lie behind, in milliseconds.
    pub lag_milliseconds: f64,
    /// Switchovers and failovers that began.
    pub changes: u32,
    /// Milliseconds of writes that failovers have lost.
    pub lost_milliseconds: f64,
    change: Option<Change>,
    /// Until when a cluster that wrote before a failover is resynchronised.
    resync: Option<((String, String), i64)>,
}

#[derive(Debug, Clone)]
struct Change {
    may_lose: bool,
    to: (String, String),
    flips_at: i64,
    ends_at: i64,
    has_flipped: bool,
}

type Places = BTreeMap<(String, String), Place>;

impl Global {
    /// A global cluster of these clusters (region and name), the first of which writes.
    pub fn new(name: &str, engine: &str, version: &str, members: &[(&str, &str)]) -> Self {
        Self {
            name: name.to_owned(),
            engine: engine.to_owned(),
            version: version.to_owned(),
            members: members.iter().map(|(region, name)| ((*region).to_owned(), (*name).to_owned())).collect(),
            lag_milliseconds: 180.0,
            changes: 0,
            lost_milliseconds: 0.0,
            change: None,
            resync: None,
        }
    }

    fn status(&self) -> &'static str {
        match &self.change {
            None => "available",
            Some(change) if change.may_lose => "failing-over",
            Some(_) => "switching-over",
        }
    }

    fn arn(account: &str, (region, name): &(String, String)) -> String {
        format!("arn:aws:rds:{region}:{account}:cluster:{name}")
    }
}

impl World {
    /// Adds or replaces a global cluster; its clusters are there already.
    pub fn put_global(&mut self, account: &str, global: Global) {
        for (at, (region, name)) in global.members.iter().enumerate() {
            if let Some(cluster) = self.rds.place(account, region).clusters.get_mut(name) {
                cluster.global = Some(global.name.clone());
                cluster.is_secondary = at > 0;
            }
        }
        self.rds.globals.entry(account.to_owned()).or_default().insert(global.name.clone(), global);
    }

    pub fn global(&mut self, now: jiff::Timestamp, account: &str, name: &str) -> Option<&mut Global> {
        let now = self.advance(now);
        self.rds.advance_globals(now, account);
        self.rds.globals.get_mut(account)?.get_mut(name)
    }
}

impl Rds {
    pub(super) fn describe_globals(&self, request: &Request) -> Answered<Xml> {
        let named = request.identifier("GlobalClusterIdentifier");
        // Told wherever a member is.
        let wanted = |global: &&Global| {
            named.as_ref().is_none_or(|name| *name == global.name)
                && global.members.iter().any(|(region, _)| *region == request.caller.region)
        };
        let found: Vec<&Global> =
            self.globals.get(&request.caller.account).into_iter().flat_map(BTreeMap::values).filter(wanted).collect();
        let missing = named.as_deref().map(no_global);
        let elements = ("GlobalClusters", "GlobalClusterMember");
        request.answer(
            elements,
            found,
            missing,
            |global| &global.name,
            |xml, global| write(xml, global, &request.caller.account),
        )
    }

    pub(super) fn change_global(&mut self, request: &Request, may_lose: bool) -> Answered<Xml> {
        let Request { now, caller, .. } = *request;
        let name = request.required("GlobalClusterIdentifier")?;
        let Self { globals, times, places, hosts: _ } = self;
        let global = globals.get_mut(&caller.account).and_then(|globals| globals.get_mut(&name));
        let global = global.ok_or_else(|| no_global(&name))?;
        let target = request.field("TargetDbClusterIdentifier").unwrap_or_default();
        if !target.starts_with("arn:") {
            let message = "The parameter TargetDbClusterIdentifier must be the ARN of a secondary DB cluster.";
            return Err(ApiError::plain(400, "InvalidParameterValue", message));
        }
        let place = global.members.iter().position(|member| Global::arn(&caller.account, member) == target);
        let place = place.ok_or_else(|| no_cluster(target))?;
        if global.change.is_some() {
            return Err(state(format!("Global cluster {name} is in state {}.", global.status())));
        }
        if place == 0 {
            return Err(state(format!("{target} is the primary cluster of global cluster {name} already.")));
        }
        let to = global.members[place].clone();
        if !is_ready(places, &caller.account, &to) {
            let message = format!("DB cluster {target} is not in the available state.");
            return Err(ApiError::plain(400, "InvalidDBClusterStateFault", message));
        }
        let second = |seconds: i64| now + seconds * 1_000;
        let (flips, ends) = if may_lose { times.global_failover } else { times.global_switchover };
        global.changes += 1;
        global.change = Some(Change {
            may_lose,
            to: to.clone(),
            flips_at: second(flips),
            ends_at: second(ends),
            has_flipped: false,
        });
        // The writer takes no more writes, the target is promoted: both blink.
        for member in [&global.members[0], &to] {
            blink(places, &caller.account, member, (second(3), second(flips + 5)));
        }
        tell(places, &caller.account, global, now, "started");
        Ok(Xml::of("GlobalCluster", |xml| write(xml, global, &caller.account)))
    }

    /// Lets pass what is due of an account's global clusters.
    pub(super) fn advance_globals(&mut self, now: i64, account: &str) {
        let Self { globals, places, .. } = self;
        for global in globals.get_mut(account).into_iter().flat_map(BTreeMap::values_mut) {
            global.advance(now, account, places);
        }
    }

    /// How far each secondary lies behind: account, region, cluster, milliseconds.
    pub(in crate::world) fn global_lags(&self) -> impl Iterator<Item = (&str, &str, &str, f64)> {
        self.globals.iter().flat_map(|(account, globals)| {
            globals.values().flat_map(move |global| {
                let secondaries = global.members.iter().skip(1);
                secondaries.map(move |(region, name)| {
                    (account.as_str(), region.as_str(), name.as_str(), global.lag_milliseconds)
                })
            })
        })
    }
}

impl Global {
    fn advance(&mut self, now: i64, account: &str, places: &mut Places) {
        if self.resync.as_ref().is_some_and(|(_, until)| *until <= now) {
            self.resync = None;
        }
        let Some(change) = &mut self.change else { return };
        if change.flips_at <= now && !change.has_flipped {
            change.has_flipped = true;
            let place = self.members.iter().position(|member| *member == change.to).unwrap_or_default();
            self.members.swap(0, place);
            if change.may_lose {
                self.lost_milliseconds += self.lag_milliseconds;
                self.resync = Some((self.members[place].clone(), change.ends_at + RESYNC_MILLISECONDS));
            }
            for (at, (region, name)) in self.members.iter().enumerate() {
                let place = places.get_mut(&(account.to_owned(), region.clone()));
                if let Some(cluster) = place.and_then(|place| place.clusters.get_mut(name)) {
                    cluster.is_secondary = at > 0;
                }
            }
        }
        if change.ends_at <= now {
            let (at, words) = (change.ends_at, if change.may_lose { "completed" } else { "finished" });
            tell(places, account, self, at, words);
            self.change = None;
        }
    }
}

fn write(xml: &mut Xml, global: &Global, account: &str) {
    let Global { name, engine, version, members, change, resync, .. } = global;
    xml.text("GlobalClusterIdentifier", name)
        .text("GlobalClusterResourceId", format!("cluster-{name}"))
        .text("GlobalClusterArn", format!("arn:aws:rds::{account}:global-cluster:{name}"))
        .text("Status", global.status())
        .text("Engine", engine)
        .text("EngineVersion", version)
        .text("StorageEncrypted", true)
        .text("DeletionProtection", false)
        .element("GlobalClusterMembers", |xml| {
            for (at, member) in members.iter().enumerate() {
                let is_resynchronised = resync.as_ref().is_some_and(|(other, _)| other == member);
                xml.element("GlobalClusterMember", |xml| {
                    xml.text("DBClusterArn", Global::arn(account, member))
                        .element("Readers", |xml| {
                            for reader in members.iter().skip(1).filter(|_| at == 0) {
                                xml.text("member", Global::arn(account, reader));
                            }
                        })
                        .text("IsWriter", at == 0)
                        .text("SynchronizationStatus", if is_resynchronised { "pending-resync" } else { "connected" });
                });
            }
        });
    if let Some(change) = change {
        xml.element("FailoverState", |xml| {
            let from = members.iter().find(|member| **member != change.to);
            xml.text("Status", "failing-over")
                .maybe("FromDbClusterArn", from.map(|from| Global::arn(account, from)))
                .text("ToDbClusterArn", Global::arn(account, &change.to))
                .text("IsDataLossAllowed", change.may_lose);
        });
    }
}

/// Events in each region that has a part in it (Aurora User Guide, "Amazon RDS event categories").
fn tell(places: &mut Places, account: &str, global: &Global, at: i64, word: &str) {
    let Some(Change { may_lose, to: (region, cluster), .. }) = &global.change else { return };
    let what = if *may_lose { "failover" } else { "switchover" };
    let message = format!("Global {what} to DB cluster {cluster} in Region {region} {word}.");
    for (region, name) in &global.members {
        if let Some(place) = places.get_mut(&(account.to_owned(), region.clone())) {
            place.add_event(event(at, SourceType::Cluster, name, Category::GlobalFailover, message.clone()));
        }
    }
}

fn blink(places: &mut Places, account: &str, (region, name): &(String, String), when: (i64, i64)) {
    let Some(place) = places.get_mut(&(account.to_owned(), region.clone())) else { return };
    let members = place.clusters.get(name).map(|cluster| cluster.members.clone()).unwrap_or_default();
    for member in members {
        if let Some(instance) = place.instances.get_mut(&member) {
            instance.blink = Some(when);
        }
    }
}

fn is_ready(places: &Places, account: &str, (region, name): &(String, String)) -> bool {
    let place = places.get(&(account.to_owned(), region.clone()));
    place.and_then(|place| place.clusters.get(name)).is_some_and(|cluster| cluster.failover.is_none())
}

fn no_global(name: &str) -> ApiError {
    ApiError::plain(404, "GlobalClusterNotFoundFault", format!("Global cluster {name} not found."))
}

fn state(message: String) -> ApiError {
    ApiError::plain(400, "InvalidGlobalClusterStateFault", message)
}
