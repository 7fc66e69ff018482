//! A query as steps.

use regex_lite::Regex;

/// Steps of a query, and commands of one, at most.
const STEPS_MAX: usize = 50;

#[derive(Debug, Clone)]
pub(super) enum Step {
    Fields(Vec<String>),
    Filter(Vec<Condition>),
    /// A field, what stands between its holes, and their names.
    Parse(String, Regex, Vec<String>),
    Stats(Vec<Aggregate>, Vec<Key>),
    Sort(Vec<(String, bool)>),
    Limit(usize),
    Dedup(Vec<String>),
}

#[derive(Debug, Clone)]
pub(super) struct Condition {
    pub(super) field: String,
    pub(super) operator: Operator,
    pub(super) values: Vec<String>,
}

#[derive(Debug, Clone)]
pub(super) enum Operator {
    Equals,
    Differs,
    Above,
    AtLeast,
    Below,
    AtMost,
    In,
    Like(Regex),
    NotLike(Regex),
    IsPresent,
}

#[derive(Debug, Clone)]
pub(super) struct Aggregate {
    pub(super) function: String,
    pub(super) field: String,
    pub(super) name: String,
}

#[derive(Debug, Clone)]
pub(super) enum Key {
    Field(String),
    /// A time of so many milliseconds, and what it is called.
    Bin(i64, String),
}

pub(super) fn read(text: &str) -> Result<Vec<Step>, String> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    let parts = split(&lines.join("\n"), '|');
    if parts.len() > STEPS_MAX {
        return Err(format!("a query has at most {STEPS_MAX} commands"));
    }
    parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty()).map(step).collect()
}

fn step(text: &str) -> Result<Step, String> {
    let (command, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = rest.trim();
    let names = || {
        split(rest, ',').iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect::<Vec<_>>()
    };
    Ok(match command.to_ascii_lowercase().as_str() {
        "fields" | "display" => Step::Fields(names()),
        "filter" => Step::Filter(conditions(rest)?),
        "parse" => parse(rest)?,
        "stats" => stats(rest)?,
        "sort" => Step::Sort(names().iter().map(|name| ordered(name)).collect()),
        "limit" | "head" => Step::Limit(rest.parse().map_err(|_| format!("limit takes a number, not {rest:?}"))?),
        "dedup" => Step::Dedup(names()),
        _ => return Err(format!("unexpected symbol found {command} at line 1 and position 1")),
    })
}

fn ordered(name: &str) -> (String, bool) {
    match name.rsplit_once(char::is_whitespace) {
        Some((field, order)) if order.eq_ignore_ascii_case("desc") => (field.trim().to_owned(), true),
        Some((field, order)) if order.eq_ignore_ascii_case("asc") => (field.trim().to_owned(), false),
        Some(_) | None => (name.to_owned(), false),
    }
}

fn conditions(text: &str) -> Result<Vec<Condition>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = outside(rest, " and ") {
        parts.push(&rest[..at]);
        rest = &rest[at + " and ".len()..];
    }
    parts.push(rest);
    parts.into_iter().map(|part| condition(part.trim())).collect()
}

/// Where a word stands outside of quotes, in either case.
fn outside(text: &str, word: &str) -> Option<usize> {
    let lower = text.to_ascii_lowercase();
    let mut quote = None;
    for (at, character) in text.char_indices() {
        match quote {
            Some(open) if open == character => quote = None,
            Some(_) => {}
            None if matches!(character, '"' | '\'' | '/') => quote = Some(character),
            None if lower[at..].starts_with(word) => return Some(at),
            None => {}
        }
    }
    None
}

fn condition(text: &str) -> Result<Condition, String> {
    let text = text.trim_matches(|character| character == '(' || character == ')');
    if let Some(field) = text.strip_prefix("ispresent(") {
        return Ok(Condition { field: field.to_owned(), operator: Operator::IsPresent, values: Vec::new() });
    }
    for (word, negates) in [(" not like ", true), (" like ", false), (" =~ ", false)] {
        if let Some(at) = outside(text, word) {
            let pattern = regex(text[at + word.len()..].trim())?;
            let operator = if negates { Operator::NotLike(pattern) } else { Operator::Like(pattern) };
            return Ok(Condition { field: text[..at].trim().to_owned(), operator, values: Vec::new() });
        }
    }
    if let Some(at) = outside(text, " in ") {
        let inside = text[at + 4..].trim().trim_start_matches('[').trim_end_matches(']');
        let values = split(inside, ',').iter().map(|value| unquoted(value.trim())).collect();
        return Ok(Condition { field: text[..at].trim().to_owned(), operator: Operator::In, values });
    }
    for (mark, operator) in [
        ("!=", Operator::Differs),
        (">=", Operator::AtLeast),
        ("<=", Operator::AtMost),
        (">", Operator::Above),
        ("<", Operator::Below),
        ("=", Operator::Equals),
    ] {
        if let Some(at) = outside(text, mark) {
            let values = vec![unquoted(text[at + mark.len()..].trim())];
            return Ok(Condition { field: text[..at].trim().to_owned(), operator, values });
        }
    }
    Err(format!("the filter {text:?} is not understood here"))
}

