//! Which metrics there are: for `ListMetrics` and SEARCH.

use serde_json::{Value, json};

use super::{
    SQS,
    notes::QueueMetric,
    request::{Dimension, ListMetrics, MetricName},
};
use crate::world::{ApiError, Caller, World};

/// Metrics on a page (CloudWatch API reference).
const PAGE: usize = 500;

impl World {
    pub(super) fn list_metrics(&self, _now: i64, caller: &Caller, request: &ListMetrics) -> Result<Value, ApiError> {
        let skip: usize = match request.next_token.as_deref() {
            None => 0,
            Some(token) => token.parse().map_err(|_| bad_token())?,
        };
        let fits = |metric: &MetricName| {
            let dimensions = request.dimensions.iter().all(|wanted| {
                let value = metric.dimension(&wanted.name);
                value.is_some_and(|value| wanted.value.as_deref().is_none_or(|wanted| wanted == value))
            });
            dimensions
                && request.namespace.as_ref().is_none_or(|wanted| *wanted == metric.namespace)
                && request.metric_name.as_ref().is_none_or(|wanted| *wanted == metric.metric_name)
        };
        let mut found = self.metric_names(caller).filter(fits).skip(skip);
        let page: Vec<MetricName> = found.by_ref().take(PAGE).collect();
        let mut answer = json!({ "Metrics": page });
        if found.next().is_some() {
            answer["NextToken"] = json!((skip + PAGE).to_string());
        }
        Ok(answer)
    }

    /// Every metric of which there is a sample.
    pub(super) fn metric_names(&self, caller: &Caller) -> impl Iterator<Item = MetricName> {
        let region = self.region(&caller.account, &caller.region);
        let queues = region.into_iter().flat_map(|region| region.queues.values());
        let noted = queues.map(|&number| self.queue(number)).filter(|queue| !queue.notes.is_empty());
        let of_queues = noted.flat_map(|queue| QueueMetric::ALL.map(|metric| queue_metric(&queue.name, metric)));
        let of_services = self.cloudwatch.observed.names(caller).into_iter().chain(self.function_metrics(caller));
        of_queues.chain(of_services).chain(self.cloudwatch.custom.metrics(caller).map(|(name, _)| name.clone()))
    }
}

fn queue_metric(queue: &str, metric: QueueMetric) -> MetricName {
    MetricName {
        namespace: SQS.to_owned(),
        metric_name: metric.name().to_owned(),
        dimensions: vec![Dimension { name: "QueueName".to_owned(), value: queue.to_owned() }],
    }
}

pub(super) fn bad_token() -> ApiError {
    ApiError::coded(400, "InvalidNextToken", "InvalidNextToken", "The next token specified is invalid.")
}
