//! What goes over the wire: AWS JSON 1.1, REST JSON and the query protocol.

use std::{borrow::Cow, fmt};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{
            Intercept,
            context::{BeforeDeserializationInterceptorContextMut, Error, Input, Output},
            dyn_dispatch_hint,
        },
        orchestrator::{HttpRequest, HttpResponse, OrchestratorError},
        runtime_components::RuntimeComponents,
        ser_de::{DeserializeResponse, SerializeRequest},
    },
};
use aws_smithy_types::{body::SdkBody, config_bag::ConfigBag, error::ErrorMetadata};
use http_body_util::Limited;
use serde_json::Value;

use super::xml::Element;

/// Largest answer that is read. The largest that AWS gives here is a page of log lines: 10 MB.
const ANSWER_BYTES_MAX: usize = 32 * 1_048_576;

#[derive(Debug)]
pub(in crate::cloud) enum Protocol {
    /// AWS JSON of this version; `X-Amz-Target` begins so.
    Json { version: &'static str, target: &'static str },
    /// JSON, with paths and methods.
    Rest,
    /// Forms, answered in XML; with the version of the API.
    Query { version: &'static str },
}

#[derive(Debug)]
pub(in crate::cloud) enum Request {
    /// With this body; keys without a value are left out.
    Json(Value),
    /// With this method, path and query, and body; none: without one.
    Rest(&'static str, String, Option<Value>),
    Query(Vec<(Cow<'static, str>, String)>),
}

/// Reads an answer's body. An empty one is an empty object.
///
/// # Errors
/// It is no JSON, or no object.
pub(in crate::cloud) fn from_json(body: &[u8]) -> Result<Value, BoxError> {
    let body = if body.is_empty() { b"{}" } else { body };
    let answer: Value = serde_json::from_slice(body)?;
    if answer.is_object() { Ok(answer) } else { Err("an answer that is no object".into()) }
}

/// What a conflict is with, one a line: a word of [`ErrorMetadata`]'s own.
pub(in crate::cloud) const RESOURCES: &str = "resourceIds";

#[derive(Debug)]
pub(super) struct Writer {
    pub(super) protocol: &'static Protocol,
    pub(super) operation: &'static str,
}

impl SerializeRequest for Writer {
    fn serialize_input(&self, input: Input, _config: &mut ConfigBag) -> Result<HttpRequest, BoxError> {
        let request = input.downcast().unwrap_or_else(|_| unreachable!("calls are made of requests only"));
        match (self.protocol, request) {
            (Protocol::Json { version, target }, Request::Json(body)) => {
                let content_type = format!("application/x-amz-json-{version}");
                let mut request = post("POST", "/", content_type, without_nulls(body).to_string())?;
                request.headers_mut().insert("x-amz-target", format!("{target}.{}", self.operation));
                Ok(request)
            }
            (Protocol::Rest, Request::Rest(method, path, Some(body))) => {
                post(method, &path, "application/json", without_nulls(body).to_string())
            }
            (Protocol::Rest, Request::Rest(method, path, None)) => to(method, &path, SdkBody::from("")),
            (Protocol::Query { version }, Request::Query(parameters)) => {
                let mut form = form_urlencoded::Serializer::new(String::new());
                form.append_pair("Action", self.operation).append_pair("Version", version).extend_pairs(parameters);
                post("POST", "/", "application/x-www-form-urlencoded", form.finish())
            }
            (Protocol::Json { .. } | Protocol::Rest | Protocol::Query { .. }, _) => {
                Err("a request of another protocol".into())
            }
        }
    }
}

fn to(method: &str, path: &str, body: SdkBody) -> Result<HttpRequest, BoxError> {
    let mut request = HttpRequest::new(body);
    request.set_method(method)?;
    request.set_uri(path)?;
    Ok(request)
}

fn post(
    method: &str,
    path: &str,
    content_type: impl Into<Cow<'static, str>>,
    body: String,
) -> Result<HttpRequest, BoxError> {
    let length = body.len().to_string();
    let mut request = to(method, path, SdkBody::from(body))?;
    request.headers_mut().insert("content-type", content_type.into());
    request.headers_mut().insert("content-length", length);
    Ok(request)
}

fn without_nulls(mut body: Value) -> Value {
    if let Value::Object(members) = &mut body {
        members.retain(|_, value| !value.is_null());
    }
    body
}

pub(super) struct Reader<O> {
    pub(super) protocol: &'static Protocol,
    pub(super) read: fn(&[u8]) -> Result<O, BoxError>,
}

impl<O: fmt::Debug + Send + Sync + 'static> DeserializeResponse for Reader<O> {
    fn deserialize_nonstreaming_with_config(
        &self,
        response: &HttpResponse,
        _config: &ConfigBag,
    ) -> Result<Output, OrchestratorError<Error>> {
        let body = response.body().bytes().unwrap_or_default();
        if response.status().is_success() {
            return (self.read)(body).map(Output::erase).map_err(OrchestratorError::other);
        }
        // Who has not got the service may answer in another one's protocol.
        let json = || json_error(response.headers().get("x-amzn-errortype"), body);
        let said = match self.protocol {
            Protocol::Json { .. } | Protocol::Rest => json().or_else(|unread| query_error(body).map_err(|_| unread)),
            Protocol::Query { .. } => query_error(body).or_else(|unread| json().map_err(|_| unread)),
        };
        Err(match said {
            Ok(error) => OrchestratorError::operation(Error::erase(error)),
            Err(unreadable) => OrchestratorError::other(unreadable),
        })
    }
}

impl<O> fmt::Debug for Reader<O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Reader").finish_non_exhaustive()
    }
}

/// The code stands in a header, or in `code` or `__type` of the body, perhaps within a namespace and before a URL.
fn json_error(header: Option<&str>, body: &[u8]) -> Result<ErrorMetadata, BoxError> {
    let said: Value = if body.is_empty() { Value::Null } else { serde_json::from_slice(body)? };
    let word = |name: &str| said.get(name).and_then(Value::as_str);
    let code = header.or_else(|| word("code")).or_else(|| word("__type"));
    let message = ["message", "Message", "errorMessage"].into_iter().find_map(word);
    let error = metadata(code, message);
    let Some(resources) = said.get(RESOURCES).and_then(Value::as_array) else { return Ok(error) };
    let resources: Vec<&str> = resources.iter().filter_map(Value::as_str).collect();
    Ok(error.into_builder().custom(RESOURCES, resources.join("\n")).build())
}

fn query_error(body: &[u8]) -> Result<ErrorMetadata, BoxError> {
    let root = Element::read(body)?;
    let error = root.child("Error");
    let word = |name: &str| error.and_then(|error| error.child(name)).map(|child| child.text.trim());
    Ok(metadata(word("Code"), word("Message")))
}

fn metadata(code: Option<&str>, message: Option<&str>) -> ErrorMetadata {
    let mut metadata = ErrorMetadata::builder();
    if let Some(code) = code {
        let code = code.split(':').next().unwrap_or_default();
        metadata = metadata.code(code.rsplit('#').next().unwrap_or_default());
    }
    if let Some(message) = message {
        metadata = metadata.message(message);
    }
    metadata.build()
}

/// Ends an answer that is too large to be one of AWS's.
#[derive(Debug)]
pub(super) struct Bounded;

#[dyn_dispatch_hint]
impl Intercept for Bounded {
    fn name(&self) -> &'static str {
        "Bounded"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response_mut().body_mut();
        let whole = std::mem::replace(body, SdkBody::taken());
        *body = SdkBody::from_body_1_x(Limited::new(whole, ANSWER_BYTES_MAX));
        Ok(())
    }
}
