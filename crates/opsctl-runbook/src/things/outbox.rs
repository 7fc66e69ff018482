//! An outbox as conditions see it.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::look::Looking;
use crate::{
    domain::{self, Backlog, Relay, RowCount, RowState, ServiceId, Text},
    observe::{
        Part, Relaying, SeenService,
        parts::outboxes::{look_at, relay},
    },
};

#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Outbox {
    /// Its name in the configuration
    #[schemars(with = "String")]
    pub name: Text,
    /// Rows that still have to be published: stuck, ready, scheduled and in progress
    pub pending: Option<u64>,
    /// Rows that the relay has given up on
    pub failed: Option<u64>,
    /// Rows that a relay claimed and did not finish in time
    pub stuck: Option<u64>,
    /// Rows that the relay takes at its next look
    pub ready: Option<u64>,
    /// Rows that are not due yet
    pub scheduled: Option<u64>,
    /// Rows that a relay is working on
    pub in_progress: Option<u64>,
    /// Rows that were set aside
    pub held: Option<u64>,
    /// Rows that were never published and are too old
    pub expired: Option<u64>,
    /// Rows that were published and are still there
    pub published: Option<u64>,
    /// Rows that no rule of the mapping fits
    pub unaccounted: Option<u64>,
    /// Age of the oldest ready row; 0 where none is ready
    pub oldest_ready_seconds: Option<i64>,
    /// Rows published a minute, over the last five minutes
    pub published_per_minute: Option<f64>,
    /// Whether the relay can run; unknown where nobody can tell
    pub is_relay_awake: Option<bool>,
    /// How the relay stands, in words
    #[schemars(with = "String")]
    pub relay: Text,
}

pub(super) async fn see(looking: &Looking<'_>) -> Result<Outbox, Text> {
    let cloud = looking.cloud;
    let environment = cloud.environment();
    let outbox = environment.databases.outbox(looking.name).ok_or_else(|| {
        Text::line(&format!("there is no outbox {} in the configuration of {}", looking.name, environment.name))
    })?;
    let (mut seen, services) = tokio::join!(look_at(cloud, vec![outbox.clone()], Vec::new()), service(looking, outbox));
    let seen = seen.pop().ok_or_else(|| Text::from("it was not looked at"))?;
    if let Some(trouble) = &seen.trouble {
        looking.lack(&trouble.words());
    }
    let relaying = relay(outbox, &seen, &services);
    let mut shown = seen.backlog.as_ref().map(|backlog| counted(looking, backlog)).unwrap_or_default();
    shown.name = Text::line(&outbox.name);
    shown.relay = Text::line(relaying.words());
    shown.is_relay_awake = match relaying {
        Relaying::Awake(_) => Some(true),
        Relaying::Asleep(..) => Some(false),
        Relaying::Unknown(_) => None,
    };
    Ok(shown)
}

fn counted(looking: &Looking<'_>, backlog: &Backlog) -> Outbox {
    let of = |state: RowState| backlog.count(state).and_then(|count| figure(backlog, count));
    if backlog.counts.values().any(|count| matches!(count, RowCount::About(_) | RowCount::Unknown)) {
        looking.lack("some rows are only estimated: no index serves their count");
    }
    if backlog.may_hide {
        looking.lack("row level security may hide rows: a count of zero proves nothing");
    }
    let oldest = match (backlog.oldest_ready, of(RowState::Ready)) {
        (Some(at), _) => Some(looking.age(at)),
        (None, Some(0)) => Some(0),
        (None, _) => None,
    };
    Outbox {
        pending: figure(backlog, backlog.pending()),
        failed: of(RowState::Failed),
        stuck: of(RowState::Stuck),
        ready: of(RowState::Ready),
        scheduled: of(RowState::Scheduled),
        in_progress: of(RowState::InProgress),
        held: of(RowState::Held),
        expired: of(RowState::Expired),
        published: of(RowState::Published),
        unaccounted: of(RowState::Unaccounted),
        oldest_ready_seconds: oldest,
        published_per_minute: backlog.rate(),
        ..Outbox::default()
    }
}

/// What a condition may rest on: an estimate is none, and no zero where rows may be hidden. More than a number counts as that number,
/// the least there can be.
fn figure(backlog: &Backlog, count: RowCount) -> Option<u64> {
    match count {
        RowCount::Exactly(0) if backlog.may_hide => None,
        RowCount::Exactly(rows) | RowCount::MoreThan(rows) => Some(rows),
        RowCount::About(_) | RowCount::Unknown => None,
    }
}

/// The relay's service, where one is configured and is asked about.
async fn service(looking: &Looking<'_>, outbox: &domain::Outbox) -> Part<SeenService> {
    let Relay::Service(name) = &outbox.relay else { return Part::default() };
    if !looking.asks_any(&["is_relay_awake", "relay"]) {
        return Part::default();
    }
    let ecs = &looking.cloud.ecs;
    let found = match ServiceId::parse(name) {
        Some(id) => ecs.service(&id).await.map(|service| vec![service]),
        None => ecs.all().await.map(|found| found.found),
    };
    match looking.known("the relay's service is", found) {
        Some(services) => Part {
            at: Some(looking.now),
            rows: services.into_iter().map(SeenService::of).map(Arc::new).collect(),
            ..Part::default()
        },
        None => Part::default(),
    }
}
