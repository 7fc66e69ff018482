//! Alarm mute rules of CloudWatch: windows in which alarms take no actions. They begin and end at AWS, whoever is there.

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    CloudError, ErrorKind,
    alarms::Alarms,
    classify,
    thin::{Request, Told as _, from_json},
};
use crate::domain::{RunId, message::hex};

const LIST: &str = "cloudwatch:ListAlarmMuteRules";
const GET: &str = "cloudwatch:GetAlarmMuteRule";
const PUT: &str = "cloudwatch:PutAlarmMuteRule";
const DELETE: &str = "cloudwatch:DeleteAlarmMuteRule";
/// Rules of a page (API reference), and pages followed: those that are active for one alarm.
const RECORDS: usize = 100;
const PAGES_MAX: usize = 5;
/// Rules of which it is asked what they mute.
const RULES_MAX: usize = 20;
/// Rules that opsctl makes begin so.
const OWN: &str = "opsctl-";
/// Characters of an alarm's name in its rule's: a name has 255 at most.
const NAME_MAX: usize = 200;

/// A mute rule, as far as it is about a window that passes once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MuteRule {
    pub name: String,
    /// Whether it mutes now.
    pub is_active: bool,
    /// When its one window ends; none: it recurs, or its schedule can't be read.
    pub until: Option<Timestamp>,
    /// Alarms that it mutes, by name; none: all of them.
    pub alarms: Vec<String>,
}

impl MuteRule {
    pub fn is_about(&self, alarm: &str) -> bool {
        self.alarms.is_empty() || self.alarms.iter().any(|name| name == alarm)
    }

    /// Whether opsctl made it to mute this alarm.
    pub fn is_own(&self, alarm: &str) -> bool {
        self.name == own_rule(alarm)
    }
}

/// The rule by which opsctl mutes an alarm. Each alarm has one, always the same, so that who comes later from another machine finds it.
pub fn own_rule(alarm: &str) -> String {
    let plain = |one: char| if one.is_ascii_alphanumeric() || matches!(one, '-' | '_') { one } else { '-' };
    let name: String = alarm.chars().take(NAME_MAX).map(plain).collect();
    format!("{OWN}{name}-{}", &hex(&Sha256::digest(alarm.as_bytes()))[..8])
}

impl Alarms {
    /// Names of the rules that mute an alarm now.
    ///
    /// # Errors
    /// Of the first call that fails.
    pub async fn active_mutes(&self, alarm: &str) -> Result<Vec<String>, CloudError> {
        self.active(Some(alarm)).await
    }

    /// All rules that mute alarms now, the first so many; none where mute rules are not known.
    ///
    /// # Errors
    /// Of the first call that fails.
    pub async fn all_active_mutes(&self) -> Result<Vec<MuteRule>, CloudError> {
        let names = match self.active(None).await {
            Err(error) if are_unknown(&error) => return Ok(Vec::new()),
            names => names?,
        };
        let mut rules = Vec::new();
        for name in names.iter().take(RULES_MAX) {
            rules.extend(self.mute_rule(name).await?.filter(|rule| rule.is_active));
        }
        Ok(rules)
    }

