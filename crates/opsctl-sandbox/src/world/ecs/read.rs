//! `List*` and `Describe*`.

use serde_json::{Value, json};

use super::{
    ApiError, Caller, Ecs, PlaceKey, error, invalid, key,
    model::{Cluster, Region, Stage, Task},
    request::{
        DescribeClusters, DescribeServices, DescribeTaskDefinition, DescribeTasks, List, ListTaskDefinitions, ListTasks,
    },
    show,
};

/// Names of a `DescribeServices` (API reference).
const SERVICES_MAX: usize = 10;
/// Names of a `DescribeTasks` or `DescribeClusters`, and entries of a page.
const PAGE_MAX: usize = 100;
/// Entries of a page of `ListServices` that asks for no number.
const SERVICES_DEFAULT: usize = 10;

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
    pub(super) fn list_clusters(&self, caller: &Caller, request: &List) -> Result<Value, ApiError> {
        let place = key(caller);
        let names = self.places.get(&place).into_iter().flat_map(|region| region.clusters.keys());
        let (page, next) = page(names, request.max_results, request.next_token.as_deref(), PAGE_MAX)?;
        let arns: Vec<String> = page.iter().map(|name| show::arn(&place, &format!("cluster/{name}"))).collect();
        Ok(with_token(json!({ "clusterArns": arns }), next))
    }

    pub(super) fn describe_clusters(&self, caller: &Caller, request: &DescribeClusters) -> Result<Value, ApiError> {
        let place = key(caller);
        let default = ["default".to_owned()];
        let names = if request.clusters.is_empty() { &default[..] } else { &request.clusters };
        check_count("clusters", names.len(), PAGE_MAX)?;
        let region = self.places.get(&place);
        let (mut found, mut failures) = (Vec::new(), Vec::new());
        for name in names.iter().map(|name| last_part(name)) {
            match region.and_then(|region| region.clusters.get(name)) {
                Some(cluster) => found.push(show::cluster(&place, name, cluster)),
                None => failures.push(missing(&place, &format!("cluster/{name}"))),
            }
        }
        Ok(json!({ "clusters": found, "failures": failures }))
    }

    pub(super) fn list_services(&self, caller: &Caller, request: &List) -> Result<Value, ApiError> {
        let (place, name, cluster) = self.find_cluster(caller, request.cluster.as_deref())?;
        let (page, next) =
            page(cluster.services.keys(), request.max_results, request.next_token.as_deref(), SERVICES_DEFAULT)?;
        let arns: Vec<String> =
            page.iter().map(|service| show::arn(&place, &format!("service/{name}/{service}"))).collect();
        Ok(with_token(json!({ "serviceArns": arns }), next))
    }

    pub(super) fn describe_services(
        &self,
        now: i64,
        caller: &Caller,
        request: &DescribeServices,
    ) -> Result<Value, ApiError> {
        let (place, cluster_name, cluster) = self.find_cluster(caller, request.cluster.as_deref())?;
        check_count("services", request.services.len(), SERVICES_MAX)?;
        let (mut found, mut failures) = (Vec::new(), Vec::new());
        for name in request.services.iter().map(|name| last_part(name)) {
            let Some(service) = cluster.services.get(name) else {
                failures.push(missing(&place, &format!("service/{cluster_name}/{name}")));
                continue;
            };
            let stale = service.stale.as_ref().filter(|(until, _)| *until > now);
            let mut shown = match stale {
                Some((_, before)) => before.clone(),
                None => show::service(&place, cluster_name, name, cluster, service),
            };
            if request.include.iter().any(|part| part == "TAGS") {
                let tags: Vec<Value> =
                    service.tags.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
                shown["tags"] = tags.into();
            }
            found.push(shown);
        }
        Ok(json!({ "services": found, "failures": failures }))
    }

    pub(super) fn list_tasks(&self, caller: &Caller, request: &ListTasks) -> Result<Value, ApiError> {
        let (place, name, cluster) = self.find_cluster(caller, request.cluster.as_deref())?;
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
        let ids = cluster.tasks.iter().filter(|(_, task)| {
            (task.stage >= Stage::Stopping) == wants_stopped
                && fits(request.service_name.as_deref().map(last_part), task.service.as_deref())
                && fits(request.started_by.as_deref(), task.started_by.as_deref())
                && fits(request.family.as_deref(), task.definition.rsplit_once(':').map(|(family, _)| family))
        });
        let (page, next) = page(ids.map(|(id, _)| id), request.max_results, request.next_token.as_deref(), PAGE_MAX)?;
        let arns: Vec<String> = page.iter().map(|id| show::arn(&place, &format!("task/{name}/{id}"))).collect();
        Ok(with_token(json!({ "taskArns": arns }), next))
    }

    pub(super) fn describe_tasks(&self, now: i64, caller: &Caller, request: &DescribeTasks) -> Result<Value, ApiError> {
        let (place, cluster_name, cluster) = self.find_cluster(caller, request.cluster.as_deref())?;
        check_count("tasks", request.tasks.len(), PAGE_MAX)?;
        let (mut found, mut failures) = (Vec::new(), Vec::new());
        for id in request.tasks.iter().map(|name| last_part(name)) {
            let is_shown =
                |task: &&Task| cluster.hides.as_ref().is_none_or(|ages| !ages.contains(&(now - task.created_at)));
            let known = cluster.tasks.get(id).filter(is_shown);
            let known = known.and_then(|task| Some((task, self.definition(&place, &task.definition)?)));
            match known {
                Some((task, definition)) => found.push(show::task(&place, cluster_name, id, task, definition, now)),
                None => failures.push(missing(&place, &format!("task/{cluster_name}/{id}"))),
            }
        }
        Ok(json!({ "tasks": found, "failures": failures }))
    }

    pub(super) fn list_task_definitions(
        &self,
        caller: &Caller,
        request: &ListTaskDefinitions,
    ) -> Result<Value, ApiError> {
        let place = key(caller);
        let families = self.places.get(&place).into_iter().flat_map(|region| &region.families);
        let wanted =
            families.filter(|(family, _)| request.family_prefix.as_ref().is_none_or(|prefix| prefix == *family));
        // Revisions in their order, which is not that of their letters.
        let names: Vec<String> = wanted
            .flat_map(|(family, revisions)| {
                (1..=revisions.len()).map(move |revision| format!("{family}:{revision:010}"))
            })
            .collect();
        let (page, next) = page(names.iter(), request.max_results, request.next_token.as_deref(), PAGE_MAX)?;
        let arn = |name: &&String| {
            let (family, revision) = name.rsplit_once(':').unwrap_or((name, "0"));
            show::arn(&place, &format!("task-definition/{family}:{}", revision.trim_start_matches('0')))
        };
        let arns: Vec<String> = page.iter().map(arn).collect();
        Ok(with_token(json!({ "taskDefinitionArns": arns }), next))
    }

    pub(super) fn describe_task_definition(
        &self,
        caller: &Caller,
        request: &DescribeTaskDefinition,
    ) -> Result<Value, ApiError> {
        let place = key(caller);
        let name = self.resolve_definition(&place, &request.task_definition)?;
        let unable = || error("ClientException", "Unable to describe task definition.");
        let definition = self.definition(&place, &name).ok_or_else(unable)?;
        let (family, revision) = name.rsplit_once(':').ok_or_else(unable)?;
        let revision = revision.parse().map_err(|_| unable())?;
        Ok(json!({ "taskDefinition": show::definition(&place, family, revision, definition), "tags": [] }))
    }

    /// `family:revision` of a family, a family with revision, or an ARN.
    pub(super) fn resolve_definition(&self, place: &PlaceKey, name: &str) -> Result<String, ApiError> {
        let name = last_part(name);
        let unable = || error("ClientException", "Unable to describe task definition.");
        if name.contains(':') {
            return self.definition(place, name).map(|_| name.to_owned()).ok_or_else(unable);
        }
        let revisions = self.places.get(place).and_then(|region| region.families.get(name)).ok_or_else(unable)?;
        Ok(format!("{name}:{}", revisions.len()))
    }

    fn find_cluster<'a>(
        &'a self,
        caller: &Caller,
        named: Option<&'a str>,
    ) -> Result<(PlaceKey, &'a str, &'a Cluster), ApiError> {
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

fn check_count(what: &str, count: usize, most: usize) -> Result<(), ApiError> {
    let mut title = what.to_owned();
    title[..1].make_ascii_uppercase();
    match count {
        0 => Err(invalid(format!("{title} cannot be empty."))),
        _ if count > most => Err(invalid(format!("{title} cannot have more than {most} elements."))),
        _ => Ok(()),
    }
}

/// The entries after the token's, and the next token: the last entry that was shown.
fn page<'a>(
    names: impl Iterator<Item = &'a String>,
    wanted: Option<usize>,
    token: Option<&str>,
    default: usize,
) -> Result<(Vec<&'a String>, Option<String>), ApiError> {
    let most = wanted.unwrap_or(default);
    if !(1..=PAGE_MAX).contains(&most) {
        return Err(invalid("maxResults must be between 1 and 100"));
    }
    let after = token.map(|token| token.strip_prefix("after-").ok_or_else(|| invalid("Invalid token")));
    let after = after.transpose()?;
    let mut rest = names.filter(|name| after.is_none_or(|after| name.as_str() > after));
    let page: Vec<&String> = rest.by_ref().take(most).collect();
    let next = rest.next().and_then(|_| page.last()).map(|last| format!("after-{last}"));
    Ok((page, next))
}

fn with_token(mut answer: Value, next: Option<String>) -> Value {
    if let Some(next) = next {
        answer["nextToken"] = next.into();
    }
    answer
}
