//! CloudWatch alarms.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Text;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// Name; only one alarm of an account and region has it.
    pub name: String,
    /// Rules that mute it now: it takes no actions until they end.
    #[serde(default)]
    pub mutes: Vec<Mute>,
    pub state: AlarmState,
    pub since: Option<Timestamp>,
    /// Why, in CloudWatch's words.
    pub reason: Text,
    pub watches: Watches,
    /// Whether it tells anybody: alarms may be muted.
    pub actions_enabled: bool,
    /// Whether all of its actions are scaling policies: then it is how something scales, and `ALARM` is no trouble.
    #[serde(default)]
    pub scales_only: bool,
    /// What its owner wrote about it.
    pub description: Option<Text>,
}

/// A rule of CloudWatch's that mutes an alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mute {
    pub rule: Text,
    /// Whether opsctl made it.
    pub is_own: bool,
    /// When it ends; none: it recurs, or its schedule can't be read.
    pub until: Option<Timestamp>,
}

impl Alarm {
    /// Whether it takes no actions now.
    pub fn is_muted(&self) -> bool {
        !self.actions_enabled || !self.mutes.is_empty()
    }

    /// Why it takes no actions, and until when: `muted by opsctl until 2026-11-21 03:31 UTC`; none: it takes them.
    pub fn muted(&self) -> Option<Text> {
        let disabled = (!self.actions_enabled).then(|| "its actions are disabled".to_owned());
        let mutes = self.mutes.iter().map(|mute| {
            let by = if mute.is_own { "opsctl".to_owned() } else { format!("mute rule {}", mute.rule) };
            match mute.until {
                Some(until) => format!("muted by {by} until {}", until.strftime("%F %H:%M UTC")),
                None => format!("muted by {by}"),
            }
        });
        let all: Vec<String> = disabled.into_iter().chain(mutes).collect();
        (!all.is_empty()).then(|| Text::line(&all.join("; ")))
    }

    /// When the last of its mutes ends; none: it is not muted, or nobody can tell when that ends.
    pub fn muted_until(&self) -> Option<Timestamp> {
        let ends: Option<Vec<Timestamp>> = self.mutes.iter().map(|mute| mute.until).collect();
        ends.filter(|_| self.actions_enabled)?.into_iter().max()
    }
}

/// State of an alarm, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum AlarmState {
    Alarm,
    /// CloudWatch can't tell: no samples, or too few. Not the same as well.
    #[strum(serialize = "no data")]
    InsufficientData,
    Ok,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Watches {
    /// One metric, or an expression over some.
    Metric {
        /// `AWS/ECS`; none: an expression.
        namespace: Option<Text>,
        /// `CPUUtilization`, or the expression's label.
        metric: Text,
        dimensions: Vec<(Text, Text)>,
        /// `Average`, `p99`, ...
        statistic: Option<Text>,
        period_seconds: Option<u32>,
        /// `GreaterThanThreshold`, ...
        comparison: Text,
        /// What is compared with; none: a band of normal values.
        threshold: Option<f64>,
    },
    Rule {
        /// `ALARM("a") OR ALARM("b")`.
        rule: Text,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmChange {
    pub at: Timestamp,
    /// `StateUpdate`, `ConfigurationUpdate`, `Action`.
    pub kind: Text,
    /// CloudWatch's words: "Alarm updated from OK to ALARM".
    pub summary: Text,
}

impl Alarm {
    /// Whether somebody is to know that it is in `ALARM`. The lower alarm of a target tracking policy is, by nature, as long as
    /// nothing is left to scale in.
    pub fn is_trouble(&self) -> bool {
        self.state == AlarmState::Alarm && !self.scales_only
    }

    /// Who is to look first; smaller first.
    pub fn rank(&self) -> u8 {
        match self.state {
            AlarmState::Alarm if !self.scales_only => 0,
            AlarmState::InsufficientData if !self.scales_only => 1,
            AlarmState::Alarm | AlarmState::InsufficientData | AlarmState::Ok => 2,
        }
    }

    /// State in words: `alarm`, `no data`, `ok`; `scaling` for one in `ALARM` that does nothing but scale.
    pub fn state_words(&self) -> &'static str {
        match self.state {
            AlarmState::Alarm if self.scales_only => "scaling",
            AlarmState::Alarm | AlarmState::InsufficientData | AlarmState::Ok => self.state.into_str(),
        }
    }
}

impl Watches {
    /// What is watched, on one line: namespace, metric, dimensions; or the rule.
    pub fn subject(&self) -> Text {
        match self {
            Self::Rule { rule } => rule.clone(),
            Self::Metric { namespace, metric, dimensions, .. } => {
                let namespace = namespace.iter().map(Text::to_string);
                let dimensions = dimensions.iter().map(|(name, value)| format!("{name}={value}"));
                let parts: Vec<String> = namespace.chain([metric.to_string()]).chain(dimensions).collect();
                Text::line(&parts.join(" "))
            }
        }
    }

    /// When it alarms, on one line: `average > 80 in 1m`; nothing for a rule, which says it itself.
    pub fn condition(&self) -> Text {
        let Self::Metric { statistic, period_seconds, comparison, threshold, .. } = self else {
            return Text::default();
        };
        let statistic = statistic.iter().map(|statistic| statistic.as_str().to_lowercase());
        let threshold = threshold.map_or_else(|| "a band of normal values".to_owned(), |value| value.to_string());
        let compared = format!("{} {threshold}", operator(comparison.as_str()));
        let period = period_seconds.iter().map(|seconds| match seconds {
            seconds if seconds % 3_600 == 0 => format!("in {}h", seconds / 3_600),
            seconds if seconds % 60 == 0 => format!("in {}m", seconds / 60),
            seconds => format!("in {seconds}s"),
        });
        let parts: Vec<String> = statistic.chain([compared]).chain(period).collect();
        Text::line(&parts.join(" "))
    }
}

/// CloudWatch's word for a comparison as a sign; an unknown word stays.
fn operator(word: &str) -> &str {
    match word {
        "GreaterThanThreshold" => ">",
        "GreaterThanOrEqualToThreshold" => ">=",
        "LessThanThreshold" => "<",
        "LessThanOrEqualToThreshold" => "<=",
        "GreaterThanUpperThreshold" => "above",
        "LessThanLowerThreshold" => "below",
        "LessThanLowerOrGreaterThanUpperThreshold" => "outside of",
        other => other,
    }
}
