//! Alarms that take no actions for a time: CloudWatch's alarm mute rules, which end at AWS by themselves.

use std::collections::BTreeSet;

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Memory, ToToggle, look::own_mute, memory::Known};
use crate::{
    cloud::{
        Cloud, CloudError,
        mutes::{MuteRule, are_unknown, own_rule},
    },
    domain::{
        Alarm, AlarmState, Setting, Text, Toggle, Try, Watches,
        invocation::quoted,
        words::{counted, some_of, within},
    },
    observe::parts::alarms::alarms_in,
    operations::{
        Bound, Counts, OperationError, OperationKind, Planned, Planner, Verb, plan::Plan, resolve::did_you_mean,
        values::Seconds,
    },
};

const LEAST: u32 = 60;
/// Longer than anybody is on call: what shall be silent for longer is changed where it is configured.
const MOST: u32 = 86_400;
/// Until a rule that begins with the next minute is active, looks that are two seconds apart.
const LOOKS: u64 = 30;
const NAMED_MAX: usize = 3;

/// Mute alarms for a time: CloudWatch goes on judging them, and takes none of their actions until then
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct MuteAlarms {
    /// Alarm, by name
    #[arg(value_name = "ALARM", required_unless_present = "resume")]
    pub alarm: Vec<String>,
    /// Mute for so long, 1m to 24h
    #[arg(
        long = "for",
        value_name = "TIME",
        value_parser = Seconds::between::<LEAST, MOST>,
        required_unless_present = "resume"
    )]
    pub duration: Option<Seconds>,
}

/// Unmute alarms that opsctl has muted, before their time is over
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, clap::Args)]
#[serde(default, deny_unknown_fields)]
pub struct UnmuteAlarms {
    /// Alarm, by name
    #[arg(value_name = "ALARM", required_unless_present = "resume")]
    pub alarm: Vec<String>,
}

macro_rules! verb {
    ($operation:ident, $to:expr, $back:expr) => {
        impl Verb for $operation {
            fn subject(&self) -> &str {
                self.alarm.first().map_or("", String::as_str)
            }

            fn subject_arguments(&self) -> &'static [&'static str] {
                &["alarm"]
            }

            /// A name may hold anything.
            fn typed(&self) -> Option<&str> {
                if let [one] = self.alarm.as_slice() { Some(one) } else { None }
            }

            fn counts(&self) -> Counts {
                Counts::One
            }

            fn put_back_by(&self) -> Option<OperationKind> {
                // A mute ends by itself at the end of its time; a run that ends earlier takes it back.
                $back
            }

            fn plan<'a>(
                &'a self,
                cloud: &'a Cloud,
                planner: &'a Planner,
            ) -> BoxFuture<'a, Result<Planned, OperationError>> {
                let to: fn(&Self) -> Option<u32> = $to;
                Box::pin(plan(&self.alarm, to(self), cloud, planner))
            }
        }
    };
}

verb!(
    MuteAlarms,
    |asked| Some(asked.duration.map_or(LEAST, |Seconds(seconds)| seconds)),
    Some(OperationKind::UnmuteAlarms)
);
verb!(UnmuteAlarms, |_| None, None);

struct Scene<'a> {
    cloud: &'a Cloud,
    all: Vec<Alarm>,
    known: Known,
    /// For so many minutes; none: not at all.
    minutes: Option<i64>,
    /// When a rule that is made now ends.
    until: Timestamp,
    now: Timestamp,
}

async fn plan(
    given: &[String],
    seconds: Option<u32>,
    cloud: &Cloud,
    planner: &Planner,
) -> Result<Planned, OperationError> {
    let now = cloud.clock().now();
    let minutes = seconds.map(|seconds| i64::from(seconds.div_ceil(60)));
    let until = begins(now) + SignedDuration::from_mins(minutes.unwrap_or(0));
    let (all, known) = (cloud.alarms.all().await?.list, Known::read(cloud, planner).await?);
    let scene = Scene { cloud, all, known, minutes, until, now };
    let alarms = scene.meant(given)?;
    let mut plan = planner.draft();
    plan.resource = Text::line(&match alarms.as_slice() {
        [one] => one.name.clone(),
        several => counted(several.len() as u64, "alarm"),
    });
    let names = some_of(alarms.iter().map(|alarm| alarm.name.as_str()), NAMED_MAX);
    plan.summary = Text::line(&match minutes {
        Some(minutes) => format!("mute {names} for {}", within(SignedDuration::from_mins(minutes))),
        None => format!("unmute {names}"),
    });
    let mut bound = Vec::new();
    for alarm in &alarms {
        bound.extend(scene.tell(alarm, &mut plan).await?);
    }
    plan.empty = bound.is_empty();
    if !plan.empty {
        scene.warn(&alarms, &mut plan);
        scene.calls(bound.len() as u64, &mut plan);
    }
    Ok(Planned { plan, bound: Bound::Toggle(bound) })
}

