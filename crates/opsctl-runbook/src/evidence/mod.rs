//! Evidence: what is taken down before it disappears. ECS shows stopped tasks for about an hour, metrics and logs are thinned out or
//! deleted, and messages are moved on.
//!
//! Reads only, but for samples: they are received, which raises their receive counts, and so need leave. Documents may hold the text
//! of messages and lines of logs: they belong into files that only their owner can read, and nowhere else.

mod events;
mod logs;
mod metrics;
mod samples;

use std::fmt;

use futures_util::future::join_all;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Kind,
    cloud::Cloud,
    domain::{ServiceId, Text},
    things::Wanted,
};

/// What is saved at a step.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum EvidenceKind {
    /// An hour of the metrics of the named things, side by side.
    Metrics,
    /// Events of the named services and databases.
    Events,
    /// Tasks of the named services and migrations that stopped within about an hour.
    StoppedTasks,
    /// The last lines that the tasks of the named services and migrations, and the named functions, wrote.
    Logs,
    /// A few messages of the named queues, with their bodies. Raises their receive counts by one.
    Samples,
}

/// What was taken down of one thing.
#[derive(Clone, PartialEq, Serialize)]
pub struct Evidence {
    pub kind: EvidenceKind,
    /// The thing, by name; of metrics: what they are of.
    pub about: Text,
    pub at: Timestamp,
    /// What it holds, in a few words without text of messages or logs: "3 stopped tasks".
    pub summary: Text,
    /// May hold the text of messages and lines of logs: for a file of mode 0600 alone. Null: nothing was taken.
    pub document: Value,
    /// Why it is not there, or not whole.
    pub lost: Option<Text>,
}

/// Nothing of the document: what prints or logs evidence shows no text of messages.
impl fmt::Debug for Evidence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, about, at, summary, document: _, lost } = self;
        formatter
            .debug_struct("Evidence")
            .field("kind", kind)
            .field("about", about)
            .field("at", at)
            .field("summary", summary)
            .field("lost", lost)
            .finish_non_exhaustive()
    }
}

impl EvidenceKind {
    /// Whether there is such evidence of a kind of thing.
    pub fn is_of(self, kind: Kind) -> bool {
        match self {
            Self::Metrics => {
                matches!(kind, Kind::Queue | Kind::Service | Kind::Group | Kind::Database | Kind::Function)
            }
            Self::Events => matches!(kind, Kind::Service | Kind::Group | Kind::Database),
            Self::StoppedTasks => matches!(kind, Kind::Service | Kind::Group | Kind::Migration),
            Self::Logs => matches!(kind, Kind::Service | Kind::Group | Kind::Migration | Kind::Function),
            Self::Samples => kind == Kind::Queue,
        }
    }
}

impl Evidence {
    /// A name for its file, unique among what is collected together: `stopped-tasks-main_api.json`.
    pub fn file_name(&self) -> String {
        let plain = |character: char| character.is_ascii_alphanumeric() || "-.".contains(character);
        let about: String =
            self.about.as_str().chars().map(|one| if plain(one) { one } else { '_' }).take(100).collect();
        format!("{}-{}.json", self.kind.into_str(), about.trim_start_matches('.'))
    }
}

/// Takes down all that is asked for of these things, all of it at once. Of a kind that none of them has there is an entry that says
/// so.
pub async fn collect(cloud: &Cloud, things: &[Wanted], which: &[EvidenceKind]) -> Vec<Evidence> {
    let taking = Taking { cloud, at: cloud.clock().now(), things };
    // Each once, whatever is written.
    let which: std::collections::BTreeSet<EvidenceKind> = which.iter().copied().collect();
    join_all(which.into_iter().map(|kind| taking.take(kind))).await.into_iter().flatten().collect()
}

struct Taking<'a> {
    cloud: &'a Cloud,
    at: Timestamp,
    things: &'a [Wanted],
}

