//! From the SDK's types to ours.

use std::collections::BTreeMap;

use aws_sdk_rds::{
    primitives::DateTime,
    types::{
        DbCluster, DbInstance, DbProxy, DbProxyTarget, Event, Filter, GlobalCluster as SdkGlobalCluster,
        ResourcePendingMaintenanceActions, SourceType, TargetType,
    },
};
use jiff::Timestamp;

use crate::domain::{
    Text,
    database::{CapacityLimits, Database, DatabaseEvent, Member, Pending, SourceKind, Topology},
    endpoint::Endpoint,
    global_cluster::{GlobalChange, GlobalCluster, GlobalMember},
    proxy::{Proxy, ProxyTarget},
};

/// Engines of other services that answer here, too.
const FOREIGN: [&str; 2] = ["docdb", "neptune"];

pub(super) fn databases(
    clusters: Vec<DbCluster>,
    instances: Vec<DbInstance>,
    pending: &BTreeMap<String, Vec<Pending>>,
) -> Vec<Database> {
    let is_ours = |engine: Option<&str>| !engine.is_some_and(|engine| FOREIGN.contains(&engine));
    let by_name: BTreeMap<&str, &DbInstance> =
        instances.iter().filter_map(|instance| Some((instance.db_instance_identifier()?, instance))).collect();
    let of_clusters = clusters.iter().filter(|cluster| is_ours(cluster.engine()));
    let of_clusters = of_clusters.filter_map(|cluster| of_cluster(cluster, &by_name, pending));
    let alone = instances.iter().filter(|instance| cluster_of(instance).is_none());
    let alone = alone.filter(|instance| is_ours(instance.engine()));
    let mut all: Vec<Database> =
        of_clusters.chain(alone.filter_map(|instance| of_instance(instance, pending))).collect();
    all.sort_by(|left, right| left.name.cmp(&right.name));
    all
}

/// The cluster that an instance is of; emulators write none as an empty text.
pub(super) fn cluster_of(instance: &DbInstance) -> Option<String> {
    instance.db_cluster_identifier().filter(|name| !name.is_empty()).map(str::to_owned)
}

fn of_cluster(
    cluster: &DbCluster,
    instances: &BTreeMap<&str, &DbInstance>,
    pending: &BTreeMap<String, Vec<Pending>>,
) -> Option<Database> {
    let name = cluster.db_cluster_identifier()?.to_owned();
    let arn = cluster.db_cluster_arn().unwrap_or_default().to_owned();
    let engine = cluster.engine().unwrap_or_default();
    let mut all_pending = pending.get(&arn).cloned().unwrap_or_default();
    let mut members = Vec::new();
    for member in cluster.db_cluster_members() {
        let Some(name) = member.db_instance_identifier() else { continue };
        let instance = instances.get(name).copied();
        let told = instance.map(|instance| self::member(instance, false));
        let tier = member.promotion_tier().and_then(|tier| u8::try_from(tier).ok());
        members.push(Member {
            is_writer: member.is_cluster_writer().unwrap_or(false),
            tier: tier.or(told.as_ref().and_then(|told| told.tier)),
            ..told.unwrap_or_else(|| nothing_told(name))
        });
        let arn = instance.and_then(|instance| instance.db_instance_arn()).unwrap_or_default();
        all_pending.extend(pending.get(arn).cloned().unwrap_or_default());
    }
    let limits = cluster
        .serverless_v2_scaling_configuration()
        .and_then(|limits| Some(CapacityLimits { minimum: limits.min_capacity()?, maximum: limits.max_capacity()? }));
    let mut database = Database {
        name,
        arn,
        topology: if engine.starts_with("aurora") { Topology::Aurora } else { Topology::MultiAzCluster },
        engine: Text::line(engine),
        version: Text::line(cluster.engine_version().unwrap_or_default()),
        status: status(cluster.status()),
        members,
        standby_zone: None,
        endpoint: endpoint(cluster.endpoint(), cluster.port()),
        limits,
        pending: all_pending,
        global: cluster.global_cluster_identifier().filter(|name| !name.is_empty()).map(Text::line),
        written_elsewhere: None,
    };
    database.sort_members();
    Some(database)
}

fn of_instance(instance: &DbInstance, pending: &BTreeMap<String, Vec<Pending>>) -> Option<Database> {
    let name = instance.db_instance_identifier()?.to_owned();
    let arn = instance.db_instance_arn().unwrap_or_default().to_owned();
    let is_multi_az = instance.multi_az().unwrap_or(false);
    Some(Database {
        topology: if is_multi_az { Topology::MultiAzInstance } else { Topology::Single },
        engine: Text::line(instance.engine().unwrap_or_default()),
        version: Text::line(instance.engine_version().unwrap_or_default()),
        status: status(instance.db_instance_status()),
        members: vec![member(instance, true)],
        endpoint: instance.endpoint().and_then(|at| endpoint(at.address(), at.port())),
        standby_zone: instance.secondary_availability_zone().filter(|zone| !zone.is_empty()).map(Text::line),
        limits: None,
        pending: pending.get(&arn).cloned().unwrap_or_default(),
        global: None,
        written_elsewhere: None,
        name,
        arn,
    })
}

fn member(instance: &DbInstance, is_writer: bool) -> Member {
    Member {
        name: instance.db_instance_identifier().unwrap_or_default().to_owned(),
        is_writer,
        class: instance.db_instance_class().map(Text::line),
        status: instance.db_instance_status().map(Text::line),
        zone: instance.availability_zone().map(Text::line),
        tier: instance.promotion_tier().and_then(|tier| u8::try_from(tier).ok()),
    }
}

