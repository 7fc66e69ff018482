//! Draws a plan, and what is asked for it. Under `type-name` the frame itself says where it would happen.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line as TextLine, Span},
};

use crate::{
    domain::{Environment, Protection},
    gate::{Ask, Refusal},
    keymap::{Command, Scope},
    operations::{
        plan::{Plan, words},
        values::duration,
    },
    screens::flow::options_draw,
    state::{ConsentLine, Flow, Load, Look, Model, Role, Wanted},
    widgets::{
        areas, boxed, button, cut, last_row, put, put_lines, put_right, put_rule, put_wrapped, text::row, width, wrap,
    },
};

/// Columns of the widest frame: longer lines are hard to read.
const COLUMNS_MAX: u16 = 116;
const ROWS_MAX: u16 = 44;
/// Rows of the question: a rule, the question, the answer, what was not right, keys.
const YES_ROWS: u16 = 4;
const TYPE_ROWS: u16 = 6;
/// Rows in which it is said what to type: a queue's name may have 80 characters, and who is to type it must see it whole.
const PHRASE_ROWS_MAX: usize = 3;

fn outer(area: Rect) -> Rect {
    // Where little would be seen beside it, it takes all: scraps of words distract.
    let columns = if area.width <= COLUMNS_MAX + 8 { area.width } else { COLUMNS_MAX };
    let rows = area.height.min(ROWS_MAX);
    Rect { x: area.x + (area.width - columns) / 2, y: area.y + (area.height - rows) / 2, width: columns, height: rows }
}

pub(crate) fn inside_columns(size: (u16, u16)) -> u16 {
    outer(areas(size).content).width.saturating_sub(4)
}

fn inside_rows(size: (u16, u16)) -> u16 {
    outer(areas(size).content).height.saturating_sub(2)
}

fn phrase_lines(phrase: &str, columns: u16) -> Vec<String> {
    let mut lines = wrap(&format!("type {}", crate::domain::Text::line(phrase)), usize::from(columns));
    lines.truncate(PHRASE_ROWS_MAX);
    lines
}

fn question_rows(flow: &Flow, columns: u16) -> u16 {
    let empty = flow.plan.shown().is_some_and(|plan| plan.empty);
    match (&flow.plan, &flow.asked) {
        (Load::Here(_), Some(Ok(Ask::Type(phrase)))) if !empty => {
            TYPE_ROWS + phrase_lines(phrase, columns).len() as u16
        }
        _ => YES_ROWS,
    }
}

pub(crate) fn page_rows(flow: &Flow, size: (u16, u16)) -> usize {
    usize::from(inside_rows(size).saturating_sub(question_rows(flow, inside_columns(size))))
}

pub(crate) fn form_rows(size: (u16, u16)) -> usize {
    usize::from(inside_rows(size).saturating_sub(options_draw::BELOW_ROWS)).max(1)
}

pub(crate) fn draw(model: &Model, flow: &Flow, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let environment = model.site(&flow.environment).map(|site| site.environment.as_ref());
    let strict = environment.is_some_and(|environment| environment.protection == Protection::TypeName);
    let edge = look.style(if strict { Role::Critical } else { Role::Accent });
    let outer = outer(area);
    let badge = environment.map(|environment| (badge(environment, outer, look), look.environment(environment)));
    let taken = badge.as_ref().map_or(0, |(text, _)| width(text) + 1);
    let title = cut(&flow.title(), usize::from(outer.width).saturating_sub(taken + 8), look).into_owned();
    let inside = boxed(frame, outer, &title, edge, look);
    if inside.height < 4 {
        return;
    }
    if let Some((text, style)) = badge {
        put_right(frame, outer, &text, style);
    }
    if let Some(form) = &flow.options {
        return options_draw::draw(model, form, frame, inside);
    }
    let rows = question_rows(flow, inside.width).min(inside.height);
    let above = Rect { height: inside.height - rows, ..inside };
    let below = Rect { y: inside.bottom() - rows, height: rows, ..inside };
    match &flow.plan {
        Load::Here(_) | Load::Waiting(_, Some(_)) => flow.page.draw(frame, above, flow.top, look),
        Load::Idle | Load::Waiting(_, None) => planning(model, flow, frame, above),
        Load::Failed(failure, _) => failed(model, failure, frame, above),
    }
    if matches!(flow.plan, Load::Waiting(_, Some(_))) {
        frame.buffer_mut().set_style(above, look.style(Role::Stale));
    }
    put_rule(frame, below, look.sign("─", "-"), look.style(Role::Line));
    question(model, flow, frame, Rect { y: below.y + 1, height: below.height - 1, ..below });
}

