//! Command lines: the one that does what an operation does, and the one that goes on with a run of it.

use serde_json::Value;

use super::{Operation, values::Uncertain};
use crate::domain::{
    EnvironmentName, Invocation, RunId,
    invocation::{option, quoted},
};

/// An argument of an operation that says what is not so anyway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The option's name; none: it is known by its place.
    pub option: Option<String>,
    /// None: a flag.
    pub value: Option<String>,
}

impl Given {
    /// As one word that no shell reads.
    pub fn word(self) -> String {
        match (self.option, self.value) {
            (Some(option), Some(value)) => format!("--{option}={value}"),
            (Some(option), None) => format!("--{option}"),
            (None, value) => value.unwrap_or_default(),
        }
    }

    fn quoted(self) -> String {
        match (&self.option, &self.value) {
            (Some(name), Some(value)) => option(name, value),
            (None, Some(value)) => quoted(value),
            (Some(_), None) | (None, None) => self.word(),
        }
    }
}

/// The command line for an operation, quoted for a POSIX shell.
pub fn command_line(operation: &Operation, environment: &EnvironmentName, invocation: &Invocation) -> String {
    let given = given(operation, |_| true).into_iter().map(Given::quoted);
    let words: Vec<String> = std::iter::once(operation.name().to_owned()).chain(given).collect();
    invocation.command_in(environment, &words.join(" "))
}

/// What was given, of those arguments that are wanted.
pub fn given(operation: &Operation, wanted: impl Fn(&str) -> bool) -> Vec<Given> {
    let values = |operation: &Operation| {
        serde_json::to_value(operation).unwrap_or_else(|error| unreachable!("plain data becomes JSON: {error}"))
    };
    let (values, plain) = (values(operation), values(&operation.kind().plain()));
    let mut told = Vec::new();
    for argument in operation.kind().arguments().get_arguments().filter(|argument| wanted(argument.get_id().as_str())) {
        let id = argument.get_id().as_str();
        if let Some(value) = values.get(id).filter(|value| plain.get(id) != Some(value)) {
            let option = argument.get_long().map(str::to_owned);
            told.extend(values_of(value).into_iter().map(|value| Given { option: option.clone(), value }));
        }
    }
    told
}

/// Each value that an argument was given; a flag has none.
fn values_of(value: &Value) -> Vec<Option<String>> {
    match value {
        Value::Null | Value::Bool(false) => Vec::new(),
        Value::Bool(true) => vec![None],
        Value::Array(items) => items.iter().flat_map(values_of).collect(),
        Value::String(text) => vec![Some(text.clone())],
        Value::Number(_) | Value::Object(_) => vec![Some(value.to_string())],
    }
}

/// The command line that goes on with a run of an operation.
pub fn resume_line(
    operation: &Operation,
    run: &RunId,
    environment: &EnvironmentName,
    invocation: &Invocation,
) -> String {
    let uncertain = match operation.verb().uncertain() {
        Some(Uncertain::Resend) => " --uncertain resend",
        Some(Uncertain::Leave) | None => "",
    };
    invocation.command_in(environment, &format!("{} --resume {run}{uncertain}", operation.name()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::Redrive;

    #[test]
    fn only_what_was_given_is_said() {
        let redrive = Redrive {
            queue: "orders-dlq".to_owned(),
            filter: Some(".body.x == \"it's\"".to_owned()),
            ramp: Some("1,all".parse().expect("a ramp")),
            mark: true,
            ..Redrive::default()
        };
        let dev = EnvironmentName("dev".to_owned());
        assert_eq!(
            command_line(&Operation::Redrive(redrive), &dev, &Invocation::Sandbox),
            r#"opsctl redrive --queue orders-dlq --where '.body.x == "it'\''s"' --ramp 1,all --mark --env dev --sandbox"#
        );
    }
}
