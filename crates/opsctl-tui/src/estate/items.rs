//! What a list is of: services, databases, alarms, consumers; one thing of it, whatever it is.

use super::{
    alarms,
    columns::Listed,
    consumers, databases,
    rows::{At, Order},
    services,
};
use crate::{
    domain::{
        Environment, Text,
        alarm::{Alarm, AlarmState},
        consumer::{KafkaLag, Mapping, MappingState},
        service::Standing,
    },
    keymap::{Command, Scope},
    model::{Model, Site},
    observe::{Estate, Part, PartName, SeenDatabase, SeenService, Subject},
};

/// What a list is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// ECS services.
    Services,
    /// Databases.
    Databases,
    /// CloudWatch alarms.
    Alarms,
    /// Lambda event source mappings, and groups that read Kafka.
    Consumers,
}

/// One thing of it.
#[derive(Debug, Clone, Copy)]
pub enum Item<'a> {
    /// A service.
    Service(&'a SeenService),
    /// A database.
    Database(&'a SeenDatabase),
    /// An alarm.
    Alarm(&'a Alarm),
    /// A Lambda event source mapping.
    Mapping(&'a Mapping),
    /// A group that reads Kafka.
    Lag(&'a KafkaLag),
}

impl Topic {
    /// Every topic.
    pub const ALL: [Self; 4] = [Self::Services, Self::Databases, Self::Alarms, Self::Consumers];

    /// Where its keys are meant.
    pub fn scope(self) -> Scope {
        match self {
            Self::Services => Scope::Services,
            Self::Databases => Scope::Databases,
            Self::Alarms => Scope::Alarms,
            Self::Consumers => Scope::Consumers,
        }
    }

    /// The parts of what is watched that it shows.
    pub(crate) fn parts(self) -> &'static [PartName] {
        match self {
            Self::Services => &[PartName::Services],
            Self::Databases => &[PartName::Databases],
            Self::Alarms => &[PartName::Alarms],
            Self::Consumers => &[PartName::Mappings, PartName::Lags],
        }
    }

    /// The command that opens its view.
    pub fn command(self) -> Command {
        match self {
            Self::Services => Command::Services,
            Self::Databases => Command::Databases,
            Self::Alarms => Command::Alarms,
            Self::Consumers => Command::Consumers,
        }
    }

    /// One of it, and many.
    pub fn nouns(self) -> [&'static str; 2] {
        match self {
            Self::Services => ["service", "services"],
            Self::Databases => ["database", "databases"],
            Self::Alarms => ["alarm", "alarms"],
            Self::Consumers => ["consumer", "consumers"],
        }
    }

    /// So many, in words.
    pub fn counted(self, number: usize) -> String {
        let [one, many] = self.nouns();
        format!("{} {}", crate::observe::words::thousands(number as u64), if number == 1 { one } else { many })
    }

    /// What is said of those that stand as they shall not.
    pub(super) fn unwell(self) -> &'static str {
        match self {
            Self::Services => "failing or below desired",
            Self::Databases => "not available",
            Self::Alarms => "in alarm",
            Self::Consumers => "with a problem",
        }
    }

    /// What is said of those that do nothing, on purpose or for lack of data.
    pub(super) fn resting(self) -> &'static str {
        match self {
            Self::Services => "asleep",
            Self::Databases | Self::Consumers => "paused",
            Self::Alarms => "without data",
        }
    }

    /// The columns of its list; the first is what needs somebody, then environment and name.
    pub(super) fn columns(self) -> Vec<Listed> {
        match self {
            Self::Services => services::columns(),
            Self::Databases => databases::columns(),
            Self::Alarms => alarms::columns(),
            Self::Consumers => consumers::columns(),
        }
    }

    /// What a thing is sorted by in a column; none: not known.
    pub(super) fn order(self, item: Item<'_>, column: usize, site: u16) -> Option<Order> {
        match (column, item) {
            (0, _) => Some(Order::Number(item.rank())),
            (1, _) => Some(Order::Number(i64::from(site))),
            (2, _) => Some(Order::text(&item.name())),
            (_, Item::Service(seen)) => services::order(seen, column),
            (_, Item::Database(seen)) => databases::order(seen, column),
            (_, Item::Alarm(alarm)) => alarms::order(alarm, column),
            (_, Item::Mapping(mapping)) => consumers::order(mapping, column),
            (_, Item::Lag(lag)) => consumers::order_of_lag(lag, column),
        }
    }

    /// What the thing that a verdict is about is known by, where it is of this topic.
    pub fn id_in(self, subject: &Subject) -> Option<String> {
        match (self, subject) {
            (Self::Services, Subject::Service(service)) => Some(service.to_string()),
            (Self::Databases, Subject::Database(name))
            | (Self::Alarms, Subject::Alarm(name))
            | (Self::Consumers, Subject::Consumer(name)) => Some(name.clone()),
            (
                Self::Services | Self::Databases | Self::Alarms | Self::Consumers,
                Subject::Environment
                | Subject::Queues
                | Subject::Parts(_)
                | Subject::Queue(_)
                | Subject::Service(_)
                | Subject::Database(_)
                | Subject::Alarm(_)
                | Subject::Consumer(_),
            ) => None,
        }
    }

    /// The topic that a verdict's subject is of.
    pub fn of(subject: &Subject) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.id_in(subject).is_some())
    }
}

