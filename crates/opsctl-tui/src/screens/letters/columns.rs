//! Which columns messages have: a list of what the sample holds, narrowed down by typing; or a JSON pointer typed out.

use ratatui::{Frame, layout::Rect};

use crate::{
    keymap::{
        Command, Key,
        query::{Query, Search},
    },
    screens::{
        letters::rows,
        screen::{After, Pane, PaneKeys},
    },
    state::{
        Cursor, Field, LettersView, Model, Mouse, MouseWhat, Notice, Overlay, Role, Typed,
        letters::{Offer, Path, Picker},
    },
    widgets::{Align, Cell, Cut, Shape, Table, areas, last_row, popup, put, text::row, words},
};

const COLUMNS_MAX: usize = 8;
/// Rows of the frame, the line that is typed in, what stands around.
const ROWS_AROUND: u16 = 6;
const ROWS_MAX: usize = 30;

pub(super) fn open(view: &LettersView, model: &mut Model) {
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

    fn height(&self, model: &Model) -> usize {
        usize::from(list_rows(self, areas(model.size).content.height))
    }

    /// Takes the chosen columns; with something typed, what is under the cursor as well.
    fn enter(&mut self, model: &mut Model) -> After {
        let is_new = self.under().is_some_and(|path| !self.chosen.contains(&path));
        if !self.field.text().trim().is_empty() && is_new {
            self.toggle();
        }
        choose(model, Some(self.chosen.clone()))
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

impl Pane for Picker {
    fn keys(&self) -> PaneKeys {
        PaneKeys::Typing("use these", "as it was")
    }

    fn key(&mut self, model: &mut Model, key: &Key, _: Option<Command>) -> After {
        let height = self.height(model);
        let rows = self.rows();
        match key.to_string().as_str() {
            "space" => {
                if !self.toggle() {
                    model.say(Notice::note(&format!("{COLUMNS_MAX} columns are the most that are shown")));
                }
            }
            "down" | "ctrl-n" | "tab" => self.cursor.go(self.cursor.at + 1, rows, height),
            "up" | "ctrl-p" | "backtab" => self.cursor.go(self.cursor.at.saturating_sub(1), rows, height),
            "pgdn" => self.cursor.go(self.cursor.at + height, rows, height),
            "pgup" => self.cursor.go(self.cursor.at.saturating_sub(height), rows, height),
            "ctrl-r" => return choose(model, None),
            _ => match self.field.key(key) {
                Typed::Changed => self.list(),
                Typed::Enter => return self.enter(model),
                Typed::Escape => return After::close(),
                Typed::Nothing => {}
            },
        }
        After::stay()
    }

    fn mouse(&mut self, model: &mut Model, mouse: Mouse) -> After {
        if let MouseWhat::Scroll(lines) = mouse.what {
            let height = self.height(model);
            self.cursor.scroll(lines, self.rows(), height);
        }
        After::stay()
    }

    fn field(&mut self) -> Option<&mut Field> {
        Some(&mut self.field)
    }

    fn typed(&mut self, _: &Model) {
        self.list();
    }

    fn draw(&self, model: &Model, frame: &mut Frame<'_>, area: Rect) {
        draw_columns(model, self, frame, area);
    }
}

fn choose(model: &mut Model, chosen: Option<Vec<Path>>) -> After {
    let size = model.size;
    if let Some(view) = model.letters_mut() {
        view.chosen = chosen;
        rows::columns(view);
        rows::build(view);
        rows::settle(view, size);
    }
    After::close()
}

fn list_rows(picker: &Picker, rows: u16) -> u16 {
    // As many as there are at all, so that the frame stays where it is while somebody types.
    let wanted = (picker.offers.len() + 1).clamp(1, ROWS_MAX) as u16;
    wanted.min(rows.saturating_sub(ROWS_AROUND)).max(1)
}

const COLUMNS: [Shape<'static>; 5] = [
    Shape { title: "", min: 3, ideal: 3, align: Align::Left, cut: Cut::End, weight: 9 },
    Shape { title: "WHAT", min: 16, ideal: 40, align: Align::Left, cut: Cut::Middle, weight: 9 },
    Shape { title: "IN", min: 9, ideal: 9, align: Align::Left, cut: Cut::End, weight: 4 },
    Shape { title: "VALUES", min: 6, ideal: 8, align: Align::Right, cut: Cut::End, weight: 5 },
    Shape { title: "EXAMPLE", min: 10, ideal: 40, align: Align::Left, cut: Cut::End, weight: 3 },
];

fn draw_columns(model: &Model, picker: &Picker, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let rows = list_rows(picker, area.height);
    let size = (area.width.saturating_sub(4).min(110), rows + ROWS_AROUND);
    let inner = popup(frame, area, size, "Columns", look.style(Role::Accent), look);
    if inner.height < 4 {
        return;
    }
    picker.field.draw("find or /json/pointer: ", frame, row(inner, 0), look.style(Role::Text), look);
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
    put(frame, last_row(inner), &help, look.style(Role::Dim), look);
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
