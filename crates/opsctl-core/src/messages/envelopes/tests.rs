//! Messages as AWS and the frameworks write them, and what is seen of each.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::*;
use crate::{
    domain::Sign,
    messages::{
        Filter,
        testing::{Builder, message},
    },
};

/// What is expected of a message that was looked into.
struct Expected {
    layers: &'static [&'static str],
    kind: Option<&'static str>,
    error: Option<&'static str>,
    code: Option<&'static str>,
}

fn expect(layers: &'static [&'static str], kind: &'static str) -> Expected {
    Expected { layers, kind: (!kind.is_empty()).then_some(kind), error: None, code: None }
}

impl Expected {
    fn failed(self, error: &'static str, code: &'static str) -> Self {
        let some = |text: &'static str| (!text.is_empty()).then_some(text);
        Self { error: some(error), code: some(code), ..self }
    }
}

#[track_caller]
fn check(of: Builder, expected: Expected) {
    let message = of.build();
    let opened = Opened::of(&message, &[]);
    let seen = (
        opened.layers.iter().map(String::as_str).collect::<Vec<_>>(),
        opened.kind.as_deref(),
        opened.error.as_deref(),
        opened.code.as_ref().map(|(_, code)| code.as_str()),
    );
    assert_eq!(seen, (expected.layers.to_vec(), expected.kind, expected.error, expected.code), "{}", message.body);
    // A filter sees the same.
    for (field, value) in [(".type", seen.1), (".error", seen.2), (".code", seen.3)] {
        let filter = Filter::compile(&format!("{field} == {}", json!(value))).expect("compiles");
        assert_eq!(filter.matches(&message, jiff::Timestamp::UNIX_EPOCH), Ok(true), "{field} {}", message.body);
    }
}

fn body(value: &Value) -> Builder {
    message(&value.to_string())
}

fn base64(text: &str) -> String {
    STANDARD.encode(text)
}

fn gzip(text: &str) -> String {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).expect("packed");
    STANDARD.encode(encoder.finish().expect("packed"))
}

fn sns(inner: &str) -> Value {
    json!({"Type": "Notification", "MessageId": "1", "TopicArn": "arn:aws:sns:eu-central-1:111122223333:orders",
        "Message": inner, "Timestamp": "2026-11-21T02:00:00.000Z"})
}

fn event(detail_type: &str, detail: &Value) -> Value {
    json!({"version": "0", "id": "1", "detail-type": detail_type, "source": "shop", "account": "111122223333",
        "time": "2026-11-21T02:00:00Z", "region": "eu-central-1", "resources": [], "detail": detail})
}

