//! `opsctl drill show`.

use serde_json::json;

use super::{find, sound};
use crate::{
    cli::{
        args::{Format, Global, ShowDrill},
        error::CliError,
        exit::Exit,
        output::Output,
    },
    domain::{invocation::quoted, words::within},
    drill::Scenario,
};

pub(super) fn run(args: &ShowDrill, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let scenario = sound(find(&args.drill, global)?)?;
    if out.format != Format::Human {
        let truth = args.truth.then(|| json!({
            "causes": scenario.causes.iter().map(|cause| json!({ "name": cause.name, "truth": cause.truth, "better": cause.better })).collect::<Vec<_>>(),
            "injects": scenario.injects.iter().map(|inject| json!({ "name": inject.name, "truth": inject.truth, "decoy": inject.is_decoy, "harder": inject.is_harder })).collect::<Vec<_>>(),
            "hints": scenario.hints.iter().map(|hint| json!({ "text": hint.text, "cost": hint.cost })).collect::<Vec<_>>(),
        }));
        let document = json!({
            "name": scenario.name, "title": scenario.title, "system": scenario.system, "environment": scenario.environment,
            "runbook": scenario.runbook, "situation": scenario.situation, "may": scenario.may, "par_seconds": {
                "detect": scenario.par.detect.as_secs(), "act": scenario.par.act.as_secs(),
                "mitigate": scenario.par.mitigate.as_secs(), "recover": scenario.par.recover.as_secs(),
            },
            "limit_seconds": scenario.limit.as_secs(), "hints": scenario.hints.len(), "digest": scenario.digest, "truth": truth,
        });
        out.document("opsctl/drill/1", &document)?;
        return Ok(Exit::Done);
    }
    out.heading(scenario.title.as_str())?;
    brief(&scenario, out)?;
    if args.truth {
        truth(&scenario, out)?;
    }
    let run = global.command(&format!("drill run {}", quoted(&scenario.name)));
    out.line("")?;
    out.whole(&format!("next: {run}"))?;
    Ok(Exit::Done)
}

/// What players are told before it begins.
pub(super) fn brief(scenario: &Scenario, out: &mut Output) -> Result<(), CliError> {
    out.line("")?;
    scenario.situation.as_str().lines().try_for_each(|line| out.line(line))?;
    out.line("")?;
    out.line(&format!("environment: {}", scenario.environment))?;
    out.line(&format!("you may touch: {}", scenario.may))?;
    let par = |time| within(jiff::SignedDuration::try_from(time).unwrap_or_default());
    let (recover, limit) = (par(scenario.par.recover), par(scenario.limit));
    out.line(&format!("time: recover within {recover} for full points; it ends after {limit}"))?;
    if let Some(runbook) = &scenario.runbook {
        out.line(&format!("runbook: {runbook}"))?;
    }
    out.line(&format!("hints: {}, each costs points", scenario.hints.len()))?;
    out.line(
        "Nothing here is real: the sandbox runs on this machine, and no call of the drill can reach an AWS account.",
    )?;
    Ok(())
}

fn truth(scenario: &Scenario, out: &mut Output) -> Result<(), CliError> {
    out.line("")?;
    out.heading("Causes, of which the seed picks one")?;
    for cause in &scenario.causes {
        out.line(&format!("{}: {}", cause.name, cause.truth))?;
        out.line(&format!("  better: {}", cause.better))?;
    }
    if !scenario.injects.is_empty() {
        out.heading("Injects")?;
    }
    for inject in &scenario.injects {
        let kind = match (inject.is_decoy, inject.is_harder) {
            (true, _) => " (decoy)",
            (false, true) => " (to make it harder)",
            (false, false) => "",
        };
        out.line(&format!("{:#} {}{kind}: {}", inject.at.after, inject.name, inject.truth))?;
    }
    out.heading("Hints")?;
    for hint in &scenario.hints {
        out.line(&format!("-{} {}", hint.cost, hint.text))?;
    }
    Ok(())
}
