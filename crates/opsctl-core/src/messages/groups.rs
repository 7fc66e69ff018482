//! [`Groups`]: what sampled dead letters have in common, so that thousands of messages read as a few causes.

mod signature;
mod suggest;

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use self::signature::Signature;
use crate::domain::{Message, MessageId, Text};

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
    /// Error code that an attribute gives, with the attribute's name: `ErrorCode=200`.
    pub error: Option<Text>,
    /// Exception or error text, with `…` for what differs from message to message.
    pub exception: Option<Text>,
    /// Keys of the body where it is a JSON object, else `text`, `array`, ...
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
    /// Groups a sample. Costs some milliseconds for each group: suggested filters are tried out on the sample.
    pub fn of(messages: &[Message]) -> Self {
        Self::with_members(messages).0
    }

    /// Groups a sample, and says for each message in which of the groups it is; none for those of groups that are not shown.
    pub fn with_members(messages: &[Message]) -> (Self, Vec<Option<usize>>) {
        let mut members: HashMap<Signature, Vec<usize>> = HashMap::new();
        for (at, message) in messages.iter().enumerate() {
            members.entry(Signature::of(message)).or_default().push(at);
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
                Group::new(messages, &found[index].0, &found[index].1, suggest::filter(messages, &found, index))
            })
            .collect();
        (Self { sampled: messages.len(), groups, other }, group_of)
    }
}

impl Group {
    fn new(messages: &[Message], signature: &Signature, members: &[usize], filter: Option<String>) -> Self {
        let sent = || members.iter().filter_map(|at| messages[*at].system.sent_at);
        Self {
            source: signature.source.as_deref().map(Text::line),
            error: signature.error.as_ref().map(|(name, value)| Text::line(&format!("{name}={value}"))),
            exception: signature.exception.as_ref().map(|exception| Text::line(&exception.template)),
            shape: Text::line(&signature.shape.to_string()),
            count: members.len(),
            share: members.len() as f64 / messages.len().max(1) as f64,
            first_seen: sent().min(),
            last_seen: sent().max(),
            example: messages[members[0]].id.clone(),
            filter,
        }
    }
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
        let groups = Groups::of(&messages);
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
        30 | orders | - | Timeout after … ms for '…' | {error.message orderId} | (.body.error?.message? | tostring | test("^\\s*Timeout after \\S* ms for '[^']*'"))
        20 | orders | ErrorCode=500 | - | {orderId} | (.attributes.ErrorCode | tostring) == "500"
        20 | payments | - | - | text | .source == "payments"
        1 | - | - | ValueError: bad thing … | text | (.text | test("^\\s*ValueError: bad thing \\S*"))
        1 | orders | - | - | {extra orderId} | .source == "orders" and ((.body | has("extra"))?)
        "#);
        assert_eq!(groups.groups[0].first_seen.map(|time| time.to_string()).as_deref(), Some("2026-11-21T01:00:00Z"));
    }

    #[test]
    fn the_number_of_groups_is_bounded() {
        let messages: Vec<Message> =
            (0..200).map(|at| message("x").id(&at.to_string()).source(&format!("q{at:03}")).build()).collect();
        let groups = Groups::of(&messages);
        assert_eq!((groups.groups.len(), groups.other, groups.sampled), (GROUPS_MAX, 200 - GROUPS_MAX, 200));
        assert_exact(&messages, &groups);
        assert_eq!(Groups::of(&[]).groups, []);
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
            let groups = Groups::of(&messages);
            assert_exact(&messages, &groups);
            let total: usize = groups.groups.iter().map(|group| group.count).sum();
            prop_assert_eq!(total + groups.other, messages.len());
            prop_assert!(groups.groups.iter().filter_map(|group| group.filter.as_ref()).all(|filter| filter.is_ascii()));
        }
    }
}
