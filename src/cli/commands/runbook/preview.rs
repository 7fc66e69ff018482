//! `opsctl runbook run --dry-run`: what every step would do, as far as that is known.

use serde_json::json;

use crate::{
    cli::{args::Format, error::CliError, exit::Exit, output::Output, show},
    cloud::Cloud,
    journal::StateFolder,
    operations::command_line,
    runbook::{
        Runbook, Values,
        preview::{Foresight, preview},
    },
};

pub(super) async fn show(
    runbook: &Runbook,
    parameters: &Values,
    (cloud, state): (&Cloud, &StateFolder),
    out: &mut Output,
) -> Result<Exit, CliError> {
    let foreseen = preview(runbook, parameters, cloud, state, fastrand::u64(..)).await;
    if out.format != Format::Human {
        let steps: Vec<_> = foreseen
            .iter()
            .map(|step| {
                let (id, name) = (&runbook.steps[step.index].id, &runbook.steps[step.index].name);
                match &step.what {
                    Foresight::Planned(plan) => json!({ "id": id, "name": name, "plan": plan }),
                    Foresight::Later(because) => json!({ "id": id, "name": name, "later": because }),
                    Foresight::Said(words) => json!({ "id": id, "name": name, "does": words }),
                }
            })
            .collect();
        out.document("opsctl/runbook-preview/1", &json!({ "runbook": runbook.name, "steps": steps }))?;
        return Ok(Exit::Done);
    }
    let count = runbook.steps.len();
    for step in &foreseen {
        let known = &runbook.steps[step.index];
        out.heading(&format!("{}/{count} {}", step.index + 1, known.name))?;
        match &step.what {
            Foresight::Planned(plan) => {
                let command = command_line(&plan.operation, &plan.environment, &cloud.environment().invocation);
                show::plan(plan, &command).iter().try_for_each(|line| out.line(&format!("  {line}")))?;
            }
            Foresight::Later(because) => {
                out.line(&format!("  {}: planned when it is reached: {because}", known.what()))?;
            }
            Foresight::Said(words) => out.line(&format!("  {words}"))?,
        }
    }
    Ok(Exit::Done)
}
