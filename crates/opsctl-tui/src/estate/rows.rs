//! Rows of a list: what fits the filter, sorted and grouped. Each is a place in a snapshot, not a copy.

use std::collections::HashMap;

use super::{EstateView, Grouping, Item, Topic, Under, item, items};
use crate::{
    domain::EnvironmentName,
    fit::width,
    keymap::query::{Fit, Query, Search},
    model::Model,
    observe::Severity,
};

/// Columns that a name is measured by at most.
const NAME_MAX: usize = 80;

/// A thing's place: the environment's in the model, and its own among the topic's rows there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct At {
    /// Index into the model's sites.
    pub site: u16,
    /// Index into the rows of the snapshot.
    pub row: u32,
}

/// A row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// Heading of a group: its index.
    Heading(u32),
    /// A thing.
    Item(At),
}

/// Things under one heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The environment.
    pub environment: EnvironmentName,
    /// The group of services in the configuration; none: the environment's things, or those in no group.
    pub name: Option<String>,
    /// How many.
    pub items: usize,
    /// How many of them stand as they shall not.
    pub unwell: usize,
    /// How many are asleep, or paused.
    pub resting: usize,
    /// Whether only the heading is shown.
    pub folded: bool,
}

impl Group {
    /// What it is remembered by.
    pub(super) fn key(&self) -> String {
        format!("{} {}", self.environment, self.name.as_deref().unwrap_or_default())
    }
}

/// What all rows are about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Things in the environments shown.
    pub all: usize,
    /// Of these, those that stand as they shall not.
    pub unwell: usize,
    /// Of these, those that are asleep, or paused.
    pub resting: usize,
    /// Of these, those that fit the filter.
    pub fitting: usize,
}

/// What is sorted by; less comes first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Order {
    /// A number.
    Number(i64),
    /// Words.
    Text(String),
}

impl Order {
    /// The most first; three digits behind the point count.
    pub(super) fn most(number: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "saturates, which is meant")]
        let thousandths = (number * 1e3) as i64;
        Self::Number(thousandths.saturating_neg())
    }

    /// As it is.
    pub(super) fn text(text: &str) -> Self {
        Self::Text(text.to_lowercase())
    }
}

/// The place of a thing by what it is known by.
pub(super) fn place_of(model: &Model, topic: Topic, environment: &EnvironmentName, id: &str) -> Option<At> {
    let site = model.sites.iter().position(|site| site.environment.name == *environment)?;
    let row = items(&model.sites[site], topic).position(|item| item.is(id))?;
    Some(At { site: u16::try_from(site).ok()?, row: u32::try_from(row).ok()? })
}

/// Brings the rows up to date; the cursor stays on what it was on.
pub(super) fn settle(model: &Model, view: &mut EstateView, height: usize) {
    view.needs = needs(model, view.topic);
    let all = chosen(model, view);
    let fitting = filtered(model, view, all);
    view.totals.fitting = fitting.len();
    let sorted = sort(model, view, &fitting);
    group(model, view, &sorted);
    let found = match &view.under {
        None => None,
        Some(Under::Item(environment, id)) => place_of(model, view.topic, environment, id)
            .and_then(|at| view.rows.iter().position(|row| *row == Row::Item(at))),
        Some(Under::Group(key)) => view
            .groups
            .iter()
            .position(|group| group.key() == *key)
            .and_then(|at| view.rows.iter().position(|row| *row == Row::Heading(at as u32))),
    };
    if let Some(found) = found {
        view.cursor.at = found;
    }
    view.cursor.settle(view.rows.len(), height);
}

/// What needs somebody, by place.
fn needs(model: &Model, topic: Topic) -> HashMap<At, (Severity, u32)> {
    let mut needs = HashMap::new();
    for (site, known) in model.sites.iter().enumerate() {
        for verdict in &known.verdicts {
            let Some(id) = topic.id_in(&verdict.subject) else { continue };
            // A consumer's name may be that of several.
            for (row, _) in items(known, topic).enumerate().filter(|(_, item)| item.is_meant_by(&id)) {
                let at = At { site: site as u16, row: row as u32 };
                needs.entry(at).or_insert((verdict.severity, verdict.rank.weight));
            }
        }
    }
    needs
}

