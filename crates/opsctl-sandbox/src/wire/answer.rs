//! Answers and errors as each protocol writes them.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use jiff::Timestamp;
use quick_xml::escape::escape;
use serde_json::json;

use super::{
    call::{Encoding, Service},
    cbor, rest,
};
use crate::world::ApiError;

const STS_NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
const LOAD_BALANCERS_NAMESPACE: &str = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/";
const RDS_NAMESPACE: &str = "http://rds.amazonaws.com/doc/2014-10-31/";
/// Where AWS keeps the errors that every JSON service shares, and those that SQS does not model.
const COMMON_SHAPES: &str = "com.amazon.coral.service#";

/// What every answer carries.
#[derive(Debug, Clone)]
pub(crate) struct Envelope {
    /// `x-amzn-requestid`.
    pub(crate) request_id: String,
    /// `Date`: the world's time, from which clients learn their clock skew.
    pub(crate) now: Timestamp,
}

impl Envelope {
    /// A call's answer.
    pub(crate) fn success(&self, service: Service, action: &str, body: Vec<u8>) -> Response<Bytes> {
        let status = if service == Service::Lambda { rest::lambda_status(action) } else { StatusCode::OK };
        let mut response = self.response(status, content_type(service), body);
        mark_protocol(&mut response, service);
        response
    }

    /// A call's error.
    pub(crate) fn failure(&self, service: Service, error: &ApiError) -> Response<Bytes> {
        match service {
            Service::Sqs
            | Service::Ssm
            | Service::Ecs
            | Service::Logs
            | Service::Autoscaling
            | Service::CloudWatch(_)
            | Service::OtherJson => self.json_failure(service, error),
            Service::Sts | Service::Rds | Service::LoadBalancers | Service::OtherQuery => {
                self.query_failure(service, error)
            }
            Service::Lambda => self.rest_failure(error),
        }
    }

    /// A JSON document of the sandbox's own.
    pub(crate) fn document(&self, status: StatusCode, document: &serde_json::Value) -> Response<Bytes> {
        self.response(status, "application/json", document.to_string().into_bytes())
    }

    fn json_failure(&self, service: Service, error: &ApiError) -> Response<Bytes> {
        let body = match service {
            // The `__type` of these has no namespace.
            Service::Ssm | Service::Ecs | Service::Logs | Service::Autoscaling if error.message.is_empty() => {
                json!({ "__type": error.code })
            }
            Service::Ssm | Service::Ecs | Service::Logs | Service::Autoscaling => {
                json!({ "__type": error.code, "message": error.message })
            }
            Service::Sqs
            | Service::OtherJson
            | Service::Sts
            | Service::Rds
            | Service::LoadBalancers
            | Service::OtherQuery
            | Service::Lambda => {
                json!({ "__type": namespaced("com.amazonaws.sqs#", error.code), "message": error.message })
            }
            Service::CloudWatch(_) => {
                json!({ "__type": namespaced("com.amazonaws.cloudwatch#", error.code), "message": error.message })
            }
        };
        let body = if error.code == "ConflictException" && service == Service::Ecs {
            with_resources(body, error)
        } else {
            body
        };
        let body = match service {
            Service::CloudWatch(Encoding::Cbor) => cbor::encode(&body),
            _ => body.to_string().into_bytes(),
        };
        let mut response = self.response(status(error), content_type(service), body);
        mark_protocol(&mut response, service);
        if matches!(service, Service::Sqs | Service::CloudWatch(_)) {
            let code = error.query_code.unwrap_or(error.code);
            let value = format!("{code};{}", fault(error));
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert("x-amzn-query-error", value);
            }
        }
        response
    }

    /// restJson1: the code is in a header, and blame in the body.
    fn rest_failure(&self, error: &ApiError) -> Response<Bytes> {
        let kind = if error.status >= 500 { "Service" } else { "User" };
        // Denials of IAM come with a lower-case member.
        let member = if error.status == 403 { "message" } else { "Message" };
        let body = json!({ "Type": kind, member: error.message }).to_string().into_bytes();
        let mut response = self.response(status(error), content_type(Service::Lambda), body);
        response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(error.code));
        response
    }

    fn query_failure(&self, service: Service, error: &ApiError) -> Response<Bytes> {
        let (kind, code, id) = (fault(error), error.query_code.unwrap_or(error.code), &self.request_id);
        let (code, message) = (escape(code), escape(error.message.as_str()));
        let body = format!(
            "<ErrorResponse xmlns=\"{}\"><Error><Type>{kind}</Type><Code>{code}</Code>\
             <Message>{message}</Message></Error><RequestId>{id}</RequestId></ErrorResponse>",
            namespace(service)
        );
        self.response(status(error), content_type(service), body.into_bytes())
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
pub(crate) fn query_document(service: Service, action: &str, result: &str, request_id: &str) -> Vec<u8> {
    let namespace = namespace(service);
    format!(
        "<{action}Response xmlns=\"{namespace}\"><{action}Result>{result}</{action}Result>\
         <ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{action}Response>"
    )
    .into_bytes()
}

/// Of a document of an awsQuery service.
fn namespace(service: Service) -> &'static str {
    match service {
        Service::Rds => RDS_NAMESPACE,
        Service::LoadBalancers => LOAD_BALANCERS_NAMESPACE,
        _ => STS_NAMESPACE,
    }
}

