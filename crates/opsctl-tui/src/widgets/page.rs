//! Pages as they are made and drawn. What lies outside of the window is told.

use std::sync::Arc;

use ratatui::{Frame, layout::Rect, text::Span};

use crate::{
    keymap::Command,
    run::Failure,
    state::{Look, Page, Role, cursor::moved, look::Part},
    widgets::{
        fit::{spread, width, wrap},
        text::{hidden, last_row, put},
    },
};

pub(crate) use crate::domain::words::thousands;

/// Lines that one text takes at most: outside text may have thousands.
const LINES_MAX: usize = 8;
const LABEL_COLUMNS_MAX: usize = 16;
const BAR_COLUMNS_MAX: usize = 60;

pub fn part(text: impl Into<String>, role: Role) -> Part {
    Part { text: text.into(), role }
}

impl Page {
    pub fn new(columns: usize) -> Self {
        Self { lines: Vec::new(), columns: columns.max(10), tail: None }
    }

    pub fn len(&self) -> usize {
        self.lines.len() + self.tail.as_ref().map_or(0, |tail| tail.len())
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn below(&mut self, tail: Arc<Page>) {
        self.tail = Some(tail);
    }

    fn from(&self, first: usize) -> Box<dyn Iterator<Item = &Vec<Part>> + '_> {
        let own = self.lines.iter().skip(first);
        match &self.tail {
            Some(tail) => Box::new(own.chain(tail.from(first.saturating_sub(self.lines.len())))),
            None => Box::new(own),
        }
    }

    /// A line as it is; its end is cut where there is no room.
    pub fn line(&mut self, parts: Vec<Part>) {
        self.lines.push(parts);
    }

    /// A bar over the room that `figures` leave beside it, up to 60 columns, and an empty line.
    pub fn bar(&mut self, share: f64, role: Role, figures: String, look: Look) {
        let room = self.columns.saturating_sub(figures.len()).min(BAR_COLUMNS_MAX);
        let (done, open) = bar(share, room, look);
        self.line(vec![part(done, role), part(open, Role::Line), part(figures, Role::Strong)]);
        self.blank();
    }

    /// Why something did not work, and what to do; labels take `label_columns`.
    pub fn failure(&mut self, failure: &Failure, label_columns: usize, role: Role) {
        self.pair("because", label_columns, failure.what.as_str(), role);
        if !failure.hint.is_empty() {
            self.pair("try", label_columns, failure.hint.as_str(), Role::Text);
        }
    }

    /// An empty line; none at the top, and no two.
    pub fn blank(&mut self) {
        if self.lines.last().is_some_and(|line| !line.is_empty()) {
            self.lines.push(Vec::new());
        }
    }

    pub fn heading(&mut self, text: &str) {
        self.lines.push(vec![part(text, Role::Heading)]);
    }

    pub fn text(&mut self, text: &str, role: Role) {
        self.hanging(Vec::new(), 0, text, role);
    }

    pub fn item(&mut self, sign: &str, sign_role: Role, text: &str, role: Role) {
        let indent = width(sign) + 3;
        self.hanging(vec![part(format!("  {sign} "), sign_role)], indent, text, role);
    }

    /// Text behind what leads it, under itself where it takes several lines.
    pub fn led(&mut self, lead: &str, text: &str, role: Role) {
        self.hanging(vec![part(lead, Role::Text)], width(lead), text, role);
    }

    /// A label and what it labels; labels take `label_columns`.
    pub fn pair(&mut self, label: &str, label_columns: usize, value: &str, role: Role) {
        let columns = label_columns.min(LABEL_COLUMNS_MAX);
        let gap = columns.saturating_sub(width(label));
        let label = part(format!("{label}{}  ", " ".repeat(gap)), Role::Dim);
        let indent = width(&label.text);
        self.hanging(vec![label], indent, value, role);
    }

    fn hanging(&mut self, first: Vec<Part>, indent: usize, text: &str, role: Role) {
        // A path that does not fit beside its label is easier to read, and to copy, on a line of its own.
        let is_long_word = !text.contains(' ') && width(text) > self.columns.saturating_sub(indent);
        if is_long_word && width(text) + 2 <= self.columns && !first.is_empty() {
            self.lines.push(first);
            self.lines.push(vec![part(format!("  {text}"), role)]);
            return;
        }
        // A label that leaves no room stands alone.
        let indent = if indent + 10 > self.columns { 0 } else { indent };
        let mut wrapped = wrap(text, self.columns - indent);
        if wrapped.len() > LINES_MAX {
            wrapped.truncate(LINES_MAX);
            if let Some(last) = wrapped.last_mut() {
                last.pop();
                last.push('…');
            }
        }
        let mut lead = first;
        if indent == 0 && !lead.is_empty() {
            self.lines.push(std::mem::take(&mut lead));
        }
        for line in wrapped {
            if lead.is_empty() && indent > 0 {
                lead.push(part(" ".repeat(indent), Role::Text));
            }
            lead.push(part(line, role));
            self.lines.push(std::mem::take(&mut lead));
        }
    }

