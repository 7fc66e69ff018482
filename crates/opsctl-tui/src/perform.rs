//! Carries out effects. Everything that waits or spawns stands here; answers come back as events.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Weak},
    time::{Duration, Instant, SystemTime},
};

use jiff::Timestamp;
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;

use crate::{
    cloud::CloudError,
    clouds::{Clouds, in_own_account},
    domain::{Envelope, EnvironmentName, Message, MessageId, RunId, Text, Try},
    driver::{self, Desk, Seat},
    gate::Approved,
    inbox::Inbox,
    journal::{Entry, JournalError, Lines, Record, StateFolder},
    leave,
    messages::{Filter, FilterError},
    observe::{
        Policy, Site, Watch,
        acknowledged::{Acknowledgement, Book},
    },
    operations::{Look as PlanLook, Operation, OperationError, Planner, choices, sample},
    outside::Outside,
    run::{self, Context, Failure, Progress},
    runbook::{Kind, things::names},
    state::{Edit, Effect, Event, Letters, LookAt, Notice, Ticket, Tried, runbook::Begin},
};

const PROGRESS_EVERY: Duration = Duration::from_millis(100);
/// What was seen last is written in less, or not.
const END_SECONDS_MAX: Duration = Duration::from_secs(1);
/// How often it is looked which runs of runbooks are open: other programs leave some, too.
const OPEN_EVERY: Duration = Duration::from_secs(30);
/// Records of a journal that are read at most: the last ones.
const RECORDS_MAX: usize = 2_000;

/// What only the owner of the terminal can do.
#[derive(Debug)]
pub enum Hold {
    Edit(Ticket, Edit),
    Copy(String),
    Attention(Option<Text>),
    Suspend,
    Redraw,
    Quit,
}

pub struct Performer {
    outside: Arc<Outside>,
    events: Sender<Event>,
    inbox: Arc<Inbox>,
    clouds: Arc<Clouds>,
    watch: Watch,
    /// Of the runs that are active; the runs keep them.
    cancels: HashMap<Ticket, Weak<CancellationToken>>,
    /// Of the runs of runbooks that are active; the runs keep them.
    desks: HashMap<Ticket, Weak<Desk>>,
}

impl Performer {
    pub fn start(outside: Arc<Outside>, events: Sender<Event>) -> Self {
        let clouds = Arc::new(Clouds(Arc::clone(&outside)));
        let inbox = Arc::new(Inbox::default());
        tokio::spawn(Arc::clone(&inbox).forward(events.clone()));
        let teller = Arc::clone(&inbox);
        let sites = outside.setting.environments.iter().map(|environment| {
            let (name, reach) = (environment.name.clone(), Arc::clone(&outside.reach));
            let site = Site::new(Arc::clone(environment), move || reach(name.clone()));
            let site = match &outside.cache {
                Some(folder) => site.cached_in(folder),
                None => site,
            };
            site.recorded_in(outside.state.clone())
        });
        let tell = move |snapshot| teller.observed(snapshot);
        let state = outside.state.clone();
        // What can't be tidied up now is tidied up at the next start.
        let now = SystemTime::from(outside.clock.now());
        tokio::task::spawn_blocking(move || drop(choices::tidy(&state, now)));
        let watch = Watch::start(sites.collect(), outside.clock, &Policy::default(), tell);
        let performer = Self { outside, events, inbox, clouds, watch, cancels: HashMap::new(), desks: HashMap::new() };
        performer.acknowledge(None);
        performer.read_runbooks();
        performer.watch_open_runbooks();
        performer
    }

    /// Ends: what was seen last is kept for the next start.
    pub async fn end(self) {
        // A disk that hangs must not keep anybody here.
        let _ = tokio::time::timeout(END_SECONDS_MAX, self.watch.stop()).await;
    }

