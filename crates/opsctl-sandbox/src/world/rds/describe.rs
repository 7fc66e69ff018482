//! What is told of clusters, instances and what waits to be applied.

use super::{
    Cluster, Instance, Maintenance, Place,
    change::{no_cluster, no_instance},
    endpoints::host,
    events::SourceType,
    request::Request,
    settings::{Settings, default_group, port, resource_id},
    xml::Xml,
};
use crate::world::{Caller, call::Answered};

const STORAGE_ENCRYPTED: bool = true;

impl Place {
    pub(super) fn describe_clusters(&mut self, request: &Request) -> Answered<Xml> {
        let named = request.identifier("DBClusterIdentifier");
        let filter = request.filter("db-cluster-id");
        let wanted = |cluster: &&Cluster| {
            named.as_ref().is_none_or(|name| *name == cluster.name)
                && filter.as_ref().is_none_or(|names| names.contains(&cluster.name))
        };
        let found = self.clusters.values().filter(wanted).collect();
        let missing = named.as_deref().map(no_cluster);
        request.answer(
            ("DBClusters", "DBCluster"),
            found,
            missing,
            |cluster: &&Cluster| &cluster.name,
            |xml, cluster| self.write_cluster(xml, cluster, request.caller),
        )
    }

    pub(super) fn describe_instances(&mut self, request: &Request) -> Answered<Xml> {
        let named = request.identifier("DBInstanceIdentifier");
        let (by_name, by_cluster) = (request.filter("db-instance-id"), request.filter("db-cluster-id"));
        let is_of = |names: &Vec<String>, cluster: &Option<String>| {
            cluster.as_ref().is_some_and(|cluster| names.contains(cluster))
        };
        let wanted = |instance: &&Instance| {
            named.as_ref().is_none_or(|name| *name == instance.name)
                && by_name.as_ref().is_none_or(|names| names.contains(&instance.name))
                && by_cluster.as_ref().is_none_or(|names| is_of(names, &instance.cluster))
        };
        let found = self.instances.values().filter(wanted).collect();
        let missing = named.as_deref().map(no_instance);
        let elements = ("DBInstances", "DBInstance");
        request.answer(
            elements,
            found,
            missing,
            |instance: &&Instance| &instance.name,
            |xml, instance| write_instance(xml, instance, request.caller),
        )
    }

    pub(super) fn describe_pending(&mut self, request: &Request) -> Answered<Xml> {
        let arn = request.field("ResourceIdentifier");
        let of_cluster =
            |cluster: &Cluster| (SourceType::Cluster.arn(request.caller, &cluster.name), cluster.pending.clone());
        let of_instance =
            |instance: &Instance| (SourceType::Instance.arn(request.caller, &instance.name), instance.pending.clone());
        let clusters = self.clusters.values().map(of_cluster);
        let instances = self.instances.values().map(of_instance);
        let mut found: Vec<(String, Vec<Maintenance>)> = clusters
            .chain(instances)
            .filter(|(name, pending)| !pending.is_empty() && arn.is_none_or(|arn| arn == name))
            .collect();
        found.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
        let elements = ("PendingMaintenanceActions", "ResourcePendingMaintenanceActions");
        request.answer(
            elements,
            found,
            None,
            |(name, _)| name,
            |xml, (arn, pending)| {
                xml.text("ResourceIdentifier", arn)
                    .element("PendingMaintenanceActionDetails", |xml| write_actions(xml, &pending));
            },
        )
    }