    /// Lines of it that are seen in so many rows: where not all are, a row tells so.
    pub fn seen(&self, rows: usize) -> usize {
        if self.len() > rows { rows.saturating_sub(1) } else { rows }
    }

    /// Moves the first line seen as `command` says. `false`: it is no command that moves.
    pub fn step(&self, top: &mut usize, command: Command, rows: usize) -> bool {
        let Some(at) = moved(*top, command, self.seen(rows), self.len()) else { return false };
        *top = at;
        self.settle(top, rows);
        true
    }

    pub fn scroll(&self, top: &mut usize, lines: i16, rows: usize) {
        *top = top.saturating_add_signed(isize::from(lines));
        self.settle(top, rows);
    }

    pub fn settle(&self, top: &mut usize, rows: usize) {
        *top = (*top).min(self.len().saturating_sub(self.seen(rows)));
    }

    pub fn draw(&self, frame: &mut Frame<'_>, area: Rect, top: usize, look: Look) {
        let seen = self.seen(usize::from(area.height));
        let top = top.min(self.len().saturating_sub(seen));
        let buffer = frame.buffer_mut();
        for (y, line) in (area.y..area.bottom()).zip(self.from(top).take(seen)) {
            let spans = line.iter().map(|part| Span::styled(part.text.as_str(), look.style(part.role))).collect();
            buffer.set_line(area.x, y, &spread(spans, Vec::new(), usize::from(area.width), look), area.width);
        }
        let (above, below) = (top, self.len().saturating_sub(top + seen));
        if above + below > 0 && area.height > 0 {
            put(frame, last_row(area), &hidden(above, below, look), look.style(Role::Accent), look);
        }
    }
}

/// A bar of `columns` for a share from 0 to 1, in eighths where signs allow: what is done, and what is not.
pub fn bar(share: f64, columns: usize, look: Look) -> (String, String) {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share.clamp(0.0, 1.0) * columns as f64 * 8.0).floor() as usize;
    let (whole, rest) = (eighths / 8, eighths % 8);
    let rest = look.sign(EIGHTHS[rest], "");
    let done = format!("{}{rest}", look.sign("█", "#").repeat(whole));
    let open = look.sign("░", ".").repeat(columns.saturating_sub(width(&done)));
    (done, open)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::look::{Symbols, Theme};

    const LOOK: Look = Look { theme: Theme::Dark, symbols: Symbols::Unicode };
    const PLAIN: Look = Look { theme: Theme::Dark, symbols: Symbols::Ascii };

    #[test]
    fn numbers_and_bars() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(bar(0.5, 4, LOOK), ("██".to_owned(), "░░".to_owned()));
        assert_eq!(bar(0.55, 4, LOOK), ("██▏".to_owned(), "░".to_owned()));
        assert_eq!(bar(2.0, 3, PLAIN), ("###".to_owned(), String::new()));
    }

    #[test]
    fn values_hang_under_themselves_and_endless_ones_end() {
        let mut page = Page::new(20);
        page.pair("from", 4, "one two three four", Role::Text);
        page.text(&"x".repeat(4_000), Role::Text);
        let text = |at: usize| page.lines[at].iter().map(|part| part.text.as_str()).collect::<String>();
        assert_eq!([text(0), text(1)], ["from  one two three", "      four"]);
        assert_eq!(page.len(), 2 + LINES_MAX);
        assert!(text(page.len() - 1).ends_with('…'));
    }

    #[test]
    fn the_window_stays_within_the_page() {
        let mut page = Page::new(20);
        (0..30).for_each(|line| page.text(&line.to_string(), Role::Text));
        let mut top = 0;
        assert!(page.step(&mut top, Command::Last, 10));
        assert_eq!(top, 21, "nine lines are seen, and how many there are");
        assert!(page.step(&mut top, Command::HalfPageUp, 10));
        assert_eq!(top, 16);
        assert!(!page.step(&mut top, Command::Open, 10));
        page.settle(&mut top, 40);
        assert_eq!(top, 0, "all are seen");
    }
}
