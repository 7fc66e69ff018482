//! [`Ages`]: how the oldest messages of the destinations age; [`AgeWatch`] asks CloudWatch for them beside the run.
//!
//! The metric lags by minutes and may not be readable at all, so nothing ever waits for it: a count takes what is known by then.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::step::Age;
use crate::{
    clock::Clock,
    cloud::{
        Cloud, CloudError, ErrorKind,
        metrics::{QUEUE_AGE, Samples},
    },
    domain::QueueName,
};

/// A run that watches asks again after so long: CloudWatch has a new sample each minute.
pub const AGES_SECONDS: i64 = 20;

/// How the oldest messages of some queues age. Does no I/O and reads no clock.
#[derive(Debug)]
pub(super) struct Ages {
    begun_at: Timestamp,
    queues: Vec<Queue>,
    asked_at: Option<Timestamp>,
    busy: bool,
    /// Not allowed: not asked again.
    refused: bool,
}

#[derive(Debug)]
struct Queue {
    /// Index among the run's destinations.
    to: usize,
    name: QueueName,
    /// Highest age known from before the run, or the first one known from within it.
    before_seconds: Option<u64>,
    newest: Option<(u64, Timestamp)>,
}

impl Ages {
    /// Of a run that began at `begun_at`, by AWS's clock.
    pub(super) fn new(queues: Vec<(usize, QueueName)>, begun_at: Timestamp) -> Self {
        let queues = queues.into_iter();
        let queues = queues.map(|(to, name)| Queue { to, name, before_seconds: None, newest: None }).collect();
        Self { begun_at, queues, asked_at: None, busy: false, refused: false }
    }

    /// The names to ask for now, if it is time; the answer is told by [`Ages::on`].
    pub(super) fn ask(&mut self, now: Timestamp) -> Option<Vec<QueueName>> {
        let recently = self.asked_at.is_some_and(|at| now.duration_since(at) < SignedDuration::from_secs(AGES_SECONDS));
        if recently || self.busy || self.refused || self.queues.is_empty() {
            return None;
        }
        (self.asked_at, self.busy) = (Some(now), true);
        Some(self.queues.iter().map(|queue| queue.name.clone()).collect())
    }

    pub(super) fn on(&mut self, answer: Result<Samples, CloudError>) {
        self.busy = false;
        let samples = match answer {
            Ok(samples) => samples,
            Err(error) => {
                self.refused = error.kind == ErrorKind::Denied;
                return;
            }
        };
        for queue in &mut self.queues {
            let Some(recent) = samples.by_name.get(queue.name.as_str()) else { continue };
            let seconds = recent.newest.value as u64;
            if recent.newest.at < self.begun_at {
                queue.before_seconds = queue.before_seconds.max(Some(recent.highest as u64));
            } else {
                queue.before_seconds.get_or_insert(seconds);
                queue.newest = Some((seconds, recent.newest.at));
            }
        }
    }

    /// The queue whose oldest message has aged most since before the run; none while there is no sample from within the run.
    pub(super) fn worst(&self) -> Option<Age> {
        let known = self.queues.iter().filter_map(|queue| {
            let (seconds, at) = queue.newest?;
            Some(Age { to: queue.to, seconds, before_seconds: queue.before_seconds?, at })
        });
        known.max_by_key(Age::grown_seconds)
    }
}

/// Asks CloudWatch beside the run. Clones share it.
#[derive(Debug, Clone)]
pub struct AgeWatch {
    ages: Arc<Mutex<Ages>>,
    cloud: Cloud,
}

impl AgeWatch {
    /// Begins to watch these destinations, each with its index, for a run that began at `begun_at` by AWS's clock: asks at once
    /// for what was before.
    pub fn begin(cloud: &Cloud, queues: Vec<(usize, QueueName)>, begun_at: Timestamp) -> Self {
        let watch = Self { ages: Arc::new(Mutex::new(Ages::new(queues, begun_at))), cloud: cloud.clone() };
        watch.look();
        watch
    }

    /// What is known by now; asks anew, where it is time, without waiting for the answer.
    pub(super) fn look(&self) -> Option<Age> {
        let mut ages = self.lock();
        if let Some(names) = ages.ask(self.clock().now()) {
            let watch = self.clone();
            tokio::spawn(async move {
                let names: Vec<&str> = names.iter().map(QueueName::as_str).collect();
                let answer = watch.cloud.metrics.named(&QUEUE_AGE, &names).await;
                watch.lock().on(answer);
            });
        }
        ages.worst()
    }

    fn clock(&self) -> Clock {
        self.cloud.clock()
    }

    fn lock(&self) -> MutexGuard<'_, Ages> {
        // Nothing panics with it held; a sign more or less would not matter either.
        self.ages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::metrics::{Recent, Sample};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn ages() -> Ages {
        Ages::new(vec![(0, "orders".into()), (2, "payments".into())], at(600))
    }

    fn told(samples: &[(&str, i64, f64, f64)]) -> Result<Samples, CloudError> {
        let recent = |second: i64, value, highest| Recent { newest: Sample { value, at: at(second) }, highest };
        let by_name = samples
            .iter()
            .map(|(name, second, value, highest)| ((*name).to_owned(), recent(*second, *value, *highest)));
        Ok(Samples { by_name: by_name.collect(), ..Samples::default() })
    }

    #[test]
    fn the_queue_that_aged_most_is_told_against_the_highest_age_from_before() {
        let mut ages = ages();
        ages.on(told(&[("orders", 540, 10.0, 90.0), ("payments", 540, 5.0, 5.0)]));
        assert_eq!(ages.worst(), None, "nothing is known of the run itself");
        ages.on(told(&[("orders", 660, 100.0, 100.0), ("payments", 660, 50.0, 50.0)]));
        assert_eq!(ages.worst(), Some(Age { to: 2, seconds: 50, before_seconds: 5, at: at(660) }));
    }

    #[test]
    fn without_a_sample_from_before_the_first_one_is_what_others_are_held_against() {
        let mut ages = ages();
        ages.on(told(&[]));
        ages.on(told(&[("orders", 600, 70.0, 70.0)]));
        assert_eq!(ages.worst().map(|age| age.grown_seconds()), Some(0));
        ages.on(told(&[("orders", 660, 130.0, 130.0)]));
        assert_eq!(ages.worst().map(|age| age.grown_seconds()), Some(60));
    }

    #[test]
    fn it_is_asked_thrice_a_minute_one_question_at_a_time_and_never_after_a_denial() {
        let mut ages = ages();
        assert!(ages.ask(at(600)).is_some());
        assert!(ages.ask(at(700)).is_none(), "one is out");
        ages.on(Err(CloudError::new(ErrorKind::Throttled, "x", "slow")));
        assert!(ages.ask(at(619)).is_none(), "so soon");
        assert!(ages.ask(at(620)).is_some());
        ages.on(Err(CloudError::new(ErrorKind::Denied, "x", "no")));
        assert!(ages.ask(at(9_000)).is_none());
    }
}
