//! `opsctl redrive`, `purge`, `restore`, `apply`: plan, show, ask, run, report. The same way for all.

use std::{
    io::{IsTerminal, Read},
    path::Path,
};

use super::stop;
use crate::{
    cli::{
        args::{Consent, Format, Global, Wanted},
        error::CliError,
        exit::Exit,
        output::Output,
        paths, progress, prompt, show,
        world::{Inside, World},
    },
    cloud::Cloud,
    domain::{Invocation, RunId, Text, Try, invocation::quoted},
    files::output::{self, OutputError},
    gate::{self, Answer, Ask, Refusal},
    journal::StateFolder,
    operations::{
        Look, Moves, Operation, OperationError, OperationKind, Planner,
        choices::{self, Draft},
        command_line,
        plan::{Plan, Remark},
        resume_line,
        values::Uncertain,
    },
    run::{self, Context, Report},
    sandbox::join,
};

/// The most that is read of ids that are piped in, in bytes.
const IDS_BYTES_MAX: u64 = 64 * 1_048_576;
/// Largest plan file read, in bytes.
const PLAN_BYTES_MAX: u64 = 8 * 1_048_576;

pub(super) async fn run(
    mut wanted: Wanted,
    consent: &Consent,
    global: &Global,
    out: &mut Output,
) -> Result<Exit, CliError> {
    check_output(consent)?;
    if let Wanted::Operation(operation) = &wanted {
        check_filter(operation)?;
    }
    let gone = stop::hung_up();
    let state = state(global).await?;
    if let Wanted::Operation(operation) = &mut wanted {
        keep_piped(operation, &state)?;
    }
    let given = match given(&wanted, &state, global) {
        Ok(given) => given,
        Err(error) => return Err(or_wrong_account(error, global, out).await),
    };
    let mut global = global.clone();
    if global.environments.is_empty() {
        global.environments.extend(environment_of(&wanted, given.as_ref(), &state));
    }
    let world = World::open(&global, out).await?;
    let cloud = world.to_change().await?;
    let only_shown = consent.dry_run || consent.plan_out.is_some();
    if !only_shown {
        foresee((given.as_ref().map(|plan| &plan.operation), &wanted), consent, &global, cloud)?;
    }
    let mut plan = match (given, &wanted) {
        (Some(plan), Wanted::Planned { again, .. }) => plan_again(plan, *again, cloud, &state).await?,
        (Some(plan), _) => plan,
        (None, Wanted::Operation(operation)) => match consent.approve.as_deref().filter(|_| !only_shown) {
            Some(fingerprint) => plan_approved(operation, fingerprint, cloud, &state).await?,
            None => {
                // A plan that nobody will agree to is shown without a look.
                let is_vain = !only_shown && foreseen(consent, global.inside.as_ref()) == Some(Answer::None);
                let look = if is_vain { Look::Never } else { Look::Sample };
                make_plan(operation, cloud, &state, look, None).await?
            }
        },
        (None, Wanted::Resume(..) | Wanted::Planned { .. }) => unreachable!("both were read above"),
    };
    let invocation = &cloud.environment().invocation;
    let command = match &wanted {
        Wanted::Resume(_, run, _) => resume_line(&plan.operation, run, &plan.environment, invocation),
        Wanted::Operation(_) | Wanted::Planned { .. } => command_line(&plan.operation, &plan.environment, invocation),
    };
    if only_shown {
        return only_show(&plan, &command, consent, (invocation, out));
    }
    if matches!(&wanted, Wanted::Operation(_)) && consent.approve.is_some() {
        // All that is known of the plan that somebody has looked at.
        plan.id = plan.fingerprint.0.clone();
    }
    show_before(&plan, &command, out)?;
    if plan.empty && plan.blockers.is_empty() {
        if out.format != Format::Human {
            out.document(
                "opsctl/nothing/1",
                &serde_json::json!({ "summary": plan.summary, "facts": plan.facts, "warnings": plan.warnings, "unmet": plan.unmet }),
            )?;
        }
        // What was asked for by its id was not done.
        return Ok(if plan.unmet.is_empty() { Exit::Done } else { Exit::Partly });
    }
    let agreed = agree(&plan, consent, &global, cloud)?;
    if gone.is_cancelled() {
        return Err(CliError::new(Exit::Interrupted, "the terminal is gone: nothing was done", None));
    }
    carry_out(&wanted, plan, agreed, (cloud, state), out).await
}