fn nothing_told(name: &str) -> Member {
    Member { name: name.to_owned(), is_writer: false, class: None, status: None, zone: None, tier: None }
}

fn endpoint(host: Option<&str>, port: Option<i32>) -> Option<Endpoint> {
    let host = host.filter(|host| !host.is_empty())?.to_owned();
    Some(Endpoint { host, port: u16::try_from(port?).ok().filter(|port| *port > 0)? })
}

fn status(told: Option<&str>) -> Text {
    told.map_or_else(|| Text::from("unknown"), Text::line)
}

pub(super) fn event(event: Event) -> Option<DatabaseEvent> {
    let kind = match event.source_type? {
        SourceType::DbCluster => SourceKind::Cluster,
        SourceType::DbInstance => SourceKind::Instance,
        // Snapshots, proxies, parameter groups and the like.
        _ => return None,
    };
    Some(DatabaseEvent {
        at: time(event.date.as_ref()?)?,
        kind,
        source: event.source_identifier?,
        categories: event.event_categories.unwrap_or_default().iter().map(|name| Text::line(name)).collect(),
        message: Text::line(&event.message.unwrap_or_default()),
    })
}

pub(super) fn pending(resource: ResourcePendingMaintenanceActions) -> Option<(String, Vec<Pending>)> {
    let actions = resource.pending_maintenance_action_details.unwrap_or_default();
    let pending = actions.into_iter().map(|action| Pending {
        action: Text::line(&action.action.unwrap_or_default()),
        description: Text::line(&action.description.unwrap_or_default()),
        // Chosen or forced; what AWS only offers has neither.
        due_at: [&action.current_apply_date, &action.auto_applied_after_date, &action.forced_apply_date]
            .into_iter()
            .flatten()
            .filter_map(time)
            .min(),
        opt_in: action.opt_in_status.filter(|status| !status.is_empty()).map(|status| Text::line(&status)),
        auto_applied_after: action.auto_applied_after_date.as_ref().and_then(time),
        forced_at: action.forced_apply_date.as_ref().and_then(time),
        applied_at: action.current_apply_date.as_ref().and_then(time),
    });
    Some((resource.resource_identifier?, pending.collect()))
}

/// A proxy, without its targets.
pub(super) fn proxy(proxy: DbProxy) -> Option<Proxy> {
    Some(Proxy {
        name: proxy.db_proxy_name?,
        arn: proxy.db_proxy_arn.unwrap_or_default(),
        status: status(proxy.status.as_ref().map(aws_sdk_rds::types::DbProxyStatus::as_str)),
        engine_family: Text::line(&proxy.engine_family.unwrap_or_default()),
        endpoint: proxy.endpoint.map(|host| Text::line(&host)),
        targets: Vec::new(),
    })
}

/// An instance that a proxy leads to; none: the cluster as a whole, which is listed beside its instances.
pub(super) fn proxy_target(target: DbProxyTarget) -> Option<ProxyTarget> {
    if target.r#type == Some(TargetType::TrackedCluster) {
        return None;
    }
    let health = target.target_health.as_ref();
    let text = |told: Option<&str>| told.filter(|text| !text.is_empty()).map(Text::line);
    Some(ProxyTarget {
        instance: target.rds_resource_id?,
        cluster: target.tracked_cluster_id.filter(|name| !name.is_empty()),
        role: text(target.role.as_ref().map(aws_sdk_rds::types::TargetRole::as_str)),
        state: text(health.and_then(|health| health.state()).map(aws_sdk_rds::types::TargetState::as_str)),
        reason: text(health.and_then(|health| health.reason()).map(aws_sdk_rds::types::TargetHealthReason::as_str)),
        description: text(health.and_then(|health| health.description())),
    })
}

pub(super) fn global(global: SdkGlobalCluster) -> Option<GlobalCluster> {
    let members = global.global_cluster_members.unwrap_or_default().into_iter().filter_map(|member| {
        Some(GlobalMember {
            is_writer: member.is_writer().unwrap_or(false),
            synchronization: member.synchronization_status().map(|status| Text::line(status.as_str())),
            arn: member.db_cluster_arn?,
        })
    });
    let change = global.failover_state.map(|state| GlobalChange {
        status: status(state.status().map(aws_sdk_rds::types::FailoverStatus::as_str)),
        may_lose: state.is_data_loss_allowed().unwrap_or(false),
        from: state.from_db_cluster_arn.map(|arn| Text::line(&arn)),
        to: state.to_db_cluster_arn.map(|arn| Text::line(&arn)),
    });
    let mut global = GlobalCluster {
        name: global.global_cluster_identifier?,
        arn: global.global_cluster_arn.unwrap_or_default(),
        engine: Text::line(&global.engine.unwrap_or_default()),
        version: Text::line(&global.engine_version.unwrap_or_default()),
        status: status(global.status.as_deref()),
        members: members.collect(),
        change,
    };
    global.sort_members();
    Some(global)
}

pub(super) fn filter(name: &str, values: &[String]) -> Filter {
    Filter::builder().name(name).set_values(Some(values.to_vec())).build()
}

fn time(at: &DateTime) -> Option<Timestamp> {
    Timestamp::from_millisecond(at.to_millis().ok()?).ok()
}
