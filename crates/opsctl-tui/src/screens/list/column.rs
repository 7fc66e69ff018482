//! [`Column`]: a column of a list: how it stands, what it is sorted by, what stands in its cells.

use jiff::Timestamp;
use ratatui::style::Style;

use super::thing::{Thing, shown};
use crate::{
    domain::{Gauge, Text, Thresholds},
    observe::{Severity, verdict::SAMPLE_OLD},
    state::{At, Look, Role, Site},
    widgets::{
        Align, Cell, Cut, Shape,
        sign::{self, sign},
        spark,
        words::{ago, percent},
    },
};

/// Columns that never move: sign, environment, name.
pub(crate) const FIXED: usize = 3;
/// The place of the name among them.
pub(crate) const NAME: usize = 2;

pub struct Column<T: ?Sized + 'static> {
    pub title: Title,
    pub shape: Shape<'static>,
    /// What a thing is sorted by; none: not known, and last whichever way it is sorted.
    pub order: fn(&Spot<'_>, &T) -> Option<Order>,
    pub cell: for<'a> fn(&Line<'a>, &'a T) -> Cell<'a>,
}

#[derive(Debug, Clone, Copy)]
pub struct Title {
    pub what: &'static str,
    /// Its order in words, and the other way round.
    pub words: [&'static str; 2],
    pub order: Sense,
    pub shown: Shown,
}

/// Whether a column's own order is the least first, or the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sense {
    Rising,
    Falling,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    Always,
    /// In the wide layout, and where the list is sorted by it.
    Wide,
    /// In the wide layout, and where something on the screen is old.
    Old,
}

/// What is sorted by; less comes first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
    Number(i64),
    Text(String),
}

impl Order {
    /// The most first; three digits behind the point count.
    pub(crate) fn most(number: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "saturates, which is meant")]
        let thousandths = (number * 1e3) as i64;
        Self::Number(thousandths.saturating_neg())
    }

    pub(crate) fn latest(at: Timestamp) -> Self {
        Self::Number(at.as_second().saturating_neg())
    }

    pub(crate) fn text(text: &str) -> Self {
        Self::Text(text.to_lowercase())
    }

    /// What rose the most first.
    pub(crate) fn rise(gauge: Option<&Gauge>) -> Option<Self> {
        let gauge = gauge?;
        let (_, first) = gauge.recent.first()?;
        Some(Self::most(gauge.value - first))
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Spot<'a> {
    pub site: &'a Site,
    pub at: At,
    /// How much it needs somebody: how bad it is, and its weight among those as bad.
    pub need: Option<(Severity, u32)>,
    pub now: Timestamp,
}

#[derive(Clone, Copy)]
pub struct Line<'a> {
    pub site: &'a Site,
    pub thing: &'a dyn Thing,
    pub at: At,
    pub severity: Option<Severity>,
    pub is_selected: bool,
    pub is_stale: bool,
    pub now: Timestamp,
    pub look: Look,
}

/// How many columns of the screen it takes, how it stands, and how long it stays where there is no room.
pub(crate) const fn shape(title: &'static str, min: u16, ideal: u16, align: Align, weight: u8) -> Shape<'static> {
    Shape { title, min, ideal, align, cut: Cut::End, weight }
}

pub(crate) const fn rising(what: &'static str, words: [&'static str; 2]) -> Title {
    Title { what, words, order: Sense::Rising, shown: Shown::Always }
}

pub(crate) const fn falling(what: &'static str, words: [&'static str; 2]) -> Title {
    Title { what, words, order: Sense::Falling, shown: Shown::Always }
}

pub(crate) const fn wide(title: Title) -> Title {
    Title { shown: Shown::Wide, ..title }
}

/// What needs somebody: what Home has comes first, in its order; then how each stands.
pub(crate) const fn worst<T: Thing + ?Sized>() -> Column<T> {
    Column {
        title: falling("what needs somebody", ["worst first", "worst last"]),
        shape: shape("", 1, 1, Align::Left, 20),
        order: |spot, thing| {
            const CLASS: i64 = 1 << 44;
            let class = match spot.need {
                Some((severity, weight)) => severity as i64 * 1_000 + i64::from(999 - weight.min(999)),
                None => 4_000 + thing.calm_rank(),
            };
            let messages = i64::try_from(thing.messages()).unwrap_or(i64::MAX).min(CLASS - 1);
            // Only those that need somebody are told apart by how much lies there.
            Some(Order::Number(class * CLASS - if spot.need.is_some() { messages } else { 0 }))
        },
        cell: |line, _| {
            let look = line.look;
            if line.is_selected {
                return Cell::new(look.sign("✓", "x"), look.style(Role::Accent));
            }
            let (sign, role) = line.severity.map_or((" ", Role::Text), |severity| sign(severity, look));
            Cell::new(sign, look.style(role))
        },
    }
}

