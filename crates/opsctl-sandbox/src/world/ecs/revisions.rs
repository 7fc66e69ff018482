//! Service deployments and service revisions: what a service ran before.
//!
//! AWS keeps them for 90 days. A rollback of the circuit breaker belongs to the service deployment that failed: only `DescribeServices`
//! shows it as a deployment of its own. Which status a deployment has that failed and is not rolled back is our assumption.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Ecs, PlaceKey, invalid, key,
    model::{Breaker, Deployment, Rollout, Service},
    read::{cluster_name, last_part, missing, no_cluster},
    show,
};
use crate::world::{
    call::{Answered, Call, given},
    page::page,
};

/// Entries of a page of `ListServiceDeployments`, and ARNs of a `DescribeServiceRevisions` (API reference).
const PAGE_MAX: usize = 100;
const PAGE_DEFAULT: usize = 20;
const REVISIONS_MAX: usize = 20;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListServiceDeployments {
    cluster: Option<String>,
    service: String,
    #[serde(default)]
    status: Vec<String>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DescribeServiceRevisions {
    service_revision_arns: Vec<String>,
}

impl Deployment {
    /// The number of `ecs-svc/number`: its service revision has the same.
    fn number(&self) -> &str {
        self.id.rsplit('/').next().unwrap_or(&self.id)
    }

    fn arn(&self, place: &PlaceKey, kind: &str, of: (&str, &str)) -> String {
        show::arn(place, &format!("{kind}/{}/{}/{}", of.0, of.1, self.number()))
    }

    fn status(&self, is_newest: bool, breaker: Breaker, back: Option<Rollout>) -> &'static str {
        match (self.rollout, breaker, back) {
            (Rollout::Completed, ..) => "SUCCESSFUL",
            (Rollout::InProgress, ..) if is_newest => "IN_PROGRESS",
            (Rollout::InProgress, ..) => "STOPPED",
            (Rollout::Failed, Breaker::RollsBack, Some(Rollout::InProgress)) => "ROLLBACK_IN_PROGRESS",
            (Rollout::Failed, Breaker::RollsBack, _) => "ROLLBACK_SUCCESSFUL",
            (Rollout::Failed, Breaker::Off | Breaker::Fails, _) => "STOPPED",
        }
    }
}

impl Service {
    /// Every deployment that it had, the newest first.
    pub(super) fn all_deployments(&self) -> impl Iterator<Item = &Deployment> {
        self.deployments.iter().chain(self.past.iter().rev())
    }

    /// Each with its status, the newest first.
    fn told(&self) -> Vec<(&Deployment, &'static str)> {
        let (mut told, mut back) = (Vec::new(), None);
        for deployment in self.all_deployments() {
            if deployment.is_rollback {
                back = Some(deployment.rollout);
                continue;
            }
            let is_newest = told.is_empty() && back.is_none();
            told.push((deployment, deployment.status(is_newest, self.breaker, back.take())));
        }
        told
    }

    /// Deployments that are over leave the service's description.
    pub(super) fn retire(&mut self) {
        let over = self.deployments.split_off(1);
        self.past.extend(over.into_iter().rev());
    }
}

impl Ecs {
    pub(super) fn list_service_deployments(&self, call: Call, request: ListServiceDeployments) -> Answered<Value> {
        let place = key(call.caller);
        let cluster = cluster_name(request.cluster.as_deref());
        let name = last_part(&request.service);
        let region = self.places.get(&place).and_then(|region| region.clusters.get(cluster)).ok_or_else(no_cluster)?;
        let service =
            region.services.get(name).ok_or_else(|| super::error("ServiceNotFoundException", "Service not found."))?;
        let most = request.max_results.unwrap_or(PAGE_DEFAULT);
        if !(1..=PAGE_MAX).contains(&most) {
            return Err(invalid("maxResults must be between 1 and 100"));
        }
        let wanted = |status: &str| request.status.is_empty() || request.status.iter().any(|one| one == status);
        let told = service.told();
        let shown = told.iter().enumerate().filter(|(_, (_, status))| wanted(status)).map(|(index, (one, status))| {
            let is_over = one.rollout != Rollout::InProgress;
            let brief = given(json!({
                "serviceDeploymentArn": one.arn(&place, "service-deployment", (cluster, name)),
                "serviceArn": show::arn(&place, &format!("service/{cluster}/{name}")),
                "clusterArn": show::arn(&place, &format!("cluster/{cluster}")),
                "targetServiceRevisionArn": one.arn(&place, "service-revision", (cluster, name)),
                "createdAt": show::time(one.created_at), "startedAt": show::time(one.created_at),
                "finishedAt": is_over.then(|| show::time(one.updated_at)),
                "status": status,
            }));
            (format!("{index:06}"), brief)
        });
        let page = page(shown, most, request.next_token.as_deref(), |(index, _)| index);
        let (entries, next) = page.ok_or_else(|| invalid("Invalid token"))?;
        let briefs: Vec<Value> = entries.into_iter().map(|(_, brief)| brief).collect();
        Ok(given(json!({ "serviceDeployments": briefs, "nextToken": next })))
    }

    pub(super) fn describe_service_revisions(&self, call: Call, request: DescribeServiceRevisions) -> Answered<Value> {
        let place = key(call.caller);
        let arns = &request.service_revision_arns;
        match arns.len() {
            0 => return Err(invalid("serviceRevisionArns cannot be empty.")),
            count if count > REVISIONS_MAX => {
                return Err(invalid(format!("serviceRevisionArns cannot have more than {REVISIONS_MAX} elements.")));
            }
            _ => {}
        }
        let (mut found, mut failures) = (Vec::new(), Vec::new());
        for arn in arns {
            let rest = arn.split_once(":service-revision/").map_or("", |(_, rest)| rest);
            match self.revision(&place, rest) {
                Some(shown) => found.push(shown),
                None => failures.push(missing(&place, &format!("service-revision/{rest}"))),
            }
        }
        Ok(json!({ "serviceRevisions": found, "failures": failures }))
    }

    /// The revision `cluster/service/number`.
    fn revision(&self, place: &PlaceKey, rest: &str) -> Option<Value> {
        let [cluster, name, number] = rest.split('/').collect::<Vec<_>>().try_into().ok()?;
        let service = self.places.get(place)?.clusters.get(cluster)?.services.get(name)?;
        let deployment = service.all_deployments().find(|one| one.number() == number)?;
        Some(json!({
            "serviceRevisionArn": deployment.arn(place, "service-revision", (cluster, name)),
            "serviceArn": show::arn(place, &format!("service/{cluster}/{name}")),
            "clusterArn": show::arn(place, &format!("cluster/{cluster}")),
            "taskDefinition": show::arn(place, &format!("task-definition/{}", deployment.definition)),
            "launchType": "FARGATE", "platformVersion": "1.4.0", "platformFamily": "Linux",
            "loadBalancers": service.balancers, "networkConfiguration": service.network,
            "createdAt": show::time(deployment.created_at),
        }))
    }
}
