//! Values that are asked for, as a form: the parameters of a run, or the answer to a question.

use ratatui::{Frame, layout::Rect};
use serde_json::Value as Json;

use super::{answer::answer, begin_draw};
use crate::{
    domain::{EnvironmentName, Text},
    files::problem::nearest,
    keymap::{Command, Key},
    runbook::{Ask, Kind, Parameter, Runbook, Values, drive::Reply, things::is_thing},
    screens::screen::{After, Pane, PaneKeys},
    state::{
        Driven, Effect, Field, Model, Notice, Overlay, RunbookRunView, Ticket, Typed, View,
        run::Subject,
        runbook::{About, Begin, Purpose, Question, Said, Value, ValueLine, ValuesForm},
    },
};

use std::{collections::BTreeMap, sync::Arc};

/// Opens the form in which a run of a runbook is begun; `given` fills in what is known already.
pub(crate) fn open(
    model: &mut Model,
    runbook: Arc<Runbook>,
    environment: Option<&EnvironmentName>,
    given: &Values,
) -> Vec<Effect> {
    let all: Vec<String> = model.sites.iter().map(|site| site.environment.name.0.clone()).collect();
    let chosen = environment.or(model.only.as_ref());
    let at = match (chosen, all.len()) {
        (Some(chosen), _) => all.iter().position(|name| *name == chosen.0),
        (None, 1) => Some(0),
        // Where there are several, a person says which.
        (None, _) => None,
    };
    let mut lines = vec![ValueLine {
        about: About::Environment,
        name: "environment".to_owned(),
        kind: Kind::Environment,
        help: Text::from("the environment to run in"),
        value: Value::OneOf(all.clone(), at.unwrap_or(all.len())),
        is_optional: false,
        wrong: None,
    }];
    lines.extend(runbook.parameters.iter().map(|parameter| ValueLine::of(parameter, given)));
    lines.push(ValueLine {
        about: About::Reason,
        name: "reason".to_owned(),
        kind: Kind::Text,
        help: Text::from("the reason, for the journal and the timeline"),
        value: Value::Typed(Field::default()),
        is_optional: true,
        wrong: None,
    });
    let missing = lines.iter().position(|line| !line.is_optional && line.is_empty());
    let form = ValuesForm {
        environment: EnvironmentName(at.map(|at| all[at].clone()).unwrap_or_default()),
        title: Text::line(&format!("Run {}", runbook.name)),
        at: missing.unwrap_or(lines.len() - 1),
        lines,
        names: BTreeMap::new(),
        purpose: Purpose::Begin(runbook),
    };
    let effects = form.read_names();
    model.overlay = Some(Overlay::Values(Box::new(form)));
    effects
}

/// Opens the form in which a question is answered.
pub(super) fn ask(
    model: &mut Model,
    (ticket, number): (Ticket, u64),
    environment: &EnvironmentName,
    (title, ask): (&Text, &Ask),
) -> Vec<Effect> {
    let value = match (ask.choices.as_slice(), ask.several) {
        ([], _) => Value::Typed(Field::default()),
        (choices, true) => Value::SomeOf(choices.iter().map(|choice| (choice.clone(), false)).collect(), 0),
        (choices, false) => Value::OneOf(choices.to_vec(), 0),
    };
    let several = if ask.several && ask.choices.is_empty() { ", several with commas between" } else { "" };
    let line = ValueLine {
        about: About::Value,
        name: ask.keep.clone(),
        kind: ask.kind,
        help: Text::line(&format!("{}{several}", ask.kind.into_str())),
        value,
        is_optional: false,
        wrong: None,
    };
    let (purpose, environment) = (Purpose::Answer(ticket, number), environment.clone());
    let form =
        ValuesForm { purpose, environment, title: title.clone(), lines: vec![line], at: 0, names: BTreeMap::new() };
    let effects = form.read_names();
    model.overlay = Some(Overlay::Values(Box::new(form)));
    effects
}

/// Begins a run.
fn carry_out(model: &mut Model, runbook: Arc<Runbook>, wanted: Begin) -> Vec<Effect> {
    let ticket = model.ticket();
    let environment = match &wanted {
        Begin::New { environment, .. } | Begin::Again { environment, .. } => environment.clone(),
    };
    model.driven.push(Driven::begun(ticket, runbook, environment, (None, model.now)));
    model.open(View::RunbookRun(Box::new(RunbookRunView::new(Subject::Driven(ticket)))));
    vec![Effect::CarryOut(ticket, Box::new(wanted))]
}

/// Whether the question that a run asks takes several values.
fn asks_for_several(model: &Model, ticket: Ticket) -> bool {
    let asked = model.driven(ticket).and_then(|driven| driven.asked.as_ref());
    matches!(asked.map(|asked| &asked.question), Some(Question::Answer(ask)) if ask.several)
}

