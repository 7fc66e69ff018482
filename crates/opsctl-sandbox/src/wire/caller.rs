//! Who calls: read from the `Authorization` header, or from the fields of a signed URL. Of a signature only the scope is checked.

use std::collections::BTreeMap;

use http::{HeaderMap, header::AUTHORIZATION};

/// Region of callers whose signature names none.
const DEFAULT_REGION: &str = "us-east-1";

/// What the credential scope of a signature says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signer {
    /// Access key id; empty where the header cannot be read.
    pub(crate) access_key: String,
    pub(crate) region: String,
    /// Name of the service that was signed for; none where the header cannot be read.
    pub(crate) service: Option<String>,
}

impl Signer {
    /// The signer of a request; `None` where it is not signed at all.
    ///
    /// Reads `AWS4-HMAC-SHA256 Credential=KEY/20261121/af-south-1/sqs/aws4_request, ...`.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let header = headers.get(AUTHORIZATION)?.to_str().unwrap_or_default();
        let scope = header.split_once("Credential=").map_or("", |(_, rest)| rest);
        Some(Self::of_scope(scope.split([',', ' ']).next().unwrap_or_default()))
    }

    /// The signer that the fields of a form or a signed URL name: `X-Amz-Credential` (Signature Version 4), or `AWSAccessKeyId`
    /// (Version 2, which names no region).
    pub(crate) fn of_fields(fields: &BTreeMap<String, String>) -> Option<Self> {
        let named = fields.get("X-Amz-Credential").or_else(|| fields.get("AWSAccessKeyId"))?;
        Some(Self::of_scope(named))
    }

    /// Reads `KEY/20261121/af-south-1/sqs/aws4_request`.
    fn of_scope(scope: &str) -> Self {
        let mut parts = scope.split('/');
        let access_key = parts.next().unwrap_or_default().to_owned();
        let region = parts.nth(1).filter(|region| !region.is_empty()).unwrap_or(DEFAULT_REGION).to_owned();
        let service = parts.next().map(str::to_owned);
        Self { access_key, region, service }
    }
}

/// The account that an access key itself names: twelve digits.
pub(crate) fn own_account(access_key: &str) -> Option<&str> {
    let digits = access_key.bytes().all(|byte| byte.is_ascii_digit());
    (digits && access_key.len() == 12).then_some(access_key)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn signer(header: &'static str) -> Option<Signer> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_static(header));
        Signer::of(&headers)
    }

    #[test]
    fn key_and_region_come_from_the_credential_scope() {
        let header = "AWS4-HMAC-SHA256 Credential=111111111111/20261121/af-south-1/sqs/aws4_request, SignedHeaders=host, Signature=00";
        let signer = signer(header).expect("signed");
        let account = own_account(&signer.access_key);
        assert_eq!(
            (account, &*signer.region, signer.service.as_deref()),
            (Some("111111111111"), "af-south-1", Some("sqs"))
        );
    }

    #[test]
    fn what_cannot_be_read_is_taken_as_nobody_in_particular() {
        let signer = signer("Bearer something").expect("signed");
        assert_eq!((own_account(&signer.access_key), &*signer.region, signer.service), (None, "us-east-1", None));
        assert_eq!(Signer::of(&HeaderMap::new()), None);
    }
}