/// Ids that are piped in can be read once, and a run reads them again, a resume too: they are kept beside the runs.
fn keep_piped(operation: &mut Operation, state: &StateFolder) -> Result<(), CliError> {
    let Some(path) = operation.verb().ids().map(Path::to_path_buf) else { return Ok(()) };
    let is_stdin = path.as_os_str() == "-";
    let is_piped = is_stdin || std::fs::metadata(&path).is_ok_and(|about| !about.is_file() && !about.is_dir());
    if !is_piped {
        return Ok(());
    }
    let shown =
        if is_stdin { "standard input".to_owned() } else { Text::line(&path.display().to_string()).to_string() };
    if is_stdin && std::io::stdin().is_terminal() {
        return Err(CliError::usage(
            "--ids - reads ids from standard input, and nothing is piped into it",
            Try::NameIt.says("name a file, or pipe ids in"),
        ));
    }
    let failed = |error: std::io::Error| {
        let what = format!("the ids from {shown} can't be kept: {error}");
        CliError::failed(&what, Try::MendFile.says("write them to a file, and name that"))
    };
    let mut bytes = Vec::new();
    let source: Box<dyn Read> =
        if is_stdin { Box::new(std::io::stdin()) } else { Box::new(std::fs::File::open(&path).map_err(failed)?) };
    source.take(IDS_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > IDS_BYTES_MAX {
        let what = format!("the ids from {shown} are larger than 64 MiB");
        return Err(CliError::usage(&what, Try::GiveOther.says("give fewer at once")));
    }
    let text = String::from_utf8(bytes).map_err(|_| failed(std::io::Error::other("it is not a text")))?;
    let kept = choices::save(state, &[Draft { name: "ids-from-a-pipe.txt", text }]).map_err(failed)?;
    kept.into_iter().for_each(|path| operation.take_ids_from(path));
    Ok(())
}

async fn carry_out(
    wanted: &Wanted,
    plan: Plan,
    agreed: gate::Consent,
    (cloud, state): (&Cloud, StateFolder),
    out: &mut Output,
) -> Result<Exit, CliError> {
    let (resumed, again) = match wanted {
        Wanted::Resume(_, run, _) => (Some(run.clone()), false),
        Wanted::Planned { again, .. } => (None, *again),
        Wanted::Operation(_) => (None, false),
    };
    // Refused before it begins rather than when it is opened, where the same is asked: this way it stands as a refusal.
    if !again
        && let Some(used) =
            run::used(&state, &plan, &agreed.answer, resumed.as_ref().map(RunId::as_str), cloud.environment())?
    {
        return Err(used.into());
    }
    let most = plan.operation.verb().limit();
    let left = stop::Left::of(&plan, &state, cloud, resumed.clone());
    let operation = plan.operation.clone();
    let approved = gate::approve(plan, cloud.environment(), agreed, cloud.clock().now())?;
    let approved = if again { approved.again() } else { approved };
    let shown = progress::Shown::new(out.format, most);
    let context = Context {
        cloud: cloud.clone(),
        state,
        parent: None,
        random: fastrand::u64(..),
        cancel: stop::on_signal(left, shown.notice()),
        progress: shown.tell(),
    };
    let report = match &resumed {
        Some(run) => run::resume(run, approved, &context).await.map_err(CliError::from),
        None => Ok(run::execute(approved, &context).await),
    };
    shown.end();
    let report = report?;
    if report.end == run::End::Done {
        // Nothing is left to go on with. A person's own files lie elsewhere and stay.
        choices::done(&context.state, &operation);
    }
    tell(&report, &cloud.environment().invocation, out)
}

/// The plan that is there already, if it is of a run or in a file.
fn given(wanted: &Wanted, state: &StateFolder, global: &Global) -> Result<Option<Plan>, CliError> {
    Ok(match wanted {
        Wanted::Operation(_) => None,
        Wanted::Resume(kind, run, uncertain) => Some(plan_of_run(state, (*kind, run), *uncertain, global)?),
        Wanted::Planned { file, .. } => Some(read_plan(file)?),
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

/// Where it is done when nobody names an environment: where the plan was made, or the snapshot taken.
fn environment_of(wanted: &Wanted, given: Option<&Plan>, state: &StateFolder) -> Option<String> {
    if let Some(plan) = given {
        return Some(plan.environment.0.clone());
    }
    let Wanted::Operation(operation) = wanted else { return None };
    // What can't be read is said where it is needed.
    operation.verb().environment(state).ok().flatten().map(|name| name.0)
}

/// The answer, as far as it is known before there is a plan; none: somebody is there and is asked.
fn foreseen(consent: &Consent, inside: Option<&Inside>) -> Option<Answer> {
    match (&consent.approve, consent.yes) {
        (Some(fingerprint), _) => Some(Answer::Fingerprint(fingerprint.clone())),
        (None, _) if inside.is_some_and(|inside| inside.player.is_some()) => None,
        (None, _) if prompt::can_ask() => None,
        (None, true) => Some(Answer::Yes),
        (None, false) => Some(Answer::None),
    }
}

/// What is refused whatever the plan says is refused at once: a look would cost a receive, and calls their time.
fn foresee(
    (given, wanted): (Option<&Operation>, &Wanted),
    consent: &Consent,
    global: &Global,
    cloud: &Cloud,
) -> Result<(), CliError> {
    let operation = match (given, wanted) {
        (Some(operation), _) => Some(operation),
        (None, Wanted::Operation(operation)) => Some(operation.as_ref()),
        (None, Wanted::Resume(..) | Wanted::Planned { .. }) => None,
    };
    let named = operation.and_then(|operation| operation.verb().typed());
    let answer = foreseen(consent, global.inside.as_ref());
    let reason = consent.reason.as_deref().map(Text::line);
    Ok(gate::foresee(cloud.environment(), named, answer.as_ref(), reason.as_ref())?)
}

pub(super) async fn state(global: &Global) -> Result<StateFolder, CliError> {
    let path = if let Some(inside) = &global.inside {
        Some(inside.state.clone())
    } else if global.sandbox {
        let joined = tokio::task::spawn_blocking(join::running).await.unwrap_or_default();
        paths::sandbox_state(joined.map(|joined| joined.pid))
    } else {
        paths::state()
    };
    let path = path.ok_or_else(|| {
        CliError::usage("there is no folder for journals", Try::SetVariable.says("set HOME or XDG_STATE_HOME"))
    })?;
    Ok(StateFolder::new(path))
}

async fn make_plan(
    operation: &Operation,
    cloud: &Cloud,
    state: &StateFolder,
    look: Look,
    moves: Option<Moves>,
) -> Result<Plan, CliError> {
    let planner = Planner { moves, ..Planner::new(state.clone(), fastrand::u64(..), look) };
    let planned = planner.plan(operation, cloud).await.map_err(|error| operation_error(&error, cloud))?;
    Ok(planned.plan)
}

/// The plan that a fingerprint was given for. Who gave it has had their look: nothing is received for another one.
async fn plan_approved(
    operation: &Operation,
    fingerprint: &str,
    cloud: &Cloud,
    state: &StateFolder,
) -> Result<Plan, CliError> {
    let plan = make_plan(operation, cloud, state, Look::Never, None).await?;
    let other = match Moves::by(&plan) {
        _ if plan.fingerprint.0 == fingerprint => return Ok(plan),
        Some(Moves::Managed) => Moves::Client,
        Some(Moves::Client) => Moves::Managed,
        None => return Ok(plan),
    };
    // Who moves the messages may have been decided by what was seen then.
    let alike = make_plan(operation, cloud, state, Look::Never, Some(other)).await?;
    Ok(if alike.fingerprint.0 == fingerprint { alike } else { plan })
}

/// A plan from a file says what somebody approved of; what is shown, asked and refused comes from the world as it is now.
async fn plan_again(given: Plan, again: bool, cloud: &Cloud, state: &StateFolder) -> Result<Plan, CliError> {
    gate::accept_file(&given, cloud.environment(), cloud.clock().now())?;
    let used = run::used(state, &given, &Answer::None, None, cloud.environment())?;
    if let (Some(used), false) = (&used, again) {
        return Err(used.clone().into());
    }
    let mut fresh = make_plan(&given.operation, cloud, state, Look::Never, Moves::by(&given)).await?;
    if fresh.fingerprint == given.fingerprint {
        // It is still that plan, and not a younger one.
        (fresh.id, fresh.made_at, fresh.seal) = (given.id, given.made_at, given.seal);
        let again = Try::ResumeOrRepeat.says("--again carries it out once more");
        fresh.warnings.extend(used.map(|used| Remark::new(used.to_string(), again)));
        return Ok(fresh);
    }
    let differences = given.differences(&fresh).iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let what = format!("nothing was done: the world has changed since the plan: {differences}");
    Err(CliError::new(
        Exit::Stale,
        Text::line(&what).as_str(),
        Try::PlanAnew.says("make a new plan with --plan-out and look at it"),
    ))
}

pub(super) fn operation_error(error: &OperationError, cloud: &Cloud) -> CliError {
    let environment = cloud.environment();
    match error {
        OperationError::Cloud(error) => CliError::cloud(error, environment),
        OperationError::Usage { what, advice } => CliError::usage(what.as_str(), advice.clone()),
        OperationError::Database { what, advice } => CliError::failed(what.as_str(), advice.clone()),
        OperationError::Journal(error) => {
            CliError::new(Exit::Refused, &error.to_string(), error.hint_in(&environment.invocation))
        }
    }
}

fn plan_of_run(
    state: &StateFolder,
    (kind, run): (OperationKind, &RunId),
    uncertain: Uncertain,
    global: &Global,
) -> Result<Plan, CliError> {
    let mut plan = run::plan_of(state, run).map_err(|error| match &error {
        OperationError::Usage { advice, .. } => CliError::usage(&error.to_string(), advice.clone()),
        OperationError::Journal(because) => CliError::usage(&error.to_string(), because.hint_in(&global.invocation())),
        OperationError::Cloud(_) | OperationError::Database { .. } => CliError::failed(&error.to_string(), None),
    })?;
    if plan.operation.kind() != kind {
        let what = format!("run {run} is a {}, not a {}", plan.operation.name(), kind.name());
        let resume = resume_line(&plan.operation, run, &plan.environment, &global.invocation());
        return Err(CliError::usage(&what, Try::UseOther.says(format!("go on with it by `{resume}`"))));
    }
    // What becomes of messages in doubt is decided anew each time.
    plan.decide_uncertain(uncertain);
    Ok(plan)
}

fn read_plan(path: &Path) -> Result<Plan, CliError> {
    let shown = Text::line(&path.display().to_string());
    let cannot = |because: String| {
        CliError::usage(
            &format!("cannot read the plan {shown}: {because}"),
            Try::MendFile.says("write one with --plan-out"),
        )
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
    if consent.plan_out.as_deref().is_some_and(is_standard_output) {
        // What reads it wants the plan and nothing else.
        out.value(&plan.for_record())?;
    } else {
        match out.format {
            Format::Human => show::plan(plan, command).iter().try_for_each(|line| out.line(line))?,
            Format::Json | Format::Jsonl => out.value(plan)?,
        }
    }
    if let Some(path) = consent.plan_out.as_deref().filter(|path| !is_standard_output(path)) {
        let mut text = serde_json::to_vec_pretty(&plan.for_record()).map_err(std::io::Error::from)?;
        text.push(b'\n');
        output::write(path, &text, consent.force).map_err(|error| unwritten(&error))?;
        let path = path.display().to_string();
        let apply = Text::line(&invocation.command(&format!("apply {}", quoted(&path)))).to_string();
        let hours = gate::PLAN_FILE_SECONDS_MAX / 3_600;
        let path = Text::line(&path);
        out.note(&format!("the plan is in {path}; `{apply}` carries it out, once and within {hours} h"));
    }
    if plan.blockers.is_empty() {
        return Ok(Exit::Done);
    }
    let refusal = Refusal::Blocked { reasons: plan.blockers.clone() };
    if out.format == Format::Human {
        // More than one stand in the plan, each with what helps.
        let advice = Some(refusal.hint()).filter(|advice| advice.way() != Try::MendBlockers);
        return Err(CliError::new(Exit::Refused, "refused: this can't be done; the plan says why", advice));
    }
    Err(refusal.into())
}

/// Whether the plan can be written where it is wanted: told before anything is asked of AWS.
fn check_output(consent: &Consent) -> Result<(), CliError> {
    match consent.plan_out.as_deref().filter(|path| !is_standard_output(path)) {
        Some(path) => output::check(path, consent.force).map_err(|error| unwritten(&error)),
        None => Ok(()),
    }
}

fn is_standard_output(path: &Path) -> bool {
    path.as_os_str() == output::STANDARD_OUTPUT
}

fn unwritten(error: &OutputError) -> CliError {
    CliError::failed(&format!("the plan is not written: {error}"), error.hint())
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
fn agree(plan: &Plan, consent: &Consent, global: &Global, cloud: &Cloud) -> Result<gate::Consent, CliError> {
    let asked = gate::ask(plan, cloud.environment())?;
    let reason = consent.reason.as_deref().map(Text::line);
    if let Some(player) = global.inside.as_ref().and_then(|inside| inside.player.as_ref()) {
        return Ok(as_asked(&asked, player, reason));
    }
    let answer = match (&consent.approve, consent.yes, &asked) {
        (Some(fingerprint), ..) => Answer::Fingerprint(fingerprint.clone()),
        (None, true, Ask::Yes) => Answer::Yes,
        (None, _, _) if prompt::can_ask() => match prompt::consent(&asked, plan)? {
            Answer::None => {
                return Err(CliError::new(Exit::Refused, "refused: the answer was not yes; nothing was done", None));
            }
            answer => answer,
        },
        (None, true, Ask::Type(_)) => Answer::Yes,
        (None, false, _) => Answer::None,
    };
    let mut reason = reason;
    // Who mistyped is refused for that, not asked for a reason first.
    let is_typed = matches!((&asked, &answer), (Ask::Type(phrase), Answer::Typed(typed)) if typed == phrase);
    if is_typed && reason.is_none() {
        reason = Some(Text::line(&prompt::line("Why? ")?));
    }
    Ok(gate::Consent { by: person(global), answer, reason })
}

/// The consent of a script's player: exactly what is asked for.
pub(super) fn as_asked(asked: &Ask, player: &Text, reason: Option<Text>) -> gate::Consent {
    let answer = match asked {
        Ask::Yes => Answer::Yes,
        Ask::Type(phrase) => Answer::Typed(phrase.clone()),
    };
    gate::Consent { by: player.clone(), answer, reason: reason.or_else(|| Some(Text::from("a drill"))) }
}

/// Who this is, as far as the system tells.
pub(super) fn person(global: &Global) -> Text {
    if let Some(player) = global.inside.as_ref().and_then(|inside| inside.player.clone()) {
        return player;
    }
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
    operation.verb().check_filter()?;
    Ok(())
}
