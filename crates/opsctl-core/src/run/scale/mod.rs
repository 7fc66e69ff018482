//! A run that wakes services or puts them to sleep: counts are set stage by stage, the services of a stage at once, and a stage is
//! done when all of its services are.

mod targets;
mod watched;

use std::{collections::BTreeMap, time::Duration};

use futures_util::stream::{self, StreamExt};
use jiff::{SignedDuration, Timestamp};

use super::{
    Awaited, Context, Details, Doing, End, Failure, How, Report,
    report::{self, Ended},
    verify,
};
use crate::{
    cloud::{
        CloudError, ErrorKind,
        ecs::{Missing, Wanted},
    },
    domain::{AccountId, EcsClusterName, Service, ServiceId, ServiceName, Task, Text, words::counted},
    journal::{Journal, JournalError, Record, Size, Sizes},
    operations::{
        scale::{Change, Set, ToScale},
        transfer::Stop,
        values::in_words,
    },
};
use watched::Watched;

/// Between looks at the services that are waited for.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Updates at once: the throttle of 50 and 5 a second is shared (ECS developer guide).
const UPDATES_AT_ONCE: usize = 5;
/// Longest pause between tries of a throttled update.
const PAUSE_MAX: Duration = Duration::from_secs(8);
/// A count is set again so often after lost answers.
const LOST_MAX: u32 = 4;
const LOOKS_FAILED_MAX: u32 = 20;
/// Services whose stopped tasks are asked for, to say why one is not up.
const ASKED_WHY_MAX: usize = 5;

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
    let forgotten = run.forget_sizes();
    let mut report = report.clone();
    report.notes.extend(run.targets_note());
    finish(report, &scale, ended, halt.or(forgotten.err()), context)
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
        if self.scale.direction.is_to_zero() {
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

    /// Writes down what is about to be set, then sets it.
    async fn begin(&self, services: &mut [Watched]) -> Result<(), Halt> {
        let open = services.iter().filter(|watched| watched.is_waited_for()).map(|watched| &watched.change);
        let to_set: Vec<&Change> = open.filter(|change| change.now != change.to).collect();
        if self.scale.direction.is_to_zero() {
            self.remember(&to_set)?;
        }
        let intents = to_set.iter().map(|change| Record::DesiredIntent {
            service: change.service.to_string(),
            from: change.from,
            to: change.to,
        });
        self.write(intents.collect()).await?;
        let open = services.iter_mut().filter(|watched| watched.is_waited_for());
        let updates: Vec<_> = open.map(|watched| self.set(watched)).collect();
        let results: Vec<Result<(), Halt>> = stream::iter(updates).buffered(UPDATES_AT_ONCE).collect().await;
        let told =
            services.iter().filter(|watched| watched.set_at.is_some() && watched.change.now != watched.change.to);
        let records = told.map(|watched| Record::Desired {
            service: watched.change.service.to_string(),
            to: watched.change.to,
            deployment: watched.deployment.as_ref().map(|id| id.0.clone()),
        });
        self.write(records.collect()).await?;
        results.into_iter().collect()
    }

    /// Before anything sleeps: a size that is lost would be lost for good.
    fn remember(&self, changes: &[&Change]) -> Result<(), Halt> {
        let at = self.context.now();
        let written = Sizes::change(&self.context.state, &self.account(), self.region(), |sizes| {
            for change in changes {
                let size = Size { desired: change.from, at, run: self.report.run.clone() };
                sizes.remember(&change.service, size);
            }
        });
        written.map_err(Halt::unwritten)
    }

    /// Sets a count, and goes on until it is known to be set.
    async fn set(&self, watched: &mut Watched) -> Result<(), Halt> {
        let Change { service, from, now, to } = watched.change.clone();
        let clock = self.context.cloud.clock();
        if now == to {
            // An earlier try has set it.
            watched.set_at = Some(clock.now());
            return Ok(());
        }
        let (mut pause, mut lost) = (Duration::from_secs(1), 0);
        loop {
            self.may_go_on()?;
            let asked_at = clock.now();
            match self.context.cloud.ecs.set_desired(&service, to).await {
                Ok(shown) => break watched.is_set(asked_at, &shown),
                Err(error) if matches!(error.kind, ErrorKind::Throttled | ErrorKind::Unreachable) => {
                    self.pause(pause).await?;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
                Err(error) if error.may_have_been_applied() => {
                    lost += 1;
                    watched.may_be_set = true;
                    // Reads lag behind an update: looked at too early, it would seem not to have been applied.
                    self.pause(LOOK_EVERY).await?;
                    if self.scale.set != Set::WhereOther && lost < LOST_MAX {
                        // What a look shows may be what was before it was put to sleep.
                        continue;
                    }
                    match self.look(&service).await? {
                        Some(shown) if shown.desired == to => break watched.is_set(asked_at, &shown),
                        // As before: the count is absolute, so that setting it once more can't double anything.
                        Some(shown) if shown.desired == from && lost < LOST_MAX => {}
                        Some(shown) if shown.desired == from => return Err(Halt::Failed(error)),
                        Some(shown) => {
                            let words = format!("somebody set its desired count to {} meanwhile", shown.desired);
                            break watched.fail(&words);
                        }
                        None => break watched.fail("it is gone"),
                    }
                }
                Err(error) if error.kind == ErrorKind::CredentialsExpired => return Err(Halt::Failed(error)),
                Err(error) => {
                    let hint = error.hint(self.context.environment());
                    break watched.fail(&format!("{error}; {hint}"));
                }
            }
        }
        Ok(())
    }

    /// One service as it is; none: it is not there.
    async fn look(&self, service: &ServiceId) -> Result<Option<Service>, Halt> {
        let mut failures = 0;
        loop {
            match self.context.cloud.ecs.service(service).await {
                Ok(shown) => return Ok(Some(shown)),
                Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
                Err(error) if error.is_passing() && failures < LOOKS_FAILED_MAX => failures += 1,
                Err(error) => return Err(Halt::Failed(error)),
            }
            self.pause(LOOK_EVERY).await?;
        }
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
            let newest = tasks
                .into_iter()
                .filter(Task::stopped_by_itself)
                .max_by_key(|task| task.stopped_at.or(task.created_at));
            watched.stopped = newest.and_then(|task| task.stopped_reason);
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

fn finish(mut report: Report, scale: &ToScale, ended: Vec<Ended>, halt: Option<Halt>, context: &Context) -> Report {
    let environment = context.environment();
    report.seconds = context.now().duration_since(report.started_at).as_secs_f64();
    let done = ended.iter().filter(|service| service.is_done).count();
    let begun = ended.iter().filter(|service| service.is_set).count();
    let missing: Vec<String> = ended.iter().filter(|service| !service.is_done).map(Ended::words).collect();
    let missing = missing.join("; ");
    let look = environment.command("services");
    report.end = match &halt {
        None => End::Done,
        Some(Halt::Cancelled) => End::Interrupted,
        Some(_) if begun == 0 => End::Failed,
        Some(_) => End::Partly,
    };
    report.failure = halt.map(|halt| match halt {
        Halt::Cancelled => Failure::new(format!("stopped, as asked: {missing}"), "go on with --resume"),
        Halt::TimedOut => {
            let what = format!("not done after {}: {missing}", in_words(scale.timeout.0.into()));
            Failure::new(what, format!("look with `{look}`, then wait on with --resume"))
        }
        Halt::Services => {
            let later = ended.iter().any(|service| !service.is_set && service.because.is_none());
            let later = if later { "; no later stage was begun" } else { "" };
            Failure::new(format!("{missing}{later}"), "mend what failed, then run it again")
        }
        Halt::Failed(error) => Failure::new(error.to_string(), error.hint(environment)),
        Halt::Stopped(stop) => {
            let Failure { what, hint } = report::failure(&stop, environment);
            Failure::new(format!("{what}; no later stage was begun"), hint.as_str())
        }
        Halt::Journal(because) => {
            let what = format!("stopped, since the state folder can't be written: {because}");
            Failure::new(what, "make room on the disk, then --resume")
        }
    });
    if report.end != End::Done {
        if begun > done {
            let open = counted((begun - done) as u64, "service");
            report.note(format!("ECS goes on by itself with {open}: `{look}` shows how far it is"));
        }
        report.next = Some(report.resume_line(environment));
    }
    report.details = Details::Services { services: ended };
    report
}