    /// Carries an effect out; what only the owner of the terminal can do comes back.
    pub fn perform(&mut self, effect: Effect) -> Option<Hold> {
        match effect {
            Effect::Focus(focus) => self.watch.focus(&focus),
            Effect::Refresh(only) => {
                match only {
                    None => self.watch.refresh(),
                    Some(only) => self.watch.refresh_one(&only),
                }
                // Another console may have acknowledged something.
                self.acknowledge(None);
            }
            Effect::Look(ticket, look) => self.look(ticket, look),
            Effect::Match(ticket, filter, messages, envelopes) => self.filter(ticket, filter, (messages, envelopes)),
            Effect::Plan(ticket, environment, operation) => self.plan(ticket, environment, *operation),
            Effect::PlanResume(ticket, run) => self.in_state(move |state| {
                let plan = run::plan_of(state, &run).map(Box::new);
                let hint = "start a new run of the same operation";
                Event::Planned(ticket, plan.map_err(|error| Failure::new(error.to_string(), Try::RunAgain.says(hint))))
            }),
            Effect::Run(ticket, approved) => self.run(ticket, None, *approved),
            Effect::Resume(ticket, run, approved) => self.run(ticket, Some(run), *approved),
            Effect::Cancel(ticket) => {
                if let Some(cancel) = self.cancels.get(&ticket).and_then(Weak::upgrade) {
                    cancel.cancel();
                }
            }
            Effect::ReadRuns(ticket) => {
                self.in_state(move |state| Event::Runs(ticket, state.list().map_err(|error| unread(&error))))
            }
            Effect::ReadJournal(ticket, run) => {
                self.in_state(move |state| Event::JournalRead(ticket, journal(state, &run)))
            }
            Effect::ReadSent(ticket, run) => self.in_state(move |state| Event::Sent(ticket, sent(state, &run))),
            Effect::ReadAlarm(ticket, environment, name) => self.read_alarm(ticket, environment, name),
            Effect::Edit(ticket, edit) => return Some(Hold::Edit(ticket, edit)),
            Effect::Save(ticket, drafts) => self.in_state(move |state| {
                let saved = choices::save(state, &drafts);
                Event::Saved(ticket, saved.map_err(|error| unkept("the choice could not be written", &error)))
            }),
            Effect::ReadRunbooks => self.read_runbooks(),
            Effect::ReadNames(environment, kinds) => self.read_names(&environment, kinds),
            Effect::CarryOut(ticket, wanted) => self.carry_out(ticket, *wanted),
            Effect::Answer(ticket, number, said) => {
                if let Some(desk) = self.desks.get(&ticket).and_then(Weak::upgrade) {
                    desk.answer(number, *said);
                }
            }
            Effect::ReadStanding(ticket, run) => {
                self.in_state(move |state| Event::Stood(ticket, driver::stood(state, &run)))
            }
            Effect::Export(run) => {
                let invocation = self.outside.setting.invocation();
                self.in_state(move |state| {
                    Event::Said(match driver::export(state, &run, &invocation) {
                        Ok(name) => Notice::good(&format!("the timeline stands in ./{name}")),
                        Err(failure) => Notice::from(&failure),
                    })
                });
            }
            Effect::Attention(text) => return Some(Hold::Attention(text)),
            Effect::Acknowledge(line) => self.acknowledge(Some(*line)),
            Effect::Copy(text) => return Some(Hold::Copy(text)),
            Effect::Suspend => return Some(Hold::Suspend),
            Effect::Redraw => return Some(Hold::Redraw),
            Effect::Quit => return Some(Hold::Quit),
        }
        None
    }

    fn spawn(&self, answer: impl Future<Output = Event> + Send + 'static) {
        let events = self.events.clone();
        tokio::spawn(async move {
            // Nobody listens any more only when the console has ended.
            let _ = events.send(answer.await).await;
        });
    }

    fn spawn_blocking(&self, answer: impl FnOnce() -> Event + Send + 'static) {
        let events = self.events.clone();
        tokio::task::spawn_blocking(move || drop(events.blocking_send(answer())));
    }

    fn in_state(&self, answer: impl FnOnce(&StateFolder) -> Event + Send + 'static) {
        let state = self.outside.state.clone();
        self.spawn_blocking(move || answer(&state));
    }

    fn look(&self, ticket: Ticket, look: LookAt) {
        let (clouds, outside) = (Arc::clone(&self.clouds), Arc::clone(&self.outside));
        self.spawn(async move { Event::Looked(ticket, letters(&clouds, &outside, look).await) });
    }

    fn filter(&self, ticket: Ticket, filter: String, (messages, envelopes): (Arc<[Message]>, Arc<[Envelope]>)) {
        let now = self.outside.clock.now();
        self.spawn_blocking(move || {
            // Its text has several lines, with the place underlined.
            let failed = |error: FilterError| Failure::of_block(Text::block(&error.to_string()), None);
            Event::Matched(ticket, try_out(&filter, &messages, &envelopes, now).map_err(failed))
        });
    }

    /// Keeps a line, where there is one, and tells what is acknowledged now.
    fn acknowledge(&self, line: Option<Acknowledgement>) {
        self.in_state(move |state| {
            let book = line.map_or_else(|| Book::read(state), |line| Book::write(state, &line));
            Event::Acknowledged(book.map_err(|error| unkept("what is acknowledged can't be kept or read", &error)))
        });
    }

