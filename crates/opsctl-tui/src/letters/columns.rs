//! Which columns messages have: a list of what the sample holds, narrowed down by typing; or a JSON pointer typed out.

use ratatui::{Frame, layout::Rect};

use super::{Path, near, near_mut, rows};
use crate::{
    domain::Text,
    effect::Effect,
    event::{Mouse, MouseWhat, Notice},
    field::{Field, Typed},
    fit::Align,
    keymap::{
        Key,
        query::{Query, Search},
    },
    list::Cursor,
    model::{Model, Overlay},
    popup::popup,
    table::{Cell, Column, Cut, Table},
    theme::Role,
    view::areas,
    words,
};

/// Columns at most.
const COLUMNS_MAX: usize = 8;
/// Rows of the frame, the line that is typed in, what stands around.
const ROWS_AROUND: u16 = 6;
/// Rows of the list at most.
const ROWS_MAX: usize = 30;

/// Which columns messages have.
#[derive(Debug, Clone)]
pub struct Picker {
    /// What is typed.
    pub field: Field,
    /// What can be a column.
    offers: Vec<Offer>,
    /// Those that are listed.
    listed: Vec<usize>,
    /// Columns chosen, in order.
    chosen: Vec<Path>,
    cursor: Cursor,
}

#[derive(Debug, Clone)]
struct Offer {
    path: Path,
    title: Text,
    /// Messages that have it, and different values.
    spread: (usize, usize),
    example: Text,
}

/// Opens it.
pub(super) fn open(model: &mut Model) {
    let Some(view) = near(model) else { return };
    let Some(letters) = view.letters.shown() else { return };
    let chosen: Vec<Path> = view.columns.iter().map(|place| place.path.clone()).collect();
    let places = letters.digest.places.iter();
    // Pointers that were typed out before.
    let typed = view.columns.iter().filter(|place| letters.digest.place(&place.path).is_none());
    let offers: Vec<Offer> = typed
        .chain(places)
        .map(|place| Offer {
            path: place.path.clone(),
            title: place.title.clone(),
            spread: place.spread(),
            example: place.values.iter().flatten().next().cloned().unwrap_or_default(),
        })
        .collect();
    let mut picker = Picker { field: Field::default(), offers, listed: Vec::new(), chosen, cursor: Cursor::default() };
    picker.list();
    model.overlay = Some(Overlay::Columns(Box::new(picker)));
}

impl Picker {
    fn list(&mut self) {
        // A slash begins a pointer here, and no regular expression.
        let (query, mut search) = (Query::parse(self.field.text().trim().trim_start_matches('/')), Search::default());
        let fit = |(at, offer): (usize, &Offer)| Some((search.fit(&query, offer.title.as_str(), &[""])?, at));
        let mut found: Vec<_> = self.offers.iter().enumerate().filter_map(fit).collect();
        found.sort();
        self.listed = found.into_iter().map(|(_, at)| at).collect();
        self.cursor = Cursor::default();
    }

    /// The JSON pointer that is typed out, where it names nothing that is listed anyway.
    fn pointer(&self) -> Option<Path> {
        let text = self.field.text().trim();
        let path = Path::Body(text.to_owned());
        (text.len() > 1 && text.starts_with('/') && !self.offers.iter().any(|offer| offer.path == path)).then_some(path)
    }

    fn rows(&self) -> usize {
        self.listed.len() + usize::from(self.pointer().is_some())
    }

    /// What a row offers; none: the pointer that is typed out, which stands first.
    fn offer(&self, row: usize) -> Option<&Offer> {
        let at = row.checked_sub(usize::from(self.pointer().is_some()))?;
        self.listed.get(at).map(|offer| &self.offers[*offer])
    }

    fn under(&self) -> Option<Path> {
        self.offer(self.cursor.at).map(|offer| offer.path.clone()).or_else(|| self.pointer())
    }

    /// Takes the column under the cursor, or leaves it. `false`: there are enough.
    fn toggle(&mut self) -> bool {
        let Some(path) = self.under() else { return true };
        if let Some(at) = self.chosen.iter().position(|chosen| *chosen == path) {
            self.chosen.remove(at);
            return true;
        }
        if self.chosen.len() == COLUMNS_MAX {
            return false;
        }
        self.chosen.push(path);
        true
    }
}

/// Takes a key.
pub(crate) fn columns_key(model: &mut Model, key: &Key) -> Vec<Effect> {
    let height = height(model);
    let Some(Overlay::Columns(picker)) = &mut model.overlay else { return Vec::new() };
    let rows = picker.rows();
    match key.to_string().as_str() {
        "space" => {
            if !picker.toggle() {
                model.say(Notice::note(&format!("{COLUMNS_MAX} columns are the most that are shown")));
            }
        }
        "down" | "ctrl-n" | "tab" => picker.cursor.go(picker.cursor.at + 1, rows, height),
        "up" | "ctrl-p" | "backtab" => picker.cursor.go(picker.cursor.at.saturating_sub(1), rows, height),
        "pgdn" => picker.cursor.go(picker.cursor.at + height, rows, height),
        "pgup" => picker.cursor.go(picker.cursor.at.saturating_sub(height), rows, height),
        "ctrl-r" => choose(model, None),
        _ => match picker.field.key(key) {
            Typed::Changed => picker.list(),
            Typed::Enter => enter(model),
            Typed::Escape => model.overlay = None,
            Typed::Nothing => {}
        },
    }
    Vec::new()
}

