//! How an operation is done, as a form: made from the command line's own definitions, checked by its own parsers.

use clap::ArgAction;
use serde_json::Value;

use crate::{
    domain::{EnvironmentName, Text},
    keymap::Key,
    operations::{Given, Operation, RESUME, given, parse},
    screens::flow::{
        draw,
        planning::{plan_again, settle},
    },
    state::{Cursor, Effect, Field, Filled, Flow, Form, FormLine, Load, Model, Notice, Overlay, Typed, Wanted},
};

/// Asked where a run is taken up, and there alone.
const RESUMING: &str = "uncertain";

impl Form {
    fn new(operation: &Operation, resuming: bool) -> Self {
        let given = serde_json::to_value(operation).unwrap_or_default();
        let subject = operation.verb().subject_arguments();
        let wanted = |argument: &&clap::Arg| match argument.get_id().as_str() {
            RESUMING => resuming,
            id => !resuming && !subject.contains(&id) && !argument.is_hide_set(),
        };
        let arguments = operation.kind().arguments();
        let lines = arguments.get_arguments().filter(wanted);
        let lines = lines.map(|argument| FormLine::new(argument, &given)).collect();
        Self { operation: operation.clone(), lines, cursor: Cursor::default(), resuming }
    }

    pub(crate) fn field(&mut self) -> Option<&mut Field> {
        match &mut self.lines.get_mut(self.cursor.at)?.value {
            Filled::Typed(field) => Some(field),
            Filled::Whether(_) | Filled::OneOf(..) => None,
        }
    }

    pub(crate) fn focused(&self) -> Option<&FormLine> {
        self.lines.get(self.cursor.at)
    }

    pub(crate) fn scroll(&mut self, lines: i16) {
        self.go(self.cursor.at.saturating_add_signed(isize::from(lines)).min(self.lines.len().saturating_sub(1)));
    }

    fn go(&mut self, at: usize) {
        // What rows are seen is settled when they are drawn: rows with something wrong take two.
        self.cursor.at = at;
    }

    /// Tells what is wrong with the line that has the focus.
    pub(crate) fn check(&mut self) {
        let wrong = self.focused().and_then(|line| self.parse(std::slice::from_ref(line)).err());
        if let Some(line) = self.lines.get_mut(self.cursor.at) {
            line.wrong = wrong;
        }
    }

    /// The operation that the form says; else the first line with something wrong has the focus.
    fn operation(&mut self) -> Option<Operation> {
        let found: Vec<Option<Text>> =
            self.lines.iter().map(|line| self.parse(std::slice::from_ref(line)).err()).collect();
        for (line, wrong) in self.lines.iter_mut().zip(found) {
            line.wrong = wrong;
        }
        if let Some(at) = self.lines.iter().position(|line| line.wrong.is_some()) {
            self.go(at);
            return None;
        }
        match self.parse(&self.lines) {
            Ok(operation) => Some(operation),
            // Each is right alone, and they are not together.
            Err(wrong) => {
                let at = self.cursor.at;
                if let Some(line) = self.lines.get_mut(at) {
                    line.wrong = Some(wrong);
                }
                None
            }
        }
    }

    /// Reads the lines as the command line would, the others as if they were not given.
    fn parse(&self, lines: &[FormLine]) -> Result<Operation, Text> {
        let subject = self.operation.verb().subject_arguments();
        let about = given(&self.operation, |id| subject.contains(&id)).into_iter().map(Given::word);
        // A line alone is right whatever else is required: that is required of all of them together.
        let alone = (lines.len() < self.lines.len()).then(|| format!("--{RESUME}=."));
        let words: Vec<String> = about.chain(lines.iter().filter_map(FormLine::word)).chain(alone).collect();
        parse(self.operation.kind(), words)
    }
}

