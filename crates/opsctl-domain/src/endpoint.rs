//! Endpoints of databases: what is asked of one, and what it answered.

use std::{fmt, future::Future, path::PathBuf, pin::Pin, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    Text,
    environment::glob,
    sql::{Rows, SqlError, Statement},
};

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Endpoint {
    pub host: String,
    pub port: u16,
}

/// What SQL a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// PostgreSQL and Aurora PostgreSQL.
    Postgres,
    /// MySQL, MariaDB and Aurora MySQL.
    Mysql,
    /// Whatever stands behind an [`Answerer`]: the sandbox's databases.
    Sqlite,
}

impl Dialect {
    /// Of an engine as RDS names it; none: an engine that can't be asked here.
    pub fn of(engine: &str) -> Option<Self> {
        match engine {
            engine if engine.contains("postgres") => Some(Self::Postgres),
            engine if engine.contains("mysql") || engine.contains("mariadb") => Some(Self::Mysql),
            _ => None,
        }
    }

    /// An identifier as the server's SQL has it, whatever it is made of.
    pub fn quoted(self, identifier: &str) -> String {
        match self {
            Self::Postgres | Self::Sqlite => format!("\"{}\"", identifier.replace('"', "\"\"")),
            Self::Mysql => format!("`{}`", identifier.replace('`', "``")),
        }
    }

    /// The port that its servers have where nothing else is said; none: it has none.
    pub fn port(self) -> Option<u16> {
        match self {
            Self::Postgres => Some(5432),
            Self::Mysql => Some(3306),
            Self::Sqlite => None,
        }
    }

    /// The dialect whose servers have this port.
    pub fn of_port(port: u16) -> Option<Self> {
        [Self::Postgres, Self::Mysql].into_iter().find(|dialect| dialect.port() == Some(port))
    }
}

/// What is asked of whoever answers in place of the network: a connection, then things over it. Connections have numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// A connection. It wakes a database that has paused.
    Connect {
        endpoint: Endpoint,
        /// Which of the server's databases statements go to; none: the one that the server takes.
        database: Option<String>,
    },
    Role(u64),
    /// What comes of a statement. Transactions are statements, too, and end with their connection.
    Run(u64, Statement),
    Close(u64),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Told {
    Connected(u64),
    /// [`Reached::Writes`] or [`Reached::ReadsOnly`].
    Role(Reached),
    Rows(Rows),
    /// The statement failed; the connection lives.
    Failed(SqlError),
    Closed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reached {
    /// A connection came about; which server it was is not known.
    Answers,
    Writes,
    /// A server that only reads: the name still leads to one that no longer writes.
    ReadsOnly,
}

/// Who answers in place of the network: the sandbox.
pub type Answerer = Arc<dyn Fn(Ask) -> Answering + Send + Sync>;
pub type Answering = Pin<Box<dyn Future<Output = Result<Told, Unanswered>> + Send>>;

/// How a database is asked, by SQL, whether it writes. Holds where the password is found, never the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlCheck {
    pub pattern: String,
    /// Who logs in; none: the name that stands with the password in its secret.
    pub user: Option<String>,
    pub password: Password,
    /// Database to connect to; none: `postgres`, or no database with MySQL.
    pub database: Option<String>,
    /// How far the server has to prove who it is.
    pub tls: Tls,
    /// PEM file of the authorities that are trusted; none: the public ones.
    pub ca_file: Option<PathBuf>,
    /// What is asked besides whether it writes.
    pub sql: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Password {
    None,
    /// In this variable of the process's environment.
    Variable(String),
    /// In this SSM parameter.
    Parameter(String),
    /// In this secret of Secrets Manager; plain, or JSON with `username` and `password`. By name it is read through SSM, by ARN from
    /// Secrets Manager.
    Secret(String),
    /// A token made of the environment's credentials.
    Iam,
}

/// How far a server has to prove who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Tls {
    /// Authority and name are checked.
    VerifyFull,
    /// The authority is checked.
    VerifyCa,
    /// Encrypted; whoever answers is believed.
    Encrypt,
    /// Not encrypted.
    Off,
}

impl SqlCheck {
    /// Whether it is for the database of that name.
    pub fn fits(&self, name: &str) -> bool {
        glob(&self.pattern, name)
    }

    /// In words, without where the password is.
    pub fn words(&self) -> String {
        let who = self.user.as_ref().map_or_else(String::new, |user| format!(" as {user}"));
        let sql = self.sql.as_ref().map_or_else(String::new, |sql| format!(" and `{sql}`"));
        format!("asks{who} whether it writes{sql}, read only, TLS {}", self.tls)
    }
}

impl Reached {
    /// In words, after "it".
    pub fn words(self) -> &'static str {
        match self {
            Self::Answers => "takes connections",
            Self::Writes => "writes",
            Self::ReadsOnly => "only reads: its name still leads to a server that does not write",
        }
    }
}

/// Why an endpoint gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unanswered {
    pub because: Because,
    /// The system's or the server's words.
    pub words: Text,
}

impl Unanswered {
    /// A failure in the system's or the server's words.
    pub fn new(because: Because, words: &str) -> Self {
        Self { because, words: Text::line(words) }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Because {
    /// Nobody listens there now.
    Refused,
    /// No answer in time: gone, or there is no way there from here.
    TimedOut,
    /// The name leads nowhere.
    Unresolved,
    Broken,
    /// The server refused the login, or the password is not to be had.
    Login,
    /// The server did not prove who it is.
    Tls,
    Sql,
}

impl Because {
    /// Whether it is a matter of what is configured here, or of the way there, rather than of the database.
    pub fn is_ours(self) -> bool {
        match self {
            Self::TimedOut | Self::Unresolved | Self::Login | Self::Tls => true,
            Self::Refused | Self::Broken | Self::Sql => false,
        }
    }
}

impl fmt::Display for Unanswered {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.words.as_str())
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", Text::line(&self.host), self.port)
    }
}

impl fmt::Display for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::VerifyFull => "verify-full",
            Self::VerifyCa => "verify-ca",
            Self::Encrypt => "encrypt",
            Self::Off => "off",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_stays_one_whatever_it_holds() {
        let hostile = "a\"b`c; drop table x --";
        assert_eq!(Dialect::Postgres.quoted(hostile), "\"a\"\"b`c; drop table x --\"");
        assert_eq!(Dialect::Mysql.quoted(hostile), "`a\"b``c; drop table x --`");
    }

    #[test]
    fn engines_speak_a_dialect_or_are_not_asked() {
        for (engine, dialect) in [
            ("aurora-postgresql", Some(Dialect::Postgres)),
            ("postgres", Some(Dialect::Postgres)),
            ("aurora-mysql", Some(Dialect::Mysql)),
            ("mariadb", Some(Dialect::Mysql)),
            ("sqlserver-ee", None),
        ] {
            assert_eq!(Dialect::of(engine), dialect, "{engine}");
        }
    }
}
