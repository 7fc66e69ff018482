//! URLs of databases: `postgres://user:password@host:port/database?sslmode=verify-full`, as libpq and MySQL's tools have them.

use std::{fmt, path::PathBuf};

use percent_encoding::percent_decode_str;

use crate::domain::{Dialect, Tls};

/// What a URL says. `Debug` hides the password.
pub(super) struct Url {
    pub(super) dialect: Dialect,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) host: String,
    pub(super) port: Option<u16>,
    pub(super) database: Option<String>,
    pub(super) tls: Option<Tls>,
    pub(super) ca_file: Option<PathBuf>,
}

impl Default for Url {
    fn default() -> Self {
        Self {
            dialect: Dialect::Postgres,
            user: None,
            password: None,
            host: String::new(),
            port: None,
            database: None,
            tls: None,
            ca_file: None,
        }
    }
}

impl Url {
    /// Parameters but those of TLS are left alone: each program has its own.
    ///
    /// # Errors
    /// It is no URL of a database, in words that do not repeat it.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once("://").ok_or("what should be the URL of a database is none")?;
        let dialect = match scheme {
            "postgres" | "postgresql" => Dialect::Postgres,
            "mysql" | "mariadb" => Dialect::Mysql,
            _ => return Err("the URL is neither postgres:// nor mysql://".to_owned()),
        };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        // The last one: a password that was not encoded may hold more.
        let (login, place) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = login.split_once(':').map_or((login, None), |(user, password)| (user, Some(password)));
        let (host, port) = host_and_port(place);
        if host.is_empty() || host.contains([',', '/']) {
            return Err("the URL names no host, or several".to_owned());
        }
        let mut url = Self {
            dialect,
            user: some(user)?,
            password: password.map(decoded).transpose()?,
            host: host.to_owned(),
            port,
            database: some(path)?,
            ..Self::default()
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "sslmode" | "ssl-mode" => url.tls = mode(&value),
                "sslrootcert" | "ssl-ca" => {
                    url.ca_file = Some(PathBuf::from(&*value)).filter(|file| file.is_absolute())
                }
                _ => {}
            }
        }
        Ok(url)
    }
}

/// None: a mode that would take an unencrypted connection, too, is not one that is held to.
fn mode(value: &str) -> Option<Tls> {
    match value.to_ascii_lowercase().replace('_', "-").as_str() {
        "verify-full" | "verify-identity" => Some(Tls::VerifyFull),
        "verify-ca" => Some(Tls::VerifyCa),
        "require" | "required" => Some(Tls::Encrypt),
        "disable" | "disabled" => Some(Tls::Off),
        _ => None,
    }
}

/// A host, perhaps in brackets, and the port behind it.
pub(super) fn host_and_port(text: &str) -> (&str, Option<u16>) {
    let is_end_of_brackets = |host: &str| !host.contains(':') || host.ends_with(']');
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if is_end_of_brackets(host) => (host, port.parse().ok()),
        Some(_) | None => (text, None),
    };
    (host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host), port)
}

fn some(text: &str) -> Result<Option<String>, String> {
    if text.is_empty() { Ok(None) } else { decoded(text).map(Some) }
}

fn decoded(text: &str) -> Result<String, String> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(|text| text.into_owned()).map_err(|_| "the URL holds what is no text".to_owned())
}

impl fmt::Debug for Url {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Url").field("host", &self.host).field("user", &self.user).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_part_by_part() {
        let url = Url::read("postgresql://re%40der:p%2Fw%3A1@db.example.com:6432/or%20ders?sslmode=verify-ca&schema=x");
        let url = url.expect("a URL");
        assert_eq!((url.dialect, url.host.as_str(), url.port), (Dialect::Postgres, "db.example.com", Some(6432)));
        assert_eq!((url.user.as_deref(), url.password.as_deref()), (Some("re@der"), Some("p/w:1")));
        assert_eq!((url.database.as_deref(), url.tls), (Some("or ders"), Some(Tls::VerifyCa)));
        assert!(!format!("{url:?}").contains("p/w"), "{url:?}");
        let url = Url::read("mysql://reader@[::1]:3307?ssl-mode=VERIFY_IDENTITY&ssl-ca=/ca.pem").expect("a URL");
        assert_eq!((url.dialect, url.host.as_str(), url.port), (Dialect::Mysql, "::1", Some(3307)));
        assert_eq!((url.password, url.database, url.tls), (None, None, Some(Tls::VerifyFull)));
        assert_eq!(url.ca_file, Some(PathBuf::from("/ca.pem")));
    }

    #[test]
    fn a_mode_that_need_not_encrypt_is_not_held_to() {
        for mode in ["prefer", "allow", "PREFERRED", "nonsense"] {
            assert_eq!(Url::read(&format!("postgres://h/d?sslmode={mode}")).expect("a URL").tls, None, "{mode}");
        }
    }

    #[test]
    fn what_is_no_url_is_refused_without_its_words() {
        for text in [
            "hunter2",
            "redis://x:hunter2@h",
            "postgres://x:hunter2@/d",
            "postgres://x:hunter2@a,b/d",
            "mysql://h%ff:hunter2@h",
        ] {
            let words = Url::read(text).expect_err(text);
            assert!(!words.contains("hunter2"), "{words}");
        }
    }
}
