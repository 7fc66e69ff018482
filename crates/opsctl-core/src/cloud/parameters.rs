//! SSM parameters: values that infrastructure stacks leave for tools.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_smithy_runtime::client::retries::RetryPartition;
use serde_json::json;

use super::{
    CloudError,
    thin::{Protocol, Request, Service, Thin, Told as _, from_json},
};

const GET: &str = "ssm:GetParameters";
/// Names in one call (SSM's limit).
const NAMES_MAX: usize = 10;

const SSM: Service = Service {
    name: "ssm",
    host: "ssm",
    signing_name: "ssm",
    protocol: Protocol::Json { version: "1.1", target: "AmazonSSM" },
};

#[derive(Debug, Clone)]
pub struct Parameters {
    client: Thin,
}

impl Parameters {
    pub(super) fn new(shared: &SdkConfig, partition: RetryPartition) -> Self {
        Self { client: Thin::new(&SSM, shared, partition) }
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
            let request = Request::Json(json!({ "Names": some, "WithDecryption": true }));
            let answer = self.client.call(GET, request, from_json).await?;
            let found = answer.list("Parameters").iter();
            values.extend(found.filter_map(|one| Some((one.word("Name")?.to_owned(), one.word("Value")?.to_owned()))));
        }
        Ok(values)
    }
}
