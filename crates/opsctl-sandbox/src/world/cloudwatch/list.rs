//! Which metrics there are: for `ListMetrics` and SEARCH.

use serde_json::{Value, json};

use super::{
    SQS,
    notes::QueueMetric,
    request::{ListMetrics, MetricName},
};
use crate::world::{
    ApiError, Caller, World,
    call::{Answered, Call, given},
};

/// Metrics on a page (CloudWatch API reference).
const PAGE: usize = 500;

impl World {
    pub(super) fn list_metrics(&self, call: Call, request: ListMetrics) -> Answered<Value> {
        let skip = skipped(request.next_token.as_deref())?;
        let fits = |metric: &MetricName| {
            let dimensions = request.dimensions.iter().all(|wanted| {
                let value = metric.dimension(&wanted.name);
                value.is_some_and(|value| wanted.value.as_deref().is_none_or(|wanted| wanted == value))
            });
            dimensions
                && request.namespace.as_ref().is_none_or(|wanted| *wanted == metric.namespace)
                && request.metric_name.as_ref().is_none_or(|wanted| *wanted == metric.metric_name)
        };
        let mut found = self.metric_names(call.caller).filter(fits).skip(skip);
        let page: Vec<MetricName> = found.by_ref().take(PAGE).collect();
        let next = found.next().map(|_| (skip + PAGE).to_string());
        Ok(given(json!({ "Metrics": page, "NextToken": next })))
    }

    /// Every metric of which there is a sample.
    pub(super) fn metric_names(&self, caller: &Caller) -> impl Iterator<Item = MetricName> {
        let region = self.region(&caller.account, &caller.region);
        let queues = region.into_iter().flat_map(|region| region.queues.values());
        let noted = queues.map(|&number| self.queue(number)).filter(|queue| !queue.notes.is_empty());
        let named = |queue, metric| MetricName::of(SQS, metric, &[("QueueName", queue)]);
        let of_queues = noted.flat_map(move |queue| QueueMetric::ALL.map(|(metric, _)| named(&*queue.name, metric)));
        let of_services = self.cloudwatch.observed.names(caller).into_iter().chain(self.function_metrics(caller));
        of_queues.chain(of_services).chain(self.cloudwatch.custom.metrics(caller).map(|(name, _)| name.clone()))
    }
}

/// How many entries go before the page, as its token says.
pub(super) fn skipped(token: Option<&str>) -> Answered<usize> {
    token.map_or(Ok(0), |token| token.parse().map_err(|_| bad_token()))
}

pub(super) fn bad_token() -> ApiError {
    ApiError::coded(400, "InvalidNextToken", "InvalidNextToken", "The next token specified is invalid.")
}
