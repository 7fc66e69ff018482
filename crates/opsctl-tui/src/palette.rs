//! Any command, view, queue or environment by name.

use std::sync::Arc;

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use crate::{
    able::able,
    domain::Text,
    keymap::{
        Command, Key, Scope,
        palette::{Entry, Found, search},
        query::Query,
    },
    navigate::{scope, show_only},
    operations::OperationKind,
    screens::{
        list::{
            act::{self, named},
            listed::Listed,
            topics::{
                LISTS,
                scaling::{named_group, named_migration},
            },
        },
        screen::{Able, After, Pane, PaneKeys, able_to_change, moves},
    },
    state::{
        Cursor, Effect, Field, Model, Mouse, MouseWhat, Notice, Palette, Role, Site, Topic, Typed, View, Way,
        view::{Choice, Offers},
    },
    widgets::{areas, boxed, cut, cut_middle, fit::marked, put, width, words::count},
};

const HISTORY_MAX: usize = 50;

impl Pane for Palette {
    fn keys(&self) -> PaneKeys {
        PaneKeys::Typing("choose", "close")
    }

    /// What can be found is listed once, when it opens.
    fn settle(&mut self, model: &Model) {
        if self.offers.is_none() {
            self.offers = Some(Arc::new(offers(model)));
            self.search(model);
        }
    }

    fn key(&mut self, model: &mut Model, key: &Key, _: Option<Command>) -> After {
        match self.field.key(key) {
            Typed::Escape => return After::close(),
            Typed::Enter => return self.choose(model),
            Typed::Changed => self.search(model),
            Typed::Nothing => {
                let command = match key.to_string().as_str() {
                    "down" | "ctrl-n" | "tab" => Command::Down,
                    "up" | "ctrl-p" | "backtab" => Command::Up,
                    "pgdn" => Command::PageDown,
                    "pgup" => Command::PageUp,
                    _ => return After::stay(),
                };
                self.cursor.step(command, self.found.len(), height(model));
            }
        }
        After::stay()
    }

    fn mouse(&mut self, model: &mut Model, mouse: Mouse) -> After {
        let inside = places(areas(model.size).content);
        match mouse.what {
            MouseWhat::Scroll(lines) => self.cursor.scroll(lines, self.found.len(), height(model)),
            MouseWhat::Click if !inside.contains((mouse.column, mouse.row).into()) => return After::close(),
            MouseWhat::Click => {
                let line = usize::from(mouse.row - inside.y);
                let row = self.cursor.top + line.saturating_sub(1);
                if line > 0 && row < self.found.len() {
                    self.cursor.at = row;
                    return self.choose(model);
                }
            }
        }
        After::stay()
    }

    fn field(&mut self) -> Option<&mut Field> {
        Some(&mut self.field)
    }

    fn typed(&mut self, model: &Model) {
        self.search(model);
    }

    fn draw(&self, model: &Model, frame: &mut Frame<'_>, area: Rect) {
        let look = model.look;
        let inside = places(area);
        let outer = Rect { x: inside.x - 2, y: inside.y - 1, width: inside.width + 4, height: inside.height + 2 };
        boxed(frame, outer, "Commands, queues, environments", look.style(Role::Accent), look);
        if inside.height < 2 {
            return;
        }
        let list = Rect { y: inside.y + 1, height: inside.height - 1, ..inside };
        for (y, (at, found)) in (list.y..list.bottom()).zip(self.found.iter().enumerate().skip(self.cursor.top)) {
            let row = Rect { y, height: 1, ..list };
            let here = at == self.cursor.at;
            if here {
                frame.buffer_mut().set_style(row, look.style(Role::Cursor));
            }
            let line = offer(model, self, found, here, usize::from(row.width));
            frame.buffer_mut().set_line(row.x, row.y, &line, row.width);
        }
        if self.found.is_empty() {
            let typed = Text::line(self.field.text());
            let text = match Query::parse(self.field.text()).wrong() {
                Some(wrong) => format!("  {}", Text::line(wrong)),
                None => format!("  nothing is called \"{typed}\"; ~{typed} finds its letters scattered"),
            };
            put(frame, list, &text, look.style(Role::Dim), look);
        }
        let number = format!(" {} ", count(self.found.len() as u64));
        let x = inside.right().saturating_sub(width(&number) as u16);
        frame.buffer_mut().set_string(x, inside.bottom(), number, look.style(Role::Dim));
        self.field.draw(": ", frame, Rect { height: 1, ..inside }, look.style(Role::Strong), look);
    }
}

impl Palette {
    fn search(&mut self, model: &Model) {
        let latest_first: Vec<&String> = model.palette_history.iter().rev().collect();
        let entries = self.offers.as_ref().map_or(&[][..], |offers| offers.entries.as_slice());
        self.found = search(self.field.text(), entries, &latest_first);
        self.cursor = Cursor::default();
    }

