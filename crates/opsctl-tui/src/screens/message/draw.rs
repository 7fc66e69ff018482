//! The message's screen: what became of it in a few lines that stay, then the rest.

use ratatui::{
    Frame,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};
use unicode_width::UnicodeWidthChar;

use crate::{
    domain::Text,
    keymap::{Command, Scope},
    messages::Origin,
    state::{Look, MessageView, Model, Role, message::Kind},
    widgets::{Align, areas, cut, cut_middle, is_soon, pad, put_right, put_rule, spread, words},
};

/// Rows that stay: title, three lines of facts, a rule.
const HEAD_ROWS: u16 = 5;
/// With fewer columns dates are short.
const COLUMNS_FEW: u16 = 100;
/// With fewer rows only the title stays.
const ROWS_FEW: u16 = 10;

pub(crate) fn height(size: (u16, u16)) -> usize {
    let rows = areas(size).content.height;
    usize::from(rows.saturating_sub(head_rows(rows)))
}

fn head_rows(rows: u16) -> u16 {
    if rows < ROWS_FEW { 1.min(rows) } else { HEAD_ROWS }
}

pub(crate) fn columns(size: (u16, u16)) -> usize {
    usize::from(areas(size).content.width).saturating_sub(2)
}

pub(crate) fn draw(model: &Model, view: &MessageView, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    title(model, view, frame, area);
    let head = head_rows(area.height);
    if head > 1 {
        facts(model, view, frame, Rect { y: area.y + 1, height: 3, ..area });
        rule(model, view, frame, Rect { y: area.y + 4, height: 1, ..area });
    }
    let top = area.y + head;
    for (y, row) in (top..area.bottom()).zip(view.scroll.top..) {
        let Some((indent, pieces)) = view.document.row(row) else { break };
        let mut x = area.x + 1 + indent as u16;
        // Columns that are left out at the left.
        let mut skip = view.left.saturating_sub(indent);
        for (kind, text) in pieces {
            let text = after(text, &mut skip);
            let room = usize::from(area.right().saturating_sub(x + 1));
            if room == 0 {
                break;
            }
            let (next, _) = frame.buffer_mut().set_stringn(x, y, text, room, style(look, kind));
            x = next;
        }
    }
}

/// What is left of a text after `skip` columns.
fn after<'a>(text: &'a str, skip: &mut usize) -> &'a str {
    if *skip == 0 {
        return text;
    }
    for (at, character) in text.char_indices() {
        if *skip == 0 {
            return &text[at..];
        }
        *skip = skip.saturating_sub(character.width().unwrap_or(0));
    }
    ""
}

fn style(look: Look, kind: Kind) -> Style {
    look.style(match kind {
        Kind::Plain => Role::Text,
        Kind::Heading => Role::Heading,
        Kind::Label | Kind::Sign => Role::Dim,
        Kind::Note => Role::Dim,
        Kind::Key => Role::Accent,
        Kind::String => Role::Good,
        Kind::Number => Role::Warning,
    })
}

fn title(model: &Model, view: &MessageView, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let mut left = vec![Span::raw(" ")];
    if let Some(site) = model.site(&view.environment) {
        let name = format!(" {} ", look.environment_name(&site.environment));
        left.push(Span::styled(name, look.environment(&site.environment)));
        left.push(Span::raw(" "));
    }
    left.push(Span::styled(Text::line(view.queue.as_str()).to_string(), look.style(Role::Strong)));
    if view.edited.is_some() {
        left.push(Span::styled("  edited", look.style(Role::Warning)));
    }
    let place = model.letters().filter(|letters| !letters.rows.is_empty()).map(|letters| {
        let (at, rows) = (letters.cursor.at as u64 + 1, letters.rows.len() as u64);
        format!("  message {} of {} ", words::count(at), words::count(rows))
    });
    let right = vec![Span::styled(place.unwrap_or_default(), look.style(Role::Dim))];
    let line = spread(left, right, usize::from(area.width), look);
    frame.buffer_mut().set_line(area.x, area.y, &line, area.width);
}

