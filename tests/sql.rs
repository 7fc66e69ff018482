//! The check by SQL, and sessions, on real servers that `scripts/test` starts: PostgreSQL, a copy of it in recovery, and MariaDB.
//!
//! `OPSCTL_TEST_POSTGRES`, `OPSCTL_TEST_POSTGRES_STANDBY`, `OPSCTL_TEST_MARIADB`: their URLs; `.._CA`: who signed their certificates;
//! `OPSCTL_TEST_DATABASE_PASSWORD`: the password of all.

mod broken;
mod gate;
mod indexes;
mod outboxes;
mod sessions;
mod types;

use std::{path::PathBuf, sync::Arc};

use opsctl::{
    clock::Clock,
    cloud::{Cloud, Connect, endpoint::Session},
    domain::{Because, Connection, Dialect, Endpoint, Password, Place, Protection, Reached, SqlCheck, Tls, Unanswered},
};

use crate::{served::peer, support::stage};

/// Who sets a server to read only keeps the others out.
static SET: tokio::sync::RwLock<()> = tokio::sync::RwLock::const_new(());

const PASSWORD: &str = "OPSCTL_TEST_DATABASE_PASSWORD";

/// A server to ask.
struct Server {
    dialect: Dialect,
    endpoint: Endpoint,
    check: SqlCheck,
}

impl Server {
    /// None where the variable is not set: a skip.
    fn of(variable: &str, authority: &str, dialect: Dialect) -> Option<Self> {
        let (url, authority) = (peer(variable)?.into_string().expect("text"), peer(authority)?);
        let (_, rest) = url.split_once('@').expect("a login");
        let (address, database) = rest.split_once('/').expect("a database");
        let (host, port) = address.split_once(':').expect("a port");
        let check = SqlCheck {
            pattern: "*".to_owned(),
            user: Some("opsctl".to_owned()),
            password: Password::Variable(PASSWORD.to_owned()),
            database: Some(database.to_owned()),
            tls: Tls::VerifyFull,
            ca_file: Some(PathBuf::from(authority)),
            sql: Some("select 1".to_owned()),
        };
        let endpoint = Endpoint { host: host.to_owned(), port: port.parse().expect("a port") };
        Some(Self { dialect, endpoint, check })
    }

    fn postgres() -> Option<Self> {
        Self::of("OPSCTL_TEST_POSTGRES", "OPSCTL_TEST_POSTGRES_CA", Dialect::Postgres)
    }

    fn standby() -> Option<Self> {
        Self::of("OPSCTL_TEST_POSTGRES_STANDBY", "OPSCTL_TEST_POSTGRES_CA", Dialect::Postgres)
    }

    fn mariadb() -> Option<Self> {
        Self::of("OPSCTL_TEST_MARIADB", "OPSCTL_TEST_MARIADB_CA", Dialect::Mysql)
    }

    async fn ask(&self) -> Result<Reached, Unanswered> {
        cloud().await.endpoints.ask(&self.endpoint, self.dialect, &self.check).await
    }

    /// The same server as a connection of the configuration.
    fn connection(&self) -> Connection {
        Connection {
            name: "test".to_owned(),
            place: Place::Host { host: self.endpoint.host.clone(), port: Some(self.endpoint.port) },
            user: self.check.user.clone(),
            password: self.check.password.clone(),
            database: self.check.database.clone(),
            tls: None,
            ca_file: self.check.ca_file.clone(),
            dialect: Some(self.dialect),
        }
    }

    /// The answer with another check.
    async fn ask_as(&self, change: impl Fn(&mut SqlCheck)) -> Result<Reached, Unanswered> {
        let mut check = self.check.clone();
        change(&mut check);
        cloud().await.endpoints.ask(&self.endpoint, self.dialect, &check).await
    }
}

async fn cloud() -> Cloud {
    let environment = stage::environment(Protection::Confirm);
    Connect::network(Clock::system()).cloud(Arc::new(environment)).await.expect("fixed keys")
}

/// A session with a server that is there, as the program opens one.
pub(crate) async fn session(dialect: Dialect) -> Session {
    let server = if dialect == Dialect::Postgres { Server::postgres() } else { Server::mariadb() };
    let connection = server.expect("a server").connection();
    cloud().await.endpoints.session(&connection).await.expect("a session")
}

fn servers() -> Vec<Server> {
    [Server::postgres(), Server::mariadb()].into_iter().flatten().collect()
}

