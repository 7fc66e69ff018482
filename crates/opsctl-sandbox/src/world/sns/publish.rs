//! `Publish`: a message goes to every queue that is subscribed and whose filter lets it pass.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    Subscription,
    fields::{Form, attributes, field, required},
    invalid, not_found,
    topics::dead_letter,
};
use crate::world::{
    Caller, World,
    call::{Answered, Call},
    md5::sha256_hex,
    rds::Xml,
    sqs::WINDOW_MILLISECONDS,
    uuid,
};

/// Bytes of a message, and entries of a batch (SNS API reference).
const BYTES_MAX: usize = 262_144;
const ENTRIES_MAX: usize = 10;

struct Notice {
    id: String,
    topic: String,
    subject: Option<String>,
    message: String,
    attributes: BTreeMap<String, Value>,
    group: Option<String>,
    deduplication: Option<String>,
    sequence: Option<String>,
}

impl World {
    pub(super) fn publish(&mut self, call: Call, form: &Form) -> Answered<Xml> {
        let topic = field(form, "TopicArn").or_else(|| field(form, "TargetArn"));
        let topic = topic.ok_or_else(|| invalid("TopicArn or TargetArn Reason: no value for required parameter"))?;
        let (id, sequence) = self.publish_one(call, topic, form, "")?;
        let mut xml = Xml::default();
        xml.text("MessageId", id).maybe("SequenceNumber", sequence);
        Ok(xml)
    }

    pub(super) fn publish_batch(&mut self, call: Call, form: &Form) -> Answered<Xml> {
        let topic = required(form, "TopicArn")?;
        let prefix = |number: usize| format!("PublishBatchRequestEntries.member.{number}.");
        let ids: Vec<&str> =
            (1..=ENTRIES_MAX + 1).map_while(|number| field(form, &format!("{}Id", prefix(number)))).collect();
        if ids.is_empty() || ids.len() > ENTRIES_MAX {
            let code = if ids.is_empty() { "EmptyBatchRequest" } else { "TooManyEntriesInBatchRequest" };
            let message = format!("The batch request has {} entries; from 1 to {ENTRIES_MAX} are taken.", ids.len());
            return Err(crate::world::ApiError::plain(400, code, message));
        }
        let ends: Vec<_> = ids
            .iter()
            .enumerate()
            .map(|(index, id)| (*id, self.publish_one(call, topic, form, &prefix(index + 1))))
            .collect();
        let mut xml = Xml::of("Successful", |xml| {
            for (id, end) in &ends {
                if let Ok((message, sequence)) = end {
                    xml.element("member", |xml| {
                        xml.text("Id", id).text("MessageId", message).maybe("SequenceNumber", sequence.as_ref());
                    });
                }
            }
        });
        xml.element("Failed", |xml| {
            for (id, end) in &ends {
                if let Err(error) = end {
                    xml.element("member", |xml| {
                        xml.text("Id", id)
                            .text("Code", error.code)
                            .text("Message", &error.message)
                            .text("SenderFault", true);
                    });
                }
            }
        });
        Ok(xml)
    }

    /// Its message id, and in a FIFO topic its sequence number.
    fn publish_one(
        &mut self,
        call: Call,
        topic_arn: &str,
        form: &Form,
        prefix: &str,
    ) -> Answered<(String, Option<String>)> {
        let part = |name: &str| field(form, &format!("{prefix}{name}"));
        let message = part("Message").filter(|text| !text.is_empty()).ok_or_else(|| invalid("Empty message"))?;
        if message.len() > BYTES_MAX {
            return Err(invalid("Message too long"));
        }
        let message = match part("MessageStructure") {
            Some("json") => {
                let parts: Value = serde_json::from_str(message)
                    .map_err(|_| invalid("Message Structure - JSON message body failed to parse"))?;
                let chosen = parts["sqs"].as_str().or(parts["default"].as_str());
                chosen.ok_or_else(|| invalid("Message Structure - No default entry in JSON message body"))?.to_owned()
            }
            Some(_) | None => message.to_owned(),
        };
        let id = uuid(&mut self.rng);
        let topic = self.sns.topics.get_mut(topic_arn).ok_or_else(|| not_found("Topic"))?;
        let group = part("MessageGroupId").map(str::to_owned);
        let mut deduplication = part("MessageDeduplicationId").map(str::to_owned);
        let mut sequence = None;
        if topic.is_fifo {
            if group.is_none() {
                return Err(invalid("The MessageGroupId parameter is required for FIFO topics"));
            }
            let by_content = topic.attributes.get("ContentBasedDeduplication").is_some_and(|value| value == "true");
            if deduplication.is_none() && !by_content {
                return Err(invalid(
                    "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
                ));
            }
            let key = deduplication.get_or_insert_with(|| sha256_hex(&message).into()).clone();
            topic.seen.retain(|(at, ..)| call.now - at < WINDOW_MILLISECONDS);
            topic.sequence += 1;
            sequence = Some(format!("1{:019}", topic.sequence));
            if let Some((_, _, first)) = topic.seen.iter().find(|(_, known, _)| *known == key) {
                return Ok((first.clone(), sequence));
            }
            topic.seen.push((call.now, key, id.clone()));
        }
        let notice = Notice {
            id: id.clone(),
            topic: topic_arn.to_owned(),
            subject: part("Subject").map(str::to_owned),
            message,
            attributes: attributes(form, prefix),
            group,
            deduplication,
            sequence: sequence.clone(),
        };
        self.deliver(call, &notice);
        Ok((id, sequence))
    }