fn facts(model: &Model, view: &MessageView, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let columns = usize::from(area.width).saturating_sub(2);
    let half = columns / 2;
    let rows = [
        [("sent", sent(model, view)), from(view)],
        [("received", received(model, view)), ("expires", expires(model, view))],
        [("id", Text::line(&view.id.0).to_string()), ("size", size(view))],
    ];
    for (y, row) in (area.y..area.bottom()).zip(rows) {
        let mut spans = vec![Span::raw(" ")];
        for (at, (label, value)) in row.into_iter().enumerate() {
            let room = if at == 0 { half } else { columns - half };
            let text_room = room.saturating_sub(11);
            let value = if label == "id" {
                cut_middle(&value, text_room, look).into_owned()
            } else {
                cut(&value, text_room, look).into_owned()
            };
            let role = if label == "expires" && is_lost_soon(model, view) { Role::Critical } else { Role::Text };
            spans.push(Span::styled(pad(label, 9, Align::Left, look), look.style(Role::Dim)));
            spans.push(Span::styled(pad(&value, room.saturating_sub(9), Align::Left, look), look.style(role)));
        }
        frame.buffer_mut().set_line(area.x, y, &Line::from(spans), area.width);
    }
}

fn from(view: &MessageView) -> (&'static str, String) {
    match Origin::of(&view.message) {
        Origin::Queue { source } => ("died in", Text::line(source.name().as_str()).to_string()),
        other => ("from", other.to_string()),
    }
}

fn sent(model: &Model, view: &MessageView) -> String {
    match view.message.system.sent_at {
        Some(sent) => {
            let ago = words::duration(words::seconds_since(sent, model.now));
            let is_narrow = model.size.0 < COLUMNS_FEW;
            format!("{ago} ago, {}", sent.strftime(if is_narrow { "%m-%d %H:%M" } else { "%F %T UTC" }))
        }
        None => "unknown".to_owned(),
    }
}

fn received(model: &Model, view: &MessageView) -> String {
    let system = &view.message.system;
    let times = words::of(u64::from(system.receive_count), "time");
    match system.first_received_at {
        Some(first) => {
            format!("{times}, first {} ago", words::duration(words::seconds_since(first, model.now)))
        }
        None => times,
    }
}

/// Seconds until SQS drops it, of how many.
fn seconds_left(model: &Model, view: &MessageView) -> Option<(i64, u64)> {
    let sent = view.message.system.sent_at?;
    let known = model.queue(&view.environment, &view.queue).and_then(|(_, seen)| seen.queue.as_ref());
    let looked = model.letters().and_then(|letters| letters.letters.shown());
    let retention = known.map(|queue| queue.retention_seconds).or(looked.map(|looked| looked.retention_seconds))?;
    Some((i64::try_from(retention).unwrap_or(i64::MAX) - words::seconds_since(sent, model.now), retention))
}

fn is_lost_soon(model: &Model, view: &MessageView) -> bool {
    let Some(site) = model.site(&view.environment) else { return false };
    seconds_left(model, view).is_some_and(|(left, retention)| is_soon(&site.environment, retention, left))
}

fn expires(model: &Model, view: &MessageView) -> String {
    match seconds_left(model, view) {
        Some((left, _)) if left > 0 => format!("in {}", words::duration(left)),
        Some(_) => "now: SQS may drop it at any time".to_owned(),
        None => "unknown".to_owned(),
    }
}

fn size(view: &MessageView) -> String {
    words::of(view.message.size_bytes(), "byte")
}

/// A rule that says what else can be seen.
fn rule(model: &Model, view: &MessageView, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    put_rule(frame, area, look.sign("─", "-"), look.style(Role::Line));
    let mut notes = Vec::new();
    let encoded = view.document.encoded as u64;
    if let Some(key) = model.keymap.key_for(Scope::Message, Command::Decode) {
        if view.decode {
            notes.push(format!("{key} shows it as it is"));
        } else if encoded > 0 {
            notes.push(format!("{key} decodes {}", words::of(encoded, "value")));
        }
    }
    let (rows, height) = (view.document.rows.len(), usize::from(height(model.size) as u16));
    if rows > height {
        let last = (view.scroll.top + height).min(rows);
        notes.push(format!("line {} of {}", words::count(last as u64), words::count(rows as u64)));
    }
    if notes.is_empty() {
        return;
    }
    let text = format!(" {} ", notes.join(look.dot()));
    put_right(frame, area, &text, look.style(Role::Dim));
}
