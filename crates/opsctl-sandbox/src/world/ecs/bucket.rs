//! Throttles that everybody in an account and region shares (ECS developer guide, "Request throttling").

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `UpdateService`, `CreateService`.
    ServiceWrite,
    /// Reads of services and task definitions.
    ServiceRead,
    RunTask,
    /// Reads of tasks, and `StopTask`.
    Task,
    Cluster,
}

impl Kind {
    /// Calls at once, and calls a second after that.
    fn size(self) -> (f64, f64) {
        match self {
            Self::ServiceWrite => (50.0, 5.0),
            Self::ServiceRead | Self::Task => (100.0, 20.0),
            Self::RunTask => (100.0, 40.0),
            Self::Cluster => (50.0, 20.0),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Buckets([Option<Bucket>; 5]);

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: i64,
}

impl Buckets {
    /// Takes a token; false: the call is throttled.
    pub(super) fn take(&mut self, kind: Kind, now: i64) -> bool {
        let (burst, per_second) = kind.size();
        let bucket = self.0[kind as usize].get_or_insert(Bucket { tokens: burst, at: now });
        let passed = (now - bucket.at).max(0) as f64 / 1_000.0;
        bucket.tokens = (bucket.tokens + passed * per_second).min(burst);
        bucket.at = now;
        let enough = bucket.tokens >= 1.0;
        if enough {
            bucket.tokens -= 1.0;
        }
        enough
    }

    /// Takes tokens away: others call as well.
    pub(super) fn drain(&mut self, kind: Kind, now: i64) {
        self.0[kind as usize] = Some(Bucket { tokens: 0.0, at: now });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let mut buckets = Buckets::default();
        let taken = (0..60).filter(|_| buckets.take(Kind::ServiceWrite, 0)).count();
        assert_eq!(taken, 50);
        assert_eq!((0..60).filter(|_| buckets.take(Kind::ServiceWrite, 2_000)).count(), 10);
        assert!(buckets.take(Kind::ServiceRead, 2_000), "another bucket");
    }
}
