//! Draws a run of a runbook: what and where, its steps, the step that is looked at, and what it waits for.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use super::{
    shown::{Shown, driven, end, shown},
    sign,
    words::waits_for,
};
use crate::{
    domain::{Text, words::duration},
    journal::End,
    keymap::{Command, Scope},
    runbook::StepState,
    screens::screen::{Able, Screen},
    state::{Driven, Load, Model, Role, RunbookRunView, runbook::Question},
    widgets::{
        Align, areas, busy_sign, cut, last_row, pad, put, put_lines, put_rule, spread, text::row, width, within, wrap,
    },
};

/// Rows above the steps: what and where, the deadline.
const ABOVE_ROWS: u16 = 2;
/// Rows at the bottom: a rule, what it waits for in two, keys.
const BELOW_ROWS: u16 = 4;

pub(super) fn columns(model: &Model) -> usize {
    usize::from(areas(model.size).content.width).saturating_sub(4)
}

struct Places {
    steps: Rect,
    page: Rect,
    below: Rect,
}

fn places(area: Rect, steps: usize) -> Places {
    let below = BELOW_ROWS.min(area.height);
    let room = area.height.saturating_sub(ABOVE_ROWS + below);
    // Steps have half of the room at most: the rest is for the one that is looked at.
    let steps = u16::try_from(steps).unwrap_or(u16::MAX).min(room.div_ceil(2));
    let steps = Rect { y: area.y + ABOVE_ROWS, height: steps, ..area };
    let page = room.saturating_sub(steps.height + 1);
    let page = Rect { y: steps.bottom() + 1, height: page, ..within(area, 2) };
    Places { steps, page, below: Rect { y: area.bottom() - below, height: below, ..area } }
}

pub(super) fn page_rows(model: &Model, view: &RunbookRunView) -> usize {
    let steps = shown(model, view).map_or(0, |shown| shown.steps.len());
    usize::from(places(areas(model.size).content, steps).page.height)
}

pub(super) fn draw(model: &Model, view: &RunbookRunView, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let Some(shown) = shown(model, view) else {
        return view.page.draw(frame, within(area, 2), view.top, look);
    };
    if area.height < ABOVE_ROWS + BELOW_ROWS + 4 {
        return view.page.draw(frame, within(area, 2), view.top, look);
    }
    head(model, view, &shown, frame, area);
    let Places { steps, page, below } = places(area, shown.steps.len());
    draw_steps(model, view, &shown, frame, steps);
    let at = view.picked.unwrap_or(shown.index);
    let name = shown.runbook.steps.get(at).map(|step| format!(" {}. {} ", at + 1, step.name)).unwrap_or_default();
    let title = match (view.shows_timeline, view.picked.is_none() && end(model, view).is_some()) {
        (true, _) => " Timeline ".to_owned(),
        (false, true) => " Report ".to_owned(),
        (false, false) => name,
    };
    let rule = Rect { y: steps.bottom(), height: 1, ..area };
    put_rule(frame, rule, look.sign("╌", "-"), look.style(Role::Line));
    put(frame, within(rule, 2), &title, look.style(Role::Heading), look);
    view.page.draw(frame, page, view.top, look);
    draw_below(model, view, frame, below);
}

