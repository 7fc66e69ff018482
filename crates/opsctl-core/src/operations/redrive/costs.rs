//! What a redrive costs: calls, time, money.

use super::{bind::watch_seconds, choice::Moves, plan::Draft, scene::To};
use crate::{
    domain::QueueKind,
    operations::{
        selection::Selection,
        transfer::{AGES_SECONDS, DESTINATIONS_WATCHED_MAX},
        values::Ramp,
    },
};

/// US dollars for a million requests, standard and FIFO (SQS price list, us-east-1, 2026; the dearest regions cost half more).
const DOLLARS_PER_MILLION: (f64, f64) = (0.40, 0.50);
/// US dollars for a metric asked for by `GetMetricData` (CloudWatch price list, us-east-1, 2026).
const DOLLARS_PER_METRIC: f64 = 0.01 / 1e3;
/// What a move task takes when no rate is given; AWS decides and varies.
const MANAGED_RATE_GUESS: u64 = 100;
/// What the client-side engine moves in a second, cautiously: at 10 ms a call twice as many, and one batch at a time much fewer.
const CLIENT_RATE_GUESS: u64 = 2_000;
const ONE_LANE_RATE_GUESS: u64 = 200;

/// How often a run that watches asks CloudWatch.
fn looks_at_ages(watch_seconds: u32, ramp: &Ramp) -> u64 {
    let watching = u64::from(watch_seconds) * ramp.0.len() as u64;
    if watching == 0 { 0 } else { 1 + watching.div_ceil(AGES_SECONDS.unsigned_abs()) }
}

impl Draft<'_> {
    /// Of the messages that are selected; those that are looked through to find them are received as well.
    pub(super) fn costs(&mut self, engine: Moves, lanes: usize, selection: &Selection<'_>) {
        let scene = self.scene;
        let messages = self.plan.messages_estimate;
        let received = if selection.is_selective() { scene.from.counts.total().max(messages) } else { messages };
        let plan = &mut self.plan;
        let batches = messages.div_ceil(10);
        let looks = looks_at_ages(watch_seconds(self.redrive, scene, self.ramp), self.ramp);
        let requests = match engine {
            Moves::Managed => {
                plan.call("sqs:StartMessageMoveTask", None, 1);
                plan.call("sqs:ListMessageMoveTasks", None, messages.div_ceil(MANAGED_RATE_GUESS) + 2);
                // SQS receives, sends and deletes one by one, and bills it (SQS pricing page, "DLQ redrive").
                messages * 3
            }
            Moves::Client => {
                plan.call("sqs:ReceiveMessage", None, received.div_ceil(10) + 2);
                let to = match &scene.to {
                    To::One(to) => to.name.as_str(),
                    To::Each if scene.sources.len() == 1 => scene.sources[0].name.as_str(),
                    To::Each | To::Unknown => "each message's source",
                };
                plan.call("sqs:SendMessage", Some(to), batches);
                plan.call("sqs:DeleteMessage", None, batches);
                if looks > 0 {
                    plan.call("cloudwatch:GetMetricData", Some(to), looks);
                }
                received.div_ceil(10) + batches * 2
            }
        };
        let price = if scene.from.kind == QueueKind::Fifo { DOLLARS_PER_MILLION.1 } else { DOLLARS_PER_MILLION.0 };
        let metrics = match engine {
            Moves::Managed => 0,
            Moves::Client => looks * scene.destinations().0.len().min(DESTINATIONS_WATCHED_MAX) as u64,
        };
        plan.dollars_estimate = requests as f64 * price / 1e6 + metrics as f64 * DOLLARS_PER_METRIC;
        let guess = match engine {
            Moves::Managed => MANAGED_RATE_GUESS,
            Moves::Client => CLIENT_RATE_GUESS.min(ONE_LANE_RATE_GUESS * lanes as u64),
        };
        let rate = self.redrive.rate.map_or(guess, |rate| u64::from(rate).min(guess)).max(1);
        let watching = match self.ramp.is_ramped() {
            true => u64::from(watch_seconds(self.redrive, scene, self.ramp)) * self.ramp.0.len() as u64,
            false => 0,
        };
        plan.seconds_estimate = Some(messages.div_ceil(rate) + watching);
    }
}
