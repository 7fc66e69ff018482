//! What is said of runs that move no messages: services that wake, a database that fails over, a migration's task.

use crate::{
    domain::{Text, words::counted},
    operations::{
        Counts, Operation,
        values::{duration, in_words},
    },
    run::{Awaited, Details, FailedOver, How, Report, words},
    state::{Look, Model, Page, Role, RunState},
    widgets::page::{bar, part, thousands},
};

const LABEL: usize = 12;
const BAR: usize = 10;
/// Things of one sort that are named; the rest is counted.
const NAMED_MAX: usize = 60;
const NEWS_SHOWN: usize = 8;

/// How long a failover of it may take, by the configuration.
fn rto_seconds(model: &Model, run: &RunState) -> Option<u64> {
    let Operation::Failover(failover) = &run.plan.operation else { return None };
    model.site(&run.plan.environment)?.environment.databases.rto_seconds(&failover.database)
}

pub(crate) fn progress(page: &mut Page, model: &Model, run: &RunState) {
    match run.plan.operation.verb().counts() {
        Counts::Messages => {}
        Counts::Services => figures(page, model, run, "service"),
        Counts::Rows => figures(page, model, run, "row"),
        Counts::Consumers | Counts::One => clock(page, model, run, rto_seconds(model, run)),
    }
    let Some(progress) = &run.progress else {
        return page.pair(
            "doing",
            LABEL,
            "writes down what it is about to do, checks the account, looks once more",
            Role::Text,
        );
    };
    if let Some(task) = &progress.task {
        page.pair("doing", LABEL, Text::line(task.as_str()).as_str(), Role::Accent);
    }
    services(page, progress.doing.awaited(), model.look);
    if !run.news.is_empty() {
        page.blank();
        page.heading("What happened last");
        for news in run.news.iter().rev().take(NEWS_SHOWN).rev() {
            page.item(model.look.sign("·", "-"), Role::Dim, Text::line(news.as_str()).as_str(), Role::Text);
        }
    }
    log(page, run);
}

pub(crate) fn log(page: &mut Page, run: &RunState) {
    if run.log.is_empty() {
        return;
    }
    page.blank();
    page.heading(&format!("Log, {}", counted(run.log.len() as u64, "line")));
    for line in &run.log {
        let time = line.at.strftime("%T").to_string();
        page.line(vec![
            part(format!("{time:LABEL$}  "), Role::Dim),
            part(Text::line(line.text.as_str()).to_string(), Role::Text),
        ]);
    }
}

/// Seconds running, held against an objective where there is one.
fn clock(page: &mut Page, model: &Model, run: &RunState, rto: Option<u64>) {
    let seconds = model.now.duration_since(run.started_at).as_secs().max(0).unsigned_abs();
    let Some(rto) = rto else {
        page.pair("running", LABEL, &format!("for {}", in_words(seconds)), Role::Strong);
        return;
    };
    let share = seconds as f64 / rto.max(1) as f64;
    let over = if seconds > rto { ", which is over" } else { "" };
    let figures = format!(" {} of the RTO of {}{over}", in_words(seconds), in_words(rto));
    let role = if seconds > rto { Role::Critical } else { Role::Accent };
    page.bar(share, role, figures, model.look);
}

fn figures(page: &mut Page, model: &Model, run: &RunState, noun: &str) {
    let figures = format!(" {} of {}", thousands(run.done()), counted(run.estimate(), noun));
    page.bar(run.share(), Role::Accent, figures, model.look);
}

/// Each service under its stage, with what is missing.
fn services(page: &mut Page, services: &[Awaited], look: Look) {
    let stages = services.iter().map(|service| service.stage).max().unwrap_or(0);
    let longest =
        services.iter().map(|one| crate::widgets::fit::width(&one.service.to_string())).max().unwrap_or(0).min(40);
    let mut stage = 0;
    for one in services.iter().take(NAMED_MAX) {
        if one.stage != stage {
            stage = one.stage;
            page.blank();
            page.heading(&format!("Stage {stage} of {stages}"));
        }
        let (sign, role, words) = standing(one, look);
        let running = one.running.unwrap_or(if one.how == How::Later { one.from } else { 0 });
        let share = match one.to {
            0 => 1.0 - f64::from(running) / f64::from(one.from.max(1)),
            to => f64::from(running) / f64::from(to),
        };
        let (done, open) = bar(share, BAR, look);
        let name = crate::widgets::fit::pad(
            Text::line(&one.service.to_string()).as_str(),
            longest,
            crate::widgets::fit::Align::Left,
            look,
        );
        page.line(vec![
            part(format!("  {sign} "), role),
            part(name, Role::Text),
            part(format!("  {done}"), role),
            part(open, Role::Line),
            part(format!("  {words}"), role),
        ]);
    }
    if services.len() > NAMED_MAX {
        page.text(&format!("  and {} more", services.len() - NAMED_MAX), Role::Dim);
    }
}

