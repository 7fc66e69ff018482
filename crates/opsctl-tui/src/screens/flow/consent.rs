//! The answer to a plan, in the making. Whether it is enough is the gate's business.

use std::time::Duration;

use crate::{
    domain::{RunId, Text},
    gate,
    gate::{Answer, Approved, Ask, Consent, Refusal},
    keymap::{Command, Scope},
    screens::{
        flow::{
            draw,
            planning::{PLAN_SECONDS_MAX, plan_again},
        },
        pane::After,
    },
    state::{
        effect::Effect,
        event::Notice,
        field::Field,
        flow::{Consenting, Flow, Line, Wanted},
        model::Model,
        run::{RunState, RunView, Subject},
        ticket::Ticket,
        view::View,
    },
    widgets::areas,
};

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
            Line::Phrase => Some(&mut self.phrase),
            Line::Reason => Some(&mut self.reason),
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
        Ok(approved) => After::leaves(begin_run(flow, model, approved)),
        Err(refusal) => {
            refused(flow, &refusal);
            After::stay()
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
        | Refusal::Used { .. }
        | Refusal::Expired { .. }
        | Refusal::NoAccount { .. } => Some(Text::line(&refusal.to_string())),
    };
}

fn begin_run(flow: &Flow, model: &mut Model, approved: Approved) -> Vec<Effect> {
    let ticket = model.ticket();
    let resumed = match &flow.wanted {
        Wanted::Operation(_) => None,
        Wanted::Resume(run) => Some(run.clone()),
    };
    let plan = Box::new(approved.plan().clone());
    let effect = effect(ticket, resumed.clone(), approved);
    model.runs.push(RunState::begun(ticket, plan, resumed, model.now));
    forget_old(&mut model.runs);
    model.due.let_go = true;
    model.open(View::Run(RunView::new(Subject::Here(ticket), false)));
    vec![effect]
}

/// Keeps what is remembered of ended runs bounded.
fn forget_old(runs: &mut Vec<RunState>) {
    let ended = runs.iter().filter(|run| !run.is_active()).count();
    if ended > ENDED_MAX
        && let Some(at) = runs.iter().position(|run| !run.is_active())
    {
        runs.remove(at);
    }
}

fn effect(ticket: Ticket, resumed: Option<RunId>, approved: Approved) -> Effect {
    match resumed {
        None => Effect::Run(ticket, Box::new(approved)),
        Some(run) => Effect::Resume(ticket, run, Box::new(approved)),
    }
}
