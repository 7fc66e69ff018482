//! Migrations of the fleet file: what the configuration of its environments says.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::{
    domain::{EcsClusterName, Migration, NetworkSource, ServiceId},
    world::{
        World,
        ecs::{JobFixture, LogConfig, Outcome, Program},
        strain::TableUse,
        template::Place,
    },
};

/// A migration; `{environment}` stands for the environment's name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MigrationEntry {
    name: String,
    #[serde(default)]
    pub(super) environments: Vec<String>,
    cluster: String,
    task_definition: String,
    /// Service of the same cluster.
    network_of: String,
    database: Option<String>,
    #[serde(default)]
    commands: BTreeMap<String, Vec<String>>,
}

impl MigrationEntry {
    pub(super) fn bind(&self, environment: &str) -> Migration {
        let filled = |text: &str| text.replace("{environment}", environment);
        let cluster = filled(&self.cluster);
        Migration {
            name: self.name.clone(),
            network: NetworkSource::Service(ServiceId::new(&cluster, &self.network_of)),
            cluster: EcsClusterName(cluster),
            task_definition: self.task_definition.clone(),
            container: None,
            commands: self.commands.clone(),
            log_group: None,
            database: self.database.as_deref().map(filled),
            timeout_seconds: None,
        }
    }
}

/// A task definition whose tasks do one thing and end; `{environment}` stands for the environment's name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JobEntry {
    family: String,
    revision: u32,
    after_seconds: u32,
    log_group: String,
    command: Vec<String>,
    /// After so many seconds, which line.
    lines: Vec<(f64, String)>,
    database: Option<String>,
    /// A table of that which it reads or alters.
    table: Option<TableUse>,
    #[serde(default)]
    secrets: Vec<String>,
}

impl JobEntry {
    /// The database a table of which its tasks use.
    pub(super) fn database_of_table(&self, environment: &str) -> Option<String> {
        self.table.as_ref()?;
        Some(self.database.as_deref()?.replace("{environment}", environment))
    }

    pub(super) fn settle(&self, world: &mut World, now: Timestamp, place: &Place) {
        let Place { environment, account, region } = place;
        let filled = |text: &str| text.replace("{environment}", environment);
        let at = (now - SignedDuration::from_hours(4_800)).as_millisecond();
        world.logs.create_group(at, account, region, &self.log_group);
        let secret = |name: &String| {
            (name.clone(), format!("arn:aws:secretsmanager:{region}:{account}:secret:{}/{environment}", self.family))
        };
        if !self.secrets.is_empty() {
            let name = format!("{}/{environment}", self.family);
            world.secrets.put(now, (account, region), &name, "Jf8Qw2", "sandbox");
        }
        let job = JobFixture {
            family: self.family.clone(),
            revision: self.revision,
            image: format!("{account}.dkr.ecr.{region}.amazonaws.com/{}:{}", self.family, self.revision),
            program: Program {
                outcome: Outcome::Exits { after_seconds: self.after_seconds, code: 0 },
                ..Program::default()
            },
            command: self.command.clone(),
            environment: vec![("NODE_ENV".to_owned(), environment.clone())],
            secrets: self.secrets.iter().map(secret).collect(),
            log: Some(LogConfig { group: self.log_group.clone(), prefix: "ecs".to_owned(), ..LogConfig::default() }),
            script: self.lines.iter().map(|(after, text)| (*after, filled(text))).collect(),
            database: self.database.as_deref().map(filled),
            table: self.table.clone(),
        };
        world.ecs.define_job(&place.caller(), &job);
    }
}
