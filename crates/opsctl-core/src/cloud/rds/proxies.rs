//! RDS Proxy: which proxies there are, and where each leads.

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{Rds, convert};
use crate::{
    cloud::{CloudError, ErrorKind},
    domain::{Proxy, ProxyTarget},
};

const PROXIES: &str = "rds:DescribeDBProxies";
const TARGETS: &str = "rds:DescribeDBProxyTargets";
/// Proxies whose targets are asked for at once: RDS's throttle is shared with everybody.
const AT_ONCE: usize = 4;

impl Rds {
    /// Every proxy with its targets, by name: a call, and one more for each proxy.
    ///
    /// # Errors
    /// Of the first call that fails.
    pub async fn proxies(&self) -> Result<Vec<Proxy>, CloudError> {
        let proxies = self.all(PROXIES, "DBProxies", Vec::new(), convert::proxy).await?;
        let with_targets = stream::iter(proxies).map(|proxy| async {
            let targets = self.proxy_targets(&proxy.name).await?;
            Ok::<_, CloudError>(Proxy { targets, ..proxy })
        });
        let mut proxies: Vec<Proxy> = with_targets.buffer_unordered(AT_ONCE).try_collect().await?;
        proxies.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(proxies)
    }

    /// Where a proxy leads; nowhere, if it is gone meanwhile.
    ///
    /// # Errors
    /// Of the first call that fails.
    pub async fn proxy_targets(&self, proxy: &str) -> Result<Vec<ProxyTarget>, CloudError> {
        let given = vec![("DBProxyName".into(), proxy.to_owned())];
        match self.all(TARGETS, "Targets", given, convert::proxy_target).await {
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Vec::new()),
            targets => targets,
        }
    }
}
