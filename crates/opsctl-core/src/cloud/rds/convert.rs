//! From RDS's answers to our types.

use std::collections::BTreeMap;

use super::Element;
use crate::domain::{
    CapacityLimits, Database, DatabaseEvent, Endpoint, GlobalChange, GlobalCluster, GlobalMember, Member, Pending,
    Proxy, ProxyTarget, ReplicaSource, SourceKind, Text, Topology,
};

/// Engines of other services that answer here, too.
const FOREIGN: [&str; 2] = ["docdb", "neptune"];

pub(super) fn databases(
    clusters: Vec<Element>,
    instances: Vec<Element>,
    pending: &BTreeMap<String, Vec<Pending>>,
) -> Vec<Database> {
    let is_ours = |engine: Option<&str>| !engine.is_some_and(|engine| FOREIGN.contains(&engine));
    let by_name: BTreeMap<&str, &Element> =
        instances.iter().filter_map(|instance| Some((instance.word("DBInstanceIdentifier")?, instance))).collect();
    let of_clusters = clusters.iter().filter(|cluster| is_ours(cluster.word("Engine")));
    let of_clusters = of_clusters.filter_map(|cluster| of_cluster(cluster, &by_name, pending));
    let alone = instances.iter().filter(|instance| cluster_of(instance).is_none());
    let alone = alone.filter(|instance| is_ours(instance.word("Engine")));
    let mut all: Vec<Database> =
        of_clusters.chain(alone.filter_map(|instance| of_instance(instance, pending))).collect();
    all.sort_by(|left, right| left.name.cmp(&right.name));
    all
}

/// The cluster that an instance is of; emulators write none as an empty text.
pub(super) fn cluster_of(instance: &Element) -> Option<&str> {
    instance.said("DBClusterIdentifier")
}

fn of_cluster(
    cluster: &Element,
    instances: &BTreeMap<&str, &Element>,
    pending: &BTreeMap<String, Vec<Pending>>,
) -> Option<Database> {
    let name = cluster.word("DBClusterIdentifier")?.to_owned();
    let arn = cluster.word("DBClusterArn").unwrap_or_default().to_owned();
    let engine = cluster.word("Engine").unwrap_or_default();
    let mut all_pending = pending.get(&arn).cloned().unwrap_or_default();
    let mut members = Vec::new();
    for member in cluster.list("DBClusterMembers") {
        let Some(name) = member.word("DBInstanceIdentifier") else { continue };
        let instance = instances.get(name).copied();
        let told = instance.map(|instance| self::member(instance, false));
        members.push(Member {
            is_writer: member.is("IsClusterWriter"),
            tier: member.number("PromotionTier").or(told.as_ref().and_then(|told| told.tier)),
            ..told.unwrap_or_else(|| nothing_told(name))
        });
        let arn = instance.and_then(|instance| instance.word("DBInstanceArn")).unwrap_or_default();
        all_pending.extend(pending.get(arn).cloned().unwrap_or_default());
    }
    let limits = cluster.child("ServerlessV2ScalingConfiguration").and_then(|limits| {
        Some(CapacityLimits { minimum: limits.number("MinCapacity")?, maximum: limits.number("MaxCapacity")? })
    });
    let mut database = Database {
        name,
        arn,
        topology: if engine.starts_with("aurora") { Topology::Aurora } else { Topology::MultiAzCluster },
        engine: Text::line(engine),
        version: Text::line(cluster.word("EngineVersion").unwrap_or_default()),
        status: status(cluster.word("Status")),
        members,
        standby_zone: None,
        endpoint: endpoint(cluster.word("Endpoint"), cluster.number("Port")),
        limits,
        pending: all_pending,
        source: source(cluster, &["ReplicationSourceIdentifier"]),
        replicas: replicas(cluster, &["ReadReplicaIdentifiers"]),
        global: cluster.said("GlobalClusterIdentifier").map(Text::line),
        written_elsewhere: None,
    };
    database.sort_members();
    Some(database)
}

