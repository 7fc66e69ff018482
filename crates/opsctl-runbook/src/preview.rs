//! What each step of a runbook would do, as far as it is known before the run.

use crate::{
    Action, Runbook, Step, Unfilled, Values, Wait,
    cloud::Cloud,
    domain::{Text, words::in_words},
    journal::StateFolder,
    operations::{Look, Planner, plan::Plan},
};

/// A step before it is reached.
#[derive(Debug)]
pub struct Foreseen {
    /// From 0.
    pub index: usize,
    pub what: Foresight,
}

#[derive(Debug)]
pub enum Foresight {
    /// As the world is now. It is planned once more when it is reached.
    Planned(Box<Plan>),
    /// It is planned when it is reached, and why not now.
    Later(Text),
    /// There is nothing to plan; what happens, in words.
    Said(Text),
}

/// Plans every step that can be planned by now. Reads only, and receives nothing.
pub async fn preview(
    runbook: &Runbook,
    parameters: &Values,
    cloud: &Cloud,
    state: &StateFolder,
    random: u64,
) -> Vec<Foreseen> {
    let mut all = Vec::new();
    for (index, step) in runbook.steps.iter().enumerate() {
        let what = match &step.action {
            Action::Do(_) => planned(step, parameters, cloud, state, random.wrapping_add(index as u64)).await,
            Action::ByHand | Action::Check | Action::Ask(_) | Action::Wait(_) | Action::Collect => {
                Foresight::Said(Text::line(&said(step)))
            }
        };
        all.push(Foreseen { index, what });
    }
    all
}

async fn planned(step: &Step, parameters: &Values, cloud: &Cloud, state: &StateFolder, random: u64) -> Foresight {
    let later = |because: String| Foresight::Later(Text::line(&because));
    let Some(change) = step.change() else { return later(String::new()) };
    if change.environment.is_some() {
        return later("it acts in another environment".to_owned());
    }
    if let Some(repeat) = &step.repeat {
        let shares: Vec<String> = repeat.shares.iter().map(|share| format!("{share} %")).collect();
        return later(format!("{} of {}, each part checked before the next", shares.join(", "), repeat.of));
    }
    let operation = match change.template.fill(parameters, None) {
        Ok(operation) => operation,
        Err(Unfilled::NotYet(name)) => return later(format!("`{{{name}}}` is not known yet")),
        Err(Unfilled::Unfit(because)) => return Foresight::Later(because),
    };
    match Planner::new(state.clone(), random, Look::Never).plan(&operation, cloud).await {
        Ok(planned) => Foresight::Planned(Box::new(planned.plan)),
        Err(error) => later(error.to_string()),
    }
}

/// What a step that changes nothing does.
pub fn said(step: &Step) -> String {
    let until = |check: &crate::Check| {
        let within = in_words(check.within.as_secs());
        let holds = match check.holds_for.as_secs() {
            0 => String::new(),
            seconds => format!(" and stays true for {}", in_words(seconds)),
        };
        format!("{} (within {within}{holds})", check.condition.text())
    };
    let check = |check: &crate::Check| format!("checks {}", until(check));
    let then = step.check.as_ref().map(|condition| format!(", then {}", check(condition))).unwrap_or_default();
    match &step.action {
        Action::ByHand => format!("done by hand{then}"),
        Action::Check => step.check.as_ref().map(check).unwrap_or_default(),
        Action::Ask(ask) if ask.choices.is_empty() => format!("asks for: {}{then}", ask.kind.into_str()),
        Action::Ask(ask) => format!("asks: {}{then}", ask.choices.join(", ")),
        Action::Wait(Wait::For(time)) => format!("waits {}{then}", in_words(time.as_secs())),
        Action::Wait(Wait::Until(check)) => format!("waits until {}{then}", until(check)),
        Action::Collect => {
            let kinds: Vec<&str> = step.evidence.iter().map(|kind| kind.into_str()).collect();
            format!("saves {}", kinds.join(", "))
        }
        Action::Do(change) => format!("runs {}{then}", change.template.operation.name()),
    }
}
