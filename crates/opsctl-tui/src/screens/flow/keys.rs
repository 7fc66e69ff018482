//! Keys in a plan.

use std::time::Duration;

use ratatui::{Frame, layout::Rect};

use crate::{
    domain::Text,
    gate::{self, Answer, Approved, Ask, Consent, Refusal},
    keymap::{Command, Key, Scope},
    screens::{
        flow::{
            draw, options,
            planning::{PLAN_SECONDS_MAX, copy_command, plan_again, settle},
        },
        runbooks::answer,
        screen::{After, Pane, PaneKeys},
    },
    state::{
        ConsentLine, Consenting, Effect, Field, Flow, Load, Model, Mouse, MouseWhat, Notice, RunState, RunView, Typed,
        View, Wanted, run::Subject,
    },
    widgets::{areas, is_too_small},
};

impl Pane for Flow {
    fn scope(&self, _: Scope) -> Scope {
        Scope::Plan
    }

    fn keys(&self) -> PaneKeys {
        PaneKeys::Own
    }

    fn settle(&mut self, model: &Model) {
        settle(self, model);
    }

    fn key(&mut self, model: &mut Model, key: &Key, meaning: Option<Command>) -> After {
        if is_too_small(model.size) {
            // Nothing of it is seen: all that can be done is to give it up.
            let typing = self.options.is_some() || self.consenting.line.is_some();
            let gives_up = *key == Key::CTRL_C || (!typing && meaning == Some(Command::Back));
            return if gives_up { close(model, &self.wanted) } else { After::stay() };
        }
        if self.options.is_some() {
            return After::wants(options::key(self, model, key));
        }
        if self.consenting.line.is_some() {
            return self.typing(model, key);
        }
        match meaning {
            Some(command) => self.given(model, command),
            None => self.begin_to_type(key),
        }
    }

    fn mouse(&mut self, model: &mut Model, mouse: Mouse) -> After {
        if let MouseWhat::Scroll(lines) = mouse.what {
            let rows = draw::page_rows(self, model.size);
            match &mut self.options {
                Some(form) => form.scroll(lines),
                None => self.page.scroll(&mut self.top, lines, rows),
            }
        }
        After::stay()
    }

    fn field(&mut self) -> Option<&mut Field> {
        match &mut self.options {
            Some(form) => form.field(),
            None => self.consenting.field(),
        }
    }

    fn typed(&mut self, _: &Model) {
        self.consenting.said = None;
        if let Some(form) = &mut self.options {
            form.check();
        }
    }

    fn draw(&self, model: &Model, frame: &mut Frame<'_>, area: Rect) {
        draw::draw(model, self, frame, area);
    }
}

/// Gives up; an answer that comes later finds nobody.
fn close(model: &mut Model, wanted: &Wanted) -> After {
    let words = match wanted {
        Wanted::Operation(_) | Wanted::Resume(_) => "given up: nothing was done",
        Wanted::Step(_) => "not agreed to yet: the run waits",
    };
    model.say(Notice::note(words));
    After::close()
}

impl Flow {
    fn given(&mut self, model: &mut Model, command: Command) -> After {
        let rows = draw::page_rows(self, model.size);
        if self.page.step(&mut self.top, command, rows) {
            return After::stay();
        }
        let asks_type = self.asks_type();
        match command {
            Command::Back => return close(model, &self.wanted),
            Command::Approve | Command::Next if asks_type => self.consenting.line = Some(ConsentLine::Phrase),
            Command::Previous if asks_type => self.consenting.line = Some(ConsentLine::Reason),
            Command::Approve => return self.approve(model),
            Command::Open => return self.enter(model),
            Command::Next | Command::Previous | Command::Left | Command::Right => {
                let asks_yes = matches!(self.asked, Some(Ok(Ask::Yes))) && self.ready().is_some_and(|plan| !plan.empty);
                self.consenting.yes = asks_yes && !self.consenting.yes;
            }
            Command::Options => options::open(self, model),
            Command::Refresh => return After::wants(plan_again(self, model, None)),
            Command::Copy | Command::CopyCommand => return After::wants(copy_command(self, model)),
            Command::Theme => {
                model.look.theme = model.look.theme.next();
                settle(self, model);
            }
            Command::Suspend => model.due.command = Some(command),
            Command::Redraw => return After::wants(vec![Effect::Redraw]),
            _ => {}
        }
        After::stay()
    }

    fn asks_type(&self) -> bool {
        matches!(&self.asked, Some(Ok(Ask::Type(_)))) && !self.ready().is_some_and(|plan| plan.empty)
    }

