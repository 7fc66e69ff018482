//! Topics and subscriptions.

use super::{
    Policy, Subscription, Topics,
    fields::{Form, field, map, required, tags},
    invalid, is_of, not_found, nothing, topic_arn,
};
use crate::world::{
    call::{Answered, Call},
    page::page,
    rds::Xml,
};

/// Topics or subscriptions on a page (SNS API reference).
const PAGE: usize = 100;
const PENDING: &str = "pending confirmation";
const OF_SUBSCRIPTIONS: [&str; 5] =
    ["RawMessageDelivery", "FilterPolicy", "FilterPolicyScope", "RedrivePolicy", "DeliveryPolicy"];

impl Topics {
    pub(super) fn create_topic(&mut self, call: Call, form: &Form) -> Answered<Xml> {
        let name = required(form, "Name")?;
        let attributes = map(form, "Attributes");
        let is_fifo = attributes.get("FifoTopic").is_some_and(|value| value == "true");
        let stem = name.strip_suffix(".fifo");
        let plain = |name: &str| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        };
        if name.len() > 256 || !plain(stem.filter(|_| is_fifo).unwrap_or(name)) {
            return Err(invalid("Topic Name"));
        }
        if is_fifo != stem.is_some() {
            return Err(invalid(
                "Fifo Topic names must end with .fifo and must be made up of only letters, numbers, hyphens and underscores",
            ));
        }
        let arn = topic_arn(call.caller, name);
        let topic = self.topics.entry(arn.clone()).or_default();
        topic.is_fifo = is_fifo;
        topic.attributes.extend(attributes);
        topic.tags.extend(tags(form));
        let mut xml = Xml::default();
        xml.text("TopicArn", arn);
        Ok(xml)
    }

    /// Deleting what is not there is no error.
    pub(super) fn delete_topic(&mut self, form: &Form) -> Answered<Xml> {
        let arn = required(form, "TopicArn")?;
        self.topics.remove(arn);
        self.subscriptions.retain(|_, subscription| subscription.topic != arn);
        Ok(nothing())
    }

    pub(super) fn list_topics(&self, call: Call, form: &Form) -> Answered<Xml> {
        let arns = self.topics.keys().filter(|arn| is_of(arn, call.caller));
        let (arns, next) = page(arns, PAGE, field(form, "NextToken"), |arn| arn).ok_or_else(|| invalid("NextToken"))?;
        let mut xml = Xml::of("Topics", |xml| {
            for arn in arns {
                xml.element("member", |xml| {
                    xml.text("TopicArn", arn);
                });
            }
        });
        xml.maybe("NextToken", next);
        Ok(xml)
    }

    pub(super) fn topic_attributes(&self, call: Call, form: &Form) -> Answered<Xml> {
        let arn = required(form, "TopicArn")?;
        let topic = self.topics.get(arn).ok_or_else(|| not_found("Topic"))?;
        let count = |confirmed: bool| {
            let of_it =
                self.subscriptions.iter().filter(|(_, one)| one.topic == arn && one.is_confirmed() == confirmed);
            of_it.count().to_string()
        };
        let mut attributes = topic.attributes.clone();
        attributes.insert("TopicArn".to_owned(), arn.to_owned());
        attributes.insert("Owner".to_owned(), call.caller.account.clone());
        attributes.insert("SubscriptionsConfirmed".to_owned(), count(true));
        attributes.insert("SubscriptionsPending".to_owned(), count(false));
        attributes.insert("SubscriptionsDeleted".to_owned(), "0".to_owned());
        Ok(entries("Attributes", attributes.iter().map(|(name, value)| (name.as_str(), value.as_str()))))
    }

    pub(super) fn set_topic_attributes(&mut self, form: &Form) -> Answered<Xml> {
        let topic = self.topics.get_mut(required(form, "TopicArn")?).ok_or_else(|| not_found("Topic"))?;
        let name = required(form, "AttributeName")?;
        topic.attributes.insert(name.to_owned(), field(form, "AttributeValue").unwrap_or_default().to_owned());
        Ok(nothing())
    }

    pub(super) fn list_tags(&self, form: &Form) -> Answered<Xml> {
        let topic = self.topics.get(required(form, "ResourceArn")?).ok_or_else(|| not_found("Resource"))?;
        Ok(Xml::of("Tags", |xml| {
            for (key, value) in &topic.tags {
                xml.element("member", |xml| {
                    xml.text("Key", key).text("Value", value);
                });
            }
        }))
    }

    /// The same subscription again is the same.
    pub(super) fn subscribe(&mut self, form: &Form) -> Answered<Xml> {
        let (topic_arn, protocol) = (required(form, "TopicArn")?, required(form, "Protocol")?);
        let endpoint = required(form, "Endpoint")?;
        let topic = self.topics.get(topic_arn).ok_or_else(|| not_found("Topic"))?;
        if !["sqs", "lambda", "http", "https", "email", "email-json", "sms", "firehose", "application"]
            .contains(&protocol)
        {
            return Err(invalid(format!("Amazon SNS does not support this protocol string: {protocol}")));
        }
        if protocol == "sqs" && !endpoint.starts_with("arn:aws:sqs:") {
            return Err(invalid("SQS endpoint ARN"));
        }
        if protocol == "sqs" && endpoint.ends_with(".fifo") && !topic.is_fifo {
            return Err(invalid(
                "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics",
            ));
        }
        let mut subscription = Subscription {
            topic: topic_arn.to_owned(),
            protocol: protocol.to_owned(),
            endpoint: endpoint.to_owned(),
            attributes: std::collections::BTreeMap::new(),
            policy: None,
        };
        for (name, value) in map(form, "Attributes") {
            subscription.set(&name, &value)?;
        }
        let known =
            self.subscriptions.iter().find(|(_, known)| known.is_like(&subscription)).map(|(arn, _)| arn.clone());
        let arn = known.unwrap_or_else(|| {
            self.made += 1;
            let hash = crate::world::hash(topic_arn.bytes().chain(endpoint.bytes()));
            format!("{topic_arn}:{:08x}-5c5b-4000-8000-{:012x}", hash >> 32, self.made)
        });
        let told = if subscription.is_confirmed() || field(form, "ReturnSubscriptionArn") == Some("true") {
            &arn
        } else {
            PENDING
        };
        let mut xml = Xml::default();
        xml.text("SubscriptionArn", told);
        self.subscriptions.entry(arn).or_insert(subscription);
        Ok(xml)
    }

    pub(super) fn unsubscribe(&mut self, form: &Form) -> Answered<Xml> {
        self.subscriptions.remove(required(form, "SubscriptionArn")?);
        Ok(nothing())
    }

    pub(super) fn list_subscriptions(&self, call: Call, form: &Form) -> Answered<Xml> {
        let topic = field(form, "TopicArn");
        if topic.is_some_and(|arn| !self.topics.contains_key(arn)) {
            return Err(not_found("Topic"));
        }
        let wanted = self.subscriptions.iter().filter(|(_, one)| match topic {
            Some(arn) => one.topic == arn,
            None => is_of(&one.topic, call.caller),
        });
        let page = page(wanted, PAGE, field(form, "NextToken"), |(arn, _)| arn);
        let (found, next) = page.ok_or_else(|| invalid("NextToken"))?;
        let mut xml = Xml::of("Subscriptions", |xml| {
            for (arn, one) in found {
                xml.element("member", |xml| {
                    xml.text("SubscriptionArn", if one.is_confirmed() { arn } else { "PendingConfirmation" })
                        .text("Owner", &call.caller.account)
                        .text("Protocol", &one.protocol)
                        .text("Endpoint", &one.endpoint)
                        .text("TopicArn", &one.topic);
                });
            }
        });
        xml.maybe("NextToken", next);
        Ok(xml)
    }

    pub(super) fn subscription_attributes(&self, call: Call, form: &Form) -> Answered<Xml> {
        let arn = required(form, "SubscriptionArn")?;
        let one = self.subscriptions.get(arn).ok_or_else(|| not_found("Subscription"))?;
        let mut attributes = one.attributes.clone();
        for (name, value) in [
            ("SubscriptionArn", arn),
            ("TopicArn", &one.topic),
            ("Protocol", &one.protocol),
            ("Endpoint", &one.endpoint),
            ("Owner", &call.caller.account),
            ("PendingConfirmation", if one.is_confirmed() { "false" } else { "true" }),
        ] {
            attributes.insert(name.to_owned(), value.to_owned());
        }
        attributes.entry("RawMessageDelivery".to_owned()).or_insert_with(|| "false".to_owned());
        Ok(entries("Attributes", attributes.iter().map(|(name, value)| (name.as_str(), value.as_str()))))
    }

    pub(super) fn set_subscription_attribute(&mut self, form: &Form) -> Answered<Xml> {
        let one =
            self.subscriptions.get_mut(required(form, "SubscriptionArn")?).ok_or_else(|| not_found("Subscription"))?;
        one.set(required(form, "AttributeName")?, field(form, "AttributeValue").unwrap_or_default())?;
        Ok(nothing())
    }
}

