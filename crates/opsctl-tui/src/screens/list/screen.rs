//! What is typed and pointed at in a list, and what its commands do.

use std::collections::BTreeSet;

use ratatui::{Frame, layout::Rect};

use super::{
    act,
    column::FIXED,
    draw::{self, height, order_in_words, places_of},
    rows::{self, has_lost, heading, listed, pin, thing_at, under},
    sort,
    thing::known,
};
use crate::{
    keymap::{Command, Key, Scope},
    observe::Focus,
    screens::screen::{Able, Change, Screen, Tab, moves},
    state::{Cursor, Effect, Field, Grouping, ListRow, ListView, Model, Mouse, MouseWhat, Notice, Topic},
    widgets::{
        Pointed, Shape,
        filter::{self, Did},
        pointed, table,
    },
};

impl Screen for ListView {
    fn scope(&self) -> Scope {
        self.topic.list().head().scope
    }

    fn tab(&self) -> Option<Tab> {
        Some(self.topic.list().head().tab)
    }

    fn wanted(&self) -> &'static [Command] {
        self.topic.list().head().wanted
    }

    fn settle(&mut self, model: &Model) {
        rows::settle(model, self, height);
    }

    fn depends_on(&self, change: Change) -> bool {
        match change {
            Change::Seen => true,
            Change::Time => self.topic.list().head().manner.ages,
            Change::Runs => false,
        }
    }

    fn focus(&self, model: &Model) -> Focus {
        let parts = self.topic.list().head().parts.iter().map(|part| (model.only.clone(), *part)).collect();
        let on_screen = self.rows.iter().skip(self.cursor.top).take(height(model, self));
        let queue = |row: &ListRow| match row {
            ListRow::Thing(at) if self.topic == Topic(Scope::Queues) => {
                let (site, thing) = thing_at(model, self.topic.list(), *at)?;
                Some((site.environment.name.clone(), thing.name().into()))
            }
            ListRow::Thing(_) | ListRow::Heading(_) => None,
        };
        Focus { queues: on_screen.filter_map(queue).collect(), parts, services: Vec::new() }
    }

    fn able(&self, model: &Model, command: Command) -> Able {
        let head = self.topic.list().head();
        match command {
            command if moves(command) => Able::Yes,
            Command::Left | Command::Right | Command::Filter | Command::Sort | Command::Reverse => Able::Yes,
            Command::Group | Command::Wide => Able::Yes,
            Command::Open => Able::when(!self.rows.is_empty(), "there is no row"),
            Command::Details | Command::Copy | Command::CopyCommand => {
                Able::when(under(model, self).is_some(), &format!("the cursor is on no {}", head.nouns[0]))
            }
            Command::Select | Command::SelectAll if head.manner.selects => {
                Able::when(!self.rows.is_empty(), "there is no row")
            }
            command if head.manner.narrow.is_some_and(|narrow| narrow.command == command) => Able::Yes,
            _ => Able::of(self.topic.list().meant(model, self, command)),
        }
    }

    fn command(&mut self, model: &mut Model, command: Command) -> Vec<Effect> {
        if self.cursor.step(command, self.rows.len(), height(model, self)) {
            self.pin_and_watch(model);
            return Vec::new();
        }
        let lost = has_lost(model, self);
        pin(model, self);
        match command {
            Command::Open => return self.open(model),
            Command::Sort => {
                sort::open(model, self);
                return Vec::new();
            }
            Command::Details | Command::Copy | Command::CopyCommand => return self.on_thing(model, command),
            command if command.is_operation() && lost => {
                let words = "what the cursor was on is no longer listed: look where it is now, then press again";
                model.say(Notice::bad(words));
                return Vec::new();
            }
            command if command.is_operation() => {
                let meant = self.topic.list().meant(model, self, command);
                return act::begin(model, command, meant);
            }
            Command::Select => self.select(model),
            Command::SelectAll => self.select_all(model),
            _ => self.change(model, command),
        }
        model.changed();
        Vec::new()
    }

    fn field(&mut self) -> Option<&mut Field> {
        self.typing.as_mut()
    }

    fn key(&mut self, model: &mut Model, key: &Key) -> Vec<Effect> {
        match filter::key(&mut self.typing, key) {
            Did::Changed => return self.typed(model),
            Did::Kept => pin(model, self),
            Did::GivenUp => self.clear_filter(model),
            Did::Moved(command) => {
                self.cursor.step(command, self.rows.len(), height(model, self));
                self.pin_and_watch(model);
            }
            Did::Nothing => {}
        }
        Vec::new()
    }

    fn typed(&mut self, model: &mut Model) -> Vec<Effect> {
        if let Some(field) = &self.typing
            && field.text() != self.filter
        {
            self.filter = field.text().to_owned();
            self.under = None;
            self.cursor = Cursor::default();
        }
        model.changed();
        Vec::new()
    }

    fn mouse(&mut self, model: &mut Model, mouse: Mouse) -> Vec<Effect> {
        let table = places_of(model, self).table;
        if mouse.what == MouseWhat::Click && mouse.row == table.y {
            self.sort_by_title(model, table, mouse.column);
        }
        match pointed(&mut self.cursor, mouse, table, self.rows.len()) {
            Pointed::Again => {
                pin(model, self);
                return self.open(model);
            }
            Pointed::Moved => self.pin_and_watch(model),
            Pointed::Nothing => {}
        }
        Vec::new()
    }

    fn draw(&self, model: &Model, frame: &mut Frame<'_>, area: Rect) {
        draw::draw(model, self, frame, area);
    }

    /// The selection goes first, then the filter.
    fn back(&mut self, model: &mut Model) -> bool {
        if !self.selected.is_empty() {
            self.selected.clear();
            return true;
        }
        if !self.filter.is_empty() {
            self.clear_filter(model);
            return true;
        }
        false
    }

    fn leave(&mut self) -> bool {
        self.typing = None;
        self.selected.clear();
        true
    }

    fn let_go(&mut self) {
        self.selected.clear();
    }

    fn is_filtering(&self) -> bool {
        self.typing.is_some()
    }

    fn is_filtered(&self) -> bool {
        !self.filter.is_empty()
    }
}

