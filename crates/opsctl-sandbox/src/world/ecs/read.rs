//! `List*` and `Describe*`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    ApiError, Caller, Ecs, PlaceKey, error, family, invalid, key,
    model::{Cluster, Region, Standing, Task},
    request::{Describe, DescribeTaskDefinition, List},
    show,
};
use crate::world::{
    call::{Answered, Call, given},
    page::page,
};

/// Names of a `DescribeServices` (API reference).
const SERVICES_MAX: usize = 10;
/// Names of a `DescribeTasks` or `DescribeClusters`, and entries of a page.
const PAGE_MAX: usize = 100;
/// Entries of a page of `ListServices` that asks for no number.
const SERVICES_DEFAULT: usize = 10;
/// Revisions are fewer.
const LAST_REVISION: usize = 9_999_999_999;

/// The cluster of the request: a name or an ARN; `default` where none is named.
pub(super) fn cluster_name(named: Option<&str>) -> &str {
    named.map_or("default", last_part)
}

/// What stands behind an ARN's last slash, or the name itself.
pub(super) fn last_part(name: &str) -> &str {
    if name.starts_with("arn:") { name.rsplit('/').next().unwrap_or(name) } else { name }
}

pub(super) fn no_cluster() -> ApiError {
    error("ClusterNotFoundException", "Cluster not found.")
}

impl Ecs {
    pub(super) fn list_clusters(&self, call: Call, request: List) -> Answered<Value> {
        let place = key(call.caller);
        let names = self.places.get(&place).into_iter().flat_map(|region| region.clusters.keys());
        arns("clusterArns", names, &request, PAGE_MAX, |name| show::arn(&place, &format!("cluster/{name}")))
    }

    pub(super) fn describe_clusters(&self, call: Call, request: Describe) -> Answered<Value> {
        let place = key(call.caller);
        let default = ["default".to_owned()];
        let names = if request.clusters.is_empty() { &default[..] } else { &request.clusters };
        let region = self.places.get(&place);
        described("clusters", names, PAGE_MAX, |name| match region.and_then(|region| region.clusters.get(name)) {
            Some(cluster) => Ok(show::cluster(&place, name, cluster)),
            None => Err(missing(&place, &format!("cluster/{name}"))),
        })
    }

    pub(super) fn list_services(&self, call: Call, request: List) -> Answered<Value> {
        let (place, name, cluster) = self.find_cluster(call.caller, request.cluster.as_deref())?;
        let arn = |service: &str| show::arn(&place, &format!("service/{name}/{service}"));
        let there = cluster.services.iter().filter(|(_, service)| service.standing != Standing::Inactive);
        arns("serviceArns", there.map(|(name, _)| name), &request, SERVICES_DEFAULT, arn)
    }

    pub(super) fn describe_services(&self, call: Call, request: Describe) -> Answered<Value> {
        let (place, cluster_name, cluster) = self.find_cluster(call.caller, request.cluster.as_deref())?;
        described("services", &request.services, SERVICES_MAX, |name| {
            let Some(service) = cluster.services.get(name) else {
                return Err(missing(&place, &format!("service/{cluster_name}/{name}")));
            };
            let stale = service.stale.as_ref().filter(|(until, _)| *until > call.now);
            let mut shown = match stale {
                Some((_, before)) => before.clone(),
                None => show::service(&place, cluster_name, name, cluster, service),
            };
            if request.include.iter().any(|part| part == "TAGS") {
                let tags: Vec<Value> =
                    service.tags.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
                shown["tags"] = tags.into();
            }
            Ok(shown)
        })
    }

    pub(super) fn list_tasks(&self, call: Call, request: List) -> Answered<Value> {
        let (place, name, cluster) = self.find_cluster(call.caller, request.cluster.as_deref())?;
        let alone = request.service_name.is_none() && request.family.is_none();
        if request.started_by.is_some() && !alone {
            return Err(invalid("cannot specify a startedBy value with another filter"));
        }
        if let Some(service) = request.service_name.as_deref().map(last_part)
            && !cluster.services.contains_key(service)
        {
            return Err(error("ServiceNotFoundException", "Service not found."));
        }
        let wants_stopped = match request.desired_status.as_deref() {
            None | Some("RUNNING" | "PENDING") => false,
            Some("STOPPED") => true,
            Some(_) => return Err(invalid("desiredStatus must be RUNNING, PENDING or STOPPED")),
        };
        let fits = |wanted: Option<&str>, has: Option<&str>| wanted.is_none() || wanted == has;
        let tasks = cluster.tasks.iter().filter(|(_, task)| {
            task.is_ending() == wants_stopped
                && fits(request.service_name.as_deref().map(last_part), task.service.as_deref())
                && fits(request.started_by.as_deref(), task.started_by.as_deref())
                && fits(request.family.as_deref(), Some(family(&task.definition)))
        });
        let arn = |id: &str| show::arn(&place, &format!("task/{name}/{id}"));
        arns("taskArns", tasks.map(|(id, _)| id), &request, PAGE_MAX, arn)
    }