fn of_instance(instance: &Element, pending: &BTreeMap<String, Vec<Pending>>) -> Option<Database> {
    let name = instance.word("DBInstanceIdentifier")?.to_owned();
    let arn = instance.word("DBInstanceArn").unwrap_or_default().to_owned();
    let is_multi_az = instance.is("MultiAZ");
    let source = source(instance, &["ReadReplicaSourceDBInstanceIdentifier", "ReadReplicaSourceDBClusterIdentifier"]);
    Some(Database {
        topology: if is_multi_az { Topology::MultiAzInstance } else { Topology::Single },
        engine: Text::line(instance.word("Engine").unwrap_or_default()),
        version: Text::line(instance.word("EngineVersion").unwrap_or_default()),
        status: status(instance.word("DBInstanceStatus")),
        members: vec![member(instance, source.is_none())],
        endpoint: instance.child("Endpoint").and_then(|at| endpoint(at.word("Address"), at.number("Port"))),
        standby_zone: instance.said("SecondaryAvailabilityZone").map(Text::line),
        limits: None,
        pending: pending.get(&arn).cloned().unwrap_or_default(),
        source,
        replicas: replicas(instance, &["ReadReplicaDBInstanceIdentifiers", "ReadReplicaDBClusterIdentifiers"]),
        global: None,
        written_elsewhere: None,
        name,
        arn,
    })
}

/// What it is a replica of. Of an instance RDS says besides how the replication goes ("Monitoring read replication", RDS user guide).
fn source(of: &Element, keys: &[&str]) -> Option<ReplicaSource> {
    let named = keys.iter().find_map(|key| of.said(key))?;
    let replication = of.list("StatusInfos").iter().find(|info| info.word("StatusType") == Some("read replication"));
    let ill = replication.filter(|info| !info.is("Normal"));
    let trouble = ill.map(|info| {
        let [status, message] = ["Status", "Message"].map(|key| info.said(key).unwrap_or_default());
        Text::line(if message.is_empty() { status.to_owned() } else { format!("{status}: {message}") }.as_str())
    });
    Some(ReplicaSource { trouble, ..ReplicaSource::of(named) })
}

fn replicas(of: &Element, lists: &[&str]) -> Vec<Text> {
    let named = lists.iter().flat_map(|list| of.list(list));
    named.map(|replica| ReplicaSource::of(replica.text.trim()).name).filter(|name| !name.is_empty()).collect()
}

fn member(instance: &Element, is_writer: bool) -> Member {
    Member {
        name: instance.word("DBInstanceIdentifier").unwrap_or_default().to_owned(),
        is_writer,
        class: instance.word("DBInstanceClass").map(Text::line),
        status: instance.word("DBInstanceStatus").map(Text::line),
        zone: instance.word("AvailabilityZone").map(Text::line),
        tier: instance.number("PromotionTier"),
    }
}

fn nothing_told(name: &str) -> Member {
    Member { name: name.to_owned(), is_writer: false, class: None, status: None, zone: None, tier: None }
}

fn endpoint(host: Option<&str>, port: Option<u16>) -> Option<Endpoint> {
    let host = host.filter(|host| !host.is_empty())?.to_owned();
    Some(Endpoint { host, port: port.filter(|port| *port > 0)? })
}

fn status(told: Option<&str>) -> Text {
    told.map_or_else(|| Text::from("unknown"), Text::line)
}

pub(super) fn source_type(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::Cluster => "db-cluster",
        SourceKind::Instance => "db-instance",
    }
}

/// None: of a snapshot, a proxy, a parameter group and the like.
pub(super) fn event(event: &Element) -> Option<DatabaseEvent> {
    let told = event.word("SourceType")?;
    Some(DatabaseEvent {
        at: event.time("Date")?,
        kind: [SourceKind::Cluster, SourceKind::Instance].into_iter().find(|kind| source_type(*kind) == told)?,
        source: event.word("SourceIdentifier")?.to_owned(),
        categories: event.list("EventCategories").iter().map(|name| Text::line(&name.text)).collect(),
        message: text(event, "Message"),
    })
}

