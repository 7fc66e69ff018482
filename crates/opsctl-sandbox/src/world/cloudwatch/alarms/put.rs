//! Alarms are made, changed, muted and deleted.

use std::collections::VecDeque;

use super::{
    ALARMS_MAX, Alarm, Comparison, LooksAt, Place, Source, Stat, State, Watch,
    describe::NAMES_MAX,
    request::{Names, PutAlarm, SetAlarmState},
    rule::Rule,
};
use crate::world::{
    ApiError,
    call::{Answered, Call},
    cloudwatch::{
        math::Expression,
        missing,
        request::{MetricName, MetricStat, Query},
        statistic, validation,
    },
};

/// Length of an alarm's name and of a reason, in characters (CloudWatch API reference).
const NAME_MAX: usize = 255;
const REASON_MAX: usize = 1_023;
const ACTIONS_MAX: usize = 5;
/// Seconds that an alarm may look back: a week for periods of an hour and more, else a day.
const DAY: i64 = 86_400;

impl Place {
    pub(in crate::world::cloudwatch) fn put_metric(&mut self, call: Call, request: PutAlarm) -> Answered<()> {
        name(request.alarm_name.as_deref())?;
        let watch = watch(request.clone())?;
        self.put(call, request, LooksAt::Metric(Box::new(watch)))
    }

    pub(in crate::world::cloudwatch) fn put_composite(&mut self, call: Call, request: PutAlarm) -> Answered<()> {
        let text = request.alarm_rule.clone().filter(|rule| !rule.is_empty()).ok_or_else(|| missing("AlarmRule"))?;
        let rule = Rule::parse(&text).map_err(|why| validation(format!("AlarmRule is not valid: {why}")))?;
        if let Some(unknown) = rule.names().into_iter().find(|name| !self.alarms.contains_key(*name)) {
            return Err(validation(format!("AlarmRule names an alarm that does not exist: {unknown}")));
        }
        self.put(call, request, LooksAt::Rule { text, rule })
    }

    /// A new alarm can tell nothing yet; one that is set anew keeps its state until it is evaluated.
    fn put(&mut self, call: Call, request: PutAlarm, looks_at: LooksAt) -> Answered<()> {
        let Call { caller, now, .. } = call;
        let name = name(request.alarm_name.as_deref())?;
        let (description, actions_enabled) = (request.alarm_description, request.actions_enabled.unwrap_or(true));
        let actions = [request.ok_actions, request.alarm_actions, request.insufficient_data_actions];
        if actions.iter().any(|actions| actions.len() > ACTIONS_MAX) {
            return Err(validation(format!("At most {ACTIONS_MAX} actions are taken for a state.")));
        }
        if let Some(known) = self.alarms.get_mut(&name) {
            if std::mem::discriminant(&known.looks_at) != std::mem::discriminant(&looks_at) {
                return Err(validation(format!("An alarm of another type is named {name}.")));
            }
            (known.description, known.actions_enabled, known.actions) = (description, actions_enabled, actions);
            (known.looks_at, known.configured_at) = (looks_at, now);
            known.note_settings(now, format!("Alarm \"{name}\" updated"));
            return Ok(());
        }
        if self.alarms.len() >= ALARMS_MAX {
            let text = format!("The maximum limit of {ALARMS_MAX} alarms has been reached.");
            return Err(ApiError::coded(400, "LimitExceededFault", "LimitExceeded", text));
        }
        let mut alarm = Alarm {
            arn: format!("arn:aws:cloudwatch:{}:{}:alarm:{name}", caller.region, caller.account),
            name: name.clone(),
            description,
            actions_enabled,
            is_muted: false,
            is_held: false,
            actions,
            configured_at: now,
            state: State::InsufficientData,
            reason: "Unchecked: Initial alarm creation".to_owned(),
            reason_data: None,
            updated_at: now,
            changed_at: now,
            history: VecDeque::new(),
            looks_at,
        };
        alarm.note_settings(now, format!("Alarm \"{name}\" created"));
        self.alarms.insert(name, alarm);
        Ok(())
    }

