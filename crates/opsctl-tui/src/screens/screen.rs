//! [`Screen`]: what every view does, each once.

use ratatui::{Frame, layout::Rect};

use crate::{
    domain::{Environment, EnvironmentName, Protection, Text},
    keymap::{Command, Key, Scope},
    observe::Focus,
    state::{Effect, Field, Model, Mouse, Notice},
};

/// A view. What changes something is handed the model without this view: the others are in it.
pub trait Screen {
    fn scope(&self) -> Scope;

    /// Its tab; none: it is opened from another view.
    fn tab(&self) -> Option<Tab> {
        None
    }

    /// Commands worth a place in the footer, most wanted first.
    fn wanted(&self) -> &'static [Command];

    fn settle(&mut self, model: &Model);

    /// Whether it shows something that such a change changes.
    fn depends_on(&self, change: Change) -> bool {
        match change {
            Change::Seen | Change::Time => true,
            Change::Runs => false,
        }
    }

    /// What is on the screen of it, to be watched closely.
    fn focus(&self, _: &Model) -> Focus {
        Focus::default()
    }

    /// Whether a command of its own can be given now.
    fn able(&self, model: &Model, command: Command) -> Able;

    fn command(&mut self, model: &mut Model, command: Command) -> Vec<Effect>;

    /// The line that is typed in: it takes the keys.
    fn field(&mut self) -> Option<&mut Field> {
        None
    }

    /// Takes a key while something is typed.
    fn key(&mut self, _: &mut Model, _: &Key) -> Vec<Effect> {
        Vec::new()
    }

    /// What is typed has changed by pasting.
    fn typed(&mut self, _: &mut Model) -> Vec<Effect> {
        Vec::new()
    }

    fn mouse(&mut self, model: &mut Model, mouse: Mouse) -> Vec<Effect>;

    fn draw(&self, model: &Model, frame: &mut Frame<'_>, area: Rect);

    /// Goes back within the view: from a selection, a filter, a group. `false`: there is nothing to go back from.
    fn back(&mut self, _: &mut Model) -> bool {
        false
    }

    /// Whether there is something to go back from though no other view is below.
    fn can_go_back(&self) -> bool {
        true
    }

    /// Asks again for what it shows beside the environments.
    fn refresh(&mut self, _: &mut Model) -> Vec<Effect> {
        Vec::new()
    }

    /// Somebody came to it by its command.
    fn entered(&mut self, _: &mut Model) -> Vec<Effect> {
        Vec::new()
    }

    /// It is left. `true`: it is kept as it is now, and taken up again.
    fn leave(&mut self) -> bool {
        false
    }

    fn let_go(&mut self) {}

    /// The environment that it is about, if it is about one.
    fn place(&self, model: &Model) -> Option<EnvironmentName> {
        model.only.clone()
    }

    /// Whether a list's filter is being typed: enter keeps it, esc takes it away.
    fn is_filtering(&self) -> bool {
        false
    }

    /// Whether a filter holds: not everything is shown.
    fn is_filtered(&self) -> bool {
        false
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tab {
    pub command: Command,
    pub title: &'static str,
    /// For terminals with few columns.
    pub short: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Seen,
    Time,
    Runs,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Able {
    Yes,
    /// It has a meaning here, but not now.
    No(Text),
    NotHere,
}

impl Able {
    pub fn no(because: &str) -> Self {
        Self::No(Text::line(because))
    }

    pub fn when(condition: bool, because: &str) -> Self {
        if condition { Self::Yes } else { Self::no(because) }
    }

    pub fn of<T>(meant: Result<T, Self>) -> Self {
        match meant {
            Ok(_) => Self::Yes,
            Err(able) => able,
        }
    }

    /// Says why a command can't be given; nothing where it can.
    pub fn say(&self, model: &mut Model, command: Command) {
        match self {
            Self::Yes => {}
            Self::No(because) => model.say(Notice::bad(&format!("{}: {because}", command.name()))),
            Self::NotHere => model.say(Notice::bad(&format!("{} has no meaning here", command.name()))),
        }
    }
}

/// Whether a change may be planned in an environment at all: the gate refuses in any case, this says so beforehand.
pub fn able_to_change(environment: &Environment) -> Able {
    match environment.protection {
        Protection::ReadOnly => Able::no(&format!("{} is read-only: nothing may change there", environment.name)),
        Protection::Confirm | Protection::TypeName => Able::Yes,
    }
}

/// Whether a command moves the cursor up or down, which every view has a meaning for.
pub fn moves(command: Command) -> bool {
    use Command::{Down, First, HalfPageDown, HalfPageUp, Last, PageDown, PageUp, Up};
    matches!(command, Down | Up | First | Last | PageDown | PageUp | HalfPageDown | HalfPageUp)
}

/// What lies over a view and takes the keys. It is handed the model without itself.
pub trait Pane {
    /// Where its keys are meant, the view's own scope being `below`.
    fn scope(&self, below: Scope) -> Scope {
        below
    }

    fn keys(&self) -> PaneKeys;

    /// Whether it shows something that such a change changes.
    fn depends_on(&self, _: Change) -> bool {
        false
    }

    fn settle(&mut self, _: &Model) {}

    /// Takes a key; `meaning` is what it means in the pane's scope, as long as nothing is typed.
    fn key(&mut self, model: &mut Model, key: &Key, meaning: Option<Command>) -> After;

    fn mouse(&mut self, _: &mut Model, _: Mouse) -> After {
        After::stay()
    }

    fn field(&mut self) -> Option<&mut Field> {
        None
    }

    /// What is typed has changed by pasting.
    fn typed(&mut self, _: &Model) {}

    fn draw(&self, model: &Model, frame: &mut Frame<'_>, area: Rect);
}

#[derive(Debug, Clone)]
pub enum PaneKeys {
    /// These commands, with what they do here.
    Bound(Vec<(Command, &'static str)>),
    /// A line is typed: what enter and esc do.
    Typing(&'static str, &'static str),
    Own,
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

    pub fn wants(effects: Vec<Effect>) -> Self {
        Self { closes: false, effects }
    }

    pub fn leaves(effects: Vec<Effect>) -> Self {
        Self { closes: true, effects }
    }
}
