//! Services, databases, alarms and consumers of every environment: one list for each, which work alike.

mod alarms;
mod columns;
mod consumers;
mod databases;
mod draw;
mod input;
mod items;
mod rows;
mod services;
mod sheet;
mod sheets;
mod sort;
mod standing;
mod verbs;

use std::collections::{BTreeSet, HashMap};

use ratatui::layout::Rect;

pub(super) use self::{
    draw::draw,
    input::{back, filter_key, mouse, paste},
    sheet::{
        alarm_read, draw as draw_sheet, key as sheet_key, mouse as sheet_mouse, open as open_sheet,
        settle as settle_sheet,
    },
    sort::{draw as draw_sort, key as sort_key, mouse as sort_mouse},
    verbs::{begin, begin_on, named_group, named_migration, on as able_on},
};
use self::{
    input::{change, select, select_all},
    items::{item, items, known},
};
pub use self::{
    items::{Item, Topic},
    rows::{At, Group, Row, Totals},
    sheet::Sheet,
    standing::Gap,
};
use super::{
    able::Able,
    effect::Effect,
    event::Notice,
    field::Field,
    list::Cursor,
    model::{Model, Overlay, Site, View},
    observed,
};
use crate::{
    domain::{EnvironmentName, service::ServiceId},
    keymap::Command,
    observe::Severity,
};

/// A list of services, databases, alarms or consumers.
#[derive(Debug, Clone)]
pub struct EstateView {
    /// What it is of.
    pub topic: Topic,
    /// Where one is.
    pub cursor: Cursor,
    /// The filter being typed.
    pub typing: Option<Field>,
    /// The filter that holds.
    pub filter: String,
    /// The column that it is sorted by, a place among the topic's; 0: the worst first.
    pub sort: usize,
    /// Whether the other way round.
    pub reversed: bool,
    /// What stands under common headings.
    pub grouping: Grouping,
    /// Groups of which only the heading is shown.
    pub folded: BTreeSet<String>,
    /// Whether all columns are shown.
    pub wide: bool,
    /// Columns after the name that were moved out to the left.
    pub shifted: usize,
    /// What was selected, by environment and by what it is known by.
    pub selected: BTreeSet<(EnvironmentName, String)>,
    /// Rows as they stand now.
    pub rows: Vec<Row>,
    /// Groups that headings name.
    pub groups: Vec<Group>,
    /// What the rows are about.
    pub totals: Totals,
    /// Columns of the longest name among them.
    pub longest: u16,
    /// What of them needs somebody: how bad it is, and its weight among those as bad.
    pub needs: HashMap<At, (Severity, u32)>,
    /// What of the environments is not known, or old, in words.
    pub gaps: Vec<Gap>,
    /// What the cursor stays on; none: on the first row, until somebody moves.
    pub under: Option<Under>,
}

/// What stands under common headings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Grouping {
    /// Nothing.
    #[default]
    None,
    /// Things of an environment.
    Environment,
    /// Services that wake and sleep together, as configured.
    Group,
}

/// What the cursor is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Under {
    /// A thing, by what it is known by.
    Item(EnvironmentName, String),
    /// A group's heading.
    Group(String),
}

impl EstateView {
    /// As it is at first.
    pub fn of(topic: Topic) -> Self {
        Self {
            topic,
            cursor: Cursor::default(),
            typing: None,
            filter: String::new(),
            sort: 0,
            reversed: false,
            grouping: Grouping::None,
            folded: BTreeSet::new(),
            wide: false,
            shifted: 0,
            selected: BTreeSet::new(),
            rows: Vec::new(),
            groups: Vec::new(),
            totals: Totals::default(),
            longest: 0,
            needs: HashMap::new(),
            gaps: Vec::new(),
            under: None,
        }
    }

    /// Its order in words.
    fn order_in_words(&self) -> &'static str {
        let column = self.topic.columns().into_iter().find(|listed| listed.at == self.sort);
        column.map_or("", |listed| listed.words[usize::from(self.reversed)])
    }
}

impl Grouping {
    fn next(self, topic: Topic) -> Self {
        match (self, topic) {
            (Self::None, _) => Self::Environment,
            (Self::Environment, Topic::Services) => Self::Group,
            (Self::Environment | Self::Group, _) => Self::None,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::None => "not grouped",
            Self::Environment => "grouped by environment",
            Self::Group => "grouped by what wakes and sleeps together",
        }
    }
}

/// Where the parts of the view stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Places {
    heading: Rect,
    gaps: Rect,
    table: Rect,
    detail: Rect,
}

