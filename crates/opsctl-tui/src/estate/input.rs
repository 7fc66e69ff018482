//! What is typed and pointed at in a list: its filter, its order, its selection.

use std::collections::BTreeSet;

use ratatui::layout::Rect;

use super::{Row, draw, height, item, open, pin, places_of, sort, under};
use crate::{
    domain::EnvironmentName,
    effect::Effect,
    event::{Mouse, MouseWhat, Notice},
    field::Field,
    filter::{self, Did},
    keymap::{Command, Key},
    list::Cursor,
    model::{Model, View},
    observed, table,
};

/// Changes how the list is shown.
pub(super) fn change(model: &mut Model, command: Command) {
    let View::Estate(view) = model.view_mut() else { return };
    let said = match command {
        Command::Filter => {
            view.typing = Some(Field::with(&view.filter));
            None
        }
        Command::Reverse => {
            view.reversed = !view.reversed;
            Some(view.order_in_words())
        }
        Command::Group => {
            view.grouping = view.grouping.next(view.topic);
            Some(view.grouping.words())
        }
        Command::Wide => {
            view.wide = !view.wide;
            view.shifted = 0;
            Some(if view.wide { "all columns, as far as there is room" } else { "fewer columns" })
        }
        Command::Left => {
            view.shifted = view.shifted.saturating_sub(1);
            None
        }
        Command::Right => {
            view.shifted = (view.shifted + 1).min(view.topic.columns().len() - draw::FIXED - 1);
            None
        }
        _ => None,
    };
    if let Some(said) = said {
        model.say(Notice::note(said));
    }
}

/// Selects what is under the cursor, or no longer, and goes on to the next.
pub(super) fn select(model: &mut Model) {
    let View::Estate(view) = model.view() else { return };
    let height = height(model, view);
    let Some((site, item)) = under(model, view) else {
        return model.say(Notice::bad("select: the cursor is on a heading; the operation is for its whole group"));
    };
    let known = (site.environment.name.clone(), item.id());
    let View::Estate(view) = model.view_mut() else { return };
    if !view.selected.remove(&known) {
        view.selected.insert(known);
    }
    view.cursor.step(Command::Down, view.rows.len(), height);
    pin(model);
}

/// Selects all that are shown, or none where all are.
pub(super) fn select_all(model: &mut Model) {
    let View::Estate(view) = model.view() else { return };
    let all: BTreeSet<(EnvironmentName, String)> = view
        .rows
        .iter()
        .filter_map(|row| match row {
            Row::Heading(_) => None,
            Row::Item(at) => {
                item(model, view.topic, *at).map(|(site, item)| (site.environment.name.clone(), item.id()))
            }
        })
        .collect();
    let View::Estate(view) = model.view_mut() else { return };
    view.selected = if view.selected == all { BTreeSet::new() } else { all };
    let said = match view.selected.len() {
        0 => "nothing is selected".to_owned(),
        selected => format!("{} selected", view.topic.counted(selected)),
    };
    model.say(Notice::note(&said));
}

/// Takes a key while a filter is typed: enter keeps it, esc gives it up.
pub(crate) fn filter_key(model: &mut Model, key: &Key) -> Vec<Effect> {
    let View::Estate(view) = model.view() else { return Vec::new() };
    let height = height(model, view);
    let View::Estate(view) = model.view_mut() else { return Vec::new() };
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
    if let View::Estate(view) = model.view_mut()
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
    if let View::Estate(view) = model.view_mut() {
        view.filter.clear();
    }
    observed::settle(model);
    observed::focus(model)
}

/// Back takes the selection away first, then the filter; `None`: there is neither.
pub(crate) fn back(model: &mut Model) -> Option<Vec<Effect>> {
    match model.view_mut() {
        View::Estate(view) if !view.selected.is_empty() => {
            view.selected.clear();
            Some(Vec::new())
        }
        View::Estate(view) if !view.filter.is_empty() => Some(clear_filter(model)),
        _ => None,
    }
}

pub(crate) fn paste(model: &mut Model, text: &str) -> Vec<Effect> {
    if let View::Estate(view) = model.view_mut()
        && let Some(field) = &mut view.typing
    {
        field.paste(text);
    }
    filter_typed(model)
}

pub(crate) fn mouse(model: &mut Model, mouse: Mouse) -> Vec<Effect> {
    let View::Estate(view) = model.view() else { return Vec::new() };
    let (places, height) = (places_of(model, view), height(model, view));
    if mouse.what == MouseWhat::Click && mouse.row == places.table.y {
        return sort_by_title(model, places.table, mouse.column);
    }
    let View::Estate(view) = model.view_mut() else { return Vec::new() };
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
    let View::Estate(view) = model.view() else { return Vec::new() };
    let shown = draw::shown(model, view, table.width);
    let columns: Vec<table::Column<'_>> = shown.iter().map(|listed| listed.column).collect();
    match table::column_at(&columns, table, column) {
        Some(at) => sort::choose(model, shown[at].at),
        None => Vec::new(),
    }
}
