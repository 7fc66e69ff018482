//! What conditions see, and checks over time.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::{Came, Drive, Told};
use crate::{
    Check, Kind, Step, StepEvent,
    cloud::Cloud,
    domain::Text,
    messages::{Condition, Judged},
    things::{self, Wanted},
};

/// Between two looks of a check.
const EVERY: Duration = Duration::from_secs(5);
/// Where it is looked at for hours: nobody sees the difference, and calls cost.
const EVERY_LATER: Duration = Duration::from_secs(30);
/// From when on that is so.
const LATER: SignedDuration = SignedDuration::from_mins(10);
/// What a figure is compared with to see whether it falls lies so far back at least: metrics come once a minute.
const BEFORE: SignedDuration = SignedDuration::from_mins(2);

/// Looks of the last minutes, the oldest first.
#[derive(Debug, Default)]
struct Earlier(VecDeque<(Timestamp, Value)>);

impl Earlier {
    fn keep(&mut self, at: Timestamp, seen: Value) {
        self.0.push_back((at, seen));
        // Of those that are old enough the newest is compared with.
        while self.0.get(1).is_some_and(|(second, _)| at.duration_since(*second) >= BEFORE) {
            self.0.pop_front();
        }
    }

    /// The newest look that is old enough to be compared with.
    fn before(&self, now: Timestamp) -> Option<&Value> {
        let is_old = |(at, _): &&(Timestamp, Value)| now.duration_since(*at) >= BEFORE;
        self.0.iter().rev().find(is_old).map(|(_, seen)| seen)
    }
}

/// What was seen at once.
pub(super) struct Seen {
    pub(super) input: Value,
    pub(super) errors: BTreeMap<String, Text>,
}

/// How a check over time ended.
enum Checked {
    Held(Text),
    NotHeld(Text),
    Leaving,
}

