//! Any command, queue or environment by name.

use std::sync::Arc;

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use super::{
    able::{Able, able, able_to_change, scope},
    effect::Effect,
    estate::{self, Topic},
    event::{Mouse, MouseWhat, Notice},
    field::{Field, Typed},
    fit::{cut, cut_middle, marked, width},
    list::Cursor,
    model::{Model, Overlay},
    observed,
    popup::boxed,
    queues::{open_queue, place_of, seen_at},
    theme::Role,
    update,
};
use crate::{
    domain::{QueueName, Text},
    keymap::{
        Command, Key,
        palette::{Entry, Found, search},
        query::Query,
    },
};

/// The palette overlay.
#[derive(Debug, Clone, Default)]
pub struct Palette {
    /// What is typed.
    pub field: Field,
    /// Which of the found.
    pub cursor: Cursor,
    /// Everything that can be found.
    pub offers: Arc<Offers>,
    /// What was found, best first.
    pub found: Vec<Found>,
}

/// Everything that can be found; made when the palette opens.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Offers {
    /// What is searched.
    pub entries: Vec<Entry>,
    /// What each entry is.
    pub whats: Vec<What>,
    /// What things of some are known by.
    pub ids: Vec<String>,
}

/// What can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A command.
    Command(Command),
    /// An environment: its index among the model's sites.
    Environment(usize),
    /// A queue of an environment.
    Queue(usize),
    /// A service, a database, an alarm or a consumer of an environment: what it is known by, among [`Offers::ids`].
    Thing(usize, Topic, usize),
    /// A group of services of an environment, to wake or to put to sleep, or a migration of it: its name, among
    /// [`Offers::ids`].
    Group(usize, Command, usize),
}

/// What was chosen that is remembered.
const HISTORY_MAX: usize = 50;

/// Opens it.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    open_with(model, "")
}

/// Opens it with this typed already.
pub(super) fn open_with(model: &mut Model, text: &str) -> Vec<Effect> {
    let offers = Arc::new(offers(model));
    model.overlay = Some(Overlay::Palette(Palette { offers, field: Field::with(text), ..Palette::default() }));
    typed(model);
    Vec::new()
}

fn offers(model: &Model) -> Offers {
    let here = scope(model);
    let mut offers = Offers::default();
    let mut ids: Vec<String> = Vec::new();
    let mut add = |what: What, name: String, help: String, keys: Vec<String>| {
        offers.whats.push(what);
        offers.entries.push(Entry { name, help, keys });
    };
    for command in &in_order(model) {
        let is_offered =
            command.is_meant_in(here) && *command != Command::Palette && able(model, *command) != Able::NotHere;
        if is_offered {
            let keys = model.keymap.keys_for(here, *command).to_vec();
            add(What::Command(*command), command.name(), command.help(), keys);
        }
    }
    for (at, site) in model.sites.iter().enumerate() {
        let name = Text::line(&site.environment.name.0).to_string();
        add(What::Environment(at), name, "environment: show it alone".to_owned(), Vec::new());
    }
    for (at, site) in model.sites.iter().enumerate() {
        let help = format!("queue{}{}", model.look.dot(), Text::line(&site.environment.name.0));
        let queues = site.snapshot.iter().flat_map(|snapshot| snapshot.queues.iter());
        for seen in queues {
            add(What::Queue(at), Text::line(seen.name.as_str()).into(), help.clone(), Vec::new());
        }
    }
    for (at, site) in model.sites.iter().enumerate() {
        let environment = Text::line(&site.environment.name.0);
        for group in &site.environment.services.groups {
            for command in [Command::Wake, Command::Sleep] {
                let name = Text::line(&format!("{} {} in {environment}", command.name(), group.name)).to_string();
                add(
                    What::Group(at, command, ids.len()),
                    name,
                    format!("group of services: {}", command.help()),
                    Vec::new(),
                );
                ids.push(group.name.clone());
            }
        }
        for migration in &site.environment.services.migrations {
            let name = Text::line(&format!("migrate {} in {environment}", migration.name)).to_string();
            let help = format!("migration: {}", Command::Migrate.help());
            add(What::Group(at, Command::Migrate, ids.len()), name, help, Vec::new());
            ids.push(migration.name.clone());
        }
        for topic in Topic::ALL {
            let help = format!("{}{}{environment}", topic.nouns()[0], model.look.dot());
            for (id, name) in estate::named(site, topic) {
                add(What::Thing(at, topic, ids.len()), name, help.clone(), Vec::new());
                ids.push(id);
            }
        }
    }
    offers.ids = ids;
    offers
}

