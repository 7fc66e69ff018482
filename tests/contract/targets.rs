//! Target groups of load balancers, and how the tasks of services stand in them.

use std::time::Duration;

use aws_sdk_ecs::types::{AwsVpcConfiguration, ContainerDefinition, LoadBalancer, NetworkConfiguration};
use aws_sdk_elasticloadbalancingv2::types::{ProtocolEnum, TargetTypeEnum};
use opsctl::{
    cloud::ErrorKind,
    domain::{ServiceId, TargetGroupArn, TargetState},
};

use super::{Check, ground::Ground};

/// A task runs and is checked within 25 s on the sandbox; who registers none shall not hold up everybody else.
const HEALTHY_WAIT_MAX: Duration = Duration::from_secs(40);

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("a new target group has no targets", empty),
        Check::new("a target group that is not there is not found", not_found),
        Check::new("a service's tasks become healthy targets and go", targets),
    ]
}

/// A target group of this check.
async fn group(ground: &Ground) -> TargetGroupArn {
    let client = aws_sdk_elasticloadbalancingv2::Client::new(&ground.raw);
    // Names have 32 characters at most.
    let name = format!("t-{:016x}", fastrand::u64(..));
    let call = client.create_target_group().name(name).port(8080).protocol(ProtocolEnum::Http);
    let made = call.vpc_id("vpc-1").target_type(TargetTypeEnum::Ip).send().await.expect("a target group");
    let arn = made.target_groups().first().and_then(|group| group.target_group_arn()).expect("its ARN");
    TargetGroupArn(arn.to_owned())
}

async fn empty(ground: Ground) {
    let group = group(&ground).await;
    assert_eq!(ground.cloud.load_balancers.health(&group).await.expect("an answer"), []);
}

async fn not_found(ground: Ground) {
    let group = group(&ground).await;
    let (start, _) = group.0.rsplit_once('/').expect("an ARN");
    let gone = TargetGroupArn(format!("{start}/0123456789abcdef"));
    let error = ground.cloud.load_balancers.health(&gone).await.expect_err("refused");
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::NotFound, Some("TargetGroupNotFound")));
}

async fn targets(ground: Ground) {
    let (client, name, group) = (aws_sdk_ecs::Client::new(&ground.raw), ground.prefix(), group(&ground).await);
    client.create_cluster().cluster_name(name).send().await.expect("a cluster");
    let container = ContainerDefinition::builder().name("app").image("app:1").essential(true).build();
    let definition = client.register_task_definition().family(name).container_definitions(container);
    definition.send().await.expect("a task definition");
    let subnets = AwsVpcConfiguration::builder().subnets("subnet-1").build().expect("subnets");
    let network = NetworkConfiguration::builder().awsvpc_configuration(subnets).build();
    let balancer = LoadBalancer::builder().target_group_arn(&group.0).container_name("app").container_port(8080);
    let call = client.create_service().cluster(name).service_name("api").task_definition(name).desired_count(0);
    let call = call.network_configuration(network).load_balancers(balancer.build());
    call.health_check_grace_period_seconds(60).send().await.expect("a service");
    let id = ServiceId::new(name, "api");
    let shown = ground.cloud.ecs.service(&id).await.expect("described");
    let [told] = shown.target_groups.as_slice() else { panic!("one target group: {shown:?}") };
    assert_eq!((&told.arn, &told.alternate, told.port), (&group, &None, Some(8080)));
    ground.cloud.ecs.set_desired(&id, 2).await.expect("updated");
    let healthy = ground.eventually("two targets are healthy", async || {
        let seen = ground.cloud.load_balancers.health(&group).await.expect("an answer");
        seen.len() == 2 && seen.iter().all(|one| one.state == TargetState::Healthy && one.reason.is_none())
    });
    let clock = ground.clock();
    tokio::select! {
        () = healthy => {}
        () = clock.sleep(HEALTHY_WAIT_MAX) => panic!("no two healthy targets after {HEALTHY_WAIT_MAX:?}"),
    }
    ground.cloud.ecs.set_desired(&id, 0).await.expect("updated");
    ground
        .eventually("no target is left", async || {
            ground.cloud.load_balancers.health(&group).await.expect("an answer").is_empty()
        })
        .await;
}
