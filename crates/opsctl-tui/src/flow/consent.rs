//! The answer to a plan, in the making. Whether it is enough is the gate's business.

use std::time::Duration;

use crate::{
    domain::Text,
    effect::Effect,
    estate,
    event::Notice,
    field::Field,
    gate::{self, Answer, Approved, Ask, Consent, Refusal},
    keymap::{Command, Scope},
    model::{Model, Overlay},
    run_view::{self, RunState},
    ticket::Ticket,
    update, view,
};

use super::{Flow, PLAN_SECONDS_MAX, Wanted, draw, plan_again};

/// Fewest rows of a plan that must be in sight where it is agreed to.
const PLAN_ROWS_MIN: usize = 3;

/// A yes counts after the keys were quiet for so long with the plan in sight: a key that is held down repeats faster, and
/// nobody has read anything sooner.
const QUIET: Duration = Duration::from_millis(400);

/// The answer in the making.
#[derive(Debug, Clone, Default)]
pub struct Consenting {
    /// Whether "Yes" has the focus; "No" has it at first.
    pub yes: bool,
    /// Which line is typed in, under `type-name`.
    pub line: Option<Line>,
    /// The phrase, as far as it is typed.
    pub phrase: Field,
    /// The reason, as far as it is typed.
    pub reason: Field,
    /// What was not right with the last answer.
    pub said: Option<Text>,
}

/// A line that is typed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// The phrase.
    Phrase,
    /// The reason.
    Reason,
}

impl Consenting {
    /// Back to the safe answer, with nothing typed: another plan asks for its own consent.
    pub(super) fn forget(&mut self) {
        *self = Self { reason: std::mem::take(&mut self.reason), ..Self::default() };
    }

    pub(super) fn field(&mut self) -> Option<&mut Field> {
        match self.line? {
            Line::Phrase => Some(&mut self.phrase),
            Line::Reason => Some(&mut self.reason),
        }
    }
}

/// Why an answer can't be taken now, whatever it is: who gives it must have the plan before their eyes.
fn untimely(model: &mut Model) -> Option<Notice> {
    let (size, frames, moment, leaving) = (model.size, model.frames, model.moment, model.leaving);
    let key = model.keymap.key_for(Scope::Plan, Command::Approve).unwrap_or("yes").to_owned();
    let Some(Overlay::Flow(flow)) = &mut model.overlay else { return None };
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
    if view::is_too_small(size) || draw::page_rows(flow, size) < PLAN_ROWS_MIN {
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
pub(super) fn give(model: &mut Model) -> Vec<Effect> {
    let (now, by) = (model.now, model.person.clone());
    if let Some(why) = untimely(model) {
        model.say(why);
        return Vec::new();
    }
    let Some(Overlay::Flow(flow)) = &model.overlay else { return Vec::new() };
    let Some(plan) = flow.ready().cloned() else { return Vec::new() };
    let age = flow.planned_at.map_or(0, |at| now.duration_since(at).as_secs());
    if age > PLAN_SECONDS_MAX {
        let words = format!("The plan was {} min old: it is made anew, look at it once more.", age / 60);
        return plan_again(model, Some(Text::line(&words)));
    }
    let answer = match &flow.asked {
        Some(Ok(Ask::Type(_))) => Answer::Typed(flow.consenting.phrase.text().to_owned()),
        Some(Ok(Ask::Yes)) | Some(Err(_)) | None => Answer::Yes,
    };
    let reason = Some(Text::line(flow.consenting.reason.text())).filter(|reason| !reason.as_str().trim().is_empty());
    let Some(environment) = model.site(&flow.environment).map(|site| site.environment.clone()) else {
        return Vec::new();
    };
    if plan.empty {
        // The command line ends there as well: there is nothing to agree to.
        model.overlay = None;
        return Vec::new();
    }
    match gate::approve(plan, &environment, Consent { by, answer, reason }, now) {
        Ok(approved) => begin_run(model, approved),
        Err(refusal) => {
            if let Some(Overlay::Flow(flow)) = &mut model.overlay {
                refused(flow, &refusal);
            }
            Vec::new()
        }
    }
}

fn refused(flow: &mut Flow, refusal: &Refusal) {
    let consenting = &mut flow.consenting;
    consenting.said = match refusal {
        Refusal::NoReason { environment } if consenting.line == Some(Line::Phrase) => {
            consenting.line = Some(Line::Reason);
            Some(Text::line(&format!("{environment} asks for a reason: it goes into the journal")))
        }
        Refusal::NoReason { .. } => {
            consenting.line = Some(Line::Reason);
            Some(Text::line(&format!("{refusal}: it goes into the journal")))
        }
        Refusal::Mistyped { .. } => {
            consenting.line = Some(Line::Phrase);
            Some(Text::line(&refusal.to_string()))
        }
        Refusal::ReadOnly { .. }
        | Refusal::Blocked { .. }
        | Refusal::Unsound { .. }
        | Refusal::NotConfirmed { .. }
        | Refusal::OtherPlan { .. }
        | Refusal::LookKills { .. }
        | Refusal::Used { .. }
        | Refusal::Expired { .. }
        | Refusal::NoAccount { .. } => Some(Text::line(&refusal.to_string())),
    };
}

fn begin_run(model: &mut Model, approved: Approved) -> Vec<Effect> {
    let ticket = model.ticket();
    let Some(Overlay::Flow(flow)) = model.overlay.take() else { return Vec::new() };
    let resumed = match flow.wanted {
        Wanted::Operation(_) => None,
        Wanted::Resume(run) => Some(run),
    };
    let plan = Box::new(approved.plan().clone());
    let effect = effect(ticket, resumed.clone(), approved);
    model.runs.push(RunState::begun(ticket, plan, resumed, model.now));
    run_view::forget_old(model);
    estate::let_go(model);
    let mut effects = vec![effect];
    effects.extend(update::open(model, run_view::of_ticket(ticket)));
    effects
}

fn effect(ticket: Ticket, resumed: Option<crate::domain::RunId>, approved: Approved) -> Effect {
    match resumed {
        None => Effect::Run(ticket, Box::new(approved)),
        Some(run) => Effect::Resume(ticket, run, Box::new(approved)),
    }
}
