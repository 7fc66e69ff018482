//! [`Condition`]: what must hold, in jq over words that stand for what was observed: `queue.messages == 0`.
//!
//! The input is one object with a field for each word. A condition holds where it yields anything but `false` and `null`. A figure
//! that is not known is null in the input, and never makes a condition hold or fail: the answer is [`Judged::Unknown`] then, unless
//! the condition itself says what to make of it, with `//` or by comparing with `null`. What `and` and `or` do not evaluate does not
//! count.
//!
//! `falls(queue.oldest_seconds)` and `rises(…)` compare a figure with what it was in the input's field `before`.

use std::{fmt, ops::Range, sync::Arc};

use jaq_core::{ValT, load};
use jaq_json::Val;
use serde_json::Value;

use super::{
    jq::{self, Compiled, FilterError, Prepared, Runner, Words},
    jq_check::Rules,
    jq_marks::{Marks, Scope, UNKNOWN, helpers, shown},
};
use crate::domain::Text;

/// Longest value shown, in characters.
const VALUE_CHARACTERS_MAX: usize = 60;
/// Figures that [`Condition::seen`] tells of.
const SEEN_MAX: usize = 6;

/// A compiled condition. Cheap to clone.
#[derive(Clone)]
pub struct Condition {
    text: Arc<str>,
    program: Arc<Compiled>,
    figures: Arc<[Figure]>,
}

/// What a condition says of what was observed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judged {
    Holds,
    Not,
    /// It depends on what is not known.
    Unknown {
        /// One sentence without a full stop: "queue.oldest_seconds is not known".
        what: Text,
    },
}

/// Something that a condition looks up in its input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    pub word: String,
    pub(super) steps: Vec<Step>,
    /// Where it stands in the condition, in bytes.
    pub at: Range<usize>,
}

/// A step on the way to a figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Field(String),
    /// Every entry of a list.
    Each,
    At(isize),
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(formatter, ".{name}"),
            Self::Each => formatter.write_str("[]"),
            Self::At(at) => write!(formatter, "[{at}]"),
        }
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Condition").field(&self.text).finish()
    }
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Condition {
    /// Compiles a condition over these words. A name that [`Condition::can_say`] denies is not one of them.
    ///
    /// # Errors
    /// [`FilterError::Syntax`]: what is wrong, the place underlined, what to try.
    pub fn compile(text: &str, names: &[String]) -> Result<Self, FilterError> {
        let names: Vec<&str> = names.iter().map(String::as_str).filter(|name| Self::can_say(name)).collect();
        let words = Words { names: &names, of_jq: &[] };
        let (arena, mut figures) = (load::Arena::default(), Vec::new());
        let program_name = arena.alloc(unused_name(text)).as_str();
        let code = arena.alloc(text.to_owned()).as_str();
        let program = jq::compile_with(code, words, Rules::Condition, |code| {
            // What cannot be parsed is reported with its place.
            let term = load::parse(code, |parser| parser.term())?;
            let mut marks = Marks { code, arena: &arena, words: &names, figures: Vec::new() };
            let program = marks.term(term, &Scope::root());
            figures = marks.figures;
            Some(Prepared { name: program_name, helpers: helpers(), program })
        })?;
        Ok(Self { text: text.into(), program: Arc::new(program), figures: figures.into() })
    }

    /// Whether a condition can name something so: letters, digits and `_`, and no word of jq's.
    pub fn can_say(name: &str) -> bool {
        let mut bytes = name.bytes();
        let begins = bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_');
        let goes_on = bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        begins && goes_on && !["falls", "rises"].contains(&name) && !jq::is_of_jq(name)
    }

    /// The condition as it was given.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it looks up, in the order in which it names them, each once.
    pub fn figures(&self) -> &[Figure] {
        &self.figures
    }

    /// Whether it compares with an earlier observation, which the input's field `before` has.
    pub fn is_trend(&self) -> bool {
        ["falls", "rises"].iter().any(|word| self.text.contains(word))
    }

    /// Whether it holds for what was observed: an object with a field for each word. Blocks for microseconds, and for a second where
    /// it never ends.
    ///
    /// # Errors
    /// [`FilterError::Unjudged`]: it fails on this input, or takes too long.
    pub fn judge(&self, input: Value) -> Result<Judged, FilterError> {
        // A thread of its own each time: one that took too long once is not given up for good.
        let runner = Runner::start(Arc::clone(&self.program), |program, input: Value| judge(program, &input))?;
        let answer = runner.ask(vec![input]).pop().unwrap_or(Err(FilterError::Stopped));
        answer.map_err(|error| match error {
            FilterError::TooSlow | FilterError::Stopped => {
                FilterError::Unjudged(Text::line("it took longer than 1 s and was stopped; simplify it"))
            }
            FilterError::Failed(why) => FilterError::Unjudged(why),
            FilterError::Syntax(_) | FilterError::Unjudged(_) => error,
        })
    }

    /// What it met in an input: `queue.messages = 12, queue.oldest_seconds = unknown`.
    pub fn seen(&self, input: &Value) -> Text {
        let all: Vec<String> = self.figures.iter().filter_map(|figure| figure.seen(input)).take(SEEN_MAX).collect();
        Text::line(&all.join(", "))
    }
}

