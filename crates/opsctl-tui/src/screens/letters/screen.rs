//! A queue's dead letters: failure groups first, then messages.

use ratatui::{Frame, layout::Rect};

use crate::{
    domain::{EnvironmentName, Invocation, MessageId, Text, invocation::option},
    keymap::{Command, Key, Scope},
    leave::{Force, NoLeave},
    observe::Focus,
    operations::{Operation, OperationKind, Purge},
    screens::{
        flow::planning,
        letters::{
            choose::{self, PLANNED},
            columns, draw,
            edits::begin_edit,
            filter,
            looks::{self, leave, look},
            places::{self, dead_letter, environment},
            rows::{self, members},
        },
        screen::{Able, Screen, able_to_change, moves},
    },
    state::{
        Cursor, Effect, Field, LOOKS, LettersView, Level, MessageView, Model, Mouse, Notice, View, letters::Order,
    },
    widgets::{Pointed, areas, pointed},
};

impl Screen for LettersView {
    fn scope(&self) -> Scope {
        Scope::DeadLetters
    }

    fn wanted(&self) -> &'static [Command] {
        &[
            Command::Open,
            Command::Operate(OperationKind::Redrive),
            Command::Select,
            Command::SelectGroup,
            Command::Messages,
            Command::Filter,
            Command::Edit,
        ]
    }

    /// Keeps the cursors where they can be seen. Rows change only with what brought the change.
    fn settle(&mut self, model: &Model) {
        rows::settle(self, model.size);
    }

    fn focus(&self, _: &Model) -> Focus {
        Focus { queues: vec![(self.environment.clone(), self.queue.clone())], ..Focus::default() }
    }

    fn able(&self, model: &Model, command: Command) -> Able {
        let letters = self.letters.shown().filter(|letters| !letters.messages.is_empty());
        let are_there = Able::when(letters.is_some(), NOT_LOOKED);
        let is_listed = match self.level {
            Level::Groups => Able::when(letters.is_some(), NOT_LOOKED),
            Level::Messages => Able::when(self.under().is_some(), "no message is listed"),
        };
        let of_messages = match (self.level, self.under()) {
            (Level::Groups, _) => Able::no("open a group or the messages first"),
            (Level::Messages, None) => Able::no("no message is listed"),
            (Level::Messages, Some(_)) => Able::Yes,
        };
        match command {
            command if moves(command) => Able::Yes,
            Command::Open if letters.is_none() => open_instead(model, self),
            Command::Open | Command::Select | Command::SelectAll | Command::Copy => is_listed,
            Command::Messages | Command::Filter | Command::Columns | Command::CopyCommand | Command::Details => {
                are_there
            }
            Command::SelectGroup | Command::Sort | Command::Reverse => of_messages,
            Command::Edit => both(changeable(model, self), of_messages),
            Command::LookMore => match (self.more(), leave(model, self, Force::Yes)) {
                (_, Err(refusal)) => Able::no(&refusal.to_string()),
                (None, _) => Able::no(&format!("{} is the most that a look takes", self.asked)),
                (Some(_), _) if self.letters.is_waiting() => Able::no("a look is under way"),
                (Some(_), _) => Able::Yes,
            },
            Command::Force => match leave(model, self, Force::No) {
                Err(NoLeave::LookKills { .. }) => Able::when(!self.letters.is_waiting(), "a look is under way"),
                Err(refusal) => Able::no(&refusal.to_string()),
                Ok(()) => Able::no("nothing stands in the way of a look: refresh looks again"),
            },
            Command::Operate(OperationKind::Redrive) => both(changeable(model, self), redrivable(model, self)),
            Command::Operate(OperationKind::Purge) => changeable(model, self),
            _ => Able::NotHere,
        }
    }

    fn command(&mut self, model: &mut Model, command: Command) -> Vec<Effect> {
        let size = model.size;
        if step(self, command, size) {
            return Vec::new();
        }
        match command {
            Command::Open => return open(self, model),
            Command::Messages => {
                if self.level == Level::Groups {
                    self.group = None;
                    self.level = Level::Messages;
                    rows::build(self);
                } else {
                    rows::go_to_groups(self);
                }
            }
            Command::Select => select(self, size),
            Command::SelectAll => {
                let all = listed(self);
                toggle(self, all);
            }
            Command::SelectGroup => {
                let group = group_under(self);
                toggle(self, group);
            }
            Command::Filter => {
                self.level = Level::Messages;
                let text = self.filter.as_ref().map(|filter| filter.text.clone()).unwrap_or_default();
                self.typing = Some(Field::with(&text));
                rows::build(self);
            }
            Command::Sort => sort(self, model),
            Command::Reverse => {
                self.reverse = !self.reverse;
                rows::build(self);
            }
            Command::Details => self.details = !self.details,
            Command::Columns => columns::open(self, model),
            Command::LookMore => {
                let messages_max = self.more().unwrap_or(LOOKS[0]);
                return look(self, model, messages_max, Force::No);
            }
            Command::Force => {
                let messages_max = self.asked;
                return look(self, model, messages_max, Force::Yes);
            }
            Command::Edit => {
                let id = ids(self, self.under().into_iter()).pop();
                let ticket = model.ticket();
                return id.map(|id| begin_edit(self, &model.edits, ticket, &id)).unwrap_or_default();
            }
            Command::Copy => return copy(self),
            Command::CopyCommand => return copy_command(self, &model.invocation()),
            Command::Operate(OperationKind::Redrive) => return choose::begin(self, model),
            Command::Operate(OperationKind::Purge) => {
                let (environment, queue) = (self.environment.clone(), self.queue.0.clone());
                return planning::begin(model, &environment, Operation::Purge(Purge { queue, ..Purge::default() }));
            }
            _ => {}
        }
        rows::settle(self, size);
        Vec::new()
    }

    fn field(&mut self) -> Option<&mut Field> {
        self.typing.as_mut()
    }

    fn key(&mut self, model: &mut Model, key: &Key) -> Vec<Effect> {
        filter::filter_key(self, model, key)
    }

    fn typed(&mut self, model: &mut Model) -> Vec<Effect> {
        filter::typed(self, model)
    }

    fn mouse(&mut self, model: &mut Model, mouse: Mouse) -> Vec<Effect> {
        let table = places::places(areas(model.size).content, self).table;
        let groups = rows::group_rows(self);
        let (cursor, rows) = match self.level {
            Level::Groups => (&mut self.group_cursor, groups),
            Level::Messages => (&mut self.cursor, self.rows.len()),
        };
        // A second click on the same row opens it.
        match pointed(cursor, mouse, table, rows) {
            Pointed::Again => open(self, model),
            Pointed::Moved | Pointed::Nothing => Vec::new(),
        }
    }

    fn draw(&self, model: &Model, frame: &mut Frame<'_>, area: Rect) {
        draw::draw(model, self, frame, area);
    }

    /// From a filter, then from a group's messages.
    fn back(&mut self, model: &mut Model) -> bool {
        if self.level == Level::Groups {
            return false;
        }
        model.settle();
        if self.filter.take().is_some() {
            rows::build(self);
            return true;
        }
        // Where a look found nothing, there are no groups to go back to.
        let has_groups = self.letters.shown().is_some_and(|letters| !letters.groups.groups.is_empty());
        rows::go_to_groups(self);
        has_groups
    }

    fn refresh(&mut self, model: &mut Model) -> Vec<Effect> {
        let messages_max = self.asked;
        look(self, model, messages_max, Force::No)
    }

    fn place(&self, _: &Model) -> Option<EnvironmentName> {
        Some(self.environment.clone())
    }
}