/// What was found, and what is missing.
#[derive(Default)]
struct Taken {
    summary: String,
    document: Value,
    lost: Vec<String>,
}

impl Taking<'_> {
    async fn take(&self, kind: EvidenceKind) -> Vec<Evidence> {
        let things: Vec<&Wanted> = self.things.iter().filter(|thing| kind.is_of(thing.kind)).collect();
        if things.is_empty() {
            let why = format!("nothing is named of which there are {}", kind.into_str());
            return vec![self.evidence(kind, "nothing", Taken::lost(&why))];
        }
        match kind {
            EvidenceKind::Metrics => vec![self.evidence(kind, "all", metrics::take(self, &things).await)],
            EvidenceKind::Events => self.of_each(kind, &things, events::take).await,
            EvidenceKind::StoppedTasks => self.of_each(kind, &things, events::stopped).await,
            EvidenceKind::Logs => self.of_each(kind, &things, logs::take).await,
            EvidenceKind::Samples => self.of_each(kind, &things, samples::take).await,
        }
    }

    /// One after the other: the throttles of reads are shared with everybody in the account.
    async fn of_each(
        &self,
        kind: EvidenceKind,
        things: &[&Wanted],
        take: impl AsyncFn(&Taking<'_>, &Subject) -> Taken,
    ) -> Vec<Evidence> {
        let mut all = Vec::new();
        for thing in things {
            match self.subjects(thing).await {
                Ok(subjects) => {
                    for subject in subjects {
                        let taken = take(self, &subject).await;
                        all.push(self.evidence(kind, &subject.name(), taken));
                    }
                }
                Err(why) => all.push(self.evidence(kind, &thing.name, Taken::lost(&why))),
            }
        }
        all
    }

    /// A thing; of a group its services.
    async fn subjects(&self, thing: &Wanted) -> Result<Vec<Subject>, String> {
        let name = thing.name.trim().to_owned();
        if thing.kind == Kind::Group {
            return Ok(self.members(&name).await?.into_iter().map(Subject::Service).collect());
        }
        if thing.kind == Kind::Service {
            let id = ServiceId::parse(&name);
            return Ok(vec![Subject::Service(
                id.ok_or_else(|| format!("{name} is not a service; write cluster/name"))?,
            )]);
        }
        Ok(vec![Subject::Other(thing.kind, name)])
    }

    async fn members(&self, name: &str) -> Result<Vec<ServiceId>, String> {
        let environment = self.cloud.environment();
        let group = environment.services.group(name).ok_or_else(|| format!("there is no group {name}"))?;
        let all = self.cloud.ecs.all().await.map_err(|error| error.to_string())?;
        let ids = all.found.into_iter().map(|service| service.id);
        Ok(ids.filter(|id| group.is_always_on(id) || group.stage_of(id).is_some()).take(SERVICES_MAX).collect())
    }

    fn evidence(&self, kind: EvidenceKind, about: &str, taken: Taken) -> Evidence {
        Evidence {
            kind,
            about: Text::line(about),
            at: self.at,
            summary: Text::line(if taken.summary.is_empty() { "nothing" } else { &taken.summary }),
            document: taken.document,
            lost: (!taken.lost.is_empty()).then(|| Text::line(&taken.lost.join("; "))),
        }
    }
}

/// Services of a group that are looked at.
const SERVICES_MAX: usize = 50;

/// What evidence is taken of.
enum Subject {
    Service(ServiceId),
    Other(Kind, String),
}

impl Subject {
    fn name(&self) -> String {
        match self {
            Self::Service(id) => id.to_string(),
            Self::Other(_, name) => name.clone(),
        }
    }
}

impl Taken {
    fn lost(why: &str) -> Self {
        Self { lost: vec![why.to_owned()], ..Self::default() }
    }

    fn of(summary: String, document: &impl Serialize) -> Self {
        match serde_json::to_value(document) {
            Ok(document) => Self { summary, document, lost: Vec::new() },
            Err(error) => Self::lost(&error.to_string()),
        }
    }
}
