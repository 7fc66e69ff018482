//! Columns of the list, and what stands in their cells.

use jiff::{SignedDuration, Timestamp};
use ratatui::style::Style;

use super::rows::{expires_seconds, oldest_seconds};
use crate::{
    domain::{QueueKind, Text},
    fit::Align,
    model::Site,
    observe::{
        Seen, Severity, Source,
        queues::{DeadLetters, KnownBy},
        words::{span, thousands},
    },
    spark, standing,
    table::{Cell, Column, Cut},
    theme::{Look, Role},
};

/// Figures older than this are shown as old: thrice the time within which each queue is looked at.
const STALE: SignedDuration = SignedDuration::from_mins(3);
/// A message that is deleted within this time is shown as a loss.
const SOON: i64 = 86_400;

/// What can be sorted by: the columns, and what needs somebody.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SortBy {
    /// What needs somebody, worst first.
    #[default]
    Worst,
    /// Environment, in the configuration's order.
    Environment,
    /// Name.
    Name,
    /// Standard or FIFO.
    Kind,
    /// Visible messages.
    Visible,
    /// Messages in flight.
    InFlight,
    /// Delayed messages.
    Delayed,
    /// Age of the oldest message.
    Oldest,
    /// Time until the oldest message is deleted.
    Expires,
    /// Dead-letter queues, then those that have one.
    DeadLetters,
    /// By how much they rose.
    Trend,
    /// When they were looked at.
    Seen,
}

impl SortBy {
    /// Every way to sort.
    pub const ALL: [Self; 12] = [
        Self::Worst,
        Self::Environment,
        Self::Name,
        Self::Kind,
        Self::Visible,
        Self::InFlight,
        Self::Delayed,
        Self::Oldest,
        Self::Expires,
        Self::DeadLetters,
        Self::Trend,
        Self::Seen,
    ];

    /// Its order in words, and the other way round.
    pub fn words(self) -> [&'static str; 2] {
        match self {
            Self::Worst => ["worst first", "worst last"],
            Self::Environment => ["by environment", "by environment, last first"],
            Self::Name => ["by name, A to Z", "by name, Z to A"],
            Self::Kind => ["standard queues first", "FIFO queues first"],
            Self::Visible => ["most visible first", "fewest visible first"],
            Self::InFlight => ["most in flight first", "fewest in flight first"],
            Self::Delayed => ["most delayed first", "fewest delayed first"],
            Self::Oldest => ["oldest message first", "youngest message first"],
            Self::Expires => ["what expires soonest first", "what expires last first"],
            Self::DeadLetters => ["dead-letter queues first", "dead-letter queues last"],
            Self::Trend => ["fastest growing first", "fastest shrinking first"],
            Self::Seen => ["seen longest ago first", "seen last first"],
        }
    }

    /// What a person chooses by.
    pub fn title(self) -> &'static str {
        match self {
            Self::Worst => "what needs somebody",
            Self::Environment => "environment",
            Self::Name => "name",
            Self::Kind => "type",
            Self::Visible => "visible messages",
            Self::InFlight => "messages in flight",
            Self::Delayed => "delayed messages",
            Self::Oldest => "age of the oldest message",
            Self::Expires => "time until it expires",
            Self::DeadLetters => "dead letters of",
            Self::Trend => "trend",
            Self::Seen => "when it was seen",
        }
    }
}

/// A column of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Listed {
    /// What it shows, and sorts by.
    pub(super) by: SortBy,
    /// How it stands.
    pub(super) column: Column<'static>,
    /// Whether it is shown in the wide layout only.
    pub(super) wide: bool,
}

const fn listed(by: SortBy, title: &'static str, min: u16, ideal: u16, align: Align, weight: u8, wide: bool) -> Listed {
    Listed { by, column: Column { title, min, ideal, align, cut: Cut::End, weight }, wide }
}

