//! Credential providers: exactly what the environment names, then its roles.

use aws_config::{
    SdkConfig,
    default_provider::credentials::DefaultCredentialsChain,
    profile::{self, ProfileFileCredentialsProvider},
    provider_config::ProviderConfig,
    sts::AssumeRoleProvider,
};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_types::os_shim_internal::{Env, Fs};

use super::{CloudError, ErrorKind};
use crate::domain::{CredentialSource, Environment};

/// Session name of assumed roles, as CloudTrail shows it.
const SESSION_NAME: &str = "opsctl";
const PROFILES_SHOWN_MAX: usize = 10;

/// The environment's provider. A named profile is asked alone, so that it wins over stray `AWS_ACCESS_KEY_ID`s:
/// the SDK's default chain would do the opposite.
pub(super) async fn provider(
    environment: &Environment,
    base: &SdkConfig,
) -> Result<SharedCredentialsProvider, CloudError> {
    let first = match &environment.credentials {
        CredentialSource::Default => SharedCredentialsProvider::new(
            DefaultCredentialsChain::builder().configure(provider_config(base)).build().await,
        ),
        CredentialSource::Profile(name) => {
            require_profile(name).await?;
            SharedCredentialsProvider::new(
                ProfileFileCredentialsProvider::builder()
                    .configure(&provider_config(base))
                    .profile_name(name.clone())
                    .build(),
            )
        }
        CredentialSource::Keys { access_key, secret_key } => {
            SharedCredentialsProvider::new(Credentials::new(access_key, secret_key, None, None, "opsctl"))
        }
    };
    let mut provider = first;
    for role in &environment.role_chain {
        let assumed = AssumeRoleProvider::builder(role)
            .session_name(SESSION_NAME)
            .configure(base)
            .build_from_provider(provider)
            .await;
        provider = SharedCredentialsProvider::new(assumed);
    }
    Ok(provider)
}

fn provider_config(base: &SdkConfig) -> ProviderConfig {
    let mut config = ProviderConfig::without_region()
        .with_region(base.region().cloned())
        .with_behavior_version(base.behavior_version());
    if let Some(time) = base.time_source() {
        config = config.with_time_source(time);
    }
    if let Some(sleep) = base.sleep_impl() {
        config = config.with_sleep_impl(sleep);
    }
    if let Some(http) = base.http_client() {
        config = config.with_http_client(http);
    }
    config
}

/// Says early that a profile does not exist, and which do.
async fn require_profile(name: &str) -> Result<(), CloudError> {
    let missing = |text: String| CloudError::new(ErrorKind::CredentialsMissing, "sts:GetCallerIdentity", &text);
    let profiles = profile::load(&Fs::real(), &Env::real(), &Default::default(), None).await.map_err(|error| {
        missing(format!("the AWS configuration files cannot be read: {}", super::classify::chain(&error)))
    })?;
    if profiles.get_profile(name).is_some() {
        return Ok(());
    }
    let mut known: Vec<&str> = profiles.profiles().collect();
    known.sort_unstable();
    let rest = known.len().saturating_sub(PROFILES_SHOWN_MAX);
    known.truncate(PROFILES_SHOWN_MAX);
    let known = match (known.is_empty(), rest) {
        (true, _) => "there are none".to_owned(),
        (false, 0) => format!("there are {}", known.join(", ")),
        (false, rest) => format!("there are {} and {rest} more", known.join(", ")),
    };
    Err(missing(format!("no profile {name:?} in the AWS configuration files; {known}")))
}
