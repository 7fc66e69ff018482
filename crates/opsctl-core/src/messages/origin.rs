//! [`Origin`]: where a dead letter comes from, and so whether SQS knows where it belongs.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::{Message, Payload, QueueArn, Text};

/// Largest body that is parsed to recognise an SNS envelope, in bytes: SNS sends at most 256 KiB.
const ENVELOPE_BYTES_MAX: usize = 524_288;

/// Where a dead letter comes from.
///
/// SQS marks what it moved itself; what others sent is recognised by the attributes that AWS documents for Lambda's
/// asynchronous invocations and for EventBridge targets, and by SNS's envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "kebab-case")]
pub enum Origin {
    /// Moved by SQS from this queue (`DeadLetterQueueSourceArn`).
    Queue { source: QueueArn },
    /// A failed asynchronous Lambda invocation: sent to a function's DLQ (`RequestID`, `ErrorCode`, `ErrorMessage`), or to its
    /// destination, then the body is Lambda's record.
    Lambda {
        /// Lambda's HTTP status, as text.
        error_code: Option<Text>,
        /// What the function said, cut to 1 KB by Lambda.
        error_message: Option<Text>,
    },
    /// An event that EventBridge could not deliver (`RULE_ARN`, `TARGET_ARN`, ...).
    EventBridge { rule: Option<Text>, target: Option<Text>, error_code: Option<Text> },
    /// A notification that SNS could not deliver: the body is SNS's envelope. With raw delivery nothing tells it.
    Sns { topic: Text },
    /// Sent to the queue directly, or by SNS with raw delivery.
    Unknown,
}

impl Origin {
    pub fn of(message: &Message) -> Self {
        if let Some(source) = &message.system.dead_letter_source {
            return Self::Queue { source: source.clone() };
        }
        let attribute = |name: &str| match &message.attributes.get(name)?.payload {
            Payload::Text(text) => Some(Text::line(text)),
            Payload::Binary(_) => None,
        };
        let has = |name: &str| message.attributes.contains_key(name);
        if has("RULE_ARN") || has("TARGET_ARN") {
            return Self::EventBridge {
                rule: attribute("RULE_ARN"),
                target: attribute("TARGET_ARN"),
                error_code: attribute("ERROR_CODE"),
            };
        }
        if has("RequestID") && (has("ErrorCode") || has("ErrorMessage")) {
            return Self::Lambda { error_code: attribute("ErrorCode"), error_message: attribute("ErrorMessage") };
        }
        let Some(body) = object(&message.body) else { return Self::Unknown };
        if let Some(invocation) = invocation(&body) {
            return invocation;
        }
        match topic(&body) {
            Some(topic) => Self::Sns { topic: Text::line(topic) },
            None => Self::Unknown,
        }
    }

    /// The source queue, where SQS knows it. Without one a redrive must be told where to.
    pub fn source(&self) -> Option<&QueueArn> {
        if let Self::Queue { source } = self { Some(source) } else { None }
    }
}

/// A body that may be an envelope: only what has one of the names that tell is parsed.
fn object(body: &str) -> Option<Value> {
    let may_be = body.len() <= ENVELOPE_BYTES_MAX && (body.contains("TopicArn") || body.contains("requestContext"));
    may_be.then(|| serde_json::from_str(body).ok()).flatten()
}

fn topic(envelope: &Value) -> Option<&str> {
    let field = |name: &str| envelope.get(name).and_then(Value::as_str);
    let is_envelope = field("Type") == Some("Notification") && field("MessageId").is_some();
    field("TopicArn").filter(|topic| is_envelope && topic.contains(":sns:"))
}

/// The record of a destination of Lambda's asynchronous invocations (Lambda developer guide, "Capturing records").
fn invocation(record: &Value) -> Option<Origin> {
    let function = record.pointer("/requestContext/functionArn")?.as_str()?;
    record.get("requestPayload").filter(|_| function.contains(":lambda:"))?;
    let text = |path: &str| record.pointer(path).and_then(Value::as_str).map(Text::line);
    let error_message = text("/responsePayload/errorMessage").or_else(|| text("/responseContext/functionError"));
    Some(Origin::Lambda { error_code: None, error_message })
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queue { source } => write!(formatter, "queue {}", Text::line(source.name().as_str())),
            Self::Lambda { error_code: Some(code), .. } => write!(formatter, "Lambda (error {code})"),
            Self::Lambda { error_code: None, .. } => formatter.write_str("Lambda"),
            Self::EventBridge { rule: Some(rule), .. } => write!(formatter, "EventBridge rule {rule}"),
            Self::EventBridge { rule: None, .. } => formatter.write_str("EventBridge"),
            Self::Sns { topic } => write!(formatter, "SNS topic {topic}"),
            Self::Unknown => formatter.write_str("unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::testing::message;

    #[test]
    fn origins_are_recognised() {
        let from_queue = message("x").source("orders").build();
        assert_eq!(Origin::of(&from_queue).source().map(|arn| arn.name().0).as_deref(), Some("orders"));
        let lambda = message("{}").attribute("RequestID", "1").attribute("ErrorCode", "200").build();
        assert_eq!(Origin::of(&lambda).to_string(), "Lambda (error 200)");
        let rule = message("{}").attribute("RULE_ARN", "arn:rule").attribute("ERROR_CODE", "NO_PERMISSIONS").build();
        assert_eq!(Origin::of(&rule).to_string(), "EventBridge rule arn:rule");
        let body = r#"{"Type":"Notification","MessageId":"1","TopicArn":"arn:aws:sns:eu-central-1:1:t","Message":"m"}"#;
        assert_eq!(Origin::of(&message(body).build()).to_string(), "SNS topic arn:aws:sns:eu-central-1:1:t");
        let record = r#"{"requestContext":{"functionArn":"arn:aws:lambda:eu-central-1:1:function:f:$LATEST"},"requestPayload":{},
            "responsePayload":{"errorMessage":"Timeout"}}"#;
        assert!(
            matches!(Origin::of(&message(record).build()), Origin::Lambda { error_message: Some(said), .. } if said.as_str() == "Timeout")
        );
        for other in [
            "TopicArn",
            r#"{"TopicArn":"arn:aws:sns:x"}"#,
            "",
            r#"{"Type":"Notification"}"#,
            r#"{"requestContext":{"functionArn":"f"}}"#,
        ] {
            assert_eq!(Origin::of(&message(other).build()), Origin::Unknown, "{other}");
        }
    }

    #[test]
    fn a_queue_that_moved_it_wins_over_what_attributes_claim() {
        let forged = message("{}").source("orders").attribute("RULE_ARN", "x").build();
        assert!(Origin::of(&forged).source().is_some());
    }
}
