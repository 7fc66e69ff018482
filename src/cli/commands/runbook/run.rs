//! `opsctl runbook run`, `resume`, `take-over`.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{find, person::Caller, preview, refused, shelf};
use crate::{
    cli::{
        args::{Format, Global, ResumeRunbook, RunRunbook, Said},
        attention,
        commands::{
            change::{person, state},
            stop,
        },
        error::CliError,
        exit::Exit,
        output::Output,
        prompt,
        world::World,
    },
    cloud::Cloud,
    domain::{EnvironmentName, RunId, Text, Try, invocation::quoted, words::duration},
    journal::{End, HeldBack},
    operations::values::Seconds,
    run::Context,
    runbook::{
        Kind, Runbook, Step, Values,
        drive::{
            Beginner, By, OpenError, Opened, Outcome, Outside, RunbookReport, Worlds, begin, drive, recovery, reopen,
            standing,
        },
        things,
    },
};

/// Whether the person is the one who carried the run out last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Resume,
    TakeOver,
}

pub(super) async fn run(args: &RunRunbook, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let shelved = find(&args.runbook, global)?;
    let Some(runbook) = shelved.checked.runbook else { return Err(refused(&shelved.checked.problems)) };
    fits(&runbook, &args.said)?;
    let caller = Caller::new(&args.said, out.format, global).map_err(|because| CliError::usage(&because, None))?;
    let state = state(global).await?;
    let world = world_of(&runbook, global, out).await?;
    let cloud = acting(&world, global).await?;
    let parameters = parameters(&runbook, &args.said, cloud, out).await?;
    deadline(&runbook, &parameters, cloud, out).await;
    if args.dry_run {
        return preview::show(&runbook, &parameters, (cloud, &state), out).await;
    }
    let reason = args.said.reason.as_deref().map(Text::line);
    let who = Beginner { continues: args.continues.clone(), ..Beginner::new(person(global), reason) };
    let runbook = Arc::new(runbook);
    let environment = &cloud.environment().name;
    let opened = begin(&runbook, parameters, environment, who, (&state, cloud.clock(), fastrand::u64(..))).await;
    let opened = opened.map_err(|error| cannot_open(&error, global))?;
    let resume = global.command(&format!("runbook resume {}", opened.run));
    out.note(&format!("runbook {}, run {}; if it stops early, `{resume}` continues it", runbook.name, opened.run));
    if let Some(earlier) = &opened.continues {
        let export = global.command(&format!("runbook export {earlier}"));
        out.note(&format!("it follows run {earlier}, which did not recover: `{export}` shows what was done"));
    }
    overview(&opened, out);
    carry_out(opened, &caller, (&world, cloud), state, out).await
}

/// All steps before the first: whoever runs it looks ahead to judge the risk.
fn overview(opened: &Opened, out: &mut Output) {
    let steps = &opened.runbook.steps;
    let width = steps.iter().map(|step| step.what().len()).max().unwrap_or(0);
    for (number, step) in steps.iter().enumerate() {
        let always = if step.always { " (always)" } else { "" };
        out.note(&format!("  {:>2}  {:width$}  {}{always}", number + 1, step.what(), step.name));
    }
}

