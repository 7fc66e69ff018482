//! ECS services and their autoscaling.

use aws_sdk_applicationautoscaling::types::{ScalableDimension, ServiceNamespace, SuspendedState};
use aws_sdk_ecs::{
    Client,
    error::ProvideErrorMetadata,
    types::{AwsVpcConfiguration, ContainerDefinition, NetworkConfiguration},
};
use opsctl::{
    cloud::{ErrorKind, ecs::Wanted},
    domain::{EcsClusterName, Rollout, Service, ServiceId, ServiceName, TaskBounds, TaskDefinition},
};

use super::{Check, ground::Ground};

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("services are described, and what is missing is told", described),
        Check::new("services come in pages", pages),
        Check::new("eleven services are refused", eleven),
        Check::new("a desired count makes no deployment and starts tasks", wakes),
        Check::new("a service put to sleep tells why its tasks stopped", sleeps),
        Check::new("a service that is not there is not found", not_found),
        Check::new("a forced deployment is a new one of the same revision", deploys_again),
        Check::new("a revision is deployed once however often it is set", deploys),
        Check::new("a revision that does not exist is refused", deploys_nothing),
        Check::new("completed deployments tell what ran before", completed),
        Check::new("the active revision before is found", revision_before),
        Check::new("autoscaling tells bounds and what is suspended", scaling),
        Check::new("bounds are moved and tell so", bounds),
    ]
}

fn raw(ground: &Ground) -> Client {
    Client::new(&ground.raw)
}

/// A cluster of this check with services at zero.
async fn cluster(ground: &Ground, services: &[&str]) -> EcsClusterName {
    let (client, name) = (raw(ground), ground.prefix().to_owned());
    client.create_cluster().cluster_name(&name).send().await.expect("a cluster");
    let container = ContainerDefinition::builder().name("app").image("app:1").essential(true).build();
    let definition = client.register_task_definition().family(&name).container_definitions(container);
    definition.send().await.expect("a task definition");
    for service in services {
        let subnets = AwsVpcConfiguration::builder().subnets("subnet-1").build().expect("subnets");
        let network = NetworkConfiguration::builder().awsvpc_configuration(subnets).build();
        let service = client.create_service().cluster(&name).service_name(*service).task_definition(&name);
        service.desired_count(0).network_configuration(network).send().await.expect("a service");
    }
    EcsClusterName(name)
}

fn id(cluster: &EcsClusterName, name: &str) -> ServiceId {
    ServiceId { cluster: cluster.clone(), name: ServiceName(name.to_owned()) }
}

async fn service(ground: &Ground, id: &ServiceId) -> Service {
    ground.cloud.ecs.service(id).await.expect("described")
}

/// Sets the count, and waits until as many tasks run.
async fn set(ground: &Ground, id: &ServiceId, count: u32) {
    let told = ground.cloud.ecs.set_desired(id, count).await.expect("updated");
    assert_eq!(told.desired, count);
    ground
        .eventually("as many tasks run as shall", async || {
            let seen = service(ground, id).await;
            (seen.desired, seen.running, seen.pending) == (count, count, 0)
        })
        .await;
}

async fn described(ground: Ground) {
    let cluster = cluster(&ground, &["api"]).await;
    let names = [ServiceName("api".into()), ServiceName("nobody".into())];
    let answer = ground.cloud.ecs.describe(&cluster, &names).await.expect("HTTP 200");
    let [api] = answer.found.as_slice() else { panic!("one service: {answer:?}") };
    assert_eq!((&api.id, api.desired, api.status.as_str()), (&id(&cluster, "api"), 0, "ACTIVE"));
    assert!(api.task_definition.0.starts_with(ground.prefix()) && api.primary().is_some(), "{api:?}");
    let [missing] = answer.missing.as_slice() else { panic!("one is missing: {answer:?}") };
    assert_eq!(missing.reason.as_str(), "MISSING");
}

