//! [`Clock`]: the one source of time, for the program, the SDK and the sandbox.

use std::time::{Duration, SystemTime};

use aws_smithy_async::{
    rt::sleep::{AsyncSleep, Sleep},
    time::TimeSource,
};
use jiff::Timestamp;
use tokio::time::Instant;

/// Real time that an answer is waited for at least.
const ANSWER_MIN: Duration = Duration::from_secs(3);

/// Real time, or a virtual time that starts somewhere and runs `speed` times as fast as tokio's.
///
/// Under tokio's paused time a virtual clock lets hours pass in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Clock(Kind);

#[derive(Debug, Clone, Copy)]
enum Kind {
    System,
    Virtual { started_at: Timestamp, origin: Instant, speed: f64 },
}

impl Clock {
    pub fn system() -> Self {
        Self(Kind::System)
    }

    /// A clock that shows `started_at` now and runs `speed` times as fast as real time (`speed > 0`).
    pub fn virtual_from(started_at: Timestamp, speed: f64) -> Self {
        assert!(speed > 0.0, "a clock runs forward");
        Self(Kind::Virtual { started_at, origin: Instant::now(), speed })
    }

    pub fn now(&self) -> Timestamp {
        match self.0 {
            Kind::System => Timestamp::now(),
            Kind::Virtual { started_at, origin, speed } => {
                let passed = origin.elapsed().mul_f64(speed);
                started_at.checked_add(passed).unwrap_or(Timestamp::MAX)
            }
        }
    }

    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(self.real(duration)).await;
    }

    /// The real time that `duration` of this clock's time takes.
    pub fn real(&self, duration: Duration) -> Duration {
        match self.0 {
            Kind::System => duration,
            Kind::Virtual { speed, .. } => duration.div_f64(speed),
        }
    }
}

impl Clock {
    /// How long to wait for an answer, in this clock's time. However fast it runs, whoever answers works in real time: at least
    /// [`ANSWER_MIN`] of that, unless `limit` is less.
    pub fn deadline(&self, limit: Duration) -> Duration {
        match self.0 {
            Kind::System => limit,
            Kind::Virtual { speed, .. } => limit.max(limit.min(ANSWER_MIN).mul_f64(speed)),
        }
    }
}

impl TimeSource for Clock {
    fn now(&self) -> SystemTime {
        Clock::now(self).into()
    }
}

impl AsyncSleep for Clock {
    fn sleep(&self, duration: Duration) -> Sleep {
        Sleep::new(tokio::time::sleep(self.real(duration)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_real_time_however_fast_a_clock_runs() {
        let seconds = Duration::from_secs;
        let start: Timestamp = "2026-11-21T03:00:00Z".parse().expect("a time");
        for (speed, limit, real) in [(1.0, 10, 10.0), (2.0, 10, 5.0), (30.0, 10, 3.0), (30.0, 2, 2.0), (0.5, 10, 20.0)]
        {
            let clock = Clock::virtual_from(start, speed);
            let found = clock.real(clock.deadline(seconds(limit))).as_secs_f64();
            assert!((found - real).abs() < 0.001, "{speed} {limit}: {found}");
        }
        assert_eq!(Clock::system().deadline(seconds(10)), seconds(10));
    }

    #[tokio::test(start_paused = true)]
    async fn hours_pass_at_once_when_time_is_paused() {
        let start: Timestamp = "2026-11-21T03:00:00Z".parse().expect("a time");
        let clock = Clock::virtual_from(start, 10.0);
        clock.sleep(Duration::from_secs(7_200)).await;
        assert_eq!(clock.now().duration_since(start).as_secs(), 7_200);
    }
}