impl Subscription {
    /// Queues and functions are subscribed at once; others confirm.
    pub(super) fn is_confirmed(&self) -> bool {
        matches!(self.protocol.as_str(), "sqs" | "lambda" | "firehose" | "sms" | "application")
    }

    fn is_like(&self, other: &Self) -> bool {
        (&self.topic, &self.protocol, &self.endpoint) == (&other.topic, &other.protocol, &other.endpoint)
    }

    fn set(&mut self, name: &str, value: &str) -> Answered<()> {
        if !OF_SUBSCRIPTIONS.contains(&name) {
            return Err(invalid("AttributeName"));
        }
        match name {
            "FilterPolicy" if value.is_empty() => self.policy = None,
            "FilterPolicy" => {
                self.policy = Policy::parse(value).map_err(|why| invalid(format!("FilterPolicy: {why}")))?
            }
            "RawMessageDelivery" if !["true", "false"].contains(&value) => {
                return Err(invalid(format!(
                    "Attributes Reason: RawMessageDelivery: Invalid value [{value}]. Must be true or false."
                )));
            }
            "RedrivePolicy" if !value.is_empty() && dead_letter(value).is_none() => {
                return Err(invalid("RedrivePolicy: deadLetterTargetArn is an invalid arn"));
            }
            _ => {}
        }
        self.attributes.insert(name.to_owned(), value.to_owned());
        Ok(())
    }
}

/// The queue of a redrive policy.
pub(super) fn dead_letter(policy: &str) -> Option<String> {
    let policy: serde_json::Value = serde_json::from_str(policy).ok()?;
    policy["deadLetterTargetArn"].as_str().filter(|arn| arn.starts_with("arn:aws:sqs:")).map(str::to_owned)
}

fn entries<'a>(name: &str, entries: impl Iterator<Item = (&'a str, &'a str)>) -> Xml {
    Xml::of(name, |xml| {
        for (key, value) in entries {
            xml.element("entry", |xml| {
                xml.text("key", key).text("value", value);
            });
        }
    })
}
