//! Shows the plan of a step, for consent.

use crate::{
    domain::Text,
    runbook::{document::first_paragraph, drive::Why},
    screens::flow::planning,
    state::{
        Flow, Model, Ticket,
        flow::Step,
        runbook::{Asked, Question},
    },
};

/// What is to be known about a plan besides: which step it is of, and why it is carried out.
fn notes(model: &Model, ticket: Ticket, asked: &Asked) -> Vec<Text> {
    let Some(driven) = model.driven(ticket) else { return Vec::new() };
    let Some(step) = driven.runbook.steps.get(asked.index) else { return Vec::new() };
    let Question::Agree { why, part, .. } = &asked.question else { return Vec::new() };
    let text = first_paragraph(driven.runbook.body_of(step));
    let text = if text.is_empty() { String::new() } else { format!(": {text}") };
    let number = format!("Step {} of {}, {}{text}", asked.index + 1, driven.steps.len(), step.name);
    let mut notes = vec![Text::line(&number)];
    notes.extend(match why {
        Why::Step => None,
        Why::GoOn => Some(Text::from("This continues an unfinished run of this step.")),
        Why::Undo => Some(Text::from("The run was stopped. This undoes the step.")),
    });
    notes.extend(part.map(|(part, parts)| Text::line(&format!("Part {part} of {parts}."))));
    notes
}

/// Shows the plan that a question is about.
pub(crate) fn show(model: &mut Model, ticket: Ticket, asked: Asked, before: Option<Flow>) {
    let notes = notes(model, ticket, &asked);
    let name = model.driven(ticket).and_then(|driven| driven.runbook.steps.get(asked.index));
    let name = name.map(|step| step.name.clone()).unwrap_or_default();
    if let Question::Agree { plan, .. } = asked.question {
        let step = Step { ticket, number: asked.number, name };
        planning::step(model, step, plan, notes, before);
    }
}
