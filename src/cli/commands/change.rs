//! `opsctl redrive`, `purge`, `restore`, `apply`: plan, show, ask, run, report. The same way for all.

use std::{
    io::{Read, Write},
    path::{Path, PathBuf},
};

use super::stop;
use crate::{
    cli::{
        args::{Consent, Format, Global},
        error::CliError,
        exit::Exit,
        output::Output,
        paths, progress, prompt, show,
        world::World,
    },
    cloud::Cloud,
    domain::{Invocation, RunId, Text, invocation::quoted},
    gate::{self, Answer, Ask, Refusal},
    journal::StateFolder,
    messages::Filter,
    operations::{Look, Operation, OperationError, Planner, command_line, resume_line, values::Uncertain},
    plan::Plan,
    run::{self, Context, Report},
    sandbox::join,
};

/// Largest plan file read, in bytes.
const PLAN_BYTES_MAX: u64 = 8 * 1_048_576;

/// What is to be done.
pub(super) enum Wanted {
    /// This, planned now.
    Operation(Box<Operation>),
    /// What an earlier run of this operation left.
    Resume(&'static str, RunId, Uncertain),
    /// A plan in a file.
    Planned(PathBuf),
}

pub(super) async fn run(
    wanted: Wanted,
    consent: &Consent,
    global: &Global,
    out: &mut Output,
) -> Result<Exit, CliError> {
    if let Wanted::Operation(operation) = &wanted {
        check_filter(operation)?;
    }
    let gone = stop::hung_up();
    let state = state(global).await?;
    let given = match given(&wanted, &state, global) {
        Ok(given) => given,
        Err(error) => return Err(or_wrong_account(error, global, out).await),
    };
    let mut global = global.clone();
    if global.environment.is_none() {
        // A snapshot goes back to where it was taken, unless another environment is named.
        let restored = match &wanted {
            Wanted::Operation(operation) => match operation.as_ref() {
                Operation::Restore(restore) => run::plan_of(&state, &restore.run).ok(),
                Operation::Redrive(_)
                | Operation::Purge(_)
                | Operation::Wake(_)
                | Operation::Sleep(_)
                | Operation::Failover(_)
                | Operation::Migrate(_)
                | Operation::PauseConsumers(_)
                | Operation::ResumeConsumers(_) => None,
            },
            Wanted::Resume(..) | Wanted::Planned(_) => None,
        };
        global.environment = given.as_ref().or(restored.as_ref()).map(|plan| plan.environment.0.clone());
    }
    let world = World::open(&global, out).await?;
    let cloud = world.to_change().await?;
    let plan = match (given, &wanted) {
        (Some(plan), Wanted::Planned(_)) => plan_again(plan, cloud, &state).await?,
        (Some(plan), _) => plan,
        (None, Wanted::Operation(operation)) => make_plan(operation, cloud, &state, Look::Sample).await?,
        (None, Wanted::Resume(..) | Wanted::Planned(_)) => unreachable!("both were read above"),
    };
    let invocation = &cloud.environment().invocation;
    let command = match &wanted {
        Wanted::Resume(_, run, _) => resume_line(&plan.operation, run, &plan.environment, invocation),
        Wanted::Operation(_) | Wanted::Planned(_) => command_line(&plan.operation, &plan.environment, invocation),
    };
    if consent.dry_run || consent.plan_out.is_some() {
        return only_show(&plan, &command, consent, (invocation, out));
    }
    show_before(&plan, &command, out)?;
    if plan.empty && plan.blockers.is_empty() {
        if out.format != Format::Human {
            out.document(
                "opsctl/nothing/1",
                &serde_json::json!({ "summary": plan.summary, "facts": plan.facts, "warnings": plan.warnings }),
            )?;
        }
        return Ok(Exit::Done);
    }
    let most = plan.operation.limit();
    let agreed = agree(&plan, consent, cloud)?;
    if gone.is_cancelled() {
        return Err(CliError::new(Exit::Interrupted, "the terminal is gone: nothing was done", ""));
    }
    let resumed = match &wanted {
        Wanted::Resume(_, run, _) => Some(run.clone()),
        Wanted::Operation(_) | Wanted::Planned(_) => None,
    };
    let left = stop::Left::of(&plan, &state, cloud, resumed);
    let approved = gate::approve(plan, cloud.environment(), agreed, cloud.clock().now())?;
    let shown = progress::Shown::new(out.format, most);
    let context = Context {
        cloud: cloud.clone(),
        state,
        random: fastrand::u64(..),
        cancel: stop::on_signal(left, shown.notice()),
        progress: shown.tell(),
    };
    let report = match &wanted {
        Wanted::Resume(_, run, _) => run::resume(run, approved, &context)
            .await
            .map_err(|error| CliError::new(Exit::Refused, &error.to_string(), error.hint())),
        Wanted::Operation(_) | Wanted::Planned(_) => Ok(run::execute(approved, &context).await),
    };
    shown.end();
    tell(&report?, invocation, out)
}

/// The plan that is there already, if it is of a run or in a file.
fn given(wanted: &Wanted, state: &StateFolder, global: &Global) -> Result<Option<Plan>, CliError> {
    Ok(match wanted {
        Wanted::Operation(_) => None,
        Wanted::Resume(operation, run, uncertain) => Some(plan_of_run(state, (operation, run), *uncertain, global)?),
        Wanted::Planned(path) => Some(read_plan(path)?),
    })
}

/// Credentials of another account come before all else that is wrong: whoever has them acts in the wrong place.
async fn or_wrong_account(error: CliError, global: &Global, out: &mut Output) -> CliError {
    if global.sandbox {
        return error;
    }
    let Ok(world) = World::open(global, out).await else { return error };
    match world.to_change().await {
        Err(wrong) if wrong.is_wrong_account => wrong,
        Ok(_) | Err(_) => error,
    }
}

/// Where journals lie.
pub(super) async fn state(global: &Global) -> Result<StateFolder, CliError> {
    let path = if global.sandbox {
        let joined = tokio::task::spawn_blocking(join::running).await.unwrap_or_default();
        paths::sandbox_state(joined.map(|joined| joined.pid))
    } else {
        paths::state()
    };
    let path = path.ok_or_else(|| CliError::usage("there is no folder for journals", "set HOME or XDG_STATE_HOME"))?;
    Ok(StateFolder::new(path))
}

async fn make_plan(operation: &Operation, cloud: &Cloud, state: &StateFolder, look: Look) -> Result<Plan, CliError> {
    let planner = Planner { state: state.clone(), random: fastrand::u64(..), look, resuming: None };
    let planned = planner.plan(operation, cloud).await.map_err(|error| operation_error(&error, cloud))?;
    Ok(planned.plan)
}

/// A plan from a file says what somebody approved of; what is shown, asked and refused comes from the world as it is now.
async fn plan_again(given: Plan, cloud: &Cloud, state: &StateFolder) -> Result<Plan, CliError> {
    if !given.is_sound() {
        let because = "its fingerprint does not fit its text".to_owned();
        return Err(Refusal::Unsound { because }.into());
    }
    if given.environment != cloud.environment().name {
        let because = format!("it was made for {}, not for {}", given.environment, cloud.environment().name);
        return Err(Refusal::Unsound { because: Text::line(&because).to_string() }.into());
    }
    let fresh = make_plan(&given.operation, cloud, state, Look::Never).await?;
    if fresh.fingerprint == given.fingerprint {
        return Ok(fresh);
    }
    let differences = given.differences(&fresh).iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let what = format!("nothing was done: the world has changed since the plan: {differences}");
    Err(CliError::new(Exit::Stale, Text::line(&what).as_str(), "make a new plan with --plan-out and look at it"))
}

pub(super) fn operation_error(error: &OperationError, cloud: &Cloud) -> CliError {
    let environment = cloud.environment();
    match error {
        OperationError::Cloud(error) => CliError::cloud(error, environment),
        OperationError::Usage { what, hint } => CliError::usage(what.as_str(), hint.as_str()),
        OperationError::Journal(error) => CliError::new(Exit::Refused, &error.to_string(), error.hint()),
    }
}

fn plan_of_run(
    state: &StateFolder,
    (operation, run): (&str, &RunId),
    uncertain: Uncertain,
    global: &Global,
) -> Result<Plan, CliError> {
    let mut plan = run::plan_of(state, run).map_err(|error| match &error {
        OperationError::Usage { hint, .. } => CliError::usage(&error.to_string(), hint.as_str()),
        OperationError::Journal(because) => CliError::usage(&error.to_string(), because.hint()),
        OperationError::Cloud(_) => CliError::failed(&error.to_string(), ""),
    })?;
    let name = plan.operation.name();
    if name != operation {
        let what = format!("run {run} is a {name}, not a {operation}");
        let resume = resume_line(&plan.operation, run, &plan.environment, &global.invocation());
        return Err(CliError::usage(&what, &format!("go on with it by `{resume}`")));
    }
    // What becomes of messages in doubt is decided anew each time.
    plan.decide_uncertain(uncertain);
    Ok(plan)
}

fn read_plan(path: &Path) -> Result<Plan, CliError> {
    let shown = Text::line(&path.display().to_string());
    let cannot = |because: String| {
        CliError::usage(&format!("cannot read the plan {shown}: {because}"), "write one with --plan-out")
    };
    let mut text = String::new();
    let opened = std::fs::File::open(path).map_err(|error| cannot(error.to_string()))?;
    opened.take(PLAN_BYTES_MAX).read_to_string(&mut text).map_err(|error| cannot(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| cannot(error.to_string()))
}

/// `--dry-run`, `--plan-out`: the plan is the data.
fn only_show(
    plan: &Plan,
    command: &str,
    consent: &Consent,
    (invocation, out): (&Invocation, &mut Output),
) -> Result<Exit, CliError> {
    match out.format {
        Format::Human => show::plan(plan, command).iter().try_for_each(|line| out.line(line))?,
        Format::Json | Format::Jsonl => out.value(plan)?,
    }
    if let Some(path) = &consent.plan_out {
        write_plan(plan, path)?;
        let path = path.display().to_string();
        let apply = Text::line(&invocation.command(&format!("apply {}", quoted(&path)))).to_string();
        out.note(&format!("the plan is in {}; `{apply}` carries it out", Text::line(&path)));
    }
    if plan.blockers.is_empty() {
        return Ok(Exit::Done);
    }
    if out.format == Format::Human {
        return Err(CliError::new(Exit::Refused, "refused: this can't be done; the plan says why", ""));
    }
    Err(Refusal::Blocked { reasons: plan.blockers.clone() }.into())
}

fn write_plan(plan: &Plan, path: &Path) -> Result<(), CliError> {
    let write = || -> std::io::Result<()> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&mut file, plan)?;
        file.write_all(b"\n")?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    let shown = Text::line(&path.display().to_string());
    write()
        .map_err(|error| CliError::failed(&format!("cannot write the plan to {shown}: {error}"), "name another file"))
}

/// Before anybody is asked, and for the record of a script's log.
fn show_before(plan: &Plan, command: &str, out: &mut Output) -> Result<(), CliError> {
    match out.format {
        Format::Human => show::plan(plan, command).iter().for_each(|line| out.note(line)),
        Format::Json => {}
        Format::Jsonl => out.value(plan)?,
    }
    Ok(())
}

/// The answer that was given with the command, or is given now. Whether it is enough is the gate's business.
fn agree(plan: &Plan, consent: &Consent, cloud: &Cloud) -> Result<gate::Consent, CliError> {
    let asked = gate::ask(plan, cloud.environment())?;
    let answer = match (&consent.approve, consent.yes, &asked) {
        (Some(fingerprint), ..) => Answer::Fingerprint(fingerprint.clone()),
        (None, true, Ask::Yes) => Answer::Yes,
        (None, _, _) if prompt::can_ask() => match prompt::consent(&asked, plan)? {
            Answer::None => {
                return Err(CliError::new(Exit::Refused, "refused: the answer was not yes; nothing was done", ""));
            }
            answer => answer,
        },
        (None, true, Ask::Type(_)) => Answer::Yes,
        (None, false, _) => Answer::None,
    };
    let mut reason = consent.reason.as_deref().map(Text::line);
    // Who mistyped is refused for that, not asked for a reason first.
    let is_typed = matches!((&asked, &answer), (Ask::Type(phrase), Answer::Typed(typed)) if typed == phrase);
    if is_typed && reason.is_none() {
        reason = Some(Text::line(&prompt::line("Why? ")?));
    }
    Ok(gate::Consent { by: person(), answer, reason })
}

/// Who this is, as far as the system tells.
pub(super) fn person() -> Text {
    let name = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok());
    Text::line(&name.unwrap_or_else(|| "unknown".to_owned()))
}

fn tell(report: &Report, invocation: &Invocation, out: &mut Output) -> Result<Exit, CliError> {
    let exit = show::exit(report);
    let told = match out.format {
        Format::Human => show::report(report, invocation, out),
        Format::Json | Format::Jsonl => out.value(report),
    };
    match told {
        Err(error) if exit == Exit::Done => Err(error.into()),
        // How the run ended matters more than that nobody reads it.
        Err(_) | Ok(()) => Ok(exit),
    }
}

/// A mistake in a filter is shown where it is, before anything is asked for.
fn check_filter(operation: &Operation) -> Result<(), CliError> {
    operation.filter().map(Filter::compile).transpose()?;
    Ok(())
}
