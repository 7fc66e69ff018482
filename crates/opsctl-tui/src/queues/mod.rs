//! Queues: every queue of every environment.

mod columns;
mod details;
mod draw;
mod rows;
mod sort;

use std::collections::{BTreeSet, HashMap};

use ratatui::layout::Rect;

pub use self::{
    columns::{SortBy, sign},
    details::Details,
    rows::{At, Group, Row, Totals, expires_seconds, oldest_seconds, place_of, seen_at, system},
    sort::SortPicker,
};
pub(super) use self::{
    details::{draw as draw_details, key as details_key, mouse as details_mouse, open as open_details},
    draw::draw,
    sort::{draw as draw_sort, key as sort_key, mouse as sort_mouse},
};
use super::{
    able::{Able, able_to_change},
    effect::Effect,
    event::{Mouse, MouseWhat, Notice},
    field::Field,
    filter::{self, Did},
    letters,
    list::Cursor,
    model::{Model, Site, View},
    observed, table,
};
use crate::{
    domain::{Environment, EnvironmentName, QueueName, Text, invocation::option},
    keymap::{Command, Key},
    observe::{Seen, Severity},
    operations::{Operation, PauseConsumers, Purge, ResumeConsumers},
};

/// The queues view.
#[derive(Debug, Clone, Default)]
pub struct QueuesView {
    /// Where one is.
    pub cursor: Cursor,
    /// The filter being typed.
    pub typing: Option<Field>,
    /// The filter that holds.
    pub filter: String,
    /// What it is sorted by.
    pub sort: SortBy,
    /// Whether the other way round.
    pub reversed: bool,
    /// What stands under common headings.
    pub grouping: Grouping,
    /// Names of groups of which only the heading is shown.
    pub folded: BTreeSet<String>,
    /// Whether only dead-letter queues are shown.
    pub dead_letters_only: bool,
    /// Whether all columns are shown.
    pub wide: bool,
    /// Columns after the name that were moved out to the left.
    pub shifted: usize,
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
    /// What the cursor stays on; none: on the first row, until somebody moves.
    pub under: Option<Under>,
}

/// What stands under common headings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Grouping {
    /// Nothing.
    #[default]
    None,
    /// Queues of an environment.
    Environment,
    /// Queues whose names begin alike.
    System,
}

/// What the cursor is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Under {
    /// A queue.
    Queue(EnvironmentName, QueueName),
    /// A group's heading.
    Group(String),
}

impl Grouping {
    fn next(self) -> Self {
        match self {
            Self::None => Self::Environment,
            Self::Environment => Self::System,
            Self::System => Self::None,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::None => "not grouped",
            Self::Environment => "grouped by environment",
            Self::System => "grouped by system: the beginning of the name",
        }
    }
}

/// Where the parts of the view stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Places {
    heading: Rect,
    table: Rect,
    detail: Rect,
}

fn places(area: Rect) -> Places {
    let detail = match area.height {
        0..12 => 0,
        12..18 => 3,
        18.. => 4,
    };
    let heading = Rect { height: 1.min(area.height), ..area };
    let table = Rect { y: area.y + heading.height, height: area.height - heading.height - detail, ..area };
    Places { heading, table, detail: Rect { y: table.bottom(), height: detail, ..area } }
}

/// Rows of queues on the screen.
fn height(model: &Model) -> usize {
    usize::from(places(super::view::areas(model.size).content).table.height).saturating_sub(1)
}

/// Brings the rows up to date.
pub(super) fn settle(model: &Model, view: &mut QueuesView) {
    rows::settle(model, view, height(model));
}

/// Queues on the screen.
pub(super) fn visible(model: &Model, view: &QueuesView) -> Vec<(EnvironmentName, QueueName)> {
    let shown = view.rows.iter().skip(view.cursor.top).take(height(model));
    shown
        .filter_map(|row| match row {
            Row::Heading(_) => None,
            Row::Queue(at) => {
                seen_at(model, *at).map(|(site, seen)| (site.environment.name.clone(), seen.name.clone()))
            }
        })
        .collect()
}