fn chosen(model: &Model, view: &mut EstateView) -> Vec<At> {
    let mut totals = Totals::default();
    let mut longest = 0;
    let mut all = Vec::new();
    for (site, known) in model.sites.iter().enumerate() {
        if model.only.as_ref().is_some_and(|only| *only != known.environment.name) {
            continue;
        }
        for (row, item) in items(known, view.topic).enumerate() {
            longest = longest.max(width(&item.name()));
            totals.all += 1;
            totals.unwell += usize::from(item.is_unwell());
            totals.resting += usize::from(item.is_resting());
            all.push(At { site: site as u16, row: row as u32 });
        }
    }
    view.totals = totals;
    view.longest = longest.min(NAME_MAX) as u16;
    all
}

/// By name, and by where it is and how it stands.
fn filtered(model: &Model, view: &EstateView, all: Vec<At>) -> Vec<(Fit, At)> {
    let query = Query::parse(&view.filter);
    if query.is_empty() {
        return all.into_iter().map(|at| (Fit::ANY, at)).collect();
    }
    let mut search = Search::default();
    let fit = |at: At| {
        let (site, item) = item(model, view.topic, at)?;
        let [first, second] = item.searched();
        Some((search.fit(&query, &item.name(), &[first.as_str(), second.as_str(), &site.environment.name.0])?, at))
    };
    all.into_iter().filter_map(fit).collect()
}

/// What fits the filter better comes first, in a chosen order only what was typed whole; then by the column, what is not known
/// last; equals by how they stand, by environment and name.
fn sort(model: &Model, view: &EstateView, all: &[(Fit, At)]) -> Vec<At> {
    type Keyed = ((Fit, bool), Option<Order>, (i64, u16, String), At);
    let mut keyed: Vec<Keyed> = Vec::with_capacity(all.len());
    for (fit, at) in all {
        let Some((_, item)) = item(model, view.topic, *at) else { continue };
        let fit = if view.sort == 0 { *fit } else { fit.exact_or_not() };
        let key = match view.sort {
            0 => Some(worst(view, *at, item)),
            column => view.topic.order(item, column, at.site),
        };
        keyed.push(((fit, key.is_none()), key, (item.rank(), at.site, item.name().to_lowercase()), *at));
    }
    keyed.sort_by(|(first, key, rest, _), (other_first, other_key, other_rest, _)| {
        let by_key = key.cmp(other_key);
        let by_key = if view.reversed { by_key.reverse() } else { by_key };
        first.cmp(other_first).then(by_key).then_with(|| rest.cmp(other_rest))
    });
    keyed.into_iter().map(|(.., at)| at).collect()
}

/// What Home has comes first, in its order; then how each stands.
fn worst(view: &EstateView, at: At, item: Item<'_>) -> Order {
    Order::Number(match view.needs.get(&at) {
        Some((severity, weight)) => *severity as i64 * 1_000 + i64::from(999 - (*weight).min(999)),
        None => 4_000 + item.rank(),
    })
}

fn group(model: &Model, view: &mut EstateView, all: &[At]) {
    view.rows.clear();
    view.groups.clear();
    if view.grouping == Grouping::None {
        view.rows.extend(all.iter().map(|at| Row::Item(*at)));
        return;
    }
    let mut members: Vec<(Group, Vec<At>)> = Vec::new();
    for at in all {
        let Some((site, item)) = item(model, view.topic, *at) else { continue };
        let environment = &site.environment.name;
        let name = match view.grouping {
            Grouping::Group => item.group(&site.environment).map(str::to_owned),
            Grouping::Environment | Grouping::None => None,
        };
        let place = members.iter().position(|(group, _)| group.environment == *environment && group.name == name);
        let place = place.unwrap_or_else(|| {
            let (environment, folded) = (environment.clone(), false);
            let group = Group { environment, name, items: 0, unwell: 0, resting: 0, folded };
            members.push((group, Vec::new()));
            members.len() - 1
        });
        let (group, places) = &mut members[place];
        group.items += 1;
        group.unwell += usize::from(item.is_unwell());
        group.resting += usize::from(item.is_resting());
        places.push(*at);
    }
    // Those in no group come last in their environment, wherever their worst stands.
    members.sort_by_key(|(group, _)| view.grouping == Grouping::Group && group.name.is_none());
    for (number, (mut group, places)) in members.into_iter().enumerate() {
        group.folded = view.folded.contains(&group.key());
        view.rows.push(Row::Heading(number as u32));
        if !group.folded {
            view.rows.extend(places.into_iter().map(Row::Item));
        }
        view.groups.push(group);
    }
}
