//! [`Template`]: an operation whose inputs are not all known yet.

use clap::ArgAction;
use serde_json::{Map, Value};
use strum::VariantArray;

use crate::{
    Kind,
    domain::Text,
    operations::{Given, Operation, OperationKind, parse},
    things::is_thing,
};

/// An operation with inputs that may be references, `"{queue}"` or `"{canary.run}"`.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    pub operation: OperationKind,
    /// By the names of the operation's arguments.
    pub inputs: Vec<(String, Value)>,
}

/// What references stand for: parameters, answers, and under each step's name what came of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Values(pub Map<String, Value>);

/// Why there is no operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfilled {
    /// An answer that was not given yet, or a step that was not done.
    #[error("`{{{0}}}` is not known yet")]
    NotYet(String),
    /// As the command line says it.
    #[error("{0}")]
    Unfit(Text),
}

/// The name in `"{name}"`; none: the text stands for itself.
pub(crate) fn reference(text: &str) -> Option<&str> {
    let name = text.strip_prefix('{')?.strip_suffix('}')?;
    let is_word = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    name.split('.').all(is_word).then_some(name)
}

impl Values {
    /// By name, or by a step's name and a field: `canary.run`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let mut parts = name.split('.');
        let first = self.0.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part)).filter(|value| !value.is_null())
    }
}

impl Template {
    /// The names that its inputs refer to.
    pub fn references(&self) -> impl Iterator<Item = &str> {
        self.inputs.iter().flat_map(|(_, value)| match value {
            Value::Array(items) => items.iter().filter_map(Value::as_str).filter_map(reference).collect(),
            other => other.as_str().and_then(reference).into_iter().collect::<Vec<_>>(),
        })
    }

    /// Names of real things among its inputs, each with its kind. A pattern, a file or an ARN is not a plain name.
    pub(crate) fn names(&self) -> Vec<(Kind, &str)> {
        let command = self.operation.arguments();
        let is_name = |text: &&str| reference(text).is_none() && !text.contains(['*', ':']) && !text.trim().is_empty();
        let mut all = Vec::new();
        for (input, value) in &self.inputs {
            let argument = command.get_arguments().find(|argument| argument.get_id() == input.as_str());
            let Some(kind) = argument.and_then(named_by).filter(|kind| is_thing(*kind)) else { continue };
            let texts: Vec<&str> = match value {
                Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
                other => other.as_str().into_iter().collect(),
            };
            all.extend(texts.into_iter().filter(is_name).map(|text| (kind, text)));
        }
        all
    }

    /// The operation, by the very rules of the command line. `part` is the input of a repeated step, which wins.
    ///
    /// # Errors
    /// Something that it refers to is not known yet; the inputs are none that the operation takes.
    pub fn fill(&self, values: &Values, part: Option<(&str, Value)>) -> Result<Operation, Unfilled> {
        let given = self.inputs.iter().filter(|(name, _)| part.as_ref().is_none_or(|(input, _)| input != name));
        let given =
            given.map(|(name, value)| (name.as_str(), value)).chain(part.iter().map(|(name, value)| (*name, value)));
        let (mut options, mut places) = (Vec::new(), Vec::new());
        for (name, value) in given {
            for given in self.words(name, &fill(value, values)?) {
                let list = if given.option.is_some() { &mut options } else { &mut places };
                list.push(given.word());
            }
        }
        let separator = (!places.is_empty()).then(|| "--".to_owned());
        parse(self.operation, options.into_iter().chain(separator).chain(places)).map_err(Unfilled::Unfit)
    }

    /// The words of a command line for one input.
    fn words(&self, name: &str, value: &Value) -> Vec<Given> {
        let command = self.operation.arguments();
        let argument = command.get_arguments().find(|argument| argument.get_id() == name);
        let option = argument.map_or(Some(name), |argument| argument.get_long()).map(str::to_owned);
        let is_flag = argument.is_some_and(|argument| matches!(argument.get_action(), ArgAction::SetTrue));
        let given = |value: Option<String>| Given { option: option.clone(), value };
        match value {
            Value::Null | Value::Bool(false) => Vec::new(),
            Value::Bool(true) if is_flag => vec![given(None)],
            Value::Array(items) => items.iter().flat_map(|item| self.words(name, item)).collect(),
            Value::String(text) => vec![given(Some(text.clone()))],
            Value::Bool(_) | Value::Number(_) | Value::Object(_) => vec![given(Some(value.to_string()))],
        }
    }
}

/// What an argument names, by the word that stands for its value in the help: `QUEUE`.
fn named_by(argument: &clap::Arg) -> Option<Kind> {
    let shown = argument.get_value_names().and_then(|names| names.first()).map(ToString::to_string).unwrap_or_default();
    let mut words = shown.split('|').map(str::to_lowercase).chain([argument.get_id().to_string()]);
    words.find_map(|word| Kind::VARIANTS.iter().copied().find(|kind| kind.into_str() == word))
}

