//! Databases, by Describe calls only, and what they use, by metrics only: neither wakes one that has paused.

mod metrics;
mod verdict;

use std::{cmp::Ordering, collections::BTreeMap, time::Duration};

use jiff::Timestamp;

pub(super) use verdict::judge;

use super::{Found, Look, PartName, Spec};
use crate::{
    databases::{self, Capacity},
    domain::DatabaseGauges,
    observe::{
        estate::{Row, replace, settle},
        register::Register,
        verdict::SAMPLE_OLD,
    },
};

pub(super) const DATABASES: Spec = Spec::listing(PartName::Databases, 15, |_, asking| {
    let (cloud, event_minutes) = (asking.cloud.clone(), asking.event_minutes);
    Some(Box::pin(async move {
        let look = databases::look(&cloud, event_minutes).await?;
        Ok(Found::then(&[Look::DatabaseGauges], move |register, at| register.databases(at, look)))
    }))
});

pub(super) const GAUGES: Spec = Spec::more(PartName::Databases, ("what databases use", "is"), |register, asking| {
    let mut wanted = register.database_metrics_wanted(asking.at, asking.now, asking.metrics_max);
    if asking.without_instances {
        wanted.leave_instances();
    }
    let cloud = asking.cloud.clone();
    (!wanted.is_empty()).then(|| -> super::Question { Box::pin(async move { wanted.ask(&cloud).await }) })
});

#[derive(Debug, Clone, PartialEq)]
pub struct SeenDatabase {
    /// What RDS says, what it uses, what happened to it last.
    pub seen: databases::Seen,
    /// Metrics of its instances, by their names. What has none is absent.
    pub gauges: BTreeMap<String, DatabaseGauges>,
}

/// When metrics of databases were last asked for, by name.
#[derive(Debug, Default)]
pub(in crate::observe) struct Memory {
    metrics_at: BTreeMap<String, Duration>,
}

impl From<databases::Seen> for SeenDatabase {
    fn from(seen: databases::Seen) -> Self {
        Self { seen, gauges: BTreeMap::new() }
    }
}

impl Row for SeenDatabase {
    type Kept = databases::Seen;

    fn order(&self, other: &Self) -> Ordering {
        self.seen.database.name.cmp(&other.seen.database.name)
    }

    fn keep(&self) -> databases::Seen {
        self.seen.clone()
    }

    fn names(&self) -> Vec<&str> {
        let database = &self.seen.database;
        let members = database.members.iter().map(|member| member.name.as_str());
        members.chain([database.name.as_str(), database.arn.as_str()]).collect()
    }
}

impl Register {
    /// Databases came, without metrics.
    pub(in crate::observe) fn databases(&mut self, at: Timestamp, look: databases::Look) {
        let databases::Look { seen, globals, events, unknown } = look;
        let mut rows: Vec<SeenDatabase> = Vec::with_capacity(seen.len());
        for mut seen in seen {
            let before = self.estate.databases.rows.iter().find(|row| row.seen.database.name == seen.database.name);
            if let (Capacity::Unknown, Some(before)) = (seen.capacity, before)
                && before.seen.capacity != Capacity::None
            {
                seen.capacity = still(before.seen.capacity, at);
            }
            let mut gauges = before.map(|before| before.gauges.clone()).unwrap_or_default();
            gauges.retain(|name, _| seen.database.members.iter().any(|member| member.name == *name));
            rows.push(SeenDatabase { seen, gauges });
        }
        let is_new = settle(&mut self.estate.databases, rows)
            | replace(&mut self.estate.globals, globals)
            | replace(&mut self.estate.events, events);
        self.came(Look::Databases, at, is_new);
        self.note_unknown(Look::Databases, unknown);
    }
}

/// Capacity as an earlier sample had it: one that is too old says nothing about now, neither that it has paused.
pub(in crate::observe) fn still(capacity: Capacity, now: Timestamp) -> Capacity {
    match capacity {
        Capacity::Paused { at } | Capacity::Units { at, .. } if now.duration_since(at) >= SAMPLE_OLD => {
            Capacity::Unknown
        }
        Capacity::None | Capacity::Unknown | Capacity::Paused { .. } | Capacity::Units { .. } => capacity,
    }
}
