//! Columns of the lists, and what all of them have in common.

use jiff::{SignedDuration, Timestamp};
use ratatui::style::Style;

use super::Item;
use crate::{
    domain::{Text, gauge::Gauge},
    fit::Align,
    model::Site,
    observe::{
        Severity, Source,
        verdict::SAMPLE_OLD,
        words::{span, thousands},
    },
    queues::sign,
    spark,
    table::{Cell, Column, Cut},
    theme::{Look, Role},
};

/// What was seen longer ago is shown as old.
pub(super) const STALE: SignedDuration = SignedDuration::from_mins(5);

/// A column of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Listed {
    /// Its place among all columns of the topic: what it is sorted by.
    pub(super) at: usize,
    /// What it shows, as a person chooses it.
    pub(super) what: &'static str,
    /// Its order in words, and the other way round.
    pub(super) words: [&'static str; 2],
    /// How it stands.
    pub(super) column: Column<'static>,
    /// Whether it is shown in the wide layout only.
    pub(super) wide: bool,
}

/// Columns that all lists begin with: what needs somebody, environment, name.
pub(super) fn begin(name: &'static str) -> Vec<Listed> {
    let column = |title, min, ideal, weight, cut| Column { title, min, ideal, align: Align::Left, cut, weight };
    let listed = |at, what, words, column| Listed { at, what, words, column, wide: false };
    vec![
        listed(0, "what needs somebody", ["worst first", "worst last"], column("", 1, 1, 20, Cut::End)),
        listed(1, "environment", ["by environment", "by environment, last first"], column("ENV", 3, 12, 19, Cut::End)),
        listed(2, "name", ["by name, A to Z", "by name, Z to A"], column(name, 14, 80, 18, Cut::Middle)),
    ]
}

/// How wide a column is, how it stands, and how long it stays where there is no room.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape(pub(super) u16, pub(super) u16, pub(super) Align, pub(super) u8);

/// A column after these. A title that begins with `+` is of the wide layout only.
pub(super) fn listed(
    at: usize,
    title: &'static str,
    Shape(min, ideal, align, weight): Shape,
    what: &'static str,
    words: [&'static str; 2],
) -> Listed {
    let (title, wide) = title.strip_prefix('+').map_or((title, false), |title| (title, true));
    Listed { at, what, words, column: Column { title, min, ideal, align, cut: Cut::End, weight }, wide }
}

/// A thing whose cells are made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) site: &'a Site,
    pub(super) item: Item<'a>,
    pub(super) severity: Option<Severity>,
    pub(super) is_selected: bool,
    pub(super) is_stale: bool,
    pub(super) now: Timestamp,
    pub(super) look: Look,
}

/// Whether figures of this part are old.
pub(super) fn is_stale(site: &Site, at: Option<Timestamp>, failed: bool, now: Timestamp) -> bool {
    let is_cached = site.snapshot.as_ref().is_none_or(|snapshot| snapshot.source == Source::Cache);
    is_cached || failed || at.is_none_or(|at| now.duration_since(at) > STALE)
}

impl<'a> Line<'a> {
    /// Its style where nothing else is to be said: dimmed when old.
    pub(super) fn base(&self) -> Style {
        self.look.style(if self.is_stale { Role::Stale } else { Role::Text })
    }

    /// A meaning's style, dimmed when old.
    pub(super) fn role(&self, role: Role) -> Style {
        self.look.style(if self.is_stale { Role::Stale } else { role })
    }

    /// Plain text.
    pub(super) fn text(&self, text: impl Into<String>) -> Cell<'a> {
        Cell::new(text.into(), self.base())
    }

    /// Text of no importance.
    pub(super) fn dim(&self, text: impl Into<String>) -> Cell<'a> {
        Cell::new(text.into(), self.look.style(Role::Dim))
    }

    /// What is not known: never a zero.
    pub(super) fn unknown(&self) -> Cell<'a> {
        self.dim("?")
    }

    /// How long ago.
    pub(super) fn ago(&self, at: Option<Timestamp>) -> Cell<'a> {
        match at {
            Some(at) => self.text(ago(at, self.now)),
            None => self.dim("-"),
        }
    }

    /// A share in percent; much of it is a warning.
    pub(super) fn percent(&self, gauge: Option<&Gauge>, much: f64) -> Cell<'a> {
        match gauge {
            None => self.dim("-"),
            Some(gauge) if gauge.value >= much => self.sample(gauge, percent(gauge.value), Role::Warning),
            Some(gauge) => self.sample(gauge, percent(gauge.value), Role::Text),
        }
    }

    /// A metric's figure: from an old sample nothing is said about now, whatever else of the row is fresh.
    pub(super) fn sample(&self, gauge: &Gauge, words: String, role: Role) -> Cell<'a> {
        let is_old = self.now.duration_since(gauge.at) >= SAMPLE_OLD;
        Cell::new(words, if is_old { self.look.style(Role::Stale) } else { self.role(role) })
    }

    /// The road to a metric's newest value; `top` is its full height.
    pub(super) fn road(&self, gauge: Option<&Gauge>, top: Option<f64>) -> Cell<'a> {
        let line = gauge.map(|gauge| spark::road(&gauge.recent, self.now, top, self.look)).unwrap_or_default();
        let line = format!(" {line}");
        match gauge {
            Some(gauge) => self.sample(gauge, line, Role::Accent),
            None => Cell::new(line, self.role(Role::Accent)),
        }
    }

    /// The cells that all lists have.
    pub(super) fn common(&self, column: usize) -> Option<Cell<'a>> {
        let look = self.look;
        match column {
            0 if self.is_selected => Some(Cell::new(look.sign("✓", "x"), look.style(Role::Accent))),
            0 => {
                let (sign, role) = self.severity.map_or((" ", Role::Text), |severity| sign(severity, look));
                Some(Cell::new(sign, look.style(role)))
            }
            1 => {
                let environment = &self.site.environment;
                let name = Text::line(&look.environment_name(environment)).to_string();
                Some(Cell::new(name, look.environment(environment)))
            }
            2 => Some(Cell::new(self.item.name(), self.role(Role::Strong))),
            _ => None,
        }
    }
}

pub(super) use crate::domain::words::{bytes, percent};

/// `12 s`, `3 min`; what lies ahead is now.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> String {
    span(now.duration_since(at).max(SignedDuration::ZERO))
}

/// A number as a person reads it: whole where it is large, with its fractions where it is small.
pub(super) fn number(value: f64) -> String {
    let is_whole = value.fract().abs() < 1e-9;
    if value < 0.0 {
        return format!("-{}", number(-value));
    }
    if is_whole || value >= 1_000.0 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, which is meant")]
        return thousands(value.round() as u64);
    }
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_well() {
        assert_eq!([0.0, 0.5, 80.0, 1.25, 12_345.6, -3.0].map(number), ["0", "0.5", "80", "1.25", "12,346", "-3"]);
    }
}
