//! Messages for tests.

use crate::domain::{AttributeValue, Message, MessageId, Payload, QueueArn, ReceiptHandle, SystemAttributes};

pub struct Builder(Message);

pub fn message(body: &str) -> Builder {
    Builder(Message {
        id: MessageId("6f1d3f1e-0000-4000-8000-000000000001".to_owned()),
        receipt: ReceiptHandle("handle".to_owned()),
        body: body.to_owned(),
        attributes: Default::default(),
        system: SystemAttributes { receive_count: 4, ..Default::default() },
    })
}

impl Builder {
    pub fn id(mut self, id: &str) -> Self {
        self.0.id = MessageId(id.to_owned());
        self
    }

    pub fn source(mut self, name: &str) -> Self {
        self.0.system.dead_letter_source = Some(QueueArn(format!("arn:aws:sqs:eu-central-1:111122223333:{name}")));
        self
    }

    pub fn sent_at(mut self, time: &str) -> Self {
        self.0.system.sent_at = Some(time.parse().expect("a time"));
        self
    }

    pub fn group(mut self, group: &str) -> Self {
        self.0.system.group = Some(group.to_owned());
        self
    }

    pub fn attribute(self, name: &str, value: &str) -> Self {
        self.typed(name, "String", Payload::Text(value.to_owned()))
    }

    pub fn typed(mut self, name: &str, data_type: &str, payload: Payload) -> Self {
        self.0.attributes.insert(name.to_owned(), AttributeValue { data_type: data_type.to_owned(), payload });
        self
    }

    pub fn build(self) -> Message {
        self.0
    }
}