/// The queue under the cursor.
fn queue<'a>(model: &'a Model, view: &QueuesView) -> Option<(&'a Site, &'a Seen)> {
    match view.rows.get(view.cursor.at)? {
        Row::Heading(_) => None,
        Row::Queue(at) => seen_at(model, *at),
    }
}

/// Whether a redrive of this queue can be planned.
pub(super) fn able_to_redrive(site: &Site, seen: &Seen) -> Able {
    match able_to_change(&site.environment) {
        Able::Yes if seen.dead_letters.is_none() => Able::no("it is no dead-letter queue: nothing names it as one"),
        Able::Yes if seen.messages() == Some(0) => Able::no("no messages lie in it"),
        able => able,
    }
}

pub(super) fn able(model: &Model, view: &QueuesView, command: Command) -> Able {
    let under = queue(model, view);
    let on_queue = || Able::when(under.is_some(), "the cursor is on no queue");
    match command {
        Command::Down | Command::Up | Command::First | Command::Last | Command::PageDown | Command::PageUp => Able::Yes,
        Command::HalfPageDown | Command::HalfPageUp | Command::Left | Command::Right => Able::Yes,
        Command::Filter | Command::Sort | Command::Reverse | Command::Group | Command::Wide => Able::Yes,
        Command::DeadLettersOnly => Able::Yes,
        Command::Open => Able::when(!view.rows.is_empty(), "there is no row"),
        Command::Details | Command::Copy | Command::CopyCommand => on_queue(),
        Command::Redrive => match under {
            Some((site, seen)) => able_to_redrive(site, seen),
            None => on_queue(),
        },
        Command::Purge | Command::ConsumersPause | Command::ConsumersResume => match under {
            Some((site, _)) => able_to_change(&site.environment),
            None => on_queue(),
        },
        Command::Select | Command::SelectAll => Able::no("an operation is for one queue: the one under the cursor"),
        Command::Force => Able::no("open the queue first: it is for looking at messages"),
        _ => Able::NotHere,
    }
}

pub(super) fn command(model: &mut Model, command: Command) -> Vec<Effect> {
    let height = height(model);
    let View::Queues(view) = model.view_mut() else { return Vec::new() };
    if view.cursor.step(command, view.rows.len(), height) {
        pin(model);
        return observed::focus(model);
    }
    pin(model);
    match command {
        Command::Open => return open(model),
        Command::Sort => return sort::open(model),
        Command::Details | Command::Redrive | Command::Purge | Command::Copy | Command::CopyCommand => {
            return on_queue(model, command);
        }
        Command::ConsumersPause | Command::ConsumersResume => {
            return on_queue(model, command);
        }
        _ => {}
    }
    let View::Queues(view) = model.view_mut() else { return Vec::new() };
    let said = match command {
        Command::Filter => {
            view.typing = Some(Field::with(&view.filter));
            None
        }
        Command::Reverse => {
            view.reversed = !view.reversed;
            Some(view.sort.words()[usize::from(view.reversed)])
        }
        Command::Group => {
            view.grouping = view.grouping.next();
            Some(view.grouping.words())
        }
        Command::Wide => {
            view.wide = !view.wide;
            view.shifted = 0;
            Some(if view.wide { "all columns, as far as there is room" } else { "fewer columns" })
        }
        Command::DeadLettersOnly => {
            view.dead_letters_only = !view.dead_letters_only;
            Some(if view.dead_letters_only { "dead-letter queues only" } else { "all queues" })
        }
        Command::Left => {
            view.shifted = view.shifted.saturating_sub(1);
            None
        }
        Command::Right => {
            view.shifted = (view.shifted + 1).min(columns::ALL.len() - draw::FIXED - 1);
            None
        }
        _ => None,
    };
    if let Some(said) = said {
        model.say(Notice::note(said));
    }
    observed::settle(model);
    observed::focus(model)
}

