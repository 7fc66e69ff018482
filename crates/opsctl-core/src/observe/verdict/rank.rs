//! What decides which of two things of one severity comes first, and why, in words.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{Kind, Severity, Verdict};
use crate::domain::{
    Environment, Protection, Text,
    words::{about_messages, thousands, within},
};

/// Where a verdict stands among those of its severity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rank {
    pub weight: u32,
    /// What counts, in words: "prod, ~100,000 messages, +50 a minute".
    pub why: Text,
}

/// What is known of a queue besides how many messages lie in it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Danger {
    /// So many messages more each minute.
    pub(super) growth_per_minute: Option<u64>,
    /// Until the oldest is deleted for its age.
    pub(super) left: Option<SignedDuration>,
}

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// What an environment weighs in which names are typed, or whose name says that it is production: more than any kind, as much
/// as ten thousand messages.
const PRODUCTION: u32 = 40;

/// Where something stands: the environment counts first, then how much of it there is, how fast it grows, how soon it is lost; the
/// sort of thing decides between equals.
pub(super) fn rank(environment: &Environment, verdict: &Verdict, danger: Danger) -> Rank {
    let mut why = Vec::new();
    let place = place(environment);
    if place > 0 {
        why.push(environment.name.to_string());
    }
    let mut weight = place + blindness(verdict.kind);
    if verdict.messages > 0 {
        weight += tenfold(verdict.messages);
        why.push(about_messages(verdict.messages));
    }
    if let Some(grown) = danger.growth_per_minute.filter(|grown| *grown > 0) {
        weight += tenfold(grown).min(30);
        why.push(format!("+{} a minute", thousands(grown)));
    }
    if let Some(left) = danger.left {
        weight += match left {
            left if left < DAY => 40,
            left if left < DAY * 3 => 25,
            left if left < DAY * 7 => 10,
            _ => 0,
        };
        why.push(match left.is_positive() {
            true => format!("the oldest expires within {}", within(left)),
            false => "the oldest are expiring now".to_owned(),
        });
    }
    Rank { weight, why: Text::line(&why.join(", ")) }
}

/// How bad dead letters are: what is a notice in an environment to play in is not one in production.
pub(super) fn of_dead_letters(environment: &Environment, messages: u64, least: Severity) -> Severity {
    let severity = match (place(environment) >= PRODUCTION, messages) {
        (true, 10_000..) => Severity::Critical,
        (true, 100..) | (false, 10_000..) => Severity::Warning,
        (true | false, _) => Severity::Notice,
    };
    severity.min(least)
}

/// What an environment weighs, by its protection and by its name.
fn place(environment: &Environment) -> u32 {
    let name = environment.name.0.to_ascii_lowercase();
    let is_called =
        |names: &[&str]| name.split(|one: char| !one.is_ascii_alphabetic()).any(|part| names.contains(&part));
    if environment.protection == Protection::TypeName || is_called(&["prod", "production", "prd", "live"]) {
        PRODUCTION
    } else if environment.protection == Protection::ReadOnly {
        PRODUCTION / 2
    } else if is_called(&["staging", "stage", "stg", "uat", "preprod"]) {
        PRODUCTION / 4
    } else {
        0
    }
}

/// Of what is not seen nothing else is said: that it is not comes before what is small.
fn blindness(kind: Kind) -> u32 {
    if matches!(kind, Kind::Credentials | Kind::Unreachable) { 30 } else { 0 }
}

/// Ten for each digit.
fn tenfold(number: u64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 200, and not negative")]
    let tenfold = ((number as f64 + 1.0).log10() * 10.0) as u32;
    tenfold
}
