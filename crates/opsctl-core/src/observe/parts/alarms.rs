//! CloudWatch alarms, composite ones included.

mod rule;
mod verdict;

use std::cmp::Ordering;

use jiff::Timestamp;

pub(crate) use rule::alarms_in;
pub(super) use verdict::judge;

use super::{Found, Look, PartName, Spec};
use crate::{
    cloud::mutes::MuteRule,
    domain::{Alarm, Mute, Text},
    observe::{
        board::Change,
        estate::{Row, settle},
        register::Register,
    },
};

pub(super) const ALARMS: Spec = Spec::listing(PartName::Alarms, 30, |_, asking| {
    let cloud = asking.cloud.clone();
    Some(Box::pin(async move {
        let alarms = cloud.alarms.all().await?;
        let next: &[Look] = if alarms.list.is_empty() { &[] } else { &[Look::Mutes] };
        Ok(Found::then(next, move |register, at| register.alarms(at, alarms.list, alarms.incomplete)))
    }))
});

pub(super) const MUTES: Spec = Spec::more(PartName::Alarms, ("mutes of alarms", "are"), |_, asking| {
    let cloud = asking.cloud.clone();
    Some(Box::pin(async move {
        let rules = cloud.alarms.all_active_mutes().await?;
        Ok(Found::put(move |register, _| register.mutes(rules)))
    }))
});

#[derive(Debug, Default)]
pub(in crate::observe) struct Memory {
    /// Rules that were active when they were asked for last.
    mutes: Vec<MuteRule>,
}

impl Memory {
    /// What mutes an alarm.
    fn of(&self, alarm: &str) -> Vec<Mute> {
        let about = self.mutes.iter().filter(|rule| rule.is_about(alarm));
        let mute =
            |rule: &MuteRule| Mute { rule: Text::line(&rule.name), is_own: rule.is_own(alarm), until: rule.until };
        about.map(mute).collect()
    }
}

impl Row for Alarm {
    type Kept = Self;

    fn order(&self, other: &Self) -> Ordering {
        self.name.cmp(&other.name)
    }

    /// Without the words that people wrote.
    fn keep(&self) -> Self {
        Self { description: None, ..self.clone() }
    }

    fn names(&self) -> Vec<&str> {
        vec![&self.name]
    }
}

impl Register {
    /// Alarms came; `incomplete` says why not all did.
    pub(in crate::observe) fn alarms(&mut self, at: Timestamp, alarms: Vec<Alarm>, incomplete: Option<Text>) {
        let alarms =
            alarms.into_iter().map(|alarm| Alarm { mutes: self.memory.alarms.of(&alarm.name), ..alarm }).collect();
        let is_new = settle(&mut self.estate.alarms, alarms);
        self.came(Look::Alarms, at, is_new);
        self.note_unknown(Look::Alarms, incomplete.into_iter().collect());
    }

    fn mutes(&mut self, mutes: Vec<MuteRule>) {
        self.memory.alarms.mutes = mutes;
        let memory = &self.memory.alarms;
        let has_changed = self.estate.alarms.change(|alarm| {
            let mutes = memory.of(&alarm.name);
            (mutes != alarm.mutes).then(|| Alarm { mutes, ..alarm.clone() })
        });
        if has_changed {
            self.raise(Change::Content);
        }
        self.note_told(Look::Mutes);
    }
}
