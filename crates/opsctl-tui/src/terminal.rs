//! The terminal: taken over, drawn on, given back, in any case sane afterwards.

use std::{
    io::{self, Stdout, Write},
    sync::{
        Arc, Mutex, Once, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use crossterm::{
    clipboard::CopyToClipboard,
    cursor::Show,
    event::{
        DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture, Event as Input,
        MouseButton, MouseEventKind,
    },
    execute,
    style::Print,
    terminal::{
        Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, SetTitle, disable_raw_mode, enable_raw_mode,
    },
};
use ratatui::{Terminal, backend::CrosstermBackend};

use crate::{
    domain::Text,
    keymap::Key,
    state::{Event, Model, Mouse, MouseWhat},
    view::view,
};

const WHEEL_LINES: i16 = 3;

/// Whether the terminal is ours now: a panic gives it back before it says anything.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// Whether there is a screen, also while an editor has the terminal.
static SCREEN: AtomicBool = AtomicBool::new(false);
/// Whether something panicked while there was one.
static PANICKED: AtomicBool = AtomicBool::new(false);

/// The terminal, taken over. Given back when dropped.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<Out>>,
    out: Out,
}

/// Standard output that keeps its first error to itself, and then takes everything: ratatui, where it ends, would print an error to
/// a standard error that is as dead, and panic.
#[derive(Clone)]
struct Out {
    stdout: Arc<Mutex<(Stdout, Option<io::Error>)>>,
}

impl Out {
    fn new() -> Self {
        Self { stdout: Arc::new(Mutex::new((io::stdout(), None))) }
    }

    fn write_with(&self, write: impl FnOnce(&mut Stdout) -> io::Result<usize>, all: usize) -> io::Result<usize> {
        let mut inner = self.stdout.lock().unwrap_or_else(PoisonError::into_inner);
        let (stdout, failed) = &mut *inner;
        if failed.is_some() {
            return Ok(all);
        }
        match write(stdout) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                *failed = Some(error);
                Ok(all)
            }
            written => written,
        }
    }

    /// The error that it has kept; it stays broken.
    fn check(&self) -> io::Result<()> {
        let inner = self.stdout.lock().unwrap_or_else(PoisonError::into_inner);
        let again = |error: &io::Error| match error.raw_os_error() {
            Some(code) => io::Error::from_raw_os_error(code),
            None => io::Error::new(error.kind(), error.to_string()),
        };
        inner.1.as_ref().map_or(Ok(()), |error| Err(again(error)))
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_with(|stdout| stdout.write(bytes), bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_with(|stdout| stdout.flush().map(|()| 0), 0).map(|_| ())
    }
}

impl Screen {
    pub(super) fn take() -> io::Result<Self> {
        restore_on_panic();
        SCREEN.store(true, Ordering::SeqCst);
        take()?;
        let out = Out::new();
        let terminal = Terminal::new(CrosstermBackend::new(out.clone()))?;
        Ok(Self { terminal, out })
    }

    pub(super) fn size(&self) -> (u16, u16) {
        self.terminal.size().map_or((80, 24), |size| (size.width, size.height))
    }

    pub(super) fn draw(&mut self, model: &Model) -> io::Result<()> {
        self.terminal.draw(|frame| view(model, frame))?;
        self.out.check()
    }

    /// Forgets what it drew: the next frame is drawn whole.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        // ratatui's own way asks the terminal where the cursor is, and fails where the answer is late or read by somebody else.
        execute!(io::stdout(), Clear(ClearType::All))?;
        self.terminal = Terminal::new(CrosstermBackend::new(self.out.clone()))?;
        Ok(())
    }

    /// Puts text into the terminal's clipboard, by OSC 52: it works over SSH as well.
    pub(super) fn copy(&mut self, text: &str) -> io::Result<()> {
        execute!(io::stdout(), CopyToClipboard::to_clipboard_from(text))
    }

    /// Says in the terminal's title that somebody is waited for, and rings; none: the title says it no longer.
    pub(super) fn attention(&mut self, text: Option<&Text>) -> io::Result<()> {
        match text {
            Some(text) => execute!(io::stdout(), SetTitle(format!("opsctl: {text}")), Print('\u{7}')),
            None => execute!(io::stdout(), SetTitle("opsctl")),
        }
    }

    /// Gives the terminal back while `work` goes on, takes it again, and draws all anew.
    pub(super) async fn lend<T>(&mut self, work: impl Future<Output = T>) -> io::Result<T> {
        give_back();
        let done = work.await;
        take()?;
        self.clear()?;
        Ok(done)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        SCREEN.store(false, Ordering::SeqCst);
        give_back();
    }
}

/// Whether something panicked since the terminal was taken: what is drawn would hide the report.
pub(super) fn has_panicked() -> bool {
    PANICKED.load(Ordering::SeqCst)
}

fn take() -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    execute!(io::stdout(), EnterAlternateScreen, EnableMouseCapture, EnableBracketedPaste, SetTitle("opsctl"))
}

fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    // Each on its own: one that fails must not keep the others from being done.
    let _ = execute!(out, DisableBracketedPaste);
    let _ = execute!(out, DisableMouseCapture);
    let _ = execute!(out, LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
    let _ = out.flush();
}

fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if SCREEN.load(Ordering::SeqCst) {
                PANICKED.store(true, Ordering::SeqCst);
                give_back();
            }
            before(panic);
        }));
    });
}

/// What the terminal says, as the console takes it; nothing for what does not matter.
pub(super) fn event(input: Input) -> Option<Event> {
    match input {
        Input::Key(key) => Key::pressed(&key).map(Event::Key),
        Input::Paste(text) => Some(Event::Paste(text)),
        Input::Resize(columns, rows) => Some(Event::Resize(columns, rows)),
        Input::Mouse(mouse) => {
            let what = match mouse.kind {
                MouseEventKind::Down(MouseButton::Left) => MouseWhat::Click,
                MouseEventKind::ScrollDown => MouseWhat::Scroll(WHEEL_LINES),
                MouseEventKind::ScrollUp => MouseWhat::Scroll(-WHEEL_LINES),
                _ => return None,
            };
            Some(Event::Mouse(Mouse { column: mouse.column, row: mouse.row, what }))
        }
        Input::FocusGained | Input::FocusLost => None,
    }
}
