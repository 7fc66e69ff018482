//! One-off tasks and CloudWatch Logs.

use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use aws_sdk_ecs::types::{AwsVpcConfiguration, ContainerDefinition, NetworkConfiguration, NetworkMode};
use opsctl::{
    cloud::{
        ErrorKind,
        ecs::{By, Launch, Launched, Wanted},
        logs::{Follower, Lacks},
    },
    domain::{EcsClusterName, Network, ServiceId, Task},
};

use super::{Check, ground::Ground};

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("a task definition is pinned by its newest revision", pinned),
        Check::new("the same token is the same task", same_token),
        Check::new("a token with other parameters names its task", conflict),
        Check::new("a task is found by who started it", found),
        Check::new("a stopped task tells who stopped it", stopped),
        Check::new("a service's network can be copied", network),
        Check::new("a stream is followed until its end, and on", followed),
        Check::new("a missing group and a missing stream are told apart", missing),
        Check::new("a search finds lines and a listing groups", searched),
    ]
}

/// A cluster and a task definition of this check.
async fn launch(ground: &Ground, token: &str) -> Launch {
    let (client, name) = (aws_sdk_ecs::Client::new(&ground.raw), ground.prefix().to_owned());
    client.create_cluster().cluster_name(&name).send().await.expect("a cluster");
    let container = ContainerDefinition::builder().name("app").image("app:1").essential(true).command("up").build();
    let definition = client.register_task_definition().family(&name).container_definitions(container);
    let definition = definition.network_mode(NetworkMode::Awsvpc).send().await.expect("a task definition");
    let definition = definition.task_definition.and_then(|found| found.task_definition_arn).expect("an ARN");
    Launch {
        cluster: name.clone(),
        definition,
        container: "app".into(),
        command: Some(vec!["status".into()]),
        network: Network { subnets: vec!["subnet-1".into()], ..Network::default() },
        placement: Default::default(),
        started_by: "opsctl-migrate/contract".into(),
        group: "opsctl-contract".into(),
        token: format!("{token}-{:x}", fastrand::u64(..)),
    }
}

async fn start(ground: &Ground, launch: &Launch) -> Task {
    match ground.cloud.ecs.run_task(launch).await.expect("an answer") {
        Launched::Started(task) => *task,
        other => panic!("not started: {other:?}"),
    }
}

async fn pinned(ground: Ground) {
    let launch = launch(&ground, "t").await;
    let found = ground.cloud.ecs.definition(ground.prefix()).await.expect("described");
    assert_eq!((&found.arn, found.is_active, found.family()), (&launch.definition, true, ground.prefix()));
    let container = found.container("app").expect("a container");
    assert_eq!(
        (container.image.as_str(), &container.command, container.is_essential),
        ("app:1", &vec!["up".into()], true)
    );
    let families = ground.cloud.ecs.families().await.expect("listed");
    assert!(families.iter().any(|family| family == ground.prefix()), "{families:?}");
    let error = ground.cloud.ecs.definition("opsctl-nothing").await.expect_err("nothing");
    assert_eq!(error.kind, ErrorKind::NotFound, "{error:?}");
}

async fn same_token(ground: Ground) {
    let launch = launch(&ground, "same").await;
    let first = start(&ground, &launch).await;
    assert_eq!(start(&ground, &launch).await.arn, first.arn);
}

async fn conflict(ground: Ground) {
    let launch = launch(&ground, "other").await;
    let first = start(&ground, &launch).await;
    let other = Launch { command: Some(vec!["down".into()]), ..launch };
    let answer = ground.cloud.ecs.run_task(&other).await.expect("an answer");
    assert_eq!(answer, Launched::Conflict(vec![first.arn]));
}

async fn found(ground: Ground) {
    let launch = launch(&ground, "t").await;
    let task = start(&ground, &launch).await;
    let (ecs, cluster) = (&ground.cloud.ecs, EcsClusterName(launch.cluster.clone()));
    for by in [By::StartedBy(&launch.started_by), By::Family(ground.prefix())] {
        let tasks = ecs.tasks_by(&cluster, by, Wanted::Running).await.expect("listed").found;
        assert_eq!(tasks.iter().map(|task| &task.arn).collect::<Vec<_>>(), [&task.arn], "{by:?}");
        assert_eq!(tasks[0].group.as_ref().map(|group| group.as_str()), Some("opsctl-contract"));
    }
    let nobody = ecs.tasks_by(&cluster, By::StartedBy("nobody"), Wanted::Running).await.expect("listed");
    assert!(nobody.found.is_empty() && nobody.missing.is_empty(), "{nobody:?}");
}

