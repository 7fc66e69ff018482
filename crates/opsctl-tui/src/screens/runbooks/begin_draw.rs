//! Draws the form in which values are asked for.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line as TextLine, Span},
};

use crate::{
    domain::Text,
    runbook::{Kind, things::is_thing},
    state::{
        Model, Role,
        runbook::{About, Purpose, Value, ValueLine, ValuesForm},
    },
    widgets::{Align, last_row, pad, popup, put, put_rule, put_wrapped, text::row},
};

const COLUMNS: u16 = 100;
const NAME_COLUMNS: usize = 16;
/// Rows below the lines: a rule, help, names that fit, keys.
const BELOW_ROWS: u16 = 9;
const NAMES_MAX: usize = 5;

pub(super) fn draw(model: &Model, form: &ValuesForm, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let wrongs = form.lines.iter().filter(|line| line.wrong.is_some()).count();
    let rows = (form.lines.len() + wrongs) as u16 + BELOW_ROWS + 2;
    let inside = popup(frame, area, (COLUMNS, rows), form.title.as_str(), look.style(Role::Accent), look);
    let above = inside.height.saturating_sub(BELOW_ROWS);
    // The line that has the focus is always seen.
    let top = (form.at + 1 + wrongs).saturating_sub(usize::from(above));
    let mut y = 0;
    for (at, line) in form.lines.iter().enumerate().skip(top) {
        if y >= above {
            break;
        }
        draw_line(model, line, at == form.at, frame, row(inside, y));
        y += 1;
        if let Some(wrong) = line.wrong.as_ref().filter(|_| y < above) {
            put(frame, value_area(row(inside, y)), wrong.as_str(), look.style(Role::Warning), look);
            y += 1;
        }
    }
    if inside.height <= BELOW_ROWS {
        return;
    }
    let below = Rect { y: inside.y + above, height: BELOW_ROWS, ..inside };
    put_rule(frame, below, look.sign("─", "-"), look.style(Role::Line));
    draw_below(model, form, frame, Rect { y: below.y + 1, height: below.height - 1, ..below });
}

fn value_area(area: Rect) -> Rect {
    let taken = NAME_COLUMNS as u16 + 2;
    Rect { x: area.x + taken, width: area.width.saturating_sub(taken), ..area }
}

fn draw_line(model: &Model, line: &ValueLine, focused: bool, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    if focused {
        frame.buffer_mut().set_style(area, look.style(Role::Cursor));
    }
    let pointer = if focused { look.pointer() } else { " " };
    let name = pad(Text::line(&line.name).as_str(), NAME_COLUMNS, Align::Left, look);
    let spans = vec![
        Span::styled(pointer, look.style(Role::Accent)),
        Span::styled(name, look.style(if focused { Role::Strong } else { Role::Text })),
    ];
    frame.buffer_mut().set_line(area.x, area.y, &TextLine::from(spans), area.width);
    let at = value_area(area);
    match &line.value {
        Value::Typed(field) if focused => field.draw("", frame, at, look.style(Role::Cursor), look),
        Value::Typed(field) if field.text().is_empty() => {
            put(frame, at, line.kind.into_str(), look.style(Role::Dim), look);
        }
        Value::Typed(field) => put(frame, at, field.text(), look.style(Role::Accent), look),
        Value::OneOf(all, chosen) => {
            let spans = all.iter().enumerate().flat_map(|(index, name)| {
                let here = index == *chosen;
                let name = Text::line(name);
                let text = if here { format!("[{name}]") } else { format!(" {name} ") };
                let is_site = line.about == About::Environment;
                let site = model.sites.iter().find(|site| is_site && site.environment.name.0 == name.as_str());
                let style = match (here, site) {
                    (true, Some(site)) => look.environment(&site.environment),
                    (true, None) => look.style(Role::Accent),
                    (false, _) => look.style(Role::Dim),
                };
                [Span::styled(text, style), Span::raw(" ")]
            });
            let mut spans: Vec<Span<'_>> = spans.collect();
            if *chosen >= all.len() {
                spans.push(Span::styled("choose one", look.style(Role::Warning)));
            }
            frame.buffer_mut().set_line(at.x, at.y, &TextLine::from(spans), at.width);
        }
        Value::SomeOf(all, under) => {
            let spans = all.iter().enumerate().flat_map(|(index, (name, is_chosen))| {
                let text = format!("[{}] {}", if *is_chosen { "x" } else { " " }, Text::line(name));
                let role = if index == *under { Role::Strong } else { Role::Dim };
                [Span::styled(text, look.style(role)), Span::raw("  ")]
            });
            frame.buffer_mut().set_line(at.x, at.y, &TextLine::from(spans.collect::<Vec<_>>()), at.width);
        }
    }
}

fn draw_below(model: &Model, form: &ValuesForm, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let Some(line) = form.lines.get(form.at) else { return };
    put(frame, area, line.help.as_str(), look.style(Role::Text), look);
    let names = form.suggestions(model);
    let mut lines: Vec<(String, Role)> = Vec::new();
    let is_listed = line.about == About::Value && is_thing(line.kind) && line.kind != Kind::Environment;
    if is_listed {
        match form.names.get(&line.kind) {
            None if form.environment.0.is_empty() => {
                lines.push(("choose the environment first".to_owned(), Role::Dim));
            }
            None => lines.push((format!("listing names in {}", form.environment), Role::Dim)),
            Some(Err(because)) => lines.push((format!("names cannot be listed: {because}"), Role::Warning)),
            Some(Ok(_)) if names.is_empty() => lines.push(("no match".to_owned(), Role::Warning)),
            Some(Ok(_)) => {}
        }
    }
    let sign = |at: usize| if at == 0 { look.arrow() } else { " " };
    lines.extend(names.iter().take(NAMES_MAX).enumerate().map(|(at, name)| {
        (format!("{:width$} {}", sign(at), Text::line(name), width = look.arrow().chars().count()), Role::Accent)
    }));
    if names.len() > NAMES_MAX {
        lines.push((format!("and {} more", names.len() - NAMES_MAX), Role::Dim));
    }
    let middle = Rect { y: area.y + 1, height: area.height.saturating_sub(2), ..area };
    put_wrapped(frame, middle, &lines, look);
    let enter = match form.purpose {
        Purpose::Begin(_) => "enter start the run",
        Purpose::Answer(..) => "enter answer",
    };
    let change = match &line.value {
        Value::Typed(_) if !names.is_empty() => "   tab complete",
        Value::Typed(_) => "",
        Value::OneOf(..) => "   space change",
        Value::SomeOf(..) => "   right next   space choose",
    };
    let keys = format!("{enter}{change}   up, down move   esc back");
    put(frame, last_row(area), &keys, look.style(Role::Dim), look);
}
