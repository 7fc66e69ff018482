//! [`Series`]: which metric of which kind of resource, and how CloudWatch is asked for it.

use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat};

/// A metric that many resources of one kind have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Series {
    /// `AWS/SQS` for instance.
    pub namespace: &'static str,
    /// Dimensions that name a resource, in the order of its name's parts.
    pub dimensions: &'static [&'static str],
    /// The metric's name.
    pub metric: &'static str,
    /// What of each period's samples.
    pub statistic: Statistic,
    /// Length of a period; a multiple of 60.
    pub period_seconds: u32,
    /// How far back samples count.
    pub window_seconds: u32,
}

/// A statistic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    /// Highest sample.
    Maximum,
    /// Sum of samples.
    Sum,
}

/// Age of each queue's oldest message, seconds. Leaves out messages received three times or more (standard queues); in a DLQ
/// it counts from the arrival there (SQS developer guide, "Available CloudWatch metrics").
pub const QUEUE_AGE: Series = Series {
    namespace: "AWS/SQS",
    dimensions: &["QueueName"],
    metric: "ApproximateAgeOfOldestMessage",
    statistic: Statistic::Maximum,
    period_seconds: 60,
    window_seconds: 600,
};

impl Statistic {
    fn name(self) -> &'static str {
        match self {
            Self::Maximum => "Maximum",
            Self::Sum => "Sum",
        }
    }
}

impl Series {
    /// Every resource, in one query; each answer's label is the resource's name.
    pub(super) fn search(&self, id: &str) -> MetricDataQuery {
        let Self { namespace, dimensions, metric, statistic, period_seconds, .. } = self;
        let expression = format!(
            "SEARCH('{{{namespace},{}}} MetricName=\"{metric}\"', '{}', {period_seconds})",
            dimensions.join(","),
            statistic.name()
        );
        let label: Vec<String> = dimensions.iter().map(|dimension| format!("${{PROP('Dim.{dimension}')}}")).collect();
        MetricDataQuery::builder().id(id).expression(expression).label(label.join("/")).return_data(true).build()
    }

    /// One resource.
    pub(super) fn named(&self, id: &str, name: &str) -> MetricDataQuery {
        let values = name.split('/');
        let dimensions = self.dimensions.iter().zip(values);
        let dimensions = dimensions.map(|(name, value)| Dimension::builder().name(*name).value(value).build());
        let metric = Metric::builder().namespace(self.namespace).metric_name(self.metric);
        let stat = MetricStat::builder()
            .metric(metric.set_dimensions(Some(dimensions.collect())).build())
            .period(i32::try_from(self.period_seconds).unwrap_or(i32::MAX))
            .stat(self.statistic.name())
            .build();
        MetricDataQuery::builder().id(id).metric_stat(stat).return_data(true).build()
    }
}