fn step(view: &mut LettersView, command: Command, size: (u16, u16)) -> bool {
    let height = places::table_height(view, size);
    match view.level {
        Level::Groups => {
            let rows = rows::group_rows(view);
            view.group_cursor.step(command, rows, height)
        }
        Level::Messages => view.cursor.step(command, view.rows.len(), height),
    }
}

fn open(view: &mut LettersView, model: &mut Model) -> Vec<Effect> {
    let letters = view.letters.shown().filter(|letters| !letters.messages.is_empty());
    let Some(letters) = letters else {
        return match dead_letter(model, view) {
            Some(queue) => looks::open(model, &view.environment, &queue),
            None => Vec::new(),
        };
    };
    if view.level == Level::Messages {
        let message = view.under().and_then(|at| letters.messages.get(at)).cloned();
        if let Some(message) = message {
            model.open(View::Message(Box::new(MessageView::of(&view.environment, &view.queue, message))));
        }
        return Vec::new();
    }
    view.group = view.group_cursor.at.checked_sub(1);
    view.level = Level::Messages;
    view.filter = None;
    view.cursor = Cursor::default();
    rows::build(view);
    rows::settle(view, model.size);
    Vec::new()
}

fn ids(view: &LettersView, messages: impl Iterator<Item = usize>) -> Vec<MessageId> {
    let Some(letters) = view.letters.shown() else { return Vec::new() };
    messages.map(|at| letters.messages[at].id.clone()).collect()
}