fn standing(one: &Awaited, look: Look) -> (&'static str, Role, String) {
    let running = one.running.map_or("?".to_owned(), |running| running.to_string());
    let counts = match one.to {
        0 => format!("{running} still run"),
        to => format!("{running} of {to}"),
    };
    match one.how {
        How::Done => (look.sign("✓", "+"), Role::Good, counts.replace("0 still run", "asleep")),
        How::Waiting => (look.sign("▶", ">"), Role::Accent, counts),
        How::Failed => (look.sign("✗", "x"), Role::Critical, format!("{counts}: will not be")),
        How::Later => (look.sign("·", "-"), Role::Dim, "later".to_owned()),
    }
}

/// What a report of such a run says. `false`: it is of messages.
pub(crate) fn of_report(page: &mut Page, report: &Report, look: Look) -> bool {
    for ended in report.services().iter().take(NAMED_MAX) {
        let (sign, role) = match ended.is_done {
            true => (look.sign("✓", "+"), Role::Good),
            false => (look.sign("▲", "!"), Role::Warning),
        };
        page.item(sign, role, Text::line(&ended.words()).as_str(), Role::Text);
    }
    if let Details::Failover(failover) = &report.details {
        failed_over(page, failover, look);
    }
    if let Details::Migration(migration) = &report.details {
        let exit = migration.exit_code.map_or("not known".to_owned(), |code| code.to_string());
        page.pair("task", LABEL, Text::line(&migration.task_definition).as_str(), Role::Strong);
        page.pair("exit code", LABEL, &exit, if migration.exit_code == Some(0) { Role::Good } else { Role::Warning });
        if let Some(reason) = migration.container_reason() {
            page.pair("container", LABEL, Text::line(reason.as_str()).as_str(), Role::Warning);
        }
        for (label, text) in [("stop code", &migration.stop_code), ("because", &migration.stopped_reason)] {
            if let Some(text) = text {
                page.pair(label, LABEL, Text::line(text.as_str()).as_str(), Role::Text);
            }
        }
        page.pair("log", LABEL, &counted(migration.log_lines, "line"), Role::Text);
    }
    if let Details::Rows(rows) = &report.details {
        for (count, what) in words::rows(rows) {
            page.pair(&thousands(count), LABEL, what, Role::Text);
        }
    }
    for toggled in report.details.settings() {
        let (sign, role) = match toggled.is_done {
            true => (look.sign("✓", "+"), Role::Good),
            false => (look.sign("▲", "!"), Role::Warning),
        };
        page.item(sign, role, Text::line(&toggled.words()).as_str(), Role::Text);
    }
    match &report.details {
        Details::Failover(_) | Details::Migration(_) | Details::Rows(_) | Details::Settings { .. } => true,
        Details::Nothing | Details::Messages(_) | Details::Services { .. } | Details::Consumers(_) => {
            !report.services().is_empty()
        }
    }
}

fn failed_over(page: &mut Page, failover: &FailedOver, look: Look) {
    let name = |name: &Option<String>| Text::line(name.as_deref().unwrap_or("nobody")).to_string();
    let words = format!("{} {} {}", name(&failover.writer_before), look.arrow(), name(&failover.writer_after));
    page.pair("writer", LABEL, &words, Role::Strong);
    let after =
        |seconds: Option<f64>| seconds.map_or("not seen".to_owned(), |seconds| format!("after {}", duration(seconds)));
    page.pair("new writer", LABEL, &after(failover.seconds_to_writer), Role::Text);
    page.pair("all well", LABEL, &after(failover.seconds_to_available), Role::Text);
    match (failover.rto_seconds, failover.within_rto) {
        (Some(rto), Some(true)) => page.pair("RTO", LABEL, &format!("kept: {}", in_words(rto)), Role::Good),
        (Some(rto), Some(false)) => page.pair("RTO", LABEL, &format!("missed: {}", in_words(rto)), Role::Critical),
        (Some(rto), None) => page.pair("RTO", LABEL, &in_words(rto), Role::Text),
        (None, _) => {}
    }
    for event in failover.events.iter().take(NAMED_MAX) {
        let words = format!("{} {}", event.at.strftime("%T"), event.message);
        page.item(look.sign("·", "-"), Role::Dim, Text::line(&words).as_str(), Role::Dim);
    }
}