/// Every command: the view's own first, in the order of the help, ways to move last.
fn in_order(model: &Model) -> Vec<Command> {
    let bound = model.keymap.bindings(scope(model)).iter().map(|binding| binding.command);
    let mut commands: Vec<Command> = Vec::new();
    for command in bound.chain(Command::all().iter().copied()) {
        if !commands.contains(&command) {
            commands.push(command);
        }
    }
    commands.sort_by_key(|command| {
        Cursor::default().step(*command, 1, 1) || matches!(command, Command::Left | Command::Right)
    });
    commands
}

/// Takes a key.
pub(super) fn key(model: &mut Model, key: &Key) -> Vec<Effect> {
    let height = usize::from(places(super::view::areas(model.size).content).height).saturating_sub(1);
    let Some(Overlay::Palette(palette)) = &mut model.overlay else { return Vec::new() };
    let rows = palette.found.len();
    match palette.field.key(key) {
        Typed::Escape => model.overlay = None,
        Typed::Enter => return choose(model),
        Typed::Changed => typed(model),
        Typed::Nothing => {
            let command = match key.to_string().as_str() {
                "down" | "ctrl-n" | "tab" => Some(Command::Down),
                "up" | "ctrl-p" | "backtab" => Some(Command::Up),
                "pgdn" => Some(Command::PageDown),
                "pgup" => Some(Command::PageUp),
                _ => None,
            };
            if let Some(command) = command {
                palette.cursor.step(command, rows, height);
            }
        }
    }
    Vec::new()
}

/// Takes the mouse: a click chooses, one outside closes.
pub(super) fn mouse(model: &mut Model, mouse: Mouse) -> Vec<Effect> {
    let inside = places(super::view::areas(model.size).content);
    let height = usize::from(inside.height).saturating_sub(1);
    let Some(Overlay::Palette(palette)) = &mut model.overlay else { return Vec::new() };
    match mouse.what {
        MouseWhat::Scroll(lines) => palette.cursor.scroll(lines, palette.found.len(), height),
        MouseWhat::Click if !inside.contains((mouse.column, mouse.row).into()) => model.overlay = None,
        MouseWhat::Click => {
            let line = usize::from(mouse.row - inside.y);
            let row = palette.cursor.top + line.saturating_sub(1);
            if line > 0 && row < palette.found.len() {
                palette.cursor.at = row;
                return choose(model);
            }
        }
    }
    Vec::new()
}

/// What is typed has changed.
pub(super) fn typed(model: &mut Model) {
    let Some(Overlay::Palette(palette)) = &mut model.overlay else { return };
    let latest_first: Vec<&String> = model.palette_history.iter().rev().collect();
    palette.found = search(palette.field.text(), &palette.offers.entries, &latest_first);
    palette.cursor = Cursor::default();
}

/// Does what is under the cursor.
fn choose(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Palette(palette)) = &model.overlay else { return Vec::new() };
    let Some(found) = palette.found.get(palette.cursor.at) else { return Vec::new() };
    let (what, name) = (palette.offers.whats[found.entry], palette.offers.entries[found.entry].name.clone());
    let id = match what {
        What::Thing(_, _, id) | What::Group(_, _, id) => palette.offers.ids.get(id).cloned().unwrap_or_default(),
        What::Command(_) | What::Environment(_) | What::Queue(_) => String::new(),
    };
    model.overlay = None;
    model.palette_history.retain(|chosen| *chosen != name);
    model.palette_history.push(name.clone());
    if model.palette_history.len() > HISTORY_MAX {
        model.palette_history.remove(0);
    }
    match what {
        What::Command(command) => update::command_given(model, command),
        What::Environment(at) => {
            let Some(site) = model.sites.get(at) else { return Vec::new() };
            let name = site.environment.name.clone();
            observed::show_only(model, Some(name))
        }
        What::Thing(at, topic, _) => {
            let Some(site) = model.sites.get(at) else { return Vec::new() };
            let environment = site.environment.name.clone();
            estate::go_to(model, topic, &environment, &id)
        }
        What::Group(at, command, _) => {
            let Some(site) = model.sites.get(at) else { return Vec::new() };
            let meant = match command {
                Command::Migrate => match able_to_change(&site.environment) {
                    Able::Yes => Ok(estate::named_migration(site, &id)),
                    able => Err(able),
                },
                command => estate::named_group(site, command, &id),
            };
            estate::begin(model, command, meant)
        }
        What::Queue(at) => {
            let Some(site) = model.sites.get(at) else { return Vec::new() };
            let (environment, queue) = (site.environment.name.clone(), QueueName(name));
            let seen = place_of(model, &environment, &queue).and_then(|at| seen_at(model, at));
            match seen.map(|(_, seen)| seen.dead_letters.is_some()) {
                Some(is_dead_letters) => open_queue(model, &environment, &queue, is_dead_letters),
                None => {
                    model.say(Notice::bad(&format!("{queue} is no longer listed in {environment}")));
                    Vec::new()
                }
            }
        }
    }
}

