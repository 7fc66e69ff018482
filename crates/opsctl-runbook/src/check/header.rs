//! The block of a runbook: owner, times, what it helps with, parameters.

use std::ops::Range;

use jiff::civil::Date;

use super::names::is_name;
use crate::{
    Kind, Parameter,
    domain::Text,
    files::{Problem, Spot},
    observe::verdict,
    operations::{OperationKind, values::Seconds},
    typed,
};

type Place<'a> = &'a dyn Fn(Range<usize>) -> Range<usize>;

/// What stands in the block, without its parameters.
pub(super) struct Header {
    pub(super) owner: Option<Text>,
    pub(super) last_rehearsed: Option<Date>,
    pub(super) recovery_time: Option<Seconds>,
    pub(super) applies_when: Vec<verdict::Kind>,
    pub(super) forbids: Vec<OperationKind>,
}

/// Parameters with their places, in the order in which they were written.
pub(super) fn check(
    typed: &typed::Header,
    place: Place<'_>,
    problems: &mut Vec<Problem>,
) -> (Header, Vec<(Parameter, Range<usize>)>) {
    let rehearsed = typed.last_rehearsed.as_ref().and_then(|written| {
        let text = written.value().json().as_str().map(str::to_owned).unwrap_or_default();
        let date = text.parse::<Date>();
        if date.is_err() {
            let problem = Problem::error(place(written.span()), format!("`last_rehearsed` cannot be `{text}`"));
            problems.push(problem.help("write a date: 2026-11-12"));
        }
        date.ok()
    });
    let recovery_time =
        typed.recovery_time.as_ref().and_then(|written| seconds(written, "recovery_time", place, problems));
    let forbids = typed.forbids.iter().flatten().filter_map(|written| operation(written, place, problems)).collect();
    let mut parameters: Vec<(Parameter, Range<usize>)> = typed
        .parameters
        .iter()
        .flatten()
        .map(|(name, typed)| (parameter(name, typed, place, problems), place(name.span())))
        .collect();
    parameters.sort_by_key(|(_, span)| span.start);
    let header = Header {
        owner: typed.owner.as_ref().map(|owner| Text::line(owner.value())),
        last_rehearsed: rehearsed,
        recovery_time,
        applies_when: typed.applies_when.iter().flatten().map(|kind| *kind.value()).collect(),
        forbids,
    };
    (header, parameters)
}

fn parameter(
    name: &Spot<String>,
    typed: &typed::ParameterBlock,
    place: Place<'_>,
    problems: &mut Vec<Problem>,
) -> Parameter {
    if let Err(problem) = is_name(name.value(), place(name.span())) {
        problems.push(problem);
    }
    // A kind that can't be read is told already; the name is there, so that steps can refer to it.
    let kind = typed.kind.as_ref().map_or(Kind::Text, |kind| *kind.value());
    let is_known = typed.kind.is_some();
    let choices: Vec<String> = typed.choices.iter().flatten().map(|choice| choice.value().clone()).collect();
    if is_known {
        choices_fit(kind, &choices, place(name.span()), problems);
    }
    let default = typed.default.as_ref().filter(|_| is_known).and_then(|written| {
        let value = written.value().json();
        match kind.accepts(&value, &choices) {
            Ok(value) => Some(value),
            Err(because) => {
                let problem = Problem::error(place(written.span()), format!("`default` does not fit: {because}"));
                problems.push(problem);
                None
            }
        }
    });
    let help = Text::line(typed.help.as_ref().map_or("", |help| help.value()));
    Parameter { name: name.value().clone(), kind, help, default, choices }
}

/// A `choice` has choices, and nothing else has.
pub(super) fn choices_fit(kind: Kind, choices: &[String], at: Range<usize>, problems: &mut Vec<Problem>) {
    if kind == Kind::Choice && choices.is_empty() {
        let problem = Problem::error(at, "a `choice` without choices").help("add `choices = [\"one\", \"other\"]`");
        problems.push(problem);
    } else if kind != Kind::Choice && !choices.is_empty() {
        let name = kind.into_str();
        problems.push(Problem::error(at, format!("a `{name}` has no `choices`")).help("make it a `choice`"));
    }
}

/// A length of time, as operations take it.
pub(super) fn seconds(
    written: &Spot<String>,
    key: &str,
    place: Place<'_>,
    problems: &mut Vec<Problem>,
) -> Option<Seconds> {
    let parsed = written.value().parse::<Seconds>();
    if let Err(because) = &parsed {
        problems.push(Problem::error(place(written.span()), format!("`{key}`: {because}")));
    }
    parsed.ok()
}

/// An operation by its name on the command line.
pub(super) fn operation(
    written: &Spot<String>,
    place: Place<'_>,
    problems: &mut Vec<Problem>,
) -> Option<OperationKind> {
    let found = OperationKind::ALL.iter().find(|kind| kind.name() == written.value());
    if found.is_none() {
        let names: Vec<&str> = OperationKind::ALL.iter().map(|kind| kind.name()).collect();
        let problem = Problem::error(place(written.span()), format!("`{}` is not an operation", written.value()));
        problems.push(problem.suggest(written.value(), &names));
    }
    found.copied()
}
