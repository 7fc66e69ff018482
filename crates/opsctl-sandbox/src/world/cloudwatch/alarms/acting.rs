//! Alarms that are in `ALARM` and whose actions count: what scaling policies ask for every minute.

use super::{Alarm, State};
use crate::world::{Caller, World, cloudwatch::notes::MINUTE};

/// An alarm in `ALARM`, and one of its actions.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::world) struct Acting {
    pub(in crate::world) alarm: String,
    pub(in crate::world) action: String,
    /// The newest value of its metric that can be seen; none: there is none, or it is a composite alarm.
    pub(in crate::world) value: Option<f64>,
    pub(in crate::world) threshold: f64,
}

impl World {
    /// The alarms of a place that scale something now: actions on scaling policies, of alarms that are in `ALARM` and not muted.
    pub(in crate::world) fn acting_alarms(&mut self, now: i64, caller: &Caller) -> Vec<Acting> {
        self.evaluate_alarms(now, caller);
        let lag = self.settings.metrics_lag_seconds * 1_000;
        let place = std::mem::take(self.cloudwatch.alarms.place(now, caller));
        let acts = |alarm: &&Alarm| alarm.state == State::Alarm && alarm.actions_enabled && !alarm.is_muted;
        let mut found = Vec::new();
        for alarm in place.alarms.values().filter(acts) {
            let scales = |action: &&String| action.contains(":scalingPolicy:");
            let actions: Vec<&String> = alarm.actions[State::Alarm as usize].iter().filter(scales).collect();
            if actions.is_empty() {
                continue;
            }
            let value = alarm.watch().and_then(|watch| {
                let seen = self.seen(caller, watch, now - MINUTE, now);
                watch.points(now, lag, &seen).into_iter().find_map(|(_, value)| value)
            });
            let threshold = alarm.watch().map_or(0.0, |watch| watch.threshold);
            found.extend(actions.into_iter().map(|action| Acting {
                alarm: alarm.name.clone(),
                action: action.clone(),
                value,
                threshold,
            }));
        }
        *self.cloudwatch.alarms.place(now, caller) = place;
        found
    }
}
