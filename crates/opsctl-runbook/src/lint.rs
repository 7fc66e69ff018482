//! What can be said against a runbook that is right as it stands.

use jiff::civil::Date;

use crate::{Action, EvidenceKind, Runbook, Step, Values, document, files::Problem, operations::OperationKind};

/// After so many days without a rehearsal nobody knows whether it still fits.
const REHEARSED_DAYS_MAX: i32 = 180;

/// Warnings about a runbook, in the order of the file. `exists` says whether a file that it links to is there.
pub fn lint(runbook: &Runbook, today: Date, exists: impl Fn(&str) -> bool) -> Vec<Problem> {
    let mut problems = Vec::new();
    header(runbook, today, &mut problems);
    for (index, step) in runbook.steps.iter().enumerate() {
        forbidden(runbook, step, &mut problems);
        unverified(runbook, index, step, &mut problems);
        not_put_back(runbook, index, step, &mut problems);
        no_evidence(runbook, step, &mut problems);
    }
    links(runbook, exists, &mut problems);
    problems.sort_by_key(|problem| problem.span.start);
    problems
}

fn header(runbook: &Runbook, today: Date, problems: &mut Vec<Problem>) {
    let at = 0..runbook.text.lines().next().unwrap_or_default().len();
    if runbook.owner.is_none() {
        let problem = Problem::warning(at.clone(), "no owner");
        problems.push(problem.help("say who keeps it: `owner = \"...\"` in a `toml runbook` block below the title"));
    }
    match runbook.last_rehearsed {
        None => {
            let problem = Problem::warning(at, "never rehearsed");
            problems
                .push(problem.help("carry it out on the sandbox, and write the date: `last_rehearsed = 2026-11-12`"));
        }
        Some(date) => {
            let days = (today - date).get_days();
            if days > REHEARSED_DAYS_MAX {
                let problem = Problem::warning(at, format!("last rehearsed {days} days ago"));
                problems.push(
                    problem.help(format!("rehearse it at least every {REHEARSED_DAYS_MAX} days, and write the date")),
                );
            }
        }
    }
}

/// A change that the runbook itself forbids.
fn forbidden(runbook: &Runbook, step: &Step, problems: &mut Vec<Problem>) {
    let Some(change) = step.change() else { return };
    if runbook.forbids.contains(&change.template.operation) {
        let name = change.template.operation.name();
        let problem = Problem::warning(step.span.clone(), format!("`{name}` is among what this runbook `forbids`"));
        problems.push(problem.help("the step would be refused: remove one of the two"));
    }
}

/// A change after which nothing is looked at before the next change.
fn unverified(runbook: &Runbook, index: usize, step: &Step, problems: &mut Vec<Problem>) {
    if step.change().is_none() || step.check.is_some() {
        return;
    }
    let after = runbook.steps[index + 1..].iter();
    let mut until_next = after.take_while(|step| step.change().is_none());
    if !until_next.any(|step| step.check.is_some()) {
        let problem = Problem::warning(step.span.clone(), format!("nothing verifies `{}`", step.name));
        problems.push(problem.help("add `check`, or a step after it that checks"));
    }
}

/// What is switched off, raised or muted for the time of the run comes back however the run ends.
fn not_put_back(runbook: &Runbook, index: usize, step: &Step, problems: &mut Vec<Problem>) {
    let Some(change) = step.change() else { return };
    let operation = change.template.fill(&samples(runbook), None);
    let operation = operation.unwrap_or_else(|_| change.template.operation.plain());
    let Some(back) = operation.verb().put_back_by() else { return };
    let puts_back = |step: &Step| step.always && step.change().is_some_and(|change| change.template.operation == back);
    if step.always || runbook.steps[index..].iter().any(puts_back) {
        return;
    }
    let (name, back) = (change.template.operation.name(), OperationKind::name(back));
    let problem = Problem::warning(step.span.clone(), format!("`{name}` is not put back when the run stops early"));
    problems.push(problem.help(format!("add a step with `do = \"{back}\"` and `always = true`")));
}

/// Values such as the parameters may have.
fn samples(runbook: &Runbook) -> Values {
    let parameters = runbook.parameters.iter();
    Values(parameters.map(|parameter| (parameter.name.clone(), parameter.kind.sample(&parameter.choices))).collect())
}

/// Evidence of which no parameter names anything.
fn no_evidence(runbook: &Runbook, step: &Step, problems: &mut Vec<Problem>) {
    for kind in &step.evidence {
        let is_there = runbook.parameters.iter().any(|parameter| EvidenceKind::is_of(*kind, parameter.kind));
        if !is_there {
            let message = format!("no parameter names anything that has `{}`", kind.into_str());
            problems.push(Problem::warning(step.span.clone(), message).help("add a parameter, or remove the evidence"));
        }
    }
    if matches!(step.action, Action::Collect) && step.evidence.is_empty() {
        problems.push(Problem::warning(step.span.clone(), "no evidence is named"));
    }
}

fn links(runbook: &Runbook, exists: impl Fn(&str) -> bool, problems: &mut Vec<Problem>) {
    let (document, _) = document::read(&runbook.text);
    for link in document.links {
        let file = link.target.split(['#', '?']).next().unwrap_or_default();
        let is_elsewhere = file.is_empty() || file.contains(':') || file.starts_with('/');
        if !is_elsewhere && !exists(file) {
            let problem = Problem::warning(link.span, format!("the link leads nowhere: there is no file `{file}`"));
            problems.push(problem.help("links are relative to the runbook's folder"));
        }
    }
}
