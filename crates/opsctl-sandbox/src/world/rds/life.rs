//! Clusters and instances are created, modified, stopped, started and deleted; each takes its time.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::{
    Capacity, Cluster, Instance, Place, Xml,
    change::{cluster_state, event, instance_state, no_cluster, no_instance},
    describe::write_instance,
    events::{Category, Event, SourceType},
    request::{Request, invalid},
    settings::combination,
};
use crate::world::{ApiError, call::Answered};

/// How long things take, seconds (AWS takes minutes for each; how many is our assumption).
const CREATES: i64 = 150;
const CLUSTER_CREATES: i64 = 40;
const DELETES: i64 = 60;
const STOPS: i64 = 60;
const STARTS: i64 = 120;
const MODIFIES: i64 = 120;
/// Storage of an instance, GiB.
const STORAGE_DEFAULT: i64 = 20;
const STORAGE_MAX: i64 = 65_536;

/// What becomes of a cluster or an instance later.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::world) enum Becomes {
    Status(&'static str),
    /// Available again, with this event.
    Available(Category, &'static str),
    Class(String),
    Gone,
}

pub(in crate::world) type Later = VecDeque<(i64, Becomes)>;

fn plan(now: i64, steps: impl IntoIterator<Item = (i64, Becomes)>) -> Later {
    steps.into_iter().map(|(after, becomes)| (now + after * 1_000, becomes)).collect()
}

impl Place {
    /// Lets pass what was begun here.
    pub(super) fn live(&mut self, now: i64, events: &mut Vec<Event>) {
        let mut gone = Vec::new();
        for instance in self.instances.values_mut() {
            while let Some((at, becomes)) = instance.later.pop_front_if(|(at, _)| *at <= now) {
                match becomes {
                    Becomes::Status(status) => status.clone_into(&mut instance.status),
                    Becomes::Class(class) => instance.class = class,
                    Becomes::Available(category, words) => {
                        "available".clone_into(&mut instance.status);
                        instance.blink = instance.blink.map(|(from, until)| (from, until.min(at)));
                        events.push(event(at, SourceType::Instance, &instance.name, category, words.to_owned()));
                    }
                    Becomes::Gone => {
                        events.push(event(
                            at,
                            SourceType::Instance,
                            &instance.name,
                            Category::Deletion,
                            "DB instance deleted".to_owned(),
                        ));
                        gone.push(instance.name.clone());
                    }
                }
            }
        }
        for name in gone {
            self.instances.remove(&name);
            self.clusters.values_mut().for_each(|cluster| cluster.members.retain(|member| *member != name));
        }
        let mut gone = Vec::new();
        for cluster in self.clusters.values_mut() {
            while let Some((at, becomes)) = cluster.later.pop_front_if(|(at, _)| *at <= now) {
                match becomes {
                    Becomes::Status(status) => cluster.phase = Some(status),
                    Becomes::Class(_) => {}
                    Becomes::Available(category, words) => {
                        cluster.phase = None;
                        events.push(event(at, SourceType::Cluster, &cluster.name, category, words.to_owned()));
                    }
                    Becomes::Gone => gone.push((at, cluster.name.clone())),
                }
            }
        }
        for (at, name) in gone {
            self.clusters.remove(&name);
            events.push(event(at, SourceType::Cluster, &name, Category::Deletion, "DB cluster deleted".to_owned()));
        }
    }

    pub(super) fn create_instance(&mut self, request: &Request) -> Answered<Xml> {
        let name = request.required("DBInstanceIdentifier")?;
        let class = required(request, "DBInstanceClass")?;
        let engine = required(request, "Engine")?;
        if self.instances.contains_key(&name) {
            return Err(ApiError::plain(400, "DBInstanceAlreadyExists", "DB instance already exists"));
        }
        let cluster = request.identifier("DBClusterIdentifier");
        let of = match &cluster {
            None => None,
            Some(cluster) => Some(self.clusters.get_mut(cluster).ok_or_else(|| no_cluster(cluster))?),
        };
        if of.is_none() && engine.starts_with("aurora") {
            return Err(combination("DBClusterIdentifier is required for an Aurora DB instance."));
        }
        let version = request.field("EngineVersion").map(str::to_owned);
        let version = of
            .as_ref()
            .map(|cluster| cluster.version.clone())
            .or(version)
            .unwrap_or_else(|| newest(&engine).to_owned());
        let region = &request.caller.region;
        let zone =
            request.field("AvailabilityZone").map_or_else(|| format!("{region}{}", zone_of(&name)), str::to_owned);
        let at = Timestamp::from_millisecond(request.now).unwrap_or_default();
        let mut instance = Instance {
            cluster: cluster.clone(),
            status: "creating".to_owned(),
            ..Instance::new(&name, &class, &engine, &version, &zone, at)
        };
        instance.storage = storage(request)?.unwrap_or(STORAGE_DEFAULT as u32);
        instance.tier = request.number("PromotionTier")?.and_then(|tier| u8::try_from(tier).ok());
        instance.secondary_zone = request.flag("MultiAZ").then(|| other_zone(region, &zone));
        if let Some(cluster) = &of {
            instance.settings = cluster.settings.clone();
            instance.settings.parameter_group = None;
        }
        instance.settings.take(request, "DBParameterGroupName")?;
        instance.later = plan(
            request.now,
            [
                (CREATES, Becomes::Status("backing-up")),
                (CREATES + 30, Becomes::Available(Category::Creation, "DB instance created")),
            ],
        );
        if let Some(cluster) = of {
            cluster.members.push(name.clone());
        }
        self.instances.insert(name.clone(), instance);
        self.told_instance(&name, request)
    }

    pub(super) fn create_cluster(&mut self, request: &Request) -> Answered<Xml> {
        let name = request.required("DBClusterIdentifier")?;
        let engine = required(request, "Engine")?;
        if self.clusters.contains_key(&name) {
            return Err(ApiError::plain(400, "DBClusterAlreadyExistsFault", "DB Cluster already exists"));
        }
        let version = request.field("EngineVersion").unwrap_or_else(|| newest(&engine)).to_owned();
        let at = Timestamp::from_millisecond(request.now).unwrap_or_default();
        let mut cluster = Cluster::new(&name, &engine, &version, &[], at);
        cluster.settings.take(request, "DBClusterParameterGroupName")?;
        cluster.has_data_api = request.flag("EnableHttpEndpoint");
        cluster.capacity = capacity(request, None)?;
        cluster.phase = Some("creating");
        cluster.later =
            plan(request.now, [(CLUSTER_CREATES, Becomes::Available(Category::Creation, "DB cluster created"))]);
        if !cluster.is_aurora() {
            // A Multi-AZ DB cluster brings its instances along.
            let class = required(request, "DBClusterInstanceClass")?;
            for number in 1..=3_u8 {
                let member = format!("{name}-instance-{number}");
                let zone = format!("{}{}", request.caller.region, char::from(b'a' + number - 1));
                let mut instance = Instance::new(&member, &class, &engine, &version, &zone, at);
                instance.cluster = Some(name.clone());
                "creating".clone_into(&mut instance.status);
                instance.later =
                    plan(request.now, [(CREATES, Becomes::Available(Category::Creation, "DB instance created"))]);
                cluster.members.push(member.clone());
                self.instances.insert(member, instance);
            }
            cluster.later =
                plan(request.now, [(CREATES, Becomes::Available(Category::Creation, "DB cluster created"))]);
        }
        self.clusters.insert(name.clone(), cluster);
        self.told_cluster(&name, request)
    }

    pub(super) fn delete_instance(&mut self, request: &Request) -> Answered<Xml> {
        let name = request.required("DBInstanceIdentifier")?;
        let instance = self.instances.get_mut(&name).ok_or_else(|| no_instance(&name))?;
        if instance.settings.deletion_protection && instance.cluster.is_none() {
            return Err(combination(
                "Cannot delete protected DB Instance, please disable deletion protection and try again.",
            ));
        }
        let has_snapshot = request.flag("SkipFinalSnapshot") || request.field("FinalDBSnapshotIdentifier").is_some();
        if instance.cluster.is_none() && !has_snapshot {
            return Err(combination("FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."));
        }
        if instance.status == "deleting" {
            return Err(instance_state(format!("Instance {name} is already being deleted.")));
        }
        "deleting".clone_into(&mut instance.status);
        instance.blink = Some((request.now + 1_000, i64::MAX));
        instance.later = plan(request.now, [(DELETES, Becomes::Gone)]);
        self.told_instance(&name, request)
    }

    pub(super) fn delete_cluster(&mut self, request: &Request) -> Answered<Xml> {
        let name = request.required("DBClusterIdentifier")?;
        let is_going =
            |member: &String| self.instances.get(member).is_none_or(|instance| instance.status == "deleting");
        let cluster = self.clusters.get_mut(&name).ok_or_else(|| no_cluster(&name))?;
        if cluster.settings.deletion_protection {
            return Err(combination(
                "Cannot delete protected Cluster, please disable deletion protection and try again.",
            ));
        }
        if cluster.is_aurora() && !cluster.members.iter().all(is_going) {
            return Err(cluster_state(
                "Cluster cannot be deleted, it still contains DB instances in non-deleting state.".to_owned(),
            ));
        }
        if !request.flag("SkipFinalSnapshot") && request.field("FinalDBSnapshotIdentifier").is_none() {
            return Err(combination("FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."));
        }
        cluster.phase = Some("deleting");
        cluster.later = plan(request.now, [(DELETES, Becomes::Gone)]);
        for member in &cluster.members {
            if let Some(instance) = self.instances.get_mut(member) {
                "deleting".clone_into(&mut instance.status);
                instance.later = plan(request.now, [(DELETES, Becomes::Gone)]);
            }
        }
        self.told_cluster(&name, request)
    }

    pub(super) fn stop_instance(&mut self, request: &Request) -> Answered<Xml> {
        let name = self.alone(request)?;
        let instance = self.instances.get_mut(&name).ok_or_else(|| no_instance(&name))?;
        stop(instance, request.now)?;
        self.told_instance(&name, request)
    }

    pub(super) fn start_instance(&mut self, request: &Request) -> Answered<Xml> {
        let name = self.alone(request)?;
        let instance = self.instances.get_mut(&name).ok_or_else(|| no_instance(&name))?;
        start(instance, request.now)?;
        self.told_instance(&name, request)
    }

    /// The instance of a request that must be of no cluster.
    fn alone(&self, request: &Request) -> Answered<String> {
        let name = request.required("DBInstanceIdentifier")?;
        let instance = self.instances.get(&name).ok_or_else(|| no_instance(&name))?;
        match &instance.cluster {
            None => Ok(name),
            Some(_) => Err(instance_state(format!(
                "{} DB instances are not eligible for stopping or starting.",
                instance.engine
            ))),
        }
    }

    pub(super) fn stop_cluster(&mut self, request: &Request) -> Answered<Xml> {
        let name = request.required("DBClusterIdentifier")?;
        let cluster = self.cluster_that_is(&name, "available")?;
        cluster.phase = Some("stopping");
        cluster.later = plan(request.now, [(STOPS, Becomes::Status("stopped"))]);
        for member in cluster.members.clone() {
            if let Some(instance) = self.instances.get_mut(&member).filter(|instance| instance.status == "available") {
                stop(instance, request.now)?;
            }
        }
        self.told_cluster(&name, request)
    }

    pub(super) fn start_cluster(&mut self, request: &Request) -> Answered<Xml> {
        let name = request.required("DBClusterIdentifier")?;
        let cluster = self.cluster_that_is(&name, "stopped")?;
        cluster.phase = Some("starting");
        cluster.later = plan(request.now, [(STARTS, Becomes::Available(Category::Notification, "DB cluster started"))]);
        for member in cluster.members.clone() {
            if let Some(instance) = self.instances.get_mut(&member).filter(|instance| instance.status == "stopped") {
                start(instance, request.now)?;
            }
        }
        self.told_cluster(&name, request)
    }

    /// Settings count at once; a class, a version or a standby waits for the maintenance window unless `ApplyImmediately` is set.
    pub(super) fn modify_instance(&mut self, request: &Request) -> Answered<Xml> {
        let name = request.required("DBInstanceIdentifier")?;
        let instance = self.instances.get_mut(&name).ok_or_else(|| no_instance(&name))?;
        if instance.status != "available" {
            return Err(instance_state(format!(
                "Database instance is not in available state: {name} is {}.",
                instance.status
            )));
        }
        let class = request.field("DBInstanceClass").filter(|class| *class != instance.class).map(str::to_owned);
        let grown = storage(request)?.filter(|size| *size != instance.storage);
        if let Some(size) = grown.filter(|size| *size < instance.storage) {
            return Err(combination(format!(
                "Requested storage size ({size}) can not be less than the current storage size ({})",
                instance.storage
            )));
        }
        instance.settings.take(request, "DBParameterGroupName")?;
        if request.field("MultiAZ").is_some() {
            let standby = other_zone(&request.caller.region, &instance.zone);
            instance.secondary_zone = request.flag("MultiAZ").then_some(standby);
        }
        let at_once = request.flag("ApplyImmediately");
        let mut pending = Vec::new();
        if at_once {
            instance.storage = grown.unwrap_or(instance.storage);
        } else {
            pending.extend(grown.map(|size| ("AllocatedStorage", size.to_string())));
            pending.extend(class.clone().map(|class| ("DBInstanceClass", class)));
        }
        instance.waiting = pending;
        match class.filter(|_| at_once) {
            Some(class) => {
                "modifying".clone_into(&mut instance.status);
                instance.blink = Some((request.now + MODIFIES * 500, request.now + MODIFIES * 1_000));
                let words = "Finished applying modification to DB instance class";
                instance.later = plan(
                    request.now,
                    [
                        (MODIFIES / 2, Becomes::Class(class)),
                        (MODIFIES, Becomes::Available(Category::ConfigurationChange, words)),
                    ],
                );
            }
            None if grown.is_some() && at_once => {
                "modifying".clone_into(&mut instance.status);
                let words = "Finished applying modification to allocated storage";
                instance.later =
                    plan(request.now, [(MODIFIES, Becomes::Available(Category::ConfigurationChange, words))]);
            }
            None => {}
        }
        self.told_instance(&name, request)
    }

    pub(super) fn modify_cluster(&mut self, request: &Request) -> Answered<Xml> {
        let name = request.required("DBClusterIdentifier")?;
        let cluster = self.cluster_that_is(&name, "available")?;
        cluster.settings.take(request, "DBClusterParameterGroupName")?;
        if request.field("EnableHttpEndpoint").is_some() {
            cluster.has_data_api = request.flag("EnableHttpEndpoint");
        }
        cluster.capacity = capacity(request, cluster.capacity.clone())?;
        self.told_cluster(&name, request)
    }

    /// The cluster, in the one status in which a call takes it.
    fn cluster_that_is(&mut self, name: &str, status: &str) -> Answered<&mut Cluster> {
        let cluster = self.clusters.get_mut(name).ok_or_else(|| no_cluster(name))?;
        let is = cluster.status();
        if is != status {
            let message = format!("DbCluster {name} is in {is} state but expected it to be one of {status}.");
            return Err(cluster_state(message));
        }
        Ok(cluster)
    }

    fn told_instance(&self, name: &str, request: &Request) -> Answered<Xml> {
        let instance = self.instances.get(name).ok_or_else(|| no_instance(name))?;
        Ok(Xml::of("DBInstance", |xml| write_instance(xml, instance, request.caller)))
    }

    fn told_cluster(&self, name: &str, request: &Request) -> Answered<Xml> {
        let cluster = self.clusters.get(name).ok_or_else(|| no_cluster(name))?;
        Ok(Xml::of("DBCluster", |xml| self.write_cluster(xml, cluster, request.caller)))
    }
}

fn stop(instance: &mut Instance, now: i64) -> Answered<()> {
    if instance.status != "available" {
        return Err(instance_state(format!("Instance {} is not in available state.", instance.name)));
    }
    "stopping".clone_into(&mut instance.status);
    instance.blink = Some((now + 1_000, i64::MAX));
    instance.later = plan(now, [(STOPS, Becomes::Status("stopped"))]);
    Ok(())
}

fn start(instance: &mut Instance, now: i64) -> Answered<()> {
    if instance.status != "stopped" {
        return Err(instance_state(format!("Instance {} is not stopped.", instance.name)));
    }
    "starting".clone_into(&mut instance.status);
    instance.later = plan(now, [(STARTS, Becomes::Available(Category::Notification, "DB instance started"))]);
    Ok(())
}

fn required(request: &Request, name: &str) -> Answered<String> {
    let missing =
        || ApiError::plain(400, "MissingParameter", format!("The request must contain the parameter {name}."));
    request.field(name).map(str::to_owned).ok_or_else(missing)
}

fn storage(request: &Request) -> Answered<Option<u32>> {
    let Some(size) = request.number("AllocatedStorage")? else { return Ok(None) };
    let fits = (1..=STORAGE_MAX).contains(&size).then(|| u32::try_from(size).unwrap_or(u32::MAX));
    fits.map(Some).ok_or_else(|| invalid(format!("Invalid storage size for engine name: {size}")))
}

fn capacity(request: &Request, before: Option<Capacity>) -> Answered<Option<Capacity>> {
    let part = |name: &str| -> Answered<Option<f64>> {
        let name = format!("ServerlessV2ScalingConfiguration.{name}");
        let Some(text) = request.field(&name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| invalid(format!("Invalid value {text} for parameter {name}")))
    };
    let (minimum, maximum) = (part("MinCapacity")?, part("MaxCapacity")?);
    if minimum.is_none() && maximum.is_none() && before.is_none() {
        return Ok(None);
    }
    let mut capacity =
        before.unwrap_or(Capacity { minimum: 0.5, maximum: 1.0, current: 0.5, pause_after_seconds: None });
    capacity.minimum = minimum.unwrap_or(capacity.minimum);
    capacity.maximum = maximum.unwrap_or(capacity.maximum);
    if capacity.minimum > capacity.maximum {
        return Err(invalid("Serverless v2 minimum capacity is greater than maximum capacity.".to_owned()));
    }
    capacity.current =
        if capacity.current > 0.0 { capacity.current.clamp(capacity.minimum.max(0.5), capacity.maximum) } else { 0.0 };
    let pause = request.number("ServerlessV2ScalingConfiguration.SecondsUntilAutoPause")?;
    capacity.pause_after_seconds =
        pause.and_then(|seconds| u32::try_from(seconds).ok()).or(capacity.pause_after_seconds);
    Ok(Some(capacity))
}

fn newest(engine: &str) -> &'static str {
    match engine {
        "aurora-mysql" => "8.0.mysql_aurora.3.08.0",
        "mysql" => "8.0.40",
        "mariadb" => "11.4.4",
        _ => "16.4",
    }
}

fn zone_of(name: &str) -> char {
    char::from(b'a' + (crate::world::hash(name.bytes()) % 3) as u8)
}

fn other_zone(region: &str, zone: &str) -> String {
    let first = format!("{region}a");
    if zone == first { format!("{region}b") } else { first }
}