    fn deliver(&mut self, call: Call, notice: &Notice) {
        let of_topic =
            self.sns.subscriptions.iter().filter(|(_, one)| one.topic == notice.topic && one.protocol == "sqs");
        let wanted = of_topic.filter(|(_, one)| notice.passes(one));
        let letters: Vec<(Vec<String>, Value)> = wanted
            .map(|(arn, one)| {
                let redrive = one.attributes.get("RedrivePolicy").and_then(|policy| dead_letter(policy));
                (std::iter::once(one.endpoint.clone()).chain(redrive).collect(), notice.letter(call, arn, one))
            })
            .collect();
        for (queues, letter) in letters {
            // What the queue does not take goes to the subscription's dead-letter queue, or is lost.
            let _taken = queues.iter().any(|queue| self.drop_into(call, queue, letter.clone()).is_some());
        }
    }

    /// Sends to a queue by its ARN; none: it is not there, denied or unwilling.
    fn drop_into(&mut self, call: Call, arn: &str, mut letter: Value) -> Option<()> {
        let [region, account, name] =
            arn.strip_prefix("arn:aws:sqs:")?.split(':').collect::<Vec<_>>().try_into().ok()?;
        let is_denied =
            |world: &Self| world.denials.iter().any(|denial| denial.refuses(account, "sqs", "SendMessage", Some(name)));
        if is_denied(self) {
            return None;
        }
        let caller =
            Caller { account: account.to_owned(), region: region.to_owned(), origin: call.caller.origin.clone() };
        if !name.ends_with(".fifo") {
            letter.as_object_mut()?.remove("MessageDeduplicationId");
        }
        letter["QueueUrl"] = name.into();
        self.ask(call.time(), &caller, ("sqs", "SendMessage"), letter).ok().map(drop)
    }
}

impl Notice {
    fn passes(&self, subscription: &Subscription) -> bool {
        let Some(policy) = &subscription.policy else { return true };
        let by_body = subscription.attributes.get("FilterPolicyScope").is_some_and(|scope| scope == "MessageBody");
        let members = if by_body {
            serde_json::from_str::<Map<String, Value>>(&self.message).ok()
        } else {
            Some(self.attributes.iter().map(|(name, attribute)| (name.clone(), plain(attribute))).collect())
        };
        members.is_some_and(|members| policy.passes(&members))
    }

    /// The message as it is sent to a queue.
    fn letter(&self, call: Call, arn: &str, subscription: &Subscription) -> Value {
        let is_raw = subscription.attributes.get("RawMessageDelivery").is_some_and(|value| value == "true");
        let mut letter = if is_raw {
            json!({ "MessageBody": self.message, "MessageAttributes": self.attributes })
        } else {
            json!({ "MessageBody": self.envelope(call, arn).to_string() })
        };
        if let Some(group) = &self.group {
            letter["MessageGroupId"] = group.as_str().into();
        }
        if let Some(id) = &self.deduplication {
            letter["MessageDeduplicationId"] = id.as_str().into();
        }
        letter
    }

    fn envelope(&self, call: Call, arn: &str) -> Value {
        let Caller { region, origin, .. } = call.caller;
        let mut body = json!({
            "Type": "Notification",
            "MessageId": self.id,
            "TopicArn": self.topic,
            "Message": self.message,
            "Timestamp": call.time().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
            "SignatureVersion": "1",
            "Signature": "EXAMPLEpH+",
            "SigningCertURL": format!("https://sns.{region}.amazonaws.com/SimpleNotificationService-0000000000000000000000.pem"),
            "UnsubscribeURL": format!("{origin}/?Action=Unsubscribe&SubscriptionArn={arn}"),
        });
        if let Some(subject) = &self.subject {
            body["Subject"] = subject.as_str().into();
        }
        if let Some(sequence) = &self.sequence {
            body["SequenceNumber"] = sequence.as_str().into();
        }
        if !self.attributes.is_empty() {
            let told = |attribute: &Value| {
                let value = if attribute["BinaryValue"].is_string() {
                    &attribute["BinaryValue"]
                } else {
                    &attribute["StringValue"]
                };
                json!({ "Type": attribute["DataType"], "Value": value })
            };
            let attributes: Map<String, Value> =
                self.attributes.iter().map(|(name, attribute)| (name.clone(), told(attribute))).collect();
            body["MessageAttributes"] = attributes.into();
        }
        body
    }
}

/// An attribute as filter policies see it.
fn plain(attribute: &Value) -> Value {
    let text = attribute["StringValue"].as_str().unwrap_or_default();
    match attribute["DataType"].as_str().unwrap_or_default() {
        "Number" => text.parse::<f64>().map_or(Value::Null, Value::from),
        "String.Array" => serde_json::from_str(text).unwrap_or(Value::Null),
        _ => text.into(),
    }
}
