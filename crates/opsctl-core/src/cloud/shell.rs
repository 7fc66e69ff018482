//! [`Shell`]: the process's environment, as far as AWS's own tools read it.

use std::{collections::BTreeMap, fmt, path::PathBuf};

/// Variables of these names are taken, and those that begin with `AWS_`.
const NAMES: [&str; 8] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "BOTO_CONFIG",
    "BOTOCORE_TCP_KEEPALIVE",
];

/// Taken once, at the program's edge. `Debug` shows names only: values may be secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Shell {
    variables: BTreeMap<String, String>,
    home: Option<PathBuf>,
}

impl Shell {
    /// Of this process. For the edge of the program only.
    pub fn of_process() -> Self {
        Self::of(
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
        )
        .at_home(etcetera::home_dir().ok())
    }

    pub fn of(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let is_read = |name: &str| name.starts_with("AWS_") || NAMES.contains(&name);
        let variables = variables.into_iter().filter(|(name, value)| is_read(name) && !value.is_empty());
        Self { variables: variables.collect(), home: None }
    }

    pub fn at_home(self, home: Option<PathBuf>) -> Self {
        Self { home, ..self }
    }

    /// A variable's value; an empty one is none.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// Names of the variables that are set.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str)
    }

    pub fn home(&self) -> Option<&PathBuf> {
        self.home.as_ref()
    }

    /// `~/.aws/config`, or what `AWS_CONFIG_FILE` names.
    pub fn config_file(&self) -> Option<PathBuf> {
        self.file("AWS_CONFIG_FILE", ".aws/config")
    }

    /// `~/.aws/credentials`, or what `AWS_SHARED_CREDENTIALS_FILE` names.
    pub fn credentials_file(&self) -> Option<PathBuf> {
        self.file("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials")
    }

    fn file(&self, variable: &str, usual: &str) -> Option<PathBuf> {
        match self.get(variable) {
            Some(named) => Some(self.expanded(named)),
            None => Some(self.home.as_ref()?.join(usual)),
        }
    }

    /// A path with `~/` at its beginning as the home folder.
    pub fn expanded(&self, path: &str) -> PathBuf {
        match (path.strip_prefix("~/"), &self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(path),
        }
    }

    /// The profile that a variable names, and which; where both are set, the AWS CLI takes `AWS_DEFAULT_PROFILE`.
    pub fn profile(&self) -> Option<(&str, &'static str)> {
        ["AWS_DEFAULT_PROFILE", "AWS_PROFILE"].into_iter().find_map(|variable| Some((self.get(variable)?, variable)))
    }

    /// Keys of the shell: id, secret, session token; none: there are none, or not both.
    pub fn keys(&self) -> Option<(&str, &str, Option<&str>)> {
        let token = self.get("AWS_SESSION_TOKEN").or_else(|| self.get("AWS_SECURITY_TOKEN"));
        Some((self.get("AWS_ACCESS_KEY_ID")?, self.get("AWS_SECRET_ACCESS_KEY")?, token))
    }
}

impl fmt::Debug for Shell {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Shell").field("names", &self.variables.keys()).field("home", &self.home).finish()
    }
}
