//! Global clusters: one Aurora database in several regions, of which one writes.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Text, words::counted};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GlobalCluster {
    pub name: String,
    pub arn: String,
    /// `aurora-mysql`, ...
    pub engine: Text,
    pub version: Text,
    /// AWS's word: `available`, `switching-over`, `failing-over`.
    pub status: Text,
    /// Its clusters, the one that writes first.
    pub members: Vec<GlobalMember>,
    pub change: Option<GlobalChange>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GlobalMember {
    pub arn: String,
    pub is_writer: bool,
    /// `connected`, `pending-resync`; none: AWS does not say.
    pub synchronization: Option<Text>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GlobalChange {
    /// `pending`, `failing-over`, `cancelling`.
    pub status: Text,
    /// ARN of the cluster that wrote.
    pub from: Option<Text>,
    /// ARN of the cluster that shall write.
    pub to: Option<Text>,
    pub may_lose: bool,
}

/// Whether what has not reached the other region yet may be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// No: a switchover, which waits until all has arrived.
    None,
    /// Yes: a failover, for when the region that writes is gone.
    Allowed,
}

impl GlobalCluster {
    pub fn writer(&self) -> Option<&GlobalMember> {
        self.members.iter().find(|member| member.is_writer)
    }

    /// The clusters that do not.
    pub fn secondaries(&self) -> impl Iterator<Item = &GlobalMember> {
        self.members.iter().filter(|member| !member.is_writer)
    }

    /// Whether AWS says that it is available and nothing goes on.
    pub fn is_available(&self) -> bool {
        self.status.as_str() == "available" && self.change.is_none()
    }

    /// Puts who writes first, then the others by region and name.
    pub fn sort_members(&mut self) {
        self.members.sort_by(|left, right| {
            let key = |member: &GlobalMember| (!member.is_writer, member.region().to_owned(), member.arn.clone());
            key(left).cmp(&key(right))
        });
    }

    /// In words: `wallet-prod (af-south-1) writes, 1 secondary in us-east-1`.
    pub fn words(&self) -> String {
        let writer = self.writer().map_or_else(|| "nobody writes".to_owned(), |writer| format!("{writer} writes"));
        let regions: Vec<&str> = self.secondaries().map(GlobalMember::region).collect();
        let count = regions.len() as u64;
        match count {
            0 => format!("{writer}, no secondary"),
            1 => format!("{writer}, 1 secondary in {}", Text::line(regions[0])),
            _ => format!("{writer}, {} in {}", counted(count, "other cluster"), Text::line(&regions.join(", "))),
        }
    }
}

impl GlobalMember {
    pub fn name(&self) -> &str {
        self.arn.rsplit(':').next().unwrap_or_default()
    }

    pub fn region(&self) -> &str {
        self.arn.split(':').nth(3).unwrap_or_default()
    }
}

impl fmt::Display for GlobalMember {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", Text::line(self.name()), Text::line(self.region()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_writes_comes_first_and_an_arn_tells_region_and_name() {
        let member = |region: &str, name: &str, is_writer| GlobalMember {
            arn: format!("arn:aws:rds:{region}:111111111111:cluster:{name}"),
            is_writer,
            synchronization: None,
        };
        let mut global = GlobalCluster {
            name: "wallet".to_owned(),
            arn: String::new(),
            engine: Text::from("aurora-mysql"),
            version: Text::from("8.0"),
            status: Text::from("available"),
            members: vec![member("us-east-1", "dr", false), member("sa-east-1", "prod", true)],
            change: None,
        };
        global.sort_members();
        assert_eq!(global.words(), "prod (sa-east-1) writes, 1 secondary in us-east-1");
        global.members[0].is_writer = false;
        assert_eq!(global.words(), "nobody writes, 2 other clusters in sa-east-1, us-east-1");
    }
}
