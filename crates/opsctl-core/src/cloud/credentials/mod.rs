//! Credential providers: exactly what the environment names, then its roles.
//!
//! What AWS's files say is read and resolved by [`profiles`](super::profiles), as the AWS CLI does it; nothing of the process's
//! environment seeps in but what [`Shell`] has. Every call that credentials cost goes where the environment's other calls go, but for
//! IAM Identity Center, whose token is shown to AWS alone.

mod helper;
mod sessions;
mod sso;
mod web;

use std::{path::PathBuf, sync::Arc, time::Duration};

use aws_config::{
    SdkConfig, ecs::EcsCredentialsProvider, imds::credentials::ImdsCredentialsProvider,
    provider_config::ProviderConfig, sts::AssumeRoleProvider,
};
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError, future},
};

use helper::Helper;
pub(super) use helper::Helpers;

use super::{
    CloudError, classify,
    profiles::{Assume, Base, Chain, Profiles, resolve},
    shell::Shell,
    trouble::{Blamed, Trouble},
};
use crate::{
    clock::Clock,
    domain::{CredentialSource, Environment, Login, Text},
};

/// Session name of assumed roles, as CloudTrail shows it, where the profile gives none.
const SESSION_NAME: &str = "opsctl";

/// What credentials are made of.
#[derive(Debug, Clone)]
pub(super) struct Makings {
    pub(super) shell: Arc<Shell>,
    pub(super) helpers: Helpers,
    pub(super) clock: Clock,
}

/// Credentials of an environment.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) provider: SharedCredentialsProvider,
    /// Where they come from, step by step: `profile dev: SSO session corp, asked at AWS`.
    pub(super) steps: Vec<Text>,
    /// The program that gives the first credentials, and may ask a person.
    helper: Option<Arc<Helper>>,
}

impl Makings {
    /// The environment's provider. A named profile is asked alone, so that it wins over stray `AWS_ACCESS_KEY_ID`s.
    pub(super) async fn provider(&self, environment: &Environment, base: &SdkConfig) -> Result<Made, CloudError> {
        let made = match &environment.credentials {
            CredentialSource::Keys { access_key, secret_key } => {
                Ok(Made::of(fixed(access_key, secret_key, None), Text::from("fixed keys")))
            }
            CredentialSource::Profile(name) => {
                let profiles = Profiles::read(&self.shell);
                match resolve(&profiles, name) {
                    Ok(chain) => self.chain(chain, environment, base).await,
                    Err(blamed) => Err(blamed),
                }
            }
            CredentialSource::Default => self.of_the_shell(environment, base).await,
        };
        let mut made = made.map_err(|blamed| classify::blamed("sts:GetCallerIdentity", &blamed))?;
        for role in &environment.role_chain {
            let assumed = AssumeRoleProvider::builder(role).session_name(SESSION_NAME).configure(base);
            made.provider = SharedCredentialsProvider::new(assumed.build_from_provider(made.provider).await);
            made.steps.push(assumed_at(role, environment));
        }
        Ok(made)
    }

    /// As the AWS CLI looks where no profile is named on its command line: keys, a profile, web identity, a container, the instance.
    async fn of_the_shell(&self, environment: &Environment, base: &SdkConfig) -> Result<Made, Blamed> {
        let shell = &self.shell;
        if let Some((access_key, secret_key, token)) = shell.keys() {
            let step = Text::from("AWS_ACCESS_KEY_ID of this shell");
            return Ok(Made::of(fixed(access_key, secret_key, token), step));
        }
        if shell.get("AWS_ACCESS_KEY_ID").is_some() || shell.get("AWS_SECRET_ACCESS_KEY").is_some() {
            let trouble = Trouble::HalfKeys;
            return Err(Blamed { words: trouble.in_short(), trouble });
        }
        let profiles = Profiles::read(shell);
        if let Some((name, variable)) = shell.profile() {
            let mut made = self.chain(resolve(&profiles, name)?, environment, base).await?;
            made.steps.insert(0, Text::line(&format!("{variable} of this shell")));
            return Ok(made);
        }
        match resolve(&profiles, "default") {
            Ok(chain) => return self.chain(chain, environment, base).await,
            // It is there to set a region, as a rule.
            Err(Blamed { trouble: Trouble::NoCredentials { .. } | Trouble::NoProfile { .. }, .. }) => {}
            Err(blamed) => return Err(blamed),
        }
        let web =
            shell.get("AWS_WEB_IDENTITY_TOKEN_FILE").zip(shell.get("AWS_ROLE_ARN")).map(|(file, role)| Base::Web {
                role: role.to_owned(),
                file: file.to_owned(),
                session_name: shell.get("AWS_ROLE_SESSION_NAME").map(str::to_owned),
            });
        let has_container = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"]
            .iter()
            .any(|name| shell.get(name).is_some());
        let is_instance_off =
            shell.get("AWS_EC2_METADATA_DISABLED").is_some_and(|off| off.eq_ignore_ascii_case("true"));
        let machine = match (web, has_container) {
            (Some(web), _) => web,
            (None, true) => Base::Container,
            (None, false) if is_instance_off => {
                let words =
                    "no credentials were found: none in this shell, no profile, and AWS_EC2_METADATA_DISABLED is set";
                return Err(Blamed { words: words.to_owned(), trouble: Trouble::Nothing });
            }
            (None, false) => return Ok(Self::instance_at_last(base)),
        };
        Ok(self.base(machine, "", environment, base).await)
    }

