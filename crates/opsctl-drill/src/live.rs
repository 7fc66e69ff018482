//! [`Live`]: a drill that is being played: lets things happen, looks, writes the record, answers whoever leads or plays it.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use crate::{
    control::{Answer, InjectView, Order, Request, Truth, View},
    course::Course,
    domain::{Environment, Text},
    event::{Ended, Event, Stamped},
    journal::StateFolder,
    look::Lookout,
    record::Tape,
    sandbox::{
        Options, Sandbox,
        world::{Accountable, Scheduled, World, fleet},
    },
    scenario::Scenario,
};

/// Between two looks, on the sandbox's clock and in real time at least.
const EVERY: Duration = Duration::from_secs(2);
const EVERY_REAL: Duration = Duration::from_millis(250);
/// Events that [`View::last`] shows.
const LAST: usize = 8;

/// What a drill is played with.
pub struct Stage {
    pub scenario: Arc<Scenario>,
    pub cause: usize,
    pub seed: u64,
    pub sandbox: Sandbox,
    /// The sandbox's environments, as clients reach them.
    pub environments: Vec<Arc<Environment>>,
    /// Where opsctl's runs in this sandbox lie.
    pub state: StateFolder,
    pub by: Text,
    /// How long between two looks, on the sandbox's clock.
    pub every: Duration,
}

pub struct Live {
    scenario: Arc<Scenario>,
    sandbox: Sandbox,
    lookout: Lookout,
    every: Duration,
    inner: Mutex<Inner>,
}

struct Inner {
    course: Course,
    /// Injects that have not happened yet; without a time: they wait for somebody.
    waiting: Vec<Waiting>,
    record: Tape,
    /// Events that the record has.
    written: usize,
    stop: bool,
    /// The first failure to write the record.
    broken: Option<Text>,
}

struct Waiting {
    inject: usize,
    scheduled: Option<(Scheduled, Timestamp)>,
}

