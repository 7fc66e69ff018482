//! Endpoints of databases: whether one takes connections, whether the server that answers writes.
//!
//! A connection wakes a database that has paused: nothing passive may come here. It is asked after a failover, and only then.

mod login;
mod session;
mod sql;
mod token;

use std::{fmt, io, net::SocketAddr, time::Duration};

use aws_config::SdkConfig;
use tokio::net::{TcpStream, lookup_host};

use session::Session;

use super::parameters::Parameters;
use crate::{
    clock::Clock,
    domain::{Answerer, Because, Dialect, Endpoint, Reached, SqlCheck, Unanswered},
};

/// How long a connection may take: a database in the same region answers within some milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long login and questions may take, all together.
const SQL_TIMEOUT: Duration = Duration::from_secs(10);
const ADDRESSES_MAX: usize = 4;

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
    shared: SdkConfig,
}

impl Endpoints {
    pub(super) fn new(dial: Dial, clock: Clock, parameters: Parameters, shared: SdkConfig) -> Self {
        Self { dial, clock, parameters, shared }
    }

    /// Whether the endpoint takes connections. Wakes a database that has paused. Answers [`Reached::Answers`].
    ///
    /// # Errors
    /// It does not, within three seconds.
    pub async fn connect(&self, endpoint: &Endpoint) -> Result<Reached, Unanswered> {
        let answer = async {
            match &self.dial {
                Dial::Network => connect(endpoint).await.map(drop)?,
                Dial::Through(answerer) => Session::open(answerer, endpoint).await?.close().await,
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
            match &self.dial {
                Dial::Network => {
                    // First by itself: so that a name or a way that is missing is told from a login that is.
                    connect(endpoint).await?;
                    let login = self.login(endpoint, check).await?;
                    sql::ask(endpoint, dialect, check, login).await
                }
                Dial::Through(answerer) => {
                    let session = Session::open(answerer, endpoint).await?;
                    let role = session.role().await?;
                    if let Some(sql) = &check.sql {
                        session.run(&sql.as_str().into()).await?;
                    }
                    session.close().await;
                    Ok(role)
                }
            }
        };
        self.within(SQL_TIMEOUT, answer).await
    }

    async fn within(
        &self,
        most: Duration,
        answer: impl Future<Output = Result<Reached, Unanswered>>,
    ) -> Result<Reached, Unanswered> {
        tokio::select! {
            answer = answer => answer,
            () = self.clock.sleep(most) => {
                Err(Unanswered::new(Because::TimedOut, &format!("no answer within {} s", most.as_secs())))
            }
        }
    }
}

async fn connect(endpoint: &Endpoint) -> Result<TcpStream, Unanswered> {
    let found = lookup_host((endpoint.host.as_str(), endpoint.port)).await;
    let found =
        found.map_err(|error| Unanswered::new(Because::Unresolved, &format!("the name leads nowhere: {error}")))?;
    let addresses: Vec<SocketAddr> = found.take(ADDRESSES_MAX).collect();
    TcpStream::connect(addresses.as_slice()).await.map_err(|error| of_socket(&error))
}

fn of_socket(error: &io::Error) -> Unanswered {
    let because = match error.kind() {
        io::ErrorKind::ConnectionRefused => Because::Refused,
        io::ErrorKind::TimedOut | io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            Because::TimedOut
        }
        _ => Because::Broken,
    };
    Unanswered::new(because, &error.to_string())
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
