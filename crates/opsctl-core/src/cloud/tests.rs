//! What callers meet, from canned answers up: kinds, retries, deadlines.

use std::collections::BTreeMap;

use super::{
    CloudError, ErrorKind,
    canned::{Canned, CannedAws, environment},
    sqs::{CHECKSUM_MISMATCH, Entry, Receive},
};
use crate::domain::{CredentialSource, Login, Outgoing, QueueArn, QueueUrl, ReceiptHandle};

const DENIAL: &str = "User: arn:aws:sts::123456789012:assumed-role/ReadOnly/ann is not authorized to perform: \
    sqs:getqueueattributes on resource: arn:aws:sqs:eu-west-1:123456789012:orders-dlq because no identity-based policy \
    allows the sqs:getqueueattributes action";
const NOT_YET: &str = "Signature not yet current: 20261121T031500Z is still later than 20261121T030500Z";
const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS \
    Secret Access Key and signing method.";
const NO_QUEUE: &str = "The specified queue does not exist.";

fn url() -> QueueUrl {
    QueueUrl::from("https://sqs.eu-west-1.amazonaws.com/123456789012/orders-dlq")
}

fn outgoing(body: &str) -> Outgoing {
    let attributes = BTreeMap::new();
    Outgoing { body: body.into(), attributes, group: None, deduplication_id: None, trace_header: None }
}

fn receipts() -> Vec<ReceiptHandle> {
    vec![ReceiptHandle("r0".into()), ReceiptHandle("r1".into())]
}

/// `describe`'s error when every attempt is answered so.
async fn described(answer: Canned) -> CloudError {
    let aws = CannedAws::new([answer]);
    aws.cloud().await.sqs.describe(&url()).await.expect_err("the answer is an error")
}

