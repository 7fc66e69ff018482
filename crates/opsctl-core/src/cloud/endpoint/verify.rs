//! Right before a change: whether a session is with the database that the plan saw, in the account of its environment.

use super::{
    Endpoints, Session,
    hosts::{self, Named, StandsFor},
};
use crate::{
    cloud::CloudError,
    domain::{Database, Environment, Proxy, Server, Target, Text},
};

/// Why a session may not change anything. In words that hold nothing secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotPlanned {
    #[error("{found} answers, and the plan was made for {planned}")]
    OtherServer { planned: Text, found: Text },
    #[error("{target} is not one of the databases and proxies that RDS of {environment} names")]
    OtherAccount { target: Text, environment: Text },
    #[error("RDS does not say whether the endpoint is one of this account: {0}")]
    Unknown(#[source] CloudError),
}

impl Endpoints {
    /// Whether a session is with the server that the plan saw, at an endpoint that RDS of the environment names: a cluster's, an
    /// instance's, a proxy's, or, by the Data API, a cluster in its account. A name that is none of RDS's is the configuration's own word.
    ///
    /// # Errors
    /// It is not; or RDS does not answer.
    pub async fn verify(
        &self,
        session: &Session,
        planned: &Server,
        environment: &Environment,
    ) -> Result<(), NotPlanned> {
        let found = session.server();
        if !found.is_same_as(planned) {
            return Err(NotPlanned::OtherServer { planned: identified(planned), found: identified(found) });
        }
        let is_ours = match session.target() {
            Target::Cluster(arn) => is_in_account(arn, environment),
            Target::Endpoint(endpoint) => match hosts::read(&endpoint.host) {
                Some(named) => self.is_named(&named).await.map_err(NotPlanned::Unknown)?,
                None => true,
            },
        };
        if is_ours {
            return Ok(());
        }
        let target = Text::line(&session.target().to_string());
        Err(NotPlanned::OtherAccount { target, environment: Text::line(&environment.name.0) })
    }

    async fn is_named(&self, named: &Named) -> Result<bool, CloudError> {
        let databases = self.rds.databases().await?.list;
        let proxies = match named.stands_for {
            StandsFor::Proxy | StandsFor::ProxyEndpoint => self.rds.proxies().await?,
            StandsFor::Cluster | StandsFor::Custom | StandsFor::Instance => Vec::new(),
        };
        Ok(is_named(named, &databases, &proxies))
    }
}

fn identified(server: &Server) -> Text {
    Text::line(&format!("{} {} (database {})", server.product, server.identity, server.database))
}

fn is_in_account(arn: &str, environment: &Environment) -> bool {
    let parts: Vec<&str> = arn.split(':').collect();
    let is_own = |account: &str| environment.account.as_ref().is_none_or(|own| own.0 == account);
    matches!(parts.as_slice(), ["arn", _, "rds", region, account, "cluster", _] if *region == environment.region && is_own(account))
}

/// Whether it is a name of something that is there. What stands for an endpoint of its own is known by its account.
fn is_named(named: &Named, databases: &[Database], proxies: &[Proxy]) -> bool {
    let Named { label, stands_for, account } = named;
    let known = databases.iter().filter_map(|database| Some(database.endpoint.as_ref()?.host.as_str()));
    let known = known.chain(proxies.iter().filter_map(|proxy| Some(proxy.endpoint.as_ref()?.as_str())));
    let is_of_account = known.filter_map(hosts::read).any(|named| named.account == *account);
    let is_there = match stands_for {
        StandsFor::Cluster => databases.iter().any(|database| database.name == *label),
        StandsFor::Instance => {
            databases.iter().flat_map(|database| &database.members).any(|member| member.name == *label)
        }
        StandsFor::Proxy => proxies.iter().any(|proxy| proxy.name == *label),
        StandsFor::Custom | StandsFor::ProxyEndpoint => true,
    };
    is_of_account && is_there
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cloud::canned::environment,
        domain::{AccountId, Endpoint, Member, Topology},
    };

    fn orders(endpoint: Endpoint) -> Database {
        let member =
            Member { name: "orders-1".to_owned(), is_writer: true, class: None, status: None, zone: None, tier: None };
        Database {
            name: "orders".to_owned(),
            arn: String::new(),
            topology: Topology::Aurora,
            engine: Text::from("aurora-postgresql"),
            version: Text::from("16.6"),
            status: Text::from("available"),
            members: vec![member],
            standby_zone: None,
            endpoint: Some(endpoint),
            limits: None,
            pending: Vec::new(),
            source: None,
            replicas: Vec::new(),
            global: None,
            written_elsewhere: None,
        }
    }

    #[test]
    fn an_endpoint_is_one_of_the_account_s_or_is_refused() {
        let endpoint = Endpoint { host: "orders.cluster-abc1.eu-west-1.rds.amazonaws.com".to_owned(), port: 5432 };
        let orders = orders(endpoint);
        for (host, ours) in [
            ("orders.cluster-abc1.eu-west-1.rds.amazonaws.com", true),
            ("orders.cluster-ro-abc1.eu-west-1.rds.amazonaws.com", true),
            ("orders-1.abc1.eu-west-1.rds.amazonaws.com", true),
            ("bi.cluster-custom-abc1.eu-west-1.rds.amazonaws.com", true),
            ("orders.cluster-xyz9.eu-west-1.rds.amazonaws.com", false),
            ("orders.cluster-abc1.us-east-1.rds.amazonaws.com", false),
            ("wallet.cluster-abc1.eu-west-1.rds.amazonaws.com", false),
            ("front.proxy-abc1.eu-west-1.rds.amazonaws.com", false),
        ] {
            assert_eq!(is_named(&hosts::read(host).expect(host), std::slice::from_ref(&orders), &[]), ours, "{host}");
        }
    }

    #[test]
    fn a_cluster_is_in_the_account_and_region() {
        let environment = Environment { account: Some(AccountId("111122223333".to_owned())), ..environment() };
        assert!(is_in_account("arn:aws:rds:eu-west-1:111122223333:cluster:orders", &environment));
        for arn in [
            "arn:aws:rds:eu-west-1:999999999999:cluster:orders",
            "arn:aws:rds:us-east-1:111122223333:cluster:orders",
            "orders",
        ] {
            assert!(!is_in_account(arn, &environment), "{arn}");
        }
    }
}
