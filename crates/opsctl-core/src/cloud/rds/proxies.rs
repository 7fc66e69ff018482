//! RDS Proxy: which proxies there are, and where each leads.

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{PAGES_MAX, RECORDS, Rds, convert, too_many};
use crate::{
    cloud::{CloudError, ErrorKind, classify},
    domain::proxy::{Proxy, ProxyTarget},
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
        let mut proxies = Vec::new();
        let mut marker = None;
        for page in 0..=PAGES_MAX {
            if page == PAGES_MAX {
                return Err(too_many(PROXIES));
            }
            let call = self.read.describe_db_proxies().max_records(RECORDS).set_marker(marker);
            let answer = call.send().await.map_err(|error| classify::from_sdk(PROXIES, error))?;
            proxies.extend(answer.db_proxies.unwrap_or_default().into_iter().filter_map(convert::proxy));
            marker = answer.marker.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                break;
            }
        }
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
        let mut targets = Vec::new();
        let mut marker = None;
        for _ in 0..PAGES_MAX {
            let call = self.read.describe_db_proxy_targets().db_proxy_name(proxy);
            let sent = call.max_records(RECORDS).set_marker(marker).send().await;
            let answer = match sent.map_err(|error| classify::from_sdk(TARGETS, error)) {
                Err(error) if error.kind == ErrorKind::NotFound => return Ok(Vec::new()),
                answer => answer?,
            };
            targets.extend(answer.targets.unwrap_or_default().into_iter().filter_map(convert::proxy_target));
            marker = answer.marker.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                return Ok(targets);
            }
        }
        Err(too_many(TARGETS))
    }
}
