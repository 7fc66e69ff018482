//! Acknowledging: for how long and why, in one line; and taking it back.

use jiff::SignedDuration;
use ratatui::{Frame, layout::Rect};

use super::{HomeView, under, what};
use crate::{
    acknowledged::{Acknowledged, Line, Standing, What, parse},
    domain::Text,
    effect::Effect,
    field::{Field, Typed},
    fit::{cut, wrap},
    keymap::Key,
    model::{Model, Overlay, View},
    observe::{Verdict, words::span},
    popup::popup,
    theme::Role,
};

/// How long where nothing is said: a shift.
const OTHERWISE: SignedDuration = SignedDuration::from_hours(8);

/// Asks for how long and why.
#[derive(Debug, Clone)]
pub struct Asking {
    /// What is acknowledged, as it was when this opened.
    verdict: Verdict,
    /// What is typed.
    pub field: Field,
    /// What is wrong with it.
    wrong: Option<&'static str>,
}

/// Opens the question on what is under the cursor; what is acknowledged already is taken back.
pub(super) fn begin(model: &mut Model) -> Vec<Effect> {
    let View::Home(view) = model.view() else { return Vec::new() };
    let Some(verdict) = under(view).cloned() else { return Vec::new() };
    if model.acknowledged.hides(&verdict, model.now) {
        return vec![keep(model, &verdict, None)];
    }
    model.overlay = Some(Overlay::Acknowledge(Box::new(Asking { verdict, field: Field::default(), wrong: None })));
    Vec::new()
}

fn keep(model: &Model, verdict: &Verdict, acknowledged: Option<Acknowledged>) -> Effect {
    let (at, by, what) = (model.now, model.person.clone(), What::of(verdict));
    Effect::Acknowledge(Box::new(Line { at, by, what, acknowledged }))
}

/// Takes a key.
pub(crate) fn key(model: &mut Model, key: &Key) -> Vec<Effect> {
    let Some(Overlay::Acknowledge(asking)) = &mut model.overlay else { return Vec::new() };
    asking.wrong = None;
    match asking.field.key(key) {
        Typed::Enter => match parse(asking.field.text(), OTHERWISE) {
            Ok((lasts, reason)) => {
                let verdict = asking.verdict.clone();
                let Verdict { severity, messages, .. } = verdict;
                let until = model.now.checked_add(lasts).unwrap_or(model.now);
                model.overlay = None;
                return vec![keep(model, &verdict, Some(Acknowledged { until, reason, severity, messages }))];
            }
            Err(wrong) => asking.wrong = Some(wrong),
        },
        Typed::Escape => model.overlay = None,
        Typed::Changed | Typed::Nothing => {}
    }
    Vec::new()
}

/// Draws the question.
pub(crate) fn draw(model: &Model, asking: &Asking, frame: &mut Frame<'_>, area: Rect) {
    let look = model.look;
    let inside = popup(frame, area, (76, 9), "Acknowledge", look.style(Role::Accent), look);
    let columns = usize::from(inside.width);
    let name = format!("{} in {}", what(model, &asking.verdict), asking.verdict.environment);
    let mut lines = vec![(Text::line(&name).to_string(), Role::Strong)];
    let words =
        "It is left out here until then, or until it gets clearly worse: twice the messages, or a worse severity.";
    lines.extend(wrap(words, columns).into_iter().map(|line| (line, Role::Text)));
    for (y, (text, role)) in (inside.y..inside.bottom()).zip(lines) {
        frame.buffer_mut().set_stringn(inside.x, y, cut(&text, columns, look), columns, look.style(role));
    }
    if inside.height < 7 {
        return;
    }
    let row = |y: u16| Rect { y, height: 1, ..inside };
    asking.field.draw("for how long, and why: ", frame, row(inside.y + 4), look.style(Role::Text), look);
    let (text, role) = match asking.wrong {
        Some(wrong) => (wrong, Role::Warning),
        None => ("as `4h consumers are being mended`; m, h, d; 8 h where nothing is said", Role::Dim),
    };
    frame.buffer_mut().set_stringn(inside.x, inside.y + 5, cut(text, columns, look), columns, look.style(role));
    let keys = "enter keep   esc leave it";
    frame.buffer_mut().set_stringn(inside.x, inside.bottom() - 1, keys, columns, look.style(Role::Dim));
}

/// What was said of it, for the details of a row.
pub(super) fn words(model: &Model, verdict: &Verdict) -> Option<String> {
    let (line, acknowledged, standing) = model.acknowledged.on(verdict, model.now)?;
    let Line { by, .. } = line;
    let Acknowledged { until, reason, messages, severity } = acknowledged;
    Some(match standing {
        Standing::Holds => {
            format!("acknowledged by {by} for {} more: {reason}", span(until.duration_since(model.now)))
        }
        Standing::Ended => {
            format!("was acknowledged by {by} until {} ago: {reason}", span(model.now.duration_since(*until)))
        }
        Standing::Worse if verdict.severity < *severity => {
            format!("was acknowledged by {by}, and got worse since: {reason}")
        }
        Standing::Worse => format!("was acknowledged by {by} at ~{messages} messages, and got worse since: {reason}"),
    })
}

/// How many of those shown in the environments are left out, and the rest.
pub(super) fn split(model: &Model, view: &HomeView, all: Vec<Verdict>) -> (Vec<Verdict>, usize) {
    let (hidden, shown): (Vec<Verdict>, Vec<Verdict>) =
        all.into_iter().partition(|verdict| model.acknowledged.hides(verdict, model.now));
    let count = hidden.len();
    (if view.acknowledged_only { hidden } else { shown }, count)
}
