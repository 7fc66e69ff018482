//! `opsctl drill test`: scripted players play drills in worlds of their own, whose minutes pass at once.

use std::{
    io::Write,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, available_parallelism},
    time::Duration,
};

use futures_util::stream::{self, StreamExt as _};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    all, find, not_found,
    run::{cause_of, environments},
    sound,
};
use crate::{
    cli::{
        args::{self, Cli, Command, Drill, DrillOrder, Format, Global, TestDrill},
        commands,
        error::CliError,
        exit::Exit,
        output::Output,
        world::Inside,
    },
    clock::Clock,
    domain::{Text, Try, words::within},
    drill::{
        Live, Order, Scenario, Stage,
        live::sandbox_of,
        report::{Report, told},
        shelf,
    },
    journal::StateFolder,
    sandbox::Options,
};

/// When every player's world begins.
const BEGINS: &str = "2026-03-02T09:00:00Z";
/// A main thread's, on Linux.
const STACK_BYTES: usize = 8 * 1024 * 1024;
/// Between two looks: no part of what goes round in a world, or a look would see the same moment of it each time.
const EVERY: Duration = Duration::from_secs(13);
/// No play takes longer, on the sandbox's clock.
const LONGEST: Duration = Duration::from_secs(2 * 86_400);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, rename = "player")]
    players: Vec<Player>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Player {
    /// What this player does, in a word or two.
    name: String,
    #[serde(default = "seven")]
    seed: u64,
    /// Where the seed does not pick it.
    cause: Option<String>,
    /// Who gives the commands.
    #[serde(default = "ann")]
    by: String,
    #[serde(default)]
    script: Vec<Act>,
    expect: Expect,
}

/// Something that a player does.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Act {
    /// Since the drill began; what takes longer is waited for.
    after: String,
    /// A command line of opsctl without its first word; or an order, `drill control over`. `{redrive}` stands for the newest run
    /// of that operation, `{runbook}` for that of a runbook.
    run: String,
    /// How it has to end; nothing: with 0.
    exit: Option<u8>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    /// From and to.
    score: [f64; 2],
    /// `declared-over`, `out-of-time`, `stopped`, `wrong-environment`.
    ended: crate::drill::Ended,
    #[serde(default)]
    recovered: bool,
    /// Parts of what is told about lost points.
    #[serde(default)]
    lost: Vec<String>,
}

fn seven() -> u64 {
    7
}

fn ann() -> String {
    "ann".to_owned()
}

/// How a play went.
struct Played {
    score: f64,
    seconds: i64,
    /// What is other than expected.
    wrong: Vec<String>,
    /// What the player's commands printed.
    printed: String,
}

pub(super) async fn run(args: &TestDrill, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let all = match args.drill.as_slice() {
        [] => all(global)?,
        names => names.iter().map(|name| find(name, global)).collect::<Result<_, _>>()?,
    };
    let mut ready: Vec<(Arc<Scenario>, Player)> = Vec::new();
    for shelved in all {
        let players = shelf::players(&shelved).map_err(|error| not_found(&error, global))?;
        let Some((file, text)) = players else {
            if args.drill.is_empty() {
                continue;
            }
            let hint = format!("write them to {}.players.toml beside it", shelved.name);
            return Err(CliError::usage(&format!("{} has no players", shelved.name), Try::MendFile.says(&hint)));
        };
        let read: Result<File, _> = toml::from_str(&text);
        let File { players } =
            read.map_err(|error| CliError::usage(&format!("{file}: {error}"), Try::MendFile.says("mend the file")))?;
        let scenario = Arc::new(sound(shelved)?);
        let wanted = |player: &Player| args.player.as_ref().is_none_or(|name| *name == player.name);
        ready.extend(players.into_iter().filter(wanted).map(|player| (Arc::clone(&scenario), player)));
    }
    let at_once = available_parallelism().map_or(1, usize::from);
    let playing = stream::iter(ready).map(|(scenario, player)| {
        let global = Global { sandbox: true, environments: Vec::new(), output: Format::Human, ..global.clone() };
        tokio::task::spawn_blocking(move || {
            let played = play(&scenario, &player, &global);
            (scenario.name.clone(), player.name, played)
        })
    });
    let mut playing = playing.buffered(at_once);
    let (mut told, mut failed) = (Vec::new(), 0);
    while let Some(came) = playing.next().await {
        let (drill, player, played) = came.map_err(|error| CliError::failed(&error.to_string(), None))?;
        failed += usize::from(played.as_ref().map_or(true, |played| !played.wrong.is_empty()));
        told.push(tell(&drill, &player, &played, args.show, out)?);
        // A play takes seconds: who waits sees each as it ends.
        out.flush()?;
    }
    match out.format {
        Format::Human => out.line(&format!("{} plays, {failed} failed", told.len()))?,
        Format::Json | Format::Jsonl => out.document("opsctl/drill-tests/1", &json!({ "plays": told }))?,
    }
    Ok(if failed > 0 { Exit::Failed } else { Exit::Done })
}

