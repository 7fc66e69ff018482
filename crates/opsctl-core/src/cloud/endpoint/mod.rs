//! Endpoints of databases: whether one takes connections, whether the server that answers writes, and sessions to read and change
//! what is stored there.
//!
//! A connection wakes a database that has paused: nothing passive may come here unasked. After a failover endpoints are asked; a
//! session is for whoever knows that the database is awake, or means to wake it.

mod answered;
mod data_api;
mod failure;
mod login;
mod mysql;
mod postgres;
mod reach;
mod secrets;
mod session;
mod tls;
mod token;
mod url;
mod verify;
mod wire;

pub mod hosts;

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use aws_config::SdkConfig;
use aws_smithy_runtime::client::retries::RetryPartition;
use tokio::net::{TcpStream, lookup_host};

use answered::Answered;
use data_api::{DataApi, RdsData};
use failure::{of_login, of_socket};
use mysql::Mysql;
use postgres::Postgres;
use reach::Reach;
use secrets::Secrets;
use wire::Wire;

use super::{parameters::Parameters, rds::Rds};
use crate::{
    clock::Clock,
    domain::{
        Answerer, Because, Bounds, Connection, Dialect, Endpoint, Password, Place, Reached, Server, SqlCheck, Target,
        Text, Unanswered,
    },
};

pub use session::{Session, Transaction};
pub use verify::NotPlanned;

/// How long a connection may take: a database in the same region answers within some milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long login and questions may take, all together.
const SQL_TIMEOUT: Duration = Duration::from_secs(10);
/// How long whoever means to wake a database waits for it: Aurora resumes within some 15 seconds, after a day's pause within 30 and more.
const RESUME_TIMEOUT: Duration = Duration::from_secs(60);
/// From one try to the next.
const RESUME_PERIOD: Duration = Duration::from_secs(2);
const ADDRESSES_MAX: usize = 4;
/// Of a check after a failover: shorter than all of it may take, so that the server says itself that it was too long.
const CHECK: Bounds = Bounds { rows_max: 1_000, ..Bounds::LOOK };

/// Who is told that something takes its time: one line each.
#[derive(Clone)]
pub struct Told(pub Arc<dyn Fn(&str) + Send + Sync>);

#[derive(Clone, Default)]
pub enum Dial {
    #[default]
    Network,
    /// Somebody who answers in its place: the sandbox. No packet leaves the process.
    Through(Answerer),
}

/// What asks endpoints. Cheap to clone.
#[derive(Clone)]
pub struct Endpoints {
    dial: Dial,
    clock: Clock,
    parameters: Parameters,
    secrets: Secrets,
    data: RdsData,
    rds: Rds,
    shared: SdkConfig,
    told: Option<Told>,
}

impl Endpoints {
    /// As `parameters` and `rds` are made of `shared`. The partitions are Secrets Manager's and the Data API's.
    pub(super) fn new(
        dial: Dial,
        clock: Clock,
        (parameters, rds): (Parameters, Rds),
        [secrets, data]: [RetryPartition; 2],
        shared: SdkConfig,
    ) -> Self {
        let (secrets, data) = (Secrets::new(&shared, secrets), RdsData::new(&shared, data));
        Self { dial, clock, parameters, secrets, data, rds, shared, told: None }
    }

    /// The same for somebody who typed a command, and reads that a database is waited for.
    pub(super) fn telling(self, told: Option<Told>) -> Self {
        Self { told, ..self }
    }

    /// Whether the endpoint takes connections. Wakes a database that has paused. Answers [`Reached::Answers`].
    ///
    /// # Errors
    /// It does not, within three seconds.
    pub async fn connect(&self, endpoint: &Endpoint) -> Result<Reached, Unanswered> {
        let answer = async {
            match &self.dial {
                Dial::Network => connect(endpoint).await.map(drop)?,
                Dial::Through(answerer) => Answered::open(answerer, endpoint, None).await?.close().await,
            }
            Ok(Reached::Answers)
        };
        self.within(CONNECT_TIMEOUT, answer).await
    }