/// From now on the cursor stays on what it is on.
fn pin(model: &mut Model) {
    let View::Queues(view) = model.view() else { return };
    let under = match view.rows.get(view.cursor.at) {
        None => None,
        Some(Row::Heading(at)) => view.groups.get(*at as usize).map(|group| Under::Group(group.name.clone())),
        Some(Row::Queue(at)) => {
            seen_at(model, *at).map(|(site, seen)| Under::Queue(site.environment.name.clone(), seen.name.clone()))
        }
    };
    if let View::Queues(view) = model.view_mut() {
        view.under = under;
    }
}

/// Dead letters of a dead-letter queue, details of another; a group is folded, or unfolded.
fn open(model: &mut Model) -> Vec<Effect> {
    let View::Queues(view) = model.view() else { return Vec::new() };
    if let Some(Row::Heading(at)) = view.rows.get(view.cursor.at) {
        let name = view.groups.get(*at as usize).map(|group| group.name.clone()).unwrap_or_default();
        if let View::Queues(view) = model.view_mut()
            && !view.folded.remove(&name)
        {
            view.folded.insert(name);
        }
        observed::settle(model);
        return observed::focus(model);
    }
    let Some((site, seen)) = queue(model, view) else { return Vec::new() };
    let (environment, name, is_dlq) = (site.environment.name.clone(), seen.name.clone(), seen.dead_letters.is_some());
    open_queue(model, &environment, &name, is_dlq)
}

/// Dead letters of a dead-letter queue, details of another.
pub(super) fn open_queue(
    model: &mut Model,
    environment: &EnvironmentName,
    queue: &QueueName,
    is_dead_letters: bool,
) -> Vec<Effect> {
    if is_dead_letters { letters::open(model, environment, queue) } else { open_details(model, environment, queue) }
}

fn on_queue(model: &mut Model, command: Command) -> Vec<Effect> {
    let View::Queues(view) = model.view() else { return Vec::new() };
    let Some((site, seen)) = queue(model, view) else { return Vec::new() };
    let (environment, name) = (site.environment.name.clone(), seen.name.clone());
    act(model, command, &environment, &name)
}

/// What can be done with a queue, wherever it is shown.
pub(super) fn act(model: &mut Model, command: Command, environment: &EnvironmentName, name: &QueueName) -> Vec<Effect> {
    match command {
        Command::Details => open_details(model, environment, name),
        Command::Redrive => letters::begin_all(model, environment, name),
        Command::Purge => {
            let purge = Purge { queue: name.0.clone(), ..Purge::default() };
            super::flow::begin(model, environment, Operation::Purge(purge))
        }
        Command::ConsumersPause | Command::ConsumersResume => begin_consumers(model, command, environment, name),
        Command::Copy => vec![Effect::Copy(Text::line(name.as_str()).to_string())],
        Command::CopyCommand => {
            let line = place_of(model, environment, name)
                .and_then(|at| seen_at(model, at))
                .map(|(site, seen)| command_lines(&site.environment, seen).into_iter().next().unwrap_or_default());
            vec![Effect::Copy(Text::line(&line.unwrap_or_default()).to_string())]
        }
        _ => Vec::new(),
    }
}

/// Pauses what takes from a queue, or resumes what was paused for it.
pub(super) fn begin_consumers(
    model: &mut Model,
    command: Command,
    environment: &EnvironmentName,
    name: &QueueName,
) -> Vec<Effect> {
    let operation = match command {
        Command::ConsumersResume => {
            Operation::ResumeConsumers(ResumeConsumers { queue: Some(name.0.clone()), ..ResumeConsumers::default() })
        }
        _ => Operation::PauseConsumers(PauseConsumers { queue: name.0.clone(), ..PauseConsumers::default() }),
    };
    super::flow::begin(model, environment, operation)
}

