//! Builds an environment's clients.

use std::{env, sync::Arc, time::Duration};

use aws_config::{BehaviorVersion, Region, SdkConfig, identity::IdentityCache};
use aws_sdk_sqs::config::{
    StalledStreamProtectionConfig,
    retry::{RetryConfig, RetryPartition},
    timeout::TimeoutConfig,
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::endpoint::{Dial, Endpoints, Told};
use super::{
    Cloud, CloudError, Shell, Trouble,
    alarms::Alarms,
    autoscaling::Autoscaling,
    credentials::{Helpers, Makings},
    ecs::Ecs,
    events::Events,
    identity::Identity,
    lambda::Lambda,
    load_balancers::LoadBalancers,
    logs::Logs,
    metrics::Metrics,
    network,
    parameters::Parameters,
    profiles::Profiles,
    rds::Rds,
    skew::SkewGauge,
    sqs::Sqs,
};
use crate::{
    clock::Clock,
    domain::{Answering, Because, CredentialSource, Environment, Text, Unanswered},
};

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long one attempt of a read may take.
const READ_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a read may take, all attempts and pauses together.
const READ_TIMEOUT: Duration = Duration::from_secs(12);
/// How long one attempt of a send or delete may take.
const WRITE_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a repeatable write may take, all attempts and pauses together.
const WRITE_TIMEOUT: Duration = Duration::from_secs(32);
/// How long finding credentials may take: less than a read's attempt, so that the error says what it was.
const CREDENTIALS_TIMEOUT: Duration = Duration::from_millis(4_500);
/// How a certificate begins in a PEM file.
const CERTIFICATE: &[u8] = b"-----BEGIN CERTIFICATE-----";
/// Attempts of reads and repeatable writes.
const ATTEMPTS_MAX: u32 = 3;

/// How clients reach AWS. Clones share one HTTP client with its connections.
#[derive(Debug, Clone)]
pub struct Connect {
    /// The clock that signing, retries and deadlines go by.
    pub clock: Clock,
    /// The way there: the network's client or the embedded sandbox. `None`: a network client of its own for each
    /// [`Connect::cloud`]; [`Connect::network`] makes one to share.
    pub http: Option<SharedHttpClient>,
    /// The way to endpoints of databases: the network, or the sandbox.
    pub dial: Dial,
    /// Who is told that a database, or a person, is waited for; none: nobody is.
    pub told: Option<Told>,
    /// What this process's environment says of AWS; of credentials only where the environment names none of its own.
    pub shell: Arc<Shell>,
    pub(super) helpers: Helpers,
    /// Why no connection may be made: the authorities that are to be trusted cannot be read.
    pub(super) untrusted: Option<CloudError>,
}

impl Connect {
    /// Over the network, with one pool of connections for every environment.
    pub fn network(clock: Clock) -> Self {
        let shell = Arc::new(Shell::of_process());
        let (trust, untrusted) = match shell.get("AWS_CA_BUNDLE").map(|file| authorities(&shell, file)) {
            Some(Ok(trust)) => (Some(trust), None),
            Some(Err(error)) => (None, Some(error)),
            None => (None, None),
        };
        let http = Some(network::client_trusting(trust.as_deref()));
        Self { clock, http, dial: Dial::Network, told: None, shell, helpers: Helpers::default(), untrusted }
    }

    /// Through `http` in place of the network: the embedded sandbox.
    pub fn through(clock: Clock, http: SharedHttpClient) -> Self {
        // Whoever puts something in place of the network does not mean to reach databases over it.
        let nobody =
            |_| -> Answering { Box::pin(async { Err(Unanswered::new(Because::TimedOut, "host unreachable")) }) };
        let shell = Arc::new(Shell::default());
        let dial = Dial::Through(Arc::new(nobody));
        Self { clock, http: Some(http), dial, told: None, shell, helpers: Helpers::default(), untrusted: None }
    }

    /// The same with another way to endpoints of databases.
    pub fn dialing(self, dial: Dial) -> Self {
        Self { dial, ..self }
    }

    /// The same in another shell than this process's.
    pub fn in_shell(self, shell: Shell) -> Self {
        Self { shell: Arc::new(shell), ..self }
    }

    /// The same for somebody who typed a command.
    pub fn telling(self, told: Told) -> Self {
        Self { told: Some(told), ..self }
    }

    /// Clients for `environment`. Makes no call; credentials are resolved at the first one.
    ///
    /// Only the environment's own endpoint counts; see [`stray_endpoint`].
    ///
    /// # Errors
    /// [`super::ErrorKind::CredentialsMissing`]: a profile that does not exist or cannot be read.
    pub async fn cloud(&self, environment: Arc<Environment>) -> Result<Cloud, CloudError> {
        if let Some(error) = &self.untrusted {
            return Err(error.clone());
        }
        let base = self.base(&environment)?;
        let makings = Makings { shell: Arc::clone(&self.shell), helpers: self.helpers.clone(), clock: self.clock };
        let made = makings.provider(&environment, &base).await?;
        let shared = base.into_builder().credentials_provider(made.provider.clone()).build();
        let skew = SkewGauge::new(self.clock);
        let parameters = Parameters::new(&shared, partition(&environment, "ssm"));
        let rds = Rds::new(&shared, partition(&environment, "rds"), self.once());
        Ok(Cloud {
            clock: self.clock,
            sqs: Sqs::new(self.sqs_clients(&environment, &shared), self.clock),
            identity: Identity::new(&shared, partition(&environment, "sts"), skew),
            endpoints: Endpoints::new(
                self.dial.clone(),
                self.clock,
                (parameters.clone(), rds.clone()),
                ["secretsmanager", "rds-data"].map(|service| partition(&environment, service)),
                shared.clone(),
            )
            .telling(self.told.clone()),
            parameters,
            rds,
            lambda: Lambda::new(&shared, partition(&environment, "lambda"), self.once()),
            events: Events::new(&shared, partition(&environment, "events"), self.once()),
            metrics: Metrics::new(&shared, partition(&environment, "cloudwatch"), self.clock),
            alarms: Alarms::new(&shared, partition(&environment, "cloudwatch"), self.once()),
            ecs: Ecs::new(&shared, partition(&environment, "ecs"), self.once()),
            load_balancers: LoadBalancers::new(&shared, partition(&environment, "elasticloadbalancing")),
            logs: Logs::new(&shared, partition(&environment, "logs")),
            autoscaling: Autoscaling::new(&shared, partition(&environment, "application-autoscaling"), self.once()),
            credentials: made,
            told: self.told.clone(),
            environment,
        })
    }

    /// Everything but the credentials. Built by hand, not loaded: nothing of the process's environment seeps in.
    fn base(&self, environment: &Environment) -> Result<SdkConfig, CloudError> {
        let identities = IdentityCache::lazy()
            .load_timeout(CREDENTIALS_TIMEOUT)
            .time_source(self.clock)
            .sleep_impl(self.clock)
            .build();
        let mut builder = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(environment.region.clone()))
            .identity_cache(identities)
            .time_source(self.clock)
            .sleep_impl(self.clock)
            // Every attempt has a deadline; the protection would add a timer to each, and takes a long poll for a stall
            // where a connector need not read the request bit by bit.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .http_client(self.http_of(environment)?)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX))
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(self.clock.deadline(CONNECT_TIMEOUT))
                    .operation_attempt_timeout(self.clock.deadline(READ_ATTEMPT_TIMEOUT))
                    .operation_timeout(self.clock.deadline(READ_TIMEOUT))
                    .build(),
            );
        builder.set_endpoint_url(environment.endpoint.clone());
        Ok(builder.build())
    }

    /// The way there. A profile may name the authorities that it trusts, where the shell names none.
    fn http_of(&self, environment: &Environment) -> Result<SharedHttpClient, CloudError> {
        let is_network = matches!(self.dial, Dial::Network) && self.shell.get("AWS_CA_BUNDLE").is_none();
        let name = match &environment.credentials {
            CredentialSource::Profile(name) => Some(name.as_str()),
            CredentialSource::Default => self.shell.profile().map(|(name, _)| name),
            CredentialSource::Keys { .. } => None,
        };
        if let Some(name) = name.filter(|_| is_network)
            && let Some(file) = Profiles::read(&self.shell).get(name).and_then(|profile| profile.get("ca_bundle"))
        {
            return Ok(network::client_trusting(Some(&authorities(&self.shell, file)?)));
        }
        Ok(self.http.clone().unwrap_or_else(network::client))
    }

    /// One attempt of a write that must not be repeated.
    fn once(&self) -> TimeoutConfig {
        let limit = self.clock.deadline(WRITE_ATTEMPT_TIMEOUT);
        TimeoutConfig::builder()
            .connect_timeout(self.clock.deadline(CONNECT_TIMEOUT))
            .operation_attempt_timeout(limit)
            .operation_timeout(limit)
            .build()
    }

    fn sqs_clients(&self, environment: &Environment, shared: &SdkConfig) -> super::sqs::Clients {
        let base = aws_sdk_sqs::config::Builder::from(shared).retry_partition(partition(environment, "sqs"));
        let (attempt_limit, limit) = (self.clock.deadline(WRITE_ATTEMPT_TIMEOUT), self.clock.deadline(WRITE_TIMEOUT));
        let connect = TimeoutConfig::builder().connect_timeout(self.clock.deadline(CONNECT_TIMEOUT));
        let attempt = connect.clone().operation_attempt_timeout(attempt_limit);
        let client = |builder: aws_sdk_sqs::config::Builder| aws_sdk_sqs::Client::from_conf(builder.build());
        super::sqs::Clients {
            read: client(base.clone()),
            repeatable: client(base.clone().timeout_config(attempt.clone().operation_timeout(limit).build())),
            once: client(
                base.clone()
                    .timeout_config(attempt.operation_timeout(attempt_limit).build())
                    .retry_config(RetryConfig::disabled()),
            ),
            // Each receive brings its own deadline: its long poll and a bit.
            receive: client(
                base.timeout_config(connect.disable_operation_timeout().disable_operation_attempt_timeout().build())
                    .retry_config(RetryConfig::disabled()),
            ),
        }
    }
}

