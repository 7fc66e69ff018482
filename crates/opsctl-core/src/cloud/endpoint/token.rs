//! The password of an IAM login: a request to connect that is signed and never sent (RDS User Guide, "Connecting to your DB instance
//! using IAM authentication").

use std::time::Duration;

use aws_config::SdkConfig;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign},
    sign::v4,
};
use aws_smithy_runtime_api::{box_error::BoxError, client::identity::Identity};

use crate::domain::Endpoint;

/// The longest that RDS takes.
const GOOD_FOR: Duration = Duration::from_secs(900);

/// # Errors
/// No credentials, or no region.
pub(super) async fn login(shared: &SdkConfig, endpoint: &Endpoint, user: &str) -> Result<String, BoxError> {
    let provider = shared.credentials_provider().ok_or("there are no credentials")?;
    let identity: Identity = provider.provide_credentials().await?.into();
    let mut settings = SigningSettings::default();
    (settings.expires_in, settings.signature_location) = (Some(GOOD_FOR), SignatureLocation::QueryParams);
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(shared.region().ok_or("there is no region")?.as_ref())
        .name("rds-db")
        .time(shared.time_source().ok_or("there is no clock")?.now())
        .settings(settings)
        .build()?;
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("Action", "connect")
        .append_pair("DBUser", user)
        .finish();
    let place = format!("{}:{}/?{query}", endpoint.host, endpoint.port);
    let url = format!("https://{place}");
    let request = SignableRequest::new("GET", &url, std::iter::empty(), SignableBody::empty())?;
    let (instructions, _) = sign(request, &parameters.into())?.into_parts();
    let mut signed = form_urlencoded::Serializer::for_suffix(place.clone(), place.len() - query.len());
    Ok(instructions.params().iter().fold(&mut signed, |signed, (name, value)| signed.append_pair(name, value)).finish())
}

#[cfg(test)]
mod tests {
    use aws_config::Region;
    use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
    use aws_smithy_async::time::StaticTimeSource;

    use super::*;

    /// As `aws_sdk_rds::auth_token` 1.159 makes it of the same.
    #[tokio::test]
    async fn the_token_is_the_one_that_the_sdk_makes() {
        let keys = Credentials::new("AKIDEXAMPLE", "hush-hush", Some("session/+token".to_owned()), None, "test");
        let shared = SdkConfig::builder()
            .region(Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(keys))
            .time_source(StaticTimeSource::from_secs(1_795_000_000))
            .build();
        let endpoint = Endpoint { host: "orders.cluster-abc.eu-west-1.rds.amazonaws.com".to_owned(), port: 5432 };
        let expected = "orders.cluster-abc.eu-west-1.rds.amazonaws.com:5432/?Action=connect&DBUser=reader_1\
             &X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20261118%2Feu-west-1%2Frds-db%2Faws4_request\
             &X-Amz-Date=20261118T110640Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host\
             &X-Amz-Signature=783dc060955aba30d94e52c22d20f43adcfff8aae0088c5fea9b4571a1db503a\
             &X-Amz-Security-Token=session%2F%2Btoken";
        assert_eq!(login(&shared, &endpoint, "reader_1").await.expect("a token"), expected);
        let nobody = SdkConfig::builder().region(Region::new("eu-west-1")).build();
        assert!(login(&nobody, &endpoint, "reader_1").await.is_err());
    }
}