/// The next whole minute: schedules of mute rules have no seconds, and one that begins in the past may never begin.
pub(crate) fn begins(now: Timestamp) -> Timestamp {
    let second = now.as_second() + i64::from(now.subsec_nanosecond() > 0);
    Timestamp::from_second((second + 59).div_euclid(60) * 60).unwrap_or(now)
}

impl Scene<'_> {
    fn meant(&self, given: &[String]) -> Result<Vec<Alarm>, OperationError> {
        let names: BTreeSet<&str> = given.iter().map(String::as_str).collect();
        let mut found = Vec::new();
        for name in names {
            let Some(alarm) = self.all.iter().find(|alarm| alarm.name == name) else {
                let environment = self.cloud.environment();
                let known: Vec<String> = self.all.iter().map(|alarm| alarm.name.clone()).collect();
                let hint =
                    did_you_mean(name, &known).unwrap_or_else(|| format!("see `{}`", environment.command("alarms")));
                let what = format!("there is no alarm {name} in {} ({})", environment.name, environment.region);
                return Err(OperationError::usage(&what, Try::NameAnother.says(&hint)));
            };
            found.push(alarm.clone());
        }
        Ok(found)
    }

    /// Says how an alarm stands and how it would; none: it is left as it is.
    async fn tell(&self, alarm: &Alarm, plan: &mut Plan) -> Result<Option<ToToggle>, OperationError> {
        let name = alarm.name.as_str();
        let toggle = Toggle::Alarm(name.to_owned());
        let own = own_mute(self.cloud, name).await.map_err(|error| unknown(error, self.cloud))?;
        let now = Setting::MutedUntil(own.map(|(until, _)| until));
        let from = self.known.from(&toggle, now);
        let others = self.others(alarm).await?;
        plan.observe(toggle.to_string(), format!("{}, actions {}", from.words(), alarm.actions_enabled));
        plan.fact("alarm", format!("{name} (state: {})", alarm.state.into_str()));
        // A resume keeps to the end that the run has set.
        let earlier = self.known.earlier(&toggle).map(|(_, to)| to);
        let to = earlier.unwrap_or(Setting::MutedUntil(self.minutes.map(|_| self.until)));
        let left = match (to, from) {
            (Setting::MutedUntil(Some(until)), _) if until <= self.now => {
                Some("the time of its mute is over".to_owned())
            }
            (Setting::MutedUntil(Some(_)), _) if !alarm.actions_enabled => {
                Some("somebody has disabled its actions already".to_owned())
            }
            (Setting::MutedUntil(Some(_)), _) if !others.is_empty() => Some(format!("{} already", muted(&others))),
            (Setting::MutedUntil(Some(until)), Setting::MutedUntil(Some(known))) if known >= until => {
                Some(format!("{} by opsctl already", from.words()))
            }
            (Setting::MutedUntil(None), Setting::MutedUntil(None)) => Some(match others.is_empty() {
                true if !alarm.actions_enabled => "its actions are disabled, not by opsctl".to_owned(),
                true => "opsctl has not muted it".to_owned(),
                false => format!("{}, not by opsctl", muted(&others)),
            }),
            _ => None,
        };
        if let Some(left) = left {
            plan.warn(format!("{name} is left as it is: {left}"));
            return Ok(None);
        }
        plan.fact("now", from.words().as_str());
        plan.fact(
            "after",
            match self.minutes {
                Some(minutes) if earlier.is_none() => {
                    let lasts = within(SignedDuration::from_mins(minutes));
                    format!("muted for {lasts} from the next full minute on")
                }
                _ => to.words().to_string(),
            },
        );
        if self.minutes.is_none() && !others.is_empty() {
            plan.warn(format!("{name} stays muted: {}", muted(&others)));
        }
        Ok(Some(ToToggle { toggle, name: format!("alarm {name}"), from, to, memory: Memory::AtAws }))
    }

    /// Rules of others that mute it now.
    async fn others(&self, alarm: &Alarm) -> Result<Vec<MuteRule>, OperationError> {
        let names = self.cloud.alarms.active_mutes(&alarm.name).await.map_err(|error| unknown(error, self.cloud))?;
        let own = own_rule(&alarm.name);
        let mut others = Vec::new();
        for name in names.into_iter().filter(|name| *name != own) {
            others.extend(self.cloud.alarms.mute_rule(&name).await?);
        }
        Ok(others)
    }

    fn warn(&self, alarms: &[Alarm], plan: &mut Plan) {
        let is_given = |name: &str| alarms.iter().any(|alarm| alarm.name == name);
        for alarm in alarms {
            let name = &alarm.name;
            match (alarm.state, self.minutes) {
                (AlarmState::Alarm, Some(_)) => {
                    let since = alarm.since.map(|at| format!(" for {}", within(self.now.duration_since(at))));
                    plan.warn(format!(
                        "{name} is in ALARM{}: the actions that it took then are not taken back",
                        since.unwrap_or_default()
                    ));
                }
                (AlarmState::Alarm, None) => plan.warn(format!("{name} is in ALARM: its actions are taken at once")),
                (AlarmState::Ok | AlarmState::InsufficientData, _) => {}
            }
            if self.minutes.is_none() {
                continue;
            }
            if alarm.scales_only {
                plan.warn(format!(
                    "{name} has no other actions than scaling policies: while it is muted, they do not scale"
                ));
            }
            if let Watches::Rule { rule } = &alarm.watches {
                let children = alarms_in(rule.as_str());
                let open: Vec<&String> = children.iter().filter(|child| !is_given(child)).collect();
                if !open.is_empty() {
                    let open = some_of(open.iter().map(|child| child.as_str()), NAMED_MAX);
                    plan.warn(format!(
                        "only {name}'s own actions are muted: {open}, which it watches, still take theirs"
                    ));
                }
            }
            let watches = |other: &&Alarm| match &other.watches {
                Watches::Rule { rule } => alarms_in(rule.as_str()).contains(name),
                Watches::Metric { .. } => false,
            };
            for parent in self.all.iter().filter(watches).filter(|parent| !is_given(&parent.name)) {
                plan.warn(format!("{}, which watches {name}, still takes its actions", parent.name));
            }
        }
    }

    fn calls(&self, count: u64, plan: &mut Plan) {
        match self.minutes {
            Some(_) => {
                plan.change("CloudWatch takes none of their actions: no notification, and no scaling or restart that they start");
                plan.change("the mute ends at AWS by itself; an alarm that is in ALARM then takes its actions");
                plan.call("cloudwatch:PutAlarmMuteRule", None, count);
                plan.call("cloudwatch:GetAlarmMuteRule", None, count * LOOKS);
            }
            None => {
                plan.change("CloudWatch takes their actions again");
                plan.call("cloudwatch:DeleteAlarmMuteRule", None, count);
                plan.call("cloudwatch:GetAlarmMuteRule", None, count * 2);
            }
        }
    }
}

