//! Every operation of every service, over each way it is spoken to: what may go wrong with a call goes wrong with each, in its
//! protocol's own shape.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, header::AUTHORIZATION, request::Parts};
use serde_json::Value;

use super::{Reply, call::Encoding, cbor};
use crate::{
    Options, Sandbox,
    clock::Clock,
    world::{
        Denial, Fault, FaultKind, World,
        service::{Protocol, SERVICES, ServiceDef},
    },
};

const ACCOUNT: &str = "111111111111";

/// An operation, and how it is spoken to.
#[derive(Debug, Clone, Copy)]
struct Spoken {
    service: &'static ServiceDef,
    action: &'static str,
    encoding: Encoding,
}

fn spoken() -> Vec<Spoken> {
    let of_service = |service: &'static ServiceDef| {
        let encodings: &[Encoding] = match service.protocol {
            Protocol::Json { .. } if service.form.is_some() => &[Encoding::Own, Encoding::Cbor, Encoding::Form],
            Protocol::Json { .. } => &[Encoding::Own, Encoding::Cbor],
            Protocol::Query { .. } | Protocol::Rest { .. } => &[Encoding::Own],
        };
        service
            .actions()
            .flat_map(move |action| encodings.iter().map(move |&encoding| Spoken { service, action, encoding }))
    };
    SERVICES.iter().copied().flat_map(of_service).collect()
}

impl Spoken {
    /// A request without fields: what would refuse it comes after what goes wrong with every call.
    fn request(self) -> (Parts, Bytes) {
        let Self { service, action, encoding } = self;
        let scope = format!("Credential={ACCOUNT}/20261121/af-south-1/{}/aws4_request", service.signing);
        let request = http::Request::builder().header(AUTHORIZATION, format!("AWS4-HMAC-SHA256 {scope}, Signature=0"));
        let (request, body) = match service.protocol {
            Protocol::Json { target, .. } => match encoding {
                Encoding::Own => {
                    (request.method("POST").uri("/").header("x-amz-target", format!("{target}.{action}")), "{}".into())
                }
                Encoding::Cbor => {
                    let path = format!("/service/{target}/operation/{action}");
                    (request.method("POST").uri(path).header("smithy-protocol", "rpc-v2-cbor"), "".into())
                }
                Encoding::Form => form(request, action, service.form.expect("forms").versions[0]),
            },
            Protocol::Query { version, .. } => form(request, action, version),
            Protocol::Rest { routes } => {
                let route = routes.iter().find(|route| route.action == action).expect("a path");
                (request.method(route.method).uri(route.path.replace(['{', '}'], "")), "".into())
            }
        };
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        (parts, body)
    }

    /// Whether its errors are XML.
    fn is_xml(self) -> bool {
        self.encoding == Encoding::Form || matches!(self.service.protocol, Protocol::Query { .. })
    }