#[test]
fn what_aws_sends_is_looked_into() {
    let order = json!({"eventType": "order.created", "orderId": 7});
    check(body(&order), expect(&[], "order.created"));
    check(body(&sns(&order.to_string())), expect(&["SNS"], "order.created"));
    let subject = json!({"Type": "Notification", "TopicArn": "arn:aws:sns:x:1:t", "Subject": "OrderPlaced", "Message": "{\"id\":1}"});
    check(body(&subject), expect(&["SNS"], "OrderPlaced"));
    check(body(&event("Order Placed", &json!({"id": 1}))), expect(&["EventBridge"], "Order Placed"));
    check(body(&sns(&event("Order Placed", &order).to_string())), expect(&["SNS", "EventBridge"], "Order Placed"));
    check(
        body(&event("Order Placed", &json!({"id": 1})))
            .attribute("ERROR_CODE", "NO_PERMISSIONS")
            .attribute("ERROR_MESSAGE", "User is not authorized to perform sqs:SendMessage")
            .attribute("RULE_ARN", "arn:aws:events:eu-central-1:111122223333:rule/r"),
        expect(&["EventBridge"], "Order Placed")
            .failed("User is not authorized to perform sqs:SendMessage", "NO_PERMISSIONS"),
    );
    check(
        body(&event(
            "Step Functions Execution Status Change",
            &json!({"status": "FAILED", "error": "States.TaskFailed",
            "cause": "{\"errorMessage\":\"no such card\",\"errorType\":\"CardError\"}"}),
        )),
        expect(&["EventBridge"], "Step Functions Execution Status Change FAILED")
            .failed("no such card", "States.TaskFailed"),
    );
    let s3 = json!({"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": "b"}, "object": {"key": "k"}}}]});
    check(body(&s3), expect(&["S3"], "ObjectCreated:Put"));
    check(body(&sns(&s3.to_string())), expect(&["SNS", "S3"], "ObjectCreated:Put"));
    check(
        body(&json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"})),
        expect(&["S3"], "s3:TestEvent"),
    );
    check(
        body(&json!({"AlarmName": "a", "NewStateValue": "ALARM", "NewStateReason": "Threshold Crossed"})),
        expect(&["CloudWatch alarm"], "ALARM"),
    );
    check(
        body(&json!({"notificationType": "Bounce", "bounce": {"bounceType": "Permanent"}, "mail": {"messageId": "m"}})),
        expect(&["SES"], "Bounce"),
    );
    check(
        body(
            &json!({"data": {"id": 1}, "metadata": {"record-type": "data", "operation": "update", "table-name": "orders"}}),
        ),
        expect(&["DMS"], "update orders"),
    );
    check(
        body(&json!({"eventID": "1", "eventName": "INSERT", "eventSource": "aws:dynamodb", "dynamodb": {"Keys": {}}})),
        expect(&["DynamoDB stream"], "INSERT"),
    );
    check(body(&json!({"TaskToken": "AAAA", "Input": {"eventType": "charge"}})), expect(&["Step Functions"], "charge"));
    check(
        body(&json!(["software.amazon.payloadoffloading.PayloadS3Pointer", {"s3BucketName": "b", "s3Key": "k"}])),
        expect(&["S3 pointer"], "software.amazon.payloadoffloading.PayloadS3Pointer"),
    );
}

