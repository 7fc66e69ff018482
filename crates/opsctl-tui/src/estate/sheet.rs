//! Everything that is known of one thing, over its list.

use ratatui::{Frame, layout::Rect};

use super::{Item, Topic, go_to, items, sheets, verbs};
use crate::{
    able::Able,
    cloud::alarms::History,
    domain::{EnvironmentName, Text},
    effect::Effect,
    event::{Mouse, MouseWhat, Notice},
    keymap::{Command, Key},
    model::{Model, Overlay, Site, View},
    overlay,
    page::Page,
    popup::popup,
    run::Failure,
    theme::Role,
    ticket::{Load, Ticket},
};

/// Widest text: longer lines are hard to read.
const COLUMNS_MAX: u16 = 110;

/// Everything that is known of a thing.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// What it is of.
    pub topic: Topic,
    /// Where.
    pub environment: EnvironmentName,
    /// What it is known by.
    pub id: String,
    /// What is shown.
    pub page: Page,
    /// First line of it that is seen.
    pub top: usize,
    /// What an alarm went through; of other things: not asked for.
    pub history: Load<History>,
}

/// Opens it.
pub(crate) fn open(model: &mut Model, topic: Topic, environment: &EnvironmentName, id: &str) -> Vec<Effect> {
    let (environment, id) = (environment.clone(), id.to_owned());
    let mut sheet = Sheet { topic, environment, id, page: Page::default(), top: 0, history: Load::Idle };
    let alarm = match found(model, &sheet) {
        Some((_, Item::Alarm(alarm))) => Some(alarm.name.clone()),
        Some(_) | None => None,
    };
    let mut effects = Vec::new();
    if let Some(name) = alarm {
        let ticket = model.ticket();
        sheet.history.ask(ticket);
        effects.push(Effect::ReadAlarm(ticket, sheet.environment.clone(), name));
    }
    model.overlay = Some(Overlay::Sheet(Box::new(sheet)));
    settle(model);
    effects.extend(crate::observed::focus(model));
    effects
}

/// What an alarm went through came, or did not.
pub(crate) fn alarm_read(model: &mut Model, ticket: Ticket, answer: Result<History, Failure>) -> Vec<Effect> {
    if let Some(Overlay::Sheet(sheet)) = &mut model.overlay
        && sheet.history.answer(ticket, answer)
    {
        settle(model);
    }
    Vec::new()
}

pub(crate) fn found<'a>(model: &'a Model, sheet: &Sheet) -> Option<(&'a Site, Item<'a>)> {
    let site = model.site(&sheet.environment)?;
    Some((site, items(site, sheet.topic).find(|item| item.is_meant_by(&sheet.id))?))
}

/// Brings what is shown up to date.
pub(crate) fn settle(model: &mut Model) {
    let Some(Overlay::Sheet(sheet)) = &model.overlay else { return };
    let mut page = Page::new(columns(model));
    match found(model, sheet) {
        Some((site, item)) => {
            sheets::page(&mut page, model, site, item);
            sheets::history(&mut page, &sheet.history);
        }
        None => page.text("It is not among those seen last.", Role::Warning),
    }
    let rows = rows(model);
    if let Some(Overlay::Sheet(sheet)) = &mut model.overlay {
        sheet.page = page;
        sheet.page.settle(&mut sheet.top, rows);
    }
}

fn area(model: &Model) -> Rect {
    crate::view::areas(model.size).content
}

/// Columns of text inside.
fn columns(model: &Model) -> usize {
    usize::from(area(model).width.saturating_sub(2).min(COLUMNS_MAX + 4).saturating_sub(4))
}

/// Rows of text inside, at most.
fn rows(model: &Model) -> usize {
    usize::from(area(model).height.saturating_sub(2))
}

/// Takes a key: the list's commands hold for what is shown.
pub(crate) fn key(model: &mut Model, key: &Key) -> Vec<Effect> {
    let Some(command) = meaning(model, key) else { return Vec::new() };
    let rows = rows(model);
    let Some(Overlay::Sheet(sheet)) = &mut model.overlay else { return Vec::new() };
    if sheet.page.step(&mut sheet.top, command, rows) {
        return Vec::new();
    }
    let (topic, environment, id) = (sheet.topic, sheet.environment.clone(), sheet.id.clone());
    match command {
        Command::Back | Command::Details => {
            model.overlay = None;
            crate::observed::focus(model)
        }
        Command::Open if !is_in_its_list(model, topic) => {
            model.overlay = None;
            go_to(model, topic, &environment, &id)
        }
        Command::Copy => copy(model, |_, item| item.name()),
        Command::CopyCommand => copy(model, verbs::line),
        Command::Wake | Command::Sleep | Command::Failover => {
            match verbs::on(model, command, &environment, topic, &id) {
                Able::Yes => {
                    model.overlay = None;
                    verbs::begin_on(model, command, &environment, topic, &id)
                }
                Able::No(because) => {
                    model.say(Notice::bad(&format!("{}: {because}", command.name())));
                    Vec::new()
                }
                Able::NotHere => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}

/// Keys mean here what they mean in the list of its topic, wherever it was opened.
fn meaning(model: &Model, key: &Key) -> Option<Command> {
    let Some(Overlay::Sheet(sheet)) = &model.overlay else { return None };
    overlay::meaning_in(model, sheet.topic.scope(), key)
}

fn is_in_its_list(model: &Model, topic: Topic) -> bool {
    matches!(model.view(), View::Estate(view) if view.topic == topic)
}

fn copy(model: &Model, text: impl FnOnce(&Site, Item<'_>) -> String) -> Vec<Effect> {
    let Some(Overlay::Sheet(sheet)) = &model.overlay else { return Vec::new() };
    found(model, sheet).map(|(site, item)| Effect::Copy(text(site, item))).into_iter().collect()
}

/// Takes the mouse: the wheel scrolls, a click closes.
pub(crate) fn mouse(model: &mut Model, mouse: Mouse) -> Vec<Effect> {
    let rows = rows(model);
    match (mouse.what, &mut model.overlay) {
        (MouseWhat::Click, _) => model.overlay = None,
        (MouseWhat::Scroll(lines), Some(Overlay::Sheet(sheet))) => sheet.page.scroll(&mut sheet.top, lines, rows),
        (MouseWhat::Scroll(_), _) => {}
    }
    Vec::new()
}

/// Draws it.
pub(crate) fn draw(model: &Model, sheet: &Sheet, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let size = (columns(model) as u16 + 4, u16::try_from(sheet.page.len()).unwrap_or(u16::MAX).saturating_add(2));
    let site = model.site(&sheet.environment);
    let environment = site.map(|site| look.environment_name(&site.environment)).unwrap_or_default();
    let name = found(model, sheet).map_or_else(|| Text::line(&sheet.id).to_string(), |(_, item)| item.name());
    let title = format!("{name}{}{}", look.dot(), Text::line(&environment));
    let inside = popup(frame, area, size, &title, look.style(Role::Accent), look);
    sheet.page.draw(frame, inside, sheet.top, look);
}
