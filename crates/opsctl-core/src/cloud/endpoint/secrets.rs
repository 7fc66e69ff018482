//! Secrets Manager: the value of a secret, by its ARN. By its name SSM reads it, with the permission that parameters need anyway.

use aws_config::SdkConfig;
use aws_smithy_runtime::client::retries::RetryPartition;
use serde_json::json;

use crate::cloud::{
    CloudError, ErrorKind,
    thin::{Protocol, Request, Service, Thin, Told as _, from_json},
};

const GET: &str = "secretsmanager:GetSecretValue";

const SECRETS: Service = Service {
    name: "secretsmanager",
    host: "secretsmanager",
    signing_name: "secretsmanager",
    protocol: Protocol::Json { version: "1.1", target: "secretsmanager" },
};

#[derive(Debug, Clone)]
pub(super) struct Secrets {
    client: Thin,
}

impl Secrets {
    pub(super) fn new(shared: &SdkConfig, partition: RetryPartition) -> Self {
        Self { client: Thin::new(&SECRETS, shared, partition) }
    }

    /// The text of the secret's current version.
    ///
    /// # Errors
    /// Of the call; [`ErrorKind::Invalid`]: it holds no text.
    pub(super) async fn get(&self, arn: &str) -> Result<String, CloudError> {
        let answer = self.client.call(GET, Request::Json(json!({ "SecretId": arn })), from_json).await?;
        let text = answer.word("SecretString").map(str::to_owned);
        text.ok_or_else(|| CloudError::new(ErrorKind::Invalid, GET, "the secret holds bytes, not a text"))
    }
}
