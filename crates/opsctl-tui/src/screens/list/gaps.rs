//! What of a list is not known in an environment, or old, in words: a list is never empty without a reason.

use jiff::Timestamp;
use ratatui::text::Span;

use crate::{
    domain::Text,
    keymap::Command,
    observe::{Source, words::span},
    screens::list::{
        listed::{Head, Listed, Manner, Said},
        thing::STALE,
    },
    state::{ListView, Model, Needs, Role, Site, list::Gap},
    widgets::{
        busy_sign, filter,
        sign::{self, short, standing},
        words::ago,
    },
};

pub(crate) fn gaps(model: &Model, head: &Head) -> Vec<Gap> {
    model.shown_sites().flat_map(|site| of_site(site, head, model.now)).collect()
}

fn of_site(site: &Site, head: &Head, now: Timestamp) -> Vec<Gap> {
    let gap = |words: String, role: Role| Gap {
        environment: site.environment.name.clone(),
        words: Text::line(&words).to_string(),
        role,
    };
    if head.parts.is_empty() {
        return Vec::new();
    }
    let Some(snapshot) = &site.snapshot else {
        return vec![gap(format!("{} not known yet: asking", head.nouns[1]), Role::Dim)];
    };
    let mut gaps = Vec::new();
    for part in (head.known)(&snapshot.estate) {
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

pub const USUAL: Manner = Manner {
    group_tallies: None,
    groups: None,
    narrow: None,
    selects: false,
    beside: as_of,
    nothing,
    by_name: false,
    ages: true,
    name_share: (1, 3),
    detail_rows_max: 5,
};

/// When the oldest of what is shown was seen, and whether it is being asked for.
pub(crate) fn as_of(model: &Model, head: &Head) -> Vec<Span<'static>> {
    let look = model.look;
    let snapshots = || model.shown_sites().filter_map(|site| site.snapshot.as_ref());
    let parts = || snapshots().flat_map(|snapshot| (head.known)(&snapshot.estate));
    let oldest = parts().filter_map(|part| part.oldest).min();
    let mut spans = Vec::new();
    if let Some(at) = oldest {
        spans.push(Span::styled(format!("  seen {} ago", ago(at, model.now)), look.style(Role::Dim)));
    }
    if parts().any(|part| part.busy && part.at.is_none()) || (oldest.is_none() && snapshots().next().is_none()) {
        spans.push(Span::styled(format!("  {} asking", busy_sign(model)), look.style(Role::Accent)));
    }
    spans
}

pub(crate) fn nothing(model: &Model, view: &ListView, list: &dyn Listed) -> Said {
    let head = list.head();
    let [one, many] = head.nouns;
    let back = model.keymap.key_for(head.scope, Command::Back).unwrap_or("?");
    let unknown = view.gaps.iter().any(|gap| gap.role == Role::Warning);
    let awaited = view.gaps.iter().any(|gap| gap.role == Role::Dim);
    let title = if view.totals.all > 0 {
        filter::nothing(one, &view.filter, back)
    } else if awaited {
        format!("{} No {one} is known yet", busy_sign(model))
    } else if unknown {
        format!("Whether there are {many} is not known")
    } else {
        format!("There are no {many} in the environments shown")
    };
    let mut lines = vec![(title, Role::Strong), (String::new(), Role::Text)];
    for site in model.shown_sites() {
        let name = sign::environment(site, model.look);
        let gaps = view.gaps.iter().filter(|gap| gap.environment == site.environment.name);
        let before = lines.len();
        lines.extend(gaps.map(|gap| (format!("{name}: {}", gap.words), gap.role)));
        if let Needs::Credentials(hint) | Needs::Reaching(hint) = standing(site, model.now).needs {
            lines.push((format!("  try: {hint}"), Role::Text));
        } else if let Some(error) = head.error(site) {
            lines.push((format!("  try: {}", error.hint(&site.environment)), Role::Text));
        }
        if lines.len() == before {
            lines.push((format!("{name}: {}", head.counted(list.count(site))), Role::Dim));
        }
    }
    lines
}
