//! Answers and errors as each protocol writes them.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use jiff::Timestamp;
use quick_xml::escape::escape;
use serde_json::{Value, json};

use super::{
    call::{Call, Encoding},
    cbor, markup,
};
use crate::world::{
    Answer, ApiError,
    service::{Form, Protocol, ServiceDef},
};

/// Where AWS keeps the errors that every JSON service shares, and those that SQS does not model.
const COMMON_SHAPES: &str = "com.amazon.coral.service#";

#[derive(Debug, Clone)]
pub(crate) struct Envelope {
    /// `x-amzn-requestid`.
    pub(crate) request_id: String,
    /// `Date`: the world's time, from which clients learn their clock skew.
    pub(crate) now: Timestamp,
}

impl Envelope {
    pub(crate) fn success(&self, call: &Call, answer: Answer) -> Response<Bytes> {
        let status = match &answer {
            Answer::Status(status, _) => *status,
            Answer::Body(_) | Answer::Document(_) | Answer::Xml(_) | Answer::Wait { .. } => {
                call.service.status(&call.action)
            }
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
        let body = match answer {
            _ if status == StatusCode::NO_CONTENT => Vec::new(),
            Answer::Status(_, body) => body,
            Answer::Body(body) => match (call.encoding, serde_json::from_slice(&body)) {
                (Encoding::Form, Ok(document)) => self.written(call, &document),
                (Encoding::Form, Err(_)) | (Encoding::Own | Encoding::Cbor, _) => body,
            },
            Answer::Document(document) => self.written(call, &document),
            Answer::Xml(result) => query_document(call, &result, &self.request_id),
            Answer::Wait { .. } => unreachable!("a poll is waited for before it is answered"),
        };
        self.of_call(call, status, body)
    }

    pub(crate) fn failure(&self, call: &Call, error: &ApiError) -> Response<Bytes> {
        if let (Encoding::Form, Some(form)) = (call.encoding, call.service.form) {
            return self.form_failure(call, form, error);
        }
        match call.service.protocol {
            Protocol::Json { shapes, .. } => self.json_failure(call, shapes, error),
            Protocol::Query { namespace, .. } => self.query_failure(call, namespace, error),
            Protocol::Rest { .. } => self.rest_failure(call, error),
        }
    }

    /// A JSON document of the sandbox's own.
    pub(crate) fn document(&self, status: StatusCode, document: &serde_json::Value) -> Response<Bytes> {
        self.response(status, "application/json", document.to_string().into_bytes())
    }

    fn json_failure(&self, call: &Call, shapes: Option<&str>, error: &ApiError) -> Response<Bytes> {
        let mut body = match shapes {
            Some(own) => json!({ "__type": namespaced(own, error.code), "message": error.message }),
            // The `__type` of these has no namespace.
            None if error.message.is_empty() => json!({ "__type": error.code }),
            None => json!({ "__type": error.code, "message": error.message }),
        };
        if let Some((name, value)) = error.more.as_deref() {
            body[*name] = value.clone();
        }
        let mut response = self.of_call(call, status(error), self.written(call, &body));
        let value = format!("{};{}", error.shown_code(), fault(error));
        if shapes.is_some()
            && let Ok(value) = HeaderValue::from_str(&value)
        {
            response.headers_mut().insert("x-amzn-query-error", value);
        }
        response
    }

    /// restJson1: the code is in a header, and blame in the body.
    fn rest_failure(&self, call: &Call, error: &ApiError) -> Response<Bytes> {
        let kind = if error.status >= 500 { "Service" } else { "User" };
        // Denials of IAM come with a lower-case member.
        let member = if error.status == 403 { "message" } else { "Message" };
        let body = json!({ "Type": kind, member: error.message });
        let mut response = self.of_call(call, status(error), self.written(call, &body));
        response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(error.code));
        response
    }

    fn query_failure(&self, call: &Call, namespace: &str, error: &ApiError) -> Response<Bytes> {
        let (kind, id) = (fault(error), &self.request_id);
        let (code, message) = (escape(error.shown_code()), escape(error.message.as_str()));
        let body = format!(
            "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{kind}</Type><Code>{code}</Code>\
             <Message>{message}</Message></Error><RequestId>{id}</RequestId></ErrorResponse>"
        );
        self.of_call(call, status(error), body.into_bytes())
    }

    /// An error of a service that was awsQuery before, as it was then.
    fn form_failure(&self, call: &Call, form: &Form, error: &ApiError) -> Response<Bytes> {
        let Form { namespace, wordings, .. } = form;
        let (kind, id) = (fault(error), &self.request_id);
        // A form can't be malformed as a document can: what is wrong is one of its values.
        let code = if error.code == "SerializationException" { "MalformedInput" } else { error.shown_code() };
        let worded = wordings.iter().find(|(worded, _)| *worded == code).map(|(_, message)| *message);
        let message = escape(worded.unwrap_or(error.message.as_str()));
        let body = format!(
            "<?xml version=\"1.0\"?><ErrorResponse xmlns=\"{namespace}\"><Error><Type>{kind}</Type><Code>{code}</Code>\
             <Message>{message}</Message><Detail/></Error><RequestId>{id}</RequestId></ErrorResponse>"
        );
        self.of_call(call, status(error), body.into_bytes())
    }

