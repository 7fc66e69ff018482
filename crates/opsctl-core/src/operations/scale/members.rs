//! From what was asked for to the services.

use std::collections::BTreeMap;

use super::{Asking, Direction};
use crate::{
    domain::{Environment, Service, ServiceGroup, ServiceId, Try, service_rules::fits},
    operations::OperationError,
};

/// The services that are meant, in stages, and what is to be known about them.
#[derive(Debug, Default)]
pub(super) struct Members<'a> {
    /// In the order of waking.
    pub(super) stages: Vec<Vec<&'a Service>>,
    pub(super) always_on: Vec<&'a Service>,
    /// Patterns of the group that are of no service.
    pub(super) unmatched: Vec<String>,
    /// Tasks of services of which nothing else says how many.
    pub(super) sizes: BTreeMap<ServiceId, u32>,
    pub(super) sleep_allowed: bool,
    /// Groups of services that were named one by one.
    pub(super) groups: Vec<String>,
}

pub(super) fn choose<'a>(
    asked: &Asking<'_>,
    environment: &Environment,
    services: &'a [Service],
) -> Result<Members<'a>, OperationError> {
    match asked.group {
        Some(name) => {
            let group = environment.services.group(name).ok_or_else(|| no_group(name, environment))?;
            let members = of_group(group, environment, asked.direction, services);
            if members.stages.is_empty() && members.always_on.is_empty() {
                let what = format!("no service of {} fits the group {name}", environment.name);
                let hint = format!("`{}` lists them; mend the group's patterns", environment.command("services"));
                return Err(OperationError::usage(&what, Try::Configure.says(&hint)));
            }
            Ok(members)
        }
        None if asked.services.is_empty() => {
            let hint = format!("give --group ({}) or --service", groups(environment));
            Err(OperationError::usage("neither a group nor a service was named", Try::NameIt.says(&hint)))
        }
        None => of_names(asked.services, environment, services),
    }
}

fn of_group<'a>(
    group: &ServiceGroup,
    environment: &Environment,
    direction: Direction,
    services: &'a [Service],
) -> Members<'a> {
    let mut stages: Vec<Vec<&Service>> = vec![Vec::new(); group.stages.len()];
    let mut always_on = Vec::new();
    for service in services {
        let stage = group.stage_of(&service.id);
        // What any group keeps on stays on.
        let kept = direction == Direction::Sleep && stage.is_some() && environment.services.is_always_on(&service.id);
        if group.is_always_on(&service.id) || kept {
            always_on.push(service);
        } else if let Some(stage) = stage {
            stages[stage].push(service);
        }
    }
    if direction == Direction::Wake {
        // Whoever must be up in any case comes first.
        stages.insert(0, always_on.clone());
    }
    stages.retain(|stage| !stage.is_empty());
    let patterns = group.stages.iter().flatten().chain(&group.always_on);
    let nobody = |pattern: &&String| !services.iter().any(|service| fits(pattern, &service.id));
    Members {
        stages,
        always_on,
        unmatched: patterns.filter(nobody).cloned().collect(),
        sizes: services.iter().map(|service| (service.id.clone(), group.size)).collect(),
        sleep_allowed: group.sleep_allowed,
        groups: Vec::new(),
    }
}

fn of_names<'a>(
    names: &[String],
    environment: &Environment,
    services: &'a [Service],
) -> Result<Members<'a>, OperationError> {
    let mut members = Members { sleep_allowed: true, ..Members::default() };
    let mut stage: Vec<&Service> = Vec::new();
    for name in names {
        let service = find(name, environment, services)?;
        if stage.iter().any(|other| other.id == service.id) {
            continue;
        }
        let groups: Vec<&ServiceGroup> = environment.services.groups_of(&service.id).collect();
        members.sleep_allowed &= !groups.is_empty() && groups.iter().all(|group| group.sleep_allowed);
        let size = groups.iter().map(|group| group.size).max().unwrap_or(1);
        members.sizes.insert(service.id.clone(), size);
        members.groups.extend(groups.iter().map(|group| group.name.clone()));
        if environment.services.is_always_on(&service.id) {
            members.always_on.push(service);
        }
        stage.push(service);
    }
    members.groups.sort();
    members.groups.dedup();
    members.stages.push(stage);
    Ok(members)
}

pub(super) fn find<'a>(
    name: &str,
    environment: &Environment,
    services: &'a [Service],
) -> Result<&'a Service, OperationError> {
    let is_it = |id: &ServiceId| id.name.0 == name || id.to_string() == name;
    let found: Vec<&Service> = services.iter().filter(|service| is_it(&service.id)).collect();
    match found.as_slice() {
        [service] => Ok(service),
        [] => {
            let mut names: Vec<(usize, &str)> = services
                .iter()
                .map(|service| (strsim::levenshtein(name, &service.id.name.0), &*service.id.name.0))
                .collect();
            names.sort_unstable();
            let near: Vec<&str> = names.iter().filter(|(far, _)| *far <= 3).take(3).map(|(_, name)| *name).collect();
            let hint = if near.is_empty() {
                format!("`{}` lists them", environment.command("services"))
            } else {
                format!("did you mean {}?", near.join(" or "))
            };
            Err(OperationError::usage(&format!("there is no service {name}"), Try::NameAnother.says(&hint)))
        }
        several => {
            let names: Vec<String> = several.iter().map(|service| service.id.to_string()).collect();
            let what = format!("{} services have the name {name}", names.len());
            Err(OperationError::usage(&what, Try::NameOne.says(format!("name one of: {}", names.join(", ")))))
        }
    }
}

fn no_group(name: &str, environment: &Environment) -> OperationError {
    let what = format!("{} has no group {name}", environment.name);
    OperationError::usage(&what, Try::NameAnother.says(format!("it can be one of: {}", groups(environment))))
}

fn groups(environment: &Environment) -> String {
    let names: Vec<&str> = environment.services.groups.iter().map(|group| group.name.as_str()).collect();
    if names.is_empty() { "none is configured".to_owned() } else { names.join(", ") }
}
