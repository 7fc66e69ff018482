//! [`World`]: puts the program together, from the configuration or from the sandbox.

use std::{collections::BTreeMap, future::Future, io::Write as _, sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::sync::OnceCell;

use super::{args::Global, error::CliError, exit::Exit, output::Output, paths::Realm};
use crate::{
    clock::Clock,
    cloud::{Cloud, CloudError, Connect, Dial, ErrorKind, Told, Unverified, identity::Caller},
    config::{self, Config, Configured, Paint, Places, Problems, ResolveError, problem::nearest},
    domain::{Environment, Outbox, Text, Try},
    outboxes,
    sandbox::{
        Sandbox, endpoint, join, serve,
        world::fleet::{self, FleetOutbox},
    },
};

pub struct World {
    /// The environments chosen, in the configuration's order.
    pub sites: Vec<Site>,
    /// How clients are made; has the clock of it all.
    pub connect: Connect,
    pub realm: Realm,
    pub origin: String,
    /// Whether `--env` named the environments.
    is_named: bool,
    _sandbox: Option<Ground>,
}

/// The environments chosen, none of them reached yet: whoever shows one as soon as it is known waits for no other.
pub(super) struct Chosen {
    /// In the configuration's order.
    pub(super) places: Vec<Place>,
    pub(super) connect: Connect,
    pub(super) realm: Realm,
    origin: String,
    sandbox: Option<Ground>,
}

/// An environment that can be reached.
#[derive(Clone)]
pub(super) enum Place {
    Simulated(Arc<Environment>),
    Configured(Box<Configured>),
}

/// A drill's sandbox in this process, and who acts in it.
#[derive(Debug, Clone)]
pub struct Inside {
    pub sandbox: Sandbox,
    /// Where its runs lie.
    pub state: std::path::PathBuf,
    /// The player of a script, who agrees to every plan as the environment asks; none: people act.
    pub player: Option<Text>,
}

pub(super) enum Ground {
    Joined(join::Joined),
    /// Kept alive: it holds the sandbox's world.
    Own(Sandbox),
}

/// An environment, with clients if it can be reached. They are handed out only once STS has said that the credentials are of the
/// account that the environment is pinned to: nothing of another account is ever shown under its name.
pub struct Site {
    pub environment: Arc<Environment>,
    cloud: Result<Cloud, CliError>,
    // Asked once, when first needed.
    caller: OnceCell<Result<Caller, Unverified>>,
}

impl Site {
    fn new(environment: Arc<Environment>, cloud: Result<Cloud, CliError>) -> Self {
        Self { environment, cloud, caller: OnceCell::new() }
    }

    /// What `ask` finds out. Whose account it is, is asked beside it: reading takes no longer for that.
    ///
    /// # Errors
    /// The environment can't be reached; the credentials are another account's, or nobody says whose; what `ask` fails with.
    pub async fn read<'a, T, F>(&'a self, ask: impl FnOnce(&'a Cloud) -> F) -> Result<T, CliError>
    where
        F: Future<Output = Result<T, CliError>> + 'a,
    {
        let cloud = self.cloud.as_ref().map_err(Clone::clone)?;
        cloud.ready().await;
        let (caller, answer) = (self.caller(Exit::Failed), ask(cloud));
        tokio::pin!(caller, answer);
        let (known, answer) = tokio::select! {
            biased;
            known = &mut caller => match known {
                Err(error) if error.is_wrong_account => return Err(error),
                known => (known, answer.await),
            },
            answer = &mut answer => (caller.await, answer),
        };
        match (known, answer) {
            (Err(error), _) if error.is_wrong_account => Err(error),
            // What was asked for says best why it was not answered.
            (_, Err(error)) | (Err(error), Ok(_)) => Err(error),
            (Ok(_), Ok(answer)) => Ok(answer),
        }
    }

    /// Whose credentials these are, of the environment's account for certain. Another account's are an error with `exit`.
    ///
    /// # Errors
    /// The environment can't be reached; the credentials are another account's, or nobody says whose.
    pub async fn caller(&self, exit: Exit) -> Result<&Caller, CliError> {
        let cloud = self.cloud.as_ref().map_err(|error| self.refused_with(error, exit))?;
        let known = self.caller.get_or_init(|| async {
            cloud.ready().await;
            cloud.verified_caller().await
        });
        let known = known.await;
        known.as_ref().map_err(|error| CliError::unverified(error, &self.environment, exit))
    }

    /// Why nobody can be asked, if that is known before anybody is.
    pub fn unusable(&self) -> Option<&CliError> {
        self.cloud.as_ref().err()
    }

    async fn verified(&self, exit: Exit) -> Result<&Cloud, CliError> {
        self.caller(exit).await?;
        self.cloud.as_ref().map_err(|error| self.refused_with(error, exit))
    }

    fn refused_with(&self, error: &CliError, exit: Exit) -> CliError {
        let exit = if error.is_wrong_account { exit } else { error.exit };
        CliError { exit, ..error.clone() }
    }
}

impl World {
    /// All environments, or those that `--env` names.
    ///
    /// # Errors
    /// No usable configuration; no such environment. An environment that cannot be reached is a [`Site`] that says so.
    pub async fn open(global: &Global, out: &mut Output) -> Result<Self, CliError> {
        let Chosen { places, connect, realm, origin, sandbox } = Chosen::of(global, out).await?;
        let sites = join_all(places.iter().map(|place| place.site(&connect))).await;
        Ok(Self { sites, connect, realm, origin, is_named: !global.environments.is_empty(), _sandbox: sandbox })
    }

    /// The one environment to look at, with something that costs: its account is verified first.
    ///
    /// # Errors
    /// Several and none was named; it cannot be reached; the credentials are another account's.
    pub async fn to_look(&self) -> Result<&Cloud, CliError> {
        self.only()?.verified(Exit::Failed).await
    }

    /// The one environment to act in: its account is verified first. Another account's credentials are a refusal.
    ///
    /// # Errors
    /// Several and none was named; it cannot be reached; the credentials are another account's.
    pub async fn to_change(&self) -> Result<&Cloud, CliError> {
        self.only()?.verified(Exit::Refused).await
    }

    /// The same, of several that were opened.
    ///
    /// # Errors
    /// There is none of that name; it cannot be reached; the credentials are another account's.
    pub async fn to_change_in(&self, name: &str) -> Result<&Cloud, CliError> {
        let named = self.sites.iter().find(|site| site.environment.name.0 == name);
        let known = || self.sites.iter().map(|site| site.environment.name.0.as_str()).collect::<Vec<_>>();
        named.ok_or_else(|| no_environment(name, &known()))?.verified(Exit::Refused).await
    }

    fn only(&self) -> Result<&Site, CliError> {
        let [site] = self.sites.as_slice() else {
            let names: Vec<String> = self.sites.iter().map(|site| site.environment.name.to_string()).collect();
            let names = names.join(", ");
            let (what, hint) = match self.is_named {
                true => (
                    format!("this takes one environment, and --env names several: {names}"),
                    "name one of them".to_owned(),
                ),
                false => ("no environment was named".to_owned(), format!("add --env with one of: {names}")),
            };
            return Err(CliError::usage(&what, Try::NameOne.says(&hint)));
        };
        Ok(site)
    }
}

impl Chosen {
    /// All environments, or those that `--env` names.
    ///
    /// # Errors
    /// No usable configuration; no such environment.
    pub(super) async fn of(global: &Global, out: &mut Output) -> Result<Self, CliError> {
        let chosen = if global.sandbox { sandbox(global).await? } else { configured(global, out)? };
        if global.verbose > 0 || chosen.realm == Realm::Sandbox {
            out.note(&chosen.origin);
        }
        Ok(chosen)
    }
}

impl Place {
    /// The environment as far as it is known without asking AWS.
    pub(super) fn environment(&self) -> Arc<Environment> {
        match self {
            Self::Simulated(environment) => Arc::clone(environment),
            Self::Configured(configured) => configured.reach(),
        }
    }

    pub(super) async fn site(&self, connect: &Connect) -> Site {
        match self {
            Self::Simulated(environment) => site(Arc::clone(environment), connect).await,
            Self::Configured(configured) => resolved(configured, connect).await,
        }
    }

    /// Clients, made anew, whose account STS has said to be the environment's.
    ///
    /// # Errors
    /// The environment can't be reached; the credentials are another account's, or nobody says whose.
    pub(super) async fn verified(&self, connect: &Connect) -> Result<Cloud, CloudError> {
        let cloud = match self {
            Self::Simulated(environment) => connect.cloud(Arc::clone(environment)).await?,
            Self::Configured(configured) => reached(configured, connect).await?,
        };
        cloud.ready().await;
        match cloud.verified_caller().await {
            Ok(_) => Ok(cloud),
            Err(Unverified::Cloud(error)) => Err(error),
            Err(Unverified::WrongAccount(wrong)) => {
                Err(CloudError::new(ErrorKind::CredentialsMissing, "sts:GetCallerIdentity", &wrong.to_string()))
            }
        }
    }
}

async fn sandbox(global: &Global) -> Result<Chosen, CliError> {
    let (environments, connect, ground) = ground(global).await?;
    let connect = connect.telling(told());
    let origin = match &ground {
        Ground::Joined(joined) => format!("sandbox: joined the one at {} (seed {})", joined.endpoint, joined.seed),
        Ground::Own(sandbox) if global.inside.is_some() => {
            format!("sandbox: the drill's (seed {})", sandbox.options().seed)
        }
        Ground::Own(sandbox) => {
            let seed = sandbox.options().seed;
            format!("sandbox: a fresh one for this command (seed {seed}); `opsctl sandbox serve` keeps one")
        }
    };
    let places = environments.into_iter().map(Place::Simulated).collect();
    Ok(Chosen { places, connect, realm: Realm::Sandbox, origin, sandbox: Some(ground) })
}

/// Says on standard error that something takes its time; that nobody reads it is no reason to stop.
fn told() -> Told {
    Told(Arc::new(|words| drop(writeln!(std::io::stderr(), "{}", Text::line(words)))))
}

/// The sandbox that runs, or else one of this process, and those of its environments that are chosen.
pub(super) async fn ground(global: &Global) -> Result<(Vec<Arc<Environment>>, Connect, Ground), CliError> {
    let own = |sandbox: Sandbox| {
        let connect =
            Connect::through(sandbox.clock(), sandbox.http_client()).dialing(Dial::Through(sandbox.answerer()));
        (fleet::environments(), connect, Ground::Own(sandbox))
    };
    let joined = match global.inside {
        Some(_) => None,
        None => tokio::task::spawn_blocking(join::running).await.unwrap_or_default(),
    };
    let (environments, connect, ground) = match (&global.inside, joined) {
        (Some(inside), _) => own(inside.sandbox.clone()),
        (None, Some(joined)) => {
            let connect = Connect::network(joined.clock).dialing(Dial::Through(endpoint::answerer(&joined)));
            (join::environments(&joined), connect, Ground::Joined(joined))
        }
        (None, None) => own(fresh()?),
    };
    let mut chosen = choose(environments, global, |environment| environment.name.0.as_str())?;
    chosen.iter_mut().for_each(name_outboxes);
    Ok((chosen.into_iter().map(Arc::new).collect(), connect, ground))
}

/// Names the outboxes of the sandbox's fleet, as a configuration does.
pub(super) fn name_outboxes(environment: &mut Environment) {
    let rules = &mut environment.databases;
    for FleetOutbox { name, connection, preset, relay, fifo, group_blocks } in fleet::outboxes(&environment.name.0) {
        let Some(preset) = outboxes::preset(preset) else { continue };
        let mut outbox = Outbox { fifo, ..preset.outbox(&name, &connection.name, relay) };
        outbox.mapping.group_blocks |= group_blocks;
        rules.outboxes.push(outbox);
        rules.connections.push(connection);
    }
}

/// A world of this process, with the fleet in it.
fn fresh() -> Result<Sandbox, CliError> {
    let args = serve::Serve {
        port: 0,
        latency: Duration::ZERO,
        speed: 1.0,
        seed: 7,
        empty: false,
        allow_reset: false,
        fault: None,
    };
    serve::build(&args).map_err(|error| CliError::failed(&format!("the sandbox cannot be built: {error}"), None))
}

/// The configuration, with those of its environments that are chosen; says what is odd about it.
pub(super) fn chosen(global: &Global, out: &mut Output) -> Result<Config, CliError> {
    let config = config::load(&Places::of_process(global.config.clone()))?;
    if config.warnings.warnings() > 0 {
        out.note(&config.warnings.render(Paint::Plain));
    }
    let environments = choose(config.environments, global, |environment| environment.name().0.as_str())?;
    Ok(Config { environments, ..config })
}

fn configured(global: &Global, out: &mut Output) -> Result<Chosen, CliError> {
    let config = chosen(global, out)?;
    let origin = format!("configuration: {}", config.source);
    let connect = Connect::network(Clock::system()).telling(told());
    let places = config.environments.into_iter().map(|configured| Place::Configured(Box::new(configured))).collect();
    Ok(Chosen { places, connect, realm: Realm::Aws, origin, sandbox: None })
}

/// Clients with the queue rules that SSM parameters hold, where nobody waits for words about them.
///
/// # Errors
/// The environment can't be reached; a parameter is missing or wrong.
pub(super) async fn reached(configured: &Configured, connect: &Connect) -> Result<Cloud, CloudError> {
    let cloud = connect.cloud(configured.reach()).await?;
    match configured.resolve(&cloud).await {
        Ok(environment) => connect.cloud(Arc::new(environment)).await,
        Err(ResolveError::Cloud { because, .. }) => Err(because),
        Err(ResolveError::Parameters(problems)) => {
            Err(CloudError::new(ErrorKind::Invalid, "ssm:GetParameters", &problems.render(Paint::Plain)))
        }
    }
}

/// Clients with the queue rules that SSM parameters hold.
async fn resolved(configured: &Configured, connect: &Connect) -> Site {
    let reached = site(configured.reach(), connect).await;
    let resolved = match configured.parameters().is_empty() {
        true => configured.with_parameters(&BTreeMap::new()).map_err(|problems| parameters_error(&problems)),
        false => reached.read(|cloud| resolve(configured, cloud)).await,
    };
    match (&reached.cloud, resolved) {
        (Ok(_), Ok(environment)) => {
            let Site { environment, cloud, .. } = site(Arc::new(environment), connect).await;
            // The same credentials: whose they are is known already.
            Site { environment, cloud, caller: reached.caller }
        }
        (Ok(_), Err(error)) => Site::new(reached.environment, Err(error)),
        (Err(_), _) => reached,
    }
}

async fn resolve(configured: &Configured, cloud: &Cloud) -> Result<Environment, CliError> {
    configured.resolve(cloud).await.map_err(|error| match &error {
        ResolveError::Cloud { because, .. } => CliError::cloud(because, cloud.environment()),
        ResolveError::Parameters(problems) => parameters_error(problems),
    })
}

fn parameters_error(problems: &Problems) -> CliError {
    CliError::usage(&problems.render(Paint::Plain), None)
}

async fn site(environment: Arc<Environment>, connect: &Connect) -> Site {
    let cloud = connect.cloud(Arc::clone(&environment)).await;
    let cloud = cloud.map_err(|error| CliError::cloud(&error, &environment));
    Site::new(environment, cloud)
}

fn choose<T>(all: Vec<T>, global: &Global, name: impl Fn(&T) -> &str) -> Result<Vec<T>, CliError> {
    let wanted = &global.environments;
    let known: Vec<&str> = all.iter().map(&name).collect();
    let Some(wanted) = wanted.iter().find(|wanted| !known.contains(&wanted.as_str())) else {
        return Ok(all
            .into_iter()
            .filter(|one| wanted.is_empty() || wanted.iter().any(|named| named == name(one)))
            .collect());
    };
    Err(no_environment(wanted, &known))
}

fn no_environment(wanted: &str, known: &[&str]) -> CliError {
    let hint = match nearest(wanted, known) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("it can be one of: {}", known.join(", ")),
    };
    CliError::usage(&format!("there is no environment {}", Text::line(wanted)), Try::NameAnother.says(&hint))
}
