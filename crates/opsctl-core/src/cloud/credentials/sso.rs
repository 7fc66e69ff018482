//! [`Sso`]: credentials of IAM Identity Center, by the token that `aws sso login` keeps.
//!
//! Always asked for at AWS itself: a token is a person's, and no other endpoint is shown it.

use std::time::{Duration, UNIX_EPOCH};

use aws_config::{Region, SdkConfig, sso::SsoTokenProvider};
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, error::CredentialsError, future, token::ProvideToken},
};

use crate::cloud::profiles::SsoSource;

#[derive(Debug)]
pub(super) struct Sso {
    tokens: SsoTokenProvider,
    client: aws_sdk_sso::Client,
    account: String,
    role: String,
}

impl Sso {
    pub(super) async fn new(source: SsoSource, base: &SdkConfig) -> Self {
        let SsoSource { token, start_url, region, account, role } = source;
        let region = Region::new(region);
        let mut aws = base.to_builder().region(region.clone());
        aws.set_endpoint_url(None);
        let aws = aws.build();
        let tokens =
            SsoTokenProvider::builder().configure(&aws).start_url(start_url).session_name(token).region(region);
        Self { tokens: tokens.build().await, client: aws_sdk_sso::Client::new(&aws), account, role }
    }

    async fn credentials(&self) -> Result<Credentials, CredentialsError> {
        let token = self.tokens.provide_token().await.map_err(CredentialsError::provider_error)?;
        let call = self.client.get_role_credentials().access_token(token.token());
        let answer = call.account_id(&self.account).role_name(&self.role).send().await;
        let answer = answer.map_err(CredentialsError::provider_error)?;
        let found = answer.role_credentials.ok_or_else(|| CredentialsError::unhandled("SSO gave no credentials"))?;
        let (Some(access_key), Some(secret_key)) = (found.access_key_id, found.secret_access_key) else {
            return Err(CredentialsError::unhandled("SSO gave no keys"));
        };
        let ends = UNIX_EPOCH + Duration::from_millis(found.expiration.try_into().unwrap_or(0));
        Ok(Credentials::new(access_key, secret_key, found.session_token, Some(ends), "SSO"))
    }
}

impl ProvideCredentials for Sso {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}