    fn approve(&mut self, model: &mut Model) -> After {
        match (&self.plan, &self.asked) {
            (Load::Here(plan), Some(Ok(_))) if !plan.empty => return give(self, model),
            (Load::Here(_), _) => model.say(Notice::bad("there is nothing to agree to: the plan says why")),
            // It is not there yet: that is said, and remembered.
            (Load::Idle | Load::Waiting(..), _) => return give(self, model),
            (Load::Failed(..), _) => model.say(Notice::bad("there is no plan")),
        }
        After::stay()
    }

    /// The button that has the focus; where there is no question, the one thing that can be done.
    fn enter(&mut self, model: &mut Model) -> After {
        match (&self.plan, &self.asked) {
            (Load::Here(plan), Some(Ok(_))) if plan.empty => close(model, &self.wanted),
            (Load::Here(_), Some(Ok(Ask::Yes))) if self.consenting.yes => self.approve(model),
            (Load::Here(_), Some(Ok(Ask::Type(_)))) => {
                self.consenting.line = Some(ConsentLine::Phrase);
                After::stay()
            }
            (Load::Here(_), _) => close(model, &self.wanted),
            (Load::Failed(..), _) => After::wants(plan_again(self, model, None)),
            (Load::Idle | Load::Waiting(..), _) => After::stay(),
        }
    }

    /// Where a name is asked for, whoever just types it is understood.
    fn begin_to_type(&mut self, key: &Key) -> After {
        if self.ready().is_some() && self.asks_type() && key.character().is_some() {
            self.consenting.line = Some(ConsentLine::Phrase);
            self.consenting.phrase.key(key);
        }
        After::stay()
    }

    fn typing(&mut self, model: &mut Model, key: &Key) -> After {
        let rows = draw::page_rows(self, model.size);
        let Some(line) = self.consenting.line else { return After::stay() };
        let Some(field) = self.consenting.field() else { return After::stay() };
        if *key == Key::CTRL_C {
            return close(model, &self.wanted);
        }
        match field.key(key) {
            Typed::Changed => self.consenting.said = None,
            Typed::Escape => self.consenting.line = None,
            Typed::Enter => return give(self, model),
            Typed::Nothing => match (key.to_string().as_str(), line) {
                ("tab", ConsentLine::Phrase) => self.consenting.line = Some(ConsentLine::Reason),
                ("backtab", ConsentLine::Reason) => self.consenting.line = Some(ConsentLine::Phrase),
                ("tab", ConsentLine::Reason) | ("backtab", ConsentLine::Phrase) => self.consenting.line = None,
                (key, _) => {
                    let command = match key {
                        "down" => Command::Down,
                        "up" => Command::Up,
                        "pgdn" => Command::PageDown,
                        "pgup" => Command::PageUp,
                        _ => return After::stay(),
                    };
                    self.page.step(&mut self.top, command, rows);
                }
            },
        }
        After::stay()
    }
}

/// Ended runs of this console that are kept in mind; journals tell of the others.
const ENDED_MAX: usize = 200;

/// Fewest rows of a plan that must be in sight where it is agreed to.
const PLAN_ROWS_MIN: usize = 3;

/// A yes counts after the keys were quiet for so long with the plan in sight: a key that is held down repeats faster, and
/// nobody has read anything sooner.
const QUIET: Duration = Duration::from_millis(400);

impl Consenting {
    /// Back to the safe answer, with nothing typed: another plan asks for its own consent.
    pub(crate) fn forget(&mut self) {
        *self = Self { reason: std::mem::take(&mut self.reason), ..Self::default() };
    }

    pub(crate) fn field(&mut self) -> Option<&mut Field> {
        match self.line? {
            ConsentLine::Phrase => Some(&mut self.phrase),
            ConsentLine::Reason => Some(&mut self.reason),
        }
    }
}

/// Why an answer can't be taken now, whatever it is: who gives it must have the plan before their eyes.
fn untimely(flow: &mut Flow, model: &Model) -> Option<Notice> {
    let (size, frames, moment, leaving) = (model.size, model.frames, model.moment, model.leaving);
    let key = model.keymap.key_for(Scope::Plan, Command::Approve).unwrap_or("yes");
    if leaving {
        return Some(Notice::bad("opsctl is about to end: nothing is begun any more"));
    }
    if flow.ready().is_none() {
        flow.early = true;
        return Some(Notice::bad("the plan is not there yet"));
    }
    let was_quiet = moment.saturating_sub(std::mem::replace(&mut flow.quiet_since, moment)) >= QUIET;
    // Typed ahead of the plan is no consent to it.
    if frames <= flow.planned_frame {
        flow.early = true;
        return Some(Notice::note("here is the plan: answer once you have read it"));
    }
    if areas::is_too_small(size) || draw::page_rows(flow, size) < PLAN_ROWS_MIN {
        return Some(Notice::bad("make the terminal larger: the plan can't be seen"));
    }
    if matches!(flow.asked, Some(Ok(Ask::Yes))) && std::mem::take(&mut flow.early) {
        flow.consenting.yes = true;
        // The next answer counts once these words have been seen.
        flow.planned_frame = frames;
        return Some(Notice::note(&format!("here is the plan: {key} once more does it")));
    }
    if matches!(flow.asked, Some(Ok(Ask::Yes))) && !was_quiet {
        flow.consenting.yes = true;
        return Some(Notice::note(&format!("a key held down does not count: {key} once more")));
    }
    None
}

