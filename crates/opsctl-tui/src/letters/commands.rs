//! What commands do with the letters.

use super::{
    LOOKS, LettersView, Level, able, begin_edit, choose, columns, look,
    rows::{self, members},
    screen,
};
use crate::{
    domain::{Invocation, MessageId, Text, invocation::option},
    effect::Effect,
    event::{Mouse, MouseWhat, Notice},
    field::Field,
    flow,
    gate::Force,
    keymap::Command,
    message,
    model::{Model, View},
    operations::{Operation, Purge},
    view::areas,
    words,
};

pub(crate) fn command(model: &mut Model, command: Command) -> Vec<Effect> {
    let size = model.size;
    let invocation = model.invocation();
    let View::Letters(view) = model.view_mut() else { return Vec::new() };
    if step(view, command, size) {
        return Vec::new();
    }
    match command {
        Command::Open => return open(model),
        Command::Messages => {
            if view.level == Level::Groups {
                view.group = None;
                view.level = Level::Messages;
                rows::build(view);
            } else {
                rows::go_to_groups(view);
            }
        }
        Command::Select => select(view, size),
        Command::SelectAll => {
            let all = listed(view);
            toggle(view, all);
        }
        Command::SelectGroup => {
            let group = group_under(view);
            toggle(view, group);
        }
        Command::Filter => {
            view.level = Level::Messages;
            let text = view.filter.as_ref().map(|filter| filter.text.clone()).unwrap_or_default();
            view.typing = Some(Field::with(&text));
            rows::build(view);
        }
        Command::Sort => sort(model),
        Command::Reverse => {
            view.reverse = !view.reverse;
            rows::build(view);
        }
        Command::Details => view.details = !view.details,
        Command::Columns => columns::open(model),
        Command::LookMore => {
            let messages_max = view.more().unwrap_or(LOOKS[0]);
            return look(model, messages_max, Force::No);
        }
        Command::Force => {
            let messages_max = view.asked;
            return look(model, messages_max, Force::Yes);
        }
        Command::Edit => return edit(model),
        Command::Copy => return copy(view),
        Command::CopyCommand => return copy_command(view, &invocation),
        Command::Redrive => return choose::begin(model),
        Command::Purge => {
            let (environment, queue) = (view.environment.clone(), view.queue.0.clone());
            return flow::begin(model, &environment, Operation::Purge(Purge { queue, ..Purge::default() }));
        }
        _ => {}
    }
    if let View::Letters(view) = model.view_mut() {
        rows::settle(view, size);
    }
    Vec::new()
}

/// Moves among the messages, also from the view of one.
pub(crate) fn step_rows(view: &mut LettersView, command: Command, size: (u16, u16)) {
    let height = screen::table_height(view, size);
    view.cursor.step(command, view.rows.len(), height);
}

fn step(view: &mut LettersView, command: Command, size: (u16, u16)) -> bool {
    let height = screen::table_height(view, size);
    match view.level {
        Level::Groups => {
            let rows = rows::group_rows(view);
            view.group_cursor.step(command, rows, height)
        }
        Level::Messages => view.cursor.step(command, view.rows.len(), height),
    }
}

fn open(model: &mut Model) -> Vec<Effect> {
    let View::Letters(view) = model.view() else { return Vec::new() };
    if view.letters.shown().is_none_or(|letters| letters.messages.is_empty()) {
        let environment = view.environment.clone();
        return match able::dead_letter(model, view) {
            Some(queue) => super::open(model, &environment, &queue),
            None => Vec::new(),
        };
    }
    let size = model.size;
    let View::Letters(view) = model.view_mut() else { return Vec::new() };
    if view.level == Level::Messages {
        return message::open(model);
    }
    view.group = view.group_cursor.at.checked_sub(1);
    view.level = Level::Messages;
    view.filter = None;
    view.cursor = Default::default();
    rows::build(view);
    rows::settle(view, size);
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

/// Messages of the group of the message under the cursor.
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

fn sort(model: &mut Model) {
    let View::Letters(view) = model.view_mut() else { return };
    view.order = view.order.next(view.columns.len());
    view.reverse = false;
    rows::build(view);
    let words = match view.order {
        rows::Order::Arrival => "as they came".to_owned(),
        rows::Order::Age => "oldest first".to_owned(),
        rows::Order::Receives => "received most often first".to_owned(),
        rows::Order::Group => "by failure group".to_owned(),
        rows::Order::Column(at) => format!("by {}", view.columns[at].title),
    };
    model.say(Notice::note(&words));
}

fn edit(model: &mut Model) -> Vec<Effect> {
    let View::Letters(view) = model.view() else { return Vec::new() };
    match ids(view, view.under().into_iter()).pop() {
        Some(id) => begin_edit(model, &id),
        None => Vec::new(),
    }
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

/// The command line that shows the same.
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

pub(crate) fn mouse(model: &mut Model, mouse: Mouse) -> Vec<Effect> {
    let size = model.size;
    let View::Letters(view) = model.view_mut() else { return Vec::new() };
    let height = screen::table_height(view, size);
    let groups = rows::group_rows(view);
    let (cursor, rows) = match view.level {
        Level::Groups => (&mut view.group_cursor, groups),
        Level::Messages => (&mut view.cursor, view.rows.len()),
    };
    match mouse.what {
        MouseWhat::Scroll(lines) => cursor.scroll(lines, rows, height),
        MouseWhat::Click => {
            let top = screen::places(areas(size).content, view).table.y + 1;
            let Some(line) = mouse.row.checked_sub(top).map(usize::from) else { return Vec::new() };
            let (cursor, rows) = match view.level {
                Level::Groups => (&mut view.group_cursor, groups),
                Level::Messages => (&mut view.cursor, view.rows.len()),
            };
            let row = cursor.top + line;
            if line >= height || row >= rows {
                return Vec::new();
            }
            // A second click on the same row opens it.
            if cursor.at == row {
                return open(model);
            }
            cursor.go(row, rows, height);
        }
    }
    Vec::new()
}

/// How many are selected, edited, in words; nothing where none is.
pub(super) fn marked(model: &Model, view: &LettersView) -> String {
    let mut parts = Vec::new();
    if !view.selected.is_empty() {
        parts.push(format!("{} selected", words::count(view.selected.len() as u64)));
    }
    let edited = model.edits.count(&view.environment, &view.queue);
    if edited > 0 {
        parts.push(format!("{} edited", words::count(edited as u64)));
    }
    parts.join(model.look.dot())
}
