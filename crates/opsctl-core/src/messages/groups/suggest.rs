//! A filter for a group: the fewest conditions that tell it from the others, tried out on the sample.

use jiff::Timestamp;

use super::signature::{Exception, Place, Shape, Signature};
use crate::{
    domain::{Message, template},
    messages::{Filter, json::quoted as quote},
};

/// Groups small enough to be named message by message, where nothing else tells them apart.
const IDS_MAX: usize = 10;
const FILTER_BYTES_MAX: usize = 600;

/// A filter that matches exactly group `index` of the sample.
pub(super) fn filter(messages: &[Message], groups: &[(Signature, Vec<usize>)], index: usize) -> Option<String> {
    let (own, members) = &groups[index];
    let others: Vec<&Signature> = groups.iter().map(|(signature, _)| signature).filter(|other| *other != own).collect();
    let telling = join(own, &telling(own, &others), &others);
    let by_shape = join(own, &[Part::Source], &others);
    let full = join(own, &[Part::Source, Part::Error, Part::Exception], &others);
    let ids = (members.len() <= IDS_MAX).then(|| {
        let ids: Vec<String> = members.iter().map(|at| quote(&messages[*at].id.0)).collect();
        format!(".id | IN({})", ids.join(", "))
    });
    // What an error says is the better question to messages outside of the sample.
    let says_why = own.exception.is_some() || own.error.is_some();
    let (first, last) = if says_why { (telling, by_shape) } else { (by_shape, telling) };
    let mut candidates = [Some(first), Some(full), Some(last), ids].into_iter().flatten();
    candidates.find(|text| is_exact(text, messages, members))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Source,
    Error,
    Exception,
}

/// What tells it from every other group as far as source, error and exception can; a reader wants the last first.
fn telling(own: &Signature, others: &[&Signature]) -> Vec<Part> {
    let differs = |part: Part, other: &Signature| match part {
        Part::Source => other.source != own.source,
        Part::Error => other.error != own.error,
        Part::Exception => other.exception != own.exception,
    };
    let preferred = [
        (Part::Exception, own.exception.is_some()),
        (Part::Error, own.error.is_some()),
        (Part::Source, true),
        (Part::Exception, true),
        (Part::Error, true),
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
    let mut conditions: Vec<String> = parts.iter().map(|part| condition(own, *part)).collect();
    let alike = others.iter().filter(|other| parts.iter().all(|part| condition(own, *part) == condition(other, *part)));
    for other in alike {
        let condition = unlike(&own.shape, &other.shape);
        if !conditions.contains(&condition) {
            conditions.push(condition);
        }
    }
    conditions.join(" and ")
}

fn condition(own: &Signature, part: Part) -> String {
    match part {
        Part::Source => match &own.source {
            Some(name) => format!(".source == {}", quote(name)),
            None => ".source == null".to_owned(),
        },
        Part::Error => match &own.error {
            Some((name, value)) => format!("(.attributes{} | tostring) == {}", key(name), quote(value)),
            None => r#"(.attributes | keys | any(test("^(error_?code|exception_?type|error_?type)$"; "i")) | not)"#
                .to_owned(),
        },
        Part::Exception => match &own.exception {
            Some(exception) => fits(exception),
            None => r#"(.text | test("exception|error|timeout|failed"; "i") | not)"#.to_owned(),
        },
    }
}

fn fits(Exception { place, template }: &Exception) -> String {
    let field = match place {
        Place::Attribute(name) => format!(".attributes{}", key(name)),
        Place::Body(path) => format!(".body{}", path.iter().map(|name| key(name) + "?").collect::<String>()),
        Place::Text => ".text".to_owned(),
    };
    let to_text = if *place == Place::Text { "" } else { " | tostring" };
    format!("({field}{to_text} | test({}))", quote(&template::pattern(template)))
}

/// A condition that one shape meets and the other does not.
fn unlike(own: &Shape, other: &Shape) -> String {
    let has = |path: &[String]| {
        let (last, before) = path.split_last().expect("a shape's paths have at least one key");
        let before: String = before.iter().map(|name| key(name)).collect();
        format!("(.body{before} | has({}))?", quote(last))
    };
    match (own, other) {
        (Shape::Object(keys), Shape::Object(others)) => {
            match (keys.difference(others).next(), others.difference(keys).next()) {
                (Some(path), _) => format!("({})", has(path)),
                (None, Some(path)) => format!("({} // false | not)", has(path)),
                (None, None) => "true".to_owned(),
            }
        }
        (Shape::Object(_), Shape::Other(_)) => r#"(.body | type == "object")"#.to_owned(),
        (Shape::Other(kind), Shape::Object(_) | Shape::Other(_)) => format!("(.body | type == {})", quote(kind)),
    }
}

/// `.name`, or `["any text"]`.
fn key(name: &str) -> String {
    let starts_well = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let is_plain = starts_well && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_plain { format!(".{name}") } else { format!("[{}]", quote(name)) }
}

fn is_exact(text: &str, messages: &[Message], members: &[usize]) -> bool {
    if text.len() > FILTER_BYTES_MAX {
        return false;
    }
    let Ok(filter) = Filter::compile(text) else { return false };
    let answers = filter.matches_all(messages, Timestamp::UNIX_EPOCH);
    let matched = answers.iter().enumerate().filter(|(_, answer)| **answer == Ok(true)).map(|(at, _)| at);
    matched.eq(members.iter().copied())
}