#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    #[error(transparent)]
    Fleet(#[from] fleet::FleetError),
    #[error("{0}")]
    World(String),
    #[error("the sandbox cannot be looked at: {0}")]
    Look(Text),
    #[error("cannot write the record: {0}")]
    Record(#[from] std::io::Error),
}

/// The world that a drill begins in.
///
/// # Errors
/// Its additions to the fleet do not fit.
pub fn world_of(scenario: &Scenario, seed: u64, now: Timestamp) -> Result<World, fleet::FleetError> {
    let mut world = World::new(seed, now);
    let amount = fleet::Amount::AtMost(scenario.world.messages_max);
    crate::check::fleet_of(scenario)?.settle(&mut world, now, seed, amount)?;
    Ok(world)
}

/// The sandbox of a drill: its world, with what is wrong from the start and what will be.
///
/// # Errors
/// Something that is to happen would happen to nothing.
pub fn sandbox_of(
    scenario: &Scenario,
    cause: usize,
    options: Options,
    clock: crate::clock::Clock,
) -> Result<Sandbox, LiveError> {
    let now = clock.now();
    let mut world = world_of(scenario, options.seed, now)?;
    scenario.world.faults.iter().cloned().for_each(|fault| world.faults.add(fault));
    world.denials.extend(scenario.world.denials.iter().cloned());
    world.schedule_all(now, &scenario.world.at).map_err(LiveError::World)?;
    world.schedule_all(now, &scenario.causes[cause].at).map_err(LiveError::World)?;
    let account = fleet::environments().into_iter().find(|environment| environment.name.0 == scenario.environment);
    let queues = scenario.things.iter().filter(|thing| thing.kind == crate::runbook::Kind::Queue);
    world.keep_ledger(Accountable {
        account: account.and_then(|environment| environment.account).map(|account| account.0).unwrap_or_default(),
        queues: queues.map(|thing| thing.name.clone()).collect(),
        identities: scenario.world.identities.clone(),
    });
    world.witness();
    Ok(Sandbox::new(world, clock, options))
}

impl Live {
    /// Begins: from now on time counts.
    ///
    /// # Errors
    /// The record can't be written; the sandbox can't be looked at.
    pub async fn begin(stage: Stage, drills: &Path) -> Result<Arc<Self>, LiveError> {
        let Stage { scenario, cause, seed, sandbox, environments, state, by, every } = stage;
        let now = sandbox.clock().now();
        let lookout = Lookout::new(Arc::clone(&scenario), &sandbox, environments, state).await;
        let lookout = lookout.map_err(LiveError::Look)?;
        let first = scenario.causes[cause].at.iter().map(|at| at.after).min().unwrap_or_default();
        let begun = Event::Begun {
            drill: scenario.name.clone(),
            digest: scenario.digest.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed,
            cause: scenario.causes[cause].name.clone(),
            by,
            speed: sandbox.options().speed,
            incident_at: now.saturating_add(first).unwrap_or(now),
        };
        let waiting = scenario.injects.iter().enumerate().map(|(inject, what)| Waiting {
            inject,
            scheduled: (!what.is_harder).then(|| schedule(&sandbox, now, what.at.after, what)),
        });
        let waiting = waiting.collect();
        let record = Tape::create(drills, &scenario.name, now, &scenario.text)?;
        let course = Course::new(Arc::clone(&scenario), cause, Stamped { at: now, event: begun });
        let inner = Inner { course, waiting, record, written: 0, stop: false, broken: None };
        let live = Arc::new(Self { scenario, sandbox, lookout, every, inner: Mutex::new(inner) });
        live.inner().write();
        // Weak: the sandbox must not keep alive what keeps it alive.
        let leader = Arc::downgrade(&live);
        live.sandbox.lead(Arc::new(move |asked| match (leader.upgrade(), serde_json::from_str::<Request>(asked)) {
            (Some(live), Ok(Request { by, order })) => {
                serde_json::to_string(&live.order(order, by)).unwrap_or_default()
            }
            (None, _) | (_, Err(_)) => String::new(),
        }));
        Ok(live)
    }

    /// Plays to the end, whoever or whatever brings it about.
    pub async fn play(&self) -> Ended {
        let clock = self.sandbox.clock();
        loop {
            if let Some(why) = self.tick().await {
                self.end(why).await;
                return why;
            }
            let pause = clock.real(self.every).max(EVERY_REAL.min(self.every));
            tokio::time::sleep(pause).await;
        }
    }

    /// Looks once. Answers why it ends now, if it does.
    async fn tick(&self) -> Option<Ended> {
        self.sandbox.with(|world, now| world.advance(now));
        let mut seen = self.lookout.look().await;
        let mut inner = self.inner();
        let Inner { waiting, .. } = &mut *inner;
        let due = |waiting: &mut Waiting| waiting.scheduled.is_some_and(|(_, at)| at <= seen.at);
        let names = waiting.extract_if(.., due).map(|done| self.scenario.injects[done.inject].name.clone());
        seen.injected = names.collect();
        let ended = inner.course.take(&seen);
        inner.write();
        if inner.stop { Some(Ended::Stopped) } else { ended }
    }

    async fn end(&self, why: Ended) {
        let leftovers = self.lookout.leftovers().await;
        let at = self.sandbox.clock().now();
        let mut inner = self.inner();
        let recovered = inner.course.is_recovered();
        inner.course.note(at, Event::Ended { why, leftovers, recovered });
        inner.write();
    }

    /// What was noted so far.
    pub fn events(&self) -> Vec<Stamped> {
        self.inner().course.events.clone()
    }

    /// The folder of the record, and why it could not be written whole, if so.
    pub fn record(&self) -> (std::path::PathBuf, Option<Text>) {
        let inner = self.inner();
        (inner.record.folder().to_owned(), inner.broken.clone())
    }

    pub fn order(&self, order: Order, by: Text) -> Answer {
        let now = self.sandbox.clock().now();
        let mut inner = self.inner();
        if inner.course.is_ended() && !matches!(order, Order::Look | Order::Brief) {
            return refused("the drill has ended", "`opsctl drill report` shows it");
        }
        let answer = match order {
            Order::Look => Answer::Look(Box::new(self.view(&inner, now, true))),
            Order::Brief => Answer::Look(Box::new(self.view(&inner, now, false))),
            Order::Hint => self.hint(&mut inner, now, by),
            Order::Next => self.next(&mut inner, now),
            Order::Harder => self.harder(&mut inner, now),
            Order::Skip(name) => self.skip(&mut inner, now, &name, by),
            Order::Delay { inject, seconds } => self.delay(&mut inner, now, (&inject, seconds), by),
            Order::Note(text) => {
                inner.course.note(now, Event::Noted { text: Text::line(&text), by });
                done("noted")
            }
            Order::Over => {
                inner.course.declare_over(now, by);
                done("declared over; it is watched a little longer")
            }
            Order::Stop => {
                inner.stop = true;
                done("it stops")
            }
        };
        inner.write();
        answer
    }

    fn hint(&self, inner: &mut Inner, now: Timestamp, by: Text) -> Answer {
        let number = inner.course.hints;
        let Some(hint) = self.scenario.hints.get(number) else {
            return refused("there is no further hint", "read the runbook, or ask somebody");
        };
        inner.course.hints += 1;
        inner.course.note(now, Event::Hinted { number, by });
        let left = self.scenario.hints.len() - number - 1;
        Answer::Done(Text::line(&format!("{} (cost {}; {left} left)", hint.text, points(hint.cost))))
    }

    fn next(&self, inner: &mut Inner, now: Timestamp) -> Answer {
        let coming = inner.waiting.iter_mut().filter(|waiting| waiting.scheduled.is_some());
        match coming.min_by_key(|waiting| waiting.scheduled.map(|(_, at)| at)) {
            Some(waiting) => self.happen(waiting, now),
            None => refused("nothing more is going to happen", "make it harder"),
        }
    }

    fn harder(&self, inner: &mut Inner, now: Timestamp) -> Answer {
        match inner.waiting.iter_mut().find(|waiting| waiting.scheduled.is_none()) {
            Some(waiting) => self.happen(waiting, now),
            None => refused("this drill gets no harder", "choose another one, or another seed"),
        }
    }

    fn happen(&self, waiting: &mut Waiting, now: Timestamp) -> Answer {
        let inject = &self.scenario.injects[waiting.inject];
        self.sandbox.with(|world, _| waiting.scheduled.and_then(|(scheduled, _)| world.call_off(scheduled)));
        waiting.scheduled = Some(schedule(&self.sandbox, now, SignedDuration::ZERO, inject));
        Answer::Done(Text::line(&format!("now: {}", inject.name)))
    }

    fn skip(&self, inner: &mut Inner, now: Timestamp, name: &str, by: Text) -> Answer {
        let Some(at) = inner.waiting.iter().position(|waiting| self.scenario.injects[waiting.inject].name == name)
        else {
            return self.no_inject(inner, name);
        };
        let waiting = inner.waiting.remove(at);
        self.sandbox.with(|world, _| waiting.scheduled.and_then(|(scheduled, _)| world.call_off(scheduled)));
        inner.course.note(now, Event::Skipped { name: name.to_owned(), by });
        Answer::Done(Text::line(&format!("skipped: {name}")))
    }

    fn delay(&self, inner: &mut Inner, now: Timestamp, (name, seconds): (&str, u64), by: Text) -> Answer {
        let is_it = |waiting: &&mut Waiting| self.scenario.injects[waiting.inject].name == name;
        let Some(waiting) = inner.waiting.iter_mut().find(is_it) else { return self.no_inject(inner, name) };
        let inject = &self.scenario.injects[waiting.inject];
        let from = waiting.scheduled.map_or(now, |(_, at)| at);
        self.sandbox.with(|world, _| waiting.scheduled.and_then(|(scheduled, _)| world.call_off(scheduled)));
        let later = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
        let (scheduled, until) = schedule(&self.sandbox, from, later, inject);
        waiting.scheduled = Some((scheduled, until));
        inner.course.note(now, Event::Delayed { name: name.to_owned(), by, until });
        let left = crate::domain::words::within(until.duration_since(now));
        Answer::Done(Text::line(&format!("{name}: in {left}")))
    }

    fn no_inject(&self, inner: &Inner, name: &str) -> Answer {
        let names = inner.waiting.iter().map(|waiting| self.scenario.injects[waiting.inject].name.as_str());
        let names: Vec<&str> = names.collect();
        let hint = match names.is_empty() {
            true => "nothing more is going to happen".to_owned(),
            false => format!("there are: {}", names.join(", ")),
        };
        refused(&format!("no inject `{}` is still to come", Text::line(name)), &hint)
    }

    fn view(&self, inner: &Inner, now: Timestamp, with_truth: bool) -> View {
        let course = &inner.course;
        let told = crate::report::told(&course.events);
        let last = told.iter().rev().take(LAST).rev().map(|(_, text)| text.clone()).collect();
        let ended = course.events.last().and_then(|last| last.event.end());
        let ended = ended.map(|(why, _)| Text::from(why.words()));
        View {
            drill: self.scenario.name.clone(),
            title: self.scenario.title.clone(),
            environment: self.scenario.environment.clone(),
            seed: self.sandbox.options().seed,
            seconds: now.duration_since(course.begun_at()).as_secs(),
            seconds_left: course.ends_at().duration_since(now).as_secs().max(0),
            truth: with_truth.then(|| self.truth(inner, now)),
            mitigated: course.is_mitigated(),
            recovered: course.is_recovered(),
            declared_over: course.watched_until().is_some(),
            ended,
            harm: course.harm(),
            hints_given: course.hints,
            hints: self.scenario.hints.len(),
            last,
            players: crate::report::players(&course.events),
        }
    }

    fn truth(&self, inner: &Inner, now: Timestamp) -> Truth {
        let cause = inner.course.cause();
        let injects = self.scenario.injects.iter().enumerate().map(|(number, inject)| {
            let waiting = inner.waiting.iter().find(|waiting| waiting.inject == number);
            let at = waiting.and_then(|waiting| waiting.scheduled).map(|(_, at)| at);
            InjectView {
                name: inject.name.clone(),
                truth: inject.truth.clone(),
                is_decoy: inject.is_decoy,
                in_seconds: at.map(|at| at.duration_since(now).as_secs().max(0)),
                has_happened: waiting.is_none(),
            }
        });
        let injects = injects.collect();
        Truth { cause: cause.name.clone(), truth: cause.truth.clone(), better: cause.better.clone(), injects }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn write(&mut self) {
        let new = &self.course.events[self.written..];
        if let Err(error) = self.record.write(new)
            && self.broken.is_none()
        {
            self.broken = Some(Text::line(&error.to_string()));
        }
        self.written = self.course.events.len();
    }
}

/// Time between two looks of a drill that people play.
pub fn every() -> Duration {
    EVERY
}

fn schedule(
    sandbox: &Sandbox,
    from: Timestamp,
    after: SignedDuration,
    inject: &crate::scenario::Inject,
) -> (Scheduled, Timestamp) {
    let at = from.saturating_add(after).unwrap_or(Timestamp::MAX);
    (sandbox.with(|world, _| world.schedule(at, inject.at.change.clone())), at)
}

fn done(words: &'static str) -> Answer {
    Answer::Done(Text::from(words))
}

fn refused(because: &str, hint: &str) -> Answer {
    Answer::Refused { because: Text::line(because), hint: Text::line(hint) }
}

fn points(count: u32) -> String {
    crate::domain::words::counted(u64::from(count), "point")
}