#[test]
fn what_lambda_says_of_a_failure_is_told() {
    let invoked = |payload: Value, response: Value| {
        json!({"version": "1.0", "timestamp": "2026-11-21T02:00:00Z",
            "requestContext": {"requestId": "1", "functionArn": "arn:aws:lambda:x:1:function:f:$LATEST",
                "condition": "RetriesExhausted", "approximateInvokeCount": 3},
            "requestPayload": payload,
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "responsePayload": response})
    };
    let response = json!({"errorType": "ValueError", "errorMessage": "no such order", "stackTrace": ["at x"]});
    check(
        body(&invoked(json!({"eventType": "order.created"}), response.clone())),
        expect(&["Lambda destination"], "order.created").failed("no such order", "ValueError"),
    );
    check(
        body(&invoked(event("Order Placed", &json!({})), response)),
        expect(&["Lambda destination", "EventBridge"], "Order Placed").failed("no such order", "ValueError"),
    );
    check(
        body(&invoked(json!({"kind": "refund"}), Value::Null)),
        expect(&["Lambda destination"], "refund").failed("Unhandled", "RetriesExhausted"),
    );
    let batch = json!({"requestContext": {"requestId": "1", "functionArn": "arn:aws:lambda:x:1:function:f",
        "condition": "RetryAttemptsExhausted", "approximateInvokeCount": 1},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0", "KinesisBatchInfo": {"shardId": "shardId-000000000001", "batchSize": 500}});
    check(body(&batch), expect(&["Kinesis batch"], "").failed("Unhandled", "RetryAttemptsExhausted"));
    check(
        message("{\"id\":1}")
            .attribute("RequestID", "1")
            .attribute("ErrorCode", "200")
            .attribute("ErrorMessage", "boom"),
        expect(&[], "").failed("boom", "200"),
    );
}

#[test]
fn jobs_of_python_ruby_and_php_are_named() {
    let inner = base64(&json!([[7], {"retry": true}, {"callbacks": null}]).to_string());
    let celery = json!({"body": inner, "content-encoding": "utf-8", "content-type": "application/json",
        "headers": {"lang": "py", "task": "shop.tasks.charge", "id": "1", "retries": 3}, "properties": {"body_encoding": "base64"}});
    check(body(&celery), expect(&["Celery", "base64"], "shop.tasks.charge"));
    check(message(&base64(&celery.to_string())), expect(&["base64", "Celery", "base64"], "shop.tasks.charge"));
    let old = json!({"body": base64(&json!({"task": "shop.tasks.mail", "args": [], "kwargs": {}}).to_string()),
        "content-type": "application/json", "properties": {}});
    check(body(&old), expect(&["Celery", "base64", "Celery"], "shop.tasks.mail"));
    check(
        body(&json!({"queue_name": "q", "actor_name": "send_mail", "args": [1], "kwargs": {}, "message_id": "m",
            "options": {"traceback": "ValueError: no mail"}})),
        expect(&["Dramatiq"], "send_mail").failed("ValueError: no mail", ""),
    );
    let job = json!({"job_class": "SendInvoiceJob", "job_id": "1", "queue_name": "q", "arguments": [7]});
    check(body(&job), expect(&["Active Job"], "SendInvoiceJob"));
    check(
        body(&job).attribute("shoryuken_class", "ActiveJob::QueueAdapters::ShoryukenAdapter::JobWrapper"),
        expect(&["Active Job", "Shoryuken"], "SendInvoiceJob"),
    );
    check(body(&json!({"id": 1})).attribute("shoryuken_class", "HardWorker"), expect(&["Shoryuken"], "HardWorker"));
    check(
        body(&json!({"class": "Sidekiq::ActiveJob::Wrapper", "wrapped": "MailJob", "args": [job], "jid": "x",
            "error_message": "timeout", "error_class": "Net::ReadTimeout"})),
        expect(&["Sidekiq", "Active Job"], "MailJob").failed("timeout", "Net::ReadTimeout"),
    );
    check(body(&json!({"class": "HardWorker", "args": [1], "jid": "x"})), expect(&["Sidekiq"], "HardWorker"));
    check(
        body(
            &json!({"uuid": "1", "displayName": "App\\Jobs\\Charge", "job": "Illuminate\\Queue\\CallQueuedHandler@call",
            "data": {"commandName": "App\\Jobs\\Charge", "command": "O:15:\"App\\Jobs\\Charge\":0:{}"}}),
        ),
        expect(&["Laravel"], "App\\Jobs\\Charge"),
    );
    check(
        body(&json!({"id": 1})).attribute("type", "App\\Message\\Paid"),
        expect(&["Symfony Messenger"], "App\\Message\\Paid"),
    );
    let headers = json!({"type": "App\\Message\\Paid", "X-Message-Stamp-Symfony\\Component\\Messenger\\Stamp\\ErrorDetailsStamp":
        "[{\"exceptionClass\":\"RuntimeException\",\"exceptionCode\":0,\"exceptionMessage\":\"no card\"}]"});
    check(
        body(&json!({"id": 1})).attribute("X-Symfony-Messenger", &headers.to_string()),
        expect(&["Symfony Messenger"], "App\\Message\\Paid").failed("no card", ""),
    );
    check(message(r#"O:16:"App\Message\Paid":1:{s:2:"id";i:7;}"#), expect(&[], r"App\Message\Paid"));
}

#[test]
fn messages_of_net_are_named() {
    check(
        body(&json!({"messageId": "1", "messageType": ["urn:message:Acme.Orders:OrderPlaced"], "message": {"id": 1}, "headers": {}}))
            .attribute("MT-Fault-Message", "no stock")
            .attribute("MT-Fault-ExceptionType", "Acme.NoStock"),
        expect(&["MassTransit"], "Acme.Orders:OrderPlaced").failed("no stock", "Acme.NoStock"),
    );
    let types = "Acme.Placed, Acme.Contracts, Version=1.0.0.0, Culture=neutral;Acme.IEvent, Acme.Contracts";
    check(
        body(
            &json!({"Headers": {"NServiceBus.EnclosedMessageTypes": types, "NServiceBus.ExceptionInfo.Message": "no stock",
            "NServiceBus.ExceptionInfo.ExceptionType": "Acme.NoStock"}, "Body": base64(&json!({"id": 7}).to_string()), "S3BodyKey": null}),
        ),
        expect(&["NServiceBus", "base64"], "Acme.Placed").failed("no stock", "Acme.NoStock"),
    );
    check(
        body(&json!({"id": 7})).attribute(
            "NServiceBus.AmazonSQS.Headers",
            &json!({"NServiceBus.EnclosedMessageTypes": types, "NServiceBus.ExceptionInfo.Message": "no stock"})
                .to_string(),
        ),
        expect(&["NServiceBus"], "Acme.Placed").failed("no stock", ""),
    );
    check(
        body(
            &json!({"headers": {"rbs2-msg-type": "Acme.Placed, Acme", "rbs2-error-details": "System.Exception: no stock"},
            "body": base64("{\"id\": 7, \"name\": \"x\"}")}),
        ),
        expect(&["Rebus", "base64"], "Acme.Placed").failed("System.Exception: no stock", ""),
    );
    check(
        body(&json!({"id": 7}))
            .attribute("message-type", "Acme.Placed")
            .attribute("exception-type", "Acme.NoStock")
            .attribute("exception-message", "no stock"),
        expect(&["Wolverine"], "Acme.Placed").failed("no stock", "Acme.NoStock"),
    );
    check(
        body(&json!({"id": 7})).attribute("MessageType", "MT_EVENT").attribute("Topic", "arn:aws:sns:x:1:OrderPlaced"),
        expect(&["Brighter"], "OrderPlaced"),
    );
    check(body(&json!({"Subject": "OrderPlaced", "Message": "{\"id\": 7}"})), expect(&["JustSaying"], "OrderPlaced"));
    check(body(&json!({"$type": "Acme.Placed, Acme", "id": 7})), expect(&[], "Acme.Placed"));
}

#[test]
fn events_of_java_javascript_and_go_are_named() {
    check(body(&json!({"id": 1})).attribute("JavaType", "com.acme.OrderPlaced"), expect(&[], "com.acme.OrderPlaced"));
    check(
        body(&json!({"id": 1})).attribute("__TypeId__", "com.acme.Paid").attribute("x-exception-message", "no card"),
        expect(&[], "com.acme.Paid").failed("no card", ""),
    );
    check(
        body(&json!({"specversion": "1.0", "type": "com.acme.paid", "source": "/s", "id": "1", "data": {"id": 7}})),
        expect(&["CloudEvents"], "com.acme.paid"),
    );
    check(
        body(
            &json!({"specversion": "1.0", "type": "com.acme.paid", "source": "/s", "id": "1", "data_base64": base64("{\"id\": 77777}")}),
        ),
        expect(&["CloudEvents", "base64"], "com.acme.paid"),
    );
    check(body(&json!({"id": 7})).attribute("ce-type", "com.acme.paid"), expect(&["CloudEvents"], "com.acme.paid"));
    check(
        body(
            &json!({"schema": {}, "payload": {"before": null, "after": {"id": 1}, "source": {"table": "orders"}, "op": "c"}}),
        ),
        expect(&["Debezium"], "orders c"),
    );
    check(
        body(&json!({"payload": "{\"id\":1}", "headers": {"event-type": "com.acme.Placed", "ID": "1"}})),
        expect(&["Eventuate"], "com.acme.Placed"),
    );
    check(body(&json!({"id": 7})).attribute("axon-message-type", "com.acme.Paid"), expect(&["Axon"], "com.acme.Paid"));
    check(
        body(&json!({"name": "charge", "data": {"id": 1}, "opts": {"attempts": 3}, "failedReason": "no card"})),
        expect(&["BullMQ"], "charge").failed("no card", ""),
    );
    check(body(&json!({"pattern": {"cmd": "charge"}, "data": {}})), expect(&["NestJS"], "charge"));
    check(
        body(&json!({"id": 7})).attribute("reason_poisoned", "no card").attribute("name", "orders.Placed"),
        expect(&["Watermill"], "orders.Placed").failed("no card", ""),
    );
    check(body(&json!([{"eventType": "order.paid"}, {"eventType": "order.paid"}])), expect(&[], "order.paid"));
    check(
        message("Traceback (most recent call last):\n  File \"x.py\", line 1, in f\n    g()\nValueError: no stock\n"),
        expect(&[], "").failed("ValueError: no stock", ""),
    );
    check(message("<?xml version=\"1.0\"?><Order><id>1</id></Order>"), expect(&[], "Order"));
}

#[test]
fn what_is_packed_or_encoded_is_decoded() {
    let order = json!({"eventType": "order.created", "error": {"message": "no stock"}}).to_string();
    check(message(&base64(&order)), expect(&["base64"], "order.created").failed("no stock", ""));
    check(message(&gzip(&order)), expect(&["gzip"], "order.created").failed("no stock", ""));
    check(message(&json!(order).to_string()), expect(&[], "order.created").failed("no stock", ""));
    check(body(&sns(&gzip(&order))), expect(&["SNS", "gzip"], "order.created").failed("no stock", ""));
    check(
        message(&base64("ValueError: no stock in Bonn")),
        expect(&["base64"], "").failed("ValueError: no stock in Bonn", ""),
    );
    for filter in [
        r#".content.eventType == "order.created""#,
        r#".body | decode | .Message.error.message == "no stock""#,
        r#".envelopes == ["SNS", "gzip"]"#,
        r#".text | decode | .Type == "Notification""#,
    ] {
        let compiled = Filter::compile(filter).expect("compiles");
        let packed = body(&sns(&gzip(&order))).build();
        assert_eq!(compiled.matches(&packed, jiff::Timestamp::UNIX_EPOCH), Ok(true), "{filter}");
    }
}

#[test]
fn a_team_names_its_own_and_it_comes_first() {
    let own = [Envelope {
        name: "shop".to_owned(),
        when: vec![Sign::parse("/meta/kind"), Sign::parse("/meta/version=2*")],
        kind: vec![Pointer::parse("/meta/kind"), Pointer::parse("tenant")],
        content: vec![Pointer::parse("/payload")],
        error: vec![Pointer::parse("/meta/failure/text")],
        code: vec![Pointer::parse("/meta/failure/code")],
        kind_otherwise: Vec::new(),
    }];
    let wrapped = |version: &str| {
        body(&json!({"detail-type": "x", "source": "y", "detail": {}, "meta": {"kind": "paid", "version": version,
            "failure": {"text": "no card 17", "code": "E1"}}, "payload": "{\"orderId\": 12345678901234567890}"}))
        .attribute("tenant", "acme")
        .build()
    };
    let opened = Opened::of(&wrapped("2.1"), &own);
    assert_eq!(opened.layers, ["shop"]);
    assert_eq!((opened.kind.as_deref(), opened.error.as_deref()), (Some("paid acme"), Some("no card 17")));
    assert_eq!(opened.code, Some(("code".to_owned(), "E1".to_owned())));
    let filter = Filter::compile(".content.orderId == 12345678901234567890 and .code == \"E1\"").expect("compiles");
    let seeing = filter.clone().seeing(&own);
    assert_eq!(seeing.matches(&wrapped("2.1"), jiff::Timestamp::UNIX_EPOCH), Ok(true), "digits stay");
    assert_eq!(filter.matches(&wrapped("2.1"), jiff::Timestamp::UNIX_EPOCH), Ok(false));
    assert_eq!(Opened::of(&wrapped("1.0"), &own).layers, ["EventBridge"]);
}

#[test]
fn any_message_is_taken() {
    let deep = "[".repeat(90) + &"]".repeat(90);
    let nested = (0..6).fold("{\"id\": 1}".to_owned(), |inner, _| sns(&inner).to_string());
    for text in
        ["", "null", "12", "\"x\"", "[]", "{}", &deep, &nested, &base64("\u{0}\u{1}binary here"), "\"\\\"\\\"\""]
    {
        let opened = Opened::of(&message(text).build(), &[]);
        assert!(opened.layers.len() <= LAYERS_MAX * 2, "{text}");
    }
    assert_eq!(Opened::of(&message(&nested).build(), &[]).layers, ["SNS"]);
}