/// Gives the answer as it stands to the gate; begins the run, or says calmly what is missing.
pub(super) fn give(flow: &mut Flow, model: &mut Model) -> After {
    let (now, by) = (model.now, model.person.clone());
    if let Some(why) = untimely(flow, model) {
        model.say(why);
        return After::stay();
    }
    let Some(plan) = flow.ready().cloned() else { return After::stay() };
    let age = flow.planned_at.map_or(0, |at| now.duration_since(at).as_secs());
    if age > PLAN_SECONDS_MAX {
        let words = format!("The plan was {} min old: it is made anew, look at it once more.", age / 60);
        return After::wants(plan_again(flow, model, Some(Text::line(&words))));
    }
    let answer = match &flow.asked {
        Some(Ok(Ask::Type(_))) => Answer::Typed(flow.consenting.phrase.text().to_owned()),
        Some(Ok(Ask::Yes)) | Some(Err(_)) | None => Answer::Yes,
    };
    let reason = Some(Text::line(flow.consenting.reason.text())).filter(|reason| !reason.as_str().trim().is_empty());
    let Some(environment) = model.site(&flow.environment).map(|site| site.environment.clone()) else {
        return After::stay();
    };
    if plan.empty {
        // The command line ends there as well: there is nothing to agree to.
        return After::close();
    }
    match gate::approve(plan, &environment, Consent { by, answer, reason }, now) {
        Ok(approved) => match &flow.wanted {
            // The run gives it to the gate with the plan that it holds.
            Wanted::Step(step) => After::leaves(answer::agreed(model, step, approved.consent().clone())),
            Wanted::Operation(_) | Wanted::Resume(_) => After::leaves(begin_run(flow, model, approved)),
        },
        Err(refusal) => {
            refused(flow, &refusal);
            After::stay()
        }
    }
}

fn refused(flow: &mut Flow, refusal: &Refusal) {
    let consenting = &mut flow.consenting;
    consenting.said = match refusal {
        Refusal::NoReason { environment } if consenting.line == Some(ConsentLine::Phrase) => {
            consenting.line = Some(ConsentLine::Reason);
            Some(Text::line(&format!("{environment} asks for a reason: it goes into the journal")))
        }
        Refusal::NoReason { .. } => {
            consenting.line = Some(ConsentLine::Reason);
            Some(Text::line(&format!("{refusal}: it goes into the journal")))
        }
        Refusal::Mistyped { .. } => {
            consenting.line = Some(ConsentLine::Phrase);
            Some(Text::line(&refusal.to_string()))
        }
        Refusal::ReadOnly { .. }
        | Refusal::Blocked { .. }
        | Refusal::Unsound { .. }
        | Refusal::NotConfirmed { .. }
        | Refusal::OtherPlan { .. }
        | Refusal::Used { .. }
        | Refusal::Expired { .. }
        | Refusal::NoAccount { .. } => Some(Text::line(&refusal.to_string())),
    };
}

fn begin_run(flow: &Flow, model: &mut Model, approved: Approved) -> Vec<Effect> {
    let ticket = model.ticket();
    let resumed = match &flow.wanted {
        Wanted::Operation(_) | Wanted::Step(_) => None,
        Wanted::Resume(run) => Some(run.clone()),
    };
    let plan = Box::new(approved.plan().clone());
    let approved = Box::new(approved);
    let effect = match resumed.clone() {
        None => Effect::Run(ticket, approved),
        Some(run) => Effect::Resume(ticket, run, approved),
    };
    model.runs.push(RunState::begun(ticket, plan, resumed, model.now));
    forget_old(&mut model.runs);
    model.due.let_go = true;
    model.open(View::Run(RunView::new(Subject::Here(ticket), false)));
    vec![effect]
}

fn forget_old(runs: &mut Vec<RunState>) {
    let ended = runs.iter().filter(|run| !run.is_active()).count();
    if ended > ENDED_MAX
        && let Some(at) = runs.iter().position(|run| !run.is_active())
    {
        runs.remove(at);
    }
}