fn places(area: Rect, gaps: usize) -> Places {
    let detail = match area.height {
        0..12 => 0,
        12..18 => 3,
        18..30 => 4,
        30.. => 5,
    };
    let part = |y: u16, height: u16| Rect { y, height, ..area };
    let heading = part(area.y, 1.min(area.height));
    let most = if area.height < 12 { 1 } else { 3 };
    let gaps = u16::try_from(gaps).unwrap_or(most).min(most).min(area.height - heading.height);
    let gaps = part(heading.bottom(), gaps);
    let table = part(gaps.bottom(), (area.height - heading.height - gaps.height).saturating_sub(detail));
    Places { heading, gaps, table, detail: part(table.bottom(), detail.min(area.bottom() - table.bottom())) }
}

fn places_of(model: &Model, view: &EstateView) -> Places {
    places(super::view::areas(model.size).content, view.gaps.len())
}

/// Rows of things on the screen.
fn height(model: &Model, view: &EstateView) -> usize {
    usize::from(places_of(model, view).table.height).saturating_sub(1)
}

/// Brings the rows up to date.
pub(super) fn settle(model: &Model, view: &mut EstateView) {
    view.gaps = standing::gaps(model, view.topic);
    rows::settle(model, view, height(model, view));
}

/// The service whose details are shown.
pub(super) fn looked_at(model: &Model) -> Option<(EnvironmentName, ServiceId)> {
    let Some(Overlay::Sheet(sheet)) = &model.overlay else { return None };
    match sheet::found(model, sheet) {
        Some((site, Item::Service(seen))) => Some((site.environment.name.clone(), seen.service.id.clone())),
        Some((_, Item::Database(_) | Item::Alarm(_) | Item::Mapping(_) | Item::Lag(_))) | None => None,
    }
}

/// What is under the cursor.
fn under<'a>(model: &'a Model, view: &EstateView) -> Option<(&'a Site, Item<'a>)> {
    match view.rows.get(view.cursor.at)? {
        Row::Heading(_) => None,
        Row::Item(at) => item(model, view.topic, *at),
    }
}

/// What is selected and still there.
fn selection<'a>(model: &'a Model, view: &EstateView) -> Vec<(&'a Site, Item<'a>)> {
    let sites = model.sites.iter();
    let all = sites.flat_map(|site| items(site, view.topic).map(move |item| (site, item)));
    all.filter(|(site, item)| view.selected.contains(&(site.environment.name.clone(), item.id()))).collect()
}

/// The group whose heading is under the cursor.
fn heading(view: &EstateView) -> Option<&Group> {
    match view.rows.get(view.cursor.at)? {
        Row::Heading(at) => view.groups.get(*at as usize),
        Row::Item(_) => None,
    }
}

pub(super) fn able(model: &Model, view: &EstateView, command: Command) -> Able {
    let topic = view.topic;
    let on_item = || Able::when(under(model, view).is_some(), &format!("the cursor is on no {}", topic.nouns()[0]));
    match command {
        Command::Down | Command::Up | Command::First | Command::Last | Command::PageDown | Command::PageUp => Able::Yes,
        Command::HalfPageDown | Command::HalfPageUp | Command::Left | Command::Right => Able::Yes,
        Command::Filter | Command::Sort | Command::Reverse | Command::Group | Command::Wide => Able::Yes,
        Command::Open => Able::when(!view.rows.is_empty(), "there is no row"),
        Command::Details | Command::Copy | Command::CopyCommand => on_item(),
        Command::Select | Command::SelectAll if topic == Topic::Services => {
            Able::when(!view.rows.is_empty(), "there is no row")
        }
        Command::Wake
        | Command::Sleep
        | Command::Failover
        | Command::Migrate
        | Command::ConsumersPause
        | Command::ConsumersResume => verbs::able(model, view, command),
        _ => Able::NotHere,
    }
}

pub(super) fn command(model: &mut Model, command: Command) -> Vec<Effect> {
    let View::Estate(view) = model.view() else { return Vec::new() };
    let height = height(model, view);
    let View::Estate(view) = model.view_mut() else { return Vec::new() };
    if view.cursor.step(command, view.rows.len(), height) {
        pin(model);
        return observed::focus(model);
    }
    let lost = lost(model);
    pin(model);
    match command {
        Command::Wake
        | Command::Sleep
        | Command::Failover
        | Command::Migrate
        | Command::ConsumersPause
        | Command::ConsumersResume
            if lost =>
        {
            model
                .say(Notice::bad("what the cursor was on is no longer listed: look where it is now, then press again"));
            return Vec::new();
        }
        Command::Open => return open(model),
        Command::Sort => return sort::open(model),
        Command::Details | Command::Copy | Command::CopyCommand => return on_item(model, command),
        Command::Wake
        | Command::Sleep
        | Command::Failover
        | Command::Migrate
        | Command::ConsumersPause
        | Command::ConsumersResume => {
            return verbs::begin_here(model, command);
        }
        Command::Select => select(model),
        Command::SelectAll => select_all(model),
        _ => change(model, command),
    }
    observed::settle(model);
    observed::focus(model)
}

