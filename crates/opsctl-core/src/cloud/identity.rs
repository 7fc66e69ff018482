//! Who the credentials are: STS.

use std::fmt;

use aws_config::SdkConfig;
use aws_sdk_sts::config::retry::RetryPartition;
use jiff::SignedDuration;

use super::{CloudError, classify, skew::SkewGauge};
use crate::domain::AccountId;

const CALLER: &str = "sts:GetCallerIdentity";

#[derive(Clone)]
pub struct Identity {
    client: aws_sdk_sts::Client,
    skew: SkewGauge,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub account: AccountId,
    pub arn: String,
}

impl Identity {
    pub(super) fn new(shared: &SdkConfig, partition: RetryPartition, skew: SkewGauge) -> Self {
        let builder = aws_sdk_sts::config::Builder::from(shared).retry_partition(partition).interceptor(skew.clone());
        Self { client: aws_sdk_sts::Client::from_conf(builder.build()), skew }
    }

    /// Who the credentials are. Needs no permission.
    ///
    /// # Errors
    /// Credentials, network, clock; [`super::ErrorKind::Unknown`] for an answer without an account.
    pub async fn caller(&self) -> Result<Caller, CloudError> {
        let answer =
            self.client.get_caller_identity().send().await.map_err(|error| classify::from_sdk(CALLER, error))?;
        let account = answer.account.filter(|account| is_account(account));
        let (Some(account), Some(arn)) = (account, answer.arn) else {
            return Err(classify::malformed(CALLER, "the answer names no twelve-digit account"));
        };
        Ok(Caller { account: AccountId(account), arn })
    }

    /// AWS's clock less ours, by the `Date` of the last answer, refusals included; `None` before one came.
    /// The SDK corrects its signatures by it; AWS refuses signatures more than five minutes off.
    pub fn clock_skew(&self) -> Option<SignedDuration> {
        self.skew.skew()
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Identity").finish_non_exhaustive()
    }
}
