//! What AWS and the frameworks of jobs and events wrap their messages in.

use std::sync::LazyLock;

use crate::domain::{Envelope, Pointer, Sign};

struct Known {
    name: &'static str,
    when: &'static [&'static str],
    kind: &'static [&'static str],
    kind_otherwise: &'static [&'static str],
    content: &'static [&'static str],
    error: &'static [&'static str],
    code: &'static [&'static str],
}

const fn envelope(name: &'static str, when: &'static [&'static str]) -> Known {
    Known { name, when, kind: &[], kind_otherwise: &[], content: &[], error: &[], code: &[] }
}

/// An envelope that says what is in it, and where.
const fn typed(
    name: &'static str,
    when: &'static [&'static str],
    kind: &'static [&'static str],
    content: &'static [&'static str],
) -> Known {
    Known { kind, content, ..envelope(name, when) }
}

const INVOKED: [&str; 3] =
    ["/responsePayload/errorMessage", "/responseContext/functionError", "/requestContext/condition"];
const CONDITION: [&str; 2] = ["/responsePayload/errorType", "/requestContext/condition"];

/// What AWS's services send. The first that fits counts, so what is special stands before what is general.
const AWS: &[Known] = &[
    Known {
        content: &["/requestPayload"],
        error: &INVOKED,
        code: &CONDITION,
        ..envelope("Lambda destination", &["/requestContext/functionArn", "/requestPayload"])
    },
    Known {
        error: &INVOKED,
        code: &CONDITION,
        ..envelope("Kinesis batch", &["/requestContext/functionArn", "/KinesisBatchInfo"])
    },
    Known {
        error: &INVOKED,
        code: &CONDITION,
        ..envelope("DynamoDB batch", &["/requestContext/functionArn", "/DDBStreamBatchInfo"])
    },
    Known {
        error: &INVOKED,
        code: &CONDITION,
        ..envelope("Lambda batch", &["/requestContext/functionArn", "/responseContext"])
    },
    Known { error: &["/context/condition"], ..envelope("EventBridge Pipes", &["/context/partnerResourceArn"]) },
    Known {
        kind_otherwise: &["/Subject"],
        content: &["/Message"],
        ..envelope("SNS", &["/Type=Notification", "/TopicArn", "/Message"])
    },
    Known {
        kind_otherwise: &["/Records/0/Sns/Subject"],
        ..typed("SNS", &["/Records/0/EventSource=aws:sns"], &[], &["/Records/0/Sns/Message"])
    },
    Known {
        error: &["/detail/errorMessage"],
        code: &["/detail/errorCode"],
        ..typed(
            "EventBridge",
            &["/detail-type=AWS API Call via CloudTrail", "/detail/eventName"],
            &["/detail-type", "/detail/eventName"],
            &["/detail"],
        )
    },
    Known {
        error: &["/detail/cause/errorMessage", "/detail/cause", "/detail/error"],
        code: &["/detail/error"],
        ..typed(
            "EventBridge",
            &["/detail-type=Step Functions*", "/detail"],
            &["/detail-type", "/detail/status"],
            &["/detail"],
        )
    },
    typed(
        "EventBridge",
        &["/detail-type", "/detail/metadata/X-Shopify-Topic"],
        &["/detail/metadata/X-Shopify-Topic"],
        &["/detail/payload", "/detail"],
    ),
    typed("EventBridge", &["/detail-type", "/source", "/detail"], &["/detail-type"], &["/detail"]),
    typed("S3", &["/Records/0/eventSource=aws:s3"], &["/Records/0/eventName"], &[]),
    typed("S3", &["/Service=Amazon S3", "/Event"], &["/Event"], &[]),
    typed("DynamoDB stream", &["/Records/0/eventSource=aws:dynamodb"], &["/Records/0/eventName"], &[]),
    typed("DynamoDB stream", &["/eventSource=aws:dynamodb", "/dynamodb"], &["/eventName"], &[]),
    typed("Kinesis", &["/Records/0/eventSource=aws:kinesis"], &[], &["/Records/0/kinesis/data"]),
    typed("Kinesis", &["/eventSource=aws:kinesis", "/data"], &[], &["/data"]),
    typed("SQS", &["/Records/0/eventSource=aws:sqs"], &[], &["/Records/0/body"]),
    typed("SQS", &["/eventSource=aws:sqs", "/body"], &[], &["/body"]),
    typed("AWS records", &["/Records/0/eventSource", "/Records/0/eventName"], &["/Records/0/eventName"], &[]),
    typed("SES", &["/notificationType", "/mail/messageId"], &["/notificationType"], &[]),
    typed("SES", &["/eventType", "/mail/messageId"], &["/eventType"], &[]),
    typed("CloudWatch alarm", &["/AlarmName", "/NewStateValue"], &["/NewStateValue"], &[]),
    typed(
        "CodePipeline",
        &["/CodePipeline.job/id"],
        &["/CodePipeline.job/data/actionConfiguration/configuration/FunctionName"],
        &[],
    ),
    typed(
        "DMS",
        &["/metadata/record-type", "/metadata/operation"],
        &["/metadata/operation", "/metadata/table-name"],
        &["/data"],
    ),
    typed("Step Functions", &["/TaskToken", "/Input"], &[], &["/Input"]),
    typed("Step Functions", &["/taskToken", "/input"], &[], &["/input"]),
    Known {
        error: &["/Cause/errorMessage", "/Cause"],
        code: &["/Error"],
        ..envelope("Step Functions", &["/Error", "/Cause"])
    },
    Known {
        error: &["/failures/0/errorMessage"],
        ..typed("IoT rule", &["/ruleName", "/failures/0/errorMessage"], &["/ruleName"], &["/base64OriginalPayload"])
    },
    Known {
        error: &["/errorMessage"],
        code: &["/errorCode"],
        ..typed("Firehose", &["/rawData", "/errorMessage"], &[], &["/rawData"])
    },
    typed("API Gateway", &["/httpMethod", "/requestContext", "/resource"], &["/httpMethod", "/resource"], &["/body"]),
    typed("API Gateway", &["/routeKey", "/requestContext/http"], &["/routeKey"], &["/body"]),
    typed("Cognito", &["/triggerSource", "/userPoolId"], &["/triggerSource"], &[]),
];