async fn stopped(ground: Ground) {
    let launch = launch(&ground, "t").await;
    let task = start(&ground, &launch).await;
    ground.cloud.ecs.stop_task(&launch.cluster, &task.arn, "enough").await.expect("told");
    ground
        .eventually("it has stopped", async || {
            let seen = ground.cloud.ecs.task(&launch.cluster, &task.arn).await.expect("described");
            seen.is_some_and(|task| task.status.as_str() == "STOPPED")
        })
        .await;
    let seen = ground.cloud.ecs.task(&launch.cluster, &task.arn).await.expect("described").expect("there");
    let text = |text: &Option<opsctl::domain::Text>| text.as_ref().map(ToString::to_string);
    assert_eq!(
        (text(&seen.stop_code), text(&seen.stopped_reason)),
        (Some("UserInitiated".into()), Some("enough".into()))
    );
}

async fn network(ground: Ground) {
    let launch = launch(&ground, "t").await;
    let given = AwsVpcConfiguration::builder().subnets("subnet-7").security_groups("sg-7").build().expect("subnets");
    let given = NetworkConfiguration::builder().awsvpc_configuration(given).build();
    let client = aws_sdk_ecs::Client::new(&ground.raw);
    let service = client.create_service().cluster(&launch.cluster).service_name("api").task_definition(ground.prefix());
    service.desired_count(0).network_configuration(given).send().await.expect("a service");
    let (network, _) = ground.cloud.ecs.surroundings(&ServiceId::new(&launch.cluster, "api")).await.expect("described");
    let network = network.expect("a network");
    assert_eq!((network.subnets, network.security_groups), (vec!["subnet-7".into()], vec!["sg-7".into()]));
    let error = ground.cloud.ecs.surroundings(&ServiceId::new(&launch.cluster, "nobody")).await.expect_err("nobody");
    assert_eq!(error.kind, ErrorKind::NotFound);
}

/// A group with a stream.
async fn group(ground: &Ground, stream: &str) -> (aws_sdk_cloudwatchlogs::Client, String) {
    let (client, group) = (aws_sdk_cloudwatchlogs::Client::new(&ground.raw), format!("/{}", ground.prefix()));
    client.create_log_group().log_group_name(&group).send().await.expect("a group");
    client.create_log_stream().log_group_name(&group).log_stream_name(stream).send().await.expect("a stream");
    (client, group)
}

async fn put(ground: &Ground, client: &aws_sdk_cloudwatchlogs::Client, group: &str, stream: &str, lines: &[&str]) {
    let at = ground.clock().now().as_millisecond();
    let event = |(index, line): (usize, &&str)| {
        InputLogEvent::builder().timestamp(at + index as i64).message(*line).build().expect("an event")
    };
    let events = lines.iter().enumerate().map(event).collect();
    let call = client.put_log_events().log_group_name(group).log_stream_name(stream);
    call.set_log_events(Some(events)).send().await.expect("put");
}

async fn followed(ground: Ground) {
    let (client, group) = group(&ground, "s").await;
    put(&ground, &client, &group, "s", &["one", "two\u{1b}"]).await;
    let mut follower = Follower::new(&group, "s");
    let texts = |lines: Vec<opsctl::domain::log::LogLine>| {
        lines.into_iter().map(|line| line.text.to_string()).collect::<Vec<_>>()
    };
    let logs = &ground.cloud.logs;
    assert_eq!(texts(follower.look(logs).await.expect("read")), ["one", "two␛"]);
    assert!(follower.look(logs).await.expect("read").is_empty());
    ground.wait(1).await;
    put(&ground, &client, &group, "s", &["three"]).await;
    assert_eq!(texts(follower.look(logs).await.expect("read")), ["three"]);
    assert_eq!((follower.lines, follower.lacks), (3, None));
}

async fn missing(ground: Ground) {
    let (_, group) = group(&ground, "s").await;
    for (group, lacks) in [(group.as_str(), Lacks::Stream), ("/opsctl/nothing", Lacks::Group)] {
        let mut follower = Follower::new(group, "nothing");
        assert!(follower.look(&ground.cloud.logs).await.expect("nothing yet").is_empty());
        assert_eq!(follower.lacks, Some(lacks), "{group}");
    }
}

async fn searched(ground: Ground) {
    let before = ground.clock().now();
    let (client, group) = group(&ground, "s").await;
    put(&ground, &client, &group, "s", &["ERROR one", "fine", "ERROR two"]).await;
    let logs = &ground.cloud.logs;
    let since = before.checked_sub(jiff::SignedDuration::from_secs(5)).expect("a time");
    let found = logs.search(&group, "ERROR", since, 10).await.expect("searched");
    assert_eq!((found.lines.len(), found.is_cut), (2, false));
    let one = logs.search(&group, "ERROR", since, 1).await.expect("searched");
    assert_eq!((one.lines.len(), one.is_cut), (1, true));
    assert!(logs.has_group(&group).await.expect("told") && !logs.has_group("/opsctl/no").await.expect("told"));
    assert_eq!(logs.groups(&group).await.expect("listed"), [group.as_str()]);
    assert_eq!(logs.streams(&group, "").await.expect("listed"), ["s"]);
}
