//! The steps of a runbook.

use std::{ops::Range, time::Duration};

use serde_json::Value;

use super::{
    block_of,
    header::{choices_fit, operation, seconds},
    names::{Names, What, name_of},
};
use crate::{
    Action, Ask, Change, Check, Kind, Repeat, Step, Template, Unfilled, Wait,
    document::{Document, Section},
    domain::Text,
    files::{Problem, Spot},
    messages::Condition,
    operations::OperationKind,
    template::{argument_of, inputs_of, reference},
    things, typed,
};

/// How long a check waits where nothing is said.
const WITHIN: Duration = Duration::from_secs(600);
/// How long something is waited for where nothing is said.
const WAIT_WITHIN: Duration = Duration::from_secs(86_400);

pub(super) fn check(document: &Document, names: &mut Names, problems: &mut Vec<Problem>) -> Vec<Step> {
    let steps = document.steps.iter().enumerate();
    steps.map(|(index, section)| step(section, index + 1, names, problems)).collect()
}

fn step(section: &Section, number: usize, names: &mut Names, problems: &mut Vec<Problem>) -> Step {
    let read: Option<typed::StepBlock> = section.block.as_ref().and_then(|block| block_of(block, problems));
    let is_read = read.is_some();
    let typed = read.unwrap_or_default();
    let at = section.block.as_ref().map_or(section.heading.span.clone(), |block| block.span.clone());
    let place = |span: Range<usize>| section.block.as_ref().map_or(span.clone(), |block| block.place(&span));
    let mut reading = Reading { typed: &typed, at: at.clone(), place: &place, names, problems };
    reading.keys_fit();
    let when = typed.when.as_ref().and_then(|written| reading.condition(written));
    let action = reading.action(is_read);
    let undo = typed.undo.as_ref().and_then(|undo| {
        let operation = undo.operation.as_ref()?;
        reading.template(operation, undo.with.as_ref(), None)
    });
    let repeat = typed.repeat.as_ref().and_then(|repeat| reading.repeat(repeat, &action));
    // The step's own outcome may be asked for by its check.
    let (id, id_span) = match &typed.id {
        Some(id) => (id.value().clone(), place(id.span())),
        None => (reading.names.free(name_of(&section.heading.text, number)), section.heading.span.clone()),
    };
    reading.answer(&action, &id);
    // A question's answer goes by the step's name where it has no other.
    if !matches!(&action, Action::Ask(ask) if ask.keep.is_empty() || ask.keep == id) {
        reading.names.add_step(&id, id_span, reading.problems);
    }
    let check = reading.check();
    let action = match action {
        Action::Ask(ask) if ask.keep.is_empty() => Action::Ask(Ask { keep: id.clone(), ..ask }),
        action => action,
    };
    Step {
        id,
        name: Text::line(&section.heading.text),
        span: at,
        body: section.body.clone(),
        action,
        check,
        when,
        on_failure: typed.on_failure.as_ref().map(|written| *written.value()).unwrap_or_default(),
        always: typed.always.as_ref().is_some_and(|written| *written.value()),
        undo,
        repeat,
        evidence: typed.evidence.iter().flatten().map(|kind| *kind.value()).collect(),
    }
}

struct Reading<'a> {
    typed: &'a typed::StepBlock,
    /// The block, or the heading where there is none.
    at: Range<usize>,
    place: &'a dyn Fn(Range<usize>) -> Range<usize>,
    names: &'a mut Names,
    problems: &'a mut Vec<Problem>,
}

