//! RDS Proxy: proxies lead to a cluster's instances or to an instance, and follow a failover after some seconds.

use jiff::Timestamp;

use super::{Place, endpoints::DOMAIN, request::Request, xml::Xml};
use crate::world::{ApiError, Caller, World};

#[derive(Debug, Clone)]
pub struct Proxy {
    pub name: String,
    /// The cluster, or the instance of none, that it leads to.
    pub database: String,
    pub status: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Instances that it can't use, whatever they are like: instance, reason, description.
    pub broken: Vec<[String; 3]>,
}

impl Proxy {
    /// A proxy that is available.
    pub fn new(name: &str, database: &str, created_at: Timestamp) -> Self {
        let (name, database) = (name.to_owned(), database.to_owned());
        Self { name, database, status: "available".to_owned(), created_at, broken: Vec::new() }
    }
}

impl World {
    /// Adds or replaces a proxy.
    pub fn put_proxy(&mut self, account: &str, region: &str, proxy: Proxy) {
        self.rds.place(account, region).proxies.insert(proxy.name.clone(), proxy);
    }
}

impl Place {
    pub(super) fn describe_proxies(&mut self, request: &Request) -> Result<String, ApiError> {
        let named = request.identifier("DBProxyName");
        let found: Vec<&Proxy> =
            self.proxies.values().filter(|proxy| named.as_ref().is_none_or(|name| *name == proxy.name)).collect();
        if let Some(name) = named.filter(|_| found.is_empty()) {
            return Err(no_proxy(&name));
        }
        let (page, marker) = request.page(found, |proxy| proxy.name.clone())?;
        let mut xml = Xml::default();
        xml.maybe("Marker", marker).element("DBProxies", |xml| {
            for proxy in page {
                xml.element("member", |xml| self.write_proxy(xml, proxy, request.caller));
            }
        });
        Ok(xml.into_string())
    }

    pub(super) fn describe_proxy_targets(&mut self, request: &Request) -> Result<String, ApiError> {
        let name = request.required("DBProxyName")?;
        let proxy = self.proxies.get(&name).ok_or_else(|| no_proxy(&name))?;
        let cluster = self.clusters.get(&proxy.database);
        let instances = cluster.map_or_else(|| vec![proxy.database.clone()], |cluster| cluster.members.clone());
        let (page, marker) = request.page(instances, String::clone)?;
        let writer = cluster.map(|cluster| self.behind(request.now, cluster));
        let mut xml = Xml::default();
        xml.maybe("Marker", marker).element("Targets", |xml| {
            if cluster.is_some() {
                xml.element("member", |xml| {
                    xml.text("RdsResourceId", &proxy.database).text("Type", "TRACKED_CLUSTER");
                });
            }
            for instance in page {
                let role = match &writer {
                    None => "READ_WRITE",
                    Some(writer) if *writer == instance => "READ_WRITE",
                    Some(_) => "READ_ONLY",
                };
                xml.element("member", |xml| {
                    self.write_target(xml, proxy, &instance, role, request.now, request.caller)
                });
            }
        });
        Ok(xml.into_string())
    }

    fn write_proxy(&self, xml: &mut Xml, proxy: &Proxy, caller: &Caller) {
        let Caller { account, region, .. } = caller;
        let Proxy { name, database, status, created_at, .. } = proxy;
        let engine = self.clusters.get(database).map(|cluster| cluster.engine.as_str());
        let engine = engine.or(self.instances.get(database).map(|instance| instance.engine.as_str()));
        let is_mysql = engine.is_some_and(|engine| engine.contains("mysql"));
        xml.text("DBProxyName", name)
            .text("DBProxyArn", format!("arn:aws:rds:{region}:{account}:db-proxy:{name}"))
            .text("Status", status)
            .text("EngineFamily", if is_mysql { "MYSQL" } else { "POSTGRESQL" })
            .text("Endpoint", format!("{name}.proxy-c{account}.{region}.{DOMAIN}"))
            .text("RequireTLS", true)
            .text("CreatedDate", created_at);
    }

    fn write_target(&self, xml: &mut Xml, proxy: &Proxy, name: &str, role: &str, now: i64, caller: &Caller) {
        let Caller { account, region, .. } = caller;
        let broken = proxy.broken.iter().find(|[instance, ..]| instance == name);
        let instance = self.instances.get(name);
        let is_cut_off = instance.is_none_or(|instance| instance.is_blinking(now));
        xml.text("TargetArn", format!("arn:aws:rds:{region}:{account}:db:{name}"))
            .text("Endpoint", format!("{name}.c{account}.{region}.{DOMAIN}"))
            .maybe("TrackedClusterId", self.clusters.contains_key(&proxy.database).then_some(&proxy.database))
            .text("RdsResourceId", name)
            .text("Type", "RDS_INSTANCE")
            .text("Role", role)
            .element("TargetHealth", |xml| match (broken, is_cut_off) {
                (Some([_, reason, description]), _) => {
                    xml.text("State", "UNAVAILABLE").text("Reason", reason).text("Description", description);
                }
                (None, true) => {
                    xml.text("State", "UNAVAILABLE").text("Reason", "UNREACHABLE");
                    xml.text("Description", "Database connection failed and closed by proxy");
                }
                (None, false) => {
                    xml.text("State", "AVAILABLE");
                }
            });
    }

    /// The instance that a proxy takes for a cluster's writer: it goes by connections, not by names.
    fn behind(&self, now: i64, cluster: &super::Cluster) -> String {
        match &cluster.proxies_follow {
            Some((at, before)) if now < *at => before.clone(),
            Some(_) | None => cluster.members.first().cloned().unwrap_or_default(),
        }
    }

    /// The instance that a connection to a proxy reaches.
    pub(super) fn behind_proxy(&self, now: i64, name: &str) -> Option<String> {
        let proxy = self.proxies.get(name)?;
        Some(
            self.clusters
                .get(&proxy.database)
                .map_or_else(|| proxy.database.clone(), |cluster| self.behind(now, cluster)),
        )
    }
}

fn no_proxy(name: &str) -> ApiError {
    ApiError::plain(404, "DBProxyNotFoundFault", format!("DB proxy {name} not found."))
}
