//! `opsctl drill report`.

use std::path::Path;

use serde_json::json;

use super::records;
use crate::{
    cli::{
        args::{Format, Global, ReportDrill, ReportForm},
        error::CliError,
        exit::Exit,
        output::{Output, Table},
    },
    domain::{Text, Try, invocation::quoted},
    drill::{
        recall,
        record::{self, Played},
        report::{Report, after, html, junit, markdown},
    },
    files::output,
};

pub(super) fn run(args: &ReportDrill, global: &Global, out: &mut Output) -> Result<Exit, CliError> {
    let folder = records()?;
    if args.list {
        return list(&folder, out);
    }
    let ids =
        record::ids(&folder).map_err(|error| CliError::failed(&format!("records cannot be listed: {error}"), None))?;
    let id = match &args.record {
        Some(id) if ids.contains(id) => id.clone(),
        Some(id) => {
            let hint = format!("`{}` lists them", global.command("drill report --list"));
            return Err(CliError::usage(
                &format!("there is no record {}", Text::line(id)),
                Try::NameAnother.says(&hint),
            ));
        }
        None => ids.last().cloned().ok_or_else(|| {
            CliError::usage("no drill was played yet", Try::UseOther.says("`opsctl drill list` shows which there are"))
        })?,
    };
    let report = read(&folder.join(&id))?;
    if args.compare {
        return compare(&folder, &ids, &report, out);
    }
    if out.format != Format::Human {
        out.document("opsctl/drill-report/1", &report)?;
        return Ok(Exit::Done);
    }
    let text = match args.form {
        ReportForm::Markdown => markdown(&report),
        ReportForm::Html => html(&report),
        ReportForm::Junit => junit(&report),
    };
    match &args.out {
        Some(file) => {
            let written = output::write(file, text.as_bytes(), args.force);
            written.map_err(|error| CliError::failed(&format!("the report is not written: {error}"), error.hint()))?;
            out.note(&format!("{} is the report", Text::line(&file.display().to_string())));
        }
        None => text.lines().try_for_each(|line| out.whole(line))?,
    }
    Ok(Exit::Done)
}

/// The report of a record.
pub(super) fn read(folder: &Path) -> Result<Report, CliError> {
    let failed =
        |because: &str| CliError::failed(&format!("the record {} cannot be read: {because}", folder.display()), None);
    let played = Played::read(folder).map_err(|error| failed(&error.to_string()))?;
    let name = played.of().map(|(name, _)| name.to_owned()).unwrap_or_default();
    let scenario =
        recall(&name, &played.scenario).ok_or_else(|| failed("its drill is not one that this version reads"))?;
    Report::of(&scenario, &played.id, &played.events).ok_or_else(|| failed("it does not begin as one does"))
}

fn list(folder: &Path, out: &mut Output) -> Result<Exit, CliError> {
    let rows = record::results(folder);
    let table = || {
        let mut table = Table::new(&["RECORD", "DRILL", "BY", "SEED", "SCORE", "ENDED"]);
        for row in &rows {
            table.row([
                row.record.clone(),
                row.drill.clone(),
                row.by.to_string(),
                row.seed.to_string(),
                row.score.to_string(),
                row.ended.to_owned(),
            ]);
        }
        table
    };
    let document = || ("opsctl/drill-results/1", json!({ "results": rows }));
    out.rows(("opsctl/drill-result/1", Some("no drill was played yet")), &rows, table, document)?;
    Ok(Exit::Done)
}

/// The person's own earlier plays of the same drill: nobody is ranked against others.
fn compare(folder: &Path, ids: &[String], report: &Report, out: &mut Output) -> Result<Exit, CliError> {
    let by = report.players.first();
    let own = ids.iter().filter(|id| **id <= report.record).filter_map(|id| read(&folder.join(id)).ok());
    let own: Vec<Report> = own.filter(|other| other.drill == report.drill && other.players.first() == by).collect();
    if out.format != Format::Human {
        let rows: Vec<_> = own.iter().map(|one| json!({ "record": one.record, "seed": one.seed, "cause": one.cause, "seconds": one.seconds, "score": one.score })).collect();
        out.document("opsctl/drill-comparison/1", &json!({ "drill": report.drill, "by": by, "plays": rows }))?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["RECORD", "CAUSE", "TOOK", "HARM", "TIME", "PROOF", "TIDY", "HINTS", "TOTAL"]);
    for one in &own {
        let mut row = vec![one.record.clone(), one.cause.clone(), after(one.seconds)];
        row.extend(one.score.parts.iter().map(|part| format!("{}/{}", part.points, part.of)));
        row.extend([format!("-{}", one.score.hints), one.score.total.to_string()]);
        if let Ok(row) = <[String; 9]>::try_from(row) {
            table.row(row);
        }
    }
    out.table(&table)?;
    Ok(Exit::Done)
}

/// What a drill came to, for whoever has just played it.
pub(super) fn summary(report: &Report, global: &Global, out: &mut Output) -> Result<(), CliError> {
    let score = &report.score;
    out.line("")?;
    out.heading(&format!(
        "{}: {} of 100, {}",
        report.title,
        score.total,
        if score.passed { "passed" } else { "not passed" }
    ))?;
    out.line(&format!("What was wrong ({}): {}", report.cause, report.truth))?;
    for part in &score.parts {
        let filled = (part.points / part.of * 20.0).round().clamp(0.0, 20.0) as usize;
        out.whole(&format!(
            "  {:<13} {}{} {:>4} of {}",
            part.name,
            "█".repeat(filled),
            "░".repeat(20 - filled),
            part.points,
            part.of
        ))?;
    }
    if score.hints > 0.0 {
        out.whole(&format!("  {:<13} -{}", "hints", score.hints))?;
    }
    let mut before = None;
    for loss in score.parts.iter().flat_map(|part| &part.losses) {
        let at = loss.after_seconds.map(|seconds| format!(" at {}", after(seconds))).unwrap_or_default();
        // Several losses have one remedy: it is told with the first.
        let better =
            Some(&loss.better).filter(|better| Some(*better) != before).map(|better| format!(". Better: {better}"));
        out.line(&format!("  -{}{at}: {}{}", loss.points, loss.what, better.unwrap_or_default()))?;
        before = Some(&loss.better);
    }
    let words = format!("drill report {} --form html --out report.html", quoted(&report.record));
    out.line("")?;
    out.whole(&format!("next: {}", global.command(&words)))?;
    Ok(())
}
