//! Events, and tasks that stopped.

use super::{Subject, Taken, Taking};
use crate::{
    Kind,
    cloud::ecs::{By, Wanted},
    databases,
    domain::{DatabaseEvent, ServiceId, Task, words::counted},
    things,
};

/// How far back events of databases are taken, in minutes.
const DATABASE_MINUTES: u32 = 24 * 60;
const DATABASE_EVENTS_MAX: usize = 200;

pub(super) async fn take(taking: &Taking<'_>, subject: &Subject) -> Taken {
    match subject {
        Subject::Service(id) => of_service(taking, id).await,
        Subject::Other(_, name) => of_database(taking, name).await,
    }
}

/// ECS keeps the last hundred.
async fn of_service(taking: &Taking<'_>, id: &ServiceId) -> Taken {
    match taking.cloud.ecs.service(id).await {
        Ok(service) => Taken::of(counted(service.events.len() as u64, "event"), &service),
        Err(error) => Taken::lost(&error.to_string()),
    }
}

async fn of_database(taking: &Taking<'_>, name: &str) -> Taken {
    let rds = &taking.cloud.rds;
    let (database, events) = tokio::join!(rds.database(name), rds.events(None, DATABASE_MINUTES));
    match (database, events) {
        (Ok(Some(database)), Ok(events)) => {
            let own: Vec<&DatabaseEvent> = databases::events_of(&events, &database).collect();
            let is_cut = own.len() > DATABASE_EVENTS_MAX;
            let newest: Vec<&DatabaseEvent> = own.into_iter().rev().take(DATABASE_EVENTS_MAX).collect();
            let document = serde_json::json!({ "database": database, "events": newest });
            let mut taken = Taken::of(counted(newest.len() as u64, "event"), &document);
            if is_cut {
                taken.lost.push(format!("only the newest {DATABASE_EVENTS_MAX} events were kept"));
            }
            taken
        }
        (Ok(None), _) => Taken::lost("there is no such database"),
        (Err(error), _) | (_, Err(error)) => Taken::lost(&error.to_string()),
    }
}

pub(super) async fn stopped(taking: &Taking<'_>, subject: &Subject) -> Taken {
    let (tasks, missing) = match tasks(taking, subject, Wanted::Stopped).await {
        Ok(found) => found,
        Err(why) => return Taken::lost(&why),
    };
    let count = tasks.len();
    let newest = things::newest(tasks);
    let mut taken = Taken::of(counted(newest.len() as u64, "stopped task"), &newest);
    if newest.len() < count {
        taken.lost.push(format!("only the newest {} of {count} tasks were kept", newest.len()));
    }
    if missing > 0 {
        taken.lost.push(format!("{} listed and cannot be described", counted(missing as u64, "task")));
    }
    taken
}

/// Tasks of a service or of a migration's family, and how many more are listed and not described.
pub(super) async fn tasks(
    taking: &Taking<'_>,
    subject: &Subject,
    wanted: Wanted,
) -> Result<(Vec<Task>, usize), String> {
    let ecs = &taking.cloud.ecs;
    let found = match subject {
        Subject::Service(id) => ecs.tasks(id, wanted).await,
        Subject::Other(Kind::Migration, name) => {
            let rules = &taking.cloud.environment().services;
            let migration = rules.migration(name).ok_or_else(|| format!("there is no migration {name}"))?;
            let definition = &migration.task_definition;
            let family = definition.rsplit_once(':').map_or(definition.as_str(), |(family, _)| family);
            ecs.tasks_by(&migration.cluster, By::Family(family), wanted).await
        }
        Subject::Other(kind, _) => return Err(format!("{} has no tasks", kind.with_article())),
    };
    let found = found.map_err(|error| error.to_string())?;
    Ok((found.found, found.missing.len()))
}
