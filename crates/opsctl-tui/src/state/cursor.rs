//! [`Cursor`]: where one is in a list of any length, of which a window is drawn.

use crate::keymap::Command;

/// Position in a list. Lists change under it: views keep it on the same thing by looking its place up again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cursor {
    pub at: usize,
    pub top: usize,
}

/// Where a command leads from `at`, a page being `height` rows; none: it is no command that moves.
pub(crate) fn moved(at: usize, command: Command, height: usize, last: usize) -> Option<usize> {
    let page = height.max(1);
    Some(match command {
        Command::Down => at + 1,
        Command::Up => at.saturating_sub(1),
        Command::PageDown => at + page,
        Command::PageUp => at.saturating_sub(page),
        Command::HalfPageDown => at + page.div_ceil(2),
        Command::HalfPageUp => at.saturating_sub(page.div_ceil(2)),
        Command::First => 0,
        Command::Last => last,
        _ => return None,
    })
}

impl Cursor {
    /// Moves as `command` says in a list of `rows`, of which `height` are seen. `false`: it is no command that moves.
    pub fn step(&mut self, command: Command, rows: usize, height: usize) -> bool {
        let Some(at) = moved(self.at, command, height, rows.saturating_sub(1)) else { return false };
        self.at = at;
        self.settle(rows, height);
        true
    }

    /// Moves the window itself as `command` says, where there is nothing to stand on: `top` alone counts. `false`: it is no
    /// command that moves.
    pub fn glide(&mut self, command: Command, rows: usize, height: usize) -> bool {
        let last = rows.saturating_sub(height.max(1));
        let Some(top) = moved(self.top, command, height, last) else { return false };
        self.top = top.min(last);
        self.at = self.top;
        true
    }

    pub fn scroll(&mut self, lines: i16, rows: usize, height: usize) {
        self.at = self.at.saturating_add_signed(isize::from(lines));
        self.settle(rows, height);
    }

    pub fn go(&mut self, row: usize, rows: usize, height: usize) {
        self.at = row;
        self.settle(rows, height);
    }

    /// Keeps it within the list, and the window around it.
    pub fn settle(&mut self, rows: usize, height: usize) {
        self.at = self.at.min(rows.saturating_sub(1));
        let height = height.max(1);
        if self.at < self.top {
            self.top = self.at;
        } else if self.at >= self.top + height {
            self.top = self.at + 1 - height;
        }
        self.top = self.top.min(rows.saturating_sub(height));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_follows_and_never_leaves_the_list() {
        let mut cursor = Cursor::default();
        assert!(cursor.step(Command::Last, 100, 10));
        assert_eq!(cursor, Cursor { at: 99, top: 90 });
        cursor.step(Command::Down, 100, 10);
        assert_eq!(cursor.at, 99);
        cursor.step(Command::PageUp, 100, 10);
        assert_eq!(cursor, Cursor { at: 89, top: 89 });
        cursor.settle(3, 10);
        assert_eq!(cursor, Cursor { at: 2, top: 0 });
        cursor.settle(0, 10);
        assert_eq!(cursor, Cursor::default());
        assert!(!cursor.step(Command::Open, 3, 10));
    }
}
