//! [`SETTINGS`], in the order of the document.

use super::{AwsSetting, Place, Then};

const fn row(name: &'static str, place: Place, then: Then) -> AwsSetting {
    AwsSetting { name, place, then }
}

const fn variable(name: &'static str, then: Then) -> AwsSetting {
    row(name, Place::Variable, then)
}

const fn profile(name: &'static str, then: Then) -> AwsSetting {
    row(name, Place::Profile, then)
}

const fn session(name: &'static str, then: Then) -> AwsSetting {
    row(name, Place::SsoSession, then)
}

const ENDPOINT: &str = "an environment asks AWS, or its own `endpoint` of opsctl.toml";
const ENDPOINT_OF_PROFILE: &str =
    "an environment asks AWS, or its own `endpoint` of opsctl.toml, which `opsctl init` takes from the profile";
const OF_S3: &str = "of S3";
const REGION: &str = "the region is the one of the environment in opsctl.toml; `opsctl init` takes this one for profiles without a region";
const TRIES: &str = "a read is tried three times, a send once";
const USER_AGENT: &str = "the user agent says opsctl";

pub const SETTINGS: &[AwsSetting] = &[
    variable("AWS_ACCESS_KEY_ID", Then::Heeded("for environments without a `profile`, before everything else")),
    variable("AWS_SECRET_ACCESS_KEY", Then::Heeded("with AWS_ACCESS_KEY_ID")),
    variable("AWS_SESSION_TOKEN", Then::Heeded("with AWS_ACCESS_KEY_ID")),
    variable("AWS_SECURITY_TOKEN", Then::Heeded("the older name of AWS_SESSION_TOKEN")),
    variable(
        "AWS_DEFAULT_PROFILE",
        Then::Heeded(
            "for environments without a `profile`; where AWS_PROFILE is set as well, this one counts, as in the AWS CLI",
        ),
    ),
    variable("AWS_PROFILE", Then::Heeded("for environments without a `profile`")),
    variable("AWS_CONFIG_FILE", Then::Heeded("in place of ~/.aws/config")),
    variable("AWS_SHARED_CREDENTIALS_FILE", Then::Heeded("in place of ~/.aws/credentials")),
    variable(
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        Then::Heeded("with AWS_ROLE_ARN, for environments without a `profile`, where no profile has credentials"),
    ),
    variable("AWS_ROLE_ARN", Then::Heeded("with AWS_WEB_IDENTITY_TOKEN_FILE")),
    variable("AWS_ROLE_SESSION_NAME", Then::Heeded("with AWS_WEB_IDENTITY_TOKEN_FILE; else `opsctl`")),
    variable(
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        Then::Heeded("the role of a container, where nothing before it has credentials"),
    ),
    variable(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        Then::Heeded("the role of a container, where nothing before it has credentials"),
    ),
    variable("AWS_CONTAINER_AUTHORIZATION_TOKEN", Then::Heeded("with AWS_CONTAINER_CREDENTIALS_FULL_URI")),
    variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", Then::Heeded("with AWS_CONTAINER_CREDENTIALS_FULL_URI")),
    variable("AWS_EC2_METADATA_DISABLED", Then::Heeded("`true`: the role of an EC2 instance is not asked for")),
    variable("AWS_EC2_METADATA_SERVICE_ENDPOINT", Then::Heeded("where the role of an EC2 instance is asked for")),
    variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", Then::Heeded("`IPv4` or `IPv6`")),
    variable("AWS_LOGIN_CACHE_DIRECTORY", Then::Heeded("where `aws login` keeps its sessions")),
    variable("AWS_CA_BUNDLE", Then::Heeded("the only certificate authorities that are trusted, in a PEM file")),
    variable("HTTPS_PROXY", Then::Heeded("in capitals or not; never for addresses of this machine")),
    variable("HTTP_PROXY", Then::Heeded("in capitals or not; never for addresses of this machine")),
    variable("NO_PROXY", Then::Heeded("in capitals or not; never for addresses of this machine")),
    variable("AWS_ENDPOINT_URL", Then::Missed(ENDPOINT)),
    variable("AWS_ENDPOINT_URL_*", Then::Missed(ENDPOINT)),
    variable("AWS_USE_FIPS_ENDPOINT", Then::Missed("the usual endpoints are asked, not those for FIPS 140")),
    variable("AWS_USE_DUALSTACK_ENDPOINT", Then::Missed("the usual endpoints are asked, which answer by IPv4")),
    variable(
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        Then::Ignored("endpoints of variables and profiles are never followed"),
    ),
    variable("AWS_REGION", Then::Ignored(REGION)),
    variable("AWS_DEFAULT_REGION", Then::Ignored(REGION)),
    variable("AWS_MAX_ATTEMPTS", Then::Ignored(TRIES)),
    variable("AWS_RETRY_MODE", Then::Ignored(TRIES)),
    variable("AWS_NEW_RETRIES_2026", Then::Ignored(TRIES)),
    variable("AWS_DEFAULTS_MODE", Then::Ignored("deadlines are opsctl's own")),
    variable(
        "AWS_METADATA_SERVICE_TIMEOUT",
        Then::Ignored("the role of an instance is waited for as long as all credentials are"),
    ),
    variable(
        "AWS_METADATA_SERVICE_NUM_ATTEMPTS",
        Then::Ignored("the role of an instance is waited for as long as all credentials are"),
    ),
    variable("AWS_EC2_METADATA_V1_DISABLED", Then::Ignored("only version 2 of the metadata service is asked")),
    variable("AWS_IMDS_USE_IPV6", Then::Ignored("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE says so")),
    variable("AWS_STS_REGIONAL_ENDPOINTS", Then::Ignored("STS is always asked in the environment's region")),
    variable("AWS_ACCOUNT_ID", Then::Ignored("opsctl asks STS for the account")),
    variable("AWS_ACCOUNT_ID_ENDPOINT_MODE", Then::Ignored("no service that is asked here has such endpoints")),
    variable("AWS_CREDENTIAL_EXPIRATION", Then::Ignored("keys of the shell are used until AWS refuses them")),
    variable("AWS_CREDENTIAL_FILE", Then::Ignored("a file of older tools")),
    variable("BOTO_CONFIG", Then::Ignored("a file of older tools")),
    variable("AWS_BEARER_TOKEN_*", Then::Ignored("calls are signed, with keys")),
    variable("AWS_AUTH_SCHEME_PREFERENCE", Then::Ignored("calls are signed by Signature Version 4")),
    variable("AWS_SIGV4A_SIGNING_REGION_SET", Then::Ignored("calls are signed by Signature Version 4")),
    variable("AWS_DISABLE_HOST_PREFIX_INJECTION", Then::Ignored("no call that is made has a prefix")),
    variable("AWS_ENDPOINT_DISCOVERY_ENABLED", Then::Ignored("no service that is asked here has it")),
    variable("BOTOCORE_TCP_KEEPALIVE", Then::Ignored("idle connections are dropped after 20 s")),
    variable("AWS_SDK_UA_APP_ID", Then::NotOurs(USER_AGENT)),
    variable("AWS_EXECUTION_ENV", Then::NotOurs(USER_AGENT)),
    variable("AWS_DISABLE_REQUEST_COMPRESSION", Then::NotOurs("no request that is sent is compressed")),
    variable("AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES", Then::NotOurs("no request that is sent is compressed")),
    variable("AWS_REQUEST_CHECKSUM_CALCULATION", Then::NotOurs(OF_S3)),
    variable("AWS_RESPONSE_CHECKSUM_VALIDATION", Then::NotOurs(OF_S3)),
    variable("AWS_S3_*", Then::NotOurs(OF_S3)),
    variable("AWS_DEFAULT_OUTPUT", Then::NotOurs("of the AWS CLI's own output and input")),
    variable("AWS_PAGER", Then::NotOurs("of the AWS CLI's own output and input")),
    variable("AWS_CLI_*", Then::NotOurs("of the AWS CLI's own output and input")),
    variable("AWS_DATA_PATH", Then::NotOurs("of the AWS CLI's own models")),
    variable("AWS_CSM_*", Then::NotOurs("of the AWS CLI's own monitoring")),
    profile(
        "aws_access_key_id",
        Then::Heeded("keys; in the credentials file they count more than `login_session` and `credential_process`"),
    ),
    profile("aws_secret_access_key", Then::Heeded("with `aws_access_key_id`")),
    profile("aws_session_token", Then::Heeded("with `aws_access_key_id`")),
    profile("aws_security_token", Then::Heeded("the older name of `aws_session_token`")),
    profile("role_arn", Then::Heeded("the role is assumed, at the environment's `endpoint` where it has one")),
    profile("source_profile", Then::Heeded("whose credentials assume `role_arn`; several in a chain")),
    profile(
        "credential_source",
        Then::Heeded("`Environment`, `EcsContainer` or `Ec2InstanceMetadata`, to assume `role_arn`"),
    ),
    profile("external_id", Then::Heeded("given with `role_arn`")),
    profile("role_session_name", Then::Heeded("given with `role_arn`; else `opsctl`")),
    profile("duration_seconds", Then::Heeded("given with `role_arn`")),
    profile(
        "mfa_serial",
        Then::Heeded(
            "the session that the AWS CLI has got with a code is used; opsctl asks for none itself: `aws sts get-caller-identity --profile NAME` does",
        ),
    ),
    profile(
        "web_identity_token_file",
        Then::Heeded("with `role_arn`, at the environment's `endpoint` where it has one"),
    ),
    profile("credential_process", Then::Heeded("run by `sh -c`; it may wait for a person")),
    profile("sso_session", Then::Heeded("the token of `aws sso login`; asked at AWS, whatever the `endpoint`")),
    profile("sso_account_id", Then::Heeded("with SSO")),
    profile("sso_role_name", Then::Heeded("with SSO")),
    profile("sso_start_url", Then::Heeded("with SSO, where no `sso_session` is named")),
    profile("sso_region", Then::Heeded("with SSO, where no `sso_session` is named")),
    profile("login_session", Then::Heeded("the session of `aws login`, which the AWS CLI renews")),
    profile("ca_bundle", Then::Heeded("as AWS_CA_BUNDLE, which counts more")),
    profile("endpoint_url", Then::Missed(ENDPOINT_OF_PROFILE)),
    profile("services", Then::Missed(ENDPOINT_OF_PROFILE)),
    profile("use_fips_endpoint", Then::Missed("the usual endpoints are asked, not those for FIPS 140")),
    profile("use_dualstack_endpoint", Then::Missed("the usual endpoints are asked, which answer by IPv4")),
    profile("ignore_configured_endpoint_urls", Then::Ignored("endpoints of variables and profiles are never followed")),
    profile(
        "region",
        Then::Ignored("the region is the one of the environment in opsctl.toml, which `opsctl init` takes from here"),
    ),
    profile("max_attempts", Then::Ignored(TRIES)),
    profile("retry_mode", Then::Ignored(TRIES)),
    profile("defaults_mode", Then::Ignored("deadlines are opsctl's own")),
    profile(
        "metadata_service_timeout",
        Then::Ignored("the role of an instance is waited for as long as all credentials are"),
    ),
    profile(
        "metadata_service_num_attempts",
        Then::Ignored("the role of an instance is waited for as long as all credentials are"),
    ),
    profile("ec2_metadata_service_endpoint", Then::Ignored("set the environment variable of this name instead")),
    profile("ec2_metadata_service_endpoint_mode", Then::Ignored("set the environment variable of this name instead")),
    profile("imds_use_ipv6", Then::Ignored("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE says so")),
    profile("ec2_metadata_v1_disabled", Then::Ignored("only version 2 of the metadata service is asked")),
    profile("sts_regional_endpoints", Then::Ignored("STS is always asked in the environment's region")),
    profile("aws_account_id", Then::Ignored("opsctl asks STS for the account")),
    profile("account_id_endpoint_mode", Then::Ignored("no service that is asked here has such endpoints")),
    profile("auth_scheme_preference", Then::Ignored("calls are signed by Signature Version 4")),
    profile("sigv4a_signing_region_set", Then::Ignored("calls are signed by Signature Version 4")),
    profile("disable_host_prefix_injection", Then::Ignored("no call that is made has a prefix")),
    profile("endpoint_discovery_enabled", Then::Ignored("no service that is asked here has it")),
    profile("tcp_keepalive", Then::Ignored("idle connections are dropped after 20 s")),
    profile("sdk_ua_app_id", Then::NotOurs(USER_AGENT)),
    profile("disable_request_compression", Then::NotOurs("no request that is sent is compressed")),
    profile("request_min_compression_size_bytes", Then::NotOurs("no request that is sent is compressed")),
    profile("request_checksum_calculation", Then::NotOurs(OF_S3)),
    profile("response_checksum_validation", Then::NotOurs(OF_S3)),
    profile("s3", Then::NotOurs(OF_S3)),
    profile("s3_*", Then::NotOurs(OF_S3)),
    profile("s3api", Then::NotOurs(OF_S3)),
    profile("output", Then::NotOurs("of the AWS CLI's own output and input")),
    profile("cli_*", Then::NotOurs("of the AWS CLI's own output and input")),
    profile("text_*", Then::NotOurs("of the AWS CLI's own output and input")),
    profile("parameter_validation", Then::NotOurs("of the AWS CLI's own models")),
    profile("api_versions", Then::NotOurs("of the AWS CLI's own models")),
    profile("data_path", Then::NotOurs("of the AWS CLI's own models")),
    profile("csm_*", Then::NotOurs("of the AWS CLI's own monitoring")),
    session("sso_start_url", Then::Heeded("under which `aws sso login` has logged in")),
    session("sso_region", Then::Heeded("where SSO is asked")),
    session("sso_registration_scopes", Then::NotOurs("`aws sso login` asks for them")),
];
