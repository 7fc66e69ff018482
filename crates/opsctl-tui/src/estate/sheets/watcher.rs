//! An alarm, an event source mapping, a group that reads Kafka, in full.

use super::{LABEL, ago, gauge, watched, whole};
use crate::{
    cloud::alarms::History,
    domain::{
        Text,
        alarm::Alarm,
        consumer::{KafkaLag, Mapping},
    },
    estate::{alarms, consumers},
    model::{Model, Site},
    page::Page,
    theme::Role,
    ticket::Load,
};

/// Changes shown; more are read on the command line.
const CHANGES_MAX: usize = 50;

pub(super) fn alarm(page: &mut Page, model: &Model, _: &Site, alarm: &Alarm) {
    let (sign, role) = alarms::sign(alarm.state, model.look);
    let since = alarm
        .since
        .map(|at| format!(", for {} (since {})", ago(at, model.now), at.strftime("%Y-%m-%d %H:%M:%S UTC")))
        .unwrap_or_default();
    page.pair("state", LABEL, &format!("{sign} {}{since}", alarm.state.words()), role);
    page.pair("reason", LABEL, Text::line(alarm.reason.as_str()).as_str(), Role::Text);
    if let Some(description) = &alarm.description {
        page.pair("says", LABEL, Text::line(description.as_str()).as_str(), Role::Text);
    }
    if !alarm.actions_enabled {
        page.pair("muted", LABEL, "its actions are disabled: it tells nobody", Role::Warning);
    }
    page.blank();
    page.heading("Watches");
    for (label, value) in watched(&alarm.watches) {
        page.pair(label, LABEL, Text::line(&value).as_str(), Role::Text);
    }
}

/// What an alarm went through, the newest first.
pub(in crate::estate) fn history(page: &mut Page, history: &Load<History>) {
    if matches!(history, Load::Idle) {
        return;
    }
    page.blank();
    page.heading("What it went through");
    if let Load::Failed(failure, _) = history {
        page.text(&format!("it can't be read: {}; {}", failure.what, failure.hint), Role::Warning);
    }
    let Some(known) = history.shown() else {
        if history.is_waiting() {
            page.text("asking CloudWatch", Role::Dim);
        }
        return;
    };
    if known.changes.is_empty() {
        page.text("nothing that CloudWatch still knows of", Role::Dim);
    }
    for change in known.changes.iter().take(CHANGES_MAX) {
        let at = change.at.strftime("%m-%d %H:%M:%S").to_string();
        page.pair(&at, LABEL, Text::line(change.summary.as_str()).as_str(), Role::Text);
    }
    let more = known.changes.len().saturating_sub(CHANGES_MAX);
    if more > 0 {
        page.text(&format!("and {more} more: `alarms --history` lists them all"), Role::Dim);
    }
    if let Some(why) = &known.incomplete {
        page.text(Text::line(why.as_str()).as_str(), Role::Dim);
    }
}

pub(super) fn mapping(page: &mut Page, model: &Model, mapping: &Mapping) {
    let (sign, role) = consumers::sign(mapping, model.look);
    let changed = mapping.changed_at.map(|at| format!(", changed {} ago", ago(at, model.now))).unwrap_or_default();
    page.pair("state", LABEL, &format!("{sign} {}{changed}", mapping.state.words()), role);
    if let Some(reason) = &mapping.reason {
        page.pair("because", LABEL, Text::line(reason.as_str()).as_str(), Role::Text);
    }
    if let Some(result) = &mapping.last_result {
        let role = if consumers::has_problem(mapping) { Role::Warning } else { Role::Text };
        page.pair("last result", LABEL, Text::line(result.as_str()).as_str(), role);
    }
    page.pair("function", LABEL, Text::line(mapping.function.as_str()).as_str(), Role::Strong);
    page.pair("takes from", LABEL, &consumers::takes(mapping), Role::Text);
    page.pair("source", LABEL, Text::line(&mapping.source_arn).as_str(), Role::Text);
    let count = |count: Option<u32>, none: &str| count.map_or(none.to_owned(), |count| count.to_string());
    page.pair("batch", LABEL, &count(mapping.batch_size, "as Lambda sets it"), Role::Text);
    page.pair("calls at once", LABEL, &count(mapping.concurrency_max, "not limited by the mapping"), Role::Text);
    page.pair("mapping", LABEL, Text::line(&mapping.id.0).as_str(), Role::Text);
}

pub(super) fn lag(page: &mut Page, model: &Model, lag: &KafkaLag) {
    gauge(page, model, "behind", Some(&lag.offsets), whole, None);
    page.text("Offsets that were not read yet, summed over the partitions (AWS/Kafka, SumOffsetLag).", Role::Dim);
    page.pair("group", LABEL, Text::line(lag.group.as_str()).as_str(), Role::Strong);
    page.pair("topic", LABEL, Text::line(lag.topic.as_str()).as_str(), Role::Text);
    page.pair("MSK cluster", LABEL, Text::line(lag.cluster.as_str()).as_str(), Role::Text);
}