pub(super) async fn resume(
    args: &ResumeRunbook,
    how: How,
    global: &Global,
    out: &mut Output,
) -> Result<Exit, CliError> {
    let state = state(global).await?;
    let caller = Caller::new(&args.said, out.format, global).map_err(|because| CliError::usage(&because, None))?;
    let caller = caller.deciding_at_once();
    let folder = state.open(&args.run).map_err(|error| cannot_open(&error.into(), global))?;
    let known = standing(&folder).map_err(|error| cannot_open(&error, global))?;
    let mut global = global.clone();
    if global.environments.is_empty() {
        global.environments.push(known.environment.0.clone());
    }
    if global.environments != [known.environment.0.clone()] {
        let what = format!("run {} is of {}", args.run, known.environment);
        return Err(CliError::usage(&what, Try::LeaveOut.says("omit --env: a run stays in its environment")));
    }
    fits(&known.runbook, &args.said)?;
    for (name, given) in args.said.set.iter().filter(|(name, _)| known.runbook.parameter(name).is_some()) {
        let value =
            known.parameters.get(name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        if value.as_deref() != Some(given.trim()) {
            let what =
                format!("run {} has {name} = {}: parameters stay as they were", args.run, value.unwrap_or_default());
            return Err(CliError::usage(&what, Try::BeginAnew.says("start a new run for another value")));
        }
    }
    if let Ok(shelved) = shelf(&global).find(&known.runbook.name)
        && shelved.runbook().is_some_and(|now| now.digest != known.runbook.digest)
    {
        out.note(&format!(
            "{} has changed since the run started; the run continues with its own copy",
            known.runbook.name
        ));
    }
    let world = world_of(&known.runbook, &global, out).await?;
    let cloud = acting(&world, &global).await?;
    let by = match how {
        How::Resume => By::Resume,
        How::TakeOver => By::Anybody,
    };
    let reason = args.said.reason.as_deref().map(Text::line);
    let opened = reopen(&args.run, (by, person(&global)), reason, (&state, cloud.clock())).await;
    let opened = opened.map_err(|error| cannot_open(&error, &global))?;
    carry_out(opened, &caller, (&world, cloud), state, out).await
}

/// The world of a run: with every environment where a step may act in another than the run's.
async fn world_of(runbook: &Runbook, global: &Global, out: &mut Output) -> Result<World, CliError> {
    let acts_elsewhere = runbook.parameters.iter().any(|parameter| parameter.kind == Kind::Environment);
    match global.environments.as_slice() {
        [_] if acts_elsewhere => World::open(&Global { environments: Vec::new(), ..global.clone() }, out).await,
        _ => World::open(global, out).await,
    }
}

async fn acting<'w>(world: &'w World, global: &Global) -> Result<&'w Cloud, CliError> {
    match global.environments.as_slice() {
        [name] => world.to_change_in(name).await,
        _ => world.to_change().await,
    }
}

/// Other environments than the run's own, of the same configuration.
struct Others<'a>(&'a World);

impl Worlds for Others<'_> {
    fn cloud<'a>(&'a self, environment: &'a EnvironmentName) -> BoxFuture<'a, Result<Cloud, Text>> {
        Box::pin(async move {
            let site = self.0.sites.iter().find(|site| site.environment.name == *environment);
            let site =
                site.ok_or_else(|| Text::line(&format!("{environment} is not an environment that was opened")))?;
            site.read(|cloud| async move { Ok(cloud.clone()) }).await.map_err(|error| error.what)
        })
    }
}

async fn carry_out(
    opened: Opened,
    caller: &Caller,
    (world, cloud): (&World, &Cloud),
    state: crate::journal::StateFolder,
    out: &mut Output,
) -> Result<Exit, CliError> {
    let context = Context {
        cloud: cloud.clone(),
        state,
        random: fastrand::u64(..),
        parent: None,
        cancel: stop::on_signal(None, |text| {
            let _ = std::io::Write::write_all(&mut anstream::stderr(), format!("{text}\n").as_bytes());
        }),
        progress: Arc::new(|_| {}),
    };
    let was_cancelled = context.cancel.clone();
    let outside = Outside { context, person: caller, worlds: &Others(world) };
    // What its steps did is in their own journals, and is looked for when it is resumed.
    let outcome = drive(opened, &outside).await;
    let outcome = outcome.map_err(|error| CliError::new(Exit::Partly, &error.to_string(), error.hint()))?;
    let (report, exit) = match outcome {
        Outcome::Ended(report) => {
            let exit = match report.end {
                Some(End::Done | End::Nothing) => Exit::Done,
                Some(End::Failed) => Exit::Failed,
                Some(End::Refused) => Exit::Refused,
                Some(End::Partly | End::Interrupted | End::Stale) | None => Exit::Partly,
            };
            (report, exit)
        }
        Outcome::Left(report) if was_cancelled.is_cancelled() => (report, Exit::Interrupted),
        Outcome::Left(report) => (report, Exit::Waiting),
    };
    tell(&report, exit, cloud, out)?;
    if let (Exit::Waiting, Some(waits_for)) = (exit, &report.waits_for) {
        let words = format!("{} in {} waits for {waits_for}", report.runbook, report.environment);
        attention::call(&Text::line(&words));
    }
    Ok(exit)
}

