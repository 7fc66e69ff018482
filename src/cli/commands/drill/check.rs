//! `opsctl drill check`, `schema`.

use serde_json::json;

use super::{all, find};
use crate::{
    cli::{
        args::{CheckDrill, Format, Global},
        error::CliError,
        exit::Exit,
        output::Output,
    },
    domain::Text,
    drill::typed::DrillFile,
    files::{
        Paint, Problems,
        shape::{Subschemas, schema_of},
    },
};

pub(super) fn run(args: &CheckDrill, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let all = match args.drill.as_slice() {
        [] => all(global)?,
        names => names.iter().map(|name| find(name, global)).collect::<Result<_, _>>()?,
    };
    let reports: Vec<&Problems> = all.iter().map(|shelved| &shelved.checked.problems).collect();
    let errors: usize = reports.iter().map(|report| report.errors()).sum();
    if out.format == Format::Human {
        for report in reports {
            for line in report.render(Paint::Plain).lines().filter(|_| !report.list.is_empty()) {
                out.whole(line)?;
            }
            match report.list.is_empty() {
                true => out.line(&format!("{}: no problem", report.file))?,
                false => out.line(&format!("{}: {report}", report.file))?,
            }
        }
    } else {
        let located: Vec<_> = reports.iter().flat_map(|report| report.located()).collect();
        out.document("opsctl/drill-check/1", &json!({ "problems": located }))?;
    }
    Ok(if errors > 0 { Exit::Usage } else { Exit::Done })
}

pub(super) fn schema(out: &mut Output) -> Result<Exit, CliError> {
    let text = serde_json::to_string_pretty(&schema_of::<DrillFile>(Subschemas::Named)).unwrap_or_default();
    Text::block(&text).as_str().lines().try_for_each(|line| out.whole(line))?;
    Ok(Exit::Done)
}
