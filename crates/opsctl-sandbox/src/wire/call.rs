//! A request, read as a call to a service: protocol, service, action, fields.

use std::{borrow::Cow, collections::BTreeMap, io::Read};

use bytes::Bytes;
use flate2::read::GzDecoder;
use http::{HeaderMap, Method, header, request::Parts};
use serde::Deserialize;

use super::{handler::BODY_BYTES_MAX, rest};
use crate::domain::endpoint::{Endpoint, Question};

/// A request as the handler understands it.
#[derive(Debug)]
pub(crate) enum Request {
    /// A call to a service.
    Call(Call),
    /// `GET /_sandbox`: what this sandbox is, for programs that join it.
    Status,
    /// `POST /moto-api/reset`: empty the world.
    Reset,
    /// `GET /_sandbox/endpoint?host=..&port=..&ask=connect`: what a database's endpoint would answer, for programs that join it.
    Endpoint {
        /// Where.
        endpoint: Endpoint,
        /// What.
        question: Question,
    },
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
    /// The body, without compression.
    pub(crate) body: Bytes,
    /// awsQuery's fields, or those of path and query; empty for awsJson.
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
    /// CloudWatch.
    CloudWatch(Encoding),
    /// ECS over awsJson1_1.
    Ecs,
    /// CloudWatch Logs over awsJson1_1.
    Logs,
    /// Application Auto Scaling over awsJson1_1.
    Autoscaling,
    /// RDS over awsQuery.
    Rds,
    /// Elastic Load Balancing v2 over awsQuery.
    LoadBalancers,
    /// Lambda over restJson1.
    Lambda,
    /// Another service over awsJson.
    OtherJson,
    /// Another service over awsQuery.
    OtherQuery,
}

/// How CloudWatch's documents are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// awsJson1_0, as boto3 has it.
    Json,
    /// rpcv2Cbor, as the Rust SDK has it.
    Cbor,
}

impl Service {
    /// The service as IAM actions name it; empty for services that the sandbox does not know.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Sqs => "sqs",
            Self::Ssm => "ssm",
            Self::Sts => "sts",
            Self::CloudWatch(_) => "cloudwatch",
            Self::Ecs => "ecs",
            Self::Logs => "logs",
            Self::Autoscaling => "application-autoscaling",
            Self::Rds => "rds",
            Self::LoadBalancers => "elasticloadbalancing",
            Self::Lambda => "lambda",
            Self::OtherJson | Self::OtherQuery => "",
        }
    }
}

/// STS's `Version` field.
const STS_VERSION: &str = "2011-06-15";
/// RDS's `Version` field.
const RDS_VERSION: &str = "2014-10-31";
/// Elastic Load Balancing v2's `Version` field.
const LOAD_BALANCERS_VERSION: &str = "2015-12-01";
/// Path of the sandbox's own status.
pub(crate) const STATUS_PATH: &str = "/_sandbox";
/// Path of what endpoints would answer.
pub(crate) const ENDPOINT_PATH: &str = "/_sandbox/endpoint";
/// What is asked there.
pub(crate) const QUESTIONS: [(&str, Question); 2] = [("connect", Question::Connect), ("role", Question::Role)];
const RESET_PATH: &str = "/moto-api/reset";
/// CloudWatch's name on the wire, in targets and paths.
const CLOUDWATCH: &str = "GraniteServiceVersion20100801";

impl Request {
    /// Reads a request by its headers.
    pub(crate) fn read(parts: &Parts, body: Bytes) -> Self {
        let Some(body) = inflated(&parts.headers, body) else { return Self::Unknown };
        if let Some(target) = parts.headers.get("x-amz-target") {
            return Self::Call(Call::json(target.to_str().unwrap_or_default(), body));
        }
        match (&parts.method, parts.uri.path()) {
            (&Method::GET, STATUS_PATH) => Self::Status,
            (&Method::GET, ENDPOINT_PATH) => endpoint(parts.uri.query().unwrap_or_default()).unwrap_or(Self::Unknown),
            (&Method::POST, RESET_PATH) => Self::Reset,
            (&Method::POST, path) if parts.headers.contains_key("smithy-protocol") => {
                Call::rpc(path, body).map_or(Self::Unknown, Self::Call)
            }
            (method, path) if path.starts_with(rest::LAMBDA) => {
                rest::lambda(method, path, parts.uri.query(), body).map_or(Self::Unknown, Self::Call)
            }
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
    /// Name of the queue that an SQS call is about, of the database that an RDS call is about, of the mapping that a Lambda
    /// call is about: faults go by it.
    pub(crate) fn queue(&self) -> Option<String> {
        if self.service == Service::Rds {
            let named = ["DBClusterIdentifier", "DBInstanceIdentifier"].iter().find_map(|name| self.form.get(*name));
            return named.cloned();
        }
        if self.service == Service::Lambda {
            return self.form.get("UUID").cloned();
        }
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
            "AmazonEC2ContainerServiceV20141113" => Service::Ecs,
            "Logs_20140328" => Service::Logs,
            "AnyScaleFrontendService" => Service::Autoscaling,
            CLOUDWATCH => Service::CloudWatch(Encoding::Json),
            _ => Service::OtherJson,
        };
        Self { service, action: action.to_owned(), body, form: BTreeMap::new() }
    }

    /// rpcv2Cbor: `/service/Name/operation/Operation`.
    fn rpc(path: &str, body: Bytes) -> Option<Self> {
        let (service, action) = path.strip_prefix("/service/")?.split_once("/operation/")?;
        let service = (service == CLOUDWATCH).then_some(Service::CloudWatch(Encoding::Cbor))?;
        Some(Self { service, action: action.to_owned(), body, form: BTreeMap::new() })
    }

    fn query(body: Bytes) -> Option<Self> {
        let form: BTreeMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
        let action = form.get("Action")?.clone();
        let service = match form.get("Version").map(String::as_str) {
            Some(STS_VERSION) => Service::Sts,
            Some(RDS_VERSION) => Service::Rds,
            Some(LOAD_BALANCERS_VERSION) => Service::LoadBalancers,
            Some(_) | None => Service::OtherQuery,
        };
        Some(Self { service, action, body, form })
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

fn endpoint(query: &str) -> Option<Request> {
    let fields: BTreeMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let endpoint = Endpoint { host: fields.get("host")?.clone(), port: fields.get("port")?.parse().ok()? };
    let asked = fields.get("ask")?;
    let question = QUESTIONS.iter().find(|(name, _)| name == asked)?.1;
    Some(Request::Endpoint { endpoint, question })
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
    fn a_path_names_service_and_action_of_cbor() {
        let path = "/service/GraniteServiceVersion20100801/operation/GetMetricData";
        let request = http::Request::builder().method("POST").uri(path).header("smithy-protocol", "rpc-v2-cbor");
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        let Request::Call(call) = Request::read(&parts, Bytes::new()) else { panic!("a call") };
        assert_eq!((call.service, call.action.as_str()), (Service::CloudWatch(Encoding::Cbor), "GetMetricData"));
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
        assert_eq!(call.body, "{\"Namespace\":\"x\"}");
        assert!(matches!(Request::read(&parts, Bytes::from_static(b"broken")), Request::Unknown));
    }

    #[test]
    fn anything_else_is_unknown() {
        assert!(matches!(read(&[], "x"), Request::Unknown));
    }
}
