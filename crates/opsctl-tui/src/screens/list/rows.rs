//! Rows of a list: what fits the filter, sorted and grouped. Each is a place in a snapshot, not a copy.

use std::collections::HashMap;

use super::{
    column::{Order, Spot},
    gaps::gaps,
    listed::{Listed, things},
    thing::{Thing, known, shown},
    topics::subject,
};
use crate::{
    domain::EnvironmentName,
    keymap::query::{Fit, Query, Search},
    observe::Severity,
    state::{At, Grouping, ListGroup, ListRow, ListView, Model, Site, Totals, Under},
    widgets::width,
};

/// Columns that a name is measured by at most: the longest name of a queue that SQS allows.
const NAME_MAX: usize = 80;

pub(crate) fn thing_at<'a>(model: &'a Model, list: &dyn Listed, at: At) -> Option<(&'a Site, &'a dyn Thing)> {
    let site = model.sites.get(usize::from(at.site))?;
    Some((site, list.thing(site, at.row as usize)?))
}

pub(crate) fn under<'a>(model: &'a Model, view: &ListView) -> Option<(&'a Site, &'a dyn Thing)> {
    match view.rows.get(view.cursor.at)? {
        ListRow::Heading(_) => None,
        ListRow::Thing(at) => thing_at(model, view.topic.list(), *at),
    }
}

pub(crate) fn heading(view: &ListView) -> Option<&ListGroup> {
    match view.rows.get(view.cursor.at)? {
        ListRow::Heading(at) => view.groups.get(*at as usize),
        ListRow::Thing(_) => None,
    }
}

pub(crate) fn listed<'a>(
    model: &'a Model,
    view: &'a ListView,
) -> impl Iterator<Item = (&'a Site, &'a dyn Thing)> + use<'a> {
    let list = view.topic.list();
    view.rows.iter().filter_map(move |row| match row {
        ListRow::Heading(_) => None,
        ListRow::Thing(at) => thing_at(model, list, *at),
    })
}

/// Brings the rows up to date; the cursor stays on what it was on. `height` says how many are seen beside so many gaps.
pub(crate) fn settle(model: &Model, view: &mut ListView, height: impl FnOnce(&Model, &ListView) -> usize) {
    let list = view.topic.list();
    view.gaps = gaps(model, list.head());
    view.needs = needs(model, view, list);
    let all = chosen(model, view, list);
    let fitting = filtered(model, view, list, all);
    view.totals.fitting = fitting.len();
    let sorted = sort(model, view, list, &fitting);
    group(model, view, list, &sorted);
    let row = match &view.under {
        None => None,
        Some(Under::Thing(environment, id)) => place_of(model, list, environment, id).map(ListRow::Thing),
        Some(Under::Group(key)) => {
            view.groups.iter().position(|group| group.key() == *key).map(|at| ListRow::Heading(at as u32))
        }
    };
    if let Some(found) = row.and_then(|row| view.rows.iter().position(|other| *other == row)) {
        view.cursor.at = found;
    }
    let height = height(model, view);
    view.cursor.settle(view.rows.len(), height);
}

fn place_of(model: &Model, list: &dyn Listed, environment: &EnvironmentName, id: &str) -> Option<At> {
    let site = model.sites.iter().position(|site| site.environment.name == *environment)?;
    // By name first, which most are known by: a list may hold thousands.
    let of = &model.sites[site];
    let is = |row: usize| list.thing(of, row).is_some_and(|thing| thing.is(id));
    let named = list.find(of, id).into_iter().find(|row| is(*row));
    let row = named.or_else(|| (0..list.count(of)).find(|row| is(*row)))?;
    Some(At { site: u16::try_from(site).ok()?, row: u32::try_from(row).ok()? })
}

fn is_shown(model: &Model, site: &Site) -> bool {
    model.only.as_ref().is_none_or(|only| *only == site.environment.name)
}

fn needs(model: &Model, view: &ListView, list: &dyn Listed) -> HashMap<At, (Severity, u32)> {
    let mut needs = HashMap::new();
    for (site, of) in model.sites.iter().enumerate().filter(|(_, of)| is_shown(model, of)) {
        for verdict in &of.verdicts {
            let Some((_, name)) = subject(&verdict.subject).filter(|(topic, _)| *topic == view.topic) else { continue };
            for row in list.find(of, &name) {
                let at = At { site: site as u16, row: row as u32 };
                needs.entry(at).or_insert((verdict.severity, verdict.rank.weight));
            }
        }
    }
    needs
}

/// Things of the environments shown; a part of them only, where that was chosen.
fn chosen(model: &Model, view: &mut ListView, list: &dyn Listed) -> Vec<At> {
    let mut totals = Totals::default();
    let mut longest = 0;
    let mut all = Vec::new();
    for (site, of) in model.sites.iter().enumerate().filter(|(_, of)| is_shown(model, of)) {
        all.reserve(list.count(of));
        for (row, thing) in things(list, of).enumerate() {
            totals.all += 1;
            add(&mut totals.tallies, thing.tallies());
            if !view.narrowed || thing.is_narrow() {
                longest = longest.max(columns_of(thing.name()));
                all.push(At { site: site as u16, row: row as u32 });
            }
        }
    }
    view.totals = totals;
    view.longest = longest.min(NAME_MAX) as u16;
    all
}

fn columns_of(name: &str) -> usize {
    if name.is_ascii() { name.len() } else { width(&shown(name)) }
}

fn add(tallies: &mut [u64; 2], of: [u64; 2]) {
    for (sum, one) in tallies.iter_mut().zip(of) {
        *sum += one;
    }
}

