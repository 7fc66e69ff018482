//! What changes services, killed and resumed: a restart makes one deployment and no second one, a rollback as well, and bounds of
//! autoscaling are as they were to be, and back again.

use std::time::Duration;

use aws_sdk_applicationautoscaling::types::{ScalableDimension, ServiceNamespace};
use aws_sdk_ecs::types::{ContainerDefinition, DeploymentRolloutState};
use futures_util::{StreamExt, stream};

use super::{
    ACCOUNT, At, SPEED,
    program::{Desk, Ended, Point},
    queues::config,
};
use crate::served::Served;

/// What is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scenario {
    Restart,
    Rollback,
    /// The count and the bounds, then both back.
    MoveBounds,
}

const SCENARIOS: [Scenario; 3] = [Scenario::Restart, Scenario::Rollback, Scenario::MoveBounds];
const CLUSTER: &str = "kill";
const ROUNDS: u64 = 6;
const ROUNDS_AT_ONCE: usize = 4;
/// Times that an operation or a resume of it is killed in a round.
const KILLS_MAX: usize = 3;
/// Tries after the last kill in which a run must have come to its end.
const TRIES_MAX: usize = 4;
/// Of a journal of such a run, about.
const BYTES: u64 = 4_500;
/// How long such a run takes, real milliseconds.
const MILLIS: u64 = 6_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_changes_of_services_are_made_once() {
    let faults = tempfile::NamedTempFile::new().expect("a file");
    let served = Served::start_at_with(SPEED, faults.path());
    let at = At {
        endpoint: served.url.clone(),
        joins: Some(served.runtime_folder().to_owned()),
        runs: format!("state/opsctl/sandbox/{}/runs", served.pid()),
        speed: SPEED,
        resumes_are_killed: true,
        waits_are_bound: false,
    };
    let seed = super::number("OPSCTL_TEST_SEED").unwrap_or_else(|| fastrand::u64(..));
    super::say(&format!("seed {seed}"));
    // One for all: each plan looks at every cluster, and all share the throttles.
    let ecs = aws_sdk_ecs::Client::new(&config(&at));
    ecs.create_cluster().cluster_name(CLUSTER).send().await.expect("a cluster");
    let rounds = SCENARIOS.into_iter().flat_map(|scenario| (0..ROUNDS).map(move |number| (scenario, number)));
    let rounds = stream::iter(rounds).map(|(scenario, number)| {
        let at = at.clone();
        async move { (scenario, play(&at, scenario, number, seed).await) }
    });
    let kills: Vec<(Scenario, usize)> = rounds.buffer_unordered(ROUNDS_AT_ONCE).collect().await;
    for scenario in SCENARIOS {
        let count: usize = kills.iter().filter(|(of, _)| *of == scenario).map(|(_, kills)| kills).sum();
        super::say(&format!("{scenario:?}: {count} kills in {ROUNDS} rounds"));
        assert!(count > 0, "{scenario:?}: nothing was killed");
    }
}

/// -> how often somebody was killed
///
/// # Panics
/// Something is not as it was to be.
async fn play(at: &At, scenario: Scenario, number: u64, seed: u64) -> usize {
    let mut round = Round::new(at, scenario, number, seed).await;
    let (service, before) = (round.service(), round.deployments().await);
    match scenario {
        Scenario::Restart => {
            round.carry_out(&["restart", &service]).await;
            let after = round.deployments().await;
            assert_eq!(after.len(), before.len() + 1, "one deployment: {}", round.story());
            assert_eq!(round.state().await, (2, 1, DeploymentRolloutState::Completed), "{}", round.story());
        }
        Scenario::Rollback => {
            round.carry_out(&["rollback", &service]).await;
            let after = round.deployments().await;
            assert_eq!(after.len(), before.len() + 1, "one deployment: {}", round.story());
            assert_eq!(round.state().await, (1, 1, DeploymentRolloutState::Completed), "{}", round.story());
        }
        Scenario::MoveBounds => {
            round.carry_out(&["scale", &service, "--to", "3", "--move-bounds"]).await;
            assert_eq!((round.bounds().await, round.state().await.1), ((1, 3), 3), "{}", round.story());
            round.carry_out(&["scale", &service, "--restore"]).await;
            assert_eq!((round.bounds().await, round.state().await.1), ((1, 2), 1), "{}", round.story());
            assert_eq!(round.deployments().await, before, "no deployment is made: {}", round.story());
        }
    }
    round.kills
}

struct Round {
    ecs: aws_sdk_ecs::Client,
    scaling: aws_sdk_applicationautoscaling::Client,
    desk: Desk,
    name: String,
    random: fastrand::Rng,
    kills: usize,
    story: Vec<String>,
}

