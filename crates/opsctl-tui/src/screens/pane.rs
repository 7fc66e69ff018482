//! [`Pane`]: what everything that lies over a view does.

use ratatui::{Frame, layout::Rect};

use crate::{
    keymap::{Command, Key, Scope},
    screens::screen::Change,
    state::{effect::Effect, event::Mouse, field::Field, model::Model},
};

/// What lies over a view and takes the keys. It is handed the model without itself.
pub trait Pane {
    /// Where its keys are meant, the view's own scope being `below`.
    fn scope(&self, below: Scope) -> Scope {
        below
    }

    /// What the footer says of its keys.
    fn keys(&self) -> PaneKeys;

    /// Whether it shows something that such a change changes.
    fn depends_on(&self, _: Change) -> bool {
        false
    }

    /// Brings what is shown up to date.
    fn settle(&mut self, _: &Model) {}

    /// Takes a key; `meaning` is what it means in the pane's scope, as long as nothing is typed.
    fn key(&mut self, model: &mut Model, key: &Key, meaning: Option<Command>) -> After;

    fn mouse(&mut self, _: &mut Model, _: Mouse) -> After {
        After::stay()
    }

    /// The line that is typed in.
    fn field(&mut self) -> Option<&mut Field> {
        None
    }

    /// What is typed has changed by pasting.
    fn typed(&mut self, _: &Model) {}

    fn draw(&self, model: &Model, frame: &mut Frame<'_>, area: Rect);
}

/// What the footer says of a pane's keys.
#[derive(Debug, Clone)]
pub enum PaneKeys {
    /// These commands, with what they do here.
    Bound(Vec<(Command, &'static str)>),
    /// A line is typed: what enter and esc do.
    Typing(&'static str, &'static str),
    /// It says so itself.
    Own,
    /// What the view below says.
    View,
}

/// What becomes of a pane once it has taken something in.
#[derive(Debug, Default)]
pub struct After {
    pub closes: bool,
    pub effects: Vec<Effect>,
}

impl After {
    pub fn stay() -> Self {
        Self::default()
    }

    pub fn close() -> Self {
        Self { closes: true, effects: Vec::new() }
    }

    /// Stays, and wants something done.
    pub fn wants(effects: Vec<Effect>) -> Self {
        Self { closes: false, effects }
    }

    /// Closes, and wants something done.
    pub fn leaves(effects: Vec<Effect>) -> Self {
        Self { closes: true, effects }
    }
}