#[tokio::test]
async fn a_server_that_writes_says_so_and_one_in_recovery_does_not() {
    let _writable = SET.read().await;
    for server in servers() {
        assert_eq!(server.ask().await, Ok(Reached::Writes), "{:?}", server.dialect);
        let connected = cloud().await.endpoints.connect(&server.endpoint).await;
        assert_eq!(connected, Ok(Reached::Answers));
    }
    if let Some(standby) = Server::standby() {
        assert_eq!(standby.ask().await, Ok(Reached::ReadsOnly));
    }
}

#[tokio::test]
async fn mysql_that_is_set_to_read_only_does_not_write() {
    let Some(server) = Server::mariadb() else { return };
    let url = std::env::var("OPSCTL_TEST_MARIADB").expect("set");
    let set = async |read_only: u8| {
        use sqlx::{Connection, Executor};
        let mut connection = sqlx::MySqlConnection::connect(&url).await.expect("connected");
        let set = sqlx::AssertSqlSafe(format!("SET GLOBAL read_only = {read_only}"));
        connection.execute(set).await.expect("set");
    };
    let _alone = SET.write().await;
    set(1).await;
    let answer = server.ask().await;
    set(0).await;
    assert_eq!(answer, Ok(Reached::ReadsOnly));
}

#[tokio::test]
async fn a_server_has_to_prove_who_it_is() {
    let _writable = SET.read().await;
    for server in servers() {
        for tls in [Tls::VerifyFull, Tls::VerifyCa] {
            let error = server
                .ask_as(|check| {
                    check.tls = tls;
                    check.ca_file = None;
                })
                .await;
            assert_eq!(error.map_err(|error| error.because), Err(Because::Tls), "{:?} {tls}", server.dialect);
        }
        // The certificate is for the address, not for this name of it.
        let mut by_name = Server { endpoint: server.endpoint.clone(), check: server.check.clone(), ..server };
        by_name.endpoint.host = "localhost".to_owned();
        let error = by_name.ask().await.map_err(|error| error.because);
        assert_eq!(error, Err(Because::Tls), "{:?}", by_name.dialect);
        for (tls, file) in [(Tls::VerifyCa, by_name.check.ca_file.clone()), (Tls::Encrypt, None), (Tls::Off, None)] {
            let answer = by_name
                .ask_as(|check| {
                    check.tls = tls;
                    check.ca_file.clone_from(&file);
                })
                .await;
            assert_eq!(answer, Ok(Reached::Writes), "{:?} {tls}", by_name.dialect);
        }
    }
}

#[tokio::test]
async fn logins_that_fail_are_told_without_the_password() {
    let _writable = SET.read().await;
    for server in servers() {
        let wrong = server.ask_as(|check| check.user = Some("nobody".to_owned())).await.expect_err("refused");
        assert_eq!(wrong.because, Because::Login, "{wrong:?}");
        let password = std::env::var(PASSWORD).expect("set");
        assert!(!wrong.words.as_str().contains(&password), "{wrong:?}");
        let unset = server.ask_as(|check| check.password = Password::Variable("NOT_SET_HERE".to_owned())).await;
        let unset = unset.expect_err("no password");
        assert_eq!((unset.because, unset.words.as_str()), (Because::Login, "the variable NOT_SET_HERE is not set"));
    }
}

#[tokio::test]
async fn nothing_is_written_and_nothing_takes_long() {
    let _writable = SET.read().await;
    for server in servers() {
        let write = server.ask_as(|check| check.sql = Some("create table left_behind (id int)".to_owned())).await;
        let error = write.expect_err("refused").words;
        assert!(error.as_str().to_lowercase().contains("read only") || error.as_str().contains("read-only"), "{error}");
        let sleep = match server.dialect {
            Dialect::Postgres => "select pg_sleep(60)",
            Dialect::Mysql | Dialect::Sqlite => "select benchmark(1000000000000, sha2('x', 512))",
        };
        let started = std::time::Instant::now();
        let long = server.ask_as(|check| check.sql = Some(sleep.to_owned())).await;
        // MariaDB answers nothing in place of an error here.
        assert!(long.is_err() || server.dialect == Dialect::Mysql, "{long:?}");
        assert!(started.elapsed().as_secs() < 9, "{:?}", started.elapsed());
    }
}

#[tokio::test]
async fn a_port_on_which_nobody_listens_and_a_name_that_leads_nowhere_are_told_apart() {
    let at = |host: &str, port| Endpoint { host: host.to_owned(), port };
    let cloud = cloud().await;
    let refused = cloud.endpoints.connect(&at("127.0.0.1", 1)).await.expect_err("nobody");
    assert_eq!(refused.because, Because::Refused, "{refused:?}");
    let unknown = cloud.endpoints.connect(&at("orders.invalid", 5432)).await.expect_err("no name");
    assert_eq!(unknown.because, Because::Unresolved, "{unknown:?}");
}
