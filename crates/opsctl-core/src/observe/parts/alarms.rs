//! CloudWatch alarms, composite ones included.

mod rule;
mod verdict;

use std::cmp::Ordering;

use jiff::Timestamp;

pub(crate) use rule::alarms_in;
pub(super) use verdict::judge;

use super::{Found, Look, PartName, Spec};
use crate::{
    domain::{Alarm, Text},
    observe::{
        estate::{Row, settle},
        register::Register,
    },
};

pub(super) const ALARMS: Spec = Spec::listing(PartName::Alarms, 30, |_, asking| {
    let cloud = asking.cloud.clone();
    Some(Box::pin(async move {
        let alarms = cloud.alarms.all().await?;
        Ok(Found::put(move |register, at| register.alarms(at, alarms.list, alarms.incomplete)))
    }))
});

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
        let is_new = settle(&mut self.estate.alarms, alarms);
        self.came(Look::Alarms, at, is_new);
        self.note_unknown(Look::Alarms, incomplete.into_iter().collect());
    }
}
