//! A decision about a step, and word that it was done by hand: what there is to choose from, and what is to be said with it.

use ratatui::{Frame, layout::Rect};

use super::answer::answer;
use crate::{
    domain::{RunId, Text},
    keymap::{Command, Key},
    operations::values::Uncertain,
    runbook::{Decision, drive::Reply},
    screens::screen::{After, Pane, PaneKeys},
    state::{
        Field, Model, Overlay, Role, Ticket, Typed,
        runbook::{Deciding, Offer, Said},
    },
    widgets::{last_row, popup, put, put_wrapped, text::row, wrap},
};

const COLUMNS: u16 = 76;
const BECAUSE_ROWS_MAX: usize = 3;

/// What is to be said with a choice.
enum Wants {
    Nothing,
    /// Anything may be noted.
    Note,
    Reason,
}

impl Offer {
    fn words(&self) -> String {
        match self {
            Self::Done => "It is done".to_owned(),
            Self::NotDone => "It was not done".to_owned(),
            Self::Again(None) => "Try again".to_owned(),
            Self::Again(Some(run)) => format!("Try again: continue run {run}"),
            Self::Resend => "Try again, and resend messages that may have been sent".to_owned(),
            Self::CheckAgain => "Check again without repeating the step".to_owned(),
            Self::ByHand => "It was done by hand".to_owned(),
            Self::Skip => "Skip the step".to_owned(),
            Self::Stop => "Stop the run".to_owned(),
            Self::Refuse => "Decline: the step fails".to_owned(),
            Self::NoAnswer => "Leave it unanswered: the step fails".to_owned(),
        }
    }

    fn wants(&self) -> Wants {
        match self {
            Self::Again(_) | Self::Resend | Self::CheckAgain | Self::Stop => Wants::Nothing,
            Self::Done => Wants::Note,
            Self::NotDone | Self::ByHand | Self::Skip | Self::Refuse | Self::NoAnswer => Wants::Reason,
        }
    }

    fn said(&self, text: Text) -> Said {
        let again = |uncertain| Said::Decided(Reply::Said(Decision::Again { uncertain }));
        match self {
            Self::Done => Said::Done(Reply::Said(Some(text).filter(|text| !text.is_empty()))),
            Self::NotDone => Said::Done(Reply::No(text)),
            Self::Again(_) => again(Uncertain::Leave),
            Self::Resend => again(Uncertain::Resend),
            Self::CheckAgain => Said::Decided(Reply::Said(Decision::CheckAgain {})),
            Self::ByHand => Said::Decided(Reply::Said(Decision::ByHand { note: text })),
            Self::Skip => Said::Decided(Reply::Said(Decision::Skip { reason: text })),
            Self::Stop => Said::Decided(Reply::Said(Decision::Stop {})),
            Self::Refuse => Said::Agreed(Reply::No(text)),
            Self::NoAnswer => Said::Answered(Reply::No(text)),
        }
    }
}

/// What can be decided about a step that failed.
pub(super) fn offers(left: Option<&RunId>, check_failed: bool) -> Vec<Offer> {
    let mut offers = Vec::new();
    // What is checked once more changes nothing: it comes first.
    offers.extend(check_failed.then_some(Offer::CheckAgain));
    offers.push(Offer::Again(left.cloned()));
    offers.extend(left.map(|_| Offer::Resend));
    offers.extend([Offer::ByHand, Offer::Skip, Offer::Stop]);
    offers
}

pub(super) fn open(
    model: &mut Model,
    (ticket, number): (Ticket, u64),
    (title, because): (Text, Option<Text>),
    offers: Vec<Offer>,
) {
    let (field, wrong) = (Field::default(), None);
    let deciding = Deciding { ticket, number, title, because, offers, at: 0, field, wrong };
    model.overlay = Some(Overlay::Decide(Box::new(deciding)));
}

impl Deciding {
    fn give(&mut self, model: &mut Model) -> After {
        let Some(offer) = self.offers.get(self.at) else { return After::close() };
        let text = Text::line(self.field.text().trim());
        match offer.wants() {
            Wants::Reason if text.is_empty() => {
                self.wrong = Some("say why, or what was done: it goes into the journal");
                return After::stay();
            }
            Wants::Reason | Wants::Note | Wants::Nothing => {}
        }
        let said = offer.said(text);
        After::leaves(answer(model, self.ticket, self.number, said))
    }
}

impl Pane for Deciding {
    fn keys(&self) -> PaneKeys {
        PaneKeys::Own
    }

    fn key(&mut self, model: &mut Model, key: &Key, _: Option<Command>) -> After {
        self.wrong = None;
        let all = self.offers.len().max(1);
        match key.to_string().as_str() {
            "down" | "tab" | "ctrl-n" => self.at = (self.at + 1) % all,
            "up" | "backtab" | "ctrl-p" => self.at = (self.at + all - 1) % all,
            _ => match self.field.key(key) {
                Typed::Enter => return self.give(model),
                Typed::Escape => return After::close(),
                Typed::Changed | Typed::Nothing => {}
            },
        }
        After::stay()
    }

    fn field(&mut self) -> Option<&mut Field> {
        Some(&mut self.field)
    }

    fn draw(&self, model: &Model, frame: &mut Frame<'_>, area: Rect) {
        let look = model.look;
        let room = usize::from(COLUMNS.min(area.width)).saturating_sub(6);
        let mut because = self.because.as_ref().map(|text| wrap(text.as_str(), room)).unwrap_or_default();
        because.truncate(BECAUSE_ROWS_MAX);
        let said = because.len() as u16;
        let rows = said + self.offers.len() as u16 + 7;
        let inside = popup(frame, area, (COLUMNS, rows), self.title.as_str(), look.style(Role::Accent), look);
        let lines: Vec<(String, Role)> = because.into_iter().map(|line| (line, Role::Warning)).collect();
        put_wrapped(frame, inside, &lines, look);
        let from = if said > 0 { said + 1 } else { 0 };
        for (at, offer) in (0_u16..).zip(&self.offers) {
            if from + at + 4 > inside.height {
                break;
            }
            let here = usize::from(at) == self.at;
            let line = row(inside, from + at);
            if here {
                frame.buffer_mut().set_style(line, look.style(Role::Cursor));
            }
            let pointer = if here { look.pointer() } else { " " };
            put(
                frame,
                line,
                &format!("{pointer} {}", offer.words()),
                look.style(if here { Role::Strong } else { Role::Text }),
                look,
            );
        }
        let label = match self.offers.get(self.at).map(Offer::wants) {
            Some(Wants::Reason) => Some("reason or note: "),
            Some(Wants::Note) => Some("note (optional): "),
            Some(Wants::Nothing) | None => None,
        };
        if inside.height < 4 {
            return;
        }
        if let Some(label) = label {
            self.field.draw(label, frame, row(inside, inside.height - 3), look.style(Role::Text), look);
        }
        if let Some(wrong) = self.wrong {
            put(frame, row(inside, inside.height - 2), wrong, look.style(Role::Warning), look);
        }
        put(frame, last_row(inside), "enter choose   up, down move   esc back", look.style(Role::Dim), look);
    }
}
