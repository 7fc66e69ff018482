//! Throttles that everybody in an account and region shares (ECS developer guide, "Request throttling").

const SERVICE_READS: [&str; 6] = [
    "ListServices",
    "DescribeServices",
    "ListServiceDeployments",
    "DescribeServiceRevisions",
    "DescribeTaskDefinition",
    "ListTaskDefinitions",
];

/// Calls that share a bucket, with how many are served at once, and how many a second after that.
const SIZES: [(&[&str], f64, f64); 5] = [
    (&["UpdateService", "CreateService"], 50.0, 5.0),
    (&SERVICE_READS, 100.0, 20.0),
    (&["RunTask"], 100.0, 40.0),
    (&["ListTasks", "DescribeTasks", "StopTask"], 100.0, 20.0),
    (&["ListClusters", "DescribeClusters"], 50.0, 20.0),
];

#[derive(Debug, Default)]
pub(super) struct Buckets([Option<Bucket>; 5]);

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: i64,
}

impl Buckets {
    /// Takes a token; false: the call is throttled.
    pub(super) fn take(&mut self, action: &str, now: i64) -> bool {
        let Some(index) = index(action) else { return true };
        let (_, burst, per_second) = SIZES[index];
        let bucket = self.0[index].get_or_insert(Bucket { tokens: burst, at: now });
        let passed = (now - bucket.at).max(0) as f64 / 1_000.0;
        bucket.tokens = (bucket.tokens + passed * per_second).min(burst);
        bucket.at = now;
        let enough = bucket.tokens >= 1.0;
        if enough {
            bucket.tokens -= 1.0;
        }
        enough
    }

    pub(super) fn drain(&mut self, action: &str, now: i64) {
        if let Some(index) = index(action) {
            self.0[index] = Some(Bucket { tokens: 0.0, at: now });
        }
    }
}

fn index(action: &str) -> Option<usize> {
    SIZES.iter().position(|(actions, ..)| actions.contains(&action))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let mut buckets = Buckets::default();
        let taken = (0..60).filter(|_| buckets.take("UpdateService", 0)).count();
        assert_eq!(taken, 50);
        assert_eq!((0..60).filter(|_| buckets.take("UpdateService", 2_000)).count(), 10);
        assert!(buckets.take("ListServices", 2_000), "another bucket");
    }
}
