//! What Home's rows are about, as it is called.

use crate::{
    domain::Text,
    observe::{Kind, Seen, Severity, Subject, Verdict},
    state::{
        model::{Model, Site},
        standing::Needs,
    },
    widgets::standing::standing,
};

/// What a verdict is about, as it is called.
pub(crate) fn what(model: &Model, verdict: &Verdict) -> String {
    match (&verdict.subject, verdict.kind) {
        (Subject::Queue(queue), _) => Text::line(queue.as_str()).to_string(),
        (Subject::Service(service), _) => Text::line(&service.name.0).to_string(),
        (Subject::Database(name) | Subject::Alarm(name) | Subject::Consumer(name), _) => Text::line(name).to_string(),
        (Subject::Queues, _) => "several queues".to_owned(),
        (Subject::Environment | Subject::Parts(_), Kind::Credentials) => "its credentials".to_owned(),
        (Subject::Parts(parts), _) => parts.first().map_or("several parts", |part| part.words()).to_owned(),
        (Subject::Environment, _) => {
            let site = model.site(&verdict.environment);
            site.map_or("the environment".to_owned(), |site| site.environment.region.clone())
        }
    }
}

/// The queue that a verdict is about.
pub(super) fn queue_of<'a>(model: &'a Model, verdict: &Verdict) -> Option<(&'a Site, &'a Seen)> {
    let Subject::Queue(queue) = &verdict.subject else { return None };
    model.queue(&verdict.environment, queue)
}

/// What of the environments shown needs somebody, and is not acknowledged.
pub(crate) fn needy(model: &Model) -> usize {
    let all = model.shown_sites().flat_map(|site| &site.verdicts);
    all.filter(|verdict| !model.acknowledged.hides(verdict, model.now)).count()
}

pub(super) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::Warning => "warning",
        Severity::Notice => "notice",
    }
}

/// What is to be run, where a command helps; else what is to be done, or the reason.
pub(super) fn to_run(model: &Model, verdict: &Verdict) -> String {
    let site = model.site(&verdict.environment);
    let command = site.and_then(|site| {
        let error = site.snapshot.as_ref()?.listing.error.as_ref()?;
        error.command(&site.environment)
    });
    let hint = || match standing(site?, model.now).needs {
        Needs::Credentials(hint) | Needs::Reaching(hint) => Some(hint.to_string()),
        Needs::Nothing => None,
    };
    command.or_else(hint).unwrap_or_else(|| verdict.reason.to_string())
}
