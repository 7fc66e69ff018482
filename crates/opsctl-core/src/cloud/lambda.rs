//! Lambda: event source mappings as they are, and the one change, whether a mapping takes messages.

use aws_config::SdkConfig;
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_types::timeout::TimeoutConfig;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::json;

use super::{
    CloudError, ErrorKind, classify,
    thin::{Protocol, Request, Service, Thin, from_json},
};
use crate::domain::{
    QueueName, Text,
    consumer::{Mapping, MappingId, MappingState},
};

const LIST: &str = "lambda:ListEventSourceMappings";
const GET: &str = "lambda:GetEventSourceMapping";
const UPDATE: &str = "lambda:UpdateEventSourceMapping";
/// Mappings of a page (API reference: a page has no more, whatever is asked for).
const PAGE: u32 = 100;
/// Pages followed in one listing.
const PAGES_MAX: usize = 100;
/// Where mappings are (API reference).
const PATH: &str = "/2015-03-31/event-source-mappings";

/// What does not stand for itself in a path or a query.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const LAMBDA: Service = Service { name: "lambda", host: "lambda", signing_name: "lambda", protocol: Protocol::Rest };

/// Lambda of one environment. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Lambda {
    read: Thin,
    once: Thin,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    event_source_mappings: Option<Vec<Shown>>,
    next_marker: Option<String>,
}

/// A mapping as AWS shows it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Shown {
    #[serde(rename = "UUID")]
    uuid: Option<String>,
    function_arn: Option<String>,
    event_source_arn: Option<String>,
    state: Option<String>,
    state_transition_reason: Option<String>,
    last_processing_result: Option<String>,
    batch_size: Option<i32>,
    scaling_config: Option<Scaling>,
    /// Seconds since 1970, with fractions.
    last_modified: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Scaling {
    maximum_concurrency: Option<i32>,
}

impl Lambda {
    pub(super) fn new(shared: &SdkConfig, partition: RetryPartition, once: TimeoutConfig) -> Self {
        Self { read: Thin::new(&LAMBDA, shared, partition.clone()), once: Thin::once(&LAMBDA, shared, partition, once) }
    }

    /// Every event source mapping, all pages, by id. A last result may be missing: AWS shows none for queues.
    ///
    /// # Errors
    /// Of the first call that fails.
    pub async fn mappings(&self) -> Result<Vec<Mapping>, CloudError> {
        let (mut mappings, mut marker) = (Vec::new(), None::<String>);
        for _ in 0..PAGES_MAX {
            let next = marker.as_deref().map(|marker| format!("Marker={}&", utf8_percent_encode(marker, ENCODED)));
            let path = format!("{PATH}?{}MaxItems={PAGE}", next.unwrap_or_default());
            let page: Page = self.read.call(LIST, Request::Rest("GET", path, None), from_json).await?;
            for shown in page.event_source_mappings.unwrap_or_default() {
                mappings.push(mapping(LIST, shown)?);
            }
            let next = page.next_marker.filter(|next| !next.is_empty());
            if next.is_none() {
                mappings.sort_by(|one, other| one.id.cmp(&other.id));
                return Ok(mappings);
            }
            if next == marker {
                return Err(classify::malformed(LIST, "a page names itself as the next one"));
            }
            marker = next;
        }
        Err(CloudError::new(ErrorKind::Invalid, LIST, &format!("more than {PAGES_MAX} pages of {PAGE}")))
    }

    /// One mapping.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`]: there is none of that id.
    pub async fn mapping(&self, id: &MappingId) -> Result<Mapping, CloudError> {
        let request = Request::Rest("GET", path(GET, id)?, None);
        mapping(GET, self.read.call(GET, request, from_json).await?)
    }

    /// Lets a mapping take messages, or not. Sent once; answers the mapping as it is then: on its way, which takes seconds to minutes.
    ///
    /// The call has no client token. It is absolute, so that twice is the same as once as long as nobody else changes the mapping.
    ///
    /// # Errors
    /// [`ErrorKind::Unknown`]: it may have been applied; look, don't repeat. The code `ResourceInUseException`: the mapping's state
    /// is changing.
    pub async fn set_enabled(&self, id: &MappingId, enabled: bool) -> Result<Mapping, CloudError> {
        let request = Request::Rest("PUT", path(UPDATE, id)?, Some(json!({ "Enabled": enabled })));
        mapping(UPDATE, self.once.write(UPDATE, request, from_json).await?)
    }
}

