//! Documents as awsQuery's XML.

use jiff::Timestamp;
use quick_xml::escape::escape;
use serde_json::Value;

use crate::world::service::{Flat, Form};

/// The whole answer of an operation.
pub(super) fn answer(form: &Form, action: &str, document: &Value, request_id: &str) -> Vec<u8> {
    let mut writer = Writer { form, action, xml: String::new() };
    if !form.silent.contains(&action) {
        writer.element(&format!("{action}Result"), |writer| writer.members(document));
    }
    let result = writer.xml;
    let namespace = form.namespace;
    format!(
        "<?xml version=\"1.0\"?><{action}Response xmlns=\"{namespace}\">{result}<ResponseMetadata><RequestId>{request_id}\
         </RequestId></ResponseMetadata></{action}Response>"
    )
    .into_bytes()
}

struct Writer<'a> {
    form: &'a Form,
    action: &'a str,
    xml: String,
}

impl Writer<'_> {
    fn element(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        self.xml.push_str(&format!("<{name}>"));
        inside(self);
        self.xml.push_str(&format!("</{name}>"));
    }

    fn members(&mut self, document: &Value) {
        for (name, value) in document.as_object().into_iter().flatten() {
            match self.form.flattened.iter().find(|flat| flat.document == name) {
                Some(flat) => self.flat(flat, value),
                None => self.member(name, value),
            }
        }
    }

    fn flat(&mut self, flat: &Flat, value: &Value) {
        let name = flat.entry_of(self.action);
        for item in value.as_array().into_iter().flatten() {
            self.element(&name, |writer| writer.inside(&name, item));
        }
        let (key_name, value_name) = flat.map.unwrap_or_default();
        for (key, item) in value.as_object().into_iter().flatten() {
            self.element(&name, |writer| {
                writer.element(key_name, |writer| writer.text(key));
                writer.element(value_name, |writer| writer.inside(value_name, item));
            });
        }
    }

    fn member(&mut self, name: &str, value: &Value) {
        if value.is_null() {
            return;
        }
        self.element(name, |writer| match value {
            Value::Array(items) => {
                for item in items {
                    writer.element("member", |writer| writer.inside(name, item));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                writer.inside(name, value);
            }
        });
    }

    fn inside(&mut self, name: &str, value: &Value) {
        match value {
            Value::Null => {}
            Value::Bool(flag) => self.text(&flag.to_string()),
            Value::Number(number) if self.form.times.contains(&name) => {
                let at = Timestamp::from_millisecond((number.as_f64().unwrap_or_default() * 1_000.0) as i64);
                let at = at.unwrap_or(Timestamp::MIN).strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
                self.text(&at);
            }
            Value::Number(number) => self.text(&number.to_string()),
            Value::String(text) => self.text(text),
            Value::Array(_) | Value::Object(_) => self.members(value),
        }
    }

    /// Characters that XML 1.0 cannot write are left out; a carriage return would be read as a line feed, were it not written as
    /// a reference.
    fn text(&mut self, text: &str) {
        let is_writable = |character: &char| *character >= ' ' || matches!(character, '\t' | '\n' | '\r');
        let text: String = text.chars().filter(is_writable).collect();
        self.xml.push_str(&escape(text.as_str()).replace('\r', "&#13;"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::world::service::ServiceDef;

    fn written(service: &str, action: &str, document: &Value) -> String {
        let form = ServiceDef::named(service).and_then(|service| service.form).expect("a service with forms");
        let xml = String::from_utf8(answer(form, action, document, "id")).expect("text");
        let (_, rest) = xml.split_once('>').and_then(|(_, rest)| rest.split_once('>')).expect("an answer");
        rest.split("<ResponseMetadata>").next().unwrap_or_default().to_owned()
    }

    #[test]
    fn documents_become_elements() {
        for (service, action, document, expected) in [
            ("sqs", "DeleteMessage", json!({}), ""),
            ("sqs", "ReceiveMessage", json!({}), "<ReceiveMessageResult></ReceiveMessageResult>"),
            (
                "sqs",
                "ReceiveMessage",
                json!({"Messages": [{"Body": "a<b\r", "MessageAttributes": {"n": {"StringValue": "1", "DataType": "Number"}}}]}),
                "<ReceiveMessageResult><Message><Body>a&lt;b&#13;</Body><MessageAttribute><Name>n</Name><Value>\
                 <StringValue>1</StringValue><DataType>Number</DataType></Value></MessageAttribute></Message></ReceiveMessageResult>",
            ),
            (
                "sqs",
                "SendMessageBatch",
                json!({"Successful": [{"Id": "a"}], "Failed": [{"Id": "b", "SenderFault": true}]}),
                "<SendMessageBatchResult><SendMessageBatchResultEntry><Id>a</Id></SendMessageBatchResultEntry>\
                 <BatchResultErrorEntry><Id>b</Id><SenderFault>true</SenderFault></BatchResultErrorEntry></SendMessageBatchResult>",
            ),
            (
                "sqs",
                "ListQueues",
                json!({"QueueUrls": ["u", "v"]}),
                "<ListQueuesResult><QueueUrl>u</QueueUrl><QueueUrl>v</QueueUrl></ListQueuesResult>",
            ),
            (
                "cloudwatch",
                "GetMetricData",
                json!({"Messages": [], "MetricDataResults": [{"Timestamps": [0.5], "Values": [1.5]}]}),
                "<GetMetricDataResult><Messages></Messages><MetricDataResults><member><Timestamps><member>\
                 1970-01-01T00:00:00.500Z</member></Timestamps><Values><member>1.5</member></Values></member>\
                 </MetricDataResults></GetMetricDataResult>",
            ),
        ] {
            let got = written(service, action, &document);
            let sorted = |text: &str| {
                let mut parts: Vec<_> = text.split('<').map(str::to_owned).collect();
                parts.sort();
                parts
            };
            assert_eq!(sorted(&got), sorted(expected), "{action}: {got}");
        }
    }
}