pub(super) fn pending(resource: &Element) -> Option<(String, Vec<Pending>)> {
    let pending = resource.list("PendingMaintenanceActionDetails").iter().map(|action| {
        let (applied_at, forced_at) = (action.time("CurrentApplyDate"), action.time("ForcedApplyDate"));
        let auto_applied_after = action.time("AutoAppliedAfterDate");
        Pending {
            action: text(action, "Action"),
            description: text(action, "Description"),
            // Chosen or forced; what AWS only offers has neither.
            due_at: [applied_at, auto_applied_after, forced_at].into_iter().flatten().min(),
            opt_in: action.said("OptInStatus").map(Text::line),
            auto_applied_after,
            forced_at,
            applied_at,
        }
    });
    Some((resource.word("ResourceIdentifier")?.to_owned(), pending.collect()))
}

/// A proxy, without its targets.
pub(super) fn proxy(proxy: &Element) -> Option<Proxy> {
    Some(Proxy {
        name: proxy.word("DBProxyName")?.to_owned(),
        arn: proxy.word("DBProxyArn").unwrap_or_default().to_owned(),
        status: status(proxy.word("Status")),
        engine_family: text(proxy, "EngineFamily"),
        endpoint: proxy.word("Endpoint").map(Text::line),
        targets: Vec::new(),
    })
}

/// An instance that a proxy leads to; none: the cluster as a whole, which is listed beside its instances.
pub(super) fn proxy_target(target: &Element) -> Option<ProxyTarget> {
    if target.word("Type") == Some("TRACKED_CLUSTER") {
        return None;
    }
    let health = |name: &str| target.child("TargetHealth").and_then(|health| health.said(name)).map(Text::line);
    Some(ProxyTarget {
        instance: target.word("RdsResourceId")?.to_owned(),
        cluster: target.said("TrackedClusterId").map(str::to_owned),
        role: target.said("Role").map(Text::line),
        state: health("State"),
        reason: health("Reason"),
        description: health("Description"),
    })
}

pub(super) fn global(global: &Element) -> Option<GlobalCluster> {
    let members = global.list("GlobalClusterMembers").iter().filter_map(|member| {
        Some(GlobalMember {
            is_writer: member.is("IsWriter"),
            synchronization: member.word("SynchronizationStatus").map(Text::line),
            arn: member.word("DBClusterArn")?.to_owned(),
        })
    });
    let change = global.child("FailoverState").map(|state| GlobalChange {
        status: status(state.word("Status")),
        may_lose: state.is("IsDataLossAllowed"),
        from: state.word("FromDbClusterArn").map(Text::line),
        to: state.word("ToDbClusterArn").map(Text::line),
    });
    let mut global = GlobalCluster {
        name: global.word("GlobalClusterIdentifier")?.to_owned(),
        arn: global.word("GlobalClusterArn").unwrap_or_default().to_owned(),
        engine: text(global, "Engine"),
        version: text(global, "EngineVersion"),
        status: status(global.word("Status")),
        members: members.collect(),
        change,
    };
    global.sort_members();
    Some(global)
}

