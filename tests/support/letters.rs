//! Dead letters as a look brings them.

use jiff::SignedDuration;
use opsctl::{
    domain::{
        AttributeValue, EnvironmentName, Message, MessageId, Payload, QueueArn, QueueName, ReceiptHandle,
        SystemAttributes,
    },
    operations::sample::Sample,
    tui::state::letters::Letters,
};

use super::console::now;

/// A message that died in `orders` an hour and some minutes ago.
pub(crate) fn message(number: usize, body: &str) -> Message {
    Message {
        id: MessageId(format!("6f1d3f1e-0000-4000-8000-{number:012}")),
        receipt: ReceiptHandle("handle".to_owned()),
        body: body.to_owned(),
        attributes: Default::default(),
        system: SystemAttributes {
            sent_at: Some(now() - SignedDuration::from_secs(3_700 + 61 * number as i64)),
            first_received_at: Some(now() - SignedDuration::from_secs(3_690 + 61 * number as i64)),
            receive_count: 4 + (number % 3) as u32,
            sender: Some("AIDAEXAMPLE".to_owned()),
            dead_letter_source: Some(QueueArn("arn:aws:sqs:af-south-1:111111111111:orders".to_owned())),
            ..SystemAttributes::default()
        },
    }
}

/// With an attribute.
pub(crate) fn with(mut message: Message, name: &str, data_type: &str, payload: Payload) -> Message {
    message.attributes.insert(name.to_owned(), AttributeValue { data_type: data_type.to_owned(), payload });
    message
}

/// Forty messages that failed in three ways.
pub(crate) fn failed() -> Vec<Message> {
    let body = |number: usize, error: &str| {
        format!(
            r#"{{"orderId":"o-{number}","tenant":"{}","amount":{}.50,"error":{{"message":"{error}"}},"card":{{"token":"tok_1234567890"}}}}"#,
            ["acme", "zeta", "moon"][number % 3],
            number * 100
        )
    };
    (0..40)
        .map(|number| match number % 8 {
            0..5 => message(number, &body(number, &format!("Timeout after {number}00 ms calling payments"))),
            5..7 => {
                let refused = message(number, &body(number, "card declined"));
                with(refused, "ErrorCode", "Number", Payload::Text("402".to_owned()))
            }
            _ => message(number, "not JSON at all: ValueError in line 7"),
        })
        .collect()
}

/// A look at `orders-dlq` of `environment`, twelve seconds ago.
pub(crate) fn look(environment: &str, messages: Vec<Message>) -> Letters {
    Letters::of(
        EnvironmentName(environment.to_owned()),
        QueueName("orders-dlq".to_owned()),
        now() - SignedDuration::from_secs(12),
        14 * 86_400,
        Sample { messages, is_whole: true },
        &[],
    )
}
