//! [`World`]: puts the program together, from the configuration or from the sandbox.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;

use super::{args::Global, error::CliError, output::Output, paths::Realm};
use crate::{
    clock::Clock,
    cloud::{Cloud, Connect, Dial},
    config::{self, Configured, Paint, Places, ResolveError, problem::nearest},
    domain::{Environment, Text},
    sandbox::{Sandbox, endpoint, join, serve},
};

/// What the program acts on.
pub struct World {
    /// The environments chosen, in the configuration's order.
    pub sites: Vec<Site>,
    /// How clients are made; has the clock of it all.
    pub connect: Connect,
    /// AWS or sandbox.
    pub realm: Realm,
    /// Where it comes from, in words.
    pub origin: String,
    // Kept alive: it holds the sandbox's world.
    _sandbox: Option<Sandbox>,
}

/// An environment, with clients if it can be reached.
pub struct Site {
    /// The environment.
    pub environment: Arc<Environment>,
    /// Its clients, or why there are none.
    pub cloud: Result<Cloud, CliError>,
}

impl World {
    /// All environments, or the one that `--env` names.
    ///
    /// # Errors
    /// No usable configuration; no such environment. An environment that cannot be reached is a [`Site`] that says so.
    pub async fn open(global: &Global, out: &mut Output) -> Result<Self, CliError> {
        let world = if global.sandbox { sandbox(global).await? } else { configured(global, out).await? };
        if global.verbose > 0 || world.realm == Realm::Sandbox {
            out.note(&world.origin);
        }
        Ok(world)
    }

    /// The one environment to act in.
    ///
    /// # Errors
    /// Several and none was named; it cannot be reached.
    pub fn only(&self) -> Result<&Cloud, CliError> {
        match self.sites.as_slice() {
            [site] => site.cloud.as_ref().map_err(Clone::clone),
            sites => {
                let names: Vec<String> = sites.iter().map(|site| site.environment.name.to_string()).collect();
                Err(CliError::usage(
                    "no environment was named",
                    &format!("add --env with one of: {}", names.join(", ")),
                ))
            }
        }
    }
}

async fn sandbox(global: &Global) -> Result<World, CliError> {
    let joined = tokio::task::spawn_blocking(join::running).await.unwrap_or_default();
    let (environments, connect, origin, kept) = match joined {
        Some(joined) => {
            let origin = format!("sandbox: joined the one at {} (seed {})", joined.endpoint, joined.seed);
            (
                join::environments(&joined),
                Connect::network(joined.clock).dialing(Dial::Through(endpoint::answerer(&joined))),
                origin,
                None,
            )
        }
        None => {
            let sandbox = fresh()?;
            let connect =
                Connect::through(sandbox.clock(), sandbox.http_client()).dialing(Dial::Through(sandbox.answerer()));
            let seed = sandbox.options().seed;
            let origin =
                format!("sandbox: a fresh one for this command (seed {seed}); `opsctl sandbox serve` keeps one");
            (crate::sandbox::world::fleet::environments(), connect, origin, Some(sandbox))
        }
    };
    let chosen = choose(environments, global, |environment| environment.name.0.as_str())?;
    let sites = join_all(chosen.into_iter().map(|environment| site(Arc::new(environment), &connect))).await;
    Ok(World { sites, connect, realm: Realm::Sandbox, origin, _sandbox: kept })
}

/// A world of this process, with the fleet in it.
pub(super) fn fresh() -> Result<Sandbox, CliError> {
    let args = serve::Serve {
        port: 0,
        latency: Duration::ZERO,
        speed: 1.0,
        seed: 7,
        empty: false,
        allow_reset: false,
        fault: None,
    };
    serve::build(&args).map_err(|error| CliError::failed(&format!("the sandbox cannot be built: {error}"), ""))
}

async fn configured(global: &Global, out: &mut Output) -> Result<World, CliError> {
    let config = config::load(&Places::of_process(global.config.clone()))?;
    if config.warnings.warnings() > 0 {
        out.note(&config.warnings.render(Paint::Plain));
    }
    let origin = format!("configuration: {}", config.source);
    let chosen = choose(config.environments, global, |environment| environment.name().0.as_str())?;
    let connect = Connect::network(Clock::system());
    let sites = join_all(chosen.iter().map(|configured| resolved(configured, &connect))).await;
    Ok(World { sites, connect, realm: Realm::Aws, origin, _sandbox: None })
}

/// Clients with the queue rules that SSM parameters hold.
pub(super) async fn resolved(configured: &Configured, connect: &Connect) -> Site {
    let reached = site(configured.reach(), connect).await;
    let Ok(cloud) = &reached.cloud else { return reached };
    match configured.resolve(cloud).await {
        Ok(environment) => site(Arc::new(environment), connect).await,
        Err(error) => {
            let error = match &error {
                ResolveError::Cloud { because, .. } => CliError::cloud(because, &reached.environment),
                ResolveError::Parameters(problems) => CliError::usage(&problems.render(Paint::Plain), ""),
            };
            Site { environment: reached.environment, cloud: Err(error) }
        }
    }
}

async fn site(environment: Arc<Environment>, connect: &Connect) -> Site {
    let cloud = connect.cloud(Arc::clone(&environment)).await;
    let cloud = cloud.map_err(|error| CliError::cloud(&error, &environment));
    Site { environment, cloud }
}

pub(super) fn choose<T>(all: Vec<T>, global: &Global, name: impl Fn(&T) -> &str) -> Result<Vec<T>, CliError> {
    let Some(wanted) = &global.environment else { return Ok(all) };
    let names: Vec<String> = all.iter().map(|one| name(one).to_owned()).collect();
    let chosen: Vec<T> = all.into_iter().filter(|one| name(one) == wanted).collect();
    if !chosen.is_empty() {
        return Ok(chosen);
    }
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    let hint = match nearest(wanted, &known) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("it can be one of: {}", known.join(", ")),
    };
    Err(CliError::usage(&format!("there is no environment {}", Text::line(wanted)), &hint))
}