fn badge(environment: &Environment, outer: Rect, look: Look) -> String {
    let account = environment.account.as_ref().map(|account| format!(" {account}")).unwrap_or_default();
    let strict = match environment.protection {
        Protection::TypeName => ": asks for its name",
        Protection::ReadOnly => ": read-only",
        Protection::Confirm => "",
    };
    let name = look.environment_name(environment);
    cut(&format!(" {name}{account}{strict} "), usize::from(outer.width / 2), look).into_owned()
}

fn planning(model: &Model, flow: &Flow, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let seconds = model.now.duration_since(flow.asked_at).as_secs().max(0);
    let since = if seconds > 0 { format!(" ({seconds} s)") } else { String::new() };
    let lines = [
        (format!("planning: {}{since}", flow.title()), Role::Strong),
        (
            format!("asks {} for queues and policies, looks at a few messages and puts them back", flow.environment),
            Role::Dim,
        ),
        ("nothing is changed by it".to_owned(), Role::Dim),
    ];
    put_wrapped(frame, area, &lines, look);
}

fn failed(model: &Model, failure: &crate::run::Failure, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let mut lines = vec![("There is no plan, and nothing was done.".to_owned(), Role::Strong)];
    lines.push((format!("because: {}", failure.what), Role::Warning));
    if !failure.hint.is_empty() {
        lines.push((format!("try: {}", failure.hint), Role::Text));
    }
    lines.push((String::new(), Role::Text));
    let again = model.keymap.key_for(Scope::Plan, Command::Refresh).unwrap_or("enter");
    lines.push((format!("Then {again} or enter plans it again, as it was asked for."), Role::Text));
    put_wrapped(frame, area, &lines, look);
}

fn question(model: &Model, flow: &Flow, frame: &mut Frame<'_>, area: Rect) {
    match (&flow.plan, &flow.asked) {
        (Load::Here(plan), Some(Ok(_))) if plan.empty => {
            let words = format!("{} Nothing is asked, nothing will be done.", words::NOTHING);
            said(model, frame, area, &words, Role::Good, &[(Command::Back, "close"), (Command::Options, "options")]);
        }
        (Load::Here(plan), Some(Ok(Ask::Yes))) => ask_yes(model, flow, plan, frame, area),
        (Load::Here(plan), Some(Ok(Ask::Type(phrase)))) => ask_name(model, flow, plan, phrase, frame, area),
        (Load::Here(_), Some(Err(refusal))) => no_way(model, refusal, frame, area),
        (Load::Here(_), None) => {
            said(model, frame, area, "this environment is not known here", Role::Warning, &[(Command::Back, "close")]);
        }
        (Load::Idle | Load::Waiting(..), _) => {
            let words = match flow.notes.first() {
                Some(note) => note.as_str(),
                None => "planning: nothing is asked yet",
            };
            said(model, frame, area, words, Role::Accent, &[(Command::Back, "give up")]);
        }
        (Load::Failed(..), _) => {
            let keys = [(Command::Refresh, "plan again"), (Command::Options, "options"), (Command::Back, "give up")];
            said(model, frame, area, "it could not be planned", Role::Warning, &keys);
        }
    }
}

fn said(model: &Model, frame: &mut Frame<'_>, area: Rect, text: &str, role: Role, given: &[(Command, &str)]) {
    let look = model.look;
    put(frame, area, text, look.style(role), look);
    keys(model, frame, area, given);
}

fn keys(model: &Model, frame: &mut Frame<'_>, area: Rect, given: &[(Command, &str)]) {
    let look = model.look;
    let mut spans = Vec::new();
    let mut room = usize::from(area.width);
    for (command, word) in given {
        let Some(key) = model.keymap.key_for(Scope::Plan, *command) else { continue };
        let columns = width(key) + width(word) + 1;
        if columns > room {
            break;
        }
        room = room.saturating_sub(columns + 3);
        spans.push(Span::styled(key.to_owned(), look.style(Role::Key)));
        spans.push(Span::raw(format!(" {word}   ")));
    }
    if area.height > 0 {
        frame.buffer_mut().set_line(area.x, area.bottom() - 1, &TextLine::from(spans), area.width);
    }
}

fn no_way(model: &Model, refusal: &Refusal, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let text = match refusal {
        // The plan has them one by one above.
        Refusal::Blocked { .. } => {
            "This can't be done as it stands; the plan says why, and what would help.".to_owned()
        }
        other => format!("{other}; {}", other.hint()),
    };
    let above = Rect { height: area.height.saturating_sub(1), ..area };
    put_wrapped(frame, above, &[(text, Role::Critical)], look);
    let given = [(Command::Back, "close"), (Command::Options, "options"), (Command::Refresh, "plan again")];
    keys(model, frame, area, &given);
}

