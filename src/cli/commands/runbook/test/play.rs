//! Plays a test: a sandbox of its own, whose minutes pass at once, and the run of the runbook in it.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{
    actor::Actor,
    file::{Finish, Test, typed},
};
use crate::{
    cli::world::name_outboxes,
    clock::Clock,
    cloud::{Cloud, Connect, Dial},
    domain::{Environment, EnvironmentName, RunId, Text},
    journal::{End, StateFolder},
    run::Context,
    runbook::{
        Runbook, Step, Values,
        drive::{Beginner, By, Opened, Outcome, Outside, RunbookReport, Worlds, begin, drive, reopen},
    },
    sandbox::{
        Options, Sandbox,
        world::{World, fleet},
    },
};

/// When every test's world begins.
const BEGINS: &str = "2026-03-02T09:00:00Z";
const SEED: u64 = 7;
/// Messages of the fleet's queues: a test needs no 100,000.
const MESSAGES_MAX: u64 = 200;
/// No run of a test takes longer, on the sandbox's clock.
const LONGEST: Duration = Duration::from_secs(14 * 86_400);
/// Between the end of one person's program and the next one's start.
const LATER: Duration = Duration::from_secs(60);

/// How a test went.
pub(super) struct Played {
    /// On the sandbox's clock.
    pub(super) seconds: f64,
    /// What is other than expected.
    pub(super) wrong: Vec<String>,
}

/// Blocks: it makes a runtime whose time passes while nothing is to be done.
///
/// # Errors
/// The test cannot be played: it is wrong itself, or the run cannot be begun.
pub(super) fn play(runbook: &Arc<Runbook>, test: &Test) -> Result<Played, String> {
    fits(runbook, test)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let played = async { tokio::time::timeout(LONGEST, in_world(runbook, test)).await };
    runtime.block_on(played).map_err(|_| "it never ends".to_owned())?
}

/// Names of a test that the runbook does not have.
fn fits(runbook: &Runbook, test: &Test) -> Result<(), String> {
    let steps = test.done.iter().chain(test.decide.keys()).chain(test.expect.keys()).chain(test.because.keys());
    for step in steps.chain(&test.killed_in) {
        if !runbook.steps.iter().any(|known| known.id == *step) {
            return Err(format!("{} has no step `{step}`", runbook.name));
        }
    }
    if let Some(name) = test.set.keys().find(|name| runbook.parameter(name).is_none()) {
        return Err(format!("{} has no parameter `{name}`", runbook.name));
    }
    let asks = |name: &String| runbook.steps.iter().filter_map(Step::ask).any(|ask| ask.keep == *name);
    match test.answers.keys().find(|name| !asks(name)) {
        Some(name) => Err(format!("{} has no question `{name}`", runbook.name)),
        None => Ok(()),
    }
}

/// A sandbox with its environments.
struct Scene {
    environments: Vec<Arc<Environment>>,
    connect: Connect,
    /// Kept alive: it holds the world.
    sandbox: Sandbox,
}

impl Scene {
    fn new(test: &Test) -> Result<Self, String> {
        let start: Timestamp = BEGINS.parse().unwrap_or_else(|error| unreachable!("a time: {error}"));
        let clock = Clock::virtual_from(start, 1.0);
        let mut world = World::new(SEED, start);
        let fleet = fleet::Fleet::built_in().map_err(|error| error.to_string())?;
        let amount = fleet::Amount::AtMost(MESSAGES_MAX);
        fleet.settle(&mut world, start, SEED, amount).map_err(|error| error.to_string())?;
        test.fault.iter().cloned().for_each(|fault| world.faults.add(fault));
        world.denials.extend(test.denial.iter().cloned());
        world.schedule_all(start, &test.at)?;
        let sandbox = Sandbox::new(world, clock, Options::default());
        let connect = Connect::through(clock, sandbox.http_client()).dialing(Dial::Through(sandbox.answerer()));
        let mut environments = fleet::environments();
        environments.iter_mut().for_each(name_outboxes);
        Ok(Self { environments: environments.into_iter().map(Arc::new).collect(), connect, sandbox })
    }

    async fn cloud_of(&self, name: &str) -> Result<Cloud, String> {
        let environment = self.environments.iter().find(|environment| environment.name.0 == name);
        let environment = environment.ok_or_else(|| format!("the sandbox has no environment `{name}`"))?;
        self.connect.cloud(Arc::clone(environment)).await.map_err(|error| error.to_string())
    }
}

impl Worlds for Scene {
    fn cloud<'a>(&'a self, environment: &'a EnvironmentName) -> BoxFuture<'a, Result<Cloud, Text>> {
        Box::pin(async move { self.cloud_of(&environment.0).await.map_err(|because| Text::line(&because)) })
    }
}

async fn in_world(runbook: &Arc<Runbook>, test: &Test) -> Result<Played, String> {
    let scene = Scene::new(test)?;
    let clock = scene.sandbox.clock();
    clock.sleep(Duration::from_secs(test.minutes * 60)).await;
    let cloud = scene.cloud_of(&test.environment).await?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let state = StateFolder::new(folder.path());
    let begun_at = clock.now();
    let report = lives(runbook, test, (&scene, &cloud), &state).await?;
    let seconds = clock.now().duration_since(begun_at).as_secs_f64();
    Ok(Played { seconds, wrong: wrong(test, &report) })
}

