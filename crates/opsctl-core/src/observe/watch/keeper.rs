//! The task of one environment: asks what the schedule says, puts answers on the board, tells snapshots.

use std::{sync::Arc, time::Duration};

use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use jiff::Timestamp;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{
    Ear, Site, Tell,
    keeping::Keeping,
    questions::{self, Answer, Connected, Looked, Question},
};
use crate::{
    clock::Clock,
    cloud::{Cloud, CloudError, ErrorKind},
    databases::EVENT_MINUTES,
    domain::{QueueUrl, Service},
    journal::StateFolder,
    observe::{
        board::{Board, Change, is_said_elsewhere},
        parts::{Asking, Found, Look, Next},
        schedule::{Ask, Outcome, Policy, Schedule, Shares, Slot, Step},
    },
};

const TELL_EVERY: Duration = Duration::from_millis(100);
/// Least time between two that differ in the age of figures only.
const FRESHER_EVERY: Duration = Duration::from_secs(1);
/// From so many queues on a snapshot costs enough to be made less often: twice a second.
const QUEUES_MANY: usize = 2_000;
const TELL_EVERY_MANY: Duration = Duration::from_millis(500);
const FRESHER_EVERY_MANY: Duration = Duration::from_secs(2);
/// Answers that are put on the board before something else is looked at.
const ANSWERS_AT_ONCE: usize = 64;
/// Ages are first asked for so long after the first listing.
const AGES_AFTER: Duration = Duration::from_secs(1);
/// Ages asked for at once, at most: four calls.
const AGES_AT_ONCE: usize = 2_000;
/// Metrics asked for in one look, at most: four calls.
const METRICS_AT_ONCE: usize = 2_000;
/// Results on one page of a listing (the most SQS gives).
const PAGE: usize = 1_000;

pub(super) struct Keeper {
    site: Site,
    clock: Clock,
    since: Since,
    schedule: Schedule,
    board: Board,
    tell: Tell,
    connected: Option<Connected>,
    /// Whether the clients' credentials did not work: the next listing makes new ones.
    is_stale: bool,
    questions: FuturesUnordered<Question>,
    told_at: Option<Duration>,
    /// Whether all listed queues were looked at when the last snapshot was told.
    was_complete: bool,
    keeping: Option<Keeping>,
    shares: Arc<Shares>,
    early: Channel<Connected>,
    slices: Channel<Vec<Service>>,
}

type Channel<T> = (UnboundedSender<T>, UnboundedReceiver<T>);

/// Time since the watch started, that never runs backwards though the clock may be set.
struct Since {
    last: Timestamp,
    passed: Duration,
}

impl Since {
    fn at(&mut self, now: Timestamp) -> Duration {
        self.passed += Duration::try_from(now.duration_since(self.last)).unwrap_or_default();
        self.last = now;
        self.passed
    }
}

impl Keeper {
    pub(super) fn new(site: Site, clock: Clock, policy: Policy, shares: Arc<Shares>, tell: Tell) -> Self {
        let environment = &site.environment;
        Self {
            since: Since { last: clock.now(), passed: Duration::ZERO },
            schedule: Schedule::new(policy, &environment.watch),
            board: Board::new(environment.name.clone(), environment.queues.clone()),
            connected: None,
            is_stale: false,
            questions: FuturesUnordered::new(),
            told_at: None,
            was_complete: false,
            keeping: site.cache.clone().map(Keeping::new),
            site,
            clock,
            tell,
            shares,
            early: unbounded_channel(),
            slices: unbounded_channel(),
        }
    }

    pub(super) async fn run(mut self, mut ear: Ear) {
        if let Some(keeping) = &self.keeping {
            let (queues, estate) = keeping.load(&self.site.environment, self.clock.now()).await;
            queues.into_iter().for_each(|cached| self.board.restore(cached));
            estate.into_iter().for_each(|estate| self.board.register().restore(estate));
        }
        loop {
            let now = self.now();
            let wake = self.ask(now, &ear);
            let wake = [wake, self.speak(now), self.keep(now)].into_iter().flatten().min();
            let pause = wake.map_or(Duration::from_secs(60), |wake| wake.saturating_sub(now));
            let clock = self.clock;
            tokio::select! {
                biased;
                () = ear.cancel.cancelled() => break,
                Ok(()) = ear.focus.changed() => {
                    let now = self.now();
                    let shown = Arc::clone(&ear.focus.borrow_and_update());
                    self.schedule.focus(now, &self.board.slots(shown.queues.iter()));
                    self.schedule.open(now, &shown.parts);
                    if !shown.services.is_empty() {
                        self.schedule.looks.hurry(now, Look::Stopped);
                    }
                }
                () = ear.refresh.notified() => {
                    let now = self.now();
                    self.schedule.refresh(now);
                }
                Some(connected) = self.early.1.recv() => self.reached(connected),
                Some(slice) = self.slices.1.recv() => {
                    let at = self.clock.now();
                    self.board.register().some_services(at, slice);
                }
                Some(answer) = self.questions.next(), if !self.questions.is_empty() => self.take_all(answer, &ear),
                () = clock.sleep(pause) => {}
            }
        }
        if let Some(keeping) = self.keeping.take() {
            keeping.end().await;
        }
    }

