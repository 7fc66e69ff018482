//! Message templates: text with `${...}` in it, rendered from a seed.
//!
//! | Written | Becomes |
//! | --- | --- |
//! | `${n}` | a counter |
//! | `${int 1 500}` | a whole number, both ends included |
//! | `${pick a\|b\|c}` | one of the words |
//! | `${hex 12}`, `${uuid}` | random digits, a random UUID |
//! | `${time}`, `${ms}` | the message's time, ISO 8601 or in milliseconds since 1970 |
//! | `${env}`, `${account}`, `${region}` | where the queue is |
//! | `${name}` | a variable of the template |

use std::fmt::Write;

use fastrand::Rng;
use jiff::Timestamp;

#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Plain(String),
    Counter,
    Int(i64, i64),
    Pick(Vec<String>),
    Hex(usize),
    Uuid,
    Time,
    Milliseconds,
    Environment,
    Account,
    Region,
    /// Index into the variables.
    Variable(usize),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub environment: String,
    pub account: String,
    pub region: String,
}

/// What the holes of one message are filled from.
#[derive(Debug)]
pub struct Fill<'a> {
    pub count: u64,
    pub at: Timestamp,
    pub place: &'a Place,
    /// Values of the variables, in their order.
    pub variables: &'a [String],
}

impl Template {
    /// Reads a template; `variables` are the names that `${name}` may stand for.
    ///
    /// # Errors
    /// A hole that is not closed, not known, or wrongly filled: says which.
    pub fn parse(text: &str, variables: &[&str]) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, hole)) = rest.split_once("${") {
            let (hole, after) = hole.split_once('}').ok_or_else(|| format!("`${{{hole}` is not closed"))?;
            if !before.is_empty() {
                parts.push(Part::Plain(before.to_owned()));
            }
            parts.push(part(hole, variables)?);
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Plain(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    pub fn render(&self, random: &mut Rng, fill: &Fill<'_>) -> String {
        let mut text = String::with_capacity(256);
        for part in &self.parts {
            render_part(part, &mut text, random, fill);
        }
        text
    }
}

fn part(hole: &str, variables: &[&str]) -> Result<Part, String> {
    let (word, rest) = hole.split_once(' ').unwrap_or((hole, ""));
    let part = match word {
        "n" => Part::Counter,
        "uuid" => Part::Uuid,
        "time" => Part::Time,
        "ms" => Part::Milliseconds,
        "env" => Part::Environment,
        "account" => Part::Account,
        "region" => Part::Region,
        "pick" if !rest.is_empty() => Part::Pick(rest.split('|').map(str::to_owned).collect()),
        "hex" => Part::Hex(rest.parse().ok().filter(|digits| (1..=64).contains(digits)).ok_or_else(|| wrong(hole))?),
        "int" => {
            let (low, high) = rest.split_once(' ').ok_or_else(|| wrong(hole))?;
            let (low, high) = (low.parse().map_err(|_| wrong(hole))?, high.parse().map_err(|_| wrong(hole))?);
            if low > high {
                return Err(wrong(hole));
            }
            Part::Int(low, high)
        }
        name => {
            let index = variables.iter().position(|variable| *variable == name).ok_or_else(|| wrong(hole))?;
            Part::Variable(index)
        }
    };
    Ok(part)
}

fn wrong(hole: &str) -> String {
    format!(
        "`${{{hole}}}` is neither a known word nor a variable; try n, int 1 9, pick a|b, hex 8, uuid, time, ms, env"
    )
}

fn render_part(part: &Part, text: &mut String, random: &mut Rng, fill: &Fill<'_>) {
    match part {
        Part::Plain(plain) => text.push_str(plain),
        Part::Counter => push(text, fill.count),
        Part::Int(low, high) => push(text, random.i64(low..=high)),
        Part::Pick(words) => text.push_str(&words[random.usize(..words.len())]),
        Part::Hex(digits) => push_hex(text, random, *digits),
        Part::Uuid => push_uuid(text, random),
        Part::Time => push(text, fill.at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ")),
        Part::Milliseconds => push(text, fill.at.as_millisecond()),
        Part::Environment => text.push_str(&fill.place.environment),
        Part::Account => text.push_str(&fill.place.account),
        Part::Region => text.push_str(&fill.place.region),
        Part::Variable(index) => text.push_str(fill.variables.get(*index).map_or("", String::as_str)),
    }
}

fn push(text: &mut String, value: impl std::fmt::Display) {
    write!(text, "{value}").expect("a String takes all that is written to it");
}

fn push_hex(text: &mut String, random: &mut Rng, digits: usize) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut bits = 0;
    for count in 0..digits {
        if count % 16 == 0 {
            bits = random.u64(..);
        }
        text.push(char::from(DIGITS[(bits & 15) as usize]));
        bits >>= 4;
    }
}

fn push_uuid(text: &mut String, random: &mut Rng) {
    for (count, digits) in [8, 4, 3, 3, 12].into_iter().enumerate() {
        text.push_str(["", "-", "-4", "-a", "-"][count]);
        push_hex(text, random, digits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(text: &str, seed: u64) -> String {
        let place = Place { environment: "dev".into(), account: "111111111111".into(), region: "af-south-1".into() };
        let template = Template::parse(text, &["order"]).expect("a template");
        let fill = Fill { count: 4, at: Timestamp::UNIX_EPOCH, place: &place, variables: &["O-1".to_owned()] };
        template.render(&mut Rng::with_seed(seed), &fill)
    }

    #[test]
    fn holes_are_filled() {
        assert_eq!(
            render("{\"id\":${n},\"order\":\"${order}\",\"env\":\"${env}\"}", 1),
            r#"{"id":4,"order":"O-1","env":"dev"}"#
        );
        assert_eq!(render("${time} ${ms}", 1), "1970-01-01T00:00:00.000Z 0");
        assert_eq!(render("${uuid}", 1).len(), 36);
    }

    #[test]
    fn a_seed_decides() {
        let text = "${uuid} ${int 1 1000000} ${pick a|b|c} ${hex 20}";
        assert_eq!(render(text, 7), render(text, 7));
        assert_ne!(render(text, 7), render(text, 8));
    }

    #[test]
    fn wrong_holes_are_named() {
        for text in ["${", "${nothing}", "${int 5 1}", "${hex 0}", "${pick }"] {
            assert!(Template::parse(text, &[]).is_err(), "{text}");
        }
    }
}