fn head(model: &Model, view: &RunbookRunView, shown: &Shown<'_>, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let mut left = vec![Span::raw("  "), Span::styled(shown.runbook.title.to_string(), look.style(Role::Strong))];
    if let Some(site) = model.site(shown.environment) {
        let name = Text::line(&look.environment_name(&site.environment));
        left.push(Span::raw("  "));
        left.push(Span::styled(format!(" {name} "), look.environment(&site.environment)));
        if let Some(account) = &site.environment.account {
            left.push(Span::styled(format!(" {account}"), look.style(Role::Dim)));
        }
    }
    let (words, role) = standing(model, view);
    let right = vec![Span::styled(words, look.style(role))];
    let line = spread(left, right, usize::from(area.width.saturating_sub(2)), look);
    frame.buffer_mut().set_line(area.x, area.y, &line, area.width);
    let deadline = driven(model, view).and_then(|driven| driven.deadline.as_ref()).filter(|text| !text.is_empty());
    let mut facts: Vec<(String, Role)> = Vec::new();
    facts.extend(deadline.map(|text| (format!("{} {text}", look.sign("▲", "!")), Role::Warning)));
    if end(model, view).is_none() {
        let seconds = model.now.duration_since(shown.begun_at).as_secs().max(0);
        let ago = if seconds < 60 { format!("{seconds} s") } else { duration(seconds as f64) };
        let recovery = shown.runbook.recovery_time.map(|time| format!(", recovery time {time}")).unwrap_or_default();
        facts.push((format!("started {ago} ago{recovery}"), Role::Dim));
    }
    let mut spans = vec![Span::raw("  ")];
    for (at, (text, role)) in facts.into_iter().enumerate() {
        spans.push(Span::styled(if at > 0 { look.dot() } else { "" }, look.style(Role::Dim)));
        spans.push(Span::styled(text, look.style(role)));
    }
    let line = spread(spans, Vec::new(), usize::from(area.width), look);
    frame.buffer_mut().set_line(area.x, area.y + 1, &line, area.width);
}

/// How the run stands, in words.
fn standing(model: &Model, view: &RunbookRunView) -> (String, Role) {
    let look = model.look;
    if let Some(end) = end(model, view) {
        let (sign, role) = match end {
            End::Done => (look.sign("✓", "+"), Role::Good),
            End::Nothing => (look.sign("–", "-"), Role::Text),
            End::Failed | End::Refused => (look.sign("✗", "x"), Role::Critical),
            End::Partly | End::Stale | End::Interrupted => (look.sign("▲", "!"), Role::Warning),
        };
        return (format!("{sign} {}", end.words()), role);
    }
    match driven(model, view) {
        Some(driven) => match (&driven.end, &driven.asked) {
            (None, Some(_)) => (format!("{} waits for you", look.sign("▲", "!")), Role::Warning),
            (None, None) if driven.cancelled => ("stopping".to_owned(), Role::Warning),
            (None, None) if driven.is_stopping => (format!("{} ending", busy_sign(model)), Role::Warning),
            (None, None) => (format!("{} running", busy_sign(model)), Role::Accent),
            (Some(Ok(_)), _) => ("left open".to_owned(), Role::Warning),
            (Some(Err(_)), _) => (format!("{} interrupted", look.sign("✗", "x")), Role::Critical),
        },
        None => ("open".to_owned(), Role::Warning),
    }
}

fn draw_steps(model: &Model, view: &RunbookRunView, shown: &Shown<'_>, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let picked = view.picked.unwrap_or(shown.index);
    let rows = usize::from(area.height);
    let top = (picked + 1 + rows / 2).saturating_sub(rows).min(shown.steps.len().saturating_sub(rows));
    let names = shown.steps.iter().map(|step| width(step.name.as_str())).max().unwrap_or(0);
    let names = names.min(usize::from(area.width) * 2 / 5);
    let is_active = driven(model, view).is_some_and(Driven::is_active);
    let asks = driven(model, view).and_then(|driven| driven.asked.as_ref()).map(|asked| asked.index);
    for ((y, at), step) in (0..area.height).zip(top..).zip(shown.steps.iter().skip(top)) {
        let line = row(area, y);
        let here = at == picked;
        if here {
            frame.buffer_mut().set_style(line, look.style(Role::Cursor));
        }
        let (sign, role) = sign(step.state, look);
        let (sign, words, role) = match (asks == Some(at), step.state) {
            // Nobody works on it now.
            (false, StepState::Running) if !is_active => (look.sign("▲", "!"), "started", Role::Warning),
            (true, StepState::Failed) => (sign, "failed: waits for you", role),
            (true, _) => (look.sign("▲", "!"), "waits for you", Role::Warning),
            (false, state) => (sign, state.words(), role),
        };
        let took = step.seconds.map(|seconds| format!(" {}", duration(seconds))).unwrap_or_default();
        let number = format!("{:>2} ", at + 1);
        let name = pad(&cut(step.name.as_str(), names, look), names, Align::Left, look);
        let mut spans = vec![
            Span::styled(if here { look.pointer() } else { " " }, look.style(Role::Accent)),
            Span::styled(format!("{sign} "), look.style(role)),
            Span::styled(number, look.style(Role::Dim)),
            Span::styled(name, look.style(Role::Text)),
            Span::styled(format!("  {words}"), look.style(role)),
            Span::styled(took, look.style(Role::Dim)),
        ];
        if let Some(because) = step.because.as_ref().filter(|_| step.state != StepState::Running) {
            spans.push(Span::styled(format!("{}{because}", look.dot()), look.style(Role::Dim)));
        }
        let line_of = spread(spans, Vec::new(), usize::from(area.width), look);
        frame.buffer_mut().set_line(line.x, line.y, &line_of, line.width);
    }
}

