//! `opsctl drill run`.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};

use super::{control, find, records, report, show::brief, sound};
use crate::{
    cli::{
        args::{Console, Format, Global, RunDrill},
        commands::{change::person, console},
        error::CliError,
        exit::Exit,
        output::Output,
        paths, prompt,
        world::{Inside, name_outboxes},
    },
    clock::Clock,
    domain::{Text, Try, words::within},
    drill::{
        Answer, Live, Order, Scenario, Stage,
        live::{every, sandbox_of},
    },
    journal::StateFolder,
    sandbox::{Options, Sandbox, join, serve, world::fleet},
};

/// Seeds that nobody chose are short enough to be typed again.
const SEEDS: u64 = 10_000;

pub(super) async fn run(
    args: &RunDrill,
    global: &Global,
    console: &Console,
    out: &mut Output,
) -> Result<Exit, CliError> {
    let scenario = Arc::new(sound(find(&args.drill, global)?)?);
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..SEEDS));
    let cause = cause_of(&scenario, args.cause.as_deref(), seed)?;
    let options = Options { seed, speed: args.speed, ..Options::default() };
    let clock = Clock::virtual_from(Clock::system().now(), args.speed);
    let failed = |error: &dyn std::fmt::Display| CliError::failed(&format!("the drill cannot begin: {error}"), None);
    let sandbox = sandbox_of(&scenario, cause, options, clock).map_err(|error| failed(&error))?;
    let state_file = join::state_file().map_err(|error| failed(&error))?;
    let listening = serve::listen(args.port, &sandbox, &state_file).await.map_err(|error| failed(&error))?;
    // What is to be read stands last: a small terminal shows that much.
    join_lines(&sandbox, &listening.url, out)?;
    out.heading(scenario.title.as_str())?;
    brief(&scenario, out)?;
    out.flush()?;
    let state = paths::sandbox_state(Some(std::process::id()));
    let state = state.ok_or_else(|| {
        CliError::usage("there is no folder for journals", Try::SetVariable.says("set HOME or XDG_STATE_HOME"))
    })?;
    let inside = Inside { sandbox: sandbox.clone(), state: state.clone(), player: None };
    let inside = Global { sandbox: true, environments: Vec::new(), inside: Some(inside), ..global.clone() };
    let opens = console::is_possible() && !args.serve && out.format == Format::Human;
    if opens && !is_ready(&scenario).await {
        return Ok(Exit::Done);
    }
    let stage = Stage {
        scenario: Arc::clone(&scenario),
        cause,
        seed,
        sandbox: sandbox.clone(),
        environments: environments(),
        state: StateFolder::new(state),
        by: person(global),
        every: every(),
    };
    let live = Live::begin(stage, &records()?).await.map_err(|error| failed(&error))?;
    out.flush()?;
    let playing = async {
        match opens {
            true => at_a_terminal(&live, &inside, console, global, out).await,
            false => until_stopped(&live).await,
        }
    };
    tokio::select! {
        _ = live.play() => {}
        ended = playing => { ended?; live.play().await; }
        () = sandbox.serve(listening.listener, std::future::pending()) => {}
        () = sandbox.live() => {}
    }
    finish(&live, global, out)
}

/// The sandbox's environments, with their outboxes named.
pub(super) fn environments() -> Vec<Arc<crate::domain::Environment>> {
    let mut environments = fleet::environments();
    environments.iter_mut().for_each(name_outboxes);
    environments.into_iter().map(Arc::new).collect()
}

/// The cause that was named, or that the seed picks.
pub(super) fn cause_of(scenario: &Scenario, named: Option<&str>, seed: u64) -> Result<usize, CliError> {
    let Some(name) = named else { return Ok(scenario.cause_of(seed)) };
    let found = scenario.causes.iter().position(|cause| cause.name == name);
    found.ok_or_else(|| {
        let names: Vec<&str> = scenario.causes.iter().map(|cause| cause.name.as_str()).collect();
        let hint = format!("it can be one of: {}", names.join(", "));
        CliError::usage(&format!("{} has no cause {}", scenario.name, Text::line(name)), Try::NameAnother.says(&hint))
    })
}

fn join_lines(sandbox: &Sandbox, url: &str, out: &mut Output) -> Result<(), CliError> {
    out.line("Other terminals join with `opsctl --sandbox`; the AWS CLI and SDKs with:")?;
    serve::joining_lines(sandbox.options(), url).lines().try_for_each(|line| out.whole(&format!("  {line}")))?;
    Ok(out.line("")?)
}

/// Time counts from when the player is ready.
async fn is_ready(scenario: &Scenario) -> bool {
    let limit = within(jiff::SignedDuration::try_from(scenario.limit).unwrap_or_default());
    let question = format!(
        "\nIn the console Q comes back to this terminal: to say that it is over, or to take a hint.\nenter begins ({limit} at most), q leaves: "
    );
    let answer = tokio::task::spawn_blocking(move || prompt::line(&question)).await;
    !matches!(answer.ok().and_then(Result::ok).as_deref(), None | Some("q" | "quit"))
}

/// The console, and what a player can say beside it, in turn.
async fn at_a_terminal(
    live: &Live,
    inside: &Global,
    look: &Console,
    global: &Global,
    out: &mut Output,
) -> Result<(), CliError> {
    loop {
        console::run(inside, look, out).await?;
        loop {
            let question = "c console · h hint · n note · s status · o it is over · stop > ";
            let typed = tokio::task::spawn_blocking(move || prompt::line(question)).await;
            let typed = typed.ok().and_then(Result::ok).unwrap_or_else(|| "stop".to_owned());
            let (word, rest) = typed.split_once(' ').unwrap_or((&typed, ""));
            let order = match word {
                "c" | "console" => break,
                "h" | "hint" => Order::Hint,
                "n" | "note" if !rest.trim().is_empty() => Order::Note(rest.trim().to_owned()),
                "s" | "status" => Order::Brief,
                "o" | "over" => Order::Over,
                "stop" => Order::Stop,
                _ => {
                    out.note("type one of the letters; a note is `n TEXT`");
                    continue;
                }
            };
            let ends = matches!(order, Order::Over | Order::Stop);
            match live.order(order, person(global)) {
                Answer::Done(text) => out.note(text.as_str()),
                Answer::Refused { because, hint } => out.note(&format!("{because}: {hint}")),
                Answer::Look(view) => control::show(&view, out)?,
            }
            out.flush()?;
            if ends {
                return Ok(());
            }
        }
    }
}

/// Until somebody interrupts it: players are elsewhere.
async fn until_stopped(live: &Live) -> Result<(), CliError> {
    let cannot = |error| CliError::failed(&format!("the drill cannot wait for signals: {error}"), None);
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot)?;
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    live.order(Order::Stop, Text::from("interrupted"));
    Ok(())
}

fn finish(live: &Live, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let (folder, broken) = live.record();
    if let Some(because) = broken {
        return Err(CliError::failed(
            &format!("the record is not whole: {because}"),
            Try::MakeRoom.says("make room on the disk"),
        ));
    }
    let report = report::read(&folder)?;
    match out.format {
        Format::Human => report::summary(&report, global, out)?,
        Format::Json | Format::Jsonl => out.document("opsctl/drill-report/1", &report)?,
    }
    Ok(if report.score.passed { Exit::Done } else { Exit::Failed })
}