/// Command lines for a queue, the most wanted first.
pub(super) fn command_lines(environment: &Environment, seen: &Seen) -> Vec<String> {
    let verbs: &[&str] = if seen.dead_letters.is_some() { &["redrive", "groups", "peek"] } else { &["peek"] };
    let queue = option("queue", seen.name.as_str());
    verbs.iter().map(|verb| environment.command(&format!("{verb} {queue}"))).collect()
}

/// Takes a key while a filter is typed: enter keeps it, esc gives it up.
pub(super) fn filter_key(model: &mut Model, key: &Key) -> Vec<Effect> {
    let height = height(model);
    let View::Queues(view) = model.view_mut() else { return Vec::new() };
    match filter::key(&mut view.typing, key) {
        Did::Changed => filter_typed(model),
        Did::Kept => {
            pin(model);
            Vec::new()
        }
        Did::GivenUp => clear_filter(model),
        Did::Moved(command) => {
            view.cursor.step(command, view.rows.len(), height);
            pin(model);
            observed::focus(model)
        }
        Did::Nothing => Vec::new(),
    }
}

fn filter_typed(model: &mut Model) -> Vec<Effect> {
    if let View::Queues(view) = model.view_mut()
        && let Some(field) = &view.typing
    {
        let text = field.text().to_owned();
        if text != view.filter {
            view.filter = text;
            view.under = None;
            view.cursor = Cursor::default();
        }
    }
    observed::settle(model);
    observed::focus(model)
}

/// Takes the filter away; the cursor stays on what was found.
fn clear_filter(model: &mut Model) -> Vec<Effect> {
    pin(model);
    if let View::Queues(view) = model.view_mut() {
        view.filter.clear();
    }
    observed::settle(model);
    observed::focus(model)
}

/// Back takes the filter away first; `None`: there is none.
pub(super) fn back(model: &mut Model) -> Option<Vec<Effect>> {
    match model.view() {
        View::Queues(view) if !view.filter.is_empty() => Some(clear_filter(model)),
        _ => None,
    }
}

pub(super) fn paste(model: &mut Model, text: &str) -> Vec<Effect> {
    if let View::Queues(view) = model.view_mut()
        && let Some(field) = &mut view.typing
    {
        field.paste(text);
    }
    filter_typed(model)
}

pub(super) fn mouse(model: &mut Model, mouse: Mouse) -> Vec<Effect> {
    let places = places(super::view::areas(model.size).content);
    let height = height(model);
    if mouse.what == MouseWhat::Click && mouse.row == places.table.y {
        return sort_by_title(model, places.table, mouse.column);
    }
    let View::Queues(view) = model.view_mut() else { return Vec::new() };
    match mouse.what {
        MouseWhat::Scroll(lines) => {
            view.cursor.scroll(lines, view.rows.len(), height);
            pin(model);
            observed::focus(model)
        }
        MouseWhat::Click => {
            let Some(line) = mouse.row.checked_sub(places.table.y + 1) else { return Vec::new() };
            let row = view.cursor.top + usize::from(line);
            if usize::from(line) >= height || row >= view.rows.len() {
                return Vec::new();
            }
            if view.cursor.at == row {
                pin(model);
                return open(model);
            }
            view.cursor.go(row, view.rows.len(), height);
            pin(model);
            observed::focus(model)
        }
    }
}

fn sort_by_title(model: &mut Model, table: Rect, column: u16) -> Vec<Effect> {
    let View::Queues(view) = model.view() else { return Vec::new() };
    let shown = draw::shown(model, view, table.width, usize::from(table.height));
    let columns: Vec<table::Column<'_>> = shown.iter().map(|listed| listed.column).collect();
    match table::column_at(&columns, table, column) {
        Some(at) => sort::choose(model, shown[at].by),
        None => Vec::new(),
    }
}