/// How a part of what is seen stands, whatever it is of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    /// What it is of, in words.
    pub(super) what: &'static str,
    pub(super) at: Option<jiff::Timestamp>,
    pub(super) busy: bool,
    pub(super) error: Option<&'a crate::cloud::CloudError>,
    pub(super) unknown: &'a [crate::observe::Unknown],
}

impl<'a> Known<'a> {
    fn of<T>(what: &'static str, part: &'a Part<T>) -> Self {
        Self { what, at: part.at, busy: part.busy, error: part.error.as_ref(), unknown: &part.unknown }
    }
}

/// The parts of what is seen that a topic is about.
pub(super) fn known(estate: &Estate, topic: Topic) -> Vec<Known<'_>> {
    match topic {
        Topic::Services => vec![Known::of("services", &estate.services)],
        Topic::Databases => vec![Known::of("databases", &estate.databases)],
        Topic::Alarms => vec![Known::of("alarms", &estate.alarms)],
        Topic::Consumers => {
            vec![Known::of("Lambda consumers", &estate.mappings), Known::of("Kafka groups", &estate.lags)]
        }
    }
}

/// All things of a topic in an environment, as far as they were seen.
pub(super) fn items(site: &Site, topic: Topic) -> Box<dyn Iterator<Item = Item<'_>> + '_> {
    let Some(estate) = site.snapshot.as_ref().map(|snapshot| &snapshot.estate) else {
        return Box::new(std::iter::empty());
    };
    match topic {
        Topic::Services => Box::new(estate.services.rows.iter().map(|seen| Item::Service(seen))),
        Topic::Databases => Box::new(estate.databases.rows.iter().map(|seen| Item::Database(seen))),
        Topic::Alarms => Box::new(estate.alarms.rows.iter().map(|alarm| Item::Alarm(alarm))),
        Topic::Consumers => {
            let mappings = estate.mappings.rows.iter().map(|mapping| Item::Mapping(mapping));
            Box::new(mappings.chain(estate.lags.rows.iter().map(|lag| Item::Lag(lag))))
        }
    }
}

/// The thing at a place.
pub(super) fn item(model: &Model, topic: Topic, at: At) -> Option<(&Site, Item<'_>)> {
    let site = model.sites.get(usize::from(at.site))?;
    let estate = &site.snapshot.as_ref()?.estate;
    let row = at.row as usize;
    let item = match topic {
        Topic::Services => Item::Service(estate.services.rows.get(row)?),
        Topic::Databases => Item::Database(estate.databases.rows.get(row)?),
        Topic::Alarms => Item::Alarm(estate.alarms.rows.get(row)?),
        Topic::Consumers => match estate.mappings.rows.get(row) {
            Some(mapping) => Item::Mapping(mapping),
            None => Item::Lag(estate.lags.rows.get(row - estate.mappings.rows.len())?),
        },
    };
    Some((site, item))
}

impl<'a> Item<'a> {
    /// What tells it from all others of its topic and environment.
    pub(super) fn id(self) -> String {
        match self {
            Self::Service(seen) => seen.service.id.to_string(),
            Self::Database(seen) => seen.seen.database.name.clone(),
            Self::Alarm(alarm) => alarm.name.clone(),
            Self::Mapping(mapping) => mapping.id.0.clone(),
            Self::Lag(lag) => format!("{}/{}/{}", lag.cluster, lag.group, lag.topic),
        }
    }