impl Figure {
    /// The way to it from its word on: `oldest_seconds`, `sources[].messages`; empty: the word itself.
    pub fn path(&self) -> String {
        shown(&self.steps)
    }

    /// The same where entries of lists are not told apart: `stopped[0].exit_code` is `stopped[].exit_code`.
    pub fn field(&self) -> String {
        let any = |step: &Step| match step {
            Step::At(_) => Step::Each,
            Step::Field(_) | Step::Each => step.clone(),
        };
        shown(&self.steps.iter().map(any).collect::<Vec<_>>())
    }

    /// What it is in an input; several where it is of every entry of a list.
    pub fn values<'a>(&self, input: &'a Value) -> Vec<&'a Value> {
        let mut all: Vec<&Value> = input.get(&self.word).into_iter().collect();
        for step in &self.steps {
            all = all.into_iter().flat_map(|value| step.take(value)).collect();
        }
        all
    }

    fn seen(&self, input: &Value) -> Option<String> {
        let shown: Vec<String> = match self.values(input).as_slice() {
            [] => vec![if input.get(&self.word).is_some() { "none" } else { "unknown" }.to_owned()],
            values if values.iter().any(|value| value.is_object()) => return None,
            values => values.iter().take(SEEN_MAX).map(|value| short(value)).collect(),
        };
        Some(format!("{self} = {}", shown.join(" ")))
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.word)?;
        self.steps.iter().try_for_each(|step| step.fmt(formatter))
    }
}

impl Step {
    fn take<'a>(&self, of: &'a Value) -> Vec<&'a Value> {
        match (self, of) {
            (Self::Field(name), Value::Object(fields)) => fields.get(name).into_iter().collect(),
            (Self::Each, Value::Array(list)) => list.iter().collect(),
            (Self::Each, Value::Object(fields)) => fields.values().collect(),
            (Self::At(at), Value::Array(list)) => {
                let at = if *at < 0 { list.len().checked_add_signed(*at) } else { usize::try_from(*at).ok() };
                at.and_then(|at| list.get(at)).into_iter().collect()
            }
            (Self::Field(_) | Self::Each | Self::At(_), _) => Vec::new(),
        }
    }
}

fn short(value: &Value) -> String {
    match value {
        Value::Null => "unknown".to_owned(),
        Value::Array(list) => format!("{} entries", list.len()),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            Text::line(Text::capped(&value.to_string(), VALUE_CHARACTERS_MAX).as_str()).to_string()
        }
    }
}

/// A name that the condition does not say.
fn unused_name(text: &str) -> String {
    let mut name = "condition".to_owned();
    while text.contains(&name) {
        name.push('_');
    }
    name
}

fn judge(program: &Compiled, input: &Value) -> Result<Judged, FilterError> {
    let failed = |text: &str| FilterError::Failed(Text::line(text));
    let input = jaq_json::read::parse_single(input.to_string().as_bytes());
    let input = input.map_err(|error| failed(&error.to_string()))?;
    for output in jq::outputs(program, input) {
        match output {
            Ok(value) if value.as_bool() => return Ok(Judged::Holds),
            Ok(_) => {}
            Err(Some(error)) => {
                let shown = jq::shortened(&error);
                return match unknown(&error.into_val()) {
                    Some(what) => Ok(Judged::Unknown { what }),
                    None => Err(FilterError::Failed(shown)),
                };
            }
            Err(None) => return Err(failed("it breaks off (halt)")),
        }
    }
    Ok(Judged::Not)
}

/// What is not known, of what a marked look-up throws.
fn unknown(thrown: &Val) -> Option<Text> {
    let thrown: Value = serde_json::from_str(&thrown.to_string()).ok()?;
    let name = thrown.as_object().filter(|fields| fields.len() == 1)?.get(UNKNOWN)?.as_str()?;
    Some(Text::line(&format!("{name} is not known")))
}

#[cfg(test)]
mod tests;
