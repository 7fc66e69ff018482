//! How a database is reached to be read and changed, and which server answered there.

use std::{fmt, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::{Dialect, Endpoint, Password, Text, Tls};

/// How a database is reached. Holds where a password or a URL is found, never the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Its name in the configuration.
    pub name: String,
    pub place: Place,
    /// Who logs in; none: the name that stands with the password in its secret, or in the URL.
    pub user: Option<String>,
    /// [`Password::None`] with a URL: the one in the URL.
    pub password: Password,
    /// The SQL database; none: the one in the URL, else `postgres`, or no database with MySQL.
    pub database: Option<String>,
    /// How far the server has to prove who it is; none: what the URL says, else [`Tls::VerifyFull`].
    pub tls: Option<Tls>,
    /// PEM file of authorities that are trusted besides the public ones; none: RDS's own, for names of RDS.
    pub ca_file: Option<PathBuf>,
    /// None: known from the URL, the port, or the engine.
    pub dialect: Option<Dialect>,
}

/// Where a database is. Secrets are read anew for each connection, so a rotation is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The URL stands in this file.
    UrlFile(PathBuf),
    /// The URL stands in this variable of the process's environment.
    UrlVariable(String),
    Host {
        host: String,
        /// None: the dialect's own.
        port: Option<u16>,
    },
    /// The host stands in this SSM parameter, perhaps with a port: an RDS Proxy's, for instance.
    HostParameter { name: String, port: Option<u16> },
    /// The cluster or instance of that name: where it takes writes, as RDS says.
    Database(String),
    /// The RDS Data API: the cluster's ARN. The password is a secret by its ARN.
    DataApi(String),
}

/// What a [`Place`] turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    Endpoint(Endpoint),
    /// The ARN of a cluster, by the Data API.
    Cluster(String),
}

/// The server that answered, and the login it gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    pub dialect: Dialect,
    /// `PostgreSQL`, `MySQL`, `MariaDB`, `SQLite`.
    pub product: Text,
    /// Major, minor, patch: PostgreSQL 15.4 is `[15, 4, 0]`.
    pub version: [u32; 3],
    /// Which data it serves: PostgreSQL's system identifier, the same on its standbys; MySQL's `server_uuid`; MariaDB's host name,
    /// port and server id; the Data API's cluster ARN. Where PostgreSQL keeps it to itself: address and port.
    pub identity: Text,
    /// Host and port of the instance, as it sees itself: behind a proxy it is not what was connected to.
    pub address: Option<Text>,
    /// The SQL database; empty: none was chosen.
    pub database: Text,
    pub user: Text,
    /// Whether the server takes no writes at all: it is in recovery, or set so.
    pub reads_only: bool,
}

impl Connection {
    /// In words, without where the password is: `database orders-dev as relay, TLS verify-full`. What only a URL says is left out.
    pub fn words(&self) -> String {
        let user = self.user.as_ref().map_or_else(String::new, |user| format!(" as {}", Text::line(user)));
        let tls = match (&self.place, self.tls) {
            (Place::DataApi(_) | Place::UrlFile(_) | Place::UrlVariable(_), None) => String::new(),
            (_, tls) => format!(", TLS {}", tls.unwrap_or(Tls::VerifyFull)),
        };
        format!("{}{user}{tls}", self.place)
    }
}

impl Server {
    /// Whether it serves the same data to the same product: what a plan saw, a change may touch. Which instance answers may differ.
    pub fn is_same_as(&self, other: &Self) -> bool {
        (&self.product, &self.identity, &self.database) == (&other.product, &other.identity, &other.database)
    }

    /// `PostgreSQL 15.4`.
    pub fn words(&self) -> String {
        let [major, minor, patch] = self.version;
        let patch = if self.dialect == Dialect::Postgres { String::new() } else { format!(".{patch}") };
        format!("{} {major}.{minor}{patch}", self.product)
    }

    pub fn is_mariadb(&self) -> bool {
        self.product.as_str() == "MariaDB"
    }

    /// Whether `SKIP LOCKED` is understood: PostgreSQL 9.5, MySQL 8.0.1, MariaDB 10.6.
    pub fn skips_locked(&self) -> bool {
        match self.dialect {
            Dialect::Postgres => self.version >= [9, 5, 0],
            Dialect::Mysql if self.is_mariadb() => self.version >= [10, 6, 0],
            Dialect::Mysql => self.version >= [8, 0, 1],
            Dialect::Sqlite => false,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoint(endpoint) => endpoint.fmt(formatter),
            Self::Cluster(arn) => Text::line(arn).fmt(formatter),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UrlFile(path) => write!(formatter, "the URL in {}", Text::line(&path.display().to_string())),
            Self::UrlVariable(name) => write!(formatter, "the URL in {}", Text::line(name)),
            Self::Host { host, port: Some(port) } => Endpoint { host: host.clone(), port: *port }.fmt(formatter),
            Self::Host { host, port: None } => write!(formatter, "{}", Text::line(host)),
            Self::HostParameter { name, .. } => write!(formatter, "the host in ssm:{}", Text::line(name)),
            Self::Database(name) => write!(formatter, "database {}", Text::line(name)),
            Self::DataApi(arn) => write!(formatter, "the Data API of {}", Text::line(arn)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(product: &str, dialect: Dialect, version: [u32; 3]) -> Server {
        Server {
            dialect,
            product: Text::from(product),
            version,
            identity: Text::from("7312"),
            address: None,
            database: Text::from("orders"),
            user: Text::from("relay"),
            reads_only: false,
        }
    }

    #[test]
    fn a_server_is_known_by_its_data_not_by_its_address() {
        let planned = server("PostgreSQL", Dialect::Postgres, [15, 4, 0]);
        let promoted = Server { address: Some(Text::from("10.0.0.7:5432")), version: [15, 5, 0], ..planned.clone() };
        assert!(planned.is_same_as(&promoted));
        let other = Server { database: Text::from("wallet"), ..planned.clone() };
        let restored = Server { identity: Text::from("7313"), ..planned.clone() };
        assert!(!planned.is_same_as(&other) && !planned.is_same_as(&restored));
        assert_eq!(planned.words(), "PostgreSQL 15.4");
    }

    #[test]
    fn skip_locked_came_with_a_version() {
        for (product, dialect, version, skips) in [
            ("PostgreSQL", Dialect::Postgres, [9, 4, 26], false),
            ("PostgreSQL", Dialect::Postgres, [15, 4, 0], true),
            ("MySQL", Dialect::Mysql, [8, 0, 0], false),
            ("MySQL", Dialect::Mysql, [8, 0, 36], true),
            ("MariaDB", Dialect::Mysql, [10, 5, 23], false),
            ("MariaDB", Dialect::Mysql, [10, 11, 6], true),
        ] {
            assert_eq!(server(product, dialect, version).skips_locked(), skips, "{product} {version:?}");
        }
    }
}