impl Reading<'_> {
    fn error(&mut self, span: Range<usize>, message: &str, help: &str) {
        self.problems.push(Problem::error((self.place)(span), message).help(help));
    }

    /// Keys that say what the step is, and keys that need one of them.
    fn keys_fit(&mut self) {
        let typed = self.typed;
        let actions = [
            ("do", typed.operation.as_ref().map(Spot::span)),
            ("ask", typed.ask.as_ref().map(Spot::span)),
            ("wait", typed.wait.as_ref().map(Spot::span)),
            ("wait_until", typed.wait_until.as_ref().map(Spot::span)),
            ("by_hand", typed.by_hand.as_ref().filter(|by_hand| *by_hand.value()).map(Spot::span)),
        ];
        let mut given = actions.into_iter().filter_map(|(key, span)| Some((key, span?)));
        if let Some((first, _)) = given.next() {
            for (key, span) in given {
                let message = format!("a step is one thing, and this one has `{first}` and `{key}`");
                self.error(span, &message, "give each a `## heading` of its own");
            }
        }
        let needed = [
            (
                "with",
                typed.with.as_ref().and_then(|with| with.keys().next()).map(Spot::span),
                typed.operation.is_some(),
                "do",
            ),
            ("environment", typed.environment.as_ref().map(Spot::span), typed.operation.is_some(), "do"),
            ("second_person", typed.second_person.as_ref().map(Spot::span), typed.operation.is_some(), "do"),
            ("choices", typed.choices.as_ref().and_then(|all| all.first()).map(Spot::span), typed.ask.is_some(), "ask"),
            ("several", typed.several.as_ref().map(Spot::span), typed.ask.is_some(), "ask"),
            ("keep", typed.keep.as_ref().map(Spot::span), typed.ask.is_some(), "ask"),
            (
                "holds_for",
                typed.holds_for.as_ref().map(Spot::span),
                typed.check.is_some() || typed.wait_until.is_some(),
                "check",
            ),
            (
                "within",
                typed.within.as_ref().map(Spot::span),
                typed.check.is_some() || typed.wait_until.is_some(),
                "check",
            ),
        ];
        for (key, span, is_met, needs) in needed {
            if let (Some(span), false) = (span, is_met) {
                let message = format!("`{key}` without `{needs}`");
                self.error(span, &message, &format!("add `{needs}`, or remove `{key}`"));
            }
        }
    }

    fn action(&mut self, has_block: bool) -> Action {
        let typed = self.typed;
        if let Some(operation) = &typed.operation {
            let input = typed.repeat.as_ref().and_then(|repeat| repeat.input.as_ref());
            let template = self.template(operation, typed.with.as_ref(), input);
            let environment = typed.environment.as_ref().and_then(|written| self.environment(written));
            let second_person = typed.second_person.as_ref().is_some_and(|written| *written.value());
            return match template {
                Some(template) => Action::Do(Change { template, environment, second_person }),
                None => Action::ByHand,
            };
        }
        if let Some(kind) = &typed.ask {
            let choices: Vec<String> = typed.choices.iter().flatten().map(|choice| choice.value().clone()).collect();
            choices_fit(*kind.value(), &choices, (self.place)(kind.span()), self.problems);
            let several = typed.several.as_ref().is_some_and(|several| *several.value());
            let keep = typed.keep.as_ref().map(|keep| keep.value().clone()).unwrap_or_default();
            return Action::Ask(Ask { kind: *kind.value(), choices, several, keep });
        }
        if let Some(wait) = &typed.wait {
            let seconds = seconds(wait, "wait", self.place, self.problems);
            return Action::Wait(Wait::For(Duration::from_secs(seconds.map_or(0, |seconds| seconds.0.into()))));
        }
        if let Some(until) = &typed.wait_until {
            let check = self.condition(until).map(|condition| self.timed(condition, WAIT_WITHIN));
            return check.map_or(Action::ByHand, |check| Action::Wait(Wait::Until(check)));
        }
        let is_by_hand = typed.by_hand.as_ref().is_some_and(|by_hand| *by_hand.value());
        match (&typed.check, &typed.evidence) {
            (Some(_), _) if !is_by_hand => Action::Check,
            (None, Some(_)) if !is_by_hand => Action::Collect,
            _ => {
                let says_something = is_by_hand || typed.when.is_some() || typed.id.is_some() || typed.always.is_some();
                if has_block && !says_something {
                    let help = "add `do`, `check`, `ask`, `wait`, `wait_until` or `evidence`; without a block a step is done by hand";
                    let problem = Problem::error(self.at.clone(), "this step does nothing");
                    self.problems.push(problem.help(help));
                }
                Action::ByHand
            }
        }
    }

    /// What is kept of an answer is a name from here on.
    fn answer(&mut self, action: &Action, id: &str) {
        let Action::Ask(ask) = action else { return };
        let (name, span) = match &self.typed.keep {
            Some(keep) => (ask.keep.as_str(), (self.place)(keep.span())),
            None => (id, self.at.clone()),
        };
        let sample = ask.kind.sample(&ask.choices);
        let sample = if ask.several { Value::Array(vec![sample]) } else { sample };
        self.names.add(name, What::Answer(ask.kind), sample, span, self.problems);
    }

    fn environment(&mut self, written: &Spot<String>) -> Option<String> {
        let span = (self.place)(written.span());
        let Some(name) = reference(written.value()) else {
            let message = "`environment` is a parameter, not a name: a runbook is not for one environment only";
            self.problems.push(Problem::error(span, message).help("write `environment = \"{other}\"`"));
            return None;
        };
        if let Err(problem) = self.names.refer(name, &span) {
            self.problems.push(problem);
            return None;
        }
        if self.names.what(name) != Some(What::Parameter(Kind::Environment)) {
            let problem = Problem::error(span, format!("`{{{name}}}` is not an environment"));
            self.problems.push(problem.help("make it a parameter with `kind = \"environment\"`"));
            return None;
        }
        Some(name.to_owned())
    }

    fn check(&mut self) -> Option<Check> {
        let condition = self.condition(self.typed.check.as_ref()?)?;
        Some(self.timed(condition, WITHIN))
    }

    fn timed(&mut self, condition: Condition, default: Duration) -> Check {
        let duration = |written: Option<&Spot<String>>, key, problems: &mut Vec<Problem>| {
            let seconds = written.and_then(|written| seconds(written, key, self.place, problems))?;
            Some(Duration::from_secs(seconds.0.into()))
        };
        let holds_for = duration(self.typed.holds_for.as_ref(), "holds_for", self.problems).unwrap_or_default();
        let within = duration(self.typed.within.as_ref(), "within", self.problems);
        if let (Some(within), Some(written)) = (within, &self.typed.within)
            && within < holds_for
        {
            self.error(
                written.span(),
                "`within` is shorter than `holds_for`: it could never come true",
                "make `within` longer",
            );
        }
        let within = within.unwrap_or(default.max(holds_for * 2));
        Check { condition, within, holds_for }
    }

    /// A condition over the names that exist here, each of whose figures is one that its thing has.
    fn condition(&mut self, written: &Spot<String>) -> Option<Condition> {
        let span = (self.place)(written.span());
        let words = self.names.words();
        let condition = match Condition::compile(written.value(), &words) {
            Ok(condition) => condition,
            Err(error) => {
                let shown = error.to_string();
                let mut lines = shown.lines();
                let problem = Problem::error(span, format!("not a condition: {}", lines.next().unwrap_or_default()));
                let rest: Vec<&str> = lines.map(str::trim).filter(|line| !line.is_empty()).collect();
                self.problems.push(if rest.is_empty() { problem } else { problem.help(rest.join(" · ")) });
                return None;
            }
        };
        for figure in condition.figures() {
            self.names.using(&figure.word);
            let kind = match self.names.what(&figure.word) {
                Some(What::Parameter(kind)) if things::is_thing(kind) => kind,
                None if figure.word == "environment" => Kind::Environment,
                Some(What::Parameter(_) | What::Answer(_) | What::Step) | None => continue,
            };
            if let Err(error) = things::check(kind, &figure.field()) {
                let problem = Problem::error(span.clone(), format!("`{figure}`: {error}"));
                self.problems.push(problem.help(error.hint));
            }
        }
        Some(condition)
    }

    /// An operation with its inputs, tried with such values as its references may have.
    fn template(
        &mut self,
        written: &Spot<String>,
        with: Option<&std::collections::BTreeMap<Spot<String>, Spot<typed::Anything>>>,
        repeated: Option<&Spot<String>>,
    ) -> Option<Template> {
        let operation = operation(written, self.place, self.problems)?;
        let before = self.problems.len();
        let mut template = Template { operation, inputs: Vec::new() };
        for (key, value) in with.into_iter().flatten() {
            let Some(name) = self.argument(operation, key) else { continue };
            let value = self.input(value);
            template.inputs.push((name, value));
        }
        let repeated = repeated.and_then(|input| self.argument(operation, input));
        if self.problems.len() > before {
            return None;
        }
        let part = repeated.as_deref().map(|input| (input, Value::from(1)));
        match template.fill(&self.names.samples(), part) {
            Ok(_) => Some(template),
            Err(Unfilled::NotYet(_)) => None,
            Err(Unfilled::Unfit(because)) => {
                let span = (self.place)(self.unfit(&template, with).unwrap_or_else(|| written.span()));
                self.problems.push(Problem::error(span, format!("`{}`: {because}", operation.name())));
                None
            }
        }
    }

    /// The input that makes a template unfit, where it is one alone.
    fn unfit(
        &self,
        template: &Template,
        with: Option<&std::collections::BTreeMap<Spot<String>, Spot<typed::Anything>>>,
    ) -> Option<Range<usize>> {
        let said = template.fill(&self.names.samples(), None).err();
        with?.iter().find_map(|(key, value)| {
            let name = argument_of(template.operation, key.value())?;
            let inputs = template.inputs.iter().filter(|(other, _)| *other != name).cloned().collect();
            let without = Template { inputs, ..template.clone() };
            let after = without.fill(&self.names.samples(), None).err();
            (after != said).then(|| value.span())
        })
    }

    fn argument(&mut self, operation: OperationKind, written: &Spot<String>) -> Option<String> {
        let found = argument_of(operation, written.value());
        if found.is_none() {
            let known = inputs_of(operation);
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let message = format!("`{}` has no input `{}`", operation.name(), written.value());
            let problem = Problem::error((self.place)(written.span()), message);
            self.problems.push(problem.suggest(written.value(), &known));
        }
        found
    }

    fn input(&mut self, written: &Spot<typed::Anything>) -> Value {
        let span = (self.place)(written.span());
        let value = written.value().json();
        let texts: Vec<&str> = match &value {
            Value::String(text) => vec![text],
            Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
        };
        for text in texts {
            match reference(text) {
                Some(name) => {
                    if let Err(problem) = self.names.refer(name, &span) {
                        self.problems.push(problem);
                    }
                }
                None => {
                    if let Some(name) = self.spliced(text) {
                        let message = format!("`{{{name}}}` stands for its value only where it is the whole text");
                        self.problems
                            .push(Problem::error(span.clone(), message).help("make the whole text a parameter"));
                    }
                }
            }
        }
        value
    }

    /// A name in braces in the midst of a text.
    fn spliced(&self, text: &str) -> Option<String> {
        let names = text.split('{').skip(1).filter_map(|after| Some(after.split_once('}')?.0));
        names.map(str::to_owned).find(|name| self.names.what(name).is_some())
    }

    fn repeat(&mut self, repeat: &typed::RepeatBlock, action: &Action) -> Option<Repeat> {
        let (shares, of, input) = (repeat.shares.as_ref()?, repeat.of.as_ref()?, repeat.input.as_ref()?);
        let Action::Do(change) = action else {
            self.error(shares.span(), "`repeat` without `do`", "only an operation is done in parts");
            return None;
        };
        let percent: Vec<u32> = shares.value().iter().map(|share| *share.value()).collect();
        let rises = percent.windows(2).all(|pair| pair[0] < pair[1]) && percent.first().is_some_and(|first| *first > 0);
        if !rises || percent.last() != Some(&100) {
            self.error(shares.span(), "`shares` rise from above 0 up to 100", "write for instance [10, 50, 100]");
        }
        if self.typed.check.is_none() {
            self.error(shares.span(), "`repeat` without `check`", "say what is looked at after each part");
        }
        let (word, path) = of.value().split_once('.').unwrap_or((of.value(), ""));
        self.names.using(word);
        let is_known = match self.names.what(word) {
            Some(What::Parameter(kind)) if things::is_thing(kind) => {
                things::check(kind, path).is_ok() && !path.is_empty()
            }
            Some(What::Parameter(Kind::Number) | What::Answer(_)) => path.is_empty(),
            Some(What::Parameter(_) | What::Step) | None => false,
        };
        if !is_known {
            let message = format!("`{}` is not a figure that is known here", of.value());
            self.error(of.span(), &message, "write a parameter and one of its fields: `queue.messages`");
        }
        let input = argument_of(change.template.operation, input.value())?;
        Some(Repeat { shares: percent, of: of.value().clone(), input })
    }
}
