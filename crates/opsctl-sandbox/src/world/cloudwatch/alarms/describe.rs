//! `DescribeAlarms`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Alarm, LooksAt, Place, State, request::DescribeAlarms};
use crate::world::{
    call::{Answered, given},
    cloudwatch::{list::bad_token, validation},
};

/// Records of a page unless told, and at most (CloudWatch API reference).
const RECORDS: (i64, i64) = (50, 100);
pub(super) const NAMES_MAX: usize = 100;

impl Place {
    pub(in crate::world::cloudwatch) fn describe(&self, request: DescribeAlarms) -> Answered<Value> {
        let limit = limit(request.max_records)?;
        if request.alarm_names.len() > NAMES_MAX {
            return Err(validation(format!("At most {NAMES_MAX} alarm names are taken.")));
        }
        if !request.alarm_names.is_empty() && request.alarm_name_prefix.is_some() {
            return Err(validation("AlarmNames and AlarmNamePrefix cannot be given together."));
        }
        if let Some(state) = request.state_value.as_deref().filter(|name| name.parse::<State>().is_err()) {
            return Err(validation(format!("The value {state} is not a valid StateValue.")));
        }
        let children = self.children(&request)?;
        let after = request.next_token.as_deref().map(token).transpose()?;
        let wanted =
            |alarm: &&Alarm| request.wants(alarm) && children.as_ref().is_none_or(|all| all.contains(&*alarm.name));
        // Alarms on metrics first, each sort by name.
        let mut found: Vec<&Alarm> = self.alarms.values().filter(wanted).collect();
        found.sort_by_key(|alarm| alarm.is_composite());
        let rest =
            found.iter().filter(|alarm| after.is_none_or(|after| (alarm.is_composite(), alarm.name.as_str()) > after));
        let mut rest = rest.peekable();
        let page: Vec<&Alarm> = rest.by_ref().take(limit).copied().collect();
        let (composite, metric): (Vec<&Alarm>, Vec<&Alarm>) = page.iter().partition(|alarm| alarm.is_composite());
        let show = |alarms: Vec<&Alarm>| alarms.into_iter().map(Alarm::show).collect::<Vec<Value>>();
        let next = page.last().filter(|_| rest.peek().is_some()).map(|last| {
            let kind = if last.is_composite() { "composite" } else { "metric" };
            format!("{kind}:{}", last.name)
        });
        Ok(given(json!({ "MetricAlarms": show(metric), "CompositeAlarms": show(composite), "NextToken": next })))
    }

    /// Names of the alarms that a composite alarm's rule names.
    fn children(&self, request: &DescribeAlarms) -> Answered<Option<BTreeSet<&str>>> {
        let Some(parent) = &request.children_of_alarm_name else { return Ok(None) };
        match self.alarms.get(parent).map(|alarm| &alarm.looks_at) {
            Some(LooksAt::Rule { rule, .. }) => Ok(Some(rule.names().into_iter().collect())),
            Some(LooksAt::Metric(_)) | None => Err(validation(format!("{parent} is not a composite alarm."))),
        }
    }
}

impl DescribeAlarms {
    fn wants(&self, alarm: &Alarm) -> bool {
        let has_action = |prefix: &String| alarm.actions.iter().flatten().any(|action| action.starts_with(prefix));
        (alarm.is_asked_for(&self.alarm_types) || self.children_of_alarm_name.is_some())
            && (self.alarm_names.is_empty() || self.alarm_names.contains(&alarm.name))
            && self.alarm_name_prefix.as_ref().is_none_or(|prefix| alarm.name.starts_with(prefix))
            && self.state_value.as_ref().is_none_or(|state| state == alarm.state.into_str())
            && self.action_prefix.as_ref().is_none_or(has_action)
    }
}

impl Alarm {
    fn is_composite(&self) -> bool {
        matches!(self.looks_at, LooksAt::Rule { .. })
    }

    /// Composite alarms only when asked.
    pub(super) fn is_asked_for(&self, types: &[String]) -> bool {
        types.is_empty() && !self.is_composite() || types.iter().any(|kind| kind == self.kind())
    }

    fn show(&self) -> Value {
        let seconds = |at: i64| at as f64 / 1_000.0;
        let mut shown = match &self.looks_at {
            LooksAt::Metric(watch) => serde_json::to_value(&watch.request).unwrap_or_default(),
            LooksAt::Rule { text, .. } => json!({ "AlarmRule": text }),
        };
        let [ok, alarm, insufficient] = &self.actions;
        for (name, value) in [
            ("AlarmName", json!(self.name)),
            ("AlarmArn", json!(self.arn)),
            ("ActionsEnabled", json!(self.actions_enabled)),
            ("OKActions", json!(ok)),
            ("AlarmActions", json!(alarm)),
            ("InsufficientDataActions", json!(insufficient)),
            ("StateValue", json!(self.state.into_str())),
            ("StateReason", json!(self.reason)),
            ("StateUpdatedTimestamp", json!(seconds(self.updated_at))),
            ("StateTransitionedTimestamp", json!(seconds(self.changed_at))),
            ("AlarmConfigurationUpdatedTimestamp", json!(seconds(self.configured_at))),
            ("AlarmDescription", json!(self.description)),
            ("StateReasonData", json!(self.reason_data.as_ref().map(Value::to_string))),
        ] {
            shown[name] = value;
        }
        given(shown)
    }
}

pub(super) fn limit(asked: Option<i64>) -> Answered<usize> {
    let (default, most) = RECORDS;
    let asked = asked.unwrap_or(default);
    usize::try_from(asked)
        .ok()
        .filter(|_| (1..=most).contains(&asked))
        .ok_or_else(|| validation(format!("MaxRecords must be between 1 and {most}, but is {asked}.")))
}

fn token(token: &str) -> Answered<(bool, &str)> {
    match token.split_once(':') {
        Some(("metric", name)) => Ok((false, name)),
        Some(("composite", name)) => Ok((true, name)),
        Some(_) | None => Err(bad_token()),
    }
}
