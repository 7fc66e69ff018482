//! A request, read as a call to a service: protocol, service, action, fields.

use std::{collections::BTreeMap, io::Read};

use bytes::Bytes;
use flate2::read::GzDecoder;
use http::{HeaderMap, Method, header, request::Parts};
use percent_encoding::percent_decode_str;

use super::{cbor, form, handler::BODY_BYTES_MAX};
use crate::{
    domain::Ask,
    world::{
        ApiError, Input,
        service::{OTHER_JSON, OTHER_QUERY, ServiceDef},
    },
};

#[derive(Debug)]
pub(crate) enum Request {
    Call(Call),
    /// `GET /_sandbox`: what this sandbox is, for programs that join it.
    Status,
    /// `POST /moto-api/reset`: empty the world.
    Reset,
    /// `POST /_sandbox/endpoint`: something is asked of a database, for programs that join it.
    Ask(Ask),
    /// `POST /_sandbox/drill`: something is asked of whoever leads the drill.
    Drill(String),
    Unknown,
}

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) service: &'static ServiceDef,
    pub(crate) encoding: Encoding,
    /// Operation, `SendMessageBatch` for instance.
    pub(crate) action: String,
    pub(crate) input: Input,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// As the service's own protocol has it.
    Own,
    /// rpcv2Cbor, as the Rust SDK has it for CloudWatch.
    Cbor,
    /// awsQuery of a service that has another protocol now, as older SDKs have it.
    Form,
}

pub(crate) const STATUS_PATH: &str = "/_sandbox";
pub(crate) const ENDPOINT_PATH: &str = "/_sandbox/endpoint";
pub(crate) const DRILL_PATH: &str = "/_sandbox/drill";
const RESET_PATH: &str = "/moto-api/reset";
const DOMAIN: &str = ".amazonaws.com";

impl Request {
    pub(crate) fn read(parts: &Parts, body: Bytes) -> Self {
        let Some(body) = inflated(&parts.headers, body) else { return Self::Unknown };
        if let Some(target) = parts.headers.get("x-amz-target") {
            return Self::Call(Call::json(target.to_str().unwrap_or_default(), body));
        }
        match (&parts.method, parts.uri.path()) {
            (&Method::GET, STATUS_PATH) => Self::Status,
            (&Method::POST, ENDPOINT_PATH) => serde_json::from_slice(&body).map_or(Self::Unknown, Self::Ask),
            (&Method::POST, DRILL_PATH) => Self::Drill(String::from_utf8_lossy(&body).into_owned()),
            (&Method::POST, RESET_PATH) => Self::Reset,
            (&Method::POST, path) if parts.headers.contains_key("smithy-protocol") => {
                Call::rpc(path, body).map_or(Self::Unknown, Self::Call)
            }
            (&Method::POST, path) if is_form(&parts.headers) => {
                Call::query(path, &body, parts.uri.query()).map_or(Self::Unknown, Self::Call)
            }
            (&Method::GET, path) if parts.uri.query().is_some_and(|query| query.contains("Action=")) => {
                Call::query(path, b"", parts.uri.query()).map_or(Self::Unknown, Self::Call)
            }
            (method, path) => {
                let call = Call::rest(method, path, parts.uri.query(), body);
                call.map_or(Self::Unknown, |call| Self::Call(call.with_headers(&parts.headers)))
            }
        }
    }
}

impl Call {
    fn json(target: &str, body: Bytes) -> Self {
        let (name, action) = target.split_once('.').unwrap_or(("", target));
        let service = ServiceDef::of_target(name).unwrap_or(&OTHER_JSON);
        Self { service, encoding: Encoding::Own, action: action.to_owned(), input: Input::of_json(&body) }
    }

    /// rpcv2Cbor: `/service/Name/operation/Operation`.
    fn rpc(path: &str, body: Bytes) -> Option<Self> {
        let (name, action) = path.strip_prefix("/service/")?.split_once("/operation/")?;
        let service = ServiceDef::of_target(name)?;
        // What is no CBOR is no document either, and refused as such.
        let input = cbor::decode(&body).map_or_else(|| Input::of_json(&body), Input::from);
        Some(Self { service, encoding: Encoding::Cbor, action: action.to_owned(), input })
    }

