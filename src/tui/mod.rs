//! The console: what needs somebody, in every environment, in one terminal.
//!
//! ```text
//! terminal, watches, runs ──Event──> update(&mut Model) ──Effect──> perform ──Event──> ...
//!                                        view(&Model) ──> frame
//! ```
//!
//! [`update`] and [`view`] are pure; everything that waits or spawns stands in [`perform`].

pub mod able;
pub mod activity;
mod editor;
pub mod effect;
pub mod event;
pub mod field;
pub mod fit;
pub mod flow;
mod footer;
pub mod help;
pub mod home;
mod json;
pub mod letters;
pub mod list;
pub mod message;
pub mod model;
mod observed;
mod overlay;
mod pace;
pub mod page;
pub mod palette;
pub mod perform;
pub mod popup;
pub mod queues;
mod quitting;
mod run_page;
pub mod run_view;
pub mod spark;
pub mod standing;
pub mod table;
mod terminal;
pub mod theme;
pub mod ticket;
mod title;
pub mod update;
pub mod verbs;
pub mod view;
pub mod words;

use std::{
    io,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use crossterm::event::EventStream;
use futures_util::{StreamExt, future::BoxFuture};
use tokio::sync::mpsc::{self, UnboundedReceiver};

use self::{
    effect::Effect,
    event::{Event, Notice},
    model::{Model, Setting},
    pace::{Cause, Pace},
    perform::{Hold, Performer},
    terminal::Screen,
};
use crate::{
    clock::Clock,
    cloud::{Cloud, CloudError},
    domain::{EnvironmentName, Text},
    journal::StateFolder,
    run::Failure,
};

/// Events that are taken in before a frame is drawn.
const EVENTS_AT_ONCE: usize = 256;

/// Makes an environment's clients; may ask AWS for what the configuration leaves to parameters.
pub type Reach = Arc<dyn Fn(EnvironmentName) -> BoxFuture<'static, Result<Cloud, CloudError>> + Send + Sync>;

/// What the console is given from outside.
pub struct Outside {
    /// Makes the environments' clients.
    pub reach: Reach,
    /// The clock of it all.
    pub clock: Clock,
    /// Where journals lie.
    pub state: StateFolder,
    /// Where what was seen last is kept; none: nowhere.
    pub cache: Option<PathBuf>,
    /// What the model starts with.
    pub setting: Setting,
    /// The person's editor, with arguments; run without a shell.
    pub editor: Option<String>,
}

impl Outside {
    fn failure(&self, name: &EnvironmentName, error: &CloudError) -> Failure {
        let environment = self.setting.environments.iter().find(|environment| environment.name == *name);
        let hint = environment.map(|environment| error.hint(environment)).unwrap_or_default();
        Failure { what: Text::line(&error.to_string()), hint: Text::line(&hint) }
    }
}

/// Why the console ended badly.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// The terminal can't be used.
    #[error("the terminal can't be used: {0}")]
    Terminal(#[from] io::Error),
    /// Something in it went wrong that should not; the report stands above.
    #[error("the console has ended because of a mistake in it")]
    Panicked,
}

/// Shows the console until the person leaves it.
///
/// # Errors
/// The terminal can't be used; a panic in one of its tasks.
pub async fn run(outside: Outside) -> Result<(), ConsoleError> {
    let screen = Screen::take()?;
    let outside = Arc::new(outside);
    let (sender, events) = mpsc::unbounded_channel();
    let model = Model::new(outside.setting.clone(), outside.clock.now(), screen.size());
    let mut console =
        Console { screen, model, pace: Pace::default(), started: Instant::now(), wanted: Some(Cause::Person) };
    // The first frame waits for nothing.
    console.draw_if_due()?;
    let performer = Performer::start(Arc::clone(&outside), sender);
    console.live(outside, performer, events).await
}

struct Console {
    screen: Screen,
    model: Model,
    pace: Pace,
    started: Instant,
    /// Why a frame is wanted, if one is.
    wanted: Option<Cause>,
}

impl Console {
    async fn live(
        &mut self,
        outside: Arc<Outside>,
        mut performer: Performer,
        mut events: UnboundedReceiver<Event>,
    ) -> Result<(), ConsoleError> {
        let mut input = EventStream::new();
        let mut ticks = tokio::time::interval(Duration::from_secs(1));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut ended = std::pin::pin!(asked_to_end());
        let mut asked = false;
        loop {
            let pause = self.draw_if_due()?;
            // Input comes first: however much comes from outside, a key is taken in at once.
            let event = tokio::select! {
                biased;
                typed = input.next() => match typed {
                    Some(Ok(typed)) => { self.want(Cause::Person); terminal::event(typed) }
                    Some(Err(error)) => return Err(error.into()),
                    None => Some(Event::Terminate),
                },
                () = &mut ended, if !asked => { asked = true; Some(Event::Terminate) }
                () = tokio::time::sleep(pause), if self.wanted.is_some() => None,
                event = events.recv() => { self.want(Cause::Outside); event }
                _ = ticks.tick() => { self.want(Cause::Outside); Some(Event::Tick(outside.clock.now())) }
            };
            if terminal::has_panicked() {
                return Err(ConsoleError::Panicked);
            }
            let mut next = event;
            for _ in 0..EVENTS_AT_ONCE {
                let Some(event) = next else { break };
                for effect in update::update(&mut self.model, event) {
                    if self.perform(effect, &outside, &mut performer, &mut input).await?.is_break() {
                        performer.end().await;
                        return Ok(());
                    }
                }
                next = events.try_recv().ok();
            }
        }
    }

    fn want(&mut self, cause: Cause) {
        self.wanted = self.wanted.max(Some(cause));
    }

    /// Draws if it may; else says how long to wait.
    fn draw_if_due(&mut self) -> io::Result<Duration> {
        let Some(cause) = self.wanted else { return Ok(Duration::ZERO) };
        let pause = self.pace.wait(self.started.elapsed(), cause);
        if pause.is_zero() {
            self.screen.draw(&self.model)?;
            self.model.frames += 1;
            self.pace.drawn();
            self.wanted = None;
        }
        Ok(pause)
    }

    async fn perform(
        &mut self,
        effect: Effect,
        outside: &Outside,
        performer: &mut Performer,
        input: &mut EventStream,
    ) -> io::Result<std::ops::ControlFlow<()>> {
        let answer = match performer.perform(effect) {
            None => return Ok(std::ops::ControlFlow::Continue(())),
            Some(Hold::Quit) => return Ok(std::ops::ControlFlow::Break(())),
            Some(Hold::Redraw) => {
                self.screen.clear()?;
                Event::Tick(outside.clock.now())
            }
            Some(Hold::Copy(text)) => {
                self.screen.copy(&text)?;
                Event::Said(Notice::good("copied"))
            }
            Some(Hold::Edit(ticket, edit)) => {
                // The old stream would read what is typed for the editor; a new one reads nothing before it is asked.
                *input = EventStream::new();
                let edited = self.screen.lend(editor::edit(edit, outside.editor.as_deref())).await?;
                Event::Edited(ticket, edited)
            }
            Some(Hold::Suspend) => {
                *input = EventStream::new();
                self.screen.lend(editor::suspend()).await?;
                Event::Tick(outside.clock.now())
            }
        };
        let (columns, rows) = self.screen.size();
        for event in [answer, Event::Resize(columns, rows)] {
            for effect in update::update(&mut self.model, event) {
                if let Some(Hold::Quit) = performer.perform(effect) {
                    return Ok(std::ops::ControlFlow::Break(()));
                }
            }
        }
        self.want(Cause::Person);
        Ok(std::ops::ControlFlow::Continue(()))
    }
}

/// SIGTERM or SIGHUP: the terminal is gone, or somebody wants the end.
async fn asked_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut hangup)) = (signal(SignalKind::terminate()), signal(SignalKind::hangup())) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
}
