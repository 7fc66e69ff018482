//! What comes from watching the environments: snapshots in, wishes out.

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    effect::Effect,
    estate,
    event::Notice,
    home, letters, message,
    model::{Model, View},
    queues, run_view,
};
use crate::{
    domain::{EnvironmentName, QueueName},
    observe::{Focus, Snapshot, verdict::verdicts},
};

/// Takes a snapshot in; an older one than is there is dropped.
pub(super) fn observed(model: &mut Model, snapshot: Arc<Snapshot>) -> Vec<Effect> {
    let now = model.now;
    let Some(site) = model.sites.iter_mut().find(|site| site.environment.name == snapshot.environment) else {
        return Vec::new();
    };
    if site.snapshot.as_ref().is_some_and(|known| known.number > snapshot.number) {
        return Vec::new();
    }
    site.verdicts = verdicts(&site.environment, &site.environment.watch.thresholds, &snapshot, now);
    site.snapshot = Some(snapshot);
    settle_seen(model);
    focus(model)
}

/// Brings the views' rows up to date with what is known now. Lists below the view shown wait until they are shown.
pub(super) fn settle(model: &mut Model) {
    settle_seen(model);
    run_view::settle_open(model);
}

/// The same for what an environment's snapshot changes: runs are not in it.
fn settle_seen(model: &mut Model) {
    // Views are taken out while they look at the rest of the model.
    let mut views = std::mem::take(&mut model.views);
    let shown = views.len().saturating_sub(1);
    for (at, view) in views.iter_mut().enumerate() {
        match view {
            View::Home(view) if at == shown => home::settle(model, view),
            View::Queues(view) if at == shown => queues::settle(model, view),
            View::Estate(view) if at == shown => estate::settle(model, view),
            View::Letters(view) => letters::settle(model, view),
            View::Message(view) => message::settle(model, view),
            View::Home(_) | View::Queues(_) | View::Estate(_) | View::Activity(_) | View::Run(_) => {}
        }
    }
    model.views = views;
    estate::settle_sheet(model);
}

/// Tells what is on the screen: it is watched closely.
pub(super) fn focus(model: &Model) -> Vec<Effect> {
    let queues: Vec<(EnvironmentName, QueueName)> = match model.view() {
        View::Home(view) => home::visible(model, view),
        View::Queues(view) => queues::visible(model, view),
        View::Letters(view) => vec![(view.environment.clone(), view.queue.clone())],
        View::Message(view) => vec![(view.environment.clone(), view.queue.clone())],
        View::Estate(_) | View::Activity(_) | View::Run(_) => Vec::new(),
    };
    let parts = match model.view() {
        View::Estate(view) => view.topic.parts().iter().map(|part| (model.only.clone(), *part)).collect(),
        View::Home(_) | View::Queues(_) | View::Letters(_) | View::Message(_) | View::Activity(_) | View::Run(_) => {
            Vec::new()
        }
    };
    let services = estate::looked_at(model).into_iter().collect();
    vec![Effect::Focus(Focus { queues, parts, services })]
}

/// Time has passed: what depends on it is judged again.
pub(super) fn tick(model: &mut Model, now: Timestamp) -> Vec<Effect> {
    let day = |at: Timestamp| at.as_second().div_euclid(86_400);
    let is_new_day = day(model.now) != day(now);
    model.now = now;
    for site in &mut model.sites {
        if let Some(snapshot) = &site.snapshot {
            site.verdicts = verdicts(&site.environment, &site.environment.watch.thresholds, snapshot, now);
        }
    }
    // The list of queues shows ages as it is drawn; nothing else of it changes by time alone.
    if !matches!(model.view(), View::Queues(_)) {
        settle_seen(model);
    }
    if is_new_day {
        // Runs of today are listed by their time, earlier ones by their day.
        run_view::settle_open(model);
    }
    Vec::new()
}

/// Shows the next environment alone, and after the last all again.
pub(super) fn next_environment(model: &mut Model) -> Vec<Effect> {
    let names: Vec<EnvironmentName> = model.sites.iter().map(|site| site.environment.name.clone()).collect();
    let at = model.only.as_ref().and_then(|only| names.iter().position(|name| name == only));
    let only = match at {
        None => names.first().cloned(),
        Some(at) => names.get(at + 1).cloned(),
    };
    show_only(model, only)
}

/// Shows one environment alone, or all.
pub(super) fn show_only(model: &mut Model, only: Option<EnvironmentName>) -> Vec<Effect> {
    model.only = only;
    super::estate::let_go(model);
    let words = model.only.as_ref().map_or("every environment".to_owned(), |only| format!("{only} only"));
    model.say(Notice::note(&words));
    settle(model);
    focus(model)
}