    /// awsQuery: fields in the body, the query, or both. A queue may be named by the path alone.
    fn query(path: &str, body: &[u8], query: Option<&str>) -> Option<Self> {
        let more = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        let mut fields: BTreeMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
        fields.extend(more.into_owned());
        let action = fields.get("Action")?.clone();
        let version = fields.get("Version").map(String::as_str).unwrap_or_default();
        let service = ServiceDef::of_version(version).unwrap_or(&OTHER_QUERY);
        let Some(form) = service.form else {
            return Some(Self { service, encoding: Encoding::Own, action, input: fields.into() });
        };
        if path.len() > 1 {
            fields.entry("QueueUrl".to_owned()).or_insert_with(|| path.to_owned());
        }
        let document = Ok(form::document(form, &action, &fields));
        Some(Self { service, encoding: Encoding::Form, action, input: Input { fields, document } })
    }

    /// restJson1: method and path name the operation; path and query hold fields beside the document.
    fn rest(method: &Method, path: &str, query: Option<&str>, body: Bytes) -> Option<Self> {
        let (service, route, of_path) = ServiceDef::of_path(method.as_str(), path)?;
        let mut fields: BTreeMap<String, String> =
            form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
        let decoded = |part: &String| percent_decode_str(part).decode_utf8_lossy().into_owned();
        fields.extend(of_path.iter().map(|(name, part)| ((*name).to_owned(), decoded(part))));
        let input = Input { fields, ..Input::of_json(&body) };
        Some(Self { service, encoding: Encoding::Own, action: route.action.to_owned(), input })
    }

    /// Takes over the header that an operation of restJson1 has as a field.
    fn with_headers(mut self, headers: &HeaderMap) -> Self {
        let kind = headers.get("x-amz-invocation-type").and_then(|value| value.to_str().ok());
        self.input.fields.extend(kind.map(|kind| ("InvocationType".to_owned(), kind.to_owned())));
        self
    }

    /// An endpoint knows its own service's operations only, and a signature is good for one service.
    pub(crate) fn check_scope(&self, origin: &str, signed_for: Option<&str>) -> Result<(), ApiError> {
        if self.is_astray(origin) {
            return Err(self.service.unknown(&self.action));
        }
        let right = self.service.signing;
        if right.is_empty() || signed_for.is_none_or(|service| service == right) {
            return Ok(());
        }
        let message = format!("Credential should be scoped to correct service: '{right}'. ");
        Err(ApiError::coded(403, "InvalidSignatureException", "SignatureDoesNotMatch", message))
    }

    /// Whether a service is called under the name of another one's endpoint. Any other name will do: the sandbox's own.
    fn is_astray(&self, origin: &str) -> bool {
        let host = origin.split_once("://").map_or(origin, |(_, host)| host);
        host.strip_suffix(DOMAIN).is_some_and(|name| name.split('.').next() != Some(self.service.endpoint))
    }
}