/// Where the lines stand: the typed one, then what was found.
fn places(area: Rect) -> Rect {
    let width = area.width.saturating_sub(2).min(100);
    let outer = Rect { x: area.x + (area.width - width) / 2, width, height: area.height.min(22), ..area };
    Rect {
        x: outer.x + 2,
        y: outer.y + 1,
        width: outer.width.saturating_sub(4),
        height: outer.height.saturating_sub(2),
    }
}

/// Draws it.
pub(super) fn draw(model: &Model, palette: &Palette, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let inside = places(area);
    let outer = Rect { x: inside.x - 2, y: inside.y - 1, width: inside.width + 4, height: inside.height + 2 };
    boxed(frame, outer, "Commands, queues, environments", look.style(Role::Accent), look);
    if inside.height < 2 {
        return;
    }
    let list = Rect { y: inside.y + 1, height: inside.height - 1, ..inside };
    for (y, (at, found)) in (list.y..list.bottom()).zip(palette.found.iter().enumerate().skip(palette.cursor.top)) {
        let row = Rect { y, height: 1, ..list };
        let here = at == palette.cursor.at;
        if here {
            frame.buffer_mut().set_style(row, look.style(Role::Cursor));
        }
        let line = offer(model, palette, found, here, usize::from(row.width));
        frame.buffer_mut().set_line(row.x, row.y, &line, row.width);
    }
    if palette.found.is_empty() {
        let typed = Text::line(palette.field.text());
        let text = match Query::parse(palette.field.text()).wrong() {
            Some(wrong) => format!("  {}", Text::line(wrong)),
            None => format!("  nothing is called \"{typed}\"; ~{typed} finds its letters scattered"),
        };
        let text = cut(&text, usize::from(list.width), look);
        frame.buffer_mut().set_stringn(list.x, list.y, text, usize::from(list.width), look.style(Role::Dim));
    }
    let count = format!(" {} ", crate::observe::words::thousands(palette.found.len() as u64));
    let x = inside.right().saturating_sub(width(&count) as u16);
    frame.buffer_mut().set_string(x, inside.bottom(), count, look.style(Role::Dim));
    palette.field.draw(": ", frame, Rect { height: 1, ..inside }, look.style(Role::Strong), look);
}

/// One line: name, what it does or why not now, its keys.
fn offer(model: &Model, palette: &Palette, found: &Found, here: bool, room: usize) -> Line<'static> {
    let look = model.look;
    let entry = &palette.offers.entries[found.entry];
    let (able, is_command) = match palette.offers.whats[found.entry] {
        What::Command(command) => (able(model, command), true),
        What::Environment(_) | What::Queue(_) | What::Thing(..) | What::Group(..) => (Able::Yes, false),
    };
    let can = able == Able::Yes;
    let keys = entry.keys.first().cloned().unwrap_or_default();
    let style = look.style(if can { Role::Strong } else { Role::Dim });
    let help_style = look.style(Role::Dim);
    let name_room = if is_command { 20 } else { room / 2 };
    let name = cut_middle(&entry.name, name_room, look).into_owned();
    let mut spans =
        vec![Span::styled(if here { look.pointer() } else { " " }, look.style(Role::Accent)), Span::raw(" ")];
    let gap = name_room.saturating_sub(width(&name)) + 2;
    match name == entry.name {
        true => spans.extend(marked(&name, &found.name, style, look)),
        false => spans.push(Span::styled(name, style)),
    }
    spans.push(Span::raw(" ".repeat(gap)));
    let help_room = room.saturating_sub(name_room + 4 + width(&keys) + 2);
    match able {
        Able::No(because) => {
            let text = format!("not now: {because}");
            spans.push(Span::styled(cut(&text, help_room, look).into_owned(), help_style));
        }
        Able::Yes | Able::NotHere => {
            let text = cut(&entry.help, help_room, look).into_owned();
            match text == entry.help {
                true => spans.extend(marked(&text, &found.help, help_style, look)),
                false => spans.push(Span::styled(text, help_style)),
            }
        }
    }
    let used: usize = spans.iter().map(Span::width).sum();
    spans.push(Span::raw(" ".repeat(room.saturating_sub(used + width(&keys) + 1))));
    spans.push(Span::styled(keys, look.style(if can { Role::Key } else { Role::Dim })));
    Line::from(spans)
}