/// What it waits for, or is at, and the keys that lead on.
fn draw_below(model: &Model, view: &RunbookRunView, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    put_rule(frame, area, look.sign("─", "-"), look.style(Role::Line));
    let (words, role) = below(model, view);
    let lines = wrap(Text::line(&words).as_str(), usize::from(area.width).saturating_sub(4));
    let middle = Rect { y: area.y + 1, height: area.height.saturating_sub(2), ..within(area, 2) };
    put_lines(frame, middle, lines.into_iter().map(|line| (line, look.style(role))), look);
    let asks_plan = driven(model, view).and_then(|driven| driven.asked.as_ref());
    let open = match asks_plan.map(|asked| &asked.question) {
        Some(Question::Agree { .. }) => "see the plan and approve",
        Some(Question::Hand) => "say if it is done",
        Some(Question::Decide { .. }) => "decide",
        Some(Question::Answer(_)) | None => "answer",
    };
    let offers = [
        (Command::Open, open),
        (Command::Decline, "decline"),
        (Command::Resume, "resume"),
        (Command::TakeOver, "take over"),
        (Command::Export, "export the timeline"),
    ];
    let mut spans = Vec::new();
    for (command, word) in offers.into_iter().filter(|(command, _)| view.able(model, *command) == Able::Yes) {
        if command == Command::Export && end(model, view).is_none() {
            continue;
        }
        let Some(key) = model.keymap.key_for(Scope::RunbookRun, command) else { continue };
        spans.push(Span::styled(key.to_owned(), look.style(Role::Key)));
        spans.push(Span::raw(format!(" {word}   ")));
    }
    let last = last_row(within(area, 2));
    frame.buffer_mut().set_line(last.x, last.y, &Line::from(spans), last.width);
}

fn below(model: &Model, view: &RunbookRunView) -> (String, Role) {
    let look = model.look;
    let warning = look.sign("▲", "!");
    if let Some(driven) = driven(model, view) {
        return match (&driven.end, &driven.asked) {
            (None, Some(asked)) => (format!("{warning} Waits for {}", waits_for(driven, asked)), Role::Warning),
            (None, None) => match &driven.doing {
                Some(doing) => (format!("{} {doing}", busy_sign(model)), Role::Accent),
                None => ("It continues while you look elsewhere.".to_owned(), Role::Dim),
            },
            (Some(Ok(report)), _) => match &report.waits_for {
                Some(waits_for) => (format!("Left open: waits for {waits_for}"), Role::Text),
                None => (String::new(), Role::Text),
            },
            (Some(Err(failure)), _) => (failure.to_string(), Role::Critical),
        };
    }
    match &view.stood {
        Load::Failed(failure, _) => (failure.to_string(), Role::Warning),
        Load::Here(stood) | Load::Waiting(_, Some(stood)) if stood.end.is_none() => {
            (format!("Open. {} ran it last.", stood.driver), Role::Text)
        }
        Load::Idle | Load::Waiting(..) | Load::Here(_) => (String::new(), Role::Text),
    }
}
