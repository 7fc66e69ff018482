//! Who is asked while a runbook is carried out from the command line: what was said beforehand, else a prompt, else nobody.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::{
    cli::{
        args::{Format, Global, Said},
        attention,
        commands::change::{as_asked, person},
        progress, prompt, show,
        wrap::{width_of, wrap},
    },
    domain::{Text, words::duration},
    gate::{self, Answer, Consent},
    operations::{command_line, values::Uncertain},
    runbook::{
        Action, Ask, Decision, StepState,
        drive::{At, Person, Reply, ToAgree, Told, Why},
        preview::said,
    },
};

/// Tries at a question before nobody is asked any more.
const TRIES_MAX: usize = 3;

pub(super) struct Caller {
    said: Said,
    format: Format,
    can_ask: bool,
    person: Text,
    /// Whether it is a script's player, who agrees to every plan.
    is_player: bool,
    /// A decision is good for one failure.
    decision: Mutex<Option<Decision>>,
    /// Whether the decision is also about what the run waits for when it is resumed.
    decides_at_once: AtomicBool,
    shown: Mutex<Drawn>,
    /// Whether something was done since the last answer: who is asked now may look elsewhere.
    has_worked: AtomicBool,
    /// Whether the terminal's title calls for a person.
    is_called: AtomicBool,
}

/// What stands on the terminal.
#[derive(Default)]
struct Drawn {
    /// The step that was shown last, and how it stood.
    step: Option<(usize, StepState)>,
    /// The bar of a run of a step.
    bar: Option<Arc<progress::Shown>>,
}

impl Caller {
    /// # Errors
    /// The decision that was given is none.
    pub(super) fn new(said: &Said, format: Format, global: &Global) -> Result<Self, String> {
        let decision = said.decide.as_deref().map(decision).transpose()?;
        Ok(Self {
            said: said.clone(),
            format,
            can_ask: prompt::can_ask() && global.inside.as_ref().is_none_or(|inside| inside.player.is_none()),
            person: person(global),
            is_player: global.inside.as_ref().is_some_and(|inside| inside.player.is_some()),
            decision: Mutex::new(decision),
            decides_at_once: AtomicBool::new(false),
            shown: Mutex::default(),
            has_worked: AtomicBool::new(false),
            is_called: AtomicBool::new(false),
        })
    }

    /// For a run that is resumed: what was decided is about whatever it waits for, failed or not.
    pub(super) fn deciding_at_once(self) -> Self {
        self.decides_at_once.store(true, Ordering::Relaxed);
        self
    }

    /// Why a step is not done that was decided about before anything of it was asked.
    fn declined(&self) -> Option<Text> {
        if !self.decides_at_once.swap(false, Ordering::Relaxed) {
            return None;
        }
        let decision = self.decision.lock().unwrap_or_else(PoisonError::into_inner);
        match decision.as_ref()? {
            Decision::Skip { .. } | Decision::Stop {} | Decision::ByHand { .. } => Some(Text::from("declined")),
            Decision::Again { .. } | Decision::CheckAgain {} => None,
        }
    }

    fn say(&self, text: &str) {
        for line in text.lines() {
            wrap(Text::line(line).as_str(), width_of(std::io::stderr())).iter().for_each(|line| {
                // A run goes on whether or not somebody listens.
                let _ = std::io::Write::write_all(&mut anstream::stderr(), format!("{line}\n").as_bytes());
            });
        }
    }