/// By name, and by where it is and how it stands.
fn filtered(model: &Model, view: &ListView, list: &dyn Listed, all: Vec<At>) -> Vec<(Fit, At)> {
    let query = Query::parse(&view.filter);
    if query.is_empty() {
        return all.into_iter().map(|at| (Fit::ANY, at)).collect();
    }
    let mut search = Search::default();
    let fit = |at: At| {
        let (site, thing) = thing_at(model, list, at)?;
        let [first, second] = thing.searched();
        Some((search.fit(&query, thing.name(), &[first.as_str(), second.as_str(), &site.environment.name.0])?, at))
    };
    all.into_iter().filter_map(fit).collect()
}

/// What fits the filter better comes first, in a chosen order only what was typed whole; then by the column, what is not known
/// last; equals by how they stand, by environment and name.
fn sort(model: &Model, view: &ListView, list: &dyn Listed, all: &[(Fit, At)]) -> Vec<At> {
    struct Keyed<'a> {
        first: (Fit, bool),
        key: Option<Order>,
        rank: (i64, u16),
        name: &'a str,
        at: At,
    }
    let mut keyed: Vec<Keyed<'_>> = Vec::with_capacity(all.len());
    for (fit, at) in all {
        let Some((site, thing)) = thing_at(model, list, *at) else { continue };
        let fit = if view.sort == 0 { *fit } else { fit.exact_or_not() };
        let spot = Spot { site, at: *at, need: view.needs.get(at).copied(), now: model.now };
        let key = list.order(&spot, view.sort);
        let first = (fit, key.is_none());
        keyed.push(Keyed { first, key, rank: (thing.rank(), at.site), name: thing.name(), at: *at });
    }
    keyed.sort_by(|left, right| {
        let by_key = left.key.cmp(&right.key);
        let by_key = if view.reversed { by_key.reverse() } else { by_key };
        let by_name = || match list.head().manner.by_name && left.at.site == right.at.site {
            true => left.at.row.cmp(&right.at.row),
            false => lowercase(left.name).cmp(lowercase(right.name)),
        };
        left.first.cmp(&right.first).then(by_key).then_with(|| left.rank.cmp(&right.rank)).then_with(by_name)
    });
    keyed.into_iter().map(|keyed| keyed.at).collect()
}

fn lowercase(name: &str) -> impl Iterator<Item = char> + '_ {
    name.chars().flat_map(char::to_lowercase)
}

fn group(model: &Model, view: &mut ListView, list: &dyn Listed, all: &[At]) {
    view.rows.clear();
    view.groups.clear();
    let own = match view.grouping {
        Grouping::None => {
            view.rows.extend(all.iter().map(|at| ListRow::Thing(*at)));
            return;
        }
        Grouping::Environment => None,
        Grouping::Own => list.head().manner.groups,
    };
    let mut places: HashMap<(Option<&EnvironmentName>, Option<&str>), usize> = HashMap::new();
    let mut members: Vec<(ListGroup, Vec<At>)> = Vec::new();
    for at in all {
        let Some((site, thing)) = thing_at(model, list, *at) else { continue };
        let environment = own.is_none_or(|own| own.per_environment).then_some(&site.environment.name);
        let name = own.and_then(|_| thing.group(&site.environment));
        let place = *places.entry((environment, name)).or_insert_with(|| {
            let (environment, name) = (environment.cloned(), name.map(str::to_owned));
            members.push((ListGroup { environment, name, things: 0, tallies: [0; 2], folded: false }, Vec::new()));
            members.len() - 1
        });
        let (group, things) = &mut members[place];
        group.things += 1;
        add(&mut group.tallies, thing.group_tallies());
        things.push(*at);
    }
    if own.is_some_and(|own| !own.lone) {
        members = without_lone(members);
    }
    // Those in no group come last, wherever their worst stands.
    members.sort_by_key(|(group, _)| own.is_some() && group.name.is_none());
    for (number, (mut group, things)) in members.into_iter().enumerate() {
        group.folded = view.folded.contains(&group.key());
        view.rows.push(ListRow::Heading(number as u32));
        if !group.folded {
            view.rows.extend(things.into_iter().map(ListRow::Thing));
        }
        view.groups.push(group);
    }
}

/// What shares its group with nothing is in none.
fn without_lone(members: Vec<(ListGroup, Vec<At>)>) -> Vec<(ListGroup, Vec<At>)> {
    let (mut groups, alone): (Vec<_>, Vec<_>) = members.into_iter().partition(|(_, things)| things.len() > 1);
    let mut rest = ListGroup { environment: None, name: None, things: 0, tallies: [0; 2], folded: false };
    let mut things = Vec::new();
    for (group, mut own) in alone {
        rest.things += group.things;
        add(&mut rest.tallies, group.tallies);
        things.append(&mut own);
    }
    if !things.is_empty() {
        groups.push((rest, things));
    }
    groups
}

/// From now on the cursor stays on what it is on.
pub(crate) fn pin(model: &Model, view: &mut ListView) {
    let known = under_now(model, view);
    view.under = known.or_else(|| heading(view).map(|group| Under::Group(group.key())));
}

/// Whether the cursor was on something that went from the list, so that it is on a neighbour now.
pub(crate) fn has_lost(model: &Model, view: &ListView) -> bool {
    matches!(&view.under, Some(Under::Thing(..))) && view.under != under_now(model, view)
}

fn under_now(model: &Model, view: &ListView) -> Option<Under> {
    let (environment, id) = under(model, view).map(|(site, thing)| known(site, thing))?;
    Some(Under::Thing(environment, id))
}
