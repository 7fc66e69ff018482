//! Alarms look at their metrics, minute by minute.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Alarm, Gaps, LooksAt, Place, Source, Stat, State, Watch};
use crate::world::{
    Caller, World,
    call::given,
    cloudwatch::{custom::Summary, math::Scope, notes::MINUTE},
};

/// How often alarms are evaluated whose period is shorter than a minute, milliseconds.
const TEN_SECONDS: i64 = 10_000;
/// Minutes that are caught up with at a look; what lay before is as if nobody had evaluated it.
const MINUTES_MAX: i64 = 180;
/// Periods that an alarm looks back beyond those it counts, for samples that are missing (CloudWatch user guide: more than the
/// evaluation periods; five for three in its example).
const PERIODS_BEYOND: usize = 2;
/// How often composite alarms follow one another within a minute: rules that name each other in a circle end.
const ROUNDS_MAX: usize = 10;

type Minutes = BTreeMap<i64, Summary>;
/// Minutes of each metric that an alarm looks at, in the order of its source.
type Seen = Vec<Minutes>;

struct Turn {
    name: String,
    state: State,
    /// ARN, state and when it changed of the alarms that its rule names; the one that changed last first.
    because: Vec<(String, State, i64)>,
}

impl World {
    /// Lets pass the minutes since the alarms of a place were evaluated last.
    pub(super) fn evaluate_alarms(&mut self, now: i64, caller: &Caller) {
        let place = self.cloudwatch.alarms.place(now, caller);
        let is_fine = |alarm: &Alarm| alarm.watch().is_some_and(Watch::is_fine);
        let step = if place.alarms.values().any(is_fine) { TEN_SECONDS } else { MINUTE };
        let until = now.div_euclid(step) * step;
        let from = place.evaluated_at.max(until - MINUTES_MAX * MINUTE);
        place.evaluated_at = place.evaluated_at.max(until);
        if until > from && !place.alarms.is_empty() {
            // Taken out, so that the world can be asked what it measured meanwhile.
            let mut place = std::mem::take(self.cloudwatch.alarms.place(now, caller));
            let seen: BTreeMap<String, Seen> = place
                .alarms
                .values()
                .filter_map(|alarm| Some((alarm.name.clone(), self.seen(caller, alarm.watch()?, from, until))))
                .collect();
            let lag = self.settings.metrics_lag_seconds * 1_000;
            let first = from.div_euclid(step) * step + step;
            for at in (first..=until).step_by(usize::try_from(step).unwrap_or(1)) {
                place.evaluate(at, lag, &seen);
            }
            *self.cloudwatch.alarms.place(now, caller) = place;
        }
        self.cloudwatch.alarms.place(now, caller).follow(now);
    }

    /// What an alarm looks at, of all minutes that it may need to be evaluated between `from` and `until`.
    pub(super) fn seen(&self, caller: &Caller, watch: &Watch, from: i64, until: i64) -> Seen {
        let lag = self.settings.metrics_lag_seconds * 1_000;
        let from = from - watch.period * (watch.range() as i64 + 1) - lag;
        let minutes = |stat: &Stat| -> Minutes {
            match watch.is_fine() {
                true => self.cloudwatch.custom.seconds(caller, &stat.metric, from..until).into_iter().collect(),
                false => self.minutes(until, caller, &stat.metric, from..until).into_iter().collect(),
            }
        };
        match &watch.source {
            Source::One(stat) => vec![minutes(stat)],
            Source::Math { parts, .. } => parts.iter().map(|(_, stat)| minutes(stat)).collect(),
        }
    }
}

impl Place {
    fn evaluate(&mut self, at: i64, lag: i64, seen: &BTreeMap<String, Seen>) {
        self.mute(at);
        let is_due = |alarm: &Alarm| at % MINUTE == 0 || alarm.watch().is_some_and(Watch::is_fine);
        for alarm in self.alarms.values_mut().filter(|alarm| alarm.configured_at <= at && is_due(alarm)) {
            if let Some(seen) = seen.get(&alarm.name) {
                alarm.evaluate(at, lag, seen);
            }
        }
        self.follow(at);
    }

