//! What a person answers a run of a runbook.

use crate::{
    gate::Consent,
    runbook::drive::Reply,
    state::{Effect, Model, Notice, Ticket, flow::Step, runbook::Said},
};

/// Answers a question; one that is asked no longer is not answered.
pub(crate) fn answer(model: &mut Model, ticket: Ticket, number: u64, said: Said) -> Vec<Effect> {
    let driven = model.driven.iter_mut().find(|driven| driven.ticket == ticket && driven.is_active());
    let asked = driven.and_then(|driven| driven.asked.take_if(|asked| asked.number == number));
    if asked.is_none() {
        model.say(Notice::bad("this question is no longer open"));
        return Vec::new();
    }
    let mut effects = vec![Effect::Answer(ticket, number, Box::new(said))];
    if model.asking().next().is_none() {
        effects.push(Effect::Attention(None));
    }
    model.settle();
    effects
}

/// Agrees to the plan of a step.
pub(crate) fn agreed(model: &mut Model, step: &Step, consent: Consent) -> Vec<Effect> {
    answer(model, step.ticket, step.number, Said::Agreed(Reply::Said(consent)))
}

/// Asks the run for a new plan of the step.
pub(crate) fn plan_anew(model: &mut Model, step: &Step) -> Vec<Effect> {
    answer(model, step.ticket, step.number, Said::Agreed(Reply::Again))
}
