//! Revisions of task definitions: which a service is rolled back to, and what differs. Of variables only names are told, never values.

use std::collections::BTreeMap;

use crate::{
    cloud::{Cloud, CloudError, ErrorKind},
    domain::{ContainerDefinition, Definition, Mark, Service, TaskDefinition, Text, Try, words::span},
    operations::OperationError,
};

/// A revision to go back to, and how it is known.
#[derive(Debug)]
pub(super) struct Before {
    pub(super) definition: TaskDefinition,
    /// When its deployment was completed; none: nobody says.
    pub(super) finished_at: Option<jiff::Timestamp>,
    pub(super) source: Source,
}

#[derive(Debug)]
pub(super) enum Source {
    /// Somebody named it.
    Given,
    /// It still runs beside the newer one.
    StillRuns,
    /// ECS tells of its deployment.
    Deployment,
    /// It is the active revision before, because ECS could not be asked, or tells of no deployment of another one.
    Guess(Option<CloudError>),
}

impl Source {
    pub(super) fn words(&self, before: &Before, now: jiff::Timestamp) -> String {
        match self {
            Self::Given => "as asked for".to_owned(),
            Self::StillRuns => "it still runs beside the newer one".to_owned(),
            Self::Deployment => {
                let ago = before.finished_at.map(|at| format!(", {} ago", span(now.duration_since(at))));
                format!("the last completed deployment of another revision{}", ago.unwrap_or_default())
            }
            Self::Guess(_) => "the active revision before; whether it ever ran is not known".to_owned(),
        }
    }
}

/// The revision that ran before the one that a service is to run now.
pub(super) async fn before(service: &Service, cloud: &Cloud) -> Result<Option<Before>, OperationError> {
    let current = &service.task_definition;
    let older = service.deployments.iter().find(|one| !one.is_primary && one.running > 0);
    if let Some(older) = older.filter(|older| older.task_definition != *current) {
        let (definition, finished_at) = (older.task_definition.clone(), None);
        return Ok(Some(Before { definition, finished_at, source: Source::StillRuns }));
    }
    let because = match cloud.ecs.completed(&service.id, current).await {
        Ok(Some(completed)) => {
            let (definition, finished_at) = (completed.definition, completed.finished_at);
            return Ok(Some(Before { definition, finished_at, source: Source::Deployment }));
        }
        Ok(None) => None,
        Err(error) if matches!(error.kind, ErrorKind::Denied | ErrorKind::Invalid | ErrorKind::NotFound) => Some(error),
        Err(error) => return Err(error.into()),
    };
    let before = cloud.ecs.revision_before(current).await?;
    Ok(before.map(|definition| Before { definition, finished_at: None, source: Source::Guess(because) }))
}

/// The revision that somebody names: `3`, `family:3`, or an ARN.
pub(super) fn named(asked: &str, current: &TaskDefinition) -> Result<TaskDefinition, OperationError> {
    let (family, _) = current.parts().unwrap_or((&current.0, 0));
    let given = TaskDefinition::of_arn(asked.trim());
    let definition = match given.0.parse::<u32>() {
        Ok(revision) => TaskDefinition(format!("{family}:{revision}")),
        Err(_) => given,
    };
    match definition.parts() {
        Some((other, _)) if other == family => Ok(definition),
        Some((other, _)) => {
            let what = format!("{} is of the family {other}, and the service runs {family}", definition.0);
            Err(OperationError::usage(
                &what,
                Try::UseOther.says("a rollback stays in the family; deploy the other one as it is deployed otherwise"),
            ))
        }
        None => {
            let what = format!("{asked} is not a revision");
            Err(OperationError::usage(&what, Try::WriteItSo.says(format!("give a number, or {family}:NUMBER"))))
        }
    }
}

/// What differs, in words, a line each: from the one that runs to the one of before.
pub(super) fn differences(from: &Definition, to: &Definition) -> Vec<String> {
    let mut found = Vec::new();
    let shown = |value: Option<&Text>| value.map_or("none", Text::as_str).to_owned();
    for (what, then, now) in [
        ("task CPU", shown(from.cpu.as_ref()), shown(to.cpu.as_ref())),
        ("task memory", shown(from.memory.as_ref()), shown(to.memory.as_ref())),
        ("task role", shown(from.role.as_ref()), shown(to.role.as_ref())),
        ("execution role", shown(from.execution_role.as_ref()), shown(to.execution_role.as_ref())),
        ("network mode", shown(from.network_mode.as_ref()), shown(to.network_mode.as_ref())),
    ] {
        if then != now {
            found.push(format!("{what}: {then} to {now}"));
        }
    }
    for before in &from.containers {
        match to.container(&before.name) {
            Some(after) => of_container(&mut found, before, after),
            None => found.push(format!("container {}: gone", before.name)),
        }
    }
    let new = to.containers.iter().filter(|after| from.container(&after.name).is_none());
    found.extend(new.map(|after| format!("container {}: new, {}", after.name, after.image)));
    found
}

fn of_container(found: &mut Vec<String>, before: &ContainerDefinition, after: &ContainerDefinition) {
    let name = &before.name;
    let number = |value: Option<i64>| value.map_or("none".to_owned(), |value| value.to_string());
    for (what, then, now) in [
        ("image", before.image.to_string(), after.image.to_string()),
        ("CPU", number(before.cpu), number(after.cpu)),
        ("memory", number(before.memory), number(after.memory)),
    ] {
        if then != now {
            found.push(format!("{name} {what}: {then} to {now}"));
        }
    }
    if before.command != after.command {
        found.push(format!("{name} command: differs"));
    }
    for (what, then, now) in
        [("variables", &before.variables, &after.variables), ("secrets", &before.secret_places, &after.secret_places)]
    {
        let words = of_names(then, now);
        if !words.is_empty() {
            found.push(format!("{name} {what}: {}", words.join("; ")));
        }
    }
}

/// `without A, B`, `with C`, `other values of D`.
fn of_names(then: &BTreeMap<Text, Mark>, now: &BTreeMap<Text, Mark>) -> Vec<String> {
    let names = |names: Vec<&Text>| names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
    let gone: Vec<&Text> = then.keys().filter(|name| !now.contains_key(*name)).collect();
    let new: Vec<&Text> = now.keys().filter(|name| !then.contains_key(*name)).collect();
    let other = then.iter().filter(|(name, mark)| now.get(*name).is_some_and(|other| other != *mark));
    let other: Vec<&Text> = other.map(|(name, _)| name).collect();
    [("without", gone), ("with", new), ("another value of", other)]
        .into_iter()
        .filter(|(_, some)| !some.is_empty())
        .map(|(what, some)| format!("{what} {}", names(some)))
        .collect()
}
