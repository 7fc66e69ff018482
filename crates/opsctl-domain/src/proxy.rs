//! RDS Proxy: what stands between clients and a database.

use serde::{Deserialize, Serialize};

use super::Text;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proxy {
    pub name: String,
    pub arn: String,
    /// AWS's word: `available`.
    pub status: Text,
    /// `POSTGRESQL`, `MYSQL`, `SQLSERVER`.
    pub engine_family: Text,
    /// Host that clients connect to.
    pub endpoint: Option<Text>,
    /// What it leads to; of a cluster each instance.
    pub targets: Vec<ProxyTarget>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProxyTarget {
    pub instance: String,
    /// The cluster that it is of, as the proxy knows it.
    pub cluster: Option<String>,
    /// `READ_WRITE`, `READ_ONLY`, `UNKNOWN`.
    pub role: Option<Text>,
    /// `AVAILABLE`, `UNAVAILABLE`, `REGISTERING`.
    pub state: Option<Text>,
    /// `UNREACHABLE`, `CONNECTION_FAILED`, `AUTH_FAILURE`, `PENDING_PROXY_CAPACITY`, ...
    pub reason: Option<Text>,
    pub description: Option<Text>,
}

impl Proxy {
    /// Whether it leads to the cluster, or to the instance that is of none, of that name.
    pub fn leads_to(&self, database: &str) -> bool {
        self.targets.iter().any(|target| target.cluster.as_deref().unwrap_or(&target.instance) == database)
    }

    /// Where it sends writes; none: it says nothing of it.
    pub fn writer(&self) -> Option<&ProxyTarget> {
        let writes = |target: &&ProxyTarget| target.role.as_ref().is_some_and(|role| role.as_str() == "READ_WRITE");
        // An instance by itself takes the writes, whatever its role is said to be.
        self.targets.iter().find(writes).or(match self.targets.as_slice() {
            [only] if only.cluster.is_none() => Some(only),
            _ => None,
        })
    }

    /// In short: `storo-proxy -> storo-dev-1`, and what is wrong with it.
    pub fn words(&self) -> String {
        let mut words = match self.writer() {
            Some(writer) => format!("{} -> {}", Text::line(&self.name), Text::line(&writer.instance)),
            None => format!("{} -> ?", Text::line(&self.name)),
        };
        if self.status.as_str() != "available" {
            words.push_str(&format!(" ({})", self.status));
        }
        words.extend(
            self.targets.iter().filter(|target| !target.is_available()).map(|target| format!(", {}", target.words())),
        );
        words
    }

    pub fn is_available(&self) -> bool {
        self.status.as_str() == "available" && self.targets.iter().all(ProxyTarget::is_available)
    }
}

impl ProxyTarget {
    pub fn is_available(&self) -> bool {
        self.state.as_ref().is_some_and(|state| state.as_str() == "AVAILABLE")
    }

    /// `storo-dev-2 UNAVAILABLE (UNREACHABLE: ...)`.
    pub fn words(&self) -> String {
        let state = self.state.as_ref().map_or("in an unknown state", Text::as_str);
        let why: Vec<&str> = [&self.reason, &self.description].into_iter().flatten().map(Text::as_str).collect();
        let why = if why.is_empty() { String::new() } else { format!(" ({})", why.join(": ")) };
        format!("{} {state}{why}", Text::line(&self.instance))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_says_where_writes_go_and_what_is_wrong() {
        let target = |instance: &str, role: &str, state: &str| ProxyTarget {
            instance: instance.to_owned(),
            cluster: Some("orders".to_owned()),
            role: Some(Text::from(role)),
            state: Some(Text::from(state)),
            reason: (state != "AVAILABLE").then(|| Text::from("UNREACHABLE")),
            description: None,
        };
        let proxy = Proxy {
            name: "front".to_owned(),
            arn: String::new(),
            status: Text::from("available"),
            engine_family: Text::from("POSTGRESQL"),
            endpoint: None,
            targets: vec![target("one", "READ_ONLY", "UNAVAILABLE"), target("two", "READ_WRITE", "AVAILABLE")],
        };
        assert!(proxy.leads_to("orders") && !proxy.leads_to("two"));
        assert_eq!(proxy.words(), "front -> two, one UNAVAILABLE (UNREACHABLE)");
    }
}