    fn follow(&mut self, at: i64) {
        for _ in 0..ROUNDS_MAX {
            let turned = self.alarms.values().filter_map(|alarm| self.turned(alarm)).collect::<Vec<_>>();
            if turned.is_empty() {
                return;
            }
            for Turn { name, state, because } in turned {
                if let Some(alarm) = self.alarms.get_mut(&name) {
                    let data = json!({ "triggeringAlarms": because.iter().map(|(arn, state, _)| {
                        json!({ "arn": arn, "state": { "value": state.into_str() } })
                    }).collect::<Vec<_>>() });
                    let reason = because.first().map_or_else(|| "The rule names no alarm".to_owned(), transitioned);
                    alarm.turn(at, state, reason, Some(data));
                }
            }
        }
    }

    /// The state that a composite alarm turns to, if it does.
    fn turned(&self, alarm: &Alarm) -> Option<Turn> {
        let LooksAt::Rule { rule, .. } = &alarm.looks_at else { return None };
        let children = || rule.names().into_iter().filter_map(|name| self.alarms.get(name));
        let holds = rule.holds(&|name: &str| self.alarms.get(name).map(|alarm| alarm.state));
        let is_unknown = children().next().is_some() && children().all(|child| child.state == State::InsufficientData);
        let state = match (holds, is_unknown) {
            (true, _) => State::Alarm,
            (false, true) => State::InsufficientData,
            (false, false) => State::Ok,
        };
        if state == alarm.state {
            return None;
        }
        let mut because: Vec<_> = children().map(|child| (child.arn.clone(), child.state, child.changed_at)).collect();
        because.sort_by_key(|(_, _, at)| std::cmp::Reverse(*at));
        Some(Turn { name: alarm.name.clone(), state, because })
    }
}

fn transitioned((arn, state, at): &(String, State, i64)) -> String {
    let at = Timestamp::from_millisecond(*at).unwrap_or_default().strftime("%A %d %B, %Y %H:%M:%S UTC");
    format!("{arn} transitioned to {} at {at}", state.into_str())
}

impl Alarm {
    pub(super) fn watch(&self) -> Option<&Watch> {
        match &self.looks_at {
            LooksAt::Metric(watch) => Some(watch),
            LooksAt::Rule { .. } => None,
        }
    }

    fn evaluate(&mut self, at: i64, lag: i64, seen: &Seen) {
        let Some(watch) = self.watch() else { return };
        let points = watch.points(at, lag, seen);
        let Some((state, reason)) = watch.judge(&points, self.state) else { return };
        if state != self.state {
            let data = watch.data(at, &points);
            self.turn(at, state, reason, Some(data));
        }
    }
}

impl Watch {
    /// Whether its period is shorter than a minute.
    fn is_fine(&self) -> bool {
        self.period < MINUTE
    }

    fn range(&self) -> usize {
        self.evaluation_periods + PERIODS_BEYOND
    }

    /// Values of the periods that had ended and could be seen at `at`, the newest first; none where there is no sample.
    pub(super) fn points(&self, at: i64, lag: i64, seen: &Seen) -> Vec<(i64, Option<f64>)> {
        // What programs put with a high resolution is seen at once.
        let lag = if self.is_fine() { 0 } else { lag };
        let end = (at - lag).div_euclid(self.period) * self.period;
        let starts = (1..=self.range() as i64).map(|back| end - back * self.period);
        starts.map(|start| (start, self.value(start, seen))).collect()
    }

    fn value(&self, start: i64, seen: &Seen) -> Option<f64> {
        let of = |minutes: &Minutes, stat: &Stat| {
            let summary = minutes.range(start..start + self.period).map(|(_, summary)| *summary);
            summary.reduce(Summary::with).map(|summary| summary.value(&stat.statistic))
        };
        match &self.source {
            Source::One(stat) => of(seen.first()?, stat),
            Source::Math { parts, expression } => {
                let series = parts.iter().zip(seen).map(|((id, stat), minutes)| {
                    let point = of(minutes, stat).map(|value| (start, value));
                    (id.clone(), vec![point.into_iter().collect()])
                });
                let metrics = parts.iter().map(|(id, _)| id.clone()).collect();
                let scope = Scope { series: series.collect(), metrics, times: vec![start], period: self.period };
                expression.series(&scope).first()?.get(&start).copied()
            }
        }
    }