/// The run from its begin to its end, whoever carries it out.
async fn lives(
    runbook: &Arc<Runbook>,
    test: &Test,
    (scene, cloud): (&Scene, &Cloud),
    state: &StateFolder,
) -> Result<RunbookReport, String> {
    let clock = scene.sandbox.clock();
    let mut run: Option<RunId> = None;
    let mut last = None;
    for (number, name) in test.people.iter().enumerate() {
        let opened = match &run {
            None => {
                let who = Beginner::new(Text::line(name), None);
                let parameters = parameters(runbook, test)?;
                begin(runbook, parameters, &cloud.environment().name, who, (state, clock, SEED)).await
            }
            Some(run) => {
                clock.sleep(LATER).await;
                reopen(run, (By::Anybody, Text::line(name)), None, (state, clock)).await
            }
        };
        let opened = opened.map_err(|error| error.to_string())?;
        run = Some(opened.run.clone());
        match life(opened, test, (scene, cloud), (state, name, number == 0)).await? {
            Some(Outcome::Ended(report)) => return Ok(report),
            Some(Outcome::Left(report)) => last = Some(report),
            None => last = None,
        }
    }
    last.ok_or_else(|| "it was killed, and nobody takes it over: name a second person in `people`".to_owned())
}

/// What one person's program does of it; none: it was killed.
async fn life(
    opened: Opened,
    test: &Test,
    (scene, cloud): (&Scene, &Cloud),
    (state, name, may_be_killed): (&StateFolder, &str, bool),
) -> Result<Option<Outcome>, String> {
    let kill = CancellationToken::new();
    let killed_in = test.killed_in.as_deref().filter(|_| may_be_killed);
    let actor = Actor::new(test, name, killed_in.map(|step| (step, kill.clone())))?;
    let clock = scene.sandbox.clock();
    let killed_later = async {
        match test.killed_after_seconds.filter(|_| may_be_killed) {
            Some(seconds) => clock.sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    let context = Context {
        cloud: cloud.clone(),
        state: state.clone(),
        random: SEED.wrapping_add(name.len() as u64),
        parent: None,
        cancel: CancellationToken::new(),
        progress: Arc::new(|_| {}),
    };
    let outside = Outside { context, person: &actor, worlds: scene };
    // What is dropped does nothing more, and writes nothing more: as a program that is killed.
    tokio::select! {
        biased;
        () = kill.cancelled() => Ok(None),
        () = killed_later => Ok(None),
        outcome = drive(opened, &outside) => outcome.map(Some).map_err(|error| error.to_string()),
    }
}

fn parameters(runbook: &Runbook, test: &Test) -> Result<Values, String> {
    let mut values = Values::default();
    for parameter in &runbook.parameters {
        let value = match (test.set.get(&parameter.name), &parameter.default) {
            (Some(given), _) => parameter.kind.parse(&typed(given), &parameter.choices),
            (None, Some(default)) => Ok(default.clone()),
            (None, None) => Err("is not set".to_owned()),
        };
        values.0.insert(parameter.name.clone(), value.map_err(|because| format!("{}: {because}", parameter.name))?);
    }
    Ok(values)
}

/// What is other than the test expects, with how all of it stands.
fn wrong(test: &Test, report: &RunbookReport) -> Vec<String> {
    let mut wrong = Vec::new();
    let (ended, wanted) = (report.end.map_or(Finish::Open.word(), |end| End::into_str(&end)), test.end.word());
    if ended != wanted {
        wrong.push(format!("it ended `{ended}`, not `{wanted}`"));
    }
    for step in &report.steps {
        let because = step.because.as_ref().map_or("", Text::as_str);
        if let Some(state) = test.expect.get(&step.id).filter(|state| **state != step.state) {
            wrong.push(format!("{} is {}, not {}: {because}", step.id, step.state.words(), state.words()));
        }
        if let Some(part) = test.because.get(&step.id).filter(|part| !because.contains(part.as_str())) {
            wrong.push(format!("{} does not say `{part}`: {because}", step.id));
        }
    }
    if let Some(wanted) = &test.held {
        let held: Vec<&str> = report.held.iter().map(|held| held.what.as_str()).collect();
        let fits =
            held.len() == wanted.len() && held.iter().zip(wanted).all(|(held, part)| held.contains(part.as_str()));
        if !fits {
            wrong.push(format!("not undone is {held:?}, not {wanted:?}"));
        }
    }
    if !wrong.is_empty() {
        let waits_for = report.waits_for.as_ref().map(|waits_for| format!("it waits for {waits_for}"));
        let steps = report.steps.iter().map(|step| {
            let because = step.because.as_ref().map(|because| format!(": {because}")).unwrap_or_default();
            format!("  {:12}  {}{because}", step.state.words(), step.id)
        });
        wrong.extend(waits_for.into_iter().chain(steps));
    }
    wrong
}
