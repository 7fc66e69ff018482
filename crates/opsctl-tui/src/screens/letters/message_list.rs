//! The list of messages.

use ratatui::{Frame, layout::Rect};

use super::places;
use crate::{
    domain::Text,
    screens::letters::group_list,
    state::{Letters, LettersView, Model, Role, letters::Order},
    widgets::{Align, Cell, Cut, Shape, Table, put_right, width, words},
};

/// A column that somebody chose takes so much at most.
const CHOSEN_COLUMNS_MAX: usize = 36;

/// A body in fewer columns tells nothing that the others don't.
const BODY_COLUMNS_MIN: u16 = 24;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Mark,
    Age,
    Receives,
    Source,
    Group,
    MessageGroup,
    Chosen(usize),
    Body,
}

pub(crate) fn draw(
    model: &Model,
    view: &LettersView,
    letters: &Letters,
    frame: &mut Frame<'_>,
    table: Rect,
    pane: Rect,
) {
    let look = model.look;
    let (whats, columns): (Vec<What>, Vec<Shape<'_>>) = columns(view, letters, table.width).into_iter().unzip();
    let sorted_by = match view.order {
        Order::Arrival => None,
        Order::Age => Some(What::Age),
        Order::Receives => Some(What::Receives),
        Order::Group => Some(What::Group),
        Order::Column(at) => Some(What::Chosen(at)),
    };
    let sorted = sorted_by.and_then(|by| whats.iter().position(|what| *what == by));
    // Oldest and most come first unless turned round.
    let upwards = matches!(view.order, Order::Group | Order::Column(_)) != view.reverse;
    let sorted = sorted.map(|at| (at, upwards));
    let cell = |row: usize, column: usize| cell(model, view, letters, view.rows[row], whats[column]);
    let cursor = (!view.rows.is_empty()).then_some(view.cursor);
    Table { columns: &columns, rows: view.rows.len(), cursor, sorted, cell, look }.draw(frame, table);
    if view.rows.is_empty() && table.height > 1 {
        let text = "nothing fits the filter";
        frame.buffer_mut().set_stringn(table.x + 1, table.y + 1, text, usize::from(table.width), look.style(Role::Dim));
    }
    let (label, text, role) = group_list::redrive_line(model, view);
    places::pane(model, frame, pane, &[(label, text, role)]);
    place(model, view, letters, frame, pane);
}

/// The group that is listed and where one is in it, at the end of the pane's rule.
fn place(model: &Model, view: &LettersView, letters: &Letters, frame: &mut Frame<'_>, pane: Rect) {
    if pane.height == 0 || view.rows.is_empty() {
        return;
    }
    let group = match view.group {
        Some(group) => format!("group {}: ", group + 1),
        None if view.filter.is_some() => String::new(),
        None => format!("all in {}: ", words::of(letters.groups.groups.len() as u64, "group")),
    };
    let at = words::count(view.cursor.at as u64 + 1);
    let text = format!(" {group}{at} of {} ", words::count(view.rows.len() as u64));
    put_right(frame, pane, &text, model.look.style(Role::Dim));
}

fn columns<'a>(view: &'a LettersView, letters: &Letters, room: u16) -> Vec<(What, Shape<'a>)> {
    let column = |title: &'a str, min: u16, ideal: u16, align: Align, cut: Cut, weight: u8| Shape {
        title,
        min,
        ideal,
        align,
        cut,
        weight,
    };
    let mut columns = vec![
        (What::Mark, column("", 2, 2, Align::Left, Cut::End, 9)),
        (What::Age, column("AGE", 7, 7, Align::Right, Cut::End, 8)),
        (What::Receives, column("RECEIVES", 8, 8, Align::Right, Cut::End, 4)),
    ];
    if letters.digest.sources_differ {
        columns.push((What::Source, column("SOURCE", 10, 24, Align::Left, Cut::Middle, 5)));
    }
    if view.group.is_none() {
        columns.push((What::Group, column("GROUP", 5, 5, Align::Right, Cut::End, 5)));
    }
    if letters.digest.has_message_groups {
        columns.push((What::MessageGroup, column("MESSAGE GROUP", 13, 24, Align::Left, Cut::Middle, 5)));
    }
    for (at, place) in view.columns.iter().enumerate() {
        let title = place.title.as_str();
        let ideal = place.look.longest.max(width(title) + 1).clamp(4, CHOSEN_COLUMNS_MAX) as u16;
        let align = if place.look.numbers { Align::Right } else { Align::Left };
        let weight = if view.chosen.is_some() { 8 } else { 6 };
        // Ids differ at their ends, sentences are read from the front.
        let cut = if place.look.words { Cut::End } else { Cut::Middle };
        columns.push((What::Chosen(at), column(title, ideal.min(12), ideal, align, cut, weight)));
    }
    // It takes what the others leave.
    let others: u16 = columns.iter().map(|(_, column)| column.ideal + 1).sum();
    let ideal = room.saturating_sub(others + 2).max(BODY_COLUMNS_MIN);
    columns.push((What::Body, column("BODY", BODY_COLUMNS_MIN, ideal, Align::Left, Cut::End, 3)));
    columns
}

fn cell<'a>(model: &Model, view: &'a LettersView, letters: &'a Letters, at: usize, what: What) -> Cell<'a> {
    let look = model.look;
    let style = |role| places::style(view, look, role);
    let message = &letters.messages[at];
    let line = &letters.digest.lines[at];
    match what {
        What::Mark => {
            let selected = if view.selected.contains(&message.id) { look.sign("●", "*") } else { " " };
            let is_edited = model.edits.of(&view.environment, &view.queue, &message.id).is_some();
            let edited = if is_edited { look.sign("±", "e") } else { "" };
            Cell::new(format!("{selected}{edited}"), style(Role::Accent))
        }
        What::Age => {
            let age = message.system.sent_at.map(|sent| words::short(words::seconds_since(sent, model.now)));
            Cell::new(age.unwrap_or_else(|| "-".to_owned()), style(Role::Text))
        }
        What::Receives => Cell::new(words::count(u64::from(message.system.receive_count)), style(Role::Text)),
        What::Source => Cell::new(line.source.as_str(), style(Role::Text)),
        What::Group => {
            let group = letters.group_of[at].map(|group| (group + 1).to_string());
            Cell::new(group.unwrap_or_else(|| "-".to_owned()), style(Role::Dim))
        }
        What::MessageGroup => {
            let group = message.system.group.as_deref().unwrap_or("-");
            Cell::new(Text::line(group).to_string(), style(Role::Text))
        }
        What::Chosen(column) => match view.columns[column].value(at) {
            Some(value) => Cell::new(value.as_str(), style(Role::Text)),
            None => Cell::new("-", style(Role::Dim)),
        },
        What::Body => Cell::new(line.preview.as_str(), style(Role::Dim)),
    }
}