    /// The state, and why; none: it stays as it is (CloudWatch user guide, "How alarm state is evaluated when data is missing").
    fn judge(&self, points: &[(i64, Option<f64>)], now: State) -> Option<(State, String)> {
        let (needed, wanted) = (self.datapoints, self.evaluation_periods);
        let breaches = |value: f64| self.comparison.holds(value, self.threshold);
        // The newest samples that there are, with how many periods ago they were.
        let real: Vec<(usize, i64, f64)> = points
            .iter()
            .enumerate()
            .filter_map(|(back, (start, value))| Some((back + 1, *start, (*value)?)))
            .take(wanted)
            .collect();
        let breaching: Vec<(i64, f64)> =
            real.iter().filter(|(.., value)| breaches(*value)).map(|(_, start, value)| (*start, *value)).collect();
        let absent = wanted - real.len();
        let crossed = |count: usize| (State::Alarm, self.crossed(&breaching, count, absent));
        let fine = || (State::Ok, self.within(&real, absent));
        let every_one_breaches = !real.is_empty() && breaching.len() == real.len();
        match self.gaps {
            _ if breaching.len() >= needed => Some(crossed(breaching.len())),
            Gaps::Breaching if breaching.len() + absent >= needed => Some(crossed(breaching.len() + absent)),
            Gaps::NotBreaching => Some(fine()),
            Gaps::Missing if real.is_empty() => {
                let words = format!("Insufficient Data: {wanted} datapoint{} unknown.", were(wanted));
                Some((State::InsufficientData, words))
            }
            Gaps::Ignore if real.is_empty() => None,
            Gaps::Missing if absent > 0 && every_one_breaches => {
                // Old enough that with samples it would have been seen by now.
                let is_old = real.last().is_some_and(|(back, ..)| *back >= needed);
                is_old.then(|| crossed(breaching.len())).or_else(|| (now == State::InsufficientData).then(fine))
            }
            Gaps::Ignore if absent > 0 && every_one_breaches => None,
            Gaps::Missing | Gaps::Ignore | Gaps::Breaching => Some(fine()),
        }
    }

    fn crossed(&self, breaching: &[(i64, f64)], count: usize, absent: usize) -> String {
        let (needed, wanted) = (self.datapoints, self.evaluation_periods);
        let missing = if absent > 0 { format!(" ({absent} datapoint{} unknown)", were(absent)) } else { String::new() };
        format!(
            "Threshold Crossed: {count} out of the last {wanted} datapoints{} {} {} the threshold ({:?}){missing} (minimum \
             {needed} datapoint{} for OK -> ALARM transition).",
            listed(breaching),
            if count == 1 { "was" } else { "were" },
            self.comparison.words(),
            self.threshold,
            if needed == 1 { "" } else { "s" },
        )
    }

    fn within(&self, real: &[(usize, i64, f64)], absent: usize) -> String {
        if real.is_empty() {
            let missing =
                format!("no datapoints were received for {absent} period{}", if absent == 1 { "" } else { "s" });
            return format!("Threshold Crossed: {missing} and they were treated as [NonBreaching].");
        }
        let points: Vec<(i64, f64)> = real.iter().map(|(_, start, value)| (*start, *value)).collect();
        let least = self.evaluation_periods - self.datapoints + 1;
        format!(
            "Threshold Crossed: {} out of the last {} datapoints{} {} not {} the threshold ({:?}) (minimum {least} \
             datapoint{} for ALARM -> OK transition).",
            points.len(),
            self.evaluation_periods,
            listed(&points),
            if points.len() == 1 { "was" } else { "were" },
            self.comparison.words(),
            self.threshold,
            if least == 1 { "" } else { "s" },
        )
    }

    fn data(&self, at: i64, points: &[(i64, Option<f64>)]) -> Value {
        let time = |at: i64| {
            Timestamp::from_millisecond(at).unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string()
        };
        given(json!({
            "version": "1.0",
            "queryDate": time(at),
            "period": self.period / 1_000,
            "recentDatapoints": points.iter().rev().filter_map(|(_, value)| *value).collect::<Vec<f64>>(),
            "threshold": self.threshold,
            "startDate": points.last().map(|(start, _)| time(*start)),
            "statistic": self.request.statistic,
        }))
    }
}

/// `[93.5 (21/11/26 02:58:00), ...]`, the newest first.
fn listed(points: &[(i64, f64)]) -> String {
    if points.is_empty() {
        return String::new();
    }
    let at = |at: i64| Timestamp::from_millisecond(at).unwrap_or_default().strftime("%d/%m/%y %H:%M:%S").to_string();
    let points: Vec<String> = points.iter().map(|(start, value)| format!("{value:?} ({})", at(*start))).collect();
    format!(" [{}]", points.join(", "))
}

fn were(count: usize) -> &'static str {
    if count == 1 { " was" } else { "s were" }
}
