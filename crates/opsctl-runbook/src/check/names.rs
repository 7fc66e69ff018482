//! Names of a runbook: parameters, answers and steps, which references and conditions use.

use std::{collections::BTreeSet, ops::Range};

use serde_json::{Value, json};

use crate::{Kind, Parameter, Values, files::Problem, messages::Condition};

/// Words that conditions have anyway.
pub(super) const FIXED: [&str; 2] = ["environment", "before"];
/// What is known of a step that was done.
pub(super) const OUTPUTS: [&str; 5] = ["state", "run", "done", "seconds", "outcome"];

/// The names that exist where a step stands, each with a value such as it may have.
pub(super) struct Names {
    known: Vec<Known>,
    used: BTreeSet<String>,
}

struct Known {
    name: String,
    what: What,
    span: Range<usize>,
    sample: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Parameter(Kind),
    Answer(Kind),
    Step,
}

impl Names {
    pub(super) fn new(parameters: &[(Parameter, Range<usize>)]) -> Self {
        let known = |(parameter, span): &(Parameter, Range<usize>)| {
            let sample = parameter.default.clone().unwrap_or_else(|| parameter.kind.sample(&parameter.choices));
            let (name, what) = (parameter.name.clone(), What::Parameter(parameter.kind));
            Known { name, what, span: span.clone(), sample }
        };
        Self { known: parameters.iter().map(known).collect(), used: BTreeSet::new() }
    }

    /// From here on there is this name.
    pub(super) fn add(
        &mut self,
        name: &str,
        what: What,
        sample: Value,
        span: Range<usize>,
        problems: &mut Vec<Problem>,
    ) {
        if let Err(problem) = is_name(name, span.clone()) {
            problems.push(problem);
        } else if self.known.iter().any(|known| known.name == name) {
            let problem = Problem::error(span.clone(), format!("`{name}` is the name of something else already"));
            problems.push(problem.help("parameters, answers and steps share one set of names: give it another"));
        }
        self.known.push(Known { name: name.to_owned(), what, span, sample });
    }

    pub(super) fn add_step(&mut self, name: &str, span: Range<usize>, problems: &mut Vec<Problem>) {
        let sample =
            json!({ "state": "verified", "run": Kind::Run.sample(&[]), "done": 1, "seconds": 1, "outcome": "done" });
        self.add(name, What::Step, sample, span, problems);
    }

    /// A name that is free.
    pub(super) fn free(&self, wanted: String) -> String {
        let taken = |name: &str| self.known.iter().any(|known| known.name == name) || is_name(name, 0..0).is_err();
        if !taken(&wanted) {
            return wanted;
        }
        let numbered = (2..).map(|number| format!("{wanted}_{number}"));
        numbered.into_iter().find(|name| !taken(name)).unwrap_or(wanted)
    }

    /// Words that a condition may use here.
    pub(super) fn words(&self) -> Vec<String> {
        self.known.iter().map(|known| known.name.clone()).chain(["environment".to_owned()]).collect()
    }

    pub(super) fn what(&self, name: &str) -> Option<What> {
        self.known.iter().find(|known| known.name == name).map(|known| known.what)
    }

    /// A value such as each name may have.
    pub(super) fn samples(&self) -> Values {
        Values(self.known.iter().map(|known| (known.name.clone(), known.sample.clone())).collect())
    }

    pub(super) fn using(&mut self, name: &str) {
        self.used.insert(name.to_owned());
    }

    /// Whether a reference leads anywhere; what is wrong where it does not.
    pub(super) fn refer(&mut self, reference: &str, span: &Range<usize>) -> Result<(), Problem> {
        let (name, field) = reference.split_once('.').map_or((reference, None), |(name, field)| (name, Some(field)));
        let Some(what) = self.what(name) else {
            let names: Vec<&str> = self.known.iter().map(|known| known.name.as_str()).collect();
            let problem = Problem::error(
                span.clone(),
                format!("`{{{reference}}}` is neither a parameter nor an earlier answer or step"),
            );
            return Err(if names.is_empty() {
                problem.help("add it to `parameters` in the `toml runbook` block")
            } else {
                problem.suggest(name, &names)
            });
        };
        self.using(name);
        match (what, field) {
            (What::Step, Some(field)) if OUTPUTS.contains(&field) => Ok(()),
            (What::Step, field) => {
                let problem =
                    Problem::error(span.clone(), format!("`{{{reference}}}`: a step is not a value by itself"));
                Err(problem.suggest(field.unwrap_or("run"), &OUTPUTS))
            }
            (What::Parameter(_) | What::Answer(_), None) => Ok(()),
            (What::Parameter(_) | What::Answer(_), Some(_)) => {
                let problem = Problem::error(span.clone(), format!("`{{{reference}}}`: an input takes the name alone"));
                Err(problem.help(format!("write `{{{name}}}`; its fields are for conditions")))
            }
        }
    }

    /// Parameters that nothing uses.
    pub(super) fn unused(&self, problems: &mut Vec<Problem>) {
        for known in &self.known {
            let is_parameter = matches!(known.what, What::Parameter(_));
            if is_parameter && !self.used.contains(&known.name) {
                let message = format!("the parameter `{}` is not used by any step", known.name);
                problems.push(Problem::warning(known.span.clone(), message).help("use it, or remove it"));
            }
        }
    }
}

/// Whether a word can be a name in conditions.
pub(super) fn is_name(name: &str, span: Range<usize>) -> Result<(), Problem> {
    let is_word = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    if !is_word {
        let problem = Problem::error(span, format!("`{name}` cannot be a name"));
        return Err(problem.help("write lower-case letters, digits and `_`, a letter first"));
    }
    if !Condition::can_say(name) || FIXED.contains(&name) {
        return Err(Problem::error(span, format!("`{name}` is reserved in conditions")).help("choose another name"));
    }
    Ok(())
}

/// A name made of a heading's words.
pub(super) fn name_of(heading: &str, number: usize) -> String {
    let mut name = String::new();
    for letter in heading.chars() {
        match letter {
            letter if letter.is_ascii_alphanumeric() => name.push(letter.to_ascii_lowercase()),
            _ if name.ends_with('_') || name.is_empty() => {}
            _ => name.push('_'),
        }
    }
    let name: String = name.trim_end_matches('_').chars().take(60).collect();
    if name.starts_with(|first: char| first.is_ascii_lowercase()) { name } else { format!("step_{number}") }
}
