//! Each setting is tried: one that is heeded must show in what is asked or found, one that is not must change nothing.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use aws_credential_types::provider::ProvideCredentials;

use super::*;
use crate::{
    cloud::{
        CloudError,
        canned::{Canned, CannedAws, environment},
        profiles::FileKind,
    },
    domain::Login,
};

/// A folder with AWS's files in it, and a shell that leads there.
struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    fn new(config: &str, credentials: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join(".aws")).expect("a folder");
        std::fs::write(folder.path().join(".aws/config"), config).expect("written");
        std::fs::write(folder.path().join(".aws/credentials"), credentials).expect("written");
        std::fs::write(folder.path().join("token"), "a-token").expect("written");
        Self { folder }
    }

    /// `HOME` in a value stands for the folder.
    fn shell(&self, variables: &[(&str, &str)]) -> Shell {
        let home = self.folder.path().display().to_string();
        let set = variables.iter().map(|(name, value)| ((*name).to_owned(), value.replace("HOME", &home)));
        Shell::of(set).at_home(Some(self.folder.path().to_owned()))
    }
}

fn sts(asked: &str) -> Canned {
    let ends = "<Expiration>2026-11-21T04:00:00Z</Expiration>";
    let keys = |id: &str| {
        format!(
            "<Credentials><AccessKeyId>{id}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>{ends}</Credentials>"
        )
    };
    let action = asked.split(['=', '&']).nth(1).unwrap_or_default();
    let id = if action.ends_with("WithWebIdentity") { "WEB" } else { "ROLE" };
    Canned::body(200, &format!("<{action}Response><{action}Result>{}</{action}Result></{action}Response>", keys(id)))
}

/// The id of the key that is found, or the error, and what was asked for it.
async fn found(credentials: CredentialSource, shell: Shell) -> (Result<String, String>, String) {
    let aws = CannedAws::by(sts);
    let environment = Environment { credentials, ..environment() };
    let cloud = aws.connect().in_shell(shell).cloud(Arc::new(environment)).await;
    let id = match cloud {
        Err(error) => Err(error.to_string()),
        Ok(cloud) => {
            let found = cloud.credentials.provider.provide_credentials().await;
            let text = |error| crate::cloud::classify::chain(&error);
            found
                .map(|found| {
                    format!("{}{}", found.access_key_id(), found.session_token().map(|_| "+token").unwrap_or_default())
                })
                .map_err(text)
        }
    };
    (id, aws.asked().join("\n"))
}

const CONFIG: &str = "[profile named]\naws_access_key_id = NAMED\naws_secret_access_key = s\n\
    [profile other]\naws_access_key_id = OTHER\naws_secret_access_key = s\n";