    fn of_call(&self, call: &Call, status: StatusCode, body: Vec<u8>) -> Response<Bytes> {
        let mut response = self.response(status, content_type(call), body);
        if call.encoding == Encoding::Cbor {
            // Clients take an answer that does not name this protocol for somebody else's.
            response.headers_mut().insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
        }
        response
    }

    fn written(&self, call: &Call, document: &Value) -> Vec<u8> {
        match (call.encoding, call.service.form) {
            (Encoding::Form, Some(form)) => markup::answer(form, &call.action, document, &self.request_id),
            (Encoding::Own | Encoding::Form, _) => document.to_string().into_bytes(),
            (Encoding::Cbor, _) => cbor::encode(document),
        }
    }

    fn response(&self, status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        if let Ok(id) = HeaderValue::from_str(&self.request_id) {
            headers.insert("x-amzn-requestid", id);
        }
        if let Ok(date) = HeaderValue::from_str(&self.now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()) {
            headers.insert(header::DATE, date);
        }
        response
    }
}

/// Wraps an awsQuery result: `<ActionResponse><ActionResult>..</ActionResult><ResponseMetadata>..`.
fn query_document(call: &Call, result: &str, request_id: &str) -> Vec<u8> {
    let Call { service: ServiceDef { protocol, .. }, action, .. } = call;
    let namespace = match protocol {
        Protocol::Query { namespace, .. } => namespace,
        Protocol::Json { .. } | Protocol::Rest { .. } => "",
    };
    format!(
        "<{action}Response xmlns=\"{namespace}\"><{action}Result>{result}</{action}Result>\
         <ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{action}Response>"
    )
    .into_bytes()
}

fn content_type(call: &Call) -> &'static str {
    match (call.encoding, call.service.protocol) {
        (Encoding::Cbor, _) => "application/cbor",
        (Encoding::Form, _) => "text/xml",
        (Encoding::Own, Protocol::Json { content_type, .. }) => content_type,
        (Encoding::Own, Protocol::Query { .. }) => "text/xml",
        (Encoding::Own, Protocol::Rest { .. }) => "application/json",
    }
}

/// `__type`: shapes of a service's model under its own namespace, all else under the common one.
fn namespaced(own: &str, code: &str) -> String {
    const COMMON: &[&str] = &[
        "AccessDeniedException",
        "ExpiredTokenException",
        "InvalidParameterValueException",
        "InvalidSignatureException",
        "InternalFailure",
        "MissingAuthenticationToken",
        "MissingParameter",
        "MissingRequiredParameterException",
        "SerializationException",
        "ServiceUnavailableException",
        "ThrottlingException",
        "UnknownOperationException",
        "UnrecognizedClientException",
        "ValidationException",
    ];
    if code.contains('#') {
        return code.to_owned();
    }
    let namespace = if COMMON.contains(&code) { COMMON_SHAPES } else { own };
    format!("{namespace}{code}")
}

fn status(error: &ApiError) -> StatusCode {
    StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn fault(error: &ApiError) -> &'static str {
    if error.status >= 500 { "Receiver" } else { "Sender" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Input;

    fn envelope() -> Envelope {
        let now = "2026-11-21T03:00:00Z".parse().expect("a time");
        Envelope { request_id: "00000000-0000-4000-8000-000000000001".to_owned(), now }
    }

    fn error() -> ApiError {
        ApiError::coded(400, "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", "a < b & \u{1b}")
    }

    fn call(service: &str) -> Call {
        let service = ServiceDef::named(service).expect("a service");
        Call { service, encoding: Encoding::Own, action: String::new(), input: Input::default() }
    }

    #[test]
    fn sqs_errors_carry_both_codes() {
        let response = envelope().failure(&call("sqs"), &error());
        assert_eq!(response.headers()["x-amzn-query-error"], "AWS.SimpleQueueService.NonExistentQueue;Sender");
        assert_eq!(response.headers()["date"], "Sat, 21 Nov 2026 03:00:00 GMT");
        let body: serde_json::Value = serde_json::from_slice(response.body()).expect("JSON");
        assert_eq!(body["__type"], "com.amazonaws.sqs#QueueDoesNotExist");
    }

    #[test]
    fn query_errors_are_escaped() {
        let response = envelope().failure(&call("sts"), &error());
        let body = String::from_utf8(response.body().to_vec()).expect("text");
        assert!(body.contains("<Message>a &lt; b &amp; "), "{body}");
    }
}