fn age(model: &Model, flow: &Flow) -> String {
    let seconds = flow.planned_at.map_or(0, |at| model.now.duration_since(at).as_secs());
    if seconds < 60 { String::new() } else { format!(" (planned {} ago)", duration(seconds as f64)) }
}

/// What stands below the question: what was not right with the last answer, else that there is no way back.
fn below(flow: &Flow, plan: &Plan, look: Look) -> Option<String> {
    let said = flow.consenting.said.as_ref().map(ToString::to_string);
    said.or_else(|| plan.no_way_back.as_ref().map(|text| format!("{} {text}", look.sign("▲", "!"))))
}

/// What can be answered. How a step of a runbook is done says the runbook, and to leave its plan is no answer to it.
fn answers<'a>(flow: &Flow, approve: &'a str) -> Vec<(Command, &'a str)> {
    let (back, options) = match flow.wanted {
        Wanted::Operation(_) | Wanted::Resume(_) => ("no", Some((Command::Options, "options"))),
        Wanted::Step(_) => ("not now", None),
    };
    let answers = [(Command::Approve, approve), (Command::Back, back)];
    let more = [(Command::CopyCommand, "copy command"), (Command::PageDown, "read on")];
    answers.into_iter().chain(options).chain(more).collect()
}

fn ask_yes(model: &Model, flow: &Flow, plan: &Plan, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let question = format!("{}{}", words::question(plan), age(model, flow));
    let columns = usize::from(area.width);
    // The buttons stay in sight however long the names are.
    let shown = cut(&question, columns.saturating_sub(20), look).into_owned();
    let buttons = vec![
        Span::styled(shown, look.style(Role::Strong)),
        Span::raw("  "),
        button("No", !flow.consenting.yes, look),
        Span::raw("  "),
        button("Yes", flow.consenting.yes, look),
    ];
    frame.buffer_mut().set_line(area.x, area.y, &TextLine::from(buttons), area.width);
    if let Some(below) = below(flow, plan, look) {
        put(frame, row(area, 1), &below, look.style(Role::Warning), look);
    }
    keys(model, frame, area, &answers(flow, "yes"));
}

fn ask_name(model: &Model, flow: &Flow, plan: &Plan, phrase: &str, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    if area.height < TYPE_ROWS {
        return;
    }
    let question = format!("{}{}", words::question(plan), age(model, flow));
    put(frame, area, &question, look.style(Role::Strong), look);
    let lines = phrase_lines(phrase, area.width);
    let rows = lines.len() as u16;
    let below_question = Rect { y: area.y + 1, height: rows, ..area };
    put_lines(frame, below_question, lines.into_iter().map(|line| (line, look.style(Role::Critical))), look);
    if rows == 1 {
        put(frame, below_question, "type", look.style(Role::Text), look);
    }
    let consenting = &flow.consenting;
    field("name  ", &consenting.phrase, consenting.line == Some(ConsentLine::Phrase), frame, row(area, 1 + rows), look);
    field("why   ", &consenting.reason, consenting.line == Some(ConsentLine::Reason), frame, row(area, 2 + rows), look);
    if let Some(below) = below(flow, plan, look) {
        put(frame, row(area, 3 + rows), &below, look.style(Role::Warning), look);
    }
    if flow.consenting.line.is_some() {
        let enter = match flow.consenting.line {
            Some(ConsentLine::Reason) => "enter do it",
            Some(ConsentLine::Phrase) | None => "enter on",
        };
        let words = format!("{enter}   tab next   up, down, pgdn read on   esc back to the plan");
        return put(frame, last_row(area), &words, look.style(Role::Dim), look);
    }
    keys(model, frame, area, &answers(flow, "type the name"));
}

fn field(label: &str, field: &crate::state::field::Field, focused: bool, frame: &mut Frame<'_>, row: Rect, look: Look) {
    if focused {
        return field.draw(label, frame, row, look.style(Role::Strong), look);
    }
    let columns = usize::from(row.width);
    let line = TextLine::from(vec![
        Span::styled(label.to_owned(), look.style(Role::Dim)),
        match field.text().is_empty() {
            true => Span::styled(look.sign("…", "_").to_owned(), look.style(Role::Dim)),
            false => Span::raw(cut(field.text(), columns.saturating_sub(width(label)), look).into_owned()),
        },
    ]);
    frame.buffer_mut().set_line(row.x, row.y, &line, row.width);
}