/// Certificates in a PEM file.
fn authorities(shell: &Shell, file: &str) -> Result<Vec<u8>, CloudError> {
    let failed = |what: &str| {
        let words = format!("the certificate authorities to be trusted cannot be read from {file}: {what}");
        CloudError::of_trouble(Trouble::Authorities { file: file.to_owned() }, "sts:GetCallerIdentity", &words)
    };
    let pem = std::fs::read(shell.expanded(file)).map_err(|error| failed(&error.to_string()))?;
    let has_one = pem.windows(CERTIFICATE.len()).any(|some| some == CERTIFICATE);
    if has_one { Ok(pem) } else { Err(failed("it has no certificate in PEM form")) }
}

/// Retry tokens are the environment's own: one that fails does not use up another's.
fn partition(environment: &Environment, service: &str) -> RetryPartition {
    RetryPartition::new(format!("{}/{}/{service}", environment.name, environment.region))
}

/// A variable of the process's environment, where the configuration says that a password is in it.
pub(super) fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Where the SDK's default chain finds credentials first, in words.
pub(super) fn default_chain_words() -> String {
    default_chain_words_in(variable)
}

fn default_chain_words_in(variable: impl Fn(&str) -> Option<String>) -> String {
    let profile = ["AWS_DEFAULT_PROFILE", "AWS_PROFILE"].into_iter().find_map(|name| Some((variable(name)?, name)));
    match (variable("AWS_ACCESS_KEY_ID"), profile) {
        (Some(_), _) => "AWS_ACCESS_KEY_ID of this shell".to_owned(),
        (None, Some((profile, name))) => format!("profile {}, by {name} of this shell", Text::line(&profile)),
        (None, None) => "the default chain".to_owned(),
    }
}

