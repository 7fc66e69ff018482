//! A service in full.

use super::{LABEL, LINES_MAX, ago, gauge, in_percent, sampled};
use crate::{
    domain::{
        Text,
        service::{Deployment, Rollout, Scaling, Task},
    },
    estate::services::{bounds, rollout, sign, tasks},
    model::{Model, Site},
    observe::SeenService,
    page::Page,
    theme::Role,
};

/// Events that are shown.
const EVENTS_MAX: usize = 20;

pub(super) fn in_short(model: &Model, site: &Site, seen: &SeenService) -> Vec<String> {
    let service = &seen.service;
    let mut parts = Vec::new();
    let failed = service.deployments.iter().filter(|deployment| deployment.rollout == Some(Rollout::Failed));
    let reason = failed.filter_map(|deployment| deployment.rollout_reason.as_ref()).next();
    parts.extend(reason.map(|reason| Text::line(reason.as_str()).to_string()));
    if let Some(stopped) = seen.stopped.first() {
        parts.push(format!("a task stopped: {}", stopped_words(stopped)));
    }
    for group in site.environment.services.groups_of(&service.id) {
        let always = if group.is_always_on(&service.id) { ", always on" } else { "" };
        parts.push(Text::line(&format!("group {}{always}", group.name)).to_string());
    }
    if let Some((standing, since)) = seen.since {
        parts.push(format!("{} for {}", standing.words(), ago(since, model.now)));
    }
    parts.extend(sampled("CPU", seen.cpu.as_ref(), in_percent, model));
    parts.extend(sampled("memory", seen.memory.as_ref(), in_percent, model));
    if let Some(event) = service.events.first() {
        parts.push(format!("{} ago: {}", ago(event.at, model.now), Text::line(event.message.as_str())));
    }
    parts
}

pub(super) fn page(page: &mut Page, model: &Model, site: &Site, seen: &SeenService) {
    let service = &seen.service;
    let (sign, role) = sign(service.standing(), model.look);
    let since = seen.since.map(|(_, at)| format!(", for {}", ago(at, model.now))).unwrap_or_default();
    page.pair("state", LABEL, &format!("{sign} {}{since}", service.standing().words()), role);
    let counts = format!("{} run, {} pending", tasks(service.running, service.desired, model.look), service.pending);
    page.pair("tasks", LABEL, &counts, Role::Strong);
    if service.status.as_str() != "ACTIVE" {
        page.pair("status", LABEL, Text::line(service.status.as_str()).as_str(), Role::Warning);
    }
    gauge(page, model, "CPU", seen.cpu.as_ref(), in_percent, Some(100.0));
    gauge(page, model, "memory", seen.memory.as_ref(), in_percent, Some(100.0));
    page.pair("revision", LABEL, Text::line(&service.task_definition.0).as_str(), Role::Text);
    for group in site.environment.services.groups_of(&service.id) {
        let always = if group.is_always_on(&service.id) { ": always on" } else { "" };
        page.pair("group", LABEL, Text::line(&format!("{}{always}", group.name)).as_str(), Role::Text);
    }
    scaling(page, site, seen);
    page.blank();
    page.heading("Deployments");
    for deployment in service.deployments.iter().take(LINES_MAX) {
        of_deployment(page, model, deployment);
    }
    stopped(page, model, &seen.stopped);
    page.blank();
    page.heading("Events");
    for event in service.events.iter().take(EVENTS_MAX) {
        page.pair(
            &event.at.strftime("%m-%d %H:%M:%S").to_string(),
            LABEL,
            Text::line(event.message.as_str()).as_str(),
            Role::Text,
        );
    }
    if service.events.is_empty() {
        page.text("ECS tells of none.", Role::Dim);
    }
    if service.events.len() > EVENTS_MAX {
        page.text(&format!("and {} older", service.events.len() - EVENTS_MAX), Role::Dim);
    }
}

fn scaling(page: &mut Page, site: &Site, seen: &SeenService) {
    let is_unknown = site.snapshot.as_ref().is_some_and(|snapshot| snapshot.estate.services.is_scaling_unknown());
    let Some(scaling) = &seen.scaling else {
        let words =
            if is_unknown { "not known: it could not be asked for" } else { "none: the count stays as it is set" };
        return page.pair("autoscaling", LABEL, words, Role::Dim);
    };
    page.pair("autoscaling", LABEL, &bounds(scaling), Role::Text);
    let Scaling { in_suspended, out_suspended, scheduled_suspended, actions, .. } = scaling;
    let flags =
        [(in_suspended, "scaling in"), (out_suspended, "scaling out"), (scheduled_suspended, "scheduled actions")];
    let suspended: Vec<&str> = flags.iter().filter(|(flag, _)| **flag).map(|(_, name)| *name).collect();
    if !suspended.is_empty() {
        page.pair("suspended", LABEL, &suspended.join(", "), Role::Warning);
    }
    for action in actions.iter().take(LINES_MAX) {
        let bound = |name: &str, count: Option<u32>| count.map(|count| format!(", {name} {count}")).unwrap_or_default();
        let zone = action.timezone.as_ref().map_or("UTC", Text::as_str);
        let words = format!(
            "{}: {} {zone}{}{}",
            action.name,
            action.schedule,
            bound("minimum", action.min),
            bound("maximum", action.max)
        );
        page.pair("scheduled", LABEL, Text::line(&words).as_str(), Role::Text);
    }
}

fn of_deployment(page: &mut Page, model: &Model, deployment: &Deployment) {
    let (words, role) = rollout(deployment.rollout);
    let place = if deployment.is_primary { "newest" } else { "earlier" };
    let made = deployment.created_at.map(|at| format!(", made {} ago", ago(at, model.now))).unwrap_or_default();
    let failed = if deployment.failed > 0 { format!(", {} failed to start", deployment.failed) } else { String::new() };
    let counts = format!("{}/{} run, {} pending{failed}", deployment.running, deployment.desired, deployment.pending);
    let text = format!("{words}: {}, {counts}{made}", deployment.task_definition.0);
    page.pair(place, LABEL, Text::line(&text).as_str(), role);
    if let Some(reason) = deployment.rollout_reason.as_ref().filter(|reason| !reason.is_empty()) {
        page.pair("", LABEL, Text::line(reason.as_str()).as_str(), Role::Dim);
    }
}

fn stopped(page: &mut Page, model: &Model, tasks: &[Task]) {
    if tasks.is_empty() {
        return;
    }
    page.blank();
    page.heading("Tasks that stopped within the hour");
    for task in tasks.iter().take(LINES_MAX) {
        let when = task.stopped_at.map_or("-".to_owned(), |at| format!("{} ago", ago(at, model.now)));
        page.pair(&when, LABEL, &stopped_words(task), Role::Text);
    }
}

/// `TaskFailedToStart: CannotPullContainerError ... (app: exit code 1)`.
fn stopped_words(task: &Task) -> String {
    let text = |text: &Option<Text>| text.as_ref().map_or("?", Text::as_str).to_owned();
    let mut words = format!("{}: {}", text(&task.stop_code), text(&task.stopped_reason));
    for container in &task.containers {
        if let Some(code) = container.exit_code {
            words.push_str(&format!(" ({}: exit code {code})", container.name));
        } else if let Some(reason) = &container.reason {
            words.push_str(&format!(" ({}: {reason})", container.name));
        }
    }
    Text::line(&words).to_string()
}