/// What frameworks of jobs and events send.
const FRAMEWORKS: &[Known] = &[
    typed("S3 pointer", &["/0=*S3Pointer", "/1/s3BucketName"], &["/0"], &[]),
    typed("Elastic Beanstalk", &["beanstalk.sqsd.task_name"], &["beanstalk.sqsd.task_name"], &[]),
    // Standards of events.
    typed("CloudEvents", &["/specversion", "/type"], &["/type"], &["/data", "/data_base64"]),
    typed("CloudEvents", &["ce-type"], &["ce-type"], &[]),
    typed("CloudEvents", &["ce_type"], &["ce_type"], &[]),
    typed("CloudEvents", &["cloudEvents_type"], &["cloudEvents_type"], &[]),
    typed("CloudEvents", &["cloudEvents-type"], &["cloudEvents-type"], &[]),
    typed("Event Grid", &["/eventType", "/dataVersion", "/data"], &["/eventType"], &["/data"]),
    typed("Pub/Sub", &["/subscription", "/message/data"], &["/message/attributes/eventType"], &["/message/data"]),
    // Changes of databases.
    typed(
        "Debezium",
        &["/payload/op", "/payload/source/table"],
        &["/payload/source/table", "/payload/op"],
        &["/payload/after", "/payload/before"],
    ),
    typed("Debezium", &["/op", "/source/table"], &["/source/table", "/op"], &["/after", "/before"]),
    typed("Maxwell", &["/database", "/table", "/type", "/data"], &["/table", "/type"], &["/data"]),
    // Python.
    typed("Celery", &["/headers/task", "/body"], &["/headers/task"], &["/body"]),
    typed("Celery", &["/task", "/args", "/kwargs"], &["/task"], &["/kwargs", "/args"]),
    typed("Celery", &["/content-type", "/properties", "/body"], &[], &["/body"]),
    Known {
        error: &["/options/traceback"],
        ..typed("Dramatiq", &["/actor_name", "/message_id"], &["/actor_name"], &["/kwargs", "/args"])
    },
    typed("Zappa", &["/task_path", "/args"], &["/task_path"], &["/kwargs", "/args"]),
    // Ruby. Sidekiq and Active Job say the job; the class around it is always the same.
    Known {
        error: &["/error_message"],
        code: &["/error_class"],
        ..typed("Sidekiq", &["/wrapped", "/class"], &["/wrapped"], &["/args/0", "/args"])
    },
    Known {
        error: &["/error_message"],
        code: &["/error_class"],
        ..typed("Sidekiq", &["/class", "/jid"], &["/class"], &["/args"])
    },
    typed("Active Job", &["/job_class", "/job_id"], &["/job_class"], &["/arguments"]),
    typed("Shoryuken", &["shoryuken_class"], &["shoryuken_class"], &[]),
    typed("Resque", &["/class", "/args"], &["/class"], &["/args"]),
    typed("Faktory", &["/jobtype", "/jid"], &["/jobtype"], &["/args"]),
    // PHP.
    typed("Laravel", &["/displayName", "/job", "/data"], &["/displayName"], &["/data"]),
    typed("Laravel", &["/job", "/data", "/attempts"], &["/job"], &["/data"]),
    typed("Symfony Messenger", &["X-Symfony-Messenger/type"], &["X-Symfony-Messenger/type"], &[]),
    typed("Symfony Messenger", &["type=*\\*"], &["type"], &[]),
    typed("Symfony Messenger", &["/headers/type=*\\*", "/body"], &["/headers/type"], &["/body"]),
    // .NET.
    Known {
        error: &["MT-Fault-Message", "/headers/MT-Fault-Message", "/message/exceptions/0/message"],
        code: &["MT-Fault-ExceptionType", "/headers/MT-Fault-ExceptionType", "/message/exceptions/0/exceptionType"],
        ..typed("MassTransit", &["/messageType/0=urn:message:*", "/message"], &["/messageType/0"], &["/message"])
    },
    Known {
        error: &["/Headers/NServiceBus.ExceptionInfo.Message"],
        code: &["/Headers/NServiceBus.ExceptionInfo.ExceptionType"],
        ..typed(
            "NServiceBus",
            &["/Headers/NServiceBus.EnclosedMessageTypes", "/Body"],
            &["/Headers/NServiceBus.EnclosedMessageTypes"],
            &["/Body"],
        )
    },
    Known {
        error: &["NServiceBus.AmazonSQS.Headers/NServiceBus.ExceptionInfo.Message"],
        code: &["NServiceBus.AmazonSQS.Headers/NServiceBus.ExceptionInfo.ExceptionType"],
        ..typed(
            "NServiceBus",
            &["NServiceBus.AmazonSQS.Headers"],
            &["NServiceBus.AmazonSQS.Headers/NServiceBus.EnclosedMessageTypes"],
            &[],
        )
    },
    typed("NServiceBus", &["MessageTypeFullName"], &["MessageTypeFullName"], &[]),
    Known {
        error: &["/headers/rbs2-error-details"],
        ..typed("Rebus", &["/headers/rbs2-msg-type", "/body"], &["/headers/rbs2-msg-type"], &["/body"])
    },
    Known { error: &["rbs2-error-details"], ..typed("Rebus", &["rbs2-msg-type"], &["rbs2-msg-type"], &[]) },
    Known {
        error: &["exception-message"],
        code: &["exception-type"],
        ..typed("Wolverine", &["message-type"], &["message-type"], &[])
    },
    typed("Brighter", &["MessageType=MT_*", "Topic"], &["Topic"], &[]),
    Known { kind_otherwise: &["/Subject"], ..typed("JustSaying", &["/Subject", "/Message"], &[], &["/Message"]) },
    // Java.
    typed("Axon", &["axon-message-type"], &["axon-message-type"], &[]),
    typed("Axon", &["axon-payload-type"], &["axon-payload-type"], &[]),
    typed("Eventuate", &["/headers/event-type", "/payload"], &["/headers/event-type"], &["/payload"]),
    typed("Eventuate", &["/headers/command_type", "/payload"], &["/headers/command_type"], &["/payload"]),
    typed("JobRunr", &["/jobSignature"], &["/jobSignature"], &[]),
    typed("Spring", &["/headers/__TypeId__", "/payload"], &["/headers/__TypeId__"], &["/payload"]),
    // JavaScript and Go.
    Known {
        error: &["/failedReason", "/stacktrace/0"],
        ..typed("BullMQ", &["/name", "/data", "/opts"], &["/name"], &["/data"])
    },
    typed("NestJS", &["/pattern/cmd", "/data"], &["/pattern/cmd"], &["/data"]),
    typed("NestJS", &["/pattern", "/data"], &["/pattern"], &["/data"]),
    Known { error: &["reason_poisoned"], ..typed("Watermill", &["reason_poisoned"], &["name"], &[]) },
    typed("Machinery", &["/UUID", "/Name", "/Args"], &["/Name"], &["/Args"]),
    // Webhooks.
    typed("Stripe", &["/object=event", "/type"], &["/type"], &["/data/object"]),
    typed("Segment", &["/type=track", "/event"], &["/event"], &["/properties"]),
    typed("Slack", &["/type=event_callback", "/event/type"], &["/event/type"], &["/event"]),
];

/// All of them, what AWS sends first.
pub(super) fn known() -> &'static [Envelope] {
    static ALL: LazyLock<Vec<Envelope>> = LazyLock::new(|| AWS.iter().chain(FRAMEWORKS).map(of).collect());
    &ALL
}

fn of(known: &Known) -> Envelope {
    let places = |texts: &[&str]| texts.iter().map(|text| Pointer::parse(text)).collect();
    Envelope {
        name: known.name.to_owned(),
        when: known.when.iter().map(|text| Sign::parse(text)).collect(),
        kind: places(known.kind),
        kind_otherwise: places(known.kind_otherwise),
        content: places(known.content),
        error: places(known.error),
        code: places(known.code),
    }
}
