//! Tasks that use a table of a database: who does, and how those that wait for one go on.

use jiff::SignedDuration;

use super::{
    Caller, Ecs, family, key,
    life::Who,
    model::{Definition, LogConfig, Outcome, Stop, Task},
    program, start,
};
use crate::world::{ecs::ServiceKey, logs::Logs, strain::TableUser};

impl Ecs {
    /// The running tasks of a place that use a table of a database, the oldest first.
    pub(in crate::world) fn table_users(&self, caller: &Caller, database: &str) -> Vec<TableUser> {
        let place = key(caller);
        let clusters = self.places.get(&place).into_iter().flat_map(|region| &region.clusters);
        let mut users = Vec::new();
        for (cluster, known) in clusters {
            for (id, task) in known.tasks.iter().filter(|(_, task)| task.is_running()) {
                let definition = self.definition(&place, &task.definition);
                let Some(definition) = definition else { continue };
                let Some((_, table)) = definition.table.as_ref().filter(|(of, _)| of == database) else { continue };
                users.push(TableUser {
                    cluster: cluster.clone(),
                    task: id.clone(),
                    family: family(&task.definition).to_owned(),
                    of: table.clone(),
                    started_at: task.started_at.unwrap_or_default(),
                    waits: task.waits,
                    waits_at_most: lock_timeout(definition, task),
                });
            }
        }
        users.sort_by(|left, right| (left.started_at, &left.task).cmp(&(right.started_at, &right.task)));
        users
    }

    /// A task that waits for a table gets it and does the rest of its work, or gives up.
    pub(in crate::world) fn end_wait(
        &mut self,
        at: i64,
        caller: &Caller,
        user: &TableUser,
        gets: bool,
        logs: &mut Logs,
    ) {
        let place = key(caller);
        let cluster = self.places.get(&place).and_then(|region| region.clusters.get(&user.cluster));
        let known = cluster.and_then(|cluster| cluster.tasks.get(&user.task));
        let Some(definition) = known.and_then(|task| self.definition(&place, &task.definition)).cloned() else {
            return;
        };
        let (lines, ends) = match gets {
            true => (definition.script.get(1..).unwrap_or_default().to_vec(), ends_after(&definition, at)),
            false => {
                let words = "ERROR: canceling statement due to lock timeout".to_owned();
                (vec![(0, words)], Some((at + 500, start::exited(1, None))))
            }
        };
        program::say(&place, &user.task, &definition, at, &lines, logs);
        let cluster = self.places.get_mut(&place).and_then(|region| region.clusters.get_mut(&user.cluster));
        let Some(cluster) = cluster else { return };
        let Some(task) = cluster.tasks.get_mut(&user.task) else { return };
        (task.waits, task.ends) = (false, ends);
        task.note_next(task.service.as_ref().and_then(|name| cluster.services.get(name)));
        if let Some(next) = task.next_at {
            self.wake_at(next, &place, &user.cluster, Who::Task(user.task.clone()));
        }
    }

    /// Where a task of a service writes its lines: group and stream.
    pub(in crate::world) fn log_of(&self, service: &ServiceKey<'_>, id: &str) -> Option<(String, String)> {
        let place = service.place();
        let task = self.places.get(&place)?.clusters.get(service.cluster)?.tasks.get(id)?;
        let definition = self.definition(&place, &task.definition)?;
        let log: &LogConfig = definition.log.as_ref()?;
        Some((log.group.clone(), program::stream(log, definition, id)))
    }
}

fn ends_after(definition: &Definition, at: i64) -> Option<(i64, Stop)> {
    match definition.program.outcome {
        Outcome::Exits { after_seconds, code } => {
            Some((at + i64::from(after_seconds) * 1_000, start::exited(code, None)))
        }
        Outcome::Serves | Outcome::Unhealthy | Outcome::CannotPull | Outcome::CannotInitialize => None,
    }
}

/// How long a task waits for a lock, milliseconds: its variable `LOCK_TIMEOUT`, or what `PGOPTIONS` sets.
fn lock_timeout(definition: &Definition, task: &Task) -> Option<i64> {
    let variables = start::environment(definition, task);
    let value = |name: &str| variables.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let options = || value("PGOPTIONS")?.split_once("lock_timeout=")?.1.split_whitespace().next();
    let text = value("LOCK_TIMEOUT").or_else(options)?;
    let milliseconds = || text.parse::<i64>().ok();
    let duration = || Some(i64::try_from(text.parse::<SignedDuration>().ok()?.as_millis()).unwrap_or(i64::MAX));
    milliseconds().or_else(duration).filter(|most| *most > 0)
}