    /// Tells which runs of runbooks are open, now and whenever that is another answer than before.
    fn watch_open_runbooks(&self) {
        let (events, state, clock) = (self.events.clone(), self.outside.state.clone(), self.outside.clock);
        tokio::spawn(async move {
            let mut told: Option<Vec<_>> = None;
            loop {
                let state = state.clone();
                let read = tokio::task::spawn_blocking(move || state.open_runbooks().unwrap_or_default()).await;
                let open = read.unwrap_or_default();
                let face: Vec<_> = open.iter().map(|run| (run.run.clone(), run.last.seq, run.busy)).collect();
                // Nobody listens any more only when the console has ended.
                if told.as_ref() != Some(&face) && events.send(Event::Open(open)).await.is_err() {
                    return;
                }
                told = Some(face);
                clock.sleep(OPEN_EVERY).await;
            }
        });
    }

    fn read_runbooks(&self) {
        let shelf = self.outside.shelf.clone();
        self.spawn_blocking(move || Event::Runbooks(driver::books(&shelf)));
    }

    fn read_names(&self, environment: &EnvironmentName, kinds: Vec<Kind>) {
        for kind in kinds {
            let (clouds, environment) = (Arc::clone(&self.clouds), environment.clone());
            self.spawn(async move {
                let names = match clouds.of(&environment).await {
                    Ok(cloud) => names(kind, &cloud).await.map_err(|error| Text::line(&error.to_string())),
                    Err(failure) => Err(failure.what),
                };
                Event::Names(environment, kind, names)
            });
        }
    }

    fn carry_out(&mut self, ticket: Ticket, wanted: Begin) {
        let cancel = Arc::new(CancellationToken::new());
        self.cancels.retain(|_, known| known.strong_count() > 0);
        self.cancels.insert(ticket, Arc::downgrade(&cancel));
        let desk = Arc::new(Desk::default());
        self.desks.retain(|_, known| known.strong_count() > 0);
        self.desks.insert(ticket, Arc::downgrade(&desk));
        let (clouds, inbox) = (Arc::clone(&self.clouds), Arc::clone(&self.inbox));
        let seat = Seat { ticket, clouds, inbox: Arc::clone(&inbox), desk, cancel };
        let running = tokio::spawn(driver::carry_out(seat, wanted));
        self.spawn(async move {
            let broken = |_| {
                Failure::new(
                    "the run broke off by a mistake in opsctl",
                    Try::Resume.says("see its journal, and resume it"),
                )
            };
            let report = running.await.map_err(broken).and_then(|report| report);
            inbox.forget(ticket);
            Event::RunbookFinished(ticket, report.map(Box::new))
        });
    }

    fn plan(&self, ticket: Ticket, environment: EnvironmentName, operation: Operation) {
        let (clouds, outside) = (Arc::clone(&self.clouds), Arc::clone(&self.outside));
        self.spawn(async move {
            let cloud = match clouds.of(&environment).await {
                Ok(cloud) => cloud,
                Err(failure) => return Event::Planned(ticket, Err(failure)),
            };
            let planner = Planner::new(outside.state.clone(), fastrand::u64(..), PlanLook::Sample);
            let planned = planner.plan(&operation, &cloud).await;
            let failed = |error: OperationError| Failure::new(error.to_string(), error.advice(cloud.environment()));
            Event::Planned(ticket, planned.map(|planned| Box::new(planned.plan)).map_err(failed))
        });
    }

    fn read_alarm(&self, ticket: Ticket, environment: EnvironmentName, name: String) {
        let (clouds, outside) = (Arc::clone(&self.clouds), Arc::clone(&self.outside));
        self.spawn(async move {
            let history = match clouds.of(&environment).await {
                Ok(cloud) => cloud.alarms.history(&name).await.map_err(|error| outside.failure(&environment, &error)),
                Err(failure) => Err(failure),
            };
            Event::AlarmHistory(ticket, history)
        });
    }

    fn run(&mut self, ticket: Ticket, resumed: Option<RunId>, approved: Approved) {
        let cancel = Arc::new(CancellationToken::new());
        self.cancels.retain(|_, known| known.strong_count() > 0);
        self.cancels.insert(ticket, Arc::downgrade(&cancel));
        let (clouds, inbox, state) = (Arc::clone(&self.clouds), Arc::clone(&self.inbox), self.outside.state.clone());
        let progress = tell(ticket, Arc::clone(&inbox));
        let running = tokio::spawn(async move {
            let cloud = tokio::select! {
                cloud = clouds.of(&approved.plan().environment) => cloud?,
                () = cancel.cancelled() => return Err(Failure::new("stopped before it began: nothing was done", None)),
            };
            let cancel = cancel.as_ref().clone();
            let operation = approved.plan().operation.clone();
            let random = fastrand::u64(..);
            let context = Context { cloud, state: state.clone(), random, parent: None, cancel, progress };
            let report = match resumed {
                None => Ok(run::execute(approved, &context).await),
                Some(run) => run::resume(&run, approved, &context)
                    .await
                    .map_err(|error| Failure::new(error.to_string(), error.hint())),
            };
            if report.as_ref().is_ok_and(|report| report.end == run::End::Done) {
                // Beside the loop: a disk may take its time.
                let _ = tokio::task::spawn_blocking(move || choices::done(&state, &operation)).await;
            }
            report
        });
        self.spawn(async move {
            let broken = |_| {
                Failure::new(
                    "the run broke off by a mistake in opsctl",
                    Try::Resume.says("see its journal, and resume it"),
                )
            };
            let report = running.await.map_err(broken).and_then(|report| report);
            inbox.forget(ticket);
            Event::Finished(ticket, report.map(Box::new))
        });
    }
}