    /// Deletes those that are there; of one that is not, says so afterwards.
    pub(in crate::world::cloudwatch) fn delete(&mut self, request: Names) -> Answered<()> {
        names(&request)?;
        let mut unknown = None;
        for name in &request.alarm_names {
            if self.alarms.remove(name).is_none() {
                unknown = Some(name);
            }
        }
        unknown.map_or(Ok(()), |name| Err(not_found(name)))
    }

    pub(in crate::world::cloudwatch) fn set_actions(
        &mut self,
        now: i64,
        request: Names,
        enabled: bool,
    ) -> Answered<()> {
        names(&request)?;
        for name in &request.alarm_names {
            if let Some(alarm) = self.alarms.get_mut(name).filter(|alarm| alarm.actions_enabled != enabled) {
                alarm.actions_enabled = enabled;
                alarm.configured_at = now;
                let word = if enabled { "enabled" } else { "disabled" };
                alarm.note_settings(now, format!("Alarm \"{name}\" updated: actions {word}"));
            }
        }
        Ok(())
    }

    pub(in crate::world::cloudwatch) fn set_state(&mut self, now: i64, request: SetAlarmState) -> Answered<()> {
        let name = name(request.alarm_name.as_deref())?;
        let value = request.state_value.as_deref().ok_or_else(|| missing("StateValue"))?;
        let state = value.parse().map_err(|_| validation(format!("{value} is not a valid StateValue.")))?;
        let reason = request.state_reason.ok_or_else(|| missing("StateReason"))?;
        if reason.chars().count() > REASON_MAX {
            return Err(validation(format!("StateReason is longer than {REASON_MAX} characters.")));
        }
        let data = match request.state_reason_data.as_deref() {
            None => None,
            Some(text) => {
                let parsed = serde_json::from_str(text);
                Some(parsed.map_err(|_| ApiError::plain(400, "InvalidFormat", "StateReasonData was not valid JSON."))?)
            }
        };
        let alarm = self.alarms.get_mut(&name).ok_or_else(|| not_found(&name))?;
        alarm.turn(now, state, reason, data);
        Ok(())
    }
}

fn watch(mut request: PutAlarm) -> Answered<Watch> {
    if let Some(metrics) = &request.metrics {
        request.queries = serde_json::from_value(metrics.clone()).map_err(|error| ApiError::not_understood(&error))?;
    }
    let (source, period) = if request.queries.is_empty() { one(&request)? } else { math(&request.queries)? };
    let evaluation_periods = request.evaluation_periods.ok_or_else(|| missing("EvaluationPeriods"))?;
    let datapoints = request.datapoints_to_alarm.unwrap_or(evaluation_periods);
    if evaluation_periods < 1 || datapoints < 1 || datapoints > evaluation_periods {
        return Err(validation("DatapointsToAlarm must be between 1 and EvaluationPeriods."));
    }
    let longest = if period >= 3_600 { 7 * DAY } else { DAY };
    if evaluation_periods.saturating_mul(period) > longest {
        return Err(validation(format!("Metrics cannot be checked across more than {longest} seconds.")));
    }
    let operator = request.comparison_operator.as_deref().ok_or_else(|| missing("ComparisonOperator"))?;
    let comparison = Comparison::parse(operator)
        .ok_or_else(|| validation(format!("The comparison {operator} is not understood here.")))?;
    let threshold = request.threshold.ok_or_else(|| missing("Threshold"))?;
    let gaps = request.treat_missing_data.as_deref().unwrap_or("missing");
    let gaps = gaps.parse().map_err(|_| validation(format!("The value {gaps} is not valid for TreatMissingData.")))?;
    let count = |count: i64| usize::try_from(count).unwrap_or(1);
    Ok(Watch {
        source,
        period: period * 1_000,
        evaluation_periods: count(evaluation_periods),
        datapoints: count(datapoints),
        threshold,
        comparison,
        gaps,
        request,
    })
}