fn text(element: &Element, name: &str) -> Text {
    Text::line(element.word(name).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(name: &str, members: &str) -> Vec<Element> {
        let text = format!("<R><{name}Result><List>{members}</List></{name}Result></R>");
        Element::result(text.as_bytes()).expect("a result").list("List").to_vec()
    }

    fn instance(name: &str, more: &str) -> String {
        format!(
            "<DBInstance><DBInstanceIdentifier>{name}</DBInstanceIdentifier><Engine>postgres</Engine>\
             <DBInstanceStatus>available</DBInstanceStatus>{more}</DBInstance>"
        )
    }

    /// What RDS answers of each kind of replica (API reference: DBInstance, DBCluster), and what is read of it: source, writer, topology.
    #[test]
    fn every_kind_of_replica_is_known_with_its_source() {
        let arn = "arn:aws:rds:eu-west-1:111111111111:db:orders";
        let cluster_arn = "arn:aws:rds:eu-west-1:111111111111:cluster:orders";
        let of = |key: &str, value: &str| format!("<{key}>{value}</{key}>");
        let instance_key = "ReadReplicaSourceDBInstanceIdentifier";
        let ill = "<StatusInfos><DBInstanceStatusInfo><StatusType>read replication</StatusType><Normal>false</Normal>\
                   <Status>error</Status><Message>Duplicate entry</Message></DBInstanceStatusInfo></StatusInfos>";
        let multi_az = of("MultiAZ", "true");
        for (more, source, topology) in [
            (of(instance_key, "orders"), "orders", Topology::Single),
            (of(instance_key, arn), "orders (eu-west-1)", Topology::Single),
            (of(instance_key, "orders") + &multi_az, "orders", Topology::MultiAzInstance),
            (of("ReadReplicaSourceDBClusterIdentifier", "orders"), "orders", Topology::Single),
            (of(instance_key, "orders") + ill, "orders, replication: error: Duplicate entry", Topology::Single),
        ] {
            let all = databases(Vec::new(), list("DescribeDBInstances", &instance("copy", &more)), &BTreeMap::new());
            let [replica] = all.as_slice() else { panic!("one database: {all:?}") };
            assert_eq!(replica.source.as_ref().map(ToString::to_string).as_deref(), Some(source));
            assert_eq!((replica.writer(), replica.topology), (None, topology), "{source}");
            assert!(!replica.members[0].is_writer, "{source}");
        }
        let cluster = |more: &str, writes: bool| {
            let member = format!(
                "<DBClusterMembers><DBClusterMember><DBInstanceIdentifier>copy-1</DBInstanceIdentifier>\
                 <IsClusterWriter>{writes}</IsClusterWriter></DBClusterMember></DBClusterMembers>"
            );
            let text = of("DBClusterIdentifier", "copy") + &of("Engine", "aurora-mysql") + &member + more;
            let text = format!("<DBCluster>{text}</DBCluster>");
            databases(list("DescribeDBClusters", &text), Vec::new(), &BTreeMap::new()).remove(0)
        };
        let replica = cluster(&of("ReplicationSourceIdentifier", cluster_arn), true);
        assert_eq!(replica.source.as_ref().map(ToString::to_string).as_deref(), Some("orders (eu-west-1)"));
        assert_eq!((replica.writer(), replica.readers().count(), replica.lacks_writer()), (None, 1, false));
        let own = cluster(
            "<ReadReplicaIdentifiers><ReadReplicaIdentifier>x</ReadReplicaIdentifier></ReadReplicaIdentifiers>",
            true,
        );
        assert_eq!((own.source.clone(), own.writer().is_some()), (None, true));
        assert_eq!(own.replicas, [Text::from("x")]);
        assert!(cluster("", false).lacks_writer(), "one that copies nothing and has no writer");
    }

    #[test]
    fn a_source_names_its_replicas_and_goes_on_writing() {
        let more = "<ReadReplicaDBInstanceIdentifiers><ReadReplicaDBInstanceIdentifier>copy</ReadReplicaDBInstanceIdentifier>\
                    <ReadReplicaDBInstanceIdentifier>arn:aws:rds:us-east-1:1:db:far</ReadReplicaDBInstanceIdentifier>\
                    </ReadReplicaDBInstanceIdentifiers>";
        let all = databases(Vec::new(), list("DescribeDBInstances", &instance("orders", more)), &BTreeMap::new());
        assert_eq!(all[0].replicas, [Text::from("copy"), Text::from("far")]);
        assert!(all[0].writer().is_some() && all[0].source.is_none());
    }
}