fn tell(report: &RunbookReport, exit: Exit, cloud: &Cloud, out: &mut Output) -> Result<(), CliError> {
    if out.format != Format::Human {
        out.value(report)?;
        return Ok(());
    }
    let how = report.end.map_or("open", |end| end.words());
    out.line(&format!(
        "{} in {}: {how} ({}, {})",
        report.runbook,
        report.environment,
        report.run,
        duration(report.seconds)
    ))?;
    let width = report.steps.iter().map(|step| step.state.words().len()).max().unwrap_or(0);
    for (number, step) in report.steps.iter().enumerate() {
        let because = step.because.as_ref().map(|because| format!(": {because}")).unwrap_or_default();
        out.line(&format!("  {:>2}  {:width$}  {}{because}", number + 1, step.state.words(), step.name))?;
    }
    if let Some(allowed) = report.recovery_seconds {
        let how = recovery(report.end, report.seconds, Seconds(allowed));
        out.line(&format!("  recovery time {}: {how}", crate::operations::values::in_words(allowed.into())))?;
    }
    if let Some(waits_for) = &report.waits_for {
        out.line(&format!("  waits for {waits_for}"))?;
    }
    let environment = cloud.environment();
    for HeldBack { what, back } in &report.held {
        let back = back.as_ref().map(|words| format!(": `{}`", environment.invocation.command(words.as_str())));
        out.whole(&format!("  not undone: {what}{}", back.unwrap_or_default()))?;
    }
    if exit != Exit::Done {
        out.line(&format!("  exit code {}: {}", exit.code(), exit.meaning()))?;
    }
    if report.end.is_none() {
        out.whole(&format!("  next: {}", environment.command(&format!("runbook resume {}", report.run))))?;
    } else {
        let export = environment.invocation.command(&format!("runbook export {}", report.run));
        out.whole(&format!("  timeline: {export}"))?;
    }
    Ok(())
}

/// What is set or done is a parameter, a question or a step of the runbook, and an answer is of its question's kind.
fn fits(runbook: &Runbook, said: &Said) -> Result<(), CliError> {
    let answers = runbook.steps.iter().filter_map(Step::ask).map(|ask| ask.keep.as_str());
    let names: Vec<&str> = runbook.parameters.iter().map(|parameter| parameter.name.as_str()).chain(answers).collect();
    let steps: Vec<&str> = runbook.steps.iter().map(|step| step.id.as_str()).collect();
    let wrong_set = said.set.iter().map(|(name, _)| name.as_str()).find(|name| !names.contains(name));
    let wrong_step = said.done.iter().map(|(name, _)| name.as_str()).find(|name| !steps.contains(name));
    let lists = format!("runbook show {}", runbook.name);
    match (wrong_set, wrong_step) {
        (Some(name), _) => return Err(CliError::unknown(("parameter or question", name), names, &lists)),
        (None, Some(name)) => return Err(CliError::unknown(("step", name), steps, &lists)),
        (None, None) => {}
    }
    for ask in runbook.steps.iter().filter_map(Step::ask) {
        for (name, given) in said.set.iter().filter(|(name, _)| *name == ask.keep) {
            let unfit = |because| {
                CliError::usage(&format!("{name}: {because}"), Try::WriteItSo.says(format!("--set {name}=...")))
            };
            ask.parse(given).map_err(unfit)?;
        }
    }
    Ok(())
}

