//! A Lambda function as conditions see it.

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::Serialize;

use super::look::{Looking, of};
use crate::{
    cloud::metrics::{Gauges, LAMBDA_ERRORS, LAMBDA_INVOCATIONS, Series},
    domain::Text,
};

/// Calls are counted over so long before the newest sample.
const COUNTED: SignedDuration = SignedDuration::from_mins(5);

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Function {
    /// Its name
    #[schemars(with = "String")]
    pub name: Text,
    /// Calls that failed in the newest five minutes that CloudWatch knows; unknown where it was not called for half an hour
    pub errors: Option<f64>,
    /// Calls in the newest five minutes that CloudWatch knows; unknown where it was not called for half an hour
    pub invocations: Option<f64>,
    /// Its reserved concurrency; unknown where it has none and takes of the account's
    pub reserved_concurrency: Option<u32>,
    /// Whether its reserved concurrency is 0, so that every call is refused
    pub is_stopped: bool,
    /// The event source mappings that call it
    pub mappings: Option<Vec<Mapping>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Mapping {
    /// The queue that it reads; unknown where it reads something else
    #[schemars(with = "Option<String>")]
    pub queue: Option<Text>,
    /// Whether it takes messages, or is about to
    pub is_on: bool,
    /// `enabled`, `paused`, `pausing`, `resuming`, ...
    pub state: String,
    /// What came of its last call, where Lambda tells it
    #[schemars(with = "Option<String>")]
    pub last_result: Option<Text>,
}

pub(super) async fn see(looking: &Looking<'_>) -> Result<Function, Text> {
    let lambda = &looking.cloud.lambda;
    let (concurrency, mappings, gauges) =
        tokio::join!(lambda.concurrency(looking.name), mappings(looking), gauges(looking));
    let reserved_concurrency = concurrency.map_err(|error| of(&error))?;
    Ok(Function {
        name: Text::line(looking.name),
        errors: counted(looking.name, &gauges, &LAMBDA_ERRORS),
        invocations: counted(looking.name, &gauges, &LAMBDA_INVOCATIONS),
        reserved_concurrency,
        is_stopped: reserved_concurrency == Some(0),
        mappings,
    })
}

async fn mappings(looking: &Looking<'_>) -> Option<Vec<Mapping>> {
    if !looking.asks("mappings") {
        return None;
    }
    let answer = looking.cloud.lambda.mappings_to(looking.name).await;
    let mappings = looking.known("its event source mappings are", answer)?.into_iter();
    let mappings = mappings.map(|mapping| Mapping {
        queue: mapping.queue.as_ref().map(|queue| Text::line(queue.as_str())),
        is_on: mapping.state.is_on(),
        state: mapping.state.words().to_owned(),
        last_result: mapping.last_result,
    });
    Some(mappings.collect())
}

async fn gauges(looking: &Looking<'_>) -> Gauges {
    let asked = [("errors", LAMBDA_ERRORS), ("invocations", LAMBDA_INVOCATIONS)];
    let series: Vec<Series> =
        asked.into_iter().filter(|(field, _)| looking.asks(field)).map(|(_, series)| series).collect();
    if series.is_empty() {
        return Gauges::default();
    }
    let answer = looking.cloud.metrics.gauges_named(&series, &[looking.name]).await;
    looking.known("its calls are", answer).unwrap_or_default()
}

fn counted(name: &str, gauges: &Gauges, series: &Series) -> Option<f64> {
    let gauge = gauges.get(series, name)?;
    let from = gauge.at - COUNTED;
    Some(gauge.recent.iter().filter(|(at, _)| *at > from).map(|(_, count)| count).sum())
}