    fn end_bar(&self) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = shown.bar.take() {
            bar.end();
        }
    }

    fn given(&self, name: &str) -> Option<&str> {
        self.said.set.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The step as the runbook has it, before a person is asked about it.
    fn show_step(&self, at: At<'_>) {
        self.end_bar();
        let step = at.step();
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner).step;
        if shown != Some((at.index, StepState::Running)) {
            self.say(&format!("{}/{} {}", at.index + 1, at.runbook.steps.len(), step.name));
        }
        self.say(&crate::runbook::show::plain(at.runbook.body_of(step)));
    }

    /// Calls whoever may look elsewhere by now.
    fn call(&self, at: At<'_>, what: &str) {
        if self.has_worked.swap(false, Ordering::Relaxed) {
            self.is_called.store(true, Ordering::Relaxed);
            attention::call(&Text::line(&format!("{} waits for {what} `{}`", at.runbook.name, at.step().name)));
        }
    }

    async fn ask(question: String) -> String {
        let asked = tokio::task::spawn_blocking(move || prompt::line(&question)).await;
        asked.ok().and_then(Result::ok).unwrap_or_default()
    }

    async fn consent(&self, asked: ToAgree<'_>) -> Reply<Consent> {
        if let Some(because) = self.declined() {
            return Reply::No(because);
        }
        let ToAgree { plan, environment, .. } = asked;
        let command = command_line(&plan.operation, &plan.environment, &environment.invocation);
        self.show_step(asked.at);
        match asked.why {
            Why::Step => {}
            Why::GoOn => self.say("This continues an unfinished run of this step."),
            Why::Undo => self.say("The run was stopped. This undoes the step."),
        }
        if let Some((part, parts)) = asked.part {
            self.say(&format!("Part {part} of {parts}."));
        }
        show::plan(plan, &command).iter().for_each(|line| self.say(line));
        let gate_asks = match gate::ask(plan, environment) {
            Ok(asks) => asks,
            Err(refusal) => return Reply::No(Text::line(&format!("{refusal}: {}", refusal.hint()))),
        };
        let reason = self.said.reason.as_deref().map(Text::line);
        let fingerprints: Vec<&String> = self.said.approve.iter().filter(|given| !given.is_empty()).collect();
        let is_yes = self.said.yes || self.said.approve.iter().any(String::is_empty);
        let said = |answer| Reply::Said(Consent { by: self.person.clone(), answer, reason: reason.clone() });
        if self.is_player {
            return Reply::Said(as_asked(&gate_asks, &self.person, reason.clone()));
        }
        if let Some(given) = fingerprints.iter().find(|given| ***given == plan.fingerprint.0) {
            return said(Answer::Fingerprint((*given).clone()));
        }
        match gate_asks {
            gate::Ask::Yes if is_yes => return said(Answer::Yes),
            gate::Ask::Yes | gate::Ask::Type(_) if !self.can_ask => return Reply::Nobody,
            gate::Ask::Yes | gate::Ask::Type(_) => {}
        }
        self.call(asked.at, "approval of");
        let (asks, shown) = (gate_asks.clone(), plan.clone());
        let answer = tokio::task::spawn_blocking(move || prompt::consent(&asks, &shown)).await;
        let answer = answer.ok().and_then(Result::ok).unwrap_or_default();
        if answer == Answer::None {
            return Reply::No(Text::from("the answer was not yes"));
        }
        let reason = match (&gate_asks, reason.clone()) {
            (gate::Ask::Type(_), None) => Some(Text::line(&Self::ask("Why? ".to_owned()).await)),
            (_, reason) => reason,
        };
        Reply::Said(Consent { by: self.person.clone(), answer, reason })
    }

    async fn question(&self, at: At<'_>, ask: &Ask) -> Reply<Value> {
        if let Some(given) = self.given(&ask.keep) {
            return match ask.parse(given) {
                Ok(value) => Reply::Said(value),
                Err(because) => Reply::No(Text::line(&format!("--set {}: {because}", ask.keep))),
            };
        }
        if let Some(because) = self.declined() {
            return Reply::No(because);
        }
        if !self.can_ask {
            return Reply::Nobody;
        }
        self.call(at, "an answer to");
        self.show_step(at);
        let what = match (ask.choices.as_slice(), ask.several) {
            ([], _) => ask.kind.into_str().to_owned(),
            (choices, true) => format!("some of {}, with commas", choices.join(", ")),
            (choices, false) => choices.join(", "),
        };
        for _ in 0..TRIES_MAX {
            let answer = Self::ask(format!("{} ({what}): ", ask.keep)).await;
            if answer.is_empty() {
                return Reply::Nobody;
            }
            match ask.parse(&answer) {
                Ok(value) => return Reply::Said(value),
                Err(because) => self.say(&because),
            }
        }
        Reply::Nobody
    }

    async fn hand(&self, at: At<'_>) -> Reply<Option<Text>> {
        let step = at.step();
        if let Some((_, note)) = self.said.done.iter().find(|(name, _)| *name == step.id) {
            return Reply::Said(note.as_deref().map(Text::line));
        }
        if let Some(because) = self.declined() {
            return Reply::No(because);
        }
        if !self.can_ask {
            return Reply::Nobody;
        }
        self.call(at, "someone to do");
        self.show_step(at);
        let answer = Self::ask("Done? [y, a note, n, or nothing to leave the run open] ".to_owned()).await;
        match answer.to_ascii_lowercase().as_str() {
            "" => Reply::Nobody,
            "y" | "yes" => Reply::Said(None),
            "n" | "no" => Reply::No(Text::from("it was not done")),
            _ => Reply::Said(Some(Text::line(&answer))),
        }
    }

    async fn decision(&self, at: At<'_>) -> Reply<Decision> {
        self.decides_at_once.store(false, Ordering::Relaxed);
        let given = self.decision.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(decision) = given {
            return Reply::Said(decision);
        }
        if !self.can_ask {
            return Reply::Nobody;
        }
        self.call(at, "a decision on");
        self.end_bar();
        let because = at.progress().because.clone().unwrap_or_default();
        self.say(&format!("`{}` has failed: {because}", at.step().name));
        let again = match at.progress().left() {
            Some(ran) => format!("again (continues run {})", ran.run),
            None => "again".to_owned(),
        };
        let resend = match at.progress().left() {
            Some(_) => ", resend (resends messages that may have been sent)",
            None => "",
        };
        let check = if at.progress().check_failed() { ", check (checks again without repeating the step)" } else { "" };
        for _ in 0..TRIES_MAX {
            let question =
                format!("{again}{resend}{check}, skip=REASON, by-hand=NOTE, stop, or nothing to leave the run open: ");
            let answer = Self::ask(question).await;
            if answer.is_empty() {
                return Reply::Nobody;
            }
            match decision(&answer) {
                Ok(decision) => return Reply::Said(decision),
                Err(because) => self.say(&because),
            }
        }
        Reply::Nobody
    }
}