fn tell(
    drill: &str,
    player: &str,
    played: &Result<Played, String>,
    shows: bool,
    out: &mut Output,
) -> Result<Value, CliError> {
    let wrong = match played {
        Ok(played) => played.wrong.clone(),
        Err(because) => vec![because.clone()],
    };
    let (score, seconds) = played.as_ref().map_or((None, None), |played| (Some(played.score), Some(played.seconds)));
    if out.format == Format::Human {
        let word = if wrong.is_empty() { "ok    " } else { "FAILED" };
        let took = seconds.map(|seconds| within(jiff::SignedDuration::from_secs(seconds))).unwrap_or_default();
        let score = score.map(|score| format!("{score} of 100")).unwrap_or_default();
        out.line(&format!("{word}  {drill}: {}: {score} in {took}", Text::line(player)))?;
        for line in wrong.iter().flat_map(|wrong| wrong.lines()) {
            out.line(&format!("        {}", Text::line(line)))?;
        }
        if let Ok(played) = played
            && (shows || !wrong.is_empty())
        {
            played.printed.lines().try_for_each(|line| out.whole(&format!("        | {}", Text::line(line))))?;
        }
    }
    Ok(
        json!({ "drill": drill, "player": player, "passed": wrong.is_empty(), "score": score, "seconds": seconds, "wrong": wrong }),
    )
}

/// Blocks: on a thread with as large a stack as commands have otherwise.
fn play(scenario: &Arc<Scenario>, player: &Player, global: &Global) -> Result<Played, String> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK_BYTES);
        let played =
            thread.spawn_scoped(scope, || pass(scenario, player, global)).map_err(|error| error.to_string())?;
        played.join().unwrap_or_else(|_| Err("it panicked".to_owned()))
    })
}

/// Makes a runtime whose time passes while nothing is to be done.
fn pass(scenario: &Arc<Scenario>, player: &Player, global: &Global) -> Result<Played, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let played = async { tokio::time::timeout(LONGEST, in_world(scenario, player, global)).await };
    runtime.block_on(played).map_err(|_| "it never ends".to_owned())?
}

async fn in_world(scenario: &Arc<Scenario>, player: &Player, global: &Global) -> Result<Played, String> {
    let begins = BEGINS.parse().unwrap_or_else(|error| unreachable!("a time: {error}"));
    let clock = Clock::virtual_from(begins, 1.0);
    let cause = cause_of(scenario, player.cause.as_deref(), player.seed).map_err(|error| error.to_string())?;
    let options = Options { seed: player.seed, ..Options::default() };
    let sandbox = sandbox_of(scenario, cause, options, clock).map_err(|error| error.to_string())?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let by = Text::line(&player.by);
    let inside = Inside { sandbox: sandbox.clone(), state: folder.path().join("state"), player: Some(by.clone()) };
    let stage = Stage {
        scenario: Arc::clone(scenario),
        cause,
        seed: player.seed,
        sandbox: sandbox.clone(),
        environments: environments(),
        state: StateFolder::new(&inside.state),
        by: by.clone(),
        every: EVERY,
    };
    let global = Global { inside: Some(inside), ..global.clone() };
    let live = Live::begin(stage, &folder.path().join("drills")).await.map_err(|error| error.to_string())?;
    let printed = Printed::default();
    let acting = act(player, &live, (&global, clock), &printed);
    let mut wrong = Vec::new();
    let playing = live.play();
    tokio::pin!(acting, playing);
    tokio::select! {
        // Whoever still acts when it ends is cut off, as by a facilitator.
        _ = &mut playing => {}
        acted = &mut acting => {
            wrong.extend(acted.err());
            playing.await;
        }
    }
    let (record, _) = live.record();
    let id = record.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let report = Report::of(scenario, &id, &live.events()).ok_or("the record does not begin as one does")?;
    wrong.extend(differs(&player.expect, &report));
    if !wrong.is_empty() {
        let lines = told(&live.events()).into_iter().map(|(at, text)| format!("  {} {text}", at.strftime("%H:%M:%S")));
        wrong.extend(lines);
    }
    Ok(Played { score: report.score.total, seconds: report.seconds, wrong, printed: printed.text() })
}