/// Messages that are listed; among groups: all.
fn listed(view: &LettersView) -> Vec<MessageId> {
    match (view.level, view.letters.shown()) {
        (Level::Groups, Some(letters)) => ids(view, 0..letters.messages.len()),
        (Level::Groups, None) => Vec::new(),
        (Level::Messages, _) => ids(view, view.rows.iter().copied()),
    }
}

fn group_under(view: &LettersView) -> Vec<MessageId> {
    let (Some(letters), Some(under)) = (view.letters.shown(), view.under()) else { return Vec::new() };
    match letters.group_of[under] {
        Some(group) => ids(view, members(letters, Some(group))),
        // It is in one of the groups that are not told apart.
        None => ids(view, std::iter::once(under)),
    }
}

/// Selects this one, or the whole group, and goes on to the next.
fn select(view: &mut LettersView, size: (u16, u16)) {
    let these = match (view.level, view.letters.shown()) {
        (_, None) => Vec::new(),
        (Level::Groups, Some(letters)) => ids(view, members(letters, view.group_cursor.at.checked_sub(1))),
        (Level::Messages, Some(_)) => ids(view, view.under().into_iter()),
    };
    toggle(view, these);
    step(view, Command::Down, size);
}

/// Selects all of these, or none if all are.
fn toggle(view: &mut LettersView, these: Vec<MessageId>) {
    if these.iter().all(|id| view.selected.contains(id)) {
        these.iter().for_each(|id| {
            view.selected.remove(id);
        });
    } else {
        view.selected.extend(these);
    }
    // Whoever selects knows what is selected.
    view.lost_selection = false;
    rows::count_selected(view);
}

fn sort(view: &mut LettersView, model: &mut Model) {
    view.order = view.order.next(view.columns.len());
    view.reverse = false;
    rows::build(view);
    let words = match view.order {
        Order::Arrival => "as they came".to_owned(),
        Order::Age => "oldest first".to_owned(),
        Order::Receives => "received most often first".to_owned(),
        Order::Group => "by failure group".to_owned(),
        Order::Column(at) => format!("by {}", view.columns[at].title),
    };
    model.say(Notice::note(&words));
}

/// A group's filter, or a message's body.
fn copy(view: &LettersView) -> Vec<Effect> {
    let Some(letters) = view.letters.shown() else { return Vec::new() };
    match view.level {
        Level::Groups => {
            let group = view.group_cursor.at.checked_sub(1).and_then(|at| letters.groups.groups.get(at));
            let text = match group {
                Some(group) => group.filter.clone().unwrap_or_else(|| group.shape.to_string()),
                None => view.queue.0.clone(),
            };
            vec![Effect::Copy(Text::line(&text).to_string())]
        }
        Level::Messages => {
            let body = view.under().map(|at| letters.messages[at].body.as_str());
            body.map(|body| Effect::Copy(Text::capped(body, body.len()).to_string())).into_iter().collect()
        }
    }
}

fn copy_command(view: &LettersView, invocation: &Invocation) -> Vec<Effect> {
    let filter = match choose::take(view) {
        choose::Take::Where(filter, _) | choose::Take::Group(filter, _) => format!(" {}", option("where", &filter)),
        choose::Take::Ids(_) | choose::Take::All => String::new(),
    };
    let what = if view.level == Level::Groups { "groups" } else { "peek" };
    let words = format!("{what} {} --limit {}{filter}", option("queue", view.queue.as_str()), view.asked);
    let line = invocation.command_in(&view.environment, &words);
    vec![Effect::Copy(Text::line(&line).to_string())]
}

const NOT_LOOKED: &str = "no message was looked at";

fn both(first: Able, second: Able) -> Able {
    if first == Able::Yes { second } else { first }
}

fn changeable(model: &Model, view: &LettersView) -> Able {
    environment(model, &view.environment).map_or(Able::NotHere, able_to_change)
}

fn redrivable(model: &Model, view: &LettersView) -> Able {
    if model.saving.is_some() {
        return Able::no(PLANNED);
    }
    match (&view.filter, view.level) {
        (Some(filter), Level::Messages) if view.selected.is_empty() => {
            match (&filter.failure(), filter.answers.is_waiting()) {
                (Some(_), _) => Able::no("the filter can't be used"),
                (None, true) => Able::no("the filter is still at work"),
                (None, false) => Able::when(!view.rows.is_empty(), "nothing fits the filter"),
            }
        }
        _ => Able::Yes,
    }
}

/// Where looking is refused because this queue's messages would die of it, its dead-letter queue can be opened.
fn open_instead(model: &Model, view: &LettersView) -> Able {
    match dead_letter(model, view) {
        Some(_) => Able::Yes,
        None => Able::no(NOT_LOOKED),
    }
}
