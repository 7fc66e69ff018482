//! `opsctl doctor`: what stands between this machine and each environment.

use std::sync::Arc;

use serde_json::json;

use crate::{
    cli::{
        args::{Format, Global},
        error::CliError,
        exit::Exit,
        output::{Output, Table},
        world::World,
    },
    doctor::{self, Finding, Surroundings, Verdict},
    domain::Text,
};

pub(super) async fn run(global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let world = World::open(global, out).await?;
    let environments: Vec<_> = world.sites.iter().map(|site| Arc::clone(&site.environment)).collect();
    let findings = doctor::examine_all(&environments, &world.connect, &Surroundings::of_process()).await;
    // What the checks do not meet: SSM parameters that the queue rules name, for instance.
    let unusable: Vec<_> = world.sites.iter().filter_map(|site| site.unusable()).collect();
    // Another account is told by its check.
    for error in unusable.iter().filter(|error| !error.is_wrong_account) {
        out.warning(&error.to_string());
    }
    match out.format {
        Format::Human => {
            out.line(&Text::line(&world.origin).to_string())?;
            show(&findings, out)?;
        }
        Format::Json => {
            let origin = Text::line(&world.origin);
            out.document("opsctl/doctor/1", &json!({ "origin": origin, "findings": findings }))?;
        }
        Format::Jsonl => findings.iter().try_for_each(|finding| out.json_line("opsctl/finding/1", finding))?,
    }
    let has_problem = findings.iter().any(|finding| finding.verdict == Verdict::Problem);
    Ok(if has_problem || !unusable.is_empty() { Exit::Failed } else { Exit::Done })
}

fn show(findings: &[Finding], out: &mut Output) -> Result<(), CliError> {
    let mut table = Table::new(&["ENV", "CHECK", "IS", "WHAT"]);
    for finding in findings {
        let (check, verdict) = (finding.check.to_string(), finding.verdict.to_string());
        table.row([finding.environment.0.as_str(), &check, &verdict, finding.what.as_str()]);
    }
    out.table(&table)?;
    let advised = findings.iter().filter(|finding| finding.try_.is_some());
    for (number, finding) in advised.enumerate() {
        if number == 0 {
            out.line("")?;
        }
        out.line(&format!("{} {} {}: {}", finding.environment, finding.check, finding.verdict, finding.what))?;
        if let Some(because) = &finding.because {
            out.line(&format!("  because: {because}"))?;
        }
        if let Some(hint) = &finding.try_ {
            out.line(&format!("  try: {hint}"))?;
        }
    }
    Ok(())
}
