//! Home: what needs somebody, worst first, in every environment.

mod acknowledge;
mod draw;
mod filtering;
mod summary;

use ratatui::layout::Rect;

pub use self::{acknowledge::Asking, filtering::Order, summary::Summary};
pub(super) use self::{
    acknowledge::{draw as draw_acknowledge, key as acknowledge_key},
    draw::draw,
    filtering::{back, filter_key, paste},
};
use super::{
    able::{Able, able_to_change},
    acknowledged::Book,
    effect::Effect,
    estate::{self, Topic},
    event::{Mouse, MouseWhat, Notice},
    field::Field,
    list::Cursor,
    model::{Model, Site, View},
    observed,
    queues::{self, QueuesView, open_queue, place_of, seen_at},
    standing::{Needs, standing},
};
use crate::{
    domain::{EnvironmentName, Protection, QueueName, Text},
    keymap::Command,
    observe::{Kind, Seen, Subject, Verdict, verdict::worst_first},
    run::Failure,
};

/// The home view.
#[derive(Debug, Clone, Default)]
pub struct HomeView {
    /// What needs somebody, worst first.
    pub rows: Vec<Verdict>,
    /// Where one is.
    pub cursor: Cursor,
    /// The environments shown, in short.
    pub summaries: Vec<Summary>,
    /// Whether each environment's stand together, instead of the worst of all first.
    pub by_environment: bool,
    /// Whether the cursor stays on what it is on: once somebody has moved it.
    pub pinned: bool,
    /// The filter being typed.
    pub typing: Option<Field>,
    /// The filter that holds.
    pub filter: String,
    /// What it is sorted by.
    pub order: Order,
    /// Whether what was acknowledged is shown, and nothing else.
    pub acknowledged_only: bool,
    /// What is acknowledged of the environments shown.
    pub acknowledged: usize,
    /// Rows before the filter.
    pub all: usize,
}

/// Where the parts of the view stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Places {
    summary: Rect,
    table: Rect,
    detail: Rect,
}

/// Rows of the detail area: a rule, what and where, three lines of reason, keys.
const DETAIL: u16 = 6;

fn places(area: Rect, environments: usize) -> Places {
    // The list comes first: it keeps at least half of the room.
    let detail = if area.height >= 14 { DETAIL } else { area.height.min(if area.height >= 9 { 3 } else { 0 }) };
    let wanted = u16::try_from(environments).unwrap_or(u16::MAX).saturating_add(1);
    let room = (area.height - detail).saturating_sub(6);
    let summary = if room >= 2 { wanted.min(room.max(2)).min(area.height / 3) } else { 0 };
    let part = |y: u16, height: u16| Rect { y, height, ..area };
    let table = part(area.y + summary, area.height - summary - detail);
    Places { summary: part(area.y, summary), table, detail: part(table.bottom(), detail) }
}

fn places_of(model: &Model) -> Places {
    places(super::view::areas(model.size).content, model.shown_sites().count())
}

fn height(model: &Model) -> usize {
    usize::from(places_of(model).table.height).saturating_sub(1)
}

type Identity = (EnvironmentName, Subject);

/// Brings the rows up to date; the cursor stays on what it was on.
pub(super) fn settle(model: &Model, view: &mut HomeView) {
    let identity = |row: &Verdict| -> Identity { (row.environment.clone(), row.subject.clone()) };
    let under = view.rows.get(view.cursor.at).filter(|_| view.pinned).map(|row| (identity(row), row.kind));
    let mut sites: Vec<&Site> = model.shown_sites().collect();
    if !view.by_environment {
        // Among equals those of the best protected environments come first.
        sites.sort_by_key(|site| site.environment.protection != Protection::TypeName);
    }
    let all: Vec<Verdict> = sites.into_iter().flat_map(|site| site.verdicts.iter().cloned()).collect();
    let all = if view.by_environment { all } else { worst_first(all) };
    let (all, acknowledged) = acknowledge::split(model, view, all);
    (view.all, view.acknowledged) = (all.len(), acknowledged);
    view.rows = filtering::rows(model, view, all);
    if let Some((under, kind)) = under {
        // What was growing may expire now: it is the same queue. An environment has several.
        let exact = view.rows.iter().position(|row| identity(row) == under && row.kind == kind);
        let same = || view.rows.iter().position(|row| identity(row) == under);
        view.cursor.at = exact.or_else(same).unwrap_or(view.cursor.at);
    }
    view.summaries = model.shown_sites().map(|site| summary::of(site, model.now)).collect();
    view.cursor.settle(view.rows.len(), height(model));
}