impl Drive<'_> {
    pub(super) async fn guard(&mut self, index: usize) -> Came {
        let Some(condition) = self.runbook.steps[index].when.clone() else { return Came::Event(StepEvent::Begun {}) };
        let cloud = self.outside.context.cloud.clone();
        let seen = self.see(&condition, &cloud, None).await;
        let saw = condition.seen(&seen.input);
        Came::Event(match condition.judge(seen.input) {
            Ok(Judged::Holds) => StepEvent::Begun {},
            Ok(Judged::Not) => StepEvent::NotNeeded { saw },
            Ok(Judged::Unknown { what }) => {
                // No reason to leave a step out, nor to do it.
                let because = format!("cannot tell whether it is needed: {what}{}", seen.errors.words());
                StepEvent::GuardUnknown { because: Text::line(&because) }
            }
            Err(error) => StepEvent::GuardUnknown { because: Text::line(&error.to_string()) },
        })
    }

    /// Finds out what the parts of a step are of.
    pub(super) async fn measure(&mut self, index: usize) -> Came {
        let Some(repeat) = self.runbook.steps[index].repeat.clone() else { return Came::Event(StepEvent::Begun {}) };
        let not_done = |because: String| Came::Event(StepEvent::NotDone { because: Text::line(&because) });
        let condition = match Condition::compile(&repeat.of, &self.words()) {
            Ok(condition) => condition,
            Err(error) => return not_done(error.to_string()),
        };
        let cloud = self.outside.context.cloud.clone();
        let seen = self.see(&condition, &cloud, None).await;
        let figure = condition.figures().first().cloned();
        let value = figure.and_then(|figure| figure.values(&seen.input).first().map(|value| (*value).clone()));
        match value {
            Some(value) if value.is_u64() || value.is_array() => Came::Event(StepEvent::Measured { whole: value }),
            _ => not_done(format!("`{}` is not known{}", repeat.of, seen.errors.words())),
        }
    }

    pub(super) async fn check(&mut self, index: usize) -> Came {
        let step = &self.runbook.steps[index];
        let Some(check) = step.check.clone() else {
            return Came::Event(StepEvent::Checked { held: true, saw: Text::default(), seconds: 0.0 });
        };
        let environment = step.change().and_then(|change| change.environment.clone());
        let cloud = match self.cloud_of(environment.as_deref()).await {
            Ok(cloud) => cloud,
            Err(because) => return Came::Event(StepEvent::Checked { held: false, saw: because, seconds: 0.0 }),
        };
        let begun = self.now();
        let checked = self.over_time(index, &check, &cloud).await;
        let seconds = self.now().duration_since(begun).as_secs_f64();
        match checked {
            Checked::Held(saw) => Came::Event(StepEvent::Checked { held: true, saw, seconds }),
            Checked::NotHeld(saw) => Came::Event(StepEvent::Checked { held: false, saw, seconds }),
            Checked::Leaving => Came::Leaving,
        }
    }

    /// Waits until a time is over, counted from when the step was begun, whoever waited.
    pub(super) async fn wait_for(&mut self, index: usize, wait: Duration) -> Came {
        let begun_at = self.course.steps()[index].begun_at.unwrap_or_else(|| self.now());
        let until = begun_at.checked_add(wait).unwrap_or(Timestamp::MAX);
        loop {
            let left = until.duration_since(self.now());
            if !left.is_positive() {
                return Came::Event(StepEvent::Waited {});
            }
            let doing = Text::line(&format!("{} left to wait", crate::domain::words::within(left)));
            self.outside.person.told(Told::Doing(self.at(index), &doing));
            let slice = left.unsigned_abs().min(EVERY_LATER);
            if self.sleep(slice).await.is_err() {
                return Came::Leaving;
            }
        }
    }

    pub(super) async fn wait_until(&mut self, index: usize, check: &Check) -> Came {
        let cloud = self.outside.context.cloud.clone();
        match self.over_time(index, check, &cloud).await {
            Checked::Held(_) => Came::Event(StepEvent::Waited {}),
            Checked::NotHeld(saw) => Came::Event(StepEvent::NotDone { because: saw }),
            Checked::Leaving => Came::Leaving,
        }
    }

    /// Looks until a condition holds, and has held for as long as it has to.
    async fn over_time(&mut self, index: usize, check: &Check, cloud: &Cloud) -> Checked {
        let begun = self.now();
        let mut earlier = Earlier::default();
        let mut holds_since: Option<Timestamp> = None;
        loop {
            let seen = self.see(&check.condition, cloud, earlier.before(self.now())).await;
            let now = self.now();
            let saw = self.saw(&check.condition, &seen);
            let judged = check.condition.judge(seen.input.clone());
            if check.condition.is_trend() {
                earlier.keep(now, seen.input);
            }
            let words = match judged {
                Ok(Judged::Holds) => {
                    let since = *holds_since.get_or_insert(now);
                    let held = now.duration_since(since);
                    if held.unsigned_abs() >= check.holds_for {
                        return Checked::Held(saw);
                    }
                    let wanted = SignedDuration::try_from(check.holds_for).unwrap_or(SignedDuration::MAX);
                    let (held, wanted) = (crate::domain::words::within(held), crate::domain::words::within(wanted));
                    format!("{saw}: true for {held} of {wanted}")
                }
                Ok(Judged::Not) => {
                    holds_since = None;
                    format!("{saw}; expected: {}", check.condition.text())
                }
                Ok(Judged::Unknown { what }) => {
                    holds_since = None;
                    format!("{what}{}", seen.errors.words())
                }
                Err(error) => return Checked::NotHeld(Text::line(&error.to_string())),
            };
            let words = Text::line(&words);
            let spent = now.duration_since(begun);
            if spent.unsigned_abs() >= check.within {
                return Checked::NotHeld(words);
            }
            self.outside.person.told(Told::Doing(self.at(index), &words));
            let every = if spent > LATER { EVERY_LATER } else { EVERY };
            if self.sleep(every.min(check.within.saturating_sub(spent.unsigned_abs()))).await.is_err() {
                return Checked::Leaving;
            }
        }
    }

    fn saw(&self, condition: &Condition, seen: &Seen) -> Text {
        let saw = condition.seen(&seen.input);
        if saw.as_str().is_empty() { Text::line(condition.text()) } else { saw }
    }

    /// Looks at what a condition is about.
    pub(super) async fn see(&self, condition: &Condition, cloud: &Cloud, before: Option<&Value>) -> Seen {
        let mut wanted: Vec<Wanted> = Vec::new();
        let things = self.things();
        let environment = cloud.environment().name.0.clone();
        for figure in condition.figures() {
            let thing = things.iter().find(|(word, ..)| *word == figure.word);
            let (kind, name) = match thing {
                Some((_, kind, name)) => (*kind, name.clone()),
                None if figure.word == "environment" => (Kind::Environment, environment.clone()),
                None => continue,
            };
            match wanted.iter_mut().find(|wanted| wanted.word == figure.word) {
                Some(wanted) => wanted.fields.push(figure.field()),
                None => {
                    let new = Wanted { fields: vec![figure.field()], ..Wanted::new(&figure.word, kind, &name) };
                    wanted.push(new);
                }
            }
        }
        let observed = things::observe(cloud, &wanted).await;
        let mut input: Map<String, Value> = self.values().0;
        input.extend(observed.things);
        if let Some(before) = before {
            input.insert("before".to_owned(), before.clone());
        }
        Seen { input: Value::Object(input), errors: observed.errors }
    }

    /// Words that conditions can use.
    fn words(&self) -> Vec<String> {
        let answers = self.runbook.steps.iter().filter_map(Step::ask).map(|ask| ask.keep.clone());
        let parameters = self.runbook.parameters.iter().map(|parameter| parameter.name.clone());
        parameters.chain(answers).chain(["environment".to_owned()]).collect()
    }

    /// Sleeps; an error where somebody wants to leave.
    async fn sleep(&self, pause: Duration) -> Result<(), ()> {
        let clock = self.outside.context.cloud.clock();
        tokio::select! {
            () = clock.sleep(pause) => Ok(()),
            () = self.outside.context.cancel.cancelled() => Err(()),
        }
    }
}

/// Why something is not known, to go behind what is not.
trait Words {
    fn words(&self) -> String;
}

impl Words for BTreeMap<String, Text> {
    fn words(&self) -> String {
        let all: Vec<String> = self.iter().map(|(word, error)| format!("{word}: {error}")).collect();
        if all.is_empty() { String::new() } else { format!(" ({})", all.join("; ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trend_is_judged_against_two_minutes_before_however_long_it_is_looked_at() {
        let mut earlier = Earlier::default();
        for second in (0..7_200).step_by(5) {
            let now = Timestamp::from_second(second).expect("a time");
            let before = earlier.before(now).and_then(Value::as_i64);
            assert_eq!(before, (second >= 120).then_some(second - 120), "at {second} s");
            earlier.keep(now, Value::from(second));
            assert!(earlier.0.len() <= 26, "{} are kept", earlier.0.len());
        }
    }
}