/// Takes the chosen columns; with something typed, what is under the cursor as well.
fn enter(model: &mut Model) {
    let Some(Overlay::Columns(picker)) = &mut model.overlay else { return };
    let is_new = picker.under().is_some_and(|path| !picker.chosen.contains(&path));
    if !picker.field.text().trim().is_empty() && is_new {
        picker.toggle();
    }
    let chosen = picker.chosen.clone();
    choose(model, Some(chosen));
}

fn choose(model: &mut Model, chosen: Option<Vec<Path>>) {
    model.overlay = None;
    let size = model.size;
    let Some(view) = near_mut(model) else { return };
    view.chosen = chosen;
    rows::columns(view);
    rows::build(view);
    rows::settle(view, size);
}

/// What is typed has changed.
pub(crate) fn columns_typed(model: &mut Model) {
    if let Some(Overlay::Columns(picker)) = &mut model.overlay {
        picker.list();
    }
}

pub(crate) fn columns_mouse(model: &mut Model, mouse: Mouse) -> Vec<Effect> {
    let height = height(model);
    let Some(Overlay::Columns(picker)) = &mut model.overlay else { return Vec::new() };
    if let MouseWhat::Scroll(lines) = mouse.what {
        let rows = picker.rows();
        picker.cursor.scroll(lines, rows, height);
    }
    Vec::new()
}

/// Rows of the list that can be seen.
fn height(model: &Model) -> usize {
    let Some(Overlay::Columns(picker)) = &model.overlay else { return 1 };
    usize::from(list_rows(picker, areas(model.size).content.height))
}

fn list_rows(picker: &Picker, rows: u16) -> u16 {
    // As many as there are at all, so that the frame stays where it is while somebody types.
    let wanted = (picker.offers.len() + 1).clamp(1, ROWS_MAX) as u16;
    wanted.min(rows.saturating_sub(ROWS_AROUND)).max(1)
}

const COLUMNS: [Column<'static>; 5] = [
    Column { title: "", min: 3, ideal: 3, align: Align::Left, cut: Cut::End, weight: 9 },
    Column { title: "WHAT", min: 16, ideal: 40, align: Align::Left, cut: Cut::Middle, weight: 9 },
    Column { title: "IN", min: 9, ideal: 9, align: Align::Left, cut: Cut::End, weight: 4 },
    Column { title: "VALUES", min: 6, ideal: 8, align: Align::Right, cut: Cut::End, weight: 5 },
    Column { title: "EXAMPLE", min: 10, ideal: 40, align: Align::Left, cut: Cut::End, weight: 3 },
];

/// Draws it.
pub(crate) fn draw_columns(model: &Model, picker: &Picker, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let rows = list_rows(picker, area.height);
    let size = (area.width.saturating_sub(4).min(110), rows + ROWS_AROUND);
    let inner = popup(frame, area, size, "Columns", look.style(Role::Accent), look);
    if inner.height < 4 {
        return;
    }
    let row = |y: u16| Rect { y, height: 1, ..inner };
    picker.field.draw("find or /json/pointer: ", frame, row(inner.y), look.style(Role::Text), look);
    let cell = |row: usize, column: usize| cell(model, picker, row, column);
    let table = Rect { y: inner.y + 1, height: rows + 1, ..inner };
    Table { columns: &COLUMNS, rows: picker.rows(), cursor: Some(picker.cursor), sorted: None, cell, look }
        .draw(frame, table);
    if picker.rows() == 0 {
        let text = "nothing has such a name; a JSON pointer begins with /";
        frame.buffer_mut().set_stringn(table.x + 1, table.y + 1, text, usize::from(inner.width), look.style(Role::Dim));
    }
    let chosen = words::of(picker.chosen.len() as u64, "column");
    let help = format!("space take or leave   enter done ({chosen})   ctrl-r the telling ones   esc as before");
    let y = inner.bottom() - 1;
    frame.buffer_mut().set_stringn(
        inner.x,
        y,
        super::super::fit::cut(&help, usize::from(inner.width), look),
        usize::from(inner.width),
        look.style(Role::Dim),
    );
}

fn cell<'a>(model: &Model, picker: &'a Picker, row: usize, column: usize) -> Cell<'a> {
    let look = model.look;
    let dim = look.style(Role::Dim);
    let Some(offer) = picker.offer(row) else {
        let path = picker.pointer();
        let is_chosen = path.as_ref().is_some_and(|path| picker.chosen.contains(path));
        return match column {
            0 => Cell::new(mark(is_chosen), look.style(Role::Accent)),
            1 => Cell::new(picker.field.text().trim().to_owned(), look.style(Role::Text)),
            2 => Cell::new("pointer", dim),
            _ => Cell::new("", dim),
        };
    };
    match column {
        0 => Cell::new(mark(picker.chosen.contains(&offer.path)), look.style(Role::Accent)),
        1 => Cell::new(offer.title.as_str(), look.style(Role::Text)),
        2 => Cell::new(if matches!(offer.path, Path::Attribute(_)) { "attribute" } else { "body" }, dim),
        3 => Cell::new(words::count(offer.spread.1 as u64), dim),
        _ => Cell::new(offer.example.as_str(), dim),
    }
}

fn mark(is_chosen: bool) -> &'static str {
    if is_chosen { "[x]" } else { "[ ]" }
}
