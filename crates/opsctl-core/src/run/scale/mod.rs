//! A run that changes services: counts are set, or deployments made, stage by stage, the services of a stage at once, and a stage is
//! done when all of its services are.

mod bounds;
mod ended;
mod set;
mod targets;
mod watched;

use std::{cmp::Reverse, collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp};

use super::{Awaited, Context, Doing, How, Report, report::Ended, verify};
use crate::{
    cloud::{
        CloudError,
        ecs::{Missing, Wanted},
    },
    domain::{AccountId, EcsClusterName, Service, ServiceId, ServiceName, Task, Text},
    journal::{Journal, JournalError, Record, Sizes},
    operations::{
        scale::{Change, Direction, Set, ToScale},
        transfer::Stop,
    },
};
use watched::Watched;

/// Between looks at the services that are waited for.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Updates at once: the throttle of 50 and 5 a second is shared (ECS developer guide).
const UPDATES_AT_ONCE: usize = 5;
const LOOKS_FAILED_MAX: u32 = 20;
/// Services whose stopped tasks are asked for, to say why one is not up.
const ASKED_WHY_MAX: usize = 5;

/// Different reasons of stopped tasks that are told of one service.
const REASONS_MAX: usize = 3;

enum Halt {
    Cancelled,
    TimedOut,
    Failed(CloudError),
    Journal(Text),
    /// Services failed: the stages that follow need them.
    Services,
    /// The credentials are of another account, or nobody can tell.
    Stopped(Stop),
}

/// Why tasks stopped by themselves: each reason once, with how many it was, the latest first.
fn reasons(mut tasks: Vec<Task>) -> Option<Text> {
    tasks.retain(Task::stopped_by_itself);
    tasks.sort_by_key(|task| Reverse(task.stopped_at.or(task.created_at)));
    let mut reasons: Vec<(String, usize)> = Vec::new();
    for why in tasks.iter().filter_map(Task::why) {
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, count)) => *count += 1,
            None => reasons.push((why, 1)),
        }
    }
    let words = |(why, count): &(String, usize)| if *count > 1 { format!("{count}x {why}") } else { why.clone() };
    let words: Vec<String> = reasons.iter().take(REASONS_MAX).map(words).collect();
    (!words.is_empty()).then(|| Text::line(&words.join("; ")))
}

impl Halt {
    fn unwritten(error: JournalError) -> Self {
        Self::Journal(Text::line(&error.to_string()))
    }
}

/// Services by id, and what ECS says of those that are not there.
type Described = (BTreeMap<ServiceId, Service>, Vec<Missing>);

pub(super) async fn run(scale: ToScale, context: &Context, journal: &Journal, report: Report) -> Report {
    let started = context.now();
    let timeout = SignedDuration::from_secs(i64::from(scale.timeout.0));
    let deadline = started.checked_add(timeout).unwrap_or(Timestamp::MAX);
    let mut run = Run { scale: &scale, context, journal, report: &report, deadline, watched: Vec::new() };
    let mut halt = run.stages().await.err();
    if halt.is_none() && !scale.direction.is_to_zero() {
        halt = run.look_back().await.err();
    }
    let begun = run.watched.len();
    let not_begun = scale.stages.iter().flatten().skip(begun).map(Watched::not_begun);
    let ended: Vec<Ended> = run.watched.iter().map(Watched::ended).chain(not_begun).collect();
    let forgotten = run.forget_sizes().and(run.forget_bounds());
    let mut report = report.clone();
    report.notes.extend(run.targets_note());
    let failed = run.watched.iter().find(|watched| watched.has_deployment_failed() && watched.change.deploy.is_some());
    ended::finish(report, &scale, (ended, failed), halt.or(forgotten.err()), context)
}

struct Run<'a> {
    scale: &'a ToScale,
    context: &'a Context,
    journal: &'a Journal,
    report: &'a Report,
    deadline: Timestamp,
    /// Services of the stages that were begun.
    watched: Vec<Watched>,
}

