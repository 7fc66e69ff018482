//! The proof that a database answers again: its endpoint is asked until it does, beside the looks at RDS.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;

use crate::{
    cloud::Cloud,
    domain::{Because, Reached, Text, Unanswered},
    operations::bound::FailOver,
};

/// Between two tries: an answer is noticed within this time and the time of a connection.
const PAUSE: Duration = Duration::from_millis(500);
/// Tries in a row, once all is available, after which a way or a login that is missing is not tried any more.
const TRIES_OF_OURS_MAX: u32 = 3;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answered {
    /// `host:port`.
    pub endpoint: Text,
    pub by_sql: bool,
    /// From the asking for the failover until it answered as it should; none: it did not.
    pub seconds: Option<f64>,
    pub reached: Option<Reached>,
    pub tries: u32,
    pub failure: Option<Unanswered>,
}

/// Tries until the endpoint answers as it should, or until it is dropped.
pub(super) struct Proof {
    endpoint: Text,
    by_sql: bool,
    tried: Arc<Mutex<Tried>>,
    task: JoinHandle<()>,
}

#[derive(Debug, Clone, Default)]
struct Tried {
    count: u32,
    /// Failures in a row that are not the database's.
    ours: u32,
    answered_at: Option<Timestamp>,
    reached: Option<Reached>,
    failure: Option<Unanswered>,
}

impl Proof {
    /// Begins to try; none where the endpoint is not known.
    pub(super) fn begin(cloud: &Cloud, bound: &FailOver) -> Option<Self> {
        let endpoint = bound.endpoint.clone()?;
        let check = cloud.environment().databases.check(&bound.database);
        let check = bound.dialect.and_then(|dialect| Some((dialect, check?.clone())));
        let tried = Arc::new(Mutex::new(Tried::default()));
        let (cloud, noted) = (cloud.clone(), Arc::clone(&tried));
        let (name, by_sql) = (Text::line(&endpoint.to_string()), check.is_some());
        let task = tokio::spawn(async move {
            loop {
                let answer = match &check {
                    Some((dialect, check)) => cloud.endpoints.ask(&endpoint, *dialect, check).await,
                    None => cloud.endpoints.connect(&endpoint).await,
                };
                if lock(&noted).note(answer, cloud.clock().now()) {
                    return;
                }
                cloud.clock().sleep(PAUSE).await;
            }
        });
        Some(Self { endpoint: name, by_sql, tried, task })
    }

    /// What is known by now; seconds count from `asked_at`.
    pub(super) fn now(&self, asked_at: Timestamp) -> Answered {
        let Tried { count, answered_at, reached, failure, .. } = lock(&self.tried).clone();
        let seconds = |at: Timestamp| at.duration_since(asked_at).as_secs_f64();
        let (endpoint, by_sql) = (self.endpoint.clone(), self.by_sql);
        Answered { endpoint, by_sql, seconds: answered_at.map(seconds), reached, tries: count, failure }
    }

    /// Whether it makes no sense to go on: what fails is the way there or the login, not the database.
    pub(super) fn is_hopeless(&self) -> bool {
        lock(&self.tried).ours >= TRIES_OF_OURS_MAX
    }
}

impl Drop for Proof {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Tried {
    /// Whether it answered as it should.
    fn note(&mut self, answer: Result<Reached, Unanswered>, now: Timestamp) -> bool {
        self.count += 1;
        let is_ours = answer.as_ref().is_err_and(|failure| failure.because.is_ours());
        self.ours = if is_ours { self.ours + 1 } else { 0 };
        match answer {
            Ok(reached) => {
                (self.reached, self.failure) = (Some(reached), None);
                if reached != Reached::ReadsOnly {
                    self.answered_at = Some(now);
                }
            }
            Err(failure) => (self.reached, self.failure) = (None, Some(failure)),
        }
        self.answered_at.is_some()
    }
}

impl Answered {
    pub fn words(&self) -> String {
        let Self { endpoint, seconds, reached, tries, failure, .. } = self;
        let what = match (reached, failure) {
            (Some(reached), _) => reached.words().to_owned(),
            (None, Some(failure)) if self.is_out_of_sight() => {
                format!("could not be reached from here ({failure}): whether it answers is not known")
            }
            (None, Some(failure)) => format!("does not answer: {failure}"),
            (None, None) => "was not asked to the end".to_owned(),
        };
        match seconds {
            Some(seconds) => format!("{endpoint} {what} after {}", crate::operations::values::duration(*seconds)),
            None => format!("{endpoint} {what} ({tries} tries)"),
        }
    }

    /// Whether it is the way there that is missing: a laptop outside of the database's network.
    pub fn is_out_of_sight(&self) -> bool {
        let because = self.failure.as_ref().map(|failure| failure.because);
        matches!(because, Some(Because::TimedOut | Because::Unresolved))
    }
}

fn lock(tried: &Mutex<Tried>) -> std::sync::MutexGuard<'_, Tried> {
    // A panic of the task leaves the numbers as they were.
    tried.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a failover without this answer is not proven: where a check is configured, it is expected to work from here; and where
/// the host answers that nobody listens, that is the database.
pub(super) fn is_owed(answered: &Answered) -> bool {
    answered.seconds.is_none() && (answered.by_sql || !answered.is_out_of_sight())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_is_no_proof_and_a_missing_way_is_ours() {
        let (mut tried, now) = (Tried::default(), Timestamp::UNIX_EPOCH);
        assert!(!tried.note(Ok(Reached::ReadsOnly), now));
        let failure = |because| Err(Unanswered { because, words: Text::from("words") });
        assert!(!tried.note(failure(Because::TimedOut), now) && tried.ours == 1);
        assert!(!tried.note(failure(Because::Refused), now) && tried.ours == 0);
        assert!(tried.note(Ok(Reached::Writes), now));
        assert_eq!((tried.count, tried.answered_at), (4, Some(now)));
    }

    #[test]
    fn only_what_could_be_expected_is_owed() {
        let of = |because, by_sql| Answered {
            endpoint: Text::from("orders:5432"),
            by_sql,
            seconds: None,
            reached: None,
            tries: 9,
            failure: Some(Unanswered { because, words: Text::from("words") }),
        };
        assert!(is_owed(&of(Because::Refused, false)) && is_owed(&of(Because::TimedOut, true)));
        assert!(!is_owed(&of(Because::Unresolved, false)));
        assert!(of(Because::TimedOut, false).words().contains("could not be reached from here"));
    }
}