/// What is other than expected.
fn differs(expect: &Expect, report: &Report) -> Vec<String> {
    let mut wrong = Vec::new();
    let total = report.score.total;
    if !(expect.score[0]..=expect.score[1]).contains(&total) {
        wrong.push(format!("{total} of 100, not {} to {}", expect.score[0], expect.score[1]));
    }
    let ended = report.ended.unwrap_or("not ended");
    if ended != expect.ended.words() {
        wrong.push(format!("it ended: {ended}; not: {}", expect.ended.words()));
    }
    if report.recovered != expect.recovered {
        wrong.push(format!("recovered: {}, not {}", report.recovered, expect.recovered));
    }
    let losses: Vec<String> = report
        .score
        .parts
        .iter()
        .flat_map(|part| &part.losses)
        .map(|loss| format!("-{}: {}", loss.points, loss.what))
        .collect();
    for part in &expect.lost {
        if !losses.iter().any(|loss| loss.contains(part)) {
            wrong.push(format!("no points are lost for `{part}`"));
        }
    }
    if !wrong.is_empty() {
        wrong.extend(losses);
    }
    wrong
}

/// # Errors
/// A command ended otherwise than the script says.
async fn act(player: &Player, live: &Live, (global, clock): (&Global, Clock), printed: &Printed) -> Result<(), String> {
    let begun = clock.now();
    for act in &player.script {
        let after: jiff::SignedDuration = act.after.parse().map_err(|_| format!("`{}` is no time", act.after))?;
        let left = after - clock.now().duration_since(begun);
        clock.sleep(Duration::try_from(left).unwrap_or_default()).await;
        let line = with_runs(&act.run, global);
        let words = shlex::split(&line).ok_or_else(|| format!("a quote is not closed: {line}"))?;
        printed.clone().write_all(format!("$ opsctl {line}\n").as_bytes()).map_err(|error| error.to_string())?;
        let matches = args::command().try_get_matches_from(std::iter::once("opsctl".to_owned()).chain(words));
        let cli = matches.and_then(|matches| Cli::of(&matches)).map_err(|error| error.to_string())?;
        if let Some(Command::Drill(Drill::Control(control))) = &cli.command {
            live.order(order_of(control.order.as_ref()), Text::line(&player.by));
            continue;
        }
        let environments = cli.global.environments.clone();
        let cli = Cli { global: Global { environments, output: cli.global.output, ..global.clone() }, ..cli };
        let mut out = Output::into(cli.global.output, Box::new(printed.clone()), Box::new(printed.clone()));
        let ended = Box::pin(commands::run(cli, &mut out)).await;
        let (exit, said) = match ended {
            Ok(exit) => (exit.code(), String::new()),
            Err(error) => (error.exit.code(), error.to_string()),
        };
        printed.clone().write_all(said.as_bytes()).map_err(|error| error.to_string())?;
        if exit != act.exit.unwrap_or_default() {
            return Err(format!("`opsctl {}` ended with {exit}: {said}", act.run));
        }
    }
    Ok(())
}

/// Puts in the names of runs that the player cannot know beforehand.
fn with_runs(line: &str, global: &Global) -> String {
    let Some(inside) = &global.inside else { return line.to_owned() };
    let mut runs = StateFolder::new(&inside.state).list().unwrap_or_default();
    runs.sort_by_key(|run| std::cmp::Reverse(run.opened.at));
    runs.iter().fold(line.to_owned(), |line, run| {
        let operation = run.operation().unwrap_or("runbook");
        line.replace(&format!("{{{operation}}}"), &run.run.to_string())
    })
}

fn order_of(order: Option<&DrillOrder>) -> Order {
    super::control::order_of(order.cloned())
}

/// What commands print.
#[derive(Debug, Clone, Default)]
struct Printed(Arc<Mutex<Vec<u8>>>);

impl Printed {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