/// All, in their order.
pub(super) const ALL: [Listed; 12] = [
    listed(SortBy::Worst, "", 1, 1, Align::Left, 12, false),
    listed(SortBy::Environment, "ENV", 7, 12, Align::Left, 11, false),
    Listed {
        by: SortBy::Name,
        column: Column { title: "QUEUE", min: 18, ideal: 80, align: Align::Left, cut: Cut::Middle, weight: 10 },
        wide: false,
    },
    listed(SortBy::Kind, "TYPE", 8, 8, Align::Left, 3, true),
    listed(SortBy::Visible, "~VISIBLE", 9, 11, Align::Right, 9, false),
    listed(SortBy::InFlight, "~IN FLIGHT", 10, 11, Align::Right, 5, false),
    listed(SortBy::Delayed, "~DELAYED", 8, 10, Align::Right, 3, true),
    listed(SortBy::Oldest, "OLDEST", 7, 8, Align::Right, 7, false),
    listed(SortBy::Expires, "EXPIRES IN", 11, 11, Align::Right, 8, false),
    listed(SortBy::Trend, " LAST 30 MIN", 16, 16, Align::Left, 6, false),
    listed(SortBy::DeadLetters, "DEAD LETTERS", 18, 50, Align::Left, 4, false),
    listed(SortBy::Seen, "SEEN", 7, 8, Align::Right, 2, true),
];

/// A queue whose cells are made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) site: &'a Site,
    pub(super) seen: &'a Seen,
    pub(super) severity: Option<Severity>,
    pub(super) now: Timestamp,
    pub(super) look: Look,
}

impl<'a> Line<'a> {
    /// Whether the figures are old.
    pub(super) fn is_stale(&self) -> bool {
        let is_cached = self.site.snapshot.as_ref().is_none_or(|snapshot| snapshot.source == Source::Cache);
        is_cached || self.seen.at.is_some_and(|at| self.now.duration_since(at) > STALE)
    }

    /// How long ago it was seen.
    pub(super) fn age(&self) -> Option<String> {
        self.seen.at.map(|at| span(self.now.duration_since(at)))
    }

    /// Why there are no figures, where there are none.
    pub(super) fn without_figures(&self) -> Option<(String, Role)> {
        if self.seen.queue.is_some() {
            return None;
        }
        Some(match &self.seen.error {
            Some(error) => (standing::short(error), Role::Warning),
            None => ("not looked at yet".to_owned(), Role::Dim),
        })
    }

    /// Its style where nothing else is to be said: dimmed when old.
    fn base(&self) -> Style {
        self.look.style(if self.is_stale() { Role::Stale } else { Role::Text })
    }

