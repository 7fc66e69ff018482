//! What somebody has acknowledged: it is left out of Home until a time, or until it gets clearly worse.

mod book;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::verdict::{Kind, Severity, Subject, Verdict};
use crate::domain::{EnvironmentName, Text};

/// What has doubled is clearly worse, and by at least so many messages.
const MORE_MIN: u64 = 5;

/// A line: something was acknowledged, or that was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    pub at: Timestamp,
    /// By whom, as far as the system tells.
    pub by: Text,
    pub what: Concern,
    pub acknowledged: Option<Acknowledged>,
}

/// Concern is acknowledged: a thing of an environment; of an environment itself only what of this sort is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concern {
    pub environment: EnvironmentName,
    pub subject: Subject,
    pub kind: Option<Kind>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// It comes back then.
    pub until: Timestamp,
    pub reason: Text,
    pub severity: Severity,
    pub messages: u64,
}

/// How an acknowledgement stands to what is seen now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Holds,
    Ended,
    Worse,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Book {
    lines: Vec<Acknowledgement>,
}

impl Concern {
    pub fn of(verdict: &Verdict) -> Self {
        let kind = (!verdict.subject.is_one()).then_some(verdict.kind);
        Self { environment: verdict.environment.clone(), subject: verdict.subject.clone(), kind }
    }

    fn is(&self, verdict: &Verdict) -> bool {
        self.environment == verdict.environment
            && self.subject == verdict.subject
            && self.kind.is_none_or(|kind| kind == verdict.kind)
    }
}

impl Book {
    /// Of these lines, the oldest first.
    pub fn of(lines: impl IntoIterator<Item = Acknowledgement>) -> Self {
        let mut book = Self::default();
        lines.into_iter().for_each(|line| book.take(line));
        book
    }

    /// What was said of this last, and how it stands now; none: it was never acknowledged, or that was taken back.
    pub fn on(&self, verdict: &Verdict, now: Timestamp) -> Option<(&Acknowledgement, &Acknowledged, Standing)> {
        let line = self.lines.iter().find(|line| line.what.is(verdict))?;
        let acknowledged = line.acknowledged.as_ref()?;
        let more = verdict.messages.saturating_sub(acknowledged.messages);
        let has_doubled = more >= acknowledged.messages && more >= MORE_MIN;
        let standing = if now >= acknowledged.until {
            Standing::Ended
        } else if verdict.severity < acknowledged.severity || has_doubled {
            Standing::Worse
        } else {
            Standing::Holds
        };
        Some((line, acknowledged, standing))
    }

    pub fn hides(&self, verdict: &Verdict, now: Timestamp) -> bool {
        matches!(self.on(verdict, now), Some((_, _, Standing::Holds)))
    }

    fn take(&mut self, line: Acknowledgement) {
        self.lines.retain(|known| known.what != line.what);
        self.lines.push(line);
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::{domain::QueueName, observe::verdict::Rank};

    pub(super) fn now() -> Timestamp {
        "2026-11-21T03:00:00Z".parse().expect("a time")
    }

    pub(super) fn verdict(severity: Severity, messages: u64) -> Verdict {
        let (environment, subject) = (EnvironmentName("prod".into()), Subject::Queue(QueueName("orders-dlq".into())));
        let (kind, reason, rank) = (Kind::DeadLetters, Text::default(), Rank::default());
        Verdict { severity, environment, subject, kind, reason, messages, rank }
    }

    pub(super) fn line(verdict: &Verdict, hours: i64) -> Acknowledgement {
        let Verdict { severity, messages, .. } = *verdict;
        let until = now() + SignedDuration::from_hours(hours);
        let acknowledged = Acknowledged { until, reason: Text::from("known"), severity, messages };
        Acknowledgement {
            at: now(),
            by: Text::from("nina"),
            what: Concern::of(verdict),
            acknowledged: Some(acknowledged),
        }
    }

    #[test]
    fn it_holds_until_its_end_or_until_it_is_clearly_worse() {
        let known = verdict(Severity::Warning, 40);
        let mut book = Book::default();
        book.take(line(&known, 4));
        let standing = |verdict: &Verdict, at| book.on(verdict, at).map(|(.., standing)| standing);
        assert_eq!(standing(&known, now()), Some(Standing::Holds));
        assert_eq!(standing(&verdict(Severity::Notice, 0), now()), Some(Standing::Holds));
        assert_eq!(standing(&verdict(Severity::Warning, 79), now()), Some(Standing::Holds));
        assert_eq!(standing(&verdict(Severity::Warning, 80), now()), Some(Standing::Worse));
        assert_eq!(standing(&verdict(Severity::Critical, 1), now()), Some(Standing::Worse));
        assert_eq!(standing(&known, now() + SignedDuration::from_hours(4)), Some(Standing::Ended));
        let other = Verdict { environment: EnvironmentName("dev".into()), ..known.clone() };
        assert_eq!(standing(&other, now()), None);
        book.take(Acknowledgement { acknowledged: None, ..line(&known, 4) });
        assert!(book.on(&known, now()).is_none(), "taken back");
    }

    #[test]
    fn of_an_environment_one_sort_is_acknowledged() {
        let denied = Verdict { subject: Subject::Environment, kind: Kind::Denied, ..verdict(Severity::Notice, 0) };
        let mut book = Book::default();
        book.take(line(&denied, 4));
        assert!(book.hides(&denied, now()));
        assert!(!book.hides(&Verdict { kind: Kind::Credentials, ..denied }, now()));
    }
}