fn content_type(service: Service) -> &'static str {
    match service {
        Service::Sqs | Service::CloudWatch(Encoding::Json) | Service::OtherJson => "application/x-amz-json-1.0",
        Service::CloudWatch(Encoding::Cbor) => "application/cbor",
        Service::Ssm | Service::Ecs | Service::Logs | Service::Autoscaling => "application/x-amz-json-1.1",
        Service::Sts | Service::Rds | Service::LoadBalancers | Service::OtherQuery => "text/xml",
        Service::Lambda => "application/json",
    }
}

/// A conflict of `RunTask` names the tasks that the token stands for, which its message tells as well.
fn with_resources(mut body: serde_json::Value, error: &ApiError) -> serde_json::Value {
    let arns: Vec<&str> = error.message.split_whitespace().filter(|word| word.starts_with("arn:")).collect();
    body["resourceIds"] = json!(arns);
    body
}

/// rpcv2Cbor's answers name their protocol; clients take one that does not for somebody else's.
fn mark_protocol(response: &mut Response<Bytes>, service: Service) {
    if service == Service::CloudWatch(Encoding::Cbor) {
        response.headers_mut().insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
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

/// Whom AWS blames.
fn fault(error: &ApiError) -> &'static str {
    if error.status >= 500 { "Receiver" } else { "Sender" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope() -> Envelope {
        let now = "2026-11-21T03:00:00Z".parse().expect("a time");
        Envelope { request_id: "00000000-0000-4000-8000-000000000001".to_owned(), now }
    }

    fn error() -> ApiError {
        ApiError {
            status: 400,
            code: "QueueDoesNotExist",
            query_code: Some("AWS.SimpleQueueService.NonExistentQueue"),
            message: "a < b & \u{1b}".to_owned(),
        }
    }

    #[test]
    fn sqs_errors_carry_both_codes() {
        let response = envelope().failure(Service::Sqs, &error());
        assert_eq!(response.headers()["x-amzn-query-error"], "AWS.SimpleQueueService.NonExistentQueue;Sender");
        assert_eq!(response.headers()["date"], "Sat, 21 Nov 2026 03:00:00 GMT");
        let body: serde_json::Value = serde_json::from_slice(response.body()).expect("JSON");
        assert_eq!(body["__type"], "com.amazonaws.sqs#QueueDoesNotExist");
    }

    #[test]
    fn query_errors_are_escaped() {
        let response = envelope().failure(Service::Sts, &error());
        let body = String::from_utf8(response.body().to_vec()).expect("text");
        assert!(body.contains("<Message>a &lt; b &amp; "), "{body}");
    }
}