    pub(super) fn describe_tasks(&self, call: Call, request: Describe) -> Answered<Value> {
        let (place, cluster_name, cluster) = self.find_cluster(call.caller, request.cluster.as_deref())?;
        let is_shown =
            |task: &&Task| cluster.hides.as_ref().is_none_or(|ages| !ages.contains(&(call.now - task.created_at)));
        described("tasks", &request.tasks, PAGE_MAX, |id| {
            let known = cluster.tasks.get(id).filter(is_shown);
            match known.and_then(|task| Some((task, self.definition(&place, &task.definition)?))) {
                Some((task, definition)) => Ok(show::task(&place, cluster_name, id, task, definition, call.now)),
                None => Err(missing(&place, &format!("task/{cluster_name}/{id}"))),
            }
        })
    }

    pub(super) fn list_task_definitions(&self, call: Call, request: List) -> Answered<Value> {
        let place = key(call.caller);
        let families = self.places.get(&place).into_iter().flat_map(|region| &region.families);
        let wanted =
            families.filter(|(family, _)| request.family_prefix.as_ref().is_none_or(|prefix| prefix == *family));
        let is_falling = request.sort.as_deref() == Some("DESC");
        // Revisions in their order, which is not that of their letters.
        let order = |index: usize| if is_falling { LAST_REVISION - index } else { index };
        let names: Vec<String> = wanted
            .flat_map(|(family, revisions)| {
                let active = revisions.iter().enumerate().filter(|(_, definition)| !definition.is_inactive);
                active.map(move |(index, _)| format!("{family}:{:010}", order(index)))
            })
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        arns("taskDefinitionArns", names.iter(), &request, PAGE_MAX, |name| {
            let (family, number) = name.rsplit_once(':').unwrap_or((name, "0"));
            let revision = order(number.parse().unwrap_or_default()) + 1;
            show::arn(&place, &format!("task-definition/{family}:{revision}"))
        })
    }

    pub(super) fn describe_task_definition(&self, call: Call, request: DescribeTaskDefinition) -> Answered<Value> {
        let place = key(call.caller);
        let name = self.resolve_definition(&place, &request.task_definition)?;
        let unable = || error("ClientException", "Unable to describe task definition.");
        let definition = self.definition(&place, &name).ok_or_else(unable)?;
        let (family, revision) = name.rsplit_once(':').ok_or_else(unable)?;
        let revision = revision.parse().map_err(|_| unable())?;
        Ok(json!({ "taskDefinition": show::definition(&place, family, revision, definition), "tags": [] }))
    }

    /// `family:revision` of a family, a family with revision, or an ARN.
    pub(super) fn resolve_definition(&self, place: &PlaceKey, name: &str) -> Answered<String> {
        let name = last_part(name);
        let unable = || error("ClientException", "Unable to describe task definition.");
        if name.contains(':') {
            return self.definition(place, name).map(|_| name.to_owned()).ok_or_else(unable);
        }
        let revisions = self.places.get(place).and_then(|region| region.families.get(name)).ok_or_else(unable)?;
        let newest = revisions.iter().rposition(|definition| !definition.is_inactive).ok_or_else(unable)?;
        Ok(format!("{name}:{}", newest + 1))
    }

    fn find_cluster<'a>(
        &'a self,
        caller: &Caller,
        named: Option<&'a str>,
    ) -> Answered<(PlaceKey, &'a str, &'a Cluster)> {
        let place = key(caller);
        let name = cluster_name(named);
        let region: &Region = self.places.get(&place).ok_or_else(no_cluster)?;
        let cluster = region.clusters.get(name).ok_or_else(no_cluster)?;
        Ok((place, name, cluster))
    }
}

pub(super) fn missing(place: &PlaceKey, rest: &str) -> Value {
    json!({ "arn": show::arn(place, rest), "reason": "MISSING" })
}

/// What there is of what was named, and failures for the rest.
fn described(
    what: &str,
    names: &[String],
    most: usize,
    show: impl Fn(&str) -> Result<Value, Value>,
) -> Answered<Value> {
    let mut title = what.to_owned();
    title[..1].make_ascii_uppercase();
    match names.len() {
        0 => return Err(invalid(format!("{title} cannot be empty."))),
        count if count > most => return Err(invalid(format!("{title} cannot have more than {most} elements."))),
        _ => {}
    }
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for name in names {
        match show(last_part(name)) {
            Ok(shown) => found.push(shown),
            Err(failure) => failures.push(failure),
        }
    }
    Ok(json!({ what: found, "failures": failures }))
}

fn arns<'a>(
    what: &str,
    names: impl Iterator<Item = &'a String>,
    request: &List,
    default: usize,
    arn: impl Fn(&str) -> String,
) -> Answered<Value> {
    let most = request.max_results.unwrap_or(default);
    if !(1..=PAGE_MAX).contains(&most) {
        return Err(invalid("maxResults must be between 1 and 100"));
    }
    let page = page(names, most, request.next_token.as_deref(), |name| name);
    let (names, next) = page.ok_or_else(|| invalid("Invalid token"))?;
    let arns: Vec<String> = names.into_iter().map(|name| arn(name)).collect();
    Ok(given(json!({ what: arns, "nextToken": next })))
}