/// Progress, not more often than anybody can see.
fn tell(ticket: Ticket, inbox: Arc<Inbox>) -> Arc<dyn Fn(&Progress) + Send + Sync> {
    let last = std::sync::Mutex::new(None::<Instant>);
    Arc::new(move |progress| {
        let mut last = last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // What is told once must not be lost: the inbox joins it.
        let tells = !progress.news.is_empty() || !progress.log.is_empty();
        if tells || last.is_none_or(|last| last.elapsed() >= PROGRESS_EVERY) {
            *last = Some(Instant::now());
            inbox.progress(ticket, progress);
        }
    })
}

/// Tries a filter on messages: nothing for those on which it failed.
fn try_out(filter: &str, messages: &[Message], envelopes: &[Envelope], now: Timestamp) -> Result<Tried, FilterError> {
    let answers = Filter::compile(filter)?.seeing(envelopes).matches_all(messages, now);
    let mut tried = Tried::default();
    for answer in answers {
        match answer {
            Ok(fits) => tried.fits.push(Some(fits)),
            Err(error) if error.is_final() => return Err(error),
            Err(error) => {
                tried.why.get_or_insert_with(|| error.in_general());
                tried.fits.push(None);
            }
        }
    }
    Ok(tried)
}

async fn letters(clouds: &Clouds, outside: &Outside, look: LookAt) -> Result<Box<Letters>, Failure> {
    let cloud = clouds.of(&look.environment).await?;
    let failed = |error: CloudError| outside.failure(&look.environment, &error);
    let queue = cloud.sqs.describe(&look.queue).await.map_err(failed)?;
    let leave = leave::allow_look(cloud.environment(), &queue, look.force)
        .map_err(|refusal| Failure::new(refusal.to_string(), refusal.hint()))?;
    // A receive is a write: it must not happen in another account that the credentials are of.
    in_own_account(&cloud, outside).await?;
    let sample = sample::look(&cloud, &queue, look.messages_max, leave).await.map_err(failed)?;
    let at = cloud.clock().now();
    let (environment, name) = (look.environment.clone(), queue.name.clone());
    let envelopes = cloud.environment().queues.envelopes.clone();
    // Suggested filters are tried out on the sample, which takes its time.
    let grouped = tokio::task::spawn_blocking(move || {
        Box::new(Letters::of(environment, name, at, queue.retention_seconds, sample, &envelopes))
    });
    grouped.await.map_err(|_| Failure::new("the messages could not be grouped", Try::RunAgain.says("look again")))
}

fn sent(state: &StateFolder, run: &RunId) -> Result<Vec<MessageId>, Failure> {
    let failed = |error: JournalError| unread(&error);
    let mut ids = Vec::new();
    for line in Lines::open(&state.open(run).map_err(failed)?.journal()).map_err(failed)? {
        if let Record::Sent { messages, .. } = line.map_err(failed)?.entry.record {
            ids.extend(messages.into_iter().map(|message| message.id));
        }
    }
    Ok(ids)
}

fn journal(state: &StateFolder, run: &RunId) -> Result<Vec<Entry>, Failure> {
    let failed = |error: JournalError| unread(&error);
    let lines = Lines::open(&state.open(run).map_err(failed)?.journal()).map_err(failed)?;
    let mut entries = VecDeque::new();
    for line in lines {
        entries.push_back(line.map_err(failed)?.entry);
        if entries.len() > RECORDS_MAX {
            entries.pop_front();
        }
    }
    Ok(entries.into())
}

fn unread(error: &JournalError) -> Failure {
    Failure::new(error.to_string(), error.hint())
}

fn unkept(what: &str, error: &std::io::Error) -> Failure {
    let hint = "make room in the state folder, or set XDG_STATE_HOME to another";
    Failure::new(format!("{what}: {error}"), Try::MakeRoom.says(hint))
}