async fn pages(ground: Ground) {
    let names: Vec<String> = (0..23).map(|number| format!("s{number:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let cluster = cluster(&ground, &names).await;
    let client = raw(&ground);
    let first = client.list_services().cluster(&cluster.0).send().await.expect("listed");
    assert_eq!((first.service_arns().len(), first.next_token().is_some()), (10, true));
    let mut listed = ground.cloud.ecs.service_names(&cluster).await.expect("listed");
    listed.sort();
    assert_eq!(listed.iter().map(|name| name.0.as_str()).collect::<Vec<_>>(), names);
    let all = ground.cloud.ecs.describe(&cluster, &listed).await.expect("described");
    assert_eq!((all.found.len(), all.missing.len()), (23, 0));
}

async fn eleven(ground: Ground) {
    let cluster = cluster(&ground, &[]).await;
    let names = (0..11).map(|number| format!("s{number}")).collect();
    let call = raw(&ground).describe_services().cluster(&cluster.0).set_services(Some(names));
    let error = call.send().await.expect_err("refused");
    assert_eq!(error.code(), Some("InvalidParameterException"));
}

async fn wakes(ground: Ground) {
    let id = id(&cluster(&ground, &["api"]).await, "api");
    let before = service(&ground, &id).await.primary().map(|primary| primary.id.clone());
    set(&ground, &id, 2).await;
    let after = service(&ground, &id).await;
    assert_eq!(after.primary().map(|primary| primary.id.clone()), before);
    let tasks = ground.cloud.ecs.tasks(&id, Wanted::Running).await.expect("tasks");
    assert_eq!((tasks.found.len(), tasks.missing.len()), (2, 0));
    assert!(tasks.found.iter().all(|task| task.status.as_str() == "RUNNING"), "{tasks:?}");
}

async fn sleeps(ground: Ground) {
    let id = id(&cluster(&ground, &["api"]).await, "api");
    set(&ground, &id, 1).await;
    set(&ground, &id, 0).await;
    let stop_code = async || {
        let tasks = ground.cloud.ecs.tasks(&id, Wanted::Stopped).await.expect("tasks");
        tasks.found.first().and_then(|task| task.stop_code.clone())
    };
    ground.eventually("the task has stopped", async || stop_code().await.is_some()).await;
    assert_eq!(stop_code().await.expect("still told").as_str(), "ServiceSchedulerInitiated");
}

/// Registers one more revision of the check's family.
async fn register(ground: &Ground, image: &str) -> TaskDefinition {
    let container = ContainerDefinition::builder().name("app").image(image).essential(true).build();
    let definition = raw(ground).register_task_definition().family(ground.prefix()).container_definitions(container);
    let answer = definition.send().await.expect("a task definition");
    let arn = answer.task_definition().and_then(|definition| definition.task_definition_arn()).expect("an ARN");
    TaskDefinition::of_arn(arn)
}

async fn is_completed(ground: &Ground, id: &ServiceId, definition: &TaskDefinition) {
    ground
        .eventually("the deployment is completed", async || {
            let shown = service(ground, id).await;
            let is_only = shown.deployments.len() == 1;
            let primary = shown.primary();
            let is_done = primary.is_some_and(|one| one.rollout.is_none_or(|rollout| rollout == Rollout::Completed));
            is_only && is_done && shown.task_definition == *definition
        })
        .await;
}

async fn deploys_again(ground: Ground) {
    let id = id(&cluster(&ground, &["api"]).await, "api");
    set(&ground, &id, 1).await;
    let before = service(&ground, &id).await;
    let told = ground.cloud.ecs.deploy_again(&id).await.expect("updated");
    let deployment = |shown: &Service| shown.primary().map(|primary| primary.id.clone());
    assert_ne!(deployment(&told), deployment(&before));
    assert_eq!(told.task_definition, before.task_definition);
    ground
        .eventually("the new deployment is the only one", async || {
            let shown = service(&ground, &id).await;
            shown.deployments.len() == 1 && deployment(&shown) == deployment(&told)
        })
        .await;
}

async fn deploys(ground: Ground) {
    let id = id(&cluster(&ground, &["api"]).await, "api");
    let second = register(&ground, "app:2").await;
    let first = ground.cloud.ecs.deploy(&id, &second).await.expect("updated");
    let again = ground.cloud.ecs.deploy(&id, &second).await.expect("updated");
    assert_eq!(first.task_definition, second);
    let deployment = |shown: &Service| shown.primary().map(|primary| primary.id.clone());
    assert_eq!(deployment(&first), deployment(&again));
}

async fn deploys_nothing(ground: Ground) {
    let id = id(&cluster(&ground, &["api"]).await, "api");
    let nowhere = ground.cloud.ecs.deploy(&id, &TaskDefinition("no-such-family:7".into())).await;
    assert!(nowhere.is_err(), "deployed: {nowhere:?}");
}

async fn completed(ground: Ground) {
    let id = id(&cluster(&ground, &["api"]).await, "api");
    let first = service(&ground, &id).await.task_definition;
    is_completed(&ground, &id, &first).await;
    let second = register(&ground, "app:2").await;
    ground.cloud.ecs.deploy(&id, &second).await.expect("updated");
    is_completed(&ground, &id, &second).await;
    let before = ground.cloud.ecs.completed(&id, &second).await.expect("told").expect("one ran before");
    assert_eq!(before.definition, first);
    assert!(before.finished_at.is_some());
}

async fn revision_before(ground: Ground) {
    let first = register(&ground, "app:1").await;
    let (_, third) = (register(&ground, "app:2").await, register(&ground, "app:3").await);
    let before = ground.cloud.ecs.revision_before(&third).await.expect("listed").expect("two");
    assert_eq!(before.parts().map(|(_, revision)| revision), third.parts().map(|(_, revision)| revision - 1));
    assert_eq!(ground.cloud.ecs.revision_before(&first).await.expect("listed"), None);
    let raw = raw(&ground);
    raw.deregister_task_definition().task_definition(&before.0).send().await.expect("deregistered");
    let gone = ground.cloud.ecs.definition(&before.0).await.expect("described");
    assert!(!gone.is_active);
    assert_eq!(ground.cloud.ecs.revision_before(&third).await.expect("listed"), Some(first));
}

async fn not_found(ground: Ground) {
    let cluster = cluster(&ground, &[]).await;
    let gone = id(&cluster, "nobody");
    let kind = |error: opsctl::cloud::CloudError| error.kind;
    assert_eq!(ground.cloud.ecs.set_desired(&gone, 1).await.map_err(kind).err(), Some(ErrorKind::NotFound));
    assert_eq!(ground.cloud.ecs.service(&gone).await.map_err(kind).err(), Some(ErrorKind::NotFound));
    let nowhere = EcsClusterName(format!("{}-gone", ground.prefix()));
    assert_eq!(ground.cloud.ecs.service_names(&nowhere).await.map_err(kind).err(), Some(ErrorKind::NotFound));
}

async fn scaling(ground: Ground) {
    let id = id(&cluster(&ground, &["api"]).await, "api");
    let client = aws_sdk_applicationautoscaling::Client::new(&ground.raw);
    let suspended = SuspendedState::builder().dynamic_scaling_in_suspended(true).build();
    let call = client.register_scalable_target().service_namespace(ServiceNamespace::Ecs);
    let call = call.scalable_dimension(ScalableDimension::EcsServiceDesiredCount).resource_id(format!("service/{id}"));
    call.min_capacity(1).max_capacity(4).suspended_state(suspended).send().await.expect("registered");
    let all = ground.cloud.autoscaling.services().await.expect("described");
    let scaling = &all[&id];
    assert_eq!((scaling.min, scaling.max), (1, 4));
    assert_eq!((scaling.in_suspended, scaling.out_suspended, scaling.scheduled_suspended), (true, false, false));
}

async fn bounds(ground: Ground) {
    let id = id(&cluster(&ground, &["api"]).await, "api");
    let (narrow, wide) = (TaskBounds { min: 1, max: 2 }, TaskBounds { min: 1, max: 9 });
    for bounds in [narrow, wide] {
        ground.cloud.autoscaling.set_bounds(&id, bounds).await.expect("registered");
        assert_eq!(ground.cloud.autoscaling.bounds(&id).await.expect("described"), Some(bounds));
    }
    assert_eq!(ground.cloud.autoscaling.under_way(&id).await.expect("told").len(), 0);
    let nobody = ServiceId::new("nowhere", "nobody");
    assert_eq!(ground.cloud.autoscaling.bounds(&nobody).await.expect("described"), None);
}