    /// The machine's own role is asked last: its refusal says nothing to a person at a desk.
    fn instance_at_last(base: &SdkConfig) -> Made {
        let words = "no credentials were found: none in this shell, no profile, and this machine has no role";
        Made::of(judged(instance(base), Trouble::Nothing, Some(words)), Text::from("the role of this machine"))
    }

    async fn chain(&self, chain: Chain, environment: &Environment, base: &SdkConfig) -> Result<Made, Blamed> {
        let Chain { base: first, profile, roles } = chain;
        let mut made = self.base(first, &profile, environment, base).await;
        for role in roles {
            made = self.assumed(made, role, environment, base).await;
        }
        Ok(made)
    }

    async fn assumed(&self, made: Made, role: Assume, environment: &Environment, base: &SdkConfig) -> Made {
        let Made { provider, mut steps, helper } = made;
        if let Some(serial) = &role.mfa {
            steps.push(Text::line(&format!("the AWS CLI's session of {} with MFA", role.role)));
            let path = sessions::of_role(&self.shell, &role, serial);
            let trouble = Trouble::Mfa { profile: role.profile.clone(), serial: serial.clone() };
            let provider = SharedCredentialsProvider::new(sessions::Kept { path, clock: self.clock, trouble });
            // The session is there already, or it is not: its source is not asked.
            return Made { provider, steps, helper: None };
        }
        let session_name = role.session_name.as_deref().unwrap_or(SESSION_NAME);
        let mut assumed = AssumeRoleProvider::builder(&role.role).session_name(session_name).configure(base);
        if let Some(id) = &role.external_id {
            assumed = assumed.external_id(id);
        }
        if let Some(seconds) = role.seconds {
            assumed = assumed.session_length(Duration::from_secs(seconds.into()));
        }
        steps.push(assumed_at(&role.role, environment));
        Made { provider: SharedCredentialsProvider::new(assumed.build_from_provider(provider).await), steps, helper }
    }

    async fn base(&self, source: Base, profile: &str, environment: &Environment, base: &SdkConfig) -> Made {
        let of = |words: &str| match profile {
            "" => Text::line(words),
            profile => Text::line(&format!("profile {profile}: {words}")),
        };
        let metadata = |source: &str| Trouble::Metadata { source: source.to_owned() };
        match source {
            Base::Keys { access_key, secret_key, token } => {
                Made::of(fixed(&access_key, &secret_key, token.as_deref()), of("its keys"))
            }
            Base::Process { command } => {
                let helper = self.helpers.of(&command, profile, self.clock);
                let step = of(&format!("its credential_process {}", helper.program()));
                let provider = SharedCredentialsProvider::from(Arc::clone(&helper) as Arc<dyn ProvideCredentials>);
                Made { helper: Some(helper), ..Made::of(provider, step) }
            }
            Base::Sso(source) => {
                let step = of(&format!("SSO, asked at AWS in {}", source.region));
                let trouble = Trouble::SsoLogin { profile: profile.to_owned() };
                Made::of(judged(sso::Sso::new(source, base).await, trouble, None), step)
            }
            Base::Login { session } => {
                let step = of(&format!("the session of `aws login` for {session}"));
                Made::of(self.signed_in(&session, profile), step)
            }
            Base::Web { role, file, session_name } => {
                let step = of(&format!("a web identity token in {file}, for {role}{}", at(environment)));
                let path: PathBuf = self.shell.expanded(&file);
                Made::of(web::Web::new(role, path, session_name, base), step)
            }
            Base::Environment => match self.shell.keys() {
                Some((access_key, secret_key, token)) => {
                    Made::of(fixed(access_key, secret_key, token), of("AWS_ACCESS_KEY_ID of this shell"))
                }
                None => {
                    let words = "this shell, as `credential_source = Environment` says: AWS_ACCESS_KEY_ID is not set";
                    let kept = sessions::Kept { path: None, clock: self.clock, trouble: metadata(words) };
                    Made::of(kept, of(words))
                }
            },
            Base::Container => {
                let provider = EcsCredentialsProvider::builder().configure(&provider_config(base)).build();
                Made::of(judged(provider, metadata("a container"), None), of("the container's role"))
            }
            Base::Instance => {
                Made::of(judged(instance(base), metadata("an EC2 instance"), None), of("the instance's role"))
            }
        }
    }