impl Run<'_> {
    async fn stages(&mut self) -> Result<(), Halt> {
        for (number, stage) in self.scale.stages.iter().enumerate() {
            self.may_go_on()?;
            if number > 0 {
                // Right before the first stage it was asked already.
                verify::account(self.context, self.journal, &self.report.account).await.map_err(Halt::Stopped)?;
            }
            self.stage(number, stage).await?;
        }
        Ok(())
    }

    async fn stage(&mut self, number: usize, stage: &[Change]) -> Result<(), Halt> {
        let mut services: Vec<Watched> = stage.iter().map(|change| Watched::new(change.clone())).collect();
        let mut result = self.compare(&mut services).await;
        if result.is_ok() {
            result = self.begin(&mut services).await;
        }
        if result.is_ok() {
            result = self.follow(number, &mut services).await;
        }
        if result.is_err() {
            self.ask_why(&mut services).await;
        }
        self.watched.extend(services);
        result
    }

    /// Looks at a stage's services right before they are changed: since the plan was made, somebody may have been there.
    async fn compare(&self, services: &mut [Watched]) -> Result<(), Halt> {
        let (shown, missing) = self.describe_patiently(services).await?;
        for watched in services {
            match shown.get(&watched.change.service) {
                Some(service) => watched.compare(service, self.scale.direction, self.scale.set),
                None => watched.is_missing(&missing),
            }
        }
        Ok(())
    }

    /// Looks once more at everything that was woken: what comes up and falls again is not up.
    async fn look_back(&mut self) -> Result<(), Halt> {
        // It is all done: a stop, or the end of the time, takes nothing back.
        self.context.cloud.clock().sleep(LOOK_EVERY).await;
        let mut watched = std::mem::take(&mut self.watched);
        if let Ok((shown, _)) = self.describe(&watched, |_| true).await {
            for one in &mut watched {
                if let Some(service) = shown.get(&one.change.service) {
                    one.look_back(service);
                }
            }
        }
        let all_well = watched.iter().all(Watched::is_done);
        if !all_well {
            self.ask_why(&mut watched).await;
        }
        self.watched = watched;
        if all_well { Ok(()) } else { Err(Halt::Services) }
    }

    /// A size is remembered for one waking: what somebody sets afterwards counts more.
    fn forget_sizes(&self) -> Result<(), Halt> {
        if self.scale.direction.is_to_zero() || self.scale.direction == Direction::Deploy {
            return Ok(());
        }
        let awake = self.watched.iter().filter(|watched| watched.is_done()).map(|watched| &watched.change.service);
        let awake: Vec<ServiceId> = awake.cloned().collect();
        let forgotten = Sizes::change(&self.context.state, &self.account(), self.region(), |sizes| {
            awake.iter().for_each(|service| sizes.forget(service));
        });
        self.must_be(forgotten)
    }

    /// On the way back a full disk keeps nothing down.
    fn must_be(&self, written: Result<(), JournalError>) -> Result<(), Halt> {
        match self.scale.set {
            Set::Back => Ok(()),
            Set::WhereOther | Set::Always => written.map_err(Halt::unwritten),
        }
    }

    fn account(&self) -> AccountId {
        AccountId(self.report.account.clone())
    }

    fn region(&self) -> &str {
        &self.context.environment().region
    }

    /// Looks until every service of the stage is as it shall be, or has failed.
    async fn follow(&mut self, number: usize, services: &mut [Watched]) -> Result<(), Halt> {
        let mut failures = 0;
        loop {
            match self.describe(services, Watched::is_waited_for).await {
                Ok((shown, missing)) => {
                    failures = 0;
                    let now = self.context.now();
                    let mut news = Vec::new();
                    for watched in services.iter_mut().filter(|watched| watched.is_waited_for()) {
                        match shown.get(&watched.change.service) {
                            Some(service) => news.extend(watched.take(service, now)),
                            None => watched.is_missing(&missing),
                        }
                    }
                    self.ask_targets(services).await?;
                    self.tell(number, services, news);
                }
                Err(error) if error.is_passing() && failures < LOOKS_FAILED_MAX => failures += 1,
                Err(error) => return Err(Halt::Failed(error)),
            }
            if services.iter().all(|watched| !watched.is_waited_for()) {
                let all_well = services.iter().all(Watched::is_done);
                return if all_well { Ok(()) } else { Err(Halt::Services) };
            }
            self.pause(LOOK_EVERY).await?;
        }
    }

    /// [`Run::describe`], again where AWS was only busy.
    async fn describe_patiently(&self, services: &[Watched]) -> Result<Described, Halt> {
        let mut failures = 0;
        loop {
            match self.describe(services, |_| true).await {
                Ok(described) => return Ok(described),
                Err(error) if error.is_passing() && failures < LOOKS_FAILED_MAX => failures += 1,
                Err(error) => return Err(Halt::Failed(error)),
            }
            self.pause(LOOK_EVERY).await?;
        }
    }

    /// Services, ten to a call.
    async fn describe(&self, services: &[Watched], which: impl Fn(&Watched) -> bool) -> Result<Described, CloudError> {
        let mut by_cluster: BTreeMap<EcsClusterName, Vec<ServiceName>> = BTreeMap::new();
        for watched in services.iter().filter(|watched| which(watched)) {
            let ServiceId { cluster, name } = watched.change.service.clone();
            by_cluster.entry(cluster).or_default().push(name);
        }
        let (mut all, mut missing) = (BTreeMap::new(), Vec::new());
        for (cluster, names) in &by_cluster {
            let shown = self.context.cloud.ecs.describe(cluster, names).await?;
            all.extend(shown.found.into_iter().map(|service| (service.id.clone(), service)));
            missing.extend(shown.missing);
        }
        Ok((all, missing))
    }

    /// What stopped tasks say of services that are not up.
    async fn ask_why(&self, services: &mut [Watched]) {
        let open = services.iter_mut().filter(|watched| !watched.is_done() && watched.set_at.is_some());
        for watched in open.take(ASKED_WHY_MAX) {
            let stopped = self.context.cloud.ecs.tasks(&watched.change.service, Wanted::Stopped).await;
            let mut tasks = stopped.map(|answer| answer.found).unwrap_or_default();
            // Others stopped before there was anything to wait for.
            tasks.retain(|task| task.stopped_at.is_none_or(|at| watched.set_at.is_none_or(|set_at| at >= set_at)));
            watched.stopped = reasons(tasks);
        }
    }

    /// Waits a little, unless it is to stop or its time is over.
    async fn pause(&self, pause: Duration) -> Result<(), Halt> {
        self.may_go_on()?;
        self.context.pause(pause).await;
        if self.context.cancel.is_cancelled() { Err(Halt::Cancelled) } else { Ok(()) }
    }

    fn may_go_on(&self) -> Result<(), Halt> {
        match self.context.cancel.is_cancelled() {
            true => Err(Halt::Cancelled),
            false if self.context.now() >= self.deadline => Err(Halt::TimedOut),
            false => Ok(()),
        }
    }

    /// Every service of the run: those of stages that are over, of this one, and of those to come.
    fn awaited(&self, services: &[Watched]) -> Vec<Awaited> {
        let watched: BTreeMap<&ServiceId, &Watched> =
            self.watched.iter().chain(services).map(|watched| (&watched.change.service, watched)).collect();
        let stages = (1..).zip(&self.scale.stages);
        let changes = stages.flat_map(|(stage, changes)| changes.iter().map(move |change| (stage, change)));
        changes
            .map(|(stage, change)| {
                let (running, how) = watched.get(&change.service).map_or((None, How::Later), |one| one.how_far());
                Awaited { service: change.service.clone(), stage, running, from: change.from, to: change.to, how }
            })
            .collect()
    }

    fn tell(&self, number: usize, services: &[Watched], news: Vec<Text>) {
        let open: Vec<String> = services.iter().filter(|watched| watched.is_waited_for()).map(Watched::words).collect();
        let open = if open.is_empty() { "done".to_owned() } else { open.join(", ") };
        let words = format!("stage {} of {}: {open}", number + 1, self.scale.stages.len());
        let done = self.watched.iter().chain(services).filter(|watched| watched.is_done()).count() as u64;
        let all = self.scale.stages.iter().map(Vec::len).sum::<usize>() as u64;
        let doing = Doing::Services { done, awaited: self.awaited(services) };
        self.context.tell(self.report, all, doing, (&words, news));
    }

    async fn write(&self, records: Vec<Record>) -> Result<(), Halt> {
        if records.is_empty() {
            return Ok(());
        }
        self.must_be(self.journal.write(records, Vec::new()).await)
    }
}
