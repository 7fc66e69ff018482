//! `opsctl` without a command: the console.

use std::{io::IsTerminal, sync::Arc};

use crate::{
    cli::{
        args::{self, Color, Global},
        error::CliError,
        exit::Exit,
        output::Output,
        paths::{self, Realm},
        world::{choose, fresh},
    },
    clock::Clock,
    cloud::{Cloud, CloudError, Connect, Dial, ErrorKind},
    config::{self, Configured, Paint, Places, ResolveError},
    domain::{Environment, EnvironmentName, Text},
    journal::StateFolder,
    keymap::{Base, Keymap},
    sandbox::{Sandbox, endpoint, join},
    tui::{
        self, ConsoleError, Outside, Reach, state::look::Look, state::look::Symbols, state::look::Theme,
        state::model::Setting, state::model::World,
    },
};

/// What the console acts on: known without asking anybody.
struct Ground {
    environments: Vec<Arc<Environment>>,
    reach: Reach,
    clock: Clock,
    realm: Realm,
    origin: String,
    keymap: Keymap,
    state: Option<std::path::PathBuf>,
    cache: Option<std::path::PathBuf>,
    // Kept alive: it holds the sandbox's world.
    sandbox: Option<Sandbox>,
}

/// Whether there is a terminal to show it on.
pub(in crate::cli) fn is_possible() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

pub(super) async fn run(global: &Global, console: &args::Console, out: &mut Output) -> Result<Exit, CliError> {
    if !is_possible() {
        let hint = "run it in a terminal, or give a command: `opsctl --help` lists them";
        return Err(CliError::usage("the console needs a terminal", hint));
    }
    let ground = if global.sandbox { sandbox(global).await? } else { configured(global, out)? };
    let state =
        ground.state.ok_or_else(|| CliError::usage("there is no folder for journals", "set HOME or XDG_STATE_HOME"))?;
    let outside = Outside {
        reach: ground.reach,
        clock: ground.clock,
        state: StateFolder::new(state),
        cache: ground.cache,
        setting: Setting {
            environments: ground.environments,
            keymap: Arc::new(ground.keymap),
            look: look(global, console),
            person: super::change::person(),
            origin: Text::line(&ground.origin),
            world: match ground.realm {
                Realm::Aws => World::Aws,
                Realm::Sandbox => World::Sandbox,
            },
        },
        editor: ["VISUAL", "EDITOR"].iter().find_map(|name| std::env::var(name).ok()),
    };
    let _kept_alive = ground.sandbox;
    let ended = tokio::select! {
        ended = tui::run(outside) => ended,
        () = trip() => Ok(()),
    };
    match ended {
        Ok(()) => Ok(Exit::Done),
        Err(error @ ConsoleError::Terminal(_)) => {
            Err(CliError::failed(&error.to_string(), "try another terminal, or TERM=xterm-256color"))
        }
        Err(error @ ConsoleError::HungUp) => Err(CliError::failed(&error.to_string(), "")),
        Err(error @ ConsoleError::Panicked) => Err(CliError::failed(&error.to_string(), "")),
    }
}