    /// Whether the server that answers there writes: [`Reached::Writes`] or [`Reached::ReadsOnly`]. One connection, a transaction
    /// that reads only. Wakes a database that has paused.
    ///
    /// # Errors
    /// No connection, no login, no answer, within ten seconds.
    pub async fn ask(&self, endpoint: &Endpoint, dialect: Dialect, check: &SqlCheck) -> Result<Reached, Unanswered> {
        let answer = async {
            let mut session = match &self.dial {
                Dial::Network => {
                    // First by itself: so that a name that is missing is told from a login that is.
                    addresses(endpoint).await?;
                    self.log_in(&self.reach_to_check(endpoint, dialect, check).await?).await?
                }
                Dial::Through(answerer) => self.answered(answerer, endpoint, check.database.as_deref()).await?,
            };
            let reads_only = session.server().reads_only;
            if let Some(sql) = &check.sql {
                let asked = session.read(&[sql.as_str().into()], CHECK).await;
                asked.map_err(|error| Unanswered::new(Because::Sql, &error.to_string()))?;
            }
            session.close().await;
            Ok(if reads_only { Reached::ReadsOnly } else { Reached::Writes })
        };
        self.within(SQL_TIMEOUT, answer).await
    }

    /// Where a connection leads. Reads files, variables and parameters, and asks RDS; connects to nothing, and wakes nothing.
    ///
    /// # Errors
    /// What the configuration names is not there, or does not say enough.
    pub async fn target(&self, connection: &Connection) -> Result<Target, Unanswered> {
        match &connection.place {
            Place::DataApi(cluster) => Ok(Target::Cluster(cluster.clone())),
            Place::UrlFile(_)
            | Place::UrlVariable(_)
            | Place::Host { .. }
            | Place::HostParameter { .. }
            | Place::Database(_) => self.find(connection).await.map(|found| Target::Endpoint(found.endpoint)),
        }
    }

    /// Opens a session. Wakes a database that has paused.
    ///
    /// # Errors
    /// The configuration leads nowhere, no connection, no login, within ten seconds.
    pub async fn session(&self, connection: &Connection) -> Result<Session, Unanswered> {
        let opened = async {
            if let Place::DataApi(cluster) = &connection.place {
                return self.by_data_api(connection, cluster).await;
            }
            let found = self.find(connection).await?;
            match &self.dial {
                Dial::Network => {
                    addresses(&found.endpoint).await?;
                    self.log_in(&self.reach(connection, found).await?).await
                }
                Dial::Through(answerer) => self.answered(answerer, &found.endpoint, found.database(connection)).await,
            }
        };
        self.within(SQL_TIMEOUT, opened).await.map_err(|error| {
            if error.because != Because::TimedOut {
                return error;
            }
            // To resume takes some 15 seconds and more.
            let words = format!("{error}; if the database was paused, it resumes now: try again in 30 s");
            Unanswered::new(Because::TimedOut, &words)
        })
    }

    /// The same for somebody who means to wake the database. Where there is somebody to be told ([`Told`]), one that may have paused is
    /// waited for, a minute at most.
    ///
    /// # Errors
    /// As of [`Endpoints::session`], and the database did not resume in time.
    pub async fn session_of_resumed(&self, connection: &Connection) -> Result<Session, Unanswered> {
        let Some(Told(told)) = &self.told else { return self.session(connection).await };
        let mut waited = Duration::ZERO;
        loop {
            let began = self.clock.now();
            let error = match self.session(connection).await {
                Err(error) if error.because == Because::TimedOut && waited < RESUME_TIMEOUT => error,
                ended => return ended,
            };
            if !self.may_pause(connection).await {
                return Err(error);
            }
            if waited.is_zero() {
                let most = RESUME_TIMEOUT.as_secs();
                told(&format!(
                    "{}: the database may be resuming after a pause; waiting up to {most} s",
                    connection.name
                ));
            }
            self.clock.sleep(RESUME_PERIOD).await;
            let tried = self.clock.now().duration_since(began);
            waited += Duration::try_from(tried).unwrap_or_default().max(RESUME_PERIOD);
        }
    }

