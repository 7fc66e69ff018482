//! What is left of a run that is taken up again.

use super::History;
use crate::{
    domain::{RunId, Text},
    operations::Operation,
    plan::{Fact, Plan},
};

/// Says in the plan of an earlier try what is left of it: its counts are the whole queue's as it was then. What the plan rests on
/// stays, and with it the fingerprint.
pub(super) fn say_what_is_left(plan: &mut Plan, run: &RunId, history: &History) {
    let is_absolute = match plan.operation {
        Operation::Wake(_) | Operation::Sleep(_) | Operation::PauseConsumers(_) | Operation::ResumeConsumers(_) => true,
        Operation::Redrive(_) | Operation::Purge(_) | Operation::Restore(_) => false,
        Operation::Failover(_) | Operation::Migrate(_) => false,
    };
    if is_absolute {
        plan.summary = Text::line(&format!("take up {run} ({})", plan.summary));
        return;
    }
    if let Operation::Failover(failover) = &plan.operation {
        if history.failover_asked.is_some() {
            let text =
                format!("take up {run}: look whether {} has failed over; nothing is asked for", failover.database);
            plan.summary = Text::line(&text);
            plan.changes.clear();
            plan.calls.clear();
            plan.seconds_estimate = None;
        }
        return;
    }
    if let Operation::Migrate(migrate) = &plan.operation {
        if history.migration_asked.is_some() {
            let text = match &history.migration_task {
                Some(task) => {
                    format!("take up {run}: look how far {} is ({task}); nothing is started", migrate.migration)
                }
                None => format!("take up {run}: find the task of {}, or start it if it never was", migrate.migration),
            };
            plan.summary = Text::line(&text);
            if history.migration_task.is_some() {
                plan.changes.clear();
                plan.calls.clear();
            }
        }
        return;
    }
    let done = match plan.operation {
        Operation::Redrive(_) => (history.moved() as u64).max(history.task_moved),
        Operation::Purge(_) => history.removed.len() as u64,
        Operation::Restore(_) => history.sent.len() as u64,
        Operation::Wake(_) | Operation::Sleep(_) | Operation::Failover(_) | Operation::Migrate(_) => 0,
        Operation::PauseConsumers(_) | Operation::ResumeConsumers(_) => 0,
    };
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
    plan.facts.retain(|fact| fact.label != "messages");
    plan.facts.push(Fact { label: "messages".to_owned(), value: Text::line(&text) });
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