    /// Code and message of an error, read where the protocol has them; none: a success.
    fn error(self, response: &Response<Bytes>) -> Option<(String, String)> {
        if response.status().is_success() {
            return None;
        }
        let document = || match self.encoding {
            Encoding::Own | Encoding::Form => serde_json::from_slice::<Value>(response.body()).expect("JSON"),
            Encoding::Cbor => cbor::decode(response.body()).expect("CBOR"),
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if self.is_xml() {
            let body = String::from_utf8(response.body().to_vec()).expect("text");
            let start = body.trim_start_matches("<?xml version=\"1.0\"?>");
            assert!(start.starts_with("<ErrorResponse xmlns=") && body.contains("<Type>Sender</Type>"), "{body}");
            let inside = |name: &str| {
                let (_, rest) = body.split_once(&format!("<{name}>")).expect("an element");
                rest.split('<').next().unwrap_or_default().to_owned()
            };
            return Some((inside("Code"), inside("Message")));
        }
        let (code, message) = match self.service.protocol {
            Protocol::Json { shapes, .. } => {
                let document = document();
                let code = text(&document["__type"]);
                if shapes.is_some() {
                    let query = response.headers()["x-amzn-query-error"].to_str().expect("text");
                    assert!(query.ends_with(";Sender") && code.contains('#'), "{query} {code}");
                }
                (code.rsplit('#').next().unwrap_or_default().to_owned(), text(&document["message"]))
            }
            Protocol::Query { .. } => unreachable!("XML is read above"),
            Protocol::Rest { .. } => {
                let code = response.headers()["x-amzn-errortype"].to_str().expect("text").to_owned();
                let document = document();
                let message = if document["message"].is_string() { &document["message"] } else { &document["Message"] };
                (code, text(message))
            }
        };
        Some((code, message))
    }

    /// Status and code of a denial (botocore's models and recorded answers).
    fn denied(self) -> (u16, &'static str) {
        match self.service.protocol {
            _ if self.is_xml() => (403, "AccessDenied"),
            Protocol::Json { shapes: None, .. } => (400, "AccessDeniedException"),
            Protocol::Json { shapes: Some(_), .. } | Protocol::Rest { .. } => (403, "AccessDeniedException"),
            Protocol::Query { .. } => (403, "AccessDenied"),
        }
    }

    fn throttled(self) -> (u16, &'static str) {
        match self.service.prefix {
            "sqs" => (400, "RequestThrottled"),
            "lambda" => (429, "TooManyRequestsException"),
            "rds" | "sts" | "elasticloadbalancing" | "cloudwatch" => (400, "Throttling"),
            "sns" => (429, "Throttled"),
            _ => (400, "ThrottlingException"),
        }
    }
}

fn form(request: http::request::Builder, action: &str, version: &str) -> (http::request::Builder, Bytes) {
    let form = request.method("POST").uri("/").header("content-type", "application/x-www-form-urlencoded");
    (form, format!("Action={action}&Version={version}").into())
}

fn sandbox() -> Sandbox {
    let clock = Clock::virtual_from("2026-11-21T03:00:00Z".parse().expect("a time"), 1.0);
    Sandbox::new(World::new(7, clock.now()), clock, Options::default())
}

fn denial(action: &str) -> Denial {
    Denial { account: "*".to_owned(), queue: "*".to_owned(), action: action.to_owned() }
}

fn fault(call: &str, kind: FaultKind) -> Fault {
    Fault { call: call.to_owned(), queue: None, nth: 1, times: 1, kind }
}

async fn ask(sandbox: &Sandbox, spoken: Spoken) -> Reply {
    let (parts, body) = spoken.request();
    sandbox.reply(&parts, "http://127.0.0.1:4100".to_owned(), body).await
}

/// Status and code; none: a success.
async fn error(sandbox: &Sandbox, spoken: Spoken) -> Option<(u16, String, String)> {
    match ask(sandbox, spoken).await {
        Reply::Http(response) => {
            let (code, message) = spoken.error(&response)?;
            Some((response.status().as_u16(), code, message))
        }
        other => panic!("{spoken:?}: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn every_call_can_be_denied() {
    for spoken in spoken() {
        let Spoken { service, action, .. } = spoken;
        let prefix = service.prefix;
        for pattern in [format!("{prefix}:{action}"), action.to_owned(), format!("{prefix}:*"), "*".to_owned()] {
            let sandbox = sandbox();
            sandbox.with(|world, _| world.denials.push(denial(&pattern)));
            let (status, code, message) = error(&sandbox, spoken).await.expect("denied");
            assert_eq!((status, code.as_str()), spoken.denied(), "{spoken:?} by {pattern}");
            let words = format!("is not authorized to perform: {prefix}:{action}");
            assert!(message.to_lowercase().contains(&words.to_lowercase()), "{message}");
        }
        let other = SERVICES.iter().find(|other| other.prefix != prefix).expect("another");
        let sandbox = sandbox();
        sandbox.with(|world, _| world.denials.push(denial(&format!("{}:*", other.prefix))));
        let code = error(&sandbox, spoken).await.map(|(_, code, _)| code).unwrap_or_default();
        assert!(!code.starts_with("AccessDenied"), "{spoken:?} by a denial of {}", other.prefix);
    }
}

#[tokio::test(start_paused = true)]
async fn every_call_is_refused_once_a_login_is_over_but_the_login() {
    for spoken in spoken() {
        let sandbox = sandbox();
        sandbox.with(|world, now| world.sts.expire(now, ACCOUNT));
        let code = error(&sandbox, spoken).await.map(|(_, code, _)| code).unwrap_or_default();
        let is_login = spoken.action == "GetSessionToken";
        assert_eq!(code.starts_with("ExpiredToken"), !is_login, "{spoken:?}: {code}");
        sandbox.with(|world, _| world.sts.renew(ACCOUNT));
        let code = error(&sandbox, spoken).await.map(|(_, code, _)| code).unwrap_or_default();
        assert!(!code.starts_with("ExpiredToken"), "{spoken:?}: {code}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_call_can_be_throttled_slow_refused_or_lost() {
    for spoken in spoken() {
        let Spoken { service, action, .. } = spoken;
        let name = format!("{}:{action}", service.prefix);
        let sandbox = sandbox();
        let inject = |kind| sandbox.with(|world, _| world.faults.add(fault(&name, kind)));
        let without = error(&sandbox, spoken).await;
        inject(FaultKind::Throttled);
        let (status, code, _) = error(&sandbox, spoken).await.expect("throttled");
        assert_eq!((status, code.as_str()), spoken.throttled(), "{spoken:?}");
        for (kind, expected) in [
            (FaultKind::Refused, "Refused"),
            (FaultKind::LostBefore, "Lost"),
            (FaultKind::LostAfter, "Lost"),
            (FaultKind::Hang, "Never"),
        ] {
            inject(kind);
            assert_eq!(format!("{:?}", ask(&sandbox, spoken).await), expected, "{spoken:?} {kind:?}");
        }
        inject(FaultKind::Slow(Duration::from_secs(3)));
        let before = sandbox.clock().now();
        assert_eq!(error(&sandbox, spoken).await, without, "{spoken:?}");
        assert_eq!(sandbox.clock().now().duration_since(before).as_secs(), 3, "{spoken:?}");
        assert_eq!(sandbox.with(|world, _| world.calls_made().count(service.prefix, action)), 7, "{spoken:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_no_service_knows_is_unknown_to_each() {
    for service in SERVICES.iter().copied().filter(|service| !matches!(service.protocol, Protocol::Rest { .. })) {
        let (_, code, _) =
            error(&sandbox(), Spoken { service, action: "Explode", encoding: Encoding::Own }).await.expect("an error");
        assert!(["UnknownOperationException", "InvalidAction"].contains(&code.as_str()), "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_signature_is_good_for_one_service() {
    for spoken in spoken() {
        let (mut parts, body) = spoken.request();
        let header = parts.headers[AUTHORIZATION].to_str().expect("text").to_owned();
        let header = header.replace(&format!("/{}/aws4", spoken.service.signing), "/s3/aws4");
        parts.headers.insert(AUTHORIZATION, header.parse().expect("a header"));
        let Reply::Http(response) = sandbox().reply(&parts, "http://127.0.0.1:1".to_owned(), body).await else {
            panic!("{spoken:?} is answered");
        };
        let (code, message) = spoken.error(&response).expect("an error");
        assert!(["InvalidSignatureException", "SignatureDoesNotMatch"].contains(&code.as_str()), "{code}");
        assert!(message.contains("scoped to correct service"), "{message}");
    }
}

#[test]
fn names_on_the_wire_tell_services_apart() {
    let mut names: Vec<String> = SERVICES
        .iter()
        .map(|service| match service.protocol {
            Protocol::Json { target, .. } => target.to_owned(),
            Protocol::Query { version, .. } => version.to_owned(),
            Protocol::Rest { routes } => {
                let mut actions: Vec<_> = service.actions().collect();
                let mut routed: Vec<_> = routes.iter().map(|route| route.action).collect();
                actions.sort_unstable();
                routed.sort_unstable();
                assert_eq!(actions, routed, "every operation has a path, and every path an operation");
                routes[0].path.to_owned()
            }
        })
        .collect();
    // Secrets Manager has one name for both.
    let own =
        |service: &&&ServiceDef| !matches!(service.protocol, Protocol::Json { target, .. } if target == service.prefix);
    names.extend(SERVICES.iter().filter(own).map(|service| service.prefix.to_owned()));
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "{names:?}");
}