fn muted(rules: &[MuteRule]) -> String {
    let words = |rule: &MuteRule| {
        let until = rule
            .until
            .map_or_else(|| " on a schedule".to_owned(), |until| until.strftime(" until %F %R UTC").to_string());
        format!("mute rule {} mutes it{until}", rule.name)
    };
    rules.iter().map(words).collect::<Vec<_>>().join(", ")
}

/// The line that ends the mute of alarms before its time.
pub(crate) fn ends<'a>(alarms: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = alarms.map(quoted).collect();
    format!("alarms unmute {}", names.join(" "))
}

fn unknown(error: CloudError, cloud: &Cloud) -> OperationError {
    if !are_unknown(&error) {
        return error.into();
    }
    let region = &cloud.environment().region;
    OperationError::usage(
        &format!("CloudWatch in {region} does not know alarm mute rules"),
        Try::UseOther.says("mute the alarms where they are configured; opsctl disables no actions, for nothing at AWS would enable them again"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mute_begins_with_the_next_full_minute() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        assert_eq!(begins(at("2026-11-21T03:00:00Z")), at("2026-11-21T03:00:00Z"));
        assert_eq!(begins(at("2026-11-21T03:00:00.001Z")), at("2026-11-21T03:01:00Z"));
        assert_eq!(begins(at("2026-11-21T03:00:59Z")), at("2026-11-21T03:01:00Z"));
    }
}
