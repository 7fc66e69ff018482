//! A database as conditions see it: what RDS says and what CloudWatch measured. Nothing connects to it, so that one that has paused
//! stays so; whether it takes a write is for the check after a failover, not for a condition.

use schemars::JsonSchema;
use serde::Serialize;

use super::look::{Looking, of};
use crate::{
    cloud::metrics::{
        AURORA_REPLICA_LAG, DATABASE_CONNECTIONS, DATABASE_CPU, DATABASE_FREE_STORAGE, Gauges, REPLICA_LAG, Series,
    },
    databases::{self, Capacity},
    domain::{self, Member, Text, Topology},
};

/// How far back its last event is looked for, in minutes.
const EVENT_MINUTES: u32 = 24 * 60;

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Database {
    /// Its name
    #[schemars(with = "String")]
    pub name: Text,
    /// RDS's word: `available`, `failing-over`, ... A cluster that has paused is `available`, too
    #[schemars(with = "String")]
    pub status: Text,
    /// Whether it and all its instances are `available`
    pub is_available: bool,
    /// `Aurora cluster`, `Multi-AZ DB cluster`, `Multi-AZ instance` or `single instance`
    pub topology: String,
    /// What it is a read replica of; null where it is none
    #[schemars(with = "Option<String>")]
    pub replica_of: Option<Text>,
    /// The instance that writes; unknown where RDS names none, and of a read replica
    #[schemars(with = "Option<String>")]
    pub writer: Option<Text>,
    /// Where the writer is; of a Multi-AZ instance it may lag by minutes after a failover
    #[schemars(with = "Option<String>")]
    pub writer_zone: Option<Text>,
    /// Its instances that do not write, the first to be promoted first
    pub readers: Vec<Reader>,
    /// Whether it has paused: the next connection wakes it
    pub is_paused: Option<bool>,
    /// Aurora capacity units in use; unknown where it is not serverless
    pub capacity_units: Option<f64>,
    /// Connections to the writer, minutes late
    pub connections: Option<f64>,
    /// Percent of the writer's CPU, minutes late
    pub cpu_percent: Option<f64>,
    /// Bytes of the writer's free storage; Aurora has no such figure
    pub free_storage_bytes: Option<f64>,
    /// Seconds that the slowest reader lies behind, minutes late; unknown while replication does not run
    pub lag_seconds: Option<f64>,
    /// What happened to it or to one of its instances last, within a day
    pub last_event: Option<Happened>,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Reader {
    /// Its name
    #[schemars(with = "String")]
    pub name: Text,
    /// RDS's word
    #[schemars(with = "Option<String>")]
    pub status: Option<Text>,
    /// Its availability zone
    #[schemars(with = "Option<String>")]
    pub zone: Option<Text>,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Happened {
    /// What RDS says
    #[schemars(with = "String")]
    pub text: Text,
    /// Seconds since then
    pub age_seconds: i64,
}

pub(super) async fn see(looking: &Looking<'_>) -> Result<Database, Text> {
    let cloud = looking.cloud;
    let found = cloud.rds.database(looking.name).await.map_err(|error| of(&error))?;
    let name = &cloud.environment().name;
    let database = found.ok_or_else(|| Text::line(&format!("there is no database {} in {name}", looking.name)))?;
    let (last_event, capacity, gauges) =
        tokio::join!(last_event(looking, &database), capacity(looking, &database), gauges(looking, &database));
    let writer = database.writer();
    let of_writer = |series: &Series| Some(gauges.get(series, &database.primary()?.name)?.value);
    let text = |text: &str| Text::line(text);
    Ok(Database {
        name: text(&database.name),
        status: database.status.clone(),
        is_available: database.is_available(),
        topology: database.topology.words().to_owned(),
        replica_of: database.source.as_ref().map(|source| source.name.clone()),
        writer: writer.map(|writer| text(&writer.name)),
        writer_zone: writer.and_then(|writer| writer.zone.clone()),
        readers: database
            .readers()
            .map(|reader| Reader { name: text(&reader.name), status: reader.status.clone(), zone: reader.zone.clone() })
            .collect(),
        is_paused: match capacity {
            Capacity::None => Some(false),
            Capacity::Unknown => database.limits.filter(|limits| limits.minimum > 0.0).map(|_| false),
            Capacity::Paused { .. } => Some(true),
            Capacity::Units { .. } => Some(false),
        },
        capacity_units: match capacity {
            Capacity::Units { units, .. } => Some(units),
            Capacity::Paused { .. } => Some(0.0),
            Capacity::None | Capacity::Unknown => None,
        },
        connections: of_writer(&DATABASE_CONNECTIONS),
        cpu_percent: of_writer(&DATABASE_CPU),
        free_storage_bytes: of_writer(&DATABASE_FREE_STORAGE),
        lag_seconds: lag(&database, &gauges),
        last_event,
    })
}

async fn last_event(looking: &Looking<'_>, database: &domain::Database) -> Option<Happened> {
    if !looking.asks("last_event") {
        return None;
    }
    let events = looking.known("its events are", looking.cloud.rds.events(None, EVENT_MINUTES).await)?;
    let last = databases::events_of(&events, database).last()?;
    Some(Happened { text: Text::line(last.message.as_str()), age_seconds: looking.age(last.at) })
}

async fn capacity(looking: &Looking<'_>, database: &domain::Database) -> Capacity {
    if database.limits.is_none() {
        return Capacity::None;
    }
    if !looking.asks_any(&["is_paused", "capacity_units"]) {
        return Capacity::Unknown;
    }
    let capacity = databases::capacity(looking.cloud, database).await;
    if capacity == Capacity::Unknown {
        looking.lack("CloudWatch does not tell its capacity in use");
    }
    capacity
}

async fn gauges(looking: &Looking<'_>, database: &domain::Database) -> Gauges {
    let metrics = &looking.cloud.metrics;
    let of_writer = [
        ("connections", DATABASE_CONNECTIONS),
        ("cpu_percent", DATABASE_CPU),
        ("free_storage_bytes", DATABASE_FREE_STORAGE),
    ];
    let is_aurora = database.topology == Topology::Aurora;
    let has_storage = |field: &str| field != "free_storage_bytes" || !is_aurora;
    let wanted = of_writer.into_iter().filter(|(field, _)| looking.asks(field) && has_storage(field));
    let wanted: Vec<Series> = wanted.map(|(_, series)| series).collect();
    let mut gauges = Gauges::default();
    if let Some(writer) = database.primary().filter(|_| !wanted.is_empty()) {
        let answer = metrics.gauges_named(&wanted, &[&writer.name]).await;
        gauges.merge(looking.known("its metrics are", answer).unwrap_or_default());
    }
    let readers: Vec<&str> = database.readers().map(|reader: &Member| reader.name.as_str()).collect();
    if looking.asks("lag_seconds") && !readers.is_empty() {
        let series = if is_aurora { AURORA_REPLICA_LAG } else { REPLICA_LAG };
        let answer = metrics.gauges_named(&[series], &readers).await;
        gauges.merge(looking.known("replica lag is", answer).unwrap_or_default());
    }
    gauges
}

/// Of the slowest reader; none where one of them has no sample, or does not replicate.
fn lag(database: &domain::Database, gauges: &Gauges) -> Option<f64> {
    let lags = database.readers().map(|reader| {
        let aurora = gauges.get(&AURORA_REPLICA_LAG, &reader.name).map(|gauge| gauge.value / 1_000.0);
        aurora.or_else(|| gauges.get(&REPLICA_LAG, &reader.name).map(|gauge| gauge.value)).filter(|lag| *lag >= 0.0)
    });
    let lags: Option<Vec<f64>> = lags.collect();
    lags?.into_iter().reduce(f64::max)
}
