//! [`Web`]: a role by a web identity token, as pods of EKS and jobs of CI systems have it.

use std::{path::PathBuf, time::SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, error::CredentialsError, future},
};
use aws_sdk_sts::error::ProvideErrorMetadata;

use super::{Blamed, SESSION_NAME, Trouble, blame};
use crate::cloud::classify;

#[derive(Debug)]
pub(super) struct Web {
    client: aws_sdk_sts::Client,
    role: String,
    file: PathBuf,
    session_name: String,
}

impl Web {
    pub(super) fn new(role: String, file: PathBuf, session_name: Option<String>, base: &SdkConfig) -> Self {
        let session_name = session_name.unwrap_or_else(|| SESSION_NAME.to_owned());
        Self { client: aws_sdk_sts::Client::new(base), role, file, session_name }
    }

    async fn credentials(&self) -> Result<Credentials, CredentialsError> {
        let file = self.file.display().to_string();
        // It is written anew from time to time: read at each use.
        let token = tokio::fs::read_to_string(&self.file).await.map_err(|error| {
            let words = format!("the web identity token in {file} cannot be read: {error}");
            blame(Blamed { trouble: Trouble::TokenFile { file: file.clone() }, words })
        })?;
        let call =
            self.client.assume_role_with_web_identity().role_arn(&self.role).role_session_name(&self.session_name);
        let answer = call.web_identity_token(token.trim()).send().await.map_err(|error| {
            let code = error.as_service_error().and_then(ProvideErrorMetadata::code).map(str::to_owned);
            if code.is_none() {
                return CredentialsError::provider_error(error);
            }
            let words = format!("sts:AssumeRoleWithWebIdentity of {} failed: {}", self.role, classify::chain(&error));
            blame(Blamed { trouble: Trouble::Token { file }, words })
        })?;
        let found = answer.credentials.ok_or_else(|| CredentialsError::unhandled("STS gave no credentials"))?;
        let ends = SystemTime::try_from(found.expiration).ok();
        Ok(Credentials::new(
            found.access_key_id,
            found.secret_access_key,
            Some(found.session_token),
            ends,
            "WebIdentity",
        ))
    }
}

impl ProvideCredentials for Web {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}