    fn now(&mut self) -> Duration {
        self.since.at(self.clock.now())
    }

    /// Asks what is to be asked now; when to look again.
    fn ask(&mut self, now: Duration, ear: &Ear) -> Option<Duration> {
        loop {
            let ask = match self.schedule.next(now) {
                Step::Wait(until) => return until,
                Step::Ask(ask) => ask,
            };
            let question = match ask {
                Ask::Listing => {
                    self.board.listing_asked();
                    let connected = self.connected.clone().filter(|_| !self.is_stale);
                    Some(questions::listing(connected, Arc::clone(&self.site.open), self.clock, self.early.0.clone()))
                }
                Ask::Describe(slot) => self.describe(now, slot),
                Ask::Tags(slot) => {
                    let tag = self.board.pair_tag().unwrap_or_default().to_owned();
                    self.about(slot, |cloud, url| questions::tags(cloud, slot, url, &tag))
                }
                Ask::Ages => self.ages(now, ear),
                Ask::Look(look) => self.look(now, look, ear),
            };
            match (question, ask) {
                (Some(question), _) => self.questions.push(question),
                // No queue has messages, or nothing may be spent.
                (None, Ask::Ages | Ask::Look(_)) => self.schedule.answered(now, ask, Outcome::Done),
                // No clients yet: the listing makes them.
                (None, _) => self.schedule.answered(now, ask, Outcome::Failed),
            }
        }
    }

    fn describe(&mut self, now: Duration, slot: Slot) -> Option<Question> {
        let wanted = |runs: &StateFolder| Some((runs.clone(), self.board.leaving_wanted(now, slot)?));
        let leaving = self.site.runs.as_ref().and_then(wanted);
        if leaving.is_some() {
            self.schedule.budget.charge(now, 1);
        }
        self.about(slot, |cloud, url| questions::describe(cloud, slot, url, leaving))
    }

    fn about(&self, slot: Slot, question: impl FnOnce(&Cloud, QueueUrl) -> Question) -> Option<Question> {
        let url = self.board.url(slot)?.clone();
        Some(question(&self.connected.as_ref()?.cloud, url))
    }

    fn ages(&mut self, now: Duration, ear: &Ear) -> Option<Question> {
        let cloud = &self.connected.as_ref()?.cloud;
        let names_max = self.schedule.budget.metrics_allowed(now).min(AGES_AT_ONCE);
        let names = self.board.ages_wanted(now, &ear.focus.borrow().queues, names_max);
        (!names.is_empty()).then(|| questions::ages(cloud, names))
    }

    /// A look at something beside queues; none: there is nothing to look at, or nothing may be spent.
    fn look(&mut self, now: Duration, look: Look, ear: &Ear) -> Option<Question> {
        let connected = self.connected.as_ref()?;
        let shown = Arc::clone(&ear.focus.borrow());
        let asking = Asking {
            cloud: &connected.cloud,
            shares: &self.shares,
            at: self.clock.now(),
            now,
            metrics_max: self.schedule.budget.metrics_allowed_beyond_queues(now).min(METRICS_AT_ONCE),
            event_minutes: EVENT_MINUTES,
            without_instances: false,
            shown: &shown.services,
            slices: Some(&self.slices.0),
        };
        let register = self.board.register();
        let found = (look.spec().ask)(register, &asking)?;
        register.busy(look, true);
        Some(Box::pin(async move { Answer::Looked(look, Box::new(found.await)) }))
    }

    fn looked(&mut self, now: Duration, at: Timestamp, look: Look, found: Result<Found, CloudError>) {
        self.note_stale_clients(found.as_ref().err());
        let register = self.board.register();
        register.busy(look, false);
        let found = match found {
            Err(error) => return register.failed(at, look, error),
            Ok(found) => found,
        };
        if found.metrics > 0 {
            self.schedule.budget.charge_metrics(now, u32::try_from(found.metrics).unwrap_or(u32::MAX));
        }
        for next in (found.put)(register, at) {
            match next {
                Next::Want(look) => self.schedule.looks.want(now, look),
                Next::Hurry(look) => self.schedule.looks.hurry(now, look),
            }
        }
    }

    fn take_all(&mut self, first: Answer, ear: &Ear) {
        let mut answer = Some(first);
        for _ in 0..ANSWERS_AT_ONCE {
            let Some(one) = answer.take() else { return };
            self.take(one, ear);
            answer = self.questions.next().now_or_never().flatten();
        }
        if let Some(last) = answer {
            self.take(last, ear);
        }
    }