/// Parameters as they were set, else their defaults, else what a person says; what names things names real ones.
async fn parameters(runbook: &Runbook, said: &Said, cloud: &Cloud, out: &mut Output) -> Result<Values, CliError> {
    let mut values = Values::default();
    let mut missing = Vec::new();
    for parameter in &runbook.parameters {
        let given = said.set.iter().rev().find(|(name, _)| *name == parameter.name).map(|(_, value)| value.clone());
        let given = match (given, &parameter.default) {
            (Some(given), _) => given,
            (None, Some(default)) => {
                values.0.insert(parameter.name.clone(), default.clone());
                continue;
            }
            (None, None) if prompt::can_ask() => {
                out.note(parameter.help.as_str());
                let question = format!("{} ({}): ", parameter.name, parameter.kind.into_str());
                tokio::task::spawn_blocking(move || prompt::line(&question))
                    .await
                    .ok()
                    .and_then(Result::ok)
                    .unwrap_or_default()
            }
            (None, None) => {
                missing.push(format!("--set {}=...", parameter.name));
                continue;
            }
        };
        let value = parameter.kind.parse(&given, &parameter.choices).map_err(|because| {
            CliError::usage(
                &format!("{}: {because}", parameter.name),
                Try::GiveOther.says(format!("--set {}=...", parameter.name)),
            )
        })?;
        exists(parameter.kind, &given, cloud).await?;
        values.0.insert(parameter.name.clone(), value);
    }
    if !missing.is_empty() {
        let what =
            format!("{} needs {} more", runbook.name, crate::domain::words::counted(missing.len() as u64, "parameter"));
        return Err(CliError::usage(&what, Try::GiveOther.says(format!("add {}", missing.join(" ")))));
    }
    Ok(values)
}

/// A thing that is named is there. Where it can't be listed, the step that needs it says so.
async fn exists(kind: Kind, name: &str, cloud: &Cloud) -> Result<(), CliError> {
    if !things::is_thing(kind) || kind == Kind::Environment {
        return Ok(());
    }
    let Ok(known) = things::names(kind, cloud).await else { return Ok(()) };
    if known.is_empty() || known.iter().any(|known| known == name.trim()) {
        return Ok(());
    }
    let lists = cloud.environment().command(&format!("{}s", kind.into_str()));
    let name = quoted(name.trim());
    Err(CliError::unknown((kind.into_str(), &name), known.iter().map(String::as_str), &lists))
}

/// What is lost if nothing is done, from the start.
async fn deadline(runbook: &Runbook, parameters: &Values, cloud: &Cloud, out: &mut Output) {
    let wanted: Vec<things::Wanted> = runbook
        .parameters
        .iter()
        .filter(|parameter| parameter.kind == Kind::Queue)
        .filter_map(|parameter| {
            let name = parameters.get(&parameter.name)?.as_str()?;
            Some(things::Wanted::new(&parameter.name, parameter.kind, name).with_deadline())
        })
        .collect();
    if let Some(deadline) = things::deadline(&things::observe(cloud, &wanted).await) {
        out.note(&format!("deadline: {}", deadline.text));
    }
}

pub(super) fn cannot_open(error: &OpenError, global: &Global) -> CliError {
    let command = |words: &str, run: &RunId| global.command(&format!("runbook {words} {run}"));
    match error {
        OpenError::Journal(error) => {
            CliError::new(Exit::Refused, &error.to_string(), error.hint_in(&global.invocation()))
        }
        OpenError::Write { .. } => {
            let hint = Try::MakeRoom.says("free disk space, or fix the permissions of the state folder");
            CliError::failed(&error.to_string(), hint)
        }
        OpenError::Other { run } => CliError::usage(
            &error.to_string(),
            Try::SeeRecord.says(format!("`{}` shows it", global.command(&format!("journal show {run}")))),
        ),
        OpenError::Ended { run, .. } => CliError::usage(
            &error.to_string(),
            Try::SeeRecord.says(format!("`{}` has its timeline", command("export", run))),
        ),
        OpenError::Changed { .. } => {
            CliError::new(Exit::Refused, &error.to_string(), Try::BeginAnew.says("start a new run"))
        }
        OpenError::Unreadable { .. } => CliError::new(
            Exit::Refused,
            &error.to_string(),
            Try::BeginAnew.says("use the version of opsctl that started it, or start a new run"),
        ),
        OpenError::Driven { run, .. } => CliError::new(
            Exit::Refused,
            &error.to_string(),
            Try::TakeOver.says(format!("`{}` takes it over", command("take-over", run))),
        ),
    }
}
