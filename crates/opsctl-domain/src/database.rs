//! Databases: what RDS runs, who writes, who could take over.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Text, endpoint::Endpoint, words::counted};

/// A DB cluster with its instances, or an instance by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Database {
    pub name: String,
    pub arn: String,
    /// How it is built; decides how it fails over.
    pub topology: Topology,
    /// `aurora-postgresql`, `postgres`, ...
    pub engine: Text,
    pub version: Text,
    /// AWS's word. `available` says nothing of a cluster that has paused.
    pub status: Text,
    /// Who writes first, then readers, the first to be promoted before the others.
    pub members: Vec<Member>,
    /// Where a Multi-AZ instance's standby is.
    pub standby_zone: Option<Text>,
    /// Where who writes answers.
    #[serde(default)]
    pub endpoint: Option<Endpoint>,
    pub limits: Option<CapacityLimits>,
    /// What AWS means to change: action and description.
    pub pending: Vec<Pending>,
    /// What it is a read replica of; none: it is no replica. A replica is read only, whatever its own cluster calls its writer.
    #[serde(default)]
    pub source: Option<ReplicaSource>,
    /// Names of its read replicas that are databases of their own.
    #[serde(default)]
    pub replicas: Vec<Text>,
    /// The global cluster that it is a part of.
    pub global: Option<Text>,
    /// Whether another cluster of the global cluster writes, as that says itself; none: it was not asked, or did not answer.
    #[serde(default)]
    pub written_elsewhere: Option<bool>,
}

/// The database that a read replica copies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicaSource {
    pub name: Text,
    /// Where RDS names it by its ARN, as it does in another region.
    pub region: Option<Text>,
    /// What RDS says of the replication, where that is not well: `error`, `stopped`, `terminated`.
    pub trouble: Option<Text>,
}

impl ReplicaSource {
    /// Of a name or an ARN.
    pub fn of(named: &str) -> Self {
        let mut parts = named.split(':');
        let region = parts.nth(3).filter(|region| !region.is_empty()).map(Text::line);
        Self { name: Text::line(named.rsplit(':').next().unwrap_or(named)), region, trouble: None }
    }
}

impl fmt::Display for ReplicaSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, region, trouble } = self;
        write!(formatter, "{name}")?;
        if let Some(region) = region {
            write!(formatter, " ({region})")?;
        }
        match trouble {
            Some(trouble) => write!(formatter, ", replication: {trouble}"),
            None => Ok(()),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topology {
    Aurora,
    /// A Multi-AZ DB cluster: a writer and two readers that can be read.
    MultiAzCluster,
    /// An instance with a standby that nobody sees.
    MultiAzInstance,
    Single,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display)]
#[strum(serialize_all = "kebab-case")]
pub enum MemberRole {
    Writer,
    Reader,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub name: String,
    pub is_writer: bool,
    /// `db.r6g.large`; none: RDS did not tell of this instance.
    pub class: Option<Text>,
    pub status: Option<Text>,
    pub zone: Option<Text>,
    /// 0 is promoted first.
    pub tier: Option<u8>,
}

/// Limits of Aurora Serverless v2, in capacity units. What is in use now, only metrics tell.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CapacityLimits {
    /// 0: it may pause.
    pub minimum: f64,
    pub maximum: f64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// `system-update`, ...
    pub action: Text,
    pub description: Text,
    /// When it does it, as far as that is fixed: in the maintenance window that somebody chose, or by force.
    #[serde(default)]
    pub due_at: Option<Timestamp>,
    /// Whether somebody asked for it, and when it shall be: `immediate`, `next-maintenance`, `undo-opt-in`.
    #[serde(default)]
    pub opt_in: Option<Text>,
    /// In the first maintenance window after this it is applied unasked.
    #[serde(default)]
    pub auto_applied_after: Option<Timestamp>,
    /// Then it is applied whatever anybody says.
    #[serde(default)]
    pub forced_at: Option<Timestamp>,
    /// When it will be applied as things are.
    #[serde(default)]
    pub applied_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum SourceKind {
    Cluster,
    Instance,
}

/// Something that happened. RDS gives events no id: they are known by category and words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseEvent {
    pub at: Timestamp,
    pub kind: SourceKind,
    pub source: String,
    /// `failover`, `availability`, ...
    pub categories: Vec<Text>,
    /// AWS's words, or anybody's.
    pub message: Text,
}