    /// Whether it leads to RDS: nothing else pauses.
    async fn may_pause(&self, connection: &Connection) -> bool {
        match self.target(connection).await {
            Ok(Target::Cluster(_)) => true,
            Ok(Target::Endpoint(endpoint)) => hosts::read(&endpoint.host).is_some(),
            Err(_) => false,
        }
    }

    async fn by_data_api(&self, connection: &Connection, cluster: &str) -> Result<Session, Unanswered> {
        let failed = |words: &str| Unanswered::new(Because::Login, words);
        let Password::Secret(secret) = &connection.password else {
            return Err(failed("the Data API logs in with a secret by its ARN"));
        };
        let dialect = match (&self.dial, connection.dialect) {
            (Dial::Through(_), _) => Dialect::Sqlite,
            (Dial::Network, Some(dialect)) => dialect,
            (Dial::Network, None) => self.dialect_of(cluster).await?,
        };
        let opened = DataApi::open(&self.data, (cluster, secret), connection.database.as_deref(), dialect).await;
        let (wire, server) = opened.map_err(|error| {
            let resumes = error.code.as_str() == data_api::RESUMING;
            Unanswered::new(if resumes { Because::TimedOut } else { Because::Sql }, &error.to_string())
        })?;
        Ok(Session::new(Target::Cluster(cluster.to_owned()), server, Wire::DataApi(wire.into()), self.clock))
    }

    async fn log_in(&self, reach: &Reach) -> Result<Session, Unanswered> {
        let opened = match reach.dialect {
            Dialect::Postgres => {
                Postgres::connect(reach).await.map(|(wire, server)| (Wire::Postgres(wire.into()), server))
            }
            Dialect::Mysql => Mysql::connect(reach).await.map(|(wire, server)| (Wire::Mysql(wire.into()), server)),
            Dialect::Sqlite => return Err(Unanswered::new(Because::Login, "no server speaks SQLite's SQL")),
        };
        let (wire, server) = opened.map_err(|error| of_login(&error))?;
        Ok(Session::new(Target::Endpoint(reach.endpoint.clone()), server, wire, self.clock))
    }

    async fn answered(
        &self,
        answerer: &Answerer,
        endpoint: &Endpoint,
        database: Option<&str>,
    ) -> Result<Session, Unanswered> {
        let wire = Answered::open(answerer, endpoint, database).await?;
        let place = Text::line(&endpoint.to_string());
        let server = Server {
            dialect: Dialect::Sqlite,
            product: Text::from("SQLite"),
            version: [3, 0, 0],
            identity: place.clone(),
            address: Some(place),
            database: Text::line(database.unwrap_or_default()),
            user: Text::default(),
            reads_only: wire.role().await? == Reached::ReadsOnly,
        };
        Ok(Session::new(Target::Endpoint(endpoint.clone()), server, Wire::Answered(wire), self.clock))
    }

    async fn within<T>(
        &self,
        most: Duration,
        answer: impl Future<Output = Result<T, Unanswered>>,
    ) -> Result<T, Unanswered> {
        tokio::select! {
            answer = answer => answer,
            () = self.clock.sleep(most) => {
                Err(Unanswered::new(Because::TimedOut, &format!("no answer within {} s", most.as_secs())))
            }
        }
    }
}

async fn addresses(endpoint: &Endpoint) -> Result<Vec<SocketAddr>, Unanswered> {
    let found = lookup_host((endpoint.host.as_str(), endpoint.port)).await;
    let found =
        found.map_err(|error| Unanswered::new(Because::Unresolved, &format!("the name leads nowhere: {error}")))?;
    Ok(found.take(ADDRESSES_MAX).collect())
}

async fn connect(endpoint: &Endpoint) -> Result<TcpStream, Unanswered> {
    TcpStream::connect(addresses(endpoint).await?.as_slice()).await.map_err(|error| of_socket(&error))
}

impl fmt::Debug for Told {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Told")
    }
}

impl fmt::Debug for Dial {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Network => "Network",
            Self::Through(_) => "Through",
        })
    }
}

impl fmt::Debug for Endpoints {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Endpoints").field("dial", &self.dial).finish_non_exhaustive()
    }
}