fn one(request: &PutAlarm) -> Answered<(Source, i64)> {
    let required = |value: &Option<String>, name: &str| value.clone().ok_or_else(|| missing(name));
    let metric = MetricName {
        namespace: required(&request.namespace, "Namespace")?,
        metric_name: required(&request.metric_name, "MetricName")?,
        dimensions: request.dimensions.clone(),
    };
    let statistic = match (&request.statistic, &request.extended_statistic) {
        (Some(statistic), None) | (None, Some(statistic)) => statistic.clone(),
        _ => return Err(validation("Exactly one of Statistic and ExtendedStatistic must be given.")),
    };
    let period = checked_period(request.period.ok_or_else(|| missing("Period"))?)?;
    Ok((Source::One(Stat { metric: metric.sorted(), statistic: checked_statistic(statistic)? }), period))
}

/// Queries by id, one of which is an expression over the others and returns its data; or a single metric.
fn math(queries: &[Query]) -> Answered<(Source, i64)> {
    let stat = |stat: &MetricStat| -> Answered<Stat> {
        Ok(Stat { metric: stat.metric.clone().sorted(), statistic: checked_statistic(stat.stat.clone())? })
    };
    let mut looked_at = queries.iter().filter(|query| query.return_data != Some(false));
    let (Some(query), None) = (looked_at.next(), looked_at.next()) else {
        return Err(validation("Exactly one element of Metrics must return data."));
    };
    let period = queries.iter().find_map(|query| query.metric_stat.as_ref().map(|stat| stat.period).or(query.period));
    let period = checked_period(period.ok_or_else(|| missing("Metrics.member.1.MetricStat.Period"))?)?;
    if let Some(only) = &query.metric_stat {
        return Ok((Source::One(stat(only)?), period));
    }
    let text = query.expression.as_deref().ok_or_else(|| missing("Metrics.member.1.Expression"))?;
    let wrong = |why: String| validation(format!("Error in expression '{}': {why}", query.id));
    let expression = Expression::parse(text).map_err(wrong)?;
    let part = |query: &Query| Some(stat(query.metric_stat.as_ref()?).map(|stat| (query.id.clone(), stat)));
    let parts: Vec<(String, Stat)> = queries.iter().filter_map(part).collect::<Result<_, _>>()?;
    if let Some(unknown) = expression.names().into_iter().find(|name| parts.iter().all(|(id, _)| id != name)) {
        return Err(wrong(format!("{unknown} is no metric")));
    }
    Ok((Source::Math { parts, expression }, period))
}

fn checked_period(seconds: i64) -> Answered<i64> {
    match seconds {
        10 | 20 | 30 => Ok(seconds),
        60..=86_400 if seconds % 60 == 0 => Ok(seconds),
        _ => Err(validation(format!(
            "Invalid period provided: {seconds}. Period must be 10, 20, 30 or a multiple of 60 seconds."
        ))),
    }
}

fn checked_statistic(name: String) -> Answered<String> {
    let known = statistic(&name).ok_or_else(|| validation(format!("The statistic {name} is not understood here.")))?;
    Ok(known.to_owned())
}

fn name(name: Option<&str>) -> Answered<String> {
    let name = name.filter(|name| !name.is_empty()).ok_or_else(|| missing("AlarmName"))?;
    if name.chars().count() > NAME_MAX {
        return Err(validation(format!("AlarmName is longer than {NAME_MAX} characters.")));
    }
    Ok(name.to_owned())
}

fn names(request: &Names) -> Answered<()> {
    match request.alarm_names.len() {
        0 => Err(missing("AlarmNames")),
        count if count > NAMES_MAX => Err(validation(format!("At most {NAMES_MAX} alarm names are taken."))),
        _ => Ok(()),
    }
}

fn not_found(name: &str) -> ApiError {
    ApiError::plain(404, "ResourceNotFound", format!("Unknown alarm: {name}"))
}