    pub(super) fn cell(&self, by: SortBy) -> Cell<'a> {
        let look = self.look;
        match by {
            SortBy::Worst => {
                let (sign, role) = self.severity.map_or((" ", Role::Text), |severity| sign(severity, look));
                Cell::new(sign, look.style(role))
            }
            SortBy::Environment => {
                let environment = &self.site.environment;
                let name = Text::line(&look.environment_name(environment)).to_string();
                Cell::new(name, look.environment(environment))
            }
            SortBy::Name => {
                let style = if self.is_stale() { self.base() } else { look.style(Role::Strong) };
                Cell::new(Text::line(self.seen.name.as_str()).to_string(), style)
            }
            SortBy::Kind => Cell::new(kind(self.seen), self.base()),
            SortBy::Visible => self.count(|counts| counts.visible),
            SortBy::InFlight => self.count(|counts| counts.in_flight),
            SortBy::Delayed => self.count(|counts| counts.delayed),
            SortBy::Oldest => match oldest_seconds(self.seen, self.now) {
                Some(seconds) => Cell::new(seconds_in_words(seconds.cast_signed()), self.base()),
                None => Cell::new("-", look.style(Role::Dim)),
            },
            SortBy::Expires => self.expires(),
            SortBy::DeadLetters => self.relation(),
            SortBy::Trend => {
                let style = if self.is_stale() { self.base() } else { look.style(Role::Accent) };
                let line = spark::line(&spark::levels(&self.seen.trend, self.now), look);
                Cell::new(format!(" {line}"), style)
            }
            SortBy::Seen => match self.age() {
                Some(age) => Cell::new(age, look.style(if self.is_stale() { Role::Warning } else { Role::Dim })),
                None => Cell::new("never", look.style(Role::Dim)),
            },
        }
    }

    fn count(&self, pick: fn(&crate::domain::Counts) -> u64) -> Cell<'a> {
        let Some(queue) = &self.seen.queue else { return Cell::new("-", self.look.style(Role::Dim)) };
        let count = pick(&queue.counts);
        let style = match (count, self.is_stale()) {
            (0, false) => self.look.style(Role::Dim),
            _ => self.base(),
        };
        Cell::new(format!("~{}", thousands(count)), style)
    }

    fn expires(&self) -> Cell<'a> {
        let look = self.look;
        match expires_seconds(self.seen, self.now) {
            None => Cell::new(if self.seen.dead_letters.is_some() { "-" } else { "" }, look.style(Role::Dim)),
            Some(seconds) if seconds <= 0 => Cell::new("now", look.style(Role::Critical)),
            Some(seconds) => {
                let style = if seconds < SOON { look.style(Role::Critical) } else { self.base() };
                let most = if self.seen.kind() == QueueKind::Standard { look.sign("≤ ", "<= ") } else { "" };
                Cell::new(format!("{most}{}", seconds_in_words(seconds)), style)
            }
        }
    }

    fn relation(&self) -> Cell<'a> {
        let relation = relation(self.seen, self.look);
        match &self.seen.error {
            Some(error) => {
                let words = standing::short(error);
                let text = if relation.is_empty() { words } else { format!("{relation}; {words}") };
                Cell::new(text, self.look.style(Role::Warning))
            }
            None => Cell::new(relation, self.base()),
        }
    }
}

/// A severity's sign.
pub fn sign(severity: Severity, look: Look) -> (&'static str, Role) {
    match severity {
        Severity::Critical => (look.sign("✖", "!"), Role::Critical),
        Severity::Warning => (look.sign("▲", "*"), Role::Warning),
        Severity::Notice => (look.sign("•", "-"), Role::Text),
    }
}

/// `standard` or `fifo`.
pub(super) fn kind(seen: &Seen) -> &'static str {
    match seen.kind() {
        QueueKind::Standard => "standard",
        QueueKind::Fifo => "fifo",
    }
}

/// A time span in words.
pub(super) fn seconds_in_words(seconds: i64) -> String {
    span(SignedDuration::from_secs(seconds))
}

/// `of orders`, `→ orders-dlq after 5`.
pub(super) fn relation(seen: &Seen, look: Look) -> String {
    let mut parts = Vec::new();
    if let Some(DeadLetters { sources, known_by }) = &seen.dead_letters {
        let first = sources.first().map(|name| Text::line(name.as_str()).to_string()).unwrap_or_default();
        let more = match sources.len() {
            0 | 1 => String::new(),
            many => format!(" and {} more", many - 1),
        };
        parts.push(match known_by {
            KnownBy::RedrivePolicy => format!("of {first}{more}"),
            KnownBy::Tag => format!("of {first}{more}, by tag"),
            KnownBy::Pattern => format!("of {first}{more}, by name"),
            KnownBy::Name => "by its name only".to_owned(),
        });
    }
    if let Some(policy) = seen.queue.as_ref().and_then(|queue| queue.redrive.as_ref()) {
        let name = Text::line(policy.dead_letter.name().as_str()).to_string();
        parts.push(format!("{} {name} after {}", look.arrow(), policy.receives_max));
    }
    parts.join("; ")
}
