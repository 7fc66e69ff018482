//! The parts of an environment beside its queues, each in a file of its own: what it asks and how often, how answers are merged, what
//! of it is kept on disk, its verdicts. This is the list of them; schedule, register, cache and verdicts go by it.

pub mod alarms;
pub mod databases;
pub mod lags;
pub mod mappings;
pub mod outboxes;
pub mod services;
mod spec;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::{databases::SeenDatabase, services::SeenService};
pub(super) use spec::{Asking, Begins, Found, Next, Question, Spec};

use super::{
    estate::{Known, Part, Watched},
    verdict::{Scene, Verdict},
};
use crate::{
    cloud::ecs::Missing,
    domain::{Alarm, DatabaseEvent, GlobalCluster, KafkaLag, Mapping, SeenOutbox},
};

/// What there is of an environment beside its queues. Cheap to clone: parts that did not change are shared.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Estate {
    /// By ECS cluster and name.
    pub services: Part<SeenService>,
    pub databases: Part<SeenDatabase>,
    pub alarms: Part<Alarm>,
    pub mappings: Part<Mapping>,
    /// By MSK cluster, group and topic.
    pub lags: Part<KafkaLag>,
    /// By name.
    pub outboxes: Part<SeenOutbox>,
    pub missing: Arc<[Missing]>,
    /// Global clusters with a member in the region, by name.
    pub globals: Arc<[GlobalCluster]>,
    /// What happened to databases lately, the oldest first.
    pub events: Arc<[DatabaseEvent]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartName {
    Services,
    Databases,
    Alarms,
    Mappings,
    Lags,
    Outboxes,
}

/// A look at a part, or at something more about its rows. Each is a lane of its own in the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Look {
    Services,
    Scaling,
    /// Tasks that stopped, of the few services where that matters.
    Stopped,
    ServiceGauges,
    Databases,
    DatabaseGauges,
    Alarms,
    /// Rules that mute alarms now.
    Mutes,
    Mappings,
    Lags,
    Outboxes,
}

impl Look {
    pub const ALL: [Self; 11] = [
        Self::Services,
        Self::Scaling,
        Self::Stopped,
        Self::ServiceGauges,
        Self::Databases,
        Self::DatabaseGauges,
        Self::Alarms,
        Self::Mutes,
        Self::Mappings,
        Self::Lags,
        Self::Outboxes,
    ];

    pub(super) fn spec(self) -> &'static Spec {
        match self {
            Self::Services => &services::SERVICES,
            Self::Scaling => &services::SCALING,
            Self::Stopped => &services::STOPPED,
            Self::ServiceGauges => &services::GAUGES,
            Self::Databases => &databases::DATABASES,
            Self::DatabaseGauges => &databases::GAUGES,
            Self::Alarms => &alarms::ALARMS,
            Self::Mutes => &alarms::MUTES,
            Self::Mappings => &mappings::MAPPINGS,
            Self::Lags => &lags::LAGS,
            Self::Outboxes => &outboxes::OUTBOXES,
        }
    }

    pub fn part(self) -> PartName {
        self.spec().part
    }
}

/// What says what is wrong with each part. Alarms come last: they are told beside what the others say.
pub(super) const JUDGES: [fn(&Scene<'_>, &mut Vec<Verdict>); 6] =
    [services::judge, databases::judge, mappings::judge, lags::judge, outboxes::judge, alarms::judge];

#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) services: services::Memory,
    pub(super) databases: databases::Memory,
    pub(super) lags: lags::Memory,
    pub(super) alarms: alarms::Memory,
}

impl PartName {
    pub const ALL: [Self; 6] =
        [Self::Services, Self::Databases, Self::Alarms, Self::Mappings, Self::Lags, Self::Outboxes];

    /// In words, several of them.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Services => "services",
            Self::Databases => "databases",
            Self::Alarms => "alarms",
            Self::Mappings => "event source mappings",
            Self::Lags => "Kafka lags",
            Self::Outboxes => "outboxes",
        }
    }
}

impl Estate {
    pub(super) fn part(&self, name: PartName) -> &dyn Watched {
        match name {
            PartName::Services => &self.services,
            PartName::Databases => &self.databases,
            PartName::Alarms => &self.alarms,
            PartName::Mappings => &self.mappings,
            PartName::Lags => &self.lags,
            PartName::Outboxes => &self.outboxes,
        }
    }

    pub(super) fn part_mut(&mut self, name: PartName) -> &mut dyn Watched {
        match name {
            PartName::Services => &mut self.services,
            PartName::Databases => &mut self.databases,
            PartName::Alarms => &mut self.alarms,
            PartName::Mappings => &mut self.mappings,
            PartName::Lags => &mut self.lags,
            PartName::Outboxes => &mut self.outboxes,
        }
    }

    /// Takes what an earlier session saw of parts of which nothing was seen yet; answers which.
    pub(super) fn take_earlier(&mut self, earlier: Self) -> Vec<PartName> {
        let Self { services, databases, alarms, mappings, lags, outboxes, .. } = earlier;
        let taken = [
            (PartName::Services, self.services.take_earlier(services)),
            (PartName::Databases, self.databases.take_earlier(databases)),
            (PartName::Alarms, self.alarms.take_earlier(alarms)),
            (PartName::Mappings, self.mappings.take_earlier(mappings)),
            (PartName::Lags, self.lags.take_earlier(lags)),
            (PartName::Outboxes, self.outboxes.take_earlier(outboxes)),
        ];
        taken.into_iter().filter_map(|(name, is_taken)| is_taken.then_some(name)).collect()
    }

    /// How each part stands, in the order of [`PartName::ALL`].
    pub fn known(&self) -> impl Iterator<Item = (PartName, Known<'_>)> {
        PartName::ALL.into_iter().map(|name| (name, self.part(name).known()))
    }
}