impl ListView {
    fn pin_and_watch(&mut self, model: &mut Model) {
        pin(model, self);
        model.moved();
    }

    /// What the thing under the cursor shows; a group is folded, or unfolded.
    fn open(&mut self, model: &mut Model) -> Vec<Effect> {
        if let Some(key) = heading(self).map(|group| group.key()) {
            if !self.folded.remove(&key) {
                self.folded.insert(key);
            }
            model.changed();
            return Vec::new();
        }
        let Some((environment, id)) = under(model, self).map(|(site, thing)| known(site, thing)) else {
            return Vec::new();
        };
        act::open(model, self.topic, &environment, &id)
    }

    fn on_thing(&self, model: &mut Model, command: Command) -> Vec<Effect> {
        let Some((environment, id)) = under(model, self).map(|(site, thing)| known(site, thing)) else {
            return Vec::new();
        };
        act::give(model, command, self.topic, &environment, &id)
    }

    fn change(&mut self, model: &mut Model, command: Command) {
        let head = self.topic.list().head();
        let said = match command {
            Command::Filter => {
                self.typing = Some(Field::with(&self.filter));
                None
            }
            Command::Reverse => {
                self.reversed = !self.reversed;
                Some(order_in_words(self))
            }
            Command::Group => {
                let own = head.manner.groups.map(|groups| groups.words);
                let (next, words) = match (self.grouping, own) {
                    (Grouping::None, _) => (Grouping::Environment, "grouped by environment"),
                    (Grouping::Environment, Some(words)) => (Grouping::Own, words),
                    (Grouping::Environment | Grouping::Own, _) => (Grouping::None, "not grouped"),
                };
                self.grouping = next;
                Some(words)
            }
            Command::Wide => {
                self.wide = !self.wide;
                self.shifted = 0;
                Some(if self.wide { "all columns, as far as there is room" } else { "fewer columns" })
            }
            Command::Left => {
                self.shifted = self.shifted.saturating_sub(1);
                None
            }
            Command::Right => {
                self.shifted = (self.shifted + 1).min(self.topic.list().columns() - FIXED - 1);
                None
            }
            command => head.manner.narrow.filter(|narrow| narrow.command == command).map(|narrow| {
                self.narrowed = !self.narrowed;
                narrow.words[usize::from(!self.narrowed)]
            }),
        };
        if let Some(said) = said {
            model.say(Notice::note(said));
        }
    }

    /// Selects what is under the cursor, or no longer, and goes on to the next.
    fn select(&mut self, model: &mut Model) {
        let Some(known) = under(model, self).map(|(site, thing)| known(site, thing)) else {
            return model.say(Notice::bad("select: the cursor is on a heading; the operation is for its whole group"));
        };
        if !self.selected.remove(&known) {
            self.selected.insert(known);
        }
        self.cursor.step(Command::Down, self.rows.len(), height(model, self));
        pin(model, self);
    }

    /// Selects all that are shown, or none where all are.
    fn select_all(&mut self, model: &mut Model) {
        let all: BTreeSet<_> = listed(model, self).map(|(site, thing)| known(site, thing)).collect();
        self.selected = if self.selected == all { BTreeSet::new() } else { all };
        let said = match self.selected.len() {
            0 => "nothing is selected".to_owned(),
            selected => format!("{} selected", self.topic.list().head().counted(selected)),
        };
        model.say(Notice::note(&said));
    }

    /// Takes the filter away; the cursor stays on what was found.
    fn clear_filter(&mut self, model: &mut Model) {
        pin(model, self);
        self.filter.clear();
        model.changed();
    }

    fn sort_by_title(&mut self, model: &mut Model, table: Rect, column: u16) {
        let shown = draw::shown(model, self, table.width, usize::from(table.height));
        let shapes: Vec<Shape<'_>> = shown.iter().map(|(_, shape)| *shape).collect();
        if let Some(at) = table::column_at(&shapes, table, column) {
            sort::choose(self, shown[at].0);
            model.changed();
        }
    }
}