/// `/pattern/`, or a text that must be in it.
fn regex(text: &str) -> Result<Regex, String> {
    let pattern = match text.strip_prefix('/').and_then(|inside| inside.strip_suffix('/')) {
        Some(pattern) => pattern.to_owned(),
        None => regex_lite::escape(&unquoted(text)),
    };
    Regex::new(&pattern).map_err(|error| error.to_string())
}

/// `parse @message "from * to *" as a, b`.
fn parse(text: &str) -> Result<Step, String> {
    let at = outside(text, " as ").ok_or("parse needs names after `as`")?;
    let names: Vec<String> = split(&text[at + 4..], ',').iter().map(|name| name.trim().to_owned()).collect();
    let (field, glob) = match text[..at].split_once(char::is_whitespace) {
        Some((field, glob)) if !field.starts_with(['"', '\'']) => (field, glob),
        Some(_) | None => ("@message", &text[..at]),
    };
    let glob = unquoted(glob.trim());
    let parts: Vec<String> = glob.split('*').map(regex_lite::escape).collect();
    if parts.len() != names.len() + 1 {
        return Err(format!("parse has {} holes and {} names", parts.len() - 1, names.len()));
    }
    let pattern = parts.join("(.*?)") + if glob.ends_with('*') { "$" } else { "" };
    let pattern = Regex::new(&pattern).map_err(|error| error.to_string())?;
    Ok(Step::Parse(field.to_owned(), pattern, names))
}

fn stats(text: &str) -> Result<Step, String> {
    let (functions, keys) = match outside(text, " by ") {
        Some(at) => (&text[..at], &text[at + 4..]),
        None => (text, ""),
    };
    let aggregate = |text: &String| {
        let (call, name) = match outside(text, " as ") {
            Some(at) => (text[..at].trim(), text[at + 4..].trim().to_owned()),
            None => (text.trim(), text.trim().to_owned()),
        };
        let (function, field) = call.split_once('(').ok_or_else(|| format!("{call:?} is no function"))?;
        let function = function.trim().to_ascii_lowercase();
        if !["count", "count_distinct", "sum", "avg", "min", "max"].contains(&function.as_str()) {
            return Err(format!("the function {function} is not known here"));
        }
        Ok(Aggregate { function, field: field.trim_end_matches(')').trim().to_owned(), name })
    };
    let key = |text: &String| {
        let text = text.trim();
        match text.strip_prefix("bin(").and_then(|inside| inside.strip_suffix(')')) {
            Some(span) => Ok(Key::Bin(milliseconds(span)?, text.to_owned())),
            None => Ok(Key::Field(text.to_owned())),
        }
    };
    let keys =
        split(keys, ',').iter().filter(|text| !text.trim().is_empty()).map(key).collect::<Result<_, String>>()?;
    Ok(Step::Stats(split(functions, ',').iter().map(aggregate).collect::<Result<_, String>>()?, keys))
}

fn milliseconds(span: &str) -> Result<i64, String> {
    let digits = span.trim().trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let unit = match span.trim()[digits.len()..].chars().next() {
        Some('s') => 1_000,
        Some('h') => 3_600_000,
        Some('d') => 86_400_000,
        Some(_) | None => 60_000,
    };
    let number: i64 = digits.trim().parse().map_err(|_| format!("bin takes a time, not {span:?}"))?;
    if number > 0 { Ok(number.saturating_mul(unit)) } else { Err("bin takes a time above 0".to_owned()) }
}

/// Parts between a mark, where that is not within quotes, slashes or parentheses.
fn split(text: &str, mark: char) -> Vec<String> {
    let (mut parts, mut part, mut quote, mut depth) = (Vec::new(), String::new(), None, 0_i32);
    for character in text.chars() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (None, '"' | '\'' | '/') => quote = Some(character),
            (None, '(' | '[') => depth += 1,
            (None, ')' | ']') => depth -= 1,
            (Some(_) | None, _) => {}
        }
        if character == mark && quote.is_none() && depth <= 0 {
            parts.push(std::mem::take(&mut part));
        } else {
            part.push(character);
        }
    }
    parts.push(part);
    parts
}

fn unquoted(text: &str) -> String {
    text.trim_matches(|character| character == '"' || character == '\'').to_owned()
}
