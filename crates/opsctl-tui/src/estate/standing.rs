//! What of a topic is not known in an environment, or old, in words: a list is never empty without a reason.

use jiff::Timestamp;

use super::{Topic, columns::STALE, known};
use crate::{
    domain::{EnvironmentName, Text},
    model::{Model, Site},
    observe::{Source, words::span},
    standing::{Needs, short, standing},
    theme::Role,
};

/// Something that is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Where.
    pub environment: EnvironmentName,
    /// What, and why; safe to show.
    pub words: String,
    /// What it means.
    pub role: Role,
}

/// What is not known, the environments in their order.
pub(super) fn gaps(model: &Model, topic: Topic) -> Vec<Gap> {
    model.shown_sites().flat_map(|site| of_site(site, topic, model.now)).collect()
}

fn of_site(site: &Site, topic: Topic, now: Timestamp) -> Vec<Gap> {
    let gap = |words: String, role: Role| Gap {
        environment: site.environment.name.clone(),
        words: Text::line(&words).to_string(),
        role,
    };
    let Some(snapshot) = &site.snapshot else {
        return vec![gap(format!("{} not known yet: asking", topic.nouns()[1]), Role::Dim)];
    };
    let mut gaps = Vec::new();
    for part in known(&snapshot.estate, topic) {
        let age = part.at.map(|at| now.duration_since(at));
        match (part.error, age) {
            (Some(error), None) => gaps.push(gap(format!("{} not known: {}", part.what, short(error)), Role::Warning)),
            (Some(error), Some(age)) => {
                gaps.push(gap(format!("{} as of {} ago: {}", part.what, span(age), short(error)), Role::Warning));
            }
            (None, None) => {
                let stands = standing(site, now);
                match stands.needs {
                    Needs::Nothing => gaps.push(gap(format!("{} not known yet: asking", part.what), Role::Dim)),
                    Needs::Credentials(_) | Needs::Reaching(_) => {
                        gaps.push(gap(format!("{} not known: {}", part.what, stands.words), Role::Warning));
                    }
                }
            }
            (None, Some(age)) if age > STALE || snapshot.source == Source::Cache => {
                let why = match standing(site, now).needs {
                    Needs::Nothing => String::new(),
                    Needs::Credentials(_) | Needs::Reaching(_) => format!(": {}", standing(site, now).words),
                };
                gaps.push(gap(format!("{} as of {} ago{why}", part.what, span(age)), Role::Warning));
            }
            (None, Some(_)) => {}
        }
        gaps.extend(part.unknown.iter().map(|unknown| gap(unknown.words.to_string(), Role::Warning)));
    }
    gaps
}
