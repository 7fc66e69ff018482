//! [`Reach`]: all that a login needs, found from what the configuration says.

use std::path::{Path, PathBuf};

use tokio::io::AsyncReadExt as _;

use super::{
    Endpoints,
    login::Login,
    tls::{self, Roots},
    url::{self, Url},
};
use crate::{
    cloud::connect::variable,
    domain::{Because, Connection, Dialect, Endpoint, Password, Place, SqlCheck, Tls, Unanswered},
};

/// A file with a URL is a line.
const URL_BYTES_MAX: u64 = 65_536;

/// Where to log in and how, password and all: kept no longer than the login takes.
#[derive(Debug)]
pub(super) struct Reach {
    pub(super) endpoint: Endpoint,
    pub(super) dialect: Dialect,
    pub(super) login: Login,
    /// None: `postgres`, or no database with MySQL.
    pub(super) database: Option<String>,
    pub(super) tls: Tls,
    pub(super) ca_file: Option<PathBuf>,
}

impl Reach {
    pub(super) fn roots(&self) -> Roots<'_> {
        tls::roots(&self.endpoint.host, self.ca_file.as_deref())
    }
}

/// An endpoint, and what a URL said besides.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) endpoint: Endpoint,
    pub(super) dialect: Dialect,
    url: Option<Url>,
}

impl Found {
    /// The SQL database that a connection is for; none: the one that the server takes.
    pub(super) fn database<'a>(&'a self, connection: &'a Connection) -> Option<&'a str> {
        connection.database.as_deref().or_else(|| self.url.as_ref()?.database.as_deref())
    }
}

impl Endpoints {
    /// Where a connection leads. Reads files, variables and parameters, and asks RDS; connects to nothing.
    ///
    /// # Errors
    /// What the configuration names is not there, or does not say enough.
    pub(super) async fn find(&self, connection: &Connection) -> Result<Found, Unanswered> {
        match &connection.place {
            Place::UrlFile(path) => found_by_url(connection, &file(path).await?),
            Place::UrlVariable(name) => {
                let url = variable(name).ok_or_else(|| missing(&format!("the variable {name} is not set")))?;
                found_by_url(connection, &url)
            }
            Place::Host { host, port } => found_by_host(connection, host, *port),
            Place::HostParameter { name, port } => {
                let host = self.parameter(name).await?;
                let (host, given) = url::host_and_port(host.trim());
                found_by_host(connection, host, port.or(given))
            }
            Place::Database(name) => self.found_by_name(connection, name).await,
            Place::DataApi(_) => Err(missing("the Data API has no endpoint to connect to")),
        }
    }

    async fn found_by_name(&self, connection: &Connection, name: &str) -> Result<Found, Unanswered> {
        let asked = self.rds.database(name).await;
        let asked = asked.map_err(|error| missing(&format!("RDS does not say where {name} is: {error}")))?;
        let database = asked.ok_or_else(|| missing(&format!("RDS has no cluster or instance {name}")))?;
        let engine = Dialect::of(database.engine.as_str());
        let dialect = connection.dialect.or(engine);
        let dialect = dialect.ok_or_else(|| missing(&format!("{name} is of the engine {}", database.engine)))?;
        let endpoint = database.endpoint.ok_or_else(|| missing(&format!("{name} has no endpoint")))?;
        Ok(Found { endpoint, dialect, url: None })
    }

    /// What the cluster of that ARN speaks, as RDS says.
    pub(super) async fn dialect_of(&self, cluster: &str) -> Result<Dialect, Unanswered> {
        let name = cluster.rsplit(':').next().unwrap_or_default();
        let asked = self.rds.database(name).await;
        let asked = asked.map_err(|error| missing(&format!("RDS does not say what {name} is: {error}")))?;
        let dialect = asked.and_then(|database| Dialect::of(database.engine.as_str()));
        dialect.ok_or_else(|| missing(&format!("RDS has no cluster {name} that speaks SQL")))
    }

    /// All that a login there needs. The password is read now.
    pub(super) async fn reach(&self, connection: &Connection, found: Found) -> Result<Reach, Unanswered> {
        let Found { endpoint, dialect, url } = found;
        let url = url.unwrap_or_default();
        let login = match (&connection.password, url.password) {
            (Password::None, Some(password)) => Login {
                user: connection.user.clone().or(url.user).ok_or_else(|| missing("the URL names no user"))?,
                password: Some(password),
                is_token: false,
            },
            (password, _) => self.login(&endpoint, connection.user.clone().or(url.user), password).await?,
        };
        Ok(Reach {
            endpoint,
            dialect,
            login,
            database: connection.database.clone().or(url.database),
            tls: connection.tls.or(url.tls).unwrap_or(Tls::VerifyFull),
            ca_file: connection.ca_file.clone().or(url.ca_file),
        })
    }

    /// The same for a check after a failover.
    pub(super) async fn reach_to_check(
        &self,
        endpoint: &Endpoint,
        dialect: Dialect,
        check: &SqlCheck,
    ) -> Result<Reach, Unanswered> {
        Ok(Reach {
            login: self.login(endpoint, check.user.clone(), &check.password).await?,
            endpoint: endpoint.clone(),
            dialect,
            database: check.database.clone(),
            tls: check.tls,
            ca_file: check.ca_file.clone(),
        })
    }
}

async fn file(path: &Path) -> Result<String, Unanswered> {
    let read = async {
        let mut text = String::new();
        tokio::fs::File::open(path).await?.take(URL_BYTES_MAX).read_to_string(&mut text).await?;
        Ok::<String, std::io::Error>(text)
    };
    read.await.map_err(|error| missing(&format!("the URL in {} can't be read: {error}", path.display())))
}

fn found_by_url(connection: &Connection, text: &str) -> Result<Found, Unanswered> {
    let url = Url::read(text.trim()).map_err(|words| missing(&words))?;
    let dialect = connection.dialect.unwrap_or(url.dialect);
    let endpoint = Endpoint { host: url.host.clone(), port: url.port.or(dialect.port()).unwrap_or_default() };
    Ok(Found { endpoint, dialect, url: Some(url) })
}

fn found_by_host(connection: &Connection, host: &str, port: Option<u16>) -> Result<Found, Unanswered> {
    let known = connection.dialect.or_else(|| port.and_then(Dialect::of_port));
    let dialect = known.ok_or_else(|| missing("neither the port nor `dialect` says what SQL the server speaks"))?;
    let port = port.or(dialect.port()).unwrap_or_default();
    Ok(Found { endpoint: Endpoint { host: host.to_owned(), port }, dialect, url: None })
}

fn missing(words: &str) -> Unanswered {
    Unanswered::new(Because::Login, words)
}