/// Where a mapping is. An empty id would be the path of all mappings.
fn path(action: &str, id: &MappingId) -> Result<String, CloudError> {
    if id.0.is_empty() {
        return Err(CloudError::new(ErrorKind::Invalid, action, "a mapping without an id"));
    }
    Ok(format!("{PATH}/{}", utf8_percent_encode(&id.0, ENCODED)))
}

fn mapping(action: &str, shown: Shown) -> Result<Mapping, CloudError> {
    let id = shown.uuid.ok_or_else(|| classify::malformed(action, "a mapping has no UUID"))?;
    let source_arn = shown.event_source_arn.unwrap_or_default();
    let count = |count: Option<i32>| count.and_then(|count| u32::try_from(count).ok());
    Ok(Mapping {
        id: MappingId(id),
        function: Text::line(function(&shown.function_arn.unwrap_or_default())),
        queue: queue(&source_arn),
        source_arn,
        state: state(shown.state.as_deref()),
        reason: shown.state_transition_reason.as_deref().map(Text::line),
        last_result: shown.last_processing_result.as_deref().map(Text::line),
        batch_size: count(shown.batch_size),
        concurrency_max: count(shown.scaling_config.and_then(|scaling| scaling.maximum_concurrency)),
        changed_at: shown.last_modified.and_then(time),
    })
}

/// A time in seconds; none: no time that there is.
fn time(seconds: f64) -> Option<Timestamp> {
    let millis = (seconds * 1_000.0).round();
    // Far from every bound of the calendar an f64 is exact.
    (millis.abs() < 1e15).then(|| Timestamp::from_millisecond(millis as i64).ok()).flatten()
}

/// The function's name, with alias or version, of its ARN.
fn function(arn: &str) -> &str {
    arn.split_once(":function:").map_or(arn, |(_, name)| name)
}

/// The queue of an ARN of SQS.
fn queue(arn: &str) -> Option<QueueName> {
    let mut parts = arn.split(':').skip(2);
    (parts.next() == Some("sqs")).then(|| parts.nth(2)).flatten().map(|name| QueueName(name.to_owned()))
}

fn state(name: Option<&str>) -> MappingState {
    match name {
        Some("Creating") => MappingState::Creating,
        Some("Enabling") => MappingState::Enabling,
        Some("Enabled") => MappingState::Enabled,
        Some("Disabling") => MappingState::Disabling,
        Some("Disabled") => MappingState::Disabled,
        Some("Updating") => MappingState::Updating,
        Some("Deleting") => MappingState::Deleting,
        Some(_) | None => MappingState::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_and_functions_are_read_from_arns() {
        assert_eq!(queue("arn:aws:sqs:af-south-1:111111111111:orders").map(|name| name.0).as_deref(), Some("orders"));
        assert_eq!(queue("arn:aws:kafka:sa-east-1:111111111111:cluster/events/1"), None);
        assert_eq!(queue(""), None);
        assert_eq!(function("arn:aws:lambda:af-south-1:111111111111:function:orders:live"), "orders:live");
        assert_eq!(function("orders"), "orders");
    }

    #[test]
    fn states_and_words_are_outside_text() {
        let shown = Shown {
            uuid: Some("1".to_owned()),
            function_arn: Some("arn:aws:lambda:r:1:function:a\u{1b}[2Jb".to_owned()),
            state: Some("Hovering".to_owned()),
            state_transition_reason: Some("USER\u{202e}INITIATED".to_owned()),
            last_processing_result: Some("PROBLEM: \u{1b}]52;c;x\u{7}".to_owned()),
            batch_size: Some(-1),
            ..Shown::default()
        };
        let mapping = mapping(LIST, shown).expect("a mapping");
        assert_eq!((mapping.state, mapping.batch_size, mapping.queue.as_ref()), (MappingState::Other, None, None));
        let words =
            format!("{}{}{}", mapping.function, mapping.reason.expect("some"), mapping.last_result.expect("some"));
        assert!(!words.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{words:?}");
    }
}