    pub(super) fn write_cluster(&self, xml: &mut Xml, cluster: &Cluster, caller: &Caller) {
        let Cluster { name, engine, version, members, .. } = cluster;
        let member = |member: &String| self.instances.get(member);
        let zones: std::collections::BTreeSet<&str> =
            members.iter().filter_map(member).map(|instance| instance.zone.as_str()).collect();
        let host = |kind: &str| host(name, kind, caller);
        xml.text("DBClusterIdentifier", name)
            .text("DBClusterArn", SourceType::Cluster.arn(caller, name))
            .text("Status", cluster.status())
            .text("Engine", engine)
            .text("EngineVersion", version)
            .text("EngineMode", "provisioned")
            .text("MultiAZ", zones.len() > 1)
            .text("Endpoint", host("cluster-"))
            .text("ReaderEndpoint", host("cluster-ro-"))
            .text("Port", cluster.settings.port.unwrap_or(port(engine)))
            .text("StorageEncrypted", STORAGE_ENCRYPTED)
            .text("ClusterCreateTime", cluster.created_at)
            .text("EarliestRestorableTime", cluster.created_at)
            .text("DbClusterResourceId", resource_id("cluster-", name))
            .text("HostedZoneId", "Z3GFMQ4EXAMPLE")
            .text("DBClusterParameterGroup", group(&cluster.settings, engine, version))
            .text("DBSubnetGroup", &cluster.settings.subnet_group)
            .maybe("DatabaseName", cluster.settings.database.as_ref())
            .text("HttpEndpointEnabled", cluster.has_data_api)
            .element("AvailabilityZones", |xml| {
                zones.iter().for_each(|zone| {
                    xml.text("AvailabilityZone", zone);
                });
            })
            .element("DBClusterMembers", |xml| {
                for (place, instance) in members.iter().filter_map(member).enumerate() {
                    xml.element("DBClusterMember", |xml| {
                        xml.text("DBInstanceIdentifier", &instance.name)
                            .text("IsClusterWriter", place == 0 && !cluster.is_secondary)
                            .text("DBClusterParameterGroupStatus", "in-sync")
                            .text("PromotionTier", instance.tier.unwrap_or(1));
                    });
                }
            });
        cluster.settings.write(xml);
        xml.maybe("GlobalClusterIdentifier", cluster.global.as_ref());
        if !cluster.is_aurora() {
            let class = members.iter().find_map(member).map(|instance| instance.class.as_str());
            xml.maybe("DBClusterInstanceClass", class);
        }
        if let Some(capacity) = &cluster.capacity {
            xml.element("ServerlessV2ScalingConfiguration", |xml| {
                xml.text("MinCapacity", capacity.minimum)
                    .text("MaxCapacity", capacity.maximum)
                    .maybe("SecondsUntilAutoPause", capacity.pause_after_seconds);
            });
        }
    }
}

pub(super) fn write_instance(xml: &mut Xml, instance: &Instance, caller: &Caller) {
    let Instance { name, class, engine, version, cluster, tier, zone, secondary_zone, status, .. } = instance;
    xml.text("DBInstanceIdentifier", name)
        .text("DBInstanceArn", SourceType::Instance.arn(caller, name))
        .text("DBInstanceClass", class)
        .text("DBInstanceStatus", status)
        .text("Engine", engine)
        .text("EngineVersion", version)
        .text("AllocatedStorage", if engine.starts_with("aurora") { 1 } else { instance.storage })
        .text("AvailabilityZone", zone)
        .maybe("SecondaryAvailabilityZone", secondary_zone.as_ref())
        .text("MultiAZ", secondary_zone.is_some())
        .text("StorageEncrypted", STORAGE_ENCRYPTED)
        .text("InstanceCreateTime", instance.created_at)
        .maybe("DBClusterIdentifier", cluster.as_ref())
        .maybe("PromotionTier", *tier)
        .text("DbiResourceId", resource_id("db-", name))
        .text("DbInstancePort", 0)
        .text("LicenseModel", if engine.contains("mysql") { "general-public-license" } else { "postgresql-license" })
        .text("StorageType", if engine.starts_with("aurora") { "aurora" } else { "gp3" })
        .text("PubliclyAccessible", instance.settings.is_public)
        .text("CACertificateIdentifier", "rds-ca-rsa2048-g1")
        .text("PerformanceInsightsEnabled", false)
        .text("MonitoringInterval", 0)
        .maybe("DBName", instance.settings.database.as_ref())
        .element("DBParameterGroups", |xml| {
            xml.element("DBParameterGroup", |xml| {
                xml.text("DBParameterGroupName", group(&instance.settings, engine, version))
                    .text("ParameterApplyStatus", "in-sync");
            });
        })
        .element("OptionGroupMemberships", |_| {})
        .element("DBSubnetGroup", |xml| {
            xml.text("DBSubnetGroupName", &instance.settings.subnet_group)
                .text("DBSubnetGroupDescription", &instance.settings.subnet_group)
                .text("VpcId", "vpc-0a1b2c3d4e5f60718")
                .text("SubnetGroupStatus", "Complete");
        })
        .element("PendingModifiedValues", |xml| {
            for (name, value) in &instance.waiting {
                xml.text(name, value);
            }
        });
    instance.settings.write(xml);
    // It has no address before it is created.
    if status != "creating" {
        xml.element("Endpoint", |xml| {
            xml.text("Address", host(name, "", caller)).text("Port", instance.settings.port.unwrap_or(port(engine)));
        });
    }
}

fn group(settings: &Settings, engine: &str, version: &str) -> String {
    settings.parameter_group.clone().unwrap_or_else(|| default_group(engine, version))
}

fn write_actions(xml: &mut Xml, pending: &[Maintenance]) {
    for Maintenance { action, description, opt_in, auto_applied_after, forced_at } in pending {
        xml.element("PendingMaintenanceAction", |xml| {
            xml.text("Action", action)
                .maybe("AutoAppliedAfterDate", *auto_applied_after)
                .maybe("ForcedApplyDate", *forced_at)
                .maybe("OptInStatus", opt_in.as_ref())
                .maybe("CurrentApplyDate", auto_applied_after.or(*forced_at))
                .text("Description", description);
        });
    }
}
