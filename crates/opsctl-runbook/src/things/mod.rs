//! What a condition sees: each kind of thing as plain fields, observed anew each time.
//!
//! A field that is not known is null, and [`Observed::errors`] says why. Reads only: no receive, no connection that would wake a
//! database which has paused. What costs a call or a metric of its own is asked only where a condition asks for it.

mod alarm;
mod database;
mod environment;
mod fields;
mod function;
mod group;
mod look;
mod migration;
mod names;
mod outbox;
mod queue;
mod rule;
mod service;

use std::{collections::BTreeMap, time::Duration};

use futures_util::stream::{self, StreamExt as _};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};

pub use alarm::Alarm;
pub use database::{Database, Happened, Reader};
pub use environment::{Environment, Verdict};
pub use fields::{Field, NoField, check, fields, fields_of};
pub use function::{Function, Mapping};
pub use group::{Group, Member};
pub use migration::{Migration, MigrationTask};
pub use names::names;
pub use outbox::Outbox;
pub use queue::{Consumer, Queue, SourceQueue};
pub use rule::Rule;
pub(crate) use service::newest;
pub use service::{Deployment, Event, Service, StoppedTask};

use crate::{
    Kind,
    cloud::Cloud,
    domain::{Text, words::within},
};
use look::Looking;

/// Things that are looked at together.
const AT_ONCE: usize = 8;
/// How long one of them may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A thing to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What conditions call it.
    pub word: String,
    pub kind: Kind,
    /// What AWS or the configuration calls it.
    pub name: String,
    /// The fields that are asked for, as [`crate::messages::Figure::field`] gives them; empty: what comes without further calls.
    pub fields: Vec<String>,
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Observed {
    pub at: Timestamp,
    /// By word; null: it could not be looked at.
    pub things: Map<String, Value>,
    /// Why something of a word is not known.
    pub errors: BTreeMap<String, Text>,
}

/// When something of a thing is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadline {
    pub word: String,
    pub at: Timestamp,
    /// One sentence without a full stop: "the oldest of ~12 messages in orders-dlq expires in 3 h".
    pub text: Text,
}

impl Wanted {
    pub fn new(word: &str, kind: Kind, name: &str) -> Self {
        Self { word: word.to_owned(), kind, name: name.to_owned(), fields: Vec::new() }
    }

    /// The same with what [`deadline`] needs.
    #[must_use]
    pub fn with_deadline(mut self) -> Self {
        if self.kind == Kind::Queue {
            self.fields.push("expires_in_seconds".to_owned());
        }
        self
    }
}

/// Whether there is something to look at in what has this kind; else it is a plain value.
pub fn is_thing(kind: Kind) -> bool {
    match kind {
        Kind::Environment
        | Kind::Queue
        | Kind::Service
        | Kind::Group
        | Kind::Database
        | Kind::Outbox
        | Kind::Alarm
        | Kind::Function
        | Kind::Rule
        | Kind::Migration => true,
        Kind::Number | Kind::Duration | Kind::Choice | Kind::Text | Kind::Link | Kind::Version | Kind::Run => false,
    }
}

/// Looks at what is wanted, all of it at once. What is no thing is left out.
pub async fn observe(cloud: &Cloud, wanted: &[Wanted]) -> Observed {
    let at = cloud.clock().now();
    let looks: Vec<_> =
        wanted.iter().filter(|wanted| is_thing(wanted.kind)).map(|wanted| look_at(cloud, wanted)).collect();
    let seen: Vec<_> = stream::iter(looks).buffered(AT_ONCE).collect().await;
    let mut observed = Observed { at, things: Map::new(), errors: BTreeMap::new() };
    for (word, thing, error) in seen {
        observed.things.insert(word.clone(), thing);
        observed.errors.extend(error.map(|error| (word, error)));
    }
    observed
}

async fn look_at(cloud: &Cloud, wanted: &Wanted) -> (String, Value, Option<Text>) {
    let looking = Looking::new(cloud, wanted);
    let clock = cloud.clock();
    let seen = tokio::select! {
        seen = see(&looking, wanted.kind) => seen,
        () = clock.sleep(TIMEOUT) => Err(Text::line(&format!("no answer within {} s", TIMEOUT.as_secs()))),
    };
    let mut lacks = looking.into_lacks();
    let thing = seen.unwrap_or_else(|error| {
        lacks = vec![error];
        Value::Null
    });
    let lacks: Vec<String> = lacks.iter().map(ToString::to_string).collect();
    let error = (!lacks.is_empty()).then(|| Text::line(&lacks.join("; ")));
    (wanted.word.clone(), thing, error)
}

async fn see(looking: &Looking<'_>, kind: Kind) -> Result<Value, Text> {
    match kind {
        Kind::Environment => plain(environment::see(looking).await),
        Kind::Queue => plain(queue::see(looking).await),
        Kind::Service => plain(service::see(looking).await),
        Kind::Group => plain(group::see(looking).await),
        Kind::Database => plain(database::see(looking).await),
        Kind::Outbox => plain(outbox::see(looking).await),
        Kind::Alarm => plain(alarm::see(looking).await),
        Kind::Function => plain(function::see(looking).await),
        Kind::Rule => plain(rule::see(looking).await),
        Kind::Migration => plain(migration::see(looking).await),
        Kind::Number | Kind::Duration | Kind::Choice | Kind::Text | Kind::Link | Kind::Version | Kind::Run => {
            Err(Text::from("a plain value cannot be looked at"))
        }
    }
}

fn plain<T: Serialize>(seen: Result<T, Text>) -> Result<Value, Text> {
    serde_json::to_value(seen?).map(rounded).map_err(|error| Text::line(&error.to_string()))
}

/// Figures with three decimals: what a metric has beyond those is noise that a person would have to read.
fn rounded(value: Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => {
            let rounded = number.as_f64().map(|number| (number * 1_000.0).round() / 1_000.0);
            rounded.and_then(serde_json::Number::from_f64).map_or(Value::Null, Value::Number)
        }
        Value::Array(items) => items.into_iter().map(rounded).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, rounded(value))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

/// When the first of what was seen is lost: messages that expire. None: nothing is, or it is not known.
pub fn deadline(observed: &Observed) -> Option<Deadline> {
    let deadlines = observed.things.iter().filter_map(|(word, thing)| {
        let messages = thing.get("messages")?.as_u64().filter(|messages| *messages > 0)?;
        let left = thing.get("expires_in_seconds")?.as_i64()?;
        let name = thing.get("name")?.as_str()?;
        let at = observed.at.checked_add(SignedDuration::from_secs(left)).ok()?;
        let is_bound = thing.get("is_dead_letter")?.as_bool()? && !thing.get("is_fifo")?.as_bool()?;
        let when = match (left > 0, is_bound) {
            (false, _) => "is being deleted now".to_owned(),
            (true, true) => format!("expires within {}", within(SignedDuration::from_secs(left))),
            (true, false) => format!("expires in {}", within(SignedDuration::from_secs(left))),
        };
        let about = crate::domain::words::about_messages(messages);
        let text = Text::line(&format!("the oldest of {about} in {name} {when}"));
        Some(Deadline { word: word.clone(), at, text })
    });
    deadlines.min_by_key(|deadline| deadline.at)
}
