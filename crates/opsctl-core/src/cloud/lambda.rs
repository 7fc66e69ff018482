//! Lambda: event source mappings as they are, and the one change, whether a mapping takes messages.

use std::fmt;

use aws_config::SdkConfig;
use aws_sdk_lambda::{
    Client,
    config::{
        retry::{RetryConfig, RetryPartition},
        timeout::TimeoutConfig,
    },
    operation::{
        get_event_source_mapping::GetEventSourceMappingOutput,
        update_event_source_mapping::{UpdateEventSourceMappingError, UpdateEventSourceMappingOutput},
    },
    primitives::DateTime,
    types::EventSourceMappingConfiguration,
};
use jiff::Timestamp;

use super::{CloudError, ErrorKind, attempts::Attempts, classify};
use crate::domain::{
    QueueName, Text,
    consumer::{Mapping, MappingId, MappingState},
};

const LIST: &str = "lambda:ListEventSourceMappings";
const GET: &str = "lambda:GetEventSourceMapping";
const UPDATE: &str = "lambda:UpdateEventSourceMapping";
/// Mappings of a page (API reference: a page has no more, whatever is asked for).
const PAGE: i32 = 100;
/// Pages followed in one listing.
const PAGES_MAX: usize = 100;

/// Lambda of one environment. Cheap to clone.
#[derive(Clone)]
pub struct Lambda {
    read: Client,
    /// Retries off.
    once: Client,
}

impl Lambda {
    pub(super) fn new(shared: &SdkConfig, partition: RetryPartition, once: TimeoutConfig) -> Self {
        let base = aws_sdk_lambda::config::Builder::from(shared).retry_partition(partition);
        Self {
            read: Client::from_conf(base.clone().build()),
            once: Client::from_conf(base.retry_config(RetryConfig::disabled()).timeout_config(once).build()),
        }
    }

    /// Every event source mapping, all pages, by id. A last result may be missing: AWS shows none for queues.
    ///
    /// # Errors
    /// Of the first call that fails.
    pub async fn mappings(&self) -> Result<Vec<Mapping>, CloudError> {
        let (mut mappings, mut marker) = (Vec::new(), None::<String>);
        for _ in 0..PAGES_MAX {
            let call = self.read.list_event_source_mappings().max_items(PAGE).set_marker(marker.clone());
            let page = call.send().await.map_err(|error| classify::from_sdk(LIST, error))?;
            for shown in page.event_source_mappings.unwrap_or_default() {
                mappings.push(mapping(LIST, shown.into())?);
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
        let call = self.read.get_event_source_mapping().uuid(&id.0);
        let shown = call.send().await.map_err(|error| classify::from_sdk(GET, error))?;
        mapping(GET, shown.into())
    }

    /// Lets a mapping take messages, or not. Sent once; answers the mapping as it is then: on its way, which takes seconds to minutes.
    ///
    /// The call has no client token. It is absolute, so that twice is the same as once as long as nobody else changes the mapping.
    ///
    /// # Errors
    /// [`ErrorKind::Unknown`]: it may have been applied; look, don't repeat. The code `ResourceInUseException`: the mapping's state
    /// is changing.
    pub async fn set_enabled(&self, id: &MappingId, enabled: bool) -> Result<Mapping, CloudError> {
        let attempts = Attempts::new();
        let call = self.once.update_event_source_mapping().uuid(&id.0).enabled(enabled);
        let sent = call.customize().interceptor(attempts.watch::<UpdateEventSourceMappingError>()).send().await;
        let shown = sent.map_err(|error| attempts.judge(classify::from_sdk(UPDATE, error)))?;
        mapping(UPDATE, shown.into())
    }
}

/// What three shapes of the SDK have in common.
struct Shown {
    uuid: Option<String>,
    function_arn: Option<String>,
    source_arn: Option<String>,
    state: Option<String>,
    reason: Option<String>,
    last_result: Option<String>,
    batch_size: Option<i32>,
    concurrency_max: Option<i32>,
    modified: Option<DateTime>,
}

impl From<EventSourceMappingConfiguration> for Shown {
    fn from(shown: EventSourceMappingConfiguration) -> Self {
        Self {
            uuid: shown.uuid,
            function_arn: shown.function_arn,
            source_arn: shown.event_source_arn,
            state: shown.state,
            reason: shown.state_transition_reason,
            last_result: shown.last_processing_result,
            batch_size: shown.batch_size,
            concurrency_max: shown.scaling_config.and_then(|scaling| scaling.maximum_concurrency),
            modified: shown.last_modified,
        }
    }
}

impl From<GetEventSourceMappingOutput> for Shown {
    fn from(shown: GetEventSourceMappingOutput) -> Self {
        Self {
            uuid: shown.uuid,
            function_arn: shown.function_arn,
            source_arn: shown.event_source_arn,
            state: shown.state,
            reason: shown.state_transition_reason,
            last_result: shown.last_processing_result,
            batch_size: shown.batch_size,
            concurrency_max: shown.scaling_config.and_then(|scaling| scaling.maximum_concurrency),
            modified: shown.last_modified,
        }
    }
}

impl From<UpdateEventSourceMappingOutput> for Shown {
    fn from(shown: UpdateEventSourceMappingOutput) -> Self {
        Self {
            uuid: shown.uuid,
            function_arn: shown.function_arn,
            source_arn: shown.event_source_arn,
            state: shown.state,
            reason: shown.state_transition_reason,
            last_result: shown.last_processing_result,
            batch_size: shown.batch_size,
            concurrency_max: shown.scaling_config.and_then(|scaling| scaling.maximum_concurrency),
            modified: shown.last_modified,
        }
    }
}

fn mapping(action: &str, shown: Shown) -> Result<Mapping, CloudError> {
    let id = shown.uuid.ok_or_else(|| classify::malformed(action, "a mapping has no UUID"))?;
    let source_arn = shown.source_arn.unwrap_or_default();
    let count = |count: Option<i32>| count.and_then(|count| u32::try_from(count).ok());
    Ok(Mapping {
        id: MappingId(id),
        function: Text::line(function(&shown.function_arn.unwrap_or_default())),
        queue: queue(&source_arn),
        source_arn,
        state: state(shown.state.as_deref()),
        reason: shown.reason.as_deref().map(Text::line),
        last_result: shown.last_result.as_deref().map(Text::line),
        batch_size: count(shown.batch_size),
        concurrency_max: count(shown.concurrency_max),
        changed_at: shown.modified.and_then(|at| Timestamp::new(at.secs(), at.subsec_nanos().cast_signed()).ok()),
    })
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

impl fmt::Debug for Lambda {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Lambda").finish_non_exhaustive()
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
            source_arn: None,
            state: Some("Hovering".to_owned()),
            reason: Some("USER\u{202e}INITIATED".to_owned()),
            last_result: Some("PROBLEM: \u{1b}]52;c;x\u{7}".to_owned()),
            batch_size: Some(-1),
            concurrency_max: None,
            modified: None,
        };
        let mapping = mapping(LIST, shown).expect("a mapping");
        assert_eq!((mapping.state, mapping.batch_size, mapping.queue.as_ref()), (MappingState::Other, None, None));
        let words =
            format!("{}{}{}", mapping.function, mapping.reason.expect("some"), mapping.last_result.expect("some"));
        assert!(!words.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{words:?}");
    }
}
