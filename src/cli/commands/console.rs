//! `opsctl` without a command: the console.

use std::{io::IsTerminal, sync::Arc};

use crate::{
    cli::{
        args::{self, Color, Global},
        error::CliError,
        exit::Exit,
        output::Output,
        paths::{self, Realm},
        world,
    },
    clock::Clock,
    cloud::{CloudError, Connect, ErrorKind},
    config::Configured,
    domain::{Environment, EnvironmentName, Text, Try},
    journal::StateFolder,
    keymap::{Base, Keymap},
    tui::{
        self, ConsoleError, Outside, Reach,
        state::{
            look::{Look, Symbols, Theme},
            model::{Setting, World},
        },
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
    sandbox: Option<world::Ground>,
}

/// Whether there is a terminal to show it on.
pub(in crate::cli) fn is_possible() -> bool {
    is_terminal() && !is_plain()
}

fn is_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

/// Whether the terminal can't move its cursor: an editor's shell, a job of CI. It would show escape sequences.
fn is_plain() -> bool {
    !std::env::var("TERM").is_ok_and(|term| !term.is_empty() && term != "dumb")
}

pub(super) async fn run(global: &Global, console: &args::Console, out: &mut Output) -> Result<Exit, CliError> {
    if !is_possible() {
        if is_terminal() {
            let term = std::env::var("TERM").unwrap_or_default();
            let what = format!("this terminal can't show the console: TERM is `{}`", Text::line(&term));
            let hint = format!(
                "`{}` shows what needs attention; `opsctl --help` lists the commands",
                global.command("status")
            );
            return Err(CliError::usage(&what, Try::UseTerminal.says(hint)));
        }
        let hint = "run it in a terminal, or give a command: `opsctl --help` lists them";
        return Err(CliError::usage("the console needs a terminal", Try::UseTerminal.says(hint)));
    }
    let ground = if global.sandbox { sandbox(global).await? } else { configured(global, out)? };
    let state = ground.state.ok_or_else(|| {
        CliError::usage("there is no folder for journals", Try::SetVariable.says("set HOME or XDG_STATE_HOME"))
    })?;
    let outside = Outside {
        reach: ground.reach,
        clock: ground.clock,
        state: StateFolder::new(state),
        shelf: super::runbook::shelf(global),
        cache: ground.cache,
        setting: Setting {
            environments: ground.environments,
            keymap: Arc::new(ground.keymap),
            look: look(global, console),
            person: super::change::person(global),
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
        Err(error @ ConsoleError::Terminal(_)) => Err(CliError::failed(
            &error.to_string(),
            Try::UseTerminal.says("try another terminal, or TERM=xterm-256color"),
        )),
        Err(error @ ConsoleError::HungUp) => Err(CliError::failed(&error.to_string(), None)),
        Err(error @ ConsoleError::Panicked) => Err(CliError::failed(&error.to_string(), None)),
    }
}

async fn sandbox(global: &Global) -> Result<Ground, CliError> {
    let (environments, connect, sandbox) = world::ground(global).await?;
    let (origin, state) = match &sandbox {
        world::Ground::Joined(joined) => {
            (format!("the sandbox at {}", joined.endpoint), paths::sandbox_state(Some(joined.pid)))
        }
        world::Ground::Own(_) => match &global.inside {
            Some(inside) => ("a drill".to_owned(), Some(inside.state.clone())),
            None => ("a sandbox of its own".to_owned(), paths::sandbox_state(None)),
        },
    };
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
    let (realm, sandbox) = (Realm::Sandbox, Some(sandbox));
    Ok(Ground { environments, reach, clock, realm, origin, keymap, state, cache, sandbox })
}

fn configured(global: &Global, out: &mut Output) -> Result<Ground, CliError> {
    let config = world::chosen(global, out)?;
    let origin = config.source.to_string();
    let connect = Connect::network(Clock::system());
    let environments = config.environments.iter().map(Configured::reach).collect();
    let clock = connect.clock;
    let chosen: Arc<[Configured]> = config.environments.into();
    let reach: Reach = Arc::new(move |name| {
        let (connect, chosen) = (connect.clone(), Arc::clone(&chosen));
        Box::pin(async move {
            match chosen.iter().find(|configured| *configured.name() == name) {
                Some(configured) => world::reached(configured, &connect).await,
                None => Err(unknown(&name)),
            }
        })
    });
    let (state, cache) = (paths::state(), paths::cache(Realm::Aws));
    let (realm, keymap, sandbox) = (Realm::Aws, config.keymap, None);
    Ok(Ground { environments, reach, clock, realm, origin, keymap, state, cache, sandbox })
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
    let simple = std::env::var("TERM").is_ok_and(|term| term == "linux");
    let symbols = if console.ascii || simple || !unicode { Symbols::Ascii } else { Symbols::Unicode };
    Look { theme, symbols }
}
