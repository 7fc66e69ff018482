//! The real binary in a real terminal: waits for text, never for time.

use std::{
    fs::File,
    io::{Read, Write},
    os::fd::OwnedFd,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rustix::{
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};

/// Nothing that is waited for takes longer, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long what an ended program wrote is waited for.
const LAST_READ_MAX: Duration = Duration::from_secs(1);

/// A program in a terminal.
pub(crate) struct Terminal {
    /// None: closed.
    master: Option<File>,
    shown: Arc<Mutex<Shown>>,
    child: Child,
    closing: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

struct Shown {
    parser: vt100::Parser,
    /// Everything that was written.
    raw: Vec<u8>,
}

impl Terminal {
    /// Starts `command` in a terminal of this many columns and rows.
    pub(crate) fn start(command: &Command, (columns, rows): (u16, u16)) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
        grantpt(&master).expect("granted");
        unlockpt(&master).expect("unlocked");
        let name = ptsname(&master, Vec::new()).expect("a name").into_string().expect("ASCII");
        tcsetwinsize(&master, size(columns, rows)).expect("a size");
        let end = || -> Stdio {
            let file = File::options().read(true).write(true).open(&name).expect("its other end");
            Stdio::from(OwnedFd::from(file))
        };
        // A session of its own, with this as its terminal: signals of keys and of resizing come as to anybody.
        let mut wrapped = Command::new("setsid");
        wrapped.arg("--ctty").arg("--wait").arg(command.get_program()).args(command.get_args()).env_clear();
        wrapped.env("TERM", "xterm-256color").env("LANG", "C.UTF-8");
        wrapped.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(folder) = command.get_current_dir() {
            wrapped.current_dir(folder);
        }
        let child = wrapped.stdin(end()).stdout(end()).stderr(end()).spawn().expect("setsid starts");
        let master = File::from(master);
        let shown = Arc::new(Mutex::new(Shown { parser: vt100::Parser::new(rows, columns, 0), raw: Vec::new() }));
        // The reader must not hold the terminal open: it looks now and then whether to let go.
        let flags = fcntl_getfl(&master).expect("flags");
        fcntl_setfl(&master, flags | OFlags::NONBLOCK).expect("not blocking");
        let (mut reader, sink) = (master.try_clone().expect("a second handle"), Arc::clone(&shown));
        let closing = Arc::new(AtomicBool::new(false));
        let closes = Arc::clone(&closing);
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 65_536];
            while !closes.load(Ordering::SeqCst) {
                match reader.read(&mut bytes) {
                    Ok(count @ 1..) => {
                        let mut shown = sink.lock().unwrap_or_else(PoisonError::into_inner);
                        shown.parser.process(&bytes[..count]);
                        shown.raw.extend_from_slice(&bytes[..count]);
                    }
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                    Ok(0) | Err(_) => return,
                }
            }
        });
        Self { master: Some(master), shown, child, closing, reader: Some(reader) }
    }

    /// Takes the terminal away, as a closed window or a dropped connection does: whatever reads it meets its end, whatever
    /// writes to it an error.
    pub(crate) fn close(&mut self) {
        self.closing.store(true, Ordering::SeqCst);
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader ends");
        }
        self.master = None;
    }

    fn master(&self) -> &File {
        self.master.as_ref().expect("the terminal is open")
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the terminal shows.
    pub(crate) fn screen(&self) -> String {
        self.shown().parser.screen().contents()
    }

    /// Looks at what the terminal shows.
    pub(crate) fn look<T>(&self, at: impl FnOnce(&vt100::Screen) -> T) -> T {
        at(self.shown().parser.screen())
    }

    /// Everything that was written to it.
    pub(crate) fn raw(&self) -> String {
        String::from_utf8_lossy(&self.shown().raw).into_owned()
    }

    /// Whether the terminal is as a shell wants it: first screen, cursor shown, no mouse, no bracketed paste.
    pub(crate) fn is_sane(&self) -> bool {
        let shown = self.shown();
        let screen = shown.parser.screen();
        !screen.alternate_screen()
            && !screen.hide_cursor()
            && !screen.bracketed_paste()
            && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
    }

    /// Waits until `text` is shown.
    pub(crate) fn wait(&self, text: &str) -> &Self {
        self.until(text, |screen| screen.contains(text))
    }

    /// Waits until `text` is shown no longer.
    pub(crate) fn gone(&self, text: &str) -> &Self {
        self.until(&format!("{text} (to go)"), |screen| !screen.contains(text))
    }

    fn until(&self, what: &str, condition: impl Fn(&str) -> bool) -> &Self {
        let end = Instant::now() + PATIENCE;
        loop {
            let screen = self.screen();
            if condition(&screen) {
                return self;
            }
            assert!(Instant::now() < end, "waited in vain for {what:?}; the terminal shows:\n{screen}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Types bytes as a terminal sends them: `\r` is enter, `\u{1b}` escape, `\u{3}` ctrl-c.
    pub(crate) fn send(&self, bytes: &str) -> &Self {
        let mut master = self.master();
        master.write_all(bytes.as_bytes()).expect("typed");
        self
    }

    /// Changes the terminal's size.
    pub(crate) fn resize(&self, columns: u16, rows: u16) -> &Self {
        self.shown().parser.screen_mut().set_size(rows, columns);
        tcsetwinsize(self.master(), size(columns, rows)).expect("resized");
        self
    }

    /// The program's process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Tells the program that its terminal is gone, as a closed window does.
    pub(crate) fn hang_up(&self) {
        self.signal(Signal::HUP);
    }

    /// Asks the program to end, as `kill` does.
    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.pid().cast_signed()).expect("a process");
        kill_process(pid, signal).expect("it runs");
    }

    /// Waits until the program has ended; its exit status, less than 0: the signal that ended it.
    pub(crate) fn end(&mut self) -> i32 {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("waited for") {
                // What it wrote last is still on its way, and ends where nobody else has the terminal.
                let read = Instant::now() + LAST_READ_MAX;
                while self.reader.as_ref().is_some_and(|reader| !reader.is_finished()) && Instant::now() < read {
                    std::thread::sleep(Duration::from_millis(5));
                }
                return status
                    .code()
                    .unwrap_or_else(|| -std::os::unix::process::ExitStatusExt::signal(&status).unwrap_or(1));
            }
            assert!(Instant::now() < end, "it did not end; the terminal shows:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A test that failed leaves nothing behind: closing the terminal ends what runs in it.
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.close();
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn size(columns: u16, rows: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}