/// The body without its compression, which SDKs use from 10 KiB on (`PutMetricData`); none where it is broken or too large.
fn inflated(headers: &HeaderMap, body: Bytes) -> Option<Bytes> {
    if headers.get(header::CONTENT_ENCODING).is_none_or(|encoding| encoding != "gzip") {
        return Some(body);
    }
    let mut inflated = Vec::new();
    let mut reader = GzDecoder::new(body.as_ref()).take(BODY_BYTES_MAX as u64 + 1);
    reader.read_to_end(&mut inflated).ok()?;
    (inflated.len() <= BODY_BYTES_MAX).then(|| inflated.into())
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

    fn call(headers: &[(&str, &str)], body: &'static str) -> Call {
        match read(headers, body) {
            Request::Call(call) => call,
            other => panic!("a call, not {other:?}"),
        }
    }

    #[test]
    fn the_target_header_names_service_and_action() {
        let call = call(&[("X-Amz-Target", "AmazonSQS.SendMessage")], "{}");
        assert_eq!((call.service.prefix, call.action.as_str()), ("sqs", "SendMessage"));
    }

    #[test]
    fn the_queue_is_found_wherever_it_is_named() {
        let handle = "eyJ0YXNrSWQiOiIxIiwic291cmNlQXJuIjoiYXJuOmF3czpzcXM6YWYtc291dGgtMToxMTExMTExMTExMTE6YS1kbHEifQ==";
        let by_handle: &str = format!(r#"{{"TaskHandle":"{handle}"}}"#).leak();
        for (body, queue) in [
            (r#"{"Entries":[],"QueueUrl":"http://127.0.0.1:1/111111111111/orders"}"#, Some("orders")),
            (r#"{"QueueName":"orders"}"#, Some("orders")),
            (r#"{"SourceArn":"arn:aws:sqs:af-south-1:111111111111:orders-dlq"}"#, Some("orders-dlq")),
            (by_handle, Some("a-dlq")),
            ("{}", None),
            ("no JSON", None),
        ] {
            let call = call(&[("X-Amz-Target", "AmazonSQS.Any")], body);
            assert_eq!((call.service.subject)(&call.input).as_deref(), queue, "{body}");
        }
    }

    #[test]
    fn a_form_names_action_and_fields() {
        let headers = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
        let call = call(&headers, "Action=AssumeRole&Version=2011-06-15&RoleSessionName=a%20b");
        assert_eq!((call.service.prefix, call.action.as_str()), ("sts", "AssumeRole"));
        assert_eq!(call.input.fields["RoleSessionName"], "a b");
    }

    #[test]
    fn a_path_names_service_and_action_of_cbor() {
        let path = "/service/GraniteServiceVersion20100801/operation/GetMetricData";
        let request = http::Request::builder().method("POST").uri(path).header("smithy-protocol", "rpc-v2-cbor");
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        let Request::Call(call) = Request::read(&parts, Bytes::new()) else { panic!("a call") };
        assert_eq!(
            (call.service.prefix, call.encoding, &*call.action),
            ("cloudwatch", Encoding::Cbor, "GetMetricData")
        );
    }

    #[test]
    fn method_and_path_name_the_operation_of_rest() {
        for (method, path, expected) in [
            (Method::GET, "/2015-03-31/event-source-mappings", Some("ListEventSourceMappings")),
            (Method::GET, "/2015-03-31/event-source-mappings/", Some("ListEventSourceMappings")),
            (Method::PUT, "/2015-03-31/event-source-mappings/a-b", Some("UpdateEventSourceMapping")),
            (Method::DELETE, "/2015-03-31/event-source-mappings/a-b", Some("DeleteEventSourceMapping")),
            (Method::GET, "/2015-03-31/functions/orders", Some("GetFunction")),
            (Method::POST, "/2015-03-31/functions/orders/invocations", Some("Invoke")),
            (Method::POST, "/2015-03-31/functions/orders/versions", None),
            (Method::GET, "/2014-11-13/functions", None),
        ] {
            let call = Call::rest(&method, path, None, Bytes::new());
            assert_eq!(call.as_ref().map(|call| call.action.as_str()), expected, "{method} {path}");
        }
        let path = "/2015-03-31/functions/arn%3Aaws%3Alambda";
        let call = Call::rest(&Method::GET, path, Some("Marker=a%20b&MaxItems=3"), Bytes::new()).expect("a call");
        let fields = ["FunctionName", "Marker", "MaxItems"].map(|name| call.input.fields[name].as_str());
        assert_eq!(fields, ["arn:aws:lambda", "a b", "3"]);
    }

    #[test]
    fn a_call_under_another_services_name_is_astray() {
        let call = call(&[("X-Amz-Target", "GraniteServiceVersion20100801.ListMetrics")], "{}");
        for (host, astray) in [
            ("https://monitoring.af-south-1.amazonaws.com", false),
            ("https://cloudwatch.af-south-1.amazonaws.com", true),
            ("http://127.0.0.1:4100", false),
        ] {
            assert_eq!(call.is_astray(host), astray, "{host}");
        }
    }

    #[test]
    fn a_compressed_body_is_read_and_a_broken_one_is_not() {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packed, b"{\"Namespace\":\"x\"}").expect("memory");
        let packed = packed.finish().expect("memory");
        let request = http::Request::builder().method("POST").uri("/").header("content-encoding", "gzip");
        let request = request.header("x-amz-target", "GraniteServiceVersion20100801.PutMetricData");
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        let Request::Call(call) = Request::read(&parts, packed.into()) else { panic!("a call") };
        assert_eq!(call.input.document, Ok(serde_json::json!({ "Namespace": "x" })));
        assert!(matches!(Request::read(&parts, Bytes::from_static(b"broken")), Request::Unknown));
    }

    #[test]
    fn anything_else_is_unknown() {
        assert!(matches!(read(&[], "x"), Request::Unknown));
    }
}