impl ValueLine {
    fn of(parameter: &Parameter, given: &Values) -> Self {
        let known = given.get(&parameter.name).or(parameter.default.as_ref());
        let text = known.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        let value = match parameter.choices.as_slice() {
            [] => Value::Typed(Field::with(Text::line(&text.unwrap_or_default()).as_str())),
            choices => {
                let at = choices.iter().position(|choice| Some(choice) == text.as_ref()).unwrap_or(0);
                Value::OneOf(choices.to_vec(), at)
            }
        };
        Self {
            about: About::Value,
            name: parameter.name.clone(),
            kind: parameter.kind,
            help: parameter.help.clone(),
            value,
            is_optional: false,
            wrong: None,
        }
    }

    fn is_empty(&self) -> bool {
        match &self.value {
            Value::Typed(field) => field.text().trim().is_empty(),
            Value::OneOf(all, at) => *at >= all.len(),
            Value::SomeOf(all, _) => all.iter().all(|(_, is_chosen)| !is_chosen),
        }
    }

    fn turn(&mut self, forward: bool) {
        match &mut self.value {
            Value::Typed(_) => {}
            Value::OneOf(all, at) => *at = turned(*at, all.len(), forward),
            Value::SomeOf(all, at) => *at = turned(*at, all.len(), forward),
        }
    }

    /// What it says.
    ///
    /// # Errors
    /// Why it can't be taken.
    fn read(&self, several: bool) -> Result<Json, String> {
        if self.is_empty() {
            return Err("required".to_owned());
        }
        match &self.value {
            Value::Typed(field) if several => {
                let parts = field.text().split(',').map(str::trim).filter(|part| !part.is_empty());
                parts.map(|part| self.kind.parse(part, &[])).collect::<Result<Vec<Json>, String>>().map(Json::Array)
            }
            Value::Typed(field) => self.kind.parse(field.text(), &[]),
            Value::OneOf(all, at) => self.kind.parse(&all[*at], all),
            Value::SomeOf(all, _) => {
                let chosen = all.iter().filter(|(_, is_chosen)| *is_chosen);
                Ok(Json::Array(chosen.map(|(name, _)| Json::from(name.as_str())).collect()))
            }
        }
    }
}

fn turned(at: usize, all: usize, forward: bool) -> usize {
    match (at >= all, forward) {
        (true, true) => 0,
        (true, false) => all.saturating_sub(1),
        (false, true) => (at + 1) % all.max(1),
        (false, false) => (at + all.max(1) - 1) % all.max(1),
    }
}

impl ValuesForm {
    /// Asks for the names of the real things that its lines can be.
    fn read_names(&self) -> Vec<Effect> {
        let mut kinds: Vec<Kind> =
            self.lines.iter().filter(|line| line.about == About::Value).map(|line| line.kind).collect();
        kinds.retain(|kind| is_thing(*kind) && *kind != Kind::Environment);
        kinds.sort_unstable();
        kinds.dedup();
        match kinds.is_empty() || self.environment.0.is_empty() {
            true => Vec::new(),
            false => vec![Effect::ReadNames(self.environment.clone(), kinds)],
        }
    }

    /// Names of a line's kind that are known.
    pub(super) fn known<'a>(&'a self, model: &'a Model, line: &ValueLine) -> Vec<&'a str> {
        match (line.about, line.kind) {
            (About::Environment | About::Reason, _) => Vec::new(),
            (About::Value, Kind::Environment) => {
                model.sites.iter().map(|site| site.environment.name.0.as_str()).collect()
            }
            (About::Value, kind) => match self.names.get(&kind) {
                Some(Ok(names)) => names.iter().map(String::as_str).collect(),
                Some(Err(_)) | None => Vec::new(),
            },
        }
    }

    /// What fits what is typed in the line that has the focus: those that begin with it first.
    pub(super) fn suggestions<'a>(&'a self, model: &'a Model) -> Vec<&'a str> {
        let Some(line) = self.lines.get(self.at) else { return Vec::new() };
        let Value::Typed(field) = &line.value else { return Vec::new() };
        let typed = field.text().trim().to_lowercase();
        let mut fit = self.known(model, line);
        fit.retain(|name| name.to_lowercase().contains(&typed));
        fit.sort_by_key(|name| !name.to_lowercase().starts_with(&typed));
        fit
    }

    fn go(&mut self, forward: bool) {
        self.at = turned(self.at, self.lines.len(), forward);
    }

    /// Takes the first name that fits, else goes to the next line.
    fn complete(&mut self, model: &Model) {
        let first = self.suggestions(model).first().map(|name| Text::line(name).to_string());
        match (first, self.lines.get_mut(self.at).map(|line| &mut line.value)) {
            (Some(first), Some(Value::Typed(field))) if field.text() != first => *field = Field::with(&first),
            _ => self.go(true),
        }
    }

