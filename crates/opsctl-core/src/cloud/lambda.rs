//! Lambda: event source mappings as they are, and the one change, whether a mapping takes messages.

use aws_config::SdkConfig;
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_types::timeout::TimeoutConfig;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{
    CloudError, ErrorKind, classify,
    pages::Pages,
    thin::{Protocol, Request, Service, Thin, Told as _, from_json},
};
use crate::domain::{Mapping, MappingId, MappingState, QueueName, Text};

const LIST: &str = "lambda:ListEventSourceMappings";
const GET: &str = "lambda:GetEventSourceMapping";
const UPDATE: &str = "lambda:UpdateEventSourceMapping";
/// Mappings of a page (API reference: a page has no more, whatever is asked for).
const PAGE: u32 = 100;
const PAGES_MAX: usize = 100;
/// Where mappings are (API reference).
const PATH: &str = "/2015-03-31/event-source-mappings";
const GET_CONCURRENCY: &str = "lambda:GetFunctionConcurrency";
const PUT_CONCURRENCY: &str = "lambda:PutFunctionConcurrency";
const DELETE_CONCURRENCY: &str = "lambda:DeleteFunctionConcurrency";

/// What does not stand for itself in a path or a query.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const LAMBDA: Service = Service { name: "lambda", host: "lambda", signing_name: "lambda", protocol: Protocol::Rest };

#[derive(Debug, Clone)]
pub struct Lambda {
    read: Thin,
    once: Thin,
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
        self.mappings_where("").await
    }

    /// The mappings that read a queue or a stream, by its ARN.
    ///
    /// # Errors
    /// Of the first call that fails.
    pub async fn mappings_of(&self, source_arn: &str) -> Result<Vec<Mapping>, CloudError> {
        self.mappings_where(&format!("EventSourceArn={}&", utf8_percent_encode(source_arn, ENCODED))).await
    }

    /// The mappings that call a function, by its name.
    ///
    /// # Errors
    /// Of the first call that fails.
    pub async fn mappings_to(&self, function: &str) -> Result<Vec<Mapping>, CloudError> {
        self.mappings_where(&format!("FunctionName={}&", utf8_percent_encode(function, ENCODED))).await
    }

    /// Names of all functions.
    ///
    /// # Errors
    /// Of the first call that fails.
    pub async fn functions(&self) -> Result<Vec<String>, CloudError> {
        const ACTION: &str = "lambda:ListFunctions";
        let name = |function: &Value| Ok(function.word("FunctionName").unwrap_or_default().to_owned());
        let mut names = self.all(ACTION, "/2015-03-31/functions", "", "Functions", name).await?;
        names.sort();
        Ok(names)
    }

    async fn mappings_where(&self, only: &str) -> Result<Vec<Mapping>, CloudError> {
        let mut mappings = self.all(LIST, PATH, only, "EventSourceMappings", |shown| mapping(LIST, shown)).await?;
        mappings.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(mappings)
    }

    /// What `read` makes of the entries of the list of that name, all pages; `only` is the beginning of the query.
    async fn all<T>(
        &self,
        action: &'static str,
        path: &str,
        only: &str,
        list: &str,
        read: impl Fn(&Value) -> Result<T, CloudError>,
    ) -> Result<Vec<T>, CloudError> {
        let mut pages = Pages::new(action, PAGES_MAX);
        while pages.more()? {
            let next = pages.token().map(|marker| format!("Marker={}&", utf8_percent_encode(&marker, ENCODED)));
            let path = format!("{path}?{only}{}MaxItems={PAGE}", next.unwrap_or_default());
            let page = self.read.call(action, Request::Rest("GET", path, None), from_json).await?;
            let read: Result<Vec<_>, _> = page.list(list).iter().map(&read).collect();
            pages.add(read?, page.word("NextMarker").map(str::to_owned))?;
        }
        Ok(pages.found())
    }

    /// One mapping.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`]: there is none of that id.
    pub async fn mapping(&self, id: &MappingId) -> Result<Mapping, CloudError> {
        let request = Request::Rest("GET", path(GET, id)?, None);
        mapping(GET, &self.read.call(GET, request, from_json).await?)
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
        mapping(UPDATE, &self.once.write(UPDATE, request, from_json).await?)
    }
}

impl Lambda {
    /// Reserved concurrency of a function; none: it takes of the account's. 0 throttles every call.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`]: there is no such function.
    pub async fn concurrency(&self, function: &str) -> Result<Option<u32>, CloudError> {
        let path = format!("/2019-09-30/functions/{}/concurrency", utf8_percent_encode(function, ENCODED));
        let answer = self.read.call(GET_CONCURRENCY, Request::Rest("GET", path, None), from_json).await?;
        Ok(answer.number("ReservedConcurrentExecutions"))
    }

    /// Sets a function's reserved concurrency, or takes it away. Sent once. Absolute: twice is the same as once.
    ///
    /// # Errors
    /// [`ErrorKind::Unknown`]: it may have been applied; look, don't repeat.
    pub async fn set_concurrency(&self, function: &str, reserved: Option<u32>) -> Result<(), CloudError> {
        let path = format!("/2017-10-31/functions/{}/concurrency", utf8_percent_encode(function, ENCODED));
        let (action, method) =
            if reserved.is_some() { (PUT_CONCURRENCY, "PUT") } else { (DELETE_CONCURRENCY, "DELETE") };
        let given = reserved.map(|reserved| json!({ "ReservedConcurrentExecutions": reserved }));
        self.once.write(action, Request::Rest(method, path, given), |_| Ok(())).await
    }
}

/// Where a mapping is. An empty id would be the path of all mappings.
fn path(action: &str, id: &MappingId) -> Result<String, CloudError> {
    if id.0.is_empty() {
        return Err(CloudError::new(ErrorKind::Invalid, action, "a mapping without an id"));
    }
    Ok(format!("{PATH}/{}", utf8_percent_encode(&id.0, ENCODED)))
}

fn mapping(action: &str, shown: &Value) -> Result<Mapping, CloudError> {
    let id = shown.word("UUID").ok_or_else(|| classify::malformed(action, "a mapping has no UUID"))?;
    let source_arn = shown.word("EventSourceArn").unwrap_or_default().to_owned();
    Ok(Mapping {
        id: MappingId(id.to_owned()),
        function: Text::line(function(shown.word("FunctionArn").unwrap_or_default())),
        queue: queue(&source_arn),
        source_arn,
        state: state(shown.word("State")),
        reason: shown.line("StateTransitionReason"),
        last_result: shown.line("LastProcessingResult"),
        batch_size: shown.number("BatchSize"),
        concurrency_max: shown["ScalingConfig"].number("MaximumConcurrency"),
        changed_at: shown.time("LastModified"),
    })
}

/// The function's name, with alias or version, of its ARN.
fn function(arn: &str) -> &str {
    arn.split_once(":function:").map_or(arn, |(_, name)| name)
}

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
        let shown = json!({
            "UUID": "1",
            "FunctionArn": "arn:aws:lambda:r:1:function:a\u{1b}[2Jb",
            "State": "Hovering",
            "StateTransitionReason": "USER\u{202e}INITIATED",
            "LastProcessingResult": "PROBLEM: \u{1b}]52;c;x\u{7}",
            "BatchSize": -1,
        });
        let mapping = mapping(LIST, &shown).expect("a mapping");
        assert_eq!((mapping.state, mapping.batch_size, mapping.queue.as_ref()), (MappingState::Other, None, None));
        let words =
            format!("{}{}{}", mapping.function, mapping.reason.expect("some"), mapping.last_result.expect("some"));
        assert!(!words.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{words:?}");
    }
}
