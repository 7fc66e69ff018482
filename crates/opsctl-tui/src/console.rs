//! The one loop: input first, then what comes from outside, then a frame.

use std::{
    io,
    ops::ControlFlow,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc::{self, Receiver},
};

use crate::{
    editor,
    input::Input,
    outside::{ConsoleError, Outside},
    pace::{Cause, Pace},
    perform::{Hold, Performer},
    state::{Effect, Event, Model, Notice},
    terminal::{self, Screen},
    update::{begin, update},
};

/// Events that are taken in before a frame is drawn.
const EVENTS_AT_ONCE: usize = 256;
/// Events that wait to be taken in; who has more waits too.
const EVENTS_WAITING_MAX: usize = 256;
/// Longest wait for runs to finish what is in hand where the terminal is gone.
const WIND_DOWN_MAX: Duration = Duration::from_secs(120);

pub(super) struct Console {
    screen: Screen,
    model: Model,
    pace: Pace,
    started: Instant,
    wanted: Option<Cause>,
}

/// What is heard from the person and from the system.
struct Ears {
    input: Input,
    signals: Pin<Box<dyn Future<Output = Asked> + Send>>,
    resized: Signal,
}

enum Asked {
    Terminate,
    /// SIGHUP: the terminal is gone.
    HangUp,
}

impl Console {
    /// Takes the terminal over and draws the first frame, which waits for nothing.
    pub(super) fn begin(outside: &Outside) -> io::Result<Self> {
        let screen = Screen::take()?;
        let model = begin(outside.setting.clone(), outside.clock.now(), screen.size());
        let mut console =
            Self { screen, model, pace: Pace::default(), started: Instant::now(), wanted: Some(Cause::Person) };
        console.draw_if_due()?;
        Ok(console)
    }

    /// Lives until the person leaves. Where the terminal fails, runs still finish what is in hand.
    pub(super) async fn live(mut self, outside: Arc<Outside>) -> Result<(), ConsoleError> {
        let (sender, mut events) = mpsc::channel(EVENTS_WAITING_MAX);
        let mut performer = Performer::start(Arc::clone(&outside), sender);
        let ended = self.turn(&outside, &mut performer, &mut events).await;
        if ended.is_err() {
            let Self { screen, model, .. } = self;
            // What is drawn would only fail again, or hide a report.
            drop(screen);
            let winding_down = wind_down(model, &mut performer, &mut events);
            let _ = tokio::time::timeout(WIND_DOWN_MAX, winding_down).await;
        }
        performer.end().await;
        ended
    }

    async fn turn(
        &mut self,
        outside: &Outside,
        performer: &mut Performer,
        events: &mut Receiver<Event>,
    ) -> Result<(), ConsoleError> {
        let mut ears = Ears {
            input: Input::open()?,
            signals: Box::pin(asked_to_end()),
            resized: signal(SignalKind::window_change())?,
        };
        let mut ticks = tokio::time::interval(Duration::from_secs(1));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let pause = self.draw_if_due()?;
            // Input comes first: however much comes from outside, a key is taken in at once.
            let event = tokio::select! {
                biased;
                typed = ears.input.next() => { self.want(Cause::Person); terminal::event(typed?) }
                _ = ears.resized.recv() => {
                    self.want(Cause::Person);
                    let (columns, rows) = self.screen.size();
                    Some(Event::Resize(columns, rows))
                }
                asked = &mut ears.signals => { ears.signals = Box::pin(asked_to_end()); Some(asked.event()?) }
                () = tokio::time::sleep(pause), if self.wanted.is_some() => None,
                event = events.recv() => { self.want(Cause::Outside); event }
                _ = ticks.tick() => { self.want(Cause::Outside); Some(Event::Tick(outside.clock.now())) }
            };
            if terminal::has_panicked() {
                return Err(ConsoleError::Panicked);
            }
            self.model.moment = self.started.elapsed();
            let mut next = event;
            for _ in 0..EVENTS_AT_ONCE {
                let Some(event) = next else { break };
                for effect in update(&mut self.model, event) {
                    if self.perform(effect, outside, performer, &mut ears).await?.is_break() {
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
        ears: &mut Ears,
    ) -> Result<ControlFlow<()>, ConsoleError> {
        let answer = match performer.perform(effect) {
            None => return Ok(ControlFlow::Continue(())),
            Some(Hold::Quit) => return Ok(ControlFlow::Break(())),
            Some(Hold::Redraw) => {
                self.screen.clear()?;
                Event::Tick(outside.clock.now())
            }
            Some(Hold::Copy(text)) => {
                self.screen.copy(&text)?;
                Event::Said(Notice::good("copied"))
            }
            Some(Hold::Attention(text)) => {
                self.screen.attention(text.as_ref())?;
                Event::Tick(outside.clock.now())
            }
            Some(Hold::Edit(ticket, edit)) => {
                ears.input.let_go().await;
                let editing = editor::edit(edit, outside.editor.as_deref());
                let signals = &mut ears.signals;
                let edited = self.screen.lend(async {
                    tokio::select! {
                        edited = editing => Ok(edited),
                        // The editor ends with its future.
                        asked = signals => Err(asked),
                    }
                });
                match edited.await? {
                    Ok(edited) => Event::Edited(ticket, edited),
                    Err(asked) => {
                        ears.signals = Box::pin(asked_to_end());
                        asked.event()?
                    }
                }
            }
            Some(Hold::Suspend) => {
                ears.input.let_go().await;
                self.screen.lend(editor::suspend()).await?;
                Event::Tick(outside.clock.now())
            }
        };
        let (columns, rows) = self.screen.size();
        for event in [answer, Event::Resize(columns, rows)] {
            for effect in update(&mut self.model, event) {
                if let Some(Hold::Quit) = performer.perform(effect) {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        self.want(Cause::Person);
        Ok(ControlFlow::Continue(()))
    }
}

/// Asks active runs to stop after what is in hand, and waits until they have: what was sent is deleted, and the journal
/// says how they ended.
async fn wind_down(mut model: Model, performer: &mut Performer, events: &mut Receiver<Event>) {
    let mut next = Some(Event::Terminate);
    while let Some(event) = next {
        for effect in update(&mut model, event) {
            if let Some(Hold::Quit) = performer.perform(effect) {
                return;
            }
        }
        next = events.recv().await;
    }
}

impl Asked {
    fn event(self) -> Result<Event, ConsoleError> {
        match self {
            Self::Terminate => Ok(Event::Terminate),
            // Nothing may be read from a terminal that is gone: it would answer at once and for ever.
            Self::HangUp => Err(ConsoleError::HungUp),
        }
    }
}

async fn asked_to_end() -> Asked {
    let (Ok(mut terminate), Ok(mut hangup)) = (signal(SignalKind::terminate()), signal(SignalKind::hangup())) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => Asked::Terminate,
        _ = hangup.recv() => Asked::HangUp,
    }
}