impl FormLine {
    fn new(argument: &clap::Arg, given: &Value) -> Self {
        let id = argument.get_id().to_string();
        let value = given.get(&id).unwrap_or(&Value::Null);
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        let possible = argument.get_possible_values();
        let value = match argument.get_action() {
            ArgAction::SetTrue => Filled::Whether(*value == Value::Bool(true)),
            _ if !possible.is_empty() => {
                let at = possible.iter().position(|value| value.get_name() == text).unwrap_or(0);
                let help = |value: &clap::builder::PossibleValue| value.get_help().map(ToString::to_string);
                let names = possible.iter().map(|value| (value.get_name().to_owned(), help(value).unwrap_or_default()));
                Filled::OneOf(names.collect(), at)
            }
            _ => Filled::Typed(Field::with(&text)),
        };
        let takes = argument.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
        Self {
            name: argument.get_long().unwrap_or(&id).to_owned(),
            help: Text::line(&argument.get_help().map(ToString::to_string).unwrap_or_default()),
            takes: takes.unwrap_or_default(),
            value,
            wrong: None,
        }
    }

    /// As on the command line; none where it says what holds anyway.
    fn word(&self) -> Option<String> {
        match &self.value {
            Filled::Typed(field) if field.text().trim().is_empty() => None,
            Filled::Typed(field) => Some(format!("--{}={}", self.name, field.text().trim())),
            Filled::Whether(true) => Some(format!("--{}", self.name)),
            Filled::Whether(false) => None,
            Filled::OneOf(names, at) => names.get(*at).map(|(name, _)| format!("--{}={name}", self.name)),
        }
    }

    fn turn(&mut self, forward: bool) {
        match &mut self.value {
            Filled::Typed(_) => {}
            Filled::Whether(whether) => *whether = !*whether,
            Filled::OneOf(names, at) => {
                let step = if forward { 1 } else { names.len().saturating_sub(1) };
                *at = (*at + step) % names.len().max(1);
            }
        }
    }
}

/// The form for what is wanted; none where there is nothing to choose.
pub(crate) fn form(flow: &Flow) -> Option<Form> {
    let form = match (&flow.wanted, flow.ready()) {
        (Wanted::Operation(operation), _) => Form::new(operation, false),
        (Wanted::Resume(_), Some(plan)) => Form::new(&plan.operation, true),
        // The runbook says how it is done.
        (Wanted::Resume(_), None) | (Wanted::Step(_), _) => return None,
    };
    (!form.lines.is_empty()).then_some(form)
}

/// Begins: asks how it is to be done, beside a plan of it as it stands.
pub(crate) fn fill(model: &mut Model, environment: &EnvironmentName, operation: Operation) -> Vec<Effect> {
    let mut flow = Flow::new(model, environment, Wanted::Operation(Box::new(operation)));
    let effects = plan_again(&mut flow, model, None);
    flow.options = form(&flow);
    model.overlay = Some(Overlay::Flow(Box::new(flow)));
    effects
}

pub(super) fn open(flow: &mut Flow, model: &mut Model) {
    match form(flow) {
        Some(form) => flow.options = Some(form),
        None => model.say(Notice::bad("there is nothing to choose here")),
    }
}

pub(super) fn key(flow: &mut Flow, model: &mut Model, key: &Key) -> Vec<Effect> {
    let size = model.size;
    let Some(form) = &mut flow.options else { return Vec::new() };
    let last = form.lines.len().saturating_sub(1);
    let at = form.cursor.at;
    let is_typed = form.field().is_some();
    match key.to_string().as_str() {
        "enter" => return apply(flow, model),
        "esc" | "ctrl-c" | "ctrl-g" => flow.options = None,
        "down" | "tab" | "ctrl-n" => form.go(if at == last { 0 } else { at + 1 }),
        "up" | "backtab" | "ctrl-p" => form.go(if at == 0 { last } else { at - 1 }),
        "pgdn" => form.go((at + draw::form_rows(size)).min(last)),
        "pgup" => form.go(at.saturating_sub(draw::form_rows(size))),
        text if !is_typed => match text {
            "space" | "right" | "l" => turn(form, true),
            "left" | "h" => turn(form, false),
            "j" => form.go((at + 1).min(last)),
            "k" => form.go(at.saturating_sub(1)),
            _ => {}
        },
        _ => {
            if form.field().map(|field| field.key(key)) == Some(Typed::Changed) {
                form.check();
            }
        }
    }
    Vec::new()
}

fn turn(form: &mut Form, forward: bool) {
    if let Some(line) = form.lines.get_mut(form.cursor.at) {
        line.turn(forward);
    }
    form.check();
}

