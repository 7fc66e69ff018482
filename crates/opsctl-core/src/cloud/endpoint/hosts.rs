//! Names that RDS gives to endpoints, and what they stand for (Aurora User Guide, "Amazon Aurora endpoint connections"; RDS User Guide,
//! "Using Amazon RDS Proxy").

/// `orders.cluster-ro-abc123.eu-west-1.rds.amazonaws.com`, part by part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub label: String,
    pub stands_for: StandsFor,
    /// The same in all names that RDS gives in one account and region: `abc123.eu-west-1`.
    pub account: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StandsFor {
    /// The label is the cluster's name: its writer, or its readers.
    Cluster,
    /// The label is the name of an endpoint of some cluster.
    Custom,
    /// The label is the instance's name.
    Instance,
    /// The label is the proxy's name.
    Proxy,
    /// The label is the name of an endpoint of some proxy.
    ProxyEndpoint,
}

/// None: RDS gives no such name.
pub fn read(host: &str) -> Option<Named> {
    let host = host.to_ascii_lowercase();
    let host = host.strip_suffix('.').unwrap_or(&host);
    let rest = host.strip_suffix(".cn").unwrap_or(host).strip_suffix(".amazonaws.com")?;
    // China's regions stand behind the service's name, all others before it.
    let parts: Vec<&str> = rest.split('.').collect();
    let (parts, region) = match parts.as_slice() {
        [parts @ .., "rds", region] if region.contains('-') => (parts, *region),
        [parts @ .., region, "rds"] => (parts, *region),
        _ => return None,
    };
    let (label, stands_for, hash) = match parts {
        [label, "endpoint", hash] => (label, StandsFor::ProxyEndpoint, hash.strip_prefix("proxy-")?),
        [label, hash] => {
            let (stands_for, hash) = kind(hash);
            (label, stands_for, hash)
        }
        _ => return None,
    };
    Some(Named { label: (*label).to_owned(), stands_for, account: format!("{hash}.{region}") })
}

fn kind(hash: &str) -> (StandsFor, &str) {
    let kinds = [
        ("cluster-custom-", StandsFor::Custom),
        ("cluster-ro-", StandsFor::Cluster),
        ("cluster-", StandsFor::Cluster),
        ("proxy-", StandsFor::Proxy),
    ];
    kinds
        .into_iter()
        .find_map(|(prefix, stands_for)| Some((stands_for, hash.strip_prefix(prefix)?)))
        .unwrap_or((StandsFor::Instance, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_rds_say_what_they_stand_for() {
        for (host, stands_for, label, account) in [
            ("orders.cluster-abc1.eu-west-1.rds.amazonaws.com", StandsFor::Cluster, "orders", "abc1.eu-west-1"),
            ("Orders.cluster-ro-abc1.eu-west-1.rds.amazonaws.com.", StandsFor::Cluster, "orders", "abc1.eu-west-1"),
            ("bi.cluster-custom-abc1.eu-west-1.rds.amazonaws.com", StandsFor::Custom, "bi", "abc1.eu-west-1"),
            ("orders-1.abc1.eu-west-1.rds.amazonaws.com", StandsFor::Instance, "orders-1", "abc1.eu-west-1"),
            ("front.proxy-abc1.eu-west-1.rds.amazonaws.com", StandsFor::Proxy, "front", "abc1.eu-west-1"),
            ("ro.endpoint.proxy-abc1.eu-west-1.rds.amazonaws.com", StandsFor::ProxyEndpoint, "ro", "abc1.eu-west-1"),
            ("orders.cluster-abc1.rds.cn-north-1.amazonaws.com.cn", StandsFor::Cluster, "orders", "abc1.cn-north-1"),
        ] {
            let named = Named { label: label.to_owned(), stands_for, account: account.to_owned() };
            assert_eq!(read(host), Some(named), "{host}");
        }
        for host in [
            "db.example.com",
            "rds.amazonaws.com",
            "orders.abc1.eu-west-1.rds.amazonaws.com.example.com",
            "a.b.c.d.eu-west-1.rds.amazonaws.com",
        ] {
            assert_eq!(read(host), None, "{host}");
        }
    }
}