/// Whether a status is of something that can be worked with (RDS User Guide, "Viewing DB instance status").
pub fn is_usable(status: &str) -> bool {
    matches!(
        status,
        "available"
            | "backing-up"
            | "modifying"
            | "maintenance"
            | "storage-optimization"
            | "storage-config-upgrade"
            | "storage-initialization"
            | "renaming"
            | "resetting-master-credentials"
            | "scaling-compute"
            | "migrating"
            | "preparing-data-migration"
            | "update-iam-db-auth"
            | "enabling-stream"
            | "disabling-stream"
            | "deleting"
            | "cleaning-up-stream"
    ) || status.starts_with("configuring-")
        || status.starts_with("delete-precheck")
}

impl Topology {
    pub fn words(self) -> &'static str {
        match self {
            Self::Aurora => "Aurora cluster",
            Self::MultiAzCluster => "Multi-AZ DB cluster",
            Self::MultiAzInstance => "Multi-AZ instance",
            Self::Single => "single instance",
        }
    }

    /// Whether it is a cluster, as events and calls tell them apart.
    pub fn kind(self) -> SourceKind {
        match self {
            Self::Aurora | Self::MultiAzCluster => SourceKind::Cluster,
            Self::MultiAzInstance | Self::Single => SourceKind::Instance,
        }
    }
}

impl Database {
    /// Who writes; none where RDS names nobody, and in a read replica, where nobody does.
    pub fn writer(&self) -> Option<&Member> {
        self.primary().filter(|_| self.source.is_none())
    }

    /// The instance by itself, or the one that a cluster calls its writer, which only reads in a cluster that is a replica.
    pub fn primary(&self) -> Option<&Member> {
        let alone = self.members.first().filter(|_| self.topology.kind() == SourceKind::Instance);
        alone.or_else(|| self.members.iter().find(|member| member.is_writer))
    }

    /// Who does not, the first to be promoted first: lowest tier, then largest class (Aurora User Guide, "Fault tolerance").
    pub fn readers(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| self.role_of(member) == MemberRole::Reader)
    }

    /// What a member does: in a read replica nobody writes, whatever its cluster calls one of them.
    pub fn role_of(&self, member: &Member) -> MemberRole {
        if member.is_writer && self.source.is_none() { MemberRole::Writer } else { MemberRole::Reader }
    }

    /// Whether another region's cluster writes for it: its global cluster says so. A cluster that shall write and has lost its
    /// writer is none.
    pub fn is_secondary(&self) -> bool {
        self.primary().is_none() && self.global.is_some() && self.written_elsewhere == Some(true)
    }

    /// Whether that it has no writer may be as it shall: it is of a global cluster, of which nobody knows who writes.
    pub fn may_be_secondary(&self) -> bool {
        self.is_secondary() || self.primary().is_none() && self.global.is_some() && self.written_elsewhere.is_none()
    }

    /// Whether nobody writes although somebody shall.
    pub fn lacks_writer(&self) -> bool {
        let is_meant_to_write = self.source.is_none() && !self.is_secondary();
        self.topology.kind() == SourceKind::Cluster && self.primary().is_none() && is_meant_to_write
    }

    pub fn is_available(&self) -> bool {
        let is_well = |status: &Text| status.as_str() == "available";
        is_well(&self.status) && self.members.iter().all(|member| member.status.as_ref().is_none_or(is_well))
    }

    /// Topology in words: `Aurora cluster: a writer and 2 readers in 3 zones`.
    pub fn words(&self) -> String {
        let zones: std::collections::BTreeSet<&str> =
            self.members.iter().filter_map(|member| member.zone.as_ref().map(Text::as_str)).collect();
        let readers = self.readers().count() as u64;
        if let Some(source) = self.source.as_ref().filter(|_| !self.is_secondary()) {
            return self.replica_words(source);
        }
        match self.topology {
            Topology::Aurora if self.is_secondary() => {
                format!("{}: {}, the writer is in another region", self.topology.words(), counted(readers, "reader"))
            }
            Topology::Aurora | Topology::MultiAzCluster if self.may_be_secondary() => {
                format!("{}: {}, who writes is not known", self.topology.words(), counted(readers, "reader"))
            }
            Topology::Aurora | Topology::MultiAzCluster if self.primary().is_none() && readers > 0 => {
                format!("{}: nobody writes, {}", self.topology.words(), counted(readers, "reader"))
            }
            Topology::Aurora | Topology::MultiAzCluster if readers == 0 => {
                format!("{}: a writer, no reader", self.topology.words())
            }
            Topology::Aurora | Topology::MultiAzCluster => format!(
                "{}: a writer and {} in {}",
                self.topology.words(),
                counted(readers, "reader"),
                counted(zones.len() as u64, "zone")
            ),
            Topology::MultiAzInstance => "Multi-AZ instance: a standby in another zone".to_owned(),
            Topology::Single => "single instance: nothing takes over".to_owned(),
        }
    }

    fn replica_words(&self, source: &ReplicaSource) -> String {
        let replica = format!("{}: read replica of {source}", self.topology.words());
        match self.topology {
            Topology::Aurora | Topology::MultiAzCluster => {
                format!("{replica}, {}", counted(self.members.len() as u64, "instance"))
            }
            Topology::MultiAzInstance => format!("{replica}, a standby in another zone"),
            Topology::Single => replica,
        }
    }

    /// How much it needs somebody: 0 most.
    pub fn rank(&self) -> u8 {
        let is_well = |member: &Member| member.status.as_ref().is_none_or(|status| is_usable(status.as_str()));
        match self {
            _ if self.lacks_writer() && !self.may_be_secondary() => 0,
            _ if self.primary().is_some_and(|writer| !is_well(writer)) || !is_usable(self.status.as_str()) => 1,
            _ if !self.members.iter().all(is_well)
                || self.source.as_ref().is_some_and(|source| source.trouble.is_some()) =>
            {
                2
            }
            _ if !self.pending.is_empty() => 3,
            _ => 4,
        }
    }

    /// Puts members in order: who writes, then readers by promotion.
    pub fn sort_members(&mut self) {
        self.members.sort_by(|left, right| {
            right.is_writer.cmp(&left.is_writer).then_with(|| left.promotion().cmp(&right.promotion()))
        });
    }
}

