//! Builds an environment's clients.

use std::sync::Arc;

use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::{Cloud, CloudError};
use crate::{clock::Clock, domain::Environment};

/// How clients reach AWS.
#[derive(Debug, Clone)]
pub struct Connect {
    /// The clock that signing, retries and deadlines go by.
    pub clock: Clock,
    /// In place of the network: the embedded sandbox.
    pub http: Option<SharedHttpClient>,
}

impl Connect {
    /// Clients for `environment`. Makes no call; credentials are resolved at the first one.
    ///
    /// # Errors
    /// A profile that does not exist or cannot be read.
    pub async fn cloud(&self, environment: Arc<Environment>) -> Result<Cloud, CloudError> {
        let _ = environment;
        todo!("built by cloud/")
    }
}