/// A variable, what else is set, and what must be found or asked.
type Case = (&'static str, &'static [(&'static str, &'static str)], &'static str);

const VARIABLES: &[Case] = &[
    ("AWS_ACCESS_KEY_ID", &[("AWS_ACCESS_KEY_ID", "SHELL"), ("AWS_SECRET_ACCESS_KEY", "s")], "SHELL"),
    (
        "AWS_SECRET_ACCESS_KEY",
        &[("AWS_ACCESS_KEY_ID", "SHELL")],
        "only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    ),
    (
        "AWS_SESSION_TOKEN",
        &[("AWS_ACCESS_KEY_ID", "S"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_SESSION_TOKEN", "t")],
        "S+token",
    ),
    (
        "AWS_SECURITY_TOKEN",
        &[("AWS_ACCESS_KEY_ID", "S"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_SECURITY_TOKEN", "t")],
        "S+token",
    ),
    ("AWS_PROFILE", &[("AWS_PROFILE", "named")], "NAMED"),
    ("AWS_DEFAULT_PROFILE", &[("AWS_PROFILE", "named"), ("AWS_DEFAULT_PROFILE", "other")], "OTHER"),
    ("AWS_CONFIG_FILE", &[("AWS_CONFIG_FILE", "HOME/nothing"), ("AWS_PROFILE", "named")], "no profile \"named\""),
    ("AWS_SHARED_CREDENTIALS_FILE", &[("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/more"), ("AWS_PROFILE", "more")], "MORE"),
    (
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        &[("AWS_WEB_IDENTITY_TOKEN_FILE", "HOME/token"), ("AWS_ROLE_ARN", "arn:pod")],
        "WebIdentityToken=a-token",
    ),
    (
        "AWS_ROLE_ARN",
        &[("AWS_WEB_IDENTITY_TOKEN_FILE", "HOME/token"), ("AWS_ROLE_ARN", "arn:pod")],
        "RoleArn=arn%3Apod",
    ),
    (
        "AWS_ROLE_SESSION_NAME",
        &[("AWS_WEB_IDENTITY_TOKEN_FILE", "HOME/token"), ("AWS_ROLE_ARN", "arn:pod"), ("AWS_ROLE_SESSION_NAME", "ann")],
        "RoleSessionName=ann",
    ),
    ("AWS_EC2_METADATA_DISABLED", &[("AWS_EC2_METADATA_DISABLED", "true")], "AWS_EC2_METADATA_DISABLED is set"),
    ("AWS_CA_BUNDLE", &[], ""),
    (
        "AWS_LOGIN_CACHE_DIRECTORY",
        &[("AWS_LOGIN_CACHE_DIRECTORY", "HOME/login"), ("AWS_PROFILE", "signed-in")],
        "LOGIN",
    ),
];

/// Tried by the process's own environment alone: the SDK reads them, or the HTTP client does.
const BY_THE_SDK: &[&str] = &[
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
];

fn heeded(place: Place) -> BTreeSet<&'static str> {
    let is_heeded = |setting: &&AwsSetting| setting.place == place && matches!(setting.then, Then::Heeded(_));
    SETTINGS.iter().filter(is_heeded).map(|setting| setting.name).collect()
}

#[tokio::test(start_paused = true)]
async fn every_variable_that_is_heeded_shows_in_what_is_found_or_asked() {
    let tried: BTreeSet<&str> = VARIABLES.iter().map(|(name, ..)| *name).chain(BY_THE_SDK.iter().copied()).collect();
    assert_eq!(tried, heeded(Place::Variable), "each is tried");
    let session = "arn:aws:iam::1:user/ann";
    let home = Home::new(&format!("{CONFIG}[profile signed-in]\nlogin_session = {session}\n"), "");
    std::fs::write(
        home.folder.path().join(".aws/more"),
        "[more]\naws_access_key_id = MORE\naws_secret_access_key = s\n",
    )
    .expect("written");
    let kept =
        crate::cloud::credentials::kept_login(&home.shell(&[("AWS_LOGIN_CACHE_DIRECTORY", "HOME/login")]), session);
    std::fs::create_dir(home.folder.path().join("login")).expect("a folder");
    let token = r#"{"accessToken":{"accessKeyId":"LOGIN","secretAccessKey":"s","sessionToken":"t","expiresAt":"2026-11-21T04:00:00Z"}}"#;
    std::fs::write(kept.expect("a path"), token).expect("written");
    for (name, variables, said) in VARIABLES {
        let (id, asked) = found(CredentialSource::Default, home.shell(variables)).await;
        let told = format!("{id:?} {asked}").replace("\\\"", "\"");
        assert!(told.contains(said), "{name}: {told}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bundle_of_authorities_that_is_none_is_told() {
    let home =
        Home::new("[profile named]\nca_bundle = ~/token\naws_access_key_id = A\naws_secret_access_key = s\n", "");
    let environment = Environment { credentials: CredentialSource::Profile("named".into()), ..environment() };
    let connect = crate::cloud::Connect::network(crate::clock::Clock::system()).in_shell(home.shell(&[]));
    let error: CloudError = connect.cloud(Arc::new(environment.clone())).await.expect_err("it has no certificate");
    assert!(error.to_string().contains("no certificate in PEM form"), "{error}");
    assert!(error.hint(&environment).as_str().contains("`ca_bundle` of the profile"), "{}", error.hint(&environment));
}

/// A setting of a profile, the profile's lines, and what must be found or asked.
const PROFILE: &[(&str, &str, &str)] = &[
    ("aws_access_key_id", "aws_access_key_id = A\naws_secret_access_key = s", "A"),
    ("aws_secret_access_key", "aws_access_key_id = A", "no `aws_secret_access_key`"),
    ("aws_session_token", "aws_access_key_id = A\naws_secret_access_key = s\naws_session_token = t", "A+token"),
    ("aws_security_token", "aws_access_key_id = A\naws_secret_access_key = s\naws_security_token = t", "A+token"),
    ("role_arn", "role_arn = arn:r\nsource_profile = named", "RoleArn=arn%3Ar"),
    ("source_profile", "role_arn = arn:r\nsource_profile = nobody", "no profile \"nobody\""),
    ("credential_source", "role_arn = arn:r\ncredential_source = Environment", "AWS_ACCESS_KEY_ID is not set"),
    ("external_id", "role_arn = arn:r\nsource_profile = named\nexternal_id = x1", "ExternalId=x1"),
    ("role_session_name", "role_arn = arn:r\nsource_profile = named\nrole_session_name = ann", "RoleSessionName=ann"),
    ("duration_seconds", "role_arn = arn:r\nsource_profile = named\nduration_seconds = 7200", "DurationSeconds=7200"),
    (
        "mfa_serial",
        "role_arn = arn:r\nsource_profile = named\nmfa_serial = arn:mfa",
        "needs a code of the MFA device arn:mfa",
    ),
    ("web_identity_token_file", "role_arn = arn:r\nweb_identity_token_file = ~/token", "WebIdentityToken=a-token"),
    (
        "credential_process",
        "credential_process = echo '{\"Version\":1,\"AccessKeyId\":\"HELPER\",\"SecretAccessKey\":\"s\"}'",
        "HELPER",
    ),
    ("sso_session", "sso_session = gone\nsso_account_id = 1\nsso_role_name = Ops", "no [sso-session gone]"),
    ("sso_account_id", "sso_session = corp\nsso_role_name = Ops", "no `sso_account_id`"),
    ("sso_role_name", "sso_session = corp\nsso_account_id = 1", "no `sso_role_name`"),
    ("sso_start_url", "sso_region = eu-west-1\nsso_account_id = 1\nsso_role_name = Ops", "no `sso_start_url`"),
    ("sso_region", "sso_start_url = https://x\nsso_account_id = 1\nsso_role_name = Ops", "no `sso_region`"),
    ("login_session", "login_session = arn:aws:iam::1:user/nobody", "no `aws login` session"),
    ("ca_bundle", "aws_access_key_id = A\naws_secret_access_key = s\nca_bundle = /x", "A"),
];

#[tokio::test]
async fn every_setting_of_a_profile_that_is_heeded_shows_in_what_is_found_or_asked() {
    let tried: BTreeSet<&str> = PROFILE.iter().map(|(name, ..)| *name).collect();
    assert_eq!(tried, heeded(Place::Profile), "each is tried");
    for (name, lines, said) in PROFILE {
        let home = Home::new(
            &format!(
                "{CONFIG}[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://x\n[profile it]\n{lines}\n"
            ),
            "",
        );
        let (id, asked) = found(CredentialSource::Profile("it".into()), home.shell(&[])).await;
        let told = format!("{id:?} {asked}").replace("\\\"", "\"");
        assert!(told.contains(said), "{name}: {told}");
    }
}

/// What is not heeded changes nothing, and `doctor` names all that might have been meant for opsctl.
#[tokio::test(start_paused = true)]
async fn what_is_not_heeded_changes_nothing_and_is_named() {
    let lines = "role_arn = arn:r\nsource_profile = named\n";
    let home = Home::new(&format!("{CONFIG}[profile it]\n{lines}"), "");
    let plain = found(CredentialSource::Profile("it".into()), home.shell(&[])).await;
    assert_eq!(plain.0.as_deref(), Ok("ROLE+token"));
    let (mut named, mut tried) = (BTreeSet::new(), 0);
    for setting in SETTINGS {
        let is_told = match setting.then {
            Then::Heeded(_) => continue,
            Then::Missed(_) | Then::Ignored(_) => true,
            Then::NotOurs(_) => false,
        };
        let name = setting.name.replace('*', "SOMETHING");
        let (shell, config) = match setting.place {
            Place::Variable => (home.shell(&[(&name, "true")]), format!("{CONFIG}[profile it]\n{lines}")),
            Place::Profile => {
                let value = if name == "services" {
                    "local\n[services local]\nsqs =\n  endpoint_url = http://x"
                } else {
                    "true"
                };
                (home.shell(&[]), format!("{CONFIG}[profile it]\n{lines}{name} = {value}\n"))
            }
            Place::SsoSession => continue,
        };
        tried += 1;
        std::fs::write(home.folder.path().join(".aws/config"), config).expect("written");
        assert_eq!(
            found(CredentialSource::Profile("it".into()), shell.clone()).await,
            plain,
            "{name} changes what is asked"
        );
        let environment = Environment { credentials: CredentialSource::Profile("it".into()), ..environment() };
        let told = unheeded(&environment, &shell, &Profiles::read(&shell));
        assert_eq!(told.iter().any(|told| told.what.as_str().starts_with(&name)), is_told, "{name}: {told:?}");
        named.extend(told.into_iter().filter(|told| told.is_missed).map(|told| told.what.to_string()));
    }
    assert!(tried > 60 && named.len() == 8, "{tried} {named:?}");
}

/// What botocore 1.43.62 reads (`BOTOCORE_DEFAUT_SESSION_VARIABLES`) and the AWS CLI's guide lists besides.
#[test]
fn the_table_has_whatever_the_aws_cli_reads() {
    let variables = "AWS_DEFAULT_PROFILE AWS_PROFILE AWS_DEFAULT_REGION AWS_REGION AWS_DATA_PATH AWS_CONFIG_FILE AWS_CA_BUNDLE \
        AWS_SHARED_CREDENTIALS_FILE AWS_METADATA_SERVICE_TIMEOUT AWS_METADATA_SERVICE_NUM_ATTEMPTS AWS_EC2_METADATA_SERVICE_ENDPOINT \
        AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE AWS_EC2_METADATA_V1_DISABLED AWS_IMDS_USE_IPV6 AWS_USE_DUALSTACK_ENDPOINT \
        AWS_USE_FIPS_ENDPOINT AWS_IGNORE_CONFIGURED_ENDPOINT_URLS AWS_CSM_ENABLED AWS_CSM_HOST AWS_CSM_PORT AWS_CSM_CLIENT_ID \
        AWS_ENDPOINT_DISCOVERY_ENABLED AWS_STS_REGIONAL_ENDPOINTS AWS_RETRY_MODE AWS_DEFAULTS_MODE AWS_MAX_ATTEMPTS AWS_SDK_UA_APP_ID \
        AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES AWS_DISABLE_REQUEST_COMPRESSION AWS_SIGV4A_SIGNING_REGION_SET \
        AWS_REQUEST_CHECKSUM_CALCULATION AWS_RESPONSE_CHECKSUM_VALIDATION AWS_ACCOUNT_ID_ENDPOINT_MODE \
        AWS_DISABLE_HOST_PREFIX_INJECTION AWS_AUTH_SCHEME_PREFERENCE BOTOCORE_TCP_KEEPALIVE AWS_S3_DISABLE_EXPRESS_SESSION_AUTH \
        AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_SECURITY_TOKEN AWS_CREDENTIAL_EXPIRATION AWS_ACCOUNT_ID \
        AWS_CREDENTIAL_FILE BOTO_CONFIG AWS_ROLE_ARN AWS_ROLE_SESSION_NAME AWS_WEB_IDENTITY_TOKEN_FILE AWS_EC2_METADATA_DISABLED \
        AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_CONTAINER_CREDENTIALS_FULL_URI AWS_CONTAINER_AUTHORIZATION_TOKEN \
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE AWS_LOGIN_CACHE_DIRECTORY AWS_ENDPOINT_URL AWS_ENDPOINT_URL_SQS AWS_BEARER_TOKEN_BEDROCK \
        AWS_DEFAULT_OUTPUT AWS_PAGER AWS_CLI_AUTO_PROMPT AWS_CLI_FILE_ENCODING AWS_CLI_HISTORY_FILE AWS_EXECUTION_ENV \
        AWS_NEW_RETRIES_2026 AWS_S3_US_EAST_1_REGIONAL_ENDPOINT HTTP_PROXY HTTPS_PROXY NO_PROXY";
    let keys = "region data_path ca_bundle api_versions metadata_service_timeout metadata_service_num_attempts \
        ec2_metadata_service_endpoint ec2_metadata_service_endpoint_mode ec2_metadata_v1_disabled imds_use_ipv6 use_dualstack_endpoint \
        use_fips_endpoint ignore_configured_endpoint_urls parameter_validation csm_enabled csm_host csm_port csm_client_id \
        endpoint_discovery_enabled sts_regional_endpoints retry_mode defaults_mode max_attempts sdk_ua_app_id \
        request_min_compression_size_bytes disable_request_compression sigv4a_signing_region_set request_checksum_calculation \
        response_checksum_validation account_id_endpoint_mode disable_host_prefix_injection auth_scheme_preference tcp_keepalive \
        s3_disable_express_session_auth s3 s3api aws_access_key_id aws_secret_access_key aws_session_token aws_security_token \
        aws_account_id role_arn source_profile credential_source external_id role_session_name duration_seconds mfa_serial \
        web_identity_token_file credential_process sso_session sso_account_id sso_role_name sso_start_url sso_region login_session \
        endpoint_url services output cli_auto_prompt cli_binary_format cli_error_format cli_follow_urlparam cli_help_output cli_history \
        cli_pager cli_timestamp_format";
    for (place, names) in [(Place::Variable, variables), (Place::Profile, keys)] {
        for name in names.split_whitespace() {
            let rows: Vec<&AwsSetting> =
                SETTINGS.iter().filter(|setting| setting.place == place && setting.is(name)).collect();
            assert!(!rows.is_empty(), "{name} is not in the table");
        }
    }
}

/// Each source of credentials is renewed in its own way: `aws configure sso` and `aws sso login` are right for one of them.
#[test]
fn each_cause_has_its_own_hint() {
    let config = "[profile sso]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = Ops\n\
        [sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp\n\
        [profile signed in]\nlogin_session = arn:aws:iam::1:user/ann\n\
        [profile helper]\ncredential_process = /opt/vault export --token s3cret\n\
        [profile pod]\nrole_arn = arn:pod\nweb_identity_token_file = /var/token\n\
        [profile mfa]\nrole_arn = arn:role\nsource_profile = keyed\nmfa_serial = arn:mfa\n\
        [profile role]\nrole_arn = arn:role\nsource_profile = sso\n[profile keyed]\naws_access_key_id = A\naws_secret_access_key = s\n";
    let mut profiles = Profiles::default();
    profiles.add(config, Path::new("config"), FileKind::Config);
    let mut hints = BTreeSet::new();
    for (name, hint) in [
        ("sso", "run `aws sso login --profile sso`"),
        ("role", "run `aws sso login --profile sso`"),
        ("signed in", "run `aws login --profile 'signed in'`"),
        (
            "helper",
            "run `aws sts get-caller-identity --profile helper` to see what it says, and correct `credential_process`",
        ),
        ("pod", "put a new token into the file, and check that the role trusts its issuer and audience"),
        ("mfa", "run `aws sts get-caller-identity --profile mfa`: it asks for the code of arn:mfa"),
        (
            "keyed",
            "put valid keys for profile keyed in ~/.aws/credentials: `aws configure --profile keyed` asks for them",
        ),
    ] {
        let mut environment = Environment { credentials: CredentialSource::Profile(name.into()), ..environment() };
        environment.login = crate::cloud::login(&environment, &Shell::default(), &profiles);
        assert_ne!(environment.login, Login::Unknown, "{name}");
        let error = CloudError::new(crate::cloud::ErrorKind::CredentialsExpired, "sts:GetCallerIdentity", "expired");
        assert!(error.hint(&environment).as_str().starts_with(hint), "{name}: {}", error.hint(&environment));
        hints.insert(hint);
    }
    assert_eq!(hints.len(), 6);
    let hint = |action: &str| {
        CloudError::new(crate::cloud::ErrorKind::Unknown, action, "late").hint(&environment()).to_string()
    };
    assert!(
        !hint("sts:GetCallerIdentity").contains("may have been done")
            && !hint("sqs:ListQueues").contains("may have been done")
    );
    assert!(hint("sqs:SendMessage").contains("may have been done"));
}
