//! A filter for a group: the fewest conditions that tell it from the others, tried out on the sample.

use jiff::Timestamp;

use super::{
    shape::{ANY, Shape},
    signature::Signature,
};
use crate::{
    domain::{Envelope, Message, template},
    messages::{Filter, json::quoted as quote},
};

/// Groups small enough to be named message by message, where nothing else tells them apart.
const IDS_MAX: usize = 10;
const FILTER_BYTES_MAX: usize = 600;

/// A filter that matches exactly group `index` of the sample.
pub(super) fn filter(
    messages: &[Message],
    groups: &[(Signature, Vec<usize>)],
    index: usize,
    envelopes: &[Envelope],
) -> Option<String> {
    let (own, members) = &groups[index];
    let others: Vec<&Signature> = groups.iter().map(|(signature, _)| signature).filter(|other| *other != own).collect();
    let telling = join(own, &telling(own, &others), &others);
    let by_source = join(own, &[Part::Source], &others);
    let full = join(own, &[Part::Source, Part::Code, Part::Error, Part::Kind], &others);
    let ids = (members.len() <= IDS_MAX).then(|| {
        let ids: Vec<String> = members.iter().map(|at| quote(&messages[*at].id.0)).collect();
        format!(".id | IN({})", ids.join(", "))
    });
    // What an error or a type says is the better question to messages outside of the sample.
    let says_why = own.shape == Shape::Told;
    let (first, last) = if says_why { (telling, by_source) } else { (by_source, telling) };
    let mut candidates = [Some(first), Some(full), Some(last), ids].into_iter().flatten();
    candidates.find(|text| is_exact(text, messages, members, envelopes))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Source,
    Code,
    Error,
    Kind,
}

/// What tells it from every other group as far as error, code, type and source can; a reader wants the first of them.
fn telling(own: &Signature, others: &[&Signature]) -> Vec<Part> {
    let differs = |part: Part, other: &Signature| match part {
        Part::Source => other.source != own.source,
        Part::Code => other.code != own.code,
        Part::Error => other.error != own.error,
        // Where an error tells, its messages may be of any type.
        Part::Kind => own.error.is_none() && other.kind != own.kind,
    };
    let preferred = [
        (Part::Error, own.error.is_some()),
        (Part::Code, own.code.is_some()),
        (Part::Kind, own.kind.is_some()),
        (Part::Source, true),
        (Part::Error, true),
        (Part::Code, true),
        (Part::Kind, own.error.is_none()),
    ];
    let mut alike: Vec<&Signature> = others.to_vec();
    let mut parts = Vec::new();
    for (part, is_useful) in preferred {
        let helps = is_useful && !parts.contains(&part) && alike.iter().any(|other| differs(part, other));
        if helps || (parts.is_empty() && part == Part::Source) {
            parts.push(part);
            alike.retain(|other| !differs(part, other));
        }
    }
    parts
}

fn join(own: &Signature, parts: &[Part], others: &[&Signature]) -> String {
    let told = |part: &&Part| **part != Part::Kind || own.error.is_none();
    let mut conditions: Vec<String> = parts.iter().filter(told).map(|part| condition(own, *part)).collect();
    let alike = others.iter().filter(|other| parts.iter().all(|part| condition(own, *part) == condition(other, *part)));
    for other in alike {
        let condition = unlike(&own.shape, &other.shape);
        if condition.as_ref().is_some_and(|condition| !conditions.contains(condition)) {
            conditions.extend(condition);
        }
    }
    conditions.join(" and ")
}

fn condition(own: &Signature, part: Part) -> String {
    let is = |field: &str, value: Option<&str>| match value {
        Some(value) => format!("{field} == {}", quote(value)),
        None => format!("{field} == null"),
    };
    match part {
        Part::Source => is(".source", own.source.as_deref()),
        Part::Code => is(".code", own.code.as_ref().map(|(_, code)| code.as_str())),
        Part::Kind => is(".type", own.kind.as_deref()),
        Part::Error => match &own.error {
            Some(error) => format!("(.error // \"\" | test({}))", quote(&template::pattern(error))),
            None => ".error == null".to_owned(),
        },
    }
}

/// A condition that one shape meets and the other does not.
fn unlike(own: &Shape, other: &Shape) -> Option<String> {
    let has = |key: &String| format!("(.content | has({}))?", quote(key));
    let named = |key: &&String| *key != ANY;
    match (own, other) {
        (Shape::Object(keys), Shape::Object(others)) => {
            match (keys.difference(others).find(named), others.difference(keys).find(named)) {
                (Some(key), _) => Some(format!("({})", has(key))),
                (None, Some(key)) => Some(format!("({} // false | not)", has(key))),
                (None, None) => None,
            }
        }
        (Shape::Object(_), Shape::Other(_)) => Some(r#"(.content | type == "object")"#.to_owned()),
        (Shape::Other(kind), Shape::Object(_) | Shape::Other(_)) => {
            Some(format!("(.content | type == {})", quote(kind)))
        }
        (Shape::Told, _) | (_, Shape::Told) => None,
    }
}

fn is_exact(text: &str, messages: &[Message], members: &[usize], envelopes: &[Envelope]) -> bool {
    if text.is_empty() || text.len() > FILTER_BYTES_MAX {
        return false;
    }
    let Ok(filter) = Filter::compile(text) else { return false };
    let answers = filter.seeing(envelopes).matches_all(messages, Timestamp::UNIX_EPOCH);
    let matched = answers.iter().enumerate().filter(|(_, answer)| **answer == Ok(true)).map(|(at, _)| at);
    matched.eq(members.iter().copied())
}
