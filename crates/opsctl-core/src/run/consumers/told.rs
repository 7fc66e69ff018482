//! What mappings and services tell while they are waited for, in one line.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::{Consumers, Context, Report};
use crate::{
    domain::{MappingId, Text},
    run::{Awaited, Doing, Progress},
};

pub(super) struct Told {
    context: Context,
    /// Without what is known of services so far.
    blank: Progress,
    parts: Mutex<Parts>,
}

#[derive(Default)]
struct Parts {
    /// In words, and whether it is done.
    mappings: BTreeMap<MappingId, (String, bool)>,
    services: Option<Text>,
    services_done: u64,
    awaited: Vec<Awaited>,
}

impl Told {
    pub(super) fn new(consumers: &Consumers, context: &Context, report: &Report) -> Self {
        let nobody = Doing::Consumers { done: 0, awaited: Vec::new() };
        let blank = Progress::of(report, report.started_at, consumers.count() as u64, nobody);
        Self { context: context.clone(), blank, parts: Mutex::default() }
    }

    pub(super) fn mapping(&self, id: &MappingId, words: String, is_done: bool) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.mappings.insert(id.clone(), (words, is_done));
        let at = self.context.now();
        self.tell(&parts, Progress { at, ..self.blank.clone() });
    }

    /// What the services' part tells goes through here.
    pub(super) fn of_services(told: &Arc<Self>) -> Arc<dyn Fn(&Progress) + Send + Sync> {
        let told = Arc::clone(told);
        Arc::new(move |progress| {
            let mut parts = told.parts.lock().unwrap_or_else(PoisonError::into_inner);
            parts.services.clone_from(&progress.task);
            parts.services_done = progress.done();
            parts.awaited = progress.doing.awaited().to_vec();
            let Progress { at, news, log, .. } = progress.clone();
            told.tell(&parts, Progress { at, news, log, ..told.blank.clone() });
        })
    }

    fn tell(&self, parts: &Parts, mut progress: Progress) {
        let mappings = parts.mappings.values().map(|(words, _)| words.as_str());
        let all: Vec<&str> = mappings.chain(parts.services.as_ref().map(Text::as_str)).collect();
        progress.task = Some(Text::line(&all.join("; ")));
        let done = parts.mappings.values().filter(|(_, is_done)| *is_done).count() as u64;
        progress.doing = Doing::Consumers { done: done + parts.services_done, awaited: parts.awaited.clone() };
        (self.context.progress)(&progress);
    }
}