    fn take(&mut self, answer: Answer, ear: &Ear) {
        let at = self.clock.now();
        let now = self.since.at(at);
        let (ask, outcome) = answer.outcome();
        self.schedule.answered(now, ask, outcome);
        match answer {
            Answer::Listing(looked) => self.listed(now, at, *looked, ear),
            Answer::Described(slot, answer, leaving) => {
                leaving.into_iter().for_each(|leaving| self.board.left(slot, *leaving));
                self.note_stale_clients(answer.as_ref().as_ref().err());
                if !answer.as_ref().as_ref().is_err_and(is_said_elsewhere) {
                    self.board.described(at, slot, *answer);
                }
            }
            // Where tags may not be read, the other ways of pairing are left.
            Answer::Tagged(slot, answer) => {
                if let Ok(source) = answer {
                    self.board.tagged(slot, source);
                }
            }
            Answer::Ages(answer) => {
                let ages = answer.map(|answer| {
                    self.schedule.budget.charge_metrics(now, answer.asked);
                    answer.ages
                });
                self.board.aged(ages);
            }
            Answer::Looked(look, found) => self.looked(now, at, look, *found),
        }
    }

    fn listed(&mut self, now: Duration, at: Timestamp, looked: Looked, ear: &Ear) {
        self.board.listing_answered();
        if let Some(connected) = &looked.cloud {
            self.take_rules(connected);
        }
        self.connected = looked.cloud;
        self.is_stale = false;
        self.schedule.looks.set_reached(now, self.connected.is_some());
        match looked.listed {
            Ok(urls) => {
                let pages = urls.len().div_ceil(PAGE).saturating_sub(1);
                self.schedule.budget.count(now, u32::try_from(pages).unwrap_or(u32::MAX));
                // Once the first figures are there: where nothing lies, no age is asked for.
                self.schedule.want_ages(now + AGES_AFTER);
                if self.board.listed(now, at, urls, &mut self.schedule) {
                    let shown = Arc::clone(&ear.focus.borrow());
                    self.schedule.focus(now, &self.board.slots(shown.queues.iter()));
                }
            }
            Err(error) => {
                self.note_stale_clients(Some(&error));
                if error.kind == ErrorKind::Denied {
                    self.board.adopt(now, &mut self.schedule);
                }
                self.board.not_listed(error);
            }
        }
    }

    fn take_rules(&mut self, connected: &Connected) {
        let environment = questions::environment_of(connected);
        if environment.watch != self.site.environment.watch {
            self.schedule.set_rules(&environment.watch);
        }
        self.board.set_rules(&environment.queues);
        self.site.environment = environment;
    }

    /// There are clients, and their account is the configured one as far as that can be known.
    fn reached(&mut self, connected: Connected) {
        let now = self.now();
        // Once the listing was answered it says what counts.
        if !self.schedule.is_listing() {
            return;
        }
        self.take_rules(&connected);
        (self.connected, self.is_stale) = (Some(connected), false);
        self.schedule.looks.set_reached(now, true);
    }

    /// Clients whose credentials do not work are made anew with the next listing.
    fn note_stale_clients(&mut self, error: Option<&CloudError>) {
        let kind = error.map(|error| error.kind);
        if matches!(kind, Some(ErrorKind::CredentialsExpired | ErrorKind::CredentialsMissing)) {
            self.is_stale = true;
            let now = self.now();
            self.schedule.looks.set_reached(now, false);
        }
    }

    /// Tells a snapshot if one is due; else when one will be, if something changed.
    fn speak(&mut self, now: Duration) -> Option<Duration> {
        let spend = self.schedule.spend(now);
        self.board.note_spend(spend);
        let is_many = self.board.len() > QUEUES_MANY;
        let every = match (self.board.change(), is_many) {
            (Change::None, _) => return None,
            (Change::Fresher, false) => FRESHER_EVERY,
            (Change::Fresher, true) => FRESHER_EVERY_MANY,
            (Change::Content, false) => TELL_EVERY,
            (Change::Content, true) => TELL_EVERY_MANY,
        };
        let is_complete = self.board.unanswered == 0 && self.board.len() > 0;
        let has_just_completed = is_complete && !self.was_complete;
        let due = self.told_at.map_or(now, |told| told + every);
        if due > now && !has_just_completed {
            return Some(due);
        }
        self.was_complete = is_complete;
        self.told_at = Some(now);
        let snapshot = Arc::new(self.board.snapshot(now, &mut self.schedule));
        // Only what is known to be of the configured account is kept.
        let is_verified = self.connected.as_ref().is_some_and(|connected| connected.is_verified);
        if let Some(keeping) = self.keeping.as_mut().filter(|_| is_verified) {
            keeping.note(&self.site.environment, &snapshot);
        }
        (self.tell)(snapshot);
        None
    }

    /// Writes the last state if it is time; else when it will be.
    fn keep(&mut self, now: Duration) -> Option<Duration> {
        self.keeping.as_mut()?.write(now)
    }
}