/// An input with what its references stand for, each with its own type.
fn fill(value: &Value, values: &Values) -> Result<Value, Unfilled> {
    match value {
        Value::String(text) => match reference(text) {
            Some(name) => values.get(name).cloned().ok_or_else(|| Unfilled::NotYet(name.to_owned())),
            None => Ok(value.clone()),
        },
        Value::Array(items) => {
            let items: Result<Vec<Value>, Unfilled> = items.iter().map(|item| fill(item, values)).collect();
            // A list in a list: an answer with several choices among others.
            let flat = items?.into_iter().flat_map(|item| match item {
                Value::Array(inner) => inner,
                one => vec![one],
            });
            Ok(flat.collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Ok(value.clone()),
    }
}

/// The name of an operation's argument that somebody has written, as an option or as plan files have it.
pub(crate) fn argument_of(operation: OperationKind, written: &str) -> Option<String> {
    let plain = |text: &str| text.replace('_', "-");
    let command = operation.arguments();
    let found = command.get_arguments().find(|argument| {
        let is_option = argument.get_long().is_some_and(|long| long == plain(written));
        is_option || plain(argument.get_id().as_str()) == plain(written)
    });
    found.map(|argument| argument.get_id().to_string())
}

/// The names of its inputs, as options on the command line.
pub(crate) fn inputs_of(operation: OperationKind) -> Vec<String> {
    let command = operation.arguments();
    let name = |argument: &clap::Arg| argument.get_long().unwrap_or(argument.get_id().as_str()).to_owned();
    command.get_arguments().map(name).filter(|name| name != "help").collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::operations::{Redrive, Wake};

    fn values() -> Values {
        let values =
            json!({ "queue": "orders-dlq", "limit": 10, "which": ["a", "b"], "canary": { "run": "R", "done": 3 } });
        Values(values.as_object().expect("an object").clone())
    }

    fn template(operation: &str, inputs: Value) -> Template {
        let operation = *OperationKind::ALL.iter().find(|kind| kind.name() == operation).expect("an operation");
        let inputs = inputs.as_object().expect("an object").clone().into_iter().collect();
        Template { operation, inputs }
    }

    #[test]
    fn a_step_makes_the_operation_that_the_command_line_makes() {
        let filled = template(
            "redrive",
            json!({ "queue": "{queue}", "limit": "{limit}", "mark": true, "filter": ".body.x == {}" }),
        );
        let wanted = Redrive {
            queue: "orders-dlq".to_owned(),
            limit: Some(10),
            mark: true,
            filter: Some(".body.x == {}".to_owned()),
            ..Redrive::default()
        };
        assert_eq!(filled.fill(&values(), None), Ok(Operation::Redrive(wanted)));
        assert_eq!(filled.references().collect::<Vec<_>>(), ["queue", "limit"]);
        let wake = template("wake", json!({ "service": ["{which}", "c"] })).fill(&values(), None);
        let services = ["a", "b", "c"].map(str::to_owned).to_vec();
        assert_eq!(wake, Ok(Operation::Wake(Wake { service: services, ..Wake::default() })));
    }

    #[test]
    fn what_is_not_known_yet_or_does_not_fit_is_said() {
        let fill = |inputs| template("redrive", inputs).fill(&values(), None).map_err(|unfilled| unfilled.to_string());
        assert_eq!(fill(json!({ "queue": "{later.run}" })), Err("`{later.run}` is not known yet".to_owned()));
        let unfit = fill(json!({ "queue": "q", "limit": 0 })).expect_err("below the bound");
        assert_eq!(unfit, "it is 1 or more");
        assert_eq!(fill(json!({})), Err("missing: --queue <QUEUE>".to_owned()));
    }

    #[test]
    fn names_of_real_things_are_known_by_what_the_argument_takes() {
        let of = |operation, inputs| {
            let template = template(operation, inputs);
            template.names().into_iter().map(|(kind, name)| (kind, name.to_owned())).collect::<Vec<_>>()
        };
        for (operation, inputs, wanted) in [
            (
                "redrive",
                json!({ "queue": "a", "to": "b", "filter": ".x", "limit": 3 }),
                vec![(Kind::Queue, "a"), (Kind::Queue, "b")],
            ),
            ("redrive", json!({ "queue": "{queue}", "to": "file:x.jsonl" }), vec![]),
            ("purge", json!({ "queue": "arn:aws:sqs:eu-central-1:1:a" }), vec![]),
            ("wake", json!({ "service": ["{which}", "c", "d-*"] }), vec![(Kind::Service, "c")]),
            ("wake", json!({ "group": "g" }), vec![(Kind::Group, "g")]),
            ("failover", json!({ "database": "d", "to": "reader" }), vec![(Kind::Database, "d")]),
            ("migrate", json!({ "migration": "m", "command": "run" }), vec![(Kind::Migration, "m")]),
            ("alarms mute", json!({ "alarm": ["x", "y"], "for": "5m" }), vec![(Kind::Alarm, "x"), (Kind::Alarm, "y")]),
            ("rule disable", json!({ "rule": "r" }), vec![(Kind::Rule, "r")]),
            ("concurrency stop", json!({ "function": "f" }), vec![(Kind::Function, "f")]),
            ("outbox replay", json!({ "outbox": "o" }), vec![(Kind::Outbox, "o")]),
        ] {
            let wanted: Vec<_> = wanted.into_iter().map(|(kind, name)| (kind, name.to_owned())).collect();
            assert_eq!(of(operation, inputs), wanted, "{operation}");
        }
    }

    #[test]
    fn inputs_are_known_by_their_options_and_as_plan_files_have_them() {
        let kind = OperationKind::Redrive;
        assert_eq!(argument_of(kind, "where").as_deref(), Some("filter"));
        assert_eq!(argument_of(kind, "filter").as_deref(), Some("filter"));
        assert_eq!(argument_of(kind, "max_bounce").as_deref(), Some("max_bounce"));
        assert_eq!(argument_of(kind, "max-bounce").as_deref(), Some("max_bounce"));
        assert_eq!(argument_of(kind, "lmit"), None);
    }
}
