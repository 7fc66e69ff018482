//! A request, read as a call to a service: protocol, service, action, fields.

use std::{borrow::Cow, collections::BTreeMap};

use bytes::Bytes;
use http::{HeaderMap, Method, header, request::Parts};
use serde::Deserialize;

/// A request as the handler understands it.
#[derive(Debug)]
pub(crate) enum Request {
    /// A call to a service.
    Call(Call),
    /// `GET /_sandbox`: what this sandbox is, for programs that join it.
    Status,
    /// `POST /moto-api/reset`: empty the world.
    Reset,
    /// Something else.
    Unknown,
}

/// A call to a service.
#[derive(Debug)]
pub(crate) struct Call {
    /// Service and protocol.
    pub(crate) service: Service,
    /// Operation, `SendMessageBatch` for instance.
    pub(crate) action: String,
    /// The body as it came.
    pub(crate) body: Bytes,
    /// awsQuery's fields; empty for the JSON protocols.
    pub(crate) form: BTreeMap<String, String>,
}

/// Services that the sandbox answers for, and what else is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// SQS over awsJson1_0.
    Sqs,
    /// SSM over awsJson1_1.
    Ssm,
    /// STS over awsQuery.
    Sts,
    /// Another service over awsJson.
    OtherJson,
    /// Another service over awsQuery.
    OtherQuery,
}

impl Service {
    /// The service as IAM actions name it; empty for services that the sandbox does not know.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Sqs => "sqs",
            Self::Ssm => "ssm",
            Self::Sts => "sts",
            Self::OtherJson | Self::OtherQuery => "",
        }
    }
}

/// STS's `Version` field.
const STS_VERSION: &str = "2011-06-15";
/// Path of the sandbox's own status.
pub(crate) const STATUS_PATH: &str = "/_sandbox";
const RESET_PATH: &str = "/moto-api/reset";

impl Request {
    /// Reads a request by its headers.
    pub(crate) fn read(parts: &Parts, body: Bytes) -> Self {
        if let Some(target) = parts.headers.get("x-amz-target") {
            return Self::Call(Call::json(target.to_str().unwrap_or_default(), body));
        }
        match (&parts.method, parts.uri.path()) {
            (&Method::GET, STATUS_PATH) => Self::Status,
            (&Method::POST, RESET_PATH) => Self::Reset,
            (&Method::POST, _) if is_form(&parts.headers) => Call::query(body).map_or(Self::Unknown, Self::Call),
            _ => Self::Unknown,
        }
    }
}

/// Where SQS requests name their queue.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Naming<'a> {
    #[serde(borrow)]
    queue_url: Option<Cow<'a, str>>,
    #[serde(borrow)]
    queue_name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    source_arn: Option<Cow<'a, str>>,
}

impl Call {
    /// Name of the queue that an SQS call is about.
    pub(crate) fn queue(&self) -> Option<String> {
        if self.service != Service::Sqs {
            return None;
        }
        let Naming { queue_url, queue_name, source_arn } = serde_json::from_slice(&self.body).ok()?;
        let last = |text: Cow<'_, str>, mark| text.trim_end_matches(mark).rsplit(mark).next().map(str::to_owned);
        match (queue_url, source_arn) {
            (Some(url), _) => last(url, '/'),
            (None, Some(arn)) => last(arn, ':'),
            (None, None) => queue_name.map(Cow::into_owned),
        }
    }

    fn json(target: &str, body: Bytes) -> Self {
        let (service, action) = target.split_once('.').unwrap_or(("", target));
        let service = match service {
            "AmazonSQS" => Service::Sqs,
            "AmazonSSM" => Service::Ssm,
            _ => Service::OtherJson,
        };
        Self { service, action: action.to_owned(), body, form: BTreeMap::new() }
    }

    fn query(body: Bytes) -> Option<Self> {
        let form: BTreeMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
        let action = form.get("Action")?.clone();
        let is_sts = form.get("Version").is_some_and(|version| version == STS_VERSION);
        let service = if is_sts { Service::Sts } else { Service::OtherQuery };
        Some(Self { service, action, body, form })
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.starts_with("application/x-www-form-urlencoded")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&str, &str)], body: &'static str) -> Request {
        let mut request = http::Request::builder().method("POST").uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        Request::read(&parts, Bytes::from_static(body.as_bytes()))
    }

    #[test]
    fn the_target_header_names_service_and_action() {
        let Request::Call(call) = read(&[("X-Amz-Target", "AmazonSQS.SendMessage")], "{}") else { panic!("a call") };
        assert_eq!((call.service, call.action.as_str()), (Service::Sqs, "SendMessage"));
    }

    #[test]
    fn the_queue_is_found_wherever_it_is_named() {
        for (body, queue) in [
            (r#"{"Entries":[],"QueueUrl":"http://127.0.0.1:1/111111111111/orders"}"#, Some("orders")),
            (r#"{"QueueName":"orders"}"#, Some("orders")),
            (r#"{"SourceArn":"arn:aws:sqs:af-south-1:111111111111:orders-dlq"}"#, Some("orders-dlq")),
            ("{}", None),
            ("no JSON", None),
        ] {
            let Request::Call(call) = read(&[("X-Amz-Target", "AmazonSQS.Any")], body) else { panic!("a call") };
            assert_eq!(call.queue().as_deref(), queue, "{body}");
        }
    }

    #[test]
    fn a_form_names_action_and_fields() {
        let headers = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
        let body = "Action=AssumeRole&Version=2011-06-15&RoleSessionName=a%20b";
        let Request::Call(call) = read(&headers, body) else { panic!("a call") };
        assert_eq!((call.service, call.action.as_str()), (Service::Sts, "AssumeRole"));
        assert_eq!(call.form["RoleSessionName"], "a b");
    }

    #[test]
    fn anything_else_is_unknown() {
        assert!(matches!(read(&[], "x"), Request::Unknown));
    }
}
