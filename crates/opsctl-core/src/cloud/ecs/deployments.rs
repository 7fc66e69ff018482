//! What changes a service, and what it ran before.
//!
//! `UpdateService` has no client token. A desired count and a task definition are absolute, so that setting one twice is the same as once
//! as long as nobody else sets another in between: that is why a lost answer is looked at before the call is made again. A forced
//! deployment is not: each call makes another one.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Ecs, PAGE, Request, Told as _, convert, from_json};
use crate::{
    cloud::{CloudError, ErrorKind, classify, pages::Pages},
    domain::{Service, ServiceId, TaskDefinition},
};

/// ARNs of one `DescribeServiceRevisions` (API reference).
const REVISIONS_AT_ONCE: usize = 20;
/// Pages of a family's revisions that are followed.
const PAGES_MAX: usize = 200;

/// A deployment of a service that was completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completed {
    pub definition: TaskDefinition,
    pub finished_at: Option<Timestamp>,
}

impl Ecs {
    /// Sets a service's desired count, in one attempt; answers the service as ECS shows it then. Makes no deployment.
    pub async fn set_desired(&self, service: &ServiceId, count: u32) -> Result<Service, CloudError> {
        let count = i32::try_from(count)
            .map_err(|_| CloudError::new(ErrorKind::Invalid, UPDATE, &format!("a desired count of {count}")))?;
        self.update(service, "desiredCount", count.into()).await
    }

    /// Starts a deployment of the revision that runs, in one attempt: each call makes another one.
    pub async fn deploy_again(&self, service: &ServiceId) -> Result<Service, CloudError> {
        self.update(service, "forceNewDeployment", true.into()).await
    }

    /// Lets a service run another revision, in one attempt. Makes no deployment where it is the one that runs.
    pub async fn deploy(&self, service: &ServiceId, definition: &TaskDefinition) -> Result<Service, CloudError> {
        self.update(service, "taskDefinition", definition.0.as_str().into()).await
    }

    async fn update(&self, service: &ServiceId, what: &str, value: Value) -> Result<Service, CloudError> {
        let mut given = json!({ "cluster": service.cluster.0, "service": service.name.0 });
        given[what] = value;
        let answer = self.once.write(UPDATE, Request::Json(given), from_json).await?;
        let shown = answer.get("service").ok_or_else(|| classify::malformed(UPDATE, "the answer has no service"))?;
        convert::service(shown).map_err(|what| classify::malformed(UPDATE, &what))
    }

    /// The newest completed deployment of another revision than this one; none: ECS tells of none. It keeps them for 90 days.
    ///
    /// # Errors
    /// Of the first call that fails.
    pub async fn completed(
        &self,
        service: &ServiceId,
        other_than: &TaskDefinition,
    ) -> Result<Option<Completed>, CloudError> {
        const ACTION: &str = "ecs:ListServiceDeployments";
        let given = json!({
            "cluster": service.cluster.0, "service": service.name.0, "status": ["SUCCESSFUL"], "maxResults": PAGE,
        });
        let answer = self.ask(ACTION, given).await?;
        let mut briefs: Vec<&Value> = answer.list("serviceDeployments").iter().collect();
        briefs.sort_by_key(|brief| std::cmp::Reverse(brief.time("createdAt")));
        for some in briefs.chunks(REVISIONS_AT_ONCE) {
            let arn = |brief: &&Value| brief.word("targetServiceRevisionArn").unwrap_or_default().to_owned();
            let arns: Vec<String> = some.iter().map(arn).collect();
            let revisions = self.ask("ecs:DescribeServiceRevisions", json!({ "serviceRevisionArns": arns })).await?;
            let definition = |arn: &String| {
                let is_it = |revision: &&Value| revision.word("serviceRevisionArn") == Some(arn);
                let revision = revisions.list("serviceRevisions").iter().find(is_it)?;
                Some(TaskDefinition::of_arn(revision.word("taskDefinition")?))
            };
            let told = arns.iter().zip(some).filter_map(|(arn, brief)| Some((definition(arn)?, brief)));
            let mut others = told.filter(|(definition, _)| definition != other_than);
            if let Some((definition, brief)) = others.next() {
                return Ok(Some(Completed { definition, finished_at: brief.time("finishedAt") }));
            }
        }
        Ok(None)
    }

    /// The newest active revision of the same family before this one; whether it ever ran, nobody says.
    ///
    /// # Errors
    /// Of the first call that fails.
    pub async fn revision_before(&self, definition: &TaskDefinition) -> Result<Option<TaskDefinition>, CloudError> {
        const ACTION: &str = "ecs:ListTaskDefinitions";
        let Some((family, revision)) = definition.parts() else { return Ok(None) };
        let mut given = json!({ "familyPrefix": family, "status": "ACTIVE", "sort": "DESC", "maxResults": PAGE });
        let mut pages: Pages<TaskDefinition> = Pages::new(ACTION, PAGES_MAX);
        while pages.more()? {
            given["nextToken"] = pages.token().into();
            let page = self.ask(ACTION, given.clone()).await?;
            let names = page.words("taskDefinitionArns").into_iter().map(|arn| TaskDefinition::of_arn(&arn));
            let is_before = |one: &TaskDefinition| one.parts().is_some_and(|of| of.0 == family && of.1 < revision);
            let before = names.filter(is_before).max_by_key(|one| one.parts().map(|(_, revision)| revision));
            if before.is_some() {
                return Ok(before);
            }
            pages.add(std::iter::empty(), page.word("nextToken").map(str::to_owned))?;
        }
        Ok(None)
    }
}

const UPDATE: &str = "ecs:UpdateService";
