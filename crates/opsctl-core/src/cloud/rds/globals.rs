//! Global clusters: which there are, and the two calls that let another region write. Neither has a token: each is sent once.

use aws_sdk_rds::{
    error::SdkError,
    operation::{
        failover_global_cluster::FailoverGlobalClusterError, switchover_global_cluster::SwitchoverGlobalClusterError,
    },
};

use super::{PAGES_MAX, RECORDS, Rds, convert, too_many};
use crate::{
    cloud::{CloudError, ErrorKind, attempts::Attempts, classify},
    domain::global_cluster::{GlobalCluster, Loss},
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
        let attempts = Attempts::new();
        let answer = match loss {
            Loss::None => {
                let call = self.once.switchover_global_cluster().global_cluster_identifier(global);
                let call = call.target_db_cluster_identifier(target_arn).customize();
                let sent = call.interceptor(attempts.watch::<SwitchoverGlobalClusterError>()).send().await;
                failed(SWITCHOVER, sent)
            }
            Loss::Allowed => {
                let call = self.once.failover_global_cluster().global_cluster_identifier(global);
                let call = call.target_db_cluster_identifier(target_arn).allow_data_loss(true).customize();
                let sent = call.interceptor(attempts.watch::<FailoverGlobalClusterError>()).send().await;
                failed(FAILOVER, sent)
            }
        };
        answer.map_err(|error| attempts.judge(error))
    }

    async fn globals_named(&self, name: Option<&str>) -> Result<Vec<GlobalCluster>, CloudError> {
        let mut globals = Vec::new();
        let mut marker = None;
        for _ in 0..PAGES_MAX {
            let call = self.read.describe_global_clusters().set_global_cluster_identifier(name.map(str::to_owned));
            let call = call.max_records(RECORDS).set_marker(marker);
            let answer = call.send().await.map_err(|error| classify::from_sdk(GLOBALS, error))?;
            globals.extend(answer.global_clusters.unwrap_or_default().into_iter().filter_map(convert::global));
            marker = answer.marker.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                globals.sort_by(|left: &GlobalCluster, right| left.name.cmp(&right.name));
                return Ok(globals);
            }
        }
        Err(too_many(GLOBALS))
    }
}

fn failed<T, E>(
    action: &str,
    sent: Result<T, SdkError<E, aws_smithy_runtime_api::client::orchestrator::HttpResponse>>,
) -> Result<(), CloudError>
where
    E: aws_sdk_rds::error::ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    sent.map(|_| ()).map_err(|error| classify::from_sdk(action, error))
}
