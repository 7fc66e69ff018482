//! What is left of a run that is taken up again.

use super::History;
use crate::{
    domain::{RunId, Text, Try},
    operations::{
        Calls, Left, OperationError,
        plan::{Plan, labels},
    },
};

/// Makes the plan of a run say what taking it up would do.
pub(super) fn say_what_is_left(plan: &mut Plan, run: &RunId, history: &History) -> Result<(), OperationError> {
    match plan.operation.verb().left(history) {
        Left::AsPlanned => {}
        Left::Absolute => plan.summary = Text::line(&format!("take up {run} ({})", plan.summary)),
        Left::Messages { done } => say_what_is_done(plan, run, history, done),
        Left::Look { summary, calls } => {
            plan.summary = Text::line(&format!("take up {run}: {summary}"));
            if calls == Calls::None {
                plan.changes.clear();
                plan.calls.clear();
                plan.seconds_estimate = None;
            }
        }
        Left::Nothing { because, hint } => {
            return Err(OperationError::usage(&format!("run {run}: {because}"), Try::RunAgain.says(hint)));
        }
    }
    Ok(())
}

fn say_what_is_done(plan: &mut Plan, run: &RunId, history: &History, done: u64) {
    let all = plan.messages_estimate;
    let left = all.saturating_sub(done);
    let mut text = format!("{done} of ~{all} are done, ~{left} left");
    let doubts = history.uncertain.len();
    for (count, what) in [(history.sent_not_deleted.len(), "sent and not yet deleted"), (doubts, "in doubt")] {
        if count > 0 {
            text.push_str(&format!(", {count} {what}"));
        }
    }
    plan.summary = Text::line(&format!("take up {run} ({}): {text}", plan.summary));
    plan.facts.retain(|fact| fact.label != labels::MESSAGES);
    plan.fact(labels::MESSAGES, &text);
    // In proportion; what is sent and not deleted takes its share, too.
    let open = (left + history.sent_not_deleted.len() as u64).min(all);
    let share =
        |number: u64| if all == 0 { number } else { (number as u128 * open as u128).div_ceil(all as u128) as u64 };
    plan.calls.iter_mut().for_each(|call| call.times_estimate = share(call.times_estimate));
    plan.seconds_estimate = plan.seconds_estimate.map(share);
    if all > 0 {
        plan.dollars_estimate *= open as f64 / all as f64;
    }
}
