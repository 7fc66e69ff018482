//! Plans and reports as people read them.

use std::io;

use super::{exit::Exit, output::Output};
use crate::{
    domain::{Invocation, Text},
    operations::{
        plan::{
            Plan,
            words::{self, Part},
        },
        values::duration,
    },
    run::{self, End, Report},
};

/// Calls, groups and the like shown at most.
const SHOWN: usize = 12;
/// Messages named in a report at most; all of them stand in its JSON form.
const NAMED: usize = 10;

/// A plan's lines, with the command line that does what it says. Safe to show even where the plan was read from somebody else's file.
pub fn plan(plan: &Plan, command: &str) -> Vec<String> {
    plan_lines(plan, command).iter().map(|line| Text::line(line).to_string()).collect()
}

fn plan_lines(plan: &Plan, command: &str) -> Vec<String> {
    let Plan { environment, account, region, fingerprint, .. } = plan;
    let mut lines =
        vec![format!("Plan {fingerprint} for {environment} ({account}, {region})"), format!("  {}", plan.summary)];
    lines.extend(plan.no_way_back.iter().map(|text| format!("▲ {text}")));
    let width = plan.facts.iter().map(|fact| fact.label.len()).max().unwrap_or(0).max("command".len());
    lines
        .extend(plan.facts.iter().map(|fact| format!("  {:width$}  {}", Text::line(&fact.label).as_str(), fact.value)));
    // Every option that was given, also those that no fact names.
    lines.push(format!("  {:width$}  {command}", "command"));
    // Last, where the eye is: what speaks against it.
    for part in [Part::Groups, Part::Changes, Part::Calls, Part::Cost, Part::Warnings, Part::Blockers] {
        section(&mut lines, part.title(), part.items(plan));
    }
    if plan.empty {
        lines.push(words::NOTHING.to_owned());
    }
    lines
}

fn section(lines: &mut Vec<String>, title: &str, items: impl IntoIterator<Item = String>) {
    let items: Vec<String> = items.into_iter().collect();
    if items.is_empty() {
        return;
    }
    lines.push(format!("{title}:"));
    lines.extend(items.iter().take(SHOWN).map(|item| format!("  {}", Text::line(item))));
    if items.len() > SHOWN {
        lines.push(format!("  … and {} more", items.len() - SHOWN));
    }
}

pub fn report(report: &Report, invocation: &Invocation, out: &mut Output) -> io::Result<()> {
    for line in report_lines(report, invocation) {
        out.line(Text::line(&line).as_str())?;
    }
    for (what, path) in [("journal", &report.journal), ("snapshot", &report.snapshot)] {
        if let Some(path) = path {
            out.path(what, path.as_str())?;
        }
    }
    // Last, where the eye is: how it ended for scripts, and what to type.
    let exit = exit(report);
    if exit != Exit::Done {
        out.line(&format!("  exit code {}: {}", exit.code(), exit.meaning()))?;
    }
    if let Some(next) = &report.next {
        out.whole(&format!("  next: {next}"))?;
    }
    Ok(())
}

pub fn exit(report: &Report) -> Exit {
    match report.end {
        End::Done | End::Nothing => Exit::Done,
        End::Failed => run::exit_code_of(report).map_or(Exit::Failed, Exit::Container),
        End::Refused => Exit::Refused,
        End::Partly => Exit::Partly,
        End::Stale => Exit::Stale,
        End::Interrupted => Exit::Interrupted,
    }
}

fn report_lines(report: &Report, invocation: &Invocation) -> Vec<String> {
    let Report { operation, environment, run, details, .. } = report;
    let (operation, tally) = (operation.name(), details.tally());
    let how = report.end.words();
    let mut lines = vec![format!("{operation} in {environment}: {how} ({run}, {})", duration(report.seconds))];
    if tally.sent + tally.removed > 0 || (report.services().is_empty() && report.mappings().is_empty()) {
        lines.extend(run::words::counts(tally).iter().map(|(count, what)| format!("  {count} {what}")));
    }
    lines
        .extend(details.rows().into_iter().flat_map(run::words::rows).map(|(count, what)| format!("  {count} {what}")));
    lines.extend(report.services().iter().map(|service| format!("  {}", service.words())));
    lines.extend(report.mappings().iter().map(|mapping| format!("  {}", mapping.words())));
    lines.extend(details.settings().iter().map(|toggled| format!("  {}", toggled.words())));
    lines.extend(tally.kept.iter().map(|(reason, count)| format!("  {count} left: {}", Text::line(reason))));
    // One reason stands above already.
    let is_one = tally.kept.len() == 1;
    let named = tally.kept_named.iter().map(|(id, reason)| match is_one {
        true => id.0.clone(),
        false => format!("{}: {reason}", id.0),
    });
    let doubtful = tally.uncertain.iter().map(|id| format!("{}: may or may not have been sent", id.0));
    let resent = tally.resent.iter().map(|id| format!("{}: sent a second time", id.0));
    let named: Vec<String> = named.chain(doubtful).chain(resent).collect();
    lines.extend(named.iter().take(NAMED).map(|line| format!("    {}", Text::line(line))));
    if named.len() > NAMED {
        let journal = invocation.command(&format!("journal show {run}"));
        lines.push(format!("    … and {} more: `{journal}`", named.len() - NAMED));
    }
    lines.extend(report.notes.iter().map(|note| format!("  note: {note}")));
    if let Some(failure) = &report.failure {
        lines.push(format!("  because: {}", failure.what));
        lines.extend((!failure.hint.is_empty()).then(|| format!("  try: {}", failure.hint)));
    }
    lines
}
