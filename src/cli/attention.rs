//! Calls a person who looks elsewhere: the bell, and the terminal's title, where standard error is a terminal.

use std::io::{self, IsTerminal, Write};

use crate::domain::Text;

/// Rings, and says why in the terminal's title.
pub(super) fn call(why: &Text) {
    // A text has no control characters: nothing in it ends the title early.
    say(&format!("\x07\x1b]2;opsctl: {why}\x07"));
}

/// Says in the title that nobody is waited for any more.
pub(super) fn over() {
    say("\x1b]2;opsctl\x07");
}

/// A terminal that goes away hears nothing.
fn say(codes: &str) {
    let mut stderr = io::stderr();
    if stderr.is_terminal() {
        let _ = stderr.write_all(codes.as_bytes());
        let _ = stderr.flush();
    }
}