impl Round {
    /// A service with one task of revision 2, that ran revision 1 before; autoscaling keeps it at 1 to 2.
    async fn new(at: &At, scenario: Scenario, number: u64, seed: u64) -> Self {
        let config = config(at);
        let name = format!("kill-{scenario:?}-{number}").to_ascii_lowercase();
        let round = Self {
            ecs: aws_sdk_ecs::Client::new(&config),
            scaling: aws_sdk_applicationautoscaling::Client::new(&config),
            desk: Desk::new(at),
            random: fastrand::Rng::with_seed(seed ^ (number << 8) ^ scenario as u64),
            kills: 0,
            story: vec![format!("{scenario:?} {number} of seed {seed}, account {ACCOUNT}")],
            name,
        };
        let Self { ecs, name, .. } = &round;
        for image in ["app:1", "app:2"] {
            let container = ContainerDefinition::builder().name("app").image(image).build();
            let definition = ecs.register_task_definition().family(name).container_definitions(container);
            definition.send().await.expect("a revision");
        }
        let service = ecs.create_service().cluster(CLUSTER).service_name(name).task_definition(format!("{name}:1"));
        service.desired_count(1).send().await.expect("a service");
        round.until_completed(1).await;
        let update = ecs.update_service().cluster(CLUSTER).service(name).task_definition(format!("{name}:2"));
        update.send().await.expect("deployed");
        round.until_completed(2).await;
        let target = round.scaling.register_scalable_target().service_namespace(ServiceNamespace::Ecs);
        let target = target.scalable_dimension(ScalableDimension::EcsServiceDesiredCount);
        let target = target.resource_id(format!("service/{CLUSTER}/{name}")).min_capacity(1).max_capacity(2);
        target.send().await.expect("registered");
        round
    }

    fn service(&self) -> String {
        format!("{CLUSTER}/{}", self.name)
    }

    fn story(&self) -> String {
        self.story.join("\n  ")
    }

    async fn until_completed(&self, revision: u32) {
        for _ in 0..200 {
            let (shown, running, rollout) = self.state().await;
            if (shown, running, rollout) == (revision, 1, DeploymentRolloutState::Completed) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("revision {revision} does not come up")
    }

    /// Revision, desired count where as many tasks run and else none, rollout state.
    async fn state(&self) -> (u32, i32, DeploymentRolloutState) {
        let answer =
            self.ecs.describe_services().cluster(CLUSTER).services(&self.name).send().await.expect("described");
        let service = &answer.services()[0];
        let revision = service.task_definition().and_then(|arn| arn.rsplit(':').next()?.parse().ok());
        let count = if service.running_count() == service.desired_count() { service.desired_count() } else { 0 };
        let rollout = service.deployments()[0].rollout_state().cloned();
        (revision.expect("a revision"), count, rollout.expect("a state"))
    }

    /// ARNs of every deployment that the service ever had.
    async fn deployments(&self) -> Vec<String> {
        let answer = self.ecs.list_service_deployments().cluster(CLUSTER).service(&self.name).max_results(100);
        let answer = answer.send().await.expect("listed");
        let mut arns: Vec<String> = answer
            .service_deployments()
            .iter()
            .filter_map(|one| one.service_deployment_arn().map(str::to_owned))
            .collect();
        arns.sort();
        arns
    }

    async fn bounds(&self) -> (i32, i32) {
        let asked = self.scaling.describe_scalable_targets().service_namespace(ServiceNamespace::Ecs);
        let answer = asked.resource_ids(format!("service/{CLUSTER}/{}", self.name)).send().await.expect("described");
        let target = &answer.scalable_targets()[0];
        (target.min_capacity(), target.max_capacity())
    }

    /// Gives the command, kills it and its resumes, and goes on until it is done.
    async fn carry_out(&mut self, words: &[&str]) {
        let command: Vec<String> = words.iter().copied().chain(["--yes"]).map(str::to_owned).collect();
        let known = self.desk.runs();
        let (mut kills, mut tries) = (0, 0);
        loop {
            let run = self.desk.runs().difference(&known).next().cloned();
            let arguments = match &run {
                Some(run) => [words[0], "--resume", run, "--yes"].map(str::to_owned).to_vec(),
                None => command.clone(),
            };
            let point = (kills < KILLS_MAX && self.random.bool() || kills == 0).then(|| self.point());
            let ended = self.desk.run(&arguments, point).await;
            self.note(&arguments, point, &ended);
            match ended.code {
                Some(0) => return,
                None => {
                    kills += 1;
                    self.kills += 1;
                }
                Some(_) => tries += 1,
            }
            assert!(tries < TRIES_MAX, "it does not end: {}\n{}", self.story(), ended.said);
        }
    }

    fn point(&mut self) -> Point {
        match self.random.u8(0..4) {
            0 => Point::After(Duration::from_millis(self.random.u64(0..MILLIS))),
            _ => Point::Bytes(self.random.u64(1..BYTES), self.random.u64(0..4_000)),
        }
    }

    fn note(&mut self, arguments: &[String], point: Option<Point>, ended: &Ended) {
        let how = ended.code.map_or_else(|| "killed".to_owned(), |code| format!("exit {code}"));
        self.story.push(format!("`opsctl {}` {point:?}: {how} after {:.1} s", arguments.join(" "), ended.seconds));
    }
}
