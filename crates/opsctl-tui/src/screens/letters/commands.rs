//! What commands do with the letters.

use super::{
    able, choose, columns,
    edits::begin_edit,
    looks::{self, look},
    places,
    rows::{self, members},
};
use crate::{
    domain::{Invocation, MessageId, Text, invocation::option},
    keymap::Command,
    leave::Force,
    operations::{Operation, OperationKind, Purge},
    screens::flow::planning,
    state::{
        cursor::Cursor,
        effect::Effect,
        event::{Mouse, MouseWhat, Notice},
        field::Field,
        letters::{LOOKS, LettersView, Level, Order},
        message::MessageView,
        model::Model,
        view::View,
    },
    widgets::areas::areas,
};

pub(super) fn command(view: &mut LettersView, model: &mut Model, command: Command) -> Vec<Effect> {
    let size = model.size;
    if step(view, command, size) {
        return Vec::new();
    }
    match command {
        Command::Open => return open(view, model),
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
        Command::Sort => sort(view, model),
        Command::Reverse => {
            view.reverse = !view.reverse;
            rows::build(view);
        }
        Command::Details => view.details = !view.details,
        Command::Columns => columns::open(view, model),
        Command::LookMore => {
            let messages_max = view.more().unwrap_or(LOOKS[0]);
            return look(view, model, messages_max, Force::No);
        }
        Command::Force => {
            let messages_max = view.asked;
            return look(view, model, messages_max, Force::Yes);
        }
        Command::Edit => {
            let id = ids(view, view.under().into_iter()).pop();
            let ticket = model.ticket();
            return id.map(|id| begin_edit(view, &model.edits, ticket, &id)).unwrap_or_default();
        }
        Command::Copy => return copy(view),
        Command::CopyCommand => return copy_command(view, &model.invocation()),
        Command::Operate(OperationKind::Redrive) => return choose::begin(view, model),
        Command::Operate(OperationKind::Purge) => {
            let (environment, queue) = (view.environment.clone(), view.queue.0.clone());
            return planning::begin(model, &environment, Operation::Purge(Purge { queue, ..Purge::default() }));
        }
        _ => {}
    }
    rows::settle(view, size);
    Vec::new()
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
        return match able::dead_letter(model, view) {
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

pub(super) fn mouse(view: &mut LettersView, model: &mut Model, mouse: Mouse) -> Vec<Effect> {
    let size = model.size;
    let height = places::table_height(view, size);
    let groups = rows::group_rows(view);
    let (cursor, rows) = match view.level {
        Level::Groups => (&mut view.group_cursor, groups),
        Level::Messages => (&mut view.cursor, view.rows.len()),
    };
    match mouse.what {
        MouseWhat::Scroll(lines) => cursor.scroll(lines, rows, height),
        MouseWhat::Click => {
            let top = places::places(areas(size).content, view).table.y + 1;
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
                return open(view, model);
            }
            cursor.go(row, rows, height);
        }
    }
    Vec::new()
}
