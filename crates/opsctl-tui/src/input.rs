//! [`Input`]: what the person types, read where a terminal that goes away can hold up nobody.
//!
//! crossterm's reader takes the end of a terminal for "nothing yet", and waits for more without waiting. So it is asked only for what
//! was seen to be there, and on a thread of its own.

use std::{
    collections::VecDeque,
    io,
    os::fd::{AsFd, OwnedFd},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    time::Duration,
};

use crossterm::event::Event;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::{
    io::{Interest, unix::AsyncFd},
    sync::mpsc,
};

/// Events that wait to be taken in; the reader waits with them.
const WAITING_MAX: usize = 1_024;
/// Reading ends when nothing more came for so long; less than this it takes for not at all.
const MORE_WITHIN: Duration = Duration::from_millis(1);
/// Longest wait for the reader to let go of the terminal.
const LET_GO_MAX: Duration = Duration::from_millis(100);

/// Times that what is there and was not met yet is waited for, a millisecond each.
const LATE_MAX: u32 = 1_000;

pub(super) struct Input {
    terminal: AsyncFd<OwnedFd>,
    ask: SyncSender<()>,
    read: mpsc::Receiver<Read>,
    /// Whether the reader was asked and has not finished.
    reading: bool,
    /// What was read before somebody else got the terminal.
    waiting: VecDeque<Event>,
}

enum Read {
    Event(Event),
    /// All that was there has been read.
    All(io::Result<()>),
}

impl Input {
    /// Begins to listen. Reads nothing before [`Input::next`] is waited for.
    pub(super) fn open() -> io::Result<Self> {
        let terminal = io::stdin().as_fd().try_clone_to_owned()?;
        #[expect(
            deprecated,
            reason = "what takes its place is unsafe to call; an OwnedFd stays open for as long as it is registered"
        )]
        let terminal = AsyncFd::with_interest(terminal, Interest::READABLE)?;
        let (ask, asked) = sync_channel(1);
        let (sender, read) = mpsc::channel(WAITING_MAX);
        std::thread::Builder::new().name("input".to_owned()).spawn(move || answer(&asked, &sender))?;
        Ok(Self { terminal, ask, read, reading: false, waiting: VecDeque::new() })
    }

    /// The next event. Nothing is lost where the wait is broken off.
    ///
    /// # Errors
    /// The terminal can't be read; [`io::ErrorKind::UnexpectedEof`]: it is gone.
    pub(super) async fn next(&mut self) -> io::Result<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Ok(event);
            }
            if self.reading {
                match self.read.recv().await.ok_or(io::ErrorKind::UnexpectedEof)? {
                    Read::Event(event) => return Ok(event),
                    Read::All(ended) => {
                        self.reading = false;
                        ended?;
                    }
                }
                continue;
            }
            let mut ready = self.terminal.readable().await?;
            if ready.ready().is_read_closed() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            ready.clear_ready();
            self.ask.send(()).map_err(|_| io::ErrorKind::UnexpectedEof)?;
            self.reading = true;
        }
    }

    /// Waits until nobody here reads: what is typed from now on is for somebody else.
    pub(super) async fn let_go(&mut self) {
        let all_read = async {
            while self.reading {
                match self.read.recv().await {
                    Some(Read::Event(event)) => self.waiting.push_back(event),
                    Some(Read::All(_)) | None => self.reading = false,
                }
            }
        };
        let _ = tokio::time::timeout(LET_GO_MAX, all_read).await;
    }
}

/// Reads what is there as often as it is asked to.
fn answer(asked: &Receiver<()>, read: &mpsc::Sender<Read>) {
    while asked.recv().is_ok() {
        let mut late = 0;
        let ended = loop {
            match crossterm::event::poll(MORE_WITHIN).and_then(|some| some.then(crossterm::event::read).transpose()) {
                Ok(Some(event)) => {
                    if read.blocking_send(Read::Event(event)).is_err() {
                        return;
                    }
                }
                // crossterm has a notice of its own, which may come later than ours: the key would wait there for the next one.
                Ok(None) if late < LATE_MAX && is_readable() => late += 1,
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        if read.blocking_send(Read::All(ended)).is_err() {
            return;
        }
    }
}

/// Whether the terminal has something to read, and is not gone.
fn is_readable() -> bool {
    let stdin = io::stdin();
    let mut polled = [PollFd::new(&stdin, PollFlags::IN)];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    let found = poll(&mut polled, Some(&at_once));
    let flags = polled[0].revents();
    found.is_ok_and(|count| count > 0) && flags.contains(PollFlags::IN) && !flags.contains(PollFlags::HUP)
}
