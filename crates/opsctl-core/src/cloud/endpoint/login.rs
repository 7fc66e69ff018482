//! Who logs in, and with which password. Neither is kept longer than the login takes.

use std::fmt;

use serde_json::Value;

use super::{Endpoints, token};
use crate::{
    cloud::connect::variable,
    domain::{Because, Endpoint, Password, Unanswered},
};

/// Where SSM shows secrets of Secrets Manager (Systems Manager User Guide, "Referencing Secrets Manager secrets").
const SECRETS: &str = "/aws/reference/secretsmanager/";

/// A login. `Debug` hides the password.
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: Option<String>,
    /// Whether the password is a token made of the environment's credentials.
    pub(super) is_token: bool,
}

impl Endpoints {
    /// The password is read anew each time: one that was rotated meanwhile is followed.
    pub(super) async fn login(
        &self,
        endpoint: &Endpoint,
        user: Option<String>,
        password: &Password,
    ) -> Result<Login, Unanswered> {
        let (from_secret, found) = match password {
            Password::None => (None, None),
            Password::Variable(name) => {
                let found = variable(name).ok_or_else(|| missing(&format!("the variable {name} is not set")))?;
                (None, Some(found))
            }
            Password::Parameter(name) => (None, Some(self.parameter(name).await?)),
            Password::Secret(arn) if arn.starts_with("arn:") => {
                let read = self.secrets.get(arn).await;
                of_secret(read.map_err(|error| missing(&format!("the password can't be read: {error}")))?)
            }
            Password::Secret(name) => of_secret(self.parameter(&format!("{SECRETS}{name}")).await?),
            Password::Iam => (None, Some(self.token(endpoint, user.as_deref().unwrap_or_default()).await?)),
        };
        let user =
            user.or(from_secret).ok_or_else(|| missing("neither the configuration nor a secret names a user"))?;
        Ok(Login { user, password: found, is_token: *password == Password::Iam })
    }

    /// The value of an SSM parameter.
    pub(super) async fn parameter(&self, name: &str) -> Result<String, Unanswered> {
        let read = self.parameters.get(&[name.to_owned()]).await;
        let mut values = read.map_err(|error| missing(&format!("{name} can't be read: {error}")))?;
        values.remove(name).ok_or_else(|| missing(&format!("{name} does not exist")))
    }

    /// Good for 15 minutes; made anew for each connection.
    async fn token(&self, endpoint: &Endpoint, user: &str) -> Result<String, Unanswered> {
        let token = token::login(&self.shared, endpoint, user).await;
        token.map_err(|error| missing(&format!("no login token: {error}")))
    }
}

/// As RDS keeps them, with a user; or nothing but a password.
fn of_secret(text: String) -> (Option<String>, Option<String>) {
    let Ok(Value::Object(fields)) = serde_json::from_str::<Value>(&text) else { return (None, Some(text)) };
    let field = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
    (field("username"), field("password"))
}

fn missing(words: &str) -> Unanswered {
    Unanswered::new(Because::Login, words)
}

impl fmt::Debug for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_plain_or_names_user_and_password() {
        let rds = r#"{"engine":"postgres","username":"reader","password":"p\"w"}"#.to_owned();
        assert_eq!(of_secret(rds), (Some("reader".to_owned()), Some("p\"w".to_owned())));
        assert_eq!(of_secret("12345".to_owned()), (None, Some("12345".to_owned())));
        let shown =
            format!("{:?}", Login { user: "reader".to_owned(), password: Some("hunter2".to_owned()), is_token: false });
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