async fn sandbox(global: &Global) -> Result<Ground, CliError> {
    let joined = tokio::task::spawn_blocking(join::running).await.unwrap_or_default();
    let (environments, connect, origin, state, sandbox) = match joined {
        Some(joined) => {
            let origin = format!("the sandbox at {}", joined.endpoint);
            let connect = Connect::network(joined.clock).dialing(Dial::Through(endpoint::answerer(&joined)));
            (join::environments(&joined), connect, origin, paths::sandbox_state(Some(joined.pid)), None)
        }
        None => {
            let sandbox = fresh()?;
            let connect =
                Connect::through(sandbox.clock(), sandbox.http_client()).dialing(Dial::Through(sandbox.answerer()));
            let environments = crate::sandbox::world::fleet::environments();
            (environments, connect, "a sandbox of its own".to_owned(), paths::sandbox_state(None), Some(sandbox))
        }
    };
    let chosen = choose(environments, global, |environment| environment.name.0.as_str())?;
    let environments: Vec<Arc<Environment>> = chosen.into_iter().map(Arc::new).collect();
    let clock = connect.clock;
    let known = environments.clone();
    let reach: Reach = Arc::new(move |name| {
        let (connect, environment) = (connect.clone(), known.iter().find(|one| one.name == name).cloned());
        Box::pin(async move {
            match environment {
                Some(environment) => connect.cloud(environment).await,
                None => Err(unknown(&name)),
            }
        })
    });
    // A world that ends with this command leaves nothing to begin the next one with.
    let cache = None;
    let keymap = Keymap::shipped(Base::default());
    Ok(Ground { environments, reach, clock, realm: Realm::Sandbox, origin, keymap, state, cache, sandbox })
}

fn configured(global: &Global, out: &mut Output) -> Result<Ground, CliError> {
    let config = config::load(&Places::of_process(global.config.clone()))?;
    if config.warnings.warnings() > 0 {
        out.note(&config.warnings.render(Paint::Plain));
    }
    let origin = config.source.to_string();
    let chosen = choose(config.environments, global, |environment| environment.name().0.as_str())?;
    let connect = Connect::network(Clock::system());
    let environments = chosen.iter().map(Configured::reach).collect();
    let clock = connect.clock;
    let chosen: Arc<[Configured]> = chosen.into();
    let reach: Reach = Arc::new(move |name| {
        let (connect, chosen) = (connect.clone(), Arc::clone(&chosen));
        Box::pin(async move { reached(&name, &chosen, &connect).await })
    });
    let (state, cache) = (paths::state(), paths::cache(Realm::Aws));
    Ok(Ground {
        environments,
        reach,
        clock,
        realm: Realm::Aws,
        origin,
        keymap: config.keymap,
        state,
        cache,
        sandbox: None,
    })
}

/// Clients with the queue rules that SSM parameters hold.
async fn reached(name: &EnvironmentName, chosen: &[Configured], connect: &Connect) -> Result<Cloud, CloudError> {
    let Some(configured) = chosen.iter().find(|configured| configured.name() == name) else {
        return Err(unknown(name));
    };
    let cloud = connect.cloud(configured.reach()).await?;
    match configured.resolve(&cloud).await {
        Ok(environment) => connect.cloud(Arc::new(environment)).await,
        Err(ResolveError::Cloud { because, .. }) => Err(because),
        Err(ResolveError::Parameters(problems)) => {
            Err(CloudError::new(ErrorKind::Invalid, "ssm:GetParameters", &problems.render(Paint::Plain)))
        }
    }
}

fn unknown(name: &EnvironmentName) -> CloudError {
    CloudError::new(ErrorKind::NotFound, "opsctl", &format!("there is no environment {name}"))
}

/// In debug builds, for tests: goes wrong where `OPSCTL_PANIC` says, so that what a panic leaves behind can be looked at.
async fn trip() {
    let place = if cfg!(debug_assertions) { std::env::var("OPSCTL_PANIC").ok() } else { None };
    let Some(place) = place else { return std::future::pending().await };
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    match place.as_str() {
        "task" => drop(tokio::spawn(async { panic!("tripped in a task") }).await),
        _ => panic!("tripped"),
    }
    std::future::pending().await
}

fn look(global: &Global, console: &args::Console) -> Look {
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let plain = global.color == Color::Never || (no_colour && global.color != Color::Always);
    let theme = console.theme.unwrap_or(if plain { Theme::None } else { Theme::Dark });
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    // Nothing said is what most of today's terminals are: able.
    let unicode = locale.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    });
    let simple = std::env::var("TERM").is_ok_and(|term| term == "linux" || term == "dumb");
    let symbols = if console.ascii || simple || !unicode { Symbols::Ascii } else { Symbols::Unicode };
    Look { theme, symbols }
}