pub(crate) const fn environment<T: Thing + ?Sized>() -> Column<T> {
    Column {
        title: rising("environment", ["by environment", "by environment, last first"]),
        shape: shape("ENV", 3, 12, Align::Left, 19),
        order: |spot, _| Some(Order::Number(i64::from(spot.at.site))),
        cell: |line, _| {
            let name = sign::environment(line.site, line.look);
            Cell::new(name, line.look.environment(&line.site.environment))
        },
    }
}

pub(crate) const fn name<T: Thing + ?Sized>(title: &'static str, min: u16) -> Column<T> {
    Column {
        title: rising("name", ["by name, A to Z", "by name, Z to A"]),
        shape: Shape { cut: Cut::Middle, ..shape(title, min, 80, Align::Left, 18) },
        order: |_, thing| Some(Order::text(thing.name())),
        cell: |line, thing| Cell::new(shown(thing.name()), line.role(Role::Strong)),
    }
}

impl<'a> Line<'a> {
    /// What is much and what is little there, as configured.
    pub(crate) fn thresholds(&self) -> &'a Thresholds {
        &self.site.environment.watch.thresholds
    }

    /// Its style where nothing else is to be said: dimmed when old.
    pub(crate) fn base(&self) -> Style {
        self.role(Role::Text)
    }

    pub(crate) fn role(&self, role: Role) -> Style {
        self.look.style(if self.is_stale { Role::Stale } else { role })
    }

    pub(crate) fn told(&self, text: impl Into<String>, role: Role) -> Cell<'a> {
        Cell::new(text.into(), self.role(role))
    }

    pub(crate) fn text(&self, text: impl Into<String>) -> Cell<'a> {
        self.told(text, Role::Text)
    }

    pub(crate) fn dim(&self, text: impl Into<String>) -> Cell<'a> {
        Cell::new(text.into(), self.look.style(Role::Dim))
    }

    /// What is not known: never a zero.
    pub(crate) fn unknown(&self) -> Cell<'a> {
        self.dim("?")
    }

    pub(crate) fn or_dash(&self, text: Option<String>) -> Cell<'a> {
        text.map_or_else(|| self.dim("-"), |text| self.text(text))
    }

    pub(crate) fn ago(&self, at: Option<Timestamp>) -> Cell<'a> {
        self.or_dash(at.map(|at| ago(at, self.now)))
    }

    pub(crate) fn event(&self, event: Option<(Timestamp, &Text)>) -> Cell<'a> {
        self.or_dash(event.map(|(at, message)| format!("{} ago: {}", ago(at, self.now), shown(message.as_str()))))
    }

    /// A share in percent; much of it is a warning.
    pub(crate) fn percent(&self, gauge: Option<&Gauge>, much: u32) -> Cell<'a> {
        self.figure(gauge, percent, |value| value > f64::from(much))
    }

    /// A metric's figure; what stands out is a warning.
    pub(crate) fn figure(
        &self,
        gauge: Option<&Gauge>,
        words: impl Fn(f64) -> String,
        stands_out: impl Fn(f64) -> bool,
    ) -> Cell<'a> {
        let Some(gauge) = gauge else { return self.dim("-") };
        self.sample(gauge, words(gauge.value), if stands_out(gauge.value) { Role::Warning } else { Role::Text })
    }

    /// The road to a metric's newest value; `top` is its full height.
    pub(crate) fn road(&self, gauge: Option<&Gauge>, top: Option<f64>) -> Cell<'a> {
        let line = gauge.map(|gauge| spark::road(&gauge.recent, self.now, top, self.look)).unwrap_or_default();
        let line = format!(" {line}");
        match gauge {
            Some(gauge) => self.sample(gauge, line, Role::Accent),
            None => self.told(line, Role::Accent),
        }
    }

    /// From an old sample nothing is said about now, whatever else of the row is fresh.
    fn sample(&self, gauge: &Gauge, words: String, role: Role) -> Cell<'a> {
        let is_old = self.now.duration_since(gauge.at) >= SAMPLE_OLD;
        Cell::new(words, if is_old { self.look.style(Role::Stale) } else { self.role(role) })
    }
}
