//! Whether anybody publishes an outbox's rows.

use jiff::{SignedDuration, Timestamp};

use crate::{
    cloud::Cloud,
    domain::{
        Environment, Outbox, Relay, SeenLock, SeenOutbox, Service, ServiceId, TableName, Text,
        invocation::{option, quoted},
        words::span,
    },
    observe::{Part, SeenService},
};

/// How an outbox's relay stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relaying {
    /// Nobody knows: why, in words.
    Unknown(String),
    /// It can run: in words.
    Awake(String),
    /// It does not run: in words, and what would wake it.
    Asleep(String, Waking),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waking {
    Service(ServiceId),
    Rule(String),
    /// A function's reserved concurrency.
    Concurrency(String),
    /// Nothing that opsctl does.
    Other,
}

impl Waking {
    /// The command line that wakes the relay; none: opsctl has none.
    pub fn command(&self, environment: &Environment) -> Option<String> {
        let words = match self {
            Self::Service(service) => format!("wake {}", option("service", &service.to_string())),
            Self::Rule(rule) => format!("rule enable {}", quoted(rule)),
            Self::Concurrency(function) => format!("concurrency restore {}", quoted(function)),
            Self::Other => return None,
        };
        Some(Text::line(&environment.command(&words)).to_string())
    }
}

impl Relaying {
    /// The command line that wakes it; none: it is not asleep, or opsctl has none.
    pub fn wakes(&self, environment: &Environment) -> Option<String> {
        match self {
            Self::Asleep(_, waking) => waking.command(environment),
            Self::Awake(_) | Self::Unknown(_) => None,
        }
    }

    pub fn words(&self) -> &str {
        let (Self::Unknown(words) | Self::Awake(words) | Self::Asleep(words, _)) = self;
        words
    }

    /// As scripts read it.
    pub fn state(&self) -> &'static str {
        match self {
            Self::Awake(_) => "awake",
            Self::Asleep(..) => "asleep",
            Self::Unknown(_) => "unknown",
        }
    }

    pub fn is_asleep(&self) -> bool {
        match self {
            Self::Asleep(..) => true,
            Self::Unknown(_) | Self::Awake(_) => false,
        }
    }
}

/// How the relay of an outbox stands, as far as was seen.
pub fn relay(outbox: &Outbox, seen: &SeenOutbox, services: &Part<SeenService>) -> Relaying {
    stands(outbox, seen, services, seen.backlog.as_ref().map(|backlog| backlog.at))
}

/// `looked_at`: when its table was looked at.
fn stands(outbox: &Outbox, seen: &SeenOutbox, services: &Part<SeenService>, looked_at: Option<Timestamp>) -> Relaying {
    match &outbox.relay {
        Relay::Unknown => Relaying::Unknown("no relay is configured".to_owned()),
        Relay::Nobody => {
            Relaying::Unknown("no process polls the table: the application resubmits by itself".to_owned())
        }
        Relay::Service(name) => of_service(name, services),
        Relay::Function { function, .. } => of_function(function, seen),
        Relay::Lock(lock) => of_lock(&lock.table, outbox, seen.lock.as_ref().zip(looked_at)),
    }
}

/// The same, asked now. `lock` is what [`crate::outboxes::look::lock`] has told.
pub async fn relaying_now(cloud: &Cloud, outbox: &Outbox, lock: Option<SeenLock>) -> Relaying {
    let seen = SeenOutbox {
        name: outbox.name.clone(),
        what: Text::default(),
        connection: outbox.connection.clone(),
        backlog: None,
        trouble: None,
        function: super::function(cloud, outbox).await,
        lock,
    };
    let mut services: Part<SeenService> = Part::default();
    if let Relay::Service(name) = &outbox.relay {
        let fits = |service: &Service| service.id.to_string() == *name || service.id.name.0 == *name;
        match cloud.ecs.all().await {
            Ok(all) => {
                services.at = Some(cloud.clock().now());
                let found = all.found.into_iter().filter(fits);
                services.rows = found.map(|service| SeenService::of(service).into()).collect();
            }
            Err(error) => return Relaying::Unknown(format!("service {}: {error}", Text::line(name))),
        }
    }
    stands(outbox, &seen, &services, Some(cloud.clock().now()))
}

fn of_service(name: &str, services: &Part<SeenService>) -> Relaying {
    let fits = |id: &ServiceId| id.to_string() == name || id.name.0 == name;
    let mut found = services.rows.iter().filter(|seen| fits(&seen.service.id));
    let shown = Text::line(name);
    match (found.next(), found.next()) {
        (Some(seen), None) => {
            let Service { id, desired, running, .. } = &seen.service;
            match (desired, running) {
                (0, _) => Relaying::Asleep(format!("service {shown} is scaled to zero"), Waking::Service(id.clone())),
                (desired, 0) => {
                    Relaying::Asleep(format!("service {shown} runs none of {desired} tasks"), Waking::Other)
                }
                (desired, running) => Relaying::Awake(format!("service {shown}: {running} of {desired} tasks run")),
            }
        }
        (Some(_), Some(_)) => Relaying::Unknown(format!("several services are named {shown}")),
        (None, _) if services.is_known() => Relaying::Unknown(format!("there is no service {shown}")),
        (None, _) => Relaying::Unknown(format!("service {shown} was not seen yet")),
    }
}

/// A lock that is let go between two rounds has run out a moment ago: only an old one tells that nobody works.
fn of_lock(table: &TableName, outbox: &Outbox, seen: Option<(&SeenLock, Timestamp)>) -> Relaying {
    let table = Text::line(&table.to_string());
    let Some((lock, at)) = seen else { return Relaying::Unknown(format!("the lock in {table} was not seen yet")) };
    match lock {
        SeenLock::Taken { until, owner } => {
            let over = at.duration_since(*until);
            let by = owner.as_ref().map(|owner| format!(" by {owner}")).unwrap_or_default();
            if over <= SignedDuration::ZERO {
                return Relaying::Awake(format!("the lock in {table} is held{by}"));
            }
            let words = format!("the lock in {table} ran out {} ago, last held{by}", span(over));
            let old = SignedDuration::from_secs(i64::try_from(outbox.lag_seconds).unwrap_or(i64::MAX));
            if over > old { Relaying::Asleep(words, Waking::Other) } else { Relaying::Awake(words) }
        }
        SeenLock::Free => Relaying::Unknown(format!("nobody holds a lock in {table}")),
        SeenLock::Unknown(words) => Relaying::Unknown(format!("the lock in {table} can't be read: {words}")),
    }
}

fn of_function(name: &str, seen: &SeenOutbox) -> Relaying {
    let shown = Text::line(name);
    let Some(function) = &seen.function else { return Relaying::Unknown(format!("function {shown} was not seen yet")) };
    if function.concurrency == Some(0) {
        let words = format!("function {shown} is throttled: its reserved concurrency is 0");
        return Relaying::Asleep(words, Waking::Concurrency(name.to_owned()));
    }
    match (&function.rule, &function.unknown) {
        (Some((rule, false)), _) => Relaying::Asleep(
            format!("rule {} is disabled: it starts {shown}", Text::line(rule)),
            Waking::Rule(rule.clone()),
        ),
        (_, Some(unknown)) => Relaying::Unknown(format!("function {shown}: {unknown}")),
        (Some((rule, true)), None) => {
            Relaying::Awake(format!("function {shown}, started by rule {}", Text::line(rule)))
        }
        (None, None) => Relaying::Awake(format!("function {shown} is not throttled")),
    }
}
