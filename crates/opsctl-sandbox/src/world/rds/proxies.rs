//! RDS Proxy: proxies lead to a cluster's instances or to an instance, and follow a failover after some seconds.

use jiff::Timestamp;

use super::{
    Place,
    endpoints::{Named, host},
    request::Request,
    xml::Xml,
};
use crate::world::{ApiError, Caller, World, call::Answered};

#[derive(Debug, Clone)]
pub struct Proxy {
    pub name: String,
    /// The cluster, or the instance of none, that it leads to.
    pub database: String,
    pub status: String,
    /// Its endpoint; none: one made of its name and account.
    pub host: Option<String>,
    pub created_at: Timestamp,
    /// Instances that it can't use, whatever they are like: instance, reason, description.
    pub broken: Vec<[String; 3]>,
}

impl Proxy {
    pub fn new(name: &str, database: &str, created_at: Timestamp) -> Self {
        let (name, database) = (name.to_owned(), database.to_owned());
        Self { name, database, status: "available".to_owned(), host: None, created_at, broken: Vec::new() }
    }
}

impl World {
    pub fn put_proxy(&mut self, account: &str, region: &str, proxy: Proxy) {
        if let Some(host) = proxy.host.clone() {
            let named = Named::Proxy(proxy.name.clone());
            self.rds.hosts.insert(host, (account.to_owned(), region.to_owned(), named));
        }
        self.rds.place(account, region).proxies.insert(proxy.name.clone(), proxy);
    }
}

impl Place {
    pub(super) fn describe_proxies(&mut self, request: &Request) -> Answered<Xml> {
        let named = request.identifier("DBProxyName");
        let found: Vec<&Proxy> =
            self.proxies.values().filter(|proxy| named.as_ref().is_none_or(|name| *name == proxy.name)).collect();
        let missing = named.as_deref().map(no_proxy);
        request.answer(
            ("DBProxies", "member"),
            found,
            missing,
            |proxy| &proxy.name,
            |xml, proxy| self.write_proxy(xml, proxy, request.caller),
        )
    }

    pub(super) fn describe_proxy_targets(&mut self, request: &Request) -> Answered<Xml> {
        let name = request.required("DBProxyName")?;
        let proxy = self.proxies.get(&name).ok_or_else(|| no_proxy(&name))?;
        let cluster = self.clusters.get(&proxy.database);
        let instances = cluster.map_or_else(|| vec![proxy.database.clone()], |cluster| cluster.members.clone());
        let (page, marker) = request.page(instances, |name| name)?;
        let writer = self.behind_proxy(request.now, &name);
        let mut xml = Xml::default();
        xml.maybe("Marker", marker).element("Targets", |xml| {
            if cluster.is_some() {
                xml.element("member", |xml| {
                    xml.text("RdsResourceId", &proxy.database).text("Type", "TRACKED_CLUSTER");
                });
            }
            for instance in page {
                let role = if writer.as_ref() == Some(&instance) { "READ_WRITE" } else { "READ_ONLY" };
                xml.element("member", |xml| {
                    self.write_target(xml, proxy, &instance, role, request.now, request.caller)
                });
            }
        });
        Ok(xml)
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
            .text("Endpoint", proxy.host.clone().unwrap_or_else(|| host(name, "proxy-", caller)))
            .text("RequireTLS", true)
            .text("CreatedDate", created_at);
    }

    fn write_target(&self, xml: &mut Xml, proxy: &Proxy, name: &str, role: &str, now: i64, caller: &Caller) {
        let Caller { account, region, .. } = caller;
        let broken = proxy.broken.iter().find(|[instance, ..]| instance == name);
        let instance = self.instances.get(name);
        let is_cut_off = instance.is_none_or(|instance| instance.is_blinking(now));
        xml.text("TargetArn", format!("arn:aws:rds:{region}:{account}:db:{name}"))
            .text("Endpoint", host(name, "", caller))
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

    /// The instance that a connection to a proxy reaches: it goes by connections, not by names.
    pub(super) fn behind_proxy(&self, now: i64, name: &str) -> Option<String> {
        let database = &self.proxies.get(name)?.database;
        match self.clusters.get(database) {
            Some(cluster) => cluster.writer_behind(&cluster.proxies_follow, now),
            None => Some(database.clone()),
        }
    }
}

fn no_proxy(name: &str) -> ApiError {
    ApiError::plain(404, "DBProxyNotFoundFault", format!("DB proxy {name} not found."))
}
