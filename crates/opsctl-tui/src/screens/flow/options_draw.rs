//! Draws the form in which it is changed how an operation is done.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line as TextLine, Span},
};

use crate::{
    state::{Filled, Form, FormLine, Look, Model, Role},
    widgets::{Align, last_row, pad, put, put_lines, text::hidden, width, wrap},
};

/// Rows below the form's lines: a rule, help of the line that has the focus, keys.
pub(crate) const BELOW_ROWS: u16 = 5;
const NAME_COLUMNS: usize = 18;

fn rows_of(line: &FormLine) -> usize {
    1 + usize::from(line.wrong.is_some())
}

/// The first line drawn, so that the one with the focus is seen whole.
fn top(form: &Form, rows: usize) -> usize {
    let mut top = 0;
    let upto = |top: usize| form.lines[top..=form.cursor.at].iter().map(rows_of).sum::<usize>();
    while form.cursor.at < form.lines.len() && top < form.cursor.at && upto(top) > rows {
        top += 1;
    }
    top
}

pub(crate) fn draw(model: &Model, form: &Form, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let below = BELOW_ROWS.min(area.height);
    let rows = area.height - below;
    let top = top(form, usize::from(rows));
    let mut y = area.y;
    let mut drawn = top;
    for (at, line) in form.lines.iter().enumerate().skip(top) {
        if usize::from(y - area.y) + rows_of(line) > usize::from(rows) {
            break;
        }
        draw_line(line, at == form.cursor.at, frame, Rect { y, height: 1, ..area }, look);
        y += 1;
        if let Some(wrong) = &line.wrong {
            put(frame, Rect { y, ..value_area(area) }, wrong.as_str(), look.style(Role::Warning), look);
            y += 1;
        }
        drawn = at + 1;
    }
    let foot = Rect { y: area.y + rows, height: below, ..area };
    draw_foot(form, (top, form.lines.len() - drawn), frame, foot, look);
}

fn value_area(area: Rect) -> Rect {
    let taken = NAME_COLUMNS as u16 + 2;
    Rect { x: area.x + taken, width: area.width.saturating_sub(taken), ..area }
}

fn draw_line(line: &FormLine, focused: bool, frame: &mut Frame<'_>, area: Rect, look: Look) {
    let name = pad(&line.name, NAME_COLUMNS, Align::Left, look);
    let pointer = if focused { look.pointer() } else { " " };
    if focused {
        frame.buffer_mut().set_style(area, look.style(Role::Cursor));
    }
    let name = vec![
        Span::styled(pointer, look.style(Role::Accent)),
        Span::styled(name, look.style(if focused { Role::Strong } else { Role::Text })),
    ];
    frame.buffer_mut().set_line(area.x, area.y, &TextLine::from(name), area.width);
    let at = value_area(area);
    match &line.value {
        Filled::Typed(field) if focused => field.draw("", frame, at, look.style(Role::Cursor), look),
        Filled::Typed(field) if field.text().is_empty() => {
            put(frame, at, &line.takes.to_lowercase(), look.style(Role::Dim), look);
        }
        Filled::Typed(field) => put(frame, at, field.text(), look.style(Role::Accent), look),
        Filled::Whether(whether) => {
            let (text, role) = if *whether { ("[x] yes", Role::Accent) } else { ("[ ] no", Role::Dim) };
            put(frame, at, text, look.style(role), look);
        }
        Filled::OneOf(names, chosen) => {
            let mut spans = Vec::new();
            for (index, (name, _)) in names.iter().enumerate() {
                let here = index == *chosen;
                let text = if here { format!("[{name}]") } else { format!(" {name} ") };
                spans.push(Span::styled(text, look.style(if here { Role::Accent } else { Role::Dim })));
                spans.push(Span::raw(" "));
            }
            frame.buffer_mut().set_line(at.x, at.y, &TextLine::from(spans), at.width);
        }
    }
}

fn draw_foot(form: &Form, (above, below): (usize, usize), frame: &mut Frame<'_>, area: Rect, look: Look) {
    let columns = usize::from(area.width);
    let hidden = hidden(above, below, look);
    let rule = look.sign("─", "-").repeat(columns.saturating_sub(width(&hidden) + 1));
    let line = TextLine::from(vec![
        Span::styled(rule, look.style(Role::Line)),
        Span::raw(" "),
        Span::styled(hidden, look.style(Role::Accent)),
    ]);
    frame.buffer_mut().set_line(area.x, area.y, &line, area.width);
    let Some(focused) = form.focused() else { return };
    let chosen = match &focused.value {
        Filled::OneOf(names, at) => names.get(*at).map(|(name, help)| format!(" ({name}: {help})")).unwrap_or_default(),
        Filled::Typed(_) | Filled::Whether(_) => String::new(),
    };
    let help = wrap(&format!("{}{chosen}", focused.help), columns);
    let below = Rect { y: area.y + 1, height: area.height.saturating_sub(2), ..area };
    put_lines(frame, below, help.into_iter().map(|line| (line, look.style(Role::Text))), look);
    let change = match &focused.value {
        Filled::Typed(_) => "type a value, empty: as without",
        Filled::Whether(_) | Filled::OneOf(..) => "space change",
    };
    let keys = format!("enter plan anew   esc back   tab move   {change}");
    if area.height > 1 {
        put(frame, last_row(area), &keys, look.style(Role::Dim), look);
    }
}