    fn choose(&self, model: &mut Model) -> After {
        let found = self.offers.as_ref().zip(self.found.get(self.cursor.at));
        let Some((offers, found)) = found else { return After::stay() };
        remember(model, &offers.entries[found.entry].name);
        let id = |at: usize| offers.ids.get(at).map_or("", String::as_str);
        let site = |model: &Model, at: usize| model.sites.get(at).cloned();
        match offers.whats[found.entry] {
            Choice::Command(command) => model.due.command = Some(command),
            Choice::Environment(at) => {
                if let Some(site) = site(model, at) {
                    show_only(model, Some(site.environment.name.clone()));
                }
            }
            Choice::Thing(at, topic, thing) => {
                let Some(site) = site(model, at) else { return After::close() };
                return After::leaves(chosen(model, &site, topic, id(thing)));
            }
            Choice::Group(at, command, name) => {
                let Some(site) = site(model, at) else { return After::close() };
                let meant = match command {
                    Command::Operate(OperationKind::Migrate) => match able_to_change(&site.environment) {
                        Able::Yes => Ok(named_migration(&site, id(name))),
                        able => Err(able),
                    },
                    command => named_group(&site, command, id(name)),
                };
                return After::leaves(act::begin(model, command, meant));
            }
        }
        After::close()
    }
}

/// A queue is opened where one is; everything else is shown in its list.
fn chosen(model: &mut Model, site: &Site, topic: Topic, id: &str) -> Vec<Effect> {
    let environment = site.environment.name.clone();
    if topic != Topic(Scope::Queues) {
        model.go(Way::Thing(topic, environment, id.to_owned()));
        return Vec::new();
    }
    if act::find(model, topic, &environment, id).is_none() {
        model.say(Notice::bad(&format!("{id} is no longer listed in {environment}")));
        return Vec::new();
    }
    act::open(model, topic, &environment, id)
}

fn remember(model: &mut Model, name: &str) {
    model.palette_history.retain(|chosen| *chosen != name);
    model.palette_history.push(name.to_owned());
    if model.palette_history.len() > HISTORY_MAX {
        model.palette_history.remove(0);
    }
}

fn height(model: &Model) -> usize {
    usize::from(places(areas(model.size).content).height).saturating_sub(1)
}

#[derive(Default)]
struct Gathering(Offers);

impl Gathering {
    fn add(&mut self, what: Choice, name: String, help: String, keys: Vec<String>) {
        self.0.whats.push(what);
        self.0.entries.push(Entry { name, help, keys });
    }

    /// Something that is known by more than its name.
    fn add_known(&mut self, id: String, what: impl FnOnce(usize) -> Choice, name: String, help: String) {
        let what = what(self.0.ids.len());
        self.0.ids.push(id);
        self.add(what, name, help, Vec::new());
    }
}

fn offers(model: &Model) -> Offers {
    let mut all = Gathering::default();
    commands(&mut all, model);
    for (at, site) in model.sites.iter().enumerate() {
        let name = Text::line(&site.environment.name.0).to_string();
        all.add(Choice::Environment(at), name, "environment: show it alone".to_owned(), Vec::new());
    }
    for (at, site) in model.sites.iter().enumerate() {
        things(&mut all, model, at, site, LISTS[0]);
    }
    for (at, site) in model.sites.iter().enumerate() {
        groups(&mut all, at, site);
        LISTS[1..].iter().for_each(|list| things(&mut all, model, at, site, *list));
    }
    all.0
}

fn commands(all: &mut Gathering, model: &Model) {
    let here = scope(model);
    let views: Vec<Command> = View::standing().iter().filter_map(|view| Some(view.screen().tab()?.command)).collect();
    for command in in_order(model) {
        let is_offered =
            command.is_meant_in(here) && command != Command::Palette && able(model, command) != Able::NotHere;
        if is_offered {
            let keys = model.keymap.keys_for(here, command).to_vec();
            let goes_to = if views.contains(&command) { "go to " } else { "" };
            all.add(Choice::Command(command), format!("{goes_to}{}", command.name()), command.help(), keys);
        }
    }
}

fn groups(all: &mut Gathering, at: usize, site: &Site) {
    let environment = &site.environment.name;
    for group in &site.environment.services.groups {
        for command in [Command::Operate(OperationKind::Wake), Command::Operate(OperationKind::Sleep)] {
            let name = Text::line(&format!("{} {} in {environment}", command.name(), group.name)).to_string();
            let help = format!("group of services: {}", command.help());
            all.add_known(group.name.clone(), |id| Choice::Group(at, command, id), name, help);
        }
    }
    for migration in &site.environment.services.migrations {
        let name = Text::line(&format!("migrate {} in {environment}", migration.name)).to_string();
        let help = format!("migration: {}", Command::Operate(OperationKind::Migrate).help());
        all.add_known(
            migration.name.clone(),
            |id| Choice::Group(at, Command::Operate(OperationKind::Migrate), id),
            name,
            help,
        );
    }
}

fn things(all: &mut Gathering, model: &Model, at: usize, site: &Site, list: &'static dyn Listed) {
    let topic = Topic(list.head().scope);
    let environment = Text::line(&site.environment.name.0);
    let help = format!("{}{}{environment}", list.head().nouns[0], model.look.dot());
    for (id, name) in named(list, site) {
        all.add_known(id, |id| Choice::Thing(at, topic, id), name, help.clone());
    }
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
    commands.sort_by_key(|command| moves(*command) || matches!(command, Command::Left | Command::Right));
    commands
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

/// One line: name, what it does or why not now, its keys.
fn offer(model: &Model, palette: &Palette, found: &Found, here: bool, room: usize) -> Line<'static> {
    let look = model.look;
    let Some(offers) = &palette.offers else { return Line::default() };
    let entry = &offers.entries[found.entry];
    let (able, is_command) = match offers.whats[found.entry] {
        Choice::Command(command) => (able(model, command), true),
        Choice::Environment(_) | Choice::Thing(..) | Choice::Group(..) => (Able::Yes, false),
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