/// Queues on the screen.
pub(super) fn visible(model: &Model, view: &HomeView) -> Vec<(EnvironmentName, QueueName)> {
    let shown = view.rows.iter().skip(view.cursor.top).take(height(model));
    shown
        .filter_map(|row| match &row.subject {
            Subject::Queue(queue) => Some((row.environment.clone(), queue.clone())),
            Subject::Environment
            | Subject::Queues
            | Subject::Parts(_)
            | Subject::Service(_)
            | Subject::Database(_)
            | Subject::Alarm(_)
            | Subject::Consumer(_) => None,
        })
        .collect()
}

/// What of the environments shown needs somebody, and is not acknowledged.
pub(super) fn needy(model: &Model) -> usize {
    let all = model.shown_sites().flat_map(|site| &site.verdicts);
    all.filter(|verdict| !model.acknowledged.hides(verdict, model.now)).count()
}

/// What is acknowledged has come from disk, or something was kept there.
pub(super) fn acknowledged(model: &mut Model, answer: Result<Book, Failure>) -> Vec<Effect> {
    match answer {
        Ok(book) => model.acknowledged = book,
        Err(failure) => model.say(Notice::bad(&format!("{}; {}", failure.what, failure.hint))),
    }
    observed::settle(model);
    observed::focus(model)
}

/// What the cursor is on.
fn under(view: &HomeView) -> Option<&Verdict> {
    view.rows.get(view.cursor.at)
}

/// What a verdict is about, as it is called.
fn what(model: &Model, verdict: &Verdict) -> String {
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
fn queue_of<'a>(model: &'a Model, verdict: &Verdict) -> Option<(&'a Site, &'a Seen)> {
    match &verdict.subject {
        Subject::Queue(queue) => seen_at(model, place_of(model, &verdict.environment, queue)?),
        Subject::Environment
        | Subject::Queues
        | Subject::Parts(_)
        | Subject::Service(_)
        | Subject::Database(_)
        | Subject::Alarm(_)
        | Subject::Consumer(_) => None,
    }
}

pub(super) fn able(model: &Model, view: &HomeView, command: Command) -> Able {
    let under = under(view);
    let queue = under.and_then(|under| queue_of(model, under));
    let no_queue = || match under.map(|under| Topic::of(&under.subject)) {
        None => Able::no("nothing needs you"),
        Some(None) => Able::no("it is about the environment: the cursor is on no queue"),
        Some(Some(topic)) => Able::no(&format!("it is about a {}: the cursor is on no queue", topic.nouns()[0])),
    };
    match command {
        Command::Down | Command::Up | Command::First | Command::Last | Command::PageDown | Command::PageUp => Able::Yes,
        Command::HalfPageDown | Command::HalfPageUp => Able::Yes,
        Command::Group => Able::when(model.sites.len() > 1, "there is one environment only"),
        Command::Open | Command::Copy => Able::when(under.is_some(), "nothing needs you"),
        Command::Redrive => queue.map_or_else(no_queue, |(site, seen)| queues::able_to_redrive(site, seen)),
        Command::Purge => queue.map_or_else(no_queue, |(site, _)| able_to_change(&site.environment)),
        Command::Details | Command::CopyCommand if under.is_some_and(|under| Topic::of(&under.subject).is_some()) => {
            Able::Yes
        }
        Command::Details | Command::CopyCommand => queue.map_or_else(no_queue, |_| Able::Yes),
        Command::Wake | Command::Failover => able_to_operate(model, under, command),
        Command::Sort | Command::Filter | Command::Acknowledged => Able::Yes,
        Command::Acknowledge => Able::when(under.is_some(), "nothing needs you"),
        Command::Reverse => Able::no("the next order is what sort changes to"),
        _ => Able::NotHere,
    }
}

/// Whether what the cursor is on can be woken, or failed over.
fn able_to_operate(model: &Model, under: Option<&Verdict>, command: Command) -> Able {
    let wanted = if command == Command::Wake { Topic::Services } else { Topic::Databases };
    let meant = under.and_then(|under| Some((under, wanted.id_in(&under.subject)?)));
    match (under, meant) {
        (None, _) => Able::no("nothing needs you"),
        (Some(_), None) => Able::no(&format!("the cursor is on no {}", wanted.nouns()[0])),
        (Some(_), Some((under, id))) => estate::able_on(model, command, &under.environment, wanted, &id),
    }
}

