//! Acknowledging: for how long and why, in one line; and taking it back.

use jiff::SignedDuration;
use ratatui::{Frame, layout::Rect};

use crate::{
    domain::Text,
    keymap::{Command, Key},
    observe::{
        Verdict,
        acknowledged::{Acknowledged, Acknowledgement, Book, Concern, Standing},
        words::span,
    },
    run::Failure,
    screens::{
        home::what::what,
        screen::{After, Pane, PaneKeys},
    },
    state::{Effect, Field, HomeView, Model, Notice, Overlay, Role, Typed, home::Asking},
    widgets::{cut, last_row, popup, put, put_wrapped, text::row},
};

const LONGEST: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Takes `4h consumers are being mended`: how long, else `otherwise`; and why.
///
/// # Errors
/// What is wrong with it, in words.
fn parse(text: &str, otherwise: SignedDuration) -> Result<(SignedDuration, Text), &'static str> {
    let text = text.trim();
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let (lasts, reason) = match duration(first) {
        Some(lasts) => (lasts, rest.trim()),
        None => (otherwise, text),
    };
    if reason.is_empty() {
        return Err("say why: whoever looks next reads it");
    }
    if lasts > LONGEST {
        return Err("30 days are the longest");
    }
    Ok((lasts, Text::line(reason)))
}

fn duration(text: &str) -> Option<SignedDuration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u32 = number.parse().ok().filter(|number| *number > 0)?;
    let minutes = match unit {
        "m" => 1,
        "h" => 60,
        "d" => 24 * 60,
        _ => return None,
    };
    Some(SignedDuration::from_mins(i64::from(number) * minutes))
}

/// How long where nothing is said: a shift.
const OTHERWISE: SignedDuration = SignedDuration::from_hours(8);

/// Opens the question on this; what is acknowledged already is taken back.
pub(super) fn begin(model: &mut Model, verdict: &Verdict) -> Vec<Effect> {
    if model.acknowledged.hides(verdict, model.now) {
        return vec![keep(model, verdict, None)];
    }
    let asking = Asking { verdict: verdict.clone(), field: Field::default(), wrong: None };
    model.overlay = Some(Overlay::Acknowledge(Box::new(asking)));
    Vec::new()
}

/// What is acknowledged has come from disk, or something was kept there.
pub(crate) fn answered(model: &mut Model, answer: Result<Book, Failure>) {
    match answer {
        Ok(book) => model.acknowledged = book,
        Err(failure) => model.say(Notice::from(&failure)),
    }
    model.changed();
}

fn keep(model: &Model, verdict: &Verdict, acknowledged: Option<Acknowledged>) -> Effect {
    let (at, by, what) = (model.now, model.person.clone(), Concern::of(verdict));
    Effect::Acknowledge(Box::new(Acknowledgement { at, by, what, acknowledged }))
}

impl Pane for Asking {
    fn keys(&self) -> PaneKeys {
        PaneKeys::Own
    }

    fn key(&mut self, model: &mut Model, key: &Key, _: Option<Command>) -> After {
        self.wrong = None;
        match self.field.key(key) {
            Typed::Enter => match parse(self.field.text(), OTHERWISE) {
                Ok((lasts, reason)) => {
                    let Verdict { severity, messages, .. } = self.verdict;
                    let until = model.now.checked_add(lasts).unwrap_or(model.now);
                    let acknowledged = Acknowledged { until, reason, severity, messages };
                    return After::leaves(vec![keep(model, &self.verdict, Some(acknowledged))]);
                }
                Err(wrong) => self.wrong = Some(wrong),
            },
            Typed::Escape => return After::close(),
            Typed::Changed | Typed::Nothing => {}
        }
        After::stay()
    }

    fn field(&mut self) -> Option<&mut Field> {
        Some(&mut self.field)
    }

    fn draw(&self, model: &Model, frame: &mut Frame<'_>, area: Rect) {
        let look = model.look;
        let inside = popup(frame, area, (76, 9), "Acknowledge", look.style(Role::Accent), look);
        let name = format!("{} in {}", what(model, &self.verdict), self.verdict.environment);
        let mut lines = vec![(Text::line(&name).to_string(), Role::Strong)];
        let words =
            "It is left out here until then, or until it gets clearly worse: twice the messages, or a worse severity.";
        let room = usize::from(inside.width);
        lines[0].0 = cut(&lines[0].0, room, look).into_owned();
        lines.push((words.to_owned(), Role::Text));
        put_wrapped(frame, inside, &lines, look);
        if inside.height < 7 {
            return;
        }
        self.field.draw("for how long, and why: ", frame, row(inside, 4), look.style(Role::Text), look);
        let (text, role) = match self.wrong {
            Some(wrong) => (wrong, Role::Warning),
            None => ("as `4h consumers are being mended`; m, h, d; 8 h where nothing is said", Role::Dim),
        };
        put(frame, row(inside, 5), text, look.style(role), look);
        put(frame, last_row(inside), "enter keep   esc leave it", look.style(Role::Dim), look);
    }
}

pub(crate) fn words(model: &Model, verdict: &Verdict) -> Option<String> {
    let (line, acknowledged, standing) = model.acknowledged.on(verdict, model.now)?;
    let Acknowledgement { by, .. } = line;
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
pub(crate) fn split(model: &Model, view: &HomeView, all: Vec<Verdict>) -> (Vec<Verdict>, usize) {
    let (hidden, shown): (Vec<Verdict>, Vec<Verdict>) =
        all.into_iter().partition(|verdict| model.acknowledged.hides(verdict, model.now));
    let count = hidden.len();
    (if view.acknowledged_only { hidden } else { shown }, count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_and_why_are_typed_in_one_line() {
        let hours = SignedDuration::from_hours;
        let parsed = |text| parse(text, hours(8)).map(|(lasts, reason)| (lasts, reason.to_string()));
        assert_eq!(parsed("2d fixed in the next release"), Ok((hours(48), "fixed in the next release".to_owned())));
        assert_eq!(parsed(" 90m  deploying"), Ok((SignedDuration::from_mins(90), "deploying".to_owned())));
        assert_eq!(parsed("known since May"), Ok((hours(8), "known since May".to_owned())));
        assert_eq!(parsed("0h x"), Ok((hours(8), "0h x".to_owned())));
        for wrong in ["", "4h", "31d why", "99999999d why"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}
