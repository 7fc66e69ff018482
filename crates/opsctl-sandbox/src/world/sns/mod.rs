//! SNS on the pure world: topics whose messages go to queues, with filter policies, raw delivery, redrive policies, and FIFO topics.
//!
//! Other protocols can be subscribed and wait for their confirmation; nothing is delivered to them. A queue's policy is not asked
//! whether SNS may send to it.

mod fields;
mod filter;
mod publish;
#[cfg(test)]
mod tests;
mod topics;

use std::collections::BTreeMap;

use super::{
    ApiError, Caller,
    call::told,
    rds::Xml,
    service::{Protocol, ServiceDef},
};
pub(super) use filter::Policy;

#[derive(Debug, Default)]
pub struct Topics {
    /// By ARN.
    topics: BTreeMap<String, Topic>,
    /// By ARN.
    subscriptions: BTreeMap<String, Subscription>,
    made: u64,
}

#[derive(Debug, Default)]
struct Topic {
    is_fifo: bool,
    attributes: BTreeMap<String, String>,
    tags: BTreeMap<String, String>,
    /// FIFO: ids of the last five minutes, when they came and the message that had them.
    seen: Vec<(i64, String, String)>,
    sequence: u64,
}

#[derive(Debug)]
struct Subscription {
    topic: String,
    protocol: String,
    endpoint: String,
    attributes: BTreeMap<String, String>,
    policy: Option<Policy>,
}

pub(super) static SERVICE: ServiceDef = ServiceDef {
    protocol: Protocol::Query { version: "2010-03-31", namespace: "http://sns.amazonaws.com/doc/2010-03-31/" },
    throttled: (429, "Throttled"),
    subject: |input| {
        let named =
            ["TopicArn", "SubscriptionArn", "TargetArn", "ResourceArn"].iter().find_map(|name| input.fields.get(*name));
        let topic = named.and_then(|arn| arn.split(':').nth(5)).map(str::to_owned);
        topic.or_else(|| input.fields.get("Name").cloned())
    },
    ..ServiceDef::new(
        "sns",
        &[
            ("CreateTopic", |world, call, input| told(world.sns.create_topic(call, &input.fields))),
            ("DeleteTopic", |world, _, input| told(world.sns.delete_topic(&input.fields))),
            ("ListTopics", |world, call, input| told(world.sns.list_topics(call, &input.fields))),
            ("GetTopicAttributes", |world, call, input| told(world.sns.topic_attributes(call, &input.fields))),
            ("SetTopicAttributes", |world, _, input| told(world.sns.set_topic_attributes(&input.fields))),
            ("ListTagsForResource", |world, _, input| told(world.sns.list_tags(&input.fields))),
            ("Subscribe", |world, _, input| told(world.sns.subscribe(&input.fields))),
            ("Unsubscribe", |world, _, input| told(world.sns.unsubscribe(&input.fields))),
            ("ListSubscriptions", |world, call, input| told(world.sns.list_subscriptions(call, &input.fields))),
            ("ListSubscriptionsByTopic", |world, call, input| told(world.sns.list_subscriptions(call, &input.fields))),
            ("GetSubscriptionAttributes", |world, call, input| {
                told(world.sns.subscription_attributes(call, &input.fields))
            }),
            ("SetSubscriptionAttributes", |world, _, input| told(world.sns.set_subscription_attribute(&input.fields))),
            ("Publish", |world, call, input| told(world.publish(call, &input.fields))),
            ("PublishBatch", |world, call, input| told(world.publish_batch(call, &input.fields))),
        ],
    )
};

fn invalid(what: impl std::fmt::Display) -> ApiError {
    ApiError::plain(400, "InvalidParameter", format!("Invalid parameter: {what}"))
}

fn not_found(what: &str) -> ApiError {
    ApiError::plain(404, "NotFound", format!("{what} does not exist"))
}

fn topic_arn(caller: &Caller, name: &str) -> String {
    format!("arn:aws:sns:{}:{}:{name}", caller.region, caller.account)
}

fn is_of(arn: &str, caller: &Caller) -> bool {
    arn.starts_with(&topic_arn(caller, ""))
}

/// An answer without a result.
fn nothing() -> Xml {
    Xml::default()
}
