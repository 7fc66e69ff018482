//! What is told of a run of a runbook below its steps: the step that is looked at, how the run ended, its timeline.

use super::{
    read::markdown,
    shown::{Shown, driven, end, shown},
};
use crate::{
    domain::{Text, words::duration},
    journal::{End, HeldBack},
    runbook::{
        StepState,
        drive::{StepReport, recovery},
        preview::said,
    },
    state::{Driven, Load, Model, Page, Role, RunbookRunView},
    widgets::page::{part, thousands},
};

const LABEL: usize = 9;
/// What happened in the step's run, of which the newest is shown.
const NEWS_SHOWN: usize = 5;

pub(super) fn page(model: &Model, view: &RunbookRunView, columns: usize) -> Page {
    let mut page = Page::new(columns);
    let Some(shown) = shown(model, view) else {
        match &view.stood {
            Load::Failed(failure, _) => page.failure(failure, LABEL, Role::Warning),
            Load::Idle | Load::Waiting(..) | Load::Here(_) => page.text("reading its journal", Role::Dim),
        }
        return page;
    };
    if view.shows_timeline {
        timeline(&mut page, view);
        return page;
    }
    let driven = driven(model, view);
    if let Some(Err(failure)) = driven.and_then(|driven| driven.end.as_ref()) {
        page.text("The run cannot continue.", Role::Strong);
        page.failure(failure, LABEL, Role::Critical);
        page.blank();
    }
    if view.picked.is_none() && end(model, view).is_some() {
        report(&mut page, model, view, &shown);
        return page;
    }
    step(&mut page, model, &shown, view.picked.unwrap_or(shown.index), driven);
    page
}

fn timeline(page: &mut Page, view: &RunbookRunView) {
    match &view.stood {
        Load::Failed(failure, None) => page.failure(failure, LABEL, Role::Warning),
        Load::Idle | Load::Waiting(_, None) => page.text("reading its journal", Role::Dim),
        Load::Here(stood) | Load::Waiting(_, Some(stood)) | Load::Failed(_, Some(stood)) => {
            for (at, text) in &stood.timeline {
                page.pair(&at.strftime("%H:%M:%S").to_string(), LABEL, text.as_str(), Role::Text);
            }
        }
    }
}

/// How it ended.
fn report(page: &mut Page, model: &Model, view: &RunbookRunView, shown: &Shown<'_>) {
    let Some(end) = end(model, view) else { return };
    let seconds =
        driven(model, view).and_then(|driven| driven.end.as_ref()?.as_ref().ok().map(|report| report.seconds));
    let seconds = seconds.or_else(|| {
        let last = view.stood.shown()?.timeline.last()?.0;
        Some(last.duration_since(shown.begun_at).as_secs_f64())
    });
    let took = seconds.map(|seconds| format!(", after {}", duration(seconds))).unwrap_or_default();
    let good = shown.steps.iter().filter(|step| step.state.is_good()).count();
    page.pair("outcome", LABEL, &format!("{}{took}", end.words()), Role::Strong);
    page.pair("steps", LABEL, &format!("{good} of {} done", shown.steps.len()), Role::Text);
    if let (Some(allowed), Some(seconds)) = (shown.runbook.recovery_time, seconds) {
        let is_met = matches!(end, End::Done | End::Nothing) && seconds <= f64::from(allowed.0);
        let (met, role) = (recovery(Some(end), seconds, allowed), if is_met { Role::Good } else { Role::Warning });
        page.pair("recovery", LABEL, &format!("{allowed}: {met}"), role);
    }
    if let Some(run) = shown.run {
        page.pair("run", LABEL, run.as_str(), Role::Dim);
    }
    if let Some(earlier) = &shown.continues {
        page.pair("follows", LABEL, &format!("run {earlier}, which did not recover"), Role::Dim);
    }
    for HeldBack { what, back } in shown.held {
        let back = back.as_ref().map(|words| format!(": {}", model.invocation().command(words.as_str())));
        page.pair("not undone", LABEL + 2, &format!("{what}{}", back.unwrap_or_default()), Role::Warning);
    }
    page.blank();
    for step in shown.steps {
        if let Some(because) = &step.because {
            page.pair("", 0, &format!("{}: {because}", step.name), Role::Text);
        }
    }
    shown.steps.iter().for_each(|step| evidence(page, step));
}

fn step(page: &mut Page, model: &Model, shown: &Shown<'_>, index: usize, driven: Option<&Driven>) {
    let look = model.look;
    let (Some(step), Some(report)) = (shown.runbook.steps.get(index), shown.steps.get(index)) else { return };
    // What happens now comes before what stands in the runbook.
    if let Some(because) = &report.because {
        let role = if report.state == StepState::Failed { Role::Critical } else { Role::Text };
        page.text(because.as_str(), role);
        page.blank();
    }
    if let Some(driven) = driven.filter(|driven| driven.index == index && driven.is_active()) {
        live(page, model, driven);
    }
    markdown(page, shown.runbook.body_of(step), look);
    page.item(look.sign("▸", ">"), Role::Accent, Text::line(&said(step)).as_str(), Role::Accent);
    for ran in &report.runs {
        let words = format!("run {}, {}: {}", ran.run, ran.end.words(), ran.summary);
        page.item(look.sign("·", "-"), Role::Dim, &words, Role::Dim);
    }
    evidence(page, report);
}

/// What the step is at.
fn live(page: &mut Page, model: &Model, driven: &Driven) {
    if let Some(doing) = &driven.doing {
        page.text(doing.as_str(), Role::Accent);
        page.blank();
    }
    let Some(progress) = &driven.running else { return };
    let (done, all) = (progress.done(), progress.estimate);
    let share = if all > 0 { done as f64 / all as f64 } else { 0.0 };
    page.bar(share.min(1.0), Role::Good, format!("  {} of ~{}", thousands(done), thousands(all)), model.look);
    for wait in progress.waits() {
        page.line(vec![part(Text::line(&wait.to_string()).to_string(), Role::Accent)]);
    }
    for news in driven.news.iter().rev().take(NEWS_SHOWN).rev() {
        page.item(model.look.sign("·", "-"), Role::Dim, news.as_str(), Role::Dim);
    }
    page.blank();
}

fn evidence(page: &mut Page, step: &StepReport) {
    for kept in &step.evidence {
        let file = kept.file.as_ref().map(|file| format!(": {file}")).unwrap_or_default();
        let lost = kept.lost.as_ref().map(|lost| format!(" ({lost})")).unwrap_or_default();
        page.pair("evidence", LABEL, &format!("{}{file}{lost}", kept.about), Role::Dim);
    }
}