impl Member {
    /// Who is promoted before whom; smaller first. An instance whose tier is unknown comes last.
    pub fn promotion(&self) -> (u8, std::cmp::Reverse<u32>, &str) {
        (self.tier.unwrap_or(u8::MAX), std::cmp::Reverse(self.class_size()), &self.name)
    }

    /// A number by which classes are told larger and smaller; 0 where the class has none: `db.serverless`.
    pub fn class_size(&self) -> u32 {
        let class = self.class.as_ref().map_or("", Text::as_str);
        match class.rsplit('.').next().unwrap_or_default() {
            "micro" => 1,
            "small" => 2,
            "medium" => 4,
            "large" => 8,
            "xlarge" => 16,
            larger => larger
                .strip_suffix("xlarge")
                .and_then(|times| times.parse::<u32>().ok())
                .map_or(0, |times| times.saturating_mul(16)),
        }
    }

    pub fn is_available(&self) -> bool {
        self.status.as_ref().is_some_and(|status| status.as_str() == "available")
    }
}

impl Pending {
    /// In words: `system-update (New ...), applied 2026-11-25 at the latest`.
    pub fn words(&self) -> String {
        let Self { action, description, opt_in, auto_applied_after, forced_at, applied_at, .. } = self;
        let day = |at: &Timestamp| at.strftime("%F").to_string();
        let mut words = format!("{action} ({description})");
        words.extend(opt_in.as_ref().map(|opt_in| format!(", asked for: {opt_in}")));
        words.extend(applied_at.as_ref().map(|at| format!(", will be applied {}", at.strftime("%F %H:%M"))));
        let by_itself = auto_applied_after.as_ref().filter(|after| applied_at.as_ref() != Some(after));
        words.extend(by_itself.map(|at| format!(", by itself after {}", day(at))));
        words.extend(forced_at.as_ref().map(|at| format!(", forced on {}", day(at))));
        words
    }
}

impl DatabaseEvent {
    pub fn note(&self) -> String {
        format!("event {}: {}", self.at.strftime("%T"), self.message)
    }

    pub fn is_of(&self, category: &str) -> bool {
        self.categories.iter().any(|known| known.as_str() == category)
    }

