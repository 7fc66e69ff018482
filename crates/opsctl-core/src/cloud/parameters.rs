//! SSM parameters: values that infrastructure stacks leave for tools.

use std::{collections::BTreeMap, fmt};

use aws_config::SdkConfig;
use aws_sdk_ssm::config::retry::RetryPartition;

use super::{CloudError, classify};

const GET: &str = "ssm:GetParameters";
/// Names in one call (SSM's limit).
const NAMES_MAX: usize = 10;

/// SSM, as far as it is needed.
#[derive(Clone)]
pub struct Parameters {
    client: aws_sdk_ssm::Client,
}

impl Parameters {
    pub(super) fn new(shared: &SdkConfig, partition: RetryPartition) -> Self {
        let builder = aws_sdk_ssm::config::Builder::from(shared).retry_partition(partition);
        Self { client: aws_sdk_ssm::Client::from_conf(builder.build()) }
    }

    /// Values by name, ten to a call; names that do not exist are absent from the answer. Secure strings are decrypted.
    ///
    /// # Errors
    /// Of the first call that fails.
    pub async fn get(&self, names: &[String]) -> Result<BTreeMap<String, String>, CloudError> {
        let mut distinct: Vec<String> = names.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        let mut values = BTreeMap::new();
        for some in distinct.chunks(NAMES_MAX) {
            let answer = self
                .client
                .get_parameters()
                .set_names(Some(some.to_vec()))
                .with_decryption(true)
                .send()
                .await
                .map_err(|error| classify::from_sdk(GET, error))?;
            for parameter in answer.parameters.unwrap_or_default() {
                if let (Some(name), Some(value)) = (parameter.name, parameter.value) {
                    values.insert(name, value);
                }
            }
        }
        Ok(values)
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Parameters").finish_non_exhaustive()
    }
}