fn apply(flow: &mut Flow, model: &mut Model) -> Vec<Effect> {
    let Some(form) = &mut flow.options else { return Vec::new() };
    let Some(operation) = form.operation() else { return Vec::new() };
    let (resuming, before) = (form.resuming, form.operation.clone());
    flow.options = None;
    if operation == before {
        return Vec::new();
    }
    flow.consenting.forget();
    if !resuming {
        flow.wanted = Wanted::Operation(Box::new(operation));
        flow.top = 0;
        return plan_again(flow, model, None);
    }
    // What becomes of messages in doubt changes the plan itself, and nothing is asked of AWS for it.
    let uncertain = operation.verb().uncertain().unwrap_or_default();
    if let Load::Here(plan) = &mut flow.plan {
        plan.decide_uncertain(uncertain);
    }
    settle(flow, model);
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::{Failover, Migrate, Purge, Redrive, Restore, Scale, Sleep, Wake, values::Seconds};

    fn redrive() -> Operation {
        let redrive = Redrive {
            queue: "orders-dlq".to_owned(),
            limit: Some(7),
            filter: Some(".body.x == 1".to_owned()),
            ramp: "1,all".parse().ok(),
            mark: true,
            ..Redrive::default()
        };
        Operation::Redrive(redrive)
    }

    #[test]
    fn a_form_says_the_operation_that_it_was_made_from() {
        let run = "20261121T031500-4f7a9c".parse().expect("a run");
        let restore = Restore { perhaps: true, ..Restore::of(run) };
        let purge = Purge { queue: "orders".to_owned(), limit: Some(1), ..Purge::default() };
        let service = vec!["main/api".to_owned(), "main/auth".to_owned()];
        let wake = Wake { service, timeout: Seconds(60), ..Wake::default() };
        let sleep = Sleep { group: Some("shop".to_owned()), ..Sleep::default() };
        let failover = Failover { database: "orders".to_owned(), to: Some("orders-2".to_owned()) };
        let migrate = Migrate { migration: "wallet".to_owned(), revision: Some(3), ..Migrate::default() };
        for operation in [
            redrive(),
            Operation::Purge(purge),
            Operation::Restore(restore),
            Operation::Wake(wake),
            Operation::Sleep(sleep),
            Operation::Scale(Scale { service: "api".to_owned(), to: Some(0), ..Scale::default() }),
            Operation::Failover(failover),
            Operation::Migrate(migrate),
        ] {
            assert_eq!(Form::new(&operation, false).operation(), Some(operation));
        }
    }

    #[test]
    fn every_option_of_the_command_line_is_in_it_but_what_makes_another_operation() {
        let names: Vec<String> = Form::new(&redrive(), false).lines.into_iter().map(|line| line.name).collect();
        for name in
            ["to", "limit", "where", "rate", "ramp", "max-bounce", "wait-bounce", "engine", "park", "edit", "mark"]
        {
            assert!(names.iter().any(|known| known == name), "{name} in {names:?}");
        }
        for name in ["queue", "uncertain", "resume"] {
            assert!(!names.iter().any(|known| known == name), "{name}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_as_the_parsers_say_it() {
        let mut form = Form::new(&redrive(), false);
        let mut wrong = |name: &str, text: &str| {
            let at = form.lines.iter().position(|line| line.name == name).expect("a line");
            let before = std::mem::replace(&mut form.lines[at].value, Filled::Typed(Field::with(text)));
            assert_eq!(form.operation(), None, "{name} {text}");
            assert_eq!(form.cursor.at, at, "the focus goes there");
            form.lines[at].value = before;
            format!("{name}: {}", form.lines[at].wrong.take().unwrap_or_default())
        };
        let said = [
            wrong("rate", "0"),
            wrong("limit", "many"),
            wrong("ramp", "all,1"),
            wrong("wait-bounce", "soon"),
            wrong("where", ".x =="),
        ];
        insta::assert_snapshot!(said.join("\n"), @"
        rate: 0 is not in 1..=100000
        limit: it is a whole number
        ramp: nothing can follow `all`
        wait-bounce: `soon` is no length of time such as `90s` or `1h 30m`
        where: cannot use the filter: expected a value, for instance .body or \"text\", here
        ");
    }
}
