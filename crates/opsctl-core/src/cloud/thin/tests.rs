//! What callers of thin calls meet, from canned answers up, in each protocol.

use super::super::{
    Cloud, CloudError, ErrorKind,
    canned::{Canned, CannedAws},
};
use crate::domain::{MappingId, TargetGroupArn};

/// One call of each protocol: AWS JSON, REST JSON, query.
const PROTOCOLS: [Protocol; 3] = [Protocol::Json, Protocol::Rest, Protocol::Query];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Json,
    Rest,
    Query,
}

impl Protocol {
    async fn ask(self, cloud: &Cloud) -> Result<String, CloudError> {
        match self {
            Self::Json => cloud.parameters.get(&["/p".to_owned()]).await.map(|found| format!("{found:?}")),
            Self::Rest => cloud.lambda.mappings().await.map(|found| format!("{found:?}")),
            Self::Query => {
                let group = TargetGroupArn("arn:aws:elasticloadbalancing:r:1:targetgroup/a b".to_owned());
                cloud.load_balancers.health(&group).await.map(|found| format!("{found:?}"))
            }
        }
    }

    fn error(self, status: u16, code: &str, message: &str) -> Canned {
        match self {
            Self::Json => {
                let body = serde_json::json!({ "__type": format!("com.amazonaws.ssm#{code}"), "message": message });
                Canned::body(status, &body.to_string())
            }
            Self::Rest => {
                let header = ("x-amzn-errortype", format!("{code}:http://internal.amazon.com/coral/"));
                let body = serde_json::json!({ "Type": "User", "Message": message });
                Canned::Answer(status, vec![header], body.to_string())
            }
            Self::Query => Canned::sts_error(status, code, message),
        }
    }

    fn good(self) -> Canned {
        Canned::body(200, self.good_body())
    }

    fn good_body(self) -> &'static str {
        match self {
            Self::Json => r#"{"Parameters":[{"Name":"/p","Value":"v","Type":"String"}],"InvalidParameters":[]}"#,
            Self::Rest => r#"{"EventSourceMappings":[{"UUID":"1","State":"Enabled","LastModified":1.7952e9}]}"#,
            Self::Query => {
                "<DescribeTargetHealthResponse xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\">\
                 <DescribeTargetHealthResult><TargetHealthDescriptions><member><Target><Id>i&#45;1&amp;2</Id><Port>80</Port>\
                 </Target><TargetHealth><State>healthy</State></TargetHealth></member></TargetHealthDescriptions>\
                 </DescribeTargetHealthResult></DescribeTargetHealthResponse>"
            }
        }
    }
}

/// The error when every attempt is answered so, and how often it was asked.
async fn asked(protocol: Protocol, answer: Canned) -> (CloudError, usize) {
    let aws = CannedAws::new([answer]);
    let error = protocol.ask(&aws.cloud().await).await.expect_err("the answer is an error");
    (error, aws.asked().len())
}

