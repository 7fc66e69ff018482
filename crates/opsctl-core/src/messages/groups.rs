//! [`Groups`]: what sampled dead letters have in common, so that thousands of messages read as a few causes.

mod shape;
mod signature;
mod suggest;
mod words;

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use self::{
    shape::Keys,
    signature::{Looked, Signature, signatures},
};
use crate::domain::{Envelope, Message, MessageId, Text};

/// Groups shown at most; the rest is counted together.
pub const GROUPS_MAX: usize = 20;

/// Failure groups of a sample, largest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Groups {
    pub sampled: usize,
    /// At most [`GROUPS_MAX`].
    pub groups: Vec<Group>,
    /// Messages in groups that are not shown.
    pub other: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Queue that they died in, where SQS says so.
    pub source: Option<Text>,
    /// Error code, with the name that it has in the messages: `ErrorCode=200`.
    pub error: Option<Text>,
    /// Exception or error text, with `…` for what differs from message to message.
    pub exception: Option<Text>,
    /// Type of the events or jobs, where all have one: `order.created`.
    #[serde(rename = "type", default)]
    pub kind: Option<Text>,
    /// What they are wrapped in, from the outside in, where all are: `SNS, EventBridge`.
    #[serde(default)]
    pub envelope: Option<Text>,
    /// Keys that every content has where it is a JSON object, else `text`, `array`, ...
    pub shape: Text,
    pub count: usize,
    /// Part of the sample, 0 to 1.
    pub share: f64,
    /// When the first of them was sent.
    pub first_seen: Option<Timestamp>,
    /// When the last of them was sent.
    pub last_seen: Option<Timestamp>,
    pub example: MessageId,
    /// A filter that matches exactly these messages of the sample, where a short one exists.
    pub filter: Option<String>,
}

impl Groups {
    /// Groups a sample. Costs some milliseconds for each group: suggested filters are tried out on the sample. A team's own
    /// envelopes are looked into before the known ones.
    pub fn of(messages: &[Message], envelopes: &[Envelope]) -> Self {
        Self::with_members(messages, envelopes).0
    }

    /// Groups a sample, and says for each message in which of the groups it is; none for those of groups that are not shown.
    pub fn with_members(messages: &[Message], envelopes: &[Envelope]) -> (Self, Vec<Option<usize>>) {
        let looked: Vec<Looked> = messages.iter().map(|message| Looked::into(message, envelopes)).collect();
        let mut members: HashMap<Signature, Vec<usize>> = HashMap::new();
        for (at, signature) in signatures(&looked).into_iter().enumerate() {
            members.entry(signature).or_default().push(at);
        }
        let mut found: Vec<(Signature, Vec<usize>)> = members.into_iter().collect();
        // Ties in a fixed order, so that the same sample always reads the same.
        found.sort_by(|left, right| right.1.len().cmp(&left.1.len()).then_with(|| left.0.cmp(&right.0)));
        let other = found.iter().skip(GROUPS_MAX).map(|(_, members)| members.len()).sum();
        let mut group_of = vec![None; messages.len()];
        for (index, (_, members)) in found.iter().take(GROUPS_MAX).enumerate() {
            members.iter().for_each(|at| group_of[*at] = Some(index));
        }
        let groups = (0..found.len().min(GROUPS_MAX))
            .map(|index| {
                let filter = suggest::filter(messages, &found, index, envelopes);
                Group::new(messages, &looked, &found[index], filter)
            })
            .collect();
        (Self { sampled: messages.len(), groups, other }, group_of)
    }
}

impl Group {
    fn new(
        messages: &[Message],
        looked: &[Looked],
        (signature, members): &(Signature, Vec<usize>),
        filter: Option<String>,
    ) -> Self {
        let sent = || members.iter().filter_map(|at| messages[*at].system.sent_at);
        let own = || members.iter().map(|at| &looked[*at]);
        let keys: Vec<&Keys> = own().map(|looked| &looked.keys).collect();
        Self {
            source: signature.source.as_deref().map(Text::line),
            error: signature.code.as_ref().map(|(name, value)| Text::line(&format!("{name}={value}"))),
            exception: signature.error.as_deref().map(Text::line),
            kind: common(own().map(|looked| looked.opened.kind.clone().unwrap_or_default())),
            envelope: common(own().map(|looked| looked.opened.layers.join(", "))),
            shape: Text::line(&Keys::shown(&keys)),
            count: members.len(),
            share: members.len() as f64 / messages.len().max(1) as f64,
            first_seen: sent().min(),
            last_seen: sent().max(),
            example: messages[members[0]].id.clone(),
            filter,
        }
    }

    /// How its messages failed: the error's code and text, as far as they say it.
    pub fn failure(&self) -> Option<String> {
        match (&self.error, &self.exception) {
            (Some(error), Some(exception)) => Some(format!("{error}  {exception}")),
            (Some(only), None) | (None, Some(only)) => Some(only.to_string()),
            (None, None) => None,
        }
    }