    /// Whether it says that a failover which somebody asked for was given up.
    pub fn abandons(&self) -> bool {
        let words = self.message.as_str();
        let is_global = words.starts_with("Global ") && ["failed", "cancel"].iter().any(|end| words.contains(end));
        let given_up = ["Abandoning user requested failover", "failover failed", "Promoting previous primary again"];
        is_global || given_up.iter().any(|part| words.contains(part))
    }

    pub fn completes(&self) -> bool {
        let words = self.message.as_str().to_ascii_lowercase();
        let is_global = words.starts_with("global ") && ["finished", "completed"].iter().any(|end| words.contains(end));
        words.contains("completed failover") || words.contains("failover completed") || is_global
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, is_writer: bool, class: &str, tier: u8) -> Member {
        Member {
            name: name.to_owned(),
            is_writer,
            class: Some(Text::from(class)),
            status: Some(Text::from("available")),
            zone: Some(Text::from("af-south-1a")),
            tier: Some(tier),
        }
    }

    fn database(members: Vec<Member>) -> Database {
        Database {
            name: "orders".to_owned(),
            arn: String::new(),
            topology: Topology::Aurora,
            engine: Text::from("aurora-postgresql"),
            version: Text::from("16.6"),
            status: Text::from("available"),
            members,
            standby_zone: None,
            endpoint: None,
            limits: None,
            pending: Vec::new(),
            source: None,
            replicas: Vec::new(),
            global: None,
            written_elsewhere: None,
        }
    }

    #[test]
    fn readers_come_in_the_order_of_promotion() {
        let mut orders = database(vec![
            member("d", false, "db.r6g.large", 1),
            member("c", false, "db.r6g.2xlarge", 1),
            member("b", false, "db.r6g.large", 0),
            member("a", true, "db.r6g.large", 15),
        ]);
        orders.sort_members();
        let names: Vec<&str> = orders.members.iter().map(|member| member.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c", "d"]);
        assert_eq!(orders.words(), "Aurora cluster: a writer and 3 readers in 1 zone");
    }

    #[test]
    fn a_replica_has_no_writer_and_names_its_source() {
        let of = |topology, named: &str, members: Vec<Member>| Database {
            topology,
            source: Some(ReplicaSource::of(named)),
            ..database(members)
        };
        let one = || vec![member("orders", false, "db.r6g.large", 0)];
        let cluster = || vec![member("a", true, "db.r6g.large", 0), member("b", false, "db.r6g.large", 1)];
        let arn = "arn:aws:rds:eu-west-1:111111111111:db:orders-main";
        for (replica, words) in [
            (of(Topology::Single, "orders-main", one()), "single instance: read replica of orders-main"),
            (of(Topology::Single, arn, one()), "single instance: read replica of orders-main (eu-west-1)"),
            (
                of(Topology::MultiAzInstance, "orders-main", one()),
                "Multi-AZ instance: read replica of orders-main, a standby in another zone",
            ),
            (
                of(Topology::Aurora, "orders-main", cluster()),
                "Aurora cluster: read replica of orders-main, 2 instances",
            ),
            (
                of(Topology::MultiAzCluster, arn, cluster()),
                "Multi-AZ DB cluster: read replica of orders-main (eu-west-1), 2 instances",
            ),
        ] {
            assert_eq!(replica.words(), words);
            assert_eq!((replica.writer(), replica.rank()), (None, 4), "{words}");
            assert!(replica.primary().is_some() && !replica.lacks_writer() && !replica.is_secondary(), "{words}");
        }
    }

    #[test]
    fn worse_ranks_first() {
        let well = database(vec![member("a", true, "db.r6g.large", 0)]);
        let nobody_writes = database(vec![member("a", false, "db.r6g.large", 0)]);
        let mut fails_over = well.clone();
        fails_over.status = Text::from("failing-over");
        let mut reader_down = database(vec![member("a", true, "db.large", 0), member("b", false, "db.large", 0)]);
        reader_down.members[1].status = Some(Text::from("rebooting"));
        let ranks = [nobody_writes, fails_over, reader_down, well].map(|database| database.rank());
        assert_eq!(ranks, [0, 1, 2, 4]);
        let mut saves = database(vec![member("a", true, "db.r6g.large", 0)]);
        saves.status = Text::from("backing-up");
        assert_eq!(saves.rank(), 4, "it serves while it is backed up");
    }
}