    /// Whether it is known by this.
    pub(super) fn is(self, id: &str) -> bool {
        match self {
            Self::Service(seen) => {
                let service = &seen.service.id;
                let rest = id.strip_prefix(service.cluster.0.as_str()).and_then(|rest| rest.strip_prefix('/'));
                rest == Some(service.name.0.as_str())
            }
            Self::Database(seen) => seen.seen.database.name == id,
            Self::Alarm(alarm) => alarm.name == id,
            Self::Mapping(mapping) => mapping.id.0 == id,
            Self::Lag(_) => self.id() == id,
        }
    }

    /// Whether a verdict that names this is about it.
    pub(super) fn is_meant_by(self, name: &str) -> bool {
        match self {
            Self::Service(_) | Self::Database(_) | Self::Alarm(_) => self.is(name),
            Self::Mapping(mapping) => {
                mapping.function.as_str() == name || mapping.id.0 == name || mapping.function_and_source() == name
            }
            Self::Lag(lag) => lag.group.as_str() == name || self.is(name),
        }
    }

    /// Its name, safe to show.
    pub(super) fn name(self) -> String {
        let name = match self {
            Self::Service(seen) => &seen.service.id.name.0,
            Self::Database(seen) => &seen.seen.database.name,
            Self::Alarm(alarm) => &alarm.name,
            Self::Mapping(mapping) => mapping.function.as_str(),
            Self::Lag(lag) => lag.group.as_str(),
        };
        Text::line(name).to_string()
    }

    /// What else it is found by.
    pub(super) fn searched(self) -> [String; 2] {
        match self {
            Self::Service(seen) => [seen.service.id.to_string(), seen.service.standing().words().to_owned()],
            Self::Database(seen) => {
                [seen.seen.database.status.to_string(), seen.seen.database.topology.words().to_owned()]
            }
            Self::Alarm(alarm) => [alarm.state.words().to_owned(), String::new()],
            Self::Mapping(mapping) => {
                let queue = mapping.queue.as_ref().map_or(mapping.source_arn.as_str(), |queue| queue.as_str());
                [queue.to_owned(), mapping.state.words().to_owned()]
            }
            Self::Lag(lag) => [lag.topic.to_string(), String::new()],
        }
    }

    /// How much it needs somebody by itself: less is worse.
    pub(super) fn rank(self) -> i64 {
        match self {
            Self::Service(seen) => seen.service.standing() as i64,
            Self::Database(seen) => i64::from(seen.seen.database.rank()),
            Self::Alarm(alarm) => alarm.state as i64,
            Self::Mapping(mapping) if consumers::has_problem(mapping) => 0,
            Self::Mapping(mapping) => 1 + mapping.state as i64,
            Self::Lag(_) => 1 + MappingState::Enabled as i64,
        }
    }

    /// Whether it stands as it shall not.
    pub(super) fn is_unwell(self) -> bool {
        match self {
            Self::Service(seen) => matches!(seen.service.standing(), Standing::Failing | Standing::Below),
            Self::Database(seen) => seen.seen.database.rank() < 3,
            Self::Alarm(alarm) => alarm.state == AlarmState::Alarm,
            Self::Mapping(mapping) => consumers::has_problem(mapping),
            Self::Lag(_) => false,
        }
    }

    /// Whether it does nothing: asleep, paused, without data.
    pub(super) fn is_resting(self) -> bool {
        match self {
            Self::Service(seen) => seen.service.standing() == Standing::Asleep,
            Self::Database(seen) => matches!(seen.seen.capacity, crate::databases::Capacity::Paused { .. }),
            Self::Alarm(alarm) => alarm.state == AlarmState::InsufficientData,
            Self::Mapping(mapping) => matches!(mapping.state, MappingState::Disabled | MappingState::Disabling),
            Self::Lag(_) => false,
        }
    }

    /// The group of services that it is in.
    pub(super) fn group(self, environment: &Environment) -> Option<&str> {
        match self {
            Self::Service(seen) => {
                environment.services.groups_of(&seen.service.id).next().map(|group| group.name.as_str())
            }
            Self::Database(_) | Self::Alarm(_) | Self::Mapping(_) | Self::Lag(_) => None,
        }
    }
}