#[tokio::test(start_paused = true)]
async fn answers_of_sqs_have_kinds() {
    let cases = [
        (400, "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", NO_QUEUE, ErrorKind::NotFound),
        (400, "AccessDeniedException", "AccessDenied", DENIAL, ErrorKind::Denied),
        (400, "RequestThrottled", "RequestThrottled", "Request is throttled.", ErrorKind::Throttled),
        (400, "ThrottlingException", "ThrottlingException", "Rate exceeded", ErrorKind::Throttled),
        (403, "OverLimit", "OverLimit", "Too many messages in flight", ErrorKind::Throttled),
        (400, "KmsThrottled", "KMS.ThrottlingException", "Rate exceeded", ErrorKind::Throttled),
        (400, "KmsAccessDenied", "KMS.AccessDeniedException", "no kms:Decrypt", ErrorKind::Denied),
        (403, "ExpiredTokenException", "ExpiredToken", "The security token is expired", ErrorKind::CredentialsExpired),
        (403, "InvalidClientTokenId", "InvalidClientTokenId", "is invalid", ErrorKind::CredentialsExpired),
        (403, "UnrecognizedClientException", "InvalidClientTokenId", "is invalid", ErrorKind::CredentialsExpired),
        (403, "InvalidSignatureException", "SignatureDoesNotMatch", NOT_YET, ErrorKind::ClockSkew),
        (403, "InvalidSignatureException", "SignatureDoesNotMatch", MISMATCH, ErrorKind::CredentialsExpired),
        (400, "InvalidParameterValue", "InvalidParameterValue", "Value for parameter", ErrorKind::Invalid),
        (500, "InternalFailure", "InternalFailure", "We encountered an internal error.", ErrorKind::Unknown),
        (503, "ServiceUnavailable", "ServiceUnavailable", "unavailable", ErrorKind::Unknown),
    ];
    for (status, kind, query_code, message, expected) in cases {
        let error = described(Canned::sqs_error(status, kind, query_code, message)).await;
        assert_eq!(error.kind, expected, "{error}");
        assert_eq!((error.action.as_str(), error.message.as_str()), ("sqs:GetQueueAttributes", message));
    }
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_none_of_aws_have_kinds() {
    let proxy = "<html><body>Access to this site is blocked</body></html>";
    for (answer, expected) in [
        (Canned::body(403, proxy), ErrorKind::Denied),
        (Canned::body(407, proxy), ErrorKind::Denied),
        (Canned::body(404, proxy), ErrorKind::Invalid),
        (Canned::body(429, ""), ErrorKind::Throttled),
        (Canned::body(502, proxy), ErrorKind::Unknown),
        (Canned::body(200, proxy), ErrorKind::Unknown),
        (Canned::body(200, "{}"), ErrorKind::Unknown),
        (Canned::Refused, ErrorKind::Unreachable),
        (Canned::Lost, ErrorKind::Unknown),
        (Canned::Silence, ErrorKind::Unknown),
    ] {
        let shown = format!("{answer:?}");
        let error = described(answer).await;
        assert_eq!(error.kind, expected, "{shown}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_denial_names_action_and_resource_in_its_hint() {
    let error = described(Canned::sqs_error(400, "AccessDeniedException", "AccessDenied", DENIAL)).await;
    assert_eq!(
        error.hint(&environment()).as_str(),
        "allow sqs:GetQueueAttributes on arn:aws:sqs:eu-west-1:123456789012:orders-dlq for the credentials of dev"
    );
}

#[tokio::test(start_paused = true)]
async fn an_expired_profile_is_told_how_to_log_in() {
    let mut environment = environment();
    environment.credentials = CredentialSource::Profile("storo-dev".into());
    let error = CloudError::new(ErrorKind::CredentialsExpired, "sqs:ListQueues", "expired");
    let doctor = "renew what profile storo-dev comes from; `opsctl doctor --env dev` says what that is";
    assert_eq!(error.hint(&environment).as_str(), doctor, "nothing is known of the profile");
    environment.login = Login::Sso { profile: "storo-dev".into() };
    assert_eq!(error.hint(&environment).as_str(), "run `aws sso login --profile storo-dev`");
}

#[tokio::test(start_paused = true)]
async fn hostile_words_of_a_server_are_made_safe() {
    let error =
        described(Canned::sqs_error(400, "AccessDenied", "AccessDenied", "\u{1b}]0;owned\u{7}\n\u{202e}x")).await;
    assert_eq!(error.message.as_str(), "␛]0;owned␇ \u{fffd}x");
    let hostile = Canned::body(400, r#"{"__type":"Evil\u001b[2J","message":"m"}"#);
    assert_eq!(described(hostile).await.code.as_deref(), Some("Evil␛[2J"));
}

#[tokio::test(start_paused = true)]
async fn a_read_is_tried_three_times() {
    let busy = Canned::sqs_error(503, "ServiceUnavailable", "ServiceUnavailable", "busy");
    let aws = CannedAws::new([busy, Canned::Lost, Canned::body(200, r#"{"Tags":{"team":"storo"}}"#)]);
    let tags = aws.cloud().await.sqs.tags(&url()).await.expect("the third answer is good");
    assert_eq!((tags["team"].as_str(), aws.asked().len()), ("storo", 3));
}

#[tokio::test(start_paused = true)]
async fn a_send_goes_out_once_whatever_happens() {
    let throttled = Canned::sqs_error(400, "RequestThrottled", "RequestThrottled", "slower");
    for (answer, expected) in [
        (Canned::Lost, ErrorKind::Unknown),
        (Canned::Silence, ErrorKind::Unknown),
        (Canned::body(500, "{}"), ErrorKind::Unknown),
        (Canned::Refused, ErrorKind::Unreachable),
        (throttled, ErrorKind::Throttled),
    ] {
        let aws = CannedAws::new([answer]);
        let cloud = aws.cloud().await;
        let error = cloud.sqs.send(&url(), &[outgoing("x")]).await.expect_err("no answer is good");
        assert_eq!((error.kind, aws.asked()), (expected, vec!["SendMessageBatch".to_owned()]), "{error}");
        let arn = QueueArn::from("arn:aws:sqs:eu-west-1:123456789012:orders-dlq");
        let error = cloud.sqs.start_move_task(&arn, None, None).await.expect_err("no answer is good");
        assert_eq!((error.kind, aws.asked().len()), (expected, 2), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_delete_is_repeated_and_remembers_a_lost_answer() {
    let done = Canned::body(200, r#"{"Successful":[{"Id":"1"},{"Id":"0"}],"Failed":[]}"#);
    let aws = CannedAws::new([Canned::Lost, done]);
    let entries = aws.cloud().await.sqs.delete(&url(), &receipts()).await;
    assert_eq!(entries, Ok(vec![Entry::Done(()), Entry::Done(())]));

    // Lost, then refused: the last error alone would say "not applied".
    let aws = CannedAws::new([Canned::Lost, Canned::Refused]);
    let error = aws.cloud().await.sqs.delete(&url(), &receipts()).await.expect_err("never answered");
    assert_eq!((error.kind, aws.asked().len()), (ErrorKind::Unknown, 3));

    let aws = CannedAws::new([Canned::Refused]);
    let error = aws.cloud().await.sqs.delete(&url(), &receipts()).await.expect_err("never answered");
    assert_eq!(error.kind, ErrorKind::Unreachable);
}

#[tokio::test(start_paused = true)]
async fn a_receive_waits_for_its_long_poll_and_five_seconds() {
    let aws = CannedAws::new([Canned::Silence]);
    let cloud = aws.cloud().await;
    let started = cloud.clock().now();
    let how = Receive { messages_max: 10, wait_seconds: 20, visibility_seconds: 30 };
    let error = cloud.sqs.receive(&url(), how).await.expect_err("silence");
    assert_eq!((error.kind, aws.asked().len()), (ErrorKind::Unknown, 1));
    assert_eq!(cloud.clock().now().duration_since(started).as_secs(), 25, "{error}");
    let error = cloud.sqs.receive(&url(), Receive { messages_max: 11, ..how }).await.expect_err("too many");
    assert_eq!((error.kind, aws.asked().len()), (ErrorKind::Invalid, 1), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_message_is_read_whole_and_checked() {
    let answer = |md5: &str| {
        let message = serde_json::json!({ "Messages": [{
            "MessageId": "m1", "ReceiptHandle": "r1", "Body": "hello", "MD5OfBody": md5,
            "Attributes": { "SentTimestamp": "1795230000000", "ApproximateReceiveCount": "4", "MessageGroupId": "g",
                "SequenceNumber": "18849496460467696128", "AWSTraceHeader": "Root=1-5759e988-bd862e3fe1be46a994272793" },
            "MessageAttributes": { "blob": { "DataType": "Binary.gzip", "BinaryValue": "AP8H" },
                "n": { "DataType": "Number.int", "StringValue": "42" } } }] });
        Canned::body(200, &message.to_string())
    };
    let how = Receive { messages_max: 1, wait_seconds: 0, visibility_seconds: 30 };
    let aws = CannedAws::new([answer("5d41402abc4b2a76b9719d911017c592"), answer("00000000000000000000000000000000")]);
    let cloud = aws.cloud().await;
    let message = cloud.sqs.receive(&url(), how).await.expect("a good answer").remove(0);
    assert_eq!(message.attributes["blob"].payload.bytes(), [0, 255, 7]);
    assert_eq!(message.attributes["n"].data_type, "Number.int");
    assert_eq!((message.system.receive_count, message.system.group.as_deref()), (4, Some("g")));
    assert_eq!(message.system.sequence, Some(18_849_496_460_467_696_128));
    let error = cloud.sqs.receive(&url(), how).await.expect_err("another body than its MD5");
    assert_eq!(error.code.as_deref(), Some(CHECKSUM_MISMATCH));
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_never_ends_is_ended() {
    let aws = CannedAws::new([Canned::body(200, r#"{"QueueUrls":["https://h/1/q"],"NextToken":"again"}"#)]);
    let error = aws.cloud().await.sqs.list(None).await.expect_err("the page names itself");
    assert_eq!((error.kind, aws.asked().len()), (ErrorKind::Unknown, 2), "{error}");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_for_nothing_and_eleven_are_refused() {
    let aws = CannedAws::new([Canned::Silence]);
    let cloud = aws.cloud().await;
    assert_eq!(cloud.sqs.send(&url(), &[]).await, Ok(Vec::new()));
    assert_eq!(cloud.sqs.delete(&url(), &[]).await, Ok(Vec::new()));
    let eleven = vec![outgoing("x"); 11];
    assert_eq!(cloud.sqs.send(&url(), &eleven).await.expect_err("too many").kind, ErrorKind::Invalid);
    assert_eq!(aws.asked(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn sts_tells_who_we_are_and_what_time_it_is() {
    let body = r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/ann</Arn><UserId>AIDAEXAMPLE</UserId><Account>123456789012</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetCallerIdentityResponse>"#;
    let date = ("date", "Sat, 21 Nov 2026 03:10:00 GMT".to_owned());
    let aws = CannedAws::new([Canned::Answer(200, vec![date], body.to_owned())]);
    let cloud = aws.cloud().await;
    assert_eq!(cloud.identity.clock_skew(), None);
    let caller = cloud.identity.caller().await.expect("a good answer");
    assert_eq!(
        (caller.account.0.as_str(), caller.arn.as_str()),
        ("123456789012", "arn:aws:iam::123456789012:user/ann")
    );
    assert_eq!(cloud.identity.clock_skew().map(|skew| skew.as_secs()), Some(600));

    let aws = CannedAws::new([Canned::sts_error(403, "ExpiredToken", "The security token is expired")]);
    let error = aws.cloud().await.identity.caller().await.expect_err("expired");
    assert_eq!(error.kind, ErrorKind::CredentialsExpired, "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_role_that_may_not_be_assumed_is_named_as_such() {
    let mut with_role = environment();
    with_role.role_chain = vec!["arn:aws:iam::123456789012:role/Operator".into()];
    let denial = "User: arn:aws:iam::1:user/ann is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::2:role/Operator";
    for (answer, kind, action) in [
        (Canned::sts_error(403, "AccessDenied", denial), ErrorKind::Denied, "sts:AssumeRole"),
        (Canned::sts_error(403, "ExpiredToken", "expired"), ErrorKind::CredentialsExpired, "sts:AssumeRole"),
        (Canned::Refused, ErrorKind::Unreachable, "sqs:SendMessage"),
        (Canned::Lost, ErrorKind::Unreachable, "sqs:SendMessage"),
        (Canned::Silence, ErrorKind::Unreachable, "sqs:SendMessage"),
    ] {
        let shown = format!("{answer:?}");
        let aws = CannedAws::new([answer]);
        let cloud = aws.cloud_of(with_role.clone()).await;
        let error = cloud.sqs.send(&url(), &[outgoing("x")]).await.expect_err("no credentials");
        assert_eq!((error.kind, error.action.as_str()), (kind, action), "{shown}: {error}");
        assert!(aws.asked().iter().all(|asked| asked.starts_with("Action=AssumeRole")), "nothing was sent");
    }
}

#[tokio::test(start_paused = true)]
async fn no_secret_shows_in_debug() {
    let aws = CannedAws::new([Canned::sts_error(403, "AccessDenied", "no")]);
    let mut environment = environment();
    let shown = format!("{environment:?} {:?}", aws.cloud().await);
    assert!(shown.contains("AKIDEXAMPLE") && !shown.contains("hush-hush"), "{shown}");
    environment.role_chain = vec!["arn:aws:iam::123456789012:role/Operator".into()];
    let error = aws.cloud_of(environment).await.sqs.list(None).await.expect_err("denied");
    assert!(!format!("{error:?} {error}").contains("hush-hush"));
}

#[tokio::test(start_paused = true)]
async fn calls_can_be_spawned() {
    fn is_send<T: Send>(_: T) {}
    let cloud = CannedAws::new([Canned::Refused]).cloud().await;
    let (sqs, url, arn) = (&cloud.sqs, url(), QueueArn::from("arn:aws:sqs:eu-west-1:123456789012:q"));
    let how = Receive { messages_max: 1, wait_seconds: 0, visibility_seconds: 1 };
    is_send((sqs.list(None), sqs.url("q"), sqs.describe(&url), sqs.tags(&url), sqs.sources_of(&url)));
    is_send((sqs.receive(&url, how), sqs.send(&url, &[]), sqs.delete(&url, &[]), sqs.change_visibility(&url, &[], 0)));
    is_send((sqs.start_move_task(&arn, None, None), sqs.move_tasks(&arn), sqs.cancel_move_task("h")));
    is_send((cloud.identity.caller(), cloud.parameters.get(&[])));
}

/// What an endpoint without a service answers, as emulators do: it is told in one line, and never as a request to be corrected.
#[tokio::test(start_paused = true)]
async fn an_endpoint_that_lacks_a_service_is_told_so() {
    let page = "<html><body>Not Found</body></html>";
    let code = |status, code: &str| Canned::body(status, &format!(r#"{{"__type":"{code}","message":"m"}}"#));
    for (answer, alarms, queues) in [
        (code(400, "UnknownOperationException"), "no CloudWatch", "SQS does not know ListQueueTags"),
        (
            code(400, "com.amazon.coral.service#UnknownOperationException"),
            "no CloudWatch",
            "SQS does not know ListQueueTags",
        ),
        (code(400, "InvalidAction"), "no CloudWatch", "SQS does not know ListQueueTags"),
        (code(501, "InternalFailure"), "no CloudWatch", "no SQS"),
        (code(501, "NotImplemented"), "no CloudWatch", "no SQS"),
        (Canned::body(404, page), "no CloudWatch", "no SQS"),
        (Canned::body(404, ""), "no CloudWatch", "no SQS"),
        (Canned::body(405, page), "no CloudWatch", "no SQS"),
        (Canned::body(501, page), "no CloudWatch", "no SQS"),
    ] {
        let shown = format!("{answer:?}");
        let cloud = CannedAws::new([answer]).cloud().await;
        let error = cloud.alarms.all().await.expect_err("it has none");
        assert_eq!(error.to_string(), format!("this endpoint has {alarms} (cloudwatch:DescribeAlarms)"), "{shown}");
        assert!(
            !error.may_have_been_applied() && !error.hint(&environment()).as_str().contains("correct the request"),
            "{shown}"
        );
        let error = cloud.sqs.tags(&url()).await.expect_err("it has none");
        assert!(error.to_string().contains(queues), "{shown}: {error}");
        for error in [
            cloud.ecs.clusters().await.expect_err("none"),
            cloud.rds.databases().await.expect_err("none"),
            cloud.lambda.mappings().await.expect_err("none"),
        ] {
            assert!(error.to_string().starts_with("this endpoint has no "), "{shown}: {error}");
        }
    }
    // What AWS says of things that are not there stays what it is.
    let missing = code(404, "ResourceNotFoundException");
    let error = CannedAws::new([missing]).cloud().await.alarms.all().await.expect_err("not there");
    assert_eq!((error.kind, error.trouble), (ErrorKind::NotFound, None));
}