#[tokio::test(start_paused = true)]
async fn errors_have_kinds_in_every_protocol_and_are_tried_again_where_that_helps() {
    let cases = [
        (400, "AccessDeniedException", ErrorKind::Denied, 1),
        (403, "AccessDenied", ErrorKind::Denied, 1),
        (400, "ThrottlingException", ErrorKind::Throttled, 3),
        (400, "Throttling", ErrorKind::Throttled, 3),
        (429, "TooManyRequestsException", ErrorKind::Throttled, 3),
        (400, "ResourceNotFoundException", ErrorKind::NotFound, 1),
        (400, "TargetGroupNotFound", ErrorKind::NotFound, 1),
        (400, "ExpiredTokenException", ErrorKind::CredentialsExpired, 1),
        (403, "InvalidClientTokenId", ErrorKind::CredentialsExpired, 1),
        (400, "ValidationException", ErrorKind::Invalid, 1),
        (500, "InternalServerError", ErrorKind::Unknown, 3),
        (503, "ServiceUnavailable", ErrorKind::Unknown, 3),
    ];
    for protocol in PROTOCOLS {
        for (status, code, kind, times) in cases {
            let (error, asked) = asked(protocol, protocol.error(status, code, "because")).await;
            let shown = (error.kind, error.code.as_deref(), error.message.as_str(), asked);
            assert_eq!(shown, (kind, Some(code), "because", times), "{protocol:?} {error}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_none_of_aws_have_kinds() {
    let proxy = "<html><body>Access to this site is blocked<br></body></html>";
    for protocol in PROTOCOLS {
        let good = protocol.good_body();
        for (answer, kind, times) in [
            (Canned::body(403, proxy), ErrorKind::Denied, 1),
            (Canned::body(407, proxy), ErrorKind::Denied, 1),
            (Canned::body(404, proxy), ErrorKind::Invalid, 1),
            (Canned::body(429, ""), ErrorKind::Throttled, 1),
            (Canned::body(502, proxy), ErrorKind::Unknown, 3),
            (Canned::body(200, proxy), ErrorKind::Unknown, 1),
            (Canned::body(200, "[]"), ErrorKind::Unknown, 1),
            (Canned::body(200, &good[..good.len() / 2]), ErrorKind::Unknown, 1),
            (Canned::body(200, &"[".repeat(100_000)), ErrorKind::Unknown, 1),
            (Canned::body(200, &"<a>".repeat(100_000)), ErrorKind::Unknown, 1),
            (Canned::body(400, &"<a>".repeat(100_000)), ErrorKind::Invalid, 1),
            (Canned::Refused, ErrorKind::Unreachable, 3),
            (Canned::Lost, ErrorKind::Unknown, 3),
        ] {
            let shown = format!("{answer:?}").chars().take(80).collect::<String>();
            let (error, asked) = asked(protocol, answer).await;
            assert_eq!((error.kind, asked), (kind, times), "{protocol:?}, {shown}: {error}");
        }
        // How many attempts fit into the deadline depends on the pauses between them, which are drawn by lot.
        let (error, asked) = asked(protocol, Canned::Silence).await;
        assert!(error.kind == ErrorKind::Unknown && (2..=3).contains(&asked), "{protocol:?}, {asked}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_end_is_ended() {
    let endless = Canned::body(200, &" ".repeat(33 * 1_048_576));
    let (error, _) = asked(Protocol::Json, endless).await;
    assert_eq!(error.kind, ErrorKind::Unknown, "{error}");
    assert!(error.message.as_str().contains("length limit"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_good_answer_is_read_after_two_bad_ones() {
    for protocol in PROTOCOLS {
        let busy = protocol.error(503, "ServiceUnavailable", "busy");
        let aws = CannedAws::new([busy, Canned::Lost, protocol.good()]);
        let found = protocol.ask(&aws.cloud().await).await.expect("the third answer is good");
        let expected = match protocol {
            Protocol::Json => r#"{"/p": "v"}"#,
            Protocol::Rest => "2026-11-20T18:40:00Z",
            Protocol::Query => "i-1&2:80",
        };
        assert!(found.contains(expected), "{found}");
        assert_eq!(aws.asked().len(), 3, "{protocol:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn hostile_words_of_a_server_are_made_safe() {
    for protocol in PROTOCOLS {
        let code = if protocol == Protocol::Rest { "Evil" } else { "Evil\u{202e}" };
        let (error, _) = asked(protocol, protocol.error(400, code, "\u{1b}]0;owned\u{7}\n\u{202e}x")).await;
        let shown = format!("{error} {:?}", error.code);
        assert!(!shown.contains(['\u{1b}', '\u{7}', '\u{202e}', '\n']), "{protocol:?} {shown:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_code_of_an_error_is_found_wherever_it_stands() {
    let header = |value: &str| vec![("x-amzn-errortype", value.to_owned())];
    for (headers, body, code, message) in [
        (header("Header"), r#"{"code":"Code","__type":"Type","message":"m"}"#, Some("Header"), "m"),
        (vec![], r#"{"code":"Code","__type":"Type","Message":"M"}"#, Some("Code"), "M"),
        (vec![], r#"{"__type":"a.b#Type:http://x/","errorMessage":"e"}"#, Some("Type"), "e"),
        (header("a#Header:http://x/y#z"), "", Some("Header"), "HTTP 400, no words"),
        (vec![], r#"{"code":7,"message":["m"]}"#, None, "HTTP 400 without an error code"),
        (vec![], r#"["code"]"#, None, "HTTP 400 without an error code"),
        (vec![], "", None, "HTTP 400 without an error code"),
    ] {
        let (error, _) = asked(Protocol::Json, Canned::Answer(400, headers, body.to_owned())).await;
        let shown = (error.code.as_deref(), error.message.as_str(), error.kind);
        assert_eq!(shown, (code, message, ErrorKind::Invalid), "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_goes_out_once_and_a_lost_answer_may_have_been_applied() {
    for (answer, kind) in [
        (Canned::Lost, ErrorKind::Unknown),
        (Canned::Silence, ErrorKind::Unknown),
        (Canned::body(503, "{}"), ErrorKind::Unknown),
        (Canned::body(200, "{"), ErrorKind::Unknown),
        (Canned::Refused, ErrorKind::Unreachable),
        (Protocol::Rest.error(429, "TooManyRequestsException", "slower"), ErrorKind::Throttled),
    ] {
        let aws = CannedAws::new([answer]);
        let cloud = aws.cloud().await;
        let error = cloud.lambda.set_enabled(&MappingId("1".to_owned()), false).await.expect_err("no answer is good");
        assert_eq!((error.kind, aws.asked().len()), (kind, 1), "{error}");
        let error = cloud.lambda.set_enabled(&MappingId(String::new()), false).await.expect_err("no id");
        assert_eq!((error.kind, aws.asked().len()), (ErrorKind::Invalid, 1), "{error}");
    }
}
