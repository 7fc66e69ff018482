//! What alarms went through: `DescribeAlarmHistory`.

use serde_json::{Value, json};

use super::{Alarm, Place, State, describe::limit, request::DescribeAlarmHistory};
use crate::world::{
    call::{Answered, given},
    cloudwatch::{list::skipped, request::ScanBy, validation},
};

/// Changes kept of an alarm. AWS keeps 30 days; memory has its bound.
const CHANGES_MAX: usize = 250;

#[derive(Debug)]
pub(super) struct Change {
    /// Milliseconds since 1970.
    pub(super) at: i64,
    kind: &'static str,
    summary: String,
    data: Value,
}

/// What an item of the history is, in CloudWatch's words.
const CONFIGURATION: &str = "ConfigurationUpdate";
const STATE: &str = "StateUpdate";
const ACTION: &str = "Action";

impl Alarm {
    /// Notes that the alarm was made or set anew.
    pub(super) fn note_settings(&mut self, at: i64, summary: String) {
        let kind = if summary.ends_with("created") { "Create" } else { "Update" };
        self.note(at, CONFIGURATION, summary, json!({ "version": "1.0", "type": kind }));
    }

    /// Notes that its state became another one, and what was done about it.
    pub(super) fn note_change(&mut self, at: i64, before: State) {
        let state = self.state;
        let new =
            json!({ "stateValue": state.into_str(), "stateReason": self.reason, "stateReasonData": self.reason_data });
        let data = json!({ "version": "1.0", "oldState": { "stateValue": before.into_str() }, "newState": new });
        let summary = format!("Alarm updated from {} to {}", before.into_str(), state.into_str());
        self.note(at, STATE, summary, data);
        if self.is_muted {
            self.is_held = true;
        } else {
            self.act(at);
        }
    }

    /// Takes the actions of its state.
    pub(super) fn act(&mut self, at: i64) {
        if self.actions_enabled {
            for action in self.actions[self.state as usize].clone() {
                let data = json!({ "actionState": "Succeeded", "notificationResource": action });
                self.note(at, ACTION, format!("Successfully executed action {action}"), data);
            }
        }
    }

    fn note(&mut self, at: i64, kind: &'static str, summary: String, data: Value) {
        if self.history.len() >= CHANGES_MAX {
            self.history.pop_front();
        }
        self.history.push_back(Change { at, kind, summary, data });
    }
}

impl Place {
    pub(in crate::world::cloudwatch) fn history(&self, request: DescribeAlarmHistory) -> Answered<Value> {
        let limit = limit(request.max_records)?;
        let skip = skipped(request.next_token.as_deref())?;
        let kind = request.history_item_type.as_deref();
        if let Some(kind) = kind.filter(|kind| ![CONFIGURATION, STATE, ACTION].contains(kind)) {
            return Err(validation(format!("The value {kind} is not a valid HistoryItemType.")));
        }
        let milliseconds = |seconds: f64| (seconds * 1_000.0) as i64;
        let from = request.start_date.map_or(i64::MIN, milliseconds);
        let until = request.end_date.map_or(i64::MAX, milliseconds);
        let named = |alarm: &&Alarm| request.alarm_name.as_ref().is_none_or(|name| *name == alarm.name);
        let alarms = self.alarms.values().filter(named).filter(|alarm| alarm.is_asked_for(&request.alarm_types));
        let mut all: Vec<(&Alarm, usize, &Change)> = alarms
            .flat_map(|alarm| alarm.history.iter().enumerate().map(move |(at, change)| (alarm, at, change)))
            .collect();
        all.retain(|(_, _, change)| (from..=until).contains(&change.at) && kind.is_none_or(|kind| kind == change.kind));
        all.sort_by_key(|(_, place, change)| (change.at, *place));
        if request.scan_by == ScanBy::TimestampDescending {
            all.reverse();
        }
        let page: Vec<Value> = all.iter().skip(skip).take(limit).map(|(alarm, _, change)| change.show(alarm)).collect();
        let next = (skip + limit < all.len()).then(|| (skip + limit).to_string());
        Ok(given(json!({ "AlarmHistoryItems": page, "NextToken": next })))
    }
}

impl Change {
    fn show(&self, alarm: &Alarm) -> Value {
        json!({
            "AlarmName": alarm.name,
            "AlarmType": alarm.kind(),
            "Timestamp": self.at as f64 / 1_000.0,
            "HistoryItemType": self.kind,
            "HistorySummary": self.summary,
            "HistoryData": self.data.to_string(),
        })
    }
}