    async fn active(&self, alarm: Option<&str>) -> Result<Vec<String>, CloudError> {
        let (mut names, mut token) = (Vec::new(), None);
        for _ in 0..PAGES_MAX {
            let given =
                json!({ "AlarmName": alarm, "Statuses": ["ACTIVE"], "MaxRecords": RECORDS, "NextToken": token });
            let page = self.client.call(LIST, Request::Json(given), from_json).await?;
            let arns = page.list("AlarmMuteRuleSummaries").iter().filter_map(|rule| rule.word("AlarmMuteRuleArn"));
            names.extend(arns.filter_map(|arn| arn.split_once(":alarm-mute-rule:")).map(|(_, name)| name.to_owned()));
            token = page.word("NextToken").filter(|next| !next.is_empty()).map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
        Ok(names)
    }

    /// A rule; none: there is none of that name.
    pub async fn mute_rule(&self, name: &str) -> Result<Option<MuteRule>, CloudError> {
        let given = json!({ "AlarmMuteRuleName": name });
        match self.client.call(GET, Request::Json(given), from_json).await {
            Ok(shown) => Ok(Some(rule(name, &shown))),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Mutes an alarm by its own rule from `from` to `until`, both whole minutes. Sent once. Absolute: a rule of that name is replaced.
    ///
    /// # Errors
    /// [`ErrorKind::Unknown`]: it may have been applied; look, don't repeat.
    pub async fn mute(
        &self,
        alarm: &str,
        (from, until): (Timestamp, Timestamp),
        run: &RunId,
    ) -> Result<(), CloudError> {
        let minutes = until.duration_since(from).as_mins();
        if minutes < 1 {
            return Err(CloudError::new(ErrorKind::Invalid, PUT, "the time for which it was to be muted is over"));
        }
        let schedule = json!({
            "Expression": from.strftime("at(%Y-%m-%dT%H:%M)").to_string(), "Duration": format!("PT{minutes}M"),
            "Timezone": "UTC",
        });
        let given = json!({
            "Name": own_rule(alarm), "Description": format!("Muted by opsctl, run {run}"),
            "Rule": { "Schedule": schedule }, "MuteTargets": { "AlarmNames": [alarm] },
        });
        self.once.write(PUT, Request::Json(given), |_| Ok(())).await
    }

    /// Deletes the rule by which opsctl mutes an alarm. Sent once. Absolute: one that is not there is no error. If the alarm is in ALARM,
    /// its actions are taken then (API reference).
    ///
    /// # Errors
    /// [`ErrorKind::Unknown`]: it may have been applied; look, don't repeat.
    pub async fn unmute(&self, alarm: &str) -> Result<(), CloudError> {
        let given = json!({ "AlarmMuteRuleName": own_rule(alarm) });
        self.once.write(DELETE, Request::Json(given), |_| Ok(())).await
    }
}

fn rule(name: &str, shown: &Value) -> MuteRule {
    let schedule = &shown["Rule"]["Schedule"];
    let until = schedule.word("Expression").zip(schedule.word("Duration")).and_then(|(at, lasts)| {
        let zone = TimeZone::get(schedule.word("Timezone").unwrap_or("UTC")).ok()?;
        let at: DateTime = at.strip_prefix("at(")?.strip_suffix(')')?.parse().ok()?;
        let lasts: jiff::Span = lasts.parse().ok()?;
        let lasts: SignedDuration = lasts.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()?;
        zone.to_timestamp(at).ok()?.checked_add(lasts).ok()
    });
    let alarms = shown["MuteTargets"].words("AlarmNames");
    MuteRule { name: name.to_owned(), is_active: shown.word("Status") == Some("ACTIVE"), until, alarms }
}

/// Whether whoever answers does not know mute rules: they are new (2026), and emulators lack them.
pub fn are_unknown(error: &CloudError) -> bool {
    error.code.as_deref().is_some_and(|code| classify::UNKNOWN_OPERATIONS.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_named_after_its_alarm_and_no_two_alike() {
        assert!(own_rule("api-cpu").starts_with("opsctl-api-cpu-") && own_rule("api-cpu").len() == 23);
        let names = ["a b", "a/b", "ä", &"x".repeat(255)].map(own_rule);
        assert!(
            names.iter().all(|name| name.len() <= 255 && name.is_ascii() && !name.contains([' ', '/'])),
            "{names:?}"
        );
        assert_ne!(names[0], names[1]);
    }

    #[test]
    fn the_end_of_a_window_is_read_where_it_has_one() {
        let shown = |expression: &str, zone: &str| {
            let schedule = json!({ "Expression": expression, "Duration": "P1DT30M", "Timezone": zone });
            rule("x", &json!({ "Status": "ACTIVE", "Rule": { "Schedule": schedule } })).until
        };
        let until = shown("at(2026-11-21T03:01)", "UTC").map(|until| until.to_string());
        assert_eq!(until.as_deref(), Some("2026-11-22T03:31:00Z"));
        assert_eq!(shown("cron(0 2 * * *)", "UTC"), None);
        assert_eq!(shown("at(2026-11-21T03:01)", "Nowhere/Else"), None);
    }
}