    /// The session of `aws login`; the AWS CLI renews what it has got, for as long as the session lasts.
    fn signed_in(&self, session: &str, profile: &str) -> sessions::Renewed {
        let trouble = Trouble::Login { profile: profile.to_owned() };
        let path = sessions::of_login(&self.shell, session);
        let command =
            format!("aws configure export-credentials --profile {} --format process", helper::quoted(profile));
        let renewal = self.helpers.of(&command, profile, self.clock);
        sessions::Renewed { kept: sessions::Kept { path, clock: self.clock, trouble }, renewal }
    }
}

impl Made {
    fn of(provider: impl ProvideCredentials + 'static, step: Text) -> Self {
        Self { provider: SharedCredentialsProvider::new(provider), steps: vec![step], helper: None }
    }
}

fn fixed(access_key: &str, secret_key: &str, token: Option<&str>) -> Credentials {
    Credentials::new(access_key, secret_key, token.map(str::to_owned), None, "opsctl")
}

fn instance(base: &SdkConfig) -> ImdsCredentialsProvider {
    ImdsCredentialsProvider::builder().configure(&provider_config(base)).build()
}

fn judged(
    provider: impl ProvideCredentials + 'static,
    trouble: Trouble,
    words: Option<&'static str>,
) -> impl ProvideCredentials + 'static {
    Judged { provider, trouble, words }
}

fn at(environment: &Environment) -> String {
    environment.endpoint.as_ref().map(|endpoint| format!(", asked at {endpoint}")).unwrap_or_default()
}

fn assumed_at(role: &str, environment: &Environment) -> Text {
    Text::line(&format!("the role {role}{}", at(environment)))
}

/// How the environment's credentials are renewed, as the files tell it now.
pub fn login(environment: &Environment, shell: &Shell, profiles: &Profiles) -> Login {
    let of = |name: &str| resolve(profiles, name).map(of_chain).unwrap_or_default();
    match &environment.credentials {
        CredentialSource::Keys { .. } => Login::Unknown,
        CredentialSource::Profile(name) => of(name),
        CredentialSource::Default if shell.keys().is_some() => Login::ShellKeys,
        CredentialSource::Default => of(shell.profile().map_or("default", |(name, _)| name)),
    }
}

fn of_chain(chain: Chain) -> Login {
    if let Some(Assume { profile, mfa: Some(serial), .. }) = chain.roles.iter().rev().find(|role| role.mfa.is_some()) {
        return Login::Mfa { profile: profile.clone(), serial: serial.clone() };
    }
    let profile = chain.profile;
    match chain.base {
        Base::Keys { .. } => Login::Keys { profile },
        Base::Process { command } => Login::Helper { program: helper::program(&command).to_owned(), profile },
        Base::Sso(_) => Login::Sso { profile },
        Base::Login { .. } => Login::AwsLogin { profile },
        Base::Web { file, .. } => Login::Token { file },
        Base::Environment => Login::ShellKeys,
        Base::Container | Base::Instance => Login::Unknown,
    }
}

/// What a provider fails with is this trouble, unless the network or AWS is what failed it.
#[derive(Debug)]
struct Judged<P> {
    provider: P,
    trouble: Trouble,
    /// What is said in place of the SDK's own words.
    words: Option<&'static str>,
}

impl<P: ProvideCredentials> ProvideCredentials for Judged<P> {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async move {
            self.provider.provide_credentials().await.map_err(|error| {
                if classify::is_of_the_network(&error) && self.words.is_none() {
                    return error;
                }
                let words = self.words.map_or_else(|| classify::chain(&error), str::to_owned);
                blame(Blamed { trouble: self.trouble.clone(), words })
            })
        })
    }
}

fn blame(blamed: Blamed) -> CredentialsError {
    CredentialsError::provider_error(blamed)
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

/// Waits for a person whom a helper asks, as far as one is used; all else is asked for when it is needed.
pub(super) async fn ready(made: &Made, clock: Clock, mut waits: impl FnMut(&str)) {
    let Some(helper) = &made.helper else { return };
    let deadline = clock.now() + helper::PERSON_TIME;
    let mut is_told = false;
    while clock.now() < deadline {
        let Err(error) = helper.provide_credentials().await else { return };
        match classify::find::<Blamed>(&error) {
            Some(Blamed { trouble: Trouble::HelperWaits { .. }, words }) => {
                if !std::mem::replace(&mut is_told, true) {
                    waits(words);
                }
            }
            Some(_) | None => return,
        }
    }
}

/// Where a session of `aws login` is kept, for tests.
#[cfg(test)]
pub(super) fn kept_login(shell: &Shell, session: &str) -> Option<PathBuf> {
    sessions::of_login(shell, session)
}