/// A variable of the process's environment that would move an endpoint, as `NAME=value`.
///
/// The clients here ignore it, other tools in the same terminal do not, and a profile that assumes a role may still ask
/// that endpoint for credentials. So it is said, and refused where it matters.
pub fn stray_endpoint() -> Option<String> {
    stray_endpoint_in(&Shell::of_process())
}

/// One that is of a service counts more than one that is of all.
fn stray_endpoint_in(shell: &Shell) -> Option<String> {
    let names = shell.names().filter(|name| name.starts_with("AWS_ENDPOINT_URL"));
    let set = names.filter_map(|name| Some((name, shell.get(name).filter(|value| !value.trim().is_empty())?)));
    set.last().map(|(name, value)| format!("{name}={}", Text::line(&without_login(value))))
}

/// A URL without `user:password@`.
fn without_login(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (scheme, rest));
    let host_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let bare = rest[..host_end].rfind('@').map_or(rest, |at| &rest[at + 1..]);
    if scheme.is_empty() { bare.to_owned() } else { format!("{scheme}://{bare}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stray(variables: &[(&str, &str)]) -> Option<String> {
        stray_endpoint_in(&Shell::of(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))))
    }

    #[test]
    fn a_stray_endpoint_is_told_without_its_password() {
        let set = [("AWS_ENDPOINT_URL", "http://x"), ("AWS_ENDPOINT_URL_SQS", "http://me:secret@localhost:4566/x@y")];
        assert_eq!(stray(&set).as_deref(), Some("AWS_ENDPOINT_URL_SQS=http://localhost:4566/x@y"));
        for name in ["AWS_ENDPOINT_URL_EVENTBRIDGE", "AWS_ENDPOINT_URL_SIGNIN", "AWS_ENDPOINT_URL"] {
            assert_eq!(stray(&[(name, "http://x")]), Some(format!("{name}=http://x")));
        }
        assert_eq!(stray(&[]), None);
        assert_eq!(stray(&[("AWS_ENDPOINT_URL", "  ")]), None, "an empty variable moves nothing");
    }

    #[test]
    fn keys_of_the_shell_come_before_its_profile() {
        let both = |name: &str| Some(name.to_owned());
        assert_eq!(default_chain_words_in(both), "AWS_ACCESS_KEY_ID of this shell");
        let profile = |name: &str| (name == "AWS_PROFILE").then(|| "o\u{1b}ps".to_owned());
        assert_eq!(default_chain_words_in(profile), "profile o␛ps, by AWS_PROFILE of this shell");
        assert_eq!(default_chain_words_in(|_| None), "the default chain");
    }

    #[test]
    fn a_stray_endpoint_cannot_speak_to_the_terminal() {
        assert_eq!(stray(&[("AWS_ENDPOINT_URL", "\u{1b}[2Jx")]).as_deref(), Some("AWS_ENDPOINT_URL=␛[2Jx"));
    }
}
