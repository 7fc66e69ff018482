//! Global clusters: which there are, and the two calls that let another region write. Neither has a token: each is sent once.

use super::{Rds, convert};
use crate::{
    cloud::{CloudError, ErrorKind},
    domain::{GlobalCluster, Loss},
};

const GLOBALS: &str = "rds:DescribeGlobalClusters";
const SWITCHOVER: &str = "rds:SwitchoverGlobalCluster";
const FAILOVER: &str = "rds:FailoverGlobalCluster";

impl Rds {
    /// The global clusters that have a member in this region, by name.
    ///
    /// # Errors
    /// Of the first call that fails.
    pub async fn globals(&self) -> Result<Vec<GlobalCluster>, CloudError> {
        self.globals_named(None).await
    }

    /// The global cluster of that name; none: it is not there.
    ///
    /// # Errors
    /// Of the first call that fails.
    pub async fn global(&self, name: &str) -> Result<Option<GlobalCluster>, CloudError> {
        match self.globals_named(Some(name)).await {
            Ok(found) => Ok(found.into_iter().find(|global| global.name == name)),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lets the cluster of that ARN write in place of the one that does. Sent once. A switchover belongs to the region that writes;
    /// a failover, for when that one is gone, to the target's (Aurora User Guide, "Switchover or failover in Aurora Global Database").
    ///
    /// # Errors
    /// [`ErrorKind::Unknown`]: it may have begun. Look, don't repeat.
    pub async fn change_global(&self, global: &str, target_arn: &str, loss: Loss) -> Result<(), CloudError> {
        let mut given = vec![
            ("GlobalClusterIdentifier".into(), global.to_owned()),
            ("TargetDbClusterIdentifier".into(), target_arn.to_owned()),
        ];
        match loss {
            Loss::None => self.change(SWITCHOVER, given).await,
            Loss::Allowed => {
                given.push(("AllowDataLoss".into(), "true".to_owned()));
                self.change(FAILOVER, given).await
            }
        }
    }

    async fn globals_named(&self, name: Option<&str>) -> Result<Vec<GlobalCluster>, CloudError> {
        let given = name.map(|name| ("GlobalClusterIdentifier".into(), name.to_owned()));
        let mut globals = self.all(GLOBALS, "GlobalClusters", given.into_iter().collect(), convert::global).await?;
        globals.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(globals)
    }
}