    /// What its messages are: their type with what it is wrapped in, or what they look like.
    pub fn content(&self) -> String {
        match (&self.kind, &self.envelope) {
            (Some(kind), Some(envelope)) => format!("{kind} ({envelope})"),
            (Some(kind), None) => kind.to_string(),
            (None, Some(envelope)) => format!("{} ({envelope})", self.shape),
            (None, None) => self.shape.to_string(),
        }
    }
}

/// What all have, where it is one and says something.
fn common(mut texts: impl Iterator<Item = String>) -> Option<Text> {
    let first = texts.next().filter(|text| !text.is_empty())?;
    texts.all(|text| text == first).then(|| Text::line(&first))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::messages::{Filter, testing::message};

    /// Each suggested filter matches its own group's messages and no others.
    fn assert_exact(messages: &[Message], groups: &Groups) {
        for group in &groups.groups {
            let Some(text) = &group.filter else { continue };
            let filter = Filter::compile(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let matched = filter.matches_all(messages, Timestamp::UNIX_EPOCH);
            let count = matched.iter().filter(|answer| **answer == Ok(true)).count();
            assert_eq!(count, group.count, "{text}");
            let example = messages.iter().position(|message| message.id == group.example).expect("in the sample");
            assert_eq!(matched[example], Ok(true), "{text}");
        }
    }

    #[test]
    fn a_mixed_queue_reads_as_a_few_causes() {
        let mut messages = Vec::new();
        for number in 0..30 {
            let body = format!(
                r#"{{"orderId": {number}, "error": {{"message": "Timeout after {number} ms for 'o{number}'"}}}}"#
            );
            messages.push(
                message(&body).id(&format!("t{number}")).source("orders").sent_at("2026-11-21T01:00:00Z").build(),
            );
        }
        for number in 0..20 {
            let body = format!(r#"{{"orderId": {number}}}"#);
            messages
                .push(message(&body).id(&format!("n{number}")).source("orders").attribute("ErrorCode", "500").build());
            messages.push(message("plain").id(&format!("p{number}")).source("payments").build());
        }
        messages.push(message("ValueError: bad thing 17\nat x").id("v").sent_at("2026-11-21T02:00:00Z").build());
        messages.push(message(r#"{"orderId": 1, "extra": true}"#).id("e").source("orders").build());
        let groups = Groups::of(&messages, &[]);
        assert_exact(&messages, &groups);
        let lines: Vec<String> = groups
            .groups
            .iter()
            .map(|group| {
                let say = |text: &Option<Text>| text.clone().map_or("-".to_owned(), |text| text.to_string());
                let (source, error, exception) = (say(&group.source), say(&group.error), say(&group.exception));
                format!(
                    "{} | {source} | {error} | {exception} | {} | {}",
                    group.count,
                    group.shape,
                    group.filter.as_deref().unwrap_or("-")
                )
            })
            .collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        30 | orders | - | Timeout after … ms for '…' | {error.message orderId} | (.error // "" | test("^\\s*Timeout after \\S* ms for '[^']*'"))
        20 | orders | ErrorCode=500 | - | {orderId} | .code == "500"
        20 | payments | - | - | text | .source == "payments"
        1 | - | - | ValueError: bad thing … | text | (.error // "" | test("^\\s*ValueError: bad thing \\S*"))
        1 | orders | - | - | {extra orderId} | .source == "orders" and .code == null and .error == null and .type == null
        "#);
        assert_eq!(groups.groups[0].first_seen.map(|time| time.to_string()).as_deref(), Some("2026-11-21T01:00:00Z"));
    }

    /// Groups as `count title`, largest first.
    fn titles(messages: &[Message]) -> Vec<String> {
        let groups = Groups::of(messages, &[]);
        assert_exact(messages, &groups);
        let title = |group: &Group| group.failure().unwrap_or_else(|| group.content());
        groups.groups.iter().map(|group| format!("{} {}", group.count, title(group))).collect()
    }

    fn numbered(bodies: impl IntoIterator<Item = serde_json::Value>) -> Vec<Message> {
        let bodies = bodies.into_iter().enumerate();
        bodies.map(|(at, body)| message(&body.to_string()).id(&format!("m{at}")).source("orders").build()).collect()
    }

    #[test]
    fn messages_that_failed_alike_are_one_group_whatever_their_bodies_look_like() {
        let optional = (0..16).map(|bits| {
            let mut body = serde_json::json!({"orderId": bits, "ErrorMessage": format!("no stock for {bits}")});
            for (bit, name) in ["coupon", "note", "gift", "vat"].iter().enumerate() {
                if bits >> bit & 1 == 1 {
                    body[name] = serde_json::json!("x");
                }
            }
            body
        });
        assert_eq!(titles(&numbered(optional.clone())), ["16 no stock for …"]);
        // Without an error, and without a type, optional fields make no other group either.
        let silent = optional.map(|mut body| {
            body.as_object_mut().expect("an object").remove("ErrorMessage");
            body["customerId"] = serde_json::json!(7);
            body
        });
        assert_eq!(titles(&numbered(silent)), ["16 {customerId orderId …}"]);
        let maps =
            (0..9).map(|at| serde_json::json!({"lines": {format!("sku-{at}00{at}"): {"count": at}}, "orderId": at}));
        assert_eq!(titles(&numbered(maps)), ["9 {lines.* orderId}"]);
        let names = ["anna", "bert", "cleo", "dora", "emil", "fred", "gina", "hans", "ines"];
        let maps = names.iter().map(|name| serde_json::json!({"shares": {*name: 1}, "total": 1}));
        assert_eq!(titles(&numbered(maps)), ["9 {total …}"]);
    }

    #[test]
    fn a_word_or_a_key_that_differs_in_each_message_is_data() {
        let names = ["anna", "bert", "cleo", "dora", "emil"];
        let errors = names.iter().map(|name| serde_json::json!({"error": format!("no account for {name}@x.y here")}));
        assert_eq!(titles(&numbered(errors)), ["5 no account for … here"]);
        let roots = ["a-x", "b-y", "c-z", "d-u", "e-v", "f-w"].iter().map(|key| serde_json::json!({*key: 1}));
        assert_eq!(titles(&numbered(roots)), ["6 {…}"]);
    }

    #[test]
    fn without_an_error_the_type_tells() {
        let kind = |at: usize| ["order.created", "order.cancelled", "order.paid"][at % 3];
        let events =
            (0..9).map(|at| serde_json::json!({"eventType": kind(at), kind(at): at, "extra": {format!("f{at}"): 1}}));
        assert_eq!(titles(&numbered(events)), ["3 order.cancelled", "3 order.created", "3 order.paid"]);
        // A field that is called a type and is another one in each message is none.
        let odd = (0..9).map(
            |at| serde_json::json!({"type": format!("customer-{}", "abcdefghi".as_bytes()[at] as char), "id": at}),
        );
        assert_eq!(titles(&numbered(odd)), ["9 {id type}"]);
        // A status alone is no cause.
        let mut codes = numbered((0..4).map(|at| serde_json::json!({"eventType": kind(at % 2), "errorCode": "500"})));
        assert_eq!(titles(&codes), ["2 errorCode=500", "2 errorCode=500"]);
        codes = numbered((0..4).map(|at| serde_json::json!({"eventType": kind(at % 2), "errorCode": "NO_STOCK"})));
        assert_eq!(titles(&codes), ["4 errorCode=NO_STOCK"]);
    }

    #[test]
    fn a_group_says_its_type_and_what_wraps_it() {
        let wrapped = |kind: &str| {
            let inner = serde_json::json!({"detail-type": kind, "source": "shop", "detail": {"id": 1}});
            serde_json::json!({"Type": "Notification", "TopicArn": "arn:aws:sns:x:1:t", "Message": inner.to_string()})
        };
        let messages = numbered([wrapped("Order Placed"), wrapped("Order Placed"), wrapped("Order Paid")]);
        assert_eq!(titles(&messages), ["2 Order Placed (SNS, EventBridge)", "1 Order Paid (SNS, EventBridge)"]);
    }

    #[test]
    fn the_number_of_groups_is_bounded() {
        let messages: Vec<Message> =
            (0..200).map(|at| message("x").id(&at.to_string()).source(&format!("q{at:03}")).build()).collect();
        let groups = Groups::of(&messages, &[]);
        assert_eq!((groups.groups.len(), groups.other, groups.sampled), (GROUPS_MAX, 200 - GROUPS_MAX, 200));
        assert_exact(&messages, &groups);
        assert_eq!(Groups::of(&[], &[]).groups, []);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn hostile_messages_are_grouped_and_filters_stay_exact(
            bodies in prop::collection::vec(prop_oneof![
                ".{0,40}",
                "[A-Za-z]{1,8}Error: [ -~]{0,30}",
                "[a-z\"\\\\.]{1,5}".prop_map(|key| serde_json::json!({ key: {"error": "x\u{1b}[1m"} }).to_string()),
                "[ -~é…\u{202e}]{0,20}".prop_map(|text| serde_json::json!({ "exception": text }).to_string()),
            ], 1..24),
            attribute in "[ -~\u{202e}\"]{0,12}",
        ) {
            let messages: Vec<Message> = bodies.iter().enumerate().map(|(at, body)| {
                let built = message(body).id(&format!("m{at}"));
                if at % 3 == 0 { built.attribute("ErrorCode", &attribute).build() } else { built.build() }
            }).collect();
            let groups = Groups::of(&messages, &[]);
            assert_exact(&messages, &groups);
            let total: usize = groups.groups.iter().map(|group| group.count).sum();
            prop_assert_eq!(total + groups.other, messages.len());
            prop_assert!(groups.groups.iter().filter_map(|group| group.filter.as_ref()).all(|filter| filter.is_ascii()));
        }
    }
}