impl Person for Caller {
    fn name(&self) -> Text {
        self.person.clone()
    }

    fn agree<'a>(&'a self, asked: ToAgree<'a>) -> BoxFuture<'a, Reply<Consent>> {
        Box::pin(self.consent(asked))
    }

    fn answer<'a>(&'a self, at: At<'a>, ask: &'a Ask) -> BoxFuture<'a, Reply<Value>> {
        Box::pin(self.question(at, ask))
    }

    fn done_by_hand<'a>(&'a self, at: At<'a>) -> BoxFuture<'a, Reply<Option<Text>>> {
        Box::pin(self.hand(at))
    }

    fn decide<'a>(&'a self, at: At<'a>) -> BoxFuture<'a, Reply<Decision>> {
        Box::pin(self.decision(at))
    }

    fn told(&self, told: Told<'_>) {
        match told {
            Told::Moved(at) => {
                if self.is_called.swap(false, Ordering::Relaxed) {
                    attention::over();
                }
                let (state, index) = (at.progress().state, at.index);
                let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
                if shown.step == Some((index, state)) {
                    return;
                }
                shown.step = Some((index, state));
                if let Some(bar) = shown.bar.take() {
                    bar.end();
                }
                drop(shown);
                self.say(&step_line(at));
            }
            Told::Doing(at, text) => {
                self.has_worked.store(true, Ordering::Relaxed);
                // On a terminal a bar would say it; elsewhere what is new.
                if self.format == Format::Human && self.can_ask {
                    self.say(&format!("  {}: {text}", at.step().name));
                }
            }
            Told::Running(_, running) => {
                self.has_worked.store(true, Ordering::Relaxed);
                let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
                let bar = shown.bar.get_or_insert_with(|| Arc::new(progress::Shown::new(self.format, None)));
                let bar = Arc::clone(bar);
                drop(shown);
                (bar.tell())(running);
            }
        }
    }
}

/// A step and how it stands, in a line.
fn step_line(at: At<'_>) -> String {
    let (step, progress) = (at.step(), at.progress());
    let took = progress.seconds().map(|seconds| format!(", {}", duration(seconds))).unwrap_or_default();
    let because = match progress.state {
        StepState::Running => {
            let is_said = matches!(step.action, Action::Do(_) | Action::ByHand);
            let what = if is_said { String::new() } else { format!(": {}", said(step)) };
            return format!("{}/{} {}{what}", at.index + 1, at.runbook.steps.len(), step.name);
        }
        StepState::Waiting
        | StepState::Verified
        | StepState::Failed
        | StepState::ByHand
        | StepState::Skipped
        | StepState::NotNeeded
        | StepState::NothingToDo => progress.because.as_ref().map(|because| format!(": {because}")).unwrap_or_default(),
    };
    format!("{}/{} {}: {}{took}{because}", at.index + 1, at.runbook.steps.len(), step.name, progress.state.words())
}

/// `again`, `resend`, `check`, `skip=REASON`, `by-hand=NOTE`, `stop`.
pub(super) fn decision(text: &str) -> Result<Decision, String> {
    let (word, more) = text.split_once('=').unwrap_or((text, ""));
    let (word, more) = (word.trim(), Text::line(more.trim()));
    match (word, more.as_str().is_empty()) {
        ("again", _) => Ok(Decision::Again { uncertain: Uncertain::Leave }),
        ("resend", _) => Ok(Decision::Again { uncertain: Uncertain::Resend }),
        ("check", _) => Ok(Decision::CheckAgain {}),
        ("stop", _) => Ok(Decision::Stop {}),
        ("skip", false) => Ok(Decision::Skip { reason: more }),
        ("by-hand", false) => Ok(Decision::ByHand { note: more }),
        ("skip", true) => Err("say why: skip=REASON".to_owned()),
        ("by-hand", true) => Err("say what was done: by-hand=NOTE".to_owned()),
        _ => Err(format!("`{word}` is not again, resend, check, skip=REASON, by-hand=NOTE or stop")),
    }
}
