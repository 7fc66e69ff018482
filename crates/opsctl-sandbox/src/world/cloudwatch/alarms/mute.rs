//! Alarm mute rules: windows in which alarms take no actions.
//!
//! Only windows that pass once are simulated (`at(...)`, in UTC): a schedule that recurs is refused.

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::{Value, json};

use super::{
    Place, State,
    describe::limit,
    request::{ListMutes, NamedMute, PutMute},
};
use crate::world::{
    ApiError,
    call::{Answered, Call, given},
    cloudwatch::{list::bad_token, missing, validation},
    page::page,
};

/// Alarms of a rule, and minutes of its window (CloudWatch API reference, `PutAlarmMuteRule`).
const TARGETS_MAX: usize = 100;
const MINUTES: std::ops::RangeInclusive<i64> = 1..=15 * 24 * 60;
const NAME_MAX: usize = 255;

/// A rule; times are milliseconds since 1970.
#[derive(Debug)]
pub(super) struct Mute {
    name: String,
    arn: String,
    /// As asked for: told as it came.
    request: PutMute,
    begins: i64,
    ends: i64,
    updated_at: i64,
}

impl Mute {
    fn status(&self, now: i64) -> &'static str {
        match now {
            now if now < self.begins => "SCHEDULED",
            now if now < self.ends => "ACTIVE",
            _ => "EXPIRED",
        }
    }

    /// Without targets it is for every alarm.
    fn is_about(&self, alarm: &str) -> bool {
        let names = self.request.mute_targets.as_ref().map(|targets| &targets.alarm_names);
        names.is_none_or(|names| names.is_empty() || names.iter().any(|name| name == alarm))
    }
}

impl Place {
    pub(in crate::world::cloudwatch) fn put_mute(&mut self, call: Call, request: PutMute) -> Answered<()> {
        let Call { caller, now, .. } = call;
        let name = name(request.name.as_deref())?;
        let targets = request.mute_targets.iter().flat_map(|targets| &targets.alarm_names);
        if targets.clone().count() > TARGETS_MAX {
            return Err(validation(format!("At most {TARGETS_MAX} alarms are taken for a mute rule.")));
        }
        if let Some(unknown) = targets.clone().find(|name| !self.alarms.contains_key(*name)) {
            return Err(validation(format!("MuteTargets names an alarm that does not exist: {unknown}")));
        }
        let (begins, ends) = window(&request)?;
        let arn = format!("arn:aws:cloudwatch:{}:{}:alarm-mute-rule:{name}", caller.region, caller.account);
        self.mutes.insert(name.clone(), Mute { name, arn, request, begins, ends, updated_at: now });
        self.mute(now);
        Ok(())
    }

    pub(in crate::world::cloudwatch) fn get_mute(&self, now: i64, request: NamedMute) -> Answered<Value> {
        let name = name(request.alarm_mute_rule_name.as_deref())?;
        let mute = self.mutes.get(&name).ok_or_else(|| {
            ApiError::plain(404, "ResourceNotFoundException", format!("Unknown alarm mute rule: {name}"))
        })?;
        Ok(given(json!({
            "Name": mute.name,
            "AlarmMuteRuleArn": mute.arn,
            "Description": mute.request.description,
            "Rule": mute.request.rule,
            "MuteTargets": mute.request.mute_targets,
            "Status": mute.status(now),
            "LastUpdatedTimestamp": mute.updated_at as f64 / 1_000.0,
            "MuteType": "ONE_TIME",
        })))
    }

    pub(in crate::world::cloudwatch) fn list_mutes(&self, now: i64, request: ListMutes) -> Answered<Value> {
        let limit = limit(request.max_records)?;
        let is_wanted = |mute: &&Mute| {
            request.alarm_name.as_ref().is_none_or(|alarm| mute.is_about(alarm))
                && (request.statuses.is_empty() || request.statuses.iter().any(|status| status == mute.status(now)))
        };
        let wanted = self.mutes.values().filter(is_wanted);
        let (mutes, next) =
            page(wanted, limit, request.next_token.as_deref(), |mute| &mute.name).ok_or_else(bad_token)?;
        let summary = |mute: &Mute| {
            json!({
                "AlarmMuteRuleArn": mute.arn,
                "Status": mute.status(now),
                "MuteType": "ONE_TIME",
                "LastUpdatedTimestamp": mute.updated_at as f64 / 1_000.0,
            })
        };
        let summaries: Vec<Value> = mutes.into_iter().map(summary).collect();
        Ok(given(json!({ "AlarmMuteRuleSummaries": summaries, "NextToken": next })))
    }

    /// One that is not there is no error.
    pub(in crate::world::cloudwatch) fn delete_mute(&mut self, now: i64, request: NamedMute) -> Answered<()> {
        let name = name(request.alarm_mute_rule_name.as_deref())?;
        self.mutes.remove(&name);
        self.mute(now);
        Ok(())
    }

    /// Mutes alarms, and unmutes them: those in ALARM take their actions then, and so do those whose state changed meanwhile.
    pub(super) fn mute(&mut self, at: i64) {
        let active = || self.mutes.values().filter(|mute| mute.status(at) == "ACTIVE");
        for alarm in self.alarms.values_mut() {
            let is_muted = active().any(|mute| mute.is_about(&alarm.name));
            let was_muted = std::mem::replace(&mut alarm.is_muted, is_muted);
            if was_muted && !is_muted && (std::mem::take(&mut alarm.is_held) || alarm.state == State::Alarm) {
                alarm.act(at);
            }
        }
    }
}

fn window(request: &PutMute) -> Answered<(i64, i64)> {
    let schedule = request.rule.as_ref().map(|rule| &rule.schedule).ok_or_else(|| missing("Rule"))?;
    if request.start_date.is_some() || request.expire_date.is_some() {
        return Err(validation("StartDate and ExpireDate are not for a rule that mutes once."));
    }
    if schedule.timezone.as_deref().is_some_and(|zone| zone != "UTC") {
        return Err(validation("Other time zones than UTC are not understood here."));
    }
    let at = schedule.expression.strip_prefix("at(").and_then(|at| at.strip_suffix(')'));
    let at: Option<DateTime> = at.filter(|at| at.len() == "2026-11-21T03:00".len()).and_then(|at| at.parse().ok());
    let at = at.and_then(|at| TimeZone::UTC.to_timestamp(at).ok());
    let begins =
        at.ok_or_else(|| validation(format!("The expression {} is not understood here.", schedule.expression)))?;
    let lasts: Option<jiff::Span> = schedule.duration.parse().ok();
    let lasts = lasts.and_then(|lasts| lasts.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok());
    let minutes = lasts.filter(|lasts| lasts.as_secs() % 60 == 0).map(|lasts| lasts.as_mins());
    let minutes = minutes.filter(|minutes| MINUTES.contains(minutes));
    let minutes = minutes.ok_or_else(|| validation(format!("The duration {} is not valid.", schedule.duration)))?;
    let ends: Timestamp = begins + SignedDuration::from_mins(minutes);
    Ok((begins.as_millisecond(), ends.as_millisecond()))
}

fn name(name: Option<&str>) -> Answered<String> {
    let name = name.filter(|name| !name.is_empty()).ok_or_else(|| missing("Name"))?;
    if name.chars().count() > NAME_MAX {
        return Err(validation(format!("The name is longer than {NAME_MAX} characters.")));
    }
    Ok(name.to_owned())
}
