//! [`WrongAccount`]: the credentials that are found belong to another account than the environment's.

use super::{Cloud, CloudError, identity::Caller};
use crate::domain::{AccountId, Advice, CredentialSource, Environment, Try};

/// Credentials of another account than the one that the environment is pinned to. Shows what and because;
/// [`WrongAccount::hint`] says what to try.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{environment}: the credentials are of account {actual}, and {environment} is pinned to {pinned}; they come from {source_words}"
)]
pub struct WrongAccount {
    environment: String,
    pinned: AccountId,
    actual: AccountId,
    source_words: String,
    is_profile: bool,
}

/// Why it is not known that the credentials are the environment's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// They are another account's.
    #[error(transparent)]
    WrongAccount(#[from] WrongAccount),
    /// STS does not say whose they are.
    #[error(transparent)]
    Cloud(#[from] CloudError),
}

impl WrongAccount {
    pub(crate) fn new(environment: &Environment, pinned: &AccountId, actual: AccountId) -> Self {
        let is_profile = match &environment.credentials {
            CredentialSource::Profile(_) => true,
            CredentialSource::Default | CredentialSource::Keys { .. } => false,
        };
        let source_words = match (&environment.credentials, &environment.role_chain[..]) {
            (CredentialSource::Default, []) => super::connect::default_chain_words(),
            _ => environment.credentials_words(),
        };
        Self { environment: environment.name.to_string(), pinned: pinned.clone(), actual, source_words, is_profile }
    }

    /// What to try, as one sentence without a full stop.
    pub fn hint(&self) -> Advice {
        let Self { environment, pinned, actual, is_profile, .. } = self;
        let first = match is_profile {
            true => format!("name a profile of account {pinned} in [environments.{environment}]"),
            false => {
                format!("give [environments.{environment}] a `profile` of account {pinned}, or log this shell in to it")
            }
        };
        Try::CheckProfile.says(format!("{first}; correct `account` there if {actual} is meant"))
    }
}

impl Cloud {
    /// Asks STS whose credentials these are, and holds that against the environment's account, if it names one.
    ///
    /// # Errors
    /// [`Unverified`]: another account's, or STS does not say.
    pub async fn verified_caller(&self) -> Result<Caller, Unverified> {
        let caller = self.identity.caller().await?;
        let environment = self.environment();
        match &environment.account {
            Some(pinned) if *pinned != caller.account => {
                Err(WrongAccount::new(environment, pinned, caller.account).into())
            }
            Some(_) | None => Ok(caller),
        }
    }
}
