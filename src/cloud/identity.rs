//! Who the credentials are: STS.

use super::CloudError;
use crate::domain::AccountId;

/// STS, as far as it is needed.
#[derive(Debug, Clone)]
pub struct Identity {}

/// `GetCallerIdentity`'s answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Account.
    pub account: AccountId,
    /// ARN of the user or role.
    pub arn: String,
}

impl Identity {
    /// Who the credentials are. Needs no permission.
    pub async fn caller(&self) -> Result<Caller, CloudError> {
        todo!("built by cloud/")
    }
}