/// Whether the cursor was on something that went from the list, so that it is on a neighbour now.
fn lost(model: &Model) -> bool {
    let View::Estate(view) = model.view() else { return false };
    let now = under(model, view).map(|(site, item)| Under::Item(site.environment.name.clone(), item.id()));
    matches!(&view.under, Some(Under::Item(..))) && view.under != now
}

/// Lets go of what was selected: what it was selected for has begun, or other things are shown.
pub(super) fn let_go(model: &mut Model) {
    for view in &mut model.views {
        if let View::Estate(view) = view {
            view.selected.clear();
        }
    }
}

/// From now on the cursor stays on what it is on.
fn pin(model: &mut Model) {
    let View::Estate(view) = model.view() else { return };
    let known = under(model, view).map(|(site, item)| Under::Item(site.environment.name.clone(), item.id()));
    let known = known.or_else(|| heading(view).map(|group| Under::Group(group.key())));
    if let View::Estate(view) = model.view_mut() {
        view.under = known;
    }
}

/// Details of a thing; a group is folded, or unfolded.
fn open(model: &mut Model) -> Vec<Effect> {
    let View::Estate(view) = model.view() else { return Vec::new() };
    if let Some(key) = heading(view).map(Group::key) {
        if let View::Estate(view) = model.view_mut()
            && !view.folded.remove(&key)
        {
            view.folded.insert(key);
        }
        observed::settle(model);
        return observed::focus(model);
    }
    on_item(model, Command::Details)
}

fn on_item(model: &mut Model, command: Command) -> Vec<Effect> {
    let View::Estate(view) = model.view() else { return Vec::new() };
    let topic = view.topic;
    let Some((site, item)) = under(model, view) else { return Vec::new() };
    let (environment, id) = (site.environment.name.clone(), item.id());
    match command {
        Command::Details => open_sheet(model, topic, &environment, &id),
        Command::Copy => vec![Effect::Copy(item.name())],
        Command::CopyCommand => vec![Effect::Copy(verbs::line(site, item))],
        _ => Vec::new(),
    }
}

/// What a command copies of one thing, wherever it is shown: its name, or the command line for it.
pub(super) fn copy(
    model: &Model,
    command: Command,
    environment: &EnvironmentName,
    topic: Topic,
    name: &str,
) -> Option<String> {
    let site = model.site(environment)?;
    let item = items(site, topic).find(|item| item.is_meant_by(name))?;
    Some(if command == Command::CopyCommand { verbs::line(site, item) } else { item.name() })
}

/// Services, databases and alarms of an environment in short: how many stand how. None: not known.
pub(super) fn tally(site: &Site, topic: Topic) -> Option<Totals> {
    let estate = &site.snapshot.as_ref()?.estate;
    known(estate, topic).iter().any(|part| part.at.is_some()).then(|| {
        let mut totals = Totals::default();
        for item in items(site, topic) {
            totals.all += 1;
            totals.unwell += usize::from(item.is_unwell());
            totals.resting += usize::from(item.is_resting());
        }
        totals
    })
}

/// What everything of a topic is known by, with its name, safe to show.
pub(super) fn named(site: &Site, topic: Topic) -> impl Iterator<Item = (String, String)> {
    items(site, topic).map(|item| (item.id(), item.name()))
}

/// Goes to the list of a topic, the cursor on this thing.
pub(super) fn go_to(model: &mut Model, topic: Topic, environment: &EnvironmentName, name: &str) -> Vec<Effect> {
    let site = model.site(environment);
    let id = site.and_then(|site| items(site, topic).find(|item| item.is_meant_by(name)).map(Item::id));
    let Some(id) = id else {
        let effects = super::update::go(model, View::Estate(Box::new(EstateView::of(topic))));
        model.say(Notice::bad(&format!("{name} is not among the {} seen last", topic.nouns()[1])));
        return effects;
    };
    let effects = super::update::go(model, View::Estate(Box::new(EstateView::of(topic))));
    if model.only.as_ref().is_some_and(|only| only != environment) {
        model.only = None;
    }
    if let View::Estate(view) = model.view_mut() {
        // What would hide it is taken away, and what was meant before.
        view.selected.clear();
        view.filter.clear();
        view.typing = None;
        view.folded.clear();
        view.under = Some(Under::Item(environment.clone(), id));
    }
    observed::settle(model);
    effects.into_iter().chain(observed::focus(model)).collect()
}