    /// The environment was chosen: the names are those of that one.
    fn choose_environment(&mut self) -> Vec<Effect> {
        let chosen = self.lines.iter().find(|line| line.about == About::Environment);
        let Some(ValueLine { value: Value::OneOf(all, at), .. }) = chosen else { return Vec::new() };
        let name = all.get(*at).cloned().unwrap_or_default();
        if self.environment.0 == name {
            return Vec::new();
        }
        self.environment = EnvironmentName(name);
        self.names.clear();
        self.read_names()
    }

    /// All values by their names; none: something is wrong, which its line says.
    fn read(&mut self, model: &Model, several: bool) -> Option<Values> {
        let mut values = Values::default();
        let mut wrongs = Vec::new();
        for line in &self.lines {
            if line.is_optional && line.is_empty() {
                wrongs.push(None);
                continue;
            }
            let known = self.known(model, line);
            let read = line.read(several).and_then(|value| match value.as_str() {
                Some(name) if !known.is_empty() && !known.contains(&name) => {
                    let near = nearest(name, &known).map(|near| format!("; did you mean {near}?")).unwrap_or_default();
                    Err(format!("{} has no {} {name}{near}", self.environment, line.kind.into_str()))
                }
                Some(_) | None => Ok(value),
            });
            match read {
                Ok(value) => {
                    // The environment and the reason are read from their lines: a parameter may have the same name.
                    if line.about == About::Value {
                        values.0.insert(line.name.clone(), value);
                    }
                    wrongs.push(None);
                }
                Err(wrong) => wrongs.push(Some(Text::line(&wrong))),
            }
        }
        if let Some(at) = wrongs.iter().position(Option::is_some) {
            self.at = at;
        }
        let is_right = wrongs.iter().all(Option::is_none);
        self.lines.iter_mut().zip(wrongs).for_each(|(line, wrong)| line.wrong = wrong);
        is_right.then_some(values)
    }

    fn apply(&mut self, model: &mut Model) -> After {
        if model.leaving {
            model.say(Notice::bad("opsctl is quitting: nothing new starts"));
            return After::stay();
        }
        let several = match &self.purpose {
            Purpose::Begin(_) => false,
            Purpose::Answer(ticket, _) => asks_for_several(model, *ticket),
        };
        let Some(mut values) = self.read(model, several) else { return After::stay() };
        match &self.purpose {
            Purpose::Begin(runbook) => {
                let reason = self.lines.iter().find(|line| line.about == About::Reason);
                let reason = reason.and_then(|line| match &line.value {
                    Value::Typed(field) => Some(Text::line(field.text().trim())).filter(|reason| !reason.is_empty()),
                    Value::OneOf(..) | Value::SomeOf(..) => None,
                });
                let parameters = runbook
                    .parameters
                    .iter()
                    .filter_map(|parameter| Some((parameter.name.clone(), values.0.remove(&parameter.name)?)));
                let parameters = Values(parameters.collect());
                let (runbook, environment) = (Arc::clone(runbook), self.environment.clone());
                let begin = Begin::New { runbook: Arc::clone(&runbook), parameters, environment, reason };
                After::leaves(carry_out(model, runbook, begin))
            }
            Purpose::Answer(ticket, number) => {
                let value = self.lines.first().and_then(|line| values.0.remove(&line.name)).unwrap_or_default();
                After::leaves(answer(model, *ticket, *number, Said::Answered(Reply::Said(value))))
            }
        }
    }
}

impl Pane for ValuesForm {
    fn keys(&self) -> PaneKeys {
        PaneKeys::Own
    }

    fn key(&mut self, model: &mut Model, key: &Key, _: Option<Command>) -> After {
        let is_typed = self.field().is_some();
        match key.to_string().as_str() {
            "enter" => return self.apply(model),
            "esc" | "ctrl-c" | "ctrl-g" => return After::close(),
            "down" | "ctrl-n" => self.go(true),
            "up" | "backtab" | "ctrl-p" => self.go(false),
            "tab" => self.complete(model),
            text if !is_typed => {
                let Some(line) = self.lines.get_mut(self.at) else { return After::stay() };
                line.wrong = None;
                match (text, &mut line.value) {
                    ("space", Value::SomeOf(all, at)) => {
                        if let Some((_, is_chosen)) = all.get_mut(*at) {
                            *is_chosen = !*is_chosen;
                        }
                    }
                    ("space" | "right" | "l", _) => line.turn(true),
                    ("left" | "h", _) => line.turn(false),
                    _ => {}
                }
                return After::wants(self.choose_environment());
            }
            _ => {
                let changed = self.field().map(|field| field.key(key)) == Some(Typed::Changed);
                if let Some(line) = self.lines.get_mut(self.at).filter(|_| changed) {
                    line.wrong = None;
                }
            }
        }
        After::stay()
    }

    fn field(&mut self) -> Option<&mut Field> {
        match &mut self.lines.get_mut(self.at)?.value {
            Value::Typed(field) => Some(field),
            Value::OneOf(..) | Value::SomeOf(..) => None,
        }
    }

    fn draw(&self, model: &Model, frame: &mut Frame<'_>, area: Rect) {
        begin_draw::draw(model, self, frame, area);
    }
}