pub(super) fn command(model: &mut Model, command: Command) -> Vec<Effect> {
    let height = height(model);
    let View::Home(view) = model.view_mut() else { return Vec::new() };
    view.pinned = true;
    let rows = view.rows.len();
    if view.cursor.step(command, rows, height) {
        return observed::focus(model);
    }
    if command == Command::Group {
        view.by_environment = !view.by_environment;
        let words = if view.by_environment { "by environment" } else { "worst first" };
        model.say(Notice::note(words));
        observed::settle(model);
        return observed::focus(model);
    }
    if matches!(command, Command::Filter | Command::Sort | Command::Acknowledged) {
        return filtering::change(model, command);
    }
    if command == Command::Acknowledge {
        return acknowledge::begin(model);
    }
    let Some(verdict) = view.rows.get(view.cursor.at).cloned() else { return Vec::new() };
    match (command, &verdict.subject) {
        (Command::Open, _) => open(model, &verdict),
        (Command::Copy, Subject::Environment | Subject::Queues | Subject::Parts(_)) => {
            vec![Effect::Copy(to_run(model, &verdict))]
        }
        (_, Subject::Queue(queue)) => queues::act(model, command, &verdict.environment, queue),
        (_, Subject::Environment | Subject::Queues | Subject::Parts(_)) => Vec::new(),
        (_, Subject::Service(_) | Subject::Database(_) | Subject::Alarm(_) | Subject::Consumer(_)) => {
            on_estate(model, command, &verdict)
        }
    }
}

/// A command on a service, a database, an alarm, a consumer.
fn on_estate(model: &mut Model, command: Command, verdict: &Verdict) -> Vec<Effect> {
    let Some(topic) = Topic::of(&verdict.subject) else { return Vec::new() };
    let Some(id) = topic.id_in(&verdict.subject) else { return Vec::new() };
    let environment = verdict.environment.clone();
    match command {
        Command::Details => estate::open_sheet(model, topic, &environment, &id),
        Command::Wake | Command::Failover => estate::begin_on(model, command, &environment, topic, &id),
        Command::Copy | Command::CopyCommand => {
            estate::copy(model, command, &environment, topic, &id).into_iter().map(Effect::Copy).collect()
        }
        _ => Vec::new(),
    }
}

/// What deals with it: dead letters, details, the environment's queues, or what to run.
fn open(model: &mut Model, verdict: &Verdict) -> Vec<Effect> {
    match (&verdict.subject, verdict.kind) {
        (Subject::Queue(queue), _) => {
            let is_dead_letters = queue_of(model, verdict).is_some_and(|(_, seen)| seen.dead_letters.is_some());
            let can_be_read = verdict.kind != Kind::Denied;
            open_queue(model, &verdict.environment, queue, is_dead_letters && can_be_read)
        }
        (Subject::Environment | Subject::Parts(_), Kind::Credentials) => {
            let site = model.site(&verdict.environment);
            let needs = site.map(|site| standing(site, model.now).needs);
            if let Some(Needs::Credentials(hint) | Needs::Reaching(hint)) = needs {
                model.say(Notice::note(&format!("{}: {hint}", verdict.environment)));
            }
            Vec::new()
        }
        (Subject::Service(_) | Subject::Database(_) | Subject::Alarm(_) | Subject::Consumer(_), _) => {
            let topic = Topic::of(&verdict.subject);
            let meant = topic.and_then(|topic| Some((topic, topic.id_in(&verdict.subject)?)));
            meant.map_or_else(Vec::new, |(topic, id)| estate::go_to(model, topic, &verdict.environment, &id))
        }
        (Subject::Environment | Subject::Queues | Subject::Parts(_), _) => {
            model.only = Some(verdict.environment.clone());
            super::update::go(model, View::Queues(QueuesView::default()))
        }
    }
}

/// What is to be run, where the reason names a command in backticks; else the reason.
fn to_run(model: &Model, verdict: &Verdict) -> String {
    let hint = model.site(&verdict.environment).and_then(|site| match standing(site, model.now).needs {
        Needs::Credentials(hint) | Needs::Reaching(hint) => Some(hint),
        Needs::Nothing => None,
    });
    let text = hint.unwrap_or_else(|| verdict.reason.clone());
    text.as_str().split('`').nth(1).unwrap_or(text.as_str()).to_owned()
}

pub(super) fn mouse(model: &mut Model, mouse: Mouse) -> Vec<Effect> {
    let table = places_of(model).table;
    let height = height(model);
    let View::Home(view) = model.view_mut() else { return Vec::new() };
    view.pinned = true;
    match mouse.what {
        MouseWhat::Scroll(lines) => view.cursor.scroll(lines, view.rows.len(), height),
        MouseWhat::Click => {
            let Some(line) = mouse.row.checked_sub(table.y + 1).map(usize::from) else { return Vec::new() };
            let row = view.cursor.top + line;
            if line >= height || row >= view.rows.len() {
                return Vec::new();
            }
            if row == view.cursor.at {
                let verdict = view.rows[row].clone();
                return open(model, &verdict);
            }
            view.cursor.go(row, view.rows.len(), height);
        }
    }
    observed::focus(model)
}
